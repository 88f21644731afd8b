//! The stretch of time that a session is about. Written by the session, read by the time bar.

use std::sync::Arc;

use bevy::prelude::*;

use super::Marks;
use crate::value::Timestamp;

#[derive(Resource, Clone, PartialEq, Eq, Debug, Default)]
pub enum Extent {
    /// From the session's start, or the oldest data, until now, which moves on.
    #[default]
    Live,
    /// Of a recording: both ends stand still. [`Moment::now`](super::Moment) is its end,
    /// [`Moment::session_start`](super::Moment) its start, and the cursor is never live.
    Recorded {
        start: Timestamp,
        end: Timestamp,
        /// Messages in equal stretches from start to end.
        density: Arc<[u32]>,
    },
}

/// Of which time history holds every sample. A live session has all that it has not let go; of a recording what lies
/// around the cursor is read. Written by the replay.
#[derive(Resource, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Loaded {
    #[default]
    All,
    /// What was received after the first moment, up to and including the second.
    Stretch(Timestamp, Timestamp),
    /// Only what was known at the moment of the cursor, as there is no room for more.
    Moment,
    /// What is around the cursor is being read.
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
