//! Faults as steps write them. In: a kind by its name, targets and sizes as people write them. Out: a [`Fault`]; or what does
//! not fit.

use super::format::StepDef;
use crate::fault::{
    self, Course, Defect, Fault, Kind, Layer, LinkEffect, Measure, ProcessEffect, Recurrence, SensorEffect,
};
use crate::scene::Spanned;
use crate::scene::document::{Names, Place};
use crate::scene::nearest::nearest;
use crate::scene::report::Hint;
use crate::value::SignalIndex;

/// What a fault is on.
enum On {
    Place(Place),
    Signal(SignalIndex),
    Signals(SignalIndex, SignalIndex),
    Topics(Vec<String>),
}

/// The fault of a step; its onset is when the step comes.
pub(super) fn fault(number: usize, def: &Spanned<StepDef>, item: &str, names: &mut Names<'_>) -> Option<Fault> {
    let name = def.fault.as_ref()?;
    let kind = kind(name, def, item, names)?;
    let on = on(kind, def, item, names)?;
    let values = values(kind, &on, def, item, names)?;
    let defect = match on {
        On::Place(place) => {
            ProcessEffect::of(kind.name, &values).map(|effect| Defect::Process { target: place.target, effect })
        }
        On::Signal(signal) => SensorEffect::of(kind.name, &values).map(|effect| Defect::Sensor { signal, effect }),
        On::Signals(one, other) => Some(Defect::Swapped { signals: (one, other) }),
        On::Topics(topics) => {
            LinkEffect::of(kind.name, &values).map(|effect| Defect::Link { broker: None, topics, effect })
        }
    }?;
    let id = def.id.as_ref().map_or_else(|| format!("step {number}"), |id| id.value.clone());
    let fault = Fault { id, defect, course: course(def, item, names)? };
    let mut problems = fault.check();
    if let Defect::Process { target, .. } = &fault.defect {
        problems.extend(fault.check_against(names.description(target.machine())?));
    }
    for problem in &problems {
        names.error("bad-fault", name.span, item, problem.rule.clone(), problem.way_out.as_str().into());
    }
    problems.is_empty().then_some(fault)
}

/// By its name; a name that two layers share means that of what it is on, or is written `sensor stuck`.
fn kind(name: &Spanned<String>, def: &StepDef, item: &str, names: &mut Names<'_>) -> Option<&'static Kind> {
    let (layer, word) = match name.split_once(' ') {
        Some((layer, word)) => (Some(layer), word),
        None => (None, name.as_str()),
    };
    let fits = |kind: &&Kind| kind.name == word && layer.is_none_or(|layer| kind.layer.name() == layer);
    let found: Vec<&'static Kind> = fault::kinds().filter(fits).collect();
    match found[..] {
        [] => {
            let near = nearest(word, fault::kinds().map(|kind| kind.name));
            let hint = Hint::meant_or(near, || "`pollux faults` lists them".to_owned());
            names.error("unknown-fault", name.span, item, format!("there is no kind of fault `{}`", name.value), hint);
            None
        }
        [one] => Some(one),
        _ => {
            let on = def.on.as_ref().and_then(|on| on.0.first());
            let is_signal = on
                .and_then(|on| on.rsplit_once('.'))
                .is_some_and(|(twin, signal)| names.scene.signal(twin, signal).is_some());
            let wanted = if is_signal { Layer::Sensor } else { Layer::Process };
            found.into_iter().find(|kind| kind.layer == wanted)
        }
    }
}

fn on(kind: &Kind, def: &StepDef, item: &str, names: &mut Names<'_>) -> Option<On> {
    let example = match kind.layer {
        Layer::Process => "a parameter or an input: on: \"P-101.bearing.growth_rate\"",
        Layer::Sensor if kind.name == "swapped" => "two signals: on: [\"P-101.flow\", \"P-102.flow\"]",
        Layer::Sensor => "a signal: on: \"P-101.flow\"",
        Layer::Link => "topics: on: \"hall/P-101/#\"",
    };
    let span = def.on.as_ref().map_or_else(|| def.fault.as_ref().map(|name| name.span), |on| Some(on.span));
    let span = span.unwrap_or_default();
    let all = def.on.as_ref().map_or(&[][..], |on| &on.0);
    let spanned = |text: &String| Spanned::new(text.clone(), span);
    match (kind.layer, all) {
        (Layer::Process, [one]) => names.place(&spanned(one), item).map(On::Place),
        (Layer::Sensor, [one, other]) if kind.name == "swapped" => {
            Some(On::Signals(names.signal(&spanned(one), item)?, names.signal(&spanned(other), item)?))
        }
        (Layer::Sensor, [one]) if kind.name != "swapped" => names.signal(&spanned(one), item).map(On::Signal),
        (Layer::Link, [_, ..]) => Some(On::Topics(all.to_vec())),
        _ => {
            names.error("bad-fault", span, item, format!("`{}` acts on {example}", kind.name), Hint::NONE);
            None
        }
    }
}

/// The parameters of its kind, in their units.
fn values(kind: &Kind, on: &On, def: &StepDef, item: &str, names: &mut Names<'_>) -> Option<Vec<f64>> {
    for (name, _) in &def.with.0 {
        if kind.parameter(name).is_none() {
            let near = nearest(name, kind.parameters.iter().map(|one| one.name));
            let all: Vec<&str> = kind.parameters.iter().map(|one| one.name).collect();
            let brief = format!("`{}` has no parameter `{}`", kind.name, name.value);
            let hint = Hint::meant_or(near, || match all[..] {
                [] => "leave `with` out".to_owned(),
                _ => format!("it has {}", all.join(", ")),
            });
            names.error("unknown-field", name.span, item, brief, hint);
            return None;
        }
    }
    let target_unit = match on {
        On::Place(place) => place.unit.to_owned(),
        On::Signal(signal) => names.scene.signals[signal.at()].unit.symbol().to_owned(),
        On::Signals(..) | On::Topics(_) => String::new(),
    };
    let of = |one: &fault::Parameter, names: &mut Names<'_>| {
        let Some(given) = def.with.get(one.name) else {
            // Sizes in the unit of the target have no default that fits all.
            return match one.measure {
                Measure::Unit(_) | Measure::Flag => Some(one.default),
                Measure::Target | Measure::TargetPerSecond => {
                    let span = def.fault.as_ref().map(|name| name.span).unwrap_or_default();
                    let brief = format!("`{}` needs `{}`: {}", kind.name, one.name, one.about.trim());
                    let hint = format!("add with: {{\"{}\": \"1 {target_unit}\"}}", one.name);
                    names.error("missing-field", span, item, brief, hint.into());
                    None
                }
            };
        };
        let is_value = kind.layer == Layer::Process && kind.name == "set";
        match one.measure {
            Measure::Unit(unit) => names.quantity(given, item, one.name, unit, Some(one.default)),
            Measure::Flag => names.quantity(given, item, one.name, "", Some(1.0)),
            Measure::Target if is_value => names.quantity(given, item, one.name, &target_unit, None),
            Measure::Target => names.difference(given, item, one.name, &target_unit),
            Measure::TargetPerSecond => names.difference(given, item, one.name, &per_second(&target_unit)),
        }
    };
    kind.parameters.iter().map(|one| of(one, names)).collect()
}

fn per_second(unit: &str) -> String {
    if unit.is_empty() { "1/s".to_owned() } else { format!("{unit}/s") }
}

fn course(def: &StepDef, item: &str, names: &mut Names<'_>) -> Option<Course> {
    let mut nanos = |given: &Option<Spanned<String>>, field: &str| match given {
        Some(given) => u64::try_from(names.delay(given, item, field)?.as_nanos()).ok().map(Some),
        None => Some(None),
    };
    let (ramp, duration, every) = (nanos(&def.ramp, "ramp")?, nanos(&def.lasts, "lasts")?, nanos(&def.every, "every")?);
    let recurrence = every.map(|every| Recurrence { every, times: def.times });
    if let Some(given) = def.every.as_ref().filter(|_| duration.is_none()) {
        let brief = "comes again, but never ends";
        names.error("bad-fault", given.span, item, brief, "add `lasts`".into());
        return None;
    }
    Some(Course { onset: 0, ramp: ramp.unwrap_or(0), duration, recurrence })
}
