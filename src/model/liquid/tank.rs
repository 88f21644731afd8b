//! A tank. In: what flows in and out, the air around it. Out: level, temperature, the pressure at its outlet. Never holds
//! less than nothing: what is left limits what can leave.
//!
//! Volume is the state, so that it is kept to rounding: dV/dt = sum of flows. The liquid is stirred and loses heat to its
//! surroundings: rho c V dT/dt = sum of rho c q (T_in - T) - UA (T - T_a). A hole at the bottom lets out
//! C_d a sqrt(2 p / rho), p the pressure there (Torricelli; C_d 0.62 for a sharp edge).
//!
//! The volume is of order 2 in its step, as flows are solved with the mean level of the step; the temperature is of
//! order 1.
//!
//! | figure | source | wanted | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | 1 m², a hole of 50 mm, C_d 0.62: first flow | sheet 1.5 | 7.62451 l/s | equal | < 1e-3: half a step later |
//! | the same: 2 to 1 m | sheet 1.5 | 153.659 s | equal | < 1e-6 of the closed form |
//! | the same: 2 to 0 m | sheet 1.5 | 524.624 s | within 1 mm of the bottom | its last step is limited |

use crate::model::quantities;
use crate::model::{
    Account, Carriage, Description, Domain, End, GRAVITY, Given, Law, Model, OutputKind, Passage, Plumbing, Port,
    StateMut, StateRef,
};

/// An upright tank with an inlet, an outlet at the bottom and an overflow.
#[derive(Clone, Copy, Debug)]
pub struct Tank;

quantities! {
    pub parameters TankParameters {
        /// Cross-section
        area: "m2" = 1.0, 1e-4 => 1e6, design, "assumed";
        /// Height at which it overflows
        height: "m" = 2.0, 1e-3 => 100.0, design, "assumed";
        /// Height of its bottom above the datum of pressures
        elevation: "m" = 0.0, -1000.0 => 10_000.0, design, "none";
        /// Height of the inlet above the bottom; above the liquid nothing runs back
        inlet_height: "m" = 2.0, 0.0 => 100.0, design, "assumed: at the top";
        /// Pressure of the gas above the liquid, over the atmosphere
        gas_pressure: "Pa" = 0.0, -1e5 => 1e8, design, "none: open to the air";
        /// Level at the beginning
        start_level: "m" = 1.0, 0.0 => 100.0, start, "assumed";
        /// Temperature at the beginning
        start_temperature: "degC" = 20.0, -50.0 => 200.0, start, "assumed";
        /// Heat that is lost to the surroundings by each kelvin
        heat_loss: "W/K" = 0.0, 0.0 => 1e6, design, "none";
        /// Cross-section of a hole at the bottom
        leak: "m2" = 0.0, 0.0 => 1.0, condition, "none";
        /// Share of a hole that a jet fills
        discharge: "" = 0.62, 0.1 => 1.0, design, "sharp edge: Idelchik, Handbook of Hydraulic Resistance";
    }
}

quantities! {
    pub states TankState {
        /// Liquid
        volume: "m3" = 1.0, 0.0 => 1e8, estimated;
        /// Temperature of the liquid
        temperature: "degC" = 20.0, -100.0 => 400.0, estimated;
        /// Heat taken from the surroundings since the start
        gained: "J" = 0.0, -1e18 => 1e18;
    }
}

quantities! {
    pub inputs TankInputs {
        /// Temperature of the surroundings
        ambient: "degC", mean = 20.0;
    }
}

quantities! {
    pub outputs TankOutputs {
        /// Level above the bottom
        level: "m", held;
        /// Liquid
        volume: "m3", held;
        /// Temperature of the liquid
        temperature: "degC", held;
        /// Pressure at the bottom, above the atmosphere
        pressure: "Pa", held;
        /// Flow through the inlet
        inflow: "m3/s", direct;
        /// Flow through the outlet
        outflow: "m3/s", direct;
        /// Flow over the edge
        overflow: "m3/s", direct;
        /// Flow through a hole
        leakage: "m3/s", direct;
        /// Whether it overflows
        overflows: "" = OutputKind::Flag, direct;
    }
}

const INLET: usize = 0;
const OUTLET: usize = 1;
const LEAK: usize = 2;
const OVERFLOW: usize = 3;

/// Shares of the contents that each way out may take in one step: together less than all.
const MOST: [f64; 4] = [0.2, 0.4, 0.15, 0.2];

static DESCRIPTION: Description = Description {
    name: "Tank",
    about: "An upright tank with an inlet, an outlet at the bottom and an overflow",
    source: "mass and heat balance; Torricelli for leaks",
    step: Some(100_000_000),
    parameters: TankParameters::ALL,
    states: TankState::ALL,
    inputs: TankInputs::ALL,
    outputs: TankOutputs::ALL,
    ports: &[
        Port { name: "inlet", about: "Where liquid enters", domain: Domain::Fluid, required: false },
        Port { name: "outlet", about: "At the bottom", domain: Domain::Fluid, required: false },
    ],
    passages: &[
        Passage { from: End::Port(0), to: End::Inside },
        Passage { from: End::Inside, to: End::Port(1) },
        Passage { from: End::Inside, to: End::Outside },
        Passage { from: End::Inside, to: End::Outside },
    ],
    ..Description::EMPTY
};

impl Model for Tank {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let p = TankParameters::of(given.parameters);
        let volume = p.area * p.start_level.min(p.height);
        TankState { volume, temperature: p.start_temperature, gained: 0.0 }.put(state.numbers);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, s) = (TankParameters::of(given.parameters), TankState::of(state.numbers));
        let level = s.volume / p.area;
        let [inlet, outlet, leak, overflow] = flows(given);
        TankOutputs {
            level,
            volume: s.volume,
            temperature: s.temperature,
            pressure: p.gas_pressure + given.crossings[0].fluid.density * GRAVITY * level,
            inflow: inlet,
            outflow: outlet,
            overflow,
            leakage: leak,
            overflows: f64::from(u8::from(overflow > 1e-9)),
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, s) = (TankParameters::of(given.parameters), TankState::of(state.numbers));
        let u = TankInputs::of(given.inputs);
        let [inlet, outlet, leak, overflow] = flows(given);
        let volume = s.volume + dt * (inlet - outlet - leak - overflow);
        // Streams that come in, with what they are warmer than the liquid; what leaves takes the liquid's own.
        let warmer = |flow: f64, at: usize| flow.max(0.0) * (given.crossings[at].entering - s.temperature);
        let carried = warmer(inlet, INLET) + warmer(-outlet, OUTLET);
        let heat_per_volume = given.crossings[0].fluid.heat_per_volume();
        // Exact for the loss alone; what it is divided by never falls to nothing.
        let held = heat_per_volume * s.volume.max(1e-6);
        let lost = held * (s.temperature - u.ambient) * -libm::expm1(-p.heat_loss * dt / held);
        let mut temperature = s.temperature;
        if volume > 1e-9 {
            temperature += (dt * carried - lost / heat_per_volume) / volume;
        }
        TankState { volume: volume.max(0.0), temperature, gained: s.gained - lost }.put(state.numbers);
    }

    fn law(&self, passage: usize, at: &Plumbing<'_>) -> Law {
        let (p, s) = (TankParameters::of(at.parameters), TankState::of(at.state.numbers));
        let weight = at.fluid.density * GRAVITY;
        let level = s.volume / p.area;
        let bottom = p.gas_pressure + weight * (p.elevation + level);
        let most = MOST[passage] * s.volume / at.interval;
        // The level moves while liquid flows: its mean over the step, by this flow alone.
        let linear = 0.5 * weight * at.interval / p.area;
        match passage {
            INLET => {
                let above = (level - p.inlet_height).max(0.0);
                let pressure = p.gas_pressure + weight * (p.elevation + p.inlet_height + above);
                let backwards = if above > 0.0 { most.min(above * p.area / at.interval) } else { 0.0 };
                Law { rise: -pressure, linear: if above > 0.0 { linear } else { 0.0 }, backwards, ..Law::OPEN }
            }
            OUTLET => Law { rise: bottom, linear, forwards: most, ..Law::OPEN },
            LEAK if p.leak > 0.0 => {
                let jet = p.discharge * p.leak;
                let quadratic = at.fluid.density / (2.0 * jet * jet);
                let rise = bottom - weight * p.elevation;
                Law { rise, linear, quadratic, forwards: most, backwards: 0.0, friction: None }
            }
            OVERFLOW => {
                // What stands above the edge leaves in the next step.
                let above = (level - p.height).max(0.0);
                let forwards = most.min(above * p.area / at.interval);
                Law { rise: if above > 0.0 { 1e5 } else { 0.0 }, forwards, ..Law::CLOSED }
            }
            _ => Law::CLOSED,
        }
    }

    fn carriage(&self, _: usize, at: &Plumbing<'_>) -> Carriage {
        Carriage::Reservoir { temperature: TankState::of(at.state.numbers).temperature }
    }

    fn account(&self, given: &Given<'_>, state: StateRef<'_>) -> Account {
        let s = TankState::of(state.numbers);
        let heat = given.crossings[0].fluid.heat_per_volume() * s.volume * s.temperature - s.gained;
        Account { volume: s.volume, heat, items: 0 }
    }
}

/// m³/s through inlet, outlet, hole and over the edge.
fn flows(given: &Given<'_>) -> [f64; 4] {
    [INLET, OUTLET, LEAK, OVERFLOW].map(|at| given.crossings[at].flow)
}
