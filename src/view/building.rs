//! Which twins are buildings: what other twins stand in, as a hall.
//!
//! In: extents of all twins. Out: [`Building`] on those that surround the others. A building is drawn, listed and
//! focused like any twin, but it does not widen the overview, and the pointer reaches through it: a click on its floor is
//! a click on nothing.

use bevy::math::bounding::{Aabb3d, BoundingVolume};
use bevy::prelude::*;

use super::ViewSet;
use super::look::LookBounds;
use crate::stage::Twin;

/// A twin that most others stand in.
#[derive(Component)]
pub(super) struct Building;

/// Share of the others' footprint above which a twin may be what the others stand in.
const FOOTPRINT: f32 = 0.6;

pub(super) fn plugin(app: &mut App) {
    app.add_systems(Update, note.in_set(ViewSet::Drive));
}

/// Whether each box surrounds most of the others, seen from above.
fn buildings(boxes: &[Aabb3d]) -> Vec<bool> {
    let footprint = |b: &Aabb3d| (b.max.x - b.min.x) * (b.max.z - b.min.z);
    let stands_in = |inner: &Aabb3d, outer: &Aabb3d| {
        inner.min.x >= outer.min.x
            && inner.max.x <= outer.max.x
            && inner.min.z >= outer.min.z
            && inner.max.z <= outer.max.z
    };
    let is_building = |(place, candidate): (usize, &Aabb3d)| {
        let others = || boxes.iter().enumerate().filter(move |(other, _)| *other != place).map(|(_, b)| *b);
        let inside = others().filter(|b| stands_in(b, candidate)).count();
        let large = others()
            .reduce(|all, b| all.merge(&b))
            .is_some_and(|around| footprint(candidate) > FOOTPRINT * footprint(&around));
        large && inside * 2 > boxes.len()
    };
    boxes.iter().enumerate().map(is_building).collect()
}

fn note(
    mut commands: Commands,
    changed: Query<(), Changed<LookBounds>>,
    twins: Query<(Entity, &LookBounds, &GlobalTransform, Has<Building>), With<Twin>>,
) {
    if changed.is_empty() {
        return;
    }
    let boxes: Vec<Aabb3d> = twins.iter().map(|(_, extent, place, _)| extent.in_world(place)).collect();
    for ((entity, _, _, was), is) in twins.iter().zip(buildings(&boxes)) {
        match (was, is) {
            (false, true) => drop(commands.entity(entity).insert(Building)),
            (true, false) => drop(commands.entity(entity).remove::<Building>()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(x: f32, z: f32, half: f32) -> Aabb3d {
        Aabb3d::new(Vec3::new(x, 1.0, z), Vec3::new(half, 1.0, half))
    }

    #[test]
    fn a_hall_is_a_building_and_a_large_machine_is_not() {
        let machines = [standing(-9.0, 0.0, 1.0), standing(0.0, 2.0, 3.0), standing(9.0, -1.0, 1.0)];
        let hall = Aabb3d::new(Vec3::Y, Vec3::new(20.0, 4.0, 10.0));
        let all: Vec<Aabb3d> = machines.into_iter().chain([hall]).collect();
        assert_eq!(buildings(&all), [false, false, false, true]);
        assert_eq!(buildings(&machines), [false; 3]);
        assert_eq!(buildings(&[hall]), [false], "alone, it is what there is to see");
    }
}
