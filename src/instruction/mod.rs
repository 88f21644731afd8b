//! Commands that are given to equipment, from being prepared to a verdict.
//!
//! In: a command of the scene, its arguments, samples, what a broker and the equipment answered, time. Out: an
//! [`Instruction`] that knows its state and how it came there, and one [`Outgoing`] message at most. Reads no clock, has no
//! connection, sends nothing.
//!
//! ```text
//! prepare ─► Prepared ─arm─► Armed ─send─► Queued ─delivered─► Sent ─seen─► Verified
//!               │              ├─ too late ─► Expired  │          ├─ the answer says no ─► Failed
//!               └──── cancel ──┴─► Cancelled           │          └─ nothing came ─────► TimedOut
//!                              └─ a constraint does not hold ─► Failed ◄─ not delivered ─┘
//! ```
//! Safe by construction:
//! - [`Instruction::send`] asks for a [`Leave`], which exists only where scene and user both allow that commands are sent;
//!   nothing else makes an [`Outgoing`], and a publisher takes nothing else.
//! - Constraints are judged again when it is sent, and count only over values that can be used now (see [`judge`](fn@judge)).
//! - It goes out at once or fails: nothing is kept for a connection that may come later.
//! - It is verified only by values or answers that came after it, from the broker that it went to.

mod arguments;
mod desk;
mod evidence;
mod judge;
mod machine;
mod payload;

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::history::Point;
use crate::value::{SignalIndex, Timestamp};

pub use arguments::{Arguments, arguments, read};
pub use desk::Desk;
pub(crate) use desk::unknown;
pub use judge::{Came, Finding, Judgement, WITHOUT_EXPIRES, judge};
pub use machine::{Instruction, Link, Outgoing, Step, UNKNOWN_AT_END};
pub use payload::{payload, shown};

/// What is known of a signal.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Reading {
    /// Its newest sample.
    pub point: Option<Point>,
    /// Why no command may rely on it now, however good it is: `its broker plant is not connected`.
    pub doubt: Option<String>,
}

impl From<Option<Point>> for Reading {
    fn from(point: Option<Point>) -> Self {
        Self { point, doubt: None }
    }
}

/// What is known of each signal.
pub type Newest<'a> = &'a dyn Fn(SignalIndex) -> Reading;

/// Now, by two clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    /// By the clock of the session: goes on record, and is compared with receive times.
    pub time: Timestamp,
    /// Since the session began, by a clock that nobody can set: says how long something has waited.
    pub uptime: Duration,
}

/// Where a command goes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Destination {
    /// The name of the broker; where the scene names none, that of the only connection.
    pub broker: String,
    /// `mqtt://host:1883`, without user and password.
    pub address: String,
}

/// How far an instruction has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Topic, payload and constraints can be looked at; nothing else has happened.
    Prepared,
    /// It may be sent, until the arming expires.
    Armed,
    /// On its way to the broker.
    Queued,
    /// The broker has it; at QoS 0 it has left.
    Sent,
    /// It was seen that the equipment obeyed.
    Verified,
    Failed,
    /// Nothing was seen in time: whether the equipment obeyed is not known.
    TimedOut,
    /// The arming ended before it was sent.
    Expired,
    Cancelled,
}

impl State {
    /// As in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            State::Prepared => "prepared",
            State::Armed => "armed",
            State::Queued => "queued",
            State::Sent => "sent",
            State::Verified => "verified",
            State::Failed => "failed",
            State::TimedOut => "timed_out",
            State::Expired => "expired",
            State::Cancelled => "cancelled",
        }
    }

    /// As people read it.
    pub fn text(self) -> String {
        self.name().replace('_', " ")
    }
}

/// Who allows that commands are sent to a broker: all must.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Permission {
    pub scene: bool,
    pub user: bool,
    /// The user has allowed the very address that the broker has now.
    pub address: bool,
}

impl Permission {
    /// Proof that both allow it, or who does not, and the way out.
    pub fn leave(self) -> Result<Leave, &'static str> {
        match (self.scene, self.user) {
            (true, true) if self.address => Ok(Leave(())),
            (true, true) => {
                Err("the address of its broker is not one that was allowed at the start: start again with \
                 --allow-commands, and with --allow-commands=ADDRESS where --broker replaces what the scene says")
            }
            (false, true) => Err("the scene allows no commands there: its broker must say commands: true"),
            (true, false) => Err("commands are off: start with --allow-commands to send some"),
            (false, false) => {
                Err("commands are off: the scene's broker must say commands: true, and --allow-commands be given")
            }
        }
    }
}

/// Proof that scene and user both allow it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leave(());
