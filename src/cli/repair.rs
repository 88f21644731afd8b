//! `pollux repair`: makes damaged recordings whole again.

use std::path::PathBuf;

use super::info::size;
use super::{Failure, out};
use crate::record::read::{Repaired, repair};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Recordings: MCAP files. What is whole is not touched.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let mut failed = Vec::new();
    for file in &args.files {
        match repair(file) {
            Ok(done) => out::line(format_args!("{}: {}", file.display(), told(&done)))?,
            Err(error) => failed.push(error.to_string()),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::Environment(failed.join("\npollux: "))) }
}

/// What was done, in a sentence.
fn told(done: &Repaired) -> String {
    if !done.was_damaged {
        return format!("is whole, {} messages", done.messages);
    }
    let mut parts = vec!["has an index again".to_owned()];
    if done.cut_bytes > 0 {
        let kept = done.rest.as_ref().map(|rest| format!(", kept in {}", rest.display())).unwrap_or_default();
        parts.push(format!("{} cut off at the end{kept}", size(done.cut_bytes)));
    }
    if done.set_aside_bytes > 0 {
        let kept =
            done.original.as_ref().map(|file| format!(", the old file is {}", file.display())).unwrap_or_default();
        parts.push(format!("{} could not be kept{kept}", size(done.set_aside_bytes)));
    }
    parts.push(format!("{} messages", done.messages));
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_told_in_a_sentence() {
        let done = Repaired { was_damaged: true, messages: 12, cut_bytes: 812, ..Repaired::default() };
        assert_eq!(told(&done), "has an index again, 812 bytes cut off at the end, 12 messages");
        assert_eq!(told(&Repaired { messages: 3, ..Repaired::default() }), "is whole, 3 messages");
    }
}
