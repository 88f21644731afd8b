//! The machines of a scene and their names. In: twins with the models of their types, links with models of their own. Out:
//! a [`Blueprint`], what a path leads to, and every issue: names, bounds, ports, loops.

use std::collections::HashMap;
use std::sync::Arc;

use super::feeds;
use super::format::{LinkDef, Table, TwinDef};
use super::models::{self, Models, Part};
use super::nearest::nearest;
use super::report::{Hint, Report};
use super::resolved::{MachineOf, Port, Scene};
use super::span::{Span, Spanned};
use super::text::{self, Template};
use super::ties;
use crate::model::Description;
use crate::network::{Blueprint, Machine, Network, Problem, ProblemKind, Target};
use crate::value::TwinIndex;

/// The machines of twins and links as they are made, while paths are still names.
#[derive(Default)]
pub(super) struct Machines {
    owners: Vec<Owner>,
    /// Places among the owners.
    ids: HashMap<String, usize>,
    twins: HashMap<TwinIndex, usize>,
}

/// A twin or a link, with its models.
pub(super) struct Owner {
    /// None for a link.
    pub twin: Option<TwinIndex>,
    pub id: Spanned<String>,
    pub models: Models,
    pub params: Arc<HashMap<String, String>>,
    pub type_name: String,
    /// The place of its first part among all machines.
    pub first: usize,
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
            // One input may be written in two ways: `speed`, `pump.speed`.
            let place = |path: &str| -> Option<(usize, String)> {
                let (part, name) = models.find(path, |description, name| description.input(name).is_some())?;
                Some((part, name.to_owned()))
            };
            let own = place(path);
            let is_same =
                |known: &str| known == path.value || own.as_ref().is_some_and(|own| place(known).as_ref() == Some(own));
            let at = models.inputs.iter().position(|(known, _)| is_same(known));
            match at.and_then(|at| models.inputs.get_mut(at)) {
                Some(known) => *known = (path.clone(), feed.clone()),
                None => models.inputs.push((path.clone(), feed.clone())),
            }
        }
        let type_name = def.type_name.value.clone();
        let first = self.count();
        self.twins.insert(index, self.owners.len());
        self.push(Owner { twin: Some(index), id: def.id.clone(), models, params, type_name, first });
    }

    /// Takes up the machine of a link, if it has one: named by the link's id, or by its ends.
    pub fn add_link(&mut self, def: &LinkDef, report: &mut Report) {
        let Some(model) = &def.model else {
            if let Some((name, _)) = def.inputs.0.first() {
                let brief = "the link has inputs, but no model";
                report.error("unknown-input", name.span, &link_id(def), brief, "add model: Pipe(…)".into());
            }
            if let Some(id) = &def.id {
                let hint = "leave `id` out, or add model: Pipe(…): a link without a machine has nothing to be named";
                report.error("bad-link", id.span, &link_id(def), "the link has an id, but no model", hint.into());
            }
            return;
        };
        let id = def.id.clone().unwrap_or_else(|| Spanned::new(link_id(def), def.from.span));
        if let Some(brief) = def.id.as_ref().and_then(|id| text::id_fault(id)) {
            return report.error("bad-name", id.span, "", brief, "name it as a twin: L-301".into());
        }
        if self.ids.contains_key(&id.value) {
            let brief = format!("the id `{}` is given a second time", id.value);
            return report.error("duplicate-id", id.span, "", brief, "give the link another id".into());
        }
        let (parts, broken) = models::prepare(&id, Some(model), &Table::default(), report);
        let models = Models { broken, parts, inputs: def.inputs.0.clone() };
        let first = self.count();
        let type_name = model.name.value.clone();
        self.push(Owner { twin: None, id, models, params: Arc::default(), type_name, first });
    }

    fn push(&mut self, owner: Owner) {
        self.ids.insert(owner.id.value.clone(), self.owners.len());
        self.owners.push(owner);
    }

    fn count(&self) -> usize {
        self.owners.last().map_or(0, |owner| owner.first + owner.models.parts.len())
    }

    pub fn twin(&self, index: TwinIndex) -> Option<&Owner> {
        self.owners.get(*self.twins.get(&index)?)
    }

    /// The machine of a link.
    pub fn link(&self, def: &LinkDef) -> Option<&Owner> {
        let id = def.id.as_ref().map_or_else(|| link_id(def), |id| id.value.clone());
        self.owners.get(*self.ids.get(&id)?).filter(|owner| owner.twin.is_none())
    }

    /// An output of an owner's models, by its path: the place of the machine, the number of the output.
    fn output(owner: &Owner, path: &str) -> Option<(usize, usize)> {
        let (part, name) = owner.models.find(path, |description, name| description.output(name).is_some())?;
        Some((owner.first + part, owner.models.parts[part].model.description().output(name)?))
    }

    /// Ties all machines and checks that they make a network.
    pub fn resolve(&self, links: &[(&LinkDef, Port, Port)], scene: &mut Scene, report: &mut Report) {
        // A model that could not be read would be missed by all that is tied to it.
        let broken = self.owners.iter().any(|owner| owner.models.broken);
        if broken || self.owners.iter().all(|owner| owner.models.parts.is_empty()) {
            return;
        }
        let mut blueprint = Blueprint::default();
        for owner in &self.owners {
            for part in &owner.models.parts {
                let id = if part.name.is_empty() {
                    owner.id.value.clone()
                } else {
                    format!("{}.{}", owner.id.value, part.name)
                };
                let mut machine = Machine::new(id, part.model);
                machine.step = part.step;
                machine.parameters.clone_from(&part.parameters);
                machine.tables.clone_from(&part.tables);
                blueprint.machines.push(machine);
                scene.machines.push(MachineOf { twin: owner.twin, part: part.name.clone() });
            }
        }
        let errors = report.errors;
        let mut input_spans = HashMap::new();
        for owner in &self.owners {
            feeds::resolve(owner, self, scene, &mut blueprint, &mut input_spans, report);
        }
        let mut tie_spans = Vec::new();
        for (def, from, to) in links {
            for tie in ties::resolve(self, def, from, to, report) {
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
        let Some((twin, part)) = self.part(problem.machine) else { return };
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
            ProblemKind::Misfit { .. } => ("bad-table", part.span, String::new()),
            ProblemKind::Twice => ("duplicate-id", twin.id.span, String::new()),
        };
        let hint = if hint.is_empty() { Hint::NONE } else { hint.into() };
        report.error(rule, span, "", problem.describe(blueprint), hint);
    }

    /// A path with its placeholders filled.
    pub fn filled(&self, owner: &Owner, path: &Spanned<String>, item: &str, report: &mut Report) -> Option<String> {
        let filled = Template::parse(path).and_then(|template| {
            let filled = template.fill(|name| match name {
                "id" => Some(&owner.id.value),
                "type" => Some(&owner.type_name),
                other => owner.params.get(other).map(String::as_str),
            });
            filled.map_err(|name| format!("has the placeholder {{{name}}}, which this twin does not fill"))
        });
        filled.map_err(|brief| report.error("unknown-placeholder", path.span, item, brief, Hint::NONE)).ok()
    }

    pub fn miss(&self, path: &str, span: Span, item: &str, report: &mut Report) {
        let brief = format!("follows `{path}`, which is no output of any model");
        let names = self.all_paths(|description| description.outputs.iter().map(|one| one.name).collect());
        let near = nearest(path, names.iter().map(String::as_str));
        let all = || "write a twin's id, a dot and an output of its model: `pollux models NAME` lists them".to_owned();
        report.error("unknown-output", span, item, brief, Hint::meant_or(near, all));
    }

    /// `T-200.level` or `P-101.bearing.temperature`: ids may hold dots, the longest that is one wins.
    pub fn locate(&self, path: &str) -> Option<(usize, usize)> {
        self.anywhere(path, |models, rest| {
            let (part, name) = models.find(rest, |description, name| description.output(name).is_some())?;
            Some((part, models.parts[part].model.description().output(name)?))
        })
    }

    fn all_paths(&self, names: impl Fn(&'static Description) -> Vec<&'static str> + Copy) -> Vec<String> {
        let each = self.owners.iter().flat_map(|owner| {
            let paths = owner.models.paths(names);
            paths.into_iter().map(move |path| format!("{}.{path}", owner.id.value))
        });
        each.collect()
    }

    pub fn description(&self, machine: usize) -> Option<&'static Description> {
        Some(self.part(machine)?.1.model.description())
    }

    /// The owner of a machine, and which of its models it is.
    fn part(&self, machine: usize) -> Option<(&Owner, &Part)> {
        let after = self.owners.partition_point(|owner| owner.first <= machine);
        let owner = self.owners[..after].iter().rev().find(|owner| !owner.models.parts.is_empty())?;
        Some((owner, owner.models.parts.get(machine - owner.first)?))
    }

    /// An output of a twin's own models, by its path.
    pub fn own_output(
        &self,
        owner: &Owner,
        path: &str,
        span: Span,
        item: &str,
        report: &mut Report,
    ) -> Option<(usize, usize)> {
        let found = Self::output(owner, path);
        if found.is_none() && !owner.models.broken {
            let names = owner.models.paths(|description| description.outputs.iter().map(|one| one.name).collect());
            let (brief, hint) = match names.as_slice() {
                [] => {
                    let hint = "add a model to its type: model: Tank(area: \"2 m2\")".into();
                    ("names an output, but its twin has no model".to_owned(), hint)
                }
                _ => {
                    let all = || format!("its outputs are {}", names.join(", "));
                    let near = near(path, &names);
                    (format!("there is no output `{path}`"), Hint::meant_or(near, all))
                }
            };
            report.error("unknown-output", span, item, brief, hint);
        }
        found
    }

    /// An output of any twin's models by `P-101.bearing.vibration`, or of a twin's own by `bearing.vibration`.
    pub fn named_output(
        &self,
        owner: &Owner,
        path: &Spanned<String>,
        item: &str,
        report: &mut Report,
    ) -> Option<(usize, usize)> {
        let filled = self.filled(owner, path, item, report)?;
        let found = Self::output(owner, &filled).or_else(|| self.locate(&filled));
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
    pub fn repair(&self, path: &Spanned<String>, report: &mut Report) -> Option<(usize, usize)> {
        let found = self.anywhere(path, |models, rest| {
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
    pub fn target(&self, path: &Spanned<String>, report: &mut Report) -> Option<(Target, &'static str, &'static str)> {
        let parameter = self.anywhere(path, |models, rest| {
            let (part, name) = models.find(rest, |description, name| description.parameter(name).is_some())?;
            Some((part, models.parts[part].model.description().parameter(name)?))
        });
        if let Some((machine, parameter)) = parameter {
            let said = &self.description(machine)?.parameters[parameter];
            return Some((Target::Parameter { machine, parameter }, said.name, said.unit));
        }
        let input = self.anywhere(path, |models, rest| {
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
    fn anywhere(&self, path: &str, find: impl Fn(&Models, &str) -> Option<(usize, usize)>) -> Option<(usize, usize)> {
        let dots = path.rmatch_indices('.').map(|(at, _)| at);
        dots.filter_map(|at| {
            let owner = self.owners.get(*self.ids.get(&path[..at])?)?;
            let (part, what) = find(&owner.models, &path[at + 1..])?;
            Some((owner.first + part, what))
        })
        .next()
    }
}

/// What a link without an id is called.
pub(super) fn link_id(def: &LinkDef) -> String {
    format!("{} -> {}", def.from.value, def.to.value)
}

/// The path that was probably meant, or its last part where that alone was written.
fn near<'n>(path: &str, names: &'n [String]) -> Option<&'n str> {
    let bare = || nearest(path, names.iter().filter_map(|name| name.rsplit('.').next()));
    nearest(path, names.iter().map(String::as_str)).or_else(bare)
}

/// Says that a path leads nowhere, and what was probably meant.
pub(super) fn unknown(what: &str, path: &Spanned<String>, names: &[String], item: &str, report: &mut Report) {
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
