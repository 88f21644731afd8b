//! What is wrong in a scene file, where, and what to do about it.

use std::path::PathBuf;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    Error,
    Warning,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issue {
    pub severity: Severity,
    /// A stable name of the rule: `unknown-field`.
    pub rule: &'static str,
    pub file: PathBuf,
    /// Byte range in the file.
    pub span: std::ops::Range<usize>,
    /// From 1, in characters.
    pub line: u32,
    pub column: u32,
    /// One sentence that names item, field, rule and value.
    pub brief: String,
    /// What to do.
    pub hint: Option<String>,
}
