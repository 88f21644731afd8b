//! The simulated plant, and the listener beside it, where a broker asks who they are and does not allow everything.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use pollux::source::ConnectionState;
use serde_json::{Value, json};

use super::program::{Program, pollux, scene_file};
use super::{TWINS, at, hall, save, seen};
use crate::support::{Authority, Mosquitto};

const PASSWORD: &str = "s3cret-and-right";
const WRONG: &str = "s3cret-but-wrong";
const ENV: &str = r#"credentials: Env(user: "HALL_USER", password: "HALL_PASSWORD")"#;

/// A broker that lets in nobody but anna.
fn protected(dir: &Path) -> String {
    let file = dir.join("passwords");
    let made = Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&file).args(["anna", PASSWORD]).status();
    assert!(made.unwrap().success());
    for (name, password) in [("login", PASSWORD), ("wrong", WRONG)] {
        let login = dir.join(name);
        std::fs::write(&login, format!("anna\n{password}\n")).unwrap();
        std::fs::set_permissions(&login, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    format!("allow_anonymous false\npassword_file {}\n", file.display())
}

/// The bearing of a pump, simulated; `broker` is the rest of its broker's definition.
fn line(broker: &str) -> String {
    format!(
        r#"Scene(
    format: (1, 3),
    name: "Line",
    brokers: {{"plant": ({broker})}},
    types: {{
        "Pump": (
            model: RollingBearing(),
            signals: {{
                "vibration": (unit: "mm/s", topic: "line1/{{id}}/telemetry", json: "/vibration", expires: "3s",
                              time: (json: "/ts", format: Milliseconds), measures: "vibration"),
            }},
            messages: {{"line1/{{id}}/telemetry": (every: "200ms")}},
        ),
    }},
    twins: [(id: "P-101", type: "Pump")],
)
"#
    )
}

/// The quality of the pump's vibration.
fn quality(state: &Value) -> Value {
    seen(state, "P-101", "vibration")[2].clone()
}

#[test]
fn the_plant_of_a_session_logs_in_by_the_credentials_of_the_scene() {
    let Some(server) = Mosquitto::start_with(protected) else { return };
    let file = format!(r#"{}, credentials: File("{}")"#, at(&server.url()), server.path("login").display());
    for broker in [format!("{}, {ENV}", at(&server.url())), file] {
        let program = Program::live_with(&line(&broker), |command| {
            let command = command.env("HALL_USER", "anna").env("HALL_PASSWORD", PASSWORD);
            command.args(["-vv", "--plant", "--for", "5s"])
        });
        let end = program.end();
        assert_eq!(quality(&end.state()), json!("Good"), "{}", end.said);
        assert!(!end.said.contains(PASSWORD), "{}", end.said);
    }
}

#[test]
fn the_plant_in_a_process_of_its_own_logs_in_where_it_is_sent_and_a_wrong_password_is_said_but_not_shown() {
    let Some(server) = Mosquitto::start_with(protected) else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = server.url();
    let plant = |login: &str, folder: &Path, args: &[&str]| {
        let elsewhere = format!(r#"{}, credentials: File("{}")"#, at("mqtt://localhost"), server.path(login).display());
        let mut plant = pollux();
        plant.args(["plant", &scene_file(folder, &line(&elsewhere)), "--broker", &url]).args(args);
        plant
    };
    let heard = || {
        let args = ["-p", &server.port.to_string(), "-u", "anna", "-P", PASSWORD, "-C", "1", "-W", "10"];
        let output = Command::new("mosquitto_sub").args(args).args(["-t", "line1/P-101/telemetry"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let right = plant("login", folder.path(), &["--for", "60s", "-vv"]);
    let right = Program::start(right, folder);
    assert!(heard().contains("\"vibration\""), "{}", right.heard());
    let end = right.stop();
    assert_eq!(end.code, Some(0));
    assert!(!end.said.contains(PASSWORD), "{}", end.said);

    let folder = tempfile::tempdir().unwrap();
    let wrong = plant("wrong", folder.path(), &["--for", "2s"]);
    let end = Program::start(wrong, folder).end();
    assert!(end.said.contains("the broker refused user or password"), "{}", end.said);
    assert!(!end.said.contains(WRONG), "{}", end.said);
}

#[test]
fn the_plant_trusts_the_authority_of_the_scene_and_shows_its_own_certificate() {
    let Some(server) = Mosquitto::start_with(|dir| {
        let ours = Authority::new(dir, "ours");
        ours.sign(dir, "server");
        ours.sign(dir, "client");
        let file = |name: &str| dir.join(name).display().to_string();
        let files = [file("ours.pem"), file("server.pem"), file("server.key")];
        format!(
            "allow_anonymous true\nrequire_certificate true\ncafile {}\ncertfile {}\nkeyfile {}\n",
            files[0], files[1], files[2]
        )
    }) else {
        return;
    };
    let file = |name: &str| server.path(name).display().to_string();
    let (ca, certificate, key) = (file("ours.pem"), file("client.pem"), file("client.key"));
    let tls = format!(r#"tls: (ca: "{ca}", certificate: "{certificate}", key: "{key}")"#);
    let broker = format!("{}, {tls}", at(&format!("mqtts://127.0.0.1:{}", server.port)));
    let end = Program::live_with(&line(&broker), |command| command.args(["--plant", "--for", "5s"])).end();
    assert_eq!(quality(&end.state()), json!("Good"), "{}", end.said);
}

#[test]
fn the_plant_follows_its_scene_to_another_broker() {
    let (Some(first), Some(second)) = (Mosquitto::start(), Mosquitto::start_with(protected)) else { return };
    let program = Program::live_with(&line(&at(&first.url())), |command| {
        command.env("HALL_USER", "anna").env("HALL_PASSWORD", PASSWORD).args(["-v", "--plant", "--for", "60s"])
    })
    .subscribed();
    save(&program.scene_file(), &line(&at(&first.url())).replace("Line", "The line"));
    program.says("the saved scene is taken over");
    save(&program.scene_file(), &line(&format!("{}, {ENV}", at(&second.url()))));
    program.says(&format!("the plant of `Line` starts anew at {}", second.url()));
    program.says(&format!("{}: subscribed to", second.url()));
    assert_eq!(program.heard().matches("starts anew").count(), 1, "at the same broker it went on");
    std::thread::sleep(std::time::Duration::from_secs(2));
    let state = program.stop().state();
    assert_eq!(quality(&state), json!("Good"));
    assert!(state["sources"]["plant"]["received"].as_u64() > Some(0), "from the new broker: {state}");
}

/// Debian's mosquitto lets everyone subscribe, whatever its list of rights says, and only then keeps messages back; its
/// plugin for roles refuses.
fn choosy(dir: &Path) -> Option<String> {
    let plugin = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"]
        .map(|folder| Path::new(folder).join("mosquitto_dynamic_security.so"))
        .into_iter()
        .find(|file| file.is_file())?;
    let rights = json!({
        "defaultACLAccess":
            {"publishClientSend": true, "publishClientReceive": true, "subscribe": false, "unsubscribe": true},
        "clients": [],
        "groups": [{"groupname": "anyone", "roles": [{"rolename": "watcher", "priority": 0}]}],
        "roles": [{"rolename": "watcher", "acls":
            [{"acltype": "subscribeLiteral", "topic": "hall/P-101/telemetry", "priority": 0, "allow": true}]}],
        "anonymousGroup": "anyone",
    });
    let file = dir.join("rights.json");
    std::fs::write(&file, rights.to_string()).unwrap();
    Some(format!("allow_anonymous true\nplugin {}\nplugin_opt_config_file {}\n", plugin.display(), file.display()))
}

#[test]
fn subscriptions_that_the_broker_refuses_are_in_the_state_by_filter_and_reason_and_the_others_work() {
    let mut has_plugin = true;
    let server = Mosquitto::start_with(|dir| {
        choosy(dir).unwrap_or_else(|| {
            has_plugin = false;
            "allow_anonymous true\n".to_owned()
        })
    });
    let Some(server) = server.filter(|_| has_plugin) else {
        eprintln!("skipped: mosquitto's plugin for roles is not installed");
        return;
    };
    for (version, why) in [("V3", "refused by the broker, code 0x80"), ("V5", "not authorized")] {
        let filters = r#"subscribe: ["hall/P-101/telemetry", "hall/+/state", "hall/secret"]"#;
        let broker = format!("{}, version: {version}, {filters}", at(&server.url()));
        let program = Program::live(&hall(Some(&broker), TWINS), &[]).subscribed();
        program.says("the subscription to `hall/secret` was refused");
        server.publish(&["-q", "1"], "hall/P-101/telemetry", r#"{"flow": 7}"#);
        std::thread::sleep(std::time::Duration::from_millis(500));
        let state = program.stop().state();
        let source = &state["sources"]["plant"];
        let expected = format!(
            "{}: not subscribed to `hall/+/state` ({why}), `hall/secret` ({why}): check the broker's access rules and the \
             filters in the scene",
            server.url()
        );
        assert_eq!(source["error"], json!(expected), "{source}");
        assert_eq!(source["state"], json!("connected"));
        assert_eq!(seen(&state, "P-101", "flow"), json!([7.0, "m3/h", "Good", null]));
    }
}

#[test]
fn a_refusal_is_forgotten_when_the_scene_no_longer_asks() {
    let Some(server) = Mosquitto::start_with(|dir| choosy(dir).unwrap_or("allow_anonymous true\n".to_owned())) else {
        return;
    };
    if !server.path("rights.json").exists() {
        eprintln!("skipped: mosquitto's plugin for roles is not installed");
        return;
    }
    let scene = crate::mosquitto::scene::scene(crate::mosquitto::scene::broker(&server.url()));
    let mut probe = crate::mosquitto::scene::Probe::connected(&scene);
    let refused = probe.error_with("hall/P-101/temperature");
    assert_eq!(refused.state, ConnectionState::Connected);
    let mut quiet = scene.clone();
    quiet.signals.truncate(3);
    probe.table.swap(pollux::ingest::BindingTable::new(&quiet, "plant", 1));
    probe.wait_for("forgiveness", |_, status| status.error.is_none());
}

#[test]
fn a_session_whose_plant_runs_fast_has_one_clock() {
    let Some(server) = Mosquitto::start() else { return };
    let scene = line(&at(&server.url())).replace(r#"expires: "3s""#, r#"expires: "30s""#);
    let program =
        Program::live_with(&scene, |command| command.args(["-v", "--plant", "--plant-speed", "10", "--for", "60s"]))
            .subscribed();
    std::thread::sleep(std::time::Duration::from_secs(3));
    let state = program.stop().state();
    let signal = &state["twins"]["P-101"]["signals"]["vibration"];
    let time = |text: &Value| pollux::value::Timestamp::parse_rfc3339(text.as_str().unwrap()).unwrap();
    let (source, receive) = (time(&signal["source_time"]), time(&signal["receive_time"]));
    let shown = time(&state["cursor"]["at"]);
    assert_eq!(quality(&state), json!("Good"));
    assert!(source <= receive && receive <= shown, "{source} {receive} {shown}");
    // Twenty seconds of the session are two: more than a message takes to come and be shown, on a busy machine too.
    assert!(shown.secs_since(source) < 20.0, "{source} {shown}");
    assert!(
        shown.secs_since(pollux::value::Timestamp::now()) > 20.0,
        "{shown}: the session runs ahead of the wall clock"
    );
    assert_eq!(state["sources"]["plant"]["clock_problems"], json!(0));
}

#[test]
fn a_device_with_a_clock_an_hour_ahead_is_told_and_stays_fresh_through_a_pause() {
    use pollux::command::{OperatorCommand, TimeCommand};
    let Some(server) = Mosquitto::start() else { return };
    let mut world = super::World::open(&hall(Some(&at(&server.url())), TWINS));
    let ahead = pollux::value::Timestamp::now().0 / 1_000_000 + 3_600_000;
    world.wait_for("data", |state| {
        if state["sources"]["plant"]["state"] == "connected" {
            server.publish(&[], "hall/P-101/telemetry", format!(r#"{{"vib": 0.001, "ts": {ahead}}}"#));
            server.publish(&[], "hall/P-102/telemetry", r#"{"flow": 2}"#);
        }
        seen(state, "P-101", "vibration")[0] == json!(1.0) && seen(state, "P-102", "flow")[0] == json!(2.0)
    });
    let now = pollux::value::Timestamp::now();
    world.app.world_mut().write_message(OperatorCommand::Time(TimeCommand::PauseAt(now)));
    let state = world.wait_for("a pause", |state| state["cursor"]["mode"] == "paused");
    assert_eq!(seen(&state, "P-101", "vibration"), json!([1.0, "mm/s", "Good", null]));
    assert_eq!(seen(&state, "P-102", "flow"), json!([2.0, "m3/h", "Good", null]));
    let source = &state["sources"]["plant"];
    assert!(source["clock_problems"].as_u64() >= Some(1), "{source}");
    let problem = source["problems"]["hall/P-101/telemetry"]["last_error"].as_str().unwrap();
    assert!(problem.contains("s after its receipt: check the source's clock"), "{problem}");
}
