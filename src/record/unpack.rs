//! The scene out of a recording, as files. In: a recording, an empty folder. Out: the scene file in that folder, beside all
//! that it uses. Never writes outside of the folder, whatever names a recording gives.

use std::fs;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use super::format::SCENE_PREFIX;
use super::read::{ReadError, RecordingFile, Timeline};

#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    #[error("{}: holds no scene, as Pollux has not written it: name one", path.display())]
    NoScene { path: PathBuf },
    #[error("{}: the attachment `{name}` would be unpacked outside of its folder: this is no recording to trust", path.display())]
    Outside { path: PathBuf, name: String },
    #[error("{}: says that its scene is `{name}`, and has no such attachment", path.display())]
    Missing { path: PathBuf, name: String },
    #[error("{}: cannot be written: {cause}", path.display())]
    Write { path: PathBuf, cause: std::io::Error },
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Writes the files of the newest scene of a timeline into the folder `into`, which should be empty, and says where the
/// scene file is. Of attachments with the same name the last one counts.
pub fn unpack(timeline: &Timeline, into: &Path) -> Result<PathBuf, UnpackError> {
    let with_scene = |recording: &&RecordingFile| recording.about().is_some_and(|about| !about.scene_file.is_empty());
    match (timeline.recordings().iter().rfind(with_scene), timeline.recordings().last()) {
        (Some(recording), _) => unpack_one(recording, into),
        (None, other) => {
            Err(UnpackError::NoScene { path: other.map(|recording| recording.path().to_owned()).unwrap_or_default() })
        }
    }
}

fn unpack_one(recording: &RecordingFile, into: &Path) -> Result<PathBuf, UnpackError> {
    let path = || recording.path().to_owned();
    let scene_file = recording.about().map(|about| about.scene_file.as_str()).unwrap_or_default();
    let names = recording.attachments().iter().map(|entry| entry.name.as_str());
    let mut names: Vec<&str> = names.filter(|name| name.starts_with(SCENE_PREFIX)).collect();
    names.sort_unstable();
    names.dedup();
    // Nothing is written before all names are known to be good.
    let outside = |name: &str| UnpackError::Outside { path: path(), name: name.to_owned() };
    let places: Vec<(&str, PathBuf)> = names
        .into_iter()
        .map(|name| Ok((name, into.join(inside(name).ok_or_else(|| outside(name))?))))
        .collect::<Result<_, UnpackError>>()?;
    let Some((_, scene)) = places.iter().find(|(name, _)| *name == scene_file) else {
        return Err(UnpackError::Missing { path: path(), name: scene_file.to_owned() });
    };
    for (name, place) in &places {
        let bytes = recording.attachment(name)?;
        write(place, &bytes).map_err(|cause| UnpackError::Write { path: place.clone(), cause })?;
    }
    Ok(scene.clone())
}

/// A name as a path below a folder; none if it leads out of it here or on another system.
fn inside(name: &str) -> Option<&Path> {
    let is_odd = |c: char| c.is_control() || matches!(c, '\\' | ':');
    let path = Path::new(name);
    let is_plain = path.components().all(|component| matches!(component, Component::Normal(_)));
    let is_file = !name.ends_with('/') && path.file_name().is_some();
    (is_plain && is_file && !name.contains(is_odd)).then_some(path)
}

/// A new file: it is not written through a link that somebody has put there.
fn write(place: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::OpenOptions::new().write(true).create_new(true).open(place)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_below_the_folder_are_taken() {
        for good in ["scene/scene.ron", "scene/types/pump.ron", "assets/models/a b.glb", "scene/..hidden"] {
            assert!(inside(good).is_some(), "{good}");
        }
        let bad = [
            "scene/../../etc/passwd",
            "/etc/passwd",
            "scene/..",
            "scene/",
            "",
            "scene\\..\\..\\evil",
            "scene/c:evil",
            "scene/a\0b",
        ];
        for bad in bad {
            assert!(inside(bad).is_none(), "{bad}");
        }
    }
}
