//! How far a long command is. In: counts. Out: one line of a terminal that is written again and again, and wiped at the end;
//! nothing where standard error is no terminal. Reads a clock only to write seldom.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Quick commands say nothing.
const PATIENCE: Duration = Duration::from_secs(2);
const SELDOM: Duration = Duration::from_millis(200);

pub(super) struct Progress {
    is_terminal: bool,
    begun: Instant,
    written: Option<Instant>,
}

impl Progress {
    pub fn new() -> Self {
        Self { is_terminal: std::io::stderr().is_terminal(), begun: Instant::now(), written: None }
    }

    /// `12 of 40 runs`
    pub fn tell(&mut self, done: usize, of: usize, what: &str) {
        let is_soon = self.written.is_some_and(|written| written.elapsed() < SELDOM);
        if self.is_terminal && self.begun.elapsed() > PATIENCE && !is_soon {
            eprint!("\r\x1b[K{done} of {of} {what}");
            self.written = Some(Instant::now());
        }
    }

    /// Before anything else is printed.
    pub fn wipe(&mut self) {
        if self.written.take().is_some() {
            eprint!("\r\x1b[K");
        }
    }
}
