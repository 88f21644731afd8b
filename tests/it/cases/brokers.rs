//! Messages of a broker, given to the built program while it runs: what its state and its recording hold of them.
//!
//! Each case is a scene of `tests/cases`, a broker, messages from before the start (retained) and messages while it runs.
//! What must come of them stands in [`TABLE`](super::broker_table::TABLE).

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pollux::produce::ProducerFactory;
use pollux::record::read::Timeline;
use pollux::run::rejudge::rejudge;
use pollux::scene;
use pollux::value::{Timestamp, Value};
use serde_json::Value as Json;

use super::broker_stage::{Stage, send};
use super::broker_table::TABLE;
use crate::live::program::{End, wait_for};
use crate::support::Mosquitto;

/// Cases that run at one time, each with a broker of its own: they mostly wait.
const AT_ONCE: usize = 8;
/// From the acknowledgement of a message to the state: a few frames of ten milliseconds.
const FRAMES: Duration = Duration::from_millis(700);

/// A scene, its messages, and what must come of them. The program must end well in every case.
pub struct Live {
    /// The folder's name.
    pub name: &'static str,
    pub peer: Peer,
    /// Retained before the program starts.
    pub kept: &'static [(&'static str, Payload)],
    pub acts: &'static [Act],
    /// Signals of the twin `P`: value as JSON (`*`: any), quality with its reason.
    pub seen: &'static [(&'static str, &'static str, &'static str)],
    /// Source times of signals: RFC 3339, `now-5` or `received`.
    pub times: &'static [(&'static str, &'static str)],
    /// Counters of the source.
    pub counts: &'static [(&'static str, u64)],
    /// How often the program may connect since the broker was started last.
    pub connections: usize,
    /// What its messages, the errors and the problems of the source hold.
    pub says: &'static [&'static str],
    pub never: &'static [&'static str],
    /// What the events are, in this order, among others.
    pub events: &'static [&'static str],
    /// All samples of a signal in the recording: value and quality, in the order of their times.
    pub records: &'static [(&'static str, &'static [&'static str])],
}

impl Live {
    pub const DEFAULT: Self = Self {
        name: "",
        peer: Peer::Mosquitto(""),
        kept: &[],
        acts: &[],
        seen: &[],
        times: &[],
        counts: &[],
        connections: 1,
        says: &[],
        never: &[],
        events: &[],
        records: &[],
    };
}

/// What the program connects to.
#[derive(Clone, Copy)]
pub enum Peer {
    /// With more lines of its configuration, in which `<folder>` is that of the case.
    Mosquitto(&'static str),
    /// A script that refuses the subscription to `P/t`, and sends 7 on `P/r`.
    Refusing,
    Nobody,
}

pub enum Payload {
    /// `<now-5>` is a time in whole seconds before or after the beginning of the case, `<clock>` the time at hand, in
    /// seconds with nine decimals.
    Text(&'static str),
    Bytes(&'static [u8]),
    /// A byte so many times.
    Repeat(u8, usize),
    /// So many messages, each with its number as payload and at the end of its topic.
    Numbered(u32),
}

pub enum Act {
    /// QoS 1; 2 where the scene asks for 2.
    Publish(&'static str, Payload),
    /// Deletes a retained message.
    Clear(&'static str),
    /// Waits for this in the file of events.
    Await(&'static str),
    /// Waits until the program has said this.
    Says(&'static str),
    /// Kills the broker, starts it again, and waits until the program has subscribed again.
    Restart,
    /// Starts the program a second time.
    Second,
}

#[test]
fn messages_of_a_broker_become_the_right_values_or_their_fault_is_told() {
    if Mosquitto::start().is_none() {
        return;
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut wrong = Vec::new();
        while let Some(case) = TABLE.get(next.fetch_add(1, Ordering::Relaxed)) {
            // What could not be awaited is told with the others.
            let faults = std::panic::catch_unwind(AssertUnwindSafe(|| faults(case))).unwrap_or_else(|panic| {
                vec![panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "panicked".into())]
            });
            wrong.extend(faults.into_iter().map(|fault| format!("{}: {fault}", case.name)));
        }
        wrong
    };
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn faults(case: &Live) -> Vec<String> {
    let mut stage = Stage::new(case);
    for (topic, payload) in case.kept {
        stage.publish(topic, payload, true);
    }
    let program = stage.start("out");
    let mut second = None;
    if !matches!(case.peer, Peer::Nobody) {
        program.says("subscribed to");
    }
    for act in case.acts {
        match act {
            Act::Publish(topic, payload) => stage.publish(topic, payload, false),
            Act::Clear(topic) => send(&mut stage.client(), topic, b"", 1, true),
            Act::Await(event) => stage.awaits(event),
            Act::Says(part) => drop(program.says(part)),
            Act::Second => second = Some(stage.start("second")),
            Act::Restart => {
                stage.all_heard();
                let server = stage.server.as_mut().expect("a broker");
                server.kill();
                program.says("WARN");
                server.restart();
                let subscriptions = || (program.heard().matches(": subscribed to").count() >= 2).then_some(());
                wait_for(subscriptions, || format!("it did not subscribe again: {}", program.heard()));
            }
        }
    }
    stage.all_heard();
    if case.seen.iter().any(|(_, value, _)| *value != "null") {
        stage.awaits("\"birth\"");
    }
    std::thread::sleep(FRAMES);
    drop(second);
    let end = program.stop();
    let said = end.said.clone();
    let told = judge(case, &stage, end);
    told.into_iter().map(|fault| format!("{fault}; it said: {said}")).collect()
}

fn judge(case: &Live, stage: &Stage, end: End) -> Vec<String> {
    let mut faults = Vec::new();
    if end.code != Some(0) {
        return vec![format!("the exit code is {:?}", end.code)];
    }
    let state = end.state();
    let signals = &state["twins"]["P"]["signals"];
    for (name, value, quality) in case.seen {
        let signal = &signals[*name];
        let reason = signal["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
        let found = format!("{}{reason}", signal["quality"].as_str().unwrap_or("none"));
        let is_value = *value == "*" || serde_json::from_str::<Json>(value).expect(value) == signal["value"];
        if !is_value || found != *quality {
            faults.push(format!("{name} is {} ({found}), not {value} ({quality})", signal["value"]));
        }
    }
    for (name, time) in case.times {
        let found = &signals[*name]["source_time"];
        let wanted = match *time {
            "received" => signals[*name]["receive_time"].clone(),
            time => stage.moment(time).to_string().into(),
        };
        if *found != wanted || found.is_null() {
            faults.push(format!("the time of {name} is {found}, not {wanted}"));
        }
    }
    let source = &state["sources"]["b"];
    for (name, count) in case.counts {
        if source[*name].as_u64() != Some(*count) {
            faults.push(format!("{name} is {}, not {count}", source[*name]));
        }
    }
    // What was decoded is in the history, or was counted as lost.
    let count = |of: &Json, name: &str| of[name].as_u64().unwrap_or(0);
    let kept = count(&state["history"], "samples") + count(&state["history"], "evicted") + count(source, "coalesced");
    if kept != count(source, "decoded") {
        faults.push(format!("{} samples were decoded, and {kept} are kept or counted", source["decoded"]));
    }
    let problems = source["problems"].as_object().into_iter().flatten().map(|(_, problem)| &problem["last_error"]);
    let told = problems.chain([&source["error"]]).filter_map(Json::as_str);
    let said = std::iter::once(end.said.as_str()).chain(told).collect::<Vec<_>>().join("\n");
    faults.extend(case.says.iter().filter(|word| !said.contains(**word)).map(|word| format!("does not say `{word}`")));
    faults.extend(case.never.iter().filter(|word| said.contains(**word)).map(|word| format!("says `{word}`")));
    let events = stage.events();
    let mut lines = events.lines();
    for event in case.events {
        if !lines.any(|line| line.contains(event)) {
            faults.push(format!("`{event}` is not among the events in its place: {events}"));
        }
    }
    for (signal, wanted) in case.records {
        let found = recorded(stage.folder.path(), signal);
        if found != *wanted {
            faults.push(format!("the recording has {found:?} of {signal}, not {wanted:?}"));
        }
    }
    let log = stage.log();
    let connections = log.lines().filter(|line| line.contains("New client connected") && line.contains(" as pollux"));
    let connections = connections.count();
    if connections > case.connections {
        faults.push(format!("it connected {connections} times"));
    }
    if !faults.is_empty() {
        faults.push(format!("the source at {} is {source}", stage.url));
    }
    faults
}

/// Value and quality of all samples that `out.mcap` has of a signal.
fn recorded(folder: &Path, signal: &str) -> Vec<String> {
    let timeline = Timeline::open(&[folder.join("out.mcap")]).expect("a recording");
    let scene = Arc::new(scene::load(&folder.join("scene.ron")).scene.expect("a scene without issues"));
    let index = scene.signal("P", signal).expect("a signal").index;
    let run = rejudge(&timeline, scene, ProducerFactory::default()).expect("a run");
    let points = run.knowledge().history.points(index, Timestamp::MIN, Timestamp::MAX);
    let text = |value: Value| match value {
        Value::Number(x) => x.to_string(),
        Value::Bool(x) => x.to_string(),
        Value::Text(text) => text.to_string(),
    };
    points.map(|point| format!("{} {}", text(point.value), point.quality)).collect()
}
