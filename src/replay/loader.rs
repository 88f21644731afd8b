//! Turns a stretch of a recording into samples. In: a keyframe and the messages after it. Out: [`Stretch`]es, which the
//! [analysis](crate::analysis) takes over. Reads the recording; knows no lock and no cursor.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::analysis::{Recall, samples_of};
use crate::history::Forecast;
use crate::ingest::{Message, Tables};
use crate::produce::{ProducerFactory, ProducerState};
use crate::record::RecordedForecast;
use crate::record::format::Keyframe;
use crate::record::read::{RawMessage, ReadError, Timeline};
use crate::scene::Scene;
use crate::value::{Sample, Timestamp};

/// While the memory of producers is worked out, this much is kept of what they look back at.
const LOOK_BACK_BYTES: u64 = 64 << 20;

/// Decodes as the live session did.
pub(super) struct Loader {
    timeline: Arc<Timeline>,
    scene: Arc<Scene>,
    make: ProducerFactory,
    /// Of the recording: time does not pass beyond it.
    end: Timestamp,
    tables: Tables,
}

/// What was known at a moment, and all that was received after it until some other moment.
pub(super) struct Stretch {
    pub recall: Recall,
    pub since: Timestamp,
    /// Those that showed at its beginning, and those that were issued in it.
    pub forecasts: Vec<Arc<Forecast>>,
    /// Why it ends before it should.
    pub error: Option<ReadError>,
}

impl Loader {
    pub fn new(timeline: Arc<Timeline>, scene: Arc<Scene>, make: ProducerFactory) -> Self {
        let end = timeline.bounds().map_or(Timestamp::MIN, |(_, end)| end);
        let tables = Tables::new(scene.clone(), 1);
        Self { timeline, scene, make, end, tables }
    }

    /// The stretch from the keyframe at `from` (none: from the beginning) up to and including `until`, in at most
    /// `budget_bytes`: beyond that the oldest samples are left out, but the newest of each signal stays.
    pub fn stretch(&mut self, from: Option<Timestamp>, until: Timestamp, budget_bytes: u64) -> Stretch {
        let mut stretch = self.keyframe(from, budget_bytes);
        if stretch.error.is_some() {
            return stretch;
        }
        let timeline = self.timeline.clone();
        let mut samples = Vec::new();
        for message in timeline.messages(stretch.since, until) {
            let message = match message {
                Ok(message) => message,
                Err(error) => {
                    stretch.error = Some(error);
                    break;
                }
            };
            samples.clear();
            decode(&mut self.tables, &message, &mut samples);
            stretch.recall.learn(message.log_time, &samples);
        }
        stretch.recall.pass_time(until.min(self.end));
        match timeline.forecasts_between(stretch.since, until) {
            Ok(issued) => stretch.forecasts.extend(self.named(issued)),
            Err(error) => stretch.error = Some(error),
        }
        stretch
    }

    /// Only what was known at the keyframe at `from`.
    pub fn keyframe(&mut self, from: Option<Timestamp>, budget_bytes: u64) -> Stretch {
        let mut recall = Recall::new(&self.scene, &self.make, budget_bytes);
        // Where one cannot be read, an earlier one stands in.
        let (keyframe, error) = match from.map(|from| self.timeline.keyframe_at(from)) {
            None | Some(Ok(None)) => (None, None),
            Some(Ok(keyframe)) => (keyframe, None),
            Some(Err(error)) => (None, Some(error)),
        };
        let since = keyframe.as_ref().map_or(Timestamp::MIN, |keyframe| keyframe.time);
        let mut forecasts = Vec::new();
        let mut error = error;
        if let Some(keyframe) = &keyframe {
            samples_of(keyframe, &self.scene).for_each(|sample| recall.know(&sample));
            match self.memory_at(keyframe) {
                Ok(memory) => {
                    for text in recall.remember(&memory) {
                        tracing::warn!("{text}");
                    }
                }
                Err(unreadable) => error = Some(unreadable),
            }
            match self.timeline.forecasts_at(since) {
                Ok(known) => forecasts = known,
                Err(unreadable) => error = Some(unreadable),
            }
        }
        let forecasts = self.named(forecasts);
        Stretch { recall, since, forecasts, error }
    }

    /// What producers remembered at a keyframe. Where it leaves some of it out, that is worked out from the nearest one
    /// before that has all.
    fn memory_at(&mut self, keyframe: &Keyframe) -> Result<BTreeMap<String, ProducerState>, ReadError> {
        let full = match keyframe.is_full() {
            true => None,
            false => self.timeline.full_keyframe_at(keyframe.time)?,
        };
        let Some(full) = full else { return Ok(keyframe.producers.clone()) };
        let mut recall = Recall::new(&self.scene, &self.make, LOOK_BACK_BYTES);
        samples_of(&full, &self.scene).for_each(|sample| recall.know(&sample));
        recall.remember(&full.producers);
        let timeline = self.timeline.clone();
        let mut samples = Vec::new();
        for message in timeline.messages(full.time, keyframe.time) {
            let message = message?;
            samples.clear();
            decode(&mut self.tables, &message, &mut samples);
            recall.learn(message.log_time, &samples);
        }
        recall.pass_time(keyframe.time);
        Ok(recall.producer_states())
    }

    /// Forecasts of the signals that the scene has.
    fn named(&self, recorded: Vec<RecordedForecast>) -> Vec<Arc<Forecast>> {
        recorded.iter().filter_map(|forecast| forecast.forecast(&self.scene)?.ok()).map(Arc::new).collect()
    }
}

/// What a message says, read as the live session read it; or what a costly producer has said.
pub(super) fn decode(tables: &mut Tables, message: &RawMessage, samples: &mut Vec<Sample>) {
    if let Some(produced) = message.produced() {
        samples.extend(produced.samples(tables.scene()));
        return;
    }
    if !message.is_readable() {
        return;
    }
    tables.of(&message.broker).decode(
        &Message {
            topic: &message.topic,
            payload: &message.payload,
            retained: message.retained,
            qos: message.qos,
            receive_time: message.log_time,
        },
        samples,
    );
}
