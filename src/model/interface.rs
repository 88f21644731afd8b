//! What a model does. In: parameters, inputs, flows, time, random numbers. Out: its next state, what others see of it.
//! Reads no clock, keeps nothing between calls: all that it remembers is in the state that it is handed.

use std::collections::VecDeque;
use std::fmt::Debug;

use super::{Description, Fluid};
use crate::value::Stream;

/// Equations of one kind of machine. All methods are pure: equal arguments give equal bits.
pub trait Model: Debug + Send + Sync {
    fn description(&self) -> &'static Description;

    /// What does not fit about tables, or about how many ties each port has; none if all does.
    fn misfit(&self, _tables: &[Vec<f64>], _ties: &[usize]) -> Option<String> {
        None
    }

    /// Sets the state as it stands at time 0. It comes with each number's own start and with counts of 0.
    fn begin(&self, _given: &Given<'_>, _state: &mut StateMut<'_>) {}

    /// What can be seen of a state, in the order of the description. What is not `direct` must not depend on inputs,
    /// flows or time.
    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]);

    /// Moves the state on by `dt` seconds, to the time that is given.
    fn step(&self, _given: &Given<'_>, _dt: f64, _state: &mut StateMut<'_>) {}

    /// When something happens next by itself, in nanoseconds since the start. It may lie in the past of `given` only
    /// by what a change of inputs has made due.
    fn next_event(&self, _given: &Given<'_>, _state: StateRef<'_>) -> Option<u64> {
        None
    }

    /// Carries out what is due at the time that is given.
    fn event(&self, _given: &Given<'_>, _state: &mut StateMut<'_>) {}

    /// How a passage resists or drives the fluid for the next step.
    fn law(&self, _passage: usize, _at: &Plumbing<'_>) -> Law {
        Law::CLOSED
    }

    /// How a passage warms the fluid during the next step.
    fn carriage(&self, _passage: usize, _at: &Plumbing<'_>) -> Carriage {
        Carriage::Through
    }

    /// Items that may leave through an outlet now.
    fn offers(&self, _gate: Gate, _given: &Given<'_>, _state: StateRef<'_>) -> bool {
        false
    }

    /// Whether an inlet takes an item now.
    fn accepts(&self, _gate: Gate, _given: &Given<'_>, _state: StateRef<'_>) -> bool {
        false
    }

    /// An item leaves through an outlet that [`offers`](Self::offers) it. What it is called, such as the time at which
    /// it was made.
    fn give(&self, _gate: Gate, _given: &Given<'_>, _state: &mut StateMut<'_>) -> u64 {
        0
    }

    /// An item enters through an inlet that [`accepts`](Self::accepts) it.
    fn take(&self, _gate: Gate, _item: u64, _given: &Given<'_>, _state: &mut StateMut<'_>) {}

    /// Makes damage good, by the number of a repair of the description.
    fn repair(&self, _repair: usize, _given: &Given<'_>, _state: &mut StateMut<'_>) {}

    /// Fills `out` with samples of a waveform, by its number in the description: the first at the time that is given,
    /// `rate` of them in a second. The state stays as it is all the while.
    fn waveform(&self, _waveform: usize, _given: &Given<'_>, _state: StateRef<'_>, _rate: f64, out: &mut [f64]) {
        out.fill(0.0);
    }

    /// What the state holds of things that are neither made nor lost, for balances.
    fn account(&self, _given: &Given<'_>, _state: StateRef<'_>) -> Account {
        Account::default()
    }
}

/// What surrounds a model at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// Nanoseconds since the start.
    pub time: u64,
    /// As they are in effect, with faults applied.
    pub parameters: &'a [f64],
    pub inputs: &'a [f64],
    /// Of each passage, since the step before.
    pub crossings: &'a [Crossing],
    /// Rows one after the other, of each table of the description.
    pub tables: &'a [Vec<f64>],
    pub draws: Draws<'a>,
}

impl Given<'_> {
    /// Seconds since the start.
    pub fn secs(&self) -> f64 {
        self.time as f64 / 1e9
    }
}

/// Where an item goes in or out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gate {
    /// By its number in the description.
    pub port: usize,
    /// Which of the links at this port, in their order: a sorter has one for each lane.
    pub way: usize,
}

/// The random numbers of one machine.
#[derive(Clone, Copy, Debug)]
pub struct Draws<'a> {
    pub(crate) seed: u64,
    /// Of each variable of the description, under any seed.
    pub(crate) streams: &'a [Stream],
}

impl Draws<'_> {
    /// The random numbers of a variable, by its number in the description.
    pub fn of(&self, variable: usize) -> Stream {
        self.streams[variable].with_seed(self.seed)
    }
}

/// A state that can be read.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StateRef<'a> {
    pub numbers: &'a [f64],
    pub counts: &'a [u64],
    /// Of any length: items, times, whatever the model keeps in a row.
    pub queue: &'a VecDeque<u64>,
}

/// A state that can be changed.
#[derive(Debug)]
pub struct StateMut<'a> {
    pub numbers: &'a mut [f64],
    pub counts: &'a mut [u64],
    pub queue: &'a mut VecDeque<u64>,
}

impl StateMut<'_> {
    pub fn view(&self) -> StateRef<'_> {
        StateRef { numbers: self.numbers, counts: self.counts, queue: self.queue }
    }
}

/// What a machine's plumbing follows from: never from inputs, which may depend on the flows of this very moment.
#[derive(Clone, Copy, Debug)]
pub struct Plumbing<'a> {
    pub parameters: &'a [f64],
    pub state: StateRef<'a>,
    pub fluid: Fluid,
    /// Seconds for which flows stay as they are solved now.
    pub interval: f64,
}

/// The pressure that a passage takes from a flow:
///
/// ```text
/// p_from - p_to = -rise + linear q + quadratic q |q| + friction(q)
/// ```
///
/// `p` in Pa above the atmosphere, `q` in m³/s from `from` to `to`. An end that is not a port has `p` 0: its pressure
/// belongs into `rise`. The right side must rise with `q`: then a network has exactly one solution.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Law {
    /// Pa that a pump, a height or the pressure of an inside adds without flow.
    pub rise: f64,
    /// Pa s/m³
    pub linear: f64,
    /// Pa s²/m⁶
    pub quadratic: f64,
    pub friction: Option<Friction>,
    /// m³/s that pass at most from `from` to `to`, and back; 0 shuts a direction.
    pub forwards: f64,
    pub backwards: f64,
}

impl Law {
    /// Nothing passes.
    pub const CLOSED: Self =
        Self { rise: 0.0, linear: 0.0, quadratic: 0.0, friction: None, forwards: 0.0, backwards: 0.0 };

    /// Passes without resistance, both ways.
    pub const OPEN: Self = Self { forwards: f64::INFINITY, backwards: f64::INFINITY, ..Self::CLOSED };
}

/// A straight pipe whose resistance follows from its friction.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Friction {
    /// m
    pub length: f64,
    pub diameter: f64,
    pub roughness: f64,
}

/// How a passage warms what flows through.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Carriage {
    /// What enters leaves at once.
    Through,
    /// A space that is full, stirred and heated: m³, °C, W.
    Stirred { volume: f64, temperature: f64, heat: f64 },
    /// What leaves has this temperature in °C, whatever enters: the liquid of a tank, a source.
    Reservoir { temperature: f64 },
}

/// What went through a passage during the step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Crossing {
    /// m³/s from `from` to `to`.
    pub flow: f64,
    /// °C of what enters, at the end where it enters.
    pub entering: f64,
    /// °C of what leaves, the mean over the step.
    pub leaving: f64,
    /// Pa above the atmosphere; 0 at an end that is not a port.
    pub from_pressure: f64,
    pub to_pressure: f64,
    pub fluid: Fluid,
}

impl Crossing {
    /// W that the fluid brings in less what it takes out.
    pub fn heat(&self) -> f64 {
        self.fluid.heat_per_volume() * self.flow.abs() * (self.entering - self.leaving)
    }
}

/// Amounts of things that are neither made nor lost. The sum over a network, less what crossed its borders, stays.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Account {
    /// m³ of fluid.
    pub volume: f64,
    /// J of heat in that fluid above 0 °C, less the heat that the machine has put into it since the start.
    pub heat: f64,
    /// Items inside, less those made, more those scrapped or finished, since the start.
    pub items: i64,
}

impl std::ops::Add for Account {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { volume: self.volume + other.volume, heat: self.heat + other.heat, items: self.items + other.items }
    }
}
