//! The memory of a moving window. In: values with the time in which each held, oldest first. Out: their integral,
//! extremes and number since an edge. Never keeps more than [`MAX_PIECES`]: beyond that, neighbours that are close
//! together become one piece with their mean, extreme or number. Nothing is lost by that; only while the edge of the
//! window passes through such a piece, the piece counts as if its value had been spread over it (a mean, an integral)
//! or as a whole (an extreme, a number).
//!
//! Two stacks make one queue, so that nothing is ever subtracted and no rounding error stays behind after a great value
//! has left: Tangwongsan, Hirzel, Schneider and Wu, "General incremental sliding-window aggregation", PVLDB 8, 2015
//! (there: two-stacks). Each piece is looked at a fixed number of times on average.

use super::total::{greatest, least, secs};

/// Pieces of one window: about 160 KiB.
pub(super) const MAX_PIECES: usize = 4096;

/// How pieces are put together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fold {
    /// Value times seconds.
    Integral,
    Min,
    Max,
    /// Events, each at the end of its piece.
    Count,
}

impl Fold {
    fn nothing(self) -> f64 {
        match self {
            Fold::Integral | Fold::Count => 0.0,
            Fold::Min => f64::INFINITY,
            Fold::Max => f64::NEG_INFINITY,
        }
    }

    pub fn join(self, a: f64, b: f64) -> f64 {
        match self {
            Fold::Integral | Fold::Count => a + b,
            Fold::Min => least(a, b),
            Fold::Max => greatest(a, b),
        }
    }
}

/// A value (for [`Fold::Count`]: a number of events) and the nanoseconds in which it held.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Piece {
    pub start: i64,
    pub end: i64,
    pub value: f64,
}

impl Piece {
    fn length(self) -> f64 {
        secs(self.end.saturating_sub(self.start))
    }

    /// What it amounts to from `edge` on.
    fn since(self, edge: i64, fold: Fold) -> f64 {
        match fold {
            Fold::Integral => self.value * secs(self.end.saturating_sub(self.start.max(edge))),
            Fold::Min | Fold::Max | Fold::Count => self.value,
        }
    }

    fn whole(self, fold: Fold) -> f64 {
        self.since(i64::MIN, fold)
    }

    fn joined(self, next: Piece, fold: Fold) -> Piece {
        let value = match fold {
            Fold::Integral if self.value == next.value => self.value,
            Fold::Integral => {
                let length = self.length() + next.length();
                (self.value * self.length() + next.value * next.length()) / length
            }
            Fold::Min | Fold::Max | Fold::Count => fold.join(self.value, next.value),
        };
        Piece { start: self.start, end: next.end, value }
    }
}

/// A piece with all that lies between it and the middle of the queue.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Entry {
    piece: Piece,
    amount: f64,
}

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Pieces {
    fold: Fold,
    /// The older half, oldest last.
    front: Vec<Entry>,
    /// The newer half, newest last.
    back: Vec<Entry>,
}

impl Pieces {
    pub fn new(fold: Fold) -> Self {
        Self { fold, front: Vec::new(), back: Vec::new() }
    }

    /// `front` pieces of `all`, oldest first, make the older half.
    pub fn restored(fold: Fold, all: &[Piece], front: usize) -> Self {
        let mut pieces = Self::new(fold);
        let (older, newer) = all.split_at(front.min(all.len()));
        pieces.set_front(older.iter().rev().copied());
        newer.iter().for_each(|piece| pieces.push_back(*piece));
        pieces
    }

    /// Oldest first.
    pub fn iter(&self) -> impl Iterator<Item = Piece> {
        self.front.iter().rev().chain(&self.back).map(|entry| entry.piece)
    }

    pub fn front_len(&self) -> usize {
        self.front.len()
    }

    pub fn len(&self) -> usize {
        self.front.len() + self.back.len()
    }

    pub fn push(&mut self, piece: Piece) {
        let piece = match self.back.last().map(|entry| entry.piece) {
            // A value that stays is one piece.
            Some(last) if self.fold != Fold::Count && last.value == piece.value && last.end == piece.start => {
                self.back.pop();
                Piece { start: last.start, ..piece }
            }
            _ => piece,
        };
        if self.len() >= MAX_PIECES {
            self.thin();
        }
        self.push_back(piece);
    }

    /// Forgets what ended by `edge`.
    pub fn forget(&mut self, edge: i64) {
        loop {
            if self.front.is_empty() && self.back.first().is_some_and(|oldest| oldest.piece.start < edge) {
                let back = std::mem::take(&mut self.back);
                self.set_front(back.into_iter().rev().map(|entry| entry.piece));
            }
            match self.front.last() {
                Some(oldest) if oldest.piece.end <= edge => self.front.pop(),
                _ => return,
            };
        }
    }

    /// What all pieces amount to from `edge` on.
    pub fn since(&self, edge: i64) -> f64 {
        let (fold, nothing) = (self.fold, self.fold.nothing());
        let newer = self.back.last().map_or(nothing, |entry| entry.amount);
        let lasts = |entry: &&Entry| entry.piece.end > edge;
        if let Some(at) = self.front.iter().rposition(|entry| lasts(&entry)) {
            let (oldest, rest) = (self.front[at].piece, at.checked_sub(1).map_or(nothing, |at| self.front[at].amount));
            return fold.join(oldest.since(edge, fold), fold.join(rest, newer));
        }
        match self.back.iter().position(|entry| lasts(&entry)) {
            Some(0) if self.back[0].piece.start >= edge => newer,
            Some(at) => {
                self.back[at..].iter().fold(nothing, |sum, entry| fold.join(sum, entry.piece.since(edge, fold)))
            }
            None => nothing,
        }
    }

    fn push_back(&mut self, piece: Piece) {
        let before = self.back.last().map_or(self.fold.nothing(), |entry| entry.amount);
        self.back.push(Entry { piece, amount: self.fold.join(before, piece.whole(self.fold)) });
    }

    /// `pieces` from the newest to the oldest.
    fn set_front(&mut self, pieces: impl Iterator<Item = Piece>) {
        self.front.clear();
        let mut newer = self.fold.nothing();
        for piece in pieces {
            newer = self.fold.join(piece.whole(self.fold), newer);
            self.front.push(Entry { piece, amount: newer });
        }
    }

    /// Joins a quarter of all pieces with a neighbour: those pairs first that together span the shortest time.
    fn thin(&mut self) {
        let all: Vec<Piece> = self.iter().collect();
        let mut pairs: Vec<(i64, usize)> =
            all.windows(2).enumerate().map(|(at, pair)| (pair[1].end.saturating_sub(pair[0].start), at)).collect();
        pairs.sort_unstable();
        let (mut taken, mut joins) = (vec![false; all.len()], vec![false; all.len()]);
        let mut left = all.len() / 4;
        for (_, at) in pairs {
            if left > 0 && !taken[at] && !taken[at + 1] {
                (taken[at], taken[at + 1], joins[at]) = (true, true, true);
                left -= 1;
            }
        }
        let mut thinned: Vec<Piece> = Vec::with_capacity(all.len());
        for (at, piece) in all.into_iter().enumerate() {
            match thinned.last_mut() {
                Some(last) if at > 0 && joins[at - 1] => *last = last.joined(piece, self.fold),
                _ => thinned.push(piece),
            }
        }
        self.back.clear();
        self.set_front(thinned.into_iter().rev());
    }
}
