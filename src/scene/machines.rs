//! The machines of a scene and how they are tied: a network of models. In: twins with the models of their types, links. Out:
//! a [`Blueprint`], what each signal measures, and every issue: names, units, ports, loops.

use std::collections::HashMap;
use std::sync::Arc;

use super::format::{FeedDef, FeedFields, LinkDef, QuantityDef, TwinDef};
use super::formulas::Asker;
use super::models::{self, Models};
use super::nearest::nearest;
use super::report::{Hint, Report};
use super::resolved::{MachineOf, Port, Scene, ValueKind};
use super::span::{Span, Spanned};
use super::text::Template;
use crate::model::{Description, Domain, Fluid};
use crate::network::{Blueprint, Feed, Function, Machine, Network, Problem, ProblemKind, Target, Tie, TieKind};
use crate::value::{Conversion, TwinIndex, Unit, Value};

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
    pub fn resolve(&self, links: &[(&LinkDef, Port, Port)], scene: &mut Scene, report: &mut Report) {
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
                    let from = Some(Spanned::new(text.clone(), feed.span));
                    let fields = Spanned::new(FeedFields { from, ..FeedFields::default() }, feed.span);
                    self.follow(twin, &fields, said.unit, &item, scene, report)
                }
                FeedDef::Quantity(quantity) => {
                    let quantity = Spanned::new(quantity.clone(), feed.span);
                    models::quantity(&item, said.name, said.unit, said.default, &quantity, report).map(Feed::Constant)
                }
                FeedDef::From(fields) => {
                    let fields = Spanned::new(fields.clone(), feed.span);
                    self.follow(twin, &fields, said.unit, &item, scene, report)
                }
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
        fields: &Spanned<FeedFields>,
        unit: &str,
        item: &str,
        scene: &Scene,
        report: &mut Report,
    ) -> Option<Feed> {
        let from = match (&fields.from, &fields.by) {
            (Some(from), None) => from,
            (None, Some(source)) if fields.scale.is_none() && fields.offset.is_none() => {
                let asker = Asker { twin: twin.index, machines: self, scene, item };
                let formula = asker.formula(source, &[ValueKind::Number, ValueKind::Bool], report)?;
                let (of, text) = (formula.inputs.clone(), formula.source.clone());
                let function = Function { text, of: Arc::new(move |outputs| number(formula.value(outputs)?)) };
                return Some(Feed::Formula { of, function, delayed: fields.delayed });
            }
            _ => {
                let brief = "follows one output, or what an expression makes of outputs";
                let hint = "give `from: \"T-1.level\"`, perhaps with scale and offset, or `by: \"…\"`";
                report.error("bad-input", fields.span, item, brief, hint.into());
                return None;
            }
        };
        let path = self.filled(twin, from, item, report)?;
        let Some((machine, output)) = self.locate(&path, scene) else {
            self.miss(&path, from.span, item, report);
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

    /// A path with its placeholders filled.
    fn filled(&self, twin: &Twin, path: &Spanned<String>, item: &str, report: &mut Report) -> Option<String> {
        let filled = Template::parse(path).and_then(|template| {
            let filled = template.fill(|name| match name {
                "id" => Some(&twin.id.value),
                "type" => Some(&twin.type_name),
                other => twin.params.get(other).map(String::as_str),
            });
            filled.map_err(|name| format!("has the placeholder {{{name}}}, which this twin does not fill"))
        });
        filled.map_err(|brief| report.error("unknown-placeholder", path.span, item, brief, Hint::NONE)).ok()
    }

    fn miss(&self, path: &str, span: Span, item: &str, report: &mut Report) {
        let brief = format!("follows `{path}`, which is no output of any model");
        let names = self.all_paths(|description| description.outputs.iter().map(|one| one.name).collect());
        let near = nearest(path, names.iter().map(String::as_str));
        let all = || "write a twin's id, a dot and an output of its model: `pollux models NAME` lists them".to_owned();
        report.error("unknown-output", span, item, brief, Hint::meant_or(near, all));
    }

    /// `T-200.level` or `P-101.bearing.temperature`: ids may hold dots, the longest that is one wins.
    fn locate(&self, path: &str, scene: &Scene) -> Option<(usize, usize)> {
        self.anywhere(path, scene, |models, rest| {
            let (part, name) = models.find(rest, |description, name| description.output(name).is_some())?;
            Some((part, models.parts[part].model.description().output(name)?))
        })
    }

    fn all_paths(&self, names: impl Fn(&'static Description) -> Vec<&'static str> + Copy) -> Vec<String> {
        let each = self.twins.iter().flat_map(|twin| {
            let paths = twin.models.paths(names);
            paths.into_iter().map(move |path| format!("{}.{path}", twin.id.value))
        });
        each.collect()
    }

    pub fn description(&self, machine: usize) -> Option<&'static Description> {
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

    /// An output of a twin's own models, by its path.
    pub fn own_output(
        &self,
        index: TwinIndex,
        path: &str,
        span: Span,
        item: &str,
        report: &mut Report,
    ) -> Option<(usize, usize)> {
        let twin = self.twin(index)?;
        let found = Self::output(twin, path);
        if found.is_none() && !twin.models.broken {
            let names = twin.models.paths(|description| description.outputs.iter().map(|one| one.name).collect());
            let (brief, hint) = match names.as_slice() {
                [] => {
                    let hint = "add a model to its type: model: Tank(area: \"2 m2\")".into();
                    ("measures an output, but its twin has no model".to_owned(), hint)
                }
                _ => {
                    let all = || format!("its outputs are {}", names.join(", "));
                    let near = near(path, &names);
                    (format!("measures the unknown output `{path}`"), Hint::meant_or(near, all))
                }
            };
            report.error("unknown-output", span, item, brief, hint);
        }
        found
    }

    /// An output of any twin's models by `P-101.bearing.vibration`, or of a twin's own by `bearing.vibration`.
    pub fn named_output(
        &self,
        index: TwinIndex,
        path: &Spanned<String>,
        scene: &Scene,
        item: &str,
        report: &mut Report,
    ) -> Option<(usize, usize)> {
        let twin = self.twin(index)?;
        let filled = self.filled(twin, path, item, report)?;
        let found = Self::output(twin, &filled).or_else(|| self.locate(&filled, scene));
        if found.is_none() {
            self.miss(&filled, path.span, item, report);
        }
        found
    }

    /// A waveform of a twin's own models, by its path.
    pub fn waveform(
        &self,
        index: TwinIndex,
        path: &Spanned<String>,
        item: &str,
        report: &mut Report,
    ) -> Option<(usize, usize)> {
        let twin = self.twin(index)?;
        let found = twin.models.find(path, |description, name| description.waveform(name).is_some());
        let Some((part, name)) = found else {
            let names = twin.models.paths(|description| description.waveforms.iter().map(|one| one.name).collect());
            unknown("waveform", path, &names, item, report);
            return None;
        };
        Some((twin.first + part, twin.models.parts[part].model.description().waveform(name)?))
    }

    /// A repair by `P-101.bearing.replace_bearing`.
    pub fn repair(&self, path: &Spanned<String>, scene: &Scene, report: &mut Report) -> Option<(usize, usize)> {
        let found = self.anywhere(path, scene, |models, rest| {
            let (part, name) = models.find(rest, |description, name| description.repair(name).is_some())?;
            Some((part, models.parts[part].model.description().repair(name)?))
        });
        if found.is_none() {
            let names = self.all_paths(|description| description.repairs.iter().map(|one| one.name).collect());
            unknown("repair", path, &names, "plant", report);
        }
        found
    }

    /// A parameter or an input by `P-101.bearing.growth_rate`, with its name and unit.
    pub fn target(
        &self,
        path: &Spanned<String>,
        scene: &Scene,
        report: &mut Report,
    ) -> Option<(Target, &'static str, &'static str)> {
        let parameter = self.anywhere(path, scene, |models, rest| {
            let (part, name) = models.find(rest, |description, name| description.parameter(name).is_some())?;
            Some((part, models.parts[part].model.description().parameter(name)?))
        });
        if let Some((machine, parameter)) = parameter {
            let said = &self.description(machine)?.parameters[parameter];
            return Some((Target::Parameter { machine, parameter }, said.name, said.unit));
        }
        let input = self.anywhere(path, scene, |models, rest| {
            let (part, name) = models.find(rest, |description, name| description.input(name).is_some())?;
            Some((part, models.parts[part].model.description().input(name)?))
        });
        if let Some((machine, input)) = input {
            let said = &self.description(machine)?.inputs[input];
            return Some((Target::Input { machine, input }, said.name, said.unit));
        }
        let names = self.all_paths(|description| {
            let parameters = description.parameters.iter().map(|one| one.name);
            parameters.chain(description.inputs.iter().map(|one| one.name)).collect()
        });
        unknown("parameter", path, &names, "plant", report);
        None
    }

    /// What a path that begins with a twin's id leads to: a machine, by its place among all, and something of it.
    fn anywhere(
        &self,
        path: &str,
        scene: &Scene,
        find: impl Fn(&Models, &str) -> Option<(usize, usize)>,
    ) -> Option<(usize, usize)> {
        let dots = path.rmatch_indices('.').map(|(at, _)| at);
        dots.filter_map(|at| {
            let twin = self.twin(scene.twin(&path[..at])?.index)?;
            let (part, what) = find(&twin.models, &path[at + 1..])?;
            Some((twin.first + part, what))
        })
        .next()
    }
}

fn number(value: Value) -> Option<f64> {
    match value {
        Value::Number(x) => Some(x),
        Value::Bool(flag) => Some(f64::from(u8::from(flag))),
        Value::Text(_) => None,
    }
}

/// The path that was probably meant, or its last part where that alone was written.
fn near<'n>(path: &str, names: &'n [String]) -> Option<&'n str> {
    let bare = || nearest(path, names.iter().filter_map(|name| name.rsplit('.').next()));
    nearest(path, names.iter().map(String::as_str)).or_else(bare)
}

fn unknown(what: &str, path: &Spanned<String>, names: &[String], item: &str, report: &mut Report) {
    let brief = match names {
        [] => format!("sets the {what} `{}`, but its type has no model", path.value),
        _ => format!("there is no {what} `{}`, or more than one", path.value),
    };
    let all = || format!("there are {}", names.join(", "));
    let hint = match names {
        [] => "add a model to the type: model: Tank(area: \"2 m2\")".into(),
        _ => Hint::meant_or(near(path, names), all),
    };
    let rule = match what {
        "input" => "unknown-input",
        "repair" => "unknown-repair",
        "waveform" => "unknown-waveform",
        _ => "unknown-parameter",
    };
    report.error(rule, path.span, item, brief, hint);
}
