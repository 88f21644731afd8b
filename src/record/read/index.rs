//! What stands where in one recording: channels, chunks in order of time, keyframes. In: what a summary or a scan has
//! found. Out: an [`Index`]. Knows nothing of payloads.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chunk::{self, ChunkError, Place};
use super::file::Source;
use super::wire::{self, op};
use super::{AttachmentEntry, Damage, ReadError};
use crate::record::format;
use crate::value::Timestamp;

/// MCAP counts nanoseconds without sign.
pub(super) fn time(nanoseconds: u64) -> Timestamp {
    i64::try_from(nanoseconds).map_or(Timestamp::MAX, Timestamp)
}

#[derive(Debug, Default)]
pub(super) struct Index {
    pub channels: Channels,
    /// In order of their first messages, then of the file.
    pub chunks: Vec<Chunk>,
    /// For each chunk, the newest moment in it and all before it: where to begin to look.
    pub newest: Vec<Timestamp>,
    /// In order of time.
    pub keyframes: Vec<KeyframePlace>,
    /// In the order of the file.
    pub attachments: Vec<Attached>,
    /// Messages of each channel.
    pub counts: BTreeMap<u16, u64>,
}

/// Channels by their number.
#[derive(Debug, Default)]
pub(super) struct Channels(BTreeMap<u16, Arc<Channel>>);

/// A channel of the file, with what its metadata say.
#[derive(Debug)]
pub(super) struct Channel {
    pub wire: wire::Channel,
    pub kind: Kind,
    pub topic: Arc<str>,
    pub broker: Arc<str>,
    pub encoding: Arc<str>,
    pub qos: u8,
    pub retained: bool,
}

/// What a channel is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Message,
    Event,
    Keyframe,
}

/// A stretch of the file with messages.
#[derive(Debug)]
pub(super) struct Chunk {
    pub place: Place,
    /// Of the first and of the last message.
    pub times: (Timestamp, Timestamp),
    pub messages: u64,
    pub holds: Holds,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Holds {
    pub messages: bool,
    pub events: bool,
    pub keyframes: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct KeyframePlace {
    pub time: Timestamp,
    /// In [`Index::chunks`].
    pub chunk: usize,
}

/// An attachment and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Attached {
    pub entry: AttachmentEntry,
    pub offset: u64,
    pub length: u64,
}

/// A chunk as a summary or a scan tells of it.
#[derive(Debug)]
pub(super) struct Found {
    pub place: Place,
    pub start: u64,
    pub end: u64,
    pub messages: u64,
    pub holds: Holds,
    /// Message indexes of channels with keyframes.
    pub keyframes: Vec<u64>,
    /// Bytes of all its message indexes, as a summary tells.
    pub indexes_length: u64,
    /// Nothing says which channels it has: it must be read to know.
    pub is_opaque: bool,
}

impl Holds {
    pub fn add(&mut self, kind: Kind) {
        match kind {
            Kind::Message => self.messages = true,
            Kind::Event => self.events = true,
            Kind::Keyframe => self.keyframes = true,
        }
    }
}

impl Channels {
    pub fn get(&self, id: u16) -> Option<&Arc<Channel>> {
        self.0.get(&id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Channel>> {
        self.0.values()
    }

    /// False if another channel has its number.
    pub fn add(&mut self, channel: wire::Channel) -> bool {
        match self.0.get(&channel.id) {
            Some(known) => known.wire == channel,
            None => {
                self.0.insert(channel.id, Arc::new(Channel::new(channel)));
                true
            }
        }
    }

    /// Adds the channels that a chunk tells of. What is none or contradicts an earlier one spoils the chunk.
    pub fn learn(&mut self, records: &[u8]) -> Result<(), String> {
        for record in wire::records(records).flatten().filter(|record| record.op == op::CHANNEL) {
            let channel = wire::channel(record.body).ok_or("a channel in it cannot be read")?;
            let id = channel.id;
            if !self.add(channel) {
                return Err(format!("it has another channel {id} than the rest of the file"));
            }
        }
        Ok(())
    }
}

impl Channel {
    fn new(wire: wire::Channel) -> Self {
        let kind = match wire.topic.as_str() {
            format::EVENTS_TOPIC => Kind::Event,
            format::KEYFRAMES_TOPIC => Kind::Keyframe,
            _ => Kind::Message,
        };
        let said = |key: &str| wire.metadata.get(key).map_or("", String::as_str);
        Self {
            kind,
            topic: wire.topic.as_str().into(),
            broker: said(format::BROKER).into(),
            encoding: wire.encoding.as_str().into(),
            qos: said(format::QOS).parse().ok().filter(|qos| *qos <= 2).unwrap_or(0),
            retained: said(format::RETAINED) == "true",
            wire,
        }
    }
}

impl Index {
    /// Sorts what was found, and looks into those chunks of which nothing else tells what they hold.
    pub fn new(
        source: &Source,
        mut channels: Channels,
        found: Vec<Found>,
        attachments: Vec<Attached>,
        counts: BTreeMap<u16, u64>,
        damage: &Damage,
    ) -> Result<Self, ReadError> {
        let mut chunks = Vec::with_capacity(found.len());
        let mut keyframes = Vec::new();
        for mut one in found {
            let mut times = Vec::new();
            if !one.is_opaque && one.holds.keyframes {
                match keyframe_times(source, &one)? {
                    Some(found) => times = found,
                    None => one.is_opaque = true,
                }
            }
            if one.is_opaque {
                match look_into(source, &mut one, &mut channels) {
                    Ok(found) => times = found,
                    Err(ChunkError::Read(error)) => return Err(error),
                    Err(ChunkError::Spoiled(why)) => {
                        damage.spoil(one.place.offset, one.place.length, None, &why);
                        continue;
                    }
                }
            }
            if one.messages == 0 {
                continue;
            }
            keyframes.extend(times.into_iter().map(|nanoseconds| (time(nanoseconds), one.place.offset)));
            let times = (time(one.start.min(one.end)), time(one.end.max(one.start)));
            chunks.push(Chunk { place: one.place, times, messages: one.messages, holds: one.holds });
        }
        chunks.sort_by_key(|chunk| (chunk.times.0, chunk.place.offset));
        let mut newest = Timestamp::MIN;
        let newest = chunks.iter().map(|chunk| {
            newest = newest.max(chunk.times.1);
            newest
        });
        let newest = newest.collect();
        let by_offset: BTreeMap<u64, usize> =
            chunks.iter().enumerate().map(|(at, chunk)| (chunk.place.offset, at)).collect();
        let mut keyframes: Vec<KeyframePlace> = keyframes
            .into_iter()
            .filter_map(|(time, offset)| Some(KeyframePlace { time, chunk: *by_offset.get(&offset)? }))
            .collect();
        keyframes.sort_by_key(|keyframe| (keyframe.time, keyframe.chunk));
        Ok(Self { channels, chunks, newest, keyframes, attachments, counts })
    }

    pub fn bounds(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.chunks.first()?.times.0, *self.newest.last()?))
    }

    /// Chunks that may hold messages in (after, up_to].
    pub fn between(&self, after: Timestamp, up_to: Timestamp) -> std::ops::Range<usize> {
        let from = self.newest.partition_point(|newest| *newest <= after);
        let to = self.chunks.partition_point(|chunk| chunk.times.0 <= up_to);
        from..to.max(from)
    }
}

/// From message indexes; none if they are not where they should be.
fn keyframe_times(source: &Source, one: &Found) -> Result<Option<Vec<u64>>, ReadError> {
    // The usual case: a keyframe in a chunk of its own.
    if one.messages == 1 {
        return Ok(Some(vec![one.start]));
    }
    let mut times = Vec::new();
    for offset in &one.keyframes {
        let Some(head) = source.read(*offset, wire::HEAD)? else { return Ok(None) };
        let mut head = wire::Fields(&head);
        let (Some(op::MESSAGE_INDEX), Some(length)) = (head.u8(), head.u64()) else { return Ok(None) };
        let Some(body) = source.read(offset.saturating_add(wire::HEAD), length)? else { return Ok(None) };
        let Some(index) = wire::message_index(&body) else { return Ok(None) };
        times.extend(index.entries().map(|(time, _)| time));
    }
    Ok(Some(times))
}

/// Reads a chunk to learn its channels and times; gives the times of keyframes in it.
fn look_into(source: &Source, one: &mut Found, channels: &mut Channels) -> Result<Vec<u64>, ChunkError> {
    let records = chunk::read(source, one.place)?;
    channels.learn(&records).map_err(ChunkError::Spoiled)?;
    let mut keyframes = Vec::new();
    (one.messages, one.start, one.end, one.holds) = (0, u64::MAX, 0, Holds::default());
    for record in wire::records(&records).flatten().filter(|record| record.op == op::MESSAGE) {
        let message =
            wire::message(record.body).ok_or_else(|| ChunkError::Spoiled("a message in it is too short".to_owned()))?;
        let Some(channel) = channels.get(message.channel) else { continue };
        one.messages += 1;
        (one.start, one.end) = (one.start.min(message.log_time), one.end.max(message.log_time));
        one.holds.add(channel.kind);
        if channel.kind == Kind::Keyframe {
            keyframes.push(message.log_time);
        }
    }
    Ok(keyframes)
}
