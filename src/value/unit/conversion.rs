//! From values in one unit to values in another. In: a value. Out: the float nearest to the value in the other unit, where
//! the value is taken as it is written in decimals: 98.6 °F is 37 °C, and not 36.99999999999999. Pure; bit for bit the
//! same on every machine.
//!
//! A value of a few decimals, as nearly all are, is a whole number over a power of ten, and units differ by ratios of whole
//! numbers: then both sides of one fraction are exact floats, and one division rounds once. Other values, and numbers too
//! large for that, are computed with twice the digits of a float and rounded at the end. Factors that are no ratios of
//! decimals (π rad are 180°) are floats, which cost a last bit.

use super::factor::common;

/// `(value * times + plus) / by`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Conversion {
    times: f64,
    plus: f64,
    by: f64,
    /// All three are whole numbers.
    is_whole: bool,
}

impl Conversion {
    /// Values stay as they are.
    pub const IDENTITY: Self = Self { times: 1.0, plus: 0.0, by: 1.0, is_whole: true };

    /// From [its parts](Self::parts).
    pub fn from_parts([times, plus, by]: [f64; 3]) -> Self {
        const MOST: f64 = 1e37;
        let is_whole = [times, plus, by].iter().all(|part| part.abs() <= MOST && part.trunc() == *part);
        Self { times, plus, by, is_whole }
    }

    pub(super) fn of_floats(scale: f64, offset: f64) -> Self {
        Self::from_parts([scale, offset, 1.0])
    }

    /// None where floats do not hold the parts. `by` is not 0.
    pub(super) fn of_whole(times: i128, plus: i128, by: i128) -> Option<Self> {
        let shared = common(common(times, plus), by) * by.signum();
        let float = |part: i128| {
            let part = part / shared;
            let float = part as f64;
            (float as i128 == part).then_some(float)
        };
        Some(Self::from_parts([float(times)?, float(plus)?, float(by)?]))
    }

    /// The three numbers that make it: a value times the first, plus the second, divided by the third.
    pub fn parts(&self) -> [f64; 3] {
        [self.times, self.plus, self.by]
    }

    #[inline]
    pub fn is_identity(&self) -> bool {
        self.times == self.by && self.plus == 0.0
    }

    /// The value in the other unit.
    #[inline]
    pub fn apply(&self, x: f64) -> f64 {
        if self.is_identity() { x } else { self.convert(x) }
    }

    /// What one more in the first unit is in the other.
    pub fn scale(&self) -> f64 {
        self.times / self.by
    }

    /// What 0 in the first unit is in the other.
    pub fn offset(&self) -> f64 {
        self.plus / self.by
    }

    /// From the other unit to the first.
    pub fn inverse(&self) -> Self {
        // Parts of either sign, and whole if they were.
        Self { times: self.by, plus: -self.plus, by: self.times, is_whole: self.is_whole }
    }

    /// This one, and the `next` one upon what comes out, as one.
    pub fn then(&self, next: &Self) -> Self {
        match (self.is_identity(), next.is_identity()) {
            (true, _) => return *next,
            (_, true) => return *self,
            _ => {}
        }
        let exact = || {
            let whole = |one: &Self| one.is_whole.then(|| one.parts().map(|part| part as i128));
            let ([times, plus, by], [next_times, next_plus, next_by]) = (whole(self)?, whole(next)?);
            let plus = plus.checked_mul(next_times)?.checked_add(next_plus.checked_mul(by)?)?;
            Self::of_whole(times.checked_mul(next_times)?, plus, by.checked_mul(next_by)?)
        };
        exact().unwrap_or_else(|| {
            Self::of_floats(self.scale() * next.scale(), self.offset() * next.scale() + next.offset())
        })
    }

    fn convert(&self, x: f64) -> f64 {
        let Self { times, plus, by, is_whole } = *self;
        if !is_whole {
            return (x * times + plus) / by;
        }
        let (x, tens) = match decimals(x) {
            Some((units, tens)) => {
                // All of these are whole, and exact as long as they are small.
                let (product, offset, below) = (units * times, plus * tens, by * tens);
                let above = product + offset;
                let is_exact = |x: f64| x.abs() <= WHOLE_FLOATS;
                if is_exact(product) && is_exact(offset) && is_exact(above) && is_exact(below) {
                    return above / below;
                }
                (units, tens)
            }
            None => (x, 1.0),
        };
        let result = quotient(add(multiply(x, times), multiply(plus, tens)), multiply(by, tens));
        // Beyond what floats hold on the way, or no number at all.
        if result.is_finite() { result } else { x / by / tens * times + plus / by }
    }
}

/// Whole numbers up to here are floats.
const WHOLE_FLOATS: f64 = (1_u64 << 53) as f64;

/// `(n, t)` so that `x` is the float nearest to n / t, where n is whole and t a power of ten; none if 6 decimals, or 12 of
/// a small number, are too few. There is no other number of so few decimals that `x` is nearest to.
#[inline]
fn decimals(x: f64) -> Option<(f64, f64)> {
    /// Added and taken off again, it leaves the nearest whole number of anything below half of it.
    const ROUND: f64 = 1.5 * (1_u64 << 52) as f64;
    const MOST: f64 = (1_u64 << 51) as f64;
    [1e6, 1e12].into_iter().find_map(|tens| {
        let units = x * tens;
        let whole = (units + ROUND) - ROUND;
        (units.abs() < MOST && whole / tens == x).then_some((whole, tens))
    })
}

/// A number as the sum of two floats, the second of which is too small to change the first.
type Twofold = (f64, f64);

/// Exact (Dekker 1971, after Veltkamp): no fused multiplication, which not every machine is quick at.
fn multiply(a: f64, b: f64) -> Twofold {
    let halves = |x: f64| {
        let shifted = x * ((1_u64 << 27) as f64 + 1.0);
        let high = shifted - (shifted - x);
        (high, x - high)
    };
    let (product, (a_high, a_low), (b_high, b_low)) = (a * b, halves(a), halves(b));
    (product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low))
}

/// Exact but for the last digits of the smaller parts (Knuth, TAOCP 4.2.2).
fn add(a: Twofold, b: Twofold) -> Twofold {
    let sum = a.0 + b.0;
    let of_b = sum - a.0;
    let lost = (a.0 - (sum - of_b)) + (b.0 - of_b);
    let small = lost + (a.1 + b.1);
    let all = sum + small;
    (all, small - (all - sum))
}

fn quotient(a: Twofold, b: Twofold) -> f64 {
    let nearly = a.0 / b.0;
    let (product, lost) = multiply(nearly, b.0);
    let rest = (((a.0 - product) - lost) + a.1) - nearly * b.1;
    nearly + rest / b.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Unit;
    use super::*;

    fn between(from: &str, to: &str) -> Conversion {
        Unit::parse(from).unwrap().conversion_to(&Unit::parse(to).unwrap()).unwrap()
    }

    /// `x * 10^exponent` as a text is read.
    fn scaled(x: i64, exponent: i32) -> f64 {
        format!("{x}e{exponent}").parse().unwrap()
    }

    /// The float nearest to a fraction, by long division.
    fn nearest(above: i128, below: i128) -> f64 {
        let sign = if (above < 0) == (below < 0) { "" } else { "-" };
        let (above, below) = (above.unsigned_abs(), below.unsigned_abs());
        let (mut text, mut rest, mut left) = (format!("{sign}{}.", above / below), above % below, 60);
        while rest > 0 && left > 0 {
            rest *= 10;
            text.push(char::from(b'0' + (rest / below) as u8));
            rest %= below;
            left -= 1;
        }
        // Whatever is left decides where all before stands halfway between two floats.
        format!("{text}{}", u8::from(rest > 0)).parse().unwrap()
    }

    #[test]
    fn temperatures_are_those_that_people_compute() {
        let (celsius, fahrenheit) = (between("degF", "degC"), between("degC", "degF"));
        for (f, c) in [(212.0, 100.0), (32.0, 0.0), (98.6, 37.0), (33.8, 1.0), (-40.0, -40.0), (-459.67, -273.15)] {
            assert_eq!((celsius.apply(f), fahrenheit.apply(c)), (c, f));
        }
        let kelvin = between("degC", "K");
        assert_eq!([kelvin.apply(0.0), kelvin.apply(26.85), kelvin.inverse().apply(300.0)], [273.15, 300.0, 26.85]);
        for tenths in -5_000..=5_000_i64 {
            let x = scaled(tenths, -1);
            assert_eq!(celsius.apply(x), nearest(i128::from(tenths) * 5 - 1600, 90), "{x} °F");
            assert_eq!(fahrenheit.apply(x), scaled(tenths * 18 + 3200, -2), "{x} °C");
        }
    }

    #[test]
    fn values_of_one_decimal_come_back_from_units_that_are_finer_or_ten_times_coarser() {
        let pairs =
            [("degC", "degF"), ("degC", "K"), ("mbar", "kPa"), ("bar", "Pa"), ("m3/h", "L/min"), ("km/h", "m/s")];
        for (from, to) in pairs {
            let there = between(from, to);
            let back = [between(to, from), there.inverse()];
            for tenths in -20_000..=20_000 {
                let x = scaled(tenths, -1);
                // What comes out in few decimals is exact, and so is what comes of it.
                if decimals(there.apply(x)).is_some() {
                    assert_eq!(back.map(|back| back.apply(there.apply(x))), [x, x], "{x} {from} by {to}");
                }
            }
        }
    }

    #[test]
    fn two_conversions_in_a_row_are_one() {
        let there = between("degF", "degC");
        assert!(there.then(&there.inverse()).is_identity() && there.then(&between("degC", "degF")).is_identity());
        assert_eq!(there.then(&between("degC", "K")), between("degF", "K"));
        assert_eq!(Conversion::from_parts(there.parts()), there);
        let inexact = between("deg", "rad");
        assert!((inexact.then(&inexact.inverse()).apply(90.0) - 90.0).abs() < 1e-13);
    }

    #[test]
    fn what_is_huge_or_no_number_stays_so() {
        let there = between("degF", "degC");
        assert!(there.apply(f64::NAN).is_nan());
        assert_eq!([there.apply(f64::INFINITY), there.apply(f64::NEG_INFINITY)], [f64::INFINITY, f64::NEG_INFINITY]);
        assert!((there.apply(f64::MAX) / f64::MAX - 5.0 / 9.0).abs() < 1e-15);
        assert_eq!(between("km", "mm").apply(f64::MAX), f64::INFINITY);
        assert_eq!(between("mm", "km").apply(5e-324), 0.0);
    }

    const UNITS: [(&str, &str); 12] = [
        ("degF", "degC"),
        ("degC", "degF"),
        ("degF", "K"),
        ("mbar", "psi"),
        ("psi", "bar"),
        ("gpm", "m3/h"),
        ("m3/h", "L/s"),
        ("rpm", "Hz"),
        ("kn", "km/h"),
        ("kWh", "MJ"),
        ("in", "mm"),
        ("%", "ppm"),
    ];

    proptest! {
        #[test]
        fn a_value_of_few_decimals_becomes_the_nearest_float(
            units in prop::sample::select(UNITS.as_slice()), x in -10_000_000..10_000_000_i64, exponent in -9_i32..3,
        ) {
            let there = between(units.0, units.1);
            prop_assert!(there.is_whole, "{units:?}");
            let [times, plus, by] = there.parts().map(|part| part as i128);
            let (tens, more) = (10_i128.pow(exponent.min(0).unsigned_abs()), 10_i128.pow(exponent.max(0) as u32));
            let expected = nearest(i128::from(x) * more * times + plus * tens, by * tens);
            prop_assert_eq!(there.apply(scaled(x, exponent)), expected, "{} {}", scaled(x, exponent), units.0);
        }

        #[test]
        fn a_value_of_many_decimals_becomes_the_nearest_float(
            units in prop::sample::select(UNITS.as_slice()), x in 1_i64 << 52..1 << 53, halvings in 20..56,
        ) {
            let there = between(units.0, units.1);
            let [times, plus, by] = there.parts().map(|part| part as i128);
            let value = x as f64 / (1_u64 << halvings) as f64;
            let parts = || {
                let above = i128::from(x).checked_mul(times)?.checked_add(plus.checked_mul(1_i128 << halvings)?)?;
                Some((above, by.checked_mul(1_i128 << halvings)?.checked_mul(10)? / 10))
            };
            if let (None, Some((above, below))) = (decimals(value), parts()) {
                prop_assert_eq!(there.apply(value), nearest(above, below), "{} {}", value, units.0);
            }
        }
    }
}
