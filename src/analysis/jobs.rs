//! Carries out costly jobs of producers on a thread of its own. In: jobs. Out: their answers, as messages of a feed;
//! each takes its place in the one order when it comes. Never learns anything itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::Feed;
use crate::produce::{Answer, Job};
use crate::source::{Clock, Mailbox, SourceStatus, Waker, mailbox};

/// Jobs that wait at most. A producer that asks for more is answered less often: the newest is left out, counted.
const MOST_JOBS: usize = 64;
/// What the feed of answers is called: as in recordings. No broker has this name: `#` is not allowed there.
pub use crate::record::format::PRODUCERS as ANSWERS;

/// The running thread; dropping it waits for the job at hand.
#[derive(Debug)]
pub struct JobThread {
    sender: Option<JobSender>,
    feed: Feed,
    thread: Option<JoinHandle<()>>,
}

/// Hands jobs over. Never blocks.
#[derive(Clone, Debug)]
pub(super) struct JobSender {
    jobs: Sender<(u32, Job)>,
    status: Arc<SourceStatus>,
}

impl JobSender {
    /// `generation` is of the scene that the job's signals are of.
    pub fn send(&self, generation: u32, job: Job) {
        if let Err(TrySendError::Full((_, job)) | TrySendError::Disconnected((_, job))) =
            self.jobs.try_send((generation, job))
        {
            tracing::warn!("{}: asks for more than can be computed; one answer is left out", job.producer);
            self.status.count_dropped(1);
        }
    }
}

impl JobThread {
    /// Answers are received by `clock`; `waker` is called when one has come.
    pub fn start(clock: Clock, waker: Waker) -> std::io::Result<Self> {
        let (jobs, waiting) = bounded(MOST_JOBS);
        let status = Arc::new(SourceStatus::new(ANSWERS, "", clock.now()));
        let (mailbox, inbox) = mailbox(status.clone(), waker);
        let thread =
            std::thread::Builder::new().name("producers".into()).spawn(move || work(&waiting, mailbox, clock))?;
        let feed = Feed::of_answers(ANSWERS, Arc::new(inbox), status.clone());
        Ok(Self { sender: Some(JobSender { jobs, status }), feed, thread: Some(thread) })
    }

    pub(super) fn sender(&self) -> Option<JobSender> {
        self.sender.clone()
    }

    pub(super) fn feed(&self) -> Feed {
        self.feed.clone()
    }
}

fn work(waiting: &Receiver<(u32, Job)>, mut mailbox: Mailbox, clock: Clock) {
    for (generation, Job { producer, work }) in waiting {
        // Its state is its own: nothing of it is used again.
        let Ok(Answer { samples }) = catch_unwind(AssertUnwindSafe(work)) else {
            tracing::error!("{producer}: its work ended in a panic; there is no answer");
            continue;
        };
        mailbox.set_generation(generation);
        let receive_time = mailbox.receive(|| clock.now());
        mailbox.add(|into| {
            into.extend(samples.into_iter().map(|sample| crate::value::Sample { receive_time, ..sample }));
        });
        mailbox.rest();
        mailbox.flush();
    }
}

impl Drop for JobThread {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the producers ended in a panic");
        }
    }
}
