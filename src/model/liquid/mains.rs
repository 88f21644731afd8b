//! A mains: where liquid comes from, at a pressure and a temperature that others keep. In: both, what is drawn. Out: what
//! it gave. Never takes anything back while its check valve holds.
//!
//! p = p_0 - R q |q|: the pressure that is promised less what meter and filter take of the flow.
//!
//! What it gave is exact for a flow that stands during a step.

use crate::model::quantities;
use crate::model::{
    Carriage, Description, Domain, End, GRAVITY, Given, Law, Model, Passage, Plumbing, Port, StateMut, StateRef,
};

/// A source of liquid at the border of the world.
#[derive(Clone, Copy, Debug)]
pub struct Mains;

quantities! {
    pub parameters MainsParameters {
        /// Flow at which meter and filter take their pressure
        rated_flow: "m3/s" = 10.0 / 3600.0, 1e-6 => 100.0, design, "assumed: a meter of 10 m3/h";
        /// Pressure that meter and filter take at rated flow
        pressure_drop: "Pa" = 2e4, 0.0 => 1e6, design, "assumed: 0.2 bar";
        /// Height of the connection above the datum of pressures
        elevation: "m" = 0.0, -1000.0 => 10_000.0, design, "none";
        /// Share of its pressure that is missing
        pressure_loss: "" = 0.0, 0.0 => 1.0, condition, "none";
        /// Times more pressure that a dirty filter takes
        filter: "" = 1.0, 1.0 => 1000.0, condition, "clean";
        /// Whether its check valve holds: 1, or 0 where liquid may run back
        check_valve: "" = 1.0, 0.0 => 1.0, condition, "holds: EN 1717 asks for one";
    }
}

quantities! {
    pub states MainsState {
        /// Pressure that is promised, above the atmosphere
        pressure: "Pa" = 0.0, -1e5 => 1e8;
        /// Temperature
        temperature: "degC" = 15.0, -100.0 => 400.0;
        /// Liquid given since the start
        given: "m3" = 0.0, -1e12 => 1e12;
    }
}

quantities! {
    pub inputs MainsInputs {
        /// Pressure that is promised, above the atmosphere
        pressure: "Pa", mean = 4e5;
        /// Temperature
        temperature: "degC", mean = 15.0;
    }
}

quantities! {
    pub outputs MainsOutputs {
        /// Flow into the plant
        flow: "m3/s", direct;
        /// Pressure behind meter and filter, above the atmosphere
        pressure: "Pa", direct;
        /// Temperature
        temperature: "degC", held;
        /// Liquid given since the start
        given: "m3", held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Mains",
    about: "A source of liquid at a pressure and a temperature",
    source: "Bernoulli, with one loss",
    step: Some(100_000_000),
    parameters: MainsParameters::ALL,
    states: MainsState::ALL,
    inputs: MainsInputs::ALL,
    outputs: MainsOutputs::ALL,
    ports: &[Port { name: "outlet", about: "Where liquid leaves", domain: Domain::Fluid, required: true }],
    passages: &[Passage { from: End::Outside, to: End::Port(0) }],
    ..Description::EMPTY
};

fn follow(u: MainsInputs, s: &mut MainsState) {
    s.pressure = u.pressure.clamp(-1e5, 1e8);
    s.temperature = u.temperature.clamp(-100.0, 400.0);
}

impl Model for Mains {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let mut s = MainsState::of(state.numbers);
        follow(MainsInputs::of(given.inputs), &mut s);
        s.put(state.numbers);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, s) = (MainsParameters::of(given.parameters), MainsState::of(state.numbers));
        let crossing = &given.crossings[0];
        MainsOutputs {
            flow: crossing.flow,
            pressure: crossing.to_pressure - crossing.fluid.density * GRAVITY * p.elevation,
            temperature: s.temperature,
            given: s.given,
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let mut s = MainsState::of(state.numbers);
        s.given += dt * given.crossings[0].flow;
        follow(MainsInputs::of(given.inputs), &mut s);
        s.put(state.numbers);
    }

    fn law(&self, _: usize, at: &Plumbing<'_>) -> Law {
        let (p, s) = (MainsParameters::of(at.parameters), MainsState::of(at.state.numbers));
        Law {
            rise: s.pressure * (1.0 - p.pressure_loss) + at.fluid.density * GRAVITY * p.elevation,
            quadratic: p.filter * p.pressure_drop / (p.rated_flow * p.rated_flow),
            backwards: if p.check_valve > 0.5 { 0.0 } else { f64::INFINITY },
            ..Law::OPEN
        }
    }

    fn carriage(&self, _: usize, at: &Plumbing<'_>) -> Carriage {
        Carriage::Reservoir { temperature: MainsState::of(at.state.numbers).temperature }
    }
}
