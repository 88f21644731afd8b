//! A distance between two time axes. In: a moment on one. Out: the moment on the other. Never overflows.

use super::Timestamp;

/// From a moment here to the one there that belongs to it, in nanoseconds: positive if what belongs together happened
/// there at a later time of day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Shift(pub i64);

impl Shift {
    pub const NONE: Shift = Shift(0);

    /// The one that brings two moments together.
    pub fn between(here: Timestamp, there: Timestamp) -> Self {
        Self(there.0.saturating_sub(here.0))
    }

    pub fn from_secs_f64(secs: f64) -> Self {
        // A float saturates into an integer.
        Self((secs * 1e9).round() as i64)
    }

    pub fn secs(self) -> f64 {
        self.0 as f64 / 1e9
    }

    pub fn plus(self, more: Shift) -> Self {
        Self(self.0.saturating_add(more.0))
    }

    pub fn there(self, here: Timestamp) -> Timestamp {
        Timestamp(here.0.saturating_add(self.0))
    }

    pub fn here(self, there: Timestamp) -> Timestamp {
        Timestamp(there.0.saturating_sub(self.0))
    }
}
