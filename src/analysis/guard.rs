//! The held lock on the knowledge.
//!
//! In: the lock. Out: access to the knowledge; for a bench also the time for which it was held. Never reads a clock
//! outside a bench.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::MutexGuard;

use super::Knowledge;

/// For how long a lock was held, by all who take it through one [`Analysis`](super::Analysis) or a clone of it.
#[derive(Clone, Debug, Default)]
pub struct HeldTime(Arc<Nanos>);

#[derive(Debug, Default)]
struct Nanos {
    total: AtomicU64,
    longest: AtomicU64,
}

/// For how long a lock was held: altogether, and the longest time without a break.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Held {
    pub total: Duration,
    pub longest: Duration,
}

impl HeldTime {
    /// Since the last call.
    pub fn take(&self) -> Held {
        let take = |nanos: &AtomicU64| Duration::from_nanos(nanos.swap(0, Ordering::Relaxed));
        Held { total: take(&self.0.total), longest: take(&self.0.longest) }
    }

    fn add(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.total.fetch_add(nanos, Ordering::Relaxed);
        self.0.longest.fetch_max(nanos, Ordering::Relaxed);
    }
}

/// Holds the lock as long as it lives.
pub struct KnowledgeGuard<'a> {
    // Fields drop in this order: the counted time ends before somebody else holds the lock.
    stopwatch: Option<Stopwatch<'a>>,
    knowledge: MutexGuard<'a, Knowledge>,
}

struct Stopwatch<'a> {
    since: Instant,
    held: &'a HeldTime,
}

impl Drop for Stopwatch<'_> {
    fn drop(&mut self) {
        self.held.add(self.since.elapsed());
    }
}

impl<'a> KnowledgeGuard<'a> {
    #[expect(clippy::disallowed_methods, reason = "a benchmark asks for how long the lock is held")]
    pub(super) fn new(knowledge: MutexGuard<'a, Knowledge>, held: Option<&'a HeldTime>) -> Self {
        Self { stopwatch: held.map(|held| Stopwatch { since: Instant::now(), held }), knowledge }
    }

    /// Lets the lock go; those who wait for it have it before those who ask anew.
    pub(super) fn unlock_fair(self) {
        let Self { stopwatch, knowledge } = self;
        drop(stopwatch);
        MutexGuard::unlock_fair(knowledge);
    }
}

impl Deref for KnowledgeGuard<'_> {
    type Target = Knowledge;

    fn deref(&self) -> &Knowledge {
        &self.knowledge
    }
}

impl DerefMut for KnowledgeGuard<'_> {
    fn deref_mut(&mut self) -> &mut Knowledge {
        &mut self.knowledge
    }
}
