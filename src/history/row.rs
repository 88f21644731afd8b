//! Samples in rows: how a signal's newest stretch is held while it still grows.
//!
//! In: samples. Out: fixed-size rows and the texts they point to. Rows are packed so that taking a sample touches one
//! cache line at the end of one vector; columns come later, when a stretch is [sealed](super::chunk).

use std::sync::Arc;

use super::chunk::Chunk;
use super::summary::Summary;
use super::{Point, Sample};
use crate::value::{Grade, Origin, Quality, Reason, Timestamp, Value};

/// One sample of a known signal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub source_time: i64,
    pub receive_time: i64,
    /// The bits of a number, 0 or 1, or a position in the texts.
    pub bits: u64,
    pub tag: Tag,
}

/// Quality, kind and origin of a value in two bytes, which a row has to spare: reason in bits 0 to 3, grade in bits 4 and
/// 5, kind in bits 6 and 7, origin in bits 8 to 10.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tag(u16);

const NUMBER: u16 = 0;
const BOOL: u16 = 1;
const TEXT: u16 = 2;

const GRADES: [Grade; 4] = [Grade::Good, Grade::Uncertain, Grade::Stale, Grade::Bad];

/// In the order of their discriminants.
const REASONS: [Reason; 11] = [
    Reason::None,
    Reason::NeverSeen,
    Reason::Expired,
    Reason::OutOfRange,
    Reason::DecodeError,
    Reason::NotFinite,
    Reason::Input,
    Reason::Expression,
    Reason::Retained,
    Reason::Source,
    Reason::Rounded,
];

/// In the order of their discriminants.
const ORIGINS: [Origin; 5] =
    [Origin::Measured, Origin::Derived, Origin::Simulated, Origin::Estimated, Origin::Forecast];

// A reason or an origin that is added without a line above would be read back as another one.
const _: () = {
    let mut at = 0;
    while at < REASONS.len() {
        assert!(REASONS[at] as usize == at);
        at += 1;
    }
    assert!(REASONS.len() <= 16);
    let mut at = 0;
    while at < ORIGINS.len() {
        assert!(ORIGINS[at] as usize == at);
        at += 1;
    }
};

impl Tag {
    fn new(kind: u16, quality: Quality, origin: Origin) -> Self {
        Self((origin as u16) << 8 | kind << 6 | (quality.grade as u16) << 4 | quality.reason as u16)
    }

    fn kind(self) -> u16 {
        self.0 >> 6 & 0b11
    }

    pub fn is_text(self) -> bool {
        self.kind() == TEXT
    }

    pub fn grade(self) -> Grade {
        GRADES[usize::from(self.0 >> 4 & 0b11)]
    }

    fn quality(self) -> Quality {
        let reason = REASONS.get(usize::from(self.0 & 0b1111)).copied().unwrap_or_default();
        Quality { grade: self.grade(), reason }
    }

    fn origin(self) -> Origin {
        ORIGINS.get(usize::from(self.0 >> 8)).copied().unwrap_or_default()
    }
}

impl Row {
    /// What the value adds to a drawing: text, numbers that are not finite and what only stands for a value have no height.
    pub fn height(bits: u64, tag: Tag) -> Option<f64> {
        let x = match tag.kind() {
            NUMBER => f64::from_bits(bits),
            BOOL if tag.quality().has_value() => bits as f64,
            _ => return None,
        };
        x.is_finite().then_some(x)
    }

    pub fn point(&self, texts: &[Arc<str>]) -> Point {
        let value = match self.tag.kind() {
            NUMBER => Value::Number(f64::from_bits(self.bits)),
            BOOL => Value::Bool(self.bits != 0),
            _ => Value::Text(texts.get(self.bits as usize).cloned().unwrap_or_default()),
        };
        Point {
            source_time: Timestamp(self.source_time),
            receive_time: Timestamp(self.receive_time),
            value,
            quality: self.tag.quality(),
            origin: self.tag.origin(),
        }
    }
}

/// A sample that had been received by some moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownRow {
    pub source: i64,
    pub received: i64,
    /// Its position among the samples that were searched.
    pub at: usize,
}

/// Of samples (position, source time, receive time), newest first, the one with the newest source time of those that
/// were received by `known`; of several at that source time the one received last. None if `best` is at least as good.
///
/// Samples that came late stand among those that came in time: more than one may have to be looked at.
pub(super) fn newest_known(
    samples: impl Iterator<Item = (usize, i64, i64)>,
    known: i64,
    best: Option<KnownRow>,
) -> Option<KnownRow> {
    let mut found = None;
    for (at, source, received) in samples {
        let best = found.or(best);
        if best.is_some_and(|best| source < best.source) {
            break;
        }
        if received <= known && best.is_none_or(|best| received > best.received) {
            found = Some(KnownRow { source, received, at });
        }
    }
    found
}

/// Rows in source-time order, with the texts that they point to.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub rows: Vec<Row>,
    /// Most signals are numbers: they carry one null pointer instead of an empty table.
    texts: Option<Box<Texts>>,
}

#[derive(Clone, Debug, Default)]
struct Texts {
    list: Vec<Arc<str>>,
}

/// So many of the latest texts are compared before a text is held once more: states repeat, log lines do not.
const RECENT_TEXTS: usize = 8;

impl Rows {
    #[inline]
    pub fn row(&mut self, sample: &Sample) -> Row {
        let (kind, bits) = match &sample.value {
            Value::Number(x) => (NUMBER, x.to_bits()),
            Value::Bool(b) => (BOOL, u64::from(*b)),
            Value::Text(text) => (TEXT, self.intern(text)),
        };
        Row {
            source_time: sample.source_time.0,
            receive_time: sample.receive_time.0,
            bits,
            tag: Tag::new(kind, sample.quality, sample.origin),
        }
    }

    fn intern(&mut self, text: &Arc<str>) -> u64 {
        intern(&mut self.texts.get_or_insert_default().list, text)
    }

    /// Appends a row of other rows or of a chunk, with its text.
    pub fn adopt(&mut self, mut row: Row, texts: &[Arc<str>]) {
        if row.tag.is_text() {
            row.bits = texts.get(row.bits as usize).map_or(u64::MAX, |text| self.intern(text));
        }
        self.rows.push(row);
    }

    /// Behind all others: its time is not before theirs.
    #[inline]
    pub fn push(&mut self, row: Row) {
        // Field by field: a row that is copied as a whole is read back before its last byte has left the store buffer,
        // which costs more than all the rest.
        let Row { source_time, receive_time, bits, tag } = row;
        self.rows.push(Row { source_time, receive_time, bits, tag });
    }

    /// Where its time belongs, behind those of the same time.
    pub fn insert(&mut self, row: Row) {
        let at = self.rows.partition_point(|other| other.source_time <= row.source_time);
        self.rows.insert(at, row);
    }

    /// Takes the first `count` rows out, with the texts they need; what stays gives its spare memory back.
    pub fn split_front(&mut self, count: usize) -> Rows {
        let count = count.min(self.rows.len());
        let (mut front, mut rest) = (Rows::default(), Rows::default());
        front.rows.reserve_exact(count);
        for (at, row) in self.rows.iter().enumerate() {
            let side = if at < count { &mut front } else { &mut rest };
            side.adopt(*row, self.texts());
        }
        *self = rest;
        front
    }

    /// Hands over the first `count` rows, and the texts they point to, and forgets them. Rows of numbers keep their memory:
    /// the next ones are soon to come.
    pub fn give_front<R>(&mut self, count: usize, to: impl FnOnce(&[Row], &[Arc<str>]) -> R) -> R {
        if self.texts().is_empty() {
            let count = count.min(self.rows.len());
            let given = to(self.rows.get(..count).unwrap_or_default(), &[]);
            self.rows.drain(..count);
            given
        } else {
            let front = self.split_front(count);
            to(&front.rows, front.texts())
        }
    }

    /// As a chunk; none if there are no rows.
    pub fn seal(&self) -> Option<Chunk> {
        Chunk::seal(&self.rows, self.texts(), self.rows.len())
    }

    pub fn texts(&self) -> &[Arc<str>] {
        self.texts.as_deref().map_or(&[], |texts| texts.list.as_slice())
    }

    /// Of the first `count` rows the newest that was known; none if `best` stands. See [`newest_known`].
    pub fn newest_known(&self, count: usize, known: i64, best: Option<KnownRow>) -> Option<KnownRow> {
        let rows = self.rows.get(..count).unwrap_or(&self.rows).iter().enumerate().rev();
        newest_known(rows.map(|(at, row)| (at, row.source_time, row.receive_time)), known, best)
    }

    pub fn summary(&self, from: usize, to: usize) -> Summary {
        let mut summary = Summary::EMPTY;
        for row in self.rows.get(from..to).unwrap_or_default() {
            summary.add(Row::height(row.bits, row.tag), row.tag.grade());
        }
        summary
    }

    /// Memory held, in bytes.
    pub fn bytes(&self) -> u64 {
        (self.rows.capacity() * size_of::<Row>()) as u64 + text_bytes(self.texts())
    }
}

/// The position of a text in a table, which takes it in if it is not among the latest.
pub(super) fn intern(texts: &mut Vec<Arc<str>>, text: &Arc<str>) -> u64 {
    let recent = texts.len().saturating_sub(RECENT_TEXTS);
    let found = texts.iter().skip(recent).position(|known| Arc::ptr_eq(known, text) || known == text);
    match found {
        Some(at) => (recent + at) as u64,
        None => {
            texts.push(Arc::clone(text));
            texts.len() as u64 - 1
        }
    }
}

/// Memory behind a table of texts, in bytes. A text shared by several tables counts in each.
pub(super) fn text_bytes(texts: &[Arc<str>]) -> u64 {
    texts.iter().map(|text| (size_of::<Arc<str>>() + 2 * size_of::<usize>() + text.len()) as u64).sum()
}
