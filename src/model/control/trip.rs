//! A trip and interlock. In: a value, a reset, a bypass. Out: whether it has tripped, whether the machine may run. Never
//! lets go by itself where it latches: somebody resets it, after the value came back.
//!
//! It trips when the value lies beyond a limit for longer than the delay. A reset counts when it becomes true, so that a
//! button that is held does nothing (IEC 60204-1: a reset must not start anything by itself). A bypass keeps it from
//! tripping, not from remembering.

use crate::model::quantities;
use crate::model::{Description, Given, Model, OutputKind, StateMut, StateRef};

/// A limit that stops a machine until somebody resets it.
#[derive(Clone, Copy, Debug)]
pub struct Trip;

quantities! {
    pub parameters TripParameters {
        /// Trips above this
        high: "" = 1e12, -1e12 => 1e12, design, "none";
        /// Trips below this
        low: "" = -1e12, -1e12 => 1e12, design, "none";
        /// How far the value must come back before it counts as well
        dead_band: "" = 0.0, 0.0 => 1e12, design, "none";
        /// Time beyond a limit after which it trips
        delay: "s" = 0.0, 0.0 => 1e6, design, "at once";
        /// Whether it stays tripped until it is reset: 1, or 0
        latching: "" = 1.0, 0.0 => 1.0, design, "IEC 61511: trips are reset by hand";
        /// Whether it has failed to danger: 1 never trips, or 0
        failed: "" = 0.0, 0.0 => 1.0, condition, "works";
    }
}

quantities! {
    pub counts TripCounts {
        /// Whether it has tripped
        tripped;
        /// Time beyond a limit, ns
        beyond;
        /// Whether the reset was true in the step before
        reset;
        /// How often it has tripped
        trips;
        /// Whether the value lay beyond a limit and has not come back by the dead band
        bad;
    }
}

quantities! {
    pub inputs TripInputs {
        /// What is watched
        value: "", last;
        /// Lets go when it becomes true
        reset: "", last = 0.0;
        /// Keeps it from tripping while true
        bypass: "", last = 0.0;
    }
}

quantities! {
    pub outputs TripOutputs {
        /// Whether it has tripped
        tripped: "" = OutputKind::Flag, held;
        /// Whether the machine may run: for its power or its enabling input
        permit: "" = OutputKind::Flag, held;
        /// Whether the value lies beyond a limit
        beyond: "" = OutputKind::Flag, held;
        /// How often it has tripped
        trips: "", held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Trip",
    is_program: true,
    about: "A limit that stops a machine until somebody resets it",
    source: "IEC 61511; IEC 60204-1",
    step: Some(100_000_000),
    parameters: TripParameters::ALL,
    counts: TripCounts::ALL,
    inputs: TripInputs::ALL,
    outputs: TripOutputs::ALL,
    ..Description::EMPTY
};

impl Model for Trip {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn outputs(&self, _: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let c = TripCounts::of(state.counts);
        TripOutputs {
            tripped: c.tripped as f64,
            permit: 1.0 - c.tripped as f64,
            beyond: c.bad as f64,
            trips: c.trips as f64,
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, u) = (TripParameters::of(given.parameters), TripInputs::of(given.inputs));
        let mut c = TripCounts::of(state.counts);
        let back = if c.bad == 1 { p.dead_band } else { 0.0 };
        let bad = u.value > p.high - back || u.value < p.low + back;
        let passed = (dt * 1e9).round() as u64;
        c.beyond = if bad { c.beyond.saturating_add(passed) } else { 0 };
        c.bad = u64::from(bad);
        // The value was beyond for the whole of the step at whose end it is seen again.
        let over = bad && c.beyond as f64 / 1e9 > p.delay + 1e-9;
        let pressed = u.reset > 0.5;
        let reset = pressed && c.reset == 0;
        c.reset = u64::from(pressed);
        if c.tripped == 1 && !bad && (reset || p.latching <= 0.5) {
            c.tripped = 0;
        } else if c.tripped == 0 && over && u.bypass <= 0.5 && p.failed <= 0.5 {
            (c.tripped, c.trips) = (1, c.trips + 1);
        }
        c.put(state.counts);
    }
}
