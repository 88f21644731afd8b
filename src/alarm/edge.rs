//! Whether a value is beyond a limit, or still beyond it by its deadband. In: a value, a limit, a deadband, whether the
//! alarm is active. Out: yes or no, of the numbers as they are written: with the limit 0.3 and the deadband 0.1 the value
//! 0.2 is back, though 0.3 - 0.1 in floating point is a little less. Pure; no tolerance.

use crate::value::decimal;

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

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn what_is_far_or_not_finite_is_judged_as_ever() {
        assert!(is_above(f64::INFINITY, 1.0, 0.5, true) && !is_above(f64::NEG_INFINITY, 1.0, 0.5, true));
        assert!(!is_above(f64::NAN, 1.0, 0.5, true) && !is_above(f64::NAN, 1.0, 0.5, false));
        assert!(is_above(1e300, 1.0, 0.0, true) && !is_above(1.0, 1e300, 1e299, true));
    }
}
