//! Stand-ins: plausible values of signals that no model measures, so that a scene moves before its hardware exists.
//!
//! In: a scene, what people asked for, a seed, times. Out: values where the machines' outputs would be: instruments,
//! periods and payloads are those of the plant. Reads no clock and no disk: who opens a recording hands its samples in.
//! All randomness follows from the seed, the signal's path and the number of a step.
//!
//! A signal has a stand-in when a message of one topic carries it, no model measures it, and no `payload` of its message
//! says its value already.
//!
//! ```text
//! scene ─────► invent ─┐
//!                      ├─► habit (course, instrument, period) ─► actor ─► value at a time ─► instrument ─► report
//! samples ───► fit ────┘
//! ```
//!
//! How values are invented stands in `invent.rs`, how they are fitted in [`fit`](mod@fit). A signal that a recording knows too
//! little of, or knows as something of another kind or unit, is invented.

mod calm;
mod course;
pub mod fit;
mod invent;
mod lag;
mod series;
mod spectrum;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::scene::{Decoder, Instrument, Scene, Signal, SignalSource, ValueKind};
use crate::value::{Conversion, SignalIndex};

use course::Course;
pub(super) use course::{Actor, Memory, Position};
pub use fit::{Fitted, Recorded, fit};

/// How values are found for signals that no model measures.
#[derive(Clone, PartialEq, Debug)]
pub enum StandIn {
    /// From the signals' ranges, limits and kinds.
    Invented,
    /// As in a recording.
    Like(Arc<Fitted>),
}

/// How a signal behaves.
#[derive(Clone, PartialEq, Debug)]
struct Habit {
    course: Course,
    instrument: Instrument,
    /// Nanoseconds from message to message; none for what is usual.
    every: Option<u64>,
}

impl Habit {
    fn of(course: Course) -> Self {
        Self { course, instrument: Instrument::default(), every: None }
    }

    /// The same in another unit.
    fn converted(self, to: &Conversion) -> Self {
        let size = to.scale().abs();
        let Instrument { noise, resolution, range, .. } = self.instrument;
        // Multiples of a step stay so where zero stays zero.
        let resolution = if to.offset() == 0.0 { resolution * size } else { 0.0 };
        let ordered = |(low, high): (f64, f64)| {
            let (a, b) = (to.apply(low), to.apply(high));
            (a.min(b), a.max(b))
        };
        let instrument = Instrument { noise: noise * size, resolution, range: range.map(ordered), ..self.instrument };
        Self { course: self.course.converted(to), instrument, ..self }
    }
}

/// A signal with its stand-in.
pub(super) struct Cast {
    pub signal: SignalIndex,
    pub actor: Actor,
    pub instrument: Instrument,
    pub every: Option<u64>,
}

/// The stand-ins of a scene, in the order of its signals.
pub(super) fn cast(scene: &Scene, how: &StandIn, seed: u64) -> Vec<Cast> {
    let wanted = unmeasured(scene);
    let mut habits: BTreeMap<SignalIndex, Habit> = match how {
        StandIn::Invented => BTreeMap::new(),
        StandIn::Like(fitted) => wanted.iter().filter_map(|at| Some((*at, fitted.habit(scene, *at)?))).collect(),
    };
    let left: Vec<SignalIndex> = wanted.iter().copied().filter(|at| !habits.contains_key(at)).collect();
    habits.extend(invent::invent(scene, &left, seed));
    let cast = habits.into_iter().map(|(signal, habit)| {
        let actor = Actor::new(habit.course, seed, &scene.signal_path(signal));
        Cast { signal, actor, instrument: habit.instrument, every: habit.every }
    });
    cast.collect()
}

/// Signals that a message can carry, and whose value nothing gives.
pub(super) fn unmeasured(scene: &Scene) -> Vec<SignalIndex> {
    let is_open = |signal: &&Signal| {
        let SignalSource::Mqtt(binding) = &signal.source else { return false };
        if binding.topic.contains(['+', '#']) || scene.measures.contains_key(&signal.index) {
            return false;
        }
        let around = scene.messages.iter().find(|message| message.topic == binding.topic);
        let around = around.map_or(&Json::Null, |message| &message.payload);
        match &binding.decoder {
            Decoder::Raw => around.is_null(),
            Decoder::Json(pointer) => around.pointer(pointer).is_none_or(Json::is_null),
        }
    };
    scene.signals.iter().filter(is_open).map(|signal| signal.index).collect()
}

/// Twins all of whose simulated signals are stand-ins, by id; of others, the signals: `P-101`, `P-102.flow`. Sorted.
pub(super) fn named(scene: &Scene, is_stand_in: &dyn Fn(SignalIndex) -> bool) -> Vec<String> {
    let mut names = Vec::new();
    for twin in &scene.twins {
        let (stand_ins, others): (Vec<&Signal>, Vec<&Signal>) = scene
            .signals_of(twin)
            .iter()
            .filter(|signal| scene.measures.contains_key(&signal.index) || is_stand_in(signal.index))
            .partition(|signal| is_stand_in(signal.index));
        match others.is_empty() {
            true if !stand_ins.is_empty() => names.push(twin.id.clone()),
            true => {}
            false => names.extend(stand_ins.iter().map(|signal| scene.signal_path(signal.index))),
        }
    }
    names.sort_unstable();
    names
}

/// Whether values of a course are of a kind.
fn fits(course: &Course, kind: ValueKind) -> bool {
    match course {
        Course::Sway(_) | Course::Rise(_) => kind == ValueKind::Number,
        Course::Stay(stays) => stays.iter().all(|stay| ValueKind::of(&stay.value) == kind),
    }
}
