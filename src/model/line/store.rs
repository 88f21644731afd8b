//! Where items are put away. In: items that are called by the time at which they were made. Out: how many there are, how
//! old they were when they came. Never takes more than it has room for.

use crate::model::quantities;
use crate::model::{Account, Description, Domain, Gate, Given, Model, OutputKind, Port, StateMut, StateRef};

/// A store with room for some items.
#[derive(Clone, Copy, Debug)]
pub struct Store;

quantities! {
    pub parameters StoreParameters {
        /// Items for which there is room
        room: "" = 1e9, 0.0 => 1e12, design, "as good as endless";
        /// Items at the beginning
        start: "" = 0.0, 0.0 => 1e12, start, "none";
    }
}

quantities! {
    pub counts StoreCounts {
        /// Items inside
        inside;
        /// Items that came
        came;
        /// The sum of their ages when they came, ms
        ages;
    }
}

quantities! {
    pub outputs StoreOutputs {
        /// Items inside
        inside: "", held;
        /// Items that came
        came: "", held;
        /// Mean age of an item when it came
        mean_age: "s", held;
        /// Whether there is no room
        full: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Store",
    about: "A store with room for some items",
    source: "none",
    parameters: StoreParameters::ALL,
    counts: StoreCounts::ALL,
    outputs: StoreOutputs::ALL,
    ports: &[Port { name: "in", about: "Where items enter", domain: Domain::ItemsIn, required: true }],
    ..Description::EMPTY
};

fn has_room(given: &Given<'_>, c: &StoreCounts) -> bool {
    (c.inside as f64) < StoreParameters::of(given.parameters).room.floor()
}

impl Model for Store {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        StoreCounts { inside: StoreParameters::of(given.parameters).start as u64, came: 0, ages: 0 }.put(state.counts);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let c = StoreCounts::of(state.counts);
        StoreOutputs {
            inside: c.inside as f64,
            came: c.came as f64,
            mean_age: if c.came > 0 { c.ages as f64 / c.came as f64 / 1e3 } else { 0.0 },
            full: f64::from(u8::from(!has_room(given, &c))),
        }
        .put(out);
    }

    fn accepts(&self, _: Gate, given: &Given<'_>, state: StateRef<'_>) -> bool {
        has_room(given, &StoreCounts::of(state.counts))
    }

    fn take(&self, _: Gate, item: u64, given: &Given<'_>, state: &mut StateMut<'_>) {
        let mut c = StoreCounts::of(state.counts);
        c.inside += 1;
        c.came += 1;
        c.ages = c.ages.saturating_add(given.time.saturating_sub(item) / 1_000_000);
        c.put(state.counts);
    }

    fn account(&self, _: &Given<'_>, state: StateRef<'_>) -> Account {
        Account { items: StoreCounts::of(state.counts).inside as i64, ..Account::default() }
    }
}
