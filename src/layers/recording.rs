//! A layer that is a recording. In: cursor and journal of the shown world, files of one series. Out: the recording's
//! values at the moment that belongs to the cursor, its lines, the events that both have. Reads in a thread of its own;
//! never writes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::align::{Align, AlignError, Aligned, Side, align, overlap};
use super::events::{self, Met};
use super::layer::{Alignment, Here, Layer, LayerKind, LayerLine, LayerPosition, LayerValue};
use super::{Pair, Pairs, Spread};
use crate::event::Journal;
use crate::history::{Bucket, Usage};
use crate::replay::{OpenError, OpenRecording, Wish};
use crate::scene::Scene;
use crate::source::Waker;
use crate::stage::{Current, current_at};
use crate::value::{Shift, SignalIndex, Timestamp};

/// Seconds between two looks at which events met while the world goes on.
const EVENTS_SECS: f64 = 1.0;

/// Dropping it ends the thread that reads.
pub(super) struct RecordingLayer {
    recording: OpenRecording,
    name: String,
    asked: Option<Align>,
    aligned: Option<Aligned>,
    by_hand: Shift,
    pairs: Pairs,
    met: Vec<Met>,
    /// The last event here, the shift and the moment for which events met.
    met_for: Option<(u64, Shift, Timestamp)>,
    /// The last event here when the one that aligns was looked for.
    looked: Option<u64>,
    /// Frames wait for what they are to show.
    blocking: bool,
}

impl RecordingLayer {
    /// Opens recordings of one series. One without a scene of its own is read as `main`.
    pub fn open(
        files: &[PathBuf],
        name: String,
        main: &Arc<Scene>,
        (budget_bytes, blocking): (u64, bool),
        waker: Waker,
    ) -> Result<Self, OpenError> {
        let recording = OpenRecording::open_beside(files, main, budget_bytes, waker)?;
        Ok(Self {
            recording,
            name,
            asked: None,
            aligned: None,
            by_hand: Shift::NONE,
            pairs: Pairs::default(),
            met: Vec::new(),
            met_for: None,
            looked: None,
            blocking,
        })
    }

    /// Lays it beside the shown world; an event that has not happened there yet is waited for.
    pub fn lay(
        &mut self,
        asked: Option<Align>,
        by_hand: Shift,
        here: &Here,
        journal: &Journal,
    ) -> Result<(), AlignError> {
        (self.asked, self.by_hand) = (asked, by_hand);
        self.aligned = self.align_to(here, journal)?;
        Ok(())
    }

    fn align_to(&self, here: &Here, journal: &Journal) -> Result<Option<Aligned>, AlignError> {
        let knowledge = self.recording.analysis.lock();
        align(self.asked.as_ref(), self.by_hand, &side_of(here, journal), &self.side(knowledge.chronicle().journal()))
    }

    fn side<'a>(&'a self, journal: &'a Journal) -> Side<'a> {
        let (start, end) = self.recording.bounds;
        Side { name: &self.name, start, end: Some(end), journal }
    }

    /// Whether it has events after `from` and up to `to`, in times here.
    fn has_events(&self, shift: Shift, from: Timestamp, to: Timestamp) -> bool {
        let known = self.recording.analysis.lock();
        let after = shift.there(from) + Duration::from_nanos(1);
        known.chronicle().journal().between(after, shift.there(to)).next().is_some()
    }
}

/// The shown world, as alignment sees it.
fn side_of<'a>(here: &Here<'a>, journal: &'a Journal) -> Side<'a> {
    match here.extent.bounds() {
        Some((start, end)) => Side { name: here.name, start, end: Some(end), journal },
        None => Side { name: here.name, start: here.time.session_start, end: None, journal },
    }
}

/// A stretch of a recording at the times and in the unit here.
fn told_here(bucket: Bucket, shift: Shift, pair: &Pair) -> Bucket {
    let (low, high) = (pair.number(bucket.min), pair.number(bucket.max));
    Bucket {
        from: shift.here(bucket.from),
        to: shift.here(bucket.to),
        // A unit may count the other way round.
        min: low.min(high),
        max: low.max(high),
        first: pair.number(bucket.first),
        last: pair.number(bucket.last),
        ..bucket
    }
}

impl Layer for RecordingLayer {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Recording
    }

    fn bounds(&self) -> (Timestamp, Timestamp) {
        self.recording.bounds
    }

    fn shift(&self) -> Option<Shift> {
        Some(self.aligned.as_ref()?.shift.plus(self.by_hand))
    }

    fn alignment(&self) -> Option<Alignment<'_>> {
        let by = self.aligned.as_ref().map(|aligned| &aligned.by).or(self.asked.as_ref());
        Some(Alignment { by, by_hand: self.by_hand })
    }

    fn shift_by(&mut self, more: Shift) {
        self.by_hand = self.by_hand.plus(more);
    }

    fn pairs(&self) -> &Pairs {
        &self.pairs
    }

    fn pair_with(&mut self, scene: &Scene) {
        self.pairs = Pairs::of(scene, &self.recording.scene);
    }

    /// Looks for the event that aligns the two, if that is still to come. What cannot be aligned any more waits on.
    fn prepare(&mut self, here: &Here, journal: &Journal) {
        if self.aligned.is_some() || self.looked == Some(journal.last_id()) {
            return;
        }
        self.looked = Some(journal.last_id());
        let aligned = self.align_to(here, journal).inspect_err(|error| tracing::warn!("{error}"));
        self.aligned = aligned.unwrap_or_default();
    }

    fn go_to(&mut self, shown: Timestamp, speed: f64) -> LayerPosition {
        let Some(shift) = self.shift() else { return LayerPosition::Waiting };
        let (start, end) = self.recording.bounds;
        // Its first or last moment is read all the same: it will be wanted, and trends show it.
        let wish = Wish { at: shift.there(shown).clamp(start, end), speed };
        let is_there = match self.blocking {
            true => {
                self.recording.wait_to_show(wish, None);
                true
            }
            false => self.recording.show(wish),
        };
        match LayerPosition::of(shown, shift, self.recording.bounds) {
            LayerPosition::At(at) if !is_there => LayerPosition::Loading(at),
            place => place,
        }
    }

    fn take_news(&mut self) -> bool {
        let mut touched: Vec<SignalIndex> = Vec::new();
        self.recording.analysis.lock().take_touched(&mut touched);
        !touched.is_empty()
    }

    fn value(&self, pair: &Pair, at: Timestamp) -> LayerValue {
        let known = self.recording.analysis.lock();
        let expires = self.recording.scene.signals.get(pair.there.at()).and_then(|signal| signal.expires);
        let current = current_at(known.history.latest_known(pair.there, at), expires, at);
        let value = current.value.map(|value| pair.value(value));
        LayerValue { current: Current { value, ..current }, band: None }
    }

    fn line(&self, pair: &Pair, (from, to): (Timestamp, Timestamp), columns: usize) -> LayerLine {
        let Some(shift) = self.shift() else { return LayerLine::default() };
        let known = self.recording.analysis.lock();
        let buckets = known.history.range(pair.there, shift.there(from), shift.there(to), columns);
        drop(known);
        let buckets = buckets.into_iter().map(|bucket| told_here(bucket, shift, pair)).collect();
        LayerLine { buckets, bands: Vec::new() }
    }

    fn spread(&self, pair: &Pair) -> Spread {
        let known = self.recording.analysis.lock();
        let mut spread = Spread::default();
        for bucket in known.history.range(pair.there, Timestamp::MIN, Timestamp::MAX, 1) {
            [bucket.min, bucket.max].into_iter().for_each(|x| spread.add(pair.number(x)));
        }
        spread
    }

    /// Does nothing unless something is new.
    fn meet(&mut self, here: &Here, journal: &Journal) {
        let Some(shift) = self.shift() else { return };
        let now = here.time.now;
        let made_for = (journal.last_id(), shift, now);
        let is_known = self.met_for.is_some_and(|(id, with, at)| {
            let passed_secs = now.secs_since(at).abs();
            with == shift && (passed_secs < EVENTS_SECS || id == made_for.0 && !self.has_events(shift, at, now))
        });
        if is_known {
            return;
        }
        self.met_for = Some(made_for);
        let known = self.recording.analysis.lock();
        let theirs = known.chronicle().journal();
        let ours = side_of(here, journal);
        // Of a session that goes on there is nothing beyond now.
        let until = if ours.end.is_some() { Timestamp::MAX } else { now };
        let met = match overlap(&ours, &self.side(theirs), shift) {
            Some((from, to)) => {
                let to = to.map_or(until, |to| to.min(until));
                events::meet(journal.iter(), theirs.iter(), shift, (from, to))
            }
            None => Vec::new(),
        };
        drop(known);
        self.met = met;
    }

    fn met(&self) -> &[Met] {
        &self.met
    }

    fn is_idle(&self) -> bool {
        self.recording.is_idle()
    }

    fn set_budget(&mut self, bytes: u64) {
        self.recording.set_budget(bytes);
    }

    fn usage(&self) -> Usage {
        self.recording.analysis.lock().history.usage()
    }

    fn troubles(&self) -> Vec<String> {
        self.recording.analysis.lock().troubles()
    }
}
