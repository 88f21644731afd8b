//! The bounded way from a source's thread to the world.
//!
//! In: samples, one or some at a time, from a thread that must never wait. Out: [`Batch`]es in order, and a call of the
//! [`Waker`] when the world has seen an empty inbox since. When the world is slow, the source is first asked to
//! [hold on](Mailbox::should_hold) for a moment, so that the sender feels it and nothing is lost; a world that stays slow
//! lets samples gather up to a bound, beyond which the oldest of a signal give way to newer ones of the same signal,
//! counted. The newest sample of a signal is never lost while the inbox lives. Never blocks.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::{SourceStatus, Waker};
use crate::value::{Sample, SignalIndex};

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

/// Samples of one source, in the order of arrival.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Batch {
    /// The binding table that made these indices: rises by one with each scene reload.
    pub generation: u32,
    pub samples: Vec<Sample>,
}

/// The sending end, owned by the source's thread. Dropping it flushes as much as there is room for.
pub struct Mailbox {
    sender: Sender<Batch>,
    spare: Receiver<Vec<Sample>>,
    shared: Arc<Shared>,
    status: Arc<SourceStatus>,
    waker: Waker,
    generation: u32,
    pending: Vec<Sample>,
    /// When the oldest pending sample came.
    pending_since: Option<Instant>,
    /// Pending samples coalesce beyond this many.
    coalesce_at: usize,
    /// Since when the world has had more than enough to do.
    holding_since: Option<Instant>,
}

/// The receiving end, owned by the world.
#[derive(Debug)]
pub struct Inbox {
    receiver: Receiver<Batch>,
    spare: Sender<Vec<Sample>>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// The world has found the inbox empty and wants to be woken.
    wants_wake: AtomicBool,
    queued_samples: AtomicUsize,
}

/// A mailbox and its inbox.
pub fn mailbox(status: Arc<SourceStatus>, waker: Waker) -> (Mailbox, Inbox) {
    with_capacity(status, waker, MOST_BATCHES)
}

fn with_capacity(status: Arc<SourceStatus>, waker: Waker, batches: usize) -> (Mailbox, Inbox) {
    let (sender, receiver) = bounded(batches);
    let (spent, spare) = bounded(MOST_SPARE);
    let shared = Arc::new(Shared { wants_wake: AtomicBool::new(true), queued_samples: AtomicUsize::new(0) });
    let mailbox = Mailbox {
        sender,
        spare,
        shared: shared.clone(),
        status,
        waker,
        generation: 0,
        pending: Vec::with_capacity(BATCH),
        pending_since: None,
        coalesce_at: MOST_PENDING,
        holding_since: None,
    };
    (mailbox, Inbox { receiver, spare: spent, shared })
}

impl Inbox {
    /// The next batch. After a none, the waker is called when there is one again.
    pub fn try_recv(&self) -> Option<Batch> {
        let batch = self.receiver.try_recv().or_else(|_| {
            self.shared.wants_wake.store(true, Ordering::SeqCst);
            // One may have come just before the wish was known.
            self.receiver.try_recv()
        });
        let batch = batch.ok()?;
        self.shared.queued_samples.fetch_sub(batch.samples.len(), Ordering::Relaxed);
        Some(batch)
    }

    /// Returns the memory of a batch that has been read, for the mailbox to fill again.
    pub fn recycle(&self, mut samples: Vec<Sample>) {
        samples.clear();
        if samples.capacity() >= BATCH && samples.capacity() <= 2 * BATCH {
            // Enough are spare already, or there is no mailbox any more.
            let _ = self.spare.try_send(samples);
        }
    }

    /// Waits for the next batch; none after `timeout` or when the source has ended.
    pub fn recv_timeout(&self, timeout: Duration) -> Option<Batch> {
        let batch = self.receiver.recv_timeout(timeout).ok()?;
        self.shared.queued_samples.fetch_sub(batch.samples.len(), Ordering::Relaxed);
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
        if self.generation == generation {
            return;
        }
        if !self.flush() {
            // The world replaces its scene: what it could not take in time has no place in the new one.
            self.status.count_dropped(self.pending.len());
            self.pending.clear();
            self.pending_since = None;
        }
        self.generation = generation;
    }

    /// Lets `fill` add samples; sends a batch if it is full.
    pub fn add<R>(&mut self, fill: impl FnOnce(&mut Vec<Sample>) -> R) -> R {
        let result = fill(&mut self.pending);
        if !self.pending.is_empty() && self.pending_since.is_none() {
            self.pending_since = Some(Instant::now());
        }
        if self.pending.len() >= BATCH && !self.flush() && self.pending.len() >= self.coalesce_at {
            let gone = coalesce(&mut self.pending, MOST_PENDING / 2);
            self.status.count_coalesced(gone);
            // With more signals than fit, only every other message's worth is worth another pass.
            self.coalesce_at = MOST_PENDING.max(self.pending.len() * 2);
        }
        result
    }

    pub fn push(&mut self, sample: Sample) {
        self.add(|samples| samples.push(sample));
    }

    /// The world has enough to do for now: a source that can make its sender wait (MQTT over TCP: by not reading) should,
    /// for about a millisecond, and ask again. False after 50 ms, so that a world that hangs stops no source.
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
        let count = self.pending.len();
        let queued = &self.shared.queued_samples;
        if queued.load(Ordering::Relaxed) + count > MOST_SAMPLES && !self.sender.is_empty() {
            return false;
        }
        let next = match self.spare.try_recv() {
            Ok(spare) => spare,
            Err(_) => Vec::with_capacity(if count < BATCH { count.max(64) } else { BATCH + BATCH / 8 }),
        };
        let samples = std::mem::replace(&mut self.pending, next);
        queued.fetch_add(count, Ordering::Relaxed);
        match self.sender.try_send(Batch { generation: self.generation, samples }) {
            Ok(()) => {
                self.pending_since = None;
                self.coalesce_at = MOST_PENDING;
                if self.shared.wants_wake.swap(false, Ordering::SeqCst) {
                    (self.waker)();
                }
                true
            }
            Err(TrySendError::Full(batch)) => {
                queued.fetch_sub(count, Ordering::Relaxed);
                self.pending = batch.samples;
                false
            }
            Err(TrySendError::Disconnected(_)) => {
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
            self.status.count_dropped(self.pending.len());
        }
    }
}

/// Removes samples that a newer one of the same signal follows, oldest first, until `target` are left or each signal
/// has one. Keeps the order; returns how many are gone.
fn coalesce(samples: &mut Vec<Sample>, target: usize) -> usize {
    let before = samples.len();
    let mut left: HashMap<SignalIndex, usize> = HashMap::new();
    for sample in &*samples {
        *left.entry(sample.signal).or_default() += 1;
    }
    let mut excess = before.saturating_sub(target);
    samples.retain(|sample| match left.get_mut(&sample.signal) {
        Some(newer) if *newer > 1 && excess > 0 => {
            *newer -= 1;
            excess -= 1;
            false
        }
        _ => true,
    });
    before - samples.len()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use proptest::prelude::*;

    use super::*;
    use crate::value::{Quality, Timestamp, Value};

    fn sample(signal: u32, time: i64) -> Sample {
        Sample {
            signal: SignalIndex(signal),
            source_time: Timestamp(time),
            receive_time: Timestamp(time),
            value: Value::Number(time as f64),
            quality: Quality::GOOD,
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
            let mut left = all.clone();
            let gone = coalesce(&mut left, target);
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
