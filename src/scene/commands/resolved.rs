//! Commands of a loaded scene: what equipment can be told, with every name resolved. Plain data; sends nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::scene::expression::Compiled;
use crate::scene::resolved::{Scene, SignalSource, ValueKind};
use crate::value::{Conversion, SignalIndex, TwinIndex, Unit, Value};

/// What the equipment of a twin can be told.
#[derive(Clone, PartialEq, Debug)]
pub struct Command {
    pub twin: TwinIndex,
    /// Unique within its twin: `start`.
    pub name: String,
    /// What it does, for people. Empty if nobody says.
    pub about: String,
    pub parameters: Vec<Parameter>,
    pub significance: Significance,
    /// All must hold when it is sent.
    pub constraints: Vec<Requirement>,
    /// A key of [`Scene::brokers`]; none where the scene has none.
    pub broker: Option<String>,
    pub topic: String,
    pub payload: Payload,
    /// 0, 1 or 2. It is never retained: who connects later must not obey it.
    pub qos: u8,
    /// How long it stays armed.
    pub arming: Duration,
    /// None: that it was delivered is all that can be known.
    pub verify: Option<Verify>,
}

/// What a command is told.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameter {
    pub name: String,
    pub about: String,
    pub kind: ParameterKind,
    /// None: a value must be given.
    pub default: Option<Value>,
}

/// The values that a parameter takes.
#[derive(Clone, PartialEq, Debug)]
pub enum ParameterKind {
    /// Both ends are in `unit`, and belong to it.
    Number {
        unit: Unit,
        low: f64,
        high: f64,
    },
    Bool,
    OneOf(Vec<String>),
}

impl ParameterKind {
    pub fn kind(&self) -> ValueKind {
        match self {
            ParameterKind::Number { .. } => ValueKind::Number,
            ParameterKind::Bool => ValueKind::Bool,
            ParameterKind::OneOf(_) => ValueKind::Text,
        }
    }

    pub fn unit(&self) -> Unit {
        if let ParameterKind::Number { unit, .. } = self { unit.clone() } else { Unit::none() }
    }

    /// `0 to 50 Hz`, `true or false`, `auto or manual`.
    pub fn text(&self) -> String {
        match self {
            ParameterKind::Number { unit, low, high } => format!("{low} to {high}{}", unit.suffix()),
            ParameterKind::Bool => "true or false".to_owned(),
            ParameterKind::OneOf(texts) => texts.join(" or "),
        }
    }

    /// Why it does not take a value; none if it does.
    pub fn refusal(&self, value: &Value) -> Option<String> {
        let takes = match (self, value) {
            (ParameterKind::Number { low, high, .. }, Value::Number(x)) => (*low..=*high).contains(x),
            (ParameterKind::Bool, Value::Bool(_)) => true,
            (ParameterKind::OneOf(texts), Value::Text(text)) => texts.iter().any(|known| **known == **text),
            _ => false,
        };
        let found = match value {
            Value::Number(x) => format!("{x}{}", self.unit().suffix()),
            other => other.to_string(),
        };
        (!takes).then(|| format!("{} is expected, found {found}", self.text()))
    }
}

/// How much a command may do: from `Warning` on a reason must be given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Significance {
    #[default]
    Routine,
    Watch,
    Warning,
    Critical,
}

impl Significance {
    pub const fn name(self) -> &'static str {
        match self {
            Significance::Routine => "routine",
            Significance::Watch => "watch",
            Significance::Warning => "warning",
            Significance::Critical => "critical",
        }
    }

    pub fn needs_reason(self) -> bool {
        self >= Significance::Warning
    }
}

/// What must be true, over signals and parameters.
#[derive(Clone, Debug)]
pub struct Requirement {
    pub source: String,
    /// Each with its name in the source.
    pub inputs: Vec<(String, Input)>,
    pub compiled: Arc<Compiled>,
}

impl PartialEq for Requirement {
    fn eq(&self, other: &Self) -> bool {
        (&self.source, &self.inputs) == (&other.source, &other.inputs)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    Signal(SignalIndex),
    /// By its position among the parameters.
    Parameter(usize),
}

#[derive(Clone, PartialEq, Debug)]
pub enum Payload {
    Raw(Piece),
    /// By JSON pointers.
    Json(Vec<(String, Piece)>),
}

/// What stands for the text that is another one in each command.
pub const TOKEN: &str = "{token}";

/// A part of a payload.
#[derive(Clone, PartialEq, Debug)]
pub enum Piece {
    Constant(Value),
    /// A text in which [`TOKEN`] stands for the one that tells this command from every other one.
    Token(String),
    /// A parameter, by its position; from its unit to the one that the equipment wants.
    Parameter {
        at: usize,
        to_payload: Conversion,
    },
}

/// How it is seen that a command was obeyed.
#[derive(Clone, PartialEq, Debug)]
pub struct Verify {
    pub by: Evidence,
    /// From when it was sent.
    pub within: Duration,
}

impl Verify {
    /// Whether another scene says the same in the same words, whatever numbers its signals have.
    pub fn is_written_as(&self, other: &Self) -> bool {
        let by = match (&self.by, &other.by) {
            (Evidence::That(this), Evidence::That(that)) => this.source == that.source,
            (Evidence::Answer(this), Evidence::Answer(that)) => this == that,
            _ => false,
        };
        by && self.within == other.within
    }
}

#[derive(Clone, PartialEq, Debug)]
pub enum Evidence {
    /// A condition becomes true.
    That(Requirement),
    Answer(Answer),
}

/// A message that says whether a command was obeyed.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    pub topic: String,
    /// Where in a JSON payload the verdict stands; none: it is the payload.
    pub pointer: Option<String>,
    /// The verdict where the command was obeyed.
    pub equals: Value,
    /// Where the token stands; none: any answer counts. Empty: in the payload, which is text; what stands there beside it
    /// is the verdict.
    pub token: Option<String>,
}

impl Command {
    /// Whether it and what `other` names may be on one connection.
    pub fn shares_broker(&self, other: Option<&str>) -> bool {
        self.broker.as_deref().is_none_or(|broker| other.is_none_or(|other| other == broker))
    }
}

impl Scene {
    /// The signals from which one is derived, in order, down to those that no other brings; of such a one itself.
    pub fn roots(&self, signal: SignalIndex) -> Vec<SignalIndex> {
        let (mut open, mut seen, mut roots) = (vec![signal], BTreeSet::new(), BTreeSet::new());
        while let Some(next) = open.pop() {
            // A faulty scene may go round in a circle.
            if !seen.insert(next) {
                continue;
            }
            match self.signals.get(next.at()).map(|signal| &signal.source) {
                Some(SignalSource::Derived(derivation)) => {
                    open.extend(derivation.inputs.iter().map(|(_, input)| *input))
                }
                _ => drop(roots.insert(next)),
            }
        }
        roots.into_iter().collect()
    }

    pub fn commands_of(&self, twin: TwinIndex) -> &[Command] {
        let start = self.commands.partition_point(|command| command.twin < twin);
        let end = self.commands.partition_point(|command| command.twin <= twin);
        self.commands.get(start..end).unwrap_or(&[])
    }

    /// The command `start` of the twin `P-101`.
    pub fn command(&self, twin: &str, name: &str) -> Option<&Command> {
        self.commands_of(self.twin(twin)?.index).iter().find(|command| command.name == name)
    }

    /// `P-101.start`
    pub fn command_path(&self, command: &Command) -> String {
        let twin = self.twins.get(command.twin.at()).map_or("?", |twin| twin.id.as_str());
        format!("{twin}.{}", command.name)
    }

    /// Topics on which equipment answers to commands that go to a broker: subscribed to where commands may be sent.
    pub fn answers_from(&self, broker: &str) -> impl Iterator<Item = &str> {
        let allows = match self.brokers.get(broker) {
            Some(broker) => broker.commands,
            None => self.brokers.is_empty() && self.allows_commands,
        };
        let asked = self
            .commands
            .iter()
            .filter(move |command| allows && command.broker.as_deref().is_none_or(|name| name == broker));
        asked.filter_map(|command| match command.verify.as_ref().map(|verify| &verify.by) {
            Some(Evidence::Answer(answer)) => Some(answer.topic.as_str()),
            _ => None,
        })
    }
}
