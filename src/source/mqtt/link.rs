//! One interface to MQTT 3.1.1 and 5. In: an address, a login, a TLS configuration. Out: packets, failures in plain
//! sentences. One link is one connection: after a failure a new one is made.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rumqttc::v5;
use rumqttc::{TlsConfiguration, Transport};

use super::failure::{self, Failure};
use super::options::{Address, Secrets};
use crate::scene::{Broker, MqttVersion};

/// The largest packet that MQTT knows. All are read, as a packet that is not ends the connection, and a retained one every
/// connection: what a scene allows is judged by the listener, which knows the topic.
const LARGEST_PACKET: usize = 268_435_455 + 5;
/// Requests that wait for the event loop.
const REQUESTS: usize = 64;
/// Longest time for the network and the broker to answer a connection attempt, in seconds.
const CONNECT_TIMEOUT_SECS: u64 = 10;
/// What the clients accept as keep-alive, other than none.
const KEEP_ALIVE: std::ops::RangeInclusive<u64> = 5..=65_535;

/// The receiving half.
pub(super) enum Link {
    V3(Box<rumqttc::EventLoop>),
    V5(Box<v5::EventLoop>),
}

/// The asking half; never waits.
#[derive(Clone)]
pub(super) enum Requests {
    V3(rumqttc::AsyncClient),
    V5(v5::AsyncClient),
}

/// What matters to a listener.
pub(super) enum Packet<'a> {
    Connected,
    Message(Publish<'a>),
    /// A subscription left with this packet id.
    Subscribing(u16),
    /// One answer per filter: none is fine, else why it was refused.
    Subscribed(u16, Vec<Option<String>>),
    /// A message left with this packet id, 0 at QoS 0.
    Left(u16),
    /// The broker has the message of this packet id, or why it refused it.
    Acknowledged(u16, Option<String>),
    Other,
}

/// A message where the client has put it: a flood is not moved about.
#[derive(Clone, Copy)]
pub(super) enum Publish<'a> {
    V3(&'a rumqttc::Publish),
    V5(&'a v5::mqttbytes::v5::Publish),
}

impl<'a> Publish<'a> {
    /// None if it is not UTF-8, which MQTT forbids.
    pub fn topic(self) -> Option<&'a str> {
        match self {
            Publish::V3(publish) => Some(&publish.topic),
            Publish::V5(publish) => std::str::from_utf8(&publish.topic).ok(),
        }
    }

    pub fn payload(self) -> &'a [u8] {
        match self {
            Publish::V3(publish) => &publish.payload,
            Publish::V5(publish) => &publish.payload,
        }
    }

    /// About as many bytes as its packet has.
    pub fn packet_len(self) -> usize {
        let topic = match self {
            Publish::V3(publish) => publish.topic.len(),
            Publish::V5(publish) => publish.topic.len(),
        };
        topic + self.payload().len() + 4
    }

    pub fn retained(self) -> bool {
        match self {
            Publish::V3(publish) => publish.retain,
            Publish::V5(publish) => publish.retain,
        }
    }

    pub fn qos(self) -> u8 {
        match self {
            Publish::V3(publish) => publish.qos as u8,
            Publish::V5(publish) => publish.qos as u8,
        }
    }
}

/// A link that connects when it is first polled. Sessions are clean: a twin wants the newest values, and subscriptions
/// are made anew on every connection.
pub(super) fn open(address: &Address, broker: &Broker, client_id: &str, secrets: Secrets) -> (Link, Requests) {
    let network = network();
    match broker.version {
        MqttVersion::V3 => {
            let options = options_v3(address, broker, client_id, secrets);
            let (client, mut link) = rumqttc::AsyncClient::new(options, REQUESTS);
            link.set_network_options(network);
            (Link::V3(Box::new(link)), Requests::V3(client))
        }
        MqttVersion::V5 => {
            let mut options = v5::MqttOptions::new(client_id, &address.host, address.port);
            // This client has no "never"; the longest is nearest.
            let longest = Duration::from_secs(*KEEP_ALIVE.end());
            let keep_alive = keep_alive(broker);
            options.set_keep_alive(if keep_alive.is_zero() { longest } else { keep_alive });
            options.set_transport(transport(secrets.tls)).set_clean_start(true).set_network_options(network);
            options.set_connection_timeout(CONNECT_TIMEOUT_SECS);
            options.set_max_packet_size(Some(LARGEST_PACKET as u32));
            if let Some(login) = secrets.login {
                options.set_credentials(login.user, login.password);
            }
            let (client, link) = v5::AsyncClient::new(options, REQUESTS);
            (Link::V5(Box::new(link)), Requests::V5(client))
        }
    }
}

/// What a connection of MQTT 3.1.1 is made with: of the listener as of the plant.
pub(super) fn options_v3(
    address: &Address,
    broker: &Broker,
    client_id: &str,
    secrets: Secrets,
) -> rumqttc::MqttOptions {
    let mut options = rumqttc::MqttOptions::new(client_id, &address.host, address.port);
    options.set_transport(transport(secrets.tls)).set_keep_alive(keep_alive(broker)).set_clean_session(true);
    options.set_max_packet_size(LARGEST_PACKET, broker.max_packet);
    if let Some(login) = secrets.login {
        options.set_credentials(login.user, login.password);
    }
    options
}

pub(in crate::source) fn network() -> rumqttc::NetworkOptions {
    let mut network = rumqttc::NetworkOptions::new();
    network.set_connection_timeout(CONNECT_TIMEOUT_SECS);
    network.set_tcp_nodelay(true);
    network
}

fn transport(tls: Option<Arc<rustls::ClientConfig>>) -> Transport {
    match tls {
        Some(config) => Transport::tls_with_config(TlsConfiguration::Rustls(config)),
        None => Transport::tcp(),
    }
}

/// Zero is none.
fn keep_alive(broker: &Broker) -> Duration {
    match broker.keep_alive.as_secs() {
        0 => Duration::ZERO,
        secs => Duration::from_secs(secs.clamp(*KEEP_ALIVE.start(), *KEEP_ALIVE.end())),
    }
}

impl Link {
    /// Waits until there is something to [take](Self::take). Dropping the future mid-way may lose an acknowledgement:
    /// only to end the link.
    pub async fn poll(&mut self) -> Result<(), Failure> {
        // The client reads some packets at once and returns the first of them: it joins the others.
        match self {
            Link::V3(link) => {
                let first = link.poll().await.map_err(|error| failure::from_v3(&error))?;
                link.state.events.push_front(first);
            }
            Link::V5(link) => {
                let first = link.poll().await.map_err(|error| failure::from_v5(&error))?;
                link.state.events.push_front(first);
            }
        }
        Ok(())
    }

    /// Shows all packets that were read from the network, in order, and forgets them.
    pub fn take(&mut self, mut show: impl FnMut(Packet)) {
        match self {
            Link::V3(link) => {
                link.state.events.iter().map(packet_v3).for_each(&mut show);
                link.state.events.clear();
            }
            Link::V5(link) => {
                link.state.events.iter().map(packet_v5).for_each(&mut show);
                link.state.events.clear();
            }
        }
    }
}

impl Requests {
    /// False if there is no room just now.
    pub fn subscribe(&self, filters: &[String], qos: u8) -> bool {
        match self {
            Requests::V3(client) => {
                let qos = rumqttc::qos(qos).unwrap_or(rumqttc::QoS::AtMostOnce);
                let filters = filters.iter().map(|path| rumqttc::SubscribeFilter::new(path.clone(), qos));
                client.try_subscribe_many(filters).is_ok()
            }
            Requests::V5(client) => {
                let qos = v5::mqttbytes::qos(qos).unwrap_or_default();
                let filters = filters.iter().map(|path| v5::mqttbytes::v5::Filter::new(path.clone(), qos));
                client.try_subscribe_many(filters).is_ok()
            }
        }
    }

    /// False if there is no room just now.
    pub fn unsubscribe(&self, filter: &str) -> bool {
        match self {
            Requests::V3(client) => client.try_unsubscribe(filter).is_ok(),
            Requests::V5(client) => client.try_unsubscribe(filter).is_ok(),
        }
    }

    /// Never retained. Where the protocol has it, the broker drops the message for who did not get it in time (MQTT 5,
    /// message expiry, in whole seconds); MQTT 3.1.1 has no such thing. False if there is no room just now.
    pub fn publish(&self, topic: &str, qos: u8, payload: &[u8], expires_after: Duration) -> bool {
        match self {
            Requests::V3(client) => {
                let qos = rumqttc::qos(qos).unwrap_or(rumqttc::QoS::AtMostOnce);
                client.try_publish(topic, qos, false, payload.to_vec()).is_ok()
            }
            Requests::V5(client) => {
                let qos = v5::mqttbytes::qos(qos).unwrap_or_default();
                let properties = v5::mqttbytes::v5::PublishProperties {
                    message_expiry_interval: Some(u32::try_from(expires_after.as_secs()).unwrap_or(u32::MAX)),
                    ..Default::default()
                };
                client.try_publish_with_properties(topic, qos, false, payload.to_vec(), properties).is_ok()
            }
        }
    }

    pub fn disconnect(&self) -> bool {
        match self {
            Requests::V3(client) => client.try_disconnect().is_ok(),
            Requests::V5(client) => client.try_disconnect().is_ok(),
        }
    }
}

fn packet_v3(event: &rumqttc::Event) -> Packet<'_> {
    use rumqttc::{Event, Outgoing, Packet as P, SubscribeReasonCode as Code};
    match event {
        Event::Incoming(P::Publish(publish)) => Packet::Message(Publish::V3(publish)),
        Event::Incoming(P::ConnAck(_)) => Packet::Connected,
        Event::Outgoing(Outgoing::Subscribe(id)) => Packet::Subscribing(*id),
        Event::Outgoing(Outgoing::Publish(id)) => Packet::Left(*id),
        Event::Incoming(P::PubAck(ack)) => Packet::Acknowledged(ack.pkid, None),
        Event::Incoming(P::PubComp(ack)) => Packet::Acknowledged(ack.pkid, None),
        Event::Incoming(P::SubAck(ack)) => {
            let answer = |code: &Code| (*code == Code::Failure).then(|| "refused by the broker, code 0x80".to_owned());
            Packet::Subscribed(ack.pkid, ack.return_codes.iter().map(answer).collect())
        }
        _ => Packet::Other,
    }
}

fn packet_v5(event: &v5::Event) -> Packet<'_> {
    use rumqttc::Outgoing;
    use v5::mqttbytes::v5::{Packet as P, SubscribeReasonCode as Code};
    match event {
        v5::Event::Incoming(P::Publish(publish)) => Packet::Message(Publish::V5(publish)),
        v5::Event::Incoming(P::ConnAck(_)) => Packet::Connected,
        v5::Event::Outgoing(Outgoing::Subscribe(id)) => Packet::Subscribing(*id),
        v5::Event::Outgoing(Outgoing::Publish(id)) => Packet::Left(*id),
        v5::Event::Incoming(P::PubAck(ack)) => {
            use v5::mqttbytes::v5::PubAckReason as Reason;
            let refusal = match ack.reason {
                Reason::Success => None,
                Reason::NoMatchingSubscribers => Some("nobody listens on the topic".to_owned()),
                Reason::NotAuthorized => Some("not authorized".to_owned()),
                other => Some(format!("{other:?}")),
            };
            Packet::Acknowledged(ack.pkid, refusal)
        }
        v5::Event::Incoming(P::PubRec(ack)) => {
            use v5::mqttbytes::v5::PubRecReason as Reason;
            match ack.reason {
                Reason::Success => Packet::Other,
                reason => Packet::Acknowledged(ack.pkid, Some(format!("{reason:?}"))),
            }
        }
        v5::Event::Incoming(P::PubComp(ack)) => Packet::Acknowledged(ack.pkid, None),
        v5::Event::Incoming(P::SubAck(ack)) => {
            let answer = |code: &Code| match code {
                Code::Success(_) => None,
                Code::NotAuthorized => Some("not authorized".to_owned()),
                Code::TopicFilterInvalid => Some("the broker holds the filter for invalid".to_owned()),
                Code::QuotaExceeded => Some("the broker's quota is exceeded".to_owned()),
                Code::SharedSubscriptionsNotSupported => Some("the broker has no shared subscriptions".to_owned()),
                Code::WildcardSubscriptionsNotSupported => Some("the broker has no wildcards".to_owned()),
                other => Some(format!("refused by the broker, {other:?}")),
            };
            Packet::Subscribed(ack.pkid, ack.return_codes.iter().map(answer).collect())
        }
        _ => Packet::Other,
    }
}

/// Subscriptions on their way: which filters a packet id stands for.
#[derive(Default)]
pub(super) struct Awaited {
    /// Asked for, not yet sent, oldest first.
    asked: std::collections::VecDeque<Vec<String>>,
    sent: HashMap<u16, Vec<String>>,
}

impl Awaited {
    pub fn asked(&mut self, filters: Vec<String>) {
        self.asked.push_back(filters);
    }

    pub fn sent(&mut self, id: u16) {
        if let Some(filters) = self.asked.pop_front() {
            self.sent.insert(id, filters);
        }
    }

    /// Filters with their answers: none, or why they were refused.
    pub fn answered(&mut self, id: u16, answers: Vec<Option<String>>) -> Vec<(String, Option<String>)> {
        self.sent.remove(&id).unwrap_or_default().into_iter().zip(answers).collect()
    }
}
