//! A screw compressor with receiver, on load/idle control. In: air drawn. Out: pressure, power, temperature.
//!
//! Equations: mass balance of an ideal gas at constant temperature, dp/dt = p_atm (q_in - q_out) / V with flows as
//! free air; two-point control between a low and a high pressure. Gauge pressures in Pa.

use crate::model::{Equations, Noise, numeric::approach};

const ATMOSPHERE: f64 = 101_325.0;

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Compressor {
    /// Free air delivery in m³/s when loaded.
    pub delivery: f64,
    /// Receiver in m³.
    pub receiver: f64,
    /// Pa: loads below, idles above.
    pub load_at: f64,
    pub idle_at: f64,
    /// W
    pub loaded_power: f64,
    pub idle_power: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CompressorState {
    /// Pa
    pub pressure: f64,
    pub loaded: bool,
    /// °C of the oil
    pub temperature: f64,
    /// Seconds under load.
    pub loaded_secs: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CompressorInput {
    /// Free air drawn in m³/s.
    pub demand: f64,
    /// °C
    pub ambient: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct CompressorOutput {
    /// Free air delivered in m³/s.
    pub delivered: f64,
    pub drawn: f64,
    /// rad/s
    pub fan_speed: f64,
    /// W
    pub power: f64,
}

impl Equations for Compressor {
    type State = CompressorState;
    type Input = CompressorInput;
    type Output = CompressorOutput;

    fn initial(&self) -> CompressorState {
        CompressorState {
            pressure: 0.5 * (self.load_at + self.idle_at),
            loaded: true,
            temperature: 72.0,
            loaded_secs: 0.0,
        }
    }

    fn step(&self, state: &mut CompressorState, input: &CompressorInput, dt: f64, _: &mut Noise) -> CompressorOutput {
        if state.pressure < self.load_at {
            state.loaded = true;
        } else if state.pressure > self.idle_at {
            state.loaded = false;
        }
        let delivered = if state.loaded { self.delivery } else { 0.0 };
        // What is not in the receiver cannot be drawn.
        let drawn = input.demand.max(0.0).min(delivered + state.pressure * self.receiver / ATMOSPHERE / dt);
        state.pressure = (state.pressure + ATMOSPHERE * (delivered - drawn) / self.receiver * dt).max(0.0);
        if state.loaded {
            state.loaded_secs += dt;
        }
        let warm = input.ambient + if state.loaded { 62.0 } else { 40.0 };
        state.temperature = approach(state.temperature, warm, 90.0, dt);
        let fan_speed = 90.0 + 3.0 * (state.temperature - 65.0).max(0.0);
        let power = if state.loaded {
            // Work rises with the logarithm of the pressure ratio (isothermal compression).
            let ratio = |gauge: f64| libm::log((gauge + ATMOSPHERE) / ATMOSPHERE);
            self.loaded_power * ratio(state.pressure) / ratio(self.idle_at)
        } else {
            self.idle_power
        };
        CompressorOutput { delivered, drawn, fan_speed, power }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bottling::design;

    #[test]
    fn pressure_stays_between_the_switching_points_and_the_load_share_meets_the_demand() {
        let compressor = design::compressor();
        let (mut state, mut noise) = (compressor.initial(), Noise::new(2, 0));
        let demand = 0.6 * compressor.delivery;
        let secs = 3600.0;
        for _ in 0..(secs / 0.02) as usize {
            compressor.step(&mut state, &CompressorInput { demand, ambient: 21.0 }, 0.02, &mut noise);
            assert!(state.pressure > compressor.load_at - 1e3 && state.pressure < compressor.idle_at + 1e3);
        }
        assert!((state.loaded_secs / secs - 0.6).abs() < 0.02, "{state:?}");
    }
}
