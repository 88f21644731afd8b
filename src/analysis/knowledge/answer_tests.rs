//! A keyframe that is collected in slices while samples come, against one that is collected at once at its moment.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::record::{RecordOptions, Recorder, SceneFiles, format::About, read::Timeline};
use crate::scene::{Scene, SignalSource};
use crate::source::Clock;
use crate::value::{Origin, Quality, Reason, Sample, SignalIndex, Value};

const SCENE: &str = r#"
Scene(
    format: (1, 1),
    name: "Test hall",
    types: {
        "Pump": (
            signals: {
                "flow": (unit: "m3/h", topic: "hall/{id}/process", json: "/flow", limits: (high: 90.0)),
                "torque": (unit: "N.m", topic: "hall/{id}/drive", json: "/torque"),
                "speed": (unit: "rpm", topic: "hall/{id}/drive", json: "/speed"),
                "mode": (topic: "hall/{id}/mode", raw: Text),
                "power": (unit: "kW", derived: "torque * speed / 9549", limits: (high: 30.0)),
            },
        ),
    },
    twins: [(id: "P-1", type: "Pump"), (id: "P-2", type: "Pump"), (id: "P-3", type: "Pump"), (id: "P-4", type: "Pump")],
)
"#;

fn scene() -> Arc<Scene> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scene.ron");
    std::fs::write(&file, SCENE).unwrap();
    Arc::new(crate::scene::load(&file).scene.expect("a scene without issues"))
}

/// The keyframe of `at`, collected at once.
fn at_once(knowledge: &Knowledge, at: Timestamp) -> String {
    let (alarms, producers) = (knowledge.engine.snapshot(), knowledge.producer_states());
    let mut builder = KeyframeBuilder::new(at, knowledge.scene.clone(), alarms, producers);
    builder.go_on(&knowledge.history, || false);
    text(builder)
}

fn text(builder: KeyframeBuilder) -> String {
    serde_json::to_string_pretty(&builder.build()).unwrap()
}

/// Samples of the measured signals, each received after the one before by so many milliseconds. Most are new; some are
/// as old as one that is known, some a little older, and a few come late.
fn samples(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<(u32, i64, i64, u8)>> {
    let back = prop_oneof![6 => Just(0_i64), 3 => 1..5_i64, 2 => 5..60_i64, 1 => 60..4000_i64];
    prop::collection::vec((0..16_u32, 0..3_i64, back, any::<u8>()), count)
}

/// Of the measured signals the one of this number.
fn measured(scene: &Scene, which: u32) -> SignalIndex {
    let measured = scene.signals.iter().filter(|signal| matches!(signal.source, SignalSource::Mqtt(_)));
    measured.cycle().nth(which as usize).expect("a signal").index
}

fn batch(scene: &Scene, now: &mut i64, samples: &[(u32, i64, i64, u8)]) -> Batch {
    let sample = |&(which, ahead, back, what): &(u32, i64, i64, u8)| {
        *now += ahead;
        let quality = match what % 4 {
            0 => Quality::bad(Reason::DecodeError),
            1 => Quality::bad(Reason::OutOfRange),
            _ => Quality::GOOD,
        };
        Sample {
            signal: measured(scene, which),
            source_time: Timestamp((*now - back) * 1_000_000),
            receive_time: Timestamp(*now * 1_000_000),
            value: Value::Number(if what % 4 == 0 { f64::NAN } else { f64::from(what) }),
            quality,
            origin: Origin::Measured,
        }
    };
    Batch::of_samples(1, samples.iter().map(sample).collect())
}

fn knowledge(scene: &Arc<Scene>, budget: u64) -> Knowledge {
    Knowledge::new(scene.clone(), 1, budget, Timestamp(0), crate::produce::ProducerFactory::default())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn collected_in_slices_while_samples_come_it_is_what_it_was_at_its_moment(
        before in samples(0..900),
        between in prop::collection::vec(samples(0..150), 12),
        budget in prop_oneof![Just(4_000_u64), Just(12_000), Just(1 << 20)],
        underway in 0..20_i64,
    ) {
        let scene = scene();
        let mut knowledge = knowledge(&scene, budget);
        let mut now = 10_000;
        knowledge.learn(batch(&scene, &mut now, &before));
        // As the analysis does: of a moment by which all has come, while newer samples are known already.
        let at = Timestamp((now - underway) * 1_000_000);
        let expected = at_once(&knowledge, at);
        knowledge.begin_keyframe(at);
        let (mut slices, mut between) = (1, between.iter());
        let still = loop {
            if let Some(still) = knowledge.collect_keyframe(|| true) {
                break still;
            }
            slices += 1;
            if let Some(samples) = between.next() {
                now += 1;
                knowledge.learn(batch(&scene, &mut now, samples));
                knowledge.elapse(Timestamp(now * 1_000_000));
            }
        };
        prop_assert_eq!(slices, scene.signals.len().div_ceil(4));
        prop_assert_eq!(text(still), expected);
        let usage = knowledge.history.usage();
        // The newest of each signal stays, however much that takes.
        let is_least = usage.samples <= scene.signals.len() as u64;
        prop_assert!(usage.bytes <= usage.budget_bytes.max(6_000) || is_least, "memory is given up again: {usage:?}");
    }
}

/// A session with something to tell: each measured signal has a value.
fn begun(scene: &Arc<Scene>, now: &mut i64) -> Knowledge {
    let mut knowledge = knowledge(scene, 1 << 20);
    let each: Vec<_> = (0..16).map(|which| (which, 1, 0, 50)).collect();
    knowledge.learn(batch(scene, now, &each));
    knowledge
}

#[test]
fn a_sample_that_was_underway_for_too_long_begins_the_keyframe_anew() {
    let scene = scene();
    let mut now = 1_000;
    let mut knowledge = begun(&scene, &mut now);
    knowledge.begin_keyframe(Timestamp(now * 1_000_000));
    assert!(knowledge.collect_keyframe(|| true).is_none());
    knowledge.learn(batch(&scene, &mut (now + 1), &[(0, 0, 0, 60)]));
    assert!(knowledge.is_collecting_keyframe(), "received later: the moment stays what it was");
    knowledge.learn(batch(&scene, &mut (now - 5), &[(0, 0, 0, 70)]));
    assert!(!knowledge.is_collecting_keyframe(), "received before the moment, and nobody knew");
}

#[test]
fn another_scene_begins_the_keyframe_anew() {
    let scene = scene();
    let mut now = 1_000;
    let mut knowledge = begun(&scene, &mut now);
    knowledge.begin_keyframe(Timestamp(now * 1_000_000));
    assert!(knowledge.collect_keyframe(|| true).is_none());
    knowledge.adopt(scene.clone(), 2, Timestamp(now * 1_000_000));
    assert!(!knowledge.is_collecting_keyframe());
}

#[test]
fn without_a_thread_that_gives_keyframes_nothing_is_kept_for_one() {
    let scene = scene();
    let mut now = 1_000;
    let mut knowledge = knowledge(&scene, 4_000);
    knowledge.set_driven(true);
    knowledge.begin_keyframe(Timestamp(now * 1_000_000));
    let many: Vec<_> = (0..3000).map(|n| (n % 16, 1, 0, 50)).collect();
    knowledge.learn(batch(&scene, &mut now, &many));
    assert!(knowledge.history.usage().bytes > 10_000);
    knowledge.set_driven(false);
    assert!(!knowledge.is_collecting_keyframe() && knowledge.history.usage().bytes < 10_000);
}

#[test]
fn a_recording_gets_its_keyframe_slice_by_slice_and_none_of_before_it_listened() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hall.mcap");
    let recorder =
        Recorder::start(RecordOptions::new(&file), About::default(), SceneFiles::default(), Clock::WALL).unwrap();
    let scene = scene();
    let mut now = 1_000;
    let mut knowledge = begun(&scene, &mut now);
    let at = |ms: i64| Some(Timestamp(ms * 1_000_000));
    assert_eq!(knowledge.answer_recorder(at(now), Duration::ZERO), Answer::Done, "nothing records");
    knowledge.record_to(recorder.sink());
    assert_eq!(knowledge.answer_recorder(None, Duration::ZERO), Answer::Later, "samples wait");
    assert_eq!(knowledge.answer_recorder(at(now), Duration::ZERO), Answer::Underway);
    // Samples that wait do not hold it up, but a listener that came later does.
    recorder.hears_since(Timestamp((now + 10) * 1_000_000));
    let mut calls = 1;
    let end = loop {
        match knowledge.answer_recorder(None, Duration::ZERO) {
            Answer::Underway => calls += 1,
            end => break end,
        }
    };
    assert_eq!((end, calls), (Answer::Later, 4), "five slices of four signals");
    now += 20;
    let expected = at_once(&knowledge, Timestamp(now * 1_000_000));
    assert_eq!(knowledge.answer_recorder(at(now), Duration::MAX), Answer::Done);
    assert_eq!(knowledge.answer_recorder(at(now + 1), Duration::MAX), Answer::Done, "no other one is wanted");
    let status = recorder.finish();
    assert_eq!(status.keyframes, 1, "{status:?}");
    let kept = Timeline::open(&[file]).unwrap().first_keyframe().unwrap().expect("a keyframe");
    assert_eq!(serde_json::to_string_pretty(&kept).unwrap(), expected);
}
