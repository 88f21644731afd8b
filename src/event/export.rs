//! Events as tables and lines for other programs. In: events. Out: CSV (RFC 4180) or JSON lines, as text or as a file that
//! an operator names. Never changes a journal.

use std::borrow::Borrow;
use std::io::{self, Write};
use std::path::Path;

use super::{Event, Filter, Journal, Kind};
use crate::files;
use crate::value::Origin;

/// The first line of a CSV. A column `origin` follows where an event has one: simulated alarms are rare.
pub const CSV_HEADER: &str =
    "id,time,received,kind,twin,broker,alarm,priority,action,from,to,value,worst,unit,by,comment,text";

/// One event a line as JSON: the same form as `--events` writes.
pub fn write_json_lines<E: Borrow<Event>>(events: impl IntoIterator<Item = E>, mut out: impl Write) -> io::Result<()> {
    for event in events {
        serde_json::to_writer(&mut out, event.borrow())?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

pub fn json_lines<E: Borrow<Event>>(events: impl IntoIterator<Item = E>) -> String {
    text(|out| write_json_lines(events, out))
}

/// A header and one line for each event, ended by CR LF. Columns that do not apply are empty. Times are RFC 3339 in
/// UTC.
pub fn write_csv<E: Borrow<Event>>(events: impl IntoIterator<Item = E>, mut out: impl Write) -> io::Result<()> {
    let events: Vec<E> = events.into_iter().collect();
    let has_origins = events.iter().any(|event| origin(event.borrow()).is_some());
    write!(out, "{CSV_HEADER}{}\r\n", if has_origins { ",origin" } else { "" })?;
    for event in &events {
        let row = csv_row(event.borrow()).join(",");
        match has_origins {
            true => write!(out, "{row},{}\r\n", origin(event.borrow()).map_or("", Origin::name))?,
            false => write!(out, "{row}\r\n")?,
        }
    }
    Ok(())
}

fn origin(event: &Event) -> Option<Origin> {
    match event.kind {
        Kind::Alarm { origin, .. } => origin,
        _ => None,
    }
}

pub fn csv<E: Borrow<Event>>(events: impl IntoIterator<Item = E>) -> String {
    text(|out| write_csv(events, out))
}

/// Writes the events that `filter` admits to a file: CSV if its name ends in `.csv`, else JSON lines. Says what came of it.
pub fn to_file(journal: &Journal, path: &Path, filter: &Filter) -> String {
    let events: Vec<_> = journal.matching(filter).map(|event| &**event).collect();
    let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let text = if is_csv { csv(events.iter().copied()) } else { json_lines(events.iter().copied()) };
    match files::replace(path, text.as_bytes()) {
        Ok(()) => format!("{} events written to {}", events.len(), path.display()),
        Err(error) => format!("the events are not kept: {error}"),
    }
}

fn csv_row(event: &Event) -> [String; 17] {
    let text = |text: &Option<String>| field(text.as_deref().unwrap_or_default());
    let number = |x: &Option<f64>| x.map_or_else(String::new, |x| x.to_string());
    let (mut broker, mut name, mut from, mut to) = Default::default();
    let (mut priority, mut value, mut worst, mut unit) = Default::default();
    match &event.kind {
        Kind::Alarm { alarm, broker: b, from: f, to: t, priority: p, value: v, worst: w, unit: u, .. } => {
            (broker, name, from, to) = (text(b), field(alarm), name_of(f), name_of(t));
            (priority, value, worst, unit) = (p.name().to_owned(), number(v), number(w), field(u));
        }
        Kind::Chattering { alarm, broker: b, .. } => (broker, name) = (text(b), field(alarm)),
        Kind::Connection { broker: b, .. } => broker = field(b),
        Kind::Command { broker: b, state, .. } => (broker, to) = (field(b), state.name().to_owned()),
        Kind::Gap { from: f, to: t } => (from, to) = (f.to_string(), t.to_string()),
        Kind::SceneEdited { before, after, .. } => (from, to) = (field(before), field(after)),
        Kind::Flood { .. }
        | Kind::Birth
        | Kind::Death
        | Kind::SceneReloaded { .. }
        | Kind::Plant { .. }
        | Kind::FaultSet { .. }
        | Kind::FaultCleared { .. }
        | Kind::Note { .. }
        | Kind::Bookmark { .. } => {}
    }
    [
        event.id.to_string(),
        event.time.to_string(),
        event.received.to_string(),
        event.kind.tag().name().to_owned(),
        text(&event.twin),
        broker,
        name,
        priority,
        field(&event.action()),
        from,
        to,
        value,
        worst,
        unit,
        text(&event.by),
        field(&event.comment),
        field(&event.summary()),
    ]
}

/// `returned_unacknowledged`, as in JSON.
fn name_of(state: &crate::alarm::State) -> String {
    match serde_json::to_value(state) {
        Ok(serde_json::Value::String(name)) => name,
        _ => format!("{state:?}"),
    }
}

/// A field of RFC 4180: quoted where it has to be. A text that a spreadsheet would take for a formula gets a leading
/// apostrophe: comments come from people, names from devices, and neither may run code where somebody opens the
/// table (OWASP, "CSV Injection").
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if formula { "'" } else { "" };
    if formula || text.contains(['"', ',', '\n', '\r']) {
        return format!("\"{guard}{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut bytes = Vec::new();
    // Neither a Vec nor an Event can refuse: all maps in it have text keys, all numbers are finite or become null.
    let _ = write(&mut bytes);
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
