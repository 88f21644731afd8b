//! Floods: more alarms than an operator can take in. In: annunciations in receive order, and the time. Out: where a
//! flood begins and ends, and which alarm came first in it. Pure; its memory is eleven annunciations.
//!
//! A flood begins with more than 10 annunciated alarms within 10 minutes and ends when there are fewer than 5 within 10
//! minutes (ISA-18.2-2016, clause 16.5; EEMUA publication 191). The 10 minutes are those before each moment, not fixed
//! intervals: a flood that lies across the border of two intervals is found, too.

use std::collections::VecDeque;
use std::time::Duration;

use super::Annunciation;
use crate::scene::rule::AlarmIndex;
use crate::value::Timestamp;

pub const FLOOD_WINDOW: Duration = Duration::from_secs(600);
/// A flood begins with more than so many in a window, and ends below so many.
pub const FLOOD_BEGINS_ABOVE: usize = 10;
pub const FLOOD_ENDS_BELOW: usize = 5;

/// A flood has begun or ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FloodChange {
    pub began: bool,
    /// When that was: receive time of the annunciation that began it, or the moment at which there were fewer than 5.
    pub time: Timestamp,
    /// When it was found out.
    pub known: Timestamp,
    /// Annunciations in the flood so far, those that began it among them.
    pub alarms: u64,
    /// The first-up: of the alarms that began the flood the one with the earliest source time. None if it has left the
    /// scene since.
    pub first: Option<AlarmIndex>,
}

/// A flood that goes on. Its fields as in [`FloodChange`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flood {
    pub since: Timestamp,
    pub alarms: u64,
    pub first: Option<AlarmIndex>,
}

/// Watches for floods. What it finds does not depend on how often it is asked.
#[derive(Clone, Debug, Default)]
pub struct FloodWatch {
    /// The latest annunciations, as many as can begin a flood.
    latest: VecDeque<Seen>,
    flood: Option<Flood>,
    now: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Timestamp,
    source_time: Timestamp,
    /// None if it has left the scene: it was one alarm too many all the same.
    alarm: Option<AlarmIndex>,
}

impl FloodWatch {
    /// The flood that is going on.
    pub fn flood(&self) -> Option<&Flood> {
        self.flood.as_ref()
    }

    /// Counts one annunciation. At most two changes: a flood ended before it, another began with it.
    pub fn observe(&mut self, alarm: Annunciation) -> impl Iterator<Item = FloodChange> + use<> {
        let ended = self.elapse(alarm.receive_time);
        let now = self.now.unwrap_or(alarm.receive_time);
        self.latest.push_back(Seen { at: now, source_time: alarm.source_time, alarm: Some(alarm.alarm) });
        if self.latest.len() > FLOOD_BEGINS_ABOVE + 1 {
            self.latest.pop_front();
        }
        let began = match &mut self.flood {
            Some(flood) => {
                flood.alarms += 1;
                None
            }
            none => {
                let enough = self.latest.len() > FLOOD_BEGINS_ABOVE;
                let begins = enough && self.latest.front().is_some_and(|oldest| now < oldest.at + FLOOD_WINDOW);
                // Of equals the one that arrived first.
                let first = self.latest.iter().min_by_key(|seen| seen.source_time).and_then(|seen| seen.alarm);
                *none = begins.then_some(Flood { since: now, alarms: self.latest.len() as u64, first });
                none.map(|flood| change(true, &flood, now, now))
            }
        };
        ended.into_iter().chain(began)
    }

    /// Ends the flood if its time is over: there are fewer than five from the moment on at which the fifth latest is
    /// ten minutes old.
    pub fn elapse(&mut self, now: Timestamp) -> Option<FloodChange> {
        let now = self.advance(now);
        let flood = self.flood?;
        let end = self.next_end().unwrap_or(now);
        if now < end {
            return None;
        }
        self.flood = None;
        Some(change(false, &flood, end, now))
    }

    /// When the flood is over, if nothing more comes; none without a flood, or if it is over already.
    pub fn next_end(&self) -> Option<Timestamp> {
        self.flood?;
        let fifth = self.latest.len().checked_sub(FLOOD_ENDS_BELOW).and_then(|at| self.latest.get(at));
        fifth.map_or(self.now, |fifth| Some(fifth.at + FLOOD_WINDOW))
    }

    /// Gives alarms their indices in a new scene.
    pub fn remap(&mut self, new: impl Fn(AlarmIndex) -> Option<AlarmIndex>) {
        for seen in &mut self.latest {
            seen.alarm = seen.alarm.and_then(&new);
        }
        if let Some(flood) = &mut self.flood {
            flood.first = flood.first.and_then(&new);
        }
    }

    /// Time never falls, unless the clock was set back for good: then counting starts anew, rather than to take all
    /// that comes until the old time for one moment.
    fn advance(&mut self, to: Timestamp) -> Timestamp {
        let before = self.now.unwrap_or(to);
        if to + FLOOD_WINDOW < before {
            self.latest.clear();
            self.now = Some(to);
            return to;
        }
        let now = before.max(to);
        self.now = Some(now);
        now
    }
}

fn change(began: bool, flood: &Flood, time: Timestamp, known: Timestamp) -> FloodChange {
    FloodChange { began, time, known, alarms: flood.alarms, first: flood.first }
}

#[cfg(test)]
#[path = "flood_tests.rs"]
mod tests;
