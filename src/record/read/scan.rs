//! What stands in a file that has no index at its end: the program was killed, the disk was full, the file was cut. In: a
//! file. Out: its contents up to the first place where no whole record stands. Reads the heads of records and the
//! indexes of messages; decompresses a chunk only to learn of channels, and the last, which may be half written.

use std::collections::{BTreeMap, BTreeSet};

use super::chunk::{self, ChunkSpan};
use super::file::Source;
use super::index::{Attached, Found, Holds, Kind};
use super::summary::Contents;
use super::walk::{Step, Walk};
use super::wire::{self, op};
use super::{AttachmentEntry, Damage, ReadError};

/// Messages outside of chunks are taken together up to this.
const LOOSE: u64 = 1 << 20;

/// What a walk through a file has found.
#[derive(Debug)]
pub(super) struct Scanned {
    pub contents: Contents,
    /// The end of the last whole record.
    pub end: u64,
    /// Whether the data section ends as it should.
    pub is_finished: bool,
}

/// Walks through the data section. What is no record of its kind goes to `damage`.
/// With `looks_into_all` nothing is taken from indexes of messages: for files that contradict themselves.
pub(super) fn scan(source: &Source, damage: &Damage, looks_into_all: bool) -> Result<Scanned, ReadError> {
    let (contents, unknown) = (Contents::default(), BTreeSet::new());
    let mut scan = Scan { source, damage, contents, chunk: None, unknown, looks_into_all };
    let mut walk = Walk::new(source);
    // The channels that the run has told of.
    let mut told: BTreeMap<u16, wire::Channel> = BTreeMap::new();
    let mut loose: Option<ChunkSpan> = None;
    while let Some(step) = walk.next()? {
        // The first record is the header, whatever it says.
        if step.offset == wire::MAGIC.len() as u64 && matches!(step.op, op::SCHEMA | op::CHANNEL | op::MESSAGE) {
            damage.spoil(step.offset, step.length, None, "the header says that it is something else");
            continue;
        }
        if step.op == op::MESSAGE && scan.is_bent_index(step, &mut walk)? {
            continue;
        }
        // A run of messages outside of chunks ends with anything else, or when it is long enough.
        if matches!(step.op, op::SCHEMA | op::CHANNEL | op::MESSAGE) {
            scan.finish_chunk(true)?;
            if step.op == op::CHANNEL
                && let Some(channel) = wire::channel(walk.body(step, u64::MAX)?)
            {
                // What contradicts the run ends it: what came before is whole.
                if told.get(&channel.id).is_some_and(|known| *known != channel) {
                    scan.loose(loose.take())?;
                    told.clear();
                }
                if let Err(why) = scan.contents.channels.hear(&channel, step.offset) {
                    damage.spoil(step.offset, step.length, None, &why);
                    damage.tell(&why);
                    scan.loose(loose.take())?;
                    continue;
                }
                told.insert(channel.id, channel);
            }
            let run = loose.get_or_insert(ChunkSpan { offset: step.offset, length: 0, is_loose: true });
            run.length += step.length;
            if run.length >= LOOSE {
                scan.loose(loose.take())?;
                told.clear();
            }
            continue;
        }
        scan.loose(loose.take())?;
        told.clear();
        scan.step(step, &mut walk)?;
    }
    scan.loose(loose.take())?;
    let is_finished = walk.is_finished;
    scan.finish_chunk(!is_finished)?;
    Ok(Scanned { contents: scan.contents, end: walk.at, is_finished })
}

struct Scan<'s> {
    source: &'s Source,
    damage: &'s Damage,
    contents: Contents,
    /// The chunk whose message indexes come now.
    chunk: Option<Pending>,
    /// Channels that no chunk has told of, though one was read for them.
    unknown: BTreeSet<u16>,
    looks_into_all: bool,
}

#[derive(Debug)]
struct Pending {
    found: Found,
    /// Channel, offset of its message index, messages.
    channels: Vec<(u16, u64, u64)>,
}

impl Scan<'_> {
    fn step(&mut self, step: Step, walk: &mut Walk<'_>) -> Result<(), ReadError> {
        if step.op == op::MESSAGE_INDEX {
            let index = wire::message_index(walk.body(step, u64::MAX)?).map(|index| (index.channel, index.count()));
            match (&mut self.chunk, index) {
                (Some(chunk), Some((channel, count))) => chunk.channels.push((channel, step.offset, count)),
                (Some(chunk), None) => chunk.found.is_opaque = true,
                // An index of nothing.
                (None, _) => {}
            }
            return Ok(());
        }
        let begun = if step.op == op::CHUNK { self.begin_chunk(step, walk)? } else { None };
        // Anything else may be one of its message indexes, bent.
        let is_indexed = begun.is_some() || matches!(step.op, op::ATTACHMENT | op::METADATA);
        self.finish_chunk(!is_indexed)?;
        match step.op {
            op::CHUNK => self.chunk = begun,
            op::ATTACHMENT => {
                let body = walk.body(step, wire::LONGEST_ATTACHMENT_HEAD)?;
                let head = wire::attachment_head(body).filter(|head| head.size <= step.body().1 - head.length);
                match head {
                    Some(head) => {
                        let entry = AttachmentEntry {
                            name: head.name.to_owned(),
                            media_type: head.media_type.to_owned(),
                            size: head.size,
                        };
                        let (offset, length) = (step.offset, step.length);
                        self.contents.attachments.push(Attached { entry, offset, length });
                    }
                    None => self.damage.spoil(step.offset, step.length, None, "it is no attachment"),
                }
            }
            op::METADATA => self.contents.metadata.push((step.offset, step.length)),
            _ => {}
        }
        Ok(())
    }

    /// Whether a message is one of the message indexes of the chunk before it, bent: then the chunk has to be looked into.
    fn is_bent_index(&mut self, step: Step, walk: &mut Walk<'_>) -> Result<bool, ReadError> {
        let Some(chunk) = &mut self.chunk else { return Ok(false) };
        let index = wire::message_index(walk.body(step, u64::MAX)?);
        let is_bent = index.is_some_and(|index| index.is_bent_to_message());
        if is_bent {
            chunk.found.is_opaque = true;
            self.damage.spoil(step.offset, step.length, None, "it is a message index and says that it is a message");
        }
        Ok(is_bent)
    }

    fn begin_chunk(&self, step: Step, walk: &mut Walk<'_>) -> Result<Option<Pending>, ReadError> {
        let place = ChunkSpan { offset: step.offset, length: step.length, is_loose: false };
        let body = walk.body(step, wire::LONGEST_CHUNK_HEAD)?;
        let Some(head) = wire::chunk_head(body) else {
            self.damage.spoil(step.offset, step.length, None, "it is no chunk");
            return Ok(None);
        };
        let found = Found {
            place,
            start: head.start,
            end: head.end,
            messages: 0,
            holds: Holds::default(),
            keyframes: Vec::new(),
            indexes_length: 0,
            is_opaque: false,
        };
        Ok(Some(Pending { found, channels: Vec::new() }))
    }

    /// The message indexes of a chunk have been seen; some of them only, perhaps, if `may_lack`: then it is looked into.
    fn finish_chunk(&mut self, may_lack: bool) -> Result<(), ReadError> {
        let Some(mut chunk) = self.chunk.take() else { return Ok(()) };
        let has_news =
            |(id, _, _): &(u16, u64, u64)| self.contents.channels.get(*id).is_none() && !self.unknown.contains(id);
        let is_opaque = self.looks_into_all || may_lack || chunk.found.is_opaque || chunk.channels.is_empty();
        if is_opaque || chunk.channels.iter().any(has_news) {
            return self.look_into(chunk, is_opaque);
        }
        self.count(&mut chunk);
        self.contents.found.push(chunk.found);
        Ok(())
    }

    /// By its message indexes.
    fn count(&mut self, chunk: &mut Pending) {
        for (id, offset, count) in &chunk.channels {
            let Some(channel) = self.contents.channels.get(*id) else { continue };
            chunk.found.messages = chunk.found.messages.saturating_add(*count);
            chunk.found.holds.add(channel.kind);
            if channel.kind == Kind::Keyframe {
                chunk.found.keyframes.push((*offset, channel.is_partial));
            }
            *self.contents.counts.entry(*id).or_default() += count;
        }
    }

    /// Decompresses a chunk: for its channels, and for all else if `is_opaque`.
    fn look_into(&mut self, mut chunk: Pending, is_opaque: bool) -> Result<(), ReadError> {
        let place = chunk.found.place;
        let learnt = chunk::read(self.source, place).and_then(|records| {
            self.contents.channels.learn(&records, place)?;
            Ok(records)
        });
        let records = match learnt {
            Ok(records) => records,
            Err(error) => {
                let from = Some(super::index::time(chunk.found.start));
                return self.damage.spoil_chunk(place, from, error);
            }
        };
        let unknown =
            chunk.channels.iter().map(|(id, _, _)| *id).filter(|id| self.contents.channels.get(*id).is_none());
        self.unknown.extend(unknown);
        if is_opaque {
            chunk.found.is_opaque = true;
            for record in wire::records(&records).flatten().filter(|record| record.op == op::MESSAGE) {
                let known = wire::message(record.body).map(|message| message.channel);
                let known = known.filter(|id| self.contents.channels.owner(*id, place.of(record.at)).is_some());
                if let Some(id) = known {
                    *self.contents.counts.entry(id).or_default() += 1;
                }
            }
        } else {
            self.count(&mut chunk);
        }
        self.contents.found.push(chunk.found);
        Ok(())
    }

    /// A run of messages outside of chunks.
    fn loose(&mut self, run: Option<ChunkSpan>) -> Result<(), ReadError> {
        let Some(place) = run else { return Ok(()) };
        let found = Found {
            place,
            start: 0,
            end: 0,
            messages: 0,
            holds: Holds::default(),
            keyframes: Vec::new(),
            indexes_length: 0,
            is_opaque: true,
        };
        self.look_into(Pending { found, channels: Vec::new() }, true)
    }
}
