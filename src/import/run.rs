//! What a log tells, as Pollux would have recorded it: decoded by the scene, judged by its alarms.
//!
//! In: messages in order of time, a scene. Out: a recording like any other, with events and keyframes. Everything happens
//! at the log's own times; no clock is read but for the date of the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{ImportError, Sent};
use crate::analysis::{Analysis, Knowledge};
use crate::ingest::{BindingTable, Message};
use crate::record::format::{About, VERSION};
use crate::record::{Framed, Raw, RecordFile, SceneFiles, Still, WriteError};
use crate::scene::Scene;
use crate::source::Batch;
use crate::value::Timestamp;

/// Memory for what alarms and derived signals look back at; the recording holds all of it.
const HISTORY_BYTES: u64 = 256 << 20;
/// Recorded time between keyframes, and between chunks of events.
const KEYFRAME_EVERY: Duration = Duration::from_secs(5);
const EVENTS_EVERY: Duration = Duration::from_secs(1);

/// What became of the messages.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Imported {
    pub messages: u64,
    pub samples: u64,
    /// Messages on topics that feed no signal: they are recorded all the same.
    pub unknown_topics: u64,
    /// Payloads that could not be decoded, and what was wrong with the first.
    pub undecodable: u64,
    pub first_error: Option<String>,
    pub events: u64,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// Of the file.
    pub bytes: u64,
}

/// Writes a recording of `moments` to `file`, which is empty and is called `path`. `operator` is who imports, `wall` is
/// when.
pub fn record(
    moments: impl Iterator<Item = Result<Vec<Sent>, ImportError>>,
    scene: Arc<Scene>,
    path: &Path,
    file: File,
    operator: &str,
    wall: Timestamp,
) -> Result<Imported, ImportError> {
    let mut moments = moments.peekable();
    let start = match moments.peek() {
        Some(Ok(first)) => first.first().map_or(wall, |sent| sent.time),
        Some(Err(_)) | None => wall,
    };
    let files = SceneFiles::of(&scene);
    let about = About {
        format: format!("{}.{}", VERSION.0, VERSION.1),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        scene: scene.name.clone(),
        scene_file: files.scene_file.clone(),
        brokers: scene.brokers.iter().map(|(name, broker)| (name.clone(), broker.url.clone())).collect(),
        operator: operator.to_owned(),
        started: start,
        started_wall: wall,
    };
    let unwritten =
        |cause: WriteError| ImportError::Unwritten { file: path.display().to_string(), cause: cause.to_string() };
    let file = RecordFile::begin(path.to_owned(), file, &about, &files).map_err(unwritten)?;
    let analysis = Analysis::new(scene.clone(), 1, HISTORY_BYTES, start);
    let mut knowledge = analysis.lock();
    let mut run = Run {
        scene,
        knowledge: &mut knowledge,
        file,
        tables: BTreeMap::new(),
        brokers: Vec::new(),
        imported: Imported::default(),
        told: 0,
        events_at: start,
        keyframe_at: None,
        since_keyframe: 0,
        keyframe_bytes: 0,
    };
    for moment in moments {
        for sent in moment? {
            run.take(&sent).map_err(unwritten)?;
        }
    }
    run.end().map_err(unwritten)
}

struct Run<'k> {
    scene: Arc<Scene>,
    knowledge: &'k mut Knowledge,
    file: RecordFile,
    tables: BTreeMap<String, (u16, BindingTable)>,
    brokers: Vec<Arc<str>>,
    imported: Imported,
    /// The last event that is in the file.
    told: u64,
    events_at: Timestamp,
    keyframe_at: Option<Timestamp>,
    /// Bytes of payload since the last keyframe, and its own.
    since_keyframe: usize,
    keyframe_bytes: usize,
}

impl Run<'_> {
    fn take(&mut self, sent: &Sent) -> Result<(), WriteError> {
        let now = sent.time;
        self.keep_up(now)?;
        let Self { scene, brokers, .. } = self;
        let (broker, table) = self.tables.entry(sent.broker.clone()).or_insert_with(|| {
            brokers.push(sent.broker.as_str().into());
            ((brokers.len() - 1) as u16, BindingTable::new(scene, &sent.broker, 1))
        });
        let message = Message {
            topic: &sent.topic,
            payload: &sent.payload,
            retained: sent.retained,
            qos: sent.qos,
            receive_time: now,
        };
        let mut samples = Vec::new();
        let outcome = table.decode(&message, &mut samples);
        let publish_time = samples.first().map_or(now, |sample| sample.source_time);
        let (broker, topic, payload) = (*broker, &sent.topic, &sent.payload);
        let Sent { qos, retained, .. } = *sent;
        let raw = Raw { broker, topic, qos, retained, log_time: now, publish_time, payload };
        self.file.message(&raw, &self.brokers)?;
        self.since_keyframe += sent.payload.len();

        let imported = &mut self.imported;
        imported.messages += 1;
        imported.samples += outcome.samples as u64;
        imported.unknown_topics += u64::from(outcome.unknown_topic);
        imported.undecodable += u64::from(outcome.error.is_some());
        if let (None, Some(error)) = (&imported.first_error, &outcome.error) {
            imported.first_error = Some(format!("{}: {error}", sent.topic));
        }
        imported.from.get_or_insert(now);
        imported.to = Some(now);
        self.knowledge.learn(Batch { generation: 1, samples });
        Ok(())
    }

    /// All that was due before `now`: delays of alarms, expiries, then what the file has to be told.
    fn keep_up(&mut self, now: Timestamp) -> Result<(), WriteError> {
        self.knowledge.elapse(now);
        if now >= self.events_at + EVENTS_EVERY {
            self.tell(now)?;
        }
        let is_due = self
            .keyframe_at
            .is_none_or(|last| now >= last + KEYFRAME_EVERY && self.since_keyframe >= self.keyframe_bytes);
        if is_due {
            self.tell(now)?;
            // All that was received before this moment, of which more may come.
            let time = Timestamp(now.0.saturating_sub(1));
            let alarms = self.knowledge.engine().snapshot();
            let keyframe = Still::new(time, self.scene.clone(), &self.knowledge.history, alarms).keyframe();
            let json = serde_json::to_vec(&keyframe).map_err(|error| WriteError::Disk(error.to_string()))?;
            (self.keyframe_at, self.since_keyframe, self.keyframe_bytes) = (Some(now), 0, json.len());
            self.file.keyframe(&Framed { time, json })?;
        }
        Ok(())
    }

    /// Writes the events that the file does not have yet.
    fn tell(&mut self, now: Timestamp) -> Result<(), WriteError> {
        self.events_at = now;
        let journal = self.knowledge.chronicle().journal();
        let new: Vec<_> = journal.after(self.told).cloned().collect();
        self.told = journal.last_id();
        self.imported.events += new.len() as u64;
        self.file.events(&new)
    }

    fn end(mut self) -> Result<Imported, WriteError> {
        if let Some(last) = self.imported.to {
            self.knowledge.elapse(last);
            self.tell(last)?;
        }
        let finished = self.file.finish();
        match finished.error {
            Some(error) => Err(WriteError::Disk(error)),
            None => Ok(Imported { bytes: finished.bytes, ..self.imported }),
        }
    }
}
