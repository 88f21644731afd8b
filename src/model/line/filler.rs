//! A rotary filler. In: bottles, liquid for its bowl, a speed. Out: full bottles, rejects, how much is in them. Never
//! fills what is not there: neither a pocket without a bottle nor from an empty bowl.
//!
//! A valve lets q = C_d a sqrt(2 (g (level + drop) + p / rho)) through (Torricelli). It is told to close when the target
//! less what still runs late is reached; what runs late is learnt: V_late += g (fill - target). A bottle that is on the
//! ring for too short a time gets less. Bottles whose weighed fill is too far from the target go to the second outlet, or
//! into the bin where nothing is linked there; what leaves the bin is called by that time.
//!
//! The bowl is a small vessel with a float valve: liquid comes in as fast as the pipes bring it, up to its brim. Its
//! liquid leaves with the bottles. What is weighed is judged by European rules for packages (76/211/EEC): the tolerable
//! deficiency T of a volume, and the mean that a spread asks for, max(Q, Q - T + 1.96 sd).
//!
//! The bowl is of order 2 in its step: what flows in is solved with the mean level of the step. Its turning is exact.
//!
//! | figure | source | wanted | ours | difference |
//! |---|---|---|---|---|
//! | 500 ml at 0.1 l/s, delay 20 ms: told to close at | sheet 1.13 | 498 ml | 498 ml | 1e-12 |
//! | the same: full after | sheet 1.13 | 5.000 s | 5.000 s | 1e-12 |
//! | the same: in the bottle | sheet 1.13 | 500.0 ml | 500.0 ml | 1e-12 |
//! | least mean of 500 ml, sd 10 ml | sheet 1.13 | 504.600 ml | 504.600 ml | 1e-6 |
//! | the same, sd 1.2 ml | sheet 1.13 | 500 ml | 500 ml | 0 |

use super::carousel::Carousel;
use crate::model::integrate::move_towards;
use crate::model::quantities;
use crate::model::{
    Account, Carriage, Carrier, Description, Domain, End, GRAVITY, Gate, Given, Law, Model, OutputKind, Passage,
    Plumbing, Port, Repair, StateMut, StateRef,
};

/// A rotary filler with a bowl.
#[derive(Clone, Copy, Debug)]
pub struct Filler;

quantities! {
    pub parameters FillerParameters {
        /// Pockets on the ring, each with a valve
        valves: "" = 24.0, 2.0 => 200.0, design, "assumed";
        /// Share of the ring on which bottles ride
        arc: "" = 0.8, 0.1 => 1.0, design, "assumed: the rest is between outfeed and infeed";
        /// Speed of the ring at full command
        rated_speed: "rad/s" = 0.314_159_265_358_979_3, 1e-3 => 10.0, design, "3 rpm: 72 bottles a minute";
        /// How fast its speed changes
        acceleration: "rad/s2" = 0.2, 1e-3 => 100.0, design, "assumed";
        /// What belongs into a bottle
        target: "m3" = 500e-6, 1e-6 => 0.1, design, "sheet 1.13";
        /// How far a fill may be off before its bottle is rejected
        tolerance: "m3" = 15e-6, 1e-9 => 0.1, design, "76/211/EEC: 3 % of 300 ml to 500 ml";
        /// Cross-section of a valve's nozzle
        nozzle: "m2" = 6.5e-5, 1e-7 => 1e-2, design, "0.12 l/s at the level of the beginning";
        /// Share of the nozzle that a jet fills
        discharge: "" = 0.62, 0.1 => 1.0, design, "sharp edge: Idelchik";
        /// Height of the bowl's bottom above the nozzles
        drop: "m" = 0.3, 0.0 => 10.0, design, "assumed";
        /// Time from the command to close to a closed valve
        close_delay: "s" = 0.02, 0.0 => 10.0, design, "sheet 1.13";
        /// Share of an error by which the next command is moved
        learning: "" = 0.05, 0.0 => 1.0, design, "sheet 1.13: 0.05 to 0.1";
        /// Surface of the bowl
        bowl_area: "m2" = 0.8, 1e-3 => 100.0, design, "assumed";
        /// Level at which the float valve shuts
        brim: "m" = 0.25, 1e-2 => 10.0, design, "assumed";
        /// Level below which it stands still
        least_level: "m" = 0.03, 0.0 => 10.0, design, "assumed";
        /// Level at the beginning
        start_level: "m" = 0.15, 0.0 => 10.0, start, "assumed";
        /// Temperature of the liquid at the beginning
        start_temperature: "degC" = 20.0, -50.0 => 200.0, start, "assumed";
        /// Height of the bowl's bottom above the datum of pressures
        elevation: "m" = 1.5, -1000.0 => 10_000.0, design, "assumed";
        /// Pressure of the gas in the bowl, over the atmosphere
        gas_pressure: "Pa" = 0.0, 0.0 => 1e6, design, "none: still drinks";
        /// Power at rest and on top at rated speed
        idle_power: "W" = 900.0, 0.0 => 1e6, design, "assumed";
        /// Power that it takes on top at rated speed
        drive_power: "W" = 2400.0, 0.0 => 1e6, design, "assumed";
        /// Standard deviation of a fill, as a share of the target
        spread: "" = 0.003, 0.0 => 0.5, condition, "new; sheet 1.13: 0.002 to 0.005, worn seals 0.006";
        /// Share of fills that end early, because a valve sticks
        misfills: "" = 0.002, 0.0 => 1.0, condition, "assumed";
        /// What drips into each bottle after its valve is closed
        drip: "m3" = 0.0, 0.0 => 1e-3, condition, "none";
        /// Air in the product, as a share of the volume
        air: "" = 0.0, 0.0 => 0.5, condition, "none";
        /// How fast seals wear: what runs late in a second
        seal_wear: "m3/s" = 0.0, 0.0 => 1e-6, condition, "not; 0.02 ml in an hour: 5.6e-12 (sheet 6.1, story 10)";
        /// How fast the scale's zero drifts
        scale_drift: "m3/s" = 0.0, -1e-6 => 1e-6, condition, "not; 0.1 g in an hour: 2.8e-11 (sheet 1.13)";
    }
}

quantities! {
    pub states FillerState {
        /// Speed of the ring
        speed: "rad/s" = 0.0, 0.0 => 20.0;
        /// Way of the running pocket
        turned: "" = 0.0, 0.0 => 1.0;
        /// Liquid in the bowl
        bowl: "m3" = 0.0, 0.0 => 1000.0, estimated;
        /// Temperature of that liquid
        temperature: "degC" = 20.0, -100.0 => 400.0, estimated;
        /// Liquid that left with bottles since the start
        filled: "m3" = 0.0, 0.0 => 1e12;
        /// Heat that left with it
        carried: "J" = 0.0, -1e18 => 1e18;
        /// What it expects to run late
        late: "m3" = 0.0, -1.0 => 1.0;
        /// What runs late because of worn seals
        seals: "m3" = 0.0, 0.0 => 1.0, estimated;
        /// How far the scale's zero has drifted
        zero: "m3" = 0.0, -1.0 => 1.0, estimated;
        /// What is in the newest bottle
        last: "m3" = 0.0, 0.0 => 1.0;
        /// Weighed mean of the last fifty bottles or so
        mean: "m3" = 0.0, -1.0 => 2.0;
        /// Weighed variance of them, in m6
        variance: "" = 0.0, 0.0 => 1.0;
    }
}

quantities! {
    pub counts FillerCounts {
        /// When the way of the running pocket was noted, ns
        at;
        /// Whether a bottle waits at the inlet
        inlet;
        /// Whether a bottle waits at the outlet
        outlet;
        /// Bottles that were filled
        bottles;
        /// Bottles that were rejected
        rejected;
        /// Rejected bottles in the bin
        bin;
        /// Bottles whose true fill lacks more than is tolerable
        short;
    }
}

quantities! {
    pub inputs FillerInputs {
        /// Speed that it is told, as a share of its rated one
        speed: "", last = 1.0;
        /// Whether its drive has power
        power: "", last = 1.0;
    }
}

quantities! {
    pub outputs FillerOutputs {
        /// Speed of the ring
        speed: "rad/s", held;
        /// Bottles on it
        inside: "", held;
        /// Bottles that were filled
        bottles: "", held;
        /// Bottles that were rejected
        rejected: "", held;
        /// Bottles whose true fill lacks more than is tolerable
        short: "", held;
        /// Level in the bowl
        level: "m", held;
        /// Temperature in the bowl
        temperature: "degC", held;
        /// Liquid that left with bottles
        filled: "m3", held;
        /// Flow into the bowl
        inflow: "m3/s", direct;
        /// Pressure at the inlet, above the atmosphere
        pressure: "Pa", direct;
        /// What is in the newest bottle
        last_fill: "m3", held;
        /// Weighed mean of the last fifty bottles or so
        mean_fill: "m3", held;
        /// Weighed standard deviation of them
        deviation: "m3", held;
        /// Mean that this deviation asks for
        least_mean: "m3", held;
        /// Time that a valve needs for the target
        fill_time: "s", held;
        /// Power from the mains
        power: "W", held;
        /// Whether it stands for want of liquid
        starved: "" = OutputKind::Flag, held;
        /// Whether a bottle waits at its outlet
        blocked: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Filler",
    about: "A rotary filler with a bowl",
    source: "Torricelli; 76/211/EEC",
    step: Some(100_000_000),
    parameters: FillerParameters::ALL,
    states: FillerState::ALL,
    counts: FillerCounts::ALL,
    inputs: FillerInputs::ALL,
    outputs: FillerOutputs::ALL,
    ports: &[
        Port { name: "inlet", about: "Where liquid enters", domain: Domain::Fluid, required: true },
        Port { name: "in", about: "Where bottles enter", domain: Domain::ItemsIn, required: true },
        Port { name: "out", about: "Where full bottles leave", domain: Domain::ItemsOut, required: true },
        Port { name: "rejects", about: "Where rejected bottles leave", domain: Domain::ItemsOut, required: false },
        Port {
            name: "mains",
            about: "Where it takes power",
            domain: Domain::Taker { carrier: Carrier::Electricity, taken: "power", potential: None },
            required: false,
        },
    ],
    passages: &[Passage { from: End::Port(0), to: End::Inside }],
    draws: &["fill", "misfill"],
    repairs: &[
        Repair { name: "replace_seals", about: "New seals in all valves" },
        Repair { name: "zero_scale", about: "The scale is set to zero" },
    ],
    ..Description::EMPTY
};

const OUT: usize = 2;

/// m³ that a package of `nominal` m³ may lack: 76/211/EEC, annex I.
pub fn tolerable(nominal: f64) -> f64 {
    let ml = nominal * 1e6;
    let deficiency = match ml {
        _ if ml < 50.0 => 0.09 * ml,
        _ if ml < 100.0 => 4.5,
        _ if ml < 200.0 => 0.045 * ml,
        _ if ml < 300.0 => 9.0,
        _ if ml < 500.0 => 0.03 * ml,
        _ if ml < 1000.0 => 15.0,
        _ => 0.015 * ml,
    };
    deficiency * 1e-6
}

/// The least mean in m³ at which 2.5 % of packages at most lack more than is tolerable.
pub fn least_mean(nominal: f64, deviation: f64) -> f64 {
    nominal.max(nominal - tolerable(nominal) + 1.959_964 * deviation)
}

/// What one valve does: at which volume it is told to close, what is in the bottle, how long it took.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Fill {
    commanded: f64,
    volume: f64,
    secs: f64,
}

/// `flow` in m³/s into an empty bottle; what runs late is expected to be `late`.
fn fill(target: f64, late: f64, flow: f64, delay: f64) -> Fill {
    let commanded = (target - late).max(0.0);
    let secs = if flow > 0.0 { commanded / flow + delay } else { 1e9 };
    Fill { commanded, volume: commanded + flow * delay, secs }
}

impl FillerParameters {
    /// m³/s through an open valve.
    fn flow(&self, bowl: f64, density: f64) -> f64 {
        if bowl <= 0.0 {
            return 0.0;
        }
        let head = GRAVITY * (bowl / self.bowl_area + self.drop) + self.gas_pressure / density;
        self.discharge * self.nozzle * (2.0 * head).sqrt()
    }

    fn pockets(&self) -> f64 {
        (self.valves.floor() * self.arc).floor().max(1.0)
    }

    /// Pockets in a second.
    fn rate(&self, speed: f64) -> f64 {
        speed * self.valves.floor() / std::f64::consts::TAU
    }
}

fn ring(p: &FillerParameters, s: &FillerState, c: &FillerCounts) -> Carousel {
    Carousel { turned: s.turned, at: c.at, rate: p.rate(s.speed), inlet: c.inlet, outlet: c.outlet }
}

fn put(ring: &Carousel, s: &mut FillerState, c: &mut FillerCounts) {
    s.turned = ring.turned;
    (c.at, c.inlet, c.outlet) = (ring.at, ring.inlet, ring.outlet);
}

/// Fills the bottle that leaves; whether it is a good one.
fn fill_bottle(given: &Given<'_>, p: &FillerParameters, s: &mut FillerState, c: &mut FillerCounts) -> bool {
    let fluid = &given.crossings[0].fluid;
    let flow = p.flow(s.bowl, fluid.density);
    let one = fill(p.target, s.late, flow, p.close_delay);
    let chance = 1.0 + p.spread * given.draws.of(0).normal(c.bottles);
    let early = if given.draws.of(1).chance(c.bottles, p.misfills) { 0.9 } else { 1.0 };
    // The time on the ring ends every fill.
    let most = flow * p.pockets() / p.rate(s.speed).max(1e-9);
    let meant = (one.volume + s.seals) * chance * early * (1.0 - p.air) + p.drip;
    let volume = meant.clamp(0.0, most.min(0.5 * s.bowl));
    s.bowl -= volume;
    s.filled += volume;
    s.carried += fluid.heat_per_volume() * volume * s.temperature;
    s.last = volume;
    let weighed = volume + s.zero;
    if early == 1.0 {
        s.late = (s.late + p.learning * (weighed - p.target)).clamp(-p.target, p.target);
    }
    let away = weighed - s.mean;
    s.mean += away / 50.0;
    s.variance = (s.variance + (away * away - s.variance) / 50.0).min(1.0);
    c.bottles += 1;
    c.short += u64::from(volume < p.target - tolerable(p.target));
    let good = (weighed - p.target).abs() <= p.tolerance;
    c.rejected += u64::from(!good);
    good
}

impl Model for Filler {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let p = FillerParameters::of(given.parameters);
        let bowl = p.bowl_area * p.start_level.min(p.brim);
        let late = p.flow(bowl, given.crossings[0].fluid.density) * p.close_delay;
        let spread = p.spread * p.target;
        FillerState {
            speed: 0.0,
            turned: 0.0,
            bowl,
            temperature: p.start_temperature,
            filled: 0.0,
            carried: 0.0,
            late: late.min(p.target),
            seals: 0.0,
            zero: 0.0,
            last: p.target,
            mean: p.target,
            variance: spread * spread,
        }
        .put(state.numbers);
        Carousel::fill(state.queue, p.pockets());
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let p = FillerParameters::of(given.parameters);
        let (s, c) = (FillerState::of(state.numbers), FillerCounts::of(state.counts));
        let crossing = &given.crossings[0];
        let deviation = s.variance.max(0.0).sqrt();
        let level = s.bowl / p.bowl_area;
        let flow = p.flow(s.bowl, crossing.fluid.density);
        FillerOutputs {
            speed: s.speed,
            inside: ring(&p, &s, &c).items(state.queue) as f64,
            bottles: c.bottles as f64,
            rejected: c.rejected as f64,
            short: c.short as f64,
            level,
            temperature: s.temperature,
            filled: s.filled,
            inflow: crossing.flow,
            pressure: crossing.from_pressure - crossing.fluid.density * GRAVITY * p.elevation,
            last_fill: s.last,
            mean_fill: s.mean,
            deviation,
            least_mean: least_mean(p.target, deviation),
            fill_time: fill(p.target, s.late, flow, p.close_delay).secs.min(1e6),
            power: p.idle_power + p.drive_power * s.speed / p.rated_speed,
            starved: f64::from(u8::from(level < p.least_level)),
            blocked: c.outlet as f64,
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, u) = (FillerParameters::of(given.parameters), FillerInputs::of(given.inputs));
        let (mut s, mut c) = (FillerState::of(state.numbers), FillerCounts::of(state.counts));
        let crossing = &given.crossings[0];
        let entered = dt * crossing.flow.max(0.0);
        s.bowl += entered;
        if s.bowl > 1e-9 {
            s.temperature += entered * (crossing.entering - s.temperature) / s.bowl;
        }
        s.seals = (s.seals + dt * p.seal_wear).min(1.0);
        s.zero = (s.zero + dt * p.scale_drift).clamp(-1.0, 1.0);
        let mut ring = ring(&p, &s, &c);
        ring.catch_up(given.time);
        put(&ring, &mut s, &mut c);
        let starved = s.bowl < p.least_level * p.bowl_area;
        let may = u.power > 0.5 && !starved && !ring.is_blocked();
        let wanted = if may { u.speed.clamp(0.0, 1.5) * p.rated_speed } else { 0.0 };
        s.speed = move_towards(s.speed, wanted, p.acceleration, dt);
        if ring.is_blocked() && ring.turned >= 1.0 {
            s.speed = 0.0;
        }
        s.put(state.numbers);
        c.put(state.counts);
    }

    fn next_event(&self, given: &Given<'_>, state: StateRef<'_>) -> Option<u64> {
        let p = FillerParameters::of(given.parameters);
        ring(&p, &FillerState::of(state.numbers), &FillerCounts::of(state.counts)).next(given.time, true)
    }

    fn event(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let p = FillerParameters::of(given.parameters);
        let (mut s, mut c) = (FillerState::of(state.numbers), FillerCounts::of(state.counts));
        let mut ring = ring(&p, &s, &c);
        if let Some(bottle) = ring.arrive(given.time, true, state.queue) {
            if fill_bottle(given, &p, &mut s, &mut c) {
                ring.put_out(bottle, state.queue);
            } else {
                c.bin += 1;
            }
        }
        put(&ring, &mut s, &mut c);
        s.put(state.numbers);
        c.put(state.counts);
    }

    fn law(&self, _: usize, at: &Plumbing<'_>) -> Law {
        let (p, s) = (FillerParameters::of(at.parameters), FillerState::of(at.state.numbers));
        let weight = at.fluid.density * GRAVITY;
        let pressure = p.gas_pressure + weight * (p.elevation + s.bowl / p.bowl_area);
        let room = (p.bowl_area * p.brim - s.bowl).max(0.0);
        let linear = 0.5 * weight * at.interval / p.bowl_area;
        Law { rise: -pressure, linear, forwards: room / at.interval, ..Law::CLOSED }
    }

    fn carriage(&self, _: usize, at: &Plumbing<'_>) -> Carriage {
        Carriage::Reservoir { temperature: FillerState::of(at.state.numbers).temperature }
    }

    fn accepts(&self, _: Gate, _: &Given<'_>, state: StateRef<'_>) -> bool {
        FillerCounts::of(state.counts).inlet == 0
    }

    fn take(&self, _: Gate, item: u64, given: &Given<'_>, state: &mut StateMut<'_>) {
        let p = FillerParameters::of(given.parameters);
        let (mut s, mut c) = (FillerState::of(state.numbers), FillerCounts::of(state.counts));
        let mut ring = ring(&p, &s, &c);
        ring.take(item, state.queue);
        put(&ring, &mut s, &mut c);
        c.put(state.counts);
    }

    fn offers(&self, gate: Gate, _: &Given<'_>, state: StateRef<'_>) -> bool {
        let c = FillerCounts::of(state.counts);
        if gate.port == OUT { c.outlet > 0 } else { c.bin > 0 }
    }

    fn give(&self, gate: Gate, given: &Given<'_>, state: &mut StateMut<'_>) -> u64 {
        let p = FillerParameters::of(given.parameters);
        let (mut s, mut c) = (FillerState::of(state.numbers), FillerCounts::of(state.counts));
        let item = if gate.port == OUT {
            let mut ring = ring(&p, &s, &c);
            let item = ring.give(state.queue);
            put(&ring, &mut s, &mut c);
            item
        } else {
            c.bin -= 1;
            given.time
        };
        c.put(state.counts);
        item
    }

    fn repair(&self, repair: usize, _: &Given<'_>, state: &mut StateMut<'_>) {
        let mut s = FillerState::of(state.numbers);
        match repair {
            0 => s.seals = 0.0,
            _ => s.zero = 0.0,
        }
        s.put(state.numbers);
    }

    fn account(&self, given: &Given<'_>, state: StateRef<'_>) -> Account {
        let p = FillerParameters::of(given.parameters);
        let (s, c) = (FillerState::of(state.numbers), FillerCounts::of(state.counts));
        let heat = given.crossings[0].fluid.heat_per_volume() * s.bowl * s.temperature + s.carried;
        let items = ring(&p, &s, &c).items(state.queue) + c.bin;
        Account { volume: s.bowl + s.filled, heat, items: items as i64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ML: f64 = 1e-6;

    #[test]
    fn a_valve_that_knows_what_runs_late_fills_to_the_drop() {
        let one = fill(500.0 * ML, 2.0 * ML, 1e-4, 0.02);
        assert!((one.commanded / (498.0 * ML) - 1.0).abs() < 1e-12, "{one:?}");
        assert!((one.secs - 5.0).abs() < 1e-12 && (one.volume / (500.0 * ML) - 1.0).abs() < 1e-12, "{one:?}");
    }

    #[test]
    fn a_wider_spread_asks_for_a_higher_mean() {
        assert!((least_mean(500.0 * ML, 10.0 * ML) / ML - 504.600).abs() < 1e-3);
        assert_eq!(least_mean(500.0 * ML, 1.2 * ML), 500.0 * ML);
    }

    #[test]
    fn what_may_lack_rises_without_a_gap() {
        for (nominal, wanted) in [(40.0, 3.6), (75.0, 4.5), (150.0, 6.75), (250.0, 9.0), (400.0, 12.0), (750.0, 15.0)] {
            assert!((tolerable(nominal * ML) / ML - wanted).abs() < 1e-9, "{nominal} ml");
        }
        for edge in [50.0, 100.0, 200.0, 300.0, 500.0, 1000.0] {
            let (below, above) = (tolerable((edge - 1e-6) * ML), tolerable(edge * ML));
            assert!((above - below).abs() < 1e-6 * ML, "at {edge} ml: {below:e} {above:e}");
        }
    }

    #[test]
    fn a_lower_bowl_fills_more_slowly() {
        let defaults: Vec<f64> = FillerParameters::ALL.iter().map(|one| one.default).collect();
        let p = FillerParameters::of(&defaults);
        let flow = |level: f64| p.flow(level * p.bowl_area, 998.2);
        assert!((flow(0.15) / 1.2e-4 - 1.0).abs() < 0.01, "{}", flow(0.15));
        assert!((flow(0.05) / flow(0.15) - (0.35f64 / 0.45).sqrt()).abs() < 1e-12);
    }
}
