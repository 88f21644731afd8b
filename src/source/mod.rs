//! Where samples come from: brokers, the embedded broker, the simulated plant. Each runs in threads of its own and
//! hands batches to a bounded mailbox; none of them knows the ECS.

pub mod broker;
mod clock;
pub mod mailbox;
pub mod mqtt;
pub mod plant;
mod report;
pub mod republish;
pub mod status;

use std::sync::Arc;

use bevy::prelude::*;

use crate::schedule::TwinSet;

pub use clock::Clock;
pub use mailbox::{Batch, Inbox, Mailbox, mailbox};
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
