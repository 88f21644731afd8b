//! How messages of a simulated plant go out, checked. In: `messages` of types and twins. Out: one [`Message`] for each
//! topic; or what does not fit.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;

use super::format::{MessageDef, Table};
use super::machines::Machines;
use super::models;
use super::nearest::nearest;
use super::report::{Hint, Report};
use super::resolved::{Scene, Signal, SignalSource};
use super::simulated::{Message, WaveformOf};
use super::span::Spanned;
use super::text::{self, Template};
use crate::value::TwinIndex;

/// More samples in one message would be a message that nobody reads.
const MOST_SAMPLES: f64 = 100_000.0;
/// Placeholders that change from message to message.
const CHANGING: [&str; 2] = ["sequence", "time"];

/// What `over` says over `base`, field by field.
pub(super) fn merge(base: &MessageDef, over: &MessageDef) -> MessageDef {
    let mut waveforms = base.waveforms.clone();
    for (pointer, def) in &over.waveforms.0 {
        match waveforms.0.iter_mut().find(|(known, _)| known.value == pointer.value) {
            Some(known) => *known = (pointer.clone(), def.clone()),
            None => waveforms.0.push((pointer.clone(), def.clone())),
        }
    }
    MessageDef {
        every: over.every.clone().or_else(|| base.every.clone()),
        on_change: over.on_change.or(base.on_change),
        retain: over.retain.or(base.retain),
        qos: over.qos.clone().or_else(|| base.qos.clone()),
        payload: over.payload.clone().or_else(|| base.payload.clone()),
        waveforms,
    }
}

/// What the type of a twin says of its messages, and what its placeholders stand for.
pub(super) type Told = (TwinIndex, Table<MessageDef>, Arc<HashMap<String, String>>);

pub(super) fn resolve(told: &[Told], machines: &Machines, scene: &mut Scene, report: &mut Report) {
    for (twin, messages, params) in told {
        let asked = Asked { twin: *twin, params, machines };
        for (topic, def) in &messages.0 {
            let Some(message) = asked.message(topic, def, scene, report) else { continue };
            match scene.messages.iter().find(|known| known.topic == message.topic) {
                Some(known) if Message { twin: known.twin, ..message.clone() } == *known => {}
                Some(known) => {
                    let other = &scene.twins[known.twin.at()].id;
                    let brief = format!("{other} says something else of the messages of `{}`", message.topic);
                    let item = scene.twins[twin.at()].id.clone();
                    report.error("two-messages", topic.span, &item, brief, "say it once".into());
                }
                None => scene.messages.push(message),
            }
        }
    }
}

/// The messages of one twin.
struct Asked<'a> {
    twin: TwinIndex,
    params: &'a HashMap<String, String>,
    machines: &'a Machines,
}

impl Asked<'_> {
    fn message(
        &self,
        topic: &Spanned<String>,
        def: &MessageDef,
        scene: &Scene,
        report: &mut Report,
    ) -> Option<Message> {
        let item = &scene.twins[self.twin.at()].id;
        let name = match self.fill(topic, scene) {
            Ok(name) => name,
            Err(brief) => {
                report.error("unknown-placeholder", topic.span, item, format!("topic {brief}"), Hint::NONE);
                return None;
            }
        };
        let fault = match name.contains(['+', '#']) {
            true => Some("has wildcards, and a message goes to one topic".to_owned()),
            false => text::filter_fault(&name).map(str::to_owned),
        };
        if let Some(fault) = fault {
            report.error("bad-topic", topic.span, item, format!("the topic `{name}` {fault}"), Hint::NONE);
            return None;
        }
        let bound = |signal: &&Signal| match &signal.source {
            SignalSource::Mqtt(binding) => binding.topic == name,
            _ => false,
        };
        if scene.signals.iter().find(bound).is_none() {
            let topics = scene.signals.iter().filter_map(|signal| match &signal.source {
                SignalSource::Mqtt(binding) if signal.twin == self.twin => Some(binding.topic.as_str()),
                _ => None,
            });
            let brief = format!("no signal is bound to the topic `{name}`");
            let otherwise = || "a twin that listens would not know it".to_owned();
            report.warning("unknown-topic", topic.span, item, brief, Hint::meant_or(nearest(&name, topics), otherwise));
        }
        let every = def.every.as_ref().and_then(|given| match text::duration(given) {
            Ok(duration) => Some(duration),
            Err(brief) => {
                report.error("bad-duration", given.span, item, format!("every: {brief}"), Hint::NONE);
                None
            }
        });
        let qos = def.qos.as_ref().map_or(0, |qos| match qos.value {
            0..=2 => qos.value as u8,
            other => {
                report.error("bad-value", qos.span, item, format!("qos must be 0, 1 or 2, found {other}"), Hint::NONE);
                0
            }
        });
        Some(Message {
            twin: self.twin,
            topic: name,
            every,
            on_change: def.on_change.unwrap_or(false),
            retain: def.retain.unwrap_or(false),
            qos,
            payload: def.payload.as_ref().map_or(Some(Json::Null), |given| self.payload(given, item, scene, report))?,
            waveforms: self.waveforms(def, every, item, report),
        })
    }

    /// JSON whose texts have their placeholders filled, but for those that change.
    fn payload(&self, given: &Spanned<String>, item: &str, scene: &Scene, report: &mut Report) -> Option<Json> {
        let mut json: Json = match serde_json::from_str(given) {
            Ok(json) => json,
            Err(error) => {
                let hint = "a payload is JSON in a raw string: payload: r#\"{\"unit\": \"bar\"}\"#";
                report.error("bad-payload", given.span, item, format!("payload: {error}"), hint.into());
                return None;
            }
        };
        match self.fill_all(&mut json, scene) {
            Ok(()) => Some(json),
            Err(brief) => {
                report.error("unknown-placeholder", given.span, item, format!("payload {brief}"), Hint::NONE);
                None
            }
        }
    }

    fn fill_all(&self, json: &mut Json, scene: &Scene) -> Result<(), String> {
        match json {
            Json::String(text) if CHANGING.iter().any(|name| *text == format!("{{{name}}}")) => Ok(()),
            Json::String(text) => self.fill(text, scene).map(|filled| *text = filled),
            Json::Array(list) => list.iter_mut().try_for_each(|one| self.fill_all(one, scene)),
            Json::Object(fields) => fields.values_mut().try_for_each(|one| self.fill_all(one, scene)),
            Json::Null | Json::Bool(_) | Json::Number(_) => Ok(()),
        }
    }

    fn fill(&self, text: &str, scene: &Scene) -> Result<String, String> {
        let twin = &scene.twins[self.twin.at()];
        let template = Template::parse(text)?;
        let filled = template.fill(|name| match name {
            "id" => Some(&twin.id),
            "type" => Some(&twin.type_name),
            other => self.params.get(other).map(String::as_str),
        });
        filled.map_err(|name| format!("has the placeholder {{{name}}}, which this twin does not fill"))
    }

    fn waveforms(&self, def: &MessageDef, every: Option<Duration>, item: &str, report: &mut Report) -> Vec<WaveformOf> {
        let mut found = Vec::new();
        for (pointer, waveform) in &def.waveforms.0 {
            let Some((machine, number)) = self.machines.waveform(self.twin, &waveform.of, item, report) else {
                continue;
            };
            let Some(rate) = models::quantity(item, "rate", "Hz", Some(250.0), &waveform.rate, report) else {
                continue;
            };
            let duration = match &waveform.duration {
                Some(given) => match text::duration(given) {
                    Ok(duration) => duration,
                    Err(brief) => {
                        report.error("bad-duration", given.span, item, format!("duration: {brief}"), Hint::NONE);
                        continue;
                    }
                },
                None => match every {
                    Some(every) => every,
                    None => {
                        let brief = "a waveform needs the time for which it samples";
                        let hint = "add every: \"1s\" to the message, or duration: \"1s\" to the waveform";
                        report.error("missing-field", pointer.span, item, brief, hint.into());
                        continue;
                    }
                },
            };
            let samples = rate * duration.as_secs_f64();
            if !pointer.starts_with('/') || !(1.0..=MOST_SAMPLES).contains(&samples) {
                let brief = format!(
                    "a waveform has a JSON pointer such as `/ecg` and 1 to {MOST_SAMPLES} samples in a message"
                );
                report.error("bad-waveform", pointer.span, item, brief, Hint::NONE);
                continue;
            }
            let unit = self.machines.description(machine).map_or("", |all| all.waveforms[number].unit);
            let resolution = waveform.resolution.as_ref();
            let resolution =
                resolution.and_then(|given| models::quantity(item, "resolution", unit, None, given, report));
            let resolution = resolution.unwrap_or(0.0);
            let pointer = pointer.value.clone();
            let count = samples.round() as usize;
            found.push(WaveformOf { pointer, machine, waveform: number, rate, count, resolution });
        }
        found
    }
}
