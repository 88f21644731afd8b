//! The faults of a plant, where each layer acts. In: a list of faults, readings, messages, time in nanoseconds from the start.
//! Out: adjustments of the network, readings and messages as they are with the faults. Decides nothing on its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::store::{self, RestoreError};
use super::{Emit, Message};
use crate::fault::{self, Downstream, Fault, Layer, LinkFaults, ProcessFaults, SensorFaults};
use crate::ingest::Topic;
use crate::network::{Adjustment, Target};
use crate::value::{Origin, Quality, Sample, Shift, SignalIndex, Timestamp, Value};

/// Of the layout of [`Defects::to_bytes`].
const VERSION: u8 = 2;

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Defects {
    list: Vec<Fault>,
    process: ProcessFaults,
    sensor: SensorFaults,
    link: LinkFaults,
    /// Messages that a fault let go when it was cleared.
    freed: Vec<fault::Message>,
    /// What instruments would show without faults, where they may show something else; none for nothing.
    sound: BTreeMap<SignalIndex, Option<Value>>,
}

/// What instruments show from now on, in order; none for a reading that is lost.
#[derive(Debug, Default)]
pub(super) struct Shown(pub Vec<(SignalIndex, Option<Value>)>);

impl Downstream for Shown {
    fn comes(&mut self, sample: Sample) {
        self.0.push((sample.signal, Some(sample.value)));
    }

    fn is_lost(&mut self, signal: SignalIndex, _: Timestamp) {
        self.0.push((signal, None));
    }
}

impl Defects {
    pub fn new(seed: u64) -> Self {
        Self {
            list: Vec::new(),
            process: ProcessFaults::default(),
            sensor: SensorFaults::new(seed),
            link: LinkFaults::new(seed),
            freed: Vec::new(),
            sound: BTreeMap::new(),
        }
    }

    pub fn list(&self) -> &[Fault] {
        &self.list
    }

    /// Sets all faults, in the order in which they act; gives the readings that those which are gone held back.
    pub fn set(&mut self, list: Vec<Fault>, time: u64) -> Shown {
        let mut shown = Shown::default();
        self.process.set(&list);
        self.sensor.set(&list, at(time), &mut shown);
        self.link.set(&list, at(time), &mut self.freed);
        self.list = list;
        shown
    }

    /// The same with all that it remembers, in another scene: `list` are the same faults there, in the same order, `signal`
    /// gives a signal of this scene there.
    pub fn moved(&self, list: Vec<Fault>, signal: &dyn Fn(SignalIndex) -> Option<SignalIndex>) -> Self {
        let sound = self.sound.iter().filter_map(|(at, value)| Some((signal(*at)?, value.clone())));
        Self {
            process: self.process.moved(&list),
            sensor: self.sensor.moved(&list, signal),
            link: self.link.clone(),
            freed: self.freed.clone(),
            sound: sound.collect(),
            list,
        }
    }

    /// How often each fault has acted, in their order.
    pub fn acted(&self) -> impl Iterator<Item = (&Fault, u64)> {
        let (mut process, mut sensor, mut link) = (self.process.acted(), self.sensor.acted(), self.link.acted());
        self.list.iter().map(move |fault| {
            let next = match fault.layer() {
                Layer::Process => process.next(),
                Layer::Sensor => sensor.next(),
                Layer::Link => link.next(),
            };
            (fault, next.map_or(0, |(_, acted)| acted))
        })
    }

    /// When adjustments change, after a time.
    pub fn next_look(&self, time: u64) -> Option<u64> {
        self.process.next_look(at(time)).map(nanos)
    }

    /// When a reading or a message that is held back leaves, or a fault of a sensor ends after a time.
    pub fn next_release(&self, time: u64) -> Option<u64> {
        let freed = (!self.freed.is_empty()).then_some(0);
        let held = [self.link.next_release(), self.sensor.next_release(), self.sensor.next_end(at(time))];
        held.into_iter().flatten().map(nanos).chain(freed).min()
    }

    /// The adjustments for a time; `read` tells what a target has with those that it is given.
    pub fn look(&mut self, time: u64, read: &mut dyn FnMut(&[Adjustment], Target) -> f64) -> Vec<Adjustment> {
        self.process.look(at(time), read)
    }

    /// Whether a sensor has a fault.
    pub fn concern_readings(&self) -> bool {
        !self.sensor.is_empty()
    }

    /// An instrument has read a value.
    pub fn read(&mut self, signal: SignalIndex, value: Value, time: u64) -> Shown {
        let mut shown = Shown::default();
        if self.sensor.concerns(signal) {
            self.sound.insert(signal, Some(value.clone()));
        }
        let (source_time, receive_time) = (at(time), at(time));
        let (quality, origin) = (Quality::GOOD, Origin::Simulated);
        self.sensor.take(Sample { signal, source_time, receive_time, value, quality, origin }, &mut shown);
        shown
    }

    /// Readings that were held back, and are due.
    pub fn release_readings(&mut self, until: u64) -> Shown {
        let mut shown = Shown::default();
        self.sensor.release(at(until), &mut shown);
        shown
    }

    /// An instrument is about to show what a fault makes of it; it shows `sound`, unless a fault has changed that already.
    pub fn keep_sound(&mut self, signal: SignalIndex, sound: &Option<Value>) {
        if self.sensor.concerns(signal) {
            self.sound.entry(signal).or_insert_with(|| sound.clone());
        }
    }

    /// What instruments show that no fault is on any more.
    pub fn settle(&mut self, time: u64) -> Shown {
        let sensor = &self.sensor;
        let is_settled = |signal: &SignalIndex, _: &mut Option<Value>| !sensor.is_on(*signal, at(time));
        Shown(self.sound.extract_if(.., is_settled).collect())
    }

    /// By how much the clock of who sends a topic is wrong.
    pub fn clock_shift(&self, broker: &str, topic: &str, time: u64) -> Shift {
        if self.link.is_empty() { Shift(0) } else { self.link.clock_shift(broker, topic, at(time)) }
    }

    /// A message says a wrong time because of that.
    pub fn has_shifted(&mut self, broker: &str, topic: &str, time: u64) {
        self.link.has_shifted(broker, topic, at(time));
    }

    /// Whether a fault of a link is on a topic.
    pub fn concern(&self, topic: &Topic) -> bool {
        self.link.concerns(&topic.broker, &topic.name)
    }

    /// A message is sent; what arrives now is emitted. All that was due before has left.
    pub fn send(&mut self, message: Message<'_>, emit: &mut Emit<'_>) {
        let Message { broker, topic, payload, retain, from_store, qos, time, .. } = message;
        if !self.link.concerns(broker, topic) {
            self.link.remember(broker, topic, payload, retain, qos);
            return emit(message);
        }
        let (broker, topic, payload) = (Arc::from(broker), Arc::from(topic), Bytes::copy_from_slice(payload));
        let mut out = Vec::new();
        let sent = fault::Message { time: at(time), broker, topic, payload, retain, from_store, qos };
        self.link.send(sent, &mut out);
        deliver(&out, emit);
    }

    /// What was held back, and is due, is emitted.
    pub fn release(&mut self, until: u64, emit: &mut Emit<'_>) {
        let mut out = std::mem::take(&mut self.freed);
        self.link.release(at(until), &mut out);
        deliver(&out, emit);
    }

    /// All that it remembers; nothing where there is nothing yet.
    pub fn to_bytes(&self) -> Vec<u8> {
        if self.list.is_empty() && self.freed.is_empty() && self.sound.is_empty() && self.link.is_blank() {
            return Vec::new();
        }
        let list = serde_json::to_vec(&self.list).unwrap_or_default();
        let mut to = vec![VERSION];
        for part in [list, self.process.to_bytes(), self.sensor.to_bytes(), self.link.to_bytes()] {
            store::write_bytes(&mut to, &part);
        }
        store::write_number(&mut to, self.sound.len() as u64);
        for (signal, value) in &self.sound {
            store::write_number(&mut to, u64::from(signal.0));
            store::write_value(&mut to, value.as_ref());
        }
        store::write_number(&mut to, self.freed.len() as u64);
        for fault::Message { time, broker, topic, payload, retain, from_store, qos } in &self.freed {
            store::write_number(&mut to, nanos(*time));
            for bytes in [broker.as_bytes(), topic.as_bytes(), payload] {
                store::write_bytes(&mut to, bytes);
            }
            to.extend([u8::from(*retain), u8::from(*from_store), *qos]);
        }
        to
    }

    /// Goes on from what [`to_bytes`](Self::to_bytes) wrote at a time; `are_possible` tells whether faults and signals are
    /// those of the scene.
    pub fn restored(
        (seed, time): (u64, u64),
        bytes: &[u8],
        are_possible: &dyn Fn(&[Fault], &[SignalIndex]) -> bool,
    ) -> Result<Self, RestoreError> {
        const DAMAGED: RestoreError = RestoreError::Damaged;
        let mut defects = Self::new(seed);
        let Some((version, mut from)) = bytes.split_first() else { return Ok(defects) };
        if *version != VERSION {
            return Err(DAMAGED);
        }
        let from = &mut from;
        let list: Vec<Fault> = serde_json::from_slice(store::bytes(from)?).map_err(|_| DAMAGED)?;
        let parts = [store::bytes(from)?, store::bytes(from)?, store::bytes(from)?];
        for _ in 0..store::number(from)? {
            let signal = SignalIndex(u32::try_from(store::number(from)?).map_err(|_| DAMAGED)?);
            defects.sound.insert(signal, store::value(from)?);
        }
        let signals: Vec<SignalIndex> = defects.sound.keys().copied().collect();
        if !are_possible(&list, &signals) {
            return Err(DAMAGED);
        }
        defects.set(list, time);
        defects.freed.clear();
        for _ in 0..store::number(from)? {
            let moment = at(store::time(from, time)?);
            let (broker, topic) = (Arc::from(store::text(from)?), Arc::from(store::text(from)?));
            let payload = Bytes::copy_from_slice(store::bytes(from)?);
            let [retain, from_store, qos] = store::take(from)?;
            if retain > 1 || from_store > 1 || qos > 2 {
                return Err(DAMAGED);
            }
            let (retain, from_store) = (retain == 1, from_store == 1);
            defects.freed.push(fault::Message { time: moment, broker, topic, payload, retain, from_store, qos });
        }
        let restored = defects.process.restore(parts[0]).and_then(|()| defects.sensor.restore(parts[1]));
        restored.and_then(|()| defects.link.restore(parts[2])).map_err(|_| DAMAGED)?;
        // Whatever was due before has left.
        let next = [defects.link.next_release(), defects.sensor.next_release()].into_iter().flatten().min();
        let is_whole = from.is_empty() && next.is_none_or(|next| next >= at(time));
        if is_whole { Ok(defects) } else { Err(DAMAGED) }
    }
}

fn at(time: u64) -> Timestamp {
    Timestamp(i64::try_from(time).unwrap_or(i64::MAX))
}

fn nanos(time: Timestamp) -> u64 {
    u64::try_from(time.0).unwrap_or(0)
}

fn deliver(messages: &[fault::Message], emit: &mut Emit<'_>) {
    for message in messages {
        emit(Message {
            time: nanos(message.time),
            broker: &message.broker,
            topic: &message.topic,
            payload: &message.payload,
            samples: None,
            retain: message.retain,
            from_store: message.from_store,
            qos: message.qos,
        });
    }
}
