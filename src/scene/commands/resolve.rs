//! Makes commands of twins out of prepared ones. In: commands whose names are texts, all twins and signals. Out: commands
//! with indices and filled topics.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::super::references::Asker;
use super::super::report::{Hint, Report};
use super::super::resolved::{Scene, SignalSource, ValueKind};
use super::super::signals::Expression;
use super::super::text;
use super::{
    Answer, Command, Evidence, Input, Pattern, Payload, Piece, Prepared, PreparedEvidence, PreparedPayload,
    PreparedPiece, Requirement, TOKEN, Verify,
};
use crate::value::topic::matches;
use crate::value::{SignalIndex, TwinIndex, Value};

/// The commands of one twin, to be resolved once all twins are there.
pub(in crate::scene) struct Pending {
    pub twin: TwinIndex,
    pub commands: Arc<[Prepared]>,
    pub params: Arc<HashMap<String, String>>,
}

/// Commands of all twins, in the order of `pending`.
pub(in crate::scene) fn resolve(pending: &[Pending], scene: &Scene, report: &mut Report) -> Vec<Command> {
    let each = pending.iter().flat_map(|one| one.commands.iter().map(move |command| (one, command)));
    let resolved: Vec<_> =
        each.filter_map(|(one, command)| Some((command, resolve_one(one, command, scene, report)?))).collect();
    let told = |command: &Command| (command.broker.clone(), command.topic.clone());
    let topics: BTreeSet<_> = resolved.iter().map(|(_, command)| told(command)).collect();
    for (prepared, command) in &resolved {
        check_evidence(prepared, command, &topics, scene, report);
        check_expires(prepared, command, scene, report);
    }
    resolved.into_iter().map(|(_, command)| command).collect()
}

/// What this program says itself, and hears again from the broker, is no evidence. `topics` are all those that commands go
/// to, with the brokers.
fn check_evidence(
    prepared: &Prepared,
    command: &Command,
    topics: &BTreeSet<(Option<String>, String)>,
    scene: &Scene,
    report: &mut Report,
) {
    let (Some(verify), Some((written, _))) = (&command.verify, &prepared.verify) else { return };
    let item = scene.command_path(command);
    match (&verify.by, written) {
        (Evidence::Answer(answer), PreparedEvidence::Answer { topic, .. }) => {
            let is_own = |(broker, to): &(Option<String>, String)| {
                *to == answer.topic && command.shares_broker(broker.as_deref())
            };
            if topics.iter().any(is_own) {
                let brief =
                    format!("verify: commands go to the topic {:?}: what is heard there is their echo", answer.topic);
                report.error(
                    "own-echo",
                    topic.text.span,
                    &item,
                    brief,
                    "name the topic that the equipment answers on".into(),
                );
            }
        }
        (Evidence::That(that), PreparedEvidence::That(source)) => {
            let roots = signals(that).flat_map(|signal| scene.roots(signal));
            let echo = roots.filter_map(|root| scene.signals.get(root.at())).find(|signal| match &signal.source {
                SignalSource::Mqtt(binding) => {
                    command.shares_broker(binding.broker.as_deref()) && matches(&binding.topic, &command.topic)
                }
                SignalSource::Derived(_) | SignalSource::Unbound => false,
            });
            if let Some(signal) = echo {
                let brief = format!(
                    "verify.that: `{}` is heard on the command's own topic {:?}: it is an echo, and no evidence",
                    signal.name, command.topic
                );
                let hint = "compare what the equipment reports on another topic";
                report.error("own-echo", source.source.span, &item, brief, hint.into());
            }
        }
        _ => {}
    }
}

/// Without `expires` nothing says how long a measured value may be relied on.
fn check_expires(prepared: &Prepared, command: &Command, scene: &Scene, report: &mut Report) {
    for (source, constraint) in prepared.constraints.iter().zip(&command.constraints) {
        let roots = signals(constraint).flat_map(|signal| scene.roots(signal));
        for signal in roots.filter_map(|root| scene.signals.get(root.at())).filter(|signal| signal.expires.is_none()) {
            let brief = format!(
                "constraints: `{}` has no `expires`: its values count for 1 min from when they were true, and not longer",
                signal.name
            );
            let hint = "add expires: \"5s\" to the signal: some times as long as it usually takes to come again";
            report.warning(
                "constraint-without-expires",
                source.source.span,
                &scene.command_path(command),
                brief,
                hint.into(),
            );
        }
    }
}

fn signals(requirement: &Requirement) -> impl Iterator<Item = SignalIndex> {
    requirement.inputs.iter().filter_map(|(_, input)| match input {
        Input::Signal(signal) => Some(*signal),
        Input::Parameter(_) => None,
    })
}

fn resolve_one(one: &Pending, command: &Prepared, scene: &Scene, report: &mut Report) -> Option<Command> {
    let twin = scene.twins.get(one.twin.at())?;
    let item = format!("{}.{}", twin.id, command.name.value);
    let asked = Asked { one, command, scene, item: &item };
    let constraints: Vec<Option<Requirement>> =
        command.constraints.iter().map(|source| asked.requirement(source, "constraints", report)).collect();
    let topic = command.topic.as_ref().and_then(|topic| asked.topic(topic, report));
    let payload = match &command.payload {
        None => None,
        Some(PreparedPayload::Raw(piece)) => asked.piece(piece, report).map(Payload::Raw),
        Some(PreparedPayload::Json(pieces)) => {
            let pieces: Vec<_> =
                pieces.iter().map(|(pointer, piece)| Some((pointer.clone(), asked.piece(piece, report)?))).collect();
            pieces.into_iter().collect::<Option<Vec<_>>>().map(Payload::Json)
        }
    };
    let verify = match &command.verify {
        None => None,
        Some((evidence, within)) => {
            let by = match evidence {
                PreparedEvidence::That(that) => Evidence::That(asked.requirement(that, "verify.that", report)?),
                PreparedEvidence::Answer { topic, pointer, equals, token } => Evidence::Answer(Answer {
                    topic: asked.topic(topic, report)?,
                    pointer: pointer.clone(),
                    equals: equals.clone(),
                    token: token.clone(),
                }),
            };
            Some(Verify { by, within: *within })
        }
    };
    Some(Command {
        twin: one.twin,
        name: command.name.value.clone(),
        about: command.about.clone(),
        parameters: command.parameters.clone(),
        significance: command.significance,
        constraints: constraints.into_iter().collect::<Option<Vec<_>>>()?,
        broker: command.broker.clone(),
        topic: topic?,
        payload: payload?,
        qos: command.qos,
        arming: command.arming,
        verify,
    })
}

/// One command of one twin.
struct Asked<'a> {
    one: &'a Pending,
    command: &'a Prepared,
    scene: &'a Scene,
    item: &'a str,
}

impl Asked<'_> {
    /// `token` stands for the placeholder of that name, where there may be one.
    fn filled(&self, pattern: &Pattern, token: Option<&str>, report: &mut Report) -> Option<String> {
        let twin = self.scene.twins.get(self.one.twin.at())?;
        let filled = pattern.template.fill(|name| match name {
            "token" if token.is_some() => token,
            "id" => Some(&twin.id),
            "type" => Some(&twin.type_name),
            other => self.one.params.get(other).map(String::as_str),
        });
        filled
            .map_err(|name| {
                let brief = format!("has the placeholder {{{name}}}, which this twin does not fill");
                let hint = format!("add params: {{\"{name}\": \"…\"}} to the twin or to its type");
                report.error("unknown-placeholder", pattern.text.span, self.item, brief, hint.into());
            })
            .ok()
    }

    fn topic(&self, pattern: &Pattern, report: &mut Report) -> Option<String> {
        let topic = self.filled(pattern, None, report)?;
        let fault = match topic.contains(['+', '#']) {
            true => Some("has wildcards, and a message goes to one topic"),
            false => text::filter_fault(&topic),
        };
        match fault {
            Some(fault) => {
                let brief = format!("the topic {topic:?}, made from {:?}, {fault}", pattern.text.value);
                report.error("bad-topic", pattern.text.span, self.item, brief, "check id and params".into());
                None
            }
            None => Some(topic),
        }
    }

    fn piece(&self, piece: &PreparedPiece, report: &mut Report) -> Option<Piece> {
        match piece {
            PreparedPiece::Ready(piece) => Some(piece.clone()),
            PreparedPiece::Text(pattern) => {
                self.filled(pattern, Some(TOKEN), report).map(|text| match text.contains(TOKEN) {
                    true => Piece::Token(text),
                    false => Piece::Constant(Value::Text(text.into())),
                })
            }
        }
    }

    /// An expression whose bare names are parameters of the command or signals of the twin.
    fn requirement(&self, source: &Expression, field: &'static str, report: &mut Report) -> Option<Requirement> {
        let Self { one, command, scene, item } = self;
        let asker = Asker { scene, twin: scene.twins.get(one.twin.at()), params: &one.params, item, field };
        let mut inputs = Vec::with_capacity(source.references.len());
        for reference in source.references.iter() {
            let span = report.inside(source.source.span, &source.source, reference.at.clone());
            let parameter =
                command.parameters.iter().position(|known| !reference.quoted && known.name == reference.text);
            let input = match (parameter, asker.signal(&reference.text)) {
                _ if reference.is_output => {
                    let brief = format!("{field}: outputs of models are for `measures`: commands follow signals");
                    report.error("bad-expression", span, item, brief, "write signal(\"P-101.flow\")".into());
                    return None;
                }
                (Some(_), Ok(_)) => {
                    let brief = format!("{field}: `{}` is a parameter and a signal of the twin", reference.text);
                    let hint = format!("write signal(\"{{id}}.{}\"), or rename the parameter", reference.text);
                    report.error("ambiguous-name", span, item, brief, hint.into());
                    return None;
                }
                (Some(at), Err(_)) => Input::Parameter(at),
                (None, Ok(signal)) => Input::Signal(signal.index),
                (None, Err((brief, near))) => {
                    let hint = Hint::meant_or(near.as_deref(), || {
                        "parameters and signals of this twin stand by name, others as signal(\"P-101.flow\")".to_owned()
                    });
                    report.error("unknown-signal", span, item, format!("{field}: {brief}"), hint);
                    return None;
                }
            };
            inputs.push((reference.text.clone(), input));
        }
        let kind = |input: &Input| match input {
            Input::Signal(signal) => scene.signals.get(signal.at()).map(|signal| signal.kind),
            Input::Parameter(at) => command.parameters.get(*at).map(|parameter| parameter.kind.kind()),
        };
        let kinds: Vec<ValueKind> = inputs.iter().filter_map(|(_, input)| kind(input)).collect();
        for flag in [true, false] {
            let values: Vec<Value> = kinds.iter().map(|kind| kind.example(flag)).collect();
            let brief = match source.compiled.eval_strictly(&values) {
                Ok(Value::Bool(_)) => continue,
                Ok(other) => format!("{field}: gives a {:?}, and true or false is needed", ValueKind::of(&other)),
                Err(error) => format!("{field}: {error}"),
            };
            report.error("bad-expression", source.source.span, item, brief, "compare: level > 0.5".into());
            return None;
        }
        Some(Requirement { source: source.source.value.clone(), inputs, compiled: source.compiled.clone() })
    }
}
