//! The main switchboard. In: power of all consumers. Out: voltage, current, power factor, energy.
//!
//! Equation: P = √3 U I cos φ, and a feeder whose voltage sinks with its load. Never loses energy: it only counts.

use crate::model::{Equations, Noise, numeric::approach};

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Supply {
    /// V between lines, without load.
    pub voltage: f64,
    /// V for each W of load.
    pub sag: f64,
    /// W of lights, controls and ventilation.
    pub base: f64,
    /// Thermal time constant of the cabinet in s.
    pub thermal_time: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SupplyState {
    /// J
    pub energy: f64,
    /// °C inside the cabinet
    pub temperature: f64,
    /// W, smoothed as a meter does.
    pub power: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SupplyInput {
    /// W
    pub consumers: f64,
    /// °C
    pub ambient: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct SupplyOutput {
    /// V
    pub voltage: f64,
    /// A
    pub current: f64,
    pub power_factor: f64,
}

impl Equations for Supply {
    type State = SupplyState;
    type Input = SupplyInput;
    type Output = SupplyOutput;

    fn initial(&self) -> SupplyState {
        SupplyState { energy: 0.0, temperature: 30.0, power: self.base }
    }

    fn step(&self, state: &mut SupplyState, input: &SupplyInput, dt: f64, noise: &mut Noise) -> SupplyOutput {
        let power = self.base + input.consumers;
        state.energy += power * dt;
        state.power = approach(state.power, power, 1.0, dt);
        let voltage = self.voltage - self.sag * state.power + noise.normal(0.2);
        let power_factor = 0.82 + 0.12 * (state.power / 80e3).clamp(0.0, 1.0);
        state.temperature = approach(state.temperature, input.ambient + 1.8e-4 * state.power, self.thermal_time, dt);
        SupplyOutput { voltage, current: state.power / (3f64.sqrt() * voltage * power_factor), power_factor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bottling::design;

    #[test]
    fn energy_is_power_times_time_and_the_voltage_sinks_with_the_load() {
        let supply = design::supply();
        let mut noise = Noise::new(2, 0);
        let mut run = |consumers: f64| {
            let mut state = supply.initial();
            let mut out = SupplyOutput::default();
            for _ in 0..3600 {
                out = supply.step(&mut state, &SupplyInput { consumers, ambient: 21.0 }, 1.0, &mut noise);
            }
            (state.energy / 3.6e6, out)
        };
        let (kwh, loaded) = run(50e3);
        assert!((kwh - (50e3 + supply.base) / 1e3).abs() < 1e-6, "{kwh} kWh");
        assert!(loaded.voltage < run(0.0).1.voltage);
    }
}
