//! Sums of numbers as they are written. In: two floats. Out: the float nearest to the sum of their shortest decimal texts,
//! which is 0.2 for 0.3 and -0.1, where the sum of the floats themselves is 0.19999999999999998. Pure.

use std::cmp::Ordering;

/// Digits of a number, the most significant first, none of them leading, and the power of ten of the last.
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i32,
}

impl Decimal {
    /// The shortest text that reads back as `x`, which is finite.
    fn of(x: f64) -> Option<Self> {
        let text = format!("{x:e}");
        let (mantissa, exponent) = text.split_once('e')?;
        let (negative, mantissa) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
        let decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
        Some(Self { negative, digits, exponent: exponent.parse::<i32>().ok()? - i32::try_from(decimals).ok()? })
    }

    /// The same number with zeros behind it, down to a smaller power of ten.
    fn down_to(mut self, exponent: i32) -> Self {
        let zeros = usize::try_from(self.exponent - exponent).unwrap_or(0);
        self.digits.resize(self.digits.len() + zeros, 0);
        self.exponent = exponent;
        self
    }
}

/// The float nearest to the sum of the decimal texts of both; the sum of the floats where one is not finite.
pub fn sum(a: f64, b: f64) -> f64 {
    exact_sum(a, b).unwrap_or(a + b)
}

fn exact_sum(a: f64, b: f64) -> Option<f64> {
    if !a.is_finite() || !b.is_finite() {
        return None;
    }
    let (a, b) = (Decimal::of(a)?, Decimal::of(b)?);
    let exponent = a.exponent.min(b.exponent);
    let (mut a, mut b) = (a.down_to(exponent), b.down_to(exponent));
    let len = a.digits.len().max(b.digits.len()) + 1;
    for number in [&mut a, &mut b] {
        let missing = len - number.digits.len();
        number.digits.splice(0..0, std::iter::repeat_n(0, missing));
    }
    // Of equal length, so that they compare as numbers.
    if a.digits.cmp(&b.digits) == Ordering::Less {
        std::mem::swap(&mut a, &mut b);
    }
    let mut carry = 0_i8;
    for (digit, other) in a.digits.iter_mut().zip(&b.digits).rev() {
        let other = if a.negative == b.negative { *other as i8 } else { -(*other as i8) };
        let sum = *digit as i8 + other + carry;
        carry = sum.div_euclid(10);
        *digit = sum.rem_euclid(10) as u8;
    }
    let sign = if a.negative { "-" } else { "" };
    let digits: String = a.digits.iter().map(|digit| char::from(b'0' + digit)).collect();
    format!("{sign}{digits}e{exponent}").parse().ok()
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

    proptest! {
        #[test]
        fn whole_numbers_add_up_exactly_and_other_floats_nearly(
            a in -(1_i64 << 51)..1 << 51, b in -(1_i64 << 51)..1 << 51, x in any::<f64>(), y in any::<f64>(),
        ) {
            prop_assert_eq!(sum(a as f64, b as f64), (a + b) as f64);
            let (exact, plain) = (sum(x, y), x + y);
            prop_assert!(exact == plain || (exact.is_nan() && plain.is_nan())
                || (exact - plain).abs() <= (x.abs() + y.abs()) * f64::EPSILON || !plain.is_finite());
        }
    }
}
