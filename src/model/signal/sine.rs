//! A sine. In: time. Out: mean + amplitude sin(2 pi t / period + phase), and a second harmonic where asked for.
//!
//! Exact at each step: its value follows from time alone.

use crate::model::quantities;
use crate::model::{Description, Given, Model, StateMut, StateRef};

/// A sine with a period, such as day and night.
#[derive(Clone, Copy, Debug)]
pub struct Sine;

quantities! {
    pub parameters SineParameters {
        /// Mean
        mean: "" = 0.0, -1e12 => 1e12, design, "none";
        /// Amplitude
        amplitude: "" = 1.0, -1e12 => 1e12, design, "one";
        /// Period
        period: "s" = 60.0, 1e-3 => 1e9, design, "a minute";
        /// Angle at the beginning
        phase: "rad" = 0.0, -100.0 => 100.0, design, "rises through its mean";
        /// Share of the amplitude that a wave of twice the frequency has
        harmonic: "" = 0.0, 0.0 => 1.0, design, "none";
    }
}

quantities! {
    pub states SineState {
        /// Value
        value: "" = 0.0, -1e15 => 1e15;
    }
}

quantities! {
    pub outputs SineOutputs {
        /// Value
        value: "", held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Sine",
    is_program: true,
    about: "A sine with a period, such as day and night",
    source: "none",
    step: Some(100_000_000),
    parameters: SineParameters::ALL,
    states: SineState::ALL,
    outputs: SineOutputs::ALL,
    ..Description::EMPTY
};

fn value(p: &SineParameters, secs: f64) -> f64 {
    // The fraction first: a day in a year keeps its digits.
    let angle = std::f64::consts::TAU * (secs / p.period).fract() + p.phase;
    p.mean + p.amplitude * (libm::sin(angle) + p.harmonic * libm::sin(2.0 * angle))
}

fn now(given: &Given<'_>) -> f64 {
    value(&SineParameters::of(given.parameters), given.secs())
}

impl Model for Sine {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        state.numbers[0] = now(given);
    }

    fn outputs(&self, _: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        out[0] = state.numbers[0];
    }

    fn step(&self, given: &Given<'_>, _: f64, state: &mut StateMut<'_>) {
        state.numbers[0] = now(given);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_at_its_mean_and_its_ends_in_quarters_of_its_period() {
        let p = SineParameters { mean: 20.0, amplitude: 5.0, period: 86_400.0, phase: 0.0, harmonic: 0.0 };
        let quarters = [20.0, 25.0, 20.0, 15.0, 20.0];
        for (quarter, wanted) in quarters.iter().enumerate() {
            let found = value(&p, 21_600.0 * quarter as f64 + 365.0 * 86_400.0);
            assert!((found - wanted).abs() < 1e-9, "quarter {quarter}: {found}");
        }
    }
}
