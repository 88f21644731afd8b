//! Finds signals by the names that tables have for them. In: a scene. Out: signals, and the names that were perhaps meant.

use std::collections::HashMap;

use crate::scene::Scene;
use crate::scene::nearest::nearest;
use crate::value::SignalIndex;

/// The signals of a scene, however they are capitalised.
#[derive(Debug)]
pub(super) struct Names<'s> {
    scene: &'s Scene,
    folded: HashMap<(String, String), SignalIndex>,
    paths: Vec<String>,
}

impl<'s> Names<'s> {
    pub fn new(scene: &'s Scene) -> Self {
        let mut folded = HashMap::new();
        for twin in &scene.twins {
            for signal in scene.signals_of(twin) {
                let key = (twin.id.to_ascii_lowercase(), signal.name.to_ascii_lowercase());
                folded.entry(key).or_insert(signal.index);
            }
        }
        let paths = scene.signals.iter().map(|signal| scene.signal_path(signal.index)).collect();
        Self { scene, folded, paths }
    }

    /// The signal that `P-101.flow` or `P-101/flow` names.
    pub fn of_path(&self, path: &str) -> Option<SignalIndex> {
        let split = |separator| path.trim().rsplit_once(separator);
        [split('.'), split('/')].into_iter().flatten().find_map(|(twin, signal)| self.of(twin, signal))
    }

    pub fn of(&self, twin: &str, signal: &str) -> Option<SignalIndex> {
        if let Some(found) = self.scene.signal(twin, signal) {
            return Some(found.index);
        }
        self.folded.get(&(twin.trim().to_ascii_lowercase(), signal.trim().to_ascii_lowercase())).copied()
    }

    pub fn near(&self, name: &str) -> Option<String> {
        nearest(name, self.paths.iter().map(String::as_str)).map(str::to_owned)
    }
}

/// Takes off the apostrophe that exports put before what a spreadsheet would take for a formula, and in the place of an
/// empty text.
pub(super) fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.is_empty() || rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) => rest,
        _ => text,
    }
}
