//! Ghosts: translucent copies of twins, at the same place, as they are in the layers that lie beside what is shown.
//!
//! In: the [`Counterparts`] of signals, the layers, which ghosts are wanted. Out: a [`Ghost`] beside the twins that differ,
//! for each layer in which they do, with their look, driven by the layer's values. Beyond now no twin has values: there all
//! that a layer has values of is shown. A ghost is no twin: it casts no shadow, is not clicked, has no label and no lamp, and
//! has the colour of its layer. Made when it is needed first, hidden when it is not. Never writes a value.

use std::collections::HashMap;

use bevy::asset::LoadState;
use bevy::prelude::*;
use bevy::world_serialization::{WorldAsset, WorldAssetRoot};

use super::look::{self, PlainBox};
use super::paint::Paint;
use super::{ViewSet, palette};
use crate::command::Ghosts;
use crate::history::ViewTime;
use crate::layers::{Counterparts, Layers, Look, NOTABLE};
use crate::scene::{LoadedScene, Motion, Twin as TwinData};
use crate::stage::Entities;
use crate::value::{SignalIndex, TwinIndex};

/// The root of a ghost, at the place of its twin.
#[derive(Component, Clone, Copy, Debug)]
pub(super) struct Ghost {
    pub twin: TwinIndex,
    /// Of its layer among all of them.
    pub place: usize,
    pub look: Look,
}

impl Ghost {
    /// Of one of its meshes.
    pub fn paint(&self, base: Handle<StandardMaterial>) -> Paint {
        Paint::ghost(base, palette::layer(&self.look))
    }
}

/// A mesh of a ghost: the pointer reaches through it.
#[derive(Component)]
pub(super) struct Ghostly;

/// A ghost whose model is still being read.
#[derive(Component)]
pub(super) struct Appearing(Handle<WorldAsset>);

/// Share of the scale below which a ghost that is there goes: one that comes and goes with every sample would flicker.
const GOES_BELOW: f64 = 0.6 * NOTABLE;
/// A ghost is a hair larger than its twin, and than the ghosts of the layers before, so that their faces do not flicker
/// through each other.
const SWOLLEN: f32 = 0.012;

pub(super) fn plugin(app: &mut App) {
    app.add_systems(Update, (choose, give_up).chain().in_set(ViewSet::Place).run_if(resource_exists::<Layers>));
}

/// What drives the look of a twin, labels aside.
fn drivers(twin: &TwinData) -> impl Iterator<Item = SignalIndex> {
    let parts = twin.look.iter().flat_map(|look| &look.parts);
    parts.filter(|part| !matches!(part.motion, Motion::Label { .. })).map(|part| part.by)
}

/// Whether a ghost is wanted; `weights` are those of the signals that the layer has a value of. Beyond now there is nothing
/// to differ from.
fn is_wanted(ghosts: Ghosts, is_there: bool, is_ahead: bool, mut weights: impl Iterator<Item = f64>) -> bool {
    let least = if is_there { GOES_BELOW } else { NOTABLE };
    match ghosts {
        Ghosts::None => false,
        Ghosts::All => weights.next().is_some(),
        Ghosts::Differing if is_ahead => weights.next().is_some(),
        Ghosts::Differing => weights.any(|weight| weight >= least),
    }
}

/// The ghosts of one scene and of the layers that there are.
#[derive(Default)]
struct Made {
    of: Option<(u32, u32)>,
    was_ahead: bool,
    /// By the place of the layer and the twin.
    ghosts: HashMap<(usize, TwinIndex), Entity>,
}

fn choose(
    mut commands: Commands,
    loaded: Res<LoadedScene>,
    entities: Res<Entities>,
    (ghosts, time): (Res<Ghosts>, Res<ViewTime>),
    layers: Res<Layers>,
    counterparts: Query<&Counterparts>,
    changed: Query<(), Changed<Counterparts>>,
    mut visibilities: Query<&mut Visibility, With<Ghost>>,
    assets: Res<AssetServer>,
    plain: Res<PlainBox>,
    mut made: Local<Made>,
) {
    let of = Some((loaded.generation, layers.version()));
    let is_ahead = time.is_ahead();
    let was_ahead = std::mem::replace(&mut made.was_ahead, is_ahead);
    if made.of != of {
        made.of = of;
        made.ghosts.drain().for_each(|(_, ghost)| commands.entity(ghost).despawn());
    } else if changed.is_empty() && !ghosts.is_changed() && is_ahead == was_ahead {
        return;
    }
    for (place, slot) in layers.iter().enumerate() {
        let weight = |signal: SignalIndex| {
            let counterpart = counterparts.get(*entities.signals.get(signal.at())?).ok()?.get(place)?;
            counterpart.current.value.is_some().then_some(counterpart.deviation.weight)
        };
        for twin in &loaded.scene.twins {
            let ghost = made.ghosts.get(&(place, twin.index)).copied();
            let mut visibility = ghost.and_then(|ghost| visibilities.get_mut(ghost).ok());
            let is_there = visibility.as_ref().is_some_and(|visibility| **visibility != Visibility::Hidden);
            let wanted = is_wanted(*ghosts, is_there, is_ahead, drivers(twin).filter_map(weight));
            match (&mut visibility, wanted) {
                (Some(visibility), _) => {
                    let shown = if wanted { Visibility::Visible } else { Visibility::Hidden };
                    visibility.set_if_neq(shown);
                }
                // One that was made in this frame is there in the next.
                (None, true) if ghost.is_none() => {
                    let ghost = Ghost { twin: twin.index, place, look: slot.look };
                    let ghost = appear(&mut commands, ghost, twin, &assets, &plain);
                    made.ghosts.insert((place, twin.index), ghost);
                }
                (None, _) => {}
            }
        }
    }
}

fn appear(commands: &mut Commands, own: Ghost, twin: &TwinData, assets: &AssetServer, plain: &PlainBox) -> Entity {
    let mut place = look::transform_of(twin);
    place.scale *= 1.0 + SWOLLEN * (own.place + 1) as f32;
    let ghost = commands.spawn((Name::new("ghost"), own, place, Visibility::Visible)).id();
    match twin.look.as_ref().and_then(|look| look.model.as_ref()) {
        Some(model) => {
            let model = look::load_model(assets, &look::model_path(model));
            commands.entity(ghost).insert((WorldAssetRoot(model.clone()), Appearing(model)));
        }
        None => drop(commands.spawn((plain.bundle_of_ghost(&own), ChildOf(ghost)))),
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
        let wanted = |ghosts, is_there, weights: &[f64]| is_wanted(ghosts, is_there, false, weights.iter().copied());
        assert!(wanted(Ghosts::Differing, false, &[0.0, 0.06]));
        assert!(!wanted(Ghosts::Differing, false, &[0.0, 0.04]));
        assert!(wanted(Ghosts::Differing, true, &[0.04]), "it is there, and stays for now");
        assert!(!wanted(Ghosts::Differing, true, &[0.02]));
        assert!(wanted(Ghosts::All, false, &[0.0]) && !wanted(Ghosts::All, false, &[]));
        assert!(!wanted(Ghosts::None, true, &[1.0]));
    }
    #[test]
    fn beyond_now_whatever_has_a_value_is_shown_unless_ghosts_are_off() {
        let wanted = |ghosts, weights: &[f64]| is_wanted(ghosts, false, true, weights.iter().copied());
        assert!(wanted(Ghosts::Differing, &[0.0]) && !wanted(Ghosts::Differing, &[]));
        assert!(!wanted(Ghosts::None, &[0.0]));
    }
}
