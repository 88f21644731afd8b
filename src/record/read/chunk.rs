//! Chunks: from a place in a file to the records in it, decompressed and checked. In: a file, offset and length. Out:
//! records, or why they are not what they should be. Memory stays in proportion to what the file really holds.

use bytes::Bytes;
use mcap::sans_io::{LinearReadEvent, LinearReader, LinearReaderOptions};

use super::ReadError;
use super::file::Source;
use super::wire::{self, HEAD, op};

/// A chunk may be as large as the largest payload of MQTT (256 MiB) and its head.
const LARGEST: u64 = (256 << 20) + (1 << 20);
/// Up to here a chunk may be compressed to any size.
const SMALL: u64 = 16 << 20;
/// Above, no data that Pollux sees shrinks more than this: a chunk that says so is made to fill the memory.
const SHRINKS: u64 = 1000;

/// Where a chunk stands. Messages that stand in no chunk, one after the other, count as one that is not compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ChunkSpan {
    pub offset: u64,
    /// With the record's head.
    pub length: u64,
    pub is_loose: bool,
}

impl ChunkSpan {
    /// Where in the file a record of it counts as standing: what is compressed stands where its chunk does.
    pub fn of(self, at: usize) -> u64 {
        if self.is_loose { self.offset.saturating_add(at as u64) } else { self.offset }
    }
}

#[derive(Debug)]
pub(super) enum ChunkError {
    Read(ReadError),
    /// The same, and people can do something about it: it is said to them.
    Told(String),
    /// It is not what it should be, and why.
    Spoiled(String),
}

impl From<ReadError> for ChunkError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

fn spoiled<T>(why: impl Into<String>) -> Result<T, ChunkError> {
    Err(ChunkError::Spoiled(why.into()))
}

/// The records of a chunk. They are whole: what follows the last is the end.
pub(super) fn read(source: &Source, place: ChunkSpan) -> Result<Bytes, ChunkError> {
    let Some(bytes) = source.read(place.offset, place.length)? else {
        return spoiled("it reaches beyond the end of the file");
    };
    let records = if place.is_loose { Bytes::from(bytes) } else { unpack(bytes)? };
    if wire::records(&records).any(|record| record.is_none()) {
        return spoiled("a record in it is longer than the rest of it");
    }
    Ok(records)
}

/// Of the whole record.
pub(super) fn unpack(record: Vec<u8>) -> Result<Bytes, ChunkError> {
    let mut found = wire::records(&record);
    let (Some(Some(chunk)), None) = (found.next(), found.next()) else {
        return spoiled("no chunk stands here");
    };
    let Some(head) = (chunk.op == op::CHUNK).then(|| wire::chunk_head(chunk.body)).flatten() else {
        return spoiled("no chunk stands here");
    };
    let compressed = chunk.body.len() as u64 - head.length;
    if !matches!(head.compression, "" | "zstd" | "lz4") {
        return Err(ChunkError::Told(format!(
            "chunks compressed with `{}` cannot be read: have the file written anew with zstd, lz4 or without compression, by \
             the program that wrote it",
            head.compression
        )));
    }
    if head.compressed > compressed {
        return spoiled("it says that it is longer than it is");
    }
    if head.uncompressed > LARGEST || head.uncompressed > SMALL.max(compressed.saturating_mul(SHRINKS)) {
        return spoiled(format!("it says that {} bytes are in {compressed}", head.uncompressed));
    }
    if head.compression.is_empty() {
        if head.uncompressed != head.compressed {
            return spoiled("it is not compressed, and yet has two lengths");
        }
        let from = (HEAD + head.length) as usize;
        let range = from..from + head.compressed as usize;
        let crc = head.crc;
        drop(found);
        let records = Bytes::from(record).slice(range);
        let calculated = crc32fast::hash(&records);
        return if crc == 0 || crc == calculated { Ok(records) } else { spoiled("its CRC is wrong") };
    }
    let limit = head.uncompressed.max(record.len() as u64);
    decompress(&record, limit as usize)
}

/// Through the reader of the `mcap` crate, which knows the compressions and checks the CRC. It hands out record by
/// record; here they are put together again.
fn decompress(record: &[u8], limit: usize) -> Result<Bytes, ChunkError> {
    let mut reader = LinearReader::new_with_options(
        LinearReaderOptions::default()
            .with_skip_start_magic(true)
            .with_skip_end_magic(true)
            .with_validate_chunk_crcs(true)
            .with_record_length_limit(limit),
    );
    let mut rest = record;
    let mut records = Vec::with_capacity(limit.min(record.len().saturating_mul(8)));
    while let Some(event) = reader.next_event() {
        match event {
            Ok(LinearReadEvent::ReadRequest(wanted)) => {
                let (next, later) = rest.split_at(wanted.min(rest.len()));
                reader.insert(next.len()).copy_from_slice(next);
                reader.notify_read(next.len());
                rest = later;
            }
            Ok(LinearReadEvent::Record { opcode, data }) => {
                records.push(opcode);
                records.extend_from_slice(&(data.len() as u64).to_le_bytes());
                records.extend_from_slice(data);
            }
            Err(error) => return spoiled(error.to_string()),
        }
    }
    Ok(Bytes::from(records))
}
