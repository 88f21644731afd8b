//! `pollux check`: every issue of scene files and scenarios, printed like a compiler does.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::out::Format;
use super::{Failure, out};
use crate::scenario;
use crate::scene::{self, Issue, Severity, SourceFile};
use crate::session::profile;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Scene files and scenarios, or folders that are searched for scenarios and for files named `scene.ron`.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let mut issues: Vec<Issue> = Vec::new();
    let (mut checked, mut seen) = (0, HashSet::new());
    for path in args.paths {
        for file in files(path)? {
            // A scene that several scenarios name is told once.
            let is_new = |issue: &Issue| seen.insert((issue.file.clone(), issue.span.start, issue.brief.clone()));
            checked += 1;
            let (mut found, sources) = checked_file(&file);
            found.retain(is_new);
            if args.format == Format::Text {
                out::print(scene::render(&found, &sources, super::colour()))?;
            }
            issues.extend(found);
        }
    }
    let errors = issues.iter().filter(|issue| issue.severity == Severity::Error).count();
    match args.format {
        Format::Json => out::json(&issues)?,
        Format::Text => {
            let warnings = issues.len() - errors;
            out::line(format_args!("{checked} checked, {errors} errors, {warnings} warnings"))?;
        }
    }
    if errors > 0 { Err(Failure::Verdict) } else { Ok(()) }
}

fn checked_file(file: &Path) -> (Vec<Issue>, Vec<SourceFile>) {
    if scenario::is_scenario(file) {
        let loaded = scenario::load(file);
        return (loaded.issues, loaded.sources);
    }
    let mut loaded = scene::load(file);
    let read = loaded.scene.as_ref().map(profile::read);
    for error in read.and_then(Result::err).unwrap_or_default() {
        loaded.tell("bad-profile", error.span, error.to_string());
    }
    (loaded.issues, loaded.sources)
}

/// The file itself, or all scenes and scenarios below a folder in sorted order.
fn files(path: PathBuf) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path]);
    }
    let unreadable = |error| Failure::Environment(format!("{}: cannot be listed: {error}", path.display()));
    let found = scenario::find(&path).map_err(unreadable)?;
    for (file, why) in &found.passed_over {
        eprintln!("warning: {} is passed over: {why}", file.display());
    }
    let mut all = found.scenes;
    all.extend(found.scenarios);
    if all.is_empty() {
        return Err(Failure::Usage(format!(
            "{}: no scenario and no file named scene.ron in this folder",
            path.display()
        )));
    }
    all.sort();
    Ok(all)
}
