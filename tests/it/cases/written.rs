//! Files that commands write: no command that fails changes a file that was there before it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::recordings::import;
use super::{call_in, folder_of};

/// Every file of a folder with its content, but for what the program remembers.
fn all(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file());
    files.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn a_failed_import_leaves_the_recording_that_was_there() {
    let csv = ["import", "csv", "good.csv", "--scene", "scene.ron", "-o", "out.mcap"];
    let folder = import("imp01_force_failed", &csv).folder;
    let before = all(folder.path());
    let done = call_in(folder, &csv);
    assert!(done.code == Some(3) && done.said.contains("--force"), "{}", done.said);
    assert_eq!(all(done.folder.path()), before, "nothing is replaced without --force");
    let empty = folder_of("mcap17_empty").join("in.mcap");
    let empty = empty.to_str().unwrap();
    let done = call_in(done.folder, &["import", "mcap", empty, "--scene", "scene.ron", "-o", "out.mcap", "--force"]);
    assert_eq!(done.code, Some(2), "{}", done.said);
    assert_eq!(all(done.folder.path()), before);
}

#[test]
fn no_command_writes_over_what_it_reads() {
    let mut folder =
        import("imp02_onto_itself", &["import", "mcap", "src.mcap", "--scene", "scene.ron", "-o", "out.mcap"]).folder;
    std::fs::hard_link(folder.path().join("src.mcap"), folder.path().join("hard.mcap")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("out.mcap", folder.path().join("soft.mcap")).unwrap();
    let main = "Scene(format: (1, 1), name: \"Main\", uses: [\"scene.ron\"])";
    std::fs::write(folder.path().join("main.ron"), main).unwrap();
    let before = all(folder.path());
    let mut calls = vec![
        "import csv src.csv --scene scene.ron -o src.csv --force",
        "import csv src.csv --scene scene.ron -o scene.ron --force",
        "import mcap src.mcap --scene scene.ron -o ./src.mcap --force",
        "import mcap src.mcap --scene scene.ron -o hard.mcap --force",
        "export out.mcap --to csv -o out.mcap",
        "export out.mcap --to csv --scene scene.ron -o scene.ron",
        "play out.mcap --headless --at 0s --state out.mcap",
        "play out.mcap --headless --at 0s --scene scene.ron --state scene.ron",
        "live scene.ron --headless --no-store --for 1s --state scene.ron",
        "live scene.ron --headless --no-store --for 1s --events scene.ron",
        "record scene.ron --no-store --for 1s -o new.mcap --state scene.ron",
        "record scene.ron --no-store --for 1s -o new.mcap --events scene.ron",
        // Files that the scene uses.
        "import csv src.csv --scene main.ron -o scene.ron --force",
        "export out.mcap --to csv --scene main.ron -o scene.ron",
        "play out.mcap --headless --at 0s --scene main.ron --state scene.ron",
        "live main.ron --headless --no-store --for 1s --state scene.ron",
    ];
    if cfg!(unix) {
        calls.push("export out.mcap --to mcap -o soft.mcap");
    }
    if cfg!(feature = "desktop") {
        calls.extend([
            "shot out.mcap -o out.mcap",
            "shot out.mcap -o hard.mcap --beside src.mcap",
            "shot main.ron -o scene.ron",
            "shot scene.ron -o picture.png --events scene.ron",
            "film out.mcap -o out.mcap",
            "film out.mcap --scene main.ron -o scene.ron",
            "film src.mcap --scene scene.ron -o hard.mcap",
        ]);
    }
    for line in calls {
        let done = call_in(folder, &line.split(' ').collect::<Vec<_>>());
        assert_eq!(done.code, Some(2), "{line}: {}", done.said);
        let is_told = ["is one of the files that are read", "is one of the recordings that are read"];
        assert!(is_told.iter().any(|told| done.said.contains(told)), "{line}: {}", done.said);
        assert_eq!(all(done.folder.path()), before, "{line}");
        folder = done.folder;
    }
}

/// Told before the work: where it cannot be done at all, an output that cannot stand there is told all the same.
#[test]
fn what_cannot_be_written_is_told_before_the_work() {
    let folder =
        import("imp02_onto_itself", &["import", "mcap", "src.mcap", "--scene", "scene.ron", "-o", "out.mcap"]).folder;
    std::fs::write(folder.path().join("bad.mcap"), "no recording").unwrap();
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    let before = all(folder.path());
    let mut calls = vec![
        "import mcap bad.mcap --scene scene.ron -o nowhere/new.mcap",
        "import csv bad.mcap --scene scene.ron -o nowhere/new.mcap",
        "export bad.mcap --to csv -o nowhere/new.csv",
        "play bad.mcap --headless --state nowhere/new.json",
        "live nothing.ron --headless --no-store --state nowhere/new.json",
    ];
    if cfg!(feature = "desktop") {
        calls.extend(["shot out.mcap -o nowhere/new.png", "film out.mcap -o nowhere/new.mp4"]);
    }
    for line in calls {
        let output = Command::new(env!("CARGO_BIN_EXE_pollux"))
            .args(line.split(' '))
            .current_dir(folder.path())
            .env("XDG_STATE_HOME", folder.path().join(".state"))
            // No graphics adapter is found.
            .envs([("WGPU_BACKEND", "vulkan"), ("VK_DRIVER_FILES", "/nowhere"), ("VK_ICD_FILENAMES", "/nowhere")])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(3) && said.contains("there is no such folder"), "{line}: {said}");
        assert_eq!(all(folder.path()), before, "{line}");
    }
}

#[cfg(all(unix, feature = "desktop"))]
#[test]
fn a_picture_that_cannot_be_written_leaves_the_old_one() {
    let folder =
        import("imp02_onto_itself", &["import", "mcap", "src.mcap", "--scene", "scene.ron", "-o", "out.mcap"]).folder;
    let old = folder.path().join("old.png");
    std::fs::write(&old, "old").unwrap();
    let script = "trap '' XFSZ; ulimit -f 2; exec \"$0\" shot out.mcap -o old.png --size 320x180";
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_pollux")])
        .current_dir(folder.path())
        .env("XDG_STATE_HOME", folder.path().join(".state"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("old.png: cannot be written") || said.contains("no graphics adapter"), "{said}");
    assert_eq!(std::fs::read(&old).unwrap(), b"old");
}

/// As on a disk that is full at some point: no file may grow beyond so many blocks of 512 bytes.
#[cfg(unix)]
#[test]
fn a_command_that_cannot_write_on_changes_no_file() {
    let folder =
        import("imp02_onto_itself", &["import", "mcap", "src.mcap", "--scene", "scene.ron", "-o", "out.mcap"]).folder;
    let at = |name: &str| folder.path().join(name);
    let whole = std::fs::read(at("out.mcap")).unwrap();
    std::fs::write(at("cut.mcap"), &whole[..whole.len() - 200]).unwrap();
    let mut bent = whole.clone();
    bent[whole.len() / 2] ^= 0x55;
    std::fs::write(at("bent.mcap"), &bent).unwrap();
    for old in ["old.csv", "old.parquet", "old.lp", "old.json"] {
        std::fs::write(at(old), "old").unwrap();
    }
    std::fs::copy(at("out.mcap"), at("old.mcap")).unwrap();
    let before = all(folder.path());
    let calls = [
        "import mcap src.mcap --scene scene.ron -o old.mcap --force",
        "export out.mcap --to csv -o old.csv",
        "export out.mcap --to parquet -o old.parquet",
        "export out.mcap --to influx -o old.lp",
        "export out.mcap --to mcap -o old.mcap",
        "play out.mcap --headless --at 0s --state old.json",
        "repair cut.mcap",
        "repair bent.mcap",
    ];
    for line in calls {
        let (mut failed, mut done) = (0, false);
        for blocks in (0..=24).chain([1000]) {
            let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" {line}");
            let status = Command::new("sh")
                .args(["-c", &script, env!("CARGO_BIN_EXE_pollux")])
                .current_dir(folder.path())
                .env("XDG_STATE_HOME", folder.path().join(".state"))
                .output()
                .expect("a shell");
            match status.status.success() {
                true => done = true,
                false => {
                    failed += 1;
                    let now = all(folder.path());
                    let changed: Vec<_> = before.iter().filter(|(name, old)| now.get(*name) != Some(*old)).collect();
                    assert!(changed.is_empty(), "{line}, {blocks} blocks: {:?}", changed.first().map(|(name, _)| name));
                    let pieces = now.keys().find(|name| name.starts_with(".pollux"));
                    assert_eq!(pieces, None, "{line}, {blocks} blocks");
                }
            }
            for (name, old) in &before {
                std::fs::write(at(name), old).unwrap();
            }
            let _ = std::fs::remove_file(at("bent.mcap.damaged"));
        }
        assert!(failed > 0 && done, "{line}: failed {failed} times");
    }
}
