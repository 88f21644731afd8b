//! Cuts an expression into words. In: source text. Out: tokens with their places, and the signals that they name; or the
//! first thing that may not stand in an expression. Knows which words there are, not how they may follow each other.

use std::ops::Range;

use super::{FUNCTIONS, Fault};
use crate::scene::nearest::nearest;

/// Longer expressions are refused.
const MAX_BYTES: usize = 4096;

/// A signal that an expression names.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// `flow` (of the same twin) or `P-101.flow`.
    pub text: String,
    /// Bytes in the source.
    pub at: Range<usize>,
    /// Written as `signal("…")` or `output("…")`.
    pub quoted: bool,
    /// Written as `output("…")`: an output of a model.
    pub is_output: bool,
}

/// A word of an expression and its bytes in the source.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token<'s> {
    pub kind: Kind<'s>,
    pub at: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind<'s> {
    Number(f64),
    /// With its quotes and escapes.
    Text(&'s str),
    /// `true` or `false`.
    Truth(bool),
    If,
    Else,
    /// The name of a function; a bracket follows.
    Call(&'s str),
    /// The n-th of the signals that are named.
    Signal(usize),
    Operator(&'static str),
}

/// Tokens in order, and the signals in the order in which they are first named.
pub(super) type Words<'s> = (Vec<Token<'s>>, Vec<Reference>);

const OPERATORS: &[&str] =
    &["**", "==", "!=", "<=", ">=", "&&", "||", "+", "-", "*", "/", "%", "<", ">", "!", "(", ")", ",", "{", "}"];

/// Words of the script language that mean nothing here, with a way out.
const STATEMENTS: &[&str] = &[
    "let",
    "const",
    "while",
    "loop",
    "for",
    "fn",
    "return",
    "import",
    "export",
    "throw",
    "try",
    "switch",
    "do",
    "eval",
    "print",
    "debug",
    "this",
    "in",
    "is_def_var",
    "Fn",
    "call",
    "curry",
    "type_of",
    "break",
    "continue",
    "until",
    "global",
    "private",
    "as",
    "catch",
    "is",
    "static",
    "var",
    "new",
    "use",
    "with",
    "match",
    "case",
    "default",
    "void",
    "null",
    "nil",
    "spawn",
    "thread",
    "go",
    "sync",
    "async",
    "await",
    "yield",
    "goto",
    "exit",
    "protected",
    "public",
    "super",
    "package",
    "module",
    "shared",
    "is_shared",
    "is_def_fn",
];

pub(super) fn fault(at: Range<usize>, brief: impl Into<String>, hint: Option<&str>) -> Fault {
    Fault { at, brief: brief.into(), hint: hint.map(str::to_owned) }
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    references: Vec<Reference>,
}

pub(super) fn words(source: &str) -> Result<Words<'_>, Fault> {
    if source.trim().is_empty() {
        return Err(fault(0..source.len(), "the expression is empty", None));
    }
    if source.len() > MAX_BYTES {
        return Err(fault(0..source.len(), format!("the expression is longer than {MAX_BYTES} bytes"), None));
    }
    let mut lexer = Lexer { source, at: 0, references: Vec::new() };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_space();
        let start = lexer.at;
        let Some(first) = lexer.rest().chars().next() else { break };
        let kind = if first.is_ascii_digit() {
            lexer.number()?
        } else if first == '"' {
            Kind::Text(lexer.text()?)
        } else if first == '_' || first.is_ascii_alphabetic() {
            lexer.word()?
        } else {
            lexer.operator(first)?
        };
        tokens.push(Token { kind, at: start..lexer.at });
    }
    Ok((tokens, lexer.references))
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn operator(&mut self, first: char) -> Result<Kind<'s>, Fault> {
        if let Some(operator) = OPERATORS.iter().find(|operator| self.rest().starts_with(**operator)) {
            self.at += operator.len();
            return Ok(Kind::Operator(operator));
        }
        let hint = match first {
            '=' => Some("compare with `==`; an expression assigns nothing"),
            '.' => Some("a signal of another twin is written signal(\"P-101.flow\")"),
            '\'' => Some("text stands in double quotes"),
            '^' => Some("powers are written `a ** b` or pow(a, b)"),
            '&' => Some("both conditions: `a && b`"),
            '|' => Some("either condition: `a || b`"),
            _ => None,
        };
        let brief = format!("`{}` cannot stand in an expression", first.escape_debug());
        Err(fault(self.at..self.at + first.len_utf8(), brief, hint))
    }

    fn number(&mut self) -> Result<Kind<'s>, Fault> {
        let start = self.at;
        let bytes = self.rest().as_bytes();
        let mut len = 0;
        while let Some(&byte) = bytes.get(len) {
            let sign = matches!(byte, b'+' | b'-') && len > 0 && matches!(bytes.get(len - 1), Some(b'e' | b'E'));
            if !(byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_' || sign) {
                break;
            }
            len += 1;
        }
        let text = self.rest().get(..len).unwrap_or("");
        self.at += len;
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Kind::Number(value)),
            _ => Err(fault(start..self.at, format!("`{text}` is not a number"), None)),
        }
    }

    /// A text in double quotes, with its quotes. Escapes are few so that rhai and we read the same.
    fn text(&mut self) -> Result<&'s str, Fault> {
        let start = self.at;
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    let text = self.rest().get(..=at).unwrap_or("");
                    self.at += at + 1;
                    return Ok(text);
                }
                '\\' if !matches!(chars.next(), Some((_, '"' | '\\'))) => {
                    return Err(fault(start + at..start + at + 1, "only \\\" and \\\\ are known in texts", None));
                }
                '\n' | '\r' => break,
                _ => {}
            }
        }
        Err(fault(start..start + 1, "this text is never closed", None))
    }

    fn word(&mut self) -> Result<Kind<'s>, Fault> {
        let start = self.at;
        let rest = self.rest();
        let len = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let word = rest.get(..len).unwrap_or("");
        self.at += len;
        match word {
            "if" => return Ok(Kind::If),
            "else" => return Ok(Kind::Else),
            "true" | "false" => return Ok(Kind::Truth(word == "true")),
            _ => {}
        }
        let end = self.at;
        self.skip_space();
        let called = self.rest().starts_with('(');
        if matches!(word, "signal" | "output") && called {
            return self.signal_call(start, word == "output");
        }
        self.at = end;
        if STATEMENTS.contains(&word) {
            let hint = Some("an expression is one value: arithmetic, comparisons, if … { } else { }, functions");
            return Err(fault(start..end, format!("`{word}` cannot stand in an expression"), hint));
        }
        if called {
            if word != "when" && !FUNCTIONS.iter().any(|(name, _)| *name == word) {
                let hint = match nearest(word, FUNCTIONS.iter().map(|(name, _)| *name)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known are {}", FUNCTIONS.map_names()),
                };
                return Err(fault(start..end, format!("unknown function `{word}`"), Some(&hint)));
            }
            return Ok(Kind::Call(word));
        }
        Ok(self.reference(Reference { text: word.to_owned(), at: start..end, quoted: false, is_output: false }))
    }

    /// After `signal` or `output`: the bracket, a text, the bracket.
    fn signal_call(&mut self, start: usize, is_output: bool) -> Result<Kind<'s>, Fault> {
        let hint = Some("write the twin and its signal as one text: signal(\"P-101.flow\")");
        self.at += 1;
        self.skip_space();
        let at = self.at;
        if !self.rest().starts_with('"') {
            return Err(fault(start..at, "signal(…) takes one text", hint));
        }
        let text = self.text()?;
        let inside = at + 1..self.at - 1;
        self.skip_space();
        if !self.rest().starts_with(')') {
            return Err(fault(start..self.at, "signal(…) takes one text", hint));
        }
        self.at += 1;
        Ok(self.reference(Reference { text: plain(text), at: inside, quoted: true, is_output }))
    }

    fn reference(&mut self, reference: Reference) -> Kind<'s> {
        let known = self.references.iter().position(|r| r.text == reference.text && r.is_output == reference.is_output);
        let index = known.unwrap_or(self.references.len());
        if known.is_none() {
            self.references.push(reference);
        }
        Kind::Signal(index)
    }
}

/// A text without its quotes and escapes.
pub(super) fn plain(quoted: &str) -> String {
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted);
    inner.replace("\\\"", "\"").replace("\\\\", "\\")
}

trait Names {
    fn map_names(&self) -> String;
}

impl Names for [(&str, usize)] {
    fn map_names(&self) -> String {
        self.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}
