//! Events from what other rooms say. In: changes of alarms with their rules, floods, chattering. Out: [`Draft`]s for
//! the journal, which name things by the ids of the scene.

use super::{Draft, Event, Kind};
use crate::alarm::{Change, ChatterChange, FloodChange};
use crate::instruction::{Instruction, Step, shown};
use crate::scene::Scene;
use crate::scene::rule::{AlarmPath, Condition, Rule, Subject};
use crate::value::Timestamp;

/// For another journal, which gives it an id of its own.
impl From<Event> for Draft {
    fn from(event: Event) -> Self {
        let Event { id: _, time, received, twin, by, comment, kind } = event;
        Self { time, received, twin, by, comment, kind }
    }
}

impl Draft {
    /// An event about nothing in particular, by nobody.
    pub fn new(time: Timestamp, received: Timestamp, kind: Kind) -> Self {
        Self { time, received, twin: None, by: None, comment: String::new(), kind }
    }

    pub fn about(mut self, twin: impl Into<String>) -> Self {
        self.twin = Some(twin.into());
        self
    }

    pub fn by(mut self, who: impl Into<String>, comment: impl Into<String>) -> Self {
        self.by = Some(who.into());
        self.comment = comment.into();
        self
    }

    /// A transition of the alarm that `rule` describes. `message` says what happened, with the violated limit.
    pub fn of_change(change: &Change, rule: &Rule, scene: &Scene, message: impl Into<String>) -> Self {
        let AlarmPath { twin, broker, alarm } = AlarmPath::of_rule(rule, scene);
        let kind = Kind::Alarm {
            alarm,
            broker,
            cause: change.cause.clone(),
            from: change.from,
            to: change.to,
            priority: rule.priority,
            message: message.into(),
            // JSON has no infinity and no NaN: such a value would not survive a restart.
            value: change.value.filter(|x| x.is_finite()),
            worst: change.worst.filter(|x| x.is_finite()),
            unit: unit_of(rule, scene),
            origin: change.origin.mark(),
        };
        let (by, comment) = match &change.deed {
            Some(deed) => (Some(deed.by.clone()), deed.comment.clone()),
            None => (None, String::new()),
        };
        Self { time: change.source_time, received: change.receive_time, twin, by, comment, kind }
    }

    /// A command to equipment came into a state.
    pub fn of_step(instruction: &Instruction, step: &Step, known: Timestamp) -> Self {
        let command = &instruction.command;
        let arguments = instruction.named_arguments().map(|(name, value)| (name.to_owned(), value.clone()));
        let kind = Kind::Command {
            command: command.name.clone(),
            instruction: instruction.id,
            arguments: arguments.collect(),
            broker: instruction.destination.broker.clone(),
            address: instruction.destination.address.clone(),
            topic: command.topic.clone(),
            payload: shown(&instruction.payload),
            significance: command.significance,
            state: step.state,
            result: step.result.clone(),
        };
        let draft = Self::new(step.at, known.max(step.at), kind).about(instruction.twin.clone());
        Self { by: step.by.clone(), comment: step.reason.clone(), ..draft }
    }

    /// `first` is the path of `change.first`. The flood is about the twin that came first.
    pub fn of_flood(change: &FloodChange, first: Option<&AlarmPath>) -> Self {
        let name = first.map(AlarmPath::to_string).unwrap_or_default();
        let kind = Kind::Flood { began: change.began, alarms: change.alarms, first: name };
        Self { twin: first.and_then(|path| path.twin.clone()), ..Self::new(change.time, change.known, kind) }
    }

    /// `alarm` is the path of `change.alarm`.
    pub fn of_chattering(change: &ChatterChange, alarm: &AlarmPath) -> Self {
        let AlarmPath { twin, broker, alarm } = alarm.clone();
        let kind = Kind::Chattering { alarm, broker, began: change.began };
        Self { twin, ..Self::new(change.time, change.known, kind) }
    }
}

/// The unit of an alarm's values: that of its signal, per second for rates. Empty where there is none.
fn unit_of(rule: &Rule, scene: &Scene) -> String {
    let Subject::Signal(index) = &rule.subject else { return String::new() };
    let Some(signal) = scene.signals.get(index.at()) else { return String::new() };
    match (&rule.condition, signal.unit.symbol()) {
        (Condition::Rate { .. }, "") => "1/s".to_owned(),
        (Condition::Rate { .. }, unit) => format!("{unit}/s"),
        (_, unit) => unit.to_owned(),
    }
}

#[cfg(test)]
#[path = "make_tests.rs"]
mod tests;
