//! The journal of a live session. In: [`JournalCommand`]s. Out: remarks in the journal, which the store keeps; files of
//! events, and a note that says where they are.

use bevy::prelude::*;

use crate::analysis::Analysis;
use crate::command::{JournalCommand, Remarks};
use crate::event::{Kind, export};

#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
pub(super) fn journal(In(command): In<JournalCommand>, analysis: Res<Analysis>, remarks: Remarks) {
    match command {
        JournalCommand::Note { text, twin, at } => remarks.write(Kind::Note { text }, twin, at),
        JournalCommand::Bookmark { text, twin, at } => remarks.write(Kind::Bookmark { text }, twin, at),
        JournalCommand::Export { path, filter } => {
            let text = export::to_file(analysis.lock().chronicle().journal(), &path, &filter);
            remarks.answer(text);
        }
    }
}
