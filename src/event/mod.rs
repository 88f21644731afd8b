//! The one journal of what happened: alarms, operator actions, connections, reloads, notes.
//!
//! In: [`Event`]s, in the order in which they become known. Out: the same, by moment and by kind. Names things as the
//! scene does (ids, not indices), so that an event outlives a reload and can be read by other programs.
//!
//! [`Journal`] keeps them in memory, [`Filter`] picks some, [`export`] writes those down. [`Store`] keeps the state of
//! alarms and the latest events over a restart, [`EventFile`] gives them to other programs as they happen. Both write
//! on threads of their own: a slow or full disk delays no analysis, and says so.

mod commands;
pub mod debrief;
pub mod export;
mod faults;
mod file;
mod filter;
mod journal;
mod log;
mod make;
pub mod store;
mod summary;
pub(crate) mod taken_away;

pub use commands::{Commanded, commanded};
pub use faults::{FaultSpan, FaultSpans};
pub use file::{EventFile, EventFileError, EventFileStatus};
pub use filter::{Filter, Tag};
pub use journal::{Budget, Draft, Journal, Usage};
pub use log::EventLog;
pub use store::{AlarmSnapshot, Restored, Store, StoreError, StoreStatus};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::alarm::{Cause, State};
use crate::fault::{Site, WrittenFault};
use crate::instruction;
use crate::scene::Significance;
use crate::scene::rule::{AlarmPath, Priority};
use crate::value::{Origin, Timestamp, Value};

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

impl Event {
    /// The alarm that the event is about; none if it is about something else, or about several.
    pub fn alarm_path(&self) -> Option<AlarmPath> {
        let (Kind::Alarm { alarm, broker, .. } | Kind::Chattering { alarm, broker, .. }) = &self.kind else {
            return None;
        };
        Some(AlarmPath { twin: self.twin.clone(), broker: broker.clone(), alarm: alarm.clone() })
    }
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
        /// The least certain origin of the samples that made it, if these were neither measured nor derived from what was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<Origin>,
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
    /// A command to equipment came into a state.
    Command {
        /// `start`; unique within the twin.
        command: String,
        /// The same for all states of one command, and for no other of its session.
        instruction: u64,
        /// In the units of the scene.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        arguments: BTreeMap<String, Value>,
        /// The name of the connection it goes by.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        broker: String,
        /// Of that broker, without user and password; empty in older files.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        address: String,
        topic: String,
        /// As text; bytes that are no text in hexadecimal.
        payload: String,
        significance: Significance,
        state: instruction::State,
        /// What came of it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        result: String,
    },
    /// What is wrong with the simulated plant that stands for the real one.
    Plant { text: String },
    /// A fault was set on purpose, or the one of its id was changed. Its course is on the time axis of the site: of live
    /// data since 1970. That of an overlay changes nothing of what is measured and judged here.
    FaultSet { site: Site, fault: WrittenFault },
    /// It is gone, by its id.
    FaultCleared { site: Site, fault: String, ending: Ending },
    /// A remark of a person.
    Note { text: String },
    /// A moment that a person wants to find again; the name may be empty.
    Bookmark { text: String },
}

/// Why a fault is gone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Somebody cleared it.
    Cleared,
    /// Its course is over.
    Over,
    /// The session ended.
    SessionEnded,
    /// The scene was read again, and does not have what it is on any more.
    Gone,
    /// It held back more than there is memory for.
    TooMuch,
}

impl Ending {
    /// Of a fault: `is over`.
    pub const fn words(self) -> &'static str {
        match self {
            Ending::Cleared => "cleared",
            Ending::Over => "over",
            Ending::SessionEnded => "cleared, as the session ended",
            Ending::Gone => "cleared, as the scene does not have what it is on any more",
            Ending::TooMuch => "cleared, as it held back more than there is memory for",
        }
    }
}

impl Kind {
    /// Whether it tells of what was laid over live data: it is no part of their world.
    pub fn is_of_overlay(&self) -> bool {
        matches!(self, Kind::FaultSet { site: Site::Overlay, .. } | Kind::FaultCleared { site: Site::Overlay, .. })
    }
}

impl Event {
    /// From when on it shows at the cursor, and where the cursor goes to see what it did: when it became known. What people
    /// write is about the moment itself.
    pub fn seen_at(&self) -> Timestamp {
        match self.kind {
            Kind::Note { .. } | Kind::Bookmark { .. } => self.time,
            _ => self.received.max(self.time),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_seen_when_it_became_known_and_a_remark_where_it_was_put() {
        let event = |received, kind| Event {
            id: 1,
            time: Timestamp(10),
            received: Timestamp(received),
            twin: None,
            by: None,
            comment: String::new(),
            kind,
        };
        assert_eq!(event(3600, Kind::Birth).seen_at(), Timestamp(3600));
        assert_eq!(event(5, Kind::Birth).seen_at(), Timestamp(10));
        assert_eq!(event(3600, Kind::Note { text: "here".into() }).seen_at(), Timestamp(10));
        assert_eq!(event(3600, Kind::Bookmark { text: String::new() }).seen_at(), Timestamp(10));
    }
}
