//! The durable store: alarms and the latest events survive a restart, `kill -9` and a power cut.
//!
//! In: events, the newest states of alarms, how far signals were judged, signs of life. Out: a file, and, at the next start, what was in it. Never
//! blocks who hands over (`writer` says how) and never panics on what it reads.
//!
//! The file is a log of lines with a checksum each (see `frame`): a commit is one line, appended and synced before it
//! counts as written; now and then the whole content goes into a new file that takes the place of the old (write, sync,
//! rename, sync the folder). A half line at the end is what a crash leaves: it is passed over. A damaged line in
//! between costs that line; the file is kept aside under another name.
//!
//! Why not a database: the content is small (some MB), read once and always held in memory. `redb` 4.6, a well kept
//! embedded one in pure Rust, was tried with a file of 300 commits, closed uncleanly and then spoilt. It never panicked,
//! but opened none of 160 copies that were cut off at random places; of 200 copies with one bit turned it refused 84 and
//! gave wrong content without a word in 4. A log of checked lines loses only what is damaged, costs 60 bytes instead of
//! several pages for a sign of life, can be read with `less`, and needs no more than CRC-32.

mod disk;
mod frame;
mod keeper;
mod place;
mod writer;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;

use super::Event;
use crate::value::Timestamp;

pub use place::{default_path, state_folder};

/// The state of an alarm, as JSON: the store does not look into it. `null` makes the store forget the alarm.
pub type AlarmSnapshot = serde_json::Value;

/// A store beyond this was not written by Pollux.
const LARGEST_FILE: u64 = 1 << 30;
/// Closing waits so long for the disk.
const CLOSING: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "the store {} is in use by another Pollux{}, which holds the lock {}: close that one, or give this one \
         a store of its own with --store FILE", path.display(), owner(.process), lock.display()
    )]
    InUse { path: PathBuf, lock: PathBuf, process: Option<u32> },
    #[error("the store {} cannot be locked ({error}): choose another place with --store FILE", path.display())]
    Lock { path: PathBuf, error: io::Error },
    #[error(
        "the folder {} of the store cannot be made ({error}): choose another place with --store FILE",
        path.display()
    )]
    Folder { path: PathBuf, error: io::Error },
    #[error("the store {} cannot be read ({error}): choose another place with --store FILE", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("the store {} is no file of Pollux ({reason}): choose another place with --store FILE", path.display())]
    Foreign { path: PathBuf, reason: &'static str },
    #[error(
        "the store {} is of version {version}, which a newer Pollux wrote: use that one, or choose another place with \
         --store FILE", path.display()
    )]
    Newer { path: PathBuf, version: u32 },
    #[error(
        "the damaged store {} cannot be kept aside ({error}): move it away, or choose another place with --store FILE",
        path.display()
    )]
    Aside { path: PathBuf, error: io::Error },
    #[error("no place for the store: neither XDG_STATE_HOME nor HOME is set; choose one with --store FILE")]
    NoPlace,
    #[error("the thread that writes the store cannot be started: {0}")]
    Thread(io::Error),
    #[error("the store {} is not up to date yet: {reason}", path.display())]
    Behind { path: PathBuf, reason: String },
}

fn owner(process: &Option<u32>) -> String {
    process.map_or_else(String::new, |id| format!(" (process {id})"))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// So many of the latest events are kept.
    pub events: usize,
    /// Time between two tries while the disk fails.
    pub retry: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { events: 10_000, retry: Duration::from_secs(5) }
    }
}

/// What an earlier run has left.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Restored {
    /// By id, the latest.
    pub events: Vec<Arc<Event>>,
    pub alarms: BTreeMap<String, AlarmSnapshot>,
    /// Up to which source time each signal was judged, by `P-101.flow`.
    pub heard: BTreeMap<String, Timestamp>,
    /// The highest id that was given: the journal goes on above.
    pub last_id: u64,
    /// The last moment at which the earlier run was known to live.
    pub last_alive: Option<Timestamp>,
    /// From then until now nothing was watched. None at the very first start, or if the clock was set back.
    pub gap: Option<(Timestamp, Timestamp)>,
    /// Bytes of a commit that a crash left unfinished.
    pub torn_bytes: u64,
    pub damage: Option<Damage>,
}

/// Part of the file was not what had been written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    pub lines: u64,
    /// Where the file was kept aside.
    pub aside: PathBuf,
}

impl Restored {
    /// What was lost, for who trusts the record; none if nothing was. An unfinished commit at the end is no damage: it
    /// was never said to be kept.
    pub fn damage_text(&self) -> Option<String> {
        let Damage { lines, aside } = self.damage.as_ref()?;
        Some(format!(
            "the store was damaged in {lines} line(s), which are lost: {} events and {} alarms could be read, some of \
             them may be older than they should; the damaged file is kept as {}",
            self.events.len(),
            self.alarms.len(),
            aside.display()
        ))
    }

    /// What people have to know, in sentences.
    pub fn warnings(&self) -> Vec<String> {
        let torn = (self.torn_bytes > 0)
            .then(|| format!("the store ended in an unfinished commit of {} bytes, which is lost", self.torn_bytes));
        self.damage_text().into_iter().chain(torn).collect()
    }
}

/// How the writing goes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct StoreStatus {
    /// Size of the file, and what it holds.
    pub bytes: u64,
    pub events: u64,
    pub alarms: u64,
    /// Commits since the start, and tries that failed.
    pub writes: u64,
    pub failures: u64,
    /// Handed over, but not on disk yet.
    pub pending: u64,
    /// Why the last try failed; none if it did not.
    pub error: Option<String>,
}

/// An open store. Dropping it writes what is left and waits for the disk, some seconds at most.
pub struct Store {
    path: PathBuf,
    capacity: usize,
    shared: Arc<writer::Shared>,
    thread: Option<JoinHandle<()>>,
    /// Held until the end; the system lets go of it however a process ends.
    _lock: File,
}

impl Store {
    /// Opens or makes a store; `now` is the wall clock. If the disk fails from then on, [`Store::status`] says so.
    pub fn open(path: &Path, now: Timestamp) -> Result<(Store, Restored), StoreError> {
        Self::open_with(path, now, Options::default())
    }

    pub fn open_with(path: &Path, now: Timestamp, options: Options) -> Result<(Store, Restored), StoreError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            make_folder(folder).map_err(|error| StoreError::Folder { path: folder.to_owned(), error })?;
        }
        let lock = lock(path)?;
        let bytes = content(path)?;
        if frame::is_foreign(&bytes) {
            return Err(StoreError::Foreign { path: path.to_owned(), reason: "it holds another text" });
        }
        let reading = frame::read(&bytes, options.events);
        if let Some(version) = reading.newer {
            return Err(StoreError::Newer { path: path.to_owned(), version });
        }
        let damage = match reading.damaged {
            0 => None,
            lines => {
                let stamp: String = now.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
                let aside = disk::set_aside(path, &stamp);
                let aside = aside.map_err(|error| StoreError::Aside { path: path.to_owned(), error })?;
                Some(Damage { lines, aside })
            }
        };
        let image = reading.image;
        let restored = Restored {
            events: image.events.iter().cloned().collect(),
            alarms: image.alarms.clone(),
            heard: image.heard.clone(),
            last_id: image.last_id,
            last_alive: image.alive,
            gap: image.alive.filter(|alive| *alive < now).map(|alive| (alive, now)),
            torn_bytes: reading.torn,
            damage,
        };
        let keeper = keeper::Keeper::new(disk::LogFile::new(path), image, options.events);
        let shared = Arc::<writer::Shared>::default();
        let (theirs, retry) = (shared.clone(), options.retry);
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || writer::run(&theirs, keeper, retry))
            .map_err(StoreError::Thread)?;
        let store =
            Store { path: path.to_owned(), capacity: options.events, shared, thread: Some(thread), _lock: lock };
        Ok((store, restored))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Hands over what has happened; `alive` is the wall clock. Returns at once: the writing is the thread's.
    pub fn write(
        &self,
        events: &[Arc<Event>],
        alarms: impl IntoIterator<Item = (String, AlarmSnapshot)>,
        alive: Timestamp,
    ) {
        self.write_heard(events, alarms, [], alive);
    }

    /// The same, with the source time up to which signals were judged; none forgets a signal.
    pub fn write_heard(
        &self,
        events: &[Arc<Event>],
        alarms: impl IntoIterator<Item = (String, AlarmSnapshot)>,
        heard: impl IntoIterator<Item = (String, Option<Timestamp>)>,
        alive: Timestamp,
    ) {
        self.shared.hand_over(events, alarms, heard, alive, self.capacity);
    }

    /// Waits until all that was handed over so far is durable.
    pub fn flush(&self, limit: Duration) -> Result<(), StoreError> {
        self.shared.flush(limit).map_err(|reason| {
            let reason = reason.unwrap_or_else(|| format!("the disk did not answer within {limit:?}"));
            StoreError::Behind { path: self.path.clone(), reason }
        })
    }

    pub fn status(&self) -> StoreStatus {
        self.shared.status()
    }

    /// Ends as dropping does, and says if something could not be written.
    pub fn close(self) -> Result<(), StoreError> {
        self.flush(CLOSING)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.shared.stop(CLOSING)
            && let Some(thread) = self.thread.take()
        {
            // It has ended; a panic in it was reported when it happened.
            let _ = thread.join();
        }
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    // For its owner only, as the XDG specification asks: comments of operators are nobody else's business.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The lock is a file of its own, since the store itself is replaced by rename.
fn lock(path: &Path) -> Result<File, StoreError> {
    let lock = path.with_added_extension("lock");
    let failed = |error| StoreError::Lock { path: lock.clone(), error };
    let mut options = fs::OpenOptions::new();
    let mut file = options.read(true).write(true).create(true).truncate(false).open(&lock).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            // Only for the message that another Pollux gives.
            let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let _ = file.take(20).read_to_string(&mut text);
            Err(StoreError::InUse { path: path.to_owned(), lock: lock.clone(), process: text.trim().parse().ok() })
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The bytes of the file; none if it does not exist.
fn content(path: &Path) -> Result<Vec<u8>, StoreError> {
    let failed = |error| StoreError::Read { path: path.to_owned(), error };
    let about = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        about => about.map_err(failed)?,
    };
    let foreign = |reason| Err(StoreError::Foreign { path: path.to_owned(), reason });
    if !about.is_file() {
        return foreign("it is not a regular file");
    }
    if about.len() > LARGEST_FILE {
        return foreign("it is larger than 1 GiB");
    }
    fs::read(path).map_err(failed)
}

#[cfg(test)]
mod tests;
