//! Publishes a recording again, with its original timing, so that other programs can be tried with what really happened.
//!
//! In: messages in order of time, a broker, a prefix for their topics, so that nobody takes them for the plant. Out: the
//! same messages at the broker, counters. Never subscribes, never runs unless it was asked for by name: a replay in a
//! window owns no publisher.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use rumqttc::{AsyncClient, ClientError, Event, EventLoop, Outgoing, Packet, QoS};
use tokio::time::Instant;

use super::SourceError;
use super::mqtt::{self, Address, Backoff};
use crate::scene::Broker;
use crate::value::Timestamp;

/// The first level of all topics, unless somebody wants another or none.
pub const DEFAULT_PREFIX: &str = "replay";
/// A broker that does not answer for so long at the beginning is not there.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the last acknowledgements are waited for.
const FAREWELL: Duration = Duration::from_secs(5);
/// Messages on their way to the event loop.
const QUEUE: usize = 256;
/// Behind its time by more than this a message counts as late.
const LATE: Duration = Duration::from_millis(100);
/// The longest sleep between two looks at whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// One message of a recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parcel {
    /// When it was received.
    pub time: Timestamp,
    pub topic: String,
    pub payload: Bytes,
    /// 0, 1 or 2.
    pub qos: u8,
    /// The broker is to keep it.
    pub retained: bool,
}

#[derive(Clone, Debug)]
pub struct Republication {
    pub broker: Broker,
    /// The first levels of all topics; empty for the original ones.
    pub prefix: String,
    /// Recorded seconds a second.
    pub speed: f64,
}

/// What has been done so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RepublishProgress {
    pub published: u64,
    pub bytes: u64,
    /// Messages that left more than 100 ms after their time: the broker, or this machine, was too slow.
    pub late: u64,
    pub reconnects: u64,
    /// Of the last message.
    pub at: Option<Timestamp>,
}

#[derive(Debug, thiserror::Error)]
pub enum RepublishError {
    #[error("--to: {0}")]
    Address(#[from] SourceError),
    #[error(
        "prefix `{prefix}` must not begin or end with `/`, or hold `+`, `#` or `$`; write it like replay or test/hall1"
    )]
    Prefix { prefix: String },
    #[error("speed {speed} must be above 0 and at most 1000")]
    Speed { speed: f64 },
    #[error("{url}: {text}")]
    Broker { url: String, text: String },
    #[error("the publisher cannot run: {0}")]
    Thread(#[from] std::io::Error),
    #[error("{0}")]
    Recording(String),
}

/// Publishes until the messages end or `stop` says so. Holds up to a few hundred messages at a time. A connection that is
/// lost on the way is made again; what was due meanwhile leaves late, in order, and nothing is left out.
pub fn run<E: std::fmt::Display>(
    messages: impl Iterator<Item = Result<Parcel, E>>,
    what: &Republication,
    stop: &AtomicBool,
) -> Result<RepublishProgress, RepublishError> {
    let address = Address::parse(&what.broker.url)?;
    let prefix = what.prefix.as_str();
    if prefix.starts_with('/') || prefix.ends_with('/') || prefix.contains(['+', '#', '$', '\0']) {
        return Err(RepublishError::Prefix { prefix: what.prefix.clone() });
    }
    if !(what.speed > 0.0 && what.speed <= 1000.0) {
        return Err(RepublishError::Speed { speed: what.speed });
    }
    let client_id = format!("pollux-replay-{}", std::process::id());
    let options = mqtt::publisher_options(&address, &what.broker, &client_id)
        .map_err(|text| RepublishError::Broker { url: address.to_string(), text })?;
    let (client, mut events) = AsyncClient::new(options, QUEUE);
    events.set_network_options(mqtt::network());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let publisher = Publisher {
        address,
        what,
        client_id,
        stop,
        client,
        progress: Cell::default(),
        unanswered: Cell::new(0),
        is_connected: Cell::new(false),
        failure: RefCell::default(),
    };
    runtime.block_on(publisher.run(messages, &mut events))
}

struct Publisher<'a> {
    address: Address,
    what: &'a Republication,
    client_id: String,
    stop: &'a AtomicBool,
    client: AsyncClient,
    progress: Cell<RepublishProgress>,
    /// Messages that the broker has not acknowledged, or that have not left yet.
    unanswered: Cell<i64>,
    is_connected: Cell<bool>,
    /// Why the last attempt to connect failed.
    failure: RefCell<Option<String>>,
}

impl Publisher<'_> {
    async fn run<E: std::fmt::Display>(
        &self,
        messages: impl Iterator<Item = Result<Parcel, E>>,
        events: &mut EventLoop,
    ) -> Result<RepublishProgress, RepublishError> {
        // Two futures of one thread: one keeps the connection, the other the pace.
        let outcome = tokio::select! {
            never = self.connect(events) => match never {},
            outcome = self.publish(messages) => outcome,
        };
        if self.client.try_disconnect().is_ok() {
            let farewell = async { while events.poll().await.is_ok() {} };
            let _ = tokio::time::timeout(Duration::from_millis(200), farewell).await;
        }
        outcome.map(|()| self.progress.get())
    }

    async fn connect(&self, events: &mut EventLoop) -> std::convert::Infallible {
        let mut backoff = Backoff::new(u64::from(std::process::id()));
        let mut connections = 0_u64;
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    self.is_connected.set(true);
                    self.failure.replace(None);
                    connections += 1;
                    self.count(|progress| progress.reconnects = connections - 1);
                    backoff.reset();
                }
                Ok(Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_))) => self.answered(),
                // At QoS 0 nothing is answered: what has left is done.
                Ok(Event::Outgoing(Outgoing::Publish(0))) => self.answered(),
                Ok(_) => {}
                Err(error) => {
                    self.is_connected.set(false);
                    let (text, _) = mqtt::publisher_failure(&error);
                    tracing::debug!("{}: {text}", self.address);
                    self.failure.replace(Some(text));
                    tokio::time::sleep(backoff.wait()).await;
                    // Credentials may have changed.
                    if let Ok(options) = mqtt::publisher_options(&self.address, &self.what.broker, &self.client_id) {
                        events.mqtt_options = options;
                    }
                }
            }
        }
    }

    fn answered(&self) {
        self.unanswered.set(self.unanswered.get() - 1);
    }

    fn count(&self, change: impl FnOnce(&mut RepublishProgress)) {
        let mut progress = self.progress.get();
        change(&mut progress);
        self.progress.set(progress);
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    async fn publish<E: std::fmt::Display>(
        &self,
        messages: impl Iterator<Item = Result<Parcel, E>>,
    ) -> Result<(), RepublishError> {
        let broker = |text: String| RepublishError::Broker { url: self.address.to_string(), text };
        let given_up = Instant::now() + PATIENCE;
        while !self.is_connected.get() {
            if self.is_over() {
                return Ok(());
            }
            if Instant::now() >= given_up {
                let why = self.failure.borrow().clone();
                return Err(broker(why.unwrap_or_else(|| "no answer; is the broker running?".to_owned())));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut begun: Option<(Timestamp, Instant)> = None;
        for parcel in messages {
            let parcel = parcel.map_err(|error| RepublishError::Recording(error.to_string()))?;
            let (first, started) = *begun.get_or_insert((parcel.time, Instant::now()));
            let due = started + Duration::from_secs_f64(parcel.time.secs_since(first).max(0.0) / self.what.speed);
            while Instant::now() < due && !self.is_over() {
                tokio::time::sleep_until(due.min(Instant::now() + LOOK)).await;
            }
            if self.is_over() {
                break;
            }
            let (time, bytes) = (parcel.time, parcel.payload.len() as u64);
            self.send(parcel).await.map_err(|error| broker(error.to_string()))?;
            let is_late = due.elapsed() > LATE;
            self.count(|progress| {
                progress.published += 1;
                progress.bytes += bytes;
                progress.late += u64::from(is_late);
                progress.at = Some(time);
            });
        }
        let end = Instant::now() + FAREWELL;
        while self.unanswered.get() > 0 && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    async fn send(&self, parcel: Parcel) -> Result<(), ClientError> {
        let qos = match parcel.qos {
            0 => QoS::AtMostOnce,
            1 => QoS::AtLeastOnce,
            _ => QoS::ExactlyOnce,
        };
        let topic = match self.what.prefix.as_str() {
            "" => parcel.topic,
            prefix => format!("{prefix}/{}", parcel.topic),
        };
        self.unanswered.set(self.unanswered.get() + 1);
        self.client.publish_bytes(topic, qos, parcel.retained, parcel.payload).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::broker::{Embedded, EmbeddedConfig};

    fn parcels(count: u32, apart_ms: i64) -> Vec<Result<Parcel, String>> {
        let parcel = |n: u32| Parcel {
            time: Timestamp(1_700_000_000_000_000_000 + i64::from(n) * apart_ms * 1_000_000),
            topic: "hall/P-1".to_owned(),
            payload: Bytes::from(n.to_string()),
            qos: (n % 3) as u8,
            retained: false,
        };
        (0..count).map(|n| Ok(parcel(n))).collect()
    }

    fn to(url: &str, speed: f64) -> Republication {
        Republication { broker: Broker::at(url), prefix: DEFAULT_PREFIX.to_owned(), speed }
    }

    /// A subscriber that nobody here wrote the protocol of, in a thread: (topic, payload, when).
    fn subscriber(
        url: &str,
        filter: &str,
    ) -> (std::sync::mpsc::Receiver<(String, String, Instant)>, impl FnOnce() + use<>) {
        let address = Address::parse(url).unwrap_or_else(|error| panic!("{error}"));
        let (ready, is_ready) = std::sync::mpsc::channel();
        let (sender, receiver) = std::sync::mpsc::channel();
        let filter = filter.to_owned();
        std::thread::spawn(move || {
            let options = rumqttc::MqttOptions::new("listener", &address.host, address.port);
            let (client, mut connection) = rumqttc::Client::new(options, 10);
            let _ = client.subscribe(filter, QoS::ExactlyOnce);
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::SubAck(_))) => {
                        let _ = ready.send(());
                    }
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        let payload = String::from_utf8_lossy(&publish.payload).into_owned();
                        if sender.send((publish.topic, payload, Instant::now())).is_err() {
                            return;
                        }
                    }
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        });
        (receiver, move || is_ready.recv_timeout(Duration::from_secs(10)).unwrap_or_default())
    }

    #[test]
    fn messages_come_with_their_prefix_in_order_and_with_the_original_pauses() {
        let broker = Embedded::start(EmbeddedConfig::default()).unwrap_or_else(|error| panic!("{error}"));
        let (received, wait) = subscriber(&broker.url(), "#");
        wait();
        let begun = Instant::now();
        let progress = run(parcels(21, 100).into_iter(), &to(&broker.url(), 4.0), &AtomicBool::new(false));
        let progress = progress.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((progress.published, progress.reconnects), (21, 0));
        let got: Vec<_> = (0..21).map_while(|_| received.recv_timeout(Duration::from_secs(5)).ok()).collect();
        assert!(got.iter().all(|(topic, ..)| topic == "replay/hall/P-1"));
        let mut numbers: Vec<u32> = got.iter().filter_map(|(_, payload, _)| payload.parse().ok()).collect();
        // QoS 2 takes two round trips: order holds within a QoS.
        numbers.sort_unstable();
        assert_eq!(numbers, (0..21).collect::<Vec<_>>());
        // 2 s of recording at four times its speed.
        assert!(begun.elapsed() >= Duration::from_millis(500), "{:?}", begun.elapsed());
    }

    #[test]
    fn it_stops_when_told_to() {
        let broker = Embedded::start(EmbeddedConfig::default()).unwrap_or_else(|error| panic!("{error}"));
        let stop = AtomicBool::new(false);
        let progress = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(300));
                stop.store(true, Ordering::Relaxed);
            });
            run(parcels(1000, 60_000).into_iter(), &to(&broker.url(), 1.0), &stop)
        });
        assert_eq!(progress.map(|progress| progress.published).ok(), Some(1));
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let refusal = |prefix: &str, url: &str, speed| {
            let what = Republication { prefix: prefix.to_owned(), ..to(url, speed) };
            run(parcels(1, 1).into_iter(), &what, &AtomicBool::new(false)).err().map(|error| error.to_string())
        };
        for prefix in ["/a", "a/", "a/#", "$SYS"] {
            assert!(refusal(prefix, "mqtt://127.0.0.1:1", 1.0).is_some_and(|text| text.contains(prefix)), "{prefix}");
        }
        assert!(refusal("a", "mqtt://127.0.0.1:1", 0.0).is_some_and(|text| text.contains("speed 0")));
        assert!(refusal("a", "http://x", 1.0).is_some_and(|text| text.contains("mqtt")));
    }
}
