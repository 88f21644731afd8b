//! Notes and bookmarks on a recording, beside it: `NAME.notes.jsonl` for `NAME.mcap`. The recording itself is never
//! rewritten.
//!
//! In: events of people, one at a time. Out: a file of JSON lines that only grows, one [`Event`] each, and what it holds.
//! `time` is the moment of the recording that a note is about, `received` is when it was written, by the clock on the
//! wall, and `by` is who wrote it. Several people, or programs, may append to one file: a line is written as a whole.
//! Never touches the recording, never reads a clock.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::event::{Event, Journal, Kind};
use crate::value::Timestamp;

const SUFFIX: &str = "notes.jsonl";
/// More than people write in years: a larger file is no file of notes.
const LARGEST_BYTES: u64 = 64 << 20;

#[derive(Debug, thiserror::Error)]
pub enum NotesError {
    #[error("the notes in {} cannot be read ({error}); the recording is shown without them", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("{} has {size} bytes: more than {LARGEST_BYTES} are not read as notes; the recording is shown without them", path.display())]
    TooLarge { path: PathBuf, size: u64 },
    #[error("a note cannot be added to {} ({error}): see whether its folder may be written to", path.display())]
    Append { path: PathBuf, error: io::Error },
}

/// What a file of notes holds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Notes {
    /// In the order of the file. Their ids are those of the journals that they were written in, and repeat.
    pub events: Vec<Event>,
    /// A sentence for each line that is no event; it stays in the file.
    pub problems: Vec<String>,
}

/// Where the notes on a recording are: `shift.mcap` has `shift.notes.jsonl`.
pub fn beside(recording: &Path) -> PathBuf {
    let mut name: OsString = recording.file_stem().unwrap_or_default().to_owned();
    name.push(".");
    name.push(SUFFIX);
    recording.with_file_name(name)
}

/// All notes of a file. A file that is not there holds none.
pub fn read(path: &Path) -> Result<Notes, NotesError> {
    let failed = |error| NotesError::Read { path: path.to_owned(), error };
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Notes::default()),
        opened => opened.map_err(failed)?,
    };
    let size = file.metadata().map_err(failed)?.len();
    if size > LARGEST_BYTES {
        return Err(NotesError::TooLarge { path: path.to_owned(), size });
    }
    let mut bytes = Vec::new();
    // A file that grows meanwhile is read as far as it may.
    file.take(LARGEST_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    Ok(parse(path, &bytes))
}

fn parse(path: &Path, bytes: &[u8]) -> Notes {
    let mut notes = Notes::default();
    for (line, number) in bytes.split(|byte| *byte == b'\n').zip(1..) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Event>(line) {
            Ok(event) => notes.events.push(event),
            Err(error) => notes.problems.push(format!("{}, line {number}: no note ({error})", path.display())),
        }
    }
    notes
}

/// Adds one note, and waits until it is on disk: people write few, and none must be lost.
pub fn append(path: &Path, event: &Event) -> Result<(), NotesError> {
    let failed = |error| NotesError::Append { path: path.to_owned(), error };
    let mut line = serde_json::to_string(event).map_err(|error| failed(error.into()))?;
    line.push('\n');
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(path).map_err(failed)?;
    // What a disk that was full has left of a line is closed, so that it spoils no other.
    if !ends_with_a_line(&mut file).map_err(failed)? {
        line.insert(0, '\n');
    }
    file.write_all(line.as_bytes()).and_then(|()| file.sync_data()).map_err(failed)
}

fn ends_with_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Keeps what people write into the journal of a replay beside its recording.
#[derive(bevy::prelude::Resource, Clone, PartialEq, Eq, Debug)]
pub struct NoteKeeper {
    path: PathBuf,
    /// The last event of the journal that was looked at.
    seen: u64,
}

impl NoteKeeper {
    /// Of the recording at `recording`. What `journal` holds by now is kept already.
    pub fn new(recording: &Path, journal: &Journal) -> Self {
        Self { path: beside(recording), seen: journal.last_id() }
    }

    /// Appends the notes and bookmarks that are new in the journal, as written at `wall`. Gives what could not be kept; it
    /// is not tried again, and stays in the journal as long as the program runs.
    pub fn keep(&mut self, journal: &Journal, wall: Timestamp) -> Vec<NotesError> {
        if journal.last_id() == self.seen {
            return Vec::new();
        }
        let new = journal.after(self.seen).filter(|event| is_remark(event));
        let written = |event: &std::sync::Arc<Event>| Event { received: wall, ..Event::clone(event) };
        let failed = new.filter_map(|event| append(&self.path, &written(event)).err()).collect();
        self.seen = journal.last_id();
        failed
    }

    /// What `journal` has got since is no remark of a person, and not kept.
    pub fn pass_over(&mut self, journal: &Journal) {
        self.seen = journal.last_id();
    }
}

fn is_remark(event: &Event) -> bool {
    matches!(event.kind, Kind::Note { .. } | Kind::Bookmark { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Draft;

    fn remark(kind: Kind) -> Event {
        Event {
            id: 7,
            time: Timestamp(1_000),
            received: Timestamp(2_000),
            twin: Some("P-101".into()),
            by: Some("ada".into()),
            comment: String::new(),
            kind,
        }
    }

    fn note(text: &str) -> Event {
        remark(Kind::Note { text: text.into() })
    }

    #[test]
    fn notes_lie_beside_their_recording() {
        assert_eq!(beside(Path::new("shift/early.mcap")), Path::new("shift/early.notes.jsonl"));
        assert_eq!(beside(Path::new("early-20261123T063000Z.mcap")), Path::new("early-20261123T063000Z.notes.jsonl"));
    }

    #[test]
    fn what_is_appended_is_read_again_and_a_missing_file_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.notes.jsonl");
        assert_eq!(read(&path).unwrap(), Notes::default());
        let events = [note("smells hot"), remark(Kind::Bookmark { text: "line\nbreak".into() }), note("\u{1f980}")];
        events.iter().for_each(|event| append(&path, event).unwrap());
        assert_eq!(read(&path).unwrap(), Notes { events: events.into(), problems: Vec::new() });
    }

    #[test]
    fn a_torn_line_spoils_no_other_and_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.notes.jsonl");
        append(&path, &note("one")).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], &whole[..20]].concat()).unwrap();
        append(&path, &note("two")).unwrap();
        let notes = read(&path).unwrap();
        assert_eq!(notes.events, [note("one"), note("two")]);
        assert!(matches!(&notes.problems[..], [only] if only.contains("line 2")), "{:?}", notes.problems);
    }

    #[test]
    fn a_keeper_writes_each_new_remark_once_with_the_time_on_the_wall() {
        let folder = tempfile::tempdir().unwrap();
        let recording = folder.path().join("a.mcap");
        let mut journal = Journal::default();
        let draft = |text: &str| {
            let kind = Kind::Note { text: text.into() };
            Draft::new(Timestamp(10), Timestamp(20), kind).by("grace", "")
        };
        journal.record(draft("of the recording"));
        let mut keeper = NoteKeeper::new(&recording, &journal);
        journal.record(Draft::new(Timestamp(10), Timestamp(20), Kind::Birth));
        journal.record(draft("mine"));
        for _ in 0..3 {
            assert!(keeper.keep(&journal, Timestamp(999)).is_empty());
        }
        let notes = read(&beside(&recording)).unwrap();
        let told: Vec<_> = notes.events.iter().map(|note| (note.summary(), note.time, note.received)).collect();
        assert_eq!(told, [("mine".to_owned(), Timestamp(10), Timestamp(999))]);
        assert_eq!(notes.events[0].by.as_deref(), Some("grace"));
        let mut nowhere = NoteKeeper::new(&folder.path().join("gone").join("a.mcap"), &Journal::default());
        let failed = nowhere.keep(&journal, Timestamp(0));
        assert_eq!(failed.len(), 2, "one for each note");
        assert!(failed.iter().all(|error| error.to_string().contains("a.notes.jsonl")));
    }
}
