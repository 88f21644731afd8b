//! Commands of a scene: from what files say to [`Command`]s. In: merged definitions. Out: commands of all twins, in their
//! order; every mistake at its place. Sends nothing.
//!
//! ```text
//! format ─merge─► one definition ─check─► Prepared, once per type ─resolve─► a command per twin, names replaced by indices
//! ```

mod check;
mod merge;
mod resolve;
mod resolved;

use std::collections::BTreeMap;
use std::time::Duration;

use super::format::{CommandDef, Table};
use super::report::Report;
use super::resolved::Broker;
use super::signals::Expression;
use super::span::Spanned;
use super::text::Template;
use crate::value::Value;

pub(super) use merge::merge_tables;
pub(super) use resolve::{Pending, resolve};
pub use resolved::*;

/// A command of a type (or of a twin that changes it), checked; what its placeholders and names mean is left to the twin.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub name: Spanned<String>,
    pub about: String,
    pub parameters: Vec<Parameter>,
    pub significance: Significance,
    pub constraints: Vec<Expression>,
    pub broker: Option<String>,
    /// None where it was wrong: the rest is checked all the same.
    pub topic: Option<Pattern>,
    pub payload: Option<PreparedPayload>,
    pub qos: u8,
    pub arming: Duration,
    pub verify: Option<(PreparedEvidence, Duration)>,
}

/// A text with placeholders, and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub text: Spanned<String>,
    pub template: Template,
}

#[derive(Clone, Debug)]
pub(super) enum PreparedPayload {
    Raw(PreparedPiece),
    Json(Vec<(String, PreparedPiece)>),
}

#[derive(Clone, Debug)]
pub(super) enum PreparedPiece {
    Ready(Piece),
    Text(Pattern),
}

#[derive(Clone, Debug)]
pub(super) enum PreparedEvidence {
    That(Expression),
    Answer { topic: Pattern, pointer: Option<String>, equals: Value, token: Option<String> },
}

/// All commands of a type or a twin. `owner` is its name, for messages.
pub(super) fn prepare(
    owner: &str,
    commands: &Table<CommandDef>,
    brokers: &BTreeMap<String, Broker>,
    report: &mut Report,
) -> Vec<Prepared> {
    let each = commands.0.iter().filter_map(|(name, def)| {
        // One that was taken away is checked all the same: it may come back.
        let prepared = check::Check::new(owner, name, def, report).command(brokers);
        Some(prepared).filter(|_| def.enabled.as_ref().is_none_or(|enabled| enabled.value))
    });
    each.collect()
}
