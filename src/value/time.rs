//! The one time type. In: nanoseconds. Out: nanoseconds, RFC 3339 text. Never reads the clock, except in `Timestamp::now`,
//! which `clippy.toml` forbids to the core.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment: nanoseconds since the Unix epoch, UTC. Covers the years 1677 to 2262.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub const MIN: Timestamp = Timestamp(i64::MIN);
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    /// The wall clock. Analysis, models and views take time as an argument instead.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the wall clock")]
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_nanosecond() as i64)
    }

    pub fn from_secs_f64(secs: f64) -> Self {
        Self((secs * 1e9) as i64)
    }

    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Seconds from `earlier` to `self`, negative if `self` is the earlier one.
    pub fn secs_since(self, earlier: Timestamp) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 / 1e9
    }

    /// Parses RFC 3339 (`2026-01-31T12:00:00Z`, with or without fraction and offset).
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let parsed: jiff::Timestamp = text.parse().ok()?;
        i64::try_from(parsed.as_nanosecond()).ok().map(Self)
    }

    /// Reads how many units have passed since the epoch, from a decimal number as it is written (`1769860800.123456789`,
    /// `1.7698608e9`): a float would not hold the nanoseconds. One unit is 10 to the power of `unit_power` nanoseconds.
    /// Digits below the nanosecond are cut off, and times beyond the first and the last are those.
    pub fn parse_count(text: &str, unit_power: u8) -> Option<Self> {
        let (is_negative, number) = match text.strip_prefix('-') {
            Some(number) => (true, number),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (number, exponent) = match number.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
            None => (number, 0),
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let digits = || whole.bytes().chain(part.bytes());
        if digits().next().is_none() || !digits().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        // So many of the digits, with zeros behind them if there are not as many, are whole nanoseconds.
        let wanted = i64::try_from(whole.len()).ok()? + i64::from(exponent) + i64::from(unit_power);
        let wanted = usize::try_from(wanted).unwrap_or(0);
        let nanos = digits()
            .take(wanted)
            .fold(0_i64, |nanos, digit| nanos.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
        let zeros = wanted.saturating_sub(whole.len() + part.len());
        // More zeros than the largest time has digits change nothing.
        let nanos = (0..zeros.min(20)).fold(nanos, |nanos, _| nanos.saturating_mul(10));
        Some(Self(if is_negative { -nanos } else { nanos }))
    }
}

/// As RFC 3339 text, which other programs read too.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse_rfc3339(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is no time after RFC 3339")))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with as many decimals as are needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(self.0.into()) {
            Ok(time) => time.fmt(f),
            Err(_) => write!(f, "{} ns", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;
    fn add(self, rhs: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(i64::try_from(rhs.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Timestamp;
    fn sub(self, rhs: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(i64::try_from(rhs.as_nanos()).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_count_since_1970_keeps_every_nanosecond() {
        for (text, unit_power, nanos) in [
            ("1769860800.123456789", 9, 1_769_860_800_123_456_789),
            ("1769860800.1234567899", 9, 1_769_860_800_123_456_789),
            ("1769860800", 9, 1_769_860_800_000_000_000),
            ("1769860800123.456789", 6, 1_769_860_800_123_456_789),
            ("1769860800123456.789", 3, 1_769_860_800_123_456_789),
            ("1769860800123456789.9", 0, 1_769_860_800_123_456_789),
            ("1.769860800123456789e9", 9, 1_769_860_800_123_456_789),
            ("1769860800123456789E-9", 9, 1_769_860_800_123_456_789),
            ("+5.", 9, 5_000_000_000),
            (".5", 9, 500_000_000),
            ("-0.2", 9, -200_000_000),
            ("1e-30", 9, 0),
            ("0e400", 9, 0),
            ("1e400", 9, i64::MAX),
            ("-99999999999999999999", 9, -i64::MAX),
        ] {
            assert_eq!(Timestamp::parse_count(text, unit_power), Some(Timestamp(nanos)), "{text}");
        }
        for text in ["", ".", "-", "1,5", "1 000", "NaN", "inf", "0x1F", "1e", "e5", "1.2.3", "--1", "1_000"] {
            assert_eq!(Timestamp::parse_count(text, 9), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_is_read_from_its_count_in_every_unit(nanos in -i64::MAX..=i64::MAX, unit_power in 0..=9_u8) {
            let unit = 10_u64.pow(u32::from(unit_power));
            let (sign, size) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
            let text = format!("{sign}{}.{:0width$}", size / unit, size % unit, width = usize::from(unit_power));
            prop_assert_eq!(Timestamp::parse_count(&text, unit_power), Some(Timestamp(nanos)), "{}", text);
        }

        #[test]
        fn any_text_is_read_or_not(text in ".*", unit_power in 0..=9_u8) {
            let _ = Timestamp::parse_count(&text, unit_power);
        }
    }
}
