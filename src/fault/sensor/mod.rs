//! Faults of sensors. In: the samples of a world, in the order of their receive times, and faults. Out: samples as the faulty
//! sensors show them; those that differ from what came are marked as simulated. Reads no clock, draws no number that does
//! not follow from the seed.

mod kinds;
mod station;
#[cfg(test)]
mod tests;

pub use kinds::SensorEffect;
use station::SensorStation;

use super::chain::{Chain, Station};
use super::store::{Reader, RestoreError, Writer};
use super::{Fault, Layer};
use crate::value::{Sample, SignalIndex, Timestamp};

/// Of the layout that [`SensorFaults::to_bytes`] writes.
const VERSION: u8 = 1;

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
    pub fn set(&mut self, faults: &[Fault], at: Timestamp, out: &mut Vec<Sample>) {
        self.release(at, out);
        let stations: Vec<_> = faults.iter().filter_map(|fault| SensorStation::new(fault, self.seed)).collect();
        self.chain.set(stations, at, out);
        self.concerned = self.chain.stations.iter().flat_map(SensorStation::signals).collect();
        self.concerned.sort_unstable();
        self.concerned.dedup();
    }

    /// Whether it leaves all samples as they are.
    pub fn is_empty(&self) -> bool {
        self.chain.stations.is_empty()
    }

    /// A sample comes. What was due until its receive time goes into `out` before it, then whatever becomes of it now.
    pub fn take(&mut self, sample: Sample, out: &mut Vec<Sample>) {
        self.release(sample.receive_time, out);
        match self.concerned.binary_search(&sample.signal) {
            Ok(_) => self.chain.pass(0, sample, out),
            Err(_) => out.push(sample),
        }
    }

    /// What is held back, and due until a time, goes into `out`.
    pub fn release(&mut self, until: Timestamp, out: &mut Vec<Sample>) {
        self.chain.release(until, out);
    }

    /// When [`release`](Self::release) has something to do next.
    pub fn next_release(&self) -> Option<Timestamp> {
        self.chain.next_release()
    }

    /// How many samples are held back.
    pub fn held(&self) -> usize {
        self.chain.stations.iter().map(|station| station.held().iter().len()).sum()
    }

    /// How many samples each fault has changed, held back or lost, by its id, in order.
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
