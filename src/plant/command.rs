//! Commands of somebody else: a real controller drives the simulated plant. In: messages on the topics of commands. Out:
//! values of inputs. Until the first command comes an input stays where it was at the start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Options;
use crate::ingest::{BindingTable, Encoder, Message};
use crate::network::{Feed, Network, State};
use crate::scene::{Follow, Scene};
use crate::value::{Grade, SignalIndex, Timestamp};

/// The inputs of a plant that follow commands.
#[derive(Clone, Debug)]
pub(super) struct Commands {
    /// With the first of their outside values.
    follows: Vec<Follow>,
    first: usize,
    /// Topics that bring commands, by their places in the encoder: nothing else is said there.
    pub(super) topics: BTreeSet<usize>,
    tables: Arc<BTreeMap<String, BindingTable>>,
}

/// The inputs that somebody else commands: all that may be, those that no other machine feeds, those of some signals, or
/// none.
pub(super) fn follows(scene: &Scene, options: &Options) -> Vec<Follow> {
    let is_fixed = |follow: &Follow| {
        let machine = scene.blueprint.as_ref().and_then(|blueprint| blueprint.machines.get(follow.machine));
        machine.is_some_and(|machine| matches!(machine.inputs.get(follow.input), Some(Feed::Constant(_))))
    };
    let is_commanded = |follow: &&Follow| {
        options.commanded || options.driven.contains(&follow.signal) || (options.operated && is_fixed(follow))
    };
    scene.commanded.iter().filter(is_commanded).copied().collect()
}

/// What came of a message.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Heard {
    /// Inputs that have a new value.
    pub taken: u64,
    /// Values that no input can take.
    pub refused: u64,
    /// Why the first of them was refused.
    pub why: Option<String>,
}

impl Commands {
    /// None, where nobody else commands.
    pub fn none() -> Self {
        Self { follows: Vec::new(), first: 0, topics: BTreeSet::new(), tables: Arc::default() }
    }

    /// Those of a scene, whose outside values begin at `first`.
    pub fn new(scene: &Scene, follows: Vec<Follow>, encoder: &Encoder, first: usize) -> Self {
        let topics: BTreeSet<usize> = follows.iter().filter_map(|follow| encoder.topic_of(follow.signal)).collect();
        let brokers = topics.iter().filter_map(|at| Some(encoder.topics().get(*at)?.broker.clone()));
        let tables = brokers.map(|broker| {
            let table = BindingTable::new(scene, &broker, 0);
            (broker, table)
        });
        let tables = Arc::new(tables.collect());
        Self { follows, first, topics, tables }
    }

    pub fn follows(&self) -> &[Follow] {
        &self.follows
    }

    pub fn is_command(&self, signal: SignalIndex) -> bool {
        self.follows.iter().any(|follow| follow.signal == signal)
    }

    /// Values of the inputs, in their order, as they are in a state of the network that simulates what feeds them.
    pub fn first_values(&self, network: &Network, state: &State) -> Vec<f64> {
        self.follows.iter().map(|follow| state.inputs(network, follow.machine)[follow.input]).collect()
    }

    /// Sets what a message says.
    pub fn hear(&self, scene: &Scene, broker: &str, message: &Message, state: &mut State) -> Heard {
        let mut heard = Heard::default();
        let Some(table) = self.tables.get(broker) else { return heard };
        let mut samples = Vec::new();
        let outcome = table.decode(message, &mut samples);
        heard.why = outcome.error.map(|error| error.to_string());
        for sample in samples.iter().filter(|sample| self.is_command(sample.signal)) {
            let is_usable = sample.quality.grade <= Grade::Uncertain;
            for (at, follow) in self.follows.iter().enumerate().filter(|(_, follow)| follow.signal == sample.signal) {
                match follow.of(&sample.value).filter(|_| is_usable) {
                    Some(value) => {
                        state.set_outside(self.first + at, value);
                        heard.taken += 1;
                    }
                    None => {
                        heard.refused += 1;
                        let path = scene.signal_path(sample.signal);
                        heard.why.get_or_insert_with(|| format!("{path}: {}", sample.quality));
                    }
                }
            }
        }
        heard
    }
}

/// A message that came at a time.
pub(super) fn message<'a>(topic: &'a str, payload: &'a [u8], receive_time: Timestamp) -> Message<'a> {
    Message { topic, payload, retained: false, qos: 0, receive_time }
}
