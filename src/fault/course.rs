//! When a fault acts, and how much. In: a time. Out: the stretch in which the fault is active, its intensity from 0 to 1,
//! the times at which that changes. Everything follows from the time alone; keeps no state, reads no clock.

use serde::{Deserialize, Serialize};

use crate::value::{Shift, Timestamp};

/// A ramp is seen by a plant in so many steps at most.
const STEPS: u64 = 100;
/// No plant looks again sooner than after so many nanoseconds.
pub(super) const SHORTEST_STEP: u64 = 10_000_000;

/// When a fault begins, grows, ends and comes again. All in nanoseconds, on the time axis of the world that it acts in:
/// since the start for a plant and a scenario, since 1970 for live data ([`Course::shifted`] brings one to the other).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Course {
    /// When it begins for the first time.
    #[serde(default)]
    pub onset: i64,
    /// How long it takes from nothing to its full size, in a straight line; 0 for at once.
    #[serde(default)]
    pub ramp: u64,
    /// How long it acts each time; none: until it is cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<u64>,
    /// Whether it comes again; needs a duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Recurrence>,
}

/// A fault that comes again and again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recurrence {
    /// From one beginning to the next; not shorter than the duration.
    pub every: u64,
    /// How many times in all; none: until it is cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
}

/// One stretch of time in which a fault is active.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bout {
    /// The first moment of it.
    pub from: Timestamp,
    /// The first moment after it; none: it lasts until the fault is cleared.
    pub until: Option<Timestamp>,
}

impl Bout {
    /// Nanoseconds since it began.
    pub fn passed(&self, time: Timestamp) -> u64 {
        time.0.saturating_sub(self.from.0).max(0) as u64
    }
}

impl Course {
    /// From a moment on, at once, until it is cleared.
    pub fn since(onset: Timestamp) -> Self {
        Self { onset: onset.0, ..Self::default() }
    }

    /// The same on another time axis: with the shift from a plant's time 0 to the moment at which it started, from
    /// simulated time to live time.
    #[must_use]
    pub fn shifted(&self, by: Shift) -> Self {
        Self { onset: by.there(Timestamp(self.onset)).0, ..*self }
    }

    /// The bout that a moment lies in.
    pub fn bout(&self, time: Timestamp) -> Option<Bout> {
        let passed = u64::try_from(i128::from(time.0) - i128::from(self.onset)).ok()?;
        let (begin, lasts) = match self.recurrence {
            None => (0, self.duration),
            Some(Recurrence { every, times }) => {
                let every = every.max(1);
                let number = passed / every;
                if times.is_some_and(|times| number >= times) {
                    return None;
                }
                (number * every, Some(self.duration.unwrap_or(every).min(every)))
            }
        };
        let is_over = lasts.is_some_and(|lasts| passed - begin >= lasts);
        let from = later(self.onset, begin);
        (!is_over).then(|| Bout { from, until: lasts.map(|lasts| later(from.0, lasts)) })
    }

    pub fn is_active(&self, time: Timestamp) -> bool {
        self.bout(time).is_some()
    }

    /// How much of its full size the fault has, from 0 to 1: 0 where it is not active.
    pub fn intensity(&self, time: Timestamp) -> f64 {
        self.bout(time).map_or(0.0, |bout| self.risen(bout.passed(time)))
    }

    /// The intensity so many nanoseconds after the beginning of a bout.
    pub(super) fn risen(&self, passed: u64) -> f64 {
        if passed >= self.ramp { 1.0 } else { passed as f64 / self.ramp as f64 }
    }

    /// The integral of the intensity over so many nanoseconds from the beginning of a bout on, in seconds.
    pub(super) fn risen_secs(&self, passed: u64) -> f64 {
        let (passed_secs, ramp_secs) = (passed as f64 / 1e9, self.ramp as f64 / 1e9);
        match passed >= self.ramp {
            true => passed_secs - ramp_secs / 2.0,
            false => passed_secs * passed_secs / (2.0 * ramp_secs),
        }
    }

    /// The first moment after this one at which the fault begins, reaches its full size or ends.
    pub fn next_edge(&self, after: Timestamp) -> Option<Timestamp> {
        let now = self.bout(after);
        let full = now.map(|bout| later(bout.from.0, self.ramp)).filter(|full| *full > after);
        let end = now.and_then(|bout| bout.until);
        [full, end, self.next_onset(after)].into_iter().flatten().min()
    }

    /// The first moment after this one at which a bout begins.
    pub fn next_onset(&self, after: Timestamp) -> Option<Timestamp> {
        if after.0 < self.onset {
            return Some(Timestamp(self.onset)).filter(|_| self.recurrence.is_none_or(|one| one.times != Some(0)));
        }
        let Recurrence { every, times } = self.recurrence?;
        let passed = i128::from(after.0) - i128::from(self.onset);
        let number = passed / i128::from(every.max(1)) + 1;
        if times.is_some_and(|times| number >= i128::from(times)) {
            return None;
        }
        i64::try_from(i128::from(self.onset) + number * i128::from(every.max(1))).ok().map(Timestamp)
    }

    /// The first moment after this one at which a bout ends.
    pub fn next_end(&self, after: Timestamp) -> Option<Timestamp> {
        let end = |bout: Bout| bout.until;
        let now = self.bout(after).and_then(end);
        now.or_else(|| self.bout(self.next_onset(after)?).and_then(end))
    }

    /// When it is over for good; none: when it is cleared.
    pub fn end(&self) -> Option<Timestamp> {
        match self.recurrence {
            None => self.duration.map(|lasts| later(self.onset, lasts)),
            Some(Recurrence { every, times }) => {
                let times = times?;
                let last = later(self.onset, every.saturating_mul(times.saturating_sub(1)));
                Some(if times == 0 { last } else { later(last.0, self.duration.unwrap_or(every).min(every)) })
            }
        }
    }

    /// Nanoseconds from step to step of a ramp as a plant sees it.
    fn step(&self) -> u64 {
        self.ramp.div_ceil(STEPS).max(SHORTEST_STEP)
    }

    /// The intensity as a plant sees it: in steps of a hundredth of the ramp, or of 10 ms where that is longer. It stays
    /// as it is until [`Course::next_step`], so that it does not matter who looks in between.
    pub fn stepped(&self, time: Timestamp) -> f64 {
        let Some(bout) = self.bout(time) else { return 0.0 };
        let passed = bout.passed(time);
        if passed >= self.ramp { 1.0 } else { self.risen(passed - passed % self.step()) }
    }

    /// The first moment after this one at which [`Course::stepped`] changes.
    pub fn next_step(&self, after: Timestamp) -> Option<Timestamp> {
        let rising = self.bout(after).filter(|bout| bout.passed(after) < self.ramp).map(|bout| {
            let passed = bout.passed(after);
            later(bout.from.0, (passed - passed % self.step()).saturating_add(self.step()))
        });
        [rising, self.next_edge(after)].into_iter().flatten().filter(|next| *next > after).min()
    }
}

/// So many nanoseconds later, or the last moment that there is.
pub(super) fn later(time: i64, by: u64) -> Timestamp {
    Timestamp(time.saturating_add_unsigned(by))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fault::testing::courses;

    const SECOND: u64 = 1_000_000_000;

    fn at(secs: f64) -> Timestamp {
        Timestamp::from_secs_f64(secs)
    }

    /// From 10 s on, 4 s to its full size, for 6 s, every 20 s, three times.
    const COURSE: Course = Course {
        onset: 10 * SECOND as i64,
        ramp: 4 * SECOND,
        duration: Some(6 * SECOND),
        recurrence: Some(Recurrence { every: 20 * SECOND, times: Some(3) }),
    };

    #[test]
    fn a_fault_rises_stays_ends_and_comes_again() {
        for begin in [10.0, 30.0, 50.0] {
            for (after, intensity) in
                [(-0.5, 0.0), (0.0, 0.0), (1.0, 0.25), (3.0, 0.75), (4.0, 1.0), (5.9, 1.0), (6.0, 0.0), (13.0, 0.0)]
            {
                assert_eq!(COURSE.intensity(at(begin + after)), intensity, "{after} s after {begin} s");
                let wanted = (0.0..6.0).contains(&after);
                assert_eq!(COURSE.is_active(at(begin + after)), wanted, "{after} s after {begin} s");
            }
        }
        assert!(!COURSE.is_active(at(71.0)), "three times, and no more");
    }

    #[test]
    fn every_edge_is_met_once() {
        let (mut time, mut edges) = (Timestamp(0), Vec::new());
        while let Some(next) = COURSE.next_edge(time) {
            edges.push(next.as_secs_f64());
            time = next;
        }
        assert_eq!(edges, [10.0, 14.0, 16.0, 30.0, 34.0, 36.0, 50.0, 54.0, 56.0]);
        assert_eq!(COURSE.end(), Some(at(56.0)));
        let ends = [0.0, 10.0, 15.9, 16.0, 30.0, 55.9, 56.0].map(|secs| COURSE.next_end(at(secs)));
        assert_eq!(
            ends,
            [Some(16.0), Some(16.0), Some(16.0), Some(36.0), Some(36.0), Some(56.0), None].map(|end| end.map(at))
        );
    }

    #[test]
    fn without_a_duration_it_lasts_until_it_is_cleared() {
        let course = Course::since(at(5.0));
        assert_eq!(course.bout(at(1e9)), Some(Bout { from: at(5.0), until: None }));
        assert_eq!((course.next_edge(at(5.0)), course.end()), (None, None));
        assert!(!course.is_active(Timestamp(at(5.0).0 - 1)), "not a nanosecond before its onset");
    }

    #[test]
    fn a_plant_sees_a_ramp_in_a_hundred_steps() {
        let course = Course { ramp: 200 * SECOND, ..Course::since(at(0.0)) };
        let (mut time, mut seen) = (Timestamp(-1), vec![course.stepped(Timestamp(-1))]);
        while let Some(next) = course.next_step(time) {
            assert_eq!(course.stepped(Timestamp(next.0 - 1)), *seen.last().unwrap(), "it changes at a step alone");
            seen.push(course.stepped(next));
            time = next;
        }
        assert_eq!(seen.len(), 102, "nothing before, nothing at the onset, then a hundred steps");
        assert_eq!((seen[1], seen[2], seen[51], seen[101]), (0.0, 0.01, 0.5, 1.0));
        let short = Course { ramp: 25_000_000, ..Course::since(at(0.0)) };
        assert_eq!(short.next_step(at(0.0)), Some(Timestamp(10_000_000)), "no step is shorter than 10 ms");
        assert_eq!(short.next_step(Timestamp(20_000_000)), Some(Timestamp(25_000_000)), "the last one is");
    }

    #[test]
    fn a_course_moves_to_another_time_axis() {
        let start = at(1_700_000_000.0);
        let live = COURSE.shifted(Shift::between(Timestamp(0), start));
        assert_eq!(live.intensity(Timestamp(start.0 + at(11.0).0)), 0.25);
    }

    #[test]
    fn a_course_is_written_without_what_it_does_not_have() {
        let text = serde_json::to_string(&Course::since(Timestamp(7))).unwrap();
        assert_eq!(text, r#"{"onset":7,"ramp":0}"#);
        assert_eq!(serde_json::from_str::<Course>("{}").unwrap(), Course::default());
        assert!(serde_json::from_str::<Course>(r#"{"until":7}"#).is_err(), "unknown fields are refused");
    }

    proptest! {
        #[test]
        fn between_two_edges_nothing_begins_or_ends(course in courses(), time in -1_000_000_000..90_000_000_000_i64) {
            let time = Timestamp(time);
            let next = course.next_edge(time).unwrap_or(Timestamp(time.0 + 1_000_000_000));
            prop_assert!(next > time);
            let last = Timestamp(next.0 - 1);
            prop_assert_eq!(course.bout(time), course.bout(last));
            prop_assert!(course.intensity(time) <= course.intensity(last));
            prop_assert!(course.next_step(time).is_none_or(|step| step <= next));
            if let Some(bout) = course.bout(time) {
                prop_assert!(bout.from <= time && bout.until.is_none_or(|until| time < until));
                prop_assert!(!course.is_active(Timestamp(bout.from.0 - 1)) || course.recurrence.is_some());
            }
        }

        #[test]
        fn no_course_overflows(
            onset in any::<i64>(), ramp in any::<u64>(), duration in any::<Option<u64>>(),
            again in any::<Option<(u64, Option<u64>)>>(), time in any::<i64>(),
        ) {
            let recurrence = again.map(|(every, times)| Recurrence { every, times });
            let course = Course { onset, ramp, duration, recurrence };
            let time = Timestamp(time);
            prop_assert!((0.0..=1.0).contains(&course.intensity(time)) && (0.0..=1.0).contains(&course.stepped(time)));
            let _ = (course.next_edge(time), course.next_step(time), course.next_end(time), course.end());
        }
    }
}
