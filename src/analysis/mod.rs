//! From samples to knowledge, sample by sample, whoever watches: history, derived signals, alarms, events.
//!
//! In: batches from the sources' mailboxes, what operators do. Out: one [`Knowledge`], which frames read at the cursor.
//! Never touches network or disk itself (store and events file have threads of their own), knows no window.
//!
//! In a running session a [thread](worker) of its own does the work as data arrive, so that nothing depends on frames: a
//! hidden window may stop updating. A world without that thread (a test, an offscreen picture of a fixed moment) does the
//! same work in [`TwinSet::Receive`]. Both go through `Knowledge::drain` under one lock, so that it makes no difference.

mod chronicle;
mod derive;
mod feed;
mod hearing;
mod knowledge;
mod lives;
mod past;
mod receive;
mod show;
pub mod worker;

use std::sync::Arc;

use bevy::prelude::*;
use parking_lot::{Mutex, MutexGuard};

use crate::alarm::AlarmBoard;
use crate::event::{EventLog, RecordTroubles};
use crate::scene::Scene;
use crate::schedule::TwinSet;
use crate::value::Timestamp;

pub use chronicle::Chronicle;
pub use derive::DerivedPlan;
pub use feed::Feed;
pub(crate) use knowledge::Answer;
pub use knowledge::{Knowledge, Recall};
pub use receive::{ReceiveBudget, Touched};

/// The one owner of what is known: shared by the analysis thread and the frames, which hold it briefly.
#[derive(Resource, Clone, Debug)]
pub struct Analysis {
    shared: Arc<Mutex<Knowledge>>,
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
        Self { shared: Arc::new(Mutex::new(Knowledge::new(scene, generation, history_budget_bytes, now))) }
    }

    /// Waits for whoever holds it, some milliseconds at most.
    pub fn lock(&self) -> MutexGuard<'_, Knowledge> {
        self.shared.lock()
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
