//! What operators did and what was judged outlive `kill -9`: seen by the real program, from its state file.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::app::App;
use pollux::alarm::{Action, Alarm, AlarmBoard, State};
use pollux::command::{AlarmCommand, OperatorCommand};
use pollux::scene::LoadedScene;
use pollux::scene::rule::AlarmPath;
use pollux::session::{self, Options, StorePlace};
use serde_json::{Value, json};

use super::program::{Program, wait_for};
use crate::support::Mosquitto;

/// Where the victim finds its scene and its store.
const FOLDER: &str = "POLLUX_TEST_ACKNOWLEDGE";

fn scene(server: &Mosquitto) -> String {
    format!(
        r#"Scene(
    format: (1, 1),
    name: "Pumps",
    brokers: {{"plant": (url: "{}", client_id: "pollux", qos: 1)}},
    types: {{
        "Pump": (signals: {{
            "vibration": (unit: "mm/s", topic: "hall/{{id}}", json: "/vibration", time: (json: "/ts"),
                          limits: (high: 4.5)),
        }}),
    }},
    twins: [(id: "P-01", type: "Pump"), (id: "P-02", type: "Pump"), (id: "P-03", type: "Pump")],
)
"#,
        server.url()
    )
}

/// At `time` of a day long past.
fn say(server: &Mosquitto, flags: &[&str], twin: &str, time: &str, vibration: f64) {
    let payload = json!({"vibration": vibration, "ts": format!("2025-03-01T{time}Z")}).to_string();
    server.publish(&[&["-q", "1"], flags].concat(), &format!("hall/{twin}"), payload);
}

fn watch(server: &Mosquitto, folder: &Path) -> Program {
    let program = Program::live_with(&scene(server), |command| {
        command.args(["-v", "--for", "60s", "--store"]).arg(folder.join("hall.store"));
        command.arg("--events").arg(folder.join("events.jsonl"))
    });
    program.subscribed()
}

fn text(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

fn wait_for_text(file: &Path, part: &str) {
    wait_for(|| text(file).contains(part).then_some(()), || format!("no `{part}` in {}", text(file)));
}

fn events<'s>(state: &'s Value, cause: &str) -> Vec<&'s Value> {
    let events = state["events"].as_array().unwrap().iter();
    events.filter(|event| event["cause"] == cause).collect()
}

/// A session with an operator who acknowledges the first alarm and says so; ends by itself only if nobody kills it.
#[test]
#[ignore = "the victim of the next test"]
fn acknowledges_and_waits_for_its_end() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let mut app = App::new();
    let store = StorePlace::At(folder.join("hall.store"));
    let options = Options { store, watch: false, operator: "ada".to_owned(), ..Options::new(folder.join("scene.ron")) };
    session::open(&mut app, options, Arc::new(|| {})).unwrap();
    app.finish();
    app.cleanup();
    let path = AlarmPath::of_twin("P-01", "vibration.high");
    let standing = |app: &App| -> Option<Alarm> {
        let index = path.rule(&app.world().resource::<LoadedScene>().scene)?.index;
        app.world().resource::<AlarmBoard>().alarm(index).cloned()
    };
    let begun = Instant::now();
    let mut said = false;
    while begun.elapsed() < Duration::from_secs(30) {
        app.update();
        match standing(&app) {
            Some(Alarm { state: State::Unacknowledged, .. }) => {
                let (alarms, action) = (vec![path.clone()], Action::Acknowledge);
                let comment = "on my way".to_owned();
                app.world_mut().write_message(OperatorCommand::Alarm(AlarmCommand::Act { alarms, action, comment }));
            }
            Some(Alarm { state: State::Acknowledged, acknowledged: Some(deed), .. }) if !said => {
                println!("acknowledged {}", deed.at);
                said = true;
            }
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

#[test]
fn who_acknowledged_and_when_outlives_kill_9() {
    let Some(server) = Mosquitto::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("scene.ron"), scene(&server)).unwrap();
    say(&server, &["-r"], "P-01", "08:00:00", 9.0);
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["live::after_kill::acknowledges_and_waits_for_its_end", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines().map_while(Result::ok);
    let at = lines.find_map(|line| line.strip_prefix("acknowledged ").map(str::to_owned)).expect("it acknowledges");
    // Handed over with the deed itself, not with the next sign of life.
    wait_for_text(&folder.path().join("hall.store"), "on my way");
    victim.kill().unwrap();
    victim.wait().unwrap();

    // The broker delivers the same message once more.
    let state = watch(&server, folder.path()).stop().state();
    let alarms = state["twins"]["P-01"]["alarms"].as_array().unwrap();
    assert_eq!(alarms.len(), 1, "{state}");
    let [state_now, by, acknowledged_at, since] =
        ["state", "acknowledged_by", "acknowledged_at", "since"].map(|name| alarms[0][name].as_str().unwrap());
    assert_eq!((state_now, by), ("acknowledged", "ada"), "{state}");
    assert_eq!((acknowledged_at, since), (at.as_str(), at.as_str()));
    assert_eq!((&alarms[0]["trigger"], &alarms[0]["activations"]), (&json!(9.0), &json!(1)), "{state}");
    assert_eq!(events(&state, "raised").len(), 1, "{state}");
    let acknowledged = events(&state, "acknowledged");
    assert_eq!(acknowledged.len(), 1, "{state}");
    assert_eq!((&acknowledged[0]["by"], &acknowledged[0]["comment"]), (&json!("ada"), &json!("on my way")));
    assert_eq!(acknowledged[0]["time"], json!(at));
}

#[test]
fn what_was_judged_before_kill_9_is_not_judged_again_and_what_is_new_is() {
    let Some(server) = Mosquitto::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let [store, journal] = ["hall.store", "events.jsonl"].map(|name| folder.path().join(name));
    let program = watch(&server, folder.path());
    say(&server, &["-r"], "P-01", "08:00:00", 9.0);
    say(&server, &["-r"], "P-01", "09:00:00", 2.0);
    say(&server, &[], "P-02", "09:00:00", 3.0);
    for twin in ["P-01", "P-02"] {
        wait_for_text(&store, &format!(r#""{twin}.vibration":"2025-03-01T09:00:00Z""#));
    }
    program.kill();

    let program = watch(&server, folder.path());
    // A gateway had held these back. The pump P-02 has never had an alarm: nothing but its mark in the store tells.
    say(&server, &[], "P-01", "08:30:00", 9.0);
    say(&server, &[], "P-02", "08:30:00", 9.0);
    say(&server, &[], "P-03", "08:30:00", 9.0);
    wait_for_text(&journal, r#""twin":"P-03","kind":"alarm""#);
    say(&server, &[], "P-02", "10:00:00", 8.0);
    wait_for_text(&journal, r#""twin":"P-02","kind":"alarm""#);
    let state = program.stop().state();
    let told = |twin: &str, name: &str| state["twins"][twin]["alarms"][0][name].clone();
    let all = |twin: &str| ["state", "since", "trigger", "activations", "late"].map(|name| told(twin, name));
    let time = |time: &str| json!(format!("2025-03-01T{time}Z"));
    let of = |state: &str, since: &str, trigger: f64, late: u64| {
        [json!(state), time(since), json!(trigger), json!(1), json!(late)]
    };
    assert_eq!(all("P-01"), of("returned_unacknowledged", "09:00:00", 9.0, 1));
    assert_eq!(all("P-02"), of("unacknowledged", "10:00:00", 8.0, 1));
    assert_eq!(all("P-03"), of("unacknowledged", "08:30:00", 9.0, 0), "never heard before: the first word counts");
    assert_eq!(state["history"]["out_of_order"], 1, "what is late is in history: {state}");
}
