//! A capping station. In: bottles, a robot that caps them, or a cycle time of its own. Out: capped bottles, rejects, cap
//! torques. Never lets a bottle go without a cap, nor takes one while its places are taken.
//!
//! It collects as many bottles as the robot has heads. Then it waits for the robot: `cycle` becomes true once their caps
//! are on. Without a robot its own time has to pass since the bottles before, of which the last part holds the bottles.
//! Then all leave, one after the other, while the next come. A cap whose torque is outside its limits is rejected.
//!
//! Its numbers change in events alone: steps of any length give the same.

use crate::model::quantities;
use crate::model::{
    Account, Carrier, Description, Domain, Gate, Given, Model, OutputKind, Port, Repair, StateMut, StateRef,
};

/// A capping station that serves some bottles at a time.
#[derive(Clone, Copy, Debug)]
pub struct Capper;

quantities! {
    pub parameters CapperParameters {
        /// Bottles that are capped together
        heads: "" = 6.0, 1.0 => 100.0, design, "assumed: a gripper of six";
        /// Whether a robot says when caps are on: 1, or 0 for its own cycle
        robot: "" = 0.0, 0.0 => 1.0, design, "its own";
        /// Time from bottles to bottles, of its own
        cycle: "s" = 4.1, 0.05 => 1e4, design, "assumed: six axes, eight movements";
        /// Time for which bottles are held in a cycle of its own
        hold: "s" = 1.55, 0.0 => 1e4, design, "assumed: down, screw, up";
        /// Torque to which caps are tightened
        torque: "N.m" = 2.1, 0.01 => 100.0, design, "assumed: 38 mm closures";
        /// How far a torque may be off, as a share
        tolerance: "" = 0.15, 0.001 => 1.0, design, "assumed";
        /// Power while it works
        power: "W" = 600.0, 0.0 => 1e6, design, "assumed";
        /// Standard deviation of torques, as a share
        spread: "" = 0.025, 0.0 => 1.0, condition, "assumed";
        /// How fast the clutch weakens, as a share of the torque in a cycle
        clutch_wear: "" = 0.0, 0.0 => 0.1, condition, "not; 2e-6 for three months";
        /// Times longer than its cycle should take
        slowness: "" = 1.0, 0.1 => 100.0, condition, "as it should";
    }
}

quantities! {
    pub states CapperState {
        /// Share of the torque that the clutch has lost
        clutch: "" = 0.0, 0.0 => 1.0, estimated;
        /// Torque of the newest cap
        torque: "N.m" = 0.0, 0.0 => 1000.0;
        /// Time of the newest cycle
        took: "s" = 0.0, 0.0 => 1e9;
    }
}

quantities! {
    pub counts CapperCounts {
        /// Bottles that leave
        leaving;
        /// Bottles in the station
        station;
        /// When bottles left the station last, ns
        since;
        /// When the station became full, ns
        full_since;
        /// Bottles that were capped
        capped;
        /// Cycles that ended
        cycles;
        /// Whether the robot said so in the step before
        said;
        /// Whether the robot has said so since the station became full
        done;
        /// Bottles that were rejected
        rejected;
        /// Rejected bottles in the bin
        bin;
    }
}

quantities! {
    pub inputs CapperInputs {
        /// Becomes true when a robot has put the caps on
        cycle: "", last = 0.0;
        /// Whether it has power
        power: "", last = 1.0;
    }
}

quantities! {
    pub outputs CapperOutputs {
        /// Bottles in the station
        station: "", held;
        /// Whether the station is full and waits for caps: what starts a robot
        full: "" = OutputKind::Flag, held;
        /// Bottles that were capped
        capped: "", held;
        /// Bottles that were rejected
        rejected: "", held;
        /// Cycles that ended
        cycles: "", held;
        /// Torque of the newest cap
        torque: "N.m", held;
        /// Time of the newest cycle
        cycle_time: "s", held;
        /// Power from the mains
        power: "W", direct;
        /// Whether capped bottles wait to leave
        blocked: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Capper",
    about: "A capping station that serves some bottles at a time",
    source: "none",
    step: Some(50_000_000),
    parameters: CapperParameters::ALL,
    states: CapperState::ALL,
    counts: CapperCounts::ALL,
    inputs: CapperInputs::ALL,
    outputs: CapperOutputs::ALL,
    ports: &[
        Port { name: "in", about: "Where bottles enter", domain: Domain::ItemsIn, required: true },
        Port { name: "out", about: "Where capped bottles leave", domain: Domain::ItemsOut, required: true },
        Port { name: "rejects", about: "Where rejected bottles leave", domain: Domain::ItemsOut, required: false },
        Port {
            name: "mains",
            about: "Where it takes power",
            domain: Domain::Taker { carrier: Carrier::Electricity, taken: "power", potential: None },
            required: false,
        },
    ],
    draws: &["torque"],
    repairs: &[Repair { name: "replace_clutch", about: "A new clutch in all heads" }],
    ..Description::EMPTY
};

const OUT: usize = 1;

// The queue holds the bottles that leave, then those in the station.

fn is_full(p: &CapperParameters, c: &CapperCounts) -> bool {
    c.station as f64 >= p.heads.floor()
}

/// Caps all in the station; what is good leaves.
fn cap(given: &Given<'_>, p: &CapperParameters, s: &mut CapperState, c: &mut CapperCounts, state: &mut StateMut<'_>) {
    let bottles: Vec<u64> = state.queue.drain(c.leaving as usize..).collect();
    for bottle in bottles {
        let chance = 1.0 + p.spread * given.draws.of(0).normal(c.capped);
        s.torque = (p.torque * (1.0 - s.clutch) * chance).clamp(0.0, 1000.0);
        c.capped += 1;
        if (s.torque - p.torque).abs() <= p.tolerance * p.torque {
            c.leaving += 1;
            state.queue.push_back(bottle);
        } else {
            c.rejected += 1;
            c.bin += 1;
        }
    }
    s.clutch = (s.clutch + p.clutch_wear).min(1.0);
    s.took = (given.time - c.since) as f64 / 1e9;
    c.station = 0;
    c.since = given.time;
    c.cycles += 1;
    c.done = 0;
}

impl Model for Capper {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        state.numbers[1] = CapperParameters::of(given.parameters).torque;
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, u) = (CapperParameters::of(given.parameters), CapperInputs::of(given.inputs));
        let (s, c) = (CapperState::of(state.numbers), CapperCounts::of(state.counts));
        CapperOutputs {
            station: c.station as f64,
            full: f64::from(u8::from(is_full(&p, &c))),
            capped: c.capped as f64,
            rejected: c.rejected as f64,
            cycles: c.cycles as f64,
            torque: s.torque,
            cycle_time: s.took,
            power: if u.power > 0.5 { 150.0 + if is_full(&p, &c) { p.power } else { 0.0 } } else { 0.0 },
            blocked: f64::from(u8::from(c.leaving > 0)),
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, _: f64, state: &mut StateMut<'_>) {
        let (p, u) = (CapperParameters::of(given.parameters), CapperInputs::of(given.inputs));
        let (mut s, mut c) = (CapperState::of(state.numbers), CapperCounts::of(state.counts));
        let said = u.cycle > 0.5;
        c.done |= u64::from(said && c.said == 0 && is_full(&p, &c));
        c.said = u64::from(said);
        let passed = |since: u64| given.time.saturating_sub(since) as f64 / 1e9 + 1e-9;
        let own = passed(c.since) >= p.cycle * p.slowness && passed(c.full_since) >= p.hold * p.slowness;
        let ended = if p.robot > 0.5 { c.done == 1 } else { own };
        if ended && is_full(&p, &c) && c.leaving == 0 && u.power > 0.5 {
            cap(given, &p, &mut s, &mut c, state);
        }
        s.put(state.numbers);
        c.put(state.counts);
    }

    fn accepts(&self, _: Gate, given: &Given<'_>, state: StateRef<'_>) -> bool {
        !is_full(&CapperParameters::of(given.parameters), &CapperCounts::of(state.counts))
    }

    fn take(&self, _: Gate, item: u64, given: &Given<'_>, state: &mut StateMut<'_>) {
        let mut c = CapperCounts::of(state.counts);
        state.queue.push_back(item);
        c.station += 1;
        c.full_since = given.time;
        c.put(state.counts);
    }

    fn offers(&self, gate: Gate, _: &Given<'_>, state: StateRef<'_>) -> bool {
        let c = CapperCounts::of(state.counts);
        if gate.port == OUT { c.leaving > 0 } else { c.bin > 0 }
    }

    fn give(&self, gate: Gate, given: &Given<'_>, state: &mut StateMut<'_>) -> u64 {
        let mut c = CapperCounts::of(state.counts);
        let item = if gate.port == OUT {
            c.leaving -= 1;
            state.queue.pop_front().unwrap_or_default()
        } else {
            c.bin -= 1;
            given.time
        };
        c.put(state.counts);
        item
    }

    fn repair(&self, _: usize, _: &Given<'_>, state: &mut StateMut<'_>) {
        state.numbers[0] = 0.0;
    }

    fn account(&self, _: &Given<'_>, state: StateRef<'_>) -> Account {
        let items = state.queue.len() as u64 + CapperCounts::of(state.counts).bin;
        Account { items: items as i64, ..Account::default() }
    }
}
