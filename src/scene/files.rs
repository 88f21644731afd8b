//! Reads a scene file and the libraries it uses. In: a path. Out: parsed files, dependencies first, each once.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::format::{QuantityDef, SceneFile, VERSION};
use super::issue::Severity;
use super::report::{Hint, Report};
use super::span::{FileId, Span};
use super::{de, ron_tree};

const MAX_BYTES: u64 = 64 * 1024 * 1024;
const MAX_FILES: usize = 1000;

/// A file that could be read, at least in part.
pub(super) struct Part {
    /// The folder that its relative paths start from.
    pub dir: PathBuf,
    pub file: SceneFile,
}

pub(super) struct Files {
    /// Used files come before their users; the scene itself is the last.
    pub parts: Vec<Part>,
    /// Everything that was read or looked for.
    pub looked_for: Vec<PathBuf>,
}

/// Where texts come from: a path, or why it cannot be read.
pub(super) type Read<'r> = &'r dyn Fn(&Path) -> Result<Arc<str>, String>;

pub(super) fn read_all(path: &Path, read: Read<'_>, report: &mut Report) -> Files {
    let mut reading =
        Reading { read, parts: Vec::new(), looked_for: Vec::new(), seen: HashSet::new(), open: Vec::new() };
    reading.file(path, None, report);
    Files { parts: reading.parts, looked_for: reading.looked_for }
}

struct Reading<'r> {
    read: Read<'r>,
    parts: Vec<Part>,
    looked_for: Vec<PathBuf>,
    seen: HashSet<PathBuf>,
    /// Files that are being read now, to see cycles.
    open: Vec<PathBuf>,
}

impl Reading<'_> {
    fn file(&mut self, path: &Path, user: Option<Span>, report: &mut Report) {
        let identity = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if self.open.contains(&identity) {
            let brief = format!("{} uses itself, directly or through other files", path.display());
            report.warning("uses-cycle", user.unwrap_or_default(), "", brief, "take it out of one of the lists".into());
            return;
        }
        if !self.seen.insert(identity.clone()) {
            return;
        }
        self.looked_for.push(path.to_owned());
        let text = match (self.read)(path) {
            Ok(text) => text,
            Err(reason) => {
                let span = user.unwrap_or_else(|| Span::new(report.add_file(path.to_owned(), "".into()), 0..0));
                report.error(
                    "unreadable-file",
                    span,
                    "",
                    format!("{} cannot be read: {reason}", path.display()),
                    Hint::NONE,
                );
                return;
            }
        };
        if self.open.len() > 64 || self.seen.len() > MAX_FILES {
            let brief = format!("more than {MAX_FILES} files, or files nested deeper than 64");
            report.error("too-many-files", user.unwrap_or_default(), "", brief, Hint::NONE);
            return;
        }
        let id = report.add_file(path.to_owned(), text.clone());
        let Some(file) = parse_into::<SceneFile>(&text, id, VERSION, &[], report) else { return };
        let dir = path.parent().map(Path::to_owned).unwrap_or_default();
        self.open.push(identity);
        for used in &file.uses {
            self.file(&dir.join(&used.value), Some(used.span), report);
        }
        self.open.pop();
        self.parts.push(Part { dir, file });
    }
}

/// Reads texts as they are on the disk now.
pub(super) fn from_disk(path: &Path) -> Result<Arc<str>, String> {
    use std::io::Read;
    let plain = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    if path.is_dir() {
        return Err("it is a folder".to_owned());
    }
    let mut bytes = Vec::new();
    // The limit holds for pipes and growing files too.
    std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(plain)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("it is larger than {} MiB", MAX_BYTES >> 20));
    }
    text_of(bytes)
}

/// Scenes are UTF-8; what is not says what it is, and where that shows.
fn text_of(bytes: Vec<u8>) -> Result<Arc<str>, String> {
    // Letters of the first words are one byte each: in UTF-16 every other one is zero.
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [_, 0, ..] | [0, _, ..] = bytes[..] {
        return Err("it is UTF-16 text: save it as UTF-8".to_owned());
    }
    String::from_utf8(bytes).map(Arc::from).map_err(|error| {
        let (at, bytes) = (error.utf8_error().valid_up_to(), error.as_bytes());
        let before = String::from_utf8_lossy(bytes.get(..at).unwrap_or_default());
        let line = 1 + before.matches('\n').count();
        let column = 1 + before.rsplit('\n').next().unwrap_or_default().trim_start_matches('\u{feff}').chars().count();
        let byte = bytes.get(at).copied().unwrap_or_default();
        // In Latin-1 a byte is its own character.
        let latin = match char::from(byte) {
            c if c.is_alphanumeric() || "°²³µ".contains(c) => format!(", in Latin-1 `{c}`"),
            _ => String::new(),
        };
        format!("it is not UTF-8 text (line {line}, column {column}: byte 0x{byte:02X}{latin}): save it as UTF-8")
    })
}

/// Whether a name stands in braces in a text of a document, where a value can take its place; a comment is none.
pub(super) fn has_place(text: &str, id: FileId, name: &str) -> bool {
    use ron_tree::Kind;
    fn has(node: &ron_tree::Node<'_>, place: &str) -> bool {
        match &node.kind {
            Kind::Text(text) => text.contains(place),
            Kind::List(nodes) | Kind::Tuple(_, nodes) => nodes.iter().any(|node| has(node, place)),
            Kind::Map(entries) => entries.iter().any(|(_, node)| has(node, place)),
            Kind::Struct(_, fields) => fields.iter().any(|field| has(&field.value, place)),
            Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) | Kind::Char(_) | Kind::Word(_) => false,
        }
    }
    ron_tree::parse(text, id).is_ok_and(|tree| has(&tree, &format!("{{{name}}}")))
}

/// Puts values in the place of their names in braces, in texts.
fn fill_in(node: &mut ron_tree::Node<'_>, values: &[(String, QuantityDef)]) {
    use ron_tree::Kind;
    if values.is_empty() {
        return;
    }
    match &mut node.kind {
        Kind::Text(text) => {
            for (name, value) in values {
                let place = format!("{{{name}}}");
                match value {
                    QuantityDef::Number(x) if *text == place => {
                        let is_whole = x.fract() == 0.0 && x.abs() < 1e15;
                        node.kind = if is_whole { Kind::Integer(*x as i128) } else { Kind::Float(*x) };
                        return;
                    }
                    QuantityDef::Flag(flag) if *text == place => {
                        node.kind = Kind::Bool(*flag);
                        return;
                    }
                    _ if text.contains(&place) => *text = text.replace(&place, &value.told()).into(),
                    _ => {}
                }
            }
        }
        Kind::List(nodes) | Kind::Tuple(_, nodes) => nodes.iter_mut().for_each(|node| fill_in(node, values)),
        Kind::Map(entries) => entries.iter_mut().for_each(|(_, node)| fill_in(node, values)),
        Kind::Struct(_, fields) => fields.iter_mut().for_each(|field| fill_in(&mut field.value, values)),
        Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) | Kind::Char(_) | Kind::Word(_) => {}
    }
}

/// Parses one file of a kind whose newest version is this; everything that is wrong with its shape goes to the report.
/// `values` stand for their names in braces.
pub(super) fn parse_into<T: DeserializeOwned>(
    text: &str,
    id: FileId,
    newest: (u32, u32),
    values: &[(String, QuantityDef)],
    report: &mut Report,
) -> Option<T> {
    let tree = match ron_tree::parse(text, id) {
        Ok(mut tree) => {
            fill_in(&mut tree, values);
            tree
        }
        Err(error) => {
            report.error("syntax", error.span, "", error.brief, error.hint.into());
            return None;
        }
    };
    let (file, problems) = de::read::<T>(&tree);
    let version = version_of(&tree);
    let (major, minor) = version.as_ref().map_or(newest, |version| version.value);
    if let Some(version) = version.filter(|_| major != newest.0) {
        let brief = format!(
            "this file has format {major}.{minor}, this program reads format {}.{} and older minor versions of it",
            newest.0, newest.1
        );
        let older = format!("write format: ({}, {})", newest.0, newest.1);
        let hint = if major > newest.0 { "a newer Pollux reads it".to_owned() } else { older };
        report.error("newer-format", version.span, "", brief, hint.into());
        return None;
    }
    let newer_minor = minor > newest.1;
    for problem in problems {
        let severity = match problem.rule {
            "unknown-field" if newer_minor => Severity::Warning,
            _ => Severity::Error,
        };
        report.add(severity, problem.rule, problem.span, "", problem.brief, problem.hint.into());
    }
    file
}

/// The version of a file that is otherwise unreadable.
fn version_of(tree: &ron_tree::Node<'_>) -> Option<super::span::Spanned<(u32, u32)>> {
    use ron_tree::Kind;
    let Kind::Struct(_, fields) = &tree.kind else { return None };
    let node = &fields.iter().find(|field| field.name == "format")?.value;
    let Kind::Tuple(None, items) = &node.kind else { return None };
    match items.as_slice() {
        [ron_tree::Node { kind: Kind::Integer(major), .. }, ron_tree::Node { kind: Kind::Integer(minor), .. }] => {
            let version = (u32::try_from(*major).ok()?, u32::try_from(*minor).ok()?);
            Some(super::span::Spanned::new(version, node.span))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_another_encoding_says_which_and_where() {
        let said = |bytes: &[u8]| text_of(bytes.to_vec()).unwrap_err();
        let utf16: Vec<u8> = "Scene()".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [&[&[0xff, 0xfe][..], &utf16].concat()[..], &utf16, &[0xfe, 0xff, 0, b'S']] {
            assert_eq!(said(bytes), "it is UTF-16 text: save it as UTF-8");
        }
        let place = "it is not UTF-8 text (line 2, column 4: byte 0xFC, in Latin-1 `ü`): save it as UTF-8";
        assert_eq!(said(b"a\n\"\xc3\xa4S\xfcd\""), place);
        assert!(text_of(b"\xef\xbb\xbfScene()".to_vec()).is_ok() && text_of(Vec::new()).is_ok());
    }
}
