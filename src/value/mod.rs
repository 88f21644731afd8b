//! The types that every other room uses: time, value, quality, unit, sample, and the indices of signals, twins and
//! layers; and rules of MQTT topics.
//!
//! In: text and bytes. Out: typed values. Knows no scene, no world and no Bevy; reads the clock in [`Timestamp::now`]
//! only.

pub mod decimal;
mod multiple;
pub mod number;
mod power;
mod random;
mod sample;
mod shift;
mod time;
pub mod topic;
pub mod unit;

pub use multiple::to_multiple;
pub use power::powi;
pub use random::Stream;
pub use sample::{Grade, LayerId, Origin, Quality, Reason, Sample, SignalIndex, TwinIndex, Value};
pub use shift::Shift;
pub use time::Timestamp;
pub use unit::{Conversion, Unit};
