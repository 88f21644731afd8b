//! Which messages go out, when, and with what. In: a scene, readings. Out: payloads. Reads no clock, sends nothing.

use std::time::Duration;

use serde_json::Value as Json;

use crate::ingest::{self, Encoder, ShortWay};
use crate::scene::{Scene, WaveformOf};
use crate::value::{SignalIndex, Timestamp, Value, to_multiple};

/// From message to message where neither the scene nor its signals say more.
const USUAL: Duration = Duration::from_secs(1);
/// How often a message that goes out on change is looked at.
const LOOK: u64 = 100_000_000;
/// Messages of one period begin so many parts of it after each other, so that they do not come all at once.
const PHASES: u64 = 16;

/// The messages of one topic.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Report {
    /// By its place in the encoder.
    pub(super) topic: usize,
    /// Signals that are measured, by their places among the readers too.
    pub(super) signals: Vec<(SignalIndex, usize)>,
    /// Signals that are bound to this topic, for their time stamps.
    bound: Vec<SignalIndex>,
    pub(super) retain: bool,
    pub(super) qos: u8,
    on_change: bool,
    /// Nanoseconds.
    every: u64,
    pub(super) beat: Beat,
    around: Json,
    pub(super) waveforms: Vec<WaveformOf>,
    /// How its messages become samples without bytes; none where they do not.
    pub(super) short: Option<ShortWay>,
    pub(super) memory: Memory,
}

/// What a report remembers from message to message.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Memory {
    /// Messages so far.
    pub(super) sequence: u64,
    /// When the last one went out, in nanoseconds since the start.
    pub(super) sent: u64,
    /// What it said.
    pub(super) said: Vec<Option<Value>>,
}

/// Times that come again and again, and 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Beat {
    /// Nanoseconds.
    pub(super) period: u64,
    pub(super) phase: u64,
}

impl Beat {
    pub(super) fn is_due(self, time: u64) -> bool {
        time == 0 || time >= self.phase && (time - self.phase).is_multiple_of(self.period)
    }

    /// The first time after this one.
    pub(super) fn next(self, time: u64) -> u64 {
        match time < self.phase {
            true => self.phase,
            false => self.phase + ((time - self.phase) / self.period + 1) * self.period,
        }
    }
}

/// All messages of a scene, in the order of its topics. `readers` gives the place of a signal's instrument, `period` how
/// often there is something new to say, in nanoseconds.
pub(super) fn reports(
    scene: &Scene,
    encoder: &Encoder,
    readers: &dyn Fn(SignalIndex) -> Option<usize>,
    period: &dyn Fn(SignalIndex) -> Option<u64>,
) -> Vec<Report> {
    let mut reports: Vec<Report> = Vec::new();
    for (topic, name) in encoder.topics().iter().enumerate() {
        let told = scene.messages.iter().find(|message| message.topic == name.name);
        let bound: Vec<SignalIndex> =
            scene.signals.iter().map(|signal| signal.index).filter(|at| encoder.topic_of(*at) == Some(topic)).collect();
        let signals: Vec<(SignalIndex, usize)> =
            bound.iter().filter_map(|signal| Some((*signal, readers(*signal)?))).collect();
        let around = told.map_or(Json::Null, |told| told.payload.clone());
        let waveforms = told.map_or(Vec::new(), |told| told.waveforms.clone());
        let nothing = signals.is_empty() && around.is_null() && waveforms.is_empty();
        if nothing || name.name.contains(['+', '#']) {
            continue;
        }
        let every = told.and_then(|told| told.every).unwrap_or_else(|| usual(scene, &signals, period));
        let every = u64::try_from(every.as_nanos()).unwrap_or(u64::MAX).max(1);
        let on_change = told.is_some_and(|told| told.on_change);
        let period = if on_change { LOOK.min(every) } else { every };
        let same = reports.iter().filter(|report| report.beat.period == period).count() as u64;
        let phase = if on_change { 0 } else { whole_millis(period / PHASES * (same % PHASES)) };
        reports.push(Report {
            topic,
            signals,
            bound,
            retain: told.is_some_and(|told| told.retain),
            qos: told.map_or(0, |told| told.qos),
            on_change,
            every,
            beat: Beat { period, phase },
            around,
            waveforms,
            short: None,
            memory: Memory::default(),
        });
    }
    reports
}

/// Often enough that nothing goes stale, and no more often than the instruments read.
fn usual(scene: &Scene, signals: &[(SignalIndex, usize)], period: &dyn Fn(SignalIndex) -> Option<u64>) -> Duration {
    let periods = signals.iter().filter_map(|(signal, _)| period(*signal));
    if let Some(period) = periods.min() {
        return Duration::from_nanos(period);
    }
    let expires = signals.iter().filter_map(|(signal, _)| scene.signals[signal.at()].expires).min();
    expires.map_or(USUAL, |expires| USUAL.min(expires / 3))
}

impl Report {
    /// Whether there is anything new to say at a time. `values` are the newest readings in the order of the signals, none
    /// for one that is silent.
    pub(super) fn has_news(&self, values: &[Option<Value>], time: u64) -> bool {
        let Memory { sequence, sent, said } = &self.memory;
        !self.on_change || *sequence == 0 || values != said || time - sent >= self.every
    }

    /// The payload of a message at `time` nanoseconds since `epoch`, if it says anything; `sampled` fills the waveforms.
    pub(super) fn payload(
        &self,
        encoder: &Encoder,
        (epoch, time): (Timestamp, u64),
        values: &[Option<Value>],
        sampled: &dyn Fn(&WaveformOf, &mut [f64]),
    ) -> Option<Vec<u8>> {
        let now = epoch + Duration::from_nanos(time);
        let mut around = self.around.clone();
        fill(&mut around, self.memory.sequence, now);
        if !around.is_null() {
            self.bound.iter().for_each(|signal| encoder.stamp(&mut around, *signal, now));
        }
        for waveform in &self.waveforms {
            let mut samples = vec![0.0; waveform.count];
            sampled(waveform, &mut samples);
            if waveform.resolution > 0.0 {
                samples.iter_mut().for_each(|x| *x = to_multiple(*x, waveform.resolution));
            }
            ingest::put(&mut around, &waveform.pointer, Json::from(samples));
        }
        let spoken = self
            .signals
            .iter()
            .zip(values)
            .filter_map(|((signal, _), value)| Some((*signal, encoder.json(*signal, value.as_ref()?))));
        encoder.payload(around, now, &spoken.collect::<Vec<_>>())
    }

    /// A message went out. Gives back what the one before it said.
    pub(super) fn has_said(&mut self, values: Vec<Option<Value>>, time: u64) -> Vec<Option<Value>> {
        let now = Memory { sequence: self.memory.sequence + 1, sent: time, said: values };
        std::mem::replace(&mut self.memory, now).said
    }
}

/// Stamps in milliseconds stay whole numbers, as those of devices are.
fn whole_millis(nanos: u64) -> u64 {
    nanos - nanos % 1_000_000
}

/// Puts what changes from message to message into a payload.
fn fill(around: &mut Json, sequence: u64, now: Timestamp) {
    match around {
        Json::String(text) if text == "{sequence}" => *around = Json::from(sequence),
        Json::String(text) if text == "{time}" => *around = Json::from(now.to_string()),
        Json::Array(list) => list.iter_mut().for_each(|one| fill(one, sequence, now)),
        Json::Object(fields) => fields.values_mut().for_each(|one| fill(one, sequence, now)),
        Json::String(_) | Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}
