//! How far commands to equipment have come, as the journal tells it. In: events, in their order. Out: one entry for each
//! command. Pure: live and in a replay the same.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Event, Kind};
use crate::instruction::State;
use crate::scene::Significance;
use crate::value::{Timestamp, Value};

/// A command at the end of the events that were looked at.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Commanded {
    /// The same number as in its events.
    pub instruction: u64,
    pub twin: String,
    pub command: String,
    pub arguments: BTreeMap<String, Value>,
    pub significance: Significance,
    /// The name of the connection it went by.
    pub broker: String,
    /// Of that broker; empty in older files.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
    pub topic: String,
    pub payload: String,
    pub state: State,
    pub since: Timestamp,
    /// Who did something to it last.
    pub by: Option<String>,
    /// Why, in the words of who did it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What came of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub result: String,
}

/// The commands among some events, in the order in which they were prepared.
pub fn commanded<'e>(events: impl IntoIterator<Item = &'e Event>) -> Vec<Commanded> {
    let mut all: Vec<Commanded> = Vec::new();
    for event in events {
        let Kind::Command {
            command,
            instruction,
            arguments,
            broker,
            address,
            topic,
            payload,
            significance,
            state,
            result,
        } = &event.kind
        else {
            continue;
        };
        // Another session counts from one again: what is prepared is a new one.
        let known = all.iter_mut().rfind(|one| one.instruction == *instruction && *state != State::Prepared);
        let one = match known {
            Some(known) => known,
            None => {
                all.push(Commanded {
                    instruction: *instruction,
                    twin: event.twin.clone().unwrap_or_default(),
                    command: command.clone(),
                    arguments: arguments.clone(),
                    significance: *significance,
                    broker: broker.clone(),
                    address: address.clone(),
                    topic: topic.clone(),
                    payload: payload.clone(),
                    state: *state,
                    since: event.time,
                    by: None,
                    reason: String::new(),
                    result: String::new(),
                });
                let last = all.len() - 1;
                &mut all[last]
            }
        };
        (one.state, one.since) = (*state, event.time);
        one.result.clone_from(result);
        if event.by.is_some() {
            one.by.clone_from(&event.by);
            one.reason.clone_from(&event.comment);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: u64, instruction: u64, state: State, by: Option<&str>) -> Event {
        let kind = Kind::Command {
            command: "start".into(),
            instruction,
            arguments: BTreeMap::new(),
            broker: String::new(),
            address: String::new(),
            topic: "hall/P-1".into(),
            payload: "GO".into(),
            significance: Significance::Routine,
            state,
            result: String::new(),
        };
        Event {
            id,
            time: Timestamp(id as i64),
            received: Timestamp(id as i64),
            twin: Some("P-1".into()),
            by: by.map(str::to_owned),
            comment: String::new(),
            kind,
        }
    }

    #[test]
    fn each_command_stands_where_its_last_event_left_it() {
        let events = [
            event(1, 1, State::Prepared, Some("ann")),
            event(2, 1, State::Armed, Some("ann")),
            event(3, 2, State::Prepared, Some("bob")),
            event(4, 1, State::Queued, Some("cid")),
            event(5, 1, State::Verified, None),
            // After a restart.
            event(6, 1, State::Prepared, Some("ann")),
        ];
        let told: Vec<_> =
            commanded(&events).iter().map(|one| (one.instruction, one.state, one.since.0, one.by.clone())).collect();
        let by = |who: &str| Some(who.to_owned());
        assert_eq!(
            told,
            [
                (1, State::Verified, 5, by("cid")),
                (2, State::Prepared, 3, by("bob")),
                (1, State::Prepared, 6, by("ann"))
            ]
        );
    }
}
