//! Rules, scenes and stories for the tests of this room, made by hand.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use super::{Action, Alarm, Cause, Change, Deed, Engine, Refusal, Values};
use crate::history::Point;
use crate::scene::expression::Compiled;
use crate::scene::rule::{AlarmIndex, Condition, Formula, Level, Rule, Subject};
use crate::scene::{Limits, Scene, Signal, SignalSource, Twin, ValueKind};
use crate::value::{Origin, Quality, Reason, Sample, SignalIndex, Timestamp, TwinIndex, Unit, Value};

pub(super) const SEC: i64 = 1_000_000_000;

/// Names of the signals of the one twin `P-101`.
const SIGNALS: [&str; 3] = ["a", "b", "c"];

pub(super) fn secs(secs: f64) -> Timestamp {
    Timestamp((secs * SEC as f64).round() as i64)
}

pub(super) fn seconds(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A rule about the signal `a` of `P-101`, without delays.
pub(super) fn rule(condition: Condition) -> Rule {
    Rule::new(Subject::Signal(SignalIndex(0)), "a.test", condition)
}

pub(super) fn high(limit: f64, deadband: f64) -> Rule {
    rule(Condition::Limit { level: Level::High, limit, deadband })
}

/// A formula over the signals `a`, `b` and `c`.
pub(super) fn formula(source: &str) -> Formula {
    let (compiled, names) = Compiled::parse(source).unwrap();
    let signal = |name: &str| SignalIndex(SIGNALS.iter().position(|known| *known == name).unwrap() as u32);
    let inputs = names.into_iter().map(|name| (name.clone(), signal(&name))).collect();
    Formula { source: source.into(), inputs, compiled }
}

/// One twin with three signals, the first of which expires as said.
pub(super) fn scene(rules: Vec<Rule>, expires: Option<Duration>) -> Arc<Scene> {
    let mut scene = Scene::default();
    scene.twins.push(Twin::new(TwinIndex(0), "P-101", "", 0..SIGNALS.len() as u32));
    for (at, name) in (0..).zip(SIGNALS) {
        scene.signals.push(Signal {
            index: SignalIndex(at),
            twin: TwinIndex(0),
            name: name.into(),
            label: String::new(),
            kind: ValueKind::Number,
            unit: Unit::none(),
            source: SignalSource::Unbound,
            expires,
            range: None,
            limits: Limits::default(),
        });
    }
    scene.alarms = rules;
    for (at, rule) in (0..).zip(&mut scene.alarms) {
        rule.index = AlarmIndex(at);
    }
    Arc::new(scene)
}

/// Every sample so far, found by looking at all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownSamples(pub Vec<Sample>);

impl Values for KnownSamples {
    fn latest_at(&self, signal: SignalIndex, at: Timestamp) -> Option<Point> {
        let mut found: Option<&Sample> = None;
        for sample in self.0.iter().filter(|sample| sample.signal == signal && sample.source_time <= at) {
            if found.is_none_or(|found| found.source_time <= sample.source_time) {
                found = Some(sample);
            }
        }
        found.map(|sample| Point {
            source_time: sample.source_time,
            receive_time: sample.receive_time,
            value: sample.value.clone(),
            quality: sample.quality,
            origin: sample.origin,
        })
    }
}

pub(super) fn deed(at: Timestamp, comment: &str) -> Deed {
    Deed { by: "Ada".into(), at, comment: comment.into() }
}

/// Something happens after another, and the changes are told in lines.
pub(super) struct Story {
    pub engine: Engine,
    known: KnownSamples,
    text: String,
}

impl Story {
    pub fn new(rule: Rule) -> Self {
        Self::with(scene(vec![rule], Some(seconds(10))))
    }

    pub fn with(scene: Arc<Scene>) -> Self {
        Self { engine: Engine::new(scene, Timestamp(0)), known: KnownSamples::default(), text: String::new() }
    }

    /// A sample of signal `a`, received half a second after its source time.
    pub fn sample(self, source: f64, value: f64) -> Self {
        self.take(0, source, source + 0.5, Value::Number(value), Quality::GOOD)
    }

    /// The same out of a model.
    pub fn simulated(self, signal: u32, source: f64, value: f64) -> Self {
        self.take_of(Origin::Simulated, signal, source, source + 0.5, Value::Number(value), Quality::GOOD)
    }

    pub fn other(self, signal: u32, source: f64, value: f64) -> Self {
        self.take(signal, source, source + 0.5, Value::Number(value), Quality::GOOD)
    }

    pub fn received(self, source: f64, received: f64, value: f64) -> Self {
        self.take(0, source, received, Value::Number(value), Quality::GOOD)
    }

    pub fn bad(self, source: f64) -> Self {
        self.take(0, source, source + 0.5, Value::Number(99.0), Quality::bad(Reason::Source))
    }

    pub fn out_of_range(self, source: f64, value: f64) -> Self {
        self.take(0, source, source + 0.5, Value::Number(value), Quality::bad(Reason::OutOfRange))
    }

    pub fn value(self, source: f64, value: Value) -> Self {
        self.take(0, source, source + 0.5, value, Quality::GOOD)
    }

    fn take(self, signal: u32, source: f64, received: f64, value: Value, quality: Quality) -> Self {
        self.take_of(Origin::Measured, signal, source, received, value, quality)
    }

    fn take_of(
        mut self,
        origin: Origin,
        signal: u32,
        source: f64,
        received: f64,
        value: Value,
        quality: Quality,
    ) -> Self {
        let (source_time, receive_time) = (secs(source), secs(received));
        let sample = Sample { signal: SignalIndex(signal), source_time, receive_time, value, quality, origin };
        self.known.0.push(sample.clone());
        let mut out = Vec::new();
        self.engine.observe(&sample, &self.known, &mut out);
        self.tell(&out);
        self
    }

    pub fn elapse(mut self, now: f64) -> Self {
        let mut out = Vec::new();
        self.engine.elapse(secs(now), &mut out);
        self.tell(&out);
        self
    }

    pub fn connection(mut self, broker: &str, connected: bool, at: f64) -> Self {
        let mut out = Vec::new();
        self.engine.connection(broker, connected, secs(at), &mut out);
        self.tell(&out);
        self
    }

    pub fn act(mut self, at: f64, action: Action, comment: &str) -> Self {
        let mut out = Vec::new();
        let result: Result<(), Refusal> = self.engine.act(AlarmIndex(0), &action, &deed(secs(at), comment), &mut out);
        self.tell(&out);
        if let Err(refusal) = result {
            let _ = writeln!(self.text, "{at:>5} {action:?} refused: {refusal}");
        }
        self
    }

    pub fn adopt(mut self, scene: Arc<Scene>, now: f64) -> Self {
        let mut out = Vec::new();
        self.engine.adopt(scene, secs(now), &mut out);
        self.tell(&out);
        self
    }

    pub fn say(mut self, line: &str) -> Self {
        let _ = writeln!(self.text, "{line}");
        self
    }

    pub fn alarm(&self) -> &Alarm {
        &self.engine.alarms()[0]
    }

    fn tell(&mut self, changes: &[Change]) {
        for change in changes {
            let _ = writeln!(self.text, "{}", line(change));
        }
    }

    pub fn check(&self, expected: &expect_test::Expect) {
        expected.assert_eq(&self.text);
    }
}

/// `   12 Raised: Normal → Unacknowledged, value 7 (known at 12.5)`
pub(super) fn line(change: &Change) -> String {
    let time = |time: Timestamp| {
        let rest = time.0.rem_euclid(SEC);
        if rest % 1_000_000 == 0 { format!("{}", time.as_secs_f64()) } else { format!("{}+{rest}ns", time.0 / SEC) }
    };
    let mut text = format!("{:<5} {:?}", time(change.source_time), change.cause);
    if let Cause::Shelved { until } = &change.cause {
        text = format!("{:<5} Shelved until {}", time(change.source_time), until.map_or("return".into(), time));
    }
    if change.from == change.to {
        let _ = write!(text, ": {:?}", change.to);
    } else {
        let _ = write!(text, ": {:?} → {:?}", change.from, change.to);
    }
    for (name, value) in [("value", change.value), ("worst", change.worst)] {
        if let Some(value) = value {
            let _ = write!(text, ", {name} {value}");
        }
    }
    if let Some(origin) = change.origin.mark() {
        let _ = write!(text, ", {}", origin.name());
    }
    let _ = write!(text, " (known at {})", time(change.receive_time));
    text
}
