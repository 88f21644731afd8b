//! What was known at a moment. In: a signal, a moment. Out: the newest sample of those that had happened and had been
//! received by then.

use super::{History, Point};
use crate::twin::{SignalIndex, Timestamp};

impl History {
    /// The newest point of `signal` whose source time and receive time are at or before `at`.
    pub fn latest_known(&self, signal: SignalIndex, at: Timestamp) -> Option<Point> {
        let earlier = |point: &Point| self.previous_before(signal, point.source_time);
        std::iter::successors(self.latest_at(signal, at), earlier).find(|point| point.receive_time <= at)
    }
}
