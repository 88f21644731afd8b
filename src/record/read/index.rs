//! What stands where in one recording: channels, chunks in order of time, keyframes. In: what a summary or a scan has
//! found. Out: an [`Index`]. Knows nothing of payloads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;

use super::chunk::{self, ChunkError, ChunkSpan};
use super::file::Source;
use super::wire::{self, op};
use super::{AttachmentEntry, Damage, ReadError};
use crate::record::format;
use crate::value::Timestamp;

/// The last moment of a message: MCAP counts farther.
pub(super) const LAST: u64 = i64::MAX as u64;

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
    /// Log times of the first and the last message, event or keyframe: a forecast that was cut out of a longer recording may
    /// have been issued before all of it.
    bounds: Option<(Timestamp, Timestamp)>,
    /// Of channels by their numbers, the place of the broker's name in their order; empty where there is one broker.
    ranks: Vec<u16>,
    /// In order of time.
    pub keyframes: Vec<KeyframePlace>,
    /// In the order of the file.
    pub attachments: Vec<Attached>,
    /// Messages of each channel.
    pub counts: BTreeMap<u16, u64>,
    pub odd: Odd,
}

/// Messages that are left out, though nothing of them is damaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Odd {
    /// After [`LAST`].
    pub beyond: u64,
    /// The file does not tell of their channel.
    pub ownerless: u64,
}

/// Channels by their number. A number that a file gives to another channel later on is in dispute from there on, until the
/// first one is told again: what stands under it meanwhile is nobody's.
#[derive(Debug, Default)]
pub(super) struct Channels {
    known: BTreeMap<u16, Arc<Channel>>,
    /// By number, from which place of the file on it is in dispute, or is no longer. Chunks may be looked into in any order.
    disputes: Mutex<BTreeMap<u16, BTreeMap<u64, bool>>>,
}

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
    /// Of keyframes that lack the large states of producers.
    pub is_partial: bool,
}

/// What a channel is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Message,
    Event,
    Keyframe,
    Forecast,
    /// Samples of costly producers.
    Produced,
}

impl Kind {
    /// What has a place in the one order of all that is learnt from.
    pub const MESSAGES: &[Kind] = &[Kind::Message, Kind::Produced];
}

/// A stretch of the file with messages.
#[derive(Debug)]
pub(super) struct Chunk {
    pub place: ChunkSpan,
    /// Of the first and of the last message.
    pub times: (Timestamp, Timestamp),
    pub messages: u64,
    pub holds: Holds,
}

/// The kinds that it has messages of: one bit for each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Holds(u8);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct KeyframePlace {
    pub time: Timestamp,
    /// In [`Index::chunks`].
    pub chunk: usize,
    /// It lacks the large states of producers.
    pub is_partial: bool,
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
    pub place: ChunkSpan,
    pub start: u64,
    pub end: u64,
    pub messages: u64,
    pub holds: Holds,
    /// Message indexes of channels with keyframes, and whether these are partial.
    pub keyframes: Vec<(u64, bool)>,
    /// Bytes of all its message indexes, as a summary tells.
    pub indexes_length: u64,
    /// Nothing says which channels it has: it must be read to know.
    pub is_opaque: bool,
}

impl Holds {
    pub fn add(&mut self, kind: Kind) {
        self.0 |= 1 << kind as u8;
    }

    pub fn has(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }
}

impl Channels {
    pub fn get(&self, id: u16) -> Option<&Arc<Channel>> {
        self.known.get(&id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Channel>> {
        self.known.values()
    }

    /// The channel that a number stands for at a place of the file; none while that is in dispute.
    pub fn owner(&self, id: u16, at: u64) -> Option<&Arc<Channel>> {
        let disputes = self.disputes.lock();
        let last = disputes.get(&id).and_then(|changes| changes.range(..=at).next_back());
        let is_disputed = last.is_some_and(|(_, is_disputed)| *is_disputed);
        drop(disputes);
        self.known.get(&id).filter(|_| !is_disputed)
    }

    /// What a file says of a channel at a place of it; why not, if it says something else of the same number elsewhere.
    pub fn hear(&self, channel: &wire::Channel, at: u64) -> Result<(), String> {
        let Some(known) = self.known.get(&channel.id) else { return Ok(()) };
        let mut disputes = self.disputes.lock();
        if known.wire == *channel {
            if let Some(changes) = disputes.get_mut(&channel.id) {
                changes.insert(at, false);
            }
            return Ok(());
        }
        disputes.entry(channel.id).or_default().insert(at, true);
        Err(format!(
            "it breaks the rules of MCAP: channel {} is `{}` and then `{}`; what comes under that number after the second is \
             left out, as nobody knows whose it is: let the program that wrote it give each channel a number of its own",
            channel.id, known.topic, channel.topic
        ))
    }

    /// False if another channel has its number.
    pub fn add(&mut self, channel: wire::Channel) -> bool {
        match self.known.get(&channel.id) {
            Some(known) => known.wire == channel,
            None => {
                self.known.insert(channel.id, Arc::new(Channel::new(channel)));
                true
            }
        }
    }

    /// Adds the channels that a chunk tells of. What is none or contradicts an earlier one spoils the chunk.
    pub fn learn(&mut self, records: &[u8], place: ChunkSpan) -> Result<(), ChunkError> {
        for record in wire::records(records).flatten().filter(|record| record.op == op::CHANNEL) {
            let channel = wire::channel(record.body)
                .ok_or_else(|| ChunkError::Spoiled("a channel in it cannot be read".to_owned()))?;
            self.hear(&channel, place.of(record.at)).map_err(ChunkError::Told)?;
            self.add(channel);
        }
        Ok(())
    }
}

impl Channel {
    fn new(wire: wire::Channel) -> Self {
        let kind = match wire.topic.as_str() {
            format::EVENTS_TOPIC => Kind::Event,
            format::KEYFRAMES_TOPIC => Kind::Keyframe,
            format::FORECASTS_TOPIC => Kind::Forecast,
            format::PRODUCED_TOPIC => Kind::Produced,
            _ => Kind::Message,
        };
        let said = |key: &str| wire.metadata.get(key).map_or("", String::as_str);
        Self {
            kind,
            topic: wire.topic.as_str().into(),
            broker: if kind == Kind::Produced { format::PRODUCERS } else { said(format::BROKER) }.into(),
            encoding: wire.encoding.as_str().into(),
            qos: said(format::QOS).parse().ok().filter(|qos| *qos <= 2).unwrap_or(0),
            retained: said(format::RETAINED) == "true",
            is_partial: said(format::PARTIAL) == "true",
            wire,
        }
    }
}

impl Index {
    /// Sorts what was found, and looks into those chunks whose content nothing else tells.
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
        let mut odd = Odd::default();
        for mut one in found {
            let mut times = Vec::new();
            // Times that this program cannot count to: what has them is looked for.
            one.is_opaque |= one.end > LAST;
            if !one.is_opaque && one.holds.has(Kind::Keyframe) {
                match keyframe_times(source, &one)? {
                    Some(found) => times = found,
                    None => one.is_opaque = true,
                }
            }
            if one.is_opaque {
                match look_into(source, &mut one, &mut channels, &mut odd) {
                    Ok(found) => times = found,
                    Err(error) => {
                        damage.spoil_chunk(one.place, None, error)?;
                        continue;
                    }
                }
            }
            if one.messages == 0 {
                continue;
            }
            keyframes.extend(
                times.into_iter().map(|(nanoseconds, is_partial)| (time(nanoseconds), one.place.offset, is_partial)),
            );
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
            .filter_map(|(time, offset, is_partial)| {
                Some(KeyframePlace { time, chunk: *by_offset.get(&offset)?, is_partial })
            })
            .collect();
        keyframes.sort_by_key(|keyframe| (keyframe.time, keyframe.chunk));
        let ranks = ranks(&channels);
        let bounds = bounds(&chunks, &keyframes);
        Ok(Self { channels, chunks, newest, bounds, ranks, keyframes, attachments, counts, odd })
    }

    pub fn bounds(&self) -> Option<(Timestamp, Timestamp)> {
        self.bounds
    }

    /// Where a channel's broker stands among all of the file, by name.
    pub fn rank(&self, channel: u16) -> u16 {
        self.ranks.get(usize::from(channel)).copied().unwrap_or(0)
    }

    /// Chunks that may hold messages in (after, up_to].
    pub fn between(&self, after: Timestamp, up_to: Timestamp) -> std::ops::Range<usize> {
        let from = self.newest.partition_point(|newest| *newest <= after);
        let to = self.chunks.partition_point(|chunk| chunk.times.0 <= up_to);
        from..to.max(from)
    }
}

fn bounds(chunks: &[Chunk], keyframes: &[KeyframePlace]) -> Option<(Timestamp, Timestamp)> {
    let of = |kinds: &'static [Kind]| chunks.iter().filter(|chunk| kinds.iter().any(|kind| chunk.holds.has(*kind)));
    let shown = || of(&[Kind::Message, Kind::Event, Kind::Keyframe, Kind::Produced]);
    let start = shown().map(|chunk| chunk.times.0).min()?;
    let end = shown().map(|chunk| chunk.times.1).max()?;
    // An import begins with what was known just before its first message: that keyframe is no moment of its own.
    let said = of(&[Kind::Message, Kind::Event, Kind::Produced]).map(|chunk| chunk.times.0).min();
    let is_just_before = |said: &Timestamp| said.0.checked_sub(1) == Some(start.0);
    let of_keyframe = keyframes.first().is_some_and(|keyframe| keyframe.time == start);
    Some((said.filter(|said| of_keyframe && is_just_before(said)).unwrap_or(start), end))
}

/// By channel; empty where no two brokers have to be told apart.
fn ranks(channels: &Channels) -> Vec<u16> {
    let learnt = || channels.iter().filter(|channel| Kind::MESSAGES.contains(&channel.kind));
    let names: BTreeSet<&str> = learnt().map(|channel| &*channel.broker).collect();
    let Some(last) = learnt().map(|channel| channel.wire.id).max().filter(|_| names.len() > 1) else {
        return Vec::new();
    };
    let places: BTreeMap<&str, u16> = names.into_iter().zip(0..).collect();
    let mut ranks = vec![0; usize::from(last) + 1];
    for channel in learnt() {
        if let (Some(rank), Some(place)) = (ranks.get_mut(usize::from(channel.wire.id)), places.get(&*channel.broker)) {
            *rank = *place;
        }
    }
    ranks
}

/// From message indexes, and whether each is of a partial one; none if they are not where they should be.
fn keyframe_times(source: &Source, one: &Found) -> Result<Option<Vec<(u64, bool)>>, ReadError> {
    // The usual case: a keyframe in a chunk of its own.
    if let ([(_, is_partial)], 1) = (&one.keyframes[..], one.messages) {
        return Ok(Some(vec![(one.start, *is_partial)]));
    }
    let mut times = Vec::new();
    for (offset, is_partial) in &one.keyframes {
        let Some(head) = source.read(*offset, wire::HEAD)? else { return Ok(None) };
        let mut head = wire::Fields(&head);
        let (Some(op::MESSAGE_INDEX), Some(length)) = (head.u8(), head.u64()) else { return Ok(None) };
        let Some(body) = source.read(offset.saturating_add(wire::HEAD), length)? else { return Ok(None) };
        let Some(index) = wire::message_index(&body) else { return Ok(None) };
        times.extend(index.entries().map(|(time, _)| (time, *is_partial)));
    }
    Ok(Some(times))
}

/// Reads a chunk to learn its channels and times; gives the times of keyframes in it.
fn look_into(
    source: &Source,
    one: &mut Found,
    channels: &mut Channels,
    odd: &mut Odd,
) -> Result<Vec<(u64, bool)>, ChunkError> {
    let records = chunk::read(source, one.place)?;
    channels.learn(&records, one.place)?;
    let mut keyframes = Vec::new();
    (one.messages, one.start, one.end, one.holds) = (0, u64::MAX, 0, Holds::default());
    for record in wire::records(&records).flatten().filter(|record| record.op == op::MESSAGE) {
        let message =
            wire::message(record.body).ok_or_else(|| ChunkError::Spoiled("a message in it is too short".to_owned()))?;
        let Some(channel) = channels.owner(message.channel, one.place.of(record.at)) else {
            odd.ownerless += u64::from(channels.get(message.channel).is_none());
            continue;
        };
        if message.log_time > LAST {
            odd.beyond += 1;
            continue;
        }
        one.messages += 1;
        (one.start, one.end) = (one.start.min(message.log_time), one.end.max(message.log_time));
        one.holds.add(channel.kind);
        if channel.kind == Kind::Keyframe {
            keyframes.push((message.log_time, channel.is_partial));
        }
    }
    Ok(keyframes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(id: u16, topic: &str) -> wire::Channel {
        wire::Channel { id, schema: 0, topic: topic.to_owned(), encoding: String::new(), metadata: BTreeMap::new() }
    }

    #[test]
    fn a_number_in_dispute_has_no_owner_until_the_first_one_is_told_again() {
        let mut channels = Channels::default();
        channels.add(channel(1, "P-1/data"));
        channels.add(channel(2, "P-3/data"));
        // Before anything is in dispute, nothing has to be settled.
        assert!(channels.hear(&channel(1, "P-1/data"), 300).is_ok());
        let told = channels.hear(&channel(1, "P-2/data"), 200).unwrap_err();
        assert!(told.contains("channel 1 is `P-1/data` and then `P-2/data`"), "{told}");
        assert!(channels.hear(&channel(1, "P-1/data"), 300).is_ok());
        let owner = |id, at| channels.owner(id, at).map(|channel| channel.topic.to_string());
        let first = Some("P-1/data".to_owned());
        assert_eq!([100, 199, 200, 299, 300].map(|at| owner(1, at)), [first.clone(), first.clone(), None, None, first]);
        assert_eq!(owner(2, 250).as_deref(), Some("P-3/data"));
    }
}
