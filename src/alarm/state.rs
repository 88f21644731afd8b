//! The states of an alarm, after ISA-18.2-2016 (clause 5.4) and OPC UA part 9, and what changes them. Plain data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::scene::rule::AlarmIndex;
use crate::value::{Origin, Timestamp};

/// Where an alarm stands. Shelved, suppressed and out of service are [`Flags`] beside it: evaluation goes on under them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The condition does not hold and nothing is left to do.
    #[default]
    Normal,
    /// The condition holds; nobody has acknowledged it.
    Unacknowledged,
    /// The condition holds; somebody has.
    Acknowledged,
    /// The condition has gone before anybody acknowledged it.
    ReturnedUnacknowledged,
    /// The condition of a latching alarm has gone: waits for an acknowledgement and a reset.
    LatchedUnacknowledged,
    /// The condition of a latching alarm has gone and was acknowledged: waits for a reset.
    LatchedAcknowledged,
}

impl State {
    /// The condition holds.
    pub fn is_active(self) -> bool {
        matches!(self, State::Unacknowledged | State::Acknowledged)
    }

    /// Somebody still has to acknowledge.
    pub fn is_unacknowledged(self) -> bool {
        matches!(self, State::Unacknowledged | State::ReturnedUnacknowledged | State::LatchedUnacknowledged)
    }
}

/// Who did something, when and with which words.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Deed {
    pub by: String,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

/// Hidden for a while, by an operator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shelving {
    /// Ends by itself at this moment; none: when the condition next clears (one-shot).
    pub until: Option<Timestamp>,
    pub deed: Deed,
}

/// Reasons not to annunciate. The alarm is evaluated all the same.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Flags {
    pub shelved: Option<Shelving>,
    /// By the rule's own condition.
    pub suppressed: bool,
    pub out_of_service: Option<Deed>,
}

impl Flags {
    /// Nothing keeps the alarm from annunciating.
    pub fn is_clear(&self) -> bool {
        self.shelved.is_none() && !self.suppressed && self.out_of_service.is_none()
    }
}

/// What an operator can do to an alarm. Reasons are not optional where ISA-18.2 asks for one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Action {
    Acknowledge,
    /// Ends a latch; refused while the condition holds.
    Reset,
    /// For a time (at most [`LONGEST_SHELVING`]), or, without one, until the alarm returns to normal.
    Shelve {
        lasting: Option<Duration>,
    },
    Unshelve,
    TakeOutOfService,
    ReturnToService,
    /// A comment on the alarm, nothing else.
    Comment,
}

impl Action {
    /// What it is called on record.
    pub const fn noun(&self) -> &'static str {
        match self {
            Action::Acknowledge => "acknowledgement",
            Action::Reset => "reset",
            Action::Shelve { .. } => "shelving",
            Action::Unshelve => "unshelving",
            Action::TakeOutOfService => "taking out of service",
            Action::ReturnToService => "return to service",
            Action::Comment => "comment",
        }
    }
}

/// A shelf is for a shift, not for ever.
pub const LONGEST_SHELVING: Duration = Duration::from_secs(12 * 60 * 60);

/// Why an alarm changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The condition has come to hold, through its delay and count.
    Raised,
    /// The condition has gone, through its delay and deadband.
    Cleared,
    Acknowledged,
    Reset,
    Shelved {
        until: Option<Timestamp>,
    },
    Unshelved,
    /// The time of a shelf was over, or a one-shot shelf saw the alarm return to normal.
    ShelfEnded,
    Suppressed,
    Unsuppressed,
    TakenOutOfService,
    ReturnedToService,
    Commented,
    /// A reload of the scene took its rule away while it stood: nothing watches its condition any more.
    Removed,
}

/// One transition of one alarm.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// In the scene that the engine holds; with [`Cause::Removed`] in the scene before the reload.
    pub alarm: AlarmIndex,
    pub cause: Cause,
    pub from: State,
    pub to: State,
    /// Source time of the sample, or the moment at which a delay was over; for deeds the time of the deed.
    pub source_time: Timestamp,
    pub receive_time: Timestamp,
    /// The value that caused it, where there is one: in the unit of the signal (rates per second).
    pub value: Option<f64>,
    /// Worst value of the activation that ended, with [`Cause::Cleared`].
    pub worst: Option<f64>,
    /// Who and why, for what operators do.
    pub deed: Option<Deed>,
    /// The least certain origin of the samples that made it: of all that a delay, a rate or a count looked at. A clearing is
    /// no more certain than the activation that it ends, and a deed no more than the alarm that it is about.
    pub origin: Origin,
}

/// An alarm as it stands: what panels, `--state` and the durable store show. How it got there is in the journal.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Alarm {
    pub state: State,
    #[serde(default)]
    pub flags: Flags,
    /// Since when it is in this state: source time.
    pub since: Timestamp,
    /// When the present or the last activation began: source time. None if there never was one.
    pub raised_at: Option<Timestamp>,
    /// The value that raised it, the latest one, and the worst since: in the unit of the signal.
    pub trigger: Option<f64>,
    pub current: Option<f64>,
    pub worst: Option<f64>,
    /// How often it was raised.
    pub activations: u64,
    /// Who acknowledged the present activation.
    pub acknowledged: Option<Deed>,
    /// Samples that came too late to count: their moment had been judged already.
    pub late: u64,
    /// Of the transition that brought it here, if its samples were neither measured nor derived from what was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl Alarm {
    /// Whether an operator should see it in the list of standing alarms and hear it.
    pub fn annunciates(&self) -> bool {
        self.state != State::Normal && self.flags.is_clear()
    }
}
