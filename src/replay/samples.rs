//! Decodes messages of a recording, one after the other. In: a timeline, a scene, a stretch of time. Out: the samples
//! of each message and those of producers, as in a live session; in order of receipt. Never holds more than producers
//! look back at.

use std::sync::Arc;

use super::loader::decode;
use crate::analysis::{Recall, samples_of};
use crate::ingest::Tables;
use crate::produce::ProducerFactory;
use crate::record::read::{RawMessage, ReadError, Timeline};
use crate::scene::Scene;
use crate::value::{Sample, Timestamp};

/// Derived signals look back at their inputs: this much of them is kept.
const LOOK_BACK_BYTES: u64 = 256 << 20;

pub(crate) struct Samples<'t> {
    messages: Box<dyn Iterator<Item = Result<RawMessage, ReadError>> + 't>,
    recall: Recall,
    /// Time does not pass beyond it.
    end: Timestamp,
    tables: Tables,
}

/// The samples of one message.
pub(crate) struct Received {
    pub at: Timestamp,
    /// Samples of deadlines before the message, of the message itself, and of signals derived from it.
    pub samples: Vec<Sample>,
}

impl<'t> Samples<'t> {
    /// From the keyframe before `from` up to and including `to`, with the samples of that keyframe. They come along,
    /// though from before `from`, since derived signals need them, and so does a first value; a caller may pass over
    /// them.
    pub fn new(
        timeline: &'t Timeline,
        scene: Arc<Scene>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<(Vec<Sample>, Self), ReadError> {
        let mut recall = Recall::new(&scene, &ProducerFactory::default(), LOOK_BACK_BYTES);
        let keyframe = timeline.keyframe_at(from)?;
        let since = keyframe.as_ref().map_or(Timestamp::MIN, |keyframe| keyframe.time);
        let known: Vec<Sample> = keyframe.iter().flat_map(|keyframe| samples_of(keyframe, &scene)).collect();
        known.iter().for_each(|sample| recall.know(sample));
        let before = Timestamp(from.0.saturating_sub(1));
        let messages = Box::new(timeline.messages(since.min(before), to));
        let end = timeline.bounds().map_or(to, |(_, end)| end.min(to));
        Ok((known, Self { messages, recall, end, tables: Tables::new(scene, 1) }))
    }
}

impl Iterator for Samples<'_> {
    type Item = Result<Received, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let message = match self.messages.next() {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Some(Err(error)),
            None => {
                let samples = self.recall.pass_time(self.end);
                return (!samples.is_empty()).then_some(Ok(Received { at: self.end, samples }));
            }
        };
        let mut said = Vec::new();
        decode(&mut self.tables, &message, &mut said);
        let mut samples = self.recall.pass_time(message.log_time);
        let derived = self.recall.learn(message.log_time, &said);
        samples.extend(said.into_iter().chain(derived));
        Some(Ok(Received { at: message.log_time, samples }))
    }
}
