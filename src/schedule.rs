//! The one order of a frame. Named here, below all rooms with systems, and chained in one place:
//! [`CorePlugins`](crate::stage::CorePlugins).

use bevy::prelude::SystemSet;

/// The steps of a frame in `Update`. Every system of core belongs to one of these, and so do those of views, except the
/// few that need this frame's transforms or pace the window.
#[derive(SystemSet, Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TwinSet {
    /// Carries out operator commands, moves the cursor, takes over saved scenes.
    Command,
    /// Takes over what is new from the analysis, and does its work where no thread does it.
    Receive,
    /// Writes `Current` components at the cursor, where they change.
    Project,
    /// 3D views read components.
    Visualise,
}
