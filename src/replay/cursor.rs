//! The cursor of a recording: it stops at both ends, and shows a moment as soon as that is loaded.
//!
//! In: the wall clock, the cursor that commands have moved. Out: cursor and [`Moment`]. A cursor that plays waits for
//! what it has reached, and then makes up for the time it has lost.

use bevy::prelude::*;

use super::{Replay, Wish};
use crate::command::Underway;
use crate::history::{Cursor, Extent, Loaded, Marks, Moment};
use crate::source::Clock;
use crate::value::Timestamp;

/// After a longer wait the cursor goes on from where it is.
const LONGEST_LEAP_SECS: f64 = 1.0;

/// Moves a playing cursor; before commands are carried out.
pub(super) fn advance(
    clock: Res<Clock>,
    extent: Res<Extent>,
    marks: Res<Marks>,
    moment: Res<Moment>,
    mut replay: ResMut<Replay>,
    mut cursor: ResMut<Cursor>,
    mut last: Local<Option<Timestamp>>,
) {
    let now = clock.now();
    let dt_secs = last.replace(now).map_or(0.0, |last| now.secs_since(last).max(0.0));
    let Some((_, end)) = extent.bounds() else { return };
    if !matches!(*cursor, Cursor::Playing { .. }) {
        replay.waited_secs = 0.0;
        return;
    }
    // Frames go on while it plays, whether anything turns or not.
    (replay.waker)();
    let passed_secs = replay.waited_secs + dt_secs;
    if cursor.shown(end) != moment.shown {
        replay.waited_secs = passed_secs.min(LONGEST_LEAP_SECS);
        return;
    }
    replay.waited_secs = 0.0;
    let moved = at_rest_at(end, cursor.advance(passed_secs, end, extent.bounds(), extent.loop_marks(*marks)));
    cursor.set_if_neq(moved);
}

/// Nothing is newer than the end of a recording: what would be live stands still there.
fn at_rest_at(end: Timestamp, cursor: Cursor) -> Cursor {
    match cursor {
        Cursor::Live => Cursor::Paused(end),
        Cursor::Playing { at, speed } if speed > 0.0 && at >= end => Cursor::Paused(end),
        other => other,
    }
}

fn within((start, end): (Timestamp, Timestamp), cursor: Cursor) -> Cursor {
    match cursor {
        Cursor::Live => cursor,
        Cursor::Paused(at) => Cursor::Paused(at.clamp(start, end)),
        Cursor::Playing { at, speed } => Cursor::Playing { at: at.clamp(start, end), speed },
    }
}

/// Asks for what the cursor shows, and shows it when it is there; after commands were carried out.
pub(super) fn settle(
    extent: Res<Extent>,
    mut replay: ResMut<Replay>,
    mut cursor: ResMut<Cursor>,
    mut moment: ResMut<Moment>,
    mut loaded: ResMut<Loaded>,
    underway: Res<Underway>,
) {
    let Some((start, end)) = extent.bounds() else { return };
    let resting = within((start, end), at_rest_at(end, *cursor));
    cursor.set_if_neq(resting);
    let speed = match resting {
        Cursor::Playing { speed, .. } => speed,
        Cursor::Live | Cursor::Paused(_) => 0.0,
    };
    let wish = Wish { at: resting.shown(end), speed };
    if replay.blocking {
        replay.deck.wait_to_show(wish, None);
        replay.shown = wish.at;
    } else if replay.deck.show(wish) {
        replay.shown = wish.at;
    }
    if underway.0.is_some() {
        // It goes on in the next frame.
        (replay.waker)();
    }
    loaded.set_if_neq(replay.deck.loaded(wish.at));
    let settled = Moment { now: end, shown: replay.shown, session_start: start };
    moment.set_if_neq(settled);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_live_stands_at_the_end() {
        let end = Timestamp(100);
        assert_eq!(at_rest_at(end, Cursor::Live), Cursor::Paused(end));
        assert_eq!(at_rest_at(end, Cursor::Playing { at: end, speed: 2.0 }), Cursor::Paused(end));
        let back = Cursor::Playing { at: end, speed: -2.0 };
        assert_eq!(at_rest_at(end, back), back, "from the end it plays back");
        assert_eq!(at_rest_at(end, Cursor::Paused(Timestamp(7))), Cursor::Paused(Timestamp(7)));
    }

    #[test]
    fn the_cursor_does_not_leave_the_recording() {
        let bounds = (Timestamp(10), Timestamp(100));
        assert_eq!(within(bounds, Cursor::Paused(Timestamp(7))), Cursor::Paused(Timestamp(10)));
        let beyond = Cursor::Playing { at: Timestamp(700), speed: -1.0 };
        assert_eq!(within(bounds, beyond), Cursor::Playing { at: Timestamp(100), speed: -1.0 });
    }
}
