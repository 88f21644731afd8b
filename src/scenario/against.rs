//! An experiment whose plant is controlled by somebody else's program: the controller under test. In: a [`Controller`], which
//! carries messages. Out: the same [`Outcome`](super::Outcome) as of any other experiment. Owns no publisher, reads no clock:
//! what carries the messages does, and only `pollux test --against` makes one.
//!
//! The twin learns what the plant says from the plant, not from a broker, and what the controller says where the plant takes
//! it: so each message has a place in simulated time. At a tick all that is due is said, then the controller commands, and
//! what it commands has its effect from that time on.

use std::collections::{BTreeMap, BTreeSet};

use super::experiment::{Experiment, StepKind};
use super::run::{RunError, Stage};
use crate::ingest::Message;
use crate::plant::{self, Plant};
use crate::run::EPOCH;
use crate::value::Timestamp;

/// Carries messages between the simulated plant of an experiment and its controller under test.
pub trait Controller {
    /// A run begins: says when, in the time of the plant; none: as experiments do without a controller.
    ///
    /// # Errors
    /// Where the controller cannot be reached, or somebody else speaks in the place of the plant.
    fn begin(&mut self, topics: Topics) -> Result<Option<Timestamp>, Halt>;

    /// The plant says something.
    fn hear(&mut self, message: &plant::Message<'_>);

    /// All is said that is due at a time, in nanoseconds from the start; `moment` is that time in the time of the plant. What
    /// the controller commands then.
    ///
    /// # Errors
    /// Where it does not answer, or the way to it has ended.
    fn command(&mut self, time: u64, moment: Timestamp) -> Result<Vec<Order>, Halt>;

    /// Nanoseconds from one call of [`command`](Self::command) to the next.
    fn step(&self) -> u64;
}

/// Where a plant speaks, and where it is commanded.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Topics {
    /// A broker of the scene, by name, whose login counts.
    pub broker: String,
    /// Where it says that it is simulated; one of its own.
    pub announcement: String,
    pub own: Vec<String>,
    pub commands: Vec<String>,
}

/// A message of the controller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    pub topic: String,
    pub payload: Vec<u8>,
}

/// Why an experiment cannot go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Halt {
    /// A broker, a network, a machine: nothing is known of the controller.
    Environment(String),
    /// The controller under test failed.
    Controller(String),
}

/// A controller, and what came of it so far.
pub(super) struct Control<'a> {
    controller: &'a mut dyn Controller,
    /// Brokers by topic of commands.
    brokers: BTreeMap<String, Vec<String>>,
    messages: u64,
    taken: u64,
    /// Topics on which something came, and on which something could not be taken.
    told: BTreeSet<String>,
    refused: BTreeSet<String>,
    /// Why there is no outcome.
    broken: Option<String>,
}

impl<'a> Control<'a> {
    /// Begins a run of a plant, and says when that is.
    pub fn begin(controller: &'a mut dyn Controller, plant: &Plant) -> Result<(Self, Timestamp), RunError> {
        let brokers = by_topic(plant);
        if brokers.is_empty() {
            return Err(RunError::NoCommands);
        }
        let announcement = plant.announcement_topic();
        let names = plant.brokers();
        let topics = names.iter().flat_map(|broker| plant.topics(broker)).map(str::to_owned);
        let own: BTreeSet<String> = topics.chain([announcement.clone()]).collect();
        let topics = Topics {
            broker: names.first().cloned().unwrap_or_default(),
            announcement,
            own: own.into_iter().collect(),
            commands: brokers.keys().cloned().collect(),
        };
        let start = controller.begin(topics).map_err(|halt| match halt {
            Halt::Environment(why) | Halt::Controller(why) => RunError::Controller(why),
        })?;
        let (told, refused) = (BTreeSet::new(), BTreeSet::new());
        Ok((Self { controller, brokers, messages: 0, taken: 0, told, refused, broken: None }, start.unwrap_or(EPOCH)))
    }

    pub fn hear(&mut self, message: &plant::Message<'_>) {
        self.controller.hear(message);
    }

    pub fn take_broken(&mut self) -> Option<String> {
        self.broken.take()
    }
}

/// Brokers by the topics on which a plant is commanded.
pub(super) fn by_topic(plant: &Plant) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for broker in plant.brokers() {
        for topic in plant.command_topics(&broker) {
            found.entry(topic.to_owned()).or_default().push(broker.clone());
        }
    }
    found
}

/// What a plant takes from somebody else in an experiment.
pub(super) fn options(experiment: &Experiment, is_against: bool, options: plant::Options) -> plant::Options {
    let driven = if is_against { experiment.against.commands.clone() } else { Vec::new() };
    let is_commanded = experiment.steps.iter().any(|step| matches!(step.kind, StepKind::Command(_)));
    let operated = is_commanded || (is_against && driven.is_empty());
    plant::Options { operated, driven, ..options }
}

impl Stage<'_> {
    /// At its times the controller under test hears what is due, and commands. Says why the experiment cannot go on.
    pub(super) fn exchange(&mut self, time: u64) -> Option<String> {
        let step = self.control.as_ref()?.controller.step();
        if !time.is_multiple_of(step) {
            return None;
        }
        self.advance(time, Plant::run);
        let moment = self.clock.moment(time);
        let control = self.control.as_mut()?;
        match control.controller.command(time, moment) {
            Ok(orders) => {
                for order in orders {
                    self.obey(time, &order);
                }
                None
            }
            Err(Halt::Controller(why)) => Some(why),
            Err(Halt::Environment(why)) => {
                control.broken = Some(why.clone());
                Some(why)
            }
        }
    }

    /// When the controller commands next after a time.
    pub(super) fn next_exchange(&self, time: u64) -> Option<u64> {
        let step = self.control.as_ref()?.controller.step();
        Some(time - time % step + step)
    }

    fn obey(&mut self, time: u64, order: &Order) {
        let Some(control) = &mut self.control else { return };
        let Some(brokers) = control.brokers.get(&order.topic).cloned() else { return };
        control.messages += 1;
        let is_first = control.told.insert(order.topic.clone());
        let payload = String::from_utf8_lossy(&order.payload).into_owned();
        if is_first {
            self.note(time, format!("the controller commands on {}, first: {payload}", order.topic));
        }
        for broker in brokers {
            let heard = self.take(time, &broker, &order.topic, &order.payload);
            let Some(control) = &mut self.control else { return };
            control.taken += heard.taken;
            if let Some(why) = heard.why
                && control.refused.insert(order.topic.clone())
            {
                self.trouble(time, format!("the plant cannot take what the controller says on {}: {why}", order.topic));
            }
        }
    }

    /// The plant takes a message of somebody else, and the twin learns of it. What the plant said until then comes before.
    pub(super) fn take(&mut self, time: u64, broker: &str, topic: &str, payload: &[u8]) -> plant::Heard {
        let receive_time = self.clock.moment(time);
        let heard = self.plant.hear(broker, topic, payload, receive_time);
        self.learn(broker, &Message { topic, payload, retained: false, qos: 1, receive_time });
        heard
    }

    /// The end of a run: what brokers keep of the plant is emptied, and how much the controller did is told.
    pub(super) fn end_control(&mut self, time: u64, is_aborted: bool) {
        let Some(control) = &mut self.control else { return };
        let Self { plant, .. } = self;
        plant.farewell(&mut |message| control.controller.hear(&message));
        let (messages, taken) = (control.messages, control.taken);
        match taken {
            0 if !is_aborted => {
                let topics: Vec<&str> = control.brokers.keys().map(String::as_str).collect();
                let text =
                    format!("the controller commanded nothing: nothing that counts came on {}", topics.join(", "));
                self.trouble(time, text);
            }
            _ => self.tell(time, format!("the controller sent {messages} messages, and the plant took {taken} values")),
        }
    }
}
