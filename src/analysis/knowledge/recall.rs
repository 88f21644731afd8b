//! Takes recorded samples and events into history, derived signals and journal.
//!
//! In: samples and events of a stretch of a recording. Out: the same in [`Knowledge`]. Never judges an alarm and never
//! finds a birth or a flood: the recording holds these as events, with the moment at which each became known.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Knowledge;
use crate::alarm::KeptAlarms;
use crate::analysis::past::Opening;
use crate::event::Event;
use crate::history::{Forecast, History};
use crate::ingest::moments;
use crate::produce::{Made, ProducerFactory, ProducerState, Producers};
use crate::record::format::Keyframe;
use crate::scene::Scene;
use crate::scene::rule::AlarmPath;
use crate::value::{Sample, SignalIndex, Timestamp};

/// A stretch of a recording while it is read: what was known at its beginning, then message by message what followed,
/// in the order of arrival. Needs no lock: [`Knowledge::recall`] takes the result over.
#[derive(Debug)]
pub struct Recall {
    producers: Producers,
    history: History,
    /// Memory for the samples of one moment that a producer reads.
    moment: Vec<Sample>,
}

impl Recall {
    pub fn new(scene: &Arc<Scene>, make: &ProducerFactory, budget_bytes: u64) -> Self {
        let mut history = History::new(budget_bytes);
        history.resize(scene.signals.len());
        let (producers, _) = Producers::new(scene, make.make(scene));
        Self { producers, history, moment: Vec::new() }
    }

    /// What was known when the stretch began, derived signals included.
    pub fn know(&mut self, sample: &Sample) {
        self.history.append(sample);
    }

    /// What producers remembered when the stretch began. What cannot be read is said in sentences.
    pub fn remember(&mut self, states: &BTreeMap<String, ProducerState>) -> Vec<String> {
        self.producers.restore(states)
    }

    /// What producers remember now.
    pub fn producer_states(&self) -> BTreeMap<String, ProducerState> {
        self.producers.save()
    }

    /// The samples of one message, and what producers make of them, as [`Knowledge::learn`] does it; before it, what
    /// was due by then. Returns what producers have made.
    pub fn learn(&mut self, received: Timestamp, message: &[Sample]) -> Vec<Sample> {
        let mut made = self.pass_time(received);
        for moment in moments(message) {
            moment.iter().for_each(|sample| self.history.append(sample));
            self.moment.clear();
            self.moment.extend(moment.iter().filter(|sample| self.producers.reads(sample.signal)).cloned());
            let measured = self.moment.len();
            self.producers.conclude(&mut self.moment, &mut self.history);
            made.extend(self.moment.drain(measured..));
            self.forget_what_is_on_record();
        }
        made
    }

    /// Carries out deadlines at or before `to`. Returns the samples that producers made.
    pub fn pass_time(&mut self, to: Timestamp) -> Vec<Sample> {
        let mut made = Vec::new();
        while let Some(due) = self.producers.next_due().filter(|due| *due <= to) {
            made.extend(self.producers.elapse(due, &mut self.history));
            self.forget_what_is_on_record();
        }
        made
    }

    /// Forecasts and events of producers, and the answers to what they have had computed, are recorded.
    fn forget_what_is_on_record(&mut self) {
        self.producers.made = Made::default();
    }

    pub fn history(&self) -> &History {
        &self.history
    }
}

/// What a keyframe knew of the signals that the scene has.
pub(crate) fn samples_of<'k>(keyframe: &'k Keyframe, scene: &'k Scene) -> impl Iterator<Item = Sample> {
    keyframe.signals.iter().flat_map(move |(twin, signals)| {
        signals.iter().flat_map(move |(name, known)| {
            let signal = scene.signal(twin, name);
            known.iter().filter_map(move |known| Some(known.sample(signal?)))
        })
    })
}

impl Knowledge {
    /// From now on this is the knowledge of a recording: nothing is judged as time goes by, and operators' actions are
    /// refused.
    pub fn become_recorded(&mut self) {
        self.is_recorded = true;
    }

    /// Takes in a stretch of a recording: all that was received after `since` until some moment, and what was known
    /// then.
    pub fn recall(&mut self, stretch: &Recall, since: Timestamp) {
        self.history.merge(&stretch.history, since);
        self.samples += stretch.history.usage().samples;
        for signal in 0..self.scene.signals.len() as u32 {
            if stretch.history.newest(SignalIndex(signal)).is_some() {
                self.touch(SignalIndex(signal));
            }
        }
    }

    /// Takes in forecasts of a stretch of a recording.
    pub fn recall_forecasts(&mut self, forecasts: impl IntoIterator<Item = Arc<Forecast>>) {
        forecasts.into_iter().for_each(|forecast| self.forecasts.insert(forecast));
    }

    /// Lets go of all samples, to make room for another stretch.
    pub fn forget_samples(&mut self) {
        let budget = self.history.usage().budget_bytes;
        self.forecasts.clear();
        self.history = History::new(budget);
        self.history.resize(self.scene.signals.len());
        (0..self.scene.signals.len() as u32).for_each(|signal| self.touch(SignalIndex(signal)));
    }

    /// Takes over the events of a recording, in the order in which they became known.
    pub fn recall_events(&mut self, events: impl IntoIterator<Item = Arc<Event>>) {
        self.chronicle.recall(events, &self.scene);
    }

    /// How alarms stood at some moments, each before the events that became known after it.
    pub fn recall_alarms<'s>(&mut self, moments: impl IntoIterator<Item = (Timestamp, &'s KeptAlarms)>) {
        let places: HashMap<AlarmPath, _> =
            self.scene.alarms.iter().map(|rule| (AlarmPath::of_rule(rule, &self.scene), rule.index)).collect();
        let opening = |(at, snapshot): (Timestamp, &KeptAlarms)| {
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
