//! An open recording, for a replay or for a layer. In: files of one series, the wanted moment. Out: its scene, its
//! journal, and a history that fills around that moment. Never judges, knows no world and no cursor.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::loader::Loader;
use super::open::{OpenError, Opened, Unpacked, scene_of};
use super::reader::Reader;
use super::{Segments, Wish, remarks};
use crate::analysis::Analysis;
use crate::event::Event;
use crate::history::Loaded;
use crate::plant::announcement_topic;
use crate::produce::ProducerFactory;
use crate::record::format::Keyframe;
use crate::record::read::{ReadError, RecordingFile, Timeline};
use crate::scene::rule::{AlarmPath, condition_text};
use crate::scene::{Issue, Scene};
use crate::source::Waker;
use crate::value::Timestamp;

/// When a recording has more events than the journal may hold, alarms are looked up in so many keyframes.
const OPENINGS: usize = 64;

type Bounds = (Timestamp, Timestamp);

/// Dropping it ends the thread that reads.
pub(crate) struct OpenRecording {
    reader: Reader,
    /// Fills in a thread of its own; its alarms are those on record.
    pub analysis: Analysis,
    pub timeline: Arc<Timeline>,
    pub scene: Arc<Scene>,
    pub issues: Vec<Issue>,
    /// Log times of the first and the last message, event or keyframe.
    pub bounds: Bounds,
    /// The scene as files, for as long as its models may be asked for.
    _unpacked: Option<Unpacked>,
}

impl OpenRecording {
    /// Whether a simulated plant of its scene said in it that it is one.
    pub fn is_of_plant(&self) -> bool {
        let topic = announcement_topic(&self.scene.name);
        let announced = |recording: &RecordingFile| recording.channels().iter().any(|channel| *channel.topic == *topic);
        self.timeline.recordings().iter().any(announced)
    }

    /// Opens recordings of one series, in the scene that was named or else in their own. `waker` is called when there
    /// is more to show.
    pub fn open(
        files: &[PathBuf],
        scene: Option<&Path>,
        history_budget_bytes: u64,
        waker: Waker,
    ) -> Result<Self, OpenError> {
        Self::open_with(files, scene, history_budget_bytes, ProducerFactory::default(), waker)
    }

    /// The same, with other producers than those that scenes ask for.
    pub fn open_with(
        files: &[PathBuf],
        scene: Option<&Path>,
        history_budget_bytes: u64,
        make: ProducerFactory,
        waker: Waker,
    ) -> Result<Self, OpenError> {
        let (timeline, bounds) = open(files)?;
        let own = scene.and_then(|_| scene_of(&timeline, None).ok());
        let (scene, issues, unpacked): Opened = scene_of(&timeline, scene)?;
        let judged_otherwise = own.and_then(|(own, ..)| judged_otherwise(&own, &scene));
        let opened = (Arc::new(scene), issues, unpacked);
        let recording = Self::start((timeline, bounds), opened, history_budget_bytes, make, waker)?;
        judged_otherwise.into_iter().for_each(|text| recording.analysis.lock().complain(text));
        Ok(recording)
    }

    /// The same to lie beside something that is shown in the scene `main`: a recording without a scene of its own is
    /// read as that one.
    pub fn open_beside(
        files: &[PathBuf],
        main: &Arc<Scene>,
        history_budget_bytes: u64,
        waker: Waker,
    ) -> Result<Self, OpenError> {
        let (timeline, bounds) = open(files)?;
        let opened = match scene_of(&timeline, None) {
            Ok((scene, issues, unpacked)) => (Arc::new(scene), issues, unpacked),
            Err(OpenError::NoScene(_)) => (main.clone(), Vec::new(), None),
            Err(error) => return Err(error),
        };
        Self::start((timeline, bounds), opened, history_budget_bytes, ProducerFactory::default(), waker)
    }

    fn start(
        (timeline, bounds): (Timeline, Bounds),
        (scene, issues, unpacked): (Arc<Scene>, Vec<Issue>, Option<Unpacked>),
        history_budget_bytes: u64,
        make: ProducerFactory,
        waker: Waker,
    ) -> Result<Self, OpenError> {
        let timeline = Arc::new(timeline);
        // Alarms were watched since the session began, which is before its first message.
        let watched = timeline.about().map_or(bounds.0, |about| about.started.min(bounds.0));
        let analysis = Analysis::new(scene.clone(), 1, history_budget_bytes, watched);
        recall(&analysis, &timeline)?;
        let segments = Segments::new(timeline.keyframe_times());
        let loader = Loader::new(timeline.clone(), scene.clone(), make);
        let reader = Reader::start(loader, segments, analysis.clone(), waker).map_err(OpenError::Thread)?;
        Ok(Self { reader, analysis, timeline, scene, issues, bounds, _unpacked: unpacked })
    }

    /// Takes over stretches that are ready. True if history is complete for the wanted moment; if not, it is being
    /// read.
    pub fn show(&self, wish: Wish) -> bool {
        self.reader.show(wish)
    }

    /// The same, but waits until it does, or until `limit` has passed.
    pub fn wait_to_show(&self, wish: Wish, limit: Option<Duration>) {
        self.reader.wait_to_show(wish, limit);
    }

    /// The span around `at` for which history is complete.
    pub fn loaded(&self, at: Timestamp) -> Loaded {
        self.reader.loaded(at)
    }

    /// From now on it may take so much memory.
    pub fn set_budget(&self, bytes: u64) {
        self.reader.set_budget(bytes);
    }

    /// Whether there is nothing to load for what was wanted last.
    pub fn is_idle(&self) -> bool {
        self.reader.is_idle()
    }
}

/// Alarms are shown as they were judged when they were recorded. Where the scene that is shown would judge otherwise, that is
/// said: nobody takes an old verdict for one of the new rule.
fn judged_otherwise(own: &Scene, shown: &Scene) -> Option<String> {
    let by_path = |scene: &Scene| -> BTreeMap<String, String> {
        let rules = scene.alarms.iter();
        rules.map(|rule| (AlarmPath::of_rule(rule, scene).to_string(), condition_text(rule, scene))).collect()
    };
    let (own, shown) = (by_path(own), by_path(shown));
    let mut differing = shown.iter().filter(|(path, condition)| own.get(*path) != Some(condition));
    let (path, condition) = differing.next()?;
    let others = match differing.count() {
        0 => String::new(),
        count => format!("; so are {count} others"),
    };
    let was = match own.get(path) {
        Some(was) => format!("was judged as `{was}`"),
        None => "was not judged".to_owned(),
    };
    Some(format!(
        "alarms are shown as they were when this was recorded: {path} {was}, where the scene says `{condition}`{others}; `pollux \
         rejudge` judges the recording by the scene"
    ))
}

fn open(files: &[PathBuf]) -> Result<(Timeline, Bounds), OpenError> {
    let timeline = Timeline::open(files)?;
    let empty = || OpenError::Empty { path: files.first().cloned().unwrap_or_default() };
    let bounds = timeline.bounds().ok_or_else(empty)?;
    Ok((timeline, bounds))
}

/// The journal, and how alarms stood when it began.
fn recall(analysis: &Analysis, timeline: &Timeline) -> Result<(), OpenError> {
    let (written, problems) = remarks::read(timeline);
    let events: Vec<Arc<Event>> = remarks::merged(timeline.events()?, written).into_iter().map(Arc::new).collect();
    let mut knowledge = analysis.lock();
    knowledge.become_recorded();
    knowledge.recall_events(events);
    // Between the files of a series something may have happened that is on no record.
    let starts = timeline.recordings().iter().filter_map(|recording| Some(recording.bounds()?.0));
    let times = timeline.keyframe_times();
    // The keyframe of an import lies just before its start.
    let before = |start: Timestamp| Timestamp(start.0.saturating_sub(1));
    let mut wanted: Vec<Timestamp> =
        starts.filter_map(|start| times.get(times.partition_point(|time| *time < before(start))).copied()).collect();
    if knowledge.chronicle().journal().usage().dropped > 0 {
        wanted.extend(times.iter().step_by(times.len().div_ceil(OPENINGS).max(1)));
    }
    wanted.sort_unstable();
    wanted.dedup();
    let keyframes: Vec<Keyframe> = wanted
        .into_iter()
        .filter_map(|time| timeline.keyframe_at(time).transpose())
        .collect::<Result<_, ReadError>>()?;
    knowledge.recall_alarms(keyframes.iter().map(|keyframe| (keyframe.time, &keyframe.alarms)));
    timeline.told().into_iter().chain(problems).for_each(|problem| knowledge.complain(problem));
    Ok(())
}
