//! All producers of a world, called in a fixed order. In: moments, happenings, the time. Out: the samples that they
//! add, in one order. Never owns a history.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{Derived, Happening, Made, Moment, Outlet, Producer, ProducerState};
use crate::history::History;
use crate::ingest::moments;
use crate::scene::{Scene, SignalSource};
use crate::value::{Sample, SignalIndex, Timestamp};

/// Passes over the producers within one moment; more can only come of two that answer each other for ever.
const MOST_PASSES: usize = 16;

type MakeList = dyn Fn(&Arc<Scene>) -> Vec<Box<dyn Producer>> + Send + Sync;

/// Makes the producers of a scene, anew for each world and after each reload.
#[derive(Clone)]
pub struct ProducerFactory(Arc<MakeList>);

impl ProducerFactory {
    pub fn new(make: impl Fn(&Arc<Scene>) -> Vec<Box<dyn Producer>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    pub fn make(&self, scene: &Arc<Scene>) -> Vec<Box<dyn Producer>> {
        (self.0)(scene)
    }
}

impl Default for ProducerFactory {
    /// Those that scenes ask for.
    fn default() -> Self {
        Self::new(|scene| vec![Box::new(Derived::new(scene.clone()))])
    }
}

impl fmt::Debug for ProducerFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProducerFactory").finish_non_exhaustive()
    }
}

/// A signal that two would write.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Conflict {
    /// `P-101.flow`
    pub signal: String,
    pub writers: (String, String),
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signal, writers: (first, second) } = self;
        write!(
            f,
            "{signal}: both {first} and {second} write it; {second} is left out: give one of them a signal of its own"
        )
    }
}

#[derive(Debug, Default)]
pub struct Producers {
    list: Vec<Box<dyn Producer>>,
    /// By signal: some producer reads it.
    reads: Vec<bool>,
    /// By producer and signal.
    reads_of: Vec<Vec<bool>>,
    /// The earliest moment that a producer asks for.
    due: Option<Timestamp>,
    /// Memory for what a producer has not seen yet.
    new: Vec<Sample>,
    /// Memory for how much of a moment each has seen.
    seen: Vec<usize>,
    pub made: Made,
}

impl Producers {
    /// A producer that would write what the plant or another writes is left out, and named.
    pub fn new(scene: &Scene, list: Vec<Box<dyn Producer>>) -> (Self, Vec<Conflict>) {
        let mut writers: BTreeMap<SignalIndex, String> = BTreeMap::new();
        for signal in &scene.signals {
            if let SignalSource::Mqtt(binding) = &signal.source {
                writers.insert(signal.index, format!("the topic {}", binding.topic));
            }
        }
        let (mut kept, mut conflicts) = (Vec::new(), Vec::new());
        for producer in list {
            let writes = producer.writes();
            let before = conflicts.len();
            conflicts.extend(writes.iter().filter_map(|signal| {
                let writers = (writers.get(signal)?.clone(), producer.name().to_owned());
                Some(Conflict { signal: scene.signal_path(*signal), writers })
            }));
            if conflicts.len() == before {
                writers.extend(writes.into_iter().map(|signal| (signal, producer.name().to_owned())));
                kept.push(producer);
            }
        }
        let signals = || scene.signals.iter().map(|signal| signal.index);
        let reads_of: Vec<Vec<bool>> =
            kept.iter().map(|producer| signals().map(|signal| producer.reads(signal)).collect()).collect();
        let reads =
            signals().map(|signal| reads_of.iter().any(|reads| reads.get(signal.at()) == Some(&true))).collect();
        let due = kept.iter().filter_map(|producer| producer.next_due()).min();
        (Self { list: kept, reads, reads_of, due, ..Self::default() }, conflicts)
    }

    /// Whether any producer wants moments in which `signal` has a sample.
    pub fn reads(&self, signal: SignalIndex) -> bool {
        self.reads.get(signal.at()) == Some(&true)
    }

    /// When [`Producers::elapse`] has something to do next.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due
    }

    /// Adds to `moment`, whose samples are in `history`, all that follows from them, and to `history` as well.
    pub fn conclude(&mut self, moment: &mut Vec<Sample>, history: &mut History) {
        if !moment.iter().any(|sample| self.reads(sample.signal)) {
            return;
        }
        let mut seen = std::mem::take(&mut self.seen);
        seen.clear();
        seen.resize(self.list.len(), 0);
        self.settle(&mut seen, moment, history);
        self.seen = seen;
    }

    /// Something has happened: all that follows from it.
    pub fn happened(&mut self, happening: &Happening, at: Timestamp, history: &mut History) -> Vec<Sample> {
        let mut added = Vec::new();
        for number in 0..self.list.len() {
            let Self { list, made, .. } = self;
            let (mut says, mut seen) = (Vec::new(), vec![0; list.len()]);
            if let (Some(producer), Some(seen)) = (list.get_mut(number), seen.get_mut(number)) {
                producer.happened(happening, at, &mut Outlet::new(history, &mut says, made));
                *seen = says.len();
            }
            self.settle(&mut seen, &mut says, history);
            added.append(&mut says);
        }
        added
    }

    /// Carries out the first deadline, at `due`, and everything that follows from it.
    pub fn elapse(&mut self, due: Timestamp, history: &mut History) -> Vec<Sample> {
        let Self { list, made, .. } = self;
        let mut added = Vec::new();
        let mut seen = vec![0; list.len()];
        let first =
            list.iter_mut().zip(&mut seen).find(|(producer, _)| producer.next_due().is_some_and(|at| at <= due));
        if let Some((producer, seen)) = first {
            producer.elapse(due, &mut Outlet::new(history, &mut added, made));
            *seen = added.len();
        }
        self.settle(&mut seen, &mut added, history);
        added
    }

    /// Lets each producer see the samples after those that it has `seen`, until none adds anything.
    fn settle(&mut self, seen: &mut [usize], moment: &mut Vec<Sample>, history: &mut History) {
        let Self { list, reads_of, new, made, .. } = self;
        for _ in 0..MOST_PASSES {
            let mut is_settled = true;
            for ((producer, reads), seen) in list.iter_mut().zip(&*reads_of).zip(seen.iter_mut()) {
                let is_wanted = |sample: &&Sample| reads.get(sample.signal.at()) == Some(&true);
                new.clear();
                new.extend(moment.get(*seen..).unwrap_or_default().iter().filter(is_wanted).cloned());
                let before = moment.len();
                for together in moments(new) {
                    let Some(first) = together.first() else { continue };
                    let (source_time, receive_time) = (first.source_time, first.receive_time);
                    let of = Moment { source_time, receive_time, samples: together };
                    producer.conclude(&of, &mut Outlet::new(history, moment, made));
                }
                *seen = moment.len();
                is_settled &= moment.len() == before;
            }
            if is_settled {
                break;
            }
        }
        self.due = self.list.iter().filter_map(|producer| producer.next_due()).min();
    }

    /// The memory of all of them.
    pub fn save(&self) -> BTreeMap<String, ProducerState> {
        let mut states = BTreeMap::new();
        self.list.iter().for_each(|producer| producer.save(&mut states));
        states
    }

    /// Takes up what [`Producers::save`] wrote. What cannot be read begins as new, and is said in sentences.
    pub fn restore(&mut self, states: &BTreeMap<String, ProducerState>) -> Vec<String> {
        let told = self.list.iter_mut().flat_map(|producer| producer.restore(states)).collect();
        self.due = self.list.iter().filter_map(|producer| producer.next_due()).min();
        told
    }
}
