//! Computes a derived signal with functions over time. In: its derivation, its memory, the values of all its inputs at
//! a moment. Out: its value, if it has one yet. Never reads a clock or a history.

use super::state::{ProducerState, StateError, StateReader, StateWriter};
use super::window::Accumulator;
use crate::scene::Derivation;
use crate::scene::expression::{Aggregate, ExpressionError};
use crate::value::{Timestamp, Value};

/// What the functions over a stretch of time of one derivation remember, in the order of the expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Memory {
    /// Of the expression and the names of its inputs: another expression begins anew.
    fingerprint: u64,
    newest: Option<Timestamp>,
    late: u64,
    accumulators: Vec<Accumulator>,
}

/// Of the layout of [`Memory::save`].
const VERSION: u16 = 1;

impl Memory {
    pub fn new(derivation: &Derivation) -> Self {
        let aggregates = derivation.compiled.aggregates().iter();
        let accumulators = aggregates.map(|aggregate| Accumulator::new(aggregate.function, aggregate.over)).collect();
        Self { fingerprint: fingerprint(derivation), newest: None, late: 0, accumulators }
    }

    /// Nothing is remembered: the derivation is a function of its inputs alone.
    pub fn is_empty(&self) -> bool {
        self.accumulators.is_empty()
    }

    /// Moments before the newest: passed over.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Values that did not enter: not finite, texts, or failed.
    pub fn passed_over(&self) -> u64 {
        self.accumulators.iter().map(Accumulator::passed_over).fold(0, u64::saturating_add)
    }

    /// All that is remembered, to go on from with the same bits: at most about 100 KiB for each window.
    pub fn save(&self) -> ProducerState {
        let mut to = StateWriter::default();
        to.u64(self.fingerprint);
        to.u64(u64::from(self.newest.is_some()));
        to.time(self.newest.unwrap_or_default());
        to.u64(self.late);
        self.accumulators.iter().for_each(|accumulator| accumulator.save(&mut to));
        to.finish(VERSION)
    }

    /// Goes on from what [`save`](Self::save) gave.
    ///
    /// # Errors
    /// [`StateError::Changed`] if it was saved for another expression or for inputs of other names. In all cases,
    /// [`Memory::new`] begins anew.
    pub fn restore(derivation: &Derivation, state: &ProducerState) -> Result<Self, StateError> {
        let mut from = StateReader::new(state, VERSION)?;
        let mut memory = Self::new(derivation);
        if from.u64()? != memory.fingerprint {
            return Err(StateError::Changed);
        }
        let is_known = from.u64()? > 0;
        memory.newest = Some(from.time()?).filter(|_| is_known);
        memory.late = from.u64()?;
        for (accumulator, aggregate) in memory.accumulators.iter_mut().zip(derivation.compiled.aggregates()) {
            *accumulator = Accumulator::restore(aggregate.function, aggregate.over, &mut from)?;
        }
        from.finish()?;
        Ok(memory)
    }
}

/// The value of a derivation at the moment `at`, at which one of its inputs has a sample. `inputs` are the newest
/// values of [`Derivation::inputs`], in their order; where one cannot be used, a NaN.
///
/// None before every function over a stretch of time has a result, and for a moment before the newest: the memory has
/// gone on already.
///
/// # Errors
/// The expression, or a part of it that is gathered, cannot be evaluated with these inputs. What could be evaluated was
/// taken in.
pub fn evaluate(
    derivation: &Derivation,
    memory: &mut Memory,
    at: Timestamp,
    inputs: &[Value],
) -> Result<Option<Value>, ExpressionError> {
    let aggregates = derivation.compiled.aggregates();
    if aggregates.is_empty() {
        return derivation.compiled.eval(inputs).map(Some);
    }
    if aggregates.len() != memory.accumulators.len() {
        return Err(ExpressionError { message: "the memory belongs to another expression".to_owned() });
    }
    if memory.newest.is_some_and(|newest| at < newest) {
        memory.late = memory.late.saturating_add(1);
        return Ok(None);
    }
    memory.newest = Some(at);
    let mut failure = None;
    for (aggregate, accumulator) in aggregates.iter().zip(&mut memory.accumulators) {
        if let Err(error) = take(aggregate, accumulator, at, inputs) {
            failure.get_or_insert(error);
        }
    }
    if let Some(error) = failure {
        return Err(error);
    }
    let results = memory.accumulators.iter().map(|accumulator| accumulator.at(at).map(Value::Number));
    match results.collect::<Option<Vec<Value>>>() {
        Some(results) => derivation.compiled.eval_with(inputs, &results).map(Some),
        None => Ok(None),
    }
}

fn take(
    aggregate: &Aggregate,
    accumulator: &mut Accumulator,
    at: Timestamp,
    inputs: &[Value],
) -> Result<(), ExpressionError> {
    let value = aggregate.argument.eval(inputs).and_then(|value| gathered(aggregate, value));
    let condition = match &aggregate.condition {
        Some(condition) => {
            condition.eval(inputs).and_then(|value| gathered(aggregate, value)).map(|value| truth(&value))
        }
        None => Ok(Some(true)),
    };
    accumulator.take_when(at, value.as_ref().ok(), condition.as_ref().ok().copied().flatten());
    value.and(condition).map(|_| ())
}

fn gathered(aggregate: &Aggregate, value: Value) -> Result<Value, ExpressionError> {
    match value {
        Value::Text(text) => {
            let name = aggregate.function.name();
            Err(ExpressionError { message: format!("`{name}` gathers numbers, true and false, found {text:?}") })
        }
        value => Ok(value),
    }
}

/// None for a NaN: the condition stays as it was.
fn truth(value: &Value) -> Option<bool> {
    value.as_f64().filter(|x| !x.is_nan()).map(|x| x != 0.0)
}

/// FNV-1a over the source and the names of the inputs. Names and not indices: a reload numbers signals anew.
fn fingerprint(derivation: &Derivation) -> u64 {
    let names = derivation.inputs.iter().map(|(name, _)| name.as_str());
    let texts = std::iter::once(derivation.source.as_str()).chain(names);
    texts
        .flat_map(|text| text.bytes().chain([0xff]))
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
