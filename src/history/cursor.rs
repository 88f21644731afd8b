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
    Playing { at: Timestamp, speed: f64 },
}
