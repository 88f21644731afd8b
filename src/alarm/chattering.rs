//! Finds alarms that chatter: they come and go faster than anybody can act. In: annunciations in receive order, and the
//! time. Out: when chattering begins and ends. Never reads a clock; remembers three moments for each alarm that
//! annunciated lately.
//!
//! Chattering begins with 3 activations within a minute (ISA-18.2-2016, clause 16.5; EEMUA publication 191) and ends
//! after a minute without one. Activations are counted in source time: a gateway may deliver an hour at once. Silence
//! is measured in receive time: a device's clock cannot show that nothing more came.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Annunciation;
use crate::scene::rule::AlarmIndex;
use crate::value::Timestamp;

pub const CHATTER_WINDOW: Duration = Duration::from_secs(60);
/// So many activations in a window are chattering.
pub const CHATTER_COUNT: usize = 3;

/// An alarm has begun to chatter, or has come to rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChatterChange {
    pub alarm: AlarmIndex,
    pub began: bool,
    /// Source time of the activation that began it, or a minute after that of the last.
    pub time: Timestamp,
    /// When it was found out.
    pub known: Timestamp,
}

/// Watches for chattering. What it finds does not depend on how often it is asked.
#[derive(Clone, Debug, Default)]
pub struct ChatterWatch {
    alarms: BTreeMap<AlarmIndex, Track>,
    now: Option<Timestamp>,
    /// Tracks of alarms at rest are swept out when there are so many.
    sweep_at: usize,
}

#[derive(Clone, Debug)]
struct Track {
    /// Source times of the latest activations, newest last.
    latest: [Option<Timestamp>; CHATTER_COUNT],
    received: Timestamp,
    chatters: bool,
}

impl Track {
    fn last(&self) -> Timestamp {
        self.latest[CHATTER_COUNT - 1].unwrap_or(Timestamp::MIN)
    }

    fn push(&mut self, time: Timestamp) {
        self.latest.rotate_left(1);
        self.latest[CHATTER_COUNT - 1] = Some(time);
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now >= self.received + CHATTER_WINDOW
    }
}

impl ChatterWatch {
    /// Those that chatter now, by index.
    pub fn chattering(&self) -> impl Iterator<Item = AlarmIndex> {
        self.alarms.iter().filter(|(_, track)| track.chatters).map(|(index, _)| *index)
    }

    /// Counts one activation; also says which alarms have come to rest until then.
    pub fn observe(&mut self, alarm: Annunciation) -> Vec<ChatterChange> {
        let Annunciation { alarm, source_time, receive_time } = alarm;
        let mut changes = self.elapse(receive_time);
        let now = self.now.unwrap_or(receive_time);
        let fresh = Track { latest: [None; CHATTER_COUNT], received: now, chatters: false };
        let track = self.alarms.entry(alarm).or_insert(fresh);
        if track.is_over(now) {
            track.latest = [None; CHATTER_COUNT];
        }
        if track.chatters && source_time >= track.last() + CHATTER_WINDOW {
            changes.push(rest(alarm, track, now));
        }
        track.push(source_time);
        track.received = now;
        let within = track.latest[0].is_some_and(|first| source_time < first + CHATTER_WINDOW);
        if !track.chatters && within {
            track.chatters = true;
            changes.push(ChatterChange { alarm, began: true, time: source_time, known: now });
        }
        self.sweep(now);
        changes
    }

    /// Ends the chattering of alarms that have come to rest, by index.
    pub fn elapse(&mut self, now: Timestamp) -> Vec<ChatterChange> {
        let before = self.now.unwrap_or(now);
        let set_back = now + CHATTER_WINDOW < before;
        if set_back {
            // The clock was set back for good: nobody knows how long ago the latest activations were.
            self.alarms.values_mut().for_each(|track| track.received = Timestamp::MIN);
        }
        let now = if set_back { now } else { before.max(now) };
        self.now = Some(now);
        let over = self.alarms.iter_mut().filter(|(_, track)| track.chatters && track.is_over(now));
        over.map(|(index, track)| rest(*index, track, now)).collect()
    }

    /// When the first of those that chatter comes to rest, if nothing more comes.
    pub fn next_end(&self) -> Option<Timestamp> {
        let chattering = self.alarms.values().filter(|track| track.chatters);
        chattering.map(|track| track.received + CHATTER_WINDOW).min()
    }

    /// Gives alarms their indices in a new scene; those that are gone are forgotten.
    pub fn remap(&mut self, new: impl Fn(AlarmIndex) -> Option<AlarmIndex>) {
        let alarms = std::mem::take(&mut self.alarms);
        self.alarms = alarms.into_iter().filter_map(|(index, track)| Some((new(index)?, track))).collect();
    }

    /// Forgets alarms at rest, now and then: the cost of each activation stays the same on average.
    fn sweep(&mut self, now: Timestamp) {
        if self.alarms.len() > self.sweep_at {
            self.alarms.retain(|_, track| track.chatters || !track.is_over(now));
            self.sweep_at = 2 * self.alarms.len() + 64;
        }
    }
}

fn rest(alarm: AlarmIndex, track: &mut Track, now: Timestamp) -> ChatterChange {
    track.chatters = false;
    ChatterChange { alarm, began: false, time: track.last() + CHATTER_WINDOW, known: now }
}

#[cfg(test)]
#[path = "chattering_tests.rs"]
mod tests;
