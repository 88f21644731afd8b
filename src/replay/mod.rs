//! A recording in the place of a plant: the same world, at any moment that was recorded, forwards and backwards.
//!
//! In: MCAP files of one series (see [`crate::record`]). Out: a Bevy `App` whose history and journal hold everything
//! known at the cursor, and as much of the rest as fits into memory. Never judges, never annunciates; starts no source,
//! no plant and no store, so that nothing here can reach a broker. Touches the disk only to read the recording, to
//! unpack its scene and to keep notes beside it.
//!
//! ```text
//! keyframes ─┐
//! messages ──┴► loader ─► stretch (samples as received, derived) ─► history ─► cursor ─► Current components
//! events ──────────────────────────────────────────────────────► journal ─► cursor ─► AlarmBoard, EventLog
//! ```
//!
//! A recording is cut at its keyframes into [`Segments`]. To show a moment, the segment that holds it is loaded: the
//! contents of its keyframe, then all messages up to the next keyframe, decoded by the same binding tables as when they
//! came. With that in history, [`History::latest_known`](crate::history::History::latest_known) answers as the live
//! session did. A [pure function](next_job) chooses the segments to load ahead.

mod commands;
mod cursor;
mod loader;
mod open;
mod plan;
mod reader;
mod recording;
mod remarks;
mod samples;
mod segments;

use bevy::prelude::*;

use crate::record::notes::NoteKeeper;
use crate::value::Timestamp;

pub(crate) use open::scene_of;
pub use open::{At, OpenError, Options, Prepared, Replaced, open, prepare};
pub use plan::{Job, LoadedParts, Wish, next_job};
pub(crate) use recording::OpenRecording;
pub(crate) use samples::{Received, Samples};
pub use segments::Segments;

/// Whether as much of the recording is loaded as there is room for. A world that is no replay wants nothing.
pub fn is_filled(app: &App) -> bool {
    app.world().get_resource::<Replay>().is_none_or(|replay| replay.recording.is_idle())
}

/// What a replay owns besides the world; dropping it ends its thread.
#[derive(Resource)]
pub(crate) struct Replay {
    recording: OpenRecording,
    /// The moment that views show: the cursor's, as soon as that is loaded.
    shown: Timestamp,
    /// Seconds for which a playing cursor has waited for a segment.
    waited_secs: f64,
    /// Wait for the wanted moment rather than show an older one for some frames: for pictures and for tests.
    blocking: bool,
    waker: crate::source::Waker,
    notes: NoteKeeper,
}
