//! Joins the simulated plant of a test to a controller under test, over a broker.
//!
//! In: messages of the plant, ticks. Out: the same at the broker; what the controller commands and acknowledges; why it
//! cannot go on. Knows neither plant nor scenario, and decides nothing about them.
//!
//! ```text
//! test ─publish, tick─► Line ─requests─► thread "controller": one connection ─► broker ─► controller under test
//!      ◄─ orders, acks ─────── news ◄──────────┘                                 ◄─ commands, ack ─┘
//! ```
//!
//! Tests own no publisher. This is the one exception: only `pollux test --against` makes a line, and a scenario sees no more
//! of it than the trait that it gives for it. Before anything is said on a topic, the line hears for a while whether somebody
//! else speaks there, or a broker has kept something: then it says nothing, as it may be a real plant. It hears its topics
//! for as long as it lives.
//!
//! The test may wait for the broker, never the other way round: the thread hands on what comes, and what is sent waits in a
//! queue. A connection that is lost is not made again: messages would be missing, and the test would prove nothing.

mod thread;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use rumqttc::{Client, QoS, SubscribeFilter};
use serde_json::json;

use super::SourceError;
use super::mqtt::Address;
use crate::plant::Message;
use crate::scene::Broker;
use crate::value::Timestamp;
use thread::{News, Shared};

/// Where the plant says that all of a step is said: `{"n": 12, "time": "2000-01-01T00:00:11Z", "secs": 11.0}`.
pub const TICK: &str = "pollux/lockstep/tick";
/// Where the controller says that it has commanded all that it wants: `{"n": 12}`.
pub const ACK: &str = "pollux/lockstep/ack";

/// How long it hears whether somebody else speaks on its topics, before it does.
const LISTENING: Duration = Duration::from_secs(2);
/// How long a broker may take to accept it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a controller that has not answered yet is greeted.
const GREETING: Duration = Duration::from_millis(500);
/// The longest wait between two looks at whether to stop.
const LOOK: Duration = Duration::from_millis(100);
/// Between two looks at a full queue.
const FULL: Duration = Duration::from_millis(1);
/// Topics in one subscription.
const TOPICS_AT_ONCE: usize = 100;

#[derive(Clone, Debug)]
pub struct LineConfig {
    pub broker: Broker,
    /// Retained there while the plant speaks; the broker empties it if this program dies.
    pub announcement: String,
    /// Whether the broker may be on another machine.
    pub allow_remote: bool,
    /// Whether others may speak on the topics of the plant.
    pub allow_shared: bool,
    /// Set to end whatever it waits for.
    pub stop: Arc<AtomicBool>,
}

#[derive(Debug, thiserror::Error)]
pub enum LineError {
    #[error("--against: {0}; write mqtt://host:port, or mqtts://host:port for TLS")]
    Address(#[from] SourceError),
    #[error(
        "--against: {host} is another machine: who listens there may take a simulated plant for a real one; add \
         --allow-remote if that is what you want"
    )]
    Remote { host: String },
    #[error("--against {url}: {text}")]
    Broker { url: String, text: String },
    #[error(
        "--against {url}: {what} on {topic}, where the simulated plant would speak: a real plant may be there, or a test \
         that was killed has left it; give another broker, or add --allow-shared if nobody minds"
    )]
    Taken { url: String, topic: String, what: &'static str },
    #[error("--against: its thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
    #[error("it was interrupted")]
    Interrupted,
    /// The fault of the controller under test.
    #[error("{0}")]
    Controller(String),
}

/// A message of the controller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    pub topic: String,
    pub payload: Vec<u8>,
}

/// A connection to the broker of a controller under test. Dropping it ends the connection once all is sent.
pub struct Line {
    url: String,
    client: Client,
    news: Receiver<News>,
    shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
    allow_shared: bool,
    /// Topics that are heard.
    topics: BTreeSet<String>,
    thread: Option<JoinHandle<()>>,
}

impl Line {
    /// Connects; a broker that is about to start is waited for.
    ///
    /// # Errors
    /// Where the address cannot be understood, is on another machine and may not be, or nothing accepts it there.
    pub fn open(config: LineConfig) -> Result<Self, LineError> {
        let address = Address::parse(&config.broker.url)?;
        if !config.allow_remote && !address.is_here() {
            return Err(LineError::Remote { host: address.host });
        }
        let url = address.to_string();
        let started = thread::start(address, config.broker, config.announcement).map_err(|failure| failure.of(&url))?;
        let thread::Started { client, news, shared, thread } = started;
        let (stop, allow_shared, topics) = (config.stop, config.allow_shared, BTreeSet::new());
        let line = Self { url, client, news, shared, stop, allow_shared, topics, thread: Some(thread) };
        let give_up = Instant::now() + PATIENCE;
        while let Some(news) = line.wait(give_up)? {
            if matches!(news, News::Connected) {
                return Ok(line);
            }
        }
        let last = line.shared.last_failure();
        Err(line.broker(last.unwrap_or_else(|| "it does not answer: is that an MQTT broker?".to_owned())))
    }

    /// Makes ready for a plant that speaks on some topics and is commanded on others. What was heard before is forgotten.
    ///
    /// # Errors
    /// Where somebody else speaks on its topics already, or the broker does not let it hear them.
    pub fn begin(&mut self, own: Vec<String>, commands: Vec<String>) -> Result<(), LineError> {
        while self.news.try_recv().is_ok() {}
        let is_new = |topic: &String| !self.topics.contains(topic);
        let own = own.into_iter().chain([TICK.to_owned()]).filter(|topic| !self.allow_shared && is_new(topic));
        let own: BTreeSet<String> = own.collect();
        let commands: BTreeSet<String> = commands.into_iter().chain([ACK.to_owned()]).filter(is_new).collect();
        self.shared.add_own(&own);
        let mut asked = 0;
        for (topics, qos) in [(&own, QoS::AtMostOnce), (&commands, QoS::AtLeastOnce)] {
            for some in topics.iter().collect::<Vec<_>>().chunks(TOPICS_AT_ONCE) {
                let filters = some.iter().map(|topic| SubscribeFilter::new((*topic).clone(), qos));
                self.client.subscribe_many(filters).map_err(|error| self.broker(error.to_string()))?;
                asked += 1;
            }
        }
        let give_up = Instant::now() + PATIENCE;
        while asked > 0 {
            match self.wait(give_up)? {
                Some(News::Subscribed(true)) => asked -= 1,
                Some(News::Subscribed(false)) => {
                    let text = "the broker does not let it hear the topics of the plant: check what it allows";
                    return Err(self.broker(text.to_owned()));
                }
                Some(_) => {}
                None => return Err(self.broker("it does not answer to a subscription".to_owned())),
            }
        }
        let until = Instant::now() + if own.is_empty() { Duration::ZERO } else { LISTENING };
        self.topics.extend(own.into_iter().chain(commands));
        while self.wait(until)?.is_some() {}
        Ok(())
    }

    /// Sends a message of the plant; waits for a broker that takes some time. What goes wrong is told when the controller is
    /// waited for.
    pub fn publish(&self, message: &Message<'_>) {
        let qos = match message.qos {
            0 => QoS::AtMostOnce,
            1 => QoS::AtLeastOnce,
            _ => QoS::ExactlyOnce,
        };
        self.shared.remember(message.topic, message.payload);
        let give_up = Instant::now() + PATIENCE;
        // Fails while the queue is full, and once the connection has ended, which has said why.
        while self.client.try_publish(message.topic, qos, message.retain, message.payload).is_err() {
            if !self.shared.is_open() || self.stop.load(Ordering::Relaxed) {
                return;
            }
            if Instant::now() >= give_up {
                self.shared.end("the broker does not take messages any more");
                return;
            }
            std::thread::sleep(FULL);
        }
    }

    /// Tells the controller that a run begins, until it acknowledges 0. What it has said before is forgotten.
    ///
    /// # Errors
    /// Where it does not within a time, or the connection ends.
    pub fn greet(&mut self, start: Timestamp, patience: Duration) -> Result<(), LineError> {
        let give_up = Instant::now() + patience;
        while Instant::now() < give_up {
            self.send_tick(0, start, 0);
            let again = give_up.min(Instant::now() + GREETING);
            while let Some(news) = self.wait(again)? {
                // An acknowledgement of another run may come late.
                if matches!(news, News::Ack(payload) if number(&payload) == Some(0)) {
                    return Ok(());
                }
            }
        }
        let text = format!(
            "no controller has acknowledged 0 on {ACK} within {patience:?}: is it running, connected to this broker and \
             subscribed to {TICK}?"
        );
        Err(self.broker(text))
    }

    /// Tells the controller that all of a step is said, and waits for what it commands.
    ///
    /// # Errors
    /// Where it does not acknowledge in time, or acknowledges what was not said, or the connection ends.
    pub fn tick(
        &mut self,
        n: u64,
        moment: Timestamp,
        since_start: u64,
        patience: Duration,
    ) -> Result<Vec<Order>, LineError> {
        self.send_tick(n, moment, since_start);
        let give_up = Instant::now() + patience;
        let mut orders = Vec::new();
        while let Some(news) = self.wait(give_up)? {
            match news {
                News::Order(order) => orders.push(order),
                News::Ack(payload) => match number(&payload) {
                    Some(acknowledged) if acknowledged == n => return Ok(orders),
                    // A greeting may have been answered twice.
                    Some(acknowledged) if acknowledged < n => {}
                    Some(more) => {
                        let why = format!("the controller acknowledged {more} on {ACK}, and {n} was the last tick");
                        return Err(LineError::Controller(why));
                    }
                    None => {
                        let payload = String::from_utf8_lossy(&payload);
                        let why = format!("{payload:?} on {ACK} is no acknowledgement: write {{\"n\": {n}}}");
                        return Err(LineError::Controller(why));
                    }
                },
                News::Connected | News::Subscribed(_) | News::Taken { .. } | News::Ended(_) => {}
            }
        }
        let why = format!("the controller did not acknowledge tick {n} on {ACK} within {patience:?}");
        Err(LineError::Controller(why))
    }

    /// What the controller commands until a moment, which is waited for.
    ///
    /// # Errors
    /// Where the connection ends.
    pub fn until(&mut self, due: Instant) -> Result<Vec<Order>, LineError> {
        let mut orders = Vec::new();
        while let Some(news) = self.wait(due)? {
            if let News::Order(order) = news {
                orders.push(order);
            }
        }
        Ok(orders)
    }

    fn send_tick(&self, n: u64, moment: Timestamp, since_start: u64) {
        let said = json!({"n": n, "time": moment.to_string(), "secs": since_start as f64 / 1e9});
        let payload = said.to_string().into_bytes();
        let (topic, payload) = (TICK, payload.as_slice());
        self.publish(&Message {
            samples: None,
            broker: "",
            topic,
            payload,
            retain: false,
            from_store: false,
            qos: 1,
            time: since_start,
        });
    }

    /// The next news; none until a moment. What has come already is given even after that.
    fn wait(&self, until: Instant) -> Result<Option<News>, LineError> {
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(LineError::Interrupted);
            }
            if let Some(why) = self.shared.ended() {
                return Err(self.broker(why));
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.news.recv_timeout(left.min(LOOK)) {
                Ok(News::Ended(text)) => return Err(self.broker(text)),
                Ok(News::Taken { topic, what }) => {
                    return Err(LineError::Taken { url: self.url.clone(), topic, what });
                }
                Ok(news) => return Ok(Some(news)),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let last = self.shared.last_failure();
                    return Err(self.broker(last.unwrap_or_else(|| "the connection has ended".to_owned())));
                }
            }
        }
    }

    fn broker(&self, text: String) -> LineError {
        LineError::Broker { url: self.url.clone(), text }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Fails where the connection has ended already, and where the queue is full.
        let _ = self.client.try_disconnect();
        self.shared.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the controller under test panicked");
        }
    }
}

/// What an acknowledgement counts.
fn number(payload: &[u8]) -> Option<u64> {
    serde_json::from_slice::<serde_json::Value>(payload).ok()?.get("n")?.as_u64()
}

#[cfg(test)]
mod tests;
