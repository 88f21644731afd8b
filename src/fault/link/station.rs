//! One fault of a link. In: messages. Out: the same as they arrive. Reads no clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::{LinkEffect, Message};
use crate::fault::chain::{Held, Passing, Station};
use crate::fault::course::{Bout, later};
use crate::fault::store::{Reader, RestoreError, Writer};
use crate::fault::{Defect, Fault};
use crate::value::{Stream, Timestamp, topic};

#[derive(Clone, PartialEq, Debug)]
pub(super) struct LinkStation {
    fault: Fault,
    seed: u64,
    broker: Option<String>,
    filters: Vec<String>,
    pub(super) effect: LinkEffect,
    memory: Memory,
}

/// A topic of a broker.
pub(super) type Channel = (Arc<str>, Arc<str>);

#[derive(Clone, PartialEq, Debug, Default)]
struct Memory {
    /// Messages of each topic that came while it was active.
    counts: BTreeMap<Channel, u64>,
    /// Those that it has changed, held back, lost or added.
    acted: u64,
    held: Held<Message>,
    /// The beginning of the last bout at which old messages came again, and when they come next.
    repeated: Option<Timestamp>,
    repeats: Option<Timestamp>,
}

impl Passing for Message {
    fn leave(&mut self, at: Timestamp) {
        self.time = at;
    }
}

/// Whether a fault of a link, on topics that match any of the filters at one broker or at all, is on a topic.
pub(in crate::fault) fn is_on_topic((only, filters): (Option<&str>, &[String]), broker: &str, name: &str) -> bool {
    only.is_none_or(|only| only == broker) && filters.iter().any(|filter| topic::matches(filter, name))
}

impl LinkStation {
    /// None for a fault that is not of a link.
    pub(super) fn new(fault: &Fault, seed: u64) -> Option<Self> {
        let Defect::Link { broker, topics, effect } = &fault.defect else { return None };
        let (broker, filters) = (broker.clone(), topics.clone());
        Some(Self { fault: fault.clone(), seed, broker, filters, effect: *effect, memory: Memory::default() })
    }

    pub(super) fn concerns(&self, broker: &str, name: &str) -> bool {
        is_on_topic((self.broker.as_deref(), &self.filters), broker, name)
    }

    /// Whether no message passes now.
    pub(super) fn cuts(&self, message: &Message) -> bool {
        self.effect == LinkEffect::Disconnect {}
            && self.fault.course.is_active(message.time)
            && self.concerns(&message.broker, &message.topic)
    }

    pub(super) fn count(&mut self, acted: u64) {
        self.memory.acted = self.memory.acted.wrapping_add(acted);
    }

    pub(super) fn acted(&self) -> u64 {
        self.memory.acted
    }

    /// How much a sender's clock is ahead at a time, in nanoseconds.
    pub(super) fn clock_shift(&self, broker: &str, topic: &str, time: Timestamp) -> i64 {
        match self.effect {
            LinkEffect::ClockSkew { by } if self.fault.course.is_active(time) && self.concerns(broker, topic) => {
                (self.fault.course.intensity(time) * by * 1e9).round() as i64
            }
            _ => 0,
        }
    }

    /// When old messages come again.
    pub(super) fn repeats(&self) -> Option<Timestamp> {
        self.memory.repeats
    }

    /// Finds out when old messages come again, from a time on.
    pub(super) fn plan(&mut self, at: Timestamp) {
        let course = self.fault.course;
        self.memory.repeats = match (self.effect, course.bout(at)) {
            (LinkEffect::StaleRetained {}, Some(bout)) if self.memory.repeated != Some(bout.from) => Some(at),
            (LinkEffect::StaleRetained {}, _) => course.next_onset(at),
            _ => None,
        };
    }

    /// Old messages have come again.
    pub(super) fn has_repeated(&mut self, at: Timestamp) {
        self.memory.repeated = self.fault.course.bout(at).map(|bout| bout.from);
        self.memory.repeats = self.fault.course.next_onset(at);
    }

    fn draws(&self, message: &Message, what: &str) -> Stream {
        let what = format!("{} {what} {} {}", self.effect.name(), message.broker, message.topic);
        Stream::new(self.seed, &self.fault.id, &what)
    }

    /// So many seconds after a message came, but not after the end of the bout.
    fn late(message: &Message, bout: Bout, secs: f64) -> Timestamp {
        // A float saturates into an integer, and NaN is 0.
        let due = later(message.time.0, (secs * 1e9).round() as u64);
        bout.until.map_or(due, |until| due.min(until))
    }

    /// Holds a message until a time, or lets it pass where that has come.
    fn hold(&mut self, due: Timestamp, message: Message, on: &mut Vec<Message>) {
        if due <= message.time {
            return on.push(message);
        }
        self.count(1);
        self.memory.held.hold(due, message);
    }

    /// A message that the fault acts on.
    fn act(&mut self, mut message: Message, bout: Bout, on: &mut Vec<Message>) {
        let count = self.memory.counts.entry(message.channel()).or_default();
        let number = *count;
        *count = count.wrapping_add(1);
        let now = message.time;
        let intensity = self.fault.course.risen(bout.passed(now));
        let happens = |station: &Self, share| station.draws(&message, "happens").chance(number, intensity * share);
        match self.effect {
            // The whole chain asks for those: see `LinkFaults`.
            LinkEffect::Disconnect {} | LinkEffect::ClockSkew { .. } | LinkEffect::StaleRetained {} => on.push(message),
            LinkEffect::Latency { by } => {
                let due = Self::late(&message, bout, intensity * by);
                self.hold(due.max(self.memory.held.last(|_| true).unwrap_or(now)), message, on);
            }
            LinkEffect::Jitter { most, keeps_order } => {
                let drawn = self.draws(&message, "time").uniform(number);
                let due = Self::late(&message, bout, intensity * drawn * most);
                let before = self.memory.held.last(|held| held.is_of(&message)).filter(|_| keeps_order);
                self.hold(before.map_or(due, |before| due.max(before)), message, on);
            }
            LinkEffect::Loss { share } => match happens(self, share) {
                true => self.count(1),
                false => on.push(message),
            },
            LinkEffect::Duplicate { share } => {
                if happens(self, share) {
                    self.count(1);
                    on.push(message.clone());
                }
                on.push(message);
            }
            LinkEffect::Reorder { share, wait } => {
                if let Some(before) = self.memory.held.take(now, |held| held.is_of(&message)) {
                    on.extend([message, before]);
                } else if happens(self, share) {
                    self.hold(Self::late(&message, bout, wait), message, on);
                } else {
                    on.push(message);
                }
            }
            LinkEffect::Corrupt { share, part } => {
                if !message.payload.is_empty() && happens(self, share) {
                    self.count(1);
                    message.payload = corrupt(&message.payload, part, self.draws(&message, "bytes"), number);
                }
                on.push(message);
            }
            LinkEffect::Cut { share } => {
                if message.payload.len() > 1 && happens(self, share) {
                    self.count(1);
                    let rest = self.draws(&message, "end").below(number, message.payload.len() as u64 - 1);
                    message.payload.truncate(1 + rest as usize);
                }
                on.push(message);
            }
        }
    }

    pub(super) fn write(&self, to: &mut Writer) {
        let Memory { counts, acted, held, repeated, repeats } = &self.memory;
        to.text(&self.fault.id);
        to.text(self.effect.name());
        to.number(*acted);
        to.number(counts.len() as u64);
        for ((broker, topic), count) in counts {
            to.text(broker);
            to.text(topic);
            to.number(*count);
        }
        to.number(held.len() as u64);
        for (due, message) in held.as_they_came() {
            to.time(due);
            message.write(to);
        }
        to.option(*repeated, Writer::time);
        to.option(*repeats, Writer::time);
    }

    pub(super) fn read(&mut self, from: &mut Reader<'_>) -> Result<(), RestoreError> {
        from.same_fault(&self.fault)?;
        let mut memory = Memory { acted: from.number()?, ..Memory::default() };
        for _ in 0..from.number()? {
            let channel = (Arc::from(from.text()?), Arc::from(from.text()?));
            memory.counts.insert(channel, from.number()?);
        }
        for _ in 0..from.number()? {
            memory.held.hold(from.time()?, Message::read(from)?);
        }
        memory.repeated = from.option(Reader::time)?;
        memory.repeats = from.option(Reader::time)?;
        self.memory = memory;
        Ok(())
    }
}

impl Station for LinkStation {
    type Item = Message;

    fn fault(&self) -> &Fault {
        &self.fault
    }

    fn take(&mut self, message: Message, on: &mut Vec<Message>) {
        match self.fault.course.bout(message.time) {
            Some(bout) if self.concerns(&message.broker, &message.topic) => self.act(message, bout, on),
            _ => on.push(message),
        }
    }

    fn held(&self) -> &Held<Message> {
        &self.memory.held
    }

    fn held_mut(&mut self) -> &mut Held<Message> {
        &mut self.memory.held
    }

    fn take_up(&mut self, old: Self) {
        self.memory = old.memory;
    }
}

/// The same with other bytes at a share of the places, at least at one.
fn corrupt(payload: &Bytes, part: f64, draws: Stream, number: u64) -> Bytes {
    // All that is drawn for one message follows from one number of its own.
    let draws = draws.with_seed(draws.bits(number));
    let mut wrong = payload.to_vec();
    let places = ((wrong.len() as f64 * part).round() as usize).clamp(1, wrong.len());
    for place in 0..places as u64 {
        let at = draws.below(2 * place, wrong.len() as u64) as usize;
        // Never 0: the byte is another one.
        wrong[at] = payload[at] ^ (1 + draws.below(2 * place + 1, 255) as u8);
    }
    Bytes::from(wrong)
}
