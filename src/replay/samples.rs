//! Messages of a recording as samples, one message after the other. In: a timeline, a scene, a stretch of time. Out: what
//! each message said, with what is derived from it, as in a live session; in order of receipt. Holds no more than derived
//! signals look back at.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::loader::{decode, samples_of};
use crate::analysis::{DerivedPlan, Recall};
use crate::ingest::BindingTable;
use crate::record::read::{RawMessage, ReadError, Timeline};
use crate::scene::Scene;
use crate::value::{Sample, Timestamp};

/// Derived signals look back at their inputs: this much of them is kept.
const LOOK_BACK_BYTES: u64 = 256 << 20;

pub(crate) struct Samples<'t> {
    messages: Box<dyn Iterator<Item = Result<RawMessage, ReadError>> + 't>,
    scene: Arc<Scene>,
    recall: Recall,
    /// By the broker that a message came from.
    tables: BTreeMap<Arc<str>, BindingTable>,
}

/// What one message said.
pub(crate) struct Received {
    pub at: Timestamp,
    /// Measured, then derived.
    pub samples: Vec<Sample>,
}

impl<'t> Samples<'t> {
    /// From the keyframe before `from` up to and including `to`, with what that keyframe knew. Whoever wants nothing from
    /// before `from` leaves it out: derived signals need it, and so does a first value.
    pub fn new(
        timeline: &'t Timeline,
        scene: Arc<Scene>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<(Vec<Sample>, Self), ReadError> {
        let mut recall = Recall::new(scene.clone(), Arc::new(DerivedPlan::new(&scene)), LOOK_BACK_BYTES);
        let keyframe = timeline.keyframe_at(from)?;
        let since = keyframe.as_ref().map_or(Timestamp::MIN, |keyframe| keyframe.time);
        let known: Vec<Sample> = keyframe.iter().flat_map(|keyframe| samples_of(keyframe, &scene)).collect();
        known.iter().for_each(|sample| recall.know(sample));
        let before = Timestamp(from.0.saturating_sub(1));
        let messages = Box::new(timeline.messages(since.min(before), to));
        Ok((known, Self { messages, scene, recall, tables: BTreeMap::new() }))
    }
}

impl Iterator for Samples<'_> {
    type Item = Result<Received, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let message = match self.messages.next()? {
            Ok(message) => message,
            Err(error) => return Some(Err(error)),
        };
        let mut samples = Vec::new();
        decode(&mut self.tables, &self.scene, &message, &mut samples);
        let derived = self.recall.learn(&samples);
        samples.extend(derived);
        Some(Ok(Received { at: message.log_time, samples }))
    }
}
