//! What is known, and the one way to learn more: a batch of samples at a time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::derive::{self, DerivedPlan};
use crate::history::History;
use crate::scene::Scene;
use crate::source::{Batch, Inbox};
use crate::twin::{Sample, SignalIndex, Timestamp};

/// Everything that samples have taught, under one lock.
#[derive(Debug)]
pub struct Knowledge {
    scene: Arc<Scene>,
    /// Of the scene, as batches carry it.
    generation: u32,
    /// From the indices of the generation before to today's, for batches that were on their way.
    renumbered: Option<Vec<Option<SignalIndex>>>,
    pub history: History,
    plan: DerivedPlan,
    /// Where samples come from; the next one to ask.
    inboxes: Vec<Arc<Inbox>>,
    turn: usize,
    is_driven: bool,
    touched: Vec<SignalIndex>,
    is_touched: Vec<bool>,
    /// Positions in the batch at hand: samples of one moment that something depends on.
    moment: Vec<usize>,
    samples: u64,
    orphaned: u64,
}

impl Knowledge {
    pub(super) fn new(scene: Arc<Scene>, generation: u32, history_budget_bytes: u64) -> Self {
        let mut history = History::new(history_budget_bytes);
        history.resize(scene.signals.len());
        Self {
            plan: DerivedPlan::new(&scene),
            is_touched: vec![false; scene.signals.len()],
            scene,
            generation,
            renumbered: None,
            history,
            inboxes: Vec::new(),
            turn: 0,
            is_driven: false,
            touched: Vec::new(),
            moment: Vec::new(),
            samples: 0,
            orphaned: 0,
        }
    }

    /// Samples taken in so far.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Samples whose signal no longer existed, because the scene was reloaded while they waited.
    pub fn orphaned(&self) -> u64 {
        self.orphaned
    }

    /// A thread drains the inboxes: frames need not.
    pub(super) fn is_driven(&self) -> bool {
        self.is_driven
    }

    pub(super) fn set_driven(&mut self, is_driven: bool) {
        self.is_driven = is_driven;
    }

    /// The inboxes to drain from now on. Those left out are not read any more.
    pub(super) fn listen_to(&mut self, inboxes: impl IntoIterator<Item = Arc<Inbox>>) {
        self.inboxes = inboxes.into_iter().collect();
        self.turn = 0;
    }

    /// Another scene takes over: what is known of signals that it has as well (by twin id and name) stays. Returns where
    /// each old signal is now.
    pub fn adopt(&mut self, scene: Arc<Scene>, generation: u32) -> Vec<Option<SignalIndex>> {
        let map = renumbering(&self.scene, &scene);
        self.history.remap(&map, scene.signals.len());
        self.plan = DerivedPlan::new(&scene);
        self.touched.clear();
        self.is_touched.clear();
        self.is_touched.resize(scene.signals.len(), false);
        self.renumbered = (generation == self.generation.wrapping_add(1)).then(|| map.clone());
        self.scene = scene;
        self.generation = generation;
        map
    }

    /// Takes in what waits, for `slice` at most, a batch of each source in turn so that a flooding one cannot starve the
    /// others. Says whether more may wait.
    pub(super) fn drain(&mut self, slice: Duration) -> bool {
        let started = Instant::now();
        let mut quiet = 0;
        while quiet < self.inboxes.len() {
            self.turn = (self.turn + 1) % self.inboxes.len();
            let Some(inbox) = self.inboxes.get(self.turn).cloned() else { break };
            match inbox.try_recv() {
                None => quiet += 1,
                Some(batch) => {
                    quiet = 0;
                    inbox.recycle(self.learn(batch));
                    if started.elapsed() >= slice {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Takes in a batch; returns the memory it was in.
    pub fn learn(&mut self, mut batch: Batch) -> Vec<Sample> {
        self.samples += batch.samples.len() as u64;
        if batch.generation != self.generation {
            self.renumber(&mut batch);
        }
        let mut moment_time = Timestamp::MIN;
        for (at, sample) in batch.samples.iter().enumerate() {
            let Some(is_touched) = self.is_touched.get_mut(sample.signal.at()) else {
                self.orphaned += 1;
                continue;
            };
            if !std::mem::replace(is_touched, true) {
                self.touched.push(sample.signal);
            }
            self.history.append(sample);
            if self.plan.is_asked_for(sample.signal) {
                if sample.source_time != moment_time {
                    self.conclude(&batch.samples);
                    moment_time = sample.source_time;
                }
                self.moment.push(at);
            }
        }
        self.conclude(&batch.samples);
        batch.samples
    }

    /// What follows from the samples of one moment, all of which are in history.
    fn conclude(&mut self, samples: &[Sample]) {
        let Some(first) = self.moment.first().and_then(|at| samples.get(*at)) else { return };
        let source_time = first.source_time;
        let mut due: Vec<(u32, SignalIndex)> = Vec::new();
        let mut receive_time = first.receive_time;
        for sample in self.moment.drain(..).filter_map(|at| samples.get(at)) {
            receive_time = receive_time.max(sample.receive_time);
            due.extend(self.plan.dependents(sample.signal));
        }
        due.sort_unstable();
        due.dedup();
        for (_, derived) in due {
            if let Some(sample) = derive::evaluate(&self.scene, &self.history, derived, source_time, receive_time) {
                self.history.append(&sample);
                self.touch(derived);
            }
        }
    }

    fn touch(&mut self, signal: SignalIndex) {
        if let Some(is_touched) = self.is_touched.get_mut(signal.at())
            && !std::mem::replace(is_touched, true)
        {
            self.touched.push(signal);
        }
    }

    /// Gives samples of the generation before today's indices; those of signals that are gone are taken out, counted.
    fn renumber(&mut self, batch: &mut Batch) {
        let before = batch.samples.len();
        let map = self.renumbered.as_deref().filter(|_| batch.generation.wrapping_add(1) == self.generation);
        batch.samples.retain_mut(|sample| {
            let today = map.and_then(|map| *map.get(sample.signal.at())?);
            today.is_some_and(|today| {
                sample.signal = today;
                true
            })
        });
        self.orphaned += (before - batch.samples.len()) as u64;
    }

    /// Moves the signals with new samples into `into`, whose old content is lost.
    pub(super) fn take_touched(&mut self, into: &mut Vec<SignalIndex>) {
        into.clear();
        std::mem::swap(&mut self.touched, into);
        for signal in into {
            if let Some(is_touched) = self.is_touched.get_mut(signal.at()) {
                *is_touched = false;
            }
        }
    }
}

/// Where each signal of the `old` scene is in the `new` one: the same twin id and signal name.
fn renumbering(old: &Scene, new: &Scene) -> Vec<Option<SignalIndex>> {
    let name = |scene: &'_ Scene, signal: &crate::scene::Signal| {
        (scene.twins[signal.twin.at()].id.clone(), signal.name.clone())
    };
    let known: HashMap<_, _> = new.signals.iter().map(|signal| (name(new, signal), signal.index)).collect();
    old.signals.iter().map(|signal| known.get(&name(old, signal)).copied()).collect()
}
