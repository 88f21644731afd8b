//! The one moment that every view shows.

use bevy::prelude::*;

use crate::twin::Timestamp;

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
pub struct Moment {
    /// The wall clock, read once a frame.
    pub now: Timestamp,
    /// The moment that views show: `now` when live, else where the cursor stands.
    pub shown: Timestamp,
    /// When this session began.
    pub session_start: Timestamp,
}
