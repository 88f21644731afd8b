//! Several recordings as one. In: files of a series, in any order. Out: the same as of one, in order of time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use super::index::{Channel, Kind};
use super::message::{Entries, Entry};
use super::{RawMessage, ReadError, RecordingFile};
use crate::event::Event;
use crate::record::RecordedForecast;
use crate::record::format::{About, Keyframe};
use crate::value::Timestamp;

/// One or several recordings of one series. Where they overlap they are merged by log time.
#[derive(Debug)]
pub struct Timeline {
    recordings: Vec<RecordingFile>,
    /// Keyframes of all recordings in order of time, then of recordings.
    keyframes: Vec<KeyframeEntry>,
}

/// Where a keyframe stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct KeyframeEntry {
    time: Timestamp,
    recording: usize,
    /// Within the recording.
    number: usize,
    /// It lacks the large states of producers.
    is_partial: bool,
}

impl Timeline {
    /// Opens all files; one that is named twice counts once.
    pub fn open(paths: &[PathBuf]) -> Result<Self, ReadError> {
        let mut seen = BTreeSet::new();
        let mut recordings = Vec::new();
        for path in paths {
            if seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
                recordings.push(RecordingFile::open(path)?);
            }
        }
        if recordings.is_empty() {
            return Err(ReadError::NoFiles);
        }
        Ok(Self::new(recordings))
    }

    /// Of recordings that are open already.
    pub fn new(mut recordings: Vec<RecordingFile>) -> Self {
        let start = |recording: &RecordingFile| recording.bounds().map_or(Timestamp::MAX, |(start, _)| start);
        recordings.sort_by(|a, b| (start(a), a.path()).cmp(&(start(b), b.path())));
        let places = recordings.iter().zip(0..).flat_map(|(file, recording)| {
            let places = file.keyframe_places().zip(0..);
            places.map(move |((time, is_partial), number)| KeyframeEntry { time, recording, number, is_partial })
        });
        let mut keyframes: Vec<_> = places.collect();
        keyframes.sort_unstable();
        Self { recordings, keyframes }
    }

    /// In order of their first messages.
    pub fn recordings(&self) -> &[RecordingFile] {
        &self.recordings
    }

    /// Log times of the first and the last message, event or keyframe.
    pub fn bounds(&self) -> Option<(Timestamp, Timestamp)> {
        let bounds = || self.recordings.iter().filter_map(RecordingFile::bounds);
        Some((bounds().map(|(start, _)| start).min()?, bounds().map(|(_, end)| end).max()?))
    }

    /// Of the first recording that has it.
    pub fn about(&self) -> Option<&About> {
        self.recordings.iter().find_map(RecordingFile::about)
    }

    /// What is missing, in a sentence for each damaged file. More may become known when messages are read.
    pub fn damage_text(&self) -> Option<String> {
        self.of_each(|recording| recording.damage().map(ToString::to_string))
    }

    /// The same, and what else people have to know: messages that cannot be read, times that cannot be right.
    pub fn told(&self) -> Option<String> {
        self.of_each(|recording| {
            let told = [recording.damage().map(ToString::to_string), recording.unread(), recording.oddities()];
            let told = told.into_iter().flatten().collect::<Vec<_>>().join("; ");
            (!told.is_empty()).then_some(told)
        })
    }

    fn of_each(&self, say: impl Fn(&RecordingFile) -> Option<String>) -> Option<String> {
        let said = self.recordings.iter().filter_map(|recording| {
            let name = recording.path().file_name().unwrap_or(recording.path().as_os_str()).to_string_lossy();
            Some(format!("{name}: {}", say(recording)?))
        });
        let text = said.collect::<Vec<_>>().join("\n");
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

    /// The last keyframe up to `t`. One that is damaged is passed over for the one before. Whether it has the memory of all
    /// producers, it says itself.
    pub fn keyframe_at(&self, t: Timestamp) -> Result<Option<Keyframe>, ReadError> {
        self.first_whole(self.up_to(t).iter().rev())
    }

    /// The last keyframe up to `t` that has the memory of all producers: where a replay begins that needs it.
    pub fn full_keyframe_at(&self, t: Timestamp) -> Result<Option<Keyframe>, ReadError> {
        self.first_whole(self.up_to(t).iter().rev().filter(|place| !place.is_partial))
    }

    fn up_to(&self, t: Timestamp) -> &[KeyframeEntry] {
        let end = self.keyframes.partition_point(|place| place.time <= t);
        self.keyframes.get(..end).unwrap_or_default()
    }

    pub fn first_keyframe(&self) -> Result<Option<Keyframe>, ReadError> {
        self.first_whole(self.keyframes.iter())
    }

    fn first_whole<'k>(
        &self,
        keyframes: impl Iterator<Item = &'k KeyframeEntry>,
    ) -> Result<Option<Keyframe>, ReadError> {
        for place in keyframes {
            let Some(recording) = self.recordings.get(place.recording) else { continue };
            if let Some(keyframe) = recording.keyframe(place.number)? {
                return Ok(Some(keyframe));
            }
        }
        Ok(None)
    }

    /// Moments of all keyframes in order, each once. From the index: nothing is decompressed.
    pub fn keyframe_times(&self) -> Vec<Timestamp> {
        let mut times: Vec<_> = self.keyframes.iter().map(|place| place.time).collect();
        times.dedup();
        times
    }

    /// The same of those that have the memory of all producers.
    pub fn full_keyframe_times(&self) -> Vec<Timestamp> {
        let full = self.keyframes.iter().filter(|place| !place.is_partial);
        let mut times: Vec<_> = full.map(|place| place.time).collect();
        times.dedup();
        times
    }

    /// All that is learnt from, with `after < log_time ≤ up_to`, in the one order: by log time, then by the name of the
    /// broker, then as it arrived, which is as it stands in the file; of several files the one that begins earlier first. A
    /// message that stands in two files, of which one is a copy or a part of the other, comes once.
    /// Samples of costly producers come among the messages, see [`RawMessage::produced`].
    pub fn messages(&self, after: Timestamp, up_to: Timestamp) -> impl Iterator<Item = Result<RawMessage, ReadError>> {
        let lanes = self.recordings.iter().map(|recording| {
            let entries = Entries::new(recording, Kind::MESSAGES, after, up_to);
            Lane { next: None, bounds: recording.bounds(), entries }
        });
        Merged { lanes: lanes.collect(), is_begun: false, moment: None, given: HashMap::new() }
            .map(|entry| entry.map(Entry::into_raw))
    }

    /// Forecasts with `after < issued ≤ up_to`, in the order of issue.
    pub fn forecasts_between(&self, after: Timestamp, up_to: Timestamp) -> Result<Vec<RecordedForecast>, ReadError> {
        let mut all = Vec::new();
        for recording in &self.recordings {
            for forecast in recording.forecasts(after, up_to) {
                all.push(forecast?);
            }
        }
        all.sort_by_key(|forecast| forecast.issued);
        if self.recordings.len() > 1 {
            // Those of one moment are few.
            let mut kept: Vec<RecordedForecast> = Vec::with_capacity(all.len());
            for forecast in all {
                let mut same_moment = kept.iter().rev().take_while(|other| other.issued == forecast.issued);
                if !same_moment.any(|other| *other == forecast) {
                    kept.push(forecast);
                }
            }
            all = kept;
        }
        Ok(all)
    }

    /// Of each signal the newest forecast that was issued by `t`, in the order of twins and signals. The keyframe before `t`
    /// says where to look.
    pub fn forecasts_at(&self, t: Timestamp) -> Result<Vec<RecordedForecast>, ReadError> {
        let keyframe = self.keyframe_at(t)?;
        let since = keyframe.as_ref().map_or(Timestamp::MIN, |keyframe| keyframe.time);
        let told = keyframe.iter().flat_map(|keyframe| keyframe.forecasts.values().flat_map(BTreeMap::values));
        let issues: BTreeSet<Timestamp> = told.copied().collect();
        let mut newest = BTreeMap::new();
        let just_before = |issue: Timestamp| Timestamp(issue.0.saturating_sub(1));
        let stretches = issues.into_iter().map(|issue| (just_before(issue), issue)).chain([(since, t)]);
        for (after, up_to) in stretches {
            for forecast in self.forecasts_between(after, up_to)? {
                newest.insert((forecast.twin.clone(), forecast.signal.clone()), forecast);
            }
        }
        Ok(newest.into_values().collect())
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
        for (from, to, messages) in self.recordings.iter().flat_map(RecordingFile::weights) {
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
    bounds: Option<(Timestamp, Timestamp)>,
    next: Option<Result<Entry, ReadError>>,
    entries: Entries<'r>,
}

/// Lanes merged by log time, then by broker; of the same ones the earlier recording goes first.
struct Merged<'r> {
    lanes: Vec<Lane<'r>>,
    is_begun: bool,
    /// Of the messages in `given`.
    moment: Option<Timestamp>,
    /// What lanes have given of this moment, by its hash.
    given: HashMap<u64, Vec<Given>>,
}

/// A message, and the lanes that have had it: each may have it once for each time that the first one has it.
struct Given {
    channel: Arc<Channel>,
    publish_time: Timestamp,
    payload: Bytes,
    lanes: Vec<usize>,
}

impl Given {
    fn is(&self, entry: &Entry) -> bool {
        let (a, b) = (&self.channel, &entry.channel);
        (&a.topic, &a.broker, a.qos, a.retained) == (&b.topic, &b.broker, b.qos, b.retained)
            && self.publish_time == entry.publish_time
            && self.payload == entry.payload
    }
}

impl Merged<'_> {
    /// Whether a message of a lane stands in another lane as well, which has given it.
    fn is_double(&mut self, lane: usize, entry: &Entry) -> bool {
        let has = |other: &Lane<'_>| other.bounds.is_some_and(|(from, to)| (from..=to).contains(&entry.log_time));
        let may_be = self.lanes.iter().enumerate().any(|(at, other)| at != lane && has(other));
        if !may_be {
            return false;
        }
        if self.moment != Some(entry.log_time) {
            self.moment = Some(entry.log_time);
            self.given.clear();
        }
        let mut hasher = DefaultHasher::new();
        (&entry.channel.topic, entry.publish_time, &entry.payload).hash(&mut hasher);
        let same = self.given.entry(hasher.finish()).or_default();
        match same.iter_mut().find(|given| given.is(entry) && !given.lanes.contains(&lane)) {
            Some(given) => {
                given.lanes.push(lane);
                true
            }
            None => {
                let Entry { channel, publish_time, payload, .. } = entry;
                let (channel, payload) = (channel.clone(), payload.clone());
                same.push(Given { channel, publish_time: *publish_time, payload, lanes: vec![lane] });
                false
            }
        }
    }
}

impl Lane<'_> {
    /// Of its next message. An error goes first: nobody takes what comes after for complete.
    fn place(&self) -> Option<(Timestamp, &str)> {
        match self.next.as_ref()? {
            Ok(entry) => Some((entry.log_time, &entry.channel.broker)),
            Err(_) => Some((Timestamp::MIN, "")),
        }
    }

    /// Gives the next message, and looks for the one after. What cannot be learnt from is left out.
    fn pass(&mut self) -> Option<Result<Entry, ReadError>> {
        std::mem::replace(&mut self.next, self.entries.next_learned())
    }
}

impl Iterator for Merged<'_> {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.is_begun {
            self.is_begun = true;
            self.lanes.iter_mut().for_each(|lane| lane.next = lane.entries.next_learned());
        }
        loop {
            let places = self.lanes.iter().enumerate().filter_map(|(at, lane)| Some((lane.place()?, at)));
            let (_, first) = places.min()?;
            let next = self.lanes.get_mut(first)?.pass()?;
            let is_double = next.as_ref().is_ok_and(|entry| self.is_double(first, entry));
            if !is_double {
                return Some(next);
            }
        }
    }
}

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<Timeline>();
};
