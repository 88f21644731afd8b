//! The simulated Castor: runs a plant's models in real time and publishes over real MQTT, in a thread of its own.
//!
//! In: the name of a plant, a seed, a broker of the scene, the source time of its start. Out: messages at the broker,
//! counters. It logs in as the listener does: by the same credentials, found anew for each attempt.
//! Never blocks on the broker: what cannot be sent is dropped and counted while the simulation goes on. Never
//! subscribes, and shares nothing with the listener but the broker.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, Packet, QoS};
use tokio::time::Instant;

use crate::model::{self, Message, Plant};
use crate::scene::Broker;
use crate::source::SourceError;
use crate::source::mqtt::{self, Address, Backoff};
use crate::value::Timestamp;

/// How often the simulation catches up with the clock.
const WAKE: Duration = Duration::from_millis(20);
/// Simulated time that may be caught up at once, in wakes: after a longer pause (a suspended computer) it goes on
/// from where it was instead of sending everything that was missed.
const CATCH_UP: u32 = 50;
/// A connection that held this long has earned a quick second try.
const STABLE_AFTER: Duration = Duration::from_secs(5);
/// Messages that wait for the event loop at most.
const QUEUE: usize = 2048;

/// The first part of all topics of a plant that nobody has named otherwise; the demo scene listens to it.
pub const DEFAULT_PREFIX: &str = "line1";

#[derive(Clone, Debug)]
pub struct PlantConfig {
    /// A name that [`model::plants`] knows: `bottling`.
    pub plant: String,
    /// Where it publishes, and how it logs in there.
    pub broker: Broker,
    pub seed: u64,
    /// Simulated seconds per second.
    pub speed: f64,
    /// First level of all topics: `line1`.
    pub prefix: String,
    /// Source time of the plant's start.
    pub start: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum PlantError {
    #[error("plant `{name}` is not known; known plants: {known}")]
    Unknown { name: String, known: String },
    #[error("plant: {0}; write mqtt://host:port, or mqtts://host:port for TLS")]
    Address(#[from] SourceError),
    #[error("plant: topic prefix `{prefix}` must not be empty, begin or end with `/`, or hold `+` or `#`")]
    Prefix { prefix: String },
    #[error("plant: speed {speed} must be above 0 and at most 100")]
    Speed { speed: f64 },
    #[error("plant: cannot start its thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// What the plant counts about itself.
#[derive(Debug, Default)]
pub struct PlantStatus {
    connected: AtomicBool,
    published: AtomicU64,
    dropped: AtomicU64,
    connections: AtomicU64,
    error: Mutex<Option<String>>,
}

impl PlantStatus {
    pub fn connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    /// Messages handed to the connection.
    pub fn published(&self) -> u64 {
        self.published.load(Ordering::Relaxed)
    }

    /// Messages that were due while there was no connection, or while the connection was too slow.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// How many times a broker accepted the plant.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Why the connection was lost or refused last; none while connected.
    pub fn error(&self) -> Option<String> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_error(&self, error: Option<String>) {
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }
}

/// A running plant. Dropping it stops and joins its thread.
#[derive(Debug)]
pub struct PlantHandle {
    stop: Arc<AtomicBool>,
    status: Arc<PlantStatus>,
    thread: Option<JoinHandle<()>>,
}

impl PlantHandle {
    pub fn status(&self) -> &PlantStatus {
        &self.status
    }
}

impl Drop for PlantHandle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the plant's thread panicked");
        }
    }
}

/// Starts the plant's thread. A broker that is not there yet is no error: it is tried again until the plant stops.
pub fn spawn(config: PlantConfig) -> Result<PlantHandle, PlantError> {
    let address = Address::parse(&config.broker.url)?;
    let prefix = config.prefix.as_str();
    if prefix.is_empty() || prefix.starts_with('/') || prefix.ends_with('/') || prefix.contains(['+', '#', '\0']) {
        return Err(PlantError::Prefix { prefix: config.prefix });
    }
    if !(config.speed > 0.0 && config.speed <= 100.0) {
        return Err(PlantError::Speed { speed: config.speed });
    }
    let Some(plant) = model::plant(&config.plant, prefix, config.seed) else {
        let known = model::plants().iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        return Err(PlantError::Unknown { name: config.plant, known });
    };
    let client_id = format!("pollux-plant-{}-{}", std::process::id(), config.seed);
    // Of these only the channel is used: each attempt to connect has options of its own.
    let (client, mut events) =
        AsyncClient::new(rumqttc::MqttOptions::new(&client_id, &address.host, address.port), QUEUE);
    events.set_network_options(mqtt::network());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stop = Arc::new(AtomicBool::new(false));
    let status = Arc::new(PlantStatus::default());
    let door = Door { address, broker: config.broker, client_id, backoff: Backoff::new(config.seed) };
    let publisher = Publisher { client, status: status.clone(), greet: Cell::new(false), stop: stop.clone() };
    let thread = std::thread::Builder::new()
        .name(format!("plant {}", config.plant))
        .spawn(move || runtime.block_on(publisher.run(plant, events, door, config.start, config.speed)))?;
    Ok(PlantHandle { stop, status, thread: Some(thread) })
}

/// How to get in.
struct Door {
    address: Address,
    broker: Broker,
    client_id: String,
    backoff: Backoff,
}

struct Publisher {
    client: AsyncClient,
    status: Arc<PlantStatus>,
    /// A connection was made since the last announcement.
    greet: Cell<bool>,
    stop: Arc<AtomicBool>,
}

impl Publisher {
    async fn run(self, mut plant: Box<dyn Plant>, mut events: EventLoop, mut door: Door, start: Timestamp, speed: f64) {
        // Two futures of one thread; neither is cancelled half-way while the plant runs.
        tokio::select! {
            () = self.connect(&mut events, &mut door) => {}
            () = self.pace(plant.as_mut(), start, speed) => {}
        }
        self.status.connected.store(false, Ordering::Relaxed);
        if self.client.try_disconnect().is_ok() {
            // Says good-bye, if the broker still listens.
            let farewell = async { while events.poll().await.is_ok() {} };
            let _ = tokio::time::timeout(Duration::from_millis(200), farewell).await;
        }
    }

    /// Keeps the connection, for ever; waits longer after each failure in a row, up to a limit.
    async fn connect(&self, events: &mut EventLoop, door: &mut Door) {
        loop {
            let (text, passing) = self.connection(events, door).await;
            self.status.connected.store(false, Ordering::Relaxed);
            let text = format!("{}: {text}", door.address);
            // Said once, not with each attempt.
            if self.status.error().as_ref() != Some(&text) {
                tracing::warn!("plant: {text}; it tries again until the broker takes it");
            }
            self.status.set_error(Some(text));
            let wait = if passing { door.backoff.wait() } else { door.backoff.longest() };
            tokio::time::sleep(wait).await;
        }
    }

    /// One connection from first to last: why it ended, and whether that may pass by itself.
    async fn connection(&self, events: &mut EventLoop, door: &mut Door) -> (String, bool) {
        match mqtt::publisher_options(&door.address, &door.broker, &door.client_id) {
            Ok(options) => events.mqtt_options = options,
            Err(text) => return (text, false),
        }
        let mut since = None;
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    since = Some(Instant::now());
                    self.status.set_error(None);
                    self.status.connections.fetch_add(1, Ordering::Relaxed);
                    self.greet.set(true);
                    self.status.connected.store(true, Ordering::Relaxed);
                }
                Ok(_) => {}
                Err(error) => {
                    if since.is_some_and(|since| since.elapsed() >= STABLE_AFTER) {
                        door.backoff.reset();
                    }
                    return mqtt::publisher_failure(&error);
                }
            }
        }
    }

    /// Steps the plant along with the clock, `speed` times as fast, until it is told to stop.
    async fn pace(&self, plant: &mut dyn Plant, mut start: Timestamp, speed: f64) {
        let tick = plant.tick().as_secs_f64();
        let mut last = Instant::now();
        // Simulated seconds that are due but not yet stepped.
        let mut owed = 0.0;
        while !self.stop.load(Ordering::Relaxed) {
            tokio::time::sleep(WAKE).await;
            let now = Instant::now();
            let slept = now - last;
            let passed = slept.min(WAKE * CATCH_UP);
            last = now;
            owed += passed.as_secs_f64() * speed;
            // Lost time that is not made up for moves the plant in time, so that its clock stays right.
            start = start + (slept - passed).mul_f64(speed);
            if self.greet.replace(false) {
                plant.announce(start, &mut |message| self.send(message));
            }
            while owed >= tick {
                owed -= tick;
                plant.step();
                plant.publish(start, &mut |message| self.send(message));
                // Lets the connection write between bursts when the simulation runs fast.
                if speed > 1.0 {
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    fn send(&self, message: Message<'_>) {
        let qos = match message.qos {
            0 => QoS::AtMostOnce,
            1 => QoS::AtLeastOnce,
            _ => QoS::ExactlyOnce,
        };
        let sent = self.status.connected()
            && self.client.try_publish(message.topic, qos, message.retain, message.payload).is_ok();
        let counter = if sent { &self.status.published } else { &self.status.dropped };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> PlantConfig {
        PlantConfig {
            plant: "bottling".into(),
            broker: Broker::at(url),
            seed: 1,
            speed: 1.0,
            prefix: "line1".into(),
            start: Timestamp(0),
        }
    }

    fn refusal(config: PlantConfig) -> String {
        spawn(config).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_way_out() {
        let url = "plant: broker address `http://x`: the scheme `http` is not `mqtt` or `mqtts`; write mqtt://host:port, \
                   or mqtts://host:port for TLS";
        assert_eq!(refusal(config("http://x")), url);
        let unknown = PlantConfig { plant: "brewery".into(), ..config("mqtt://127.0.0.1") };
        assert_eq!(refusal(unknown), "plant `brewery` is not known; known plants: bottling");
        for (prefix, speed) in [("", 1.0), ("a/#", 1.0), ("/a", 1.0), ("a", 0.0), ("a", f64::NAN)] {
            let bad = PlantConfig { prefix: prefix.into(), speed, ..config("mqtt://127.0.0.1") };
            assert!(spawn(bad).is_err(), "{prefix} {speed}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_never_repeated() {
        let message = refusal(config("mqtt://user:secret@127.0.0.1"));
        assert!(message.contains("credentials") && !message.contains("secret"), "{message}");
    }

    #[test]
    fn without_a_broker_it_counts_drops_says_why_and_stops_at_once() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).map(|a| a.port());
        let port = listener.unwrap_or(1);
        let Ok(plant) = spawn(config(&format!("mqtt://127.0.0.1:{port}"))) else { panic!("it must start") };
        let begin = std::time::Instant::now();
        while (plant.status().dropped() == 0 || plant.status().error().is_none()) && begin.elapsed().as_secs() < 10 {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(plant.status().dropped() > 0 && plant.status().published() == 0);
        assert!(plant.status().error().is_some() && !plant.status().connected());
        let begin = std::time::Instant::now();
        drop(plant);
        assert!(begin.elapsed() < Duration::from_secs(2));
    }
}
