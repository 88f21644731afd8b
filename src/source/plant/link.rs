//! The plant's connection to one broker. In: messages of the plant. Out: the same at the broker, commands of others; a
//! failure if somebody else publishes on its topics. Never waits: what cannot be sent at once is dropped and counted.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, LastWill, Packet, QoS, SubscribeFilter};
use tokio::time::Instant;

use super::{PlantError, Shared, control_topic};
use crate::plant::{Message, Plant};
use crate::scene::Broker;
use crate::source::mqtt::{self, Address, Backoff};
use crate::source::own::Own;

/// A connection that held this long has earned a quick second try.
const STABLE_AFTER: Duration = Duration::from_secs(5);
/// Messages that wait for the event loop at most.
const QUEUE: usize = 2048;
/// Requests that wait at most, that are taken in one wake, and the bytes of one.
const REQUESTS: usize = 256;
const REQUESTS_AT_ONCE: usize = 4;
const LONGEST_REQUEST: usize = 16 << 10;
/// Topics in one subscription.
const TOPICS_AT_ONCE: usize = 100;

/// The side of a connection that the plant sends through.
#[derive(Debug)]
pub(super) struct Link {
    /// The broker's name in the scene.
    pub(super) name: String,
    client: AsyncClient,
    shared: Arc<Shared>,
    is_connected: AtomicBool,
    /// A connection was made since the last announcement.
    greet: AtomicBool,
    is_closing: AtomicBool,
    /// Topics that it publishes to.
    topics: Mutex<Vec<String>>,
    /// Topics on which somebody else commands it.
    command_topics: Mutex<Vec<String>>,
    /// The topic on which others ask for something to be done to it.
    control_topic: Mutex<Option<String>>,
    requests: Mutex<VecDeque<Vec<u8>>>,
    /// Topic and payload, oldest first.
    commands: Mutex<VecDeque<(String, Vec<u8>)>>,
    sent: Mutex<Own>,
}

/// The side that keeps the connection.
pub(super) struct Connection {
    address: Address,
    broker: Broker,
    client_id: String,
    backoff: Backoff,
    events: EventLoop,
    announcement: String,
}

impl Link {
    pub(super) fn new(
        plant: &Plant,
        name: &str,
        broker: &Broker,
        client_id: String,
        is_controlled: bool,
        shared: Arc<Shared>,
    ) -> Result<(Arc<Self>, Connection), PlantError> {
        let address = Address::parse(&broker.url)?;
        // Of these only the channel is used: each attempt to connect has options of its own.
        let (client, mut events) =
            AsyncClient::new(rumqttc::MqttOptions::new(&client_id, &address.host, address.port), QUEUE);
        events.set_network_options(mqtt::network());
        let link = Self {
            name: name.to_owned(),
            client,
            shared,
            is_connected: AtomicBool::new(false),
            greet: AtomicBool::new(false),
            is_closing: AtomicBool::new(false),
            topics: Mutex::default(),
            command_topics: Mutex::default(),
            control_topic: Mutex::new(is_controlled.then(String::new)),
            requests: Mutex::default(),
            commands: Mutex::default(),
            sent: Mutex::default(),
        };
        link.know(plant);
        let backoff = Backoff::new(u64::from(std::process::id()));
        let announcement = plant.announcement_topic();
        let broker = broker.clone();
        Ok((Arc::new(link), Connection { address, broker, client_id, backoff, events, announcement }))
    }

    fn know(&self, plant: &Plant) {
        let owned = |topics: Vec<&str>| topics.into_iter().map(str::to_owned).collect();
        *self.topics.lock().unwrap_or_else(PoisonError::into_inner) = owned(plant.topics(&self.name));
        *self.command_topics.lock().unwrap_or_else(PoisonError::into_inner) = owned(plant.command_topics(&self.name));
        if let Some(topic) = &mut *self.control_topic.lock().unwrap_or_else(PoisonError::into_inner) {
            *topic = control_topic(&plant.announcement_topic());
        }
    }

    /// Hears the topics of a plant, and only those count from now on.
    pub(super) fn hear(&self, plant: &Plant) {
        self.know(plant);
        self.subscribe();
        self.greet.store(true, Ordering::Relaxed);
    }

    /// Whether a connection was made since this was asked last.
    pub(super) fn take_greeting(&self) -> bool {
        self.greet.swap(false, Ordering::Relaxed)
    }

    pub(super) fn send(&self, message: Message<'_>) {
        let qos = match message.qos {
            0 => QoS::AtMostOnce,
            1 => QoS::AtLeastOnce,
            _ => QoS::ExactlyOnce,
        };
        if self.is_connected.load(Ordering::Relaxed) {
            self.sent.lock().unwrap_or_else(PoisonError::into_inner).add(message.topic, message.payload);
        }
        let is_sent = self.is_connected.load(Ordering::Relaxed)
            && self.client.try_publish(message.topic, qos, message.retain, message.payload).is_ok();
        let status = &self.shared.status;
        let counter = if is_sent { &status.published } else { &status.dropped };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends the connection once all is sent.
    pub(super) fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
        let _ = self.client.try_disconnect();
    }

    fn subscribe(&self) {
        let subscribe = |topics: &[String], qos, what| {
            for some in topics.chunks(TOPICS_AT_ONCE) {
                let filters = some.iter().map(|topic| SubscribeFilter::new(topic.clone(), qos));
                if let Err(error) = self.client.try_subscribe_many(filters) {
                    tracing::warn!("plant: it will not {what}: {error}");
                }
            }
        };
        let locked = |topics: &Mutex<Vec<String>>| topics.lock().unwrap_or_else(PoisonError::into_inner).clone();
        subscribe(&locked(&self.topics), QoS::AtMostOnce, "notice who else publishes on its topics");
        subscribe(&locked(&self.command_topics), QoS::AtLeastOnce, "hear commands");
        let control = self.control_topic.lock().unwrap_or_else(PoisonError::into_inner).clone();
        subscribe(control.as_slice(), QoS::AtLeastOnce, "hear who wants to set faults in it");
    }

    /// Commands that came since this was asked last.
    pub(super) fn take_commands(&self) -> VecDeque<(String, Vec<u8>)> {
        std::mem::take(&mut *self.commands.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The oldest requests that wait, a few at a time: the plant goes on whatever is asked of it.
    pub(super) fn take_requests(&self) -> Vec<Vec<u8>> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let count = requests.len().min(REQUESTS_AT_ONCE);
        requests.drain(..count).collect()
    }

    /// Keeps a message if it came on the topic of control.
    fn request(&self, topic: &str, payload: &[u8]) {
        let control = self.control_topic.lock().unwrap_or_else(PoisonError::into_inner);
        if control.as_deref() == Some(topic) {
            let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
            match requests.len() < REQUESTS && payload.len() <= LONGEST_REQUEST {
                true => requests.push_back(payload.to_vec()),
                false => drop(self.shared.status.refused.fetch_add(1, Ordering::Relaxed)),
            }
        }
    }

    /// Keeps a message if it came on the topic of a command.
    fn command(&self, topic: &str, payload: &[u8]) {
        let topics = self.command_topics.lock().unwrap_or_else(PoisonError::into_inner);
        if topics.iter().any(|command| command == topic) {
            let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
            // Of a flood the newest count.
            if commands.len() >= QUEUE {
                commands.pop_front();
                self.shared.status.refused.fetch_add(1, Ordering::Relaxed);
            }
            commands.push_back((topic.to_owned(), payload.to_vec()));
        }
    }

    /// Somebody published on a topic of the plant.
    fn heard(&self, topic: &str, payload: &[u8], address: &Address) {
        let is_own = self.sent.lock().unwrap_or_else(PoisonError::into_inner).has(topic, payload);
        let counts = self.topics.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|own| own == topic);
        if !is_own && counts && !self.is_closing.load(Ordering::Relaxed) {
            self.shared.status.fail(format!(
                "somebody else publishes on {topic} at {address}: it stops, as nobody could tell the simulated from the \
                 real; stop the other one, or give another --broker"
            ));
        }
    }

    fn connected(&self, is_connected: bool) {
        let standing = &self.shared.status.standing;
        match (self.is_connected.swap(is_connected, Ordering::Relaxed), is_connected) {
            (false, true) => standing.fetch_add(1, Ordering::Relaxed),
            (true, false) => standing.fetch_sub(1, Ordering::Relaxed),
            _ => 0,
        };
    }
}

impl Connection {
    pub(super) fn host(&self) -> &str {
        &self.address.host
    }

    /// Whether the broker runs on this machine.
    pub(super) fn is_here(&self) -> bool {
        self.address.is_here()
    }

    /// Keeps the connection until it is closed; waits longer after each failure in a row, up to a limit.
    pub(super) async fn keep(mut self, link: Arc<Link>) {
        loop {
            let (text, passing) = self.connection(&link).await;
            link.connected(false);
            if link.is_closing.load(Ordering::Relaxed) {
                return;
            }
            let text = format!("{}: {text}", self.address);
            // Said once, not with each attempt.
            if link.shared.status.error().as_ref() != Some(&text) {
                tracing::warn!("plant: {text}; it tries again until the broker takes it");
            }
            link.shared.status.set_error(Some(text));
            let wait = if passing { self.backoff.wait() } else { self.backoff.longest() };
            let until = Instant::now() + wait;
            while Instant::now() < until && !link.is_closing.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// One connection from first to last: why it ended, and whether that may pass by itself.
    async fn connection(&mut self, link: &Link) -> (String, bool) {
        match mqtt::publisher_options(&self.address, &self.broker, &self.client_id) {
            Ok(mut options) => {
                // A plant that dies leaves no announcement behind.
                options.set_last_will(LastWill::new(&self.announcement, "", QoS::AtLeastOnce, true));
                self.events.mqtt_options = options;
            }
            Err(text) => return (text, false),
        }
        let mut since = None;
        loop {
            match self.events.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    since = Some(Instant::now());
                    link.shared.status.set_error(None);
                    link.shared.status.connections.fetch_add(1, Ordering::Relaxed);
                    link.subscribe();
                    link.connected(true);
                    link.greet.store(true, Ordering::Relaxed);
                }
                Ok(Event::Incoming(Packet::Publish(heard))) => {
                    link.command(&heard.topic, &heard.payload);
                    // What was retained before the plant came is nobody's word now.
                    if !heard.retain {
                        link.request(&heard.topic, &heard.payload);
                        link.heard(&heard.topic, &heard.payload, &self.address);
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    if since.is_some_and(|since| since.elapsed() >= STABLE_AFTER) {
                        self.backoff.reset();
                    }
                    return mqtt::publisher_failure(&error);
                }
            }
        }
    }
}
