//! Whether what a command asks for holds. In: requirements, arguments, what is known of signals, a moment. Out: yes, no or
//! not known, with the values that it was judged by. Pure.
//!
//! Nobody sends a command because of a value that says nothing of now, or that a fault or a model has made. So a value can
//! be used only if it
//! - is measured, or derived from measured ones that can all be used themselves,
//! - has not expired and is not bad; where its signal has no `expires` it counts for [`WITHOUT_EXPIRES`],
//! - is not a retained message of unknown age that no live message has confirmed yet,
//! - is not in doubt for another reason that its [`Reading`] says: its broker is not connected, the scene was read again.

use std::time::Duration;

use serde::Serialize;

use super::{Newest, Reading};
use crate::history::quality_at;
use crate::scene::commands::{Input, Requirement};
use crate::scene::{Scene, Signal};
use crate::value::{Grade, Reason, SignalIndex, Timestamp, Value};

/// How long a measured value counts where its signal has no `expires`: from when it was true, as far as that is known.
pub const WITHOUT_EXPIRES: Duration = Duration::from_secs(60);

/// What came of one requirement.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Judgement {
    pub source: String,
    /// None: not known, which is as good as no.
    pub holds: Option<bool>,
    pub findings: Vec<Finding>,
    /// None if it looks at no signal, or at one that was never seen.
    #[serde(skip)]
    pub came: Option<Came>,
}

/// When the values of a requirement came: of its signals, and of those from which they are derived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Came {
    /// The least receive time.
    pub first: Timestamp,
    /// The greatest receive time.
    pub last: Timestamp,
    /// The least source time.
    pub measured: Timestamp,
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

    /// Whether all of its values can be used, whatever it says of them.
    pub fn is_known(&self) -> bool {
        self.findings.iter().all(|finding| finding.why.is_empty())
    }

    /// When all of its values had come, if they are news of what a command of `since` has brought; else what is missing.
    pub fn news(&self, since: Timestamp) -> Result<Timestamp, &'static str> {
        match self.came {
            None => Err("nothing of it came since"),
            Some(came) if came.first <= since => Err("not all of its values came since"),
            Some(came) if came.measured < since => {
                Err("a value that came since tells a time before the command: does the clock of its device lag?")
            }
            Some(came) => Ok(came.last),
        }
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
    let (mut came, mut is_seen) = (None, true);
    for (name, input) in &requirement.inputs {
        let finding = match input {
            Input::Parameter(at) => {
                let unit = command.parameters.get(*at).map(|parameter| parameter.kind.unit().pretty());
                let value = arguments.get(*at).cloned();
                let why = if value.is_some() { String::new() } else { "not given".to_owned() };
                Finding { name: name.clone(), value, unit: unit.unwrap_or_default(), why }
            }
            Input::Signal(index) => {
                let reading = newest(*index);
                let why = why_not(*index, &reading, scene, newest, now);
                for index in scene.roots(*index).into_iter().chain([*index]) {
                    match newest(index).point {
                        Some(point) => widen(&mut came, point.receive_time, point.source_time),
                        None => is_seen = false,
                    }
                }
                let value = reading.point.filter(|point| point.quality.has_value()).map(|point| point.value);
                let unit = scene.signals.get(index.at()).map(|signal| signal.unit.pretty()).unwrap_or_default();
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
    Judgement { source: requirement.source.clone(), holds, findings, came: came.filter(|_| is_seen) }
}

fn widen(came: &mut Option<Came>, received: Timestamp, measured: Timestamp) {
    let known = came.get_or_insert(Came { first: received, last: received, measured });
    known.first = known.first.min(received);
    known.last = known.last.max(received);
    known.measured = known.measured.min(measured);
}

/// Why the value of a signal cannot be used; empty if it can.
fn why_not(index: SignalIndex, reading: &Reading, scene: &Scene, newest: Newest<'_>, now: Timestamp) -> String {
    let Some(signal) = scene.signals.get(index.at()) else { return "not in the scene".to_owned() };
    let roots = scene.roots(index);
    if roots == [index] {
        return fault(signal, reading, true, now).unwrap_or_default();
    }
    let of_roots = roots.iter().filter_map(|root| {
        let signal = scene.signals.get(root.at())?;
        Some(format!("derived from {}: {}", signal.name, fault(signal, &newest(*root), true, now)?))
    });
    fault(signal, reading, false, now).into_iter().chain(of_roots).next().unwrap_or_default()
}

fn fault(signal: &Signal, reading: &Reading, is_measured: bool, now: Timestamp) -> Option<String> {
    let point = reading.point.as_ref();
    let quality = quality_at(point, signal.expires, now);
    let Some(point) = point.filter(|_| !matches!(quality.grade, Grade::Stale | Grade::Bad)) else {
        return Some(quality.to_string().to_lowercase());
    };
    if let Some(mark) = point.origin.mark() {
        return Some(format!("{}, not measured", mark.name()));
    }
    if quality.reason == Reason::Retained {
        return Some("retained by the broker: no live message has confirmed it yet".to_owned());
    }
    if is_measured && signal.expires.is_none() && now > point.source_time + WITHOUT_EXPIRES {
        let age = now.secs_since(point.source_time);
        return Some(format!("{age:.0} s old: without `expires` a value counts for {WITHOUT_EXPIRES:?}"));
    }
    reading.doubt.clone()
}
