//! Twin types with everything they inherit. In: definitions from all files. Out: one finished type per name.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::alarms;
use super::commands;
use super::format::{AlarmDef, CommandDef, LookDef, MessageDef, ModelDef, SignalDef, Table, TypeDef};
use super::messages;
use super::models::{self, Models};
use super::nearest::nearest;
use super::report::{Hint, Report};
use super::resolved::Broker;
use super::signals::{self, Prepared};
use super::span::Spanned;

#[derive(Clone, Default)]
pub(super) struct Type {
    /// In the order in which they were first named, from the base type on.
    pub defs: Vec<(Spanned<String>, SignalDef)>,
    pub prepared: Vec<Prepared>,
    /// Alarms of twins themselves, merged; those of signals are in `defs`.
    pub alarm_defs: Table<AlarmDef>,
    /// All alarms: of signals and of twins themselves.
    pub alarms: Arc<[alarms::Prepared]>,
    /// Merged.
    pub command_defs: Table<CommandDef>,
    pub commands: Arc<[commands::Prepared]>,
    pub params: HashMap<String, String>,
    pub model: Option<(Spanned<String>, PathBuf)>,
    pub look: Option<LookDef>,
    pub models: Models,
    pub messages: Table<MessageDef>,
}

/// A definition and the folder that its paths start from.
pub(super) struct Given<'a> {
    pub name: &'a Spanned<String>,
    pub def: &'a TypeDef,
    pub dir: &'a Path,
}

pub(super) fn resolve(
    given: &[Given<'_>],
    brokers: &BTreeMap<String, Broker>,
    report: &mut Report,
) -> HashMap<String, Type> {
    let mut by_name: HashMap<&str, &Given<'_>> = HashMap::with_capacity(given.len());
    for one in given {
        if let Some(first) = by_name.get(one.name.as_str()) {
            let hint = format!("the first is at {}", report.place(first.name.span));
            let brief = format!("the type `{}` is defined a second time", one.name.value);
            report.error("duplicate-name", one.name.span, "", brief, hint.into());
        } else {
            by_name.insert(&one.name.value, one);
        }
    }
    given.iter().map(|one| (one.name.value.clone(), finish(one, &by_name, brokers, report))).collect()
}

fn finish(
    one: &Given<'_>,
    by_name: &HashMap<&str, &Given<'_>>,
    brokers: &BTreeMap<String, Broker>,
    report: &mut Report,
) -> Type {
    let mut finished = Type::default();
    let (mut model, mut parts): (Option<&ModelDef>, Table<ModelDef>) = (None, Table::default());
    for part in chain(one, by_name, report).into_iter().rev() {
        for (name, param) in &part.def.params.0 {
            finished.params.insert(name.value.clone(), param.value.clone());
        }
        for (name, def) in &part.def.signals.0 {
            match finished.defs.iter_mut().find(|(known, _)| known.value == name.value) {
                Some((known, base)) => {
                    *base = signals::merge(base, def);
                    known.span = name.span;
                }
                None => finished.defs.push((name.clone(), def.clone())),
            }
        }
        finished.alarm_defs = alarms::merge_tables(&finished.alarm_defs, &part.def.alarms);
        finished.command_defs = commands::merge_tables(&finished.command_defs, &part.def.commands);
        model = part.def.model.as_ref().or(model);
        for (name, def) in &part.def.models.0 {
            match parts.0.iter_mut().find(|(known, _)| known.value == name.value) {
                Some(known) => *known = (name.clone(), def.clone()),
                None => parts.0.push((name.clone(), def.clone())),
            }
        }
        for (path, feed) in &part.def.inputs.0 {
            match finished.models.inputs.iter_mut().find(|(known, _)| known.value == path.value) {
                Some(known) => *known = (path.clone(), feed.clone()),
                None => finished.models.inputs.push((path.clone(), feed.clone())),
            }
        }
        for (topic, def) in &part.def.messages.0 {
            match finished.messages.0.iter_mut().find(|(known, _)| known.value == topic.value) {
                Some((_, known)) => *known = messages::merge(known, def),
                None => finished.messages.0.push((topic.clone(), def.clone())),
            }
        }
        let Some(look) = &part.def.look else { continue };
        if let Some(model) = &look.model {
            finished.model = Some((model.clone(), part.dir.to_owned()));
        }
        let inherited = finished.look.take().unwrap_or_default();
        let parts = if look.parts.is_empty() { inherited.parts } else { look.parts.clone() };
        let mut ports = inherited.ports;
        for (port, node) in &look.ports.0 {
            match ports.0.iter_mut().find(|(known, _)| known.value == port.value) {
                Some(known) => *known = (port.clone(), node.clone()),
                None => ports.0.push((port.clone(), node.clone())),
            }
        }
        finished.look = Some(LookDef { model: None, parts, ports });
    }
    (finished.models.parts, finished.models.broken) = models::prepare(&one.name.value, model, &parts, report);
    for (name, def) in &finished.defs {
        let item = format!("{}.{}", one.name.value, name.value);
        let bad = |c: char| c == '.' || c == '"' || c == '\\' || c.is_control();
        if name.is_empty() || name.trim() != name.value || name.contains(bad) {
            let brief = "a signal's name is not empty and has no dot, quote, backslash, or space at its ends";
            report.error("bad-name", name.span, &item, brief, Hint::NONE);
        }
        finished.prepared.push(signals::prepare(&item, name, def, brokers, report));
    }
    signals::check_conflicts(&one.name.value, &finished.prepared, report);
    finished.alarms =
        alarms::prepare(&one.name.value, &finished.defs, &finished.prepared, &finished.alarm_defs, report).into();
    finished.commands = commands::prepare(&one.name.value, &finished.command_defs, brokers, report).into();
    if let Some((model, dir)) = &finished.model {
        let path = dir.join(&model.value);
        if !path.is_file() {
            let brief = format!("there is no model file {}", path.display());
            let hint = "paths start from the file that names them; until it is there, a plain box is shown";
            report.warning("missing-file", model.span, &one.name.value, brief, hint.into());
        }
    }
    finished
}

/// The type and its ancestors, itself first.
fn chain<'g, 'a>(
    one: &'g Given<'a>,
    by_name: &HashMap<&str, &'g Given<'a>>,
    report: &mut Report,
) -> Vec<&'g Given<'a>> {
    let mut chain = vec![one];
    let mut last = one;
    while let Some(base) = &last.def.extends {
        let Some(next) = by_name.get(base.as_str()) else {
            let brief = format!("extends the unknown type `{}`", base.value);
            let near = Hint::meant(nearest(base, by_name.keys().copied().collect::<std::collections::BTreeSet<_>>()));
            report.error("unknown-type", base.span, &last.name.value, brief, near);
            break;
        };
        if let Some(start) = chain.iter().position(|seen| std::ptr::eq(*seen, *next)) {
            // Told once per cycle: from its first name in the alphabet, whichever type was asked for.
            let ring = chain.get(start..).unwrap_or(&[]);
            let first = (0..ring.len()).min_by_key(|at| ring.get(*at).map(|given| &given.name.value)).unwrap_or(0);
            let mut names: Vec<&str> =
                ring.iter().cycle().skip(first).take(ring.len() + 1).map(|g| g.name.as_str()).collect();
            names.dedup_by(|a, b| a == b && ring.len() > 1);
            if let Some(culprit) = ring.get(first)
                && let Some(base) = &culprit.def.extends
            {
                let brief = format!("extends itself: {}", names.join(" -> "));
                report.error("extends-cycle", base.span, &culprit.name.value, brief, "take out one `extends`".into());
            }
            break;
        }
        chain.push(next);
        last = next;
    }
    chain
}
