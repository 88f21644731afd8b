//! The sample store: per signal, in source-time order, within a memory budget.
//!
//! In: samples in any order. Out: the value at a moment, summaries of stretches, the points themselves. Never reads a
//! clock, never blocks, never grows past its budget (but see [`History::keep_all`]): when it is full, the chunk whose
//! newest sample is the oldest of all signals goes first, counted; the newest sample of each signal stays, so that no
//! value vanishes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::queue::MovingQueue;
use super::summary::Gaps;
use super::track::Track;
use crate::value::{Grade, Origin, Quality, Sample, SignalIndex, Timestamp, Value};

/// One remembered sample.
#[derive(Clone, PartialEq, Debug)]
pub struct Point {
    pub source_time: Timestamp,
    pub receive_time: Timestamp,
    pub value: Value,
    pub quality: Quality,
    pub origin: Origin,
}

/// What a stretch of time held: enough to draw one pixel column.
///
/// Holds the samples with `from` ≤ source time < `to`, and nothing carried in from before: ask
/// [`History::latest_at`] for the value that a line or step starts from.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bucket {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Over finite numbers and booleans (0 and 1) of whatever quality, but not over what only stands for a value; NaN if
    /// there was none.
    pub min: f64,
    pub max: f64,
    pub first: f64,
    pub last: f64,
    /// Samples of any kind, text included.
    pub count: u64,
    /// `Good` if there was no sample.
    pub worst: Grade,
    /// Where samples stand among these that are none of them.
    pub gaps: Gaps,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Usage {
    /// Samples held now.
    pub samples: u64,
    pub bytes: u64,
    pub budget_bytes: u64,
    /// Oldest samples given up to stay within the budget.
    pub evicted: u64,
    /// Samples that arrived with a source time before their predecessor's.
    pub out_of_order: u64,
    /// Samples of signals that a scene reload took away.
    pub forgotten: u64,
    /// Samples of signals that the store does not know.
    pub rejected: u64,
}

/// Every sample of every signal. When the budget is full, the chunk whose newest sample is the oldest of all goes first.
#[derive(Debug)]
pub struct History {
    tracks: Vec<Track>,
    usage: Usage,
    /// (time of the newest sample that would go, signal). An entry may be too early, as tracks go on growing: it is put
    /// right when it reaches the top.
    oldest: BinaryHeap<Reverse<(i64, u32)>>,
    /// First source time per signal.
    starts: MovingQueue,
    bounds: Option<(i64, i64)>,
    keeps_all: bool,
}

impl Default for History {
    /// With a budget of 1 GiB.
    fn default() -> Self {
        Self::new(1 << 30)
    }
}

impl History {
    pub fn new(budget_bytes: u64) -> Self {
        let usage = Usage { budget_bytes, ..Usage::default() };
        let (oldest, starts) = (BinaryHeap::new(), MovingQueue::default());
        Self { tracks: Vec::new(), usage, oldest, starts, bounds: None, keeps_all: false }
    }

    /// Makes room for signals `0..count`; existing ones stay.
    pub fn resize(&mut self, count: usize) {
        if count > self.tracks.len() {
            self.usage.bytes += ((count - self.tracks.len()) * size_of::<Track>()) as u64;
            self.tracks.extend((self.tracks.len()..count).map(Track::new));
            self.starts.resize(count);
        }
    }

    /// Remembers a sample, wherever in time it belongs. Of several at the same source time all are kept, and the one
    /// that arrived last counts as the latest.
    pub fn append(&mut self, sample: &Sample) {
        let time = sample.source_time.0;
        let Some(track) = self.tracks.get_mut(sample.signal.at()) else {
            self.usage.rejected += 1;
            return;
        };
        let begins = track.tail.rows.is_empty();
        let taken = track.append(sample);
        self.usage.samples += 1;
        self.usage.out_of_order += u64::from(taken.late);
        self.usage.bytes = self.usage.bytes.saturating_add_signed(taken.growth);
        if begins || taken.late && track.first_time() == Some(time) {
            self.starts.set(sample.signal.0, time);
        }
        if !track.queued
            && let Some(age) = track.evictable()
        {
            track.queued = true;
            self.oldest.push(Reverse((age, sample.signal.0)));
        }
        let (first, last) = self.bounds.unwrap_or((time, time));
        self.bounds = Some((first.min(time), last.max(time)));
        if self.usage.bytes > self.usage.budget_bytes {
            self.evict();
        }
    }

    /// Takes in a stretch of a recording, wherever in time it belongs: `stretch` holds all samples received after `since`
    /// until some moment, and of each signal what was known at `since`. Samples that are here already are not doubled.
    pub fn merge(&mut self, stretch: &History, since: Timestamp) {
        for ((track, other), signal) in self.tracks.iter_mut().zip(&stretch.tracks).zip(0..) {
            let (samples, bytes) = (track.len(), track.bytes());
            track.take_in(other, since.0);
            let (Some(first), Some(newest)) = (track.first_time(), track.tail.rows.last()) else { continue };
            self.usage.samples = self.usage.samples.saturating_add_signed(track.len() as i64 - samples as i64);
            self.usage.bytes = self.usage.bytes.saturating_add_signed(track.bytes() as i64 - bytes as i64);
            self.starts.set(signal, first);
            let (start, end) = self.bounds.unwrap_or((first, newest.source_time));
            self.bounds = Some((start.min(first), end.max(newest.source_time)));
            if !track.queued
                && let Some(age) = track.evictable()
            {
                track.queued = true;
                self.oldest.push(Reverse((age, signal)));
            }
        }
        if self.usage.bytes > self.usage.budget_bytes {
            self.evict();
        }
    }

    /// From now on so much memory may be taken: what exceeds it is given up at once.
    pub fn set_budget(&mut self, bytes: u64) {
        self.usage.budget_bytes = bytes;
        if self.usage.bytes > bytes {
            self.evict();
        }
    }

    /// From now on nothing is given up, for the tenths of a second that somebody needs all of it: what comes meanwhile may
    /// exceed the budget.
    pub fn keep_all(&mut self) {
        self.keeps_all = true;
    }

    /// The end of [`History::keep_all`].
    pub fn give_up_again(&mut self) {
        self.keeps_all = false;
        if self.usage.bytes > self.usage.budget_bytes {
            self.evict();
        }
    }

    fn evict(&mut self) {
        if self.keeps_all {
            return;
        }
        while self.usage.bytes > self.usage.budget_bytes {
            let Some(Reverse((age, signal))) = self.oldest.pop() else { break };
            let Some(track) = self.tracks.get_mut(signal as usize) else { continue };
            track.queued = false;
            if track.evictable() == Some(age) {
                let (lost, freed) = track.evict();
                self.usage.samples = self.usage.samples.saturating_sub(lost);
                self.usage.evicted += lost;
                self.usage.bytes = self.usage.bytes.saturating_sub(freed);
                if let Some(first) = track.first_time() {
                    self.starts.set(signal, first);
                }
            }
            if let Some(age) = track.evictable() {
                track.queued = true;
                self.oldest.push(Reverse((age, signal)));
            }
        }
        self.bounds = self.bounds.map(|(first, last)| (self.starts.first().map_or(first, |(time, _)| time), last));
    }

    /// The newest point of `signal` at or before `at`.
    pub fn latest_at(&self, signal: SignalIndex, at: Timestamp) -> Option<Point> {
        self.track(signal)?.latest_at(at)
    }

    /// What was known of `signal` at `at`: the newest point of those whose source time and receive time are at or before
    /// it. A sample that came late is of the past, but nobody knew it before it came. Of several at the same source time
    /// the one received last.
    pub fn latest_known(&self, signal: SignalIndex, at: Timestamp) -> Option<Point> {
        self.track(signal)?.latest_known(at)
    }

    /// The newest point of `signal`.
    pub fn newest(&self, signal: SignalIndex) -> Option<Point> {
        self.track(signal)?.newest()
    }

    /// The points of `signal` after `at`, in order.
    pub fn points_after(&self, signal: SignalIndex, at: Timestamp) -> impl Iterator<Item = Point> {
        self.track(signal).into_iter().flat_map(move |track| {
            let places = std::iter::successors(Some(track.place_after(at)), |place| Some(track.next(*place)));
            places.map_while(|place| track.after(place))
        })
    }

    /// The points of `signal` before `at`, the newest first.
    pub fn points_before(&self, signal: SignalIndex, at: Timestamp) -> impl Iterator<Item = Point> {
        self.track(signal).into_iter().flat_map(move |track| {
            let places = std::iter::successors(track.previous(track.place_of(at)), |place| track.previous(*place));
            places.map_while(|place| track.after(place))
        })
    }

    /// The points of `signal` with `from` ≤ source time < `to`, in order.
    pub fn points(&self, signal: SignalIndex, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Point> {
        let track = self.track(signal).filter(|_| from < to);
        let range = track.map(|track| (track, track.place_of(from), track.place_of(to)));
        range.into_iter().flat_map(|(track, first, end)| {
            let places = std::iter::successors(Some(first), |place| Some(track.next(*place)));
            places.take_while(move |place| *place < end).filter_map(|place| track.after(place))
        })
    }

    /// `buckets` equal stretches of `from..to`; cost grows with `buckets`, hardly with the number of samples.
    ///
    /// Empty if `to` is not after `from`. See [`Bucket`] for what counts where.
    pub fn range(&self, signal: SignalIndex, from: Timestamp, to: Timestamp, buckets: usize) -> Vec<Bucket> {
        let Some(track) = self.track(signal).filter(|_| from < to) else { return Vec::new() };
        let span = i128::from(to.0) - i128::from(from.0);
        // Within from..=to, so it fits.
        let edge = |at: usize| Timestamp((i128::from(from.0) + span * at as i128 / buckets as i128) as i64);
        let mut place = track.place_of(from);
        (0..buckets)
            .map(|at| {
                let (from, to) = (edge(at), edge(at + 1));
                let start = std::mem::replace(&mut place, track.place_of(to));
                let (summary, count) = track.summary(start, place);
                let some = !summary.first.is_nan();
                Bucket {
                    from,
                    to,
                    min: if some { summary.min } else { f64::NAN },
                    max: if some { summary.max } else { f64::NAN },
                    first: summary.first,
                    last: summary.last,
                    count,
                    worst: summary.worst,
                    gaps: summary.gaps,
                }
            })
            .collect()
    }

    fn track(&self, signal: SignalIndex) -> Option<&Track> {
        self.tracks.get(signal.at())
    }

    /// Oldest and newest source time of all signals.
    pub fn bounds(&self) -> Option<(Timestamp, Timestamp)> {
        self.bounds.map(|(first, last)| (Timestamp(first), Timestamp(last)))
    }

    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// Carries the past over a scene reload: `new_index[old]`, none for signals that are gone. Where two signals claim
    /// the same new index, the first one has it.
    pub fn remap(&mut self, new_index: &[Option<SignalIndex>], count: usize) {
        let old = std::mem::take(&mut self.tracks);
        let Usage { evicted, out_of_order, mut forgotten, rejected, budget_bytes, .. } = self.usage;
        *self = Self::new(budget_bytes);
        self.resize(count);
        for (track, new) in old.into_iter().zip(new_index.iter().copied().chain(std::iter::repeat(None))) {
            let place = new.and_then(|new| self.tracks.get_mut(new.at()));
            match place.filter(|place| place.tail.rows.is_empty()) {
                Some(place) => *place = track,
                None => forgotten += track.len(),
            }
        }
        for (track, signal) in self.tracks.iter_mut().zip(0..) {
            self.usage.samples += track.len();
            self.usage.bytes += track.bytes();
            let age = track.evictable();
            track.queued = age.is_some();
            self.oldest.extend(age.map(|age| Reverse((age, signal))));
            if let (Some(start), Some(newest)) = (track.first_time(), track.tail.rows.last()) {
                self.starts.set(signal, start);
                let (first, last) = self.bounds.unwrap_or((start, newest.source_time));
                self.bounds = Some((first.min(start), last.max(newest.source_time)));
            }
        }
        self.usage = Usage { evicted, out_of_order, forgotten, rejected, ..self.usage };
    }
}

#[cfg(test)]
mod tests;
