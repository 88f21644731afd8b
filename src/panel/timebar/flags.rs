//! What stands on the overview strip: which events, in which lane, and what becomes of those that share a place.
//!
//! In: the journal as panels read it, a window of time, a width. Out: [`Cluster`]s that do not overlap. Pure: knows no widget.

use std::sync::Arc;

use super::axis::Window;
use crate::alarm::Cause;
use crate::event::{Event, Kind};
use crate::instruction::State;
use crate::scene::rule::Priority;
use crate::value::Timestamp;

/// What an event is on the strip, the most important first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Sort {
    Alarm(Priority),
    Flood,
    Bookmark,
    Note,
    Gap,
    Disconnected,
    Connected,
    Refused,
    Plant,
    Death,
    Deed,
    Reload,
    Birth,
}

impl Sort {
    /// None for what is told by other marks: an alarm by its beginning, chattering by the alarms.
    pub fn of(event: &Event) -> Option<Self> {
        match &event.kind {
            Kind::Alarm { cause: Cause::Raised, priority, .. } => Some(Sort::Alarm(*priority)),
            Kind::Alarm { .. } => event.by.as_ref().map(|_| Sort::Deed),
            Kind::Flood { began, .. } => began.then_some(Sort::Flood),
            Kind::Chattering { .. } => None,
            Kind::Connection { state, .. } if state == "connected" => Some(Sort::Connected),
            Kind::Connection { .. } => Some(Sort::Disconnected),
            Kind::Birth => Some(Sort::Birth),
            Kind::Death => Some(Sort::Death),
            Kind::SceneReloaded { accepted: true, .. } => Some(Sort::Reload),
            Kind::SceneReloaded { accepted: false, .. } => Some(Sort::Refused),
            Kind::SceneEdited { .. } => Some(Sort::Deed),
            // What left, and what came of it; the rest is told by the log.
            Kind::Command { state, .. } => (*state >= State::Queued).then_some(Sort::Deed),
            Kind::Gap { .. } => Some(Sort::Gap),
            Kind::Plant { .. } => Some(Sort::Plant),
            Kind::FaultSet { .. } | Kind::FaultCleared { .. } => Some(Sort::Deed),
            Kind::Note { .. } => Some(Sort::Note),
            Kind::Bookmark { .. } => Some(Sort::Bookmark),
        }
    }

    /// Alarms have a lane of their own, so that they hide nothing that a person wrote.
    pub fn lane(self) -> usize {
        usize::from(!matches!(self, Sort::Alarm(_) | Sort::Flood))
    }

    /// `alarm`, `notes` and the like, for counting.
    pub fn words(self, many: bool) -> &'static str {
        match (self, many) {
            (Sort::Alarm(Priority::Critical), false) => "critical alarm",
            (Sort::Alarm(Priority::Critical), true) => "critical alarms",
            (Sort::Alarm(Priority::High), false) => "high alarm",
            (Sort::Alarm(Priority::High), true) => "high alarms",
            (Sort::Alarm(Priority::Medium), false) => "medium alarm",
            (Sort::Alarm(Priority::Medium), true) => "medium alarms",
            (Sort::Alarm(Priority::Low), false) => "low alarm",
            (Sort::Alarm(Priority::Low), true) => "low alarms",
            (Sort::Flood, false) => "alarm flood",
            (Sort::Flood, true) => "alarm floods",
            (Sort::Bookmark, false) => "bookmark",
            (Sort::Bookmark, true) => "bookmarks",
            (Sort::Note, false) => "note",
            (Sort::Note, true) => "notes",
            (Sort::Plant, false) => "trouble of the simulated plant",
            (Sort::Plant, true) => "troubles of the simulated plant",
            (Sort::Gap, false) => "gap",
            (Sort::Gap, true) => "gaps",
            (Sort::Disconnected, false) => "lost connection",
            (Sort::Disconnected, true) => "lost connections",
            (Sort::Connected, false) => "new connection",
            (Sort::Connected, true) => "new connections",
            (Sort::Refused, false) => "refused scene",
            (Sort::Refused, true) => "refused scenes",
            (Sort::Death, false) => "twin that fell silent",
            (Sort::Death, true) => "twins that fell silent",
            (Sort::Deed, false) => "operator action",
            (Sort::Deed, true) => "operator actions",
            (Sort::Reload, false) => "scene reload",
            (Sort::Reload, true) => "scene reloads",
            (Sort::Birth, false) => "first sign of a twin",
            (Sort::Birth, true) => "first signs of twins",
        }
    }
}

pub const LANES: usize = 2;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flag {
    pub time: Timestamp,
    /// Of the event.
    pub id: u64,
    pub sort: Sort,
}

/// Flags that share a place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cluster {
    pub lane: usize,
    /// Of the first one.
    pub time: Timestamp,
    /// The most important, and of these the first.
    pub top: Flag,
    /// In order of time.
    pub flags: Vec<Flag>,
}

/// All flags in order of time, kept up with a journal that grows at its end and is shortened at its beginning.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Flags {
    flags: Vec<Flag>,
    /// Of the first and the last event that was looked at.
    ids: Option<(u64, u64)>,
}

impl Flags {
    /// Costs what is new.
    pub fn follow(&mut self, events: &[Arc<Event>]) {
        let ids = events.first().zip(events.last()).map(|(first, last)| (first.id, last.id));
        if ids == self.ids {
            return;
        }
        let known = match (self.ids, ids) {
            (Some((_, known)), Some((_, last))) if known <= last => known,
            // Another journal.
            _ => {
                self.flags.clear();
                0
            }
        };
        if let (Some((old, _)), Some((first, _))) = (self.ids, ids)
            && old != first
        {
            self.flags.retain(|flag| flag.id >= first);
        }
        self.ids = ids;
        let new = events.get(events.partition_point(|event| event.id <= known)..).unwrap_or_default();
        let flags =
            new.iter().filter_map(|event| Some(Flag { time: event.time, id: event.id, sort: Sort::of(event)? }));
        self.flags.extend(flags);
        if !self.flags.is_sorted_by_key(|flag| (flag.time, flag.id)) {
            self.flags.sort_by_key(|flag| (flag.time, flag.id));
        }
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Flag> {
        self.flags.iter()
    }

    /// What stands in `window`: no two of a lane are nearer than `least`, a fraction of the window.
    pub fn clusters(&self, window: Window, least: f64) -> Vec<Cluster> {
        let from = self.flags.partition_point(|flag| flag.time < window.from);
        let to = self.flags.partition_point(|flag| flag.time <= window.to);
        let mut open: [Option<Cluster>; LANES] = [None, None];
        let mut done = Vec::new();
        for flag in self.flags.get(from..to).unwrap_or_default() {
            let lane = flag.sort.lane();
            let Some(slot) = open.get_mut(lane) else { continue };
            match slot {
                Some(cluster) if window.fraction(flag.time) - window.fraction(cluster.time) < least => {
                    if flag.sort < cluster.top.sort {
                        cluster.top = *flag;
                    }
                    cluster.flags.push(*flag);
                }
                _ => {
                    let next = Cluster { lane, time: flag.time, top: *flag, flags: vec![*flag] };
                    done.extend(slot.replace(next));
                }
            }
        }
        done.extend(open.into_iter().flatten());
        done
    }
}

impl Cluster {
    /// `3 high alarms, 1 note`, the most important first.
    pub fn counts(&self) -> String {
        let mut counts: std::collections::BTreeMap<Sort, usize> = std::collections::BTreeMap::new();
        self.flags.iter().for_each(|flag| *counts.entry(flag.sort).or_default() += 1);
        let parts = counts.into_iter().map(|(sort, count)| format!("{count} {}", sort.words(count > 1)));
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// The event of a flag, by its id.
pub fn event_of(events: &[Arc<Event>], id: u64) -> Option<&Arc<Event>> {
    events.binary_search_by_key(&id, |event| event.id).ok().and_then(|at| events.get(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing::{self, second as at};

    fn flags(events: &[Arc<Event>]) -> Flags {
        let mut flags = Flags::default();
        flags.follow(events);
        flags
    }

    #[test]
    fn the_journal_becomes_flags_in_two_lanes() {
        let events = testing::alarms::events(&testing::scene());
        let told: Vec<_> = flags(&events).iter().map(|flag| (flag.id, flag.sort, flag.sort.lane())).collect();
        let expected = [
            (1, Sort::Connected, 1),
            (2, Sort::Birth, 1),
            (3, Sort::Alarm(Priority::High), 0),
            (4, Sort::Deed, 1),
            (5, Sort::Alarm(Priority::Medium), 0),
            // 6 tells that an alarm cleared: its beginning stands for it.
            (7, Sort::Deed, 1),
            (8, Sort::Note, 1),
            (9, Sort::Alarm(Priority::Critical), 0),
            (10, Sort::Flood, 0),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn flags_that_share_a_place_become_one_and_the_most_important_stands_for_them() {
        let events = testing::alarms::events(&testing::scene());
        let clusters = flags(&events).clusters(Window::new(at(0), at(600)), 0.25);
        let told: Vec<_> = clusters.iter().map(|cluster| (cluster.lane, cluster.top.id, cluster.counts())).collect();
        // The alarms at 400 s, 477 s and 585 s, and the flood at 590 s.
        assert!(told.iter().any(|(lane, ..)| *lane == 0), "{told:?}");
        for pair in [0, 1].map(|lane| clusters.iter().filter(move |cluster| cluster.lane == lane)) {
            let times: Vec<_> = pair.map(|cluster| cluster.time).collect();
            assert!(times.windows(2).all(|two| two[1].secs_since(two[0]) >= 150.0), "{times:?}");
        }
        let all: usize = clusters.iter().map(|cluster| cluster.flags.len()).sum();
        assert_eq!(all, 9, "none is lost");
        let outside = flags(&events).clusters(Window::new(at(100), at(300)), 0.25);
        assert_eq!(outside, [], "nothing happened then");
    }

    #[test]
    fn a_growing_and_a_shortened_journal_give_the_same_as_a_new_one() {
        let events = testing::alarms::events(&testing::scene());
        let mut kept = Flags::default();
        for (first, last) in [(0, 3), (0, 7), (2, 8), (5, 10), (0, 4)] {
            kept.follow(&events[first..last]);
            assert_eq!(kept, flags(&events[first..last]), "{first}..{last}");
        }
    }

    #[test]
    fn what_became_known_late_stands_where_it_happened() {
        let mut events = testing::alarms::many_events(5);
        let late = Event { id: 6, time: at(2), ..Event::clone(&events[0]) };
        events.push(Arc::new(late));
        let ids: Vec<_> = flags(&events).iter().map(|flag| flag.id).collect();
        assert_eq!(ids, [1, 2, 6, 3, 4, 5]);
    }
}
