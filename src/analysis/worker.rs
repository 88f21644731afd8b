//! The thread that learns while frames come and go, or do not come at all.
//!
//! In: rings of the sources. Out: [`Knowledge`](super::Knowledge) kept up to date, and a call of the frames' waker when
//! there is something to show. Holds the lock for some milliseconds at a time and gives it up to whoever waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use parking_lot::MutexGuard;

use super::{Analysis, Answer, Feed};
use crate::source::{Clock, Waker};

/// How long the lock is held at a time: a frame waits no longer for it.
const SLICE: Duration = Duration::from_millis(2);
/// Of that for a keyframe, as long as one is being collected.
const KEYFRAME_SLICE: Duration = Duration::from_millis(1);
/// From the moment at which a sample is received it takes this long at most, in a source that is not flooded, until it can
/// be learnt.
const UNDERWAY: Duration = Duration::from_millis(100);
/// Whoever was just rung looks again no sooner: what a flooded source hands over meanwhile is learnt in one go, since to
/// sleep and be woken for every batch costs as much as to learn it.
const REST: Duration = Duration::from_millis(1);
/// Something that is due shortly is looked at together with what is due soon after.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// While something is recorded: a disk that does not answer cannot ring.
const LONGEST_WAIT_RECORDING: Duration = Duration::from_secs(3);

/// The running thread; dropping it stops and joins it.
#[derive(Debug)]
pub struct Worker {
    analysis: Analysis,
    bell: Sender<()>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts to drain the feeds of `analysis`; `frames` is called when frames have something new to show.
    pub fn start(analysis: Analysis, clock: Clock, frames: Waker) -> std::io::Result<Self> {
        let (bell, rings) = bounded::<()>(1);
        let ended = Arc::new(AtomicBool::new(false));
        let (shared, seen) = (analysis.clone(), ended.clone());
        let thread = std::thread::Builder::new().name("analysis".into()).spawn(move || {
            // Frames take over if this thread ends in a panic.
            let _driven = Driven::new(&shared);
            let mut wait = Duration::ZERO;
            while !seen.load(Ordering::Acquire) {
                let rang = match rings.recv_timeout(wait) {
                    Ok(()) => true,
                    Err(RecvTimeoutError::Timeout) => false,
                    Err(RecvTimeoutError::Disconnected) => return,
                };
                wait = learn(&shared, &clock, &frames, &seen, rang);
                if rang {
                    std::thread::sleep(REST);
                }
            }
        })?;
        Ok(Self { analysis, bell, ended, thread: Some(thread) })
    }

    /// The sources to drain from now on. Those left out are not read any more.
    pub fn listen_to(&self, feeds: impl IntoIterator<Item = Feed>) {
        self.analysis.lock().listen_to(feeds);
        self.ring();
    }

    /// Wakes the thread: a source that rang before it was listened to will not ring again.
    fn ring(&self) {
        let _ = self.bell.try_send(());
    }

    /// What sources call when data wait. Cheap enough for every message: the bell holds one ring.
    pub fn waker(&self) -> Waker {
        let bell = self.bell.clone();
        Arc::new(move || {
            let _ = bell.try_send(());
        })
    }
}

/// Learns until nothing waits, and says how long there will be nothing to do unless the bell rings. Tells the frames if
/// there is something new, or if a source rang, which it also does when its connection has changed.
fn learn(shared: &Analysis, clock: &Clock, frames: &Waker, ended: &AtomicBool, mut rang: bool) -> Duration {
    loop {
        let mut knowledge = shared.lock();
        let now = clock.now();
        let version = knowledge.chronicle().version();
        knowledge.look_at_connections(now);
        let for_keyframe = if knowledge.is_exposing() { KEYFRAME_SLICE } else { Duration::ZERO };
        let more = knowledge.drain(SLICE.saturating_sub(for_keyframe));
        // Samples may be on their way that were received before now: time goes on as far as all of them are learnt.
        let settled = if more { knowledge.heard() } else { now - UNDERWAY };
        knowledge.elapse(settled);
        // In the session's time, which may pass faster than what is underway arrives.
        let underway = UNDERWAY.as_secs_f64() / clock.wall_secs(1.0);
        let at = (!more).then(|| now - Duration::try_from_secs_f64(underway).unwrap_or(UNDERWAY));
        let answer = knowledge.answer_recorder(at, KEYFRAME_SLICE);
        let changed = std::mem::take(&mut rang) || knowledge.has_news() || knowledge.chronicle().version() != version;
        let deadline = knowledge.next_deadline(settled);
        let is_recorded = knowledge.chronicle().recording().is_some();
        MutexGuard::unlock_fair(knowledge);
        if changed {
            frames();
        }
        let is_busy = more || answer == Answer::Underway;
        if !is_busy || ended.load(Ordering::Acquire) {
            let until = deadline.map_or(f64::INFINITY, |deadline| deadline.secs_since(settled));
            let until = if answer == Answer::Later { until.min(underway) } else { until };
            let longest = if is_recorded { LONGEST_WAIT_RECORDING } else { LONGEST_WAIT };
            let secs = clock.wall_secs(until).clamp(SHORTEST_WAIT.as_secs_f64(), longest.as_secs_f64());
            return Duration::from_secs_f64(secs);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        self.ring();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the analysis ended in a panic");
        }
        let mut knowledge = self.analysis.lock();
        knowledge.listen_to([]);
    }
}

/// Marks the knowledge as driven by a thread, as long as it lives.
struct Driven<'a>(&'a Analysis);

impl<'a> Driven<'a> {
    fn new(analysis: &'a Analysis) -> Self {
        analysis.lock().set_driven(true);
        Self(analysis)
    }
}

impl Drop for Driven<'_> {
    fn drop(&mut self) {
        self.0.lock().set_driven(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Limits, Origin, Scene, Signal, ValueKind};
    use crate::source::{SourceStatus, mailbox};
    use crate::value::{Quality, Sample, SignalIndex, Timestamp, TwinIndex, Unit, Value};

    fn scene() -> Arc<Scene> {
        let signal = Signal {
            index: SignalIndex(0),
            twin: TwinIndex(0),
            name: "flow".to_owned(),
            label: String::new(),
            kind: ValueKind::Number,
            unit: Unit::none(),
            origin: Origin::Unbound,
            expires: None,
            range: None,
            limits: Limits::default(),
        };
        Arc::new(Scene { signals: vec![signal], ..Scene::default() })
    }

    #[test]
    fn samples_that_came_before_anybody_listened_are_learnt_and_announced() {
        let analysis = Analysis::new(scene(), 1, 1 << 20, Timestamp::now());
        let (told, tidings) = bounded(1);
        let frames: Waker = Arc::new(move || {
            let _ = told.try_send(());
        });
        let worker = Worker::start(analysis.clone(), Clock::WALL, frames).expect("a thread");
        let status = Arc::new(SourceStatus::default());
        let (mut mailbox, inbox) = mailbox(status.clone(), worker.waker());
        mailbox.set_generation(1);
        let at = Timestamp(7);
        let sample = || Sample {
            signal: SignalIndex(0),
            source_time: at,
            receive_time: at,
            value: Value::Number(1.0),
            quality: Quality::GOOD,
        };
        mailbox.push(sample());
        mailbox.flush();
        // The ring is answered while there is nothing to drain yet.
        while !worker.bell.is_empty() {
            std::thread::yield_now();
        }
        worker.listen_to([Feed::new("test", Arc::new(inbox), status)]);
        let patience = Duration::from_secs(10);
        tidings.recv_timeout(patience).expect("the frames are told");
        mailbox.push(sample());
        mailbox.flush();
        let begun = std::time::Instant::now();
        while analysis.lock().samples() < 2 {
            assert!(begun.elapsed() < patience, "the second sample was never learnt");
            std::thread::yield_now();
        }
        drop(worker);
        assert!(!analysis.lock().is_driven(), "frames take over");
    }
}
