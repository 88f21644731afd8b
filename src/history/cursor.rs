//! The one moment that every view shows.
//!
//! In: what the operator asks for, seconds that passed, the bounds of history, how far beyond now there is something to
//! show. Out: the next cursor and the moment it shows. Never reads a clock: it comes in as `now`.
//!
//! `now` is the end of what is measured: live shows it, and what plays into it becomes live. The cursor may stand beyond it
//! up to `last`, as far as a layer reaches (see [`Horizon`](super::Horizon)); where none does, `last` is `now`. That no
//! sample is hidden beyond now is seen to where samples come in: their source times never lie after their receipt (see
//! [`crate::ingest`]), and receive times and `now` are read from one clock (see [`crate::source::Clock`]).

use bevy::prelude::*;

use crate::value::Timestamp;

#[derive(Resource, Clone, Copy, PartialEq, Debug, Default)]
pub enum Cursor {
    /// Follows the newest data.
    #[default]
    Live,
    Paused(Timestamp),
    /// Moves by itself, `speed` source seconds a second; negative goes backwards.
    Playing {
        at: Timestamp,
        speed: f64,
    },
}

/// What time it is in this frame: views take it from here and never ask a clock.
#[derive(Resource, Clone, Copy, PartialEq, Debug, Default)]
pub struct ViewTime {
    /// The session's clock, read once a frame.
    pub now: Timestamp,
    /// The moment that views show: `now` when live, else where the cursor stands, which may be beyond it.
    pub shown: Timestamp,
    /// When this session began.
    pub session_start: Timestamp,
}

/// Ages beyond this are told in minutes.
const DORMANT_SECS: f64 = 60.0;

impl ViewTime {
    /// Whether the shown moment lies beyond all that can have been measured.
    pub fn is_ahead(&self) -> bool {
        self.shown > self.now
    }

    /// Whether nothing has been heard for so long that seconds do not matter: a window may sleep longer.
    pub fn is_dormant(&self, newest: Option<Timestamp>) -> bool {
        newest.is_none_or(|newest| self.now.secs_since(newest) > DORMANT_SECS)
    }
}

/// In and out mark, and whether playing turns back between them.
#[derive(Resource, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub looping: bool,
}

impl Marks {
    /// The stretch to play over and over; none unless that is wanted and both marks stand and enclose some time.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.start.zip(self.end).filter(|(start, end)| self.looping && start < end)
    }
}

const SLOWEST: f64 = 0.01;
const FASTEST: f64 = 1000.0;

impl Cursor {
    /// The moment that views show.
    pub fn resolve(self, now: Timestamp, session_start: Timestamp) -> ViewTime {
        ViewTime { now, shown: self.shown(now), session_start }
    }

    /// Where the cursor stands: `now` when live.
    pub fn shown(self, now: Timestamp) -> Timestamp {
        match self {
            Cursor::Live => now,
            Cursor::Paused(at) | Cursor::Playing { at, .. } => at,
        }
    }

    pub fn is_live(self) -> bool {
        self == Cursor::Live
    }

    /// Stands still at `at`, kept between the beginning of history and `last`.
    pub fn pause_at(at: Timestamp, bounds: Option<(Timestamp, Timestamp)>, last: Timestamp) -> Cursor {
        Cursor::Paused(clamp(at, bounds, last))
    }

    /// Goes to `at`, kept between the beginning of history and `last`. What plays goes on playing from there, all else stands
    /// still there.
    pub fn seek(self, at: Timestamp, bounds: Option<(Timestamp, Timestamp)>, last: Timestamp) -> Cursor {
        match self {
            Cursor::Playing { speed, .. } => Cursor::Playing { at: clamp(at, bounds, last), speed },
            Cursor::Live | Cursor::Paused(_) => Self::pause_at(at, bounds, last),
        }
    }

    /// Stands still where it is.
    pub fn pause(self, now: Timestamp) -> Cursor {
        Cursor::Paused(self.shown(now))
    }

    /// Moves from where it is. The speed is kept within 0.01 to 1000 either way; one that is no number or zero pauses.
    /// Live moves forward already: playing forward from it stays live.
    pub fn play(self, speed: f64, now: Timestamp) -> Cursor {
        if self.is_live() && speed > 0.0 {
            return Cursor::Live;
        }
        let at = self.shown(now);
        if speed.is_nan() || speed == 0.0 {
            return Cursor::Paused(at);
        }
        Cursor::Playing { at, speed: speed.abs().clamp(SLOWEST, FASTEST).copysign(speed) }
    }

    /// The cursor after `dt_secs` seconds of the session's clock.
    ///
    /// Playing forward into `now` becomes live; what plays beyond it pauses at `last`. Playing back to the beginning of
    /// history pauses there. Inside a loop playing wraps from one mark to the other. Live and paused stay, but a pause whose
    /// moment has fallen to eviction moves up to the beginning, and one that no layer reaches any more moves back to `last`.
    pub fn advance(
        self,
        dt_secs: f64,
        (now, last): (Timestamp, Timestamp),
        bounds: Option<(Timestamp, Timestamp)>,
        marks: Marks,
    ) -> Cursor {
        let (from, speed) = match self {
            Cursor::Live => return self,
            Cursor::Paused(at) => return Self::pause_at(at, bounds, last),
            Cursor::Playing { at, speed } => (at, speed),
        };
        let dt_secs = if dt_secs.is_finite() { dt_secs.max(0.0) } else { 0.0 };
        // A float saturates into an integer: no overflow however fast or long.
        let to = Timestamp(from.0.saturating_add((dt_secs * speed * 1e9).round() as i64));
        if let Some((start, end)) = marks.span() {
            // Wraps only when a mark is crossed: playing towards the loop from outside is let in.
            if speed > 0.0 && from < end && to >= end {
                return Cursor::Playing { at: wrap(to, start, end), speed };
            }
            if speed < 0.0 && from >= start && to < start {
                return Cursor::Playing { at: wrap(to, start, end), speed };
            }
        }
        let was_beyond = last > now && from >= now;
        if speed > 0.0 && to >= now && !was_beyond {
            return Cursor::Live;
        }
        if speed > 0.0 && to >= last {
            return Cursor::Paused(last);
        }
        let at = clamp(to, bounds, last);
        if speed < 0.0 && at > to { Cursor::Paused(at) } else { Cursor::Playing { at, speed } }
    }
}

/// `at` brought into `start..end` by whole lengths of the loop.
fn wrap(at: Timestamp, start: Timestamp, end: Timestamp) -> Timestamp {
    let length = i128::from(end.0) - i128::from(start.0);
    let into = (i128::from(at.0) - i128::from(start.0)).rem_euclid(length);
    // Between start and end, so it fits.
    Timestamp((i128::from(start.0) + into) as i64)
}

fn clamp(at: Timestamp, bounds: Option<(Timestamp, Timestamp)>, last: Timestamp) -> Timestamp {
    let first = bounds.map_or(last, |(first, _)| first.min(last));
    at.clamp(first, last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(100_000_000_000);
    const BOUNDS: Option<(Timestamp, Timestamp)> = Some((Timestamp(10_000_000_000), Timestamp(99_000_000_000)));

    fn secs(at: i64) -> Timestamp {
        Timestamp(at * 1_000_000_000)
    }

    fn playing(at: i64, speed: f64) -> Cursor {
        Cursor::Playing { at: secs(at), speed }
    }

    fn advance(cursor: Cursor, dt_secs: f64) -> Cursor {
        cursor.advance(dt_secs, (NOW, NOW), BOUNDS, Marks::default())
    }

    #[test]
    fn live_shows_now_and_a_pause_shows_its_moment() {
        assert_eq!(Cursor::Live.resolve(NOW, secs(5)), ViewTime { now: NOW, shown: NOW, session_start: secs(5) });
        assert_eq!(Cursor::Paused(secs(20)).resolve(NOW, secs(5)).shown, secs(20));
        assert_eq!(Cursor::Live.pause(NOW), Cursor::Paused(NOW));
        assert_eq!(playing(30, 2.0).pause(NOW), Cursor::Paused(secs(30)));
    }

    #[test]
    fn a_pause_stays_within_history_and_now() {
        assert_eq!(Cursor::pause_at(secs(3), BOUNDS, NOW), Cursor::Paused(secs(10)));
        assert_eq!(Cursor::pause_at(secs(300), BOUNDS, NOW), Cursor::Paused(NOW));
        assert_eq!(Cursor::pause_at(secs(3), None, NOW), Cursor::Paused(NOW), "nothing is known yet");
        assert_eq!(advance(Cursor::Paused(secs(3)), 1.0), Cursor::Paused(secs(10)), "its moment was evicted");
    }

    #[test]
    fn playing_moves_by_speed_and_becomes_live_when_it_catches_up() {
        assert_eq!(advance(playing(20, 2.0), 1.5), playing(23, 2.0));
        assert_eq!(advance(playing(20, -0.5), 4.0), playing(18, -0.5));
        assert_eq!(advance(playing(99, 10.0), 1.0), Cursor::Live);
        assert_eq!(advance(playing(20, 1000.0), f64::MAX), Cursor::Live);
        assert_eq!(advance(playing(12, -10.0), 1.0), Cursor::Paused(secs(10)), "stops at the beginning");
        assert_eq!(advance(playing(20, 2.0), f64::NAN), playing(20, 2.0));
    }

    #[test]
    fn speeds_are_kept_in_range() {
        let speed_of = |asked| match Cursor::Paused(secs(20)).play(asked, NOW) {
            Cursor::Playing { speed, .. } => Some(speed),
            _ => None,
        };
        assert_eq!([1e9, -1e9, 1e-9, -2.0].map(speed_of), [Some(1000.0), Some(-1000.0), Some(0.01), Some(-2.0)]);
        assert_eq!([0.0, f64::NAN].map(speed_of), [None, None]);
        assert_eq!(Cursor::Live.play(2.0, NOW), Cursor::Live);
        assert_eq!(Cursor::Live.play(-1.0, NOW), playing(100, -1.0));
    }

    #[test]
    fn a_loop_wraps_from_mark_to_mark() {
        let marks = Marks { start: Some(secs(20)), end: Some(secs(30)), looping: true };
        let step = |cursor: Cursor, dt| cursor.advance(dt, (NOW, NOW), BOUNDS, marks);
        assert_eq!(step(playing(29, 1.0), 3.0), playing(22, 1.0));
        assert_eq!(step(playing(21, -1.0), 3.0), playing(28, -1.0));
        assert_eq!(step(playing(15, 1.0), 6.0), playing(21, 1.0), "from outside it plays in");
        assert_eq!(step(playing(40, 1.0), 1.0), playing(41, 1.0), "behind the loop it plays on");
        let upside_down = Marks { start: marks.end, end: marks.start, looping: true };
        assert_eq!(playing(29, 1.0).advance(3.0, (NOW, NOW), BOUNDS, upside_down), playing(32, 1.0));
        let off = Marks { looping: false, ..marks };
        assert_eq!(
            playing(29, 1.0).advance(3.0, (NOW, NOW), BOUNDS, off),
            playing(32, 1.0),
            "marks alone turn nothing back"
        );
    }

    #[test]
    fn going_elsewhere_keeps_a_pause_and_keeps_playing() {
        let seek = |cursor: Cursor, at| cursor.seek(secs(at), BOUNDS, NOW);
        assert_eq!(seek(Cursor::Paused(secs(20)), 50), Cursor::Paused(secs(50)));
        assert_eq!(seek(playing(20, -2.0), 50), playing(50, -2.0));
        assert_eq!(seek(Cursor::Live, 50), Cursor::Paused(secs(50)));
        assert_eq!(seek(playing(20, 2.0), 5), playing(10, 2.0), "not beyond the beginning");
        assert_eq!(seek(playing(20, 2.0), 500), playing(100, 2.0), "nor beyond now");
    }

    #[test]
    fn beyond_now_it_goes_as_far_as_a_layer_reaches_and_live_stays_at_now() {
        let last = secs(160);
        let step = |cursor: Cursor, dt| cursor.advance(dt, (NOW, last), BOUNDS, Marks::default());
        assert_eq!(Cursor::pause_at(secs(130), BOUNDS, last), Cursor::Paused(secs(130)));
        assert_eq!(Cursor::Live.seek(secs(500), BOUNDS, last), Cursor::Paused(last));
        assert_eq!(step(Cursor::Live, 5.0), Cursor::Live);
        assert_eq!(step(playing(98, 1.0), 5.0), Cursor::Live, "what catches up with now stays there");
        assert_eq!(step(playing(110, 2.0), 5.0), playing(120, 2.0));
        assert_eq!(step(playing(110, 2.0), 60.0), Cursor::Paused(last), "it stops where the layer ends");
        assert_eq!(step(playing(110, -2.0), 10.0), playing(90, -2.0), "back into what was measured");
        assert_eq!(step(playing(100, 1.0), 1.0), playing(101, 1.0), "from now on");
        let gone = Cursor::Paused(secs(130)).advance(0.1, (NOW, NOW), BOUNDS, Marks::default());
        assert_eq!(gone, Cursor::Paused(NOW), "no layer reaches it any more");
    }

    proptest! {
        #[test]
        fn the_cursor_never_leaves_history_and_now(
            at in any::<i64>(), speed in any::<f64>(), dt in any::<f64>(), first in any::<i64>(), now in any::<i64>(),
            beyond in 0..i64::MAX,
        ) {
            let bounds = Some((Timestamp(first), Timestamp(first)));
            let (now, last) = (Timestamp(now), Timestamp(now.saturating_add(beyond)));
            for last in [now, last] {
                let cursor = Cursor::pause_at(Timestamp(at), bounds, last).play(speed, now);
                let shown = cursor.advance(dt, (now, last), bounds, Marks::default()).shown(now);
                prop_assert!(Timestamp(first).min(now) <= shown && shown <= last);
            }
        }
    }
}
