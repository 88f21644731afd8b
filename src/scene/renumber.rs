//! The same twin, signal or alarm in another scene: that of the same name. In: two scenes. Out: indices. Pure.

use std::collections::HashMap;

use super::{Binding, Scene, Signal, SignalSource};
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

    /// Signals of `other` whose values so far mean something else there, or come from elsewhere: another unit, topic,
    /// field, broker or expression. `map` is the renumbering.
    pub fn changed_signals(&self, other: &Scene, map: &[Option<SignalIndex>]) -> Vec<SignalIndex> {
        let pairs = self.signals.iter().zip(map).filter_map(|(old, new)| Some((old, other.signals.get((*new)?.at())?)));
        let is_changed = |old: &Signal, new: &Signal| {
            let is_alike = match (&old.source, &new.source) {
                (SignalSource::Mqtt(before), SignalSource::Mqtt(after)) => {
                    before == after && self.addresses(before) == other.addresses(after)
                }
                (SignalSource::Derived(before), SignalSource::Derived(after)) => before.source == after.source,
                (SignalSource::Unbound, SignalSource::Unbound) => true,
                _ => false,
            };
            !is_alike || (old.kind, &old.unit) != (new.kind, &new.unit)
        };
        pairs.filter(|(old, new)| is_changed(old, new)).map(|(_, new)| new.index).collect()
    }

    /// Where a binding listens.
    fn addresses(&self, binding: &Binding) -> Vec<&str> {
        let asked = |name: &&String| binding.broker.as_ref().is_none_or(|broker| broker == *name);
        self.brokers.iter().filter(|(name, _)| asked(name)).map(|(_, broker)| broker.url.as_str()).collect()
    }

    /// Each signal with the id of its twin and its own name.
    pub fn signal_names(&self) -> impl Iterator<Item = ((&str, &str), SignalIndex)> {
        self.signals.iter().filter_map(|signal| {
            let twin = self.twins.get(signal.twin.at())?;
            Some(((twin.id.as_str(), signal.name.as_str()), signal.index))
        })
    }
}
