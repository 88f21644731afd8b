//! A centrifugal pump with its motor on a variable-speed drive. In: speed, system curve. Out: flow, head, power, heat.
//!
//! Equations: H-Q parabola moved by the affinity laws (Q ~ n, H ~ n², P ~ n³; Gülich, "Centrifugal Pumps", ch. 4),
//! operating point where it meets the system curve H = H_static + R Q², parabolic efficiency about the best point,
//! motor heat as one thermal mass. Never pumps backwards: the check valve shuts.

use super::{DENSITY, GRAVITY};
use crate::model::{Equations, Noise, numeric::approach};

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pump {
    /// rad/s
    pub rated_speed: f64,
    /// Head in m without flow at rated speed.
    pub shutoff_head: f64,
    /// m/(m³/s)²: how fast head falls with flow.
    pub curve: f64,
    /// Best-efficiency flow in m³/s at rated speed.
    pub best_flow: f64,
    pub best_efficiency: f64,
    pub motor_efficiency: f64,
    /// Line-to-line voltage in V, and the power factor.
    pub voltage: f64,
    pub power_factor: f64,
    /// Motor to surroundings in K/W, and its thermal time constant in s.
    pub thermal_resistance: f64,
    pub thermal_time: f64,
    /// Rotor and drive ramp, s.
    pub ramp_secs: f64,
    /// Share of rated speed at the start.
    pub start: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PumpState {
    /// rad/s
    pub speed: f64,
    /// m³/s
    pub flow: f64,
    /// °C
    pub motor_temperature: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PumpInput {
    /// rad/s
    pub speed_command: f64,
    /// Head in m that must be overcome before anything flows.
    pub static_head: f64,
    /// System curve in m/(m³/s)².
    pub resistance: f64,
    /// Mechanical loss in the bearings in W.
    pub bearing_loss: f64,
    /// False if the suction side is empty.
    pub primed: bool,
    /// °C
    pub ambient: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct PumpOutput {
    /// rad/s
    pub speed: f64,
    /// m³/s
    pub flow: f64,
    /// m
    pub head: f64,
    /// W
    pub shaft_power: f64,
    pub electrical_power: f64,
    /// A
    pub current: f64,
    /// N·m
    pub torque: f64,
    /// °C
    pub motor_temperature: f64,
}

impl Pump {
    /// Head in m at a flow (m³/s) and a share of the rated speed.
    pub fn head(&self, flow: f64, ratio: f64) -> f64 {
        self.shutoff_head * ratio * ratio - self.curve * flow * flow
    }

    /// Flow in m³/s where pump curve and system curve meet; 0 where the pump cannot lift the static head.
    pub fn operating_flow(&self, ratio: f64, static_head: f64, resistance: f64) -> f64 {
        let lift = self.shutoff_head * ratio * ratio - static_head;
        (lift.max(0.0) / (self.curve + resistance)).sqrt()
    }

    /// Hydraulic power over efficiency in W. Written as Q/η = ν Q_bep / (η_max (2 - φ)), which has a value at no flow.
    pub fn shaft_power(&self, flow: f64, ratio: f64) -> f64 {
        if ratio <= 0.0 {
            return 0.0;
        }
        let phi = (flow / (ratio * self.best_flow)).clamp(0.0, 1.8);
        let flow_over_efficiency = ratio * self.best_flow / (self.best_efficiency * (2.0 - phi));
        DENSITY * GRAVITY * self.head(flow, ratio).max(0.0) * flow_over_efficiency
    }
}

impl Equations for Pump {
    type State = PumpState;
    type Input = PumpInput;
    type Output = PumpOutput;

    fn initial(&self) -> PumpState {
        PumpState { speed: self.rated_speed * self.start, flow: 0.0018, motor_temperature: 46.0 }
    }

    fn step(&self, state: &mut PumpState, input: &PumpInput, dt: f64, _: &mut Noise) -> PumpOutput {
        let command = input.speed_command.clamp(0.0, 1.1 * self.rated_speed);
        state.speed = approach(state.speed, command, self.ramp_secs, dt);
        let ratio = state.speed / self.rated_speed;
        let target = if input.primed { self.operating_flow(ratio, input.static_head, input.resistance) } else { 0.0 };
        // The liquid in the pipe needs a moment to speed up and slow down.
        state.flow = approach(state.flow, target, 0.4, dt);
        let head = if input.primed { self.head(state.flow, ratio).max(0.0) } else { 0.0 };
        let pumping = if input.primed { self.shaft_power(state.flow, ratio) } else { 0.0 };
        let shaft_power = pumping + input.bearing_loss;
        let electrical_power = shaft_power / self.motor_efficiency + 60.0;
        let heat = electrical_power - shaft_power;
        let target = input.ambient + self.thermal_resistance * heat;
        state.motor_temperature = approach(state.motor_temperature, target, self.thermal_time, dt);
        PumpOutput {
            speed: state.speed,
            flow: state.flow,
            head,
            shaft_power,
            electrical_power,
            current: electrical_power / (3f64.sqrt() * self.voltage * self.power_factor),
            torque: if state.speed > 1.0 { shaft_power / state.speed } else { 0.0 },
            motor_temperature: state.motor_temperature,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bottling::design;
    use crate::value::powi;

    #[test]
    fn affinity_laws_hold_at_a_system_without_static_head() {
        let pump = design::feed_pump();
        let (slow, fast) = (0.5, 1.0);
        let q = |ratio: f64| pump.operating_flow(ratio, 0.0, 5e6);
        let ratio = fast / slow;
        assert!((q(fast) / q(slow) - ratio).abs() < 1e-12, "flow follows speed");
        let head = pump.head(q(fast), fast) / pump.head(q(slow), slow);
        assert!((head - powi(ratio, 2)).abs() < 1e-9, "head follows speed squared");
        let power = pump.shaft_power(q(fast), fast) / pump.shaft_power(q(slow), slow);
        assert!((power - powi(ratio, 3)).abs() < 1e-9, "power follows speed cubed");
    }

    #[test]
    fn the_operating_point_lies_on_both_curves_and_is_most_efficient_at_the_best_flow() {
        let pump = design::feed_pump();
        let (static_head, resistance) = (8.0, 5.8e6);
        let flow = pump.operating_flow(0.9, static_head, resistance);
        assert!((pump.head(flow, 0.9) - (static_head + resistance * flow * flow)).abs() < 1e-9);
        let efficiency = |flow: f64| DENSITY * GRAVITY * flow * pump.head(flow, 1.0) / pump.shaft_power(flow, 1.0);
        assert!((efficiency(pump.best_flow) - pump.best_efficiency).abs() < 1e-9);
        assert!(efficiency(0.6 * pump.best_flow) < pump.best_efficiency);
        assert!(efficiency(1.2 * pump.best_flow) < pump.best_efficiency);
    }

    #[test]
    fn too_little_speed_for_the_static_head_moves_nothing_but_still_takes_power() {
        let pump = design::feed_pump();
        assert_eq!(pump.operating_flow(0.3, 8.0, 5e6), 0.0);
        assert!(pump.shaft_power(0.0, 0.3) > 0.0);
    }

    #[test]
    fn a_motor_warms_to_its_losses_times_its_thermal_resistance() {
        let pump = design::feed_pump();
        let (mut state, mut noise) = (pump.initial(), Noise::new(1, 0));
        let input = PumpInput {
            speed_command: pump.rated_speed,
            static_head: 8.0,
            resistance: 5.8e6,
            bearing_loss: 30.0,
            primed: true,
            ambient: 20.0,
        };
        let mut out = PumpOutput::default();
        for _ in 0..200_000 {
            out = pump.step(&mut state, &input, 0.1, &mut noise);
        }
        let expected = 20.0 + pump.thermal_resistance * (out.electrical_power - out.shaft_power);
        assert!((state.motor_temperature - expected).abs() < 1e-3);
        assert!((30.0..90.0).contains(&expected), "{expected} °C");
    }
}
