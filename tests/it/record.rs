//! Recordings of a running program: what they hold against what others saw, and what is left when it is killed or when the
//! disk is full.

mod deeds;
mod disk;
pub mod reading;
mod series;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pollux::record::format::About;
use pollux::value::Timestamp;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reading::{Read, check_whole};
use serde_json::json;
use tempfile::TempDir;

use crate::live::program::{Program, pollux, run, scene_file, wait_for};
use crate::support::Mosquitto;

const BOTTLING: &str = "scenes/bottling/scene.ron";

/// A pump that listens to everything at QoS 2.
fn hall(broker: &str) -> String {
    format!(
        r##"Scene(
    format: (1, 1),
    name: "Pump hall",
    brokers: {{"plant": ({broker}, client_id: "pollux", subscribe: ["#"], qos: 2)}},
    types: {{
        "Pump": (
            signals: {{
                "flow": (unit: "m3/h", topic: "hall/{{id}}/telemetry", json: "/flow",
                         time: (json: "/ts", format: Milliseconds), limits: (high: 70)),
            }},
        ),
    }},
    twins: [(id: "P-101", type: "Pump")],
)
"##
    )
}

fn record(scene: &Path, file: &Path, more: &[&str]) -> Command {
    let mut command = pollux();
    command.arg("record").arg(scene).arg("-o").arg(file).args(["-v", "--no-store", "--for", "120s"]).args(more);
    command
}

/// Records `scene` into `hall.mcap` of the folder it returns, and leaves its state beside it.
fn recorded(scene: &str, more: &[&str]) -> (Program, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let scene = PathBuf::from(scene_file(folder.path(), scene));
    let mut command = record(&scene, &folder.path().join("hall.mcap"), more);
    let home = tempfile::tempdir().unwrap();
    command.arg("--state").arg(home.path().join("state.json"));
    (Program::start(command, home), folder)
}

/// `mosquitto_sub` on everything; killed when it is dropped.
struct Witness {
    child: Child,
    file: PathBuf,
}

impl Witness {
    fn start(server: &Mosquitto, folder: &Path) -> Self {
        let file = folder.join("witness");
        let child = Command::new("mosquitto_sub")
            .args(["-h", "127.0.0.1", "-p", &server.port.to_string(), "-t", "#", "-q", "2", "-F", "%q %r %x %t"])
            .stdout(std::fs::File::create(&file).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, file }
    }

    fn lines(&self) -> Vec<String> {
        std::fs::read_to_string(&self.file).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_byte_that_mosquitto_sub_saw_is_in_the_recording_and_nothing_else() {
    let Some(server) = Mosquitto::start() else { return };
    server.publish(&["-r", "-q", "1"], "kept/before", r#"{"from": "before"}"#);
    server.publish(&["-r"], "kept/raw", b"\x00\xff\x01");
    let (program, folder) = recorded(&hall(&format!(r#"url: "{}""#, server.url())), &[]);
    let program = program.subscribed();
    let witness = Witness::start(&server, folder.path());
    wait_for(|| (witness.lines().len() == 2).then_some(()), || "no retained messages".to_owned());
    let mut plant = pollux();
    plant.args(["plant", BOTTLING, "--for", "60s", "--seed", "3", "--speed", "4", "--broker", &server.url()]);
    let plant = Program::start(plant, tempfile::tempdir().unwrap());
    let long = "x".repeat(300_000);
    for (n, payload) in
        ["{\"ts\": 1795415400000, \"flow\": 12.5}", " ", "no json", &long, "{\"flow\": 80}"].iter().enumerate()
    {
        for topic in ["hall/P-101/telemetry", "hall/P-101/zwölf", "a b/c"] {
            server.publish(&["-q", &(n % 3).to_string()], topic, payload);
        }
    }
    // Without a payload.
    let port = server.port.to_string();
    let empty = ["-h", "127.0.0.1", "-p", &port, "-t", "hall/P-101/telemetry", "-n"];
    assert!(Command::new("mosquitto_pub").args(empty).status().unwrap().success());
    server.publish(&[], "hall/binary", (0..=255).collect::<Vec<u8>>());
    wait_for(|| (witness.lines().len() > 1500).then_some(()), || format!("{} messages", witness.lines().len()));
    assert_eq!(plant.stop().code, Some(0));
    // What is on its way arrives.
    let mut before = 0;
    wait_for(
        || {
            std::thread::sleep(Duration::from_millis(500));
            let now = witness.lines().len();
            (std::mem::replace(&mut before, now) == now).then_some(())
        },
        || "messages do not end".to_owned(),
    );
    let end = program.stop();
    let state = end.state();
    let read = check_whole(&folder.path().join("hall.mcap"));
    let mut saw = witness.lines();
    let mut kept: Vec<String> = read
        .messages
        .iter()
        .map(|heard| {
            let retained = if heard.retained == "true" { 1 } else { 0 };
            format!("{} {retained} {} {}", heard.qos, hex(&heard.payload), heard.topic)
        })
        .collect();
    saw.sort();
    kept.sort();
    assert_eq!(kept.len(), saw.len());
    let differs = kept.iter().zip(&saw).find(|(kept, saw)| kept != saw);
    assert_eq!(differs, None);
    println!("{} messages, byte for byte", kept.len());

    let recording = &state["recording"];
    assert_eq!(recording["messages"].as_u64().map(|n| n <= saw.len() as u64), Some(true), "{recording}");
    assert_eq!((&recording["dropped"], &recording["lost"]), (&json!(0), &json!(0)));
    assert_eq!(state["sources"]["plant"]["received"], json!(saw.len()));
    // Times, encodings, and what Pollux itself had to say.
    let telemetry = read.messages.iter().find(|heard| heard.topic == "hall/P-101/telemetry").unwrap();
    assert_eq!(telemetry.publish_time, 1_795_415_400_000_000_000, "the source time");
    assert!(telemetry.log_time.abs_diff(Timestamp::now().0 as u64) < 120_000_000_000);
    assert_eq!(telemetry.encoding, "json");
    assert!(read.messages.iter().filter(|heard| heard.topic == "hall/binary").all(|heard| heard.encoding.is_empty()));
    let events = state["events"].as_array().unwrap();
    // The recording has them as they became known, the state as they happened.
    let mut known = events.clone();
    known.sort_by_key(|event| event["id"].as_u64());
    assert_eq!(json!(read.events), json!(known), "the recording has all events of the session");
    assert!(events.iter().any(|event| event["kind"] == "alarm"), "{events:?}");
    let about = About::from_metadata(&read.metadata["pollux"]).expect("what it is about");
    assert_eq!((about.scene.as_str(), about.scene_file.as_str()), ("Pump hall", "scene/scene.ron"));
    assert_eq!(about.brokers["plant"], server.url());
    assert_eq!(read.attachments["scene/scene.ron"], hall(&format!(r#"url: "{}""#, server.url())).as_bytes());
    // The last keyframe knows the last value, and that it alarmed.
    let last = read.keyframes.last().unwrap();
    assert!(read.keyframes[0].signals.is_empty() && read.keyframes[0].time.0 as u64 <= read.messages[0].log_time);
    if let Some(known) = last.signals.get("P-101") {
        assert_eq!(known["flow"].last().unwrap().value.as_f64(), Some(80.0));
        assert_eq!(last.alarms.alarms.len(), 1);
    }
}

#[test]
fn a_recording_whose_program_is_killed_lacks_a_second_at_most() {
    let Some(server) = Mosquitto::start() else { return };
    let mut plant = pollux();
    plant.args(["plant", BOTTLING, "--for", "300s", "--broker", &server.url()]);
    let _plant = Program::start(plant, tempfile::tempdir().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(20);
    let mut longest = 0.0_f64;
    for round in 0..5 {
        let running: Vec<_> = (0..4)
            .map(|n| {
                let file = folder.path().join(format!("killed-{round}-{n}.mcap"));
                let command = record(Path::new(BOTTLING), &file, &["--broker", &server.url()]);
                (Program::start(command, tempfile::tempdir().unwrap()), file, rng.random_range(100..2000_u64))
            })
            .collect();
        let mut running: Vec<_> =
            running.into_iter().map(|(program, file, ms)| (ms, program.subscribed(), file)).collect();
        running.sort_by_key(|(ms, ..)| *ms);
        let mut slept = 0;
        for (ms, program, file) in running {
            std::thread::sleep(Duration::from_millis(ms - slept));
            slept = ms;
            let killed = Timestamp::now();
            program.kill();
            let read = Read::file(&file);
            read.assert_sequences();
            assert!(
                read.metadata.contains_key("pollux")
                    && read.attachments.contains_key("scene/scenes/bottling/scene.ron")
            );
            // A program that was killed early has heard of nothing yet.
            let Some(last) = read.messages.iter().map(|heard| heard.log_time).max() else {
                assert!(ms < 1000, "nothing is kept after {ms} ms");
                continue;
            };
            let missing = killed.secs_since(Timestamp(last as i64));
            longest = longest.max(missing);
            assert!(missing <= 1.0, "{missing} s are missing after {ms} ms: {:?}", read.broken);
            assert!(!read.keyframes.is_empty());
        }
    }
    println!("20 times killed: {longest:.3} s missing at most");
}

#[test]
fn no_credential_is_in_any_byte_of_a_recording() {
    const USER: &str = "operator-of-the-hall";
    const PASSWORD: &str = "s3cret-Of-The-Hall";
    let Some(server) = Mosquitto::start_with(|dir| {
        let file = dir.join("passwords");
        let made = Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&file).args([USER, PASSWORD]).status();
        assert!(made.unwrap().success());
        format!("allow_anonymous false\npassword_file {}\n", file.display())
    }) else {
        return;
    };
    let login = server.path("login");
    std::fs::write(&login, format!("{USER}\n{PASSWORD}\n")).unwrap();
    assert!(Command::new("chmod").arg("600").arg(&login).status().unwrap().success());
    let by_file = format!(r#"url: "{}", credentials: File("{}")"#, server.url(), login.display());
    let by_env = format!(r#"url: "{}", credentials: Env(user: "HALL_USER", password: "HALL_PASSWORD")"#, server.url());
    for broker in [by_file, by_env] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hall.mcap");
        let scene = PathBuf::from(scene_file(folder.path(), &hall(&broker)));
        let mut command = record(&scene, &file, &[]);
        command.env("HALL_USER", USER).env("HALL_PASSWORD", PASSWORD);
        let program = Program::start(command, tempfile::tempdir().unwrap()).subscribed();
        server.publish(&["-u", USER, "-P", PASSWORD], "hall/P-101/telemetry", r#"{"flow": 5}"#);
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(program.stop().code, Some(0));
        let read = check_whole(&file);
        assert_eq!(read.messages.len(), 1);
        let mut bytes = std::fs::read(&file).unwrap();
        bytes.extend(read.attachments.values().flatten());
        bytes.extend(format!("{:?} {:?} {:?}", read.metadata, read.events, read.keyframes).into_bytes());
        bytes.extend(read.messages.iter().flat_map(|heard| heard.payload.clone()));
        for secret in [USER, PASSWORD] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
        }
    }
}

#[test]
fn a_saved_scene_is_in_the_recording_from_then_on() {
    let Some(server) = Mosquitto::start() else { return };
    let scene = hall(&format!(r#"url: "{}""#, server.url()));
    let (program, folder) = recorded(&scene, &[]);
    let program = program.subscribed();
    server.publish(&[], "hall/P-101/telemetry", r#"{"flow": 5}"#);
    std::thread::sleep(Duration::from_millis(300));
    let saved = scene.replace("P-101", "P-202");
    std::fs::write(folder.path().join("scene.ron"), &saved).unwrap();
    program.says("the saved scene is taken over");
    server.publish(&[], "hall/P-202/telemetry", r#"{"flow": 7}"#);
    std::thread::sleep(Duration::from_millis(1000));
    assert_eq!(program.stop().code, Some(0));
    let read = check_whole(&folder.path().join("hall.mcap"));
    assert_eq!(read.attachments["scene/scene.ron"], saved.as_bytes(), "the last one counts");
    let kinds = json!(read.events);
    assert!(kinds.as_array().unwrap().iter().any(|event| event["kind"] == "scene_reloaded"), "{kinds}");
    let twins: Vec<Vec<&String>> = read.keyframes.iter().map(|keyframe| keyframe.signals.keys().collect()).collect();
    assert!(twins.iter().all(|twins| twins.is_empty() || *twins == ["P-101"] || *twins == ["P-202"]), "{twins:?}");
    assert!(read.keyframes.len() >= 2, "the new scene begins with a keyframe of its own");
}

#[test]
fn what_cannot_be_recorded_is_said_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let scene = scene_file(folder.path(), &hall(r#"url: "mqtt://127.0.0.1:1""#));
    let nowhere = folder.path().join("missing/hall.mcap").display().to_string();
    let check = |args: &[&str], expected: i32, part: &str| {
        let (code, said) = run(args);
        assert_eq!(code, Some(expected), "{args:?}: {said}");
        assert!(said.contains(part), "{args:?} does not say `{part}`: {said}");
    };
    check(&["record", &scene, "-o", &nowhere, "--for", "1s"], 3, "cannot be begun (No such file");
    check(
        &["record", &scene, "-o", &nowhere, "--record-before", "1m", "--for", "1s"],
        3,
        "cannot be begun (No such file",
    );
    check(&["record", &scene, "--for", "1s"], 2, "--output");
    check(&["live", &scene, "--headless", "--record-roll", "1GiB", "--for", "1s"], 2, "--record FILE");
    check(&["record", &scene, "-o", &nowhere, "--record-roll", "much"], 2, "1GiB");
    // A recording is never written over.
    let file = folder.path().join("hall.mcap");
    std::fs::write(&file, "precious").unwrap();
    let (code, said) = run(&["record", &scene, "-o", file.to_str().unwrap(), "--for", "1s"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
    let others = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let stamped = others.filter(|path| path.to_string_lossy().contains("hall-20")).collect::<Vec<_>>();
    assert_eq!(stamped.len(), 1, "{stamped:?}");
    check_whole(&stamped[0]);
}
