//! Messages of a recording as samples, for tables. In: a timeline, a scene, a stretch of time. Out: samples in order of
//! their receipt, each followed by what is derived from it.

use std::sync::Arc;

use crate::record::read::{ReadError, Timeline};
use crate::replay::Samples;
use crate::scene::Scene;
use crate::value::{Sample, Timestamp};

/// Gives the samples received from `from` to `to`, both included, until `take` answers false.
pub(super) fn each(
    timeline: &Timeline,
    scene: Arc<Scene>,
    (from, to): (Timestamp, Timestamp),
    mut take: impl FnMut(&Sample) -> bool,
) -> Result<(), ReadError> {
    let (_, messages) = Samples::new(timeline, scene, from, to)?;
    for message in messages {
        let message = message?;
        if message.at >= from && !message.samples.iter().all(&mut take) {
            return Ok(());
        }
    }
    Ok(())
}
