//! Links between ports of models, checked. In: links as scenes write them, the machines of the scene. Out: ties; or what
//! does not fit. A link with a model of its own stands between its ends as a machine.

use super::format::LinkDef;
use super::machines::{Machines, Owner, link_id};
use super::models;
use super::nearest::nearest;
use super::report::{Hint, Report};
use super::resolved::Port;
use super::span::Span;
use crate::model::{Domain, Fluid};
use crate::network::{Tie, TieKind};

/// A machine and the name of its port, and what the port shares.
type End = ((usize, String), Domain);

/// The ties of a link; none for one that is only drawn.
pub(super) fn resolve(machines: &Machines, def: &LinkDef, from: &Port, to: &Port, report: &mut Report) -> Vec<Tie> {
    let item = format!("link {}", link_id(def));
    let (Some(one), Some(other)) = (machines.twin(from.twin), machines.twin(to.twin)) else { return Vec::new() };
    let (Some(from), Some(to)) = (port(one, &from.name), port(other, &to.name)) else {
        let ends = [(one, from, def.from.span), (other, to, def.to.span)];
        tell(def, &item, ends, report);
        return Vec::new();
    };
    let between = match (&def.model, machines.link(def)) {
        (None, _) => return kind(def, from.1, &item, report).map(|kind| tie(&from, &to, kind)).into_iter().collect(),
        (Some(_), None) => return Vec::new(),
        (Some(_), Some(owner)) => owner,
    };
    let Some((entry, exit)) = passage(between, from.1, to.1) else {
        let brief = format!("`{}` does not fit between {} and {}", between.type_name, from.1, to.1);
        let hint = "a link's model has a port for either end: `pollux models NAME` lists ports";
        let span = def.model.as_ref().map_or(def.from.span, |model| model.name.span);
        report.error("bad-link", span, &item, brief, hint.into());
        return Vec::new();
    };
    let kinds = kind(def, from.1, &item, report).zip(kind(def, to.1, &item, report));
    kinds.map_or(Vec::new(), |(first, second)| vec![tie(&from, &entry, first), tie(&exit, &to, second)])
}

fn tie((from, _): &End, (to, _): &End, kind: TieKind) -> Tie {
    Tie { from: from.clone(), to: to.clone(), kind }
}

fn port(owner: &Owner, name: &str) -> Option<End> {
    let (part, port) = owner.models.find(name, |description, name| description.port(name).is_some())?;
    let description = owner.models.parts[part].model.description();
    let at = description.port(port)?;
    Some(((owner.first + part, port.to_owned()), description.ports[at].domain))
}

/// The ports by which the model of a link stands between two others: the first pair that fits.
fn passage(owner: &Owner, from: Domain, to: Domain) -> Option<(End, End)> {
    let part = owner.models.parts.first()?;
    let ports = part.model.description().ports;
    let end = |at: usize| ((owner.first, ports[at].name.to_owned()), ports[at].domain);
    let entry = (0..ports.len()).find(|at| follows(from, ports[*at].domain))?;
    let exit = (0..ports.len()).find(|at| *at != entry && follows(ports[*at].domain, to))?;
    Some((end(entry), end(exit)))
}

/// Whether a link may lead from one port to another.
fn follows(from: Domain, to: Domain) -> bool {
    match (from, to) {
        (Domain::Fluid, Domain::Fluid)
        | (Domain::Heat { .. }, Domain::Heat { .. })
        | (Domain::ItemsOut, Domain::ItemsIn) => true,
        (Domain::Giver { carrier, .. }, Domain::Taker { carrier: other, .. }) => carrier == other,
        _ => false,
    }
}

/// Names of nodes of a look are no ports; a link with one port and one such name, or with a model, is a slip.
fn tell(def: &LinkDef, item: &str, ends: [(&Owner, &Port, Span); 2], report: &mut Report) {
    let is_port = |(owner, at, _): &(&Owner, &Port, Span)| port(owner, &at.name).is_some();
    let is_meant = def.model.is_some() || ends.iter().any(is_port);
    for end in ends.iter().filter(|end| !is_port(end)) {
        let (owner, at, span) = end;
        let has_models = !owner.models.parts.is_empty() || def.model.is_some();
        if is_meant && has_models && (!at.name.is_empty() || def.model.is_some()) {
            let names = owner.models.paths(|description| description.ports.iter().map(|port| port.name).collect());
            let brief = match at.name.as_str() {
                "" => format!("a link with a model ends at ports, and `{}` is a twin", owner.id.value),
                name => format!("the model of {} has no port `{name}`", owner.id.value),
            };
            let all = || format!("its ports are {}", names.join(", "));
            let near = nearest(&at.name, names.iter().map(String::as_str));
            report.error("unknown-port", *span, item, brief, Hint::meant_or(near, all));
        }
    }
}

/// What flows through a link at a port.
fn kind(def: &LinkDef, domain: Domain, item: &str, report: &mut Report) -> Option<TieKind> {
    Some(match domain {
        Domain::Fluid => {
            let name = def.fluid.as_ref();
            let fluid = name.map_or(Some(Fluid::WATER), |name| Fluid::named(name));
            let Some(fluid) = fluid else {
                let name = name.cloned().unwrap_or_default();
                let known: Vec<&str> = Fluid::NAMED.iter().map(|(name, _)| *name).collect();
                let all = || format!("known are {}", known.join(", "));
                let hint = Hint::meant_or(nearest(&name, known.iter().copied()), all);
                report.error("unknown-fluid", name.span, item, format!("unknown fluid `{}`", name.value), hint);
                return None;
            };
            TieKind::Fluid(fluid)
        }
        Domain::Heat { .. } => {
            let Some(given) = &def.conductance else {
                let (brief, hint) = ("a link of heat needs its conductance", "add conductance: \"20 W/K\"");
                report.error("missing-field", def.from.span, item, brief, hint.into());
                return None;
            };
            let conductance = models::quantity(item, "conductance", "W/K", Some(20.0), given, report)?;
            TieKind::Heat { conductance }
        }
        Domain::Taker { .. } | Domain::Giver { .. } => TieKind::Supply,
        Domain::ItemsIn | Domain::ItemsOut => TieKind::Items,
    })
}
