//! Pipes, belts and wires between ports of twins.
//!
//! In: the scene's links, the nodes of loaded looks and the ports that they stand for, extents. Out: one mesh per link,
//! built once all looks are there. Never follows a twin that moves by itself: links are fixed installations.

mod route;
mod tube;

use bevy::math::bounding::Aabb3d;
use bevy::prelude::*;

use super::bind::Nodes;
use super::look::{LookBounds, LookProblem, LookProblems, LookRoot};
use super::motion::Activity;
use super::{ViewSet, palette};
use crate::model::Domain;
use crate::scene::{Link, LinkKind, LoadedScene, Port, Scene};
use crate::stage::{Entities, Twin};
use route::{End, route};

/// Metres: half the diameter of a pipe, and of a wire.
const PIPE_RADIUS: f32 = 0.055;
const WIRE_RADIUS: f32 = 0.014;
const SIGNAL_RADIUS: f32 = 0.008;
/// Metres: breadth and thickness of a belt.
const BELT_SIZE: Vec2 = Vec2::new(0.42, 0.05);
/// Ports closer than this need no link drawn between them, in metres.
const TOUCHING: f32 = 0.02;

#[derive(Component)]
struct LinkMesh;

#[derive(Resource)]
struct LinkMaterials {
    pipe: Handle<StandardMaterial>,
    belt: Handle<StandardMaterial>,
    wire: Handle<StandardMaterial>,
    signal: Handle<StandardMaterial>,
}

pub(super) fn plugin(app: &mut App) {
    app.add_systems(Startup, make_materials).add_systems(Update, rebuild.in_set(ViewSet::Build));
}

fn make_materials(mut commands: Commands, mut materials: ResMut<Assets<StandardMaterial>>) {
    let mut of = |base_color, metallic, perceptual_roughness| {
        materials.add(StandardMaterial { base_color, metallic, perceptual_roughness, reflectance: 0.3, ..default() })
    };
    let made = LinkMaterials {
        pipe: of(palette::PIPE, 0.35, 0.5),
        belt: of(palette::BELT, 0.0, 0.9),
        wire: of(palette::WIRE, 0.0, 0.8),
        signal: of(palette::SIGNAL, 0.0, 0.9),
    };
    commands.insert_resource(made);
}

#[derive(bevy::ecs::system::SystemParam)]
struct Places<'w, 's> {
    entities: Res<'w, Entities>,
    twins: Query<'w, 's, (&'static GlobalTransform, &'static LookBounds, &'static Children), With<Twin>>,
    roots: Query<'w, 's, Option<&'static Nodes>, With<LookRoot>>,
    nodes: Query<'w, 's, &'static GlobalTransform>,
    problems: ResMut<'w, LookProblems>,
}

impl Places<'_, '_> {
    fn end(&mut self, scene: &Scene, port: &Port, kind: LinkKind) -> Option<End> {
        let entity = *self.entities.twins.get(port.twin.at())?;
        let (place, extent, children) = self.twins.get(entity).ok()?;
        let bounds = extent.in_world(place);
        let names = children.iter().find_map(|child| self.roots.get(child).ok()).flatten();
        let twin = scene.twins.get(port.twin.at())?;
        let wanted = twin.look.as_ref().map_or(port.name.as_str(), |look| look.node_of(&port.name));
        // Names of nodes may hold dots, and so do ports of one of several models.
        let short = wanted.rsplit_once('.').map_or(wanted, |(_, name)| name);
        let node = names.and_then(|names| names.0.get(wanted).or_else(|| names.0.get(short)));
        let node = node.and_then(|node| self.nodes.get(*node).ok());
        if let Some(node) = node {
            return Some(End::at_port(node.translation(), bounds));
        }
        // A node that `ports` names in vain was told when the model was bound.
        let told = wanted != port.name || !needs_node(scene, port, kind);
        if let Some(names) = names.filter(|names| !names.0.is_empty() && !port.name.is_empty() && !told) {
            let mut known: Vec<&str> = names.0.keys().map(String::as_str).collect();
            known.sort_unstable();
            let text = format!(
                "link to {}.{name}: the look has no node of this name (it has {}); the link ends at the twin's middle: \
                 name the node in the look's ports: {{\"{name}\": \"…\"}}",
                twin.id,
                known.join(", "),
                name = port.name,
            );
            self.problems.list.push(LookProblem { twin: port.twin, text });
        }
        Some(End::at_middle(bounds))
    }
}

/// Whether a link to `port` is to end at a node. Wires and what is told need none, nor do electricity, air and shafts of
/// models: few looks show where those come in.
fn needs_node(scene: &Scene, port: &Port, kind: LinkKind) -> bool {
    match kind {
        LinkKind::Wire | LinkKind::Signal => false,
        LinkKind::Pipe | LinkKind::Belt => {
            matches!(scene.domain(port), None | Some(Domain::Fluid | Domain::ItemsIn | Domain::ItemsOut))
        }
    }
}

fn rebuild(
    mut commands: Commands,
    loaded: Res<LoadedScene>,
    activity: Res<Activity>,
    new: Query<(), Added<LookBounds>>,
    old: Query<Entity, With<LinkMesh>>,
    materials: Res<LinkMaterials>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut places: Places,
    mut due: Local<bool>,
) {
    *due |= !new.is_empty() || loaded.is_changed();
    if !*due || activity.loading {
        return;
    }
    *due = false;
    old.iter().for_each(|entity| commands.entity(entity).despawn());
    let scene = loaded.scene.clone();
    let obstacles: Vec<Aabb3d> = places.twins.iter().map(|(place, extent, _)| extent.in_world(place)).collect();
    for link in &scene.links {
        let id = |port: &Port| scene.twins.get(port.twin.at()).map_or("?", |twin| twin.id.as_str()).to_owned();
        let (from, to) = (places.end(&scene, &link.from, link.kind), places.end(&scene, &link.to, link.kind));
        let Some((from, to)) = from.zip(to) else { continue };
        if from.at.distance(to.at) < TOUCHING {
            continue;
        }
        let (mesh, material) = draw(link, from, to, &obstacles, &materials);
        commands.spawn((
            LinkMesh,
            Name::new(format!("{} to {}", id(&link.from), id(&link.to))),
            Mesh3d(meshes.add(mesh)),
            MeshMaterial3d(material),
            Transform::default(),
        ));
    }
}

fn draw(
    link: &Link,
    from: End,
    to: End,
    obstacles: &[Aabb3d],
    materials: &LinkMaterials,
) -> (Mesh, Handle<StandardMaterial>) {
    match link.kind {
        LinkKind::Pipe => {
            let path = route(from, to, 4.0 * PIPE_RADIUS, obstacles);
            let flanges = [path.first(), path.last()].map(|end| end.copied().unwrap_or_default());
            let mut mesh = tube::round(&tube::rounded(&path, 3.0 * PIPE_RADIUS), PIPE_RADIUS, 16);
            for (end, next) in flanges.into_iter().zip([path.get(1), path.iter().rev().nth(1)]) {
                if let Some(flange) = next.and_then(|next| (*next - end).try_normalize()) {
                    let disc = tube::round(&[end, end + flange * 0.03], PIPE_RADIUS * 1.7, 20);
                    // Both have positions and normals only; a mesh that cannot take the other stays without flange.
                    let _ = mesh.merge(&disc);
                }
            }
            (mesh, materials.pipe.clone())
        }
        LinkKind::Belt => (tube::belt(from.at, to.at, BELT_SIZE), materials.belt.clone()),
        LinkKind::Wire => {
            let path = route(from, to, 4.0 * WIRE_RADIUS, obstacles);
            (tube::round(&tube::rounded(&path, 6.0 * WIRE_RADIUS), WIRE_RADIUS, 8), materials.wire.clone())
        }
        LinkKind::Signal => {
            let arc = tube::arc(from.at, to.at);
            (tube::round(&arc, SIGNAL_RADIUS, 6), materials.signal.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scene::{SourceFile, load_texts};

    #[test]
    fn pipes_and_belts_want_a_node_for_liquid_and_items_and_for_names_that_no_model_has() {
        let text = r#"Scene(
            format: (1, 3),
            types: {
                "Filler": (models: {"filler": Filler(), "air": AirConsumer()}),
                "Compressor": (model: Compressor()),
                "Drawn": (),
                "Supply": (model: Mains()),
                "Feed": (model: Infeed()),
                "Store": (model: Store()),
            },
            twins: [
                (id: "F", type: "Filler"), (id: "K", type: "Compressor"), (id: "D", type: "Drawn"),
                (id: "S", type: "Supply"), (id: "I", type: "Feed"), (id: "W", type: "Store"),
            ],
            links: [
                (from: "S.outlet", to: "F.inlet", kind: Pipe), (from: "I.out", to: "F.in", kind: Belt),
                (from: "F.out", to: "W.in", kind: Belt),
            ],
        )"#;
        let path = Path::new("/scene.ron");
        let loaded = load_texts(path, &[SourceFile { path: path.into(), text: text.into() }]);
        let scene = loaded.scene.unwrap_or_else(|| panic!("{:?}", loaded.issues));
        let wants = |id: &str, name: &str, kind| {
            let twin = scene.twin(id).expect("it is in the scene").index;
            needs_node(&scene, &Port { twin, name: name.into() }, kind)
        };
        assert!(wants("F", "inlet", LinkKind::Pipe) && wants("F", "filler.in", LinkKind::Belt));
        assert!(wants("D", "inlet", LinkKind::Pipe) && wants("K", "outlett", LinkKind::Pipe));
        assert!(!wants("F", "air", LinkKind::Pipe) && !wants("K", "air", LinkKind::Pipe));
        assert!(!wants("K", "mains", LinkKind::Pipe) && !wants("D", "anything", LinkKind::Wire));
    }
}
