//! From what stands in a payload to the value of a signal and its source time.
//!
//! In: a found field, the kind that the signal wants. Out: value and quality, or why not. Never reads a clock.

use std::borrow::Cow;
use std::time::Duration;

use super::ClockError;
use super::pointer::Found;
use crate::scene::{Binding, Signal, TimeFormat, ValueKind};
use crate::value::{Conversion, Grade, Quality, Reason, Shift, Timestamp, Value};

/// 1990-01-01T00:00:00Z: older source times come from clocks that were never set.
pub(super) const EARLIEST: Timestamp = Timestamp(631_152_000_000_000_000);
/// A source's clock may be so much ahead before it is called wrong.
const TOLERATED_AHEAD: Duration = Duration::from_secs(1);
/// Characters of a found text that a message repeats.
const QUOTED_CHARS: usize = 32;

/// What a signal wants of its payload.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Wanted {
    pub kind: ValueKind,
    /// From the payload's numbers to the signal's.
    pub conversion: Conversion,
    /// In the unit of the signal.
    pub range: Option<(f64, f64)>,
    pub expires: Option<Duration>,
}

impl Wanted {
    pub fn of(signal: &Signal, binding: &Binding) -> Self {
        let Signal { kind, range, expires, .. } = signal;
        Self { kind: *kind, conversion: binding.conversion, range: *range, expires: *expires }
    }

    /// Value and quality, or none if the kind does not fit.
    pub fn value(&self, found: &Found) -> Option<(Value, Quality)> {
        if matches!(found, Found::Null) {
            return Some((self.stand_in(), Quality::bad(Reason::Source)));
        }
        match self.kind {
            ValueKind::Number => number(found).map(|(payload_value, exact)| {
                let (x, quality) = self.judge(payload_value);
                (Value::Number(x), if exact { quality } else { quality.max(Quality::uncertain(Reason::Rounded)) })
            }),
            ValueKind::Bool => boolean(found).map(|b| (Value::Bool(b), Quality::GOOD)),
            ValueKind::Text => match found {
                Found::Text(text) => Some((Value::Text(text.trim().into()), Quality::GOOD)),
                _ => None,
            },
        }
    }

    /// The common case alone: a number that is written as one.
    #[inline]
    pub fn number(&self, found: &Found) -> Option<(f64, Quality)> {
        match (self.kind, found) {
            (ValueKind::Number, Found::Integer(i)) if is_exact(*i) => Some(self.judge(*i as f64)),
            (ValueKind::Number, Found::Float(x)) => Some(self.judge(*x)),
            _ => None,
        }
    }

    #[inline]
    fn judge(&self, payload_value: f64) -> (f64, Quality) {
        let x = self.conversion.apply(payload_value);
        let quality = match self.range {
            _ if !x.is_finite() => Quality::bad(Reason::NotFinite),
            Some((low, high)) if x < low || x > high => Quality::bad(Reason::OutOfRange),
            _ => Quality::GOOD,
        };
        (x, quality)
    }

    /// The quality of a value that the broker had kept: its age is unknown, unless it tells its time.
    pub fn retained(&self, quality: Quality, told: Option<Timestamp>, receive_time: Timestamp) -> Quality {
        let old = |told: Timestamp| self.expires.is_some_and(|expires| receive_time > told + expires);
        match told {
            // Of all reasons to doubt it, its age is the greatest.
            None if quality.grade <= Grade::Uncertain => Quality::uncertain(Reason::Retained),
            None => quality,
            Some(told) if old(told) => quality.max(Quality::stale(Reason::Expired)),
            Some(_) => quality,
        }
    }

    /// The value of a sample that has none.
    pub fn stand_in(&self) -> Value {
        match self.kind {
            ValueKind::Number => Value::Number(f64::NAN),
            ValueKind::Bool => Value::Bool(false),
            ValueKind::Text => Value::Text("".into()),
        }
    }

    pub fn expected(&self) -> &'static str {
        match self.kind {
            ValueKind::Number => "a number",
            ValueKind::Bool => "a boolean",
            ValueKind::Text => "text",
        }
    }
}

/// A whole payload as a field: text, which numbers and booleans are read from.
pub(super) fn raw(payload: &[u8]) -> Option<Found<'_>> {
    let text = std::str::from_utf8(payload).ok()?;
    // A byte order mark, and the end of a text in C, are of how it was sent.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_end_matches('\0');
    Some(Found::Text(Cow::Borrowed(text)))
}

/// A number, and whether it has all the digits that were written: counters beyond 2⁵³ have more than a float holds.
fn number(found: &Found) -> Option<(f64, bool)> {
    match found {
        Found::Integer(i) => Some((*i as f64, is_exact(*i))),
        Found::Float(x) => Some((*x, true)),
        Found::Rounded(x) => Some((*x, false)),
        Found::Digits(text) => written(text),
        Found::Text(text) => written(text.trim()),
        _ => None,
    }
}

fn written(text: &str) -> Option<(f64, bool)> {
    let exact = |x: f64| {
        let digits = text.trim_start_matches(['-', '+']).trim_start_matches('0');
        match text.parse::<i128>() {
            Ok(whole) => whole == x as i128,
            // A float prints all of its digits.
            Err(_) => !digits.bytes().all(|byte| byte.is_ascii_digit()) || format!("{:.0}", x.abs()) == digits,
        }
    };
    text.parse().ok().map(|x| (x, exact(x)))
}

/// Whether a float holds all digits of an integer.
#[inline]
fn is_exact(i: i64) -> bool {
    const EVERY: u64 = 1 << 53;
    i.unsigned_abs() <= EVERY || i as f64 as i128 == i128::from(i)
}

fn boolean(found: &Found) -> Option<bool> {
    match found {
        Found::Bool(b) => Some(*b),
        Found::Integer(0) => Some(false),
        Found::Integer(1) => Some(true),
        Found::Float(x) if *x == 0.0 => Some(false),
        Found::Float(x) if *x == 1.0 => Some(true),
        Found::Digits(text) => text.parse().ok().and_then(|x| boolean(&Found::Float(x))),
        Found::Text(text) => {
            let text = text.trim();
            let is_one_of = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
            if is_one_of(&["true", "1", "on", "yes"]) {
                Some(true)
            } else if is_one_of(&["false", "0", "off", "no"]) {
                Some(false)
            } else {
                None
            }
        }
        _ => None,
    }
}

/// The source time in a field, if it is believable at `receive_time`. Nothing is measured after it was received: a time
/// ahead becomes the receive time, in silence where clocks differ by little. So times that ascend still ascend, and the
/// newest sample never lies beyond the clock. `ahead` is added to the time that the field says.
pub(super) fn source_time(
    found: &Found,
    format: TimeFormat,
    pointer: &str,
    ahead: Shift,
    receive_time: Timestamp,
) -> Result<Timestamp, ClockError> {
    let Some(time) = read_time(found, format) else {
        return Err(ClockError::Unreadable {
            pointer: pointer.to_owned(),
            found: describe(found),
            expected: match format {
                TimeFormat::Rfc3339 => "a time such as 2026-01-31T12:00:00Z",
                TimeFormat::Seconds => "seconds since 1970",
                TimeFormat::Milliseconds => "milliseconds since 1970",
                TimeFormat::Microseconds => "microseconds since 1970",
                TimeFormat::Nanoseconds => "nanoseconds since 1970",
            },
        });
    };
    let time = ahead.there(time);
    if time < EARLIEST {
        Err(ClockError::Past { pointer: pointer.to_owned(), time })
    } else if time > receive_time + TOLERATED_AHEAD {
        Err(ClockError::Future {
            pointer: pointer.to_owned(),
            time,
            ahead_secs: time.secs_since(receive_time).round() as i64,
        })
    } else {
        Ok(time.min(receive_time))
    }
}

fn read_time(found: &Found, format: TimeFormat) -> Option<Timestamp> {
    let unit_power: u8 = match format {
        TimeFormat::Seconds => 9,
        TimeFormat::Milliseconds => 6,
        TimeFormat::Microseconds => 3,
        TimeFormat::Nanoseconds => 0,
        TimeFormat::Rfc3339 => {
            return match found {
                Found::Text(text) => Timestamp::parse_rfc3339(text.trim()),
                _ => None,
            };
        }
    };
    // All of these saturate, so that absurd times are found to be in the far past or future.
    match found {
        Found::Integer(units) => Some(Timestamp(units.saturating_mul(10_i64.pow(unit_power.into())))),
        Found::Digits(text) => Timestamp::parse_count(text, unit_power),
        Found::Text(text) => Timestamp::parse_count(text.trim(), unit_power),
        // Minus zero, or not finite: other fractions keep their digits where a time is wanted.
        Found::Float(units) | Found::Rounded(units) => {
            units.is_finite().then(|| Timestamp((units * 10_i64.pow(unit_power.into()) as f64) as i64))
        }
        _ => None,
    }
}

/// The beginning of what could not be read, in backquotes.
fn excerpt(text: &str) -> String {
    let more = if text.chars().nth(QUOTED_CHARS).is_some() { "…" } else { "" };
    let start: String = text.chars().take(QUOTED_CHARS).collect();
    format!("`{}{more}`", start.escape_debug())
}

/// For messages: `text "abc"`, `an array`.
pub(super) fn describe(found: &Found) -> String {
    match found {
        Found::Missing => "missing".to_owned(),
        Found::Null => "null".to_owned(),
        Found::Bool(b) => format!("the boolean {b}"),
        Found::Integer(i) => format!("the number {i}"),
        Found::Float(x) | Found::Rounded(x) => format!("the number {x}"),
        Found::Digits(text) => {
            let more = if text.len() > QUOTED_CHARS { "…" } else { "" };
            format!("the number {}{more}", text.get(..QUOTED_CHARS).unwrap_or(text))
        }
        Found::Unreadable([]) => "empty, which is no JSON value".to_owned(),
        Found::Unreadable(token) if std::str::from_utf8(token).is_err() => {
            format!("{}, which is not UTF-8", excerpt(&String::from_utf8_lossy(token)))
        }
        Found::Unreadable(token) => format!("{}, which is no JSON value", excerpt(&String::from_utf8_lossy(token))),
        Found::Text(text) => {
            let more = if text.chars().nth(QUOTED_CHARS).is_some() { "…" } else { "" };
            let start: String = text.chars().take(QUOTED_CHARS).collect();
            format!("text \"{}{more}\"", start.escape_debug())
        }
        Found::Array => "an array".to_owned(),
        Found::Object => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NUMBER: Wanted =
        Wanted { kind: ValueKind::Number, conversion: Conversion::IDENTITY, range: Some((0.0, 100.0)), expires: None };
    const NOON: Timestamp = Timestamp(1_769_860_800_000_000_000);

    fn text(text: &str) -> Found<'_> {
        Found::Text(Cow::Borrowed(text))
    }

    #[test]
    fn numbers_come_from_numbers_and_from_text() {
        assert_eq!(NUMBER.value(&Found::Integer(7)), Some((Value::Number(7.0), Quality::GOOD)));
        assert_eq!(NUMBER.value(&text(" 7.5 ")), Some((Value::Number(7.5), Quality::GOOD)));
        assert_eq!(NUMBER.value(&text("seven")), None);
        assert_eq!(NUMBER.value(&Found::Bool(true)), None);
    }

    #[test]
    fn scale_and_offset_apply_before_the_range_is_judged() {
        let kelvin = Wanted { conversion: Conversion::from_parts([1.0, -273.15, 1.0]), ..NUMBER };
        assert_eq!(kelvin.value(&Found::Float(300.15)), Some((Value::Number(27.0), Quality::GOOD)));
        let (_, quality) = kelvin.value(&Found::Float(20.0)).unwrap();
        assert_eq!(quality, Quality::bad(Reason::OutOfRange));
    }

    #[test]
    fn what_is_not_finite_is_bad() {
        for word in ["NaN", "inf", "-Infinity"] {
            assert_eq!(NUMBER.value(&text(word)).unwrap().1, Quality::bad(Reason::NotFinite), "{word}");
        }
        assert_eq!(NUMBER.value(&Found::Null).unwrap().1, Quality::bad(Reason::Source));
    }

    #[test]
    fn counters_with_more_digits_than_a_float_holds_are_uncertain() {
        let wanted = Wanted { range: None, ..NUMBER };
        let rounded = Quality::uncertain(Reason::Rounded);
        for (found, quality) in [
            (Found::Integer(1 << 53), Quality::GOOD),
            (Found::Integer((1 << 53) + 1), rounded),
            (Found::Integer((1 << 53) + 2), Quality::GOOD),
            (Found::Integer(i64::MIN), Quality::GOOD),
            (text("9007199254740993"), rounded),
            (text(" 9007199254740992 "), Quality::GOOD),
            (text("0.1"), Quality::GOOD),
            (text("-1234567890123456789012345678901234567890123"), rounded),
            (text("1e42"), Quality::GOOD),
            (Found::Rounded(u64::MAX as f64), rounded),
        ] {
            assert_eq!(wanted.value(&found).map(|(_, quality)| quality), Some(quality), "{found:?}");
            assert!(wanted.number(&found).is_none_or(|(_, quick)| quick == quality), "{found:?}");
        }
    }

    #[test]
    fn text_has_no_line_end_and_a_retained_value_is_as_old_as_it_says() {
        let wanted = Wanted { kind: ValueKind::Text, expires: Some(Duration::from_secs(5)), ..NUMBER };
        for payload in ["FAULT", "FAULT\r\n", "\u{feff}FAULT\0", " FAULT "] {
            let value = wanted.value(&raw(payload.as_bytes()).unwrap());
            assert_eq!(value, Some((Value::Text("FAULT".into()), Quality::GOOD)), "{payload:?}");
        }
        let quality = |told: Option<i64>| {
            wanted.retained(Quality::GOOD, told.map(|secs| Timestamp(NOON.0 - secs * 1_000_000_000)), NOON)
        };
        assert_eq!(quality(None), Quality::uncertain(Reason::Retained));
        assert_eq!(quality(Some(5)), Quality::GOOD);
        assert_eq!(quality(Some(6)), Quality::stale(Reason::Expired));
    }

    #[test]
    fn booleans_come_from_the_usual_words() {
        let wanted = Wanted { kind: ValueKind::Bool, ..NUMBER };
        for (found, expected) in [
            (text("ON"), Some(true)),
            (text("off"), Some(false)),
            (Found::Integer(1), Some(true)),
            (Found::Float(0.0), Some(false)),
            (Found::Integer(2), None),
            (text("maybe"), None),
        ] {
            assert_eq!(wanted.value(&found).map(|(value, _)| value), expected.map(Value::Bool), "{found:?}");
        }
    }

    #[test]
    fn every_time_format_gives_the_same_moment() {
        for (found, format) in [
            (Found::Integer(1_769_860_800), TimeFormat::Seconds),
            (Found::Float(1_769_860_800.0), TimeFormat::Seconds),
            (Found::Integer(1_769_860_800_000), TimeFormat::Milliseconds),
            (Found::Integer(1_769_860_800_000_000), TimeFormat::Microseconds),
            (Found::Integer(1_769_860_800_000_000_000), TimeFormat::Nanoseconds),
            (text("1769860800000000000"), TimeFormat::Nanoseconds),
            (Found::Digits("1.7698608e9"), TimeFormat::Seconds),
            (text(" 1769860800.0 "), TimeFormat::Seconds),
            (text("2026-01-31T12:00:00Z"), TimeFormat::Rfc3339),
            (text("2026-01-31T13:00:00.000+01:00"), TimeFormat::Rfc3339),
        ] {
            assert_eq!(source_time(&found, format, "/t", Shift::NONE, NOON), Ok(NOON), "{found:?} as {format:?}");
        }
    }

    #[test]
    fn a_fraction_of_a_second_keeps_all_its_digits() {
        let wanted = Timestamp(NOON.0 - 876_543_211);
        for found in
            [Found::Digits("1769860799.123456789"), text("1769860799.123456789"), text("1769860799.1234567891")]
        {
            assert_eq!(source_time(&found, TimeFormat::Seconds, "/t", Shift::NONE, NOON), Ok(wanted), "{found:?}");
        }
        let milliseconds = Found::Digits("1769860799123.456789");
        assert_eq!(source_time(&milliseconds, TimeFormat::Milliseconds, "/t", Shift::NONE, NOON), Ok(wanted));
        assert_eq!(Wanted { range: None, ..NUMBER }.value(&milliseconds).unwrap().1, Quality::GOOD);
    }

    #[test]
    fn insane_times_are_refused_with_what_to_check() {
        let past = source_time(&Found::Integer(12), TimeFormat::Seconds, "/ts", Shift::NONE, NOON).unwrap_err();
        let said = "clock: the source time `/ts` is 1970-01-01T00:00:12Z, before 1990: check the source's clock and the time \
                    format";
        assert_eq!(past.to_string(), said);
        let ahead =
            source_time(&text("2026-01-31T13:00:00Z"), TimeFormat::Rfc3339, "/ts", Shift::NONE, NOON).unwrap_err();
        let said = "clock: the source time `/ts` is 2026-01-31T13:00:00Z, 3600 s after its receipt: check the source's clock \
                    and the time format";
        assert_eq!(ahead.to_string(), said);
        assert!(matches!(
            source_time(&Found::Integer(i64::MAX), TimeFormat::Seconds, "/ts", Shift::NONE, NOON),
            Err(ClockError::Future { .. })
        ));
        assert!(matches!(
            source_time(&text("noon"), TimeFormat::Rfc3339, "/ts", Shift::NONE, NOON),
            Err(ClockError::Unreadable { .. })
        ));
    }

    proptest! {
        #[test]
        fn times_of_a_clock_that_is_ahead_still_ascend_and_never_pass_their_receipt(
            ahead_secs in -100_000_i64..100_000, steps in prop::collection::vec((0..3_000_u64, 0..3_000_u64), 1..50),
        ) {
            let (mut sent, mut received) = (Timestamp(NOON.0 + ahead_secs * 1_000_000_000), NOON);
            let mut last = Timestamp::MIN;
            for (sent_ms, received_ms) in steps {
                sent = sent + Duration::from_millis(sent_ms);
                received = received + Duration::from_millis(received_ms);
                let found = Found::Integer(sent.0);
                let time = source_time(&found, TimeFormat::Nanoseconds, "/ts", Shift::NONE, received).unwrap_or(received);
                prop_assert!(last <= time && time <= received);
                prop_assert_eq!(time == sent, sent <= received);
                last = time;
            }
        }
    }
}
