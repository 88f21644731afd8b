//! What lies beside what is shown: the arguments that `play`, `live`, `shot` and `film` have in common. In: files and how to align
//! them. Out: a world with another recording beside it.

use std::path::PathBuf;

use bevy::prelude::*;

use super::{Failure, colour};
use crate::beside::{self, Align, AlignError, BesideError};
use crate::replay::OpenError;
use crate::source::Waker;
use crate::value::Shift;

#[derive(clap::Args, Clone, Debug)]
pub struct BesideArgs {
    /// Show this recording beside it: ghosts in 3D, a dashed line in trends, the differences in the panel Compare. Give it
    /// more than once for the files of one series.
    #[arg(long, value_name = "FILE")]
    beside: Vec<PathBuf>,
    /// What is brought together: wall (the time of day), start (both beginnings), or event:TEXT (in each the first event
    /// whose alarm or text holds TEXT, such as event:P-101/vibration). Without this: wall if both have some time of day in
    /// common, else start.
    #[arg(long, value_name = "wall|start|event:TEXT", requires = "beside")]
    align: Option<Align>,
    /// Then show a moment of the other that is so much later (10s) or earlier (-10s).
    #[arg(long, value_name = "DURATION", requires = "beside", allow_hyphen_values = true, value_parser = parse_shift)]
    shift: Option<Shift>,
}

/// A duration with a sign, for clap.
pub(super) fn parse_shift(text: &str) -> Result<Shift, String> {
    let duration: jiff::SignedDuration =
        text.parse().map_err(|_| format!("`{text}` is not a duration; write it like 10s, -2m30s or 250ms"))?;
    i64::try_from(duration.as_nanos()).map(Shift).map_err(|_| format!("`{text}` is more than 292 years"))
}

impl BesideArgs {
    /// Lays it beside the world in `app`, which people call `here`; nothing if no file was named.
    pub fn install(
        self,
        app: &mut App,
        here: String,
        history_budget_bytes: u64,
        blocking: bool,
        waker: Waker,
    ) -> Result<(), Failure> {
        if self.beside.is_empty() {
            return Ok(());
        }
        let by_hand = self.shift.unwrap_or_default();
        let options =
            beside::Options { files: self.beside, align: self.align, by_hand, here, history_budget_bytes, blocking };
        beside::open(app, options, waker).map_err(failure)
    }
}

/// What a recording is called beside another.
pub(super) fn name_of(files: &[PathBuf]) -> String {
    files.first().and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

pub(super) fn failure(error: BesideError) -> Failure {
    match error {
        BesideError::Open(OpenError::Scene(loaded)) => {
            eprint!("{}", loaded.render(colour()));
            Failure::Verdict
        }
        BesideError::Align(
            error @ (AlignError::NoEvent { .. } | AlignError::OnlyInOne { .. } | AlignError::Apart { .. }),
        ) => Failure::Usage(error.to_string()),
        other => Failure::environment(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_has_a_sign() {
        assert_eq!(parse_shift("-2m30s"), Ok(Shift::from_secs_f64(-150.0)));
        assert_eq!(parse_shift("250ms"), Ok(Shift::from_secs_f64(0.25)));
        assert!(parse_shift("10").is_err_and(|said| said.contains("-2m30s")));
    }
}
