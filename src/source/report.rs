//! Collects the counters of all sources of a world. In: statuses of sources. Out: [`SourceReport`]. Never changes a
//! source.

use std::sync::Arc;

use bevy::prelude::*;

use super::plant::{PlantSnapshot, PlantStatus};
use super::{SourceHandle, SourceSnapshot, Waker};
use crate::history::ViewTime;
use crate::value::Timestamp;

/// The sources that feed this world. Empty in a branch or a replay: nothing there can reach a broker.
#[derive(Resource, Default)]
pub struct Sources {
    pub running: Vec<SourceHandle>,
    /// The simulated plant that this world runs in the place of a real one.
    pub plant: Option<Arc<PlantStatus>>,
    /// Whether what is shown was recorded from a simulated plant.
    pub is_recorded_plant: bool,
    /// Asks for another frame; none where frames come by themselves.
    pub waker: Option<Waker>,
}

/// What all sources say about themselves, refreshed a few times a second; sorted by name.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct SourceReport {
    pub sources: Vec<SourceSnapshot>,
    /// Of the simulated plant that this world runs.
    pub plant: Option<PlantSnapshot>,
    /// Whether what is shown was recorded from a simulated plant.
    pub is_recorded_plant: bool,
}

impl Sources {
    /// What all of them say now.
    pub fn report(&self, now: Timestamp) -> SourceReport {
        let mut sources: Vec<_> = self.running.iter().map(|source| source.status.snapshot(now)).collect();
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        let plant = self.plant.as_ref().map(|plant| plant.snapshot());
        SourceReport { sources, plant, is_recorded_plant: self.is_recorded_plant }
    }
}

impl SourceReport {
    /// Why what a scene shows is simulated, as a sentence; none where it is not.
    pub fn simulated(&self, scene: &str) -> Option<String> {
        if let Some(plant) = &self.plant {
            return Some(match &plant.failure {
                None => "What is shown comes from a simulated plant that this session runs".to_owned(),
                Some(why) => format!("A simulated plant that this session ran has stopped: {why}"),
            });
        }
        if self.is_recorded_plant {
            return Some("What is shown was recorded from a simulated plant".to_owned());
        }
        let source = self.sources.iter().find(|source| source.plants.iter().any(|plant| plant == scene))?;
        Some(format!("What is shown comes from a simulated plant that publishes to {}", source.address))
    }
}

/// Four times a second.
pub(super) fn report(
    sources: Res<Sources>,
    moment: Res<ViewTime>,
    mut report: ResMut<SourceReport>,
    mut last: Local<Option<Timestamp>>,
) {
    const EVERY_SECS: f64 = 0.25;
    if last.is_some_and(|last| (0.0..EVERY_SECS).contains(&moment.now.secs_since(last))) {
        return;
    }
    *last = Some(moment.now);
    report.set_if_neq(sources.report(moment.now));
}
