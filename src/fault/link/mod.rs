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
use station::{Channel, LinkStation};

use super::chain::{Chain, Station};
use super::store::{Reader, RestoreError, Writer};
use super::{Fault, Layer};
use crate::value::{Shift, Timestamp};

/// Of the layout that [`LinkFaults::to_bytes`] writes.
const VERSION: u8 = 1;

/// A message on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// When it was sent or received; later when it was held back.
    pub time: Timestamp,
    pub broker: Arc<str>,
    pub topic: Arc<str>,
    pub payload: Bytes,
    pub retained: bool,
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
        to.byte(u8::from(self.retained));
        to.byte(self.qos);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, RestoreError> {
        let (time, broker, topic) = (from.time()?, Arc::from(from.text()?), Arc::from(from.text()?));
        let payload = Bytes::copy_from_slice(from.bytes()?);
        Ok(Self { time, broker, topic, payload, retained: from.byte()? != 0, qos: from.byte()? })
    }
}

/// All faults of the links of one world.
///
/// Messages go through it also while there are no faults: a fault that repeats old messages is to know them.
#[derive(Clone, PartialEq, Debug)]
pub struct LinkFaults {
    seed: u64,
    chain: Chain<LinkStation>,
    /// The last message of each topic, as it was sent.
    last: BTreeMap<Channel, Message>,
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

    /// Whether it leaves all messages as they are.
    pub fn is_empty(&self) -> bool {
        self.chain.stations.is_empty()
    }

    /// A message is sent. What was due until its time goes into `out` before it, then whatever becomes of it now.
    pub fn send(&mut self, message: Message, out: &mut Vec<Message>) {
        self.release(message.time, out);
        // A copy: the payload may be a part of a much larger buffer.
        let kept = Message { payload: Bytes::copy_from_slice(&message.payload), ..message.clone() };
        self.last.insert(message.channel(), kept);
        let begin = out.len();
        out.push(message);
        self.lose(begin, out);
        if out.len() > begin && !self.is_empty() {
            let sent = out.split_off(begin);
            sent.into_iter().for_each(|message| self.chain.pass(0, message, out));
            self.lose(begin, out);
        }
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

    /// How many messages each fault has changed, held back, lost or added, by its id, in order. Of a wrong clock none.
    pub fn acted(&self) -> impl Iterator<Item = (&str, u64)> {
        self.chain.stations.iter().map(|station| (station.fault().id.as_str(), station.acted()))
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
        let concerned = self.last.values().filter(|last| station.concerns(&last.broker, &last.topic));
        let old: Vec<Message> = concerned
            .filter(|last| !last.payload.is_empty())
            .map(|last| Message { time: at, retained: true, ..last.clone() })
            .collect();
        station.has_repeated(at);
        station.count(old.len() as u64);
        old.into_iter().for_each(|message| self.chain.pass(place + 1, message, out));
    }

    /// What they remember.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer::new(VERSION, Layer::Link);
        to.number(self.chain.stations.len() as u64);
        self.chain.stations.iter().for_each(|station| station.write(&mut to));
        to.number(self.last.len() as u64);
        self.last.values().for_each(|message| message.write(&mut to));
        to.finish()
    }

    /// Goes on from what [`to_bytes`](Self::to_bytes) wrote for the same list and seed. What cannot be taken up changes
    /// nothing.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let mut from = Reader::new(bytes, VERSION, Layer::Link)?;
        let mut chain = self.chain.clone();
        from.count(chain.stations.len())?;
        chain.stations.iter_mut().try_for_each(|station| station.read(&mut from))?;
        let mut last = BTreeMap::new();
        for _ in 0..from.number()? {
            let message = Message::read(&mut from)?;
            last.insert(message.channel(), message);
        }
        from.finish()?;
        (self.chain, self.last) = (chain, last);
        Ok(())
    }
}
