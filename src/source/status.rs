//! Counters of a source, readable from any thread while it works.
//!
//! In: counts from the source's thread, lock-free on the path of every message. Out: [`SourceSnapshot`]s. Holds no
//! secrets: addresses come without credentials. Topics with trouble are kept up to a bound, so that a flood of them
//! costs a counter and no memory.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::value::Timestamp;

/// Topics of each kind of trouble that are kept by name.
const MOST_TOPICS: usize = 256;
/// Bytes of a bad payload that are kept.
const KEPT_PAYLOAD: usize = 256;
/// Rates are taken over this long, and no more often than each `RATE_STEP`.
const RATE_WINDOW: Duration = Duration::from_secs(3);
const RATE_STEP: Duration = Duration::from_millis(500);
/// Stands for all topics beyond the bound.
const OTHER_TOPICS: &str = "(other topics)";

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum ConnectionState {
    #[default]
    Connecting,
    Connected,
    /// Waiting to try again.
    Disconnected,
    /// Ended for good: stopped, or refused in a way that trying again cannot mend.
    Stopped,
}

/// Counters and last words of a source: its own thread counts, the world reads.
#[derive(Debug, Default)]
pub struct SourceStatus {
    received: AtomicU64,
    received_bytes: AtomicU64,
    decoded: AtomicU64,
    unknown_topics: AtomicU64,
    decode_errors: AtomicU64,
    clock_problems: AtomicU64,
    dropped: AtomicU64,
    coalesced: AtomicU64,
    rare: Mutex<Rare>,
}

/// Adds to a counter that only the source's own thread writes: without a bus lock, which a flood would pay three times
/// a message.
fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Relaxed) + count, Relaxed);
}

/// What changes seldom, or only when something is wrong.
#[derive(Debug, Default)]
struct Rare {
    name: String,
    address: String,
    state: ConnectionState,
    since: Timestamp,
    error: Option<String>,
    reconnects: u64,
    /// Scenes of simulated plants that publish there, by the topics on which they say so.
    plants: BTreeMap<String, String>,
    unknown: HashMap<String, u64>,
    problems: HashMap<String, TopicProblem>,
    /// (when, messages, bytes), oldest first.
    rates: VecDeque<(Timestamp, u64, u64)>,
}

impl SourceStatus {
    /// `address` must not hold credentials.
    pub fn new(name: &str, address: &str, now: Timestamp) -> Self {
        let rare = Rare {
            name: name.to_owned(),
            address: address.to_owned(),
            since: now,
            rates: VecDeque::from([(now, 0, 0)]),
            ..Rare::default()
        };
        Self { rare: Mutex::new(rare), ..Self::default() }
    }

    pub fn count_message(&self, bytes: usize) {
        add(&self.received, 1);
        add(&self.received_bytes, bytes as u64);
    }

    pub fn count_decoded(&self, samples: usize) {
        add(&self.decoded, samples as u64);
    }

    /// Samples, or a packet, lost for good.
    pub fn count_dropped(&self, count: usize) {
        self.dropped.fetch_add(count as u64, Relaxed);
    }

    /// Samples that gave way to newer ones of the same signal.
    pub fn count_coalesced(&self, samples: usize) {
        self.coalesced.fetch_add(samples as u64, Relaxed);
    }

    pub fn count_unknown_topic(&self, topic: &str) {
        self.unknown_topics.fetch_add(1, Relaxed);
        let mut rare = self.rare();
        if let Some(count) = rare.unknown.get_mut(topic) {
            *count += 1;
        } else {
            let topic = if rare.unknown.len() < MOST_TOPICS { topic } else { OTHER_TOPICS };
            *rare.unknown.entry(topic.to_owned()).or_default() += 1;
        }
    }

    /// A message with a part that could not be decoded.
    pub fn count_decode_error(&self, topic: &str, error: &dyn std::fmt::Display, payload: &[u8], now: Timestamp) {
        self.decode_errors.fetch_add(1, Relaxed);
        self.note_problem(topic, error, payload, now);
    }

    /// A message whose source time could not be used.
    pub fn count_clock_problem(&self, topic: &str, error: &dyn std::fmt::Display, payload: &[u8], now: Timestamp) {
        self.clock_problems.fetch_add(1, Relaxed);
        self.note_problem(topic, error, payload, now);
    }

    /// Adds to the problems of a topic without counting a decode error.
    pub fn note_problem(&self, topic: &str, error: &dyn std::fmt::Display, payload: &[u8], now: Timestamp) {
        let mut rare = self.rare();
        let known = rare.problems.contains_key(topic) || rare.problems.len() < MOST_TOPICS;
        let topic = if known { topic } else { OTHER_TOPICS };
        let problem = rare.problems.entry(topic.to_owned()).or_default();
        if problem.count == 0 {
            problem.topic = topic.to_owned();
        }
        problem.count += 1;
        problem.last_error = error.to_string();
        problem.last_payload = excerpt(payload);
        problem.last_time = now;
    }

    pub fn set_state(&self, state: ConnectionState, now: Timestamp) {
        let mut rare = self.rare();
        if rare.state != state {
            rare.state = state;
            rare.since = now;
        }
    }

    /// A plant that publishes there says that it is simulated, or that it has gone.
    pub fn note_plant(&self, topic: &str, scene: Option<String>) {
        let mut rare = self.rare();
        let has_room = rare.plants.len() < MOST_TOPICS || rare.plants.contains_key(topic);
        match scene {
            Some(scene) if has_room => drop(rare.plants.insert(topic.to_owned(), scene)),
            Some(_) => {}
            None => drop(rare.plants.remove(topic)),
        }
    }

    /// What plants have said is not known any more: the broker says it again.
    pub fn forget_plants(&self) {
        self.rare().plants.clear();
    }

    /// Replaces the last error; none clears it.
    pub fn set_error(&self, error: Option<String>) {
        self.rare().error = error;
    }

    /// State and last error, without the rest of a snapshot.
    pub fn connection(&self) -> (ConnectionState, Option<String>) {
        let rare = self.rare();
        (rare.state, rare.error.clone())
    }

    pub fn count_reconnect(&self) {
        self.rare().reconnects += 1;
    }

    /// A copy for panels and `--state`. Rates are over the last three seconds or so, as far as snapshots were taken.
    pub fn snapshot(&self, now: Timestamp) -> SourceSnapshot {
        let mut rare = self.rare();
        let received = self.received.load(Relaxed);
        let received_bytes = self.received_bytes.load(Relaxed);
        let (messages_per_sec, bytes_per_sec) = rare.rates(now, received, received_bytes);
        let mut unknown: Vec<_> = rare.unknown.iter().map(|(topic, count)| (topic.clone(), *count)).collect();
        unknown.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let mut problems: Vec<_> = rare.problems.values().cloned().collect();
        problems.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.topic.cmp(&b.topic)));
        SourceSnapshot {
            name: rare.name.clone(),
            address: rare.address.clone(),
            state: rare.state,
            since: rare.since,
            error: rare.error.clone(),
            reconnects: rare.reconnects,
            plants: rare.plants.values().cloned().collect(),
            received,
            received_bytes,
            messages_per_sec,
            bytes_per_sec,
            decoded: self.decoded.load(Relaxed),
            unknown_topics: self.unknown_topics.load(Relaxed),
            decode_errors: self.decode_errors.load(Relaxed),
            clock_problems: self.clock_problems.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            coalesced: self.coalesced.load(Relaxed),
            unknown,
            problems,
        }
    }

    /// Counters stay true if a thread that held the lock has panicked.
    fn rare(&self) -> MutexGuard<'_, Rare> {
        self.rare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rare {
    fn rates(&mut self, now: Timestamp, messages: u64, bytes: u64) -> (f64, f64) {
        while self.rates.get(1).is_some_and(|(at, ..)| *at + RATE_WINDOW <= now) {
            self.rates.pop_front();
        }
        let rates = self.rates.front().map_or((0.0, 0.0), |(at, messages_then, bytes_then)| {
            let secs = now.secs_since(*at);
            if secs <= 0.0 {
                return (0.0, 0.0);
            }
            let per_sec = |now: u64, then: u64| now.saturating_sub(then) as f64 / secs;
            (per_sec(messages, *messages_then), per_sec(bytes, *bytes_then))
        });
        if self.rates.back().is_none_or(|(at, ..)| *at + RATE_STEP <= now) {
            self.rates.push_back((now, messages, bytes));
        }
        rates
    }
}

/// The beginning of a payload as one line of text.
fn excerpt(payload: &[u8]) -> String {
    let start = payload.get(..KEPT_PAYLOAD).unwrap_or(payload);
    let more = if start.len() < payload.len() { "…" } else { "" };
    let text = String::from_utf8_lossy(start);
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown + more
}

/// A consistent copy for panels and `--state`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SourceSnapshot {
    pub name: String,
    /// `mqtt://localhost:1883`, without credentials.
    pub address: String,
    pub state: ConnectionState,
    pub since: Timestamp,
    pub error: Option<String>,
    pub reconnects: u64,
    /// Scenes of simulated plants that say that they publish there.
    pub plants: Vec<String>,
    /// Messages and their payload bytes.
    pub received: u64,
    pub received_bytes: u64,
    /// Over the last few seconds.
    pub messages_per_sec: f64,
    pub bytes_per_sec: f64,
    /// Samples made from messages.
    pub decoded: u64,
    /// Messages on topics that no signal is bound to.
    pub unknown_topics: u64,
    pub decode_errors: u64,
    /// Messages whose source time could not be used: the receive time was taken.
    pub clock_problems: u64,
    /// Samples lost for good, and samples merged into newer ones because the world was slow.
    pub dropped: u64,
    pub coalesced: u64,
    /// Unknown topics with their counts, most frequent first, a bounded number of them.
    pub unknown: Vec<(String, u64)>,
    /// Topics whose payloads could not be decoded, most frequent first, a bounded number of them.
    pub problems: Vec<TopicProblem>,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct TopicProblem {
    pub topic: String,
    pub count: u64,
    /// Names the rule that the payload broke.
    pub last_error: String,
    /// The beginning of the last bad payload, control characters escaped.
    pub last_payload: String,
    pub last_time: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_unknown_topics_is_counted_whole_and_kept_within_a_bound() {
        let status = SourceStatus::new("plant", "mqtt://localhost:1883", Timestamp(0));
        for n in 0..1000 {
            status.count_unknown_topic(&format!("stray/{n}"));
        }
        status.count_unknown_topic("stray/7");
        let snapshot = status.snapshot(Timestamp(0));
        assert_eq!(snapshot.unknown_topics, 1001);
        assert_eq!(snapshot.unknown.len(), MOST_TOPICS + 1);
        assert_eq!(snapshot.unknown[0], (OTHER_TOPICS.to_owned(), 744));
        assert_eq!(snapshot.unknown[1], ("stray/7".to_owned(), 2));
    }

    #[test]
    fn the_last_bad_payload_is_kept_short_and_on_one_line() {
        let status = SourceStatus::default();
        status.count_decode_error("a", &"first", b"x", Timestamp(1));
        status.count_decode_error("a", &"second", &[b"{\n\0\xff".as_slice(), &[b'x'; 900]].concat(), Timestamp(2));
        let problem = &status.snapshot(Timestamp(2)).problems[0];
        assert_eq!((problem.count, problem.last_error.as_str(), problem.last_time), (2, "second", Timestamp(2)));
        assert!(problem.last_payload.starts_with("{\\n\\u{0}\u{fffd}xxx"), "{}", problem.last_payload);
        assert!(problem.last_payload.ends_with("x…") && problem.last_payload.len() < 300);
    }

    #[test]
    fn rates_are_of_the_last_seconds_only() {
        let at = |secs: f64| Timestamp::from_secs_f64(secs);
        let status = SourceStatus::new("plant", "", at(0.0));
        let mut rate = 0.0;
        for step in 1..=40 {
            (0..25).for_each(|_| status.count_message(10));
            rate = status.snapshot(at(f64::from(step) * 0.25)).messages_per_sec;
        }
        assert!((rate - 100.0).abs() < 1.0, "{rate}");
        for step in 41..=60 {
            rate = status.snapshot(at(f64::from(step) * 0.25)).messages_per_sec;
        }
        assert_eq!(rate, 0.0);
    }
}
