//! Numbers, ages, times and sizes as people read them. In: plain values. Out: text. Never reads a clock.

use jiff::tz::TimeZone;

use crate::value::{Timestamp, Value};

/// At most six significant digits, so that a column stays narrow: `42.8`, `1 480`, `0.00312`, `1.2e9`.
pub fn number(x: f64) -> String {
    if !x.is_finite() {
        return "–".into();
    }
    let magnitude = x.abs();
    let decimals = match magnitude {
        _ if magnitude >= 1e7 => return format!("{x:.3e}"),
        _ if magnitude >= 1e4 => 0,
        _ if magnitude >= 1e3 => 1,
        _ if magnitude >= 1e1 => 2,
        _ if magnitude >= 1e-1 => 3,
        _ if magnitude >= 1e-4 => 5,
        _ if magnitude == 0.0 => 0,
        _ => return format!("{x:.2e}"),
    };
    let text = format!("{x:.decimals$}");
    let trimmed = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    let trimmed = if trimmed == "-0" { "0" } else { trimmed };
    group(trimmed)
}

/// So many decimals, whatever the size: `50 000 000.02`.
pub fn with_decimals(x: f64, decimals: usize) -> String {
    group(&format!("{x:.decimals$}"))
}

/// As [`number`], with a fixed count of decimals for values that change under the eye: the point does not jump.
pub fn steady_number(x: f64) -> String {
    let magnitude = x.abs();
    match magnitude {
        _ if !x.is_finite() => "–".into(),
        _ if magnitude >= 1e7 => format!("{x:.3e}"),
        _ if magnitude >= 1e4 => group(&format!("{x:.0}")),
        _ if magnitude >= 1e3 => group(&format!("{x:.1}")),
        _ if magnitude >= 1e2 => format!("{x:.1}"),
        _ if magnitude >= 1e-2 || magnitude == 0.0 => format!("{x:.2}"),
        _ if magnitude >= 1e-4 => format!("{x:.5}"),
        _ => format!("{x:.2e}"),
    }
}

/// Booleans are `on` and `off`.
pub fn value(value: &Value) -> String {
    match value {
        Value::Number(x) => steady_number(*x),
        Value::Bool(true) => "on".into(),
        Value::Bool(false) => "off".into(),
        Value::Text(text) => text.to_string(),
    }
}

/// Groups the digits before the point by three with narrow spaces: `12 480`.
fn group(text: &str) -> String {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("−", rest));
    let (whole, fraction) = rest.split_once('.').map_or((rest, None), |(w, f)| (w, Some(f)));
    let mut out = String::from(sign);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && whole.len() > 4 && (whole.len() - i).is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// How long ago, in whole units: `now`, `8 s`, `2 min`, `3 h`, `4 d`. Whole seconds, so that one redraw a second does.
pub fn age(secs: f64) -> String {
    match secs {
        s if s < 1.0 => "now".into(),
        s if s < 120.0 => format!("{} s", s as u64),
        s if s < 7_200.0 => format!("{} min", (s / 60.0) as u64),
        s if s < 172_800.0 => format!("{} h", (s / 3_600.0) as u64),
        s => format!("{} d", (s / 86_400.0) as u64),
    }
}

/// A stretch of time, exactly: `12 s`, `4:05`, `1:02:05`.
pub fn span(secs: f64) -> String {
    let whole = secs.abs().round() as u64;
    let sign = if secs < 0.0 && whole > 0 { "−" } else { "" };
    let (h, m, s) = (whole / 3600, whole / 60 % 60, whole % 60);
    match (h, m) {
        (0, 0) => format!("{sign}{s} s"),
        (0, _) => format!("{sign}{m}:{s:02}"),
        _ => format!("{sign}{h}:{m:02}:{s:02}"),
    }
}

/// Time of day in UTC: `14:03:27`.
pub fn clock(at: Timestamp) -> String {
    match jiff::Timestamp::from_nanosecond(at.0.into()) {
        Ok(at) => at.to_zoned(TimeZone::UTC).strftime("%H:%M:%S").to_string(),
        Err(_) => "–".into(),
    }
}

/// Time of day without seconds: `14:03`.
pub fn clock_minutes(at: Timestamp) -> String {
    clock(at).chars().take(5).collect()
}

/// Time of day with tenths, for a cursor that stands still: `14:03:27.4`.
pub fn clock_tenths(at: Timestamp) -> String {
    let tenth = at.0.rem_euclid(1_000_000_000) / 100_000_000;
    format!("{}.{tenth}", clock(at))
}

pub fn date_and_clock(at: Timestamp) -> String {
    match jiff::Timestamp::from_nanosecond(at.0.into()) {
        Ok(at) => at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => "–".into(),
    }
}

/// The date without its year: `Jan 31`.
pub fn day(at: Timestamp) -> String {
    match jiff::Timestamp::from_nanosecond(at.0.into()) {
        Ok(at) => at.to_zoned(TimeZone::UTC).strftime("%b %-d").to_string(),
        Err(_) => "–".into(),
    }
}

/// The date with its year: `2026-01-31`.
pub fn date(at: Timestamp) -> String {
    match jiff::Timestamp::from_nanosecond(at.0.into()) {
        Ok(at) => at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string(),
        Err(_) => "–".into(),
    }
}

/// Binary sizes: `812 B`, `24.1 KiB`, `1.00 GiB`.
pub fn bytes(count: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut scaled = count.max(0.0);
    let mut unit = 0;
    while scaled >= 1024.0 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    match (unit, scaled) {
        (0, _) => format!("{scaled:.0} B"),
        (_, s) if s < 10.0 => format!("{s:.2} {}", UNITS[unit]),
        (_, s) if s < 100.0 => format!("{s:.1} {}", UNITS[unit]),
        (_, s) => format!("{s:.0} {}", UNITS[unit]),
    }
}

/// Whole counts with groups of three: `1 204 551`.
pub fn count(n: u64) -> String {
    group(&n.to_string())
}

/// Messages a second and the like: `0`, `0.4`, `12.5`, `48 200`.
pub fn rate(per_sec: f64) -> String {
    match per_sec {
        r if !r.is_finite() || r < 0.05 => "0".into(),
        r if r < 100.0 => format!("{r:.1}"),
        r => group(&format!("{r:.0}")),
    }
}

/// `1 twin`, `3 twins`.
pub fn plural(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {one}s", count(n as u64)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_lose_their_noise() {
        for (x, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (42.8, "42.8"),
            (-3.25, "−3.25"),
            (1480.04, "1480"),
            (12_480.0, "12\u{2009}480"),
            (1_234_567.0, "1\u{2009}234\u{2009}567"),
            (0.003_12, "0.00312"),
            (1.2e9, "1.200e9"),
            (1.2e-9, "1.20e-9"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(number(x), text);
        }
    }

    #[test]
    fn a_changing_number_keeps_its_decimals() {
        assert_eq!(steady_number(42.0), "42.00");
        assert_eq!(steady_number(142.04), "142.0");
        assert_eq!(steady_number(-1480.0), "−1480.0");
        assert_eq!(steady_number(0.0), "0.00");
    }

    #[test]
    fn ages_are_whole_units() {
        for (secs, text) in [(0.4, "now"), (8.9, "8 s"), (119.0, "119 s"), (150.0, "2 min"), (7_300.0, "2 h")] {
            assert_eq!(age(secs), text);
        }
        assert_eq!(age(-3.0), "now");
        assert_eq!(age(400_000.0), "4 d");
    }

    #[test]
    fn spans_read_like_a_stopwatch() {
        assert_eq!(span(12.2), "12 s");
        assert_eq!(span(245.0), "4:05");
        assert_eq!(span(-3725.0), "−1:02:05");
    }

    #[test]
    fn times_are_utc() {
        let at = Timestamp::parse_rfc3339("2026-01-31T14:03:27.46Z").unwrap();
        assert_eq!(clock(at), "14:03:27");
        assert_eq!(clock_tenths(at), "14:03:27.4");
        assert_eq!(date_and_clock(at), "2026-01-31 14:03:27 UTC");
    }

    #[test]
    fn sizes_and_counts_are_short() {
        assert_eq!(bytes(812.0), "812 B");
        assert_eq!(bytes(24_678.0), "24.1 KiB");
        assert_eq!(bytes(1_073_741_824.0), "1.00 GiB");
        assert_eq!(count(1_204_551), "1\u{2009}204\u{2009}551");
        assert_eq!(rate(0.0), "0");
        assert_eq!(rate(48_200.4), "48\u{2009}200");
        assert_eq!(plural(1, "twin"), "1 twin");
        assert_eq!(plural(3, "twin"), "3 twins");
    }
}
