//! What inputs of models follow, checked. In: feeds as scenes write them, the machines of the scene. Out: what feeds an
//! input when the plant is simulated, and the signal that it follows where its source is not.

use std::collections::HashMap;

use super::format::{FeedDef, FeedFields, QuantityDef};
use super::formulas;
use super::machines::{Machines, Owner, unknown};
use super::models;
use super::references;
use super::report::{Hint, Report};
use super::resolved::{Scene, Signal, ValueKind};
use super::simulated::{Follow, ProfileOf, Seen};
use super::span::{Span, Spanned};
use super::text;
use crate::model::Input;
use crate::network::{Blueprint, Feed, Function};
use crate::value::{Conversion, SignalIndex, Unit, Value};

/// Sets what the inputs of an owner's machines follow. `spans` gets the place of each feed, by machine and input.
pub(super) fn resolve(
    owner: &Owner,
    machines: &Machines,
    scene: &mut Scene,
    blueprint: &mut Blueprint,
    spans: &mut HashMap<(usize, usize), Span>,
    report: &mut Report,
) {
    for (path, def) in &owner.models.inputs {
        let found = owner.models.find(path, |description, name| description.input(name).is_some());
        let Some((part, name)) = found else {
            let names = owner.models.paths(|description| description.inputs.iter().map(|one| one.name).collect());
            unknown("input", path, &names, &owner.id, report);
            continue;
        };
        let description = owner.models.parts[part].model.description();
        let input = description.input(name).unwrap_or(0);
        let (machine, said) = (owner.first + part, &description.inputs[input]);
        let takes_any = description.is_program;
        let item = format!("{}.{}", owner.id.value, path.value);
        let fields = match &def.value {
            FeedDef::Quantity(QuantityDef::Text(text)) if !models::is_quantity(text) => {
                FeedFields { from: Some(Spanned::new(text.clone(), def.span)), ..FeedFields::default() }
            }
            FeedDef::Quantity(quantity) => {
                FeedFields { value: Some(Spanned::new(quantity.clone(), def.span)), ..FeedFields::default() }
            }
            FeedDef::From(fields) => (**fields).clone(),
        };
        let asked = Asked { owner, machines, said, takes_any, item: &item, span: def.span };
        spans.insert((machine, input), def.span);
        let feed = asked.feed(&fields, scene, blueprint, report);
        let mut follow = |name: &Option<Spanned<String>>, field| {
            let (signal, conversion) = asked.signal(name.as_ref()?, field, feed.as_ref(), scene, report)?;
            Some(Follow { machine, input, signal, conversion })
        };
        let (signal, command) = (follow(&fields.signal, "signal"), follow(&fields.command, "command"));
        if let Some(command) = &command
            && let Err(brief) = comes_by_itself(&scene.signals[command.signal.at()])
        {
            let span = fields.command.as_ref().map_or(def.span, |name| name.span);
            report.error("bad-command", span, &item, brief, "a command comes on one topic of its own".into());
        }
        if let Some(command) = &command {
            warn_of_silence(owner, command, scene, &item, def.span, report);
        }
        if let Some(feed) = feed {
            blueprint.machines[machine].inputs[input] = feed;
        }
        scene.watched.extend(signal.or(command));
        scene.commanded.extend(command);
    }
}

/// A plant that is commanded says nothing on the topic of a command: what its own twin measures there would be gone.
fn warn_of_silence(owner: &Owner, command: &Follow, scene: &Scene, item: &str, span: Span, report: &mut Report) {
    let topic = scene.signals[command.signal.at()].topic();
    let own = scene.signals.iter().find(|signal| {
        Some(signal.twin) == owner.twin && signal.topic() == topic && scene.measures.contains_key(&signal.index)
    });
    if let Some(own) = own {
        let brief = format!(
            "command: `{}` comes on the same topic, which a plant that is commanded leaves to who commands it: it will not be \
             sent then",
            own.name
        );
        report.warning("bad-command", span, item, brief, "give the command a topic of its own".into());
    }
}

/// Whether a command can be heard: it comes on one topic.
fn comes_by_itself(signal: &Signal) -> Result<(), String> {
    match signal.topic() {
        Some(topic) if topic.contains(['+', '#']) => {
            Err(format!("command: `{}` comes on any topic of `{topic}`", signal.name))
        }
        Some(_) => Ok(()),
        None => Err(format!("command: no topic brings `{}`", signal.name)),
    }
}

/// One input.
struct Asked<'a> {
    owner: &'a Owner,
    machines: &'a Machines,
    said: &'a Input,
    /// Whether it belongs to a controller or a generator, which have no unit of their own where they name none.
    takes_any: bool,
    item: &'a str,
    span: Span,
}

impl Asked<'_> {
    /// What feeds it when it is simulated; none where that is not said, or is wrong.
    fn feed(
        &self,
        fields: &FeedFields,
        scene: &mut Scene,
        blueprint: &mut Blueprint,
        report: &mut Report,
    ) -> Option<Feed> {
        let FeedFields { value, from, by, file, of, unit, repeats, scale, offset, delayed, signal, command } = fields;
        let (is_scaled, is_filed) = (scale.is_some() || offset.is_some(), of.is_some() || unit.is_some());
        let has_rest = match (value, from, by, file) {
            (Some(_), None, None, None) => is_scaled || is_filed || repeats.is_some() || *delayed,
            (None, Some(_), None, None) => is_filed || repeats.is_some(),
            (None, None, Some(_), None) => is_scaled || is_filed || repeats.is_some(),
            (None, None, None, Some(_)) => of.is_none() || *delayed,
            (None, None, None, None) if signal.is_some() || command.is_some() => {
                is_scaled || is_filed || repeats.is_some() || *delayed
            }
            _ => true,
        };
        if has_rest {
            let brief = "follows one thing: a quantity, an output, an expression over outputs, or something of a file";
            let hint = "give `value: \"3 m3/h\"`; `from: \"T-1.level\"`, perhaps with scale, offset and delayed; `by: \
                        \"…\"`, perhaps delayed; or `file: \"demand.csv\", of: \"demand\"`, perhaps with unit, scale, \
                        offset and repeats";
            report.error("bad-input", self.span, self.item, brief, hint.into());
            return None;
        }
        if scale.is_some_and(|scale| !scale.is_finite()) {
            report.error("bad-value", self.span, self.item, "scale is no number", Hint::NONE);
            return None;
        }
        if let Some(value) = value {
            let Input { name, unit, default, .. } = self.said;
            return models::quantity(self.item, name, unit, *default, value, report).map(Feed::Constant);
        }
        if let Some(source) = by {
            return self.formula(source, *delayed, report);
        }
        if let Some(from) = from {
            return self.output(from, fields, report);
        }
        let profile = self.profile(file.as_ref()?, of.as_ref()?, fields, scene, report)?;
        blueprint.outside.push(profile.item.clone());
        scene.profiles.push(profile);
        Some(Feed::Outside(blueprint.outside.len() - 1))
    }

    fn formula(&self, source: &Spanned<String>, delayed: bool, report: &mut Report) -> Option<Feed> {
        let asker = formulas::Asker { owner: self.owner, machines: self.machines, item: self.item };
        let formula = asker.formula(source, &[ValueKind::Number, ValueKind::Bool], report)?;
        let (of, text) = (formula.inputs.clone(), formula.source.clone());
        let function =
            Function { text, of: std::sync::Arc::new(move |outputs| number(formula.value(outputs.iter().copied())?)) };
        Some(Feed::Formula { of, function, delayed })
    }

    /// An output by the path that the scene gives, converted to the unit of the input.
    fn output(&self, from: &Spanned<String>, fields: &FeedFields, report: &mut Report) -> Option<Feed> {
        let path = self.machines.filled(self.owner, from, self.item, report)?;
        let Some((machine, output)) = self.machines.locate(&path) else {
            self.machines.miss(&path, from.span, self.item, report);
            return None;
        };
        let description = self.machines.description(machine)?;
        let given = description.outputs[output].unit;
        let known = Unit::parse(given).ok()?;
        let Some(conversion) = self.conversion(&known, description.is_program, fields.scale.is_some()) else {
            let brief = format!("`{path}` {}", self.unlike(&known));
            let hint = match (given, self.said.unit) {
                (_, "") => "`scale` says which share one unit of it is",
                ("", _) => "`scale` says how much of the unit it is",
                _ => "with `scale` alone it would mean something else",
            };
            report.error("unit-mismatch", from.span, self.item, brief, hint.into());
            return None;
        };
        let scaled = self.scaled(conversion, fields, report)?;
        let (scale, offset) = (scaled.scale(), scaled.offset());
        Some(Feed::Output { machine, output, scale, offset, delayed: fields.delayed })
    }

    /// Something of a file; what the file holds is read by those who simulate.
    fn profile(
        &self,
        file: &Spanned<String>,
        of: &Spanned<String>,
        fields: &FeedFields,
        scene: &Scene,
        report: &mut Report,
    ) -> Option<ProfileOf> {
        let is_recording = file.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case("mcap"));
        let own = Unit::parse(self.said.unit).unwrap_or_default();
        let unit = match &fields.unit {
            Some(unit) if is_recording => {
                let brief = "unit: recorded signals have a unit of their own";
                report.error("bad-input", unit.span, self.item, brief, "leave `unit` out".into());
                return None;
            }
            Some(given) => match Unit::parse(given) {
                Ok(unit) => unit,
                Err(error) => {
                    let hint = Hint::meant(error.nearest);
                    report.error("unknown-unit", given.span, self.item, format!("unit: {error}"), hint);
                    return None;
                }
            },
            None if is_recording || own.symbol().is_empty() => own.clone(),
            None => {
                let brief = format!("the unit of the column `{}` is not said", of.value);
                let hint = format!("add unit: \"{}\", or another unit that fits", self.said.unit);
                report.error("missing-field", file.span, self.item, brief, hint.into());
                return None;
            }
        };
        let Some(conversion) = self.conversion(&unit, false, fields.scale.is_some()) else {
            let brief = format!("the column `{}` {}", of.value, self.unlike(&unit));
            report.error("unit-mismatch", file.span, self.item, brief, Hint::NONE);
            return None;
        };
        let to_input = if is_recording { Conversion::IDENTITY } else { conversion };
        let repeats = match &fields.repeats {
            Some(given) => match text::duration(given) {
                Ok(duration) => u64::try_from(duration.as_nanos()).ok(),
                Err(brief) => {
                    report.error("bad-duration", given.span, self.item, format!("repeats: {brief}"), Hint::NONE);
                    return None;
                }
            },
            None => None,
        };
        Some(ProfileOf {
            item: self.item.to_owned(),
            span: file.span,
            file: scene.dir.join(&file.value),
            of: of.value.clone(),
            is_recording,
            unit,
            input_unit: own,
            to_input: self.scaled(to_input, fields, report)?,
            repeats,
        })
    }

    /// A signal that it can follow, and from the signal's unit to the input's: one that measures the output which feeds
    /// it counts as that output does, with scale and offset.
    fn signal(
        &self,
        name: &Spanned<String>,
        field: &'static str,
        feed: Option<&Feed>,
        scene: &Scene,
        report: &mut Report,
    ) -> Option<(SignalIndex, Conversion)> {
        let asker = references::Asker {
            scene,
            twin: self.owner.twin.and_then(|twin| scene.twins.get(twin.at())),
            params: &self.owner.params,
            item: self.item,
            field,
        };
        let signal = match asker.signal(name) {
            Ok(signal) => signal,
            Err((brief, near)) => {
                let otherwise = || "write a signal of this twin by its name, others as P-101.flow".to_owned();
                let hint = Hint::meant_or(near.as_deref(), otherwise);
                report.error("unknown-signal", name.span, self.item, format!("{field}: {brief}"), hint);
                return None;
            }
        };
        if signal.kind == ValueKind::Text {
            let brief = format!("{field}: `{}` is a Text, and inputs are numbers", name.value);
            report.error("wrong-kind", name.span, self.item, brief, Hint::NONE);
            return None;
        }
        if let (Some(measure), Some(Feed::Output { machine, output, scale, offset, .. })) =
            (scene.measures.get(&signal.index), feed)
            && measure.of == (Seen::Output { machine: *machine, output: *output })
        {
            let scaled = Conversion::from_parts([*scale, *offset, 1.0]);
            return Some((signal.index, measure.conversion.inverse().then(&scaled)));
        }
        let is_switch = signal.kind == ValueKind::Bool && !self.said.unit.is_empty();
        // A signal whose unit is not said is taken to be in the input's.
        let Some(conversion) = self.conversion(&signal.unit, true, false).filter(|_| !is_switch) else {
            let brief = match is_switch {
                true => format!(
                    "{field}: `{}` is a Bool, which has no unit, and the input is in `{}`",
                    name.value, self.said.unit
                ),
                false => format!("{field}: `{}` {}", name.value, self.unlike(&signal.unit)),
            };
            report.error("unit-mismatch", name.span, self.item, brief, Hint::NONE);
            return None;
        };
        Some((signal.index, conversion))
    }

    /// From a unit to the input's. What comes without a unit has the input's where that `may_be_any`. A scale says what a
    /// share is in a unit, or how much of a unit is a whole.
    fn conversion(&self, from: &Unit, may_be_any: bool, is_scaled: bool) -> Option<Conversion> {
        let own = Unit::parse(self.said.unit).ok()?;
        let takes_it = own.symbol().is_empty() && (self.takes_any || is_scaled);
        let gives_it = from.symbol().is_empty() && (may_be_any || is_scaled);
        from.conversion_to(&own).or((takes_it || gives_it).then_some(Conversion::IDENTITY))
    }

    fn unlike(&self, unit: &Unit) -> String {
        match (unit.symbol(), self.said.unit) {
            ("", own) => format!("without a unit does not fit `{own}`"),
            (unit, "") => format!("in `{unit}` does not fit an input without a unit, such as a share from 0 to 1"),
            (unit, own) => format!("in `{unit}` does not fit `{own}`"),
        }
    }

    /// With the scale and the offset that the scene gives, after a conversion.
    fn scaled(&self, conversion: Conversion, fields: &FeedFields, report: &mut Report) -> Option<Conversion> {
        let scale = fields.scale.unwrap_or(1.0);
        let offset = match &fields.offset {
            Some(offset) => models::quantity(self.item, "offset", self.said.unit, None, offset, report)?,
            None => 0.0,
        };
        Some(Conversion::from_parts([scale * conversion.scale(), scale * conversion.offset() + offset, 1.0]))
    }
}

fn number(value: Value) -> Option<f64> {
    match value {
        Value::Number(x) => Some(x),
        Value::Bool(flag) => Some(f64::from(u8::from(flag))),
        Value::Text(_) => None,
    }
}
