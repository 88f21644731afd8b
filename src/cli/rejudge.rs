//! `pollux rejudge`: which alarms an edited scene would have gained, lost or moved over a recording. Without a window.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use super::out::Format;
use super::{Failure, out};
use crate::produce::ProducerFactory;
use crate::record::read::Timeline;
use crate::replay::{OpenError, scene_of};
use crate::run::rejudge::{Activation, Difference, activations, difference, rejudge};
use crate::value::Timestamp;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// MCAP files of one series.
    #[arg(required = true, value_name = "RECORDING")]
    recordings: Vec<PathBuf>,
    /// The edited scene. It is compared with the one that the recording holds.
    #[arg(long, value_name = "SCENE")]
    scene: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Exit with 1 if any alarm differs.
    #[arg(long)]
    exit_code: bool,
}

/// What `--format json` prints.
#[derive(Serialize, Debug)]
struct Report {
    recordings: Vec<String>,
    scene: String,
    from: Timestamp,
    to: Timestamp,
    #[serde(flatten)]
    difference: Difference,
    /// Activations that the recording's own journal tells otherwise than its own scene, judged once more.
    journal_differs: usize,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let timeline = Timeline::open(&args.recordings).map_err(Failure::environment)?;
    let Some((from, to)) = timeline.bounds() else {
        let first = args.recordings.first().map(|path| path.display().to_string()).unwrap_or_default();
        return Err(Failure::Environment(format!("{first}: holds no message and no event: there is nothing to judge")));
    };
    let judge = |named: Option<&PathBuf>| {
        let (scene, _, unpacked) = scene_of(&timeline, named.map(PathBuf::as_path)).map_err(failure)?;
        let run = rejudge(&timeline, Arc::new(scene), ProducerFactory::default()).map_err(Failure::environment)?;
        drop(unpacked);
        Ok::<_, Failure>(activations(run.events_after(0).map(|event| &**event)))
    };
    let before = judge(None)?;
    let after = judge(Some(&args.scene))?;
    let events = timeline.events().map_err(Failure::environment)?;
    let recorded = difference(&activations(&events), &before);
    let report = Report {
        recordings: args.recordings.iter().map(|path| path.display().to_string()).collect(),
        scene: args.scene.display().to_string(),
        from,
        to,
        difference: difference(&before, &after),
        journal_differs: recorded.gained.len() + recorded.lost.len() + recorded.moved.len(),
    };
    match args.format {
        Format::Json => out::json(&report)?,
        Format::Text => out::print(text(&report))?,
    }
    if let Some(damage) = timeline.told() {
        eprintln!("pollux: {damage}");
    }
    match args.exit_code && !report.difference.is_none() {
        true => Err(Failure::Verdict),
        false => Ok(()),
    }
}

fn failure(error: OpenError) -> Failure {
    match error {
        OpenError::Scene(loaded) => {
            eprint!("{}", loaded.render(super::colour()));
            Failure::Verdict
        }
        OpenError::NoScene(why) => Failure::Usage(format!("{why}: there is nothing to compare the edited scene with")),
        other => Failure::environment(other),
    }
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = write_text(&mut out, report);
    out
}

fn write_text(out: &mut String, report: &Report) -> std::fmt::Result {
    let Difference { gained, lost, moved, same } = &report.difference;
    let (from, to) = (report.from, report.to);
    writeln!(out, "judged  {from} to {to} ({:.1} s), in {}", to.secs_since(from), report.scene)?;
    writeln!(out, "alarms  {} gained, {} lost, {} moved, {same} the same", gained.len(), lost.len(), moved.len())?;
    list(out, "gained", gained, from)?;
    list(out, "lost", lost, from)?;
    if !moved.is_empty() {
        writeln!(out, "\nmoved")?;
    }
    for moved in moved {
        let (before, after) = (&moved.before, &moved.after);
        writeln!(out, "  {}  {}", after.alarm, after.message)?;
        writeln!(out, "    raised   {} instead of {}", at(after.raised, from), at(before.raised, from))?;
        if before.cleared != after.cleared {
            let end = |cleared: Option<Timestamp>| cleared.map_or("not".to_owned(), |cleared| at(cleared, from));
            writeln!(out, "    cleared  {} instead of {}", end(after.cleared), end(before.cleared))?;
        }
    }
    if report.journal_differs > 0 {
        let count = report.journal_differs;
        writeln!(
            out,
            "\nnote: in {count} cases the recording's own journal tells otherwise than its own scene does now, as it was \
             made by an earlier version, or samples were coalesced while it was made"
        )?;
    }
    Ok(())
}

fn list(out: &mut String, title: &str, activations: &[Activation], from: Timestamp) -> std::fmt::Result {
    if activations.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    for Activation { alarm, message, raised, cleared, .. } in activations {
        let until = cleared.map_or("to the end".to_owned(), |cleared| format!("until {}", at(cleared, from)));
        writeln!(out, "  {}  {alarm}  {message}, {until}", at(*raised, from))?;
    }
    Ok(())
}

/// `2026-01-31T12:00:12.5Z (+12.500 s)`
fn at(time: Timestamp, from: Timestamp) -> String {
    format!("{time} ({:+.3} s)", time.secs_since(from))
}
