//! What panels read of the history: lines, as min and max per pixel, and texts.
//!
//! In: what visible panels wish for, the history. Out: copies of it. First panels say what they will draw, while nothing is
//! locked; then all of that is copied, and the history is locked for one line at a time; views are built from the copies.
//! So the lock is never held while a view is built or drawn.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use std::sync::Arc;

use crate::history::{Bucket, History};
use crate::value::{SignalIndex, Timestamp, Value};

/// Gives the buckets of a signal from one moment to another, in so many columns.
pub trait Lines {
    fn range(&self, signal: SignalIndex, from: Timestamp, to: Timestamp, columns: usize) -> Vec<Bucket>;

    /// The last text of each column in which something came.
    fn words(&self, signal: SignalIndex, from: Timestamp, to: Timestamp, columns: usize) -> Vec<Word>;
}

/// What a signal said at the end of a column.
#[derive(Clone, PartialEq, Debug)]
pub struct Word {
    pub from: Timestamp,
    pub to: Timestamp,
    /// None: something that is no text.
    pub text: Option<Arc<str>>,
}

impl Lines for History {
    fn range(&self, signal: SignalIndex, from: Timestamp, to: Timestamp, columns: usize) -> Vec<Bucket> {
        History::range(self, signal, from, to, columns)
    }

    fn words(&self, signal: SignalIndex, from: Timestamp, to: Timestamp, columns: usize) -> Vec<Word> {
        let buckets = History::range(self, signal, from, to, columns).into_iter().filter(|bucket| bucket.count > 0);
        let word = |Bucket { from, to, .. }| {
            let last = self.latest_at(signal, Timestamp(to.0.saturating_sub(1)));
            let text = last.filter(|point| point.quality.has_value()).and_then(|point| match point.value {
                Value::Text(text) => Some(text),
                Value::Number(_) | Value::Bool(_) => None,
            });
            Word { from, to, text }
        };
        buckets.map(word).collect()
    }
}

/// A line or words: of which signal, from when to when, in how many columns.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Wish {
    are_words: bool,
    signal: SignalIndex,
    from: Timestamp,
    to: Timestamp,
    columns: usize,
}

impl Wish {
    pub fn of(&self, lines: &dyn Lines) -> Answer {
        match self.are_words {
            true => Answer::Words(lines.words(self.signal, self.from, self.to, self.columns)),
            false => Answer::Line(lines.range(self.signal, self.from, self.to, self.columns)),
        }
    }
}

/// What was wished for.
#[derive(Clone, Debug)]
pub enum Answer {
    Line(Vec<Bucket>),
    Words(Vec<Word>),
}

/// Takes down what is asked for, and gives nothing.
#[derive(Debug, Default)]
pub struct Wishes(RefCell<HashSet<Wish>>);

impl Wishes {
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// All that was asked for, one line after the other: the lock may be let go between two of them.
    pub fn copied(&self, mut copy: impl FnMut(&Wish) -> Answer) -> Copied {
        Copied(self.0.borrow().iter().map(|wish| (*wish, copy(wish))).collect())
    }
}

impl Lines for Wishes {
    fn range(&self, signal: SignalIndex, from: Timestamp, to: Timestamp, columns: usize) -> Vec<Bucket> {
        self.0.borrow_mut().insert(Wish { are_words: false, signal, from, to, columns });
        Vec::new()
    }

    fn words(&self, signal: SignalIndex, from: Timestamp, to: Timestamp, columns: usize) -> Vec<Word> {
        self.0.borrow_mut().insert(Wish { are_words: true, signal, from, to, columns });
        Vec::new()
    }
}

/// Gives what was wished for.
#[derive(Debug, Default)]
pub struct Copied(HashMap<Wish, Answer>);

impl Copied {
    fn answer(&self, wish: &Wish) -> Option<&Answer> {
        let found = self.0.get(wish);
        debug_assert!(found.is_some(), "a panel reads lines that it has not wished for: see `PanelClass::wishes`");
        found
    }
}

impl Lines for Copied {
    fn range(&self, signal: SignalIndex, from: Timestamp, to: Timestamp, columns: usize) -> Vec<Bucket> {
        match self.answer(&Wish { are_words: false, signal, from, to, columns }) {
            Some(Answer::Line(line)) => line.clone(),
            Some(Answer::Words(_)) | None => Vec::new(),
        }
    }

    fn words(&self, signal: SignalIndex, from: Timestamp, to: Timestamp, columns: usize) -> Vec<Word> {
        match self.answer(&Wish { are_words: true, signal, from, to, columns }) {
            Some(Answer::Words(words)) => words.clone(),
            Some(Answer::Line(_)) | None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing;

    #[test]
    fn what_was_wished_for_is_what_the_history_would_have_said() {
        let plant = testing::plant();
        let [flow, speed] = plant.signals(&["P-101.flow", "P-101.speed"])[..] else { panic!("two signals") };
        let asked = [(flow, 0, 600, 40), (speed, 300, 600, 7), (flow, 0, 600, 40)];
        let answers = |lines: &dyn Lines| {
            let ask =
                |(signal, from, to, columns)| lines.range(signal, testing::second(from), testing::second(to), columns);
            asked.map(ask)
        };
        let wishes = Wishes::default();
        assert_eq!(answers(&wishes), [vec![], vec![], vec![]]);
        let copied = wishes.copied(|wish| wish.of(&plant.history));
        assert_eq!(answers(&copied), answers(&plant.history));
        assert_eq!(answers(&copied)[0].len(), 40);
    }
}
