//! Finds scenario files. In: paths. Out: files, sorted, each once. Reads only as much as it needs to tell a scenario from a
//! scene.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// What was found below a path.
#[derive(Debug, Default)]
pub struct Found {
    /// The path itself where it is a file, else all scenarios below it in sorted order: files that end with `.ron` and begin
    /// with `Scenario(`.
    pub scenarios: Vec<PathBuf>,
    /// Other files that end with `.ron` and are no scenes either, with why they are passed over.
    pub passed_over: Vec<(PathBuf, String)>,
    /// Files named `scene.ron`.
    pub scenes: Vec<PathBuf>,
}

/// Looks for scenarios.
///
/// # Errors
/// Where a folder cannot be listed.
pub fn find(path: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    if !path.is_dir() {
        found.scenarios.push(path.to_owned());
        return Ok(found);
    }
    let (mut folders, mut seen) = (vec![path.to_owned()], BTreeSet::new());
    while let Some(folder) = folders.pop() {
        // A link may lead back.
        if !seen.insert(folder.canonicalize()?) {
            continue;
        }
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?.path();
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.is_file() && entry.extension().is_some_and(|end| end == "ron") {
                found.add(entry);
            }
        }
    }
    found.scenarios.sort();
    found.passed_over.sort();
    found.scenes.sort();
    Ok(found)
}

impl Found {
    fn add(&mut self, path: PathBuf) {
        match std::fs::read_to_string(&path) {
            Ok(text) if begins_with(&text, "Scenario") => self.scenarios.push(path),
            Ok(_) if path.file_name().is_some_and(|name| name == "scene.ron") => self.scenes.push(path),
            Ok(text) if begins_with(&text, "Scene") || begins_with(&text, "Types") => {}
            Ok(_) => self.passed_over.push((path, "begins with neither `Scenario(` nor `Scene(`".to_owned())),
            Err(error) => self.passed_over.push((path, error.to_string())),
        }
    }
}

/// Whether a file is a scenario, and not a scene or something else.
pub fn is_scenario(path: &Path) -> bool {
    path.is_file() && std::fs::read_to_string(path).is_ok_and(|text| begins_with(&text, "Scenario"))
}

/// Whether this is its first word, behind comments and attributes.
pub(super) fn begins_with(text: &str, word: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        rest = match rest {
            _ if rest.starts_with("//") => rest.split_once('\n').map_or("", |(_, behind)| behind),
            _ if rest.starts_with("/*") => rest.split_once("*/").map_or("", |(_, behind)| behind),
            _ if rest.starts_with("#!") => rest.split_once('\n').map_or("", |(_, behind)| behind),
            _ => {
                let behind = rest.strip_prefix(word);
                return behind.is_some_and(|behind| behind.trim_start().starts_with('('));
            }
        }
        .trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says_so(text: &str) -> bool {
        begins_with(text, "Scenario")
    }

    #[test]
    fn a_scenario_is_known_by_its_first_word() {
        assert!(
            says_so("Scenario(")
                && says_so("Scenario (")
                && says_so("\u{feff}// A pump trips.\n/* twice */ Scenario(format: (1, 0))")
        );
        assert!(!says_so("Scene(") && !says_so("// Scenario(") && !says_so(""));
    }
}
