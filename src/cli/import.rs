//! `pollux import`: other people's logs as recordings.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Failure;
use crate::command::Operator;
use crate::files::{self, Existing, FileError, NewFile};
use crate::import::{self, CsvOptions, CsvReader, ImportError, ImportOptions, Imported, Sent, Shape, TableCounts};
use crate::produce::ProducerFactory;
use crate::record::read::Timeline;
use crate::scene::Scene;
use crate::value::Timestamp;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// csv: a table with a row for each moment (time,P-101.flow,…), for each value (time,twin,signal,value) or for each
    /// message (time,topic,payload). mcap: messages with JSON payloads on topics that the scene binds.
    format: Format,
    /// The file to read.
    file: PathBuf,
    /// The scene whose bindings say what belongs where.
    #[arg(long, value_name = "SCENE")]
    scene: PathBuf,
    /// The recording to write; play it with `pollux play`.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// csv: the column that is the time.
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
    /// csv: the signal that a column belongs to, where its name does not say so: F1=P-101.flow
    #[arg(long, value_name = "COLUMN=TWIN.SIGNAL", value_parser = parse_map)]
    map: Vec<(String, String)>,
    /// Overwrite the recording if there is one.
    #[arg(long)]
    force: bool,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    Csv,
    Mcap,
}

fn parse_map(text: &str) -> Result<(String, String), String> {
    let (column, signal) = text.split_once('=').ok_or_else(|| format!("`{text}`: write it like F1=P-101.flow"))?;
    Ok((column.trim().to_owned(), signal.trim().to_owned()))
}

pub fn run(args: Args) -> Result<(), Failure> {
    let loaded = crate::scene::load(&args.scene);
    let Some(scene) = loaded.scene.clone() else {
        eprint!("{}", loaded.render(super::colour()));
        return Err(Failure::Verdict);
    };
    let scene = Arc::new(scene);
    let shown = args.file.display().to_string();
    match args.format {
        Format::Csv => {
            let input = File::open(&args.file)
                .map_err(|cause| failure(ImportError::Unreadable { file: shown.clone(), cause }))?;
            let options = CsvOptions { time: args.time.clone(), map: args.map.clone() };
            let mut reader = CsvReader::new(&shown, input, &scene, &options).map_err(failure)?;
            tell_columns(&shown, &reader);
            let imported = write(&args, scene.clone(), std::iter::from_fn(|| reader.next_moment().transpose()))?;
            tell_rows(&shown, &reader.counts);
            tell(&args.output, &imported);
        }
        Format::Mcap => {
            let timeline = Timeline::open(std::slice::from_ref(&args.file)).map_err(Failure::environment)?;
            if let Some(damage) = timeline.told() {
                eprintln!("pollux: {damage}");
            }
            let imported = write(&args, scene.clone(), import::messages(&shown, &timeline, &scene))?;
            tell(&args.output, &imported);
        }
    }
    Ok(())
}

fn write(
    args: &Args,
    scene: Arc<Scene>,
    moments: impl Iterator<Item = Result<Vec<Sent>, ImportError>>,
) -> Result<Imported, Failure> {
    let scene_files: Vec<PathBuf> = scene.sources.iter().map(|source| source.path.clone()).collect();
    files::refuse_inputs(&args.output, std::iter::once(&args.file).chain(&scene_files)).map_err(file_failure)?;
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let new = NewFile::begin(&args.output, existing).map_err(file_failure)?;
    let file = new.file().try_clone().map_err(Failure::environment)?;
    let options = ImportOptions {
        operator: Operator::default().0,
        wall: Timestamp::now(),
        producers: ProducerFactory::default(),
    };
    let imported = import::record(moments, scene, &args.output, file, options).map_err(failure)?;
    if imported.messages == 0 {
        // A recording of nothing helps nobody, and cannot be played.
        let said = format!("{}: holds no message that can be read: no recording is written", args.file.display());
        return Err(Failure::Usage(said));
    }
    new.finish().map_err(file_failure)?;
    Ok(imported)
}

fn file_failure(error: FileError) -> Failure {
    match error {
        FileError::Exists { .. } => Failure::Environment(format!("{error}; --force overwrites it")),
        FileError::Input { .. } | FileError::Folder { .. } => Failure::Usage(error.to_string()),
        other => Failure::environment(other),
    }
}

fn failure(error: ImportError) -> Failure {
    match error {
        ImportError::Unreadable { .. } | ImportError::Unwritten { .. } => Failure::environment(error),
        other => Failure::Usage(other.to_string()),
    }
}

fn tell_columns(file: &str, reader: &CsvReader) {
    if let Shape::Wide { signals, .. } = reader.shape() {
        eprintln!("pollux: {file}: {} columns belong to signals", signals.len());
    }
    for ignored in &reader.ignored {
        let why = match (ignored.is_computed, &ignored.near) {
            (true, _) => "the scene computes this signal, or nothing brings it".to_owned(),
            (false, Some(near)) => format!("no signal is called so; did you mean {near}?"),
            (false, None) => "no signal is called so".to_owned(),
        };
        eprintln!("pollux: {file}: the column `{}` is not read: {why}", ignored.column);
    }
}

fn tell_rows(file: &str, counts: &TableCounts) {
    if let Some(line) = counts.first_timeless {
        eprintln!("pollux: {file}: {} rows have no time that can be read, the first in line {line}", counts.timeless);
    }
    if let Some(name) = &counts.first_unknown {
        eprintln!("pollux: {file}: {} values are of no bound signal, the first of `{name}`", counts.unknown);
    }
    if counts.late > 0 {
        eprintln!("pollux: {file}: {} rows lie before the one above them and are taken as late", counts.late);
    }
}

fn tell(file: &Path, imported: &Imported) {
    let Imported { messages, samples, events, .. } = imported;
    let span = imported.from.zip(imported.to).map_or_else(String::new, |(from, to)| format!(", {from} to {to}"));
    eprintln!("pollux: {}: {messages} messages, {samples} samples, {events} events{span}", file.display());
    if let Some(error) = &imported.first_error {
        eprintln!("pollux: {} payloads could not be decoded, the first: {error}", imported.undecodable);
    }
    if imported.unknown_topics > 0 {
        eprintln!("pollux: {} messages are on topics that feed no signal", imported.unknown_topics);
    }
    if imported.samples == 0 {
        eprintln!("pollux: nothing of it feeds a signal of the scene: compare its topics with those of the scene");
    }
}
