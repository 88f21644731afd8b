//! Reads an expression word by word. In: source text. Out: the signals that it names, its functions over a stretch of
//! time, and the rest in rhai with numbered variables and floating-point numbers; or the first thing that may not stand in
//! an expression.

use std::ops::Range;
use std::time::Duration;

use super::code::{Code, MissingOperand};
use super::lex::{Kind, Reference, Token, fault, plain, words};
use super::{Fault, Function};
use crate::scene::text;

#[derive(Clone, Debug)]
pub struct Scanned {
    /// rhai source: reference n is the variable `vn`; after the references come the results of the aggregates.
    pub code: String,
    pub references: Vec<Reference>,
    pub aggregates: Vec<ScannedAggregate>,
}

/// A function over a stretch of time.
#[derive(Clone, Debug)]
pub struct ScannedAggregate {
    pub function: Function,
    pub argument: ScannedPart,
    pub over: ScannedOver,
    pub at: Range<usize>,
}

#[derive(Clone, Debug)]
pub enum ScannedOver {
    Window(Duration),
    Run,
    When(ScannedPart),
}

/// rhai source: the variable `vn` is the reference `reads[n]`.
#[derive(Clone, Debug)]
pub struct ScannedPart {
    pub code: String,
    pub reads: Vec<usize>,
}

pub(in crate::scene) fn scan(source: &str) -> Result<Scanned, Fault> {
    let (tokens, references) = words(source)?;
    let mut scan = Scan { tokens: &tokens, references: references.len(), aggregates: Vec::new() };
    let ScannedPart { code, .. } = scan.part(0..tokens.len(), None)?;
    Ok(Scanned { code, references, aggregates: scan.aggregates })
}

struct Scan<'t> {
    tokens: &'t [Token<'t>],
    references: usize,
    aggregates: Vec<ScannedAggregate>,
}

/// What a token leaves behind for the next one.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Nothing,
    Value,
    Else,
}

impl Scan<'_> {
    /// The tokens of a range, the whole expression or an argument of the function `inside`.
    fn part(&mut self, range: Range<usize>, inside: Option<&str>) -> Result<ScannedPart, Fault> {
        let mut code = Code::default();
        let mut reads: Vec<usize> = Vec::new();
        let mut before = Before::Nothing;
        let mut next = range.start;
        while let Some(token) = self.tokens.get(next).filter(|_| next < range.end) {
            if let Kind::Call(name) = token.kind
                && let Some(end) = self.aggregate(next, name, range.end, inside)?
            {
                code.variable(self.references + self.aggregates.len() - 1);
                (before, next) = (Before::Value, end);
                continue;
            }
            if let (Kind::Signal(reference), Some(_)) = (token.kind, inside) {
                // A part has only the variables that it reads.
                let known = reads.iter().position(|read| *read == reference);
                code.variable(known.unwrap_or(reads.len()));
                if known.is_none() {
                    reads.push(reference);
                }
                before = Before::Value;
            } else {
                before = write(&mut code, token, before)?;
            }
            next += 1;
        }
        let last = self.tokens.get(range).and_then(<[_]>::last);
        let code = code.finish().map_err(|MissingOperand| one_sided(last.map_or(0..0, |token| token.at.clone())))?;
        Ok(ScannedPart { code, reads })
    }

    /// Takes the call at `start` if it is over a stretch of time, and gives the token after it.
    fn aggregate(
        &mut self,
        start: usize,
        name: &str,
        limit: usize,
        inside: Option<&str>,
    ) -> Result<Option<usize>, Fault> {
        let tokens = self.tokens;
        let place = |range: Range<usize>| -> Range<usize> {
            let found = tokens.get(range).unwrap_or(&[]);
            let ends = found.first().zip(found.last());
            ends.map_or(0..0, |(first, last)| first.at.start..last.at.end)
        };
        if name == "when" {
            let hint = "max(temperature, when(running)): over the time in which a condition holds";
            let brief = "`when(…)` is the second argument of a function over a stretch of time";
            return Err(fault(place(start..start + 1), brief, Some(hint)));
        }
        let Some(function) = Function::named(name) else { return Ok(None) };
        // Without its end, rhai says what is missing.
        let Some((arguments, end)) = self.arguments(start + 1, limit) else { return Ok(None) };
        let is_time = |argument: &Range<usize>| {
            let kind = tokens.get(argument.start).map(|token| token.kind);
            matches!(kind, Some(Kind::Text(_))) && argument.len() == 1 || kind == Some(Kind::Call("when"))
        };
        let [argument, over] = arguments.as_slice() else {
            if matches!(function, Function::Min | Function::Max) {
                return Ok(None);
            }
            let brief = format!("`{name}` has two arguments: a value, and the time that it is over");
            return Err(fault(place(start..end), brief, Some(&over_what(name))));
        };
        if !is_time(over) {
            if matches!(function, Function::Min | Function::Max) {
                return Ok(None);
            }
            let brief = format!("the second argument of `{name}` is the time that it is over");
            return Err(fault(place(over.clone()), brief, Some(&over_what(name))));
        }
        let at = place(start..end);
        if let Some(outer) = inside {
            let brief = format!("`{name}` over a stretch of time stands inside `{outer}`");
            let hint = "give the inner one a name: a derived signal of its own";
            return Err(fault(at, brief, Some(hint)));
        }
        let over = match self.tokens.get(over.start).map(|token| token.kind) {
            Some(Kind::Text(quoted)) => window(quoted, place(over.clone()))?,
            _ => match self.arguments(over.start + 1, over.end) {
                Some((conditions, close)) if conditions.len() == 1 && close == over.end => {
                    ScannedOver::When(self.part(over.start + 2..close - 1, Some("when"))?)
                }
                _ => {
                    let hint = "max(temperature, when(running && flow > 1))";
                    return Err(fault(place(over.clone()), "`when(…)` takes one condition", Some(hint)));
                }
            },
        };
        let argument = self.part(argument.clone(), Some(name))?;
        self.aggregates.push(ScannedAggregate { function, argument, over, at });
        Ok(Some(end))
    }

    /// The arguments between the bracket at `open` and its partner, and the token after that.
    fn arguments(&self, open: usize, limit: usize) -> Option<(Vec<Range<usize>>, usize)> {
        let mut arguments = Vec::new();
        let (mut depth, mut start) = (0usize, open + 1);
        for (at, token) in self.tokens.iter().enumerate().take(limit).skip(open) {
            match token.kind {
                Kind::Operator("(" | "{") => depth += 1,
                Kind::Operator(")" | "}") => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        arguments.push(start..at);
                        return Some((arguments, at + 1));
                    }
                }
                Kind::Operator(",") if depth == 1 => {
                    arguments.push(start..at);
                    start = at + 1;
                }
                _ => {}
            }
        }
        None
    }
}

fn over_what(name: &str) -> String {
    format!("write {name}(flow, \"10 min\"), {name}(flow, \"run\") or {name}(flow, when(running))")
}

fn window(quoted: &str, at: Range<usize>) -> Result<ScannedOver, Fault> {
    let written = plain(quoted);
    if written.trim() == "run" {
        return Ok(ScannedOver::Run);
    }
    let length = text::duration(&written);
    length.map(ScannedOver::Window).map_err(|brief| fault(at, brief, Some("\"run\" is the whole run")))
}

/// Writes one token that is the same in rhai, and tells the next one what stands before it.
fn write(code: &mut Code, token: &Token<'_>, before: Before) -> Result<Before, Fault> {
    let written = match token.kind {
        Kind::Number(value) => {
            code.number(value);
            Ok(Before::Value)
        }
        Kind::Text(text) => {
            code.word(text);
            Ok(Before::Value)
        }
        Kind::Truth(truth) => {
            code.word(if truth { "true" } else { "false" });
            Ok(Before::Value)
        }
        Kind::If => {
            code.condition();
            Ok(Before::Nothing)
        }
        Kind::Else => {
            code.word("else");
            Ok(Before::Else)
        }
        Kind::Call(name) => {
            code.call(name);
            Ok(Before::Nothing)
        }
        Kind::Signal(index) => {
            code.variable(index);
            Ok(Before::Value)
        }
        Kind::Operator("{") if before == Before::Nothing => {
            return Err(fault(token.at.clone(), "a block stands only after `if …` and `else`", None));
        }
        Kind::Operator(operator) => match operator {
            "(" | "{" => code.open(operator).map(|()| Before::Nothing),
            ")" | "}" => code.close(operator).map(|()| Before::Value),
            "**" => code.power().map(|()| Before::Nothing),
            "+" | "-" | "!" if before != Before::Value => {
                code.word(operator);
                Ok(Before::Nothing)
            }
            _ => code.between(operator).map(|()| Before::Nothing),
        },
    };
    written.map_err(|MissingOperand| one_sided(token.at.clone()))
}

fn one_sided(at: Range<usize>) -> Fault {
    fault(at, "`**` has a value on one side only", Some("powers are written `a ** b` or pow(a, b)"))
}
