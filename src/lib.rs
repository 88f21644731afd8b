//! Pollux

pub mod command;
pub mod history;
pub mod ingest;
pub mod model;
#[cfg(feature = "desktop")]
pub mod panel;
pub mod scene;
pub mod source;
pub mod twin;
#[cfg(feature = "desktop")]
pub mod view;

use bevy::prelude::*;

/// The one order of a frame. All systems of core and views belong to one of these, in `Update`.
#[derive(SystemSet, Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TwinSet {
    /// Carries out operator commands, moves the cursor.
    Command,
    /// Drains sources within a time budget.
    Receive,
    /// Derived signals, alarms: per sample, in source-time order.
    Analyse,
    /// Writes `Current` components at the cursor, where they change.
    Project,
    /// 3D views read components.
    Visualise,
}
