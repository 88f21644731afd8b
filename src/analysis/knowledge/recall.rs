//! Recorded samples and events taken in as they are: history and derived signals, the journal, and nothing else.
//!
//! In: what a recording holds of a stretch of time. Out: the same in [`Knowledge`]. Judges no alarm, finds no birth and
//! no flood: whatever came of these samples is on record, with the moment at which it became known.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Knowledge, derive};
use crate::alarm::Snapshot;
use crate::analysis::derive::DerivedPlan;
use crate::analysis::past::Opening;
use crate::event::Event;
use crate::history::History;
use crate::scene::Scene;
use crate::scene::rule::AlarmPath;
use crate::value::{Sample, SignalIndex, Timestamp};

/// A stretch of a recording while it is read: what was known at its beginning, then message by message what followed, in
/// the order of arrival. Needs no lock: [`Knowledge::recall`] takes the result over.
#[derive(Debug)]
pub struct Recall {
    scene: Arc<Scene>,
    plan: Arc<DerivedPlan>,
    history: History,
}

impl Recall {
    pub fn new(scene: Arc<Scene>, plan: Arc<DerivedPlan>, budget_bytes: u64) -> Self {
        let mut history = History::new(budget_bytes);
        history.resize(scene.signals.len());
        Self { scene, plan, history }
    }

    /// What was known when the stretch began, derived signals included.
    pub fn know(&mut self, sample: &Sample) {
        self.history.append(sample);
    }

    /// The samples of one message, and what is derived from them, as [`Knowledge::learn`] does it. Returns the derived.
    pub fn learn(&mut self, samples: &[Sample]) -> Vec<Sample> {
        let mut derived = Vec::new();
        for moment in samples.chunk_by(|a, b| a.source_time == b.source_time) {
            moment.iter().for_each(|sample| self.history.append(sample));
            let asked_for = moment.iter().filter(|sample| self.plan.is_asked_for(sample.signal));
            derived.extend(derive::conclude(&self.scene, &self.plan, &mut self.history, asked_for));
        }
        derived
    }

    pub fn history(&self) -> &History {
        &self.history
    }
}

impl Knowledge {
    /// From now on this is the knowledge of a recording: nothing is judged as time goes by, and operators' actions are
    /// refused.
    pub fn become_recorded(&mut self) {
        self.is_recorded = true;
    }

    /// Takes in a stretch of a recording: all that was received after `since` until some moment, and what was known then.
    pub fn recall(&mut self, stretch: &Recall, since: Timestamp) {
        self.history.merge(&stretch.history, since);
        self.samples += stretch.history.usage().samples;
        for signal in 0..self.scene.signals.len() as u32 {
            if stretch.history.newest(SignalIndex(signal)).is_some() {
                self.touch(SignalIndex(signal));
            }
        }
    }

    /// Lets go of all samples, to make room for another stretch.
    pub fn forget_samples(&mut self) {
        let budget = self.history.usage().budget_bytes;
        self.history = History::new(budget);
        self.history.resize(self.scene.signals.len());
        (0..self.scene.signals.len() as u32).for_each(|signal| self.touch(SignalIndex(signal)));
    }

    /// Takes over the events of a recording, in the order in which they became known.
    pub fn recall_events(&mut self, events: impl IntoIterator<Item = Arc<Event>>) {
        self.chronicle.recall(events, &self.scene);
    }

    /// How alarms stood at some moments, each before the events that became known after it.
    pub fn recall_alarms<'s>(&mut self, moments: impl IntoIterator<Item = (Timestamp, &'s Snapshot)>) {
        let places: HashMap<AlarmPath, _> =
            self.scene.alarms.iter().map(|rule| (AlarmPath::of_rule(rule, &self.scene), rule.index)).collect();
        let opening = |(at, snapshot): (Timestamp, &Snapshot)| {
            let known = snapshot.alarms.iter().filter_map(|kept| Some((*places.get(&kept.path)?, kept.alarm.clone())));
            Opening { at, alarms: known.collect::<BTreeMap<_, _>>() }
        };
        let openings = moments.into_iter().map(opening).collect();
        self.chronicle.open_with(openings);
    }

    /// Something that people should know, in a sentence.
    pub fn complain(&mut self, what: String) {
        self.chronicle.complain(what);
    }
}
