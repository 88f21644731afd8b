//! All samples of one signal: sealed chunks, and behind them the tail, rows that still grow.
//!
//! In: samples in any order. Out: lookups and summaries in source-time order. Knows nothing of budgets or other signals.
//!
//! Invariants: every sealed time ≤ the tail's first; once a sample has come, the tail is never empty, so that the newest
//! one is always at hand and never falls to eviction. The tail is short, so that those of a thousand signals stay in the
//! processor's cache; what it seals goes to the end of the last chunk until that is full.

use std::collections::VecDeque;

use super::chunk::Chunk;
use super::row::{KnownRow, Rows};
use super::summary::Summary;
use super::{Point, Sample};
use crate::value::Timestamp;

/// Rows that are sealed together.
const SEALED: usize = 64;
/// Samples of a full chunk, which are given up together; one that late samples blow up to twice this is split.
const FULL: usize = 1024;
/// The first chunks of neighbours are full after so many different counts.
const PHASES: usize = FULL / SEALED;

#[derive(Debug)]
pub(super) struct Track {
    /// The time of the newest sample, at hand so that taking one reads no row; `i64::MIN` before the first.
    pub newest_time: i64,
    pub tail: Rows,
    pub chunks: VecDeque<Chunk>,
    /// The last chunk takes no more than this many samples.
    room: usize,
    /// Whether the eviction queue knows this track.
    pub queued: bool,
}

/// A place between samples: the chunk (`chunks.len()` is the tail) and the sample in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    chunk: usize,
    sample: usize,
}

/// What taking a sample changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken {
    /// Earlier than the newest one before it.
    pub late: bool,
    /// In bytes.
    pub growth: i64,
}

impl Track {
    /// Of the signal with this index. A thousand signals that are sampled together would begin all of their chunks at one
    /// moment, each with fresh memory, which takes milliseconds: so the first chunk is shorter for some than for others.
    pub fn new(signal: usize) -> Self {
        let room = FULL - signal % PHASES * SEALED;
        Self { newest_time: i64::MIN, tail: Rows::default(), chunks: VecDeque::new(), room, queued: false }
    }

    pub fn append(&mut self, sample: &Sample) -> Taken {
        let mut taken = Taken::default();
        let time = sample.source_time.0;
        // The common case measures only when memory can have changed.
        let measured =
            self.tail.rows.len() == self.tail.rows.capacity() || matches!(sample.value, crate::value::Value::Text(_));
        let before = if measured { self.tail.bytes() } else { 0 };
        taken.late = time < self.newest_time;
        if taken.late && self.chunks.back().is_some_and(|sealed| time < sealed.last_time) {
            taken.growth = self.insert_sealed(sample);
            return taken;
        }
        let row = self.tail.row(sample);
        if self.tail.rows.len() == SEALED {
            // The last one before sealing: no need to double.
            self.tail.rows.reserve_exact(1);
        }
        if taken.late {
            self.tail.insert(row);
        } else {
            self.tail.push(row);
            self.newest_time = time;
        }
        if measured {
            taken.growth += self.tail.bytes() as i64 - before as i64;
        }
        if self.tail.rows.len() > SEALED {
            taken.growth += self.seal();
        }
        taken
    }

    /// Seals all of the tail but the newest sample. Returns the growth in bytes.
    fn seal(&mut self) -> i64 {
        let before = self.tail.bytes();
        let growth = match self.chunks.back_mut() {
            Some(last) if last.len + SEALED <= self.room => {
                let before = last.bytes();
                self.tail.give_front(SEALED, |rows, texts| last.extend(rows, texts));
                last.bytes() as i64 - before as i64
            }
            last => {
                // A signal that has filled a chunk is about to fill the next.
                let room = if last.is_some() { FULL } else { SEALED };
                if last.is_some() {
                    self.room = FULL;
                }
                let chunk = self.tail.give_front(SEALED, |rows, texts| Chunk::seal(rows, texts, room));
                let growth = chunk.as_ref().map_or(0, |chunk| chunk.bytes() as i64);
                self.chunks.extend(chunk);
                growth
            }
        };
        growth + self.tail.bytes() as i64 - before as i64
    }

    /// Puts a late sample among sealed ones. Returns the growth in bytes.
    fn insert_sealed(&mut self, sample: &Sample) -> i64 {
        let time = sample.source_time.0;
        let at = self.chunks.partition_point(|chunk| chunk.first_time <= time).saturating_sub(1);
        let Some(chunk) = self.chunks.remove(at) else { return 0 };
        let mut growth = -(chunk.bytes() as i64);
        let mut rows = Rows::default();
        chunk.unseal(&mut rows);
        let row = rows.row(sample);
        rows.insert(row);
        if rows.rows.len() > 2 * FULL {
            let front = rows.split_front(FULL);
            if let Some(chunk) = rows.seal() {
                growth += chunk.bytes() as i64;
                self.chunks.insert(at, chunk);
            }
            rows = front;
        }
        if let Some(chunk) = rows.seal() {
            growth += chunk.bytes() as i64;
            self.chunks.insert(at, chunk);
        }
        growth
    }

    /// How old the samples are that [`Self::evict`] would take: the time of the newest of them. None if only the newest
    /// sample is left.
    pub fn evictable(&self) -> Option<i64> {
        match self.chunks.front() {
            Some(chunk) => Some(chunk.last_time),
            None => self.tail.rows.get((self.tail.rows.len() / 2).checked_sub(1)?).map(|row| row.source_time),
        }
    }

    /// Gives up the oldest chunk, or else the older half of the tail. Returns samples lost and bytes freed.
    pub fn evict(&mut self) -> (u64, u64) {
        if let Some(chunk) = self.chunks.pop_front() {
            return (chunk.len as u64, chunk.bytes());
        }
        let before = self.tail.bytes();
        let lost = self.tail.split_front(self.tail.rows.len() / 2).rows.len();
        self.tail.rows.shrink_to_fit();
        (lost as u64, before.saturating_sub(self.tail.bytes()))
    }

    pub fn len(&self) -> u64 {
        (self.chunks.iter().map(|chunk| chunk.len).sum::<usize>() + self.tail.rows.len()) as u64
    }

    /// Memory held beside the track itself, in bytes.
    pub fn bytes(&self) -> u64 {
        self.tail.bytes() + self.chunks.iter().map(Chunk::bytes).sum::<u64>()
    }

    pub fn first_time(&self) -> Option<i64> {
        self.chunks.front().map(|chunk| chunk.first_time).or_else(|| self.tail.rows.first().map(|row| row.source_time))
    }

    pub fn newest(&self) -> Option<Point> {
        self.tail.rows.last().map(|row| row.point(self.tail.texts()))
    }

    /// The newest sample at or before `at`; of several at the same time the one that arrived last.
    pub fn latest_at(&self, at: Timestamp) -> Option<Point> {
        if self.tail.rows.last()?.source_time <= at.0 {
            return self.newest();
        }
        self.after(self.previous(self.place_after(at))?)
    }

    /// The newest sample of those with a source time and a receive time at or before `at`; of several at the same source
    /// time the one received last. One step where samples come in order; chunks of samples that all came later than `at`
    /// are passed over.
    pub fn latest_known(&self, at: Timestamp) -> Option<Point> {
        let end = self.place_after(at);
        let mut best: Option<(KnownRow, usize)> = None;
        for chunk in (0..=end.chunk).rev() {
            let known = best.map(|(known, _)| known);
            let count = if chunk == end.chunk { end.sample } else { usize::MAX };
            let better = match self.chunks.get(chunk) {
                Some(sealed) if known.is_some_and(|known| sealed.last_time < known.source) => break,
                Some(sealed) => sealed.newest_known(count, at.0, known),
                None => self.tail.newest_known(count, at.0, known),
            };
            best = better.map(|better| (better, chunk)).or(best);
        }
        let (known, chunk) = best?;
        self.after(Place { chunk, sample: known.at })
    }

    /// The place before the first sample at or after `time`.
    pub fn place_of(&self, time: Timestamp) -> Place {
        self.place(|other| other < time.0)
    }

    /// The place behind all samples at or before `time`.
    pub fn place_after(&self, time: Timestamp) -> Place {
        self.place(|other| other <= time.0)
    }

    /// The place where a condition on the source time ends to hold.
    fn place(&self, holds: impl Fn(i64) -> bool) -> Place {
        let chunk = self.chunks.partition_point(|chunk| holds(chunk.last_time));
        let sample = match self.chunks.get(chunk) {
            Some(sealed) => sealed.partition_point(holds),
            None => self.tail.rows.partition_point(|row| holds(row.source_time)),
        };
        Place { chunk, sample }
    }

    /// The sample behind `place`.
    pub fn after(&self, place: Place) -> Option<Point> {
        match self.chunks.get(place.chunk) {
            Some(chunk) => chunk.row(place.sample).map(|row| row.point(chunk.texts())),
            None => self.tail.rows.get(place.sample).map(|row| row.point(self.tail.texts())),
        }
    }

    /// The place before the sample that lies before `place`.
    pub fn previous(&self, place: Place) -> Option<Place> {
        match place.sample.checked_sub(1) {
            Some(sample) => Some(Place { sample, ..place }),
            None => {
                let chunk = place.chunk.checked_sub(1)?;
                Some(Place { chunk, sample: self.chunks.get(chunk)?.len.checked_sub(1)? })
            }
        }
    }

    pub fn next(&self, place: Place) -> Place {
        match self.chunks.get(place.chunk) {
            Some(chunk) if place.sample + 1 >= chunk.len => Place { chunk: place.chunk + 1, sample: 0 },
            _ => Place { sample: place.sample + 1, ..place },
        }
    }

    /// Summary and number of the samples between two places.
    pub fn summary(&self, from: Place, to: Place) -> (Summary, u64) {
        let mut whole = Summary::EMPTY;
        let mut count = 0;
        for at in from.chunk..=to.chunk.min(self.chunks.len()) {
            let first = if at == from.chunk { from.sample } else { 0 };
            let end = |len: usize| if at == to.chunk { to.sample.min(len) } else { len };
            let (part, samples) = match self.chunks.get(at) {
                Some(chunk) if first == 0 && end(chunk.len) == chunk.len => (chunk.summary, chunk.len),
                Some(chunk) => (chunk.summary_of(first, end(chunk.len)), end(chunk.len).saturating_sub(first)),
                None => {
                    let end = end(self.tail.rows.len());
                    (self.tail.summary(first, end), end.saturating_sub(first))
                }
            };
            whole.join(&part);
            count += samples as u64;
        }
        (whole, count)
    }
}
