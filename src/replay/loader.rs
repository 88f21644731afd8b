//! From a stretch of a recording to samples. In: a keyframe and the messages after it. Out: [`Stretch`]es, to be taken
//! over by the [analysis](crate::analysis). Reads the recording; knows no lock and no cursor.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::analysis::{DerivedPlan, Recall};
use crate::ingest::{BindingTable, Message};
use crate::record::format::Keyframe;
use crate::record::read::{RawMessage, ReadError, Timeline};
use crate::scene::Scene;
use crate::value::{Sample, Timestamp};

/// Decodes as the live session did.
pub(super) struct Loader {
    timeline: Arc<Timeline>,
    scene: Arc<Scene>,
    plan: Arc<DerivedPlan>,
    /// By the broker that a message came from.
    tables: BTreeMap<Arc<str>, BindingTable>,
}

/// What was known at a moment, and all that was received after it until some other moment.
pub(super) struct Stretch {
    pub recall: Recall,
    pub since: Timestamp,
    /// Why it ends before it should.
    pub error: Option<ReadError>,
}

impl Loader {
    pub fn new(timeline: Arc<Timeline>, scene: Arc<Scene>) -> Self {
        let plan = Arc::new(DerivedPlan::new(&scene));
        Self { timeline, scene, plan, tables: BTreeMap::new() }
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
            decode(&mut self.tables, &self.scene, &message, &mut samples);
            stretch.recall.learn(&samples);
        }
        stretch
    }

    /// Only what was known at the keyframe at `from`.
    pub fn keyframe(&self, from: Option<Timestamp>, budget_bytes: u64) -> Stretch {
        let mut recall = Recall::new(self.scene.clone(), self.plan.clone(), budget_bytes);
        // Where one cannot be read, an earlier one stands in.
        let (keyframe, error) = match from.map(|from| self.timeline.keyframe_at(from)) {
            None | Some(Ok(None)) => (None, None),
            Some(Ok(keyframe)) => (keyframe, None),
            Some(Err(error)) => (None, Some(error)),
        };
        let since = keyframe.as_ref().map_or(Timestamp::MIN, |keyframe| keyframe.time);
        if let Some(keyframe) = &keyframe {
            samples_of(keyframe, &self.scene).for_each(|sample| recall.know(&sample));
        }
        Stretch { recall, since, error }
    }
}

/// What a message says, read as the live session read it.
pub(super) fn decode(
    tables: &mut BTreeMap<Arc<str>, BindingTable>,
    scene: &Scene,
    message: &RawMessage,
    samples: &mut Vec<Sample>,
) {
    table_of(tables, scene, &message.broker).decode(
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

/// Of the signals that the scene has.
pub(super) fn samples_of<'k>(keyframe: &'k Keyframe, scene: &'k Scene) -> impl Iterator<Item = Sample> {
    keyframe.signals.iter().flat_map(move |(twin, signals)| {
        signals.iter().flat_map(move |(name, known)| {
            let index = scene.signal(twin, name).map(|signal| signal.index);
            known.iter().filter_map(move |known| {
                Some(Sample {
                    signal: index?,
                    source_time: known.source_time,
                    receive_time: known.receive_time,
                    value: known.value.clone(),
                    quality: known.quality,
                })
            })
        })
    })
}

/// How messages of a broker are read. Those of a file that names none are read as those of the scene's first.
pub(super) fn table_of<'t>(
    tables: &'t mut BTreeMap<Arc<str>, BindingTable>,
    scene: &Scene,
    broker: &Arc<str>,
) -> &'t BindingTable {
    tables.entry(broker.clone()).or_insert_with(|| {
        let first = scene.brokers.keys().next().map_or("", String::as_str);
        BindingTable::new(scene, if broker.is_empty() { first } else { broker }, 1)
    })
}
