//! The faults of a plant, where each layer acts. In: a list of faults, readings, messages, time in nanoseconds from the start.
//! Out: adjustments of the network, readings and messages as they are with the faults. Decides nothing on its own.

use std::sync::Arc;

use bytes::Bytes;

use super::Emit;
use crate::fault::{self, Fault, LinkFaults, ProcessFaults, SensorFaults};
use crate::network::{Adjustment, Target};
use crate::value::{Origin, Quality, Sample, Shift, SignalIndex, Timestamp, Value};

/// Of the layout of [`Defects::to_bytes`].
const VERSION: u8 = 1;

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Defects {
    list: Vec<Fault>,
    process: ProcessFaults,
    sensor: SensorFaults,
    link: LinkFaults,
    /// Messages that a fault let go when it was cleared.
    freed: Vec<fault::Message>,
}

/// What became of a reading: values by signal, in order; or it was lost.
pub(super) struct Read {
    pub shown: Vec<(SignalIndex, Value)>,
    pub is_lost: bool,
}

impl Defects {
    pub fn new(seed: u64) -> Self {
        Self {
            list: Vec::new(),
            process: ProcessFaults::default(),
            sensor: SensorFaults::new(seed),
            link: LinkFaults::new(seed),
            freed: Vec::new(),
        }
    }

    pub fn list(&self) -> &[Fault] {
        &self.list
    }

    /// Sets all faults, in the order in which they act; gives the readings that those which are gone held back.
    pub fn set(&mut self, list: Vec<Fault>, time: u64) -> Vec<(SignalIndex, Value)> {
        let mut samples = Vec::new();
        self.process.set(&list);
        self.sensor.set(&list, at(time), &mut samples);
        self.link.set(&list, at(time), &mut self.freed);
        self.list = list;
        shown(samples)
    }

    /// When adjustments change, or a message that is held back leaves, after a time.
    pub fn next_look(&self, time: u64) -> Option<u64> {
        self.process.next_look(at(time)).map(nanos)
    }

    pub fn next_release(&self) -> Option<u64> {
        if self.freed.is_empty() { self.link.next_release().map(nanos) } else { Some(0) }
    }

    /// The adjustments for a time; `read` tells what an input has with those that it is given.
    pub fn look(&mut self, time: u64, read: &mut dyn FnMut(&[Adjustment], Target) -> f64) -> Vec<Adjustment> {
        self.process.look(at(time), read)
    }

    /// Whether a sensor has a fault.
    pub fn concern_readings(&self) -> bool {
        !self.sensor.is_empty()
    }

    /// An instrument has read a value.
    pub fn read(&mut self, signal: SignalIndex, value: Value, time: u64) -> Read {
        let (mut before, mut samples) = (Vec::new(), Vec::new());
        self.sensor.release(at(time), &mut before);
        let held = self.sensor.held();
        let sample = Sample {
            signal,
            source_time: at(time),
            receive_time: at(time),
            value,
            quality: Quality::GOOD,
            origin: Origin::Simulated,
        };
        self.sensor.take(sample, &mut samples);
        let is_lost = samples.is_empty() && self.sensor.held() <= held;
        before.append(&mut samples);
        Read { shown: shown(before), is_lost }
    }

    /// By how much the clock of who sends a topic is wrong.
    pub fn clock_shift(&self, broker: &str, topic: &str, time: u64) -> Shift {
        if self.link.is_empty() { Shift(0) } else { self.link.clock_shift(broker, topic, at(time)) }
    }

    /// A message is sent; what arrives now is emitted.
    pub fn send(&mut self, message: super::Message<'_>, emit: &mut Emit<'_>) {
        let mut out = Vec::new();
        let sent = fault::Message {
            time: at(message.time),
            broker: Arc::from(message.broker),
            topic: Arc::from(message.topic),
            payload: Bytes::copy_from_slice(message.payload),
            retained: message.retain,
            qos: message.qos,
        };
        self.link.send(sent, &mut out);
        deliver(&out, emit);
    }

    /// What was held back, and is due, is emitted.
    pub fn release(&mut self, until: u64, emit: &mut Emit<'_>) {
        let mut out = std::mem::take(&mut self.freed);
        self.link.release(at(until), &mut out);
        deliver(&out, emit);
    }

    /// What it remembers; nothing where there is no fault.
    pub fn to_bytes(&self) -> Vec<u8> {
        if self.list.is_empty() {
            return Vec::new();
        }
        let list = serde_json::to_vec(&self.list).unwrap_or_default();
        let mut to = vec![VERSION];
        for part in [list, self.process.to_bytes(), self.sensor.to_bytes(), self.link.to_bytes()] {
            to.extend((part.len() as u64).to_le_bytes());
            to.extend(part);
        }
        to
    }

    /// Goes on from what [`to_bytes`](Self::to_bytes) wrote.
    pub fn restored(seed: u64, bytes: &[u8]) -> Option<Self> {
        let mut defects = Self::new(seed);
        let Some((version, mut rest)) = bytes.split_first() else { return Some(defects) };
        if *version != VERSION {
            return None;
        }
        let mut parts = Vec::new();
        while let Some((length, behind)) = rest.split_first_chunk() {
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            let (part, behind) = behind.split_at_checked(length)?;
            parts.push(part);
            rest = behind;
        }
        let [list, process, sensor, link] = parts[..] else { return None };
        defects.set(serde_json::from_slice(list).ok()?, 0);
        defects.freed.clear();
        defects.process.restore(process).ok()?;
        defects.sensor.restore(sensor).ok()?;
        defects.link.restore(link).ok()?;
        Some(defects)
    }
}

fn at(time: u64) -> Timestamp {
    Timestamp(i64::try_from(time).unwrap_or(i64::MAX))
}

fn nanos(time: Timestamp) -> u64 {
    u64::try_from(time.0).unwrap_or(0)
}

fn shown(samples: Vec<Sample>) -> Vec<(SignalIndex, Value)> {
    samples.into_iter().map(|sample| (sample.signal, sample.value)).collect()
}

fn deliver(messages: &[fault::Message], emit: &mut Emit<'_>) {
    for message in messages {
        emit(super::Message {
            time: nanos(message.time),
            broker: &message.broker,
            topic: &message.topic,
            payload: &message.payload,
            retain: message.retained,
            qos: message.qos,
        });
    }
}
