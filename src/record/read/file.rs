//! Bytes of a file by their position. In: offset and length. Out: bytes. Several threads may read at once; nothing is
//! mapped, so that a file which is cut meanwhile gives an error and no signal.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ReadError;

/// An open file whose length was taken when it was opened.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    file: File,
    len: u64,
}

impl Source {
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let failed = |cause| ReadError::Open { path: path.to_owned(), cause };
        let file = File::open(path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        if about.is_dir() {
            return Err(ReadError::Folder { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), file, len: about.len() })
    }

    /// Whether a program holds it because it writes into it. Where files cannot be locked nobody knows.
    pub fn is_growing(&self) -> bool {
        let is_held = lasting(|| self.file.try_lock_shared()).is_err_and(is_taken);
        if !is_held {
            // Without a lock there is nothing to let go of.
            let _ = self.file.unlock();
        }
        is_held
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    /// Fills `into` from `offset` on.
    pub fn fill(&self, offset: u64, into: &mut [u8]) -> Result<(), ReadError> {
        read_exact_at(&self.file, into, offset).map_err(|cause| ReadError::io(&self.path, offset, cause))
    }

    /// `length` bytes from `offset` on; none if the file has not so many. Allocates no more than the file holds.
    pub fn read(&self, offset: u64, length: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let within = offset.checked_add(length).is_some_and(|end| end <= self.len);
        let Some(length) = usize::try_from(length).ok().filter(|_| within) else { return Ok(None) };
        let mut bytes = vec![0; length];
        self.fill(offset, &mut bytes)?;
        Ok(Some(bytes))
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, into: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, into, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut into: &mut [u8], mut offset: u64) -> std::io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !into.is_empty() {
        match file.seek_read(into, offset)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => {
                into = into.split_at_mut(n).1;
                offset += n as u64;
            }
        }
    }
    Ok(())
}

/// Small reads that go forward through a file, from a window of it: a walk over a million records asks the system for
/// few of them.
pub(super) struct Window<'s> {
    source: &'s Source,
    start: u64,
    bytes: Vec<u8>,
}

impl<'s> Window<'s> {
    const SIZE: u64 = 256 * 1024;

    pub fn new(source: &'s Source) -> Self {
        Self { source, start: 0, bytes: Vec::new() }
    }

    /// `length` bytes from `offset` on; none if the file has not so many.
    pub fn read(&mut self, offset: u64, length: u64) -> Result<Option<&[u8]>, ReadError> {
        let end = match offset.checked_add(length) {
            Some(end) if end <= self.source.len() => end,
            _ => return Ok(None),
        };
        if offset < self.start || end > self.start + self.bytes.len() as u64 {
            // Large pieces are read as they are, small ones with what follows them.
            let ahead = length.max(Self::SIZE.min(self.source.len() - offset));
            self.bytes.clear();
            self.bytes.resize(usize::try_from(ahead).unwrap_or(usize::MAX), 0);
            self.start = offset;
            if let Err(error) = self.source.fill(offset, &mut self.bytes) {
                self.bytes.clear();
                return Err(error);
            }
        }
        let from = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        Ok(self.bytes.get(from..).and_then(|bytes| bytes.get(..length)))
    }
}

/// Tries to lock until it is plain that somebody holds the file: who only looks, or starts another program just now, lets go
/// of it at once.
pub(super) fn lasting(lock: impl Fn() -> Result<(), TryLockError>) -> Result<(), TryLockError> {
    const TRIES: u32 = 10;
    for _ in 1..TRIES {
        match lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
            other => return other,
        }
    }
    lock()
}

fn is_taken(error: TryLockError) -> bool {
    matches!(error, TryLockError::WouldBlock)
}
