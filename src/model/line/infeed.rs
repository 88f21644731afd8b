//! Where items come from as fast as they are taken. In: a rate, a run flag. Out: items, each called by the time at which
//! it was ready, in nanoseconds. Never has more than one ready.

use crate::model::quantities;
use crate::model::{Account, Description, Domain, Gate, Given, Model, OutputKind, Port, StateMut, StateRef};

/// A stock without end, such as a depalletiser with pallets enough.
#[derive(Clone, Copy, Debug)]
pub struct Infeed;

quantities! {
    pub parameters InfeedParameters {
        /// Items in a second, at most
        rate: "Hz" = 1.5, 0.0 => 20.0, design, "assumed";
        /// Share of the rate that is left
        health: "" = 1.0, 0.0 => 1.0, condition, "all";
    }
}

quantities! {
    pub counts InfeedCounts {
        /// Items that were made ready
        made;
        /// Whether one is ready
        ready;
        /// Work on the next one, in millionths
        work;
    }
}

quantities! {
    pub inputs InfeedInputs {
        /// Whether it works
        run: "", last = 1.0;
    }
}

quantities! {
    pub outputs InfeedOutputs {
        /// Items that left
        given: "", held;
        /// Whether one is ready and nobody takes it
        ready: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Infeed",
    about: "A stock without end that gives items up to a rate",
    source: "none",
    step: Some(50_000_000),
    parameters: InfeedParameters::ALL,
    counts: InfeedCounts::ALL,
    inputs: InfeedInputs::ALL,
    outputs: InfeedOutputs::ALL,
    ports: &[Port { name: "out", about: "Where items leave", domain: Domain::ItemsOut, required: true }],
    ..Description::EMPTY
};

const WHOLE: u64 = 1_000_000;

impl Model for Infeed {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn outputs(&self, _: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let c = InfeedCounts::of(state.counts);
        InfeedOutputs { given: (c.made - c.ready) as f64, ready: c.ready as f64 }.put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, u) = (InfeedParameters::of(given.parameters), InfeedInputs::of(given.inputs));
        let mut c = InfeedCounts::of(state.counts);
        if u.run > 0.5 && c.ready == 0 {
            c.work += (p.rate * p.health * dt * WHOLE as f64).round() as u64;
            if c.work >= WHOLE {
                // What is over counts for the next one, up to one item: it makes one in a step at most.
                c.work = (c.work - WHOLE).min(WHOLE);
                c.ready = 1;
                c.made += 1;
                state.queue.push_back(given.time);
            }
        }
        c.put(state.counts);
    }

    fn offers(&self, _: Gate, _: &Given<'_>, state: StateRef<'_>) -> bool {
        InfeedCounts::of(state.counts).ready > 0
    }

    fn give(&self, _: Gate, _: &Given<'_>, state: &mut StateMut<'_>) -> u64 {
        let mut c = InfeedCounts::of(state.counts);
        c.ready = 0;
        c.put(state.counts);
        state.queue.pop_front().unwrap_or_default()
    }

    fn account(&self, _: &Given<'_>, state: StateRef<'_>) -> Account {
        let c = InfeedCounts::of(state.counts);
        Account { items: c.ready as i64 - c.made as i64, ..Account::default() }
    }
}
