//! Carries out an experiment in simulated time. In: an [`Experiment`], a seed. Out: an [`Outcome`]. Never reads a clock, owns
//! no publisher and no file: nothing here reaches a plant that is not simulated here. What a controller under test hears is
//! handed to who brought it: see [`against`].
//!
//! The plant runs in slices of [`SLICE`]. In each, the deeds that are due are done first, then the plant runs, then the twin
//! learns what the plant said, message by message; conditions are looked at after each. So a step that waits for a condition
//! comes at the end of the slice in which it became true. What the plant says at the very end of a slice comes in the next
//! one, behind the deeds of that time: see [`Plant::run_before`].
//!
//! All times are those at which the twin learns: a sample counts when it comes, however old it says that it is, and an alarm
//! when it is known.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use super::against::{self, Control, Controller};
use super::curve;
use super::experiment::{Expect, Experiment, Step, StepKind};
use super::given::Pending;
use super::watch::{self, Finding, News, Turn, Watch};
use crate::alarm::{self, Action};
use crate::event::{Draft, Kind};
use crate::fault::Fault;
use crate::ingest::Message;
use crate::plant::{self, MakeError, Plant, TakeError};
use crate::record::WriteError;
use crate::run::{EPOCH, Recorded, Run, RunHash, RunOptions, RunRecording};
use crate::scene::Condition;
use crate::scene::rule::AlarmPath;
use crate::value::{Grade, Quality, Reason, Sample, SignalIndex, Timestamp, Value};

/// How long the plant runs before conditions are looked at again, in nanoseconds.
pub const SLICE: u64 = 100_000_000;
/// Who does what a scenario does.
pub(super) const OPERATOR: &str = "scenario";
/// Memory for what alarms, derived signals and plots look back at.
const HISTORY_BYTES: u64 = 64 << 20;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Passed,
    /// An expectation is not met, or a step waited in vain.
    Failed,
    /// A condition ended it before its time, or the plant was not steady.
    Aborted,
}

/// An expectation with what came of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Checked {
    /// Line in the file, from 1.
    pub line: u32,
    pub text: String,
    pub finding: Finding,
    /// The signal that shows why it is not met.
    pub curve: Option<Curve>,
}

/// A signal over a stretch of time.
#[derive(Clone, PartialEq, Debug)]
pub struct Curve {
    /// `P-101.flow`
    pub signal: String,
    pub unit: String,
    /// Nanoseconds from the start, as are those of the points.
    pub from: u64,
    pub until: u64,
    /// A value holds until the next one; the first may lie before the stretch.
    pub points: Vec<(u64, f64)>,
}

/// Something that was done, or happened.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Nanoseconds from the start.
    pub time: u64,
    pub text: String,
}

/// What came of an experiment.
#[derive(Debug)]
pub struct Outcome {
    pub verdict: Verdict,
    pub seed: u64,
    /// Nanoseconds from the start at which it ended.
    pub end: u64,
    pub checked: Vec<Checked>,
    /// Why it ended early, or a step was not done.
    pub troubles: Vec<Entry>,
    /// Steps and alarms, in order.
    pub journal: Vec<Entry>,
    /// The same for two runs of the same file and seed.
    pub hash: RunHash,
    /// Alarms that were raised, expected or not.
    pub raised: BTreeSet<AlarmPath>,
    /// Alarms that were active when it began.
    pub standing: BTreeSet<AlarmPath>,
    /// Steps that were carried out, by their places.
    pub done: BTreeSet<usize>,
    /// By signal: least and greatest number that came; none where none did.
    pub extremes: Vec<Option<(f64, f64)>>,
}

/// Why an experiment could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Make(#[from] MakeError),
    /// The plant of the recording that it begins with.
    #[error(transparent)]
    Take(#[from] Box<TakeError>),
    /// Its recording.
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(
        "nobody could control its plant: no input that the scene gives a fixed value names a `command`; name signals that do: \
         against: (commands: [\"LIC-1.output\"])"
    )]
    NoCommands,
    #[error(
        "it begins with a plant that is recorded, and that takes no other commands: leave `start` out, or --against"
    )]
    Started,
    /// The way to the controller under test, or the controller before it began.
    #[error("{0}")]
    Controller(String),
}

/// Carries it out with its first seed, or another.
pub fn run(experiment: &Experiment, seed: Option<u64>) -> Result<Outcome, RunError> {
    let seed = seed.unwrap_or_else(|| experiment.seeds.first().copied().unwrap_or(1));
    let mut stage = Stage::new(experiment, seed, None)?;
    if !experiment.wire {
        stage.speak_directly();
    }
    Ok(stage.play(seed))
}

/// A file for a recording, which is empty, with what it is called, and the time of day.
#[derive(Debug)]
pub struct Place {
    pub path: PathBuf,
    pub file: File,
    pub wall: Timestamp,
}

/// Carries it out with a controller under test, and writes all that the twin heard and learnt to a file where one is given.
pub fn run_against(
    experiment: &Experiment,
    seed: Option<u64>,
    controller: &mut dyn Controller,
    place: Option<Place>,
) -> Result<Outcome, RunError> {
    let seed = seed.unwrap_or_else(|| experiment.seeds.first().copied().unwrap_or(1));
    Stage::new(experiment, seed, Some(controller))?.play_into(seed, place)
}

/// Carries it out once more, and writes all that the twin heard and learnt. What comes of it is the same as without a
/// recording.
pub fn record(experiment: &Experiment, seed: Option<u64>, place: Place) -> Result<Outcome, RunError> {
    let seed = seed.unwrap_or_else(|| experiment.seeds.first().copied().unwrap_or(1));
    Stage::new(experiment, seed, None)?.play_into(seed, Some(place))
}

/// Alarms that are active in a world.
fn standing(world: &Run) -> BTreeSet<AlarmPath> {
    let rules = world.scene().alarms.iter().zip(world.knowledge().alarms());
    let active = rules.filter(|(_, alarm)| alarm.state.is_active());
    active.map(|(rule, _)| AlarmPath::of_rule(rule, world.scene())).collect()
}

/// The signals that expectations look at, each once.
fn looked_at(watches: &[Watch]) -> Vec<SignalIndex> {
    let mut all: Vec<SignalIndex> = watches.iter().flat_map(Watch::signals).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

pub(super) struct Stage<'a> {
    pub(super) experiment: &'a Experiment,
    pub(super) clock: Clock,
    pub(super) plant: Plant,
    /// Where somebody else's program controls the plant.
    pub(super) control: Option<Control<'a>>,
    /// When the plant began, in the time of the clock, and how old it is at the start of the experiment, in nanoseconds.
    pub(super) plant_epoch: Timestamp,
    pub(super) begin: u64,
    /// Those that act, in the order in which they came.
    pub(super) faults: Vec<Fault>,
    /// Ids of those among them that are over by themselves.
    pub(super) over: BTreeSet<String>,
    pub(super) watches: Vec<Watch>,
    /// Commands whose effect is not seen yet, and how many were given so far.
    pub(super) pending: Vec<Pending>,
    pub(super) tokens: u64,
    looked_at: Vec<SignalIndex>,
    /// In their order: when the newest value of each expires.
    expiring: Vec<Option<u64>>,
    /// Steps that have not come yet.
    waiting: Vec<&'a Step>,
    pub(super) world: Run,
    recording: Option<RunRecording>,
    journal: Vec<Entry>,
    troubles: Vec<Entry>,
    raised: BTreeSet<AlarmPath>,
    standing: BTreeSet<AlarmPath>,
    done: BTreeSet<usize>,
    /// Number of the event that was told last.
    events: u64,
    /// Memory for what the plant says, and for samples that come without bytes.
    said: Vec<(u64, Said)>,
    samples: Vec<Sample>,
}

/// What the plant has said.
#[derive(Debug)]
enum Said {
    /// So many samples, which are one message.
    Samples {
        count: usize,
    },
    Message {
        broker: String,
        topic: String,
        payload: Vec<u8>,
        retained: bool,
        qos: u8,
    },
}

impl Said {
    fn message(message: &plant::Message<'_>) -> Self {
        let plant::Message { broker, topic, payload, from_store, qos, .. } = *message;
        let (broker, topic, payload) = (broker.to_owned(), topic.to_owned(), payload.to_vec());
        Self::Message { broker, topic, payload, retained: from_store, qos }
    }
}

impl<'a> Stage<'a> {
    fn new(
        experiment: &'a Experiment,
        seed: u64,
        controller: Option<&'a mut dyn Controller>,
    ) -> Result<Self, RunError> {
        let options = plant::Options {
            seed,
            story: experiment.story,
            profiles: experiment.profiles.clone(),
            ..plant::Options::default()
        };
        let options = against::options(experiment, controller.is_some(), options);
        let mut before = Vec::new();
        let mut control = None;
        let (plant, plant_epoch) = match (&experiment.start, controller) {
            (None, None) => (Plant::new(experiment.scene.clone(), options)?, EPOCH),
            (None, Some(controller)) => {
                let plant = Plant::new(experiment.scene.clone(), options)?;
                let (begun, epoch) = Control::begin(controller, &plant)?;
                control = Some(begun);
                (plant, epoch)
            }
            (Some(_), Some(_)) => return Err(RunError::Started),
            (Some(start), None) => {
                let profiles = experiment.profiles.clone();
                let (mut plant, epoch) =
                    Plant::taken_up(experiment.scene.clone(), &start.plant, None, profiles).map_err(Box::new)?;
                // From the keyframe to the moment the twin hears it, and nothing is expected.
                plant.run_before(Clock { zero: epoch }.since(start.at), epoch, &mut |message| {
                    before.push((message.time, Said::message(&message)));
                });
                (plant, epoch)
            }
        };
        let begin = plant.time();
        let clock = Clock { zero: plant_epoch + Duration::from_nanos(begin) };
        let known = experiment.start.as_ref().map_or(clock.zero, |start| start.known.time);
        let options = RunOptions { start: known, history_budget_bytes: HISTORY_BYTES, ..RunOptions::default() };
        let mut world = Run::new(experiment.scene.clone(), options);
        if let Some(start) = &experiment.start {
            world.begin_with(&start.known);
        }
        for (time, said) in before {
            let Said::Message { broker, topic, payload, retained, qos } = said else { continue };
            let receive_time = plant_epoch + Duration::from_nanos(time);
            world.message(&broker, &Message { topic: &topic, payload: &payload, retained, qos, receive_time });
        }
        let events = world.events_after(0).map(|event| event.id).last().unwrap_or(0);
        let standing = standing(&world);
        let watch = |expect: &Expect| {
            let mut watch = Watch::new(expect.clone());
            standing.iter().for_each(|alarm| watch.stands(alarm));
            watch
        };
        let watches: Vec<Watch> = experiment.expectations.iter().map(|one| watch(&one.expect)).collect();
        let looked_at = looked_at(&watches);
        world.listen_in(&looked_at);
        Ok(Self {
            experiment,
            faults: plant.faults().to_vec(),
            over: BTreeSet::new(),
            clock,
            plant_epoch,
            begin,
            plant,
            control,
            expiring: vec![None; looked_at.len()],
            looked_at,
            watches,
            pending: Vec::new(),
            tokens: 0,
            waiting: experiment.steps.iter().collect(),
            world,
            recording: None,
            journal: Vec::new(),
            troubles: Vec::new(),
            raised: BTreeSet::new(),
            standing,
            done: BTreeSet::new(),
            events,
            said: Vec::new(),
            samples: Vec::new(),
        })
    }

    /// The plant says samples, but for what any fault of the experiment needs as bytes.
    fn speak_directly(&mut self) {
        let of_steps = self.experiment.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Fault(fault) => Some(fault),
            _ => None,
        });
        let faults: Vec<&Fault> = of_steps.chain(&self.faults).collect();
        let is_whole = |broker: &str, topic: &str| faults.iter().any(|fault| fault.is_on_topic(broker, topic));
        self.plant.speak_directly(self.world.tables(), &is_whole);
    }

    /// Plays, and writes what the twin heard and learnt where there is a place for it.
    fn play_into(&mut self, seed: u64, place: Option<Place>) -> Result<Outcome, RunError> {
        if let Some(Place { path, file, wall }) = place {
            let said = Recorded { operator: OPERATOR.to_owned(), start: self.clock.zero, wall };
            self.recording = Some(RunRecording::begin(&mut self.world, path, file, said)?);
        }
        let outcome = self.play(seed);
        if let Some(recording) = self.recording.take() {
            let end = self.clock.moment(outcome.end);
            recording.end(&mut self.world, end)?;
        }
        match self.control.as_mut().and_then(Control::take_broken) {
            Some(why) => Err(RunError::Controller(why)),
            None => Ok(outcome),
        }
    }

    fn play(&mut self, seed: u64) -> Outcome {
        let end = self.experiment.duration;
        for broker in self.plant.brokers() {
            self.world.connection(&broker, true, None, self.clock.zero);
        }
        let epoch = self.plant_epoch;
        self.say(|plant, emit| plant.announce(epoch, emit));
        let (mut time, mut is_aborted, mut was_steady) = (0, false, false);
        loop {
            if let Some(steady) = self.experiment.steady.as_ref().filter(|steady| !was_steady && time >= steady.by) {
                was_steady = true;
                if let Some(that) = steady.holds.iter().find(|that| self.truth(that, time) != Some(true)) {
                    self.trouble(time, format!("the plant is not steady: {} is not true", that.source));
                    is_aborted = true;
                    break;
                }
            }
            self.do_steps(time);
            if let Some(why) = self.exchange(time) {
                self.trouble(time, why);
                is_aborted = true;
                break;
            }
            if time >= end {
                break;
            }
            let next = (time - time % SLICE + SLICE).min(end).min(self.next_moment(time).unwrap_or(end));
            let next = next.min(self.next_exchange(time).unwrap_or(end));
            self.advance(next, Plant::run_before);
            time = next;
            if let Some(that) = self.experiment.aborts.iter().find(|that| self.truth(that, time) == Some(true)) {
                self.trouble(time, format!("it ended here: {} became true", that.source));
                is_aborted = true;
                break;
            }
        }
        if !is_aborted {
            // What is said at the very end.
            self.advance(time, Plant::run);
        }
        if !is_aborted {
            self.end_commands(time);
        }
        self.end_control(time, is_aborted);
        if !self.faults.is_empty() {
            self.take_back(time, None);
            self.tell(time, "all faults are taken back".to_owned());
        }
        if !is_aborted {
            for step in std::mem::take(&mut self.waiting) {
                let why = step.when.as_ref().map_or_else(String::new, |when| format!(": {} never was", when.source));
                self.trouble(time, format!("a step was not done{why}"));
            }
        }
        self.finish(seed, time, is_aborted)
    }

    fn finish(&mut self, seed: u64, time: u64, is_aborted: bool) -> Outcome {
        for violation in self.plant.take_violations() {
            self.trouble(time, violation.to_string());
        }
        let watches = std::mem::take(&mut self.watches);
        let mut checked = Vec::with_capacity(watches.len());
        for (watch, said) in watches.into_iter().zip(&self.experiment.expectations) {
            let signal = watch.signals().first().copied().or_else(|| said.expect.alarm_signal(&self.experiment.scene));
            let finding = watch.end(time, is_aborted);
            let stretch = curve::around(finding.at, said.expect.stretch(), time);
            let signal = signal.filter(|_| !finding.is_met);
            let curve = signal.map(|signal| curve::of(&self.world, signal, stretch, self.clock));
            checked.push(Checked { line: said.line, text: said.text.clone(), finding, curve });
        }
        let is_met = checked.iter().all(|one| one.finding.is_met);
        let verdict = match (is_aborted, is_met && self.troubles.is_empty()) {
            (true, _) => Verdict::Aborted,
            (false, true) => Verdict::Passed,
            (false, false) => Verdict::Failed,
        };
        let history = &self.world.knowledge().history;
        let extremes = (0..self.experiment.scene.signals.len()).map(|signal| {
            let all = history.range(SignalIndex(signal as u32), Timestamp::MIN, Timestamp::MAX, 1);
            all.first().map(|all| (all.min, all.max)).filter(|(least, _)| !least.is_nan())
        });
        let (extremes, raised) = (extremes.collect(), std::mem::take(&mut self.raised));
        let (troubles, journal) = (std::mem::take(&mut self.troubles), std::mem::take(&mut self.journal));
        let (standing, done) = (std::mem::take(&mut self.standing), std::mem::take(&mut self.done));
        let hash = self.world.hash();
        Outcome { verdict, seed, end: time, checked, troubles, journal, hash, raised, standing, done, extremes }
    }

    /// When the next step comes, or one that waits has waited long enough, after a time.
    fn next_moment(&self, time: u64) -> Option<u64> {
        let ends = self.waiting.iter().filter_map(|step| step.at.checked_add(step.within?));
        self.waiting.iter().map(|step| step.at).chain(ends).filter(|at| *at > time).min()
    }

    /// The plant runs, and the twin hears what it says.
    pub(super) fn advance(&mut self, until: u64, run: fn(&mut Plant, u64, Timestamp, &mut plant::Emit<'_>)) {
        if let Some(recording) = &mut self.recording {
            // What is said at this very time is not learnt yet.
            let now = self.plant_epoch + Duration::from_nanos(self.plant.time());
            let before = Timestamp(now.0.saturating_sub(1));
            // A plant that somebody else drives cannot be taken up without them.
            let plant = self.control.is_none().then_some((&self.plant, self.plant_epoch));
            recording.pass(&mut self.world, before, plant);
        }
        let (epoch, begin) = (self.plant_epoch, self.begin);
        self.say(|plant, emit| run(plant, begin + until, epoch, emit));
        self.world.pass_time(self.clock.moment(until));
        self.observe();
        self.tell_of_silence(until);
        self.verify(until);
    }

    /// The twin hears what the plant says.
    fn say(&mut self, speak: impl FnOnce(&mut Plant, &mut plant::Emit<'_>)) {
        let (mut said, mut samples, begin) =
            (std::mem::take(&mut self.said), std::mem::take(&mut self.samples), self.begin);
        let control = &mut self.control;
        speak(&mut self.plant, &mut |message| {
            if let Some(control) = control {
                control.hear(&message);
            }
            let time = message.time.saturating_sub(begin);
            said.push(match message.samples {
                Some(direct) => {
                    samples.extend_from_slice(direct);
                    (time, Said::Samples { count: direct.len() })
                }
                None => (time, Said::message(&message)),
            });
        });
        let mut next = 0;
        for (time, said) in said.drain(..) {
            self.tell_of_silence(time);
            match said {
                Said::Samples { count } => {
                    self.world.samples_of_message(&samples[next..next + count]);
                    next += count;
                    self.observe();
                }
                Said::Message { broker, topic, payload, retained, qos } => {
                    let receive_time = self.clock.moment(time);
                    self.learn(&broker, &Message { topic: &topic, payload: &payload, retained, qos, receive_time });
                }
            }
        }
        samples.clear();
        (self.said, self.samples) = (said, samples);
    }

    /// The twin hears a message.
    pub(super) fn learn(&mut self, broker: &str, message: &Message<'_>) {
        let (_, source_time) = self.world.message(broker, message);
        if let Some(recording) = &mut self.recording {
            recording.message(broker, message, source_time);
        }
        self.observe();
    }

    /// Tells the expectations what is new.
    fn observe(&mut self) {
        for event in self.world.events_after(self.events) {
            self.events = event.id;
            let (Kind::Alarm { from, to, message, .. }, Some(alarm)) = (&event.kind, event.alarm_path()) else {
                continue;
            };
            let turn = match (from.is_active(), to.is_active()) {
                (false, true) => Turn::Raised,
                (true, false) => Turn::Cleared,
                _ => continue,
            };
            let time = self.clock.since(event.received);
            self.watches.iter_mut().for_each(|watch| watch.alarm(time, &alarm, turn, message));
            let word = if turn == Turn::Raised { "raised" } else { "back to normal" };
            if turn == Turn::Raised {
                self.raised.insert(alarm.clone());
            }
            self.journal.push(Entry { time, text: format!("{alarm} {word}: {message}") });
        }
        for sample in self.world.take_heard() {
            let (signal, time) = (sample.signal, self.clock.since(sample.receive_time));
            let newest = self.world.knowledge().history.newest(signal);
            let is_late = newest.is_some_and(|newest| newest.source_time > sample.source_time);
            if let Ok(place) = self.looked_at.binary_search(&signal)
                && !is_late
            {
                let expires = self.experiment.scene.signals[signal.at()].expires;
                self.expiring[place] = expires.map(|expires| time.saturating_add(nanos(expires)));
            }
            let news = match is_usable(sample.quality) {
                true => News::Value { value: &sample.value, is_late },
                false => News::Unusable { is_late },
            };
            self.hear(time, signal, news);
        }
    }

    /// Tells the expectations of values that have expired before a time.
    fn tell_of_silence(&mut self, time: u64) {
        for place in 0..self.looked_at.len() {
            if let Some(at) = self.expiring[place].take_if(|at| *at < time) {
                self.hear(at + 1, self.looked_at[place], News::Silence);
            }
        }
    }

    fn hear(&mut self, time: u64, signal: SignalIndex, news: News<'_>) {
        let now = self.clock.moment(time);
        let current = |signal| usable(&self.world, signal, now);
        for watch in self.watches.iter_mut().filter(|watch| watch.signals().contains(&signal)) {
            watch.hear(time, news, &current);
        }
    }

    /// Does what is due, and what waited for something that is true now.
    fn do_steps(&mut self, time: u64) {
        self.tell_over(time);
        for step in std::mem::take(&mut self.waiting) {
            let is_true = |when| self.truth(when, time) == Some(true);
            let comes = step.at <= time && step.when.as_ref().is_none_or(is_true);
            let waited = time.saturating_sub(step.at);
            match (comes, step.within.filter(|within| waited >= *within), &step.when) {
                (true, ..) => self.act(time, step),
                (false, Some(within), Some(when)) => {
                    let secs = within as f64 / 1e9;
                    self.trouble(time, format!("a step was not done: it waited {secs} s in vain for {}", when.source));
                }
                _ => self.waiting.push(step),
            }
        }
    }

    fn act(&mut self, time: u64, step: &Step) {
        self.done.extend(self.experiment.steps.iter().position(|one| std::ptr::eq(one, step)));
        let now = self.clock.moment(time);
        let text = match &step.kind {
            StepKind::Fault(fault) => return self.set(time, fault),
            StepKind::Clear(id) => {
                self.take_back(time, id.as_deref());
                let text = id.as_ref().map(|id| format!("{id} is taken back"));
                return self.tell(time, text.unwrap_or_else(|| "all faults are taken back".to_owned()));
            }
            StepKind::Repair { path, machine, repair } => {
                self.plant.repair(*machine, *repair);
                format!("repair: {path}")
            }
            StepKind::Acknowledge(alarm) => {
                let deed = alarm::Deed { by: OPERATOR.to_owned(), at: now, comment: String::new() };
                let refused = self.world.act(std::slice::from_ref(alarm), &Action::Acknowledge, &deed);
                match refused.first() {
                    Some((_, refusal)) => {
                        self.trouble(time, format!("{alarm} was not acknowledged: {refusal}"));
                        return;
                    }
                    None => format!("{alarm} acknowledged"),
                }
            }
            StepKind::Command(ordered) => return self.give(time, ordered),
            StepKind::Note(text) => text.clone(),
        };
        self.note(time, text);
    }

    /// Tells it, and puts it on record.
    pub(super) fn note(&mut self, time: u64, text: String) {
        let now = self.clock.moment(time);
        let draft = Draft::new(now, now, Kind::Note { text: text.clone() }).by(OPERATOR, "");
        self.world.record(draft);
        self.tell(time, text);
    }

    /// Of what the twin knows at a time.
    fn truth(&self, condition: &Condition, time: u64) -> Option<bool> {
        let now = self.clock.moment(time);
        watch::truth(condition, &|signal| usable(&self.world, signal, now))
    }

    pub(super) fn tell(&mut self, time: u64, text: String) {
        self.journal.push(Entry { time, text });
    }

    pub(super) fn trouble(&mut self, time: u64, text: String) {
        self.troubles.push(Entry { time, text: text.clone() });
        self.tell(time, text);
    }
}

/// What the twin knows of a signal at a time: none where that is not usable, or has expired.
fn usable(world: &Run, signal: SignalIndex, now: Timestamp) -> Option<Value> {
    let point = world.knowledge().history.newest(signal)?;
    let expires = world.scene().signals[signal.at()].expires;
    let is_fresh = expires.is_none_or(|expires| point.receive_time + expires >= now);
    (is_fresh && is_usable(point.quality)).then_some(point.value)
}

/// As for the limits of alarms: a value beyond the range of its signal is judged too.
fn is_usable(quality: Quality) -> bool {
    quality.grade < Grade::Bad || quality.reason == Reason::OutOfRange
}

/// Source and receive times of an experiment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Clock {
    /// Of its start.
    pub zero: Timestamp,
}

impl Clock {
    pub fn moment(self, time: u64) -> Timestamp {
        self.zero + Duration::from_nanos(time)
    }

    /// Nanoseconds from the start; 0 before it.
    pub fn since(self, moment: Timestamp) -> u64 {
        u64::try_from(moment.0.saturating_sub(self.zero.0)).unwrap_or(0)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl super::experiment::Expect {
    /// The signal of the alarm that it is about.
    fn alarm_signal(&self, scene: &crate::scene::Scene) -> Option<SignalIndex> {
        use crate::scene::rule::Subject;
        let wanted = match self {
            Self::Raised { alarm, .. } | Self::Cleared { alarm, .. } | Self::NotRaised { alarm } => alarm,
            Self::Order { raised } => raised.first()?,
            _ => return None,
        };
        let rule = scene.alarms.iter().find(|rule| AlarmPath::of_rule(rule, scene) == *wanted)?;
        match &rule.subject {
            Subject::Signal(signal) => Some(*signal),
            Subject::Twin(_) | Subject::Broker(_) => None,
        }
    }
}
