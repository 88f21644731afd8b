//! One source as the analysis sees it: where its samples wait, and whether it is connected.

use std::sync::Arc;

use crate::event::Kind;
use crate::source::{ConnectionState, Inbox, SourceHandle, SourceStatus};

/// A source to listen to.
#[derive(Clone, Debug)]
pub struct Feed {
    pub name: String,
    pub inbox: Arc<Inbox>,
    pub status: Arc<SourceStatus>,
    /// What is on record about its connection.
    known: Known,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Known {
    Nothing,
    /// Not there from the start, and nothing has gone wrong yet.
    Awaited,
    Connected,
    /// Lost, or tried in vain.
    Missing,
}

/// What has changed about a connection.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct News {
    pub is_connected: bool,
    /// None if it is not worth a mark: a connection that has not been tried yet.
    pub event: Option<Kind>,
}

impl Feed {
    pub fn new(name: impl Into<String>, inbox: Arc<Inbox>, status: Arc<SourceStatus>) -> Self {
        Self { name: name.into(), inbox, status, known: Known::Nothing }
    }

    pub fn of(source: &SourceHandle) -> Self {
        Self::new(source.name.clone(), source.receiver.clone(), source.status.clone())
    }

    /// With what was known of the same source before.
    pub(super) fn going_on(self, before: &[Feed]) -> Self {
        let same = before.iter().find(|feed| Arc::ptr_eq(&feed.status, &self.status));
        Self { known: same.map_or(Known::Nothing, |feed| feed.known), ..self }
    }

    /// What has changed since the last look; none if nothing has.
    pub(super) fn news(&mut self) -> Option<News> {
        let (state, error) = self.status.connection();
        let now = match (state, self.known) {
            (ConnectionState::Connected, _) => Known::Connected,
            // Stopped by this program, which ends or does not want the source any more: no connection was lost.
            (ConnectionState::Stopped, known) if known == Known::Connected || error.is_none() => known,
            (ConnectionState::Disconnected | ConnectionState::Stopped, _) | (_, Known::Connected) => Known::Missing,
            (ConnectionState::Connecting, Known::Nothing) => Known::Awaited,
            (ConnectionState::Connecting, known) => known,
        };
        let before = std::mem::replace(&mut self.known, now);
        if before == now {
            return None;
        }
        let event = |state: &str| Kind::Connection {
            broker: self.name.clone(),
            state: state.to_owned(),
            error: error.clone().unwrap_or_default(),
        };
        let event = match (before, now) {
            (_, Known::Connected) => Some(event("connected")),
            (Known::Connected, Known::Missing) => Some(event("lost")),
            (_, Known::Missing) => Some(event("failed")),
            _ => None,
        };
        Some(News { is_connected: now == Known::Connected, event })
    }
}
