//! What scenarios do not exercise. In: experiments with what came of them. Out: alarms that none of them raises, or raises
//! without expecting it; conditions of machines, kinds of faults and commands that none of them uses. Decides nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;

use super::experiment::{Expect, Experiment, Step, StepKind};
use super::run::Outcome;
use crate::fault::{self, Defect, Fault};
use crate::model::Role;
use crate::network::Target;
use crate::scene::Scene;
use crate::scene::rule::AlarmPath;

/// What the scenarios of one scene leave out.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Coverage {
    pub scene: PathBuf,
    pub alarms: Part,
    /// Of the alarms that are raised: those that no expectation names.
    pub unexpected: Vec<String>,
    /// Parameters that tell how worn or broken a machine is, and faults of any kind on them.
    pub conditions: Part,
    pub kinds: Part,
    /// Commands that the scenes define.
    pub commands: Part,
}

/// How many of a kind there are, and those that no scenario exercises.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Part {
    pub all: usize,
    pub left_out: Vec<String>,
}

impl Part {
    fn of(all: impl IntoIterator<Item = String>, used: &BTreeSet<String>) -> Self {
        let all: Vec<String> = all.into_iter().collect();
        let count = all.len();
        Self { all: count, left_out: all.into_iter().filter(|one| !used.contains(one)).collect() }
    }
}

impl Coverage {
    /// One for each scene, in the order of their paths.
    pub fn of(all: &[(Experiment, Outcome)]) -> Vec<Self> {
        let paths: BTreeSet<&PathBuf> = all.iter().map(|(experiment, _)| &experiment.scene_path).collect();
        paths
            .into_iter()
            .filter_map(|path| {
                let of_scene: Vec<_> = all.iter().filter(|(experiment, _)| experiment.scene_path == *path).collect();
                let scene = &of_scene.first()?.0.scene;
                Some(Self::of_scene(path.clone(), scene, &of_scene))
            })
            .collect()
    }

    fn of_scene(path: PathBuf, scene: &Scene, all: &[&(Experiment, Outcome)]) -> Self {
        let raised: BTreeSet<String> =
            all.iter().flat_map(|(_, outcome)| &outcome.raised).map(AlarmPath::to_string).collect();
        let expected: BTreeSet<String> = all
            .iter()
            .flat_map(|(experiment, _)| &experiment.expectations)
            .flat_map(|one| match &one.expect {
                Expect::Raised { alarm, .. } | Expect::Cleared { alarm, .. } => std::slice::from_ref(alarm),
                Expect::Order { raised } => raised,
                Expect::NotRaised { .. }
                | Expect::NothingElse { .. }
                | Expect::Within { .. }
                | Expect::Verified { .. }
                | Expect::Refused { .. }
                | Expect::Follows { .. }
                | Expect::Holds { .. }
                | Expect::Becomes { .. }
                | Expect::Figure { .. } => &[],
            })
            .map(AlarmPath::to_string)
            .collect();
        // A step that never came exercises nothing.
        let steps: Vec<&Step> = all
            .iter()
            .flat_map(|(experiment, outcome)| outcome.done.iter().filter_map(|at| experiment.steps.get(*at)))
            .collect();
        let faults: Vec<&Fault> = steps
            .iter()
            .filter_map(|step| if let StepKind::Fault(fault) = &step.kind { Some(fault) } else { None })
            .collect();
        let command = |step: &&Step| match &step.kind {
            StepKind::Command(ordered) => Some(scene.command_path(scene.commands.get(ordered.command)?)),
            _ => None,
        };
        let commands: BTreeSet<String> = steps.iter().filter_map(command).collect();
        let kinds = faults.iter().map(|fault| kind(fault.kind())).collect();
        let conditions = faults.iter().filter_map(|fault| condition_of(fault, scene)).collect();
        Self {
            scene: path,
            alarms: Part::of(scene.alarms.iter().map(|rule| AlarmPath::of_rule(rule, scene).to_string()), &raised),
            unexpected: raised.difference(&expected).cloned().collect(),
            conditions: Part::of(all_conditions(scene), &conditions),
            kinds: Part::of(fault::kinds().map(kind), &kinds),
            commands: Part::of(scene.commands.iter().map(|command| scene.command_path(command)), &commands),
        }
    }

    /// For people.
    pub fn told(&self) -> String {
        let mut text = format!("coverage of {}\n", self.scene.display());
        let mut add = |what: &str, part: &Part, none: &str| {
            let used = part.all - part.left_out.len();
            text += &format!("  {what}: {used} of {}", part.all);
            match part.left_out.is_empty() {
                true => text.push('\n'),
                false => text += &format!("; {none}:\n{}", listed(&part.left_out)),
            }
        };
        add("alarms raised", &self.alarms, "never raised");
        let unexpected = Part { all: self.alarms.all - self.alarms.left_out.len(), left_out: self.unexpected.clone() };
        add("of these expected by name", &unexpected, "raised, but expected by none");
        add("conditions of machines", &self.conditions, "never made worse");
        add("kinds of faults", &self.kinds, "never used");
        if self.commands.all > 0 {
            add("commands", &self.commands, "never given");
        }
        text
    }
}

/// Some to a line.
fn listed(names: &[String]) -> String {
    const WIDTH: usize = 100;
    let (mut text, mut line) = (String::new(), String::new());
    for name in names {
        if !line.is_empty() && line.len() + 2 + name.len() > WIDTH {
            text += &format!("    {line}\n");
            line.clear();
        }
        if !line.is_empty() {
            line += ", ";
        }
        line += name;
    }
    text += &format!("    {line}\n");
    text
}

/// `sensor stuck`
fn kind(kind: &fault::Kind) -> String {
    format!("{} {}", kind.layer.name(), kind.name)
}

fn all_conditions(scene: &Scene) -> Vec<String> {
    let machines = scene.blueprint.iter().flat_map(|blueprint| &blueprint.machines);
    let each = machines.flat_map(|machine| {
        let parameters = machine.model.description().parameters.iter();
        parameters
            .filter(|parameter| parameter.role == Role::Condition)
            .map(|parameter| format!("{}.{}", machine.id, parameter.name))
    });
    each.collect()
}

/// The parameter that a fault changes.
fn condition_of(fault: &Fault, scene: &Scene) -> Option<String> {
    let Defect::Process { target: Target::Parameter { machine, parameter }, .. } = &fault.defect else { return None };
    let machine = scene.blueprint.as_ref()?.machines.get(*machine)?;
    Some(format!("{}.{}", machine.id, machine.model.description().parameters.get(*parameter)?.name))
}
