//! What is commanded in a scenario, as it is written: commands of its steps, and what a controller under test drives. In: the
//! file. Out: [`StepKind::Command`] and [`Against`]; or what does not fit. Sends nothing.

use super::experiment::{Against, Ordered, StepKind};
use super::format::{AgainstDef, ExpectDef, ScenarioFile, StepDef};
use super::load::{Resolver, nanos};
use crate::instruction;
use crate::scene::commands::Evidence;
use crate::scene::nearest::nearest;
use crate::scene::report::Hint;
use crate::scene::{Command, Spanned};
use crate::value::{SignalIndex, Value};

/// The shortest step of a controller, in nanoseconds.
const SHORTEST: u64 = 1_000_000;

impl Resolver<'_> {
    /// `P-101.set_speed` with its arguments.
    pub(super) fn command(&mut self, given: &Spanned<String>, def: &StepDef, item: &str) -> Option<StepKind> {
        let scene = self.names.scene;
        let Some(at) = scene.commands.iter().position(|command| scene.command_path(command) == given.value) else {
            let all: Vec<String> = scene.commands.iter().map(|command| scene.command_path(command)).collect();
            let brief = format!("there is no command `{}`", given.value);
            let hint = Hint::meant_or(nearest(given, all.iter().map(String::as_str)), || {
                "write it as P-101.start; `pollux command SCENE` lists what there is".to_owned()
            });
            self.names.error("unknown-command", given.span, item, brief, hint);
            return None;
        };
        let command = &scene.commands[at];
        let (mut arguments, mut faults): (Vec<(String, Value)>, Vec<String>) = (Vec::new(), Vec::new());
        for (name, value) in &def.with.0 {
            match command.parameters.iter().find(|parameter| parameter.name == name.value) {
                // What is not known is told with the others.
                None => arguments.push((name.value.clone(), Value::Bool(false))),
                Some(parameter) => match instruction::read(parameter, &value.told()) {
                    Ok(value) => arguments.push((name.value.clone(), value)),
                    Err(why) => faults.push(why),
                },
            }
        }
        if faults.is_empty() {
            match instruction::arguments(command, &arguments) {
                Ok(arguments) => {
                    let id = def.id.as_ref().map_or_else(|| given.value.clone(), |id| id.value.clone());
                    return Some(StepKind::Command(Ordered { id, command: at, arguments }));
                }
                Err(why) => faults = why,
            }
        }
        for fault in faults {
            let hint = "`with` gives each parameter a value: with: {\"frequency\": \"40 Hz\"}";
            self.names.error("bad-command", given.span, item, format!("{}: {fault}", given.value), hint.into());
        }
        None
    }

    /// Each command has a name of its own, and what is expected of one is of one that is given, and can be seen.
    pub(super) fn check_commands(&mut self, file: &ScenarioFile) {
        let name = |def: &StepDef| Some(def.id.as_ref().or(def.command.as_ref())?.value.clone());
        let given: Vec<(String, &Spanned<String>)> = file
            .steps
            .iter()
            .filter_map(|def| Some((name(def).filter(|_| def.command.is_some())?, def.command.as_ref()?)))
            .collect();
        for (at, (id, command)) in given.iter().enumerate() {
            if given[..at].iter().any(|(other, _)| other == id) {
                let brief = format!("two commands are called `{id}`");
                self.names.error(
                    "duplicate-name",
                    command.span,
                    "step",
                    brief,
                    "give each one an `id` of its own".into(),
                );
            }
        }
        for def in &file.expect {
            let (ExpectDef::Verified { command: wanted, .. } | ExpectDef::Refused { command: wanted }) = &def.value
            else {
                continue;
            };
            let Some((_, path)) = given.iter().find(|(id, _)| *id == wanted.value) else {
                let near = nearest(wanted, given.iter().map(|(id, _)| id.as_str()));
                let brief = format!("no step gives a command that is called `{}`", wanted.value);
                let hint = Hint::meant_or(near, || "name the `id` of a step, or its `command`".to_owned());
                self.names.error("unknown-command", wanted.span, "expect", brief, hint);
                continue;
            };
            let scene = self.names.scene;
            let of = scene.commands.iter().find(|command| scene.command_path(command) == path.value);
            let is_seen =
                |command: &Command| matches!(command.verify.as_ref().map(|verify| &verify.by), Some(Evidence::That(_)));
            if matches!(def.value, ExpectDef::Verified { .. }) && of.is_some_and(|command| !is_seen(command)) {
                let brief = format!("`{}` cannot be verified here: a simulated plant gives no answers", path.value);
                let hint =
                    "give the command of the scene `verify: (that: …)`, or expect what it does: Becomes(that: …)";
                self.names.error("bad-value", wanted.span, "expect", brief, hint.into());
            }
        }
    }

    /// What a controller under test drives.
    pub(super) fn against(&mut self, def: &AgainstDef) -> Option<Against> {
        let mut commands: Vec<SignalIndex> = Vec::new();
        for given in &def.commands {
            let signal = self.names.signal(given, "against")?;
            let scene = self.names.scene;
            if scene.commanded.iter().all(|follow| follow.signal != signal) {
                let mut all: Vec<String> =
                    scene.commanded.iter().map(|follow| scene.signal_path(follow.signal)).collect();
                all.sort_unstable();
                all.dedup();
                let brief =
                    format!("no input names `{}` as its `command`: nobody could control anything by it", given.value);
                let hint =
                    if all.is_empty() { "none does".to_owned() } else { format!("these are: {}", all.join(", ")) };
                self.names.error("not-a-command", given.span, "against", brief, hint.as_str().into());
                return None;
            }
            commands.push(signal);
        }
        let step = match &def.step {
            Some(given) => {
                let step = nanos(&mut self.names, given, "against", "step")?;
                if step < SHORTEST || step > self.duration {
                    let brief = "`step` must be at least 1ms and at most the duration";
                    self.names.error("bad-duration", given.span, "against", brief, Hint::NONE);
                    return None;
                }
                Some(step)
            }
            None => None,
        };
        Some(Against { commands, step })
    }
}
