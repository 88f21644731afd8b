//! Faults over live data: what the second world knows, and that the true one knows nothing of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::event::Ending;
use crate::fault::{self, Course, Defect, Fault, LinkEffect, LinkFaults, Recurrence, SensorEffect, SensorFaults};
use crate::scene::faults::resolve;
use crate::value::{Origin, Shift, SignalIndex, Value};

const SCENE: &str = r#"Scene(
    format: (1, 2),
    name: "Hall",
    brokers: {"plant": (url: "mqtt://localhost:1")},
    types: {"Pump": (signals: {
        "flow": (unit: "m3/h", topic: "hall/{id}/flow", json: "/x", time: (json: "/ts", format: Milliseconds), expires: "4s",
                 limits: (high: 60.0), alarms: {"silent": (stale: true)}),
        "speed": (unit: "1/min", topic: "hall/{id}/speed", raw: Number, limits: (high: 50.0), alarms: {"high": (on_delay: "2s")}),
        "ratio": (derived: "flow / speed", settle: "300ms", limits: (high: 3.0)),
        "mean": (derived: "mean(flow, \"5s\")"),
    })},
    twins: [(id: "P-1", type: "Pump"), (id: "P-2", type: "Pump")],
)"#;

fn scene() -> Arc<Scene> {
    let source = crate::scene::SourceFile { path: "scene.ron".into(), text: SCENE.into() };
    let loaded = crate::scene::load_texts(Path::new("scene.ron"), &[source]);
    Arc::new(loaded.scene.clone().unwrap_or_else(|| panic!("{}", loaded.render(false))))
}

#[derive(Clone, Debug)]
struct Sent {
    at: Timestamp,
    topic: String,
    payload: String,
}

impl Sent {
    fn message(&self) -> Message<'_> {
        let (topic, payload) = (self.topic.as_str(), self.payload.as_bytes());
        Message { topic, payload, retained: false, qos: 1, receive_time: self.at }
    }
}

fn after(millis: i64) -> Timestamp {
    Timestamp(EPOCH.0 + millis * 1_000_000)
}

fn sent(millis: i64, pump: u8, what: &str, x: f64) -> Sent {
    let at = after(millis);
    let payload = match what {
        "flow" => format!(r#"{{"x": {x}, "ts": {}}}"#, at.0 / 1_000_000 - 5),
        _ => x.to_string(),
    };
    Sent { at, topic: format!("hall/P-{pump}/{what}"), payload }
}

/// Half a minute of two pumps; a few messages come at one time, and a few say nothing.
fn usual() -> Vec<Sent> {
    let mut all = Vec::new();
    for n in 0..30_i64 {
        let x = 30.0 + 25.0 * libm::sin(n as f64 / 4.0);
        all.push(sent(n * 1000, 1, "flow", x + 8.0));
        all.push(sent(n * 1000, 2, "flow", x));
        all.push(sent(n * 1000 + 250, 1, "speed", x + 15.0));
        all.push(sent(n * 1000 + 400, 2, "speed", 20.0 + x / 3.0));
    }
    all.push(Sent { payload: String::new(), ..sent(30_000, 1, "flow", 0.0) });
    all.push(Sent { payload: r#"{"y": 1}"#.to_owned(), ..sent(30_000, 2, "flow", 0.0) });
    all
}

fn end() -> Timestamp {
    after(60_000)
}

fn sensor(signal: &str, effect: SensorEffect) -> Defect<String, String> {
    Defect::Sensor { signal: signal.to_owned(), effect }
}

fn link(filter: &str, effect: LinkEffect) -> Defect<String, String> {
    Defect::Link { broker: None, topics: vec![filter.to_owned()], effect }
}

fn named(id: &str, defect: Defect<String, String>, course: Course) -> WrittenFault {
    WrittenFault { id: id.to_owned(), defect, course }
}

/// From 5 s on, for 12 s.
const COURSE: Course = Course { onset: 5_000_000_000, ramp: 0, duration: Some(12_000_000_000), recurrence: None };

/// When everything begins to be watched: before the first message.
fn start() -> Timestamp {
    EPOCH - Duration::from_secs(1)
}

fn world() -> Run {
    Run::new(scene(), RunOptions { start: start(), ..RunOptions::default() })
}

fn plain(messages: &[Sent]) -> Run {
    let mut run = world();
    messages.iter().for_each(|sent| drop(run.message("plant", &sent.message())));
    run.pass_time(end());
    run
}

/// Faults that lie over the data from the start on; time is passed on at these moments, too.
fn laid(faults: &[WrittenFault], messages: &[Sent], looks: &[Timestamp]) -> Run {
    let mut run = world();
    for fault in faults {
        run.lay(fault.clone(), "berta", "to see", start()).expect("a possible fault");
    }
    let mut looks = looks.iter().peekable();
    for sent in messages {
        while let Some(look) = looks.next_if(|look| **look < sent.at) {
            run.pass_time(*look);
        }
        run.message("plant", &sent.message());
    }
    run.pass_time(end());
    run
}

/// What a world without any overlay makes of data that the same faults have passed: written once more, the plain way.
fn reference(faults: &[WrittenFault], messages: &[Sent]) -> Run {
    let (scene, start) = (scene(), start());
    let shifted = |fault: &WrittenFault| WrittenFault { course: fault.course.shifted(Shift(start.0)), ..fault.clone() };
    let faults: Vec<Fault> = faults.iter().map(|fault| resolve(&shifted(fault), &scene).expect("a fault")).collect();
    let mut run = world();
    let (mut link, mut sensor) = (LinkFaults::new(1), SensorFaults::new(1));
    link.set(&faults, start, &mut Vec::new());
    sensor.set(&faults, start, &mut Vec::new());
    let mut tables = Tables::new(scene, 1);
    let mut arrived: Vec<(fault::Message, bool)> = Vec::new();
    for sent in messages {
        let whole = sent.message().whole(&"plant".into());
        let mut out = Vec::new();
        link.release(sent.at, &mut out);
        arrived.extend(out.drain(..).map(|late| (late, false)));
        link.send(whole.clone(), &mut out);
        let first = |(n, one): (usize, fault::Message)| (one.clone(), n == 0 && one == whole);
        arrived.extend(out.drain(..).enumerate().map(first));
    }
    let mut out = Vec::new();
    link.release(end(), &mut out);
    arrived.extend(out.into_iter().map(|late| (late, false)));
    for (message, is_true) in arrived {
        release(&mut run, &mut sensor, message.time);
        let clock = link.clock_shift(&message.broker, &message.topic, message.time);
        let said = Message {
            topic: &message.topic,
            payload: &message.payload,
            retained: message.from_store,
            qos: message.qos,
            receive_time: message.time,
        };
        let mut samples = Vec::new();
        tables.of("plant").decode_shifted(&said, clock, &mut samples);
        if !is_true || clock != Shift::NONE {
            samples.iter_mut().for_each(|sample| sample.origin = Origin::Simulated);
        }
        let mut shown = Vec::new();
        samples.into_iter().for_each(|sample| sensor.take(sample, &mut shown));
        if !shown.is_empty() {
            run.samples(shown);
        }
    }
    release(&mut run, &mut sensor, end());
    run.pass_time(end());
    run
}

fn release(run: &mut Run, sensor: &mut SensorFaults, until: Timestamp) {
    while let Some(due) = sensor.next_release().filter(|due| *due <= until) {
        let mut late = Vec::new();
        sensor.release(due, &mut late);
        if !late.is_empty() {
            run.samples(late);
        }
    }
}

/// What a hash is of, to read.
fn parts(knowledge: &Knowledge) -> (Vec<String>, String, String) {
    let events = knowledge.chronicle().journal().iter();
    let alarms = serde_json::to_string(&knowledge.engine().snapshot()).expect("JSON");
    let memory = format!("{:?}", knowledge.producer_states());
    (events.map(|event| format!("{} {} {}", event.time, event.received, event.summary())).collect(), alarms, memory)
}

fn all_kinds() -> Vec<WrittenFault> {
    let kinds = fault::kinds().filter_map(|kind| {
        let values = kind.defaults(20.0);
        let sensors = SensorEffect::of(kind.name, &values).map(|effect| sensor("P-1.flow", effect));
        let links = LinkEffect::of(kind.name, &values).map(|effect| link("hall/+/flow", effect));
        let swapped = Defect::Swapped { signals: ("P-1.flow".to_owned(), "P-1.speed".to_owned()) };
        match kind.layer {
            fault::Layer::Process => None,
            fault::Layer::Sensor if kind.name == "swapped" => Some(swapped),
            fault::Layer::Sensor => sensors,
            fault::Layer::Link => links,
        }
        .map(|defect| named(kind.name, defect, COURSE))
    });
    kinds.collect()
}

#[test]
fn every_kind_of_fault_over_live_data_does_what_it_does_before_they_come() {
    let messages = usual();
    let plain = plain(&messages).hash();
    for fault in all_kinds() {
        // An overlay ends with its last fault.
        let stays = named("stays", sensor("P-2.speed", SensorEffect::Gain { by: 1.0 }), Course::default());
        let faults = [fault.clone(), stays];
        let run = laid(&faults, &messages, &[]);
        assert_eq!(run.hash(), plain, "{}: the true world knows nothing of it", fault.id);
        let over = run.overlay_hash().expect("an overlay");
        let expected = reference(&faults, &messages);
        let overlay = run.knowledge().overlay().expect("an overlay");
        assert_eq!(parts(&overlay.analysis.lock()), parts(expected.knowledge()), "{}", fault.id);
        assert_eq!(over, expected.hash(), "{}", fault.id);
    }
}

fn values(run: &Run, signal: SignalIndex) -> Vec<(i64, f64)> {
    let overlay = run.knowledge().overlay().expect("an overlay");
    let world = overlay.analysis.lock();
    let points = world.history.points_before(signal, Timestamp::MAX);
    let mut told: Vec<_> = points
        .map(|point| ((point.receive_time.0 - EPOCH.0) / 1_000_000, point.value.as_f64().unwrap_or(f64::NAN)))
        .collect();
    told.reverse();
    told
}

fn index(run: &Run, path: &str) -> SignalIndex {
    let (twin, name) = path.split_once('.').expect("a path");
    run.scene().signal(twin, name).expect("a signal").index
}

fn rule(run: &Run, path: &str) -> usize {
    let path: AlarmPath = path.parse().expect("a path");
    path.rule(run.scene()).expect("a rule").index.at()
}

#[test]
fn it_begins_with_what_is_known_and_says_what_alarms_would_say() {
    let mut run = world();
    let send = |run: &mut Run, millis: i64| drop(run.message("plant", &sent(millis, 1, "flow", 50.0).message()));
    (0..5).for_each(|n| send(&mut run, n * 1000));
    run.lay(
        named("F-1", sensor("P-1.flow", SensorEffect::Bias { by: 20.0 }), Course::default()),
        "berta",
        "why",
        after(4500),
    )
    .expect("a possible fault");
    (5..8).for_each(|n| send(&mut run, n * 1000));
    let (flow, mean) = (index(&run, "P-1.flow"), index(&run, "P-1.mean"));
    assert_eq!(values(&run, flow), [(4000, 50.0), (5000, 70.0), (6000, 70.0), (7000, 70.0)]);
    let truth = run.knowledge();
    assert_eq!(truth.history.newest(flow).map(|point| point.value), Some(Value::Number(50.0)));
    let high = rule(&run, "P-1/flow.high");
    assert!(!truth.alarms()[high].state.is_active(), "in truth all is well");
    let overlay = truth.overlay().expect("an overlay");
    assert!(overlay.concerned.contains(&mean) && !overlay.concerned.contains(&index(&run, "P-1.speed")));
    let world = overlay.analysis.lock();
    let alarm = &world.alarms()[high];
    assert_eq!((alarm.state.is_active(), alarm.origin), (true, Some(Origin::Simulated)), "and it is marked");
    assert_eq!(
        world.history.newest(mean).map(|point| point.origin),
        Some(Origin::Simulated),
        "and so is what is derived"
    );
    drop(world);
    let said: Vec<_> = truth.chronicle().journal().iter().filter(|event| event.kind.is_of_overlay()).collect();
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].summary(), "overlay sensor fault F-1: bias on P-1.flow \"why\"");
    assert_eq!(
        (said[0].by.as_deref(), said[0].twin.as_deref(), said[0].time),
        (Some("berta"), Some("P-1"), after(4500))
    );
    assert_eq!(truth.chronicle().monitor().flood().flood(), None);
    assert_eq!(truth.laid()[0].acted, 3);
}

#[test]
fn after_the_last_fault_is_cleared_only_the_truth_is_left_and_nothing_late_leaks_into_it() {
    let mut run = world();
    let send = |run: &mut Run, millis: i64| {
        drop(run.message("plant", &sent(millis, 1, "flow", millis as f64 / 1000.0).message()))
    };
    run.lay(named("F-1", sensor("P-1.flow", SensorEffect::Delay { by: 100.0 }), Course::default()), "berta", "", EPOCH)
        .expect("a possible fault");
    (1..5).for_each(|n| send(&mut run, n * 1000));
    let flow = index(&run, "P-1.flow");
    assert_eq!(values(&run, flow), [], "all of it is held back");
    run.lift(None, "carl", after(4500)).expect("there is one");
    (5..8).for_each(|n| send(&mut run, n * 1000));
    run.pass_time(after(200_000));
    let mut truth: Vec<_> = run.knowledge().history.points_before(flow, Timestamp::MAX).collect();
    truth.reverse();
    assert_eq!(truth.len(), 7);
    assert!(truth.iter().all(|point| point.origin == Origin::Measured && point.receive_time < after(8000)));
    let overlay = run.knowledge().overlay().expect("the last one, to look at");
    assert_eq!(overlay.until, Some(after(4500)));
    assert!(run.knowledge().laid().is_empty());
    let events: Vec<_> =
        run.knowledge().chronicle().journal().iter().filter(|event| event.kind.is_of_overlay()).collect();
    assert_eq!(events[1].summary(), "overlay fault F-1 cleared");
    assert_eq!((events[1].by.as_deref(), events[1].time), (Some("carl"), after(4500)));
}

#[test]
fn a_signal_shows_the_truth_at_once_when_its_fault_is_cleared_and_others_stay() {
    let mut run = world();
    let bias = |id: &str, signal: &str| named(id, sensor(signal, SensorEffect::Bias { by: 100.0 }), Course::default());
    run.lay(bias("F-1", "P-1.flow"), "berta", "", EPOCH).expect("a fault");
    run.lay(bias("F-2", "P-2.flow"), "berta", "", EPOCH).expect("a fault");
    for pump in [1, 2] {
        run.message("plant", &sent(1000, pump, "flow", 10.0).message());
    }
    run.lift(Some("F-1"), "berta", after(1200)).expect("it is there");
    run.pass_time(after(1300));
    assert_eq!(values(&run, index(&run, "P-1.flow")), [(1000, 110.0), (1200, 10.0)]);
    assert_eq!(values(&run, index(&run, "P-2.flow")), [(1000, 110.0)]);
    let overlay = run.knowledge().overlay().expect("an overlay");
    let world = overlay.analysis.lock();
    let active = |path: &str| world.alarms()[rule(&run, path)].state.is_active();
    assert_eq!(["P-1/flow.high", "P-2/flow.high"].map(active), [false, true]);
    drop(world);
    let told = run.lift(Some("F-3"), "berta", after(1300)).unwrap_err();
    assert_eq!(told, "no fault `F-3` lies over live data: did you mean `F-2`?");
}

#[test]
fn a_fault_whose_course_is_over_is_taken_off_at_that_moment_however_late_time_is_passed_on() {
    let mut run = world();
    let again = Recurrence { every: 3_000_000_000, times: Some(2) };
    let course = Course { onset: 1_000_000_000, ramp: 0, duration: Some(1_000_000_000), recurrence: Some(again) };
    run.lay(named("F-1", link("hall/#", LinkEffect::Disconnect {}), course), "berta", "", EPOCH).expect("a fault");
    (0..9).for_each(|n| drop(run.message("plant", &sent(n * 1000 + 500, 1, "flow", n as f64).message())));
    run.pass_time(after(100_000));
    let ended = run.knowledge().chronicle().journal().iter().find_map(|event| match &event.kind {
        Kind::FaultCleared { ending, .. } => Some((*ending, event.time, event.received, event.by.clone())),
        _ => None,
    });
    assert_eq!(ended, Some((Ending::Over, after(5000), after(5000), None)));
    assert_eq!(values(&run, index(&run, "P-1.flow")), [(500, 0.0), (2500, 2.0), (3500, 3.0)]);
}

#[test]
fn what_cannot_be_laid_over_live_data_is_refused_in_words() {
    let mut run = world();
    let effect = fault::ProcessEffect::Add { by: 1.0 };
    let machine = Defect::Process { target: "P-1.wear".to_owned(), effect };
    let spike = SensorEffect::Spike { share: 2.0, height: 1.0 };
    for (defect, said) in [
        (sensor("P-1.flwo", SensorEffect::Stuck {}), "did you mean `P-1.flow`"),
        (sensor("P-1.flow", spike), "share (2) must be from 0 to 1"),
        (link("hall/#/x", LinkEffect::Disconnect {}), "hall/#/x"),
        (machine, "live data have none"),
    ] {
        let told = run.lay(named("F-1", defect, Course::default()), "berta", "", EPOCH).unwrap_err();
        assert!(told.iter().any(|told| told.contains(said)), "{told:?}");
    }
    run.pass_time(end());
    assert!(run.knowledge().overlay().is_none());
}

fn faults() -> impl Strategy<Value = Vec<WrittenFault>> {
    let second = 1_000_000_000_u64;
    let kind = prop::sample::select(all_kinds());
    let course = (0..20_i64, prop::option::of(1..15_u64)).prop_map(move |(onset, lasts)| Course {
        onset: onset * second as i64,
        duration: lasts.map(|lasts| lasts * second),
        ..Course::default()
    });
    let list = prop::collection::vec((kind, course), 1..4);
    list.prop_map(|list| {
        let one = |(n, (fault, course)): (usize, (WrittenFault, Course))| WrittenFault {
            id: format!("F-{n}"),
            course,
            ..fault
        };
        list.into_iter().enumerate().map(one).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whenever_time_is_passed_on_the_overlay_and_the_truth_have_the_same_bits(
        faults in faults(), looks in prop::collection::vec(0..40_000_i64, 0..12),
    ) {
        let messages = usual();
        let mut looks: Vec<Timestamp> = looks.into_iter().map(after).collect();
        looks.sort_unstable();
        let (seldom, often) = (laid(&faults, &messages, &[]), laid(&faults, &messages, &looks));
        prop_assert_eq!(often.hash(), plain(&messages).hash());
        prop_assert_eq!(often.overlay_hash(), seldom.overlay_hash());
    }
}
