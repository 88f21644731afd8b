//! The embedded broker. In: an address to listen on, users, limits. Out: an MQTT broker in threads of its own, for
//! clients of MQTT 3.1.1 and 5 on one port. It never writes a file, never listens beyond loopback without users, and
//! knows neither scene nor ECS.
//!
//! Protocol, sessions and routing are those of the crate `mqtt5`; the door in front of them is ours (`door`), because
//! it has to bound connections, to shut idle ones out in a flood, and to let in clients whose identifier or keep-alive
//! the crate would turn away although the standard allows them (`knock`, `relay`).
//!
//! # What it holds for a client, and for how long
//!
//! All of it in memory: a restarted broker has forgotten everything.
//! - retained messages: [`RETAINED_MESSAGES`];
//! - a session that its client asked to keep: [`SESSION_KEPT`] after the connection ended, with at most
//!   [`QUEUED_MESSAGES`] messages or [`QUEUED_BYTES`], the oldest dropped first;
//! - a connected client that reads too slowly: at most [`QUEUED_MESSAGES`] messages of QoS 0, newer ones being
//!   dropped, and the same again of QoS 1 and 2 before the queue of its session is used. It holds up a publisher of
//!   QoS 1 or 2 once, for at most two seconds, and is disconnected when it has taken nothing for 1¼ times its
//!   keep-alive.
//!
//! # Where it differs from other brokers
//!
//! - A client whose subscriptions overlap gets a message once for each of them (allowed by MQTT 5, section 3.3.4).
//! - Subscribers of MQTT 5 see the user properties `x-mqtt-client-id` and, with users, `x-mqtt-sender`; they count
//!   against the largest packet that a client wants.
//! - A topic alias that is 0, too high or unknown ends the connection without a DISCONNECT that says so (it should,
//!   section 4.13.1). The broker sets no topic aliases of its own, nor a keep-alive other than the client's.
//! - A client of MQTT 3.1.1 that is disconnected because another has taken its identifier is sent the DISCONNECT of
//!   MQTT 5 before its connection closes.
//! - There are no `$SYS` topics.
//!
//! Eclipse Paho's interoperability suite was run against it for both versions: what fails there is in this list, or is
//! something that a server need not do.

mod door;
mod knock;
mod relay;
mod users;

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;

pub use users::{Password, User};

/// Keeps the log of the `mqtt5` crate, which has a word for each bad packet, to its errors: a directive for
/// `tracing_subscriber::EnvFilter`.
pub const LOG_DIRECTIVE: &str = "mqtt5=error";

/// Most topics with a retained message.
pub const RETAINED_MESSAGES: usize = 65_536;
/// Most messages that wait for one client in one queue; also what one subscription may receive as retained messages.
pub const QUEUED_MESSAGES: usize = RETAINED_MESSAGES;
/// Most bytes that wait for one client in the queue of its session.
pub const QUEUED_BYTES: usize = 64 * 1024 * 1024;
/// Most messages of QoS 2 that one client may have begun and not completed; clients of MQTT 5 are told. One that goes
/// beyond is disconnected.
pub const RECEIVE_MAXIMUM: u16 = 4096;
/// How long a session outlives its connection, at most.
pub const SESSION_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long connected clients have to take their farewell when the broker stops.
const FAREWELL: Duration = Duration::from_millis(1000);
/// How long the runtime may take after that to let go of tasks that do not yield.
const LAST_CALL: Duration = Duration::from_millis(500);
/// Enough to read from one client and write to another at the same time.
const WORKERS: usize = 2;

/// How to start the broker; the default listens on 127.0.0.1 at a free port, without users.
#[derive(Clone, Debug)]
pub struct EmbeddedConfig {
    /// Port 0 takes a free one.
    pub bind: SocketAddr,
    /// Who may connect. Empty: anyone, which is allowed on loopback only.
    pub users: Vec<User>,
    /// Most connections at a time, at least 1. Each takes one file handle, a relayed one (see `relay`) three.
    pub max_connections: usize,
    /// Largest MQTT packet that is accepted, in bytes, at least 1,024. A client that sends a larger one is disconnected.
    pub max_packet_bytes: usize,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            users: Vec::new(),
            max_connections: 512,
            max_packet_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Why the broker did not start.
#[derive(Debug, Error)]
pub enum BrokerError {
    #[error(
        "embedded broker: {0} can be reached from other machines and no users are configured; \
         configure a user with a password, or listen on 127.0.0.1"
    )]
    Exposed(SocketAddr),
    #[error(
        "embedded broker: port {} of {} is in use by another program; choose another port or port 0 for a free one, \
         or connect to the broker that listens there", .0.port(), .0.ip()
    )]
    Taken(SocketAddr),
    #[error(
        "embedded broker: cannot listen on {address}: {source}; choose an address of this machine and a port that you may use"
    )]
    Bind { address: SocketAddr, source: io::Error },
    #[error("embedded broker: user {name:?}: {rule}")]
    User { name: String, rule: &'static str },
    #[error("embedded broker: {field} ({value}) must be {rule}")]
    Limit { field: &'static str, value: usize, rule: &'static str },
    #[error("embedded broker: cannot start its threads: {0}; close other programs and try again")]
    Threads(io::Error),
}

/// What the broker counts about itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BrokerStats {
    /// Clients connected now.
    pub connections: usize,
    /// Topics with a retained message, refreshed once a second.
    pub retained: usize,
    /// Messages that clients published since the start.
    pub published: u64,
    /// Connections closed because as many as allowed were open, since the start.
    pub refused: u64,
    /// Connections closed because they did not begin with an MQTT CONNECT in time, since the start.
    pub strangers: u64,
}

/// What the threads of the broker count; read by [`Embedded::stats`].
#[derive(Debug, Default)]
struct BrokerCounters {
    retained: AtomicUsize,
    refused: AtomicU64,
    strangers: AtomicU64,
}

/// A running broker; dropping it stops it, within two seconds.
pub struct Embedded {
    address: SocketAddr,
    counters: Arc<BrokerCounters>,
    stats: Arc<mqtt5::broker::sys_topics::BrokerStats>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Embedded {
    /// Listens, then returns; clients may connect at once.
    pub fn start(config: EmbeddedConfig) -> Result<Self, BrokerError> {
        config.validate()?;
        let listener = listen(config.bind)?;
        let address = listener.local_addr().map_err(|source| BrokerError::Bind { address: config.bind, source })?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("pollux-broker-io")
            .enable_io()
            .enable_time()
            .build()
            .map_err(BrokerError::Threads)?;
        let counters = Arc::new(BrokerCounters::default());
        let house = door::House::new(&config, Arc::clone(&counters));
        let stats = house.stats();
        let (stop, stopped) = watch::channel(false);
        let listener = {
            let _within = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(BrokerError::Threads)?
        };
        let thread = std::thread::Builder::new()
            .name("pollux-broker".into())
            .spawn(move || {
                runtime.block_on(house.open(listener, stopped, FAREWELL));
                runtime.shutdown_timeout(LAST_CALL);
            })
            .map_err(BrokerError::Threads)?;
        Ok(Self { address, counters, stats, stop, thread: Some(thread) })
    }

    /// Where it listens, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a client on this machine connects: `mqtt://127.0.0.1:port`.
    pub fn url(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        format!("mqtt://{}", SocketAddr::new(ip, self.address.port()))
    }

    /// Cheap: reads a few counters.
    pub fn stats(&self) -> BrokerStats {
        BrokerStats {
            connections: self.stats.clients_connected.load(Ordering::Relaxed),
            retained: self.counters.retained.load(Ordering::Relaxed),
            published: self.stats.publish_received.load(Ordering::Relaxed),
            refused: self.counters.refused.load(Ordering::Relaxed),
            strangers: self.counters.strangers.load(Ordering::Relaxed),
        }
    }

    /// Tells clients, closes connections and the port, joins the threads: within two seconds, whatever clients do.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("embedded broker: its thread panicked; please report this");
        }
    }
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded").field("address", &self.address).finish_non_exhaustive()
    }
}

impl EmbeddedConfig {
    fn validate(&self) -> Result<(), BrokerError> {
        let limit = |field, value, rule| Err(BrokerError::Limit { field, value, rule });
        // A u32 counts the slots of the door's semaphore.
        if !(1..=1_000_000).contains(&self.max_connections) {
            return limit("max_connections", self.max_connections, "between 1 and 1000000");
        }
        if !(1024..=268_435_455).contains(&self.max_packet_bytes) {
            return limit(
                "max_packet_bytes",
                self.max_packet_bytes,
                "between 1024 and 268435455, the most that MQTT allows",
            );
        }
        let mut names = BTreeSet::new();
        for user in &self.users {
            let fault = if user.name.is_empty() {
                Some("a name must not be empty")
            } else if user.password.is_empty() {
                Some("a password must not be empty")
            } else if !names.insert(&user.name) {
                Some("a name must be given once")
            } else {
                None
            };
            if let Some(rule) = fault {
                return Err(BrokerError::User { name: user.name.clone(), rule });
            }
        }
        if self.users.is_empty() && !self.bind.ip().is_loopback() {
            return Err(BrokerError::Exposed(self.bind));
        }
        Ok(())
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, BrokerError> {
    let open = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    open().map_err(|source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => BrokerError::Taken(address),
        _ => BrokerError::Bind { address, source },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn refused(config: EmbeddedConfig, expected: Expect) {
        match Embedded::start(config) {
            Ok(broker) => panic!("started at {}", broker.address()),
            Err(error) => expected.assert_eq(&error.to_string()),
        }
    }

    fn user(name: &str, password: &str) -> User {
        User { name: name.into(), password: Password::from(password.to_owned()) }
    }

    #[test]
    fn an_address_that_others_can_reach_needs_users() {
        let config = EmbeddedConfig { bind: "0.0.0.0:0".parse().unwrap(), ..Default::default() };
        refused(
            config,
            expect![[
                "embedded broker: 0.0.0.0:0 can be reached from other machines and no users are configured; configure a user with a password, or listen on 127.0.0.1"
            ]],
        );
    }

    #[test]
    fn users_and_limits_are_checked() {
        let with_users = |users| EmbeddedConfig { users, ..Default::default() };
        refused(with_users(vec![user("", "x")]), expect![[r#"embedded broker: user "": a name must not be empty"#]]);
        refused(
            with_users(vec![user("anna", "")]),
            expect![[r#"embedded broker: user "anna": a password must not be empty"#]],
        );
        refused(
            with_users(vec![user("anna", "x"), user("anna", "y")]),
            expect![[r#"embedded broker: user "anna": a name must be given once"#]],
        );
        refused(
            EmbeddedConfig { max_connections: 0, ..Default::default() },
            expect!["embedded broker: max_connections (0) must be between 1 and 1000000"],
        );
        refused(
            EmbeddedConfig { max_packet_bytes: 10, ..Default::default() },
            expect![
                "embedded broker: max_packet_bytes (10) must be between 1024 and 268435455, the most that MQTT allows"
            ],
        );
    }

    #[test]
    fn a_password_is_never_shown() {
        let config = EmbeddedConfig { users: vec![user("anna", "s3cret")], ..Default::default() };
        let shown = format!("{config:?}");
        assert!(shown.contains("anna") && !shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn the_url_can_be_connected_to_when_it_listens_everywhere() {
        let config =
            EmbeddedConfig { bind: "0.0.0.0:0".parse().unwrap(), users: vec![user("anna", "x")], ..Default::default() };
        let broker = Embedded::start(config).unwrap();
        assert_eq!(broker.url(), format!("mqtt://127.0.0.1:{}", broker.address().port()));
    }
}
