//! Faults of links. In: messages in the order of their times, and faults. Out: the messages that arrive, when they do, and
//! how much a sender's clock is wrong. Sends nothing, decodes nothing, reads no clock.

mod kinds;
mod station;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

pub use kinds::LinkEffect;
pub(super) use station::is_on_topic;
use station::{Channel, LinkStation};

use super::chain::{Chain, Station};
use super::store::{Reader, RestoreError, Writer};
use super::{Fault, Layer};
use crate::value::{Shift, Timestamp};

/// Of the layout that [`LinkFaults::to_bytes`] writes.
const VERSION: u8 = 2;

/// A message on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// When it was sent or received; later when it was held back.
    pub time: Timestamp,
    pub broker: Arc<str>,
    pub topic: Arc<str>,
    pub payload: Bytes,
    /// Whether its sender asks the broker to keep it for later subscribers.
    pub retain: bool,
    /// Whether the broker had kept it and delivers it out of its store. That is what the RETAIN flag says that a subscriber
    /// sees: on what is sent while it listens, the flag is not set, whatever the sender asked for.
    pub from_store: bool,
    /// 0, 1 or 2.
    pub qos: u8,
}

impl Message {
    fn channel(&self) -> Channel {
        (self.broker.clone(), self.topic.clone())
    }

    /// Whether both are of one topic of one broker.
    fn is_of(&self, other: &Message) -> bool {
        self.topic == other.topic && self.broker == other.broker
    }

    fn write(&self, to: &mut Writer) {
        to.time(self.time);
        to.text(&self.broker);
        to.text(&self.topic);
        to.bytes(&self.payload);
        to.byte(u8::from(self.retain));
        to.byte(u8::from(self.from_store));
        to.byte(self.qos);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, RestoreError> {
        let (time, broker, topic) = (from.time()?, Arc::from(from.text()?), Arc::from(from.text()?));
        let payload = Bytes::copy_from_slice(from.bytes()?);
        let (retain, from_store, qos) = (from.flag()?, from.flag()?, from.byte()?);
        if qos > 2 {
            return Err(RestoreError::Damaged);
        }
        Ok(Self { time, broker, topic, payload, retain, from_store, qos })
    }
}

/// What was sent last on a topic.
#[derive(Clone, PartialEq, Debug)]
struct Last {
    /// Its room is used again: the payload of a message may be a part of a much larger buffer.
    payload: Vec<u8>,
    retain: bool,
    qos: u8,
}

/// All faults of the links of one world.
///
/// Messages go through it also while there are no faults: a fault that repeats old messages is to know them.
#[derive(Clone, PartialEq, Debug)]
pub struct LinkFaults {
    seed: u64,
    chain: Chain<LinkStation>,
    /// The last message of each topic, as it was sent, by broker and topic.
    last: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Last>>,
}

impl LinkFaults {
    pub fn new(seed: u64) -> Self {
        Self { seed, chain: Chain::default(), last: BTreeMap::new() }
    }

    /// Sets all faults, in the order in which they act, from a time on; those of other layers are passed over. A fault that
    /// was there already, by its id, kind and topics, goes on, with another size and course too. What others held back
    /// comes at once.
    pub fn set(&mut self, faults: &[Fault], at: Timestamp, out: &mut Vec<Message>) {
        self.release(at, out);
        let begin = out.len();
        let stations: Vec<_> = faults.iter().filter_map(|fault| LinkStation::new(fault, self.seed)).collect();
        self.chain.set(stations, at, out);
        self.lose(begin, out);
        self.chain.stations.iter_mut().for_each(|station| station.plan(at));
        self.release(at, out);
    }

    /// Whether it has nothing to remember.
    pub fn is_blank(&self) -> bool {
        self.is_empty() && self.last.is_empty()
    }

    /// Whether it leaves all messages as they are.
    pub fn is_empty(&self) -> bool {
        self.chain.stations.is_empty()
    }

    /// A message is sent. What was due until its time goes into `out` before it, then whatever becomes of it now.
    pub fn send(&mut self, message: Message, out: &mut Vec<Message>) {
        self.release(message.time, out);
        let Message { broker, topic, payload, retain, qos, .. } = &message;
        self.remember(broker, topic, payload, *retain, *qos);
        let begin = out.len();
        out.push(message);
        self.lose(begin, out);
        if out.len() > begin && !self.is_empty() {
            let sent = out.split_off(begin);
            sent.into_iter().for_each(|message| self.chain.pass(0, message, out));
            self.lose(begin, out);
        }
    }

    /// Whether a fault is on a topic, whether or not it is active. A message of another topic passes as it is: it may go
    /// without [`send`](Self::send), if all that was due before it has left and it is [remembered](Self::remember).
    pub fn concerns(&self, broker: &str, topic: &str) -> bool {
        self.chain.stations.iter().any(|station| station.concerns(broker, topic))
    }

    /// A message is the last one of its topic from now on.
    pub fn remember(&mut self, broker: &str, topic: &str, payload: &[u8], retain: bool, qos: u8) {
        if let Some(last) = self.last.get_mut(broker).and_then(|topics| topics.get_mut(topic)) {
            last.payload.clear();
            last.payload.extend_from_slice(payload);
            (last.retain, last.qos) = (retain, qos);
            return;
        }
        let last = Last { payload: payload.to_vec(), retain, qos };
        self.last.entry(Arc::from(broker)).or_default().insert(Arc::from(topic), last);
    }

    /// What is held back, and due until a time, goes into `out`.
    pub fn release(&mut self, until: Timestamp, out: &mut Vec<Message>) {
        while let Some(due) = self.next_release().filter(|due| *due <= until) {
            let begin = out.len();
            match self.next_repetition().filter(|(at, _)| *at <= due) {
                Some((at, place)) => self.repeat(place, at, out),
                None => self.chain.release_next(out),
            }
            self.lose(begin, out);
        }
    }

    /// When [`release`](Self::release) has something to do next.
    pub fn next_release(&self) -> Option<Timestamp> {
        let repetition = self.next_repetition().map(|(at, _)| at);
        [self.chain.next_release(), repetition].into_iter().flatten().min()
    }

    /// By how much the times are to be shifted that a message of a topic says at a time.
    pub fn clock_shift(&self, broker: &str, topic: &str, time: Timestamp) -> Shift {
        let each = self.chain.stations.iter().map(|station| station.clock_shift(broker, topic, time));
        Shift(each.fold(0, i64::saturating_add))
    }

    /// A message was sent that says a wrong time because of [`clock_shift`](Self::clock_shift): the sender tells, as it
    /// alone knows whether the message has a time.
    pub fn has_shifted(&mut self, broker: &str, topic: &str, time: Timestamp) {
        let wrong = |station: &&mut LinkStation| station.clock_shift(broker, topic, time) != 0;
        self.chain.stations.iter_mut().filter(wrong).for_each(|station| station.count(1));
    }

    /// How many messages each fault has changed, held back, lost or added, by its id, in order: 0 where it made no
    /// difference, such as on topics on which nothing was sent. Of a wrong clock those that [say a wrong
    /// time](Self::has_shifted).
    pub fn acted(&self) -> impl Iterator<Item = (&str, u64)> {
        self.chain.stations.iter().map(|station| (station.fault().id.as_str(), station.acted()))
    }

    /// How many messages it keeps: those that are held back, and the last one of each topic; and how many bytes their
    /// payloads have. Looks at each of them.
    pub fn kept(&self) -> (usize, usize) {
        let held = self.chain.stations.iter().flat_map(|station| station.held().as_they_came());
        let held = held.map(|(_, message)| message.payload.len());
        let last = self.last.values().flat_map(BTreeMap::values).map(|last| last.payload.len());
        held.chain(last).fold((0, 0), |(count, bytes), payload| (count + 1, bytes + payload))
    }

    /// Takes out what arrives while a link is down, from a place in the list on.
    fn lose(&mut self, begin: usize, out: &mut Vec<Message>) {
        for station in &mut self.chain.stations {
            let mut place = begin;
            while let Some(message) = out.get(place) {
                if station.cuts(message) {
                    out.remove(place);
                    station.count(1);
                } else {
                    place += 1;
                }
            }
        }
    }

    /// When old messages come again, and from which place.
    fn next_repetition(&self) -> Option<(Timestamp, usize)> {
        let each = self.chain.stations.iter().enumerate();
        each.filter_map(|(place, station)| Some((station.repeats()?, place))).min()
    }

    fn repeat(&mut self, place: usize, at: Timestamp, out: &mut Vec<Message>) {
        let station = &mut self.chain.stations[place];
        let all =
            self.last.iter().flat_map(|(broker, topics)| topics.iter().map(move |(topic, last)| (broker, topic, last)));
        let concerned = all.filter(|(broker, topic, last)| !last.payload.is_empty() && station.concerns(broker, topic));
        let again = concerned.map(|(broker, topic, last)| Message {
            time: at,
            broker: broker.clone(),
            topic: topic.clone(),
            payload: Bytes::copy_from_slice(&last.payload),
            retain: last.retain,
            from_store: true,
            qos: last.qos,
        });
        let old: Vec<Message> = again.collect();
        station.has_repeated(at);
        station.count(old.len() as u64);
        old.into_iter().for_each(|message| self.chain.pass(place + 1, message, out));
    }

    /// What they remember.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer::new(VERSION, Layer::Link);
        to.number(self.chain.stations.len() as u64);
        self.chain.stations.iter().for_each(|station| station.write(&mut to));
        to.number(self.last.values().map(BTreeMap::len).sum::<usize>() as u64);
        for (broker, topics) in &self.last {
            for (topic, Last { payload, retain, qos }) in topics {
                to.text(broker);
                to.text(topic);
                to.bytes(payload);
                to.byte(u8::from(*retain));
                to.byte(*qos);
            }
        }
        to.finish()
    }

    /// Goes on from what [`to_bytes`](Self::to_bytes) wrote for the same list and seed. What cannot be taken up changes
    /// nothing.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let mut from = Reader::new(bytes, VERSION, Layer::Link)?;
        let mut chain = self.chain.clone();
        from.count(chain.stations.len())?;
        chain.stations.iter_mut().try_for_each(|station| station.read(&mut from))?;
        let mut restored = Self { seed: self.seed, chain, last: BTreeMap::new() };
        for _ in 0..from.number()? {
            let (broker, topic, payload) = (from.text()?, from.text()?, from.bytes()?);
            let (retain, qos) = (from.flag()?, from.byte()?);
            if qos > 2 {
                return Err(RestoreError::Damaged);
            }
            restored.remember(broker, topic, payload, retain, qos);
        }
        from.finish()?;
        *self = restored;
        Ok(())
    }
}
