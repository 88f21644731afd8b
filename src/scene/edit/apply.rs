//! Writes an edit to the disk, whole or not at all. In: an edit. Out: a file, replaced in one step. Never writes over
//! what somebody else has saved meanwhile.

use std::{fs, io};

use super::{Edit, EditError};
use crate::files::{self, FileError};

/// Replaces the file, if it still holds the text that the edit was made from. Its permissions stay, a link stays a link.
pub fn apply(edit: &Edit) -> Result<(), EditError> {
    let failed = |doing| move |source| EditError::Io { path: edit.path.clone(), doing, source };
    let path = fs::canonicalize(&edit.path).map_err(failed("found"))?;
    let found = fs::read(&path).map_err(failed("read"))?;
    if found != edit.before.as_bytes() {
        return Err(EditError::ChangedOnDisk { path: edit.path.clone() });
    }
    files::replace(&path, edit.after.as_bytes()).map_err(|error| match error {
        FileError::Write { cause, .. } => failed("written")(cause),
        other => failed("written")(io::Error::other(other)),
    })
}
