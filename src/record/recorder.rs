//! The recorder as everybody else sees it. In: what to record. Out: taps for listeners, sinks for the analysis, a status.
//! Never blocks the caller; dropping the recorder finishes the file.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::attach::SceneFiles;
use super::batch::Raw;
use super::conclusion::Conclusion;
use super::format::About;
use super::inbox::{Item, Shared};
use super::keyframe::KeyframeBuilder;
use super::machine::Machine;
use super::options::RecordOptions;
use super::series::Series;
use super::status::RecordStatus;
use crossbeam_channel::{RecvTimeoutError, bounded};

use crate::event::Draft;
use crate::ingest::Message;
use crate::source::mqtt::RawTap;
use crate::source::{Clock, Waker};
use crate::value::Timestamp;

/// The beginning of a recording waits so long for the disk to take the first file.
const LONGEST_BEGIN: Duration = Duration::from_secs(10);
/// How long the end of a session waits for the disk.
const LONGEST_END: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("the recording {} names no file: give one with --record FILE", path.display())]
    Name { path: PathBuf },
    #[error("the recording {} cannot be begun ({cause}): choose another place with --record FILE", path.display())]
    Open { path: PathBuf, cause: String },
    #[error(
        "the recording {} cannot be begun, as its disk has not answered for {} s: choose another place with --record FILE",
        path.display(), LONGEST_BEGIN.as_secs()
    )]
    Silent { path: PathBuf },
    #[error("the thread that records cannot be started: {0}")]
    Thread(io::Error),
}

/// A running recorder. Dropping it writes what is left and finishes the file.
pub struct Recorder {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// The way into a recording for listeners, analysis and session. Costs little, never waits.
#[derive(Clone)]
pub struct RecordSink {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for RecordSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordSink").field("status", &self.status()).finish()
    }
}

impl Recorder {
    /// Begins to record, on a thread of its own: `about` and the files of the scene stand in each file. Times are
    /// `clock`'s. The first file is there when this returns, unless the past is to be held in memory. Waits for the disk,
    /// ten seconds at most.
    pub fn start(options: RecordOptions, about: About, files: SceneFiles, clock: Clock) -> Result<Self, RecordError> {
        let path = options.path.clone();
        let series = Series::new(&path).ok_or_else(|| RecordError::Name { path: path.clone() })?;
        let shared = Arc::<Shared>::default();
        // It holds nothing: a caller that has given up waiting is seen to be gone.
        let (report, begun) = bounded(0);
        let end = End(shared.clone());
        let inside = shared.clone();
        let work = move || {
            let _end = end;
            match Machine::new(inside, options, series, about, Arc::new(files), clock) {
                Err(cause) => drop(report.send(Err(cause))),
                Ok(machine) => match report.send(Ok(())) {
                    Ok(()) => machine.run(),
                    Err(_) => machine.take_back(),
                },
            }
        };
        let thread = std::thread::Builder::new().name("recorder".into()).spawn(work).map_err(RecordError::Thread)?;
        match begun.recv_timeout(LONGEST_BEGIN) {
            Ok(Ok(())) => Ok(Self { shared, thread: Some(thread) }),
            Ok(Err(cause)) => Err(RecordError::Open { path, cause }),
            Err(RecvTimeoutError::Timeout) => Err(RecordError::Silent { path }),
            Err(RecvTimeoutError::Disconnected) => {
                Err(RecordError::Open { path, cause: "by a mistake of this program".to_owned() })
            }
        }
    }

    /// What a listener calls for every message of `broker`.
    pub fn tap(&self, broker: &str) -> RawTap {
        self.sink().tap(broker)
    }

    pub fn sink(&self) -> RecordSink {
        RecordSink { shared: self.shared.clone() }
    }

    pub fn status(&self) -> RecordStatus {
        self.shared.status()
    }

    /// `bell` is called when the recorder wants something of the analysis: a keyframe, or that it takes its news.
    pub fn ring_with(&self, bell: Waker) {
        self.shared.ring_with(bell);
    }

    /// Listeners hand over what they hear since `at`, in the middle of a session: what was received before must stand in
    /// the first keyframe, so none of an earlier moment is taken. Before anything that gives keyframes knows of it.
    pub fn hears_since(&self, at: Timestamp) {
        self.shared.set_hears_since(at);
    }

    /// Writes what is left and finishes the file, some seconds at most; then says how all went.
    pub fn finish(mut self) -> RecordStatus {
        self.stop();
        self.status()
    }

    fn stop(&mut self) {
        self.shared.close();
        let Some(thread) = self.thread.take() else { return };
        let give_up = Instant::now() + LONGEST_END;
        while !thread.is_finished() {
            if Instant::now() >= give_up {
                tracing::error!("the disk does not answer: the recording is left as it is, without its last part");
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        if thread.join().is_err() {
            tracing::error!("the recorder ended in a panic: the file ends before it");
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop();
    }
}

impl RecordSink {
    /// What a listener calls for every message of `broker`.
    pub fn tap(&self, broker: &str) -> RawTap {
        let (shared, broker) = (self.shared.clone(), self.shared.broker(broker));
        Box::new(move |message: &Message, source_time: Option<Timestamp>| {
            shared.push(&Raw {
                broker,
                topic: message.topic,
                qos: message.qos,
                retained: message.retained,
                log_time: message.receive_time,
                publish_time: source_time.unwrap_or(message.receive_time),
                payload: message.payload,
            });
        })
    }

    /// Events, forecasts and answers, in the order in which they became known.
    pub fn conclusion(&self, conclusion: Conclusion) {
        self.shared.give(Item::Conclusion(conclusion));
    }

    /// Whether a keyframe is due.
    pub fn wants_keyframe(&self) -> bool {
        self.shared.wants_keyframe()
    }

    /// No keyframe of an earlier moment is of use.
    pub fn hears_since(&self) -> Timestamp {
        self.shared.hears_since()
    }

    /// All that was known at a moment at which nothing was underway any more: all signals are in it.
    pub fn keyframe(&self, keyframe: KeyframeBuilder) {
        self.shared.keyframe_is_given();
        self.shared.give(Item::Keyframe(Box::new(keyframe)));
    }

    /// Another scene has taken over at `at`: `name` and files of it.
    pub fn scene(&self, name: impl Into<String>, files: SceneFiles, at: Timestamp) {
        self.shared.give(Item::Scene { name: name.into(), files: Arc::new(files), at });
    }

    /// Somebody asks for what is held in memory: it is written, and recording goes on for a while.
    pub fn trigger(&self) {
        self.shared.give(Item::Trigger);
    }

    /// What has happened to the recording since the last call, for the record of the session.
    pub fn take_news(&self, now: Timestamp) -> Vec<Draft> {
        self.shared.take_news(now)
    }

    pub fn status(&self) -> RecordStatus {
        self.shared.status()
    }

    /// Bytes that wait for the recorder's thread.
    pub fn waiting_bytes(&self) -> u64 {
        self.shared.waiting_bytes()
    }
}

/// Says that the thread has ended, also if it panicked.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.set_ended();
    }
}
