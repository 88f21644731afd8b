//! Turns logs of other programs into recordings: yesterday's data logger file becomes a replay in the same twin.
//!
//! In: a CSV file or a foreign MCAP file, and a scene whose bindings name topics and fields. Out: messages as the plant
//! would have sent them, which then go the way of all messages: decoded by the scene, judged by its alarms, recorded.
//! Never guesses in silence: a column that fits nothing is named, with the nearest signal.

mod cell;
mod columns;
mod dialect;
mod encode;
mod foreign;
mod names;
mod numbers;
mod order;
mod rejected;
mod rows;
mod run;
mod sort;
mod survey;
mod table;
mod take;
mod text;
mod time;
mod wall;

use std::fs::File;
use std::io::{self, Seek};

pub use columns::Ignored;
pub use encode::{Cell, Encoder};
pub use foreign::messages;
pub use numbers::Mark;
pub use rejected::Rejected;
pub use run::{ImportOptions, Imported, MOST_TOPICS, record};
pub use table::{CsvOptions, CsvReader, Shape, TableCounts};
pub use time::TimeFormat;

use crate::files;
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

/// A file that can be read twice: itself, or a copy of what comes through a pipe.
pub fn seekable(mut file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    let mut copy = files::nameless()?;
    io::copy(&mut file, &mut copy)?;
    copy.rewind()?;
    Ok(copy)
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
    #[error("{file}: is {what}")]
    NoText { file: String, what: &'static str },
    #[error("{file}: is empty: there is neither a header nor a row")]
    Empty { file: String },
    #[error("{file}: has a header in line {line}, and no row below it")]
    NoRows { file: String, line: u64 },
    #[error("{file}: nothing of its {rows} rows can be taken: {cause}")]
    NothingRead { file: String, rows: u64, cause: String },
    #[error("{file}: two columns are called `{column}`: rename one of them")]
    Twice { file: String, column: String },
    #[error(
        "{file}: two columns feed the signal {signal}: {first} and {second}; rename the one that is not meant, or give it \
         a signal of its own with --map"
    )]
    OneSignal { file: String, signal: String, first: String, second: String },
    #[error(
        "{file}: the numbers of the column `{column}` may be days of a spreadsheet (`{found}` would be {day}) or seconds \
         since 1970: say which with --time-format days or --time-format seconds"
    )]
    Days { file: String, column: String, found: String, day: String },
    #[error(
        "{file}:{line}: times without a zone go back by a part of an hour here, as clocks do when summer time ends: say \
         where they are from with --zone Europe/Berlin, or --zone UTC if they are not of such clocks"
    )]
    RepeatedHour { file: String, line: u64 },
    #[error("{cause}")]
    Zone { cause: String },
    #[error("{file}: column `{column}`: the unit {found} does not fit the signal's {wanted}")]
    Unit { file: String, column: String, found: String, wanted: String },
}
