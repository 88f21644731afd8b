//! Makes commands of twins out of prepared ones. In: commands whose names are texts, all twins and signals. Out: commands
//! with indices and filled topics.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::references::Asker;
use super::super::report::{Hint, Report};
use super::super::resolved::{Scene, ValueKind};
use super::super::signals::Expression;
use super::super::text;
use super::{
    Answer, Command, Evidence, Input, Pattern, Payload, Piece, Prepared, PreparedEvidence, PreparedPayload,
    PreparedPiece, Requirement, Verify,
};
use crate::value::{TwinIndex, Value};

/// The commands of one twin, to be resolved once all twins are there.
pub(in crate::scene) struct Pending {
    pub twin: TwinIndex,
    pub commands: Arc<[Prepared]>,
    pub params: Arc<HashMap<String, String>>,
}

/// Commands of all twins, in the order of `pending`.
pub(in crate::scene) fn resolve(pending: &[Pending], scene: &Scene, report: &mut Report) -> Vec<Command> {
    let each = pending.iter().flat_map(|one| one.commands.iter().map(move |command| (one, command)));
    each.filter_map(|(one, command)| resolve_one(one, command, scene, report)).collect()
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
    fn filled(&self, pattern: &Pattern, report: &mut Report) -> Option<String> {
        let twin = self.scene.twins.get(self.one.twin.at())?;
        let filled = pattern.template.fill(|name| match name {
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
        let topic = self.filled(pattern, report)?;
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
                self.filled(pattern, report).map(|text| Piece::Constant(Value::Text(text.into())))
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
