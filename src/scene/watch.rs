//! Tells when a scene file, or a file it uses, was saved.

use std::path::PathBuf;

/// Watches files from a thread of its own until dropped.
pub struct Watcher {}

impl Watcher {
    /// Calls `wake` (after a short settling time) when any of `files` has changed.
    pub fn new(files: Vec<PathBuf>, wake: impl Fn() + Send + 'static) -> Result<Watcher, String> {
        let _ = (files, wake);
        unimplemented!()
    }

    /// Whether something changed since the last call.
    pub fn take_changed(&self) -> bool {
        unimplemented!()
    }
}
