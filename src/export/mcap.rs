//! A stretch of recordings as a recording again: trimmed, and merged if they are several. In: a timeline, a stretch of time.
//! Out: an MCAP file as the recorder writes it, with the scene, and with a keyframe at its beginning.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::sync::Arc;

use mcap::records::{MessageHeader, Metadata};
use mcap::{Attachment, McapError, Writer};

use crate::event::Event;
use crate::plant::ANNOUNCEMENTS;
use crate::record::format::{self, Keyframe};
use crate::record::read::{ChannelInfo, RawMessage, ReadError, RecordingFile, Timeline};
use crate::record::{RecordedForecast, message_metadata, partial, write_options};
use crate::value::Timestamp;

#[derive(Debug, thiserror::Error)]
pub(super) enum CutError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{0}")]
    Write(Box<dyn std::error::Error + Send + Sync>),
}

impl From<McapError> for CutError {
    fn from(error: McapError) -> Self {
        Self::Write(error.into())
    }
}

/// Writes what was received from `from` to `to`, both included, beginning with the last keyframe up to `from`, so that
/// nothing of the state is missing: a full one where there is one, for producers that remember. Says how many messages,
/// events, forecasts and keyframes there are, and where it begins.
pub(super) fn write(
    timeline: &Timeline,
    from: Timestamp,
    to: Timestamp,
    file: File,
) -> Result<(u64, Timestamp), CutError> {
    let first = match timeline.full_keyframe_at(from)? {
        Some(full) => Some(full),
        None => timeline.keyframe_at(from)?,
    };
    let from = first.as_ref().map_or(from, |first| first.time.min(from));
    let out = BufWriter::with_capacity(1 << 20, file);
    let mut cut = Cut { writer: write_options().create(out)?, channels: HashMap::new(), count: 0 };
    cut.front(timeline)?;
    cut.plants(timeline)?;
    // Those that show at its beginning were issued before it.
    let mut forecasts = timeline.forecasts_at(from)?;
    forecasts.retain(|forecast| forecast.issued < from);
    cut.forecasts(&forecasts)?;

    let within = |time: &Timestamp| (from..=to).contains(time);
    let mut keyframes = timeline.keyframe_times().into_iter().filter(within).peekable();
    let mut events = timeline.events()?.into_iter().filter(|event| within(&event.received)).peekable();
    // Events of a second stand together, as the recorder writes them.
    let mut second = Vec::new();
    let just_before = Timestamp(from.0.saturating_sub(1));
    let mut told = just_before;
    for message in timeline.messages(just_before, to) {
        let message = message?;
        // Forecasts of a second stand together too; more than these are never in memory.
        if message.log_time.secs_since(told) >= 1.0 {
            cut.forecasts(&timeline.forecasts_between(told, message.log_time)?)?;
            told = message.log_time;
        }
        while let Some(event) = events.next_if(|event| event.received <= message.log_time) {
            if second.first().is_some_and(|first: &Event| event.received.secs_since(first.received) >= 1.0) {
                cut.events(&mut second)?;
            }
            second.push(event);
        }
        if keyframes.peek().is_some_and(|time| *time < message.log_time) {
            cut.events(&mut second)?;
        }
        while let Some(time) = keyframes.next_if(|time| *time < message.log_time) {
            cut.keyframe(timeline.keyframe_at(time)?.filter(|keyframe| keyframe.time == time))?;
        }
        cut.message(&message)?;
    }
    second.extend(events);
    cut.events(&mut second)?;
    cut.forecasts(&timeline.forecasts_between(told, to)?)?;
    for time in keyframes {
        cut.keyframe(timeline.keyframe_at(time)?.filter(|keyframe| keyframe.time == time))?;
    }
    cut.writer.finish()?;
    cut.writer.into_inner().flush().map_err(|error| CutError::Write(error.into()))?;
    Ok((cut.count, from))
}

struct Cut<W: Write + Seek> {
    writer: Writer<W>,
    /// Of each topic.
    channels: HashMap<Arc<str>, Vec<Channel>>,
    count: u64,
}

struct Channel {
    way: Way,
    id: u16,
    sequence: u32,
}

/// How messages came.
#[derive(PartialEq)]
struct Way {
    broker: Arc<str>,
    qos: u8,
    retained: bool,
    encoding: Arc<str>,
}

impl<W: Write + Seek> Cut<W> {
    /// Where it comes from, and the files of the scene: of those with the same name all that differ.
    fn front(&mut self, timeline: &Timeline) -> Result<(), CutError> {
        if let Some(about) = timeline.about() {
            self.writer.write_metadata(&Metadata { name: format::ABOUT.to_owned(), metadata: about.to_metadata() })?;
        }
        let mut last: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for recording in timeline.recordings() {
            let time = recording.bounds().map_or(0, |(start, _)| nanos(start));
            let mut entries: Vec<_> = recording.attachments().iter().collect();
            entries.sort_by(|a, b| a.name.cmp(&b.name));
            entries.dedup_by(|a, b| a.name == b.name);
            for entry in entries {
                let data = recording.attachment(&entry.name)?;
                if last.get(&entry.name) == Some(&data) {
                    continue;
                }
                self.writer.attach(&Attachment {
                    log_time: time,
                    create_time: time,
                    name: entry.name.clone(),
                    media_type: entry.media_type.clone(),
                    data: data.as_slice().into(),
                })?;
                last.insert(entry.name.clone(), data);
            }
        }
        Ok(())
    }

    /// The channels on which simulated plants say that they are such, though none says so within the stretch.
    fn plants(&mut self, timeline: &Timeline) -> Result<(), CutError> {
        let channels = timeline.recordings().iter().flat_map(RecordingFile::channels);
        for channel in channels.filter(|channel| channel.topic.starts_with(ANNOUNCEMENTS)) {
            let ChannelInfo { topic, broker, qos, retained, encoding, .. } = channel.clone();
            self.channel(&topic, Way { broker, qos, retained, encoding })?;
        }
        Ok(())
    }

    /// The channel of a topic for messages that came in one way, begun where it is new.
    fn channel(&mut self, topic: &Arc<str>, way: Way) -> Result<&mut Channel, CutError> {
        let channels = self.channels.entry(topic.clone()).or_default();
        let at = match channels.iter().position(|channel| channel.way == way) {
            Some(at) => at,
            None => {
                let schema = if &*way.encoding == format::JSON { json_schema(&mut self.writer)? } else { 0 };
                let metadata = message_metadata(&way.broker, way.qos, way.retained);
                let id = self.writer.add_channel(schema, topic, &way.encoding, &metadata)?;
                channels.push(Channel { way, id, sequence: 0 });
                channels.len() - 1
            }
        };
        Ok(&mut channels[at])
    }

    fn message(&mut self, message: &RawMessage) -> Result<(), CutError> {
        let RawMessage { broker, qos, retained, encoding, .. } = message.clone();
        let channel = self.channel(&message.topic, Way { broker, qos, retained, encoding })?;
        let header = MessageHeader {
            channel_id: channel.id,
            sequence: channel.sequence,
            log_time: nanos(message.log_time),
            publish_time: nanos(message.publish_time),
        };
        channel.sequence = channel.sequence.wrapping_add(1);
        self.writer.write_to_known_channel(&header, &message.payload)?;
        self.count += 1;
        Ok(())
    }

    /// In a chunk of their own.
    fn events(&mut self, events: &mut Vec<Event>) -> Result<(), CutError> {
        if events.is_empty() {
            return Ok(());
        }
        self.writer.flush()?;
        for event in events.drain(..) {
            let times = (event.received, event.time);
            self.own(format::EVENTS_TOPIC, &BTreeMap::new(), event.id as u32, times, &event)?;
        }
        Ok(self.writer.flush()?)
    }

    /// In a chunk of its own; none is one that could not be read.
    fn keyframe(&mut self, keyframe: Option<Keyframe>) -> Result<(), CutError> {
        let Some(keyframe) = keyframe else { return Ok(()) };
        self.writer.flush()?;
        let metadata = if keyframe.is_full() { BTreeMap::new() } else { partial() };
        self.own(format::KEYFRAMES_TOPIC, &metadata, 0, (keyframe.time, keyframe.time), &keyframe)?;
        Ok(self.writer.flush()?)
    }

    /// In a chunk of their own.
    fn forecasts(&mut self, forecasts: &[RecordedForecast]) -> Result<(), CutError> {
        if forecasts.is_empty() {
            return Ok(());
        }
        self.writer.flush()?;
        for forecast in forecasts {
            let times = (forecast.issued, forecast.source_time);
            self.own(format::FORECASTS_TOPIC, &BTreeMap::new(), 0, times, forecast)?;
        }
        Ok(self.writer.flush()?)
    }

    fn own(
        &mut self,
        topic: &str,
        metadata: &BTreeMap<String, String>,
        sequence: u32,
        (log, publish): (Timestamp, Timestamp),
        what: &impl serde::Serialize,
    ) -> Result<(), CutError> {
        let json = serde_json::to_vec(what).map_err(|error| CutError::Write(error.into()))?;
        let schema = json_schema(&mut self.writer)?;
        let channel_id = self.writer.add_channel(schema, topic, format::JSON, metadata)?;
        let header = MessageHeader { channel_id, sequence, log_time: nanos(log), publish_time: nanos(publish) };
        self.writer.write_to_known_channel(&header, &json)?;
        self.count += 1;
        Ok(())
    }
}

fn json_schema(writer: &mut Writer<impl Write + Seek>) -> Result<u16, McapError> {
    writer.add_schema(format::JSON_SCHEMA_NAME, format::JSON_SCHEMA_ENCODING, format::JSON_SCHEMA)
}

/// MCAP counts from 1970.
fn nanos(time: Timestamp) -> u64 {
    u64::try_from(time.0).unwrap_or(0)
}
