//! Checks one command as it is written. In: a merged definition. Out: all that does not depend on the twin; every mistake
//! with its place and a way out.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::format::{CommandDef, ParameterDef, PieceDef, SignificanceDef, ValueDef, VerifyDef};
use super::super::nearest::nearest;
use super::super::report::{Hint, Report};
use super::super::resolved::{Broker, ValueKind};
use super::super::signals::{check_pointer, pure_expression_of, template_of};
use super::super::span::{Span, Spanned};
use super::super::text::{self, Template};
use super::{
    Parameter, ParameterKind, Pattern, Piece, Prepared, PreparedEvidence, PreparedPayload, PreparedPiece, Significance,
    TOKEN,
};
use crate::value::{Conversion, Unit, Value};

const ARMING: Duration = Duration::from_secs(30);
const WITHIN: Duration = Duration::from_secs(10);

pub(super) struct Check<'c> {
    /// `Pump.start`
    item: String,
    name: &'c Spanned<String>,
    def: &'c CommandDef,
    report: &'c mut Report,
}

impl<'c> Check<'c> {
    pub fn new(owner: &str, name: &'c Spanned<String>, def: &'c CommandDef, report: &'c mut Report) -> Self {
        let item = format!("{owner}.{}", name.value);
        let mut check = Self { item, name, def, report };
        check.name_is_fine("a command's", name);
        check
    }

    fn fail(&mut self, rule: &'static str, span: Span, brief: impl Into<String>, hint: impl Into<Hint>) {
        self.report.error(rule, span, &self.item, brief, hint.into());
    }

    /// Names stand in expressions and on the command line.
    fn name_is_fine(&mut self, whose: &str, name: &Spanned<String>) {
        let fine = |c: char| c.is_alphanumeric() || c == '_';
        if name.is_empty() || name.starts_with(|c: char| c.is_numeric()) || !name.chars().all(fine) {
            let brief = format!("{whose} name has letters, digits and `_` only, and begins with no digit");
            self.fail("bad-name", name.span, brief, Hint::NONE);
        }
    }

    pub fn command(mut self, brokers: &BTreeMap<String, Broker>) -> Prepared {
        let def = self.def;
        let parameters: Vec<Parameter> =
            def.parameters.0.iter().map(|(name, parameter)| self.parameter(name, parameter)).collect();
        let constraints = def.constraints.iter().flat_map(|constraints| &constraints.value);
        let constraints =
            constraints.filter_map(|source| pure_expression_of(&self.item, "constraints", source, self.report));
        let constraints = constraints.collect();
        let broker = self.broker(brokers);
        let payload = self.payload(&parameters);
        let qos = match &def.qos {
            Some(qos) if qos.value > 2 => {
                let brief = format!("qos is 0, 1 or 2, found {}", qos.value);
                self.fail("bad-value", qos.span, brief, Hint::NONE);
                1
            }
            given => given.as_ref().map_or(1, |qos| qos.value as u8),
        };
        let arming = self.duration("arming", def.arming.as_ref(), ARMING);
        let verify = def.verify.as_ref().and_then(|verify| self.verify(verify));
        Prepared {
            name: self.name.clone(),
            about: def.about.as_ref().map(|about| about.value.clone()).unwrap_or_default(),
            parameters,
            significance: match def.significance.as_ref().map(|given| given.value).unwrap_or_default() {
                SignificanceDef::Routine => Significance::Routine,
                SignificanceDef::Watch => Significance::Watch,
                SignificanceDef::Warning => Significance::Warning,
                SignificanceDef::Critical => Significance::Critical,
            },
            constraints,
            broker,
            topic: self.topic(),
            payload,
            qos,
            arming,
            verify,
        }
    }

    fn duration(&mut self, field: &str, given: Option<&Spanned<String>>, usual: Duration) -> Duration {
        let Some(given) = given else { return usual };
        text::duration(given).unwrap_or_else(|brief| {
            self.fail("bad-duration", given.span, format!("{field}: {brief}"), Hint::NONE);
            usual
        })
    }

    fn parameter(&mut self, name: &Spanned<String>, def: &ParameterDef) -> Parameter {
        self.name_is_fine("a parameter's", name);
        let kind = match (&def.kind, &def.one_of) {
            (Some(kind), _) => kind.value,
            (None, Some(_)) => ValueKind::Text,
            (None, None) => ValueKind::Number,
        };
        let takes = match kind {
            ValueKind::Number => self.range(name, def),
            ValueKind::Bool => ParameterKind::Bool,
            ValueKind::Text => self.texts(name, def),
        };
        if kind != ValueKind::Number {
            let numeric = [
                ("unit", def.unit.as_ref().map(|given| given.span)),
                ("low", def.low.as_ref().map(|given| given.span)),
                ("high", def.high.as_ref().map(|given| given.span)),
            ];
            for (field, span) in numeric.into_iter().filter_map(|(field, span)| Some((field, span?))) {
                let brief = format!("{}: a {kind:?} has no `{field}`", name.value);
                self.fail("kind-mismatch", span, brief, "leave it out");
            }
        }
        if let Some(given) = def.one_of.as_ref().filter(|_| kind != ValueKind::Text) {
            let brief = format!("{}: `one_of` lists texts, but this is a {kind:?}", name.value);
            self.fail("kind-mismatch", given.span, brief, "leave `kind` out");
        }
        let default = def.default.as_ref().and_then(|given| {
            let value = value_of(&given.value);
            match takes.refusal(&value) {
                Some(why) => {
                    self.fail("bad-default", given.span, format!("{}: default: {why}", name.value), Hint::NONE);
                    None
                }
                None => Some(value),
            }
        });
        let about = def.about.as_ref().map(|about| about.value.clone()).unwrap_or_default();
        Parameter { name: name.value.clone(), about, kind: takes, default }
    }

    fn range(&mut self, name: &Spanned<String>, def: &ParameterDef) -> ParameterKind {
        let unit = self.unit(def.unit.as_ref());
        let (low, high) = match (&def.low, &def.high) {
            (Some(low), Some(high)) => (low.value, high.value),
            _ => {
                let brief = format!("{}: a number that equipment obeys has a range", name.value);
                let hint = "add low: … and high: …, in the parameter's unit; or kind: Bool, or one_of: [\"…\"]";
                self.fail("missing-field", name.span, brief, hint);
                return ParameterKind::Number { unit, low: f64::NEG_INFINITY, high: f64::INFINITY };
            }
        };
        if low >= high {
            let span = def.low.as_ref().map_or(name.span, |low| low.span);
            let brief = format!("{}: low ({low:?}) must be below high ({high:?})", name.value);
            self.fail("range-order", span, brief, Hint::NONE);
        }
        ParameterKind::Number { unit, low, high }
    }

    fn texts(&mut self, name: &Spanned<String>, def: &ParameterDef) -> ParameterKind {
        let texts: Vec<String> =
            def.one_of.iter().flat_map(|texts| &texts.value).map(|text| text.value.clone()).collect();
        if texts.is_empty() {
            let span = def.one_of.as_ref().map_or(name.span, |texts| texts.span);
            let brief = format!("{}: the texts that the equipment knows are not said", name.value);
            self.fail("missing-field", span, brief, "add one_of: [\"auto\", \"manual\"]");
        }
        ParameterKind::OneOf(texts)
    }

    fn unit(&mut self, given: Option<&Spanned<String>>) -> Unit {
        let Some(given) = given else { return Unit::none() };
        Unit::parse(given).unwrap_or_else(|error| {
            let brief = format!("unknown unit `{}`", given.value);
            self.fail("unknown-unit", given.span, brief, Hint::meant(error.nearest));
            Unit::none()
        })
    }

    fn broker(&mut self, brokers: &BTreeMap<String, Broker>) -> Option<String> {
        let Some(given) = &self.def.broker else {
            if brokers.len() > 1 {
                let brief = "the scene has several brokers: which one the command goes to is not said";
                let hint =
                    format!("add broker: {:?}, or another one", brokers.keys().next().map_or("", String::as_str));
                self.fail("missing-field", self.name.span, brief, hint);
            }
            return brokers.keys().next().cloned();
        };
        if !brokers.contains_key(&given.value) {
            let near = nearest(given, brokers.keys().map(String::as_str));
            let brief = format!("unknown broker `{}`", given.value);
            self.fail("unknown-broker", given.span, brief, Hint::meant(near));
        }
        Some(given.value.clone())
    }

    fn topic(&mut self) -> Option<Pattern> {
        let Some(topic) = &self.def.topic else {
            self.fail(
                "missing-field",
                self.name.span,
                "the topic that the command goes to is not said",
                "add topic: \"…\"",
            );
            return None;
        };
        self.pattern(topic)
    }

    /// One topic, not several.
    fn pattern(&mut self, topic: &Spanned<String>) -> Option<Pattern> {
        let template = template_of(&self.item, topic, self.report)?;
        if topic.contains(['+', '#']) {
            let brief = format!("the topic {:?} has wildcards, and a message goes to one topic", topic.value);
            self.fail("bad-topic", topic.span, brief, Hint::NONE);
            return None;
        }
        Some(Pattern { text: topic.clone(), template })
    }

    fn payload(&mut self, parameters: &[Parameter]) -> Option<PreparedPayload> {
        let def = self.def;
        let payload = match (&def.raw, &def.json.0[..]) {
            (Some(raw), []) => PreparedPayload::Raw(self.piece(raw, parameters)?),
            (None, [_, ..]) => {
                let mut pieces = Vec::new();
                for (pointer, piece) in &def.json.0 {
                    check_pointer(&self.item, "json", pointer, self.report);
                    pieces.extend(self.piece(piece, parameters).map(|piece| (pointer.value.clone(), piece)));
                }
                self.no_pointer_within_another();
                PreparedPayload::Json(pieces)
            }
            (Some(raw), _) => {
                self.fail("two-payloads", raw.span, "both `json` and `raw` are given", "keep one of them");
                return None;
            }
            (None, []) => {
                let hint = "add json: {\"/speed\": (parameter: \"speed\")}, or raw: \"START\"";
                self.fail("missing-field", self.name.span, "what the command says is not said", hint);
                return None;
            }
        };
        let pieces = || match &payload {
            PreparedPayload::Raw(piece) => vec![piece],
            PreparedPayload::Json(pieces) => pieces.iter().map(|(_, piece)| piece).collect(),
        };
        for (at, (name, _)) in def.parameters.0.iter().enumerate() {
            let is_said = pieces()
                .iter()
                .any(|piece| matches!(piece, PreparedPiece::Ready(Piece::Parameter { at: said, .. }) if *said == at));
            if !is_said {
                let brief = format!("the parameter `{}` stands nowhere in the payload", name.value);
                let hint = format!("add json: {{\"/{0}\": (parameter: \"{0}\")}}", name.value);
                self.report.warning("unused-parameter", name.span, &self.item, brief, hint.into());
            }
        }
        Some(payload)
    }

    fn no_pointer_within_another(&mut self) {
        let pointers = &self.def.json.0;
        for (inner, _) in pointers {
            let outer = pointers
                .iter()
                .find(|(outer, _)| inner.strip_prefix(outer.as_str()).is_some_and(|rest| rest.starts_with('/')));
            if let Some((outer, _)) = outer {
                let brief = format!("json: {:?} stands within {:?}, which is a value", inner.value, outer.value);
                self.fail("odd-pointer", inner.span, brief, "a field is a value or holds fields");
            }
        }
    }

    fn piece(&mut self, given: &Spanned<PieceDef>, parameters: &[Parameter]) -> Option<PreparedPiece> {
        let fields = match &given.value {
            PieceDef::Constant(ValueDef::Text(text)) => {
                return match Template::parse(text) {
                    Ok(template) => {
                        Some(PreparedPiece::Text(Pattern { text: Spanned::new(text.clone(), given.span), template }))
                    }
                    Err(brief) => {
                        self.fail("bad-payload", given.span, brief, Hint::NONE);
                        None
                    }
                };
            }
            PieceDef::Constant(value) => return Some(PreparedPiece::Ready(Piece::Constant(value_of(value)))),
            PieceDef::Parameter(fields) => fields,
        };
        let Some(at) = parameters.iter().position(|known| known.name == fields.parameter.value) else {
            let near = nearest(&fields.parameter, parameters.iter().map(|known| known.name.as_str()));
            let brief = format!("there is no parameter `{}`", fields.parameter.value);
            self.fail("unknown-parameter", fields.parameter.span, brief, Hint::meant(near));
            return None;
        };
        let own = parameters[at].kind.unit();
        let to_payload = match &fields.unit {
            None => Conversion::IDENTITY,
            Some(given) => {
                let wanted = self.unit(Some(given));
                own.conversion_to(&wanted).unwrap_or_else(|| {
                    let brief =
                        format!("unit `{wanted}` does not fit `{own}`, the unit of `{}`", fields.parameter.value);
                    self.fail("unit-mismatch", given.span, brief, "both must measure the same quantity");
                    Conversion::IDENTITY
                })
            }
        };
        Some(PreparedPiece::Ready(Piece::Parameter { at, to_payload }))
    }

    fn verify(&mut self, verify: &Spanned<VerifyDef>) -> Option<(PreparedEvidence, Duration)> {
        let def = &verify.value;
        let within = self.duration("verify.within", def.within.as_ref(), WITHIN);
        let evidence = match (&def.that, &def.answer) {
            (Some(that), None) => {
                let of_answers = [
                    ("json", def.json.as_ref().map(|given| given.span)),
                    ("equals", def.equals.as_ref().map(|given| given.span)),
                    ("token", def.token.as_ref().map(|given| given.span)),
                ];
                for (field, span) in of_answers.into_iter().filter_map(|(field, span)| Some((field, span?))) {
                    self.fail("bad-verify", span, format!("verify: `{field}` belongs to `answer`"), "leave it out");
                }
                PreparedEvidence::That(pure_expression_of(&self.item, "verify.that", that, self.report)?)
            }
            (None, Some(answer)) => {
                for (field, pointer) in [("verify.json", &def.json), ("verify.token", &def.token)] {
                    if let Some(pointer) = pointer {
                        check_pointer(&self.item, field, pointer, self.report);
                    }
                }
                if let Some(token) = def.token.as_ref().filter(|_| !self.says_token()) {
                    let brief = "verify: the answer is to hold the token, but the command does not say it";
                    self.fail(
                        "bad-verify",
                        token.span,
                        brief,
                        "add json: {\"/id\": \"{token}\"} to the command, or raw: \"START {token}\"",
                    );
                }
                let Some(equals) = &def.equals else {
                    let brief = "verify: what the answer says where the command was obeyed is not said";
                    self.fail("missing-field", verify.span, brief, "add equals: \"ok\"");
                    return None;
                };
                let text = |given: &Option<Spanned<String>>| given.as_ref().map(|given| given.value.clone());
                let (pointer, token) = (text(&def.json), text(&def.token));
                PreparedEvidence::Answer {
                    topic: self.pattern(answer)?,
                    pointer,
                    equals: value_of(&equals.value),
                    token,
                }
            }
            (Some(_), Some(answer)) => {
                self.fail("bad-verify", answer.span, "verify: both `that` and `answer` are given", "keep one of them");
                return None;
            }
            (None, None) => {
                let hint = "add that: \"running\", or answer: \"hall/{id}/answer\", equals: \"ok\"";
                self.fail("missing-field", verify.span, "verify: how it is seen is not said", hint);
                return None;
            }
        };
        Some((evidence, within))
    }

    fn says_token(&self) -> bool {
        let has_token =
            |piece: &PieceDef| matches!(piece, PieceDef::Constant(ValueDef::Text(text)) if text.contains(TOKEN));
        self.def.raw.iter().chain(self.def.json.0.iter().map(|(_, piece)| piece)).any(|piece| has_token(piece))
    }
}

fn value_of(def: &ValueDef) -> Value {
    match def {
        ValueDef::Bool(flag) => Value::Bool(*flag),
        ValueDef::Number(x) => Value::Number(*x),
        ValueDef::Text(text) => Value::Text(text.as_str().into()),
    }
}
