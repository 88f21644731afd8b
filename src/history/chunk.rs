//! A sealed stretch of one signal: columns instead of rows, and a pyramid of summaries over them.
//!
//! In: rows in source-time order. Out: rows again, lookups by time, summaries of any part in at most some hundred
//! steps. Never changes: a late sample unseals it and seals it anew.
//!
//! About 22 bytes a sample: time 8, value 8, tag 1, receive time 4 (less where it says nothing), pyramid 1.3. The
//! columns are private to this file, so that they can be compressed one day without anyone noticing.

use std::sync::Arc;

use super::row::{Known, Row, Rows, Tag, newest_known, text_bytes};
use super::summary::Summary;

/// Samples under one node of the lower level, and nodes of the lower level under one of the upper.
const FAN: usize = 32;

/// What searches and far views need, kept side by side in the list of chunks.
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
    times: Box<[i64]>,
    values: Box<[u64]>,
    tags: Box<[Tag]>,
    received: Received,
    texts: Box<[Arc<str>]>,
    /// Over each full group of [`FAN`] samples.
    lower: Box<[Summary]>,
    /// Over each full group of [`FAN`] lower nodes.
    upper: Box<[Summary]>,
}

/// Receive times, exact to the nanosecond in as little as they need.
#[derive(Debug)]
enum Received {
    /// As the source times: the source has no clock.
    Same,
    /// Source time + `delay` + a difference within ±2.1 s.
    Near {
        delay: i64,
        jitter: Box<[i32]>,
    },
    Far(Box<[i64]>),
}

impl Received {
    /// Of (source time, receive time) pairs.
    fn of(pairs: impl Iterator<Item = (i64, i64)> + Clone) -> Self {
        if pairs.clone().all(|(source, received)| received == source) {
            return Self::Same;
        }
        let delay = pairs.clone().next().map_or(0, |(source, received)| received.wrapping_sub(source));
        let jitter = |(source, received)| {
            let exact = i128::from(received) - i128::from(source) - i128::from(delay);
            i32::try_from(exact).ok()
        };
        match pairs.clone().map(jitter).collect::<Option<Box<[i32]>>>() {
            Some(jitter) => Self::Near { delay, jitter },
            None => Self::Far(pairs.map(|(_, received)| received).collect()),
        }
    }

    fn at(&self, index: usize, source_time: i64) -> i64 {
        match self {
            Self::Same => source_time,
            Self::Near { delay, jitter } => {
                source_time.wrapping_add(*delay).wrapping_add(jitter.get(index).copied().unwrap_or(0).into())
            }
            Self::Far(times) => times.get(index).copied().unwrap_or(source_time),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Same => 0,
            Self::Near { jitter, .. } => size_of_val::<[i32]>(jitter),
            Self::Far(times) => size_of_val::<[i64]>(times),
        }
    }
}

impl Chunk {
    /// Turns rows, and the texts they point to, into columns; none if there are no rows.
    pub fn seal(rows: &[Row], texts: &[Arc<str>]) -> Option<Self> {
        Self::of_columns(
            rows.iter().map(|row| row.source_time).collect(),
            rows.iter().map(|row| row.bits).collect(),
            rows.iter().map(|row| row.tag).collect(),
            Received::of(rows.iter().map(|row| (row.source_time, row.receive_time))),
            texts.into(),
        )
    }

    /// One chunk of several that follow each other; none if they hold texts, which would have to be numbered anew.
    pub fn join<'a>(parts: impl Iterator<Item = &'a Chunk> + Clone) -> Option<Self> {
        if parts.clone().any(|part| !part.texts().is_empty()) {
            return None;
        }
        let columns = parts.map(|part| &*part.columns);
        let times = columns.clone().map(|part| &*part.times).collect::<Vec<_>>().concat();
        let values = columns.clone().map(|part| &*part.values).collect::<Vec<_>>().concat();
        let tags = columns.clone().map(|part| &*part.tags).collect::<Vec<_>>().concat();
        let received = Received::of(columns.flat_map(|part| {
            part.times.iter().enumerate().map(|(at, source)| (*source, part.received.at(at, *source)))
        }));
        Self::of_columns(times.into(), values.into(), tags.into(), received, Box::default())
    }

    fn of_columns(
        times: Box<[i64]>,
        values: Box<[u64]>,
        tags: Box<[Tag]>,
        received: Received,
        texts: Box<[Arc<str>]>,
    ) -> Option<Self> {
        let (&first_time, &last_time) = (times.first()?, times.last()?);
        let lower: Box<[Summary]> = values
            .chunks_exact(FAN)
            .zip(tags.chunks_exact(FAN))
            .map(|(values, tags)| {
                let mut node = Summary::EMPTY;
                for (&bits, &tag) in values.iter().zip(tags) {
                    node.add(Row::height(bits, tag), tag.grade());
                }
                node
            })
            .collect();
        let upper = lower
            .chunks_exact(FAN)
            .map(|nodes| {
                nodes.iter().fold(Summary::EMPTY, |mut whole, node| {
                    whole.join(node);
                    whole
                })
            })
            .collect();
        let len = times.len();
        let receipts = times.iter().enumerate().map(|(at, source)| received.at(at, *source));
        let span = receipts.fold((i64::MAX, i64::MIN), |(first, last), time| (first.min(time), last.max(time)));
        let columns = Box::new(Columns { times, values, tags, received, texts, lower, upper });
        let mut chunk = Self { first_time, last_time, len, summary: Summary::EMPTY, received: span, columns };
        chunk.summary = chunk.summary_of(0, len);
        Some(chunk)
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
            tag: *columns.tags.get(index)?,
        })
    }

    /// Of the first `count` samples the newest that was known; none if `best` stands. See [`newest_known`].
    pub fn newest_known(&self, count: usize, known: i64, best: Option<Known>) -> Option<Known> {
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

    /// Over the samples `from..to`: raw at the ragged ends, nodes between.
    pub fn summary_of(&self, from: usize, to: usize) -> Summary {
        let columns = &*self.columns;
        let to = to.min(self.len);
        let node = |nodes: &[Summary], at: usize, span: usize| -> Option<Summary> {
            (at.is_multiple_of(span) && at + span <= to).then(|| nodes.get(at / span).copied()).flatten()
        };
        let mut whole = Summary::EMPTY;
        let mut at = from;
        while at < to {
            if let Some(upper) = node(&columns.upper, at, FAN * FAN) {
                whole.join(&upper);
                at += FAN * FAN;
            } else if let Some(lower) = node(&columns.lower, at, FAN) {
                whole.join(&lower);
                at += FAN;
            } else {
                if let (Some(&bits), Some(&tag)) = (columns.values.get(at), columns.tags.get(at)) {
                    whole.add(Row::height(bits, tag), tag.grade());
                }
                at += 1;
            }
        }
        whole
    }

    /// Memory held, in bytes.
    pub fn bytes(&self) -> u64 {
        let columns = &*self.columns;
        let fixed = size_of::<Self>() + size_of::<Columns>();
        let nodes = size_of_val::<[Summary]>(&columns.lower) + size_of_val::<[Summary]>(&columns.upper);
        let data = self.len * (size_of::<i64>() + size_of::<u64>() + size_of::<Tag>()) + columns.received.bytes();
        (fixed + nodes + data) as u64 + text_bytes(&columns.texts)
    }
}
