//! Small languages inside scene files: durations, sizes, topic templates, JSON pointers. In: text. Out: values, or a
//! sentence about what is wrong.

use std::time::Duration;

use crate::value::topic;
pub use crate::value::topic::filter_fault;

/// Why a text is no id; none if it is one.
pub fn id_fault(id: &str) -> Option<String> {
    let bad = |c: char| matches!(c, '/' | '+' | '#' | '"' | '\\' | '{' | '}') || c.is_control();
    let is_bad = id.is_empty() || id.trim() != id || id.contains(bad);
    is_bad.then(|| format!("the id {id:?} is empty, has a space at an end, or one of / + # \" \\ {{ }}"))
}

/// `5s`, `200ms`, `1m30s`, `1h 2m`
pub fn duration(text: &str) -> Result<Duration, String> {
    let wanted = "a duration such as \"5s\", \"200ms\" or \"1m 30s\" is expected";
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| {
        let days = text.trim().strip_suffix('d').and_then(|days| days.trim().parse::<u32>().ok());
        let hours = days.map_or_else(String::new, |days| format!(": write {}h", u64::from(days) * 24));
        format!("{wanted}, found {text:?}{hours}")
    })?;
    match Duration::try_from(parsed) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(format!("the duration must be above zero, found {text:?}")),
    }
}

/// As [`duration`], but may be zero: `0s` takes an inherited delay away.
pub fn delay(text: &str) -> Result<Duration, String> {
    match text.parse::<jiff::SignedDuration>() {
        Ok(parsed) if parsed.is_zero() => Ok(Duration::ZERO),
        Ok(parsed) if parsed.is_negative() => Err(format!("a delay cannot be below zero, found {text:?}")),
        _ => duration(text),
    }
}

/// As [`duration`] and [`delay`] read it: `1m 30s`, `200ms`, `0s`.
pub fn write_duration(duration: Duration) -> String {
    let (secs, nanos) = (duration.as_secs(), duration.subsec_nanos());
    let parts = [
        (secs / 3600, "h"),
        (secs / 60 % 60, "m"),
        (secs % 60, "s"),
        (u64::from(nanos / 1_000_000), "ms"),
        (u64::from(nanos / 1_000 % 1_000), "us"),
        (u64::from(nanos % 1_000), "ns"),
    ];
    let written: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if written.is_empty() { "0s".to_owned() } else { written.join(" ") }
}

/// `1048576`, `64 KiB`, `1MiB`
pub fn size(text: &str) -> Result<u64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit.trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => 0,
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .filter(|_| factor > 0)
        .ok_or_else(|| format!("a size such as \"1 MiB\" or \"64 KiB\" is expected, found {text:?}"))
}

/// Text with `{placeholders}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Hole(String),
}

impl Template {
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (before, from_brace) = rest.split_at(open);
            let Some((name, after)) = from_brace.strip_prefix('{').and_then(|inner| inner.split_once('}')) else {
                return Err(format!("a bracket of a placeholder is missing its partner in {text:?}"));
            };
            if name.is_empty() || name.contains('{') {
                return Err(format!("a placeholder has no name in {text:?}"));
            }
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Hole(name.to_owned()));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Template(pieces))
    }

    /// Puts values in; the error is the name of a placeholder without a value.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Result<String, &str> {
        let mut out = String::with_capacity(48);
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Hole(name) => out.push_str(value(name).ok_or(name.as_str())?),
            }
        }
        Ok(out)
    }

    /// The text for one signal; the other placeholders stay.
    pub fn for_signal(&self, signal: &str) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Hole(name) if name == "signal" => signal.to_owned(),
            Piece::Hole(name) => format!("{{{name}}}"),
        };
        self.0.iter().map(piece).collect()
    }
}

/// What a shared subscription shares, without `$share` and the name of the group (MQTT 5.0, section 4.8.2).
pub fn shared(filter: &str) -> Option<&str> {
    filter.strip_prefix("$share/").map(|rest| rest.split_once('/').map_or("", |(_, shared)| shared))
}

/// Whether every topic that `narrow` matches is matched by `filter` as well, of a shared subscription by what it shares.
pub fn covers(filter: &str, narrow: &str) -> bool {
    topic::covers(shared(filter).unwrap_or(filter), narrow)
}

/// What breaks RFC 6901.
pub fn pointer_fault(pointer: &str) -> Option<&'static str> {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return Some("must begin with `/`");
    }
    let bytes = pointer.as_bytes();
    let broken = bytes.iter().enumerate().any(|(at, b)| *b == b'~' && !matches!(bytes.get(at + 1), Some(b'0' | b'1')));
    broken.then_some("has a `~` that is neither `~0` (a tilde) nor `~1` (a slash)")
}

/// What keeps a pointer from ever finding a value, and what was probably meant.
pub fn pointer_doubt(pointer: &str) -> Option<(&'static str, Option<String>)> {
    let keys: Vec<&str> = pointer.split('/').skip(1).collect();
    if keys.contains(&"-") {
        return Some(("has a `-`, which stands behind the last element of an array, where nothing is", None));
    }
    if keys.last().is_some_and(|key| key.is_empty()) {
        let meant = pointer.trim_end_matches('/');
        return Some(("ends with `/`, which asks for a field without a name", Some(meant.to_owned())));
    }
    if keys.iter().any(|key| key.trim() != *key) {
        return Some(("has a space at an end of a name", None));
    }
    let is_indexed = |key: &&str| {
        let index = key.strip_suffix(']').and_then(|rest| rest.rsplit_once('['));
        index.is_some_and(|(_, index)| !index.is_empty() && index.bytes().all(|digit| digit.is_ascii_digit()))
    };
    if keys.iter().any(is_indexed) {
        let meant = pointer.replace("/[", "/").replace('[', "/").replace(']', "");
        return Some(("has an index in brackets, which is taken for a part of the name", Some(meant)));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_that_find_nothing_are_doubted_and_odd_names_are_not() {
        let meant = |pointer| pointer_doubt(pointer).map(|(_, meant)| meant);
        assert_eq!(meant("/values[0]/x"), Some(Some("/values/0/x".into())));
        assert_eq!(meant("/flow/"), Some(Some("/flow".into())));
        assert_eq!(meant("/values/-"), Some(None));
        for fine in ["", "/a", "/PM2.5", "/a~1b", "/0", "/[x]", "/a b/c"] {
            assert_eq!(meant(fine), None, "{fine}");
        }
    }

    #[test]
    fn durations_and_sizes_read_as_people_write_them() {
        assert_eq!(duration("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h 2m"), Ok(Duration::from_secs(3720)));
        for bad in ["", "5", "-5s", "0s", "five", "5s ago"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        assert_eq!(size("1 MiB"), Ok(1 << 20));
        assert!(size("1 GB").is_err() && size("MiB").is_err());
    }

    #[test]
    fn what_is_written_for_a_duration_reads_back_the_same() {
        for nanos in [0, 1, 1_500, 2_000_000, 999_999_999, 61_000_000_000, 3_600_000_000_000, 90_061_001_002_003] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(delay(&write_duration(duration)), Ok(duration), "{}", write_duration(duration));
        }
        assert_eq!(write_duration(Duration::from_millis(90_200)), "1m 30s 200ms");
        for bad in ["", "5", "-5s", "five"] {
            assert!(delay(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_filter_covers_what_it_matches() {
        assert!(covers("a/#", "a/b/c") && covers("a/+/c", "a/b/c") && covers("a/#", "a"));
        assert!(!covers("a/+", "a/b/c") && !covers("a/b", "a/+") && !covers("a/+", "a/#"));
    }
}
