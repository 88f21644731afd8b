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

/// A definition with the fields of `$over`, and those of `$base` where it has none; some fields are joined in ways of
/// their own.
macro_rules! overlay {
    ($type:ident, $over:ident, $base:ident, $($field:ident),+ $(; $($own:ident: $joined:expr),+)?) => {
        $type { $($field: either(&$over.$field, &$base.$field),)+ $($($own: $joined),+)? }
    };
}

/// Naming another condition takes the inherited one away, and its deadband with it.
fn merge(base: &AlarmDef, over: &AlarmDef) -> AlarmDef {
    let (mine, theirs) = (conditions(over), conditions(base));
    let changes = !mine.is_empty() && mine.iter().any(|(name, _)| theirs.iter().all(|(other, _)| other != name));
    let inherited = if changes { without_condition(base) } else { base.clone() };
    let base = &inherited;
    overlay!(
        AlarmDef, over, base,
        enabled, above, below, is, is_not, when, stale, bad, deadband, on_delay, off_delay, latching, priority, unless,
        group, message, cause, consequence, action, respond_within;
        rate: both(&over.rate, &base.rate, |over, base| overlay!(RateDef, over, base, above, per, over, direction)),
        deviation: both(&over.deviation, &base.deviation, |over, base| overlay!(DeviationDef, over, base, from, above)),
        count: both(&over.count, &base.count, |over, base| overlay!(CountDef, over, base, needed, of, within))
    )
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
