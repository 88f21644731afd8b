//! What happens to the line, and when: the demo's story. In: seconds since the start. Out: circumstances.
//!
//! A pure function of time; it repeats every quarter of an hour, so that a demo left alone stays worth watching.
//!
//! |  time | what happens |
//! | ----: | ------------ |
//! |  0:45 | the bearing of P-101 begins to wear |
//! |  1:30 | TT-203, the outlet temperature of HX-201, falls silent |
//! |  2:10 | TT-203 comes back |
//! | ~3:20 | vibration passes 4.5 mm/s (ISO 20816-3, zone C) |
//! |  4:00 | the pump is spared: wear goes on more slowly |
//! | ~6:00 | vibration passes 7.1 mm/s (zone D) |
//! | 12:00 | P-101 stops, a new bearing is fitted |
//! | 12:45 | P-101 runs again |
//! | 15:00 | the story begins again |

/// Seconds after which the story repeats.
pub const LENGTH: f64 = 900.0;

const WEAR: (f64, f64) = (45.0, 240.0);
const SPARED: (f64, f64) = (240.0, 430.0);
const SILENCE: (f64, f64) = (90.0, 130.0);
const REPAIR: (f64, f64) = (720.0, 765.0);

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Circumstances {
    /// Damage of the pump's bearing per second at rated speed.
    pub wear: f64,
    /// The outlet temperature of the cooler is not reported.
    pub silent: bool,
    /// The pump is stopped for repair.
    pub repair: bool,
    /// A new bearing is in.
    pub replaced: bool,
}

/// The circumstances at a moment, in seconds since the start.
pub fn at(secs: f64) -> Circumstances {
    let t = secs % LENGTH;
    let during = |(from, until): (f64, f64)| (from..until).contains(&t);
    let wear = match () {
        () if during(WEAR) => 0.0068,
        () if during(SPARED) => 0.0022,
        () => 2e-7,
    };
    Circumstances {
        wear,
        silent: during(SILENCE),
        repair: during(REPAIR),
        replaced: during((REPAIR.0 + 30.0, REPAIR.1)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BottlingLine, TICK};

    /// Seconds at which vibration first passes a limit in m/s.
    fn passes(line: &mut BottlingLine, limit: f64, within: f64) -> Option<f64> {
        while line.elapsed().as_secs_f64() < within {
            line.step();
            if line.bearing.out.vibration > limit {
                return Some(line.elapsed().as_secs_f64());
            }
        }
        None
    }

    #[test]
    fn vibration_passes_high_between_three_and_four_minutes_and_high_high_later_for_any_seed() {
        for seed in [1, 7, 42] {
            let mut line = BottlingLine::new(seed);
            let high = passes(&mut line, 4.5e-3, 600.0);
            assert!(high.is_some_and(|t| (180.0..240.0).contains(&t)), "seed {seed}: high at {high:?}");
            let critical = passes(&mut line, 7.1e-3, 600.0);
            assert!(critical.is_some_and(|t| (300.0..430.0).contains(&t)), "seed {seed}: high high at {critical:?}");
        }
    }

    #[test]
    fn a_new_bearing_ends_the_story_and_it_begins_again() {
        let mut line = BottlingLine::new(1);
        while line.elapsed().as_secs_f64() < 890.0 {
            line.step();
        }
        assert!(line.bearing.out.vibration < 2.2e-3, "{:?}", line.bearing.out);
        let again = passes(&mut line, 4.5e-3, 1200.0);
        assert!(again.is_some_and(|t| (1080.0..1140.0).contains(&t)), "{again:?}");
    }

    #[test]
    fn the_silence_lasts_forty_seconds() {
        let silent = (0..45_000).filter(|i| super::at(f64::from(*i) * TICK.as_secs_f64()).silent).count();
        assert_eq!(silent, 2000, "steps of 20 ms in one round of the story");
    }
}
