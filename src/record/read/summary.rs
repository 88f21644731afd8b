//! The index at the end of a finished recording. In: a file. Out: what is in it, or why it cannot be used: then a
//! [`scan`](super::scan) makes one. Reads the end of the file once, however large the rest is.

use std::collections::BTreeMap;

use super::chunk::ChunkSpan;
use super::damage::NoIndex;
use super::file::{Source, Window};
use super::index::{Attached, Channels, Found, Holds, Kind};
use super::wire::{self, FOOTER, Fields, HEAD, MAGIC, op};
use super::{AttachmentEntry, ReadError};

/// Chunks whose place is looked at before the index is trusted.
const PROBES: usize = 12;

/// What stands in a file, as its index or a scan says.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub channels: Channels,
    pub found: Vec<Found>,
    pub attachments: Vec<Attached>,
    /// Offset and length of metadata records.
    pub metadata: Vec<(u64, u64)>,
    pub counts: BTreeMap<u16, u64>,
}

/// Why there is nothing to go by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unusable {
    /// The file is whole and has none, or not enough of one.
    Absent,
    Damaged(NoIndex),
    /// It gives one number to several channels.
    Contradictory,
}

/// Where the summary stands: its start, and the footer after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub start: u64,
    pub footer: u64,
}

/// Finds the summary by the footer; its CRC is checked.
pub(super) fn find(source: &Source) -> Result<Result<Span, Unusable>, ReadError> {
    let unfinished = Ok(Err(Unusable::Damaged(NoIndex::Unfinished)));
    let wrong = Ok(Err(Unusable::Damaged(NoIndex::Wrong)));
    let magic = MAGIC.len() as u64;
    let Some(footer) = source.len().checked_sub(magic + FOOTER).filter(|footer| *footer >= magic) else {
        return unfinished;
    };
    let Some(end) = source.read(footer, FOOTER + magic)? else { return unfinished };
    let mut fields = Fields(&end);
    let head = (fields.u8(), fields.u64());
    let (Some(start), Some(_offsets), Some(crc)) = (fields.u64(), fields.u64(), fields.u32()) else {
        return unfinished;
    };
    if fields.0 != MAGIC {
        return unfinished;
    }
    if head != (Some(op::FOOTER), Some(FOOTER - HEAD)) {
        return wrong;
    }
    if start == 0 {
        return Ok(Err(Unusable::Absent));
    }
    if start < magic || start > footer {
        return wrong;
    }
    if crc != 0 && crc != checksum(source, start, footer)? {
        return wrong;
    }
    Ok(Ok(Span { start, footer }))
}

/// Over the summary and the footer up to its own CRC.
fn checksum(source: &Source, start: u64, footer: u64) -> Result<u32, ReadError> {
    let mut window = Window::new(source);
    let mut hasher = crc32fast::Hasher::new();
    let (mut at, end) = (start, footer + FOOTER - 4);
    while at < end {
        let length = (end - at).min(64 * 1024);
        hasher.update(window.read(at, length)?.unwrap_or_default());
        at += length;
    }
    Ok(hasher.finalize())
}

/// All that the summary says; checked against each other, and here and there against the rest of the file.
pub(super) fn read(source: &Source) -> Result<Result<Contents, Unusable>, ReadError> {
    let span = match find(source)? {
        Ok(span) => span,
        Err(unusable) => return Ok(Err(unusable)),
    };
    let mut reading = Reading { data_end: span.start, ..Reading::default() };
    if reading.pass(source, span)?.is_none() {
        let why = if reading.contradicts { Unusable::Contradictory } else { Unusable::Damaged(NoIndex::Wrong) };
        return Ok(Err(why));
    }
    if reading.is_ahead {
        // Chunks came before their channels. Now all channels are known.
        let channels = std::mem::take(&mut reading.contents.channels);
        reading = Reading { data_end: span.start, ..Reading::default() };
        reading.contents.channels = channels;
        if reading.pass(source, span)?.is_none() {
            return Ok(Err(Unusable::Damaged(NoIndex::Wrong)));
        }
    }
    let Reading { contents, is_ahead, statistics, .. } = reading;
    let (chunks, attachments) = (contents.found.len(), contents.attachments.len());
    // What is in no chunk is in no index: a walk finds it. Chunks without message indexes do not say what they hold.
    let indexed = contents.found.iter().fold(0u64, |sum, found| sum.saturating_add(found.messages));
    let has_opaque = contents.found.iter().any(|found| found.is_opaque);
    let mut lacks = false;
    if let Some(statistics) = &statistics {
        lacks = chunks != statistics.chunks as usize
            || attachments != statistics.attachments as usize
            || contents.metadata.len() != statistics.metadata as usize
            || (indexed != statistics.messages && !has_opaque)
            || (has_opaque && has_more(source, &contents, span)?);
    }
    // Without statistics nothing says whether there is more than the index tells.
    if is_ahead || lacks || statistics.is_none() {
        return Ok(Err(Unusable::Absent));
    }
    if !fits(source, &contents.found)? {
        return Ok(Err(Unusable::Damaged(NoIndex::Wrong)));
    }
    let counts = statistics.map(|statistics| statistics.counts).unwrap_or_default();
    Ok(Ok(Contents { counts, ..contents }))
}

/// Schemas and channels as the summary repeats them.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    pub schemas: BTreeMap<u16, wire::Schema>,
    pub channels: BTreeMap<u16, wire::Channel>,
}

/// Of a file whose summary is good; what is no definition is left out.
pub(super) fn definitions(source: &Source) -> Result<Definitions, ReadError> {
    let mut all = Definitions::default();
    let Ok(span) = find(source)? else { return Ok(all) };
    each_record(source, span, |op, body| {
        if let Some(schema) = (op == op::SCHEMA).then(|| wire::schema(body)).flatten() {
            all.schemas.insert(schema.id, schema);
        }
        if let Some(channel) = (op == op::CHANNEL).then(|| wire::channel(body)).flatten() {
            all.channels.insert(channel.id, channel);
        }
        Some(())
    })?;
    all.channels.retain(|_, channel| channel.schema == 0 || all.schemas.contains_key(&channel.schema));
    Ok(all)
}

/// Gives every record between the start of the summary and the footer to `take`; none if one of them is no record, or
/// `take` says so.
fn each_record(
    source: &Source,
    span: Span,
    mut take: impl FnMut(u8, &[u8]) -> Option<()>,
) -> Result<Option<()>, ReadError> {
    let mut window = Window::new(source);
    let mut at = span.start;
    while at < span.footer {
        let Some(head) = window.read(at, HEAD)? else { return Ok(None) };
        let mut head = Fields(head);
        let (Some(op), Some(length)) = (head.u8(), head.u64()) else { return Ok(None) };
        let body = at + HEAD;
        if body > span.footer || length > span.footer - body {
            return Ok(None);
        }
        let Some(bytes) = window.read(body, length)? else { return Ok(None) };
        if take(op, bytes).is_none() {
            return Ok(None);
        }
        at = body + length;
    }
    Ok(Some(()))
}

#[derive(Default)]
struct Reading {
    contents: Contents,
    statistics: Option<wire::Statistics>,
    /// A chunk has a channel that was not known when it came.
    is_ahead: bool,
    /// A channel has the number of another.
    contradicts: bool,
    /// Where the data section ends at the latest.
    data_end: u64,
}

impl Reading {
    fn pass(&mut self, source: &Source, span: Span) -> Result<Option<()>, ReadError> {
        each_record(source, span, |op, body| self.take(op, body))
    }

    fn take(&mut self, op: u8, body: &[u8]) -> Option<()> {
        match op {
            op::CHANNEL => {
                self.contradicts = !self.contents.channels.add(wire::channel(body)?);
                return (!self.contradicts).then_some(());
            }
            op::STATISTICS => self.statistics = Some(wire::statistics(body)?),
            op::CHUNK_INDEX => {
                let chunk = wire::chunk_index(body)?;
                self.within(chunk.offset, chunk.length)?;
                let found = self.chunk(&chunk);
                self.contents.found.push(found);
            }
            op::ATTACHMENT_INDEX => {
                let index = wire::attachment_index(body)?;
                self.within(index.offset, index.length)?;
                let entry = AttachmentEntry {
                    name: index.name.to_owned(),
                    media_type: index.media_type.to_owned(),
                    size: index.size.min(index.length),
                };
                self.contents.attachments.push(Attached { entry, offset: index.offset, length: index.length });
            }
            op::METADATA_INDEX => {
                let (offset, length, _name) = wire::metadata_index(body)?;
                self.within(offset, length)?;
                self.contents.metadata.push((offset, length));
            }
            _ => {}
        }
        Some(())
    }

    fn within(&self, offset: u64, length: u64) -> Option<()> {
        let end = offset.checked_add(length)?;
        (offset >= MAGIC.len() as u64 && length > HEAD && end <= self.data_end).then_some(())
    }

    fn chunk(&mut self, chunk: &wire::ChunkIndex<'_>) -> Found {
        let (mut holds, mut keyframes) = (Holds::default(), Vec::new());
        for (id, offset) in chunk.channels() {
            match self.contents.channels.get(id) {
                Some(channel) => {
                    holds.add(channel.kind);
                    if channel.kind == Kind::Keyframe {
                        keyframes.push((offset, channel.is_partial));
                    }
                }
                None => self.is_ahead = true,
            }
        }
        Found {
            place: ChunkSpan { offset: chunk.offset, length: chunk.length, is_loose: false },
            start: chunk.start,
            end: chunk.end,
            messages: chunk.messages(),
            holds,
            keyframes,
            indexes_length: chunk.indexes_length,
            // Message indexes may be left out. A chunk of nothing but channels has none and the time 0.
            is_opaque: chunk.indexes.is_empty() && chunk.uncompressed > 0 && (chunk.start, chunk.end) != (0, 0),
        }
    }
}

/// Whether there is more in the data section than the header and what the index knows: messages outside of chunks.
fn has_more(source: &Source, contents: &Contents, span: Span) -> Result<bool, ReadError> {
    const DATA_END: u64 = HEAD + 4;
    let magic = MAGIC.len() as u64;
    let Some(head) = source.read(magic, HEAD)? else { return Ok(true) };
    let mut head = Fields(&head);
    let header = match (head.u8(), head.u64()) {
        (Some(op::HEADER), Some(length)) => length.saturating_add(HEAD),
        _ => return Ok(true),
    };
    let chunks = contents.found.iter().map(|found| found.place.length.saturating_add(found.indexes_length));
    let attachments = contents.attachments.iter().map(|attached| attached.length);
    let metadata = contents.metadata.iter().map(|(_, length)| *length);
    let known = chunks.chain(attachments).chain(metadata).fold(magic + DATA_END, u64::saturating_add);
    Ok(known.saturating_add(header) != span.start)
}

/// Whether chunks stand where they should: a file put together of two has an index that fits one of them.
fn fits(source: &Source, found: &[Found]) -> Result<bool, ReadError> {
    let step = (found.len() / PROBES).max(1);
    for one in found.iter().step_by(step).chain(found.last()) {
        let Some(head) = source.read(one.place.offset, HEAD)? else { return Ok(false) };
        let mut head = Fields(&head);
        if (head.u8(), head.u64()) != (Some(op::CHUNK), Some(one.place.length - HEAD)) {
            return Ok(false);
        }
    }
    Ok(true)
}
