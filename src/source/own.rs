//! Knows the messages again that this program has sent. In: own messages, messages that a broker brings. Out: whether a
//! message is an own one; any other comes from somebody else. Remembers the newest of each topic, as hashes.

use std::collections::{HashMap, HashSet, VecDeque};

use twox_hash::XxHash64;

/// Messages of a topic that are known again.
const REMEMBERED: usize = 4096;

/// Own messages by topic.
#[derive(Debug, Default)]
pub(super) struct Own(HashMap<String, Sent>);

/// Hashes of the newest messages of a topic.
#[derive(Debug, Default)]
struct Sent {
    order: VecDeque<u64>,
    known: HashSet<u64>,
}

impl Own {
    pub fn add(&mut self, topic: &str, payload: &[u8]) {
        let sent = self.0.entry(topic.to_owned()).or_default();
        let hash = XxHash64::oneshot(0, payload);
        if sent.known.insert(hash) {
            sent.order.push_back(hash);
        }
        if sent.order.len() > REMEMBERED
            && let Some(oldest) = sent.order.pop_front()
        {
            sent.known.remove(&oldest);
        }
    }

    pub fn has(&self, topic: &str, payload: &[u8]) -> bool {
        self.0.get(topic).is_some_and(|sent| sent.known.contains(&XxHash64::oneshot(0, payload)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_messages_of_a_topic_are_known_again() {
        let mut own = Own::default();
        own.add("a", b"1");
        assert!(own.has("a", b"1") && !own.has("a", b"2") && !own.has("b", b"1"));
        (0..REMEMBERED).for_each(|n| own.add("a", format!("later {n}").as_bytes()));
        assert!(own.has("a", b"later 0") && !own.has("a", b"1"), "the oldest is forgotten");
    }
}
