//! The machines of a scene and how they are tied: a network of models. In: twins with the models of their types, links. Out:
//! a [`Blueprint`], what each signal measures, and every issue: names, units, ports, loops.

use std::collections::HashMap;
use std::sync::Arc;

use super::format::{FeedDef, FeedFields, LinkDef, QuantityDef, TwinDef};
use super::models::{self, Models};
use super::nearest::nearest;
use super::report::{Hint, Report};
use super::resolved::{MachineOf, Measure, Port, Scene, ValueKind};
use super::span::{Span, Spanned};
use super::text::Template;
use crate::model::{Description, Domain, Fluid, OutputKind};
use crate::network::{Blueprint, Feed, Machine, Network, Problem, ProblemKind, Tie, TieKind};
use crate::value::{Conversion, TwinIndex, Unit};

/// The machines of twins as they are made, while paths are still names.
#[derive(Default)]
pub(super) struct Machines {
    twins: Vec<Twin>,
}

struct Twin {
    index: TwinIndex,
    id: Spanned<String>,
    models: Models,
    params: Arc<HashMap<String, String>>,
    type_name: String,
    /// The place of its first part among all machines.
    first: usize,
}

impl Machines {
    /// Takes up a twin with the models of its type and what it changes in them.
    pub fn add(
        &mut self,
        index: TwinIndex,
        def: &TwinDef,
        models: &Models,
        params: Arc<HashMap<String, String>>,
        report: &mut Report,
    ) {
        let mut models = models.clone();
        for (path, value) in &def.parameters.0 {
            match models.find(path, |description, name| description.parameter(name).is_some()) {
                Some((part, name)) => {
                    let part = &mut models.parts[part];
                    let at = part.model.description().parameter(name).unwrap_or(0);
                    models::set(part, at, value, &def.id, report);
                }
                None if models.broken => {}
                None => {
                    let names = models.paths(|description| description.parameters.iter().map(|one| one.name).collect());
                    unknown("parameter", path, &names, &def.id, report);
                }
            }
        }
        for (path, feed) in &def.inputs.0 {
            match models.inputs.iter_mut().find(|(known, _)| known.value == path.value) {
                Some(known) => *known = (path.clone(), feed.clone()),
                None => models.inputs.push((path.clone(), feed.clone())),
            }
        }
        let first = self.twins.last().map_or(0, |twin| twin.first + twin.models.parts.len());
        let type_name = def.type_name.value.clone();
        self.twins.push(Twin { index, id: def.id.clone(), models, params, type_name, first });
    }

    fn twin(&self, index: TwinIndex) -> Option<&Twin> {
        self.twins.iter().find(|twin| twin.index == index)
    }

    /// An output of a twin's models, by its path: the place of the machine, the number of the output.
    fn output(twin: &Twin, path: &str) -> Option<(usize, usize)> {
        let (part, name) = twin.models.find(path, |description, name| description.output(name).is_some())?;
        Some((twin.first + part, twin.models.parts[part].model.description().output(name)?))
    }

    /// Ties all machines and checks that they make a network.
    pub fn resolve(self, links: &[(&LinkDef, Port, Port)], scene: &mut Scene, report: &mut Report) {
        // A model that could not be read would be missed by all that is tied to it.
        let (none, broken) =
            (|twin: &Twin| twin.models.parts.is_empty(), self.twins.iter().any(|twin| twin.models.broken));
        if broken || self.twins.iter().all(none) {
            return;
        }
        let mut blueprint = Blueprint::default();
        for twin in &self.twins {
            for part in &twin.models.parts {
                let id = if part.name.is_empty() {
                    twin.id.value.clone()
                } else {
                    format!("{}.{}", twin.id.value, part.name)
                };
                let mut machine = Machine::new(id, part.model);
                machine.step = part.step;
                machine.parameters.clone_from(&part.parameters);
                machine.tables.clone_from(&part.tables);
                blueprint.machines.push(machine);
                scene.machines.push(MachineOf { twin: twin.index, part: part.name.clone() });
            }
        }
        let errors = report.errors;
        let mut input_spans = HashMap::new();
        for twin in &self.twins {
            self.feed(twin, scene, &mut blueprint, &mut input_spans, report);
        }
        let mut tie_spans = Vec::new();
        for (def, from, to) in links {
            if let Some(tie) = self.tie(def, from, to, report) {
                tie_spans.push(def.from.span);
                blueprint.ties.push(tie);
            }
        }
        // What a feed or a tie got wrong has been said: the rest would only repeat it.
        if report.errors == errors
            && let Err(problems) = Network::build(blueprint.clone())
        {
            for problem in &problems {
                self.tell(problem, &blueprint, &input_spans, &tie_spans, report);
            }
        }
        scene.blueprint = Some(Arc::new(blueprint));
    }

    fn tell(
        &self,
        problem: &Problem,
        blueprint: &Blueprint,
        inputs: &HashMap<(usize, usize), Span>,
        ties: &[Span],
        report: &mut Report,
    ) {
        let owner = self.twins.iter().rev().find(|twin| twin.first <= problem.machine && !twin.models.parts.is_empty());
        let Some(twin) = owner else { return };
        let Some(part) = twin.models.parts.get(problem.machine - twin.first) else { return };
        let (rule, span, hint) = match &problem.kind {
            ProblemKind::Bounds { parameter, .. } => {
                ("out-of-bounds", part.spans.get(*parameter).copied().flatten().unwrap_or(part.span), String::new())
            }
            ProblemKind::Unfed { input } => {
                let name = part.model.description().inputs[*input].name;
                ("unfed-input", twin.id.span, format!("add inputs: {{\"{name}\": \"T-1.level\"}} or a quantity"))
            }
            ProblemKind::NoFeed { input } => {
                let span = inputs.get(&(problem.machine, *input)).copied().unwrap_or(twin.id.span);
                ("unfed-input", span, String::new())
            }
            ProblemKind::Untied { port } | ProblemKind::NoPort { port } => {
                let id = &twin.id.value;
                ("unlinked-port", twin.id.span, format!("add a link: (from: \"{id}.{port}\", to: …)"))
            }
            ProblemKind::Mismatch { tie, .. } | ProblemKind::Fluids { tie } => {
                ("bad-link", ties.get(*tie).copied().unwrap_or(twin.id.span), String::new())
            }
            ProblemKind::Loop { .. } => {
                let way = "let one of them see the other one instant later: (from: \"…\", delayed: true)";
                ("loop", twin.id.span, way.to_owned())
            }
            ProblemKind::Twice => ("duplicate-id", twin.id.span, String::new()),
        };
        let hint = if hint.is_empty() { Hint::NONE } else { hint.into() };
        report.error(rule, span, "", problem.describe(blueprint), hint);
    }

    fn feed(
        &self,
        twin: &Twin,
        scene: &Scene,
        blueprint: &mut Blueprint,
        spans: &mut HashMap<(usize, usize), Span>,
        report: &mut Report,
    ) {
        for (path, feed) in &twin.models.inputs {
            let Some((part, name)) = twin.models.find(path, |description, name| description.input(name).is_some())
            else {
                let names = twin.models.paths(|description| description.inputs.iter().map(|one| one.name).collect());
                unknown("input", path, &names, &twin.id, report);
                continue;
            };
            let description = twin.models.parts[part].model.description();
            let input = description.input(name).unwrap_or(0);
            let said = &description.inputs[input];
            let item = format!("{}.{}", twin.id.value, path.value);
            let found = match &feed.value {
                FeedDef::Quantity(QuantityDef::Text(text)) if !models::is_quantity(text) => {
                    let from = Spanned::new(text.clone(), feed.span);
                    self.follow(twin, &FeedFields { from, ..FeedFields::default() }, said.unit, &item, scene, report)
                }
                FeedDef::Quantity(quantity) => {
                    let quantity = Spanned::new(quantity.clone(), feed.span);
                    models::quantity(&item, said.name, said.unit, said.default, &quantity, report).map(Feed::Constant)
                }
                FeedDef::From(fields) => self.follow(twin, fields, said.unit, &item, scene, report),
            };
            let machine = twin.first + part;
            spans.insert((machine, input), feed.span);
            if let Some(found) = found {
                blueprint.machines[machine].inputs[input] = found;
            }
        }
    }

    /// An output by the path that the scene gives, converted to the unit of the input.
    fn follow(
        &self,
        twin: &Twin,
        fields: &FeedFields,
        unit: &str,
        item: &str,
        scene: &Scene,
        report: &mut Report,
    ) -> Option<Feed> {
        let from = &fields.from;
        let filled = Template::parse(from).and_then(|template| {
            let filled = template.fill(|name| match name {
                "id" => Some(&twin.id.value),
                "type" => Some(&twin.type_name),
                other => twin.params.get(other).map(String::as_str),
            });
            filled.map_err(|name| format!("has the placeholder {{{name}}}, which this twin does not fill"))
        });
        let path = match filled {
            Ok(path) => path,
            Err(brief) => {
                report.error("unknown-placeholder", from.span, item, brief, Hint::NONE);
                return None;
            }
        };
        let Some((machine, output)) = self.locate(&path, scene) else {
            let brief = format!("follows `{path}`, which is no output of any model");
            let names = self.all_outputs();
            let near = nearest(&path, names.iter().map(String::as_str));
            let all =
                || "write a twin's id, a dot and an output of its model: `pollux models NAME` lists them".to_owned();
            report.error("unknown-output", from.span, item, brief, Hint::meant_or(near, all));
            return None;
        };
        let given = self.description(machine)?.outputs[output].unit;
        let units = Unit::parse(given).ok().zip(Unit::parse(unit).ok());
        // Controllers and generators have no unit of their own: they take and give what they are tied to.
        let conversion = match given.is_empty() || unit.is_empty() {
            true => Some(Conversion::IDENTITY),
            false => units.and_then(|(given, own)| given.conversion_to(&own)),
        };
        let Some(conversion) = conversion else {
            let brief = format!("follows `{path}` in `{given}`, which does not fit `{unit}`");
            report.error(
                "unit-mismatch",
                from.span,
                item,
                brief,
                "with `scale` alone it would mean something else".into(),
            );
            return None;
        };
        let offset = match &fields.offset {
            Some(offset) => models::quantity(item, "offset", unit, None, offset, report)?,
            None => 0.0,
        };
        let scale = fields.scale.unwrap_or(1.0);
        if !scale.is_finite() {
            report.error("bad-value", from.span, item, "scale is no number", Hint::NONE);
            return None;
        }
        Some(Feed::Output {
            machine,
            output,
            scale: scale * conversion.scale(),
            offset: scale * conversion.offset() + offset,
            delayed: fields.delayed,
        })
    }

    /// `T-200.level` or `P-101.bearing.temperature`: ids may hold dots, the longest that is one wins.
    fn locate(&self, path: &str, scene: &Scene) -> Option<(usize, usize)> {
        let dots = path.rmatch_indices('.').map(|(at, _)| at);
        dots.filter_map(|at| {
            let twin = self.twin(scene.twin(&path[..at])?.index)?;
            Self::output(twin, &path[at + 1..])
        })
        .next()
    }

    fn all_outputs(&self) -> Vec<String> {
        let each = self.twins.iter().flat_map(|twin| {
            let paths = twin.models.paths(|description| description.outputs.iter().map(|one| one.name).collect());
            paths.into_iter().map(move |path| format!("{}.{path}", twin.id.value))
        });
        each.collect()
    }

    fn description(&self, machine: usize) -> Option<&'static Description> {
        let twin = self.twins.iter().rev().find(|twin| twin.first <= machine && !twin.models.parts.is_empty())?;
        Some(twin.models.parts.get(machine - twin.first)?.model.description())
    }

    /// A link between two ports of models; none for one that is only drawn.
    fn tie(&self, def: &LinkDef, from: &Port, to: &Port, report: &mut Report) -> Option<Tie> {
        let (one, other) = (self.twin(from.twin)?, self.twin(to.twin)?);
        let item = format!("link {} -> {}", def.from.value, def.to.value);
        let ends = (Self::port(one, &from.name), Self::port(other, &to.name));
        let (Some((from, domain)), Some((to, _))) = ends else {
            // Names of nodes of a look are no ports; a link with one port and one such name is a slip.
            for (end, twin, name, span) in
                [(&ends.0, one, &from.name, def.from.span), (&ends.1, other, &to.name, def.to.span)]
            {
                let is_slip = end.is_none() && !twin.models.parts.is_empty() && !name.is_empty();
                if is_slip && (ends.0.is_some() || ends.1.is_some()) {
                    let names =
                        twin.models.paths(|description| description.ports.iter().map(|port| port.name).collect());
                    let brief = format!("the model of {} has no port `{name}`", twin.id.value);
                    let all = || format!("its ports are {}", names.join(", "));
                    let near = nearest(name, names.iter().map(String::as_str));
                    report.error("unknown-port", span, &item, brief, Hint::meant_or(near, all));
                }
            }
            return None;
        };
        let kind = match domain {
            Domain::Fluid => {
                let name = def.fluid.as_ref();
                let fluid = name.map_or(Some(Fluid::WATER), |name| Fluid::named(name));
                let Some(fluid) = fluid else {
                    let name = name.cloned().unwrap_or_default();
                    let known: Vec<&str> = Fluid::NAMED.iter().map(|(name, _)| *name).collect();
                    let all = || format!("known are {}", known.join(", "));
                    let hint = Hint::meant_or(nearest(&name, known.iter().copied()), all);
                    report.error("unknown-fluid", name.span, &item, format!("unknown fluid `{}`", name.value), hint);
                    return None;
                };
                TieKind::Fluid(fluid)
            }
            Domain::Heat { .. } => {
                let Some(given) = &def.conductance else {
                    let hint = "add conductance: \"20 W/K\"";
                    report.error(
                        "missing-field",
                        def.from.span,
                        &item,
                        "a link of heat needs its conductance",
                        hint.into(),
                    );
                    return None;
                };
                let conductance = models::quantity(&item, "conductance", "W/K", Some(20.0), given, report)?;
                TieKind::Heat { conductance }
            }
            Domain::Taker { .. } | Domain::Giver { .. } => TieKind::Supply,
            Domain::ItemsIn | Domain::ItemsOut => TieKind::Items,
        };
        Some(Tie { from, to, kind })
    }

    fn port(twin: &Twin, name: &str) -> Option<((usize, String), Domain)> {
        let (part, port) = twin.models.find(name, |description, name| description.port(name).is_some())?;
        let description = twin.models.parts[part].model.description();
        let at = description.port(port)?;
        Some(((twin.first + part, port.to_owned()), description.ports[at].domain))
    }

    /// What a signal measures: the output by its path within the twin, in the signal's unit.
    pub fn measure(
        &self,
        index: TwinIndex,
        path: &Spanned<String>,
        (kind, unit): (ValueKind, &Unit),
        item: &str,
        report: &mut Report,
    ) -> Option<Measure> {
        let twin = self.twin(index)?;
        let Some((machine, output)) = Self::output(twin, path) else {
            if twin.models.broken {
                return None;
            }
            let names = twin.models.paths(|description| description.outputs.iter().map(|one| one.name).collect());
            if names.is_empty() {
                let hint = "add a model to its type: model: Tank(area: \"2 m2\")";
                report.error(
                    "unknown-output",
                    path.span,
                    item,
                    "measures an output, but its twin has no model",
                    hint.into(),
                );
            } else {
                let brief = format!("measures the unknown output `{}`", path.value);
                let all = || format!("its outputs are {}", names.join(", "));
                let near = nearest(path, names.iter().map(String::as_str));
                report.error("unknown-output", path.span, item, brief, Hint::meant_or(near, all));
            }
            return None;
        };
        let said = &self.description(machine)?.outputs[output];
        let fits = match said.kind {
            OutputKind::Number => kind == ValueKind::Number,
            OutputKind::Flag => kind == ValueKind::Bool,
            OutputKind::Words(_) => kind == ValueKind::Text,
        };
        if !fits {
            let wanted = match said.kind {
                OutputKind::Number => "a number",
                OutputKind::Flag => "a Bool",
                OutputKind::Words(_) => "a Text",
            };
            let brief = format!("measures `{}`, which is {wanted}, not a {kind:?}", path.value);
            report.error("wrong-kind", path.span, item, brief, Hint::NONE);
            return None;
        }
        let own = Unit::parse(said.unit).ok()?;
        let Some(conversion) = own.conversion_to(unit) else {
            let brief = format!("measures `{}` in `{}`, which does not fit `{unit}`", path.value, said.unit);
            report.error("unit-mismatch", path.span, item, brief, Hint::NONE);
            return None;
        };
        Some(Measure { machine, output, conversion })
    }
}

fn unknown(what: &str, path: &Spanned<String>, names: &[String], item: &str, report: &mut Report) {
    let brief = match names {
        [] => format!("sets the {what} `{}`, but its type has no model", path.value),
        _ => format!("there is no {what} `{}`, or more than one", path.value),
    };
    let all = || format!("there are {}", names.join(", "));
    let hint = match names {
        [] => "add a model to the type: model: Tank(area: \"2 m2\")".into(),
        _ => Hint::meant_or(nearest(path, names.iter().map(String::as_str)), all),
    };
    report.error(if what == "input" { "unknown-input" } else { "unknown-parameter" }, path.span, item, brief, hint);
}
