//! Moves the cursor of a recording. It stops at both ends, or as far beyond the later one as a layer reaches, and shows
//! a moment as soon as that is loaded.
//!
//! In: seconds of the wall clock, the cursor that commands have moved. Out: cursor and [`ViewTime`]. A playing cursor
//! waits for a moment that is not loaded, and then makes up for the lost time. Never reads the recording.

use bevy::prelude::*;

use super::{Replay, Wish};
use crate::command::Underway;
use crate::history::{Cursor, Extent, Horizon, Loaded, Marks, ViewTime};
use crate::source::Clock;
use crate::value::Timestamp;

/// After a longer wait the cursor goes on from where it is.
const LONGEST_LEAP_SECS: f64 = 1.0;

/// Moves a playing cursor; before commands are carried out.
#[expect(clippy::too_many_arguments, reason = "each is a resource of its own")]
pub(super) fn advance(
    clock: Res<Clock>,
    extent: Res<Extent>,
    marks: Res<Marks>,
    moment: Res<ViewTime>,
    mut replay: ResMut<Replay>,
    mut cursor: ResMut<Cursor>,
    horizon: Res<Horizon>,
    mut before: Local<Option<Timestamp>>,
) {
    let now = clock.now();
    let dt_secs = before.replace(now).map_or(0.0, |before| now.secs_since(before).max(0.0));
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
    let last = horizon.end(end);
    let moved = cursor.advance(passed_secs, (last, last), extent.bounds(), extent.loop_marks(*marks));
    let moved = at_rest_at(last, moved);
    cursor.set_if_neq(moved);
}

/// Nothing is newer than the end of time: what would be live stands still there.
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
    mut moment: ResMut<ViewTime>,
    mut loaded: ResMut<Loaded>,
    underway: Res<Underway>,
    horizon: Res<Horizon>,
) {
    let Some((start, end)) = extent.bounds() else { return };
    let last = horizon.end(end);
    let resting = at_rest_at(if cursor.is_live() { end } else { last }, *cursor);
    let resting = within((start, last), resting);
    cursor.set_if_neq(resting);
    let speed = match resting {
        Cursor::Playing { speed, .. } => speed,
        Cursor::Live | Cursor::Paused(_) => 0.0,
    };
    let at = resting.shown(end);
    // Beyond the end the newest samples count.
    let wish = Wish { at: at.min(end), speed };
    if replay.blocking {
        replay.recording.wait_to_show(wish, None);
        replay.shown = at;
    } else if replay.recording.show(wish) {
        replay.shown = at;
    }
    if underway.0.is_some() {
        // It goes on in the next frame.
        (replay.waker)();
    }
    loaded.set_if_neq(replay.recording.loaded(wish.at));
    let settled = ViewTime { now: end, shown: replay.shown, session_start: start };
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
