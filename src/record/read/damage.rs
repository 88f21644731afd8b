//! What a recording lacks, in sentences for people. In: what opening and reading found. Out: text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use parking_lot::Mutex;

use super::ReadError;
use super::chunk::{ChunkError, ChunkSpan};
use crate::value::Timestamp;

/// What is missing from a recording that can be read otherwise. Chunks are checked when they are read, so that more may
/// become known with time.
#[derive(Debug, Default)]
pub struct Damage {
    /// Why the index at the end could not be used.
    pub(super) index: Option<NoIndex>,
    /// Bytes at the end that hold no whole record.
    pub(super) cut: u64,
    /// The newest moment that can be read.
    pub(super) last: Option<Timestamp>,
    /// By their offset, and the first moment in them.
    spoiled: Mutex<BTreeMap<(u64, Option<Timestamp>), u64>>,
    /// What people can do something about, in sentences.
    told: Mutex<BTreeSet<String>>,
}

/// More sentences than these nobody reads.
const MOST_TOLD: usize = 8;

/// Why there is no index at the end of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoIndex {
    /// The end is missing: the program was killed, the disk was full, the file was cut.
    Unfinished,
    /// A program is writing it: the end is yet to come.
    Growing,
    /// There is one, and it is wrong.
    Wrong,
}

impl Damage {
    /// Whether something is missing.
    pub fn is_some(&self) -> bool {
        self.index.is_some() || self.cut > 0 || !self.spoiled.lock().is_empty() || !self.told.lock().is_empty()
    }

    /// Whether the file is still being written, so that nothing but its end is missing.
    pub fn is_growing(&self) -> bool {
        self.index == Some(NoIndex::Growing)
    }

    /// Pieces that could not be used, so far.
    pub fn spoiled(&self) -> usize {
        self.spoiled.lock().len()
    }

    /// Bytes at the end that hold no whole record.
    pub fn cut_bytes(&self) -> u64 {
        self.cut
    }

    /// A piece at `offset` with messages from `from` on cannot be used. Said once, however often it is tried.
    pub(super) fn spoil(&self, offset: u64, bytes: u64, from: Option<Timestamp>, why: &str) {
        let before = self.spoiled.lock().insert((offset, from), bytes);
        if before.is_none() {
            tracing::debug!("{bytes} bytes at byte {offset} cannot be read: {why}");
        }
    }
}

impl Damage {
    /// A sentence for people; said once.
    pub(super) fn tell(&self, why: &str) {
        let mut told = self.told.lock();
        if told.len() < MOST_TOLD {
            told.insert(why.to_owned());
        }
    }

    /// A chunk cannot be used. An error that is of the disk stays one.
    pub(super) fn spoil_chunk(
        &self,
        place: ChunkSpan,
        from: Option<Timestamp>,
        error: ChunkError,
    ) -> Result<(), ReadError> {
        let why = match error {
            ChunkError::Read(error) => return Err(error),
            ChunkError::Spoiled(why) => why,
            ChunkError::Told(why) => {
                self.tell(&why);
                why
            }
        };
        self.spoil(place.offset, place.length, from, &why);
        Ok(())
    }
}

/// One or more sentences: `the recording was not finished: 812 bytes at its end, after …, cannot be read`.
impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sentences = Vec::new();
        let after = self.last.map(|last| format!(", after {last},")).unwrap_or_default();
        match (self.index, self.cut) {
            (Some(NoIndex::Unfinished), 0) => {
                sentences.push("the recording was not finished; all that reached the file is there".to_owned());
            }
            (Some(NoIndex::Unfinished), cut) => {
                sentences
                    .push(format!("the recording was not finished: {} at its end{after} cannot be read", bytes(cut)));
            }
            (Some(NoIndex::Growing), _) => {
                let until = self.last.map(|last| format!(", up to {last}")).unwrap_or_default();
                sentences.push(format!("it is still being written: this is what was in it when it was opened{until}"));
            }
            (Some(NoIndex::Wrong), 0) => {
                sentences.push("the index at the end is damaged; it was made anew from the rest".to_owned());
            }
            (Some(NoIndex::Wrong), cut) => {
                sentences.push(format!("the index is damaged, and {}{after} cannot be read", bytes(cut)));
            }
            (None, 0) => {}
            (None, cut) => sentences.push(format!("{}{after} cannot be read", bytes(cut))),
        }
        let spoiled = self.spoiled.lock();
        if !spoiled.is_empty() {
            let sum = spoiled.values().fold(0u64, |sum, bytes| sum.saturating_add(*bytes));
            let from = spoiled.keys().filter_map(|(_, from)| *from).min();
            let from = from.map(|from| format!(", from {from} on")).unwrap_or_default();
            let (count, is) = (spoiled.len(), if spoiled.len() == 1 { "piece is" } else { "pieces are" });
            sentences.push(format!("{count} {is} damaged and left out ({}{from})", bytes(sum)));
        }
        drop(spoiled);
        sentences.extend(self.told.lock().iter().cloned());
        f.write_str(&sentences.join("; "))
    }
}

fn bytes(count: u64) -> String {
    match count {
        1 => "1 byte".to_owned(),
        0..10_000 => format!("{count} bytes"),
        10_000..10_000_000 => format!("{} kB", count / 1000),
        _ => format!("{} MB", count / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_told_in_a_sentence() {
        let damage =
            Damage { index: Some(NoIndex::Unfinished), cut: 812, last: Some(Timestamp(0)), ..Damage::default() };
        assert_eq!(
            damage.to_string(),
            "the recording was not finished: 812 bytes at its end, after 1970-01-01T00:00:00Z, cannot be read"
        );
        damage.spoil(100, 2_000_000, Some(Timestamp(0)), "CRC");
        damage.spoil(100, 2_000_000, Some(Timestamp(0)), "CRC");
        assert!(
            damage.to_string().ends_with("1 piece is damaged and left out (2000 kB, from 1970-01-01T00:00:00Z on)")
        );
        assert!(!Damage::default().is_some());
    }
}
