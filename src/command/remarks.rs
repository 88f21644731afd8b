//! Writes remarks of operators, and answers to them, into the journal. In: texts. Out: events of the journal, each with
//! its author. In a live session a remark is known from now on; in a recording, from the moment that it is about. A
//! remark made beyond now belongs to now. Never writes to disk: a live session's store and a replay's file of notes do.

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use super::Operator;
use crate::analysis::Analysis;
use crate::event::{Draft, Kind};
use crate::history::{Cursor, Extent, ViewTime};
use crate::scene::LoadedScene;
use crate::value::{Timestamp, TwinIndex};

/// Writes into the journal of a world.
#[derive(SystemParam)]
pub(crate) struct Remarks<'w> {
    analysis: Res<'w, Analysis>,
    loaded: Res<'w, LoadedScene>,
    operator: Res<'w, Operator>,
    cursor: Res<'w, Cursor>,
    extent: Res<'w, Extent>,
    time: Res<'w, ViewTime>,
}

impl Remarks<'_> {
    /// A remark of the operator on a moment; none is the shown one.
    pub fn write(&self, kind: Kind, twin: Option<TwinIndex>, at: Option<Timestamp>) {
        let at = at.unwrap_or_else(|| self.cursor.shown(self.time.now)).min(self.time.now);
        let known = if self.extent.is_recorded() { at } else { self.time.now };
        let twin = twin.and_then(|index| self.loaded.scene.twins.get(index.at())).map(|twin| twin.id.clone());
        self.record(Draft { twin, ..Draft::new(at, known, kind) }, "");
    }

    /// What came of a command, as a note.
    pub fn answer(&self, text: String) {
        tracing::info!("{text}");
        self.record(self.told(Kind::Note { text }), "");
    }

    /// What came of a command, for `reason`.
    pub fn tell(&self, kind: Kind, reason: &str) {
        self.record(self.told(kind), reason);
    }

    fn told(&self, kind: Kind) -> Draft {
        let at = if self.extent.is_recorded() { self.time.shown.min(self.time.now) } else { self.time.now };
        Draft::new(at, at, kind)
    }

    fn record(&self, draft: Draft, reason: &str) {
        self.analysis.lock().record(draft.by(self.operator.0.clone(), reason));
    }
}
