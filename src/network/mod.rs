//! Machines that are tied to each other, as equations: what a plant, a branch, a filter and a test step.
//!
//! In: a [`Blueprint`] of machines with their models and ties, a seed, values from outside, time. Out: a [`Network`] or
//! every problem of the blueprint; then [`State`]s: states, flows and outputs as they follow from each other. Knows no
//! scene, no topic and no clock: the same blueprint, seed and values give the same bits, on any machine.
//!
//! A [`Network`] is how machines are tied; it never changes and is shared. A [`State`] is all that changes, in a few
//! flat lists: cheap to copy, compare, hash, store and take up again.
//!
//! # What happens at an instant
//!
//! An instant is a time, in whole nanoseconds, at which a machine's step ends or an event of a machine is due.
//!
//! 1. Machines whose step ends here are stepped, with the inputs and flows that they had during the step. None sees
//!    what another does in this instant.
//! 2. Values from outside are read; then events that are due are carried out, in the order of machines.
//! 3. Items pass through their ties for as long as any can, in the order of ties.
//! 4. Outputs that follow from states alone are computed, then heat between bodies, then each liquid network is solved
//!    for flows, pressures and temperatures, then all other outputs, each after those it depends on.
//! 5. Inputs that are tied with a delay take what their outputs are now: others see it one instant later.
//!
//! Machines of one liquid network step together, with the shortest step among them. Machines that are not tied to each
//! other stand on islands, each with instants of its own.
//!
//! Any machines of a network are a network of their own: a [`Subset`], which is told from outside what it was cut from.

mod balance;
mod blueprint;
mod border;
mod builder;
mod cut;
mod follow;
mod hydraulics;
mod island;
mod items;
mod sets;
mod skyline;
mod state;
mod step;
mod store;
mod subset;
mod warmth;
mod whole;

pub use balance::Balance;
pub use blueprint::{Blueprint, Compute, Feed, Function, Machine, Problem, ProblemKind, Tie, TieKind};
pub use cut::Cut;
pub use hydraulics::friction_factor;
pub use state::{Adjustment, Effect, Target};
pub use store::StoreError;
pub use subset::Subset;
pub use whole::{Network, State, Workspace};
