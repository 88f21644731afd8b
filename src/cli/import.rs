//! `pollux import`: other people's logs as recordings.

use std::cell::RefCell;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Failure;
use crate::command::Operator;
use crate::files::{self, Existing, FileError, NewFile};
use crate::import::{
    self, CsvOptions, CsvReader, Ignored, ImportError, ImportOptions, Imported, MOST_TOPICS, Mark, Rejected, Sent,
    Shape, TableCounts, TimeFormat,
};
use crate::produce::ProducerFactory;
use crate::record::read::Timeline;
use crate::scene::Scene;
use crate::value::Timestamp;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// csv: a table with a row for each moment (time,P-101.flow,…), for each value (time,twin,signal,value) or for each
    /// message (time,topic,payload), in any order: long tables are sorted in the system's folder for temporary files.
    /// An empty cell is no value; a lone apostrophe is an empty text, as in exported tables. Rows that cannot be taken go into
    /// OUTPUT.rejected.csv with line and reason; mended, it imports. mcap: messages with JSON payloads on topics that the
    /// scene binds.
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
    /// csv: how times are written, where RFC 3339, its variants and numbers since 1970 do not fit: seconds, milliseconds,
    /// microseconds, nanoseconds, days (of a spreadsheet), compact (20260131) or a pattern like %d.%m.%Y %H:%M:%S
    #[arg(long, value_name = "FORMAT", default_value = "auto", hide_default_value = true, allow_hyphen_values = true)]
    time_format: TimeFormat,
    /// csv: where times are from that name no zone, by name (Europe/Berlin) or offset (+02:00); UTC if nothing is said. The
    /// order of rows tells the two hours apart where summer time ends.
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    zone: Option<String>,
    /// csv: the mark before decimals, where the columns do not tell it: comma or point. The other one parts thousands.
    #[arg(long, value_name = "MARK")]
    decimal: Option<DecimalMark>,
    /// Overwrite the recording if there is one.
    #[arg(long)]
    force: bool,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    Csv,
    Mcap,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum DecimalMark {
    Comma,
    Point,
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
    // Better said before the work than after it: the recording cannot stand there.
    let new = begin(&args, &scene)?;
    let shown = args.file.display().to_string();
    match args.format {
        Format::Csv => {
            let input = File::open(&args.file)
                .and_then(import::seekable)
                .map_err(|cause| failure(ImportError::Unreadable { file: shown.clone(), cause }))?;
            let options = CsvOptions {
                time: args.time.clone(),
                map: args.map.clone(),
                format: args.time_format.clone(),
                zone: args.zone.clone(),
                decimal: args.decimal.map(|mark| match mark {
                    DecimalMark::Comma => Mark::Comma,
                    DecimalMark::Point => Mark::Point,
                }),
            };
            let reader = CsvReader::new(&shown, input, &scene, &options).map_err(failure)?;
            tell_columns(&shown, &reader);
            let reader = RefCell::new(reader);
            let moments = std::iter::from_fn(|| reader.borrow_mut().next_moment().transpose());
            let rejected = || reader.borrow_mut().rejected().attachment();
            let imported = write(&args, new, scene.clone(), moments, rejected);
            let mut reader = reader.into_inner();
            tell_rows(&shown, &reader.counts);
            // What is not taken lies beside a recording, or nowhere.
            let imported = imported?;
            tell_rejected(&shown, &args.output, reader.rejected());
            tell(&args.output, &imported);
        }
        Format::Mcap => {
            let timeline = Timeline::open(std::slice::from_ref(&args.file)).map_err(Failure::environment)?;
            if let Some(damage) = timeline.told() {
                eprintln!("pollux: {damage}");
            }
            let messages = import::messages(&shown, &timeline, &scene);
            let imported = write(&args, new, scene.clone(), messages, || Ok(None))?;
            tell(&args.output, &imported);
        }
    }
    Ok(())
}

/// The recording, with nothing in it yet.
fn begin(args: &Args, scene: &Scene) -> Result<NewFile, Failure> {
    let scene_files = scene.sources.iter().map(|source| &source.path);
    files::refuse_inputs(&args.output, [&args.file, &args.scene].into_iter().chain(scene_files))
        .map_err(file_failure)?;
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    NewFile::begin(&args.output, existing).map_err(file_failure)
}

fn write(
    args: &Args,
    new: NewFile,
    scene: Arc<Scene>,
    moments: impl Iterator<Item = Result<Vec<Sent>, ImportError>>,
    rejected: impl FnOnce() -> std::io::Result<Option<Vec<u8>>>,
) -> Result<Imported, Failure> {
    let scene_name = scene.name.clone();
    let file = new.file().try_clone().map_err(Failure::environment)?;
    let options = ImportOptions {
        operator: Operator::default().0,
        wall: Timestamp::now(),
        producers: ProducerFactory::default(),
    };
    let imported = import::record(moments, scene, &args.output, file, options, rejected).map_err(failure)?;
    if imported.messages == 0 {
        // A recording of nothing helps nobody, and cannot be played.
        let said = format!("{}: holds no message that can be read: no recording is written", args.file.display());
        return Err(Failure::Usage(said));
    }
    if imported.samples == 0 {
        return Err(Failure::Usage(nothing_fits(args, &scene_name, &imported)));
    }
    new.finish().map_err(file_failure)?;
    Ok(imported)
}

/// Why no message has a sample for the scene, and what to do.
fn nothing_fits(args: &Args, scene_name: &str, imported: &Imported) -> String {
    let (file, scene) = (args.file.display(), args.scene.display());
    let topics: Vec<String> = imported.first_unknown.iter().map(|topic| format!("`{topic}`")).collect();
    let why = match (&imported.first_error, topics.is_empty()) {
        (Some(error), _) => {
            format!(
                "{} payloads could not be decoded, the first: {error}; compare the bindings in {scene} with a payload",
                imported.undecodable
            )
        }
        (None, false) => format!(
            "no signal of it is bound to the topics {}{}; bind signals to them in {scene}, or name another --scene",
            topics.join(", "),
            if imported.first_unknown.len() < MOST_TOPICS { "" } else { ", …" }
        ),
        (None, true) => format!(
            "their payloads lack the fields that its signals are bound to: compare the bindings in {scene} with a payload"
        ),
    };
    format!(
        "{file}: none of its {} messages has a value for the scene `{scene_name}`: {why}: no recording is written",
        imported.messages
    )
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
    for note in &reader.notes {
        eprintln!("pollux: {file}: {note}");
    }
    if let Shape::Wide { signals, .. } = reader.shape() {
        eprintln!("pollux: {file}: {} columns belong to signals", signals.len());
    }
    let (computed, unknown): (Vec<_>, Vec<_>) = reader.ignored.iter().partition(|ignored| ignored.is_computed);
    if !computed.is_empty() {
        let which = some_columns(&computed);
        eprintln!("pollux: {file}: {which} not read: the scene computes the signal, or nothing brings it");
    }
    if !unknown.is_empty() {
        let meant = unknown.iter().find_map(|ignored| Some((&ignored.column, ignored.near.as_ref()?)));
        let meant = meant.map(|(column, near)| match unknown.len() {
            1 => format!("; did you mean {near}?"),
            _ => format!("; did you mean {near} for `{column}`?"),
        });
        let which = some_columns(&unknown);
        eprintln!("pollux: {file}: {which} not read: no signal is called so{}", meant.unwrap_or_default());
    }
}

/// The first few by name, all by count.
fn some_columns(ignored: &[&Ignored]) -> String {
    let names: Vec<String> = ignored.iter().take(3).map(|ignored| format!("`{}`", ignored.column)).collect();
    match ignored.len() {
        1 => format!("the column {} is", names.join(", ")),
        count if count == names.len() => format!("the columns {} are", names.join(", ")),
        count => format!("{count} columns, such as {}, are", names.join(", ")),
    }
}

fn tell_rows(file: &str, counts: &TableCounts) {
    if let Some(name) = &counts.first_unknown {
        eprintln!("pollux: {file}: {} values are of no bound signal, the first of `{name}`", counts.unknown);
    }
    if let Some((line, text)) = &counts.first_rounded {
        let count = counts.rounded;
        eprintln!(
            "pollux: {file}: {count} whole numbers have more digits than a value keeps and are rounded, the first in line \
             {line}: {text}"
        );
    }
    if counts.repeated > 0 {
        eprintln!("pollux: {file}: {} headers stand among the rows and are skipped", counts.repeated);
    }
}

fn tell_rejected(file: &str, output: &Path, rejected: &mut Rejected) {
    if rejected.is_empty() {
        return;
    }
    let count = |count: u64, what: &str| (count > 0).then(|| format!("{count} rows are {what}"));
    let counts = [count(rejected.rows, "not taken"), count(rejected.parts, "taken in part")];
    let counts = counts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    eprintln!("pollux: {file}: {counts}: {}", rejected.told());
    match rejected.write_beside(output) {
        Ok(Some(path)) => {
            eprintln!("pollux: what is not taken stands in {}; mended, it can be imported", path.display());
        }
        Ok(None) => {}
        Err(error) => eprintln!("pollux: what is not taken cannot be written beside the recording: {error}"),
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
}
