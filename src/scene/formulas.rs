//! Expressions over outputs of models, checked. In: text, the twin that asks. Out: a [`Formula`]; or what does not fit.

use super::machines::{Machines, Owner};
use super::report::{Hint, Report};
use super::resolved::ValueKind;
use super::simulated::Formula;
use super::span::Spanned;
use super::{expression::Compiled, signals};
use crate::model::OutputKind;
use crate::value::Value;

/// Who asks: names without a twin are outputs of this owner's models.
pub(super) struct Asker<'a> {
    pub owner: &'a Owner,
    pub machines: &'a Machines,
    pub item: &'a str,
}

impl Asker<'_> {
    /// The formula of a text whose value is of one of these kinds, whatever the values of its outputs.
    pub fn formula(&self, source: &Spanned<String>, wanted: &[ValueKind], report: &mut Report) -> Option<Formula> {
        let expression = signals::expression_of(self.item, "by", source, report)?;
        if let Some(aggregate) = expression.compiled.aggregates().first() {
            let brief =
                format!("by: `{}` gathers over time, and outputs are seen as they are", aggregate.function.name());
            report.error("bad-expression", source.span, self.item, brief, "derive a signal from another one".into());
            return None;
        }
        let mut inputs = Vec::with_capacity(expression.references.len());
        let mut whole = true;
        for reference in expression.references.iter() {
            let span = report.inside(source.span, source, reference.at.clone());
            if reference.quoted && !reference.is_output {
                let brief = "by: follows outputs of models, not signals".to_owned();
                report.error("bad-expression", span, self.item, brief, "write output(\"P-101.flow\")".into());
                whole = false;
                continue;
            }
            let found = match reference.quoted {
                true => {
                    let path = Spanned::new(reference.text.clone(), span);
                    self.machines.named_output(self.owner, &path, self.item, report)
                }
                false => self.machines.own_output(self.owner, &reference.text, span, self.item, report),
            };
            match found {
                Some(found) => inputs.push(found),
                None => whole = false,
            }
        }
        if !whole {
            return None;
        }
        let kind =
            |(machine, output): &(usize, usize)| Some(self.machines.description(*machine)?.outputs[*output].kind);
        let kinds: Vec<OutputKind> = inputs.iter().filter_map(kind).collect();
        if let Err(brief) = check(&expression.compiled, &kinds, wanted) {
            report.error("bad-expression", source.span, self.item, format!("by: {brief}"), Hint::NONE);
            return None;
        }
        Some(Formula { source: source.value.clone(), inputs, kinds, compiled: expression.compiled })
    }
}

/// Tries an expression with both values of its flags, as each lets other branches be evaluated.
fn check(compiled: &Compiled, kinds: &[OutputKind], wanted: &[ValueKind]) -> Result<(), String> {
    for flag in [true, false] {
        let example = |kind: &OutputKind| match kind {
            OutputKind::Number => Value::Number(1.0),
            OutputKind::Flag => Value::Bool(flag),
            OutputKind::Words(words) => Value::Text(words.first().copied().unwrap_or_default().into()),
        };
        let values: Vec<Value> = kinds.iter().map(example).collect();
        let kind = ValueKind::of(&compiled.eval_strictly(&values).map_err(|error| error.to_string())?);
        if !wanted.contains(&kind) {
            let wanted: Vec<String> = wanted.iter().map(|kind| format!("{kind:?}")).collect();
            return Err(format!("gives a {kind:?}, and a {} is needed", wanted.join(" or a ")));
        }
    }
    Ok(())
}
