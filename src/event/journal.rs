//! The journal in memory. In: [`Draft`]s, which get their ids here, or events of an earlier run. Out: events by id, by
//! time, by alarm; the state of an alarm at a past moment. Never exceeds its budget: the oldest go first, counted.
//!
//! Two orders: ids rise in the order in which events become known, `time` is when they happened. An event that becomes
//! known late (a sample that a gateway had held back) therefore has a high id and an early time. A past moment is shown
//! as it was known then: what counts for it is `received`.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;

use super::{Event, Filter, Kind};
use crate::alarm::State;
use crate::scene::rule::AlarmPath;
use crate::value::{Timestamp, Value};

/// An event that has no id yet.
#[derive(Clone, PartialEq, Debug)]
pub struct Draft {
    pub time: Timestamp,
    pub received: Timestamp,
    pub twin: Option<String>,
    pub by: Option<String>,
    pub comment: String,
    pub kind: Kind,
}

/// What a journal may hold. One event always stays, however large.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    pub events: usize,
    pub bytes: u64,
}

impl Default for Budget {
    /// Some weeks of a plant that alarms as often as ISA-18.2 calls manageable (300 a day, some events each).
    fn default() -> Self {
        Self { events: 100_000, bytes: 64 << 20 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Usage {
    pub events: u64,
    pub bytes: u64,
    /// Events that had to leave for lack of room.
    pub dropped: u64,
}

#[derive(Debug)]
pub struct Journal {
    /// By id.
    events: VecDeque<Arc<Event>>,
    by_time: BTreeSet<(Timestamp, u64)>,
    alarms: HashMap<AlarmPath, Track>,
    last_id: u64,
    bytes: u64,
    dropped: u64,
    budget: Budget,
}

/// The transitions of one alarm.
#[derive(Debug, Default)]
struct Track {
    /// In the order of ids; their moments never fall.
    steps: VecDeque<Step>,
    /// Before this moment transitions have been forgotten.
    forgotten: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    /// When the transition became known, but never before the one that came before it: what was done last counts last.
    at: Timestamp,
    id: u64,
    from: State,
    to: State,
}

impl Default for Journal {
    fn default() -> Self {
        Self::new(Budget::default())
    }
}

impl Journal {
    pub fn new(budget: Budget) -> Self {
        Self {
            events: VecDeque::new(),
            by_time: BTreeSet::new(),
            alarms: HashMap::new(),
            last_id: 0,
            bytes: 0,
            dropped: 0,
            budget,
        }
    }

    /// Goes on after an earlier run: with its events, and with ids above all that it gave.
    pub fn restored(budget: Budget, last_id: u64, events: impl IntoIterator<Item = Arc<Event>>) -> Self {
        let mut journal = Self::new(budget);
        for event in events {
            journal.insert(event);
        }
        journal.last_id = journal.last_id.max(last_id);
        journal
    }

    /// Takes an event in and gives it the next id.
    pub fn record(&mut self, draft: Draft) -> Arc<Event> {
        let Draft { time, received, twin, by, comment, kind } = draft;
        let id = self.last_id.saturating_add(1);
        let event = Arc::new(Event { id, time, received, twin, by, comment, kind });
        self.insert(event.clone());
        event
    }

    /// Takes in an event that another journal has given an id. False, and nothing happens, if that is not above all ids
    /// known here.
    pub fn insert(&mut self, event: Arc<Event>) -> bool {
        if event.id <= self.last_id {
            return false;
        }
        self.last_id = event.id;
        self.bytes += weight(&event);
        self.by_time.insert((event.time, event.id));
        if let Kind::Alarm { from, to, .. } = &event.kind
            && let Some(path) = event.alarm_path()
        {
            let track = self.alarms.entry(path).or_default();
            let before = track.steps.back().map(|last| last.at).or(track.forgotten);
            let at = before.map_or(event.received, |before| before.max(event.received));
            track.steps.push_back(Step { at, id: event.id, from: *from, to: *to });
        }
        self.events.push_back(event);
        while self.events.len() > 1
            && (self.events.len() > self.budget.events || self.bytes > self.budget.bytes)
            && let Some(oldest) = self.events.pop_front()
        {
            self.forget(&oldest);
        }
        true
    }

    fn forget(&mut self, event: &Event) {
        self.bytes = self.bytes.saturating_sub(weight(event));
        self.dropped += 1;
        self.by_time.remove(&(event.time, event.id));
        if let Kind::Alarm { .. } = event.kind
            && let Some(path) = event.alarm_path()
            && let Some(track) = self.alarms.get_mut(&path)
            && let Some(step) = track.steps.pop_front_if(|step| step.id == event.id)
        {
            track.forgotten = Some(step.at);
        }
    }

    pub fn usage(&self) -> Usage {
        Usage { events: self.events.len() as u64, bytes: self.bytes, dropped: self.dropped }
    }

    /// The id of the newest event; 0 before the first.
    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    pub fn get(&self, id: u64) -> Option<&Arc<Event>> {
        let at = self.events.binary_search_by_key(&id, |event| event.id).ok()?;
        self.events.get(at)
    }

    /// By id, oldest first; both ends can be read.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Event>> + ExactSizeIterator {
        self.events.iter()
    }

    /// What has become known since the event `id`.
    pub fn after(&self, id: u64) -> impl DoubleEndedIterator<Item = &Arc<Event>> {
        self.events.range(self.events.partition_point(|event| event.id <= id)..)
    }

    /// By time, within `from..=to`; those of one moment by id.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> impl DoubleEndedIterator<Item = &Arc<Event>> {
        // A range whose end lies before its start would panic.
        let stretch = (from <= to).then(|| self.by_time.range((from, 0)..=(to, u64::MAX)));
        stretch.into_iter().flatten().filter_map(|(_, id)| self.get(*id))
    }

    /// What was known by `moment`, in the order of time; those of one moment by id.
    pub fn known_by(&self, moment: Timestamp) -> impl DoubleEndedIterator<Item = &Arc<Event>> {
        self.between(Timestamp::MIN, Timestamp::MAX).filter(move |event| event.received <= moment)
    }

    /// The same, latest first: what the log shows at the cursor.
    pub fn until(&self, moment: Timestamp) -> impl Iterator<Item = &Arc<Event>> {
        self.known_by(moment).rev()
    }

    /// All that the filter lets through, by id.
    pub fn matching<'a>(&'a self, filter: &Filter) -> impl DoubleEndedIterator<Item = &'a Arc<Event>> {
        let matcher = filter.matcher();
        self.iter().filter(move |event| matcher.matches(event))
    }

    /// The transitions of an alarm, oldest first.
    pub fn transitions(&self, alarm: &AlarmPath) -> impl DoubleEndedIterator<Item = &Arc<Event>> {
        let steps = self.alarms.get(alarm).into_iter().flat_map(|track| track.steps.iter());
        steps.filter_map(|step| self.get(step.id))
    }

    /// Those that were known by `moment`.
    pub fn transitions_by(&self, alarm: &AlarmPath, moment: Timestamp) -> impl DoubleEndedIterator<Item = &Arc<Event>> {
        let known = move |track: &'_ Track| track.steps.partition_point(|step| step.at <= moment);
        let steps = self.alarms.get(alarm).into_iter().flat_map(move |track| track.steps.range(..known(track)));
        steps.filter_map(|step| self.get(step.id))
    }

    /// The state of an alarm at a past moment, as it was known then. None if the journal does not reach back so far, or knows no transition
    /// of this alarm at all.
    pub fn alarm_state_at(&self, alarm: &AlarmPath, moment: Timestamp) -> Option<State> {
        let track = self.alarms.get(alarm)?;
        let after = track.steps.partition_point(|step| step.at <= moment);
        if let Some(last) = after.checked_sub(1).and_then(|at| track.steps.get(at)) {
            return Some(last.to);
        }
        let reaches = track.forgotten.is_none_or(|forgotten| forgotten <= moment);
        track.steps.front().filter(|_| reaches).map(|first| first.from)
    }

    /// The transition that brought an alarm into the state that it had at a moment: since when, by whom, why.
    pub fn transition_before(&self, alarm: &AlarmPath, moment: Timestamp) -> Option<&Arc<Event>> {
        let track = self.alarms.get(alarm)?;
        let after = track.steps.partition_point(|step| step.at <= moment);
        let last = after.checked_sub(1).and_then(|at| track.steps.get(at))?;
        self.get(last.id)
    }
}

/// About what an event takes in memory, in bytes: itself, its texts and its entries in the orders.
fn weight(event: &Event) -> u64 {
    const ENTRIES: usize = size_of::<Arc<Event>>() + size_of::<(Timestamp, u64)>() + size_of::<Step>();
    let len = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let kind = match &event.kind {
        Kind::Alarm { alarm, broker, message, unit, .. } => alarm.len() + len(broker) + message.len() + unit.len(),
        Kind::Flood { first, .. } => first.len(),
        Kind::Chattering { alarm, broker, .. } => alarm.len() + len(broker),
        Kind::Connection { broker, state, error } => broker.len() + state.len() + error.len(),
        Kind::SceneEdited { what, before, after } => what.len() + before.len() + after.len(),
        Kind::Command { command, arguments, broker, address, topic, payload, result, .. } => {
            let arguments: usize = arguments.keys().map(|name| name.len() + size_of::<(String, Value)>()).sum();
            let place = broker.len() + address.len() + topic.len();
            command.len() + arguments + place + payload.len() + result.len()
        }
        Kind::Plant { text } | Kind::Note { text } | Kind::Bookmark { text } => text.len(),
        Kind::FaultSet { fault, .. } => fault.id.len() + fault.on().len(),
        Kind::FaultCleared { fault, .. } => fault.len(),
        Kind::Birth | Kind::Death | Kind::SceneReloaded { .. } | Kind::Gap { .. } => 0,
    };
    (size_of::<Event>() + ENTRIES + len(&event.twin) + len(&event.by) + event.comment.len() + kind) as u64
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
