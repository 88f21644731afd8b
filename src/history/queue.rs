//! The earliest of many times, where each is moved far more often than it comes first.
//!
//! In: a time per item, set again and again. Out: the items in order of their times. A later time costs one store: the
//! heap keeps its old, too early entry, and puts it right only when that reaches the top.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

#[derive(Debug, Default)]
pub(crate) struct MovingQueue {
    slots: Vec<Option<Slot>>,
    /// At most one entry per slot is in force, the one at `queued`; all others have been superseded by an earlier one.
    heap: BinaryHeap<Reverse<(i64, u32)>>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    time: i64,
    /// Never later than `time`.
    queued: i64,
}

impl MovingQueue {
    /// Makes room for items `0..count`; those beyond are taken out.
    pub fn resize(&mut self, count: usize) {
        self.slots.resize(count, None);
    }

    /// Gives `item` a time. Items beyond the size are ignored.
    pub fn set(&mut self, item: u32, time: i64) {
        let Some(slot) = self.slots.get_mut(item as usize) else { return };
        match slot {
            Some(known) if known.queued <= time => known.time = time,
            _ => {
                *slot = Some(Slot { time, queued: time });
                self.heap.push(Reverse((time, item)));
                self.compact();
            }
        }
    }

    pub fn clear(&mut self, item: u32) {
        if let Some(slot) = self.slots.get_mut(item as usize) {
            *slot = None;
        }
    }

    /// Drops superseded entries once they outnumber the others, so that times which keep jumping back cost no memory.
    fn compact(&mut self) {
        if self.heap.len() > 2 * self.slots.len() + 16 {
            let entries = self.slots.iter_mut().zip(0..).filter_map(|(slot, item)| {
                let slot = slot.as_mut()?;
                slot.queued = slot.time;
                Some(Reverse((slot.time, item)))
            });
            self.heap = entries.collect();
        }
    }

    /// The earliest time and its item; of several the one with the smallest index.
    pub fn first(&mut self) -> Option<(i64, u32)> {
        loop {
            let Reverse((queued, item)) = *self.heap.peek()?;
            let slot = self.slots.get_mut(item as usize).and_then(Option::as_mut).filter(|slot| slot.queued == queued);
            match slot {
                Some(slot) if slot.time == queued => return Some((queued, item)),
                Some(slot) => {
                    slot.queued = slot.time;
                    let moved = Reverse((slot.time, item));
                    self.heap.pop();
                    self.heap.push(moved);
                }
                None => {
                    self.heap.pop();
                }
            }
        }
    }

    /// Takes the earliest item out if its time is before `end`.
    pub fn pop_before(&mut self, end: i64) -> Option<(i64, u32)> {
        let (time, item) = self.first().filter(|(time, _)| *time < end)?;
        self.heap.pop();
        self.clear(item);
        Some((time, item))
    }
}
