//! A client that sends two values one after the other, and what is derived from both: live, recorded and judged once more
//! come to the same, whatever way the socket was read.

use std::path::Path;
use std::process::Command;

use pollux::event::{Event, Kind};
use pollux::produce::ProducerFactory;
use pollux::run::rejudge::rejudge;
use pollux::scene::Scene;
use serde_json::Value;

use super::program::{Program, pollux};
use crate::support::Mosquitto;

/// `d` is 1 as soon as both have come. Values go from 10 to 2,000, so that in between it is 10 less.
const PAIRS: usize = 200;

fn scene(url: &str) -> String {
    format!(
        r#"Scene(
    format: (1, 2),
    name: "Two values",
    brokers: {{"plant": (url: "{url}", client_id: "pollux")}},
    types: {{"Line": (signals: {{
        "a": (topic: "line/a", raw: Number),
        "b": (topic: "line/b", raw: Number),
        "d": (derived: "a - b", limits: (high: 5)),
        "settled": (derived: "a - b", settle: "2s", limits: (high: 5)),
    }})}},
    twins: [(id: "L-1", type: "Line")],
)
"#
    )
}

/// How often an alarm was raised.
fn raised(events: &[Event], alarm: &str) -> usize {
    let is_one = |event: &&Event| matches!(&event.kind, Kind::Alarm { alarm: name, cause: pollux::alarm::Cause::Raised, .. } if name == alarm);
    events.iter().filter(is_one).count()
}

/// What alarms did, without numbers and names of the session.
fn told(events: &[Event]) -> Vec<Value> {
    let alarms = events.iter().filter(|event| matches!(event.kind, Kind::Alarm { .. } | Kind::Birth));
    let plain = alarms.map(|event| Event { id: 0, ..event.clone() });
    plain.map(|event| serde_json::to_value(event).expect("JSON")).collect()
}

fn load(file: &Path) -> Scene {
    pollux::scene::load(file).scene.expect("a scene without issues")
}

#[test]
fn a_false_value_in_between_is_the_same_live_and_judged_once_more_and_settle_takes_it_away() {
    let Some(server) = Mosquitto::start() else { return };
    let text = scene(&server.url());
    let folder = tempfile::tempdir().expect("a folder");
    let recording = folder.path().join("two.mcap");
    let program = Program::live_with(&text, |command: &mut Command| {
        command.args(["-v", "--for", "120s", "--record"]).arg(&recording)
    });
    let program = program.subscribed();
    let ran = server.paho(&format!(
        r#"
import sys
import paho.mqtt.client as mqtt
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2) if hasattr(mqtt, "CallbackAPIVersion") else mqtt.Client()
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_start()
for n in range({PAIRS}):
    client.publish("line/a", 10 * n + 11, qos=1)
    last = client.publish("line/b", 10 * n + 10, qos=1)
last.wait_for_publish(30)
client.disconnect()
"#
    ));
    if !ran {
        return;
    }
    // From the acknowledgement of the last message to its alarms: some milliseconds.
    std::thread::sleep(std::time::Duration::from_millis(800));
    let file = program.scene_file();
    let scene = std::fs::read_to_string(&file).expect("the scene");
    let end = program.stop();
    let state = end.state();
    let own = folder.path().join("scene.ron");
    std::fs::write(&own, &scene).expect("the scene again");

    let timeline = pollux::record::read::Timeline::open(std::slice::from_ref(&recording)).expect("a recording");
    let live = timeline.events().expect("events");
    let run = rejudge(&timeline, load(&own).into(), ProducerFactory::default()).expect("a run");
    let again: Vec<Event> = run.events_after(0).map(|event| Event::clone(event)).collect();
    assert_eq!(told(&live), told(&again), "live and judged once more");
    // Of the first pair there is no value before both have come.
    assert_eq!(raised(&live, "d.high"), PAIRS - 1, "each pair but the first is false in between");
    assert_eq!(raised(&live, "settled.high"), 0, "what waits for both is never false");
    let value = |signal: &str| state["twins"]["L-1"]["signals"][signal]["value"].clone();
    assert_eq!((value("d"), value("settled")), (Value::from(1.0), Value::from(1.0)));

    // The same through the program: the scene as it was changes nothing; with `settle` all false alarms are lost.
    let judge = |name: &str, scene: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, scene).expect("a scene");
        let output =
            pollux().arg("rejudge").arg(&recording).arg("--scene").arg(&file).args(["--format", "json"]).output();
        let output = output.expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).expect("JSON")
    };
    let count = |report: &Value, key: &str| report[key].as_array().map_or(0, Vec::len);
    let same = judge("same.ron", &scene);
    assert_eq!((count(&same, "gained"), count(&same, "lost"), count(&same, "moved")), (0, 0, 0));
    assert_eq!((&same["same"], &same["journal_differs"]), (&Value::from(PAIRS - 1), &Value::from(0)));
    let patient =
        judge("patient.ron", &scene.replace(r#""d": (derived: "a - b","#, r#""d": (derived: "a - b", settle: "1s","#));
    assert_eq!((count(&patient, "gained"), count(&patient, "lost")), (0, PAIRS - 1));
}

#[test]
fn with_a_lower_limit_the_incident_is_told_earlier() {
    const INCIDENT: &str = "scenes/bottling/incident.mcap";
    const TYPES: &str = "scenes/types/process.ron";
    let folder = tempfile::tempdir().expect("a folder");
    let copy = |from: &str, to: &Path| {
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        std::fs::copy(from, to).unwrap_or_else(|error| panic!("{from}: {error}"));
    };
    let scene = folder.path().join("scenes/bottling/scene.ron");
    copy("scenes/bottling/scene.ron", &scene);
    for entry in std::fs::read_dir("scenes/types").expect("types") {
        let path = entry.expect("an entry").path();
        copy(&path.display().to_string(), &folder.path().join(&path));
    }
    let judge = |scene: &Path, more: &[&str]| {
        let mut command = pollux();
        command.arg("rejudge").arg(INCIDENT).arg("--scene").arg(scene).args(["--format", "json"]).args(more);
        command.output().expect("the program runs")
    };
    let output = judge(Path::new("scenes/bottling/scene.ron"), &["--exit-code"]);
    assert!(output.status.success(), "nothing differs: {}", String::from_utf8_lossy(&output.stdout));

    let types = folder.path().join(TYPES);
    let text = std::fs::read_to_string(&types).expect("types");
    let lowered = text.replacen("limits: (high: 4.5, high_high: 7.1)", "limits: (high: 3.0, high_high: 7.1)", 1);
    assert_ne!(text, lowered, "the limit of the vibration stands in {TYPES}");
    std::fs::write(&types, lowered).expect("types");
    let models = std::env::current_dir().expect("a folder").join("assets");
    #[cfg(unix)]
    std::os::unix::fs::symlink(models, folder.path().join("assets")).expect("a link");
    let output = judge(&scene, &["--exit-code"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let moved = report["moved"].as_array().expect("a list");
    let one = moved.iter().find(|moved| moved["after"]["alarm"] == "P-101/vibration.high").expect("the vibration");
    let at = |which: &str| one[which]["raised"].as_str().expect("a time").to_owned();
    assert!(at("after") < at("before"), "{one:#}");
}
