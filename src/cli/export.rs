//! `pollux export`: recordings, or a stretch of them, for other programs.

use std::path::PathBuf;

use super::play::parse_at;
use super::{Failure, colour, out};
use crate::export::{ExportError, Format, Options, Shape, export};
use crate::files::FileError;
use crate::replay::{At, OpenError};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Recordings of one series: MCAP files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What to write.
    #[arg(long, value_enum)]
    to: To,
    /// The file to write.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Tables: a row for each sample, or a row for each moment with a column for each signal. A last column `origin` stands
    /// where a sample is simulated, estimated or forecast.
    #[arg(long, value_enum, default_value_t = Form::Long)]
    shape: Form,
    /// From this moment on: time after the start (90s, 1h2m), or like 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = parse_at)]
    from: Option<At>,
    /// Up to this moment.
    #[arg(long, value_name = "TIME", value_parser = parse_at)]
    to_time: Option<At>,
    /// Both moments at once: 90s..2m
    #[arg(long, value_name = "TIME..TIME", value_parser = parse_range, conflicts_with_all = ["from", "to_time"])]
    range: Option<Range>,
    /// Only this twin; may be given more than once.
    #[arg(long, value_name = "TWIN")]
    twin: Vec<String>,
    /// Only this signal, of any twin or of one (flow, P-101.flow); may be given more than once.
    #[arg(long, value_name = "SIGNAL")]
    signal: Vec<String>,
    /// Decode by this scene instead of the one in the recording.
    #[arg(long, value_name = "SCENE")]
    scene: Option<PathBuf>,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Debug)]
enum To {
    Csv,
    Parquet,
    /// InfluxDB line protocol.
    Influx,
    /// A recording again: trimmed, and merged if there are several.
    Mcap,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Debug)]
enum Form {
    Long,
    Wide,
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Range {
    from: Option<At>,
    to: Option<At>,
}

/// Either end may be left out: `90s..`, `..2m`.
fn parse_range(text: &str) -> Result<Range, String> {
    let (from, to) = text.split_once("..").ok_or_else(|| format!("`{text}` is no stretch; write it like 90s..2m"))?;
    let end = |text: &str| if text.is_empty() { Ok(None) } else { parse_at(text).map(Some) };
    Ok(Range { from: end(from)?, to: end(to)? })
}

pub fn run(args: Args) -> Result<(), Failure> {
    let shape = match args.shape {
        Form::Long => Shape::Long,
        Form::Wide => Shape::Wide,
    };
    let format = match args.to {
        To::Csv => Format::Csv(shape),
        To::Parquet => Format::Parquet(shape),
        To::Influx => Format::Influx,
        To::Mcap => Format::Mcap,
    };
    let Range { from, to } = args.range.unwrap_or(Range { from: args.from, to: args.to_time });
    let options = Options {
        files: args.files,
        output: args.output,
        format,
        scene: args.scene,
        from,
        to,
        twins: args.twin,
        signals: args.signal,
    };
    let done = export(&options).map_err(failure)?;
    if let Some(damage) = done.damage {
        eprintln!("pollux: {damage}");
    }
    done.remarks.iter().for_each(|remark| eprintln!("pollux: {}: {remark}", options.output.display()));
    let what = match format {
        Format::Csv(_) | Format::Parquet(_) => "rows",
        Format::Influx => "lines",
        Format::Mcap => "messages, events and keyframes",
    };
    out::line(format_args!("{}: {} {what}", options.output.display(), done.rows))?;
    Ok(())
}

fn failure(error: ExportError) -> Failure {
    match error {
        ExportError::Scene(OpenError::Scene(loaded)) => {
            eprint!("{}", loaded.render(colour()));
            Failure::Verdict
        }
        ExportError::NoTwin(_)
        | ExportError::NoSignal(_)
        | ExportError::Raw
        | ExportError::Backwards { .. }
        | ExportError::Outside { .. }
        | ExportError::Onto { .. }
        | ExportError::File(FileError::Input { .. } | FileError::Folder { .. }) => Failure::Usage(error.to_string()),
        other => Failure::environment(other),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_stretch_may_leave_out_either_end() {
        let after = |secs| Some(At::After(Duration::from_secs(secs)));
        assert_eq!(parse_range("90s..2m"), Ok(Range { from: after(90), to: after(120) }));
        assert_eq!(parse_range("..2m"), Ok(Range { from: None, to: after(120) }));
        assert!(parse_range("90s").is_err_and(|error| error.contains("90s..2m")));
    }
}
