//! `pollux test --against`: a controller that others could have written, in Python with Paho, controls a simulated plant over
//! mosquitto, and gets a verdict.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::broker::{clients, has};
use crate::support::Mosquitto;

/// Waits of Nagle for delayed acknowledgements would take 40 ms a step.
fn mosquitto() -> Option<Mosquitto> {
    Mosquitto::start_with(|_| "allow_anonymous true\nset_tcp_nodelay true\n".to_owned())
}

/// A controller in a process of its own, which ends with this.
struct Controller(Child);

impl Controller {
    /// None where Paho is missing.
    fn start(script: &Path, arguments: &[&str]) -> Option<Self> {
        let modules = clients().join("python");
        if !has("paho-mqtt", modules.join("paho").is_dir()) {
            return None;
        }
        let mut command = Command::new("python3");
        command.env("PYTHONPATH", modules).env("PYTHONDONTWRITEBYTECODE", "1");
        let mut child =
            command.arg(script).args(arguments).stdout(Stdio::piped()).spawn().expect("python3 is installed");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        assert_eq!(line, "ready\n", "{script:?}");
        Some(Self(child))
    }

    /// The example beside the hall.
    fn of_hall(server: &Mosquitto, more: &[&str]) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenes/bottling/controller/level.py");
        let port = server.port.to_string();
        Self::start(&script, &[&["--host", "127.0.0.1", "--port", &port, "--lockstep"], more].concat())
    }

    fn of_well(server: &Mosquitto, arguments: &[&str]) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/clients/well_controller.py");
        let port = server.port.to_string();
        Self::start(&script, &[&[port.as_str()], arguments].concat())
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Two tanks with a valve between, which somebody else moves.
const WELL: &str = r#"Scene(format: (1, 4), name: "Well", types: {
    "Tank": (
        model: Tank(area: "0.5 m2", height: "2 m", inlet_height: "0 m"),
        signals: {"level": (
            unit: "m", topic: "well/{id}", json: "/level", measures: (of: "level", noise: "1 mm"), expires: "5s",
        )},
        messages: {"well/{id}": (every: "500ms")},
    ),
    "Valve": (
        model: ControlValve(kv: 100),
        inputs: {"command": (value: 0.0, command: "order")},
        signals: {
            "position": (unit: "%", topic: "well/{id}/position", raw: Number, measures: "position"),
            "order": (unit: "%", topic: "well/{id}/order", raw: Number),
        },
    ),
}, twins: [
    (id: "T-1", type: "Tank", parameters: {"start_level": "1.5 m"}),
    (id: "T-2", type: "Tank", parameters: {"start_level": "0.1 m"}),
    (id: "V-1", type: "Valve"),
], links: [(from: "T-1.outlet", to: "V-1.inlet"), (from: "V-1.outlet", to: "T-2.inlet")])"#;

/// A folder with the well and what a controller of it must bring about.
fn well() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("scene.ron"), WELL).expect("a scene");
    let path = folder.path().join("filled.ron");
    let text = r#"Scenario(format: (1, 1), title: "Somebody fills the tank", scene: "scene.ron", duration: "1min",
        against: (step: "500ms"), expect: [
            Becomes(that: "signal(\"T-2.level\") > 0.4"),
            Within(signal: "T-2.level", high: "0.6 m"),
            NothingElse(),
        ])"#;
    fs::write(&path, text).expect("a scenario");
    (folder, path)
}

fn test(server: &Mosquitto, path: &Path, flags: &[&str]) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pollux"));
    let folder = path.parent().expect("a folder");
    let recordings = if path.starts_with(env!("CARGO_MANIFEST_DIR")) { vec!["--no-recordings"] } else { vec![] };
    command.current_dir(folder).arg("test").arg(path).args(["--against", &server.url()]).args(flags).args(recordings);
    let output = command.output().expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout) + text(&output.stderr).as_str();
    (output, said)
}

fn hash(said: &str) -> &str {
    said.lines().find(|line| line.contains("\"hash\"")).unwrap_or_else(|| panic!("{said}"))
}

/// What the broker keeps of the plant.
fn kept(server: &Mosquitto) -> String {
    let mut command = Command::new("mosquitto_sub");
    command.args(["-h", "127.0.0.1", "-p", &server.port.to_string(), "-t", "#", "-W", "1", "--retained-only", "-v"]);
    String::from_utf8_lossy(&command.output().expect("mosquitto-clients is installed").stdout).into_owned()
}

#[test]
fn a_controller_of_the_halls_tank_passes_in_lockstep_the_same_each_time_and_fails_with_the_wrong_sign() {
    let Some(server) = mosquitto() else { return };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenes/bottling/scenarios/level_kept.ron");
    let flags = ["--lockstep", "--format", "json"];
    let Some(controller) = Controller::of_hall(&server, &[]) else { return };
    let [(first, said), (second, again)] = [(), ()].map(|()| test(&server, &path, &flags));
    assert_eq!((first.status.code(), second.status.code()), (Some(0), Some(0)), "{said}{again}");
    assert_eq!(hash(&said), hash(&again), "the same run");
    assert!(said.contains("the controller sent 721 messages, and the plant took 721 values"), "{said}");
    assert_eq!(kept(&server), "", "nothing is left of the plant");
    drop(controller);
    let _controller = Controller::of_hall(&server, &["--gain", "-2"]);
    let (output, said) = test(&server, &path, &["--lockstep"]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("FAILED") && said.contains("expected: T-100.level is from 1.7 m to 1.9 m"), "{said}");
}

#[test]
fn in_real_time_a_controller_is_judged_as_in_lockstep() {
    let Some(server) = mosquitto() else { return };
    let (folder, path) = well();
    let Some(controller) = Controller::of_well(&server, &["good"]) else { return };
    let began = Instant::now();
    let junit = folder.path().join("report.xml");
    let (output, said) = test(&server, &path, &["--speed", "20", "--junit", &junit.display().to_string()]);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(began.elapsed() >= Duration::from_secs(3), "a minute at twenty times its speed");
    assert!(fs::read_to_string(junit).expect("a report").contains("tests=\"1\" failures=\"0\""));
    assert!(!folder.path().join("pollux-failed").exists(), "a run that passes leaves nothing");
    drop(controller);
    let controller = Controller::of_well(&server, &["good", "lockstep"]);
    let (output, said) = test(&server, &path, &["--lockstep", "--step", "1s"]);
    assert_eq!(output.status.code(), Some(0), "{said}");
    drop(controller);
    let _controller = Controller::of_well(&server, &["backwards"]);
    let (output, said) = test(&server, &path, &["--speed", "20"]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("expected: signal(\"T-2.level\") > 0.4 becomes true"), "{said}");
    let recording = folder.path().join("pollux-failed").read_dir().expect("a recording").flatten().next();
    let recording = recording.expect("a recording").path();
    assert!(said.contains(&recording.file_name().expect("a name").to_string_lossy().into_owned()), "{said}");
}

#[test]
fn a_controller_that_fails_fails_the_test_and_never_hangs_it() {
    let Some(server) = mosquitto() else { return };
    let (_folder, path) = well();
    let flags = ["--lockstep", "--patience", "2s"];
    for (case, told) in [
        ("falls-silent", "the controller did not acknowledge tick 21 on pollux/lockstep/ack within 2s"),
        ("garbage", "the plant cannot take what the controller says on well/V-1/order"),
        ("quiet", "the controller commanded nothing: nothing that counts came on well/V-1/order"),
    ] {
        let Some(_controller) = Controller::of_well(&server, &[case, "lockstep"]) else { return };
        let (output, said) = test(&server, &path, &flags);
        assert_eq!(output.status.code(), Some(1), "{case}: {said}");
        assert!(said.contains(told), "{case}: {said}");
    }
}

#[test]
fn what_is_wrong_around_the_controller_is_no_verdict() {
    let Some(mut server) = mosquitto() else { return };
    let (_folder, path) = well();
    let refusal = |server: &Mosquitto, flags: &[&str]| {
        let (output, said) = test(server, &path, flags);
        assert_eq!(output.status.code(), Some(3), "{said}");
        said
    };
    let said = refusal(&server, &["--lockstep", "--patience", "1s"]);
    assert!(said.contains("no controller has acknowledged 0"), "{said}");
    server.publish(&["-r"], "well/T-1", r#"{"level": 1.0}"#);
    let said = refusal(&server, &["--lockstep"]);
    assert!(said.contains("the broker has kept a message on well/T-1") && said.contains("--allow-shared"), "{said}");
    let mut forget = Command::new("mosquitto_pub");
    forget.args(["-h", "127.0.0.1", "-p", &server.port.to_string(), "-t", "well/T-1", "-r", "-n"]);
    assert!(forget.status().expect("mosquitto-clients is installed").success());
    let Some(_controller) = Controller::of_well(&server, &["good"]) else { return };
    let said = std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_pollux"));
            command.arg("test").arg(&path).args(["--against", &server.url(), "--no-recordings"]);
            command.output().expect("the program runs")
        });
        std::thread::sleep(Duration::from_secs(4));
        server.publish(&[], "well/T-1", r#"{"level": 0.3}"#);
        run.join().expect("no panic")
    });
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.code() == Some(3) && text.contains("somebody else publishes on well/T-1"), "{text}");
    server.kill();
    let said = refusal(&server, &[]);
    assert!(said.contains("nothing listens there"), "{said}");
}

#[test]
fn flags_that_do_not_go_together_are_refused() {
    let refused = |flags: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pollux"));
        let output = command.args(["test", "scenes"]).args(flags).output().expect("the program runs");
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let url = ["--against", "mqtt://127.0.0.1:1"];
    assert!(refused(&["--lockstep"]).contains("--against"));
    assert!(refused(&[&url[..], &["--jobs", "2"]].concat()).contains("--jobs"));
    assert!(refused(&[&url[..], &["--lockstep", "--speed", "2"]].concat()).contains("--speed"));
    assert!(refused(&[&url[..], &["--speed", "0"]].concat()).contains("from 0.001"));
}
