//! Commands of an operator, and their handlers.
//!
//! In: [`OperatorCommand`]s, written by panels and the 3D view. Out, one frame later: each command is passed, in order,
//! to the one handler of its group; a command without a handler in this world is refused, and the refusal is on record.
//! This room itself moves the cursor, keeps the selection and acts on alarms; its [`Outbox`] hands commands to the
//! publishers of a live session. Never touches disk, never reads a clock.
//!
//! | group | who carries it out | where |
//! | --- | --- | --- |
//! | [`AttentionCommand`] | every world | `command::attention` |
//! | [`TimeCommand`] | every world | `command::transport` |
//! | [`AlarmCommand`] | every world; a recording refuses | `command::alarms` |
//! | [`InstructionCommand`] | a live session; a replay refuses | `session::instruct`, `replay::commands` |
//! | [`JournalCommand`] | a live session, or a replay | `session::journal`, `replay::commands` |
//! | [`SceneCommand`] | a live session; a replay refuses | `session::edit`, `replay::commands` |
//! | [`RecordingCommand`] | a live session; a replay refuses | `session::record`, `replay::commands` |
//! | [`OpenCommand`] | the window | `cli::opener` |
//! | [`LayerCommand`] | a world with layers beside it | `layers::project` |
//! | [`FaultCommand`] | a live session; a replay refuses | `session::faults`, `replay::commands` |
//! | [`ScenarioCommand`] | a live session | `scenario::save` |
//! | [`CameraCommand`] | the 3D view | `view::camera` |
//!
//! No command can be lost:
//!
//! - A new variant of a group does not compile before its handlers do something about it: a handler is one `match`
//!   without a wildcard arm, and `#[deny(clippy::wildcard_enum_match_arm)]` on it keeps wildcards out.
//! - A new group does not compile before `carry_out` passes it on, for the same reason, and before it says, as a
//!   [`Group`], the refusal for worlds without its handler.
//! - A group has at most one handler in a world: [`HandleCommands::handle_commands`] refuses a second one. Where it has
//!   none, such as the camera in a world without a window, each of its commands is refused in words (see [`Refusals`]).

mod alarms;
mod attention;
mod carry_out;
mod groups;
mod outbox;
mod remarks;
mod sample_step;
mod transport;

use bevy::prelude::*;

use crate::scene::Scene;
use crate::schedule::TwinSet;
use crate::value::{SignalIndex, Timestamp, TwinIndex};

pub use carry_out::{Group, HandleCommands, Refusals};
pub use groups::{
    AlarmCommand, AttentionCommand, CameraCommand, FaultCommand, Ghosts, InstructionCommand, JournalCommand,
    LayerCommand, LimitField, MarkEnd, OpenCommand, OperatorCommand, RecordingCommand, ScenarioCommand, SceneCommand,
    StepBy, TimeCommand,
};

pub use outbox::Outbox;

pub(crate) use carry_out::carry_out;
pub(crate) use remarks::Remarks;
pub(crate) use sample_step::Underway;
pub(crate) use transport::settle;

/// Who gives the commands: the name that goes on record.
#[derive(Resource, Clone, PartialEq, Eq, Debug)]
pub struct Operator(pub String);

impl Default for Operator {
    /// The user who is logged in.
    fn default() -> Self {
        let named = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
        Self(named.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "operator".to_owned()))
    }
}

/// What came of the last thing that was asked about faults and scenarios, for the panel where it was asked.
#[derive(Resource, Clone, PartialEq, Eq, Debug, Default)]
pub struct FaultAnswer {
    /// Empty before the first one.
    pub text: String,
    pub at: Timestamp,
}

/// What the operator is looking at. Written by the handler of [`AttentionCommand`], and where another scene takes over.
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
    app.init_resource::<Attention>()
        .init_resource::<Operator>()
        .init_resource::<FaultAnswer>()
        .init_resource::<Underway>()
        .handle_commands(attention::attention)
        .handle_commands(transport::transport)
        .handle_commands(alarms::alarms)
        .add_systems(Update, settle.after(carry_out).in_set(TwinSet::Command));
}
