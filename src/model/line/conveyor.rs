//! A belt with items on it. In: items, a speed, the room behind it. Out: the same items in the same order, occupancy,
//! current, temperature, what its photo-eyes see. Never lets one item pass another, nor come nearer than the gap.
//!
//! Items stand at whole micrometres. Each moves with the belt until it stands a gap behind the one in front, under which
//! the belt slides on (accumulation; Härte, "The modelling of packaging lines", 1997). An item is set down with its whole
//! length on the belt, so that a blocked belt fills to floor(L / (length + gap)) and one that runs carries v / (length +
//! gap) items a second.
//!
//! Force by DIN 22101: F = C f L g (m_R + 2 m_B + m_L) + H g m_L, on the flat; a constant force stands for what short
//! belts have besides (C holds from 80 m on). Power F v / eta. The drum holds the belt while T_1 / T_2 <= e^(mu theta)
//! (Euler and Eytelwein): it can pull T_2 (e^(mu theta) - 1); where more is asked for, the belt slips.
//!
//! Speed and ways are exact for a speed that is told once; the temperature is of order 1.
//!
//! | figure | source | wanted | ours | difference |
//! |---|---|---|---|---|
//! | force: 100 m, 20, 10 and 30 kg/m, C 1.78, g 9.81 | sheet 1.9 | 2444.65 N | 2444.65 N | 1e-6 |
//! | power at 1.5 m/s, g 9.81 | sheet 1.9 | 3.666 98 kW | 3.666 98 kW | 1e-6 |
//! | e^(mu pi), mu 0.35 | sheet 1.9 | 3.002 84 | 3.002 84 | 1e-6 |
//! | blocked belt | sheet 1.9 | floor(L / pitch) | floor(L / pitch) | 0 |

use crate::model::integrate::{approach, move_towards};
use crate::model::quantities;
use crate::model::{
    Account, Carrier, Description, Domain, GRAVITY, Gate, Given, Model, OutputKind, Port, Repair, StateMut, StateRef,
};

/// An accumulating belt conveyor.
#[derive(Clone, Copy, Debug)]
pub struct Conveyor;

quantities! {
    pub parameters ConveyorParameters {
        /// Length
        length: "m" = 4.0, 0.05 => 1000.0, design, "assumed";
        /// Length of an item along the belt
        item_length: "m" = 0.09, 1e-3 => 100.0, design, "a bottle";
        /// Least gap between two items
        gap: "m" = 0.01, 0.0 => 100.0, design, "assumed";
        /// Mass of an item
        item_mass: "kg" = 0.55, 0.0 => 1e5, design, "a bottle of half a litre";
        /// Speed at full command
        belt_speed: "m/s" = 0.4, 1e-3 => 10.0, design, "assumed";
        /// How fast its speed changes
        acceleration: "m/s2" = 0.5, 0.01 => 100.0, design, "assumed";
        /// Share of its speed on an almost full belt, so that items do not press on each other
        full_speed: "" = 0.6, 0.01 => 1.0, design, "assumed";
        /// Mass of turning rollers for each metre
        roller_mass: "kg/m" = 2.0, 0.0 => 1000.0, design, "a light belt";
        /// Mass of the belt for each metre
        belt_mass: "kg/m" = 1.5, 0.0 => 1000.0, design, "a light belt";
        /// Artificial friction
        friction: "" = 0.02, 0.005 => 0.2, design, "DIN 22101: 0.017 to 0.03";
        /// Times more resistance than the friction along the belt
        length_factor: "" = 1.0, 1.0 => 5.0, design, "DIN 22101: 1.92 at 80 m, 1.78 at 100 m; short belts: the next";
        /// Resistance that does not depend on length
        fixed_force: "N" = 60.0, 0.0 => 1e5, design, "assumed: bending, scrapers, skirts";
        /// How much higher its end lies
        lift: "m" = 0.0, -100.0 => 100.0, design, "flat";
        /// Friction between belt and items that stand
        slide: "" = 0.15, 0.0 => 1.0, design, "assumed: lubricated slats";
        /// Pull of the take-up on the slack side
        tension: "N" = 150.0, 0.0 => 1e6, design, "assumed";
        /// Angle of the belt around the drum
        wrap: "rad" = std::f64::consts::PI, 0.1 => 10.0, design, "half a turn";
        /// Efficiency of motor and gearbox
        efficiency: "" = 0.75, 0.1 => 1.0, design, "assumed";
        /// Power that motor and gearbox take by themselves at full speed
        idle_power: "W" = 180.0, 0.0 => 1e5, design, "assumed: 0.55 kW motor";
        /// Voltage between phases
        voltage: "V" = 400.0, 10.0 => 1000.0, design, "IEC 60038";
        /// Power factor
        power_factor: "" = 0.72, 0.1 => 1.0, design, "assumed: small motor";
        /// How much warmer the motor gets by each watt that it takes
        thermal_resistance: "K/W" = 0.08, 0.0 => 10.0, design, "assumed";
        /// Time constant of the motor's temperature
        thermal_time: "s" = 900.0, 1.0 => 1e5, design, "assumed";
        /// Friction between drum and belt
        drum_friction: "" = 0.35, 0.01 => 1.0, condition, "dry; 0.2 when wet or oily";
        /// Idlers that have seized
        seized: "" = 0.0, 0.0 => 100.0, condition, "none";
        /// How fast the take-up loosens, as a share of its pull in a second of running
        wear_rate: "Hz" = 0.0, 0.0 => 1.0, condition, "not; 1e-6 for two weeks";
        /// Whether an item is jammed at the exit: 1, or 0
        jam: "" = 0.0, 0.0 => 1.0, condition, "none";
        /// Dirt on the photo-eyes: above 0.5 they always see something
        eye_dirt: "" = 0.0, 0.0 => 1.0, condition, "clean";
    }
}

quantities! {
    pub states ConveyorState {
        /// Speed of the drum's surface
        drum_speed: "m/s" = 0.0, 0.0 => 20.0;
        /// Part of a micrometre that the belt has moved
        part: "um" = 0.0, 0.0 => 1.0;
        /// Temperature of the motor
        temperature: "degC" = 25.0, -50.0 => 1000.0, estimated;
        /// Share of its pull that the take-up has lost
        looseness: "" = 0.0, 0.0 => 1.0, estimated;
    }
}

quantities! {
    pub counts ConveyorCounts {
        /// Way of the belt, um
        way;
        /// Way of the belt in the last step, um
        last_way;
        /// Items that entered
        entered;
        /// Items that left
        left;
        /// Items that stand against the one in front or at the end
        standing;
    }
}

quantities! {
    pub inputs ConveyorInputs {
        /// Speed that it is told, as a share of its full one
        speed: "", last = 1.0;
        /// Whether its drive has power
        power: "", last = 1.0;
        /// Temperature of the surroundings
        ambient: "degC", mean = 20.0;
    }
}

quantities! {
    pub outputs ConveyorOutputs {
        /// Speed of the belt
        speed: "m/s", held;
        /// Way of the belt since the start
        way: "m", held;
        /// Items on it
        items: "", held;
        /// Share of its places that are taken
        occupancy: "", held;
        /// Items that left
        left: "", held;
        /// Force on the belt
        force: "N", held;
        /// Current of the motor
        current: "A", held;
        /// Power from the mains
        power: "W", held;
        /// Temperature of the motor
        temperature: "degC", held;
        /// How much slower the belt is than the drum
        slip: "", held;
        /// Whether the eye at the entry sees an item
        entry_eye: "" = OutputKind::Flag, held;
        /// Whether the eye at the exit sees an item
        exit_eye: "" = OutputKind::Flag, held;
        /// Whether no place is left
        full: "" = OutputKind::Flag, held;
        /// Whether it runs
        running: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Conveyor",
    about: "An accumulating belt conveyor",
    source: "DIN 22101; Euler and Eytelwein; Härte, The modelling of packaging lines, 1997",
    step: Some(50_000_000),
    parameters: ConveyorParameters::ALL,
    states: ConveyorState::ALL,
    counts: ConveyorCounts::ALL,
    inputs: ConveyorInputs::ALL,
    outputs: ConveyorOutputs::ALL,
    ports: &[
        Port { name: "in", about: "Where items enter", domain: Domain::ItemsIn, required: true },
        Port { name: "out", about: "Where items leave", domain: Domain::ItemsOut, required: false },
        Port {
            name: "mains",
            about: "Where its drive takes power",
            domain: Domain::Taker { carrier: Carrier::Electricity, taken: "power", potential: None },
            required: false,
        },
    ],
    repairs: &[Repair { name: "retension", about: "The take-up is tightened" }],
    ..Description::EMPTY
};

// The queue holds pairs of (place of the front in um from the entry, item), the item that leaves next first.

fn micrometres(metres: f64) -> u64 {
    (metres * 1e6).round().max(0.0) as u64
}

impl ConveyorParameters {
    /// um from front to front of items that touch each other but for the gap.
    fn pitch(&self) -> u64 {
        micrometres(self.item_length + self.gap).max(1)
    }

    /// Items that find a place.
    fn places(&self) -> u64 {
        micrometres(self.length) / self.pitch()
    }

    /// N that drum and belt must overcome, for so many items, some of which stand while the belt slides under them.
    fn force(&self, items: f64, standing: f64) -> f64 {
        let load = items * self.item_mass / self.length;
        let mass = self.roller_mass + 2.0 * self.belt_mass + load;
        let along = self.length_factor * self.friction * self.length * GRAVITY * mass;
        let sliding = self.slide * standing * self.item_mass * GRAVITY;
        // A seized idler adds 50 N to 150 N (sheet 1.9, assumed).
        let seized = 100.0 * self.seized.floor();
        (along + sliding + self.lift * GRAVITY * load + self.fixed_force + seized).max(0.0)
    }

    /// N that the drum can pull before the belt slips.
    fn grip(&self, looseness: f64) -> f64 {
        self.tension * (1.0 - looseness) * libm::expm1(self.drum_friction * self.wrap)
    }

    /// Share of the drum's speed that the belt keeps: all, or as much as it is held, down to none at a tenth.
    fn kept(&self, force: f64, looseness: f64) -> f64 {
        let held = if force > 0.0 { self.grip(looseness) / force } else { 1.0 };
        ((held - 0.1) / 0.9).clamp(0.0, 1.0)
    }
}

/// What follows from the state: force in N, speed of the belt in m/s, power in W.
fn drive(p: &ConveyorParameters, s: &ConveyorState, c: &ConveyorCounts) -> (f64, f64, f64) {
    let items = (c.entered - c.left) as f64;
    let force = p.force(items, c.standing as f64);
    let speed = s.drum_speed * p.kept(force, s.looseness);
    // A belt that slips takes no more than the drum can pull.
    let pulled = force.min(p.grip(s.looseness));
    let power = p.idle_power * s.drum_speed / p.belt_speed + pulled * s.drum_speed / p.efficiency;
    (force, speed, power)
}

impl Model for Conveyor {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let p = ConveyorParameters::of(given.parameters);
        let (s, c) = (ConveyorState::of(state.numbers), ConveyorCounts::of(state.counts));
        let (force, speed, power) = drive(&p, &s, &c);
        let (items, places) = (c.entered - c.left, p.places());
        let length = micrometres(p.length);
        let (body, dirty) = (micrometres(p.item_length), p.eye_dirt > 0.5);
        let at_exit = state.queue.front().is_some_and(|front| *front + body / 2 >= length);
        let at_entry = state.queue.len() >= 2 && state.queue[state.queue.len() - 2] <= p.pitch() + body / 2;
        ConveyorOutputs {
            speed,
            way: c.way as f64 / 1e6,
            items: items as f64,
            occupancy: if places > 0 { items as f64 / places as f64 } else { 0.0 },
            left: c.left as f64,
            force,
            current: power / (3f64.sqrt() * p.voltage * p.power_factor),
            power,
            temperature: s.temperature,
            slip: if s.drum_speed > 0.0 { 1.0 - speed / s.drum_speed } else { 0.0 },
            entry_eye: f64::from(u8::from(dirty || at_entry)),
            exit_eye: f64::from(u8::from(dirty || at_exit)),
            full: f64::from(u8::from(items >= places)),
            running: f64::from(u8::from(speed > 1e-3)),
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, u) = (ConveyorParameters::of(given.parameters), ConveyorInputs::of(given.inputs));
        let (mut s, mut c) = (ConveyorState::of(state.numbers), ConveyorCounts::of(state.counts));
        let (_, speed, power) = drive(&p, &s, &c);
        let moved = s.part + speed * dt * 1e6;
        c.last_way = moved as u64;
        s.part = moved - c.last_way as f64;
        c.way += c.last_way;
        (c.standing, s.looseness) = (0, (s.looseness + p.wear_rate * dt * speed / p.belt_speed).min(1.0));
        let length = micrometres(p.length);
        let mut limit = length;
        for k in (0..state.queue.len()).step_by(2) {
            let place = &mut state.queue[k];
            let (wanted, arrives) = (*place + c.last_way, k == 0 && *place < length);
            *place = wanted.min(limit);
            c.standing += u64::from(wanted > limit);
            // The first item may leave as soon as it arrives: those behind it come as far as if it did. Where it does
            // not, they are back at their gap after the next step.
            limit = if arrives { wanted } else { *place }.saturating_sub(p.pitch());
        }
        s.temperature = approach(s.temperature, u.ambient + p.thermal_resistance * power, p.thermal_time, dt);
        let almost_full = 10 * (c.entered - c.left) > 9 * p.places();
        let wanted = p.belt_speed * u.speed.clamp(0.0, 1.5) * if almost_full { p.full_speed } else { 1.0 };
        let wanted = if u.power > 0.5 { wanted } else { 0.0 };
        s.drum_speed = move_towards(s.drum_speed, wanted, p.acceleration, dt);
        s.put(state.numbers);
        c.put(state.counts);
    }

    fn accepts(&self, _: Gate, given: &Given<'_>, state: StateRef<'_>) -> bool {
        let p = ConveyorParameters::of(given.parameters);
        let pitch = p.pitch();
        let entries = state.queue.len();
        // As many as find a place: behind an item that has just arrived at the end they may stand nearer for a step.
        let places = (entries as u64) / 2 < p.places();
        places && (entries == 0 || state.queue[entries - 2] >= 2 * pitch)
    }

    fn take(&self, _: Gate, item: u64, given: &Given<'_>, state: &mut StateMut<'_>) {
        let pitch = ConveyorParameters::of(given.parameters).pitch();
        let mut c = ConveyorCounts::of(state.counts);
        // The place came free during the step: the item is as far on the belt as it has been free, at most.
        let entries = state.queue.len();
        let behind = if entries > 0 { state.queue[entries - 2] - pitch } else { pitch };
        state.queue.push_back(behind.min(pitch + c.last_way));
        state.queue.push_back(item);
        c.entered += 1;
        c.put(state.counts);
    }

    fn offers(&self, _: Gate, given: &Given<'_>, state: StateRef<'_>) -> bool {
        let p = ConveyorParameters::of(given.parameters);
        let at_end = state.queue.front().is_some_and(|place| *place >= micrometres(p.length));
        at_end && p.jam <= 0.5 && ConveyorCounts::of(state.counts).last_way > 0
    }

    fn give(&self, _: Gate, _: &Given<'_>, state: &mut StateMut<'_>) -> u64 {
        let mut c = ConveyorCounts::of(state.counts);
        c.left += 1;
        c.put(state.counts);
        state.queue.pop_front();
        state.queue.pop_front().unwrap_or_default()
    }

    fn repair(&self, _: usize, _: &Given<'_>, state: &mut StateMut<'_>) {
        state.numbers[3] = 0.0;
    }

    fn account(&self, _: &Given<'_>, state: StateRef<'_>) -> Account {
        Account { items: (state.queue.len() / 2) as i64, ..Account::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> ConveyorParameters {
        let defaults: Vec<f64> = ConveyorParameters::ALL.iter().map(|one| one.default).collect();
        ConveyorParameters::of(&defaults)
    }

    #[test]
    fn a_long_belt_needs_the_force_and_power_of_din_22101() {
        let belt = ConveyorParameters {
            length: 100.0,
            roller_mass: 20.0,
            belt_mass: 10.0,
            length_factor: 1.78,
            fixed_force: 0.0,
            item_mass: 30.0,
            ..parameters()
        };
        // 100 items of 30 kg on 100 m: 30 kg/m. The figures have 9.81 m/s² for g.
        let force = belt.force(100.0, 0.0) * 9.81 / GRAVITY;
        assert!((force / 2444.65 - 1.0).abs() < 1e-5, "{force} N");
        assert!((force * 1.5 / 3666.98 - 1.0).abs() < 1e-5, "{} W", force * 1.5);
    }

    #[test]
    fn a_drum_holds_three_times_the_tension_of_the_slack_side() {
        let belt = ConveyorParameters { tension: 1.0, ..parameters() };
        let ratio = 1.0 + belt.grip(0.0);
        assert!((ratio / 3.002_84 - 1.0).abs() < 1e-5, "{ratio}");
    }

    #[test]
    fn a_loose_or_oily_belt_slips_and_a_tight_one_does_not() {
        let belt = parameters();
        let force = belt.force(20.0, 0.0);
        assert_eq!(belt.kept(force, 0.0), 1.0);
        let loose = belt.kept(force, 0.9);
        let oily = ConveyorParameters { drum_friction: 0.05, ..belt }.kept(force, 0.0);
        assert!(loose > 0.0 && loose < 0.7 && oily < 0.7, "{loose} {oily}");
        assert_eq!(belt.kept(force, 1.0), 0.0);
    }
}
