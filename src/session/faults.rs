//! What an operator breaks on purpose while a session runs. In: [`FaultCommand`]s. Out: faults that lie over live data, or
//! a refusal in words. Which faults there are and what became of them is in the journal. Sends nothing to a broker.

use bevy::prelude::*;

use crate::analysis::Analysis;
use crate::command::{FaultCommand, Operator, Remarks};
use crate::fault::Site;
use crate::source::Clock;

#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
pub(super) fn fault(
    In(command): In<FaultCommand>,
    analysis: Res<Analysis>,
    operator: Res<Operator>,
    clock: Res<Clock>,
    remarks: Remarks,
) {
    let refused = match command {
        FaultCommand::Inject { site: Site::Overlay, fault, reason } => {
            let laid = analysis.lock().lay(fault, &operator.0, &reason, || clock.now());
            laid.err().map(|problems| format!("the fault is not set: {}", problems.join("; ")))
        }
        FaultCommand::Clear { site: Site::Overlay, id } => {
            analysis.lock().lift(Some(&id), &operator.0, clock.now()).err()
        }
        FaultCommand::ClearAll => analysis.lock().lift(None, &operator.0, clock.now()).err(),
        FaultCommand::Inject { site: site @ (Site::Plant | Site::Rig), .. }
        | FaultCommand::Clear { site: site @ (Site::Plant | Site::Rig), .. } => Some(format!(
            "faults cannot be set in a {} from here: lay them over live data, or write a scenario",
            site.name()
        )),
    };
    if let Some(why) = refused {
        remarks.answer(why);
    }
}
