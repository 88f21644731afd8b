//! The commands of an operator, in groups by their handlers. Plain data: decides nothing, does nothing.

use std::path::PathBuf;
use std::time::Duration;

use bevy::prelude::*;

use crate::alarm;
use crate::event;
use crate::fault::{Site, WrittenFault};
use crate::scene::rule::{AlarmPath, Priority};
use crate::value::{LayerId, Shift, SignalIndex, Timestamp, TwinIndex, Value};

/// One thing that an operator asks for. Written by panels and the 3D view, read in one place, which passes it to the
/// one handler of its group in the next frame (see [`super`]).
#[derive(Message, Clone, PartialEq, Debug)]
pub enum OperatorCommand {
    Attention(AttentionCommand),
    Time(TimeCommand),
    Alarm(AlarmCommand),
    Instruction(InstructionCommand),
    Journal(JournalCommand),
    Scene(SceneCommand),
    Recording(RecordingCommand),
    Open(OpenCommand),
    Layer(LayerCommand),
    Fault(FaultCommand),
    Scenario(ScenarioCommand),
    Camera(CameraCommand),
}

/// What the operator looks at.
#[derive(Clone, PartialEq, Debug)]
pub enum AttentionCommand {
    /// Makes a twin the one that tree, inspector and 3D view show; none clears.
    Select(Option<TwinIndex>),
    /// Adds a signal to the trend panel, or takes it away.
    ToggleTrend(SignalIndex),
}

/// What moves the cursor.
#[derive(Clone, PartialEq, Debug)]
pub enum TimeCommand {
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
}

/// Acts on alarms, and on the horn that makes them heard.
#[derive(Clone, PartialEq, Debug)]
pub enum AlarmCommand {
    /// Does one thing to some alarms; `comment` is the reason, where one is asked for. Alarms are named, not numbered:
    /// a scene that is taken over between the click and the deed numbers them anew.
    Act { alarms: Vec<AlarmPath>, action: alarm::Action, comment: String },
    /// From which priority on new alarms are heard; none: not at all.
    Sound(Option<Priority>),
}

/// Tells equipment what to do, step by step: prepare, see, arm, send.
#[derive(Clone, PartialEq, Debug)]
pub enum InstructionCommand {
    /// Shows what a command of a twin would send; it gets a number.
    Prepare { twin: String, command: String, arguments: Vec<(String, Value)> },
    /// It may be sent, for as long as the scene says.
    Arm(u64),
    /// It leaves at once, or fails. `reason` goes on record.
    Send { id: u64, reason: String },
    /// It is not to be sent.
    Cancel { id: u64, reason: String },
}

/// Writes into the journal, or exports from it.
#[derive(Clone, PartialEq, Debug)]
pub enum JournalCommand {
    /// Writes a remark into the journal, on a moment; none is the shown one.
    Note { text: String, twin: Option<TwinIndex>, at: Option<Timestamp> },
    /// Marks a moment, to be found again; none is the shown one, and the name may be empty.
    Bookmark { text: String, twin: Option<TwinIndex>, at: Option<Timestamp> },
    /// Writes the events that `filter` admits to a file: CSV if its name ends in `.csv`, else JSON lines.
    Export { path: PathBuf, filter: event::Filter },
}

/// Reads or edits the files of the scene.
#[derive(Clone, PartialEq, Debug)]
pub enum SceneCommand {
    /// Reads the scene file again.
    Reload,
    /// Changes a number of an alarm in the scene file.
    EditLimit { alarm: AlarmPath, field: LimitField, value: f64, reason: String },
    /// Takes back the last edit of the scene.
    UndoEdit,
}

/// Begins or ends a recording.
#[derive(Clone, PartialEq, Debug)]
pub enum RecordingCommand {
    /// Records from now on: into this file, or a new one of a usual name in this folder; none leaves it to the session.
    Start { path: Option<PathBuf> },
    /// Finishes the recording.
    Stop,
    /// Writes the past that is held in memory into a recording, and records on for a while.
    KeepPast,
}

/// Opens recordings as one timeline, or scenes: here if a replay is shown and recordings are to be, else in windows of
/// their own, so that a live session goes on.
#[derive(Clone, PartialEq, Debug)]
pub struct OpenCommand(pub Vec<PathBuf>);

/// Changes the layers beside the shown world.
#[derive(Clone, PartialEq, Debug)]
pub enum LayerCommand {
    /// Shows moments of a layer that are so much later, or earlier.
    Shift { layer: LayerId, by: Shift },
    /// Which twins show in 3D how they are in the layers.
    ShowGhosts(Ghosts),
    /// Takes a layer away that has ended: an overlay whose faults are all cleared.
    Close { layer: LayerId },
}

/// Breaks something on purpose, and mends it again.
#[derive(Clone, PartialEq, Debug)]
pub enum FaultCommand {
    /// Sets a fault; its onset counts from now. The one of the same id there gives way to it.
    Inject { site: Site, fault: WrittenFault, reason: String },
    /// Clears a fault by its id.
    Clear { site: Site, id: String },
    /// Clears all faults, wherever they act.
    ClearAll,
}

/// Makes scenarios of what was done.
#[derive(Clone, PartialEq, Debug)]
pub enum ScenarioCommand {
    /// Writes what was done to the session's own plant as a scenario: into this file, or a new one of a usual name in this
    /// folder; none: in the working directory.
    Save { path: Option<PathBuf> },
}

/// Where the 3D view looks from.
#[derive(Clone, PartialEq, Debug)]
pub enum CameraCommand {
    /// Moves the camera to a twin; none frames the whole scene.
    Focus(Option<TwinIndex>),
    /// Moves the camera to a viewpoint of the scene, by its position in `scene.views`.
    Look(usize),
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
