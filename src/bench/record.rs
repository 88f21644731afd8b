//! Messages per second into a recording, against the bare `mcap` writer with the same options and the same messages; what a
//! listener pays for it, and the disk; and for how long a keyframe keeps everybody from what is known. Files go to the
//! folder for temporary files, and are removed.

use std::fmt::Write;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcap::records::MessageHeader;

use super::{grouped, median, payload, topic};
use crate::alarm::KeptAlarms;
use crate::analysis::{Analysis, Knowledge};
use crate::ingest::Message;
use crate::record::format::{About, JSON, JSON_SCHEMA, JSON_SCHEMA_ENCODING, JSON_SCHEMA_NAME};
use crate::record::{KeyframeBuilder, RecordError, RecordOptions, RecordStatus, Recorder, SceneFiles, write_options};
use crate::scene::Scene;
use crate::source::{Batch, Clock};
use crate::value::{Origin, Quality, Sample, SignalIndex, Timestamp, Value};

const TOPICS: u32 = 100;
/// Distinct messages, so that nothing compresses better than a plant does.
const MESSAGES: u64 = 20_000;
/// The recorder is not pushed faster than it writes: what it would drop counts for nothing.
const MOST_WAITING: u64 = 16 << 20;
/// Twins of ten signals each in a keyframe, and how many samples of each are known: one a second.
const KEYFRAME_TWINS: u32 = 10_000;
const KNOWN: i64 = 30;
/// As the analysis does it: of a moment that all samples have arrived of, so long at a time.
const UNDERWAY: Duration = Duration::from_millis(100);
const SLICE: Duration = Duration::from_millis(1);

#[derive(Debug, thiserror::Error)]
pub enum RecordBenchError {
    #[error("a file for the measurement: {0}")]
    Io(#[from] std::io::Error),
    #[error("the bare writer: {0}")]
    Mcap(#[from] mcap::McapError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("the recorder wrote {written} of {sent} messages: {why}")]
    Lost { written: u64, sent: u64, why: String },
}

struct Sent {
    topic: String,
    payload: String,
}

pub fn run(length: Duration) -> Result<String, RecordBenchError> {
    let folder = Folder::new()?;
    let messages: Vec<Sent> = (0..MESSAGES)
        .map(|n| Sent {
            topic: topic((n % u64::from(TOPICS)) as u32),
            payload: payload(1_700_000_000_000 + n as i64, n),
        })
        .collect();
    let mut report =
        String::from("record: JSON of ten fields, about 200 bytes, 100 topics; MCAP, zstd, chunks of 1 MiB\n");
    // In turns, so that a noisy minute hits both.
    let (mut bare, mut pollux) = (Vec::new(), Vec::new());
    let mut per_message = f64::INFINITY;
    let mut synced = Synced::default();
    for turn in 0..3 {
        bare.push(run_bare(&folder.0.join(format!("bare-{turn}.mcap")), &messages, length)?);
        let path = folder.0.join(format!("pollux-{turn}.mcap"));
        let (rate, cost, status) = run_pollux(&path, &messages, length)?;
        synced.add(&status, status.messages as f64 / rate);
        pollux.push(rate);
        per_message = per_message.min(cost);
    }
    let lowest = bare.iter().zip(&pollux).map(|(bare, pollux)| pollux / bare).fold(f64::INFINITY, f64::min);
    let (bare, pollux) = (median(bare), median(pollux));
    let _ = writeln!(
        report,
        "  bare mcap writer {} messages/s, recorder {} messages/s, ratio {:.2} (lowest {lowest:.2})",
        grouped(bare),
        grouped(pollux),
        pollux / bare
    );
    let _ = writeln!(report, "  a listener pays {per_message:.0} ns a message");
    let _ = writeln!(report, "  {}", synced.text());
    let _ = writeln!(report, "  {}", keyframe());
    Ok(report)
}

/// What it costs the recorder's thread to wait until the disk has what it was given.
#[derive(Default)]
struct Synced {
    count: u64,
    time: Duration,
    longest: Duration,
    of_secs: f64,
}

impl Synced {
    fn add(&mut self, status: &RecordStatus, secs: f64) {
        self.count += status.syncs;
        self.time += status.sync_time;
        self.longest = self.longest.max(status.longest_sync);
        self.of_secs += secs;
    }

    fn text(&self) -> String {
        let (share, longest) = (self.time.as_secs_f64() / self.of_secs * 100.0, ms(self.longest));
        let (count, of_secs) = (self.count, self.of_secs);
        format!("{count} syncs in {of_secs:.0} s took {share:.2} % of the time, the longest {longest:.1} ms")
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// How long the lock is held for a keyframe, collected at once and in slices, between which samples are learnt.
fn keyframe() -> String {
    let scene = Arc::new(super::scene(KEYFRAME_TWINS));
    let signals = scene.signals.len();
    let start = Timestamp(1_700_000_000_000_000_000);
    // Each signal has a moment of its own within the second.
    let sample = |second: i64, signal: usize| {
        let time = Timestamp(start.0 + second * 1_000_000_000 + signal as i64 * 1_000_000_000 / signals as i64);
        let (signal, value) = (SignalIndex(signal as u32), Value::Number(second as f64));
        Sample {
            signal,
            source_time: time,
            receive_time: time,
            value,
            quality: Quality::GOOD,
            origin: Origin::Measured,
        }
    };
    let learn = |knowledge: &mut Knowledge, second: i64, first: usize| {
        let samples = (first..signals.min(first + 1000)).map(|signal| sample(second, signal)).collect();
        knowledge.learn(Batch::of_message(1, samples));
    };
    let analysis = Analysis::new(scene.clone(), 1, 1 << 30, start);
    let mut knowledge = analysis.lock();
    for second in 0..KNOWN {
        (0..signals).step_by(1000).for_each(|first| learn(&mut knowledge, second, first));
    }
    let at = knowledge.position() - UNDERWAY;
    let once: Vec<f64> = (0..5)
        .map(|_| {
            let begun = Instant::now();
            let (alarms, producers) = (knowledge.engine().snapshot(), knowledge.producer_states());
            let mut builder = KeyframeBuilder::new(at, scene.clone(), alarms, producers);
            builder.go_on(&knowledge.history, || false);
            let took = begun.elapsed();
            std::hint::black_box(builder);
            ms(took)
        })
        .collect();
    let (mut slices, mut all, mut longest) = (0_u32, Duration::ZERO, Duration::ZERO);
    let mut firsts = (0..signals).step_by(1000);
    let mut begun = Instant::now();
    knowledge.begin_keyframe(at);
    loop {
        let keyframe = knowledge.collect_keyframe(|| begun.elapsed() >= SLICE);
        let took = begun.elapsed();
        (slices, all, longest) = (slices + 1, all + took, longest.max(took));
        if std::hint::black_box(keyframe).is_some() {
            break;
        }
        firsts.next().into_iter().for_each(|first| learn(&mut knowledge, KNOWN, first));
        begun = Instant::now();
    }
    format!(
        "a keyframe of {} signals holds the lock for {longest:.2} ms at most, {slices} times, {all:.1} ms in all; at once \
         for {once:.1} ms",
        grouped(signals as f64),
        longest = ms(longest),
        all = ms(all),
        once = median(once),
    )
}

/// As many messages as fit into `length`, to the finished file.
fn run_bare(path: &Path, messages: &[Sent], length: Duration) -> Result<f64, RecordBenchError> {
    let started = Instant::now();
    let mut writer = write_options().create(BufWriter::new(File::create(path)?))?;
    let schema = writer.add_schema(JSON_SCHEMA_NAME, JSON_SCHEMA_ENCODING, JSON_SCHEMA)?;
    let mut channels = Vec::new();
    for n in 0..TOPICS {
        channels.push(writer.add_channel(schema, &topic(n), JSON, &Default::default())?);
    }
    let mut sent = 0;
    while started.elapsed() < length {
        for (n, message) in messages.iter().enumerate() {
            let Some(&channel_id) = channels.get(n % channels.len()) else { continue };
            let log_time = Timestamp::now().0.unsigned_abs();
            let header = MessageHeader { channel_id, sequence: sent as u32, log_time, publish_time: log_time };
            writer.write_to_known_channel(&header, message.payload.as_bytes())?;
            sent += 1;
        }
    }
    writer.finish()?;
    drop(writer);
    Ok(sent as f64 / started.elapsed().as_secs_f64())
}

/// The same by way of a listener's tap; and what a message costs the listener, in nanoseconds.
fn run_pollux(path: &Path, messages: &[Sent], length: Duration) -> Result<(f64, f64, RecordStatus), RecordBenchError> {
    let started = Instant::now();
    let recorder = Recorder::start(RecordOptions::new(path), About::default(), SceneFiles::default(), Clock::WALL)?;
    let sink = recorder.sink();
    let (time, scene) = (Timestamp::now(), Arc::new(Scene::default()));
    sink.keyframe(KeyframeBuilder::new(time, scene, KeptAlarms::default(), Default::default()));
    let mut tap = recorder.tap("bench");
    let (mut sent, mut pushing) = (0_u64, Duration::ZERO);
    while started.elapsed() < length {
        for block in messages.chunks(1000) {
            while sink.waiting_bytes() > MOST_WAITING {
                std::thread::sleep(Duration::from_micros(200));
            }
            let pushed = Instant::now();
            for message in block {
                let (topic, payload) = (message.topic.as_str(), message.payload.as_bytes());
                let receive_time = Timestamp::now();
                tap(&Message { topic, payload, retained: false, qos: 0, receive_time }, None);
            }
            pushing += pushed.elapsed();
            sent += block.len() as u64;
        }
    }
    let status = recorder.finish();
    let elapsed = started.elapsed().as_secs_f64();
    if status.messages != sent {
        let why = status.troubles().join("; ");
        return Err(RecordBenchError::Lost { written: status.messages, sent, why });
    }
    Ok((sent as f64 / elapsed, pushing.as_secs_f64() * 1e9 / sent as f64, status))
}

/// Removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("pollux-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
