//! The embedded broker as clients see it: Paho, mqtt.js and mosquitto's, and clients that misbehave.
//! `scripts/test-clients.sh` fetches the first two. A test whose client is missing says so and passes, unless
//! POLLUX_REQUIRE_CLIENTS=1.

pub mod raw;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pollux::source::broker::{BrokerError, Embedded, EmbeddedConfig, QUEUED_MESSAGES, RECEIVE_MAXIMUM, User};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use raw::{Raw, publish};

/// Held by tests that open hundreds of connections: two at a time would pass the usual limit of 1,024 file handles.
static CROWD: Mutex<()> = Mutex::new(());

fn start() -> Embedded {
    Embedded::start(EmbeddedConfig::default()).expect("a free port on loopback")
}

/// Where `scripts/test-clients.sh` puts what it fetches.
pub fn clients() -> PathBuf {
    std::env::var_os("POLLUX_TEST_CLIENTS").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("inside the target folder").join("test-clients"),
        PathBuf::from,
    )
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/clients")
}

/// True if the client is there; else says that the test is skipped, or fails where all clients are required.
pub fn has(what: &str, there: bool) -> bool {
    if !there {
        let required = std::env::var("POLLUX_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
        assert!(!required, "{what} is missing; run scripts/test-clients.sh");
        println!("skipped: {what} is missing; run scripts/test-clients.sh");
    }
    there
}

fn can_run(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("the client runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}\n{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn paho(case: &str) {
    let module = clients().join("python");
    if !has("paho-mqtt", module.is_dir() && can_run("python3", "--version")) {
        return;
    }
    let broker = start();
    for version in ["3.1.1", "5"] {
        let port = broker.address().port().to_string();
        let script = scripts().join("paho_client.py");
        let mut command = Command::new("python3");
        command.env("PYTHONPATH", &module).env("PYTHONDONTWRITEBYTECODE", "1");
        print!("{}", run(command.arg(script).args([&port, case, version])));
    }
    assert_eq!(broker.stats().strangers, 0);
}

#[test]
fn paho_gets_what_its_wildcards_match_and_nothing_else() {
    paho("wildcards");
}

#[test]
fn paho_gets_a_thousand_retained_messages_whole_at_each_qos() {
    paho("retained");
}

#[test]
fn paho_sees_the_wills_of_those_who_vanish_and_not_of_those_who_leave() {
    paho("wills");
}

#[test]
fn paho_finds_its_session_and_what_came_meanwhile() {
    paho("sessions");
}

#[test]
fn paho_gets_qos_2_exactly_once_though_connections_break() {
    paho("exactly_once");
}

#[test]
fn paho_may_turn_the_keep_alive_off() {
    paho("keepalive_0");
}

#[test]
fn paho_may_have_any_client_identifier() {
    paho("identifiers");
}

#[test]
fn paho_sends_fifteen_megabytes_and_not_seventeen() {
    paho("large");
}

#[test]
fn mqtt_js_finds_retained_messages_wills_and_sessions() {
    let module = clients().join("node/node_modules/mqtt");
    if !has("mqtt.js", module.is_dir() && can_run("node", "--version")) {
        return;
    }
    let broker = start();
    for version in ["3.1.1", "5"] {
        let port = broker.address().port().to_string();
        let mut command = Command::new("node");
        command.arg(scripts().join("mqttjs_client.js")).arg(&module).args([&port, version]);
        print!("{}", run(&mut command));
    }
}

#[test]
fn mosquitto_publishes_and_subscribes_in_both_versions() {
    if !has("mosquitto_pub", can_run("mosquitto_pub", "--help") && can_run("mosquitto_sub", "--help")) {
        return;
    }
    let broker = start();
    let port = broker.address().port().to_string();
    for version in ["311", "5"] {
        let client = |program: &str, more: &[&str]| {
            let mut command = Command::new(program);
            command.args(["-h", "127.0.0.1", "-p", &port, "-V", version]).args(more);
            command
        };
        // Retained, at each QoS.
        for qos in ["0", "1", "2"] {
            let topic = format!("m/{version}/{qos}");
            run(&mut client("mosquitto_pub", &["-t", &topic, "-m", "kept", "-r", "-q", qos]));
            let got = run(&mut client(
                "mosquitto_sub",
                &["-t", &topic, "-q", qos, "-C", "1", "-W", "10", "-F", "%t %p %q %r"],
            ));
            assert_eq!(got, format!("{topic} kept {qos} 1\n"));
        }
        // A session that is kept between connections.
        let session = ["-i", "a/kept/session", "-c", "-q", "1", "-t", "m/orders"];
        let expiry: &[&str] = if version == "5" { &["-x", "3600"] } else { &[] };
        run(&mut client("mosquitto_sub", &[&session[..], expiry, &["-E"]].concat()));
        for n in 0..5 {
            run(&mut client("mosquitto_pub", &["-t", "m/orders", "-m", &n.to_string(), "-q", "1"]));
        }
        let got = run(&mut client("mosquitto_sub", &[&session[..], expiry, &["-C", "5", "-W", "10"]].concat()));
        assert_eq!(got, "0\n1\n2\n3\n4\n");
        // Ends the session, for the next version.
        run(&mut client("mosquitto_sub", &["-i", "a/kept/session", "-q", "1", "-t", "m/orders", "-E"]));
    }
}

/// A message that goes out and comes back.
fn round_trip(client: &mut Raw, topic: &str, n: u32) -> Duration {
    let started = Instant::now();
    let payload = n.to_be_bytes();
    client.send(&publish(topic, &payload, 1));
    let (mut acknowledged, mut came) = (false, false);
    while !(acknowledged && came) {
        match client.read().expect("still connected") {
            (0x40, _) => acknowledged = true,
            (kind, body) if kind >> 4 == 3 => {
                came = body.ends_with(&payload);
                client.send(&[0x40, 2, body[2 + topic.len()], body[3 + topic.len()]]);
            }
            (kind, _) => panic!("packet {kind:#x}"),
        }
    }
    started.elapsed()
}

#[test]
fn five_hundred_connections_of_random_bytes_and_two_hundred_idle_ones_harm_nobody() {
    let _alone = CROWD.lock().unwrap_or_else(PoisonError::into_inner);
    let broker = start();
    let address = broker.address();
    let mut good = Raw::connect(address, "good");
    good.subscribe("good", 1);
    let _idle: Vec<Raw> = (0..200).map(|_| Raw::open(address)).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(2026);
    let mut slowest = Duration::ZERO;
    for batch in 0..10 {
        let garbage: Vec<Raw> = (0..50)
            .map(|n| {
                let mut bytes = vec![0; rng.random_range(1..4096)];
                rng.fill_bytes(&mut bytes);
                match n % 5 {
                    // Half of a CONNECT; what follows says it is long; what follows a CONNECT that is accepted.
                    0 => bytes.splice(.., *b"\x10\x20\x00\x04MQTT\x04\x02\x00").for_each(drop),
                    1 => bytes.splice(..1, *b"\x10\xff\xff\x3f\x00\x04MQTT\x05").for_each(drop),
                    2 | 3 => {
                        let id = format!("noise-{batch}-{n}");
                        let mut noisy = Raw::connect(address, &id);
                        noisy.throw(&bytes);
                        return noisy;
                    }
                    _ => {}
                }
                let mut stranger = Raw::open(address);
                stranger.throw(&bytes);
                stranger
            })
            .collect();
        slowest = slowest.max(round_trip(&mut good, "good", batch));
        drop(garbage);
    }
    let mut late = Raw::connect(address, "late");
    late.subscribe("late", 1);
    slowest = slowest.max(round_trip(&mut late, "late", 1));
    println!("slowest round trip: {slowest:?}; {:?}", broker.stats());
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    assert!(broker.stats().strangers > 50, "{:?}", broker.stats());
}

#[test]
fn a_flood_of_idle_connections_makes_room_for_clients_that_speak() {
    let _alone = CROWD.lock().unwrap_or_else(PoisonError::into_inner);
    let broker = start();
    let idle: Vec<Raw> = (0..300).map(|_| Raw::open(broker.address())).collect();
    let mut client = Raw::connect(broker.address(), "client");
    client.subscribe("client", 1);
    round_trip(&mut client, "client", 1);
    // The first ones were told to go, long before their time was over.
    let mut first = idle.into_iter().next().unwrap().within(Duration::from_secs(3));
    assert_eq!(first.read(), None);
}

#[test]
fn connections_beyond_the_limit_are_closed_and_counted() {
    let broker = Embedded::start(EmbeddedConfig { max_connections: 5, ..Default::default() }).unwrap();
    let mut clients: Vec<Raw> = (0..5).map(|n| Raw::connect(broker.address(), &format!("client-{n}"))).collect();
    assert_eq!(Raw::connect_as(broker.address(), "one-too-many", None).1, None);
    let until = Instant::now() + Duration::from_secs(5);
    // A client is counted just after it was told that it is welcome.
    while (broker.stats().connections, broker.stats().refused) != (5, 1) {
        assert!(Instant::now() < until, "{:?}", broker.stats());
        std::thread::sleep(Duration::from_millis(5));
    }
    clients.pop();
    while Raw::connect_as(broker.address(), "next", None).1 != Some(0) {
        assert!(Instant::now() < until, "no place became free");
    }
}

#[test]
fn a_client_that_never_reads_holds_up_nobody_and_is_kept_a_bounded_number_of_messages() {
    const SENT: usize = 110_000;
    let broker = start();
    let address = broker.address();
    let mut stalled = Raw::connect(address, "stalled");
    stalled.subscribe("flood/#", 1);
    stalled.subscribe("good", 1);
    let mut good = Raw::connect(address, "good");
    good.subscribe("good", 1);

    let flood = std::thread::spawn(move || {
        let mut publisher = Raw::connect(address, "publisher");
        let chunk = publish("flood/all", &[7; 1000], 0).repeat(1000);
        for _ in 0..SENT / 1000 {
            publisher.send(&chunk);
        }
        publisher
    });
    let mut slowest = Duration::ZERO;
    let mut rounds = 0;
    while !flood.is_finished() || rounds < 300 {
        slowest = slowest.max(round_trip(&mut good, "good", rounds));
        rounds += 1;
    }
    let publisher = flood.join().unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while broker.stats().published < (SENT as u64) + u64::from(rounds) {
        assert!(Instant::now() < until, "the flood was not taken: {:?}", broker.stats());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(slowest < Duration::from_secs(4), "{slowest:?}");

    // Now it reads: what was kept for it, and what the system had buffered, and no more.
    let mut stalled = stalled.within(Duration::from_secs(2));
    let mut got = 0;
    while let Ok(Some((_, body))) = stalled.try_read() {
        got += usize::from(body.len() > 1000);
    }
    println!("{rounds} round trips, the slowest {slowest:?}; {got} of {SENT} were kept for the stalled client");
    assert!(got > 1000, "{got}");
    assert!(got <= QUEUED_MESSAGES + 20_000, "{got} were kept");
    drop(publisher);
}

#[test]
fn a_client_of_version_5_is_told_how_many_exchanges_it_may_begin_and_stopped_beyond() {
    let broker = start();
    let mut client = Raw::open(broker.address());
    client.send(b"\x10\x12\x00\x04MQTT\x05\x02\x00\x1e\x00\x00\x05eager");
    let (kind, connack) = client.read().expect("an answer");
    let told = [&[0x21][..], &RECEIVE_MAXIMUM.to_be_bytes()].concat();
    assert!(kind == 0x20 && connack[1] == 0 && connack.windows(3).any(|bytes| bytes == told), "{connack:?}");
    // Never completes one: PUBREC is not answered.
    for id in 1..=RECEIVE_MAXIMUM + 1 {
        client.throw(&[&b"\x34\x06\x00\x01t"[..], &id.to_be_bytes(), b"\x00"].concat());
    }
    let mut begun = 0;
    let last = loop {
        match client.read().expect("a reason before the end") {
            (0x50, _) => begun += 1,
            other => break other,
        }
    };
    assert_eq!((begun, last.0, last.1[0]), (RECEIVE_MAXIMUM, 0xe0, 0x93), "receive maximum exceeded");
}

#[test]
fn a_taken_port_is_named_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let bind = taken.local_addr().unwrap();
    let error = Embedded::start(EmbeddedConfig { bind, ..Default::default() }).unwrap_err();
    assert!(matches!(error, BrokerError::Taken(address) if address == bind));
    assert_eq!(
        error.to_string(),
        format!(
            "embedded broker: port {} of 127.0.0.1 is in use by another program; choose another port or port 0 for a \
             free one, or connect to the broker that listens there",
            bind.port()
        )
    );
}

#[test]
fn beyond_loopback_it_wants_users_and_then_lets_in_only_those() {
    let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let open = EmbeddedConfig { bind: everywhere, ..Default::default() };
    assert!(matches!(Embedded::start(open.clone()), Err(BrokerError::Exposed(_))));

    let users = vec![User { name: "anna".into(), password: "s3cret".to_owned().into() }];
    // On loopback, so that the test opens nothing to others: users are checked everywhere alike.
    let broker = Embedded::start(EmbeddedConfig { users, ..Default::default() }).unwrap();
    let code = |user| Raw::connect_as(broker.address(), "anna-1", user).1;
    assert_eq!(code(Some(("anna", "s3cret"))), Some(0));
    for wrong in [None, Some(("anna", "S3cret")), Some(("anna", "")), Some(("bert", "s3cret"))] {
        // 4: bad user name or password (MQTT 3.1.1, table 3.1).
        assert_eq!(code(wrong), Some(4), "{wrong:?}");
    }
    assert_eq!(code(Some(("anna", "s3cret"))), Some(0), "wrong guesses lock nobody out");
}

#[test]
fn it_stops_within_two_seconds_whatever_clients_do_and_starts_again_on_the_same_port() {
    let mut bind = EmbeddedConfig::default().bind;
    for round in 0..3 {
        let broker = Embedded::start(EmbeddedConfig { bind, ..Default::default() }).unwrap();
        bind = broker.address();
        let mut good = Raw::connect(bind, "good");
        good.subscribe("good", 1);
        round_trip(&mut good, "good", round);
        let idle = Raw::open(bind);
        // One that does not read what it is sent, more than the system buffers.
        let mut stalled = Raw::connect(bind, "stalled");
        stalled.subscribe("large", 0);
        for _ in 0..4 {
            good.send(&publish("large", &vec![0; 8 * 1024 * 1024], 0));
        }
        round_trip(&mut good, "good", round);

        let started = Instant::now();
        broker.shutdown();
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        assert_eq!(good.read(), None, "told by the end of the connection");
        drop((idle, stalled));
    }
}

/// For suites of others, such as Eclipse's paho.mqtt.testing: serves on port 18830 for as many seconds as
/// POLLUX_SERVE_SECS says.
#[test]
#[ignore = "serves other test suites"]
fn it_serves_the_suites_of_others() {
    let secs = std::env::var("POLLUX_SERVE_SECS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let broker =
        Embedded::start(EmbeddedConfig { bind: "127.0.0.1:18830".parse().unwrap(), ..Default::default() }).unwrap();
    std::thread::sleep(Duration::from_secs(secs));
    println!("{:?}", broker.stats());
}
