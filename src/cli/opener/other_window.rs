//! A window of its own: this program once more. In: what it shows. Out: nothing, or why it failed, some time later.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::Sender;

use crate::source::Waker;

/// Starts `pollux` with a subcommand and files. What it says goes on to standard error; why it ended, if it failed, to
/// `fails`.
pub(super) fn open(
    pollux: &Path,
    command: &str,
    files: &[PathBuf],
    fails: Sender<String>,
    waker: Waker,
) -> Result<(), String> {
    let mut program = Command::new(pollux);
    let started = program.arg(command).args(files).stdin(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child =
        started.map_err(|error| format!("{}: a window of its own cannot be opened: {error}", pollux.display()))?;
    let stderr = child.stderr.take();
    // Ends with the other window; nothing here waits for it.
    let watch = move || {
        let mut last = String::new();
        for line in stderr.into_iter().flat_map(|pipe| BufReader::new(pipe).lines()).map_while(Result::ok) {
            eprintln!("{line}");
            last = line;
        }
        let failed = !child.wait().is_ok_and(|status| status.success());
        if failed {
            let _ = fails.send(format!("the other window has ended: {}", last.trim_start_matches("pollux: ")));
            waker();
        }
    };
    let thread = std::thread::Builder::new().name("other window".into()).spawn(watch);
    thread.map(drop).map_err(|error| format!("nobody watches the other window: {error}"))
}
