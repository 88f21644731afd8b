//! Reads RON text into a tree that knows where everything stands. In: text. Out: nodes with byte ranges, or the one
//! place where the text stops being RON and a sentence about it. Never interprets, never recurses without a bound.
//!
//! The grammar is the part of RON (<https://github.com/ron-rs/ron/blob/master/docs/grammar.md>) that scene files need:
//! everything accepted here is accepted by the `ron` crate as well (with implicit `Some`), not the other way round.

use std::borrow::Cow;

use super::span::{FileId, Span};

/// Nesting beyond this is refused: a hostile file must not exhaust the stack.
pub const MAX_DEPTH: usize = 96;

pub const BYTE_ORDER_MARK: char = '\u{feff}';

/// A place in the tree, counted in the order in which values begin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(pub u32);

#[derive(Clone, Debug, PartialEq)]
pub struct Node<'t> {
    pub id: NodeId,
    pub span: Span,
    pub kind: Kind<'t>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind<'t> {
    Bool(bool),
    Integer(i128),
    Float(f64),
    Char(char),
    Text(Cow<'t, str>),
    /// A bare word: a unit variant, or a unit struct.
    Word(&'t str),
    /// `[a, b]`
    List(Vec<Node<'t>>),
    /// `{k: v}`
    Map(Vec<(Node<'t>, Node<'t>)>),
    /// `(a, b)` or `Name(a, b)`; also `()` and `Name()`.
    Tuple(Option<&'t str>, Vec<Node<'t>>),
    /// `(a: 1)` or `Name(a: 1)`
    Struct(Option<&'t str>, Vec<Field<'t>>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Field<'t> {
    pub name: &'t str,
    pub span: Span,
    pub value: Node<'t>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub span: Span,
    pub brief: String,
    pub hint: Option<String>,
}

/// Parses a whole file.
pub fn parse(text: &str, file: FileId) -> Result<Node<'_>, SyntaxError> {
    // Some editors put a byte order mark before UTF-8 text.
    let begin = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
    let mut parser = Parser { text, at: begin, file, next_id: 0 };
    parser.attributes()?;
    parser.skip_space()?;
    if parser.at == text.len() {
        return Err(parser.error(
            parser.at..parser.at,
            "the file is empty",
            Some("begin with `Scene(` or `Scenario(`".to_owned()),
        ));
    }
    let node = parser.value(0)?;
    parser.skip_space()?;
    if parser.at < text.len() {
        let hint = "one value fills the file: is a bracket closed too early?".to_owned();
        return Err(parser.error(parser.here(), "there is text after the end", Some(hint)));
    }
    Ok(node)
}

/// The first byte at or after `at` that is neither white space nor part of a comment.
pub fn skip_space(text: &str, at: usize) -> usize {
    let mut parser = Parser { text, at, file: FileId::default(), next_id: 0 };
    // A comment that is never closed ends with the text.
    parser.skip_space().map_or(text.len(), |()| parser.at)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    file: FileId,
    next_id: u32,
}

fn is_word_start(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic()
}

fn is_word_char(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

impl<'t> Parser<'t> {
    fn error(&self, range: std::ops::Range<usize>, brief: impl Into<String>, hint: Option<String>) -> SyntaxError {
        SyntaxError { span: Span::new(self.file, range), brief: brief.into(), hint }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        // Nearly all of a scene is ASCII: look at the byte before decoding a character.
        match self.text.as_bytes().get(self.at) {
            Some(byte) if byte.is_ascii() => Some(char::from(*byte)),
            Some(_) => self.rest().chars().next(),
            None => None,
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    /// The character at the cursor, as a range to point at.
    fn here(&self) -> std::ops::Range<usize> {
        self.at..self.at + self.peek().map_or(0, char::len_utf8)
    }

    /// What stands at the cursor, for messages.
    fn found(&self) -> String {
        match self.peek() {
            Some(c) => format!("found `{}`", c.escape_debug()),
            None => "the file ends".to_owned(),
        }
    }

    fn skip_space(&mut self) -> Result<(), SyntaxError> {
        loop {
            while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
                self.at += 1;
            }
            let rest = self.rest();
            if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                self.block_comment()?;
            } else {
                return Ok(());
            }
        }
    }

    fn block_comment(&mut self) -> Result<(), SyntaxError> {
        let start = self.at;
        let mut depth = 0usize;
        loop {
            let rest = self.rest();
            if rest.starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if rest.starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return Ok(());
                }
            } else if let Some(c) = self.peek() {
                self.at += c.len_utf8();
            } else {
                let hint = "end it with `*/`".to_owned();
                return Err(self.error(start..start + 2, "a comment is never closed", Some(hint)));
            }
        }
    }

    /// `#![enable(implicit_some)]` and the like, which other tools write.
    fn attributes(&mut self) -> Result<(), SyntaxError> {
        loop {
            self.skip_space()?;
            if self.peek() != Some('#') {
                return Ok(());
            }
            let start = self.at;
            let line = self.rest().split(['\n', '\r']).next().unwrap_or("");
            let line = line.trim_end();
            let inner = line.strip_prefix("#![enable(").and_then(|l| l.strip_suffix(")]"));

            // Only extensions that do not change how a scene reads are let through.
            let fine = inner.is_some_and(|l| l.split(',').all(|name| name.trim() == "implicit_some"));
            if !fine {
                let hint = "only `#![enable(implicit_some)]` may stand here, and it may be left out".to_owned();
                return Err(self.error(start..start + line.len(), "this attribute is not known", Some(hint)));
            }
            self.at += line.len();
        }
    }

    fn node(&mut self, id: NodeId, start: usize, kind: Kind<'t>) -> Node<'t> {
        Node { id, span: Span::new(self.file, start..self.at), kind }
    }

    fn value(&mut self, depth: usize) -> Result<Node<'t>, SyntaxError> {
        if depth > MAX_DEPTH {
            return Err(self.error(self.here(), format!("values are nested deeper than {MAX_DEPTH} levels"), None));
        }
        let id = NodeId(self.next_id);
        self.next_id += 1;
        let start = self.at;
        let kind = match self.peek() {
            Some('[') => {
                self.at += 1;
                Kind::List(self.items(']', start, depth)?)
            }
            Some('{') => {
                self.at += 1;
                Kind::Map(self.entries(start, depth)?)
            }
            Some('(') => self.parentheses(None, depth)?,
            Some('"') => Kind::Text(self.text_literal()?),
            Some('\'') => self.char_literal()?,
            Some('r') if self.raw_text_ahead() => Kind::Text(self.raw_text()?),
            Some(c) if c.is_ascii_digit() || matches!(c, '+' | '-' | '.') => self.number()?,
            Some(c) if is_word_start(c) => self.word_value(depth)?,
            _ => {
                let hint = match self.peek() {
                    Some('“' | '”' | '„') => Some("use straight quotes: `\"`".to_owned()),
                    Some(':') | Some('=') => Some("a field is written `name: value`".to_owned()),
                    _ => None,
                };
                return Err(self.error(self.here(), format!("a value is expected here, but {}", self.found()), hint));
            }
        };
        Ok(self.node(id, start, kind))
    }

    fn word(&mut self) -> &'t str {
        let rest = self.rest();
        let len = rest.find(|c| !is_word_char(c)).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or("")
    }

    fn word_value(&mut self, depth: usize) -> Result<Kind<'t>, SyntaxError> {
        let word = self.word();
        match word {
            "true" => return Ok(Kind::Bool(true)),
            "false" => return Ok(Kind::Bool(false)),
            "inf" => return Ok(Kind::Float(f64::INFINITY)),
            "NaN" => return Ok(Kind::Float(f64::NAN)),
            _ => {}
        }
        let end = self.at;
        self.skip_space()?;
        if self.peek() == Some('(') {
            self.parentheses(Some(word), depth)
        } else {
            self.at = end;
            Ok(Kind::Word(word))
        }
    }

    /// At `(`: a tuple or a struct. A word followed by a colon makes it a struct.
    fn parentheses(&mut self, name: Option<&'t str>, depth: usize) -> Result<Kind<'t>, SyntaxError> {
        let open = self.at;
        self.at += 1;
        self.skip_space()?;
        let before = self.at;
        let is_struct = self.peek().is_some_and(is_word_start) && {
            self.word();
            self.skip_space()?;
            self.peek() == Some(':')
        };
        self.at = before;
        if is_struct {
            Ok(Kind::Struct(name, self.fields(open, depth)?))
        } else {
            Ok(Kind::Tuple(name, self.items(')', open, depth)?))
        }
    }

    /// After an item: takes the comma, or sees the closing bracket. Says whether the list goes on.
    fn goes_on(&mut self, close: char, open: usize, what: &str) -> Result<bool, SyntaxError> {
        self.skip_space()?;
        if self.take(',') {
            self.skip_space()?;
            if self.take(close) {
                return Ok(false);
            }
        } else if self.take(close) {
            return Ok(false);
        } else if self.peek().is_some() {
            let brief = format!("`,` or `{close}` is expected after this {what}, but {}", self.found());
            return Err(self.error(self.here(), brief, None));
        }
        if self.peek().is_none() {
            return Err(self.unclosed(open, close));
        }
        Ok(true)
    }

    fn unclosed(&self, open: usize, close: char) -> SyntaxError {
        self.error(open..open + 1, "this bracket is never closed", Some(format!("the file ends before its `{close}`")))
    }

    fn items(&mut self, close: char, open: usize, depth: usize) -> Result<Vec<Node<'t>>, SyntaxError> {
        let mut items = Vec::new();
        self.skip_space()?;
        if self.take(close) {
            return Ok(items);
        }
        if self.peek().is_none() {
            return Err(self.unclosed(open, close));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if !self.goes_on(close, open, "value")? {
                return Ok(items);
            }
        }
    }

    fn entries(&mut self, open: usize, depth: usize) -> Result<Vec<(Node<'t>, Node<'t>)>, SyntaxError> {
        let mut entries = Vec::new();
        self.skip_space()?;
        if self.take('}') {
            return Ok(entries);
        }
        if self.peek().is_none() {
            return Err(self.unclosed(open, '}'));
        }
        loop {
            let key = self.value(depth + 1)?;
            self.colon("key")?;
            entries.push((key, self.value(depth + 1)?));
            if !self.goes_on('}', open, "entry")? {
                return Ok(entries);
            }
        }
    }

    fn fields(&mut self, open: usize, depth: usize) -> Result<Vec<Field<'t>>, SyntaxError> {
        let mut fields = Vec::new();
        loop {
            let start = self.at;
            if !self.peek().is_some_and(is_word_start) {
                let hint = (self.peek() == Some('"')).then(|| "field names stand without quotes".to_owned());
                let brief = format!("a field name is expected here, but {}", self.found());
                return Err(self.error(self.here(), brief, hint));
            }
            let name = self.word();
            let span = Span::new(self.file, start..self.at);
            self.colon("field name")?;
            let value = self.value(depth + 1)?;
            fields.push(Field { name, span, value });
            if !self.goes_on(')', open, "field")? {
                return Ok(fields);
            }
        }
    }

    fn colon(&mut self, after: &str) -> Result<(), SyntaxError> {
        self.skip_space()?;
        if !self.take(':') {
            let hint = (self.peek() == Some('=')).then(|| "write `:` instead of `=`".to_owned());
            let brief = format!("`:` is expected after this {after}, but {}", self.found());
            return Err(self.error(self.here(), brief, hint));
        }
        self.skip_space()
    }
}

mod literal;
