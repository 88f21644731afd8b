//! First-up within a group: of several alarms about one trouble the one that came first, where the cause is most
//! likely. In: changes of alarms. Out: at most one alarm for each group. Pure. (Within a flood: see [`FloodWatch`].)
//!
//! As in the first-out sequences of ISA-18.1-1979: the first alarm of a group that was at rest is marked until all of
//! the group are normal again. Only annunciated alarms count: what was shelved or suppressed when it came is not
//! marked.
//!
//! [`FloodWatch`]: super::FloodWatch

use std::collections::{BTreeMap, BTreeSet};

use super::{Annunciation, Change, Flags, State};
use crate::scene::rule::{AlarmIndex, Rule};
use crate::value::Timestamp;

#[derive(Clone, Debug, Default)]
pub struct FirstUp {
    groups: BTreeMap<String, Group>,
}

#[derive(Clone, Debug)]
struct Group {
    first: AlarmIndex,
    source_time: Timestamp,
    /// Those that are not normal yet.
    standing: BTreeSet<AlarmIndex>,
}

impl FirstUp {
    /// Takes a change of the alarm that `rule` describes, with its flags after it. Alarms without a group are ignored.
    pub fn observe(&mut self, change: &Change, rule: &Rule, flags: &Flags) {
        if rule.group.is_empty() {
            return;
        }
        if change.to == State::Normal {
            self.leave(change.alarm, &rule.group);
            return;
        }
        if Annunciation::of(change, flags).is_none() {
            return;
        }
        let fresh = || Group { first: change.alarm, source_time: change.source_time, standing: BTreeSet::new() };
        let group = self.groups.entry(rule.group.clone()).or_insert_with(fresh);
        // A sample that took longer on its way may show that another alarm was earlier.
        let new = group.standing.insert(change.alarm);
        if new && change.source_time < group.source_time {
            (group.first, group.source_time) = (change.alarm, change.source_time);
        }
    }

    fn leave(&mut self, alarm: AlarmIndex, name: &str) {
        if let Some(group) = self.groups.get_mut(name) {
            group.standing.remove(&alarm);
            if group.standing.is_empty() {
                self.groups.remove(name);
            }
        }
    }

    /// The alarm that came first in a group, while one of the group stands.
    pub fn of(&self, group: &str) -> Option<AlarmIndex> {
        self.groups.get(group).map(|group| group.first)
    }

    pub fn is_first(&self, rule: &Rule) -> bool {
        !rule.group.is_empty() && self.of(&rule.group) == Some(rule.index)
    }

    /// Gives alarms their indices in a new scene. A group whose first alarm is gone has none until it was at rest.
    pub fn remap(&mut self, new: impl Fn(AlarmIndex) -> Option<AlarmIndex>) {
        self.groups.retain(|_, group| {
            group.standing = group.standing.iter().filter_map(|index| new(*index)).collect();
            let first = new(group.first);
            group.first = first.unwrap_or(group.first);
            first.is_some() && !group.standing.is_empty()
        });
    }
}

#[cfg(test)]
#[path = "first_up_tests.rs"]
mod tests;
