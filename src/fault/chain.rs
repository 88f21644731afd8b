//! Faults one behind the other, each with what it holds back. In: what comes, in order of time. Out: what leaves the last
//! one, in order of time. Knows nothing of what a fault does.

use std::collections::VecDeque;

use super::Fault;
use crate::value::Timestamp;

/// A sample or a message.
pub(super) trait Passing: Clone {
    /// It leaves a fault that held it back.
    fn leave(&mut self, at: Timestamp);
}

/// One fault, and what it remembers.
pub(super) trait Station {
    type Item: Passing;

    fn fault(&self) -> &Fault;

    /// `item` comes; what leaves at once goes into `on`, the rest is held back or lost.
    fn take(&mut self, item: Self::Item, on: &mut Vec<Self::Item>);

    fn held(&self) -> &Held<Self::Item>;

    fn held_mut(&mut self) -> &mut Held<Self::Item>;

    /// Goes on with what an older state of the same fault remembers.
    fn take_up(&mut self, old: Self);
}

/// What is held back, in the order in which it leaves: by the time at which it does, and at one time as it came.
#[derive(Clone, Debug)]
pub(super) struct Held<T> {
    items: VecDeque<One<T>>,
    /// How many have come so far; only what follows from it counts, the order in which they came.
    came: u64,
}

#[derive(Clone, Debug)]
struct One<T> {
    due: Timestamp,
    number: u64,
    item: T,
}

impl<T: PartialEq> PartialEq for Held<T> {
    fn eq(&self, other: &Self) -> bool {
        let leave = |held: &Self| held.items.iter().map(|one| one.due).collect::<Vec<_>>();
        leave(self) == leave(other) && self.as_they_came().eq(other.as_they_came())
    }
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self { items: VecDeque::new(), came: 0 }
    }
}

impl<T> Held<T> {
    /// All, with the times at which they leave, in the order in which they came.
    pub(super) fn as_they_came(&self) -> impl Iterator<Item = (Timestamp, &T)> {
        let mut all: Vec<&One<T>> = self.items.iter().collect();
        all.sort_by_key(|one| one.number);
        all.into_iter().map(|one| (one.due, &one.item))
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }
}

impl<T: Passing> Held<T> {
    /// Holds it until a time, behind what leaves at that time already.
    pub(super) fn hold(&mut self, due: Timestamp, item: T) {
        let place = self.items.partition_point(|one| one.due <= due);
        self.items.insert(place, One { due, number: self.came, item });
        self.came += 1;
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.items.front().map(|one| one.due)
    }

    /// When the last of those leaves that are `like` this.
    pub(super) fn last(&self, like: impl Fn(&T) -> bool) -> Option<Timestamp> {
        self.items.iter().rev().find(|one| like(&one.item)).map(|one| one.due)
    }

    /// Takes the first of those out that are `like` this, now.
    pub(super) fn take(&mut self, at: Timestamp, like: impl Fn(&T) -> bool) -> Option<T> {
        let place = self.items.iter().position(|one| like(&one.item))?;
        let One { mut item, .. } = self.items.remove(place)?;
        item.leave(at);
        Some(item)
    }

    /// Nothing stays longer than until a time: as if that had been known when it came.
    fn hurry(&mut self, until: Timestamp) {
        self.items.iter_mut().for_each(|one| one.due = one.due.min(until));
        self.items.make_contiguous().sort_by_key(|one| (one.due, one.number));
    }

    fn pop(&mut self) -> Option<T> {
        let One { due, mut item, .. } = self.items.pop_front()?;
        item.leave(due);
        Some(item)
    }
}

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Chain<S> {
    pub(super) stations: Vec<S>,
}

impl<S> Default for Chain<S> {
    fn default() -> Self {
        Self { stations: Vec::new() }
    }
}

impl<S: Station> Chain<S> {
    /// `item` comes to the station at a place; what gets through all from there on goes into `out`.
    pub(super) fn pass(&mut self, place: usize, item: S::Item, out: &mut Vec<S::Item>) {
        let Some(last) = self.stations.len().checked_sub(1).filter(|last| place <= *last) else {
            out.push(item);
            return;
        };
        let mut now = vec![item];
        for station in &mut self.stations[place..last] {
            let mut on = Vec::new();
            now.into_iter().for_each(|item| station.take(item, &mut on));
            now = on;
        }
        now.into_iter().for_each(|item| self.stations[last].take(item, out));
    }

    /// When something that is held back leaves, and from which place. At one time those behind come first: what they hold
    /// came before.
    fn next(&self) -> Option<(Timestamp, usize)> {
        let each = self.stations.iter().enumerate().rev();
        each.filter_map(|(place, station)| Some((station.held().next()?, place))).min_by_key(|(due, _)| *due)
    }

    pub(super) fn next_release(&self) -> Option<Timestamp> {
        self.next().map(|(due, _)| due)
    }

    /// The next that is held back leaves.
    pub(super) fn release_next(&mut self, out: &mut Vec<S::Item>) {
        let Some((_, place)) = self.next() else { return };
        if let Some(item) = self.stations[place].held_mut().pop() {
            self.pass(place + 1, item, out);
        }
    }

    /// All that is due until a time leaves.
    pub(super) fn release(&mut self, until: Timestamp, out: &mut Vec<S::Item>) {
        while self.next_release().is_some_and(|due| due <= until) {
            self.release_next(out);
        }
    }

    /// Sets all stations, at a time until which all that was due has left. Those that stay keep what they remember; what
    /// the others hold leaves at once, in order, through those behind them that stay.
    pub(super) fn set(&mut self, mut stations: Vec<S>, at: Timestamp, out: &mut Vec<S::Item>) {
        for place in (0..self.stations.len()).rev() {
            if stations.iter().any(|new| new.fault().continues(self.stations[place].fault())) {
                continue;
            }
            let mut gone = self.stations.remove(place);
            gone.held_mut().hurry(at);
            while let Some(item) = gone.held_mut().pop() {
                self.pass(place, item, out);
            }
        }
        for new in &mut stations {
            let known = self.stations.iter().position(|old| new.fault().continues(old.fault()));
            let Some(old) = known.map(|place| self.stations.remove(place)) else { continue };
            new.take_up(old);
            // Its course may be another one now: nothing is held back beyond its end.
            let until = new.fault().course.bout(at).map_or(Some(at), |bout| bout.until);
            if let Some(until) = until {
                new.held_mut().hurry(until);
            }
        }
        self.stations = stations;
        self.release(at, out);
    }
}
