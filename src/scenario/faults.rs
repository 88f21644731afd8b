//! Faults as steps write them. In: a kind by its name, targets and sizes as people write them. Out: a [`Fault`]; or what does
//! not fit.

use super::format::StepDef;
use super::load::{Said, nanos};
use crate::fault::{
    self, Course, Defect, Fault, Kind, Layer, LinkEffect, Measure, ProcessEffect, Recurrence, SensorEffect,
};
use crate::model::Role;
use crate::scene::Spanned;
use crate::scene::document::{Names, Place};
use crate::scene::nearest::nearest;
use crate::scene::report::Hint;
use crate::scene::{SignalSource, ValueKind};
use crate::value::{SignalIndex, topic};

/// What a fault is on.
enum On {
    Place(Place),
    Signal(SignalIndex),
    Signals(SignalIndex, SignalIndex),
    Topics(Vec<String>),
}

/// The fault of a step; its onset is when the step comes.
pub(super) fn fault(
    number: usize,
    def: &Spanned<StepDef>,
    item: &str,
    said: &Said,
    names: &mut Names<'_>,
) -> Option<Fault> {
    let name = def.fault.as_ref()?;
    let kind = kind(name, def, item, names)?;
    let on = on(kind, def, item, names)?;
    reaches(kind, &on, def, item, said, names)?;
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
    let fault = Fault { id: id(number, def), defect, course: course(def, item, names)? };
    let mut problems = fault.check();
    if let Defect::Process { target, .. } = &fault.defect {
        problems.extend(fault.check_against(names.description(target.machine())?));
    }
    for problem in &problems {
        names.error("bad-fault", name.span, item, problem.rule.clone(), problem.way_out.as_str().into());
    }
    problems.is_empty().then_some(fault)
}

/// A fault that is written alone, with nothing but its own fields: it lies over data, or is set in a plant that runs. Its
/// onset is its `at`.
pub(super) fn alone(
    number: usize,
    def: &Spanned<StepDef>,
    item: &str,
    said: &Said,
    names: &mut Names<'_>,
) -> Option<Fault> {
    let StepDef { when, within, clear, repair, acknowledge, command, .. } = &def.value;
    let others = [when, within, clear, repair, acknowledge, command];
    if let Some(other) = others.into_iter().flatten().next() {
        let brief = "acts from its `at` on; it waits for nothing and does nothing else";
        let hint = "write fault, on, with, at, ramp, lasts, every, times, id and note";
        names.error("bad-fault", other.span, item, brief, hint.into());
        return None;
    }
    if def.fault.is_none() {
        let hint = "add fault: \"bias\"; `pollux faults` lists the kinds";
        names.error("missing-field", def.span, item, "names no kind of fault", hint.into());
        return None;
    }
    let mut fault = fault(number, def, item, said, names)?;
    if let Some(at) = &def.at {
        fault.course.onset = i64::try_from(names.delay(at, item, "at")?.as_nanos()).unwrap_or(i64::MAX);
    }
    Some(fault)
}

/// What the fault of a step is called.
pub(super) fn id(number: usize, def: &StepDef) -> String {
    def.id.as_ref().map_or_else(|| format!("step {number}"), |id| id.value.clone())
}

/// A fault that changes nothing would pass for one that nobody noticed.
fn reaches(kind: &Kind, on: &On, def: &StepDef, item: &str, said: &Said, names: &mut Names<'_>) -> Option<()> {
    let span = def.on.as_ref().map(|on| on.span).unwrap_or_default();
    let signals = match on {
        On::Place(place) if place.role == Some(Role::Start) => {
            let brief = format!("`{}` says how the machine stands at time 0: later it has no effect", place.name);
            names.error("idle-fault", span, item, brief, "`pollux models NAME` lists what a model has".into());
            return None;
        }
        On::Place(_) => Vec::new(),
        On::Signal(one) => vec![*one],
        On::Signals(one, other) => vec![*one, *other],
        On::Topics(filters) => {
            for filter in filters {
                let is_on = |name: &String| topic::covers(filter, name) || topic::covers(name, filter);
                if !said.topics.iter().any(is_on) {
                    let near = nearest(filter, said.topics.iter().map(String::as_str));
                    let brief = format!("no message comes on `{filter}`: the fault would change nothing");
                    let example = said.topics.first().map_or("hall/P-101", String::as_str);
                    let hint = Hint::meant_or(near, || format!("its topics are such as {example}"));
                    names.error("idle-fault", span, item, brief, hint);
                    return None;
                }
            }
            Vec::new()
        }
    };
    for signal in signals {
        let (path, of) = (names.scene.signal_path(signal), &names.scene.signals[signal.at()]);
        if !said.signals.contains(&signal) {
            let brief = format!("no message brings `{path}`: the fault would change nothing");
            let hint = match matches!(of.source, SignalSource::Derived(_)) {
                true => "put it on a signal that this one is derived from",
                false => "choose a signal that is measured",
            };
            names.error("idle-fault", span, item, brief, hint.into());
            return None;
        }
        let takes_all = ["stuck", "dropout", "delay", "swapped"];
        if of.kind != ValueKind::Number && !takes_all.contains(&kind.name) {
            let brief = format!("`{path}` is a {:?}, and `{}` acts on numbers", of.kind, kind.name);
            let hint = format!("{} act on values of all types", takes_all.join(", "));
            names.error("idle-fault", span, item, brief, hint.as_str().into());
            return None;
        }
    }
    Some(())
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
    let (example, way) = match kind.layer {
        Layer::Process => ("a parameter or an input", "on: \"TWIN.PARAMETER\""),
        Layer::Sensor if kind.name == "swapped" => ("two signals", "on: [\"TWIN.SIGNAL\", \"TWIN.SIGNAL\"]"),
        Layer::Sensor => ("a signal", "on: \"TWIN.SIGNAL\""),
        Layer::Link => ("topics", "on: \"hall/#\", or several"),
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
            let brief = format!("`{}` acts on {example}", kind.name);
            names.error("bad-fault", span, item, brief, format!("write {way}").as_str().into());
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
    let mut time = |given: &Option<Spanned<String>>, field: &str| match given {
        Some(given) => nanos(names, given, item, field).map(Some),
        None => Some(None),
    };
    let (ramp, duration, every) = (time(&def.ramp, "ramp")?, time(&def.lasts, "lasts")?, time(&def.every, "every")?);
    let problem = match (&def.ramp, &def.every, &def.times) {
        (_, Some(given), _) if duration.is_none() => Some((given.span, "comes again, but never ends", "add `lasts`")),
        (_, None, Some(times)) => {
            Some((times.span, "`times` says how often it comes again, but it does not", "add `every`"))
        }
        (Some(given), ..) if ramp > duration && duration.is_some() => {
            Some((given.span, "ends before its ramp has ended", "make `lasts` longer, or `ramp` shorter"))
        }
        _ => None,
    };
    if let Some((span, brief, hint)) = problem {
        names.error("bad-fault", span, item, brief, hint.into());
        return None;
    }
    let times = def.times.as_ref().map(|times| times.value);
    let recurrence = every.map(|every| Recurrence { every, times });
    Some(Course { onset: 0, ramp: ramp.unwrap_or(0), duration, recurrence })
}
