//! The end of a file: the end of its data, the summary, the footer (<https://mcap.dev/spec#summary-section>). In: what
//! stands in the file. Out: bytes to stand behind it.

use std::collections::BTreeMap;

use super::wire::{self, FOOTER, HEAD, MAGIC, op};

/// What the summary will say.
#[derive(Debug, Default)]
pub(super) struct Tail {
    pub schemas: BTreeMap<u16, wire::Schema>,
    pub channels: BTreeMap<u16, wire::Channel>,
    pub chunks: Vec<ChunkEntry>,
    pub attachments: Vec<AttachmentEntry>,
    /// Offset, length, name.
    pub metadata: Vec<(u64, u64, String)>,
    pub counts: BTreeMap<u16, u64>,
    /// Log times of the first and the last message.
    pub times: Option<(u64, u64)>,
    /// Over all that stands before the end of the data; 0 where it is not known.
    pub data_crc: u32,
}

#[derive(Debug)]
pub(super) struct ChunkEntry {
    pub offset: u64,
    pub length: u64,
    pub start: u64,
    pub end: u64,
    /// How many have messages in it.
    pub channels: usize,
    /// Channel → offset of its message index.
    pub indexes: BTreeMap<u16, u64>,
    pub indexes_length: u64,
    pub compression: String,
    pub compressed: u64,
    pub uncompressed: u64,
}

#[derive(Debug)]
pub(super) struct AttachmentEntry {
    pub offset: u64,
    pub length: u64,
    pub log_time: u64,
    pub create_time: u64,
    pub size: u64,
    pub name: String,
    pub media_type: String,
}

/// A record, growing.
#[derive(Debug, Default)]
struct Body(Vec<u8>);

impl Body {
    fn u16(mut self, x: u16) -> Self {
        self.0.extend(x.to_le_bytes());
        self
    }

    fn u32(mut self, x: u32) -> Self {
        self.0.extend(x.to_le_bytes());
        self
    }

    fn u64(mut self, x: u64) -> Self {
        self.0.extend(x.to_le_bytes());
        self
    }

    fn block(self, bytes: &[u8]) -> Self {
        let mut body = self.u32(length(bytes.len()));
        body.0.extend(bytes);
        body
    }

    fn text(self, text: &str) -> Self {
        self.block(text.as_bytes())
    }

    fn map(self, map: &BTreeMap<String, String>) -> Self {
        let entries = map.iter().fold(Body::default(), |body, (key, value)| body.text(key).text(value));
        self.block(&entries.0)
    }

    fn counts(self, map: &BTreeMap<u16, u64>) -> Self {
        let entries = map.iter().fold(Body::default(), |body, (key, value)| body.u16(*key).u64(*value));
        self.block(&entries.0)
    }

    fn record(self, op: u8, into: &mut Vec<u8>) {
        into.push(op);
        into.extend((self.0.len() as u64).to_le_bytes());
        into.extend(self.0);
    }
}

/// Lengths come from what was read from fields of the same width.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Message indexes of a chunk: (log time, offset in the chunk) for each message of each channel.
pub(super) fn message_indexes(entries: &BTreeMap<u16, Vec<(u64, u64)>>, into: &mut Vec<u8>) {
    for (channel, entries) in entries {
        let list = entries.iter().fold(Body::default(), |body, (time, offset)| body.u64(*time).u64(*offset));
        Body::default().u16(*channel).block(&list.0).record(op::MESSAGE_INDEX, into);
    }
}

impl Tail {
    /// All that comes after the last record of the data, which ends at `at`.
    pub fn bytes(&self, at: u64) -> Vec<u8> {
        let mut out = Vec::new();
        Body::default().u32(self.data_crc).record(op::DATA_END, &mut out);
        let summary = out.len();
        let start = at + summary as u64;
        let mut offsets = Vec::new();
        let mut group = |op: u8, out: &mut Vec<u8>, write: &dyn Fn(&mut Vec<u8>)| {
            let from = out.len();
            write(out);
            if out.len() > from {
                offsets.push((op, at + from as u64, (out.len() - from) as u64));
            }
        };
        group(op::SCHEMA, &mut out, &|out| self.schemas.values().for_each(|schema| write_schema(schema, out)));
        group(op::CHANNEL, &mut out, &|out| self.channels.values().for_each(|channel| write_channel(channel, out)));
        group(op::STATISTICS, &mut out, &|out| self.write_statistics(out));
        group(op::CHUNK_INDEX, &mut out, &|out| self.chunks.iter().for_each(|chunk| write_chunk(chunk, out)));
        group(op::ATTACHMENT_INDEX, &mut out, &|out| {
            self.attachments.iter().for_each(|attachment| write_attachment(attachment, out));
        });
        group(op::METADATA_INDEX, &mut out, &|out| {
            for (offset, length, name) in &self.metadata {
                Body::default().u64(*offset).u64(*length).text(name).record(op::METADATA_INDEX, out);
            }
        });
        let offsets_start = at + out.len() as u64;
        for (op, from, length) in offsets {
            let mut body = Body(vec![op]);
            body = body.u64(from).u64(length);
            body.record(op::SUMMARY_OFFSET, &mut out);
        }
        // The CRC covers the summary and the footer up to itself.
        out.push(op::FOOTER);
        out.extend((FOOTER - HEAD).to_le_bytes());
        out.extend(start.to_le_bytes());
        out.extend(offsets_start.to_le_bytes());
        let crc = crc32fast::hash(out.get(summary..).unwrap_or_default());
        out.extend(crc.to_le_bytes());
        out.extend(MAGIC);
        out
    }

    fn write_statistics(&self, out: &mut Vec<u8>) {
        let (start, end) = self.times.unwrap_or((0, 0));
        Body::default()
            .u64(self.counts.values().sum())
            .u16(u16::try_from(self.schemas.len()).unwrap_or(u16::MAX))
            .u32(length(self.channels.len()))
            .u32(length(self.attachments.len()))
            .u32(length(self.metadata.len()))
            .u32(length(self.chunks.len()))
            .u64(start)
            .u64(end)
            .counts(&self.counts)
            .record(op::STATISTICS, out);
    }
}

pub(super) fn write_schema(schema: &wire::Schema, out: &mut Vec<u8>) {
    let body = Body::default().u16(schema.id).text(&schema.name).text(&schema.encoding).block(&schema.data);
    body.record(op::SCHEMA, out);
}

pub(super) fn write_channel(channel: &wire::Channel, out: &mut Vec<u8>) {
    let body = Body::default().u16(channel.id).u16(channel.schema).text(&channel.topic).text(&channel.encoding);
    body.map(&channel.metadata).record(op::CHANNEL, out);
}

fn write_chunk(chunk: &ChunkEntry, out: &mut Vec<u8>) {
    Body::default()
        .u64(chunk.start)
        .u64(chunk.end)
        .u64(chunk.offset)
        .u64(chunk.length)
        .counts(&chunk.indexes)
        .u64(chunk.indexes_length)
        .text(&chunk.compression)
        .u64(chunk.compressed)
        .u64(chunk.uncompressed)
        .record(op::CHUNK_INDEX, out);
}

fn write_attachment(attachment: &AttachmentEntry, out: &mut Vec<u8>) {
    Body::default()
        .u64(attachment.offset)
        .u64(attachment.length)
        .u64(attachment.log_time)
        .u64(attachment.create_time)
        .u64(attachment.size)
        .text(&attachment.name)
        .text(&attachment.media_type)
        .record(op::ATTACHMENT_INDEX, out);
}
