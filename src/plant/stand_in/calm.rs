//! Keeps formula alarms untrue in normal life. In: a scene, habits. Out: habits whose switches and texts make no formula
//! true, as far as one of them can help it. Numbers are taken in the middle of their bands and stay as they are; formulas
//! with functions over time, and with signals that have no stand-in, are passed over.

use std::collections::BTreeMap;

use super::Habit;
use super::course::{Course, Stay};
use super::invent::{Normal, words};
use crate::scene::rule::{Condition, Formula};
use crate::scene::{Scene, SignalSource, ValueKind};
use crate::value::{SignalIndex, Value};

pub(super) fn calm(scene: &Scene, normals: &BTreeMap<SignalIndex, Normal>, habits: &mut BTreeMap<SignalIndex, Habit>) {
    let formulas: Vec<&Formula> = scene
        .alarms
        .iter()
        .filter_map(|rule| match &rule.condition {
            Condition::Formula(formula) if formula.compiled.aggregates().is_empty() => Some(formula),
            _ => None,
        })
        .collect();
    for formula in &formulas {
        for (_, signal) in &formula.inputs {
            let Some(normal) = normals.get(signal) else { continue };
            let options: Vec<Value> = match scene.signals[signal.at()].kind {
                ValueKind::Bool => vec![Value::Bool(true), Value::Bool(false)],
                ValueKind::Text => words(scene, &scene.signals[signal.at()]),
                ValueKind::Number => continue,
            };
            let calm: Vec<&Value> = options
                .iter()
                .filter(|option| {
                    normal.allows(option) && is_true(formula, scene, habits, (*signal, option)) == Some(false)
                })
                .collect();
            let Some(habit) = habits.get_mut(signal) else { continue };
            let Course::Stay(stays) = &habit.course else { continue };
            // All that it shows must be calm; if nothing is, this signal cannot help it.
            if let Some(first) = calm.first()
                && !stays.iter().all(|stay| calm.contains(&&stay.value))
            {
                let kept = stays.iter().find(|stay| calm.contains(&&stay.value));
                let value = kept.map_or(*first, |stay| &stay.value).clone();
                habit.course = Course::Stay(vec![Stay::ever(value)]);
            }
        }
    }
}

/// Whether a formula is true while one signal has a value and all others are as usual; none if that is not known.
fn is_true(
    formula: &Formula,
    scene: &Scene,
    habits: &BTreeMap<SignalIndex, Habit>,
    assumed: (SignalIndex, &Value),
) -> Option<bool> {
    let inputs: Option<Vec<Value>> = formula.inputs.iter().map(|(_, at)| usual(*at, scene, habits, assumed)).collect();
    match formula.compiled.eval(&inputs?).ok()? {
        Value::Bool(flag) => Some(flag),
        Value::Number(x) => Some(x != 0.0),
        Value::Text(_) => None,
    }
}

/// What a signal shows most of the time. Derived signals read ones of smaller ranks: this ends.
fn usual(
    signal: SignalIndex,
    scene: &Scene,
    habits: &BTreeMap<SignalIndex, Habit>,
    assumed: (SignalIndex, &Value),
) -> Option<Value> {
    if signal == assumed.0 {
        return Some(assumed.1.clone());
    }
    if let SignalSource::Derived(derivation) = &scene.signals.get(signal.at())?.source {
        if !derivation.compiled.aggregates().is_empty() {
            return None;
        }
        let inputs: Option<Vec<Value>> =
            derivation.inputs.iter().map(|(_, at)| usual(*at, scene, habits, assumed)).collect();
        return derivation.compiled.eval(&inputs?).ok();
    }
    match &habits.get(&signal)?.course {
        Course::Sway(sway) => Some(Value::Number(sway.level)),
        Course::Rise(rise) => Some(Value::Number(rise.start)),
        Course::Stay(stays) => stays.first().map(|stay| stay.value.clone()),
    }
}
