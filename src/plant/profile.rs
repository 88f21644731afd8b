//! Inputs that follow a file: a demand over the day, yesterday's speed. In: points in time. Out: the value at a time. Values
//! hold until the next point; the first one also counts before it.

use std::sync::Arc;

/// Values over the time of a simulation.
#[derive(Clone, PartialEq, Debug)]
pub struct Profile {
    /// Nanoseconds since the start and what the input is from then on; ascending times.
    points: Arc<[(u64, f64)]>,
    /// It begins again after so many nanoseconds.
    repeats: Option<u64>,
}

impl Profile {
    /// None without points. Of points at one time the last one counts; those at or behind `repeats` are never reached.
    pub fn new(mut points: Vec<(u64, f64)>, repeats: Option<u64>) -> Option<Self> {
        points.sort_by_key(|(time, _)| *time);
        points.reverse();
        points.dedup_by_key(|(time, _)| *time);
        points.reverse();
        points.retain(|(time, value)| repeats.is_none_or(|repeats| *time < repeats) && value.is_finite());
        // A value that stays is no point: nothing happens there.
        points.dedup_by(|later, earlier| later.1.to_bits() == earlier.1.to_bits());
        let repeats = repeats.filter(|repeats| *repeats > 0);
        (!points.is_empty()).then(|| Self { points: points.into(), repeats })
    }

    pub fn at(&self, time: u64) -> f64 {
        let time = self.repeats.map_or(time, |repeats| time % repeats);
        let after = self.points.partition_point(|(from, _)| *from <= time);
        match (after, self.repeats) {
            (0, None) => self.points[0].1,
            // In the second round what the first one ended with stays until the first point.
            (0, Some(_)) => self.points[self.points.len() - 1].1,
            _ => self.points[after - 1].1,
        }
    }

    /// The least and the greatest value between two times, both within.
    pub fn span(&self, from: u64, until: u64) -> (f64, f64) {
        let first = self.at(from);
        let (mut least, mut most, mut time) = (first, first, from);
        while let Some(next) = self.next(time).filter(|next| *next <= until) {
            let x = self.at(next);
            (least, most, time) = (least.min(x), most.max(x), next);
        }
        (least, most)
    }

    /// When it changes next after a time.
    pub fn next(&self, time: u64) -> Option<u64> {
        let (round, within) = self.repeats.map_or((0, time), |repeats| (time / repeats, time % repeats));
        let after = self.points.partition_point(|(from, _)| *from <= within);
        match (self.points.get(after), self.repeats) {
            (Some((from, _)), repeats) => Some(round * repeats.unwrap_or(0) + from),
            (None, Some(repeats)) => Some((round + 1).checked_mul(repeats)?.checked_add(self.points[0].0)?),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_holds_each_value_until_the_next_and_begins_again() {
        let profile = Profile::new(vec![(30, 3.0), (0, 1.0), (10, 2.0), (20, 2.0)], Some(100)).unwrap();
        let at = [0, 9, 10, 29, 30, 99, 100, 130, 1_005].map(|time| profile.at(time));
        assert_eq!(at, [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 1.0, 3.0, 1.0]);
        assert_eq!(
            [(0, 9), (5, 10), (10, 29), (9, 30)].map(|(from, until)| profile.span(from, until)),
            [(1.0, 1.0), (1.0, 2.0), (2.0, 2.0), (1.0, 3.0)]
        );
        let next = [0, 10, 30, 99, 100, 105].map(|time| profile.next(time));
        assert_eq!(next, [Some(10), Some(30), Some(100), Some(100), Some(110), Some(110)]);
    }

    #[test]
    fn without_repeats_the_last_value_stays_and_nothing_comes_after_it() {
        let profile = Profile::new(vec![(5, 1.0), (7, 2.0), (7, 4.0), (8, f64::NAN)], None).unwrap();
        assert_eq!([0, 5, 7, 1_000].map(|time| profile.at(time)), [1.0, 1.0, 4.0, 4.0]);
        assert_eq!([0, 5, 7].map(|time| profile.next(time)), [Some(5), Some(7), None]);
        assert_eq!(Profile::new(vec![(5, 1.0)], Some(5)), None, "a point that is never reached");
    }
}
