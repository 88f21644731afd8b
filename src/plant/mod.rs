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

mod adopt;
mod announce;
mod books;
mod command;
mod defects;
mod direct;
mod faults;
mod instrument;
pub mod portrait;
mod profile;
mod report;
mod rounds;
pub mod stand_in;
mod store;
mod story;
mod truth;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::ingest::Encoder;
use crate::network::{Adjustment, Blueprint, Network, State, Target, Workspace};
use crate::scene::{self, Measure, Scene, Seen, WaveformOf};
use crate::value::{Sample, Shift, SignalIndex, Timestamp, Value};

pub use adopt::EndedFault;
pub use announce::{ANNOUNCEMENTS, announced, announcement_topic};
use books::Books;
pub use books::Violation;
use command::Commands;
pub use command::Heard;
use defects::{Defects, Shown};
use instrument::Reader;
pub use portrait::{Portrait, TakeError};
pub use profile::Profile;
use report::{Beat, Report};
use rounds::Rounds;
use stand_in::Actor;
pub use stand_in::StandIn;
pub use store::RestoreError;
pub use truth::MOST as MOST_TRUTH;

/// A message as it goes to a broker.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Message<'a> {
    /// A broker of the scene, or `broker` where it has none.
    pub broker: &'a str,
    pub topic: &'a str,
    /// Empty where there are samples instead.
    pub payload: &'a [u8],
    /// What comes of it, received when it is sent, where the plant [speaks directly](Plant::speak_directly).
    pub samples: Option<&'a [Sample]>,
    /// Whether the broker is to keep it for later subscribers.
    pub retain: bool,
    /// Whether it comes as out of a broker's store, by a fault of a link: whoever takes messages without a broker takes this
    /// for the RETAIN flag that a subscriber sees. [`retain`](Self::retain) is none: it is set on messages that a subscriber
    /// gets as they are sent, without the flag.
    pub from_store: bool,
    pub qos: u8,
    /// Nanoseconds since the start.
    pub time: u64,
}

impl<'a> Message<'a> {
    /// One that the broker is to keep; an empty one, so that it keeps none any more.
    pub fn kept(broker: &'a str, topic: &'a str, payload: &'a [u8], time: u64) -> Self {
        Self { broker, topic, payload, samples: None, retain: true, from_store: false, qos: 1, time }
    }
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
    /// Whether inputs that name a `command` follow it where the scene feeds them a fixed value: set points, not what
    /// controllers move. Nobody needs to command them.
    pub operated: bool,
    /// Whether others may set faults in it over its brokers: its announcement says so.
    pub controlled: bool,
    /// Signals that somebody else commands, whatever the scene feeds the inputs that name them as their `command`: their
    /// controllers are somebody else's, and the others go on.
    pub driven: Vec<SignalIndex>,
    /// What the files hold that inputs follow, in the order of [`Scene::profiles`].
    pub profiles: Vec<Profile>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            truth: 0.0,
            story: true,
            stand_in: None,
            commanded: false,
            operated: false,
            controlled: false,
            driven: Vec::new(),
            profiles: Vec::new(),
        }
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
    /// In the same order: what each sees; none for a stand-in.
    measures: Vec<Option<Measure>>,
    /// Signals that no model measures.
    stand_ins: BTreeMap<SignalIndex, Actor>,
    reports: Vec<Report>,
    rounds: Rounds,
    commands: Commands,
    books: Books,
    defects: Defects,
    /// Memory for what a message says, and for its samples.
    values: Vec<Option<Value>>,
    samples: Vec<Sample>,
    /// Whether the messages of time 0 went out.
    has_begun: bool,
    /// Whether it stands right before what is due now: see [`Plant::run_before`].
    is_open: bool,
    /// Whether faults were changed at a time at which it is open: machines are adjusted with what is due then.
    is_changed: bool,
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
        let follows = command::follows(&scene, &options);
        let commands = match follows.is_empty() {
            true if options.commanded || !options.driven.is_empty() => {
                return Err(MakeError::NoCommands { scene: name() });
            }
            true => Commands::none(),
            false => {
                let commands = Commands::new(&scene, follows, &encoder, outside.len());
                let simulated = network.start(options.seed, &outside, &mut network.workspace());
                outside.extend(commands.first_values(&network, &simulated));
                network = built(scene.blueprint_following(commands.follows()).unwrap_or_default(), &options)?;
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
        let beats = reports.iter().map(|report| report.beat);
        let rounds = Rounds::new(readers.iter().map(|(_, reader)| own_beat(reader)), beats);
        let measures = readers.iter().map(|(signal, _)| scene.measures.get(signal).cloned()).collect();
        let seed = options.seed;
        let mut plant = Self {
            scene,
            options,
            network,
            state,
            work,
            encoder,
            readers,
            measures,
            stand_ins,
            rounds,
            reports,
            commands,
            books: Books::default(),
            defects: Defects::new(seed),
            values: Vec::new(),
            samples: Vec::new(),
            has_begun: false,
            is_open: false,
            is_changed: false,
        };
        if plant.options.story && !plant.scene.story.happenings.is_empty() {
            plant.adjust(0, true);
        }
        Ok(plant)
    }

    pub fn scene(&self) -> &Arc<Scene> {
        &self.scene
    }

    /// Whether inputs stand still until somebody commands them.
    pub fn needs_commands(&self) -> bool {
        self.options.commanded
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
    /// then, what is due at that time with it. At first everything is due.
    ///
    /// What somebody does to it afterwards, at the same time, comes behind what was due: it has its effect from the next
    /// moment on. Who wants it to come first carries the plant on by [`run_before`](Self::run_before).
    pub fn run(&mut self, until: u64, epoch: Timestamp, emit: &mut Emit<'_>) {
        if until < self.time() {
            return;
        }
        self.catch_up(until, epoch, emit);
        self.network.advance(&mut self.state, until, &mut self.work);
        self.is_open = false;
    }

    /// The same without what is due at that very time: that comes first when it runs on.
    ///
    /// So who carries a plant on in stretches, and does something to it between two of them, does it at that time: a fault
    /// that is set then, with that time as its onset, makes the same messages as one that was known before, and one that is
    /// cleared then the same as one that was to end then.
    pub fn run_before(&mut self, until: u64, epoch: Timestamp, emit: &mut Emit<'_>) {
        if until > self.time() {
            self.catch_up(until - 1, epoch, emit);
            self.network.advance(&mut self.state, until, &mut self.work);
            self.is_open = true;
        }
    }

    /// Does all that is due until a time.
    fn catch_up(&mut self, until: u64, epoch: Timestamp, emit: &mut Emit<'_>) {
        if !self.has_begun {
            self.has_begun = true;
            self.books.audit(&self.network, &self.state);
            self.say(0, epoch, emit);
        }
        loop {
            let now = self.time();
            // All that was due until then is done.
            let done = now - u64::from(self.is_open);
            let (said, told, followed) = (self.rounds.next(done), self.next_told(done), self.next_followed(done));
            let audit = Books::next(done);
            let look = if self.is_changed { now } else { self.defects.next_look(done).unwrap_or(u64::MAX) };
            let release = self.defects.next_release(done).map_or(u64::MAX, |at| at.max(now));
            let next = said.min(told).min(followed).min(audit).min(look).min(release);
            if next > until {
                break;
            }
            self.network.advance(&mut self.state, next, &mut self.work);
            (self.is_open, self.is_changed) = (false, false);
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
                let readings = self.defects.release_readings(next);
                self.show(readings);
                self.settle();
                self.defects.release(next, emit);
            }
            if next == said {
                self.say(next, epoch, emit);
            }
        }
    }

    /// When something of the story begins or ends next after a time.
    fn next_told(&self, time: u64) -> u64 {
        let told = self.options.story.then(|| story::next(&self.scene.story, time)).flatten();
        told.unwrap_or(u64::MAX)
    }

    /// When a file says something new next after a time.
    fn next_followed(&self, time: u64) -> u64 {
        self.options.profiles.iter().filter_map(|profile| profile.next(time)).min().unwrap_or(u64::MAX)
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
        self.rounds.begin(time);
        let mut next = 0;
        while let Some(reader) = self.rounds.reader(next) {
            self.read(reader, time);
            next = reader + 1;
        }
        next = 0;
        while let Some(report) = self.rounds.report(next) {
            self.send(report, time, epoch, emit);
            next = report + 1;
        }
    }

    /// Takes a reading now.
    fn read(&mut self, place: usize, time: u64) {
        let Some((signal, reader)) = self.readers.get_mut(place) else { return };
        let truth = match &self.measures[place] {
            Some(measure) => seen(measure, &self.network, &self.state),
            None => self.stand_ins.get_mut(signal).and_then(|actor| actor.at(time)),
        };
        let Some(truth) = truth else { return };
        let reading = reader.read(truth, time);
        if !self.defects.concern_readings() {
            reader.memory.shown = Some(reading);
            return;
        }
        let shown = self.defects.read(*signal, reading, time);
        self.show(shown);
    }

    /// Instruments show other values, or none.
    fn show(&mut self, Shown(values): Shown) {
        for (signal, value) in values {
            if let Ok(place) = self.readers.binary_search_by_key(&signal, |(at, _)| *at) {
                let shown = &mut self.readers[place].1.memory.shown;
                self.defects.keep_sound(signal, shown);
                *shown = value;
            }
        }
    }

    fn send(&mut self, report: usize, time: u64, epoch: Timestamp, emit: &mut Emit<'_>) {
        for place in 0..self.reports[report].signals.len() {
            let (_, reader) = self.reports[report].signals[place];
            // Two reports never share a signal: an instrument without a period of its own reads once for each message.
            if self.readers[reader].1.instrument.period.is_none() {
                self.read(reader, time);
            }
        }
        let story = self.options.story.then_some(&self.scene.story);
        let silent = |signal| story.is_some_and(|story| story::is_silent(story, signal, time));
        let shown = self.reports[report].signals.iter().map(|(signal, reader)| match silent(*signal) {
            true => None,
            false => self.readers[*reader].1.memory.shown.clone(),
        });
        let mut values = std::mem::take(&mut self.values);
        values.clear();
        values.extend(shown);
        if !self.reports[report].has_news(&values, time) {
            self.values = values;
            return;
        }
        let Some(topic) = self.encoder.topics().get(self.reports[report].topic) else { return };
        if let Some(short) = self.reports[report].short.as_ref().filter(|_| !self.defects.concern(topic)) {
            self.samples.clear();
            if short.add(&values, epoch + Duration::from_nanos(time), &mut self.samples) {
                let Report { retain, qos, .. } = self.reports[report];
                let (broker, topic, samples) = (&topic.broker, &topic.name, Some(&self.samples[..]));
                emit(Message { broker, topic, payload: b"", samples, retain, from_store: false, qos, time });
                self.values = self.reports[report].has_said(values, time);
                return;
            }
        }
        // A sender whose clock is wrong stamps its messages wrongly.
        let Shift(wrong) = self.defects.clock_shift(&topic.broker, &topic.name, time);
        let stamps = Timestamp(epoch.0.saturating_add(wrong));
        let (network, state) = (&self.network, &self.state);
        let sampled = |waveform: &WaveformOf, out: &mut [f64]| {
            state.waveform(network, waveform.machine, waveform.waveform, waveform.rate, out);
        };
        let report = &mut self.reports[report];
        let Some(payload) = report.payload(&self.encoder, (stamps, time), &values, &sampled) else { return };
        if wrong != 0 && report.payload(&self.encoder, (epoch, time), &values, &sampled).as_ref() != Some(&payload) {
            self.defects.has_shifted(&topic.broker, &topic.name, time);
        }
        self.values = report.has_said(values, time);
        let (broker, topic, retain, qos) = (&topic.broker, &topic.name, report.retain, report.qos);
        let (payload, samples) = (&payload[..], None);
        self.defects.send(Message { broker, topic, payload, samples, retain, from_store: false, qos, time }, emit);
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
            // What a target has with all that acts before.
            let mut read = |before: &[Adjustment], target: Target| {
                state.adjust(network, &[&adjustments, before].concat());
                match target {
                    Target::Input { machine, input } => {
                        network.refresh(state, work);
                        state.inputs(network, machine)[input]
                    }
                    Target::Parameter { machine, parameter } => state.parameters(network, machine)[parameter],
                }
            };
            all.extend(plant.defects.look(time, &mut read));
            plant.state.adjust(&plant.network, &all);
        });
    }

    /// Somebody changes machines: what people add or take is not told as made or lost.
    fn change(&mut self, how: impl FnOnce(&mut Self)) {
        let before = self.network.balances(&self.state);
        how(self);
        self.books.shift(&before, &self.network.balances(&self.state));
        self.network.refresh(&mut self.state, &mut self.work);
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
            formula.value(outputs)?
        }
    };
    Some(match value {
        Value::Number(x) => Value::Number(measure.conversion.apply(x)),
        other => other,
    })
}
