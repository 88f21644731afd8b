//! The rooms of the library stand in one order, and each imports only rooms below itself.
//!
//! In: the text of `src`. Out: a failure that names file, line and the two rooms for each import that points up. Code of
//! tests counts as well.

use std::fs;
use std::path::{Path, PathBuf};

/// Lowest first.
const ROOMS: &[&str] = &[
    "files",
    "schedule",
    "value",
    "model",
    "network",
    "fault",
    "scene",
    "history",
    "ingest",
    "plant",
    "instruction",
    "alarm",
    "event",
    "recent",
    "produce",
    "source",
    "record",
    "analysis",
    "run",
    "command",
    "stage",
    "import",
    "replay",
    "session",
    "scenario",
    "layers",
    "export",
    "state",
    "view",
    "panel",
    "bench",
    "cli",
];

/// An import that points up, or at no room at all.
#[derive(Debug, PartialEq, Eq)]
struct Breach {
    file: String,
    line: usize,
    from: String,
    to: String,
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, line, from, to } = self;
        write!(f, "{file}:{line}: `{from}` imports `{to}`, which does not stand below it")
    }
}

fn place(room: &str) -> Option<usize> {
    ROOMS.iter().position(|known| *known == room)
}

/// The room that a path below `src` belongs to: its folder, or the file itself.
fn room_of(path: &Path) -> Option<String> {
    let first = path.components().next()?.as_os_str().to_str()?;
    Some(first.strip_suffix(".rs").unwrap_or(first).to_owned())
}

/// What a text of `room` takes from the crate, with line numbers: the name after each `crate::`.
fn imports(text: &str) -> Vec<(usize, String)> {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let mut found = Vec::new();
    for (number, line) in (1..).zip(code) {
        for (at, _) in line.match_indices("crate::") {
            let is_whole = !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
            let name: String =
                line[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '{').collect();
            if is_whole {
                found.push((number, name));
            }
        }
    }
    found
}

fn breaches(file: &str, text: &str) -> Vec<Breach> {
    let Some(from) = room_of(Path::new(file)).filter(|room| !matches!(room.as_str(), "lib" | "main")) else {
        return Vec::new();
    };
    let here = place(&from);
    let points_up = |to: &str| *to != from && (here.is_none() || place(to).is_none() || place(to) >= here);
    imports(text)
        .into_iter()
        .filter(|(_, to)| points_up(to))
        .map(|(line, to)| Breach { file: format!("src/{file}"), line, from: from.clone(), to })
        .collect()
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("a folder of src").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        match path.is_dir() {
            true => rust_files(&path, into),
            false if path.extension().is_some_and(|extension| extension == "rs") => into.push(path),
            false => {}
        }
    }
}

#[test]
fn every_room_imports_only_rooms_below_itself() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    assert!(files.len() > 100, "{} files in {}", files.len(), src.display());
    let found: Vec<String> = files
        .iter()
        .flat_map(|path| {
            let text = fs::read_to_string(path).expect("a text");
            let below = path.strip_prefix(&src).expect("below src").to_string_lossy().replace('\\', "/");
            breaches(&below, &text)
        })
        .map(|breach| breach.to_string())
        .collect();
    assert!(found.is_empty(), "imports that point up:\n{}\nrooms, lowest first: {ROOMS:?}", found.join("\n"));
}

#[test]
fn an_import_that_points_up_is_found_with_its_line() {
    let up = "//! Docs of [`crate::panel`].\nuse crate::value::Sample;\n\nfn f() -> crate::panel::Shell {}\n";
    let found = breaches("history/store.rs", up);
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["src/history/store.rs:4: `history` imports `panel`, which does not stand below it"]);
    assert_eq!(breaches("panel/shell.rs", up), [], "down, and within the room");
    assert_eq!(
        breaches("history/store.rs", "use crate::CorePlugins;\n").len(),
        1,
        "the crate's root is above all rooms"
    );
    assert_eq!(breaches("attic/mod.rs", "use crate::value::Sample;\n").len(), 1, "every room has a place in the order");
}
