//! A world in simulated time. It learns as a session does, without clock, thread, window or disk.
//!
//! In: messages, connection news, operators' deeds and the passing of time, in the order of their times. Out: the same
//! [`Knowledge`] that a live session gets from the same input, and a [hash](Run::hash) of all of it. Never reads a
//! clock, owns no publisher and no file: nothing here reaches a plant. Several runs can go on in as many threads.
//!
//! Import, `pollux rejudge` and tests use it; scenarios and branches will.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use pollux::ingest::Message;
//! use pollux::run::{EPOCH, Run, RunOptions};
//! use pollux::scene;
//!
//! let text = r#"Scene(format: (1, 2), name: "Hall", types: {"Pump": (signals: {
//!     "flow": (unit: "m3/h", topic: "hall/{id}", json: "/flow", limits: (high: 60.0)),
//! })}, twins: [(id: "P-101", type: "Pump")])"#;
//! let source = scene::SourceFile { path: "scene.ron".into(), text: text.into() };
//! let loaded = scene::load_texts(std::path::Path::new("scene.ron"), &[source]);
//! let scene = Arc::new(loaded.scene.expect("a scene without issues"));
//!
//! let play = |flow: &[u8]| {
//!     let mut run = Run::new(scene.clone(), RunOptions::default());
//!     run.message(
//!         "plant",
//!         &Message { topic: "hall/P-101", payload: flow, retained: false, qos: 1, receive_time: EPOCH },
//!     );
//!     run.pass_time(EPOCH + Duration::from_secs(60));
//!     (run.hash(), run.knowledge().alarms()[0].state.is_active())
//! };
//! assert_eq!(play(br#"{"flow": 61}"#), play(br#"{"flow": 61}"#));
//! assert!(play(br#"{"flow": 61}"#).1 && !play(br#"{"flow": 59}"#).1);
//! ```

mod hash;
mod recording;
pub mod rejudge;

use std::sync::Arc;

use crate::alarm::{Action, Deed, Refusal};
use crate::analysis::Knowledge;
use crate::event::{Draft, Event, Kind};
use crate::fault::WrittenFault;
use crate::ingest::{Message, Outcome, Tables};
use crate::produce::ProducerFactory;
use crate::record::Conclusion;
use crate::record::format::Keyframe;
use crate::scene::Scene;
use crate::scene::rule::AlarmPath;
use crate::source::Batch;
use crate::value::{Sample, SignalIndex, Timestamp};

pub use hash::RunHash;
pub use recording::{Recorded, RunRecording, Size};

/// When simulated time begins where nothing else is said: 2000-01-01T00:00:00Z.
pub const EPOCH: Timestamp = Timestamp(946_684_800_000_000_000);

/// Of the one scene that a run has.
const GENERATION: u32 = 1;

#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Alarms are watched from then on.
    pub start: Timestamp,
    /// Memory for what alarms and producers look back at.
    pub history_budget_bytes: u64,
    pub producers: ProducerFactory,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { start: EPOCH, history_budget_bytes: 256 << 20, producers: ProducerFactory::default() }
    }
}

/// A world in simulated time.
#[derive(Debug)]
pub struct Run {
    scene: Arc<Scene>,
    knowledge: Knowledge,
    tables: Tables,
    events: hash::EventDigest,
    /// Memory for the samples of a message.
    batch: Batch,
}

impl Run {
    pub fn new(scene: Arc<Scene>, options: RunOptions) -> Self {
        let RunOptions { start, history_budget_bytes, producers } = options;
        let mut knowledge = Knowledge::new(scene.clone(), GENERATION, history_budget_bytes, start, producers);
        knowledge.keep_digest();
        let tables = Tables::new(scene.clone(), GENERATION);
        let batch = Batch { generation: GENERATION, ..Batch::default() };
        Self { scene, knowledge, tables, events: hash::EventDigest::default(), batch }
    }

    pub fn scene(&self) -> &Arc<Scene> {
        &self.scene
    }

    /// All that is known so far.
    pub fn knowledge(&self) -> &Knowledge {
        &self.knowledge
    }

    /// How its messages are read.
    pub fn tables(&mut self) -> &mut Tables {
        &mut self.tables
    }

    /// A message, after all that was due by its receive time; not earlier than the one before. Says what came of
    /// decoding it, and when its first value was true.
    pub fn message(&mut self, broker: &str, message: &Message) -> (Outcome, Option<Timestamp>) {
        let mut batch = self.empty_batch();
        let is_wanted = self.knowledge.wants_whole(broker, message.topic);
        let outcome = batch.add_whole(|samples| {
            let outcome = self.tables.of(broker).decode(message, samples);
            let whole = (is_wanted && !outcome.unknown_topic).then(|| message.whole(&broker.into()));
            (outcome, whole)
        });
        let source_time = batch.samples.first().map(|sample| sample.source_time);
        self.knowledge.pass_time(message.receive_time);
        self.batch = self.knowledge.learn(batch);
        self.follow();
        (outcome, source_time)
    }

    /// What comes of one message that is known without its bytes. None of them can be told to an overlay with faults of links.
    pub fn samples_of_message(&mut self, samples: &[Sample]) {
        let mut batch = self.empty_batch();
        batch.add(|all| all.extend_from_slice(samples));
        self.batch = self.knowledge.learn(batch);
        self.follow();
    }

    fn empty_batch(&mut self) -> Batch {
        let Batch { mut samples, mut ends, mut whole, .. } = std::mem::take(&mut self.batch);
        samples.clear();
        ends.clear();
        whole.clear();
        Batch { generation: GENERATION, samples, ends, whole, ..Batch::default() }
    }

    /// The samples of one message, all of one receive time.
    pub fn samples(&mut self, samples: Vec<Sample>) {
        self.knowledge.learn(Batch::of_message(GENERATION, samples));
        self.follow();
    }

    /// The connection to a broker was made, or lost.
    pub fn connection(&mut self, broker: &str, is_connected: bool, event: Option<Kind>, at: Timestamp) {
        self.knowledge.connection(broker, is_connected, event, at);
        self.follow();
    }

    /// An operator does one thing to some alarms; those that refuse say why.
    pub fn act(&mut self, alarms: &[AlarmPath], action: &Action, deed: &Deed) -> Vec<(AlarmPath, Refusal)> {
        let refused = self.knowledge.act(alarms, action, deed);
        self.follow();
        refused
    }

    /// Does what an operator did in a recorded session. An alarm that refuses it in this scene stays as it is, and
    /// nothing is put on record: it was no deed of this run.
    pub fn repeat(&mut self, alarm: &AlarmPath, action: &Action, deed: &Deed) {
        self.knowledge.repeat(alarm, action, deed);
        self.follow();
    }

    /// Lays a fault over what comes, as an operator does at `at`; not earlier than the message before. Its onset counts
    /// from then. Takes its place after the messages of that time.
    pub fn lay(&mut self, fault: WrittenFault, by: &str, reason: &str, at: Timestamp) -> Result<(), Vec<String>> {
        self.knowledge.lay(fault, by, reason, || at)
    }

    /// Does once more what an operator did in a recorded session.
    pub fn lay_again(
        &mut self,
        fault: &WrittenFault,
        by: &str,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), Vec<String>> {
        self.knowledge.lay_again(fault, by, reason, at)
    }

    /// Takes a fault off again, or all.
    pub fn lift(&mut self, id: Option<&str>, by: &str, at: Timestamp) -> Result<(), String> {
        self.knowledge.lift(id, by, at)
    }

    /// The same for two runs with the same faults over the same data: of the world with the faults, or of the last one that
    /// there was.
    pub fn overlay_hash(&self) -> Option<RunHash> {
        let overlay = self.knowledge.overlay()?;
        let world = overlay.analysis.lock();
        let mut events = hash::EventDigest::default();
        events.follow(world.chronicle().journal());
        Some(RunHash::of(&world, &events))
    }

    /// Begins with what a keyframe knew, before the first message: values, alarms as they stood, the memory of
    /// producers.
    pub fn begin_with(&mut self, keyframe: &Keyframe) {
        self.knowledge.begin_with(keyframe);
        self.follow();
    }

    /// What producers do not wait for is on record: its answers come as [`Run::samples`], and nothing is computed.
    pub fn answers_are_on_record(&mut self) {
        self.knowledge.answers_are_on_record();
    }

    /// Puts something else on record.
    pub fn record(&mut self, draft: Draft) {
        self.knowledge.record(draft);
        self.follow();
    }

    /// All that is due at or before `to` is carried out.
    pub fn pass_time(&mut self, to: Timestamp) {
        self.knowledge.pass_time(to);
        self.follow();
    }

    /// Events after the one with this number, in order.
    pub fn events_after(&self, id: u64) -> impl Iterator<Item = &Arc<Event>> {
        self.knowledge.chronicle().journal().after(id)
    }

    /// From now on what becomes known is kept until it is [taken](Run::take_conclusions).
    pub fn keep_conclusions(&mut self) {
        self.knowledge.keep_conclusions();
    }

    /// Events, forecasts and answers of costly producers since the last call, in order: what a recording holds beside
    /// messages.
    pub fn take_conclusions(&mut self) -> Vec<Conclusion> {
        self.knowledge.take_conclusions()
    }

    /// From now on samples of these signals are kept until they are [taken](Run::take_heard).
    pub fn listen_in(&mut self, signals: &[SignalIndex]) {
        self.knowledge.listen_in(signals);
    }

    /// Samples of the signals that are listened to since the last call, in the order in which they were learnt.
    pub fn take_heard(&mut self) -> Vec<Sample> {
        self.knowledge.take_heard()
    }

    /// The same for two runs that were given the same: covers every sample in order, every event, the states of alarms
    /// and the memory of producers; not who acted, what file was read, or when that was.
    pub fn hash(&self) -> RunHash {
        RunHash::of(&self.knowledge, &self.events)
    }

    fn follow(&mut self) {
        self.events.follow(self.knowledge.chronicle().journal());
    }
}

#[cfg(test)]
mod overlay_tests;
