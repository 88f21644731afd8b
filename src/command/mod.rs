//! What an operator asks for. Panels and the 3D view write these messages; one applier carries them out next frame.

mod apply;
mod sample_step;
mod sound;
mod transport;

use std::path::PathBuf;
use std::time::Duration;

use bevy::prelude::*;

use crate::alarm;
use crate::event::{self};
use crate::scene::Scene;
use crate::scene::rule::{AlarmPath, Priority};
use crate::schedule::TwinSet;
use crate::value::Shift;

pub(crate) use apply::apply;
pub(crate) use sample_step::Underway;

use crate::value::{SignalIndex, Timestamp, TwinIndex};

#[derive(Message, Clone, PartialEq, Debug)]
pub enum OperatorCommand {
    /// Makes a twin the one that tree, inspector and 3D view show; none clears.
    Select(Option<TwinIndex>),
    /// Moves the camera to a twin; none frames the whole scene.
    Focus(Option<TwinIndex>),
    /// Moves the camera to a viewpoint of the scene, by its position in `scene.views`.
    Look(usize),
    /// The cursor follows the newest data; in a recording it goes to the end.
    GoLive,
    /// The cursor stands still at a moment.
    PauseAt(Timestamp),
    /// The cursor stands still where it is.
    Pause,
    /// The cursor goes to a moment: what plays goes on playing from there, all else stands still there.
    Seek(Timestamp),
    /// The cursor moves from where it is, `speed` source seconds a second.
    Play { speed: f64 },
    /// The cursor plays forward so fast that it is live in some seconds.
    CatchUp,
    /// The cursor goes to the next or previous of something.
    Step { by: StepBy, forward: bool },
    /// Sets the in or the out mark; none takes it away.
    Mark { end: MarkEnd, at: Option<Timestamp> },
    /// Whether playing turns back between the marks.
    Loop(bool),
    /// Playing jumps over stretches without data that are longer than this; none: it plays through them.
    SkipGaps(Option<Duration>),
    /// Adds a signal to the trend panel, or takes it away.
    ToggleTrend(SignalIndex),
    /// Reads the scene file again.
    ReloadScene,
    /// Does one thing to some alarms; `comment` is the reason, where one is asked for. Alarms are named, not numbered: a
    /// scene that is taken over between the click and the deed numbers them anew.
    Alarm { alarms: Vec<AlarmPath>, action: alarm::Action, comment: String },
    /// Writes a remark into the journal, on a moment; none is the shown one.
    Note { text: String, twin: Option<TwinIndex>, at: Option<Timestamp> },
    /// Marks a moment, to be found again; none is the shown one, and the name may be empty.
    Bookmark { text: String, twin: Option<TwinIndex>, at: Option<Timestamp> },
    /// Writes the events that `filter` admits to a file: CSV if its name ends in `.csv`, else JSON lines.
    ExportEvents { path: PathBuf, filter: event::Filter },
    /// Changes a number of an alarm in the scene file.
    EditLimit { alarm: AlarmPath, field: LimitField, value: f64, reason: String },
    /// Takes back the last edit of the scene.
    UndoEdit,
    /// Writes the past that is held in memory into a recording, and records on for a while.
    KeepPast,
    /// Records from now on: into this file, or a new one of a usual name in this folder; none leaves it to the session.
    StartRecording { path: Option<PathBuf> },
    /// Finishes what is recorded; nothing is from then on.
    StopRecording,
    /// Opens recordings as one timeline, or scenes: here if a replay is shown and recordings are to be, else in windows of
    /// their own, so that a live session goes on.
    Open(Vec<PathBuf>),
    /// From which priority on new alarms are heard; none: not at all.
    Sound(Option<Priority>),
    /// Shows later moments of the recording that lies beside this one, or earlier ones.
    ShiftBeside(Shift),
    /// Which twins show in 3D how they are in the recording beside this one.
    ShowGhosts(Ghosts),
}

/// What one step of the cursor is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StepBy {
    /// A sample of the signals in the trends and of the selected twin; of any signal if there are none of these.
    /// The cursor stands still there.
    Sample,
    /// An event of the journal.
    Event,
    Time(Duration),
}

/// One of the two marks on the time bar.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MarkEnd {
    In,
    Out,
}

/// A number of an alarm that an operator may change while running.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LimitField {
    /// In the unit of the signal; for rates in that unit per second.
    Limit,
    /// In the unit of the signal; for rates in that unit per second.
    Deadband,
    /// Seconds.
    OnDelay,
    /// Seconds.
    OffDelay,
}

/// Which twins show in 3D how they are in the other recording.
#[derive(Resource, Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Ghosts {
    /// Those whose looks differ.
    #[default]
    Differing,
    All,
    None,
}

impl Ghosts {
    pub const ALL: [Ghosts; 3] = [Ghosts::Differing, Ghosts::All, Ghosts::None];

    pub const fn text(self) -> &'static str {
        match self {
            Ghosts::Differing => "where they differ",
            Ghosts::All => "of all twins",
            Ghosts::None => "off",
        }
    }
}

/// Who gives the commands: the name that goes on record.
#[derive(Resource, Clone, PartialEq, Eq, Debug)]
pub struct Operator(pub String);

impl Default for Operator {
    /// Whoever is logged in.
    fn default() -> Self {
        let named = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
        Self(named.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "operator".to_owned()))
    }
}

/// What the operator is looking at. Written by the applier only.
#[derive(Resource, Clone, PartialEq, Debug, Default)]
pub struct Attention {
    pub selected: Option<TwinIndex>,
    /// Signals in the trend panel, in the order they were added.
    pub trends: Vec<SignalIndex>,
}

impl Attention {
    /// The same twins and signals under the indices of a newly loaded scene; those that are gone are left out.
    pub fn renumbered(&self, old: &Scene, new: &Scene, signals: &[Option<SignalIndex>]) -> Self {
        let twin = |index: TwinIndex| Some(new.twin(&old.twins.get(index.at())?.id)?.index);
        Self {
            selected: self.selected.and_then(twin),
            trends: self.trends.iter().filter_map(|old| *signals.get(old.at())?).collect(),
        }
    }
}

pub(super) fn plugin(app: &mut App) {
    app.add_message::<OperatorCommand>()
        .init_resource::<Attention>()
        .init_resource::<Operator>()
        .init_resource::<Underway>()
        .add_systems(Update, (apply, sound::sound.after(apply)).in_set(TwinSet::Command));
}
