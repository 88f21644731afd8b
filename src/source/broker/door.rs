//! Lets clients in. In: connections. Out: MQTT served by the `mqtt5` crate. It never waits for one client while
//! another knocks: each connection has a task, and how many there are is bounded, before and after CONNECT.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mqtt5::broker::client_handler::ClientHandler;
use mqtt5::broker::resource_monitor::{ResourceLimits, ResourceMonitor};
use mqtt5::broker::router::MessageRouter;
use mqtt5::broker::storage::{QueueLimits, StorageBackend};
use mqtt5::broker::sys_topics::BrokerStats;
use mqtt5::broker::transport::BrokerTransport;
use mqtt5::broker::{BrokerConfig, DynamicStorage, MemoryBackend, StorageBackendType, StorageConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::knock::{self, Aliases, Knock};
use super::relay::Relay;
use super::users::Guests;
use super::{
    BrokerCounters, EmbeddedConfig, QUEUED_BYTES, QUEUED_MESSAGES, RECEIVE_MAXIMUM, RETAINED_MESSAGES, SESSION_KEPT,
};

/// Most connections that have not yet said who they are; the one that has waited longest makes room for the next.
const WAITING: usize = 256;
/// How long a connection may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait for the rest of a CONNECT that came in pieces.
const PIECE: Duration = Duration::from_millis(10);
/// How long to wait when the system has no more connections to give.
const EXHAUSTED: Duration = Duration::from_millis(100);
/// Enough of a CONNECT to find the client identifier behind its properties.
const HEAD: usize = 2048;
/// File handles that a relayed client takes.
const RELAY_SLOTS: u32 = 3;

/// Everything that connections share.
pub(super) struct House {
    config: Arc<BrokerConfig>,
    router: Arc<MessageRouter>,
    storage: Arc<DynamicStorage>,
    guests: Arc<Guests>,
    stats: Arc<BrokerStats>,
    monitor: Arc<ResourceMonitor>,
    aliases: Aliases,
    counters: Arc<BrokerCounters>,
    slots: Arc<Semaphore>,
    all_slots: u32,
    farewell: broadcast::Sender<()>,
}

impl House {
    pub(super) fn new(config: &EmbeddedConfig, counters: Arc<BrokerCounters>) -> Self {
        let queues = QueueLimits { max_messages: QUEUED_MESSAGES, max_bytes: QUEUED_BYTES };
        let storage = Arc::new(DynamicStorage::Memory(MemoryBackend::with_queue_limits(queues)));
        let router = MessageRouter::with_storage(Arc::clone(&storage))
            .with_fallback_queue_limits(queues)
            .with_retained_limits(RETAINED_MESSAGES, config.max_packet_bytes);
        let slots = u32::try_from(config.max_connections).unwrap_or(u32::MAX).max(RELAY_SLOTS);
        Self {
            config: Arc::new(broker_config(config)),
            router: Arc::new(router),
            storage,
            guests: Arc::new(Guests(config.users.clone())),
            stats: Arc::new(BrokerStats::new()),
            monitor: Arc::new(ResourceMonitor::new(unlimited(config))),
            aliases: Aliases::default(),
            counters,
            slots: Arc::new(Semaphore::new(slots as usize)),
            all_slots: slots,
            farewell: broadcast::channel(1).0,
        }
    }

    pub(super) fn stats(&self) -> Arc<BrokerStats> {
        Arc::clone(&self.stats)
    }

    /// Serves until told to stop, then closes the port and gives clients `farewell` to end.
    pub(super) async fn open(self, listener: TcpListener, mut stop: watch::Receiver<bool>, farewell: Duration) {
        let house = Arc::new(self);
        tokio::select! {
            () = Arc::clone(&house).accept(listener) => {}
            () = house.keep() => {}
            _stopped = stop.wait_for(|stop| *stop) => {}
        }
        // No receiver means no client.
        let _ = house.farewell.send(());
        // All slots are free when the last client has ended; those that do not are cut off with the runtime.
        let _ = timeout(farewell, house.slots.acquire_many(house.all_slots)).await;
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut waiting: VecDeque<oneshot::Sender<()>> = VecDeque::new();
        loop {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!("embedded broker: cannot accept a connection: {error}");
                    sleep(EXHAUSTED).await;
                    continue;
                }
            };
            if waiting.len() >= WAITING {
                waiting.retain(|waits| !waits.is_closed());
            }
            if waiting.len() >= WAITING {
                // Dropping it tells the task.
                waiting.pop_front();
            }
            let (waits, told_to_go) = oneshot::channel();
            waiting.push_back(waits);
            tokio::spawn(Arc::clone(&self).admit(stream, peer, told_to_go));
        }
    }

    async fn admit(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, told_to_go: oneshot::Receiver<()>) {
        // Without it small messages wait for each other; not worth losing the client over.
        let _ = stream.set_nodelay(true);
        let knock = tokio::select! {
            _ = told_to_go => Knock::Stranger,
            knock = timeout(PATIENCE, listen_to(&stream)) => knock.unwrap_or(Knock::Stranger),
        };
        let slots = match knock {
            Knock::Incomplete | Knock::Stranger => {
                self.counters.strangers.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Knock::Plain => 1,
            Knock::Adapt => RELAY_SLOTS,
        };
        let Ok(permit) = Arc::clone(&self.slots).try_acquire_many_owned(slots) else {
            let refused = self.counters.refused.fetch_add(1, Ordering::Relaxed);
            if refused.is_power_of_two() || refused == 0 {
                tracing::warn!("embedded broker: {peer} refused: {} connections are open", self.all_slots);
            }
            return;
        };
        self.serve(stream, peer, knock, permit).await;
    }

    async fn serve(&self, stream: TcpStream, peer: SocketAddr, knock: Knock, _until_the_end: OwnedSemaphorePermit) {
        let ended = if knock == Knock::Adapt {
            let (relay, stream) = match timeout(PATIENCE, Relay::open(stream, &self.aliases)).await {
                Ok(Ok(opened)) => opened,
                Ok(Err(error)) => return tracing::debug!("embedded broker: {peer}: {error}"),
                Err(_late) => return,
            };
            tokio::join!(self.handler(stream, peer).run(), relay.run()).0
        } else {
            self.handler(stream, peer).run().await
        };
        if let Err(error) = ended {
            tracing::debug!("embedded broker: {peer}: {error}");
        }
    }

    fn handler(&self, stream: TcpStream, peer: SocketAddr) -> ClientHandler {
        ClientHandler::new(
            BrokerTransport::tcp(stream),
            peer,
            Arc::clone(&self.config),
            Arc::clone(&self.router),
            Arc::clone(&self.guests) as _,
            Some(Arc::clone(&self.storage)),
            Arc::clone(&self.stats),
            Arc::clone(&self.monitor),
            self.farewell.subscribe(),
        )
    }

    /// Counts what has to be looked up, and forgets sessions and messages whose time is over.
    async fn keep(&self) {
        let mut seconds = interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for second in 0_u64.. {
            seconds.tick().await;
            self.counters.retained.store(self.router.retained_count().await, Ordering::Relaxed);
            if second % 60 == 59 {
                if let Err(error) = self.storage.cleanup_expired().await {
                    tracing::warn!("embedded broker: cannot clean up: {error}");
                }
                self.router.sweep_sessions().await;
                self.monitor.cleanup_expired_windows().await;
            }
        }
    }
}

/// Looks at the first bytes of a connection without taking them.
async fn listen_to(stream: &TcpStream) -> Knock {
    let mut head = [0; HEAD];
    let mut seen = 0;
    loop {
        let Ok(count) = stream.peek(&mut head).await else { return Knock::Stranger };
        match head.get(..count).map_or(Knock::Stranger, knock::examine) {
            Knock::Incomplete if count == 0 => return Knock::Stranger,
            // Long properties stand before the identifier: the relay reads all of them.
            Knock::Incomplete if count == HEAD => return Knock::Adapt,
            Knock::Incomplete => {
                // A peek returns at once as long as there is anything, also when nothing new has come.
                if count == seen {
                    sleep(PIECE).await;
                }
                seen = count;
            }
            knock => return knock,
        }
    }
}

fn broker_config(config: &EmbeddedConfig) -> BrokerConfig {
    let storage = StorageConfig {
        backend: StorageBackendType::Memory,
        max_queued_messages_per_client: QUEUED_MESSAGES,
        max_queued_bytes_per_client: QUEUED_BYTES,
        ..Default::default()
    };
    BrokerConfig {
        bind_addresses: Vec::new(),
        max_clients: config.max_connections,
        session_expiry_interval: SESSION_KEPT,
        max_packet_size: config.max_packet_bytes,
        max_retained_messages: RETAINED_MESSAGES,
        max_retained_message_size: config.max_packet_bytes,
        // Retained messages of QoS 0 that do not fit here are lost, so as many as there can be.
        client_channel_capacity: QUEUED_MESSAGES,
        server_receive_maximum: Some(RECEIVE_MAXIMUM),
        storage_config: storage,
        sys_topics_enabled: false,
        ..Default::default()
    }
}

/// The crate's own limits on rates: none, since a flood of messages is what some clients are for.
fn unlimited(config: &EmbeddedConfig) -> ResourceLimits {
    ResourceLimits {
        max_connections: config.max_connections,
        max_connections_per_ip: config.max_connections,
        max_message_rate_per_client: 0,
        max_bandwidth_per_client: 0,
        max_connection_rate: u32::MAX,
        rate_limit_window: Duration::from_secs(1),
    }
}
