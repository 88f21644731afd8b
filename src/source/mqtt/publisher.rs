//! Sends commands by the connection of a listener. In: messages of instructions, a living connection. Out: the same on the
//! wire, and what became of each. A message leaves at once or is refused: none is kept for a connection that comes later,
//! as a link with all that waits in it ends with its connection.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crossbeam_channel as channel;
use tokio::sync::mpsc;

use super::link::Requests;
use crate::instruction::{Leave, Link, Outgoing};
use crate::source::{ConnectionState, SourceStatus};
use crate::value::Timestamp;

/// News that nobody has taken yet; answers beyond are counted as dropped.
const MOST_NEWS: usize = 4096;

/// What became of a message, or an answer of equipment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// The broker has it; at QoS 0 it has left.
    Delivered {
        instruction: u64,
        at: Timestamp,
    },
    /// It did not leave, or nobody knows whether it arrived.
    Lost {
        instruction: u64,
        why: String,
        at: Timestamp,
    },
    Answer {
        topic: String,
        payload: Vec<u8>,
        received: Timestamp,
    },
}

/// Sends commands to one broker. Only a listener that was started with a [`Leave`] has one.
#[derive(Clone)]
pub struct Publisher {
    letters: mpsc::UnboundedSender<Outgoing>,
    news: channel::Receiver<News>,
    status: Arc<SourceStatus>,
    broker: String,
}

impl Publisher {
    /// Both ends: that of the listener is `Letters`.
    pub(super) fn new(_leave: Leave, broker: &str, status: &Arc<SourceStatus>) -> (Self, Letters) {
        let (letters, receiver) = mpsc::unbounded_channel();
        let (sender, news) = channel::bounded(MOST_NEWS);
        let publisher = Self { letters, news, status: status.clone(), broker: broker.to_owned() };
        (publisher, Letters { receiver, news: sender, asked: VecDeque::new(), sent: HashMap::new() })
    }

    /// Whether a message can leave now.
    pub fn link(&self) -> Link {
        let (state, error) = self.status.connection();
        match state {
            ConnectionState::Connected => Link::Up,
            _ => {
                let why = error.map(|error| format!(" ({error})")).unwrap_or_default();
                Link::Down(format!("the broker {} is not connected{why}", self.broker))
            }
        }
    }

    /// Hands a message to the connection; what becomes of it is among the news.
    pub fn publish(&self, outgoing: Outgoing) -> Result<(), String> {
        self.letters.send(outgoing).map_err(|_| format!("the listener of {} has ended", self.broker))
    }

    pub fn take_news(&self) -> Vec<News> {
        self.news.try_iter().collect()
    }
}

/// The listener's end: messages on their way.
pub(super) struct Letters {
    receiver: mpsc::UnboundedReceiver<Outgoing>,
    news: channel::Sender<News>,
    /// Asked for, not yet sent, oldest first: instruction, QoS.
    asked: VecDeque<(u64, u8)>,
    /// Sent and not acknowledged, by packet id.
    sent: HashMap<u16, u64>,
}

impl Letters {
    /// The next message; never, once all publishers are gone. May be dropped while it waits.
    pub async fn next(&mut self) -> Outgoing {
        match self.receiver.recv().await {
            Some(letter) => letter,
            None => std::future::pending().await,
        }
    }

    /// Gives a message to a living connection.
    pub fn post(&mut self, letter: &Outgoing, requests: &Requests, max_packet: usize, now: Timestamp) {
        let bytes = letter.topic().len() + letter.payload().len() + 8;
        if bytes > max_packet {
            let why = format!("not sent: {bytes} bytes are above the limit of {max_packet}: raise `max_packet`");
            return self.lose(letter.instruction(), why, now);
        }
        if now > letter.leave_by() {
            let why = "not sent: the connection was too busy to send it at once";
            return self.lose(letter.instruction(), why.to_owned(), now);
        }
        match requests.publish(letter.topic(), letter.qos(), letter.payload()) {
            true => self.asked.push_back((letter.instruction(), letter.qos())),
            false => self.lose(letter.instruction(), "not sent: the connection takes no more just now".to_owned(), now),
        }
    }

    /// There is no connection.
    pub fn refuse(&mut self, letter: &Outgoing, now: Timestamp) {
        self.lose(letter.instruction(), "not sent: the broker is not connected".to_owned(), now);
    }

    /// A message left with this packet id, 0 at QoS 0.
    pub fn left(&mut self, id: u16, now: Timestamp) {
        match self.asked.pop_front() {
            Some((instruction, 0)) => self.tell(News::Delivered { instruction, at: now }),
            Some((instruction, _)) => drop(self.sent.insert(id, instruction)),
            None => {}
        }
    }

    /// The broker answered to a packet id.
    pub fn acknowledged(&mut self, id: u16, refusal: Option<String>, now: Timestamp) {
        let Some(instruction) = self.sent.remove(&id) else { return };
        match refusal {
            None => self.tell(News::Delivered { instruction, at: now }),
            Some(why) => self.lose(instruction, format!("the broker refused it: {why}"), now),
        }
    }

    /// The connection has ended, and all that was on its way with it.
    pub fn end(&mut self, now: Timestamp) {
        let asked: Vec<u64> = self.asked.drain(..).map(|(instruction, _)| instruction).collect();
        let sent: Vec<u64> = self.sent.drain().map(|(_, instruction)| instruction).collect();
        for instruction in asked.into_iter().chain(sent) {
            let why = "the connection was lost before the broker acknowledged: whether it arrived is not known";
            self.lose(instruction, why.to_owned(), now);
        }
    }

    /// False if there is no room for it.
    pub fn answer(&self, topic: &str, payload: &[u8], received: Timestamp) -> bool {
        let answer = News::Answer { topic: topic.to_owned(), payload: payload.to_vec(), received };
        self.news.try_send(answer).is_ok()
    }

    fn lose(&self, instruction: u64, why: String, at: Timestamp) {
        self.tell(News::Lost { instruction, why, at });
    }

    fn tell(&self, news: News) {
        if self.news.try_send(news).is_err() {
            tracing::warn!("what became of a command could not be told: nobody takes the news");
        }
    }
}
