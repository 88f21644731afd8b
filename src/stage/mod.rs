//! Twins and their signals as entities: the components that views read.
//!
//! In: the loaded scene (spawn) and the history at the cursor (project). Out: `Twin`, `Signal`, `Current`. Never draws,
//! never touches network or disk.

mod broken;
mod project;
mod spawn;

use bevy::prelude::*;

use crate::schedule::TwinSet;
use crate::value::{Origin, Quality, SignalIndex, Timestamp, TwinIndex, Value};

pub use broken::{Broken, PlacedFault};
pub use project::Freshness;
pub(crate) use project::{current_at, project};

/// A mirrored thing. Its data are in `scene.twins[index]`.
#[derive(Component, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Twin {
    pub index: TwinIndex,
}

/// One signal of a twin, a child in the [`SignalOf`] relationship. Its data are in `scene.signals[index]`.
#[derive(Component, Clone, Copy, PartialEq, Eq, Debug)]
#[require(Current)]
pub struct Signal {
    pub index: SignalIndex,
}

/// The twin that a signal entity belongs to.
#[derive(Component, Clone, Copy, PartialEq, Eq, Debug)]
#[relationship(relationship_target = Signals)]
pub struct SignalOf(pub Entity);

/// The signal entities of a twin.
#[derive(Component, Debug, Default)]
#[relationship_target(relationship = SignalOf, linked_spawn)]
pub struct Signals(Vec<Entity>);

/// A signal's value at the cursor: the only thing that views need to read. Written by `Project` where it changes.
#[derive(Component, Clone, PartialEq, Debug, Default)]
pub struct Current {
    /// None until a first sample has arrived (at or before the cursor).
    pub value: Option<Value>,
    pub quality: Quality,
    pub source_time: Timestamp,
    pub receive_time: Timestamp,
    pub origin: Origin,
}

/// How a value stands against its operating limits: what colours a mark.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Standing {
    #[default]
    Normal,
    /// Beyond `low` or `high`.
    Warning,
    /// Beyond `low_low` or `high_high`.
    Critical,
}

impl Standing {
    /// Values that are not Good or Uncertain stand nowhere: their quality says why.
    pub fn of(value: Option<&Value>, limits: &crate::scene::Limits) -> Standing {
        let Some(x) = value.and_then(Value::as_f64) else { return Standing::Normal };
        let above = |limit: Option<f64>| limit.is_some_and(|l| x > l);
        let below = |limit: Option<f64>| limit.is_some_and(|l| x < l);
        if above(limits.high_high) || below(limits.low_low) {
            Standing::Critical
        } else if above(limits.high) || below(limits.low) {
            Standing::Warning
        } else {
            Standing::Normal
        }
    }
}

/// Entities by index: `twins[TwinIndex]`, `signals[SignalIndex]`.
#[derive(Resource, Default, Debug)]
pub struct Entities {
    pub twins: Vec<Entity>,
    pub signals: Vec<Entity>,
    /// The scene generation they were made from; none before the first.
    pub generation: Option<u32>,
}

/// Makes the entities of a scene that was just taken over; last in [`TwinSet::Command`].
#[derive(SystemSet, Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Respawn;

/// Everything but window, 3D and panels. Needs [`LoadedScene`](crate::scene::LoadedScene) to show anything.
pub struct CorePlugins;

impl Plugin for CorePlugins {
    fn build(&self, app: &mut App) {
        app.configure_sets(Update, (TwinSet::Command, TwinSet::Receive, TwinSet::Project, TwinSet::Visualise).chain())
            .init_resource::<crate::scene::LoadedScene>()
            .add_plugins((
                crate::command::plugin,
                crate::source::plugin,
                crate::analysis::plugin,
                crate::history::plugin,
                plugin,
                crate::record::plugin,
            ));
    }
}

fn plugin(app: &mut App) {
    app.init_resource::<Entities>()
        .init_resource::<Freshness>()
        .configure_sets(Update, Respawn.in_set(TwinSet::Command).after(crate::command::settle))
        .init_resource::<Broken>()
        .add_systems(Update, (spawn::respawn.in_set(Respawn), project::project.in_set(TwinSet::Project)))
        .add_systems(Update, broken::track.in_set(TwinSet::Visualise));
}
