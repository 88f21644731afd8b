//! The bounded way from a source's thread to the world.
//!
//! In: messages as samples, one or some at a time, from a thread that must never wait. Out: [`Batch`]es in order, the
//! time before which nothing more can come ([`Inbox::settled`]), and a call of the [`Waker`] when the world has seen an
//! empty inbox since. When the world is slow, the source is first asked to [hold on](Mailbox::should_hold) for a
//! moment, so that the sender feels it and nothing is lost; a world that stays slow lets samples gather up to a bound,
//! beyond which the oldest of a signal give way to newer ones of the same signal, counted. The newest sample of a
//! signal is never lost while the inbox lives. Messages that the world [wants whole](Inbox::want_whole) travel with
//! their bytes; others do not, which costs nothing. Never blocks.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use parking_lot::Mutex;

use super::{SourceStatus, Waker};
use crate::fault;
use crate::value::{Sample, SignalIndex, Timestamp, topic};

/// Samples in a full batch: 50 kB.
const BATCH: usize = 1024;
/// Empty batches that wait for their next use: to free and allocate them in different threads costs a flooded listener
/// more than to decode.
const MOST_SPARE: usize = 256;
/// A batch that is not full leaves after this long, so that a busy source makes some hundred batches a second.
const FLUSH_AFTER: Duration = Duration::from_millis(2);
/// Batches and samples that wait for the world at most: some seconds of small batches, about 50 MB of large ones.
const MOST_BATCHES: usize = 2048;
const MOST_SAMPLES: usize = 1 << 20;
/// With this many waiting, a source that can do so reads on a little later: few enough to stay in a processor's cache.
const HOLD_ABOVE: usize = 1 << 16;
/// A world that has not taken enough after so long is not waited for any more until it has.
const LONGEST_HOLD: Duration = Duration::from_millis(50);
/// Samples that gather behind a full channel before they coalesce.
const MOST_PENDING: usize = 1 << 16;

/// Bytes of whole messages that wait for the world at most.
const MOST_BYTES: usize = 64 << 20;
/// What a whole message takes beside its payload.
const OVERHEAD: usize = 128;

/// Messages of one source as samples, in the order of arrival.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Batch {
    /// The binding table that made these indices: rises by one with each scene reload.
    pub generation: u32,
    pub samples: Vec<Sample>,
    /// Where each message ends in `samples`, ascending; the last is their number. Messages without samples leave no
    /// mark, unless they are whole.
    pub ends: Vec<u32>,
    /// Messages that travel with their bytes, each with its place in `ends`, ascending.
    pub whole: Vec<(u32, fault::Message)>,
    /// Messages that were wanted whole and come without their bytes, as more waited than there is room for.
    pub unwhole: u64,
    /// Samples that gave way to newer ones of their signals since the batch before, as the world was too slow.
    pub coalesced: u64,
}

impl Batch {
    /// All samples are of one message.
    pub fn of_message(generation: u32, samples: Vec<Sample>) -> Self {
        let end = samples.len() as u32;
        Self { generation, samples, ends: Vec::from_iter((end > 0).then_some(end)), ..Self::default() }
    }

    /// Each sample is a message of its own.
    pub fn of_samples(generation: u32, samples: Vec<Sample>) -> Self {
        let ends = (1..=samples.len() as u32).collect();
        Self { generation, samples, ends, ..Self::default() }
    }

    /// Lets `fill` add the samples of one message.
    pub fn add<R>(&mut self, fill: impl FnOnce(&mut Vec<Sample>) -> R) -> R {
        self.add_whole(|samples| (fill(samples), None))
    }

    /// The same, with the message itself if it is to travel whole.
    pub fn add_whole<R>(&mut self, fill: impl FnOnce(&mut Vec<Sample>) -> (R, Option<fault::Message>)) -> R {
        let before = self.samples.len();
        let (result, whole) = fill(&mut self.samples);
        if self.samples.len() > before || whole.is_some() {
            self.whole.extend(whole.map(|message| (self.ends.len() as u32, message)));
            self.ends.push(self.samples.len() as u32);
        }
        result
    }

    /// No message is in it.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// When its first message was received.
    fn first_received(&self) -> Option<Timestamp> {
        let sample = self.samples.first().map(|sample| sample.receive_time);
        let whole = self.whole.first().map(|(_, message)| message.time);
        [sample, whole].into_iter().flatten().min()
    }

    /// Of whole messages.
    fn bytes(&self) -> usize {
        self.whole.iter().map(|(_, message)| message.payload.len() + OVERHEAD).sum()
    }

    /// The samples of each message, and the message itself where it is whole.
    pub fn messages(&self) -> impl Iterator<Item = BatchMessage<'_>> {
        let mut whole = self.whole.iter().peekable();
        let mut start = 0;
        (0..).zip(&self.ends).filter_map(move |(place, end)| {
            let samples = self.samples.get(start..*end as usize)?;
            start = *end as usize;
            let whole = whole.next_if(|(at, _)| *at == place).map(|(_, message)| message);
            Some(BatchMessage { samples, whole })
        })
    }

    /// Removes samples, and messages without any sample left that are not whole.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut Sample) -> bool) {
        let Self { samples, ends, whole, .. } = self;
        let (mut at, mut kept, mut message) = (0, 0, 0);
        // Whole messages without samples that stand in front of all samples.
        while ends.get(message) == Some(&0) {
            message += 1;
        }
        samples.retain_mut(|sample| {
            let keeps = keep(sample);
            (at, kept) = (at + 1, kept + u32::from(keeps));
            while ends.get(message).is_some_and(|end| *end == at) {
                if let Some(end) = ends.get_mut(message) {
                    *end = kept;
                }
                message += 1;
            }
            keeps
        });
        let (mut before, mut place, mut left, mut next) = (0, 0, 0, 0);
        ends.retain(|end| {
            let is_whole = whole.get(next).is_some_and(|(at, _)| *at == place);
            let stays = std::mem::replace(&mut before, *end) < *end || is_whole;
            if let Some((at, _)) = whole.get_mut(next).filter(|_| is_whole) {
                *at = left;
                next += 1;
            }
            place += 1;
            left += u32::from(stays);
            stays
        });
    }

    fn clear(&mut self) {
        self.samples.clear();
        self.ends.clear();
        self.whole.clear();
        (self.coalesced, self.unwhole) = (0, 0);
    }
}

/// One message of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchMessage<'b> {
    /// None only if it is whole.
    pub samples: &'b [Sample],
    /// With its bytes.
    pub whole: Option<&'b fault::Message>,
}

impl BatchMessage<'_> {
    pub fn received(&self) -> Timestamp {
        let sample = self.samples.first().map(|sample| sample.receive_time);
        sample.or(self.whole.map(|message| message.time)).unwrap_or(Timestamp::MIN)
    }
}

/// The sending end, owned by the source's thread. Dropping it flushes as much as there is room for.
pub struct Mailbox {
    sender: Sender<Batch>,
    spare: Receiver<Batch>,
    shared: Arc<Shared>,
    status: Arc<SourceStatus>,
    waker: Waker,
    pending: Batch,
    /// When the messages at hand were received, which are still being added.
    at_hand: Option<Timestamp>,
    /// When the oldest pending sample came.
    pending_since: Option<Instant>,
    /// Pending samples coalesce beyond this many.
    coalesce_at: usize,
    /// Since when the world has had more than enough to do.
    holding_since: Option<Instant>,
    /// What the world wants whole, as of so many changes of its mind.
    wanted: (u32, Arc<Wanted>),
    /// Bytes of whole messages that are pending.
    pending_bytes: usize,
}

/// What is to travel whole.
#[derive(Debug, Default)]
struct Wanted {
    /// The name that the source has there.
    broker: Arc<str>,
    filters: Vec<String>,
}

/// The receiving end, owned by the world.
#[derive(Debug)]
pub struct Inbox {
    receiver: Receiver<Batch>,
    spare: Sender<Batch>,
    shared: Arc<Shared>,
}

/// Nothing is underway: what comes next is received after the clock is looked at again.
const NOTHING: i64 = i64::MAX;
/// Something is underway, and its time is not known yet.
const UNKNOWN: i64 = i64::MIN;

#[derive(Debug)]
struct Shared {
    /// The world has found the inbox empty and wants to be woken.
    wants_wake: AtomicBool,
    queued_samples: AtomicUsize,
    /// Bytes of whole messages in the channel.
    queued_bytes: AtomicUsize,
    /// Rises with each change of what is wanted whole.
    wishes: AtomicU32,
    wanted: Mutex<Arc<Wanted>>,
    /// Receive time of the oldest message that is not in the channel yet, or one of the two above.
    underway: AtomicI64,
}

/// A mailbox and its inbox.
pub fn mailbox(status: Arc<SourceStatus>, waker: Waker) -> (Mailbox, Inbox) {
    with_capacity(status, waker, MOST_BATCHES)
}

fn with_capacity(status: Arc<SourceStatus>, waker: Waker, batches: usize) -> (Mailbox, Inbox) {
    let (sender, receiver) = bounded(batches);
    let (spent, spare) = bounded(MOST_SPARE);
    let shared = Arc::new(Shared {
        wants_wake: AtomicBool::new(true),
        queued_samples: AtomicUsize::new(0),
        queued_bytes: AtomicUsize::new(0),
        wishes: AtomicU32::new(0),
        wanted: Mutex::default(),
        underway: AtomicI64::new(NOTHING),
    });
    let mailbox = Mailbox {
        sender,
        spare,
        shared: shared.clone(),
        status,
        waker,
        pending: Batch { samples: Vec::with_capacity(BATCH), ..Batch::default() },
        at_hand: None,
        pending_since: None,
        coalesce_at: MOST_PENDING,
        holding_since: None,
        wanted: Default::default(),
        pending_bytes: 0,
    };
    (mailbox, Inbox { receiver, spare: spent, shared })
}

impl Inbox {
    /// The time before which every message is in the channel, or was taken from it, at the latest `now`. Look at the
    /// clock before, take batches after.
    pub fn settled(&self, now: Timestamp) -> Timestamp {
        now.min(Timestamp(self.shared.underway.load(Ordering::SeqCst)))
    }

    /// From now on messages whose topics match any of these filters travel whole, and others do not: all that are received
    /// after this returns. `broker` is what the world calls their source.
    pub fn want_whole(&self, broker: &str, filters: Vec<String>) {
        let mut wanted = self.shared.wanted.lock();
        if wanted.filters != filters || &*wanted.broker != broker {
            *wanted = Arc::new(Wanted { broker: broker.into(), filters });
            self.shared.wishes.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn taken(&self, batch: &Batch) {
        self.shared.queued_samples.fetch_sub(batch.samples.len(), Ordering::Relaxed);
        if !batch.whole.is_empty() {
            self.shared.queued_bytes.fetch_sub(batch.bytes(), Ordering::Relaxed);
        }
    }

    /// The next batch. After a none, the waker is called when there is one again.
    pub fn try_recv(&self) -> Option<Batch> {
        let batch = self.receiver.try_recv().or_else(|_| {
            self.shared.wants_wake.store(true, Ordering::SeqCst);
            // One may have come just before the wish was known.
            self.receiver.try_recv()
        });
        let batch = batch.ok()?;
        self.taken(&batch);
        Some(batch)
    }

    /// Returns the memory of a batch that has been read, for the mailbox to fill again.
    pub fn recycle(&self, mut batch: Batch) {
        batch.clear();
        if batch.samples.capacity() >= BATCH && batch.samples.capacity() <= 2 * BATCH {
            // Enough are spare already, or there is no mailbox any more.
            let _ = self.spare.try_send(batch);
        }
    }

    /// Waits for the next batch; none after `timeout` or when the source has ended.
    pub fn recv_timeout(&self, timeout: Duration) -> Option<Batch> {
        let batch = self.receiver.recv_timeout(timeout).ok()?;
        self.taken(&batch);
        Some(batch)
    }

    /// Batches that wait.
    pub fn len(&self) -> usize {
        self.receiver.len()
    }

    pub fn is_empty(&self) -> bool {
        self.receiver.is_empty()
    }
}

impl Mailbox {
    /// Samples of earlier indices leave first, in a batch of their own.
    pub fn set_generation(&mut self, generation: u32) {
        if self.pending.generation == generation {
            return;
        }
        if !self.flush() {
            // The world replaces its scene: what it could not take in time has no place in the new one.
            self.status.count_dropped(self.pending.samples.len());
            self.pending.clear();
            self.pending_bytes = 0;
            self.pending_since = None;
            self.tell_underway();
        }
        self.pending.generation = generation;
    }

    /// The receive time of messages that were read just now. Until [`Mailbox::rest`], all that is added was received
    /// then.
    pub fn receive(&mut self, clock: impl FnOnce() -> Timestamp) -> Timestamp {
        let is_empty = self.pending.is_empty();
        if is_empty {
            // Before the clock is looked at: a world that sees nothing underway has looked at it earlier.
            self.shared.underway.store(UNKNOWN, Ordering::SeqCst);
        }
        let now = clock();
        self.at_hand = Some(now);
        if is_empty {
            self.shared.underway.store(now.0, Ordering::SeqCst);
        }
        now
    }

    /// All messages that were at hand have been added.
    pub fn rest(&mut self) {
        self.at_hand = None;
        if self.pending.is_empty() {
            self.tell_underway();
        }
    }

    /// Says which of the messages that are not in the channel is the oldest.
    fn tell_underway(&self) {
        let oldest = self.pending.first_received().or(self.at_hand);
        self.shared.underway.store(oldest.map_or(NOTHING, |oldest| oldest.0), Ordering::SeqCst);
    }

    /// Whether the world wants messages of a topic whole. Cheap enough for every message.
    #[inline]
    pub fn is_wanted_whole(&mut self, topic: &str) -> bool {
        if self.shared.wishes.load(Ordering::SeqCst) != self.wanted.0 {
            let wanted = self.shared.wanted.lock();
            self.wanted = (self.shared.wishes.load(Ordering::SeqCst), wanted.clone());
        }
        self.wanted.1.filters.iter().any(|filter| topic::matches(filter, topic))
    }

    /// A message, to travel whole with its samples. None if there is no room for its bytes, which is counted.
    pub fn whole(&mut self, message: &crate::ingest::Message) -> Option<fault::Message> {
        let bytes = message.payload.len() + OVERHEAD;
        if self.shared.queued_bytes.load(Ordering::Relaxed) + self.pending_bytes + bytes > MOST_BYTES {
            self.pending.unwhole += 1;
            return None;
        }
        self.pending_bytes += bytes;
        Some(message.whole(&self.wanted.1.broker))
    }

    /// Lets `fill` add the samples of one message; sends a batch if it is full.
    pub fn add<R>(&mut self, fill: impl FnOnce(&mut Vec<Sample>) -> R) -> R {
        self.add_whole(|samples| (fill(samples), None))
    }

    /// The same, with the message itself if it is to travel whole.
    pub fn add_whole<R>(&mut self, fill: impl FnOnce(&mut Vec<Sample>) -> (R, Option<fault::Message>)) -> R {
        let before = self.pending.ends.len();
        let result = self.pending.add_whole(fill);
        if self.pending.ends.len() == before {
            return result;
        }
        let count = self.pending.samples.len();
        if self.pending_since.is_none() {
            self.pending_since = Some(Instant::now());
            if self.at_hand.is_none() {
                self.tell_underway();
            }
        }
        if count >= BATCH && !self.flush() && count >= self.coalesce_at {
            let gone = coalesce(&mut self.pending, MOST_PENDING / 2);
            self.status.count_coalesced(gone);
            // With more signals than fit, only every other message's worth is worth another pass.
            self.coalesce_at = MOST_PENDING.max(self.pending.samples.len() * 2);
        }
        result
    }

    pub fn push(&mut self, sample: Sample) {
        self.add(|samples| samples.push(sample));
    }

    /// The world has enough to do for now: a source that can make its sender wait (MQTT over TCP: by not reading)
    /// should, for about a millisecond, and ask again. False after 50 ms, so that a world that hangs stops no source.
    pub fn should_hold(&mut self) -> bool {
        if self.shared.queued_samples.load(Ordering::Relaxed) <= HOLD_ABOVE {
            self.holding_since = None;
            return false;
        }
        self.holding_since.get_or_insert_with(Instant::now).elapsed() < LONGEST_HOLD
    }

    /// When pending samples should leave; none if there are none.
    pub fn due(&self) -> Option<Instant> {
        self.pending_since.map(|since| since + FLUSH_AFTER)
    }

    /// Sends pending samples if they have waited long enough.
    pub fn flush_if_due(&mut self, now: Instant) {
        if self.due().is_some_and(|due| due <= now) && !self.flush() {
            self.pending_since = Some(now);
        }
    }

    /// Sends pending samples now; false if there is no room, in which case they stay.
    pub fn flush(&mut self) -> bool {
        if self.pending.is_empty() {
            return true;
        }
        let count = self.pending.samples.len();
        let bytes = self.pending.bytes();
        let queued = &self.shared.queued_samples;
        if queued.load(Ordering::Relaxed) + count > MOST_SAMPLES && !self.sender.is_empty() {
            return false;
        }
        let mut next = self.spare.try_recv().unwrap_or_else(|_| {
            let room = if count < BATCH { count.max(64) } else { BATCH + BATCH / 8 };
            Batch { samples: Vec::with_capacity(room), ..Batch::default() }
        });
        next.generation = self.pending.generation;
        let full = std::mem::replace(&mut self.pending, next);
        queued.fetch_add(count, Ordering::Relaxed);
        self.shared.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.pending_bytes = 0;
        match self.sender.try_send(full) {
            Ok(()) => {
                // Only now: samples that are no longer underway must be in the channel.
                self.tell_underway();
                self.pending_since = None;
                self.coalesce_at = MOST_PENDING;
                if self.shared.wants_wake.swap(false, Ordering::SeqCst) {
                    (self.waker)();
                }
                true
            }
            Err(TrySendError::Full(batch)) => {
                queued.fetch_sub(count, Ordering::Relaxed);
                self.shared.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
                self.pending_bytes = bytes;
                self.pending = batch;
                false
            }
            Err(TrySendError::Disconnected(_)) => {
                self.tell_underway();
                self.status.count_dropped(count);
                self.pending_since = None;
                true
            }
        }
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        if !self.flush() {
            self.status.count_dropped(self.pending.samples.len());
        }
        self.shared.underway.store(NOTHING, Ordering::SeqCst);
    }
}

/// Removes samples that a newer one of the same signal follows, oldest first, until `target` are left or each signal
/// has one. Keeps the order; returns how many are gone.
fn coalesce(batch: &mut Batch, target: usize) -> usize {
    let before = batch.samples.len();
    let mut left: HashMap<SignalIndex, usize> = HashMap::new();
    for sample in &batch.samples {
        *left.entry(sample.signal).or_default() += 1;
    }
    let mut excess = before.saturating_sub(target);
    batch.retain(|sample| match left.get_mut(&sample.signal) {
        Some(newer) if *newer > 1 && excess > 0 => {
            *newer -= 1;
            excess -= 1;
            false
        }
        _ => true,
    });
    let gone = before - batch.samples.len();
    batch.coalesced += gone as u64;
    gone
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use proptest::prelude::*;

    use super::*;
    use crate::value::{Origin, Quality, Value};

    fn sample(signal: u32, time: i64) -> Sample {
        Sample {
            signal: SignalIndex(signal),
            source_time: Timestamp(time),
            receive_time: Timestamp(time),
            value: Value::Number(time as f64),
            quality: Quality::GOOD,
            origin: Origin::Measured,
        }
    }

    fn counting() -> (Arc<AtomicU64>, Waker) {
        let wakes = Arc::new(AtomicU64::new(0));
        let counter = wakes.clone();
        let waker = move || {
            counter.fetch_add(1, Ordering::SeqCst);
        };
        (wakes, Arc::new(waker))
    }

    #[test]
    fn the_world_is_woken_once_for_each_time_it_found_nothing() {
        let (wakes, waker) = counting();
        let (mut mailbox, inbox) = mailbox(Arc::default(), waker);
        for n in 0..10 {
            mailbox.push(sample(0, n));
            mailbox.flush();
        }
        assert_eq!(wakes.load(Ordering::SeqCst), 1);
        assert_eq!(std::iter::from_fn(|| inbox.try_recv()).count(), 10);
        mailbox.push(sample(0, 11));
        mailbox.flush();
        assert_eq!(wakes.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_slow_world_loses_old_samples_but_never_the_newest_and_all_are_counted() {
        let status = Arc::new(SourceStatus::default());
        let (mut mailbox, inbox) = with_capacity(status.clone(), Arc::new(|| ()), 2);
        const SENT: usize = 300_000;
        for n in 0..SENT {
            mailbox.push(sample((n % 7) as u32, n as i64));
        }
        let mut got: Vec<Sample> = Vec::new();
        loop {
            match inbox.try_recv() {
                Some(batch) => got.extend(batch.samples),
                None if mailbox.due().is_some() => assert!(mailbox.flush()),
                None => break,
            }
        }
        let coalesced = status.snapshot(Timestamp(0)).coalesced as usize;
        assert!(coalesced > 0);
        assert_eq!(got.len() + coalesced, SENT);
        for signal in 0..7 {
            let newest = got.iter().rev().find(|sample| sample.signal.0 == signal).unwrap();
            assert!(newest.source_time.0 as usize >= SENT - 7);
        }
        assert!(got.is_sorted_by_key(|sample| sample.source_time));
    }

    #[test]
    fn a_busy_world_makes_the_source_hold_on_but_not_for_ever() {
        let (mut mailbox, inbox) = mailbox(Arc::default(), Arc::new(|| ()));
        assert!(!mailbox.should_hold());
        for n in 0..2 * HOLD_ABOVE {
            mailbox.push(sample(0, n as i64));
        }
        assert!(mailbox.should_hold());
        std::thread::sleep(LONGEST_HOLD);
        assert!(!mailbox.should_hold(), "the world hangs: what comes gathers, and coalesces in the end");
        while inbox.try_recv().is_some() {}
        assert!(!mailbox.should_hold());
        for n in 0..2 * HOLD_ABOVE {
            mailbox.push(sample(0, n as i64));
        }
        assert!(mailbox.should_hold(), "it has moved on, and is waited for again");
    }

    #[test]
    fn batches_of_an_old_scene_keep_their_generation() {
        let (mut mailbox, inbox) = mailbox(Arc::default(), Arc::new(|| ()));
        mailbox.push(sample(0, 1));
        mailbox.set_generation(1);
        mailbox.push(sample(0, 2));
        mailbox.flush();
        let generations: Vec<_> = std::iter::from_fn(|| inbox.try_recv()).map(|batch| batch.generation).collect();
        assert_eq!(generations, [0, 1]);
    }

    #[test]
    fn nothing_is_settled_that_is_underway() {
        let (mut mailbox, inbox) = mailbox(Arc::default(), Arc::new(|| ()));
        assert_eq!(inbox.settled(Timestamp(50)), Timestamp(50), "nothing is underway");
        let at = mailbox.receive(|| {
            assert!(inbox.settled(Timestamp(50)) < Timestamp(50), "it is being looked what time it is");
            Timestamp(40)
        });
        assert_eq!(inbox.settled(Timestamp(50)), at);
        mailbox.push(sample(0, 40));
        mailbox.flush();
        assert_eq!(inbox.settled(Timestamp(50)), at, "more of the same read may come");
        mailbox.push(sample(0, 40));
        mailbox.rest();
        mailbox.receive(|| Timestamp(45));
        mailbox.rest();
        assert_eq!(inbox.settled(Timestamp(50)), at, "it is not in the channel yet");
        mailbox.flush();
        assert_eq!(inbox.settled(Timestamp(50)), Timestamp(50));
        assert_eq!(inbox.len(), 2);
    }

    #[test]
    fn a_batch_knows_its_messages_also_when_samples_are_taken_out() {
        let samples: Vec<_> = (0..6).map(|n| sample(n % 3, i64::from(n))).collect();
        let mut batch = Batch { samples, ends: vec![1, 3, 6], ..Batch::default() };
        batch.retain(|sample| sample.signal.0 == 2);
        let times: Vec<Vec<i64>> = batch
            .messages()
            .map(|message| message.samples.iter().map(|sample| sample.source_time.0).collect())
            .collect();
        assert_eq!(times, [vec![2], vec![5]]);
    }

    fn message(topic: &str, time: i64) -> fault::Message {
        let (broker, topic) = ("plant".into(), topic.into());
        let payload = bytes::Bytes::from_static(b"12345");
        fault::Message { time: Timestamp(time), broker, topic, payload, retain: false, from_store: false, qos: 0 }
    }

    #[test]
    fn messages_that_are_wanted_whole_travel_with_their_bytes_in_order() {
        let (mut mailbox, inbox) = mailbox(Arc::new(SourceStatus::default()), Arc::new(|| ()));
        assert!(!mailbox.is_wanted_whole("hall/P-1"));
        inbox.want_whole("plant", vec!["hall/+".into()]);
        assert_eq!(["hall/P-1", "ward/x"].map(|topic| mailbox.is_wanted_whole(topic)), [true, false]);
        mailbox.receive(|| Timestamp(5));
        mailbox.add_whole(|_| ((), Some(message("hall/P-1", 5))));
        mailbox.rest();
        assert_eq!(inbox.settled(Timestamp(9)), Timestamp(5), "a whole message without samples is underway as well");
        mailbox.push(sample(0, 6));
        mailbox.add_whole(|samples| (samples.extend([sample(1, 7), sample(2, 7)]), Some(message("hall/P-2", 7))));
        mailbox.flush();
        let mut batch = inbox.try_recv().expect("a batch");
        let told = |batch: &Batch| -> Vec<(usize, Option<Arc<str>>, i64)> {
            let each = batch.messages();
            each.map(|one| (one.samples.len(), one.whole.map(|whole| whole.topic.clone()), one.received().0)).collect()
        };
        let (first, last) = (Some("hall/P-1".into()), Some("hall/P-2".into()));
        assert_eq!(told(&batch), [(0, first.clone(), 5), (1, None, 6), (2, last.clone(), 7)]);
        batch.retain(|sample| sample.signal.0 == 1);
        assert_eq!(told(&batch), [(0, first.clone(), 5), (1, last.clone(), 7)]);
        batch.retain(|_| false);
        assert_eq!(told(&batch), [(0, first, 5), (0, last, 7)], "the bytes are there still");
        inbox.want_whole("plant", Vec::new());
        assert!(!mailbox.is_wanted_whole("hall/P-1"));
    }

    #[test]
    fn whole_messages_beyond_the_bound_come_without_their_bytes_and_are_counted() {
        let (mut mailbox, inbox) = mailbox(Arc::new(SourceStatus::default()), Arc::new(|| ()));
        inbox.want_whole("plant", vec!["#".into()]);
        assert!(mailbox.is_wanted_whole("x"));
        let payload = vec![0; 1 << 20];
        let said = crate::ingest::Message {
            topic: "x",
            payload: &payload,
            retained: false,
            qos: 0,
            receive_time: Timestamp(1),
        };
        let (mut whole, mut bare) = (0, 0);
        for _ in 0..100 {
            let message = mailbox.whole(&said);
            (whole, bare) = (whole + usize::from(message.is_some()), bare + usize::from(message.is_none()));
            mailbox.add_whole(|samples| (samples.push(sample(0, 1)), message));
            mailbox.flush();
        }
        assert!((50..64).contains(&whole) && bare == 100 - whole, "{whole} {bare}");
        let batches: Vec<Batch> = std::iter::from_fn(|| inbox.try_recv()).collect();
        assert_eq!(batches.iter().map(|batch| batch.unwhole as usize).sum::<usize>(), bare);
        assert!(mailbox.whole(&said).is_some(), "there is room again");
    }

    #[test]
    fn a_source_without_a_world_counts_what_it_drops() {
        let status = Arc::new(SourceStatus::default());
        let (mut mailbox, inbox) = mailbox(status.clone(), Arc::new(|| ()));
        drop(inbox);
        (0..5).for_each(|n| mailbox.push(sample(0, n)));
        mailbox.flush();
        assert_eq!(status.snapshot(Timestamp(0)).dropped, 5);
    }

    proptest! {
        #[test]
        fn coalescing_keeps_the_newest_of_each_signal_and_the_order(
            signals in prop::collection::vec(0_u32..6, 0..60),
            target in 0_usize..40,
        ) {
            let all: Vec<_> = signals.iter().enumerate().map(|(n, signal)| sample(*signal, n as i64)).collect();
            let ends = (1..=all.len() as u32).collect();
            let mut batch = Batch { samples: all.clone(), ends, ..Batch::default() };
            let gone = coalesce(&mut batch, target);
            let left = batch.samples.clone();
            prop_assert_eq!(batch.messages().map(|message| message.samples.len()).collect::<Vec<_>>(), vec![1; left.len()]);
            prop_assert_eq!(left.len() + gone, all.len());
            let distinct = signals.iter().collect::<std::collections::BTreeSet<_>>().len();
            prop_assert_eq!(left.len(), all.len().min(target.max(distinct)));
            prop_assert!(left.is_sorted_by_key(|sample| sample.source_time));
            for signal in 0..6 {
                let newest = |of: &[Sample]| of.iter().rev().find(|s| s.signal.0 == signal).cloned();
                prop_assert_eq!(newest(&left), newest(&all));
            }
        }
    }
}
