//! Edits of the scene and exports of events that an operator asks for while it runs: the only commands that touch the
//! disk.
//!
//! In: [`OperatorCommand`]s. Out: scene files with one value changed, which are then read again like any saved scene;
//! files of events; an event for each, also for what could not be done.

use std::time::Duration;

use bevy::prelude::*;

use super::Running;
use crate::alarm::AlarmBoard;
use crate::analysis::Analysis;
use crate::command::{LimitField, Operator, OperatorCommand};
use crate::event::{Draft, Kind, export};
use crate::history::Moment;
use crate::scene::edit::{self, Edit};
use crate::scene::rule::AlarmPath;
use crate::scene::{LoadedScene, Scene};

/// Longer than any delay that makes sense, and no more than a `Duration` can hold.
const LONGEST_DELAY_SECS: f64 = 7.0 * 24.0 * 3600.0;

pub(super) fn edit(
    mut commands: MessageReader<OperatorCommand>,
    running: ResMut<Running>,
    loaded: Res<LoadedScene>,
    analysis: Res<Analysis>,
    operator: Res<Operator>,
    moment: Res<Moment>,
    mut board: ResMut<AlarmBoard>,
) {
    let running = running.into_inner();
    for command in commands.read() {
        let (result, reason) = match command {
            OperatorCommand::EditLimit { alarm, field, value, reason } => {
                let planned = plan(&loaded.scene, alarm, *field, *value).and_then(applied);
                (planned.inspect(|edit| running.edits.push(edit.clone())), reason.as_str())
            }
            OperatorCommand::UndoEdit => match running.edits.last().map(|edit| applied(edit.undo())) {
                Some(Ok(undone)) => {
                    running.edits.pop();
                    (Ok(undone), "undone")
                }
                Some(Err(error)) => (Err(error), "undo"),
                None => continue,
            },
            OperatorCommand::ExportEvents { path, filter } => {
                let knowledge = analysis.lock();
                let text = export::to_file(knowledge.chronicle().journal(), path, filter);
                drop(knowledge);
                record(&analysis, Kind::Note { text }, &operator, "", &moment);
                continue;
            }
            _ => continue,
        };
        let kind = match result {
            Ok(Edit { what, was, now, .. }) => {
                running.is_edited = true;
                Kind::SceneEdited { what, before: was, after: now }
            }
            Err(text) => Kind::Note { text },
        };
        record(&analysis, kind, &operator, reason, &moment);
        board.undo = running.edits.last().map(Edit::to_string);
    }
}

fn record(analysis: &Analysis, kind: Kind, operator: &Operator, reason: &str, moment: &Moment) {
    if let Kind::Note { text } = &kind {
        tracing::info!("{text}");
    }
    analysis.lock().record(Draft::new(moment.now, moment.now, kind).by(operator.0.clone(), reason));
}

fn plan(scene: &Scene, alarm: &AlarmPath, field: LimitField, value: f64) -> Result<Edit, String> {
    if alarm.rule(scene).is_none() {
        return Err(format!("the alarm {alarm} is no longer part of the scene"));
    }
    let delay = || match (0.0..=LONGEST_DELAY_SECS).contains(&value) {
        true => Ok(Duration::from_secs_f64(value)),
        false => Err(format!("{alarm}: a delay must be between 0 s and 7 d, found {value} s")),
    };
    let change = match field {
        LimitField::Limit => edit::Change::Limit(value),
        LimitField::Deadband => edit::Change::Deadband(value),
        LimitField::OnDelay => edit::Change::OnDelay(delay()?),
        LimitField::OffDelay => edit::Change::OffDelay(delay()?),
    };
    edit::plan(scene, alarm, &change).map_err(|error| error.to_string())
}

fn applied(edit: Edit) -> Result<Edit, String> {
    edit::apply(&edit).map_err(|error| format!("{} stays as it is: {error}", edit.what))?;
    Ok(edit)
}
