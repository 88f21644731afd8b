//! The loop of a listener's thread: connect, subscribe, decode, hand over; on failure say why, wait, try again. In:
//! packets of one broker. Out: samples in the mailbox, raw messages to the tap, counters, commands that were handed to it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, RandomState};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::backoff::Backoff;
use super::failure::{Failure, Kind};
use super::link::{self, Awaited, Link, Packet, Publish, Requests};
use super::options::{Address, Secrets};
use super::publisher::{Letter, Letters};
use super::{RawTap, Stop};
use crate::ingest::{BindingTable, Message, TableWatch, covers};
use crate::plant::{self, ANNOUNCEMENTS};
use crate::scene::Broker;
use crate::source::{Clock, ConnectionState, Mailbox, SourceStatus, Waker};
use crate::value::Timestamp;

/// Filters in one SUBSCRIBE packet: some brokers limit them.
const FILTERS_PER_PACKET: usize = 100;
/// A connection that held this long has earned a quick second try.
const STABLE_AFTER: Duration = Duration::from_secs(5);
/// How long a polite goodbye may take.
const GOODBYE: Duration = Duration::from_millis(200);
/// How long the next packet stays unread while the analysis has enough to do.
const HOLD: Duration = Duration::from_millis(1);
/// Refused filters that are told by name.
const REFUSALS_SHOWN: usize = 3;
/// Where packets that are no MQTT are listed: their topic cannot be read.
const MALFORMED: &str = "(malformed packets)";
/// Where it is listed that another client seems to have this one's id.
const CLASH: &str = "(client id)";
/// Two connections that the broker closed within this time hint at a clash.
const CLASH_WITHIN: Duration = Duration::from_secs(120);
/// Topics with packets above the limit that are told in the log, each once.
const MOST_LARGE: usize = 100;

/// What a listener is made of.
pub(super) struct Parts {
    pub broker: Broker,
    pub address: Address,
    pub status: Arc<SourceStatus>,
    pub waker: Waker,
    pub clock: Clock,
    pub stop: Arc<Stop>,
    pub tap: Option<RawTap>,
    /// Commands to send; none where that is not allowed.
    pub letters: Option<Letters>,
}

pub(super) struct Listener {
    parts: Parts,
    watch: TableWatch,
    table: Arc<BindingTable>,
    mailbox: Mailbox,
    client_id: String,
    /// Subscriptions that are due on this connection.
    due: VecDeque<Change>,
    awaited: Awaited,
    /// Filters that this connection asked for in vain, and why.
    refused: BTreeMap<String, String>,
    /// When the packets at hand were read: one look at the clock for all that came at once.
    receive_time: Timestamp,
    connected_at: Option<Instant>,
    /// Topic and bytes of the message that came last.
    last: (String, usize),
    /// Topics that had a packet above the limit.
    large: BTreeSet<String>,
    /// When the broker last closed a connection that it had accepted.
    closed_at: Option<Instant>,
}

enum Change {
    Subscribe(Vec<String>),
    Unsubscribe(String),
}

impl Listener {
    pub fn new(parts: Parts, mut watch: TableWatch, mut mailbox: Mailbox) -> Self {
        let table = watch.take();
        mailbox.set_generation(table.generation());
        let client_id = parts.broker.client_id.clone().filter(|id| !id.is_empty());
        let client_id = client_id.unwrap_or_else(|| format!("pollux-{:08x}", random() as u32));
        let receive_time = parts.clock.now();
        Self {
            parts,
            watch,
            table,
            mailbox,
            client_id,
            due: VecDeque::new(),
            awaited: Awaited::default(),
            refused: BTreeMap::new(),
            receive_time,
            connected_at: None,
            last: Default::default(),
            large: BTreeSet::new(),
            closed_at: None,
        }
    }

    /// Runs until the handle is dropped.
    pub fn run(mut self) {
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                runtime.block_on(self.keep_connected());
                // A name lookup may hang in a thread of its own: do not wait for it.
                runtime.shutdown_background();
            }
            Err(error) => self.parts.status.set_error(Some(format!("the listener cannot run: {error}"))),
        }
        let now = self.parts.clock.now();
        self.parts.letters.iter_mut().for_each(|letters| letters.close(now));
        self.tell(ConnectionState::Stopped);
    }

    async fn keep_connected(&mut self) {
        let mut backoff = Backoff::new(random());
        let mut was_connected = false;
        loop {
            self.tell(ConnectionState::Connecting);
            let failure = self.connection().await;
            if failure.kind == Kind::Stopped || self.parts.stop.is_wanted() {
                return;
            }
            let failure = self.explain(failure);
            self.account(&failure);
            was_connected |= self.connected_at.is_some();
            if self.connected_at.take().is_some_and(|since| since.elapsed() >= STABLE_AFTER) {
                backoff.reset();
            }
            // Two clients with one id would put each other out without end: each stays for a while at least.
            let stands = matches!(failure.kind, Kind::Standing | Kind::TakenOver);
            let wait = if stands { backoff.longest() } else { backoff.wait() };
            self.tell(ConnectionState::Disconnected);
            if !self.sleep(wait).await {
                return;
            }
            if was_connected {
                self.parts.status.count_reconnect();
            }
        }
    }

    /// Adds what this listener knows of a connection that the broker had accepted.
    fn explain(&mut self, failure: Failure) -> Failure {
        if self.connected_at.is_none() {
            return failure;
        }
        let id = &self.client_id;
        let way_out = "give each program a client id of its own, or leave `client_id` out of the scene";
        match failure.kind {
            Kind::Malformed => {
                let last = match &self.last {
                    (topic, _) if topic.is_empty() => "no message came before".to_owned(),
                    (topic, bytes) => format!("the message before was on `{topic}` ({bytes} bytes)"),
                };
                Failure { text: format!("{}; {last}; a new connection is made", failure.text), ..failure }
            }
            Kind::TakenOver => {
                let text = format!("{}, as another client took over the client id `{id}`: {way_out}", failure.text);
                Failure { text, ..failure }
            }
            // MQTT 3.1.1 has no word for it: the older connection is closed.
            Kind::Closed if self.parts.broker.client_id.is_some() => {
                let again = self.closed_at.replace(Instant::now()).is_some_and(|last| last.elapsed() < CLASH_WITHIN);
                match again {
                    true => {
                        let text = format!(
                            "the broker closed the connection again: another client probably takes over the client id \
                             `{id}`: {way_out}"
                        );
                        Failure { kind: Kind::TakenOver, text }
                    }
                    false => {
                        let hint = format!("if another client took over the client id `{id}`, {way_out}");
                        Failure { text: format!("{}; {hint}", failure.text), ..failure }
                    }
                }
            }
            _ => failure,
        }
    }

    fn account(&mut self, failure: &Failure) {
        let text = format!("{}: {}", self.parts.address, failure.text);
        tracing::warn!("{text}");
        let (status, now) = (&self.parts.status, self.parts.clock.now());
        match failure.kind {
            Kind::Malformed if self.connected_at.is_some() => {
                status.count_dropped(1);
                status.note_problem(MALFORMED, &failure.text, b"", now);
            }
            Kind::TakenOver => status.note_problem(CLASH, &failure.text, b"", now),
            _ => {}
        }
        status.set_error(Some(text));
    }

    /// Sleeps, but hands over pending samples and follows table swaps; false if it is time to stop.
    async fn sleep(&mut self, wait: Duration) -> bool {
        let end = Instant::now() + wait;
        loop {
            let step = self.mailbox.due().map_or(end, |due| due.min(end));
            tokio::select! {
                () = self.parts.stop.wanted() => return false,
                () = self.watch.changed() => self.adopt(),
                letter = next_letter(&mut self.parts.letters) => self.refuse_letter(&letter),
                () = tokio::time::sleep_until(step.into()) => {}
            }
            let now = Instant::now();
            self.mailbox.flush_if_due(now);
            if now >= end {
                return !self.parts.stop.is_wanted();
            }
        }
    }

    /// One connection from first to last.
    async fn connection(&mut self) -> Failure {
        self.due.clear();
        self.awaited = Awaited::default();
        self.refused.clear();
        let (mut link, requests) = match self.open() {
            Ok(opened) => opened,
            Err(text) => return Failure::standing(text),
        };
        loop {
            let next = self.next(&mut link, &requests).await;
            // After a failure: packets that came before the one that failed.
            let clock = self.parts.clock;
            self.receive_time = self.mailbox.receive(|| clock.now());
            link.take(|packet| self.take(packet, &requests));
            self.mailbox.rest();
            if let Err(failure) = next {
                let now = clock.now();
                self.parts.letters.iter_mut().for_each(|letters| letters.end(now));
                if failure.kind == Kind::Stopped && self.connected_at.is_some() && requests.disconnect() {
                    let _ = tokio::time::timeout(GOODBYE, async {
                        while link.poll().await.is_ok() {
                            link.take(|_| ());
                        }
                    })
                    .await;
                }
                return failure;
            }
        }
    }

    fn open(&self) -> Result<(Link, Requests), String> {
        let (address, broker) = (&self.parts.address, &self.parts.broker);
        Ok(link::open(address, broker, &self.client_id, Secrets::read(address, broker)?))
    }

    /// Waits for packets. While none are there: hands over samples, follows table swaps, stops. The poll itself is only
    /// dropped to stop.
    async fn next(&mut self, link: &mut Link, requests: &Requests) -> Result<(), Failure> {
        if self.parts.stop.is_wanted() {
            return Err(Failure::stopped());
        }
        if self.watch.has_changed() {
            self.adopt();
        }
        self.ask(requests);
        self.mailbox.flush_if_due(Instant::now());
        // Messages not read now wait with the sender: at QoS 1 and 2 with the broker, which loses nothing.
        while self.mailbox.should_hold() && !self.parts.stop.is_wanted() {
            tokio::time::sleep(HOLD).await;
        }

        let mut poll = pin!(link.poll());
        if let Some(ready) = at_once(poll.as_mut()).await {
            return ready;
        }
        loop {
            let due = self.mailbox.due();
            let flush = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                polled = &mut poll => return polled,
                () = self.parts.stop.wanted() => return Err(Failure::stopped()),
                () = self.watch.changed() => self.adopt(),
                letter = next_letter(&mut self.parts.letters) => self.post(letter, requests),
                () = flush => self.mailbox.flush_if_due(Instant::now()),
            }
            self.ask(requests);
        }
    }

    fn take(&mut self, packet: Packet, requests: &Requests) {
        match packet {
            Packet::Message(publish) => self.decode(publish),
            Packet::Connected => {
                self.connected_at = Some(Instant::now());
                self.parts.status.set_error(None);
                tracing::info!("{}: connected", self.parts.address);
                self.tell(ConnectionState::Connected);
                self.parts.status.forget_plants();
                self.subscribe(&wanted(&self.table));
                self.ask(requests);
            }
            Packet::Subscribing(id) => self.awaited.sent(id),
            Packet::Subscribed(id, answers) => {
                let mut answered = self.awaited.answered(id, answers);
                // The scene has not asked for it.
                answered.retain(|(filter, _)| *filter != plants());
                let accepted = answered.iter().filter(|(_, refusal)| refusal.is_none()).count();
                tracing::info!("{}: subscribed to {accepted} topic filters", self.parts.address);
                let refused: Vec<(String, String)> =
                    answered.into_iter().filter_map(|(filter, refusal)| Some((filter, refusal?))).collect();
                if !refused.is_empty() {
                    for (filter, why) in &refused {
                        tracing::warn!("{}: the subscription to `{filter}` was refused: {why}", self.parts.address);
                    }
                    self.refused.extend(refused);
                    self.tell_refused();
                }
            }
            Packet::Left(id) => {
                let now = self.parts.clock.now();
                self.parts.letters.iter_mut().for_each(|letters| letters.left(id, now));
                (self.parts.waker)();
            }
            Packet::Acknowledged(id, refusal) => {
                let now = self.parts.clock.now();
                self.parts.letters.iter_mut().for_each(|letters| letters.acknowledged(id, refusal.clone(), now));
                (self.parts.waker)();
            }
            Packet::Other => {}
        }
    }

    /// Sends a command by this connection, if the broker has accepted it.
    fn post(&mut self, letter: Letter, requests: &Requests) {
        if self.connected_at.is_none() {
            return self.refuse_letter(&letter);
        }
        let (now, max_packet) = (self.parts.clock.now(), self.parts.broker.max_packet);
        self.parts.letters.iter_mut().for_each(|letters| letters.post(&letter, requests, max_packet, now));
        (self.parts.waker)();
    }

    fn refuse_letter(&mut self, letter: &Letter) {
        let now = self.parts.clock.now();
        self.parts.letters.iter_mut().for_each(|letters| letters.refuse(letter, now));
        (self.parts.waker)();
    }

    fn decode(&mut self, publish: Publish) {
        let status = &self.parts.status;
        let payload = publish.payload();
        status.count_message(payload.len());
        let Some(topic) = publish.topic() else {
            status.count_decode_error("(not UTF-8)", &"the topic is not UTF-8 text", payload, self.receive_time);
            return;
        };
        self.last.0.clear();
        self.last.0.push_str(topic);
        self.last.1 = payload.len();
        if publish.packet_len() > self.parts.broker.max_packet {
            self.refuse(topic, publish.packet_len(), payload);
            return;
        }
        let message = Message {
            topic,
            payload,
            retained: publish.retained(),
            qos: publish.qos(),
            receive_time: self.receive_time,
        };
        let mut source_time = None;
        let whole = self.mailbox.is_wanted_whole(topic).then(|| self.mailbox.whole(&message)).flatten();
        let outcome = self.mailbox.add_whole(|samples| {
            let before = samples.len();
            let outcome = self.table.decode(&message, samples);
            source_time = samples.get(before).map(|sample| sample.source_time);
            // What no signal is bound to has nothing to say, however it arrives.
            let whole = whole.filter(|_| !outcome.unknown_topic);
            (outcome, whole)
        });
        if let Some(tap) = &mut self.parts.tap {
            tap(&message, source_time);
        }
        let is_answer = self.table.is_answer(topic);
        if let (true, false, Some(letters)) = (is_answer, message.retained, &self.parts.letters) {
            if !letters.answer(topic, payload, self.receive_time) {
                status.count_dropped(1);
            }
            (self.parts.waker)();
        }
        status.count_decoded(outcome.samples);
        let announced = topic.starts_with(ANNOUNCEMENTS).then(|| plant::announced(payload)).flatten();
        let is_farewell = topic.starts_with(ANNOUNCEMENTS) && payload.is_empty();
        if announced.is_some() || is_farewell {
            status.note_plant(topic, announced);
        } else if outcome.unknown_topic && !is_answer {
            status.count_unknown_topic(topic);
        }
        if let Some(error) = &outcome.error {
            status.count_decode_error(topic, error, payload, self.receive_time);
        }
        if let Some(error) = &outcome.clock {
            status.count_clock_problem(topic, error, payload, self.receive_time);
        }
    }

    /// A packet above the scene's limit costs itself alone: it is acknowledged as any other, and not read.
    fn refuse(&mut self, topic: &str, bytes: usize, payload: &[u8]) {
        let most = self.parts.broker.max_packet;
        let text = format!(
            "a packet of {bytes} bytes is above the limit of {most} bytes and was not read: raise `max_packet` of the \
             broker in the scene"
        );
        self.parts.status.count_dropped(1);
        self.parts.status.note_problem(topic, &text, payload, self.receive_time);
        if self.large.len() < MOST_LARGE && self.large.insert(topic.to_owned()) {
            tracing::warn!("{}: `{topic}`: {text}", self.parts.address);
        }
    }

    /// Takes over the newest table; on a living connection the difference of subscriptions becomes due.
    fn adopt(&mut self) {
        let new = self.watch.take();
        let old = std::mem::replace(&mut self.table, new.clone());
        self.mailbox.set_generation(new.generation());
        if self.connected_at.is_none() {
            return;
        }
        let (old, new) = (wanted(&old), wanted(&new));
        let gone = old.iter().filter(|filter| new.binary_search(filter).is_err());
        self.due.extend(gone.map(|filter| Change::Unsubscribe(filter.clone())));
        let before = self.refused.len();
        self.refused.retain(|filter, _| new.binary_search(filter).is_ok());
        if self.refused.len() < before {
            self.tell_refused();
        }
        let added: Vec<_> = new.iter().filter(|filter| old.binary_search(filter).is_err()).cloned().collect();
        self.subscribe(&added);
    }

    fn subscribe(&mut self, filters: &[String]) {
        let (good, bad): (Vec<_>, Vec<_>) = filters.iter().cloned().partition(|filter| rumqttc::valid_filter(filter));
        if !bad.is_empty() {
            self.refused.extend(bad.into_iter().map(|filter| (filter, "no MQTT topic filter".to_owned())));
            self.tell_refused();
        }
        self.due.extend(good.chunks(FILTERS_PER_PACKET).map(|chunk| Change::Subscribe(chunk.to_vec())));
    }

    /// The connection lives, but some of what was asked for never comes: that stays on show until it is mended.
    fn tell_refused(&self) {
        let shown: Vec<_> =
            self.refused.iter().take(REFUSALS_SHOWN).map(|(filter, why)| format!("`{filter}` ({why})")).collect();
        let text = (!shown.is_empty()).then(|| {
            let more = match self.refused.len() - shown.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!(
                "{}: not subscribed to {}{more}: check the broker's access rules and the filters in the scene",
                self.parts.address,
                shown.join(", ")
            )
        });
        self.parts.status.set_error(text);
        (self.parts.waker)();
    }

    /// Hands due subscriptions to the event loop, as many as it has room for.
    fn ask(&mut self, requests: &Requests) {
        while let Some(change) = self.due.pop_front() {
            let accepted = match &change {
                Change::Subscribe(filters) => requests.subscribe(filters, self.parts.broker.qos),
                Change::Unsubscribe(filter) => requests.unsubscribe(filter),
            };
            match change {
                _ if !accepted => {
                    self.due.push_front(change);
                    return;
                }
                Change::Subscribe(filters) => self.awaited.asked(filters),
                Change::Unsubscribe(_) => {}
            }
        }
    }

    /// A change of state is worth a picture even when no data come.
    fn tell(&self, state: ConnectionState) {
        self.parts.status.set_state(state, self.parts.clock.now());
        (self.parts.waker)();
    }
}

/// Where simulated plants say that they are such.
fn plants() -> String {
    format!("{ANNOUNCEMENTS}+")
}

/// What to subscribe to, sorted: what a table needs, and what plants say of themselves.
fn wanted(table: &BindingTable) -> Vec<String> {
    let mut filters = table.filters().to_vec();
    if !filters.iter().any(|filter| covers(filter, &plants())) {
        filters.push(plants());
        filters.sort_unstable();
    }
    filters
}

/// The next command to send; never, where none may be sent.
async fn next_letter(letters: &mut Option<Letters>) -> Letter {
    match letters {
        Some(letters) => letters.next().await,
        None => std::future::pending().await,
    }
}

/// What `future` has ready, without waiting.
async fn at_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}

/// From the operating system by way of the standard library's hasher keys.
fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
