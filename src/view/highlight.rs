//! Frames on the ground around the selected twin and the one under the pointer.
//!
//! In: `Attention`, [`Hovered`], extents. Out: two flat meshes, built anew only when what they surround changes. Never
//! recolours the twin itself: its colours mean something.

use bevy::asset::RenderAssetUsages;
use bevy::light::{NotShadowCaster, NotShadowReceiver};
use bevy::math::bounding::Aabb3d;
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;

use super::look::LookBounds;
use super::picking::Hovered;
use super::{ViewSet, palette};
use crate::command::Attention;
use crate::stage::Twin;
use crate::value::TwinIndex;

/// Metres between a twin and its frame, and the frame's breadth.
const GAP: f32 = 0.22;
const BREADTH: f32 = 0.07;
/// Above the ground, in metres.
const LIFT: f32 = 0.012;

#[derive(Component, Clone, Copy, PartialEq, Eq)]
enum Frame {
    Selected,
    Hovered,
}

/// What a frame surrounds now.
#[derive(Component, Default, PartialEq, Clone, Copy)]
struct Around(Option<(TwinIndex, Vec2, Vec2)>);

pub(super) fn plugin(app: &mut App) {
    app.add_systems(Startup, spawn_frames).add_systems(Update, surround.in_set(ViewSet::Build));
}

fn spawn_frames(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    for (frame, colour, lift) in [(Frame::Selected, palette::SELECTED, 2.0), (Frame::Hovered, palette::HOVERED, 1.0)] {
        commands.spawn((
            frame,
            Around::default(),
            Mesh3d(meshes.add(outline(Vec2::ZERO, Vec2::ONE))),
            MeshMaterial3d(materials.add(StandardMaterial {
                base_color: colour,
                unlit: true,
                depth_bias: 40.0 * lift,
                ..default()
            })),
            Transform::from_xyz(0.0, LIFT * lift, 0.0),
            Visibility::Hidden,
            NotShadowCaster,
            NotShadowReceiver,
        ));
    }
}

/// The four corners of a frame as a flat mesh facing up, from `min` to `max` on the ground (x, z): sides are left open in
/// the middle, which is easier to tell from things that stand there.
fn outline(min: Vec2, max: Vec2) -> Mesh {
    let size = (max - min).max(Vec2::splat(2.0 * BREADTH));
    let arm = (size * 0.28).clamp(Vec2::splat(BREADTH), Vec2::splat(1.2));
    let mut positions: Vec<[f32; 3]> = Vec::new();
    let mut bar = |a: Vec2, b: Vec2| {
        let (low, high) = (a.min(b), a.max(b));
        positions.extend([[low.x, 0.0, low.y], [low.x, 0.0, high.y], [high.x, 0.0, high.y], [high.x, 0.0, low.y]]);
    };
    for (corner, inward) in [
        (min, Vec2::ONE),
        (Vec2::new(max.x, min.y), Vec2::new(-1.0, 1.0)),
        (max, Vec2::NEG_ONE),
        (Vec2::new(min.x, max.y), Vec2::new(1.0, -1.0)),
    ] {
        bar(corner, corner + inward * Vec2::new(arm.x, BREADTH));
        bar(corner, corner + inward * Vec2::new(BREADTH, arm.y));
    }
    let quads = positions.len() as u32 / 4;
    let indices = (0..quads).flat_map(|quad| [0, 1, 2, 0, 2, 3].map(|corner| quad * 4 + corner)).collect();
    let count = positions.len();
    Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::default())
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
        .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, vec![[0.0, 1.0, 0.0]; count])
        .with_inserted_indices(Indices::U32(indices))
}

/// The twin's box on the ground (x, z) with some air around it.
fn footprint(bounds: &Aabb3d) -> (Vec2, Vec2) {
    let air = Vec2::splat(GAP + BREADTH);
    (Vec2::new(bounds.min.x, bounds.min.z) - air, Vec2::new(bounds.max.x, bounds.max.z) + air)
}

fn surround(
    attention: Res<Attention>,
    hovered: Res<Hovered>,
    twins: Query<(&Twin, &LookBounds, &GlobalTransform)>,
    mut frames: Query<(&Frame, &mut Around, &Mesh3d, &mut Visibility)>,
    mut meshes: ResMut<Assets<Mesh>>,
) {
    for (frame, mut around, mesh, mut visibility) in &mut frames {
        let wanted = match frame {
            Frame::Selected => attention.selected,
            Frame::Hovered => hovered.twin.filter(|twin| attention.selected != Some(*twin)),
        };
        let found = wanted.and_then(|index| twins.iter().find(|(twin, ..)| twin.index == index));
        let now = found.map(|(twin, extent, place)| {
            let (min, max) = footprint(&extent.in_world(place));
            (twin.index, min, max)
        });
        if around.0 != now {
            *around = Around(now);
            if let Some((_, min, max)) = now {
                // A frame that is gone with its mesh is no reason to stop.
                let _ = meshes.insert(&mesh.0, outline(min, max));
            }
        }
        visibility.set_if_neq(if now.is_some() { Visibility::Inherited } else { Visibility::Hidden });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_lies_around_its_twin_and_faces_up() {
        let mesh = outline(Vec2::new(-1.0, -2.0), Vec2::new(3.0, 4.0));
        let positions = mesh.attribute(Mesh::ATTRIBUTE_POSITION).and_then(|a| a.as_float3()).expect("set above");
        let indices: Vec<usize> = mesh.indices().expect("set above").iter().collect();
        for face in indices.chunks(3) {
            let [a, b, c] = [face[0], face[1], face[2]].map(|i| Vec3::from_array(positions[i]));
            assert!((b - a).cross(c - a).y > 0.0, "faces down: {a} {b} {c}");
        }
        assert!(positions.iter().all(|p| (-1.0..=3.0).contains(&p[0]) && (-2.0..=4.0).contains(&p[2])));
    }
}
