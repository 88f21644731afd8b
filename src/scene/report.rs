//! Collects issues while a scene is loaded. In: rules broken at spans. Out: issues with lines and columns, sorted by
//! place. Says each thing once, however many twins share it.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::Loaded;
use super::issue::{Issue, Severity, SourceFile};
use super::ron_tree::BYTE_ORDER_MARK;
use super::span::{FileId, Span};

/// More issues than this are not shown.
const MAX_ISSUES: usize = 1000;

#[derive(Default)]
pub(crate) struct Report {
    pub sources: Vec<SourceFile>,
    found: Vec<(Severity, &'static str, Span, String, Option<String>)>,
    seen: HashSet<(Span, &'static str, String)>,
    pub errors: usize,
}

impl Report {
    pub fn add_file(&mut self, path: PathBuf, text: Arc<str>) -> FileId {
        let id = FileId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        self.sources.push(SourceFile { path, text });
        id
    }

    /// `item` names what is wrong (`P-101.flow`); an issue at the same place with the same words is said once.
    pub fn error(&mut self, rule: &'static str, span: Span, item: &str, brief: impl Into<String>, hint: Hint) {
        self.add(Severity::Error, rule, span, item, brief.into(), hint);
    }

    pub fn warning(&mut self, rule: &'static str, span: Span, item: &str, brief: impl Into<String>, hint: Hint) {
        self.add(Severity::Warning, rule, span, item, brief.into(), hint);
    }

    pub fn add(&mut self, severity: Severity, rule: &'static str, span: Span, item: &str, brief: String, hint: Hint) {
        if severity == Severity::Error {
            self.errors += 1;
        }
        if self.found.len() >= MAX_ISSUES || !self.seen.insert((span, rule, brief.clone())) {
            return;
        }
        let brief = if item.is_empty() { brief } else { format!("{item}: {brief}") };
        self.found.push((severity, rule, span, brief, hint.0));
    }

    pub fn has_error_at(&self, rule: &str, span: Span) -> bool {
        self.found.iter().any(|(_, found, at, ..)| *found == rule && *at == span)
    }

    /// The span of a part of a text that was written at `span`; the whole span where the text holds escapes other than
    /// those of quotes and backslashes.
    pub fn inside(&self, span: Span, text: &str, part: std::ops::Range<usize>) -> Span {
        let source = self.sources.get(span.file.0 as usize);
        let written = source.and_then(|s| s.text.get(span.range())).unwrap_or("");
        let found = written.find('"').and_then(|quote| {
            let inner = written.get(quote + 1..)?;
            let first = span.start as usize + quote + 1;
            let (start, end) = match inner.starts_with(text) {
                true => (part.start, part.end),
                false => (as_written(inner, text, part.start)?, as_written(inner, text, part.end)?),
            };
            Some(Span::new(span.file, first + start..first + end))
        });
        found.unwrap_or(span)
    }

    /// `scene.ron:3:5`, to point at a second place.
    pub fn place(&self, span: Span) -> String {
        let Some(source) = self.sources.get(span.file.0 as usize) else { return "?".to_owned() };
        let (line, column) = line_and_column(&source.text, span.start as usize);
        format!("{}:{line}:{column}", source.path.display())
    }

    pub fn finish(mut self) -> (Vec<Issue>, Vec<SourceFile>) {
        self.found.sort_by(|a, b| (a.2, a.0, a.1, &a.3).cmp(&(b.2, b.0, b.1, &b.3)));
        let issues = self
            .found
            .into_iter()
            .map(|(severity, rule, span, brief, hint)| issue_at(&self.sources, severity, rule, span, brief, hint));
        (issues.collect(), self.sources)
    }
}

fn issue_at(
    sources: &[SourceFile],
    severity: Severity,
    rule: &'static str,
    span: Span,
    brief: String,
    hint: Option<String>,
) -> Issue {
    let source = sources.get(span.file.0 as usize);
    let (line, column) = source.map_or((1, 1), |s| line_and_column(&s.text, span.start as usize));
    let file = source.map(|s| s.path.clone()).unwrap_or_default();
    Issue { severity, rule, file, span: span.range(), line, column, brief, hint }
}

impl Loaded {
    /// An error that was found later, in what the scene names.
    pub fn tell(&mut self, rule: &'static str, span: Span, brief: String) {
        self.issues.push(issue_at(&self.sources, Severity::Error, rule, span, brief, None));
    }
}

/// Where the byte `at` of `text` stands in `written`, which holds `\"` for a quote and `\\` for a backslash.
fn as_written(written: &str, text: &str, at: usize) -> Option<usize> {
    let mut rest = written;
    for c in text.get(..at)?.chars() {
        let escaped = if matches!(c, '"' | '\\') { rest.strip_prefix('\\') } else { Some(rest) };
        rest = escaped?.strip_prefix(c)?;
    }
    Some(written.len() - rest.len())
}

/// From 1, the column in characters.
fn line_and_column(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = 1 + before.bytes().filter(|b| *b == b'\n').count();
    let in_line = before.get(line_start..).unwrap_or("");
    let column = 1 + in_line.trim_start_matches(BYTE_ORDER_MARK).chars().count();
    let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    (clamp(line), clamp(column))
}

/// What to do about an issue, if anything can be said.
pub(crate) struct Hint(Option<String>);

impl Hint {
    pub const NONE: Hint = Hint(None);

    pub fn meant(near: Option<&str>) -> Hint {
        Hint(near.map(|near| format!("did you mean `{near}`?")))
    }

    /// What was probably meant, or else what there is.
    pub fn meant_or(near: Option<&str>, otherwise: impl FnOnce() -> String) -> Hint {
        Hint(Some(near.map_or_else(otherwise, |near| format!("did you mean `{near}`?"))))
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        Hint(Some(text.to_owned()))
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Hint(Some(text))
    }
}

impl From<Option<String>> for Hint {
    fn from(text: Option<String>) -> Self {
        Hint(text)
    }
}
