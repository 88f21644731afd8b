//! A vehicle that shuttles between two places. In: items where it stands at home, a stop. Out: the same items at the end
//! of its track, its place, its battery. Never takes more than one item, nor sets out without charge.
//!
//! A trapezoid of speed along the track: t(s) = s / v + v / a from s = v² / a on, else 2 sqrt(s / a). Power while it
//! drives: (C_rr m g + m a) v / eta + P_aux. The battery loses eta I; its voltage falls by its resistance. A stop halts
//! it at once, and it goes on from there by a new trapezoid.
//!
//! Its drives are exact, and begin with the first step after what lets them begin; the battery is exact for a power
//! that stands during a step, else of order 1.
//!
//! | figure | source | wanted | ours | difference |
//! |---|---|---|---|---|
//! | time for 30 m at 1.5 m/s and 0.5 m/s² | sheet 3.1 | 23.0 s | 23.0 s | 1e-12 |
//! | time for 1 m | sheet 3.1 | 2.828 427 s | 2.828 427 s | 1e-7 |
//! | braking distance | sheet 3.1 | 2.25 m | 2.25 m | 1e-12 |
//! | 100 m with 1.5 t: rolling | sheet 3.1, not computed there | 7.7 Wh | 7.66 Wh | 1 % |

use crate::model::integrate::move_towards;
use crate::model::quantities;
use crate::model::{
    Account, Carrier, Description, Domain, GRAVITY, Gate, Given, Model, OutputKind, Port, Repair, StateMut, StateRef,
};

/// A driverless vehicle between two places.
#[derive(Clone, Copy, Debug)]
pub struct Vehicle;

quantities! {
    pub parameters VehicleParameters {
        /// Length of its track
        track: "m" = 30.0, 0.1 => 10_000.0, design, "assumed";
        /// Highest speed
        top_speed: "m/s" = 1.5, 0.01 => 20.0, design, "sheet 3.1, assumed";
        /// Acceleration and deceleration
        acceleration: "m/s2" = 0.5, 0.01 => 10.0, design, "sheet 3.1, assumed";
        /// Height to which its forks lift
        fork_height: "m" = 0.12, 0.0 => 20.0, design, "assumed";
        /// Speed of the forks
        fork_speed: "m/s" = 0.05, 1e-3 => 5.0, design, "assumed";
        /// Mass without load
        mass: "kg" = 700.0, 10.0 => 1e5, design, "assumed";
        /// Mass of a load
        load: "kg" = 500.0, 0.0 => 1e5, design, "assumed";
        /// Rolling resistance
        rolling: "" = 0.015, 0.001 => 0.1, design, "sheet 3.1: 0.01 to 0.02";
        /// Efficiency of the drive
        efficiency: "" = 0.8, 0.1 => 1.0, design, "sheet 3.1";
        /// Power that it takes always
        auxiliary: "W" = 100.0, 0.0 => 1e5, design, "sheet 3.1: 60 W to 150 W";
        /// Energy in a new battery when it is full
        battery: "J" = 6.5e6, 1e3 => 1e10, design, "assumed: 1.8 kWh";
        /// Voltage of the battery at rest
        voltage: "V" = 48.0, 1.0 => 1000.0, design, "assumed";
        /// Resistance of the battery
        resistance: "ohm" = 0.02, 0.0 => 10.0, design, "assumed";
        /// Charge at the beginning
        start_charge: "" = 0.8, 0.0 => 1.0, start, "assumed";
        /// Charge below which it does not set out
        least_charge: "" = 0.2, 0.0 => 1.0, design, "assumed";
        /// Power of the charger at home
        charger: "W" = 1500.0, 0.0 => 1e6, design, "assumed";
        /// Share of the charger's power that gets into the battery
        charging: "" = 0.92, 0.1 => 1.0, design, "assumed";
        /// Share of the battery's energy that is lost
        capacity_loss: "" = 0.0, 0.0 => 0.95, condition, "new; 0.2 after 1,500 to 3,000 cycles";
        /// Times more resistance than new
        resistance_growth: "" = 1.0, 1.0 => 20.0, condition, "new; 2 at the end of life";
        /// How fast wheels wear, as a share of their radius on a metre
        wheel_wear: "1/m" = 0.0, 0.0 => 1e-3, condition, "not; 0.005 in a year";
    }
}

quantities! {
    pub states VehicleState {
        /// Place on the track from home
        position: "m" = 0.0, -1e5 => 1e5;
        /// Speed, positive away from home
        speed: "m/s" = 0.0, -100.0 => 100.0;
        /// Height of the forks
        forks: "m" = 0.0, 0.0 => 100.0;
        /// Energy in the battery
        charge: "J" = 0.0, 0.0 => 1e10, estimated;
        /// Way driven since the start
        driven: "m" = 0.0, 0.0 => 1e12;
        /// Share of the wheels' radius that is worn
        wheels: "" = 0.0, 0.0 => 0.2, estimated;
        /// Where the running leg began
        leg_from: "m" = 0.0, -1e5 => 1e5;
        /// Time in the running leg
        leg_time: "s" = 0.0, 0.0 => 1e12;
        /// Acceleration
        pull: "m/s2" = 0.0, -100.0 => 100.0;
    }
}

quantities! {
    pub counts VehicleCounts {
        /// Phase: 0 waits, 1 lifts, 2 drives out, 3 lowers, 4 unloads, 5 drives home
        phase;
        /// Whether it carries an item
        loaded;
        /// Trips that ended
        trips;
        /// Times that it was stopped
        stops;
        /// Whether it was stopped in the step before
        stopped;
    }
}

quantities! {
    pub inputs VehicleInputs {
        /// Halts it while true: something is in its field, or somebody pressed a button
        stop: "", last = 0.0;
        /// Whether the charger at home has power
        charger: "", last = 1.0;
    }
}

quantities! {
    pub outputs VehicleOutputs {
        /// What it does
        phase: "" = OutputKind::Words(&["WAITING", "LIFTING", "DRIVING OUT", "LOWERING", "UNLOADING", "DRIVING HOME"]), held;
        /// Place on the track from home
        position: "m", held;
        /// Speed, positive away from home
        speed: "m/s", held;
        /// Height of the forks
        forks: "m", held;
        /// Charge of the battery
        charge: "", held;
        /// Voltage of the battery
        voltage: "V", held;
        /// Current out of the battery
        current: "A", direct;
        /// Power from the mains
        power: "W", direct;
        /// Trips that ended
        trips: "", held;
        /// Way driven since the start
        driven: "m", held;
        /// How well it knows where it is, 0 to 1
        localisation: "", held;
        /// Whether it carries an item
        loaded: "" = OutputKind::Flag, held;
        /// Whether it is on its way
        driving: "" = OutputKind::Flag, held;
        /// Whether it is too empty to set out
        low: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Vehicle",
    about: "A driverless vehicle that shuttles between two places",
    source: "trapezoid of speed; rolling resistance; charge balance",
    step: Some(50_000_000),
    parameters: VehicleParameters::ALL,
    states: VehicleState::ALL,
    counts: VehicleCounts::ALL,
    inputs: VehicleInputs::ALL,
    outputs: VehicleOutputs::ALL,
    ports: &[
        Port { name: "in", about: "Where it takes items, at home", domain: Domain::ItemsIn, required: true },
        Port {
            name: "out",
            about: "Where it gives items, at the end of its track",
            domain: Domain::ItemsOut,
            required: true,
        },
        Port {
            name: "mains",
            about: "Where its charger takes power",
            domain: Domain::Taker { carrier: Carrier::Electricity, taken: "power", potential: None },
            required: false,
        },
    ],
    repairs: &[Repair { name: "replace_wheels", about: "New wheels" }],
    ..Description::EMPTY
};

const WAITS: u64 = 0;
const LIFTS: u64 = 1;
const DRIVES_OUT: u64 = 2;
const LOWERS: u64 = 3;
const UNLOADS: u64 = 4;
const DRIVES_HOME: u64 = 5;

/// Seconds from rest to rest over a way in m, with a top speed in m/s and an acceleration in m/s².
pub fn travel_secs(way: f64, top_speed: f64, acceleration: f64) -> f64 {
    let way = way.abs();
    if way >= top_speed * top_speed / acceleration {
        way / top_speed + top_speed / acceleration
    } else {
        2.0 * (way / acceleration).sqrt()
    }
}

/// m, m/s and m/s² after `time` seconds on a way from rest to rest.
fn travel(time: f64, way: f64, top_speed: f64, acceleration: f64) -> (f64, f64, f64) {
    let whole = travel_secs(way, top_speed, acceleration);
    let rising = (0.5 * whole).min(top_speed / acceleration);
    let top = rising * acceleration;
    let left = whole - time;
    if time <= rising {
        (0.5 * acceleration * time * time, acceleration * time, acceleration)
    } else if left <= 0.0 {
        (way.abs(), 0.0, 0.0)
    } else if left < rising {
        (way.abs() - 0.5 * acceleration * left * left, acceleration * left, -acceleration)
    } else {
        (0.5 * acceleration * rising * rising + top * (time - rising), top, 0.0)
    }
}

impl VehicleParameters {
    fn capacity(&self) -> f64 {
        self.battery * (1.0 - self.capacity_loss)
    }

    /// W out of the battery.
    fn demand(&self, s: &VehicleState, c: &VehicleCounts) -> f64 {
        let mass = self.mass + self.load * c.loaded as f64;
        let speed = s.speed.abs();
        // Braking gives nothing back.
        let pull = if s.pull * s.speed > 0.0 { s.pull.abs() } else { 0.0 };
        let driving = (self.rolling * GRAVITY + pull) * mass * speed / self.efficiency;
        let lifts = if c.phase == LIFTS { self.load * c.loaded as f64 } else { 0.0 };
        let lifting = lifts * GRAVITY * self.fork_speed / self.efficiency;
        self.auxiliary + driving + lifting
    }

    /// V and A of the battery under a demand in W.
    fn battery(&self, demand: f64, share: f64) -> (f64, f64) {
        // Almost flat in the middle, a knee where it is almost empty.
        let rest = self.voltage * (0.94 + 0.08 * share - 0.15 * libm::exp(-20.0 * share));
        let resistance = self.resistance * self.resistance_growth;
        let current = demand / rest.max(1e-3);
        ((rest - resistance * current).max(0.0), current)
    }

    /// W that the charger takes from the mains.
    fn charger_power(&self, s: &VehicleState, c: &VehicleCounts, u: &VehicleInputs) -> f64 {
        let charges = c.phase == WAITS && s.charge < self.capacity() && u.charger > 0.5;
        if charges { self.charger } else { 0.0 }
    }
}

/// Drives a leg on; true where it has arrived.
fn drive(p: &VehicleParameters, s: &mut VehicleState, target: f64, dt: f64) -> bool {
    let way = target - s.leg_from;
    s.leg_time += dt;
    let (gone, speed, pull) = travel(s.leg_time, way, p.top_speed, p.acceleration);
    let before = s.position;
    s.position = s.leg_from + gone.copysign(way);
    (s.speed, s.pull) = (speed.copysign(way), pull.copysign(way) * pull.signum());
    let step = (s.position - before).abs();
    s.driven += step;
    s.wheels = (s.wheels + p.wheel_wear * step).min(0.2);
    let arrived = s.leg_time + 1e-9 >= travel_secs(way, p.top_speed, p.acceleration);
    if arrived {
        (s.position, s.speed, s.pull) = (target, 0.0, 0.0);
    }
    arrived
}

fn begin_leg(s: &mut VehicleState) {
    (s.leg_from, s.leg_time) = (s.position, 0.0);
}

impl Model for Vehicle {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let p = VehicleParameters::of(given.parameters);
        state.numbers[3] = p.start_charge * p.capacity();
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, u) = (VehicleParameters::of(given.parameters), VehicleInputs::of(given.inputs));
        let (s, c) = (VehicleState::of(state.numbers), VehicleCounts::of(state.counts));
        let share = (s.charge / p.capacity()).clamp(0.0, 1.0);
        let (voltage, current) = p.battery(p.demand(&s, &c), share);
        let power = p.charger_power(&s, &c, &u);
        VehicleOutputs {
            phase: c.phase as f64,
            position: s.position,
            speed: s.speed,
            forks: s.forks,
            charge: share,
            voltage,
            current: current - power * p.charging / voltage.max(1e-3),
            power,
            trips: c.trips as f64,
            driven: s.driven,
            // Odometry with a wrong radius is wrong by as much.
            localisation: (1.0 - 10.0 * s.wheels).max(0.0),
            loaded: c.loaded as f64,
            driving: f64::from(u8::from(s.speed != 0.0)),
            low: f64::from(u8::from(share < p.least_charge)),
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, u) = (VehicleParameters::of(given.parameters), VehicleInputs::of(given.inputs));
        let (mut s, mut c) = (VehicleState::of(state.numbers), VehicleCounts::of(state.counts));
        let power = p.charger_power(&s, &c, &u);
        s.charge = (s.charge + dt * (power * p.charging - p.demand(&s, &c))).clamp(0.0, p.capacity());
        let stopped = u.stop > 0.5 || s.charge <= 0.0;
        if stopped {
            c.stops += u64::from(c.stopped == 0 && s.speed != 0.0);
            c.stopped = 1;
            (s.speed, s.pull) = (0.0, 0.0);
            begin_leg(&mut s);
        } else {
            c.stopped = 0;
            let before = c.phase;
            c.phase = match c.phase {
                WAITS if c.loaded == 1 => LIFTS,
                LIFTS => {
                    s.forks = move_towards(s.forks, p.fork_height, p.fork_speed, dt);
                    if s.forks == p.fork_height { DRIVES_OUT } else { LIFTS }
                }
                DRIVES_OUT if drive(&p, &mut s, p.track, dt) => LOWERS,
                LOWERS => {
                    s.forks = move_towards(s.forks, 0.0, p.fork_speed, dt);
                    if s.forks == 0.0 { UNLOADS } else { LOWERS }
                }
                UNLOADS if c.loaded == 0 => DRIVES_HOME,
                DRIVES_HOME if drive(&p, &mut s, 0.0, dt) => {
                    c.trips += 1;
                    WAITS
                }
                same => same,
            };
            if c.phase != before {
                begin_leg(&mut s);
            }
        }
        s.put(state.numbers);
        c.put(state.counts);
    }

    fn accepts(&self, _: Gate, given: &Given<'_>, state: StateRef<'_>) -> bool {
        let p = VehicleParameters::of(given.parameters);
        let (s, c) = (VehicleState::of(state.numbers), VehicleCounts::of(state.counts));
        c.phase == WAITS && c.loaded == 0 && c.stopped == 0 && s.charge > p.least_charge * p.capacity()
    }

    fn take(&self, _: Gate, item: u64, _: &Given<'_>, state: &mut StateMut<'_>) {
        state.queue.push_back(item);
        state.counts[1] = 1;
    }

    fn offers(&self, _: Gate, _: &Given<'_>, state: StateRef<'_>) -> bool {
        let c = VehicleCounts::of(state.counts);
        c.phase == UNLOADS && c.loaded == 1
    }

    fn give(&self, _: Gate, _: &Given<'_>, state: &mut StateMut<'_>) -> u64 {
        state.counts[1] = 0;
        state.queue.pop_front().unwrap_or_default()
    }

    fn repair(&self, _: usize, _: &Given<'_>, state: &mut StateMut<'_>) {
        state.numbers[5] = 0.0;
    }

    fn account(&self, _: &Given<'_>, state: StateRef<'_>) -> Account {
        Account { items: state.queue.len() as i64, ..Account::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_take_as_long_as_their_trapezoids() {
        assert!((travel_secs(30.0, 1.5, 0.5) - 23.0).abs() < 1e-12);
        assert!((travel_secs(1.0, 1.5, 0.5) - 2.828_427).abs() < 1e-6);
        let braking = 30.0 - travel(23.0 - 3.0, 30.0, 1.5, 0.5).0;
        assert!((braking - 2.25).abs() < 1e-12, "{braking} m");
    }

    #[test]
    fn place_speed_and_acceleration_of_a_way_belong_together() {
        for way in [0.7, 4.5, 30.0] {
            let whole = travel_secs(way, 1.5, 0.5);
            let step = whole / 1000.0;
            for k in 1..1000 {
                let time = f64::from(k) * step;
                let at = |time: f64| travel(time, way, 1.5, 0.5);
                let slope = (at(time + 1e-5).0 - at(time - 1e-5).0) / 2e-5;
                assert!((slope - at(time).1).abs() < 1e-4 && at(time).1 <= 1.5 + 1e-12, "{way} m after {time} s");
            }
            let end = travel(whole, way, 1.5, 0.5);
            assert!((end.0 - way).abs() < 1e-12 && end.1.abs() < 1e-9, "{end:?}");
        }
    }

    #[test]
    fn a_hundred_metres_with_a_ton_and_a_half_take_eight_watt_hours_of_rolling() {
        let defaults: Vec<f64> = VehicleParameters::ALL.iter().map(|one| one.default).collect();
        let p = VehicleParameters { mass: 1500.0, auxiliary: 0.0, ..VehicleParameters::of(&defaults) };
        let mut s = VehicleState::of(&[0.0; 9]);
        s.speed = 1.5;
        let c = VehicleCounts::of(&[DRIVES_HOME, 0, 0, 0, 0]);
        let energy = p.demand(&s, &c) * 100.0 / 1.5 / 3600.0;
        assert!((energy / 7.7 - 1.0).abs() < 0.01, "{energy} Wh");
    }
}
