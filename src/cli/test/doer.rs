//! Carries out runs, in any thread, and records those that do not pass. In: experiments. Out: what came of them. With a
//! controller under test runs follow each other, and each is recorded as it goes: no two need be the same.

use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use twox_hash::XxHash64;

use super::against::Way;
use crate::files::{Existing, NewFile};
use crate::scenario::{self, Experiment, Outcome, Place, RunError, Verdict};
use crate::value::Timestamp;

/// Runs that are recorded at most: each takes some megabytes.
const MOST_RECORDINGS: usize = 10;

pub(super) struct Doer<'a> {
    /// Where recordings go; none: nowhere.
    folder: Option<&'a Path>,
    recorded: AtomicUsize,
    /// Where somebody else's program controls the plants.
    way: Option<Mutex<Way>>,
}

/// What came of a run.
pub(super) struct Ended {
    /// Or why there is nothing.
    pub outcome: Result<Outcome, RunError>,
    /// Wall clock.
    pub took: Duration,
    /// Of one that did not pass, unless there are enough of them; or why there is none.
    pub recording: Option<Result<PathBuf, String>>,
}

impl<'a> Doer<'a> {
    pub fn new(folder: Option<&'a Path>, way: Option<Way>) -> Self {
        Self { folder, recorded: AtomicUsize::new(0), way: way.map(Mutex::new) }
    }

    pub fn carry_out(&self, experiment: &Experiment, seed: u64) -> Ended {
        let began = Instant::now();
        if let Some(way) = &self.way {
            let mut way = way.lock().unwrap_or_else(PoisonError::into_inner);
            return self.carry_out_against(&mut way, experiment, seed, began);
        }
        let outcome = scenario::run(experiment, Some(seed));
        Ended { outcome, took: began.elapsed(), recording: None }
    }

    /// The same run once more, into a file, where it did not pass: nothing is written for those that do. Called in the order
    /// of the runs, so that the same ones are recorded on any number of threads.
    pub fn record(&self, experiment: &Experiment, ended: &mut Ended) {
        let (None, Ok(outcome)) = (&self.way, &ended.outcome) else { return };
        let Some(folder) = self.folder.filter(|_| outcome.verdict != Verdict::Passed) else { return };
        if self.recorded.fetch_add(1, Ordering::Relaxed) < MOST_RECORDINGS {
            ended.recording = Some(write(experiment, outcome.seed, place_of(folder, experiment, outcome.seed)));
        }
    }

    /// Into a file, which stays where it does not pass.
    fn carry_out_against(&self, way: &mut Way, experiment: &Experiment, seed: u64, began: Instant) -> Ended {
        let has_room = self.recorded.load(Ordering::Relaxed) < MOST_RECORDINGS;
        let folder = self.folder.filter(|_| has_room);
        let is_new = folder.is_some_and(|folder| !folder.exists());
        let (new, place) = match folder.map(|folder| begin(place_of(folder, experiment, seed))) {
            Some(Ok((new, place))) => (Some(Ok((new, place.path.clone()))), Some(place)),
            Some(Err(why)) => (Some(Err(why)), None),
            None => (None, None),
        };
        let outcome = way.run(experiment, seed, place);
        let is_wanted = outcome.as_ref().is_ok_and(|outcome| outcome.verdict != Verdict::Passed);
        let recording = new.filter(|_| is_wanted).map(|new| {
            let (new, path) = new?;
            self.recorded.fetch_add(1, Ordering::Relaxed);
            new.finish().map(|()| path).map_err(|error| error.to_string())
        });
        if let Some(folder) = folder.filter(|_| is_new) {
            // Fails where something is in it.
            let _ = std::fs::remove_dir(folder);
        }
        Ended { outcome, took: began.elapsed(), recording }
    }
}

/// Where the recording of a run goes: no two runs share a name.
fn place_of(folder: &Path, experiment: &Experiment, seed: u64) -> PathBuf {
    let path = experiment.path.with_extension("");
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
        _ => None,
    });
    let parts: Vec<String> = parts.collect();
    let plain = |text: &str| text.replace(|c: char| !c.is_alphanumeric(), "_");
    let values = experiment.case.iter().map(|(_, value)| plain(value));
    let mut name: Vec<String> = parts.iter().cloned().chain(values).collect();
    // Where a name does not tell all, a hash of all does.
    let is_clear = parts.iter().all(|part| !part.contains('-')) && experiment.case.iter().all(|(_, x)| plain(x) == *x);
    if !is_clear || path.is_absolute() {
        let all = format!("{:?}{:?}", experiment.path, experiment.case);
        name.push(format!("{:08x}", XxHash64::oneshot(0, all.as_bytes()) as u32));
    }
    name.push(seed.to_string());
    folder.join(format!("{}.mcap", name.join("-")))
}

fn begin(path: PathBuf) -> Result<(NewFile, Place), String> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let new = NewFile::begin(&path, Existing::Replace).map_err(|error| error.to_string())?;
    let file = new.file().try_clone().map_err(|error| error.to_string())?;
    Ok((new, Place { path, file, wall: Timestamp::now() }))
}

fn write(experiment: &Experiment, seed: u64, path: PathBuf) -> Result<PathBuf, String> {
    let (new, place) = begin(path.clone())?;
    scenario::record(experiment, Some(seed), place).map_err(|error| error.to_string())?;
    new.finish().map_err(|error| error.to_string())?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_runs_are_recorded_under_one_name() {
        let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenes/bottling/scenarios/tank_leaks.ron");
        let one = scenario::load(&scenario).experiments.remove(0);
        let name = |path: &str, value: &str| {
            let case = vec![("size".to_owned(), value.to_owned())];
            place_of(Path::new("failed"), &Experiment { path: path.into(), case, ..one.clone() }, 1)
        };
        let plain = place_of(Path::new("failed"), &Experiment { path: "scenes/a.ron".into(), ..one.clone() }, 3);
        assert_eq!(plain, Path::new("failed/scenes-a-3.mcap"));
        assert_ne!(name("a/b-c.ron", "1"), name("a-b/c.ron", "1"));
        assert_ne!(name("a.ron", "1.5"), name("a.ron", "1_5"));
        assert_ne!(name("a.ron", "5 cm"), name("a.ron", "5_cm"));
    }
}
