//! Keeps the operator's selection and trends. In: [`AttentionCommand`]s. Out: [`Attention`]. Never changes a twin.

use bevy::prelude::*;

use super::{Attention, AttentionCommand};

#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
pub(super) fn attention(In(command): In<AttentionCommand>, mut attention: ResMut<Attention>) {
    match command {
        AttentionCommand::Select(selected) => {
            let trends = attention.trends.clone();
            attention.set_if_neq(Attention { selected, trends });
        }
        AttentionCommand::ToggleTrend(signal) => match attention.trends.iter().position(|shown| *shown == signal) {
            Some(at) => drop(attention.trends.remove(at)),
            None => attention.trends.push(signal),
        },
    }
}
