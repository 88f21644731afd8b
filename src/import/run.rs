//! Records a log as Pollux would have recorded the plant: decoded by the scene, judged by its alarms.
//!
//! In: messages in order of time, a scene. Out: a recording like any other, with events and keyframes. Uses the log's
//! own times; never reads a clock, except for the date of the file.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::{ImportError, Sent};
use crate::ingest::Message;
use crate::produce::ProducerFactory;
use crate::record::WriteError;
use crate::run::{Recorded, Run, RunOptions, RunRecording};
use crate::scene::Scene;
use crate::value::Timestamp;

/// Memory for what alarms and derived signals look back at; the recording holds all of it.
const HISTORY_BYTES: u64 = 256 << 20;

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
    let unwritten =
        |cause: WriteError| ImportError::Unwritten { file: path.display().to_string(), cause: cause.to_string() };
    let mut run = Run::new(scene, RunOptions { start, history_budget_bytes: HISTORY_BYTES, producers });
    let said = Recorded { operator, start, wall };
    let recording = RunRecording::begin(&mut run, path.to_owned(), file, said).map_err(unwritten)?;
    let mut import = Import { run, recording, imported: Imported::default() };
    for moment in moments {
        moment?.iter().for_each(|sent| import.take(sent));
        if import.recording.has_failed() {
            break;
        }
    }
    let table = rejected().map_err(|cause| unwritten(WriteError::Disk(cause.to_string())))?;
    if let Some(table) = table {
        import.recording.attach_file(REJECTED, table, start);
    }
    import.end(start).map_err(unwritten)
}

struct Import {
    run: Run,
    recording: RunRecording,
    imported: Imported,
}

impl Import {
    fn take(&mut self, sent: &Sent) {
        let Sent { broker, topic, payload, qos, retained, time: now } = sent;
        // A message of this very time may be learnt already: more of it may come.
        if self.imported.to.is_none_or(|last| last < *now) {
            let before = Timestamp(now.0.saturating_sub(1));
            self.run.pass_time(before);
            self.recording.pass(&mut self.run, before, None);
        }
        let message = Message { topic, payload, retained: *retained, qos: *qos, receive_time: *now };
        let (outcome, source_time) = self.run.message(broker, &message);
        self.recording.message(broker, &message, source_time);

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
        imported.from.get_or_insert(*now);
        imported.to = Some(*now);
    }

    fn end(mut self, start: Timestamp) -> Result<Imported, WriteError> {
        let last = self.imported.to.unwrap_or(start);
        self.run.pass_time(last);
        let size = self.recording.end(&mut self.run, last)?;
        Ok(Imported { events: size.events, bytes: size.bytes, ..self.imported })
    }
}
