//! Makes twins and their signals out of types. In: twin definitions and finished types. Out: dense lists, topics filled.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::alarms;
use super::commands;
use super::format::{MeasureDef, SignalDef, TwinDef};
use super::looks::{self, PreparedPart};
use super::machines::Machines;
use super::messages;
use super::nearest::nearest;
use super::report::{Hint, Report};
use super::resolved::{Binding, Broker, Look, Part, Scene, Signal, SignalSource, Twin};
use super::signals::{self, Expression, Prepared, Source, Topic};
use super::span::{Span, Spanned};
use super::text;
use super::types::Type;
use crate::value::{SignalIndex, TwinIndex, Unit};

/// A derived signal whose inputs are still names.
pub(super) struct Pending {
    pub signal: SignalIndex,
    pub derived: Expression,
    pub settle: Option<Duration>,
    pub params: Arc<HashMap<String, String>>,
}

/// What can be finished only when all twins are there.
#[derive(Default)]
pub(super) struct Unresolved {
    pub derived: Vec<Pending>,
    pub alarms: Vec<alarms::Pending>,
    pub commands: Vec<commands::Pending>,
    pub machines: Machines,
    /// What signals see of models, by the paths of outputs.
    pub measures: Vec<(SignalIndex, Spanned<MeasureDef>)>,
    /// How messages go out, by twin.
    pub messages: Vec<messages::Told>,
}

/// A placeholder that some twins do not fill: (where, name) → twins.
type Misses = BTreeMap<(Span, String), (String, Vec<String>)>;

pub(super) fn resolve(
    defs: &[&TwinDef],
    types: &HashMap<String, Type>,
    brokers: &BTreeMap<String, Broker>,
    scene: &mut Scene,
    report: &mut Report,
) -> Unresolved {
    let mut unresolved = Unresolved::default();
    let mut misses = Misses::new();
    let mut parts_of: HashMap<&str, Vec<PreparedPart>> = HashMap::new();
    let mut first_seen: HashMap<&str, Span> = HashMap::with_capacity(defs.len());
    for (name, kind) in types {
        if let Some(look) = &kind.look {
            parts_of.insert(name, looks::prepare(name, &look.parts, &kind.prepared, report));
        }
    }
    for def in defs {
        if let Some(first) = first_seen.get(def.id.as_str()) {
            let hint = format!("the first is at {}", report.place(*first));
            let brief = format!("the id `{}` is given a second time", def.id.value);
            report.error("duplicate-id", def.id.span, "", brief, hint.into());
            continue;
        }
        first_seen.insert(&def.id.value, def.id.span);
        check_id(def, report);
        let Some(kind) = types.get(&def.type_name.value) else {
            let brief = format!("unknown type `{}`", def.type_name.value);
            let mut names: Vec<&str> = types.keys().map(String::as_str).collect();
            names.sort_unstable();
            let hint = Hint::meant(nearest(&def.type_name, names));
            report.error("unknown-type", def.type_name.span, &def.id, brief, hint);
            continue;
        };
        let index = TwinIndex(u32::try_from(scene.twins.len()).unwrap_or(u32::MAX));
        let changed = (!def.signals.0.is_empty()).then(|| changed_signals(def, kind, brokers, report));
        let (signal_defs, prepared) = match &changed {
            Some((defs, prepared)) => (defs, prepared),
            None => (&kind.defs, &kind.prepared),
        };
        let alarms = if changed.is_some() || !def.alarms.0.is_empty() {
            let own = alarms::merge_tables(&kind.alarm_defs, &def.alarms);
            alarms::prepare(&def.id, signal_defs, prepared, &own, report).into()
        } else {
            kind.alarms.clone()
        };
        let commands = match def.commands.0.is_empty() {
            true => kind.commands.clone(),
            false => {
                let own = commands::merge_tables(&kind.command_defs, &def.commands);
                commands::prepare(&def.id, &own, brokers, report).into()
            }
        };
        let mut params = kind.params.clone();
        params.extend(def.params.0.iter().map(|(name, value)| (name.value.clone(), value.value.clone())));
        let params = Arc::new(params);
        unresolved.alarms.push(alarms::Pending { twin: index, alarms, params: params.clone() });
        unresolved.commands.push(commands::Pending { twin: index, commands, params: params.clone() });
        unresolved.machines.add(index, def, &kind.models, params.clone(), report);
        if !kind.messages.0.is_empty() {
            unresolved.messages.push((index, kind.messages.clone(), params.clone()));
        }
        let start = u32::try_from(scene.signals.len()).unwrap_or(u32::MAX);
        for signal in prepared {
            let signal_index = SignalIndex(u32::try_from(scene.signals.len()).unwrap_or(u32::MAX));
            let source = match &signal.source {
                Source::Topic(topic) => bind(def, signal, topic, &params, &mut misses, report),
                Source::Derived(derived) => {
                    let derived = derived.clone();
                    let (settle, params) = (signal.settle, params.clone());
                    unresolved.derived.push(Pending { signal: signal_index, derived, settle, params });
                    SignalSource::Unbound
                }
                Source::Unbound => SignalSource::Unbound,
            };
            unresolved.measures.extend(signal.measures.clone().map(|measure| (signal_index, measure)));
            scene.signals.push(Signal {
                index: signal_index,
                twin: index,
                name: signal.name.clone(),
                label: signal.label.clone(),
                kind: signal.kind,
                unit: signal.unit.clone(),
                source,
                expires: signal.expires,
                range: signal.range,
                limits: signal.limits,
            });
        }
        let end = u32::try_from(scene.signals.len()).unwrap_or(u32::MAX);
        let look = match (&kind.look, changed.is_some()) {
            (Some(look), true) => Some(look_of(kind, &looks::prepare(&def.id, &look.parts, prepared, report), start)),
            (Some(_), false) => parts_of.get(def.type_name.as_str()).map(|parts| look_of(kind, parts, start)),
            (None, _) => None,
        };
        let scale = def.scale.as_ref().map_or(1.0, |scale| {
            if scale.value <= 0.0 {
                let brief = format!("scale must be above 0, found {:?}", scale.value);
                report.error("bad-value", scale.span, &def.id, brief, Hint::NONE);
            } else if !LIKELY_SCALES.contains(&scale.value) {
                let brief =
                    format!("the scale {:?} leaves nothing to be seen of this twin, or of the others", scale.value);
                let hint = "a scale makes a model larger or smaller: 1 is its own size in metres";
                report.warning("unlikely-size", scale.span, &def.id, brief, hint.into());
            }
            scale.value
        });
        if [def.at.0, def.at.1, def.at.2].iter().any(|metres| metres.abs() > FARTHEST) {
            let brief = format!("the place {:?} is more than {FARTHEST:?} m from the origin", def.at);
            let hint = "so far out nothing is drawn exactly, and a view of all twins shows none: place the scene at the origin";
            report.warning("far-away", def.id.span, &def.id, brief, hint.into());
        }
        scene.ids.insert(def.id.value.clone(), index);
        scene.twins.push(Twin {
            index,
            id: def.id.value.clone(),
            name: def.name.clone(),
            type_name: def.type_name.value.clone(),
            area: def.area.clone(),
            at: [def.at.0, def.at.1, def.at.2],
            facing_deg: def.facing,
            scale,
            signals: start..end,
            look: look.map(Arc::new),
        });
    }
    report_misses(misses, report);
    unresolved
}

/// Places beyond this, in metres, lie between the steps of the floats that pictures are drawn with.
const FARTHEST: f32 = 100_000.0;
const LIKELY_SCALES: std::ops::RangeInclusive<f32> = 1e-4..=1e4;

fn check_id(def: &TwinDef, report: &mut Report) {
    let id = &def.id;
    if let Some(brief) = text::id_fault(id) {
        report.error("bad-name", id.span, "", brief, "an id fills {id} in topics".into());
    }
}

/// All signals of a twin that changes some of them: as they are said now, and checked.
fn changed_signals(
    def: &TwinDef,
    kind: &Type,
    brokers: &BTreeMap<String, Broker>,
    report: &mut Report,
) -> (Vec<(Spanned<String>, SignalDef)>, Vec<Prepared>) {
    let (mut defs, mut prepared) = (kind.defs.clone(), kind.prepared.clone());
    for (name, over) in &def.signals.0 {
        let Some(at) = kind.defs.iter().position(|(known, _)| known.value == name.value) else {
            let near = nearest(name, kind.defs.iter().map(|(known, _)| known.value.as_str()));
            let brief = format!("the type `{}` has no signal `{}`", def.type_name.value, name.value);
            let otherwise = || "a twin changes signals of its type; a new one belongs into the type".to_owned();
            report.error("unknown-signal", name.span, &def.id, brief, Hint::meant_or(near, otherwise));
            continue;
        };
        if let (Some((_, base)), Some(slot)) = (defs.get_mut(at), prepared.get_mut(at)) {
            let item = format!("{}.{}", def.id.value, name.value);
            let before = slot.unit.clone();
            let inherited = std::mem::take(base);
            *base = signals::merge(&inherited, over);
            *slot = signals::prepare(&item, name, base, brokers, report);
            if let Some(unit) = over.unit.as_ref().filter(|_| !before.fits(&slot.unit)) {
                let brief = format!("unit `{}` does not fit `{before}`, the unit in the type", unit.value);
                let hint = "a twin may measure the same quantity in another unit, not another quantity";
                report.error("unit-mismatch", unit.span, &item, brief, hint.into());
            }
            warn_of_inherited_numbers(&item, &inherited, over, &before, &slot.unit, report);
        }
    }
    signals::check_conflicts(&def.id, &prepared, report);
    (defs, prepared)
}

/// A limit of 4.5 mm/s is not one of 4.5 m/s: numbers of the type are not converted where a twin has another unit.
fn warn_of_inherited_numbers(
    item: &str,
    inherited: &SignalDef,
    over: &SignalDef,
    before: &Unit,
    now: &Unit,
    report: &mut Report,
) {
    let Some(unit) = over.unit.as_ref().filter(|_| before.conversion_to(now).is_some_and(|found| !found.is_identity()))
    else {
        return;
    };
    let not_said_again = [
        ("limits", inherited.limits.is_some() && over.limits.is_none()),
        ("range", inherited.range.is_some() && over.range.is_none()),
        ("alarms", !inherited.alarms.0.is_empty() && over.alarms.0.is_empty()),
    ];
    let fields: Vec<&str> = not_said_again.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    if !fields.is_empty() {
        let brief =
            format!("the type's {} were meant in `{before}`, but count in `{}` here", fields.join(", "), unit.value);
        report.warning("unit-of-limits", unit.span, item, brief, "say them again, in this unit".into());
    }
}

fn bind(
    def: &TwinDef,
    signal: &Prepared,
    topic: &Topic,
    params: &HashMap<String, String>,
    misses: &mut Misses,
    report: &mut Report,
) -> SignalSource {
    let filled = topic.template.fill(|name| match name {
        "id" => Some(&def.id.value),
        "type" => Some(&def.type_name.value),
        "signal" => Some(&signal.name),
        other => params.get(other).map(String::as_str),
    });
    let filled = match filled {
        Ok(filled) => filled,
        Err(name) => {
            let item = format!("{}.{}: topic {:?}", def.type_name.value, signal.name, topic.text.value);
            let miss = misses.entry((topic.text.span, name.to_owned())).or_insert_with(|| (item, Vec::new()));
            miss.1.push(def.id.value.clone());
            return SignalSource::Unbound;
        }
    };
    if let Some(fault) = text::filter_fault(&filled) {
        let brief = format!("the topic {filled:?} of `{}`, made from {:?}, {fault}", signal.name, topic.text.value);
        report.error("bad-topic", def.id.span, &def.id, brief, "check id and params".into());
        return SignalSource::Unbound;
    }
    SignalSource::Mqtt(Binding {
        broker: topic.broker.clone(),
        topic: filled,
        decoder: topic.decoder.clone(),
        time: topic.time.clone(),
        conversion: topic.conversion,
    })
}

fn report_misses(misses: Misses, report: &mut Report) {
    for ((span, name), (item, twins)) in misses {
        let who = match twins.as_slice() {
            [only] => format!("the twin {only} does not fill"),
            [first, rest @ ..] => format!("the twins {first} and {} more do not fill", rest.len()),
            [] => continue,
        };
        let brief = format!("has the placeholder {{{name}}}, which {who}");
        let hint = match nearest(&name, ["id", "type", "signal"]) {
            Some(near) => format!("did you mean {{{near}}}? Else add params: {{\"{name}\": \"…\"}}"),
            None => format!("add params: {{\"{name}\": \"…\"}} to the twins or to their type"),
        };
        report.error("unknown-placeholder", span, &item, brief, hint.into());
    }
}

fn look_of(kind: &Type, parts: &[PreparedPart], first_signal: u32) -> Look {
    let model = kind.model.as_ref().map(|(model, dir): &(_, _)| Path::join(dir, &model.value));
    let parts = parts.iter().map(|part| Part {
        node: part.node.clone(),
        by: SignalIndex(first_signal.saturating_add(u32::try_from(part.signal).unwrap_or(u32::MAX))),
        motion: part.motion.clone(),
    });
    let ports = kind.look.iter().flat_map(|look| &look.ports.0);
    let ports = ports.map(|(port, node)| (port.value.clone(), node.value.clone()));
    Look { model, parts: parts.collect(), ports: ports.collect() }
}
