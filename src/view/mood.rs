//! How a whole twin stands: the worst of its signals, and how many of them are fresh.
//!
//! In: `Current` of signals where it changed, limits from the scene. Out: [`Mood`] on twin entities. Never judges time:
//! qualities come ready from the core.

use std::collections::HashSet;

use bevy::prelude::*;

use super::ViewSet;
use super::look::Placed;
use crate::scene::LoadedScene;
use crate::twin::{Current, Grade, Reason, Signal, SignalOf, Signals, Standing};

/// The state of a twin that marks and fading show.
#[derive(Component, Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Mood {
    pub standing: Standing,
    pub freshness: Freshness,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Freshness {
    /// Every signal that ever spoke can be trusted (or none has spoken yet and the scene has just begun).
    #[default]
    Fresh,
    /// Some signals are stale or bad.
    Partly,
    /// None can be trusted: the twin fades.
    Stale,
}

pub(super) fn plugin(app: &mut App) {
    app.add_systems(Update, judge.in_set(ViewSet::Drive));
}

/// Freshness from the number of signals that can be trusted, that were heard but cannot, and of all.
fn freshness(trusted: usize, lost: usize) -> Freshness {
    match (trusted, lost) {
        (_, 0) => Freshness::Fresh,
        (0, _) => Freshness::Stale,
        _ => Freshness::Partly,
    }
}

fn judge(
    changed: Query<&SignalOf, Changed<Current>>,
    new: Query<Entity, Changed<Placed>>,
    signals: Query<(&Signal, &Current)>,
    mut twins: Query<(&Signals, &mut Mood)>,
    loaded: Res<LoadedScene>,
    mut touched: Local<HashSet<Entity>>,
) {
    touched.extend(changed.iter().map(|of| of.0).chain(&new));
    for twin in touched.drain() {
        let Ok((own, mut mood)) = twins.get_mut(twin) else { continue };
        let (mut worst, mut trusted, mut lost) = (Standing::Normal, 0, 0);
        for (signal, current) in signals.iter_many(own.iter()) {
            match (current.quality.grade, current.quality.reason) {
                (Grade::Good | Grade::Uncertain, _) => {
                    trusted += 1;
                    if let Some(data) = loaded.scene.signals.get(signal.index.at()) {
                        worst = worst.max(Standing::of(current.value.as_ref(), &data.limits));
                    }
                }
                (_, Reason::NeverSeen) => {}
                _ => lost += 1,
            }
        }
        mood.set_if_neq(Mood { standing: worst, freshness: freshness(trusted, lost) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twin_is_stale_only_when_nothing_it_once_said_can_be_trusted() {
        assert_eq!(freshness(0, 0), Freshness::Fresh);
        assert_eq!(freshness(3, 0), Freshness::Fresh);
        assert_eq!(freshness(3, 1), Freshness::Partly);
        assert_eq!(freshness(0, 2), Freshness::Stale);
    }
}
