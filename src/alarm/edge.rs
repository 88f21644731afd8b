//! Whether a value is beyond a limit, or still beyond it by its deadband. In: a value, a limit, a deadband, whether the
//! alarm is active. Out: yes or no, of the numbers as they are written: with the limit 0.3 and the deadband 0.1 the value
//! 0.2 is back, though 0.3 - 0.1 in floating point is a little less. Pure; no tolerance.
//!
//! A rate is the quotient of a change and a time, which has no decimals at its edge: 0.7 in 42 s is 1 in a minute. Near
//! the edge the change times the time of the limit is compared with the limit times the time of the change: whole
//! nanoseconds and decimal numbers, all exact. Far from it, which is nearly always, floats tell as much.

use std::cmp::Ordering;
use std::time::Duration;

use super::trail::Slope;
use crate::scene::rule::Direction;
use crate::value::decimal::{self, Decimal};

/// A difference of two floats, however it is rounded, lies within this share of both from that of their texts.
const NEAR: f64 = 4.0 * f64::EPSILON;

/// Whether `x` is above `limit`; of an active alarm whether it is above the edge that lies a deadband below.
#[inline]
pub(super) fn is_above(x: f64, limit: f64, deadband: f64, active: bool) -> bool {
    if !active {
        return x > limit;
    }
    let edge = limit - deadband;
    if (x - edge).abs() > NEAR * (limit.abs() + deadband) { x > edge } else { x > decimal::sum(limit, -deadband) }
}

/// The same for values below a limit, of which the edge lies above.
#[inline]
pub(super) fn is_below(x: f64, limit: f64, deadband: f64, active: bool) -> bool {
    is_above(-x, -limit, deadband, active)
}

/// Whether `x` differs from another value by more than `limit`.
#[inline]
pub(super) fn is_apart(x: f64, from: f64, limit: f64, deadband: f64, active: bool) -> bool {
    let by = (x - from).abs();
    let edge = if active { limit - deadband } else { limit };
    if (by - edge).abs() > NEAR * (x.abs() + from.abs() + limit + deadband) {
        by > edge
    } else {
        is_above(decimal::sum(x, -from).abs(), limit, deadband, active)
    }
}

/// What a rate of change is compared with.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct RateLimits {
    pub direction: Direction,
    pub limit_per_sec: f64,
    pub deadband_per_sec: f64,
    /// The time for which both were written.
    pub per: Duration,
}

/// Whether a signal changes faster than its limit; of an active alarm whether it still changes faster than the edge that
/// lies a deadband below.
#[inline]
pub(super) fn is_faster(slope: &Slope, limits: &RateLimits, active: bool) -> bool {
    let rate = slope.per_sec();
    let size = match limits.direction {
        Direction::Rising => rate,
        Direction::Falling => -rate,
        Direction::Either => rate.abs(),
    };
    let (limit, deadband) = (limits.limit_per_sec, limits.deadband_per_sec);
    let edge = if active { limit - deadband } else { limit };
    let rounded = NEAR * ((slope.from.abs() + slope.to.abs()) / slope.secs() + limit + deadband);
    if (size - edge).abs() > rounded {
        return size > edge;
    }
    is_faster_exactly(slope, limits, active).unwrap_or(size > edge)
}

/// None where the numbers have too many digits.
#[cold]
fn is_faster_exactly(slope: &Slope, limits: &RateLimits, active: bool) -> Option<bool> {
    let change = Decimal::of(slope.to)?.plus(Decimal::of(slope.from)?.negated())?;
    let change = match limits.direction {
        Direction::Rising => change,
        Direction::Falling => change.negated(),
        Direction::Either if change.is_negative() => change.negated(),
        Direction::Either => change,
    };
    // As it was written: what 15 digits say is not lost by a division and its inverse.
    let per_secs = limits.per.as_secs_f64();
    let written = |per_sec: f64| Decimal::parse(&format!("{:.14e}", per_sec * per_secs));
    let mut edge = written(limits.limit_per_sec)?;
    if active {
        edge = edge.plus(written(limits.deadband_per_sec)?.negated())?;
    }
    let per = u64::try_from(limits.per.as_nanos()).ok()?;
    let shared = greatest_common(per, slope.nanoseconds);
    let order = change.times(per / shared)?.compare(edge.times(slope.nanoseconds / shared)?)?;
    Some(order == Ordering::Greater)
}

/// The greatest number that divides both.
fn greatest_common(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Origin;

    /// `0.3` of 3.
    fn tenths(n: i32) -> f64 {
        format!("{}{}.{}", if n < 0 { "-" } else { "" }, n.abs() / 10, n.abs() % 10).parse().unwrap()
    }

    #[test]
    fn of_all_numbers_with_one_decimal_the_edge_clears_and_the_next_beyond_does_not() {
        for limit in -300..=300 {
            for deadband in 0..=60 {
                let (at, band) = (tenths(limit), tenths(deadband));
                let below = |n: i32| is_below(tenths(n), at, band, true);
                let above = |n: i32| is_above(tenths(n), at, band, true);
                assert!(!above(limit - deadband) && above(limit - deadband + 1), "above {at} by {band}");
                assert!(!below(limit + deadband) && below(limit + deadband - 1), "below {at} by {band}");
                assert!(!is_above(at, at, band, false) && !is_below(at, at, band, false), "the limit itself is fine");
            }
        }
    }

    #[test]
    fn a_difference_is_that_of_the_numbers_as_they_are_written() {
        for from in -50..=50 {
            for limit in 1..=30 {
                for deadband in 0..=limit {
                    let apart = |n: i32, active| {
                        is_apart(tenths(from + n), tenths(from), tenths(limit), tenths(deadband), active)
                    };
                    assert!(!apart(limit, false) && apart(limit + 1, false), "{from} {limit}");
                    assert!(!apart(-limit, false) && apart(-limit - 1, false), "{from} {limit}");
                    let edge = limit - deadband;
                    assert!(!apart(edge, true) && apart(edge + 1, true), "{from} {limit} {deadband}");
                    assert!(!apart(-edge, true) && apart(-edge - 1, true), "{from} {limit} {deadband}");
                }
            }
        }
    }

    /// A limit and a deadband for a time, and a change by so many tenths in so many seconds.
    fn changes(
        direction: Direction,
        (limit, deadband, per): (i32, i32, u64),
        from: i32,
        by: i32,
        secs: u64,
    ) -> [bool; 2] {
        let per_sec = |n| tenths(n) / per as f64;
        let (limit_per_sec, deadband_per_sec) = (per_sec(limit), per_sec(deadband));
        let limits = RateLimits { direction, limit_per_sec, deadband_per_sec, per: Duration::from_secs(per) };
        let nanoseconds = secs * 1_000_000_000;
        let slope = Slope { from: tenths(from), to: tenths(from + by), nanoseconds, origin: Origin::Measured };
        [false, true].map(|active| is_faster(&slope, &limits, active))
    }

    #[test]
    fn a_rate_at_its_limit_or_at_the_edge_of_its_deadband_is_not_beyond_it_and_a_tenth_more_is() {
        for per in [1, 60, 3600, 90] {
            for secs in [1, 2, 3, 7, 10, 30, 42, 60, 61, 90, 600, 3600] {
                for (limit, deadband) in [(1, 0), (3, 1), (7, 2), (10, 3), (12, 5), (20, 20), (33, 4), (501, 7)] {
                    for from in [-1000, -37, 0, 3, 213, 9999] {
                        // change / secs against edge / per, in whole tenths.
                        let beyond = |edge: i32, by: i32| i64::from(by) * per as i64 > i64::from(edge) * secs as i64;
                        let at = |edge: i32| (i64::from(edge) * secs as i64 / per as i64) as i32;
                        for edge in [limit, limit - deadband] {
                            for by in at(edge) - 1..=at(edge) + 2 {
                                let right = [beyond(limit, by), beyond(limit - deadband, by)];
                                let band = (limit, deadband, per);
                                let said = || format!("{limit} - {deadband} per {per} s, {from} + {by} in {secs} s");
                                assert_eq!(changes(Direction::Rising, band, from, by, secs), right, "{}", said());
                                assert_eq!(changes(Direction::Falling, band, from, -by, secs), right, "{}", said());
                                if by >= 0 {
                                    assert_eq!(changes(Direction::Either, band, from, by, secs), right, "{}", said());
                                    assert_eq!(changes(Direction::Either, band, from, -by, secs), right, "{}", said());
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_rate_of_a_number_of_many_digits_is_judged_by_its_floats() {
        let limits = RateLimits {
            direction: Direction::Rising,
            limit_per_sec: 1e-300,
            deadband_per_sec: 0.0,
            per: Duration::from_secs(1),
        };
        let slope = |to| Slope { from: 1e300, to, nanoseconds: 1_000_000_000, origin: Origin::Measured };
        assert!(!is_faster(&slope(1e300), &limits, false) && is_faster(&slope(1.1e300), &limits, true));
    }

    #[test]
    fn what_is_far_or_not_finite_is_judged_as_ever() {
        assert!(is_above(f64::INFINITY, 1.0, 0.5, true) && !is_above(f64::NEG_INFINITY, 1.0, 0.5, true));
        assert!(!is_above(f64::NAN, 1.0, 0.5, true) && !is_above(f64::NAN, 1.0, 0.5, false));
        assert!(is_above(1e300, 1.0, 0.0, true) && !is_above(1.0, 1e300, 1e299, true));
    }
}
