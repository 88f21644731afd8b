//! When a value is too old to be trusted.
//!
//! In: receive times, a signal's `expires`, the moment that is shown. Out: the quality at that moment, and which signals
//! expire next. Never reads a clock: live, the moment is the wall clock of the frame, in replay it is the cursor.

use std::time::Duration;

use bevy::prelude::*;

use super::Point;
use super::queue::MovingQueue;
use crate::value::{Grade, Quality, Reason, SignalIndex, Timestamp};

/// The quality of a signal's latest point at the moment `shown`: its own, unless it has expired since it was received.
/// Bad stays Bad, with its reason; a value without `expires` never goes stale by age.
pub fn quality_at(point: Option<&Point>, expires: Option<Duration>, shown: Timestamp) -> Quality {
    let Some(point) = point else { return Quality::NEVER_SEEN };
    let expired = expires.is_some_and(|expires| shown > point.receive_time + expires);
    if expired && point.quality.grade < Grade::Stale { Quality::stale(Reason::Expired) } else { point.quality }
}

/// Which signals go stale next, so that a live frame asks only those, however many there are.
///
/// Each sample moves its signal's deadline, which costs one store; a frame takes what has passed. In replay the deadlines
/// move with the cursor in both directions: there [`quality_at`] is asked for the signals that change.
#[derive(Resource, Debug, Default)]
pub struct ExpirySchedule {
    deadlines: MovingQueue,
}

impl ExpirySchedule {
    /// Makes room for signals `0..count`; deadlines of those beyond are forgotten.
    pub fn resize(&mut self, count: usize) {
        self.deadlines.resize(count);
    }

    /// A sample of `signal` was received: it expires after `deadline` (receive time + `expires`), no longer earlier.
    pub fn touch(&mut self, signal: SignalIndex, deadline: Timestamp) {
        self.deadlines.set(signal.0, deadline.0);
    }

    /// `signal` no longer expires.
    pub fn forget(&mut self, signal: SignalIndex) {
        self.deadlines.clear(signal.0);
    }

    /// The next deadline, for a window that wants to sleep until then.
    pub fn next_deadline(&mut self) -> Option<Timestamp> {
        self.deadlines.first().map(|(time, _)| Timestamp(time))
    }

    /// Takes out a signal whose deadline lies before `now`, the earliest first. Call until there is none.
    pub fn pop_expired(&mut self, now: Timestamp) -> Option<SignalIndex> {
        self.deadlines.pop_before(now.0).map(|(_, signal)| SignalIndex(signal))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::value::{Origin, Value};

    fn point(source: i64, received: i64, quality: Quality) -> Point {
        let (source_time, receive_time) = (Timestamp(source), Timestamp(received));
        Point { source_time, receive_time, value: Value::Number(1.0), quality, origin: Origin::Measured }
    }

    #[test]
    fn receive_time_and_not_source_time_judges_staleness() {
        let expires = Some(Duration::from_nanos(10));
        let old_source = point(0, 100, Quality::GOOD);
        assert_eq!(
            quality_at(Some(&old_source), expires, Timestamp(110)),
            Quality::GOOD,
            "the last moment is included"
        );
        assert_eq!(quality_at(Some(&old_source), expires, Timestamp(111)), Quality::stale(Reason::Expired));
        assert_eq!(quality_at(Some(&old_source), None, Timestamp::MAX), Quality::GOOD);
        assert_eq!(quality_at(None, expires, Timestamp(0)), Quality::NEVER_SEEN);
    }

    #[test]
    fn bad_beats_stale_and_stale_beats_uncertain() {
        let expires = Some(Duration::from_nanos(10));
        let at = |quality| quality_at(Some(&point(0, 0, quality)), expires, Timestamp(99));
        assert_eq!(at(Quality::bad(Reason::OutOfRange)), Quality::bad(Reason::OutOfRange));
        assert_eq!(at(Quality::uncertain(Reason::Retained)), Quality::stale(Reason::Expired));
        assert_eq!(at(Quality::stale(Reason::Source)), Quality::stale(Reason::Source), "the more telling reason stays");
    }

    #[derive(Clone, Debug)]
    enum Step {
        Touch(u32, i64),
        Forget(u32),
        Expire(i64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0..6_u32, 0..60_i64).prop_map(|(signal, deadline)| Step::Touch(signal, deadline)),
            1 => (0..6_u32).prop_map(Step::Forget),
            1 => (0..60_i64).prop_map(Step::Expire),
        ];
        prop::collection::vec(step, 0..200)
    }

    proptest! {
        #[test]
        fn the_schedule_gives_out_what_a_scan_of_all_deadlines_would(steps in steps()) {
            let mut schedule = ExpirySchedule::default();
            schedule.resize(5);
            let mut naive = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Touch(signal, deadline) => {
                        schedule.touch(SignalIndex(signal), Timestamp(deadline));
                        if signal < 5 {
                            naive.insert(signal, deadline);
                        }
                    }
                    Step::Forget(signal) => {
                        schedule.forget(SignalIndex(signal));
                        naive.remove(&signal);
                    }
                    Step::Expire(now) => {
                        let mut expected: Vec<_> =
                            naive.iter().filter(|(_, at)| **at < now).map(|(signal, at)| (*at, *signal)).collect();
                        expected.sort_unstable();
                        for (_, signal) in expected {
                            naive.remove(&signal);
                            prop_assert_eq!(schedule.pop_expired(Timestamp(now)), Some(SignalIndex(signal)));
                        }
                        prop_assert_eq!(schedule.pop_expired(Timestamp(now)), None);
                    }
                }
                prop_assert_eq!(schedule.next_deadline(), naive.values().min().copied().map(Timestamp));
            }
        }
    }
}
