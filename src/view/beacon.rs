//! Beacons: a lamp above every twin with an alarm, in the shape and colour of its priority.
//!
//! In: moods of twins, where their tops are, the camera. Out: one flat mesh for each twin that annunciates, turned to the
//! camera and never smaller than can be read. Filled and large means unacknowledged, hollow and smaller acknowledged.
//! Nothing blinks: a still picture says all there is to say.

use std::collections::HashMap;
use std::f32::consts::TAU;

use bevy::asset::RenderAssetUsages;
use bevy::light::{NotShadowCaster, NotShadowReceiver};
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;
use bevy::transform::TransformSystems;

use super::look::LookBounds;
use super::mood::Mood;
use super::{ViewSet, WorldCamera, palette};
use crate::alarm::Urgency;
use crate::scene::rule::Priority;
use crate::stage::Twin;

/// Metres that a lamp's unit is at least, and as a share of its distance from the camera.
const SMALLEST: f32 = 0.18;
const OF_DISTANCE: f32 = 0.022;
/// Of a lamp in its own units: the middle of its shape, and its top, above the twin.
const MIDDLE: f32 = 0.75;
const TOP: f32 = 1.35;
/// How much smaller it is once acknowledged.
const ACKNOWLEDGED: f32 = 0.75;

/// The lamp of one twin.
#[derive(Component)]
struct Beacon {
    twin: Entity,
    alarm: Urgency,
}

#[derive(Resource)]
struct Lamps {
    /// By priority, then acknowledged and not.
    meshes: [[Handle<Mesh>; 2]; 4],
    material: Handle<StandardMaterial>,
}

impl Lamps {
    fn mesh(&self, alarm: Urgency) -> Handle<Mesh> {
        let [acknowledged, unacknowledged] = &self.meshes[usize::from(alarm.priority.number() - 1)];
        if alarm.unacknowledged { unacknowledged.clone() } else { acknowledged.clone() }
    }
}

pub(super) fn plugin(app: &mut App) {
    app.add_systems(Startup, make_lamps)
        .add_systems(Update, light.in_set(ViewSet::Build))
        .add_systems(PostUpdate, face.before(TransformSystems::Propagate));
}

fn make_lamps(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    let meshes = Priority::ALL
        .map(|priority| [false, true].map(|unacknowledged| meshes.add(lamp(Urgency { priority, unacknowledged }))));
    let material = StandardMaterial { unlit: true, cull_mode: None, fog_enabled: false, ..default() };
    commands.insert_resource(Lamps { meshes, material: materials.add(material) });
}

/// Lamps come, change and go with the moods of twins.
fn light(
    mut commands: Commands,
    moods: Query<(Entity, &Mood), (With<Twin>, Changed<Mood>)>,
    mut gone: RemovedComponents<Twin>,
    mut beacons: Query<(&mut Beacon, &mut Mesh3d)>,
    lamps: Res<Lamps>,
    mut of_twin: Local<HashMap<Entity, Entity>>,
) {
    for twin in gone.read() {
        if let Some(beacon) = of_twin.remove(&twin) {
            commands.entity(beacon).try_despawn();
        }
    }
    for (twin, mood) in &moods {
        let standing = of_twin.get(&twin).copied();
        match (mood.lamp.alarm, standing) {
            (Some(alarm), Some(beacon)) => {
                if let Ok((mut old, mut mesh)) = beacons.get_mut(beacon)
                    && old.alarm != alarm
                {
                    old.alarm = alarm;
                    mesh.0 = lamps.mesh(alarm);
                }
            }
            (Some(alarm), None) => {
                let beacon = commands.spawn((
                    Name::new("beacon"),
                    Beacon { twin, alarm },
                    Mesh3d(lamps.mesh(alarm)),
                    MeshMaterial3d(lamps.material.clone()),
                    NotShadowCaster,
                    NotShadowReceiver,
                ));
                of_twin.insert(twin, beacon.id());
            }
            (None, Some(beacon)) => {
                of_twin.remove(&twin);
                commands.entity(beacon).try_despawn();
            }
            (None, None) => {}
        }
    }
}

/// Metres that a lamp's unit has, `distance` metres away.
fn scale(alarm: Urgency, distance: f32) -> f32 {
    let size = if alarm.unacknowledged { 1.0 } else { ACKNOWLEDGED };
    size * (OF_DISTANCE * distance).max(SMALLEST)
}

/// How far a lamp reaches above its twin on the screen, in metres at its distance: labels stand above.
pub(super) fn height(alarm: Urgency, distance: f32) -> f32 {
    TOP * scale(alarm, distance)
}

/// Lamps stand on their twins and look at the camera.
fn face(
    camera: Query<&Transform, (With<WorldCamera>, Without<Beacon>)>,
    mut beacons: Query<(&Beacon, &mut Transform)>,
    twins: Query<(&GlobalTransform, Option<&LookBounds>)>,
) {
    let Ok(camera) = camera.single() else { return };
    for (beacon, mut place) in &mut beacons {
        let Ok((twin, extent)) = twins.get(beacon.twin) else { continue };
        let translation = twin.transform_point(extent.map_or(Vec3::Y, LookBounds::top));
        let scale = Vec3::splat(scale(beacon.alarm, camera.translation.distance(translation)));
        place.set_if_neq(Transform { translation, rotation: camera.rotation, scale });
    }
}

/// Flat figures that lie one before the other, in the plane that faces the camera.
#[derive(Default)]
struct Drawing {
    positions: Vec<[f32; 3]>,
    colours: Vec<[f32; 4]>,
    indices: Vec<u32>,
    depth: f32,
}

impl Drawing {
    /// A convex figure in front of what is there.
    fn add(&mut self, points: &[Vec2], colour: Color) {
        let first = self.positions.len() as u32;
        self.depth += 0.004;
        self.positions.extend(points.iter().map(|point| [point.x, point.y, self.depth]));
        self.colours.extend(std::iter::repeat_n(colour.to_linear().to_f32_array(), points.len()));
        self.indices.extend((2..points.len() as u32).flat_map(|i| [first, first + i - 1, first + i]));
    }

    fn bar(&mut self, middle: Vec2, half: Vec2, colour: Color) {
        let corners = [Vec2::new(-half.x, -half.y), Vec2::new(half.x, -half.y), half, Vec2::new(-half.x, half.y)];
        self.add(&corners.map(|corner| middle + corner), colour);
    }

    /// A digit of straight strokes, as on a meter.
    fn digit(&mut self, digit: u8, middle: Vec2, height: f32, colour: Color) {
        const STROKE: f32 = 0.042;
        let (w, h) = (height * 0.26, height * 0.5 - STROKE);
        let across = |y: f32| (Vec2::new(0.0, y), Vec2::new(w + STROKE, STROKE));
        let down = |x: f32, y: f32| (Vec2::new(x, y), Vec2::new(STROKE, h * 0.5 + STROKE));
        let strokes = match digit {
            1 => vec![(Vec2::ZERO, Vec2::new(STROKE, h + STROKE))],
            2 => vec![across(h), down(w, h * 0.5), across(0.0), down(-w, -h * 0.5), across(-h)],
            3 => vec![across(h), down(w, h * 0.5), across(0.0), down(w, -h * 0.5), across(-h)],
            _ => vec![down(-w, h * 0.5), across(0.0), down(w, h * 0.5), down(w, -h * 0.5)],
        };
        for (at, half) in strokes {
            self.bar(middle + at, half, colour);
        }
    }

    fn mesh(self) -> Mesh {
        let count = self.positions.len();
        Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::default())
            .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, self.positions)
            .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, vec![[0.0, 0.0, 1.0]; count])
            .with_inserted_attribute(Mesh::ATTRIBUTE_COLOR, self.colours)
            .with_inserted_indices(Indices::U32(self.indices))
    }
}

/// The outline of a priority around the origin, half a unit in size, counter-clockwise.
fn outline(priority: Priority) -> Vec<Vec2> {
    let polygon = |corners: usize, radius: f32, turn: f32| {
        (0..corners).map(|i| Vec2::from_angle(turn + TAU * i as f32 / corners as f32) * radius).collect()
    };
    match priority {
        Priority::Critical => polygon(4, 0.68, TAU / 8.0),
        Priority::High => polygon(3, 0.72, TAU / 4.0),
        Priority::Medium => polygon(3, 0.72, -TAU / 4.0),
        Priority::Low => polygon(24, 0.54, 0.0),
    }
}

fn lamp(alarm: Urgency) -> Mesh {
    let colour = palette::priority(alarm.priority);
    // The middle of a triangle's area lies off the middle of its height.
    let shift = match alarm.priority {
        Priority::High => -0.12,
        Priority::Medium => 0.12,
        Priority::Critical | Priority::Low => 0.0,
    };
    let middle = Vec2::new(0.0, MIDDLE + shift);
    let mut drawing = Drawing::default();
    drawing.bar(Vec2::new(0.0, MIDDLE * 0.5), Vec2::new(0.035, MIDDLE * 0.5), palette::BEACON_EDGE);
    let shape = outline(alarm.priority);
    let mut layer = |size: f32, colour| {
        drawing.add(&shape.iter().map(|point| middle + *point * size).collect::<Vec<_>>(), colour);
    };
    layer(1.0, palette::BEACON_EDGE);
    layer(0.86, colour);
    if !alarm.unacknowledged {
        layer(0.62, palette::BEACON_PAPER);
    }
    let ink = match (alarm.priority, alarm.unacknowledged) {
        (Priority::Critical, true) => Color::WHITE,
        _ => palette::BEACON_EDGE,
    };
    let height = if matches!(alarm.priority, Priority::Critical | Priority::Low) { 0.5 } else { 0.4 };
    drawing.digit(alarm.priority.number(), middle, height, ink);
    drawing.mesh()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lamp_differs_in_shape_by_priority_and_acknowledgement() {
        let mut seen: Vec<Vec<[f32; 3]>> = Vec::new();
        for priority in Priority::ALL {
            for unacknowledged in [false, true] {
                let mesh = lamp(Urgency { priority, unacknowledged });
                let positions =
                    mesh.attribute(Mesh::ATTRIBUTE_POSITION).and_then(|a| a.as_float3()).expect("set").to_vec();
                assert!(positions.iter().all(|p| (0.0..=TOP).contains(&p[1])), "{priority:?} leaves its height");
                assert!(!seen.contains(&positions), "{priority:?} {unacknowledged}");
                seen.push(positions);
            }
        }
    }

    #[test]
    fn a_far_lamp_keeps_its_size_on_the_screen() {
        let alarm = Urgency { priority: Priority::High, unacknowledged: true };
        assert_eq!(height(alarm, 1.0), height(alarm, 5.0), "nor does it shrink on a near twin");
        assert!((height(alarm, 200.0) / height(alarm, 100.0) - 2.0).abs() < 1e-5);
        let acknowledged = Urgency { unacknowledged: false, ..alarm };
        assert!(height(acknowledged, 50.0) < height(alarm, 50.0));
    }

    #[test]
    fn figures_face_the_camera() {
        let mesh = lamp(Urgency { priority: Priority::Medium, unacknowledged: true });
        let positions = mesh.attribute(Mesh::ATTRIBUTE_POSITION).and_then(|a| a.as_float3()).expect("set");
        let indices: Vec<usize> = mesh.indices().expect("set").iter().collect();
        for face in indices.chunks(3) {
            let [a, b, c] = [face[0], face[1], face[2]].map(|i| Vec3::from_array(positions[i]));
            assert!((b - a).cross(c - a).z > 0.0, "faces away: {a} {b} {c}");
        }
    }
}
