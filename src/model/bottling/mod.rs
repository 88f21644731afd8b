//! A bottling line for soft drinks: feed tank, pump, cooler, buffer tank, rinser, filler, capping robot, labeller,
//! palletiser, vehicle, and the utilities that serve them.
//!
//! In: a topic prefix and a seed. Out: messages as a real line would send them. Machines are linked: the filler's
//! thirst drains the buffer tank, the pump refills it through the cooler from the feed tank, bottles push bottles.
//! Never reads a clock: source time is the epoch it is given plus simulated time.

pub mod design;
mod line;
mod reporter;
pub mod story;
mod telemetry;

use std::time::Duration;

use super::{Emit, Plant};
use crate::value::Timestamp;

pub use line::BottlingLine;
use reporter::Reporter;

/// The fixed step: 20 ms, short against the fastest time constant (0.4 s) and long enough to be cheap.
pub const TICK: Duration = Duration::from_millis(20);

/// The line with its instruments.
#[derive(Clone, Debug)]
pub struct BottlingPlant {
    line: BottlingLine,
    reporter: Reporter,
}

impl BottlingPlant {
    pub fn new(prefix: &str, seed: u64) -> Self {
        Self { line: BottlingLine::new(seed), reporter: Reporter::new(prefix, seed) }
    }

    pub fn line(&self) -> &BottlingLine {
        &self.line
    }
}

impl Plant for BottlingPlant {
    fn tick(&self) -> Duration {
        TICK
    }

    fn elapsed(&self) -> Duration {
        self.line.elapsed()
    }

    fn step(&mut self) {
        self.line.step();
    }

    fn publish(&mut self, epoch: Timestamp, emit: &mut Emit<'_>) {
        self.reporter.begin(epoch, self.line.elapsed());
        telemetry::report(&self.line, &mut self.reporter, emit);
    }

    fn announce(&mut self, epoch: Timestamp, emit: &mut Emit<'_>) {
        self.reporter.begin(epoch, self.line.elapsed());
        self.reporter.forget_states();
        telemetry::nameplates(&mut self.reporter, emit);
        telemetry::states(&self.line, &mut self.reporter, emit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All messages of so many simulated seconds, as bytes.
    fn transcript(seed: u64, secs: u64) -> Vec<u8> {
        let mut plant = BottlingPlant::new("line1", seed);
        let mut bytes = Vec::new();
        while plant.elapsed() < Duration::from_secs(secs) {
            plant.step();
            plant.publish(Timestamp(1_700_000_000_000_000_000), &mut |message| {
                bytes.extend_from_slice(message.topic.as_bytes());
                bytes.extend_from_slice(&[message.qos, u8::from(message.retain)]);
                bytes.extend_from_slice(message.payload);
                bytes.push(b'\n');
            });
        }
        bytes
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_for_ten_minutes_and_another_seed_others() {
        let first = transcript(7, 600);
        assert!(first.len() > 1_000_000, "{} bytes", first.len());
        assert!(first == transcript(7, 600), "two runs of one seed differ");
        assert!(first != transcript(8, 600), "two seeds give the same");
    }
}
