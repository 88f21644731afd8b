//! The recent past of one signal, for rates of change. In: times and values in source-time order. Out: the value at the
//! start of a window. Bounded: [`SLOTS`] samples over the window, however fast they come.

use std::collections::VecDeque;
use std::time::Duration;

use crate::value::{Origin, Timestamp};

/// A change of a signal over a time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Slope {
    pub from: f64,
    pub to: f64,
    /// Above 0.
    pub nanoseconds: u64,
    /// The less certain one of both ends.
    pub origin: Origin,
}

impl Slope {
    pub fn secs(&self) -> f64 {
        self.nanoseconds as f64 / 1e9
    }

    pub fn per_sec(&self) -> f64 {
        (self.to - self.from) / self.secs()
    }
}

/// Samples kept over a window. Those that come faster than a slot lasts are left out, so that the start of a window is
/// found at most one slot too early; a rate is taken over the true distance all the same.
pub(super) const SLOTS: i64 = 64;

#[derive(Clone, Debug, Default)]
pub(super) struct Trail {
    /// The front is the newest at or before the start of the window, as soon as there is one.
    kept: VecDeque<(i64, f64)>,
    /// From which time on the kept samples have which origin. Mostly one line: with an origin for each sample, they would
    /// take half as much memory again, which thousands of rules feel.
    origins: VecDeque<(i64, Origin)>,
}

impl Trail {
    /// Takes the sample `x` at `now` and gives the change over at least `over`: from x(s) to x(t), where s is the newest kept
    /// time at or before t − over. None until there is one.
    ///
    /// Times never fall; of several samples at one time the last one counts.
    pub fn take(&mut self, now: Timestamp, x: f64, origin: Origin, over: Duration) -> Option<Slope> {
        // A window of no length would divide by nothing.
        let over = i64::try_from(over.as_nanos()).unwrap_or(i64::MAX).max(1);
        let start = now.0.saturating_sub(over);
        match self.kept.back_mut() {
            Some(last) if last.0 == now.0 => {
                last.1 = x;
                self.note_origin(now.0, origin);
            }
            Some(last) if now.0.saturating_sub(last.0) < over / SLOTS => {}
            _ => {
                self.kept.push_back((now.0, x));
                self.note_origin(now.0, origin);
            }
        }
        while self.kept.get(1).is_some_and(|second| second.0 <= start) {
            self.kept.pop_front();
        }
        let &(then, before) = self.kept.front().filter(|first| first.0 <= start)?;
        while self.origins.get(1).is_some_and(|second| second.0 <= then) {
            self.origins.pop_front();
        }
        let other = self.origins.front().map_or(origin, |(_, origin)| *origin);
        Some(Slope { from: before, to: x, nanoseconds: now.0.abs_diff(then), origin: origin.max(other) })
    }

    /// The newest kept sample, at `now`, has this origin.
    fn note_origin(&mut self, now: i64, origin: Origin) {
        match self.origins.back_mut() {
            Some(last) if last.1 == origin => {}
            Some(last) if last.0 == now => last.1 = origin,
            _ => self.origins.push_back((now, origin)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Trail {
        fn rate(&mut self, now: Timestamp, x: f64, over: Duration) -> Option<f64> {
            self.take(now, x, Origin::Measured, over).map(|slope| slope.per_sec())
        }
    }

    const OVER: Duration = Duration::from_secs(10);

    #[test]
    fn the_less_certain_of_both_ends_is_told() {
        use Origin::{Derived, Measured, Simulated};
        let mut trail = Trail::default();
        let mut origin = |secs, origin| trail.take(at(secs), 0.0, origin, OVER).map(|slope| slope.origin);
        assert_eq!([origin(0.0, Measured), origin(5.0, Derived), origin(5.0, Simulated)], [None; 3]);
        assert_eq!(origin(6.0, Measured), None);
        assert_eq!(origin(10.0, Measured), Some(Measured));
        assert_eq!(origin(14.9, Measured), Some(Measured));
        assert_eq!(origin(15.0, Measured), Some(Simulated));
        assert_eq!(origin(15.5, Derived), Some(Simulated));
        assert_eq!(origin(16.0, Measured), Some(Measured));
        assert_eq!(origin(25.5, Measured), Some(Derived));
    }

    fn at(secs: f64) -> Timestamp {
        Timestamp::from_secs_f64(secs)
    }

    #[test]
    fn there_is_no_rate_until_the_window_is_full_and_then_it_is_taken_over_the_window() {
        let mut trail = Trail::default();
        assert_eq!(trail.rate(at(0.0), 5.0, OVER), None);
        assert_eq!(trail.rate(at(9.0), 6.0, OVER), None);
        assert_eq!(trail.rate(at(10.0), 7.0, OVER), Some(0.2), "from 5 to 7 in 10 s");
        assert_eq!(trail.rate(at(21.0), 18.0, OVER), Some(1.0), "from 7 at 10 s to 18 at 21 s");
    }

    #[test]
    fn of_several_samples_at_one_time_the_last_one_counts() {
        let mut trail = Trail::default();
        trail.rate(at(0.0), 5.0, OVER);
        trail.rate(at(0.0), 1.0, OVER);
        assert_eq!(trail.rate(at(10.0), 2.0, OVER), Some(0.1));
    }

    #[test]
    fn a_fast_signal_keeps_few_samples_and_its_rate_stays_right() {
        let mut trail = Trail::default();
        for ms in 0..100_000 {
            let secs = f64::from(ms) / 1000.0;
            let rate = trail.rate(at(secs), 3.0 * secs, OVER);
            assert!(trail.kept.len() <= SLOTS as usize + 2, "{} at {secs}", trail.kept.len());
            match rate {
                None => assert!(secs < 10.0, "no rate at {secs}"),
                Some(rate) => assert!((rate - 3.0).abs() < 1e-6, "{rate} at {secs}"),
            }
        }
    }
}
