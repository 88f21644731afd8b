//! Units of measurement as people in the field write them, after UCUM (<https://ucum.org>) with the usual spellings of
//! process industry, ward and workshop beside it.
//!
//! In: a symbol such as `m3/h`. Out: its dimension, its linear relation to SI, a pretty form. Never touches a value: that is
//! done by a [`Conversion`], which is made once for all values of a signal.
//!
//! Decisions worth knowing:
//! - An offset unit (`degC`, `degF`) is a temperature only when it stands alone. In a product or quotient (`degC/s`)
//!   it is a temperature difference.
//! - Angle is a dimension of its own, so that `rad` does not fit a bare ratio. One turn is one cycle: quantities per
//!   time convert between angular speed and frequency with 2π rad per cycle, so `rpm`, `rad/s`, `Hz` and `1/min` fit
//!   each other.
//! - Things that are counted are written as UCUM annotations: `{bottles}/min` is `1/min` and reads `bottles/min`.
//!   An annotation behind a unit says what kind: `bar{g}` reads `bar(g)` and is otherwise `bar`.
//! - Levels (`dB`) and `pH` are logarithms: they have dimensions of their own and convert to nothing else.
//! - A normal or standard cubic metre of gas (`Nm3`, `Sm3`) is an amount of substance, not a volume.

mod conversion;
mod dimension;
mod factor;
mod nearest;
mod parse;
mod table;

use std::fmt;
use std::sync::{Arc, LazyLock};

use super::decimal::Decimal;
pub use conversion::Conversion;
use dimension::Dimension;
use factor::Factor;

/// A unit such as `m3/h`, with its dimension and its linear relation to SI. Cheap to clone.
#[derive(Clone)]
pub struct Unit(Arc<Definition>);

struct Definition {
    symbol: String,
    pretty: String,
    dimension: Dimension,
    /// SI value = (value + zero) * factor.
    factor: Factor,
    zero: f64,
}

/// Why a symbol is not a unit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", describe(.symbol, .within, .rule))]
pub struct UnitError {
    /// The part that is not understood: `hr` of `m3/hr`.
    pub symbol: String,
    /// The nearest known symbol.
    pub nearest: Option<&'static str>,
    /// The whole symbol.
    pub within: String,
    /// The rule of writing that it breaks; none where a part is simply unknown.
    pub rule: Option<&'static str>,
}

fn describe(symbol: &str, within: &str, rule: &Option<&'static str>) -> String {
    match rule {
        Some(rule) => format!("unit `{within}`: {rule}"),
        None if symbol == within => format!("unknown unit `{symbol}`"),
        None => format!("unknown unit `{symbol}` in `{within}`"),
    }
}

impl Default for Unit {
    fn default() -> Self {
        Self::none()
    }
}

impl Unit {
    /// A count or ratio without a unit: the empty symbol.
    pub fn none() -> Self {
        static NONE: LazyLock<Unit> = LazyLock::new(|| {
            let (symbol, pretty) = (String::new(), String::new());
            Unit(Arc::new(Definition { symbol, pretty, dimension: Dimension::NONE, factor: Factor::ONE, zero: 0.0 }))
        });
        NONE.clone()
    }

    /// Reads products, quotients and powers of known symbols: `m3/h`, `kW.h`, `kW*h`, `W/(m2.K)`, `mm/s²`, `1/min`,
    /// `{bottles}/min`. The empty symbol is [`Unit::none`].
    pub fn parse(symbol: &str) -> Result<Unit, UnitError> {
        let symbol = symbol.trim();
        if symbol.is_empty() {
            return Ok(Self::none());
        }
        let term = parse::parse(symbol)?;
        Ok(Self(Arc::new(Definition {
            symbol: symbol.to_owned(),
            pretty: term.pretty,
            dimension: term.dimension,
            factor: term.factor,
            zero: term.zero,
        })))
    }

    /// As it is written in the scene: `m3/h`.
    pub fn symbol(&self) -> &str {
        &self.0.symbol
    }

    /// As people read it: `m³/h`.
    pub fn pretty(&self) -> String {
        self.0.pretty.clone()
    }

    /// As people read it, to stand behind a number: `` for none, ` m³/h` with its space, `°` without one.
    pub fn suffix(&self) -> String {
        match self.0.pretty.as_str() {
            "" => String::new(),
            angle @ ("°" | "′" | "″") => angle.to_owned(),
            pretty => format!(" {pretty}"),
        }
    }

    /// Whether values can be converted between the two (the same dimension).
    pub fn fits(&self, other: &Unit) -> bool {
        self.0.dimension.turns_to(&other.0.dimension).is_some()
    }

    /// How values in this unit become values in the other; none if they do not fit.
    pub fn conversion_to(&self, other: &Unit) -> Option<Conversion> {
        let (here, there) = (&*self.0, &*other.0);
        let turns = here.dimension.turns_to(&there.dimension)?;
        if turns == 0 && here.factor == there.factor && here.zero == there.zero {
            return Some(Conversion::IDENTITY);
        }
        let factor = here.factor.times(there.factor, -1).times(Factor::TURN, turns);
        Some(exactly(factor, here.zero, there.zero).unwrap_or_else(|| {
            let ratio = tidy(factor.float(), 0.0);
            let shifted = here.zero * ratio;
            Conversion::of_floats(ratio, tidy(shifted - there.zero, shifted.abs() + there.zero.abs()))
        }))
    }
}

/// `(x + zero) * factor - other` as one fraction of whole numbers, if they are small enough.
fn exactly(factor: Factor, zero: f64, other: f64) -> Option<Conversion> {
    let (above, below) = factor.ratio()?;
    let ((zero, zero_below), (other, other_below)) = (Decimal::of(zero)?.ratio()?, Decimal::of(other)?.ratio()?);
    let times = above.checked_mul(zero_below)?.checked_mul(other_below)?;
    let by = below.checked_mul(zero_below)?.checked_mul(other_below)?;
    let shifted = zero.checked_mul(above)?.checked_mul(other_below)?;
    let plus = shifted.checked_sub(other.checked_mul(below)?.checked_mul(zero_below)?)?;
    Conversion::of_whole(times, plus, by)
}

/// Takes a number that is a round decimal but for the last bits of what it was computed from (itself, and summands of
/// `magnitude`) as that decimal: 1e-6 / 1e-3 is 0.001.
fn tidy(x: f64, magnitude: f64) -> f64 {
    match format!("{x:.12e}").parse::<f64>() {
        Ok(round) if (round - x).abs() <= 4.0 * f64::EPSILON * x.abs().max(magnitude) => round,
        _ => x,
    }
}

impl PartialEq for Unit {
    /// Written the same way. Units of the same meaning but another spelling only [fit](Unit::fits).
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.symbol == other.0.symbol
    }
}

impl Eq for Unit {}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.symbol)
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unit({:?})", self.0.symbol)
    }
}

#[cfg(test)]
mod tests;
