//! Alarms of scenes: what is inherited, what is changed, and how they are told.

use std::path::Path;
use std::time::Duration;

use expect_test::expect;

use pollux::scene::rule::{AlarmIndex, Condition, Level, Priority, Reference, Subject, condition_text, message};
use pollux::scene::{self, Scene};

fn load(path: &str) -> Scene {
    let loaded = scene::load(Path::new(path));
    assert_eq!(loaded.render(false), "");
    loaded.scene.unwrap_or_default()
}

/// One line for each alarm: its path, priority, message and condition.
fn told(scene: &Scene, twin: &str) -> String {
    let Some(twin) = scene.twin(twin) else { return "no such twin".to_owned() };
    let lines = scene.alarms_of(twin.index).iter().map(|rule| {
        let path = scene.alarm_path(rule.index);
        let (message, condition) = (message(rule, scene), condition_text(rule, scene));
        format!("{path} [{}] {message} | {condition}\n", rule.priority.name())
    });
    lines.collect()
}

#[test]
fn every_kind_of_condition_of_format_1_1_becomes_a_rule_and_says_what_it_is() {
    let scene = load("tests/scenes/v1_1.ron");
    expect![[r#"
        V-1/mode.fault [high] mode is Fault or EStop | is Fault or EStop
        V-1/mode.unknown [medium] mode is none of Fault, EStop, Auto, Service (unknown) | is none of Fault, EStop, Auto, Service, for 1 min 30 s
        V-1/running.stopped [medium] running is false (stopped) | is false
        V-1/gear.reverse [medium] gear is -1 or 0.5 (reverse) | is -1 or 0.5
        V-1/vibration.low_low [high] vibration below 0.1 mm/s (low low) | below 0.1 mm/s
        V-1/vibration.high [medium] vibration above 4.5 mm/s (high) | above 4.5 mm/s, deadband 0.3 mm/s, for 2 s, back for 5 s
        V-1/vibration.high_high [high] vibration above 7.1 mm/s (high high) | above 7.1 mm/s
        V-1/vibration.trip [critical] vibration above 9 mm/s (trip) | above 9 mm/s, latching
        V-1/vibration.still [medium] vibration below 0.05 mm/s (still) | below 0.05 mm/s
        V-1/vibration.rising [medium] vibration rises by more than 0.6 mm/s per min over 30 s | rises by more than 0.6 mm/s per min over 30 s, deadband 0.1 mm/s per min, 3 of 5 samples within 30 s
        V-1/vibration.off_wanted [medium] vibration differs from wanted by more than 1.5 mm/s (off wanted) | differs from wanted by more than 1.5 mm/s, deadband 0.5 mm/s
        V-1/vibration.off_other [medium] vibration differs from P-101.vibration by more than 2 mm/s (off other) | differs from P-101.vibration by more than 2 mm/s
        V-1/vibration.off_one [medium] vibration differs from 1 mm/s by more than 3 mm/s (off one) | differs from 1 mm/s by more than 3 mm/s
        V-1/vibration.silent [low] vibration silent for more than 5 s | silent for more than 5 s
        V-1/vibration.broken [medium] vibration cannot be used (broken) | cannot be used
        V-1/vibration.odd [medium] vibration odd: vibration > 2 && !running | vibration > 2 && !running, suppressed while mode == "Service"
        V-1/own [medium] own: running | running
    "#]]
    .assert_eq(&told(&scene, "V-1"));
}

#[test]
fn a_twin_changes_fields_of_its_types_alarms_and_keeps_the_others() {
    let scene = load("tests/scenes/v1_1.ron");
    expect![[r#"
        P-101/mode.fault [high] mode is Fault or EStop | is Fault or EStop
        P-101/mode.unknown [medium] mode is none of Fault, EStop, Auto, Service (unknown) | is none of Fault, EStop, Auto, Service, for 1 min 30 s
        P-101/running.stopped [medium] running is false (stopped) | is false
        P-101/gear.reverse [medium] gear is -1 or 0.5 (reverse) | is -1 or 0.5
        P-101/vibration.low_low [high] vibration below 0.1 mm/s (low low) | below 0.1 mm/s
        P-101/vibration.high [medium] vibration above 5 mm/s (high) | above 5 mm/s, deadband 0.3 mm/s, back for 5 s
        P-101/vibration.high_high [high] vibration above 7.1 mm/s (high high) | above 7.1 mm/s
        P-101/vibration.trip [critical] vibration cannot be used (trip) | cannot be used, latching
        P-101/vibration.still [medium] vibration below 0.05 mm/s (still) | below 0.05 mm/s
        P-101/vibration.rising [medium] vibration rises by more than 1.2 mm/s per min over 30 s | rises by more than 1.2 mm/s per min over 30 s, deadband 0.1 mm/s per min, 3 of 5 samples within 30 s
        P-101/vibration.off_wanted [medium] vibration differs from wanted by more than 1.5 mm/s (off wanted) | differs from wanted by more than 1.5 mm/s, deadband 0.5 mm/s
        P-101/vibration.off_other [medium] vibration differs from V-1.vibration by more than 2 mm/s (off other) | differs from V-1.vibration by more than 2 mm/s
        P-101/vibration.off_one [medium] vibration differs from 1 mm/s by more than 3 mm/s (off one) | differs from 1 mm/s by more than 3 mm/s
        P-101/vibration.silent [low] vibration silent for more than 5 s | silent for more than 5 s
        P-101/vibration.broken [medium] vibration cannot be used (broken) | cannot be used
        P-101/vibration.odd [medium] vibration odd: vibration > 2 && !running | vibration > 2 && !running, suppressed while mode == "Service"
        P-101/vibration.new [medium] vibration above 6 mm/s (new) | above 6 mm/s
        P-101/idle [medium] idle: !running && gear > 0 | !running && gear > 0
    "#]].assert_eq(&told(&scene, "P-101"));
    let rule = |name: &str| scene.alarm_named("P-101", name);
    let high = rule("vibration.high").unwrap();
    assert!(matches!(high.condition, Condition::Limit { level: Level::High, limit: 5.0, deadband: 0.3 }), "{high:?}");
    assert_eq!((high.on_delay, high.off_delay), (Duration::ZERO, Duration::from_secs(5)));
    assert_eq!(high.guidance.cause, "Bearing wear");
    assert_eq!(high.guidance.respond_within, Some(Duration::from_secs(8 * 3600)));
    let rising = rule("vibration.rising").unwrap();
    let Condition::Rate { limit_per_sec, deadband_per_sec, .. } = rising.condition else { panic!("{rising:?}") };
    assert!((limit_per_sec - 1.2 / 60.0).abs() < 1e-12 && (deadband_per_sec - 0.1 / 60.0).abs() < 1e-12);
    assert!(matches!(rule("vibration.trip").unwrap().condition, Condition::Bad), "another condition takes the place");
    let idle = rule("idle").unwrap();
    assert_eq!((idle.priority, idle.group.as_str()), (Priority::Medium, "machines"));
    let other = scene.signal("V-1", "vibration").unwrap().index;
    let Condition::Deviation { from, .. } = &rule("vibration.off_other").unwrap().condition else { panic!() };
    assert_eq!(*from, Reference::Signal(other), "a placeholder names another twin");
}

#[test]
fn every_broker_has_an_alarm_on_its_connection_unless_the_scene_takes_it_away() {
    let mut scene = load("tests/scenes/v1_1.ron");
    scene.watch_connection("embedded");
    scene.watch_connection("embedded");
    scene.watch_connection("lab");
    let told: Vec<String> = scene
        .alarms
        .iter()
        .filter(|rule| matches!(rule.subject, Subject::Broker(_)))
        .map(|rule| {
            let path = scene.alarm_path(rule.index);
            format!("{path}: {} | {}", message(rule, &scene), condition_text(rule, &scene))
        })
        .collect();
    expect![[r#"
        broker#office/connection: no connection to the broker office | no connection to the broker office, for 10 s
        broker#plant/connection: the plant is not to be seen | no connection to the broker plant, for 30 s, back for 5 s, latching, suppressed while signal("P-101.mode") == "Service"
        broker#embedded/connection: no connection to the broker embedded | no connection to the broker embedded, for 10 s"#]].assert_eq(&told.join("\n"));
    let plant = scene.alarms_of_broker("plant").next().unwrap();
    assert_eq!((plant.priority, plant.latching, plant.group.as_str()), (Priority::Critical, true, "links"));
    assert!(plant.suppressed_when.is_some());
}

#[test]
fn alarms_are_dense_and_found_by_twin_and_by_signal() {
    for path in ["tests/scenes/v1_1.ron", "scenes/bottling/scene.ron"] {
        let scene = load(path);
        for (at, rule) in scene.alarms.iter().enumerate() {
            assert_eq!(rule.index, AlarmIndex(at as u32), "{rule:?}");
        }
        let mut by_twin = Vec::new();
        for twin in &scene.twins {
            let of_twin = scene.alarms_of(twin.index);
            by_twin.extend(of_twin.iter().map(|rule| rule.index));
            let mut by_signal: Vec<AlarmIndex> = Vec::new();
            for signal in scene.signals_of(twin) {
                let of_signal = scene.alarms_of_signal(signal.index);
                assert!(of_signal.iter().all(|rule| rule.subject == Subject::Signal(signal.index)));
                by_signal.extend(of_signal.iter().map(|rule| rule.index));
            }
            let own = of_twin.iter().filter(|rule| rule.subject == Subject::Twin(twin.index));
            by_signal.extend(own.map(|rule| rule.index));
            assert_eq!(by_signal, of_twin.iter().map(|rule| rule.index).collect::<Vec<_>>(), "{}", twin.id);
            for rule in of_twin {
                assert_eq!(scene.alarm_named(&twin.id, &rule.name).map(|found| found.index), Some(rule.index));
            }
        }
        let of_brokers = scene.brokers.keys().flat_map(|name| scene.alarms_of_broker(name)).map(|rule| rule.index);
        by_twin.extend(of_brokers);
        assert_eq!(by_twin, scene.alarms.iter().map(|rule| rule.index).collect::<Vec<_>>(), "{path}: each once");
    }
}

#[test]
fn the_demo_has_few_urgent_alarms_and_each_tells_what_to_do() {
    let scene = load("scenes/bottling/scene.ron");
    let of = |priority| scene.alarms.iter().filter(|rule| rule.priority == priority).count();
    // ISA-18.2 (2016), table 11: about 5 % of the highest priority, 15 % of the next, 80 % below.
    let all = scene.alarms.len();
    assert!(all > 80, "{all} alarms");
    assert!(of(Priority::Critical) * 20 <= all && of(Priority::Critical) > 0, "{} critical", of(Priority::Critical));
    assert!(of(Priority::High) * 100 <= all * 16, "{} high of {all}", of(Priority::High));
    for rule in &scene.alarms {
        let guidance = &rule.guidance;
        let told = !(guidance.cause.is_empty() || guidance.consequence.is_empty() || guidance.action.is_empty());
        assert!(told && guidance.respond_within.is_some(), "{} says too little", scene.alarm_path(rule.index));
    }
    let kinds = |wanted: fn(&Condition) -> bool| scene.alarms.iter().any(|rule| wanted(&rule.condition));
    assert!(kinds(|condition| matches!(condition, Condition::Rate { .. })));
    assert!(kinds(|condition| matches!(condition, Condition::Deviation { .. })));
    assert!(kinds(|condition| matches!(condition, Condition::State { .. })));
    assert!(kinds(|condition| matches!(condition, Condition::Formula(_))));
    assert!(kinds(|condition| matches!(condition, Condition::Stale)));
    assert!(scene.alarm_named("P-101", "dry_running").is_some_and(|rule| rule.latching));
    let vibration = scene.alarm_named("P-101", "vibration.high").unwrap();
    assert_eq!(message(vibration, &scene), "vibration above 4.5 mm/s (high)");
}
