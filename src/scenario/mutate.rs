//! Tests of scenarios: what would they not notice? In: experiments that pass, with what came of them. Out: [`Change`]s, each of
//! which a good set of scenarios notices: a fault is taken out, an alarm never comes, a limit lies elsewhere.
//!
//! Alarms do not act on the plant. So a change of an alarm can only be noticed by an experiment in which the alarm was
//! raised or stood from the start, or in which its signal went beyond the new limit: no other one has to be carried out again.
//! A fault of a file is taken out of all runs of that file at once: one of them may notice.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::experiment::{Experiment, StepKind};
use super::run::{Outcome, RunError, Verdict, run};
use crate::scene::Scene;
use crate::scene::rule::{self, AlarmPath, Condition, Level, Rule, Subject};

/// A limit is shifted by this share of itself, or of the range of its signal where it is 0.
const SHIFT: f64 = 0.1;

/// Something that is made other than it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// The scene that it is about.
    pub scene: PathBuf,
    pub kind: ChangeKind,
}

#[derive(Clone, PartialEq, Debug)]
pub enum ChangeKind {
    /// The runs of a file without one of its steps.
    WithoutFault { path: PathBuf, step: usize },
    /// An alarm that is never raised.
    Disabled { alarm: AlarmPath },
    /// An alarm that is raised elsewhere.
    Shifted { alarm: AlarmPath, from: f64, to: f64 },
}

/// All changes of some experiments: each fault, then each alarm of their scenes.
pub fn changes(all: &[(Experiment, Outcome)]) -> Vec<Change> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for (of, _) in all.iter().filter(|(of, _)| seen.insert(of.path.clone())) {
        let faults = of.steps.iter().enumerate().filter(|(_, step)| matches!(step.kind, StepKind::Fault(_)));
        found.extend(faults.map(|(step, _)| Change {
            scene: of.scene_path.clone(),
            kind: ChangeKind::WithoutFault { path: of.path.clone(), step },
        }));
    }
    let mut scenes: Vec<(&PathBuf, &Arc<Scene>)> = all.iter().map(|(of, _)| (&of.scene_path, &of.scene)).collect();
    scenes.sort_by_key(|(path, _)| *path);
    scenes.dedup_by_key(|(path, _)| *path);
    for (path, scene) in scenes {
        for rule in &scene.alarms {
            let alarm = AlarmPath::of_rule(rule, scene);
            let shifted = limit(rule).into_iter().flat_map(|from| {
                let by = if from == 0.0 { range(rule, scene) } else { from.abs() } * SHIFT;
                [from - by, from + by].map(|to| ChangeKind::Shifted { alarm: alarm.clone(), from, to })
            });
            let kinds = std::iter::once(ChangeKind::Disabled { alarm: alarm.clone() }).chain(shifted);
            found.extend(kinds.map(|kind| Change { scene: path.clone(), kind }));
        }
    }
    found
}

impl Change {
    /// Places of the experiments that may notice it, in their order.
    pub fn witnesses(&self, all: &[(Experiment, Outcome)]) -> Vec<usize> {
        let may_notice = |at: &usize| {
            let (experiment, outcome) = &all[*at];
            match &self.kind {
                ChangeKind::WithoutFault { path, .. } => experiment.path == *path,
                _ if experiment.scene_path != self.scene => false,
                ChangeKind::Disabled { alarm } => was_active(outcome, alarm),
                ChangeKind::Shifted { alarm, to, .. } => {
                    was_active(outcome, alarm) || goes_beyond(experiment, outcome, alarm, *to)
                }
            }
        };
        (0..all.len()).filter(may_notice).collect()
    }

    /// Whether an experiment, by its place, does not pass any more.
    ///
    /// # Errors
    /// Where the scene cannot be simulated any more.
    pub fn is_noticed(&self, experiment: &Experiment, seed: u64) -> Result<bool, RunError> {
        Ok(run(&self.of(experiment), Some(seed))?.verdict != Verdict::Passed)
    }

    /// The experiment as it is with the change.
    fn of(&self, experiment: &Experiment) -> Experiment {
        let mut changed = experiment.clone();
        match &self.kind {
            ChangeKind::WithoutFault { step, .. } => {
                changed.steps.remove(*step);
            }
            ChangeKind::Disabled { alarm } => change(&mut changed.scene, alarm, |condition| {
                *condition = Condition::State { values: Vec::new(), inverted: false };
            }),
            ChangeKind::Shifted { alarm, to, .. } => change(&mut changed.scene, alarm, |condition| match condition {
                Condition::Limit { limit, .. } | Condition::Deviation { limit, .. } => *limit = *to,
                Condition::Rate { limit_per_sec, .. } => *limit_per_sec = *to,
                Condition::State { .. }
                | Condition::Formula(_)
                | Condition::Stale
                | Condition::Bad
                | Condition::Disconnected => {}
            }),
        }
        changed
    }

    /// `without step 1`, `T-100/level.high at 2.42 m, not 2.2 m`
    pub fn told(&self, all: &[(Experiment, Outcome)]) -> String {
        let scene = all.iter().find(|(experiment, _)| experiment.scene_path == self.scene).map(|(of, _)| &of.scene);
        match &self.kind {
            ChangeKind::WithoutFault { path, step } => {
                format!("{}: without the fault of step {}", path.display(), step + 1)
            }
            ChangeKind::Disabled { alarm } => format!("{alarm} never comes"),
            ChangeKind::Shifted { alarm, from, to } => {
                let rule = scene.and_then(|scene| Some((rule_of(scene, alarm)?, scene)));
                let told = |x: f64| rule.map_or_else(|| x.to_string(), |(rule, scene)| rule::quantity(x, rule, scene));
                format!("{alarm} at {}, not {}", told(*to), told(*from))
            }
        }
    }
}

fn was_active(outcome: &Outcome, alarm: &AlarmPath) -> bool {
    outcome.raised.contains(alarm) || outcome.standing.contains(alarm)
}

fn rule_of<'a>(scene: &'a Scene, alarm: &AlarmPath) -> Option<&'a Rule> {
    scene.alarms.iter().find(|rule| AlarmPath::of_rule(rule, scene) == *alarm)
}

fn change(scene: &mut Arc<Scene>, alarm: &AlarmPath, of: impl FnOnce(&mut Condition)) {
    let place = scene.alarms.iter().position(|rule| AlarmPath::of_rule(rule, scene) == *alarm);
    if let Some(rule) = place.and_then(|place| Arc::make_mut(scene).alarms.get_mut(place)) {
        of(&mut rule.condition);
    }
}

fn limit(rule: &Rule) -> Option<f64> {
    match rule.condition {
        Condition::Limit { limit, .. } | Condition::Deviation { limit, .. } => Some(limit),
        Condition::Rate { limit_per_sec, .. } => Some(limit_per_sec),
        Condition::State { .. }
        | Condition::Formula(_)
        | Condition::Stale
        | Condition::Bad
        | Condition::Disconnected => None,
    }
}

/// From the least to the greatest value of the rule's signal that is possible; 1 where nothing is said.
fn range(rule: &Rule, scene: &Scene) -> f64 {
    let Subject::Signal(signal) = rule.subject else { return 1.0 };
    scene.signals.get(signal.at()).and_then(|signal| signal.range).map_or(1.0, |(low, high)| high - low)
}

/// Whether the signal of an alarm was on the other side of a limit at some time. Of rates and deviations nothing is known:
/// they may have been.
fn goes_beyond(experiment: &Experiment, outcome: &Outcome, alarm: &AlarmPath, to: f64) -> bool {
    let Some(rule) = rule_of(&experiment.scene, alarm) else { return false };
    let Subject::Signal(signal) = rule.subject else { return true };
    let Some((least, most)) = outcome.extremes.get(signal.at()).copied().flatten() else { return false };
    match rule.condition {
        Condition::Limit { level: Level::High | Level::HighHigh, .. } => most > to,
        Condition::Limit { level: Level::Low | Level::LowLow, .. } => least < to,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_shifted_both_ways() {
        let scene = Scene::default();
        let rule = |limit| {
            let condition = Condition::Limit { level: Level::High, limit, deadband: 0.0 };
            Rule::new(Subject::Broker("plant".to_owned()), "it", condition)
        };
        assert_eq!(limit(&rule(4.5)), Some(4.5));
        assert_eq!(range(&rule(0.0), &scene), 1.0);
        let disconnected = Rule::new(Subject::Broker("plant".to_owned()), "it", Condition::Disconnected);
        assert_eq!(limit(&disconnected), None, "there is nothing to shift");
    }
}
