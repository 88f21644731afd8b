//! Turns logs of other programs into recordings: yesterday's data logger file becomes a replay in the same twin.
//!
//! In: a CSV file or a foreign MCAP file, and a scene whose bindings name topics and fields. Out: messages as the plant
//! would have sent them, which then go the way of all messages: decoded by the scene, judged by its alarms, recorded.
//! Never guesses in silence: a column that fits nothing is named, with the nearest signal.

mod cell;
mod columns;

mod encode;
mod foreign;
mod run;
mod table;
mod time;

pub use encode::{Cell, Encoder};
pub use foreign::messages;
pub use run::{ImportOptions, Imported, record};
pub use table::{CsvOptions, CsvReader, Shape, TableCounts};

use crate::value::Timestamp;

/// A message that a broker might have sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// When it is taken to have been received. Never before the one that came before it.
    pub time: Timestamp,
    pub broker: String,
    pub topic: String,
    pub payload: Vec<u8>,
    pub qos: u8,
    pub retained: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{file}: cannot be read: {cause}")]
    Unreadable { file: String, cause: std::io::Error },
    #[error("{file}:{line}: {cause}")]
    Malformed { file: String, line: u64, cause: String },
    #[error(
        "{file}: no column is the time; name one `time`, `timestamp` or `date`, or say which it is with --time (columns: \
         {columns})"
    )]
    NoTime { file: String, columns: String },
    #[error("{file}: the column `{column}` of --{option} is not there (columns: {columns})")]
    NoColumn { file: String, option: &'static str, column: String, columns: String },
    #[error(
        "{file}: no column belongs to a signal of the scene `{scene}`; call columns TWIN.SIGNAL (such as {example}), or \
         say with --map COLUMN=TWIN.SIGNAL what belongs together{near}"
    )]
    NothingFits { file: String, scene: String, example: String, near: String },
    #[error("--map {column}={signal}: the scene `{scene}` has no such signal{near}")]
    NoSignal { column: String, signal: String, scene: String, near: String },
    #[error("--map {column}={signal}: the signal is not bound to a topic, so nothing can be sent for it")]
    Unbound { column: String, signal: String },
    #[error("{file}: {cause}")]
    Foreign { file: String, cause: String },
    #[error("{file}: the recording cannot be written: {cause}")]
    Unwritten { file: String, cause: String },
    #[error("{file}: column `{column}`: the unit {found} does not fit the signal's {wanted}")]
    Unit { file: String, column: String, found: String, wanted: String },
}
