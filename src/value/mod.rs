//! The words that every other room speaks: time, value, quality, unit, sample, and the indices of signals and twins.
//!
//! In: text and bytes. Out: typed values. Knows no scene, no world and no Bevy; reads the clock in
//! [`Timestamp::now`] only.

pub mod number;
mod sample;
mod shift;
mod time;
pub mod unit;

pub use sample::{Grade, Quality, Reason, Sample, SignalIndex, TwinIndex, Value};
pub use shift::Shift;
pub use time::Timestamp;
pub use unit::Unit;
