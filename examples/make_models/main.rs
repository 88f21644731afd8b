//! Writes the 3D models of the bottling hall: `cargo run --example make_models [--check] [FOLDER]`.
//!
//! In: a folder, `assets/models` unless named. Out: one binary glTF file per machine.
//! With `--check` nothing is written: files that differ from what this program makes are named, and the exit code is 1.

#![expect(clippy::disallowed_methods, reason = "shapes are drawn: pictures need no bits that machines share")]

mod forge;

use std::{env, fs, io, path::Path, process::ExitCode};

fn main() -> io::Result<ExitCode> {
    let (mut folder, mut check) = ("assets/models".to_owned(), false);
    for argument in env::args().skip(1) {
        if argument == "--check" {
            check = true;
        } else {
            folder = argument;
        }
    }
    let folder = Path::new(&folder);
    let differing = if check { compare(folder) } else { write(folder).map(|()| 0)? };
    Ok(if differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for model in forge::models() {
        let path = folder.join(model.file);
        fs::write(&path, &model.bytes)?;
        println!("{}: {} KiB", path.display(), model.bytes.len().div_ceil(1024));
    }
    Ok(())
}

/// The number of files that are missing or differ.
fn compare(folder: &Path) -> usize {
    let mut differing = 0;
    for model in forge::models() {
        let path = folder.join(model.file);
        let problem = match fs::read(&path) {
            Ok(bytes) if bytes == model.bytes => continue,
            Ok(_) => "differs from what make_models makes".to_owned(),
            Err(err) => err.to_string(),
        };
        eprintln!("{}: {problem}; run `cargo run --example make_models` to write it again", path.display());
        differing += 1;
    }
    differing
}
