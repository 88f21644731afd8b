//! Recordings and other layers beside what is shown: at the cursor, over all that both have, beside a live session, beyond
//! now.

mod horizon;
mod several;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bevy::ecs::schedule::{LogLevel, ScheduleBuildSettings};
use bevy::prelude::*;
use pollux::analysis::Analysis;
use pollux::command::{LayerCommand, OperatorCommand, TimeCommand};
use pollux::event::{Event, Kind};
use pollux::ingest::Message;
use pollux::layers::{self, Align, Counterparts, Layers, RecordingOptions, compare};
use pollux::replay::{self, At};
use pollux::state;
use pollux::value::{Shift, Timestamp};
use serde_json::{Value, json};

use crate::replay::tape::Tape;

/// `UNIT` is the unit of the flow, `MORE` further signals.
const SCENE: &str = r#"
Scene(
    format: (1, 1),
    name: "Test hall",
    types: {
        "Pump": (
            signals: {
                "flow": (unit: "UNIT", topic: "hall/{id}", json: "/flow"),
                "running": (kind: Bool, topic: "hall/{id}", json: "/running"),
                MORE
            },
        ),
    },
    twins: [(id: "P-1", type: "Pump")],
)
"#;

const SECS: u64 = 60;

fn noon() -> Timestamp {
    Timestamp::parse_rfc3339("2026-01-31T12:00:00Z").expect("a time")
}

fn scene(unit: &str, more: &str) -> String {
    SCENE.replace("UNIT", unit).replace("MORE", more)
}

/// A minute that begins at `start`: `flow` at each second, and a note `trip` at second `trip`.
fn tape(file: &Path, scene: &str, start: Timestamp, flow: impl Fn(u64) -> f64, trip: u64) {
    let mut tape = Tape::new(file, scene, start);
    for second in 0..=SECS {
        let receive_time = start + Duration::from_secs(second);
        let payload = format!("{{\"flow\": {}, \"running\": {}}}", flow(second), second < 45);
        let payload = payload.as_bytes();
        tape.message(&Message { topic: "hall/P-1", payload, retained: false, qos: 0, receive_time });
        if second == trip {
            tape.event(&Event {
                id: 1,
                time: receive_time,
                received: receive_time,
                twin: Some("P-1".to_owned()),
                by: None,
                comment: String::new(),
                kind: Kind::Note { text: "trip".to_owned() },
            });
        }
    }
    tape.finish();
}

/// Yesterday 50 m³/h, today 70 from second 20 to 40, told in litres per second and 1000 s later. Each has a signal more.
fn two(folder: &Path) -> (PathBuf, PathBuf) {
    let (here, there) = (folder.join("yesterday.mcap"), folder.join("today.mcap"));
    tape(&here, &scene("m3/h", r#""mode": (topic: "hall/{id}/mode", raw: Text),"#), noon(), |_| 50.0, 30);
    let flow = |second| if (20..40).contains(&second) { 70.0 } else { 50.0 } / 3.6;
    tape(&there, &scene("l/s", r#""level": (unit: "m", topic: "hall/{id}/level", raw: Number),"#), later(), flow, 32);
    (here, there)
}

fn later() -> Timestamp {
    noon() + Duration::from_secs(1000)
}

fn options(here: &Path, there: &Path) -> compare::Options {
    compare::Options {
        here: here.to_owned(),
        there: there.to_owned(),
        scene: None,
        align: None,
        by_hand: Shift::NONE,
        tolerance: None,
    }
}

/// A recording with another beside it, paused `secs` after its start.
fn open(here: &Path, there: &Path, align: Option<Align>, secs: u64) -> App {
    let mut app = App::new();
    let at = Some(At::After(Duration::from_secs(secs)));
    let options = replay::Options { at, blocking: true, ..replay::Options::new([here]) };
    replay::open(&mut app, options, Arc::new(|| {})).expect("a replay");
    lay_beside(&mut app, there, align);
    app.finish();
    app.cleanup();
    app.update();
    app
}

fn lay_beside(app: &mut App, there: &Path, align: Option<Align>) {
    let recordings = vec![RecordingOptions { files: vec![there.to_owned()], align, by_hand: Shift::NONE }];
    let options = layers::Options { recordings, here: "here.mcap".to_owned(), budget_bytes: 64 << 20, blocking: true };
    layers::open(app, options, Arc::new(|| {})).expect("a recording beside it");
}

/// The only one.
fn layer_of(app: &App) -> &dyn layers::Layer {
    &*app.world().resource::<Layers>().iter().next().expect("a layer").layer
}

fn seen(app: &mut App) -> Value {
    serde_json::to_value(state::of(app.world_mut())).expect("plain data")
}

fn flow_beside(app: &mut App) -> Value {
    seen(app)["twins"]["P-1"]["signals"]["flow"]["beside"].take()
}

fn pollux(args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pollux"));
    let output = command.env_remove("POLLUX_LOG").stdin(Stdio::null()).args(args).output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

#[test]
fn a_recording_compared_with_itself_has_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    let (here, _) = two(folder.path());
    let compared =
        compare::compare(&compare::Options { tolerance: Some(0.0), ..options(&here, &here) }).expect("a comparison");
    assert_eq!((compared.aligned_by.as_str(), compared.shift_secs), ("wall", 0.0));
    assert_eq!(compared.signals.len(), 3);
    for signal in &compared.signals {
        assert_eq!((signal.share, signal.at), (0.0, None), "{signal:?}");
    }
    assert!(compared.signals.iter().any(|signal| signal.compared_secs == SECS as f64), "{:?}", compared.signals);
    let later: Vec<_> = compared.events.iter().map(|event| event.later_secs).collect();
    assert_eq!(later, [Some(0.0)]);
    assert_eq!(compared.verdict.map(|verdict| verdict.exceeding), Some(Vec::new()));
}

#[test]
fn what_differs_is_told_with_its_size_its_moment_and_in_one_unit() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = two(folder.path());
    let compared = compare::compare(&options(&here, &there)).expect("a comparison");
    assert_eq!((compared.aligned_by.as_str(), compared.shift_secs), ("start", 1000.0), "they never met by the clock");
    let flow = compared.signals.iter().find(|signal| signal.signal == "P-1.flow").expect("both have it");
    assert!((flow.largest.unwrap_or_default() - 20.0).abs() < 1e-9, "{flow:?}");
    assert_eq!(flow.at, Some(noon() + Duration::from_secs(20)));
    let rms = (20.0_f64 * 20.0 * 20.0 / 60.0).sqrt();
    assert!((flow.rms.unwrap_or_default() - rms).abs() < 1e-9, "{flow:?}");
    assert!((flow.share - 20.0 / 70.0).abs() < 1e-9, "{flow:?}");
    assert_eq!(compared.signals.first().map(|signal| &*signal.signal), Some("P-1.flow"), "the largest first");
    assert_eq!((compared.only_here, compared.only_there), (vec!["P-1.mode".to_owned()], vec!["P-1.level".to_owned()]));
    let events: Vec<_> = compared.events.iter().map(|event| (event.event.as_str(), event.later_secs)).collect();
    assert_eq!(events, [("P-1 note: trip", Some(2.0))]);
}

#[test]
fn aligned_by_an_event_it_is_at_the_same_moment_in_both() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = two(folder.path());
    let by_trip = Some(Align::Event("TRIP".into()));
    let compared = compare::compare(&compare::Options { align: by_trip.clone(), ..options(&here, &there) });
    let compared = compared.expect("a comparison");
    assert_eq!((compared.shift_secs, compared.events[0].later_secs), (1002.0, Some(0.0)));
    assert_eq!((compared.from, compared.to), (noon(), noon() + Duration::from_secs(58)));
    // Two seconds before the end of yesterday the other has ended.
    let mut app = open(&here, &there, by_trip, 57);
    assert_eq!(flow_beside(&mut app)["quality"], "Good");
    app.world_mut().write_message(OperatorCommand::Time(TimeCommand::PauseAt(noon() + Duration::from_secs(59))));
    app.update();
    assert_eq!(flow_beside(&mut app)["value"], Value::Null);
    assert_eq!(seen(&mut app)["beside"]["at"], Value::Null);
}

#[test]
fn at_the_cursor_each_signal_has_the_others_value_in_its_own_unit_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = two(folder.path());
    let mut app = open(&here, &there, None, 25);
    for (secs, there, difference) in [(25, 70.0, 20.0), (50, 50.0, 0.0), (39, 70.0, 20.0), (3, 50.0, 0.0)] {
        app.world_mut().write_message(OperatorCommand::Time(TimeCommand::PauseAt(
            noon() + Duration::from_millis(secs * 1000 + 500),
        )));
        app.update();
        let seen = flow_beside(&mut app);
        let near = |key: &str, wanted: f64| (seen[key].as_f64().unwrap_or(f64::NAN) - wanted).abs() < 1e-9;
        assert!(near("value", there) && near("difference", difference), "second {secs}: {seen}");
        assert_eq!(seen["source_time"], (later() + Duration::from_secs(secs)).to_string());
    }
    let state = seen(&mut app);
    assert_eq!(state["beside"]["name"], "today.mcap");
    assert_eq!(state["beside"]["only_here"], json!(["P-1.mode"]));
    assert_eq!(state["twins"]["P-1"]["signals"]["mode"]["beside"], Value::Null, "only one has it");
    // Shifted by hand it shows what comes later.
    let layer = app.world().resource::<Layers>().iter().next().expect("a layer").id;
    let shift = LayerCommand::Shift { layer, by: Shift::from_secs_f64(20.0) };
    app.world_mut().write_message(OperatorCommand::Layer(shift));
    app.update();
    assert!((flow_beside(&mut app)["value"].as_f64().unwrap_or(f64::NAN) - 70.0).abs() < 1e-9);
}

#[test]
fn a_signal_is_written_only_where_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = two(folder.path());
    let mut app = open(&here, &there, None, 25);
    app.update();
    let changes = |app: &mut App| {
        let mut all = app.world_mut().query::<Ref<Counterparts>>();
        all.iter(app.world()).filter(|counterparts| counterparts.is_changed()).count()
    };
    app.update();
    app.world_mut().clear_trackers();
    app.update();
    assert_eq!(changes(&mut app), 0, "nothing moves");
}

#[test]
fn nothing_of_the_other_enters_the_journal_the_history_or_the_alarms() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = two(folder.path());
    let mut with = open(&here, &there, None, 35);
    let mut alone = App::new();
    let at = Some(At::After(Duration::from_secs(35)));
    let options = replay::Options { at, blocking: true, ..replay::Options::new([&here]) };
    replay::open(&mut alone, options, Arc::new(|| {})).expect("a replay");
    alone.finish();
    alone.cleanup();
    alone.update();
    let mut state = seen(&mut with);
    for signal in state["twins"]["P-1"]["signals"].as_object_mut().expect("signals").values_mut() {
        signal.as_object_mut().expect("a signal").remove("beside");
    }
    state.as_object_mut().expect("a state").remove("beside");
    assert_eq!(state, seen(&mut alone));
    let names = |app: &App| {
        let knowledge = app.world().resource::<Analysis>().lock();
        knowledge.chronicle().journal().iter().map(|event| event.summary()).collect::<Vec<_>>()
    };
    assert_eq!((names(&with), names(&alone)), (vec!["trip".to_owned()], vec!["trip".to_owned()]));
    assert_eq!(layer_of(&with).met().len(), 1);
}

#[test]
fn no_two_systems_of_a_comparison_depend_on_an_undeclared_order() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = two(folder.path());
    let mut app = open(&here, &there, None, 5);
    app.edit_schedule(Update, |schedule| {
        schedule.set_build_settings(ScheduleBuildSettings {
            ambiguity_detection: LogLevel::Error,
            ..ScheduleBuildSettings::default()
        });
    });
    app.update();
}

#[test]
fn the_program_compares_and_its_exit_code_is_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = two(folder.path());
    let (code, said, _) = pollux(&["compare", text(&here), text(&there)]);
    assert_eq!(code, Some(0), "without a tolerance nothing is judged");
    for part in ["aligned by   start", "P-1.flow", "20", "only in the first: 1", "P-1.level", "+2.000 s", "note: trip"]
    {
        assert!(said.contains(part), "`{part}` is not in:\n{said}");
    }
    let (code, said, _) = pollux(&["compare", text(&here), text(&here), "--tolerance", "0"]);
    assert_eq!(code, Some(0), "{said}");
    let json = ["compare", text(&here), text(&there), "--tolerance", "0.1", "--format", "json"];
    let (code, said, _) = pollux(&json);
    assert_eq!(code, Some(1), "{said}");
    let told: Value = serde_json::from_str(&said).expect("JSON");
    let exceeding = told["verdict"]["exceeding"].as_array().expect("a list");
    assert!(
        exceeding.iter().any(|line| line.as_str().is_some_and(|line| line.starts_with("P-1.flow differs by 28.6 %")))
    );
    let (code, _, said) = pollux(&["compare", text(&here), text(&there), "--align", "wall"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("2026-01-31T12:00:00Z") && said.contains("2026-01-31T12:16:40Z"), "{said}");
    let (code, _, said) = pollux(&["compare", text(&here), text(&there), "--align", "event:fire"]);
    assert!(code == Some(2) && said.contains("no event") && said.contains("P-1 note: trip"), "{said}");
    let (code, ..) = pollux(&["compare", text(&here), text(&there), "--align", "wall", "--shift", "1000s"]);
    assert_eq!(code, Some(0), "by hand they meet");
}

#[test]
fn a_headless_play_tells_both_values() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = two(folder.path());
    let file = folder.path().join("state.json");
    let args = ["play", text(&here), "--at", "25s", "--headless", "--state", text(&file), "--beside", text(&there)];
    let (code, _, said) = pollux(&args);
    assert_eq!(code, Some(0), "{said}");
    let state: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(state["beside"]["aligned_by"], "start");
    let flow = &state["twins"]["P-1"]["signals"]["flow"];
    assert_eq!(flow["value"], 50.0);
    assert!((flow["beside"]["value"].as_f64().unwrap() - 70.0).abs() < 1e-9, "{flow}");
}

#[test]
fn a_live_session_has_a_recording_beside_it_from_its_start() {
    let folder = tempfile::tempdir().unwrap();
    let (_, there) = two(folder.path());
    let (file, plant) = (folder.path().join("state.json"), folder.path().join("scene.ron"));
    std::fs::write(&plant, scene("m3/h", "")).unwrap();
    let args = ["live", text(&plant), "--headless", "--for", "3s", "--no-store", "--state", text(&file)];
    let (code, _, said) = pollux(&[&args[..], &["--beside", text(&there), "--shift", "20s"]].concat());
    assert_eq!(code, Some(0), "{said}");
    let state: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(state["beside"]["aligned_by"], "start", "{}", state["beside"]);
    let flow = &state["twins"]["P-1"]["signals"]["flow"];
    assert_eq!(flow["value"], Value::Null, "nobody publishes");
    assert!((flow["beside"]["value"].as_f64().unwrap() - 70.0).abs() < 1e-9, "{flow}");
    let kinds: Vec<_> = state["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str()).collect();
    assert_eq!(kinds, [Some("connection")], "the note of the other is not in this journal");
    let (code, _, said) = pollux(&[&args[..], &["--beside", text(&there), "--align", "wall"]].concat());
    assert!(code == Some(2) && said.contains("to now on") && said.contains("--align start"), "{said}");
}

#[test]
fn two_runs_of_the_plant_differ_in_their_noise_and_little_else() {
    let folder = tempfile::tempdir().unwrap();
    let plant = concat!(env!("CARGO_MANIFEST_DIR"), "/scenes/bottling/scene.ron");
    let files = ["1", "2"].map(|seed| {
        let file = folder.path().join(format!("seed-{seed}.mcap"));
        let args =
            ["record", plant, "--plant", "--plant-speed", "10", "--no-store", "--for", "4s", "--seed", seed, "-o"];
        let (code, _, said) = pollux(&[&args[..], &[text(&file)]].concat());
        assert_eq!(code, Some(0), "{said}");
        file
    });
    let [here, there] = &files;
    let by_start = compare::Options { align: Some(Align::Start), ..options(here, there) };
    let compared = compare::compare(&by_start).expect("a comparison");
    assert!(compared.only_here.is_empty() && compared.only_there.is_empty() && compared.not_comparable.is_empty());
    let pressure = compared.signals.iter().filter(|signal| signal.compared_secs > 5.0 && signal.largest.is_some());
    let differing = pressure.clone().filter(|signal| signal.share > 0.0).count();
    assert!(differing > 10 && pressure.count() > 40, "{differing} signals differ");
    let rms_below_largest = |signal: &compare::SignalDifference| {
        signal.rms.zip(signal.largest).is_none_or(|(rms, largest)| rms <= largest.abs() + 1e-9)
    };
    assert!(compared.signals.iter().all(rms_below_largest));
}
