//! Looks at files before they are shown. In: paths. Out: what they are, and whether they can be shown and where. Waits for
//! the disk, so never within a frame.

use std::path::{Path, PathBuf};

use crate::panel::drop_hint::FileKind;
use crate::recent::{self, RecentKind};
use crate::record::read::{ReadError, check_begin};
use crate::replay::{self, OpenError, Options, Prepared};
use crate::source::Waker;

/// What came of looking at files.
pub(super) enum Outcome {
    Here(Box<Prepared>),
    /// `play` or `live`, with arguments: in a window of its own.
    Elsewhere(&'static str, Vec<PathBuf>),
    Refused(String),
}

fn is_scene(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("ron"))
}

/// What a file that hovers above the window seems to be: its name and its first bytes are looked at.
pub(super) fn kind_of(path: &Path) -> FileKind {
    let why_not = match std::fs::metadata(path) {
        // Opening a pipe would wait for its other end.
        Ok(about) if !about.is_file() && !about.is_dir() => "is no file".to_owned(),
        Ok(about) if about.is_file() && is_scene(path) => return FileKind::Scene,
        _ => match check_begin(path) {
            Ok(()) => return FileKind::Recording,
            Err(error) => error.to_string(),
        },
    };
    let about_path = format!("{}: ", path.display());
    FileKind::Neither(why_not.strip_prefix(&about_path).map(str::to_owned).unwrap_or(why_not))
}

/// Whether files can be shown, and where; `here` is in the place of what is shown, and remembered in the list `recent`.
pub(super) fn look_at(files: Vec<PathBuf>, here: bool, recent: Option<&Path>, waker: Waker) -> Outcome {
    let scenes = files.iter().filter(|file| is_scene(file)).count();
    if scenes > 0 {
        return match &files[..] {
            [scene] => look_at_scene(scene),
            _ => Outcome::Refused("several files at once must all be recordings: open a scene by itself".to_owned()),
        };
    }
    let options = Options { speed: Some(1.0), ..Options::new(&files) };
    match replay::prepare(options, waker) {
        Err(error) => Outcome::Refused(why_not(&error)),
        Ok(prepared) if here => {
            if let Some(list) = recent {
                recent::remember_in(list, RecentKind::Recording, &files);
            }
            Outcome::Here(Box::new(prepared))
        }
        Ok(_) => Outcome::Elsewhere("play", files),
    }
}

fn look_at_scene(scene: &Path) -> Outcome {
    let loaded = crate::scene::load(scene);
    match loaded.scene {
        Some(_) => Outcome::Elsewhere("live", vec![scene.to_owned()]),
        None => Outcome::Refused(format!("{}: {}", scene.display(), of_issues(&loaded))),
    }
}

fn why_not(error: &OpenError) -> String {
    match error {
        OpenError::Scene(loaded) => format!("the scene of the recording cannot be shown: {}", of_issues(loaded)),
        OpenError::Read(ReadError::NotMcap { .. }) => format!(
            "{error}; recordings (.mcap) and scenes (.ron) can be opened, and `pollux import` makes a recording of another \
             program's log"
        ),
        other => other.to_string(),
    }
}

/// The first error, and how many there are.
fn of_issues(loaded: &crate::scene::Loaded) -> String {
    let errors: Vec<_> = loaded.issues.iter().filter(|issue| issue.severity == crate::scene::Severity::Error).collect();
    let first = errors.first().map_or("it cannot be read", |issue| &issue.brief);
    match errors.len() {
        0 | 1 => first.to_owned(),
        count => format!("{first} (and {} more: pollux check says all)", count - 1),
    }
}
