//! Finds scenario files. In: paths. Out: files, sorted. Reads only as much as it needs to tell a scenario from a scene.

use std::io;
use std::path::{Path, PathBuf};

/// The scenario itself, or all scenarios below a folder in sorted order: files that end with `.ron` and say `Scenario(`.
pub fn find(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let (mut found, mut folders) = (Vec::new(), vec![path.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?.path();
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|end| end == "ron") && is_scenario(&entry) {
                found.push(entry);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a file is a scenario, and not a scene or something else.
pub fn is_scenario(path: &Path) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| says_so(&text))
}

fn says_so(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        rest = match rest {
            _ if rest.starts_with("//") => rest.split_once('\n').map_or("", |(_, behind)| behind),
            _ if rest.starts_with("/*") => rest.split_once("*/").map_or("", |(_, behind)| behind),
            _ if rest.starts_with("#!") => rest.split_once('\n').map_or("", |(_, behind)| behind),
            _ => return rest.starts_with("Scenario"),
        }
        .trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_known_by_its_first_word() {
        assert!(says_so("Scenario(") && says_so("\u{feff}// A pump trips.\n/* twice */ Scenario(format: (1, 0))"));
        assert!(!says_so("Scene(") && !says_so("// Scenario(") && !says_so(""));
    }
}
