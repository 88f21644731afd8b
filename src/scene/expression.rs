//! Derived signals: expressions over other signals. In: source text, then the values of the signals it names.
//! Out: one value. Never loops, never reads a clock, never remembers: the same inputs give the same output. What an
//! expression asks to be gathered over time is gathered by the room `produce` and given as further inputs.
//!
//! ```text
//! torque * speed / 9549                       signals of the same twin by name
//! signal("P-101.flow") - signal("V 2.flow")   signals of any twin
//! if level > 90 && running { 1 } else { 0 }   conditions
//! clamp((p2 - p1) / 1.5, 0, 1)                functions, see [`FUNCTIONS`]
//! mean(flow, "10 min")                        over the last 10 minutes
//! integral(power, "run") / 3600000            over everything since the first value
//! max(temperature, when(running))             while a condition holds, anew each time that it becomes true
//! ```
//! `mean`, `integral`, `min`, `max`, `count` and `duration` gather values over a stretch of time: see [`Function`] for
//! what each one says, [`Over`] for the time. A value holds until the next one comes. Values that are not finite and
//! inputs that failed do not enter: the value before them goes on. Values of one source time are one value, the last of
//! them; a value that is older than the newest is late, and passed over. Only derived signals may use them: an alarm names
//! such a signal instead.
//!
//! All numbers are floating point (`1/2` is 0.5). The work is done by the `rhai` crate, reduced to expressions: our own
//! scan lets through only what is listed here, and the engine limits depth and steps. What it has understood is evaluated
//! without it where that gives the same bits: see `program`.
//!
//! The same inputs give the same bits on every machine whose `f64` follows IEEE 754 (all but 32-bit x86 without SSE2):
//! see `engine` for functions and `code` for powers; there is one NaN.
//!
//! Any number of threads may evaluate one expression at the same time: none waits for another.

mod aggregate;
mod code;
mod engine;
mod lex;
mod program;
mod scan;

use std::cell::RefCell;
use std::sync::Arc;

use rhai::{AST, Dynamic, Scope};

use crate::value::Value;

pub use aggregate::{Aggregate, Function, Over, Part};
pub use engine::FUNCTIONS;
pub(super) use lex::Reference;
use program::Program;
pub(super) use scan::scan;

thread_local! {
    /// Scope n holds the variables `v0` to `v(n-1)`. Kept between calls, so that evaluation does not allocate.
    static SCOPES: RefCell<Vec<Scope<'static>>> = const { RefCell::new(Vec::new()) };
}

/// A checked expression.
pub struct Compiled {
    ast: AST,
    /// The same without the engine; none where it needs that.
    program: Option<Program>,
    /// Variables `v0`, `v1`, …: inputs, then results of aggregates.
    names: Box<[String]>,
    aggregates: Box<[Aggregate]>,
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiled").field("variables", &self.names.len()).finish()
    }
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    pub message: String,
}

/// What is wrong in an expression, and where in its source (bytes).
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub at: std::ops::Range<usize>,
    pub brief: String,
    pub hint: Option<String>,
}

impl Compiled {
    /// Compiles a scanned expression.
    pub(super) fn new(scanned: &scan::Scanned) -> Result<Arc<Compiled>, ExpressionError> {
        let aggregates = scanned.aggregates.iter().map(Aggregate::new).collect::<Result<Box<[_]>, _>>()?;
        let compiled = Compiled::of_code(&scanned.code, scanned.references.len() + aggregates.len())?;
        Ok(Arc::new(Compiled { aggregates, ..compiled }))
    }

    fn of_code(code: &str, variables: usize) -> Result<Compiled, ExpressionError> {
        let names: Box<[String]> = (0..variables).map(|n| format!("v{n}")).collect();
        let ast = engine::engine()
            .compile_expression_with_scope(&scope_of(&names), code)
            .map_err(|error| ExpressionError { message: engine::parse_message(&error) })?;
        Ok(Compiled { program: Program::new(&ast), ast, names, aggregates: Box::default() })
    }

    /// Compiles a source text, with the names of its inputs as they stand there: `flow`, `P-101.flow`.
    pub fn parse(source: &str) -> Result<(Arc<Compiled>, Vec<String>), ExpressionError> {
        let scanned = scan(source).map_err(|fault| ExpressionError { message: fault.brief })?;
        let compiled = Compiled::new(&scanned)?;
        Ok((compiled, scanned.references.into_iter().map(|reference| reference.text).collect()))
    }

    /// The functions over a stretch of time, in the order in which their results are given to
    /// [`eval_with`](Self::eval_with). Empty for an expression that needs no memory.
    pub fn aggregates(&self) -> &[Aggregate] {
        &self.aggregates
    }

    /// Evaluates an expression without aggregates. `inputs` in the order of
    /// [`Derivation::inputs`](super::Derivation::inputs).
    pub fn eval(&self, inputs: &[Value]) -> Result<Value, ExpressionError> {
        self.eval_with(inputs, &[])
    }

    /// As [`Compiled::eval`], with the results of all [`aggregates`](Self::aggregates).
    pub fn eval_with(&self, inputs: &[Value], results: &[Value]) -> Result<Value, ExpressionError> {
        let count = inputs.len() + results.len();
        let variable = |number: usize| inputs.get(number).or_else(|| results.get(number.checked_sub(inputs.len())?));
        if let Some(program) = self.program.as_ref().filter(|_| count == self.names.len())
            && let Some(value) = program.value(&variable)
        {
            return Ok(value);
        }
        self.eval_values(engine::engine(), count, inputs.iter().chain(results))
    }

    /// As [`Compiled::eval`], but comparing a number with a text (which is simply false otherwise) is an error. For
    /// checks when a scene is loaded: slower.
    pub(super) fn eval_strictly(&self, inputs: &[Value]) -> Result<Value, ExpressionError> {
        self.eval_values(engine::strict(), inputs.len(), inputs.iter())
    }

    fn eval_values<'v>(
        &self,
        engine: &rhai::Engine,
        count: usize,
        values: impl Iterator<Item = &'v Value>,
    ) -> Result<Value, ExpressionError> {
        if count != self.names.len() {
            let message = format!("{} inputs are expected, {count} were given", self.names.len());
            return Err(ExpressionError { message });
        }
        SCOPES.with_borrow_mut(|scopes| {
            if scopes.len() <= count {
                scopes.resize_with(count + 1, Scope::new);
            }
            match scopes.get_mut(count) {
                Some(scope) => {
                    if scope.len() != count {
                        *scope = scope_of(&self.names);
                    }
                    self.eval_in(engine, scope, values)
                }
                None => self.eval_in(engine, &mut scope_of(&self.names), values),
            }
        })
    }

    fn eval_in<'v>(
        &self,
        engine: &rhai::Engine,
        scope: &mut Scope<'_>,
        values: impl Iterator<Item = &'v Value>,
    ) -> Result<Value, ExpressionError> {
        for (name, input) in self.names.iter().zip(values) {
            let value = match input {
                Value::Number(x) => Dynamic::from_float(*x),
                Value::Bool(b) => Dynamic::from_bool(*b),
                Value::Text(text) => Dynamic::from(rhai::ImmutableString::from(&**text)),
            };
            match scope.get_mut(name) {
                Some(slot) => *slot = value,
                None => return Err(ExpressionError { message: format!("the input {name} is not known") }),
            }
        }
        let result = engine
            .eval_ast_with_scope::<Dynamic>(scope, &self.ast)
            .map_err(|error| ExpressionError { message: engine::run_message(&error) })?;
        if let Ok(x) = result.as_float() {
            Ok(Value::Number(one_nan(x)))
        } else if let Ok(b) = result.as_bool() {
            Ok(Value::Bool(b))
        } else if let Ok(text) = result.into_immutable_string() {
            Ok(Value::Text(text.as_str().into()))
        } else {
            Err(ExpressionError { message: "the expression has no value: is an `else` missing?".to_owned() })
        }
    }
}

/// Machines differ in the sign of a NaN that they make.
fn one_nan(x: f64) -> f64 {
    if x.is_nan() { f64::NAN } else { x }
}

fn scope_of(names: &[String]) -> Scope<'static> {
    let mut scope = Scope::new();
    for name in names {
        scope.push_dynamic(name.as_str(), Dynamic::from_float(1.0));
    }
    scope
}

#[cfg(test)]
mod tests;
