//! Where the store of a scene lies. In: the scene's name and path, the environment. Out: a path. Touches no disk,
//! except to make a path absolute.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::StoreError;

/// `$XDG_STATE_HOME/pollux/NAME-HASH.store`, by default in `~/.local/state` (XDG Base Directory Specification 0.8). The
/// hash is of the scene's path: two scenes of one name do not share a store.
pub fn default_path(scene_name: &str, scene_path: &Path) -> Result<PathBuf, StoreError> {
    let full = scene_path.canonicalize().or_else(|_| std::path::absolute(scene_path));
    let folder = state_folder().ok_or(StoreError::NoPlace)?;
    Ok(folder.join(file_name(scene_name, &full.unwrap_or_else(|_| scene_path.to_owned()))))
}

/// Where this program keeps what it remembers of the user's work; none if the environment names no such place.
pub fn state_folder() -> Option<PathBuf> {
    folder(|name| std::env::var_os(name))
}

fn folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // "All paths set in these environment variables must be absolute", others are to be ignored.
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| Some(absolute("HOME")?.join(".local/state")))
        .or_else(|| absolute("LOCALAPPDATA"))?;
    Some(state.join("pollux"))
}

fn file_name(scene_name: &str, scene_path: &Path) -> String {
    let plain = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '-' };
    // Some file systems end names at 255 bytes, and a damaged store gets a longer one.
    let name: String = scene_name.trim().chars().take(40).map(plain).collect();
    let name = if name.is_empty() { "scene" } else { &name };
    let hash = crc32fast::hash(scene_path.as_os_str().as_encoded_bytes());
    format!("{name}-{hash:08x}.store")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Option<PathBuf> {
        folder(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
    }

    #[cfg(unix)]
    #[test]
    fn the_state_folder_of_the_user_is_taken_and_paths_that_are_not_absolute_are_ignored() {
        assert_eq!(with(&[("XDG_STATE_HOME", "/state"), ("HOME", "/people/ada")]), Some("/state/pollux".into()));
        assert_eq!(with(&[("HOME", "/people/ada")]), Some("/people/ada/.local/state/pollux".into()));
        assert_eq!(with(&[("XDG_STATE_HOME", "state"), ("HOME", "/h")]), Some("/h/.local/state/pollux".into()));
        assert_eq!(with(&[("XDG_STATE_HOME", ""), ("LOCALAPPDATA", "/local")]), Some("/local/pollux".into()));
        assert_eq!(with(&[]), None);
    }

    #[test]
    fn scenes_of_one_name_in_two_places_have_two_stores() {
        let names = ["/a/hall.ron", "/b/hall.ron"].map(|path| file_name("Bottling hall", Path::new(path)));
        assert_ne!(names[0], names[1]);
        assert!(names.iter().all(|name| name.starts_with("Bottling-hall-") && name.ends_with(".store")), "{names:?}");
    }

    #[test]
    fn a_name_cannot_leave_the_folder() {
        let name = file_name("../../etc/passwd\0", Path::new("x"));
        assert!(!name.contains(['/', '\\', '.', '\0']) || name.matches('.').count() == 1, "{name}");
        assert!(file_name("", Path::new("x")).starts_with("scene-"));
        assert!(file_name(&"ü".repeat(500), Path::new("x")).len() < 200);
    }
}
