//! Reads times as loggers write them. In: text. Out: a timestamp. Never reads a clock.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::value::Timestamp;

/// RFC 3339; the same without a zone, which is read as UTC, with a blank or a `T`; or a number since 1970, whose size
/// says whether it counts seconds, milliseconds, microseconds or nanoseconds (all four are told apart from 1973 to
/// 5138).
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(time) = number(text) {
        return Some(time);
    }
    Timestamp::parse_rfc3339(text).or_else(|| {
        let local: DateTime = text.replace('/', "-").parse().ok()?;
        let zoned = local.to_zoned(TimeZone::UTC).ok()?;
        i64::try_from(zoned.timestamp().as_nanosecond()).ok().map(Timestamp)
    })
}

fn number(text: &str) -> Option<Timestamp> {
    if let Ok(whole) = text.parse::<i64>() {
        let nanoseconds = match whole.unsigned_abs() {
            0..100_000_000_000 => 1_000_000_000,
            100_000_000_000..100_000_000_000_000 => 1_000_000,
            100_000_000_000_000..100_000_000_000_000_000 => 1_000,
            _ => 1,
        };
        return whole.checked_mul(nanoseconds).map(Timestamp);
    }
    let number: f64 = text.parse().ok().filter(|number: &f64| number.abs() < 9e18)?;
    let nanoseconds = match number.abs() {
        x if x < 1e11 => 1e9,
        x if x < 1e14 => 1e6,
        x if x < 1e17 => 1e3,
        _ => 1.0,
    };
    // Whole seconds apart, so that a fraction keeps its digits.
    let whole = number.trunc();
    Some(Timestamp(
        (whole as i64).checked_mul(nanoseconds as i64)?.checked_add(((number - whole) * nanoseconds) as i64)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_loggers_write_them() {
        let moment = Some(Timestamp(1_700_000_000_500_000_000));
        for text in [
            "1700000000.5",
            "1700000000500",
            "1700000000500000",
            "1700000000500000000",
            "2023-11-14T22:13:20.5Z",
            "2023-11-14 22:13:20.500",
            "2023-11-14T23:13:20.5+01:00",
            " 2023/11/14 22:13:20.5 ",
        ] {
            assert_eq!(parse(text), moment, "{text}");
        }
        for text in ["", "yesterday", "14.11.2023", "NaN", "inf", "1e300"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
