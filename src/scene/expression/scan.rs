//! Reads an expression word by word. In: source text. Out: the signals that it names, and the same expression in rhai
//! with numbered variables and floating-point numbers; or the first thing that may not stand in an expression.

use std::fmt::Write;
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
    /// Written as `signal("…")`.
    pub quoted: bool,
}

#[derive(Clone, Debug)]
pub struct Scanned {
    /// rhai source; reference n is the variable `vn`.
    pub code: String,
    pub references: Vec<Reference>,
}

const OPERATORS: &[&str] =
    &["**", "==", "!=", "<=", ">=", "&&", "||", "+", "-", "*", "/", "%", "<", ">", "!", "(", ")", ",", "{", "}"];

/// Words of the script language that mean nothing here, with a way out.
const STATEMENTS: &[&str] = &[
    "let", "const", "while", "loop", "for", "fn", "return", "import", "export", "throw", "try", "switch", "do", "eval",
    "print", "debug", "this", "in", "is_def_var", "Fn", "call", "curry", "type_of", "break", "continue", "until",
    "global", "private", "as", "catch", "is", "static", "var", "new", "use", "with", "match", "case", "default", "void",
    "null", "nil", "spawn", "thread", "go", "sync", "async", "await", "yield", "goto", "exit", "protected", "public",
    "super", "package", "module", "shared", "is_shared", "is_def_fn",
];

fn fault(at: Range<usize>, brief: impl Into<String>, hint: Option<&str>) -> Fault {
    Fault { at, brief: brief.into(), hint: hint.map(str::to_owned) }
}

struct Scan<'s> {
    source: &'s str,
    at: usize,
    code: String,
    references: Vec<Reference>,
}

pub(in crate::scene) fn scan(source: &str) -> Result<Scanned, Fault> {
    if source.trim().is_empty() {
        return Err(fault(0..source.len(), "the expression is empty", None));
    }
    if source.len() > MAX_BYTES {
        return Err(fault(0..source.len(), format!("the expression is longer than {MAX_BYTES} bytes"), None));
    }
    let mut scan = Scan { source, at: 0, code: String::with_capacity(source.len() + 16), references: Vec::new() };
    let mut previous = "";
    loop {
        scan.skip_space();
        let start = scan.at;
        let Some(first) = scan.rest().chars().next() else { break };
        if first.is_ascii_digit() {
            scan.number()?;
            previous = "value";
        } else if first == '"' {
            let text = scan.text()?;
            let _ = write!(scan.code, "{text} ");
            previous = "value";
        } else if first == '_' || first.is_ascii_alphabetic() {
            previous = scan.word()?;
        } else if let Some(operator) = OPERATORS.iter().find(|operator| scan.rest().starts_with(**operator)) {
            if *operator == "{" && !matches!(previous, "value" | ")" | "}" | "else") {
                return Err(fault(start..start + 1, "a block stands only after `if …` and `else`", None));
            }
            scan.at += operator.len();
            scan.code.push_str(operator);
            scan.code.push(' ');
            previous = operator;
        } else {
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
            return Err(fault(start..start + first.len_utf8(), brief, hint));
        }
    }
    Ok(Scanned { code: scan.code, references: scan.references })
}

impl<'s> Scan<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn number(&mut self) -> Result<(), Fault> {
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
            Ok(value) if value.is_finite() => {
                // Debug form keeps every bit and always has a point or an exponent: rhai reads it as a float.
                let plain = format!("{value:?}");
                match plain.split_once('e') {
                    Some((mantissa, exponent)) if !mantissa.contains('.') => {
                        let _ = write!(self.code, "{mantissa}.0e{exponent} ");
                    }
                    _ => {
                        let _ = write!(self.code, "{plain} ");
                    }
                }
                Ok(())
            }
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

    fn word(&mut self) -> Result<&'static str, Fault> {
        let start = self.at;
        let rest = self.rest();
        let len = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let word = rest.get(..len).unwrap_or("");
        self.at += len;
        let end = self.at;
        self.skip_space();
        let called = self.rest().starts_with('(');
        let keyword = match word {
            "if" => Some("if"),
            "else" => Some("else"),
            "true" | "false" => Some("value"),
            _ => None,
        };
        if let Some(kind) = keyword {
            let _ = write!(self.code, "{word} ");
            return Ok(kind);
        }
        if word == "signal" && called {
            self.signal_call(start)?;
            return Ok("value");
        }
        if STATEMENTS.contains(&word) {
            let hint = Some("an expression is one value: arithmetic, comparisons, if … { } else { }, functions");
            return Err(fault(start..end, format!("`{word}` cannot stand in an expression"), hint));
        }
        if called {
            if !FUNCTIONS.iter().any(|(name, _)| *name == word) {
                let hint = match nearest(word, FUNCTIONS.iter().map(|(name, _)| *name)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known are {}", FUNCTIONS.map_names()),
                };
                return Err(fault(start..end, format!("unknown function `{word}`"), Some(&hint)));
            }
            let _ = write!(self.code, "{word}");
            return Ok("function");
        }
        self.reference(Reference { text: word.to_owned(), at: start..end, quoted: false });
        Ok("value")
    }

    /// After `signal`: the bracket, a text, the bracket.
    fn signal_call(&mut self, start: usize) -> Result<(), Fault> {
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
        let text = text.trim_matches('"').replace("\\\"", "\"").replace("\\\\", "\\");
        self.reference(Reference { text, at: inside, quoted: true });
        Ok(())
    }

    fn reference(&mut self, reference: Reference) {
        let known = self.references.iter().position(|r| r.text == reference.text);
        let index = known.unwrap_or(self.references.len());
        if known.is_none() {
            self.references.push(reference);
        }
        let _ = write!(self.code, "v{index} ");
    }
}

trait Names {
    fn map_names(&self) -> String;
}

impl Names for [(&str, usize)] {
    fn map_names(&self) -> String {
        self.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}
