//! Moves the cursor: seeking, playing, stepping, marks.
//!
//! In: [`TimeCommand`]s, the history and the journal to step through. Out: [`Cursor`], [`Marks`], [`SkipGaps`] and the
//! shown [`ViewTime`]. Live sessions and recordings are handled alike; they differ in where time ends. Never writes a
//! sample or an event.

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

use super::sample_step::{Next, SampleStep, Underway};
use super::{Attention, MarkEnd, StepBy, TimeCommand};
use crate::analysis::{Analysis, Knowledge};
use crate::history::{Counts, Cursor, Extent, Horizon, Loaded, Marks, SkipGaps, ViewTime, transport as travel};
use crate::scene::{LoadedScene, Scene};
use crate::value::{SignalIndex, Timestamp};

/// All that says which moment is shown.
#[derive(SystemParam)]
pub(crate) struct Transport<'w> {
    time: ResMut<'w, ViewTime>,
    cursor: ResMut<'w, Cursor>,
    extent: Res<'w, Extent>,
    horizon: Res<'w, Horizon>,
    marks: ResMut<'w, Marks>,
    skip: ResMut<'w, SkipGaps>,
    loaded: Res<'w, Loaded>,
    underway: ResMut<'w, Underway>,
}

/// Does what the command asks for.
#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
pub(super) fn transport(
    In(command): In<TimeCommand>,
    mut transport: Transport,
    analysis: Res<Analysis>,
    attention: Res<Attention>,
    loaded: Res<LoadedScene>,
) {
    let now = transport.time.now;
    let cursor = *transport.cursor;
    let next = match command {
        TimeCommand::GoLive => match transport.extent.bounds() {
            Some((_, end)) => cursor.seek(end, transport.extent.bounds(), now),
            None => Cursor::Live,
        },
        TimeCommand::PauseAt(at) => Cursor::pause_at(at, transport.bounds(&analysis), transport.last()),
        TimeCommand::Pause => cursor.pause(now),
        TimeCommand::Seek(at) => cursor.seek(at, transport.bounds(&analysis), transport.last()),
        TimeCommand::Play { speed } => transport.play(speed, &analysis),
        TimeCommand::CatchUp => match transport.extent.is_recorded() || cursor.is_live() {
            true => cursor,
            // Nothing was missed of what lies ahead.
            false if cursor.shown(now) >= now => Cursor::Live,
            false => cursor.play(travel::catch_up_speed(now.secs_since(cursor.shown(now))), now),
        },
        TimeCommand::Step { by, forward } => {
            transport.step(by, forward, &analysis.lock(), &signals(&attention, &loaded.scene))
        }
        TimeCommand::Mark { end, at } => {
            let marks = marked(*transport.marks, end, at);
            transport.marks.set_if_neq(marks);
            cursor
        }
        TimeCommand::Loop(looping) => {
            let marks = Marks { looping, ..*transport.marks };
            transport.marks.set_if_neq(marks);
            cursor
        }
        TimeCommand::SkipGaps(longest) => {
            transport.skip.set_if_neq(SkipGaps(longest));
            cursor
        }
    };
    transport.cursor.set_if_neq(next);
}

/// After commands: goes on with a step that is underway, jumps over a hole that playing has come into, and makes the
/// shown moment that of the cursor.
pub(crate) fn settle(
    mut transport: Transport,
    analysis: Res<Analysis>,
    attention: Res<Attention>,
    loaded: Res<LoadedScene>,
) {
    transport.settle(&analysis, &attention, &loaded.scene);
}

impl Transport<'_> {
    fn settle(&mut self, analysis: &Analysis, attention: &Attention, scene: &Scene) {
        self.go_on(analysis, attention, scene);
        if let (SkipGaps(Some(longest)), Cursor::Playing { .. }) = (*self.skip, *self.cursor) {
            let knowledge = analysis.lock();
            if let Some(ends) = self.ends(&knowledge) {
                let counts = Counts::of(&self.extent, knowledge.arrivals());
                let next = travel::skip_hole(*self.cursor, &counts, ends, longest);
                self.cursor.set_if_neq(next);
            }
        }
        // The frame that says where the cursor stands also shows it.
        let shown = self.cursor.shown(self.time.now);
        if self.time.shown != shown {
            self.time.shown = shown;
        }
    }

    /// The span that can be shown: of a recording all of it, loaded or not.
    fn bounds(&self, analysis: &Analysis) -> Option<(Timestamp, Timestamp)> {
        self.extent.bounds().or_else(|| self.held(&analysis.lock()))
    }

    /// From the oldest sample on; from now on where there is none.
    fn held(&self, knowledge: &Knowledge) -> Option<(Timestamp, Timestamp)> {
        Some(knowledge.history.bounds().unwrap_or((self.time.now, self.time.now)))
    }

    /// The end of time: now, or as far beyond it as a layer reaches.
    fn last(&self) -> Timestamp {
        self.horizon.end(self.time.now)
    }

    fn ends(&self, knowledge: &Knowledge) -> Option<(Timestamp, Timestamp)> {
        let from_oldest = || Some((knowledge.history.bounds()?.0, self.time.now));
        self.extent.bounds().or_else(from_oldest)
    }

    /// Plays; who stands where that cannot go on starts at the other end: of the loop, or of a recording.
    fn play(&self, speed: f64, analysis: &Analysis) -> Cursor {
        let now = self.time.now;
        let whole = || self.extent.bounds().map(|(start, _)| (start, self.last()));
        let turn = self.extent.loop_marks(*self.marks).span().or_else(whole);
        let at = self.cursor.shown(now);
        let start = match turn {
            Some((start, end)) if speed > 0.0 && at >= end => start,
            Some((start, end)) if speed < 0.0 && at <= start => end,
            _ => return self.cursor.play(speed, now),
        };
        Cursor::pause_at(start, self.bounds(analysis), self.last()).play(speed, now)
    }

    /// Where a step by a sample takes the cursor; none: nowhere.
    fn step_on(&mut self, step: SampleStep, knowledge: &Knowledge, signals: &[SignalIndex]) -> Option<Cursor> {
        let bounds = self.extent.bounds();
        let next = step.look(&knowledge.history, signals, *self.loaded, bounds);
        let underway = match next {
            Next::GoOn(step) => Some(step),
            Next::Found(_) | Next::Nothing => None,
        };
        self.underway.set_if_neq(Underway(underway));
        let at = match next {
            Next::Found(at) => at,
            Next::GoOn(step) => step.at,
            Next::Nothing if step.at != step.origin => step.origin,
            Next::Nothing => return None,
        };
        let bounds = bounds.or_else(|| self.held(knowledge));
        Some(Cursor::pause_at(at, bounds, self.last()))
    }

    /// Goes on with a step for which more had to be read, unless the cursor was moved elsewhere.
    fn go_on(&mut self, analysis: &Analysis, attention: &Attention, scene: &Scene) {
        let Some(step) = self.underway.0 else { return };
        if *self.cursor != Cursor::Paused(step.at) {
            self.underway.0 = None;
        } else if self.time.shown == step.at {
            let next = self.step_on(step, &analysis.lock(), &signals(attention, scene));
            self.cursor.set_if_neq(next.unwrap_or(Cursor::Paused(step.origin)));
        }
    }

    fn step(&mut self, by: StepBy, forward: bool, knowledge: &Knowledge, signals: &[SignalIndex]) -> Cursor {
        let (now, last) = (self.time.now, self.last());
        let cursor = *self.cursor;
        if forward && cursor.is_live() && last <= now {
            return cursor;
        }
        let shown = cursor.shown(now);
        let bounds = self.extent.bounds().or_else(|| self.held(knowledge));
        match by {
            StepBy::Time(by) => {
                let at = if forward { shown + by } else { shown - by };
                // Now is a stop on the way to what lies beyond it, and on the way back.
                let stops = match forward {
                    true => at >= now && (shown < now || last <= now),
                    false => at <= now && shown > now,
                };
                match stops && !self.extent.is_recorded() {
                    true => Cursor::Live,
                    false => cursor.seek(at, bounds, last),
                }
            }
            StepBy::Sample => self.step_on(SampleStep::new(forward, shown), knowledge, signals).unwrap_or(cursor),
            StepBy::Event => event_beside(knowledge, shown, forward).map_or(cursor, |at| cursor.seek(at, bounds, last)),
        }
    }
}

/// The moment to see the next event at, or the one before. Looks at all of the journal: a millisecond where it is full,
/// once a key press.
fn event_beside(knowledge: &Knowledge, shown: Timestamp, forward: bool) -> Option<Timestamp> {
    let moments = knowledge.chronicle().journal().iter().map(|event| event.seen_at());
    if forward { moments.filter(|at| *at > shown).min() } else { moments.filter(|at| *at < shown).max() }
}

fn marked(marks: Marks, end: MarkEnd, at: Option<Timestamp>) -> Marks {
    match end {
        // A mark that is set beyond the other takes its place: a stretch of nothing is of no use.
        MarkEnd::In => Marks { start: at, end: marks.end.filter(|end| at.is_none_or(|at| at < *end)), ..marks },
        MarkEnd::Out => Marks { end: at, start: marks.start.filter(|start| at.is_none_or(|at| *start < at)), ..marks },
    }
}

/// Whose samples a step visits.
fn signals(attention: &Attention, scene: &Scene) -> Vec<SignalIndex> {
    let selected = attention.selected.and_then(|twin| scene.twins.get(twin.at()));
    let of_twin = selected.into_iter().flat_map(|twin| twin.signals.clone().map(SignalIndex));
    let mut signals: Vec<SignalIndex> = attention.trends.iter().copied().chain(of_twin).collect();
    if signals.is_empty() {
        signals.extend((0..scene.signals.len() as u32).map(SignalIndex));
    }
    signals.sort_unstable();
    signals.dedup();
    signals
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;
