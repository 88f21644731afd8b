//! What is drawn beside the shown world: other runs, yesterday, a simulation of the same, what is foretold of it. Several at
//! once.
//!
//! In: recordings and how they are to be aligned, the forecasts of the shown world, what it would be with faults, or any
//! other [`Layer`]; the cursor. Out:
//! [`Counterparts`] on each signal that a layer has as well, in the unit here; which events both have; how far beyond now
//! the layers reach ([`Horizon`](crate::history::Horizon)); for two whole recordings a [`Comparison`]. Never judges,
//! annunciates, publishes or writes: a layer that is a recording has an [`Analysis`](crate::analysis::Analysis) of its own
//! that no source feeds, and nothing of a layer enters the history and the journal of the shown world.
//!
//! ```text
//! cursor ─► + shift ─► each layer's reader and history ─► Counterparts, beside Current ─► ghosts, trends, panels, --state
//!              ▲
//!  alignment: wall, start, event; by hand
//! ```
//!
//! A shift is found once by a [pure function](align()); the same pairs of signals and the same measure of a difference
//! serve the cursor and `pollux compare`.
//!
//! All layers that need memory have half of that for history together ([`SHARE`]), split evenly: when one comes, the others
//! give way. Forecasts need none: they are shared with the shown world, and their layer comes by itself with the first one.
//! What tells them apart wherever they are drawn stands in one place: [`PALETTE`].

mod align;
pub mod compare;
mod difference;
mod events;
mod forecast;
mod layer;
mod look;
mod open;
mod overlay;
mod pairs;
mod project;
mod recording;
mod stack;

use bevy::prelude::*;

pub use align::{Align, AlignError, Aligned, CommonEvents, Side, UnknownAlign, align, overlap};
pub use compare::{Comparison, compare};
pub use difference::{Deviation, NOTABLE, Spread, share};
pub use events::{Met, is_raised, meet, name};
pub use layer::{Alignment, Band, Here, Layer, LayerKind, LayerLine, LayerPosition, LayerValue};
pub use look::{Dash, LayerMark, Look, PALETTE};
pub use open::{LayerError, Options, RecordingOptions, install, open, rename, show_forecasts, show_overlays};
pub use pairs::{Pair, Pairs, Unlike};
pub use stack::{Layers, SHARE, Slot, share_of};

use crate::stage::Current;

/// On a signal's entity, beside its `Current`: what the same signal has in each layer, in the order of [`Layers`]; none
/// where a layer does not have the signal. Written by `Project` where it changes.
#[derive(Component, Clone, PartialEq, Debug, Default)]
pub struct Counterparts(pub Vec<Option<Counterpart>>);

impl Counterparts {
    /// What the layer at a place has.
    pub fn get(&self, place: usize) -> Option<&Counterpart> {
        self.0.get(place)?.as_ref()
    }

    /// Those that there are, with the places of their layers.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Counterpart)> {
        self.0.iter().enumerate().filter_map(|(place, counterpart)| Some((place, counterpart.as_ref()?)))
    }
}

/// What a signal has in one layer, at the moment that belongs to the cursor, in the unit here. Without a value where
/// the layer has none at this moment.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Counterpart {
    pub current: Current,
    /// None for an exact value.
    pub band: Option<Band>,
    pub deviation: Deviation,
}

/// Whether as much of all layers is loaded as there is room for. Where there are none, nothing is missing.
pub fn is_filled(app: &App) -> bool {
    app.world().get_resource::<Layers>().is_none_or(Layers::is_idle)
}
