//! What somebody did by hand to a simulated plant, as a scenario that does the same: faults, commands, acknowledgements. In: the
//! interventions, the journal since the plant began, the place of the scene. Out: the text of a scenario file, or why there
//! can be none. Writes no disk.
//!
//! The scenario ends when it is saved, and expects the alarms that were raised, and no others: so it is a test of what was
//! seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use ron::extensions::Extensions;
use serde::Serialize;

use super::format::{ExpectDef, OnDef, StepDef, VERSION};
use crate::event::{Event, Kind};
use crate::fault::{self, Defect, Measure, WrittenFault};
use crate::instruction::State;
use crate::scene::format::{QuantityDef, Table};
use crate::scene::rule::{AlarmPath, Subject};
use crate::scene::text::write_duration;
use crate::scene::{Scene, Spanned, faults};
use crate::session::ByHand;
use crate::source::plant::{Outcome, Told};
use crate::value::{Timestamp, Value};

/// How much sooner or later than it was an alarm may come.
const SLACK: u64 = 5_000_000_000;
const SECOND: u64 = 1_000_000_000;

/// Why what was done by hand cannot be a scenario.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ByHandError {
    #[error("nothing was done to the plant by hand: set a fault in it first")]
    Nothing,
    #[error("what was done to the plant cannot be done again from its beginning: {why}")]
    Lost { why: String },
    #[error("the steps cannot be written: {0}")]
    Write(String),
}

/// A scenario at `path` that does what was done to the plant of a scene, which began at `begin`, until `now`.
pub fn by_hand(
    path: &Path,
    scene: &Scene,
    log: &ByHand,
    events: &[&Event],
    (begin, now): (Timestamp, Timestamp),
) -> Result<String, ByHandError> {
    if let Some(why) = &log.is_lost {
        return Err(ByHandError::Lost { why: why.clone() });
    }
    // The plant was held up, as by a computer that slept: its times are of several beginnings.
    let shift = |told: &Told| i128::from(told.at.0) - i128::from(told.time);
    if log.done.windows(2).any(|pair| shift(&pair[0]) != shift(&pair[1])) {
        return Err(ByHandError::Lost { why: "the plant was held up for a while".to_owned() });
    }
    let is_whole = events.first().is_none_or(|first| first.id == 1 || first.time <= begin);
    if !is_whole {
        return Err(ByHandError::Lost { why: "the journal has let go of its first events".to_owned() });
    }
    let since = |moment: Timestamp| u64::try_from(moment.0.saturating_sub(begin.0)).unwrap_or(0);
    let mut steps = steps_of(&log.done, scene);
    if steps.is_empty() {
        return Err(ByHandError::Nothing);
    }
    let events = events.iter().filter(|event| event.time >= begin && event.time <= now);
    steps.extend(
        events.clone().filter_map(|event| acknowledged(event, scene).map(|alarm| (since(event.received), alarm))),
    );
    let given = events.clone().filter_map(|event| Some((since(event.time), commanded(event)?)));
    for ((time, step), number) in given.zip(1..) {
        // Each has a name of its own.
        steps.push((time, StepDef { id: Some(format!("command {number}").into()), ..step }));
    }
    steps.sort_by_key(|(time, _)| *time);
    let last = steps.last().map_or(0, |(time, _)| *time);
    // The last step has an effect before it ends.
    let duration = since(now).max(last + SECOND).div_ceil(SECOND) * SECOND;
    let expected = expectations(events.copied(), scene, &since, duration);
    let whole = |text: &str| format!("{text:?}");
    let mut text = String::from("// Made of what was done by hand to the simulated plant.\nScenario(\n");
    let mut line = |field: &str, value: String| text.push_str(&format!("    {field}: {value},\n"));
    line("format", format!("({}, {})", VERSION.0, VERSION.1));
    line("title", whole(&format!("As it was done by hand on {}", &now.to_string()[..10])));
    line("scene", whole(&relative(&scene.path, path)));
    line("seed", log.plant.seed.to_string());
    line("duration", whole(&written(duration)));
    if log.plant.story && !scene.story.happenings.is_empty() {
        line("story", "true".to_owned());
    }
    let steps: Vec<StepDef> = steps.into_iter().map(|(time, step)| at(time, step)).collect();
    line("steps", list(&steps)?);
    line("expect", list(&expected)?);
    text.push_str(")\n");
    Ok(text)
}

/// One item a line.
fn list<T: Serialize>(items: &[T]) -> Result<String, ByHandError> {
    let options = ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
    let config = || ron::ser::PrettyConfig::new().depth_limit(0).separator(" ").new_line("");
    let mut text = String::from("[\n");
    for item in items {
        let item = options.to_string_pretty(item, config()).map_err(|error| ByHandError::Write(error.to_string()))?;
        text.push_str(&format!("        {item},\n"));
    }
    text.push_str("    ]");
    Ok(text)
}

/// Faults and their ends. A fault that was gone before it began is left out.
fn steps_of(done: &[Told], scene: &Scene) -> Vec<(u64, StepDef)> {
    let mut steps = Vec::new();
    let mut never: BTreeSet<usize> = BTreeSet::new();
    // Two steps never share a name: the second fault of a name gets another one.
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    // By id: what the step of the one that stands is called, and when that is over by itself.
    let mut standing: BTreeMap<&str, (String, Option<Timestamp>)> = BTreeMap::new();
    let clear = |name: String| StepDef { clear: Some(name.into()), ..StepDef::default() };
    let named = |id: &str, uses: usize| if uses < 2 { id.to_owned() } else { format!("{id} ({uses})") };
    for (place, told) in done.iter().enumerate() {
        match &told.outcome {
            Outcome::Set(fault) => {
                *uses.entry(&fault.id).or_default() += 1;
                let name = named(&fault.id, uses[&*fault.id]);
                // The one of the same id gave way.
                if let Some((old, end)) = standing.remove(&*fault.id)
                    && end.is_none_or(|end| u64::try_from(end.0).is_ok_and(|end| end > told.time))
                {
                    steps.push((told.time, clear(old)));
                }
                let onset = u64::try_from(fault.course.onset).unwrap_or(0).max(told.time);
                let next = done.iter().enumerate().skip(place + 1).find(|(_, later)| match &later.outcome {
                    Outcome::Set(other) | Outcome::Cleared { fault: other, .. } => other.id == fault.id,
                    Outcome::Refused(_) => false,
                });
                match next {
                    Some((next, later)) if later.time <= onset => {
                        if matches!(later.outcome, Outcome::Cleared { .. }) {
                            never.insert(next);
                        }
                    }
                    _ => {
                        standing.insert(&fault.id, (name.clone(), fault.course.end()));
                        steps.push((onset, StepDef { id: Some(name.into()), ..fault_step(fault, scene) }));
                    }
                }
            }
            Outcome::Cleared { fault, .. } if !never.contains(&place) => {
                standing.remove(&*fault.id);
                let name = named(&fault.id, uses.get(&*fault.id).copied().unwrap_or(0));
                steps.push((told.time, clear(name)));
            }
            Outcome::Cleared { .. } | Outcome::Refused(_) => {}
        }
    }
    steps
}

fn at(time: u64, step: StepDef) -> StepDef {
    StepDef { at: Some(written(time).into()), ..step }
}

/// A fault as a step sets it.
fn fault_step(fault: &WrittenFault, scene: &Scene) -> StepDef {
    let kind = fault.kind();
    let is_shared = fault::kinds().filter(|other| other.name == kind.name).count() > 1;
    let name = if is_shared { format!("{} {}", kind.layer.name(), kind.name) } else { kind.name.to_owned() };
    let on = match &fault.defect {
        Defect::Process { target: one, .. } | Defect::Sensor { signal: one, .. } => vec![one.clone()],
        Defect::Swapped { signals: (one, other) } => vec![one.clone(), other.clone()],
        Defect::Link { topics, .. } => topics.clone(),
    };
    let of_target = unit_of(fault, scene);
    let size = |(parameter, x): (&fault::Parameter, f64)| {
        let unit = parameter.unit(&of_target);
        let size = match parameter.measure {
            Measure::Flag => QuantityDef::Flag(x != 0.0),
            _ if unit.is_empty() => QuantityDef::Number(x),
            _ => QuantityDef::Text(format!("{x} {unit}")),
        };
        (Spanned::from(parameter.name.to_owned()), Spanned::from(size))
    };
    let course = &fault.course;
    let long = |nanos: u64| Some(Spanned::from(written(nanos)));
    StepDef {
        fault: Some(name.into()),
        on: Some(OnDef(on).into()),
        with: Table(kind.parameters.iter().zip(fault.values()).map(size).collect()),
        ramp: long(course.ramp).filter(|_| course.ramp > 0),
        lasts: course.duration.and_then(long),
        every: course.recurrence.and_then(|again| long(again.every)),
        times: course.recurrence.and_then(|again| again.times).map(Spanned::from),
        id: Some(fault.id.clone().into()),
        ..StepDef::default()
    }
}

/// Of what it is on.
fn unit_of(fault: &WrittenFault, scene: &Scene) -> String {
    let Ok(resolved) = faults::resolve(fault, scene) else { return String::new() };
    faults::unit(&resolved, scene)
}

/// A command that the plant was given.
fn commanded(event: &Event) -> Option<StepDef> {
    let Kind::Command { command, arguments, state: State::Sent, .. } = &event.kind else { return None };
    let path = format!("{}.{command}", event.twin.as_ref()?);
    let with = arguments.iter().map(|(name, value)| {
        let value = match value {
            Value::Number(x) => QuantityDef::Number(*x),
            Value::Bool(flag) => QuantityDef::Flag(*flag),
            Value::Text(text) => QuantityDef::Text(text.to_string()),
        };
        (Spanned::from(name.clone()), Spanned::from(value))
    });
    Some(StepDef { command: Some(path.into()), with: Table(with.collect()), ..StepDef::default() })
}

/// The alarm that an operator acknowledged.
fn acknowledged(event: &Event, scene: &Scene) -> Option<StepDef> {
    use crate::alarm::Cause;
    let Kind::Alarm { cause: Cause::Acknowledged, .. } = &event.kind else { return None };
    let alarm = event.alarm_path().filter(|alarm| !is_of_session(alarm, scene))?;
    Some(StepDef { acknowledge: Some(alarm.to_string().into()), ..StepDef::default() })
}

/// The alarms that were raised, each for the first time, and no others. Those on connections are of this session alone.
fn expectations<'e>(
    events: impl Iterator<Item = &'e Event>,
    scene: &Scene,
    since: &dyn Fn(Timestamp) -> u64,
    end: u64,
) -> Vec<ExpectDef> {
    let mut known = BTreeSet::new();
    let mut expected = Vec::new();
    for event in events {
        let Kind::Alarm { from, to, .. } = &event.kind else { continue };
        let is_raised = !from.is_active() && to.is_active();
        let Some(alarm) = event.alarm_path().filter(|alarm| is_raised && !is_of_session(alarm, scene)) else {
            continue;
        };
        if !known.insert(alarm.clone()) {
            continue;
        }
        let time = since(event.time);
        let after = time.saturating_sub(SLACK);
        let within = (time + SLACK).min(end) - after;
        let alarm = Spanned::from(alarm.to_string());
        expected.push(ExpectDef::Raised {
            alarm,
            after: Some(written(after).into()),
            within: Some(written(within).into()),
        });
    }
    expected.push(ExpectDef::NothingElse { but: Vec::new() });
    expected
}

/// Whether an alarm is on a connection, which a scenario does not have.
fn is_of_session(path: &AlarmPath, scene: &Scene) -> bool {
    let rule = scene.alarms.iter().find(|rule| AlarmPath::of_rule(rule, scene) == *path);
    rule.is_none_or(|rule| matches!(rule.subject, Subject::Broker(_)))
}

fn written(nanos: u64) -> String {
    write_duration(Duration::from_nanos(nanos))
}

/// The scene, from the folder of the scenario on, with `/` between folders.
fn relative(scene: &Path, scenario: &Path) -> String {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (scene, scenario) = (whole(scene), whole(scenario));
    let folder = scenario.parent().map(Path::to_owned).unwrap_or_default();
    let (to, from): (Vec<Component>, Vec<Component>) = (scene.components().collect(), folder.components().collect());
    let same = to.iter().zip(&from).take_while(|(one, other)| one == other).count();
    let path: PathBuf = match same {
        // Another drive.
        0 => scene,
        _ => from[same..].iter().map(|_| Component::ParentDir).chain(to[same..].iter().copied()).collect(),
    };
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Course, LinkEffect, Recurrence, SensorEffect};

    #[test]
    fn the_way_to_the_scene_begins_at_the_folder_of_the_scenario() {
        let way = |scene: &str, scenario: &str| relative(Path::new(scene), Path::new(scenario));
        assert_eq!(way("/a/hall/scene.ron", "/a/hall/scenarios/x.ron"), "../scene.ron");
        assert_eq!(way("/a/hall/scene.ron", "/a/hall/x.ron"), "scene.ron");
        assert_eq!(way("/a/hall/scene.ron", "/b/x.ron"), "../a/hall/scene.ron");
    }

    fn told(time: u64, outcome: Outcome) -> Told {
        Told { time, at: Timestamp(0), by: Some("ada".into()), reason: String::new(), outcome }
    }

    fn link(id: &str, onset: i64) -> WrittenFault {
        let defect = Defect::Link { broker: None, topics: vec!["a/#".into()], effect: LinkEffect::Disconnect {} };
        WrittenFault { id: id.into(), defect, course: Course { onset, ..Course::default() } }
    }

    #[test]
    fn what_was_gone_before_it_began_is_no_step() {
        use crate::event::Ending;
        let cleared = |fault| Outcome::Cleared { fault, ending: Ending::Cleared };
        let done = [
            told(10, Outcome::Set(link("F-1", 50))),
            told(20, cleared(link("F-1", 50))),
            told(30, Outcome::Set(link("F-2", 40))),
            told(60, cleared(link("F-2", 40))),
        ];
        let steps = steps_of(&done, &Scene::default());
        let short: Vec<_> = steps.iter().map(|(time, step)| (*time, step.id.is_some(), step.clear.is_some())).collect();
        assert_eq!(short, [(40, true, false), (60, false, true)]);
    }

    #[test]
    fn one_that_gave_way_to_another_of_its_id_is_taken_back_and_the_other_has_a_name_of_its_own() {
        use crate::event::Ending;
        let cleared = Outcome::Cleared { fault: link("F-1", 40), ending: Ending::Cleared };
        let done =
            [told(10, Outcome::Set(link("F-1", 10))), told(40, Outcome::Set(link("F-1", 40))), told(60, cleared)];
        let steps = steps_of(&done, &Scene::default());
        let text = |field: &Option<Spanned<String>>| field.as_ref().map(|text| text.value.clone()).unwrap_or_default();
        let short: Vec<_> = steps.iter().map(|(time, step)| (*time, text(&step.id), text(&step.clear))).collect();
        let named = |id: &str, clear: &str| (id.to_owned(), clear.to_owned());
        let wanted =
            [(10, named("F-1", "")), (40, named("", "F-1")), (40, named("F-1 (2)", "")), (60, named("", "F-1 (2)"))];
        assert_eq!(short, wanted.map(|(time, (id, clear))| (time, id, clear)));
    }

    #[test]
    fn a_command_that_was_sent_is_a_step() {
        use std::collections::BTreeMap;

        use crate::event::{Draft, Journal};
        use crate::scene::Significance;
        let command = |state| Kind::Command {
            command: "set_frequency".into(),
            instruction: 1,
            arguments: BTreeMap::from([("frequency".to_owned(), Value::Number(40.0))]),
            broker: String::new(),
            address: String::new(),
            topic: "p".into(),
            payload: "40".into(),
            significance: Significance::Warning,
            state,
            result: String::new(),
        };
        let mut journal = Journal::default();
        for state in [State::Queued, State::Sent, State::Verified] {
            let draft = Draft::new(Timestamp(0), Timestamp(0), command(state));
            journal.record(Draft { twin: Some("P-602".into()), ..draft });
        }
        let steps: Vec<StepDef> = journal.iter().filter_map(|event| commanded(event)).collect();
        let wanted = r#"[
        (with: {"frequency": 40.0}, command: "P-602.set_frequency"),
    ]"#;
        assert_eq!(list(&steps).expect("a text"), wanted);
    }

    #[test]
    fn a_step_says_all_of_a_fault_on_one_line() {
        let effect = SensorEffect::Spike { share: 0.25, height: 3.5 };
        let course = Course {
            ramp: 0,
            duration: Some(2_500_000_000),
            recurrence: Some(Recurrence { every: 10 * SECOND, times: Some(3) }),
            ..Course::default()
        };
        let fault =
            WrittenFault { id: "F-1".into(), defect: Defect::Sensor { signal: "P-101.flow".into(), effect }, course };
        let step = at(61_200_000_000, fault_step(&fault, &Scene::default()));
        let text = list(&[step]).expect("a text");
        let wanted = r#"[
        (at: "1m 1s 200ms", fault: "spike", on: "P-101.flow", with: {"share": 0.25, "height": 3.5}, lasts: "2s 500ms", every: "10s", times: 3, id: "F-1"),
    ]"#;
        assert_eq!(text, wanted);
    }
}
