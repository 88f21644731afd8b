//! Live data as they would be with faults: a second world, beside the true one. In: what the true world learns, message by
//! message and in the same order, faults, time. Out: a [`Knowledge`] of its own. Changes nothing of the true one, and owns no
//! horn, no store, no recording and no publisher: nothing of it is heard, kept or sent.
//!
//! ```text
//! message ─┬─────────────────────────────────────────────► true world: history, alarms, journal
//!          └► link faults (its bytes) ─► decode ─┐
//!          └► (its samples, if no link fault     ├► sensor faults ─► producers ─► alarms of this world
//!              is on its topic) ─────────────────┘
//! ```
//!
//! It begins, with the first fault, with what the true world knows at that place in the one order, and is as if the faults
//! acted from there on. It ends at once with the last fault; its history can be looked at after that. What is held back by a
//! fault comes when it is due, at its own time, however late time is passed on.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Analysis, Knowledge};
use crate::fault::{self, Fault, LinkFaults, SensorFaults, WrittenFault};
use crate::history::History;
use crate::ingest::{Message, Tables};
use crate::scene::{Scene, SignalSource, faults};
use crate::source::{Batch, BatchMessage};
use crate::value::{Origin, Quality, Sample, Shift, SignalIndex, Timestamp, Value};

/// Of what is random in faults: the same faults on the same data give the same bits.
const SEED: u64 = 1;
/// Samples that are held back at most.
const MOST_HELD: usize = 1 << 18;
/// Messages that faults of links keep at most, and bytes of their payloads.
const MOST_KEPT: (usize, usize) = (1 << 18, 64 << 20);
/// Messages between two looks at that.
const LOOK_EVERY: u64 = 256;

/// A fault that lies over live data.
#[derive(Clone, PartialEq, Debug)]
pub struct Laid {
    /// Its course is in live time.
    pub fault: WrittenFault,
    pub by: String,
    pub reason: String,
    /// Since when it is set; its course says when it acts.
    pub since: Timestamp,
    /// Samples or messages that it has changed, held back, lost or added.
    pub acted: u64,
}

/// The world of an overlay, for views.
#[derive(Clone, Debug)]
pub struct OverlayView {
    /// Its knowledge. Where both are needed, that of the true world is locked first.
    pub analysis: Analysis,
    pub since: Timestamp,
    /// When its last fault was cleared; none while there are some.
    pub until: Option<Timestamp>,
    /// Signals that may be other than they are in truth.
    pub concerned: Arc<BTreeSet<SignalIndex>>,
}

#[derive(Debug)]
pub(super) struct Overlay {
    scene: Arc<Scene>,
    generation: u32,
    list: Vec<(Laid, Fault)>,
    link: LinkFaults,
    sensor: SensorFaults,
    tables: Tables,
    pub view: OverlayView,
    /// Whole messages that came.
    sent: u64,
}

impl Overlay {
    /// Over a world that begins with what the true one knows at `at`.
    pub fn begin(scene: Arc<Scene>, generation: u32, world: Knowledge, at: Timestamp) -> Self {
        let view = OverlayView { analysis: Analysis::of(world), since: at, until: None, concerned: Arc::default() };
        let tables = Tables::new(scene.clone(), generation);
        let (link, sensor) = (LinkFaults::new(SEED), SensorFaults::new(SEED));
        Self { scene, generation, list: Vec::new(), link, sensor, tables, view, sent: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All faults, in the order in which they act.
    pub fn list(&self) -> impl Iterator<Item = Laid> {
        let acted = |id: &str| self.link.acted().chain(self.sensor.acted()).find(|(of, _)| *of == id);
        self.list
            .iter()
            .map(move |(laid, _)| Laid { acted: acted(&laid.fault.id).map_or(0, |(_, acted)| acted), ..laid.clone() })
    }

    /// Adds a fault behind the others, or puts it in the place of the one of its id.
    pub fn lay(&mut self, laid: Laid, fault: Fault, at: Timestamp) {
        match self.list.iter_mut().find(|(known, _)| known.fault.id == laid.fault.id) {
            Some(known) => *known = (laid, fault),
            None => self.list.push((laid, fault)),
        }
        self.set(at);
    }

    /// Takes faults off. Where they are cleared, `truth` is given: the signals that no other fault is on are as they are in
    /// truth at once, and do not wait for their next samples as after a course that is over.
    pub fn lift(&mut self, is_gone: impl Fn(&Laid) -> bool, at: Timestamp, truth: Option<&History>) -> Vec<Laid> {
        let before = std::mem::take(&mut self.list);
        let (gone, left): (Vec<_>, Vec<_>) = before.into_iter().partition(|(laid, _)| is_gone(laid));
        self.list = left;
        self.set(at);
        let concerned = |list: &[(Laid, Fault)]| faults::concerned(list.iter().map(|(_, fault)| fault), &self.scene);
        let free = &concerned(&gone) - &concerned(&self.list);
        let restored = |truth| free.iter().filter_map(|signal| self.restored(*signal, at, truth)).collect();
        let restored: Vec<Sample> = truth.map(restored).unwrap_or_default();
        self.tell(restored);
        gone.into_iter().map(|(laid, _)| laid).collect()
    }

    /// What is true of a bound signal now, where something else is shown: as new as can be, so that alarms judge it.
    fn restored(&self, signal: SignalIndex, at: Timestamp, truth: &History) -> Option<Sample> {
        if !matches!(self.scene.signals.get(signal.at())?.source, SignalSource::Mqtt(_)) {
            return None;
        }
        let point = truth.latest_known(signal, at)?;
        let shown = self.view.analysis.lock().history.latest_known(signal, at);
        let is_other = |value: &Value, quality: Quality| match (value, &point.value) {
            (Value::Number(a), Value::Number(b)) => a.to_bits() != b.to_bits() || quality != point.quality,
            (a, b) => a != b || quality != point.quality,
        };
        if shown.as_ref().is_some_and(|shown| !is_other(&shown.value, shown.quality)) {
            return None;
        }
        let newest = shown.map_or(point.source_time, |shown| shown.source_time.max(point.source_time));
        let source_time = Timestamp(newest.0.saturating_add(1)).min(at);
        let (value, quality, origin) = (point.value, point.quality, Origin::Simulated);
        Some(Sample { signal, source_time, receive_time: at, value, quality, origin })
    }

    /// The faults are others from `at` on. What those held back that are gone comes at once.
    fn set(&mut self, at: Timestamp) {
        self.pass_time(at);
        let list: Vec<Fault> = self.list.iter().map(|(_, fault)| fault.clone()).collect();
        let (mut samples, mut messages) = (Vec::new(), Vec::new());
        self.sensor.set(&list, at, &mut samples);
        self.tell(samples);
        self.link.set(&list, at, &mut messages);
        messages.into_iter().for_each(|message| self.arrive(&message));
        let concerned = faults::concerned(&list, &self.scene);
        self.view.concerned = Arc::new(&concerned | &self.view.concerned);
    }

    /// When the first of them is over by itself.
    pub fn next_end(&self) -> Option<Timestamp> {
        self.list.iter().filter_map(|(_, fault)| fault.course.end()).min()
    }

    /// When there is something to do, if nothing comes.
    pub fn next_look(&self) -> Option<Timestamp> {
        let world = self.view.analysis.lock().next_due();
        [self.sensor.next_release(), self.link.next_release(), world].into_iter().flatten().min()
    }

    /// The true world has learnt a message.
    pub fn message(&mut self, message: BatchMessage<'_>) {
        self.pass_time(message.received());
        // Sources may send more of them whole, for a fault that was or will be: it is as if they did not.
        let Some(whole) = message.whole.filter(|whole| self.wants_whole(&whole.broker, &whole.topic)) else {
            return self.read(message.samples.to_vec());
        };
        self.sent += 1;
        let mut arrived = Vec::new();
        self.link.send(whole.clone(), &mut arrived);
        let mut is_first = true;
        for message_there in arrived {
            let is_true = std::mem::take(&mut is_first)
                && message_there == *whole
                && self.link.clock_shift(&whole.broker, &whole.topic, whole.time) == Shift::NONE;
            match is_true {
                true => self.read(message.samples.to_vec()),
                false => self.arrive(&message_there),
            }
        }
    }

    /// Messages of a topic are needed with their bytes.
    pub fn wants_whole(&self, broker: &str, topic: &str) -> bool {
        self.list.iter().any(|(_, fault)| match &fault.defect {
            fault::Defect::Link { broker: only, topics, .. } => {
                only.as_deref().is_none_or(|only| only == broker)
                    && topics.iter().any(|filter| crate::ingest::matches(filter, topic))
            }
            _ => false,
        })
    }

    /// All that is due at or before `to`.
    pub fn pass_time(&mut self, to: Timestamp) {
        loop {
            let due = [self.sensor.next_release(), self.link.next_release()].into_iter().flatten().min();
            let Some(due) = due.filter(|due| *due <= to) else { break };
            let (mut samples, mut messages) = (Vec::new(), Vec::new());
            // What a sensor holds came before.
            self.sensor.release(due, &mut samples);
            self.tell(samples);
            self.link.release(due, &mut messages);
            messages.into_iter().for_each(|message| self.arrive(&message));
        }
        self.view.analysis.lock().pass_time(to);
    }

    /// A message arrives other than it was sent, or later.
    fn arrive(&mut self, message: &fault::Message) {
        let clock = self.link.clock_shift(&message.broker, &message.topic, message.time);
        self.link.has_shifted(&message.broker, &message.topic, message.time);
        let said = Message {
            topic: &message.topic,
            payload: &message.payload,
            retained: message.from_store,
            qos: message.qos,
            receive_time: message.time,
        };
        let mut samples = Vec::new();
        self.tables.of(&message.broker).decode_shifted(&said, clock, &mut samples);
        samples.iter_mut().for_each(|sample| sample.origin = sample.origin.max(Origin::Simulated));
        self.read(samples);
    }

    /// The samples of one message come to the sensor faults.
    fn read(&mut self, samples: Vec<Sample>) {
        if self.sensor.is_empty() {
            return self.tell(samples);
        }
        let mut shown = Vec::with_capacity(samples.len());
        samples.into_iter().for_each(|sample| self.sensor.take(sample, &mut shown));
        self.tell(shown);
    }

    /// The world learns samples; those of one receive time are one message.
    fn tell(&mut self, samples: Vec<Sample>) {
        let mut world = self.view.analysis.lock();
        for message in samples.chunk_by(|a, b| a.receive_time == b.receive_time) {
            world.learn(Batch::of_message(self.generation, message.to_vec()));
        }
    }

    /// Whether it keeps more than there is memory for.
    pub fn is_too_much(&self) -> bool {
        let (messages, bytes) = match self.sent % LOOK_EVERY {
            0 if !self.link.is_empty() => self.link.kept(),
            _ => (0, 0),
        };
        self.sensor.held() > MOST_HELD || messages > MOST_KEPT.0 || bytes > MOST_KEPT.1
    }

    /// Another scene takes over. Gives the faults that it cannot have. Where signals have other indices, faults begin anew.
    pub fn adopt(&mut self, scene: &Arc<Scene>, generation: u32, at: Timestamp) -> Vec<Laid> {
        let old = std::mem::take(&mut self.list);
        let (mut list, mut gone) = (Vec::new(), Vec::new());
        for (laid, _) in &old {
            match faults::resolve(&laid.fault, scene) {
                Ok(fault) => list.push((laid.clone(), fault)),
                Err(_) => gone.push(laid.clone()),
            }
        }
        if !list.iter().map(|(_, fault)| fault).eq(old.iter().map(|(_, fault)| fault)) {
            // What is held back is of the old indices.
            self.set(at);
        }
        let map = self.view.analysis.lock().adopt(scene.clone(), generation, at);
        let today = self.view.concerned.iter().filter_map(|signal| *map.get(signal.at())?);
        self.view.concerned = Arc::new(today.collect());
        self.tables = Tables::new(scene.clone(), generation);
        (self.scene, self.generation, self.list) = (scene.clone(), generation, list);
        self.set(at);
        gone
    }
}
