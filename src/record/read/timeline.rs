//! Several recordings as one. In: files of a series, in any order. Out: the same as of one, in order of time.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::index::Kind;
use super::message::{Entries, Entry};
use super::{RawMessage, ReadError, Recording};
use crate::event::Event;
use crate::record::format::{About, Keyframe};
use crate::value::Timestamp;

/// One or several recordings of one series. Where they overlap they are merged by log time.
#[derive(Debug)]
pub struct Timeline {
    recordings: Vec<Recording>,
    /// Keyframes of all recordings in order of time: (time, recording, number within it).
    keyframes: Vec<(Timestamp, usize, usize)>,
}

impl Timeline {
    /// Opens all files; one that is named twice counts once.
    pub fn open(paths: &[PathBuf]) -> Result<Self, ReadError> {
        let mut seen = BTreeSet::new();
        let mut recordings = Vec::new();
        for path in paths {
            if seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
                recordings.push(Recording::open(path)?);
            }
        }
        if recordings.is_empty() {
            return Err(ReadError::NoFiles);
        }
        Ok(Self::new(recordings))
    }

    /// Of recordings that are open already.
    pub fn new(mut recordings: Vec<Recording>) -> Self {
        recordings.sort_by_key(|recording| recording.bounds().map_or(Timestamp::MAX, |(start, _)| start));
        let times = recordings.iter().enumerate().flat_map(|(which, recording)| {
            recording.keyframe_times().enumerate().map(move |(at, time)| (time, which, at))
        });
        let mut keyframes: Vec<_> = times.collect();
        keyframes.sort_unstable();
        Self { recordings, keyframes }
    }

    /// In order of their first messages.
    pub fn recordings(&self) -> &[Recording] {
        &self.recordings
    }

    /// Log times of the first and the last message, event or keyframe.
    pub fn bounds(&self) -> Option<(Timestamp, Timestamp)> {
        let bounds = || self.recordings.iter().filter_map(Recording::bounds);
        Some((bounds().map(|(start, _)| start).min()?, bounds().map(|(_, end)| end).max()?))
    }

    /// Of the first recording that has it.
    pub fn about(&self) -> Option<&About> {
        self.recordings.iter().find_map(Recording::about)
    }

    /// What is missing, in a sentence for each damaged file. More may become known when messages are read.
    pub fn damage_text(&self) -> Option<String> {
        let damages = self.recordings.iter().filter_map(|recording| {
            let name = recording.path().file_name().unwrap_or(recording.path().as_os_str()).to_string_lossy();
            Some(format!("{name}: {}", recording.damage()?))
        });
        let text = damages.collect::<Vec<_>>().join("\n");
        (!text.is_empty()).then_some(text)
    }

    /// All events in order of log time, then of the files. An event that stands in two files comes once; where files
    /// give the same number to different events, all are numbered anew.
    pub fn events(&self) -> Result<Vec<Event>, ReadError> {
        let mut all: Vec<(Timestamp, Event)> = Vec::new();
        for recording in &self.recordings {
            all.extend(recording.events()?);
        }
        all.sort_by_key(|(time, _)| *time);
        if self.recordings.len() > 1 {
            leave_out_doubles(&mut all);
        }
        let mut events: Vec<Event> = all.into_iter().map(|(_, event)| event).collect();
        let rises = events.is_sorted_by(|a, b| a.id < b.id);
        if !rises {
            (1..).zip(&mut events).for_each(|(id, event)| event.id = id);
        }
        Ok(events)
    }

    /// The last keyframe up to `t`. One that is damaged is passed over for the one before.
    pub fn keyframe_at(&self, t: Timestamp) -> Result<Option<Keyframe>, ReadError> {
        let upto = self.keyframes.partition_point(|(time, _, _)| *time <= t);
        let before = self.keyframes.get(..upto).unwrap_or_default();
        self.first_whole(before.iter().rev())
    }

    pub fn first_keyframe(&self) -> Result<Option<Keyframe>, ReadError> {
        self.first_whole(self.keyframes.iter())
    }

    fn first_whole<'k>(
        &self,
        keyframes: impl Iterator<Item = &'k (Timestamp, usize, usize)>,
    ) -> Result<Option<Keyframe>, ReadError> {
        for (_, which, at) in keyframes {
            let Some(recording) = self.recordings.get(*which) else { continue };
            if let Some(keyframe) = recording.keyframe(*at)? {
                return Ok(Some(keyframe));
            }
        }
        Ok(None)
    }

    /// Moments of all keyframes in order, each once. From the index: nothing is decompressed.
    pub fn keyframe_times(&self) -> Vec<Timestamp> {
        let mut times: Vec<_> = self.keyframes.iter().map(|(time, _, _)| *time).collect();
        times.dedup();
        times
    }

    /// Messages with `after < log_time ≤ up_to`, in order of log time, then of the files.
    pub fn messages(&self, after: Timestamp, up_to: Timestamp) -> impl Iterator<Item = Result<RawMessage, ReadError>> {
        let entries = |recording| Lane { next: None, entries: Entries::new(recording, Kind::Message, after, up_to) };
        Merged { lanes: self.recordings.iter().map(entries).collect(), is_begun: false }
            .map(|entry| entry.map(Entry::into_raw))
    }

    /// Messages in equal stretches of time between the bounds, as the index tells: those of a chunk count as spread
    /// evenly over it.
    pub fn density(&self, buckets: usize) -> Arc<[u32]> {
        let Some((start, end)) = self.bounds().filter(|_| buckets > 0) else { return vec![0; buckets].into() };
        let scale = buckets as f64 / ((end.0.saturating_sub(start.0)) as f64).max(1.0);
        let place = |time: Timestamp| {
            let place = time.0.saturating_sub(start.0) as f64 * scale;
            place.clamp(0.0, buckets as f64 - 1e-9)
        };
        // What begins and ends within a bucket, and what changes from one to the next: a chunk costs the same however
        // many buckets it covers.
        let (mut parts, mut changes) = (vec![0.0; buckets], vec![0.0; buckets + 1]);
        for (from, to, messages) in self.recordings.iter().flat_map(Recording::weights) {
            let (from, to, messages) = (place(from), place(to), messages as f64);
            let (first, last) = (from as usize, to as usize);
            if first == last {
                add(&mut parts, first, messages);
                continue;
            }
            let rate = messages / (to - from);
            add(&mut parts, first, rate * (first as f64 + 1.0 - from));
            add(&mut parts, last, rate * (to - last as f64));
            add(&mut changes, first + 1, rate);
            add(&mut changes, last, -rate);
        }
        let mut rate = 0.0;
        let counts = parts.iter().zip(&changes).map(|(part, change)| {
            rate += change;
            (part + rate).round().max(0.0) as u32
        });
        counts.collect()
    }
}

fn add(to: &mut [f64], at: usize, what: f64) {
    if let Some(sum) = to.get_mut(at) {
        *sum += what;
    }
}

/// Events that were written to two files are the same in every field.
fn leave_out_doubles(all: &mut Vec<(Timestamp, Event)>) {
    let mut kept: Vec<(Timestamp, Event)> = Vec::with_capacity(all.len());
    for (time, event) in all.drain(..) {
        let same_moment = kept.iter().rev().take_while(|(other, _)| *other == time);
        let is_double = same_moment.into_iter().any(|(_, other)| *other == event);
        if !is_double {
            kept.push((time, event));
        }
    }
    *all = kept;
}

/// One recording with its next message.
struct Lane<'r> {
    next: Option<Result<Entry, ReadError>>,
    entries: Entries<'r>,
}

/// Lanes merged by log time; of equal times the earlier recording goes first.
struct Merged<'r> {
    lanes: Vec<Lane<'r>>,
    is_begun: bool,
}

impl Iterator for Merged<'_> {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.is_begun {
            self.is_begun = true;
            self.lanes.iter_mut().for_each(|lane| lane.next = lane.entries.next());
        }
        // An error goes first: nobody takes what comes after for complete.
        let time = |lane: &Lane<'_>| match &lane.next {
            Some(Ok(entry)) => Some(entry.log_time),
            Some(Err(_)) => Some(Timestamp::MIN),
            None => None,
        };
        let (_, which) = self.lanes.iter().enumerate().filter_map(|(at, lane)| Some((time(lane)?, at))).min()?;
        let lane = self.lanes.get_mut(which)?;
        let next = lane.next.take();
        lane.next = lane.entries.next();
        next
    }
}

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<Timeline>();
};
