//! `pollux test --mutate`: what would the scenarios not notice? In: runs that passed. Out: the changes that no run notices.

use serde::Serialize;

use crate::cli::Failure;
use crate::cli::progress::Progress;
use crate::scenario::{self, Change, Experiment, Outcome};

/// What came of changing things.
#[derive(Serialize)]
pub(super) struct Mutated {
    changes: usize,
    noticed: usize,
    /// Scenarios were carried out again, and passed.
    not_noticed: Vec<String>,
    /// No scenario raises that alarm, or goes beyond that limit.
    not_reached: Vec<String>,
}

impl Mutated {
    pub fn told(&self) -> String {
        let mut text = format!("{} of {} changes are noticed\n", self.noticed, self.changes);
        for (what, all) in [
            ("carried out again, and passed all the same", &self.not_noticed),
            ("no scenario gets there", &self.not_reached),
        ] {
            if !all.is_empty() {
                text += &format!("  not noticed, {what}: {}\n", all.len());
                all.iter().for_each(|one| text += &format!("    {one}\n"));
            }
        }
        text
    }
}

/// Makes each change, one at a time, and carries out what may notice it until something does.
pub(super) fn mutated(passed: &[(Experiment, Outcome)], threads: usize) -> Result<Mutated, Failure> {
    let changes = scenario::changes(passed);
    let is_noticed = |change: &Change| {
        let witnesses = change.witnesses(passed);
        let mut notices = witnesses.iter().map(|at| &passed[*at]).map(|(experiment, outcome)| {
            // A scene that cannot be simulated any more is noticed, too.
            change.is_noticed(experiment, outcome.seed).unwrap_or(true)
        });
        (!witnesses.is_empty()).then(|| notices.any(|notices| notices))
    };
    let mut told = Mutated { changes: changes.len(), noticed: 0, not_noticed: Vec::new(), not_reached: Vec::new() };
    let (mut progress, mut done) = (Progress::new(), 0);
    scenario::each("change", threads, &changes, is_noticed, |change, is_noticed| {
        match is_noticed {
            Some(true) => told.noticed += 1,
            Some(false) => told.not_noticed.push(change.told(passed)),
            None => told.not_reached.push(change.told(passed)),
        }
        done += 1;
        progress.tell(done, changes.len(), "changes");
        Ok::<(), std::io::Error>(())
    })
    .map_err(Failure::environment)?;
    progress.wipe();
    Ok(told)
}
