//! `pollux check`: every issue of scene files and scenarios, printed like a compiler does.

use std::path::PathBuf;

use super::Failure;
use crate::scenario;
use crate::scene::{self, Severity};
use crate::session::profile;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Scene files and scenarios, or folders that are searched for scenarios and for files named `scene.ron`.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Debug)]
enum Format {
    Text,
    Json,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let mut issues = Vec::new();
    let mut checked = 0;
    for path in args.paths {
        for file in files(path)? {
            checked += 1;
            if scenario::is_scenario(&file) {
                let loaded = scenario::load(&file);
                if args.format == Format::Text {
                    print!("{}", loaded.render(super::colour()));
                }
                issues.extend(loaded.issues);
                continue;
            }
            let mut loaded = scene::load(&file);
            let read = loaded.scene.as_ref().map(profile::read);
            for error in read.and_then(Result::err).unwrap_or_default() {
                loaded.tell("bad-profile", error.span, error.to_string());
            }
            if args.format == Format::Text {
                print!("{}", loaded.render(super::colour()));
            }
            issues.extend(loaded.issues);
        }
    }
    let errors = issues.iter().filter(|issue| issue.severity == Severity::Error).count();
    match args.format {
        Format::Json => {
            println!("{}", serde_json::to_string_pretty(&issues).map_err(Failure::environment)?);
        }
        Format::Text => {
            let warnings = issues.len() - errors;
            println!("{checked} checked, {errors} errors, {warnings} warnings");
        }
    }
    if errors > 0 { Err(Failure::Verdict) } else { Ok(()) }
}

/// The file itself, or all scenes and scenarios below a folder in sorted order.
fn files(path: PathBuf) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.clone()];
    while let Some(folder) = folders.pop() {
        let unreadable = |error| Failure::Environment(format!("{}: cannot be listed: {error}", folder.display()));
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?.path();
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.file_name().is_some_and(|name| name == "scene.ron") {
                found.push(entry);
            }
        }
    }
    let unreadable = |error| Failure::Environment(format!("{}: cannot be listed: {error}", path.display()));
    found.extend(scenario::find(&path).map_err(unreadable)?);
    if found.is_empty() {
        return Err(Failure::Usage(format!(
            "{}: no scenario and no file named scene.ron in this folder",
            path.display()
        )));
    }
    found.sort();
    Ok(found)
}
