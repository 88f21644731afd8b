//! Units of measurement.

use std::fmt;
use std::sync::Arc;

/// A unit such as `m3/h`, with its dimension and its linear relation to SI.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    symbol: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("unknown unit `{symbol}`")]
pub struct UnitError {
    pub symbol: String,
    /// The nearest known symbol.
    pub nearest: Option<&'static str>,
}

impl Default for Unit {
    fn default() -> Self {
        Self::none()
    }
}

impl Unit {
    /// A count or ratio without a unit: the empty symbol.
    pub fn none() -> Self {
        Self { symbol: "".into() }
    }

    pub fn parse(symbol: &str) -> Result<Unit, UnitError> {
        let _ = symbol;
        unimplemented!()
    }

    /// As it is written in the scene: `m3/h`.
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    /// As people read it: `m³/h`.
    pub fn pretty(&self) -> String {
        unimplemented!()
    }

    /// Whether values can be converted between the two (the same dimension).
    pub fn fits(&self, other: &Unit) -> bool {
        let _ = other;
        unimplemented!()
    }

    /// (scale, offset) so that `value_in_other = value * scale + offset`; none if they do not fit.
    pub fn linear_to(&self, other: &Unit) -> Option<(f64, f64)> {
        let _ = other;
        unimplemented!()
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.symbol)
    }
}
