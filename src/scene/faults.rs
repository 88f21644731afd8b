//! What the names in a fault mean in a scene, and back. In: a fault by paths, or by indices. Out: the other one; or every
//! sentence about what does not fit, with what was probably meant.

use std::collections::BTreeSet;
use std::convert::Infallible;

use super::document::Names;
use super::issue::Issue;
use super::report::Report;
use super::resolved::{Scene, SignalSource};
use super::span::{Span, Spanned};
use crate::fault::{Defect, Fault, WrittenFault};
use crate::network::Target;
use crate::value::{SignalIndex, TwinIndex, topic};

/// A fault by the indices of the scene. Everything that is wrong with it otherwise, its sizes and its course, is told as well.
pub fn resolve(written: &WrittenFault, scene: &Scene) -> Result<Fault, Vec<String>> {
    let mut report = Report::default();
    report.add_file(Default::default(), "".into());
    let mut names = Names { scene, report: &mut report };
    let spanned = |text: &String| Spanned::new(text.clone(), Span::default());
    let mut signals = Vec::new();
    let target = match &written.defect {
        Defect::Process { target, .. } => names.place(&spanned(target), "").map(|place| place.target),
        Defect::Sensor { .. } | Defect::Swapped { .. } | Defect::Link { .. } => None,
    };
    for signal in written.signals() {
        signals.extend(names.signal(&spanned(signal), ""));
    }
    let mut signals = signals.into_iter();
    let found = written.resolve(|_| target.ok_or(()), |_| signals.next().ok_or(()));
    let mut problems: Vec<String> = report.finish().0.iter().map(said).collect();
    // A name that is missing is told already.
    match &found {
        Ok(fault) => {
            let mut wrong = fault.check();
            if let Defect::Process { target, .. } = &fault.defect {
                let machine = scene.blueprint.as_ref().and_then(|blueprint| blueprint.machines.get(target.machine()));
                wrong.extend(machine.into_iter().flat_map(|machine| fault.check_against(machine.model.description())));
            }
            problems.extend(wrong.iter().map(ToString::to_string));
        }
        Err(()) => problems.extend(written.check().iter().map(ToString::to_string)),
    }
    match found {
        Ok(fault) if problems.is_empty() => Ok(fault),
        _ => Err(problems),
    }
}

/// `there is no signal P-101.flw: did you mean P-101.flow?`
pub(crate) fn said(issue: &Issue) -> String {
    match &issue.hint {
        Some(hint) => format!("{}: {hint}", issue.brief),
        None => issue.brief.clone(),
    }
}

/// The same by paths. What the scene does not have has an empty one.
pub fn written(fault: &Fault, scene: &Scene) -> WrittenFault {
    let signal = |signal: &SignalIndex| match scene.signals.get(signal.at()) {
        Some(_) => scene.signal_path(*signal),
        None => String::new(),
    };
    let target = |target: &Target| {
        let machine = scene.blueprint.as_ref().and_then(|blueprint| blueprint.machines.get(target.machine()));
        let path = machine.and_then(|machine| {
            let said = machine.model.description();
            let name = match *target {
                Target::Parameter { parameter, .. } => said.parameters.get(parameter)?.name,
                Target::Input { input, .. } => said.inputs.get(input)?.name,
            };
            Some(format!("{}.{name}", machine.id))
        });
        path.unwrap_or_default()
    };
    let Ok(written) = fault.resolve(|one| Ok::<_, Infallible>(target(one)), |one| Ok(signal(one)));
    written
}

/// The unit of what a fault is on; empty where it has none.
pub fn unit(fault: &Fault, scene: &Scene) -> String {
    match &fault.defect {
        Defect::Process { target, .. } => {
            let machine = scene.blueprint.as_ref().and_then(|blueprint| blueprint.machines.get(target.machine()));
            let unit = machine.and_then(|machine| {
                let said = machine.model.description();
                match *target {
                    Target::Parameter { parameter, .. } => Some(said.parameters.get(parameter)?.unit),
                    Target::Input { input, .. } => Some(said.inputs.get(input)?.unit),
                }
            });
            unit.unwrap_or_default().to_owned()
        }
        Defect::Sensor { signal, .. } => {
            scene.signals.get(signal.at()).map(|signal| signal.unit.symbol().to_owned()).unwrap_or_default()
        }
        Defect::Swapped { .. } | Defect::Link { .. } => String::new(),
    }
}

/// The twins whose machine, signals or messages a fault is on.
pub fn twins(fault: &Fault, scene: &Scene) -> BTreeSet<TwinIndex> {
    match &fault.defect {
        Defect::Process { target, .. } => {
            scene.machines.get(target.machine()).and_then(|machine| machine.twin).into_iter().collect()
        }
        Defect::Sensor { .. } | Defect::Swapped { .. } => {
            fault.signals().filter_map(|signal| scene.signals.get(signal.at())).map(|signal| signal.twin).collect()
        }
        Defect::Link { .. } => {
            let concerned = concerned([fault], scene);
            let bound = concerned.iter().filter_map(|signal| scene.signals.get(signal.at()));
            bound.filter(|signal| matches!(signal.source, SignalSource::Mqtt(_))).map(|signal| signal.twin).collect()
        }
    }
}

/// The id of the twin that a fault is about, if it is about exactly one.
pub fn twin_of(fault: &WrittenFault, scene: &Scene) -> Option<String> {
    let fault = resolve(fault, scene).ok()?;
    let twins = twins(&fault, scene);
    let only = twins.first().filter(|_| twins.len() == 1)?;
    scene.twins.get(only.at()).map(|twin| twin.id.clone())
}

/// The signals that may be other than they are without these faults: those that a fault of a sensor is on, those of topics
/// that a fault of a link is on, and what is derived from any of them.
pub fn concerned<'f>(faults: impl IntoIterator<Item = &'f Fault>, scene: &Scene) -> BTreeSet<SignalIndex> {
    let mut found = BTreeSet::new();
    for fault in faults {
        found.extend(fault.signals().copied());
        let Defect::Link { broker, topics, .. } = &fault.defect else { continue };
        let is_on = |source: &SignalSource| match source {
            SignalSource::Mqtt(binding) => {
                let is_there = |only: &String| binding.broker.as_ref().is_none_or(|of| of == only);
                let is_among = |filter: &String| {
                    topic::matches(filter, &binding.topic)
                        || topic::covers(filter, &binding.topic)
                        || topic::covers(&binding.topic, filter)
                };
                broker.as_ref().is_none_or(is_there) && topics.iter().any(is_among)
            }
            SignalSource::Derived(_) | SignalSource::Unbound => false,
        };
        found.extend(scene.signals.iter().filter(|signal| is_on(&signal.source)).map(|signal| signal.index));
    }
    // A derived signal may read another one that stands anywhere.
    loop {
        let before = found.len();
        for signal in &scene.signals {
            if let SignalSource::Derived(derivation) = &signal.source
                && derivation.inputs.iter().any(|(_, input)| found.contains(input))
            {
                found.insert(signal.index);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::fault::{Course, LinkEffect, SensorEffect};
    use crate::scene::{SourceFile, load_texts};

    fn scene() -> Scene {
        let text = r#"Scene(format: (1, 2), name: "Hall", types: {"Pump": (signals: {
            "flow": (unit: "m3/h", topic: "hall/{id}/flow", raw: Number),
            "speed": (unit: "1/min", topic: "hall/{id}/speed", raw: Number),
            "ratio": (derived: "flow / speed"),
            "twice": (derived: "2 * ratio"),
        })}, twins: [(id: "P-101", type: "Pump"), (id: "P-102", type: "Pump")])"#;
        let source = SourceFile { path: "scene.ron".into(), text: text.into() };
        let loaded = load_texts(Path::new("scene.ron"), &[source]);
        assert!(loaded.scene.is_some(), "{}", loaded.render(false));
        loaded.scene.expect("a scene")
    }

    fn bias(signal: &str) -> WrittenFault {
        let defect = Defect::Sensor { signal: signal.to_owned(), effect: SensorEffect::Bias { by: 1.0 } };
        WrittenFault { id: "F-1".into(), defect, course: Course::default() }
    }

    #[test]
    fn paths_become_indices_and_paths_again() {
        let scene = scene();
        let swapped = Defect::Swapped { signals: ("P-101.flow".into(), "P-102.flow".into()) };
        for written in [bias("P-102.speed"), WrittenFault { defect: swapped, ..bias("") }] {
            let fault = resolve(&written, &scene).expect("a fault");
            assert_eq!(super::written(&fault, &scene), written);
        }
        let machine = Target::Parameter { machine: 7, parameter: 0 };
        let effect = crate::fault::ProcessEffect::Add { by: 1.0 };
        let nothing =
            Fault { id: "F".into(), defect: Defect::Process { target: machine, effect }, course: Course::default() };
        assert_eq!(super::written(&nothing, &scene).on(), "", "the scene has no machine");
    }

    #[test]
    fn all_that_does_not_fit_is_told_with_what_was_meant() {
        let scene = scene();
        let told = resolve(&bias("P-101.flwo"), &scene).unwrap_err();
        assert!(told.len() == 1 && told[0].contains("did you mean `P-101.flow`?"), "{told:?}");
        let course = Course { duration: Some(0), ..Course::default() };
        let told = resolve(&WrittenFault { id: String::new(), course, ..bias("P-109.flow") }, &scene).unwrap_err();
        assert_eq!(told.len(), 3, "{told:?}");
    }

    #[test]
    fn what_is_derived_from_a_faulty_signal_is_concerned_too() {
        let scene = scene();
        let names = |fault: &WrittenFault| {
            let fault = resolve(fault, &scene).expect("a fault");
            concerned([&fault], &scene).into_iter().map(|signal| scene.signal_path(signal)).collect::<Vec<_>>()
        };
        let mut all = names(&bias("P-101.speed"));
        all.sort();
        assert_eq!(all, ["P-101.ratio", "P-101.speed", "P-101.twice"]);
        let topics = vec!["hall/+/flow".to_owned()];
        let link = Defect::Link { broker: None, topics, effect: LinkEffect::Disconnect {} };
        assert_eq!(names(&WrittenFault { defect: link, ..bias("") }).len(), 6);
    }
}
