//! What a session records, and what operators ask of it: begin, stop, keep the past.
//!
//! In: options, the scene, [`RecordingCommand`]s. Out: a running recorder that listeners and the analysis feed, [`Recording`]
//! for those who show it, an event for each deed. Never writes itself, and no frame waits for a disk: files are begun and
//! finished by threads, which put a recording to use and take it out of use without waiting for a frame.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use super::task::{Task, TaskState};
use super::{Options, Running, effective_brokers};
use crate::analysis::Analysis;
use crate::command::{Operator, RecordingCommand};
use crate::event::{Draft, Kind};
use crate::history::ViewTime;
use crate::record::format::{About, VERSION};
use crate::record::{
    RecordError, RecordOptions, RecordSink, RecordState, RecordStatus, Recorder, Recording, SceneFiles, TapSwitch,
};
use crate::scene::{Broker, LoadedScene, Scene, without_userinfo};
use crate::source::mqtt::RawTap;
use crate::source::{Clock, Waker};
use crate::value::Timestamp;

/// What records, and what listeners are to feed. Dropping it finishes whatever is being written.
pub(super) struct Recorders {
    switch: TapSwitch,
    current: CurrentRecorder,
    /// Recorders that were stopped and have something to write yet.
    ending: Vec<Task<Ended>>,
}

#[derive(Default)]
enum CurrentRecorder {
    #[default]
    Empty,
    /// With the generation of the scene that the file is begun with.
    Beginning(Task<Result<Recorder, String>>, u32),
    Running(Recorder),
}

/// A recorder that has finished its file.
struct Ended {
    status: RecordStatus,
    news: Vec<Draft>,
}

impl Recorders {
    /// Begins to record if the options say so.
    pub fn start(
        scene: &Scene,
        options: &Options,
        brokers: &BTreeMap<String, Broker>,
        clock: Clock,
    ) -> Result<Self, RecordError> {
        let begin = |record| start(record, about(scene, options, brokers), scene, clock);
        let current =
            options.record.clone().map(begin).transpose()?.map_or(CurrentRecorder::Empty, CurrentRecorder::Running);
        let recorders = Self { switch: TapSwitch::default(), current, ending: Vec::new() };
        recorders.switch.set(recorders.sink());
        Ok(recorders)
    }

    /// What the listener of `broker` passes its messages to, whether anything is recorded or not.
    pub fn tap(&self, broker: &str) -> RawTap {
        self.switch.tap(broker)
    }

    pub fn sink(&self) -> Option<RecordSink> {
        match &self.current {
            CurrentRecorder::Running(recorder) => Some(recorder.sink()),
            CurrentRecorder::Empty | CurrentRecorder::Beginning(..) => None,
        }
    }

    pub fn ring_with(&self, bell: Waker) {
        if let CurrentRecorder::Running(recorder) = &self.current {
            recorder.ring_with(bell);
        }
    }
}

fn start(record: RecordOptions, about: About, scene: &Scene, clock: Clock) -> Result<Recorder, RecordError> {
    let files = SceneFiles::of(scene);
    Recorder::start(record, About { scene_file: files.scene_file.clone(), ..about }, files, clock)
}

/// As people find it in the file; without the files of the scene.
fn about(scene: &Scene, options: &Options, brokers: &BTreeMap<String, Broker>) -> About {
    About {
        format: format!("{}.{}", VERSION.0, VERSION.1),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        scene: scene.name.clone(),
        brokers: brokers.iter().map(|(name, broker)| (name.clone(), without_userinfo(&broker.url))).collect(),
        operator: options.operator.clone(),
        ..About::default()
    }
}

/// Where a recording goes that an operator begins: a folder gets a file of a usual name, and a path without a folder
/// stands in the working directory. Looks at the disk.
fn place(wanted: Option<&Path>, usual: &str) -> PathBuf {
    let path = match wanted {
        None => PathBuf::from(usual),
        Some(folder) if folder.is_dir() => folder.join(usual),
        Some(file) if file.extension().is_none() => file.with_extension("mcap"),
        Some(file) => file.to_owned(),
    };
    std::path::absolute(&path).unwrap_or(path)
}

/// As [`RecordError`] says it on the command line, where there are other ways out.
fn why_not(error: RecordError) -> String {
    match error {
        RecordError::Name { path } => format!("the recording {} names no file: choose another place", path.display()),
        RecordError::Open { path, cause } => {
            format!("the recording {} cannot be begun ({cause}): choose another place", path.display())
        }
        RecordError::Silent { path } => {
            format!(
                "the recording {} cannot be begun, as its disk does not answer: choose another place",
                path.display()
            )
        }
        RecordError::Thread(error) => format!("the thread that records cannot be started: {error}"),
    }
}

/// Everything that recording needs.
#[derive(SystemParam)]
pub(super) struct RecordingParams<'w> {
    running: ResMut<'w, Running>,
    recording: ResMut<'w, Recording>,
    analysis: Res<'w, Analysis>,
    loaded: Res<'w, LoadedScene>,
    operator: Res<'w, Operator>,
    time: Res<'w, ViewTime>,
}

impl RecordingParams<'_> {
    fn note(&self, text: String) {
        tracing::info!("{text}");
        self.analysis.lock().record(note(text, self.time.now, &self.operator.0));
    }

    fn start(&mut self, wanted: Option<PathBuf>) {
        match &self.running.recorders.current {
            CurrentRecorder::Empty => self.begin(wanted),
            CurrentRecorder::Beginning(..) => {}
            CurrentRecorder::Running(recorder) => match recorder.status().state {
                RecordState::Standby => self.keep_past(),
                _ => self.note(format!("recording goes on: {}", recorder.status().file_name())),
            },
        }
    }

    /// Opens a file in a thread, which hands it to listeners and analysis as soon as it is there.
    fn begin(&mut self, wanted: Option<PathBuf>) {
        let Running { options, recorders, worker, clock, embedded, waker, .. } = &mut *self.running;
        let scene = self.loaded.scene.clone();
        let brokers = effective_brokers(&scene, options, embedded.as_ref());
        let about = about(&scene, options, &brokers);
        let (clock, bell, switch) = (*clock, worker.waker(), recorders.switch.clone());
        let (analysis, by, asked) = (self.analysis.clone(), self.operator.0.clone(), self.time.now);
        let usual = RecordOptions::usual_name(&scene.name, self.time.now);
        // What was said on the command line holds again, but a press of the button means now.
        let said = options.record.clone();
        let begin = move || {
            let known = wanted.is_none().then_some(said).flatten();
            let record = match known {
                Some(said) => RecordOptions { before: None, on: None, ..said },
                None => RecordOptions::new(place(wanted.as_deref(), &usual)),
            };
            let recorder = start(record, about, &scene, clock).map_err(why_not);
            if let Ok(recorder) = &recorder {
                recorder.ring_with(bell.clone());
                switch.set(Some(recorder.sink()));
                // After listeners know of it: whatever they heard before is in its first keyframe.
                recorder.hears_since(clock.now());
                let file = recorder.status().file.unwrap_or_default();
                let text = format!("recording begins: {}", file.display());
                tracing::info!("{text}");
                let mut knowledge = analysis.lock();
                knowledge.record_to(recorder.sink());
                knowledge.record(note(text, asked, &by));
                drop(knowledge);
                bell();
            }
            recorder
        };
        match Task::start("record begins", waker.clone(), begin) {
            Ok(task) => {
                recorders.current = CurrentRecorder::Beginning(task, self.loaded.generation);
                self.recording.refused = None;
                self.recording.finished = None;
            }
            Err(error) => self.refuse(format!("a thread for the recording cannot be started: {error}")),
        }
    }

    fn refuse(&mut self, why: String) {
        tracing::error!("{why}");
        self.note(why.clone());
        self.recording.refused = Some(why);
    }

    fn stop(&mut self) {
        let recorders = &mut self.running.recorders;
        let recorder = match std::mem::take(&mut recorders.current) {
            CurrentRecorder::Running(recorder) => recorder,
            other => {
                recorders.current = other;
                self.note("nothing is recorded: there is nothing to stop".to_owned());
                return;
            }
        };
        let text = match recorder.status().state {
            RecordState::Standby => "the past is held in memory no longer".to_owned(),
            _ => format!("recording ends: {}", recorder.status().file_name()),
        };
        // The last event that the recording holds.
        self.note(text);
        self.running.recorders.switch.set(None);
        self.analysis.lock().record_no_more();
        let clock = self.running.clock;
        let finish = move || {
            let sink = recorder.sink();
            Ended { status: recorder.finish(), news: sink.take_news(clock.now()) }
        };
        match Task::start("record ends", self.running.waker.clone(), finish) {
            Ok(task) => self.running.recorders.ending.push(task),
            // Without a thread it was finished here, as the closure was dropped with its recorder.
            Err(error) => tracing::error!("a thread for the end of the recording cannot be started: {error}"),
        }
    }

    fn keep_past(&mut self) {
        let Some(sink) = self.running.recorders.sink() else {
            self.note("nothing is held in memory: start with --record-before to have the past".to_owned());
            return;
        };
        let text = match sink.status().state {
            RecordState::Recording => "recording goes on",
            RecordState::Standby | RecordState::Failed => "the past is to be recorded",
            RecordState::Ended => "the recording has ended",
        };
        self.note(text.to_owned());
        sink.trigger();
    }

    /// Takes over what threads have done since the last frame.
    fn look(&mut self) {
        if let CurrentRecorder::Beginning(task, generation) = &self.running.recorders.current {
            let (progress, generation) = (task.poll(), *generation);
            match progress {
                TaskState::Underway => {}
                TaskState::Done(Ok(recorder)) => {
                    if generation != self.loaded.generation {
                        let scene = &self.loaded.scene;
                        recorder.sink().scene(scene.name.clone(), SceneFiles::of(scene), self.time.now);
                    }
                    self.running.recorders.current = CurrentRecorder::Running(recorder);
                }
                TaskState::Done(Err(why)) => {
                    self.running.recorders.current = CurrentRecorder::Empty;
                    self.refuse(why);
                }
                TaskState::Lost => {
                    self.running.recorders.current = CurrentRecorder::Empty;
                    self.running.recorders.switch.set(None);
                    self.analysis.lock().record_no_more();
                    self.refuse("the recording could not be begun, by a mistake of this program".to_owned());
                }
            }
        }
        let ending = std::mem::take(&mut self.running.recorders.ending);
        for task in ending {
            match task.poll() {
                TaskState::Underway => self.running.recorders.ending.push(task),
                TaskState::Lost => {}
                TaskState::Done(Ended { status, news }) => {
                    news.into_iter().for_each(|news| self.analysis.lock().record(news));
                    self.recording.finished = Some(status);
                }
            }
        }
    }

    /// Says how recording stands.
    fn tell(&mut self) {
        let recorders = &self.running.recorders;
        // Nobody asks whether it has changed.
        let recording = self.recording.bypass_change_detection();
        recording.sink = recorders.sink();
        recording.begins = matches!(recorders.current, CurrentRecorder::Beginning(..));
        recording.ends = !recorders.ending.is_empty();
    }
}

fn note(text: String, at: Timestamp, by: &str) -> Draft {
    Draft::new(at, at, Kind::Note { text }).by(by.to_owned(), "")
}

#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
pub(super) fn recording(In(command): In<RecordingCommand>, mut params: RecordingParams) {
    params.look();
    match command {
        RecordingCommand::Start { path } => params.start(path),
        RecordingCommand::Stop => params.stop(),
        RecordingCommand::KeepPast => params.keep_past(),
    }
    params.tell();
}

/// Once a frame: takes over what threads have done since the last one.
pub(super) fn look(mut params: RecordingParams) {
    params.look();
    params.tell();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_goes_where_it_was_asked_for_and_else_to_the_working_directory() {
        let folder = tempfile::tempdir().unwrap();
        let here = std::env::current_dir().unwrap();
        let at = |wanted: Option<&Path>| place(wanted, "hall-20261123T101500Z.mcap");
        assert_eq!(at(None), here.join("hall-20261123T101500Z.mcap"));
        assert_eq!(at(Some(folder.path())), folder.path().join("hall-20261123T101500Z.mcap"));
        assert_eq!(at(Some(Path::new("shift"))), here.join("shift.mcap"));
        assert_eq!(at(Some(&folder.path().join("a.b"))), folder.path().join("a.b"));
    }
}
