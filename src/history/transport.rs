//! How the cursor plays: speeds to choose from, how to catch up, holes without data that it jumps over.
//!
//! In: a cursor, counts of what came when. Out: another cursor, speeds. Never reads a clock.

use std::time::Duration;

use bevy::prelude::Resource;

use super::{Counts, Cursor};
use crate::value::Timestamp;

/// Source seconds a second, either way.
pub const SPEEDS: [f64; 16] =
    [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];

/// Playing jumps over stretches without data that last longer than this; none: it plays through them.
#[derive(Resource, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SkipGaps(pub Option<Duration>);

/// The next faster speed in the same direction; the fastest stays.
pub fn faster(speed: f64) -> f64 {
    let found = SPEEDS.into_iter().find(|choice| *choice > speed.abs() * 1.000_001);
    found.unwrap_or(SPEEDS[SPEEDS.len() - 1]).copysign(speed)
}

/// The next finer speed in the same direction; the slowest stays.
pub fn slower(speed: f64) -> f64 {
    let found = SPEEDS.into_iter().rev().find(|choice| *choice < speed.abs() * 0.999_999);
    found.unwrap_or(SPEEDS[0]).copysign(speed)
}

/// So fast that live is reached in some ten seconds, and fast enough to be seen to come nearer.
pub fn catch_up_speed(behind_secs: f64) -> f64 {
    const WITHIN_SECS: f64 = 10.0;
    if behind_secs.is_finite() { (1.0 + behind_secs / WITHIN_SECS).clamp(2.0, 1000.0) } else { 1000.0 }
}

/// A cursor that plays in a hole of more than `longest` goes on where it ends. `ends` are those of time: a hole that reaches
/// the end is jumped over to the end. Beyond the end nothing is missing: there the cursor plays on.
pub fn skip_hole(cursor: Cursor, counts: &Counts, ends: (Timestamp, Timestamp), longest: Duration) -> Cursor {
    let Cursor::Playing { at, speed } = cursor else { return cursor };
    if at > ends.1 {
        return cursor;
    }
    match counts.hole(at, ends) {
        Some((from, to)) if to.secs_since(from) > longest.as_secs_f64() => {
            // Backwards into the stretch that holds something, not to its far edge.
            let at = if speed > 0.0 { to } else { (from - Duration::from_nanos(1)).max(ends.0) };
            Cursor::Playing { at, speed }
        }
        _ => cursor,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Density;

    fn secs(at: i64) -> Timestamp {
        Timestamp(at * 1_000_000_000)
    }

    #[test]
    fn speeds_go_up_and_down_a_ladder_and_keep_their_direction() {
        assert_eq!([1.0, -1.0, 3.0, 1000.0, 0.01].map(faster), [2.0, -2.0, 5.0, 1000.0, 0.02]);
        assert_eq!([1.0, -1.0, 3.0, 1000.0, 0.01].map(slower), [0.5, -0.5, 2.0, 500.0, 0.01]);
    }

    #[test]
    fn catching_up_takes_some_ten_seconds_however_far_behind() {
        for behind in [0.0, 5.0, 60.0, 3_600.0] {
            let speed = catch_up_speed(behind);
            // Live runs away at one second a second.
            assert!(behind / (speed - 1.0) <= 10.0 + 1e-9, "{behind} s at ×{speed}");
        }
        assert_eq!([1e9, f64::NAN].map(catch_up_speed), [1000.0, 1000.0]);
    }

    #[test]
    fn playing_jumps_over_long_holes_both_ways_and_plays_through_short_ones() {
        let mut density = Density::default();
        [10, 11, 40, 41].into_iter().for_each(|at| density.add(secs(at), 1));
        let counts = density.counts();
        let skip = |at, speed, longest| {
            let cursor = Cursor::Playing { at: secs(at), speed };
            skip_hole(cursor, &counts, (secs(0), secs(60)), Duration::from_secs(longest)).shown(secs(60))
        };
        assert_eq!(skip(15, 2.0, 10), secs(40));
        assert_eq!(skip(15, -2.0, 10), secs(12) - Duration::from_nanos(1));
        assert_eq!(skip(15, 2.0, 30), secs(15), "28 s are no more than 30 s");
        assert_eq!(skip(11, 2.0, 1), secs(11), "there are data");
        assert_eq!(skip(45, 2.0, 10), secs(60), "nothing comes any more");
        assert_eq!(skip(75, 2.0, 10), secs(75), "beyond now nothing can be missing");
        let paused = Cursor::Paused(secs(15));
        assert_eq!(skip_hole(paused, &counts, (secs(0), secs(60)), Duration::ZERO), paused);
    }
}
