//! How far each signal was heard: the source time of its newest sample, across reloads and restarts.
//!
//! In: samples in the order of arrival, what an earlier run had heard. Out: whether a sample comes too late, because an
//! earlier run had heard a newer one of its signal: its moment was judged then. What this run has heard itself each alarm
//! knows better ([`Judgement::judged`](super::case::Judgement)).

use std::collections::HashMap;

use super::Values;
use super::case::TRUSTED_AHEAD;
use crate::history::Point;
use crate::scene::Scene;
use crate::value::{Sample, SignalIndex, Timestamp};

/// By signal.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    /// Source time of the newest sample.
    newest: Vec<Timestamp>,
    /// What an earlier run had heard; what is older has no say.
    floor: Vec<Timestamp>,
}

impl Heard {
    pub fn new(scene: &Scene) -> Self {
        let none = vec![Timestamp::MIN; scene.signals.len()];
        Self { newest: none.clone(), floor: none }
    }

    /// Takes a sample in. True if it is older than what an earlier run had heard of its signal.
    pub fn is_late(&mut self, sample: &Sample) -> bool {
        let at = sample.signal.at();
        let (Some(newest), Some(floor)) = (self.newest.get_mut(at), self.floor.get_mut(at)) else { return false };
        // A clock that jumped ahead and was set right must not make a signal mute until that day has come.
        let present = sample.receive_time + TRUSTED_AHEAD;
        if *newest > present && sample.source_time <= present {
            (*newest, *floor) = (Timestamp::MIN, Timestamp::MIN);
        }
        *newest = (*newest).max(sample.source_time);
        sample.source_time < *floor
    }

    /// None before the first sample.
    pub fn newest(&self, signal: SignalIndex) -> Option<Timestamp> {
        self.newest.get(signal.at()).copied().filter(|newest| *newest > Timestamp::MIN)
    }

    /// What an earlier run had heard. Signals that the scene does not have are given back.
    pub fn restore(&mut self, scene: &Scene, heard: impl IntoIterator<Item = (String, Timestamp)>) -> Vec<String> {
        let places: HashMap<String, usize> =
            scene.signals.iter().map(|signal| (scene.signal_path(signal.index), signal.index.at())).collect();
        let mut unknown = Vec::new();
        for (path, time) in heard {
            let at = places.get(&path).copied();
            match at.and_then(|at| Some((self.newest.get_mut(at)?, self.floor.get_mut(at)?))) {
                Some((newest, floor)) => (*newest, *floor) = (time.max(*newest), time.max(*floor)),
                None => unknown.push(path),
            }
        }
        unknown
    }

    /// The same for another scene: signals of the same path go on.
    pub fn adopt(&self, old: &Scene, new: &Scene) -> Self {
        let places = new.renumbering(old);
        let of = |times: &[Timestamp]| -> Vec<Timestamp> {
            let time = |old: &Option<SignalIndex>| old.and_then(|old| times.get(old.at()).copied());
            places.iter().map(|old| time(old).unwrap_or(Timestamp::MIN)).collect()
        };
        Self { newest: of(&self.newest), floor: of(&self.floor) }
    }

    /// `values` without those that an earlier run knew better: a late sample is in history, where rules over several
    /// signals would find it.
    pub fn among<'a, V: Values>(&'a self, values: &'a V) -> Valid<'a, V> {
        Valid { heard: self, values }
    }
}

pub(super) struct Valid<'a, V> {
    heard: &'a Heard,
    values: &'a V,
}

impl<V: Values> Values for Valid<'_, V> {
    fn latest_at(&self, signal: SignalIndex, at: Timestamp) -> Option<Point> {
        let floor = self.heard.floor.get(signal.at()).copied().unwrap_or(Timestamp::MIN);
        self.values.latest_at(signal, at).filter(|point| point.source_time >= floor)
    }
}
