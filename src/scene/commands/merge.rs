//! Puts what a subtype or a twin says about commands over what they inherit, field by field.

use super::super::format::{CommandDef, ParameterDef, Table, VerifyDef};
use super::super::span::Spanned;

/// Commands of the base in their order, changed by those of the same name; new ones after them.
pub(in crate::scene) fn merge_tables(base: &Table<CommandDef>, over: &Table<CommandDef>) -> Table<CommandDef> {
    merged(base, over, merge)
}

fn merged<T: Clone>(base: &Table<T>, over: &Table<T>, merge: impl Fn(&T, &T) -> T) -> Table<T> {
    let mut all = base.clone();
    for (key, def) in &over.0 {
        match all.0.iter_mut().find(|(known, _)| known.value == key.value) {
            Some((known, base)) => {
                *base = merge(base, def);
                known.span = key.span;
            }
            None => all.0.push((key.clone(), def.clone())),
        }
    }
    all
}

fn either<T: Clone>(over: &Option<T>, base: &Option<T>) -> Option<T> {
    over.as_ref().or(base.as_ref()).cloned()
}

/// Another kind of payload takes the inherited one away.
fn merge(base: &CommandDef, over: &CommandDef) -> CommandDef {
    let (mut json, mut raw) = (merged(&base.json, &over.json, |_, over| over.clone()), either(&over.raw, &base.raw));
    if over.raw.is_some() && over.json.0.is_empty() {
        json = Table::default();
    } else if over.raw.is_none() && !over.json.0.is_empty() {
        raw = None;
    }
    CommandDef {
        enabled: either(&over.enabled, &base.enabled),
        about: either(&over.about, &base.about),
        parameters: merged(&base.parameters, &over.parameters, merge_parameter),
        significance: either(&over.significance, &base.significance),
        constraints: either(&over.constraints, &base.constraints),
        broker: either(&over.broker, &base.broker),
        topic: either(&over.topic, &base.topic),
        json,
        raw,
        qos: either(&over.qos, &base.qos),
        arming: either(&over.arming, &base.arming),
        verify: match (&over.verify, &base.verify) {
            (Some(over), Some(base)) => Some(Spanned::new(merge_verify(base, over), over.span)),
            _ => either(&over.verify, &base.verify),
        },
    }
}

fn merge_parameter(base: &ParameterDef, over: &ParameterDef) -> ParameterDef {
    ParameterDef {
        about: either(&over.about, &base.about),
        kind: either(&over.kind, &base.kind),
        unit: either(&over.unit, &base.unit),
        low: either(&over.low, &base.low),
        high: either(&over.high, &base.high),
        one_of: either(&over.one_of, &base.one_of),
        default: either(&over.default, &base.default),
    }
}

/// Evidence of another kind takes the inherited one away.
fn merge_verify(base: &VerifyDef, over: &VerifyDef) -> VerifyDef {
    let within = either(&over.within, &base.within);
    if over.that.is_some() || (over.answer.is_some() && base.that.is_some()) {
        return VerifyDef { within, ..over.clone() };
    }
    VerifyDef {
        that: base.that.clone(),
        answer: either(&over.answer, &base.answer),
        json: either(&over.json, &base.json),
        equals: either(&over.equals, &base.equals),
        token: either(&over.token, &base.token),
        within,
    }
}
