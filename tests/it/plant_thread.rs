//! The plant's thread against Debian's mosquitto on a loopback port.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::live::program::pollux;
use crate::simulated::four_machines;
use crate::support::Mosquitto;
use pollux::plant::{Options, Plant};
use pollux::record::format::PLANT;
use pollux::record::read::{RawMessage, Timeline};
use pollux::scene::{self, Broker};
use pollux::source::plant::{self, PlantConfig, PlantHandle};
use pollux::value::Timestamp;

fn wait(plant: &PlantHandle, until: impl Fn(&PlantHandle) -> bool) {
    let begin = Instant::now();
    while !until(plant) {
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", plant.status());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Payloads on a topic, as mosquitto's own client sees them.
fn listen(port: u16, topic: &str, count: u32) -> Vec<String> {
    let (port, count) = (port.to_string(), count.to_string());
    let args = ["-p", &port, "-t", topic, "-C", &count, "-W", "10"];
    let output = Command::new("mosquitto_sub").args(args).output().expect("mosquitto-clients is installed");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

fn config(server: &Mosquitto) -> PlantConfig {
    let loaded = scene::load(&four_machines());
    PlantConfig {
        scene: Arc::new(loaded.scene.expect("a scene")),
        options: Options { seed: 7, ..Options::default() },
        brokers: [("well".to_owned(), Broker::at(server.url()))].into(),
        allow_remote: false,
        speed: 1.0,
        control: None,
        start: Timestamp::now(),
    }
}

/// Topics with something retained.
fn retained(port: u16) -> Vec<String> {
    let args = ["-p", &port.to_string(), "-t", "#", "-W", "1", "--retained-only", "-F", "%t"];
    let output = Command::new("mosquitto_sub").args(args).output().expect("mosquitto-clients is installed");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn the_plant_publishes_retains_comes_back_after_its_broker_was_restarted_and_leaves_nothing_behind() {
    let Some(mut server) = Mosquitto::start() else { return };
    let port = server.port;
    let plant = plant::spawn(config(&server)).expect("it starts");
    wait(&plant, |plant| plant.status().published() > 50);
    let telemetry = listen(port, "well/P-1/vibration", 2);
    assert!(telemetry.len() == 2 && telemetry.iter().all(|text| text.contains("\"rms\":")), "{telemetry:?}");
    let nameplate = listen(port, "well/P-1/nameplate", 1);
    assert!(nameplate.first().is_some_and(|text| text.contains("P-077")), "retained: {nameplate:?}");
    let said = listen(port, "pollux/plant/village-well", 1);
    let said: serde_json::Value = serde_json::from_str(&said[0]).expect("JSON");
    assert_eq!((&said["simulated"], &said["seed"], &said["scene"]), (&true.into(), &7.into(), &"Village well".into()));
    assert_eq!(said["scene_hash"].as_str().map(str::len), Some(32));

    server.kill();
    wait(&plant, |plant| !plant.status().connected() && plant.status().error().is_some());
    server.restart();
    wait(&plant, |plant| plant.status().connections() == 2);
    let nameplate = listen(port, "well/P-1/nameplate", 1);
    assert!(nameplate.len() == 1, "a new broker gets retained messages again");
    assert!(retained(port).len() >= 4);
    assert_eq!(plant.status().failure(), None, "its own messages are no strangers");
    let begin = Instant::now();
    drop(plant);
    assert!(begin.elapsed() < Duration::from_secs(2), "it stops at once");
    assert_eq!(retained(port), Vec::<String>::new());
}

#[test]
fn a_saved_scene_of_another_name_leaves_nothing_retained_and_another_broker_is_spoken_to() {
    let (Some(server), Some(other)) = (Mosquitto::start(), Mosquitto::start()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("well.ron");
    let text = std::fs::read_to_string(four_machines()).expect("a scene");
    let scene_of = |changes: &[(&str, &str)]| {
        let text = changes.iter().fold(text.clone(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        std::fs::write(&path, text).expect("a scene");
        Arc::new(scene::load(&path).scene.expect("a scene"))
    };
    let brokers = [("well".to_owned(), Broker::at(server.url())), ("spring".to_owned(), Broker::at(other.url()))];
    let plant = plant::spawn(PlantConfig { brokers: brokers.into(), ..config(&server) }).expect("it starts");
    wait(&plant, |plant| plant.status().published() > 50);
    assert!(retained(server.port).contains(&"well/T-1/full".to_owned()));
    let quiet = [("\"well/{id}/full\": (on_change: true, retain: true,", "\"well/{id}/full\": (on_change: true,")];
    plant.adopt(scene_of(&quiet), Vec::new());
    wait(&plant, |_| !retained(server.port).contains(&"well/T-1/full".to_owned()));
    let moved = [("{\"well\": (url", "{\"spring\": (url"), ("name: \"Village well\"", "name: \"Spring\"")];
    plant.adopt(scene_of(&moved), Vec::new());
    wait(&plant, |_| retained(other.port).contains(&"pollux/plant/spring".to_owned()));
    assert_eq!(retained(server.port), Vec::<String>::new(), "nothing is left where it was");
    assert_eq!(listen(other.port, "well/P-1/flow", 1).len(), 1);
    assert!(plant.status().connected());
    drop(plant);
    assert_eq!(retained(other.port), Vec::<String>::new());
}

#[test]
fn the_plant_stops_when_somebody_else_publishes_on_its_topics() {
    let Some(server) = Mosquitto::start() else { return };
    let port = server.port.to_string();
    let publish = |topic: &str, message: &str, retain: bool| {
        let mut command = Command::new("mosquitto_pub");
        command.args(["-p", &port, "-t", topic, "-m", message]);
        let status = command.args(retain.then_some("-r")).status();
        assert!(status.expect("mosquitto-clients is installed").success());
    };
    // What an earlier one has left there is no stranger.
    publish("well/P-1/flow", "3.5", true);
    let plant = plant::spawn(PlantConfig { speed: 20.0, ..config(&server) }).expect("it starts");
    wait(&plant, |plant| plant.status().published() > 500);
    publish("well/P-9/flow", "12.5", false);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(plant.status().failure(), None, "another topic is not its own");
    publish("well/P-1/flow", "12.5", false);
    wait(&plant, |plant| plant.status().failure().is_some());
    let why = plant.status().failure().unwrap_or_default();
    assert!(why.contains("somebody else publishes on well/P-1/flow") && why.contains("stop the other one"), "{why}");
    let published = plant.status().published();
    std::thread::sleep(Duration::from_millis(600));
    assert!(plant.status().published() <= published + 10, "it has stopped");
}

#[test]
fn a_commanded_plant_hears_what_a_controller_publishes() {
    let Some(server) = Mosquitto::start() else { return };
    let port = server.port.to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("well.ron");
    let text = std::fs::read_to_string(four_machines()).expect("a scene");
    let changes = [
        (r#"inputs: {"command": 0.6},"#, r#"inputs: {"command": (value: 0.6, command: "order")},"#),
        (r#""position": ("#, r#""order": (unit: "%", topic: "well/{id}/order", raw: Number), "position": ("#),
    ];
    let text = changes.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    std::fs::write(&path, text).expect("a scene");
    let order = |payload: &str, retain: bool| {
        let mut command = Command::new("mosquitto_pub");
        command.args(["-p", &port, "-q", "1", "-t", "well/V-1/order", "-m", payload]);
        assert!(command.args(retain.then_some("-r")).status().expect("mosquitto-clients is installed").success());
    };
    let position = || -> f64 {
        let said = listen(server.port, "well/V-1/position", 1);
        said.first().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{said:?}"))
    };
    // An order that a controller has left there counts, unlike what a plant has left.
    order("20", true);
    let scene = Arc::new(scene::load(&path).scene.expect("a scene"));
    let options = Options { commanded: true, story: false, ..Options::default() };
    let plant = plant::spawn(PlantConfig { scene, options, speed: 20.0, ..config(&server) }).expect("it starts");
    wait(&plant, |plant| plant.status().commands() == 1);
    std::thread::sleep(Duration::from_secs(1));
    assert!((position() - 20.0).abs() < 1.0, "{} %", position());
    order("85", false);
    wait(&plant, |plant| plant.status().commands() == 2);
    std::thread::sleep(Duration::from_secs(1));
    assert!((position() - 85.0).abs() < 1.0, "{} %", position());
    order("wide", false);
    wait(&plant, |plant| plant.status().refused() == 1);
    assert_eq!(plant.status().failure(), None, "a controller is no stranger");
    assert_eq!(plant.status().silent(), [""; 0]);
}

#[test]
fn a_recording_of_a_plant_tells_how_it_goes_on() {
    let Some(server) = Mosquitto::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("well.mcap");
    let mut command = pollux();
    command.arg("record").arg(four_machines()).args([
        "--plant",
        "--broker",
        &server.url(),
        "--seed",
        "5",
        "--for",
        "14s",
    ]);
    let output = command.arg("-o").arg(&file).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // So does a stretch of it in which the plant does not say that it is simulated.
    let cut = folder.path().join("cut.mcap");
    let mut command = pollux();
    command.arg("export").arg(&file).args(["--to", "mcap", "--from", "6s", "--to-time", "9s", "-o"]).arg(&cut);
    assert!(command.output().expect("it runs").status.success());
    for file in [&file, &cut] {
        let mut command = pollux();
        let state = folder.path().join("state.json");
        command.arg("play").arg(file).args(["--headless", "--for", "1s", "--state"]).arg(&state);
        assert!(command.output().expect("it runs").status.success());
        let state: serde_json::Value = serde_json::from_slice(&std::fs::read(state).expect("a state")).expect("JSON");
        assert_eq!(state["simulated"], "What is shown was recorded from a simulated plant", "{}", file.display());
    }
    let timeline = Timeline::open(&[file]).expect("a recording");
    let (begin, end) = timeline.bounds().expect("messages");
    let heard: Vec<RawMessage> = timeline.messages(begin, end).collect::<Result<_, _>>().expect("messages");
    let scene = Arc::new(scene::load(&four_machines()).scene.expect("a scene"));
    let keyframes = timeline.keyframe_times().into_iter().filter(|time| time.secs_since(begin) > 3.0);
    let mut compared = 0;
    for time in keyframes {
        let keyframe = timeline.keyframe_at(time).expect("readable").expect("a keyframe");
        let portrait = &keyframe.producers.get(PLANT).expect("a plant is in it").data;
        let (mut plant, start) = Plant::taken_up(scene.clone(), portrait, None, Vec::new()).expect("the same scene");
        let stood = start + Duration::from_nanos(plant.time());
        assert!((0.0..2.5).contains(&time.secs_since(stood)), "{} s old", time.secs_since(stood));
        let secs = end.secs_since(stood) - 0.5;
        plant.run(plant.time() + (secs.max(0.0) * 1e9) as u64, start, &mut |said| {
            let is_same = |message: &RawMessage| *message.topic == *said.topic && *message.payload == *said.payload;
            let text = String::from_utf8_lossy(said.payload);
            assert!(heard.iter().any(is_same), "{}: {text} is not what the recording goes on with", said.topic);
            compared += 1;
        });
    }
    assert!(compared > 20, "{compared} messages");
}
