//! From messages to samples: topic → signals, payload → values; and from values back to messages ([`Encoder`]), or
//! straight to the samples of such a message ([`ShortWay`]).
//!
//! In: a [`BindingTable`] made from a scene, and MQTT messages. Out: [`Sample`]s with quality,
//! and an [`Outcome`] that says what was wrong. Never touches network, disk or a clock: the receive time comes with
//! the message.
//!
//! What a payload becomes:
//! - A value of the right kind: Good. Numbers may stand in strings (`"21.5"`); `scale` and `offset` of the binding
//!   apply. Booleans may be `true`, `1`, `"on"`, `"yes"` and their opposites.
//! - Outside the signal's range: Bad (out of range). `NaN` or infinite, also as bare words in JSON, or beyond the largest
//!   float: Bad (not finite). Integers with more digits than a float holds: Uncertain (rounded).
//! - Text loses space and line ends around it. A byte order mark before a payload and zero bytes behind it are
//!   passed over.
//! - JSON `null`: Bad (reported by the source), the usual way of a device to say that a sensor failed.
//! - The wrong kind, or a payload that is not JSON: a decode error, and the signals that it concerns turn Bad (cannot
//!   be decoded). Such a sample carries no value of its own, only a stand-in (NaN, `false`, empty text), as does
//!   `null`; the last good value is the history's.
//! - What is wrong with one value of a JSON payload, such as a word that is no JSON or a byte that is no UTF-8, is a matter
//!   of that field alone, and of none if nobody reads it.
//! - A field that is missing while others of the topic are there: no sample, no error, as sparse telemetry is common.
//!   If no bound field at all is there, that is told as a decode error, but there are no samples either: a message of
//!   another kind on the same topic says nothing of the signals.
//! - An empty payload: nothing. It is how a retained message is deleted.
//! - A retained message: Uncertain, as nobody knows its age, unless the payload has a time of its own; then Stale if the
//!   signal would have expired since.
//! - A source time keeps every digit down to the nanosecond, whether it is a number or text.
//! - A source time before 1990, or one that is missing or cannot be read: the sample is kept with the receive time, and a
//!   clock problem is reported.
//! - A source time after the receive time comes from a clock that is wrong, as nothing is known before it happened: the
//!   sample is kept with the receive time, and if it is more than a second ahead a clock problem is reported. Thus one
//!   device with tomorrow's date neither moves the end of the history nor hides its own values from a pause.

mod direct;
mod encode;
mod flat;
mod lenient;
mod pointer;
mod shared;
mod table;
mod tables;
mod topic;
mod value;

use std::sync::Arc;

use bytes::Bytes;

use crate::fault;
use crate::value::{Sample, Timestamp};

pub use direct::ShortWay;
pub use encode::{Encoder, Topic, json_number, put, whole_payload};
pub use shared::{SharedTable, TableWatch};
pub use table::BindingTable;
pub use tables::Tables;
pub use topic::{covers, matches};

/// What is concluded together: samples of one message that follow each other with one source time.
///
/// The one rule for it, everywhere: in a live session, in a replay, in an import and in an export. It depends on the
/// message alone, never on how a socket was read or a batch was cut, so that all of them conclude the same. Two values that
/// a device sends in two messages are two moments: what is derived from both is false in between, and a derived signal can
/// wait for the second with `settle`.
pub fn moments(message: &[Sample]) -> impl Iterator<Item = &[Sample]> {
    message.chunk_by(|a, b| a.source_time == b.source_time)
}

/// A message as it came from a broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    pub topic: &'a str,
    pub payload: &'a [u8],
    /// The broker had kept it from before the subscription.
    pub retained: bool,
    /// 0, 1 or 2.
    pub qos: u8,
    /// When it was read from the network.
    pub receive_time: Timestamp,
}

impl Message<'_> {
    /// With its bytes, to be sent on: `broker` is what the world calls the one that it came from.
    pub fn whole(&self, broker: &Arc<str>) -> fault::Message {
        fault::Message {
            time: self.receive_time,
            broker: broker.clone(),
            topic: Arc::from(self.topic),
            payload: Bytes::copy_from_slice(self.payload),
            // Who sent it, and whether it asked for that, is not known.
            retain: false,
            from_store: self.retained,
            qos: self.qos,
        }
    }
}

/// What came of one message.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Outcome {
    /// Samples that were added, bad ones included.
    pub samples: usize,
    /// No signal is bound to the topic.
    pub unknown_topic: bool,
    /// The rule that the payload broke, or all of them.
    pub error: Option<DecodeError>,
    /// The first source time that could not be used.
    pub clock: Option<ClockError>,
}

impl Outcome {
    /// Adds a fault that was not told of this message yet; beyond the first few they are counted.
    fn tell(&mut self, error: impl FnOnce() -> DecodeError) {
        self.error = Some(match self.error.take() {
            None => error(),
            Some(DecodeError::Several { errors, more }) if errors.len() >= MOST_TOLD => {
                DecodeError::Several { errors, more: more + 1 }
            }
            Some(DecodeError::Several { mut errors, more }) => {
                let error = error();
                if !errors.contains(&error) {
                    errors.push(error);
                }
                DecodeError::Several { errors, more }
            }
            Some(first) => match error() {
                second if second == first => first,
                second => DecodeError::Several { errors: vec![first, second], more: 0 },
            },
        });
    }
}

/// Faults of one message that are told one by one.
const MOST_TOLD: usize = 8;

/// Why a payload, or a field of it, gave no value.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("the payload is not JSON: {cause}")]
    NotJson { cause: String },
    #[error("the payload is not UTF-8 text")]
    NotText,
    #[error("`{pointer}` is {found}, expected {expected}")]
    Kind { pointer: String, found: String, expected: &'static str },
    #[error("none of the {count} bound fields is in the payload, not even `{pointer}`")]
    NothingThere { pointer: String, count: usize },
    #[error("{}", list(errors, *more))]
    Several { errors: Vec<DecodeError>, more: usize },
}

fn list(errors: &[DecodeError], more: usize) -> String {
    let mut told: Vec<String> = errors.iter().map(DecodeError::to_string).collect();
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told.join("; ")
}

/// Why a source time was put aside for the receive time.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ClockError {
    #[error("clock: the source time `{pointer}` is {found}, expected {expected}")]
    Unreadable { pointer: String, found: String, expected: &'static str },
    #[error("clock: the source time `{pointer}` is not in the payload: the receive time stands for it")]
    Missing { pointer: String },
    #[error("clock: the source time `{pointer}` is {time}, before 1990: check the source's clock and the time format")]
    Past { pointer: String, time: Timestamp },
    #[error(
        "clock: the source time `{pointer}` is {time}, {ahead_secs} s after its receipt: check the source's clock and the \
         time format"
    )]
    Future { pointer: String, time: Timestamp, ahead_secs: i64 },
}
