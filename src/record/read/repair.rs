//! Makes a recording whole again: any MCAP reader takes it afterwards. In: a path. Out: what was done.
//!
//! Where nothing but the end is missing, that is written anew: cut off is what no whole record stands in. Any other damage:
//! all that is whole is written into a new file ([`rebuild`]). The repaired file takes the place of the old one in one
//! step. The old one stays beside it as `NAME.mcap.damaged`, unless all of it could be kept. What fails leaves the old
//! file as it was.
//!
//! A large file, and one that finds no room for a copy, gets its new end in its place: there is nothing whole. If that
//! fails, the old end is put back; if the power fails meanwhile, it can be repaired again.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::ReadError;
use super::file::{Source, lasting};
use super::rebuild;
use super::tail::{self, ChunkEntry, Tail};
use super::verify::{self, Piece, PieceKind, Verified};
use super::wire::{HEAD, MAGIC};
use crate::files::{Existing, FileError, NewFile};

/// What is cut off at the end is kept beside the file if it is more than this: no crash leaves so much.
const WORTH_KEEPING: u64 = 4 << 20;

/// A file up to this size is copied to get a new end.
const COPIED: u64 = 256 << 20;

/// What [`repair`] has done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Repaired {
    /// False: the file was whole and was not touched.
    pub was_damaged: bool,
    /// Messages, events and keyframes that the file has now.
    pub messages: u64,
    /// Bytes cut off at the end.
    pub cut_bytes: u64,
    /// Where they are kept, if they were many.
    pub rest: Option<PathBuf>,
    /// Bytes of the old file that are not in the new one.
    pub set_aside_bytes: u64,
    /// The old file, if anything of it had to be left out.
    pub original: Option<PathBuf>,
}

/// Repairs a recording in place. One that is whole is not touched, nor is one that is being written.
pub fn repair(path: &Path) -> Result<Repaired, ReadError> {
    let source = Source::open(path)?;
    if source.read(0, MAGIC.len() as u64)?.as_deref() != Some(MAGIC) {
        return Err(ReadError::NotMcap { path: path.to_owned() });
    }
    let open = |cause| ReadError::Open { path: path.to_owned(), cause };
    if source.is_growing() {
        return Err(open(io::Error::other("it is being written")));
    }
    let verified = verify::verify(&source)?;
    let end = verified.pieces.last().map_or(MAGIC.len() as u64, |piece| piece.offset + piece.length);
    let mut done = Repaired { messages: messages(&verified.pieces), ..Repaired::default() };
    let data_end = if verified.is_finished { verified.end } else { source.len() };
    done.cut_bytes = data_end.saturating_sub(end);
    let is_sound = !verified.has_strays && has_no_hole(&verified.pieces) && indexes_are_whole(&verified.pieces);
    let is_right = is_sound && (!verified.is_finished || data_crc_is_right(&source, verified.end)?);
    if is_right && verified.is_finished && verified.has_index && done.cut_bytes == 0 {
        return Ok(done);
    }
    // Before the lock, which would be in its way.
    let new = NewFile::begin(path, Existing::Replace);
    let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(open)?;
    if let Err(error) = lasting(|| file.try_lock()) {
        let cause = match error {
            std::fs::TryLockError::Error(cause) => cause,
            std::fs::TryLockError::WouldBlock => io::Error::other("it is being written"),
        };
        return Err(open(cause));
    }
    // Where nothing but the end is missing it is put there, whatever the size of the file.
    if !is_right || done.cut_bytes > 0 && rebuild::has_more(&source, end)? {
        return anew(&source, new?);
    }
    done.was_damaged = true;
    if done.cut_bytes > WORTH_KEEPING {
        done.rest = Some(keep_rest(&source, end)?);
    }
    let (end, bytes) = tail_of(verified, end);
    let is_copied = end <= COPIED && new.is_ok_and(|new| copy_with_end(&mut file, new, end, &bytes).is_ok());
    if !is_copied {
        put_end(&mut file, end, &bytes).map_err(|cause| ReadError::Write {
            path: path.to_owned(),
            offset: end,
            cause,
        })?;
    }
    Ok(done)
}

/// A new file of the first `end` bytes and a new end, in the place of the old one.
fn copy_with_end(file: &mut File, new: NewFile, end: u64, bytes: &[u8]) -> Result<(), FileError> {
    let failed = |cause| FileError::Write { path: new.path().to_owned(), cause };
    let written = file.rewind().and_then(|()| {
        let copied = io::copy(&mut Read::by_ref(file).take(end), &mut new.file())?;
        if copied < end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        new.file().write_all(bytes)
    });
    written.map_err(failed)?;
    new.finish()
}

/// A new end in the place of what stands there; that is put back if it cannot be written.
fn put_end(file: &mut (impl Read + Write + Seek + Length), end: u64, bytes: &[u8]) -> io::Result<()> {
    let length = file.length()?;
    let mut old = Vec::new();
    file.seek(SeekFrom::Start(end))?;
    Read::by_ref(file).take(bytes.len() as u64).read_to_end(&mut old)?;
    let put = |file: &mut _, bytes: &[u8], length| put(file, end, bytes, length);
    put(file, bytes, end + bytes.len() as u64).map_err(|error| match put(file, &old, length) {
        Ok(()) => error,
        Err(again) => io::Error::other(format!("{error}; its old end could not be put back: {again}")),
    })
}

fn put(file: &mut (impl Write + Seek + Length), at: u64, bytes: &[u8], length: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)?;
    file.flush()?;
    file.set_length(length)
}

/// A file, or what stands for one that fails.
trait Length {
    fn length(&self) -> io::Result<u64>;

    /// All of it is on the disk then.
    fn set_length(&mut self, length: u64) -> io::Result<()>;
}

impl Length for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_length(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.sync_all()
    }
}

/// Whether one record follows the other.
fn has_no_hole(pieces: &[Piece]) -> bool {
    let mut end = MAGIC.len() as u64;
    pieces.iter().all(|piece| std::mem::replace(&mut end, piece.offset + piece.length) == piece.offset)
}

/// Whether each chunk has an index of all its channels, or none at all. What the last one lacks is put at the end.
fn indexes_are_whole(pieces: &[Piece]) -> bool {
    let mut left = pieces;
    while let [first, rest @ ..] = left {
        left = rest;
        let PieceKind::Chunk(chunk) = &first.kind else { continue };
        let indexes = rest.iter().map_while(|piece| match piece.kind {
            PieceKind::Index { channel } => Some(channel),
            _ => None,
        });
        let indexed: BTreeSet<u16> = indexes.collect();
        let is_last = rest.iter().all(|piece| matches!(piece.kind, PieceKind::Index { .. }));
        if !(is_last || indexed.is_empty() || chunk.entries.keys().all(|channel| indexed.contains(channel))) {
            return false;
        }
    }
    true
}

/// Whether what the record at `end`, which ends the data, says of all before it is true; it may say nothing.
fn data_crc_is_right(source: &Source, end: u64) -> Result<bool, ReadError> {
    let Some(said) = source.read(end.saturating_add(HEAD), 4)? else { return Ok(true) };
    let said = super::wire::Fields(&said).u32().unwrap_or(0);
    if said == 0 {
        return Ok(true);
    }
    let mut hasher = crc32fast::Hasher::new();
    let mut at = 0;
    while at < end {
        let length = (end - at).min(1 << 20);
        hasher.update(&source.read(at, length)?.unwrap_or_default());
        at += length;
    }
    Ok(hasher.finalize() == said)
}

/// Writes what is whole into a new file, and puts that in the place of the old one, which stays beside it if anything of
/// it is left out.
fn anew(source: &Source, new: NewFile) -> Result<Repaired, ReadError> {
    let failed = |cause| FileError::Write { path: source.path().to_owned(), cause };
    let mut out = BufWriter::new(new.file());
    let rebuilt = rebuild::rebuild(source, &mut out)?;
    out.flush().map_err(failed)?;
    drop(out);
    let original = match rebuilt.left_out {
        0 => None,
        _ => Some(Kept::of(source.path()).map_err(failed)?),
    };
    match (new.finish(), original) {
        (Ok(()), original) => Ok(Repaired {
            was_damaged: true,
            messages: rebuilt.messages,
            cut_bytes: 0,
            rest: None,
            set_aside_bytes: rebuilt.left_out,
            original: original.map(|kept| kept.name),
        }),
        (Err(error), original) => {
            original.into_iter().for_each(Kept::undo);
            Err(error.into())
        }
    }
}

/// Another name for the old file. The new one then takes its first name: at no time there is none.
struct Kept {
    first: PathBuf,
    name: PathBuf,
    /// It has both names.
    is_link: bool,
}

impl Kept {
    fn of(path: &Path) -> io::Result<Self> {
        // The file itself: a link would lead to the new one.
        let first = path.canonicalize()?;
        let names = std::iter::once("damaged".to_owned()).chain((2..1000).map(|n| format!("damaged-{n}")));
        for ending in names {
            let name = with_ending(&first, &ending);
            let is_link = match std::fs::hard_link(&first, &name) {
                Ok(()) => true,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                // A file system without links.
                Err(_) if !name.exists() => {
                    std::fs::rename(&first, &name)?;
                    false
                }
                Err(error) => return Err(error),
            };
            return Ok(Self { first, name, is_link });
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many damaged ones are kept already"))
    }

    /// The old file has its first name, and no other.
    fn undo(self) {
        let Self { first, name, is_link } = self;
        let undone = if is_link { std::fs::remove_file(&name) } else { std::fs::rename(&name, &first) };
        if let Err(error) = undone {
            tracing::warn!("{}: the damaged file is left under this name: {error}", name.display());
        }
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn messages(pieces: &[Piece]) -> u64 {
    let count = |piece: &Piece| match &piece.kind {
        PieceKind::Chunk(chunk) => chunk.entries.values().map(|entries| entries.len() as u64).sum(),
        PieceKind::Message { .. } => 1,
        _ => 0,
    };
    pieces.iter().map(count).sum()
}

/// Where the end of the file is to be written, and what.
fn tail_of(verified: Verified, mut end: u64) -> (u64, Vec<u8>) {
    let Verified { mut pieces, schemas, channels, .. } = verified;
    let mut bytes = Vec::new();
    // The last chunk may lack message indexes: it gets all of them anew.
    let last = pieces.iter().rposition(|piece| !matches!(piece.kind, PieceKind::Index { .. }));
    if let Some(at) = last
        && let Some(Piece { offset, length, kind: PieceKind::Chunk(chunk) }) = pieces.get(at)
    {
        end = offset + length;
        tail::message_indexes(&chunk.entries, &mut bytes);
        let mut from = end;
        let anew: Vec<Piece> = chunk
            .entries
            .iter()
            .map(|(channel, entries)| {
                let length = super::wire::INDEX_HEAD + entries.len() as u64 * super::wire::INDEX_ENTRY;
                from += length;
                Piece { offset: from - length, length, kind: PieceKind::Index { channel: *channel } }
            })
            .collect();
        pieces.truncate(at + 1);
        pieces.extend(anew);
    }
    let mut tail = Tail { schemas, channels, ..Tail::default() };
    for piece in pieces {
        tail.add(piece);
    }
    // A partial index of a chunk would hide the other messages.
    for chunk in tail.chunks.iter_mut().filter(|chunk| chunk.indexes.len() != chunk.channels) {
        chunk.indexes.clear();
        chunk.indexes_length = 0;
    }
    bytes.extend(tail.bytes(end + bytes.len() as u64));
    (end, bytes)
}

impl Tail {
    fn add(&mut self, piece: Piece) {
        let Piece { offset, length, kind } = piece;
        match kind {
            PieceKind::Chunk(chunk) => {
                for (channel, entries) in &chunk.entries {
                    *self.counts.entry(*channel).or_default() += entries.len() as u64;
                }
                chunk.times.into_iter().for_each(|(start, end)| self.reach(start, end));
                let (start, end) = chunk.times.unwrap_or((0, 0));
                self.chunks.push(ChunkEntry {
                    offset,
                    length,
                    start,
                    end,
                    channels: chunk.entries.len(),
                    indexes: Default::default(),
                    indexes_length: 0,
                    compression: chunk.compression,
                    compressed: chunk.compressed,
                    uncompressed: chunk.uncompressed,
                });
            }
            PieceKind::Index { channel } => {
                if let Some(chunk) = self.chunks.last_mut() {
                    chunk.indexes.insert(channel, offset);
                    chunk.indexes_length += length;
                }
            }
            PieceKind::Attachment(attachment) => self.attachments.push(attachment),
            PieceKind::Metadata(name) => self.metadata.push((offset, length, name)),
            PieceKind::Message { channel, log_time } => {
                *self.counts.entry(channel).or_default() += 1;
                self.reach(log_time, log_time);
            }
            PieceKind::Other => {}
        }
    }

    pub(super) fn reach(&mut self, start: u64, end: u64) {
        let (first, last) = self.times.unwrap_or((start, end));
        self.times = Some((first.min(start), last.max(end)));
    }
}

/// Copies what will be cut off into a file beside the recording.
fn keep_rest(source: &Source, end: u64) -> Result<PathBuf, ReadError> {
    let rest = with_ending(source.path(), "rest");
    let failed = |cause| ReadError::Rest { path: source.path().to_owned(), rest: rest.clone(), cause };
    let mut file = OpenOptions::new().write(true).create_new(true).open(&rest).map_err(failed)?;
    let mut copy = || {
        let mut at = end;
        while at < source.len() {
            let length = (source.len() - at).min(1 << 20);
            file.write_all(&source.read(at, length)?.unwrap_or_default()).map_err(failed)?;
            at += length;
        }
        file.sync_all().map_err(failed)
    };
    if let Err(error) = copy() {
        // A part of it is of no use, and would be in the way of the next repair.
        let _ = std::fs::remove_file(&rest);
        return Err(error);
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A file whose nth call fails, and those after it too, until it is asked to put back what was there.
    struct Failing {
        file: Cursor<Vec<u8>>,
        left: usize,
    }

    impl Failing {
        fn count(&mut self) -> io::Result<()> {
            let is_due = self.left == 0;
            self.left = self.left.checked_sub(1).unwrap_or(usize::MAX);
            if is_due { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        }
    }

    impl Read for Failing {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.file.read(into)
        }
    }

    impl Seek for Failing {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.file.seek(to)
        }
    }

    impl Write for Failing {
        /// Half of what is asked for goes through.
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.count()?;
            self.file.write(&bytes[..bytes.len().div_ceil(2)])
        }

        fn flush(&mut self) -> io::Result<()> {
            self.count()
        }
    }

    impl Length for Failing {
        fn length(&self) -> io::Result<u64> {
            Ok(self.file.get_ref().len() as u64)
        }

        fn set_length(&mut self, length: u64) -> io::Result<()> {
            self.count()?;
            self.file.get_mut().resize(length as usize, 0);
            Ok(())
        }
    }

    #[test]
    fn an_end_that_cannot_be_written_in_its_place_is_put_back_as_it_was() {
        for old in ["messages, broken", "messages, broken, and very long", "messages"] {
            let mut calls = 0;
            loop {
                let mut file = Failing { file: Cursor::new(old.as_bytes().to_vec()), left: calls };
                match put_end(&mut file, 8, b", a new end") {
                    Ok(()) => {
                        assert_eq!(file.file.into_inner(), b"messages, a new end");
                        break;
                    }
                    Err(_) => assert_eq!(String::from_utf8_lossy(file.file.get_ref()), old, "call {calls}"),
                }
                calls += 1;
            }
            assert!(calls > 2, "{calls}");
        }
    }
}
