//! The thread that keeps the connection of a line. In: requests, packets of the broker. Out: [`News`], in the order in which
//! they came. Never waits for who reads the news: what they cannot hold ends the connection, and says so.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use rumqttc::{Client, Event, EventLoop, LastWill, Outgoing, Packet, Publish, QoS, SubscribeReasonCode};

use super::{ACK, LineError, Order};
use crate::scene::Broker;
use crate::source::mqtt::{self, Address};
use crate::source::own::Own;

/// Messages that wait to be sent.
const QUEUE: usize = 2048;
/// News that wait to be read: of a controller that sends more at once something is wrong.
const MOST_NEWS: usize = 65_536;
/// Between two attempts to connect.
const AGAIN: Duration = Duration::from_millis(250);
/// How long it tries to connect.
const PATIENCE: Duration = Duration::from_secs(9);
/// How long a broker may take to end the connection after the goodbye, and to take what was said before it.
const FAREWELL: Duration = Duration::from_millis(500);
const GOODBYE: Duration = Duration::from_secs(3);
/// Between two looks at whether to end.
const LOOK: Duration = Duration::from_millis(50);

pub(super) enum News {
    Connected,
    /// Whether the broker lets it.
    Subscribed(bool),
    Order(Order),
    /// Its payload.
    Ack(Vec<u8>),
    /// Somebody else speaks on a topic of the plant.
    Taken {
        topic: String,
        what: &'static str,
    },
    /// The connection, and why.
    Ended(String),
}

/// What both sides know.
#[derive(Default)]
pub(super) struct Shared {
    sent: Mutex<Own>,
    /// Topics of the plant.
    own: Mutex<BTreeSet<String>>,
    /// Why the last attempt to connect failed.
    failure: Mutex<Option<String>>,
    /// Why nothing is sent any more, though the connection may stand.
    ended: Mutex<Option<String>>,
    is_closing: AtomicBool,
    /// The thread has ended.
    is_over: AtomicBool,
}

fn locked<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub fn add_own(&self, topics: &BTreeSet<String>) {
        locked(&self.own).extend(topics.iter().cloned());
    }

    pub fn remember(&self, topic: &str, payload: &[u8]) {
        locked(&self.sent).add(topic, payload);
    }

    pub fn last_failure(&self) -> Option<String> {
        locked(&self.failure).clone()
    }

    /// Nothing is sent any more.
    pub fn end(&self, why: &str) {
        *locked(&self.ended) = Some(why.to_owned());
    }

    pub fn ended(&self) -> Option<String> {
        locked(&self.ended).clone()
    }

    /// Whether something can still be sent.
    pub fn is_open(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed) && locked(&self.ended).is_none()
    }

    pub fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
    }

    fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Relaxed)
    }

    /// What a message is to the test; nothing, if it is its own.
    fn news_of(&self, message: Publish) -> Option<News> {
        let is_own_topic = locked(&self.own).contains(&message.topic);
        // What a broker has kept was said to somebody else: no controller of this run has given it.
        if message.retain && !is_own_topic {
            return None;
        }
        if message.topic == ACK {
            return Some(News::Ack(message.payload.to_vec()));
        }
        if !is_own_topic {
            return Some(News::Order(Order { topic: message.topic, payload: message.payload.to_vec() }));
        }
        let is_own = locked(&self.sent).has(&message.topic, &message.payload);
        let what = if message.retain { "the broker has kept a message" } else { "somebody else publishes" };
        (!is_own).then_some(News::Taken { topic: message.topic, what })
    }
}

/// Both ends of a connection that is being made.
pub(super) struct Started {
    pub client: Client,
    pub news: Receiver<News>,
    pub shared: Arc<Shared>,
    pub thread: JoinHandle<()>,
}

/// Why it was not started.
pub(super) enum Failure {
    /// Its login or certificates.
    Secrets(String),
    Thread(std::io::Error),
}

impl Failure {
    pub fn of(self, url: &str) -> LineError {
        match self {
            Self::Secrets(text) => LineError::Broker { url: url.to_owned(), text },
            Self::Thread(error) => LineError::Thread(error),
        }
    }
}

pub(super) fn start(address: Address, broker: Broker, announcement: String) -> Result<Started, Failure> {
    // Two containers may give their programs the same number.
    let random = std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), 0_u8);
    let client_id = format!("pollux-test-{}-{:08x}", std::process::id(), random as u32);
    let mut options = mqtt::publisher_options(&address, &broker, &client_id).map_err(Failure::Secrets)?;
    // A test that dies leaves no announcement behind.
    options.set_last_will(LastWill::new(announcement, "", QoS::AtLeastOnce, true));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Thread)?;
    let (client, connection) = Client::new(options, QUEUE);
    let mut events = connection.eventloop;
    events.set_network_options(mqtt::network());
    let (sender, news) = crossbeam_channel::bounded(MOST_NEWS);
    let shared = Arc::new(Shared::default());
    let of_thread = shared.clone();
    let run = move || {
        runtime.block_on(async {
            tokio::select! {
                () = keep(events, &sender, &of_thread) => {}
                () = closed(&of_thread) => {}
            }
        });
        of_thread.is_over.store(true, Ordering::Relaxed);
    };
    let thread = std::thread::Builder::new().name("controller".to_owned()).spawn(run).map_err(Failure::Thread)?;
    Ok(Started { client, news, shared, thread })
}

/// Ends a while after the goodbye, whatever the broker does.
async fn closed(shared: &Shared) {
    while !shared.is_closing() {
        tokio::time::sleep(LOOK).await;
    }
    tokio::time::sleep(GOODBYE).await;
}

async fn keep(mut events: EventLoop, news: &Sender<News>, shared: &Shared) {
    let give_up = Instant::now() + PATIENCE;
    let mut is_connected = false;
    loop {
        let found = match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                is_connected = true;
                Some(News::Connected)
            }
            Ok(Event::Incoming(Packet::SubAck(ack))) => {
                Some(News::Subscribed(ack.return_codes.iter().all(|code| *code != SubscribeReasonCode::Failure)))
            }
            Ok(Event::Incoming(Packet::Publish(message))) => shared.news_of(message),
            Ok(Event::Outgoing(Outgoing::Disconnect)) => {
                let goodbye = async { while events.poll().await.is_ok() {} };
                let _ = tokio::time::timeout(FAREWELL, goodbye).await;
                return;
            }
            Ok(_) => None,
            Err(error) => {
                let (text, may_pass) = mqtt::publisher_failure(&error);
                *locked(&shared.failure) = Some(text.clone());
                if is_connected || !may_pass || shared.is_closing() || Instant::now() >= give_up {
                    // Who reads the news may be gone.
                    let _ = news.try_send(News::Ended(text));
                    return;
                }
                tokio::time::sleep(AGAIN).await;
                None
            }
        };
        if let Some(found) = found
            && news.try_send(found).is_err()
        {
            let why = "messages come faster than the test can take them: does the controller publish in a loop?";
            *locked(&shared.failure) = Some(why.to_owned());
            return;
        }
    }
}
