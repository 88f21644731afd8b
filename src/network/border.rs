//! What stands at the cuts of a [`Subset`](super::Subset) in the place of machines that were left out. In: values from
//! outside. Out: the same to their neighbours, in the same instant. Never in a catalogue: no scene names them.
//!
//! Each takes a new value by an event at once, so that it is a state when flows are solved. A mains would take it at its
//! next step: one step late, and within a step the pressure of a tank moves by more than its nozzle takes.

use super::hydraulics::LEAST_SLOPE;
use crate::model::quantities;
use crate::model::{
    Account, Carriage, Description, Domain, End, Gate, Given, Law, Model, Passage, Plumbing, Port, StateMut, StateRef,
};

/// Any number that something follows.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutsideValue;

/// A body that heat flows to and from, at a temperature from outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutsideBody;

/// Liquid at a pressure and a temperature from outside: comes and goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutsideLiquid;

/// Items that enter as a counter outside goes up.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutsideItems;

/// Items by which a counter may go up at once; more, and any way down, is a counter that was set anew.
const MOST_ITEMS: u64 = 100_000;

quantities! {
    inputs ValueInputs {
        /// The value
        value: "", last = 0.0;
    }
}

quantities! {
    outputs ValueOutputs {
        /// The value
        value: "", direct;
    }
}

quantities! {
    states BodyState {
        /// Temperature
        temperature: "degC" = 20.0, -1e6 => 1e6;
    }
}

quantities! {
    inputs BodyInputs {
        /// Temperature
        temperature: "degC", last = 20.0;
        /// Heat that comes in
        heat: "W", mean = 0.0;
    }
}

quantities! {
    outputs BodyOutputs {
        /// Temperature
        temperature: "degC", held;
        /// Heat that comes in
        heat: "W", direct;
    }
}

quantities! {
    states LiquidState {
        /// Pressure above the atmosphere
        pressure: "Pa" = 0.0, -1e15 => 1e15;
        /// Temperature of what comes in
        temperature: "degC" = 20.0, -1e6 => 1e6;
    }
}

quantities! {
    inputs LiquidInputs {
        /// Pressure above the atmosphere
        pressure: "Pa", last = 0.0;
        /// Temperature of what comes in
        temperature: "degC", last = 20.0;
    }
}

quantities! {
    outputs LiquidOutputs {
        /// Flow into the subset
        flow: "m3/s", direct;
    }
}

quantities! {
    counts ItemsCounts {
        /// What the counter showed
        seen;
        /// Items that came
        came;
        /// Items that wait at the door
        waiting;
    }
}

quantities! {
    inputs ItemsInputs {
        /// Items that have come since some beginning
        count: "", last = 0.0;
    }
}

quantities! {
    outputs ItemsOutputs {
        /// Items that came
        came: "", held;
        /// Items that wait at the door
        waiting: "", held;
    }
}

const EMPTY: Description = Description { source: "none", is_program: true, ..Description::EMPTY };

static VALUE: Description = Description {
    name: "OutsideValue",
    about: "A number from outside",
    inputs: ValueInputs::ALL,
    outputs: ValueOutputs::ALL,
    ..EMPTY
};

static BODY: Description = Description {
    name: "OutsideBody",
    about: "A body at a temperature from outside",
    states: BodyState::ALL,
    inputs: BodyInputs::ALL,
    outputs: BodyOutputs::ALL,
    ports: &[Port {
        name: "body",
        about: "Where heat flows",
        domain: Domain::Heat { temperature: "temperature", flow: "heat" },
        required: true,
    }],
    ..EMPTY
};

static LIQUID: Description = Description {
    name: "OutsideLiquid",
    about: "Liquid at a pressure and a temperature from outside",
    states: LiquidState::ALL,
    inputs: LiquidInputs::ALL,
    outputs: LiquidOutputs::ALL,
    ports: &[Port { name: "liquid", about: "Where it comes and goes", domain: Domain::Fluid, required: true }],
    passages: &[Passage { from: End::Outside, to: End::Port(0) }],
    ..EMPTY
};

static ITEMS: Description = Description {
    name: "OutsideItems",
    about: "Items that enter as a counter outside goes up",
    counts: ItemsCounts::ALL,
    inputs: ItemsInputs::ALL,
    outputs: ItemsOutputs::ALL,
    ports: &[Port { name: "out", about: "Where items leave", domain: Domain::ItemsOut, required: true }],
    ..EMPTY
};

/// A value from outside, cut to its bounds; what is no number leaves what was before.
fn taken(value: f64, before: f64, (low, high): (f64, f64)) -> f64 {
    if value.is_finite() { value.clamp(low, high) } else { before }
}

impl Model for OutsideValue {
    fn description(&self) -> &'static Description {
        &VALUE
    }

    fn outputs(&self, given: &Given<'_>, _: StateRef<'_>, out: &mut [f64]) {
        out[0] = ValueInputs::of(given.inputs).value;
    }
}

impl OutsideBody {
    fn next(given: &Given<'_>, numbers: &[f64]) -> BodyState {
        let before = BodyState::of(numbers).temperature;
        let temperature = taken(BodyInputs::of(given.inputs).temperature, before, BodyState::ALL[0].bounds);
        BodyState { temperature }
    }
}

impl Model for OutsideBody {
    fn description(&self) -> &'static Description {
        &BODY
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        Self::next(given, state.numbers).put(state.numbers);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let heat = BodyInputs::of(given.inputs).heat;
        BodyOutputs { temperature: BodyState::of(state.numbers).temperature, heat }.put(out);
    }

    fn next_event(&self, given: &Given<'_>, state: StateRef<'_>) -> Option<u64> {
        (Self::next(given, state.numbers) != BodyState::of(state.numbers)).then_some(given.time)
    }

    fn event(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        Self::next(given, state.numbers).put(state.numbers);
    }
}

impl OutsideLiquid {
    fn next(given: &Given<'_>, numbers: &[f64]) -> LiquidState {
        let (before, u) = (LiquidState::of(numbers), LiquidInputs::of(given.inputs));
        let [pressure, temperature] = [0, 1].map(|at| LiquidState::ALL[at].bounds);
        LiquidState {
            pressure: taken(u.pressure, before.pressure, pressure),
            temperature: taken(u.temperature, before.temperature, temperature),
        }
    }
}

impl Model for OutsideLiquid {
    fn description(&self) -> &'static Description {
        &LIQUID
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        Self::next(given, state.numbers).put(state.numbers);
    }

    fn outputs(&self, given: &Given<'_>, _: StateRef<'_>, out: &mut [f64]) {
        LiquidOutputs { flow: given.crossings[0].flow }.put(out);
    }

    fn next_event(&self, given: &Given<'_>, state: StateRef<'_>) -> Option<u64> {
        (Self::next(given, state.numbers) != LiquidState::of(state.numbers)).then_some(given.time)
    }

    fn event(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        Self::next(given, state.numbers).put(state.numbers);
    }

    fn law(&self, _: usize, at: &Plumbing<'_>) -> Law {
        Law { rise: LiquidState::of(at.state.numbers).pressure, linear: LEAST_SLOPE, ..Law::OPEN }
    }

    fn carriage(&self, _: usize, at: &Plumbing<'_>) -> Carriage {
        Carriage::Reservoir { temperature: LiquidState::of(at.state.numbers).temperature }
    }
}

impl OutsideItems {
    /// What the counter shows.
    fn shown(given: &Given<'_>, before: u64) -> u64 {
        // A float holds whole numbers up to here.
        taken(ItemsInputs::of(given.inputs).count, before as f64, (0.0, 9e15)) as u64
    }
}

impl Model for OutsideItems {
    fn description(&self) -> &'static Description {
        &ITEMS
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        ItemsCounts { seen: Self::shown(given, 0), came: 0, waiting: 0 }.put(state.counts);
    }

    fn outputs(&self, _: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let c = ItemsCounts::of(state.counts);
        ItemsOutputs { came: c.came as f64, waiting: c.waiting as f64 }.put(out);
    }

    fn next_event(&self, given: &Given<'_>, state: StateRef<'_>) -> Option<u64> {
        let seen = ItemsCounts::of(state.counts).seen;
        (Self::shown(given, seen) != seen).then_some(given.time)
    }

    fn event(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let mut c = ItemsCounts::of(state.counts);
        let shown = Self::shown(given, c.seen);
        let came = shown.checked_sub(c.seen).filter(|more| *more <= MOST_ITEMS).unwrap_or(0);
        c = ItemsCounts { seen: shown, came: c.came + came, waiting: c.waiting + came };
        c.put(state.counts);
    }

    fn offers(&self, _: Gate, _: &Given<'_>, state: StateRef<'_>) -> bool {
        ItemsCounts::of(state.counts).waiting > 0
    }

    fn give(&self, _: Gate, given: &Given<'_>, state: &mut StateMut<'_>) -> u64 {
        let mut c = ItemsCounts::of(state.counts);
        c.waiting -= 1;
        c.put(state.counts);
        given.time
    }

    fn account(&self, _: &Given<'_>, state: StateRef<'_>) -> Account {
        let c = ItemsCounts::of(state.counts);
        Account { items: c.waiting as i64 - c.came as i64, ..Account::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Blueprint, Feed, Machine, Network, Tie, TieKind};

    #[test]
    fn items_enter_as_the_counter_goes_up_and_none_where_it_is_set_anew() {
        let model = crate::model::model("Departures").expect("it is in the catalogue");
        let source = Machine::new("IN", &OutsideItems).fed("count", Feed::Outside(0));
        let tie = Tie { from: (0, "out".into()), to: (1, "in".into()), kind: TieKind::Items };
        let machines = vec![source, Machine::new("OUT", model)];
        let network = Network::build(Blueprint { machines, ties: vec![tie], outside: vec!["n".into()] }).expect("fits");
        let mut work = network.workspace();
        let mut now = network.start(1, &[40.0], &mut work);
        for (count, left) in
            [(40.0, 0.0), (43.0, 3.0), (43.9, 3.0), (f64::NAN, 3.0), (2.0, 3.0), (5.0, 6.0), (1e9, 6.0)]
        {
            now.set_outside(0, count);
            network.refresh(&mut now, &mut work);
            let time = now.time();
            network.advance(&mut now, time, &mut work);
            assert_eq!(now.output(&network, 1, 0), left, "{count}");
        }
    }
}
