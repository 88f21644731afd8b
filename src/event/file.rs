//! Events as JSON lines for other programs, as they happen. In: events. Out: a file that grows, written on a thread of
//! its own. Never blocks who sends; never starts a file anew: it appends, also after log rotation has taken the file
//! away.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use serde::Serialize;

use super::Event;
use super::taken_away::leads_to;

/// Events on their way to the thread, and lines that wait while the disk fails.
const WAITING: usize = 10_000;
/// Between two tries, and between two looks at whether the file was rotated away.
const BEAT: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum EventFileError {
    #[error("the events file {} cannot be opened ({error}): choose another with --events FILE", path.display())]
    Open { path: PathBuf, error: io::Error },
    #[error("the thread that writes events cannot be started: {0}")]
    Thread(io::Error),
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct EventFileStatus {
    pub written: u64,
    /// Lost: the disk failed for so long that no more could wait.
    pub dropped: u64,
    /// Tries that failed.
    pub failures: u64,
    /// Why the last try failed; none if it did not.
    pub error: Option<String>,
}

/// An open file of events. Dropping it writes what is left.
pub struct EventFile {
    sender: Option<Sender<Arc<Event>>>,
    status: Arc<Mutex<EventFileStatus>>,
    thread: Option<JoinHandle<()>>,
}

impl EventFile {
    pub fn open(path: &Path) -> Result<Self, EventFileError> {
        let file = append_to(path).map_err(|error| EventFileError::Open { path: path.to_owned(), error })?;
        let (sender, receiver) = crossbeam_channel::bounded(WAITING);
        let status = Arc::<Mutex<EventFileStatus>>::default();
        let mut lines = Lines::new(path.to_owned(), Some(file), status.clone());
        let thread = std::thread::Builder::new()
            .name("events file".into())
            .spawn(move || lines.run(&receiver))
            .map_err(EventFileError::Thread)?;
        Ok(Self { sender: Some(sender), status, thread: Some(thread) })
    }

    /// Hands an event over; if no more can wait it is counted as dropped.
    pub fn send(&self, event: Arc<Event>) {
        let sent = self.sender.as_ref().map(|sender| sender.try_send(event));
        if let Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) = sent {
            lock(&self.status).dropped += 1;
        }
    }

    pub fn status(&self) -> EventFileStatus {
        lock(&self.status).clone()
    }

    /// Writes what is left, and says how all went.
    pub fn close(mut self) -> EventFileStatus {
        self.stop();
        self.status()
    }

    fn stop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // A panic in it was reported when it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for EventFile {
    fn drop(&mut self) {
        self.stop();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Lines {
    path: PathBuf,
    file: Option<File>,
    /// Not on disk yet, oldest first.
    waiting: VecDeque<String>,
    status: Arc<Mutex<EventFileStatus>>,
}

impl Lines {
    fn new(path: PathBuf, file: Option<File>, status: Arc<Mutex<EventFileStatus>>) -> Self {
        Self { path, file, waiting: VecDeque::new(), status }
    }

    /// Ends, with one last try, when nobody can send any more.
    fn run(&mut self, receiver: &Receiver<Arc<Event>>) {
        loop {
            let first = receiver.recv_timeout(BEAT);
            let ended = matches!(first, Err(RecvTimeoutError::Disconnected));
            let failing = self.file.is_none();
            for event in first.into_iter().chain(receiver.try_iter().take(WAITING)) {
                self.take(&event);
            }
            if self.file.as_ref().is_some_and(|file| !leads_to(&self.path, file)) {
                self.file = None;
            }
            if let Err(error) = self.write() {
                self.file = None;
                let mut status = lock(&self.status);
                status.failures += 1;
                status.error = Some(error.to_string());
            }
            if ended {
                lock(&self.status).dropped += self.waiting.len() as u64;
                return;
            }
            if failing && self.file.is_none() {
                std::thread::sleep(BEAT);
            }
        }
    }

    fn take(&mut self, event: &Event) {
        match serde_json::to_string(event) {
            Ok(mut line) => {
                line.push('\n');
                self.waiting.push_back(line);
            }
            Err(_) => lock(&self.status).dropped += 1,
        }
        if self.waiting.len() > WAITING {
            self.waiting.pop_front();
            lock(&self.status).dropped += 1;
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(append_to(&self.path)?),
        };
        if self.waiting.is_empty() {
            lock(&self.status).error = None;
            return Ok(());
        }
        let text: String = self.waiting.iter().map(String::as_str).collect();
        let about = file.metadata()?;
        if let Err(error) = file.write_all(text.as_bytes()) {
            // The lines will be written again: what got through of them goes, as far as this is a file.
            if about.is_file() {
                let _ = file.set_len(about.len());
            }
            return Err(error);
        }
        let mut status = lock(&self.status);
        status.written += self.waiting.len() as u64;
        status.error = None;
        self.waiting.clear();
        Ok(())
    }
}

/// Opens a file for appending; a half line that a crash has left is ended.
fn append_to(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let about = file.metadata()?;
    if about.is_file() && about.len() > 0 {
        let mut last = [0];
        let mut reader = File::open(path)?;
        reader.seek(SeekFrom::End(-1))?;
        reader.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

#[cfg(test)]
#[path = "file_tests.rs"]
#[expect(clippy::disallowed_methods, reason = "bounds how long a test waits")]
mod tests;
