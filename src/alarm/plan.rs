//! Which alarms look at which signal. In: the rules of a scene. Out: for each signal a small slice of them. Made once for
//! each scene, so that a sample finds its alarms by one index.

use crate::scene::Scene;
use crate::scene::rule::{Condition, Formula, Reference, Rule, Subject};
use crate::value::SignalIndex;

/// What a sample of a signal means to an alarm. The order is the one in which a sample's alarms are served.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Role {
    /// An input of `suppressed_when`.
    Suppression,
    /// The one signal that the condition is about.
    Single,
    /// One of several signals that the condition is about.
    Joint,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Watcher {
    pub alarm: u32,
    pub role: Role,
}

/// For each signal its watchers: `watchers[starts[signal]..starts[signal + 1]]`.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    starts: Vec<u32>,
    watchers: Vec<Watcher>,
}

impl Plan {
    pub fn new(scene: &Scene) -> Self {
        let mut pairs = Vec::new();
        for (alarm, rule) in (0..).zip(&scene.alarms) {
            let (role, signals) = condition_inputs(rule);
            pairs.extend(signals.into_iter().map(|signal| (signal, Watcher { alarm, role })));
            let suppression = rule.suppressed_when.iter().flat_map(signals_of);
            pairs.extend(suppression.map(|signal| (signal, Watcher { alarm, role: Role::Suppression })));
        }
        pairs.retain(|(signal, _)| signal.at() < scene.signals.len());
        pairs.sort_unstable();
        pairs.dedup();
        let starts = (0..=scene.signals.len())
            .map(|signal| pairs.partition_point(|(other, _)| other.at() < signal) as u32)
            .collect();
        Self { starts, watchers: pairs.into_iter().map(|(_, watcher)| watcher).collect() }
    }

    pub fn of(&self, signal: SignalIndex) -> &[Watcher] {
        match self.starts.get(signal.at()..=signal.at() + 1) {
            Some(&[from, to]) => self.watchers.get(from as usize..to as usize).unwrap_or(&[]),
            _ => &[],
        }
    }
}

/// The signal whose own alarm a rule is.
pub(super) fn own_signal(rule: &Rule) -> Option<SignalIndex> {
    match rule.subject {
        Subject::Signal(signal) => Some(signal),
        Subject::Twin(_) | Subject::Broker(_) => None,
    }
}

fn signals_of(formula: &Formula) -> impl Iterator<Item = SignalIndex> {
    formula.inputs.iter().map(|(_, signal)| *signal)
}

fn condition_inputs(rule: &Rule) -> (Role, Vec<SignalIndex>) {
    match &rule.condition {
        Condition::Formula(formula) => (Role::Joint, signals_of(formula).collect()),
        Condition::Deviation { from: Reference::Signal(from), .. } => {
            (Role::Joint, own_signal(rule).into_iter().chain([*from]).collect())
        }
        Condition::Disconnected => (Role::Single, Vec::new()),
        _ => (Role::Single, own_signal(rule).into_iter().collect()),
    }
}
