//! A control valve with equal-percentage characteristic. In: command, pressure difference. Out: position, flow.
//!
//! Equation: IEC 60534-2-1 for liquids without choking, Q = Kv f(x) sqrt(Δp / SG), with f(x) = R^(x-1).

use crate::model::{Equations, Noise, numeric::move_towards};

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Valve {
    /// Flow of water in m³/h at a pressure difference of 1 bar, fully open.
    pub kv: f64,
    /// Ratio of the largest to the smallest controllable flow.
    pub rangeability: f64,
    /// Seconds from closed to open.
    pub stroke_secs: f64,
    /// Position at the start, 0 to 1.
    pub start: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ValveState {
    /// 0 closed, 1 open.
    pub position: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ValveInput {
    /// 0 closed, 1 open.
    pub command: f64,
    /// Pa
    pub pressure_difference: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct ValveOutput {
    /// m³/s
    pub flow: f64,
    pub position: f64,
    pub command: f64,
    /// Pa
    pub pressure_difference: f64,
}

impl Equations for Valve {
    type State = ValveState;
    type Input = ValveInput;
    type Output = ValveOutput;

    fn initial(&self) -> ValveState {
        ValveState { position: self.start }
    }

    fn step(&self, state: &mut ValveState, input: &ValveInput, dt: f64, _: &mut Noise) -> ValveOutput {
        let command = input.command.clamp(0.0, 1.0);
        state.position = move_towards(state.position, command, 1.0 / self.stroke_secs, dt);
        // Below two percent the plug sits on its seat: tight shut-off.
        let opening = if state.position < 0.02 { 0.0 } else { libm::pow(self.rangeability, state.position - 1.0) };
        let gravity = super::DENSITY / 1000.0;
        let bar = input.pressure_difference.max(0.0) / 1e5;
        let flow = self.kv * opening * (bar / gravity).sqrt() / 3600.0;
        ValveOutput { flow, position: state.position, command, pressure_difference: input.pressure_difference }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flow_doubles_with_four_times_the_pressure_and_stops_on_the_seat() {
        let valve = Valve { kv: 16.0, rangeability: 50.0, stroke_secs: 4.0, start: 0.5 };
        let mut noise = Noise::new(1, 0);
        let mut flow = |start: f64, bar: f64| {
            let input = ValveInput { command: start, pressure_difference: bar * 1e5 };
            valve.step(&mut ValveState { position: start }, &input, 0.02, &mut noise).flow
        };
        assert!((flow(0.5, 4.0) / flow(0.5, 1.0) - 2.0).abs() < 1e-12);
        assert_eq!(flow(0.0, 4.0), 0.0);
        assert!(flow(0.8, 1.0) > flow(0.5, 1.0));
    }

    #[test]
    fn the_stem_needs_its_stroke_time() {
        let valve = Valve { kv: 16.0, rangeability: 50.0, stroke_secs: 4.0, start: 0.0 };
        let (mut state, mut noise) = (valve.initial(), Noise::new(1, 0));
        for _ in 0..100 {
            valve.step(&mut state, &ValveInput { command: 1.0, pressure_difference: 1e5 }, 0.02, &mut noise);
        }
        assert!((state.position - 0.5).abs() < 1e-9, "{state:?}");
    }
}
