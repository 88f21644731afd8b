//! A scene that is saved while faults act: they go on, or it is told why not.

use pollux::fault::{Defect, Fault, LinkEffect, ProcessEffect, SensorEffect};
use pollux::network::Target;

use super::throws::{Said, carry};
use super::{fault, on_signal, on_topics, plant, signal};
use crate::simulated::{SECOND, changed};

fn of<'s>(said: &'s [Said], topic: &str) -> Vec<&'s [u8]> {
    said.iter().filter(|one| one.1 == topic).map(|one| &*one.2).collect()
}

fn named(id: &str, fault: Fault) -> Fault {
    Fault { id: id.to_owned(), ..fault }
}

#[test]
fn faults_go_on_with_what_they_remember() {
    let (scene, mut whole) = plant();
    let machine = whole.network().machine("V-1").expect("a valve");
    let input = whole.network().description(machine).input("command").expect("an input");
    let effect = ProcessEffect::Stuck {};
    whole.set_faults(vec![
        named("position", fault("", Defect::Process { target: Target::Input { machine, input }, effect })),
        named("noise", on_signal(&scene, "C-1.taken", SensorEffect::Noise { deviation: 5.0 })),
        named("stuck", on_signal(&scene, "P-1.vibration", SensorEffect::Stuck {})),
        named("late", on_signal(&scene, "P-1.flow", SensorEffect::Delay { by: 2.0 })),
        named("slow", on_topics("well/T-1/data", LinkEffect::Latency { by: 3.0 })),
    ]);
    carry(&mut whole, 14 * SECOND, false);
    let mut saved = whole.clone();
    // Another machine comes first, so that all indices are others.
    let scene = changed(
        r#"(id: "T-1", name: "Reservoir""#,
        r#"(id: "A-1", type: "Tank", params: {"serial": "A"}), (id: "T-1", name: "Reservoir""#,
    );
    assert_eq!(saved.adopt(scene.clone(), Vec::new()), Ok(Vec::new()));
    assert!(signal(&scene, "P-1.flow") != signal(whole.scene(), "P-1.flow"));
    let counts = |plant: &pollux::plant::Plant| plant.acted().map(|(_, acted)| acted).collect::<Vec<_>>();
    assert_eq!(counts(&saved), counts(&whole));
    let (without, with) = (carry(&mut whole, 19 * SECOND, false), carry(&mut saved, 19 * SECOND, false));
    let vibration = |said: &[Said]| {
        let texts = of(said, "well/P-1/vibration").into_iter().map(String::from_utf8_lossy);
        texts.filter_map(|text| Some(text.split_once("\"rms\":")?.1.split(',').next()?.to_owned())).collect::<Vec<_>>()
    };
    assert!(vibration(&without).len() >= 5 && vibration(&without) == vibration(&with), "{:?}", vibration(&with));
    for topic in ["well/C-1/taken", "well/P-1/flow", "well/V-1/position"] {
        assert!(of(&without, topic).len() >= 4 && of(&without, topic) == of(&with, topic), "{topic}");
    }
    let held = |said| of(said, "well/T-1/data")[..6].iter().map(|payload| payload.to_vec()).collect::<Vec<_>>();
    assert_eq!(held(&without), held(&with), "what was under way for 3 s arrives");
    assert_eq!(counts(&saved)[..4], counts(&whole)[..4]);
}

#[test]
fn a_fault_that_has_no_place_in_the_saved_scene_ends_and_that_is_told() {
    let (scene, mut running) = plant();
    let machine = running.network().machine("P-1.bearing").expect("a bearing");
    let target = Target::Parameter { machine, parameter: 0 };
    running.set_faults(vec![
        named("offset", on_signal(&scene, "C-1.taken", SensorEffect::Bias { by: 600.0 })),
        named("late", on_signal(&scene, "C-1.taken", SensorEffect::Delay { by: 5.0 })),
        named("shake", on_signal(&scene, "P-1.vibration", SensorEffect::Bias { by: 5.0 })),
        named("wear", fault("", Defect::Process { target, effect: ProcessEffect::Scale { by: 1.5 } })),
        named("link", on_topics("well/#", LinkEffect::Latency { by: 0.1 })),
    ]);
    carry(&mut running, 14 * SECOND, false);
    let told = |plant: &mut pollux::plant::Plant, from, to| {
        let ended = plant.adopt(changed(from, to), Vec::new()).expect("it fits");
        let left: Vec<String> = plant.faults().iter().map(|fault| fault.id.clone()).collect();
        (ended.iter().map(ToString::to_string).collect::<Vec<_>>(), left.join(" "))
    };
    let mut other = running.clone();
    let (ended, left) = told(&mut other, r#""taken": (unit: "L/min""#, r#""taken": (unit: "m3/h""#);
    assert_eq!(left, "shake wear link");
    assert_eq!(
        ended,
        ["offset", "late"].map(|id| {
            let kind = if id == "late" { "delay" } else { "bias" };
            format!(
                "the fault `{id}` ({kind}) has ended: C-1.taken is in m3/h now, and was in L/min; set it anew if it is still \
                 wanted"
            )
        })
    );
    let said = carry(&mut other, 20 * SECOND, false);
    let taken: Vec<f64> = of(&said, "well/C-1/taken")
        .iter()
        .filter_map(|payload| String::from_utf8_lossy(payload).parse().ok())
        .collect();
    assert!(taken.len() > 4 && taken.iter().all(|taken| (5.0..10.0).contains(taken)), "no size of before: {taken:?}");
    let (ended, left) = told(&mut running, r#""vibration": ("#, r#""shaking": ("#);
    assert_eq!((ended.len(), left.as_str()), (1, "offset late wear link"));
    assert!(ended[0].contains("(bias) has ended: the scene has no P-1.vibration any more"), "{}", ended[0]);
}
