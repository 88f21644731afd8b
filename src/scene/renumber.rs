//! The same twin, signal or alarm in another scene: that of the same name. In: two scenes. Out: indices. Pure.

use std::collections::HashMap;

use super::Scene;
use crate::value::SignalIndex;

impl Scene {
    /// Where each signal of this scene is in `other`: the same twin id and signal name. In the order of this scene's
    /// signals; none where `other` has no such signal.
    pub fn renumbering(&self, other: &Scene) -> Vec<Option<SignalIndex>> {
        let theirs: HashMap<(&str, &str), SignalIndex> = other.signal_names().collect();
        let mut places = vec![None; self.signals.len()];
        for (name, signal) in self.signal_names() {
            if let Some(place) = places.get_mut(signal.at()) {
                *place = theirs.get(&name).copied();
            }
        }
        places
    }

    /// Each signal with the id of its twin and its own name.
    pub fn signal_names(&self) -> impl Iterator<Item = ((&str, &str), SignalIndex)> {
        self.signals.iter().filter_map(|signal| {
            let twin = self.twins.get(signal.twin.at())?;
            Some(((twin.id.as_str(), signal.name.as_str()), signal.index))
        })
    }
}
