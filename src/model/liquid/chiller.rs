//! A water-cooled chiller. In: the liquid that it cools, a set point, the temperature that enters its condenser. Out:
//! cold liquid, the power that it takes, the heat that it rejects. Never cools by more than its capacity.
//!
//! Capacity and power follow the curves of the "electric EIR" model (Hydeman, Gillespie and Dexter, "Tools and techniques
//! to calibrate electric chiller component models", ASHRAE Transactions 108, 2002; EnergyPlus Engineering Reference):
//! Q = Q_ref fC(te, tc), P = Q / COP_ref fE(te, tc) fP(x), x the load over Q; te leaves the evaporator, tc enters the
//! condenser. The coefficients are those of the data set "McQuay PEH 1635 kW / 7.47 COP / vanes", scaled by the reference
//! capacity; beyond their range (te 4.44 to 8.89, tc 12.78 to 29.44 °C) the nearest temperature counts, and an output
//! says so. Below its least load it cycles, each state kept for a least time. It trips where the liquid comes near to
//! freezing.
//!
//! Deposits in the condenser and gases that do not condense cost 3 % of power for each kelvin; a quarter of the charge
//! lost takes a fifth of the capacity (sheet 1.14).
//!
//! Order 1: what it cools follows the temperatures of the step before.
//!
//! | te, tc, x | source | wanted: Q, P, COP | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | 4.44, 12.78, 1 | sheet 1.14 | 1641.5 kW, 220.42 kW, 7.447 | equal | < 1e-3 |
//! | 6.67, 29.44, 1 | sheet 1.14 | 1084.7 kW, 197.33 kW, 5.497 | equal | < 1e-3 |
//! | 6.67, 29.44, 0.5 | sheet 1.14 | 542.4 kW, 105.01 kW, 5.165 | equal | < 1e-3 |
//! | 6.67, 23.89, 0.75 | sheet 1.14 | 1041.0 kW, 167.48 kW, 6.216 | equal | < 1e-3 |

use crate::model::integrate::approach;
use crate::model::quantities;
use crate::model::{
    Account, Carriage, Carrier, Description, Domain, End, Given, Law, Model, OutputKind, Passage, Plumbing, Port,
    Repair, StateMut, StateRef,
};

/// A water-cooled chiller with its evaporator in a liquid network.
#[derive(Clone, Copy, Debug)]
pub struct Chiller;

quantities! {
    pub parameters ChillerParameters {
        /// Heat that it takes from the liquid at 4.44 degC, with 12.78 degC at its condenser
        capacity: "W" = 1e5, 1e3 => 1e7, design, "assumed; the curves are those of 1635 kW: sheet 1.14";
        /// Heat over power there at full load
        cop: "" = 7.47, 1.0 => 15.0, design, "sheet 1.14: McQuay PEH";
        /// Flow for which the pressure drop of its evaporator is given
        rated_flow: "m3/s" = 4.5e-3, 1e-6 => 10.0, design, "assumed: 5.5 K at full load";
        /// Pressure that its evaporator takes at rated flow
        pressure_drop: "Pa" = 4e4, 1.0 => 1e6, design, "assumed: 0.4 bar";
        /// Liquid in its evaporator
        volume: "m3" = 0.03, 1e-3 => 50.0, design, "assumed: filled in 7 s at rated flow";
        /// Least load at which it runs on, over its capacity
        least_load: "" = 0.1, 0.05 => 0.9, design, "sheet 1.14: the curves hold from 0.08";
        /// Least time that it runs
        least_on: "s" = 300.0, 0.0 => 3600.0, design, "sheet 1.14: 5 min";
        /// Least time that it stands
        least_off: "s" = 300.0, 0.0 => 3600.0, design, "sheet 1.14: 5 min";
        /// Temperature above and below the set point at which it starts and stops
        band: "K" = 1.0, 0.05 => 10.0, design, "assumed";
        /// Temperature at which it trips
        freeze_trip: "degC" = 3.0, -40.0 => 20.0, design, "sheet 1.14: below 3 degC; lower with glycol";
        /// Temperature of the liquid at the beginning
        start_temperature: "degC" = 12.0, -50.0 => 100.0, start, "assumed";
        /// Kelvin that deposits in its condenser tend to
        fouling_limit: "K" = 3.0, 0.0 => 20.0, condition, "sheet 1.14: 2 K to 5 K";
        /// Time in which they come 63 % closer to it
        fouling_time: "s" = 7.776e6, 1.0 => 1e9, condition, "assumed: 90 d";
        /// Kelvin by which gases that do not condense raise its condensing temperature
        non_condensables: "K" = 0.0, 0.0 => 20.0, condition, "none";
        /// Share of its charge that it loses in a second
        charge_leak: "1/s" = 0.0, 0.0 => 1e-3, condition, "tight; 3e-7 loses a quarter in ten days";
    }
}

quantities! {
    pub states ChillerState {
        /// Temperature of the liquid in its evaporator
        temperature: "degC" = 12.0, -100.0 => 400.0, estimated;
        /// Heat that it takes from the liquid
        cooling: "W" = 0.0, 0.0 => 1e8;
        /// Power that it takes
        power: "W" = 0.0, 0.0 => 1e8;
        /// Load over capacity
        load: "" = 0.0, 0.0 => 1.0;
        /// Temperature that enters its condenser
        condenser: "degC" = 20.0, -100.0 => 200.0;
        /// Kelvin that deposits in its condenser cost
        fouling: "K" = 0.0, 0.0 => 20.0, estimated;
        /// Share of its charge that is left
        charge: "" = 1.0, 0.0 => 1.0, estimated;
        /// Heat taken from the liquid since the start
        taken: "J" = 0.0, 0.0 => 1e18;
    }
}

quantities! {
    pub counts ChillerCounts {
        /// Whether it runs
        running;
        /// When it may start or stop next, ns
        free;
        /// Starts since the beginning
        starts;
        /// Trips since the beginning
        trips;
    }
}

quantities! {
    pub inputs ChillerInputs {
        /// Temperature at which the liquid should leave
        set_point: "degC", last = 6.0;
        /// Temperature that enters its condenser
        condenser: "degC", mean = 25.0;
        /// Whether it may run
        enable: "", last = 1.0;
        /// Whether its drive has power
        power: "", last = 1.0;
    }
}

quantities! {
    pub outputs ChillerOutputs {
        /// Temperature of the liquid that leaves
        leaving: "degC", held;
        /// Temperature of the liquid that enters
        entering: "degC", direct;
        /// Flow through its evaporator
        flow: "m3/s", direct;
        /// Pressure that its evaporator takes
        pressure_drop: "Pa", direct;
        /// Heat that it takes from the liquid
        cooling: "W", held;
        /// Power from the mains
        power: "W", held;
        /// Heat that its condenser gives away
        rejected: "W", held;
        /// Heat taken over power
        cop: "", held;
        /// Load over capacity
        load: "", held;
        /// Temperature at which the refrigerant evaporates
        evaporating: "degC", held;
        /// Temperature at which the refrigerant condenses
        condensing: "degC", held;
        /// Share of its charge that is left
        charge: "", held;
        /// Whether it runs
        running: "" = OutputKind::Flag, held;
        /// Whether it works beyond the range of its curves
        beyond: "" = OutputKind::Flag, held;
        /// Starts since the beginning
        starts: "", held;
        /// Trips since the beginning
        trips: "", held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Chiller",
    about: "A water-cooled chiller that holds the temperature of a liquid",
    source: "EnergyPlus Engineering Reference, Electric EIR; data set McQuay PEH 1635 kW",
    step: Some(100_000_000),
    parameters: ChillerParameters::ALL,
    states: ChillerState::ALL,
    counts: ChillerCounts::ALL,
    inputs: ChillerInputs::ALL,
    outputs: ChillerOutputs::ALL,
    ports: &[
        Port { name: "inlet", about: "Where liquid enters", domain: Domain::Fluid, required: true },
        Port { name: "outlet", about: "Where it leaves, cooled", domain: Domain::Fluid, required: true },
        Port {
            name: "mains",
            about: "Where its drive takes power",
            domain: Domain::Taker { carrier: Carrier::Electricity, taken: "power", potential: None },
            required: false,
        },
    ],
    passages: &[Passage { from: End::Port(0), to: End::Port(1) }],
    repairs: &[
        Repair { name: "clean_condenser", about: "Brushes the tubes: deposits are gone" },
        Repair { name: "recharge", about: "Fills refrigerant up" },
    ],
    ..Description::EMPTY
};

const CLEAN: usize = 0;
const CAPACITY: [f64; 6] = [0.989_418_8, 2.983_148e-3, -2.484_601e-3, 5.974_984e-3, -1.063_988e-3, 2.601_503e-3];
const INPUT: [f64; 6] = [1.040_733, -7.118_888e-2, 2.262_395e-3, 1.221_901e-2, 2.152_693e-4, 7.409_943e-4];
const PART_LOAD: [f64; 3] = [0.183_669_5, 0.578_168_5, 0.238_571_9];
/// °C for which the curves were measured.
const LEAVING: (f64, f64) = (4.44, 8.89);
const ENTERING: (f64, f64) = (12.78, 29.44);
/// More power for each kelvin at the condenser: sheet 1.14.
const PER_KELVIN: f64 = 0.03;
/// Capacity lost over charge lost: sheet 1.14, 20 % with 25 %.
const PER_CHARGE: f64 = 0.8;
/// Seconds in which its control makes good a wrong temperature; assumed.
const SETTLING: f64 = 15.0;

/// Capacity over its reference, and power over capacity at full load over its reference, for what leaves the evaporator
/// and enters the condenser, in °C.
pub fn curves(leaving: f64, entering: f64) -> (f64, f64) {
    let te = leaving.clamp(LEAVING.0, LEAVING.1);
    let tc = entering.clamp(ENTERING.0, ENTERING.1);
    let of = |a: [f64; 6]| a[0] + a[1] * te + a[2] * te * te + a[3] * tc + a[4] * tc * tc + a[5] * te * tc;
    (of(CAPACITY), of(INPUT))
}

/// Power at a load over power at full load.
pub fn part_load(load: f64) -> f64 {
    let [a, b, c] = PART_LOAD;
    a + b * load + c * load * load
}

/// Capacity in W, and power at full load in W, in a state.
fn full_load(p: &ChillerParameters, s: &ChillerState) -> (f64, f64) {
    let (share, input) = curves(s.temperature, s.condenser);
    let capacity = p.capacity * share * (1.0 - PER_CHARGE * (1.0 - s.charge));
    (capacity, capacity / p.cop * input * (1.0 + PER_KELVIN * (s.fouling + p.non_condensables)))
}

/// Whether it shall run, and how many seconds it then keeps to that.
fn decide(p: &ChillerParameters, s: &ChillerState, u: &ChillerInputs, run: Run) -> Option<(bool, f64)> {
    let wanted = u.enable > 0.5;
    match run.running {
        true if u.power <= 0.5 || s.temperature < p.freeze_trip => Some((false, p.least_off)),
        true if run.free && (!wanted || (run.load < p.least_load && s.temperature < u.set_point - p.band)) => {
            Some((false, p.least_off))
        }
        false if run.free && wanted && u.power > 0.5 && run.flows && s.temperature > u.set_point + p.band => {
            Some((true, p.least_on))
        }
        _ => None,
    }
}

/// What the decision to start or stop looks at beside temperatures.
#[derive(Clone, Copy, Debug)]
struct Run {
    running: bool,
    /// Whether the least time is over.
    free: bool,
    /// Whether liquid flows.
    flows: bool,
    /// What is wanted over capacity.
    load: f64,
}

impl Model for Chiller {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let mut s = ChillerState::of(state.numbers);
        s.temperature = ChillerParameters::of(given.parameters).start_temperature;
        s.put(state.numbers);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, s) = (ChillerParameters::of(given.parameters), ChillerState::of(state.numbers));
        let (c, crossing) = (ChillerCounts::of(state.counts), &given.crossings[0]);
        let running = c.running == 1;
        let within = |x: f64, (low, high): (f64, f64)| (low..=high).contains(&x);
        let beyond = running && !(within(s.temperature, LEAVING) && within(s.condenser, ENTERING));
        // Sheet 1.14: 2 K to 4 K between refrigerant and water; 5 K that the condenser's water warms at full load.
        let (evaporating, condensing) = match running {
            true => (s.temperature - 3.0, s.condenser + 5.0 * s.load + 3.0 + s.fouling + p.non_condensables),
            false => (s.temperature, s.condenser),
        };
        ChillerOutputs {
            leaving: s.temperature,
            entering: crossing.entering,
            flow: crossing.flow,
            pressure_drop: crossing.from_pressure - crossing.to_pressure,
            cooling: s.cooling,
            power: s.power,
            rejected: s.cooling + s.power,
            cop: if s.power > 0.0 { s.cooling / s.power } else { 0.0 },
            load: s.load,
            evaporating,
            condensing,
            charge: s.charge,
            running: f64::from(u8::from(running)),
            beyond: f64::from(u8::from(beyond)),
            starts: c.starts as f64,
            trips: c.trips as f64,
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, mut s) = (ChillerParameters::of(given.parameters), ChillerState::of(state.numbers));
        let (u, mut c) = (ChillerInputs::of(given.inputs), ChillerCounts::of(state.counts));
        let crossing = &given.crossings[0];
        let per_volume = crossing.fluid.heat_per_volume();
        let held = per_volume * p.volume;
        s.temperature += dt * (crossing.heat() - s.cooling) / held;
        s.taken += dt * s.cooling;
        s.condenser = u.condenser.clamp(-100.0, 200.0);
        s.fouling = approach(s.fouling, p.fouling_limit, p.fouling_time, dt);
        s.charge = (s.charge - dt * p.charge_leak).max(0.0);
        let (capacity, full_power) = full_load(&p, &s);
        let carried = per_volume * crossing.flow.abs() * (crossing.entering - u.set_point);
        let wanted = carried + held * (s.temperature - u.set_point) / SETTLING.max(4.0 * dt);
        let run = Run {
            running: c.running == 1,
            free: given.time >= c.free,
            flows: crossing.flow.abs() > 1e-3 * p.rated_flow,
            load: wanted / capacity,
        };
        if let Some((running, secs)) = decide(&p, &s, &u, run) {
            c.trips += u64::from(!running && s.temperature < p.freeze_trip);
            c.starts += u64::from(running);
            c.running = u64::from(running);
            c.free = given.time + (secs * 1e9) as u64;
        }
        (s.cooling, s.power, s.load) = (0.0, 0.0, 0.0);
        if c.running == 1 {
            // In one step it takes half at most of what lies above its floor: with little flow nothing freezes at once.
            let most = 0.5 * held * (s.temperature - p.freeze_trip + 5.0).max(0.0) / dt;
            s.cooling = wanted.clamp(p.least_load * capacity, capacity).min(most);
            s.load = s.cooling / capacity;
            s.power = full_power * part_load(s.load);
        }
        s.put(state.numbers);
        c.put(state.counts);
    }

    fn law(&self, _: usize, at: &Plumbing<'_>) -> Law {
        let p = ChillerParameters::of(at.parameters);
        Law { quadratic: p.pressure_drop / (p.rated_flow * p.rated_flow), ..Law::OPEN }
    }

    fn carriage(&self, _: usize, at: &Plumbing<'_>) -> Carriage {
        let (p, s) = (ChillerParameters::of(at.parameters), ChillerState::of(at.state.numbers));
        Carriage::Stirred { volume: p.volume, temperature: s.temperature, heat: -s.cooling }
    }

    fn repair(&self, repair: usize, _: &Given<'_>, state: &mut StateMut<'_>) {
        let mut s = ChillerState::of(state.numbers);
        match repair {
            CLEAN => s.fouling = 0.0,
            _ => s.charge = 1.0,
        }
        s.put(state.numbers);
    }

    fn account(&self, given: &Given<'_>, state: StateRef<'_>) -> Account {
        let (p, s) = (ChillerParameters::of(given.parameters), ChillerState::of(state.numbers));
        let heat = given.crossings[0].fluid.heat_per_volume() * p.volume * s.temperature + s.taken;
        Account { heat, ..Account::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The machine of the data set, with what leaves and enters.
    fn measured(temperature: f64, condenser: f64) -> (ChillerParameters, ChillerState) {
        let numbers: Vec<f64> = ChillerParameters::ALL.iter().map(|parameter| parameter.default).collect();
        let starts: Vec<f64> = ChillerState::ALL.iter().map(|state| state.start).collect();
        let p = ChillerParameters { capacity: 1.6352e6, ..ChillerParameters::of(&numbers) };
        (p, ChillerState { temperature, condenser, ..ChillerState::of(&starts) })
    }

    #[test]
    fn capacity_power_and_cop_are_those_of_the_sheet() {
        for (te, tc, load, cooling, power, cop) in [
            (4.44, 12.78, 1.0, 1641.5, 220.42, 7.447),
            (6.67, 29.44, 1.0, 1084.7, 197.33, 5.497),
            (6.67, 29.44, 0.5, 542.4, 105.01, 5.165),
            (6.67, 23.89, 0.75, 1041.0, 167.48, 6.216),
        ] {
            let (p, s) = measured(te, tc);
            let (capacity, full) = full_load(&p, &s);
            let found =
                [load * capacity / 1e3, full * part_load(load) / 1e3, load * capacity / (full * part_load(load))];
            for (found, wanted) in found.iter().zip([cooling, power, cop]) {
                assert!((found / wanted - 1.0).abs() < 1e-3, "{te}, {tc}, {load}: {found}, not {wanted}");
            }
        }
    }

    #[test]
    fn deposits_cost_power_and_a_lost_quarter_of_the_charge_a_fifth_of_the_capacity() {
        let (p, clean) = measured(6.67, 23.89);
        let (capacity, power) = full_load(&p, &clean);
        let (_, more) = full_load(&p, &ChillerState { fouling: 4.0, ..clean });
        assert!((more / power - 1.12).abs() < 1e-12);
        let (less, _) = full_load(&p, &ChillerState { charge: 0.75, ..clean });
        assert!((less / capacity - 0.8).abs() < 1e-12);
    }

    #[test]
    fn it_keeps_to_its_least_times_but_trips_before_it_freezes() {
        let (p, s) = measured(4.5, 25.0);
        let u = ChillerInputs { set_point: 6.0, condenser: 25.0, enable: 1.0, power: 1.0 };
        let run = Run { running: true, free: false, flows: true, load: 0.02 };
        assert_eq!(decide(&p, &s, &u, run), None);
        assert_eq!(decide(&p, &s, &u, Run { free: true, ..run }), Some((false, 300.0)));
        let cold = ChillerState { temperature: 2.9, ..s };
        assert_eq!(decide(&p, &cold, &u, run), Some((false, 300.0)));
        let warm = ChillerState { temperature: 9.0, ..s };
        let stands = Run { running: false, free: false, ..run };
        assert_eq!(decide(&p, &warm, &u, stands), None);
        assert_eq!(decide(&p, &warm, &u, Run { free: true, ..stands }), Some((true, 300.0)));
        assert_eq!(decide(&p, &warm, &u, Run { free: true, flows: false, ..stands }), None);
    }
}
