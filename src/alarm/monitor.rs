//! All that is watched over the alarms as a whole. In: changes with their rules and flags, and the time. Out: floods
//! and chattering as they begin and end; first-up and the measures of ISA-18.2 when asked. Pure.

use super::{
    Alarm, Annunciation, Change, ChatterChange, ChatterWatch, FirstUp, Flags, FloodChange, FloodWatch, Performance,
    Statistics,
};
use crate::scene::rule::{AlarmIndex, Rule};
use crate::value::Timestamp;

#[derive(Clone, Debug)]
pub struct Monitor {
    flood: FloodWatch,
    chattering: ChatterWatch,
    first_up: FirstUp,
    statistics: Statistics,
}

/// What was found out: each of these is an event.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Findings {
    pub floods: Vec<FloodChange>,
    pub chattering: Vec<ChatterChange>,
}

impl Monitor {
    /// Counting begins at `since`.
    pub fn new(since: Timestamp) -> Self {
        Self {
            flood: FloodWatch::default(),
            chattering: ChatterWatch::default(),
            first_up: FirstUp::default(),
            statistics: Statistics::new(since),
        }
    }

    /// Takes one change of the alarm that `rule` describes, with the alarm's flags after it, in the order of changes.
    pub fn observe(&mut self, change: &Change, rule: &Rule, flags: &Flags) -> Findings {
        self.first_up.observe(change, rule, flags);
        let mut findings = Findings::default();
        if let Some(annunciation) = Annunciation::of(change, flags) {
            findings.floods = self.flood.observe(annunciation).collect();
            findings.chattering = self.chattering.observe(annunciation);
            self.statistics.observe(annunciation, rule.priority);
        }
        findings.floods.iter().for_each(|change| self.statistics.observe_flood(change));
        findings
    }

    /// Takes a change of an earlier run, whose findings are on record already. Statistics are of the time that is watched
    /// from now on.
    pub fn relive(&mut self, change: &Change, rule: &Rule, flags: &Flags) {
        self.first_up.observe(change, rule, flags);
        if let Some(annunciation) = Annunciation::of(change, flags) {
            self.flood.observe(annunciation).for_each(drop);
            self.chattering.observe(annunciation);
        }
    }

    /// Says what is over at `now`, the wall clock.
    pub fn elapse(&mut self, now: Timestamp) -> Findings {
        let findings =
            Findings { floods: Vec::from_iter(self.flood.elapse(now)), chattering: self.chattering.elapse(now) };
        findings.floods.iter().for_each(|change| self.statistics.observe_flood(change));
        findings
    }

    /// When [`Monitor::elapse`] finds something next, if nothing is observed meanwhile.
    pub fn next_end(&self) -> Option<Timestamp> {
        self.flood.next_end().into_iter().chain(self.chattering.next_end()).min()
    }

    pub fn flood(&self) -> &FloodWatch {
        &self.flood
    }

    pub fn chattering(&self) -> &ChatterWatch {
        &self.chattering
    }

    pub fn first_up(&self) -> &FirstUp {
        &self.first_up
    }

    /// Whether this alarm came first, in the flood that goes on or in its group.
    pub fn is_first_up(&self, rule: &Rule) -> bool {
        let in_flood = self.flood.flood().and_then(|flood| flood.first) == Some(rule.index);
        in_flood || self.first_up.is_first(rule)
    }

    /// `alarms` are the present states, by index.
    pub fn performance(&self, now: Timestamp, alarms: &[Alarm]) -> Performance {
        self.statistics.report(now, alarms, self.chattering.chattering())
    }

    /// Gives alarms their indices in a new scene: `new` says none for those that are gone.
    pub fn remap(&mut self, new: impl Fn(AlarmIndex) -> Option<AlarmIndex>) {
        self.flood.remap(&new);
        self.chattering.remap(&new);
        self.first_up.remap(&new);
        self.statistics.remap(&new);
    }
}
