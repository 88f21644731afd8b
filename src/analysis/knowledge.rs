//! What is known, and the one way to learn more: a batch of samples at a time.
//!
//! Within a batch, samples that follow each other with one source time are one moment: first all of them are in history,
//! then what is derived from them, then alarms judge all of these, in the order of arrival. So nothing is judged by half
//! of a message.

mod answer;
mod recall;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::chronicle::Chronicle;
use super::derive::{self, DerivedPlan};
use super::feed::Feed;
use super::lives::Lives;
use crate::alarm::{Action, Alarm, Change, Deed, Engine, Horn, Refusal};
use crate::event::store::{Restored, Store};
use crate::event::{Draft, EventFile, Kind};
use crate::history::{Density, History};
use crate::record::{Exposure, RecordSink};
use crate::scene::Scene;
use crate::scene::rule::AlarmPath;
use crate::source::Batch;
use crate::value::{Sample, SignalIndex, Timestamp, TwinIndex};

pub(crate) use answer::Answer;
pub use recall::Recall;

/// Everything that samples have taught, under one lock.
#[derive(Debug)]
pub struct Knowledge {
    scene: Arc<Scene>,
    /// Of the scene, as batches carry it.
    generation: u32,
    /// From the indices of the generation before to today's, for batches that were on their way.
    renumbered: Option<Vec<Option<SignalIndex>>>,
    pub history: History,
    arrivals: Density,
    plan: DerivedPlan,
    /// By signal: something is derived from it, or an alarm looks at it.
    is_asked_for: Vec<bool>,
    engine: Engine,
    lives: Lives,
    chronicle: Chronicle,
    /// A keyframe for the recording, while it is being collected.
    exposure: Option<Exposure>,
    /// Memory for what the engine says.
    changes: Vec<Change>,
    /// Where samples come from; the next one to ask.
    feeds: Vec<Feed>,
    turn: usize,
    /// Receive time of the newest sample that was taken in.
    heard: Timestamp,
    is_driven: bool,
    /// Of a recording: nothing is judged, nobody acts.
    is_recorded: bool,
    touched: Vec<SignalIndex>,
    is_touched: Vec<bool>,
    /// Positions in the batch at hand: samples of one moment that something depends on.
    moment: Vec<usize>,
    samples: u64,
    orphaned: u64,
}

impl Knowledge {
    pub(super) fn new(scene: Arc<Scene>, generation: u32, history_budget_bytes: u64, now: Timestamp) -> Self {
        let mut history = History::new(history_budget_bytes);
        history.resize(scene.signals.len());
        let plan = DerivedPlan::new(&scene);
        let engine = Engine::new(scene.clone(), now);
        Self {
            is_asked_for: asked_for(&scene, &plan, &engine),
            plan,
            engine,
            lives: Lives::new(&scene),
            chronicle: Chronicle::new(now),
            exposure: None,
            changes: Vec::new(),
            is_touched: vec![false; scene.signals.len()],
            scene,
            generation,
            renumbered: None,
            history,
            arrivals: Density::default(),
            feeds: Vec::new(),
            turn: 0,
            heard: Timestamp::MIN,
            is_driven: false,
            is_recorded: false,
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

    /// When how many of them were received.
    pub fn arrivals(&self) -> &Density {
        &self.arrivals
    }

    /// Samples whose signal no longer existed, because the scene was reloaded while they waited.
    pub fn orphaned(&self) -> u64 {
        self.orphaned
    }

    /// A thread drains the inboxes, or there are none: frames need not.
    pub(super) fn is_driven(&self) -> bool {
        self.is_driven || self.is_recorded
    }

    pub(super) fn set_driven(&mut self, is_driven: bool) {
        self.is_driven = is_driven;
        // Frames give no keyframes: one that has been begun would never be complete.
        self.give_up_exposure();
    }

    /// All alarms as they stand, in the order of the scene's.
    pub fn alarms(&self) -> &[Alarm] {
        self.engine.alarms()
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub fn chronicle(&self) -> &Chronicle {
        &self.chronicle
    }

    /// Goes on where an earlier run ended. Before the first sample.
    pub fn resume(&mut self, store: Store, restored: Restored, now: Timestamp) {
        self.chronicle.resume(store, restored, &mut self.engine, now);
    }

    /// From now on every event is a line of this file.
    pub fn write_events_to(&mut self, file: EventFile) {
        self.chronicle.write_to(file);
    }

    /// From now on every event is part of this recording, and so is the state of everything whenever it asks for it.
    pub fn record_to(&mut self, recording: RecordSink) {
        self.give_up_exposure();
        self.chronicle.record_to(recording);
    }

    /// Events are part of no recording any more.
    pub fn record_no_more(&mut self) {
        self.give_up_exposure();
        self.chronicle.record_no_more();
    }

    /// What is learnt from now on is live: new alarms are heard.
    pub fn sound(&mut self, horn: Horn) {
        self.chronicle.sound(horn);
    }

    /// There should be a store, and this is why there is none: people are told.
    pub fn go_without_store(&mut self, why: String) {
        self.chronicle.go_without_store(why);
    }

    /// Hands over the last news and waits until all of the record is on disk, some seconds at most. Says what is not.
    pub fn close_record(&mut self, now: Timestamp) -> Vec<String> {
        self.chronicle.elapse(&self.engine, now);
        self.chronicle.close(&self.engine, now)
    }

    /// What keeps alarms from being judged and events from being kept, in sentences.
    pub fn troubles(&self) -> Vec<String> {
        let formulas = self.engine.failures().map(|(alarm, failure)| {
            let path = self.scene.alarm_path(alarm);
            format!("{path}: its formula failed {} times, the last verdict holds: {}", failure.count, failure.message)
        });
        self.chronicle.troubles().into_iter().chain(formulas).collect()
    }

    /// Puts on record what happened elsewhere.
    pub fn record(&mut self, draft: Draft) {
        self.chronicle.record(draft);
    }

    /// Carries out what an operator asks for, and hands it over to the store at once; alarms that refuse say why. That
    /// is on record as well: a deed that was not done must not be taken for one.
    pub fn act(&mut self, alarms: &[AlarmPath], action: &Action, deed: &Deed) -> Vec<(AlarmPath, Refusal)> {
        if self.is_recorded {
            return alarms.iter().map(|path| (path.clone(), Refusal::Recorded)).collect();
        }
        let mut refused = Vec::new();
        for path in alarms {
            let result = match path.rule(&self.scene).map(|rule| rule.index) {
                Some(alarm) => self.engine.act(alarm, action, deed, &mut self.changes),
                None => Err(Refusal::Gone),
            };
            refused.extend(result.err().map(|refusal| (path.clone(), refusal)));
        }
        self.chronicle.take(&mut self.changes, &self.engine);
        if let Some((path, refusal)) = refused.first() {
            let more = match refused.len() - 1 {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            let text = format!("{} of {path} refused: {refusal}{more}", action.noun());
            let note = Draft::new(deed.at, deed.at, Kind::Note { text });
            let twin = path.twin.clone().filter(|_| more.is_empty());
            self.record(Draft { twin, ..note.by(deed.by.clone(), deed.comment.clone()) });
        }
        self.chronicle.hand_over(&self.engine, deed.at);
        refused
    }

    /// The sources to drain from now on. Those left out are not read any more.
    pub(super) fn listen_to(&mut self, feeds: impl IntoIterator<Item = Feed>) {
        let old = std::mem::take(&mut self.feeds);
        self.feeds = feeds.into_iter().map(|feed| feed.going_on(&old)).collect();
        self.turn = 0;
    }

    /// Puts on record which connections were made or lost since the last look, and lets alarms judge it.
    pub(super) fn look_at_connections(&mut self, now: Timestamp) {
        for feed in &mut self.feeds {
            let Some(news) = feed.news() else { continue };
            if let Some(kind) = news.event {
                self.chronicle.record(Draft::new(now, now, kind));
            }
            self.engine.connection(&feed.name, news.is_connected, now, &mut self.changes);
        }
        self.chronicle.take(&mut self.changes, &self.engine);
    }

    /// What is due by the wall clock: all samples received before `now` have been learnt.
    pub(crate) fn elapse(&mut self, now: Timestamp) {
        self.engine.elapse(now, &mut self.changes);
        self.chronicle.take(&mut self.changes, &self.engine);
        for (twin, at) in self.lives.elapse(now, &self.history) {
            self.record_life(twin, at, now, Kind::Death);
        }
        self.chronicle.elapse(&self.engine, now);
    }

    /// When [`Knowledge::elapse`] has something to do next.
    pub(super) fn next_deadline(&mut self, now: Timestamp) -> Option<Timestamp> {
        let deadlines = [self.engine.next_deadline(), self.lives.next_deadline(), self.chronicle.next_deadline(now)];
        deadlines.into_iter().flatten().min()
    }

    fn record_life(&mut self, twin: TwinIndex, time: Timestamp, received: Timestamp, kind: Kind) {
        if let Some(twin) = self.scene.twins.get(twin.at()) {
            self.chronicle.record(Draft::new(time, received, kind).about(twin.id.clone()));
        }
    }

    /// Receive time of the newest sample that was taken in.
    pub(crate) fn heard(&self) -> Timestamp {
        self.heard
    }

    /// Another scene takes over: what is known of signals and alarms that it has as well (by twin id and name) stays.
    /// Returns where each old signal is now.
    pub fn adopt(&mut self, scene: Arc<Scene>, generation: u32, now: Timestamp) -> Vec<Option<SignalIndex>> {
        self.give_up_exposure();
        let map = self.scene.renumbering(&scene);
        self.history.remap(&map, scene.signals.len());
        self.lives.adopt(&self.scene, &scene, &self.history);
        self.engine.adopt(scene.clone(), now, &mut self.changes);
        self.chronicle.adopt(&mut self.changes, &self.scene, &self.engine);
        self.plan = DerivedPlan::new(&scene);
        self.is_asked_for = asked_for(&scene, &self.plan, &self.engine);
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
        while quiet < self.feeds.len() {
            self.turn = (self.turn + 1) % self.feeds.len();
            let Some(inbox) = self.feeds.get(self.turn).map(|feed| feed.inbox.clone()) else { break };
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
        self.expose_anew_if_late(&batch);
        let mut moment_time = Timestamp::MIN;
        for (at, sample) in batch.samples.iter().enumerate() {
            let signal = sample.signal;
            let Some(is_touched) = self.is_touched.get_mut(signal.at()) else {
                self.orphaned += 1;
                continue;
            };
            if !std::mem::replace(is_touched, true) {
                self.touched.push(signal);
            }
            self.history.append(sample);
            if let Some(born) = self.lives.hear(signal, &self.history) {
                self.record_life(born, sample.source_time, sample.receive_time, Kind::Birth);
            }
            if self.is_asked_for.get(signal.at()) == Some(&true) {
                if sample.source_time != moment_time {
                    self.conclude(&batch.samples);
                    moment_time = sample.source_time;
                }
                self.moment.push(at);
            }
        }
        self.conclude(&batch.samples);
        if let Some(last) = batch.samples.last() {
            self.heard = self.heard.max(last.receive_time);
            self.arrivals.add(last.receive_time, batch.samples.len());
        }
        self.chronicle.take(&mut self.changes, &self.engine);
        batch.samples
    }

    /// What follows from the samples of one moment, all of which are in history.
    fn conclude(&mut self, samples: &[Sample]) {
        let asked_for = self.moment.iter().filter_map(|at| samples.get(*at));
        let derived = derive::conclude(&self.scene, &self.plan, &mut self.history, asked_for);
        for sample in &derived {
            self.touch(sample.signal);
        }
        let measured = self.moment.iter().filter_map(|at| samples.get(*at));
        self.engine.observe_moment(measured.chain(&derived), &self.history, &mut self.changes);
        self.moment.clear();
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

    /// Whether samples came that no frame has taken over yet.
    pub(super) fn has_news(&self) -> bool {
        !self.touched.is_empty()
    }

    /// Moves the signals with new samples into `into`, whose old content is lost.
    pub(crate) fn take_touched(&mut self, into: &mut Vec<SignalIndex>) {
        into.clear();
        std::mem::swap(&mut self.touched, into);
        for signal in into {
            if let Some(is_touched) = self.is_touched.get_mut(signal.at()) {
                *is_touched = false;
            }
        }
    }
}

fn asked_for(scene: &Scene, plan: &DerivedPlan, engine: &Engine) -> Vec<bool> {
    scene.signals.iter().map(|signal| plan.is_asked_for(signal.index) || engine.watches(signal.index)).collect()
}
