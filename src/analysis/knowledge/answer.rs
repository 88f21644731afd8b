//! What a recording wants of the analysis. In: a moment by which all has been learnt. Out: its news on record, and a
//! keyframe whenever it asks for one.
//!
//! A keyframe of many signals takes longer than anybody should wait for the lock, so it is collected a slice at a time.
//! It is of one moment all the same: what was received later is passed over, nothing is given up meanwhile, and whatever
//! would change that moment after all (a sample that was underway for too long, another scene) lets it begin anew.

use std::time::{Duration, Instant};

use super::Knowledge;
use crate::record::{Exposure, Still};
use crate::source::Batch;
use crate::value::Timestamp;

/// How far a recording has what it wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    /// It wants nothing.
    Done,
    /// It wants a keyframe that cannot be begun just now: samples may be underway, or alarms are changing.
    Later,
    /// Its keyframe is being collected: call again at once, with the lock free in between.
    Underway,
}

impl Knowledge {
    /// Takes the news of the recording on record, and gives it the keyframe that it wants: that is collected for about
    /// `slice` a call. It is of `at`, until which all samples received have been learnt; none if some may wait, then only
    /// what has been begun goes on.
    pub(crate) fn answer_recorder(&mut self, at: Option<Timestamp>, slice: Duration) -> Answer {
        let begun = Instant::now();
        let Some(recording) = self.chronicle.recording().cloned() else { return Answer::Done };
        for news in recording.take_news(at.unwrap_or_else(|| self.heard())) {
            self.chronicle.record(news);
        }
        if !recording.wants_keyframe() {
            self.give_up_exposure();
            return Answer::Done;
        }
        if self.exposure.is_none() {
            match at.filter(|at| *at >= recording.hears_since() && self.chronicle.is_still(*at)) {
                Some(at) => self.begin_exposure(at),
                None => return Answer::Later,
            }
        }
        let Some(still) = self.expose(|| begun.elapsed() >= slice) else { return Answer::Underway };
        // It may have begun another file meanwhile.
        if still.time < recording.hears_since() {
            return Answer::Later;
        }
        self.chronicle.note_still(still.time);
        recording.keyframe(still);
        Answer::Done
    }

    /// Whether a keyframe is being collected.
    pub(crate) fn is_exposing(&self) -> bool {
        self.exposure.is_some()
    }

    /// Begins to collect what was known at `at`.
    pub(crate) fn begin_exposure(&mut self, at: Timestamp) {
        self.history.keep_all();
        self.exposure = Some(Exposure::new(at, self.scene.clone(), self.engine.snapshot()));
    }

    /// Goes on collecting until it is `enough`; the still, when it is complete.
    pub(crate) fn expose(&mut self, enough: impl Fn() -> bool) -> Option<Still> {
        let exposure = self.exposure.as_mut()?;
        if !exposure.go_on(&self.history, enough) {
            return None;
        }
        self.history.give_up_again();
        self.exposure.take().map(Exposure::into_still)
    }

    /// A keyframe that is being collected is begun anew, later: its moment would not be what it was.
    pub(super) fn give_up_exposure(&mut self) {
        if self.exposure.take().is_some() {
            self.history.give_up_again();
        }
    }

    /// Samples that were received before the moment of the keyframe, and that nobody knew when it was begun: some of
    /// the signals that they are of, or that are derived from them, may have been collected already.
    pub(super) fn expose_anew_if_late(&mut self, batch: &Batch) {
        let Some(moment) = self.exposure.as_ref().map(Exposure::time) else { return };
        if batch.samples.iter().any(|sample| sample.receive_time <= moment) {
            self.give_up_exposure();
        }
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
