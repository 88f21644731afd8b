//! A pulse that comes again and again. In: time. Out: one of two values.
//!
//! Exact at each step: its value follows from time alone.

use crate::model::quantities;
use crate::model::{Description, Given, Model, StateMut, StateRef};

/// A pulse that comes again and again.
#[derive(Clone, Copy, Debug)]
pub struct Pulse;

quantities! {
    pub parameters PulseParameters {
        /// Value between pulses
        low: "" = 0.0, -1e12 => 1e12, design, "none";
        /// Value within a pulse
        high: "" = 1.0, -1e12 => 1e12, design, "one";
        /// When the first pulse begins
        begin: "s" = 0.0, 0.0 => 1e9, design, "at once";
        /// How long a pulse lasts
        width: "s" = 10.0, 0.0 => 1e9, design, "assumed";
        /// Time from pulse to pulse; 0 for one pulse alone
        period: "s" = 60.0, 0.0 => 1e9, design, "a minute";
    }
}

quantities! {
    pub states PulseState {
        /// Value
        value: "" = 0.0, -1e15 => 1e15;
    }
}

quantities! {
    pub outputs PulseOutputs {
        /// Value
        value: "", held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Pulse",
    is_program: true,
    about: "A pulse that comes again and again",
    source: "none",
    step: Some(100_000_000),
    parameters: PulseParameters::ALL,
    states: PulseState::ALL,
    outputs: PulseOutputs::ALL,
    ..Description::EMPTY
};

fn value(p: &PulseParameters, secs: f64) -> f64 {
    let passed = secs - p.begin;
    let passed = if passed > 0.0 && p.period > 0.0 { passed % p.period } else { passed };
    if (0.0..p.width).contains(&passed) { p.high } else { p.low }
}

fn now(given: &Given<'_>) -> f64 {
    value(&PulseParameters::of(given.parameters), given.secs())
}

impl Model for Pulse {
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
    fn it_is_high_for_its_width_in_each_period() {
        let p = PulseParameters { low: -1.0, high: 3.0, begin: 5.0, width: 2.0, period: 10.0 };
        let seen = [0.0, 4.9, 5.0, 6.9, 7.0, 14.9, 15.0, 17.0].map(|secs| value(&p, secs));
        assert_eq!(seen, [-1.0, -1.0, 3.0, 3.0, -1.0, -1.0, 3.0, -1.0]);
        assert_eq!(value(&PulseParameters { period: 0.0, ..p }, 15.0), -1.0, "one alone");
    }
}
