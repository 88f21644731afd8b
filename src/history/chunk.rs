//! A sealed stretch of one signal: columns instead of rows, and summaries of its parts.
//!
//! In: rows in source-time order, which may go on coming at its end. Out: rows again, lookups by time, summaries of any
//! part in at most some hundred steps. What it holds never changes: a late sample unseals it and seals it anew.
//!
//! About 21 bytes a sample: time 8, value 8, receive time 4 (less where it says nothing), summaries 1.3, and a tag only
//! where not all are the same. The columns are private to this file, so that they can be compressed one day without
//! anyone noticing.

use std::sync::Arc;

use super::row::{KnownRow, Row, Rows, Tag, intern, newest_known, text_bytes};
use super::summary::Summary;

/// Samples under one summary.
const FAN: usize = 32;

/// What searches and far views need, kept side by side in the list of chunks. Never empty.
#[derive(Debug)]
pub(super) struct Chunk {
    pub first_time: i64,
    pub last_time: i64,
    pub len: usize,
    pub summary: Summary,
    /// The earliest and the latest receive time.
    pub received: (i64, i64),
    columns: Box<Columns>,
}

#[derive(Debug)]
struct Columns {
    times: Vec<i64>,
    values: Vec<u64>,
    tags: Tags,
    received: Received,
    texts: Vec<Arc<str>>,
    /// Over each full group of [`FAN`] samples.
    nodes: Vec<Summary>,
}

/// Kinds and qualities: most stretches are numbers of one quality throughout.
#[derive(Debug)]
enum Tags {
    Same(Tag),
    Each(Vec<Tag>),
}

impl Tags {
    /// Adds those of `rows` behind the first `len`.
    fn extend(&mut self, rows: &[Row], len: usize) {
        if let Self::Same(same) = self {
            if rows.iter().all(|row| row.tag == *same) {
                return;
            }
            *self = Self::Each(vec![*same; len]);
        }
        if let Self::Each(each) = self {
            each.extend(rows.iter().map(|row| row.tag));
        }
    }

    fn get(&self, index: usize) -> Option<Tag> {
        match self {
            Self::Same(same) => Some(*same),
            Self::Each(each) => each.get(index).copied(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Same(_) => 0,
            Self::Each(each) => each.capacity() * size_of::<Tag>(),
        }
    }
}

/// Receive times, exact to the nanosecond in as little as they need.
#[derive(Debug)]
enum Received {
    /// As the source times: the source has no clock.
    Same,
    /// Source time + `delay` + a difference within ±2.1 s.
    Near {
        delay: i64,
        jitter: Vec<i32>,
    },
    Far(Vec<i64>),
}

impl Received {
    /// Adds those of `rows` behind the samples with these source `times`, in memory for `room` samples.
    fn extend(&mut self, rows: &[Row], times: &[i64], room: usize) {
        let delay_of = |row: &Row| row.receive_time.wrapping_sub(row.source_time);
        if let Self::Same = self {
            if rows.iter().all(|row| row.receive_time == row.source_time) {
                return;
            }
            let delay = if times.is_empty() { rows.first().map_or(0, delay_of) } else { 0 };
            let mut jitter = Vec::with_capacity(room);
            jitter.resize(times.len(), 0);
            *self = Self::Near { delay, jitter };
        }
        if let Self::Near { delay, jitter } = self {
            let mut fits = true;
            // Wraps around and back again, so that what fits is exact however far the times are apart.
            jitter.extend(rows.iter().map(|row| {
                let exact = delay_of(row).wrapping_sub(*delay);
                fits &= exact == i64::from(exact as i32);
                exact as i32
            }));
            if fits {
                return;
            }
            let mut far = Vec::with_capacity(room);
            far.extend(times.iter().zip(jitter).map(|(time, jitter)| near(*time, *delay, *jitter)));
            *self = Self::Far(far);
        }
        if let Self::Far(far) = self {
            far.extend(rows.iter().map(|row| row.receive_time));
        }
    }

    fn at(&self, index: usize, source_time: i64) -> i64 {
        match self {
            Self::Same => source_time,
            Self::Near { delay, jitter } => near(source_time, *delay, jitter.get(index).copied().unwrap_or(0)),
            Self::Far(times) => times.get(index).copied().unwrap_or(source_time),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Same => 0,
            Self::Near { jitter, .. } => jitter.capacity() * size_of::<i32>(),
            Self::Far(times) => times.capacity() * size_of::<i64>(),
        }
    }
}

fn near(source_time: i64, delay: i64, jitter: i32) -> i64 {
    source_time.wrapping_add(delay).wrapping_add(jitter.into())
}

impl Chunk {
    /// Turns rows, and the texts they point to, into columns, in memory for `room` samples; none if there are no rows.
    pub fn seal(rows: &[Row], texts: &[Arc<str>], room: usize) -> Option<Self> {
        let first = rows.first()?;
        let room = room.max(rows.len());
        let columns = Columns {
            times: Vec::with_capacity(room),
            values: Vec::with_capacity(room),
            tags: Tags::Same(first.tag),
            received: Received::Same,
            texts: Vec::new(),
            nodes: Vec::with_capacity(room / FAN),
        };
        let mut chunk = Self {
            first_time: first.source_time,
            last_time: first.source_time,
            len: 0,
            summary: Summary::EMPTY,
            received: (i64::MAX, i64::MIN),
            columns: Box::new(columns),
        };
        chunk.extend(rows, texts);
        Some(chunk)
    }

    /// Adds rows whose times are not before any that it holds.
    pub fn extend(&mut self, rows: &[Row], texts: &[Arc<str>]) {
        let Columns { times, values, tags, received, texts: known, nodes } = &mut *self.columns;
        received.extend(rows, times, times.capacity());
        tags.extend(rows, times.len());
        times.extend(rows.iter().map(|row| row.source_time));
        if texts.is_empty() {
            values.extend(rows.iter().map(|row| row.bits));
        } else {
            values.extend(rows.iter().map(|row| match texts.get(row.bits as usize) {
                Some(text) if row.tag.is_text() => intern(known, text),
                _ => row.bits,
            }));
        }
        let ungrouped = nodes.len() * FAN;
        let groups = values.get(ungrouped..).unwrap_or_default().chunks_exact(FAN).zip((ungrouped..).step_by(FAN));
        nodes.extend(groups.map(|(values, first)| summary(values, first, tags)));

        let before = std::mem::replace(&mut self.len, self.columns.times.len());
        self.summary.join(&self.summary_of(before, self.len));
        self.last_time = rows.last().map_or(self.last_time, |row| row.source_time);
        self.received = rows
            .iter()
            .fold(self.received, |(first, last), row| (first.min(row.receive_time), last.max(row.receive_time)));
    }

    /// Appends all rows to `rows`.
    pub fn unseal(&self, rows: &mut Rows) {
        rows.rows.reserve(self.len + 1);
        for index in 0..self.len {
            if let Some(row) = self.row(index) {
                rows.adopt(row, self.texts());
            }
        }
    }

    pub fn row(&self, index: usize) -> Option<Row> {
        let columns = &*self.columns;
        let source_time = *columns.times.get(index)?;
        Some(Row {
            source_time,
            receive_time: columns.received.at(index, source_time),
            bits: *columns.values.get(index)?,
            tag: columns.tags.get(index)?,
        })
    }

    /// Of the first `count` samples the newest that was known; none if `best` stands. See [`newest_known`].
    pub fn newest_known(&self, count: usize, known: i64, best: Option<KnownRow>) -> Option<KnownRow> {
        // The whole chunk became known later, or it adds nothing to what was found at the same source time.
        if self.received.0 > known || best.is_some_and(|best| self.received.1 <= best.received) {
            return None;
        }
        let columns = &*self.columns;
        let samples = columns.times.get(..count).unwrap_or(&columns.times).iter().enumerate().rev();
        newest_known(samples.map(|(at, &source)| (at, source, columns.received.at(at, source))), known, best)
    }

    pub fn texts(&self) -> &[Arc<str>] {
        &self.columns.texts
    }

    /// How many samples, from the front, satisfy a condition on their source time that holds up to some moment.
    pub fn partition_point(&self, holds: impl Fn(i64) -> bool) -> usize {
        self.columns.times.partition_point(|&time| holds(time))
    }

    /// Over the samples `from..to`: one by one at the ragged ends, groups between.
    pub fn summary_of(&self, from: usize, to: usize) -> Summary {
        let columns = &*self.columns;
        let to = to.min(self.len);
        let mut whole = Summary::EMPTY;
        let mut at = from;
        while at < to {
            let group = (at.is_multiple_of(FAN) && at + FAN <= to).then(|| columns.nodes.get(at / FAN)).flatten();
            let end = match group {
                Some(node) => {
                    whole.join(node);
                    at + FAN
                }
                None => {
                    let end = (at + 1).next_multiple_of(FAN).min(to);
                    whole.join(&summary(columns.values.get(at..end).unwrap_or_default(), at, &columns.tags));
                    end
                }
            };
            at = end;
        }
        whole
    }

    /// Memory held, in bytes.
    pub fn bytes(&self) -> u64 {
        let columns = &*self.columns;
        let fixed = size_of::<Self>() + size_of::<Columns>();
        let nodes = columns.nodes.capacity() * size_of::<Summary>();
        let data = columns.times.capacity() * size_of::<i64>() + columns.values.capacity() * size_of::<u64>();
        let rest = columns.tags.bytes() + columns.received.bytes();
        (fixed + nodes + data + rest) as u64 + text_bytes(&columns.texts)
    }
}

/// Of values that stand at `first` and behind it.
fn summary(values: &[u64], first: usize, tags: &Tags) -> Summary {
    let mut summary = Summary::EMPTY;
    for (&bits, at) in values.iter().zip(first..) {
        if let Some(tag) = tags.get(at) {
            summary.add(Row::height(bits, tag), tag.grade());
        }
    }
    summary
}
