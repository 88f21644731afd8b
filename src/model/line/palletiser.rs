//! A palletiser: items to layers, layers to pallets. In: items, a vehicle or a conveyor that takes pallets. Out: pallets,
//! each one item that is called by the time at which it was full; the place of the lift. Never pushes onto a full pallet.
//!
//! The lift sinks by one layer after each push, so that layers are pushed at one height. It lifts m g v / eta; a brake
//! holds what sinks.
//!
//! Its moves are exact, and begin with the first step after what lets them begin.

use crate::model::integrate::move_towards;
use crate::model::quantities;
use crate::model::{
    Account, Carrier, Description, Domain, GRAVITY, Gate, Given, Model, OutputKind, Port, StateMut, StateRef,
};

/// A palletiser with a lift.
#[derive(Clone, Copy, Debug)]
pub struct Palletiser;

quantities! {
    pub parameters PalletiserParameters {
        /// Items in a layer
        items_in_layer: "" = 54.0, 1.0 => 1e4, design, "assumed: 9 by 6";
        /// Layers on a pallet
        layers_on_pallet: "" = 5.0, 1.0 => 100.0, design, "assumed";
        /// Height of a layer
        layer_height: "m" = 0.32, 0.0 => 10.0, design, "assumed";
        /// Height of the lift with an empty pallet
        top: "m" = 1.7, 0.0 => 50.0, design, "assumed";
        /// Speed of the lift
        lift_speed: "m/s" = 0.15, 1e-3 => 10.0, design, "assumed";
        /// Time of a push
        push: "s" = 2.5, 0.0 => 1e4, design, "assumed";
        /// Mass of an item
        item_mass: "kg" = 1.6, 0.0 => 1e4, design, "assumed";
        /// Mass of lift and pallet
        lift_mass: "kg" = 60.0, 0.0 => 1e5, design, "assumed: beyond its counterweight";
        /// Efficiency of the lift
        efficiency: "" = 0.7, 0.05 => 1.0, design, "assumed";
        /// Times slower than it should be
        slowness: "" = 1.0, 0.1 => 100.0, condition, "as it should";
    }
}

quantities! {
    pub states PalletiserState {
        /// Height of the lift
        lift: "m" = 0.0, -1000.0 => 1000.0;
        /// Speed of the lift, upwards
        speed: "m/s" = 0.0, -100.0 => 100.0;
        /// Time in the phase
        time: "s" = 0.0, 0.0 => 1e12;
    }
}

quantities! {
    pub counts PalletiserCounts {
        /// Phase: 0 collecting, 1 pushing, 2 lowering, 3 full, 4 raising
        phase;
        /// Items on the table
        table;
        /// Items on the pallet
        on_pallet;
        /// Layers on the pallet
        layers;
        /// Items on all pallets that left
        packed;
        /// Pallets that left
        pallets;
        /// When the pallet became full, ns
        full_since;
    }
}

quantities! {
    pub inputs PalletiserInputs {
        /// Whether it has power
        power: "", last = 1.0;
    }
}

quantities! {
    pub outputs PalletiserOutputs {
        /// What it does
        phase: "" = OutputKind::Words(&["COLLECTING", "PUSHING", "LOWERING", "FULL", "RAISING"]), held;
        /// Items on the table
        table: "", held;
        /// Layers on the pallet
        layers: "", held;
        /// Pallets that left
        pallets: "", held;
        /// Height of the lift
        lift: "m", held;
        /// Current of the lift's motor
        current: "A", held;
        /// Power from the mains
        power: "W", held;
        /// Whether a full pallet waits
        waiting: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Palletiser",
    about: "A palletiser with a lift",
    source: "work against gravity",
    step: Some(50_000_000),
    parameters: PalletiserParameters::ALL,
    states: PalletiserState::ALL,
    counts: PalletiserCounts::ALL,
    inputs: PalletiserInputs::ALL,
    outputs: PalletiserOutputs::ALL,
    ports: &[
        Port { name: "in", about: "Where items enter", domain: Domain::ItemsIn, required: true },
        Port { name: "out", about: "Where pallets leave", domain: Domain::ItemsOut, required: true },
        Port {
            name: "mains",
            about: "Where it takes power",
            domain: Domain::Taker { carrier: Carrier::Electricity, taken: "power", potential: None },
            required: false,
        },
    ],
    ..Description::EMPTY
};

const COLLECTING: u64 = 0;
const PUSHING: u64 = 1;
const LOWERING: u64 = 2;
const FULL: u64 = 3;
const RAISING: u64 = 4;

/// W from the mains.
fn power(p: &PalletiserParameters, s: &PalletiserState, c: &PalletiserCounts) -> f64 {
    let mass = p.lift_mass + p.item_mass * c.on_pallet as f64;
    let lifting = if s.speed > 0.0 { mass * GRAVITY * s.speed / p.efficiency } else { 250.0 * -s.speed };
    let pushing = if c.phase == PUSHING { 800.0 } else { 0.0 };
    200.0 + lifting + pushing
}

impl Model for Palletiser {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        state.numbers[0] = PalletiserParameters::of(given.parameters).top;
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let p = PalletiserParameters::of(given.parameters);
        let (s, c) = (PalletiserState::of(state.numbers), PalletiserCounts::of(state.counts));
        let power = power(&p, &s, &c);
        PalletiserOutputs {
            phase: c.phase as f64,
            table: c.table as f64,
            layers: c.layers as f64,
            pallets: c.pallets as f64,
            lift: s.lift,
            current: power / (3f64.sqrt() * 400.0 * 0.75),
            power,
            waiting: f64::from(u8::from(c.phase == FULL)),
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let p = PalletiserParameters::of(given.parameters);
        let (mut s, mut c) = (PalletiserState::of(state.numbers), PalletiserCounts::of(state.counts));
        if PalletiserInputs::of(given.inputs).power <= 0.5 {
            s.speed = 0.0;
            s.put(state.numbers);
            return;
        }
        s.time += dt / p.slowness;
        let target = p.top - c.layers as f64 * p.layer_height;
        let before = s.lift;
        s.lift = move_towards(s.lift, target, p.lift_speed / p.slowness, dt);
        s.speed = (s.lift - before) / dt;
        let arrived = (s.lift - target).abs() < 1e-9;
        let layer = p.items_in_layer as u64;
        let next = match c.phase {
            COLLECTING if c.table >= layer => PUSHING,
            PUSHING if s.time >= p.push => {
                c.on_pallet += c.table;
                (c.table, c.layers) = (0, c.layers + 1);
                LOWERING
            }
            LOWERING if arrived && c.layers as f64 >= p.layers_on_pallet.floor() => {
                c.full_since = given.time;
                FULL
            }
            LOWERING | RAISING if arrived => COLLECTING,
            same => same,
        };
        if next != c.phase {
            (c.phase, s.time) = (next, 0.0);
        }
        s.put(state.numbers);
        c.put(state.counts);
    }

    fn accepts(&self, _: Gate, given: &Given<'_>, state: StateRef<'_>) -> bool {
        let (p, c) = (PalletiserParameters::of(given.parameters), PalletiserCounts::of(state.counts));
        // Nothing comes onto the table while its items are pushed.
        c.phase != PUSHING && (c.table as f64) < p.items_in_layer.floor()
    }

    fn take(&self, _: Gate, _: u64, _: &Given<'_>, state: &mut StateMut<'_>) {
        let mut c = PalletiserCounts::of(state.counts);
        c.table += 1;
        c.put(state.counts);
    }

    fn offers(&self, _: Gate, _: &Given<'_>, state: StateRef<'_>) -> bool {
        PalletiserCounts::of(state.counts).phase == FULL
    }

    fn give(&self, _: Gate, _: &Given<'_>, state: &mut StateMut<'_>) -> u64 {
        let mut c = PalletiserCounts::of(state.counts);
        c.packed += c.on_pallet;
        (c.on_pallet, c.layers, c.phase) = (0, 0, RAISING);
        c.pallets += 1;
        c.put(state.counts);
        c.full_since
    }

    fn account(&self, _: &Given<'_>, state: StateRef<'_>) -> Account {
        let c = PalletiserCounts::of(state.counts);
        // Items on pallets are finished; each pallet that left was made here.
        let items = (c.table + c.on_pallet + c.packed) as i64 - c.pallets as i64;
        Account { items, ..Account::default() }
    }
}
