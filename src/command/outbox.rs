//! The only way from an operator to equipment. In: messages that instructions gave out. Out: the same on the connections of
//! a live session. A world has one only where its user allows it, and in it a broker only where the scene allows it: a
//! replay, a run in simulated time, a layer and a test own no publisher and cannot make one.

use std::collections::BTreeMap;

use bevy::prelude::*;

use crate::instruction::{Instruction, Leave, Link, Outgoing};
use crate::source::SourceHandle;
use crate::source::mqtt::{News, Publisher};
use crate::value::Timestamp;

/// Publishers by broker.
#[derive(Resource, Clone, Default)]
pub struct Outbox {
    publishers: BTreeMap<String, Publisher>,
    /// Of connections that have ended: their last news may not be taken yet.
    ended: Vec<Publisher>,
}

impl Outbox {
    /// Those of the running sources that have one.
    pub fn of(sources: &[SourceHandle]) -> Self {
        let each = sources.iter().filter_map(|source| Some((source.name.clone(), source.publisher()?.clone())));
        Self { publishers: each.collect(), ended: Vec::new() }
    }

    /// Other sources run now; what became of messages of the old ones is still told.
    pub fn replace(&mut self, sources: &[SourceHandle]) {
        let old = std::mem::replace(&mut self.publishers, Self::of(sources).publishers);
        let is_gone = |old: &Publisher| !self.publishers.values().any(|new| new.is_same(old));
        self.ended.extend(old.into_values().filter(is_gone));
    }

    /// Proof that it may be sent there, and whether it can leave at once.
    pub fn way(&self, broker: &str, leave: Leave) -> (Leave, Link) {
        let link = match self.publishers.get(broker) {
            Some(publisher) => publisher.link(),
            None => Link::Down("its broker has no connection".to_owned()),
        };
        (leave, link)
    }

    pub fn publish(&self, instruction: &mut Instruction, outgoing: Outgoing, now: Timestamp) {
        let sent = match self.publishers.get(&instruction.destination.broker) {
            Some(publisher) => publisher.publish(outgoing),
            None => Err("not sent: its broker has no connection".to_owned()),
        };
        if let Err(why) = sent {
            instruction.lost(why, now);
        }
    }

    pub fn take_news(&mut self) -> Vec<News> {
        let mut news = Vec::new();
        for publisher in self.publishers.values() {
            publisher.take_news(&mut news);
        }
        self.ended.retain(|publisher| publisher.take_news(&mut news));
        news
    }
}
