//! A labeller with a reel. In: bottles, a speed. Out: labelled bottles, rejects, labels that are left. Never lets a bottle
//! pass without a label: an empty reel holds its ring until a new one is in.
//!
//! Its turning is exact between events.

use super::carousel::Carousel;
use crate::model::integrate::move_towards;
use crate::model::quantities;
use crate::model::{Account, Carrier, Description, Domain, Gate, Given, Model, OutputKind, Port, StateMut, StateRef};

/// A rotary labeller with a reel.
#[derive(Clone, Copy, Debug)]
pub struct Labeller;

quantities! {
    pub parameters LabellerParameters {
        /// Pockets on which bottles ride
        pockets: "" = 8.0, 1.0 => 200.0, design, "assumed";
        /// Bottles in a second at full command
        rate: "Hz" = 1.4, 1e-3 => 50.0, design, "assumed";
        /// Time to full speed
        run_up: "s" = 1.0, 0.01 => 100.0, design, "assumed";
        /// Labels on a new reel
        reel: "" = 4000.0, 1.0 => 1e6, design, "assumed";
        /// Labels on the first reel
        start_labels: "" = 1450.0, 0.0 => 1e6, start, "assumed";
        /// Time that a change of the reel takes
        change: "s" = 14.0, 0.0 => 1e5, design, "assumed";
        /// Power at full speed
        drive_power: "W" = 400.0, 0.0 => 1e6, design, "assumed";
        /// Share of labels that are put on askew
        askew: "" = 0.002, 0.0 => 1.0, condition, "assumed";
        /// Whether somebody brings new reels: 1, or 0
        service: "" = 1.0, 0.0 => 1.0, condition, "somebody does";
    }
}

quantities! {
    pub states LabellerState {
        /// Share of its full speed
        speed: "" = 0.0, 0.0 => 2.0;
        /// Way of the running pocket
        turned: "" = 0.0, 0.0 => 1.0;
        /// Time since the reel ran empty
        changing: "s" = 0.0, 0.0 => 1e12;
    }
}

quantities! {
    pub counts LabellerCounts {
        /// When the way of the running pocket was noted, ns
        at;
        /// Whether a bottle waits at the inlet
        inlet;
        /// Whether a bottle waits at the outlet
        outlet;
        /// Labels that are left
        labels;
        /// Bottles that were labelled
        labelled;
        /// Bottles that were rejected
        rejected;
        /// Rejected bottles in the bin
        bin;
        /// Reels that were changed
        reels;
    }
}

quantities! {
    pub inputs LabellerInputs {
        /// Speed that it is told, as a share of its full one
        speed: "", last = 1.0;
        /// Whether its drive has power
        power: "", last = 1.0;
    }
}

quantities! {
    pub outputs LabellerOutputs {
        /// Bottles in a second that its ring could carry
        rate: "Hz", held;
        /// Bottles on it
        inside: "", held;
        /// Labels that are left
        labels: "", held;
        /// Bottles that were labelled
        labelled: "", held;
        /// Bottles that were rejected
        rejected: "", held;
        /// Reels that were changed
        reels: "", held;
        /// Power from the mains
        power: "W", held;
        /// Whether it waits for a reel
        empty: "" = OutputKind::Flag, held;
        /// Whether a bottle waits at its outlet
        blocked: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Labeller",
    about: "A rotary labeller with a reel",
    source: "none",
    step: Some(50_000_000),
    parameters: LabellerParameters::ALL,
    states: LabellerState::ALL,
    counts: LabellerCounts::ALL,
    inputs: LabellerInputs::ALL,
    outputs: LabellerOutputs::ALL,
    ports: &[
        Port { name: "in", about: "Where bottles enter", domain: Domain::ItemsIn, required: true },
        Port { name: "out", about: "Where labelled bottles leave", domain: Domain::ItemsOut, required: true },
        Port { name: "rejects", about: "Where rejected bottles leave", domain: Domain::ItemsOut, required: false },
        Port {
            name: "mains",
            about: "Where it takes power",
            domain: Domain::Taker { carrier: Carrier::Electricity, taken: "power", potential: None },
            required: false,
        },
    ],
    draws: &["askew"],
    ..Description::EMPTY
};

const OUT: usize = 1;

fn ring(p: &LabellerParameters, s: &LabellerState, c: &LabellerCounts) -> Carousel {
    Carousel { turned: s.turned, at: c.at, rate: p.rate * s.speed, inlet: c.inlet, outlet: c.outlet }
}

/// Acts on the ring of a state.
fn with<R>(
    given: &Given<'_>,
    state: &mut StateMut<'_>,
    act: impl FnOnce(&mut Carousel, &mut LabellerCounts, &mut std::collections::VecDeque<u64>) -> R,
) -> R {
    let p = LabellerParameters::of(given.parameters);
    let (mut s, mut c) = (LabellerState::of(state.numbers), LabellerCounts::of(state.counts));
    let mut ring = ring(&p, &s, &c);
    let result = act(&mut ring, &mut c, state.queue);
    s.turned = ring.turned;
    (c.at, c.inlet, c.outlet) = (ring.at, ring.inlet, ring.outlet);
    s.put(state.numbers);
    c.put(state.counts);
    result
}

impl Model for Labeller {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let p = LabellerParameters::of(given.parameters);
        Carousel::fill(state.queue, p.pockets);
        state.counts[3] = p.start_labels as u64;
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let p = LabellerParameters::of(given.parameters);
        let (s, c) = (LabellerState::of(state.numbers), LabellerCounts::of(state.counts));
        LabellerOutputs {
            rate: p.rate * s.speed,
            inside: ring(&p, &s, &c).items(state.queue) as f64,
            labels: c.labels as f64,
            labelled: c.labelled as f64,
            rejected: c.rejected as f64,
            reels: c.reels as f64,
            power: 220.0 + p.drive_power * s.speed,
            empty: f64::from(u8::from(c.labels == 0)),
            blocked: c.outlet as f64,
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, u) = (LabellerParameters::of(given.parameters), LabellerInputs::of(given.inputs));
        let ring = with(given, state, |ring, _, _| {
            ring.catch_up(given.time);
            *ring
        });
        let (mut s, mut c) = (LabellerState::of(state.numbers), LabellerCounts::of(state.counts));
        if c.labels > 0 {
            s.changing = 0.0;
        } else if p.service > 0.5 {
            s.changing += dt;
            if s.changing + 1e-9 >= p.change {
                (c.labels, c.reels, s.changing) = (p.reel as u64, c.reels + 1, 0.0);
            }
        }
        let held = ring.is_blocked() || c.labels == 0;
        let wanted = if u.power > 0.5 && !held { u.speed.clamp(0.0, 1.5) } else { 0.0 };
        s.speed = move_towards(s.speed, wanted, 1.0 / p.run_up, dt);
        if held && ring.turned >= 1.0 {
            s.speed = 0.0;
        }
        s.put(state.numbers);
        c.put(state.counts);
    }

    fn next_event(&self, given: &Given<'_>, state: StateRef<'_>) -> Option<u64> {
        let p = LabellerParameters::of(given.parameters);
        let c = LabellerCounts::of(state.counts);
        ring(&p, &LabellerState::of(state.numbers), &c).next(given.time, c.labels > 0)
    }

    fn event(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let askew = LabellerParameters::of(given.parameters).askew;
        with(given, state, |ring, c, queue| {
            if let Some(bottle) = ring.arrive(given.time, c.labels > 0, queue) {
                let bad = given.draws.of(0).chance(c.labelled, askew);
                c.labels -= 1;
                c.labelled += 1;
                if bad {
                    c.rejected += 1;
                    c.bin += 1;
                } else {
                    ring.put_out(bottle, queue);
                }
            }
        });
    }

    fn accepts(&self, _: Gate, _: &Given<'_>, state: StateRef<'_>) -> bool {
        LabellerCounts::of(state.counts).inlet == 0
    }

    fn take(&self, _: Gate, item: u64, given: &Given<'_>, state: &mut StateMut<'_>) {
        with(given, state, |ring, _, queue| ring.take(item, queue));
    }

    fn offers(&self, gate: Gate, _: &Given<'_>, state: StateRef<'_>) -> bool {
        let c = LabellerCounts::of(state.counts);
        if gate.port == OUT { c.outlet > 0 } else { c.bin > 0 }
    }

    fn give(&self, gate: Gate, given: &Given<'_>, state: &mut StateMut<'_>) -> u64 {
        with(given, state, |ring, c, queue| {
            if gate.port == OUT {
                return ring.give(queue);
            }
            c.bin -= 1;
            given.time
        })
    }

    fn account(&self, given: &Given<'_>, state: StateRef<'_>) -> Account {
        let p = LabellerParameters::of(given.parameters);
        let c = LabellerCounts::of(state.counts);
        let ring = ring(&p, &LabellerState::of(state.numbers), &c);
        Account { items: (ring.items(state.queue) + c.bin) as i64, ..Account::default() }
    }
}
