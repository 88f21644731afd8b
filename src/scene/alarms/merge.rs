//! Puts what a subtype or a twin says about alarms over what they inherit, field by field.

use super::super::format::{AlarmDef, CountDef, DeviationDef, RateDef, Table};
use super::super::span::{Span, Spanned};

/// Alarms of the base in their order, changed by those of the same name; new ones after them.
pub(in crate::scene) fn merge_tables(base: &Table<AlarmDef>, over: &Table<AlarmDef>) -> Table<AlarmDef> {
    let mut merged = base.clone();
    for (key, def) in &over.0 {
        match merged.0.iter_mut().find(|(known, _)| known.value == key.value) {
            Some((known, base)) => {
                *base = merge(base, def);
                known.span = key.span;
            }
            None => merged.0.push((key.clone(), def.clone())),
        }
    }
    merged
}

fn either<T: Clone>(over: &Option<T>, base: &Option<T>) -> Option<T> {
    over.as_ref().or(base.as_ref()).cloned()
}

/// Both said: their fields together, where the upper one stands.
fn both<T: Clone>(
    over: &Option<Spanned<T>>,
    base: &Option<Spanned<T>>,
    join: impl FnOnce(&T, &T) -> T,
) -> Option<Spanned<T>> {
    match (over, base) {
        (Some(over), Some(base)) => Some(Spanned::new(join(over, base), over.span)),
        _ => either(over, base),
    }
}

/// Naming another condition takes the inherited one away, and its deadband with it.
fn merge(base: &AlarmDef, over: &AlarmDef) -> AlarmDef {
    let (mine, theirs) = (conditions(over), conditions(base));
    let changes = !mine.is_empty() && mine.iter().any(|(name, _)| theirs.iter().all(|(other, _)| other != name));
    let inherited = if changes { without_condition(base) } else { base.clone() };
    let base = &inherited;
    AlarmDef {
        enabled: either(&over.enabled, &base.enabled),
        above: either(&over.above, &base.above),
        below: either(&over.below, &base.below),
        rate: both(&over.rate, &base.rate, |over, base| RateDef {
            above: either(&over.above, &base.above),
            per: either(&over.per, &base.per),
            over: either(&over.over, &base.over),
            direction: either(&over.direction, &base.direction),
        }),
        deviation: both(&over.deviation, &base.deviation, |over, base| DeviationDef {
            from: either(&over.from, &base.from),
            above: either(&over.above, &base.above),
        }),
        is: either(&over.is, &base.is),
        is_not: either(&over.is_not, &base.is_not),
        when: either(&over.when, &base.when),
        stale: either(&over.stale, &base.stale),
        bad: either(&over.bad, &base.bad),
        deadband: either(&over.deadband, &base.deadband),
        on_delay: either(&over.on_delay, &base.on_delay),
        off_delay: either(&over.off_delay, &base.off_delay),
        count: both(&over.count, &base.count, |over, base| CountDef {
            needed: either(&over.needed, &base.needed),
            of: either(&over.of, &base.of),
            within: either(&over.within, &base.within),
        }),
        latching: either(&over.latching, &base.latching),
        priority: either(&over.priority, &base.priority),
        unless: either(&over.unless, &base.unless),
        group: either(&over.group, &base.group),
        message: either(&over.message, &base.message),
        cause: either(&over.cause, &base.cause),
        consequence: either(&over.consequence, &base.consequence),
        action: either(&over.action, &base.action),
        respond_within: either(&over.respond_within, &base.respond_within),
    }
}

/// The conditions that an alarm names, and where.
pub(super) fn conditions(def: &AlarmDef) -> Vec<(&'static str, Span)> {
    let span = |name, span: Option<Span>| span.map(|span| (name, span));
    [
        span("above", def.above.as_ref().map(|x| x.span)),
        span("below", def.below.as_ref().map(|x| x.span)),
        span("rate", def.rate.as_ref().map(|x| x.span)),
        span("deviation", def.deviation.as_ref().map(|x| x.span)),
        span("is", def.is.as_ref().map(|x| x.span)),
        span("is_not", def.is_not.as_ref().map(|x| x.span)),
        span("when", def.when.as_ref().map(|x| x.span)),
        span("stale", def.stale.as_ref().map(|x| x.span)),
        span("bad", def.bad.as_ref().map(|x| x.span)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn without_condition(def: &AlarmDef) -> AlarmDef {
    AlarmDef {
        above: None,
        below: None,
        rate: None,
        deviation: None,
        is: None,
        is_not: None,
        when: None,
        stale: None,
        bad: None,
        deadband: None,
        ..def.clone()
    }
}
