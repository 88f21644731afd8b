//! What lies beside what is shown: the arguments that `play`, `live`, `shot` and `film` have in common. In: files and how to
//! align them. Out: a world with recordings beside it. Never reads a file itself.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use bevy::prelude::*;

use super::{Failure, colour};
use crate::layers::{self, Align, AlignError, LayerError, RecordingOptions};
use crate::replay::OpenError;
use crate::source::Waker;
use crate::value::Shift;

#[derive(clap::Args, Clone, Debug)]
pub struct BesideArgs {
    /// Show this recording beside it: ghosts in 3D, broken lines in trends, the differences in the panel Compare. Give it more
    /// than once to show several recordings; the files of one series with commas between. All of them together take half of
    /// the memory for history, in equal parts; what is shown keeps the other half.
    #[arg(long, value_name = "FILE[,FILE…]")]
    beside: Vec<Series>,
    /// What is brought together: wall (the time of day), start (both beginnings), or event:TEXT (in each the first event
    /// whose alarm or text holds TEXT, such as event:P-101/vibration). Without this: wall if both have some time of day in
    /// common, else start. Given once it is for every --beside; given as often as --beside, the first is for the first, and
    /// so on.
    #[arg(long, value_name = "wall|start|event:TEXT", requires = "beside")]
    align: Vec<Align>,
    /// Then show a moment of the other that is so much later (10s) or earlier (-10s). Given once it is for every --beside, or
    /// as often as --beside in the same order.
    #[arg(long, value_name = "DURATION", requires = "beside", allow_hyphen_values = true, value_parser = parse_shift)]
    shift: Vec<Shift>,
}

/// Files that are shown as one recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Series(pub(super) Vec<PathBuf>);

impl FromStr for Series {
    type Err = std::convert::Infallible;

    /// A comma may be part of a name: of a file that is there it is.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let whole = Path::new(text).exists() || !text.contains(',');
        let files = if whole { vec![text.into()] } else { text.split(',').map(PathBuf::from).collect() };
        Ok(Self(files))
    }
}

/// A duration with a sign, for clap.
pub(super) fn parse_shift(text: &str) -> Result<Shift, String> {
    let duration: jiff::SignedDuration =
        text.parse().map_err(|_| format!("`{text}` is not a duration; write it like 10s, -2m30s or 250ms"))?;
    i64::try_from(duration.as_nanos()).map(Shift).map_err(|_| format!("`{text}` is more than 292 years"))
}

/// What a flag says for each of `count` recordings.
fn for_each<T: Clone>(flag: &str, given: &[T], count: usize) -> Result<Vec<Option<T>>, Failure> {
    match given {
        [] => Ok(vec![None; count]),
        [one] => Ok(vec![Some(one.clone()); count]),
        all if all.len() == count => Ok(all.iter().cloned().map(Some).collect()),
        all => Err(Failure::Usage(format!(
            "{flag} is given {} times and --beside {count} times: give {flag} once for all of them, or once for each in the \
             same order",
            all.len()
        ))),
    }
}

impl BesideArgs {
    /// All that are read.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.beside.iter().flat_map(|series| &series.0)
    }

    /// Whether there is anything to lay beside.
    pub fn is_some(&self) -> bool {
        !self.beside.is_empty()
    }

    /// What the shown world keeps of the memory for history.
    pub fn memory_left(&self, history_budget_bytes: u64) -> u64 {
        match self.is_some() {
            true => history_budget_bytes - layers::share_of(history_budget_bytes),
            false => history_budget_bytes,
        }
    }

    fn recordings(self) -> Result<Vec<RecordingOptions>, Failure> {
        let count = self.beside.len();
        let (aligns, shifts) = (for_each("--align", &self.align, count)?, for_each("--shift", &self.shift, count)?);
        let each = self.beside.into_iter().zip(aligns).zip(shifts);
        let recording = |((Series(files), align), shift): ((Series, _), Option<Shift>)| RecordingOptions {
            files,
            align,
            by_hand: shift.unwrap_or_default(),
        };
        Ok(each.map(recording).collect())
    }

    /// Lays them beside the world in `app`, which people call `here`; nothing if no file was named.
    pub fn install(
        self,
        app: &mut App,
        here: String,
        history_budget_bytes: u64,
        blocking: bool,
        waker: Waker,
    ) -> Result<(), Failure> {
        if !self.is_some() {
            return Ok(());
        }
        let budget_bytes = layers::share_of(history_budget_bytes);
        let options = layers::Options { recordings: self.recordings()?, here, budget_bytes, blocking };
        layers::open(app, options, waker).map_err(failure)
    }
}

/// What a recording is called beside another.
pub(super) fn name_of(files: &[PathBuf]) -> String {
    files.first().and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

pub(super) fn failure(error: LayerError) -> Failure {
    match error {
        LayerError::Open(OpenError::Scene(loaded)) => {
            eprint!("{}", loaded.render(colour()));
            Failure::Verdict
        }
        LayerError::Align(
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

    fn args(files: &[&str], aligns: &[Align], shifts: &[f64]) -> BesideArgs {
        BesideArgs {
            beside: files.iter().map(|file| Series(vec![file.into()])).collect(),
            align: aligns.to_vec(),
            shift: shifts.iter().map(|secs| Shift::from_secs_f64(*secs)).collect(),
        }
    }

    #[test]
    fn a_flag_that_is_given_once_is_for_every_recording_and_else_each_has_its_own() {
        let told = |args: BesideArgs| {
            let told = args.recordings().map_err(|error| error.to_string())?.into_iter();
            Ok::<_, String>(told.map(|own| (own.align, own.by_hand.secs())).collect::<Vec<_>>())
        };
        let (start, wall) = (Align::Start, Align::Wall);
        let both = told(args(&["a", "b"], std::slice::from_ref(&start), &[1.0, -2.0]));
        assert_eq!(both, Ok(vec![(Some(start.clone()), 1.0), (Some(start.clone()), -2.0)]));
        let own = told(args(&["a", "b"], &[wall.clone(), start.clone()], &[]));
        assert_eq!(own, Ok(vec![(Some(wall.clone()), 0.0), (Some(start.clone()), 0.0)]));
        let said = told(args(&["a", "b", "c"], &[wall, start], &[])).expect_err("the third has none");
        assert!(said.contains("--align is given 2 times and --beside 3 times"), "{said}");
    }

    #[test]
    fn files_of_one_series_have_commas_between_unless_a_file_has_that_name() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("a,b.mcap");
        std::fs::write(&odd, "").unwrap();
        let parse = |text: &str| text.parse::<Series>().map(|series| series.0).unwrap_or_default();
        assert_eq!(parse("a.mcap,b.mcap"), ["a.mcap", "b.mcap"].map(PathBuf::from));
        assert_eq!(parse(odd.to_str().unwrap()), [odd]);
    }
}
