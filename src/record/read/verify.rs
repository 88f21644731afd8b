//! Every record of a file, looked at whole: what may stay, what must be set aside. In: a file. Out: [`Piece`]s in the order
//! of the file, and what lies between them. Decompresses everything: this is what repair needs, not opening.

use std::collections::BTreeMap;

use super::chunk::{self, ChunkError, ChunkSpan};
use super::file::Source;
use super::own::Judge;
use super::recording::attachment_data;
use super::tail;
use super::walk::{Step, Walk};
use super::wire::{self, op};
use super::{ReadError, summary};
use crate::record::format::{self, About};

/// A record that any reader can take.
#[derive(Debug)]
pub(super) struct Piece {
    pub offset: u64,
    pub length: u64,
    pub kind: PieceKind,
}

#[derive(Debug)]
pub(super) enum PieceKind {
    Chunk(Box<ChunkContents>),
    /// A message index of the chunk before.
    Index {
        channel: u16,
    },
    Attachment(tail::AttachmentEntry),
    Metadata(String),
    /// A message outside of chunks.
    Message {
        channel: u16,
        log_time: u64,
    },
    Other,
}

#[derive(Debug)]
pub(super) struct ChunkContents {
    pub compression: String,
    pub compressed: u64,
    pub uncompressed: u64,
    /// Channel → log time and offset of its messages.
    pub entries: BTreeMap<u16, Vec<(u64, u64)>>,
    /// Of messages.
    pub times: Option<(u64, u64)>,
}

/// All good records of a file.
#[derive(Debug, Default)]
pub(super) struct Verified {
    pub pieces: Vec<Piece>,
    pub schemas: BTreeMap<u16, wire::Schema>,
    pub channels: BTreeMap<u16, wire::Channel>,
    /// Whether the data section ends as it should.
    pub is_finished: bool,
    /// Where the walk came to: the end of the data section, or of what is left of it.
    pub end: u64,
    /// Whether the index at the end can be used.
    pub has_index: bool,
    /// A chunk has messages that cannot stay beside others that can.
    pub has_strays: bool,
    judge: Judge,
}

/// Why a chunk cannot stay.
enum Reject {
    Broken,
    /// Nothing before it tells of its channels, or a message is not what its topic says.
    Strays,
}

pub(super) fn verify(source: &Source) -> Result<Verified, ReadError> {
    let contents = summary::read(source)?.ok();
    // Places that the index knows: from here a walk finds its way again after damage.
    let mut anchors: Vec<u64> = contents
        .iter()
        .flat_map(|contents| {
            let chunks = contents.found.iter().map(|found| found.place.offset);
            let attachments = contents.attachments.iter().map(|attached| attached.offset);
            chunks.chain(attachments).chain(contents.metadata.iter().map(|(offset, _)| *offset))
        })
        .collect();
    anchors.sort_unstable();
    let mut verified = Verified { has_index: contents.is_some(), ..Verified::default() };
    let mut walk = Walk::new(source);
    loop {
        let from = walk.at;
        let step = walk.next()?;
        let until = step.map_or(from, |step| step.end());
        let next_anchor = anchors.get(anchors.partition_point(|anchor| *anchor <= from)).copied();
        // A record that reaches over a known place, or an end before one, is none.
        if let Some(anchor) = next_anchor.filter(|anchor| step.is_none() || *anchor < until) {
            (walk.at, walk.is_finished) = (anchor, false);
            continue;
        }
        let Some(step) = step else { break };
        if let Some(kind) = verified.look_at(source, step, &mut walk)? {
            verified.pieces.push(Piece { offset: step.offset, length: step.length, kind });
        }
    }
    (verified.is_finished, verified.end) = (walk.is_finished, walk.at);
    Ok(verified)
}

impl Verified {
    fn look_at(&mut self, source: &Source, step: Step, walk: &mut Walk<'_>) -> Result<Option<PieceKind>, ReadError> {
        Ok(match step.op {
            op::CHUNK => {
                let place = ChunkSpan { offset: step.offset, length: step.length, is_loose: false };
                let head = wire::chunk_head(walk.body(step, wire::LONGEST_CHUNK_HEAD)?).map(|head| ChunkContents {
                    compression: head.compression.to_owned(),
                    compressed: head.compressed,
                    uncompressed: head.uncompressed,
                    entries: BTreeMap::new(),
                    times: None,
                });
                match (head, chunk::read(source, place)) {
                    (_, Err(ChunkError::Read(error))) => return Err(error),
                    (Some(head), Ok(records)) => match self.chunk(head, &records) {
                        Ok(chunk) => Some(PieceKind::Chunk(Box::new(chunk))),
                        Err(reject) => {
                            self.has_strays |= matches!(reject, Reject::Strays);
                            None
                        }
                    },
                    _ => None,
                }
            }
            op::MESSAGE_INDEX => {
                let index = wire::message_index(walk.body(step, u64::MAX)?);
                index
                    .filter(|index| self.belongs(step.offset, index))
                    .map(|index| PieceKind::Index { channel: index.channel })
            }
            op::ATTACHMENT => {
                let record = source.read(step.offset, step.length)?.unwrap_or_default();
                attachment_data(&record).ok().map(|(head, _)| {
                    PieceKind::Attachment(tail::AttachmentEntry {
                        offset: step.offset,
                        length: step.length,
                        log_time: head.log_time,
                        create_time: head.create_time,
                        size: head.size,
                        name: head.name.to_owned(),
                        media_type: head.media_type.to_owned(),
                    })
                })
            }
            op::METADATA => {
                let metadata = wire::metadata(walk.body(step, u64::MAX)?);
                metadata
                    .filter(|(name, said)| self.may_say(name, said))
                    .map(|(name, _)| PieceKind::Metadata(name.to_owned()))
            }
            op::HEADER => {
                let is_first = self.pieces.is_empty();
                wire::header(walk.body(step, u64::MAX)?).filter(|_| is_first).map(|_| PieceKind::Other)
            }
            op::SCHEMA | op::CHANNEL | op::MESSAGE => {
                let record = source.read(step.offset, step.length)?.unwrap_or_default();
                self.loose(&record)
            }
            op::DATA_END
            | op::CHUNK_INDEX
            | op::ATTACHMENT_INDEX
            | op::STATISTICS
            | op::METADATA_INDEX
            | op::SUMMARY_OFFSET => None,
            // Of others, readers know to take no notice.
            _ => Some(PieceKind::Other),
        })
    }

    /// What stands in a chunk, if a reader that comes from the front understands all of it.
    fn chunk(&mut self, mut chunk: ChunkContents, records: &[u8]) -> Result<ChunkContents, Reject> {
        let (mut schemas, mut channels) = (BTreeMap::new(), BTreeMap::new());
        let mut has_strays = false;
        for record in wire::records(records) {
            let record = record.ok_or(Reject::Broken)?;
            match record.op {
                op::SCHEMA => {
                    let schema = wire::schema(record.body).ok_or(Reject::Broken)?;
                    let known = self.schemas.get(&schema.id).or_else(|| schemas.get(&schema.id));
                    if known.is_some_and(|known| *known != schema) {
                        return Err(Reject::Broken);
                    }
                    schemas.insert(schema.id, schema);
                }
                op::CHANNEL => {
                    let channel = wire::channel(record.body).ok_or(Reject::Broken)?;
                    let known = self.channels.get(&channel.id).or_else(|| channels.get(&channel.id));
                    if known.is_some_and(|known| *known != channel) {
                        return Err(Reject::Broken);
                    }
                    let is_told = |id| self.schemas.contains_key(id) || schemas.contains_key(id);
                    has_strays |= channel.schema != 0 && !is_told(&channel.schema);
                    channels.insert(channel.id, channel);
                }
                op::MESSAGE => {
                    let message = wire::message(record.body).ok_or(Reject::Broken)?;
                    let (id, time) = (message.channel, message.log_time);
                    let channel = self.channels.get(&id).or_else(|| channels.get(&id));
                    has_strays |= !channel.is_some_and(|one| self.judge.is_right(&one.topic, message.payload));
                    chunk.entries.entry(id).or_default().push((time, record.at as u64));
                    let (start, end) = chunk.times.unwrap_or((time, time));
                    chunk.times = Some((start.min(time), end.max(time)));
                }
                op::HEADER..=op::DATA_END => return Err(Reject::Broken),
                _ => {}
            }
        }
        if has_strays {
            return Err(Reject::Strays);
        }
        self.schemas.append(&mut schemas);
        self.channels.append(&mut channels);
        Ok(chunk)
    }

    /// Metadata are free, but for Pollux's own.
    fn may_say(&mut self, name: &str, said: &BTreeMap<String, String>) -> bool {
        let about = (name == format::ABOUT).then(|| About::from_metadata(said));
        if let Some(Some(about)) = &about {
            self.judge.hear(about);
        }
        about.is_none_or(|about| about.is_some())
    }

    /// A record outside of chunks.
    fn loose(&mut self, record: &[u8]) -> Option<PieceKind> {
        let found = wire::records(record).next()??;
        if found.op == op::MESSAGE {
            let message = wire::message(found.body)?;
            let channel = self.channels.get(&message.channel);
            let is_index = wire::message_index(found.body).is_some_and(|index| index.is_bent_to_message());
            let is_right = channel.is_some_and(|one| self.judge.is_right(&one.topic, message.payload)) && !is_index;
            return is_right.then_some(PieceKind::Message { channel: message.channel, log_time: message.log_time });
        }
        let nothing = ChunkContents {
            compression: String::new(),
            compressed: 0,
            uncompressed: 0,
            entries: BTreeMap::new(),
            times: None,
        };
        self.chunk(nothing, record).ok().map(|_| PieceKind::Other)
    }

    /// Whether a message index at `offset` tells of the chunk before it what is true.
    fn belongs(&self, offset: u64, index: &wire::MessageIndex<'_>) -> bool {
        let mut at = offset;
        for piece in self.pieces.iter().rev() {
            if piece.offset + piece.length != at {
                return false;
            }
            match &piece.kind {
                PieceKind::Index { channel } if *channel != index.channel => at = piece.offset,
                PieceKind::Chunk(chunk) => {
                    let entries = chunk.entries.get(&index.channel).map_or(&[][..], Vec::as_slice);
                    return index.entries().eq(entries.iter().copied());
                }
                _ => return false,
            }
        }
        false
    }
}
