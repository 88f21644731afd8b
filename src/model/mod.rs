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
//!
//! `bottling`, `process`, `packaging` and `utility` are the demo's plant, still wired by hand; its noise asks
//! `rand_distr`, whose rare draws may differ in the last bits between machines.

pub mod bottling;
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
mod machine;
pub mod medical;
mod noise;
mod numeric;
pub mod packaging;
pub mod process;
pub mod robot;
pub mod services;
pub mod signal;
pub mod utility;

use std::time::Duration;

use crate::value::Timestamp;

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
pub use machine::{Equations, Machine};
pub use noise::Noise;

/// A message as it goes to the broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    pub topic: &'a str,
    pub payload: &'a [u8],
    pub retain: bool,
    pub qos: u8,
}

/// Where a plant's messages go. Called once per message, in a repeatable order.
pub type Emit<'a> = dyn FnMut(Message<'_>) + 'a;

/// Linked machines that report over MQTT.
pub trait Plant: Send {
    /// The fixed step of simulated time.
    fn tick(&self) -> Duration;

    /// Simulated time since the start.
    fn elapsed(&self) -> Duration;

    /// Moves all machines on by one [`tick`](Plant::tick).
    fn step(&mut self);

    /// Emits the messages that are due at this moment. `epoch` is the source time of the plant's start.
    fn publish(&mut self, epoch: Timestamp, emit: &mut Emit<'_>);

    /// Emits what a broker should retain (nameplates, states): after each new connection.
    fn announce(&mut self, epoch: Timestamp, emit: &mut Emit<'_>);
}

/// Makes a plant from a topic prefix (`line1`) and a seed.
pub type MakePlant = fn(prefix: &str, seed: u64) -> Box<dyn Plant>;

/// The built-in plants by the name that a scene's `plant` field gives, sorted.
pub fn plants() -> &'static [(&'static str, MakePlant)] {
    &[("bottling", |prefix, seed| Box::new(bottling::BottlingPlant::new(prefix, seed)))]
}

/// The built-in plant of this name.
pub fn plant(name: &str, prefix: &str, seed: u64) -> Option<Box<dyn Plant>> {
    plants().iter().find(|(known, _)| *known == name).map(|(_, make)| make(prefix, seed))
}
