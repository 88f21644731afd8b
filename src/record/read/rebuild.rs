//! Writes what is whole of a damaged recording into a new file. In: a file, whatever is in it. Out: a file that any MCAP
//! reader takes, with CRCs over everything.
//!
//! What counts as whole: chunks and attachments whose CRC is right, wherever they stand; other records where one follows
//! the other. After a damaged place the next chunk, attachment or metadata record is searched for byte by byte. A chunk
//! whose CRC is wrong is left out as a whole: nothing tells which of its values are bent, and a bent value must not be
//! taken for a measured one. Message indexes and the summary are made anew; messages outside of chunks get chunks.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::ReadError;
use super::chunk::{self, ChunkError};
use super::file::{Source, Window};
use super::own::Judge;
use super::recording::attachment_data;
use super::summary::{self, Definitions};
use super::tail::{self, AttachmentEntry, ChunkEntry, Tail};
use super::wire::{self, HEAD, MAGIC, op};
use crate::record::format::{self, About};

/// Messages outside of chunks are gathered into chunks of this size.
const GATHERED: usize = 1 << 20;
/// Profile and library are names.
const LONGEST_HEADER: u64 = 1 << 16;
/// Bytes of a chunk's head before the name of its compression, and after it.
const CHUNK_FIXED: usize = 8 + 8 + 8 + 4 + 4;

/// What became of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Rebuilt {
    pub messages: u64,
    /// Bytes that are not in the new file, besides indexes.
    pub left_out: u64,
}

/// Writes the new file.
pub(super) fn rebuild(source: &Source, into: &mut dyn Write) -> Result<Rebuilt, ReadError> {
    let mut rebuild = Rebuild::new(source, into)?;
    rebuild.run()?;
    let messages = rebuild.tail.counts.values().sum();
    Ok(Rebuilt { messages, left_out: rebuild.left_out })
}

/// Whether anything whole stands behind a place.
pub(super) fn has_more(source: &Source, from: u64) -> Result<bool, ReadError> {
    let mut nowhere = io::sink();
    let mut rebuild = Rebuild::new(source, &mut nowhere)?;
    Ok(rebuild.search(from)?.is_some())
}

/// Where bytes go, with a CRC over all of them.
struct Out<'w> {
    into: &'w mut dyn Write,
    at: u64,
    crc: crc32fast::Hasher,
}

impl Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.crc.update(bytes);
        self.at += bytes.len() as u64;
        self.into.write_all(bytes)
    }
}

struct Rebuild<'s, 'w> {
    source: &'s Source,
    window: Window<'s>,
    out: Out<'w>,
    /// Its schemas and channels are those that the new file tells of by now.
    tail: Tail,
    /// What the old summary tells, if its CRC is right.
    told: Definitions,
    judge: Judge,
    /// Numbers that the file has given to another channel: until the first one is told again, what stands under them is
    /// nobody's.
    disputed: BTreeSet<u16>,
    /// Messages outside of chunks that wait for a chunk.
    gathered: Vec<u8>,
    /// Behind the data section only what has a CRC is believed.
    is_after: bool,
    /// After damage, until something whole is found.
    is_searching: bool,
    left_out: u64,
}

impl<'s, 'w> Rebuild<'s, 'w> {
    fn new(source: &'s Source, into: &'w mut dyn Write) -> Result<Self, ReadError> {
        Ok(Self {
            source,
            window: Window::new(source),
            out: Out { into, at: 0, crc: crc32fast::Hasher::new() },
            tail: Tail::default(),
            told: summary::definitions(source)?,
            judge: Judge::default(),
            disputed: BTreeSet::new(),
            gathered: Vec::new(),
            is_after: false,
            is_searching: false,
            left_out: 0,
        })
    }

    fn run(&mut self) -> Result<(), ReadError> {
        self.write(MAGIC)?;
        let mut at = MAGIC.len() as u64;
        at = self.header(at)?;
        while at < self.source.len() {
            match self.take(at)? {
                Some(end) => at = end,
                None => {
                    let found = self.search(at + 1)?;
                    if !self.is_after {
                        self.left_out += found.map_or(self.source.len(), |(from, _)| from) - at;
                    }
                    at = found.map_or(self.source.len(), |(_, end)| end);
                }
            }
        }
        self.close_gathered()?;
        self.tail.data_crc = self.out.crc.clone().finalize();
        let end = self.tail.bytes(self.out.at);
        self.write(&end)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let at = self.out.at;
        let path = self.source.path();
        self.out.write(bytes).map_err(|cause| ReadError::Write { path: path.to_owned(), offset: at, cause })
    }

    fn record(&mut self, op: u8, body: &[u8]) -> Result<(), ReadError> {
        self.write(&[op])?;
        self.write(&(body.len() as u64).to_le_bytes())?;
        self.write(body)
    }

    /// The header, or one that says as much as is known; where the rest begins.
    fn header(&mut self, at: u64) -> Result<u64, ReadError> {
        let record = match self.head(at)? {
            Some((op, end)) if end - at <= LONGEST_HEADER => self.body(at, end)?.map(|body| (op, body, end)),
            _ => None,
        };
        // Known by its body as well: the opcode may be bent.
        let is_header = |op: u8, body: &[u8]| {
            let said = wire::header(body).map(|(profile, library)| 8 + profile.len() + library.len());
            said.is_some_and(|length| op == op::HEADER || length == body.len())
        };
        match record.filter(|(op, body, _)| is_header(*op, body)) {
            Some((_, body, end)) => self.record(op::HEADER, &body).map(|()| end),
            None => {
                // Profile and library: unknown.
                self.record(op::HEADER, &[0; 8])?;
                Ok(at)
            }
        }
    }

    /// Opcode and end of what may be a record.
    fn head(&mut self, at: u64) -> Result<Option<(u8, u64)>, ReadError> {
        let Some(head) = self.window.read(at, HEAD)? else { return Ok(None) };
        let mut fields = wire::Fields(head);
        let (Some(op), Some(length)) = (fields.u8(), fields.u64()) else { return Ok(None) };
        let end = at.checked_add(HEAD).and_then(|at| at.checked_add(length));
        Ok(end.filter(|end| op != 0 && *end <= self.source.len()).map(|end| (op, end)))
    }

    /// Takes what stands at a place, and says where it ends; none if it is nothing whole.
    fn take(&mut self, at: u64) -> Result<Option<u64>, ReadError> {
        if let Some(end) = self.take_chunk(at)? {
            return Ok(Some(end));
        }
        let Some((op, end)) = self.head(at)? else { return Ok(None) };
        let small = (end - at) <= wire::LONGEST_ATTACHMENT_HEAD || op >= 0x80 || op == op::MESSAGE_INDEX;
        let is_whole = match op {
            op::CHUNK => false,
            op::ATTACHMENT => self.attachment(at, end)?,
            op::METADATA if !self.is_after => self.metadata(at, end)?,
            op::DATA_END if end - at == HEAD + 4 && !self.is_searching => {
                self.is_after = true;
                true
            }
            _ if self.is_searching => return Ok(None),
            op::MESSAGE_INDEX => {
                self.body(at, end)?.is_some_and(|body| wire::message_index(&body).is_some()) && !self.is_after
            }
            op::SCHEMA | op::CHANNEL | op::MESSAGE if !self.is_after => self.loose(op, at, end)?,
            // Of others readers take no notice.
            0x80.. => small && self.is_plausible(end)?,
            _ => false,
        };
        if is_whole {
            return Ok(Some(end));
        }
        // One damaged record: what follows it is whole, as far as can be seen.
        if !self.is_searching && self.is_plausible(end)? {
            if !self.is_after && op != op::MESSAGE_INDEX {
                self.left_out += end - at;
            }
            return Ok(Some(end));
        }
        Ok(None)
    }

    /// Whether a record of the format may begin here, or the file ends.
    fn is_plausible(&mut self, at: u64) -> Result<bool, ReadError> {
        Ok(at == self.source.len() || matches!(self.head(at)?, Some((op, _)) if op <= op::DATA_END))
    }

    fn body(&self, at: u64, end: u64) -> Result<Option<Vec<u8>>, ReadError> {
        self.source.read(at + HEAD, end.saturating_sub(at + HEAD))
    }

    /// The next whole chunk, attachment or metadata record: its place and its end.
    fn search(&mut self, from: u64) -> Result<Option<(u64, u64)>, ReadError> {
        self.is_searching = true;
        let mut found = None;
        for at in from..self.source.len() {
            let first = self.window.read(at, 1)?.and_then(|byte| byte.first().copied());
            if !matches!(first, Some(op::CHUNK | op::ATTACHMENT | op::METADATA)) {
                continue;
            }
            if let Some(end) = self.take(at)? {
                found = Some((at, end));
                break;
            }
        }
        self.is_searching = false;
        Ok(found)
    }

    /// A chunk, known by its body: opcode and length of the record may be bent.
    fn take_chunk(&mut self, at: u64) -> Result<Option<u64>, ReadError> {
        let start = at + HEAD;
        let most = wire::LONGEST_CHUNK_HEAD.min(self.source.len().saturating_sub(start));
        let Some(bytes) = self.window.read(start, most)? else { return Ok(None) };
        let Some(head) = wire::chunk_head(bytes) else { return Ok(None) };
        let is_known = matches!(head.compression, "" | "zstd" | "lz4");
        let (crc, length) = (head.crc, head.length);
        let size = length.checked_add(head.compressed).filter(|_| is_known && head.uncompressed > 0);
        let end = size.and_then(|size| start.checked_add(size)).filter(|end| *end <= self.source.len());
        let Some(end) = end else { return Ok(None) };
        let is_in_place = self.head(at)? == Some((op::CHUNK, end));
        // Without a CRC only what stands where it should is believed.
        if crc == 0 && (!is_in_place || self.is_searching || self.is_after) {
            return Ok(None);
        }
        let Some(mut record) = self.source.read(at, end - at)? else { return Ok(None) };
        record[..1].fill(op::CHUNK);
        if let Some(size) = record.get_mut(1..HEAD as usize) {
            size.copy_from_slice(&(end - start).to_le_bytes());
        }
        let body = record.get(HEAD as usize..).unwrap_or_default();
        let compression = wire::chunk_head(body).map(|head| head.compression.to_owned()).unwrap_or_default();
        let data = body.get(length as usize..).unwrap_or_default().to_vec();
        match chunk::unpack(record) {
            Ok(records) => Ok(self.chunk(&records, &compression, data)?.then_some(end)),
            Err(ChunkError::Read(error)) => Err(error),
            Err(ChunkError::Spoiled(_) | ChunkError::Told(_)) => Ok(None),
        }
    }

    /// Writes a chunk if it contradicts nothing. Messages of channels that nothing tells of are left out, and those that
    /// are not what their topic says.
    fn chunk(&mut self, records: &[u8], compression: &str, data: Vec<u8>) -> Result<bool, ReadError> {
        let (mut schemas, mut channels) = (BTreeMap::new(), BTreeMap::new());
        let mut used = Vec::new();
        for record in wire::records(records) {
            let Some(record) = record else { return Ok(false) };
            match record.op {
                op::SCHEMA => {
                    let Some(schema) = wire::schema(record.body) else { return Ok(false) };
                    if differs(&schemas, schema.id, &schema) || self.contradicts_schema(&schema) {
                        return Ok(false);
                    }
                    schemas.insert(schema.id, schema);
                }
                op::CHANNEL => {
                    let Some(channel) = wire::channel(record.body) else { return Ok(false) };
                    if differs(&channels, channel.id, &channel) || self.contradicts_channel(&channel) {
                        self.disputed.insert(channel.id);
                        return Ok(false);
                    }
                    used.push(channel.id);
                    channels.insert(channel.id, channel);
                }
                op::MESSAGE => {
                    let Some(message) = wire::message(record.body) else { return Ok(false) };
                    used.push(message.channel);
                }
                op::HEADER..=op::DATA_END => return Ok(false),
                _ => {}
            }
        }
        self.close_gathered()?;
        self.disputed.retain(|id| !channels.contains_key(id));
        self.tail.schemas.append(&mut schemas);
        used.sort_unstable();
        used.dedup();
        for id in used {
            self.tell(id, channels.get(&id).cloned())?;
        }
        self.tail.channels.append(&mut channels);
        let is_stray = |record: &wire::Record<'_>| {
            record.op == op::MESSAGE && wire::message(record.body).is_some_and(|message| !self.may_stay(&message))
        };
        let strays: Vec<usize> = wire::records(records).flatten().filter(is_stray).map(|record| record.at).collect();
        if strays.is_empty() {
            self.write_chunk(records, compression, &data)?;
            return Ok(true);
        }
        let mut rest = Vec::with_capacity(records.len());
        for record in wire::records(records).flatten() {
            let end = record.at + HEAD as usize + record.body.len();
            match strays.binary_search(&record.at) {
                Ok(_) => self.left_out += (end - record.at) as u64,
                Err(_) => rest.extend_from_slice(records.get(record.at..end).unwrap_or_default()),
            }
        }
        if !rest.is_empty() {
            self.write_chunk(&rest, "", &rest)?;
        }
        Ok(true)
    }

    fn contradicts_schema(&self, schema: &wire::Schema) -> bool {
        differs(&self.tail.schemas, schema.id, schema) || differs(&self.told.schemas, schema.id, schema)
    }

    fn contradicts_channel(&self, channel: &wire::Channel) -> bool {
        differs(&self.tail.channels, channel.id, channel) || differs(&self.told.channels, channel.id, channel)
    }

    /// Whether the new file tells of a message's channel, and the message is what its topic says.
    fn may_stay(&self, message: &wire::Message<'_>) -> bool {
        let channel = self.tail.channels.get(&message.channel);
        let is_owned = !self.disputed.contains(&message.channel);
        channel.is_some_and(|channel| is_owned && self.judge.is_right(&channel.topic, message.payload))
    }

    /// Sees that the new file tells of a channel and of its schema before they are used.
    fn tell(&mut self, id: u16, in_chunk: Option<wire::Channel>) -> Result<(), ReadError> {
        if self.tail.channels.contains_key(&id) {
            return Ok(());
        }
        let is_new = in_chunk.is_none();
        let Some(channel) = in_chunk.or_else(|| self.told.channels.get(&id).cloned()) else { return Ok(()) };
        let mut bytes = Vec::new();
        if channel.schema != 0 && !self.tail.schemas.contains_key(&channel.schema) {
            let unknown = || wire::Schema {
                id: channel.schema,
                name: "unknown".to_owned(),
                encoding: String::new(),
                data: Vec::new(),
            };
            let schema = self.told.schemas.get(&channel.schema).cloned().unwrap_or_else(unknown);
            tail::write_schema(&schema, &mut bytes);
            self.tail.schemas.insert(schema.id, schema);
        }
        if is_new {
            tail::write_channel(&channel, &mut bytes);
            self.tail.channels.insert(id, channel);
        }
        self.write(&bytes)
    }

    fn write_chunk(&mut self, records: &[u8], compression: &str, data: &[u8]) -> Result<(), ReadError> {
        let mut entries: BTreeMap<u16, Vec<(u64, u64)>> = BTreeMap::new();
        let mut times: Option<(u64, u64)> = None;
        for record in wire::records(records).flatten().filter(|record| record.op == op::MESSAGE) {
            let Some(message) = wire::message(record.body) else { continue };
            entries.entry(message.channel).or_default().push((message.log_time, record.at as u64));
            let (start, end) = times.unwrap_or((message.log_time, message.log_time));
            times = Some((start.min(message.log_time), end.max(message.log_time)));
        }
        let (start, end) = times.unwrap_or((0, 0));
        let mut head = Vec::with_capacity(CHUNK_FIXED + compression.len() + 8);
        head.extend(start.to_le_bytes());
        head.extend(end.to_le_bytes());
        head.extend((records.len() as u64).to_le_bytes());
        head.extend(crc32fast::hash(records).to_le_bytes());
        head.extend((compression.len() as u32).to_le_bytes());
        head.extend(compression.as_bytes());
        head.extend((data.len() as u64).to_le_bytes());
        let offset = self.out.at;
        self.write(&[op::CHUNK])?;
        self.write(&((head.len() + data.len()) as u64).to_le_bytes())?;
        self.write(&head)?;
        self.write(data)?;
        let length = self.out.at - offset;
        let mut indexes = BTreeMap::new();
        let mut bytes = Vec::new();
        for (channel, entries) in entries {
            indexes.insert(channel, self.out.at + bytes.len() as u64);
            *self.tail.counts.entry(channel).or_default() += entries.len() as u64;
            tail::message_indexes(&BTreeMap::from([(channel, entries)]), &mut bytes);
        }
        self.write(&bytes)?;
        times.into_iter().for_each(|(start, end)| self.tail.reach(start, end));
        self.tail.chunks.push(ChunkEntry {
            offset,
            length,
            start,
            end,
            channels: indexes.len(),
            indexes,
            indexes_length: bytes.len() as u64,
            compression: compression.to_owned(),
            compressed: data.len() as u64,
            uncompressed: records.len() as u64,
        });
        Ok(())
    }

    fn attachment(&mut self, at: u64, end: u64) -> Result<bool, ReadError> {
        let Some(record) = self.source.read(at, end - at)? else { return Ok(false) };
        let Ok((head, data)) = attachment_data(&record) else { return Ok(false) };
        // Without a CRC only what stands where it should is believed.
        let has_crc = record.last_chunk::<4>().is_some_and(|crc| *crc != [0; 4]);
        let is_exact = HEAD + head.length + data.len() as u64 + 4 == end - at;
        if !is_exact || (!has_crc && (self.is_searching || self.is_after)) {
            return Ok(false);
        }
        let entry = AttachmentEntry {
            offset: 0,
            length: end - at,
            log_time: head.log_time,
            create_time: head.create_time,
            size: head.size,
            name: head.name.to_owned(),
            media_type: head.media_type.to_owned(),
        };
        self.close_gathered()?;
        self.tail.attachments.push(AttachmentEntry { offset: self.out.at, ..entry });
        self.write(&record)?;
        Ok(true)
    }

    fn metadata(&mut self, at: u64, end: u64) -> Result<bool, ReadError> {
        if end - at > wire::LONGEST_ATTACHMENT_HEAD && self.is_searching {
            return Ok(false);
        }
        let Some(body) = self.body(at, end)? else { return Ok(false) };
        let Some((name, said)) = wire::metadata(&body) else { return Ok(false) };
        let map: usize = said.iter().map(|(key, value)| 8 + key.len() + value.len()).sum();
        if 4 + name.len() + 4 + map != body.len() {
            return Ok(false);
        }
        if name == format::ABOUT {
            let Some(about) = About::from_metadata(&said) else { return Ok(false) };
            self.judge.hear(&about);
        }
        self.close_gathered()?;
        self.tail.metadata.push((self.out.at, end - at, name.to_owned()));
        self.record(op::METADATA, &body)?;
        Ok(true)
    }

    /// A record outside of chunks.
    fn loose(&mut self, op: u8, at: u64, end: u64) -> Result<bool, ReadError> {
        let Some(record) = self.source.read(at, end - at)? else { return Ok(false) };
        let body = record.get(HEAD as usize..).unwrap_or_default();
        match op {
            op::MESSAGE => {
                let Some(message) = wire::message(body) else { return Ok(false) };
                let is_index = wire::message_index(body).is_some_and(|index| index.is_bent_to_message());
                self.tell(message.channel, None)?;
                if is_index || !self.may_stay(&message) {
                    return Ok(false);
                }
                self.gathered.extend_from_slice(&record);
                if self.gathered.len() >= GATHERED {
                    self.close_gathered()?;
                }
            }
            op::CHANNEL => {
                let Some(channel) = wire::channel(body) else { return Ok(false) };
                if self.contradicts_channel(&channel) {
                    self.disputed.insert(channel.id);
                    return Ok(false);
                }
                let id = channel.id;
                self.disputed.remove(&id);
                self.told.channels.insert(id, channel);
                self.tell(id, None)?;
            }
            _ => {
                let Some(schema) = wire::schema(body) else { return Ok(false) };
                if self.contradicts_schema(&schema) {
                    return Ok(false);
                }
                // Written where a channel asks for it.
                self.told.schemas.insert(schema.id, schema);
            }
        }
        Ok(true)
    }

    fn close_gathered(&mut self) -> Result<(), ReadError> {
        let gathered = std::mem::take(&mut self.gathered);
        if gathered.is_empty() { Ok(()) } else { self.write_chunk(&gathered, "", &gathered) }
    }
}

/// Whether something else is known under the same number.
fn differs<T: PartialEq>(known: &BTreeMap<u16, T>, id: u16, one: &T) -> bool {
    known.get(&id).is_some_and(|known| known != one)
}
