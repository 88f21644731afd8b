//! Scenes without models move: plausibly, or as in a recording; and nobody takes them for machines.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use pollux::import::Sent;
use pollux::ingest::Message;
use pollux::plant::{MakeError, Options, Plant, StandIn};
use pollux::run::{Run, RunOptions};
use pollux::scene::{self, Scene, SignalSource, ValueKind};
use pollux::session::stand_in::{StandInError, learn};
use pollux::value::{Grade, Sample, Value};

use crate::simulated::{START, four_machines, numbers, recording, run, samples};

/// Warnings are allowed: an old scene names a plant that was built in.
fn load(path: &Path) -> Arc<Scene> {
    let loaded = scene::load(path);
    let said = loaded.render(false);
    Arc::new(loaded.scene.unwrap_or_else(|| panic!("{said}")))
}

fn scene_of(text: &str) -> Arc<Scene> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scene.ron");
    fs::write(&path, text).expect("a scene");
    load(&path)
}

fn old_scene() -> Arc<Scene> {
    load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenes/v1_0.ron"))
}

fn invented(seed: u64) -> Options {
    Options { seed, stand_in: Some(StandIn::Invented), ..Options::default() }
}

fn plant(scene: &Arc<Scene>, options: Options) -> Plant {
    Plant::new(scene.clone(), options).unwrap_or_else(|error| panic!("{error}"))
}

/// The names of alarms that came in a run.
fn alarms(scene: &Arc<Scene>, messages: &[Sent]) -> Vec<String> {
    let mut run = Run::new(scene.clone(), RunOptions { start: START, ..RunOptions::default() });
    let mut raised = Vec::new();
    for Sent { time, broker, topic, payload, .. } in messages {
        run.message(broker, &Message { topic, payload, retained: false, qos: 0, receive_time: *time });
        let active = run.knowledge().alarms().iter().enumerate().filter(|(_, alarm)| alarm.state.is_active());
        raised.extend(active.map(|(at, _)| scene.alarms[at].name.clone()));
        raised.dedup();
    }
    raised
}

#[test]
fn an_old_scene_moves_without_a_model_and_raises_no_alarm() {
    let scene = old_scene();
    let messages = run(&mut plant(&scene, invented(4)), 3600);
    let samples = samples(&scene, &messages);
    for signal in &scene.signals {
        let path = scene.signal_path(signal.index);
        if !matches!(signal.source, SignalSource::Mqtt(_)) {
            assert!(!samples.contains_key(&path), "{path} is derived");
            continue;
        }
        let samples = samples.get(&path).unwrap_or_else(|| panic!("{path} is silent"));
        let longest = samples.windows(2).map(|pair| pair[1].receive_time.secs_since(pair[0].receive_time));
        let longest = longest.fold(0.0, f64::max);
        assert!(longest < signal.expires.map_or(2.0, |expires| expires.as_secs_f64()), "{path}: {longest} s");
        if signal.kind != ValueKind::Number {
            continue;
        }
        let values = numbers(samples);
        let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(*x), high.max(*x)));
        let limits = (signal.limits.low.unwrap_or(f64::MIN), signal.limits.high.unwrap_or(f64::MAX));
        assert!(low > limits.0 && high < limits.1, "{path}: {low} to {high}, limits {limits:?}");
        assert!(high > low, "{path} does not move");
    }
    let speed = numbers(&samples["P-101.speed"]);
    assert!(speed.iter().all(|rpm| (750.0..=2250.0).contains(rpm)), "the inner half of its range");
    assert_eq!(alarms(&scene, &messages), Vec::<String>::new());
}

const CAREFUL: &str = r#"Scene(format: (1, 3), name: "Careful", types: {"Press": (
    signals: {
        "running": (topic: "press/{id}/running", raw: Bool),
        "fault": (topic: "press/{id}/fault", raw: Bool),
        "guard": (topic: "press/{id}/guard", raw: Bool, alarms: {"open": (is: [true])}),
        "mode": (topic: "press/{id}/mode", raw: Text, alarms: {"wrong": (is: ["OK", "FAULT"])}),
        "step": (topic: "press/{id}/step", raw: Text, alarms: {"odd": (is_not: ["PRESS", "OPEN"])}),
        "state": (topic: "press/{id}/state", raw: Text),
        "force": (unit: "kN", topic: "press/{id}", json: "/force", range: (0.0, 100.0),
                  alarms: {"fast": (rate: (above: 0.5, per: "1s", over: "1s"))}),
        "wanted": (unit: "kN", topic: "press/{id}", json: "/wanted", range: (0.0, 100.0)),
        "got": (unit: "kN", topic: "press/{id}", json: "/got", alarms: {"off": (deviation: (from: "wanted", above: 1.0))}),
        "bottles": (topic: "press/{id}", json: "/bottles"),
        "energy": (unit: "kWh", topic: "press/{id}", json: "/energy"),
        "hours": (unit: "h", topic: "press/{id}", json: "/hours"),
        "power": (unit: "kW", topic: "press/{id}", json: "/total", label: "Total power", limits: (high: 10.0)),
        "busy": (kind: Bool, derived: "state == \"BUSY\""),
    },
    alarms: {
        "idle": (when: "running && state == \"OK\""),
        "stopped": (when: "!running && force > 10"),
    },
)}, twins: [(id: "X-1", type: "Press")])"#;

#[test]
fn what_alarms_say_is_kept_away_from() {
    let scene = scene_of(CAREFUL);
    for seed in 0..3 {
        let messages = run(&mut plant(&scene, invented(seed)), 1800);
        assert_eq!(alarms(&scene, &messages), Vec::<String>::new(), "seed {seed}");
        let samples = samples(&scene, &messages);
        let words = |signal: &str| {
            let mut words: Vec<String> = samples[signal].iter().map(|sample| sample.value.to_string()).collect();
            words.dedup();
            words.join(" ")
        };
        assert_eq!(words("X-1.running"), "true", "off would be an alarm while there is force");
        assert_eq!((words("X-1.fault"), words("X-1.guard")), ("false".into(), "false".into()));
        assert_eq!((words("X-1.mode"), words("X-1.step")), ("NORMAL".into(), "PRESS".into()));
        assert_eq!(words("X-1.state"), "BUSY", "a word that an expression knows");
        let rises = |signal: &str| {
            let values = numbers(&samples[signal]);
            assert!(values.windows(2).all(|pair| pair[1] >= pair[0]), "{signal}");
            values[values.len() - 1] - values[0]
        };
        assert!((rises("X-1.hours") - 0.5).abs() < 0.01, "half an hour");
        assert!((rises("X-1.bottles") - 900.0).abs() < 60.0 && rises("X-1.energy") > 20.0);
        assert!(numbers(&samples["X-1.bottles"]).iter().all(|count| count.fract() == 0.0));
        let power = numbers(&samples["X-1.power"]);
        assert!(power.windows(2).any(|pair| pair[1] < pair[0]), "a total power is no counter");
    }
    let mut messages = run(&mut plant(&scene, invented(0)), 10);
    messages.iter_mut().filter(|sent| sent.topic == "press/X-1/guard").for_each(|sent| sent.payload = b"true".to_vec());
    assert_eq!(alarms(&scene, &messages), ["guard.open"], "this test would see one");
}

#[test]
fn without_stand_ins_a_scene_without_models_is_no_plant() {
    let scene = old_scene();
    let refused = |scene: &Arc<Scene>, options: Options| Plant::new(scene.clone(), options).err();
    let name = || "Everything".to_owned();
    assert_eq!(refused(&scene, Options::default()), Some(MakeError::NoModels { scene: name() }));
    let nothing = Arc::new(Scene { name: name(), ..Scene::default() });
    assert_eq!(refused(&nothing, invented(1)), Some(MakeError::Unbound { scene: name() }));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_what_is_stored_goes_on_with_them() {
    let scene = old_scene();
    let first = run(&mut plant(&scene, invented(7)), 900);
    assert!(first == run(&mut plant(&scene, invented(7)), 900), "two runs of one seed differ");
    assert!(first != run(&mut plant(&scene, invented(8)), 900), "two seeds give the same");
    for secs in [0, 1, 700] {
        let mut original = plant(&scene, invented(7));
        run(&mut original, secs);
        let bytes = original.to_bytes();
        let mut restored = plant(&scene, invented(7));
        restored.restore(&bytes).expect("it fits");
        assert!(restored.to_bytes() == bytes, "after {secs} s");
        assert!(run(&mut original, 400) == run(&mut restored, 400), "after {secs} s");
    }
    let mut running = plant(&scene, invented(7));
    run(&mut running, 700);
    let mut adopted = running.clone();
    adopted.adopt(scene.clone(), Vec::new()).expect("it fits");
    let (on, told) = (samples(&scene, &run(&mut running, 100)), samples(&scene, &run(&mut adopted, 100)));
    assert!(numbers(&on["P-101.angle"]) == numbers(&told["P-101.angle"]), "a scene that is read again changes nothing");
    let bytes = plant(&scene, invented(7)).to_bytes();
    assert!(plant(&load(&four_machines()), Options::default()).restore(&bytes).is_err(), "of another scene");
}

fn announced(plant: &mut Plant) -> serde_json::Value {
    let mut said = serde_json::Value::Null;
    let topic = plant.announcement_topic();
    plant.announce(START, &mut |message| {
        if message.topic == topic {
            said = serde_json::from_slice(message.payload).expect("JSON");
        }
    });
    said
}

#[test]
fn stand_ins_are_named_where_the_plant_says_who_it_is() {
    let all = announced(&mut plant(&old_scene(), invented(1)));
    assert_eq!((&all["simulated"], &all["stand_ins"]), (&true.into(), &serde_json::json!(["P-101", "P-102"])));
    let well = load(&four_machines());
    assert_eq!(announced(&mut plant(&well, Options::default()))["stand_ins"], serde_json::json!([]));
    // All that its messages carry is measured, or said by their payloads.
    assert_eq!(announced(&mut plant(&well, invented(1)))["stand_ins"], serde_json::json!([]));
    let text = fs::read_to_string(four_machines()).expect("a scene");
    let more = text
        .replacen("\"state\": (", "\"hours\": (unit: \"h\", topic: \"well/{id}/hours\", raw: Number), \"state\": (", 1)
        .replacen("model: ControlValve(kv: 25.0),", "", 1)
        .replacen("inputs: {\"command\": 0.6},", "", 1)
        .replacen("measures: (of: \"position\", resolution: \"0.5 %\", dead_time: \"1s\"),", "range: (0.0, 100.0),", 1)
        .replacen("(from: \"P-1.outlet\", to: \"V-1.inlet\"),", "(from: \"P-1.outlet\", to: \"C-1.inlet\"),", 1)
        .replacen("(from: \"V-1.outlet\", to: \"C-1.inlet\"),", "", 1)
        .replacen("(at: \"2min\", until: \"4min\", target: \"V-1.command\", set: 0.1),", "", 1);
    let scene = scene_of(&more);
    let mut half = plant(&scene, invented(1));
    assert_eq!(announced(&mut half)["stand_ins"], serde_json::json!(["P-1.hours", "V-1"]));
    let samples = samples(&scene, &run(&mut half, 30));
    assert!(samples["P-1.hours"].len() >= 30 && samples["V-1.position"].len() >= 30);
    assert_eq!(samples["V-1.serial"][0].value, Value::Text("V-120".into()), "what a payload says stays as it is");
    assert!(numbers(&samples["P-1.flow"]).iter().any(|flow| *flow > 1.0), "a model beside stand-ins");
}

/// The well without models, and with other units and topics.
const MIRROR: &str = r#"Scene(format: (1, 0), name: "Well from afar", types: {
    "Tank": (signals: {
        "level": (unit: "m", topic: "afar/{id}", json: "/level", time: (json: "/at"), expires: "5s"),
        "temperature": (unit: "K", topic: "afar/{id}", json: "/temperature", time: (json: "/at")),
        "full": (topic: "afar/{id}/full", raw: Bool),
        "maker": (topic: "afar/{id}/maker", raw: Text),
        "colour": (topic: "afar/{id}/colour", raw: Text),
    }),
    "Pump": (signals: {
        "flow": (unit: "L/min", topic: "afar/{id}/flow", raw: Number),
        "vibration": (unit: "mm/s", topic: "afar/{id}/vibration", json: "/rms"),
        "state": (topic: "afar/{id}/state", raw: Text),
    }),
}, twins: [(id: "T-1", type: "Tank"), (id: "P-1", type: "Pump"), (id: "Z-9", type: "Pump")])"#;

#[test]
fn a_stand_in_behaves_as_in_a_recording_of_another_scene() {
    let well = load(&four_machines());
    let calm = Options { seed: 7, story: false, ..Options::default() };
    let messages = run(&mut plant(&well, calm), 1200);
    let folder = tempfile::tempdir().expect("a folder");
    let path = recording(folder.path(), &well, &messages);
    let mirror = scene_of(MIRROR);
    let learned = learn(std::slice::from_ref(&path), &mirror).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((learned.found, learned.wanted), (7, 11), "not the colour, and nothing of Z-9");
    let options = Options { seed: 3, stand_in: Some(learned.stand_in), ..Options::default() };
    let (then, now) = (samples(&well, &messages), samples(&mirror, &run(&mut plant(&mirror, options.clone()), 1200)));
    let told = |samples: &[Sample]| {
        let values = numbers(samples);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let square = |x: f64| x * x;
        let deviation = (values.iter().map(|x| square(x - mean)).sum::<f64>() / values.len() as f64).sqrt();
        let steps = values.windows(2).map(|pair| square(pair[1] - pair[0])).sum::<f64>();
        (mean, deviation, (steps / (values.len() - 1) as f64).sqrt())
    };
    let scaled = |path: &str, scale: f64, zero: f64| {
        let ((mean, deviation, steps), (ours, our_deviation, our_steps)) = (told(&then[path]), told(&now[path]));
        let (mean, deviation, steps) = (mean * scale + zero, deviation * scale, steps * scale);
        let near = |a: f64, b: f64, share: f64| (a - b).abs() <= share * b.abs() + 1e-9;
        assert!((ours - mean).abs() <= deviation + 1e-9, "{path}: {ours} for {mean} ± {deviation}");
        assert!(near(our_deviation, deviation, 0.5), "{path}: {our_deviation} for {deviation}");
        assert!(near(our_steps, steps, 0.15), "{path}, from reading to reading: {our_steps} for {steps}");
        let (count, wanted) = (now[path].len() as f64, then[path].len() as f64);
        assert!(near(count, wanted, 0.03), "{path}: {count} messages for {wanted}");
    };
    scaled("T-1.level", 1e-3, 0.0);
    scaled("T-1.temperature", 1.0, 273.15);
    scaled("P-1.flow", 1000.0 / 60.0, 0.0);
    scaled("P-1.vibration", 1.0, 0.0);
    assert!(numbers(&now["T-1.level"]).iter().all(|level| (level * 1000.0 - (level * 1000.0).round()).abs() < 1e-6));
    assert_eq!(now["T-1.maker"].first().map(|sample| &sample.value), Some(&Value::Text("Own works".into())));
    assert!(now["T-1.maker"].len() <= 2, "{}", now["T-1.maker"].len());
    assert_eq!(now["T-1.full"].last().map(|sample| &sample.value), Some(&Value::Bool(false)));
    assert!(now["P-1.state"].iter().all(|sample| then["P-1.state"].iter().any(|old| old.value == sample.value)));
    assert!(now["Z-9.flow"].len() > 1000 && now["T-1.colour"][0].quality.grade == Grade::Good, "the rest is invented");
    assert!(run(&mut plant(&mirror, options.clone()), 60) == run(&mut plant(&mirror, options), 60));

    let strange = scene_of(&MIRROR.replace("T-1", "T-7").replace("P-1", "P-7"));
    let refused = learn(std::slice::from_ref(&path), &strange).expect_err("it knows none of them");
    assert!(
        matches!(refused, StandInError::Nothing { .. }) && refused.to_string().contains("matched by id"),
        "{refused}"
    );
}
