//! One source, seen from the analysis. In: the source's inbox and status. Out: its messages in the order of arrival,
//! and news of its connection. Never learns anything itself.

use std::sync::Arc;

use crate::event::Kind;
use crate::source::{Batch, BatchMessage, ConnectionState, Inbox, SourceHandle, SourceStatus};
use crate::value::Timestamp;

/// A source to listen to.
#[derive(Clone, Debug)]
pub struct Feed {
    pub name: String,
    pub inbox: Arc<Inbox>,
    pub status: Arc<SourceStatus>,
    /// The last recorded state of its connection; none for a source without one.
    link: Option<Link>,
    /// Taken from the inbox, and not learnt to its end.
    pub(super) waiting: Option<Waiting>,
}

/// A batch that is being learnt.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub batch: Batch,
    /// Samples, messages and whole messages that are learnt.
    pub learnt: usize,
    messages: usize,
    whole: usize,
}

impl Waiting {
    fn new(batch: Batch) -> Self {
        Self { batch, learnt: 0, messages: 0, whole: 0 }
    }

    pub fn next_message(&self) -> Option<BatchMessage<'_>> {
        let end = *self.batch.ends.get(self.messages)? as usize;
        let samples = self.batch.samples.get(self.learnt..end)?;
        let whole = self.batch.whole.get(self.whole).filter(|(place, _)| *place as usize == self.messages);
        Some(BatchMessage { samples, whole: whole.map(|(_, message)| message) })
    }

    /// The next message is learnt.
    pub fn pass_over(&mut self) {
        if let Some(end) = self.batch.ends.get(self.messages) {
            let is_whole = self.batch.whole.get(self.whole).is_some_and(|(place, _)| *place as usize == self.messages);
            self.whole += usize::from(is_whole);
            self.learnt = *end as usize;
            self.messages += 1;
        }
    }

    /// Removes the messages that were learnt, before the rest is changed.
    pub fn forget_learnt(&mut self) {
        let Self { batch, learnt, messages, whole } = self;
        batch.samples.drain(..*learnt);
        batch.ends.drain(..*messages);
        batch.ends.iter_mut().for_each(|end| *end -= *learnt as u32);
        batch.whole.drain(..*whole);
        batch.whole.iter_mut().for_each(|(place, _)| *place -= *messages as u32);
        (*learnt, *messages, *whole) = (0, 0, 0);
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Link {
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
        Self { name: name.into(), inbox, status, link: Some(Link::Nothing), waiting: None }
    }

    /// Of answers that are computed here: there is no connection.
    pub(super) fn of_answers(name: impl Into<String>, inbox: Arc<Inbox>, status: Arc<SourceStatus>) -> Self {
        Self { link: None, ..Self::new(name, inbox, status) }
    }

    pub fn of(source: &SourceHandle) -> Self {
        Self::new(source.name.clone(), source.receiver.clone(), source.status.clone())
    }

    /// Its messages are answers that were computed here.
    pub(super) fn is_of_answers(&self) -> bool {
        self.link.is_none()
    }

    /// With what was known of the same source before.
    pub(super) fn going_on(self, before: &[Feed]) -> Self {
        let same = before.iter().find(|feed| Arc::ptr_eq(&feed.status, &self.status));
        Self { link: same.map_or(self.link, |feed| feed.link), ..self }
    }

    /// Takes the next batch from the inbox, unless one is being learnt.
    pub(super) fn take_batch(&mut self) {
        while self.next().is_none() {
            if let Some(spent) = self.waiting.take() {
                self.inbox.recycle(spent.batch);
            }
            match self.inbox.try_recv() {
                Some(batch) => self.waiting = Some(Waiting::new(batch)),
                None => return,
            }
        }
    }

    /// Receive time of the next message that was taken from the inbox.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.waiting.as_ref()?.next_message().map(|message| message.received())
    }

    /// Goes on with a batch later, or gives its memory back if all of it is learnt.
    pub(super) fn put_back(&mut self, waiting: Waiting) {
        match waiting.next_message() {
            Some(_) => self.waiting = Some(waiting),
            None => self.inbox.recycle(waiting.batch),
        }
    }

    /// What has changed since the last look; none if nothing has.
    pub(super) fn news(&mut self) -> Option<News> {
        let (state, error) = self.status.connection();
        let before = self.link?;
        let now = match (state, before) {
            (ConnectionState::Connected, _) => Link::Connected,
            // Stopped by this program, which ends or does not want the source any more: no connection was lost.
            (ConnectionState::Stopped, link) if link == Link::Connected || error.is_none() => link,
            (ConnectionState::Disconnected | ConnectionState::Stopped, _) | (_, Link::Connected) => Link::Missing,
            (ConnectionState::Connecting, Link::Nothing) => Link::Awaited,
            (ConnectionState::Connecting, link) => link,
        };
        self.link = Some(now);
        if before == now {
            return None;
        }
        let event = |state: &str| Kind::Connection {
            broker: self.name.clone(),
            state: state.to_owned(),
            error: error.clone().unwrap_or_default(),
        };
        let event = match (before, now) {
            (_, Link::Connected) => Some(event("connected")),
            (Link::Connected, Link::Missing) => Some(event("lost")),
            (_, Link::Missing) => Some(event("failed")),
            _ => None,
        };
        Some(News { is_connected: now == Link::Connected, event })
    }
}
