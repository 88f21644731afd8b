//! Where items go. In: items that are called by the time at which they came. Out: how many there were and how long they
//! stayed.

use crate::model::quantities;
use crate::model::{Account, Description, Domain, Gate, Given, Model, Port, StateMut, StateRef};

/// The end of all ways.
#[derive(Clone, Copy, Debug)]
pub struct Departures;

quantities! {
    pub counts DeparturesCounts {
        /// Items that left
        left;
        /// The sum of their stays, ns
        stayed;
    }
}

quantities! {
    pub outputs DeparturesOutputs {
        /// Items that left
        left: "", held;
        /// Mean time from coming to leaving
        mean_stay: "s", held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Departures",
    about: "Where items leave the simulated world",
    source: "none",
    counts: DeparturesCounts::ALL,
    outputs: DeparturesOutputs::ALL,
    ports: &[Port { name: "in", about: "Where items enter", domain: Domain::ItemsIn, required: true }],
    ..Description::EMPTY
};

impl Model for Departures {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn outputs(&self, _: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let c = DeparturesCounts::of(state.counts);
        let mean_stay = if c.left > 0 { c.stayed as f64 / c.left as f64 / 1e9 } else { 0.0 };
        DeparturesOutputs { left: c.left as f64, mean_stay }.put(out);
    }

    fn accepts(&self, _: Gate, _: &Given<'_>, _: StateRef<'_>) -> bool {
        true
    }

    fn take(&self, _: Gate, item: u64, given: &Given<'_>, state: &mut StateMut<'_>) {
        let mut c = DeparturesCounts::of(state.counts);
        c.left += 1;
        c.stayed += given.time.saturating_sub(item);
        c.put(state.counts);
    }

    fn account(&self, _: &Given<'_>, state: StateRef<'_>) -> Account {
        Account { items: DeparturesCounts::of(state.counts).left as i64, ..Account::default() }
    }
}
