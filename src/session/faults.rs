//! What an operator breaks on purpose while a session runs. In: [`FaultCommand`]s, what the session's own plant tells of its
//! faults. Out: faults that lie over live data or are in that plant, or a refusal in words. Which faults there are and what
//! became of them is in the journal; what was done to the plant by hand is in [`ByHand`] too. Sends nothing to a broker.

use std::sync::Arc;

use bevy::prelude::*;

use super::{Options, Running};
use crate::analysis::Analysis;
use crate::command::{FaultAnswer, FaultCommand, Operator, Refusals, Remarks};
use crate::event::{Draft, Ending, FaultSpans, Kind};
use crate::fault::{Site, WrittenFault};
use crate::plant::Portrait;
use crate::scene::{Scene, faults};
use crate::source::plant::{Asked, Intervention, Outcome, PlantStatus, Told};
use crate::source::{Clock, Waker};
use crate::value::{Shift, Timestamp};

/// Interventions that are kept at most.
const MOST: usize = 10_000;

/// The session's own plant as panels see it: its state now and then, to run it ahead on a copy.
#[derive(Resource, Clone)]
pub struct OwnPlant {
    pub portrait: Portrait,
    /// Asks for a frame when a copy has been run ahead.
    pub waker: Waker,
    pub status: Arc<PlantStatus>,
}

/// What people did to the session's own plant since it began.
#[derive(Resource, Clone, Debug)]
pub struct ByHand {
    /// How the plant was made.
    pub plant: crate::plant::Options,
    /// Oldest first; nothing that was refused.
    pub done: Vec<Told>,
    /// Why the same cannot be done again from the beginning.
    pub is_lost: Option<String>,
}

impl ByHand {
    pub(super) fn begin(options: &Options) -> Self {
        let plant = &options.plant_options;
        let is_lost = match plant {
            _ if plant.truth > 0.0 => Some("its machines differ from the scene (--truth)"),
            _ if plant.stand_in.is_some() => Some("it has stand-ins (--stand-in)"),
            _ if plant.commanded => Some("somebody else controls it (--commanded)"),
            _ => None,
        };
        Self { plant: plant.clone(), done: Vec::new(), is_lost: is_lost.map(str::to_owned) }
    }

    /// What was done later cannot be done again, as the plant is another one since.
    pub(super) fn lose(&mut self, why: &str) {
        self.is_lost.get_or_insert_with(|| why.to_owned());
    }

    fn add(&mut self, told: Told) {
        match self.done.len() < MOST {
            true => self.done.push(told),
            false => self.lose("more was done to it than is kept"),
        }
    }
}

#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
pub(super) fn fault(
    In(command): In<FaultCommand>,
    running: Res<Running>,
    analysis: Res<Analysis>,
    operator: Res<Operator>,
    clock: Res<Clock>,
    remarks: Remarks,
    (mut refusals, mut answer): (ResMut<Refusals>, ResMut<FaultAnswer>),
) {
    let refused = match command {
        FaultCommand::Inject { site: Site::Overlay, mut fault, reason } => {
            if fault.id.trim().is_empty() {
                fault.id = new_id(&analysis);
            }
            let laid = analysis.lock().lay(fault, &operator.0, &reason, || clock.now());
            laid.err().map(|problems| format!("the fault is not set: {}", problems.join("; ")))
        }
        FaultCommand::Clear { site: Site::Overlay, id } => {
            analysis.lock().lift(Some(&id), &operator.0, clock.now()).err()
        }
        FaultCommand::Inject { site: Site::Plant, fault, reason } => {
            ask(&running, Intervention::Inject(fault), &operator.0, reason).err()
        }
        FaultCommand::Clear { site: Site::Plant, id } => {
            ask(&running, Intervention::Clear(id), &operator.0, String::new()).err()
        }
        FaultCommand::ClearAll => {
            let lifted = analysis.lock().lift(None, &operator.0, clock.now());
            let asked = match running.plant.is_some() {
                true => ask(&running, Intervention::ClearAll, &operator.0, String::new()),
                false => Ok(()),
            };
            lifted.and(asked).err()
        }
        FaultCommand::Inject { site: Site::Rig, .. } | FaultCommand::Clear { site: Site::Rig, .. } => Some(
            "faults cannot be set in a rig from here: set them in a simulated plant, or lay them over live data"
                .to_owned(),
        ),
    };
    if let Some(why) = refused {
        refusals.add(why.clone());
        *answer = FaultAnswer { text: why.clone(), at: clock.now() };
        remarks.answer(why);
    }
}

/// `O-2`: one that no fault over live data has had.
fn new_id(analysis: &Analysis) -> String {
    let knowledge = analysis.lock();
    let spans = FaultSpans::of(knowledge.chronicle().journal().iter().map(|event| &**event));
    let laid = knowledge.laid();
    let is_free = |id: &String| {
        spans.iter().all(|span| span.site != Site::Overlay || span.fault.id != *id)
            && laid.iter().all(|one| one.fault.id != *id)
    };
    (1_u64..).map(|number| format!("O-{number}")).find(is_free).unwrap_or_default()
}

/// Asks the session's own plant.
fn ask(running: &Running, what: Intervention, by: &str, reason: String) -> Result<(), String> {
    let Some((_, plant)) = &running.plant else {
        return Err(
            "this session runs no simulated plant: start it with --plant, or lay the fault over live data".to_owned()
        );
    };
    if let Some(why) = plant.status().failure() {
        return Err(format!("the plant has stopped: {why}"));
    }
    match plant.ask(Asked { what, by: by.to_owned(), reason }) {
        true => Ok(()),
        false => Err("the plant has too much to do already: wait a moment".to_owned()),
    }
}

/// Puts on record what became of the faults of the session's own plant.
pub(super) fn follow(
    running: Res<Running>,
    analysis: Res<Analysis>,
    clock: Res<Clock>,
    loaded: Res<crate::scene::LoadedScene>,
    mut by_hand: Option<ResMut<ByHand>>,
    (mut refusals, mut answer): (ResMut<Refusals>, ResMut<FaultAnswer>),
    mut was_failed: Local<bool>,
) {
    let Some((_, plant)) = &running.plant else { return };
    let has_failed = plant.status().failure().is_some();
    if has_failed && !std::mem::replace(&mut *was_failed, has_failed) {
        analysis.lock().end_all_faults(&[Site::Plant], Ending::Gone, clock.now());
    }
    *was_failed = has_failed;
    let lost = plant.take_lost();
    if lost > 0 {
        let text =
            format!("{lost} reports of its faults were lost: the list of faults may be wrong until all are cleared");
        let now = clock.now();
        analysis.lock().record(Draft::new(now, now, Kind::Plant { text }));
    }
    for told in plant.take_told() {
        if let Some(by_hand) = &mut by_hand
            && told.by.is_some()
            && !matches!(told.outcome, Outcome::Refused(_))
        {
            by_hand.add(told.clone());
        }
        if let Outcome::Refused(why) = &told.outcome {
            refusals.add(why.join("; "));
            *answer = FaultAnswer { text: why.join("; "), at: clock.now() };
        }
        analysis.lock().record(draft(told, &loaded.scene, clock.now()));
    }
}

/// The event that tells of it.
fn draft(told: Told, scene: &Scene, now: Timestamp) -> Draft {
    let Told { time, at, by, reason, outcome } = told;
    let zero = Shift(at.0.saturating_sub(i64::try_from(time).unwrap_or(i64::MAX)));
    let (twin, kind) = match outcome {
        Outcome::Set(fault) => {
            let fault = WrittenFault { course: fault.course.shifted(zero), ..fault };
            (faults::twin_of(&fault, scene), Kind::FaultSet { site: Site::Plant, fault })
        }
        Outcome::Cleared { fault, ending } => {
            (faults::twin_of(&fault, scene), Kind::FaultCleared { site: Site::Plant, fault: fault.id, ending })
        }
        Outcome::Refused(why) => (None, Kind::Note { text: why.join("; ") }),
    };
    let draft = Draft { twin, ..Draft::new(at, now, kind) };
    match by {
        Some(by) => draft.by(by, reason),
        None => draft,
    }
}
