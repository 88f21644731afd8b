//! How fast a recording is opened and shown at any moment, and how that grows with its size.
//!
//! Files are written as the recorder does it: 200 twins, ten messages a second each, a flush every second, a keyframe of
//! all signals every five. Opening ends with the first keyframe, a seek with all messages up to the moment. The files
//! have just been written, so that the system has them in memory: figures are of this program, not of the disk.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mcap::records::{MessageHeader, Metadata};
use mcap::{McapError, Writer};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{FIELDS, grouped};
use crate::record::format::{self, About, Keyframe, KnownSample};
use crate::record::read::{ReadError, Timeline};
use crate::record::write_options;
use crate::value::{Quality, Timestamp, Value};

const TWINS: u16 = 200;
const PER_SECOND: u64 = 10;
const SEEKS: usize = 300;
/// When all recordings here begin.
const START: i64 = 1_780_000_000_000_000_000;

#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("the recording cannot be written: {0}")]
    Write(#[from] McapError),
    #[error("{}: {cause}", path.display())]
    Disk { path: PathBuf, cause: std::io::Error },
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// What was measured of one file.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    bytes: u64,
    secs: f64,
    open: Duration,
    p50: Duration,
    p99: Duration,
    /// Messages read on the way from start to end.
    messages_per_sec: f64,
}

/// Writes, measures and removes a recording of each size.
pub fn run(mib: &[u64]) -> Result<String, BenchError> {
    let folder = Folder::new()?;
    let mut text = String::new();
    let mut first: Option<Figures> = None;
    for mib in mib {
        let path = folder.0.join(format!("{mib}.mcap"));
        write(&path, mib << 20)?;
        let figures = measure(&path)?;
        let _ = writeln!(text, "recording of {} MiB, {:.0} s:", figures.bytes >> 20, figures.secs);
        let base = *first.get_or_insert(figures);
        let ratio = |this: Duration, base: Duration| this.as_secs_f64() / base.as_secs_f64().max(1e-9);
        let mut line = |label: &str, this: Duration, base: Duration| {
            let _ = writeln!(text, "  {label:<24} {:>9.2} ms   x{:.2}", this.as_secs_f64() * 1e3, ratio(this, base));
        };
        line("open, first keyframe", figures.open, base.open);
        line("seek, half of them", figures.p50, base.p50);
        line("seek, 99 of 100", figures.p99, base.p99);
        let _ = writeln!(text, "  {:<24} {:>9} messages/s", "read through", grouped(figures.messages_per_sec));
        std::fs::remove_file(&path).map_err(|cause| BenchError::Disk { path, cause })?;
    }
    Ok(text)
}

fn measure(path: &Path) -> Result<Figures, BenchError> {
    let began = Instant::now();
    let timeline = Timeline::open(&[path.to_owned()])?;
    let _first = timeline.first_keyframe()?;
    let open = began.elapsed();
    let (start, end) = timeline.bounds().unwrap_or_default();

    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut seeks = Vec::with_capacity(SEEKS);
    for _ in 0..SEEKS {
        let moment = Timestamp(rng.random_range(start.0..=end.0));
        let began = Instant::now();
        let known = timeline.keyframe_at(moment)?.map_or(Timestamp::MIN, |keyframe| keyframe.time);
        for message in timeline.messages(known, moment) {
            std::hint::black_box(message?);
        }
        seeks.push(began.elapsed());
    }
    seeks.sort_unstable();
    let percentile = |p: usize| seeks.get(SEEKS * p / 100).copied().unwrap_or_default();

    let (began, mut messages) = (Instant::now(), 0u64);
    for message in timeline.messages(start, start + Duration::from_secs(200)) {
        std::hint::black_box(message?);
        messages += 1;
    }
    let messages_per_sec = messages as f64 / began.elapsed().as_secs_f64().max(1e-9);
    let bytes = timeline.recordings().iter().map(|recording| recording.bytes()).sum();
    Ok(Figures { bytes, secs: end.secs_since(start), open, p50: percentile(50), p99: percentile(99), messages_per_sec })
}

/// A recording of so many bytes.
fn write(path: &Path, bytes: u64) -> Result<(), BenchError> {
    let disk = |cause| BenchError::Disk { path: path.to_owned(), cause };
    let file = File::create(path).map_err(disk)?;
    let watch = file.try_clone().map_err(disk)?;
    let mut writer = write_options().create(BufWriter::with_capacity(1 << 20, file))?;
    let about = About { format: "1.0".into(), scene: "bench".into(), started: Timestamp(START), ..About::default() };
    writer.write_metadata(&Metadata { name: format::ABOUT.into(), metadata: about.to_metadata() })?;
    let schema = writer.add_schema(format::JSON_SCHEMA_NAME, format::JSON_SCHEMA_ENCODING, format::JSON_SCHEMA)?;
    let keyframes = writer.add_channel(schema, format::KEYFRAMES_TOPIC, format::JSON, &BTreeMap::new())?;
    let said = BTreeMap::from([
        (format::BROKER.to_owned(), "plant".to_owned()),
        (format::QOS.to_owned(), "1".to_owned()),
        (format::RETAINED.to_owned(), "false".to_owned()),
    ]);
    let topic = |twin| super::topic(u32::from(twin));
    let channels = (0..TWINS).map(|twin| writer.add_channel(schema, &topic(twin), format::JSON, &said));
    let channels: Vec<u16> = channels.collect::<Result<_, _>>()?;
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for second in 0.. {
        let now = START + second * 1_000_000_000;
        if second % 5 == 0 {
            writer.flush()?;
            put(&mut writer, keyframes, 0, now, &keyframe(Timestamp(now), &mut rng))?;
            writer.flush()?;
            if watch.metadata().map_err(disk)?.len() >= bytes {
                break;
            }
        }
        for tenth in 0..PER_SECOND as i64 {
            for (at, channel) in (1..).zip(&channels) {
                let time = now + tenth * 100_000_000 + at * 1_000;
                let payload = super::payload(time / 1_000_000, u64::from(rng.random::<u32>()));
                put(&mut writer, *channel, (second * 10 + tenth) as u32, time, payload.as_bytes())?;
            }
        }
        writer.flush()?;
    }
    writer.finish()?;
    Ok(())
}

fn put(
    writer: &mut Writer<BufWriter<File>>,
    channel_id: u16,
    sequence: u32,
    time: i64,
    data: &[u8],
) -> Result<(), McapError> {
    let time = time.unsigned_abs();
    writer.write_to_known_channel(&MessageHeader { channel_id, sequence, log_time: time, publish_time: time }, data)
}

/// All signals of all twins.
fn keyframe(time: Timestamp, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut known = || KnownSample {
        source_time: time,
        receive_time: time,
        value: Value::Number(f64::from(rng.random_range(0..10_000)) / 100.0),
        quality: Quality::GOOD,
        origin: None,
    };
    let mut signals = || FIELDS.iter().map(|name| ((*name).to_owned(), vec![known()])).collect::<BTreeMap<_, _>>();
    let twins = (0..TWINS).map(|twin| (format!("T-{twin}"), signals())).collect();
    // Maps with text keys and finite numbers: JSON refuses nothing of it.
    serde_json::to_vec(&Keyframe { time, signals: twins, ..Keyframe::default() }).unwrap_or_default()
}

/// Goes with all that is in it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, BenchError> {
        let path = std::env::temp_dir().join(format!("pollux-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|cause| BenchError::Disk { path: path.clone(), cause })?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!("{}: is left behind: {error}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_of_the_wanted_size_is_written_and_measured() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.mcap");
        write(&path, 2 << 20).unwrap();
        let figures = measure(&path).unwrap();
        assert!((2 << 20..4 << 20).contains(&figures.bytes), "{figures:?}");
        assert!(figures.secs >= 5.0 && figures.p50 <= figures.p99 && figures.messages_per_sec > 0.0, "{figures:?}");
    }
}
