//! What to record, and how much of it to keep. In: words of the command line. Out: plain options. Never looks at a disk.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::series::stamp;
use crate::scene::rule::Priority;
use crate::value::Timestamp;

#[derive(Clone, PartialEq, Debug)]
pub struct RecordOptions {
    /// The first file. Later ones, and the first if there is such a file already, stand beside it with a time in their
    /// name; no file is ever written over.
    pub path: PathBuf,
    pub roll: Roll,
    pub keep: Keep,
    /// None records from the start. Else this much of the past is held in memory, and written when it is asked for.
    pub before: Option<Duration>,
    /// Alarms of this priority and more urgent ones ask for it.
    pub on: Option<Priority>,
    /// How long recording goes on after it was asked for last.
    pub after: Duration,
    /// Memory for the past, in bytes; the oldest goes first.
    pub before_bytes: u64,
}

impl RecordOptions {
    pub const DEFAULT_BEFORE: Duration = Duration::from_secs(5 * 60);
    pub const DEFAULT_AFTER: Duration = Duration::from_secs(60);

    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            roll: Roll::default(),
            keep: Keep::default(),
            before: None,
            on: None,
            after: Self::DEFAULT_AFTER,
            before_bytes: 256 << 20,
        }
    }

    /// What a recording is called that is begun at `now` and that nobody has named: `Bottling-hall-20261123T101500Z.mcap`.
    pub fn usual_name(scene: &str, now: Timestamp) -> String {
        let plain = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '-' };
        let name: String = scene.trim().chars().take(60).map(plain).collect();
        let name = if name.is_empty() { "recording" } else { &name };
        format!("{name}-{}.mcap", stamp(now))
    }
}

/// When a new file begins: at whichever comes first. Never, if neither is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Roll {
    pub bytes: Option<u64>,
    /// On the session's clock.
    pub age: Option<Duration>,
}

/// Which files of a series stay: all that break no rule. The file that is being written always stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Keep {
    pub files: Option<u64>,
    /// Of all files together.
    pub bytes: Option<u64>,
    /// Since a file was written last.
    pub age: Option<Duration>,
}

/// `1GiB`, `1h`, `500MB,1h`.
impl FromStr for Roll {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut roll = Self::default();
        for part in text.split(',').map(str::trim) {
            match (bytes(part), age(part)) {
                (Some(bytes), _) if bytes > 0 => roll.bytes = Some(bytes),
                (_, Some(age)) if !age.is_zero() => roll.age = Some(age),
                _ => return Err(format!("`{part}` is neither a size nor a time; write it like 1GiB, 500MB or 1h")),
            }
        }
        Ok(roll)
    }
}

/// `10` (files), `20GiB`, `7d`, `10,20GiB`.
impl FromStr for Keep {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut keep = Self::default();
        for part in text.split(',').map(str::trim) {
            match (part.parse::<u64>(), bytes(part), age(part)) {
                (Ok(files), ..) if files > 0 => keep.files = Some(files),
                (_, Some(bytes), _) if bytes > 0 => keep.bytes = Some(bytes),
                (.., Some(age)) if !age.is_zero() => keep.age = Some(age),
                _ => {
                    return Err(format!(
                        "`{part}` is no number of files, no size and no time; write it like 10, 20GiB or 7d"
                    ));
                }
            }
        }
        Ok(keep)
    }
}

/// `1GiB`, `500 MB`, `4096B`.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at_checked(digits)?;
    let unit: f64 = match unit.trim() {
        "B" => 1.0,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "KiB" | "kiB" => 1024.0,
        "MiB" => 1_048_576.0,
        "GiB" => 1_073_741_824.0,
        "TiB" => 1_099_511_627_776.0,
        _ => return None,
    };
    let bytes = number.parse::<f64>().ok()? * unit;
    (bytes < 1e18).then_some(bytes as u64)
}

/// `1h`, `2m30s`, `7d`.
fn age(text: &str) -> Option<Duration> {
    if let Some(days) = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok()) {
        return Some(Duration::from_secs(24 * 3600) * days);
    }
    let span: jiff::SignedDuration = text.parse().ok()?;
    Duration::try_from(span).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_times_and_counts_are_read_as_people_write_them() {
        let hour = Duration::from_secs(3600);
        assert_eq!("1GiB".parse(), Ok(Roll { bytes: Some(1 << 30), age: None }));
        assert_eq!("500MB, 1h".parse(), Ok(Roll { bytes: Some(500_000_000), age: Some(hour) }));
        assert_eq!("1.5 kB".parse(), Ok(Roll { bytes: Some(1500), age: None }));
        assert_eq!("10".parse(), Ok(Keep { files: Some(10), ..Keep::default() }));
        assert_eq!("7d".parse(), Ok(Keep { age: Some(hour * 24 * 7), ..Keep::default() }));
        assert_eq!("3,20GiB,90m".parse(), Ok(Keep { files: Some(3), bytes: Some(20 << 30), age: Some(hour * 3 / 2) }));
    }

    #[test]
    fn nonsense_is_refused_with_an_example() {
        for text in ["", "1", "much", "1GiB,", "0B", "-1h", "1e9 parsecs", "99999999999TB"] {
            assert!(text.parse::<Roll>().is_err_and(|error| error.contains("1GiB")), "{text}");
        }
        for text in ["", "0", "much", "-3", "0s"] {
            assert!(text.parse::<Keep>().is_err_and(|error| error.contains("20GiB")), "{text}");
        }
    }
}
