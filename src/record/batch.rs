//! Messages on their way to a file, one after the other in few pieces of memory, so that a listener allocates nothing
//! for a message. In: messages as they came. Out: the same. Never looks into a payload.

use crate::value::Timestamp;

/// A message as it came from a broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Raw<'a> {
    /// Its number among the recorder's brokers.
    pub broker: u16,
    pub topic: &'a str,
    pub qos: u8,
    pub retained: bool,
    /// When it was received.
    pub log_time: Timestamp,
    /// The source time of its first sample, else when it was received.
    pub publish_time: Timestamp,
    pub payload: &'a [u8],
}

#[derive(Clone, Copy, Debug)]
struct Head {
    log_time: Timestamp,
    publish_time: Timestamp,
    topic_len: usize,
    payload_len: usize,
    broker: u16,
    qos: u8,
    retained: bool,
}

/// Messages in the order of their arrival.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    heads: Vec<Head>,
    topics: String,
    payloads: Vec<u8>,
}

impl Batch {
    pub fn push(&mut self, raw: &Raw) {
        self.topics.push_str(raw.topic);
        self.payloads.extend_from_slice(raw.payload);
        self.heads.push(Head {
            log_time: raw.log_time,
            publish_time: raw.publish_time,
            topic_len: raw.topic.len(),
            payload_len: raw.payload.len(),
            broker: raw.broker,
            qos: raw.qos,
            retained: raw.retained,
        });
    }

    pub fn iter(&self) -> impl Iterator<Item = Raw<'_>> {
        let (mut topics, mut payloads) = (self.topics.as_str(), self.payloads.as_slice());
        self.heads.iter().map_while(move |head| {
            let (topic, more_topics) = topics.split_at_checked(head.topic_len)?;
            let (payload, more_payloads) = payloads.split_at_checked(head.payload_len)?;
            (topics, payloads) = (more_topics, more_payloads);
            Some(Raw {
                broker: head.broker,
                topic,
                qos: head.qos,
                retained: head.retained,
                log_time: head.log_time,
                publish_time: head.publish_time,
                payload,
            })
        })
    }

    pub fn len(&self) -> usize {
        self.heads.len()
    }

    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// Bytes of memory that it fills.
    pub fn bytes(&self) -> usize {
        self.heads.len() * size_of::<Head>() + self.topics.len() + self.payloads.len()
    }

    /// Bytes of topics and payloads: about what a reader has to decompress.
    pub fn content(&self) -> u64 {
        (self.topics.len() + self.payloads.len()) as u64
    }

    /// Receive time of the newest message.
    pub fn newest(&self) -> Option<Timestamp> {
        self.heads.iter().map(|head| head.log_time).max()
    }

    /// Forgets all messages, keeps their memory, unless a flood has made it large.
    pub fn clear(&mut self) {
        const LARGE: usize = 4 << 20;
        if self.payloads.capacity() + self.topics.capacity() > LARGE {
            *self = Self::default();
            return;
        }
        self.heads.clear();
        self.topics.clear();
        self.payloads.clear();
    }

    pub fn append(&mut self, other: &Batch) {
        self.heads.extend_from_slice(&other.heads);
        self.topics.push_str(&other.topics);
        self.payloads.extend_from_slice(&other.payloads);
    }

    /// The messages received up to and including `at`, and those after.
    pub fn split(&self, at: Timestamp) -> (Batch, Batch) {
        let (mut until, mut after) = (Batch::default(), Batch::default());
        for raw in self.iter() {
            if raw.log_time <= at { until.push(&raw) } else { after.push(&raw) }
        }
        (until, after)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn messages_come_out_as_they_went_in(
            messages in prop::collection::vec((any::<u16>(), ".{0,9}", 0_u8..3, any::<bool>(), any::<i64>(), prop::collection::vec(any::<u8>(), 0..9)), 0..20),
            at in any::<i64>(),
        ) {
            let raws: Vec<_> = messages.iter().map(|(broker, topic, qos, retained, time, payload)| Raw {
                broker: *broker, topic, qos: *qos, retained: *retained,
                log_time: Timestamp(*time), publish_time: Timestamp(time.wrapping_mul(3)), payload,
            }).collect();
            let mut batch = Batch::default();
            raws.iter().for_each(|raw| batch.push(raw));
            prop_assert_eq!(batch.iter().collect::<Vec<_>>(), raws.clone());
            let (mut until, after) = batch.split(Timestamp(at));
            prop_assert!(until.iter().all(|raw| raw.log_time.0 <= at) && after.iter().all(|raw| raw.log_time.0 > at));
            until.append(&after);
            prop_assert_eq!(until.len(), raws.len());
            prop_assert_eq!((until.content(), until.bytes(), until.newest()), (batch.content(), batch.bytes(), batch.newest()));
            batch.clear();
            prop_assert!(batch.is_empty() && batch.iter().next().is_none());
        }
    }
}
