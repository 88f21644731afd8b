//! A plant with faults as bytes: whatever it remembers goes on, and whatever was damaged is refused.

use pollux::fault::{Course, Defect, Fault, LinkEffect, ProcessEffect, SensorEffect};
use pollux::network::Target;
use pollux::plant::{Plant, RestoreError};
use pollux::value::SignalIndex;
use proptest::prelude::*;

use super::throws::{carry, difference, faults, throws};
use super::{fault, on_signal, on_topics, plant};
use crate::simulated::SECOND;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_plant_that_is_stored_at_any_moment_goes_on_as_if_it_had_not_been(
        list in prop::collection::vec(throws(), 0..5), others in prop::collection::vec(throws(), 0..3),
        set in 1..100_u64, is_open in any::<bool>(), later in 0..60_u64,
    ) {
        let (scene, mut whole) = plant();
        whole.set_faults(faults(&list, &scene, &whole));
        carry(&mut whole, set * SECOND / 10, is_open);
        whole.set_faults(faults(&others, &scene, &whole));
        if later > 0 {
            carry(&mut whole, set * SECOND / 10 + later * 70_000_000, is_open);
        }
        let (_, mut taken_up) = plant();
        taken_up.restore(&whole.to_bytes()).expect("the same scene");
        prop_assert_eq!(taken_up.faults(), whole.faults());
        let also = LinkEffect::StaleRetained {};
        for plant in [&mut whole, &mut taken_up] {
            let mut list = plant.faults().to_vec();
            list.push(Fault { id: "also".into(), course: Course::since(pollux::value::Timestamp(plant.time() as i64)), ..on_topics("#", also) });
            plant.set_faults(list);
        }
        let until = whole.time() + 8 * SECOND;
        let difference = difference(&carry(&mut whole, until, false), &carry(&mut taken_up, until, false));
        prop_assert_eq!(difference, None);
        prop_assert_eq!(whole.to_bytes(), taken_up.to_bytes());
        prop_assert!(whole.acted().eq(taken_up.acted()));
    }
}

/// A plant amid faults of all layers that hold something back.
fn busy() -> Plant {
    let (scene, mut plant) = plant();
    let machine = plant.network().machine("V-1").expect("a valve");
    let target = Target::Input { machine, input: 0 };
    let list = [
        fault("", Defect::Process { target, effect: ProcessEffect::Stuck {} }),
        on_signal(&scene, "P-1.flow", SensorEffect::Delay { by: 4.0 }),
        on_signal(&scene, "T-1.level", SensorEffect::Stuck {}),
        on_topics("well/#", LinkEffect::Jitter { most: 3.0, keeps_order: false }),
        on_topics("well/#", LinkEffect::StaleRetained {}),
    ];
    let named = |(number, fault): (usize, Fault)| Fault { id: format!("F-{number}"), ..fault };
    plant.set_faults(list.into_iter().enumerate().map(named).collect());
    carry(&mut plant, 14 * SECOND + SECOND / 3, false);
    plant
}

#[test]
fn a_damaged_store_is_refused_or_runs_and_never_panics() {
    let (_, fresh) = plant();
    let bytes = busy().to_bytes();
    let network = fresh.state().to_bytes(fresh.network()).len();
    let mut refused = 0;
    // The network checks its own part; what lies behind it is the plant's. Many places, and other bits at each.
    let places: Vec<usize> = (0..10).chain((network..bytes.len()).step_by(5)).collect();
    for (number, place) in places.iter().enumerate() {
        let mut wrong = bytes.clone();
        wrong[*place] ^= [1, 0x80, 0xff, 0x10][number % 4];
        let mut plant = fresh.clone();
        match plant.restore(&wrong) {
            Ok(()) => {
                let until = plant.time() + SECOND / 2;
                carry(&mut plant, until, false);
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused > places.len() / 10, "{refused} of {}", places.len());
    for end in (0..bytes.len() - 1).step_by(97) {
        assert!(end == network || fresh.clone().restore(&bytes[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn faults_that_cannot_be_are_not_taken_up() {
    let (scene, fresh) = plant();
    let machines = fresh.network().blueprint().machines.len();
    let bearing = fresh.network().machine("P-1.bearing").expect("a bearing");
    let on = |target, effect| fault("F", Defect::Process { target, effect });
    let bias = |by| on_signal(&scene, "P-1.flow", SensorEffect::Bias { by });
    let beyond = SignalIndex(scene.signals.len() as u32);
    let spare = bias(1.0);
    let wrong = [
        on(Target::Input { machine: machines, input: 0 }, ProcessEffect::Stuck {}),
        on(Target::Input { machine: 0, input: 99 }, ProcessEffect::Stuck {}),
        on(Target::Parameter { machine: bearing, parameter: 99 }, ProcessEffect::Scale { by: 2.0 }),
        on(Target::Parameter { machine: bearing, parameter: 0 }, ProcessEffect::Set { to: -1e9 }),
        fault("F", Defect::Sensor { signal: beyond, effect: SensorEffect::Stuck {} }),
        fault("F", Defect::Swapped { signals: (beyond, SignalIndex(0)) }),
        bias(1e31),
        on_topics("well/#/flow", LinkEffect::Disconnect {}),
        Fault { course: Course { duration: Some(0), ..spare.course }, ..spare },
    ];
    let mut good = fresh.clone();
    good.set_faults(vec![bias(1.0)]);
    assert_eq!(fresh.check_faults(good.faults()), []);
    let list = |faults: &[Fault]| serde_json::to_vec(faults).expect("JSON");
    let (bytes, told) = (good.to_bytes(), list(good.faults()));
    let at = bytes.windows(told.len()).position(|part| part == told).expect("its list");
    for fault in wrong {
        assert!(!fresh.check_faults(std::slice::from_ref(&fault)).is_empty(), "{fault:?}");
        let other = list(std::slice::from_ref(&fault));
        let length = (other.len() as u64).to_le_bytes();
        let stored = [&bytes[..at - 8], &length, &other, &bytes[at + told.len()..]].concat();
        assert_eq!(fresh.clone().restore(&stored), Err(RestoreError::Damaged), "{fault:?}");
    }
}
