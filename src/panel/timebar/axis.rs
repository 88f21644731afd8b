//! The stretch of time that an axis shows, and its ticks.
//!
//! In: moments, fractions of a width. Out: moments, fractions, round times of day in UTC. Pure: knows no widget and never
//! reads a clock.

use std::time::Duration;

use crate::panel::format;
use crate::value::Timestamp;

/// A stretch of time, from left to right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// No axis shows less, in nanoseconds: at a pixel for each 0.1 ms nobody drags on purpose.
const SHORTEST: i64 = 100_000_000;
/// Where the cursor comes in again after it has left the window, from the near edge.
const COMES_IN: f64 = 0.1;

impl Window {
    /// At least a moment long, so that there is something to divide by.
    pub fn new(from: Timestamp, to: Timestamp) -> Self {
        Self { from, to: to.max(Timestamp(from.0.saturating_add(SHORTEST))) }
    }

    pub fn secs(&self) -> f64 {
        self.to.secs_since(self.from)
    }

    pub fn span(&self) -> Duration {
        Duration::from_nanos(self.nanos() as u64)
    }

    fn nanos(&self) -> i64 {
        self.to.0.saturating_sub(self.from.0).max(1)
    }

    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.to
    }

    /// Where `at` lies: 0 at the left end, 1 at the right one, and beyond them outside.
    pub fn fraction(&self, at: Timestamp) -> f64 {
        at.0.saturating_sub(self.from.0) as f64 / self.nanos() as f64
    }

    /// The inverse of [`Window::fraction`]; never outside.
    pub fn at_fraction(&self, fraction: f64) -> Timestamp {
        let into = (fraction.clamp(0.0, 1.0) * self.nanos() as f64) as i64;
        Timestamp(self.from.0.saturating_add(into)).min(self.to)
    }

    fn shifted(&self, by: i64) -> Self {
        Self { from: Timestamp(self.from.0.saturating_add(by)), to: Timestamp(self.to.0.saturating_add(by)) }
    }

    /// Brought between the ends of `whole`; none if that is all of it.
    fn within(self, whole: Window) -> Option<Self> {
        if self.nanos() >= whole.nanos() {
            return None;
        }
        let back = self.to.0.saturating_sub(whole.to.0).max(0);
        let window = self.shifted(-back);
        Some(window.shifted(whole.from.0.saturating_sub(window.from.0).max(0)))
    }

    /// A window `times` as long, with what lies at `fraction` staying there; none for the whole.
    pub fn zoomed(&self, times: f64, fraction: f64, whole: Window) -> Option<Self> {
        let span = (self.nanos() as f64 * times).clamp(SHORTEST as f64, i64::MAX as f64 / 4.0);
        let fixed = self.at_fraction(fraction);
        let from = Timestamp(fixed.0.saturating_sub((span * fraction.clamp(0.0, 1.0)) as i64));
        Self { from, to: Timestamp(from.0.saturating_add(span as i64)) }.within(whole)
    }

    /// A window moved by a fraction of its length.
    pub fn panned(&self, fraction: f64, whole: Window) -> Option<Self> {
        self.shifted((self.nanos() as f64 * fraction) as i64).within(whole)
    }

    /// A window that keeps the shown moment in sight, if it was in sight before it moved. Live keeps its place; what plays
    /// out at one end turns a page.
    pub fn following(&self, before: Timestamp, shown: Timestamp, live: bool, whole: Window) -> Option<Self> {
        if !self.contains(before) || self.contains(shown) {
            return self.within(whole);
        }
        let span = self.nanos() as f64;
        let from = if live {
            self.from.0.saturating_add(shown.0.saturating_sub(before.0))
        } else if shown > self.to {
            shown.0.saturating_sub((span * COMES_IN) as i64)
        } else {
            shown.0.saturating_sub((span * (1.0 - COMES_IN)) as i64)
        };
        self.shifted(from.saturating_sub(self.from.0)).within(whole)
    }
}

/// Seconds between ticks. All but the last divide a day.
const STEPS: [f64; 36] = [
    0.000_001, 0.000_002, 0.000_005, 0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005,
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0,
    3_600.0, 7_200.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0,
];

/// A round step so that about `wanted` ticks fit into `secs`.
pub fn tick_step(secs: f64, wanted: f64) -> f64 {
    let least = secs / wanted.max(1.0);
    STEPS.into_iter().find(|step| *step >= least).unwrap_or_else(|| (least / 86_400.0).ceil() * 86_400.0)
}

/// Seconds after `origin` at which the time of day is a multiple of `step`, within `bounds`; never more than 200.
pub fn ticks(origin: Timestamp, bounds: (f64, f64), step: f64) -> Vec<f64> {
    if step.is_nan() || step <= 0.0 {
        return Vec::new();
    }
    let phase = (origin.0.rem_euclid(86_400_000_000_000)) as f64 / 1e9;
    let first = ((phase + bounds.0) / step).ceil() * step - phase;
    // Rounding must not bring a tick before the first moment.
    (0..200).map(|i| (first + step * f64::from(i)).max(bounds.0)).take_while(|tick| *tick <= bounds.1).collect()
}

/// The moments in a window that are multiples of `step` seconds; never more than 200.
pub fn tick_times(window: Window, step: f64) -> Vec<Timestamp> {
    let step = (step * 1e9).round() as i64;
    if step <= 0 {
        return Vec::new();
    }
    let first = window.from.0.saturating_add((-window.from.0.wrapping_rem(step)).rem_euclid(step));
    let times = (0..200).map(|i| Timestamp(first.saturating_add(step.saturating_mul(i))));
    times.take_while(|at| window.contains(*at)).collect()
}

/// A tick in as few characters as its step needs: `14:03`, `14:03:27`, `14:03:27.05`; at midnight, and where steps are days,
/// the date; where they are several days, with the year.
pub fn tick_text(at: Timestamp, step: f64) -> String {
    let midnight = at.0.rem_euclid(86_400_000_000_000) == 0;
    match step {
        _ if step > 86_400.0 => format::date(at),
        _ if step >= 86_400.0 || (midnight && step >= 60.0) => format::day(at),
        _ if step >= 60.0 => format::clock_minutes(at),
        _ if step >= 1.0 => format::clock(at),
        _ => {
            // 0.1 has one, 0.05 two; 9 is the nanosecond.
            let decimals = (1..9).find(|places| step * 10f64.powi(*places) >= 0.999).unwrap_or(9) as usize;
            let nanos = at.0.rem_euclid(1_000_000_000);
            format!("{}.{:0decimals$}", format::clock(at), nanos / 10i64.pow(9 - decimals as u32))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::panel::testing::second as at;

    const fn window(from: i64, to: i64) -> Window {
        Window { from: Timestamp(from * 1_000_000_000), to: Timestamp(to * 1_000_000_000) }
    }

    #[test]
    fn zooming_keeps_what_is_under_the_pointer_and_ends_at_the_whole() {
        let whole = window(0, 1_000);
        let half = whole.zoomed(0.5, 0.2, whole).unwrap();
        assert_eq!(half, window(100, 600));
        assert_eq!(half.at_fraction(0.2), whole.at_fraction(0.2));
        assert_eq!(half.zoomed(2.0, 0.2, whole), None, "all of it is no zoom");
        assert_eq!(window(0, 100).zoomed(2.0, 1.0, whole), Some(window(0, 200)), "kept within the ends");
        let least = (0..200).fold(whole, |window, _| window.zoomed(0.5, 0.5, whole).unwrap());
        assert_eq!(least.span(), Duration::from_millis(100));
    }

    #[test]
    fn a_window_moves_by_its_length_and_stops_at_the_ends() {
        let whole = window(0, 1_000);
        assert_eq!(window(100, 200).panned(0.5, whole), Some(window(150, 250)));
        assert_eq!(window(100, 200).panned(-9.0, whole), Some(window(0, 100)));
        assert_eq!(window(100, 200).panned(99.0, whole), Some(window(900, 1_000)));
    }

    #[test]
    fn the_cursor_stays_in_sight_unless_someone_looks_elsewhere() {
        let whole = window(0, 1_000);
        let secs = |at: i64| Timestamp(at * 1_000_000_000);
        let follow = |before, shown, live| window(100, 200).following(secs(before), secs(shown), live, whole).unwrap();
        assert_eq!(follow(150, 160, false), window(100, 200));
        assert_eq!(follow(199, 201, false), window(191, 291), "a page is turned");
        assert_eq!(follow(101, 99, false), window(9, 109), "and backwards");
        assert_eq!(follow(200, 201, true), window(101, 201), "live moves with it");
        assert_eq!(follow(500, 501, false), window(100, 200), "someone looks elsewhere");
    }

    #[test]
    fn ticks_fall_on_round_times_of_day() {
        let origin = Timestamp::parse_rfc3339("2026-01-31T12:00:07Z").unwrap();
        assert_eq!(tick_step(300.0, 6.0), 60.0);
        assert_eq!(ticks(origin, (0.0, 200.0), 60.0), [53.0, 113.0, 173.0]);
        assert!(ticks(origin, (0.0, 1e9), 1.0).len() <= 200);
        let window = Window::new(origin, origin + Duration::from_secs(200));
        let texts: Vec<_> = tick_times(window, 60.0).into_iter().map(|at| tick_text(at, 60.0)).collect();
        assert_eq!(texts, ["12:01", "12:02", "12:03"]);
    }

    #[test]
    fn ticks_tell_as_much_as_their_step_needs() {
        let moment = at(7) + Duration::from_millis(50);
        assert_eq!(tick_text(at(7) + Duration::from_micros(20), 0.000_02), "14:00:07.00002");
        let texts = [0.001, 0.05, 0.5, 1.0, 60.0, 86_400.0].map(|step| tick_text(moment, step));
        assert_eq!(texts, ["14:00:07.050", "14:00:07.05", "14:00:07.0", "14:00:07", "14:00", "Jan 31"]);
        let midnight = Timestamp::parse_rfc3339("2026-02-01T00:00:00Z").unwrap();
        assert_eq!(tick_text(midnight, 3_600.0), "Feb 1");
        assert_eq!(tick_text(midnight, 30.0 * 86_400.0), "2026-02-01");
    }

    proptest! {
        #[test]
        fn no_window_however_wild_breaks_it(
            from in any::<i64>(), to in any::<i64>(), at in any::<i64>(), times in any::<f64>(), fraction in any::<f64>(),
        ) {
            let whole = Window::new(Timestamp(from.min(to)), Timestamp(from.max(to)));
            let zoomed = whole.zoomed(times, fraction, whole).unwrap_or(whole);
            let panned = zoomed.panned(fraction, whole).unwrap_or(whole);
            let followed = panned.following(Timestamp(at), Timestamp(to), false, whole).unwrap_or(whole);
            let step = tick_step(followed.secs(), 8.0);
            prop_assert!(tick_times(followed, step).len() <= 200);
            prop_assert!(followed.contains(followed.at_fraction(fraction)));
        }
    }
}
