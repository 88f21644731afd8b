//! The knowledge of one world, and the one way to extend it: message by message, in one order.
//!
//! In: messages as samples, operators' deeds, connection news, the passing of time. Out: history, samples and forecasts
//! of producers, alarms, the journal. Never reads a clock: a deadline takes effect at its own time, however late time
//! is passed on.
//!
//! # The one order
//!
//! Everything that is learnt has a place in one order: receive time, then broker by name, then arrival. At one time
//! deadlines come first, then messages, then deeds and connection news. So all results depend on messages, deeds and
//! their times alone, not on how they were read, cut into batches or drained.
//!
//! After the wall clock was set back, a session learns messages at once, with the times that they have. When a flood
//! makes a source drop older samples, the journal says so. In both stretches a replay may differ from the live session.

mod answer;
mod lay;
mod learn;
#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod outdated_tests;
mod recall;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::chronicle::Chronicle;
use super::digest::SampleDigest;
use super::feed::{Feed, News};
use super::jobs::JobSender;
use super::lives::Lives;
use crate::alarm::{Action, Alarm, Change, Deed, Engine, Horn, Refusal};
use crate::event::store::{Restored, Store};
use crate::event::{Draft, Ending, EventFile, Kind};
use crate::fault::Site;
use crate::history::{Density, ForecastStore, History};
use crate::plant::Portrait;
use crate::produce::{Happening, ProducerFactory, ProducerState, Producers};
use crate::record::format::Keyframe;
use crate::record::{Conclusion, KeyframeBuilder, RecordSink};
use crate::scene::Scene;
use crate::scene::rule::AlarmPath;
use crate::value::{Sample, SignalIndex, Timestamp, TwinIndex};
use lay::Overlays;

pub(crate) use answer::Answer;
pub use recall::Recall;
pub(crate) use recall::samples_of;

/// Who carries out costly jobs of producers.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// At once: a run without a clock.
    Here,
    /// By a thread of its own: a live session.
    At(JobSender),
    /// Nowhere: its answers are recorded.
    OnRecord,
}

/// Samples that somebody wants to see one by one.
#[derive(Debug)]
struct Heard {
    /// By signal.
    is_wanted: Vec<bool>,
    samples: Vec<Sample>,
}

/// Everything that one world has learnt: history, alarms, journal, memory of producers. One lock guards all of it.
#[derive(Debug)]
pub struct Knowledge {
    scene: Arc<Scene>,
    /// Of the scene, as batches carry it.
    generation: u32,
    /// From the indices of the generation before to today's, for batches that were on their way.
    renumbered: Option<Vec<Option<SignalIndex>>>,
    pub history: History,
    arrivals: Density,
    producers: Producers,
    /// Makes the producers anew for another scene.
    make: ProducerFactory,
    work: Work,
    /// Work to be done here, in the order in which it was asked for.
    asked: VecDeque<learn::Asked>,
    /// While the answer to such work is learnt: how many answers in turn have asked for it.
    answering: u32,
    /// What producers have said of the future: apart from what was measured.
    forecasts: ForecastStore,
    /// By signal: a producer reads it, or an alarm looks at it.
    is_asked_for: Vec<bool>,
    engine: Engine,
    lives: Lives,
    chronicle: Chronicle,
    /// Faults on live data: worlds beside this one.
    overlays: Overlays,
    /// A keyframe for the recording, while it is being collected.
    keyframe: Option<KeyframeBuilder>,
    /// The simulated plant that keyframes tell of.
    plant: Option<Portrait>,
    /// Memory for what the engine says.
    changes: Vec<Change>,
    /// Where samples come from, in the order of their names.
    feeds: Vec<Feed>,
    /// The place in the one order up to which everything was learnt, and everything due was carried out.
    position: Timestamp,
    /// No deadline comes before this; kept while no deadline changes.
    quiet_until: Option<Timestamp>,
    is_driven: bool,
    /// Of a recording: nothing is judged, nobody acts.
    is_recorded: bool,
    touched: Vec<SignalIndex>,
    is_touched: Vec<bool>,
    /// Memory for the samples of one moment that something depends on.
    moment: Vec<Sample>,
    samples: u64,
    orphaned: u64,
    /// Signals whose newest sample is from before the scene was read again and changed what they are.
    outdated: BTreeSet<SignalIndex>,
    /// Of all samples, where somebody wants to know.
    digest: Option<Box<SampleDigest>>,
    /// Samples of some signals, where somebody wants to see each of them.
    heard: Option<Heard>,
}

impl Knowledge {
    /// Of a scene whose binding tables carry `generation`; watches from `now` on.
    pub fn new(
        scene: Arc<Scene>,
        generation: u32,
        history_budget_bytes: u64,
        now: Timestamp,
        make: ProducerFactory,
    ) -> Self {
        let mut history = History::new(history_budget_bytes);
        history.resize(scene.signals.len());
        let mut forecasts = ForecastStore::default();
        forecasts.resize(scene.signals.len());
        let (producers, conflicts) = Producers::new(&scene, make.make(&scene));
        let engine = Engine::new(scene.clone(), now);
        let mut knowledge = Self {
            is_asked_for: asked_for(&scene, &producers, &engine),
            producers,
            make,
            work: Work::Here,
            asked: VecDeque::new(),
            answering: 0,
            forecasts,
            engine,
            lives: Lives::new(&scene),
            chronicle: Chronicle::new(now),
            overlays: Overlays::default(),
            keyframe: None,
            plant: None,
            changes: Vec::new(),
            is_touched: vec![false; scene.signals.len()],
            scene,
            generation,
            renumbered: None,
            history,
            arrivals: Density::default(),
            feeds: Vec::new(),
            position: Timestamp::MIN,
            quiet_until: None,
            is_driven: false,
            is_recorded: false,
            touched: Vec::new(),
            moment: Vec::new(),
            samples: 0,
            orphaned: 0,
            outdated: BTreeSet::new(),
            digest: None,
            heard: None,
        };
        conflicts.iter().for_each(|conflict| knowledge.complain(conflict.to_string()));
        knowledge
    }

    /// Samples taken in so far.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// When how many of them were received.
    pub fn arrivals(&self) -> &Density {
        &self.arrivals
    }

    /// Samples whose signal no longer existed, because the scene was reloaded while they waited.
    pub fn orphaned(&self) -> u64 {
        self.orphaned
    }

    /// A thread drains the inboxes, or there are none: frames need not.
    pub(super) fn is_driven(&self) -> bool {
        self.is_driven || self.is_recorded
    }

    pub(super) fn set_driven(&mut self, is_driven: bool) {
        self.is_driven = is_driven;
        // Frames give no keyframes: one that has been begun would never be complete.
        self.give_up_keyframe();
    }

    /// All alarms as they stand, in the order of the scene's.
    pub fn alarms(&self) -> &[Alarm] {
        self.engine.alarms()
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub fn chronicle(&self) -> &Chronicle {
        &self.chronicle
    }

    /// Goes on where an earlier run ended. Before the first sample.
    pub fn resume(&mut self, store: Store, restored: Restored, now: Timestamp) {
        self.chronicle.resume(store, restored, &mut self.engine, now);
        self.end_all_faults(&[Site::Overlay, Site::Plant], Ending::SessionEnded, now);
        self.quiet_until = None;
    }

    /// From now on every event is a line of this file.
    pub fn write_events_to(&mut self, file: EventFile) {
        self.chronicle.write_to(file);
    }

    /// From now on every event is part of this recording, and so is the state of everything whenever it asks for it.
    pub fn record_to(&mut self, recording: RecordSink) {
        self.give_up_keyframe();
        self.chronicle.record_to(recording);
    }

    /// Events are part of no recording any more.
    pub fn record_no_more(&mut self) {
        self.give_up_keyframe();
        self.chronicle.record_no_more();
    }

    /// Messages learnt from now on are live: new alarms are heard.
    pub fn sound(&mut self, horn: Horn) {
        self.chronicle.sound(horn);
    }

    /// There should be a store, and this is why there is none: people are told.
    pub fn go_without_store(&mut self, why: String) {
        self.chronicle.go_without_store(why);
    }

    /// Hands over the last news and waits until everything is on disk, some seconds at most. Names anything that is
    /// not.
    pub fn close_record(&mut self, now: Timestamp) -> Vec<String> {
        self.elapse(now);
        // What somebody does to live data does not outlive the session.
        self.end_faults(|_| true, Ending::SessionEnded, None, self.position);
        self.end_all_faults(&[Site::Plant], Ending::SessionEnded, now);
        self.chronicle.close(&self.engine, now)
    }

    /// What keeps alarms from being judged and events from being kept, in sentences.
    pub fn troubles(&self) -> Vec<String> {
        let formulas = self.engine.failures().map(|(alarm, failure)| {
            let path = self.scene.alarm_path(alarm);
            format!("{path}: its formula failed {} times, the last verdict holds: {}", failure.count, failure.message)
        });
        self.chronicle.troubles().into_iter().chain(formulas).collect()
    }

    /// Waits until all that is on record by now is on disk, a second at most; says why if it is not. Without a store
    /// there is nothing to wait for.
    pub fn secure(&mut self, now: Timestamp) -> Result<(), String> {
        self.chronicle.hand_over(&self.engine, now);
        self.chronicle.flush()
    }

    /// Whether the newest sample of a signal is from before the scene was read again and changed what the signal is.
    pub fn is_outdated(&self, signal: SignalIndex) -> bool {
        self.outdated.contains(&signal)
    }

    /// Puts on record what happened elsewhere.
    pub fn record(&mut self, draft: Draft) {
        self.chronicle.record(draft);
    }

    /// From now on every sample counts for [`Knowledge::sample_digest`].
    pub fn keep_digest(&mut self) {
        self.digest = Some(Box::new(SampleDigest::new(&self.scene)));
    }

    /// All samples that were learnt, measured and made by producers, in order, as one number; none unless it is kept.
    pub fn sample_digest(&self) -> Option<u128> {
        self.digest.as_ref().map(|digest| digest.finish())
    }

    /// From now on samples of these signals are kept until they are [taken](Knowledge::take_heard), as long as the scene
    /// stays.
    pub fn listen_in(&mut self, signals: &[SignalIndex]) {
        let mut is_wanted = vec![false; self.scene.signals.len()];
        for signal in signals {
            if let Some(wanted) = is_wanted.get_mut(signal.at()) {
                *wanted = true;
            }
        }
        self.heard = Some(Heard { is_wanted, samples: Vec::new() });
    }

    /// Samples of the signals that are listened to since the last call, measured or made by producers, in the order in
    /// which they were learnt.
    pub fn take_heard(&mut self) -> Vec<Sample> {
        self.heard.as_mut().map_or_else(Vec::new, |heard| std::mem::take(&mut heard.samples))
    }

    /// The memory of producers, as of the present position.
    pub fn producer_states(&self) -> BTreeMap<String, ProducerState> {
        self.producers.save()
    }

    /// Carries out what an operator asks for, and hands it over to the store at once; alarms that refuse say why. That
    /// is on record as well: a deed that was not done must not be taken for one.
    pub fn act(&mut self, alarms: &[AlarmPath], action: &Action, deed: &Deed) -> Vec<(AlarmPath, Refusal)> {
        if self.is_recorded {
            return alarms.iter().map(|path| (path.clone(), Refusal::Recorded)).collect();
        }
        let deed = &Deed { at: self.place_of(deed.at), ..deed.clone() };
        let mut refused = Vec::new();
        for path in alarms {
            let result = match path.rule(&self.scene).map(|rule| rule.index) {
                Some(alarm) => self.engine.act(alarm, action, deed, &mut self.changes),
                None => Err(Refusal::Gone),
            };
            if let (Ok(()), Some(overlay)) = (&result, &self.overlays.now) {
                overlay.view.analysis.lock().repeat(path, action, deed);
            }
            refused.extend(result.err().map(|refusal| (path.clone(), refusal)));
        }
        self.note_changes();
        if refused.len() < alarms.len() {
            let happening = Happening::Deed { alarms, action, deed };
            let added = self.producers.happened(&happening, deed.at, &mut self.history);
            self.take_produced(added, deed.at);
        }
        if let Some((path, refusal)) = refused.first() {
            let more = match refused.len() - 1 {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            let text = format!("{} of {path} refused: {refusal}{more}", action.noun());
            let note = Draft::new(deed.at, deed.at, Kind::Note { text });
            let twin = path.twin.clone().filter(|_| more.is_empty());
            self.record(Draft { twin, ..note.by(deed.by.clone(), deed.comment.clone()) });
        }
        self.chronicle.hand_over(&self.engine, deed.at);
        refused
    }

    /// Does once more what was done in a recorded session; an alarm that refuses stays as it is.
    pub fn repeat(&mut self, alarm: &AlarmPath, action: &Action, deed: &Deed) {
        let deed = &Deed { at: self.place_of(deed.at), ..deed.clone() };
        let Some(rule) = alarm.rule(&self.scene).map(|rule| rule.index) else { return };
        if self.engine.act(rule, action, deed, &mut self.changes).is_ok() {
            self.note_changes();
            let happening = Happening::Deed { alarms: std::slice::from_ref(alarm), action, deed };
            let added = self.producers.happened(&happening, deed.at, &mut self.history);
            self.take_produced(added, deed.at);
            if let Some(overlay) = &self.overlays.now {
                overlay.view.analysis.lock().repeat(alarm, action, deed);
            }
        }
    }

    /// Begins with what a keyframe knew, before the first message. What the scene does not have is passed over.
    pub fn begin_with(&mut self, keyframe: &Keyframe) {
        let samples: Vec<Sample> = samples_of(keyframe, &self.scene).collect();
        for sample in &samples {
            self.history.append(sample);
            // Known before: no birth.
            self.lives.hear(sample.signal, &self.history);
            self.touch(sample.signal);
        }
        let mut ended = Vec::new();
        self.engine.restore(keyframe.alarms.clone(), keyframe.time, &mut ended);
        let told = self.producers.restore(&keyframe.producers);
        told.into_iter().for_each(|text| self.complain(text));
        self.chronicle.take_up(&self.engine);
        self.position = self.position.max(keyframe.time);
        self.quiet_until = None;
    }

    /// Says who carries out costly jobs of producers.
    pub(super) fn have_done(&mut self, work: Work) {
        self.work = work;
    }

    /// The answers to work that producers do not wait for are on record, and are learnt as messages.
    pub fn answers_are_on_record(&mut self) {
        self.work = Work::OnRecord;
    }

    /// From now on what becomes known is kept until it is [taken](Knowledge::take_conclusions).
    pub fn keep_conclusions(&mut self) {
        self.chronicle.keep_conclusions();
    }

    /// Events, forecasts and answers of costly producers since the last call, in order.
    pub fn take_conclusions(&mut self) -> Vec<Conclusion> {
        self.chronicle.take_conclusions()
    }

    /// What producers have said of the future.
    pub fn forecasts(&self) -> &ForecastStore {
        &self.forecasts
    }

    /// Puts on record which connections were made or lost since the last look, and lets alarms judge it.
    pub(super) fn look_at_connections(&mut self, now: Timestamp) {
        let news: Vec<_> = self.feeds.iter_mut().filter_map(|feed| Some((feed.name.clone(), feed.news()?))).collect();
        for (name, News { is_connected, event }) in news {
            self.connection(&name, is_connected, event, now);
        }
    }

    /// The connection to a broker was made, or it is not there. Alarms and producers take it at the present position.
    pub fn connection(&mut self, broker: &str, is_connected: bool, event: Option<Kind>, at: Timestamp) {
        let at = self.place_of(at);
        if let Some(kind) = event {
            self.chronicle.record(Draft::new(at, at, kind));
        }
        self.engine.connection(broker, is_connected, at, &mut self.changes);
        self.note_changes();
        let happening = Happening::Connection { broker, is_connected };
        let added = self.producers.happened(&happening, at, &mut self.history);
        self.take_produced(added, at);
        if let Some(overlay) = &self.overlays.now {
            overlay.view.analysis.lock().connection(broker, is_connected, None, at);
        }
    }

    /// A happening told at `told` has its place after all that was learnt, and after what was due before.
    fn place_of(&mut self, told: Timestamp) -> Timestamp {
        self.learn_rest_of_position();
        // Driven by a thread, the position follows the clock: messages of after it may be underway.
        let at = if self.is_driven { self.position } else { self.position.max(told) };
        self.pass_time(at);
        at
    }

    fn record_life(&mut self, twin: TwinIndex, time: Timestamp, received: Timestamp, kind: Kind) {
        if let Some(twin) = self.scene.twins.get(twin.at()) {
            self.chronicle.record(Draft::new(time, received, kind).about(twin.id.clone()));
        }
    }

    /// Another scene takes over. Samples and states of signals and alarms that both scenes have (by twin id and name)
    /// stay. Returns where each old signal is now.
    pub fn adopt(&mut self, scene: Arc<Scene>, generation: u32, now: Timestamp) -> Vec<Option<SignalIndex>> {
        self.give_up_keyframe();
        let map = self.scene.renumbering(&scene);
        let still = self.outdated.iter().filter_map(|signal| *map.get(signal.at())?);
        self.outdated = still.chain(self.scene.changed_signals(&scene, &map)).collect();
        self.history.remap(&map, scene.signals.len());
        self.forecasts.remap(&map, scene.signals.len());
        self.lives.adopt(&self.scene, &scene, &self.history);
        self.engine.adopt(scene.clone(), now, &mut self.changes);
        self.chronicle.adopt(&mut self.changes, &self.scene, &self.engine);
        let states = self.producers.save();
        let (mut producers, conflicts) = Producers::new(&scene, self.make.make(&scene));
        let told = producers.restore(&states);
        told.into_iter().chain(conflicts.iter().map(ToString::to_string)).for_each(|text| self.complain(text));
        self.producers = producers;
        self.is_asked_for = asked_for(&scene, &self.producers, &self.engine);
        self.quiet_until = None;
        self.heard = None;
        if let Some(digest) = &mut self.digest {
            digest.rename(&scene);
        }
        self.touched.clear();
        self.is_touched.clear();
        self.is_touched.resize(scene.signals.len(), false);
        self.renumbered = (generation == self.generation.wrapping_add(1)).then(|| map.clone());
        self.scene = scene;
        self.generation = generation;
        self.adopt_overlay();
        map
    }

    /// Whether samples came that no frame has taken over yet.
    pub(super) fn has_news(&self) -> bool {
        !self.touched.is_empty() || self.overlays.has_news()
    }

    /// Moves the signals with new samples into `into`, whose old content is lost.
    pub(crate) fn take_touched(&mut self, into: &mut Vec<SignalIndex>) {
        into.clear();
        std::mem::swap(&mut self.touched, into);
        for signal in into {
            if let Some(is_touched) = self.is_touched.get_mut(signal.at()) {
                *is_touched = false;
            }
        }
    }
}

fn asked_for(scene: &Scene, producers: &Producers, engine: &Engine) -> Vec<bool> {
    scene.signals.iter().map(|signal| producers.reads(signal.index) || engine.watches(signal.index)).collect()
}
