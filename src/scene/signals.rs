//! Checks one signal definition and prepares it for all twins that share it. In: a merged definition. Out: everything
//! that does not depend on the twin, worked out once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::alarms;
use super::expression::{self, Compiled, Reference};
use super::format::{LimitsDef, MeasureDef, SignalDef};
use super::nearest::nearest;
use super::report::{Hint, Report};
use super::resolved::{Broker, Decoder, Limits, TimeField, ValueKind};
use super::span::{Span, Spanned};
use super::text::{self, Template};
use crate::value::{Conversion, Unit};

/// A signal of a type (or of a twin that changes it), checked.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub name: String,
    pub label: String,
    pub kind: ValueKind,
    pub unit: Unit,
    pub source: Source,
    pub expires: Option<Duration>,
    /// Of a derived signal: how long it waits for its other inputs; none if the scene does not say.
    pub settle: Option<Duration>,
    pub range: Option<(f64, f64)>,
    pub limits: Limits,
    /// What it sees of its twin's models, and by what instrument.
    pub measures: Option<Spanned<MeasureDef>>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(super) enum Source {
    Topic(Topic),
    Derived(Expression),
    Unbound,
}

#[derive(Clone, Debug)]
pub(super) struct Topic {
    pub broker: Option<String>,
    pub template: Template,
    pub text: Spanned<String>,
    pub decoder: Decoder,
    pub time: TimeField,
    pub payload_unit: Unit,
    /// From it to the unit of the signal.
    pub conversion: Conversion,
}

/// A compiled expression whose inputs are still names.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub source: Spanned<String>,
    pub references: Arc<[Reference]>,
    pub compiled: Arc<Compiled>,
}

/// Puts what `over` says over `base`, field by field. Naming another origin takes the old one away.
pub(super) fn merge(base: &SignalDef, over: &SignalDef) -> SignalDef {
    fn either<T: Clone>(over: &Option<T>, base: &Option<T>) -> Option<T> {
        over.as_ref().or(base.as_ref()).cloned()
    }
    let mut merged = SignalDef {
        label: either(&over.label, &base.label),
        unit: either(&over.unit, &base.unit),
        payload_unit: either(&over.payload_unit, &base.payload_unit),
        kind: either(&over.kind, &base.kind),
        broker: either(&over.broker, &base.broker),
        topic: either(&over.topic, &base.topic),
        json: either(&over.json, &base.json),
        raw: either(&over.raw, &base.raw),
        time: either(&over.time, &base.time),
        expires: either(&over.expires, &base.expires),
        range: either(&over.range, &base.range),
        limits: either(&over.limits, &base.limits),
        derived: either(&over.derived, &base.derived),
        settle: either(&over.settle, &base.settle),
        measures: either(&over.measures, &base.measures),
        alarms: alarms::merge_tables(&base.alarms, &over.alarms),
    };
    if let (Some(over), Some(base)) = (&over.limits, &base.limits) {
        let limits = LimitsDef {
            low_low: either(&over.low_low, &base.low_low),
            low: either(&over.low, &base.low),
            high: either(&over.high, &base.high),
            high_high: either(&over.high_high, &base.high_high),
        };
        merged.limits = Some(Spanned::new(limits, over.span));
    }
    let over_binds = over.topic.is_some() || over.json.is_some() || over.raw.is_some();
    if over.derived.is_some() && !over_binds {
        (merged.topic, merged.json, merged.raw, merged.time) = (None, None, None, over.time.clone());
        merged.payload_unit = over.payload_unit.clone();
        merged.broker = over.broker.clone();
    } else if over_binds && over.derived.is_none() {
        (merged.derived, merged.settle) = (None, over.settle.clone());
    }
    if over.raw.is_some() && over.json.is_none() {
        merged.json = None;
    } else if over.json.is_some() && over.raw.is_none() {
        merged.raw = None;
    }
    merged
}

/// `item` is `Pump.flow` or `P-101.flow`.
pub(super) fn prepare(
    item: &str,
    name: &Spanned<String>,
    def: &SignalDef,
    brokers: &BTreeMap<String, Broker>,
    report: &mut Report,
) -> Prepared {
    let unit = unit_of(item, def.unit.as_ref(), report);
    let kind = kind_of(item, def, report);
    if let (Some(given), true) = (&def.unit, kind != ValueKind::Number) {
        report.error("unit-without-number", given.span, item, format!("a {kind:?} has no unit"), Hint::NONE);
    }
    let range = def.range.as_ref().map(|range| {
        let (low, high) = range.value;
        if low >= high {
            let brief = format!("range starts at {low:?}, which must be below its end {high:?}");
            report.error("range-order", range.span, item, brief, Hint::NONE);
        }
        (low, high)
    });
    let expires = duration_of(item, "expires", def.expires.as_ref(), report);
    let settle = duration_of(item, "settle", def.settle.as_ref(), report);
    if let (Some(given), None) = (&def.settle, &def.derived) {
        let brief = "`settle` waits for the inputs of a derived signal, and this one is not derived".to_owned();
        report.error("settle-without-derived", given.span, item, brief, "leave it out".into());
    }
    Prepared {
        name: name.value.clone(),
        label: def.label.as_ref().map(|label| label.value.clone()).unwrap_or_default(),
        kind,
        source: source_of(item, def, &unit, brokers, report),
        unit,
        expires,
        settle,
        range,
        limits: def.limits.as_ref().map(|limits| limits_of(item, limits, range, report)).unwrap_or_default(),
        measures: def.measures.clone(),
        span: name.span,
    }
}

fn duration_of(item: &str, field: &str, given: Option<&Spanned<String>>, report: &mut Report) -> Option<Duration> {
    let given = given?;
    text::duration(given)
        .map_err(|brief| report.error("bad-duration", given.span, item, format!("{field}: {brief}"), Hint::NONE))
        .ok()
}

fn unit_of(item: &str, given: Option<&Spanned<String>>, report: &mut Report) -> Unit {
    let Some(given) = given else { return Unit::none() };
    Unit::parse(given).unwrap_or_else(|error| {
        let brief = format!("unknown unit `{}`", given.value);
        report.error("unknown-unit", given.span, item, brief, Hint::meant(error.nearest));
        Unit::none()
    })
}

fn kind_of(item: &str, def: &SignalDef, report: &mut Report) -> ValueKind {
    match (&def.kind, &def.raw) {
        (Some(kind), Some(raw)) if kind.value != raw.value => {
            let brief = format!("kind says {:?}, raw says {:?}", kind.value, raw.value);
            report.error("kind-conflict", kind.span, item, brief, "leave out `kind`: `raw` says it already".into());
            raw.value
        }
        (Some(kind), _) | (None, Some(kind)) => kind.value,
        (None, None) => ValueKind::Number,
    }
}

fn limits_of(item: &str, def: &LimitsDef, range: Option<(f64, f64)>, report: &mut Report) -> Limits {
    let given = [("low_low", &def.low_low), ("low", &def.low), ("high", &def.high), ("high_high", &def.high_high)];
    let present: Vec<_> = given.iter().filter_map(|(name, limit)| limit.as_ref().map(|limit| (*name, limit))).collect();
    for pair in present.windows(2) {
        if let [(lower, a), (upper, b)] = pair
            && a.value >= b.value
        {
            let brief = format!("limits.{lower} ({:?}) must be below limits.{upper} ({:?})", a.value, b.value);
            report.error("limits-order", a.span, item, brief, Hint::NONE);
        }
    }
    for (name, limit) in &present {
        if let Some((low, high)) = range.filter(|(low, high)| limit.value < *low || limit.value > *high) {
            let brief = format!("limits.{name} ({:?}) lies outside the range {low:?} to {high:?}", limit.value);
            let level = alarms::LIMITS.iter().find(|(other, _)| other == name).map(|(_, level)| *level);
            let hint = alarms::out_of_range(level, limit.value, (low, high));
            report.warning("limit-out-of-range", limit.span, item, brief, hint);
        }
    }
    let value = |limit: &Option<Spanned<f64>>| limit.as_ref().map(|limit| limit.value);
    Limits {
        low_low: value(&def.low_low),
        low: value(&def.low),
        high: value(&def.high),
        high_high: value(&def.high_high),
    }
}

fn source_of(
    item: &str,
    def: &SignalDef,
    unit: &Unit,
    brokers: &BTreeMap<String, Broker>,
    report: &mut Report,
) -> Source {
    if let (Some(derived), Some(topic)) = (&def.derived, &def.topic) {
        let brief = format!("both `topic` ({:?}) and `derived` are given", topic.value);
        report.error("two-origins", derived.span, item, brief, "a signal is measured or computed, not both".into());
        return Source::Unbound;
    }
    if let Some(derived) = &def.derived {
        return expression_of(item, "derived", derived, report).map_or(Source::Unbound, Source::Derived);
    }
    let Some(topic) = &def.topic else {
        for (name, span) in [
            ("json", def.json.as_ref().map(|x| x.span)),
            ("raw", def.raw.as_ref().map(|x| x.span)),
            ("time", def.time.as_ref().map(|x| x.span)),
        ] {
            if let Some(span) = span {
                let brief = format!("`{name}` says how to decode, but there is no `topic`");
                report.error("no-topic", span, item, brief, "add topic: \"…\"".into());
            }
        }
        return Source::Unbound;
    };
    let template = template_of(item, topic, report);
    let broker = def.broker.as_ref().map(|broker| {
        if !brokers.contains_key(&broker.value) {
            let near = nearest(broker, brokers.keys().map(String::as_str));
            report.error(
                "unknown-broker",
                broker.span,
                item,
                format!("unknown broker `{}`", broker.value),
                Hint::meant(near),
            );
        }
        broker.value.clone()
    });
    let decoder = match (&def.json, &def.raw) {
        (Some(json), None) => {
            check_pointer(item, "json", json, report);
            Decoder::Json(json.value.clone())
        }
        (None, Some(_)) => Decoder::Raw,
        (Some(json), Some(_)) => {
            report.error("two-decoders", json.span, item, "both `json` and `raw` are given", "keep one of them".into());
            Decoder::Raw
        }
        (None, None) => {
            let hint = "add json: \"/field\" for a field of a JSON payload, or raw: Number for a bare number";
            report.error("no-decoder", topic.span, item, "neither `json` nor `raw` says how to decode", hint.into());
            Decoder::Raw
        }
    };
    let time = match &def.time {
        Some(time) => {
            check_pointer(item, "time.json", &time.json, report);
            TimeField::Json { pointer: time.json.value.clone(), format: time.format }
        }
        None => TimeField::Receive,
    };
    let payload_unit = match &def.payload_unit {
        Some(_) => unit_of(item, def.payload_unit.as_ref(), report),
        None => unit.clone(),
    };
    let conversion = payload_unit.conversion_to(unit).unwrap_or_else(|| {
        if let Some(given) = def.payload_unit.as_ref().filter(|given| Unit::parse(given).is_ok()) {
            let brief = format!("payload_unit `{payload_unit}` does not fit unit `{unit}`");
            report.error("unit-mismatch", given.span, item, brief, "both must measure the same quantity".into());
        }
        Conversion::IDENTITY
    });
    // All of the signal has been checked: now a bad topic may leave it unbound.
    let Some(template) = template else { return Source::Unbound };
    Source::Topic(Topic { broker, template, text: topic.clone(), decoder, time, payload_unit, conversion })
}

pub(super) fn template_of(item: &str, topic: &Spanned<String>, report: &mut Report) -> Option<Template> {
    let template = match Template::parse(topic) {
        Ok(template) => template,
        Err(brief) => {
            report.error("bad-topic", topic.span, item, format!("topic: {brief}"), Hint::NONE);
            return None;
        }
    };
    let fault = template.fill(|_| Some("x")).ok().and_then(|filled| text::filter_fault(&filled));
    if let Some(fault) = fault {
        report.error("bad-topic", topic.span, item, format!("the topic {:?} {fault}", topic.value), Hint::NONE);
        return None;
    }
    if let Some(shared) = text::shared(topic) {
        let brief = format!("the topic {:?} is a shared subscription: no message bears that topic", topic.value);
        let hint = format!(
            "write topic: {shared:?}; to share its messages with others, name the shared subscription in `subscribe` of the broker"
        );
        report.error("bad-topic", topic.span, item, brief, hint.into());
        return None;
    }
    if topic.trim() != topic.value {
        let brief = format!("the topic {:?} has space at its ends, which is a part of it", topic.value);
        report.warning("odd-topic", topic.span, item, brief, format!("is {:?} meant?", topic.trim()).into());
    }
    Some(template)
}

pub(super) fn check_pointer(item: &str, field: &str, pointer: &Spanned<String>, report: &mut Report) {
    if let Some(fault) = text::pointer_fault(pointer) {
        let near = format!("write \"/{}\"", pointer.value.replace('.', "/"));
        let hint = if pointer.starts_with('/') { Hint::NONE } else { near.into() };
        report.error(
            "bad-pointer",
            pointer.span,
            item,
            format!("{field}: the pointer {:?} {fault}", pointer.value),
            hint,
        );
    } else if let Some((doubt, meant)) = text::pointer_doubt(pointer) {
        let hint = meant.map(|meant| format!("is {meant:?} meant?"));
        let brief = format!("{field}: the pointer {:?} {doubt}", pointer.value);
        report.warning("odd-pointer", pointer.span, item, brief, hint.into());
    }
}

/// An expression that needs no memory: a function over a stretch of time is an issue.
pub(super) fn pure_expression_of(
    item: &str,
    field: &str,
    source: &Spanned<String>,
    report: &mut Report,
) -> Option<Expression> {
    let expression = expression_of(item, field, source, report)?;
    let Some(aggregate) = expression.compiled.aggregates().first() else { return Some(expression) };
    let name = aggregate.function.name();
    let written = source.value.get(aggregate.at.clone()).unwrap_or(name).replace('"', "\\\"");
    let span = report.inside(source.span, source, aggregate.at.clone());
    let brief = format!("{field}: `{name}` over a stretch of time stands in derived signals only");
    let hint = format!("give it a name: a signal with derived: \"{written}\", and write that name here");
    report.error("bad-expression", span, item, brief, hint.into());
    None
}

/// `field` is what holds it: `derived`, `when`.
pub(super) fn expression_of(
    item: &str,
    field: &str,
    source: &Spanned<String>,
    report: &mut Report,
) -> Option<Expression> {
    let scanned = match expression::scan(source) {
        Ok(scanned) => scanned,
        Err(fault) => {
            let span = report.inside(source.span, source, fault.at);
            report.error("bad-expression", span, item, format!("{field}: {}", fault.brief), fault.hint.into());
            return None;
        }
    };
    match Compiled::new(&scanned) {
        Ok(compiled) => Some(Expression { source: source.clone(), references: scanned.references.into(), compiled }),
        Err(error) => {
            report.error("bad-expression", source.span, item, format!("{field}: {error}"), Hint::NONE);
            None
        }
    }
}

/// The pointers of two fields of which one lies within the other.
fn nested<'t>(a: &'t Topic, b: &'t Topic) -> Option<(&'t str, &'t str)> {
    let (Decoder::Json(a), Decoder::Json(b)) = (&a.decoder, &b.decoder) else { return None };
    let (outer, inner) = if a.len() < b.len() { (a, b) } else { (b, a) };
    inner.strip_prefix(outer.as_str()).is_some_and(|rest| rest.starts_with('/')).then_some((outer, inner))
}

/// Finds signals that read the same part of a message in different ways.
pub(super) fn check_conflicts(item: &str, signals: &[Prepared], report: &mut Report) {
    let mut seen: HashMap<(Option<&str>, String), Vec<&Prepared>> = HashMap::new();
    for signal in signals {
        let Source::Topic(topic) = &signal.source else { continue };
        let others = seen.entry((topic.broker.as_deref(), topic.template.for_signal(&signal.name))).or_default();
        for other in others.iter() {
            let Source::Topic(first) = &other.source else { continue };
            if let Some((outer, inner)) = nested(first, topic) {
                let brief = format!(
                    "`{}` and `{}` read {outer:?} and {inner:?} of one payload, of which one is a part of the other",
                    other.name, signal.name
                );
                let hint = "a field is a value or holds fields: one of the pointers finds nothing".into();
                report.warning("odd-pointer", signal.span, item, brief, hint);
            }
            let what = match (&first.decoder, &topic.decoder) {
                (Decoder::Json(_), Decoder::Raw) => "as JSON and as one bare value",
                (Decoder::Raw, Decoder::Json(_)) => "as one bare value and as JSON",
                (a, b) if a == b && other.kind != signal.kind => "as values of different kinds",
                (a, b) if a == b && first.payload_unit != topic.payload_unit => "in different units",
                _ => continue,
            };
            let brief = format!(
                "`{}` and `{}` decode the same payload of {:?} {what}",
                other.name, signal.name, topic.text.value
            );
            let hint = format!("`{}` is at {}", other.name, report.place(other.span));
            report.error("decode-conflict", signal.span, item, brief, hint.into());
            break;
        }
        others.push(signal);
    }
}
