//! A switch with hysteresis. In: a measurement, a set point. Out: on or off. Never switches before its minimum time on or
//! off has passed, unless it is not enabled: then it is off at once.
//!
//! On where the measurement is half a band below the set point, off where it is half a band above; turned round for
//! cooling and emptying. Times as of a compressor's relay.

use crate::model::quantities;
use crate::model::{Description, Given, Model, OutputKind, StateMut, StateRef};

/// A switch with hysteresis and minimum times.
#[derive(Clone, Copy, Debug)]
pub struct OnOff;

quantities! {
    pub parameters OnOffParameters {
        /// Width of the band in which nothing is switched
        band: "" = 1.0, 0.0 => 1e9, design, "assumed";
        /// Whether it goes on above the band: 1, as for cooling, or 0
        direct_action: "" = 0.0, 0.0 => 1.0, design, "0: as for heating and filling";
        /// Least time that it stays on
        least_on: "s" = 0.0, 0.0 => 1e6, design, "none";
        /// Least time that it stays off
        least_off: "s" = 0.0, 0.0 => 1e6, design, "none; compressors: 300 s";
        /// Whether it is on at the beginning
        start: "" = 0.0, 0.0 => 1.0, start, "off";
        /// Whether its contact sticks: 1 stuck as it is, or 0
        stuck: "" = 0.0, 0.0 => 1.0, condition, "not";
    }
}

quantities! {
    pub counts OnOffCounts {
        /// Whether it is on
        on;
        /// When it was switched last, ns; what it is at the beginning counts as long since
        since;
        /// How often it was switched
        switched;
    }
}

quantities! {
    pub inputs OnOffInputs {
        /// What is controlled
        measurement: "", last;
        /// What it should be
        set_point: "", last = 0.0;
        /// Whether it may be on
        enabled: "", last = 1.0;
    }
}

quantities! {
    pub outputs OnOffOutputs {
        /// Whether it is on
        on: "" = OutputKind::Flag, held;
        /// How often it was switched
        switched: "", held;
    }
}

static DESCRIPTION: Description = Description {
    name: "OnOff",
    is_program: true,
    about: "A switch with hysteresis and minimum times",
    source: "two-point control",
    step: Some(100_000_000),
    parameters: OnOffParameters::ALL,
    counts: OnOffCounts::ALL,
    inputs: OnOffInputs::ALL,
    outputs: OnOffOutputs::ALL,
    ..Description::EMPTY
};

/// Whether it should be on; `on` as it is.
fn wanted(p: &OnOffParameters, u: &OnOffInputs, on: bool) -> bool {
    let above = if p.direct_action > 0.5 { u.measurement - u.set_point } else { u.set_point - u.measurement };
    if above >= 0.5 * p.band {
        true
    } else if above <= -0.5 * p.band {
        false
    } else {
        on
    }
}

impl Model for OnOff {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let on = u64::from(OnOffParameters::of(given.parameters).start > 0.5);
        OnOffCounts { on, since: 0, switched: 0 }.put(state.counts);
    }

    fn outputs(&self, _: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let c = OnOffCounts::of(state.counts);
        OnOffOutputs { on: c.on as f64, switched: c.switched as f64 }.put(out);
    }

    fn step(&self, given: &Given<'_>, _: f64, state: &mut StateMut<'_>) {
        let (p, u) = (OnOffParameters::of(given.parameters), OnOffInputs::of(given.inputs));
        let mut c = OnOffCounts::of(state.counts);
        let (on, enabled) = (c.on == 1, u.enabled > 0.5);
        let least = if on { p.least_on } else { p.least_off };
        let passed = given.time.saturating_sub(c.since) as f64 / 1e9;
        let free = c.switched == 0 || passed >= least || (on && !enabled);
        let next = enabled && wanted(&p, &u, on);
        if next != on && free && p.stuck <= 0.5 {
            c = OnOffCounts { on: u64::from(next), since: given.time, switched: c.switched + 1 };
        }
        c.put(state.counts);
    }
}
