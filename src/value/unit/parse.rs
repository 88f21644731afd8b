//! The grammar of units. In: text from a scene file or a payload. Out: dimension, scale and pretty form, or an error
//! that names the part not understood. Never panics, whatever the text.
//!
//! ```text
//! product    = ["/"] factor { ("." | "*" | "·" | "/") factor }      each "/" divides by the next factor only
//! factor     = ( symbol | integer | "10*" exponent | "(" product ")" ) [ exponent ] [ annotation ] | annotation
//! exponent   = ["^"] ["+" | "-"] digit | superscript digit
//! annotation = "{" text "}"
//! ```

use super::dimension::Dimension;
use super::factor::Factor;
use super::nearest::nearest;
use super::{UnitError, table};

/// A unit in the making.
pub(super) struct Term {
    pub dimension: Dimension,
    pub factor: Factor,
    pub zero: f64,
    pub pretty: String,
}

/// Longer symbols than any unit needs are refused before work is spent on them.
const MAX_CHARS: usize = 64;
const MAX_DEPTH: usize = 4;
const MAX_EXPONENT: i32 = 9;

type Result<T> = std::result::Result<T, UnitError>;

pub(super) fn parse(symbol: &str) -> Result<Term> {
    let mut parser = Parser { whole: symbol, rest: symbol, depth: 0 };
    if symbol.chars().count() > MAX_CHARS {
        return Err(parser.broken("must not be longer than 64 characters"));
    }
    let mut term = parser.product()?;
    if !parser.rest.is_empty() {
        return Err(parser.broken("a `)` closes no `(`"));
    }
    // A plain ratio reads better without its "1".
    if term.pretty == "1" {
        term.pretty.clear();
    }
    Ok(term)
}

struct Parser<'a> {
    whole: &'a str,
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn broken(&self, rule: &'static str) -> UnitError {
        let whole = self.whole.to_owned();
        UnitError { symbol: whole.clone(), nearest: None, within: whole, rule: Some(rule) }
    }

    fn unknown(&self, symbol: &str) -> UnitError {
        let within = self.whole.to_owned();
        UnitError { symbol: symbol.to_owned(), nearest: nearest(symbol), within, rule: None }
    }

    fn product(&mut self) -> Result<Term> {
        let mut product = Term { dimension: Dimension::NONE, factor: Factor::ONE, zero: 0.0, pretty: String::new() };
        self.rest = self.rest.trim_start();
        if self.eat("/") {
            product.pretty.push_str("1/");
            let divisor = self.factor()?;
            self.multiply(&mut product, &divisor, -1)?;
        } else {
            product = self.factor()?;
        }
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() || self.rest.starts_with(')') {
                return Ok(product);
            }
            let power = if self.eat("/") {
                product.pretty.push('/');
                -1
            } else if self.eat(".") || self.eat("*") || self.eat("·") || self.eat("⋅") {
                product.pretty.push('·');
                1
            } else {
                return Err(self.broken("units are joined by `.`, `*` or `/`"));
            };
            let factor = self.factor()?;
            self.multiply(&mut product, &factor, power)?;
        }
    }

    fn multiply(&self, product: &mut Term, factor: &Term, power: i32) -> Result<()> {
        let too_large = || self.broken("the powers add up to too large a number");
        product.dimension = product.dimension.times(factor.dimension, power).ok_or_else(too_large)?;
        product.factor = product.factor.times(factor.factor, power);
        // In a product a degree is a difference: its zero point no longer matters.
        product.zero = 0.0;
        product.pretty.push_str(&factor.pretty);
        if product.factor.float().is_normal() { Ok(()) } else { Err(too_large()) }
    }

    fn factor(&mut self) -> Result<Term> {
        self.rest = self.rest.trim_start();
        let mut term = if self.rest.starts_with('{') {
            let pretty = self.annotation()?.to_owned();
            return Ok(Term { dimension: Dimension::NONE, factor: Factor::ONE, zero: 0.0, pretty });
        } else if self.eat("(") {
            self.group()?
        } else if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            self.number()?
        } else {
            self.symbol()?
        };
        if self.rest.starts_with('{') {
            term.pretty = format!("{}({})", term.pretty, self.annotation()?);
        }
        Ok(term)
    }

    fn group(&mut self) -> Result<Term> {
        if self.depth == MAX_DEPTH {
            return Err(self.broken("parentheses must not nest deeper than 4"));
        }
        self.depth += 1;
        let inner = self.product()?;
        self.depth -= 1;
        if !self.eat(")") {
            return Err(self.broken("a `(` is not closed"));
        }
        let grouped = Term { pretty: format!("({})", inner.pretty), zero: 0.0, ..inner };
        let (power, length) = exponent(self.rest);
        self.rest = self.rest.get(length..).unwrap_or_default();
        self.raise(grouped, power)
    }

    /// A count in front (`1/min`), or a power of ten as UCUM writes it (`10*3/uL`).
    fn number(&mut self) -> Result<Term> {
        for ten in ["10*", "10^"] {
            if let Some((power, length)) = self.rest.strip_prefix(ten).map(exponent).filter(|(_, length)| *length > 0) {
                self.rest = self.rest.get(ten.len() + length..).unwrap_or_default();
                let ten = Term {
                    dimension: Dimension::NONE,
                    factor: Factor::written(10.0, 1.0, 0),
                    zero: 0.0,
                    pretty: "10".to_owned(),
                };
                return self.raise(ten, power);
            }
        }
        let digits = self.take_while(|c| c.is_ascii_digit());
        match digits.parse::<u32>() {
            Ok(number @ 1..=1_000_000) => Ok(Term {
                dimension: Dimension::NONE,
                factor: Factor::written(f64::from(number), 1.0, 0),
                zero: 0.0,
                pretty: digits.to_owned(),
            }),
            _ => Err(self.broken("a number in a unit must be a whole one from 1 to 1000000")),
        }
    }

    fn symbol(&mut self) -> Result<Term> {
        let before = self.rest;
        let word = self.take_while(|c| !c.is_whitespace() && !"./*·⋅(){}^+-⁺⁻".contains(c));
        if word.is_empty() {
            return Err(self.broken("a unit is missing before or after `.`, `*` or `/`, or in `()`"));
        }
        // `mmH2O` is a symbol with a digit in it, `m3` a symbol and its exponent: the longer reading goes first.
        if let Some(found) = table::find(word) {
            let (power, length) = exponent(self.rest);
            self.rest = self.rest.get(length..).unwrap_or_default();
            return self.raise(Self::term(&found), power);
        }
        let name = word.trim_end_matches(|c: char| c.is_ascii_digit() || superscript(c).is_some());
        let found = table::find(name).ok_or_else(|| self.unknown(if name.is_empty() { word } else { name }))?;
        let behind = before.get(name.len()..).unwrap_or_default();
        let (power, length) = exponent(behind);
        self.rest = behind.get(length..).unwrap_or_default();
        self.raise(Self::term(&found), power)
    }

    fn term(found: &table::Found) -> Term {
        let table::Found { atom, prefix: (prefix, size) } = found;
        let pretty = format!("{prefix}{}", atom.pretty);
        let factor = atom.factor().times(Factor::written(*size, 1.0, 0), 1);
        Term { dimension: atom.dimension, factor, zero: atom.zero, pretty }
    }

    fn raise(&self, term: Term, power: i32) -> Result<Term> {
        if power == 1 {
            return Ok(term);
        }
        let out_of_range = || self.broken("an exponent must be a whole number from -9 to 9, not 0");
        if power == 0 || power.abs() > MAX_EXPONENT {
            return Err(out_of_range());
        }
        let dimension = Dimension::NONE.times(term.dimension, power).ok_or_else(out_of_range)?;
        let factor = term.factor.to_the(power);
        if !factor.float().is_normal() {
            return Err(out_of_range());
        }
        let raised = format!("{}{}", term.pretty, superscripts(power));
        // `Nm³` is a normal cubic metre; a newton metre to the third reads `(Nm)³`.
        let ambiguous = term.pretty.ends_with(|c| superscript(c).is_some()) || table::find(&raised).is_some();
        let pretty = if ambiguous { format!("({}){}", term.pretty, superscripts(power)) } else { raised };
        Ok(Term { dimension, factor, zero: 0.0, pretty })
    }

    fn annotation(&mut self) -> Result<&'a str> {
        let rule = "an annotation is text in braces without `{`, as in `{bottles}/min`";
        let inside = self.rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        match inside {
            Some((text, rest)) if !text.trim().is_empty() && !text.contains(|c: char| c == '{' || c.is_control()) => {
                self.rest = rest;
                Ok(text.trim())
            }
            _ => Err(self.broken(rule)),
        }
    }

    fn eat(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest;
        true
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !keep(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}

/// The exponent that `text` begins with and its length in bytes; (1, 0) if there is none.
fn exponent(text: &str) -> (i32, usize) {
    let mut sign = 1;
    let mut value: Option<i32> = None;
    let mut length = 0;
    for c in text.chars() {
        let digit = c.to_digit(10).map(|d| d as i32).or_else(|| superscript(c));
        match (c, digit) {
            (_, Some(digit)) => value = Some(value.unwrap_or(0).saturating_mul(10).saturating_add(digit)),
            ('^', None) if length == 0 => {}
            ('-' | '⁻', None) if value.is_none() => sign = -1,
            ('+' | '⁺', None) if value.is_none() => sign = 1,
            _ => break,
        }
        length += c.len_utf8();
    }
    value.map_or((1, 0), |value| (sign * value, length))
}

fn superscript(c: char) -> Option<i32> {
    "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|digit| digit == c).map(|at| at as i32)
}

fn superscripts(power: i32) -> String {
    let raised = |c: char| match c.to_digit(10) {
        Some(digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(digit as usize).unwrap_or(c),
        None => '⁻',
    };
    power.to_string().chars().map(raised).collect()
}
