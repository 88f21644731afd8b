//! Collects the counters of all sources of a world. In: statuses of sources. Out: [`SourceReport`]. Never changes a
//! source.

use std::sync::Arc;

use bevy::prelude::*;

use super::plant::{PlantSnapshot, PlantStatus};
use super::{SourceHandle, SourceSnapshot, Waker};
use crate::history::ViewTime;

/// The sources that feed this world. Empty in a branch or a replay: nothing there can reach a broker.
#[derive(Resource, Default)]
pub struct Sources {
    pub running: Vec<SourceHandle>,
    /// The simulated plant that this world runs in the place of a real one.
    pub plant: Option<Arc<PlantStatus>>,
    /// Asks for another frame; none where frames come by themselves.
    pub waker: Option<Waker>,
}

/// What all sources say about themselves, refreshed a few times a second; sorted by name.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct SourceReport {
    pub sources: Vec<SourceSnapshot>,
    /// Of the simulated plant that this world runs.
    pub plant: Option<PlantSnapshot>,
}

/// Four times a second.
pub(super) fn report(
    sources: Res<Sources>,
    moment: Res<ViewTime>,
    mut report: ResMut<SourceReport>,
    mut last: Local<Option<crate::value::Timestamp>>,
) {
    const EVERY_SECS: f64 = 0.25;
    if last.is_some_and(|last| (0.0..EVERY_SECS).contains(&moment.now.secs_since(last))) {
        return;
    }
    *last = Some(moment.now);
    let mut snapshots: Vec<_> = sources.running.iter().map(|source| source.status.snapshot(moment.now)).collect();
    snapshots.sort_by(|a, b| a.name.cmp(&b.name));
    let plant = sources.plant.as_ref().map(|plant| plant.snapshot());
    report.set_if_neq(SourceReport { sources: snapshots, plant });
}
