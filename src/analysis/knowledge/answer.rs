//! Serves a recording. In: a moment by which all has been learnt. Out: news of that moment, and a keyframe whenever the
//! recording asks for one. Never holds the lock for a whole keyframe.
//!
//! A keyframe of many signals is collected in slices, so that nobody waits long for the lock. It still shows one
//! moment: samples received later are passed over, and history evicts nothing meanwhile. A change of that moment (a
//! sample that was underway for too long, another scene) makes the collection begin anew.

use std::time::{Duration, Instant};

use super::Knowledge;
use crate::plant::{Portrait, portrait};
use crate::produce::ProducerState;
use crate::record::KeyframeBuilder;
use crate::record::format::PLANT;
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
    /// Keyframes tell the state of this plant from now on; of none, if there is none.
    pub(crate) fn keep_plant(&mut self, plant: Option<Portrait>) {
        self.plant = plant;
    }

    /// Takes the news of the recording on record, and gives it the keyframe that it wants: that is collected for about
    /// `slice` a call. It is of `at`, until which all samples received have been learnt; none if some may wait, then
    /// only what has been begun goes on.
    #[expect(
        clippy::disallowed_methods,
        reason = "bounds how long one call takes: what is collected does not depend on it"
    )]
    pub(crate) fn answer_recorder(&mut self, at: Option<Timestamp>, slice: Duration) -> Answer {
        let begun = Instant::now();
        let Some(recording) = self.chronicle.recording().cloned() else { return Answer::Done };
        for news in recording.take_news(at.unwrap_or_else(|| self.position())) {
            self.chronicle.record(news);
        }
        if !recording.wants_keyframe() {
            self.give_up_keyframe();
            return Answer::Done;
        }
        if self.keyframe.is_none() {
            match at.filter(|at| *at >= recording.hears_since() && self.chronicle.is_still(*at)) {
                Some(at) => self.begin_keyframe(at),
                None => return Answer::Later,
            }
        }
        let Some(keyframe) = self.collect_keyframe(|| begun.elapsed() >= slice) else { return Answer::Underway };
        // It may have begun another file meanwhile.
        if keyframe.time() < recording.hears_since() {
            return Answer::Later;
        }
        self.chronicle.note_still(keyframe.time());
        recording.keyframe(keyframe);
        Answer::Done
    }

    /// Whether a keyframe is being collected.
    pub(crate) fn is_collecting_keyframe(&self) -> bool {
        self.keyframe.is_some()
    }

    /// Begins to collect what was known at `at`.
    pub(crate) fn begin_keyframe(&mut self, at: Timestamp) {
        self.history.keep_all();
        let mut states = self.producer_states();
        if let Some(data) = self.plant.as_ref().and_then(Portrait::latest) {
            states.insert(PLANT.to_owned(), ProducerState { version: portrait::VERSION, data });
        }
        let keyframe = KeyframeBuilder::new(at, self.scene.clone(), self.engine.snapshot(), states);
        self.keyframe = Some(keyframe.with_forecasts(&self.forecasts));
    }

    /// Goes on collecting until it is `enough`; the keyframe, when it is complete.
    pub(crate) fn collect_keyframe(&mut self, enough: impl Fn() -> bool) -> Option<KeyframeBuilder> {
        let keyframe = self.keyframe.as_mut()?;
        if !keyframe.go_on(&self.history, enough) {
            return None;
        }
        self.history.give_up_again();
        self.keyframe.take()
    }

    /// A keyframe that is being collected is begun anew, later: its moment would not be what it was.
    pub(super) fn give_up_keyframe(&mut self) {
        if self.keyframe.take().is_some() {
            self.history.give_up_again();
        }
    }

    /// Samples that were received before the moment of the keyframe, and that nobody knew when it was begun: some of
    /// the signals that they are of, or that are derived from them, may have been collected already.
    pub(super) fn begin_keyframe_anew_if_late(&mut self, batch: &Batch) {
        let Some(moment) = self.keyframe.as_ref().map(KeyframeBuilder::time) else { return };
        if batch.samples.iter().any(|sample| sample.receive_time <= moment) {
            self.give_up_keyframe();
        }
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
