//! Controllers: what tells machines what to do. All hold their outputs from scan to scan, as controllers in cabinets do:
//! a loop through one always has a step between, whatever it measures.

mod on_off;
mod pid;
mod schedule;
mod sequencer;
mod trip;

pub use on_off::{OnOff, OnOffCounts, OnOffInputs, OnOffOutputs, OnOffParameters};
pub use pid::{Pid, PidCounts, PidInputs, PidOutputs, PidParameters, PidState};
pub use schedule::{Schedule, ScheduleOutputs, ScheduleParameters, ScheduleState};
pub use sequencer::{Sequencer, SequencerCounts, SequencerInputs, SequencerOutputs, SequencerParameters};
pub use trip::{Trip, TripCounts, TripInputs, TripOutputs, TripParameters};
