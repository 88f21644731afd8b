//! The lines of a store file. In: what to keep. Out: bytes; and back, past torn and damaged lines. Pure: knows no file.
//!
//! Each line is a commit of its own: the CRC-32 of its JSON as eight hexadecimal digits, a space, the JSON. Half a line
//! is no commit, so that an alarm and the event about it are kept both or not at all. Line ends only end lines (JSON
//! writes them as `\n` in texts), so that a damaged line costs no other.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::AlarmSnapshot;
use crate::event::Event;
use crate::value::Timestamp;

/// Files of a higher version are not touched.
const VERSION: u32 = 1;
/// Events or alarms in one line of a whole image: one damaged line must not cost much.
const PER_LINE: usize = 100;

/// What one line holds.
#[derive(Serialize, Deserialize, Default)]
struct Frame<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pollux_store: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    events: Vec<Cow<'a, Event>>,
    /// `null` forgets an alarm.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    alarms: BTreeMap<Cow<'a, str>, Cow<'a, AlarmSnapshot>>,
    /// Up to which source time each signal was judged; none forgets a signal.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    heard: BTreeMap<Cow<'a, str>, Option<Timestamp>>,
    /// Highest id ever given, also if its event is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_id: Option<u64>,
    /// A sign of life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alive: Option<Timestamp>,
}

impl Frame<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(b"00000000 ");
        let body = out.len();
        // Cannot fail: a Vec takes all bytes, all keys are texts. If it did, the line would be no commit.
        let _ = serde_json::to_writer(&mut *out, self);
        let crc = format!("{:08x}", crc32fast::hash(out.get(body..).unwrap_or_default()));
        if let Some(place) = out.get_mut(start..start + 8) {
            place.copy_from_slice(crc.as_bytes());
        }
        out.push(b'\n');
    }
}

/// What was handed over between two writes.
#[derive(Default)]
pub struct Batch {
    pub events: Vec<Arc<Event>>,
    pub alarms: BTreeMap<String, AlarmSnapshot>,
    pub heard: BTreeMap<String, Option<Timestamp>>,
    pub alive: Option<Timestamp>,
}

impl Batch {
    /// Nothing that has to be on disk before a power cut: signs of life, and how far signals were heard, come every
    /// second.
    pub fn is_light(&self) -> bool {
        self.events.is_empty() && self.alarms.is_empty()
    }

    pub fn line(&self) -> Vec<u8> {
        let alarms = self.alarms.iter().map(|(key, value)| (Cow::from(key), Cow::Borrowed(value)));
        let frame = Frame {
            events: self.events.iter().map(|event| Cow::Borrowed(&**event)).collect(),
            alarms: alarms.collect(),
            heard: self.heard.iter().map(|(signal, time)| (Cow::from(signal), *time)).collect(),
            alive: self.alive,
            ..Frame::default()
        };
        let mut out = Vec::new();
        frame.write(&mut out);
        out
    }
}

/// All that a store keeps.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Image {
    /// The latest, by id.
    pub events: std::collections::VecDeque<Arc<Event>>,
    pub alarms: BTreeMap<String, AlarmSnapshot>,
    pub heard: BTreeMap<String, Timestamp>,
    pub last_id: u64,
    pub alive: Option<Timestamp>,
}

impl Image {
    /// Takes in what has happened since; keeps the latest `capacity` events.
    pub fn apply(&mut self, batch: Batch, capacity: usize) {
        for event in batch.events {
            self.take(event, capacity);
        }
        for (key, value) in batch.alarms {
            self.set(key, value);
        }
        for (signal, time) in batch.heard {
            self.hear(signal, time);
        }
        self.alive = batch.alive.or(self.alive);
    }

    fn take(&mut self, event: Arc<Event>, capacity: usize) {
        self.last_id = self.last_id.max(event.id);
        // A line that was written twice (once before a failure, once after it) counts once.
        if self.events.back().is_none_or(|last| last.id < event.id) {
            self.events.push_back(event);
        }
        while self.events.len() > capacity {
            self.events.pop_front();
        }
    }

    fn set(&mut self, key: String, value: AlarmSnapshot) {
        if value.is_null() {
            self.alarms.remove(&key);
        } else {
            self.alarms.insert(key, value);
        }
    }

    fn hear(&mut self, signal: String, time: Option<Timestamp>) {
        match time {
            Some(time) => self.heard.insert(signal, time),
            None => self.heard.remove(&signal),
        };
    }

    /// The whole image as the lines of a new file.
    pub fn lines(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let head = Frame { pollux_store: Some(VERSION), last_id: Some(self.last_id), ..Frame::default() };
        head.write(&mut out);
        let mut events = self.events.iter().peekable();
        while events.peek().is_some() {
            let events = events.by_ref().take(PER_LINE).map(|event| Cow::Borrowed(&**event)).collect();
            Frame { events, ..Frame::default() }.write(&mut out);
        }
        let mut alarms = self.alarms.iter().peekable();
        while alarms.peek().is_some() {
            let part = alarms.by_ref().take(PER_LINE);
            let alarms = part.map(|(key, value)| (Cow::from(key), Cow::Borrowed(value))).collect();
            Frame { alarms, ..Frame::default() }.write(&mut out);
        }
        let mut heard = self.heard.iter().peekable();
        while heard.peek().is_some() {
            let heard = heard.by_ref().take(PER_LINE).map(|(signal, time)| (Cow::from(signal), Some(*time))).collect();
            Frame { heard, ..Frame::default() }.write(&mut out);
        }
        if self.alive.is_some() {
            Frame { alive: self.alive, ..Frame::default() }.write(&mut out);
        }
        out
    }
}

/// What could be read of a file.
#[derive(Default, PartialEq, Debug)]
pub struct Reading {
    pub image: Image,
    /// Lines that are not what was written.
    pub damaged: u64,
    /// Bytes of an unfinished line at the end: what a crash leaves.
    pub torn: u64,
    /// The version of a newer Pollux.
    pub newer: Option<u32>,
}

/// Reads whatever is whole in `bytes`, which may be anything.
pub fn read(bytes: &[u8], capacity: usize) -> Reading {
    let mut reading = Reading::default();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(line) = line.strip_suffix(b"\n") else {
            reading.torn = line.len() as u64;
            break;
        };
        let Some(frame) = frame(line) else {
            reading.damaged += 1;
            continue;
        };
        reading.newer = reading.newer.max(frame.pollux_store.filter(|version| *version > VERSION));
        for event in frame.events {
            reading.image.take(Arc::new(event.into_owned()), capacity);
        }
        for (key, value) in frame.alarms {
            reading.image.set(key.into_owned(), value.into_owned());
        }
        for (signal, time) in frame.heard {
            reading.image.hear(signal.into_owned(), time);
        }
        reading.image.last_id = reading.image.last_id.max(frame.last_id.unwrap_or(0));
        reading.image.alive = frame.alive.or(reading.image.alive);
    }
    reading
}

/// Whether this is a text that never was a store: it must not be replaced, whatever was mistyped.
pub fn is_foreign(bytes: &[u8]) -> bool {
    let like_ours = |line: &[u8]| {
        let Some((crc, rest)) = line.split_at_checked(8) else { return false };
        crc.iter().all(u8::is_ascii_hexdigit) && rest.starts_with(b" ")
    };
    let text = !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok_and(|text| !text.trim().is_empty());
    text && !bytes.split(|byte| *byte == b'\n').any(like_ours)
}

fn frame(line: &[u8]) -> Option<Frame<'static>> {
    let (crc, rest) = line.split_at_checked(8)?;
    let json = rest.strip_prefix(b" ")?;
    let crc = u32::from_str_radix(std::str::from_utf8(crc).ok()?, 16).ok()?;
    if crc32fast::hash(json) != crc {
        return None;
    }
    serde_json::from_slice(json).ok()
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
