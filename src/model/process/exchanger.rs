//! A plate heat exchanger in counterflow that fouls. In: flows and inlet temperatures. Out: outlets, duty, pressure drop.
//!
//! Equations: effectiveness-NTU (Incropera et al., "Fundamentals of Heat and Mass Transfer", ch. 11); asymptotic
//! fouling (Kern and Seaton, 1959). Heat given up by the hot side is what the cold side takes, plus what warms plates.

use super::{DENSITY, SPECIFIC_HEAT};
use crate::model::{Equations, Noise, numeric::approach};

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Exchanger {
    /// Clean heat transfer in W/K at rated flow.
    pub ua: f64,
    /// m³/s on the product side.
    pub rated_flow: f64,
    /// Fouling resistance it tends to in K/W, and in how many seconds.
    pub fouling_limit: f64,
    pub fouling_time: f64,
    /// Pressure drop: m/(m³/s)² when clean.
    pub resistance: f64,
    /// Density times specific heat of the coolant, J/(m³ K).
    pub coolant_heat: f64,
    /// Thermal inertia of plates and hold-up, s.
    pub lag: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ExchangerState {
    /// K/W
    pub fouling: f64,
    /// °C
    pub hot_out: f64,
    pub cold_out: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ExchangerInput {
    /// m³/s
    pub hot_flow: f64,
    pub cold_flow: f64,
    /// °C
    pub hot_in: f64,
    pub cold_in: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct ExchangerOutput {
    /// °C
    pub hot_in: f64,
    pub hot_out: f64,
    pub cold_in: f64,
    pub cold_out: f64,
    /// W
    pub duty: f64,
    pub effectiveness: f64,
    /// m/(m³/s)² on the product side, fouling included.
    pub resistance: f64,
    /// Share of the fouling limit.
    pub fouling: f64,
}

/// Effectiveness of a counterflow exchanger for `ntu` transfer units and capacity ratio `cr` = C_min/C_max.
pub fn effectiveness(ntu: f64, cr: f64) -> f64 {
    if (1.0 - cr).abs() < 1e-9 {
        return ntu / (1.0 + ntu);
    }
    let e = libm::exp(-ntu * (1.0 - cr));
    (1.0 - e) / (1.0 - cr * e)
}

impl Equations for Exchanger {
    type State = ExchangerState;
    type Input = ExchangerInput;
    type Output = ExchangerOutput;

    fn initial(&self) -> ExchangerState {
        ExchangerState { fouling: 0.2 * self.fouling_limit, hot_out: 7.0, cold_out: 12.0 }
    }

    fn step(&self, state: &mut ExchangerState, input: &ExchangerInput, dt: f64, _: &mut Noise) -> ExchangerOutput {
        state.fouling = approach(state.fouling, self.fouling_limit, self.fouling_time, dt);
        let hot = DENSITY * SPECIFIC_HEAT * input.hot_flow.max(0.0);
        let cold = self.coolant_heat * input.cold_flow.max(0.0);
        let (low, high) = (hot.min(cold), hot.max(cold));
        let (mut share, mut duty) = (0.0, 0.0);
        if low > 1.0 {
            // Film coefficients follow the flow to the power 0.8 (Dittus-Boelter).
            let clean = self.ua * libm::pow(input.hot_flow / self.rated_flow, 0.8);
            share = effectiveness(1.0 / (1.0 / clean + state.fouling) / low, low / high);
            duty = share * low * (input.hot_in - input.cold_in);
            state.hot_out = approach(state.hot_out, input.hot_in - duty / hot, self.lag, dt);
            state.cold_out = approach(state.cold_out, input.cold_in + duty / cold, self.lag, dt);
        }
        let fouled = state.fouling / self.fouling_limit;
        ExchangerOutput {
            hot_in: input.hot_in,
            hot_out: state.hot_out,
            cold_in: input.cold_in,
            cold_out: state.cold_out,
            duty,
            effectiveness: share,
            resistance: self.resistance * (1.0 + 0.8 * fouled),
            fouling: fouled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bottling::design;

    #[test]
    fn at_rest_the_cold_side_takes_what_the_hot_side_gives() {
        let exchanger = design::cooler();
        let (mut state, mut noise) = (exchanger.initial(), Noise::new(1, 0));
        let input = ExchangerInput { hot_flow: 0.0018, cold_flow: 0.0028, hot_in: 20.0, cold_in: 2.0 };
        let mut out = ExchangerOutput::default();
        for _ in 0..20_000 {
            out = exchanger.step(&mut state, &input, 0.1, &mut noise);
        }
        let given = DENSITY * SPECIFIC_HEAT * input.hot_flow * (out.hot_in - out.hot_out);
        let taken = exchanger.coolant_heat * input.cold_flow * (out.cold_out - out.cold_in);
        assert!((given - taken).abs() < 1e-3 * given, "{given} W, {taken} W");
        assert!((given - out.duty).abs() < 1e-3 * given);
        assert!(out.hot_out > out.cold_in && out.cold_out < out.hot_in, "second law: {out:?}");
    }

    #[test]
    fn fouling_lowers_the_duty_and_raises_the_resistance() {
        let exchanger = design::cooler();
        let mut noise = Noise::new(1, 0);
        let input = ExchangerInput { hot_flow: 0.0018, cold_flow: 0.0028, hot_in: 20.0, cold_in: 2.0 };
        let mut at = |share: f64| {
            let mut state = exchanger.initial();
            state.fouling = share * exchanger.fouling_limit;
            exchanger.step(&mut state, &input, 0.1, &mut noise)
        };
        let (clean, fouled) = (at(0.0), at(1.0));
        assert!(fouled.duty < 0.97 * clean.duty && fouled.resistance > 1.5 * clean.resistance);
    }

    #[test]
    fn effectiveness_agrees_with_the_textbook() {
        // Incropera, figure 11.11: NTU = 2, Cr = 0.5 gives 0.775.
        assert!((effectiveness(2.0, 0.5) - 0.775).abs() < 0.001);
        assert!((effectiveness(2.0, 1.0) - 2.0 / 3.0).abs() < 1e-12);
        assert!((effectiveness(2.0, 1.0 - 1e-7) - 2.0 / 3.0).abs() < 1e-6);
    }
}
