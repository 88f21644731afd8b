//! How a whole twin stands: the worst of its alarms, and how many of its signals can be trusted.
//!
//! In: the lamps of the alarm board, `Current` of signals where it changed. Out: [`Mood`] on twin entities. Never judges
//! a value or a time: alarms and qualities come ready from the core.

use std::collections::HashSet;

use bevy::prelude::*;

use super::ViewSet;
use super::look::Placed;
use crate::alarm::{AlarmBoard, Lamp};
use crate::scene::LoadedScene;
use crate::stage::{Current, SignalOf, Signals, Twin};
use crate::value::{Grade, Reason};

/// The state of a twin that marks and fading show.
#[derive(Component, Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Mood {
    pub lamp: Lamp,
    pub trust: Trust,
}

/// How many of a twin's signals can be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Trust {
    /// Every signal that ever spoke; also while none has spoken yet, as the scene has just begun.
    #[default]
    All,
    /// Some signals are stale or bad.
    Some,
    /// Not one: the twin fades.
    None,
}

pub(super) fn plugin(app: &mut App) {
    app.add_systems(Update, judge.in_set(ViewSet::Drive));
}

/// From the number of signals that can be trusted, and of those that were heard but cannot.
fn trust(trusted: usize, lost: usize) -> Trust {
    match (trusted, lost) {
        (_, 0) => Trust::All,
        (0, _) => Trust::None,
        _ => Trust::Some,
    }
}

fn judge(
    changed: Query<&SignalOf, Changed<Current>>,
    new: Query<Entity, Changed<Placed>>,
    all: Query<Entity, With<Mood>>,
    signals: Query<&Current>,
    mut twins: Query<(&Twin, Option<&Signals>, &mut Mood)>,
    loaded: Res<LoadedScene>,
    board: Res<AlarmBoard>,
    mut touched: Local<HashSet<Entity>>,
    mut lit: Local<Option<(u32, u64)>>,
) {
    touched.extend(changed.iter().map(|of| of.0).chain(&new));
    if *lit != Some((loaded.generation, board.lamps_version())) {
        *lit = Some((loaded.generation, board.lamps_version()));
        touched.extend(&all);
    }
    let current = board.generation() == Some(loaded.generation);
    for twin in touched.drain() {
        let Ok((twin, own, mut mood)) = twins.get_mut(twin) else { continue };
        let (mut trusted, mut lost) = (0, 0);
        for current in signals.iter_many(own.into_iter().flat_map(|own| own.iter())) {
            match (current.quality.grade, current.quality.reason) {
                (Grade::Good | Grade::Uncertain, _) => trusted += 1,
                (_, Reason::NeverSeen) => {}
                _ => lost += 1,
            }
        }
        let lamp = if current { board.lamps().twin(twin.index) } else { Lamp::default() };
        mood.set_if_neq(Mood { lamp, trust: trust(trusted, lost) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twin_is_stale_only_when_nothing_it_once_said_can_be_trusted() {
        assert_eq!(trust(0, 0), Trust::All);
        assert_eq!(trust(3, 0), Trust::All);
        assert_eq!(trust(3, 1), Trust::Some);
        assert_eq!(trust(0, 2), Trust::None);
    }
}
