//! One MCAP file from its first byte to its last. In: messages, conclusions, keyframes, files of a scene, as they stand in
//! [`format`](mod@super::format). Out: a file that can be read up to the last flush at any time, whatever happens to this
//! program, and as a whole once it is finished. Never writes on after an error: the file is cut back to its last flush.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mcap::records::{MessageHeader, Metadata};
use mcap::{Attachment, Compression, McapError, WriteOptions, Writer};

use super::attach::{SceneFiles, media_type};
use super::batch::Raw;
use super::conclusion::Conclusion;
use super::disk::Disk;
use super::format::{
    ABOUT, About, BROKER, EVENTS_TOPIC, FORECASTS_TOPIC, JSON, JSON_SCHEMA, JSON_SCHEMA_ENCODING, JSON_SCHEMA_NAME,
    KEYFRAMES_TOPIC, Keyframe, PARTIAL, PRODUCED_TOPIC, PRODUCERS, PROFILE, QOS, RETAINED,
};
use super::{ProducedSamples, RecordedForecast};
use crate::event::Event;
use crate::event::taken_away::leads_to;
use crate::value::Timestamp;

/// Why a file cannot go on.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WriteError {
    #[error("{0}")]
    Disk(String),
    /// MCAP numbers channels with 16 bits.
    #[error("it has as many channels as a file can hold")]
    Full,
}

impl From<McapError> for WriteError {
    fn from(error: McapError) -> Self {
        match error {
            McapError::TooManyChannels | McapError::TooManySchemas => WriteError::Full,
            McapError::Io(error) => error.into(),
            other => WriteError::Disk(other.to_string()),
        }
    }
}

impl From<std::io::Error> for WriteError {
    fn from(error: std::io::Error) -> Self {
        WriteError::Disk(error.to_string())
    }
}

/// How every recording is written: chunks of 1 MiB, zstd at its default level, with CRCs. Chunks are put together in
/// memory and written in one piece, so that a file that breaks off has whole chunks and one broken end.
pub fn write_options() -> WriteOptions {
    WriteOptions::new()
        .profile(PROFILE)
        .library(concat!("pollux ", env!("CARGO_PKG_VERSION")))
        .compression(Some(Compression::Zstd))
        .compression_threads(0)
        .disable_seeking(true)
}

/// A keyframe as it stands in a file.
#[derive(Clone, PartialEq, Debug)]
pub struct Framed {
    pub time: Timestamp,
    pub json: Vec<u8>,
    /// The memory of all producers is in it.
    pub is_full: bool,
}

impl Framed {
    pub fn of(keyframe: &Keyframe) -> serde_json::Result<Self> {
        Ok(Self { time: keyframe.time, json: serde_json::to_vec(keyframe)?, is_full: keyframe.is_full() })
    }
}

/// What has been written since the file began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Written {
    pub messages: u64,
    pub events: u64,
    pub keyframes: u64,
    pub forecasts: u64,
    pub produced: u64,
}

pub struct RecordFile {
    path: PathBuf,
    /// The same file, to look after it.
    handle: File,
    writer: Writer<Disk>,
    topics: HashMap<Box<str>, Vec<Slot>>,
    schema: u16,
    events: u16,
    keyframes: u16,
    /// A keyframe that lacks nothing is in it.
    has_full_keyframe: bool,
    length: Arc<AtomicU64>,
    /// Bytes, and what they hold, that nothing but the disk itself can take away again.
    good: u64,
    kept: Written,
    written: Written,
    /// Receive time of the newest message, and of the newest that is kept.
    newest: Option<Timestamp>,
    newest_kept: Option<Timestamp>,
}

/// A channel of a topic.
struct Slot {
    broker: u16,
    qos: u8,
    retained: bool,
    channel: u16,
    sequence: u32,
}

impl RecordFile {
    /// Begins `file`, which is empty: what it is about, and the files of the scene. Those that cannot be read are left
    /// out.
    pub fn begin(path: PathBuf, file: File, about: &About, scene: &SceneFiles) -> Result<Self, WriteError> {
        let handle = file.try_clone()?;
        lock(&path, &handle);
        let (disk, length) = Disk::new(file);
        let mut writer = write_options().create(disk)?;
        writer.write_metadata(&Metadata { name: ABOUT.to_owned(), metadata: about.to_metadata() })?;
        let schema = writer.add_schema(JSON_SCHEMA_NAME, JSON_SCHEMA_ENCODING, JSON_SCHEMA)?;
        let own = BTreeMap::new();
        let events = writer.add_channel(schema, EVENTS_TOPIC, JSON, &own)?;
        let keyframes = writer.add_channel(schema, KEYFRAMES_TOPIC, JSON, &own)?;
        let mut begun = Self {
            path,
            handle,
            writer,
            topics: HashMap::new(),
            schema,
            events,
            keyframes,
            has_full_keyframe: false,
            length,
            good: 0,
            kept: Written::default(),
            written: Written::default(),
            newest: None,
            newest_kept: None,
        };
        begun.attach(scene, about.started)?;
        Ok(begun)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still leads to it: others move and delete files.
    pub fn is_there(&self) -> bool {
        leads_to(&self.path, &self.handle)
    }

    /// Bytes that are safe from a crash of this program.
    pub fn good(&self) -> u64 {
        self.good
    }

    /// What these bytes hold.
    pub fn kept(&self) -> Written {
        self.kept
    }

    /// Whether a keyframe that lacks nothing is in it: only then others may lack something.
    pub fn has_full_keyframe(&self) -> bool {
        self.has_full_keyframe
    }

    /// Receive time of the newest message that is safe.
    pub fn newest_kept(&self) -> Option<Timestamp> {
        self.newest_kept
    }

    /// Bytes written. The last ones may not be safe yet; bytes that are compressed in memory do not count.
    pub fn length(&self) -> u64 {
        self.length.load(Ordering::Relaxed)
    }

    pub fn message(&mut self, raw: &Raw, brokers: &[Arc<str>]) -> Result<(), WriteError> {
        let known = self.topics.get_mut(raw.topic).and_then(|slots| {
            slots.iter_mut().find(|slot| (slot.broker, slot.qos, slot.retained) == (raw.broker, raw.qos, raw.retained))
        });
        let slot = match known {
            Some(slot) => slot,
            None => {
                let channel = self.add_channel(raw, brokers)?;
                let Raw { broker, qos, retained, .. } = *raw;
                let slots = self.topics.entry(raw.topic.into()).or_default();
                slots.push(Slot { broker, qos, retained, channel, sequence: 0 });
                let Some(slot) = slots.last_mut() else { return Ok(()) };
                slot
            }
        };
        let header = MessageHeader {
            channel_id: slot.channel,
            sequence: slot.sequence,
            log_time: nanos(raw.log_time),
            publish_time: nanos(raw.publish_time),
        };
        slot.sequence = slot.sequence.wrapping_add(1);
        self.writer.write_to_known_channel(&header, raw.payload)?;
        self.written.messages += 1;
        self.newest = self.newest.max(Some(raw.log_time));
        Ok(())
    }

    fn add_channel(&mut self, raw: &Raw, brokers: &[Arc<str>]) -> Result<u16, WriteError> {
        let broker = brokers.get(usize::from(raw.broker)).map_or("", |name| name);
        let metadata = message_metadata(broker, raw.qos, raw.retained);
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(raw.payload).is_ok();
        let (schema, encoding) = if is_json { (self.schema, JSON) } else { (0, "") };
        Ok(self.writer.add_channel(schema, raw.topic, encoding, &metadata)?)
    }

    /// Writes what was concluded, each kind into a chunk of its own.
    pub fn conclusions(&mut self, conclusions: &[Conclusion]) -> Result<(), WriteError> {
        let (mut events, mut forecasts, mut produced) = (Vec::new(), Vec::new(), Vec::new());
        for conclusion in conclusions {
            match conclusion {
                Conclusion::Event(event) => events.push(event.clone()),
                Conclusion::Forecast(forecast) => forecasts.push(forecast),
                Conclusion::Produced(samples) => produced.push(samples),
            }
        }
        self.events(&events)?;
        if !forecasts.is_empty() {
            self.flush()?;
            forecasts.into_iter().try_for_each(|forecast| self.forecast(forecast))?;
            self.flush()?;
        }
        if !produced.is_empty() {
            self.flush()?;
            produced.into_iter().try_for_each(|samples| self.produced(samples))?;
            self.flush()?;
        }
        Ok(())
    }

    /// Writes events into a chunk of their own.
    pub fn events(&mut self, events: &[Arc<Event>]) -> Result<(), WriteError> {
        if events.is_empty() {
            return Ok(());
        }
        self.flush()?;
        for event in events {
            let times = (event.received, event.time);
            self.own(self.events, event.id as u32, times, &**event)?;
            self.written.events += 1;
        }
        self.flush()
    }

    fn forecast(&mut self, forecast: &RecordedForecast) -> Result<(), WriteError> {
        let channel = self.writer.add_channel(self.schema, FORECASTS_TOPIC, JSON, &BTreeMap::new())?;
        let times = (forecast.issued, forecast.source_time);
        self.own(channel, self.written.forecasts as u32, times, forecast)?;
        self.written.forecasts += 1;
        Ok(())
    }

    fn produced(&mut self, samples: &ProducedSamples) -> Result<(), WriteError> {
        let metadata = message_metadata(PRODUCERS, 0, false);
        let channel = self.writer.add_channel(self.schema, PRODUCED_TOPIC, JSON, &metadata)?;
        let first = samples.samples.first().map_or(samples.time, |first| first.sample.source_time);
        self.own(channel, self.written.produced as u32, (samples.time, first), samples)?;
        self.written.produced += 1;
        Ok(())
    }

    fn own(
        &mut self,
        channel: u16,
        sequence: u32,
        (log, publish): (Timestamp, Timestamp),
        what: &impl serde::Serialize,
    ) -> Result<(), WriteError> {
        let json = serde_json::to_vec(what).map_err(|error| WriteError::Disk(error.to_string()))?;
        let header =
            MessageHeader { channel_id: channel, sequence, log_time: nanos(log), publish_time: nanos(publish) };
        Ok(self.writer.write_to_known_channel(&header, &json)?)
    }

    /// Writes a keyframe into a chunk of its own.
    pub fn keyframe(&mut self, framed: &Framed) -> Result<(), WriteError> {
        self.flush()?;
        let time = nanos(framed.time);
        let sequence = self.written.keyframes as u32;
        let channel_id = match framed.is_full {
            true => self.keyframes,
            false => self.writer.add_channel(self.schema, KEYFRAMES_TOPIC, JSON, &partial())?,
        };
        let header = MessageHeader { channel_id, sequence, log_time: time, publish_time: time };
        self.writer.write_to_known_channel(&header, &framed.json)?;
        self.written.keyframes += 1;
        self.has_full_keyframe |= framed.is_full;
        self.flush()
    }

    /// Adds the files of a scene that holds from `now` on.
    pub fn attach(&mut self, scene: &SceneFiles, now: Timestamp) -> Result<(), WriteError> {
        for (name, content) in &scene.files {
            match content.read() {
                Ok(data) => self.add_attachment(name, data.into(), now)?,
                Err(error) => tracing::warn!("{name}: the recording goes without this file: {error}"),
            }
        }
        self.flush()
    }

    /// Adds a file that is no part of a scene.
    pub fn attach_file(&mut self, name: &str, data: Vec<u8>, now: Timestamp) -> Result<(), WriteError> {
        self.add_attachment(name, data.into(), now)?;
        self.flush()
    }

    fn add_attachment(&mut self, name: &str, data: Cow<[u8]>, now: Timestamp) -> Result<(), WriteError> {
        let (name, media_type) = (name.to_owned(), media_type(name).to_owned());
        let (log_time, create_time) = (nanos(now), nanos(now));
        Ok(self.writer.attach(&Attachment { log_time, create_time, name, media_type, data })?)
    }

    /// After this, all that was written so far is safe from a crash of this program.
    pub fn flush(&mut self) -> Result<(), WriteError> {
        self.writer.flush()?;
        self.good = self.length();
        self.kept = self.written;
        self.newest_kept = self.newest;
        Ok(())
    }

    /// Asks the system to put all that was flushed on the disk itself: after this it is safe from a loss of power.
    pub fn sync(&self) -> Result<(), WriteError> {
        Ok(self.handle.sync_data()?)
    }

    /// Writes index and end, and makes all of it durable. After an error the file ends at its last flush, without an index.
    pub fn finish(mut self) -> Finished {
        let written = self.flush().and_then(|()| Ok(self.writer.finish()?));
        let Self { path, writer, length, good, kept, written: all, .. } = self;
        let mut disk = writer.into_inner();
        let written = written.and_then(|_| Ok(disk.flush()?));
        let file = disk.into_file();
        let error = match written {
            Ok(()) => file.sync_all().err().map(|error| error.to_string()),
            Err(error) => {
                let cut = file.set_len(good).and_then(|()| file.sync_all());
                Some(cut.map_or_else(|cut| format!("{error}; {cut}"), |()| error.to_string()))
            }
        };
        let bytes = if error.is_none() { length.load(Ordering::Relaxed) } else { good };
        Finished { path, bytes, kept, lost: all.messages - kept.messages, error }
    }

    /// Gives the file up after an error: cuts it back to its last flush. Returns what is lost with the rest; an error if
    /// the broken end stays, which readers pass over.
    pub fn abandon(self) -> (Written, std::io::Result<()>) {
        let Self { writer, good, kept, written, .. } = self;
        let lost = Written {
            messages: written.messages - kept.messages,
            events: written.events - kept.events,
            keyframes: written.keyframes - kept.keyframes,
            forecasts: written.forecasts - kept.forecasts,
            produced: written.produced - kept.produced,
        };
        let file = writer.into_inner().into_file();
        (lost, file.set_len(good).and_then(|()| file.sync_all()))
    }
}

/// A file that is not written any more.
#[derive(Debug)]
pub struct Finished {
    pub path: PathBuf,
    pub bytes: u64,
    pub kept: Written,
    /// Messages that are not in it.
    pub lost: u64,
    /// Why its index is not on disk: what is kept can be read all the same.
    pub error: Option<String>,
}

/// Holds the file until it is closed, so that nobody repairs it meanwhile. Where files cannot be locked, recording goes on
/// without. On Windows a lock would keep others from reading; there the way the file is opened keeps them from writing.
fn lock(path: &Path, file: &File) {
    const TRIES: u32 = 50;
    if cfg!(windows) {
        return;
    }
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return,
            // Somebody looks whether it is being written: that takes no time.
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
            Err(TryLockError::Error(error)) => {
                tracing::warn!("{}: cannot be locked ({error}): do not repair it while it grows", path.display());
                return;
            }
        }
    }
    tracing::warn!("{}: is locked by another program: do not repair it while it grows", path.display());
}

/// Of a channel of messages.
pub fn message_metadata(broker: &str, qos: u8, retained: bool) -> BTreeMap<String, String> {
    BTreeMap::from([
        (BROKER.to_owned(), broker.to_owned()),
        (QOS.to_owned(), qos.to_string()),
        (RETAINED.to_owned(), retained.to_string()),
    ])
}

/// Of the channel of keyframes that lack something.
pub fn partial() -> BTreeMap<String, String> {
    BTreeMap::from([(PARTIAL.to_owned(), true.to_string())])
}

/// MCAP counts from 1970.
fn nanos(time: Timestamp) -> u64 {
    u64::try_from(time.0).unwrap_or(0)
}
