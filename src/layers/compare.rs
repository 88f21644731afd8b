//! Compares two whole recordings over the stretch that both have. In: two recordings, how to align them. Out: per
//! signal the largest difference with its time and the root-mean-square one; signals that only one has; events that
//! met. Reads both once, message by message: its memory does not grow with their length.
//!
//! At each moment the values are compared that the cursor would show: the newest that was known then. Between two
//! samples a value holds, so that the mean weighs by time.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::difference::{Spread, share};
use super::events::{self, Met};
use super::open::{LayerError, names_of_two};
use super::{Align, Pair, Pairs, Side, align, overlap};
use crate::record::read::ReadError;
use crate::replay::{OpenError, OpenRecording, Received, Samples};
use crate::value::{Sample, Shift, SignalIndex, Timestamp, Value};

/// The journals of both are read into memory; samples are not.
const JOURNAL_ONLY_BYTES: u64 = 1 << 20;

#[derive(Clone, Debug)]
pub struct Options {
    pub here: PathBuf,
    pub there: PathBuf,
    /// Instead of the scene of each.
    pub scene: Option<PathBuf>,
    pub align: Option<Align>,
    pub by_hand: Shift,
    /// Differences up to this share of a signal's scale are none.
    pub tolerance: Option<f64>,
}

/// What two recordings have in common, and what not. Times are those of the first.
#[derive(Serialize, Clone, PartialEq, Debug)]
pub struct Comparison {
    pub here: Recorded,
    pub there: Recorded,
    /// `wall`, `start` or `event:TEXT`.
    pub aligned_by: String,
    /// From a moment of the first to the one of the second that belongs to it, shifted by hand included.
    pub shift_secs: f64,
    pub from: Timestamp,
    pub to: Timestamp,
    /// The largest difference first.
    pub signals: Vec<SignalDifference>,
    pub only_here: Vec<String>,
    pub only_there: Vec<String>,
    pub not_comparable: Vec<NotComparable>,
    pub events: Vec<EventDifference>,
    /// With a tolerance: each thing that exceeds it, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Damage of the recordings, in sentences.
    pub damage: Vec<String>,
}

#[derive(Serialize, Clone, PartialEq, Debug)]
pub struct Recorded {
    pub file: String,
    pub start: Timestamp,
    pub end: Timestamp,
}

#[derive(Serialize, Clone, PartialEq, Debug)]
pub struct SignalDifference {
    /// `P-101.flow`.
    pub signal: String,
    pub unit: String,
    /// Seconds for which both had a value.
    pub compared_secs: f64,
    /// Seconds for which a text or a switch differed; of numbers those for which they were not the same.
    pub differing_secs: f64,
    /// The largest difference, value there minus value here; none for texts and switches.
    pub largest: Option<f64>,
    /// Root of the mean square, weighted by time.
    pub rms: Option<f64>,
    /// The largest difference as a share of the signal's scale; of texts and switches the share of time.
    pub share: f64,
    /// When it was largest, or when they differed first; none if they never did.
    pub at: Option<Timestamp>,
    /// The values then.
    pub here: Option<Value>,
    pub there: Option<Value>,
}

#[derive(Serialize, Clone, PartialEq, Debug)]
pub struct NotComparable {
    pub signal: String,
    pub why: String,
}

#[derive(Serialize, Clone, PartialEq, Debug)]
pub struct EventDifference {
    /// `P-101/vibration.high raised`.
    pub event: String,
    /// When it was in each, by the clock of each.
    pub here: Option<Timestamp>,
    pub there: Option<Timestamp>,
    /// Seconds by which it came later in the second, once both are aligned.
    pub later_secs: Option<f64>,
    #[serde(skip)]
    is_raised: bool,
}

#[derive(Serialize, Clone, PartialEq, Debug)]
pub struct Verdict {
    pub tolerance: f64,
    pub exceeding: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    #[error("{}: {error}", path.display())]
    Open { path: PathBuf, error: OpenError },
    #[error(transparent)]
    Layer(#[from] LayerError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Compares two recordings over all that both have.
pub fn compare(options: &Options) -> Result<Comparison, CompareError> {
    let open = |path: &Path| {
        OpenRecording::open(&[path.to_owned()], options.scene.as_deref(), JOURNAL_ONLY_BYTES, Arc::new(|| {}))
            .map_err(|error| CompareError::Open { path: path.to_owned(), error })
    };
    let (ours, theirs) = (open(&options.here)?, open(&options.there)?);
    let names = names_of_two(&options.here, &options.there);
    let (here_known, there_known) = (ours.analysis.lock(), theirs.analysis.lock());
    let (journal, other_journal) = (here_known.chronicle().journal(), there_known.chronicle().journal());
    let side = |name, (start, end), journal| Side { name, start, end: Some(end), journal };
    let (here, there) = (side(&*names.0, ours.bounds, journal), side(&*names.1, theirs.bounds, other_journal));
    let aligned = align(options.align.as_ref(), options.by_hand, &here, &there).map_err(LayerError::Align)?;
    // Both are over: nothing is waited for, and they have met.
    let (by, shift) = aligned.map_or((Align::Start, Shift::NONE), |aligned| (aligned.by, aligned.shift));
    let shift = shift.plus(options.by_hand);
    let (from, to) = overlap(&here, &there, shift).unwrap_or((here.start, here.end));
    let to = to.unwrap_or(here.start);

    let pairs = Pairs::of(&ours.scene, &theirs.scene);
    let mut differences: Vec<PairDifference> = vec![PairDifference::default(); pairs.list.len()];
    follow(&ours, &theirs, &pairs, shift, (from, to), &mut differences)?;
    let told = |(pair, difference): (&Pair, PairDifference)| {
        let signal = ours.scene.signals.get(pair.here.at())?;
        Some(difference.told(ours.scene.signal_path(pair.here), signal.unit.symbol(), signal.range))
    };
    let mut signals: Vec<SignalDifference> = pairs.list.iter().zip(differences).filter_map(told).collect();
    signals.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.signal.cmp(&b.signal)));
    let met = events::meet(journal.iter(), other_journal.iter(), shift, (from, to));
    let recorded = |path: &Path, (start, end)| Recorded { file: path.display().to_string(), start, end };
    let damage =
        |name: &str, recording: &OpenRecording| recording.timeline.told().map(|text| format!("{name}: {text}"));
    let mut comparison = Comparison {
        here: recorded(&options.here, ours.bounds),
        there: recorded(&options.there, theirs.bounds),
        aligned_by: by.to_string(),
        shift_secs: shift.secs(),
        from,
        to,
        signals,
        only_here: pairs.only_here,
        only_there: pairs.only_there,
        not_comparable: pairs
            .unlike
            .into_iter()
            .map(|unlike| NotComparable { signal: unlike.path, why: unlike.why })
            .collect(),
        events: met.iter().map(|met| event_difference(met, shift)).collect(),
        verdict: None,
        damage: [damage(&names.0, &ours), damage(&names.1, &theirs)].into_iter().flatten().collect(),
    };
    comparison.verdict =
        options.tolerance.map(|tolerance| Verdict { tolerance, exceeding: exceeding(&comparison, tolerance) });
    Ok(comparison)
}

fn event_difference(met: &Met, shift: Shift) -> EventDifference {
    let (here, there) = match met {
        Met::Both { here, there } => (Some(here.time), Some(there.time)),
        Met::Here(event) => (Some(event.time), None),
        Met::There(event) => (None, Some(event.time)),
    };
    let event = met.event();
    EventDifference {
        event: events::name(event),
        here,
        there,
        later_secs: met.later_secs(shift),
        is_raised: events::is_raised(event),
    }
}

/// Signals beyond the tolerance, signals that only one has, alarms that came up in only one.
fn exceeding(comparison: &Comparison, tolerance: f64) -> Vec<String> {
    let percent = |share: f64| format!("{} %", crate::value::number::significant(share * 100.0, 3));
    let beyond = comparison.signals.iter().filter(|signal| signal.share > tolerance).map(|signal| {
        let of = if signal.largest.is_some() { "of its scale" } else { "of the time" };
        format!("{} differs by {} {of}", signal.signal, percent(signal.share))
    });
    let unlike = comparison.not_comparable.iter().map(|signal| format!("{}: {}", signal.signal, signal.why));
    let only = |signals: &[String], which: &str| -> Vec<String> {
        signals.iter().map(|signal| format!("{signal} is only in the {which} recording")).collect()
    };
    let alarms = comparison.events.iter().filter(|event| event.is_raised && event.later_secs.is_none());
    let alarms = alarms.map(|event| {
        let which = if event.here.is_some() { "first" } else { "second" };
        format!("{} is only in the {which} recording", event.event)
    });
    beyond
        .chain(unlike)
        .chain(only(&comparison.only_here, "first"))
        .chain(only(&comparison.only_there, "second"))
        .chain(alarms)
        .collect()
}

/// One signal of both, while time goes by.
#[derive(Clone, Debug, Default)]
struct PairDifference {
    here: Option<NewestValue>,
    there: Option<NewestValue>,
    /// The difference since this moment.
    since: Option<Timestamp>,
    now: Apart,
    spread: Spread,
    compared_secs: f64,
    differing_secs: f64,
    square_secs: f64,
    worst: Option<Worst>,
    is_number: bool,
}

/// The newest value that was known.
#[derive(Clone, PartialEq, Debug)]
struct NewestValue {
    source_time: Timestamp,
    value: Option<Value>,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
enum Apart {
    /// One of them has no value.
    #[default]
    Unknown,
    Number(f64),
    /// Texts or switches: whether they differ.
    State(bool),
}

#[derive(Clone, PartialEq, Debug)]
struct Worst {
    delta: f64,
    at: Timestamp,
    here: Value,
    there: Value,
}

impl PairDifference {
    /// A received sample replaces an older one.
    fn learn(place: &mut Option<NewestValue>, sample: &Sample, value: impl FnOnce(Value) -> Value) {
        if place.as_ref().is_none_or(|known| sample.source_time >= known.source_time) {
            let value = sample.quality.has_value().then(|| value(sample.value.clone()));
            *place = Some(NewestValue { source_time: sample.source_time, value });
        }
    }

    /// Time has come to `at`: the difference until then counts.
    fn pass(&mut self, at: Timestamp) {
        let Some(since) = self.since.replace(at) else { return };
        let secs = at.secs_since(since).max(0.0);
        match self.now {
            Apart::Unknown => return,
            Apart::Number(delta) => {
                self.square_secs += delta * delta * secs;
                self.differing_secs += if delta == 0.0 { 0.0 } else { secs };
            }
            Apart::State(differs) => self.differing_secs += if differs { secs } else { 0.0 },
        }
        self.compared_secs += secs;
    }

    /// All that became known at `at` is learnt: from now on this is the difference.
    fn settle(&mut self, at: Timestamp) {
        let value = |known: &Option<NewestValue>| known.as_ref().and_then(|known| known.value.clone());
        let (here, there) = (value(&self.here), value(&self.there));
        for value in [&here, &there].into_iter().flatten() {
            if let Value::Number(x) = value {
                self.spread.add(*x);
            }
        }
        let (Some(here), Some(there)) = (here, there) else {
            self.now = Apart::Unknown;
            return;
        };
        let worst = self.worst.as_ref().map_or(0.0, |worst| worst.delta.abs());
        let delta = match (&here, &there) {
            (Value::Number(a), Value::Number(b)) => {
                self.is_number = true;
                let delta = b - a;
                self.now = if delta.is_finite() { Apart::Number(delta) } else { Apart::Unknown };
                delta
            }
            _ => {
                let differs = here != there;
                self.now = Apart::State(differs);
                if differs { 1.0 } else { 0.0 }
            }
        };
        if delta.is_finite() && delta.abs() > worst {
            self.worst = Some(Worst { delta, at, here, there });
        }
    }

    fn told(self, signal: String, unit: &str, range: Option<(f64, f64)>) -> SignalDifference {
        let delta = self.worst.as_ref().map_or(0.0, |worst| worst.delta);
        let share = match self.is_number {
            true => share(delta, self.spread.scale(range)),
            false if self.compared_secs > 0.0 => self.differing_secs / self.compared_secs,
            // Both were known at one moment only.
            false => delta.abs(),
        };
        let mean = if self.compared_secs > 0.0 { self.square_secs / self.compared_secs } else { delta * delta };
        let (at, here, there) = match self.worst {
            Some(worst) => (Some(worst.at), Some(worst.here), Some(worst.there)),
            None => (None, None, None),
        };
        SignalDifference {
            signal,
            unit: unit.to_owned(),
            compared_secs: self.compared_secs,
            differing_secs: self.differing_secs,
            largest: self.is_number.then_some(delta),
            rms: self.is_number.then(|| mean.sqrt()),
            share,
            at,
            here,
            there,
        }
    }
}

/// Reads both recordings together, in the time of the first.
fn follow(
    ours: &OpenRecording,
    theirs: &OpenRecording,
    pairs: &Pairs,
    shift: Shift,
    (from, to): (Timestamp, Timestamp),
    differences: &mut [PairDifference],
) -> Result<(), ReadError> {
    let places: BTreeMap<SignalIndex, usize> =
        pairs.list.iter().enumerate().map(|(place, pair)| (pair.there, place)).collect();
    let (known, messages) = Samples::new(&ours.timeline, ours.scene.clone(), from, to)?;
    let (other_known, others) =
        Samples::new(&theirs.timeline, theirs.scene.clone(), shift.there(from), shift.there(to))?;
    let (mut messages, mut others) = (messages.peekable(), others.peekable());

    let learn_here = |differences: &mut [PairDifference], sample: &Sample| {
        let place = pairs.place(sample.signal)?;
        PairDifference::learn(&mut differences.get_mut(place)?.here, sample, |value| value);
        Some(place)
    };
    let learn_there = |differences: &mut [PairDifference], sample: &Sample| {
        let place = *places.get(&sample.signal)?;
        let pair = pairs.list.get(place)?;
        PairDifference::learn(&mut differences.get_mut(place)?.there, sample, |value| pair.value(value));
        Some(place)
    };
    for sample in &known {
        learn_here(differences, sample);
    }
    for sample in &other_known {
        learn_there(differences, sample);
    }

    let mut is_begun = false;
    let mut told: Vec<usize> = Vec::new();
    loop {
        let next = [time_of(&mut messages)?, time_of(&mut others)?.map(|at| shift.here(at))];
        let Some(at) = next.into_iter().flatten().min() else { break };
        if at > from && !is_begun {
            is_begun = true;
            begin(differences, from);
        }
        // All that became known at one moment, in both, is one picture.
        told.clear();
        while let Some(message) = take_at(&mut messages, at)? {
            told.extend(message.samples.iter().filter_map(|sample| learn_here(differences, sample)));
        }
        while let Some(message) = take_at(&mut others, shift.there(at))? {
            told.extend(message.samples.iter().filter_map(|sample| learn_there(differences, sample)));
        }
        if is_begun {
            told.sort_unstable();
            told.dedup();
            for place in &told {
                if let Some(difference) = differences.get_mut(*place) {
                    difference.pass(at);
                    difference.settle(at);
                }
            }
        }
    }
    if !is_begun {
        begin(differences, from);
    }
    differences.iter_mut().for_each(|difference| difference.pass(to));
    Ok(())
}

/// What was known when the stretch began counts from there on.
fn begin(differences: &mut [PairDifference], from: Timestamp) {
    for difference in differences {
        difference.since = Some(from);
        difference.settle(from);
    }
}

type Messages<'t> = Peekable<Samples<'t>>;

fn time_of(messages: &mut Messages) -> Result<Option<Timestamp>, ReadError> {
    match messages.next_if(Result::is_err) {
        Some(Err(error)) => Err(error),
        _ => Ok(messages.peek().and_then(|next| next.as_ref().ok()).map(|message| message.at)),
    }
}

/// The next message, if it was received by then.
fn take_at(messages: &mut Messages, at: Timestamp) -> Result<Option<Received>, ReadError> {
    messages.next_if(|next| next.as_ref().map_or(true, |message| message.at <= at)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Origin, Quality};

    fn secs(at: f64) -> Timestamp {
        Timestamp((at * 1e9) as i64)
    }

    fn sample(at: f64, value: Value) -> Sample {
        let (source_time, receive_time) = (secs(at), secs(at));
        Sample {
            signal: SignalIndex(0),
            source_time,
            receive_time,
            value,
            quality: Quality::GOOD,
            origin: Origin::Measured,
        }
    }

    /// Values from some moments on, here (false) or there (true), until second 10.
    fn difference(steps: &[(f64, bool, Value)]) -> SignalDifference {
        let mut difference = PairDifference::default();
        begin(std::slice::from_mut(&mut difference), secs(0.0));
        for (at, is_there, value) in steps {
            let place = if *is_there { &mut difference.there } else { &mut difference.here };
            PairDifference::learn(place, &sample(*at, value.clone()), |value| value);
            difference.pass(secs(*at));
            difference.settle(secs(*at));
        }
        difference.pass(secs(10.0));
        difference.told("P-1.flow".into(), "m3/h", None)
    }

    #[test]
    fn the_mean_weighs_by_time_and_the_largest_difference_has_its_moment() {
        let number = Value::Number;
        let steps = [
            (0.0, false, number(10.0)),
            (2.0, true, number(10.0)),
            (6.0, true, number(14.0)),
            (8.0, true, number(7.0)),
        ];
        let told = difference(&steps);
        assert_eq!((told.compared_secs, told.differing_secs), (8.0, 4.0), "before second 2 one has no value");
        assert_eq!((told.largest, told.at), (Some(4.0), Some(secs(6.0))));
        assert_eq!((told.here, told.there), (Some(number(10.0)), Some(number(14.0))));
        let rms = ((16.0 * 2.0 + 9.0 * 2.0) / 8.0_f64).sqrt();
        assert!((told.rms.unwrap_or_default() - rms).abs() < 1e-12, "{:?}", told.rms);
        assert_eq!(told.share, 4.0 / 14.0);
    }

    #[test]
    fn states_differ_for_a_share_of_the_time() {
        let text = |text: &str| Value::Text(text.into());
        let told = difference(&[(0.0, false, text("auto")), (0.0, true, text("auto")), (7.5, true, text("manual"))]);
        assert_eq!((told.share, told.differing_secs, told.at), (0.25, 2.5, Some(secs(7.5))));
        assert_eq!((told.largest, told.rms), (None, None));
    }

    #[test]
    fn a_late_sample_does_not_take_the_place_of_a_newer_one() {
        let mut place = None;
        PairDifference::learn(&mut place, &sample(5.0, Value::Number(5.0)), |value| value);
        PairDifference::learn(&mut place, &sample(3.0, Value::Number(3.0)), |value| value);
        assert_eq!(place.and_then(|known| known.value), Some(Value::Number(5.0)));
    }
}
