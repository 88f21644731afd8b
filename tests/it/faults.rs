//! Faults in a simulated plant: what each layer does to what a twin hears.

mod adopted;
mod hand;
mod slow;
mod stored;
mod throws;

use std::collections::BTreeMap;
use std::sync::Arc;

use pollux::fault::{Course, Defect, Fault, LinkEffect, ProcessEffect, SensorEffect};
use pollux::network::Target;
use pollux::plant::{Options, Plant};
use pollux::scene::Scene;
use pollux::value::{SignalIndex, Value};

use crate::simulated::{SECOND, START, four_machines, load, numbers, run, samples};

fn plant() -> (Arc<Scene>, Plant) {
    let scene = load(&four_machines());
    let options = Options { story: false, ..Options::default() };
    (scene.clone(), Plant::new(scene, options).expect("a plant"))
}

fn signal(scene: &Scene, path: &str) -> SignalIndex {
    let (twin, name) = path.rsplit_once('.').expect("a path");
    scene.signal(twin, name).unwrap_or_else(|| panic!("{path}")).index
}

/// From 10 s to 20 s.
fn fault(id: &str, defect: Defect) -> Fault {
    let course = Course { onset: 10 * SECOND as i64, duration: Some(10 * SECOND), ..Course::default() };
    Fault { id: id.to_owned(), defect, course }
}

fn on_signal(scene: &Scene, path: &str, effect: SensorEffect) -> Fault {
    fault("sensor", Defect::Sensor { signal: signal(scene, path), effect })
}

fn on_topics(filter: &str, effect: LinkEffect) -> Fault {
    fault("link", Defect::Link { broker: None, topics: vec![filter.to_owned()], effect })
}

/// What a twin makes of 30 s with faults, and without.
fn with_and_without(
    make: impl Fn(&Scene) -> Vec<Fault>,
) -> (BTreeMap<String, Vec<pollux::value::Sample>>, BTreeMap<String, Vec<pollux::value::Sample>>) {
    let (scene, mut sound) = plant();
    let mut broken = sound.clone();
    broken.set_faults(make(&scene));
    (samples(&scene, &run(&mut broken, 30)), samples(&scene, &run(&mut sound, 30)))
}

/// Numbers of a signal within a stretch of seconds.
fn within(said: &BTreeMap<String, Vec<pollux::value::Sample>>, path: &str, from: f64, to: f64) -> Vec<f64> {
    let all = said.get(path).map_or(&[][..], |all| all);
    let is_in = |sample: &&pollux::value::Sample| (from..to).contains(&sample.receive_time.secs_since(START));
    numbers(&all.iter().filter(is_in).cloned().collect::<Vec<_>>())
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

#[test]
fn a_sensor_that_is_wrong_says_so_and_nothing_else_changes() {
    let (broken, sound) = with_and_without(|scene| vec![on_signal(scene, "P-1.flow", SensorEffect::Bias { by: 5.0 })]);
    let off = |from, to| mean(&within(&broken, "P-1.flow", from, to)) - mean(&within(&sound, "P-1.flow", from, to));
    assert!(off(1.0, 10.0).abs() < 1e-9 && (off(11.0, 20.0) - 5.0).abs() < 1e-9 && off(21.0, 30.0).abs() < 1e-9);
    for (path, said) in sound.iter().filter(|(path, _)| *path != "P-1.flow") {
        assert_eq!(&broken[path], said, "{path}");
    }
}

#[test]
fn a_stuck_sensor_says_the_same_and_a_lost_one_nothing() {
    let (broken, _) = with_and_without(|scene| vec![on_signal(scene, "P-1.flow", SensorEffect::Stuck {})]);
    let stuck = within(&broken, "P-1.flow", 10.5, 19.9);
    assert!(stuck.len() > 8 && stuck.iter().all(|x| *x == stuck[0]), "{stuck:?}");
    let (broken, sound) =
        with_and_without(|scene| vec![on_signal(scene, "T-1.level", SensorEffect::Dropout { share: 1.0 })]);
    assert_eq!(within(&broken, "T-1.level", 10.2, 19.9), [0.0; 0]);
    assert_eq!(within(&broken, "T-1.level", 20.5, 30.0), within(&sound, "T-1.level", 20.5, 30.0));
    assert_eq!(broken["T-1.temperature"], sound["T-1.temperature"], "another field of the same message");
}

#[test]
fn a_late_sensor_says_what_was_and_swapped_ones_say_what_the_other_should() {
    let (broken, sound) = with_and_without(|scene| vec![on_signal(scene, "P-1.flow", SensorEffect::Delay { by: 3.0 })]);
    let (late, was) = (within(&broken, "P-1.flow", 14.0, 19.0), within(&sound, "P-1.flow", 11.0, 16.0));
    assert!(late.len() > 4 && late.iter().all(|x| was.contains(x)), "{late:?} {was:?}");
    let swapped = |scene: &Scene| {
        let signals = (signal(scene, "P-1.flow"), signal(scene, "P-1.vibration"));
        vec![fault("swapped", Defect::Swapped { signals })]
    };
    let (broken, sound) = with_and_without(swapped);
    for (one, other) in [("P-1.flow", "P-1.vibration"), ("P-1.vibration", "P-1.flow")] {
        let said = |of, path| mean(&within(of, path, 12.0, 19.0));
        let off = said(&broken, one) / said(&sound, other) - 1.0;
        assert!(off.abs() < 0.1, "{one} says {} and not {}", said(&broken, one), said(&sound, other));
    }
}

#[test]
fn a_cut_link_says_nothing_and_a_slow_one_says_it_later() {
    let (broken, sound) = with_and_without(|_| vec![on_topics("well/P-1/#", LinkEffect::Disconnect {})]);
    assert_eq!(within(&broken, "P-1.flow", 10.1, 20.0), [0.0; 0]);
    assert_eq!(within(&broken, "P-1.flow", 20.1, 30.0), within(&sound, "P-1.flow", 20.1, 30.0));
    assert_eq!(broken["T-1.level"], sound["T-1.level"]);
    let (broken, sound) = with_and_without(|_| vec![on_topics("well/+/flow", LinkEffect::Latency { by: 2.0 })]);
    let late = within(&broken, "P-1.flow", 12.0, 19.0);
    assert_eq!(late, within(&sound, "P-1.flow", 10.0, 17.0));
}

#[test]
fn a_wrong_clock_stamps_messages_wrongly() {
    let (broken, sound) = with_and_without(|_| vec![on_topics("well/T-1/data", LinkEffect::ClockSkew { by: -30.0 })]);
    let skews: Vec<f64> = broken["T-1.level"]
        .iter()
        .zip(&sound["T-1.level"])
        .filter(|(_, sound)| (11.0..19.0).contains(&sound.receive_time.secs_since(START)))
        .map(|(broken, sound)| broken.source_time.secs_since(sound.source_time))
        .collect();
    assert!(skews.len() > 10 && skews.iter().all(|skew| (skew + 30.0).abs() < 1e-6), "{skews:?}");
}

#[test]
fn a_fault_of_a_machine_acts_while_it_lasts_and_its_damage_stays() {
    let (scene, sound) = plant();
    let network = sound.network();
    let bearing = network.machine("P-1.bearing").expect("a bearing");
    let growth = network.description(bearing).parameter("growth_rate").expect("a parameter");
    let target = Target::Parameter { machine: bearing, parameter: growth };
    let mut broken = sound.clone();
    broken.set_faults(vec![fault("wear", Defect::Process { target, effect: ProcessEffect::Set { to: 0.3 } })]);
    let said = samples(&scene, &run(&mut broken, 60));
    let vibration = |from, to| mean(&within(&said, "P-1.vibration", from, to));
    assert!(vibration(20.0, 30.0) > 1.2 * vibration(1.0, 10.0), "{} {}", vibration(20.0, 30.0), vibration(1.0, 10.0));
    assert!((vibration(50.0, 60.0) / vibration(25.0, 35.0) - 1.0).abs() < 0.2, "damage stays");
    let (_, machine) = (0, network.description(bearing).repair("replace_bearing").expect("a repair"));
    broken.set_faults(Vec::new());
    broken.repair(bearing, machine);
    let said = samples(&scene, &run(&mut broken, 20));
    let repaired = mean(&numbers(&said["P-1.vibration"][10..]));
    assert!((repaired / vibration(1.0, 10.0) - 1.0).abs() < 0.2, "{repaired}");
}

#[test]
fn what_is_cleared_leaves_the_truth_at_once() {
    let (scene, mut sound) = plant();
    let mut broken = sound.clone();
    let late = LinkEffect::Latency { by: 5.0 };
    broken.set_faults(vec![on_signal(&scene, "P-1.flow", SensorEffect::Gain { by: 3.0 }), on_topics("well/#", late)]);
    run(&mut broken, 15);
    run(&mut sound, 15);
    broken.set_faults(Vec::new());
    run(&mut broken, 1);
    run(&mut sound, 1);
    let (broken, sound) = (samples(&scene, &run(&mut broken, 10)), samples(&scene, &run(&mut sound, 10)));
    assert_eq!(broken, sound);
}

#[test]
fn a_plant_that_is_stored_amid_its_faults_goes_on_with_the_same_bits() {
    let (scene, mut whole) = plant();
    whole.set_faults(
        vec![
            on_signal(&scene, "P-1.flow", SensorEffect::Noise { deviation: 2.0 }),
            on_signal(&scene, "T-1.level", SensorEffect::Stuck {}),
            on_topics("well/#", LinkEffect::Jitter { most: 3.0, keeps_order: false }),
        ]
        .into_iter()
        .zip(0..)
        .map(|(fault, number)| Fault { id: format!("F-{number}"), ..fault })
        .collect(),
    );
    run(&mut whole, 14);
    let (_, mut taken_up) = plant();
    taken_up.restore(&whole.to_bytes()).expect("the same scene");
    assert_eq!(taken_up.faults(), whole.faults());
    let (one, other) = (run(&mut whole, 20), run(&mut taken_up, 20));
    assert!(one.len() > 50 && one == other);
    let level = samples(&scene, &one);
    assert!(level["T-1.level"].iter().any(|sample| matches!(sample.value, Value::Number(_))));
}
