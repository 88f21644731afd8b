//! One instrument: from what is true to what is read. In: true values with their times. Out: readings. Reads no clock;
//! its noise follows from the seed, the signal's name and the number of the reading.

use std::collections::VecDeque;

use crate::scene::Instrument;
use crate::value::{Stream, Value, to_multiple};

/// An instrument and what it remembers.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Reader {
    pub(super) instrument: Instrument,
    /// What the signal can be: noise alone takes no reading out of it.
    possible: Option<(f64, f64)>,
    noise: Stream,
    pub(super) memory: Memory,
}

/// What an instrument remembers from reading to reading.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Memory {
    /// Readings so far.
    pub(super) count: u64,
    /// When it read last, in nanoseconds since the start.
    pub(super) time: u64,
    /// The value behind its lag.
    pub(super) lagged: f64,
    /// What it saw and has not read yet, oldest first.
    pub(super) late: VecDeque<(u64, Value)>,
    /// What it shows: its last reading, or what a fault makes of it; none where there is none.
    pub(super) shown: Option<Value>,
}

impl Reader {
    /// `path` names the signal: `P-101.flow`.
    pub(super) fn new(instrument: Instrument, possible: Option<(f64, f64)>, seed: u64, path: &str) -> Self {
        Self { instrument, possible, noise: Stream::new(seed, path, "instrument"), memory: Memory::default() }
    }

    /// A reading of a true value at a time in nanoseconds.
    #[must_use]
    pub(super) fn read(&mut self, truth: Value, time: u64) -> Value {
        let Instrument { dead_time, lag_secs, bias, noise, relative_noise, resolution, range, .. } = self.instrument;
        let seen = self.behind_dead_time(truth, time, dead_time);
        let Value::Number(mut x) = seen else {
            self.memory.time = time;
            self.memory.count += 1;
            return seen;
        };
        if lag_secs > 0.0 {
            if self.memory.count > 0 {
                let passed = (time - self.memory.time) as f64 / 1e9;
                let kept = libm::exp(-passed / lag_secs);
                x = self.memory.lagged * kept + x * (1.0 - kept);
            }
            self.memory.lagged = x;
        }
        x += bias;
        let possible = self.possible.filter(|(low, high)| (*low..=*high).contains(&x));
        let sigma = libm::hypot(noise, relative_noise * x);
        if sigma > 0.0 {
            x += sigma * self.noise.normal(self.memory.count);
        }
        if resolution > 0.0 {
            x = to_multiple(x, resolution);
        }
        for (low, high) in possible.into_iter().chain(range) {
            x = x.clamp(low, high);
        }
        self.memory.time = time;
        self.memory.count += 1;
        Value::Number(x)
    }

    /// The newest value that is as old as the dead time; before there is one, the oldest.
    fn behind_dead_time(&mut self, truth: Value, time: u64, dead_time: u64) -> Value {
        if dead_time == 0 {
            return truth;
        }
        let late = &mut self.memory.late;
        late.push_back((time, truth.clone()));
        while late.get(1).is_some_and(|(at, _)| at + dead_time <= time) {
            late.pop_front();
        }
        late.front().map_or(truth, |(_, value)| value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(instrument: Instrument, truth: impl Fn(f64) -> f64, secs: u64) -> Vec<f64> {
        let mut reader = Reader::new(instrument, Some((-5.0, 1e9)), 7, "P-1.flow");
        let all = (0..=secs)
            .map(|at| reader.read(Value::Number(truth(at as f64)), at * 1_000_000_000).as_f64().unwrap_or(f64::NAN));
        all.collect()
    }

    const IDEAL: Instrument = Instrument {
        dead_time: 0,
        lag_secs: 0.0,
        bias: 0.0,
        noise: 0.0,
        relative_noise: 0.0,
        resolution: 0.0,
        range: None,
        period: None,
    };

    #[test]
    fn an_ideal_instrument_shows_the_truth() {
        assert_eq!(readings(IDEAL, |t| t * t, 3), [0.0, 1.0, 4.0, 9.0]);
    }

    #[test]
    fn a_lag_follows_a_step_by_63_percent_in_its_time() {
        let lagged = readings(Instrument { lag_secs: 10.0, ..IDEAL }, |t| if t > 0.0 { 1.0 } else { 0.0 }, 10);
        assert!((lagged[10] - (1.0 - libm::exp(-1.0))).abs() < 1e-12, "{lagged:?}");
    }

    #[test]
    fn a_dead_time_shows_what_was_true_then() {
        let late = readings(Instrument { dead_time: 3_000_000_000, ..IDEAL }, |t| t, 6);
        assert_eq!(late, [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
    }

    #[test]
    fn bias_resolution_and_range_act_in_this_order() {
        let instrument = Instrument { bias: 0.26, resolution: 0.1, range: Some((0.0, 2.0)), ..IDEAL };
        assert_eq!(readings(instrument, |t| t - 1.0, 4), [0.0, 0.3, 1.3, 2.0, 2.0]);
    }

    #[test]
    fn noise_has_its_standard_deviation_and_follows_from_the_seed() {
        let instrument = Instrument { noise: 0.3, relative_noise: 0.04, ..IDEAL };
        let read = readings(instrument, |_| 10.0, 20_000);
        let mean = read.iter().sum::<f64>() / read.len() as f64;
        let deviation = (read.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / read.len() as f64).sqrt();
        assert!((mean - 10.0).abs() < 0.015 && (deviation - 0.5).abs() < 0.01, "{mean} {deviation}");
        assert_eq!(read, readings(instrument, |_| 10.0, 20_000));
    }

    #[test]
    fn noise_alone_takes_no_reading_out_of_what_is_possible() {
        let instrument = Instrument { noise: 2.0, ..IDEAL };
        let read = readings(instrument, |t| if t < 500.0 { -4.0 } else { -6.0 }, 1000);
        assert!(read[..500].iter().all(|x| *x >= -5.0) && read[..500].contains(&-5.0));
        assert!(read[500..].iter().any(|x| *x < -6.0), "what is out of range is seen to be");
    }
}
