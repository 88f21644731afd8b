//! Connects derived signals with their inputs. In: expressions whose inputs are names. Out: indices and ranks; cycles.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::references::Asker;
use super::report::Report;
use super::resolved::{Derivation, Scene, SignalSource, ValueKind};
use super::span::Span;
use super::twins::Pending;
use crate::value::{SignalIndex, Value};

/// The inputs of an expression, and where it stands.
type Inputs = (Vec<(String, SignalIndex)>, Span);

pub(super) fn resolve(pending: Vec<Pending>, scene: &mut Scene, report: &mut Report) {
    let mut inputs_of: HashMap<SignalIndex, Inputs> = HashMap::with_capacity(pending.len());
    for one in &pending {
        if let Some(inputs) = inputs(one, scene, report) {
            inputs_of.insert(one.signal, (inputs, one.derived.source.span));
        }
    }
    for one in &pending {
        if let Some((inputs, _)) = inputs_of.get(&one.signal) {
            check_aggregates(one, inputs, scene, report);
        }
    }
    let ranks = ranks(&pending, &inputs_of, scene, report);
    // By rank, so that inputs which are derived themselves have their expiry already.
    let mut pending = pending;
    pending.sort_by_key(|one| ranks.get(&one.signal).copied().unwrap_or(0));
    for one in pending {
        let Some((inputs, _)) = inputs_of.remove(&one.signal) else { continue };
        let rank = ranks.get(&one.signal).copied().unwrap_or(0);
        let (source, compiled) = (one.derived.source.value, one.derived.compiled);
        // Without a word of its own, a derived signal goes stale as soon as one of its inputs may.
        let inherited = inputs.iter().filter_map(|(_, input)| scene.signals.get(input.at())?.expires).min();
        if let Some(signal) = scene.signals.get_mut(one.signal.at()) {
            signal.expires = signal.expires.or(inherited);
            let settle = one.settle.unwrap_or_default();
            signal.source = SignalSource::Derived(Derivation { source, inputs, compiled, rank, settle });
        }
    }
}

fn inputs(one: &Pending, scene: &Scene, report: &mut Report) -> Option<Vec<(String, SignalIndex)>> {
    let twin = scene.signals.get(one.signal.at()).and_then(|signal| scene.twins.get(signal.twin.at()));
    let item = scene.signal_path(one.signal);
    Asker { scene, twin, params: &one.params, item: &item, field: "derived" }.inputs(&one.derived, report)
}

/// What is gathered over time is a number or a boolean: with a text nothing would ever be gathered, without a word.
fn check_aggregates(one: &Pending, inputs: &[(String, SignalIndex)], scene: &Scene, report: &mut Report) {
    let expression = &one.derived;
    let kinds: Vec<ValueKind> =
        inputs.iter().filter_map(|(_, input)| Some(scene.signals.get(input.at())?.kind)).collect();
    for aggregate in expression.compiled.aggregates() {
        for part in std::iter::once(&aggregate.argument).chain(&aggregate.condition) {
            // Both, as each lets other branches be evaluated.
            let fault = [true, false].into_iter().find_map(|flag| {
                let values: Vec<Value> = kinds.iter().map(|kind| kind.example(flag)).collect();
                match part.eval_strictly(&values) {
                    Ok(Value::Text(_)) => Some("a text cannot be gathered over time".to_owned()),
                    Ok(_) => None,
                    Err(error) => Some(error.message),
                }
            });
            if let Some(fault) = fault {
                let span = report.inside(expression.source.span, &expression.source, aggregate.at.clone());
                let brief = format!("derived: in `{}`: {fault}", aggregate.function.name());
                let item = scene.signal_path(one.signal);
                report.error("bad-expression", span, &item, brief, "a number or true or false is expected".into());
                break;
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Open,
    Done(u32),
}

/// The depth of each derived signal above measured ones, without recursion: chains may be long.
fn ranks(
    pending: &[Pending],
    inputs_of: &HashMap<SignalIndex, Inputs>,
    scene: &Scene,
    report: &mut Report,
) -> HashMap<SignalIndex, u32> {
    let mut marks: HashMap<SignalIndex, Mark> = HashMap::with_capacity(pending.len());
    for root in pending {
        // (signal, next input to look at, rank so far)
        let mut stack: Vec<(SignalIndex, usize, u32)> = Vec::new();
        if let Entry::Vacant(fresh) = marks.entry(root.signal) {
            fresh.insert(Mark::Open);
            stack.push((root.signal, 0, 0));
        }
        while let Some((signal, next, rank)) = stack.last_mut() {
            let input = inputs_of.get(signal).and_then(|(inputs, _)| inputs.get(*next)).map(|(_, input)| *input);
            let Some(input) = input else {
                let (signal, rank) = (*signal, *rank);
                marks.insert(signal, Mark::Done(rank));
                stack.pop();
                if let Some((_, _, above)) = stack.last_mut() {
                    *above = (*above).max(rank + 1);
                }
                continue;
            };
            *next += 1;
            match marks.get(&input) {
                Some(Mark::Done(below)) => *rank = (*rank).max(below + 1),
                Some(Mark::Open) => {
                    let start = stack.iter().position(|(open, ..)| *open == input).unwrap_or(0);
                    let mut names: Vec<String> =
                        stack.iter().skip(start).map(|(open, ..)| scene.signal_path(*open)).collect();
                    names.push(scene.signal_path(input));
                    let span = inputs_of.get(&input).map(|(_, span)| *span).unwrap_or_default();
                    // Twins of one type share the mistake: the words must not name the twin, else each would be told.
                    let item = scene.signal_path(input);
                    let shown = format!("depends on itself: {}", names.join(" -> "));
                    if !report.has_error_at("derived-cycle", span) {
                        report.error("derived-cycle", span, &item, shown, "break the circle".into());
                    }
                }
                None if inputs_of.contains_key(&input) => {
                    marks.insert(input, Mark::Open);
                    stack.push((input, 0, 0));
                }
                None => {}
            }
        }
    }
    marks
        .into_iter()
        .filter_map(|(signal, mark)| if let Mark::Done(rank) = mark { Some((signal, rank)) } else { None })
        .collect()
}
