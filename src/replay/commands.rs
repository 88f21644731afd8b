//! What an operator asks for that is different in a recording. In: [`OperatorCommand`]s. Out: files of events, notes beside
//! the recording, and a plain answer to whatever would change the plant's scene: a recording stays as it is.

use bevy::prelude::*;

use super::Replay;
use crate::analysis::Analysis;
use crate::command::{Operator, OperatorCommand};
use crate::event::{Draft, Kind, export};
use crate::history::Moment;
use crate::source::Clock;

pub(super) fn obey(
    mut commands: MessageReader<OperatorCommand>,
    analysis: Res<Analysis>,
    operator: Res<Operator>,
    moment: Res<Moment>,
    clock: Res<Clock>,
    mut replay: ResMut<Replay>,
) {
    if commands.is_empty() {
        return;
    }
    let mut knowledge = analysis.lock();
    // The applier has put remarks into the journal.
    let failed = replay.notes.keep(knowledge.chronicle().journal(), clock.now());
    failed.into_iter().for_each(|error| knowledge.complain(error.to_string()));
    for command in commands.read() {
        let text = match command {
            OperatorCommand::ExportEvents { path, filter } => {
                export::to_file(knowledge.chronicle().journal(), path, filter)
            }
            OperatorCommand::EditLimit { .. } | OperatorCommand::UndoEdit => {
                "this is a recording: the alarms of its scene stay as they were; edit them in the live session"
                    .to_owned()
            }
            OperatorCommand::StartRecording { .. } | OperatorCommand::StopRecording | OperatorCommand::KeepPast => {
                "this is a recording: nothing is recorded here".to_owned()
            }
            _ => continue,
        };
        tracing::info!("{text}");
        let draft = Draft::new(moment.shown, moment.shown, Kind::Note { text }).by(operator.0.clone(), "");
        knowledge.record(draft);
        replay.notes.pass_over(knowledge.chronicle().journal());
    }
}
