//! Where rules over several signals find the values of the others.

use crate::history::{History, Point};
use crate::value::{SignalIndex, Timestamp};

/// What is known of all signals.
pub trait Values {
    /// The newest point of `signal` at or before `at`; of several at the same time the one that arrived last.
    fn latest_at(&self, signal: SignalIndex, at: Timestamp) -> Option<Point>;
}

impl Values for History {
    fn latest_at(&self, signal: SignalIndex, at: Timestamp) -> Option<Point> {
        History::latest_at(self, signal, at)
    }
}
