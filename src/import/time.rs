//! Reads times as loggers write them. In: text, what the user said about it. Out: a timestamp, or a reason and a way out.
//! Never reads a clock, and never takes a time for another because it could be read so.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::{Offset, TimeZone};

use crate::value::Timestamp;
use crate::value::decimal::Decimal;

/// How a table writes its times.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum TimeFormat {
    /// RFC 3339; the same without a zone, with a blank or a `T`, with slashes; or a number since 1970, whose size says
    /// whether it counts seconds, milliseconds, microseconds or nanoseconds (told apart from 1973 to 5138).
    #[default]
    Auto,
    /// A number that counts so many nanoseconds since 1970.
    Count(u64),
    /// Days since the end of 1899, as spreadsheets count them.
    Days,
    /// `20260131`, `202601311200`, `20260131120000`, with milliseconds behind.
    Compact,
    /// As strftime spells it: `%d.%m.%Y %H:%M:%S`.
    Pattern(String),
    /// `06:30`, `23:59:59.5`, `24:00`: since midnight of any day. For tables that say how a day goes; no logger's.
    TimeOfDay,
}

impl std::str::FromStr for TimeFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "auto" => Self::Auto,
            "seconds" => Self::Count(1_000_000_000),
            "milliseconds" => Self::Count(1_000_000),
            "microseconds" => Self::Count(1_000),
            "nanoseconds" => Self::Count(1),
            "days" => Self::Days,
            "compact" => Self::Compact,
            pattern if pattern.contains('%') => Self::Pattern(pattern.to_owned()),
            _ => {
                return Err(format!(
                    "`{text}` is none of seconds, milliseconds, microseconds, nanoseconds, days (of a spreadsheet), \
                     compact (20260131) or a pattern like %d.%m.%Y %H:%M:%S"
                ));
            }
        })
    }
}

/// A zone by its name in the system's data (`Europe/Berlin`), as an offset (`+02:00`) or `UTC`.
pub(super) fn zone(text: &str) -> Result<TimeZone, String> {
    if matches!(text, "UTC" | "Z" | "utc") {
        return Ok(TimeZone::UTC);
    }
    if let Some(offset) = offset(text) {
        return Ok(TimeZone::fixed(offset));
    }
    TimeZone::get(text).map_err(|_| {
        format!("--zone {text}: this system knows no such zone; name one like Europe/Berlin, or an offset like +02:00")
    })
}

/// `+02:00`, `-0530`, `+02`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let digits = digits.replace(':', "");
    let number = |range| digits.get::<std::ops::Range<usize>>(range)?.parse::<i32>().ok();
    let minutes = match digits.len() {
        2 => number(0..2)? * 60,
        4 => number(0..2)? * 60 + number(2..4).filter(|minutes| *minutes < 60)?,
        _ => return None,
    };
    Offset::from_seconds(sign * minutes * 60).ok()
}

/// A time as it stands in a cell.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Read {
    At(Timestamp),
    /// By the clock on some wall.
    Local(DateTime),
}

impl Read {
    /// As if a wall's clock showed UTC.
    pub fn naive(self) -> Result<Timestamp, String> {
        match self {
            Self::At(time) => Ok(time),
            Self::Local(local) => zoned(local, Offset::UTC),
        }
    }
}

pub(super) fn zoned(local: DateTime, offset: Offset) -> Result<Timestamp, String> {
    let time = offset.to_timestamp(local).map_err(|_| beyond(&local.to_string()))?;
    bounded(time.as_nanosecond(), &local.to_string())
}

/// A recording's times are nanoseconds since 1970.
fn bounded(nanoseconds: i128, text: &str) -> Result<Timestamp, String> {
    match i64::try_from(nanoseconds) {
        Ok(time) if time < 0 => Err(format!("the time `{text}` lies before 1970, where recordings begin")),
        Ok(time) => Ok(Timestamp(time)),
        Err(_) if nanoseconds < 0 => Err(format!("the time `{text}` lies before 1970, where recordings begin")),
        Err(_) => Err(beyond(text)),
    }
}

fn beyond(text: &str) -> String {
    format!("the time `{text}` lies beyond 2262, the last year of recordings")
}

pub(super) fn read(text: &str, format: &TimeFormat) -> Result<Read, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("it has no time".to_owned());
    }
    let unlike = |what: &str| format!("the time `{text}` is no {what}");
    match format {
        TimeFormat::Auto => match Decimal::parse(text) {
            Some(number) => counted(number, unit_of(number), text).map(Read::At),
            None => written(text),
        },
        TimeFormat::Count(unit) => {
            let number = Decimal::parse(text).ok_or_else(|| unlike("number"))?;
            counted(number, *unit, text).map(Read::At)
        }
        TimeFormat::TimeOfDay => time_of_day(text).map(Read::At).ok_or_else(|| unlike("time of day")),
        TimeFormat::Days => {
            let number = Decimal::parse(text).ok_or_else(|| unlike("number of days"))?;
            days(number).map(Read::Local).ok_or_else(|| unlike("number of days"))
        }
        TimeFormat::Compact => compact(text).map(Read::Local).ok_or_else(|| unlike("date like 20260131")),
        TimeFormat::Pattern(pattern) => {
            let parsed = strtime::parse(pattern, text).map_err(|error| format!("the time `{text}`: {error}"))?;
            if parsed.offset().is_some() {
                let time = parsed.to_timestamp().map_err(|error| format!("the time `{text}`: {error}"))?;
                return bounded(time.as_nanosecond(), text).map(Read::At);
            }
            let local = parsed.to_datetime().or_else(|_| parsed.to_date().map(|date| date.at(0, 0, 0, 0)));
            local.map(Read::Local).map_err(|error| format!("the time `{text}`: {error}"))
        }
    }
}

/// How many nanoseconds a number counts, as its size says.
fn unit_of(number: Decimal) -> u64 {
    match number.whole_of_times(1).map(i128::unsigned_abs) {
        Some(0..100_000_000_000) => 1_000_000_000,
        Some(100_000_000_000..100_000_000_000_000) => 1_000_000,
        Some(100_000_000_000_000..100_000_000_000_000_000) => 1_000,
        _ => 1,
    }
}

fn counted(number: Decimal, unit: u64, text: &str) -> Result<Timestamp, String> {
    match number.whole_of_times(unit) {
        Some(nanoseconds) => bounded(nanoseconds, text),
        None => Err(beyond(text)),
    }
}

/// Spreadsheets keep days as binary fractions: to the nearest millisecond.
fn days(number: Decimal) -> Option<DateTime> {
    const DAY: i128 = 86_400_000;
    let halves = number.whole_of_times(2 * DAY as u64).filter(|_| !number.is_negative())?;
    let milliseconds = (halves + 1) / 2;
    if halves >= 2 * DAY * 2_958_466 {
        return None;
    }
    let (days, rest) = (i64::try_from(milliseconds / DAY).ok()?, i64::try_from(milliseconds % DAY).ok()?);
    let span = jiff::Span::new().days(days).milliseconds(rest);
    DateTime::constant(1899, 12, 30, 0, 0, 0, 0).checked_add(span).ok()
}

/// `20260131`, and with hours and minutes, seconds, milliseconds.
fn compact(text: &str) -> Option<DateTime> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(text.len(), 8 | 12 | 14 | 17) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to).map_or(Some(0), |digits| digits.parse::<i16>().ok());
    let small = |from: usize, to: usize| number(from, to).and_then(|number| i8::try_from(number).ok());
    let year = number(0, 4).filter(|year| (1970..=2199).contains(year))?;
    let date = Date::new(year, small(4, 6)?, small(6, 8)?).ok()?;
    let milliseconds = i32::from(number(14, 17)?);
    let time = jiff::civil::Time::new(small(8, 10)?, small(10, 12)?, small(12, 14)?, milliseconds * 1_000_000).ok()?;
    Some(date.to_datetime(time))
}

/// What a number may be beside a count since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Likeness {
    /// A date without marks between its parts.
    Compact,
    /// A day of a spreadsheet, from 1970 to 2099.
    Day,
    Other,
}

/// None for what is no number.
pub(super) fn likeness(text: &str) -> Option<Likeness> {
    let number = Decimal::parse(text.trim())?;
    Some(match number.whole_of_times(1) {
        _ if compact(text.trim()).is_some() => Likeness::Compact,
        Some(25_569..=73_050) => Likeness::Day,
        _ => Likeness::Other,
    })
}

/// Nanoseconds since midnight. The end of a day is its last time.
fn time_of_day(text: &str) -> Option<Timestamp> {
    const DAY: i64 = 86_400_000_000_000;
    if matches!(text, "24:00" | "24:00:00") {
        return Some(Timestamp(DAY));
    }
    let (clock, offset) = clock_and_offset(text).filter(|_| is_time_of_day(text))?;
    let time: jiff::civil::Time = clock.parse().ok().filter(|_| offset.is_none())?;
    let secs = 3_600 * i64::from(time.hour()) + 60 * i64::from(time.minute()) + i64::from(time.second());
    Some(Timestamp(secs * 1_000_000_000 + i64::from(time.subsec_nanosecond())))
}

/// `10:30:25`: a time of day without its date.
pub(super) fn is_time_of_day(text: &str) -> bool {
    let text = text.trim();
    let hours = text.split(':').next().unwrap_or_default();
    text.contains(':') && (1..=2).contains(&hours.len()) && hours.bytes().all(|byte| byte.is_ascii_digit())
}

fn written(text: &str) -> Result<Read, String> {
    let unread = || format!("the time `{text}` cannot be read; --time-format says how it is written");
    let (numbers, rest) = date_parts(text).ok_or_else(|| match is_time_of_day(text) {
        true => format!("`{text}` is a time of day without a date"),
        false => unread(),
    })?;
    let [year, month, day] = numbers;
    if year.len() != 4 {
        let mark = text.chars().find(|c| !c.is_ascii_digit()).unwrap_or('/');
        return Err(format!(
            "the time `{text}` does not tell day from month: say it with --time-format '%d{mark}%m{mark}%Y %H:%M:%S', or \
             '%m{mark}%d{mark}%Y %H:%M:%S'"
        ));
    }
    let rest = rest.trim_start_matches(['T', 't', ' ']);
    let (clock, offset) = clock_and_offset(rest).ok_or_else(unread)?;
    let iso = format!("{year}-{month:0>2}-{day:0>2}T{clock}{}", offset.as_deref().unwrap_or_default());
    match offset {
        Some(_) => {
            let far = |_| if year > "2262" { beyond(text) } else { unread() };
            let time: jiff::Timestamp = iso.parse().map_err(far)?;
            bounded(time.as_nanosecond(), text).map(Read::At)
        }
        None => iso.parse().map(Read::Local).map_err(|_| unread()),
    }
}

/// The three numbers of a date, and what comes behind it.
fn date_parts(text: &str) -> Option<([&str; 3], &str)> {
    let marks = ['-', '/', '.'];
    let (first, rest) = text.split_once(marks)?;
    let (second, rest) = rest.split_once(marks)?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (third, rest) = rest.split_at(end);
    let is_number = |text: &str| (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let has_day = third.len() <= 2 || first.len() <= 2;
    ([first, second, third].into_iter().all(is_number) && has_day).then_some(([first, second, third], rest))
}

/// `9:05`, `12:00:01.5+0100`, `02:00 PM UTC` in the spelling of ISO 8601. Nothing is midnight.
fn clock_and_offset(text: &str) -> Option<(String, Option<String>)> {
    let text = text.split('[').next().unwrap_or_default().trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.' | ','))).unwrap_or(text.len());
    let (clock, rest) = text.split_at(end);
    let mut rest = rest.trim().to_ascii_uppercase();
    let mut is_afternoon = None;
    for (mark, afternoon) in [("AM", false), ("A.M.", false), ("PM", true), ("P.M.", true)] {
        if let Some(behind) = rest.strip_prefix(mark) {
            is_afternoon = Some(afternoon);
            rest = behind.trim().to_owned();
            break;
        }
    }
    let offset = match rest.as_str() {
        "" => None,
        "Z" | "UTC" | "GMT" | "+00" => Some("Z".to_owned()),
        other => Some(offset(other.trim_start_matches("UTC").trim_start_matches("GMT")).map(|offset| {
            let minutes = offset.seconds() / 60;
            let sign = if minutes < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
        })?),
    };
    if clock.is_empty() {
        return is_afternoon.is_none().then(|| ("00:00:00".to_owned(), offset));
    }
    let (hour, behind) = clock.split_at(clock.find(':').unwrap_or(clock.len()));
    let hour: u32 = hour.parse().ok()?;
    let hour = match is_afternoon {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(afternoon) => hour % 12 + if afternoon { 12 } else { 0 },
    };
    let behind = if behind.is_empty() { ":00" } else { behind };
    Some((format!("{hour:02}{behind}"), offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Timestamp> {
        read(text, &TimeFormat::Auto).ok()?.naive().ok()
    }

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
            "2023/11/14 23:13:20,5 +0100",
            "2023-11-14 10:13:20.5 PM",
            "2023.11.14 22:13:20.5 UTC",
            "1.7000000005e9",
        ] {
            assert_eq!(parse(text), moment, "{text}");
        }
        for text in ["", "yesterday", "14.11.2023", "NaN", "inf", "1e300"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn no_digit_of_a_fraction_is_lost() {
        assert_eq!(parse("1694532425.580298"), Some(Timestamp(1_694_532_425_580_298_000)));
        assert_eq!(parse("1694532425.123456789"), Some(Timestamp(1_694_532_425_123_456_789)));
        assert_eq!(parse("1694532425580.298001"), Some(Timestamp(1_694_532_425_580_298_001)));
    }

    #[test]
    fn what_is_refused_has_a_reason() {
        let reason = |text| read(text, &TimeFormat::Auto).and_then(Read::naive).expect_err(text);
        assert!(reason("03/04/2026 10:00").contains("--time-format"));
        assert!(reason("31.01.2026 10:00").contains("--time-format"));
        assert!(reason("-0.2").contains("before 1970") && reason("1969-12-31T00:00:00").contains("before 1970"));
        assert!(reason("9999-12-31T00:00:00Z").contains("beyond 2262"));
        assert!(reason("10:30:25").contains("without a date"));
    }

    #[test]
    fn the_user_says_how_times_are_written() {
        let read = |text, format: &str| read(text, &format.parse().expect("a format")).and_then(Read::naive);
        let noon = Timestamp::parse_rfc3339("2026-01-31T12:00:00Z").expect("a time");
        for (text, format) in [
            ("31.01.2026 12:00:00", "%d.%m.%Y %H:%M:%S"),
            ("01/31/2026 12:00 PM", "%m/%d/%Y %I:%M %p"),
            ("31/01/2026 13:00:00 +0100", "%d/%m/%Y %H:%M:%S %z"),
            ("46053.5", "days"),
            ("202601311200", "compact"),
            ("20260131120000000", "compact"),
            ("1769860800000", "milliseconds"),
            ("1769860800", "seconds"),
        ] {
            assert_eq!(read(text, format), Ok(noon), "{text}");
        }
        assert_eq!(read("31.01.2026", "%d.%m.%Y"), Ok(Timestamp(noon.0 - 43_200_000_000_000)));
        assert!("sometimes".parse::<TimeFormat>().is_err());
    }

    #[test]
    fn times_of_day_count_from_midnight() {
        let read = |text| read(text, &TimeFormat::TimeOfDay).and_then(Read::naive).ok().map(|time| time.0);
        const SECOND: i64 = 1_000_000_000;
        let known = [("06:30", 23_400), ("0:15", 900), ("23:59:59", 86_399), ("02:00 PM", 50_400), ("24:00", 86_400)];
        known.iter().for_each(|(text, secs)| assert_eq!(read(text), Some(secs * SECOND), "{text}"));
        assert_eq!(read("00:00:01.5"), Some(SECOND * 3 / 2));
        for text in ["6", "25:00", "24:01", "06:60", "2026-01-31 06:30", "06:30Z", ""] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn zones_have_names_or_offsets() {
        assert_eq!(zone("+02:00").map(|zone| zone.to_fixed_offset().ok()), Ok(Offset::from_seconds(7_200).ok()));
        assert_eq!(zone("-0530").map(|zone| zone.to_fixed_offset().ok()), Ok(Offset::from_seconds(-19_800).ok()));
        assert!(zone("Europe/Nowhere").is_err_and(|error| error.contains("+02:00")));
    }
}
