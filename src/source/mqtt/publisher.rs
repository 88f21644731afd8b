//! Sends commands by the connection of a listener. In: messages of instructions, a living connection. Out: the same on the
//! wire, and what became of each. A message leaves at once or is refused: none is kept for a connection that comes later,
//! as a link with all that waits in it ends with its connection.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel as channel;
use tokio::sync::mpsc;

use super::link::Requests;
use crate::instruction::{Leave, Link, Outgoing};
use crate::source::{ConnectionState, SourceStatus};
use crate::value::Timestamp;

/// Answers that nobody has taken yet; those beyond are counted as dropped. What became of a message is never dropped.
const MOST_ANSWERS: usize = 4096;

/// What became of a message, or an answer of equipment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// The broker has it; at QoS 0 it has left.
    Delivered { instruction: u64, at: Timestamp },
    /// It did not leave, or nobody knows whether it arrived.
    Lost { instruction: u64, why: String, at: Timestamp },
    Answer {
        /// The broker that brought it.
        broker: String,
        topic: String,
        payload: Vec<u8>,
        received: Timestamp,
    },
}

/// Sends commands to one broker. Only a listener that was started with a [`Leave`] has one.
#[derive(Clone)]
pub struct Publisher {
    letters: mpsc::UnboundedSender<Letter>,
    /// What became of messages: one or two of each.
    news: channel::Receiver<News>,
    answers: channel::Receiver<News>,
    status: Arc<SourceStatus>,
    broker: String,
}

impl Publisher {
    /// Both ends: that of the listener is `Letters`.
    pub(super) fn new(_leave: Leave, broker: &str, status: &Arc<SourceStatus>) -> (Self, Letters) {
        let (letters, receiver) = mpsc::unbounded_channel();
        let (news_sender, news) = channel::unbounded();
        let (answers_sender, answers) = channel::bounded(MOST_ANSWERS);
        let letters_end = Letters {
            receiver,
            news: news_sender,
            answers: answers_sender,
            broker: broker.to_owned(),
            asked: VecDeque::new(),
            sent: HashMap::new(),
        };
        (Self { letters, news, answers, status: status.clone(), broker: broker.to_owned() }, letters_end)
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
        let letter = Letter { outgoing, handed_over: Instant::now() };
        self.letters.send(letter).map_err(|_| format!("not sent: the listener of {} has ended", self.broker))
    }

    /// Moves the news into `into`; false if no more can come, as the listener has ended.
    pub fn take_news(&self, into: &mut Vec<News>) -> bool {
        let can_come = loop {
            match self.news.try_recv() {
                Ok(news) => into.push(news),
                Err(channel::TryRecvError::Empty) => break true,
                Err(channel::TryRecvError::Disconnected) => break false,
            }
        };
        into.extend(self.answers.try_iter());
        can_come
    }

    /// Whether both send by one connection.
    pub fn is_same(&self, other: &Self) -> bool {
        self.letters.same_channel(&other.letters)
    }
}

/// A message on its way to the connection.
pub(super) struct Letter {
    outgoing: Outgoing,
    handed_over: Instant,
}

/// The listener's end: messages on their way.
pub(super) struct Letters {
    receiver: mpsc::UnboundedReceiver<Letter>,
    news: channel::Sender<News>,
    answers: channel::Sender<News>,
    broker: String,
    /// Asked for, not yet sent, oldest first: instruction, QoS.
    asked: VecDeque<(u64, u8)>,
    /// Sent and not acknowledged, by packet id.
    sent: HashMap<u16, u64>,
}

impl Letters {
    /// The next message; never, once all publishers are gone. May be dropped while it waits.
    pub async fn next(&mut self) -> Letter {
        match self.receiver.recv().await {
            Some(letter) => letter,
            None => std::future::pending().await,
        }
    }

    /// Gives a message to a living connection.
    pub fn post(&mut self, letter: &Letter, requests: &Requests, max_packet: usize, now: Timestamp) {
        let is_late = letter.handed_over.elapsed() > letter.outgoing.leaves_within();
        let letter = &letter.outgoing;
        let bytes = letter.topic().len() + letter.payload().len() + 8;
        if bytes > max_packet {
            let why = format!("not sent: {bytes} bytes are above the limit of {max_packet}: raise `max_packet`");
            return self.lose(letter.instruction(), why, now);
        }
        if is_late {
            let why = "not sent: the connection was too busy to send it at once";
            return self.lose(letter.instruction(), why.to_owned(), now);
        }
        match requests.publish(letter.topic(), letter.qos(), letter.payload(), letter.expires_after()) {
            true => self.asked.push_back((letter.instruction(), letter.qos())),
            false => self.lose(letter.instruction(), "not sent: the connection takes no more just now".to_owned(), now),
        }
    }

    /// There is no connection.
    pub fn refuse(&mut self, letter: &Letter, now: Timestamp) {
        self.lose(letter.outgoing.instruction(), "not sent: the broker is not connected".to_owned(), now);
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

    /// The listener ends: what it was handed and did not send never leaves.
    pub fn close(&mut self, now: Timestamp) {
        self.receiver.close();
        while let Ok(letter) = self.receiver.try_recv() {
            self.lose(letter.outgoing.instruction(), "not sent: the connection has ended".to_owned(), now);
        }
        self.end(now);
    }

    /// False if there is no room for it.
    pub fn answer(&self, topic: &str, payload: &[u8], received: Timestamp) -> bool {
        let (broker, topic) = (self.broker.clone(), topic.to_owned());
        self.answers.try_send(News::Answer { broker, topic, payload: payload.to_vec(), received }).is_ok()
    }

    fn lose(&self, instruction: u64, why: String, at: Timestamp) {
        self.tell(News::Lost { instruction, why, at });
    }

    fn tell(&self, news: News) {
        if self.news.send(news).is_err() {
            tracing::warn!("what became of a command could not be told: nobody takes the news");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::instruction::{Destination, Instruction, Now, Permission, Reading};

    const SCENE: &str = r#"Scene(format: (1, 4), name: "Pump", commands: true,
        types: {"Pump": (commands: {"stop": (topic: "p/{id}", raw: "STOP")})}, twins: [(id: "P-1", type: "Pump")])"#;

    fn leave() -> Leave {
        Permission { scene: true, user: true, address: true }.leave().expect("all allow it")
    }

    fn ends() -> (Publisher, Letters) {
        let status = Arc::new(SourceStatus::new("plant", "mqtt://plc:1883", Timestamp(0)));
        Publisher::new(leave(), "plant", &status)
    }

    fn outgoing() -> Outgoing {
        let source = crate::scene::SourceFile { path: "scene.ron".into(), text: SCENE.into() };
        let loaded = crate::scene::load_texts(Path::new("scene.ron"), &[source]);
        let scene = loaded.scene.clone().unwrap_or_else(|| panic!("{}", loaded.render(false)));
        let command = scene.commands[0].clone();
        let (time, destination) = (Timestamp(0), Destination::default());
        let mut one = Instruction::prepare(7, "t".into(), command, &scene, Vec::new(), destination, "ann", time);
        let now = Now { time, uptime: Duration::ZERO };
        one.arm("ann", now).expect("it is prepared");
        one.send(leave(), &Link::Up, &scene, &|_| Reading::default(), "ann", "", now)
            .expect("nothing speaks against it")
    }

    #[test]
    fn a_flood_of_answers_hides_nothing_of_what_became_of_a_message() {
        let (publisher, mut letters) = ends();
        let taken = (0..5000).filter(|_| letters.answer("p/answer", b"ok", Timestamp(1))).count();
        assert_eq!(taken, MOST_ANSWERS, "the others are counted as dropped");
        letters.asked.push_back((7, 0));
        letters.left(0, Timestamp(2));
        let mut news = Vec::new();
        assert!(publisher.take_news(&mut news));
        assert_eq!(news[0], News::Delivered { instruction: 7, at: Timestamp(2) });
        assert_eq!(news.len(), 1 + MOST_ANSWERS);
    }

    #[test]
    fn what_waits_when_its_listener_ends_is_told_as_not_sent() {
        let (publisher, mut letters) = ends();
        publisher.publish(outgoing()).expect("the listener runs");
        letters.close(Timestamp(3));
        drop(letters);
        let mut news = Vec::new();
        assert!(!publisher.take_news(&mut news), "nothing more can come");
        let why = "not sent: the connection has ended".to_owned();
        assert_eq!(news, [News::Lost { instruction: 7, why, at: Timestamp(3) }]);
        assert!(publisher.publish(outgoing()).is_err(), "and it takes nothing more");
    }
}
