//! Handles the commands that mean something else in a recording than in a live session.
//!
//! In: commands about the journal, the scene, the recording and faults. Out: files of events, notes beside the recording, and
//! a refusal in words for every command that would edit the scene, record or break something. Never changes the recording.

use bevy::prelude::*;

use super::Replay;
use crate::analysis::Analysis;
use crate::command::{FaultCommand, InstructionCommand, JournalCommand, RecordingCommand, Remarks, SceneCommand};
use crate::event::{Kind, export};
use crate::source::Clock;

#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
pub(super) fn journal(
    In(command): In<JournalCommand>,
    analysis: Res<Analysis>,
    clock: Res<Clock>,
    remarks: Remarks,
    mut replay: ResMut<Replay>,
) {
    // What was answered to other commands is no remark of a person.
    replay.notes.pass_over(analysis.lock().chronicle().journal());
    match command {
        JournalCommand::Note { text, twin, at } => remarks.write(Kind::Note { text }, twin, at),
        JournalCommand::Bookmark { text, twin, at } => remarks.write(Kind::Bookmark { text }, twin, at),
        JournalCommand::Export { path, filter } => {
            let text = export::to_file(analysis.lock().chronicle().journal(), &path, &filter);
            return remarks.answer(text);
        }
    }
    let mut knowledge = analysis.lock();
    let failed = replay.notes.keep(knowledge.chronicle().journal(), clock.now());
    failed.into_iter().for_each(|error| knowledge.complain(error.to_string()));
}

#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
pub(super) fn scene(In(command): In<SceneCommand>, remarks: Remarks) {
    let why = match command {
        SceneCommand::Reload => "this is a recording: its scene stays as it was",
        SceneCommand::EditLimit { .. } | SceneCommand::UndoEdit => {
            "this is a recording: the alarms of its scene stay as they were; edit them in the live session"
        }
    };
    remarks.answer(why.to_owned());
}

/// A replay has no publisher.
#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
pub(super) fn instruction(In(command): In<InstructionCommand>, remarks: Remarks) {
    match command {
        InstructionCommand::Prepare { .. }
        | InstructionCommand::Arm(_)
        | InstructionCommand::Send { .. }
        | InstructionCommand::Cancel { .. } => {
            remarks.answer("this is a recording: commands reach no equipment from here; give them live".to_owned());
        }
    }
}

#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
pub(super) fn fault(In(command): In<FaultCommand>, remarks: Remarks) {
    match command {
        FaultCommand::Inject { .. } | FaultCommand::Clear { .. } => {
            remarks.answer("this is a recording: faults act on live data and on simulated plants".to_owned());
        }
        // The key for it may be pressed anywhere, and here there is nothing to clear.
        FaultCommand::ClearAll => {}
    }
}

#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
pub(super) fn recording(In(command): In<RecordingCommand>, remarks: Remarks) {
    match command {
        RecordingCommand::Start { .. } | RecordingCommand::Stop | RecordingCommand::KeepPast => {
            remarks.answer("this is a recording: nothing is recorded here".to_owned());
        }
    }
}
