//! Reads the fields of MCAP records (<https://mcap.dev/spec#records>). In: bytes, possibly damaged. Out: the fields, or
//! none if the bytes do not hold them. Never panics, and never allocates more than the bytes contain.

use std::collections::BTreeMap;

pub(super) use mcap::MAGIC;
pub(super) use mcap::records::op;

/// A record begins with its opcode and the length of what follows.
pub(super) const HEAD: u64 = 9;
/// Of a message, before its payload: channel, sequence, log time, publish time.
const MESSAGE_HEAD: usize = 2 + 4 + 8 + 8;
/// Of a message index, before its entries, with the record's head: channel, length of the entries.
pub(super) const INDEX_HEAD: u64 = HEAD + 2 + 4;
/// Of an entry of a message index: log time, offset.
pub(super) const INDEX_ENTRY: u64 = 16;
/// A footer with its head: start of the summary, of the offsets, CRC.
pub(super) const FOOTER: u64 = HEAD + 8 + 8 + 4;

/// What is left to read of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.bytes(1)?.first().copied()
    }

    pub fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.bytes(2)?.try_into().ok()?))
    }

    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    pub fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?))
    }

    /// Bytes after their length.
    pub fn block(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.bytes(usize::try_from(length).ok()?)
    }

    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.block()?).ok()
    }

    /// Texts by texts; a key that comes twice makes the map invalid.
    pub fn map(&mut self) -> Option<BTreeMap<String, String>> {
        let mut entries = Fields(self.block()?);
        let mut map = BTreeMap::new();
        while !entries.0.is_empty() {
            let (key, value) = (entries.text()?, entries.text()?);
            if map.insert(key.to_owned(), value.to_owned()).is_some() {
                return None;
            }
        }
        Some(map)
    }
}

/// One record within a piece of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub op: u8,
    pub body: &'a [u8],
    /// From the start of the piece to the record.
    pub at: usize,
}

/// The records of a piece of a file, one after the other; None where the rest is no record.
pub(super) fn records(piece: &[u8]) -> impl Iterator<Item = Option<Record<'_>>> {
    let mut rest = Fields(piece);
    std::iter::from_fn(move || {
        if rest.0.is_empty() {
            return None;
        }
        let at = piece.len() - rest.0.len();
        let mut next = || {
            let (op, length) = (rest.u8()?, rest.u64()?);
            Some(Record { op, body: rest.bytes(usize::try_from(length).ok()?)?, at })
        };
        let record = next();
        if record.is_none() {
            rest = Fields(&[]);
        }
        Some(record)
    })
}

/// Who sent what how: a channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Channel {
    pub id: u16,
    pub schema: u16,
    pub topic: String,
    pub encoding: String,
    pub metadata: BTreeMap<String, String>,
}

pub(super) fn channel(body: &[u8]) -> Option<Channel> {
    let mut fields = Fields(body);
    Some(Channel {
        id: fields.u16()?,
        schema: fields.u16()?,
        topic: fields.text()?.to_owned(),
        encoding: fields.text()?.to_owned(),
        metadata: fields.map()?,
    })
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Schema {
    pub id: u16,
    pub name: String,
    pub encoding: String,
    pub data: Vec<u8>,
}

/// The number 0 stands for no schema and belongs to none.
pub(super) fn schema(body: &[u8]) -> Option<Schema> {
    let mut fields = Fields(body);
    let schema = Schema {
        id: fields.u16()?,
        name: fields.text()?.to_owned(),
        encoding: fields.text()?.to_owned(),
        data: fields.block()?.to_vec(),
    };
    (schema.id != 0).then_some(schema)
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub channel: u16,
    pub log_time: u64,
    pub publish_time: u64,
    pub payload: &'a [u8],
}

pub(super) fn message(body: &[u8]) -> Option<Message<'_>> {
    let (head, payload) = body.split_at_checked(MESSAGE_HEAD)?;
    let mut fields = Fields(head);
    let (channel, _sequence) = (fields.u16()?, fields.u32()?);
    Some(Message { channel, log_time: fields.u64()?, publish_time: fields.u64()?, payload })
}

#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkHead<'a> {
    pub start: u64,
    pub end: u64,
    pub uncompressed: u64,
    pub crc: u32,
    pub compression: &'a str,
    pub compressed: u64,
    /// Bytes of the body before the compressed records.
    pub length: u64,
}

/// Longest head of a chunk that a scan reads: room for any name of a compression in use.
pub(super) const LONGEST_CHUNK_HEAD: u64 = 8 + 8 + 8 + 4 + 4 + 64 + 8;

pub(super) fn chunk_head(body: &[u8]) -> Option<ChunkHead<'_>> {
    let mut fields = Fields(body);
    let (start, end, uncompressed, crc) = (fields.u64()?, fields.u64()?, fields.u64()?, fields.u32()?);
    let (compression, compressed) = (fields.text()?, fields.u64()?);
    let length = (body.len() - fields.0.len()) as u64;
    Some(ChunkHead { start, end, uncompressed, crc, compression, compressed, length })
}

/// Where messages of one channel stand in the chunk before.
#[derive(Clone, Copy, Debug)]
pub(super) struct MessageIndex<'a> {
    pub channel: u16,
    entries: &'a [u8],
}

pub(super) fn message_index(body: &[u8]) -> Option<MessageIndex<'_>> {
    let mut fields = Fields(body);
    let (channel, entries) = (fields.u16()?, fields.block()?);
    let whole = fields.0.is_empty() && entries.len().is_multiple_of(INDEX_ENTRY as usize);
    whole.then_some(MessageIndex { channel, entries })
}

impl MessageIndex<'_> {
    pub fn count(&self) -> u64 {
        self.entries.len() as u64 / INDEX_ENTRY
    }

    /// True if this apparent Message is a MessageIndex whose opcode lost one bit: its offsets then all fit in 32 bits.
    /// Where a real message has its publish time, that would be less than five seconds after 1970.
    pub fn is_bent_to_message(&self) -> bool {
        self.count() > 0 && self.entries().all(|(_, offset)| offset < u64::from(u32::MAX))
    }

    /// Log time and offset of each message, in the order of the chunk.
    pub fn entries(&self) -> impl Iterator<Item = (u64, u64)> {
        self.entries.chunks_exact(INDEX_ENTRY as usize).filter_map(|entry| {
            let mut fields = Fields(entry);
            Some((fields.u64()?, fields.u64()?))
        })
    }
}

/// What the summary says of a chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkIndex<'a> {
    pub start: u64,
    pub end: u64,
    pub offset: u64,
    pub length: u64,
    /// Pairs of a channel and the offset of its message index.
    pub indexes: &'a [u8],
    pub indexes_length: u64,
    pub uncompressed: u64,
}

pub(super) fn chunk_index(body: &[u8]) -> Option<ChunkIndex<'_>> {
    let mut fields = Fields(body);
    let (start, end, offset, length) = (fields.u64()?, fields.u64()?, fields.u64()?, fields.u64()?);
    let (indexes, indexes_length) = (fields.block()?, fields.u64()?);
    let _compression = fields.text()?;
    let (_compressed, uncompressed) = (fields.u64()?, fields.u64()?);
    let whole = indexes.len().is_multiple_of(10);
    whole.then_some(ChunkIndex { start, end, offset, length, indexes, indexes_length, uncompressed })
}

impl ChunkIndex<'_> {
    /// Channels that have messages in the chunk, and where the message index of each stands.
    pub fn channels(&self) -> impl Iterator<Item = (u16, u64)> {
        self.indexes.chunks_exact(10).filter_map(|pair| {
            let mut fields = Fields(pair);
            Some((fields.u16()?, fields.u64()?))
        })
    }

    /// Messages in the chunk: an index has one entry for each.
    pub fn messages(&self) -> u64 {
        let channels = (self.indexes.len() / 10) as u64;
        self.indexes_length.saturating_sub(channels.saturating_mul(INDEX_HEAD)) / INDEX_ENTRY
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct AttachmentHead<'a> {
    pub log_time: u64,
    pub create_time: u64,
    pub name: &'a str,
    pub media_type: &'a str,
    pub size: u64,
    /// Bytes of the body before the data.
    pub length: u64,
}

/// Longest head of an attachment that a scan reads.
pub(super) const LONGEST_ATTACHMENT_HEAD: u64 = 64 * 1024;

pub(super) fn attachment_head(body: &[u8]) -> Option<AttachmentHead<'_>> {
    let mut fields = Fields(body);
    let (log_time, create_time) = (fields.u64()?, fields.u64()?);
    let (name, media_type, size) = (fields.text()?, fields.text()?, fields.u64()?);
    let length = (body.len() - fields.0.len()) as u64;
    Some(AttachmentHead { log_time, create_time, name, media_type, size, length })
}

/// What the summary says of an attachment.
#[derive(Clone, Debug)]
pub(super) struct AttachmentIndex<'a> {
    pub offset: u64,
    pub length: u64,
    pub size: u64,
    pub name: &'a str,
    pub media_type: &'a str,
}

pub(super) fn attachment_index(body: &[u8]) -> Option<AttachmentIndex<'_>> {
    let mut fields = Fields(body);
    let (offset, length) = (fields.u64()?, fields.u64()?);
    let (_log_time, _create_time) = (fields.u64()?, fields.u64()?);
    let (size, name, media_type) = (fields.u64()?, fields.text()?, fields.text()?);
    Some(AttachmentIndex { offset, length, size, name, media_type })
}

/// A metadata record: its name and what it says.
pub(super) fn metadata(body: &[u8]) -> Option<(&str, BTreeMap<String, String>)> {
    let mut fields = Fields(body);
    Some((fields.text()?, fields.map()?))
}

/// What the summary says of a metadata record: offset, length, name.
pub(super) fn metadata_index(body: &[u8]) -> Option<(u64, u64, &str)> {
    let mut fields = Fields(body);
    Some((fields.u64()?, fields.u64()?, fields.text()?))
}

/// Messages of the whole file, of each channel, and in how many chunks.
#[derive(Clone, Debug, Default)]
pub(super) struct Statistics {
    pub messages: u64,
    pub attachments: u32,
    pub metadata: u32,
    pub chunks: u32,
    pub counts: BTreeMap<u16, u64>,
}

pub(super) fn statistics(body: &[u8]) -> Option<Statistics> {
    let mut fields = Fields(body);
    let (messages, _schemas, _channels) = (fields.u64()?, fields.u16()?, fields.u32()?);
    let (attachments, metadata, chunks) = (fields.u32()?, fields.u32()?, fields.u32()?);
    let (_start, _end) = (fields.u64()?, fields.u64()?);
    let mut pairs = Fields(fields.block()?);
    let mut counts = BTreeMap::new();
    while !pairs.0.is_empty() {
        counts.insert(pairs.u16()?, pairs.u64()?);
    }
    Some(Statistics { messages, attachments, metadata, chunks, counts })
}

/// The file's profile, and the library that wrote it.
pub(super) fn header(body: &[u8]) -> Option<(&str, &str)> {
    let mut fields = Fields(body);
    Some((fields.text()?, fields.text()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_that_reach_beyond_the_bytes_give_nothing() {
        let mut text = Fields(&[5, 0, 0, 0, b'a', b'b']);
        assert_eq!(text.text(), None);
        let endless = [op::MESSAGE, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3];
        let found: Vec<_> = records(&endless).map(|record| record.is_some()).collect();
        assert_eq!(found, [false]);
    }

    #[test]
    fn records_follow_each_other_until_one_is_cut() {
        let mut piece = vec![op::CHANNEL, 2, 0, 0, 0, 0, 0, 0, 0, 7, 7];
        piece.extend([op::MESSAGE, 1, 0, 0, 0, 0, 0, 0, 0, 9]);
        piece.extend([op::MESSAGE, 1, 0, 0]);
        let found: Vec<_> = records(&piece).map(|record| record.map(|record| (record.op, record.at))).collect();
        assert_eq!(found, [Some((op::CHANNEL, 0)), Some((op::MESSAGE, 11)), None]);
    }

    #[test]
    fn a_map_with_a_key_twice_is_none() {
        let entry = [1, 0, 0, 0, b'k', 1, 0, 0, 0, b'v'];
        let map = |count: u8| {
            let mut bytes = vec![10 * count, 0, 0, 0];
            (0..count).for_each(|_| bytes.extend(entry));
            Fields(&bytes).map()
        };
        assert_eq!(map(1).map(|map| map.len()), Some(1));
        assert_eq!(map(2), None);
    }
}
