//! `pollux compare`: two recordings, and what differs over all that both have. Without a window.

use std::fmt::Write;
use std::path::PathBuf;

use super::out::Format;
use super::{Failure, beside, out};
use crate::layers::Align;
use crate::layers::compare::{self, CompareError, Comparison, EventDifference, SignalDifference};
use crate::replay::OpenError;
use crate::value::number::{readable, significant};
use crate::value::{Shift, Unit};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The first recording: times are told by it.
    #[arg(value_name = "RECORDING")]
    here: PathBuf,
    /// The second.
    #[arg(value_name = "OTHER")]
    there: PathBuf,
    /// What is brought together: wall (the time of day), start (both beginnings), or event:TEXT (in each the first event
    /// whose alarm or text holds TEXT, such as event:P-101/vibration). Without this: wall if both have some time of day in
    /// common, else start.
    #[arg(long, value_name = "wall|start|event:TEXT")]
    align: Option<Align>,
    /// Then compare with what the second has so much later (10s) or earlier (-10s).
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = beside::parse_shift)]
    shift: Option<Shift>,
    /// Exit with 1 if a number differs by more than this share of its scale at any moment, a text or a switch for more than
    /// this share of the time, or if a signal or an alarm is in one recording only. From 0 to 1.
    #[arg(long, value_name = "FRACTION", value_parser = parse_tolerance)]
    tolerance: Option<f64>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Read both in this scene instead of the ones that they hold.
    #[arg(long, value_name = "SCENE")]
    scene: Option<PathBuf>,
}

fn parse_tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(format!("`{text}` is no share; it must be from 0 to 1, such as 0.05 for five per cent")),
    }
}

pub fn run(args: Args) -> Result<(), Failure> {
    let options = compare::Options {
        here: args.here,
        there: args.there,
        scene: args.scene,
        align: args.align,
        by_hand: args.shift.unwrap_or_default(),
        tolerance: args.tolerance,
    };
    let comparison = compare::compare(&options).map_err(failure)?;
    match args.format {
        Format::Json => out::json(&comparison)?,
        Format::Text => out::print(text(&comparison))?,
    }
    comparison.damage.iter().for_each(|damage| eprintln!("pollux: {damage}"));
    match &comparison.verdict {
        Some(verdict) if !verdict.exceeding.is_empty() => Err(Failure::Verdict),
        _ => Ok(()),
    }
}

fn failure(error: CompareError) -> Failure {
    match error {
        CompareError::Layer(error) => beside::failure(error),
        CompareError::Open { error: OpenError::Scene(loaded), .. } => {
            eprint!("{}", loaded.render(super::colour()));
            Failure::Verdict
        }
        CompareError::Open { error: OpenError::NoScene(_), .. } => Failure::Usage(error.to_string()),
        other => Failure::environment(other),
    }
}

/// For people: what differs most comes first, what does not differ is counted.
fn text(comparison: &Comparison) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = write_text(&mut out, comparison);
    out
}

fn write_text(out: &mut String, of: &Comparison) -> std::fmt::Result {
    let duration = |secs: f64| format!("{} s", significant(secs, 6));
    writeln!(out, "first        {} ({} to {})", of.here.file, of.here.start, of.here.end)?;
    writeln!(out, "second       {} ({} to {})", of.there.file, of.there.start, of.there.end)?;
    writeln!(out, "aligned by   {}, the second {:+.3} s from the first", of.aligned_by, of.shift_secs)?;
    writeln!(out, "compared     {} to {} ({})", of.from, of.to, duration(of.to.secs_since(of.from)))?;
    let (differing, same): (Vec<&SignalDifference>, Vec<_>) = of.signals.iter().partition(|signal| signal.at.is_some());
    writeln!(out, "\nsignals that differ: {} of {}", differing.len(), differing.len() + same.len())?;
    if !differing.is_empty() {
        let width = differing.iter().map(|signal| signal.signal.len()).max().unwrap_or(0).max("signal".len());
        writeln!(out, "  {:width$}  {:>7}  {:>16}  {:>16}  largest was", "signal", "share", "largest", "mean (rms)")?;
        for signal in differing {
            write_signal(out, signal, width, of)?;
        }
    }
    list(out, "only in the first", &of.only_here)?;
    list(out, "only in the second", &of.only_there)?;
    let unlike: Vec<String> = of.not_comparable.iter().map(|one| format!("{}: {}", one.signal, one.why)).collect();
    list(out, "not comparable", &unlike)?;
    let (both, single): (Vec<&EventDifference>, Vec<_>) =
        of.events.iter().partition(|event| event.later_secs.is_some());
    let told = |event: &&EventDifference| {
        let at = event.here.or(event.there).map(|at| at.to_string()).unwrap_or_default();
        format!("{at}  {}", event.event)
    };
    let moved: Vec<String> =
        both.iter().map(|event| format!("{:+.3} s  {}", event.later_secs.unwrap_or_default(), told(event))).collect();
    list(out, "events in both, and how much later in the second", &moved)?;
    let of_one = |first: bool| single.iter().filter(move |event| event.here.is_some() == first).map(told).collect();
    let (first, second): (Vec<String>, Vec<String>) = (of_one(true), of_one(false));
    list(out, "events only in the first", &first)?;
    list(out, "events only in the second", &second)?;
    if let Some(verdict) = &of.verdict {
        match verdict.exceeding.is_empty() {
            true => writeln!(out, "\nwithin the tolerance of {}", verdict.tolerance)?,
            false => list(out, &format!("beyond the tolerance of {}", verdict.tolerance), &verdict.exceeding)?,
        }
    }
    Ok(())
}

fn write_signal(out: &mut String, signal: &SignalDifference, width: usize, of: &Comparison) -> std::fmt::Result {
    let unit = Unit::parse(&signal.unit).unwrap_or_default();
    let number =
        |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{}{}", significant(x, 4), unit.suffix()));
    let tenths = (signal.share * 1000.0).round() / 10.0;
    let share = if tenths == 0.0 { "< 0.1 %".to_owned() } else { format!("{} %", significant(tenths, 3)) };
    write!(out, "  {:width$}  {share:>7}  {:>16}  {:>16}", signal.signal, number(signal.largest), number(signal.rms))?;
    if let (Some(at), Some(here), Some(there)) = (signal.at, &signal.here, &signal.there) {
        let after = at.secs_since(of.here.start);
        write!(out, "  {at} (+{after:.1} s): {} and {}", readable(here, &unit), readable(there, &unit))?;
    }
    writeln!(out)
}

fn list(out: &mut String, title: &str, lines: &[String]) -> std::fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}: {}", lines.len())?;
    lines.iter().try_for_each(|line| writeln!(out, "  {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tolerance_is_a_share() {
        assert_eq!(parse_tolerance("0.05"), Ok(0.05));
        for wrong in ["5", "-0.1", "NaN", "few"] {
            assert!(parse_tolerance(wrong).is_err_and(|said| said.contains("0.05")), "{wrong}");
        }
    }
}
