//! A centrifugal pump. In: speed, what its pipes do. Out: flow, head, power, the margin against cavitation. Never runs
//! backwards while its check valve holds.
//!
//! H = r² H_0 - a Q_i² with r = n / n_0 (affinity: Q ~ n, H ~ n², P ~ n³; Gülich, "Centrifugal Pumps", ch. 4), a through
//! the rated point, Q_i = Q + k sqrt(H): what worn rings let back. Efficiency is a parabola over the flow whose quotient
//! Q / eta is written so that it has a value without flow. Liquid in the casing takes up what is lost:
//! rho c V dT/dt = rho c Q (T_in - T) + P (1 - eta). NPSH_r = N_0 + N_2 (Q / Q_n)²; head falls by 3 % where the margin is
//! 0 (ISO 9906) and to 0.3 where it is -1 m.
//!
//! The speed is exact, the temperature of order 1: the losses are those of the step before.
//!
//! | figure | source | wanted | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | 100 m³/h, 32 m, 0.75: power | sheet 1.3 | 11.6018 kW | equal | < 1e-5 |
//! | n_q at 2900 rpm | sheet 1.3 | 35.924 | 35.924 | < 2e-5 |
//! | NPSH of an open tank at 20 and 80 °C | sheet 1.3 | 10.112, 5.657 m | equal | < 5e-4 m |
//! | flow at 1, 0.9, 0.8, 0.7 of its speed, 10 m of height | sheet 1.3 | 100, 86.410, 72.111, 56.569 m³/h | equal | < 3e-5 |
//! | head there | sheet 1.3 | 32, 26.427, 21.440, 17.040 m | equal | < 3e-5 |

use crate::model::integrate::approach;
use crate::model::quantities;
use crate::model::{
    ATMOSPHERE, Account, Carriage, Carrier, Description, Domain, End, Fluid, GRAVITY, Given, Law, Model, OutputKind,
    Passage, Plumbing, Port, StateMut, StateRef,
};

/// A centrifugal pump with its own check valve.
#[derive(Clone, Copy, Debug)]
pub struct CentrifugalPump;

quantities! {
    pub parameters PumpParameters {
        /// Speed for which it is rated
        rated_speed: "rad/s" = 303.687_289_847_013_7, 1.0 => 3000.0, design, "2900 rpm: two poles at 50 Hz";
        /// Flow of best efficiency at rated speed
        rated_flow: "m3/s" = 100.0 / 3600.0, 1e-6 => 100.0, design, "sheet 1.3: 100 m3/h";
        /// Head at rated flow and speed
        rated_head: "m" = 32.0, 0.1 => 3000.0, design, "sheet 1.3";
        /// Head without flow at rated speed; above the rated head
        shutoff_head: "m" = 40.0, 0.1 => 5000.0, design, "sheet 1.3";
        /// Best efficiency
        efficiency: "" = 0.75, 0.05 => 0.95, design, "sheet 1.3";
        /// Efficiency of its motor and drive
        motor_efficiency: "" = 0.9, 0.1 => 1.0, design, "IEC 60034-30, class IE2: 0.87 to 0.91";
        /// NPSH that it requires without flow
        npsh_still: "m" = 1.5, 0.0 => 50.0, design, "sheet 1.3, assumed";
        /// NPSH that it requires on top at rated flow
        npsh_rated: "m" = 1.5, 0.0 => 50.0, design, "sheet 1.3, assumed";
        /// Height of its axis above the datum of pressures
        elevation: "m" = 0.0, -1000.0 => 10_000.0, design, "none";
        /// Liquid in its casing
        casing: "m3" = 2e-3, 1e-5 => 10.0, design, "assumed";
        /// Time constant of its speed behind the command
        run_up: "s" = 1.0, 0.0 => 1000.0, design, "assumed";
        /// Share of rated speed at the beginning
        start: "" = 1.0, 0.0 => 1.2, start, "runs";
        /// Mechanical losses at rated speed
        friction: "W" = 50.0, 0.0 => 1e6, design, "assumed: seals and bearings";
        /// Share of rated flow that worn rings let back at rated head
        ring_wear: "" = 0.0, 0.0 => 0.5, condition, "new";
        /// Share of head that an eroded impeller has lost
        impeller_wear: "" = 0.0, 0.0 => 0.5, condition, "new";
        /// Share of efficiency that is lost
        efficiency_loss: "" = 0.0, 0.0 => 0.5, condition, "new; 0.03 to 0.10 in five years";
        /// Air in the liquid, by volume
        air: "" = 0.0, 0.0 => 0.1, condition, "none; 0.02 takes a tenth of the head, 0.06 its prime";
        /// Times more mechanical losses than new
        friction_growth: "" = 1.0, 1.0 => 50.0, condition, "new";
        /// Whether its check valve holds: 1, or 0 if it is stuck open
        check_valve: "" = 1.0, 0.0 => 1.0, condition, "holds";
    }
}

quantities! {
    pub states PumpState {
        /// Speed
        speed: "rad/s" = 0.0, 0.0 => 4000.0, estimated;
        /// Temperature of the liquid in its casing
        temperature: "degC" = 20.0, -100.0 => 400.0, estimated;
        /// Share of the head that cavitation leaves
        head_factor: "" = 1.0, 0.0 => 1.0;
        /// Head of the step before, which presses liquid back through worn rings
        head: "m" = 0.0, -5000.0 => 5000.0;
        /// Losses that warm the liquid
        warming: "W" = 0.0, 0.0 => 1e9;
        /// Heat given to the liquid since the start
        gained: "J" = 0.0, -1e18 => 1e18;
    }
}

quantities! {
    pub inputs PumpInputs {
        /// Speed that its drive is told
        speed: "rad/s", last = 303.687_289_847_013_7;
        /// Whether its drive has power
        power: "", last = 1.0;
    }
}

quantities! {
    pub outputs PumpOutputs {
        /// Speed
        speed: "rad/s", held;
        /// Flow
        flow: "m3/s", direct;
        /// Head
        head: "m", direct;
        /// Pressure at the inlet, above the atmosphere
        suction_pressure: "Pa", direct;
        /// Pressure at the outlet, above the atmosphere
        discharge_pressure: "Pa", direct;
        /// Power at the shaft
        shaft_power: "W", direct;
        /// Power from the mains
        power: "W", direct;
        /// Torque at the shaft
        torque: "N.m", direct;
        /// Hydraulic over shaft power
        efficiency: "", direct;
        /// NPSH that there is over what it requires
        npsh_margin: "m", direct;
        /// Temperature of the liquid in its casing
        temperature: "degC", held;
        /// Whether it turns
        running: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "CentrifugalPump",
    about: "A centrifugal pump with its own check valve",
    source: "Gülich, Centrifugal Pumps; ISO 9906",
    step: Some(100_000_000),
    parameters: PumpParameters::ALL,
    states: PumpState::ALL,
    inputs: PumpInputs::ALL,
    outputs: PumpOutputs::ALL,
    ports: &[
        Port { name: "inlet", about: "Where liquid enters", domain: Domain::Fluid, required: true },
        Port { name: "outlet", about: "Where liquid leaves", domain: Domain::Fluid, required: true },
        Port {
            name: "mains",
            about: "Where its drive takes power",
            domain: Domain::Taker { carrier: Carrier::Electricity, taken: "power", potential: None },
            required: false,
        },
    ],
    passages: &[Passage { from: End::Port(0), to: End::Port(1) }],
    ..Description::EMPTY
};

/// Power in W at the shaft, and the part of it that moves liquid, for a flow in m³/s.
fn powers(p: &PumpParameters, s: &PumpState, fluid: &Fluid, flow: f64) -> (f64, f64) {
    let ratio = s.speed / p.rated_speed;
    if ratio <= 1e-6 {
        return (0.0, 0.0);
    }
    let head = head(p, s, flow).max(0.0);
    let share = (flow / (ratio * p.rated_flow)).clamp(0.0, 1.9);
    // Q / eta = r Q_n / (eta_n (2 - phi)): the parabola eta = eta_n phi (2 - phi), divided out.
    let efficiency = p.efficiency * (1.0 - p.efficiency_loss);
    let weight = fluid.density * GRAVITY;
    let pumping = weight * head * ratio * p.rated_flow / (efficiency * (2.0 - share));
    let rubbing = p.friction * p.friction_growth * ratio;
    (pumping + rubbing, weight * head * flow.max(0.0))
}

/// m that the impeller loses to the square of its flow, s²/m⁵.
fn curve(p: &PumpParameters) -> f64 {
    (p.shutoff_head - p.rated_head).max(0.0) / (p.rated_flow * p.rated_flow)
}

/// Head without flow, m.
fn lift(p: &PumpParameters, s: &PumpState) -> f64 {
    let ratio = s.speed / p.rated_speed;
    // 2 % of air take a tenth, 6 % all of it.
    let aired = if p.air < 0.02 { 1.0 - 5.0 * p.air } else { (0.9 - 22.5 * (p.air - 0.02)).max(0.0) };
    p.shutoff_head * ratio * ratio * (1.0 - p.impeller_wear) * aired * s.head_factor
}

/// Flow in m³/s that worn rings let back.
fn back(p: &PumpParameters, s: &PumpState) -> f64 {
    p.ring_wear * p.rated_flow * (s.head.max(0.0) / p.rated_head).sqrt()
}

/// Head in m at a flow.
fn head(p: &PumpParameters, s: &PumpState, flow: f64) -> f64 {
    let inside = flow + back(p, s);
    lift(p, s) - curve(p) * inside * inside.abs()
}

/// m of net positive suction head that an absolute pressure in Pa at the height of the impeller gives.
pub fn suction_head(before: f64, fluid: &Fluid) -> f64 {
    (before - fluid.vapour_pressure) / (fluid.density * GRAVITY)
}

/// Specific speed n_q: turns a minute at which a pump of its shape would lift 1 m³/s by 1 m.
pub fn specific_speed(turns_a_minute: f64, flow: f64, head: f64) -> f64 {
    turns_a_minute * flow.sqrt() / (head * head.sqrt()).sqrt()
}

/// m of absolute pressure at the inlet over that of vapour, less what the pump requires.
fn npsh_margin(p: &PumpParameters, given: &Given<'_>) -> f64 {
    let crossing = &given.crossings[0];
    let there = suction_head(crossing.from_pressure + ATMOSPHERE, &crossing.fluid) - p.elevation;
    let share = crossing.flow / p.rated_flow;
    there - p.npsh_still - p.npsh_rated * share * share
}

/// Share of the head that is left at a margin in m.
fn head_factor(margin: f64) -> f64 {
    match margin {
        m if m >= 0.5 => 1.0,
        m if m >= 0.0 => 1.0 - 0.03 * (0.5 - m) / 0.5,
        m => 0.97 - 0.67 * (-m).min(1.0),
    }
}

impl Model for CentrifugalPump {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let p = PumpParameters::of(given.parameters);
        let speed = p.start * p.rated_speed;
        PumpState { speed, head_factor: 1.0, temperature: 20.0, head: p.rated_head, warming: 0.0, gained: 0.0 }
            .put(state.numbers);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, s) = (PumpParameters::of(given.parameters), PumpState::of(state.numbers));
        let crossing = &given.crossings[0];
        let weight = crossing.fluid.density * GRAVITY;
        let (shaft_power, hydraulic) = powers(&p, &s, &crossing.fluid, crossing.flow);
        let gauge = |pressure: f64| pressure - weight * p.elevation;
        PumpOutputs {
            speed: s.speed,
            flow: crossing.flow,
            head: (crossing.to_pressure - crossing.from_pressure) / weight,
            suction_pressure: gauge(crossing.from_pressure),
            discharge_pressure: gauge(crossing.to_pressure),
            shaft_power,
            power: shaft_power / p.motor_efficiency,
            torque: if s.speed > 1e-3 { shaft_power / s.speed } else { 0.0 },
            efficiency: if shaft_power > 0.0 { hydraulic / shaft_power } else { 0.0 },
            npsh_margin: npsh_margin(&p, given),
            temperature: s.temperature,
            running: f64::from(u8::from(s.speed > 0.05 * p.rated_speed)),
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, mut s) = (PumpParameters::of(given.parameters), PumpState::of(state.numbers));
        let (u, crossing) = (PumpInputs::of(given.inputs), &given.crossings[0]);
        let (shaft, hydraulic) = powers(&p, &s, &crossing.fluid, crossing.flow);
        // What was brought in less what was taken out stays in the casing; the losses were already in what left.
        let brought = crossing.heat() + s.warming;
        s.temperature += dt * brought / (crossing.fluid.heat_per_volume() * p.casing);
        s.gained += dt * s.warming;
        s.warming = (shaft - hydraulic).max(0.0);
        let wanted = if u.power > 0.5 { u.speed.clamp(0.0, 1.2 * p.rated_speed) } else { 0.0 };
        s.speed = if p.run_up > 0.0 { approach(s.speed, wanted, p.run_up, dt) } else { wanted };
        s.head_factor = approach(s.head_factor, head_factor(npsh_margin(&p, given)), 0.5, dt);
        s.head = (crossing.to_pressure - crossing.from_pressure) / (crossing.fluid.density * GRAVITY);
        s.put(state.numbers);
    }

    fn law(&self, _: usize, at: &Plumbing<'_>) -> Law {
        let (p, s) = (PumpParameters::of(at.parameters), PumpState::of(at.state.numbers));
        let (weight, a, back) = (at.fluid.density * GRAVITY, curve(&p), back(&p, &s));
        // A little resistance where the curve is flat, so that its slope is never 0.
        let quadratic = weight * a.max(1e-3 * p.rated_head / (p.rated_flow * p.rated_flow));
        Law {
            rise: weight * (lift(&p, &s) - a * back * back),
            linear: 2.0 * weight * a * back,
            quadratic,
            friction: None,
            forwards: f64::INFINITY,
            backwards: if p.check_valve > 0.5 { 0.0 } else { f64::INFINITY },
        }
    }

    fn carriage(&self, _: usize, at: &Plumbing<'_>) -> Carriage {
        let (p, s) = (PumpParameters::of(at.parameters), PumpState::of(at.state.numbers));
        Carriage::Stirred { volume: p.casing, temperature: s.temperature, heat: s.warming }
    }

    fn account(&self, given: &Given<'_>, state: StateRef<'_>) -> Account {
        let (p, s) = (PumpParameters::of(given.parameters), PumpState::of(state.numbers));
        let heat_per_volume = given.crossings[0].fluid.heat_per_volume();
        Account { volume: 0.0, heat: heat_per_volume * p.casing * s.temperature - s.gained, items: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suction_heads_shape_and_power_are_those_of_the_sheet() {
        let open = suction_head(ATMOSPHERE, &Fluid::WATER);
        assert!((open - 10.112).abs() < 5e-4, "{open} m at 20 °C");
        let warm = Fluid { density: 971.8, vapour_pressure: 47_414.0, ..Fluid::WATER };
        let open = suction_head(ATMOSPHERE, &warm);
        assert!((open - 5.657).abs() < 5e-4, "{open} m at 80 °C");
        let shape = specific_speed(2900.0, 100.0 / 3600.0, 32.0);
        assert!((shape / 35.924 - 1.0).abs() < 2e-5, "n_q {shape}");
        // At its rated point, without what seals and bearings rub.
        let numbers: Vec<f64> = PumpParameters::ALL.iter().map(|parameter| parameter.default).collect();
        let p = PumpParameters { friction: 0.0, ..PumpParameters::of(&numbers) };
        let starts: Vec<f64> = PumpState::ALL.iter().map(|state| state.start).collect();
        let s = PumpState { speed: p.rated_speed, ..PumpState::of(&starts) };
        let (shaft, hydraulic) = powers(&p, &s, &Fluid::WATER, p.rated_flow);
        assert!((shaft / 11_601.8 - 1.0).abs() < 1e-5, "{shaft} W");
        assert!((hydraulic / shaft - 0.75).abs() < 1e-12);
    }
}
