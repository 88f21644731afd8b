//! Why a recording, or a part of it, cannot be read. Damage that leaves the rest readable is no error:
//! [`Damage`](super::Damage).

use std::io;
use std::path::{Path, PathBuf};

use crate::files::FileError;
use crate::value::Timestamp;

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("no recording is named")]
    NoFiles,
    #[error("{}: cannot be opened: {cause}", path.display())]
    Open { path: PathBuf, cause: io::Error },
    #[error("{}: is a folder; name a recording in it", path.display())]
    Folder { path: PathBuf },
    #[error("{}: cannot be read at byte {offset}: {cause}", path.display())]
    Io { path: PathBuf, offset: u64, cause: io::Error },
    #[error("{}: cannot be written at byte {offset}: {cause}", path.display())]
    Write { path: PathBuf, offset: u64, cause: io::Error },
    #[error("{}: is no recording: it does not begin as an MCAP file does", path.display())]
    NotMcap { path: PathBuf },
    #[error(
        "{}: was written in format {found}, this program reads format {known} and older: a newer Pollux reads it",
        path.display()
    )]
    Newer { path: PathBuf, found: String, known: String },
    #[error("{}: has no attachment `{name}`", path.display())]
    NoAttachment { path: PathBuf, name: String },
    #[error("{}: {what} at byte {offset} is damaged: {reason}", path.display())]
    Damaged { path: PathBuf, what: String, offset: u64, reason: String },
    #[error(
        "{}: more than {limit_mib} MiB of messages overlap at {at}: chunks of this file are not in order of time; let \
         `mcap sort` put them in order",
        path.display()
    )]
    Overlap { path: PathBuf, limit_mib: usize, at: Timestamp },
    #[error("{}: {}: cannot be written beside it: {cause}", path.display(), rest.display())]
    Rest { path: PathBuf, rest: PathBuf, cause: io::Error },
    #[error(transparent)]
    File(#[from] FileError),
}

impl ReadError {
    pub(super) fn io(path: &Path, offset: u64, cause: io::Error) -> Self {
        Self::Io { path: path.to_owned(), offset, cause }
    }
}
