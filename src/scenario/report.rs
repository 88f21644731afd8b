//! What came of experiments, for people and for other programs. In: outcomes. Out: text with small plots, JUnit, JSON.
//! Decides nothing.

use std::fmt::Write;
use std::path::Path;

use serde_json::json;

use super::experiment::Experiment;
use super::run::{Checked, Curve, Outcome, Verdict};
use crate::scene::Issue;

/// Columns and rows of a plot.
const WIDTH: usize = 60;
const HEIGHT: usize = 8;

/// How an experiment went, on one line: `ok      pump_trip.ron  The pump trips (4 of 4 met, 600 s, seed 1)`.
pub fn line(experiment: &Experiment, outcome: &Outcome) -> String {
    let word = match outcome.verdict {
        Verdict::Passed => "ok     ",
        Verdict::Failed => "FAILED ",
        Verdict::Aborted => "ABORTED",
    };
    let title = if experiment.title.is_empty() { String::new() } else { format!("  {}", experiment.title) };
    let secs = outcome.end as f64 / 1e9;
    let met = outcome.checked.iter().filter(|one| one.finding.is_met).count();
    let of = outcome.checked.len();
    let troubles = match outcome.troubles.len() {
        0 => String::new(),
        1 => ", 1 problem".to_owned(),
        several => format!(", {several} problems"),
    };
    let (path, seed) = (experiment.path.display(), outcome.seed);
    format!("{word} {path}{title} ({met} of {of} met{troubles}, {secs} s, seed {seed})")
}

/// Why it did not pass: each expectation that is not met, with what happened, when, and a plot.
pub fn details(experiment: &Experiment, outcome: &Outcome) -> String {
    let mut text = String::new();
    for one in outcome.checked.iter().filter(|one| !one.finding.is_met) {
        let _ = writeln!(text, "expected: {}", one.text);
        let _ = writeln!(text, "  --> {}:{}", experiment.path.display(), one.line);
        let _ = writeln!(text, "   = found: {} ({})", one.finding.what, clock(one.finding.at));
        if let Some(curve) = &one.curve {
            text += &plot(curve, one.finding.at);
        }
        text.push('\n');
    }
    for trouble in &outcome.troubles {
        let _ = writeln!(text, "problem: {} ({})\n", trouble.text, clock(trouble.time));
    }
    text += &journal(outcome);
    text
}

/// What was done and what happened, one line each.
pub fn journal(outcome: &Outcome) -> String {
    let mut text = String::new();
    for entry in &outcome.journal {
        let _ = writeln!(text, "  {:>10}  {}", clock(entry.time), entry.text);
    }
    text
}

/// `83.2 s`
fn clock(time: u64) -> String {
    format!("{:.1} s", time as f64 / 1e9)
}

/// A signal with a mark at a moment, as text.
fn plot(curve: &Curve, at: u64) -> String {
    let (from, until) = (curve.from, curve.until.max(curve.from + 1));
    let mut points = curve.points.iter().peekable();
    let mut held = None;
    let mut columns: Vec<Option<f64>> = vec![None; WIDTH];
    for (place, column) in columns.iter_mut().enumerate() {
        let end = from + (until - from) / WIDTH as u64 * (place as u64 + 1);
        while let Some((_, x)) = points.next_if(|(time, _)| *time <= end) {
            held = Some(*x);
        }
        *column = held;
    }
    let known = columns.iter().flatten().copied();
    let (low, high) = known.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    if low > high {
        return format!("   = {} had no value there\n", curve.signal);
    }
    let span = if high > low { high - low } else { 1.0 };
    let row = |x: f64| (((high - x) / span) * (HEIGHT - 1) as f64).round() as usize;
    let mut text = format!("   = {} [{}]\n", curve.signal, curve.unit);
    for line in 0..HEIGHT {
        let label = match line {
            0 => short(high),
            _ if line == HEIGHT - 1 => short(low),
            _ => String::new(),
        };
        let cells = columns.iter().map(|column| if column.is_some_and(|x| row(x) == line) { '*' } else { ' ' });
        let cells: String = cells.collect();
        let _ = writeln!(text, "     {label:>9} |{}", cells.trim_end());
    }
    let mark = (at.saturating_sub(from) as f64 / (until - from) as f64 * (WIDTH - 1) as f64).round() as usize;
    let axis: String = (0..WIDTH).map(|column| if column == mark { '^' } else { '-' }).collect();
    let _ = writeln!(text, "     {:>9} +{axis}", "");
    let _ = writeln!(text, "     {:>9}  {:<width$}{}", "", clock(from), clock(until), width = WIDTH - 8);
    text
}

/// Four digits.
fn short(x: f64) -> String {
    let rounded: f64 = format!("{x:.3e}").parse().unwrap_or(x);
    rounded.to_string()
}

/// For scripts; `recording` is where the run can be looked at.
pub fn json(experiment: &Experiment, outcome: &Outcome, recording: Option<&Path>) -> serde_json::Value {
    let entry = |time: u64, text: &str| json!({"time": time as f64 / 1e9, "text": text});
    let checked = outcome.checked.iter().map(|one| {
        json!({
            "line": one.line,
            "expected": one.text,
            "met": one.finding.is_met,
            "found": one.finding.what,
            "time": one.finding.at as f64 / 1e9,
        })
    });
    json!({
        "file": experiment.path.display().to_string(),
        "title": experiment.title,
        "verdict": match outcome.verdict {
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
            Verdict::Aborted => "aborted",
        },
        "case": experiment.case.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "seed": outcome.seed,
        "simulated_secs": outcome.end as f64 / 1e9,
        "hash": outcome.hash.to_string(),
        "recording": recording.map(|path| path.display().to_string()),
        "expectations": checked.collect::<Vec<_>>(),
        "troubles": outcome.troubles.iter().map(|one| entry(one.time, &one.text)).collect::<Vec<_>>(),
        "journal": outcome.journal.iter().map(|one| entry(one.time, &one.text)).collect::<Vec<_>>(),
    })
}

/// For scripts: one that could not be carried out, and why.
pub fn json_error(path: &Path, issues: &[Issue], why: &str) -> serde_json::Value {
    json!({"file": path.display().to_string(), "verdict": "error", "error": why, "issues": issues})
}

/// A case of a JUnit report.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    pub name: String,
    /// Wall clock.
    pub secs: f64,
    /// Why it did not pass: a line, and all that is to be said.
    pub failure: Option<(String, String)>,
    /// Why it could not be carried out: a line, and all that is to be said.
    pub error: Option<(String, String)>,
}

/// As continuous integration reads it.
pub fn junit(cases: &[Case]) -> String {
    let failures = cases.iter().filter(|case| case.failure.is_some()).count();
    let errors = cases.iter().filter(|case| case.error.is_some()).count();
    let secs: f64 = cases.iter().map(|case| case.secs).sum();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        text,
        "<testsuite name=\"pollux\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{secs:.3}\">",
        cases.len()
    );
    for case in cases {
        let _ =
            write!(text, "  <testcase classname=\"pollux\" name=\"{}\" time=\"{:.3}\"", escaped(&case.name), case.secs);
        let inner = match (&case.failure, &case.error) {
            (Some((line, all)), _) => format!("<failure message=\"{}\">{}</failure>", escaped(line), escaped(all)),
            (None, Some((line, all))) => format!("<error message=\"{}\">{}</error>", escaped(line), escaped(all)),
            (None, None) => {
                text += "/>\n";
                continue;
            }
        };
        let _ = writeln!(text, ">\n    {inner}\n  </testcase>");
    }
    text + "</testsuite>\n"
}

/// XML has no control characters, not even escaped ones.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\n' | '\t' => out.push(c),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// What a failed case says first.
pub fn first_line(outcome: &Outcome) -> String {
    let of = |one: &Checked| format!("expected: {}; found: {}", one.text, one.finding.what);
    let unmet = outcome.checked.iter().find(|one| !one.finding.is_met).map(of);
    unmet.or_else(|| outcome.troubles.first().map(|trouble| trouble.text.clone())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_junit_report_counts_and_escapes() {
        type Told = Option<(String, String)>;
        let case = |name: &str, failure: Told, error: Told| Case { name: name.to_owned(), secs: 0.5, failure, error };
        let cases = [
            case("a.ron", None, None),
            case("b.ron", Some(("1 < 2".to_owned(), "\"x\" & \u{1}".to_owned())), None),
            case("c.ron", None, Some(("no scene".to_owned(), "a.ron".to_owned()))),
        ];
        let text = junit(&cases);
        assert!(text.contains("tests=\"3\" failures=\"1\" errors=\"1\" time=\"1.500\""), "{text}");
        assert!(text.contains("<failure message=\"1 &lt; 2\">&quot;x&quot; &amp; \u{fffd}</failure>"), "{text}");
        assert!(
            text.contains("<error message=\"no scene\">a.ron</error>") && text.ends_with("</testsuite>\n"),
            "{text}"
        );
    }
}
