//! What the recorder's thread shares with everybody else: the box in which things wait for it, its status, its wishes.
//!
//! In: messages, conclusions, keyframes, from any thread. Out: all of it, to the recorder's thread. A caller holds a lock
//! while a message is copied, the recorder's thread while two pieces of memory are swapped: no caller waits for the disk. The
//! box is bounded, and counts what does not fit. Never writes a file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::attach::SceneFiles;
use super::batch::{Batch, Raw};
use super::conclusion::Conclusion;
use super::keyframe::KeyframeBuilder;
use super::status::{PATIENCE, RecordState, RecordStatus};
use crate::event::{Draft, Kind};
use crate::source::Waker;
use crate::value::Timestamp;

/// Messages that wait fill this much memory at most, and conclusions as much again: some seconds of a flood.
const MOST_BYTES: usize = 64 << 20;
/// With so much waiting, the thread begins at once.
const PLENTY: usize = 1 << 20;
/// With less, it lets more gather first.
const GATHER: Duration = Duration::from_millis(50);

/// What waits besides messages.
pub enum Item {
    Conclusion(Conclusion),
    Keyframe(Box<KeyframeBuilder>),
    Scene {
        name: String,
        files: Arc<SceneFiles>,
        at: Timestamp,
    },
    /// Somebody asks for the past.
    Trigger,
}

#[derive(Default)]
struct Waiting {
    batch: Batch,
    items: Vec<Item>,
    /// Of conclusions.
    item_bytes: usize,
    dropped: u64,
    urgent: bool,
    closed: bool,
}

/// What was waiting.
pub struct Taken {
    /// Nothing will follow.
    pub closed: bool,
    /// Messages and conclusions that found no room since the last look.
    pub dropped: u64,
}

/// The thread is at work.
struct Busy {
    since: Instant,
    /// Somebody has heard that the disk does not answer.
    told: bool,
}

#[derive(Default)]
pub struct Shared {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    status: Mutex<RecordStatus>,
    busy: Mutex<Option<Busy>>,
    wants_keyframe: AtomicBool,
    /// Since when all that is heard stands behind the next keyframe, in nanoseconds since 1970.
    hears_since: AtomicI64,
    brokers: Mutex<Vec<Arc<str>>>,
    /// Tells the analysis that something is wanted of it.
    bell: Mutex<Option<Waker>>,
    news: Mutex<Vec<Draft>>,
}

impl Shared {
    /// The number of a broker, the same whenever it is asked for.
    pub fn broker(&self, name: &str) -> u16 {
        let mut brokers = self.brokers.lock();
        let at = brokers.iter().position(|known| **known == *name).unwrap_or_else(|| {
            brokers.push(name.into());
            brokers.len() - 1
        });
        u16::try_from(at).unwrap_or(u16::MAX)
    }

    pub fn brokers(&self) -> Vec<Arc<str>> {
        self.brokers.lock().clone()
    }

    pub fn push(&self, raw: &Raw) {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return;
        }
        if waiting.batch.bytes() + raw.topic.len() + raw.payload.len() > MOST_BYTES {
            waiting.dropped += 1;
            return;
        }
        let was_empty = waiting.batch.is_empty();
        waiting.batch.push(raw);
        let plenty = !waiting.urgent && waiting.batch.bytes() >= PLENTY;
        waiting.urgent |= plenty;
        drop(waiting);
        if was_empty || plenty {
            self.filled.notify_one();
        }
    }

    pub fn give(&self, item: Item) {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return;
        }
        if let Item::Conclusion(conclusion) = &item {
            let bytes = conclusion.bytes();
            if waiting.item_bytes + bytes > MOST_BYTES {
                waiting.dropped += 1;
                return;
            }
            waiting.item_bytes += bytes;
        } else {
            waiting.urgent = true;
        }
        waiting.items.push(item);
        drop(waiting);
        self.filled.notify_one();
    }

    /// Nothing is taken from now on; the thread writes what waits, and ends.
    pub fn close(&self) {
        self.waiting.lock().closed = true;
        self.filled.notify_one();
    }

    /// Waits for something, `patience` at most, and takes all of it. `batch` is empty.
    pub fn take(&self, batch: &mut Batch, items: &mut Vec<Item>, patience: Duration) -> Taken {
        let mut waiting = self.waiting.lock();
        let is_ready = |waiting: &Waiting| waiting.urgent || waiting.closed;
        let is_empty = |waiting: &Waiting| waiting.batch.is_empty() && waiting.items.is_empty();
        self.filled.wait_while_for(&mut waiting, |waiting| is_empty(waiting) && !is_ready(waiting), patience);
        if !is_empty(&waiting) {
            self.filled.wait_while_for(&mut waiting, |waiting| !is_ready(waiting), GATHER);
        }
        std::mem::swap(batch, &mut waiting.batch);
        items.append(&mut waiting.items);
        waiting.item_bytes = 0;
        waiting.urgent = false;
        Taken { closed: waiting.closed, dropped: std::mem::take(&mut waiting.dropped) }
    }

    /// Bytes that wait.
    pub fn waiting_bytes(&self) -> u64 {
        self.waiting.lock().batch.bytes() as u64
    }

    pub fn begin_work(&self) {
        *self.busy.lock() = Some(Busy { since: Instant::now(), told: false });
    }

    /// How long it took, if it took so long that it was told.
    pub fn end_work(&self) -> Option<Duration> {
        self.busy.lock().take().filter(|busy| busy.told).map(|busy| busy.since.elapsed())
    }

    pub fn change_status(&self, change: impl FnOnce(&mut RecordStatus)) {
        change(&mut self.status.lock());
    }

    pub fn status(&self) -> RecordStatus {
        let mut status = self.status.lock().clone();
        status.silent = self.busy.lock().as_ref().map_or(Duration::ZERO, |busy| busy.since.elapsed());
        let waiting = self.waiting.lock();
        status.waiting_bytes = waiting.batch.bytes() as u64;
        status.dropped += waiting.dropped;
        status
    }

    pub fn ring_with(&self, bell: Waker) {
        *self.bell.lock() = Some(bell);
    }

    fn ring(&self) {
        if let Some(bell) = self.bell.lock().as_ref() {
            bell();
        }
    }

    pub fn want_keyframe(&self) {
        self.wants_keyframe.store(true, Ordering::Release);
        self.ring();
    }

    pub fn wants_keyframe(&self) -> bool {
        self.wants_keyframe.load(Ordering::Acquire)
    }

    pub fn keyframe_is_given(&self) {
        self.wants_keyframe.store(false, Ordering::Release);
    }

    pub fn set_hears_since(&self, at: Timestamp) {
        self.hears_since.fetch_max(at.0, Ordering::AcqRel);
    }

    pub fn hears_since(&self) -> Timestamp {
        Timestamp(self.hears_since.load(Ordering::Acquire))
    }

    /// Something for the record of the session.
    pub fn tell(&self, draft: Draft) {
        self.news.lock().push(draft);
        self.ring();
    }

    /// At `now`. That the disk does not answer is for others to find: the thread itself waits for it.
    pub fn take_news(&self, now: Timestamp) -> Vec<Draft> {
        let mut news = std::mem::take(&mut *self.news.lock());
        let mut busy = self.busy.lock();
        if let Some(busy) = busy.as_mut().filter(|busy| !busy.told && busy.since.elapsed() >= PATIENCE) {
            busy.told = true;
            let file = self.status.lock().shown_file();
            let text = format!(
                "the disk of the recording {file} has not answered for {} s: what comes waits in memory, {} MiB at most",
                PATIENCE.as_secs(),
                MOST_BYTES >> 20,
            );
            tracing::warn!("{text}");
            news.push(Draft::new(now, now, Kind::Note { text }));
        }
        news
    }

    pub fn set_ended(&self) {
        // A thread that has ended in a panic takes nothing any more.
        self.waiting.lock().closed = true;
        self.change_status(|status| {
            if status.state == RecordState::Failed && status.error.is_none() {
                status.error = Some("the recorder has ended".to_owned());
            }
            status.state = RecordState::Ended;
        });
        self.end_work();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(payload: &[u8]) -> Raw<'_> {
        Raw {
            broker: 0,
            topic: "t",
            qos: 0,
            retained: false,
            log_time: Timestamp(1),
            publish_time: Timestamp(1),
            payload,
        }
    }

    #[test]
    fn what_does_not_fit_is_counted_and_nobody_waits() {
        let shared = Shared::default();
        let payload = vec![0; 1 << 20];
        let begun = Instant::now();
        for _ in 0..100 {
            shared.push(&raw(&payload));
        }
        let dropped = shared.status().dropped;
        assert!((36..=40).contains(&dropped), "{dropped}");
        assert!(begun.elapsed() < Duration::from_secs(10), "nobody takes anything, and nobody waits for that");
        let (mut batch, mut items) = (Batch::default(), Vec::new());
        let taken = shared.take(&mut batch, &mut items, Duration::ZERO);
        assert_eq!((batch.len() as u64 + taken.dropped, taken.dropped), (100, dropped));
        shared.push(&raw(b"again"));
        assert!(shared.status().waiting_bytes > 0);
    }

    #[test]
    fn after_the_end_nothing_is_taken_and_nothing_piles_up() {
        let shared = Shared::default();
        shared.push(&raw(b"last"));
        shared.close();
        shared.push(&raw(b"too late"));
        shared.give(Item::Trigger);
        let (mut batch, mut items) = (Batch::default(), Vec::new());
        assert!(shared.take(&mut batch, &mut items, Duration::from_secs(60)).closed);
        assert_eq!((batch.len(), items.len()), (1, 0));
    }

    #[test]
    fn a_broker_has_one_number() {
        let shared = Shared::default();
        assert_eq!(["a", "b", "a"].map(|name| shared.broker(name)), [0, 1, 0]);
        assert_eq!(shared.brokers().len(), 2);
    }

    #[test]
    fn conclusions_that_do_not_fit_are_counted_too() {
        let shared = Shared::default();
        let forecast = Arc::new(crate::record::RecordedForecast {
            twin: "P-101".into(),
            signal: "flow".into(),
            issued: Timestamp(1),
            source_time: Timestamp(0),
            after_ns: vec![1; 1 << 17],
            levels: vec![0.5],
            values: Vec::new(),
        });
        (0..100).for_each(|_| shared.give(Item::Conclusion(Conclusion::Forecast(forecast.clone()))));
        let dropped = shared.status().dropped;
        assert!((36..=40).contains(&dropped), "{dropped}");
        let (mut batch, mut items) = (Batch::default(), Vec::new());
        assert_eq!(shared.take(&mut batch, &mut items, Duration::ZERO).dropped, dropped);
        assert_eq!(items.len() as u64, 100 - dropped);
        shared.give(Item::Conclusion(Conclusion::Forecast(forecast)));
        assert_eq!(shared.status().dropped, 0, "there is room again");
    }
}
