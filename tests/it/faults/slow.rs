//! Instruments that read seldom, and messages that say more often what they show; marks and counts of faults.

use std::sync::Arc;

use pollux::fault::{Course, Defect, Fault, LinkEffect, SensorEffect};
use pollux::plant::{Options, Plant};
use pollux::scene::Scene;

use super::throws::{Said, carry};
use super::{fault, on_signal, on_topics, plant};
use crate::simulated::{SECOND, changed};

/// The four machines; the flow is read every 10 s and said every second.
fn slow() -> (Arc<Scene>, Plant) {
    let scene = changed(
        r#"period: "200ms"),
                ),"#,
        r#"period: "10s"),
                ),
                "load": (topic: "well/{id}/load", raw: Text, measures: (by: "\"FULL\"")),"#,
    );
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scene.ron");
    let text = scene.sources[0].text.replacen(
        r#""well/{id}/vibration": ("#,
        r#""well/{id}/flow": (every: "1s"), "well/{id}/vibration": ("#,
        1,
    );
    std::fs::write(&path, text).expect("a scene");
    let scene = crate::simulated::load(&path);
    let options = Options { story: false, ..Options::default() };
    (scene.clone(), Plant::new(scene, options).expect("a plant"))
}

/// What each message says of the flow, from second to second.
fn flows(said: &[Said]) -> Vec<f64> {
    let flows = said.iter().filter(|one| one.1 == "well/P-1/flow");
    flows.map(|one| String::from_utf8_lossy(&one.2).parse().expect("a number")).collect()
}

fn lasting(fault: Fault, from: u64, until: Option<u64>) -> Fault {
    let duration = until.map(|until| (until - from) * SECOND);
    Fault { course: Course { onset: (from * SECOND) as i64, duration, ..Course::default() }, ..fault }
}

#[test]
fn a_reading_that_is_held_back_is_shown_when_it_is_due() {
    let (scene, mut sound) = slow();
    let mut broken = sound.clone();
    let late = on_signal(&scene, "P-1.flow", SensorEffect::Delay { by: 3.0 });
    broken.set_faults(vec![lasting(late, 5, None)]);
    let (said, truth) = (flows(&carry(&mut broken, 39 * SECOND, false)), flows(&carry(&mut sound, 39 * SECOND, false)));
    assert!(truth[9] != truth[10] && truth[10] == truth[19] && truth[19] != truth[20], "{truth:?}");
    for secs in 3..39 {
        assert_eq!(said[secs], truth[if secs < 13 { 9 } else { secs - 3 }], "at {secs} s");
    }
}

#[test]
fn what_is_cleared_or_ends_shows_the_truth_at_once_and_not_at_the_next_reading() {
    let (scene, mut sound) = slow();
    let truth = flows(&carry(&mut sound, 39 * SECOND, false));
    for effect in [
        SensorEffect::Bias { by: 100.0 },
        SensorEffect::Stuck {},
        SensorEffect::Dropout { share: 1.0 },
        SensorEffect::Delay { by: 500.0 },
    ] {
        let wrong = on_signal(&scene, "P-1.flow", effect);
        let (_, mut ends) = slow();
        let mut cleared = ends.clone();
        ends.set_faults(vec![lasting(wrong.clone(), 10, Some(25))]);
        cleared.set_faults(vec![lasting(wrong, 10, None)]);
        let ended = carry(&mut ends, 39 * SECOND, false);
        let mut said = carry(&mut cleared, 25 * SECOND, true);
        cleared.set_faults(Vec::new());
        said.extend(carry(&mut cleared, 39 * SECOND, false));
        assert_eq!(ended, said, "{effect:?}");
        let (said, from) = (flows(&said), said.iter().filter(|one| one.1 == "well/P-1/flow" && one.0 < 25 * SECOND));
        let from = from.count();
        assert!(said[..from].len() < 25 || said[20..25] != truth[20..25], "{effect:?} shows");
        assert_eq!(said[from..], truth[25..], "{effect:?}");
    }
}

#[test]
fn what_is_lost_is_lost_where_it_would_have_been_seen() {
    let (scene, mut swapped) = plant();
    let signals = (super::signal(&scene, "P-1.flow"), super::signal(&scene, "C-1.taken"));
    let lost = on_signal(&scene, "C-1.taken", SensorEffect::Dropout { share: 1.0 });
    swapped.set_faults(vec![
        lasting(fault("swapped", Defect::Swapped { signals }), 10, Some(20)),
        lasting(lost, 10, Some(20)),
    ]);
    let said = carry(&mut swapped, 20 * SECOND, true);
    let during = |topic: &str| said.iter().filter(|one| one.1 == topic && one.0 > 11 * SECOND).count();
    assert_eq!(
        (during("well/C-1/taken"), during("well/P-1/flow") > 40),
        (0, true),
        "the flow is what the village takes"
    );
}

#[test]
fn an_old_message_comes_as_out_of_a_store_and_nothing_new_is_kept() {
    let (_, mut sound) = plant();
    let mut broken = sound.clone();
    broken.set_faults(vec![on_topics("well/#", LinkEffect::StaleRetained {})]);
    let (said, truth) = (carry(&mut broken, 12 * SECOND, false), carry(&mut sound, 12 * SECOND, false));
    let (old, rest): (Vec<Said>, Vec<Said>) = said.into_iter().partition(|one| one.4);
    assert_eq!(rest, truth);
    let topics = truth.iter().map(|one| &one.1).collect::<std::collections::BTreeSet<_>>().len();
    assert_eq!(old.len(), topics, "one of each topic");
    for one in &old {
        let last = truth.iter().rfind(|said| said.1 == one.1 && said.0 < 10 * SECOND).expect("what was said before");
        assert_eq!((one.0, &one.2, one.3), (10 * SECOND, &last.2, last.3), "{}", one.1);
    }
    assert_eq!(broken.acted().map(|(_, acted)| acted).collect::<Vec<_>>(), [topics as u64]);
}

#[test]
fn a_fault_that_changes_nothing_has_not_acted() {
    let (scene, mut plant) = slow();
    let skew = |by| LinkEffect::ClockSkew { by };
    let list = [
        on_signal(&scene, "P-1.flow", SensorEffect::Bias { by: 1.0 }),
        on_signal(&scene, "P-1.load", SensorEffect::Bias { by: 1.0 }),
        on_signal(&scene, "T-1.full", SensorEffect::Gain { by: 2.0 }),
        on_signal(&scene, "P-1.maker", SensorEffect::Stuck {}),
        on_signal(&scene, "P-1.load", SensorEffect::Stuck {}),
        on_topics("hall/#", LinkEffect::Loss { share: 1.0 }),
        on_topics("well/P-1/vibration", skew(5.0)),
        on_topics("well/V-1/position", skew(5.0)),
        on_topics("well/V-1/position", LinkEffect::Duplicate { share: 1.0 }),
    ];
    let named = |(number, fault): (usize, Fault)| lasting(Fault { id: format!("F-{number}"), ..fault }, 10, Some(25));
    plant.set_faults(list.into_iter().enumerate().map(named).collect());
    carry(&mut plant, 30 * SECOND, false);
    let acted: Vec<u64> = plant.acted().map(|(_, acted)| acted).collect();
    assert_eq!(acted, [2, 0, 0, 0, 0, 0, 15, 0, 15], "a time is in the payload of the vibration alone");
}
