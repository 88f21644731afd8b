//! Carries out an experiment in simulated time. In: an [`Experiment`], a seed. Out: an [`Outcome`]. Never reads a clock, owns
//! no publisher and no file: nothing here reaches a plant that is not simulated here.
//!
//! The plant runs in slices of [`SLICE`]. In each, the deeds that are due are done first, then the plant runs, then the twin
//! learns what the plant said, message by message; conditions are looked at after each. So a step that waits for a condition
//! comes at the end of the slice in which it became true.

use std::time::Duration;

use super::experiment::{Experiment, Step, StepKind};
use super::watch::{self, Finding, Turn, Watch};
use crate::alarm::{self, Action};
use crate::event::{Draft, Kind};
use crate::fault::Fault;
use crate::ingest::Message;
use crate::plant::{self, MakeError, Plant};
use crate::run::{EPOCH, Run, RunHash, RunOptions};
use crate::scene::Condition;
use crate::scene::rule::AlarmPath;
use crate::value::{Grade, SignalIndex, Timestamp, Value};

/// How long the plant runs before conditions are looked at again, in nanoseconds.
pub const SLICE: u64 = 100_000_000;
/// Who does what a scenario does.
const OPERATOR: &str = "scenario";
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
    /// A signal that shows it.
    pub signal: Option<SignalIndex>,
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
    /// The twin as it was at the end, for plots.
    pub world: Run,
}

/// Carries it out with its own seed, or another.
pub fn run(experiment: &Experiment, seed: Option<u64>) -> Result<Outcome, MakeError> {
    let seed = seed.unwrap_or(experiment.seed);
    let options = plant::Options {
        seed,
        story: experiment.story,
        profiles: experiment.profiles.clone(),
        ..plant::Options::default()
    };
    let mut plant = Plant::new(experiment.scene.clone(), options)?;
    plant.set_faults(Vec::new());
    let options = RunOptions { history_budget_bytes: HISTORY_BYTES, ..RunOptions::default() };
    let mut world = Run::new(experiment.scene.clone(), options);
    for broker in plant.brokers() {
        world.connection(&broker, true, None, EPOCH);
    }
    let watches: Vec<Watch> = experiment.expectations.iter().map(|one| Watch::new(one.expect.clone())).collect();
    let stage = Stage {
        experiment,
        plant,
        faults: Vec::new(),
        seen: vec![None; experiment.scene.signals.len()],
        looked_at: looked_at(&watches),
        watches,
        waiting: experiment.steps.iter().collect(),
        world,
        journal: Vec::new(),
        troubles: Vec::new(),
        events: 0,
    };
    Ok(stage.play(seed))
}

/// The signals that expectations look at, each once.
fn looked_at(watches: &[Watch]) -> Vec<SignalIndex> {
    let mut all: Vec<SignalIndex> = watches.iter().flat_map(Watch::signals).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A point of a signal that expectations have been told.
type Seen = Option<(Timestamp, Timestamp)>;

struct Stage<'a> {
    experiment: &'a Experiment,
    plant: Plant,
    /// Those that act, in the order in which they came.
    faults: Vec<Fault>,
    watches: Vec<Watch>,
    looked_at: Vec<SignalIndex>,
    /// By signal: times of the point that was told last.
    seen: Vec<Seen>,
    /// Steps that have not come yet.
    waiting: Vec<&'a Step>,
    world: Run,
    journal: Vec<Entry>,
    troubles: Vec<Entry>,
    /// Number of the event that was told last.
    events: u64,
}

impl Stage<'_> {
    fn play(mut self, seed: u64) -> Outcome {
        let end = self.experiment.duration;
        let (mut time, mut is_aborted, mut was_steady) = (0, false, false);
        loop {
            if let Some(steady) = self.experiment.steady.as_ref().filter(|steady| !was_steady && time >= steady.by) {
                was_steady = true;
                if let Some(that) = steady.holds.iter().find(|that| self.truth(that) != Some(true)) {
                    self.trouble(time, format!("the plant is not steady: {} is not true", that.source));
                    is_aborted = true;
                    break;
                }
            }
            self.do_steps(time);
            if time >= end {
                break;
            }
            let next = (time - time % SLICE + SLICE).min(end).min(self.next_step(time).unwrap_or(end));
            self.advance(next);
            time = next;
            if let Some(that) = self.experiment.aborts.iter().find(|that| self.truth(that) == Some(true)) {
                self.trouble(time, format!("it ended here: {} became true", that.source));
                is_aborted = true;
                break;
            }
        }
        if !self.faults.is_empty() {
            self.faults.clear();
            self.plant.set_faults(Vec::new());
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

    fn finish(self, seed: u64, time: u64, is_aborted: bool) -> Outcome {
        let scene = &self.experiment.scene;
        let checked: Vec<Checked> = self
            .watches
            .into_iter()
            .zip(&self.experiment.expectations)
            .map(|(watch, said)| {
                let signal = watch.signals().first().copied().or_else(|| said.expect.alarm_signal(scene));
                Checked { line: said.line, text: said.text.clone(), finding: watch.end(time), signal }
            })
            .collect();
        let is_met = checked.iter().all(|one| one.finding.is_met);
        let verdict = match (is_aborted, is_met && self.troubles.is_empty()) {
            (true, _) => Verdict::Aborted,
            (false, true) => Verdict::Passed,
            (false, false) => Verdict::Failed,
        };
        let hash = self.world.hash();
        let (journal, troubles, world) = (self.journal, self.troubles, self.world);
        Outcome { verdict, seed, end: time, checked, troubles, journal, hash, world }
    }

    /// When the next step comes that has not come by a time.
    fn next_step(&self, time: u64) -> Option<u64> {
        self.waiting.iter().map(|step| step.at).filter(|at| *at > time).min()
    }

    /// The plant runs, and the twin hears what it says.
    fn advance(&mut self, until: u64) {
        let mut said = Vec::new();
        self.plant.run(until, EPOCH, &mut |message| {
            said.push((message.time, message.broker.to_owned(), message.topic.to_owned(), message.payload.to_vec()));
        });
        for (time, broker, topic, payload) in said {
            let receive_time = EPOCH + Duration::from_nanos(time);
            let message = Message { topic: &topic, payload: &payload, retained: false, qos: 0, receive_time };
            self.world.message(&broker, &message);
            self.observe();
        }
        self.world.pass_time(EPOCH + Duration::from_nanos(until));
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
            let time = since_start(event.time);
            self.watches.iter_mut().for_each(|watch| watch.alarm(time, &alarm, turn, message));
            let word = if turn == Turn::Raised { "raised" } else { "back to normal" };
            self.journal.push(Entry { time, text: format!("{alarm} {word}: {message}") });
        }
        let knowledge = self.world.knowledge();
        let value = |signal| usable(&self.world, signal);
        for signal in &self.looked_at {
            let Some(point) = knowledge.history.newest(*signal) else { continue };
            let times = Some((point.source_time, point.receive_time));
            if std::mem::replace(&mut self.seen[signal.at()], times) == times {
                continue;
            }
            let time = since_start(point.source_time);
            for watch in self.watches.iter_mut().filter(|watch| watch.signals().contains(signal)) {
                watch.value(time, &value);
            }
        }
    }

    /// Does what is due, and what waited for something that is true now.
    fn do_steps(&mut self, time: u64) {
        for step in std::mem::take(&mut self.waiting) {
            let comes = step.at <= time && step.when.as_ref().is_none_or(|when| self.truth(when) == Some(true));
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
        let now = EPOCH + Duration::from_nanos(time);
        let text = match &step.kind {
            StepKind::Fault(fault) => {
                let mut fault = fault.clone();
                fault.course.onset = i64::try_from(time).unwrap_or(i64::MAX);
                let text = format!("fault {}: {}", fault.id, fault.kind().name);
                self.faults.retain(|other| other.id != fault.id);
                self.faults.push(fault);
                self.plant.set_faults(self.faults.clone());
                text
            }
            StepKind::Clear(id) => {
                self.faults.retain(|fault| id.as_ref().is_some_and(|id| fault.id != *id));
                self.plant.set_faults(self.faults.clone());
                id.as_ref().map_or_else(|| "all faults are taken back".to_owned(), |id| format!("{id} is taken back"))
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
            StepKind::Note(text) => text.clone(),
        };
        let draft = Draft::new(now, now, Kind::Note { text: text.clone() }).by(OPERATOR, "");
        self.world.record(draft);
        self.tell(time, text);
    }

    fn truth(&self, condition: &Condition) -> Option<bool> {
        watch::truth(condition, &|signal| usable(&self.world, signal))
    }

    fn tell(&mut self, time: u64, text: String) {
        self.journal.push(Entry { time, text });
    }

    fn trouble(&mut self, time: u64, text: String) {
        self.troubles.push(Entry { time, text: text.clone() });
        self.tell(time, text);
    }
}

/// The newest value of a signal, unless it is Bad.
fn usable(world: &Run, signal: SignalIndex) -> Option<Value> {
    let point = world.knowledge().history.newest(signal)?;
    (point.quality.grade < Grade::Bad).then_some(point.value)
}

fn since_start(time: Timestamp) -> u64 {
    u64::try_from(time.0.saturating_sub(EPOCH.0)).unwrap_or(0)
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
