//! Makes entities from a loaded scene: one per twin, one per signal, and takes away those of the scene before.
//!
//! In: [`LoadedScene`]. Out: entities and [`Entities`]. Never reads files, never draws.

use bevy::prelude::*;

use super::{Entities, Signal, SignalOf, Twin};
use crate::scene::{LoadedScene, Scene};

/// Replaces the entities of the world whenever another scene was taken over.
pub(super) fn respawn(world: &mut World) {
    if !world.is_resource_changed::<LoadedScene>() {
        return;
    }
    let loaded = world.resource::<LoadedScene>();
    let (scene, generation) = (loaded.scene.clone(), loaded.generation);
    if world.resource::<Entities>().generation == Some(generation) {
        return;
    }
    let old = std::mem::take(world.resource_mut::<Entities>().into_inner());
    for twin in old.twins {
        // Signals go with their twin: the relationship is linked.
        world.despawn(twin);
    }
    let mut entities = spawn(world, &scene);
    entities.generation = Some(generation);
    *world.resource_mut::<Entities>() = entities;
}

fn spawn(world: &mut World, scene: &Scene) -> Entities {
    let mut entities = Entities::default();
    for twin in &scene.twins {
        let entity = world
            .spawn((
                Name::new(twin.id.clone()),
                Twin { index: twin.index },
                Transform {
                    translation: twin.at.into(),
                    rotation: Quat::from_rotation_y(twin.facing_deg.to_radians()),
                    scale: Vec3::splat(twin.scale),
                },
            ))
            .id();
        entities.twins.push(entity);
    }
    let twins = &entities.twins;
    let signals: Vec<_> = scene
        .signals
        .iter()
        .map(|signal| (Signal { index: signal.index }, SignalOf(twins[signal.twin.at()])))
        .collect();
    entities.signals = world.spawn_batch(signals).collect();
    entities
}
