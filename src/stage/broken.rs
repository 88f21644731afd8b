//! What is broken on purpose, by twins and signals. In: the faults of the journal, the scene, the cursor. Out: [`Broken`]: of each
//! fault what it is on, and which twins have one that stands at the cursor. Looks names up where something changed alone.

use std::collections::BTreeSet;

use bevy::prelude::*;

use crate::event::{EventLog, FaultSpan, FaultSpans};
use crate::fault::{Defect, WrittenFault};
use crate::history::ViewTime;
use crate::scene::{LoadedScene, Scene, faults};
use crate::value::{SignalIndex, TwinIndex};

/// A fault with what it is on in the loaded scene.
#[derive(Clone, PartialEq, Debug)]
pub struct PlacedFault {
    pub span: FaultSpan,
    pub twins: BTreeSet<TwinIndex>,
    /// Signals that may be other than they would be: for a machine all of its twin.
    pub signals: BTreeSet<SignalIndex>,
}

/// All faults that the journal knows, and the twins that have one at the cursor.
#[derive(Resource, Clone, PartialEq, Debug, Default)]
pub struct Broken {
    pub faults: Vec<PlacedFault>,
    pub twins: BTreeSet<TwinIndex>,
    /// What `faults` were made from.
    spans: FaultSpans,
    generation: u32,
}

pub(super) fn track(log: Res<EventLog>, loaded: Res<LoadedScene>, time: Res<ViewTime>, mut broken: ResMut<Broken>) {
    if log.faults != broken.spans || loaded.generation != broken.generation {
        broken.faults = log.faults.iter().map(|span| placed(span, &loaded.scene)).collect();
        (broken.spans, broken.generation) = (log.faults.clone(), loaded.generation);
    }
    if broken.faults.is_empty() && broken.twins.is_empty() {
        return;
    }
    let standing = broken.faults.iter().filter(|fault| fault.span.stands(time.shown));
    let twins: BTreeSet<TwinIndex> = standing.flat_map(|fault| fault.twins.iter().copied()).collect();
    if twins != broken.twins {
        broken.twins = twins;
    }
}

fn placed(span: &FaultSpan, scene: &Scene) -> PlacedFault {
    // The course of a fault that has one is in the time of the data; what it is on does not depend on that.
    let Ok(fault) = faults::resolve(&WrittenFault { course: default(), ..span.fault.clone() }, scene) else {
        return PlacedFault { span: span.clone(), twins: default(), signals: default() };
    };
    let twins = faults::twins(&fault, scene);
    let signals = match &fault.defect {
        Defect::Process { .. } => {
            let all = twins.iter().filter_map(|twin| scene.twins.get(twin.at()));
            all.flat_map(|twin| scene.signals_of(twin)).map(|signal| signal.index).collect()
        }
        Defect::Sensor { .. } | Defect::Swapped { .. } | Defect::Link { .. } => faults::concerned([&fault], scene),
    };
    PlacedFault { span: span.clone(), twins, signals }
}
