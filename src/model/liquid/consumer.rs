//! A consumer of liquid: a tap, a rinse, a drain with a valve that lets through what is wanted. In: a demand. Out: what
//! it got. Never takes more than it wants, never gives anything back.
//!
//! Above the pressure that it requires its valve throttles to the demand, by the pressure of the step before; below, q = demand sqrt(p / p_required), as an orifice does
//! (pressure-driven demand: Wagner, Shamir and Marks, "Water distribution reliability: simulation methods", Journal of
//! Water Resources Planning and Management 114, 1988).
//!
//! Order 1: its valve follows the pressure of the step before. Exact where that stands.

use crate::model::quantities;
use crate::model::{
    Description, Domain, End, GRAVITY, Given, Law, Model, OutputKind, Passage, Plumbing, Port, StateMut, StateRef,
};

/// A taker of liquid at the border of the world.
#[derive(Clone, Copy, Debug)]
pub struct Consumer;

quantities! {
    pub parameters ConsumerParameters {
        /// Pressure at which it gets its demand, above the atmosphere
        required_pressure: "Pa" = 1e5, 1.0 => 1e8, design, "assumed: 1 bar";
        /// Largest demand that it can be told
        largest_demand: "m3/s" = 0.1, 0.0 => 100.0, design, "assumed";
        /// Height above the datum of pressures
        elevation: "m" = 0.0, -1000.0 => 10_000.0, design, "none";
        /// Share of the largest demand that runs through it though it is shut
        drip: "" = 0.0, 0.0 => 1.0, condition, "none";
        /// Share of its demand that deposits keep from it
        plugging: "" = 0.0, 0.0 => 0.95, condition, "none";
    }
}

quantities! {
    pub states ConsumerState {
        /// Flow that it wants
        demand: "m3/s" = 0.0, 0.0 => 100.0;
        /// Pressure that its valve takes at its demand
        throttle: "Pa" = 0.0, 0.0 => 1e9;
        /// Liquid taken since the start
        taken: "m3" = 0.0, 0.0 => 1e12;
    }
}

quantities! {
    pub inputs ConsumerInputs {
        /// Flow that it wants
        demand: "m3/s", mean = 1e-4;
    }
}

quantities! {
    pub outputs ConsumerOutputs {
        /// Flow that it gets
        flow: "m3/s", direct;
        /// Flow that it wants
        demand: "m3/s", held;
        /// Share of its demand that it does not get
        shortage: "", direct;
        /// Whether more than a hundredth of its demand is missing
        short: "" = OutputKind::Flag, direct;
        /// Pressure before it, above the atmosphere
        pressure: "Pa", direct;
        /// Temperature of what it gets
        temperature: "degC", direct;
        /// Liquid taken since the start
        taken: "m3", held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Consumer",
    about: "Takes the liquid that it wants, as far as the pressure allows",
    source: "Wagner, Shamir and Marks, 1988",
    step: Some(100_000_000),
    parameters: ConsumerParameters::ALL,
    states: ConsumerState::ALL,
    inputs: ConsumerInputs::ALL,
    outputs: ConsumerOutputs::ALL,
    ports: &[Port { name: "inlet", about: "Where liquid enters", domain: Domain::Fluid, required: true }],
    passages: &[Passage { from: End::Port(0), to: End::Outside }],
    ..Description::EMPTY
};

/// m³/s that it wants and what runs through it in any case.
fn wanted(p: &ConsumerParameters, told: f64) -> f64 {
    let demand = told.clamp(0.0, p.largest_demand);
    demand.max(p.drip * p.largest_demand)
}

impl Model for Consumer {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let (p, u) = (ConsumerParameters::of(given.parameters), ConsumerInputs::of(given.inputs));
        ConsumerState { demand: wanted(&p, u.demand), throttle: p.required_pressure, taken: 0.0 }.put(state.numbers);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, s) = (ConsumerParameters::of(given.parameters), ConsumerState::of(state.numbers));
        let crossing = &given.crossings[0];
        let shortage = if s.demand > 0.0 { (1.0 - crossing.flow / s.demand).clamp(0.0, 1.0) } else { 0.0 };
        ConsumerOutputs {
            flow: crossing.flow,
            demand: s.demand,
            shortage,
            short: f64::from(u8::from(shortage > 0.01)),
            pressure: crossing.from_pressure - crossing.fluid.density * GRAVITY * p.elevation,
            temperature: crossing.entering,
            taken: s.taken,
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, u) = (ConsumerParameters::of(given.parameters), ConsumerInputs::of(given.inputs));
        let crossing = &given.crossings[0];
        let pressure = crossing.from_pressure - crossing.fluid.density * GRAVITY * p.elevation;
        let taken = ConsumerState::of(state.numbers).taken + dt * crossing.flow.max(0.0);
        let throttle = pressure.clamp(p.required_pressure, 1e9);
        ConsumerState { demand: wanted(&p, u.demand), throttle, taken }.put(state.numbers);
    }

    fn law(&self, _: usize, at: &Plumbing<'_>) -> Law {
        let (p, s) = (ConsumerParameters::of(at.parameters), ConsumerState::of(at.state.numbers));
        let most = s.demand * (1.0 - p.plugging);
        if most < 1e-9 {
            return Law::CLOSED;
        }
        Law {
            rise: -at.fluid.density * GRAVITY * p.elevation,
            quadratic: s.throttle / (most * most),
            // Where the pressure jumps its valve is late, but never by much; a limit at the demand itself would stand
            // where the flow is, and what bends there is hard to solve.
            forwards: 1.001 * most,
            ..Law::CLOSED
        }
    }
}
