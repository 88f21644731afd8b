//! Numbers of a recording in order of time, and on an even grid. In: times and numbers. Out: gaps, steps of readings,
//! values of a grid, whether they count something. Pure.

use crate::value::Timestamp;

/// A grid has so many points at most: the newest are taken.
const LONGEST: usize = 1 << 16;

/// Numbers in order of time; of two of one time, the later one.
#[derive(Clone, Debug, Default)]
pub(super) struct Series {
    /// Nanoseconds since the origin.
    pub times: Vec<i64>,
    pub values: Vec<f64>,
}

/// Values at even times.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// Seconds from the origin to the first value.
    pub begin: f64,
    /// Nanoseconds.
    pub step: u64,
    /// NaN where nothing was read.
    pub values: Vec<f64>,
}

impl Grid {
    pub fn step_secs(&self) -> f64 {
        self.step as f64 / 1e9
    }
}

impl Series {
    /// `samples` in any order.
    pub fn new(samples: impl Iterator<Item = (Timestamp, f64)>, origin: Timestamp) -> Self {
        let finite = samples.filter(|(_, x)| x.is_finite());
        let mut samples: Vec<(i64, f64)> = finite.map(|(time, x)| (time.0.saturating_sub(origin.0), x)).collect();
        samples.sort_by_key(|(time, _)| *time);
        let mut series = Self::default();
        for (time, x) in samples {
            match (series.times.last(), series.values.last_mut()) {
                (Some(last), Some(value)) if *last == time => *value = x,
                _ => {
                    series.times.push(time);
                    series.values.push(x);
                }
            }
        }
        series
    }

    /// The newest value that is not from behind a time.
    pub fn held(&self, time: i64) -> Option<f64> {
        let behind = self.times.partition_point(|at| *at <= time);
        self.values.get(behind.checked_sub(1)?).copied()
    }

    /// On a grid as wide as the median gap. Where the gaps are so uneven that half of it would be empty, as for what is
    /// sent when it changes, values are held over a grid of as many points as there are samples.
    pub fn grid(&self) -> Option<Grid> {
        let (first, last) = (*self.times.first()?, *self.times.last()?);
        let gap = median_gap(&self.times)?;
        let nearest = |time: i64| ((time - first) as f64 / gap as f64).round() as usize;
        let filled = {
            let mut places: Vec<usize> = self.times.iter().map(|time| nearest(*time)).collect();
            places.dedup();
            places.len() as f64 / (nearest(last) + 1) as f64
        };
        if filled < 0.5 {
            let count = (self.times.len() - 1).clamp(1, LONGEST);
            let step = ((last - first) / count as i64).max(1);
            let values = (0..=count as i64).map(|at| self.held(first + at * step).unwrap_or(f64::NAN)).collect();
            return Some(Grid { begin: first as f64 / 1e9, step: step as u64, values });
        }
        let count = nearest(last) + 1;
        let skipped = count.saturating_sub(LONGEST);
        let mut values = vec![f64::NAN; count - skipped];
        for (time, x) in self.times.iter().zip(&self.values) {
            if let Some(value) = nearest(*time).checked_sub(skipped).and_then(|at| values.get_mut(at)) {
                *value = *x;
            }
        }
        let begin = first + skipped as i64 * gap;
        Some(Grid { begin: begin as f64 / 1e9, step: gap as u64, values })
    }

    /// Different values, ascending.
    pub fn distinct(&self) -> Vec<f64> {
        let mut values = self.values.clone();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    }

    /// How fast it rises, if it does nothing else but begin again now and then: in one second, and from where to where.
    /// `least` rises must have been seen.
    pub fn rise(&self, least: usize) -> Option<(f64, Option<(f64, f64)>)> {
        let (low, high) = self.values.iter().fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(*x), b.max(*x)));
        let (mut rises, mut risen, mut secs, mut again) = (0, 0.0, 0.0, 0);
        for (times, values) in self.times.windows(2).zip(self.values.windows(2)) {
            let (gap, more) = ((times[1] - times[0]) as f64 / 1e9, values[1] - values[0]);
            if more < 0.0 {
                // From near the top to near the bottom, or it is no counter.
                if values[0] < high - 0.2 * (high - low) || values[1] > low + 0.2 * (high - low) {
                    return None;
                }
                again += 1;
                continue;
            }
            rises += usize::from(more > 0.0);
            risen += more;
            secs += gap;
        }
        let is_rising = rises >= least && rises > 10 * again && secs > 0.0;
        is_rising.then(|| (risen / secs, (again > 0).then_some((low, high))))
    }
}

/// The gap between two times that half of all gaps are shorter than.
pub(super) fn median_gap(times: &[i64]) -> Option<i64> {
    let mut gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 0).collect();
    if gaps.is_empty() {
        return None;
    }
    let middle = gaps.len() / 2;
    Some(*gaps.select_nth_unstable(middle).1)
}

/// The step of which all of some values are multiples; 0 if there is none. `distinct` ascends.
pub(super) fn resolution(distinct: &[f64]) -> f64 {
    let largest = distinct.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let gaps = distinct.windows(2).map(|pair| pair[1] - pair[0]);
    let Some(least) = gaps.filter(|gap| *gap > 1e-9 * largest).min_by(f64::total_cmp) else { return 0.0 };
    // The difference of two readings has lost digits that the step has not.
    let step = format!("{least:.5e}").parse::<f64>().unwrap_or(least);
    let is_multiple = |x: &f64| {
        let parts = x / step;
        (parts - parts.round()).abs() < 1e-3
    };
    let is_grid = largest / step < 1e7 && distinct.iter().all(is_multiple);
    if is_grid { step } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(samples: &[(f64, f64)]) -> Series {
        Series::new(samples.iter().map(|(secs, x)| (Timestamp((secs * 1e9) as i64), *x)), Timestamp(0))
    }

    #[test]
    fn a_grid_is_as_wide_as_the_median_gap_and_empty_where_nothing_was_read() {
        let grid = series(&[(2.0, 1.0), (3.01, 2.0), (4.0, 3.0), (7.0, 6.0), (8.0, 7.0), (9.0, 8.0)]).grid();
        let grid = grid.expect("a grid");
        assert_eq!((grid.begin, grid.step), (2.0, 1_000_000_000));
        assert_eq!(
            grid.values.iter().map(|x| x.is_nan()).collect::<Vec<_>>(),
            [false, false, false, true, true, false, false, false]
        );
        let sparse = series(&[(0.0, 1.0), (0.1, 2.0), (0.2, 3.0), (100.0, 4.0), (100.1, 5.0)]).grid().expect("a grid");
        assert_eq!(sparse.values, [1.0, 3.0, 3.0, 3.0, 5.0], "held where it is said on change");
    }

    #[test]
    fn a_step_is_found_where_there_is_one() {
        let readings =
            |step: f64| (0..400).map(|at| (f64::from(at * at % 97) / step).round() * step).collect::<Vec<_>>();
        for step in [0.001, 0.05, 0.1, 0.5, 1.0, 25.0] {
            let distinct = series(
                &readings(step)
                    .iter()
                    .map(|x| (0.0, *x))
                    .enumerate()
                    .map(|(at, (_, x))| (at as f64, x))
                    .collect::<Vec<_>>(),
            )
            .distinct();
            let found = resolution(&distinct);
            let parts = found / step;
            assert!(found > 0.0 && (parts - parts.round()).abs() < 1e-9, "{step}: {found}");
        }
        assert_eq!(resolution(&[0.1, 0.25, 0.26131, 0.9]), 0.0);
        assert_eq!(resolution(&[5.0]), 0.0);
    }

    #[test]
    fn what_only_rises_is_a_counter_and_may_begin_again() {
        let rising: Vec<(f64, f64)> = (0..40).map(|at| (f64::from(at), f64::from(at / 2))).collect();
        let (rate, wraps) = series(&rising).rise(10).expect("it rises");
        assert!((rate - 0.5).abs() < 0.02 && wraps.is_none(), "{rate} {wraps:?}");
        let again: Vec<(f64, f64)> = (0..80).map(|at| (f64::from(at), f64::from(at % 60))).collect();
        assert_eq!(series(&again).rise(10), Some((1.0, Some((0.0, 59.0)))));
        let falls: Vec<(f64, f64)> = (0..40).map(|at| (f64::from(at), f64::from(at % 7))).collect();
        assert!(
            series(&falls).rise(10).is_none_or(|(_, wraps)| wraps.is_none()) && series(&[(0.0, 1.0)]).rise(1).is_none()
        );
    }
}
