//! The other recording while it lies beside a world. In: moments and journal of the world. Out: which moment of the other
//! belongs to the cursor and whether its history answers for it, the pairs of signals, the events that met. Reads through
//! its [`Deck`]; writes nothing.

use std::time::Duration;

use bevy::prelude::*;
use parking_lot::MutexGuard;

use super::difference::Spread;
use super::events::{self, Met};
use super::{Align, AlignError, Aligned, Pairs, Side, align};
use crate::analysis::{Analysis, Knowledge};
use crate::event::Journal;
use crate::history::{Extent, Moment};
use crate::replay::{Deck, Wish};
use crate::scene::Scene;
use crate::value::{Shift, Timestamp};

/// Where the cursor stands in the other recording.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The event that aligns the two has not happened here yet.
    Waiting,
    /// The other begins later, at this moment here; or has ended before, at this moment here.
    Before(Timestamp),
    After(Timestamp),
    /// This moment of the other is being read.
    Loading(Timestamp),
    At(Timestamp),
}

/// Seconds between two looks at which events met while the world goes on.
const EVENTS_SECS: f64 = 1.0;

/// What a recording beside a world owns; dropping it ends its thread.
#[derive(Resource)]
pub struct Beside {
    deck: Deck,
    /// What is shown, and what is beside it, as people call them: names of files, or `live`.
    pub here: String,
    pub there: String,
    asked: Option<Align>,
    aligned: Option<Aligned>,
    by_hand: Shift,
    pub pairs: Pairs,
    /// Of the world's scene when the pairs were made.
    pub(super) generation: Option<u32>,
    /// By pair, over what is loaded of both.
    pub(super) spreads: Vec<Spread>,
    place: Place,
    met: Vec<Met>,
    /// The last events here, the shift and the moment for which events met.
    met_for: Option<(u64, Shift, Timestamp)>,
    /// The last event here when the one that aligns was looked for.
    looked: Option<u64>,
    blocking: bool,
}

/// Of a world, as alignment sees it.
pub(super) fn side_of<'a>(name: &'a str, extent: &Extent, moment: &Moment, journal: &'a Journal) -> Side<'a> {
    match extent.bounds() {
        Some((start, end)) => Side { name, start, end: Some(end), journal },
        None => Side { name, start: moment.session_start, end: None, journal },
    }
}

impl Beside {
    pub(super) fn new(
        deck: Deck,
        (here, there): (String, String),
        asked: Option<Align>,
        aligned: Option<Aligned>,
        by_hand: Shift,
        blocking: bool,
    ) -> Self {
        Self {
            deck,
            here,
            there,
            asked,
            aligned,
            by_hand,
            pairs: Pairs::default(),
            generation: None,
            spreads: Vec::new(),
            place: Place::Waiting,
            met: Vec::new(),
            met_for: None,
            looked: None,
            blocking,
        }
    }

    /// What the other recording taught. Locked after the world's, where both are needed.
    pub fn lock(&self) -> MutexGuard<'_, Knowledge> {
        self.deck.analysis.lock()
    }

    /// The same, to be locked while this is written.
    pub(super) fn analysis(&self) -> Analysis {
        self.deck.analysis.clone()
    }

    pub fn scene(&self) -> &Scene {
        &self.deck.scene
    }

    /// First and last moment of the other, in its own time.
    pub fn bounds(&self) -> (Timestamp, Timestamp) {
        self.deck.bounds
    }

    pub fn place(&self) -> Place {
        self.place
    }

    /// From moments here to those there; none while it waits for the event that aligns the two.
    pub fn shift(&self) -> Option<Shift> {
        Some(self.aligned.as_ref()?.shift.plus(self.by_hand))
    }

    /// By what they are aligned, or will be.
    pub fn by(&self) -> Option<&Align> {
        self.aligned.as_ref().map(|aligned| &aligned.by).or(self.asked.as_ref())
    }

    pub fn by_hand(&self) -> Shift {
        self.by_hand
    }

    /// Shifts the other by hand: positive shows later moments of it.
    pub(super) fn shift_by(&mut self, more: Shift) {
        self.by_hand = self.by_hand.plus(more);
    }

    /// Events of both, up to now, in the order of their times here.
    pub fn met(&self) -> &[Met] {
        &self.met
    }

    pub fn is_idle(&self) -> bool {
        self.deck.is_idle()
    }

    /// Looks for the event that aligns the two, if that is still to come. What cannot be aligned any more waits on.
    pub(super) fn look_for_alignment(&mut self, extent: &Extent, moment: &Moment, journal: &Journal) {
        if self.aligned.is_some() || self.looked == Some(journal.last_id()) {
            return;
        }
        self.looked = Some(journal.last_id());
        self.aligned = align_to(&self.deck, (&self.here, &self.there), self.asked.as_ref(), self.by_hand, |name| {
            side_of(name, extent, moment, journal)
        })
        .inspect_err(|error| tracing::warn!("{error}"))
        .unwrap_or_default();
    }

    /// Goes to the moment that belongs to the one shown here, takes over what has been read of it, and says where it is.
    pub(super) fn go_to(&mut self, shown: Timestamp, speed: f64) -> Place {
        let Some(shift) = self.shift() else { return self.stand(Place::Waiting) };
        let (start, end) = self.deck.bounds;
        let at = shift.there(shown);
        // What is at its ends is read all the same: it will be wanted, and trends show it.
        let wish = Wish { at: at.clamp(start, end), speed };
        let is_there = match self.blocking {
            true => {
                self.deck.wait_to_show(wish, None);
                true
            }
            false => self.deck.show(wish),
        };
        self.stand(match is_there {
            _ if at < start => Place::Before(shift.here(start)),
            _ if at > end => Place::After(shift.here(end)),
            true => Place::At(at),
            false => Place::Loading(at),
        })
    }

    fn stand(&mut self, place: Place) -> Place {
        self.place = place;
        place
    }

    /// Brings the events of both together, where something is new.
    pub(super) fn meet(&mut self, extent: &Extent, moment: &Moment, journal: &Journal) {
        let Some(shift) = self.shift() else { return };
        let made_for = (journal.last_id(), shift, moment.now);
        let is_known = self.met_for.is_some_and(|(id, with, at)| {
            let passed_secs = moment.now.secs_since(at).abs();
            with == shift && (passed_secs < EVENTS_SECS || id == made_for.0 && !self.has_events(shift, at, moment.now))
        });
        if is_known {
            return;
        }
        self.met_for = Some(made_for);
        let there = self.deck.analysis.lock();
        let theirs = there.chronicle().journal();
        let ours = side_of(&self.here, extent, moment, journal);
        let other =
            Side { name: &self.there, start: self.deck.bounds.0, end: Some(self.deck.bounds.1), journal: theirs };
        // Of a session that goes on there is nothing beyond now.
        let until = if ours.end.is_some() { Timestamp::MAX } else { moment.now };
        self.met = match super::overlap(&ours, &other, shift) {
            Some((from, to)) => {
                let to = to.map_or(until, |to| to.min(until));
                events::meet(journal.iter(), theirs.iter(), shift, (from, to))
            }
            None => Vec::new(),
        };
    }

    /// Whether the other has events after `from` and up to `to`, in times here.
    fn has_events(&self, shift: Shift, from: Timestamp, to: Timestamp) -> bool {
        let there = self.deck.analysis.lock();
        let after = shift.there(from) + Duration::from_nanos(1);
        there.chronicle().journal().between(after, shift.there(to)).next().is_some()
    }
}

/// Lays a deck beside what `here` makes of its name.
pub(super) fn align_to<'a>(
    deck: &Deck,
    (here, there): (&'a str, &str),
    asked: Option<&Align>,
    by_hand: Shift,
    side: impl FnOnce(&'a str) -> Side<'a>,
) -> Result<Option<Aligned>, AlignError> {
    let knowledge = deck.analysis.lock();
    let (start, end) = deck.bounds;
    let other = Side { name: there, start, end: Some(end), journal: knowledge.chronicle().journal() };
    align(asked, by_hand, &side(here), &other)
}
