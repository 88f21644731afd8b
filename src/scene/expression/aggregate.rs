//! Functions over a stretch of time: the parts of an expression that remember. In: their parts, scanned. Out: what to
//! evaluate at each moment, and over which stretch of time to gather it. Remembers nothing itself: the room `produce` does.

use std::ops::Range;
use std::time::Duration;

use super::scan::{ScannedAggregate, ScannedOver, ScannedPart};
use super::{Compiled, ExpressionError};
use crate::value::Value;

/// A function over a stretch of time. A value holds until the next one comes, and counts for as long as it holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Function {
    /// Weighted by time, in the unit of the argument.
    Mean,
    /// The unit of the argument times seconds.
    Integral,
    Min,
    Max,
    /// How often a boolean became true, how many numbers came.
    Count,
    /// Seconds for which the argument was true, a number other than zero being true.
    Duration,
}

impl Function {
    pub const ALL: [Function; 6] =
        [Function::Mean, Function::Integral, Function::Min, Function::Max, Function::Count, Function::Duration];

    /// As it is written in expressions.
    pub fn name(self) -> &'static str {
        match self {
            Function::Mean => "mean",
            Function::Integral => "integral",
            Function::Min => "min",
            Function::Max => "max",
            Function::Count => "count",
            Function::Duration => "duration",
        }
    }

    pub fn named(name: &str) -> Option<Function> {
        Self::ALL.into_iter().find(|function| function.name() == name)
    }
}

/// The stretch of time that a function is over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Over {
    /// The time up to now, so long.
    Window(Duration),
    /// Everything since the first value.
    Run,
    /// The time in which a condition holds, anew each time that it becomes true. Once it is false, the last such time.
    When,
}

/// A part of an expression with inputs of its own.
#[derive(Debug)]
pub struct Part {
    compiled: Compiled,
    /// Positions in the inputs of the whole expression.
    pub reads: Box<[usize]>,
}

impl Part {
    /// `inputs` are those of the whole expression.
    pub fn eval(&self, inputs: &[Value]) -> Result<Value, ExpressionError> {
        self.compiled.eval_values(super::engine::engine(), self.reads.len(), self.values(inputs))
    }

    /// As [`Compiled::eval_strictly`].
    pub(in crate::scene) fn eval_strictly(&self, inputs: &[Value]) -> Result<Value, ExpressionError> {
        self.compiled.eval_values(super::engine::strict(), self.reads.len(), self.values(inputs))
    }

    fn values<'v>(&'v self, inputs: &'v [Value]) -> impl Iterator<Item = &'v Value> {
        self.reads.iter().filter_map(|at| inputs.get(*at))
    }

    fn new(scanned: &ScannedPart) -> Result<Part, ExpressionError> {
        let compiled = Compiled::of_code(&scanned.code, scanned.reads.len())?;
        Ok(Part { compiled, reads: scanned.reads.clone().into() })
    }
}

/// One function over a stretch of time, as it stands in an expression.
#[derive(Debug)]
pub struct Aggregate {
    pub function: Function,
    pub argument: Part,
    pub over: Over,
    /// Of [`Over::When`].
    pub condition: Option<Part>,
    /// Bytes in the source of the expression.
    pub at: Range<usize>,
}

impl Aggregate {
    pub(super) fn new(scanned: &ScannedAggregate) -> Result<Aggregate, ExpressionError> {
        let (over, condition) = match &scanned.over {
            ScannedOver::Window(length) => (Over::Window(*length), None),
            ScannedOver::Run => (Over::Run, None),
            ScannedOver::When(condition) => (Over::When, Some(Part::new(condition)?)),
        };
        let argument = Part::new(&scanned.argument)?;
        Ok(Aggregate { function: scanned.function, argument, over, condition, at: scanned.at.clone() })
    }
}
