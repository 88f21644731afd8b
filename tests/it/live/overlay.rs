//! Faults over live data with the real program: what is on the wire, in the state, in the recording and in what is exported
//! of it. Only the overlay and the journal say anything of them.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pollux::alarm;
use pollux::event::Kind;
use pollux::produce::ProducerFactory;
use pollux::record::read::Timeline;
use pollux::run::rejudge::rejudge;
use serde_json::{Value, json};
use std::sync::Arc;

use super::program::{Program, pollux, wait_for};
use crate::support::Mosquitto;

const FAULTS: &str = r##"Overlay(format: (1, 0), faults: [
    (fault: "bias", on: "P-101.flow", with: {"by": "50 m3/h"}, id: "bent", note: "as after the repair"),
    (fault: "disconnect", on: "hall/P-102/#", lasts: "50s", id: "cut cable"),
    (fault: "clock_skew", on: "hall/P-103/#", with: {"by": "-2 s"}, at: "1h", id: "later"),
])"##;

fn scene(server: &Mosquitto) -> String {
    format!(
        r#"Scene(
    format: (1, 2),
    name: "Hall",
    brokers: {{"plant": (url: "{}", client_id: "pollux", qos: 1)}},
    types: {{"Pump": (signals: {{
        "flow": (unit: "m3/h", topic: "hall/{{id}}/flow", raw: Number, limits: (high: 60.0)),
        "double": (unit: "m3/h", derived: "flow * 2"),
    }})}},
    twins: [(id: "P-101", type: "Pump"), (id: "P-102", type: "Pump"), (id: "P-103", type: "Pump")],
)
"#,
        server.url()
    )
}

/// Another program that hears all that is on the wire, until it has heard the end.
fn listener(server: &Mosquitto) -> Child {
    let port = server.port.to_string();
    let mut command = Command::new("mosquitto_sub");
    command.args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", "#", "-v", "-C", "9"]);
    command.stdout(Stdio::piped()).spawn().expect("mosquitto-clients is installed")
}

fn log_says(server: &Mosquitto, what: &str, count: usize) {
    wait_for(|| (server.log().matches(what).count() >= count).then_some(()), || server.log());
}

fn flows(server: &Mosquitto) -> String {
    let mut told = String::new();
    for round in 0..3 {
        for pump in 101..104 {
            let (topic, payload) = (format!("hall/P-{pump}/flow"), format!("{}", pump % 100 * 10 + round));
            server.publish(&["-q", "1"], &topic, &payload);
            told += &format!("{topic} {payload}\n");
        }
    }
    told
}

fn value(state: &Value, twin: &str, signal: &str) -> Value {
    state["twins"][twin]["signals"][signal]["value"].clone()
}

#[test]
fn faults_over_live_data_are_seen_beside_the_truth_and_nowhere_else() {
    let Some(server) = Mosquitto::start_with(|_| "allow_anonymous true\nlog_type all\n".to_owned()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (faults, recording) = (folder.path().join("faults.ron"), folder.path().join("day.mcap"));
    std::fs::write(&faults, FAULTS).unwrap();
    let heard = listener(&server);
    log_says(&server, "Sending SUBACK", 1);
    let program = Program::live_with(&scene(&server), |command| {
        command.args(["-v", "--for", "60s", "--no-store", "--operator", "berta"]);
        command.arg("--overlay").arg(&faults).arg("--record").arg(&recording)
    })
    .subscribed();
    let told = flows(&server);
    log_says(&server, "Received PUBACK from pollux", 9);
    std::thread::sleep(Duration::from_millis(800));
    let state = program.stop().state();

    let on_the_wire = String::from_utf8(heard.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(on_the_wire, told, "the wire has what was published");
    for (pump, flow) in [("P-101", 12.0), ("P-102", 22.0), ("P-103", 32.0)] {
        assert_eq!(value(&state, pump, "flow"), json!(flow), "the truth stays");
        assert_eq!(state["twins"][pump]["signals"]["flow"]["origin"], Value::Null);
        assert_eq!(state["twins"][pump]["alarms"], json!([]), "and its alarms");
    }
    let overlay = &state["overlay"];
    assert_eq!((&overlay["origin"], &overlay["until"]), (&json!("simulated"), &Value::Null), "{overlay}");
    assert_eq!([value(overlay, "P-101", "flow"), value(overlay, "P-101", "double")], [62.0, 124.0].map(|x| json!(x)));
    assert_eq!(overlay["twins"]["P-101"]["signals"]["double"]["origin"], json!("simulated"));
    assert_eq!(value(overlay, "P-102", "flow"), Value::Null, "nothing came through the cut cable");
    assert_eq!(value(overlay, "P-103", "flow"), json!(32.0));
    let alarm = &overlay["twins"]["P-101"]["alarms"][0];
    let stands = [&alarm["rule"], &alarm["state"], &alarm["truth"], &alarm["origin"]];
    assert_eq!(stands, [&json!("flow.high"), &json!("unacknowledged"), &json!("normal"), &json!("simulated")]);
    let beside = &state["twins"]["P-101"]["signals"]["flow"]["layers"][0];
    assert_eq!(
        [&beside["layer"], &beside["value"], &beside["origin"]],
        [&json!("overlay"), &json!(62.0), &json!("simulated")]
    );

    let set = state["faults"].as_array().unwrap();
    let told: Vec<_> =
        set.iter().map(|one| json!([one["id"], one["site"], one["active"], one["by"], one["acted"]])).collect();
    let expected = [
        json!(["bent", "overlay", true, "berta", 3]),
        json!(["cut cable", "overlay", true, "berta", 3]),
        json!(["later", "overlay", false, "berta", 0]),
    ];
    assert_eq!(told, expected);
    let left = set[1]["remaining_secs"].as_f64().unwrap();
    assert!((10.0..50.0).contains(&left) && set[0]["remaining_secs"].is_null(), "{left}");
    assert_eq!(set[0]["reason"], json!("as after the repair"));
    recorded_is_the_truth(&recording, folder.path());
}

/// Whoever opens the recording finds what was measured, and who laid what over it; a run of it finds the same overlay.
fn recorded_is_the_truth(recording: &Path, folder: &Path) {
    let csv = folder.join("day.csv");
    let exported = pollux().arg("export").arg(recording).args(["--to", "csv", "-o"]).arg(&csv).status().unwrap();
    assert!(exported.success());
    let text = std::fs::read_to_string(&csv).unwrap();
    assert!(text.contains(",flow,12,") && !text.contains(",flow,62,") && !text.contains("simulated"), "{text}");

    let timeline = Timeline::open(&[recording.to_owned()]).unwrap();
    let events = timeline.events().unwrap();
    let told: Vec<String> =
        events.iter().filter(|event| event.kind.is_of_overlay()).map(|event| event.summary()).collect();
    assert_eq!(told.len(), 6, "{told:#?}");
    assert_eq!(told[0], "overlay sensor fault bent: bias on P-101.flow \"as after the repair\"");
    assert_eq!(told[5], "overlay fault later cleared, as the session ended");
    let raised =
        |event: &&pollux::event::Event| matches!(event.kind, Kind::Alarm { to: alarm::State::Unacknowledged, .. });
    assert_eq!(events.iter().filter(raised).count(), 0, "no alarm of the overlay is on record");

    let file = pollux::record::unpack(&timeline, &folder.join("unpacked")).unwrap();
    let scene = pollux::scene::load(&file).scene.expect("a scene");
    let run = rejudge(&timeline, Arc::new(scene), ProducerFactory::default()).unwrap();
    let overlay = run.knowledge().overlay().expect("the same once more");
    let flow = run.scene().signal("P-101", "flow").expect("a signal").index;
    let world = overlay.analysis.lock();
    let shown: Vec<f64> = world
        .history
        .points_before(flow, pollux::value::Timestamp::MAX)
        .filter_map(|point| point.value.as_f64())
        .collect();
    assert_eq!(shown, [62.0, 61.0, 60.0]);
    assert!(world.alarms().iter().any(|alarm| alarm.state.is_active()));
}

#[test]
fn a_file_of_faults_that_does_not_fit_is_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (scene_file, faults) = (folder.path().join("scene.ron"), folder.path().join("faults.ron"));
    let Some(server) = Mosquitto::start() else { return };
    std::fs::write(&scene_file, scene(&server)).unwrap();
    let text = r#"Overlay(format: (1, 0), faults: [
        (fault: "bais", on: "P-101.flow", with: {"by": "5 m3/h"}),
        (fault: "bias", on: "P-101.flwo", with: {"by": "5 m3/h"}),
        (on: "P-101.flow", clear: "all"),
    ])"#;
    std::fs::write(&faults, text).unwrap();
    let mut command = pollux();
    command.arg("live").arg(&scene_file).args(["--headless", "--for", "1s", "--overlay"]).arg(&faults);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in ["did you mean `bias`?", "did you mean `P-101.flow`?", "does nothing else", "faults.ron:2:"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
