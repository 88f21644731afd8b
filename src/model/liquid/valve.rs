//! A control valve with its actuator. In: a command. Out: position, flow, the pressure that it takes.
//!
//! Q = K_v f(x) sqrt(dp / SG), Q in m³/h, dp in bar, SG against 999 kg/m³ (IEC 60534-2-1). f(x) = x, or R^(x - 1) for an
//! equal percentage trim, which a straight line brings to nothing below x = 0.02. The stem follows its command with a lag
//! and a largest speed; with stiction it stands until the command is half of its band away, then it jumps (Choudhury,
//! Thornhill and Shah, "Modelling valve stiction", Control Engineering Practice 13, 2005).
//!
//! Where the liquid boils in the narrowest place, no lower pressure behind it draws more: dp counts up to
//! F_L² (p_1 - F_F p_v), F_F = 0.96 - 0.28 sqrt(p_v / p_c), absolute pressures. Above that the resistance grows with the
//! drop, by how often the drop that counts lay in the drop of the step before: one step late where the pressures at its
//! ends stand, soon and without swinging where they follow its flow. x_F = dp / (p_1 - p_v) tells how near that is:
//! valves get loud from 0.3 to 0.6 on (IEC 60534-8-4).
//!
//! The lag is stepped exactly for a command that stands, the largest speed in a straight line: exact as long as one of
//! them rules.
//!
//! | figure | source | wanted | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | f(0.5), f(0.25), R 50 | sheet 1.4 | 0.141421, 0.0531830 | equal | < 1e-6 |
//! | share of full flow at 0.5, authority 0.5, 0.25 | sheet 1.4 | 0.198030, 0.274721 | equal | < 1e-4 |
//! | IEC 60534-2-1, liquid example 1: K_v | sheet 1.4 | 164.995 | 165.00 | < 1e-4 |
//! | its F_F | sheet 1.4 | 0.94424 | 0.944238 | < 1e-5 |
//! | its choking pressure drop | sheet 1.4 | 497.2 kPa | 497.18 | its last digit |
//! | C_v over K_v | sheet 1.4 | 1.1561 | 1.1561 | < 1e-4 |

use crate::model::quantities;
use crate::model::{
    ATMOSPHERE, Crossing, Description, Domain, End, Fluid, Given, Law, Model, OutputKind, Passage, Plumbing, Port,
    StateMut, StateRef,
};

/// A control valve that follows a command.
#[derive(Clone, Copy, Debug)]
pub struct ControlValve;

quantities! {
    pub parameters ValveParameters {
        /// Flow in m³/h of water at 1 bar when it is open
        kv: "" = 10.0, 1e-3 => 1e5, design, "assumed";
        /// Largest over smallest flow that it can set; 1 for a linear trim
        rangeability: "" = 50.0, 1.0 => 200.0, design, "IEC 60534: 30 to 50 for equal percentage";
        /// Time for the whole stroke
        stroke: "s" = 10.0, 0.01 => 1000.0, design, "assumed: 5 s to 30 s";
        /// Time constant of the positioner
        lag: "s" = 1.0, 0.0 => 100.0, design, "assumed: 1 s to 3 s";
        /// Pressure recovery F_L: the lower, the sooner its flow is choked
        recovery: "" = 0.9, 0.2 => 1.0, design, "IEC 60534-2-1: 0.9 for a globe valve, 0.6 for a ball valve";
        /// Position at the beginning
        start: "" = 0.5, 0.0 => 1.0, start, "assumed";
        /// Band within which the stem does not move
        stiction: "" = 0.0, 0.0 => 0.3, condition, "none; 0.005 to 0.05 when worn";
        /// How far the stem jumps when it comes free
        jump: "" = 0.0, 0.0 => 0.3, condition, "none";
        /// Opening that is left when it is shut
        seat_leak: "" = 0.0, 0.0 => 0.1, condition, "none; class IV leaks 1e-4 of its largest flow";
        /// Share of its capacity that deposits take
        plugging: "" = 0.0, 0.0 => 0.95, condition, "none";
        /// What the positioner is wrong by
        offset: "" = 0.0, -0.3 => 0.3, condition, "none";
        /// Share of its speed that low air supply leaves
        air: "" = 1.0, 0.01 => 1.0, condition, "full supply";
    }
}

quantities! {
    pub states ValveState {
        /// Where the stem is, 0 shut to 1 open
        position: "" = 0.5, 0.0 => 1.0, estimated;
        /// Where the stem goes, behind its stiction
        aim: "" = 0.5, 0.0 => 1.0;
        /// Times that the pressure drop is larger than what counts of it
        choking: "" = 1.0, 1.0 => 1e6;
    }
}

quantities! {
    pub inputs ValveInputs {
        /// Where the stem should be, 0 shut to 1 open
        command: "", last = 0.5;
    }
}

quantities! {
    pub outputs ValveOutputs {
        /// Where the stem is
        position: "", held;
        /// Where the stem should be
        command: "", direct;
        /// Flow from inlet to outlet
        flow: "m3/s", direct;
        /// Pressure that it takes
        pressure_drop: "Pa", direct;
        /// Pressure drop over what is left to the pressure at which the liquid boils, x_F
        cavitation: "", direct;
        /// Whether the liquid boils in it, so that its flow is limited
        choked: "" = OutputKind::Flag, held;
        /// Whether it is shut
        shut: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "ControlValve",
    about: "A control valve with actuator and positioner",
    source: "IEC 60534-2-1; stiction after Choudhury, Thornhill and Shah, 2005",
    version: 2,
    step: Some(100_000_000),
    parameters: ValveParameters::ALL,
    states: ValveState::ALL,
    inputs: ValveInputs::ALL,
    outputs: ValveOutputs::ALL,
    ports: &[
        Port { name: "inlet", about: "Where liquid enters", domain: Domain::Fluid, required: true },
        Port { name: "outlet", about: "Where liquid leaves", domain: Domain::Fluid, required: true },
    ],
    passages: &[Passage { from: End::Port(0), to: End::Port(1) }],
    ..Description::EMPTY
};

/// Share of its capacity at a position, by the rangeability of its trim.
pub fn opening(position: f64, rangeability: f64) -> f64 {
    const SEAT: f64 = 0.02;
    if rangeability <= 1.0 {
        return position;
    }
    let trim = |x: f64| libm::pow(rangeability, x - 1.0);
    if position < SEAT { trim(SEAT) * position / SEAT } else { trim(position) }
}

/// Pa of pressure drop that count at most, at an absolute pressure before the valve, by its recovery F_L.
pub fn choking_drop(recovery: f64, before: f64, fluid: &Fluid) -> f64 {
    let critical = 0.96 - 0.28 * (fluid.vapour_pressure / fluid.critical_pressure).sqrt();
    // What comes in boiling already still passes a little.
    (recovery * recovery * (before - critical * fluid.vapour_pressure)).max(100.0)
}

/// Flow in US gallons a minute at 1 psi over flow in m³/h at 1 bar: what K_v is to be multiplied with for C_v.
pub fn cv_of_kv() -> f64 {
    // A gallon has 231 cubic inches, a pound-force 4.448 221 615 260 5 N.
    let gallons_a_minute = 1.0 / (60.0 * 231.0 * 0.0254 * 0.0254 * 0.0254);
    let psi: f64 = 4.448_221_615_260_5 / (0.0254 * 0.0254);
    gallons_a_minute * (psi / 1e5).sqrt()
}

/// Absolute Pa before the valve, and Pa that it takes, whichever way the liquid goes.
fn pressures(crossing: &Crossing) -> (f64, f64) {
    let (from, to) = (crossing.from_pressure, crossing.to_pressure);
    (from.max(to) + ATMOSPHERE, (from - to).abs())
}

impl Model for ControlValve {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let start = ValveParameters::of(given.parameters).start;
        ValveState { position: start, aim: start, choking: 1.0 }.put(state.numbers);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (s, u, crossing) = (ValveState::of(state.numbers), ValveInputs::of(given.inputs), &given.crossings[0]);
        let (before, drop) = pressures(crossing);
        ValveOutputs {
            position: s.position,
            command: u.command,
            flow: crossing.flow,
            pressure_drop: crossing.from_pressure - crossing.to_pressure,
            cavitation: (drop / (before - crossing.fluid.vapour_pressure).max(100.0)).min(1e3),
            choked: f64::from(u8::from(s.choking > 1.0)),
            shut: f64::from(u8::from(s.position < 0.005)),
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, mut s) = (ValveParameters::of(given.parameters), ValveState::of(state.numbers));
        let wanted = (ValveInputs::of(given.inputs).command + p.offset).clamp(0.0, 1.0);
        let away = wanted - s.aim;
        if away.abs() > 0.5 * p.stiction {
            // It comes free with a jump, and comes to rest short of its command by what is left of the band.
            let rest = (0.5 * p.stiction - p.jump).max(0.0);
            s.aim = wanted - rest.copysign(away);
        }
        let step = match p.lag > 0.0 {
            true => (s.aim - s.position) * -libm::expm1(-dt / p.lag),
            false => s.aim - s.position,
        };
        let most = p.air * dt / p.stroke;
        s.position = (s.position + step.clamp(-most, most)).clamp(0.0, 1.0);
        let crossing = &given.crossings[0];
        let (before, drop) = pressures(crossing);
        let flows = crossing.flow.abs() > 1e-9;
        let counts = choking_drop(p.recovery, before, &crossing.fluid);
        s.choking = if flows { (drop / counts).clamp(1.0, 1e6) } else { 1.0 };
        s.put(state.numbers);
    }

    fn law(&self, _: usize, at: &Plumbing<'_>) -> Law {
        let (p, s) = (ValveParameters::of(at.parameters), ValveState::of(at.state.numbers));
        let kv = p.kv * (1.0 - p.plugging) * opening(s.position, p.rangeability).max(p.seat_leak);
        if kv < 1e-9 {
            return Law::CLOSED;
        }
        let per_flow = 3600.0 / kv;
        Law { quadratic: s.choking * 1e5 * at.fluid.density / 999.0 * per_flow * per_flow, ..Law::OPEN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_equal_percentage_trim_opens_as_the_sheet_says_and_shuts() {
        for (position, wanted) in [(0.5, 0.141_421), (0.25, 0.053_183_0), (1.0, 1.0), (0.0, 0.0)] {
            assert!((opening(position, 50.0) - wanted).abs() < 1e-6, "{position}");
        }
        assert_eq!(opening(0.3, 1.0), 0.3);
    }

    #[test]
    fn a_valve_sized_as_the_standard_does_passes_its_flow() {
        // IEC 60534-2-1, liquid example 1: water of 90 °C, 680 to 220 kPa, 0.1 m³/s: K_v 164.995.
        let mut parameters: Vec<f64> = ValveParameters::ALL.iter().map(|parameter| parameter.default).collect();
        parameters[DESCRIPTION.parameter("kv").expect("a K_v")] = 164.995;
        let queue = std::collections::VecDeque::new();
        let state = StateRef { numbers: &[1.0, 1.0, 1.0], counts: &[], queue: &queue };
        let fluid = Fluid { density: 965.4, ..Fluid::WATER };
        let law = ControlValve.law(0, &Plumbing { parameters: &parameters, state, fluid, interval: 0.1 });
        let flow = (460e3 / law.quadratic).sqrt();
        assert!((flow / 0.1 - 1.0).abs() < 1e-4, "{flow} m³/s");
    }

    #[test]
    fn water_of_90_degrees_chokes_where_the_standard_says() {
        // The same example: p_v 70.1 kPa, p_c 22120 kPa, F_L 0.9.
        let fluid = Fluid { density: 965.4, vapour_pressure: 70.1e3, critical_pressure: 22.12e6, ..Fluid::WATER };
        let critical = (680e3 - choking_drop(1.0, 680e3, &fluid)) / 70.1e3;
        assert!((critical - 0.944_24).abs() < 1e-5, "F_F {critical}");
        let drop = choking_drop(0.9, 680e3, &fluid);
        assert!((drop - 497.2e3).abs() < 50.0, "{drop} Pa");
        assert!(drop > 460e3, "the example is not choked");
    }

    #[test]
    fn flow_coefficients_of_both_systems_are_one_figure() {
        assert!((cv_of_kv() / 1.1561 - 1.0).abs() < 1e-4, "{}", cv_of_kv());
    }
}
