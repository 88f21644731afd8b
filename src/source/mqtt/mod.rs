//! The listener of one broker: a named thread with its own event loop.
//!
//! In: a broker of the scene, a shared binding table. Out: batches in an [`Inbox`], counters in a [`SourceStatus`], raw
//! messages to a tap. Connects for as long as the handle lives, with backoff; publishes nothing but commands, and those
//! only where it was started with a [`Leave`]; never waits for the world, never knows the ECS.

mod backoff;
mod failure;
mod link;
mod listener;
mod options;
mod publisher;
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::{Clock, Inbox, SourceStatus, Waker, mailbox};
use crate::ingest::{Message, SharedTable};
use crate::instruction::Leave;
use crate::scene::Broker;
use crate::value::Timestamp;
use listener::Listener;
use options::Secrets;

pub(super) use backoff::Backoff;
pub(super) use link::network;
pub(super) use options::Address;
pub use publisher::{News, Publisher};

/// What a publisher connects with, read anew for each attempt: the same address, login and trust as a listener's.
/// Always MQTT 3.1.1. The error is a sentence with a way out.
pub(super) fn publisher_options(
    address: &Address,
    broker: &Broker,
    client_id: &str,
) -> Result<rumqttc::MqttOptions, String> {
    let mut options = link::options_v3(address, broker, client_id, Secrets::read(address, broker)?);
    // The scene limits received packets; the broker judges sent ones.
    options.set_max_packet_size(broker.max_packet, LARGEST_SENT);
    Ok(options)
}

/// The address of a broker as people compare it: with its port, without user and password.
pub fn address_of(url: &str) -> String {
    Address::parse(url).map_or_else(|_| crate::scene::without_userinfo(url), |address| address.to_string())
}

/// What ended a publisher's connection, and whether a quick second try makes sense.
pub(super) fn publisher_failure(error: &rumqttc::ConnectionError) -> (String, bool) {
    let failure = failure::from_v3(error);
    (failure.text, failure.kind != failure::Kind::Standing)
}

/// Sees every message after it was decoded, with the source time of its first sample, on the listener's thread: must
/// not block.
pub type RawTap = Box<dyn FnMut(&Message, Option<Timestamp>) + Send>;

/// Largest packet that a publisher sends, in bytes.
const LARGEST_SENT: usize = 16 << 20;
/// How long dropping a handle waits for its thread.
const JOIN_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("broker address `{url}`: {reason}")]
    BadUrl { url: String, reason: String },
    #[error("the thread `{name}` cannot be started: {cause}")]
    Thread { name: String, cause: std::io::Error },
}

/// A running source. Dropping it stops the thread and waits for it, a second at most.
pub struct SourceHandle {
    pub name: String,
    pub status: Arc<SourceStatus>,
    pub receiver: Arc<Inbox>,
    publisher: Option<Publisher>,
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Stop {
    wanted: AtomicBool,
    changed: Notify,
}

impl Stop {
    fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }

    fn want(&self) {
        self.wanted.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    async fn wanted(&self) {
        while !self.is_wanted() {
            self.changed.notified().await;
        }
    }
}

/// Starts the listener of `broker`. Returns at once: whether it connects is in the status. Receive times are `clock`'s.
/// Fails only if the address cannot be understood or no thread can be had.
pub fn spawn(
    name: &str,
    broker: &Broker,
    table: SharedTable,
    waker: Waker,
    clock: Clock,
    tap: Option<RawTap>,
) -> Result<SourceHandle, SourceError> {
    spawn_with(name, broker, table, waker, clock, tap, None)
}

/// As [`spawn`]; with a leave commands can be sent by the same connection.
pub fn spawn_with(
    name: &str,
    broker: &Broker,
    table: SharedTable,
    waker: Waker,
    clock: Clock,
    tap: Option<RawTap>,
    leave: Option<Leave>,
) -> Result<SourceHandle, SourceError> {
    let address = Address::parse(&broker.url)?;
    let status = Arc::new(SourceStatus::new(name, &address.to_string(), clock.now()));
    let (mailbox, inbox) = mailbox(status.clone(), waker.clone());
    let stop = Arc::new(Stop::default());
    let (publisher, letters) = leave.map(|leave| Publisher::new(leave, name, &status)).unzip();
    let listener = Listener::new(
        listener::Parts {
            broker: broker.clone(),
            address,
            status: status.clone(),
            waker,
            clock,
            stop: stop.clone(),
            tap,
            letters,
        },
        table.watch(),
        mailbox,
    );
    let thread_name = format!("mqtt {name}");
    let thread = std::thread::Builder::new()
        .name(thread_name.clone())
        .spawn(move || listener.run())
        .map_err(|cause| SourceError::Thread { name: thread_name, cause })?;
    let receiver = Arc::new(inbox);
    Ok(SourceHandle { name: name.to_owned(), status, receiver, publisher, stop, thread: Some(thread) })
}

impl SourceHandle {
    /// Sends commands by this connection; none where scene and user do not both allow it.
    pub fn publisher(&self) -> Option<&Publisher> {
        self.publisher.as_ref()
    }
}

impl Drop for SourceHandle {
    fn drop(&mut self) {
        self.stop.want();
        let Some(thread) = self.thread.take() else { return };
        let give_up = Instant::now() + JOIN_TIMEOUT;
        while !thread.is_finished() {
            if Instant::now() >= give_up {
                tracing::warn!("the listener `{}` did not stop in time", self.name);
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        if thread.join().is_err() {
            tracing::error!("the listener `{}` ended in a panic", self.name);
        }
    }
}
