//! A rotary rinser. In: bottles, water, a speed. Out: rinsed bottles, water used. Never lets water run while it stands.
//!
//! Water: Q = Q_n open sqrt(p / p_n) through all nozzles (Torricelli), which open while the ring turns. Each bottle rides
//! around the ring once.
//!
//! Its turning is exact between events; the valve moves from the first step on that finds it turning.

use super::carousel::Carousel;
use crate::model::integrate::{approach, move_towards};
use crate::model::quantities;
use crate::model::{
    Account, Carrier, Description, Domain, End, Gate, Given, Law, Model, OutputKind, Passage, Plumbing, Port, StateMut,
    StateRef,
};

/// A rotary rinser.
#[derive(Clone, Copy, Debug)]
pub struct Rinser;

quantities! {
    pub parameters RinserParameters {
        /// Pockets on which bottles ride
        pockets: "" = 16.0, 1.0 => 200.0, design, "assumed";
        /// Bottles in a second at full command
        rate: "Hz" = 1.3, 1e-3 => 50.0, design, "assumed: a little faster than the filler";
        /// Time to full speed
        run_up: "s" = 1.5, 0.01 => 100.0, design, "assumed";
        /// Flow through all nozzles at rated pressure
        rated_flow: "m3/s" = 0.25e-3, 1e-7 => 1.0, design, "assumed";
        /// Rated pressure at the inlet
        rated_pressure: "Pa" = 2.5e5, 1e3 => 1e7, design, "assumed";
        /// Power at full speed
        drive_power: "W" = 550.0, 0.0 => 1e6, design, "assumed";
        /// Share of nozzles that lime has shut
        clogging: "" = 0.0, 0.0 => 0.99, condition, "none";
    }
}

quantities! {
    pub states RinserState {
        /// Share of its full speed
        speed: "" = 0.0, 0.0 => 2.0;
        /// Way of the running pocket
        turned: "" = 0.0, 0.0 => 1.0;
        /// How far nozzles are open
        open: "" = 0.0, 0.0 => 1.0;
        /// Water used since the start
        used: "m3" = 0.0, 0.0 => 1e12;
    }
}

quantities! {
    pub counts RinserCounts {
        /// When the way of the running pocket was noted, ns
        at;
        /// Whether a bottle waits at the inlet
        inlet;
        /// Whether a bottle waits at the outlet
        outlet;
        /// Bottles that were rinsed
        rinsed;
    }
}

quantities! {
    pub inputs RinserInputs {
        /// Speed that it is told, as a share of its full one
        speed: "", last = 1.0;
        /// Whether its drive has power
        power: "", last = 1.0;
    }
}

quantities! {
    pub outputs RinserOutputs {
        /// Bottles in a second that its ring could carry
        rate: "Hz", held;
        /// Bottles on it
        inside: "", held;
        /// Bottles that were rinsed
        rinsed: "", held;
        /// Flow of water
        flow: "m3/s", direct;
        /// Pressure at the inlet, above the atmosphere
        pressure: "Pa", direct;
        /// Water used since the start
        used: "m3", held;
        /// Power from the mains
        power: "W", held;
        /// Whether a bottle waits at its outlet
        blocked: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Rinser",
    about: "A rotary rinser",
    source: "Torricelli",
    step: Some(100_000_000),
    parameters: RinserParameters::ALL,
    states: RinserState::ALL,
    counts: RinserCounts::ALL,
    inputs: RinserInputs::ALL,
    outputs: RinserOutputs::ALL,
    ports: &[
        Port { name: "inlet", about: "Where water enters", domain: Domain::Fluid, required: false },
        Port { name: "in", about: "Where bottles enter", domain: Domain::ItemsIn, required: true },
        Port { name: "out", about: "Where bottles leave", domain: Domain::ItemsOut, required: true },
        Port {
            name: "mains",
            about: "Where it takes power",
            domain: Domain::Taker { carrier: Carrier::Electricity, taken: "power", potential: None },
            required: false,
        },
    ],
    passages: &[Passage { from: End::Port(0), to: End::Outside }],
    ..Description::EMPTY
};

fn ring(p: &RinserParameters, s: &RinserState, c: &RinserCounts) -> Carousel {
    Carousel { turned: s.turned, at: c.at, rate: p.rate * s.speed, inlet: c.inlet, outlet: c.outlet }
}

/// Acts on the ring of a state.
fn with<R>(
    given: &Given<'_>,
    state: &mut StateMut<'_>,
    act: impl FnOnce(&mut Carousel, &mut RinserCounts, &mut std::collections::VecDeque<u64>) -> R,
) -> R {
    let p = RinserParameters::of(given.parameters);
    let (mut s, mut c) = (RinserState::of(state.numbers), RinserCounts::of(state.counts));
    let mut ring = ring(&p, &s, &c);
    let result = act(&mut ring, &mut c, state.queue);
    s.turned = ring.turned;
    (c.at, c.inlet, c.outlet) = (ring.at, ring.inlet, ring.outlet);
    s.put(state.numbers);
    c.put(state.counts);
    result
}

impl Model for Rinser {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        Carousel::fill(state.queue, RinserParameters::of(given.parameters).pockets);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let p = RinserParameters::of(given.parameters);
        let (s, c) = (RinserState::of(state.numbers), RinserCounts::of(state.counts));
        RinserOutputs {
            rate: p.rate * s.speed,
            inside: ring(&p, &s, &c).items(state.queue) as f64,
            rinsed: c.rinsed as f64,
            flow: given.crossings[0].flow,
            pressure: given.crossings[0].from_pressure,
            used: s.used,
            power: 150.0 + p.drive_power * s.speed,
            blocked: c.outlet as f64,
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, u) = (RinserParameters::of(given.parameters), RinserInputs::of(given.inputs));
        let ring = with(given, state, |ring, _, _| {
            ring.catch_up(given.time);
            *ring
        });
        let mut s = RinserState::of(state.numbers);
        s.used += dt * given.crossings[0].flow;
        let wanted = if u.power > 0.5 && !ring.is_blocked() { u.speed.clamp(0.0, 1.5) } else { 0.0 };
        s.speed = move_towards(s.speed, wanted, 1.0 / p.run_up, dt);
        if ring.is_blocked() && ring.turned >= 1.0 {
            s.speed = 0.0;
        }
        s.open = approach(s.open, if s.speed > 0.05 { 1.0 } else { 0.0 }, 0.3, dt);
        s.put(state.numbers);
    }

    fn next_event(&self, given: &Given<'_>, state: StateRef<'_>) -> Option<u64> {
        let p = RinserParameters::of(given.parameters);
        ring(&p, &RinserState::of(state.numbers), &RinserCounts::of(state.counts)).next(given.time, true)
    }

    fn event(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        with(given, state, |ring, c, queue| {
            if let Some(bottle) = ring.arrive(given.time, true, queue) {
                ring.put_out(bottle, queue);
                c.rinsed += 1;
            }
        });
    }

    fn law(&self, _: usize, at: &Plumbing<'_>) -> Law {
        let (p, s) = (RinserParameters::of(at.parameters), RinserState::of(at.state.numbers));
        let flow = p.rated_flow * s.open * (1.0 - p.clogging);
        if s.open < 1e-3 {
            return Law::CLOSED;
        }
        Law { quadratic: p.rated_pressure / (flow * flow), forwards: f64::INFINITY, ..Law::CLOSED }
    }

    fn accepts(&self, _: Gate, _: &Given<'_>, state: StateRef<'_>) -> bool {
        RinserCounts::of(state.counts).inlet == 0
    }

    fn take(&self, _: Gate, item: u64, given: &Given<'_>, state: &mut StateMut<'_>) {
        with(given, state, |ring, _, queue| ring.take(item, queue));
    }

    fn offers(&self, _: Gate, _: &Given<'_>, state: StateRef<'_>) -> bool {
        RinserCounts::of(state.counts).outlet > 0
    }

    fn give(&self, _: Gate, given: &Given<'_>, state: &mut StateMut<'_>) -> u64 {
        with(given, state, |ring, _, queue| ring.give(queue))
    }

    fn account(&self, given: &Given<'_>, state: StateRef<'_>) -> Account {
        let p = RinserParameters::of(given.parameters);
        let ring = ring(&p, &RinserState::of(state.numbers), &RinserCounts::of(state.counts));
        Account { items: ring.items(state.queue) as i64, ..Account::default() }
    }
}
