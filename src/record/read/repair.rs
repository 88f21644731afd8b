//! Makes a recording whole again, in place: any MCAP reader takes it afterwards. In: a path. Out: what was done.
//!
//! What cannot be read is cut off at the end; within the file it is set aside: a private record, which readers pass over,
//! covers it, and its bytes stay. Then a new summary follows. The file is changed from back to front as far as it goes:
//! if the power fails meanwhile, it can be repaired again.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::ReadError;
use super::file::Source;
use super::tail::{self, ChunkEntry, Tail};
use super::verify::{self, Piece, PieceKind, Verified};
use super::wire::{HEAD, MAGIC};

/// Opcodes from 0x80 on are for applications: readers that do not know this one pass over it.
const SET_ASIDE: u8 = 0xFE;
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
    /// Bytes within the file that are passed over from now on.
    pub set_aside_bytes: u64,
}

/// Repairs a recording in place. One that is whole is not touched, nor is one that is being written.
pub fn repair(path: &Path) -> Result<Repaired, ReadError> {
    let source = Source::open(path)?;
    if source.read(0, MAGIC.len() as u64)?.as_deref() != Some(MAGIC) {
        return Err(ReadError::NotMcap { path: path.to_owned() });
    }
    let mut verified = verify::verify(&source)?;
    if let Some(offset) = verified.out_of_reach {
        return Err(ReadError::NotInPlace { path: path.to_owned(), offset });
    }
    let holes =
        holes(&mut verified.pieces).map_err(|offset| ReadError::NotInPlace { path: path.to_owned(), offset })?;
    // One damaged place is covered; where there are more, what hangs together is not known well enough to write over it.
    if let [_, (offset, _), ..] = holes[..] {
        return Err(ReadError::NotInPlace { path: path.to_owned(), offset });
    }
    let end = verified.pieces.last().map_or(MAGIC.len() as u64, |piece| piece.offset + piece.length);
    let mut done = Repaired {
        messages: messages(&verified.pieces),
        set_aside_bytes: holes.iter().map(|(from, to)| to - from).sum(),
        ..Repaired::default()
    };
    let data_end = if verified.is_finished { verified.end } else { source.len() };
    done.cut_bytes = data_end.saturating_sub(end);
    if verified.is_finished && verified.has_index && holes.is_empty() && done.cut_bytes == 0 {
        return Ok(done);
    }
    done.was_damaged = true;
    let open = |cause| ReadError::Open { path: path.to_owned(), cause };
    let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(open)?;
    if let Err(error) = file.try_lock() {
        let cause = match error {
            std::fs::TryLockError::Error(cause) => cause,
            std::fs::TryLockError::WouldBlock => io::Error::other("it is being written"),
        };
        return Err(open(cause));
    }
    if done.cut_bytes > WORTH_KEEPING {
        done.rest = Some(keep_rest(&source, end)?);
    }
    let retold = verified.retold.take();
    let (end, bytes) = tail_of(verified, end);
    let failed = |offset| move |cause| ReadError::Write { path: path.to_owned(), offset, cause };
    write(&mut file, end, &bytes).map_err(failed(end))?;
    file.set_len(end + bytes.len() as u64).map_err(failed(end))?;
    for (from, to) in holes {
        let is_told_here = |(at, _): &&(u64, Vec<u8>)| (from..to).contains(at);
        let mut cover = retold.as_ref().filter(is_told_here).map(|(_, bytes)| bytes.clone()).unwrap_or_default();
        let rest = to - from - cover.len() as u64;
        cover.push(SET_ASIDE);
        cover.extend((rest - HEAD).to_le_bytes());
        write(&mut file, from, &cover).map_err(failed(from))?;
    }
    file.sync_all().map_err(failed(end))?;
    Ok(done)
}

fn write(file: &mut File, at: u64, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

/// Stretches between good records. One too small for the head of a record takes the record before it along, unless that
/// holds messages or names of channels: then the offset is returned where repair would lose something.
fn holes(pieces: &mut Vec<Piece>) -> Result<Vec<(u64, u64)>, u64> {
    let mut holes: Vec<(u64, u64)> = Vec::new();
    let mut kept: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces.drain(..) {
        let end = kept.last().map_or(MAGIC.len() as u64, |last| last.offset + last.length);
        if piece.offset > end {
            let mut from = end;
            while piece.offset - from < HEAD {
                let Some(last) = kept.pop() else { break };
                if !matches!(last.kind, PieceKind::Index { .. }) {
                    return Err(last.offset);
                }
                from = last.offset;
            }
            if piece.offset - from < HEAD {
                // Nothing before it: it goes along with what follows.
                continue;
            }
            holes.push((from, piece.offset));
        }
        kept.push(piece);
    }
    *pieces = kept;
    // Holes that touch are one.
    holes.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::with_capacity(holes.len());
    for (from, to) in holes {
        match joined.last_mut() {
            Some((_, end)) if *end >= from => *end = to.max(*end),
            _ => joined.push((from, to)),
        }
    }
    Ok(joined)
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
    // A chunk of which only some messages are indexed would hide the others.
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

    fn reach(&mut self, start: u64, end: u64) {
        let (first, last) = self.times.unwrap_or((start, end));
        self.times = Some((first.min(start), last.max(end)));
    }
}

/// Copies what will be cut off into a file beside the recording.
fn keep_rest(source: &Source, end: u64) -> Result<PathBuf, ReadError> {
    let mut name = source.path().as_os_str().to_owned();
    name.push(".rest");
    let rest = PathBuf::from(name);
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
