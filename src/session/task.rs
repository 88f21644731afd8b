//! Work that a frame must not wait for, such as opening a file on a slow disk: one thread for one piece of it.
//!
//! In: what to do. Out: what came of it, some frames later. Dropping a task waits for it, some seconds at most: what it
//! makes is finished before the program ends.

use std::io;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use crate::source::Waker;

/// How long the end of the program waits for what is underway.
const LONGEST_END: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Task<T> {
    result: Receiver<T>,
    thread: Option<JoinHandle<()>>,
}

/// How far a task is.
#[derive(Debug, PartialEq)]
pub(crate) enum TaskState<T> {
    Underway,
    Done(T),
    /// It ended in a panic, or its result was taken before.
    Lost,
}

impl<T: Send + 'static> Task<T> {
    /// `waker` asks for a frame when there is a result.
    pub fn start(name: &str, waker: Waker, work: impl FnOnce() -> T + Send + 'static) -> io::Result<Self> {
        let (done, result) = bounded(1);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            // Nobody waits for it any more if this fails.
            let _ = done.send(work());
            waker();
        })?;
        Ok(Self { result, thread: Some(thread) })
    }

    pub fn poll(&self) -> TaskState<T> {
        match self.result.try_recv() {
            Ok(result) => TaskState::Done(result),
            Err(TryRecvError::Empty) => TaskState::Underway,
            Err(TryRecvError::Disconnected) => TaskState::Lost,
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        let give_up = Instant::now() + LONGEST_END;
        while !thread.is_finished() {
            if Instant::now() >= give_up {
                tracing::error!("the disk does not answer: what was underway is given up");
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        // It has said why on standard error.
        let _ = thread.join();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_task_rings_when_it_is_done_and_gives_its_result_once() {
        let rung = Arc::new(AtomicUsize::new(0));
        let bell = rung.clone();
        let waker: Waker = Arc::new(move || {
            bell.fetch_add(1, Ordering::Relaxed);
        });
        let (go, wait) = bounded::<()>(1);
        let task = Task::start("test", waker, move || {
            let _ = wait.recv();
            7
        })
        .unwrap();
        assert_eq!(task.poll(), TaskState::Underway);
        go.send(()).unwrap();
        let begun = Instant::now();
        while rung.load(Ordering::Relaxed) == 0 && begun.elapsed() < LONGEST_END {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!((task.poll(), task.poll()), (TaskState::Done(7), TaskState::Lost));
    }

    #[test]
    fn dropping_a_task_waits_for_what_it_makes() {
        let made = Arc::new(AtomicUsize::new(0));
        let count = made.clone();
        let task = Task::start("test", Arc::new(|| {}), move || {
            std::thread::sleep(Duration::from_millis(50));
            count.fetch_add(1, Ordering::Relaxed);
        });
        drop(task);
        assert_eq!(made.load(Ordering::Relaxed), 1);
    }
}
