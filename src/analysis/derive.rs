//! Derived signals: evaluated whenever one of their inputs has a new sample, at that sample's source time.
//!
//! In: which signals have a new sample at a moment, history. Out: more samples.
//! Never reads a clock: staleness of an input is judged at the receive time of the sample that asks.
//!
//! An input that arrives late, with a source time in the past, gives a derived sample at that past time; later derived
//! samples are not computed again.

use std::collections::BTreeSet;

use crate::history::{History, quality_at};
use crate::scene::{Derivation, Origin, Scene};
use crate::value::{Grade, Quality, Reason, Sample, SignalIndex, Timestamp, Value};

/// For each signal, the derived signals to evaluate after it: its dependents, and theirs, in order of rank.
#[derive(Debug, Default)]
pub struct DerivedPlan {
    dependents: Vec<Box<[(u32, SignalIndex)]>>,
}

impl DerivedPlan {
    /// Follows each derived signal's inputs back to every signal it depends on, directly or not.
    pub fn new(scene: &Scene) -> Self {
        let mut derived: Vec<(u32, SignalIndex, &Derivation)> = scene
            .signals
            .iter()
            .filter_map(|signal| match &signal.origin {
                Origin::Derived(derivation) => Some((derivation.rank, signal.index, derivation)),
                _ => None,
            })
            .collect();
        // Ranks from high to low: when a derived signal is reached, its own dependents are known.
        derived.sort_by_key(|&(rank, index, _)| std::cmp::Reverse((rank, index)));
        let mut dependents = vec![BTreeSet::new(); scene.signals.len()];
        for &(rank, index, derivation) in &derived {
            let after = dependents[index.at()].clone();
            for (_, input) in &derivation.inputs {
                dependents[input.at()].insert((rank, index));
                dependents[input.at()].extend(after.iter().copied());
            }
        }
        Self { dependents: dependents.into_iter().map(|set| set.into_iter().collect()).collect() }
    }

    /// (rank, derived signal), in the order in which to evaluate them.
    pub fn dependents(&self, signal: SignalIndex) -> &[(u32, SignalIndex)] {
        self.dependents.get(signal.at()).map_or(&[], |dependents| dependents)
    }

    /// Whether anything is derived from `signal`.
    pub fn is_asked_for(&self, signal: SignalIndex) -> bool {
        !self.dependents(signal).is_empty()
    }
}

/// All that follows from samples of one moment, which are in `history` already: derived samples in the order of their
/// ranks, each of which history has when the next is evaluated. They are received with the last of `moment`.
pub(super) fn conclude<'s>(
    scene: &Scene,
    plan: &DerivedPlan,
    history: &mut History,
    moment: impl Iterator<Item = &'s Sample>,
) -> Vec<Sample> {
    let mut due: Vec<(u32, SignalIndex)> = Vec::new();
    let mut at: Option<(Timestamp, Timestamp)> = None;
    for sample in moment {
        let (source_time, received) = at.unwrap_or((sample.source_time, sample.receive_time));
        at = Some((source_time, received.max(sample.receive_time)));
        due.extend(plan.dependents(sample.signal));
    }
    let Some((source_time, receive_time)) = at else { return Vec::new() };
    due.sort_unstable();
    due.dedup();
    let mut derived = Vec::new();
    for (_, signal) in due {
        if let Some(sample) = evaluate(scene, history, signal, source_time, receive_time) {
            history.append(&sample);
            derived.push(sample);
        }
    }
    derived
}

/// The derived sample at `source_time`; none as long as an input has never been seen.
fn evaluate(
    scene: &Scene,
    history: &History,
    derived: SignalIndex,
    source_time: Timestamp,
    receive_time: Timestamp,
) -> Option<Sample> {
    let signal = scene.signals.get(derived.at())?;
    let Origin::Derived(derivation) = &signal.origin else { return None };
    let mut inputs = Vec::with_capacity(derivation.inputs.len());
    let mut worst = Quality::GOOD;
    for (_, input) in &derivation.inputs {
        let point = history.latest_at(*input, source_time)?;
        let expires = scene.signals[input.at()].expires;
        worst = worst.max(quality_at(Some(&point), expires, receive_time));
        inputs.push(point.value);
    }
    let inherited = match worst.grade {
        Grade::Good => Quality::GOOD,
        Grade::Uncertain | Grade::Stale => Quality::uncertain(Reason::Input),
        Grade::Bad => Quality::bad(Reason::Input),
    };
    let (value, quality) = match derivation.compiled.eval(&inputs) {
        Ok(Value::Number(x)) if !x.is_finite() => (Value::Number(x), Quality::bad(Reason::NotFinite)),
        Ok(value) => {
            let outside = |x: f64| signal.range.is_some_and(|(low, high)| x < low || x > high);
            let out_of_range = inherited == Quality::GOOD && value.as_f64().is_some_and(outside);
            (value, if out_of_range { Quality::bad(Reason::OutOfRange) } else { inherited })
        }
        Err(error) => {
            tracing::debug!("{}: {error}", scene.signal_path(derived));
            (Value::Number(f64::NAN), Quality::bad(Reason::Expression))
        }
    };
    Some(Sample { signal: derived, source_time, receive_time, value, quality })
}
