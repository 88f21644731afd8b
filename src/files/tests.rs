use std::io::Write;

use super::*;

/// Every file of a folder with its content, in the order of names.
fn files(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut all: Vec<_> = entries
        .filter(|entry| entry.path().is_file())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .collect();
    all.sort();
    all
}

/// Fails at its nth write.
struct Failing<W> {
    into: W,
    left: usize,
}

impl<W: Write> Write for Failing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(left) = self.left.checked_sub(1) else { return Err(io::ErrorKind::StorageFull.into()) };
        self.left = left;
        self.into.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

const PIECES: [&str; 4] = ["one\n", "two\n", "three\n", "four\n"];

fn write_pieces(path: &Path, existing: Existing, most: usize) -> Result<(), FileError> {
    let failed = |cause| FileError::Write { path: path.to_owned(), cause };
    let new = NewFile::begin(path, existing)?;
    let mut out = Failing { into: new.file(), left: most };
    PIECES.iter().try_for_each(|piece| out.write_all(piece.as_bytes())).map_err(failed)?;
    new.finish()
}

#[test]
fn whichever_write_fails_the_old_file_stays_and_nothing_lies_beside_it() {
    for existing in [Existing::Keep, Existing::Replace] {
        for most in 0..=PIECES.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("out.csv");
            let before = match existing {
                Existing::Keep => Vec::new(),
                Existing::Replace => {
                    fs::write(&path, "old").unwrap();
                    files(folder.path())
                }
            };
            let done = write_pieces(&path, existing, most);
            if most < PIECES.len() {
                assert!(done.unwrap_err().to_string().contains("out.csv: cannot be written"));
                assert_eq!(files(folder.path()), before, "write {most}");
            } else {
                done.unwrap();
                assert_eq!(files(folder.path()), [("out.csv".to_owned(), PIECES.concat())]);
            }
        }
    }
}

#[test]
fn a_name_that_is_taken_meanwhile_is_not_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    let new = NewFile::begin(&path, Existing::Keep).unwrap();
    fs::write(&path, "of another program").unwrap();
    assert!(matches!(new.finish(), Err(FileError::Exists { .. })));
    assert!(matches!(NewFile::begin(&path, Existing::Keep), Err(FileError::Exists { .. })));
    // A folder cannot be replaced: the last step fails.
    let path = folder.path().join("other.csv");
    let new = NewFile::begin(&path, Existing::Replace).unwrap();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("inside"), "").unwrap();
    assert!(new.finish().is_err());
    assert_eq!(files(folder.path()), [("out.csv".to_owned(), "of another program".to_owned())]);
}

#[test]
fn it_grows_in_the_same_folder_with_the_same_extension() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("{}.mp4", "n".repeat(251));
    for name in ["out.mp4", &long] {
        let path = folder.path().join(name);
        let new = NewFile::begin(&path, Existing::Replace).unwrap();
        assert_eq!((new.path().parent(), new.path().extension()), (path.parent(), path.extension()));
        assert!(!path.exists(), "not before it is finished");
        new.finish().unwrap();
        assert!(path.exists());
    }
}

#[test]
fn what_cannot_be_written_is_told_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let told = |path: &Path| check(path).unwrap_err().to_string();
    assert!(told(folder.path()).contains("is a folder; name a file in it"));
    assert!(told(&folder.path().join("none/out.csv")).contains("there is no such folder"));
    let path = folder.path().join("growing.mcap");
    let growing = File::create(&path).unwrap();
    growing.lock().unwrap();
    assert!(told(&path).contains("another program is writing it"));
    growing.unlock().unwrap();
    check(&path).unwrap();
    assert_eq!(files(folder.path()).len(), 1, "nothing is left behind");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn links_are_followed_and_the_mode_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link, over) =
            (folder.path().join("target.csv"), folder.path().join("link.csv"), folder.path().join("over.csv"));
        fs::write(&target, "old").unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("target.csv", &link).unwrap();
        symlink("link.csv", &over).unwrap();
        replace(&over, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink() && fs::symlink_metadata(&over).unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o7777, 0o640);
        // A link to a file that is not there yet.
        let ahead = folder.path().join("ahead.csv");
        symlink("later.csv", &ahead).unwrap();
        replace(&ahead, b"later").unwrap();
        assert_eq!(fs::read(folder.path().join("later.csv")).unwrap(), b"later");
        // Links in a circle lead nowhere.
        symlink("b.csv", folder.path().join("a.csv")).unwrap();
        symlink("a.csv", folder.path().join("b.csv")).unwrap();
        assert!(replace(&folder.path().join("a.csv"), b"").unwrap_err().to_string().contains("links"));
    }

    #[test]
    fn an_input_is_known_by_every_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("in.csv"), "data").unwrap();
        fs::write(at("other.csv"), "data").unwrap();
        symlink("in.csv", at("soft.csv")).unwrap();
        fs::hard_link(at("in.csv"), at("hard.csv")).unwrap();
        for output in ["in.csv", "sub/../in.csv", "./in.csv", "soft.csv", "hard.csv"] {
            let told = refuse_inputs(&at(output), [at("other.csv"), at("in.csv")]).unwrap_err().to_string();
            assert!(told.contains("is one of the files that are read"), "{output}: {told}");
            assert!(refuse_inputs(&at("in.csv"), [at(output)]).is_err(), "{output}, the other way");
        }
        refuse_inputs(&at("new.csv"), [at("in.csv"), at("missing.csv")]).unwrap();
        refuse_inputs(&at("other.csv"), [at("in.csv")]).unwrap();
    }

    #[test]
    fn what_is_no_file_is_written_to_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            let reader = pipe.clone();
            let reader = std::thread::spawn(move || fs::read_to_string(reader).unwrap());
            replace(&pipe, b"through").unwrap();
            assert_eq!(reader.join().unwrap(), "through");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
        replace(Path::new("/dev/null"), b"nowhere").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
