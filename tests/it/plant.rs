//! A scene's plant in simulated time: it reports by the scene's own bindings, the same for the same seed, and what the
//! scene tells happens.

use std::fs;
use std::sync::Arc;

use pollux::import::Sent;
use pollux::plant::{Options, Plant};
use pollux::scene::{self, Scene, SignalSource};
use pollux::value::{Sample, Value};

use crate::simulated::{SECOND, START, changed, four_machines, load, numbers, run, samples};

fn plant(scene: &Arc<Scene>, seed: u64) -> Plant {
    Plant::new(scene.clone(), Options { seed, ..Options::default() }).expect("a plant")
}

#[test]
fn a_plant_speaks_by_the_bindings_of_its_own_scene() {
    let scene = load(&four_machines());
    let messages = run(&mut plant(&scene, 7), 60);
    let samples = samples(&scene, &messages);
    let bound = scene.signals.iter().filter(|signal| matches!(signal.source, SignalSource::Mqtt(_)));
    for signal in bound {
        assert!(samples.contains_key(&scene.signal_path(signal.index)), "{} is silent", signal.name);
    }
    let level = &samples["T-1.level"];
    assert_eq!(level.len(), 121, "two a second, and one at the start");
    assert!(numbers(level).iter().all(|mm| (1480.0..1520.0).contains(mm) && mm.fract() == 0.0), "{level:?}");
    // Its source time is the plant's, not that of the receipt.
    assert!(level.iter().all(|sample| (sample.source_time.0 - START.0) % 1_000_000 == 0));
    let gaps: Vec<i64> = level.windows(2).skip(1).map(|pair| pair[1].source_time.0 - pair[0].source_time.0).collect();
    assert!(gaps.iter().all(|gap| *gap == 500_000_000), "{gaps:?}");
    let warm = numbers(&samples["T-1.temperature"]);
    assert!(warm.iter().all(|degrees| (degrees - 20.2).abs() < 1e-9), "20 degC and a bias, through degF: {warm:?}");
    assert_eq!(samples["P-1.flow"].len(), 301);
    let flow = numbers(&samples["P-1.flow"]);
    assert!(flow.iter().skip(50).all(|flow| (6.5..7.5).contains(flow)), "{:?}", &flow[50..60]);
    assert_eq!(samples["P-1.state"].last().map(|last| &last.value), Some(&Value::Text("PUMPING".into())));
    assert_eq!(samples["T-1.full"].last().map(|last| &last.value), Some(&Value::Bool(false)));
    assert_eq!(samples["T-1.maker"].len(), 1, "a nameplate is sent once an hour");
    assert_eq!(samples["V-1.serial"][0].value, Value::Text("V-120".into()));
}

#[test]
fn payloads_have_what_no_signal_binds() {
    let scene = load(&four_machines());
    let messages = run(&mut plant(&scene, 7), 10);
    let json = |topic: &str, at: usize| -> serde_json::Value {
        let message = messages.iter().filter(|message| message.topic == topic).nth(at).expect("a message");
        serde_json::from_slice(&message.payload).expect("JSON")
    };
    let data = json("well/T-1/data", 3);
    assert_eq!((&data[0]["name"], &data[0]["n"]), (&"level".into(), &3.into()));
    assert!(data[0]["value"].is_number() && data[0]["at"].is_i64() && data[1]["value"].is_number());
    assert_eq!(json("well/P-1/nameplate", 0)["device"]["id"], "P-1");
    let vibration = json("well/P-1/vibration", 2);
    let wave: Vec<f64> = vibration["samples"].as_array().expect("a list").iter().filter_map(|x| x.as_f64()).collect();
    let mean_square = wave.iter().map(|x| x * x).sum::<f64>() / wave.len() as f64;
    assert!(wave.len() == 200 && mean_square > 0.0, "{wave:?}");
    let retained: Vec<&str> =
        messages.iter().filter(|message| message.retained).map(|message| message.topic.as_str()).collect();
    assert!(retained.contains(&"well/T-1/full") && !retained.contains(&"well/T-1/data"));
    let state = messages.iter().filter(|message| message.topic == "well/P-1/state").count();
    assert!((2..=4).contains(&state), "said when it changes, and every ten seconds: {state}");
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let scene = load(&four_machines());
    let first = run(&mut plant(&scene, 7), 300);
    assert!(first == run(&mut plant(&scene, 7), 300), "two runs of one seed differ");
    assert!(first != run(&mut plant(&scene, 8), 300), "two seeds give the same");
}

#[test]
fn a_plant_that_is_stored_and_restored_goes_on_with_the_same_bytes() {
    let scene = load(&four_machines());
    for secs in [0, 1, 59, 200, 330] {
        let mut original = plant(&scene, 7);
        run(&mut original, secs);
        let mut restored = plant(&scene, 3);
        let bytes = original.to_bytes();
        restored.restore(&bytes).expect("it fits");
        assert!(restored.to_bytes() == bytes, "after {secs} s");
        // All but the noise of instruments, which is the seed's, is in the bytes; so both have the seed.
        let mut restored = plant(&scene, 7);
        restored.restore(&bytes).expect("it fits");
        assert!(run(&mut original, 130) == run(&mut restored, 130), "after {secs} s");
    }
    let bytes = plant(&scene, 7).to_bytes();
    for cut in [0, 1, 9, bytes.len() / 2, bytes.len() - 1] {
        assert!(plant(&scene, 7).restore(&bytes[..cut]).is_err(), "{cut} of {} bytes", bytes.len());
    }
}

#[test]
fn a_scene_that_is_saved_within_a_step_moves_no_input() {
    let scene = load(&four_machines());
    let mut running = Plant::new(scene.clone(), Options { story: false, ..Options::default() }).expect("a plant");
    let village = running.network().machine("C-1").expect("a consumer");
    let demand = running.network().description(village).output("demand").expect("a demand");
    let told = |plant: &Plant| plant.state().output(plant.network(), village, demand);
    running.run(10 * SECOND, START, &mut |_| {});
    let before = told(&running);
    assert!(before > 0.0);
    for _ in 0..5 {
        running.run(running.time() + 70_000_000, START, &mut |_| {});
        running.adopt(scene.clone(), Vec::new()).expect("it fits");
        running.run(running.time() + 10_000_000, START, &mut |_| {});
        running.run(running.time() + 100_000_000, START, &mut |_| {});
        assert!((told(&running) - before).abs() < 1e-12, "{} and not {before}", told(&running));
    }
}

#[test]
fn what_the_scene_tells_happens_and_is_taken_back() {
    let scene = load(&four_machines());
    let mut told = plant(&scene, 7);
    let samples = samples(&scene, &run(&mut told, 600 + 200));
    let during = |signal: &str, from: i64, until: i64| -> Vec<f64> {
        let within = |sample: &&Sample| (from..until).contains(&((sample.source_time.0 - START.0) / 1_000_000_000));
        numbers(&samples[signal].iter().filter(within).cloned().collect::<Vec<_>>())
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    assert!((mean(&during("V-1.position", 100, 120)) - 60.0).abs() < 0.6);
    assert!((mean(&during("V-1.position", 150, 240)) - 10.0).abs() < 0.6, "the command is another one");
    assert!((mean(&during("V-1.position", 260, 300)) - 60.0).abs() < 0.6, "and is taken back");
    assert!(during("P-1.flow", 181, 209).is_empty(), "the flow meter is silent");
    assert!(!during("P-1.flow", 170, 179).is_empty() && !during("P-1.flow", 212, 220).is_empty());
    let vibration = |from, until| mean(&during("P-1.vibration", from, until));
    assert!(vibration(470, 480) > 2.0 * vibration(280, 300), "{}", vibration(470, 480));
    assert!(vibration(545, 560) < 1.1 * vibration(280, 300), "a new bearing: {}", vibration(545, 560));
    assert!((mean(&during("V-1.position", 760, 800)) - 10.0).abs() < 0.6, "the story is told again");
    let calm = Options { seed: 7, story: false, ..Options::default() };
    let quiet = run(&mut Plant::new(scene.clone(), calm).expect("a plant"), 200);
    let positions = numbers(&samples_of(&scene, &quiet, "V-1.position"));
    assert!(positions.iter().all(|percent| (percent - 60.0).abs() < 12.0), "without the story nothing happens");
}

fn samples_of(scene: &Scene, messages: &[Sent], signal: &str) -> Vec<Sample> {
    samples(scene, messages).remove(signal).unwrap_or_default()
}

#[test]
fn how_often_a_plant_speaks_does_not_change_what_happens() {
    let often = changed("every: \"500ms\"", "every: \"70ms\"");
    let states = [load(&four_machines()), often].map(|scene| {
        let mut plant = plant(&scene, 7);
        plant.run(250 * SECOND, START, &mut |_| {});
        plant.state().hash(plant.network())
    });
    assert_eq!(states[0], states[1]);
}

#[test]
fn a_hidden_truth_is_another_plant_of_the_same_scene() {
    let scene = load(&four_machines());
    let flow = |truth: f64| {
        let options = Options { seed: 7, truth, story: false, ..Options::default() };
        let messages = run(&mut Plant::new(scene.clone(), options).expect("a plant"), 60);
        numbers(&samples_of(&scene, &messages, "P-1.flow")).last().copied().expect("a flow")
    };
    let (told, hidden) = (flow(0.0), flow(0.1));
    assert!((told - hidden).abs() > 0.05 && (told - hidden).abs() < 0.3 * told, "{told} {hidden}");
    assert!(Plant::new(scene.clone(), Options { truth: 0.6, ..Options::default() }).is_err());
}

#[test]
fn a_scene_that_is_edited_takes_effect_and_states_go_on() {
    let scene = load(&four_machines());
    let mut running = plant(&scene, 7);
    run(&mut running, 100);
    let level = |plant: &Plant| {
        let at = plant.network().machine("T-1").expect("a tank");
        plant.state().output(plant.network(), at, 0)
    };
    let before = level(&running);
    running.adopt(changed("inputs: {\"command\": 0.6}", "inputs: {\"command\": 0.3}"), Vec::new()).expect("it fits");
    assert_eq!(level(&running), before);
    assert_eq!(running.time(), 100 * SECOND);
    let messages = run(&mut running, 19);
    let scene = running.scene().clone();
    let position = numbers(&samples_of(&scene, &messages, "V-1.position"));
    assert_eq!(position.last(), Some(&30.0), "{position:?}");
    let none = Arc::new(Scene { name: "Empty".into(), ..Scene::default() });
    assert!(running.adopt(none, Vec::new()).is_err());
    assert_eq!(running.time(), 119 * SECOND, "what does not fit changes nothing");
}

#[test]
fn every_slip_in_how_a_plant_speaks_is_told_with_what_would_be_right() {
    for (from, to, wanted) in [
        ("of: \"level\", noise", "of: \"levels\", noise", "did you mean `level`?"),
        ("noise: \"2 mm\"", "noise: \"2 bar\"", "noise: `bar` does not fit `mm`"),
        ("noise: \"2 mm\"", "noise: \"-2 mm\"", "noise must not be below 0"),
        ("noise: \"2 mm\"", "noise: 2.0", "write it with a unit"),
        ("lag: \"1s\"", "lag: \"1 bar\"", "lag: a duration such as"),
        ("resolution: \"1 mm\"", "resolutoin: \"1 mm\"", "did you mean `resolution`?"),
        ("measures: \"overflows\"", "measures: (of: \"overflows\", noise: \"1\")", "noise: a Bool has none"),
        ("relative_noise: 0.02", "relative_noise: -0.02", "relative_noise is a share"),
        ("if running &&", "if runing &&", "did you mean `running`?"),
        ("output(\\\"{id}.pump.flow\\\")", "signal(\\\"{id}.pump.flow\\\")", "write output("),
        ("\\\"PUMPING\\\"", "1", "by: "),
        (
            "\"well/{id}/data\": (\n                    every",
            "\"well/{id}/dta\": (\n                    every",
            "no signal is bound to the topic",
        ),
        (
            "\"well/{id}/data\": (\n                    every",
            "\"well/+/data\": (\n                    every",
            "a message goes to one topic",
        ),
        ("every: \"500ms\"", "every: \"500\"", "every: a duration such as"),
        ("qos: 1, every: \"1h\"", "qos: 3, every: \"1h\"", "qos must be 0, 1 or 2"),
        ("\"maker\": \"Own works\"", "\"maker\": \"Own works", "payload: "),
        ("\"serial\": \"{serial}\"", "\"serial\": \"{sereal}\"", "{sereal}"),
        ("of: \"acceleration\"", "of: \"acelleration\"", "did you mean `acceleration`?"),
        ("rate: \"200 Hz\"", "rate: \"0.2 Hz\"", "1 to 100000 samples"),
        ("silence: \"P-1.flow\"", "silence: \"P-1.flaw\"", "there is no signal `P-1.flaw`"),
        ("repair: \"P-1.bearing.replace_bearing\"", "repair: \"P-1.bearing.replace\"", "replace_bearing"),
        ("target: \"V-1.command\", set: 0.1", "target: \"V-1.comand\", set: 0.1", "did you mean `V-1.command`?"),
        ("target: \"V-1.command\", set: 0.1", "target: \"V-1.command\"", "one of `set`, `scale` and `add`"),
        ("at: \"2min\", until: \"4min\"", "at: \"4min\", until: \"2min\"", "`until` must lie behind `at`"),
        ("at: \"9min\"", "at: \"19min\"", "lies behind the time after which the story begins again"),
    ] {
        let text = fs::read_to_string(four_machines()).expect("a scene");
        assert!(text.contains(from), "{from}");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("scene.ron");
        fs::write(&path, text.replacen(from, to, 1)).expect("a scene");
        let said = scene::load(&path).render(false);
        assert!(said.contains(wanted) && !said.is_empty(), "{to}: {said}");
    }
}
