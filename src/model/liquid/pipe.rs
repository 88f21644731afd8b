//! A pipe. In: what its ends press, the air around it. Out: flow, the pressure that it takes, a temperature that comes
//! late. Never holds more or less liquid than fits into it.
//!
//! p_1 - p_2 = f (L / D) rho v |v| / 2 + K rho v |v| / 2, f after Swamee and Jain (see the hydraulics of networks). Scale
//! and corrosion narrow and roughen it. The liquid in it is one stirred space: a change of temperature comes out spread
//! over the time in which the pipe is filled once, and loses UA (T - T_a) on its way. A hole at its outlet lets out
//! C_d a sqrt(2 p / rho).
//!
//! Pressures of a network are those at its datum: a difference of height changes what a gauge at an end shows, and what
//! presses through a hole, but not the flow between two tanks.
//!
//! Water hammer: a flow that is stopped at once, within 2 L / c, raises the pressure by rho c v (Joukowsky, "Über den
//! hydraulischen Stoß in Wasserleitungsröhren", 1900); c = sqrt(K / rho) / sqrt(1 + K D / (E t)) in a wall of thickness t
//! and modulus E (Korteweg, 1878; Wylie and Streeter, "Fluid Transients in Systems"). It is told as what would happen;
//! the flows of a network know no waves.
//!
//! Its temperature is stepped as that of a stirred space: exact for what flows through, of order 1 for the loss.
//!
//! | figure | source | wanted | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | DN100, 100 m, 10 l/s of water: speed | sheet 1.5 | 1.27324 m/s | 1.273240 | < 1e-6 |
//! | its Reynolds number | sheet 1.5 | 126817 | 126817 | < 1e-5 |
//! | its pressure drop | sheet 1.5 | 15.857 kPa | 15.857 | < 1e-4 |
//! | its head | sheet 1.5 | 1.6199 m | 1.6199 | < 1e-4 |
//! | DN100, wall 3.6 mm, K 2.18 GPa, E 200 GPa: speed of waves | sheet 1.5 | 1294.7 m/s | 1294.7 | its last digit |
//! | 1 m/s stopped at 1200 m/s | sheet 1.5 | 11.978 bar | 11.9784 | < 1e-4 |
//! | 5 % less diameter | sheet 1.5 | + 29 % | + 28.6 % | friction factor falls with Re |

use crate::model::quantities;
use crate::model::{
    Account, Carriage, Description, Domain, End, Fluid, Friction, GRAVITY, Given, Law, Model, Passage, Plumbing, Port,
    StateMut, StateRef,
};

/// A pipe that takes pressure, delays temperature and loses heat.
#[derive(Clone, Copy, Debug)]
pub struct Pipe;

quantities! {
    pub parameters PipeParameters {
        /// Length
        length: "m" = 10.0, 0.05 => 5000.0, design, "assumed";
        /// Inner diameter
        diameter: "m" = 0.05, 5e-3 => 3.0, design, "assumed: DN50";
        /// Roughness of its wall
        roughness: "m" = 4.5e-5, 0.0 => 5e-3, design, "sheet 1.5: commercial steel";
        /// Sum of the loss coefficients of bends, tees and fittings
        losses: "" = 0.0, 0.0 => 1000.0, design, "none; 0.3 for a bend, 0.5 for an entry: Idelchik";
        /// Thickness of its wall
        wall: "m" = 3.6e-3, 1e-4 => 0.5, design, "sheet 1.5: steel, DN100";
        /// Modulus of elasticity of its wall
        modulus: "Pa" = 2e11, 1e6 => 1e12, design, "steel; PVC 3e9: Wylie and Streeter";
        /// Height of its inlet above the datum of pressures
        elevation: "m" = 0.0, -1000.0 => 10_000.0, design, "none";
        /// Height of its outlet above its inlet
        rise: "m" = 0.0, -1000.0 => 1000.0, design, "level";
        /// Heat that is lost to the surroundings by each kelvin
        heat_loss: "W/K" = 0.0, 0.0 => 1e5, design, "none; about 0.3 W/K for each metre of insulated DN50";
        /// Temperature at the beginning
        start_temperature: "degC" = 20.0, -50.0 => 200.0, start, "assumed";
        /// Share of a hole that a jet fills
        discharge: "" = 0.62, 0.1 => 1.0, design, "sharp edge: Idelchik, Handbook of Hydraulic Resistance";
        /// Share of its diameter that scale has taken
        scale: "" = 0.0, 0.0 => 0.6, condition, "new; 0.05 raises the pressure drop by 29 %";
        /// Roughness that corrosion has added
        corrosion: "m" = 0.0, 0.0 => 5e-3, condition, "new; corroded steel 5e-4 to 3e-3: sheet 1.5";
        /// Loss coefficient of what is stuck in it
        blockage: "" = 0.0, 0.0 => 1e4, condition, "none";
        /// Cross-section of a hole at its outlet
        leak: "m2" = 0.0, 0.0 => 1.0, condition, "none";
    }
}

quantities! {
    pub states PipeState {
        /// Temperature of the liquid in it
        temperature: "degC" = 20.0, -100.0 => 400.0, estimated;
        /// Heat that comes from the surroundings
        warming: "W" = 0.0, -1e12 => 1e12;
        /// Heat taken from the surroundings since the start
        gained: "J" = 0.0, -1e18 => 1e18;
    }
}

quantities! {
    pub inputs PipeInputs {
        /// Temperature of the surroundings
        ambient: "degC", mean = 20.0;
    }
}

quantities! {
    pub outputs PipeOutputs {
        /// Flow through its inlet
        flow: "m3/s", direct;
        /// Mean speed of the liquid
        speed: "m/s", direct;
        /// Reynolds number
        reynolds: "", direct;
        /// Pressure that it takes
        pressure_drop: "Pa", direct;
        /// Pressure at its inlet, above the atmosphere
        inlet_pressure: "Pa", direct;
        /// Pressure at its outlet, above the atmosphere
        outlet_pressure: "Pa", direct;
        /// Temperature of the liquid in it
        temperature: "degC", held;
        /// Heat that it loses to the surroundings
        heat_lost: "W", held;
        /// Flow through a hole
        leakage: "m3/s", direct;
        /// Speed of pressure waves in it
        wave_speed: "m/s", direct;
        /// Pressure by which it would rise if its flow stopped at once
        surge: "Pa", direct;
    }
}

const THROUGH: usize = 0;
const LEAK: usize = 1;

static DESCRIPTION: Description = Description {
    name: "Pipe",
    about: "A pipe that takes pressure, delays temperature and loses heat",
    source: "Darcy and Weisbach; Swamee and Jain, 1976; Torricelli for leaks; Joukowsky for surges",
    step: Some(100_000_000),
    parameters: PipeParameters::ALL,
    states: PipeState::ALL,
    inputs: PipeInputs::ALL,
    outputs: PipeOutputs::ALL,
    ports: &[
        Port { name: "inlet", about: "Where liquid enters", domain: Domain::Fluid, required: true },
        Port { name: "outlet", about: "Where liquid leaves", domain: Domain::Fluid, required: true },
    ],
    passages: &[Passage { from: End::Port(0), to: End::Port(1) }, Passage { from: End::Port(1), to: End::Outside }],
    ..Description::EMPTY
};

/// m² of a circle.
pub(super) fn circle(diameter: f64) -> f64 {
    std::f64::consts::FRAC_PI_4 * diameter * diameter
}

/// The law of a hole through which liquid leaves: C_d times its area in m², and its height above the datum in m.
pub(super) fn hole(jet: f64, height: f64, fluid: &Fluid) -> Law {
    if jet <= 0.0 {
        return Law::CLOSED;
    }
    let quadratic = fluid.density / (2.0 * jet * jet);
    Law { rise: -fluid.density * GRAVITY * height, quadratic, forwards: f64::INFINITY, ..Law::CLOSED }
}

/// m/s of pressure waves in a pipe, by the diameter and thickness of its wall in m, and its modulus of elasticity in Pa.
pub fn wave_speed(fluid: &Fluid, diameter: f64, wall: f64, modulus: f64) -> f64 {
    (fluid.stiffness / fluid.density / (1.0 + fluid.stiffness * diameter / (modulus * wall))).sqrt()
}

/// Pa by which the pressure rises before a place that stops a liquid at once, by speeds of waves and liquid in m/s.
pub fn surge(fluid: &Fluid, wave_speed: f64, speed: f64) -> f64 {
    fluid.density * wave_speed * speed.abs()
}

/// W that a body of so many J/K at a temperature loses in the mean over `dt`, if nothing else happens to it: exact, so
/// that it never falls below its surroundings.
pub(super) fn loss(held: f64, conductance: f64, warmer: f64, dt: f64) -> f64 {
    held * warmer * -libm::expm1(-conductance * dt / held) / dt
}

/// m that are left between the walls.
fn bore(p: &PipeParameters) -> f64 {
    p.diameter * (1.0 - p.scale)
}

fn volume(p: &PipeParameters) -> f64 {
    circle(p.diameter) * p.length
}

impl Model for Pipe {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let temperature = PipeParameters::of(given.parameters).start_temperature;
        PipeState { temperature, warming: 0.0, gained: 0.0 }.put(state.numbers);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, s) = (PipeParameters::of(given.parameters), PipeState::of(state.numbers));
        let crossing = &given.crossings[THROUGH];
        let weight = crossing.fluid.density * GRAVITY;
        let speed = crossing.flow / circle(bore(&p));
        let wave_speed = wave_speed(&crossing.fluid, bore(&p), p.wall, p.modulus);
        PipeOutputs {
            flow: crossing.flow,
            speed,
            reynolds: speed.abs() * bore(&p) / crossing.fluid.viscosity,
            pressure_drop: crossing.from_pressure - crossing.to_pressure,
            inlet_pressure: crossing.from_pressure - weight * p.elevation,
            outlet_pressure: crossing.to_pressure - weight * (p.elevation + p.rise),
            temperature: s.temperature,
            heat_lost: -s.warming,
            leakage: given.crossings[LEAK].flow,
            wave_speed,
            surge: surge(&crossing.fluid, wave_speed, speed),
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, mut s) = (PipeParameters::of(given.parameters), PipeState::of(state.numbers));
        let crossing = &given.crossings[THROUGH];
        let held = crossing.fluid.heat_per_volume() * volume(&p);
        s.temperature += dt * (crossing.heat() + s.warming) / held;
        s.gained += dt * s.warming;
        let ambient = PipeInputs::of(given.inputs).ambient;
        s.warming = -loss(held, p.heat_loss, s.temperature - ambient, dt);
        s.put(state.numbers);
    }

    fn law(&self, passage: usize, at: &Plumbing<'_>) -> Law {
        let p = PipeParameters::of(at.parameters);
        if passage == LEAK {
            return hole(p.discharge * p.leak, p.elevation + p.rise, &at.fluid);
        }
        let area = circle(bore(&p));
        let friction = Friction { length: p.length, diameter: bore(&p), roughness: p.roughness + p.corrosion };
        let quadratic = (p.losses + p.blockage) * at.fluid.density / (2.0 * area * area);
        Law { quadratic, friction: Some(friction), ..Law::OPEN }
    }

    fn carriage(&self, passage: usize, at: &Plumbing<'_>) -> Carriage {
        let (p, s) = (PipeParameters::of(at.parameters), PipeState::of(at.state.numbers));
        match passage {
            THROUGH => Carriage::Stirred { volume: volume(&p), temperature: s.temperature, heat: s.warming },
            _ => Carriage::Through,
        }
    }

    fn account(&self, given: &Given<'_>, state: StateRef<'_>) -> Account {
        let (p, s) = (PipeParameters::of(given.parameters), PipeState::of(state.numbers));
        let heat = given.crossings[THROUGH].fluid.heat_per_volume() * volume(&p) * s.temperature - s.gained;
        Account { heat, ..Account::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_alone_cools_as_newton_says_in_any_step() {
        let (held, conductance) = (4e4, 20.0);
        for dt in [1.0, 100.0, 1e6] {
            let after = 60.0 - loss(held, conductance, 60.0, dt) * dt / held;
            assert!((after - 60.0 * libm::exp(-conductance * dt / held)).abs() < 1e-9, "{dt} s: {after}");
        }
    }

    #[test]
    fn a_flow_that_stops_at_once_presses_as_joukowsky_says() {
        let found = wave_speed(&Fluid::WATER, 0.1, 3.6e-3, 2e11);
        assert!((found - 1294.7).abs() < 0.05, "{found} m/s");
        let found = surge(&Fluid::WATER, 1200.0, 1.0);
        assert!((found / 11.978e5 - 1.0).abs() < 1e-4, "{found} Pa");
    }

    #[test]
    fn a_hole_that_is_shut_lets_nothing_out() {
        assert_eq!(hole(0.0, 1.0, &Fluid::WATER), Law::CLOSED);
        let open = hole(1e-4, 2.0, &Fluid::WATER);
        // 1 bar: C_d a sqrt(2 dp / rho) = 1e-4 * 14.155 m/s.
        assert!(((1e5 / open.quadratic).sqrt() / 1.415_5e-3 - 1.0).abs() < 1e-4);
        assert_eq!(open.backwards, 0.0);
    }
}
