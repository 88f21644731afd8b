//! Whether an open file is still the one that its path names: others rotate, move and delete files. Elsewhere than on
//! Unix an open file cannot be taken away.

use std::fs::File;
use std::path::Path;

#[cfg(unix)]
pub fn leads_to(path: &Path, open: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(open) = open.metadata() else { return false };
    std::fs::metadata(path).is_ok_and(|named| (named.dev(), named.ino()) == (open.dev(), open.ino()))
}

#[cfg(not(unix))]
pub fn leads_to(_: &Path, _: &File) -> bool {
    true
}
