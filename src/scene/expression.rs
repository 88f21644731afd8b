//! Derived signals: expressions over other signals.

use crate::twin::Value;

/// A checked expression. Pure: the same inputs give the same output; stops after a bounded number of steps.
#[derive(Debug)]
pub struct Compiled {}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    pub message: String,
}

impl Compiled {
    /// `inputs` in the order of [`Derivation::inputs`](super::Derivation::inputs).
    pub fn eval(&self, inputs: &[Value]) -> Result<Value, ExpressionError> {
        let _ = inputs;
        unimplemented!()
    }
}
