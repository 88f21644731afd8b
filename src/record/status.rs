//! How recording goes. In: what the recorder's thread says. Out: plain data for `--state`, panels and messages.

use std::path::PathBuf;
use std::time::Duration;

use bevy::prelude::Resource;
use serde::Serialize;

use super::recorder::RecordSink;
use crate::value::Timestamp;

/// A write that takes longer is worth telling.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordState {
    /// A file grows.
    #[default]
    Recording,
    /// The past is held in memory until somebody asks for it.
    Standby,
    /// The disk does not take it; tries go on.
    Failed,
    /// Nothing is recorded any more.
    Ended,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct RecordStatus {
    pub state: RecordState,
    /// That grows, or that grew last.
    pub file: Option<PathBuf>,
    /// Of that file, safe from a crash of this program.
    pub bytes: u64,
    /// Of this run, in all files: safe from a crash of this program.
    pub messages: u64,
    pub events: u64,
    pub keyframes: u64,
    #[serde(skip_serializing_if = "is_none")]
    pub forecasts: u64,
    /// Samples of costly producers, by the answer.
    #[serde(skip_serializing_if = "is_none")]
    pub produced: u64,
    /// Begun in this run.
    pub files: u64,
    /// Messages, events and other conclusions that found no room, because the disk was too slow.
    pub dropped: u64,
    /// Messages, forecasts and samples of producers that came while no file could be written, or that were cut off with the broken end of one.
    pub lost: u64,
    /// Messages that had to leave the memory for the past before their time, for lack of room.
    pub forgotten: u64,
    /// Bytes on their way to the file.
    pub waiting_bytes: u64,
    /// Bytes of the past that are held in memory.
    pub held_bytes: u64,
    /// Since when this file grows, or the disk does not take it.
    pub since: Option<Timestamp>,
    /// When recording goes back to holding the past in memory; none: not by itself.
    pub until: Option<Timestamp>,
    /// How much of the past is held in memory while nothing is written; none: whatever comes is written.
    #[serde(skip)]
    pub before: Option<Duration>,
    /// Why the disk does not take it.
    pub error: Option<String>,
    /// How often the disk was asked to make durable what it was given, and how long that took: in all, and at most.
    #[serde(skip)]
    pub syncs: u64,
    #[serde(skip)]
    pub sync_time: Duration,
    #[serde(skip)]
    pub longest_sync: Duration,
    /// How long the disk has not answered.
    #[serde(skip)]
    pub silent: Duration,
}

/// Hardly any session has some.
fn is_none(count: &u64) -> bool {
    *count == 0
}

impl RecordStatus {
    /// What people should know, in sentences.
    pub fn troubles(&self) -> Vec<String> {
        let file = self.shown_file();
        let failed = self.error.as_ref().map(|error| {
            format!("nothing is recorded ({error}); {} messages are lost so far; Pollux tries again", self.lost)
        });
        let silent = (self.silent >= PATIENCE)
            .then(|| format!("the disk of the recording {file} has not answered for {} s", self.silent.as_secs()));
        let dropped = (self.dropped > 0).then(|| {
            format!("the disk of the recording {file} is too slow: {} messages are not recorded", self.dropped)
        });
        failed.into_iter().chain(silent).chain(dropped).collect()
    }

    pub(super) fn shown_file(&self) -> String {
        self.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default()
    }

    pub(super) fn note_sync(&mut self, took: Duration) {
        self.syncs += 1;
        self.sync_time += took;
        self.longest_sync = self.longest_sync.max(took);
    }

    /// The name of the file without its folder.
    pub fn file_name(&self) -> String {
        let name = self.file.as_deref().and_then(std::path::Path::file_name);
        name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// What is recorded of this session, and how the last deed about it went. Written by the session.
#[derive(Resource, Clone, Debug, Default)]
pub struct Recording {
    /// What runs can be recorded: a replay cannot.
    pub is_possible: bool,
    /// None while nothing is recorded.
    pub sink: Option<RecordSink>,
    /// A file is being begun.
    pub begins: bool,
    /// A file is being finished.
    pub ends: bool,
    /// Why the last one could not be begun.
    pub refused: Option<String>,
    /// How the last one ended that was stopped.
    pub finished: Option<RecordStatus>,
}

impl Recording {
    pub fn status(&self) -> Option<RecordStatus> {
        self.sink.as_ref().map(RecordSink::status)
    }
}
