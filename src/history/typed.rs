//! A moment as people type it.
//!
//! In: a text, the two ends of time, the moment that is shown. Out: a moment, or a sentence that says how to write one.
//! Pure: never reads a clock. All times are UTC, as everywhere in Pollux.

use jiff::SignedDuration;

use crate::value::Timestamp;

/// What a typed time can refer to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reference {
    pub start: Timestamp,
    /// Of what is measured: now, or where a recording ends.
    pub end: Timestamp,
    /// The last moment to go to; the same, unless a layer reaches farther.
    pub horizon: Timestamp,
    pub shown: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "`{text}` is no time: write 14:03:27, 2026-01-31T14:03:27Z, +90s or -5m from what is shown, 90s or start+90s from the \
     start, end-5m from the end, now+10m beyond now"
)]
pub struct NoTime {
    pub text: String,
}

const DAY: i64 = 86_400_000_000_000;

/// Reads RFC 3339 (a date and a time without an offset are UTC), a time of day, `start`, `end` (also `now` and `live`),
/// `horizon` (the last moment that a layer reaches), or a duration: with a sign from the moment that is shown, without
/// one from the start, behind one of these names from there (`end-5m`, `now+10m`).
///
/// A time of day means the day that brings it between start and horizon, and of several the one that is nearest to what
/// is shown. The moment is not held between the ends: the caller does that.
pub fn parse_moment(text: &str, on: &Reference) -> Result<Timestamp, NoTime> {
    let trimmed = text.trim();
    let lower = trimmed.to_ascii_lowercase();
    let named = [
        ("start", on.start),
        ("end", on.end),
        ("now", on.end),
        ("live", on.end),
        ("horizon", on.horizon),
        ("shown", on.shown),
    ];
    let found = named
        .into_iter()
        .find_map(|(name, at)| Some((at, lower.strip_prefix(name)?.trim())))
        .map(|(at, rest)| if rest.is_empty() { Some(at) } else { signed(rest).map(|by| shifted(at, by)) })
        .unwrap_or_else(|| {
            signed(&lower)
                .map(|by| shifted(on.shown, by))
                .or_else(|| time_of_day(&lower).map(|nanos| nearest(nanos, on)))
                .or_else(|| Timestamp::parse_rfc3339(trimmed))
                .or_else(|| date_and_time(trimmed))
                .or_else(|| duration(&lower).map(|from_start| shifted(on.start, from_start)))
        });
    found.ok_or_else(|| NoTime { text: trimmed.to_owned() })
}

/// With a sign: people also type the typographic minus, and a space behind it.
fn signed(text: &str) -> Option<i64> {
    let (rest, sign) = match text.strip_prefix('+') {
        Some(rest) => (rest.trim(), 1),
        None => (text.strip_prefix('-').or_else(|| text.strip_prefix('−'))?.trim(), -1),
    };
    stopwatch(rest).or_else(|| duration(rest)).map(|nanos| nanos * sign)
}

/// Without a sign, in nanoseconds: `90s`, `1h2m`, `250ms`.
fn duration(text: &str) -> Option<i64> {
    // A colon is of a time of day.
    if !text.starts_with(|first: char| first.is_ascii_digit()) || text.contains(':') {
        return None;
    }
    let span: SignedDuration = text.parse().ok()?;
    i64::try_from(span.as_nanos()).ok()
}

/// With a sign `1:30` are 90 s, as the time bar shows them: minutes and seconds, or hours, minutes and seconds.
fn stopwatch(text: &str) -> Option<i64> {
    let parts: Vec<&str> = text.split(':').collect();
    let (hours, minutes, seconds) = match parts[..] {
        [minutes, seconds] => ("0", minutes, seconds),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return None,
    };
    let whole = |text: &str| digits(text)?.parse::<i64>().ok();
    let minutes = whole(hours)?.checked_mul(60)?.checked_add(whole(minutes)?)?;
    minutes.checked_mul(60_000_000_000)?.checked_add(seconds_nanos(seconds)?)
}

/// `14:03`, `14:03:27`, `14:03:27.5`, in nanoseconds since midnight.
fn time_of_day(text: &str) -> Option<i64> {
    let mut parts = text.trim_end_matches('z').split(':');
    let (hours, minutes) = (parts.next()?, parts.next()?);
    let seconds = parts.next().unwrap_or("0");
    let below = |text: &str, limit: i64| {
        let short = (1..=2).contains(&text.len());
        digits(text).filter(|_| short)?.parse::<i64>().ok().filter(|x| *x < limit)
    };
    let (hours, minutes) = (below(hours, 24)?, below(minutes, 60)?);
    let seconds = seconds_nanos(seconds).filter(|nanos| *nanos < 60_000_000_000)?;
    parts.next().is_none().then_some((hours * 60 + minutes) * 60_000_000_000 + seconds)
}

fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// Seconds with or without a fraction, in nanoseconds.
fn seconds_nanos(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let whole = digits(whole)?.parse::<i64>().ok()?.checked_mul(1_000_000_000)?;
    let fraction = digits(fraction)?.bytes().chain(std::iter::repeat(b'0')).take(9);
    whole.checked_add(fraction.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

/// `2026-01-31 14:03:27` or `2026-01-31T14:03`, without an offset.
fn date_and_time(text: &str) -> Option<Timestamp> {
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    let at = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    i64::try_from(at.as_nanosecond()).ok().map(Timestamp)
}

fn shifted(at: Timestamp, by: i64) -> Timestamp {
    Timestamp(at.0.saturating_add(by))
}

fn nearest(nanos: i64, on: &Reference) -> Timestamp {
    let midnight = on.shown.0.saturating_sub(on.shown.0.rem_euclid(DAY));
    // The days of both ends as well: a recording of three days is looked at from its first.
    let days = [on.start.0, on.end.0, on.horizon.0, on.shown.0].map(|at| at.saturating_sub(at.rem_euclid(DAY)));
    let around = [-1, 0, 1].map(|day| midnight.saturating_add(day * DAY));
    let all = || days.into_iter().chain(around).map(|day| Timestamp(day.saturating_add(nanos)));
    let by_distance = |at: &Timestamp| at.0.abs_diff(on.shown.0);
    let within = all().filter(|at| on.start <= *at && *at <= on.horizon).min_by_key(by_distance);
    within.or_else(|| all().min_by_key(by_distance)).unwrap_or(on.shown)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn on() -> Reference {
        Reference {
            start: at("2026-01-31T22:00:00Z"),
            end: at("2026-02-01T03:00:00Z"),
            horizon: at("2026-02-01T04:00:00Z"),
            shown: at("2026-01-31T23:30:00Z"),
        }
    }

    #[test]
    fn a_time_is_read_as_people_write_it() {
        for (text, expected) in [
            ("2026-01-31T22:15:00Z", "2026-01-31T22:15:00Z"),
            ("2026-01-31T23:15:00+01:00", "2026-01-31T22:15:00Z"),
            ("2026-01-31 22:15", "2026-01-31T22:15:00Z"),
            ("23:00", "2026-01-31T23:00:00Z"),
            ("23:00:07.25", "2026-01-31T23:00:07.25Z"),
            ("01:30:00", "2026-02-01T01:30:00Z"),
            ("1:30", "2026-02-01T01:30:00Z"),
            ("+90s", "2026-01-31T23:31:30Z"),
            ("-5m", "2026-01-31T23:25:00Z"),
            ("− 5m", "2026-01-31T23:25:00Z"),
            ("+1:30", "2026-01-31T23:31:30Z"),
            ("-250ms", "2026-01-31T23:29:59.75Z"),
            ("90s", "2026-01-31T22:01:30Z"),
            ("1h2m", "2026-01-31T23:02:00Z"),
            ("start", "2026-01-31T22:00:00Z"),
            ("start+10m", "2026-01-31T22:10:00Z"),
            ("end - 1h", "2026-02-01T02:00:00Z"),
            (" Now ", "2026-02-01T03:00:00Z"),
            ("+5m", "2026-01-31T23:35:00Z"),
            ("now+10m", "2026-02-01T03:10:00Z"),
            ("horizon", "2026-02-01T04:00:00Z"),
            ("horizon - 5m", "2026-02-01T03:55:00Z"),
            ("03:30", "2026-02-01T03:30:00Z"),
        ] {
            assert_eq!(parse_moment(text, &on()), Ok(at(expected)), "{text}");
        }
    }

    #[test]
    fn a_time_of_day_that_never_was_is_the_nearest_one() {
        assert_eq!(parse_moment("12:00", &on()), Ok(at("2026-01-31T12:00:00Z")), "an hour nearer than the next");
    }

    #[test]
    fn what_is_no_time_is_refused_with_examples() {
        for text in ["", "25:00", "12:61", "12:00:60", "+", "-", "five", "90", "start+", "startle", "1:2:3:4", "+-5s"] {
            let error = parse_moment(text, &on()).unwrap_err();
            assert!(error.to_string().contains("+90s"), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "\\PC{0,24}", start in any::<i64>(), end in any::<i64>(), shown in any::<i64>()) {
            let (end, horizon) = (Timestamp(end), Timestamp(end.saturating_add(1_000)));
            let on = Reference { start: Timestamp(start), end, horizon, shown: Timestamp(shown) };
            let _ = parse_moment(&text, &on);
        }

        #[test]
        fn no_number_breaks_it(text in "[+-]?[0-9]{1,20}(:[0-9]{1,20}){0,3}(h|m|s|ms|d)?", shown in any::<i64>()) {
            let on = Reference { start: Timestamp::MIN, end: Timestamp::MAX, horizon: Timestamp::MAX, shown: Timestamp(shown) };
            let _ = parse_moment(&text, &on);
        }
    }
}
