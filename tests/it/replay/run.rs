//! A run that is recorded: messages as a broker would bring them, late ones, doubles, bad ones, silences, operators; and
//! what was seen of it at some moments. Made from a seed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bevy::prelude::*;
use pollux::alarm::Action;
use pollux::analysis::Analysis;
use pollux::command::{AlarmCommand, OperatorCommand};
use pollux::event::Event;
use pollux::history::History;
use pollux::ingest::{BindingTable, Message};
use pollux::record::format::{Keyframe, KnownSample};
use pollux::scene::rule::AlarmPath;
use pollux::scene::{Scene, SignalSource};
use pollux::source::Batch;
use pollux::state;
use pollux::value::{Grade, Quality, Reason, SignalIndex, Timestamp};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Value;

use super::tape::Tape;
use crate::core::World;

pub const SCENE: &str = r#"
Scene(
    format: (1, 1),
    name: "Test hall",
    types: {
        "Pump": (
            signals: {
                "flow": (unit: "m3/h", topic: "hall/{id}/process", json: "/flow", time: (json: "/ts", format: Milliseconds),
                         expires: "3s", range: (-50.0, 200.0), limits: (low: 20.0, high_high: 90.0),
                         alarms: {"low": (unless: "!running", on_delay: "1s", deadband: 2.0),
                                  "high_high": (latching: true, priority: High),
                                  "silent": (stale: true), "broken": (bad: true)}),
                "running": (kind: Bool, topic: "hall/{id}/process", json: "/running"),
                "torque": (unit: "N.m", topic: "hall/{id}/drive", json: "/torque", time: (json: "/ts", format: Milliseconds)),
                "speed": (unit: "rpm", topic: "hall/{id}/drive", json: "/speed", expires: "4s",
                          time: (json: "/ts", format: Milliseconds)),
                "mode": (topic: "hall/{id}/mode", raw: Text),
                "power": (unit: "kW", derived: "torque * speed / 9549", limits: (high: 30.0)),
                "efficient": (kind: Bool, derived: "flow > power"),
            },
        ),
    },
    twins: [(id: "P-1", type: "Pump"), (id: "P-2", type: "Pump"), (id: "P-3", type: "Pump")],
)
"#;

/// A run of so many seconds.
pub const SECS: u64 = 90;

pub struct Run {
    pub file: PathBuf,
    /// The second half, if the run is in two files.
    pub second: Option<PathBuf>,
    pub start: Timestamp,
    /// What was seen at some moments, in order.
    pub seen: Vec<(Timestamp, Value)>,
    pub messages: usize,
    /// Samples of each measured signal.
    pub samples: Vec<(SignalIndex, usize)>,
    pub keyframes: usize,
}

/// Plays a run in a world that is fed by hand, and writes it into `folder`.
pub fn record(folder: &Path, seed: u64) -> Run {
    record_in(folder, seed, false)
}

/// The same; half of it in a file of its own.
pub fn record_in_two(folder: &Path, seed: u64) -> Run {
    record_in(folder, seed, true)
}

fn record_in(folder: &Path, seed: u64, in_two: bool) -> Run {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut world = World::new(SCENE);
    let (start, scene) = (world.now, world.scene());
    let table = BindingTable::new(&scene, "plant", 1);
    let file = folder.join("hall.mcap");
    let mut tape = Tape::new(&file, SCENE, start);
    let mut run = Run { file, second: None, start, seen: Vec::new(), messages: 0, samples: Vec::new(), keyframes: 0 };

    let at = |millis: u64| start + Duration::from_millis(millis);
    let mut captures: Vec<u64> = (0..50).map(|_| rng.random_range(1..SECS * 1000)).collect();
    captures.sort_unstable();
    captures.dedup();
    let mut told = 0;
    // Several messages are read from the network at once, with one receive time.
    let mut millis = 0;
    while millis < SECS * 1000 {
        let next = millis + rng.random_range(1..180);
        // All that was received up to then has been learnt.
        for moment in millis.max(1)..next {
            let is_keyframe = moment % 5000 == 0 || moment == 1;
            let is_capture = captures.binary_search(&moment).is_ok();
            if !is_keyframe && !is_capture {
                continue;
            }
            if is_capture && rng.random_bool(0.4) {
                act(&mut world, &scene, &mut rng);
            }
            world.at(moment as f64 / 1000.0);
            told = tell(&world, &mut tape, told);
            if is_capture {
                run.seen.push((at(moment), seen(&mut world.app)));
            }
            if in_two && moment == SECS * 500 {
                let second = folder.join("hall-2.mcap");
                std::mem::replace(&mut tape, Tape::new(&second, SCENE, at(moment))).finish();
                run.second = Some(second);
            }
            if is_keyframe {
                tape.keyframe(&keyframe(&world, &scene, at(moment)));
                run.keyframes += 1;
            }
        }
        millis = next;
        for _ in 0..rng.random_range(1..4) {
            let (topic, payload) = payload(&mut rng, start, millis);
            let (retained, qos) = (rng.random_bool(0.03), rng.random_range(0..2));
            let receive_time = at(millis);
            let message = Message { topic: &topic, payload: &payload, retained, qos, receive_time };
            tape.message(&message);
            run.messages += 1;
            let mut samples = Vec::new();
            table.decode(&message, &mut samples);
            world.app.world().resource::<Analysis>().lock().learn(Batch::of_message(1, samples));
        }
    }
    world.at(millis as f64 / 1000.0);
    tell(&world, &mut tape, told);
    tape.finish();
    let knowledge = world.app.world().resource::<Analysis>().lock();
    let measured = scene.signals.iter().filter(|signal| matches!(signal.source, SignalSource::Mqtt(_)));
    run.samples = measured.map(|signal| (signal.index, count(&knowledge.history, signal.index))).collect();
    drop(knowledge);
    run
}

pub fn count(history: &History, signal: SignalIndex) -> usize {
    history.points(signal, Timestamp::MIN, Timestamp::MAX).count()
}

/// What a machine says at `millis`: mostly about now, sometimes late, at one time with another, or beyond understanding.
fn payload(rng: &mut ChaCha8Rng, start: Timestamp, millis: u64) -> (String, Vec<u8>) {
    let id = format!("P-{}", rng.random_range(1..4));
    // P-3 falls silent now and then.
    let id = if id == "P-3" && (millis / 12_000) % 2 == 1 { "P-1".to_owned() } else { id };
    let late = match rng.random_range(0..10) {
        0 => rng.random_range(0..9000),
        1 => millis % 250,
        _ => rng.random_range(0..5),
    };
    let source = start.0 / 1_000_000 + millis as i64 - late as i64;
    if rng.random_bool(0.03) {
        return (format!("hall/{id}/drive"), b"{\"torque\": ".to_vec());
    }
    let text = match rng.random_range(0..5) {
        0 | 1 => {
            let flow: f64 = rng.random_range(-5.0..120.0);
            let flow = if rng.random_bool(0.05) { "null".to_owned() } else { format!("{flow:.3}") };
            let running = rng.random_bool(0.8);
            return (
                format!("hall/{id}/process"),
                format!("{{\"flow\": {flow}, \"running\": {running}, \"ts\": {source}}}").into_bytes(),
            );
        }
        2 | 3 => {
            let (torque, speed) = (rng.random_range(50.0..300.0), rng.random_range(500.0..1600.0));
            // One of the two is enough.
            match rng.random_range(0..4) {
                0 => format!("{{\"torque\": {torque:.3}, \"ts\": {source}}}"),
                1 => format!("{{\"speed\": {speed:.3}, \"ts\": {source}}}"),
                _ => format!("{{\"torque\": {torque:.3}, \"speed\": {speed:.3}, \"ts\": {source}}}"),
            }
        }
        _ => {
            let mode = ["auto", "manual", "21.5", ""][rng.random_range(0..4)];
            return (format!("hall/{id}/mode"), mode.as_bytes().to_vec());
        }
    };
    (format!("hall/{id}/drive"), text.into_bytes())
}

/// An operator does something to some alarm; often it is refused.
fn act(world: &mut World, scene: &Scene, rng: &mut ChaCha8Rng) {
    let alarm = AlarmPath::of_rule(&scene.alarms[rng.random_range(0..scene.alarms.len())], scene);
    let action = match rng.random_range(0..6) {
        0 | 1 => Action::Acknowledge,
        2 => Action::Reset,
        3 => Action::Shelve { lasting: Some(Duration::from_secs(rng.random_range(1..20))) },
        4 => Action::TakeOutOfService,
        _ => Action::ReturnToService,
    };
    world.command(OperatorCommand::Alarm(AlarmCommand::Act {
        alarms: vec![alarm],
        action,
        comment: "because".to_owned(),
    }));
}

/// Writes what has become known since the event `told`.
fn tell(world: &World, tape: &mut Tape, told: u64) -> u64 {
    let knowledge = world.app.world().resource::<Analysis>().lock();
    let journal = knowledge.chronicle().journal();
    let new: Vec<&Event> = journal.after(told).map(|event| &**event).collect();
    new.iter().for_each(|event| tape.event(event));
    new.last().map_or(told, |event| event.id)
}

/// All that is known at `at`, after all that was received up to then.
fn keyframe(world: &World, scene: &Scene, at: Timestamp) -> Keyframe {
    let knowledge = world.app.world().resource::<Analysis>().lock();
    let mut signals: BTreeMap<String, BTreeMap<String, Vec<KnownSample>>> = BTreeMap::new();
    for signal in &scene.signals {
        let known = known(&knowledge.history, signal.index, at);
        if !known.is_empty() {
            let twin = scene.twins[signal.twin.at()].id.clone();
            signals.entry(twin).or_default().insert(signal.name.clone(), known);
        }
    }
    Keyframe { time: at, signals, alarms: knowledge.engine().snapshot(), ..Keyframe::default() }
}

/// The newest sample, and before it the newest with a value of its own.
fn known(history: &History, signal: SignalIndex, at: Timestamp) -> Vec<KnownSample> {
    let Some(newest) = history.latest_known(signal, at) else { return Vec::new() };
    let valued = |quality: Quality| quality.grade != Grade::Bad || quality.reason == Reason::OutOfRange;
    let before = (!valued(newest.quality))
        .then(|| {
            let points: Vec<_> = history.points(signal, Timestamp::MIN, newest.source_time).collect();
            points.into_iter().rfind(|point| valued(point.quality) && point.receive_time <= at)
        })
        .flatten();
    let known = |point: pollux::history::Point| KnownSample {
        source_time: point.source_time,
        receive_time: point.receive_time,
        value: point.value,
        quality: point.quality,
        origin: None,
    };
    before.into_iter().chain([newest]).map(known).collect()
}

/// Twins with values, qualities, standings and alarms, and all events: what `--state` writes. The latest and the worst
/// value of an alarm change without a transition, and are not on record.
pub fn seen(app: &mut App) -> Value {
    let state = state::of(app.world_mut());
    let lamps = app.world().resource::<pollux::alarm::AlarmBoard>().lamps().clone();
    let mut seen = serde_json::to_value(&state).unwrap();
    let mut parts = serde_json::Map::new();
    for twin in seen["twins"].as_object_mut().unwrap().values_mut() {
        for alarm in twin["alarms"].as_array_mut().unwrap() {
            let alarm = alarm.as_object_mut().unwrap();
            alarm.remove("value");
            alarm.remove("worst");
            alarm.remove("late");
        }
    }
    parts.insert("twins".to_owned(), seen["twins"].take());
    // Files number events in the order of their moments, a session in the order in which it finds them.
    let events = seen["events"].as_array_mut().unwrap();
    events.iter_mut().for_each(|event| drop(event.as_object_mut().unwrap().remove("id")));
    events.sort_by_key(Value::to_string);
    parts.insert("events".to_owned(), seen["events"].take());
    parts.insert("lamps".to_owned(), format!("{lamps:?}").into());
    parts.insert("at".to_owned(), seen["cursor"]["at"].take());
    Value::Object(parts)
}
