//! Alarms: from samples to states that people act on. Never missed, never invented, never a flood that hides the cause.
//!
//! In: rules of the scene, samples in source-time order, what operators do. Out: [`Change`]s. Never reads a clock, knows
//! no frames and no window. Terms and states after ISA-18.2-2016, IEC 62682:2014 and OPC UA part 9.

mod annunciation;
mod chattering;
mod first_up;
mod flood;
mod monitor;
mod rule;
mod state;
mod statistics;

pub use annunciation::Annunciation;
pub use chattering::{CHATTER_COUNT, CHATTER_WINDOW, ChatterChange, ChatterWatch};
pub use first_up::FirstUp;
pub use flood::{FLOOD_BEGINS_ABOVE, FLOOD_ENDS_BELOW, FLOOD_WINDOW, Flood, FloodChange, FloodWatch};
pub use monitor::{Findings, Monitor};
pub use rule::{AlarmIndex, Condition, Count, Direction, Formula, Guidance, Level, Priority, Reference, Rule, Subject};
pub use state::{Action, Alarm, Cause, Change, Deed, Flags, LONGEST_SHELVING, Shelving, State};
pub use statistics::{Frequent, Performance, PriorityShare, Rate, STALE_AFTER, Standing, Statistics};
