//! `pollux debrief`: what people made of faults that were set on purpose, from recordings or files of events.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::Failure;
use super::out::{self, Format};
use crate::event::Event;
use crate::event::debrief::{Debrief, Incident, Step, debrief};
use crate::record::read::Timeline;
use crate::value::Timestamp;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Recordings (.mcap), or files of events (`--events FILE`): of the instructor's session and of the trainees'.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let journals: Vec<Vec<Event>> = args.files.iter().map(|file| journal(file)).collect::<Result<_, _>>()?;
    let found = debrief(&journals);
    match args.format {
        Format::Json => out::json(&found),
        Format::Text => out::print(text(&found)),
    }
}

fn journal(file: &Path) -> Result<Vec<Event>, Failure> {
    if file.extension().is_some_and(|extension| extension == "mcap") {
        return Timeline::open(&[file.to_owned()]).and_then(|timeline| timeline.events()).map_err(Failure::environment);
    }
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| Failure::Environment(format!("{shown}: {error}")))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let event = |(at, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| {
            Failure::Environment(format!(
                "{shown}: line {} is no event: {error}; give a recording, or a file of --events",
                at + 1
            ))
        })
    };
    lines.map(event).collect()
}

/// The time of day of a moment.
fn clock(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(11..19).unwrap_or(&text).to_owned()
}

/// `1:05`, minutes and seconds.
fn span(secs: f64) -> String {
    let secs = secs.round().max(0.0) as u64;
    format!("{}:{:02}", secs / 60, secs % 60)
}

fn counted(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

fn text(found: &Debrief) -> String {
    let mut text = String::new();
    let (Some(from), Some(to)) = (found.from, found.to) else { return "there are no events\n".to_owned() };
    let faults = counted(found.faults.len(), "fault");
    // Writing into a String cannot fail.
    let _ = writeln!(text, "{faults} from {from} to {to}");
    for one in &found.faults {
        incident(&mut text, one);
    }
    if !found.other_alarms.is_empty() {
        let _ = writeln!(text, "\n{} while no fault acted", counted(found.other_alarms.len(), "alarm"));
        for step in &found.other_alarms {
            let _ = writeln!(text, "  {}  {}", clock(step.time), step.text);
        }
    }
    text
}

fn incident(text: &mut String, one: &Incident) {
    let by = one.by.as_ref().map_or_else(String::new, |by| format!(", set by {by}"));
    let reason = if one.reason.is_empty() { String::new() } else { format!(": {}", one.reason) };
    let _ = writeln!(text, "\n{} on {} ({}, {}){by}{reason}", one.kind, one.on, one.id, one.site.name());
    let line = |text: &mut String, at: Timestamp, what: &str| {
        let _ = writeln!(text, "  {}  {:>6}  {what}", clock(at), span(at.secs_since(one.begin)));
    };
    line(text, one.begin, "it begins to act");
    for Step { time, by, text: what, is_own, .. } in &one.steps {
        let by = by.as_ref().map_or_else(String::new, |by| format!("{by}: "));
        let elsewhere = if *is_own || one.twin.is_none() { "" } else { " (another twin)" };
        line(text, *time, &format!("{by}{what}{elsewhere}"));
    }
    match one.gone {
        Some(gone) => line(text, gone, "it is gone"),
        None => drop(writeln!(text, "                    it stood to the end")),
    }
    let said =
        |secs: Option<f64>, never: &str| secs.map_or_else(|| never.to_owned(), |secs| format!("after {}", span(secs)));
    let _ = writeln!(
        text,
        "  noticed by an alarm {}; acknowledged {}; first deed {}",
        said(one.first_alarm_secs, "never"),
        said(one.acknowledged_secs, "never"),
        said(one.first_deed_secs, "never"),
    );
}
