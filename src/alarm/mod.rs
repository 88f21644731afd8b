//! Alarms: from samples to states that people act on. Never missed, never invented, never a flood that hides the cause.
//!
//! In: rules of the scene, samples in source-time order, what operators do. Out: [`Change`]s. Never reads a clock, knows
//! no frames and no window. Terms and states after ISA-18.2-2016, IEC 62682:2014 and OPC UA part 9.

mod message;
mod rule;
mod state;

pub use message::{condition_text, duration, message, quantity};
pub use rule::{AlarmIndex, Condition, Count, Direction, Formula, Guidance, Level, Priority, Reference, Rule, Subject};
pub use state::{Action, Alarm, Cause, Change, Deed, Flags, LONGEST_SHELVING, Shelving, State};
