//! What is wrong in a scene file, where, and what to do about it. In: the rules that were broken. Out: issues, as text
//! like a compiler's or as JSON. Never decides what is wrong.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use super::secret;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
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

/// The text of a file that issues point into.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceFile {
    pub path: PathBuf,
    pub text: Arc<str>,
}

/// Longer source lines are shown in part.
const MAX_LINE_CHARS: usize = 160;

/// Prints issues with the lines they point at. `colour` adds ANSI colours; control characters of files never get out.
pub fn render(issues: &[Issue], sources: &[SourceFile], colour: bool) -> String {
    let paint = |code: &'static str| if colour { code } else { "" };
    let (red, yellow, blue, bold, off) =
        (paint("\x1b[1;31m"), paint("\x1b[1;33m"), paint("\x1b[1;34m"), paint("\x1b[1m"), paint("\x1b[0m"));
    let mut out = String::new();
    // A line that holds a secret is never shown, whatever else is wrong in it: messages end in logs.
    let is_secret = |file: &PathBuf, line| {
        issues.iter().any(|issue| issue.rule == "secret-in-scene" && issue.line == line && issue.file == *file)
    };
    for issue in issues {
        let (word, tone) = match issue.severity {
            Severity::Error => ("error", red),
            Severity::Warning => ("warning", yellow),
        };
        let source = sources.iter().find(|source| source.path == issue.file);
        let line = source.and_then(|source| source.text.lines().nth(issue.line.saturating_sub(1) as usize));
        let hidden = is_secret(&issue.file, issue.line) || line.is_some_and(secret::is_in);
        let number = issue.line.to_string();
        let gutter = if line.is_some() { number.len() } else { 1 };
        let pad = " ".repeat(gutter);
        let place = if line.is_some() { format!(":{}:{}", issue.line, issue.column) } else { String::new() };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{tone}{word}[{}]{off}{bold}: {}{off}", issue.rule, printable(&issue.brief));
        let _ = writeln!(out, "{pad}{blue}-->{off} {}{place}", printable(&issue.file.display().to_string()));
        if let Some(line) = line.filter(|_| !hidden) {
            let marked = issue.span.end.saturating_sub(issue.span.start);
            let (shown, before, carets) = excerpt(line, issue.column as usize - 1, marked);
            let _ = writeln!(out, "{pad} {blue}|{off}");
            let _ = writeln!(out, "{blue}{number} |{off} {shown}");
            let _ = writeln!(out, "{pad} {blue}|{off} {}{tone}{}{off}", " ".repeat(before), "^".repeat(carets));
        }
        if let Some(hint) = &issue.hint {
            let _ = writeln!(out, "{pad} {blue}={off} help: {}", printable(hint));
        }
        out.push('\n');
    }
    if !issues.is_empty() {
        let count = |severity| issues.iter().filter(|issue| issue.severity == severity).count();
        out.push_str(&summary(count(Severity::Error), count(Severity::Warning)));
        out.push('\n');
    }
    out
}

/// `2 errors and 1 warning`
fn summary(errors: usize, warnings: usize) -> String {
    let many = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    match (errors, warnings) {
        (errors, 0) => many(errors, "error"),
        (0, warnings) => many(warnings, "warning"),
        (errors, warnings) => format!("{} and {}", many(errors, "error"), many(warnings, "warning")),
    }
}

/// The part of a line to show, how many columns come before the mark, and how wide the mark is.
fn excerpt(line: &str, column: usize, marked_bytes: usize) -> (String, usize, usize) {
    let from_mark: usize = line.chars().take(column).map(char::len_utf8).sum();
    let rest = line.get(from_mark..).unwrap_or("");
    let mark_chars = rest.char_indices().take_while(|(at, _)| *at < marked_bytes).count().max(1);
    let first = if line.chars().count() > MAX_LINE_CHARS { column.saturating_sub(MAX_LINE_CHARS / 2) } else { 0 };
    let shown: String = line.chars().skip(first).take(MAX_LINE_CHARS).map(plain).collect();
    let before = column - first;
    let width = mark_chars.min(MAX_LINE_CHARS.saturating_sub(before)).max(1);
    (shown.trim_end().to_owned(), before, width)
}

/// One column per character, nothing that a terminal would act on.
fn plain(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

fn printable(text: &str) -> String {
    text.chars().map(plain).collect()
}
