//! The one applier: carries out what panels and the 3D view asked for in the last frame.
//!
//! In: [`OperatorCommand`]s. Out: cursor, attention, alarms, notes. Camera commands are the view's; what touches the disk
//! (reload, edits, exports) is the session's.

use bevy::prelude::*;

use super::{Attention, Operator, OperatorCommand};
use crate::alarm::Deed;
use crate::analysis::Analysis;
use crate::event::{Draft, Kind};
use crate::history::{Cursor, Moment};
use crate::scene::LoadedScene;

pub(crate) fn apply(
    mut commands: MessageReader<OperatorCommand>,
    analysis: Res<Analysis>,
    loaded: Res<LoadedScene>,
    operator: Res<Operator>,
    mut moment: ResMut<Moment>,
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
            OperatorCommand::Alarm { alarms, action, comment } => {
                // What is shown is the past: nobody acts on it.
                if !cursor.is_live() {
                    tracing::warn!("alarms are handled live: the cursor is in the past");
                    continue;
                }
                let deed = Deed { by: operator.0.clone(), at: moment.now, comment: comment.clone() };
                for (alarm, refusal) in analysis.lock().act(alarms, action, &deed) {
                    tracing::warn!("{alarm}: {refusal}");
                }
            }
            OperatorCommand::Note { text, twin } => {
                let draft = Draft::new(moment.shown, moment.now, Kind::Note { text: text.clone() });
                let twin = twin.and_then(|index| loaded.scene.twins.get(index.at())).map(|twin| twin.id.clone());
                analysis.lock().record(Draft { twin, ..draft.by(operator.0.clone(), "") });
            }
            OperatorCommand::Focus(_)
            | OperatorCommand::Look(_)
            | OperatorCommand::ReloadScene
            | OperatorCommand::ExportEvents { .. }
            | OperatorCommand::EditLimit { .. }
            | OperatorCommand::UndoEdit
            | OperatorCommand::Sound(_) => {}
        }
    }
    // The frame that says where the cursor stands also shows it.
    let shown = cursor.shown(moment.now);
    if moment.shown != shown {
        moment.shown = shown;
    }
}
