//! Turns samples into knowledge: history, derived signals, alarms, events.
//!
//! In: batches from the sources' mailboxes, deeds of operators, time. Out: one [`Knowledge`], which frames read at the
//! cursor. Never touches network or disk itself (store and events file have threads of their own), never waits for a
//! frame.
//!
//! In a running session a [thread](worker) of its own does the work as data arrive, so that nothing depends on frames:
//! a hidden window may stop updating. A world without that thread (a test, an offscreen picture of a fixed moment) does
//! the same work in [`TwinSet::Receive`]. Both go through `Knowledge::drain` under one lock, so that it makes no
//! difference.

mod chronicle;
mod digest;
mod feed;
mod guard;
mod hearing;
mod jobs;
mod knowledge;
mod lives;
mod overlay;
mod past;
mod receive;
mod show;
pub mod worker;

use std::sync::Arc;

use bevy::prelude::*;
use parking_lot::Mutex;

use crate::alarm::AlarmBoard;
use crate::event::{EventLog, RecordTroubles};
use crate::produce::ProducerFactory;
use crate::scene::Scene;
use crate::schedule::TwinSet;
use crate::value::Timestamp;

pub use chronicle::Chronicle;
pub use feed::Feed;
pub use guard::{Held, HeldTime, KnowledgeGuard};
pub(crate) use knowledge::{Answer, samples_of};
pub use knowledge::{Knowledge, Recall};
pub use overlay::{Laid, OverlayView};
pub use receive::{ReceiveBudget, Touched};

/// The one owner of the knowledge: shared by the analysis thread and the frames, which hold it briefly.
#[derive(Resource, Clone, Debug)]
pub struct Analysis {
    shared: Arc<Mutex<Knowledge>>,
    /// Adds up how long it is held; none unless somebody measures that.
    held: Option<HeldTime>,
}

/// Memory for history where nobody has said otherwise.
const DEFAULT_BUDGET_BYTES: u64 = 1 << 30;

impl Default for Analysis {
    /// Of an empty scene.
    fn default() -> Self {
        Self::new(Arc::default(), 0, DEFAULT_BUDGET_BYTES, Timestamp::MIN)
    }
}

impl Analysis {
    /// Of a scene whose binding tables carry `generation`; watches from `now` on.
    pub fn new(scene: Arc<Scene>, generation: u32, history_budget_bytes: u64, now: Timestamp) -> Self {
        Self::with(scene, generation, history_budget_bytes, now, ProducerFactory::default())
    }

    /// The same, with other producers than those that scenes ask for.
    pub fn with(
        scene: Arc<Scene>,
        generation: u32,
        history_budget_bytes: u64,
        now: Timestamp,
        producers: ProducerFactory,
    ) -> Self {
        Self::of(Knowledge::new(scene, generation, history_budget_bytes, now, producers))
    }

    /// Of knowledge that there is.
    fn of(knowledge: Knowledge) -> Self {
        Self { shared: Arc::new(Mutex::new(knowledge)), held: None }
    }

    /// The same knowledge; how long this one and its clones hold the lock adds up.
    pub fn measured(&self) -> (Self, HeldTime) {
        let held = HeldTime::default();
        (Self { shared: self.shared.clone(), held: Some(held.clone()) }, held)
    }

    /// Waits for those who hold it, some milliseconds at most.
    pub fn lock(&self) -> KnowledgeGuard<'_> {
        KnowledgeGuard::new(self.shared.lock(), self.held.as_ref())
    }
}

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Analysis>()
        .init_resource::<ReceiveBudget>()
        .init_resource::<Touched>()
        .init_resource::<AlarmBoard>()
        .init_resource::<EventLog>()
        .init_resource::<RecordTroubles>()
        .add_systems(Update, (receive::receive, show::show).chain().in_set(TwinSet::Receive));
}
