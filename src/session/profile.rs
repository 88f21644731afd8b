//! What files hold that inputs of models follow. In: a scene that names columns of tables and recorded signals. Out: a
//! [`Profile`] of each, in the unit of its input; or what is wrong with each file. Only reads.
//!
//! Times count from the start of the simulation. Its start is the first time of a recording, or of a table whose times have
//! dates; it is midnight where a table has times of day (`06:30`), and 0 where it has seconds.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::import::{self, CsvOptions, CsvReader, ImportError, TimeFormat};
use crate::ingest::{BindingTable, Message};
use crate::plant::Profile;
use crate::record::read::{ReadError, Timeline};
use crate::replay::{OpenError, Samples, scene_of};
use crate::scene::{Binding, Decoder, ProfileOf, Scene, Signal, SignalSource, Span, TimeField, Twin, ValueKind};
use crate::value::{Conversion, Grade, Sample, SignalIndex, Timestamp, TwinIndex, Value};

/// Numbers below count seconds of something else than since 1970.
const EARLIEST_DATE: Timestamp = Timestamp(100_000_000_000_000_000);

/// Why a file does not feed an input.
#[derive(Debug, thiserror::Error)]
#[error("{item}: {cause}")]
pub struct ProfileError {
    pub item: String,
    /// Where the scene names the file.
    pub span: Span,
    pub cause: Cause,
}

#[derive(Debug, thiserror::Error)]
pub enum Cause {
    #[error("{file}: cannot be read: {cause}")]
    Unreadable { file: String, cause: io::Error },
    #[error(transparent)]
    Table(ImportError),
    #[error("{file}: no column is the time: call one `time`, `timestamp` or `date` (columns: {columns})")]
    NoTime { file: String, columns: String },
    #[error("{file}: has no column `{of}` (columns: {columns})")]
    NoColumn { file: String, of: String, columns: String },
    #[error(
        "{file}: its times cannot be read{first}: write them like 2026-01-31T10:00:00Z; like 06:30:00, since midnight; or in \
         seconds from the start"
    )]
    Times { file: String, first: String },
    #[error(transparent)]
    Recording(#[from] ReadError),
    #[error("{file}: its own scene cannot be read: {cause}")]
    Scene { file: String, cause: String },
    #[error("{file}: has no signal `{of}`{near}")]
    NoSignal { file: String, of: String, near: String },
    #[error("{file}: `{of}` is in `{found}`, which does not fit `{wanted}`")]
    Unit { file: String, of: String, found: String, wanted: String },
    #[error("{file}: `{of}` has no number that the input could follow")]
    Nothing { file: String, of: String },
}

/// Reads all that a scene's inputs follow, in the order of [`Scene::profiles`]; every problem is told.
pub fn read(scene: &Scene) -> Result<Vec<Profile>, Vec<ProfileError>> {
    let (mut profiles, mut errors, mut read) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (at, of) in scene.profiles.iter().enumerate() {
        let is_same = |other: &ProfileOf| {
            (&other.file, &other.of, &other.unit) == (&of.file, &of.of, &of.unit)
                && (&other.input_unit, other.to_input, other.repeats) == (&of.input_unit, of.to_input, of.repeats)
        };
        // Several inputs may follow one thing: it is read once.
        let known = scene.profiles[..at].iter().position(is_same).and_then(|known| read.get(&known).cloned());
        let profile = match known {
            Some(profile) => Ok(profile),
            None => read_one(of, scene),
        };
        if let Ok(profile) = &profile {
            read.insert(at, profile.clone());
        }
        match profile {
            Ok(profile) => profiles.push(profile),
            Err(cause) => errors.push(ProfileError { item: of.item.clone(), span: of.span, cause }),
        }
    }
    if errors.is_empty() { Ok(profiles) } else { Err(errors) }
}

/// Reads one; a recorded signal is taken in the unit of the input.
pub fn read_one(of: &ProfileOf, scene: &Scene) -> Result<Profile, Cause> {
    if of.is_recording { recorded(of, scene) } else { column(of) }
}

/// Says what is wrong with files, one line each.
pub fn told(errors: &[ProfileError]) -> String {
    errors.iter().map(ProfileError::to_string).collect::<Vec<_>>().join("\n")
}

impl From<ImportError> for Cause {
    /// The ways out of an import are options of a command line, which a scene does not have.
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::NoColumn { file, column: of, columns, .. } => Cause::NoColumn { file, of, columns },
            ImportError::NoTime { file, columns } => Cause::NoTime { file, columns },
            ImportError::NothingRead { file, cause, .. } if cause.contains("time") => {
                let first =
                    cause.split('`').nth(1).map_or_else(String::new, |first| format!(", the first is `{first}`"));
                Cause::Times { file, first }
            }
            ImportError::Days { file, found, .. } => Cause::Times { file, first: format!(", the first is `{found}`") },
            ImportError::RepeatedHour { file, line } => {
                Cause::Times { file, first: format!(", they go back in line {line}") }
            }
            error => Cause::Table(error),
        }
    }
}

/// A column of a table. Times with dates are found and read as an import does.
fn column(of: &ProfileOf) -> Result<Profile, Cause> {
    let dated = table(of, TimeFormat::Auto);
    let undated = || {
        [TimeFormat::TimeOfDay, TimeFormat::Count(1_000_000_000)].into_iter().find_map(|format| {
            let (_, samples) = table(of, format).ok()?;
            Some((Timestamp(0), samples))
        })
    };
    let (mut start, samples) = dated.or_else(|error| undated().ok_or(error))?;
    if start < EARLIEST_DATE {
        start = Timestamp(0);
    }
    profile(of, start, &samples, &Conversion::IDENTITY)
}

/// The first time of a table, and the values of the column.
fn table(of: &ProfileOf, format: TimeFormat) -> Result<(Timestamp, Vec<(Timestamp, Value)>), Cause> {
    let name = of.file.display().to_string();
    let file = File::open(&of.file).and_then(import::seekable);
    let file = file.map_err(|cause| Cause::Unreadable { file: name.clone(), cause })?;
    let scene = one_signal(of);
    let path = scene.signal_path(SignalIndex(0));
    let options = CsvOptions { map: vec![(of.of.clone(), path)], format, ..CsvOptions::default() };
    let mut reader = CsvReader::new(&name, file, &scene, &options)?;
    let start = reader.start().unwrap_or(Timestamp(0));
    let bindings = BindingTable::new(&scene, "", 0);
    let (mut samples, mut found, mut lost) = (Vec::new(), Vec::new(), 0);
    while let Some(moment) = reader.next_moment()? {
        for sent in &moment {
            let message = Message {
                topic: &sent.topic,
                payload: &sent.payload,
                retained: false,
                qos: 0,
                receive_time: sent.time,
            };
            let outcome = bindings.decode(&message, &mut samples);
            lost += u64::from(outcome.error.is_some());
        }
        found.extend(samples.drain(..).filter_map(usable));
    }
    if lost > 0 || !reader.rejected().is_empty() {
        let told = reader.rejected().told();
        tracing::warn!("{}: {name}: not all of the column `{}` can be taken: {lost} values; {told}", of.item, of.of);
    }
    Ok((start, found))
}

/// A scene of nothing but a signal for the column, which a reader of tables turns into messages.
fn one_signal(of: &ProfileOf) -> Scene {
    let binding = Binding {
        broker: None,
        topic: "profile".to_owned(),
        decoder: Decoder::Raw,
        time: TimeField::Receive,
        conversion: Conversion::IDENTITY,
    };
    let signal = Signal {
        index: SignalIndex(0),
        twin: TwinIndex(0),
        name: "value".to_owned(),
        label: String::new(),
        kind: ValueKind::Number,
        unit: of.unit.clone(),
        source: SignalSource::Mqtt(binding),
        expires: None,
        range: None,
        limits: crate::scene::Limits::default(),
    };
    let twins = vec![Twin::new(TwinIndex(0), "profile", "Profile", 0..1)];
    Scene { name: of.item.clone(), twins, signals: vec![signal], ..Scene::default() }
}

/// A signal of a recording. One without a scene of its own is read as this scene.
fn recorded(of: &ProfileOf, scene: &Scene) -> Result<Profile, Cause> {
    let file = of.file.display().to_string();
    let timeline = Timeline::open(std::slice::from_ref(&of.file))?;
    let (own, _unpacked) = match scene_of(&timeline, None) {
        Ok((own, _, unpacked)) => (Arc::new(own), unpacked),
        Err(OpenError::NoScene(_)) => (Arc::new(scene.clone()), None),
        Err(error) => return Err(Cause::Scene { file, cause: error.to_string() }),
    };
    let signal = of.of.rsplit_once('.').and_then(|(twin, name)| own.signal(twin, name));
    let Some(signal) = signal else {
        let paths: Vec<String> = own.signals.iter().map(|signal| own.signal_path(signal.index)).collect();
        let near = crate::scene::nearest::nearest(&of.of, paths.iter().map(String::as_str));
        let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
        return Err(Cause::NoSignal { file, of: of.of.clone(), near });
    };
    let is_free = signal.unit.symbol().is_empty() || of.input_unit.symbol().is_empty();
    let conversion = signal.unit.conversion_to(&of.input_unit).or(is_free.then_some(Conversion::IDENTITY));
    let is_switch = signal.kind == ValueKind::Bool && !of.input_unit.symbol().is_empty();
    let Some(conversion) = conversion.filter(|_| !is_switch) else {
        let (found, wanted) = (signal.unit.symbol().to_owned(), of.input_unit.symbol().to_owned());
        return Err(Cause::Unit { file, of: of.of.clone(), found, wanted });
    };
    let wanted = signal.index;
    let mut found = Vec::new();
    let start = timeline.bounds().map_or(Timestamp(0), |(from, _)| from);
    if let Some((from, to)) = timeline.bounds() {
        let (_, messages) = Samples::new(&timeline, own.clone(), from, to)?;
        for message in messages {
            found.extend(message?.samples.into_iter().filter(|sample| sample.signal == wanted).filter_map(usable));
        }
    }
    profile(of, start, &found, &conversion)
}

fn usable(sample: Sample) -> Option<(Timestamp, Value)> {
    (sample.quality.grade <= Grade::Uncertain).then_some((sample.source_time, sample.value))
}

/// What was true before the file begins counts from its start on.
fn profile(
    of: &ProfileOf,
    start: Timestamp,
    samples: &[(Timestamp, Value)],
    conversion: &Conversion,
) -> Result<Profile, Cause> {
    let points = samples.iter().filter_map(|(time, value)| {
        let x = match value {
            Value::Number(x) => *x,
            Value::Bool(flag) => f64::from(u8::from(*flag)),
            Value::Text(_) => return None,
        };
        let since = time.0.saturating_sub(start.0).max(0) as u64;
        Some((since, of.to_input.apply(conversion.apply(x))))
    });
    let nothing = || Cause::Nothing { file: shown(&of.file), of: of.of.clone() };
    Profile::new(points.collect(), of.repeats).ok_or_else(nothing)
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}
