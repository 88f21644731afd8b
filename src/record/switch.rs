//! Which recorder the listeners of a running session feed: recording begins and ends while they listen.
//!
//! In: a [`RecordSink`] or none. Out: taps that pass messages on to it. A message costs a listener one atomic load while
//! nothing changes. Never blocks: the lock is taken once after each change, for as long as it takes to make a tap.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::recorder::RecordSink;
use crate::ingest::Message;
use crate::source::mqtt::RawTap;
use crate::value::Timestamp;

#[derive(Clone, Debug, Default)]
pub struct TapSwitch {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Rises with each change of `sink`.
    version: AtomicU64,
    sink: Mutex<Option<RecordSink>>,
}

impl TapSwitch {
    /// From the next message of each listener on, `sink` gets what comes; none: nobody does.
    pub fn set(&self, sink: Option<RecordSink>) {
        *self.shared.sink.lock() = sink;
        self.shared.version.fetch_add(1, Ordering::Release);
    }

    /// What a listener calls for every message of `broker`.
    pub fn tap(&self, broker: &str) -> RawTap {
        let (shared, broker) = (self.shared.clone(), broker.to_owned());
        let mut known = 0;
        let mut tap: Option<RawTap> = None;
        Box::new(move |message: &Message, source_time: Option<Timestamp>| {
            let version = shared.version.load(Ordering::Acquire);
            if version != known {
                known = version;
                tap = shared.sink.lock().as_ref().map(|sink| sink.tap(&broker));
            }
            if let Some(tap) = &mut tap {
                tap(message, source_time);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::format::About;
    use crate::record::{RecordOptions, Recorder, SceneFiles};
    use crate::source::Clock;

    #[test]
    fn listeners_feed_whichever_recorder_runs_and_none_where_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let switch = TapSwitch::default();
        let mut tap = switch.tap("plant");
        let mut hear = |payload: &[u8]| {
            let message = Message { topic: "t", payload, retained: false, qos: 0, receive_time: Timestamp::now() };
            tap(&message, None);
        };
        hear(b"before");
        let record = |name: &str, hear: &mut dyn FnMut(&[u8]), payloads: &[&[u8]]| {
            let options = RecordOptions::new(folder.path().join(name));
            let recorder =
                Recorder::start(options, About::default(), SceneFiles::default(), Clock::WALL).expect("a recorder");
            switch.set(Some(recorder.sink()));
            payloads.iter().for_each(|payload| hear(payload));
            switch.set(None);
            recorder.finish().messages
        };
        assert_eq!(record("a.mcap", &mut hear, &[b"1", b"2"]), 2);
        hear(b"between");
        assert_eq!(record("b.mcap", &mut hear, &[b"3"]), 1);
    }
}
