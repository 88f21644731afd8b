//! Learns messages and passes time, in the one order. In: batches from the feeds, or one given directly; the receive
//! time up to which all have arrived. Out: their consequences in [`Knowledge`]. Reads a clock only to limit how long it
//! works.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Knowledge, Work};
use crate::analysis::Feed;
use crate::analysis::jobs::ANSWERS;
use crate::event::{Draft, Kind};
use crate::ingest::moments;
use crate::produce::{Job, Made};
use crate::record::Conclusion;
use crate::source::{Batch, BatchMessage};
use crate::value::{Sample, SignalIndex, Timestamp};

/// Something is due just after this moment.
pub(super) const JUST_AFTER: Duration = Duration::from_nanos(1);

/// So often in turn an answer may ask for the next one, where work is done here.
const MOST_ASKED_IN_TURN: u32 = 64;

/// Work that is to be done here.
#[derive(Debug)]
pub(super) struct Asked {
    answered_at: Timestamp,
    /// 1 if no answer asked for it, one more than that answer otherwise.
    in_turn: u32,
    job: Job,
}

impl Knowledge {
    /// The sources to drain from now on. Those left out are not read any more; what was taken from them is learnt.
    pub(in crate::analysis) fn listen_to(&mut self, feeds: impl IntoIterator<Item = Feed>) {
        while self.learn_next(Timestamp::MAX) {}
        let old = std::mem::take(&mut self.feeds);
        self.feeds = feeds.into_iter().map(|feed| feed.going_on(&old)).collect();
        self.feeds.sort_by(|a, b| a.name.cmp(&b.name));
        self.publish_wishes();
    }

    /// The latest time up to which all messages have been received, at most just before `now`. Read the clock first,
    /// then ask, then [drain](Knowledge::drain).
    pub(in crate::analysis) fn settled(&self, now: Timestamp) -> Timestamp {
        let settled = self.feeds.iter().map(|feed| feed.inbox.settled(now)).min().unwrap_or(now);
        Timestamp(settled.0.saturating_sub(1)).max(self.position)
    }

    /// Learns what waits and was received by `settled`, for about `slice`. Says whether more of that may wait.
    pub(in crate::analysis) fn drain(&mut self, settled: Timestamp, slice: Duration) -> bool {
        #[expect(
            clippy::disallowed_methods,
            reason = "only how long the lock is held depends on it, not what is learnt"
        )]
        let started = Instant::now();
        while self.learn_next(settled) {
            if started.elapsed() >= slice {
                return true;
            }
        }
        false
    }

    /// Whether messages taken from the feeds are not learnt yet, because they were received after the settled time.
    pub(in crate::analysis) fn holds_back(&self) -> bool {
        self.feeds.iter().any(|feed| feed.next().is_some())
    }

    /// Messages of the present position that wait still: nothing may come between messages of one receive time.
    pub(super) fn learn_rest_of_position(&mut self) {
        while self.learn_next(self.position) {}
    }

    /// Learns messages of the feed whose next one is the first of all, as long as it is; false if none is left that was
    /// received by `settled`.
    fn learn_next(&mut self, settled: Timestamp) -> bool {
        // The batch of a feed that is empty-handed may hold an earlier one.
        for feed in &mut self.feeds {
            feed.take_batch();
        }
        let times = self.feeds.iter().enumerate().filter_map(|(number, feed)| Some((feed.next()?, number)));
        let Some((first, number)) = times.clone().min().filter(|(first, _)| *first <= settled) else { return false };
        let others = times.filter(|(_, other)| *other != number).min();
        let Some(mut waiting) = self.feeds.get_mut(number).and_then(|feed| feed.waiting.take()) else { return false };
        if waiting.batch.coalesced > 0 {
            self.note_coalesced(number, std::mem::take(&mut waiting.batch.coalesced), first);
        }
        if waiting.batch.unwhole > 0 {
            self.note_unwhole(std::mem::take(&mut waiting.batch.unwhole));
        }
        if waiting.batch.generation != self.generation {
            waiting.forget_learnt();
            self.bring_up_to_date(&mut waiting.batch);
        }
        self.begin_keyframe_anew_if_late(&waiting.batch);
        let is_answer = self.feeds.get(number).is_some_and(Feed::is_of_answers);
        let before = waiting.learnt;
        let is_next = |next: Timestamp| next <= settled && others.is_none_or(|other| (next, number) < other);
        while let Some(message) = waiting.next_message().filter(|message| is_next(message.received())) {
            match is_answer {
                true => self.learn_answer(message.samples),
                false => self.learn_one(message),
            }
            waiting.pass_over();
        }
        self.count(waiting.batch.samples.get(before..waiting.learnt).unwrap_or_default());
        if let Some(feed) = self.feeds.get_mut(number) {
            feed.put_back(waiting);
        }
        true
    }

    /// Learns a batch at once, message by message; returns the memory it was in.
    pub fn learn(&mut self, mut batch: Batch) -> Batch {
        self.bring_up_to_date(&mut batch);
        self.begin_keyframe_anew_if_late(&batch);
        batch.messages().for_each(|message| self.learn_one(message));
        self.count(&batch.samples);
        batch
    }

    /// A message of a source, in this world and in the one that lies over it.
    fn learn_one(&mut self, message: BatchMessage<'_>) {
        match message.samples {
            [] => self.pass_time(message.received()),
            samples => self.learn_message(samples),
        }
        if self.overlays.now.is_some() {
            self.lay_over(message);
        }
    }

    fn count(&mut self, samples: &[Sample]) {
        self.samples += samples.len() as u64;
        if let Some(last) = samples.last() {
            self.arrivals.add(last.receive_time, samples.len());
        }
    }

    /// The samples of one message, after all that was due by then.
    fn learn_message(&mut self, message: &[Sample]) {
        self.pass_time(received(message));
        for moment in moments(message) {
            for sample in moment {
                let signal = sample.signal;
                let Some(is_touched) = self.is_touched.get_mut(signal.at()) else {
                    self.orphaned += 1;
                    continue;
                };
                if !std::mem::replace(is_touched, true) {
                    self.touched.push(signal);
                }
                self.history.append(sample);
                self.note(sample);
                if let Some(born) = self.lives.hear(signal, &self.history) {
                    self.quiet_until = None;
                    self.record_life(born, sample.source_time, sample.receive_time, Kind::Birth);
                }
                if self.is_asked_for.get(signal.at()) == Some(&true) {
                    self.moment.push(sample.clone());
                }
            }
            self.conclude();
        }
    }

    /// Concludes one moment whose samples are in history: producers add their samples, then alarms judge both.
    fn conclude(&mut self) {
        let mut moment = std::mem::take(&mut self.moment);
        if let Some(received) = moment.first().map(|sample| sample.receive_time) {
            let measured = moment.len();
            self.producers.conclude(&mut moment, &mut self.history);
            moment.iter().skip(measured).for_each(|sample| self.show(sample));
            self.judge(&moment, received);
        }
        moment.clear();
        self.moment = moment;
    }

    /// Samples that producers have made beside a moment: they are moments of their own.
    pub(super) fn take_produced(&mut self, samples: Vec<Sample>, at: Timestamp) {
        self.quiet_until = None;
        for moment in moments(&samples) {
            moment.iter().for_each(|sample| self.show(sample));
            self.judge(moment, at);
        }
        if samples.is_empty() {
            self.take_from_producers(at);
        }
    }

    fn judge(&mut self, moment: &[Sample], at: Timestamp) {
        self.engine.observe_moment(moment.iter(), &self.history, &mut self.changes);
        self.quiet_until = None;
        self.note_changes();
        self.take_from_producers(at);
    }

    /// Takes forecasts, events and jobs from the producers.
    fn take_from_producers(&mut self, at: Timestamp) {
        let Made { forecasts, events, jobs } = std::mem::take(&mut self.producers.made);
        for event in events {
            self.chronicle.record(event);
        }
        for forecast in forecasts {
            if self.chronicle.is_recorded()
                && let Some(recorded) = Conclusion::forecast(&forecast, &self.scene)
            {
                self.chronicle.conclude(recorded);
            }
            self.forecasts.insert(Arc::new(forecast));
        }
        for job in jobs {
            match &self.work {
                Work::At(sender) => sender.send(self.generation, job),
                Work::Here => self.ask_here(job, at),
                Work::OnRecord => {}
            }
        }
    }

    /// Work that is done here is answered just after `at`, the moment that asked. An answer that asks again is answered
    /// after that, but not without end.
    fn ask_here(&mut self, job: Job, at: Timestamp) {
        let asked = self.answering + 1;
        if asked > MOST_ASKED_IN_TURN {
            let Job { producer, .. } = job;
            self.complain(format!(
                "{producer}: each answer asks for the next one; after {MOST_ASKED_IN_TURN} no more are computed"
            ));
            return;
        }
        self.asked.push_back(Asked { answered_at: at + JUST_AFTER, in_turn: asked, job });
        self.quiet_until = None;
    }

    /// Does the work that was asked for first; its answer takes its place now.
    fn answer_here(&mut self) {
        let Some(Asked { answered_at, in_turn, job }) = self.asked.pop_front() else { return };
        let mut samples = (job.work)().samples;
        samples.iter_mut().for_each(|sample| sample.receive_time = answered_at);
        let before = std::mem::replace(&mut self.answering, in_turn);
        if !samples.is_empty() {
            self.learn_answer(&samples);
        }
        self.answering = before;
    }

    /// Samples that a producer did not wait for. They are on record, so that a replay need not compute them.
    fn learn_answer(&mut self, samples: &[Sample]) {
        if self.chronicle.is_recorded() {
            self.chronicle.conclude(Conclusion::produced(ANSWERS, received(samples), samples, &self.scene));
        }
        self.learn_message(samples);
    }

    pub(super) fn note_changes(&mut self) {
        if !self.changes.is_empty() {
            self.chronicle.take(&mut self.changes, &self.engine);
        }
    }

    /// A sample of a producer, which history has.
    fn show(&mut self, sample: &Sample) {
        self.note(sample);
        self.touch(sample.signal);
    }

    /// For those who follow every sample.
    fn note(&mut self, sample: &Sample) {
        if !self.outdated.is_empty() {
            self.outdated.remove(&sample.signal);
        }
        if let Some(digest) = &mut self.digest {
            digest.add(sample);
        }
        if let Some(heard) = &mut self.heard
            && heard.is_wanted.get(sample.signal.at()) == Some(&true)
        {
            heard.samples.push(sample.clone());
        }
    }

    pub(super) fn touch(&mut self, signal: SignalIndex) {
        if let Some(is_touched) = self.is_touched.get_mut(signal.at())
            && !std::mem::replace(is_touched, true)
        {
            self.touched.push(signal);
        }
    }

    /// All messages received by `now` have been learnt: carries out deadlines up to then, and tells the store.
    pub(crate) fn elapse(&mut self, now: Timestamp) {
        self.pass_time(now);
        self.chronicle.keep(&self.engine, now);
    }

    /// Carries out deadlines at or before `to`, each at its own time, in their order. At one time producers come first,
    /// and alarms judge their samples; then come alarms, then the lives of twins, then floods and chattering.
    pub fn pass_time(&mut self, to: Timestamp) {
        if self.quiet_until.is_some_and(|until| to < until) {
            self.position = self.position.max(to);
            self.overlays.pass_time(to);
            return;
        }
        loop {
            let due = self.next_due();
            // Deadlines of that time come before it, as before every message.
            let answer = self.asked.front().map(|asked| asked.answered_at);
            if answer.is_some_and(|answer| answer <= to && due.is_none_or(|due| answer < due)) {
                self.answer_here();
                continue;
            }
            let Some(due) = due.filter(|due| *due <= to) else {
                self.quiet_until = Some([due, answer].into_iter().flatten().min().unwrap_or(Timestamp::MAX));
                break;
            };
            // What a message of just now has made overdue has its place after that message.
            let due = due.max(self.position);
            self.position = due;
            if self.place_faults(due) {
                continue;
            }
            if self.producers.next_due().is_some_and(|first| first <= due) {
                let added = self.producers.elapse(due, &mut self.history);
                self.take_produced(added, due);
                continue;
            }
            self.engine.elapse(due, &mut self.changes);
            self.note_changes();
            for (twin, at) in self.lives.elapse(due, &self.history) {
                self.record_life(twin, at, due, Kind::Death);
            }
            self.chronicle.find_ends(&self.engine, due);
        }
        self.position = self.position.max(to);
        self.overlays.pass_time(to);
    }

    /// Nothing is due before this moment.
    pub(in crate::analysis) fn next_due(&mut self) -> Option<Timestamp> {
        let lives = self.lives.next_deadline().map(|last| last + JUST_AFTER);
        let faults = self.overlays.next_due();
        let due = [self.producers.next_due(), self.engine.soonest(), lives, self.chronicle.next_end(), faults];
        due.into_iter().flatten().min()
    }

    /// When [`Knowledge::elapse`] has something to do next, or the store is to be told that Pollux lives.
    pub(in crate::analysis) fn next_deadline(&mut self, now: Timestamp) -> Option<Timestamp> {
        [self.next_due(), self.chronicle.next_sign(now), self.overlays.next_look()].into_iter().flatten().min()
    }

    /// The place in the one order up to which everything was learnt.
    pub fn position(&self) -> Timestamp {
        self.position
    }

    /// Gives samples of the generation before today's indices; those of signals that are gone are taken out, counted.
    fn bring_up_to_date(&mut self, batch: &mut Batch) {
        if batch.generation == self.generation {
            return;
        }
        let before = batch.samples.len();
        let outdated = &self.outdated;
        let map = self.renumbered.as_deref().filter(|_| batch.generation.wrapping_add(1) == self.generation);
        batch.retain(|sample| {
            let today = map.and_then(|map| *map.get(sample.signal.at())?);
            // What was decoded as the scene said before may be in another unit.
            today.filter(|today| !outdated.contains(today)).is_some_and(|today| {
                sample.signal = today;
                true
            })
        });
        self.orphaned += (before - batch.samples.len()) as u64;
        batch.generation = self.generation;
    }

    /// A replay of this stretch will differ: what was recorded is more than what was learnt.
    fn note_coalesced(&mut self, feed: usize, samples: u64, at: Timestamp) {
        let Some(name) = self.feeds.get(feed).map(|feed| feed.name.clone()) else { return };
        let text = format!(
            "{name}: {samples} samples gave way to newer ones of their signals, as more came than could be taken in; a \
             replay of this stretch may differ"
        );
        self.chronicle.record(Draft::new(at, at, Kind::Note { text }));
    }
}

/// When a message was received; it has samples.
fn received(message: &[Sample]) -> Timestamp {
    message.first().map_or(Timestamp::MIN, |sample| sample.receive_time)
}
