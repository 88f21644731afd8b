//! Where a file is to stand. In: a path as a person wrote it. Out: the file behind all links, or the pipe or device that it
//! is. Writes nothing, but for the last step of a new file.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::FileError;

/// Links that lead to links: as many as systems follow.
const MOST_LINKS: usize = 40;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Destination {
    /// No link; it may not be there yet.
    File(PathBuf),
    /// A pipe or a device, or what stands for an open file of this program.
    Stream(PathBuf),
}

/// Follows links, also one that leads to no file yet.
pub(super) fn of(path: &Path) -> Result<Destination, FileError> {
    let failed = |cause| FileError::Write { path: path.to_owned(), cause };
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        // Names in there stand for what is open already: it is written to as it is.
        if target.starts_with("/proc") || target.starts_with("/dev/fd") {
            return Ok(Destination::Stream(path.to_owned()));
        }
        match fs::symlink_metadata(&target) {
            Ok(about) if about.is_symlink() => {
                let link = fs::read_link(&target).map_err(failed)?;
                target = folder(&target).join(link);
            }
            Ok(about) if about.is_dir() => return Err(FileError::Folder { path: path.to_owned() }),
            Ok(about) if about.is_file() => return Ok(Destination::File(target)),
            Ok(_) => return Ok(Destination::Stream(target)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = folder(&target);
                return match folder.is_dir() {
                    // A name that ends with a slash is that of a folder.
                    true if target.as_os_str().to_string_lossy().ends_with(['/', '\\']) => {
                        Err(FileError::Folder { path: path.to_owned() })
                    }
                    true => Ok(Destination::File(target)),
                    false => Err(FileError::NoFolder { path: path.to_owned(), folder: folder.to_owned() }),
                };
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let folder = folder(&target).to_owned();
                return Err(FileError::NoFolder { path: path.to_owned(), folder });
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Err(failed(io::Error::other("too many links lead to each other")))
}

/// The folder of a file; `.` for a bare name.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What is known of the file that stands there, if one does. One that may not be written, or that another program writes,
/// is an error: a new one under its name would get around that.
pub(super) fn old(named: &Path, target: &Path) -> Result<Option<Metadata>, FileError> {
    let failed = |cause| FileError::Write { path: named.to_owned(), cause };
    let file = match fs::OpenOptions::new().write(true).open(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    match file.try_lock() {
        Err(fs::TryLockError::WouldBlock) => Err(FileError::Busy { path: named.to_owned() }),
        // Where files cannot be locked nobody knows.
        Ok(()) | Err(fs::TryLockError::Error(_)) => Ok(Some(file.metadata().map_err(failed)?)),
    }
}

/// The mode of an old file, and its owner where this program may give files away.
pub(super) fn become_like(file: &File, old: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        // Only some may; the mode is what counts.
        let _ = fchown(file, Some(old.uid()), Some(old.gid()));
    }
    file.set_permissions(old.permissions())
}

/// Gives a file a name that nothing else has.
pub(super) fn name(part: &Path, target: &Path) -> io::Result<()> {
    match fs::hard_link(part, target) {
        Ok(()) => {
            // Its first name; without success it has two.
            let _ = fs::remove_file(part);
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // A file system without links.
        Err(_) if fs::symlink_metadata(target).is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(part, target),
    }
}

/// The new name is on the disk only once the folder is. Not every file system can do this: the file itself is safe.
pub(super) fn sync_folder(target: &Path) {
    if let Ok(folder) = File::open(folder(target)) {
        let _ = folder.sync_all();
    }
}

/// Whether two names lead to the same file; false where one of them is none.
pub(super) fn is_same_file(a: &Path, b: &Path) -> bool {
    let (Ok(about_a), Ok(about_b)) = (fs::metadata(a), fs::metadata(b)) else { return false };
    if !about_a.is_file() || !about_b.is_file() {
        return false;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if (about_a.dev(), about_a.ino()) == (about_b.dev(), about_b.ino()) {
            return true;
        }
    }
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
