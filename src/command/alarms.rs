//! Acts on alarms, and switches the horn. In: [`AlarmCommand`]s. Out: deeds that the analysis carries out and records;
//! the horn, and a note on who made alarms silent. Refuses deeds on alarms of the past.

use bevy::prelude::*;

use super::{AlarmCommand, Operator, Refusals, Remarks};
use crate::alarm::{Deed, Horn};
use crate::analysis::Analysis;
use crate::history::{Cursor, Extent, ViewTime};

#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
pub(super) fn alarms(
    In(command): In<AlarmCommand>,
    analysis: Res<Analysis>,
    operator: Res<Operator>,
    (cursor, extent, time): (Res<Cursor>, Res<Extent>, Res<ViewTime>),
    horn: Option<Res<Horn>>,
    remarks: Remarks,
    mut refusals: ResMut<Refusals>,
) {
    match command {
        AlarmCommand::Act { alarms, action, comment } => {
            // Of a recording, the analysis says so itself.
            if !cursor.is_live() && !extent.is_recorded() {
                refusals.add("alarms are handled live: the cursor is in the past".to_owned());
                return;
            }
            let deed = Deed { by: operator.0.clone(), at: time.now, comment };
            let refused = analysis.lock().act(&alarms, &action, &deed);
            refused.into_iter().for_each(|(alarm, why)| refusals.add(format!("{alarm}: {why}")));
        }
        AlarmCommand::Sound(from) => {
            let Some(horn) = horn else {
                let why = "the horn cannot be switched: this world annunciates nothing";
                refusals.add(why.to_owned());
                remarks.answer(why.to_owned());
                return;
            };
            if horn.from() == from {
                return;
            }
            horn.set(from);
            remarks.answer(match from {
                Some(from) => format!("the horn sounds for alarms of priority {} and above", from.name()),
                None => "the horn is off".to_owned(),
            });
        }
    }
}
