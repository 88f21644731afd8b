//! Whether faults are possible. In: faults. Out: every problem of each, with the rule and the way out. Changes nothing: what
//! breaks a rule still runs without harm, but does not do what its page says.

use std::fmt;

use super::course::SHORTEST_STEP;
use super::kind::{Measure, Parameter};
use super::{Course, Defect, Fault};
use crate::model::Description;
use crate::network::Target;
use crate::value::topic;

/// What is wrong with a fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Its id.
    pub fault: String,
    /// What is wrong: `share (1.5) must be from 0 to 1`.
    pub rule: String,
    /// What to do about it; empty where the rule says all.
    pub way_out: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault `{}`: {}", self.fault, self.rule)?;
        if self.way_out.is_empty() { Ok(()) } else { write!(f, ": {}", self.way_out) }
    }
}

/// All that is wrong with the faults of one world.
pub fn check<T: PartialEq, S: PartialEq>(faults: &[Fault<T, S>]) -> Vec<Problem> {
    let mut problems: Vec<Problem> = faults.iter().flat_map(Fault::check).collect();
    for (at, fault) in faults.iter().enumerate() {
        if faults[..at].iter().any(|other| other.id == fault.id) {
            problems.push(fault.problem("there are two of this id", "give each one of its own"));
        }
    }
    problems
}

impl<T, S: PartialEq> Fault<T, S> {
    /// All that is wrong with it.
    pub fn check(&self) -> Vec<Problem> {
        let kind = self.kind();
        let mut problems = Vec::new();
        if self.id.trim().is_empty() {
            problems.push(self.problem("has no id", "name it, such as \"F-1\""));
        }
        for (parameter, x) in kind.parameters.iter().zip(self.values()) {
            let (low, high) = parameter.bounds;
            if !(low..=high).contains(&x) {
                let (name, unit) = (parameter.name, unit(parameter));
                let rule = format!("{name} ({x}{unit}) must be from {low}{unit} to {high}{unit}");
                problems.push(self.problem(rule, parameter.about.trim()));
            }
        }
        if self.course.ramp > 0 && !kind.ramps {
            let rule = format!("{} has its full effect at once and takes no ramp", kind.name);
            problems.push(self.problem(rule, "set the ramp to 0"));
        }
        problems.extend(course_problems(&self.course).into_iter().map(|(rule, way_out)| self.problem(rule, way_out)));
        match &self.defect {
            Defect::Swapped { signals: (one, other) } if one == other => {
                problems.push(self.problem("a signal is swapped with itself", "name two signals"));
            }
            Defect::Link { topics, .. } if topics.is_empty() => {
                problems.push(self.problem("acts on no topic", "give a filter, such as \"hall/#\""));
            }
            Defect::Link { topics, .. } => {
                for filter in topics {
                    if let Some(rule) = topic::filter_fault(filter) {
                        problems.push(
                            self.problem(format!("topic filter `{filter}` {rule}"), "write it as \"hall/+/flow\""),
                        );
                    }
                }
            }
            _ => {}
        }
        problems
    }

    fn problem(&self, rule: impl Into<String>, way_out: impl Into<String>) -> Problem {
        Problem { fault: self.id.clone(), rule: rule.into(), way_out: way_out.into() }
    }
}

impl Fault {
    /// What is wrong with it on a machine of a model: a target that the model does not have, a value out of the bounds of the
    /// parameter that it sets, a parameter that is to be stuck.
    pub fn check_against(&self, description: &Description) -> Vec<Problem> {
        let Defect::Process { target, effect } = &self.defect else { return Vec::new() };
        let parameter = match target {
            Target::Parameter { parameter, .. } => parameter,
            Target::Input { input, .. } if *input < description.inputs.len() => return Vec::new(),
            Target::Input { .. } => return vec![self.problem(format!("{} has no such input", description.name), "")],
        };
        let Some(said) = description.parameters.get(*parameter) else {
            return vec![self.problem(format!("{} has no such parameter", description.name), "")];
        };
        let (low, high) = said.bounds;
        match *effect {
            super::ProcessEffect::Set { to } if !(low..=high).contains(&to) => {
                let unit = if said.unit.is_empty() { String::new() } else { format!(" {}", said.unit) };
                let rule = format!("{} ({to}{unit}) must be from {low}{unit} to {high}{unit}", said.name);
                vec![self.problem(rule, said.about.trim())]
            }
            super::ProcessEffect::Stuck {} => {
                let rule = format!("{} is a parameter, which stays as it is: only inputs can be stuck", said.name);
                vec![self.problem(rule, "choose an input, or set the parameter")]
            }
            _ => Vec::new(),
        }
    }
}

fn unit(parameter: &Parameter) -> String {
    match parameter.measure {
        Measure::Unit(unit) if !unit.is_empty() => format!(" {unit}"),
        _ => String::new(),
    }
}

fn course_problems(course: &Course) -> Vec<(&'static str, &'static str)> {
    let mut problems = Vec::new();
    if course.duration == Some(0) {
        problems.push(("lasts for no time", "give a duration above 0, or none to let it last until it is cleared"));
    }
    let Some(again) = course.recurrence else { return problems };
    match course.duration {
        None => problems.push(("comes again, but never ends", "give a duration")),
        Some(lasts) if lasts > again.every => {
            problems.push(("comes again before it has ended", "make `every` at least as long as the duration"));
        }
        Some(_) => {}
    }
    if again.every < SHORTEST_STEP {
        problems.push(("comes again within less than 10 ms", "make `every` longer"));
    }
    if again.times == Some(0) {
        problems.push(("never comes", "let it come at least once, or leave `times` out"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{LinkEffect, ProcessEffect, Recurrence, SensorEffect, kinds};
    use crate::model;
    use crate::value::SignalIndex;

    fn sensor(effect: SensorEffect, course: Course) -> Fault {
        Fault { id: "F-1".into(), defect: Defect::Sensor { signal: SignalIndex(0), effect }, course }
    }

    fn told(fault: &Fault) -> Vec<String> {
        fault.check().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_parameter_out_of_its_bounds_is_named_with_the_rule() {
        let fault = sensor(SensorEffect::Dropout { share: 1.5 }, Course::default());
        assert_eq!(told(&fault), ["fault `F-1`: share (1.5) must be from 0 to 1: Share of the samples that are lost"]);
        let fault = sensor(SensorEffect::Delay { by: f64::NAN }, Course::default());
        assert_eq!(told(&fault).len(), 1, "{:?}", told(&fault));
    }

    #[test]
    fn the_defaults_of_all_kinds_are_possible() {
        for kind in kinds() {
            let values = kind.defaults(10.0);
            let defects = [
                ProcessEffect::of(kind.name, &values)
                    .map(|effect| Defect::Process { target: Target::Input { machine: 0, input: 0 }, effect }),
                SensorEffect::of(kind.name, &values).map(|effect| Defect::Sensor { signal: SignalIndex(0), effect }),
                LinkEffect::of(kind.name, &values).map(|effect| Defect::Link {
                    broker: None,
                    topics: vec!["a/+/b".into()],
                    effect,
                }),
            ];
            for defect in defects.into_iter().flatten().filter(|_| !kind.parameters.is_empty()) {
                assert_eq!(
                    told(&Fault { id: "F".into(), defect, course: Course::default() }),
                    [""; 0],
                    "{}",
                    kind.name
                );
            }
        }
    }

    #[test]
    fn a_course_that_makes_no_sense_is_told_with_the_way_out() {
        const SECOND: u64 = 1_000_000_000;
        let again = |every| Some(Recurrence { every, times: Some(0) });
        let often = Some(Recurrence { every: SECOND, times: None });
        for (course, problems) in [
            (Course { duration: Some(0), ..Course::default() }, 1),
            (Course { recurrence: again(SECOND), ..Course::default() }, 2),
            (Course { duration: Some(9), recurrence: again(5), ..Course::default() }, 3),
            (Course { duration: Some(SECOND), recurrence: often, ..Course::default() }, 0),
        ] {
            let told = told(&sensor(SensorEffect::Bias { by: 1.0 }, course));
            assert_eq!(told.len(), problems, "{told:?}");
        }
        let stuck = sensor(SensorEffect::Stuck {}, Course { ramp: 1, ..Course::default() });
        assert_eq!(
            told(&stuck),
            ["fault `F-1`: stuck has its full effect at once and takes no ramp: set the ramp to 0"]
        );
    }

    #[test]
    fn targets_that_cannot_be_are_told() {
        let defect = |defect| Fault { id: "F-1".into(), defect, course: Course::default() };
        let same = defect(Defect::Swapped { signals: (SignalIndex(1), SignalIndex(1)) });
        assert_eq!(told(&same), ["fault `F-1`: a signal is swapped with itself: name two signals"]);
        let link = |topics: &[&str]| {
            let topics = topics.iter().map(ToString::to_string).collect();
            told(&defect(Defect::Link { broker: None, topics, effect: LinkEffect::Disconnect {} }))
        };
        assert_eq!(link(&[]).len(), 1);
        assert_eq!(link(&["hall/#/flow", "a", ""]).len(), 2);
        assert_eq!(link(&["hall/+/flow", "#"]), [""; 0]);
    }

    #[test]
    fn two_faults_of_one_id_are_told() {
        let one = sensor(SensorEffect::Bias { by: 1.0 }, Course::default());
        let problems = check(&[one.clone(), one]);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].to_string(), "fault `F-1`: there are two of this id: give each one of its own");
    }

    #[test]
    fn a_parameter_is_set_within_the_bounds_of_its_model_and_never_stuck() {
        let tank = model::model("Tank").expect("a tank").description();
        let on = |effect| {
            let target = Target::Parameter { machine: 0, parameter: 0 };
            let fault = Fault { id: "F".into(), defect: Defect::Process { target, effect }, course: Course::default() };
            fault.check_against(tank).len()
        };
        let (low, high) = tank.parameters[0].bounds;
        assert_eq!([low, high].map(|to| on(ProcessEffect::Set { to })), [0, 0]);
        assert_eq!([high * 2.0, -high].map(|to| on(ProcessEffect::Set { to })), [1, 1]);
        assert_eq!([on(ProcessEffect::Stuck {}), on(ProcessEffect::Scale { by: 2.0 })], [1, 0]);
        let beyond = Target::Input { machine: 0, input: tank.inputs.len() };
        let defect = Defect::Process { target: beyond, effect: ProcessEffect::Stuck {} };
        assert_eq!(Fault { id: "F".into(), defect, course: Course::default() }.check_against(tank).len(), 1);
    }
}
