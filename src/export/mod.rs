//! Recordings for other programs: tables of samples, lines for InfluxDB, or a stretch of the recording itself.
//!
//! In: recordings, which stretch and which signals. Out: a file. Samples are decoded as the live session did it, by the
//! scene in the recording or another one; derived signals are computed from them. The file appears under its name when it
//! is complete, and not before.
//!
//! Where a chosen sample is neither measured nor derived from what was, tables have a last column `origin`, with the origin
//! of each sample, or in a wide table with the least certain one of each row; lines for InfluxDB have a tag `origin` then.
//! Elsewhere nothing is said of origins.

mod csv;
mod influx;
mod mcap;
mod parquet;
mod samples;
mod wide;

use std::io::{Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use crate::files::{self, Existing, FileError, NewFile};
use crate::record::read::{ReadError, Timeline};
use crate::replay::{At, OpenError};
use crate::scene::Scene;
use crate::value::{Sample, Timestamp};

/// What to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Csv(Shape),
    Parquet(Shape),
    /// Line protocol (<https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/>).
    Influx,
    /// The messages themselves, with events, keyframes and the scene: a recording again.
    Mcap,
}

/// How samples stand in a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Shape {
    /// One row for each sample, with its twin, signal, unit and quality.
    #[default]
    Long,
    /// One row for each moment, one column for each signal.
    Wide,
}

#[derive(Clone, Debug)]
pub struct Options {
    /// Recordings of one series.
    pub files: Vec<PathBuf>,
    pub output: PathBuf,
    pub format: Format,
    /// Instead of the recording's own scene.
    pub scene: Option<PathBuf>,
    /// The stretch by receive time, both ends included. None: from the beginning, to the end.
    pub from: Option<At>,
    pub to: Option<At>,
    /// Ids; empty for all.
    pub twins: Vec<String>,
    /// `flow` of any twin, or `P-101.flow`; empty for all.
    pub signals: Vec<String>,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Exported {
    /// Rows, lines or messages in the file.
    pub rows: u64,
    /// What the recordings lack.
    pub damage: Option<String>,
    /// What else people have to know of the file.
    pub remarks: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Scene(#[from] OpenError),
    #[error("the recordings hold nothing")]
    Empty,
    #[error("the stretch ends at {to}, before it begins at {from}; the recording is from {start} to {end}")]
    Backwards { from: Timestamp, to: Timestamp, start: Timestamp, end: Timestamp },
    #[error("nothing lies between {from} and {to}: the recording is from {start} to {end}")]
    Outside { from: Timestamp, to: Timestamp, start: Timestamp, end: Timestamp },
    #[error("{}: is one of the recordings that are read; name another file", path.display())]
    Onto { path: PathBuf },
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the scene has no twin `{0}`")]
    NoTwin(String),
    #[error("the scene has no signal `{0}`; write it like flow or P-101.flow")]
    NoSignal(String),
    #[error("a recording is cut by time, not by signal: --twin and --signal are for tables")]
    Raw,
    #[error("{}: cannot be written: {cause}", path.display())]
    Write { path: PathBuf, cause: String },
}

/// Why a table cannot be written.
type TableError = Box<dyn std::error::Error + Send + Sync>;

/// Which columns a table has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Columns {
    /// Also the origin of each sample.
    origin: bool,
}

/// Takes samples in order of their receipt.
trait Table {
    fn sample(&mut self, sample: &Sample) -> Result<(), TableError>;

    /// Writes what is left; says how many rows there are.
    fn finish(self: Box<Self>) -> Result<u64, TableError>;

    /// What people have to know of the rows so far.
    fn remark(&self) -> Option<String> {
        None
    }
}

/// Writes the chosen part of recordings into a file.
pub fn export(options: &Options) -> Result<Exported, ExportError> {
    // Better said before the work than after it: the file cannot stand there.
    files::refuse_inputs(&options.output, &options.files)
        .map_err(|_| ExportError::Onto { path: options.output.clone() })?;
    files::refuse_inputs(&options.output, &options.scene)?;
    let new = NewFile::begin(&options.output, Existing::Replace)?;
    let timeline = Timeline::open(&options.files)?;
    let (from, to) = stretch(&timeline, options)?;
    let failed =
        |cause: &dyn std::fmt::Display| ExportError::Write { path: options.output.clone(), cause: cause.to_string() };
    let file = new.file().try_clone().map_err(|error| failed(&error))?;
    let (rows, remark) = match options.format {
        Format::Mcap if !options.twins.is_empty() || !options.signals.is_empty() => Err(ExportError::Raw),
        Format::Mcap => match mcap::write(&timeline, from, to, file) {
            Ok((rows, begun)) => Ok((rows, begun_earlier(begun, from))),
            Err(mcap::CutError::Read(error)) => Err(ExportError::Read(error)),
            Err(mcap::CutError::Write(error)) => Err(failed(&error)),
        },
        format => table(&timeline, options, format, file, (from, to)),
    }?;
    new.finish()?;
    let nothing =
        (rows == 0).then(|| "nothing that was asked for is in the recording: the file has no rows".to_owned());
    Ok(Exported { rows, damage: timeline.told(), remarks: remark.into_iter().chain(nothing).collect() })
}

/// A recording that begins before the stretch that was asked for says why.
fn begun_earlier(begun: Timestamp, from: Timestamp) -> Option<String> {
    // Less than a keyframe of an import lies before its first message.
    let is_earlier = begun.0.saturating_add(1) < from.0;
    is_earlier.then(|| {
        format!("it begins at {begun}, with the last keyframe before {from}: later nothing would be known of it")
    })
}

fn table(
    timeline: &Timeline,
    options: &Options,
    format: Format,
    file: std::fs::File,
    (from, to): (Timestamp, Timestamp),
) -> Result<(u64, Option<String>), ExportError> {
    let scene = Arc::new(crate::replay::scene_of(timeline, options.scene.as_deref())?.0);
    if options.scene.is_some() {
        files::refuse_inputs(&options.output, scene.sources.iter().map(|source| &source.path))?;
    }
    let chosen = chosen(&scene, &options.twins, &options.signals)?;
    let failed = |cause: TableError| ExportError::Write { path: options.output.clone(), cause: cause.to_string() };
    // Hardly any table needs to tell of origins: one that turns out to is begun again.
    for columns in [Columns { origin: false }, Columns { origin: true }] {
        let file = emptied(&file).map_err(|error| failed(error.into()))?;
        let mut table: Box<dyn Table> = match format {
            Format::Csv(Shape::Long) => Box::new(csv::Long::new(file, scene.clone(), columns).map_err(failed)?),
            Format::Csv(Shape::Wide) => Box::new(csv::wide(file, &scene, &chosen, columns).map_err(failed)?),
            Format::Parquet(Shape::Long) => Box::new(parquet::Long::new(file, scene.clone(), columns).map_err(failed)?),
            Format::Parquet(Shape::Wide) => Box::new(parquet::wide(file, &scene, &chosen, columns).map_err(failed)?),
            Format::Influx | Format::Mcap => Box::new(influx::Lines::new(file, scene.clone())),
        };
        let tells = columns.origin || matches!(format, Format::Influx | Format::Mcap);
        let (mut problem, mut must_tell) = (None, false);
        samples::each(timeline, scene.clone(), (from, to), |sample| {
            if chosen.get(sample.signal.at()) == Some(&true) {
                must_tell = !tells && sample.origin.mark().is_some();
                problem = if must_tell { None } else { table.sample(sample).err() };
            }
            problem.is_none() && !must_tell
        })?;
        match problem {
            Some(error) => return Err(failed(error)),
            None if !must_tell => {
                let remark = table.remark();
                return Ok((table.finish().map_err(failed)?, remark));
            }
            None => {}
        }
    }
    Ok((0, None))
}

/// The same file, from its beginning.
fn emptied(file: &std::fs::File) -> std::io::Result<std::fs::File> {
    file.set_len(0)?;
    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// The first and the last moment to export.
fn stretch(timeline: &Timeline, options: &Options) -> Result<(Timestamp, Timestamp), ExportError> {
    let (start, end) = timeline.bounds().ok_or(ExportError::Empty)?;
    let moment = |at: At| match at {
        At::After(duration) => start + duration,
        At::Moment(moment) => moment,
    };
    let from = options.from.map_or(start, moment);
    let to = options.to.map_or(end, moment);
    match (from, to) {
        _ if to < from => Err(ExportError::Backwards { from, to, start, end }),
        _ if to < start || from > end => Err(ExportError::Outside { from, to, start, end }),
        stretch => Ok(stretch),
    }
}

/// For each signal of the scene, whether it is wanted. A name that fits nothing is an error: a typing mistake must not
/// look like an empty recording.
fn chosen(scene: &Scene, twins: &[String], signals: &[String]) -> Result<Vec<bool>, ExportError> {
    for id in twins {
        scene.twin(id).ok_or_else(|| ExportError::NoTwin(id.clone()))?;
    }
    let mut hits = vec![false; signals.len()];
    let chosen = scene.signals.iter().map(|signal| {
        let of_twin =
            scene.twins.get(signal.twin.at()).is_some_and(|twin| twins.is_empty() || twins.contains(&twin.id));
        let path = scene.signal_path(signal.index);
        let mut is_named = signals.is_empty();
        for (wanted, hit) in signals.iter().zip(&mut hits) {
            if *wanted == signal.name || *wanted == path {
                (*hit, is_named) = (true, true);
            }
        }
        of_twin && is_named
    });
    let chosen = chosen.collect();
    match signals.iter().zip(hits).find(|(_, hit)| !hit) {
        Some((name, _)) => Err(ExportError::NoSignal(name.clone())),
        None => Ok(chosen),
    }
}
