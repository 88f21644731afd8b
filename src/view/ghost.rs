//! Ghosts: translucent copies of twins, at the same place, as they are in the recording that lies beside this one.
//!
//! In: the [`Counterpart`]s of signals, which ghosts are wanted. Out: a [`Ghost`] beside the twins that differ, with their
//! look, driven by the other's values. A ghost is no twin: it casts no shadow, is not clicked, has no label, no lamp and no
//! colour of its own. Made when it is needed first, hidden when it is not.

use std::collections::HashMap;

use bevy::asset::LoadState;
use bevy::prelude::*;
use bevy::world_serialization::{WorldAsset, WorldAssetRoot};

use super::ViewSet;
use super::look::{self, PlainBox};
use crate::beside::{Beside, Counterpart, NOTABLE};
use crate::command::Ghosts;
use crate::scene::{LoadedScene, Motion, Twin as TwinData};
use crate::stage::Entities;
use crate::value::{SignalIndex, TwinIndex};

/// The root of a ghost, at the place of its twin.
#[derive(Component, Clone, Copy, Debug)]
pub(super) struct Ghost {
    pub twin: TwinIndex,
}

/// A mesh of a ghost: the pointer reaches through it.
#[derive(Component)]
pub(super) struct Ghostly;

/// A ghost whose model is still being read.
#[derive(Component)]
pub(super) struct Appearing(Handle<WorldAsset>);

/// Share of the scale below which a ghost that is there goes: one that comes and goes with every sample would flicker.
const GOES_BELOW: f64 = 0.6 * NOTABLE;
/// A ghost is a hair larger than its twin, so that its faces do not flicker through those of the twin.
const SWOLLEN: f32 = 1.012;

pub(super) fn plugin(app: &mut App) {
    app.add_systems(Update, (choose, give_up).chain().in_set(ViewSet::Place).run_if(resource_exists::<Beside>));
}

/// What drives the look of a twin, labels aside.
fn drivers(twin: &TwinData) -> impl Iterator<Item = SignalIndex> {
    let parts = twin.look.iter().flat_map(|look| &look.parts);
    parts.filter(|part| !matches!(part.motion, Motion::Label { .. })).map(|part| part.by)
}

/// Whether a ghost is wanted; `weights` are those of the signals that both recordings have a value of.
fn is_wanted(ghosts: Ghosts, is_there: bool, mut weights: impl Iterator<Item = f64>) -> bool {
    let least = if is_there { GOES_BELOW } else { NOTABLE };
    match ghosts {
        Ghosts::None => false,
        Ghosts::All => weights.next().is_some(),
        Ghosts::Differing => weights.any(|weight| weight >= least),
    }
}

/// The ghosts of one scene.
#[derive(Default)]
struct Made {
    generation: Option<u32>,
    of_twin: HashMap<TwinIndex, Entity>,
}

fn choose(
    mut commands: Commands,
    loaded: Res<LoadedScene>,
    entities: Res<Entities>,
    ghosts: Res<Ghosts>,
    counterparts: Query<&Counterpart>,
    changed: Query<(), Changed<Counterpart>>,
    mut visibilities: Query<&mut Visibility, With<Ghost>>,
    assets: Res<AssetServer>,
    plain: Res<PlainBox>,
    mut made: Local<Made>,
) {
    if made.generation != Some(loaded.generation) {
        made.generation = Some(loaded.generation);
        made.of_twin.drain().for_each(|(_, ghost)| commands.entity(ghost).despawn());
    } else if changed.is_empty() && !ghosts.is_changed() {
        return;
    }
    let weight = |signal: SignalIndex| {
        let counterpart = counterparts.get(*entities.signals.get(signal.at())?).ok()?;
        counterpart.current.value.is_some().then_some(counterpart.deviation.weight)
    };
    for twin in &loaded.scene.twins {
        let ghost = made.of_twin.get(&twin.index).copied();
        let mut visibility = ghost.and_then(|ghost| visibilities.get_mut(ghost).ok());
        let is_there = visibility.as_ref().is_some_and(|visibility| **visibility != Visibility::Hidden);
        let wanted = is_wanted(*ghosts, is_there, drivers(twin).filter_map(weight));
        match (&mut visibility, wanted) {
            (Some(visibility), _) => {
                let shown = if wanted { Visibility::Visible } else { Visibility::Hidden };
                visibility.set_if_neq(shown);
            }
            // One that was made in this frame is there in the next.
            (None, true) if ghost.is_none() => {
                let ghost = appear(&mut commands, twin, &assets, &plain);
                made.of_twin.insert(twin.index, ghost);
            }
            (None, _) => {}
        }
    }
}

fn appear(commands: &mut Commands, twin: &TwinData, assets: &AssetServer, plain: &PlainBox) -> Entity {
    let mut place = look::transform_of(twin);
    place.scale *= SWOLLEN;
    let ghost = commands.spawn((Name::new("ghost"), Ghost { twin: twin.index }, place, Visibility::Visible)).id();
    match twin.look.as_ref().and_then(|look| look.model.as_ref()) {
        Some(model) => {
            let model = look::load_model(assets, &look::model_path(model));
            commands.entity(ghost).insert((WorldAssetRoot(model.clone()), Appearing(model)));
        }
        None => drop(commands.spawn((plain.bundle_of_ghost(), ChildOf(ghost)))),
    }
    ghost
}

/// A model that cannot be read was reported with its twin.
fn give_up(mut commands: Commands, assets: Res<AssetServer>, appearing: Query<(Entity, &Appearing)>) {
    for (ghost, Appearing(model)) in &appearing {
        if matches!(assets.load_state(model), LoadState::Failed(_)) {
            commands.entity(ghost).remove::<(Appearing, WorldAssetRoot)>();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ghosts_are_of_twins_that_differ_and_do_not_flicker_at_the_edge() {
        let wanted = |ghosts, is_there, weights: &[f64]| is_wanted(ghosts, is_there, weights.iter().copied());
        assert!(wanted(Ghosts::Differing, false, &[0.0, 0.06]));
        assert!(!wanted(Ghosts::Differing, false, &[0.0, 0.04]));
        assert!(wanted(Ghosts::Differing, true, &[0.04]), "it is there, and stays for now");
        assert!(!wanted(Ghosts::Differing, true, &[0.02]));
        assert!(wanted(Ghosts::All, false, &[0.0]) && !wanted(Ghosts::All, false, &[]));
        assert!(!wanted(Ghosts::None, true, &[1.0]));
    }
}
