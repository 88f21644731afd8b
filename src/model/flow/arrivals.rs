//! Where items come from. In: a rate. Out: items, each called by the time at which it came, in nanoseconds. An item that
//! nobody takes waits at the door.
//!
//! Gaps are exponential, so that items come as a Poisson process (Kleinrock, "Queueing Systems" 1, 1975, ch. 2), or all
//! alike. A change of the rate counts from the next gap on.

use crate::model::quantities;
use crate::model::{Account, Description, Domain, Gate, Given, Model, Port, StateMut, StateRef};

/// Items that come at a rate.
#[derive(Clone, Copy, Debug)]
pub struct Arrivals;

quantities! {
    pub parameters ArrivalsParameters {
        /// Mean items in a second
        rate: "Hz" = 0.1, 0.0 => 1e6, design, "assumed";
        /// Share of chance in the gaps: 1 for a Poisson process, 0 for equal gaps
        chance: "" = 1.0, 0.0 => 1.0, design, "Kleinrock, Queueing Systems 1";
    }
}

quantities! {
    pub counts ArrivalsCounts {
        /// Items that came
        came;
        /// When the next one comes, ns
        next;
        /// Items that wait at the door
        waiting;
    }
}

quantities! {
    pub outputs ArrivalsOutputs {
        /// Items that came
        came: "", held;
        /// Items that wait at the door
        waiting: "", held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Arrivals",
    about: "Items that come at a rate, by chance or evenly",
    source: "Kleinrock, Queueing Systems 1, ch. 2",
    parameters: ArrivalsParameters::ALL,
    counts: ArrivalsCounts::ALL,
    outputs: ArrivalsOutputs::ALL,
    ports: &[Port { name: "out", about: "Where items leave", domain: Domain::ItemsOut, required: true }],
    draws: &["gap"],
    ..Description::EMPTY
};

/// ns to the next item, the `number`th.
fn gap(given: &Given<'_>, number: u64) -> u64 {
    let p = ArrivalsParameters::of(given.parameters);
    if p.rate <= 0.0 {
        return u64::MAX / 4;
    }
    let drawn = given.draws.of(0).exponential(number);
    ((p.chance * drawn + 1.0 - p.chance) / p.rate * 1e9) as u64
}

impl Model for Arrivals {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        ArrivalsCounts { came: 0, next: gap(given, 0), waiting: 0 }.put(state.counts);
    }

    fn outputs(&self, _: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let c = ArrivalsCounts::of(state.counts);
        ArrivalsOutputs { came: c.came as f64, waiting: c.waiting as f64 }.put(out);
    }

    fn next_event(&self, _: &Given<'_>, state: StateRef<'_>) -> Option<u64> {
        Some(ArrivalsCounts::of(state.counts).next)
    }

    fn event(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let mut c = ArrivalsCounts::of(state.counts);
        state.queue.push_back(c.next);
        c.came += 1;
        c.waiting += 1;
        // At least one nanosecond on, so that time goes on at any rate.
        c.next = c.next.saturating_add(gap(given, c.came).max(1));
        c.put(state.counts);
    }

    fn offers(&self, _: Gate, _: &Given<'_>, state: StateRef<'_>) -> bool {
        !state.queue.is_empty()
    }

    fn give(&self, _: Gate, _: &Given<'_>, state: &mut StateMut<'_>) -> u64 {
        let mut c = ArrivalsCounts::of(state.counts);
        c.waiting -= 1;
        c.put(state.counts);
        state.queue.pop_front().unwrap_or_default()
    }

    fn account(&self, _: &Given<'_>, state: StateRef<'_>) -> Account {
        let c = ArrivalsCounts::of(state.counts);
        Account { items: c.waiting as i64 - c.came as i64, ..Account::default() }
    }
}
