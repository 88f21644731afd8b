//! Makes rules of twins out of prepared alarms. In: alarms whose inputs are names, all twins and signals. Out: rules.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::references::Asker;
use super::super::report::{Hint, Report};
use super::super::resolved::{Scene, ValueKind};
use super::super::signals::Expression;
use super::super::span::Spanned;
use super::{Prepared, Watch};
use crate::scene::rule::{AlarmIndex, Condition, Formula, Reference, Rule, Subject};
use crate::value::{SignalIndex, TwinIndex, Value};

/// The alarms of one twin, to be resolved once all twins are there.
pub(in crate::scene) struct Pending {
    pub twin: TwinIndex,
    pub alarms: Arc<[Prepared]>,
    pub params: Arc<HashMap<String, String>>,
}

/// Rules of all twins, in the order of `pending`. Derived signals must have their expiry already.
pub(in crate::scene) fn resolve(pending: &[Pending], scene: &Scene, report: &mut Report) -> Vec<Rule> {
    let mut rules = Vec::with_capacity(pending.iter().map(|one| one.alarms.len()).sum());
    for one in pending {
        for alarm in one.alarms.iter() {
            if let Some(mut rule) = resolve_one(one, alarm, scene, report) {
                rule.index = AlarmIndex(u32::try_from(rules.len()).unwrap_or(u32::MAX));
                rules.push(rule);
            }
        }
    }
    rules
}

fn resolve_one(one: &Pending, alarm: &Prepared, scene: &Scene, report: &mut Report) -> Option<Rule> {
    let twin = scene.twins.get(one.twin.at())?;
    let signal = match alarm.signal {
        Some(position) => {
            let at = usize::try_from(twin.signals.start).ok()?.checked_add(position)?;
            Some(scene.signals.get(at)?)
        }
        None => None,
    };
    let item = format!("{}.{}", twin.id, alarm.name);
    let asker = |field| Asker { scene, twin: Some(twin), params: &one.params, item: &item, field };
    let condition = match &alarm.watch {
        Watch::Ready(condition) => Some(condition.clone()),
        Watch::Deviation { from, limit, deadband } => reference(&asker("deviation.from"), from, signal?, report)
            .map(|from| Condition::Deviation { from, limit: *limit, deadband: *deadband }),
        Watch::Formula(expression) => {
            formula(expression, "when", &item, Some(one), &one.params, scene, report).map(Condition::Formula)
        }
        Watch::Stale(span) => {
            if signal?.expires.is_none() {
                let brief = format!("`{}` never expires, so that it cannot become stale", signal?.name);
                report.error("no-expiry", *span, &item, brief, "add expires: \"10s\" to the signal".into());
            }
            Some(Condition::Stale)
        }
    };
    let manner = &alarm.manner;
    let suppressed_when = match &manner.unless {
        Some(unless) => formula(unless, "unless", &item, Some(one), &one.params, scene, report),
        None => None,
    };
    Some(Rule {
        index: AlarmIndex(0),
        subject: signal.map_or(Subject::Twin(one.twin), |signal| Subject::Signal(signal.index)),
        name: alarm.name.clone(),
        condition: condition?,
        on_delay: manner.on_delay,
        off_delay: manner.off_delay,
        count: manner.count,
        latching: manner.latching,
        priority: manner.priority,
        suppressed_when,
        group: manner.group.clone(),
        guidance: manner.guidance.clone(),
    })
}

/// The signal that a deviation is measured from: a number in the same unit.
fn reference(
    asker: &Asker<'_>,
    from: &Spanned<String>,
    of: &crate::scene::Signal,
    report: &mut Report,
) -> Option<Reference> {
    let found = match asker.signal(from) {
        Ok(found) => found,
        Err((brief, near)) => {
            let hint = Hint::meant_or(near.as_deref(), || {
                "name a signal of this twin, one of another as \"P-101.flow\", or write a number".to_owned()
            });
            report.error("unknown-signal", from.span, asker.item, format!("{}: {brief}", asker.field), hint);
            return None;
        }
    };
    if found.kind != ValueKind::Number {
        let brief = format!("{}: `{}` is a {:?}, not a number", asker.field, from.value, found.kind);
        report.error("kind-mismatch", from.span, asker.item, brief, Hint::NONE);
    } else if found.index == of.index {
        let brief = format!("{}: a signal never deviates from itself", asker.field);
        report.error("alarm-condition", from.span, asker.item, brief, Hint::NONE);
    } else if !found.unit.conversion_to(&of.unit).is_some_and(|found| found.is_identity()) {
        let unit = |symbol: &str| if symbol.is_empty() { "no unit".to_owned() } else { format!("the unit `{symbol}`") };
        let brief = format!(
            "{}: `{}` has {}, but `{}` has {}",
            asker.field,
            from.value,
            unit(found.unit.symbol()),
            of.name,
            unit(of.unit.symbol())
        );
        let hint = "both must be in one unit; when: \"…\" compares whatever you like";
        report.error("unit-mismatch", from.span, asker.item, brief, hint.into());
    }
    Some(Reference::Signal(found.index))
}

/// A formula with its inputs. `asker` is none for a broker, which has no signals of its own.
pub(super) fn formula(
    expression: &Expression,
    field: &'static str,
    item: &str,
    asker: Option<&Pending>,
    params: &HashMap<String, String>,
    scene: &Scene,
    report: &mut Report,
) -> Option<Formula> {
    let twin = asker.and_then(|one| scene.twins.get(one.twin.at()));
    let inputs = Asker { scene, twin, params, item, field }.inputs(expression, report)?;
    check_kinds(expression, &inputs, field, item, scene, report);
    Some(Formula { source: expression.source.value.clone(), inputs, compiled: expression.compiled.clone() })
}

/// Numbers, booleans and texts do not mix, and this is seen only when the expression is evaluated: better now, with any
/// values of the right kinds, than in the night when the alarm is due.
fn check_kinds(
    expression: &Expression,
    inputs: &[(String, SignalIndex)],
    field: &str,
    item: &str,
    scene: &Scene,
    report: &mut Report,
) {
    // Both, as each lets other parts of `a && b` and `if a { b } else { c }` be evaluated.
    for flag in [true, false] {
        let values: Option<Vec<Value>> = inputs
            .iter()
            .map(|(_, input)| scene.signals.get(input.at()).map(|signal| signal.kind.example(flag)))
            .collect();
        let (brief, hint) = match values.map(|values| expression.compiled.eval_strictly(&values)) {
            Some(Ok(Value::Text(_))) => {
                (format!("{field}: the expression gives a text"), Hint::from("true or false is expected"))
            }
            Some(Err(error)) => (format!("{field}: {error}"), Hint::NONE),
            _ => continue,
        };
        report.error("bad-expression", expression.source.span, item, brief, hint);
        return;
    }
}
