//! The listener against Debian's mosquitto, driven by mosquitto_pub and paho.

pub mod scene;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Authority, Mosquitto};
use pollux::ingest::BindingTable;
use pollux::scene::{Broker, Credentials, Decoder, MqttVersion, SignalSource, Tls};
use pollux::source::ConnectionState;
use pollux::value::{Quality, Reason, Timestamp, Value};
use scene::{FLOW, NOTE, Probe, RUNNING, STATE, TEMPERATURE, broker, with_login};

const TELEMETRY: &str = "hall/P-101/telemetry";

#[test]
fn values_times_and_qualities_arrive_in_both_versions_and_all_qualities_of_service() {
    let Some(server) = Mosquitto::start() else { return };
    for (version, flag) in [(MqttVersion::V3, "mqttv311"), (MqttVersion::V5, "mqttv5")] {
        for qos in 0..=2 {
            let mut probe = Probe::connected(&scene::scene(Broker { version, qos, ..broker(&server.url()) }));
            let payload = r#"{"ts": 1769860800000, "flow": "12.5", "motor": {"running": true}, "state": "füllt"}"#;
            server.publish(&["-V", flag, "-q", &qos.to_string()], TELEMETRY, payload);
            let flow = probe.sample(FLOW, 0);
            assert_eq!((flow.value, flow.quality), (Value::Number(12.5), Quality::GOOD));
            assert_eq!(flow.source_time, flow.receive_time);
            assert_eq!(probe.sample(RUNNING, 0).value, Value::Bool(true));
            let state = probe.sample(STATE, 0);
            assert_eq!(state.value, Value::Text("füllt".into()));
            assert_eq!(state.source_time, Timestamp::parse_rfc3339("2026-01-31T12:00:00Z").unwrap());
            server.publish(&["-q", &qos.to_string()], "notes/anna/P-101/a/b", "looks fine");
            assert_eq!(probe.sample(NOTE, 0).value, Value::Text("looks fine".into()));
            let status = probe.status();
            assert_eq!((status.received, status.decoded, status.decode_errors), (2, 4, 0), "{version:?} QoS {qos}");
        }
    }
}

#[test]
fn bad_values_are_bad_for_their_own_reason() {
    let Some(server) = Mosquitto::start() else { return };
    let mut probe = Probe::connected(&scene::scene(broker(&server.url())));
    for (n, (payload, reason)) in
        [("5000", Reason::OutOfRange), ("NaN", Reason::NotFinite), ("warm", Reason::DecodeError)]
            .into_iter()
            .enumerate()
    {
        server.publish(&[], "hall/P-101/temperature", payload);
        assert_eq!(probe.sample(TEMPERATURE, n).quality, Quality::bad(reason), "{payload}");
    }
    server.publish(&[], TELEMETRY, r#"{"flow": null, "motor": {"running": 7}, "ts": 12, "state": "on"}"#);
    assert_eq!(probe.sample(FLOW, 0).quality, Quality::bad(Reason::Source));
    assert_eq!(probe.sample(RUNNING, 0).quality, Quality::bad(Reason::DecodeError));
    let state = probe.sample(STATE, 0);
    assert_eq!((state.quality, state.source_time), (Quality::GOOD, state.receive_time));
    let status = probe.status();
    assert_eq!((status.decode_errors, status.clock_problems), (2, 1));
    let temperature = status.problems.iter().find(|problem| problem.topic == "hall/P-101/temperature").unwrap();
    assert_eq!(temperature.last_error, "`payload` is text \"warm\", expected a number");
}

#[test]
fn retained_values_are_uncertain_unless_they_tell_their_time() {
    let Some(server) = Mosquitto::start() else { return };
    server.publish(&["-r"], TELEMETRY, r#"{"ts": 1769860800000, "flow": 3, "state": "idle"}"#);
    for version in [MqttVersion::V3, MqttVersion::V5] {
        let mut probe = Probe::connected(&scene::scene(Broker { version, ..broker(&server.url()) }));
        assert_eq!(probe.sample(FLOW, 0).quality, Quality::uncertain(Reason::Retained));
        assert_eq!(probe.sample(STATE, 0).quality, Quality::GOOD);
        server.publish(&["-r"], TELEMETRY, r#"{"ts": 1769860800000, "flow": 3, "state": "idle"}"#);
        assert_eq!(probe.sample(FLOW, 1).quality, Quality::GOOD, "a new value, though it will be retained");
    }
}

#[test]
fn data_flow_again_by_themselves_after_the_broker_was_killed_and_restarted() {
    let Some(mut server) = Mosquitto::start() else { return };
    for version in [MqttVersion::V3, MqttVersion::V5] {
        let mut probe = Probe::connected(&scene::scene(Broker { version, ..broker(&server.url()) }));
        server.publish(&[], TELEMETRY, r#"{"flow": 1}"#);
        assert_eq!(probe.sample(FLOW, 0).value, Value::Number(1.0));
        server.kill();
        let status = probe.error_with("nothing listens there");
        assert!(status.error.unwrap().contains(&server.url()));
        server.restart();
        probe.wait_for("reconnection", |_, status| {
            status.state == ConnectionState::Connected && status.reconnects >= 1 && status.error.is_none()
        });
        std::thread::sleep(Duration::from_millis(200));
        server.publish(&[], TELEMETRY, r#"{"flow": 2}"#);
        assert_eq!(probe.sample(FLOW, 1).value, Value::Number(2.0));
    }
}

#[test]
fn a_password_comes_from_a_file_or_the_environment_and_a_wrong_one_is_said_but_not_shown() {
    // Variables that cargo sets for every test: a test cannot set its own safely.
    let (user, password) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    let Some(server) = Mosquitto::start_with(|dir| {
        let file = dir.join("passwords");
        let made = Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&file).args([user, password]).status();
        assert!(made.unwrap().success());
        for (name, password) in [("right", password), ("wrong", "s3cret-but-wrong")] {
            let login = dir.join(name);
            std::fs::write(&login, format!("{user}\n{password}\n")).unwrap();
            std::fs::set_permissions(&login, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        format!("allow_anonymous false\npassword_file {}\n", file.display())
    }) else {
        return;
    };
    let env = Credentials::Env { user: "CARGO_PKG_NAME".into(), password: "CARGO_PKG_VERSION".into() };
    for version in [MqttVersion::V3, MqttVersion::V5] {
        for credentials in [env.clone(), Credentials::File(server.path("right"))] {
            Probe::connected(&scene::scene(Broker { version, ..with_login(&server.url(), credentials) }));
        }
        let wrong = with_login(&server.url(), Credentials::File(server.path("wrong")));
        let status = Probe::start(&scene::scene(Broker { version, ..wrong })).error_with("refused user or password");
        assert_ne!(status.state, ConnectionState::Connected);
        assert!(!format!("{status:?}").contains("s3cret"), "{status:?}");
    }
    let nobody = Credentials::Env { user: "POLLUX_NOT_SET".into(), password: "POLLUX_NOT_SET".into() };
    Probe::start(&scene::scene(with_login(&server.url(), nobody))).error_with("POLLUX_NOT_SET");
}

#[test]
fn a_broker_is_trusted_by_its_authority_and_asks_for_a_client_certificate() {
    let Some(server) = Mosquitto::start_with(|dir| {
        let ours = Authority::new(dir, "ours");
        ours.sign(dir, "server");
        ours.sign(dir, "client");
        Authority::new(dir, "strangers");
        let file = |name: &str| dir.join(name).display().to_string();
        format!(
            "allow_anonymous true\nrequire_certificate true\ncafile {}\ncertfile {}\nkeyfile {}\n",
            file("ours.pem"),
            file("server.pem"),
            file("server.key")
        )
    }) else {
        return;
    };
    let url = format!("mqtts://127.0.0.1:{}", server.port);
    let tls = |ca: &str, client: bool| Tls {
        ca: Some(server.path(ca)),
        certificate: client.then(|| server.path("client.pem")),
        key: client.then(|| server.path("client.key")),
    };
    for version in [MqttVersion::V3, MqttVersion::V5] {
        let start = |tls: Tls| Probe::start(&scene::scene(Broker { version, tls, ..broker(&url) }));
        Probe::connected(&scene::scene(Broker { version, tls: tls("ours.pem", true), ..broker(&url) }));
        let status = start(tls("strangers.pem", true)).error_with("untrusted");
        assert_ne!(status.state, ConnectionState::Connected);
        start(tls("ours.pem", false)).error_with("client certificate");
        start(tls("missing.pem", false)).error_with("missing.pem");
    }
}

#[test]
fn a_payload_that_is_not_json_has_its_counter_and_nothing_else_suffers() {
    let Some(server) = Mosquitto::start() else { return };
    let mut probe = Probe::connected(&scene::scene(broker(&server.url())));
    server.publish(&[], TELEMETRY, b"\x00\xff{ no json");
    assert_eq!(probe.sample(FLOW, 0).quality, Quality::bad(Reason::DecodeError));
    server.publish(&[], TELEMETRY, r#"{"flow": 2}"#);
    assert_eq!(probe.sample(FLOW, 1).quality, Quality::GOOD);
    let status = probe.status();
    assert_eq!((status.received, status.decode_errors, status.dropped), (2, 1, 0));
    assert!(status.problems[0].last_error.contains("not JSON"), "{:?}", status.problems);
    assert!(status.problems[0].last_payload.contains("{ no json"), "{:?}", status.problems);
}

#[test]
fn a_payload_of_900_kib_passes_and_one_over_the_limit_is_counted() {
    let Some(server) = Mosquitto::start() else { return };
    let mut probe = Probe::connected(&scene::scene(broker(&server.url())));
    server.publish(&[], TELEMETRY, format!(r#"{{"pad": "{}", "flow": 9}}"#, "x".repeat(900 << 10)));
    assert_eq!(probe.sample(FLOW, 0).value, Value::Number(9.0));
    server.publish(&[], TELEMETRY, format!(r#"{{"pad": "{}", "flow": 10}}"#, "x".repeat(1100 << 10)));
    probe.wait_for("a drop", |_, status| status.dropped == 1);
    assert!(probe.status().problems[0].last_error.contains("above the limit"));
    server.publish(&[], TELEMETRY, r#"{"flow": 11}"#);
    assert_eq!(probe.sample(FLOW, 1).value, Value::Number(11.0));
    assert_eq!(probe.status().reconnects, 0, "it costs itself alone");
}

#[test]
fn a_retained_message_above_the_limit_names_its_topic_and_blinds_nobody() {
    let Some(server) = Mosquitto::start() else { return };
    for (version, qos) in [(MqttVersion::V3, 0), (MqttVersion::V3, 1), (MqttVersion::V5, 2)] {
        server.publish(&["-r", "-q", "1"], "notes/anna/P-101/big", vec![b'x'; 5 << 20]);
        let mut probe = Probe::connected(&scene::scene(Broker { version, qos, ..broker(&server.url()) }));
        for n in 0..8 {
            server.publish(&["-q", "1"], TELEMETRY, format!("{{\"flow\": {n}}}"));
            assert_eq!(probe.sample(FLOW, n).value, Value::Number(n as f64));
        }
        let status = probe.status();
        assert_eq!((status.dropped, status.reconnects, status.received), (1, 0, 9), "{status:?}");
        let problem = status.problems.iter().find(|problem| problem.topic == "notes/anna/P-101/big").unwrap();
        let said = "above the limit of 1048576 bytes and was not read: raise `max_packet`";
        assert!(problem.last_error.contains(said), "{problem:?}");
    }
}

#[test]
fn two_clients_with_one_id_are_told_what_is_wrong_and_what_to_do() {
    let Some(server) = Mosquitto::start() else { return };
    for version in [MqttVersion::V3, MqttVersion::V5] {
        let scene = scene::scene(Broker { version, client_id: Some("twin-1".into()), ..broker(&server.url()) });
        let mut first = Probe::connected(&scene);
        let _second = Probe::connected(&scene);
        // The error is gone while it is connected again: what stays is on the list of problems.
        first.wait_for("a word about the id", |_, status| {
            let said = |error: &str| error.contains("the client id `twin-1`: give each program a client id of its own");
            status.problems.iter().any(|problem| problem.topic == "(client id)" && said(&problem.last_error))
        });
    }
}

#[test]
fn a_thousand_unknown_topics_and_ten_thousand_messages_from_paho_are_all_counted() {
    let Some(server) = Mosquitto::start() else { return };
    let scene = scene::scene(Broker { subscribe: vec!["#".into()], qos: 1, ..broker(&server.url()) });
    let mut probe = Probe::connected(&scene);
    let ran = server.paho(
        r#"
import sys
import paho.mqtt.client as mqtt
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2) if hasattr(mqtt, "CallbackAPIVersion") else mqtt.Client()
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_start()
for n in range(1000):
    client.publish(f"stray/{n}", "x", qos=1)
for n in range(10000):
    last = client.publish("hall/P-101/telemetry", '{"flow": %d}' % (n % 900), qos=1)
last.wait_for_publish(30)
client.disconnect()
"#,
    );
    if !ran {
        return;
    }
    probe.wait_for("all messages", |seen, status| seen.len() == 10_000 && status.received == 11_000);
    let values = probe.seen.iter().enumerate().all(|(n, sample)| sample.value == Value::Number((n % 900) as f64));
    assert!(values, "in order, nothing lost");
    let status = probe.status();
    assert_eq!((status.unknown_topics, status.decode_errors, status.dropped, status.coalesced), (1000, 0, 0, 0));
    assert!(status.unknown.len() <= 257 && status.unknown.iter().map(|(_, count)| count).sum::<u64>() == 1000);
}

#[test]
fn a_reloaded_scene_takes_over_whole_and_subscribes_what_is_new() {
    let Some(server) = Mosquitto::start() else { return };
    let mut scene = scene::scene(broker(&server.url()));
    let mut probe = Probe::connected(&scene);
    for signal in &mut scene.signals {
        if let SignalSource::Mqtt(binding) = &mut signal.source
            && binding.decoder != Decoder::Raw
        {
            binding.topic = "hall/P-102/telemetry".into();
        }
    }
    probe.table.swap(BindingTable::new(&scene, "plant", 1));
    std::thread::sleep(Duration::from_millis(300));
    server.publish(&[], TELEMETRY, r#"{"flow": 1}"#);
    server.publish(&[], "hall/P-102/telemetry", r#"{"flow": 2}"#);
    assert_eq!(probe.sample(FLOW, 0).value, Value::Number(2.0));
    assert_eq!(probe.status().received, 1, "the old topic is not subscribed any more");
}

#[test]
fn a_listener_without_a_broker_says_so_tries_again_and_stops_when_told() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut probe = Probe::start(&scene::scene(broker(&format!("mqtt://127.0.0.1:{port}"))));
    let status = probe.error_with("connection refused");
    assert!(status.error.unwrap().starts_with(&format!("mqtt://127.0.0.1:{port}: ")));
    let started = Instant::now();
    drop(probe);
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    let mut nowhere = Probe::start(&scene::scene(broker("mqtt://no-such-host.invalid")));
    nowhere.error_with("host name cannot be found");
}
