//! The thread that learns while frames come and go, or do not come at all.
//!
//! In: rings of the sources. Out: [`Knowledge`](super::Knowledge) kept up to date, and a call of the frames' waker when
//! there is something to show. Holds the lock for some milliseconds at a time and gives it up to whoever waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};
use parking_lot::MutexGuard;

use super::Analysis;
use crate::source::{Inbox, Waker};

/// How long the lock is held at a time: a frame waits no longer for it.
const SLICE: Duration = Duration::from_millis(2);

/// The running thread; dropping it stops and joins it.
#[derive(Debug)]
pub struct Worker {
    analysis: Analysis,
    bell: Sender<()>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts to drain the inboxes of `analysis`; `frames` is called when frames have something new to show.
    pub fn start(analysis: Analysis, frames: Waker) -> std::io::Result<Self> {
        let (bell, rings) = bounded::<()>(1);
        let ended = Arc::new(AtomicBool::new(false));
        let (shared, seen) = (analysis.clone(), ended.clone());
        let thread = std::thread::Builder::new().name("analysis".into()).spawn(move || {
            // Frames take over if this thread ends in a panic.
            let _driven = Driven::new(&shared);
            while rings.recv().is_ok() && !seen.load(Ordering::Acquire) {
                let mut more = true;
                while more && !seen.load(Ordering::Acquire) {
                    let mut knowledge = shared.lock();
                    more = knowledge.drain(SLICE);
                    MutexGuard::unlock_fair(knowledge);
                    // Even without samples: a ring also tells that a connection has changed.
                    frames();
                }
            }
        })?;
        Ok(Self { analysis, bell, ended, thread: Some(thread) })
    }

    /// The inboxes to drain from now on. Those left out are not read any more.
    pub fn listen_to(&self, inboxes: impl IntoIterator<Item = Arc<Inbox>>) {
        self.analysis.lock().listen_to(inboxes);
        // A source that rang before it was listened to will not ring again.
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

impl Drop for Worker {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        let _ = self.bell.try_send(());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the analysis ended in a panic");
        }
        self.analysis.lock().listen_to([]);
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
    use crate::twin::{Quality, Sample, SignalIndex, Timestamp, TwinIndex, Unit, Value};

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
        let analysis = Analysis::new(scene(), 1, 1 << 20);
        let (told, tidings) = bounded(1);
        let frames: Waker = Arc::new(move || {
            let _ = told.try_send(());
        });
        let worker = Worker::start(analysis.clone(), frames).expect("a thread");
        let (mut mailbox, inbox) = mailbox(Arc::new(SourceStatus::default()), worker.waker());
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
        worker.listen_to([Arc::new(inbox)]);
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
