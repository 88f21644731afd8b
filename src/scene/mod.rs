//! Scene files: what a plant is made of, in RON.
//!
//! In: files. Out: a [`Scene`] with every type resolved and every index dense, or all issues at once, each with its
//! place and a way out. Never keeps half a scene, never touches the world.
//!
//! ```text
//! text ─ron_tree─► nodes with spans ─de─► format (plain serde types) ─types, twins, derive, alarms─► resolved::Scene
//! ```

mod alarms;
mod brokers;
pub mod commands;
mod de;
mod derive;
pub(crate) mod document;
pub mod edit;
pub mod expression;
pub mod faults;
mod feeds;
mod files;
pub mod format;
mod formulas;
mod instruments;
mod issue;
mod load;
mod looks;
mod machines;
mod messages;
mod models;
pub(crate) mod nearest;
mod references;
mod renumber;
pub(crate) mod report;
mod resolved;
mod ron_tree;
pub mod rule;
mod secret;
mod signals;
mod simulated;
mod span;
mod story;
pub(crate) mod text;
mod ties;
mod twins;
mod types;
pub mod watch;
mod write;

use std::sync::Arc;

use bevy::prelude::*;

pub use alarms::CONNECTION;
pub use commands::{Command, Significance};
pub use document::Condition;
pub use format::SceneFile;
pub use issue::{Issue, Severity, SourceFile, render};
pub use load::{load, load_texts};
pub use resolved::*;
pub use secret::without_userinfo;
pub use simulated::*;
pub use span::{FileId, Span, Spanned};
pub use write::{WriteError, write};

/// What came of loading: a scene unless there are errors; warnings come with a scene.
#[derive(Debug, Default)]
pub struct Loaded {
    pub scene: Option<Scene>,
    /// Sorted by file and place.
    pub issues: Vec<Issue>,
    /// Every file that was read or looked for, to watch for changes.
    pub files: Vec<std::path::PathBuf>,
    /// The texts that issues point into, for [`render`].
    pub sources: Vec<SourceFile>,
}

impl Loaded {
    /// All issues as text, with the lines they point at.
    pub fn render(&self, colour: bool) -> String {
        render(&self.issues, &self.sources, colour)
    }
}

/// Reads one scene text without the files it uses: its shape is checked, not its meaning.
pub fn parse(text: &str) -> (Option<SceneFile>, Vec<Issue>) {
    let mut report = report::Report::default();
    let id = report.add_file("scene.ron".into(), text.into());
    let file = files::parse_into(text, id, format::VERSION, &[], &mut report);
    (file, report.finish().0)
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

impl LoadedScene {
    /// Takes over what was loaded: a good scene replaces the old one, a bad one only shows its issues. Says whether
    /// the scene was replaced.
    pub fn take(&mut self, loaded: Loaded) -> bool {
        self.issues = loaded.issues;
        match loaded.scene {
            Some(scene) => {
                self.scene = Arc::new(scene);
                self.generation += 1;
                true
            }
            None => false,
        }
    }
}
