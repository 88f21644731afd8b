//! Carries out runs, in any thread, and records those that do not pass. In: experiments. Out: what came of them.

use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::files::{Existing, NewFile};
use crate::scenario::{self, Experiment, Outcome, Verdict};
use crate::value::Timestamp;

/// Runs that are recorded at most: each takes some megabytes.
const MOST_RECORDINGS: usize = 10;

pub(super) struct Doer<'a> {
    /// Where recordings go; none: nowhere.
    folder: Option<&'a Path>,
    recorded: AtomicUsize,
}

/// What came of a run.
pub(super) struct Ended {
    /// Or why there is nothing.
    pub outcome: Result<Outcome, String>,
    /// Wall clock.
    pub took: Duration,
    /// Of one that did not pass, unless there are enough of them; or why there is none.
    pub recording: Option<Result<PathBuf, String>>,
}

impl<'a> Doer<'a> {
    pub fn new(folder: Option<&'a Path>) -> Self {
        Self { folder, recorded: AtomicUsize::new(0) }
    }

    pub fn carry_out(&self, experiment: &Experiment, seed: u64) -> Ended {
        let began = Instant::now();
        let outcome = scenario::run(experiment, Some(seed)).map_err(|error| error.to_string());
        let took = began.elapsed();
        let recording = outcome.as_ref().ok().and_then(|outcome| self.record(experiment, outcome));
        Ended { outcome, took, recording }
    }

    /// The same run once more, into a file, where it did not pass: nothing is written for those that do.
    fn record(&self, experiment: &Experiment, outcome: &Outcome) -> Option<Result<PathBuf, String>> {
        let folder = self.folder.filter(|_| outcome.verdict != Verdict::Passed)?;
        if self.recorded.fetch_add(1, Ordering::Relaxed) >= MOST_RECORDINGS {
            return None;
        }
        let path = experiment.path.with_extension("");
        let parts = path.components().filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
            _ => None,
        });
        let values = experiment.case.iter().map(|(_, value)| value.replace(|c: char| !c.is_alphanumeric(), "_"));
        let name: Vec<String> = parts.chain(values).chain([outcome.seed.to_string()]).collect();
        Some(write(experiment, outcome.seed, folder.join(format!("{}.mcap", name.join("-")))))
    }
}

fn write(experiment: &Experiment, seed: u64, path: PathBuf) -> Result<PathBuf, String> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let new = NewFile::begin(&path, Existing::Replace).map_err(|error| told(&error))?;
    let file = new.file().try_clone().map_err(|error| told(&error))?;
    scenario::record(experiment, Some(seed), path.clone(), file, Timestamp::now()).map_err(|error| told(&error))?;
    new.finish().map_err(|error| told(&error))?;
    Ok(path)
}
