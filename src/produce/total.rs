//! Sums up a stretch of time. In: values and how long each held. Out: their integral, least, greatest and number,
//! and the time that they covered. Never forgets a value again.

use crate::scene::expression::Function;

/// Seconds from nanoseconds.
pub(super) fn secs(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

/// A value, from when on it holds, and what it counts for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Hold {
    /// Nanoseconds.
    pub start: i64,
    pub value: f64,
    /// Events at `start`: 0 or 1.
    pub events: u64,
}

/// All that was gathered since some start, of values that have ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Total {
    /// Of value times seconds, and what was lost by rounding: Neumaier, "Rundungsfehleranalyse einiger Verfahren zur
    /// Summation endlicher Summen", ZAMM 54, 1974.
    pub sum: f64,
    pub lost: f64,
    pub min: f64,
    pub max: f64,
    pub events: u64,
    /// Nanoseconds in which a value was there.
    pub covered: i64,
}

impl Total {
    pub const NOTHING: Total =
        Total { sum: 0.0, lost: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY, events: 0, covered: 0 };

    /// With a value that held until `end`.
    pub fn with(mut self, hold: Hold, end: i64) -> Total {
        self.events = self.events.saturating_add(hold.events);
        let length = end.saturating_sub(hold.start);
        if length <= 0 {
            return self;
        }
        let part = hold.value * secs(length);
        let sum = self.sum + part;
        self.lost += if self.sum.abs() >= part.abs() { self.sum - sum + part } else { part - sum + self.sum };
        self.sum = sum;
        (self.min, self.max) = (least(self.min, hold.value), greatest(self.max, hold.value));
        self.covered = self.covered.saturating_add(length);
        self
    }

    /// With the value that holds now: it counts among the extremes from its first moment on.
    pub fn with_current(self, hold: Hold, now: i64) -> Total {
        let all = self.with(hold, now);
        Total { min: least(all.min, hold.value), max: greatest(all.max, hold.value), ..all }
    }

    /// None for the mean of no time at all, and for what nothing was ever taken into.
    pub fn result(self, function: Function) -> Option<f64> {
        let is_empty = self.min > self.max;
        match function {
            _ if is_empty => None,
            Function::Mean if self.covered == 0 => None,
            Function::Mean => Some((self.sum + self.lost) / secs(self.covered)),
            Function::Integral | Function::Duration => Some(self.sum + self.lost),
            Function::Min => Some(self.min),
            Function::Max => Some(self.max),
            Function::Count => Some(self.events as f64),
        }
    }
}

/// As `f64::min` for numbers that are not NaN, but the same for 0.0 and -0.0 on every machine.
pub(super) fn least(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

pub(super) fn greatest(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}
