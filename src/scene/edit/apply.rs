//! Writes an edit to the disk, whole or not at all. In: an edit. Out: a file, replaced in one step. Never writes over
//! what somebody else has saved meanwhile.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::{Edit, EditError};

/// Replaces the file, if it still holds the text that the edit was made from. Its permissions stay, a link stays a link.
pub fn apply(edit: &Edit) -> Result<(), EditError> {
    let failed = |doing| move |source| EditError::Io { path: edit.path.clone(), doing, source };
    let path = fs::canonicalize(&edit.path).map_err(failed("found"))?;
    let found = fs::read(&path).map_err(failed("read"))?;
    if found != edit.before.as_bytes() {
        return Err(EditError::ChangedOnDisk { path: edit.path.clone() });
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // In the same folder, as only there a rename is one step; the process id keeps two programs apart.
    let temporary = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let result = write_new(&temporary, &path, &edit.after).and_then(|()| fs::rename(&temporary, &path));
    if result.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    result.map_err(failed("written"))?;
    // The new name is on the disk only once the folder is. Not every file system can do this: the file itself is safe.
    if let Some(folder) = path.parent().and_then(|folder| fs::File::open(folder).ok()) {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn write_new(temporary: &Path, like: &Path, text: &str) -> std::io::Result<()> {
    let permissions = fs::metadata(like)?.permissions();
    // A leftover of a crash would be in the way for ever.
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(temporary)?;
    file.set_permissions(permissions)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
