//! Other files that speak of a scene, such as scenarios. In: their text, a scene. Out: plain data with places, and what the
//! names in it mean; what does not fit goes to the report, each time with its place and a way out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::expression::Compiled;
use super::files;
use super::format::QuantityDef;
use super::nearest::nearest;
use super::references::Asker;
use super::report::{Hint, Report};
use super::resolved::{Scene, ValueKind};
use super::rule::AlarmPath;
use super::span::{FileId, Span, Spanned};
use super::{models, signals, text};
use crate::model::Role;
use crate::network::Target;
use crate::value::{SignalIndex, Unit, Value};

/// Reads the shape of a document whose newest version is this; a newer major version is refused. `values` stand for their
/// names in braces, in texts.
pub(crate) fn read<T: DeserializeOwned>(
    text: &str,
    id: FileId,
    version: (u32, u32),
    values: &[(String, QuantityDef)],
    report: &mut Report,
) -> Option<T> {
    files::parse_into(text, id, version, values, report)
}

/// Whether a value can take the place of a name in braces: in a text of the document, not in a comment.
pub(crate) fn has_place(text: &str, id: FileId, name: &str) -> bool {
    files::has_place(text, id, name)
}

/// A parameter or an input of a machine.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Place {
    pub target: Target,
    pub name: &'static str,
    pub unit: &'static str,
    /// Of a parameter.
    pub role: Option<Role>,
}

/// What is true or false of signals at a moment.
#[derive(Clone, Debug)]
pub struct Condition {
    pub source: String,
    pub inputs: Vec<SignalIndex>,
    compiled: Arc<Compiled>,
}

impl Condition {
    /// None where it has no value, as long as an input has none.
    pub fn holds(&self, values: &[Value]) -> Option<bool> {
        match self.compiled.eval(values).ok()? {
            Value::Bool(holds) => Some(holds),
            Value::Number(_) | Value::Text(_) => None,
        }
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        (&self.source, &self.inputs) == (&other.source, &other.inputs)
    }
}

/// Finds what names mean in a scene, for one item of a document.
pub(crate) struct Names<'a> {
    pub scene: &'a Scene,
    pub report: &'a mut Report,
}

impl Names<'_> {
    pub fn error(&mut self, rule: &'static str, span: Span, item: &str, brief: impl Into<String>, hint: Hint) {
        self.report.error(rule, span, item, brief, hint);
    }

    /// A signal by `P-101.flow`.
    pub fn signal(&mut self, given: &Spanned<String>, item: &str) -> Option<SignalIndex> {
        let no_params = HashMap::new();
        let asker = Asker { scene: self.scene, twin: None, params: &no_params, item, field: "signal" };
        match asker.signal(given) {
            Ok(signal) => Some(signal.index),
            Err((brief, near)) => {
                let hint = Hint::meant_or(near.as_deref(), || "write it as P-101.flow".to_owned());
                self.report.error("unknown-signal", given.span, item, brief, hint);
                None
            }
        }
    }

    /// An alarm by `P-101/vibration.high`.
    pub fn alarm(&mut self, given: &Spanned<String>, item: &str) -> Option<AlarmPath> {
        let path = given.parse::<AlarmPath>();
        let all = || self.scene.alarms.iter().map(|rule| AlarmPath::of_rule(rule, self.scene));
        match path {
            Ok(path) if all().any(|known| known == path) => return Some(path),
            Ok(_) => {
                let names: Vec<String> = all().map(|path| path.to_string()).collect();
                let near = nearest(given, names.iter().map(String::as_str));
                let brief = format!("there is no alarm `{}`", given.value);
                self.report.error("unknown-alarm", given.span, item, brief, Hint::meant(near));
            }
            Err(error) => self.report.error("unknown-alarm", given.span, item, error.to_string(), Hint::NONE),
        }
        None
    }

    /// A parameter or an input by `P-101.bearing.growth_rate`, or `P-101.growth_rate` where one machine of it has such.
    pub fn place(&mut self, given: &Spanned<String>, item: &str) -> Option<Place> {
        let found = self.machines(given).find_map(|(machine, name)| {
            let description = self.description(machine)?;
            if let Some(parameter) = description.parameter(name) {
                let said = &description.parameters[parameter];
                let target = Target::Parameter { machine, parameter };
                return Some(Place { target, name: said.name, unit: said.unit, role: Some(said.role) });
            }
            let input = description.input(name)?;
            let said = &description.inputs[input];
            let target = Target::Input { machine, input };
            Some(Place { target, name: said.name, unit: said.unit, role: None })
        });
        if found.is_none() {
            let names = self.paths(|one| {
                let parameters = one.parameters.iter().map(|one| one.name);
                parameters.chain(one.inputs.iter().map(|one| one.name)).collect()
            });
            let is_output = self.paths(|one| one.outputs.iter().map(|one| one.name).collect()).contains(&given.value);
            if is_output {
                let brief = format!("`{}` is an output, which follows from the rest", given.value);
                let hint = "`pollux models NAME` lists parameters and inputs, which can be set";
                self.report.error("unknown-target", given.span, item, brief, hint.into());
            } else {
                self.unknown("parameter or input", given, &names, item);
            }
        }
        found
    }

    /// A machine and one of its repairs by `P-101.bearing.replace_bearing`.
    pub fn repair(&mut self, given: &Spanned<String>, item: &str) -> Option<(usize, usize)> {
        let found =
            self.machines(given).find_map(|(machine, name)| Some((machine, self.description(machine)?.repair(name)?)));
        if found.is_none() {
            let names = self.paths(|one| one.repairs.iter().map(|one| one.name).collect());
            self.unknown("repair", given, &names, item);
        }
        found
    }

    /// From zero on.
    pub fn delay(&mut self, given: &Spanned<String>, item: &str, field: &str) -> Option<Duration> {
        let read = text::delay(given);
        read.map_err(|brief| {
            self.report.error("bad-duration", given.span, item, format!("{field}: {brief}"), Hint::NONE);
        })
        .ok()
    }

    /// In `unit`; `example` is shown where it is written wrongly.
    pub fn quantity(
        &mut self,
        given: &Spanned<QuantityDef>,
        item: &str,
        name: &str,
        unit: &str,
        example: Option<f64>,
    ) -> Option<f64> {
        models::quantity(item, name, unit, example, given, self.report)
    }

    /// A difference between two values of a quantity, in `unit`.
    pub fn difference(&mut self, given: &Spanned<QuantityDef>, item: &str, name: &str, unit: &str) -> Option<f64> {
        let found = match &given.value {
            QuantityDef::Text(text) => models::difference(text, &Unit::parse(unit).unwrap_or_default()),
            QuantityDef::Number(x) if unit.is_empty() => Ok(*x),
            _ => Err(format!("write it with a unit: \"1 {unit}\"")),
        };
        let told = |brief| self.report.error("bad-quantity", given.span, item, format!("{name}: {brief}"), Hint::NONE);
        found.map_err(told).ok()
    }

    /// What must be true or false, over signals: `signal("P-101.flow") > 5`.
    pub fn condition(&mut self, source: &Spanned<String>, item: &str, field: &'static str) -> Option<Condition> {
        let expression = signals::expression_of(item, field, source, self.report)?;
        if let Some(aggregate) = expression.compiled.aggregates().first() {
            let brief = format!("{field}: `{}` gathers over time", aggregate.function.name());
            let hint = "name a derived signal of the scene that does";
            self.report.error("bad-expression", source.span, item, brief, hint.into());
            return None;
        }
        let no_params = HashMap::new();
        let asker = Asker { scene: self.scene, twin: None, params: &no_params, item, field };
        let inputs = asker.inputs(&expression, self.report)?;
        let inputs: Vec<SignalIndex> = inputs.into_iter().map(|(_, signal)| signal).collect();
        let kinds: Vec<ValueKind> = inputs.iter().map(|signal| self.scene.signals[signal.at()].kind).collect();
        for flag in [true, false] {
            let values: Vec<Value> = kinds.iter().map(|kind| kind.example(flag)).collect();
            let brief = match expression.compiled.eval_strictly(&values) {
                Ok(Value::Bool(_)) => continue,
                Ok(other) => format!("{field}: gives a {:?}, and a Bool is needed", ValueKind::of(&other)),
                Err(error) => format!("{field}: {error}"),
            };
            let hint = "compare: signal(\"P-101.flow\") > 5";
            self.report.error("bad-expression", source.span, item, brief, hint.into());
            return None;
        }
        Some(Condition { source: source.value.clone(), inputs, compiled: expression.compiled })
    }

    /// Of a machine of the scene's blueprint.
    pub fn description(&self, machine: usize) -> Option<&'static crate::model::Description> {
        Some(self.scene.blueprint.as_ref()?.machines.get(machine)?.model.description())
    }

    /// Machines that a path may speak of, each with the name of what it may name there: the machine itself, or each of
    /// those that a twin is made of.
    fn machines<'p>(&self, path: &'p str) -> impl Iterator<Item = (usize, &'p str)> {
        let (id, name) = path.rsplit_once('.').unwrap_or(("", path));
        let machines = self.scene.blueprint.iter().flat_map(|blueprint| &blueprint.machines).enumerate();
        let whole = machines.clone().filter(move |(_, machine)| machine.id == id).map(|(at, _)| at);
        let parts = machines.filter(move |(_, machine)| {
            machine.id.strip_prefix(id).and_then(|rest| rest.strip_prefix('.')).is_some_and(|part| !part.contains('.'))
        });
        let having = |machine: usize| {
            self.description(machine).is_some_and(|one| {
                one.parameter(name).is_some() || one.input(name).is_some() || one.repair(name).is_some()
            })
        };
        let parts: Vec<usize> = parts.map(|(at, _)| at).filter(|at| having(*at)).collect();
        // What two machines of a twin have must be said with the machine.
        let only = (parts.len() == 1).then(|| parts[0]);
        whole.chain(only).collect::<Vec<_>>().into_iter().map(move |at| (at, name))
    }

    fn paths(&self, names: impl Fn(&'static crate::model::Description) -> Vec<&'static str>) -> Vec<String> {
        let machines = self.scene.blueprint.iter().flat_map(|blueprint| &blueprint.machines);
        let each = machines.flat_map(|machine| {
            let of = names(machine.model.description()).into_iter();
            of.map(|name| format!("{}.{name}", machine.id))
        });
        each.collect()
    }

    fn unknown(&mut self, what: &str, given: &Spanned<String>, names: &[String], item: &str) {
        let (twin, name) = given.rsplit_once('.').unwrap_or(("", given));
        // What two machines of a twin have is said with the machine.
        let is_meant = |path: &&String| {
            path.strip_prefix(twin)
                .and_then(|rest| rest.strip_prefix('.')?.strip_suffix(name)?.strip_suffix('.'))
                .is_some()
        };
        let several: Vec<&str> = names.iter().filter(is_meant).map(String::as_str).collect();
        let (brief, hint) = match several[..] {
            [_, _, ..] => {
                (format!("`{}` may be one of several", given.value), format!("write {}", several.join(" or ")))
            }
            _ => {
                let near = nearest(given, names.iter().map(String::as_str));
                let example = names.first().map_or_else(String::new, |path| format!(", such as {path}"));
                let hint = near.map(|near| format!("did you mean `{near}`?"));
                let hint = hint.unwrap_or_else(|| format!("`pollux models NAME` lists what a model has{example}"));
                (format!("there is no {what} `{}`", given.value), hint)
            }
        };
        let hint = Hint::from(hint);
        self.report.error("unknown-target", given.span, item, brief, hint);
    }
}
