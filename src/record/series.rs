//! The files of one recording: how they are named, and which of them stay. In: the name that was asked for, times. Out: new
//! names, old files removed. Never touches a file that does not carry the series' name and a time.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::options::Keep;
use crate::value::Timestamp;

const EXTENSION: &str = "mcap";

/// `NAME.mcap`, then `NAME-20261123T063000Z.mcap`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Series {
    folder: PathBuf,
    stem: String,
    extension: String,
}

impl Series {
    /// None if the path names no file.
    pub fn new(first: &Path) -> Option<Self> {
        let name = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
        Some(Self {
            folder: first.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned(),
            stem: name(first.file_stem())?,
            extension: name(first.extension()).unwrap_or_else(|| EXTENSION.to_owned()),
        })
    }

    /// Makes the next file, empty: one that was not there before. Never makes its folder: where that is missing, a disk
    /// may be.
    pub fn create(&self, now: Timestamp) -> io::Result<(PathBuf, File)> {
        let stamp = stamp(now);
        let plain = format!("{}.{}", self.stem, self.extension);
        let stamped = format!("{}-{stamp}.{}", self.stem, self.extension);
        let numbered = (2..1000).map(|n| format!("{}-{stamp}-{n}.{}", self.stem, self.extension));
        // Once a later one is there, the plain name would put the newest file before it.
        let plain = self.files().is_empty().then_some(plain);
        for name in plain.into_iter().chain([stamped]).chain(numbered) {
            let path = self.folder.join(name);
            match new_file(&path) {
                Ok(file) => return Ok((path, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many files of this second"))
    }

    /// Whether files can be made where they are wanted, as far as that can be told without making one.
    pub fn check_folder(&self) -> io::Result<()> {
        match std::fs::metadata(&self.folder)?.is_dir() {
            true => Ok(()),
            false => Err(io::Error::new(io::ErrorKind::NotADirectory, "its folder is none")),
        }
    }

    /// All files of the series that are there, the oldest first.
    pub fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut named: Vec<_> = entries
            .filter_map(|entry| {
                let place = self.place(&entry.file_name().to_string_lossy())?;
                Some((place, entry.path()))
            })
            .collect();
        named.sort();
        named.into_iter().map(|(_, path)| path).collect()
    }

    /// Where a name stands in the series: by its time, then by its number; none if it is no name of this series.
    fn place(&self, name: &str) -> Option<(String, u32)> {
        let stem = name.strip_suffix(&self.extension)?.strip_suffix('.')?;
        let rest = stem.strip_prefix(&self.stem)?;
        if rest.is_empty() {
            return Some((String::new(), 0));
        }
        let rest = rest.strip_prefix('-')?;
        let (time, number) = match rest.split_once('-') {
            Some((time, number)) => (time, number.parse().ok()?),
            None => (rest, 1),
        };
        let is_time = time.len() == 16
            && time.bytes().enumerate().all(|(at, byte)| match at {
                8 => byte == b'T',
                15 => byte == b'Z',
                _ => byte.is_ascii_digit(),
            });
        is_time.then(|| (time.to_owned(), number))
    }

    /// Removes what `keep` does not keep, the oldest first, never `current`. Says what could not be removed.
    pub fn tidy(&self, keep: Keep, current: &Path, now: SystemTime) -> Vec<String> {
        if keep == Keep::default() {
            return Vec::new();
        }
        let known: Vec<_> = self
            .files()
            .into_iter()
            .filter_map(|path| {
                let about = std::fs::metadata(&path).ok()?;
                let age = about.modified().ok().and_then(|then| now.duration_since(then).ok());
                Some((path, about.len(), age.unwrap_or(Duration::ZERO)))
            })
            .collect();
        let mut files = known.len() as u64;
        let mut bytes: u64 = known.iter().map(|(_, bytes, _)| bytes).sum();
        let mut left = Vec::new();
        for (path, size, age) in known.into_iter().filter(|(path, ..)| path != current) {
            let too_many = keep.files.is_some_and(|most| files > most);
            let too_large = keep.bytes.is_some_and(|most| bytes > most);
            let too_old = keep.age.is_some_and(|oldest| age > oldest);
            if !(too_many || too_large || too_old) {
                continue;
            }
            match std::fs::remove_file(&path) {
                Ok(()) => {
                    files -= 1;
                    bytes = bytes.saturating_sub(size);
                    tracing::info!("{}: removed, as newer recordings take its place", path.display());
                }
                Err(error) => left.push(format!("{}: the old recording cannot be removed: {error}", path.display())),
            }
        }
        left
    }
}

fn new_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    // Others may read and delete it, not write.
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, 1 | 4);
    options.open(path)
}

/// `20261123T063000Z` (ISO 8601, basic format).
pub(super) fn stamp(time: Timestamp) -> String {
    let text = Timestamp(time.0.div_euclid(1_000_000_000).saturating_mul(1_000_000_000)).to_string();
    text.chars().filter(|c| !matches!(c, '-' | ':')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_415_400_123_456_789);

    fn names(series: &Series) -> Vec<String> {
        series.files().iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn later_files_carry_their_time_and_none_is_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let series = Series::new(&dir.path().join("hall.mcap")).unwrap();
        for _ in 0..3 {
            series.create(NOW).unwrap();
        }
        let later = series.create(Timestamp(NOW.0 + 1_000_000_000)).unwrap().0;
        assert_eq!(
            names(&series),
            ["hall.mcap", "hall-20261123T063000Z.mcap", "hall-20261123T063000Z-2.mcap", "hall-20261123T063001Z.mcap"]
        );
        assert_eq!(series.files().last(), Some(&later));
        std::fs::remove_file(dir.path().join("hall.mcap")).unwrap();
        series.create(NOW).unwrap();
        assert!(!dir.path().join("hall.mcap").exists(), "it would stand before older ones");
    }

    #[test]
    fn only_old_files_of_the_series_go_and_the_current_one_stays() {
        let dir = tempfile::tempdir().unwrap();
        let series = Series::new(&dir.path().join("hall.mcap")).unwrap();
        for other in ["hall-2.mcap", "hall-notes.mcap", "hallway.mcap", "hall.mcap.bak", "hall-20261123T063000Z.txt"] {
            std::fs::write(dir.path().join(other), "other").unwrap();
        }
        let mut last = PathBuf::new();
        for second in 0..5 {
            last = series.create(Timestamp(NOW.0 + second * 1_000_000_000)).unwrap().0;
            std::fs::write(&last, "0123456789").unwrap();
        }
        let now = SystemTime::now();
        let tidy = |keep: Keep| {
            assert!(series.tidy(keep, &last, now).is_empty());
            names(&series).len()
        };
        assert_eq!(tidy(Keep::default()), 5);
        assert_eq!(tidy(Keep { files: Some(4), ..Keep::default() }), 4);
        assert!(!dir.path().join("hall.mcap").exists(), "the oldest goes first");
        assert_eq!(tidy(Keep { bytes: Some(25), ..Keep::default() }), 2);
        assert_eq!(tidy(Keep { age: Some(Duration::from_secs(60)), ..Keep::default() }), 2);
        let later = now + Duration::from_secs(120);
        assert!(series.tidy(Keep { age: Some(Duration::from_secs(60)), ..Keep::default() }, &last, later).is_empty());
        assert_eq!(series.files(), [last.clone()]);
        assert_eq!(tidy(Keep { files: Some(1), bytes: Some(1), ..Keep::default() }), 1);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1 + 5, "others are not touched");
    }
}
