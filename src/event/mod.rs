//! The one journal of what happened: alarms, operator actions, connections, reloads, notes.
//!
//! In: [`Event`]s, in the order in which they become known. Out: the same, by moment and by kind. Names things as the
//! scene does (ids, not indices), so that an event outlives a reload and can be read by other programs.
//!
//! [`Journal`] keeps them in memory, [`Filter`] picks some, [`export`] writes those down. [`Store`] keeps the state of
//! alarms and the latest events over a restart, [`EventFile`] gives them to other programs as they happen. Both write
//! on threads of their own: a slow or full disk delays no analysis, and says so.

pub mod export;
mod file;
mod filter;
mod journal;
mod log;
mod make;
mod path;
pub mod store;
mod summary;
pub(crate) mod taken_away;

pub use file::{EventFile, EventFileError, EventFileStatus};
pub use filter::{Filter, Tag};
pub use journal::{Budget, Draft, Journal, Usage};
pub use log::EventLog;
pub use path::AlarmPath;
pub use store::{AlarmSnapshot, Restored, Store, StoreError, StoreStatus};

use serde::{Deserialize, Serialize};

use crate::alarm::{Cause, Priority, State};
use crate::twin::Timestamp;

/// What keeps the record from being kept: sentences for people, refreshed once a second. Empty when all is well.
#[derive(bevy::prelude::Resource, Clone, PartialEq, Eq, Debug, Default)]
pub struct RecordTroubles(pub Vec<String>);

/// Something worth a mark on the timeline.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Rises by one with each event of a journal, across restarts.
    pub id: u64,
    /// When it happened: source time where there is one.
    pub time: Timestamp,
    /// When it became known.
    pub received: Timestamp,
    /// The twin it is about, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<String>,
    /// Who did it; none if nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why, in the words of who did it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    #[serde(flatten)]
    pub kind: Kind,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// A transition of an alarm.
    Alarm {
        /// `vibration.high`; unique within the twin or broker.
        alarm: String,
        /// The broker, for alarms on connections.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        broker: Option<String>,
        cause: Cause,
        from: State,
        to: State,
        priority: Priority,
        /// What happened, with the limit that was violated.
        message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        worst: Option<f64>,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        unit: String,
    },
    /// Many alarms in a short time: begins with more than ten in ten minutes, ends below five (ISA-18.2, clause 16.5).
    Flood {
        began: bool,
        /// In the flood so far.
        alarms: u64,
        /// The path of the alarm that came first: where to look for the cause.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        first: String,
    },
    /// An alarm that comes and goes three times in a minute or more.
    Chattering {
        alarm: String,
        /// The broker, for alarms on connections.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        broker: Option<String>,
        began: bool,
    },
    /// A connection was made, lost or refused.
    Connection {
        broker: String,
        state: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        error: String,
    },
    /// The first sample of a twin, or of one whose signals had all gone stale.
    Birth,
    /// The last signal of a twin went stale.
    Death,
    /// The scene was read again.
    SceneReloaded { accepted: bool, issues: usize },
    /// An edit of the scene by an operator: what, and how it was before.
    SceneEdited { what: String, before: String, after: String },
    /// Pollux was not running (or not recording) between two moments.
    Gap { from: Timestamp, to: Timestamp },
    /// A remark of a person.
    Note { text: String },
    /// A moment that a person wants to find again; the name may be empty.
    Bookmark { text: String },
}

/// An alarm becomes known some moments after it is true. Longer than this, it was held back on its way.
const PROMPT_SECS: f64 = 10.0;

impl Event {
    /// The moment to go to in order to see what this event tells: when it became known, unless that was long after it
    /// happened. What people write is about the moment itself.
    pub fn seen_at(&self) -> Timestamp {
        let late = self.received.secs_since(self.time);
        let is_remark = matches!(self.kind, Kind::Note { .. } | Kind::Bookmark { .. });
        if !is_remark && (0.0..=PROMPT_SECS).contains(&late) { self.received } else { self.time }
    }

    /// From this moment on it belongs to what is shown: when it became known. What people write stands where they put it.
    pub fn known_from(&self) -> Timestamp {
        let is_remark = matches!(self.kind, Kind::Note { .. } | Kind::Bookmark { .. });
        if is_remark { self.time } else { self.received }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_seen_when_it_became_known_unless_it_was_held_back() {
        let event = |received, kind| Event {
            id: 1,
            time: Timestamp(0),
            received: Timestamp(received),
            twin: None,
            by: None,
            comment: String::new(),
            kind,
        };
        assert_eq!(event(500_000_000, Kind::Birth).seen_at(), Timestamp(500_000_000));
        assert_eq!(event(3_600_000_000_000, Kind::Birth).seen_at(), Timestamp(0));
        assert_eq!(event(500_000_000, Kind::Note { text: "here".into() }).seen_at(), Timestamp(0));
    }
}
