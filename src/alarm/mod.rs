//! Alarms: from samples to states that people act on. Never missed, never invented, never a flood that hides the cause.
//!
//! In: rules of the scene, samples in the order in which they arrive, what operators do. Out: [`Change`]s. Never reads a
//! clock, knows no frames and no window. Terms and states after ISA-18.2-2016, IEC 62682:2014 and OPC UA part 9.
//!
//! ```text
//!            detector                    case                      machine
//! sample ──► (limit, rate, formula, ──► (delays, late samples, ──► (states)   ──► Change, Alarm
//!             N of M: holds or not)      silences, shelves)           ▲
//!                                                   operator ──► deeds ┘
//! ```
//! [`Engine`] finds the alarms that a sample concerns and what is due when; all judgement is in the functions behind it.
//!
//! # What counts, and when
//!
//! - **Order.** An alarm remembers the source time up to which it was judged. A sample of its one signal that is older
//!   changes nothing and is counted in [`Alarm::late`]. At equal times all are judged, in order of arrival: the last one
//!   counts. Alarms over several signals (deviation from a signal, formulas, suppression) judge at the latest source time
//!   of any of them, with the newest values known, since the clocks of two devices differ; there only a sample that is
//!   older than the newest of its own signal is late.
//! - **Restarts** change nothing in this: how far each signal was heard is known from the store, see `carry`.
//! - **Clocks gone wrong.** A device whose clock jumped more than ten minutes ahead and was set right again is listened to
//!   at once: alarms on one signal forget the moments that have not come yet. A clock set back makes samples late until it
//!   has caught up; [`Condition::Stale`](crate::scene::rule::Condition::Stale) tells.
//! - **Delays** run in source time. A value holds until the next sample; one that is broken off by a sample starts anew.
//!   Without a further sample, a delay ends [`PATIENCE`] after it should have ended by receive time.
//! - **Deadband** affects clearing only: while a delay runs towards an alarm, the limit itself decides. Limits and edges
//!   are compared as they are written in decimals, rates too: a value exactly there is not beyond.
//! - **Quality.** A Bad sample cannot be judged: the last verdict holds, running delays go on, rates and counts pass over
//!   it. Conditions on limits are judged all the same of a value beyond the range of its signal: a gauge that stands at the
//!   end of its scale says at least on which side. [`Condition::Bad`](crate::scene::rule::Condition::Bad) is for broken
//!   sensors, [`Condition::Stale`](crate::scene::rule::Condition::Stale) for silent ones.
//! - **Silence** is judged by receive time alone, as the panels do it: `expires` after the newest sample by source time
//!   was received, or after the engine began to watch. A late sample is no sign of life: one that a device with a clock
//!   set back sends for hours must not hide that its values are not used.
//! - **Shelves** end by the wall clock, or, one-shot, when the condition next clears or the alarm becomes normal: a shelf
//!   that waited for an acknowledgement would hide the next activation too.

mod annunciation;
mod board;
mod carry;
mod case;
mod chattering;
mod deeds;
mod detector;
mod edge;
mod engine;
mod first_up;
mod flood;
mod heard;
mod horn;
mod lamp;
mod latest;
mod machine;
mod monitor;
#[cfg(test)]
mod oracle;
mod plan;
#[cfg(test)]
mod properties;
mod refusal;
mod state;
mod statistics;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod testing;
mod trail;
mod values;

pub use annunciation::Annunciation;
pub use board::{AlarmBoard, Said, Tally};
pub use carry::{Kept, KeptAlarms};
pub use case::PATIENCE;
pub use chattering::{CHATTER_COUNT, CHATTER_WINDOW, ChatterChange, ChatterWatch};
pub use engine::{Engine, Failure};
pub use first_up::FirstUp;
pub use flood::{FLOOD_BEGINS_ABOVE, FLOOD_ENDS_BELOW, FLOOD_WINDOW, Flood, FloodChange, FloodWatch};
pub use horn::Horn;
pub use lamp::{Aside, Lamp, Lamps, Urgency};
pub use monitor::{Findings, Monitor};
pub use refusal::Refusal;
pub use state::{Action, Alarm, Cause, Change, Deed, Flags, LONGEST_SHELVING, Shelving, State};
pub use statistics::{Frequent, Performance, PriorityShare, Rate, STALE_AFTER, StandingAlarm, Statistics};
pub use values::Values;
