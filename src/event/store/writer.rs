//! The thread that writes a store. In: what the analysis hands over. Out: a file that is up to date, and how that goes.
//!
//! Between the two stands no channel that could be full but a box that coalesces: of each alarm the newest state, of
//! the events as many as the store keeps anyway, of each signal how far it was heard. So a disk that is slow, full or gone never blocks the analysis,
//! nothing that would have stayed is lost while it is, and the box is bounded by the number of alarms, of signals and of
//! kept events.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::disk::Disk;
use super::frame::Batch;
use super::keeper::Keeper;
use super::{AlarmSnapshot, StoreStatus};
use crate::event::Event;
use crate::value::Timestamp;

#[derive(Default)]
pub struct Shared {
    inbox: Mutex<Inbox>,
    /// Something is in the box.
    filled: Condvar,
    outcome: Mutex<Outcome>,
    /// The outcome has changed.
    told: Condvar,
}

#[derive(Default)]
struct Inbox {
    events: VecDeque<Arc<Event>>,
    alarms: BTreeMap<String, AlarmSnapshot>,
    heard: BTreeMap<String, Option<Timestamp>>,
    alive: Option<Timestamp>,
    /// Number of the latest handing over.
    given: u64,
    /// Make all durable.
    sync: bool,
    stop: bool,
}

impl Inbox {
    fn is_empty(&self) -> bool {
        self.events.is_empty() && self.alarms.is_empty() && self.heard.is_empty() && self.alive.is_none() && !self.sync
    }
}

#[derive(Default)]
struct Outcome {
    /// Handed over up to this number and on disk.
    kept: u64,
    status: StoreStatus,
    ended: bool,
}

/// A thread that panicked left plain counters behind: they can still be read.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub fn hand_over(
        &self,
        events: &[Arc<Event>],
        alarms: impl IntoIterator<Item = (String, AlarmSnapshot)>,
        heard: impl IntoIterator<Item = (String, Option<Timestamp>)>,
        alive: Timestamp,
        capacity: usize,
    ) {
        let mut inbox = lock(&self.inbox);
        inbox.events.extend(events.iter().cloned());
        let surplus = inbox.events.len().saturating_sub(capacity);
        inbox.events.drain(..surplus);
        inbox.alarms.extend(alarms);
        inbox.heard.extend(heard);
        inbox.alive = Some(alive);
        inbox.given += 1;
        self.filled.notify_one();
    }

    /// Waits until all that was handed over is durable. False, with the reason, if that did not come about in time.
    pub fn flush(&self, limit: Duration) -> Result<(), Option<String>> {
        let target = {
            let mut inbox = lock(&self.inbox);
            inbox.sync = true;
            inbox.given += 1;
            self.filled.notify_one();
            inbox.given
        };
        let outcome = lock(&self.outcome);
        let wait = self.told.wait_timeout_while(outcome, limit, |outcome| outcome.kept < target && !outcome.ended);
        let (outcome, _) = wait.unwrap_or_else(PoisonError::into_inner);
        if outcome.kept >= target { Ok(()) } else { Err(outcome.status.error.clone()) }
    }

    pub fn status(&self) -> StoreStatus {
        let given = lock(&self.inbox).given;
        let outcome = lock(&self.outcome);
        StoreStatus { pending: given.saturating_sub(outcome.kept), ..outcome.status.clone() }
    }

    /// Asks the thread to write what is left and end; waits for that, but not for ever: a network disk may hang.
    pub fn stop(&self, limit: Duration) -> bool {
        lock(&self.inbox).stop = true;
        self.filled.notify_one();
        let wait = self.told.wait_timeout_while(lock(&self.outcome), limit, |outcome| !outcome.ended);
        wait.unwrap_or_else(PoisonError::into_inner).0.ended
    }

    /// Waits for something to do, at most `retry` if the last try failed. Returns the batch, its number, whether to
    /// sync and whether to end.
    fn next(&self, failed: bool, retry: Duration) -> (Batch, u64, bool, bool) {
        let inbox = lock(&self.inbox);
        let mut inbox = if failed {
            // What comes meanwhile waits, too: each try writes the whole image.
            let wait = self.filled.wait_timeout_while(inbox, retry, |inbox| !inbox.stop);
            wait.unwrap_or_else(PoisonError::into_inner).0
        } else {
            let wait = self.filled.wait_while(inbox, |inbox| inbox.is_empty() && !inbox.stop);
            wait.unwrap_or_else(PoisonError::into_inner)
        };
        let events = std::mem::take(&mut inbox.events).into();
        let batch = Batch {
            events,
            alarms: std::mem::take(&mut inbox.alarms),
            heard: std::mem::take(&mut inbox.heard),
            alive: inbox.alive.take(),
        };
        let sync = std::mem::take(&mut inbox.sync);
        (batch, inbox.given, sync || inbox.stop, inbox.stop)
    }

    fn tell(&self, number: u64, result: &std::io::Result<()>, change: impl FnOnce(&mut StoreStatus)) {
        let mut outcome = lock(&self.outcome);
        match result {
            Ok(()) => {
                outcome.kept = number;
                outcome.status.writes += 1;
                outcome.status.error = None;
            }
            Err(error) => {
                outcome.status.failures += 1;
                outcome.status.error = Some(error.to_string());
            }
        }
        change(&mut outcome.status);
        self.told.notify_all();
    }
}

/// Says that the thread has ended, also if it panicked: nobody must wait for it then.
struct Ending<'a>(&'a Shared);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        lock(&self.0.outcome).ended = true;
        self.0.told.notify_all();
    }
}

/// The first write puts the image that was read into a new file: what is wrong with the disk shows at the start.
#[expect(
    clippy::disallowed_methods,
    reason = "how often signs of life are written: what is written carries its own times"
)]
pub fn run<D: Disk>(shared: &Shared, mut keeper: Keeper<D>, retry: Duration) {
    let _ending = Ending(shared);
    let mut result = keeper.keep(Batch::default(), true, Instant::now());
    let report = |keeper: &Keeper<D>, number, result: &std::io::Result<()>| {
        shared.tell(number, result, |status| {
            status.bytes = keeper.bytes();
            status.events = keeper.image().events.len() as u64;
            status.alarms = keeper.image().alarms.len() as u64;
        });
    };
    report(&keeper, 0, &result);
    loop {
        let (batch, number, sync, stop) = shared.next(result.is_err(), retry);
        result = keeper.keep(batch, sync, Instant::now());
        report(&keeper, number, &result);
        if stop {
            return;
        }
    }
}
