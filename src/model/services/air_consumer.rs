//! A consumer of compressed air: cylinders, nozzles, a blow-off. In: a demand, the pressure of its supply. Out: what it
//! takes. Never takes air that has no pressure.
//!
//! At the pressure that it requires it takes its demand; below, demand sqrt(p / p_required), as a nozzle that is not
//! choked; above, its regulator keeps to the demand. Leaks take their share at any time, in proportion to the absolute
//! pressure (ISO 6358, choked flow).
//!
//! What it took is exact for a pressure and a demand that stand during a step.

use crate::model::quantities;
use crate::model::{Carrier, Description, Domain, Given, Model, OutputKind, Port, StateMut, StateRef};

/// A taker of compressed air.
#[derive(Clone, Copy, Debug)]
pub struct AirConsumer;

quantities! {
    pub parameters AirConsumerParameters {
        /// Pressure at which it gets its demand, above the atmosphere
        required_pressure: "Pa" = 5.5e5, 1e3 => 4e6, design, "assumed: 5.5 bar behind a regulator";
        /// Largest demand that it can be told
        largest_demand: "m3/s" = 1.0, 0.0 => 100.0, design, "assumed";
        /// Free air that it leaks at the pressure that it requires
        leak: "m3/s" = 0.0, 0.0 => 1.0, condition, "tight; a hole of 1 mm at 6 bar lets out 1e-3 m3/s";
    }
}

quantities! {
    pub states AirConsumerState {
        /// Free air taken since the start
        taken: "m3" = 0.0, 0.0 => 1e15;
    }
}

quantities! {
    pub inputs AirConsumerInputs {
        /// Free air that it wants
        demand: "m3/s", mean = 0.01;
        /// Pressure of its supply, above the atmosphere
        pressure: "Pa", mean = 7e5;
    }
}

quantities! {
    pub outputs AirConsumerOutputs {
        /// Free air that it takes
        flow: "m3/s", direct;
        /// Pressure of its supply, above the atmosphere
        pressure: "Pa", direct;
        /// Whether more than a hundredth of its demand is missing
        short: "" = OutputKind::Flag, direct;
        /// Free air taken since the start
        taken: "m3", held;
    }
}

static DESCRIPTION: Description = Description {
    name: "AirConsumer",
    about: "Takes the compressed air that it wants, as far as the pressure allows",
    source: "ISO 6358",
    step: Some(100_000_000),
    parameters: AirConsumerParameters::ALL,
    states: AirConsumerState::ALL,
    inputs: AirConsumerInputs::ALL,
    outputs: AirConsumerOutputs::ALL,
    ports: &[Port {
        name: "air",
        about: "Where air enters",
        domain: Domain::Taker { carrier: Carrier::Air, taken: "flow", potential: Some("pressure") },
        required: false,
    }],
    ..Description::EMPTY
};

/// m³/s that it gets of its demand, and that leak.
fn flows(p: &AirConsumerParameters, u: &AirConsumerInputs) -> (f64, f64) {
    let share = u.pressure.max(0.0) / p.required_pressure;
    let used = u.demand.clamp(0.0, p.largest_demand) * share.min(1.0).sqrt();
    // Choked far above the atmosphere; to nothing with the pressure below.
    (used, p.leak * share)
}

impl Model for AirConsumer {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, s) = (AirConsumerParameters::of(given.parameters), AirConsumerState::of(state.numbers));
        let u = AirConsumerInputs::of(given.inputs);
        let (used, leaked) = flows(&p, &u);
        let short = used < 0.99 * u.demand.clamp(0.0, p.largest_demand);
        AirConsumerOutputs {
            flow: used + leaked,
            pressure: u.pressure,
            short: f64::from(u8::from(short)),
            taken: s.taken,
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let p = AirConsumerParameters::of(given.parameters);
        let (used, leaked) = flows(&p, &AirConsumerInputs::of(given.inputs));
        let taken = AirConsumerState::of(state.numbers).taken + dt * (used + leaked);
        AirConsumerState { taken }.put(state.numbers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_its_demand_at_its_pressure_and_half_at_a_quarter_of_it() {
        let p = AirConsumerParameters { required_pressure: 6e5, largest_demand: 1.0, leak: 0.0 };
        let at = |pressure: f64| flows(&p, &AirConsumerInputs { demand: 0.02, pressure }).0;
        assert_eq!((at(7e5), at(6e5), at(1.5e5), at(0.0), at(-1e4)), (0.02, 0.02, 0.01, 0.0, 0.0));
    }
}
