//! Inputs after public bug reports of other programs: each is a folder of `tests/cases`, given to the built program.
//!
//! A [`Case`] says what must come of it: the exit code, what is said and what is not, and which samples a recording holds.
//! `cases/` has one table for each kind of input.

mod broker_stage;
mod broker_table;
mod brokers;
mod edits;
mod live;
mod many;
mod recordings;
mod round_trip;
mod tables;
mod written;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use pollux::produce::ProducerFactory;
use pollux::record::read::Timeline;
use pollux::run::rejudge::rejudge;
use pollux::scene;
use pollux::value::{Timestamp, Value};

/// One call of the program in a copy of its folder.
struct Case {
    /// The folder's name.
    name: &'static str,
    /// Arguments by spaces, paths within the folder.
    args: &'static str,
    code: i32,
    /// What the messages and results hold, in any order.
    says: &'static [&'static str],
    never: &'static [&'static str],
    /// Of the recording `out.mcap` in the scene `scene.ron`.
    samples: Vec<Samples>,
}

/// All samples of one signal in the order of their source times: RFC 3339 and value, such as `2026-01-31T12:00:00Z 7.5`.
#[derive(Clone, Copy)]
struct Samples {
    twin: &'static str,
    signal: &'static str,
    are: &'static [&'static str],
}

/// What came of a call.
struct Outcome {
    code: Option<i32>,
    said: String,
    /// The copy of the folder, with all that was written.
    folder: tempfile::TempDir,
}

fn folder_of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

/// Copies the folder of a case, and calls the program in it.
fn call(name: &str, args: &[&str]) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(folder_of(name)).unwrap_or_else(|error| panic!("{name}: {error}")) {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("a copy");
    }
    call_in(folder, args)
}

/// The same in a folder that is there already, for a case of several calls.
fn call_in(folder: tempfile::TempDir, args: &[&str]) -> Outcome {
    let output = Command::new(env!("CARGO_BIN_EXE_pollux"))
        .args(args)
        .current_dir(folder.path())
        .env("XDG_STATE_HOME", folder.path().join(".state"))
        .env("NO_COLOR", "1")
        .output()
        .expect("the program starts");
    let said = [output.stderr, output.stdout].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    Outcome { code: output.status.code(), said, folder }
}

/// Every case of a table; all that is wrong is told at once.
fn check(cases: &[Case]) {
    let wrong: Vec<String> = cases.iter().flat_map(faults).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn faults(case: &Case) -> Vec<String> {
    let args: Vec<&str> = case.args.split_whitespace().collect();
    let Outcome { code, said, folder } = call(case.name, &args);
    let mut faults = Vec::new();
    if code != Some(case.code) {
        faults.push(format!("the exit code is {code:?}, not {}", case.code));
    }
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    faults.extend(case.says.iter().filter(|word| !flat.contains(**word)).map(|word| format!("does not say `{word}`")));
    faults.extend(case.never.iter().filter(|word| flat.contains(**word)).map(|word| format!("says `{word}`")));
    for Samples { twin, signal, are } in &case.samples {
        let found = samples(folder.path(), twin, signal);
        if found != *are {
            faults.push(format!("{twin}.{signal} is {found:?}, not {are:?}"));
        }
    }
    faults.into_iter().map(|fault| format!("{}: {fault}; it said: {said}", case.name)).collect()
}

/// The samples that `out.mcap` has of a signal of `scene.ron`.
fn samples(folder: &Path, twin: &str, signal: &str) -> Vec<String> {
    let Ok(timeline) = Timeline::open(&[folder.join("out.mcap")]) else { return vec!["no recording".into()] };
    let scene = Arc::new(scene::load(&folder.join("scene.ron")).scene.expect("a scene without issues"));
    let index = scene.signal(twin, signal).expect("a signal").index;
    let run = rejudge(&timeline, scene, ProducerFactory::default()).expect("a run");
    let points = run.knowledge().history.points(index, Timestamp::MIN, Timestamp::MAX);
    let text = |value: Value| match value {
        Value::Number(x) => x.to_string(),
        Value::Bool(x) => x.to_string(),
        Value::Text(text) => text.to_string(),
    };
    points.map(|point| format!("{} {}", point.source_time, text(point.value))).collect()
}
