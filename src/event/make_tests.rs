use super::*;
use crate::alarm::{Cause, Deed, Flags, Monitor, State};
use crate::event::Journal;
use crate::scene;
use crate::scene::rule::{AlarmIndex, Direction, Level, Priority};
use crate::value::{Origin, SignalIndex, TwinIndex, Unit};
use std::time::Duration;

fn at(secs: i64) -> Timestamp {
    Timestamp(secs * 1_000_000_000)
}

fn hall() -> Scene {
    let twin = scene::Twin::new(TwinIndex(0), "P-101", "Pump", 0..1);
    let signal = scene::Signal {
        index: SignalIndex(0),
        twin: TwinIndex(0),
        name: "vibration".into(),
        label: String::new(),
        kind: scene::ValueKind::Number,
        unit: Unit::parse("mm/s").unwrap(),
        source: scene::SignalSource::Unbound,
        expires: None,
        range: None,
        limits: scene::Limits::default(),
    };
    Scene { twins: vec![twin], signals: vec![signal], ..Scene::default() }
}

fn rule(index: u32, subject: Subject, name: &str, condition: Condition) -> Rule {
    Rule { index: AlarmIndex(index), priority: Priority::High, ..Rule::new(subject, name, condition) }
}

fn high(index: u32) -> Rule {
    let condition = Condition::Limit { level: Level::High, limit: 4.5, deadband: 0.3 };
    rule(index, Subject::Signal(SignalIndex(0)), "vibration.high", condition)
}

fn raised(index: u32, secs: i64) -> Change {
    Change {
        alarm: AlarmIndex(index),
        cause: Cause::Raised,
        from: State::Normal,
        to: State::Unacknowledged,
        source_time: at(secs),
        receive_time: at(secs + 1),
        value: Some(5.1),
        worst: None,
        deed: None,
        origin: Origin::Measured,
    }
}

#[test]
fn a_change_becomes_an_event_that_names_things_as_the_scene_does() {
    let draft = Draft::of_change(&raised(0, 10), &high(0), &hall(), "vibration above 4.5 mm/s (high)");
    assert_eq!((draft.time, draft.received, draft.twin.as_deref()), (at(10), at(11), Some("P-101")));
    let event = Journal::default().record(draft);
    assert_eq!(event.summary(), "vibration above 4.5 mm/s (high): raised at 5.1 mm/s");
    assert_eq!(event.alarm_path(), Some(AlarmPath::of_rule(&high(0), &hall())));
    assert_eq!(event.alarm_path().unwrap().to_string(), "P-101/vibration.high");
}

#[test]
fn a_deed_says_who_and_why() {
    let deed = Deed { by: "Ada".into(), at: at(20), comment: "on my way".into() };
    let change = Change { cause: Cause::Acknowledged, deed: Some(deed), value: None, ..raised(0, 20) };
    let draft = Draft::of_change(&change, &high(0), &hall(), "m");
    assert_eq!((draft.by.as_deref(), draft.comment.as_str()), (Some("Ada"), "on my way"));
}

#[test]
fn the_unit_of_a_rate_is_per_second_and_values_that_json_lacks_are_left_out() {
    let direction = Direction::Rising;
    let rate = Condition::Rate {
        direction,
        limit_per_sec: 1.0,
        over: Duration::from_secs(5),
        deadband_per_sec: 0.0,
        per: Duration::from_secs(1),
    };
    let rule = rule(0, Subject::Signal(SignalIndex(0)), "vibration.rising", rate);
    let change = Change { value: Some(f64::INFINITY), worst: Some(f64::NAN), ..raised(0, 1) };
    let Kind::Alarm { unit, value, worst, .. } = Draft::of_change(&change, &rule, &hall(), "m").kind else {
        panic!("an alarm")
    };
    assert_eq!((unit.as_str(), value, worst), ("mm/s/s", None, None));
}

#[test]
fn alarms_of_brokers_and_twins_have_paths_of_their_own() {
    let broker = rule(0, Subject::Broker("plant".into()), "connection", Condition::Disconnected);
    let twin = rule(0, Subject::Twin(TwinIndex(0)), "cavitation", Condition::Stale);
    let gone = rule(0, Subject::Twin(TwinIndex(9)), "cavitation", Condition::Stale);
    let paths = [broker, twin, gone].map(|rule| AlarmPath::of_rule(&rule, &hall()).to_string());
    assert_eq!(paths, ["broker#plant/connection", "P-101/cavitation", "cavitation"]);
}

#[test]
fn a_flood_becomes_events_and_the_first_alarm_of_it_is_marked() {
    let (scene, mut monitor) = (hall(), Monitor::new(at(0)));
    let mut findings = Vec::new();
    for index in 0..11 {
        // The fourth happened first.
        let secs = if index == 3 { 90 } else { 100 + i64::from(index) };
        let change = Change { receive_time: at(200 + i64::from(index)), ..raised(index, secs) };
        findings.extend(monitor.observe(&change, &high(index), &Flags::default()).floods);
    }
    assert!(monitor.is_first_up(&high(3)) && !monitor.is_first_up(&high(0)));
    findings.extend(monitor.elapse(at(2_000)).floods);
    let path = AlarmPath::of_rule(&high(3), &scene);
    let mut journal = Journal::default();
    let texts: Vec<_> =
        findings.iter().map(|flood| journal.record(Draft::of_flood(flood, Some(&path))).summary()).collect();
    let first = "11 alarms, first P-101/vibration.high";
    assert_eq!(texts, [format!("alarm flood began: {first}"), format!("alarm flood ended: {first}")]);
    assert_eq!(monitor.performance(at(2_000), &[]).floods, 1);
}

#[test]
fn hidden_alarms_make_no_flood_and_count_when_what_hid_them_ends() {
    let mut monitor = Monitor::new(at(0));
    let hidden = Flags { suppressed: true, ..Flags::default() };
    let found: usize = (0..50).map(|n| monitor.observe(&raised(n, i64::from(n)), &high(n), &hidden).floods.len()).sum();
    assert_eq!((found, monitor.performance(at(60), &[]).alarms), (0, 0));
    let shown = Change { cause: Cause::Unsuppressed, from: State::Unacknowledged, ..raised(7, 60) };
    monitor.observe(&shown, &high(7), &Flags::default());
    let over = Change { to: State::ReturnedUnacknowledged, ..shown };
    monitor.observe(&over, &high(8), &Flags::default());
    assert_eq!(monitor.performance(at(70), &[]).alarms, 1);
}

#[test]
fn chattering_becomes_an_event_about_its_alarm() {
    let mut monitor = Monitor::new(at(0));
    let found: Vec<_> =
        (0..3).flat_map(|n| monitor.observe(&raised(0, n), &high(0), &Flags::default()).chattering).collect();
    let event = Journal::default().record(Draft::of_chattering(&found[0], &AlarmPath::of_rule(&high(0), &hall())));
    assert_eq!((event.twin.as_deref(), event.summary().as_str()), (Some("P-101"), "vibration.high: chattering began"));
}
