//! Faults of all layers on the wire, as clients see it that nobody here wrote: mosquitto's and paho's.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use pollux::command::FaultCommand;
use pollux::event::Kind;
use pollux::fault::{Course, Defect, LinkEffect, ProcessEffect, SensorEffect, Site, WrittenFault};
use serde_json::Value;

use super::World;
use crate::support::Mosquitto;

const SCENE: &str = r#"Scene(format: (1, 3), name: "Two tanks", types: {
    "Tank": (
        model: Tank(area: "2 m2", height: "3 m", start_level: "1 m"),
        signals: {
            "level": (
                unit: "m", topic: "two/{id}/level", json: "/v", time: (json: "/t", format: Milliseconds),
                measures: "level", expires: "5s",
            ),
        },
        messages: {"two/{id}/level": (every: "100ms")},
    ),
    "Valve": (
        model: ControlValve(stroke: "100 ms", lag: "50 ms"),
        inputs: {"command": (value: 0.5)},
        signals: {"position": (unit: "%", topic: "two/{id}/position", json: "/v", measures: "position", expires: "5s")},
        messages: {"two/{id}/position": (every: "100ms")},
    ),
}, twins: [(id: "T-1", type: "Tank"), (id: "T-2", type: "Tank"), (id: "V-1", type: "Valve")], links: [
    (from: "T-1.outlet", to: "V-1.inlet"), (from: "V-1.outlet", to: "T-2.inlet"),
])"#;

const LEVEL: &str = "two/T-1/level";
const POSITION: &str = "two/V-1/position";

/// One message as `mosquitto_sub` saw it.
#[derive(Clone, Debug)]
struct Seen {
    /// Seconds since 1970 at which it came.
    at: f64,
    topic: String,
    payload: Vec<u8>,
}

impl Seen {
    fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.payload).ok()
    }

    fn number(&self, field: &str) -> Option<f64> {
        self.json()?.get(field)?.as_f64()
    }
}

/// `mosquitto_sub` on everything; killed when it is dropped.
struct Witness {
    child: std::process::Child,
    file: std::path::PathBuf,
}

impl Witness {
    fn start(server: &Mosquitto) -> Self {
        let file = server.path("seen");
        let child = Command::new("mosquitto_sub")
            .args(["-h", "127.0.0.1", "-p", &server.port.to_string(), "-t", "#", "-F", "%U|%t|%x"])
            .stdout(std::fs::File::create(&file).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, file }
    }

    fn seen(&self) -> Vec<Seen> {
        let text = std::fs::read_to_string(&self.file).unwrap();
        let one = |line: &str| {
            let mut parts = line.splitn(3, '|');
            let (at, topic, hex) = (parts.next()?.parse().ok()?, parts.next()?.to_owned(), parts.next()?);
            let byte = |at: usize| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok();
            let payload = (0..hex.len() / 2).map(byte).collect::<Option<Vec<u8>>>()?;
            Some(Seen { at, topic, payload })
        };
        text.lines().filter_map(one).collect()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn now() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
}

impl World {
    fn pass(&mut self, secs: f64) {
        let until = now() + secs;
        self.until("time", |_| (now() >= until).then_some(()));
    }
}

fn values(seen: &[Seen], field: &str) -> Vec<f64> {
    seen.iter().filter_map(|one| one.number(field)).collect()
}

fn near(seen: &[Seen], wanted: f64, by: f64) -> bool {
    let all = values(seen, "v");
    !all.is_empty() && all.iter().all(|x| (x - wanted).abs() <= by)
}

/// Whether the times that messages say are in order.
fn in_order(seen: &[Seen]) -> bool {
    values(seen, "t").windows(2).all(|pair| pair[0] <= pair[1])
}

fn spread(seen: &[Seen]) -> f64 {
    let all = values(seen, "v");
    all.iter().copied().fold(f64::MIN, f64::max) - all.iter().copied().fold(f64::MAX, f64::min)
}

/// What a fault does on a topic: from half a second after it was set until it is cleared.
type Effect = Box<dyn Fn(&[Seen]) -> bool>;

fn effects() -> Vec<(&'static str, Defect<String, String>, &'static str, Effect)> {
    let process = |effect| Defect::Process { target: "V-1.command".to_owned(), effect };
    let sensor = |effect| Defect::Sensor { signal: "T-1.level".to_owned(), effect };
    let link = |effect| Defect::Link { broker: None, topics: vec![LEVEL.to_owned()], effect };
    let swapped = Defect::Swapped { signals: ("T-1.level".to_owned(), "V-1.position".to_owned()) };
    // Seconds by which a message is older than it says.
    let age = |one: &Seen| Some(one.at - one.number("t")? / 1000.0);
    vec![
        ("set", process(ProcessEffect::Set { to: 0.8 }), POSITION, Box::new(|seen| near(seen, 80.0, 0.5))),
        ("add", process(ProcessEffect::Add { by: 0.2 }), POSITION, Box::new(|seen| near(seen, 70.0, 0.5))),
        ("scale", process(ProcessEffect::Scale { by: 0.5 }), POSITION, Box::new(|seen| near(seen, 25.0, 0.5))),
        (
            "oscillate",
            process(ProcessEffect::Oscillate { amplitude: 0.2, period: 1.0 }),
            POSITION,
            Box::new(|seen| spread(seen) > 20.0),
        ),
        ("bias", sensor(SensorEffect::Bias { by: 0.5 }), LEVEL, Box::new(|seen| near(seen, 1.5, 0.01))),
        (
            "drift",
            sensor(SensorEffect::Drift { rate: 0.5 }),
            LEVEL,
            Box::new(|seen| spread(seen) > 0.3 && values(seen, "v").windows(2).all(|pair| pair[0] <= pair[1])),
        ),
        ("gain", sensor(SensorEffect::Gain { by: 2.0 }), LEVEL, Box::new(|seen| near(seen, 2.0, 0.01))),
        ("noise", sensor(SensorEffect::Noise { deviation: 0.1 }), LEVEL, Box::new(|seen| spread(seen) > 0.05)),
        (
            "spike",
            sensor(SensorEffect::Spike { share: 0.5, height: 5.0 }),
            LEVEL,
            Box::new(|seen| {
                let high = values(seen, "v").iter().filter(|x| (**x - 1.0).abs() > 4.0).count();
                high > 0 && high < seen.len()
            }),
        ),
        ("dropout", sensor(SensorEffect::Dropout { share: 1.0 }), LEVEL, Box::new(|seen| values(seen, "v").is_empty())),
        ("quantise", sensor(SensorEffect::Quantise { step: 0.3 }), LEVEL, Box::new(|seen| near(seen, 0.9, 0.01))),
        ("swapped", swapped, LEVEL, Box::new(|seen| near(seen, 50.0, 0.5))),
        ("disconnect", link(LinkEffect::Disconnect {}), LEVEL, Box::new(<[Seen]>::is_empty)),
        (
            "latency",
            link(LinkEffect::Latency { by: 0.4 }),
            LEVEL,
            Box::new(move |seen| !seen.is_empty() && seen.iter().filter_map(age).all(|age| age > 0.35)),
        ),
        ("jitter", link(LinkEffect::Jitter { most: 0.6, keeps_order: false }), LEVEL, Box::new(|seen| !in_order(seen))),
        ("loss", link(LinkEffect::Loss { share: 0.8 }), LEVEL, Box::new(|seen| seen.len() < 8)),
        (
            "duplicate",
            link(LinkEffect::Duplicate { share: 1.0 }),
            LEVEL,
            Box::new(|seen| {
                let twice = seen.windows(2).filter(|pair| pair[0].payload == pair[1].payload).count();
                twice + 1 >= seen.len() / 2 && twice > 3
            }),
        ),
        ("reorder", link(LinkEffect::Reorder { share: 0.5, wait: 10.0 }), LEVEL, Box::new(|seen| !in_order(seen))),
        (
            "corrupt",
            link(LinkEffect::Corrupt { share: 1.0, part: 0.5 }),
            LEVEL,
            Box::new(|seen| !seen.is_empty() && seen.iter().all(|one| one.json().is_none())),
        ),
        (
            "cut",
            link(LinkEffect::Cut { share: 1.0 }),
            LEVEL,
            Box::new(|seen| !seen.is_empty() && seen.iter().all(|one| one.json().is_none())),
        ),
        (
            "clock_skew",
            link(LinkEffect::ClockSkew { by: -30.0 }),
            LEVEL,
            Box::new(move |seen| !seen.is_empty() && seen.iter().filter_map(age).all(|age| age > 29.0)),
        ),
    ]
}

#[test]
fn faults_of_all_layers_do_on_the_wire_what_their_pages_say_and_an_overlay_does_nothing_there() {
    let Some(server) = Mosquitto::start() else { return };
    let witness = Witness::start(&server);
    let url = server.url();
    let mut world = World::of(SCENE, |options| {
        options.broker = Some(url);
        options.plant_speed = 1.0;
    });
    world.until_told("data", |event| matches!(event.kind, Kind::Birth));
    world.pass(1.0);
    let mut failed = String::new();
    for (id, defect, topic, is_so) in effects() {
        world.inject(id, defect, Course::default());
        world.until_set(id);
        world.pass(0.5);
        let begin = now();
        world.pass(1.5);
        let end = now();
        world.give(FaultCommand::Clear { site: Site::Plant, id: id.into() });
        world.until_cleared(id);
        let all = witness.seen();
        let during: Vec<Seen> =
            all.iter().filter(|one| one.topic == topic && one.at > begin && one.at < end).cloned().collect();
        if !is_so(&during) {
            let _ = writeln!(failed, "{id}: {:?}", during.iter().map(Seen::json).collect::<Vec<_>>());
        }
    }
    world.pass(1.0);
    let begin = now();
    let over = WrittenFault { id: "over".into(), defect: super::bias("T-1.level", 0.5), course: Course::default() };
    world.give(FaultCommand::Inject { site: Site::Overlay, fault: over, reason: String::new() });
    world.until_set("over");
    world.pass(1.5);
    let all = witness.seen();
    let after: Vec<Seen> = all.iter().filter(|one| one.topic == LEVEL && one.at > begin).cloned().collect();
    assert!(near(&after, 1.0, 0.01), "the truth is on the wire, whatever lies over it: {:?}", values(&after, "v"));
    assert!(failed.is_empty(), "{failed}");
    let others = all.iter().filter(|one| !one.topic.starts_with("two/") && !one.topic.starts_with("pollux/plant/"));
    assert_eq!(others.count(), 0, "nothing else was sent");
}

/// Waits for a level that a biased gauge shows, then for the truth again.
const PAHO: &str = r#"
import json, sys, time
import paho.mqtt.client as mqtt
state = {"high": False, "back": False}
def on_message(client, userdata, message):
    try: v = json.loads(message.payload)["v"]
    except Exception: return
    if abs(v - 1.5) < 0.01: state["high"] = True
    elif state["high"] and abs(v - 1.0) < 0.01: state["back"] = True
try: client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
except AttributeError: client = mqtt.Client()
client.on_message = on_message
client.on_subscribe = lambda *any: client.publish("watch/ready", "yes")
client.on_connect = lambda *any: client.subscribe("two/T-1/level")
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_start()
end = time.time() + 25
while time.time() < end and not state["back"]: time.sleep(0.05)
assert state["high"] and state["back"], state
"#;

#[test]
fn a_plant_elsewhere_is_controlled_by_messages_and_answers_each() {
    let Some(server) = Mosquitto::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let scene = folder.path().join("scene.ron");
    std::fs::write(&scene, SCENE).unwrap();
    let witness = Witness::start(&server);
    let mut command = crate::live::program::pollux();
    command.args(["plant", &scene.display().to_string(), "--broker", &server.url(), "--control", "--for", "30s"]);
    let mut plant = command.stderr(Stdio::null()).spawn().unwrap();
    let wait = |what: &str, is_it: &dyn Fn(&Seen) -> bool| {
        let begun = now();
        loop {
            if let Some(one) = witness.seen().into_iter().find(is_it) {
                return one;
            }
            assert!(now() < begun + 20.0, "waited for {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let control = "pollux/plant/two-tanks/control";
    let announced = wait("the announcement", &|one| one.topic == "pollux/plant/two-tanks");
    assert_eq!(announced.json().and_then(|said| said.get("control")?.as_bool()), Some(true));
    let faults = format!("{control}/faults");
    wait("the list of faults", &|one| one.topic == faults);
    let server = Arc::new(server);
    let paho = {
        let server = server.clone();
        std::thread::spawn(move || server.paho(PAHO))
    };
    // Where paho is missing, it ends at once.
    let begun = now();
    while !paho.is_finished() && !witness.seen().iter().any(|one| one.topic == "watch/ready") {
        assert!(now() < begun + 20.0, "paho does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
    let answer = |id: u64| {
        let one =
            wait("an answer", &|one| one.topic == format!("{control}/answer") && one.number("id") == Some(id as f64));
        one.json().unwrap()
    };
    let ask = |text: &str| server.publish(&[], control, text);
    ask(
        r#"{"id": 1, "by": "ada", "reason": "drill", "inject": {"fault": "bias", "on": "T-1.level", "with": {"by": "50 cm"}}}"#,
    );
    let said = answer(1);
    assert_eq!((said["ok"].as_bool(), said["faults"][0].as_str()), (Some(true), Some("F-1")), "{said}");
    wait("the effect", &|one| one.topic == LEVEL && one.number("v").is_some_and(|v| (v - 1.5).abs() < 0.01));
    let listed = wait("the fault among those that are retained", &|one| {
        one.topic == faults && one.json().is_some_and(|said| said["faults"][0]["by"] == "ada")
    });
    assert_eq!(listed.json().unwrap()["faults"][0]["on"], "T-1.level");
    ask(r#"{"id": 2, "inject": {"fault": "bias", "on": "T-1.levl", "with": {"by": "50 cm"}}}"#);
    let said = answer(2);
    assert_eq!(said["ok"], false);
    assert!(said["said"][0].as_str().unwrap().contains("T-1.level"), "{said}");
    ask("nonsense");
    ask(r#"{"id": 3}"#);
    assert_eq!(answer(3)["faults"][0], "F-1", "it goes on");
    server.publish(&["-r"], control, r#"{"id": 4, "clear": "all"}"#);
    assert_eq!(answer(4)["faults"].as_array().map(Vec::len), Some(0));
    paho.join().unwrap();
    let _ = plant.kill();
    let _ = plant.wait();
}
