//! The thread of the analysis in a running session.
//!
//! In: calls of the sources that messages wait. Out: [`Knowledge`](super::Knowledge) kept up to date, and a call of the
//! frames' waker when there is news to show. Never waits for a frame; holds the lock for some milliseconds at a time,
//! then lets others have it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use super::jobs::JobThread;
use super::knowledge::Work;
use super::{Analysis, Answer, Feed};
use crate::source::{Clock, Waker};

/// How long the lock is held at a time: a frame waits no longer for it.
const SLICE: Duration = Duration::from_millis(2);
/// Of that for a keyframe, as long as one is being collected.
const KEYFRAME_SLICE: Duration = Duration::from_millis(1);
/// A keyframe that cannot be begun just now is tried again so soon.
const KEYFRAME_LATER: Duration = Duration::from_millis(100);
/// After a call the thread looks again no sooner: it then learns all batches of a flooded source in one go, since to
/// sleep and be woken for every batch costs as much as to learn it.
const REST: Duration = Duration::from_millis(1);
/// A deadline that comes shortly is carried out together with those soon after it.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// While something is recorded: a disk that does not answer cannot ring.
const LONGEST_WAIT_RECORDING: Duration = Duration::from_secs(3);

/// The running thread; dropping it stops and joins it.
#[derive(Debug)]
pub struct Worker {
    analysis: Analysis,
    jobs: JobThread,
    bell: Sender<()>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts to drain the feeds of `analysis`; `frames` is called when frames have something new to show.
    pub fn start(analysis: Analysis, clock: Clock, frames: Waker) -> std::io::Result<Self> {
        let (bell, rings) = bounded::<()>(1);
        let ring = bell.clone();
        let jobs = JobThread::start(
            clock,
            Arc::new(move || {
                let _ = ring.try_send(());
            }),
        )?;
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
        Ok(Self { analysis, jobs, bell, ended, thread: Some(thread) })
    }

    /// The sources to drain from now on. Those left out are not read any more.
    pub fn listen_to(&self, feeds: impl IntoIterator<Item = Feed>) {
        let mut knowledge = self.analysis.lock();
        knowledge.listen_to(feeds.into_iter().chain([self.jobs.feed()]));
        if let Some(jobs) = self.jobs.sender() {
            knowledge.have_done(Work::At(jobs));
        }
        drop(knowledge);
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
        // First the clock, then messages underway, then those that wait: so no message comes later that was received
        // before.
        let settled = knowledge.settled(clock.now());
        let version = knowledge.chronicle().version();
        let for_keyframe = if knowledge.is_collecting_keyframe() { KEYFRAME_SLICE } else { Duration::ZERO };
        let more = knowledge.drain(settled, SLICE.saturating_sub(for_keyframe));
        if !more {
            knowledge.elapse(settled);
        }
        let position = knowledge.position();
        knowledge.look_at_connections(position);
        let answer = knowledge.answer_recorder((!more).then_some(position), KEYFRAME_SLICE);
        let changed = std::mem::take(&mut rang) || knowledge.has_news() || knowledge.chronicle().version() != version;
        let deadline = knowledge.next_deadline(settled);
        let is_recorded = knowledge.chronicle().recording().is_some();
        let holds_back = knowledge.holds_back();
        knowledge.unlock_fair();
        if changed {
            frames();
        }
        let is_busy = more || answer == Answer::Underway;
        if !is_busy || ended.load(Ordering::Acquire) {
            if holds_back {
                return REST;
            }
            let until = deadline.map_or(f64::INFINITY, |deadline| deadline.secs_since(settled));
            let longest = match answer {
                Answer::Later => KEYFRAME_LATER,
                _ if is_recorded => LONGEST_WAIT_RECORDING,
                _ => LONGEST_WAIT,
            };
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
        knowledge.have_done(Work::Here);
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
#[expect(clippy::disallowed_methods, reason = "bounds how long a test waits")]
mod tests {
    use super::*;
    use crate::scene::{Limits, Scene, Signal, SignalSource, ValueKind};
    use crate::source::{SourceStatus, mailbox};
    use crate::value::{Origin, Quality, Sample, SignalIndex, Timestamp, TwinIndex, Unit, Value};

    fn scene() -> Arc<Scene> {
        let signal = Signal {
            index: SignalIndex(0),
            twin: TwinIndex(0),
            name: "flow".to_owned(),
            label: String::new(),
            kind: ValueKind::Number,
            unit: Unit::none(),
            source: SignalSource::Unbound,
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
            origin: Origin::Measured,
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
