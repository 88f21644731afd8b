//! All models, by the names that scenes give them.

use super::Model;
use super::control::{OnOff, Pid, Schedule, Sequencer, Trip};
use super::drive::{DcMotor, Gearbox, InductionMotor, RollingBearing, Spindle};
use super::electric::Switchboard;
use super::flow::{Arrivals, Departures, Server};
use super::line::{Capper, Conveyor, Filler, Infeed, Labeller, Palletiser, Rinser, Store, Vehicle};
use super::liquid::{CentrifugalPump, Chiller, Consumer, ControlValve, HeatExchanger, Mains, Pipe, Tank};
use super::medical::Circulation;
use super::robot::Robot6;
use super::services::{AirConsumer, Compressor, Room};
use super::signal::{Pulse, Ramp, RandomWalk, Sine, Steps};

static ALL: &[&dyn Model] = &[
    &AirConsumer,
    &Arrivals,
    &Capper,
    &CentrifugalPump,
    &Chiller,
    &Circulation,
    &Compressor,
    &Consumer,
    &ControlValve,
    &Conveyor,
    &DcMotor,
    &Departures,
    &Filler,
    &Gearbox,
    &HeatExchanger,
    &InductionMotor,
    &Infeed,
    &Labeller,
    &Mains,
    &OnOff,
    &Palletiser,
    &Pid,
    &Pipe,
    &Pulse,
    &Ramp,
    &RandomWalk,
    &Rinser,
    &Robot6,
    &RollingBearing,
    &Room,
    &Schedule,
    &Sequencer,
    &Server,
    &Sine,
    &Spindle,
    &Steps,
    &Store,
    &Switchboard,
    &Tank,
    &Trip,
    &Vehicle,
];

/// All models, sorted by name.
pub fn catalogue() -> &'static [&'static dyn Model] {
    ALL
}

/// The model of this name.
pub fn model(name: &str) -> Option<&'static dyn Model> {
    ALL.iter().copied().find(|model| model.description().name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::{Description, Domain, End};
    use crate::value::Unit;

    /// All that is wrong with a description.
    fn faults(all: &Description) -> Vec<String> {
        let mut faults = Vec::new();
        let mut wrong = |text: String| faults.push(format!("{}: {text}", all.name));
        let mut names = BTreeSet::new();
        let named = |name: &'static str, about: &'static str, unit: Option<&'static str>| {
            let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            let mut problem = Vec::new();
            if !plain || name.is_empty() {
                problem.push("is no name");
            }
            if about.trim().is_empty() || about.ends_with('.') {
                problem.push("needs a description without a full stop");
            }
            if unit.is_some_and(|unit| Unit::parse(unit).is_err()) {
                problem.push("has an unknown unit");
            }
            problem.into_iter().map(|what| format!("{name} {what}")).collect::<Vec<_>>()
        };
        for one in all.parameters {
            named(one.name, one.about, Some(one.unit)).into_iter().for_each(&mut wrong);
            let (low, high) = one.bounds;
            if !(low..=high).contains(&one.default) || one.source.is_empty() || !names.insert(("parameter", one.name)) {
                wrong(format!("parameter {}: default out of bounds, no source, or twice", one.name));
            }
        }
        for one in all.states {
            named(one.name, one.about, Some(one.unit)).into_iter().for_each(&mut wrong);
            if !(one.bounds.0..=one.bounds.1).contains(&one.start) || !names.insert(("state", one.name)) {
                wrong(format!("state {}: start out of bounds, or twice", one.name));
            }
        }
        for one in all.inputs {
            named(one.name, one.about, Some(one.unit)).into_iter().for_each(&mut wrong);
            if !names.insert(("input", one.name)) {
                wrong(format!("input {} twice", one.name));
            }
        }
        for one in all.outputs {
            named(one.name, one.about, Some(one.unit)).into_iter().for_each(&mut wrong);
            if !names.insert(("output", one.name)) {
                wrong(format!("output {} twice", one.name));
            }
        }
        for one in all.waveforms {
            named(one.name, one.about, Some(one.unit)).into_iter().for_each(&mut wrong);
            if !names.insert(("waveform", one.name)) {
                wrong(format!("waveform {} twice", one.name));
            }
        }
        for one in all.ports {
            named(one.name, one.about, None).into_iter().for_each(&mut wrong);
            let held = |name: &str| all.output(name).is_some_and(|at| !all.outputs[at].direct);
            let fits = match one.domain {
                Domain::Fluid | Domain::ItemsIn | Domain::ItemsOut => true,
                Domain::Heat { temperature, flow } => held(temperature) && all.input(flow).is_some(),
                Domain::Taker { taken, potential, .. } => {
                    all.output(taken).is_some() && potential.is_none_or(|seen| all.input(seen).is_some())
                }
                Domain::Giver { given, potential, .. } => all.input(given).is_some() && held(potential),
            };
            if !fits {
                wrong(format!("port {} names an input or output that there is not, or a direct potential", one.name));
            }
        }
        for (number, passage) in all.passages.iter().enumerate() {
            let fits = |end: End| match end {
                End::Port(port) => all.ports.get(port).is_some_and(|port| port.domain == Domain::Fluid),
                End::Inside | End::Outside => true,
            };
            if !fits(passage.from) || !fits(passage.to) {
                wrong(format!("passage {number} ends at a port that is not one of fluid"));
            }
        }
        if all.source.is_empty() || all.about.is_empty() || (all.step.is_none() && !all.passages.is_empty()) {
            wrong("needs a source, a description, and a step if liquid flows through".to_owned());
        }
        faults
    }

    #[test]
    fn every_model_describes_itself_well() {
        let faults: Vec<String> = catalogue().iter().flat_map(|model| faults(model.description())).collect();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn models_are_sorted_by_name_and_found_by_it() {
        let names: Vec<&str> = catalogue().iter().map(|model| model.description().name).collect();
        assert!(names.is_sorted() && names.iter().all(|name| model(name).is_some()), "{names:?}");
        assert!(model("Perpetuum").is_none());
    }
}
