//! Equations of machines: what each is made of, as data ([`Description`]), and one pure step ([`Model`]).
//!
//! In: parameters, inputs, flows, time. Out: states and what others see of them. Never reads a clock, never touches a
//! network, never uses global randomness: random numbers follow from a seed, the machine's name and a step
//! ([`Draws`]). Functions that are not exact come from the `libm` crate: the same bits on every machine.
//!
//! [`catalogue()`] lists all models; a new one is a file with its tables, its step and its tests, and a line there. SI units
//! inside (m, m³/s, Pa above the atmosphere, W, rad/s, °C; medicine keeps mmHg and mL); scenes give any unit that fits.
//!
//! | folder | models |
//! | --- | --- |
//! | `liquid` | tank, pipe, valve, pump, mains, consumer, heat exchanger, chiller |
//! | `drive`, `electric`, `robot` | motors, bearing, gearbox, spindle; switchboard; an arm of six joints |
//! | `services` | compressed air, the room around machines |
//! | `line`, `flow` | the machines of a filling line; arrivals, servers, departures |
//! | `control`, `signal` | PID, switches, sequences, schedules, trips; generators |
//! | `medical` | circulation with baroreflex |

mod catalogue;
pub mod control;
mod describe;
pub mod drive;
pub mod electric;
pub mod flow;
mod fluid;
pub mod integrate;
mod interface;
pub mod line;
pub mod liquid;
pub mod medical;
pub mod robot;
pub mod services;
pub mod signal;

pub use catalogue::{catalogue, model};
pub(crate) use describe::quantities;
pub use describe::{
    Carrier, Count, Description, Domain, End, Input, Output, OutputKind, Over, Parameter, Passage, Port, Repair, Role,
    State, Table, Waveform,
};
pub use fluid::{ATMOSPHERE, Fluid, GRAVITY};
pub use interface::{
    Account, Carriage, Crossing, Draws, Friction, Gate, Given, Law, Model, Plumbing, StateMut, StateRef,
};
