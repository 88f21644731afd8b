//! The whole program against real parts: its own process, Debian's mosquitto, mosquitto_pub, real files. What counts is
//! what a user sees: exit codes, standard error, and the state file.

mod after_kill;
mod alarm_day;
#[cfg(feature = "desktop")]
mod break_it;
mod day_script;
#[cfg(all(target_os = "linux", feature = "desktop"))]
mod drop;
mod guarded;
#[cfg(feature = "desktop")]
mod keys;
mod one_order;
mod overlay;
pub mod program;
mod record;
#[cfg(feature = "desktop")]
mod window;

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use bevy::app::App;
use pollux::{session, state};
use program::{Program, pollux, run, scene_file, wait_for};
use serde_json::{Value, json};

use crate::broker::raw::{Raw, publish};
use crate::support::{Authority, Mosquitto};

const TWINS: &str = r#"(id: "P-101", type: "Pump"), (id: "P-102", type: "Pump"), (id: "P-103", type: "Pump")"#;

/// Pumps that report over one broker; `broker` is the rest of its definition, none leaves it to the program.
fn hall(broker: Option<&str>, twins: &str) -> String {
    let brokers = broker.map(|broker| format!(r#"brokers: {{"plant": ({broker})}},"#)).unwrap_or_default();
    format!(
        r#"Scene(
    format: (1, 0),
    name: "Pump hall",
    {brokers}
    types: {{
        "Pump": (
            signals: {{
                "flow": (unit: "m3/h", topic: "hall/{{id}}/telemetry", json: "/flow", expires: "1m",
                         range: (0, 100), limits: (high: 70)),
                "running": (kind: Bool, topic: "hall/{{id}}/telemetry", json: "/running", expires: "1m"),
                "vibration": (unit: "mm/s", payload_unit: "m/s", topic: "hall/{{id}}/telemetry", json: "/vib",
                              time: (json: "/ts", format: Milliseconds)),
                "pressure": (unit: "bar", raw: Number, topic: "hall/{{id}}/pressure", expires: "100ms"),
                "state": (raw: Text, topic: "hall/{{id}}/state"),
                "double": (unit: "m3/h", derived: "flow * 2"),
            }},
        ),
    }},
    twins: [{twins}],
)
"#
    )
}

fn at(url: &str) -> String {
    format!(r#"url: "{url}", client_id: "pollux""#)
}

/// A broker that says in its log what it does.
fn talkative() -> Option<Mosquitto> {
    Mosquitto::start_with(|_| "allow_anonymous true\nlog_type all\n".to_owned())
}

/// Publishes at QoS 1 and waits until the program has acknowledged all that reached it so far: `count` messages.
fn deliver(server: &Mosquitto, messages: &[(&str, &str)], count: usize) {
    for (topic, payload) in messages {
        server.publish(&["-q", "1"], topic, payload);
    }
    let acknowledged = || server.log().matches("Received PUBACK from pollux").count() >= count;
    wait_for(|| acknowledged().then_some(()), || server.log());
    // From the acknowledgement to the components: a few frames of ten milliseconds, and the expiry of `pressure`.
    std::thread::sleep(Duration::from_millis(500));
}

/// Value, unit, quality and reason of a signal.
fn seen(state: &Value, twin: &str, signal: &str) -> Value {
    let signal = &state["twins"][twin]["signals"][signal];
    json!([signal["value"], signal["unit"], signal["quality"], signal["reason"]])
}

#[test]
fn values_units_and_qualities_are_in_the_state_with_both_versions_of_mqtt() {
    for version in ["V3", "V5"] {
        let Some(server) = talkative() else { return };
        server.publish(&["-r", "-q", "1"], "hall/P-101/state", "idle");
        let broker = format!("{}, version: {version}", at(&server.url()));
        let program = Program::live(&hall(Some(&broker), TWINS), &[]).subscribed();
        let messages = [
            ("hall/P-101/telemetry", r#"{"flow": 42.5, "running": true, "vib": 0.0045, "ts": 1769860800000}"#),
            ("hall/P-102/telemetry", r#"{"flow": 5000, "running": "perhaps"}"#),
            ("hall/P-103/telemetry", r#"{"flow": 75}"#),
            ("hall/P-101/pressure", "3.5"),
            ("hall/P-102/state", "füllt"),
        ];
        deliver(&server, &messages, messages.len() + 1);
        let end = program.stop();
        let state = end.state();
        let check = |twin, signal, expected: Value| assert_eq!(seen(&state, twin, signal), expected, "{version}");
        check("P-101", "flow", json!([42.5, "m3/h", "Good", null]));
        check("P-101", "running", json!([true, "", "Good", null]));
        check("P-101", "vibration", json!([4.5, "mm/s", "Good", null]));
        check("P-101", "pressure", json!([3.5, "bar", "Stale", "expired"]));
        check("P-101", "state", json!(["idle", "", "Uncertain", "retained by the broker"]));
        check("P-101", "double", json!([85.0, "m3/h", "Good", null]));
        check("P-102", "flow", json!([5000.0, "m3/h", "Bad", "out of range"]));
        check("P-102", "state", json!(["füllt", "", "Good", null]));
        check("P-103", "pressure", json!([null, "bar", "Bad", "never seen"]));
        let running = seen(&state, "P-102", "running");
        assert_eq!((&running[2], &running[3]), (&json!("Bad"), &json!("cannot be decoded")), "{version}");
        assert_eq!(state["twins"]["P-101"]["signals"]["vibration"]["source_time"], json!("2026-01-31T12:00:00Z"));
        assert_eq!(state["twins"]["P-101"]["signals"]["flow"]["standing"], json!("normal"));
        assert_eq!(state["twins"]["P-103"]["signals"]["flow"]["standing"], json!("warning"));
        let source = &state["sources"]["plant"];
        assert_eq!((&source["state"], &source["error"]), (&json!("connected"), &Value::Null));
        assert_eq!((&source["received"], &source["decode_errors"]), (&json!(6), &json!(1)));
        assert_eq!(source["address"], json!(server.url()));
        assert_eq!(source["problems"]["hall/P-102/telemetry"]["count"], json!(1));
        assert_eq!((&state["scene"], &state["cursor"]["mode"]), (&json!("Pump hall"), &json!("live")));
    }
}

/// The program's world in this process, where its state can be asked for again and again.
struct World {
    app: App,
    _folder: tempfile::TempDir,
}

impl World {
    fn open(scene: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = scene_file(folder.path(), scene);
        let mut app = App::new();
        let mut options = session::Options::new(file);
        options.store = session::StorePlace::Nowhere;
        session::open(&mut app, options, Arc::new(|| ())).unwrap();
        app.finish();
        app.cleanup();
        Self { app, _folder: folder }
    }

    fn wait_for(&mut self, what: &str, mut is_so: impl FnMut(&Value) -> bool) -> Value {
        let look = || {
            self.app.update();
            let state = serde_json::to_value(state::of(self.app.world_mut())).unwrap();
            is_so(&state).then_some(state)
        };
        wait_for(look, || format!("no {what}"))
    }
}

#[test]
fn all_signals_go_stale_while_the_broker_is_gone_and_come_back_by_themselves() {
    let Some(mut server) = Mosquitto::start() else { return };
    for version in ["V3", "V5"] {
        let scene = hall(Some(&format!("{}, version: {version}", at(&server.url()))), TWINS);
        let scene = scene.replace(r#"expires: "1m""#, r#"expires: "700ms""#);
        let mut world = World::open(&scene);
        let telemetry = [("P-101", 1), ("P-102", 2), ("P-103", 3)];
        let all = |state: &Value, quality: &str| {
            telemetry.iter().all(|(twin, _)| {
                ["flow", "running"].iter().all(|signal| seen(state, twin, signal)[2] == json!(quality))
            })
        };
        let source = |state: &Value, field: &str| state["sources"]["plant"][field].clone();
        let publish_all = |server: &Mosquitto| {
            for (twin, flow) in telemetry {
                let payload = format!(r#"{{"flow": {flow}, "running": true}}"#);
                server.publish(&[], &format!("hall/{twin}/telemetry"), payload);
            }
        };
        world.wait_for("data", |state| {
            let connected = source(state, "state") == "connected";
            if connected {
                publish_all(&server);
            }
            connected && all(state, "Good")
        });
        server.kill();
        let state = world.wait_for("staleness", |state| all(state, "Stale") && source(state, "error") != Value::Null);
        assert_ne!(source(&state, "state"), "connected");
        let error = source(&state, "error").to_string();
        assert!(error.contains(&server.url()), "{error}");
        assert_eq!(seen(&state, "P-102", "flow"), json!([2.0, "m3/h", "Stale", "expired"]), "the last value stays");
        server.restart();
        let state = world.wait_for("recovery", |state| {
            publish_all(&server);
            all(state, "Good")
        });
        assert_eq!((source(&state, "state"), source(&state, "error")), (json!("connected"), Value::Null));
        assert!(source(&state, "reconnects").as_u64() >= Some(1), "{version}");
    }
}

const PASSWORD: &str = "s3cret-but-wrong";

/// Runs `scene` with a wrong password in the environment; it must end well, and never say the password.
fn error_of(scene: &str, log: &str) -> String {
    let end = Program::live_with(scene, |command| {
        command.args(["-vv", "--for", "3s"]).env("HALL_USER", "anna").env("HALL_PASSWORD", PASSWORD);
        if log.is_empty() { command } else { command.env("POLLUX_LOG", log) }
    })
    .end();
    let state = end.state();
    assert!(!end.said.contains(PASSWORD), "{}", end.said);
    assert!(!state.to_string().contains(PASSWORD), "{state}");
    let source = &state["sources"]["plant"];
    assert_eq!(source["state"], json!("disconnected"), "{source}");
    let error = source["error"].as_str().unwrap().to_owned();
    assert!(end.said.contains(&error), "the same sentence is in the log: {}", end.said);
    error
}

#[test]
fn a_wrong_password_is_said_in_the_state_and_shown_nowhere() {
    let Some(server) = Mosquitto::start_with(|dir| {
        let file = dir.join("passwords");
        let made = Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&file).args(["anna", "right"]).status();
        assert!(made.unwrap().success());
        format!("allow_anonymous false\npassword_file {}\n", file.display())
    }) else {
        return;
    };
    let env = r#"credentials: Env(user: "HALL_USER", password: "HALL_PASSWORD")"#;
    for (version, log) in [("V3", ""), ("V5", "trace")] {
        let scene = hall(Some(&format!("{}, version: {version}, {env}", at(&server.url()))), TWINS);
        let refused = "the broker refused user or password: check the credentials that the scene names";
        assert_eq!(error_of(&scene, log), format!("{}: {refused}", server.url()));
    }
    let login = server.path("login");
    std::fs::write(&login, format!("anna\n{PASSWORD}\n")).unwrap();
    std::fs::set_permissions(&login, std::fs::Permissions::from_mode(0o644)).unwrap();
    let file = format!(r#"{}, credentials: File("{}")"#, at(&server.url()), login.display());
    let error = error_of(&hall(Some(&file), TWINS), "trace");
    assert!(error.contains("can be read by others") && error.contains("chmod 600"), "{error}");
}

#[test]
fn an_untrusted_certificate_is_said_in_the_state() {
    let Some(server) = Mosquitto::start_with(|dir| {
        Authority::new(dir, "ours").sign(dir, "server");
        Authority::new(dir, "strangers");
        let file = |name: &str| dir.join(name).display().to_string();
        format!("allow_anonymous true\ncertfile {}\nkeyfile {}\n", file("server.pem"), file("server.key"))
    }) else {
        return;
    };
    let url = format!("mqtts://127.0.0.1:{}", server.port);
    let scene = |ca: &str| hall(Some(&format!(r#"{}, tls: (ca: "{}")"#, at(&url), server.path(ca).display())), TWINS);
    let error = error_of(&scene("strangers.pem"), "");
    assert!(error.starts_with(&url) && error.contains("untrusted") && error.contains("tls.ca"), "{error}");
    let state = Program::live(&scene("ours.pem"), &[]).subscribed().stop().state();
    assert_eq!(state["sources"]["plant"]["state"], json!("connected"));
}

#[test]
fn bad_payloads_large_ones_and_a_thousand_unknown_topics_are_counted_and_hurt_nobody() {
    let Some(server) = talkative() else { return };
    let broker = format!(r##"{}, subscribe: ["#"]"##, at(&server.url()));
    let program = Program::live(&hall(Some(&broker), TWINS), &[]).subscribed();
    let address = SocketAddr::from(([127, 0, 0, 1], server.port));
    let mut stranger = Raw::connect(address, "stranger");
    for n in 0..1000 {
        stranger.send(&publish(&format!("stray/{n}"), b"x", 0));
    }
    // The broker answers a message of QoS 1 after it has taken all before it.
    stranger.send(&publish("stray/999", b"x", 1));
    assert!(stranger.read().is_some());
    let large = format!(r#"{{"pad": "{}", "flow": 9, "running": true}}"#, "x".repeat(900 << 10));
    let messages = [
        ("hall/P-101/telemetry", "{ no json"),
        ("hall/P-102/telemetry", large.as_str()),
        ("hall/P-103/telemetry", r#"{"flow": 3, "running": false}"#),
    ];
    deliver(&server, &messages, messages.len() + 1);
    let state = program.stop().state();
    let source = &state["sources"]["plant"];
    let counters = ["received", "unknown_topics", "decode_errors", "dropped", "coalesced", "reconnects"];
    assert_eq!(counters.map(|name| source[name].as_u64()), [1004, 1001, 1, 0, 0, 0].map(Some), "{source}");
    let kept: u64 = source["unknown"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!(kept, 1001, "those beyond the bound are counted together");
    let problem = &source["problems"]["hall/P-101/telemetry"];
    assert!(problem["last_error"].as_str().unwrap().contains("not JSON"), "{problem}");
    assert_eq!(problem["last_payload"], json!("{ no json"));
    assert_eq!(seen(&state, "P-101", "flow")[3], json!("cannot be decoded"));
    assert_eq!(seen(&state, "P-102", "flow"), json!([9.0, "m3/h", "Good", null]));
    assert_eq!(seen(&state, "P-103", "running"), json!([false, "", "Good", null]));
}

#[test]
fn a_scene_without_a_broker_gets_one_that_anybody_on_this_machine_can_publish_to() {
    let program = Program::live(&hall(None, TWINS), &[]);
    let line = program.says("embedded broker listens at");
    let port = line.rsplit(':').next().unwrap().trim();
    let program = program.subscribed();
    for version in ["mqttv311", "mqttv5"] {
        let payload = format!(r#"{{"flow": 12, "by": "{version}"}}"#);
        let publisher = Command::new("mosquitto_pub")
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                port,
                "-V",
                version,
                "-q",
                "1",
                "-t",
                "hall/P-101/telemetry",
                "-m",
                &payload,
            ])
            .status();
        assert!(publisher.expect("mosquitto-clients is installed").success());
    }
    // A second program cannot have the port; it says which, and what to do.
    let folder = tempfile::tempdir().unwrap();
    let second = scene_file(folder.path(), &hall(None, TWINS));
    let (code, said) = run(&["live", &second, "--headless", "--for", "10s", "--port", port]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains(&format!("port {port} of 127.0.0.1 is in use")), "{said}");
    std::thread::sleep(Duration::from_millis(500));
    let state = program.stop().state();
    assert_eq!(seen(&state, "P-101", "flow"), json!([12.0, "m3/h", "Good", null]));
    assert_eq!(state["sources"]["embedded"]["received"], json!(2));
    assert_eq!(state["sources"]["embedded"]["address"], json!(format!("mqtt://127.0.0.1:{port}")));
}

#[test]
fn exit_codes_tell_verdict_usage_and_environment_apart() {
    let folder = tempfile::tempdir().unwrap();
    let good = scene_file(folder.path(), &hall(None, TWINS));
    let bad_folder = tempfile::tempdir().unwrap();
    let bad = scene_file(bad_folder.path(), &hall(None, TWINS).replace("flow * 2", "flaw * 2").replace("bar", "barn"));
    let missing = folder.path().join("missing/state.json").display().to_string();
    let check = |args: &[&str], expected: i32, parts: &[&str]| {
        let (code, said) = run(args);
        assert_eq!(code, Some(expected), "{args:?}: {said}");
        for part in parts {
            assert!(said.contains(part), "{args:?} does not say `{part}`: {said}");
        }
    };
    let headless = ["--headless", "--for", "100ms"];
    let live = |scene, more: &[&'static str]| [&["live", scene][..], &headless, more].concat();
    check(&live(&good, &[]), 0, &[]);
    check(&live(&bad, &[]), 1, &["flaw", "barn", "scene.ron:", "2 errors"]);
    check(&live("no-such-scene.ron", &[]), 1, &["no-such-scene.ron", "there is no such file"]);
    check(&live(&good, &["--colour"]), 2, &["--colour", "Usage"]);
    check(&live(&good, &["--plant"]), 2, &["Pump hall", "says of no twin how it behaves"]);
    check(&["plant", &good], 2, &["Pump hall", "says of no twin how it behaves"]);
    check(&["live", &good, "--headless", "--for", "10"], 2, &["is not a duration"]);
    // A long run that cannot leave its result is refused at once.
    check(&["live", &good, "--headless", "--for", "1h", "--state", &missing], 3, &[&missing, "no such folder"]);
    let secret = format!("anna:{PASSWORD}@localhost:1883");
    for url in [secret.clone(), format!("mqtt://{secret}"), format!("mqtt://anna:{PASSWORD}@local host")] {
        let (code, said) = run(&["live", &good, "--headless", "--for", "100ms", "--broker", &url]);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("broker address `") && !said.contains(PASSWORD), "{said}");
    }
}

/// Saves as editors do: a new file takes the place of the old one.
fn save(file: &Path, text: &str) {
    let new = file.with_extension("ron~");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, file).unwrap();
}

#[test]
fn a_saved_scene_is_taken_over_with_its_history_and_a_bad_one_is_not() {
    let Some(server) = talkative() else { return };
    let scene = |twins: &str| hall(Some(&at(&server.url())), twins);
    let two = r#"(id: "P-101", type: "Pump"), (id: "P-102", type: "Pump")"#;
    let program = Program::live(&scene(two), &[]).subscribed();
    let telemetry = |twin: &str| format!("hall/{twin}/telemetry");
    let (first, second, third) = (telemetry("P-101"), telemetry("P-102"), telemetry("P-103"));
    deliver(&server, &[(&first, r#"{"flow": 1}"#), (&second, r#"{"flow": 2}"#)], 2);
    let subscriptions = server.log().matches("Received SUBSCRIBE from pollux").count();
    save(&program.scene_file(), &scene(r#"(id: "P-103", type: "Pump"), (id: "P-102", type: "Pump")"#));
    program.says("the saved scene is taken over");
    let subscribed = || server.log().matches("Received SUBSCRIBE from pollux").count() > subscriptions;
    wait_for(|| subscribed().then_some(()), || server.log());
    deliver(&server, &[(&first, r#"{"flow": 11}"#), (&third, r#"{"flow": 3}"#)], 3);
    save(&program.scene_file(), &scene(r#"(id: "P-104", type: "Pumpe")"#));
    program.says("the last good one stays");
    program.says("unknown type `Pumpe`");
    deliver(&server, &[(&third, r#"{"flow": 33}"#)], 4);
    let state = program.stop().state();
    let twins: Vec<&String> = state["twins"].as_object().unwrap().keys().collect();
    assert_eq!(twins, ["P-102", "P-103"]);
    assert_eq!(seen(&state, "P-102", "flow"), json!([2.0, "m3/h", "Good", null]), "kept, under a new index");
    assert_eq!(seen(&state, "P-103", "flow"), json!([33.0, "m3/h", "Good", null]));
    assert_eq!(seen(&state, "P-103", "double")[0], json!(66.0));
    assert_eq!(state["sources"]["plant"]["reconnects"], json!(0), "the connection lived on");
}

#[test]
fn a_saved_scene_may_name_a_broker_where_none_was_and_none_where_one_was() {
    let Some(server) = talkative() else { return };
    let program = Program::live(&hall(None, TWINS), &[]).subscribed();
    save(&program.scene_file(), &hall(Some(&at(&server.url())), TWINS));
    program.says(&format!("{}: subscribed to", server.url()));
    deliver(&server, &[("hall/P-102/state", "full")], 1);
    save(&program.scene_file(), &hall(None, TWINS).replace("Pump hall", "Quiet hall"));
    let connections = || program.heard().matches(": subscribed to").count();
    wait_for(|| (connections() == 3).then_some(()), || program.heard());
    let state = program.stop().state();
    assert_eq!(state["scene"], json!("Quiet hall"));
    assert_eq!(seen(&state, "P-102", "state"), json!(["full", "", "Good", null]), "what was seen stays");
    let sources: Vec<_> = state["sources"].as_object().unwrap().iter().map(|(name, at)| (name, &at["state"])).collect();
    assert_eq!(sources, [(&"embedded".to_owned(), &json!("connected"))]);
}

#[test]
fn a_plant_without_its_broker_says_so_once_and_goes_on() {
    let Some(mut server) = Mosquitto::start() else { return };
    server.kill();
    let mut plant = pollux();
    plant.args(["plant", "scenes/bottling/scene.ron", "--for", "2s", "--broker", &server.url()]);
    let end = Program::start(plant, tempfile::tempdir().unwrap()).end();
    assert_eq!(end.code, Some(0), "{}", end.said);
    assert_eq!(end.said.matches("connection refused").count(), 1, "{}", end.said);
}

#[test]
fn a_minute_of_the_hall_at_a_broker_is_good_in_every_signal_and_raises_no_alarm() {
    let Some(server) = talkative() else { return };
    let scene = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenes/bottling/scene.ron");
    let folder = tempfile::tempdir().unwrap();
    let mut live = pollux();
    live.arg("live").arg(&scene).args(["--headless", "--for", "90s", "-v", "--no-store", "--broker", &server.url()]);
    live.arg("--state").arg(folder.path().join("state.json"));
    let live = Program::start(live, folder).subscribed();
    let mut plant = pollux();
    plant.arg("plant").arg(&scene).args(["--for", "90s", "--seed", "7", "--no-story", "--broker", &server.url()]);
    let plant = Program::start(plant, tempfile::tempdir().unwrap());
    plant.says("the plant publishes to");
    std::thread::sleep(Duration::from_secs(60));
    let state = live.stop().state();
    assert_eq!(plant.stop().code, Some(0));
    let all = state["twins"].as_object().unwrap().iter().flat_map(|(twin, about)| {
        let signals = about["signals"].as_object().unwrap();
        signals.iter().map(move |(name, signal)| (format!("{twin}.{name}"), signal))
    });
    // What only an operator's commands bring has no value as long as nobody gives any.
    let all = all.filter(|(path, signal)| !(path.ends_with("_order") && signal["value"].is_null()));
    let (good, others): (Vec<_>, Vec<_>) = all.partition(|(_, signal)| signal["quality"] == json!("Good"));
    assert!(others.is_empty(), "{others:#?}");
    assert!(good.len() > 300, "{}", good.len());
    let alarms = state["events"].as_array().unwrap().iter().filter(|event| event["kind"] == json!("alarm"));
    let alarms: Vec<_> = alarms.filter(|event| event["broker"].is_null() && event["to"] != event["from"]).collect();
    assert!(alarms.is_empty(), "{alarms:#?}");
    let source = state["sources"].as_object().unwrap().values().next().unwrap();
    let simulated = state["simulated"].as_str().unwrap_or_default();
    assert!(simulated.contains("a simulated plant that publishes to mqtt://"), "{simulated} {source}");
    let counters = ["decode_errors", "unknown_topics", "clock_problems", "dropped"];
    assert_eq!(counters.map(|name| source[name].as_u64()), [Some(0); 4], "{source}");
}
