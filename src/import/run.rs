//! Records a log as Pollux would have recorded the plant: decoded by the scene, judged by its alarms.
//!
//! In: messages in order of time, a scene. Out: a recording like any other, with events and keyframes. Uses the log's
//! own times; never reads a clock, except for the date of the file.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{ImportError, Sent};
use crate::ingest::Message;
use crate::produce::ProducerFactory;
use crate::record::format::{About, VERSION};
use crate::record::{Conclusion, Framed, KeyframeBuilder, Raw, RecordFile, SceneFiles, WriteError};
use crate::run::{Run, RunOptions};
use crate::scene::Scene;
use crate::value::Timestamp;

/// Memory for what alarms and derived signals look back at; the recording holds all of it.
const HISTORY_BYTES: u64 = 256 << 20;
/// Recorded time between keyframes, and between chunks of events.
const KEYFRAME_EVERY: Duration = Duration::from_secs(5);
const EVENTS_EVERY: Duration = Duration::from_secs(1);

/// Topics that feed no signal and are told by name.
pub const MOST_TOPICS: usize = 5;

/// What became of the messages.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Imported {
    pub messages: u64,
    pub samples: u64,
    /// Messages on topics that feed no signal: they are recorded all the same; and the first such topics.
    pub unknown_topics: u64,
    pub first_unknown: Vec<String>,
    /// Payloads that could not be decoded, and what was wrong with the first.
    pub undecodable: u64,
    pub first_error: Option<String>,
    pub events: u64,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// Of the file.
    pub bytes: u64,
}

/// Who imports, when, and what computes beside derived signals.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    pub operator: String,
    pub wall: Timestamp,
    pub producers: ProducerFactory,
}

/// What the table of rows that are not taken is called among the attachments.
const REJECTED: &str = "import/rejected.csv";

/// Writes a recording of `moments` to `file`, which is empty and is called `path`. `rejected` is asked at the end for the
/// table of what is not taken.
pub fn record(
    moments: impl Iterator<Item = Result<Vec<Sent>, ImportError>>,
    scene: Arc<Scene>,
    path: &Path,
    file: File,
    options: ImportOptions,
    rejected: impl FnOnce() -> std::io::Result<Option<Vec<u8>>>,
) -> Result<Imported, ImportError> {
    let ImportOptions { operator, wall, producers } = options;
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
        operator,
        started: start,
        started_wall: wall,
    };
    let unwritten =
        |cause: WriteError| ImportError::Unwritten { file: path.display().to_string(), cause: cause.to_string() };
    let file = RecordFile::begin(path.to_owned(), file, &about, &files).map_err(unwritten)?;
    let mut run = Run::new(scene, RunOptions { start, history_budget_bytes: HISTORY_BYTES, producers });
    run.keep_conclusions();
    let mut import = Import {
        run,
        file,
        brokers: Vec::new(),
        imported: Imported::default(),
        events_at: start,
        keyframe_at: None,
        since_keyframe: 0,
        keyframe_bytes: 0,
    };
    for moment in moments {
        for sent in moment? {
            import.take(&sent).map_err(unwritten)?;
        }
    }
    let table = rejected().map_err(|cause| unwritten(WriteError::Disk(cause.to_string())))?;
    if let Some(table) = table {
        import.file.attach_file(REJECTED, table, start).map_err(unwritten)?;
    }
    import.end().map_err(unwritten)
}

struct Import {
    run: Run,
    file: RecordFile,
    /// By number, as the file knows them.
    brokers: Vec<Arc<str>>,
    imported: Imported,
    events_at: Timestamp,
    keyframe_at: Option<Timestamp>,
    /// Bytes of payload since the last keyframe, and its own.
    since_keyframe: usize,
    keyframe_bytes: usize,
}

impl Import {
    fn take(&mut self, sent: &Sent) -> Result<(), WriteError> {
        let now = sent.time;
        self.keep_up(now)?;
        let Sent { broker, topic, payload, qos, retained, .. } = sent;
        let (qos, retained) = (*qos, *retained);
        let (outcome, source_time) =
            self.run.message(broker, &Message { topic, payload, retained, qos, receive_time: now });
        let number = self.brokers.iter().position(|known| **known == **broker).unwrap_or_else(|| {
            self.brokers.push(broker.as_str().into());
            self.brokers.len() - 1
        });
        let publish_time = source_time.unwrap_or(now);
        let raw = Raw { broker: number as u16, topic, qos, retained, log_time: now, publish_time, payload };
        self.file.message(&raw, &self.brokers)?;
        self.since_keyframe += payload.len();

        let imported = &mut self.imported;
        imported.messages += 1;
        imported.samples += outcome.samples as u64;
        imported.unknown_topics += u64::from(outcome.unknown_topic);
        if outcome.unknown_topic
            && imported.first_unknown.len() < MOST_TOPICS
            && !imported.first_unknown.contains(topic)
        {
            imported.first_unknown.push(topic.clone());
        }
        imported.undecodable += u64::from(outcome.error.is_some());
        if let (None, Some(error)) = (&imported.first_error, &outcome.error) {
            imported.first_error = Some(format!("{topic}: {error}"));
        }
        imported.from.get_or_insert(now);
        imported.to = Some(now);
        Ok(())
    }

    /// All that was due before `now`, then what the file has to be told.
    fn keep_up(&mut self, now: Timestamp) -> Result<(), WriteError> {
        // Everything received before this moment; more messages of this moment may come.
        let before = Timestamp(now.0.saturating_sub(1));
        self.run.pass_time(before);
        if now >= self.events_at + EVENTS_EVERY {
            self.tell(now)?;
        }
        let is_due = self
            .keyframe_at
            .is_none_or(|last| now >= last + KEYFRAME_EVERY && self.since_keyframe >= self.keyframe_bytes);
        // A message of this very time is learnt already: the keyframe would not be of the moment before it. And there is
        // none before the first that a recording can name.
        if is_due && before.0 >= 0 && self.imported.to.is_none_or(|last| last < now) {
            self.tell(now)?;
            let knowledge = self.run.knowledge();
            let (alarms, producers) = (knowledge.engine().snapshot(), knowledge.producer_states());
            let mut keyframe = KeyframeBuilder::new(before, self.run.scene().clone(), alarms, producers);
            keyframe.go_on(&knowledge.history, || false);
            let framed = Framed::of(&keyframe.build()).map_err(|error| WriteError::Disk(error.to_string()))?;
            (self.keyframe_at, self.since_keyframe, self.keyframe_bytes) = (Some(now), 0, framed.json.len());
            self.file.keyframe(&framed)?;
        }
        Ok(())
    }

    /// Writes what has become known since the last time.
    fn tell(&mut self, now: Timestamp) -> Result<(), WriteError> {
        self.events_at = now;
        let new = self.run.take_conclusions();
        self.imported.events += new.iter().filter(|new| matches!(new, Conclusion::Event(_))).count() as u64;
        self.file.conclusions(&new)
    }

    fn end(mut self) -> Result<Imported, WriteError> {
        if let Some(last) = self.imported.to {
            self.run.pass_time(last);
            self.tell(last)?;
        }
        let finished = self.file.finish();
        match finished.error {
            Some(error) => Err(WriteError::Disk(error)),
            None => Ok(Imported { bytes: finished.bytes, ..self.imported }),
        }
    }
}
