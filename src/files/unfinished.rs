//! Files that have no name of their own yet. In: a folder, an extension. Out: an empty file to write and read, called
//! `.pollux-PROCESS-NUMBER.EXTENSION`. Never overwrites a file, and removes none that another process still holds.
//!
//! Such a file goes when it is given its name, when it is dropped, and when the program is told to end, see [`remove_all`].
//! What a program that was killed, or a machine that lost its power, has left goes when the next file is begun in the same
//! folder: once nobody holds its lock, and nobody has written to it for [`LEFT_FOR`].

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const PREFIX: &str = ".pollux-";

/// Longer ones do not matter to any program.
const LONGEST_EXTENSION: usize = 16;

/// By the clock of the file system. The lock tells enough, but on a network where it counts on one machine only.
const LEFT_FOR: Duration = Duration::from_secs(60 * 60);

/// Those of this process.
static OWN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn own() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new file in `folder` with the extension of `like`. Its name is short: that of `like` may be as long as names can be.
pub(super) fn begin(folder: &Path, like: &Path) -> io::Result<(PathBuf, File)> {
    let mut options = OpenOptions::new();
    let (path, file) = create(folder, like.extension(), options.read(true).write(true))?;
    own().insert(path.clone());
    hold(&file);
    remove_left(folder, &file);
    Ok((path, file))
}

/// The file has its name, or is given up.
pub(super) fn end(path: &Path) {
    own().remove(path);
}

/// Removes all that this process has not finished: for a program that is told to end. Those who write them get an error
/// when they want to give them a name.
pub fn remove_all() {
    for path in std::mem::take(&mut *own()) {
        // It may have got its name just now.
        let _ = fs::remove_file(path);
    }
}

/// An empty file in the system's folder for such files that nobody sees, and that is gone when it is closed.
pub fn nameless() -> io::Result<File> {
    let folder = std::env::temp_dir();
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // The system deletes it when it is closed.
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::custom_flags(&mut options, 0x0400_0000);
    let created = create(&folder, None, &mut options);
    let (_path, file) =
        created.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))?;
    #[cfg(unix)]
    fs::remove_file(_path)?;
    Ok(file)
}

fn create(folder: &Path, extension: Option<&OsStr>, options: &mut OpenOptions) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    const TRIES: usize = 1000;
    let extension = extension.filter(|extension| extension.len() <= LONGEST_EXTENSION);
    for _ in 0..TRIES {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut name = std::ffi::OsString::from(format!("{PREFIX}{}-{number}", std::process::id()));
        if let Some(extension) = extension {
            name.push(".");
            name.push(extension);
        }
        let path = folder.join(name);
        match options.create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            // Of a process that had the same number.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many unfinished files lie beside it"))
}

/// Until it is closed, others see that somebody holds it. Where files cannot be locked, nothing that is left is removed
/// either. Not on Windows, whose locks would keep out the programs that are given a file to write.
fn hold(file: &File) {
    if cfg!(unix) {
        let _ = file.try_lock();
    }
}

/// Removes what was left in `folder` long before `new` was begun there.
fn remove_left(folder: &Path, new: &File) {
    let now = new.metadata().and_then(|about| about.modified());
    let (true, Ok(now), Ok(entries)) = (cfg!(unix), now, fs::read_dir(folder)) else { return };
    for entry in entries.flatten().filter(|entry| is_unfinished(&entry.file_name())) {
        let path = entry.path();
        let is_old = || {
            let about = fs::symlink_metadata(&path).ok().filter(|about| about.is_file())?;
            Some(now.duration_since(about.modified().ok()?).ok()? >= LEFT_FOR)
        };
        let is_free = || OpenOptions::new().write(true).open(&path).is_ok_and(|file| file.try_lock().is_ok());
        if is_old() == Some(true) && is_free() {
            // The error of something that may lie there does not concern who writes another file.
            let _ = fs::remove_file(&path);
        }
    }
}

fn is_unfinished(name: &OsStr) -> bool {
    let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { return false };
    let numbers = rest.split_once('.').map_or(rest, |(numbers, _)| numbers);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.split_once('-').is_some_and(|(process, number)| is_number(process) && is_number(number))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, Write};

    use super::*;

    #[test]
    fn a_nameless_file_is_written_and_read_and_lies_nowhere() {
        let mut file = nameless().unwrap();
        file.write_all(b"text").unwrap();
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "text");
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::MetadataExt::nlink(&file.metadata().unwrap()), 0);
    }

    #[cfg(unix)]
    #[test]
    fn what_was_left_long_ago_goes_and_what_somebody_holds_or_has_named_stays() {
        let folder = tempfile::tempdir().unwrap();
        let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let make = |name: &str, is_old: bool| {
            let path = folder.path().join(name);
            let file = File::create(&path).unwrap();
            if is_old {
                file.set_modified(old).unwrap();
            }
            (path, file)
        };
        let left = [make(".pollux-17-0.mcap", true).0, make(".pollux-17-1", true).0];
        let (held, holder) = make(".pollux-18-0.csv", true);
        holder.lock().unwrap();
        let stay = [
            held,
            make(".pollux-19-0.csv", false).0,
            make(".pollux-notes.csv", true).0,
            make(".pollux-1.csv", true).0,
            make("pollux-17-0.csv", true).0,
            make("recording.mcap", true).0,
        ];
        let (own, _file) = begin(folder.path(), Path::new("out.csv")).unwrap();
        end(&own);
        assert!(left.iter().all(|path| !path.exists()), "left");
        assert!(stay.iter().chain([&own]).all(|path| path.exists()), "stay");
    }
}
