//! The time that a world covers. In: bounds that the replay and the layers write. Out: the span of the time bar
//! ([`Extent`]), the end of time for the cursor ([`Horizon`]), the span for which history is complete ([`Loaded`]).
//! Never holds a sample.

use std::sync::Arc;

use bevy::prelude::*;

use super::Marks;
use crate::value::Timestamp;

#[derive(Resource, Clone, PartialEq, Eq, Debug, Default)]
pub enum Extent {
    /// From the session's start, or the oldest data, until now, which moves on.
    #[default]
    Live,
    /// Of a recording: both ends stand still. [`ViewTime::now`](super::ViewTime) is its end,
    /// [`ViewTime::session_start`](super::ViewTime) its start, and the cursor is never live.
    Recorded {
        start: Timestamp,
        end: Timestamp,
        /// Messages in equal stretches from start to end.
        density: Arc<[u32]>,
    },
}

/// The last moment that the cursor may stand at beyond now, as far as some layer has something to show: none where no
/// layer does. Beyond now nothing is measured. Written by the layers.
#[derive(Resource, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Horizon(pub Option<Timestamp>);

impl Horizon {
    /// The end of time for the cursor: `now`, or what lies beyond it.
    pub fn end(self, now: Timestamp) -> Timestamp {
        self.0.map_or(now, |horizon| horizon.max(now))
    }
}

/// The span for which history is complete. Live: everything not evicted. Replay: the loaded segments around the cursor.
/// Written by the replay.
#[derive(Resource, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Loaded {
    #[default]
    All,
    /// Samples received after the first moment, up to and including the second.
    Stretch(Timestamp, Timestamp),
    /// Only the newest samples known at the cursor: memory has no room for more.
    Moment,
    /// The segment around the cursor is still being read.
    Nothing,
}

impl Extent {
    pub fn is_recorded(&self) -> bool {
        matches!(self, Extent::Recorded { .. })
    }

    /// Both ends, where they stand still.
    pub fn bounds(&self) -> Option<(Timestamp, Timestamp)> {
        match self {
            Extent::Live => None,
            Extent::Recorded { start, end, .. } => Some((*start, *end)),
        }
    }

    /// The marks that playing turns back at: in a recording its own ends stand for those that nobody has set.
    pub fn loop_marks(&self, marks: Marks) -> Marks {
        match self.bounds() {
            Some((start, end)) if marks.looping => {
                Marks { start: marks.start.or(Some(start)), end: marks.end.or(Some(end)), ..marks }
            }
            _ => marks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_ends_now_unless_a_layer_reaches_farther() {
        let now = Timestamp(100);
        assert_eq!(Horizon::default().end(now), now);
        assert_eq!(Horizon(Some(Timestamp(130))).end(now), Timestamp(130));
        assert_eq!(Horizon(Some(Timestamp(70))).end(now), now, "time has passed it");
    }

    #[test]
    fn a_recording_loops_as_a_whole_where_no_marks_are_set() {
        let recorded = Extent::Recorded { start: Timestamp(10), end: Timestamp(90), density: Arc::default() };
        let looping = Marks { looping: true, ..Marks::default() };
        assert_eq!(recorded.loop_marks(looping).span(), Some((Timestamp(10), Timestamp(90))));
        let from_mark = Marks { start: Some(Timestamp(50)), ..looping };
        assert_eq!(recorded.loop_marks(from_mark).span(), Some((Timestamp(50), Timestamp(90))));
        assert_eq!(recorded.loop_marks(Marks::default()).span(), None);
        assert_eq!(Extent::Live.loop_marks(looping).span(), None, "a live session has no end");
    }
}
