//! Where in a file an alarm says something. In: names. Out: the way from the definition of its owner to the value.

use std::time::Duration;

use super::super::alarms::LIMITS;
use super::super::format::{AlarmDef, SceneFile};
use super::super::resolved::Scene;
use super::super::ron_tree::{Kind, Node};
use super::super::text;
use super::Change;
use crate::scene::rule::{AlarmPath, Condition, Level, Rule};

/// One step down: into a field of `(…)` or an entry of `{…}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    Field(&'static str),
    Entry(String),
}

/// The way from the definition of a twin or a broker to the value.
pub(super) fn steps(scene: &Scene, target: &AlarmPath, rule: Option<&Rule>, change: &Change) -> Vec<Step> {
    let (signal, key) = match target.alarm.split_once('.') {
        Some((signal, key)) => (Some(signal), key),
        None => (None, target.alarm.as_str()),
    };
    let mut steps = Vec::new();
    if let (Some(twin), Some(signal)) = (&target.twin, signal) {
        steps.extend([Step::Field("signals"), Step::Entry(signal.to_owned())]);
        let level = LIMITS.iter().find(|(name, _)| *name == key);
        let limits = scene.signal(twin, signal).map(|signal| signal.limits);
        if let (Change::Limit(_), Some((name, level)), Some(limits)) = (change, level, limits)
            && limits.get(*level).is_some()
        {
            steps.extend([Step::Field("limits"), Step::Field(name)]);
            return steps;
        }
    }
    match target.twin {
        Some(_) => steps.extend([Step::Field("alarms"), Step::Entry(key.to_owned())]),
        None => steps.push(Step::Field("alarm")),
    }
    match change {
        Change::Limit(_) => match rule.map(|rule| &rule.condition) {
            Some(Condition::Rate { .. }) => steps.extend([Step::Field("rate"), Step::Field("above")]),
            Some(Condition::Deviation { .. }) => steps.extend([Step::Field("deviation"), Step::Field("above")]),
            Some(Condition::Limit { level: Level::Low | Level::LowLow, .. }) => steps.push(Step::Field("below")),
            _ => steps.push(Step::Field("above")),
        },
        Change::Deadband(_) => steps.push(Step::Field("deadband")),
        Change::OnDelay(_) => steps.push(Step::Field("on_delay")),
        Change::OffDelay(_) => steps.push(Step::Field("off_delay")),
        Change::Priority(_) => steps.push(Step::Field("priority")),
        Change::Enabled(_) => steps.push(Step::Field("enabled")),
    }
    steps
}

/// The definition of the twin or the broker that an alarm is of, in the tree of a file.
pub(super) fn owner<'n, 't>(root: &'n Node<'t>, target: &AlarmPath) -> Option<&'n Node<'t>> {
    let field = |name: &str| child(root, name);
    match &target.twin {
        Some(id) => {
            let Kind::List(twins) = &field("twins")?.kind else { return None };
            twins.iter().find(|twin| child(twin, "id").is_some_and(|node| is_text(node, id)))
        }
        None => entry(field("brokers")?, target.broker.as_ref()?),
    }
}

pub(super) fn child<'n, 't>(node: &'n Node<'t>, name: &str) -> Option<&'n Node<'t>> {
    let Kind::Struct(_, fields) = &node.kind else { return None };
    fields.iter().find(|field| field.name == name).map(|field| &field.value)
}

pub(super) fn entry<'n, 't>(node: &'n Node<'t>, name: &str) -> Option<&'n Node<'t>> {
    let Kind::Map(entries) = &node.kind else { return None };
    entries.iter().find(|(key, _)| is_text(key, name)).map(|(_, value)| value)
}

fn is_text(node: &Node<'_>, wanted: &str) -> bool {
    matches!(&node.kind, Kind::Text(text) if text == wanted)
}

/// In what time the limit of a rate is counted: as the twin, its type or a type above says; a second if none does.
pub(super) fn per(scene: &Scene, target: &AlarmPath) -> Duration {
    let files: Vec<SceneFile> = scene.sources.iter().filter_map(|source| super::super::parse(&source.text).0).collect();
    written_per(&files, target).unwrap_or(Duration::from_secs(1))
}

fn written_per(files: &[SceneFile], target: &AlarmPath) -> Option<Duration> {
    let (Some(id), Some((signal, key))) = (&target.twin, target.alarm.split_once('.')) else { return None };
    let twin = files.iter().flat_map(|file| &file.twins).find(|twin| twin.id.value == *id)?;
    let said = |alarm: Option<&AlarmDef>| {
        let per = alarm?.rate.as_ref()?.per.as_ref()?;
        text::duration(per).ok()
    };
    if let Some(per) = said(twin.signals.get(signal).and_then(|signal| signal.alarms.get(key))) {
        return Some(per);
    }
    let mut name = Some(&twin.type_name.value);
    // Types of a scene that was loaded never extend themselves; the bound is for safety alone.
    for _ in 0..1000 {
        let def = files.iter().find_map(|file| file.types.get(name?))?;
        if let Some(per) = said(def.signals.get(signal).and_then(|signal| signal.alarms.get(key))) {
            return Some(per);
        }
        name = def.extends.as_ref().map(|base| &base.value);
    }
    None
}
