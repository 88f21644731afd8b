//! The one applier: carries out what panels and the 3D view asked for in the last frame.
//!
//! In: [`OperatorCommand`]s. Out: cursor, attention, alarms, notes. Camera commands are the view's; what touches the disk
//! (reload, edits, exports) is the session's; the comparison with another recording is its own.

use bevy::prelude::*;

use super::transport::Deck;
use super::{Attention, Operator, OperatorCommand};
use crate::alarm::Deed;
use crate::analysis::Analysis;
use crate::event::{Draft, Kind};
use crate::scene::LoadedScene;
use crate::value::{Timestamp, TwinIndex};

pub(crate) fn apply(
    mut commands: MessageReader<OperatorCommand>,
    analysis: Res<Analysis>,
    loaded: Res<LoadedScene>,
    operator: Res<Operator>,
    mut deck: Deck,
    mut attention: ResMut<Attention>,
) {
    let remark = |kind: Kind, twin: Option<TwinIndex>, at: Option<Timestamp>, deck: &Deck| {
        let at = at.unwrap_or_else(|| deck.cursor.shown(deck.moment.now));
        // A recording has no present: what is added to it belongs where it stands.
        let known = if deck.extent.is_recorded() { at } else { deck.moment.now };
        let draft = Draft::new(at, known, kind).by(operator.0.clone(), "");
        let twin = twin.and_then(|index| loaded.scene.twins.get(index.at())).map(|twin| twin.id.clone());
        analysis.lock().record(Draft { twin, ..draft });
    };
    for command in commands.read() {
        match command {
            OperatorCommand::Select(twin) => {
                attention.set_if_neq(Attention { selected: *twin, ..attention.clone() });
            }
            OperatorCommand::ToggleTrend(signal) => match attention.trends.iter().position(|shown| shown == signal) {
                Some(at) => drop(attention.trends.remove(at)),
                None => attention.trends.push(*signal),
            },
            OperatorCommand::GoLive
            | OperatorCommand::PauseAt(_)
            | OperatorCommand::Pause
            | OperatorCommand::Seek(_)
            | OperatorCommand::Play { .. }
            | OperatorCommand::CatchUp
            | OperatorCommand::Step { .. }
            | OperatorCommand::Mark { .. }
            | OperatorCommand::Loop(_)
            | OperatorCommand::SkipGaps(_) => deck.obey(command, &analysis, &attention, &loaded.scene),
            OperatorCommand::Alarm { alarms, action, comment } => {
                // What is shown is the past: nobody acts on it. A recording says so itself.
                if !deck.cursor.is_live() && !deck.extent.is_recorded() {
                    tracing::warn!("alarms are handled live: the cursor is in the past");
                    continue;
                }
                let deed = Deed { by: operator.0.clone(), at: deck.moment.now, comment: comment.clone() };
                for (alarm, refusal) in analysis.lock().act(alarms, action, &deed) {
                    tracing::warn!("{alarm}: {refusal}");
                }
            }
            OperatorCommand::Note { text, twin, at } => remark(Kind::Note { text: text.clone() }, *twin, *at, &deck),
            OperatorCommand::Bookmark { text, twin, at } => {
                remark(Kind::Bookmark { text: text.clone() }, *twin, *at, &deck);
            }
            OperatorCommand::Focus(_)
            | OperatorCommand::Look(_)
            | OperatorCommand::ReloadScene
            | OperatorCommand::ExportEvents { .. }
            | OperatorCommand::EditLimit { .. }
            | OperatorCommand::UndoEdit
            | OperatorCommand::KeepPast
            | OperatorCommand::StartRecording { .. }
            | OperatorCommand::StopRecording
            | OperatorCommand::Open(_)
            | OperatorCommand::Sound(_)
            | OperatorCommand::ShiftBeside(_)
            | OperatorCommand::ShowGhosts(_) => {}
        }
    }
    deck.settle(&analysis, &attention, &loaded.scene);
}
