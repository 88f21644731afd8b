//! Standard output. In: what a command has to say. A reader that has had enough, such as `head`, is no failure: what is left
//! is not said, and the command ends as it would have. A full disk is one.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use super::Failure;

/// How a command says what it has to say.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Format {
    Text,
    Json,
}

/// Prints a text as it is.
pub(super) fn print(text: impl Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Environment(format!("standard output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a line.
pub(super) fn line(text: impl Display) -> Result<(), Failure> {
    print(format_args!("{text}\n"))
}

/// Prints JSON for scripts.
pub(super) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    line(serde_json::to_string_pretty(value).map_err(Failure::environment)?)
}
