//! The thread that reads a recording while frames come and go.
//!
//! In: the position of the cursor ([`Wish`]). Out: for that moment a stretch that the next frame [takes
//! over](Reader::show); then more of the recording, straight into [`Knowledge`], as long as there is memory; a call of
//! the waker after each step. Never exceeds the history budget: before it is full, history is emptied and the present
//! segment taken in anew. Only a frame does that, so that no frame shows a history that is being exchanged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::loader::{Loader, Stretch};
use super::plan::{Job, LoadedParts, Wish, next_job};
use super::segments::Segments;
use crate::analysis::{Analysis, Knowledge};
use crate::history::Loaded;
use crate::source::Waker;
use crate::value::Timestamp;

/// Shares of the history budget. Beyond this much everything is let go.
const FULL: f64 = 0.75;
/// What a segment may take while it is read; of a larger one only what was known at one moment is kept, in this much.
const SEGMENT: f64 = 0.5;
const NARROW: f64 = 0.25;

pub(super) struct Reader {
    shared: Arc<Shared>,
    analysis: Analysis,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    segments: Segments,
    state: Mutex<State>,
    /// Something is new in the state, for either end.
    changed: Condvar,
    /// How often everything was let go. Changes while the analysis is locked.
    let_go: AtomicU64,
}

#[derive(Default)]
struct State {
    wish: Option<Wish>,
    parts: LoadedParts,
    /// For the next frame.
    ready: Option<Ready>,
    /// There is nothing to do.
    is_idle: bool,
    is_ended: bool,
}

/// A stretch for the moment that the cursor waits for.
struct Ready {
    stretch: Stretch,
    segment: usize,
    /// The only moment that the stretch holds, if the segment is too large.
    narrow: Option<Timestamp>,
}

impl Reader {
    pub fn start(loader: Loader, segments: Segments, analysis: Analysis, waker: Waker) -> std::io::Result<Self> {
        let shared =
            Arc::new(Shared { segments, state: Mutex::default(), changed: Condvar::new(), let_go: AtomicU64::new(0) });
        let (seen, known) = (shared.clone(), analysis.clone());
        let thread = std::thread::Builder::new().name("replay".into()).spawn(move || {
            // Those who wait are told, also if this thread ends in a panic.
            let _end = End(&seen);
            Work { shared: &seen, loader, analysis: known, waker, full_at: None }.run();
        })?;
        Ok(Self { shared, analysis, thread: Some(thread) })
    }

    /// Takes over stretches that are ready. True if history is complete for the wanted moment; if not, it is being
    /// read.
    pub fn show(&self, wish: Wish) -> bool {
        let mut state = self.shared.state.lock();
        if state.wish != Some(wish) {
            state.wish = Some(wish);
            state.is_idle = false;
            self.shared.changed.notify_all();
        }
        if let Some(ready) = state.ready.take() {
            drop(state);
            self.take_over(ready, wish);
            state = self.shared.state.lock();
        }
        state.is_ended || state.parts.shows(wish.at, &self.shared.segments)
    }

    /// The same, but waits until it does, or until `limit` has passed.
    #[expect(clippy::disallowed_methods, reason = "bounds how long a caller waits")]
    pub fn wait_to_show(&self, wish: Wish, limit: Option<Duration>) {
        let begun = Instant::now();
        while !self.show(wish) && limit.is_none_or(|limit| begun.elapsed() < limit) {
            let mut state = self.shared.state.lock();
            if state.ready.is_none() && !state.is_ended {
                self.shared.changed.wait_for(&mut state, Duration::from_millis(100));
            }
        }
    }

    /// The span around `at` for which history is complete.
    pub fn loaded(&self, at: Timestamp) -> Loaded {
        let (state, segments) = (self.shared.state.lock(), &self.shared.segments);
        match (state.parts.narrow, state.parts.run(segments.holding(at))) {
            (Some(_), _) => Loaded::Moment,
            (None, Some((first, last))) => Loaded::Stretch(segments.start(first), segments.end(last)),
            (None, None) => Loaded::Nothing,
        }
    }

    /// From now on it may take so much memory. Where less is left than was taken, everything is let go, and what fits
    /// is read anew.
    pub fn set_budget(&self, bytes: u64) {
        let mut knowledge = self.analysis.lock();
        let usage = knowledge.history.usage();
        if usage.budget_bytes == bytes {
            return;
        }
        let is_too_much = usage.bytes as f64 > FULL * bytes as f64;
        if is_too_much {
            knowledge.forget_samples();
            self.shared.let_go.fetch_add(1, Ordering::AcqRel);
        }
        knowledge.history.set_budget(bytes);
        drop(knowledge);
        let mut state = self.shared.state.lock();
        if is_too_much {
            state.parts = LoadedParts::default();
        }
        // It was read for another share.
        state.ready = None;
        state.is_idle = false;
        self.shared.changed.notify_all();
    }

    /// Whether there is nothing to load for what was wanted last.
    pub fn is_idle(&self) -> bool {
        self.shared.state.lock().is_idle
    }

    fn take_over(&self, Ready { stretch, segment, narrow }: Ready, wish: Wish) {
        let mut knowledge = self.analysis.lock();
        let room = SEGMENT * knowledge.history.usage().budget_bytes as f64;
        if stretch.recall.history().usage().budget_bytes > room as u64 {
            // It was read when there was more room, and is read again.
            return;
        }
        let make_room = narrow.is_some() || !has_room(&knowledge, &stretch);
        // The cursor may have gone elsewhere meanwhile: then this is not worth all the rest.
        let is_wanted = match narrow {
            Some(at) => wish.at == at,
            None => self.shared.segments.holding(wish.at) == segment,
        };
        if make_room && is_wanted {
            knowledge.forget_samples();
            self.shared.let_go.fetch_add(1, Ordering::AcqRel);
        }
        if !make_room || is_wanted {
            take_in(&mut knowledge, &stretch);
        }
        drop(knowledge);
        let mut state = self.shared.state.lock();
        if make_room && is_wanted {
            state.parts = LoadedParts { narrow, ..LoadedParts::default() };
        }
        if narrow.is_none() && (!make_room || is_wanted) {
            state.parts.segments.insert(segment);
        }
        state.is_idle = false;
        self.shared.changed.notify_all();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.state.lock().is_ended = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the reading of the recording ended in a panic");
        }
    }
}

/// Whether a stretch fits beside what is there.
fn has_room(knowledge: &Knowledge, stretch: &Stretch) -> bool {
    let usage = knowledge.history.usage();
    let wanted = usage.bytes.saturating_add(stretch.recall.history().usage().bytes);
    wanted as f64 <= FULL * usage.budget_bytes as f64
}

fn take_in(knowledge: &mut Knowledge, stretch: &Stretch) {
    knowledge.recall(&stretch.recall, stretch.since);
    knowledge.recall_forecasts(stretch.forecasts.iter().cloned());
    if let Some(error) = &stretch.error {
        knowledge.complain(format!("a part of the recording is left out: {error}"));
    }
}

/// Marks the end of the thread.
struct End<'s>(&'s Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.state.lock().is_ended = true;
        self.0.changed.notify_all();
    }
}

struct Work<'s> {
    shared: &'s Shared,
    loader: Loader,
    analysis: Analysis,
    waker: Waker,
    /// Where the cursor stood when there was no more room for what it does not wait for.
    full_at: Option<usize>,
}

impl Work<'_> {
    fn run(mut self) {
        while let Some((job, wish)) = self.next() {
            match job {
                Job::Show(segment) => self.get_ready(segment, wish),
                Job::Ahead(segment) => {
                    let stretch = self.read(segment, self.shared.segments.end(segment), SEGMENT);
                    if stretch.recall.history().usage().evicted > 0 || !self.fill_in(&stretch, segment, true) {
                        self.full_at = Some(self.shared.segments.holding(wish.at));
                    }
                }
                Job::Keyframe(segment) => {
                    let from = self.shared.segments.keyframe(segment);
                    let stretch = self.loader.keyframe(from, self.bytes(SEGMENT));
                    if !self.fill_in(&stretch, segment, false) {
                        self.full_at = Some(self.shared.segments.holding(wish.at));
                    }
                }
            }
            (self.waker)();
        }
    }

    /// Waits until there is something to do; none when it is time to end.
    fn next(&self) -> Option<(Job, Wish)> {
        loop {
            let usage = self.analysis.lock().history.usage();
            let used = usage.bytes as f64 / usage.budget_bytes.max(1) as f64;
            let mut state = self.shared.state.lock();
            if state.is_ended {
                return None;
            }
            let job = next_job(state.wish, &state.parts, &self.shared.segments, used).filter(|job| match job {
                Job::Show(_) => state.ready.is_none(),
                _ => state.wish.map(|wish| self.shared.segments.holding(wish.at)) != self.full_at,
            });
            match job.zip(state.wish) {
                Some(job) => return Some(job),
                None => {
                    state.is_idle = true;
                    self.shared.changed.wait(&mut state);
                    state.is_idle = false;
                }
            }
        }
    }

    fn get_ready(&mut self, segment: usize, wish: Wish) {
        let stretch = self.read(segment, self.shared.segments.end(segment), SEGMENT);
        let ready = match stretch.recall.history().usage().evicted {
            0 => Ready { stretch, segment, narrow: None },
            _ => Ready { stretch: self.read(segment, wish.at, NARROW), segment, narrow: Some(wish.at) },
        };
        self.full_at = None;
        self.shared.state.lock().ready = Some(ready);
        self.shared.changed.notify_all();
    }

    fn read(&mut self, segment: usize, until: Timestamp, share: f64) -> Stretch {
        let (from, budget) = (self.shared.segments.keyframe(segment), self.bytes(share));
        self.loader.stretch(from, until, budget)
    }

    /// False, and nothing happens, if there is no room.
    fn fill_in(&self, stretch: &Stretch, segment: usize, is_whole: bool) -> bool {
        let mut knowledge = self.analysis.lock();
        if !has_room(&knowledge, stretch) {
            return false;
        }
        take_in(&mut knowledge, stretch);
        let let_go = self.shared.let_go.load(Ordering::Acquire);
        drop(knowledge);
        let mut state = self.shared.state.lock();
        // It may be gone again already.
        if self.shared.let_go.load(Ordering::Acquire) == let_go {
            match is_whole {
                true => state.parts.segments.insert(segment),
                false => state.parts.keyframes.insert(segment),
            };
            self.shared.changed.notify_all();
        }
        true
    }

    /// A share of the history budget.
    fn bytes(&self, share: f64) -> u64 {
        (self.analysis.lock().history.usage().budget_bytes as f64 * share) as u64
    }
}
