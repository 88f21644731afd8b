//! From files to a scene. In: a path. Out: a resolved [`Scene`] unless there are errors, and every issue at once.
//! Never panics on what a file says, never stops at the first problem.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::files::{self, Part};
use super::format::{BrokerDef, LinkDef, TwinDef};
use super::nearest::nearest;
use super::report::{Hint, Report};
use super::resolved::{Broker, Link, Port, Scene, SignalSource, Viewpoint};
use super::span::{Span, Spanned};
use super::types::Given;
use super::{Loaded, SourceFile, alarms, brokers, commands, derive, instruments, messages, story, text, twins, types};
use crate::scene::rule::AlarmIndex;

/// Reads a scene file and the libraries it uses; reports every issue at once, never panics.
pub fn load(path: &Path) -> Loaded {
    load_from(path, &files::from_disk)
}

/// As [`load`], from texts that are at hand instead of files; models are looked for on the disk all the same.
pub fn load_texts(path: &Path, texts: &[SourceFile]) -> Loaded {
    load_from(path, &|wanted| {
        let found = texts.iter().find(|source| source.path == wanted);
        found.map(|source| source.text.clone()).ok_or_else(|| "its text is not at hand".to_owned())
    })
}

fn load_from(path: &Path, read: files::Read<'_>) -> Loaded {
    let mut report = Report::default();
    let files = files::read_all(path, read, &mut report);
    let mut scene = resolve(path, &files.parts, &mut report);
    let failed = report.errors > 0;
    let (issues, sources) = report.finish();
    scene.sources = sources.clone();
    let mut looked_for = files.looked_for;
    looked_for.extend(scene.profiles.iter().map(|profile| profile.file.clone()));
    Loaded { scene: (!failed).then_some(scene), issues, files: looked_for, sources }
}

fn resolve(path: &Path, parts: &[Part], report: &mut Report) -> Scene {
    let mut scene = Scene {
        path: path.to_owned(),
        dir: path.parent().map(Path::to_owned).unwrap_or_default(),
        brokers: all_brokers(parts, report),
        ..Scene::default()
    };
    if let Some(root) = parts.last() {
        scene.name = if root.file.name.is_empty() {
            path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
        } else {
            root.file.name.clone()
        };
    }
    let given: Vec<Given<'_>> = parts
        .iter()
        .flat_map(|part| part.file.types.0.iter().map(|(name, def)| Given { name, def, dir: &part.dir }))
        .collect();
    let types = types::resolve(&given, &scene.brokers, report);
    let defs: Vec<&TwinDef> = parts.iter().flat_map(|part| &part.file.twins).collect();
    let brokers = scene.brokers.clone();
    let unresolved = twins::resolve(&defs, &types, &brokers, &mut scene, report);
    derive::resolve(unresolved.derived, &mut scene, report);
    scene.alarms = alarms::resolve(&unresolved.alarms, &scene, report);
    scene.commands = commands::resolve(&unresolved.commands, &scene, report);
    scene.allows_commands = allows_commands(parts, &scene, report);
    add_connection_alarms(&mut scene, parts, report);
    // A twin that could not be made was reported: a link to it is no mistake of its own.
    let mentioned: BTreeSet<&str> = defs.iter().map(|def| def.id.as_str()).collect();
    let mut machines = unresolved.machines;
    let mut links = Vec::new();
    for link in parts.iter().flat_map(|part| &part.file.links) {
        let made =
            (port(&link.from, link, &scene, &mentioned, report), port(&link.to, link, &scene, &mentioned, report));
        if let (Some(from), Some(to)) = made {
            scene.links.push(Link { from: from.clone(), to: to.clone(), kind: link.kind });
            machines.add_link(link, report);
            links.push((link, from, to));
        }
    }
    instruments::resolve(&unresolved.measures, &machines, &mut scene, report);
    messages::resolve(&unresolved.messages, &machines, &mut scene, report);
    machines.resolve(&links, &mut scene, report);
    if let Some(plant) = parts.last().and_then(|root| root.file.plant.as_ref()) {
        story::resolve(plant, &machines, &mut scene, report);
    }
    views(parts, &mut scene, report);
    warn_of_uncovered_topics(&scene, parts, report);
    scene
}

fn all_brokers(parts: &[Part], report: &mut Report) -> BTreeMap<String, Broker> {
    let mut all = BTreeMap::new();
    let mut first_seen: HashMap<&str, Span> = HashMap::new();
    for part in parts {
        for (name, def) in &part.file.brokers.0 {
            if let Some(first) = first_seen.insert(&name.value, name.span) {
                let hint = format!("the first is at {}", report.place(first));
                let brief = format!("the broker `{}` is defined a second time", name.value);
                report.error("duplicate-name", name.span, "", brief, hint.into());
            }
            all.insert(name.value.clone(), brokers::resolve(name, def, &part.dir, report));
        }
    }
    all
}

/// Each broker of a scene says for itself whether commands may be sent there.
fn allows_commands(parts: &[Part], scene: &Scene, report: &mut Report) -> bool {
    // A library says nothing about the scenes that use it.
    let Some(given) = parts.last().and_then(|root| root.file.commands.as_ref()) else { return false };
    if !scene.brokers.is_empty() {
        let brief = "`commands` beside brokers counts for none of them";
        report.warning("commands-of-no-broker", given.span, "", brief, "say it in the broker: commands: true".into());
    }
    given.value
}

/// Every broker has one, in the order of their names, unless the scene takes it away.
fn add_connection_alarms(scene: &mut Scene, parts: &[Part], report: &mut Report) {
    let defs: BTreeMap<&str, &BrokerDef> =
        parts.iter().flat_map(|part| &part.file.brokers.0).map(|(name, def)| (name.value.as_str(), def)).collect();
    for (name, def) in defs {
        if let Some(mut rule) = alarms::connection(name, def.alarm.as_ref(), scene, report) {
            rule.index = AlarmIndex(u32::try_from(scene.alarms.len()).unwrap_or(u32::MAX));
            scene.alarms.push(rule);
        }
    }
}

/// `P-101.inlet` or `P-101`. A whole id wins over an id with a port, as ids may hold dots.
fn port(
    given: &Spanned<String>,
    link: &LinkDef,
    scene: &Scene,
    mentioned: &BTreeSet<&str>,
    report: &mut Report,
) -> Option<Port> {
    if let Some(twin) = scene.twin(given) {
        return Some(Port { twin: twin.index, name: String::new() });
    }
    // Ports of one of several models have a dot as well: `P-101.motor.mains`.
    for (at, _) in given.rmatch_indices('.') {
        if let Some(twin) = scene.twin(&given[..at]) {
            return Some(Port { twin: twin.index, name: given[at + 1..].to_owned() });
        }
    }
    let id = given.rsplit_once('.').map_or(given.as_str(), |(id, _)| id);
    if !mentioned.contains(id) && !mentioned.contains(given.value.as_str()) {
        let item = format!("link {} -> {}", link.from.value, link.to.value);
        let near = nearest(id, mentioned.iter().copied());
        report.error("unknown-twin", given.span, &item, format!("there is no twin `{id}`"), Hint::meant(near));
    }
    None
}

fn views(parts: &[Part], scene: &mut Scene, report: &mut Report) {
    let mut first_seen: HashMap<&str, Span> = HashMap::new();
    for view in parts.iter().flat_map(|part| &part.file.views) {
        if let Some(first) = first_seen.insert(&view.name.value, view.name.span) {
            let hint = format!("the first is at {}", report.place(first));
            let brief = format!("the view `{}` is defined a second time", view.name.value);
            report.error("duplicate-name", view.name.span, "", brief, hint.into());
        }
        if view.eye == view.target {
            report.error("bad-value", view.name.span, &view.name, "eye and target are the same point", Hint::NONE);
        }
        let point = |(x, y, z): (f32, f32, f32)| [x, y, z];
        let viewpoint = Viewpoint { name: view.name.value.clone(), eye: point(view.eye), target: point(view.target) };
        scene.views.push(viewpoint);
    }
}

/// A signal whose topic no subscription asks for stays silent for ever: better said now.
fn warn_of_uncovered_topics(scene: &Scene, parts: &[Part], report: &mut Report) {
    let place: HashMap<&str, Span> = parts
        .iter()
        .flat_map(|part| &part.file.brokers.0)
        .filter_map(|(name, def)| Some((name.value.as_str(), def.subscribe.first()?.span)))
        .collect();
    for (name, span) in place {
        let Some(broker) = scene.brokers.get(name) else { continue };
        let mut uncovered = scene.signals.iter().filter(|signal| match &signal.source {
            SignalSource::Mqtt(binding) => {
                binding.broker.as_deref() == Some(name)
                    && !broker.subscribe.iter().any(|filter| text::covers(filter, &binding.topic))
            }
            _ => false,
        });
        if let Some(first) = uncovered.next() {
            let path = scene.signal_path(first.index);
            let others = match uncovered.count() {
                0 => String::new(),
                n => format!(" and {n} more signals"),
            };
            let brief = format!("`subscribe` does not cover the topic of {path}{others}");
            let hint = "add a filter, or leave `subscribe` out to take what the signals need";
            report.warning("not-subscribed", span, name, brief, hint.into());
        }
        let covers = |topic: &str| broker.subscribe.iter().any(|filter| text::covers(filter, topic));
        let silent = scene.answers_from(name).find(|topic| !covers(topic));
        if let Some(topic) = silent {
            let brief = format!("`subscribe` does not cover {topic}, on which commands are answered");
            let hint = "add a filter, or leave `subscribe` out to take what the commands need";
            report.warning("not-subscribed", span, name, brief, hint.into());
        }
    }
}
