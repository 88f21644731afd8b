//! Faults of sensors. In: the samples of a world, in the order of their receive times, and faults. Out: samples as the faulty
//! sensors show them, and which of them are lost; those that differ from what came are marked as simulated. Reads no clock,
//! draws no number that does not follow from the seed.

mod kinds;
mod station;
#[cfg(test)]
mod tests;

pub use kinds::SensorEffect;
use station::{Reading, SensorStation};

use super::chain::{Chain, Station};
use super::store::{Reader, RestoreError, Writer};
use super::{Fault, Layer};
use crate::value::{Sample, SignalIndex, Timestamp};

/// Of the layout that [`SensorFaults::to_bytes`] writes.
const VERSION: u8 = 2;

/// Where readings go that have passed the faults, in the order in which they leave.
pub trait Downstream {
    fn comes(&mut self, sample: Sample);

    /// A reading is lost that would have come now, as one of this signal.
    fn is_lost(&mut self, signal: SignalIndex, at: Timestamp);
}

/// Where a lost sample is just none.
impl Downstream for Vec<Sample> {
    fn comes(&mut self, sample: Sample) {
        self.push(sample);
    }

    fn is_lost(&mut self, _: SignalIndex, _: Timestamp) {}
}

fn hand_on(readings: Vec<Reading>, out: &mut impl Downstream) {
    for Reading { sample, is_lost } in readings {
        match is_lost {
            true => out.is_lost(sample.signal, sample.receive_time),
            false => out.comes(sample),
        }
    }
}

/// All faults of the sensors of one world.
#[derive(Clone, PartialEq, Debug)]
pub struct SensorFaults {
    seed: u64,
    chain: Chain<SensorStation>,
    /// Signals that a fault is on, sorted.
    concerned: Vec<SignalIndex>,
}

impl SensorFaults {
    pub fn new(seed: u64) -> Self {
        Self { seed, chain: Chain::default(), concerned: Vec::new() }
    }

    /// Sets all faults, in the order in which they act, from a time on; those of other layers are passed over. A fault that
    /// was there already, by its id, kind and signal, goes on, with another size and course too. What others held back
    /// comes at once.
    pub fn set(&mut self, faults: &[Fault], at: Timestamp, out: &mut impl Downstream) {
        self.release(at, out);
        let stations: Vec<_> = faults.iter().filter_map(|fault| SensorStation::new(fault, self.seed)).collect();
        let mut readings = Vec::new();
        self.chain.set(stations, at, &mut readings);
        hand_on(readings, out);
        self.find_concerned();
    }

    fn find_concerned(&mut self) {
        self.concerned = self.chain.stations.iter().flat_map(SensorStation::signals).collect();
        self.concerned.sort_unstable();
        self.concerned.dedup();
    }

    /// The same faults with what they remember, in another scene. `faults` are those that were set, in the same order, on
    /// the signals of that scene; `signal` gives a signal of the old scene there.
    pub fn moved(&self, faults: &[Fault], signal: &dyn Fn(SignalIndex) -> Option<SignalIndex>) -> Self {
        let mut moved = Self::new(self.seed);
        moved.chain.stations = faults.iter().filter_map(|fault| SensorStation::new(fault, self.seed)).collect();
        for (new, old) in moved.chain.stations.iter_mut().zip(&self.chain.stations) {
            new.take_from(old, signal);
        }
        moved.find_concerned();
        moved
    }

    /// Whether a fault is on a signal, whether or not it is active.
    pub fn concerns(&self, signal: SignalIndex) -> bool {
        self.concerned.binary_search(&signal).is_ok()
    }

    /// Whether a fault that is active at a time is on a signal.
    pub fn is_on(&self, signal: SignalIndex, at: Timestamp) -> bool {
        self.concerns(signal) && self.chain.stations.iter().any(|station| station.is_on(signal, at))
    }

    /// The first moment after this one at which a bout ends.
    pub fn next_end(&self, after: Timestamp) -> Option<Timestamp> {
        self.chain.stations.iter().filter_map(|station| station.fault().course.next_end(after)).min()
    }

    /// Whether it leaves all samples as they are.
    pub fn is_empty(&self) -> bool {
        self.chain.stations.is_empty()
    }

    /// A sample comes. What was due until its receive time goes into `out` before it, then whatever becomes of it now.
    pub fn take(&mut self, sample: Sample, out: &mut impl Downstream) {
        self.release(sample.receive_time, out);
        if !self.concerns(sample.signal) {
            return out.comes(sample);
        }
        let mut readings = Vec::new();
        self.chain.pass(0, Reading { sample, is_lost: false }, &mut readings);
        hand_on(readings, out);
    }

    /// What is held back, and due until a time, goes into `out`.
    pub fn release(&mut self, until: Timestamp, out: &mut impl Downstream) {
        if self.next_release().is_some_and(|due| due <= until) {
            let mut readings = Vec::new();
            self.chain.release(until, &mut readings);
            hand_on(readings, out);
        }
    }

    /// When [`release`](Self::release) has something to do next.
    pub fn next_release(&self) -> Option<Timestamp> {
        self.chain.next_release()
    }

    /// How many samples are held back.
    pub fn held(&self) -> usize {
        let held = self.chain.stations.iter().flat_map(|station| station.held().as_they_came());
        held.filter(|(_, reading)| !reading.is_lost).count()
    }

    /// How many samples each fault has changed, held back or lost, by its id, in order: 0 where it made no difference, such
    /// as a bias on a text, or a fault on a signal of which no sample came.
    pub fn acted(&self) -> impl Iterator<Item = (&str, u64)> {
        self.chain.stations.iter().map(|station| (station.fault().id.as_str(), station.acted()))
    }

    /// What they remember, for the same signals.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer::new(VERSION, Layer::Sensor);
        to.number(self.chain.stations.len() as u64);
        self.chain.stations.iter().for_each(|station| station.write(&mut to));
        to.finish()
    }

    /// Goes on from what [`to_bytes`](Self::to_bytes) wrote for the same list and seed. What cannot be taken up changes
    /// nothing.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let mut from = Reader::new(bytes, VERSION, Layer::Sensor)?;
        let mut chain = self.chain.clone();
        from.count(chain.stations.len())?;
        chain.stations.iter_mut().try_for_each(|station| station.read(&mut from))?;
        from.finish()?;
        self.chain = chain;
        Ok(())
    }
}
