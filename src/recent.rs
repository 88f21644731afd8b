//! Files that were opened last, so that they can be opened again.
//!
//! In: what was opened, in the state folder of the user. Out: the list, newest first, with what has become of each
//! file. Never an obstacle: a list that cannot be read or written is a warning, and other programs may change it at any
//! time (each writes a whole new file and puts it in the place of the old one).

use std::fs::{File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::event::store;
use crate::files;
use crate::value::Timestamp;

/// How many are remembered.
pub const MOST: usize = 10;
/// No list that this program has written is larger.
const LARGEST: u64 = 1 << 20;
/// How often, and how long in between, another program is waited for that writes at the same time.
const TRIES: usize = 100;
const PAUSE: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecentKind {
    Recording,
    Scene,
}

/// What was opened at once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Recent {
    pub kind: RecentKind,
    /// Absolute. Several are one timeline.
    pub files: Vec<PathBuf>,
    pub opened: Timestamp,
}

/// An entry, and what its files are worth now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    pub recent: Recent,
    /// Why it cannot be opened.
    pub missing: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum RecentError {
    #[error("there is no state folder to remember opened files in: set XDG_STATE_HOME or HOME")]
    NoPlace,
    #[error("{}: the list of opened files cannot be read ({cause}); it is made anew", path.display())]
    Read { path: PathBuf, cause: String },
    #[error("{}: what was opened cannot be remembered ({cause})", path.display())]
    Write { path: PathBuf, cause: String },
}

#[derive(Serialize, Deserialize)]
struct Document {
    /// A program that finds a higher one reads what it understands.
    format: u32,
    recent: Vec<Recent>,
}

/// `$XDG_STATE_HOME/pollux/recent.json`, as the store of alarms lies there too.
pub fn usual_place() -> Result<PathBuf, RecentError> {
    Ok(store::state_folder().ok_or(RecentError::NoPlace)?.join("recent.json"))
}

/// The newest first. A list that is not there is empty.
pub fn read(path: &Path) -> Result<Vec<Recent>, RecentError> {
    let failed = |cause: String| RecentError::Read { path: path.to_owned(), cause };
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened.map_err(|error| failed(error.to_string()))?,
    };
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text).map_err(|error| failed(error.to_string()))?;
    let document: Document = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    Ok(kept(document.recent))
}

/// Puts what was opened at the top. What cannot be read is replaced, and told as well.
pub fn add(path: &Path, recent: Recent) -> Result<(), RecentError> {
    let failed = |cause: String| RecentError::Write { path: path.to_owned(), cause };
    let Some(folder) = path.parent() else { return Err(failed("it names no file".to_owned())) };
    std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
    let _lock = lock(path);
    let (known, unread) = match read(path) {
        Ok(known) => (known, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    let others = known.into_iter().filter(|other| other.files != recent.files);
    let document = Document { format: 1, recent: kept(std::iter::once(recent.clone()).chain(others)) };
    let text = serde_json::to_string_pretty(&document).map_err(|error| failed(error.to_string()))?;
    // A reader finds the old text or the new one, never a part.
    files::replace(path, text.as_bytes()).map_err(|error| failed(error.to_string()))?;
    unread.map_or(Ok(()), Err)
}

/// Remembers files in the usual place; says on the log why not. Waits for the disk.
pub fn remember(kind: RecentKind, files: &[PathBuf]) {
    match usual_place() {
        Ok(path) => remember_in(&path, kind, files),
        Err(error) => tracing::warn!("{error}"),
    }
}

/// As [`remember`], in a list that is named.
pub fn remember_in(path: &Path, kind: RecentKind, files: &[PathBuf]) {
    let absolute = |file: &PathBuf| std::path::absolute(file).unwrap_or_else(|_| file.clone());
    let recent = Recent { kind, files: files.iter().map(absolute).collect(), opened: Timestamp::now() };
    if let Err(error) = add(path, recent) {
        tracing::warn!("{error}");
    }
}

/// Those that can be opened first, each part with the newest first. Looks at every file.
pub fn list(path: &Path) -> Result<Vec<Listed>, RecentError> {
    let mut listed: Vec<Listed> =
        read(path)?.into_iter().map(|recent| Listed { missing: missing(&recent.files), recent }).collect();
    listed.sort_by_key(|listed| listed.missing.is_some());
    Ok(listed)
}

impl Recent {
    /// `shift.mcap`, `shift.mcap and 2 more`.
    pub fn title(&self) -> String {
        let name = |path: &PathBuf| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            name.to_string_lossy().into_owned()
        };
        let first = self.files.first().map(name).unwrap_or_default();
        match self.files.len() {
            0 | 1 => first,
            count => format!("{first} and {} more", count - 1),
        }
    }

    /// Where the first file lies.
    pub fn folder(&self) -> String {
        let folder = self.files.first().and_then(|file| file.parent());
        folder.map(|folder| folder.display().to_string()).unwrap_or_default()
    }
}

fn missing(files: &[PathBuf]) -> Option<String> {
    files.iter().find_map(|file| {
        let why = match std::fs::metadata(file) {
            Ok(about) if about.is_file() => return None,
            Ok(_) => "is no file any more".to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => "is not there any more".to_owned(),
            Err(error) => format!("cannot be looked at: {error}"),
        };
        Some(match files.len() {
            1 => why,
            _ => format!("{} {why}", file.file_name().unwrap_or_default().to_string_lossy()),
        })
    })
}

fn kept(recents: impl IntoIterator<Item = Recent>) -> Vec<Recent> {
    recents.into_iter().filter(|recent| !recent.files.is_empty()).take(MOST).collect()
}

/// Two programs that add at the same moment wait for each other, for a second at most: what is at stake is one
/// entry of the list.
fn lock(path: &Path) -> Option<File> {
    let file = File::options().create(true).append(true).open(path.with_extension("lock")).ok()?;
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Some(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(_)) => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(name: &str, at: i64) -> Recent {
        Recent { kind: RecentKind::Recording, files: vec![PathBuf::from(name)], opened: Timestamp(at) }
    }

    fn titles(path: &Path) -> Vec<String> {
        read(path).unwrap().iter().map(Recent::title).collect()
    }

    #[test]
    fn the_newest_ten_are_remembered_and_what_is_opened_again_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/pollux/recent.json");
        assert_eq!(read(&path).unwrap(), []);
        for n in 0..12 {
            add(&path, opened(&format!("/r/{n}.mcap"), n)).unwrap();
        }
        add(&path, opened("/r/5.mcap", 20)).unwrap();
        let expected = ["5", "11", "10", "9", "8", "7", "6", "4", "3", "2"].map(|n| format!("{n}.mcap"));
        assert_eq!(titles(&path), expected);
        assert_eq!(read(&path).unwrap()[0].opened, Timestamp(20));
        let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "the list and its lock, no piece of a file: {left:?}");
    }

    #[test]
    fn files_that_are_gone_come_last_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recent.json");
        let here = folder.path().join("here.mcap");
        std::fs::write(&here, "").unwrap();
        let several = Recent { files: vec![here.clone(), folder.path().join("gone.mcap")], ..opened("", 3) };
        add(&path, Recent { files: vec![here], ..opened("", 1) }).unwrap();
        add(&path, opened("/nowhere/away.mcap", 2)).unwrap();
        add(&path, several).unwrap();
        add(&path, Recent { files: vec![folder.path().to_owned()], ..opened("", 4) }).unwrap();
        let listed: Vec<_> = list(&path).unwrap().into_iter().map(|l| (l.recent.opened.0, l.missing)).collect();
        let gone = |why: &str| Some(why.to_owned());
        assert_eq!(
            listed,
            [
                (1, None),
                (4, gone("is no file any more")),
                (3, gone("gone.mcap is not there any more")),
                (2, gone("is not there any more")),
            ]
        );
    }

    #[test]
    fn a_damaged_list_is_told_and_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recent.json");
        for damaged in ["", "{", "[1, 2]", "\u{0}\u{0}", r#"{"format": 1, "recent": [{"kind": "song"}]}"#] {
            std::fs::write(&path, damaged).unwrap();
            assert!(read(&path).unwrap_err().to_string().contains("it is made anew"), "{damaged}");
            let told = add(&path, opened("/r/a.mcap", 1)).unwrap_err();
            assert!(matches!(told, RecentError::Read { .. }), "{told}");
            assert_eq!(titles(&path), ["a.mcap"]);
        }
    }

    #[test]
    fn what_cannot_be_written_is_told_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let told = add(&file.join("recent.json"), opened("/r/a.mcap", 1)).unwrap_err();
        assert!(matches!(told, RecentError::Write { .. }), "{told}");
        let taken = folder.path().join("recent.json");
        std::fs::create_dir(&taken).unwrap();
        assert!(add(&taken, opened("/r/a.mcap", 1)).is_err());
        let pieces = std::fs::read_dir(folder.path())
            .unwrap()
            .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().contains("new")));
        assert_eq!(pieces.count(), 0);
    }

    #[test]
    fn programs_that_add_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recent.json");
        std::thread::scope(|scope| {
            for n in 0..4 {
                let path = &path;
                scope.spawn(move || (0..2).for_each(|m| add(path, opened(&format!("/r/{n}-{m}.mcap"), n)).unwrap()));
            }
        });
        assert_eq!(read(&path).unwrap().len(), 8);
    }
}
