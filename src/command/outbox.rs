//! The only way from an operator to equipment. In: messages that instructions gave out. Out: the same on the connections of
//! a live session. A world has one only where its user allows it, and in it a broker only where the scene allows it: a
//! replay, a run in simulated time, a layer and a test own no publisher and cannot make one.

use std::collections::BTreeMap;

use bevy::prelude::*;

use crate::instruction::{Instruction, Leave, Link, Outgoing, Permission};
use crate::scene::Command;
use crate::source::SourceHandle;
use crate::source::mqtt::{News, Publisher};

/// Publishers by broker.
#[derive(Resource, Clone, Default)]
pub struct Outbox {
    publishers: BTreeMap<String, Publisher>,
}

impl Outbox {
    /// Those of the running sources that have one.
    pub fn of(sources: &[SourceHandle]) -> Self {
        let each = sources.iter().filter_map(|source| Some((source.name.clone(), source.publisher()?.clone())));
        Self { publishers: each.collect() }
    }

    fn publisher(&self, command: &Command) -> Option<&Publisher> {
        match &command.broker {
            Some(name) => self.publishers.get(name),
            // A scene without brokers has one connection.
            None => self.publishers.values().next().filter(|_| self.publishers.len() == 1),
        }
    }

    /// Who allows the command: that there is an outbox at all is the user's word.
    pub fn permission(outbox: Option<&Self>, command: &Command, scene: bool) -> Permission {
        let is_open = outbox.is_some_and(|outbox| outbox.publisher(command).is_some());
        Permission { scene: is_open || scene, user: outbox.is_some() }
    }

    /// Proof that it may be sent, and whether it can leave at once.
    pub fn way(&self, command: &Command, leave: Leave) -> (Leave, Link) {
        let link = match self.publisher(command) {
            Some(publisher) => publisher.link(),
            None => Link::Down("its broker has no connection".to_owned()),
        };
        (leave, link)
    }

    pub fn publish(&self, instruction: &mut Instruction, outgoing: Outgoing, now: crate::value::Timestamp) {
        let sent = match self.publisher(&instruction.command) {
            Some(publisher) => publisher.publish(outgoing),
            None => Err("its broker has no connection".to_owned()),
        };
        if let Err(why) = sent {
            instruction.lost(why, now);
        }
    }

    pub fn take_news(&self) -> Vec<News> {
        self.publishers.values().flat_map(Publisher::take_news).collect()
    }
}
