//! The stretch of time that a session is about. Written by the session, read by the time bar.

use std::sync::Arc;

use bevy::prelude::*;

use crate::twin::Timestamp;

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

impl Extent {
    /// Where the cursor may stand; none where the history says it.
    pub fn bounds(&self) -> Option<(Timestamp, Timestamp)> {
        match self {
            Extent::Live => None,
            Extent::Recorded { start, end, .. } => Some((*start, *end)),
        }
    }

    pub fn is_recorded(&self) -> bool {
        matches!(self, Extent::Recorded { .. })
    }
}
