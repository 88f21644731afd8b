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
//! - Constraints are judged again when it is sent. What is not known, has expired, is bad or is not measured does not hold.
//! - It goes out at once or fails: nothing is kept for a connection that may come later.

mod arguments;
mod desk;
mod evidence;
mod judge;
mod machine;
mod payload;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::history::Point;
use crate::value::SignalIndex;

pub use arguments::{Arguments, arguments, read};
pub use desk::Desk;
pub use judge::{Finding, Judgement, judge};
pub use machine::{Instruction, Link, Outgoing, Step};
pub use payload::{payload, shown};

/// The newest sample of a signal.
pub type Newest<'a> = &'a dyn Fn(SignalIndex) -> Option<Point>;

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

/// Who allows that commands are sent to a broker: both must.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Permission {
    pub scene: bool,
    pub user: bool,
}

impl Permission {
    /// Proof that both allow it, or who does not, and the way out.
    pub fn leave(self) -> Result<Leave, &'static str> {
        match (self.scene, self.user) {
            (true, true) => Ok(Leave(())),
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
