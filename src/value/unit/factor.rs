//! Sizes of units without rounding. In: numbers of the table as they are written, products and powers of them. Out: a ratio of
//! whole numbers, as long as 38 digits hold its parts and no power of π is left, and a float in any case. Never loses a
//! digit in silence: what is not exact any more says so.

use std::f64::consts::{PI, TAU};

use super::super::decimal::Decimal;
use super::super::powi;

/// A positive number: a ratio, if that is known, times a power of π.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Factor {
    /// In lowest terms.
    ratio: Option<(i128, i128)>,
    pi: i32,
    float: f64,
}

impl Factor {
    pub const ONE: Self = Self { ratio: Some((1, 1)), pi: 0, float: 1.0 };
    /// Radians of a turn.
    pub const TURN: Self = Self { ratio: Some((2, 1)), pi: 1, float: TAU };

    /// One decimal number over another, times a power of π.
    pub fn written(above: f64, below: f64, pi: i32) -> Self {
        let decimal = |x| Self { ratio: Decimal::of(x).and_then(Decimal::ratio), pi: 0, float: x };
        let over = decimal(above).times(decimal(below), -1);
        Self { pi, float: over.float * powi(PI, pi), ..over }
    }

    pub fn times(self, other: Self, power: i32) -> Self {
        Self {
            ratio: self.ratio.zip(other.ratio).and_then(|(ratio, by)| product(ratio, by, power)),
            pi: self.pi + other.pi * power,
            float: self.float * powi(other.float, power),
        }
    }

    pub fn to_the(self, power: i32) -> Self {
        Self::ONE.times(self, power)
    }

    pub fn float(self) -> f64 {
        self.float
    }

    /// Numerator and denominator; none where it is not a ratio, or not known as one.
    pub fn ratio(self) -> Option<(i128, i128)> {
        self.ratio.filter(|_| self.pi == 0)
    }
}

fn product(ratio: (i128, i128), by: (i128, i128), power: i32) -> Option<(i128, i128)> {
    let by = if power < 0 { (by.1, by.0) } else { by };
    let (mut above, mut below) = ratio;
    for _ in 0..power.unsigned_abs() {
        // What they share goes before they are multiplied: then what is multiplied is in lowest terms again.
        let (crosswise, other) = (common(above, by.1), common(by.0, below));
        above = (above / crosswise).checked_mul(by.0 / other)?;
        below = (below / other).checked_mul(by.1 / crosswise)?;
    }
    let shared = common(above, below);
    Some((above / shared, below / shared))
}

/// The greatest number that divides both; 1 for two zeros.
pub(super) fn common(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i128::try_from(a).unwrap_or(1).max(1)
}
