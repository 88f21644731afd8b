//! The one applier: carries out what panels and the 3D view asked for in the last frame.
//!
//! In: [`OperatorCommand`]s. Out: cursor and attention. Camera commands are the view's; a reload is the session's.

use bevy::prelude::*;

use super::{Attention, OperatorCommand};
use crate::analysis::Analysis;
use crate::history::{Cursor, Moment};

pub(crate) fn apply(
    mut commands: MessageReader<OperatorCommand>,
    analysis: Res<Analysis>,
    moment: Res<Moment>,
    mut cursor: ResMut<Cursor>,
    mut attention: ResMut<Attention>,
) {
    for command in commands.read() {
        match command {
            OperatorCommand::Select(twin) => {
                attention.set_if_neq(Attention { selected: *twin, ..attention.clone() });
            }
            OperatorCommand::ToggleTrend(signal) => match attention.trends.iter().position(|shown| shown == signal) {
                Some(at) => drop(attention.trends.remove(at)),
                None => attention.trends.push(*signal),
            },
            OperatorCommand::GoLive => {
                cursor.set_if_neq(Cursor::Live);
            }
            OperatorCommand::PauseAt(at) => {
                cursor.set_if_neq(Cursor::pause_at(*at, analysis.lock().history.bounds(), moment.now));
            }
            OperatorCommand::Play { speed } => {
                let playing = cursor.play(*speed, moment.now);
                cursor.set_if_neq(playing);
            }
            OperatorCommand::Focus(_) | OperatorCommand::Look(_) | OperatorCommand::ReloadScene => {}
            OperatorCommand::Alarm { .. }
            | OperatorCommand::Note { .. }
            | OperatorCommand::ExportEvents { .. }
            | OperatorCommand::EditLimit { .. }
            | OperatorCommand::UndoEdit => {}
        }
    }
}
