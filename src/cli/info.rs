//! `pollux info`: what a recording holds, from its index.

use std::path::PathBuf;

use serde::Serialize;

use super::out::Format;
use super::{Failure, out};
use crate::record::format::About;
use crate::record::read::{Damage, RecordingFile};
use crate::value::Timestamp;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The recording: an MCAP file.
    file: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// All that is said of a recording.
#[derive(Serialize, Debug)]
struct Info {
    file: String,
    bytes: u64,
    /// First and last log time.
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    /// None for a file that Pollux has not written.
    about: Option<About>,
    messages: u64,
    events: u64,
    keyframes: usize,
    forecasts: u64,
    /// Answers of producers that compute beside the analysis.
    produced: u64,
    channels: Vec<Channel>,
    attachments: Vec<Attachment>,
    /// What is missing.
    damage: Option<String>,
    /// Messages that no scene can read, and stretches of years without any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<String>,
    /// A program is writing it: the end is yet to come.
    growing: bool,
}

#[derive(Serialize, Debug)]
struct Channel {
    topic: String,
    broker: String,
    qos: u8,
    retained: bool,
    encoding: String,
    messages: u64,
}

#[derive(Serialize, Debug)]
struct Attachment {
    name: String,
    media_type: String,
    bytes: u64,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let recording = RecordingFile::open(&args.file).map_err(Failure::environment)?;
    let info = info(&recording);
    match args.format {
        Format::Json => out::json(&info)?,
        Format::Text => out::print(text(&info))?,
    }
    Ok(())
}

fn info(recording: &RecordingFile) -> Info {
    let channels = recording.channels().iter().map(|channel| Channel {
        topic: channel.topic.to_string(),
        broker: channel.broker.to_string(),
        qos: channel.qos,
        retained: channel.retained,
        encoding: channel.encoding.to_string(),
        messages: channel.count,
    });
    let channels: Vec<_> = channels.collect();
    let attachments = recording.attachments().iter().map(|entry| Attachment {
        name: entry.name.clone(),
        media_type: entry.media_type.clone(),
        bytes: entry.size,
    });
    Info {
        file: recording.path().display().to_string(),
        bytes: recording.bytes(),
        from: recording.bounds().map(|(from, _)| from),
        to: recording.bounds().map(|(_, to)| to),
        about: recording.about().cloned(),
        messages: channels.iter().fold(0, |sum, channel| sum.saturating_add(channel.messages)),
        events: recording.event_count(),
        keyframes: recording.keyframe_times().len(),
        forecasts: recording.forecast_count(),
        produced: recording.produced_count(),
        attachments: attachments.collect(),
        damage: recording.damage().map(ToString::to_string),
        remarks: [recording.unread(), recording.oddities()].into_iter().flatten().collect(),
        growing: recording.damage().is_some_and(Damage::is_growing),
        channels,
    }
}

fn text(info: &Info) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    let mut line = |label: &str, value: &dyn std::fmt::Display| {
        let _ = writeln!(text, "{label:<12} {value}");
    };
    line("file", &format_args!("{}, {}", info.file, size(info.bytes)));
    match &info.about {
        Some(about) => {
            line("scene", &format_args!("{} ({})", about.scene, about.scene_file));
            line("written by", &format_args!("Pollux {}, format {}", about.version, about.format));
            line("operator", &about.operator);
            for (name, address) in &about.brokers {
                line("broker", &format_args!("{name} {address}"));
            }
        }
        None => line("written by", &"another program, or its beginning is damaged"),
    }
    match (info.from, info.to) {
        (Some(from), Some(to)) => {
            line("from", &from);
            line("to", &format_args!("{to} ({})", duration(to.secs_since(from))));
        }
        _ => line("from", &"no messages"),
    }
    line("messages", &format_args!("{} on {} channels", info.messages, info.channels.len()));
    line("events", &info.events);
    line("keyframes", &info.keyframes);
    // Most recordings have none of these.
    for (label, count) in [("forecasts", info.forecasts), ("produced", info.produced)] {
        if count > 0 {
            line(label, &count);
        }
    }
    for attachment in &info.attachments {
        line("attachment", &format_args!("{}, {}", attachment.name, size(attachment.bytes)));
    }
    if let Some(damage) = &info.damage {
        line(if info.growing { "growing" } else { "damage" }, damage);
    }
    info.remarks.iter().for_each(|remark| line("remark", remark));
    if info.damage.is_some() && !info.growing {
        line("", &format_args!("to make the file whole: pollux repair {}", info.file));
    }
    text
}

/// `12.3 MB`.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

/// `1h 2m 3s`.
fn duration(secs: f64) -> String {
    let whole = secs as u64;
    match whole {
        0..60 => format!("{secs:.1}s"),
        60..3600 => format!("{}m {}s", whole / 60, whole % 60),
        _ => format!("{}h {}m {}s", whole / 3600, whole / 60 % 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_read_well() {
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(12_345), "12.3 kB");
        assert_eq!(size(2_147_483_648), "2.15 GB");
        assert_eq!(duration(12.34), "12.3s");
        assert_eq!(duration(3723.0), "1h 2m 3s");
    }
}
