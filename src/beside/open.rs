//! Lays a recording beside a world. In: a world that is open, files, how to align them. Out: the same world with
//! [`Beside`] and the systems that keep it at the cursor. Starts nothing but the thread that reads.

use std::path::{Path, PathBuf};

use bevy::prelude::*;

use super::other::{align_to, side_of};
use super::{Align, AlignError, Beside, project};
use crate::analysis::Analysis;
use crate::command::Ghosts;
use crate::history::{Extent, Moment};
use crate::replay::{Deck, OpenError};
use crate::scene::LoadedScene;
use crate::schedule::TwinSet;
use crate::source::Waker;
use crate::value::Shift;

/// What to lay beside a world, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Recordings of one series, in any order.
    pub files: Vec<PathBuf>,
    /// None: by the time of day if both have some of it in common, else by their beginnings.
    pub align: Option<Align>,
    /// Added to what alignment finds: positive shows later moments of the other.
    pub by_hand: Shift,
    /// What the world is called: the name of its file, or `live`.
    pub here: String,
    /// Memory for the history of the other.
    pub history_budget_bytes: u64,
    /// Frames wait for what they are to show: for pictures, for runs without a window, for tests.
    pub blocking: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum BesideError {
    #[error("beside: {0}")]
    Open(#[from] OpenError),
    #[error(transparent)]
    Align(#[from] AlignError),
}

/// `NAME.mcap`, and how many more files there are.
pub(super) fn name_of(files: &[PathBuf]) -> String {
    let name = |path: &PathBuf| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    match files {
        [] => String::new(),
        [only] => name(only),
        [first, more @ ..] => format!("{} and {} more", name(first), more.len()),
    }
}

/// Names of two recordings, with as much of their folders as tells them apart.
pub(super) fn names_of(here: &Path, there: &Path) -> (String, String) {
    let tail = |path: &Path, parts: usize| -> String {
        let all: Vec<_> = path.components().collect();
        let kept: PathBuf = all.iter().skip(all.len().saturating_sub(parts)).collect();
        kept.to_string_lossy().into_owned()
    };
    let longest = here.components().count().max(there.components().count());
    let told = (1..=longest).map(|parts| (tail(here, parts), tail(there, parts)));
    let same = || (tail(here, 1), tail(there, 1));
    told.into_iter().find(|(here, there)| here != there).unwrap_or_else(same)
}

/// Opens recordings beside the world in `app`, which has one already. `waker` asks for a frame.
pub fn open(app: &mut App, options: Options, waker: Waker) -> Result<(), BesideError> {
    let world = app.world();
    let scene = world.resource::<LoadedScene>().scene.clone();
    let deck = Deck::open_beside(&options.files, &scene, options.history_budget_bytes, waker)?;
    let names = (options.here, name_of(&options.files));
    let (extent, moment) = (world.resource::<Extent>(), world.resource::<Moment>());
    let aligned = {
        let knowledge = world.resource::<Analysis>().lock();
        let side = |name| side_of(name, extent, moment, knowledge.chronicle().journal());
        align_to(&deck, (&names.0, &names.1), options.align.as_ref(), options.by_hand, side)?
    };
    let beside = Beside::new(deck, names, options.align, aligned, options.by_hand, options.blocking);
    app.insert_resource(beside).init_resource::<Ghosts>().add_systems(
        Update,
        (
            project::obey.in_set(TwinSet::Command).after(crate::command::apply),
            project::project.in_set(TwinSet::Project).after(crate::stage::project),
        ),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_two_files_apart() {
        let names = |a: &str, b: &str| names_of(Path::new(a), Path::new(b));
        assert_eq!(names("runs/a.mcap", "b.mcap"), ("a.mcap".into(), "b.mcap".into()));
        assert_eq!(names("/x/mon/run.mcap", "/x/tue/run.mcap"), ("mon/run.mcap".into(), "tue/run.mcap".into()));
        assert_eq!(names("run.mcap", "run.mcap"), ("run.mcap".into(), "run.mcap".into()), "it is the same");
        let files = ["x/a.mcap", "x/b.mcap", "c.mcap"].map(PathBuf::from);
        assert_eq!(name_of(&files), "a.mcap and 2 more");
    }
}
