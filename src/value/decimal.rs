//! Numbers as they are written in decimals. In: text, or a float, which stands for its shortest text. Out: exact sums,
//! products and comparisons, and the float nearest to them: 0.3 and -0.1 make 0.2, where the sum of the floats themselves
//! is 0.19999999999999998. Pure; no tolerance.

use std::cmp::Ordering;

/// `digits` times ten to the power of `exponent`.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    is_negative: bool,
    digits: u128,
    exponent: i32,
}

/// Whole numbers up to here are floats, and powers of ten up to the other.
const WHOLE_FLOATS: u128 = 1 << 53;
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

impl Decimal {
    /// A sign, digits with at most one point or comma among them, an exponent: `-1234.5`, `1,7e9`. None for other texts, and
    /// for numbers of more than 38 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (is_negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let (whole, part) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
        if whole.is_empty() && part.is_empty() {
            return None;
        }
        let mut digits = 0_u128;
        for byte in whole.bytes().chain(part.bytes()) {
            let digit = byte.is_ascii_digit().then(|| u128::from(byte - b'0'))?;
            digits = digits.checked_mul(10)?.checked_add(digit)?;
        }
        Some(Self { is_negative, digits, exponent: exponent.checked_sub(i32::try_from(part.len()).ok()?)? })
    }

    /// The shortest text that reads back as `x`; none if it is not finite.
    pub fn of(x: f64) -> Option<Self> {
        x.is_finite().then(|| Self::parse(&format!("{x:e}"))).flatten()
    }

    pub fn is_negative(self) -> bool {
        self.is_negative && self.digits > 0
    }

    /// The float nearest to it.
    pub fn nearest(self) -> f64 {
        let power = POWERS.get(self.exponent.unsigned_abs() as usize).filter(|_| self.digits <= WHOLE_FLOATS);
        let size = match power {
            // Of two exact floats one operation gives the nearest one.
            Some(power) if self.exponent < 0 => self.digits as f64 / power,
            Some(power) => self.digits as f64 * power,
            None => format!("{}e{}", self.digits, self.exponent).parse().unwrap_or(f64::NAN),
        };
        if self.is_negative { -size } else { size }
    }

    pub fn negated(self) -> Self {
        Self { is_negative: !self.is_negative, ..self }
    }

    /// None where 38 digits do not hold it.
    pub fn plus(self, other: Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        let sum = self.units(exponent)?.checked_add(other.units(exponent)?)?;
        Some(Self { is_negative: sum < 0, digits: sum.unsigned_abs(), exponent })
    }

    /// None where 38 digits do not hold it.
    pub fn times(self, by: u64) -> Option<Self> {
        Some(Self { digits: self.digits.checked_mul(u128::from(by))?, ..self })
    }

    /// None where 38 digits do not hold both.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        let exponent = self.exponent.min(other.exponent);
        Some(self.units(exponent)?.cmp(&other.units(exponent)?))
    }

    /// The whole part of `by` times the number, towards zero; none where that has too many digits.
    pub fn whole_of_times(self, by: u64) -> Option<i128> {
        let by = u128::from(by);
        let Some(shift) = 10_u128.checked_pow(self.exponent.unsigned_abs()) else {
            // Whatever 38 digits hold, so small a part of it is less than one.
            return (self.exponent < 0 && self.digits.checked_mul(by).is_some()).then_some(0);
        };
        let size = if self.exponent < 0 {
            let (whole, part) = (self.digits / shift, self.digits % shift);
            whole.checked_mul(by)?.checked_add(part.checked_mul(by)? / shift)?
        } else {
            self.digits.checked_mul(shift)?.checked_mul(by)?
        };
        self.signed(size)
    }

    /// Numerator and denominator; none where 38 digits do not hold them.
    pub fn ratio(self) -> Option<(i128, i128)> {
        let above = self.units(self.exponent.min(0))?;
        Some((above, 10_i128.checked_pow(self.exponent.min(0).unsigned_abs())?))
    }

    /// How often ten to the power of `exponent`, which is not above its own, goes into it.
    fn units(self, exponent: i32) -> Option<i128> {
        if self.digits == 0 {
            return Some(0);
        }
        let zeros = u32::try_from(self.exponent.checked_sub(exponent)?).ok()?;
        self.signed(self.digits.checked_mul(10_u128.checked_pow(zeros)?)?)
    }

    fn signed(self, size: u128) -> Option<i128> {
        let size = i128::try_from(size).ok()?;
        Some(if self.is_negative { -size } else { size })
    }
}

/// The float nearest to the sum of the decimal texts of both. The sum of the floats where one is not finite, or where they
/// are so unlike in size that 38 digits do not hold both.
pub fn sum(a: f64, b: f64) -> f64 {
    let exact = || Some(Decimal::of(a)?.plus(Decimal::of(b)?)?.nearest());
    exact().unwrap_or(a + b)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_sum_is_that_of_the_texts() {
        for (a, b, wanted) in [
            (0.3, -0.1, 0.2),
            (0.1, 0.2, 0.3),
            (-0.3, 0.1, -0.2),
            (0.1, -0.3, -0.2),
            (70.1, -0.1, 70.0),
            (1e22, 1.0, 1e22),
            (1e300, -1e-300, 1e300),
            (-5.0, 5.0, 0.0),
            (0.0, 7.25, 7.25),
            (999.9, 0.1, 1000.0),
        ] {
            assert_eq!(sum(a, b), wanted, "{a} + {b}");
        }
        assert_eq!(sum(f64::MAX, f64::MAX), f64::INFINITY);
        assert!(sum(f64::INFINITY, f64::NEG_INFINITY).is_nan());
    }

    #[test]
    fn all_numbers_with_one_decimal_add_up_as_people_add_them() {
        for a in -600..=600_i32 {
            for b in 0..=60_i32 {
                let tenth = |n: i32| format!("{}{}.{}", if n < 0 { "-" } else { "" }, n.abs() / 10, n.abs() % 10);
                let number = |n: i32| tenth(n).parse::<f64>().unwrap();
                assert_eq!(sum(number(a), number(b)), number(a + b));
            }
        }
    }

    #[test]
    fn texts_are_read_with_all_of_their_digits() {
        for (text, times_ten) in [
            ("1.25", Some(12)),
            ("-1,25", Some(-12)),
            ("+.5", Some(5)),
            ("5.", Some(50)),
            ("1.7000000005e9", Some(17_000_000_005)),
            ("12e-1", Some(12)),
            ("-0", Some(0)),
            ("12345678901234567890.123456789012345678", Some(123_456_789_012_345_678_901)),
            ("1e300", None),
            ("1e-300", Some(0)),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().whole_of_times(10), times_ten, "{text}");
        }
        for text in ["", ".", "-", "e5", "1e", "1.2.3", "1.2,3", "--1", " 1", "0x1", "NaN", "inf", "1e9999999999"] {
            assert!(Decimal::parse(text).is_none(), "{text}");
        }
        assert!(Decimal::parse(&"9".repeat(40)).is_none());
    }

    #[test]
    fn numbers_compare_by_what_they_are_worth() {
        let compare = |a, b| Decimal::parse(a).unwrap().compare(Decimal::parse(b).unwrap());
        assert_eq!(compare("0.10", "0.1"), Some(Ordering::Equal));
        assert_eq!(compare("-2", "1e-3"), Some(Ordering::Less));
        assert_eq!(compare("0", "-0.0"), Some(Ordering::Equal));
        assert_eq!(compare("9007199254740993", "9007199254740992"), Some(Ordering::Greater));
        assert_eq!(compare("1e300", "1e-300"), None, "38 digits do not hold both");
    }

    /// Two steps of the smallest floats, whose decimals are fewer than their bits.
    const SMALLEST: f64 = f64::MIN_POSITIVE * f64::EPSILON * 2.0;

    proptest! {
        #[test]
        fn a_float_reads_back_from_its_decimals(x in any::<f64>()) {
            match Decimal::of(x) {
                Some(decimal) => prop_assert_eq!(decimal.nearest().to_bits(), x.to_bits()),
                None => prop_assert!(!x.is_finite()),
            }
        }

        #[test]
        fn the_nearest_float_is_that_of_the_text(digits in any::<u64>(), exponent in -40_i32..40) {
            let text = format!("{digits}e{exponent}");
            prop_assert_eq!(Decimal::parse(&text).unwrap().nearest(), text.parse::<f64>().unwrap());
        }

        #[test]
        fn whole_numbers_add_up_exactly_and_other_floats_nearly(
            a in -(1_i64 << 51)..1 << 51, b in -(1_i64 << 51)..1 << 51, x in any::<f64>(), y in any::<f64>(),
        ) {
            prop_assert_eq!(sum(a as f64, b as f64), (a + b) as f64);
            let (exact, plain) = (sum(x, y), x + y);
            prop_assert!(exact == plain || (exact.is_nan() && plain.is_nan())
                || (exact - plain).abs() <= (x.abs() + y.abs()) * f64::EPSILON + SMALLEST || !plain.is_finite());
        }
    }
}
