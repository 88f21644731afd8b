//! Computes one function over a stretch of time. In: values with their source times. Out: the function's result at a
//! moment. Never reads a clock; knows no scene.
//!
//! - A value holds until the next one comes, and the newest holds on. Mean and integral weigh each value by the seconds
//!   for which it held; least and greatest are of values that held in the stretch.
//! - Values of one source time are one value: the last that came takes the place of those before it. So two signals
//!   that come in two messages of one time leave nothing behind of the state in between.
//! - A value older than the newest is late: it is passed over and counted. A value that is not finite, a text, and no
//!   value at all (an input failed) are passed over and counted as well; the value before goes on.
//! - A boolean is 1 while it is true. It became true where it was false before: the first value of all did not become.
//! - A window reaches from its length before now up to now: events at its older end have left it.
//! - Over the time in which a condition holds, everything begins anew when the condition becomes true. While it is
//!   false, the result of the last such time stands.

use std::time::Duration;

use super::pieces::{Fold, MAX_PIECES, Piece, Pieces};
use super::state::{StateError, StateReader, StateWriter};
use super::total::{Hold, Total, secs};
use crate::scene::expression::{Function, Over};
use crate::value::{Timestamp, Value};

/// What became of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    In,
    /// Its source time is before that of the newest.
    Late,
    /// It is not finite, a text, or there is none.
    PassedOver,
}

/// What one function over a stretch of time remembers. Bounded: a window keeps 4,096 pieces at most, then joins those
/// neighbours that span the shortest time; the run and a condition keep sums only.
#[derive(Clone, PartialEq, Debug)]
pub struct Accumulator {
    function: Function,
    over: Over,
    /// What came last. A value of the same source time may still take its place: it is not in `gathered`.
    newest: Option<Newest>,
    before: Before,
    gathered: Gathered,
    /// Nanoseconds of the first value.
    first: Option<i64>,
    late: u64,
    passed_over: u64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Held {
    value: f64,
    /// Of a boolean.
    truth: Option<bool>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Newest {
    /// Nanoseconds.
    time: i64,
    held: Option<Held>,
    /// The value came at `time`, not earlier.
    came: bool,
    /// The condition; true where there is none.
    holds: bool,
}

/// What held before the newest.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Before {
    held: Option<Held>,
    holds: bool,
}

#[derive(Clone, PartialEq, Debug)]
enum Gathered {
    Total(Total),
    Pieces(Pieces),
}

impl Accumulator {
    pub fn new(function: Function, over: Over) -> Self {
        let gathered = match over {
            Over::Window(_) => Gathered::Pieces(Pieces::new(fold_of(function))),
            Over::Run | Over::When => Gathered::Total(Total::NOTHING),
        };
        let (newest, before, first) = (None, Before::default(), None);
        Self { function, over, newest, before, gathered, first, late: 0, passed_over: 0 }
    }

    /// Values that were older than the newest.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Values that were none, not finite, or texts.
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// A value of a window or of the run; `None` where it could not be had.
    pub fn take(&mut self, time: Timestamp, value: Option<&Value>) -> Taken {
        self.take_when(time, value, Some(true))
    }

    /// A value and the condition of [`Over::When`] at the same moment; a condition that could not be had stays as it
    /// was.
    pub fn take_when(&mut self, time: Timestamp, value: Option<&Value>, holds: Option<bool>) -> Taken {
        let held = value.and_then(|value| self.held(value));
        let taken = if held.is_some() { Taken::In } else { Taken::PassedOver };
        if self.newest.is_some_and(|newest| time.0 < newest.time) {
            self.late = self.late.saturating_add(1);
            return Taken::Late;
        }
        if held.is_none() {
            self.passed_over = self.passed_over.saturating_add(1);
        } else {
            self.first.get_or_insert(time.0);
        }
        match &mut self.newest {
            Some(newest) if newest.time == time.0 => {
                newest.held = held.or(newest.held);
                newest.came |= held.is_some();
                newest.holds = holds.unwrap_or(newest.holds);
            }
            newest => {
                let (last, held_before) = (newest.map(|newest| newest.holds), newest.and_then(|newest| newest.held));
                let goes_on = held.is_none() && holds.is_none_or(|holds| last == Some(holds));
                if !goes_on {
                    self.gather(time.0);
                    let holds = holds.or(last).unwrap_or(false);
                    self.newest =
                        Some(Newest { time: time.0, held: held.or(held_before), came: held.is_some(), holds });
                }
            }
        }
        taken
    }

    /// The result at `time`, or at the newest value if that is later. None before the first value; for a condition also
    /// before it held for the first time.
    pub fn at(&self, time: Timestamp) -> Option<f64> {
        let newest = self.newest?;
        let now = time.0.max(newest.time);
        match &self.gathered {
            Gathered::Total(total) if !newest.holds => total.result(self.function),
            Gathered::Total(total) => {
                let hold = self.hold(newest)?;
                let total = if self.before.holds || self.over == Over::Run { *total } else { Total::NOTHING };
                total.with_current(hold, now).result(self.function).or(Some(hold.value))
            }
            Gathered::Pieces(pieces) => Some(self.in_window(pieces, self.hold(newest)?, now)),
        }
    }

    fn in_window(&self, pieces: &Pieces, current: Hold, now: i64) -> f64 {
        let edge = self.edge(now);
        let gathered = pieces.since(edge);
        let start = current.start.max(edge);
        let integral = || gathered + current.value * secs(now.saturating_sub(start));
        match self.function {
            Function::Integral | Function::Duration => integral(),
            Function::Mean => {
                let covered = secs(now.saturating_sub(edge.max(self.first.unwrap_or(edge))));
                if covered > 0.0 { integral() / covered } else { current.value }
            }
            Function::Min | Function::Max => fold_of(self.function).join(gathered, current.value),
            Function::Count if current.start > edge => gathered + current.events as f64,
            Function::Count => gathered,
        }
    }

    /// The older end of the window.
    fn edge(&self, now: i64) -> i64 {
        match self.over {
            Over::Window(length) => now.saturating_sub(nanos(length)),
            Over::Run | Over::When => i64::MIN,
        }
    }

    /// Puts the newest value, which ends at `end`, to what was gathered.
    fn gather(&mut self, end: i64) {
        let Some(newest) = self.newest else { return };
        let (hold, edge) = (self.hold(newest), self.edge(end));
        match &mut self.gathered {
            Gathered::Total(total) => {
                if newest.holds {
                    let begins = self.over == Over::When && !self.before.holds;
                    let so_far = if begins { Total::NOTHING } else { *total };
                    *total = hold.map_or(so_far, |hold| so_far.with(hold, end));
                }
            }
            Gathered::Pieces(pieces) => {
                if let Some(Hold { start, value, events }) = hold {
                    match self.function {
                        Function::Count if events > 0 => pieces.push(Piece { start, end: start, value: events as f64 }),
                        Function::Count => {}
                        _ => pieces.push(Piece { start, end, value }),
                    }
                }
                pieces.forget(edge);
            }
        }
        self.before = Before { held: newest.held, holds: newest.holds };
    }

    fn hold(&self, newest: Newest) -> Option<Hold> {
        let held = newest.held?;
        let truth_before = self.before.held.and_then(|held| held.truth);
        let is_event = newest.came && (held.truth.is_none() || (held.truth, truth_before) == (Some(true), Some(false)));
        Some(Hold { start: newest.time, value: held.value, events: u64::from(is_event) })
    }

    fn held(&self, value: &Value) -> Option<Held> {
        let truth = if let Value::Bool(truth) = value { Some(*truth) } else { None };
        let number = value.as_f64().filter(|x| x.is_finite())?;
        let value = if self.function == Function::Duration { f64::from(u8::from(number != 0.0)) } else { number };
        Some(Held { value, truth })
    }
}

fn fold_of(function: Function) -> Fold {
    match function {
        Function::Mean | Function::Integral | Function::Duration => Fold::Integral,
        Function::Min => Fold::Min,
        Function::Max => Fold::Max,
        Function::Count => Fold::Count,
    }
}

fn nanos(length: Duration) -> i64 {
    i64::try_from(length.as_nanos()).unwrap_or(i64::MAX)
}

impl Accumulator {
    /// Writes all that is remembered, to go on from with the same bits.
    pub fn save(&self, to: &mut StateWriter) {
        to.u64(Function::ALL.iter().position(|known| *known == self.function).unwrap_or(0) as u64);
        match self.over {
            Over::Window(length) => [0, length.as_secs(), u64::from(length.subsec_nanos())].map(|x| to.u64(x)),
            Over::Run => [1, 0, 0].map(|x| to.u64(x)),
            Over::When => [2, 0, 0].map(|x| to.u64(x)),
        };
        to.u64(u64::from(self.newest.is_some()));
        if let Some(newest) = self.newest {
            to.time(Timestamp(newest.time));
            save_held(newest.held, to);
            to.u64(u64::from(newest.came) | u64::from(newest.holds) << 1);
        }
        save_held(self.before.held, to);
        to.u64(u64::from(self.before.holds));
        match &self.gathered {
            Gathered::Total(total) => {
                [total.sum, total.lost, total.min, total.max].iter().for_each(|x| to.f64(*x));
                to.u64(total.events);
                to.time(Timestamp(total.covered));
            }
            Gathered::Pieces(pieces) => {
                to.u64(pieces.len() as u64);
                to.u64(pieces.front_len() as u64);
                for piece in pieces.iter() {
                    to.time(Timestamp(piece.start));
                    to.time(Timestamp(piece.end));
                    to.f64(piece.value);
                }
            }
        }
        to.u64(u64::from(self.first.is_some()));
        to.time(Timestamp(self.first.unwrap_or(0)));
        to.u64(self.late);
        to.u64(self.passed_over);
    }

    /// Goes on from what [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// Something else wrote it, or it is of another function over another time.
    pub fn restore(function: Function, over: Over, from: &mut StateReader<'_>) -> Result<Self, StateError> {
        let mut whole = Self::new(function, over);
        let written = Function::ALL.get(usize::try_from(from.u64()?).unwrap_or(usize::MAX));
        let length = match over {
            Over::Window(length) => [0, length.as_secs(), u64::from(length.subsec_nanos())],
            Over::Run => [1, 0, 0],
            Over::When => [2, 0, 0],
        };
        if written != Some(&function) || length != [from.u64()?, from.u64()?, from.u64()?] {
            return Err(StateError::Damaged);
        }
        if from.u64()? > 0 {
            let (time, held, flags) = (from.time()?.0, restore_held(from)?, from.u64()?);
            whole.newest = Some(Newest { time, held, came: flags & 1 > 0, holds: flags & 2 > 0 });
        }
        whole.before = Before { held: restore_held(from)?, holds: from.u64()? > 0 };
        whole.gathered = match over {
            Over::Window(_) => Gathered::Pieces(restore_pieces(from, fold_of(function))?),
            Over::Run | Over::When => Gathered::Total(Total {
                sum: from.f64()?,
                lost: from.f64()?,
                min: from.f64()?,
                max: from.f64()?,
                events: from.u64()?,
                covered: from.time()?.0,
            }),
        };
        let is_known = from.u64()? > 0;
        whole.first = Some(from.time()?.0).filter(|_| is_known);
        (whole.late, whole.passed_over) = (from.u64()?, from.u64()?);
        Ok(whole)
    }
}

/// 0 for none, 1 for a number, 2 for false, 3 for true; then the value.
fn save_held(held: Option<Held>, to: &mut StateWriter) {
    to.u64(held.map_or(0, |held| held.truth.map_or(1, |truth| 2 + u64::from(truth))));
    to.f64(held.map_or(0.0, |held| held.value));
}

fn restore_held(from: &mut StateReader<'_>) -> Result<Option<Held>, StateError> {
    let (kind, value) = (from.u64()?, from.f64()?);
    let held = |truth| Ok(Some(Held { value, truth }));
    match kind {
        0 => Ok(None),
        1 => held(None),
        2 => held(Some(false)),
        3 => held(Some(true)),
        _ => Err(StateError::Damaged),
    }
}

fn restore_pieces(from: &mut StateReader<'_>, fold: Fold) -> Result<Pieces, StateError> {
    let (len, front) = (from.u64()?, from.u64()?);
    let within = |n: u64| usize::try_from(n).ok().filter(|n| *n <= MAX_PIECES).ok_or(StateError::Damaged);
    let (len, front) = (within(len)?, within(front)?);
    let mut all: Vec<Piece> = Vec::new();
    for _ in 0..len {
        let piece = Piece { start: from.time()?.0, end: from.time()?.0, value: from.f64()? };
        let in_order = piece.start <= piece.end && all.last().is_none_or(|last| last.end <= piece.start);
        all.push(in_order.then_some(piece).ok_or(StateError::Damaged)?);
    }
    Ok(Pieces::restored(fold, &all, front))
}
