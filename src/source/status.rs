//! What a source counts about itself, readable from any thread while it works.

use crate::twin::Timestamp;

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

/// Counters and last words of a source; shared between its thread and the world.
#[derive(Debug, Default)]
pub struct SourceStatus {}

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
