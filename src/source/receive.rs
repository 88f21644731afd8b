//! The world's end of the mailboxes: drains batches into history within a time budget per frame.
//!
//! In: batches of all running sources. Out: history, and [`Arrivals`] for what analyses and shows this frame's samples.
//! Never blocks, never touches network or disk.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bevy::prelude::*;

use super::{Batch, SourceHandle, SourceReport, Waker};
use crate::history::{History, Moment};
use crate::scene::{LoadedScene, Scene};
use crate::twin::{Sample, SignalIndex};

/// The sources that feed this world. Empty in a branch or a replay: nothing there can reach a broker.
#[derive(Resource, Default)]
pub struct Sources {
    pub running: Vec<SourceHandle>,
    /// Asks for another frame; none where frames come by themselves.
    pub waker: Option<Waker>,
}

/// How long a frame may spend on draining; what is left waits for the next frame.
#[derive(Resource, Clone, Copy, Debug)]
pub struct ReceiveBudget(pub Duration);

impl Default for ReceiveBudget {
    fn default() -> Self {
        Self(Duration::from_millis(8))
    }
}

/// What arrived in this frame. Filled by `Receive`, read by `Analyse` and `Project`, emptied after.
#[derive(Resource, Debug, Default)]
pub struct Arrivals {
    /// Samples that something may be derived from, in the order of arrival.
    pub fresh: Vec<Fresh>,
    /// Samples of the whole session.
    pub samples: u64,
    /// Samples whose signal no longer exists, because the scene was reloaded while they waited.
    pub orphaned: u64,
    touched: Vec<SignalIndex>,
    is_touched: Vec<bool>,
    /// From the indices of the generation before to today's.
    renumbered: Option<(u32, Vec<Option<SignalIndex>>)>,
}

/// When and what, without the value: that is in history.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fresh {
    pub signal: SignalIndex,
    pub source_time: crate::twin::Timestamp,
    pub receive_time: crate::twin::Timestamp,
}

impl Arrivals {
    pub fn touch(&mut self, signal: SignalIndex) {
        let at = signal.at();
        if at >= self.is_touched.len() {
            self.is_touched.resize(at + 1, false);
        }
        if !std::mem::replace(&mut self.is_touched[at], true) {
            self.touched.push(signal);
        }
    }

    /// Signals with new samples, each once.
    pub fn touched(&self) -> &[SignalIndex] {
        &self.touched
    }

    pub fn clear(&mut self) {
        self.fresh.clear();
        for signal in self.touched.drain(..) {
            self.is_touched[signal.at()] = false;
        }
    }

    /// After a reload: samples that still carry the indices of `generation - 1` are renumbered by this map.
    pub fn renumber(&mut self, old_generation: u32, map: Vec<Option<SignalIndex>>) {
        self.clear();
        self.renumbered = Some((old_generation, map));
    }

    /// Takes samples over into history; returns the memory they were in.
    pub fn accept(&mut self, mut batch: Batch, generation: u32, signals: usize, history: &mut History) -> Vec<Sample> {
        self.samples += batch.samples.len() as u64;
        if batch.generation == generation {
            // By reference: moving samples through options costs more than to append them.
            for sample in &batch.samples {
                self.take(sample, signals, history);
            }
            return batch.samples;
        }
        // Out of its place for the loop, which needs the rest of this.
        let renumbered = self.renumbered.take();
        let map = renumbered.as_ref().filter(|(from, _)| *from == batch.generation).map(|(_, map)| map.as_slice());
        for sample in &mut batch.samples {
            let known = map.and_then(|map| *map.get(sample.signal.at())?);
            match known {
                Some(signal) => {
                    sample.signal = signal;
                    self.take(sample, signals, history);
                }
                None => self.orphaned += 1,
            }
        }
        self.renumbered = renumbered;
        batch.samples
    }

    fn take(&mut self, sample: &Sample, signals: usize, history: &mut History) {
        if sample.signal.at() >= signals {
            self.orphaned += 1;
            return;
        }
        history.append(sample);
        self.fresh.push(Fresh {
            signal: sample.signal,
            source_time: sample.source_time,
            receive_time: sample.receive_time,
        });
        self.touch(sample.signal);
    }
}

/// Where each signal of the `old` scene is in the `new` one: the same twin id and signal name.
pub(crate) fn renumbering(old: &Scene, new: &Scene) -> Vec<Option<SignalIndex>> {
    let name = |scene: &'_ Scene, signal: &crate::scene::Signal| {
        (scene.twins[signal.twin.at()].id.clone(), signal.name.clone())
    };
    let known: HashMap<_, _> = new.signals.iter().map(|signal| (name(new, signal), signal.index)).collect();
    old.signals.iter().map(|signal| known.get(&name(old, signal)).copied()).collect()
}

pub(super) fn receive(
    sources: Res<Sources>,
    budget: Res<ReceiveBudget>,
    loaded: Res<LoadedScene>,
    mut arrivals: ResMut<Arrivals>,
    mut history: ResMut<History>,
) {
    if sources.running.is_empty() {
        return;
    }
    let (generation, signals) = (loaded.generation, loaded.scene.signals.len());
    let started = Instant::now();
    // One batch of each source in turn, so that a flooding source cannot starve the others.
    loop {
        let mut quiet = true;
        for source in &sources.running {
            if let Some(batch) = source.receiver.try_recv() {
                let spent = arrivals.accept(batch, generation, signals, &mut history);
                source.receiver.recycle(spent);
                quiet = false;
            }
        }
        if quiet {
            return;
        }
        if started.elapsed() >= budget.0 {
            if let Some(waker) = &sources.waker {
                waker();
            }
            return;
        }
    }
}

/// Refreshes what sources say about themselves, four times a second.
pub(super) fn report(
    sources: Res<Sources>,
    moment: Res<Moment>,
    mut report: ResMut<SourceReport>,
    mut last: Local<Option<crate::twin::Timestamp>>,
) {
    const EVERY_SECS: f64 = 0.25;
    if last.is_some_and(|last| (0.0..EVERY_SECS).contains(&moment.now.secs_since(last))) {
        return;
    }
    *last = Some(moment.now);
    let mut snapshots: Vec<_> = sources.running.iter().map(|source| source.status.snapshot(moment.now)).collect();
    snapshots.sort_by(|a, b| a.name.cmp(&b.name));
    report.set_if_neq(SourceReport { sources: snapshots });
}
