//! Finds the nodes that a look's parts name, once a model is there, and ties each to its signal.
//!
//! In: ready models, the parts of the scene. Out: a [`Bound`] entity per moving part, [`Pose`] on the nodes they move,
//! [`TextPart`] per label, [`Paint`] on every mesh; a problem for each node that the file does not have. Never moves
//! anything itself.

use std::collections::HashMap;

use bevy::light::NotShadowCaster;
use bevy::prelude::*;
use bevy::world_serialization::WorldInstanceReady;

use super::ghost::{Appearing, Ghost, Ghostly};
use super::look::{LookProblem, LookProblems, LookRoot, finish_loading};
use super::motion::{Bound, DrivenBy, Pose};
use super::paint::Paint;
use crate::scene::{LoadedScene, Motion, Part};
use crate::stage::Entities;
use crate::value::{TwinIndex, Unit};

/// A value written beside a node.
#[derive(Component, Debug)]
pub(super) struct TextPart {
    pub node: Entity,
    /// The scene names the node; else the label stands over the whole twin.
    pub anchored: bool,
    pub signal: Entity,
    pub decimals: u8,
    /// As people read it: `m³/h`.
    pub unit: String,
}

/// The nodes of a model by name, for ports of links. On the [`LookRoot`].
#[derive(Component, Default, Debug)]
pub(super) struct Nodes(pub HashMap<String, Entity>);

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Entities>()
        .add_observer(on_model_ready)
        .add_systems(Update, bind_plain.in_set(super::ViewSet::Drive));
}

#[derive(bevy::ecs::system::SystemParam)]
struct Models<'w, 's> {
    loaded: Res<'w, LoadedScene>,
    entities: Res<'w, Entities>,
    children: Query<'w, 's, &'static Children>,
    names: Query<'w, 's, &'static Name>,
    transforms: Query<'w, 's, &'static Transform>,
    meshes: Query<'w, 's, &'static MeshMaterial3d<StandardMaterial>, With<Mesh3d>>,
    problems: ResMut<'w, LookProblems>,
}

fn on_model_ready(
    ready: On<WorldInstanceReady>,
    roots: Query<&LookRoot>,
    ghosts: Query<&Ghost>,
    mut commands: Commands,
    mut models: Models,
) {
    if let Ok(ghost) = ghosts.get(ready.entity) {
        commands.entity(ready.entity).remove::<Appearing>();
        for entity in models.children.iter_descendants(ready.entity) {
            if let Ok(material) = models.meshes.get(entity) {
                commands.entity(entity).insert((ghost.paint(material.0.clone()), Ghostly, NotShadowCaster));
            }
        }
        models.bind(&mut commands, ready.entity, ghost.twin, DrivenBy::Layer(ghost.place));
        return;
    }
    let Ok(look) = roots.get(ready.entity) else { return };
    finish_loading(&mut commands, ready.entity);
    for entity in models.children.iter_descendants(ready.entity) {
        if let Ok(material) = models.meshes.get(entity) {
            commands.entity(entity).insert(Paint::of(material.0.clone()));
        }
    }
    models.bind(&mut commands, ready.entity, look.twin, DrivenBy::Shown);
}

/// Boxes that stand in have no nodes, but parts of the whole look still apply to them.
fn bind_plain(
    mut commands: Commands,
    twins: Query<&Children, Added<super::look::Plain>>,
    roots: Query<&LookRoot>,
    mut models: Models,
) {
    for root in twins.iter().flatten() {
        if let Ok(look) = roots.get(*root) {
            models.bind(&mut commands, *root, look.twin, DrivenBy::Shown);
        }
    }
}

impl Models<'_, '_> {
    /// What is wrong with a model is told once, and links end at twins: ghosts only move.
    fn bind(&mut self, commands: &mut Commands, root: Entity, twin: TwinIndex, by: DrivenBy) {
        let nodes = self.nodes_of(root);
        let scene = self.loaded.scene.clone();
        let Some(data) = scene.twins.get(twin.at()) else { return };
        let parts = data.look.as_ref().map_or(&[] as &[Part], |look| &look.parts);
        for part in parts {
            let node = if part.node.is_empty() { Some(root) } else { nodes.get(&part.node).copied() };
            let Some(node) = node else {
                // A box that stands in was reported already.
                if !nodes.is_empty() && by == DrivenBy::Shown {
                    let text = format!("{}: look.parts: {}", data.id, unknown_node(&part.node, &nodes));
                    tracing::warn!("{text}");
                    self.problems.list.push(LookProblem { twin, text });
                }
                continue;
            };
            let (Some(signal), Some(data)) = (self.entities.signals.get(part.by.at()), scene.signals.get(part.by.at()))
            else {
                continue;
            };
            self.bind_part(commands, (root, node), (*signal, by), part, &data.unit);
        }
        if by == DrivenBy::Shown {
            for (port, node) in data.look.iter().flat_map(|look| &look.ports) {
                if !nodes.is_empty() && !nodes.contains_key(node) {
                    let text = format!("{}: look.ports: {port}: {}", data.id, unknown_node(node, &nodes));
                    tracing::warn!("{text}");
                    self.problems.list.push(LookProblem { twin, text });
                }
            }
            commands.entity(root).insert(Nodes(nodes));
        }
    }

    fn bind_part(
        &self,
        commands: &mut Commands,
        (root, node): (Entity, Entity),
        (signal, by): (Entity, DrivenBy),
        part: &Part,
        unit: &Unit,
    ) {
        if let Motion::Label { .. } = part.motion
            && by != DrivenBy::Shown
        {
            return;
        }
        if let Motion::Label { decimals } = part.motion {
            let unit = if unit.symbol().is_empty() { String::new() } else { unit.pretty() };
            let anchored = !part.node.is_empty();
            commands.spawn((TextPart { node, anchored, signal, decimals, unit }, ChildOf(root)));
            return;
        }
        let to_si = match part.motion {
            Motion::Spin { .. } => conversion(unit, "rad/s"),
            Motion::Rotate { .. } => conversion(unit, "rad"),
            _ => (1.0, 0.0),
        };
        if matches!(
            part.motion,
            Motion::Spin { .. } | Motion::Slide { .. } | Motion::Rotate { .. } | Motion::Fill { .. }
        ) && let Ok(rest) = self.transforms.get(node)
        {
            commands.entity(node).insert_if_new(Pose::at_rest(*rest));
        }
        let meshes = self.meshes_of(node);
        commands.spawn((Bound::new(node, signal, part.motion.clone(), to_si, meshes).driven_by(by), ChildOf(root)));
    }

    /// Breadth first, so that of two nodes with one name the outer one counts. Primitives of a mesh carry names too, but
    /// are no nodes.
    fn nodes_of(&self, root: Entity) -> HashMap<String, Entity> {
        let mut nodes = HashMap::new();
        let mut level = vec![root];
        while !level.is_empty() {
            let below: Vec<Entity> =
                level.iter().filter_map(|e| self.children.get(*e).ok()).flatten().copied().collect();
            for entity in &below {
                if let Ok(name) = self.names.get(*entity)
                    && !self.meshes.contains(*entity)
                {
                    nodes.entry(name.to_string()).or_insert(*entity);
                }
            }
            level = below;
        }
        nodes
    }

    /// The meshes that a colour on `node` means: its own, or all below it if it has none of its own.
    fn meshes_of(&self, node: Entity) -> Vec<Entity> {
        let is_mesh = |entity: &Entity| self.meshes.contains(*entity);
        let own: Vec<Entity> = self.children.get(node).ok().into_iter().flatten().copied().filter(is_mesh).collect();
        if own.is_empty() { self.children.iter_descendants(node).filter(is_mesh).collect() } else { own }
    }
}

/// Scale and offset from `unit` to `symbol`; a signal without a unit is taken to be in `symbol` already, and one with a
/// unit that does not fit was reported when the scene was validated.
fn conversion(unit: &Unit, symbol: &str) -> (f64, f64) {
    if unit.symbol().is_empty() {
        return (1.0, 0.0);
    }
    Unit::parse(symbol)
        .ok()
        .and_then(|si| unit.conversion_to(&si))
        .map_or((1.0, 0.0), |found| (found.scale(), found.offset()))
}

fn unknown_node(wanted: &str, nodes: &HashMap<String, Entity>) -> String {
    let mut known: Vec<&str> = nodes.keys().map(String::as_str).collect();
    known.sort_unstable();
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(name, wanted), *name))
        .min()
        .filter(|(distance, name)| *distance <= 2.max(name.len() / 3));
    match nearest {
        Some((_, name)) => format!("the model has no node `{wanted}`; did you mean `{name}`?"),
        None => format!("the model has no node `{wanted}`; it has {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_node_suggests_the_nearest_name() {
        let nodes = ["casing", "shaft", "motor"].map(|n| (n.to_owned(), Entity::PLACEHOLDER)).into();
        assert_eq!(unknown_node("shafft", &nodes), "the model has no node `shafft`; did you mean `shaft`?");
        assert_eq!(unknown_node("impeller", &nodes), "the model has no node `impeller`; it has casing, motor, shaft");
    }
}
