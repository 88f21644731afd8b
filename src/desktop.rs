//! The window: core, 3D view and panels together.
//!
//! In: what to open. Out: an application that runs until its window is closed. Owns no state of its own.

use std::path::PathBuf;
use std::time::Duration;

use bevy::prelude::*;

use crate::cli::Failure;
use crate::session::Options;

/// 3D view and panels, for a window as for an offscreen picture.
pub struct DesktopPlugins;

impl Plugin for DesktopPlugins {
    fn build(&self, app: &mut App) {
        app.add_plugins((crate::view::plugin, crate::panel::plugin));
    }
}

/// Opens the window and stays until it is closed, or until `limit` has passed.
pub fn run(options: Options, limit: Option<Duration>, state_file: Option<PathBuf>) -> Result<(), Failure> {
    let _ = (options, limit, state_file);
    unimplemented!()
}
