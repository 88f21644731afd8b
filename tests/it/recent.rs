//! `pollux play` without a file says what was opened last, with state folders of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pollux::recent::{self, Recent, RecentKind};
use pollux::value::Timestamp;

use crate::live::program::{STATE_HOME, pollux};

fn said(arrange: impl FnOnce(&mut Command)) -> String {
    let mut command = pollux();
    command.arg("play").env_remove("DISPLAY");
    arrange(&mut command);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "wrong usage");
    assert!(output.stdout.is_empty(), "a message, not a result");
    String::from_utf8(output.stderr).unwrap()
}

fn said_with(home: &Path) -> String {
    said(|command| {
        command.env(STATE_HOME, home);
    })
}

fn opened(home: &Path, kind: RecentKind, files: &[PathBuf], at: i64) {
    let recent = Recent { kind, files: files.to_vec(), opened: Timestamp(at) };
    recent::add(&home.join("pollux/recent.json"), recent).unwrap();
}

#[test]
fn whoever_opened_nothing_yet_reads_how_to() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(said_with(home.path()), "pollux: name a recording: pollux play FILE\n");
}

#[test]
fn recordings_that_were_opened_are_listed_ready_to_be_pasted_and_those_that_are_gone_say_so() {
    let home = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = folder.path().join(name);
        fs::write(&path, "").unwrap();
        path
    };
    let (old, shift, gone) = (file("old.mcap"), file("Schicht 3 'früh'.mcap"), folder.path().join("gone.mcap"));
    let (first, second) = (file("a-1.mcap"), file("a-2.mcap"));
    opened(home.path(), RecentKind::Recording, &[old], 1);
    opened(home.path(), RecentKind::Recording, &[gone], 2);
    opened(home.path(), RecentKind::Scene, &[file("scene.ron")], 3);
    opened(home.path(), RecentKind::Recording, &[shift], 4);
    opened(home.path(), RecentKind::Recording, &[first, second], 5);
    let place = folder.path().display().to_string();
    assert_eq!(
        said_with(home.path()).replace(&place, "/r"),
        "pollux: name a recording: pollux play FILE\n\
         opened last:\n\
         \x20 /r/a-1.mcap /r/a-2.mcap\n\
         \x20 '/r/Schicht 3 '\\''früh'\\''.mcap'\n\
         \x20 /r/old.mcap\n\
         \x20 /r/gone.mcap  (is not there any more)\n"
    );
}

#[test]
fn a_list_that_cannot_be_had_is_no_obstacle_but_said() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("pollux")).unwrap();
    fs::write(home.path().join("pollux/recent.json"), "{").unwrap();
    let damaged = said_with(home.path());
    assert!(damaged.starts_with("pollux: name a recording: pollux play FILE\n"), "{damaged}");
    assert!(damaged.contains("the list of opened files cannot be read"), "{damaged}");
    let without = said(|command| {
        command.env_remove(STATE_HOME).env_remove("HOME").env_remove("LOCALAPPDATA");
    });
    assert!(without.contains("set XDG_STATE_HOME or HOME"), "{without}");
}
