//! When a keyframe is due. In: how much was heard, what the last one weighed. Out: yes or no. Never reads a clock.

use std::time::Duration;

use crate::value::Timestamp;

/// Between two keyframes, on the session's clock, at least.
pub const KEYFRAMES: Duration = Duration::from_secs(5);
/// Between two keyframes with the large states of producers, at least.
pub const LARGE_STATES: Duration = Duration::from_secs(60);

/// Due some seconds after the last, but not before what was heard since then weighs as much as it did: keyframes take no
/// more than half of a recording. None is due while nothing is heard.
#[derive(Debug)]
pub struct Pace {
    period: Duration,
    last: Option<(Timestamp, u64)>,
    /// Bytes since then.
    heard: u64,
}

impl Pace {
    pub fn new(period: Duration) -> Self {
        Self { period, last: None, heard: 0 }
    }

    pub fn heard(&mut self, bytes: u64) {
        self.heard += bytes;
    }

    pub fn keyframe(&mut self, time: Timestamp, bytes: u64) {
        self.last = Some((time, bytes));
        self.heard = 0;
    }

    /// `now` is the receive time of the newest message.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.heard > 0 && self.last.is_none_or(|(time, bytes)| now >= time + self.period && self.heard >= bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyframes_come_every_some_seconds_and_never_outweigh_the_messages() {
        let secs = |secs: i64| Timestamp(secs * 1_000_000_000);
        let mut pace = Pace::new(KEYFRAMES);
        assert!(!pace.is_due(secs(100)), "nothing to tell");
        pace.keyframe(secs(0), 1000);
        pace.heard(999);
        assert!(!pace.is_due(secs(60)), "too little was heard");
        pace.heard(1);
        assert!(!pace.is_due(secs(4)), "too early");
        assert!(pace.is_due(secs(5)));
        pace.keyframe(secs(5), 2);
        assert!(!pace.is_due(secs(1000)), "nothing was heard since");
    }
}
