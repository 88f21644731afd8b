//! Scene files: what a plant is made of, in RON.

pub mod expression;
mod issue;
mod resolved;
pub mod watch;

use std::path::Path;
use std::sync::Arc;

use bevy::prelude::*;

pub use issue::{Issue, Severity};
pub use resolved::*;

/// What came of loading: a scene unless there are errors; warnings come with a scene.
#[derive(Debug, Default)]
pub struct Loaded {
    pub scene: Option<Scene>,
    pub issues: Vec<Issue>,
    /// Every file that was read or looked for, to watch for changes.
    pub files: Vec<std::path::PathBuf>,
}

/// Reads a scene file and the libraries it uses; reports every issue at once, never panics.
pub fn load(path: &Path) -> Loaded {
    let _ = path;
    unimplemented!()
}

/// The scene that the world shows now, and what was wrong with the newest file.
#[derive(Resource, Clone, Debug, Default)]
pub struct LoadedScene {
    pub scene: Arc<Scene>,
    /// Rises by one with each scene that was taken over.
    pub generation: u32,
    /// Issues of the newest load. If there are errors among them, `scene` is the last good one.
    pub issues: Vec<Issue>,
}
