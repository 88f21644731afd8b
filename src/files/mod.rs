//! Files that a command writes: whole or not at all.
//!
//! In: where a file is to stand, and its content. Out: that file, with all of its content on the disk. It grows beside its
//! place, in the same folder and with the same extension, and takes its name at the end in one step: whatever fails
//! before leaves what stood there as it was. Links are followed, the mode of an old file stays. Pipes and devices are
//! written to once all is ready. What a command that was killed has left goes when the next file is begun in that
//! folder. Not for files that grow while others read them, such as recordings and files of events. Never overwrites what
//! a command reads, see [`refuse_inputs`].

mod place;
mod unfinished;

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use place::Destination;
pub use unfinished::{nameless, remove_all as remove_unfinished};

/// What becomes of a file that stands there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Existing {
    /// It stays, and nothing is written.
    Keep,
    Replace,
}

#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{}: is there already", path.display())]
    Exists { path: PathBuf },
    #[error("{}: is a folder; name a file in it", path.display())]
    Folder { path: PathBuf },
    #[error("{}: there is no such folder; make {}, or name another file", path.display(), folder.display())]
    NoFolder { path: PathBuf, folder: PathBuf },
    #[error("{}: another program is writing it; name another file", path.display())]
    Busy { path: PathBuf },
    #[error("{}: is one of the files that are read ({}); name another file", path.display(), input.display())]
    Input { path: PathBuf, input: PathBuf },
    #[error("{}: cannot be written: {cause}", path.display())]
    Write { path: PathBuf, cause: io::Error },
}

/// A file that grows. Dropped before it is [finished](NewFile::finish), it leaves nothing behind.
#[derive(Debug)]
pub struct NewFile {
    /// As it was named.
    named: PathBuf,
    place: Destination,
    existing: Existing,
    /// Where it grows.
    part: PathBuf,
    file: File,
    is_done: bool,
}

impl NewFile {
    /// An empty file beside `path`. What makes writing there impossible is told now, as far as it can be known.
    pub fn begin(path: &Path, existing: Existing) -> Result<Self, FileError> {
        let place = place::of(path)?;
        let failed = |cause| FileError::Write { path: path.to_owned(), cause };
        let old = match &place {
            Destination::Stream(_) => None,
            Destination::File(target) => place::old(path, target)?,
        };
        if old.is_some() && existing == Existing::Keep {
            return Err(FileError::Exists { path: path.to_owned() });
        }
        let (part, file) = match &place {
            Destination::Stream(_) => unfinished::begin(&std::env::temp_dir(), path),
            Destination::File(target) => unfinished::begin(place::folder(target), target),
        }
        .map_err(failed)?;
        let new = Self { named: path.to_owned(), place, existing, part, file, is_done: false };
        if let Some(old) = old {
            place::become_like(&new.file, &old).map_err(failed)?;
        }
        Ok(new)
    }

    /// To write into.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Where it grows: for programs that are given a name.
    pub fn path(&self) -> &Path {
        &self.part
    }

    /// Puts all of it on the disk, and gives it its name.
    pub fn finish(mut self) -> Result<(), FileError> {
        let failed = |cause| FileError::Write { path: self.named.clone(), cause };
        let Destination::File(target) = &self.place else {
            return self.pour().map_err(failed);
        };
        self.file.sync_all().map_err(failed)?;
        match self.existing {
            Existing::Replace => fs::rename(&self.part, target).map_err(failed)?,
            Existing::Keep => match place::name(&self.part, target) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(FileError::Exists { path: self.named.clone() });
                }
                named => named.map_err(failed)?,
            },
        }
        place::sync_folder(target);
        self.is_done = true;
        Ok(())
    }

    /// Into a pipe or a device, which takes no other name.
    fn pour(&self) -> io::Result<()> {
        let Destination::Stream(path) = &self.place else { return Ok(()) };
        let mut from = &self.file;
        from.rewind()?;
        let mut into = fs::OpenOptions::new().append(true).open(path)?;
        io::copy(&mut from, &mut into)?;
        into.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_done {
            // The error that led here is the one to tell.
            let _ = fs::remove_file(&self.part);
        }
        unfinished::end(&self.part);
    }
}

/// Writes all of a file in one step.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let new = NewFile::begin(path, Existing::Replace)?;
    let written = new.file().write_all(content);
    written.map_err(|cause| FileError::Write { path: path.to_owned(), cause })?;
    new.finish()
}

/// Says whether a file could be written, before a long work that ends with it. Leaves nothing behind.
pub fn check(path: &Path) -> Result<(), FileError> {
    match place::of(path)? {
        Destination::Stream(_) => Ok(()),
        Destination::File(_) => NewFile::begin(path, Existing::Replace).map(drop),
    }
}

/// An error if `output` is one of the files that a command reads: under whatever name, by way of links, or by another
/// name of the same file.
pub fn refuse_inputs<P: AsRef<Path>>(output: &Path, inputs: impl IntoIterator<Item = P>) -> Result<(), FileError> {
    for input in inputs {
        let input = input.as_ref();
        if place::is_same_file(output, input) {
            return Err(FileError::Input { path: output.to_owned(), input: input.to_owned() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
