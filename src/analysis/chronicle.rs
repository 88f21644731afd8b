//! Writes the journal: every transition of every alarm, and everything else that is worth a mark on the timeline.
//!
//! In: changes of alarms, drafts of other events, the time. Out: the journal, the watch over floods and chattering, and
//! entries for the store and the events file (both write in threads of their own). Never judges a sample.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::hearing::Hearing;
use super::past::{self, Opening};
use crate::alarm::{
    self, Alarm, Annunciation, Change, Engine, Findings, Flags, Horn, Kept, KeptAlarms, Monitor, Performance, Said,
    State,
};
use crate::event::store::{Restored, Store};
use crate::event::{Budget, Draft, Event, EventFile, Journal, Kind};
use crate::record::{Conclusion, RecordSink};
use crate::scene::Scene;
use crate::scene::rule::{AlarmIndex, AlarmPath, Rule, message};
use crate::value::Timestamp;

/// How often the store hears that Pollux lives, when nothing else happens.
pub(super) const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// How long a command to equipment waits to be on record before it leaves.
const SECURED_WITHIN: Duration = Duration::from_secs(1);
/// How long a keyframe waits for a moment without transitions.
const LONGEST_UNREST: Duration = Duration::from_secs(20);

/// The record of a session.
pub struct Chronicle {
    /// An alarm without any event on record has been normal since then.
    since: Timestamp,
    journal: Journal,
    monitor: Monitor,
    store: Option<Store>,
    file: Option<EventFile>,
    recording: Option<RecordSink>,
    /// What has become known and was not taken yet; none where nobody asks.
    concluded: Option<Vec<Conclusion>>,
    /// Receive time of the newest transition.
    last_transition: Timestamp,
    /// Of the last keyframe.
    last_still: Timestamp,
    /// Not handed to the store yet.
    unsaved: Vec<Arc<Event>>,
    changed: BTreeSet<AlarmIndex>,
    /// What hid each alarm after the last change that is on record.
    flags: BTreeMap<AlarmIndex, Flags>,
    /// Of each active alarm the worst value that the store knows: it gets worse without a transition.
    stored_worst: BTreeMap<AlarmIndex, Option<f64>>,
    last_sign: Option<Timestamp>,
    hearing: Hearing,
    /// Makes new alarms heard; none where nothing is live.
    horn: Option<Horn>,
    /// Why there is no store, though one was wanted.
    lacks_store: Option<String>,
    /// Complaints for people to read: why a wanted store is missing, which part of an earlier run is lost, why a
    /// recording fails.
    complaints: BTreeSet<String>,
    /// How alarms stood at moments before which the journal does not reach.
    openings: Vec<Opening>,
    /// Rises with each transition of an alarm.
    version: u64,
}

impl std::fmt::Debug for Chronicle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chronicle").field("events", &self.journal.usage().events).finish_non_exhaustive()
    }
}

impl Chronicle {
    /// A record that begins now and that nothing keeps.
    pub fn new(now: Timestamp) -> Self {
        Self {
            since: now,
            journal: Journal::new(Budget::default()),
            monitor: Monitor::new(now),
            store: None,
            file: None,
            recording: None,
            concluded: None,
            last_transition: Timestamp::MIN,
            last_still: Timestamp::MIN,
            unsaved: Vec::new(),
            changed: BTreeSet::new(),
            flags: BTreeMap::new(),
            stored_worst: BTreeMap::new(),
            last_sign: None,
            hearing: Hearing::default(),
            horn: None,
            lacks_store: None,
            complaints: BTreeSet::new(),
            openings: Vec::new(),
            version: 0,
        }
    }

    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    pub fn store(&self) -> Option<&Store> {
        self.store.as_ref()
    }

    /// What keeps events and alarms from being kept, in sentences.
    pub fn troubles(&self) -> Vec<String> {
        let store = self.store.as_ref().and_then(|store| {
            let status = store.status();
            let path = store.path().display();
            Some(format!("the store {path} cannot be written ({}); {} changes wait", status.error?, status.pending))
        });
        let file = self.file.as_ref().and_then(|file| {
            let status = file.status();
            Some(format!("the events file cannot be written ({}); {} events are lost", status.error?, status.dropped))
        });
        let dropped = match self.journal.usage().dropped {
            0 => None,
            dropped => Some(format!("the journal is full: its {dropped} oldest events were let go")),
        };
        let recording = self.recording.iter().flat_map(|sink| sink.status().troubles());
        self.complaints.iter().cloned().chain(store).chain(file).chain(dropped).chain(recording).collect()
    }

    /// There should be a store, and this is why there is none.
    pub fn go_without_store(&mut self, why: String) {
        self.complain(why.clone());
        self.lacks_store = Some(why);
    }

    /// Something that people should know, in a sentence; said once however often it comes.
    pub fn complain(&mut self, what: String) {
        self.complaints.insert(what);
    }

    /// Takes over the events of a recording. All of it is on record already: nothing is found, kept or told anew.
    pub(super) fn recall(&mut self, events: impl IntoIterator<Item = Arc<Event>>, scene: &Scene) {
        let events: Vec<Arc<Event>> = events.into_iter().collect();
        past::relive(&mut self.monitor, &events, scene, true);
        self.journal = Journal::restored(Budget::default(), 0, events);
        self.version += 1;
    }

    /// The states of alarms at some moments; the latest before the cursor counts. Replaces all earlier ones.
    pub(super) fn open_with(&mut self, openings: Vec<Opening>) {
        self.openings = openings;
        self.version += 1;
    }

    /// Hands over the last news and waits until all is on disk, some seconds at most.
    pub fn close(&mut self, engine: &Engine, now: Timestamp) -> Vec<String> {
        self.hearing.hurry();
        self.hand_over(engine, now);
        let store = self.store.take().and_then(|store| store.close().err()).map(|error| error.to_string());
        let file = self.file.take().and_then(|file| file.close().error);
        store.into_iter().chain(file.map(|error| format!("the events file is not complete: {error}"))).collect()
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    /// What happens is live: new alarms are heard.
    pub fn sound(&mut self, horn: Horn) {
        self.horn = Some(horn);
    }

    /// From now on every event is a line of this file.
    pub fn write_to(&mut self, file: EventFile) {
        self.file = Some(file);
    }

    /// From now on every event is part of this recording.
    pub fn record_to(&mut self, recording: RecordSink) {
        self.recording = Some(recording);
        // Its first keyframe does not wait for a pause between alarms.
        self.last_still = Timestamp::MIN;
    }

    /// Events are part of no recording any more.
    pub fn record_no_more(&mut self) {
        self.recording = None;
    }

    pub fn recording(&self) -> Option<&RecordSink> {
        self.recording.as_ref()
    }

    /// Whether the alarms as they stand are those of `at`, as far as a keyframe must say so: no transition came after
    /// it. A flood that never pauses is not waited for.
    pub fn is_still(&self, at: Timestamp) -> bool {
        at > self.last_still
            && (self.last_transition <= at
                || self.last_still == Timestamp::MIN
                || at > self.last_still + LONGEST_UNREST)
    }

    /// A keyframe of `at` is in the recording.
    pub fn note_still(&mut self, at: Timestamp) {
        self.last_still = at;
    }

    /// Goes on where an earlier run ended, before the first sample: its events, its alarms, and a mark for the time in
    /// which nobody watched.
    pub fn resume(&mut self, store: Store, restored: Restored, engine: &mut Engine, now: Timestamp) {
        self.store = Some(store);
        self.complaints.extend(restored.damage_text());
        past::relive(&mut self.monitor, &restored.events, engine.scene(), false);
        self.journal = Journal::restored(Budget::default(), restored.last_id, restored.events);
        let mut kept = Vec::new();
        for (path, value) in restored.alarms {
            match serde_json::from_value::<Kept>(value) {
                Ok(alarm) => kept.push(alarm),
                Err(error) => {
                    let text = format!("the store's alarm {path} cannot be read ({error}) and begins as new");
                    tracing::warn!("{text}");
                    self.complaints.insert(text);
                }
            }
        }
        let mut changes = Vec::new();
        let unknown = engine.restore(KeptAlarms { alarms: kept }, now, &mut changes);
        self.hearing.forget(engine.restore_heard(restored.heard));
        self.flags = flags_of(engine);
        if let Some((from, to)) = restored.gap {
            self.record(Draft::new(from, now, Kind::Gap { from, to }));
        }
        for Kept { path, alarm, .. } in unknown.iter().filter(|kept| kept.alarm.state != State::Normal) {
            let text = format!("{path} stood when Pollux ended; the scene does not have it any more: {}", words(alarm));
            self.record(Draft::new(now, now, Kind::Note { text }));
        }
        self.take(&mut changes, engine);
        self.version += 1;
    }

    /// Alarms stand as a keyframe says: what hides them is known.
    pub(super) fn take_up(&mut self, engine: &Engine) {
        self.flags = flags_of(engine);
        self.version += 1;
    }

    /// Takes in an event; the journal gives it its id.
    pub fn record(&mut self, draft: Draft) -> Arc<Event> {
        let event = self.journal.record(draft);
        if let Some(file) = &self.file {
            file.send(event.clone());
        }
        self.conclude(Conclusion::Event(event.clone()));
        if self.store.is_some() {
            self.unsaved.push(event.clone());
        }
        event
    }

    /// Gives the recording, or the run that keeps conclusions, what has become known.
    pub fn conclude(&mut self, conclusion: Conclusion) {
        if let Some(concluded) = &mut self.concluded {
            concluded.push(conclusion.clone());
        }
        if let Some(sink) = &self.recording {
            sink.conclusion(conclusion);
        }
    }

    /// Whether somebody wants to know what has become known.
    pub fn is_recorded(&self) -> bool {
        self.recording.is_some() || self.concluded.is_some()
    }

    /// From now on what becomes known is kept, until it is taken.
    pub fn keep_conclusions(&mut self) {
        self.concluded.get_or_insert_default();
    }

    /// What has become known since the last call, in order.
    pub fn take_conclusions(&mut self) -> Vec<Conclusion> {
        self.concluded.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Puts on record what the engine has found out.
    pub fn take(&mut self, changes: &mut Vec<Change>, engine: &Engine) {
        self.take_of(changes, engine.scene());
    }

    /// The same with the rules of `scene`, which the changes are of.
    fn take_of(&mut self, changes: &mut Vec<Change>, scene: &Scene) {
        for change in changes.drain(..) {
            let index = change.alarm;
            let Some(rule) = scene.alarms.get(index.at()) else { continue };
            self.version += 1;
            self.changed.insert(index);
            self.last_transition = self.last_transition.max(change.receive_time);
            self.record(Draft::of_change(&change, rule, scene, message(rule, scene)));
            // As they were after this change: a later one of the same batch may have changed them again.
            let flags = self.flags.entry(index).or_default();
            past::flag(flags, &change.cause, || change.deed.clone().unwrap_or_default());
            let findings = self.monitor.observe(&change, rule, flags);
            if let Some(horn) = &self.horn
                && change.to.is_unacknowledged()
                && Annunciation::of(&change, flags).is_some()
            {
                horn.annunciate(rule.priority);
            }
            self.note_findings(findings, scene);
        }
    }

    fn note_findings(&mut self, findings: Findings, scene: &Scene) {
        let path = |index: AlarmIndex| scene.alarms.get(index.at()).map(|rule| AlarmPath::of_rule(rule, scene));
        for flood in &findings.floods {
            let first = flood.first.and_then(path);
            self.record(Draft::of_flood(flood, first.as_ref()));
        }
        for chattering in &findings.chattering {
            if let Some(path) = path(chattering.alarm) {
                self.record(Draft::of_chattering(chattering, &path));
            }
        }
    }

    /// After [`Engine::adopt`]: `changes` are of the alarms of `old` that are gone.
    pub fn adopt(&mut self, changes: &mut Vec<Change>, old: &Scene, engine: &Engine) {
        let new = engine.scene();
        let today: std::collections::HashMap<AlarmPath, AlarmIndex> =
            new.alarms.iter().map(|rule| (AlarmPath::of_rule(rule, new), rule.index)).collect();
        let place = |index: AlarmIndex| {
            let rule = old.alarms.get(index.at())?;
            today.get(&AlarmPath::of_rule(rule, old)).copied()
        };
        let (ended, others): (Vec<_>, Vec<_>) =
            changes.drain(..).partition(|change| change.cause == alarm::Cause::Removed);
        if let Some(store) = &self.store {
            let gone = ended.iter().filter_map(|change| old.alarms.get(change.alarm.at()));
            let forgotten = gone.map(|rule| (store_key(rule, old), serde_json::Value::Null));
            store.write(&[], forgotten.collect::<Vec<_>>(), ended.first().map_or(Timestamp::MIN, |c| c.receive_time));
        }
        for change in &ended {
            if let Some(rule) = old.alarms.get(change.alarm.at()) {
                self.record(Draft::of_change(change, rule, old, message(rule, old)));
            }
        }
        self.changed = self.changed.iter().filter_map(|index| place(*index)).collect();
        self.stored_worst.clear();
        self.hearing.renumber();
        self.monitor.remap(place);
        self.flags = flags_of(engine);
        self.version += 1;
        self.take(&mut Vec::from_iter(others), engine);
    }

    /// Says which floods and which chattering are over at `due`, a moment of [`Chronicle::next_end`].
    pub fn find_ends(&mut self, engine: &Engine, due: Timestamp) {
        let findings = self.monitor.elapse(due);
        if findings != Findings::default() {
            self.note_findings(findings, &engine.scene().clone());
        }
    }

    /// When a flood or chattering is over next, if nothing more comes.
    pub fn next_end(&self) -> Option<Timestamp> {
        self.monitor.next_end()
    }

    /// Hands news to the store.
    pub fn keep(&mut self, engine: &Engine, now: Timestamp) {
        // Deeds come at their own time, a little ahead of the settled time; one farther back says that the clock was
        // set.
        let silent = self.last_sign.is_none_or(|last| now >= last + SIGN_OF_LIFE || now + SIGN_OF_LIFE < last);
        if !self.unsaved.is_empty() || !self.changed.is_empty() || silent {
            self.hand_over(engine, now);
        }
    }

    /// Hands over to the store what it does not know yet.
    pub fn hand_over(&mut self, engine: &Engine, now: Timestamp) {
        let Some(store) = &self.store else { return };
        self.last_sign = Some(now);
        let scene = engine.scene();
        for (rule, alarm) in scene.alarms.iter().zip(engine.alarms()) {
            let worst = alarm.state.is_active().then_some(alarm.worst);
            if worst.is_some() && self.stored_worst.get(&rule.index).copied() != worst {
                self.changed.insert(rule.index);
            }
        }
        for index in &self.changed {
            match engine.alarms().get(index.at()).filter(|alarm| alarm.state.is_active()) {
                Some(alarm) => self.stored_worst.insert(*index, alarm.worst),
                None => self.stored_worst.remove(index),
            };
        }
        let alarms = std::mem::take(&mut self.changed).into_iter().filter_map(|index| {
            let rule = scene.alarms.get(index.at())?;
            let value = engine.kept(index).map_or(serde_json::Value::Null, |kept| {
                serde_json::to_value(kept).unwrap_or_else(|error| {
                    tracing::error!("an alarm cannot be stored: {error}");
                    serde_json::Value::Null
                })
            });
            Some((store_key(rule, scene), value))
        });
        store.write_heard(&self.unsaved, alarms.collect::<Vec<_>>(), self.hearing.news(engine, now), now);
        self.unsaved.clear();
    }

    /// Waits until the store has all that was handed over; says why if it has not. Where nobody wants a store there is nothing
    /// to wait for; one that was wanted and cannot be had keeps nothing.
    pub fn flush(&self) -> Result<(), String> {
        if let Some(why) = &self.lacks_store {
            return Err(format!("{why}; give another place (--store FILE), or go without on purpose (--no-store)"));
        }
        self.store.as_ref().map_or(Ok(()), |store| store.flush(SECURED_WITHIN)).map_err(|error| error.to_string())
    }

    /// When the store is to be told next that Pollux lives; none without a store.
    pub fn next_sign(&self, now: Timestamp) -> Option<Timestamp> {
        self.store.as_ref().map(|_| self.last_sign.unwrap_or(now).max(now) + SIGN_OF_LIFE)
    }

    /// The alarms as they stood at a past moment, as it was known then, and as far back as the journal reaches.
    pub fn alarms_at(&self, scene: &Scene, moment: Timestamp) -> Vec<Alarm> {
        let opening = self.openings.iter().filter(|opening| opening.at <= moment).max_by_key(|opening| opening.at);
        let normal = Alarm { since: self.since, ..Alarm::default() };
        let alarm = |rule: &Rule| {
            let begun = match opening {
                Some(opening) => (opening.at, opening.alarms.get(&rule.index).unwrap_or(&normal).clone()),
                None => (Timestamp::MIN, normal.clone()),
            };
            past::alarm_at(&self.journal, &AlarmPath::of_rule(rule, scene), moment, begun)
        };
        scene.alarms.iter().map(alarm).collect()
    }

    /// What they were judged by, where `scene` says something else.
    pub fn said_at(&self, scene: &Scene, moment: Timestamp) -> Vec<Said> {
        past::said_at(&self.journal, scene, moment)
    }

    /// What the alarm system was worth at a past moment, when `alarms` stood so: of the time that was watched until
    /// then.
    pub fn performance_at(&self, scene: &Scene, moment: Timestamp, alarms: &[Alarm]) -> Performance {
        let mut monitor = Monitor::new(self.since);
        // In the order in which it became known, which is not that of source times.
        let known = self.journal.iter().filter(|event| event.received <= moment);
        let (earlier, watched): (Vec<_>, Vec<_>) = known.partition(|event| event.received < self.since);
        past::relive(&mut monitor, earlier, scene, false);
        past::relive(&mut monitor, watched, scene, true);
        monitor.performance(moment, alarms)
    }
}

fn flags_of(engine: &Engine) -> BTreeMap<AlarmIndex, Flags> {
    let hidden = engine.rules().iter().zip(engine.alarms()).filter(|(_, alarm)| !alarm.flags.is_clear());
    hidden.map(|(rule, alarm)| (rule.index, alarm.flags.clone())).collect()
}

fn words(alarm: &Alarm) -> String {
    let state = format!("{:?}", alarm.state).to_lowercase();
    match alarm.raised_at {
        Some(raised) => format!("{state}, raised at {raised}"),
        None => state,
    }
}

fn store_key(rule: &Rule, scene: &Scene) -> String {
    AlarmPath::of_rule(rule, scene).to_string()
}
