//! An event in words, for logs, tables and search. In: an event. Out: short English, without its time and its twin.

use std::fmt::Write;
use std::time::Duration;

use super::{Event, Kind};
use crate::alarm::Cause;
use crate::value::Unit;
use crate::value::number::significant;

/// For people; the event itself has them all.
const DIGITS: usize = 4;

/// No more digits than people need, and no more than there are.
fn short(x: f64) -> String {
    let (plain, rounded) = (x.to_string(), significant(x, DIGITS));
    if plain.len() <= rounded.len() { plain } else { rounded }
}

impl Event {
    /// What happened, in a word or two: `raised`, `acknowledged`, `connection lost`.
    pub fn action(&self) -> String {
        let began = |began: bool| if began { "began" } else { "ended" };
        match &self.kind {
            Kind::Alarm { cause, .. } => match cause {
                Cause::Raised => "raised",
                Cause::Cleared => "cleared",
                Cause::Acknowledged => "acknowledged",
                Cause::Reset => "reset",
                Cause::Shelved { .. } => "shelved",
                Cause::Unshelved => "unshelved",
                Cause::ShelfEnded => "shelf ended",
                Cause::Suppressed => "suppressed",
                Cause::Unsuppressed => "no longer suppressed",
                Cause::TakenOutOfService => "taken out of service",
                Cause::ReturnedToService => "returned to service",
                Cause::Commented => "commented",
                Cause::Removed => "removed",
            }
            .to_owned(),
            Kind::Flood { began: b, .. } => format!("alarm flood {}", began(*b)),
            Kind::Chattering { began: b, .. } => format!("chattering {}", began(*b)),
            Kind::Connection { state, .. } => state.clone(),
            Kind::Birth => "birth".to_owned(),
            Kind::Death => "death".to_owned(),
            Kind::SceneReloaded { accepted: true, .. } => "scene reloaded".to_owned(),
            Kind::SceneReloaded { accepted: false, .. } => "scene refused".to_owned(),
            Kind::SceneEdited { .. } => "scene edited".to_owned(),
            Kind::Gap { .. } => "gap".to_owned(),
            Kind::Command { state, .. } => format!("command {}", state.text()),
            Kind::Plant { .. } => "plant".to_owned(),
            Kind::FaultSet { .. } => "fault set".to_owned(),
            Kind::FaultCleared { .. } => "fault cleared".to_owned(),
            Kind::Note { .. } => "note".to_owned(),
            Kind::Bookmark { .. } => "bookmark".to_owned(),
        }
    }

    /// One line: `vibration above 4.5 mm/s (high): raised at 5.1 mm/s`.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = self.write_summary(&mut text);
        text.replace(['\n', '\r'], " ")
    }

    fn write_summary(&self, out: &mut String) -> std::fmt::Result {
        let action = self.action();
        match &self.kind {
            Kind::Alarm { alarm, broker, cause, message, value, worst, unit, .. } => {
                if let Some(broker) = broker {
                    write!(out, "broker {broker}: ")?;
                }
                write!(out, "{}: {action}", if message.is_empty() { alarm } else { message })?;
                let unit = readable(unit);
                if let Some(value) = value {
                    write!(out, " at {}{unit}", short(*value))?;
                }
                if let Some(worst) = worst {
                    write!(out, ", worst {}{unit}", short(*worst))?;
                }
                if let Cause::Shelved { until } = cause {
                    match until {
                        Some(until) => write!(out, " until {until}")?,
                        None => out.push_str(" until it returns to normal"),
                    }
                }
            }
            Kind::Flood { alarms, first, .. } => {
                write!(out, "{action}: {alarms} alarms")?;
                if !first.is_empty() {
                    write!(out, ", first {first}")?;
                }
            }
            Kind::Chattering { alarm, broker, .. } => {
                if let Some(broker) = broker {
                    write!(out, "broker {broker}: ")?;
                }
                write!(out, "{alarm}: {action}")?;
            }
            Kind::Connection { broker, state, error } => {
                write!(out, "broker {broker}: {state}")?;
                if !error.is_empty() {
                    write!(out, " ({error})")?;
                }
            }
            Kind::Birth => out.push_str("first sample"),
            Kind::Death => out.push_str("all signals stale"),
            Kind::SceneReloaded { issues, .. } => {
                out.push_str(&action);
                match issues {
                    0 => {}
                    1 => out.push_str(", 1 issue"),
                    n => write!(out, ", {n} issues")?,
                }
            }
            Kind::SceneEdited { what, before, after } => write!(out, "{what} from {before} to {after}")?,
            Kind::Gap { from, to } => {
                let nanos = to.0.saturating_sub(from.0).max(0);
                write!(out, "not recording for {:?}", Duration::from_millis((nanos / 1_000_000) as u64))?;
            }
            Kind::Command { command, arguments, state, result, .. } => {
                let told: Vec<String> = arguments.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let space = if told.is_empty() { "" } else { " " };
                write!(out, "command {command}{space}{}: {}", told.join(" "), state.text())?;
                if !result.is_empty() {
                    write!(out, ", {result}")?;
                }
            }
            Kind::Plant { text } => write!(out, "simulated plant: {text}")?,
            Kind::FaultSet { site, fault } => {
                let (kind, on) = (fault.kind(), fault.on());
                write!(out, "{} {} fault {}: {} on {on}", site.name(), kind.layer.name(), fault.id, kind.name)?;
            }
            Kind::FaultCleared { site, fault, ending } => {
                write!(out, "{} fault {fault} {}", site.name(), ending.words())?;
            }
            Kind::Note { text } => out.push_str(text),
            Kind::Bookmark { text } if text.is_empty() => out.push_str("bookmark"),
            Kind::Bookmark { text } => write!(out, "bookmark: {text}")?,
        }
        if !self.comment.is_empty() {
            write!(out, " \"{}\"", self.comment)?;
        }
        Ok(())
    }
}

/// The unit to stand behind a number as people read it, ` °C`, where an event keeps `degC`.
fn readable(unit: &str) -> String {
    match Unit::parse(unit) {
        Ok(unit) => unit.suffix(),
        Err(_) => format!(" {unit}"),
    }
}
