//! The plant of a scene: its machines run in simulated time and report as the real ones would.
//!
//! In: a scene whose twins have models, a seed, time. Out: messages, by the inverse of the scene's own bindings. Reads no
//! clock, touches no network: the same scene, seed and times give the same bytes. `source` runs it in a thread and
//! sends what it says. Signals that no model measures get [stand-ins](StandIn) where they are asked for; the announcement
//! names the twins that are such.
//!
//! ```text
//! network of models ─► outputs ─┬─► instruments (noise, lag, resolution …) ─► reports (topic, period, payload) ─► messages
//!        ▲ story: parameters,   │               ▲ faults of sensors    ▲ story: silence       faults of links ▲
//!        │ repairs; faults      └── stand-ins
//!        └─ profiles (files); commands, where somebody else controls it
//! ```

mod announce;
mod books;
mod command;
mod defects;
mod instrument;
pub mod portrait;
mod profile;
mod report;
pub mod stand_in;
mod store;
mod story;
mod truth;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fault::Fault;
use crate::ingest::Encoder;
use crate::network::{Adjustment, Blueprint, Network, State, Target, Workspace};
use crate::scene::{self, Measure, Scene, Seen, WaveformOf};
use crate::value::{Shift, SignalIndex, Timestamp, Value};

pub use announce::{ANNOUNCEMENTS, announced, announcement_topic};
use books::Books;
pub use books::Violation;
use command::Commands;
pub use command::Heard;
use defects::Defects;
use instrument::Reader;
pub use portrait::{Portrait, TakeError};
pub use profile::Profile;
use report::{Beat, Report};
use stand_in::Actor;
pub use stand_in::StandIn;
pub use store::RestoreError;
pub use truth::MOST as MOST_TRUTH;

/// A message as it goes to a broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    /// A broker of the scene, or `broker` where it has none.
    pub broker: &'a str,
    pub topic: &'a str,
    pub payload: &'a [u8],
    pub retain: bool,
    pub qos: u8,
    /// Nanoseconds since the start.
    pub time: u64,
}

/// Where a plant's messages go. Called once per message, in a repeatable order.
pub type Emit<'a> = dyn FnMut(Message<'_>) + 'a;

/// How a plant is made of a scene.
#[derive(Clone, PartialEq, Debug)]
pub struct Options {
    pub seed: u64,
    /// The share by which machines may differ from what the scene says; 0 for none.
    pub truth: f64,
    /// Whether what the scene tells happens.
    pub story: bool,
    /// Where values come from that no model gives; none for nowhere.
    pub stand_in: Option<StandIn>,
    /// Whether somebody else controls it: inputs that name a command follow that, and the plant says nothing on the
    /// topics of commands.
    pub commanded: bool,
    /// What the files hold that inputs follow, in the order of [`Scene::profiles`].
    pub profiles: Vec<Profile>,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, truth: 0.0, story: true, stand_in: None, commanded: false, profiles: Vec::new() }
    }
}

#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum MakeError {
    #[error(
        "the scene `{scene}` says of no twin how it behaves: give a type a `model` (`pollux models` lists them), or ask for \
         stand-ins: --stand-in"
    )]
    NoModels { scene: String },
    #[error(
        "the scene `{scene}` has models, but no signal with a topic measures them: add `measures` to its signals, or ask \
         for stand-ins: --stand-in"
    )]
    Silent { scene: String },
    #[error("the scene `{scene}` has no signal with a topic of its own: there is nothing to stand in for")]
    Unbound { scene: String },
    #[error("the share of the hidden truth must be from 0 % to {most} %, found {found} %", most = MOST_TRUTH * 100.0)]
    Truth { found: f64 },
    #[error(
        "no input of the scene `{scene}` names a command, so nobody can control its plant: add `command` to what an input \
         follows: inputs: {{\"command\": (from: \"LIC-1.output\", command: \"LIC-1.output\")}}"
    )]
    NoCommands { scene: String },
    #[error("{item}: what it follows in {file} was not read")]
    NoProfile { item: String, file: String },
    #[error("the machines do not make a network: {problem}")]
    Network { problem: String },
}

/// A plant at a moment of simulated time.
#[derive(Clone, Debug)]
pub struct Plant {
    scene: Arc<Scene>,
    options: Options,
    network: Network,
    state: State,
    work: Workspace,
    encoder: Encoder,
    /// Signals that are measured or have a stand-in, with their instruments.
    readers: Vec<(SignalIndex, Reader)>,
    /// Signals that no model measures.
    stand_ins: BTreeMap<SignalIndex, Actor>,
    reports: Vec<Report>,
    commands: Commands,
    books: Books,
    defects: Defects,
    /// Whether the messages of time 0 went out.
    has_begun: bool,
}

impl Plant {
    pub fn new(scene: Arc<Scene>, options: Options) -> Result<Self, MakeError> {
        let name = || scene.name.clone();
        if !(0.0..=MOST_TRUTH).contains(&options.truth) {
            return Err(MakeError::Truth { found: options.truth * 100.0 });
        }
        let blueprint = match &scene.blueprint {
            Some(blueprint) => (**blueprint).clone(),
            None if options.stand_in.is_some() => Blueprint::default(),
            None => return Err(MakeError::NoModels { scene: name() }),
        };
        if let Some(missing) = scene.profiles.get(options.profiles.len()) {
            let (item, file) = (missing.item.clone(), missing.file.display().to_string());
            return Err(MakeError::NoProfile { item, file });
        }
        let mut options = options;
        options.profiles.truncate(scene.profiles.len());
        let encoder = Encoder::new(&scene);
        let mut outside: Vec<f64> = options.profiles.iter().map(|profile| profile.at(0)).collect();
        let mut network = built(blueprint, &options)?;
        let commands = match options.commanded {
            false => Commands::none(),
            true if scene.commanded.is_empty() => return Err(MakeError::NoCommands { scene: name() }),
            true => {
                let commands = Commands::new(&scene, &encoder, outside.len());
                let simulated = network.start(options.seed, &outside, &mut network.workspace());
                outside.extend(commands.first_values(&network, &simulated));
                network = built(scene.blueprint_following(&scene.commanded).unwrap_or_default(), &options)?;
                commands
            }
        };
        let mut work = network.workspace();
        let state = network.start(options.seed, &outside, &mut work);
        let cast = options.stand_in.as_ref().map_or(Vec::new(), |how| stand_in::cast(&scene, how, options.seed));
        let reader = |signal: SignalIndex, instrument| {
            let possible = scene.signals[signal.at()].range;
            Reader::new(instrument, possible, options.seed, &scene.signal_path(signal))
        };
        let measured = scene.measures.iter().map(|(signal, measure)| (*signal, reader(*signal, measure.instrument)));
        let standing = cast.iter().map(|cast| (cast.signal, reader(cast.signal, cast.instrument)));
        let mut readers: Vec<(SignalIndex, Reader)> = measured.chain(standing).collect();
        // What comes on the topic of a command is somebody else's to say.
        readers.retain(|(signal, _)| encoder.topic_of(*signal).is_none_or(|topic| !commands.topics.contains(&topic)));
        readers.sort_by_key(|(signal, _)| *signal);
        let place = |signal: SignalIndex| readers.binary_search_by_key(&signal, |(at, _)| *at).ok();
        let of_cast: BTreeMap<SignalIndex, u64> =
            cast.iter().filter_map(|cast| Some((cast.signal, cast.every?))).collect();
        let period = |signal: SignalIndex| {
            let measured = scene.measures.get(&signal).and_then(|measure| measure.instrument.period);
            measured.or_else(|| of_cast.get(&signal).copied())
        };
        let mut reports = report::reports(&scene, &encoder, &place, &period);
        reports.retain(|report| !commands.topics.contains(&report.topic));
        if reports.is_empty() {
            return Err(match options.stand_in {
                None => MakeError::Silent { scene: name() },
                Some(_) => MakeError::Unbound { scene: name() },
            });
        }
        let stand_ins = cast.into_iter().map(|cast| (cast.signal, cast.actor)).collect();
        let (seed, has_begun) = (options.seed, false);
        let mut plant = Self {
            scene,
            options,
            network,
            state,
            work,
            encoder,
            readers,
            stand_ins,
            reports,
            commands,
            books: Books::default(),
            defects: Defects::new(seed),
            has_begun,
        };
        if plant.options.story && !plant.scene.story.happenings.is_empty() {
            plant.adjust(0, true);
        }
        Ok(plant)
    }

    pub fn scene(&self) -> &Arc<Scene> {
        &self.scene
    }

    pub fn network(&self) -> &Network {
        &self.network
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// Nanoseconds since the start.
    pub fn time(&self) -> u64 {
        self.state.time()
    }

    /// Carries the plant on to a time in nanoseconds since its start, which was at `epoch`, and emits what is due until
    /// then. At first everything is due.
    pub fn run(&mut self, until: u64, epoch: Timestamp, emit: &mut Emit<'_>) {
        if !self.has_begun {
            self.has_begun = true;
            self.say(0, epoch, emit);
        }
        loop {
            let (said, told, followed) = (self.next_said(), self.next_told(), self.next_followed());
            let audit = Books::next(self.time());
            let look = self.defects.next_look(self.time()).unwrap_or(u64::MAX);
            let release = self.defects.next_release().map_or(u64::MAX, |at| at.max(self.time()));
            let next = said.min(told).min(followed).min(audit).min(look).min(release);
            if next > until {
                break;
            }
            self.network.advance(&mut self.state, next, &mut self.work);
            if next == audit {
                self.books.audit(&self.network, &self.state);
            }
            if next == followed {
                self.follow_profiles();
            }
            if next == told || next == look {
                self.adjust(next, next == look);
            }
            if next == release {
                self.defects.release(next, emit);
            }
            if next == said {
                self.say(next, epoch, emit);
            }
        }
        self.network.advance(&mut self.state, until, &mut self.work);
    }

    /// When a message or a reading is due next, in nanoseconds since the start.
    fn next_said(&self) -> u64 {
        let now = self.time();
        let reports = self.reports.iter().map(|report| report.beat.next(now));
        let readings = self.readers.iter().filter_map(|(_, reader)| own_beat(reader)).map(|beat| beat.next(now));
        reports.chain(readings).min().unwrap_or(u64::MAX)
    }

    /// When something of the story begins or ends next.
    fn next_told(&self) -> u64 {
        let told = self.options.story.then(|| story::next(&self.scene.story, self.time())).flatten();
        told.unwrap_or(u64::MAX)
    }

    /// When a file says something new next.
    fn next_followed(&self) -> u64 {
        let now = self.time();
        self.options.profiles.iter().filter_map(|profile| profile.next(now)).min().unwrap_or(u64::MAX)
    }

    /// Sets what files say for now.
    fn follow_profiles(&mut self) {
        for (at, profile) in self.options.profiles.iter().enumerate() {
            self.state.set_outside(at, profile.at(self.state.time()));
        }
        self.network.refresh(&mut self.state, &mut self.work);
    }

    /// Takes what somebody else commands, now. Other messages change nothing.
    pub fn hear(&mut self, broker: &str, topic: &str, payload: &[u8], receive_time: Timestamp) -> Heard {
        let message = command::message(topic, payload, receive_time);
        let heard = self.commands.hear(&self.scene, broker, &message, &mut self.state);
        if heard.taken > 0 {
            self.network.refresh(&mut self.state, &mut self.work);
        }
        heard
    }

    /// What machines have made or lost since this was asked last; that is a fault of a model.
    pub fn take_violations(&mut self) -> Vec<Violation> {
        self.books.take_violations()
    }

    /// Takes the readings that are due at a time and sends the messages that are.
    fn say(&mut self, time: u64, epoch: Timestamp, emit: &mut Emit<'_>) {
        for at in 0..self.readers.len() {
            if own_beat(&self.readers[at].1).is_some_and(|beat| beat.is_due(time)) {
                self.read(at, time);
            }
        }
        for at in 0..self.reports.len() {
            if self.reports[at].beat.is_due(time) {
                self.send(at, time, epoch, emit);
            }
        }
    }

    /// Takes a reading now.
    fn read(&mut self, reader: usize, time: u64) {
        let Some((signal, reader)) = self.readers.get_mut(reader) else { return };
        let truth = match self.scene.measures.get(signal) {
            Some(measure) => seen(measure, &self.network, &self.state),
            None => self.stand_ins.get_mut(signal).and_then(|actor| actor.at(time)),
        };
        let Some(truth) = truth else { return };
        if !self.defects.concern_readings() {
            reader.read(truth, time);
            return;
        }
        let (signal, before) = (*signal, reader.memory.shown.clone());
        reader.read(truth, time);
        let memory = &mut reader.memory;
        let Some(value) = std::mem::replace(&mut memory.shown, before) else { return };
        let read = self.defects.read(signal, value, time);
        if read.is_lost {
            memory.shown = None;
        }
        self.show(read.shown);
    }

    /// Instruments show values.
    fn show(&mut self, values: Vec<(SignalIndex, Value)>) {
        for (signal, value) in values {
            if let Ok(place) = self.readers.binary_search_by_key(&signal, |(at, _)| *at) {
                self.readers[place].1.memory.shown = Some(value);
            }
        }
    }

    fn send(&mut self, report: usize, time: u64, epoch: Timestamp, emit: &mut Emit<'_>) {
        let signals = self.reports[report].signals.clone();
        for (_, reader) in &signals {
            // Two reports never share a signal: an instrument without a period of its own reads once for each message.
            if self.readers[*reader].1.instrument.period.is_none() {
                self.read(*reader, time);
            }
        }
        let story = self.options.story.then_some(&self.scene.story);
        let silent = |signal| story.is_some_and(|story| story::is_silent(story, signal, time));
        let values = signals.iter().map(|(signal, reader)| match silent(*signal) {
            true => None,
            false => self.readers[*reader].1.memory.shown.clone(),
        });
        let values = values.collect();
        let Some(topic) = self.encoder.topics().get(self.reports[report].topic) else { return };
        // A sender whose clock is wrong stamps its messages wrongly.
        let Shift(wrong) = self.defects.clock_shift(&topic.broker, &topic.name, time);
        let stamps = Timestamp(epoch.0.saturating_add(wrong));
        let (network, state) = (&self.network, &self.state);
        let sampled = |waveform: &WaveformOf, out: &mut [f64]| {
            state.waveform(network, waveform.machine, waveform.waveform, waveform.rate, out);
        };
        let report = &mut self.reports[report];
        let Some(payload) = report.message(&self.encoder, (stamps, time), values, &sampled) else { return };
        let (retain, qos) = (report.retain, report.qos);
        let message = Message { broker: &topic.broker, topic: &topic.name, payload: &payload, retain, qos, time };
        self.defects.send(message, emit);
    }

    /// The brokers that it publishes to and hears, sorted.
    pub fn brokers(&self) -> Vec<String> {
        let topics = self.reports.iter().map(|report| report.topic).chain(self.commands.topics.iter().copied());
        let topics = topics.filter_map(|topic| self.encoder.topics().get(topic));
        let mut brokers: Vec<String> = topics.map(|topic| topic.broker.clone()).collect();
        brokers.sort_unstable();
        brokers.dedup();
        brokers
    }

    /// The topics that it publishes to at a broker.
    pub fn topics(&self, broker: &str) -> Vec<&str> {
        let topics = self.reports.iter().filter_map(|report| self.encoder.topics().get(report.topic));
        topics.filter(|topic| topic.broker == broker).map(|topic| topic.name.as_str()).collect()
    }

    /// The topics at a broker on which somebody else commands it.
    pub fn command_topics(&self, broker: &str) -> Vec<&str> {
        let topics = self.commands.topics.iter().filter_map(|topic| self.encoder.topics().get(*topic));
        topics.filter(|topic| topic.broker == broker).map(|topic| topic.name.as_str()).collect()
    }

    /// Goes on with another scene, and what its files hold: machines that are the same keep their states.
    pub fn adopt(&mut self, scene: Arc<Scene>, profiles: Vec<Profile>) -> Result<(), MakeError> {
        let mut other = Self::new(scene, Options { profiles, ..self.options.clone() })?;
        let outside: Vec<f64> =
            (0..other.network.blueprint().outside.len()).map(|at| other.state.outside(at)).collect();
        other.state = other.network.adopt(&self.network, &self.state, &outside, &mut other.work);
        for (signal, reader) in &mut other.readers {
            let path = other.scene.signal_path(*signal);
            let old = self.readers.iter().find(|(old, _)| self.scene.signal_path(*old) == path);
            if let Some((_, old)) = old {
                reader.memory = old.memory.clone();
            }
        }
        for (signal, actor) in &mut other.stand_ins {
            let path = other.scene.signal_path(*signal);
            let old = self.stand_ins.iter().find(|(old, _)| self.scene.signal_path(**old) == path);
            if let Some((_, old)) = old {
                actor.take_up(old);
            }
        }
        for report in &mut other.reports {
            let name = other.encoder.topics().get(report.topic);
            let old = self.reports.iter().find(|old| self.encoder.topics().get(old.topic) == name);
            if let Some(old) = old {
                report.memory.sequence = old.memory.sequence;
            }
        }
        other.has_begun = self.has_begun;
        other.follow_profiles();
        other.set_faults(self.moved_faults(&other));
        *self = other;
        Ok(())
    }

    /// Its faults for another plant, by the names of what they are on; those whose targets are gone are left out.
    fn moved_faults(&self, other: &Self) -> Vec<Fault> {
        let target = |target: &Target| {
            let (from, to) = (self.network.description(target.machine()), &self.network.blueprint().machines);
            let machine = other.network.machine(&to[target.machine()].id).ok_or(())?;
            let description = other.network.description(machine);
            Ok(match *target {
                Target::Parameter { parameter, .. } => {
                    let name = from.parameters[parameter].name;
                    Target::Parameter { machine, parameter: description.parameter(name).ok_or(())? }
                }
                Target::Input { input, .. } => {
                    Target::Input { machine, input: description.input(from.inputs[input].name).ok_or(())? }
                }
            })
        };
        let signal = |signal: &SignalIndex| {
            let path = self.scene.signal_path(*signal);
            let found = other.scene.signals.iter().find(|one| other.scene.signal_path(one.index) == path);
            found.map(|signal| signal.index).ok_or(())
        };
        self.defects.list().iter().filter_map(|fault| fault.resolve(target, signal).ok()).collect()
    }

    /// The faults that act, in their order.
    pub fn faults(&self) -> &[Fault] {
        self.defects.list()
    }

    /// Sets all faults, in the order in which they act, from now on. Those that are gone have no effect any more; damage that
    /// they have done stays until it is repaired. What they held back comes at once.
    pub fn set_faults(&mut self, faults: Vec<Fault>) {
        let freed = self.defects.set(faults, self.time());
        self.show(freed);
        self.adjust(self.time(), true);
    }

    /// Makes damage of a machine good, by the number of a repair of its model.
    pub fn repair(&mut self, machine: usize, repair: usize) {
        self.change(|plant| plant.state.repair(&plant.network, machine, repair));
    }

    /// Carries out what the story tells at a time, and what faults do to machines; `anew` to a network that knows nothing of
    /// it yet, or when faults do something else from now on.
    fn adjust(&mut self, time: u64, anew: bool) {
        let story = Some(&self.scene.story).filter(|story| self.options.story && !story.happenings.is_empty());
        let told = |time| story.map_or(Vec::new(), |story| story::adjustments(story, time));
        let repairs = story.map_or(Vec::new(), |story| story::repairs(story, time));
        let adjustments = told(time);
        if !anew && repairs.is_empty() && time.checked_sub(1).map(told).as_ref() == Some(&adjustments) {
            return;
        }
        self.change(|plant| {
            for (machine, repair) in repairs {
                plant.state.repair(&plant.network, machine, repair);
            }
            let (network, state, work) = (&plant.network, &mut plant.state, &mut plant.work);
            let mut all = adjustments.clone();
            // What an input that is stuck has with all that acts before it.
            let mut read = |before: &[Adjustment], target: Target| {
                state.adjust(network, &[&adjustments, before].concat());
                network.refresh(state, work);
                match target {
                    Target::Input { machine, input } => state.inputs(network, machine)[input],
                    Target::Parameter { machine, parameter } => state.parameters(network, machine)[parameter],
                }
            };
            all.extend(plant.defects.look(time, &mut read));
            plant.state.adjust(&plant.network, &all);
        });
    }

    /// Somebody changes machines. What was made or lost before is told; what people do is not.
    fn change(&mut self, how: impl FnOnce(&mut Self)) {
        self.books.audit(&self.network, &self.state);
        self.books.close();
        how(self);
        self.network.refresh(&mut self.state, &mut self.work);
        self.books.audit(&self.network, &self.state);
    }
}

/// The network of machines that differ from a blueprint by the hidden truth.
fn built(mut blueprint: Blueprint, options: &Options) -> Result<Network, MakeError> {
    truth::draw(&mut blueprint, options.truth, options.seed);
    Network::build(blueprint.clone()).map_err(|problems| {
        let problem = problems.first().map(|problem| problem.describe(&blueprint)).unwrap_or_default();
        MakeError::Network { problem }
    })
}

/// When an instrument with a period of its own reads.
fn own_beat(reader: &Reader) -> Option<Beat> {
    Some(Beat { period: reader.instrument.period?, phase: 0 })
}

/// What an instrument would see, were it ideal. None where an expression has no value.
fn seen(measure: &Measure, network: &Network, state: &State) -> Option<Value> {
    let value = match &measure.of {
        Seen::Output { machine, output } => {
            let kind = network.description(*machine).outputs.get(*output)?.kind;
            scene::output_value(kind, state.output(network, *machine, *output))?
        }
        Seen::Formula(formula) => {
            let outputs = formula.inputs.iter().map(|(machine, output)| state.output(network, *machine, *output));
            formula.value(&outputs.collect::<Vec<_>>())?
        }
    };
    Some(match value {
        Value::Number(x) => Value::Number(measure.conversion.apply(x)),
        other => other,
    })
}
