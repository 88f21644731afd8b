//! Opens a recording as a world.
//!
//! In: files and where to begin. Out: a Bevy `App` with `CorePlugins` and the thread that reads; later, another
//! recording in the place of the first. No source, no plant, no store and no events file is started here, and nothing
//! that could start one.

use std::hash::BuildHasher;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bevy::prelude::*;

use super::recording::OpenRecording;
use super::{Replay, Wish, commands, cursor};
use crate::command::{Attention, HandleCommands};
use crate::event::EventLog;
use crate::history::{Cursor, Extent, Marks, ViewTime};
use crate::produce::ProducerFactory;
use crate::record::notes::NoteKeeper;
use crate::record::read::{ReadError, Timeline};
use crate::record::{UnpackError, unpack};
use crate::scene::{LoadedScene, Scene};
use crate::schedule::TwinSet;
use crate::source::{Sources, Waker};
use crate::stage::CorePlugins;
use crate::value::Timestamp;

/// What to open, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Recordings of one series, in any order.
    pub files: Vec<PathBuf>,
    /// Instead of the scene that the recording holds.
    pub scene: Option<PathBuf>,
    /// Where the cursor begins: at the start if none.
    pub at: Option<At>,
    /// Source seconds a second; none stands still.
    pub speed: Option<f64>,
    pub history_budget_bytes: u64,
    /// Frames wait for what they are to show: for pictures, for runs without a window, for tests.
    pub blocking: bool,
    /// What turns samples into samples, as in the session that was recorded.
    pub producers: ProducerFactory,
}

/// A moment of a recording.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    /// Since its start.
    After(Duration),
    Moment(Timestamp),
}

impl Options {
    pub fn new(files: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self {
            files: files.into_iter().map(Into::into).collect(),
            scene: None,
            at: None,
            speed: None,
            history_budget_bytes: 1 << 30,
            blocking: false,
            producers: ProducerFactory::default(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{0}; name the scene with --scene SCENE")]
    NoScene(UnpackError),
    #[error(transparent)]
    Unpack(UnpackError),
    /// The issues are to be printed by the caller.
    #[error("the scene of the recording has errors; name another with --scene SCENE")]
    Scene(Box<crate::scene::Loaded>),
    #[error("{}: holds no message, no event and no keyframe: there is nothing to show", path.display())]
    Empty { path: PathBuf },
    #[error("{at} is not within the recording, which is from {start} to {end}")]
    Outside { at: Timestamp, start: Timestamp, end: Timestamp },
    #[error("a folder for the scene of the recording cannot be made: {0}")]
    Folder(std::io::Error),
    #[error("the thread that reads the recording cannot be started: {0}")]
    Thread(std::io::Error),
}

/// A session lasts a little longer than from its first message to its last.
const LEEWAY: Duration = Duration::from_secs(5);
/// How long to wait for the first picture: what takes longer is shown when it comes.
const FIRST_PICTURE: Duration = Duration::from_secs(2);
/// Stretches of the overview.
const DENSITY: usize = 2000;

/// Opens recordings in `app`, which gets `CorePlugins`. `waker` asks for a frame.
pub fn open(app: &mut App, options: Options, waker: Waker) -> Result<(), OpenError> {
    let prepared = prepare(options, waker)?;
    app.add_plugins(CorePlugins);
    prepared.show_in(app.world_mut());
    app.handle_commands(commands::journal)
        .handle_commands(commands::scene)
        .handle_commands(commands::instruction)
        .handle_commands(commands::recording)
        .handle_commands(commands::fault)
        .add_systems(
            Update,
            (cursor::advance.before(crate::command::carry_out), cursor::settle.after(crate::command::settle))
                .chain()
                .before(crate::stage::Respawn)
                .in_set(TwinSet::Command),
        );
    Ok(())
}

/// Opened recordings whose first picture is loaded: a frame shows them as soon as it has time.
pub struct Prepared {
    extent: Extent,
    moment: ViewTime,
    cursor: Cursor,
    replay: Replay,
}

/// Opens recordings: waits for the disk, two seconds at most for the first picture.
pub fn prepare(options: Options, waker: Waker) -> Result<Prepared, OpenError> {
    let Options { files, scene, history_budget_bytes, producers, .. } = &options;
    let recording =
        OpenRecording::open_with(files, scene.as_deref(), *history_budget_bytes, producers.clone(), waker.clone())?;
    let (start, end) = recording.bounds;
    let at = begin_at(options.at, start, end)?;
    let first =
        recording.timeline.recordings().first().map(|recording| recording.path().to_owned()).unwrap_or_default();
    let notes = NoteKeeper::new(&first, recording.analysis.lock().chronicle().journal());
    let density = recording.timeline.density(DENSITY);
    recording.wait_to_show(Wish { at, speed: 0.0 }, (!options.blocking).then_some(FIRST_PICTURE));
    let cursor = match options.speed {
        Some(speed) => Cursor::Paused(at).play(speed, end),
        None => Cursor::Paused(at),
    };
    let moment = ViewTime { now: end, shown: at, session_start: start };
    let replay = Replay { recording, shown: at, waited_secs: 0.0, blocking: options.blocking, waker, notes };
    Ok(Prepared { extent: Extent::Recorded { start, end, density }, moment, cursor, replay })
}

/// What was shown before; dropping it waits for the disk.
pub struct Replaced {
    _replay: Option<Replay>,
}

impl Prepared {
    /// What people call it: the name of its first file.
    pub fn name(&self) -> String {
        let first =
            self.replay.recording.timeline.recordings().first().and_then(|recording| recording.path().file_name());
        first.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Takes the place of the recording that `world` shows: what was selected stays so where the new scene has it, marks
    /// go. Waits for nothing.
    pub fn take_over(self, world: &mut World) -> Replaced {
        let old = world.resource::<LoadedScene>().scene.clone();
        let scene = &self.replay.recording.scene;
        let signals = old.renumbering(scene);
        let attended = world.resource::<Attention>().renumbered(&old, scene, &signals);
        let replaced = Replaced { _replay: world.remove_resource::<Replay>() };
        world.insert_resource(attended);
        world.insert_resource(Marks::default());
        // Its numbers are those of another journal.
        world.insert_resource(EventLog::default());
        self.show_in(world);
        replaced
    }

    fn show_in(mut self, world: &mut World) {
        let generation = world.resource::<LoadedScene>().generation + 1;
        let recording = &mut self.replay.recording;
        let issues = std::mem::take(&mut recording.issues);
        world.insert_resource(LoadedScene { scene: recording.scene.clone(), generation, issues });
        world.insert_resource(recording.analysis.clone());
        let is_recorded_plant = recording.is_of_plant();
        world.insert_resource(Sources { is_recorded_plant, ..Sources::default() });
        world.insert_resource(self.extent);
        world.insert_resource(self.moment);
        world.insert_resource(self.cursor);
        world.insert_resource(self.replay);
    }
}

fn begin_at(at: Option<At>, start: Timestamp, end: Timestamp) -> Result<Timestamp, OpenError> {
    let at = match at {
        None => return Ok(start),
        Some(At::After(after)) => start + after,
        Some(At::Moment(at)) => at,
    };
    match at < start - LEEWAY || at > end + LEEWAY {
        true => Err(OpenError::Outside { at, start, end }),
        false => Ok(at.clamp(start, end)),
    }
}

pub(crate) type Opened = (Scene, Vec<crate::scene::Issue>, Option<Unpacked>);

/// The scene that was named, or else the recording's own, unpacked.
pub(crate) fn scene_of(timeline: &Timeline, named: Option<&Path>) -> Result<Opened, OpenError> {
    let (file, unpacked) = match named {
        Some(path) => (path.to_owned(), None),
        None => {
            let folder = Unpacked::new().map_err(OpenError::Folder)?;
            let file = unpack(timeline, &folder.path).map_err(|error| match error {
                UnpackError::NoScene { .. } => OpenError::NoScene(error),
                other => OpenError::Unpack(other),
            })?;
            (file, Some(folder))
        }
    };
    let loaded = crate::scene::load(&file);
    let Some(mut scene) = loaded.scene.clone() else { return Err(OpenError::Scene(Box::new(loaded))) };
    // As the session did that made the recording: it may have had other brokers than its scene.
    let brokers = timeline.recordings().iter().filter_map(|recording| recording.about());
    brokers.flat_map(|about| about.brokers.keys()).for_each(|name| scene.watch_connection(name));
    Ok((scene, loaded.issues, unpacked))
}

/// A folder of its own, which goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Unpacked {
    path: PathBuf,
}

impl Unpacked {
    fn new() -> std::io::Result<Self> {
        const TRIES: u64 = 100;
        let mut last = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        for attempt in 0..TRIES {
            // From the operating system by way of the standard library's hasher keys.
            let number = std::hash::RandomState::new().hash_one(attempt);
            let name = format!("pollux-scene-{}-{number:016x}", std::process::id());
            let path = std::env::temp_dir().join(name);
            match make_private(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }
}

/// For this user alone.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!("{}: the unpacked scene is left behind: {error}", self.path.display());
        }
    }
}
