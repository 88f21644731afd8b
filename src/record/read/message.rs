//! Messages of a recording in the one order. In: an index and a stretch of time. Out: messages as a broker gave them.
//! Holds the chunks that overlap the moment it has come to, and no more.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::chunk::{self, ChunkError};
use super::index::{Channel, Kind, LAST, time};
use super::wire::{self, op};
use super::{ReadError, RecordingFile};
use crate::record::{ProducedSamples, format};
use crate::value::Timestamp;

/// Chunks that overlap are open at the same time, up to this many bytes.
const MOST_OPEN_MIB: usize = 512;

/// A message as it came from a broker, or what a costly producer said in its place in the order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawMessage {
    pub topic: Arc<str>,
    /// Empty in a foreign file.
    pub broker: Arc<str>,
    pub qos: u8,
    pub retained: bool,
    /// `json`, or empty where nobody knows.
    pub encoding: Arc<str>,
    /// When it was received.
    pub log_time: Timestamp,
    /// The source time of its first sample, else the receive time.
    pub publish_time: Timestamp,
    pub payload: Bytes,
}

impl RawMessage {
    /// What a costly producer said; none if it is a message of a broker.
    pub fn produced(&self) -> Option<ProducedSamples> {
        // A message of a broker is told by the length of its topic, mostly.
        if !self.is_produced() {
            return None;
        }
        serde_json::from_slice(&self.payload).ok()
    }

    /// Whether a costly producer said it, and no broker.
    pub fn is_produced(&self) -> bool {
        *self.topic == *format::PRODUCED_TOPIC
    }

    /// Whether its payload is what scenes can read: text, as far as the file says.
    pub fn is_readable(&self) -> bool {
        is_text(&self.encoding)
    }
}

/// Whether an encoding that a file names (<https://mcap.dev/spec/registry#message-encodings>) is JSON or other text; MQTT
/// names none. Bytes of protobuf or CDR may look like text and mean something else.
pub(super) fn is_text(encoding: &str) -> bool {
    let encoding = encoding.trim().to_ascii_lowercase();
    let is_named = ["", "utf8", "utf-8", "ascii", "string", "plain"].contains(&encoding.as_str());
    is_named || encoding.contains("json") || encoding.starts_with("text")
}

/// A message of any channel of the file.
#[derive(Debug)]
pub(super) struct Entry {
    pub channel: Arc<Channel>,
    /// Where the chunk stands that holds it.
    pub chunk: u64,
    pub log_time: Timestamp,
    pub publish_time: Timestamp,
    pub payload: Bytes,
}

impl Entry {
    pub fn into_raw(self) -> RawMessage {
        let Self { channel, log_time, publish_time, payload, .. } = self;
        RawMessage {
            topic: channel.topic.clone(),
            broker: channel.broker.clone(),
            qos: channel.qos,
            retained: channel.retained,
            encoding: channel.encoding.clone(),
            log_time,
            publish_time,
            payload,
        }
    }
}

/// The messages of some kinds in `after < log_time ≤ up_to`, in order of log time, then of brokers, then of the file. Chunks that are
/// damaged are left out, and told of in the recording's damage.
pub(super) struct Entries<'r> {
    recording: &'r RecordingFile,
    kinds: &'static [Kind],
    after: Timestamp,
    up_to: Timestamp,
    /// Chunks not yet opened.
    ahead: Range<usize>,
    open: BinaryHeap<Reverse<Open>>,
    open_bytes: usize,
}

/// A chunk with messages left. Ordered by the next of them.
struct Open {
    next: MessageEntry,
    records: Bytes,
    /// What comes after, the first at the end.
    later: Vec<MessageEntry>,
}

/// A message in a chunk. Ordered by time, then by its broker, then by its place in the file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct MessageEntry {
    log_time: u64,
    broker: u16,
    chunk: u64,
    at: usize,
    end: usize,
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.next == other.next
    }
}

impl Eq for Open {}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Open {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.next.cmp(&other.next)
    }
}

impl<'r> Entries<'r> {
    pub fn new(recording: &'r RecordingFile, kinds: &'static [Kind], after: Timestamp, up_to: Timestamp) -> Self {
        let ahead = recording.index.between(after, up_to);
        Self { recording, kinds, after, up_to, ahead, open: BinaryHeap::new(), open_bytes: 0 }
    }

    /// The next that can be learnt from.
    pub fn next_learned(&mut self) -> Option<Result<Entry, ReadError>> {
        let recording = self.recording;
        self.find(|entry| entry.as_ref().map_or(true, |entry| recording.may_be_learned(entry)))
    }

    /// Opens all chunks that may hold a message before the next of those that are open.
    fn open_due(&mut self) -> Result<(), ReadError> {
        while let Some(chunk) = self.recording.index.chunks.get(self.ahead.start).filter(|_| !self.ahead.is_empty()) {
            if self.open.peek().is_some_and(|open| chunk.times.0 > time(open.0.next.log_time)) {
                return Ok(());
            }
            self.ahead.start += 1;
            let has_some = self.kinds.iter().any(|kind| chunk.holds.has(*kind));
            if !has_some || chunk.times.1 <= self.after {
                continue;
            }
            let Some(records) = self.recording.records(chunk.place)? else { continue };
            let mut places = self.places(&records, chunk.place);
            places.sort_unstable_by(|a, b| b.cmp(a));
            let Some(next) = places.pop() else { continue };
            self.open_bytes = self.open_bytes.saturating_add(records.len());
            if self.open_bytes > MOST_OPEN_MIB << 20 {
                let path = self.recording.path().to_owned();
                return Err(ReadError::Overlap { path, limit_mib: MOST_OPEN_MIB, at: chunk.times.0 });
            }
            self.open.push(Reverse(Open { next, records, later: places }));
        }
        Ok(())
    }

    /// Messages of the kind within the stretch of time.
    fn places(&self, records: &[u8], chunk: chunk::ChunkSpan) -> Vec<MessageEntry> {
        let messages = wire::records(records).flatten().filter(|record| record.op == op::MESSAGE);
        let wanted = messages.filter_map(|record| {
            let message = wire::message(record.body)?;
            let moment = time(message.log_time);
            let is_wanted = moment > self.after && moment <= self.up_to && message.log_time <= LAST;
            let channels = &self.recording.index.channels;
            let channel = channels.owner(message.channel, chunk.of(record.at)).filter(|_| is_wanted)?;
            let at = record.at + wire::HEAD as usize;
            let broker = self.recording.index.rank(message.channel);
            let (log_time, end) = (message.log_time, at + record.body.len());
            let place = MessageEntry { log_time, broker, chunk: chunk.offset, at, end };
            self.kinds.contains(&channel.kind).then_some(place)
        });
        wanted.collect()
    }

    fn entry(&self, place: MessageEntry, records: &Bytes) -> Option<Entry> {
        let message = wire::message(records.get(place.at..place.end)?)?;
        Some(Entry {
            channel: self.recording.index.channels.get(message.channel)?.clone(),
            chunk: place.chunk,
            log_time: time(message.log_time),
            publish_time: time(message.publish_time),
            payload: records.slice_ref(message.payload),
        })
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Err(error) = self.open_due() {
                self.ahead = 0..0;
                self.open.clear();
                return Some(Err(error));
            }
            let Reverse(mut open) = self.open.pop()?;
            let entry = self.entry(open.next, &open.records);
            match open.later.pop() {
                Some(next) => {
                    open.next = next;
                    self.open.push(Reverse(open));
                }
                None => self.open_bytes = self.open_bytes.saturating_sub(open.records.len()),
            }
            if let Some(entry) = entry {
                return Some(Ok(entry));
            }
        }
    }
}

impl RecordingFile {
    /// The records of a chunk; none if it is damaged, which is then known.
    pub(super) fn records(&self, place: chunk::ChunkSpan) -> Result<Option<Bytes>, ReadError> {
        match self.checked(place) {
            Ok(records) => Ok(Some(records)),
            Err(error) => {
                let from = self.index.chunks.iter().find(|chunk| chunk.place == place).map(|chunk| chunk.times.0);
                self.damage.spoil_chunk(place, from, error)?;
                Ok(None)
            }
        }
    }

    fn checked(&self, place: chunk::ChunkSpan) -> Result<Bytes, ChunkError> {
        let records = chunk::read(&self.source, place)?;
        for record in wire::records(&records).flatten() {
            let is_good = match record.op {
                op::MESSAGE => wire::message(record.body).is_some(),
                op::CHANNEL => match wire::channel(record.body) {
                    Some(channel) => {
                        self.index.channels.hear(&channel, place.of(record.at)).map_err(ChunkError::Told)?;
                        true
                    }
                    None => false,
                },
                _ => true,
            };
            if !is_good {
                return Err(ChunkError::Spoiled("a record in it does not fit the rest of the file".to_owned()));
            }
        }
        Ok(records)
    }
}
