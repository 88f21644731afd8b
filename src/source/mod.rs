//! Receives messages from brokers; runs the embedded broker and the simulated plant; joins the plant of a test to a
//! controller under test.
//!
//! In: brokers of the scene, binding tables. Out: batches of samples in bounded mailboxes, counters. Each source runs
//! in threads of its own. Never waits for the analysis or a frame, never knows the ECS.

pub mod against;
pub mod broker;
mod clock;
pub mod mailbox;
pub mod mqtt;
mod own;
pub mod plant;
mod report;
pub mod republish;
pub mod status;

use std::sync::Arc;

use bevy::prelude::*;

use crate::schedule::TwinSet;

pub use clock::Clock;
pub use mailbox::{Batch, BatchMessage, Inbox, Mailbox, mailbox};
pub use mqtt::{SourceError, SourceHandle};
pub use report::{SourceReport, Sources};
pub use status::{ConnectionState, SourceSnapshot, SourceStatus, TopicProblem};

/// Called by a source when something waits in its mailbox, so that an idle window wakes up. Cheap; called often.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Sources>()
        .init_resource::<Clock>()
        .init_resource::<SourceReport>()
        .add_systems(Update, report::report.in_set(TwinSet::Receive));
}
