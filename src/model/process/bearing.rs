//! A rolling bearing that wears. In: speed, severity of wear. Out: vibration, friction loss, temperature.
//!
//! Equations: damage grows with revolutions, vibration velocity exponentially with damage (Gebraeel et al.,
//! "Residual-life distributions from component degradation signals: a Bayesian approach", IIE Transactions 37, 2005);
//! zones of vibration velocity after ISO 20816-3. Wear never heals: only a new bearing brings damage back to 0.

use crate::model::{Equations, Noise, numeric::approach};

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bearing {
    /// rad/s
    pub rated_speed: f64,
    /// RMS vibration velocity in m/s of a new bearing at rated speed.
    pub new_vibration: f64,
    /// Friction loss in W of a new bearing at rated speed.
    pub new_loss: f64,
    /// Housing to surroundings in K/W, and its thermal time constant in s.
    pub thermal_resistance: f64,
    pub thermal_time: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BearingState {
    /// Natural logarithm of how many times larger vibration has become.
    pub damage: f64,
    /// °C
    pub temperature: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BearingInput {
    /// rad/s
    pub speed: f64,
    /// Damage per second at rated speed.
    pub severity: f64,
    /// A new bearing is fitted during this step.
    pub replace: bool,
    /// °C
    pub ambient: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct BearingOutput {
    /// RMS velocity, m/s
    pub vibration: f64,
    /// W
    pub loss: f64,
    /// °C
    pub temperature: f64,
}

impl Equations for Bearing {
    type State = BearingState;
    type Input = BearingInput;
    type Output = BearingOutput;

    fn initial(&self) -> BearingState {
        BearingState { damage: 0.0, temperature: 45.0 }
    }

    fn step(&self, state: &mut BearingState, input: &BearingInput, dt: f64, noise: &mut Noise) -> BearingOutput {
        let ratio = (input.speed / self.rated_speed).max(0.0);
        if input.replace {
            state.damage = 0.0;
        }
        // Wear comes in small irregular bites, never backwards.
        state.damage += (input.severity * ratio * (1.0 + noise.normal(0.3))).max(0.0) * dt;
        let growth = libm::exp(state.damage);
        let vibration = self.new_vibration * ratio * growth;
        let loss = self.new_loss * ratio * (0.6 + 0.4 * growth);
        let target = input.ambient + self.thermal_resistance * loss;
        state.temperature = approach(state.temperature, target, self.thermal_time, dt);
        BearingOutput { vibration, loss, temperature: state.temperature }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bottling::design;

    #[test]
    fn wear_never_heals_until_the_bearing_is_replaced() {
        let bearing = design::pump_bearing();
        let (mut state, mut noise) = (bearing.initial(), Noise::new(3, 0));
        let mut input = BearingInput { speed: 280.0, severity: 0.005, replace: false, ambient: 21.0 };
        let mut before = state.damage;
        for _ in 0..20_000 {
            bearing.step(&mut state, &input, 0.02, &mut noise);
            assert!(state.damage >= before);
            before = state.damage;
        }
        assert!(before > 1.0, "400 s at 0.005 per second: {before}");
        input.replace = true;
        bearing.step(&mut state, &input, 0.02, &mut noise);
        assert!(state.damage < 1e-3);
    }

    #[test]
    fn more_damage_means_more_vibration_loss_and_heat() {
        let bearing = design::pump_bearing();
        let mut noise = Noise::new(3, 0);
        let input = BearingInput { speed: 280.0, severity: 0.0, replace: false, ambient: 21.0 };
        let mut run = |damage: f64| {
            let mut state = BearingState { damage, temperature: 40.0 };
            (0..10_000).map(|_| bearing.step(&mut state, &input, 0.1, &mut noise)).last()
        };
        let (new, worn) = (run(0.0).unwrap_or_default(), run(1.0).unwrap_or_default());
        assert!((worn.vibration / new.vibration - libm::exp(1.0)).abs() < 1e-9);
        assert!(worn.loss > new.loss && worn.temperature > new.temperature + 5.0, "{new:?} {worn:?}");
    }
}
