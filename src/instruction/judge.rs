//! Whether what a command asks for holds. In: requirements, arguments, the newest samples, a moment. Out: yes, no or not
//! known, with the values that it was judged by. Pure.
//!
//! A value counts only if it is measured, or derived from what was, has not expired and is not bad: nobody sends a
//! command because of a value that a fault or a model has made.

use serde::Serialize;

use super::Newest;
use crate::history::quality_at;
use crate::scene::Scene;
use crate::scene::commands::{Input, Requirement};
use crate::value::{Grade, Timestamp, Value};

/// What came of one requirement.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Judgement {
    pub source: String,
    /// None: not known, which is as good as no.
    pub holds: Option<bool>,
    pub findings: Vec<Finding>,
    /// The newest receive time of its signals.
    #[serde(skip)]
    pub evidence_at: Option<Timestamp>,
}

/// What one name of a requirement stood for.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Finding {
    pub name: String,
    pub value: Option<Value>,
    pub unit: String,
    /// Why the value cannot be used; empty if it can.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
}

impl Judgement {
    /// `level > 0.5 does not hold: level is 0.3 m`
    pub fn text(&self) -> String {
        let verdict = match self.holds {
            Some(true) => "holds",
            Some(false) => "does not hold",
            None => "is not known to hold",
        };
        let findings: Vec<String> = self.findings.iter().map(Finding::text).collect();
        let colon = if findings.is_empty() { "" } else { ": " };
        format!("{} {verdict}{colon}{}", self.source, findings.join(", "))
    }
}

impl Finding {
    fn text(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        match (&self.value, self.why.as_str()) {
            (Some(value), "") => format!("{} is {value}{unit}", self.name),
            (Some(value), why) => format!("{} is {value}{unit}, {why}", self.name),
            (None, why) => format!("{} has no value, {why}", self.name),
        }
    }
}

/// Judges a requirement at the moment `now`.
pub fn judge(
    requirement: &Requirement,
    command: &crate::scene::Command,
    arguments: &[Value],
    scene: &Scene,
    newest: Newest<'_>,
    now: Timestamp,
) -> Judgement {
    let mut values = Vec::with_capacity(requirement.inputs.len());
    let mut findings = Vec::with_capacity(requirement.inputs.len());
    let mut evidence_at = None;
    for (name, input) in &requirement.inputs {
        let finding = match input {
            Input::Parameter(at) => {
                let unit = command.parameters.get(*at).map(|parameter| parameter.kind.unit().pretty());
                let value = arguments.get(*at).cloned();
                let why = if value.is_some() { String::new() } else { "not given".to_owned() };
                Finding { name: name.clone(), value, unit: unit.unwrap_or_default(), why }
            }
            Input::Signal(index) => {
                let point = newest(*index);
                let signal = scene.signals.get(index.at());
                let quality = quality_at(point.as_ref(), signal.and_then(|signal| signal.expires), now);
                evidence_at = evidence_at.max(point.as_ref().map(|point| point.receive_time));
                let mark = point.as_ref().and_then(|point| point.origin.mark());
                let why = match (quality.grade, mark) {
                    (Grade::Stale | Grade::Bad, _) => quality.to_string().to_lowercase(),
                    (_, Some(mark)) => format!("{}, not measured", mark.name()),
                    _ => String::new(),
                };
                let value = point.filter(|point| point.quality.has_value()).map(|point| point.value);
                let unit = signal.map(|signal| signal.unit.pretty()).unwrap_or_default();
                Finding { name: name.clone(), value, unit, why }
            }
        };
        if let (Some(value), "") = (&finding.value, finding.why.as_str()) {
            values.push(value.clone());
        }
        findings.push(finding);
    }
    let is_whole = values.len() == requirement.inputs.len();
    let holds = match is_whole.then(|| requirement.compiled.eval(&values)) {
        Some(Ok(Value::Bool(holds))) => Some(holds),
        _ => None,
    };
    Judgement { source: requirement.source.clone(), holds, findings, evidence_at }
}
