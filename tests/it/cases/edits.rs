//! The built program over restarts and edits of its scene: alarms stay as they were judged, and end by what is asked now.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::folder_of;
use crate::broker::raw::{Raw, publish};
use crate::live::program::{Program, pollux, wait_for};

/// A folder of a case, in which the program runs with a broker of its own.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for entry in std::fs::read_dir(folder_of(name)).expect("a case") {
            let entry = entry.expect("an entry");
            std::fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("a copy");
        }
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a scene, and returns a client at its broker once the scene is subscribed.
    fn live(&self, scene: &str, store: &[&str]) -> (Program, Raw) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = pollux();
        command.arg("live").arg(self.file(scene)).args(["--headless", "-v", "--for", "2m"]).args(store);
        command.current_dir(self.folder.path()).args(["--events", "e.jsonl"]);
        command.arg("--state").arg(folder.path().join("state.json"));
        let program = Program::start(command, folder);
        let line = program.says("embedded broker listens at mqtt://");
        let address: SocketAddr =
            line.rsplit('/').next().and_then(|text| text.trim().parse().ok()).expect("an address");
        (program.subscribed(), Raw::connect(address, "sender"))
    }

    fn events(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.file("e.jsonl")).unwrap_or_default();
        // The last line may not be complete yet.
        text.split_inclusive('\n').filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn count(&self, is_one: impl Fn(&Value) -> bool) -> usize {
        self.events().iter().filter(|event| is_one(event)).count()
    }

    fn awaits(&self, what: &str, count: usize, is_one: impl Fn(&Value) -> bool) {
        wait_for(|| (self.count(&is_one) >= count).then_some(()), || format!("no {what}: {:#?}", self.events()));
    }

    /// Saves a scene as editors do: a new file takes the place of the old one.
    fn save(&self, text: &[u8]) {
        std::fs::write(self.file("scene.ron~"), text).expect("a file");
        std::fs::rename(self.file("scene.ron~"), self.file("scene.ron")).expect("a file");
    }
}

fn send(client: &mut Raw, topic: &str, payload: &str) {
    client.send(&publish(topic, payload.as_bytes(), 1));
    assert_eq!(client.read(), Some((0x40, vec![0, 1])), "PUBACK");
}

fn is_birth(event: &Value) -> bool {
    event["kind"] == "birth"
}

fn cause(name: &str) -> impl Fn(&Value) -> bool {
    move |event| event["alarm"] == "x.high" && event["cause"] == name
}

/// The alarms of the twin: rule, state, what is said, since when.
fn alarms(state: &Value) -> Vec<(&str, &str, &str, &str)> {
    let alarms = state["twins"]["P"]["alarms"].as_array().expect("alarms");
    let field = |n: usize, name: &str| alarms[n][name].as_str().unwrap_or_default();
    (0..alarms.len()).map(|n| (field(n, "rule"), field(n, "state"), field(n, "message"), field(n, "since"))).collect()
}

#[test]
fn alm15_an_alarm_outlives_restarts_and_ends_by_the_limit_of_the_next_scene() {
    let desk = Desk::new("alm15_restart_and_edit");
    let store = ["--store", "st.db"];

    let (program, mut client) = desk.live("scene.ron", &store);
    send(&mut client, "P/x", r#"{"x":9}"#);
    desk.awaits("alarm", 1, cause("raised"));
    let first = program.stop().state();
    let [(rule, state, message, since)] = alarms(&first)[..] else { panic!("{first}") };
    assert_eq!((rule, state, message), ("x.high", "unacknowledged", "x above 5 (high)"));

    let (program, mut client) = desk.live("scene.ron", &store);
    send(&mut client, "P/x", r#"{"x":9}"#);
    desk.awaits("second sample", 2, is_birth);
    let second = program.stop().state();
    assert_eq!(alarms(&second), [(rule, state, message, since)], "the same alarm, since the same moment");
    assert_eq!(desk.count(cause("raised")), 1, "{:#?}", desk.events());

    let (program, mut client) = desk.live("scene2.ron", &store);
    send(&mut client, "P/x", r#"{"x":9}"#);
    desk.awaits("end of the alarm", 1, cause("cleared"));
    let third = program.stop().state();
    let sampled = third["twins"]["P"]["signals"]["x"]["source_time"].as_str().expect("a time");
    assert_eq!(alarms(&third), [("x.high", "returned_unacknowledged", "x above 50 (high)", sampled)]);
    assert_eq!((desk.count(cause("raised")), desk.count(cause("cleared"))), (1, 1), "{:#?}", desk.events());
}

#[test]
fn alm17_an_alarm_stands_while_the_scene_is_edited_and_ends_by_the_new_limit() {
    let desk = Desk::new("alm17_live_edit");
    let scene = |name: &str| std::fs::read(desk.file(name)).expect("a scene");
    desk.save(&scene("a.ron"));
    let (program, mut client) = desk.live("scene.ron", &["--no-store"]);
    let mut sample = || send(&mut client, "P/x", r#"{"x":9}"#);
    let reloads =
        |accepted: bool| move |event: &Value| event["kind"] == "scene_reloaded" && event["accepted"] == accepted;

    sample();
    desk.awaits("alarm", 1, cause("raised"));
    desk.save(&scene("b.ron"));
    desk.awaits("first edit", 1, reloads(true));
    sample();
    // Half of a save.
    desk.save(&scene("a.ron")[..80]);
    desk.awaits("broken save", 1, reloads(false));
    program.says("the saved scene has errors; the last good one stays");
    program.says("this bracket is never closed");
    sample();
    assert_eq!(desk.count(cause("cleared")), 0, "{:#?}", desk.events());
    desk.save(&scene("c.ron"));
    desk.awaits("second edit", 2, reloads(true));
    sample();
    desk.awaits("end of the alarm", 1, cause("cleared"));
    let state = program.stop().state();

    let [(rule, now, message, _)] = alarms(&state)[..] else { panic!("{state}") };
    assert_eq!((rule, now, message), ("x.high", "returned_unacknowledged", "x above 50 (high)"));
    let signal = &state["twins"]["P"]["signals"]["x"];
    assert_eq!((&signal["value"], &signal["quality"], &state["troubles"]), (&json!(9.0), &json!("Good"), &json!([])));
    assert_eq!((desk.count(cause("raised")), desk.count(cause("cleared"))), (1, 1), "{:#?}", desk.events());
}

#[test]
fn scn01b_twins_with_odd_ids_live_at_a_broker_of_the_program() {
    let desk = Desk::new("scn01b_ids_live");
    let (program, mut client) = desk.live("scene.ron", &["--no-store"]);
    let fed = ["泵 1", "Pumpe-Süd", "$SYS", ".", "a:b", "50%", "it's", "\u{200b}P"];
    for (n, id) in fed.iter().enumerate() {
        send(&mut client, &format!("{id}/data"), &format!(r#"{{"flow":{n}}}"#));
    }
    desk.awaits("sample of each", fed.len(), is_birth);
    let state = program.stop().state();
    let twins = state["twins"].as_object().expect("twins");
    assert_eq!((twins.len(), &state["troubles"]), (20, &json!([])));
    for (n, id) in fed.iter().enumerate() {
        assert_eq!(twins[*id]["signals"]["flow"]["value"], json!(n as f64), "{id}");
    }
    let source = &state["sources"]["embedded"];
    assert_eq!((&source["state"], &source["unknown_topics"]), (&json!("connected"), &json!(0)), "{source}");
}
