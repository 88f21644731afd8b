//! A recording of a run, as a live session would have written it. In: a run, the messages that it is given. Out: a file with
//! messages, events, forecasts and keyframes. Touches no other file, reads no clock.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Run;
use crate::ingest::Message;
use crate::plant::{Plant, Portrait, portrait};
use crate::produce::ProducerState;
use crate::record::format::{About, PLANT, VERSION};
use crate::record::{Conclusion, Framed, KeyframeBuilder, Raw, RecordFile, SceneFiles, WriteError};
use crate::scene::Scene;
use crate::value::Timestamp;

/// Recorded time between keyframes, and between chunks of events.
const KEYFRAME_EVERY: Duration = Duration::from_secs(5);
const EVENTS_EVERY: Duration = Duration::from_secs(1);

/// Who records, and when.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub operator: String,
    /// When the run begins, in its own time, and the time of day at which it is carried out.
    pub start: Timestamp,
    pub wall: Timestamp,
}

/// What a recording of a run has become.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Size {
    pub events: u64,
    pub bytes: u64,
}

/// A recording of a run that goes on. Once something could not be written, nothing is written any more, and
/// [`end`](Self::end) says why.
pub struct RunRecording {
    file: RecordFile,
    /// By number, as the file knows them.
    brokers: Vec<Arc<str>>,
    events: u64,
    events_at: Timestamp,
    keyframe_at: Option<Timestamp>,
    /// Bytes of payload since the last keyframe, and its own.
    since_keyframe: usize,
    keyframe_bytes: usize,
    error: Option<WriteError>,
}

impl RunRecording {
    /// Begins to write `file`, which is empty and is called `path`, with the files of the run's scene.
    pub fn begin(run: &mut Run, path: PathBuf, file: File, said: Recorded) -> Result<Self, WriteError> {
        let scene: &Scene = run.scene();
        let files = SceneFiles::of(scene);
        let about = About {
            format: format!("{}.{}", VERSION.0, VERSION.1),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            scene: scene.name.clone(),
            scene_file: files.scene_file.clone(),
            brokers: scene.brokers.iter().map(|(name, broker)| (name.clone(), broker.url.clone())).collect(),
            operator: said.operator,
            started: said.start,
            started_wall: said.wall,
        };
        let file = RecordFile::begin(path, file, &about, &files)?;
        run.keep_conclusions();
        Ok(Self {
            file,
            brokers: Vec::new(),
            events: 0,
            events_at: said.start,
            keyframe_at: None,
            since_keyframe: 0,
            keyframe_bytes: 0,
            error: None,
        })
    }

    /// Nothing can be written any more.
    pub fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    /// A message that the run has learnt, and when its first value was true.
    pub fn message(&mut self, broker: &str, message: &Message<'_>, source_time: Option<Timestamp>) {
        let number = self.brokers.iter().position(|known| **known == *broker).unwrap_or_else(|| {
            self.brokers.push(broker.into());
            self.brokers.len() - 1
        });
        let Message { topic, payload, retained, qos, receive_time } = *message;
        let raw = Raw {
            broker: number as u16,
            topic,
            qos,
            retained,
            log_time: receive_time,
            publish_time: source_time.unwrap_or(receive_time),
            payload,
        };
        self.since_keyframe += payload.len();
        let written = self.file.message(&raw, &self.brokers);
        self.note(written);
    }

    /// The run has learnt all messages of up to `at`, none of later, and all that was due by then is carried out. Writes
    /// what the file has to be told of that; `plant` is the one that is simulated, as it stands at that moment.
    pub fn pass(&mut self, run: &mut Run, at: Timestamp, plant: Option<(&Plant, Timestamp)>) {
        if at >= self.events_at + EVENTS_EVERY {
            self.tell(run, at);
        }
        let is_due = self
            .keyframe_at
            .is_none_or(|last| at >= last + KEYFRAME_EVERY && self.since_keyframe >= self.keyframe_bytes);
        // Before the first moment that a recording can name there is none.
        if !is_due || at.0 < 0 || self.has_failed() {
            return;
        }
        self.tell(run, at);
        let knowledge = run.knowledge();
        let (alarms, mut states) = (knowledge.engine().snapshot(), knowledge.producer_states());
        if let Some((plant, epoch)) = plant {
            let shown = Portrait::default();
            shown.show(plant, epoch);
            let state = shown.latest().map(|data| ProducerState { version: portrait::VERSION, data });
            states.extend(state.map(|state| (PLANT.to_owned(), state)));
        }
        let mut keyframe = KeyframeBuilder::new(at, run.scene().clone(), alarms, states);
        keyframe.go_on(&knowledge.history, || false);
        let framed = Framed::of(&keyframe.build()).map_err(|error| WriteError::Disk(error.to_string()));
        let written = framed.and_then(|framed| {
            (self.keyframe_at, self.since_keyframe, self.keyframe_bytes) = (Some(at), 0, framed.json.len());
            self.file.keyframe(&framed)
        });
        self.note(written);
    }

    /// Adds a file.
    pub fn attach_file(&mut self, name: &str, data: Vec<u8>, now: Timestamp) {
        let written = self.file.attach_file(name, data, now);
        self.note(written);
    }

    /// The run has ended.
    pub fn end(mut self, run: &mut Run, at: Timestamp) -> Result<Size, WriteError> {
        self.tell(run, at);
        if let Some(error) = self.error {
            return Err(error);
        }
        let finished = self.file.finish();
        match finished.error {
            Some(error) => Err(WriteError::Disk(error)),
            None => Ok(Size { events: self.events, bytes: finished.bytes }),
        }
    }

    /// Writes what has become known since the last time.
    fn tell(&mut self, run: &mut Run, at: Timestamp) {
        self.events_at = at;
        let new = run.take_conclusions();
        self.events += new.iter().filter(|new| matches!(new, Conclusion::Event(_))).count() as u64;
        let written = self.file.conclusions(&new);
        self.note(written);
    }

    fn note(&mut self, written: Result<(), WriteError>) {
        if let Err(error) = written {
            self.error.get_or_insert(error);
        }
    }
}
