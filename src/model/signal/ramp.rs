//! A ramp. In: time. Out: a start value, from a moment on a line to an end value, then that. Where it has a period it
//! begins anew after it, as a saw tooth.
//!
//! Exact at each step: its value follows from time alone.

use crate::model::quantities;
use crate::model::{Description, Given, Model, StateMut, StateRef};

/// A line from one value to another.
#[derive(Clone, Copy, Debug)]
pub struct Ramp;

quantities! {
    pub parameters RampParameters {
        /// Value before
        from: "" = 0.0, -1e12 => 1e12, design, "none";
        /// Value after
        to: "" = 1.0, -1e12 => 1e12, design, "one";
        /// When it begins to move
        begin: "s" = 0.0, 0.0 => 1e9, design, "at once";
        /// How long it moves
        duration: "s" = 60.0, 0.0 => 1e9, design, "a minute";
        /// Time after which all begins anew; 0 for never
        period: "s" = 0.0, 0.0 => 1e9, design, "never";
    }
}

quantities! {
    pub states RampState {
        /// Value
        value: "" = 0.0, -1e15 => 1e15;
    }
}

quantities! {
    pub outputs RampOutputs {
        /// Value
        value: "", held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Ramp",
    is_program: true,
    about: "A line from one value to another",
    source: "none",
    step: Some(100_000_000),
    parameters: RampParameters::ALL,
    states: RampState::ALL,
    outputs: RampOutputs::ALL,
    ..Description::EMPTY
};

fn value(p: &RampParameters, secs: f64) -> f64 {
    let secs = if p.period > 0.0 { secs % p.period } else { secs };
    let passed = secs - p.begin;
    if passed < 0.0 {
        p.from
    } else if passed >= p.duration {
        p.to
    } else {
        p.from + (p.to - p.from) * passed / p.duration
    }
}

fn now(given: &Given<'_>) -> f64 {
    value(&RampParameters::of(given.parameters), given.secs())
}

impl Model for Ramp {
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
    fn it_waits_moves_stays_and_begins_anew() {
        let p = RampParameters { from: 2.0, to: 6.0, begin: 10.0, duration: 20.0, period: 0.0 };
        for (secs, wanted) in [(0.0, 2.0), (10.0, 2.0), (15.0, 3.0), (30.0, 6.0), (1e6, 6.0)] {
            assert_eq!(value(&p, secs), wanted, "after {secs} s");
        }
        let saw = RampParameters { begin: 0.0, period: 20.0, ..p };
        assert_eq!((value(&saw, 45.0), value(&saw, 40.0)), (3.0, 2.0));
        assert_eq!(value(&RampParameters { duration: 0.0, ..p }, 10.0), 6.0, "a jump");
    }
}
