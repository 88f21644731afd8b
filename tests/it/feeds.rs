//! What feeds the inputs of models: outputs, files, measured signals, somebody else's commands; and machines in links.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pollux::import::Sent;
use pollux::network::Network;
use pollux::plant::{Heard, MakeError, Options, Plant};
use pollux::scene::{self, Scene};
use pollux::session::profile;
use pollux::value::{TwinIndex, Value};

use crate::simulated::{SECOND, START, load, numbers, recording, run, samples};

/// A pump fills a tank through a pipe and a valve that a controller moves; the tank drains back.
const LOOP: &str = r#"Scene(
    format: (1, 3),
    name: "Loop",
    types: {
        "Tank": (
            model: Tank(area: "0.5 m2", height: "3 m", start_level: "1 m"),
            signals: {"level": (unit: "m", topic: "loop/{id}/level", raw: Number, measures: "level")},
        ),
        "Pump": (
            model: CentrifugalPump(rated_flow: "10 m3/h", rated_head: "20 m", shutoff_head: "26 m", start: 1.0),
            inputs: {"speed": "2900 rpm"},
            signals: {
                "flow": (unit: "m3/h", topic: "loop/{id}", json: "/flow", measures: "flow"),
                "speed": (unit: "rpm", topic: "loop/{id}", json: "/speed", measures: "speed"),
            },
        ),
        "Valve": (
            model: ControlValve(kv: 9.0, start: 0.5, stroke: "4 s"),
            signals: {"position": (unit: "%", topic: "loop/{id}", json: "/position", measures: "position")},
        ),
        "Controller": (
            model: Pid(gain: 0.8, integral_time: "30 s"),
            signals: {
                "output": (unit: "%", topic: "loop/{id}", json: "/out", measures: "output"),
                "pv": (unit: "m", topic: "loop/{id}", json: "/pv", measures: (by: "output(\"T-2.level\")")),
            },
        ),
    },
    twins: [
        (id: "T-1", type: "Tank", parameters: {"area": "3 m2"}),
        (id: "P-1", type: "Pump"),
        (id: "V-1", type: "Valve", inputs: {
            "command": (from: "LIC-1.output", signal: "position", command: "LIC-1.output"),
        }),
        (id: "T-2", type: "Tank", parameters: {"elevation": "4 m"}),
        (id: "V-2", type: "Valve", inputs: {"command": 0.4}),
        (id: "LIC-1", type: "Controller", inputs: {"measurement": "T-2.level", "set_point": 1.2}),
    ],
    links: [
        (from: "T-1.outlet", to: "P-1.inlet"),
        (from: "P-1.outlet", to: "V-1.inlet"),
        (from: "V-1.outlet", to: "T-2.inlet"),
        (from: "T-2.outlet", to: "V-2.inlet"),
        (from: "V-2.outlet", to: "T-1.inlet"),
    ],
)"#;

/// The loop after some changes, in a folder of its own, with what the closure puts beside it.
fn changed(changes: &[(&str, &str)], beside: impl Fn(&Path)) -> (tempfile::TempDir, scene::Loaded) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scene.ron");
    let mut text = LOOP.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    fs::write(&path, text).expect("a scene");
    beside(folder.path());
    let loaded = scene::load(&path);
    (folder, loaded)
}

fn scene_of(changes: &[(&str, &str)]) -> Arc<Scene> {
    let (folder, _) = changed(changes, |_| {});
    load(&folder.path().join("scene.ron"))
}

fn plant(scene: &Arc<Scene>, options: Options) -> Plant {
    Plant::new(scene.clone(), options).unwrap_or_else(|error| panic!("{error}"))
}

fn commanded() -> Options {
    Options { commanded: true, ..Options::default() }
}

#[test]
fn a_column_of_a_table_feeds_an_input_and_begins_again() {
    let fed = r#"inputs: {"speed": (file: "day.csv", of: "speed", unit: "rpm", scale: 0.5, repeats: "40s")}"#;
    let write = |folder: &Path| {
        let table = "time;note;speed [rpm]\n0;night;2000\n10;\"a; b\";5000,5\n30;evening;4000\n";
        fs::write(folder.join("day.csv"), table).expect("a table");
    };
    let (_folder, loaded) = changed(&[("inputs: {\"speed\": \"2900 rpm\"}", fed)], write);
    let scene = Arc::new(loaded.scene.clone().unwrap_or_else(|| panic!("{}", loaded.render(false))));
    assert!(loaded.files.iter().any(|file| file.ends_with("day.csv")), "it is watched: {:?}", loaded.files);
    let unread = Plant::new(scene.clone(), Options::default()).err();
    assert!(matches!(unread, Some(MakeError::NoProfile { .. })), "{unread:?}");
    let profiles = profile::read(&scene).expect("the table can be read");
    let mut plant = plant(&scene, Options { profiles, ..Options::default() });
    let said = samples(&scene, &run(&mut plant, 75));
    let speeds = numbers(&said["P-1.speed"]);
    let expected = |at: usize| match at % 40 {
        0..10 => 1000.0,
        10..30 => 2500.25,
        _ => 2000.0,
    };
    for (at, speed) in speeds.iter().enumerate() {
        // The pump follows within its run-up time; looked at where it has settled.
        if at % 40 % 10 >= 8 {
            assert!((speed - expected(at)).abs() < 3.0, "at {at} s: {speed}, not {}", expected(at));
        }
    }
    assert!(speeds.len() > 70);
}

#[test]
fn columns_of_a_table_keep_their_times_though_one_begins_later() {
    let fed = r#"inputs: {"speed": (file: "day.csv", of: "speed", unit: "rpm")}"#;
    let write = |folder: &Path| {
        let table = "time,flow,speed\n2026-01-31 12:00:00,1,\n2026-01-31 12:00:20,2,1500\n2026-01-31 12:00:40,3,2500\n";
        fs::write(folder.join("day.csv"), table).expect("a table");
    };
    let (_folder, loaded) = changed(&[("inputs: {\"speed\": \"2900 rpm\"}", fed)], write);
    let scene = Arc::new(loaded.scene.unwrap_or_else(|| panic!("{:?}", loaded.issues)));
    let [profile] = &profile::read(&scene).expect("it can be read")[..] else { panic!("one") };
    let rpm = |secs: u64| profile.at(secs * SECOND) * 60.0 / std::f64::consts::TAU;
    assert!((rpm(30) - 1500.0).abs() < 1e-9 && (rpm(41) - 2500.0).abs() < 1e-9, "{} {}", rpm(30), rpm(41));
    assert!((rpm(0) - 1500.0).abs() < 1e-9, "the first value counts before it, too");
}

#[test]
fn times_of_day_count_from_midnight_and_seconds_from_the_start() {
    for table in ["time,speed\n00:00:20,1500\n0:01,2500\n", "time,speed\n20,1500\n60,2500\n"] {
        let fed = r#"inputs: {"speed": (file: "day.csv", of: "speed", unit: "rpm", repeats: "24h")}"#;
        let write = |folder: &Path| fs::write(folder.join("day.csv"), table).expect("a table");
        let (_folder, loaded) = changed(&[("inputs: {\"speed\": \"2900 rpm\"}", fed)], write);
        let scene = Arc::new(loaded.scene.unwrap_or_else(|| panic!("{:?}", loaded.issues)));
        let [profile] = &profile::read(&scene).expect("it can be read")[..] else { panic!("one") };
        let rpm = |secs: u64| (profile.at(secs * SECOND) * 60.0 / std::f64::consts::TAU).round();
        // The day before ended with 2500.
        let day = 86_400;
        assert_eq!(
            [0, 19, 20, 59, 60, day, day + 20].map(rpm),
            [2500.0, 2500.0, 1500.0, 1500.0, 2500.0, 2500.0, 1500.0]
        );
    }
}

#[test]
fn a_recorded_signal_feeds_an_input_in_its_own_unit() {
    let fed = r#"inputs: {"speed": (file: "old.mcap", of: "P-1.speed")}"#;
    let write = |folder: &Path| {
        let plain = folder.join("plain.ron");
        fs::write(&plain, LOOP).expect("a scene");
        let sent = |secs: u64, payload: &str| Sent {
            time: START + Duration::from_secs(secs),
            broker: "broker".into(),
            topic: "loop/P-1".into(),
            payload: payload.into(),
            qos: 0,
            retained: false,
        };
        let messages = [sent(0, r#"{"speed": 1200}"#), sent(5, r#"{"flow": 3}"#), sent(20, r#"{"speed": 2400}"#)];
        let made = recording(folder, &load(&plain), &messages);
        fs::rename(made, folder.join("old.mcap")).expect("a name");
    };
    let (_folder, loaded) = changed(&[("inputs: {\"speed\": \"2900 rpm\"}", fed)], write);
    let scene = Arc::new(loaded.scene.clone().unwrap_or_else(|| panic!("{}", loaded.render(false))));
    let profiles = profile::read(&scene).unwrap_or_else(|errors| panic!("{}", profile::told(&errors)));
    let mut plant = plant(&scene, Options { profiles, ..Options::default() });
    let speeds = numbers(&samples(&scene, &run(&mut plant, 60))["P-1.speed"]);
    assert!((speeds[15] - 1200.0).abs() < 1.0 && (speeds[50] - 2400.0).abs() < 1.0, "{speeds:?}");
}

#[test]
fn files_that_cannot_be_read_are_told_with_the_input() {
    let told = |fed: &str| {
        let inputs = format!("inputs: {{\"speed\": {fed}}}");
        let write = |folder: &Path| {
            fs::write(folder.join("day.csv"), "time,flow\n0,1\n").expect("a table");
            fs::write(folder.join("odd.csv"), "time,speed\n31.01.2026 10:00,1\n").expect("a table");
        };
        let (_folder, loaded) = changed(&[("inputs: {\"speed\": \"2900 rpm\"}", &inputs)], write);
        let scene = loaded.scene.unwrap_or_else(|| panic!("{:?}", loaded.issues));
        profile::told(&profile::read(&scene).expect_err("it is wrong"))
    };
    let missing = told(r#"(file: "night.csv", of: "speed", unit: "rpm")"#);
    assert!(missing.contains("P-1.speed: ") && missing.contains("night.csv: cannot be read"), "{missing}");
    let column = told(r#"(file: "day.csv", of: "speed", unit: "rpm")"#);
    assert!(column.contains("speed") && column.contains("has no column `speed` (columns: time, flow)"), "{column}");
    let times = told(r#"(file: "odd.csv", of: "speed", unit: "rpm")"#);
    let wanted =
        "odd.csv: its times cannot be read, the first is `31.01.2026 10:00`: write them like 2026-01-31T10:00:00Z";
    assert!(times.contains(wanted) && !times.contains("--"), "{times}");
    let recording = told(r#"(file: "none.mcap", of: "P-1.speed")"#);
    assert!(recording.contains("P-1.speed: ") && recording.contains("none.mcap"), "{recording}");
}

#[test]
fn a_link_with_a_model_is_a_machine_between_its_ends() {
    let link = r#"(from: "P-1.outlet", to: "V-1.inlet")"#;
    let pipe = r#"(from: "P-1.outlet", to: "V-1.inlet", id: "L-1", inputs: {"ambient": "10 degC"},
        model: Pipe(length: "30 m", diameter: "20 mm"))"#;
    let measured = [
        (link, pipe),
        (
            r#""flow": (unit: "m3/h", topic: "loop/{id}", json: "/flow", measures: "flow"),"#,
            r#""flow": (unit: "m3/h", topic: "loop/{id}", json: "/flow", measures: "flow"),
            "drop": (unit: "Pa", topic: "loop/{id}", json: "/drop", measures: (by: "output(\"L-1.pressure_drop\")")),"#,
        ),
    ];
    let last = |changes: &[(&str, &str)], signal: &str| {
        let scene = scene_of(changes);
        let said = samples(&scene, &run(&mut plant(&scene, Options::default()), 30));
        *numbers(&said[signal]).last().expect("a value")
    };
    let (bare, piped) = (last(&[], "P-1.flow"), last(&measured, "P-1.flow"));
    assert!(piped < 0.97 * bare && piped > 0.3 * bare, "the pipe takes pressure: {bare} m3/h, {piped} m3/h");
    let drop = last(&measured, "P-1.drop");
    assert!((1e3..3e5).contains(&drop), "{drop} Pa");
    let story =
        ("    links: [", "    plant: (story: [(at: \"0s\", target: \"L-1.blockage\", set: 500.0)]),\n    links: [");
    let blocked = last(&[measured[0], measured[1], story], "P-1.flow");
    assert!(blocked < 0.8 * piped, "what happens reaches it by its id: {blocked} m3/h");
}

#[test]
fn a_plant_that_is_commanded_does_what_it_is_told_and_nothing_by_itself() {
    let scene = scene_of(&[]);
    let mut plant = plant(&scene, commanded());
    let first = run(&mut plant, 20);
    assert!(first.iter().all(|message| message.topic != "loop/LIC-1"), "the controller's topic is the controller's");
    let positions = numbers(&samples(&scene, &first)["V-1.position"]);
    assert!(positions.iter().all(|position| (position - 50.0).abs() < 0.1), "it stays: {positions:?}");

    let tell = |plant: &mut Plant, payload: &str| plant.hear("broker", "loop/LIC-1", payload.as_bytes(), START);
    let taken = tell(&mut plant, r#"{"out": 80, "pv": 1.1}"#);
    assert_eq!(taken, Heard { taken: 1, refused: 0, why: None });
    let positions = numbers(&samples(&scene, &run(&mut plant, 20))["V-1.position"]);
    assert!((positions.last().expect("a value") - 80.0).abs() < 0.1, "{positions:?}");

    let wrong = tell(&mut plant, r#"{"out": "wide open"}"#);
    assert!(wrong.taken == 0 && wrong.why.is_some_and(|why| why.contains("/out")), "it is told");
    assert_eq!(plant.hear("broker", "loop/V-1", br#"{"position": 5}"#, START), Heard::default(), "no command");

    let mut other = Plant::new(scene.clone(), commanded()).expect("a plant");
    other.restore(&plant.to_bytes()).expect("the same scene");
    assert!(run(&mut other, 20) == run(&mut plant, 20), "a plant that was restored knows what it was told");
    assert_eq!(plant.command_topics("broker"), ["loop/LIC-1"]);
}

#[test]
fn a_saved_scene_keeps_what_was_commanded_and_moves_nothing_that_was_not() {
    let mut plant = plant(&scene_of(&[]), commanded());
    plant.hear("broker", "loop/LIC-1", br#"{"out": 80}"#, START);
    run(&mut plant, 20);
    // The other valve may be commanded from now on, and one input follows a file.
    let changes = [
        (r#"inputs: {"command": 0.4}"#, r#"inputs: {"command": (value: 0.4, command: "LIC-1.pv")}"#),
        (
            r#"(from: "LIC-1.output", signal: "position", command: "LIC-1.output")"#,
            r#"(file: "day.csv", of: "position", signal: "position", command: "LIC-1.output")"#,
        ),
        (
            r#""pv": (unit: "m", topic: "loop/{id}", json: "/pv", measures: (by: "output(\"T-2.level\")")),"#,
            r#""pv": (unit: "%", topic: "loop/{id}/other", raw: Number),"#,
        ),
    ];
    let write = |folder: &Path| fs::write(folder.join("day.csv"), "time,position\n0,0.1\n5,0.2\n").expect("a table");
    let (_folder, loaded) = changed(&changes, write);
    let scene = Arc::new(loaded.scene.unwrap_or_else(|| panic!("{:?}", loaded.issues)));
    for _ in 0..2 {
        plant.adopt(scene.clone(), profile::read(&scene).expect("a table")).expect("it fits");
        let said = samples(&scene, &run(&mut plant, 20));
        let last = |signal: &str| *numbers(&said[signal]).last().expect("a value");
        // The first time the valve's command is a new one, which begins where the file has it.
        assert!((last("V-2.position") - 40.0).abs() < 0.1, "nobody moved it: {} %", last("V-2.position"));
        plant.hear("broker", "loop/LIC-1", br#"{"out": 70}"#, START);
        let said = samples(&scene, &run(&mut plant, 20));
        let position = *numbers(&said["V-1.position"]).last().expect("a value");
        assert!((position - 70.0).abs() < 0.1, "{position} %");
    }
    plant.adopt(scene.clone(), profile::read(&scene).expect("a table")).expect("it fits");
    let said = samples(&scene, &run(&mut plant, 20));
    let position = *numbers(&said["V-1.position"]).last().expect("a value");
    assert!((position - 70.0).abs() < 0.1, "what was commanded stays: {position} %");
}

#[test]
fn a_twin_that_says_otherwise_is_not_commanded_whatever_its_type_says() {
    let of_type = (
        r#"model: ControlValve(kv: 9.0, start: 0.5, stroke: "4 s"),"#,
        r#"models: {"valve": ControlValve(kv: 9.0, start: 0.5, stroke: "4 s")},
           inputs: {"command": (value: 0.5, command: "LIC-1.output")},"#,
    );
    let of_twin = (
        r#""command": (from: "LIC-1.output", signal: "position", command: "LIC-1.output"),"#,
        r#""valve.command": 0.3,"#,
    );
    let scene = scene_of(&[of_type, of_twin, (r#"inputs: {"command": 0.4}"#, "")]);
    let followed: Vec<&str> = scene
        .commanded
        .iter()
        .map(|follow| &*scene.blueprint.as_ref().expect("models").machines[follow.machine].id)
        .collect();
    assert_eq!(followed, ["V-2.valve"]);
}

#[test]
fn a_command_counts_as_the_output_does_that_it_stands_for() {
    let fed = r#"inputs: {"speed": (from: "LIC-1.output", scale: 300.0, offset: "10 rad/s", command: "LIC-1.output")}"#;
    let scene = scene_of(&[("inputs: {\"speed\": \"2900 rpm\"}", fed)]);
    let follow = scene.commanded.iter().find(|follow| scene.machines[follow.machine].twin == Some(TwinIndex(1)));
    // Half of the output, as 50 %.
    assert_eq!(follow.expect("the pump's").of(&Value::Number(50.0)), Some(160.0));
}

#[test]
fn a_scene_without_commands_cannot_be_commanded() {
    let scene = scene_of(&[(", command: \"LIC-1.output\"", "")]);
    let refused = Plant::new(scene, commanded()).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("no input of the scene `Loop` names a command"), "{refused}");
}

#[test]
fn a_network_that_is_fed_with_what_was_measured_follows_the_plant() {
    let scene = scene_of(&[]);
    let said = samples(&scene, &run(&mut plant(&scene, Options::default()), 120));
    let blueprint = scene.blueprint_following(&scene.watched).expect("models");
    assert_eq!(blueprint.outside, ["V-1.command by V-1.position"]);
    let network = Network::build(blueprint).expect("it fits together");
    let (mut work, follow) = (network.workspace(), scene.watched[0]);
    let mut now = network.start(1, &[0.5], &mut work);
    for position in &said["V-1.position"] {
        let at = (position.source_time.0 - START.0) as u64;
        let at = at.max(now.time());
        network.advance(&mut now, at, &mut work);
        now.set_outside(0, follow.of(&position.value).expect("a number"));
        network.refresh(&mut now, &mut work);
    }
    let tank = network.machine("T-2").expect("a tank");
    let level = now.output(&network, tank, network.description(tank).output("level").expect("a level"));
    let truth = *numbers(&said["T-2.level"]).last().expect("a value");
    assert!((level - truth).abs() < 0.02, "{level} m, and {truth} m was measured");
    let constant = said["V-1.position"].iter().all(|sample| sample.value == Value::Number(50.0));
    assert!(!constant, "the valve moved all the while");
}

#[test]
fn what_an_input_cannot_follow_is_told_with_the_way_out() {
    let fed = r#"(from: "LIC-1.output", signal: "position", command: "LIC-1.output")"#;
    let said = |from: &str, to: &str| {
        let (_folder, loaded) = changed(&[(from, to)], |_| {});
        let told = loaded.issues.iter().map(|issue| {
            let hint = issue.hint.clone().unwrap_or_default();
            format!("{} [{}] | {hint}", issue.brief, issue.rule)
        });
        told.collect::<Vec<_>>().join("\n")
    };
    let cases = [
        (fed, r#"(from: "LIC-1.output", value: 0.5)"#, "follows one thing: a quantity, an output"),
        (
            fed,
            r#"(signal: "positon", from: "LIC-1.output")"#,
            "there is no signal `positon` in this twin [unknown-signal]",
        ),
        (fed, r#"(from: "LIC-1.output", command: "LIC-2.output")"#, "command: there is no twin `LIC-2`"),
        (
            r#""speed": "2900 rpm""#,
            r#""speed": (value: "2900 rpm", command: "T-2.level")"#,
            "command: `T-2.level` in `m` does not fit `rad/s` [unit-mismatch]",
        ),
        (fed, r#"(file: "day.csv")"#, "follows one thing"),
        (
            fed,
            r#"(file: "day.csv", of: "opening", unit: "bar")"#,
            "the column `opening` in `bar` does not fit an input without a unit, such as a share from 0 to 1 [unit-mismatch]",
        ),
        (fed, r#"(from: "LIC-1.output", repeats: "1h")"#, "follows one thing"),
        (
            r#""speed": "2900 rpm""#,
            r#""speed": (file: "day.csv", of: "speed")"#,
            "the unit of the column `speed` is not said [missing-field] | add unit: ",
        ),
        (
            r#""speed": "2900 rpm""#,
            r#""speed": (file: "day.csv", of: "speed", unit: "bar")"#,
            "the column `speed` in `bar` does not fit",
        ),
        (
            r#""speed": "2900 rpm""#,
            r#""speed": (file: "day.mcap", of: "P-1.speed", unit: "rpm")"#,
            "recorded signals have a unit of their own",
        ),
        (
            r#"(from: "P-1.outlet", to: "V-1.inlet")"#,
            r#"(from: "P-1.outlet", to: "V-1.inlet", model: Conveyor())"#,
            "`Conveyor` does not fit between fluid and fluid [bad-link]",
        ),
        (
            r#"(from: "P-1.outlet", to: "V-1.inlet")"#,
            r#"(from: "P-1", to: "V-1.inlet", model: Pipe())"#,
            "a link with a model ends at ports, and `P-1` is a twin [unknown-port]",
        ),
        (
            r#"(from: "P-1.outlet", to: "V-1.inlet")"#,
            r#"(from: "P-1.outlet", to: "V-1.inlet", id: "T-1", model: Pipe())"#,
            "the id `T-1` is given a second time [duplicate-id]",
        ),
        (
            r#"(from: "P-1.outlet", to: "V-1.inlet")"#,
            r#"(from: "P-1.outlet", to: "V-1.inlet", model: Pipe(length: "9 km"))"#,
            "length must be from 0.05 m to 5000 m",
        ),
        (
            r#"(from: "P-1.outlet", to: "V-1.inlet")"#,
            r#"(from: "P-1.outlet", to: "V-1.inlet", inputs: {"ambient": "10 degC"})"#,
            "the link has inputs, but no model [unknown-input]",
        ),
        (
            r#"(from: "P-1.outlet", to: "V-1.inlet")"#,
            r#"(from: "P-1.outlet", to: "V-1.inlet", id: "L-1")"#,
            "the link has an id, but no model [bad-link]",
        ),
    ];
    for (from, to, wanted) in cases {
        let told = said(from, to);
        assert!(told.contains(wanted), "{to}\nsaid: {told}\nwanted: {wanted}");
    }
}
