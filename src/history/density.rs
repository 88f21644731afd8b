//! How much came when, and where nothing came: counts in equal stretches of time.
//!
//! In: how many samples were received at a moment (of a live session), or the counts of a recording. Out: rates for the
//! columns of a picture, and the holes that playing may jump over. Bounded memory, however long a session lasts: when it is
//! full, two stretches become one. Never reads a clock.

use super::Extent;
use crate::value::Timestamp;

/// Stretches that are kept at most: 18 hours in seconds, then in two seconds each, and so on.
const CAPACITY: usize = 1 << 16;
const FIRST_WIDTH: i64 = 1_000_000_000;

/// Samples by receive time, which rises.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Density {
    /// Of the first stretch, in nanoseconds.
    first: i64,
    /// Of each stretch, in nanoseconds.
    width: i64,
    counts: Vec<u32>,
}

impl Default for Density {
    fn default() -> Self {
        Self { first: 0, width: FIRST_WIDTH, counts: Vec::new() }
    }
}

impl Density {
    /// What comes before the first one counts as coming with it.
    pub fn add(&mut self, at: Timestamp, count: usize) {
        if self.counts.is_empty() {
            self.first = at.0.saturating_sub(at.0.rem_euclid(self.width));
        }
        let mut place = self.place(at);
        while place >= CAPACITY {
            self.join_pairs();
            place = self.place(at);
        }
        if place >= self.counts.len() {
            self.counts.resize(place + 1, 0);
        }
        if let Some(counted) = self.counts.get_mut(place) {
            *counted = counted.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        }
    }

    fn place(&self, at: Timestamp) -> usize {
        let into = at.0.saturating_sub(self.first).max(0) / self.width;
        usize::try_from(into).unwrap_or(usize::MAX)
    }

    fn join_pairs(&mut self) {
        let pair = |pair: &[u32]| pair.iter().fold(0u32, |sum, count| sum.saturating_add(*count));
        self.counts = self.counts.chunks(2).map(pair).collect();
        self.width = self.width.saturating_mul(2);
    }

    pub fn counts(&self) -> Counts<'_> {
        let nanos = i128::from(self.width) * self.counts.len() as i128;
        let to = i64::try_from(i128::from(self.first) + nanos).unwrap_or(i64::MAX);
        Counts { from: Timestamp(self.first), to: Timestamp(to), counts: &self.counts }
    }
}

/// Counts in equal stretches of `from..to`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Counts<'a> {
    pub from: Timestamp,
    pub to: Timestamp,
    pub counts: &'a [u32],
}

impl<'a> Counts<'a> {
    /// Of a recording its own, of a live session what has arrived.
    pub fn of(extent: &'a Extent, arrivals: &'a Density) -> Self {
        match extent {
            Extent::Live => arrivals.counts(),
            Extent::Recorded { start, end, density } => Counts { from: *start, to: *end, counts: density },
        }
    }

    fn span(&self) -> i128 {
        i128::from(self.to.0) - i128::from(self.from.0)
    }

    /// Where `at` lies, in stretches from the first one.
    fn position(&self, at: Timestamp) -> f64 {
        (i128::from(at.0) - i128::from(self.from.0)) as f64 / self.span().max(1) as f64 * self.counts.len() as f64
    }

    /// Where a stretch begins. One too many gives the end.
    fn edge(&self, place: usize) -> Timestamp {
        let into = self.span() * place as i128 / (self.counts.len().max(1)) as i128;
        // Between from and to, so it fits.
        Timestamp((i128::from(self.from.0) + into) as i64)
    }

    /// Counts per second in `columns` equal stretches of `from..to`; nought where nothing is known.
    pub fn rates(&self, from: Timestamp, to: Timestamp, columns: usize) -> Vec<f32> {
        if from >= to || self.counts.is_empty() || self.span() <= 0 {
            return vec![0.0; columns];
        }
        let secs = to.secs_since(from) / columns.max(1) as f64;
        let (first, last) = (self.position(from), self.position(to));
        let step = (last - first) / columns.max(1) as f64;
        let rate =
            |column: usize| (self.sum(first + step * column as f64, first + step * (column + 1) as f64) / secs) as f32;
        (0..columns).map(rate).collect()
    }

    /// What lies between two positions; of a stretch that is cut its share.
    fn sum(&self, from: f64, to: f64) -> f64 {
        let (from, to) = (from.max(0.0), to.min(self.counts.len() as f64));
        if from >= to {
            return 0.0;
        }
        // Both lie within the counts, so they fit.
        let (first, last) = (from.floor() as usize, to.ceil() as usize);
        let parts = self.counts.get(first..last).unwrap_or_default();
        let share = |at: usize| (to.min((at + 1) as f64) - from.max(at as f64)).max(0.0);
        parts.iter().zip(first..).map(|(count, at)| f64::from(*count) * share(at)).sum()
    }

    /// The stretch around `at` in which nothing came, within `ends`; none if something did, or if nothing is known.
    pub fn hole(&self, at: Timestamp, ends: (Timestamp, Timestamp)) -> Option<(Timestamp, Timestamp)> {
        if self.counts.is_empty() || self.span() <= 0 || ends.0 >= ends.1 {
            return None;
        }
        let place = (i128::from(at.0) - i128::from(self.from.0)) * self.counts.len() as i128 / self.span();
        let (from, to) = if at < self.from {
            let to = self.counts.iter().position(|count| *count > 0).map_or(ends.1, |first| self.edge(first));
            (ends.0, to)
        } else {
            let place = usize::try_from(place).unwrap_or(usize::MAX).min(self.counts.len());
            if self.counts.get(place).is_some_and(|count| *count > 0) {
                return None;
            }
            let before = self.counts.get(..place).and_then(|counts| counts.iter().rposition(|count| *count > 0));
            let after = self.counts.get(place..).and_then(|counts| counts.iter().position(|count| *count > 0));
            let from = before.map_or(ends.0, |before| self.edge(before + 1));
            (from, after.map_or(ends.1, |after| self.edge(place + after)))
        };
        let hole = (from.max(ends.0), to.min(ends.1));
        (hole.0 < hole.1).then_some(hole)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secs(at: i64) -> Timestamp {
        Timestamp(at * 1_000_000_000)
    }

    fn arrivals(seconds: &[(i64, usize)]) -> Density {
        let mut density = Density::default();
        seconds.iter().for_each(|(at, count)| density.add(secs(*at), *count));
        density
    }

    #[test]
    fn rates_are_per_second_and_a_stretch_that_is_cut_gives_its_share() {
        let density = arrivals(&[(10, 4), (11, 8), (13, 2)]);
        let counts = density.counts();
        assert_eq!(counts.rates(secs(10), secs(14), 4), [4.0, 8.0, 0.0, 2.0]);
        assert_eq!(counts.rates(secs(10), secs(14), 2), [6.0, 1.0]);
        assert_eq!(counts.rates(secs(10), secs(11), 2), [4.0, 4.0]);
        assert_eq!(counts.rates(secs(0), secs(8), 2), [0.0, 0.0], "nothing is known of it");
        assert_eq!(Density::default().counts().rates(secs(0), secs(8), 2), [0.0, 0.0]);
    }

    #[test]
    fn a_hole_lies_between_the_stretches_that_hold_something() {
        let density = arrivals(&[(10, 1), (11, 1), (40, 1), (41, 1)]);
        let (counts, ends) = (density.counts(), (secs(0), secs(60)));
        assert_eq!(counts.hole(secs(20), ends), Some((secs(12), secs(40))));
        assert_eq!(counts.hole(secs(12), ends), Some((secs(12), secs(40))));
        assert_eq!(counts.hole(secs(11), ends), None);
        assert_eq!(counts.hole(secs(3), ends), Some((secs(0), secs(10))), "before all of it");
        assert_eq!(counts.hole(secs(50), ends), Some((secs(42), secs(60))), "behind all of it");
        assert_eq!(Density::default().counts().hole(secs(5), ends), None, "nothing is known");
    }

    #[test]
    fn a_week_takes_no_more_room_than_a_day_and_loses_no_count() {
        let mut density = Density::default();
        (0..7 * 86_400).for_each(|at| density.add(secs(at), 3));
        assert!(density.counts.len() <= CAPACITY);
        let total: u64 = density.counts.iter().map(|count| u64::from(*count)).sum();
        assert_eq!(total, 7 * 86_400 * 3);
        assert_eq!(density.counts().rates(secs(1_000), secs(2_000), 1), [3.0]);
    }

    proptest! {
        #[test]
        fn no_time_however_wild_breaks_it(
            times in prop::collection::vec(any::<i64>(), 1..20), at in any::<i64>(), from in any::<i64>(), to in any::<i64>(),
        ) {
            let mut density = Density::default();
            times.iter().for_each(|time| density.add(Timestamp(*time), 1));
            let counts = density.counts();
            prop_assert!(counts.counts.len() <= CAPACITY);
            prop_assert_eq!(counts.rates(Timestamp(from), Timestamp(to), 7).len(), 7);
            if let Some((first, last)) = counts.hole(Timestamp(at), (Timestamp(from), Timestamp(to))) {
                prop_assert!(Timestamp(from) <= first && first < last && last <= Timestamp(to));
            }
        }
    }
}
