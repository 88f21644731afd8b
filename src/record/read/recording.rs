//! One recording. In: a path. Out: what the file holds, by name and by time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::damage::{Damage, NoIndex};
use super::file::Source;
use super::index::{Index, Kind};
use super::message::{Entries, Entry, is_text};
use super::scan;
use super::summary::{self, Contents, Unusable};
use super::wire::{self, Fields, HEAD, MAGIC, op};
use super::{ReadError, index};
use crate::event::Event;
use crate::record::format::{self, About, Keyframe};
use crate::record::{ProducedSamples, RecordedForecast};
use crate::value::Timestamp;

const YEAR_SECS: f64 = 365.2425 * 86_400.0;
/// Whoever records has no message for so long by mistake only.
const HOLE_YEARS: f64 = 5.0;
/// Chunks that last for years are looked into, so many of them.
const MOST_LOOKED_INTO: usize = 16;

/// An open recording. Reads from the file when it is asked for something, from any thread.
#[derive(Debug)]
pub struct RecordingFile {
    pub(super) source: Source,
    pub(super) index: Index,
    pub(super) damage: Damage,
    about: Option<About>,
    channels: Vec<ChannelInfo>,
    attachments: Vec<AttachmentEntry>,
}

/// A file that was put into the recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttachmentEntry {
    pub name: String,
    pub media_type: String,
    /// In bytes.
    pub size: u64,
}

/// A channel of messages: one topic of one broker, with one QoS and one retained flag.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChannelInfo {
    pub topic: Arc<str>,
    /// Empty in a foreign file.
    pub broker: Arc<str>,
    pub qos: u8,
    pub retained: bool,
    /// `json`, or empty where nobody knows.
    pub encoding: Arc<str>,
    /// Messages in the file.
    pub count: u64,
}

/// Whether a file begins as a recording does: looks at a few bytes. What else it holds shows when it is opened.
pub fn check_begin(path: &Path) -> Result<(), ReadError> {
    open_begun(path).map(drop)
}

fn open_begun(path: &Path) -> Result<Source, ReadError> {
    let source = Source::open(path)?;
    match source.read(0, MAGIC.len() as u64)?.as_deref() == Some(MAGIC) {
        true => Ok(source),
        false => Err(ReadError::NotMcap { path: path.to_owned() }),
    }
}

impl RecordingFile {
    /// Opens a file: reads its index, or makes one where it has none. Damage leaves what is whole readable, see
    /// [`RecordingFile::damage`].
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let source = open_begun(path)?;
        let mut damage = Damage::default();
        let contents = match summary::read(&source)? {
            Ok(contents) => contents,
            Err(unusable) => {
                let scanned = scan::scan(&source, &damage, unusable == Unusable::Contradictory)?;
                match unusable {
                    Unusable::Absent | Unusable::Contradictory if scanned.is_finished => {}
                    Unusable::Absent | Unusable::Contradictory => damage.index = Some(NoIndex::Wrong),
                    Unusable::Damaged(NoIndex::Unfinished) if source.is_growing() => {
                        damage.index = Some(NoIndex::Growing);
                    }
                    Unusable::Damaged(why) => damage.index = Some(why),
                }
                if !scanned.is_finished {
                    damage.cut = source.len().saturating_sub(scanned.end);
                }
                scanned.contents
            }
        };
        let Contents { channels, found, attachments, metadata, counts } = contents;
        let about = about(&source, &metadata)?;
        if let Some(about) = &about {
            check_version(path, about)?;
        }
        let index = Index::new(&source, channels, found, attachments, counts, &damage)?;
        damage.last = index.bounds().map(|(_, last)| last);
        let attachments = index.attachments.iter().map(|attached| attached.entry.clone()).collect();
        let channels = index.channels.iter().filter(|channel| channel.kind == Kind::Message);
        let channels = channels.map(|channel| ChannelInfo {
            topic: channel.topic.clone(),
            broker: channel.broker.clone(),
            qos: channel.qos,
            retained: channel.retained,
            encoding: channel.encoding.clone(),
            count: index.counts.get(&channel.wire.id).copied().unwrap_or(0),
        });
        let channels = channels.collect();
        Ok(Self { source, index, damage, about, channels, attachments })
    }

    pub fn path(&self) -> &Path {
        self.source.path()
    }

    /// Size of the file in bytes.
    pub fn bytes(&self) -> u64 {
        self.source.len()
    }

    /// Where it comes from; none for a file that Pollux has not written.
    pub fn about(&self) -> Option<&About> {
        self.about.as_ref()
    }

    /// Log times of the first and the last message, event or keyframe.
    pub fn bounds(&self) -> Option<(Timestamp, Timestamp)> {
        self.index.bounds()
    }

    /// What is missing, as far as is known now: chunks are checked when they are read.
    pub fn damage(&self) -> Option<&Damage> {
        self.damage.is_some().then_some(&self.damage)
    }

    /// Messages whose encoding no scene can read, in a sentence.
    pub fn unread(&self) -> Option<String> {
        let mut unread: BTreeMap<&str, Vec<&ChannelInfo>> = BTreeMap::new();
        for channel in self.channels.iter().filter(|channel| channel.count > 0 && !is_text(&channel.encoding)) {
            unread.entry(&channel.encoding).or_default().push(channel);
        }
        let told = unread.into_iter().map(|(encoding, channels)| {
            let messages = channels.iter().fold(0u64, |sum, channel| sum.saturating_add(channel.count));
            let first = channels.first().map_or("", |channel| &*channel.topic);
            let others = match channels.len() {
                1 => String::new(),
                count => format!(" and {} more channels", count - 1),
            };
            format!(
                "{messages} messages on `{first}`{others} are encoded as `{encoding}` and not as JSON or text: they are not \
                 read; have the program that wrote the file write them as JSON"
            )
        });
        let told = told.collect::<Vec<_>>().join("; ");
        (!told.is_empty()).then_some(told)
    }

    /// Messages that have no owner, or that no clock can be right about: those that this program cannot count to, and a
    /// stretch of years without any between two others. With what to do about it.
    pub fn oddities(&self) -> Option<String> {
        let index::Odd { beyond, ownerless } = self.index.odd;
        let ownerless = (ownerless > 0).then(|| {
            format!("{ownerless} messages are left out, as the file does not tell which channel they are of: it breaks the rules of MCAP")
        });
        let beyond = (beyond > 0).then(|| {
            format!(
                "{beyond} messages have times after the year 2262 and are left out: have the clock of the program that wrote \
                 them set right"
            )
        });
        let hole = self.hole().map(|(before, after)| {
            format!(
                "no message lies between {before} and {after}, {:.0} years: a clock was not set; `play --at {after}` shows what \
                 follows, `export --range {after}..` writes it, `export --range ..{before}` the rest",
                after.secs_since(before) / YEAR_SECS
            )
        });
        let told = [ownerless, beyond, hole].into_iter().flatten().collect::<Vec<_>>().join("; ");
        (!told.is_empty()).then_some(told)
    }

    /// The longest stretch without any message, if it lasts for years: its last moment before, its first after.
    fn hole(&self) -> Option<(Timestamp, Timestamp)> {
        let (start, end) = self.bounds()?;
        if end.secs_since(start) < HOLE_YEARS * YEAR_SECS {
            return None;
        }
        let mut spans: Vec<(Timestamp, Timestamp)> = Vec::new();
        let mut looked_into = 0;
        for chunk in &self.index.chunks {
            let is_wide = chunk.times.1.secs_since(chunk.times.0) >= HOLE_YEARS * YEAR_SECS;
            if is_wide && looked_into < MOST_LOOKED_INTO {
                looked_into += 1;
                let records = self.records(chunk.place).ok().flatten().unwrap_or_default();
                let messages = wire::records(&records).flatten().filter(|record| record.op == op::MESSAGE);
                let times = messages.filter_map(|record| wire::message(record.body)).map(|message| message.log_time);
                let times = times.filter(|time| *time <= index::LAST).map(index::time);
                spans.extend(times.map(|time| (time, time)));
            } else {
                spans.push(chunk.times);
            }
        }
        spans.sort_unstable();
        let mut newest = spans.first()?.1;
        let holes = spans.into_iter().map(|(from, to)| {
            let before = newest;
            newest = newest.max(to);
            (before, from)
        });
        let longest = holes.max_by(|a, b| a.1.secs_since(a.0).total_cmp(&b.1.secs_since(b.0)))?;
        (longest.1.secs_since(longest.0) >= HOLE_YEARS * YEAR_SECS).then_some(longest)
    }

    /// In the order of the file; a name may come more than once.
    pub fn attachments(&self) -> &[AttachmentEntry] {
        &self.attachments
    }

    /// The last attachment of that name.
    pub fn attachment(&self, name: &str) -> Result<Vec<u8>, ReadError> {
        let found = self.index.attachments.iter().rev().find(|attached| attached.entry.name == name);
        let Some(attached) = found else {
            return Err(ReadError::NoAttachment { path: self.path().to_owned(), name: name.to_owned() });
        };
        let damaged = |reason: &str| ReadError::Damaged {
            path: self.path().to_owned(),
            what: format!("the attachment `{name}`"),
            offset: attached.offset,
            reason: reason.to_owned(),
        };
        let record = self.source.read(attached.offset, attached.length)?;
        attachment_data(record.as_deref().unwrap_or_default()).map_err(damaged).map(|(_, data)| data.to_vec())
    }

    /// Channels of plain messages, those of Pollux left out, in the order of their numbers.
    pub fn channels(&self) -> &[ChannelInfo] {
        &self.channels
    }

    /// Events in the file, as its index says.
    pub fn event_count(&self) -> u64 {
        self.count(Kind::Event)
    }

    /// Forecasts in the file, as its index says.
    pub fn forecast_count(&self) -> u64 {
        self.count(Kind::Forecast)
    }

    /// Answers of costly producers in the file, as its index says.
    pub fn produced_count(&self) -> u64 {
        self.count(Kind::Produced)
    }

    fn count(&self, kind: Kind) -> u64 {
        let channels = self.index.channels.iter().filter(|channel| channel.kind == kind);
        channels.filter_map(|channel| self.index.counts.get(&channel.wire.id)).sum()
    }

    /// Moments of the keyframes, in order.
    pub fn keyframe_times(&self) -> impl DoubleEndedIterator<Item = Timestamp> + ExactSizeIterator {
        self.index.keyframes.iter().map(|keyframe| keyframe.time)
    }

    /// Moments of the keyframes, in order, and whether each is partial.
    pub(super) fn keyframe_places(&self) -> impl Iterator<Item = (Timestamp, bool)> {
        self.index.keyframes.iter().map(|keyframe| (keyframe.time, keyframe.is_partial))
    }

    pub(super) fn entries(&self, kinds: &'static [Kind], after: Timestamp, up_to: Timestamp) -> Entries<'_> {
        Entries::new(self, kinds, after, up_to)
    }

    /// All events with their log times, in that order. What is no event is left out and counts as damage.
    pub(super) fn events(&self) -> Result<Vec<(Timestamp, Event)>, ReadError> {
        let mut events = Vec::new();
        for entry in self.entries(&[Kind::Event], Timestamp::MIN, Timestamp::MAX) {
            let entry = entry?;
            match serde_json::from_slice(&entry.payload) {
                Ok(event) => events.push((entry.log_time, event)),
                Err(error) => self.spoil_entry(&entry, "event", &error),
            }
        }
        Ok(events)
    }

    /// The keyframe at a place of [`RecordingFile::keyframe_times`]; none if it is damaged.
    pub(super) fn keyframe(&self, at: usize) -> Result<Option<Keyframe>, ReadError> {
        let Some(place) = self.index.keyframes.get(at) else { return Ok(None) };
        let Some(chunk) = self.index.chunks.get(place.chunk) else { return Ok(None) };
        let Some(records) = self.records(chunk.place)? else { return Ok(None) };
        let messages = wire::records(&records).flatten().filter(|record| record.op == op::MESSAGE);
        for message in messages.filter_map(|record| wire::message(record.body)) {
            let channel = self.index.channels.get(message.channel);
            let is_it = channel.is_some_and(|channel| channel.kind == Kind::Keyframe);
            if !is_it || index::time(message.log_time) != place.time {
                continue;
            }
            return match serde_json::from_slice::<Keyframe>(message.payload) {
                Ok(keyframe) => Ok(Some(Keyframe { time: place.time, ..keyframe })),
                Err(error) => {
                    let why = format!("it is no keyframe: {error}");
                    self.damage.spoil(chunk.place.offset, chunk.place.length, Some(place.time), &why);
                    Ok(None)
                }
            };
        }
        self.damage.spoil(chunk.place.offset, chunk.place.length, Some(place.time), "its keyframe is missing");
        Ok(None)
    }

    /// Messages of each chunk with its first and last log time, from the index.
    pub(super) fn weights(&self) -> impl Iterator<Item = (Timestamp, Timestamp, u64)> {
        let chunks = self.index.chunks.iter().filter(|chunk| chunk.holds.has(Kind::Message));
        chunks.map(|chunk| (chunk.times.0, chunk.times.1, chunk.messages))
    }

    /// Forecasts with `after < issued ≤ up_to`, in order. What is no forecast is left out and counts as damage.
    pub(super) fn forecasts(
        &self,
        after: Timestamp,
        up_to: Timestamp,
    ) -> impl Iterator<Item = Result<RecordedForecast, ReadError>> {
        self.entries(&[Kind::Forecast], after, up_to).filter_map(|entry| match entry {
            Ok(entry) => self.forecast(&entry).map(Ok),
            Err(error) => Some(Err(error)),
        })
    }

    fn forecast(&self, entry: &Entry) -> Option<RecordedForecast> {
        let forecast = match serde_json::from_slice::<RecordedForecast>(&entry.payload) {
            Ok(forecast) => RecordedForecast { issued: entry.log_time, ..forecast },
            Err(error) => {
                self.spoil_entry(entry, "forecast", &error);
                return None;
            }
        };
        match forecast.check() {
            Ok(()) => Some(forecast),
            Err(error) => {
                self.spoil_entry(entry, "forecast", &error);
                None
            }
        }
    }

    /// Whether what stands in the place of a message can be learnt from; what cannot counts as damage.
    pub(super) fn may_be_learned(&self, entry: &Entry) -> bool {
        if entry.channel.kind != Kind::Produced {
            return true;
        }
        let read = serde_json::from_slice::<ProducedSamples>(&entry.payload);
        read.map_err(|error| self.spoil_entry(entry, "answer of a producer", &error)).is_ok()
    }

    fn spoil_entry(&self, entry: &Entry, what: &str, error: &dyn std::fmt::Display) {
        let why = format!("it is no {what}: {error}");
        self.damage.spoil(entry.chunk, entry.payload.len() as u64, Some(entry.log_time), &why);
    }
}

/// What [`format::ABOUT`] says, in the first metadata record of that name. One that cannot be read is as none: the
/// messages are there all the same.
fn about(source: &Source, metadata: &[(u64, u64)]) -> Result<Option<About>, ReadError> {
    for (offset, length) in metadata {
        let Some(record) = source.read(*offset, *length)? else { continue };
        let mut fields = Fields(&record);
        let (Some(op::METADATA), Some(_)) = (fields.u8(), fields.u64()) else { continue };
        let Some((name, said)) = wire::metadata(fields.0) else { continue };
        if name == format::ABOUT {
            return Ok(About::from_metadata(&said));
        }
    }
    Ok(None)
}

fn check_version(path: &Path, about: &About) -> Result<(), ReadError> {
    let (major, minor) = format::VERSION;
    let found = about.format.split('.').next().and_then(|found| found.parse::<u32>().ok());
    match found {
        Some(found) if found > major => Err(ReadError::Newer {
            path: path.to_owned(),
            found: about.format.clone(),
            known: format!("{major}.{minor}"),
        }),
        _ => Ok(()),
    }
}

/// Head and data of a whole attachment record, if its CRC is right.
pub(super) fn attachment_data(record: &[u8]) -> Result<(wire::AttachmentHead<'_>, &[u8]), &'static str> {
    let (head, body) = record.split_at_checked(HEAD as usize).ok_or("it is cut")?;
    if head.first() != Some(&op::ATTACHMENT) {
        return Err("no attachment stands there");
    }
    let attachment = wire::attachment_head(body).ok_or("its head cannot be read")?;
    let end = attachment.length.checked_add(attachment.size).and_then(|end| usize::try_from(end).ok());
    let (content, mut crc) =
        end.and_then(|end| Some((body.get(..end)?, Fields(body.get(end..)?)))).ok_or("it says that it is longer")?;
    let crc = crc.u32().ok_or("its CRC is missing")?;
    if crc != 0 && crc != crc32fast::hash(content) {
        return Err("its CRC is wrong");
    }
    Ok((attachment, content.get(attachment.length as usize..).unwrap_or_default()))
}

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<RecordingFile>();
};
