//! Messages of a recording as samples. In: a timeline, a scene, a stretch of time. Out: samples in order of their receipt,
//! each followed by what is derived from it, as in a live session.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::analysis::{DerivedPlan, Recall};
use crate::ingest::Message;
use crate::record::read::{ReadError, Timeline};
use crate::replay::{samples_of, table_of};
use crate::scene::Scene;
use crate::twin::{Sample, Timestamp};

/// Derived signals look back at their inputs: this much of them is kept.
const LOOK_BACK_BYTES: u64 = 256 << 20;

/// Gives the samples received from `from` to `to`, both included, until `take` answers false. What was known at the
/// keyframe before is where derived signals begin.
pub(super) fn each(
    timeline: &Timeline,
    scene: Arc<Scene>,
    (from, to): (Timestamp, Timestamp),
    mut take: impl FnMut(&Sample) -> bool,
) -> Result<(), ReadError> {
    let mut recall = Recall::new(scene.clone(), Arc::new(DerivedPlan::new(&scene)), LOOK_BACK_BYTES);
    let keyframe = timeline.keyframe_at(from)?;
    let known = keyframe.as_ref().map_or(Timestamp::MIN, |keyframe| keyframe.time);
    keyframe.iter().flat_map(|keyframe| samples_of(keyframe, &scene)).for_each(|sample| recall.know(&sample));
    let mut tables = BTreeMap::new();
    let mut samples = Vec::new();
    for message in timeline.messages(known.min(Timestamp(from.0.saturating_sub(1))), to) {
        let message = message?;
        samples.clear();
        table_of(&mut tables, &scene, &message.broker).decode(
            &Message {
                topic: &message.topic,
                payload: &message.payload,
                retained: message.retained,
                qos: message.qos,
                receive_time: message.log_time,
            },
            &mut samples,
        );
        let derived = recall.learn(&samples);
        if message.log_time >= from {
            let mut all = samples.iter().chain(&derived);
            let taken = all.try_for_each(|sample| match take(sample) {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            });
            if taken.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}
