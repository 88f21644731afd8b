//! The file of a store: appended to, or replaced whole. In: bytes. Out: durable bytes, or the error of the system.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::event::taken_away::leads_to;

/// What a store needs of a disk; tests give it one that fails.
pub trait Disk: Send + 'static {
    /// Adds bytes at the end. After a failure it is unknown how many: the next call must be `replace`.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// All that was appended outlives a power cut.
    fn sync(&mut self) -> io::Result<()>;
    /// Puts a new content in the place of the old, durable at once. A crash leaves either the old one or the new one.
    fn replace(&mut self, bytes: &[u8]) -> io::Result<()>;
}

pub struct LogFile {
    path: PathBuf,
    /// None until the first `replace`.
    file: Option<File>,
}

impl LogFile {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), file: None }
    }

    fn file(&mut self) -> io::Result<&mut File> {
        self.file.as_mut().ok_or_else(|| io::Error::other("the file was not opened yet"))
    }
}

impl Disk for LogFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file()?.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file()?.sync_data()?;
        // Writing into a file that nobody will find would go well for ever.
        let here = self.file.as_ref().is_some_and(|file| leads_to(&self.path, file));
        if here { Ok(()) } else { Err(io::Error::other("the file was moved or deleted by another program")) }
    }

    fn replace(&mut self, bytes: &[u8]) -> io::Result<()> {
        let new = self.path.with_added_extension("new");
        let written = (|| {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&new)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&new, &self.path)?;
            sync_folder(&self.path)?;
            Ok(file)
        })();
        match written {
            Ok(file) => {
                // Its position is behind what was written: it goes on there.
                self.file = Some(file);
                Ok(())
            }
            Err(error) => {
                // Half a copy on a full disk only takes room.
                let _ = fs::remove_file(&new);
                Err(error)
            }
        }
    }
}

/// Makes a rename durable: it is an entry of the folder.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        #[cfg(unix)]
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// Copies a damaged file to `FILE.damaged-STAMP`, which must not exist yet, and says where to.
pub fn set_aside(path: &Path, stamp: &str) -> io::Result<PathBuf> {
    let mut aside = path.with_added_extension(format!("damaged-{stamp}"));
    for n in 2..100 {
        if !aside.try_exists()? {
            break;
        }
        aside = path.with_added_extension(format!("damaged-{stamp}-{n}"));
    }
    // Where there is no room for a copy, the file itself moves. Not the first choice: a crash right after it would
    // leave no store at all.
    let copied = fs::copy(path, &aside).and_then(|_| File::open(&aside)?.sync_all());
    if copied.is_err() {
        fs::rename(path, &aside)?;
    }
    sync_folder(&aside)?;
    Ok(aside)
}
