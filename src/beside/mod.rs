//! A second recording beside what is shown: another run, yesterday, a simulation of the same.
//!
//! In: MCAP files, how they are to be aligned, the cursor of the world that they are beside. Out: a [`Counterpart`] on each
//! signal that both have, in the unit of the world; which events both have; for whole recordings a [`Comparison`]. Never
//! judges, annunciates, publishes or writes: the other recording has an [`Analysis`](crate::analysis::Analysis) of its own
//! that no source feeds, and nothing of it enters the history and the journal of the world.
//!
//! ```text
//! cursor ─► + shift ─► the other's reader and history ─► Counterpart, beside Current ─► ghosts, trends, panels, --state
//!              ▲
//!  alignment: wall, start, event; by hand
//! ```
//!
//! The shift is found once by a [pure function](align()); the same pairs of signals and the same measure of a difference
//! serve the cursor and `pollux compare`.

mod align;
pub mod compare;
mod difference;
mod events;
mod open;
mod other;
mod pairs;
mod project;

use bevy::prelude::*;

pub use align::{Align, AlignError, Aligned, Known, Side, UnknownAlign, align, overlap};
pub use compare::{Comparison, compare};
pub use difference::{Deviation, NOTABLE, Spread, share};
pub use events::{Met, is_raised, meet, name};
pub use open::{BesideError, Options, open};
pub use other::{Beside, Place};
pub use pairs::{Pair, Pairs, Unlike};

use crate::stage::Current;

/// On a signal's entity, beside its `Current`: what the same signal has in the other recording, at the moment that belongs
/// to the cursor, in the unit here. Without a value where the other has none at this moment. Written by `Project` where it
/// changes.
#[derive(Component, Clone, PartialEq, Debug, Default)]
pub struct Counterpart {
    pub current: Current,
    pub deviation: Deviation,
}

/// Whether as much of the other recording is loaded as there is room for. Where there is none, nothing is missing.
pub fn is_filled(app: &App) -> bool {
    app.world().get_resource::<Beside>().is_none_or(Beside::is_idle)
}
