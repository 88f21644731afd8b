//! Writes scene files. In: [`SceneFile`]. Out: RON text that [`parse`](super::parse) reads back equal. Writes no disk.

use ron::extensions::Extensions;
use ron::ser::PrettyConfig;

use super::format::SceneFile;

#[derive(Debug, thiserror::Error)]
#[error("the scene cannot be written: {0}")]
pub struct WriteError(#[from] ron::Error);

pub fn write(file: &SceneFile) -> Result<String, WriteError> {
    let config = PrettyConfig::new().new_line("\n").depth_limit(5).separate_tuple_members(false);
    let options = ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
    let text = options.to_string_pretty(file, config)?;
    Ok(format!("Scene{text}\n"))
}
