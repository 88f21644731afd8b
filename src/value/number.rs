//! Numbers as people read them. In: a value and its unit. Out: short text with significant digits. Never rounds data:
//! exports write the numbers themselves.

use super::{Unit, Value};

/// Enough for any gauge: the fourth digit is usually noise already.
const SIGNIFICANT: usize = 4;

/// `x` with `significant` digits: `0.04512`, `3.142`, `1235`, `6.022e23`. Whole numbers below a thousand million stay
/// whole and complete.
pub fn significant(x: f64, significant: usize) -> String {
    let digits = significant.clamp(1, 17);
    if x.is_nan() {
        return "NaN".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "∞".to_owned() } else { "-∞".to_owned() };
    }
    if x == 0.0 {
        return "0".to_owned();
    }
    if x.fract() == 0.0 && x.abs() < 1e9 {
        return format!("{x:.0}");
    }
    // Let the formatter round first: 9.9996 has two digits before the point once it is 10.00.
    let scientific = format!("{x:.*e}", digits - 1);
    let exponent = scientific.rsplit_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok()).unwrap_or(0);
    if !(-4..9).contains(&exponent) {
        return scientific;
    }
    let decimals = usize::try_from(digits as i32 - 1 - exponent).unwrap_or(0);
    format!("{x:.decimals$}")
}

/// A value with its unit, for panels and labels: `12.35 m³/h`, `21.5 °C`, `90°`, `on`, `AUTO`.
pub fn readable(value: &Value, unit: &Unit) -> String {
    match value {
        Value::Number(x) => format!("{}{}", significant(*x, SIGNIFICANT), unit.suffix()),
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::Text(text) => text.to_string(),
    }
}

/// A value with its unit and a fixed number of decimals, so that a changing label keeps its width.
pub fn with_decimals(value: &Value, unit: &Unit, decimals: u8) -> String {
    match value {
        Value::Number(x) if x.is_finite() => {
            let text = format!("{x:.*}", usize::from(decimals));
            // Minus zero is a rounding artefact, not a reading.
            let is_zero = text.strip_prefix('-').is_some_and(|t| t.chars().all(|c| matches!(c, '0' | '.')));
            format!("{}{}", if is_zero { text.trim_start_matches('-') } else { &text }, unit.suffix())
        }
        other => readable(other, unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_matter() {
        for (x, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (3.25049, "3.250"),
            (-12.3456, "-12.35"),
            (9.9996, "10.00"),
            (1234.56, "1235"),
            (123_456.7, "123457"),
            (42.0, "42"),
            (123_456_789.0, "123456789"),
            (6.02214e23, "6.022e23"),
            (0.045123, "0.04512"),
            (0.000_012_34, "1.234e-5"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-∞"),
            (5e-324, "4.941e-324"),
            (f64::MAX, "1.798e308"),
        ] {
            assert_eq!(significant(x, 4), text);
        }
        assert_eq!(significant(2.5, 0), "2", "at least one digit");
    }

    #[test]
    fn values_read_with_their_unit() {
        let unit = |symbol| Unit::parse(symbol).unwrap_or_default();
        assert_eq!(readable(&Value::Number(12.3456), &unit("m3/h")), "12.35 m³/h");
        assert_eq!(readable(&Value::Number(90.0), &unit("deg")), "90°");
        assert_eq!(readable(&Value::Number(0.5), &Unit::none()), "0.5000");
        assert_eq!(readable(&Value::Bool(true), &Unit::none()), "on");
        assert_eq!(readable(&Value::Text("AUTO".into()), &Unit::none()), "AUTO");
        assert_eq!(with_decimals(&Value::Number(-0.04), &unit("degC"), 1), "0.0 °C");
        assert_eq!(with_decimals(&Value::Number(71.25), &unit("%"), 0), "71 %");
        assert_eq!(with_decimals(&Value::Number(f64::NAN), &unit("%"), 0), "NaN %");
    }
}
