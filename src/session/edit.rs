//! Edits of the scene that an operator asks for while it runs.
//!
//! In: [`SceneCommand`]s. Out: scene files with one value changed, which are then read again like any saved scene; an event
//! for each, also for what could not be done. Never takes a scene over: the reload does.

use std::time::Duration;

use bevy::prelude::*;

use super::Running;
use crate::alarm::AlarmBoard;
use crate::command::{LimitField, Remarks, SceneCommand};
use crate::event::Kind;
use crate::scene::edit::{self, Edit};
use crate::scene::rule::AlarmPath;
use crate::scene::{LoadedScene, Scene};

/// Longer than any delay that makes sense, and no more than a `Duration` can hold.
const LONGEST_DELAY_SECS: f64 = 7.0 * 24.0 * 3600.0;

#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
pub(super) fn edit(
    In(command): In<SceneCommand>,
    running: ResMut<Running>,
    loaded: Res<LoadedScene>,
    remarks: Remarks,
    mut board: ResMut<AlarmBoard>,
) {
    let running = running.into_inner();
    let (result, reason) = match command {
        SceneCommand::Reload => {
            running.is_reload_asked = true;
            return;
        }
        SceneCommand::EditLimit { alarm, field, value, reason } => {
            let planned = plan(&loaded.scene, &alarm, field, value).and_then(applied);
            (planned.inspect(|edit| running.edits.push(edit.clone())), reason)
        }
        SceneCommand::UndoEdit => match running.edits.last().map(|edit| applied(edit.undo())) {
            Some(Ok(undone)) => {
                running.edits.pop();
                (Ok(undone), "undone".to_owned())
            }
            Some(Err(error)) => (Err(error), "undo".to_owned()),
            None => (Err("there is no edit of the scene to undo".to_owned()), "undo".to_owned()),
        },
    };
    let kind = match result {
        Ok(Edit { what, was, now, .. }) => {
            running.is_edited = true;
            Kind::SceneEdited { what, before: was, after: now }
        }
        Err(text) => {
            tracing::info!("{text}");
            Kind::Note { text }
        }
    };
    remarks.tell(kind, &reason);
    board.undo = running.edits.last().map(Edit::to_string);
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
