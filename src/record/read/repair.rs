//! Makes a recording whole again: any MCAP reader takes it afterwards. In: a path. Out: what was done.
//!
//! Where nothing but the end is missing, that is written anew in its place: cut off is what no whole record stands in. Any
//! other damage: all that is whole is written into a new file ([`rebuild`]), which then takes the place of
//! the old one in one step. The old one stays beside it as `NAME.mcap.damaged`, unless all of it could be kept. If the
//! power fails meanwhile, it can be repaired again.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::ReadError;
use super::file::Source;
use super::rebuild;
use super::tail::{self, ChunkEntry, Tail};
use super::verify::{self, Piece, PieceKind, Verified};
use super::wire::{HEAD, MAGIC};

/// What is cut off at the end is kept beside the file if it is more than this: no crash leaves so much.
const WORTH_KEEPING: u64 = 4 << 20;

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
    let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(open)?;
    if let Err(error) = file.try_lock() {
        let cause = match error {
            std::fs::TryLockError::Error(cause) => cause,
            std::fs::TryLockError::WouldBlock => io::Error::other("it is being written"),
        };
        return Err(open(cause));
    }
    // Where nothing but the end is missing it is put there, whatever the size of the file.
    if !is_right || done.cut_bytes > 0 && rebuild::has_more(&source, end)? {
        return anew(&source);
    }
    done.was_damaged = true;
    if done.cut_bytes > WORTH_KEEPING {
        done.rest = Some(keep_rest(&source, end)?);
    }
    let (end, bytes) = tail_of(verified, end);
    let failed = |offset| move |cause| ReadError::Write { path: path.to_owned(), offset, cause };
    write(&mut file, end, &bytes).map_err(failed(end))?;
    file.set_len(end + bytes.len() as u64).map_err(failed(end))?;
    file.sync_all().map_err(failed(end))?;
    Ok(done)
}

fn write(file: &mut File, at: u64, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
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

/// Writes what is whole into a new file beside, and puts that in the place of the old one, which stays beside it if
/// anything of it is left out.
fn anew(source: &Source) -> Result<Repaired, ReadError> {
    let path = source.path();
    let beside = with_ending(path, "repairing");
    let failed = |cause| ReadError::Rest { path: path.to_owned(), rest: beside.clone(), cause };
    // What a repair that was killed has left.
    let mut new = BufWriter::new(File::create(&beside).map_err(failed)?);
    let written = rebuild::rebuild(source, &mut new).and_then(|rebuilt| {
        new.flush().and_then(|()| new.get_ref().sync_all()).map_err(failed)?;
        let original = (rebuilt.left_out > 0).then(|| keep_original(path)).transpose().map_err(failed)?;
        std::fs::rename(&beside, path).map_err(failed)?;
        Ok(Repaired {
            was_damaged: true,
            messages: rebuilt.messages,
            cut_bytes: 0,
            rest: None,
            set_aside_bytes: rebuilt.left_out,
            original,
        })
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// Another name for the old file. The new one then takes its first name: at no time there is none.
fn keep_original(path: &Path) -> io::Result<PathBuf> {
    let names = std::iter::once("damaged".to_owned()).chain((2..1000).map(|n| format!("damaged-{n}")));
    for name in names {
        let kept = with_ending(path, &name);
        match std::fs::hard_link(path, &kept) {
            Ok(()) => return Ok(kept),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // A file system without links.
            Err(_) if !kept.exists() => return std::fs::rename(path, &kept).map(|()| kept),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many damaged ones are kept already"))
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
    let mut at = end;
    while at < source.len() {
        let length = (source.len() - at).min(1 << 20);
        file.write_all(&source.read(at, length)?.unwrap_or_default()).map_err(failed)?;
        at += length;
    }
    file.sync_all().map_err(failed)?;
    Ok(rest)
}
