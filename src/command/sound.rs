//! Switches the horn. In: [`OperatorCommand::Sound`]. Out: the horn, and a note on record: who made alarms silent matters.

use bevy::prelude::*;

use super::{Operator, OperatorCommand};
use crate::alarm::Horn;
use crate::analysis::Analysis;
use crate::event::{Draft, Kind};
use crate::history::Moment;

pub(super) fn sound(
    mut commands: MessageReader<OperatorCommand>,
    horn: Option<Res<Horn>>,
    analysis: Res<Analysis>,
    operator: Res<Operator>,
    moment: Res<Moment>,
) {
    for command in commands.read() {
        if let (OperatorCommand::Sound(from), Some(horn)) = (command, &horn)
            && horn.from() != *from
        {
            horn.set(*from);
            let text = match from {
                Some(from) => format!("the horn sounds for alarms of priority {} and above", from.name()),
                None => "the horn is off".to_owned(),
            };
            let note = Draft::new(moment.now, moment.now, Kind::Note { text });
            analysis.lock().record(note.by(operator.0.clone(), ""));
        }
    }
}
