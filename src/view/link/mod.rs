//! Pipes, belts and wires between ports of twins.
//!
//! In: the scene's links, the nodes of loaded models, extents. Out: one mesh per link, built once all looks are there.
//! Never follows a twin that moves by itself: links are fixed installations.

mod route;
mod tube;

use bevy::math::bounding::Aabb3d;
use bevy::prelude::*;

use super::bind::Nodes;
use super::look::{LookBounds, LookProblem, LookProblems, LookRoot};
use super::motion::Activity;
use super::{ViewSet, palette};
use crate::scene::{Link, LinkKind, LoadedScene, Port};
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
    fn end(&mut self, port: &Port, id: &str) -> Option<End> {
        let entity = *self.entities.twins.get(port.twin.at())?;
        let (place, extent, children) = self.twins.get(entity).ok()?;
        let bounds = extent.in_world(place);
        let names = children.iter().find_map(|child| self.roots.get(child).ok()).flatten();
        let node = names.and_then(|names| names.0.get(&port.name)).and_then(|node| self.nodes.get(*node).ok());
        if let Some(node) = node {
            return Some(End::at_port(node.translation(), bounds));
        }
        if let Some(names) = names.filter(|names| !names.0.is_empty() && !port.name.is_empty()) {
            let mut known: Vec<&str> = names.0.keys().map(String::as_str).collect();
            known.sort_unstable();
            let text = format!(
                "link to {id}.{}: the model has no node of this name (it has {}); the link ends at the twin's middle",
                port.name,
                known.join(", ")
            );
            self.problems.list.push(LookProblem { twin: port.twin, text });
        }
        Some(End::at_middle(bounds))
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
        let (from, to) = (places.end(&link.from, &id(&link.from)), places.end(&link.to, &id(&link.to)));
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
