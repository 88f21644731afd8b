//! A stretch of a recording taken into a signal's past, wherever in time it belongs.
//!
//! In: two tracks. The other one holds all that was received after some moment, and before that what was known at that
//! moment. Out: one track without doubles. Stretches are loaded in any order: what one of them says of the
//! time before it may be there already, or come later from the stretch that it belongs to.

use std::collections::HashSet;

use super::row::{Row, Rows};
use super::track::Track;
use crate::value::Sample;

/// Rows that are sealed together.
const PIECE: usize = 1024;
/// Rows that stay in the tail at most.
const TAIL: usize = 32;

impl Track {
    /// Takes in the samples of `other`. Those received after `since` are all that there are from that time: doubles of
    /// them that are here give way, with their order. The others are taken if they are not here.
    pub fn take_in(&mut self, other: &Track, since: i64) {
        let mut theirs = other.unsealed();
        let texts = theirs.texts().to_vec();
        theirs.rows.retain(|row| row.receive_time > since || !self.has(row));
        let (Some(first), Some(last)) = (theirs.rows.first(), theirs.rows.last()) else { return };
        let (first, last) = (first.source_time, last.source_time);
        if first > self.newest_time {
            for row in &theirs.rows {
                let point = row.point(&texts);
                self.append(&Sample {
                    signal: crate::value::SignalIndex(0),
                    source_time: point.source_time,
                    receive_time: point.receive_time,
                    value: point.value,
                    quality: point.quality,
                    origin: point.origin,
                });
            }
            return;
        }
        let from = self.chunks.partition_point(|chunk| chunk.last_time < first);
        let to = self.chunks.partition_point(|chunk| chunk.first_time <= last).max(from);
        let reaches_tail = self.tail.rows.first().is_none_or(|row| row.source_time <= last);
        let mut ours = Rows::default();
        self.chunks.drain(from..to).for_each(|chunk| chunk.unseal(&mut ours));
        if reaches_tail {
            let tail = std::mem::take(&mut self.tail);
            tail.rows.iter().for_each(|row| ours.adopt(*row, tail.texts()));
        }
        let mut merged = merged(&ours, &theirs, &texts, since);
        if reaches_tail {
            let sealed = merged.rows.len().saturating_sub(TAIL);
            let mut front = merged.split_front(sealed);
            self.insert_pieces(from, &mut front);
            self.newest_time = merged.rows.last().map_or(i64::MIN, |row| row.source_time);
            self.tail = merged;
        } else {
            self.insert_pieces(from, &mut merged);
        }
    }

    /// All samples as rows.
    fn unsealed(&self) -> Rows {
        let mut all = Rows::default();
        self.chunks.iter().for_each(|chunk| chunk.unseal(&mut all));
        self.tail.rows.iter().for_each(|row| all.adopt(*row, self.tail.texts()));
        all
    }

    fn has(&self, row: &Row) -> bool {
        let mut place = self.place_of(crate::value::Timestamp(row.source_time));
        while let Some(point) = self.after(place).filter(|point| point.source_time.0 == row.source_time) {
            if point.receive_time.0 == row.receive_time {
                return true;
            }
            place = self.next(place);
        }
        false
    }

    fn insert_pieces(&mut self, mut at: usize, rows: &mut Rows) {
        while !rows.rows.is_empty() {
            if let Some(chunk) = rows.split_front(PIECE).seal() {
                self.chunks.insert(at, chunk);
                at += 1;
            }
        }
    }
}

/// In the order of source times, and within one source time in that of receive times.
fn merged(ours: &Rows, theirs: &Rows, their_texts: &[std::sync::Arc<str>], since: i64) -> Rows {
    let complete: HashSet<(i64, i64)> = theirs
        .rows
        .iter()
        .filter(|row| row.receive_time > since)
        .map(|row| (row.source_time, row.receive_time))
        .collect();
    let mine = ours.rows.iter().filter(|row| !complete.contains(&(row.source_time, row.receive_time)));
    let mut all: Vec<(&Row, bool)> =
        mine.map(|row| (row, true)).chain(theirs.rows.iter().map(|row| (row, false))).collect();
    // Stable: what was received at one moment keeps its order.
    all.sort_by_key(|(row, _)| (row.source_time, row.receive_time));
    let mut merged = Rows::default();
    for (row, is_ours) in all {
        merged.adopt(*row, if is_ours { ours.texts() } else { their_texts });
    }
    merged
}
