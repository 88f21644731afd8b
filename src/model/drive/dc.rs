//! A motor for direct current with permanent magnets, and its drive. In: the voltage that it is told, the voltage of its
//! supply, the torque of what it drives. Out: current, speed, torque, temperatures, losses. Never feeds power back.
//!
//! ```text
//! L di/dt = v - R i - K w        J dw/dt = K i - b w - T_c sgn(w) - T        R = R_20 (1 + 0.00393 (T_w - 20))
//! C_w dT_w/dt = R i² - (T_w - T_h) / R_wh        C_h dT_h/dt = (T_w - T_h) / R_wh - (T_h - T_a) / R_ha
//! ```
//!
//! Both pairs are stepped exactly for what stays constant during the step, so that a step may be longer than the
//! electrical time constant. A motor that dry friction brings to rest stays there until its torque overcomes it.
//!
//! Speed and current are exact for voltage and torque that stand during a step. Temperatures are of order 2 while the
//! resistance stands, and of order 1 where it follows the temperature of the winding.
//!
//! | figure | source | wanted | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | poles of the teaching motor, 1/s | sheet 1.1 | -9.99750, -2.00250 | -9.99750, -2.00250 | < 1e-5 |
//! | steady speed at 1 V, rad/s | sheet 1.1 | 0.0999001 | 0.0999001 | < 1e-6 |
//! | speed after 0.5, 1 and 2 s, rad/s | sheet 1.1 | 0.0541701, 0.0830371, 0.0976235 | the same | < 1e-6 |
//! | servo motor without load | maxon RE 40, data sheet | 7580 rpm, 137 mA | 7576 rpm, 137 mA | < 2e-3 |
//! | servo motor at 177 mN m | maxon RE 40, data sheet | 6 A | 6.0 A | < 1e-2 |
//! | energy in less heat, friction and store | sheet 1.1 | 0 | 0 | < 1e-8 |

use crate::model::integrate::linear;
use crate::model::quantities;
use crate::model::{Carrier, Description, Domain, Given, Model, OutputKind, Port, Repair, StateMut, StateRef};

/// A motor for direct current.
#[derive(Clone, Copy, Debug)]
pub struct DcMotor;

quantities! {
    pub parameters DcMotorParameters {
        /// Resistance of the armature at 20 °C
        resistance: "ohm" = 0.299, 1e-4 => 1e4, design, "maxon RE 40, 24 V, data sheet";
        /// Inductance of the armature
        inductance: "H" = 82e-6, 1e-7 => 10.0, design, "maxon RE 40, 24 V, data sheet";
        /// Torque by current, and voltage by speed
        torque_constant: "N.m/A" = 30.2e-3, 1e-4 => 100.0, design, "maxon RE 40, 24 V, data sheet";
        /// Moment of inertia of rotor and load
        inertia: "kg.m2" = 142e-7, 1e-8 => 1e3, design, "maxon RE 40: 142 g cm2";
        /// Viscous friction
        viscous_friction: "N.m.s" = 0.0, 0.0 => 100.0, design, "none: part of the no-load current";
        /// Dry friction
        dry_friction: "N.m" = 4.14e-3, 0.0 => 100.0, design, "maxon RE 40: 137 mA without load";
        /// Most voltage that its drive gives at full supply
        rated_voltage: "V" = 24.0, 0.1 => 1000.0, design, "maxon RE 40";
        /// Voltage of the supply for which the drive is made
        rated_supply: "V" = 24.0, 0.1 => 1000.0, design, "maxon RE 40";
        /// Share of the power taken that the drive passes on
        drive_efficiency: "" = 0.95, 0.1 => 1.0, design, "assumed: 0.92 to 0.97 for servo drives";
        /// From winding to housing
        winding_resistance: "K/W" = 1.93, 1e-3 => 100.0, design, "maxon RE 40, data sheet";
        /// From housing to the surroundings
        housing_resistance: "K/W" = 4.65, 1e-3 => 100.0, design, "maxon RE 40, data sheet";
        /// Heat capacity of the winding
        winding_capacity: "J/K" = 21.55, 1.0 => 1e6, design, "maxon RE 40: 41.6 s over 1.93 K/W";
        /// Heat capacity of the housing
        housing_capacity: "J/K" = 240.9, 1.0 => 1e7, design, "maxon RE 40: 1120 s over 4.65 K/W";
        /// Change of resistance by temperature, against 20 °C
        copper: "1/K" = 0.003_93, 0.0 => 0.01, design, "copper: IEC 60028";
        /// Segments of the commutator
        segments: "" = 13.0, 2.0 => 200.0, design, "assumed";
        /// Share of the current that ripples with the commutator while brushes are new
        ripple: "" = 0.02, 0.0 => 0.5, design, "assumed";
        /// Share of resistance that brushes have added
        brush_wear: "" = 0.0, 0.0 => 2.0, condition, "new; 0.2 to 1 when worn";
        /// Brush wear that each revolution adds
        brush_rate: "1/s" = 0.0, 0.0 => 1.0, condition, "none; about 1e-7 at rated speed";
        /// Share of the torque constant that heat or overcurrent has taken
        demagnetisation: "" = 0.0, 0.0 => 0.5, condition, "none; 0.05 to 0.2 after overheating";
        /// Share of the winding's turns that are short-circuited
        shorted_turns: "" = 0.0, 0.0 => 0.5, condition, "none";
        /// Times more dry friction than new
        drag: "" = 1.0, 1.0 => 50.0, condition, "new; 2 to 10 with a bad bearing";
        /// Times more resistance between housing and surroundings
        blocked_cooling: "" = 1.0, 1.0 => 20.0, condition, "free; 2 when covered";
    }
}

quantities! {
    pub states DcMotorState {
        /// Current of the armature
        current: "A" = 0.0, -1e7 => 1e7, estimated;
        /// Speed
        speed: "rad/s" = 0.0, -1e5 => 1e5, estimated;
        /// Temperature of the winding
        winding: "degC" = 20.0, -100.0 => 2000.0, estimated;
        /// Temperature of the housing
        housing: "degC" = 20.0, -100.0 => 2000.0, estimated;
        /// Share of resistance that brushes have added since they were new
        brushes: "" = 0.0, 0.0 => 2.0, estimated;
    }
}

quantities! {
    pub inputs DcMotorInputs {
        /// Voltage that its drive is told
        voltage: "V", last = 24.0;
        /// Voltage of the supply
        supply: "V", mean = 24.0;
        /// Torque of what it drives, positive against forward rotation
        load_torque: "N.m", mean = 0.0;
        /// Temperature of the surroundings
        ambient: "degC", mean = 20.0;
        /// Heat that comes in through the housing
        heat: "W", mean = 0.0;
    }
}

quantities! {
    pub outputs DcMotorOutputs {
        /// Voltage at the armature
        voltage: "V", direct;
        /// Current of the armature
        current: "A", held;
        /// Part of the current that ripples with the commutator, peak
        ripple: "A", held;
        /// Frequency of that ripple
        ripple_frequency: "Hz", held;
        /// Speed
        speed: "rad/s", held;
        /// Torque of the magnetic field
        torque: "N.m", held;
        /// Power taken from the supply
        power: "W", direct;
        /// Power at the shaft
        shaft_power: "W", held;
        /// Heat made in the winding
        copper_loss: "W", held;
        /// Temperature of the winding
        winding_temperature: "degC", held;
        /// Temperature of the housing
        housing_temperature: "degC", held;
        /// Share of resistance that worn brushes add
        brush_wear: "" = OutputKind::Number, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "DcMotor",
    about: "A motor for direct current with permanent magnets",
    source: "Control Tutorials for MATLAB and Simulink, DC motor speed; maxon RE 40 data sheet",
    step: Some(10_000_000),
    parameters: DcMotorParameters::ALL,
    states: DcMotorState::ALL,
    inputs: DcMotorInputs::ALL,
    outputs: DcMotorOutputs::ALL,
    ports: &[
        Port {
            name: "mains",
            about: "Where its drive takes power",
            domain: Domain::Taker { carrier: Carrier::Electricity, taken: "power", potential: Some("supply") },
            required: false,
        },
        Port {
            name: "shaft",
            about: "What it drives",
            domain: Domain::Giver { carrier: Carrier::Rotation, given: "load_torque", potential: "speed" },
            required: false,
        },
        Port {
            name: "housing",
            about: "Where heat leaves",
            domain: Domain::Heat { temperature: "housing_temperature", flow: "heat" },
            required: false,
        },
    ],
    repairs: &[Repair { name: "replace_brushes", about: "New brushes" }],
    ..Description::EMPTY
};

/// The linear part: armature and shaft.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Armature {
    /// Ω
    pub resistance: f64,
    /// H
    pub inductance: f64,
    /// N m/A and V s
    pub constant: f64,
    /// kg m²
    pub inertia: f64,
    /// N m s
    pub friction: f64,
}

impl Armature {
    fn matrix(&self) -> [[f64; 2]; 2] {
        let Self { resistance, inductance, constant, inertia, friction } = *self;
        [[-resistance / inductance, -constant / inductance], [constant / inertia, -friction / inertia]]
    }

    /// Current in A and speed in rad/s that a voltage in V and a torque in N m against it lead to.
    pub fn steady(&self, voltage: f64, torque: f64) -> [f64; 2] {
        let Self { resistance, constant, friction, .. } = *self;
        let below = resistance * friction + constant * constant;
        [(friction * voltage + constant * torque) / below, (constant * voltage - resistance * torque) / below]
    }

    /// Current and speed after `dt`, exact for a constant voltage and torque.
    pub fn after(&self, now: [f64; 2], voltage: f64, torque: f64, dt: f64) -> [f64; 2] {
        linear(&self.matrix(), self.steady(voltage, torque), now, dt)
    }

    /// Its poles in 1/s as (real part, imaginary part), the faster first.
    pub fn poles(&self) -> [(f64, f64); 2] {
        let [[a, b], [c, d]] = self.matrix();
        let (half, square) = (0.5 * (a + d), 0.25 * (a - d) * (a - d) + b * c);
        let root = square.abs().sqrt();
        if square >= 0.0 { [(half - root, 0.0), (half + root, 0.0)] } else { [(half, -root), (half, root)] }
    }
}

/// The motor as it is now: warm, worn, weakened.
fn armature(p: &DcMotorParameters, s: &DcMotorState) -> Armature {
    let turns = 1.0 - p.shorted_turns;
    let warm = (1.0 + p.copper * (s.winding - 20.0)).max(0.1);
    Armature {
        resistance: p.resistance * warm * (turns + p.brush_wear + s.brushes),
        inductance: p.inductance * turns * turns,
        constant: p.torque_constant * turns * (1.0 - p.demagnetisation),
        inertia: p.inertia,
        friction: p.viscous_friction,
    }
}

/// V at the armature.
fn voltage(p: &DcMotorParameters, u: &DcMotorInputs) -> f64 {
    let most = p.rated_voltage * (u.supply / p.rated_supply).clamp(0.0, 1.2);
    u.voltage.clamp(-most, most)
}

/// Current and speed after a step with dry friction.
fn turn(armature: &Armature, s: &DcMotorState, voltage: f64, load: f64, dry: f64, dt: f64) -> [f64; 2] {
    let now = [s.current, s.speed];
    if dry <= 0.0 {
        return armature.after(now, voltage, load, dt);
    }
    let push = armature.constant * s.current - load;
    if s.speed == 0.0 {
        // At rest the current follows its own lag; it may overcome friction in the course of the step.
        let locked = voltage / armature.resistance;
        let tau = armature.inductance / armature.resistance;
        let current = crate::model::integrate::approach(s.current, locked, tau, dt);
        let most = armature.constant * current - load;
        let strongest = if most.abs() > push.abs() { most } else { push };
        if strongest.abs() <= dry {
            return [current, 0.0];
        }
        return armature.after(now, voltage, load + dry.copysign(strongest), dt);
    }
    let [current, speed] = armature.after(now, voltage, load + dry.copysign(s.speed), dt);
    // Friction stops; it never turns back.
    if speed * s.speed < 0.0 { [current, 0.0] } else { [current, speed] }
}

impl Model for DcMotor {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, s) = (DcMotorParameters::of(given.parameters), DcMotorState::of(state.numbers));
        let u = DcMotorInputs::of(given.inputs);
        let armature = armature(&p, &s);
        let (voltage, torque) = (voltage(&p, &u), armature.constant * s.current);
        let worn = p.brush_wear + s.brushes;
        DcMotorOutputs {
            voltage,
            current: s.current,
            ripple: s.current.abs() * p.ripple * (1.0 + 4.0 * worn),
            ripple_frequency: p.segments * s.speed.abs() / std::f64::consts::TAU,
            speed: s.speed,
            torque,
            power: (voltage * s.current).max(0.0) / p.drive_efficiency,
            shaft_power: torque * s.speed,
            copper_loss: armature.resistance * s.current * s.current,
            winding_temperature: s.winding,
            housing_temperature: s.housing,
            brush_wear: worn,
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, mut s) = (DcMotorParameters::of(given.parameters), DcMotorState::of(state.numbers));
        let u = DcMotorInputs::of(given.inputs);
        let armature = armature(&p, &s);
        let before = s.current;
        let [current, speed] = turn(&armature, &s, voltage(&p, &u), u.load_torque, p.dry_friction * p.drag, dt);
        s.current = current.clamp(-1e7, 1e7);
        s.speed = speed.clamp(-1e5, 1e5);
        // Simpson's mean of the square over a step in which the current runs straight.
        let square = (before * before + before * s.current + s.current * s.current) / 3.0;
        let heat = armature.resistance * square;
        let (inner, outer) = (p.winding_resistance, p.housing_resistance * p.blocked_cooling);
        let housing = u.ambient + (heat + u.heat) * outer;
        let (to_housing, away) = (1.0 / inner, 1.0 / outer);
        let nodes = [
            [-to_housing / p.winding_capacity, to_housing / p.winding_capacity],
            [to_housing / p.housing_capacity, -(to_housing + away) / p.housing_capacity],
        ];
        let [winding, housing] = linear(&nodes, [housing + heat * inner, housing], [s.winding, s.housing], dt);
        s.winding = winding.clamp(-100.0, 2000.0);
        s.housing = housing.clamp(-100.0, 2000.0);
        let revolutions = s.speed.abs() * dt / std::f64::consts::TAU;
        s.brushes = (s.brushes + p.brush_rate * revolutions).min(2.0);
        s.put(state.numbers);
    }

    fn repair(&self, _: usize, _: &Given<'_>, state: &mut StateMut<'_>) {
        let mut s = DcMotorState::of(state.numbers);
        s.brushes = 0.0;
        s.put(state.numbers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of "DC motor speed" of the Control Tutorials for MATLAB and Simulink.
    const TEACHING: Armature =
        Armature { resistance: 1.0, inductance: 0.5, constant: 0.01, inertia: 0.01, friction: 0.1 };

    #[test]
    fn the_teaching_motor_has_the_poles_and_the_steady_speed_of_its_page() {
        let poles = TEACHING.poles();
        for ((real, imaginary), wanted) in poles.iter().zip([-9.997_50, -2.002_50]) {
            assert!((real / wanted - 1.0).abs() < 1e-5 && *imaginary == 0.0, "{poles:?}");
        }
        let [_, speed] = TEACHING.steady(1.0, 0.0);
        // 0.01 / 0.1001 in closed form.
        assert!((speed / (0.01 / 0.1001) - 1.0).abs() < 1e-9 && (speed / 0.099_900_1 - 1.0).abs() < 1e-6, "{speed}");
    }

    #[test]
    fn the_teaching_motor_speeds_up_as_its_page_says_whatever_the_step() {
        for steps_per_second in [2, 1000] {
            let (mut now, dt) = ([0.0, 0.0], 1.0 / f64::from(steps_per_second));
            for step in 1..=2 * steps_per_second {
                now = TEACHING.after(now, 1.0, 0.0, dt);
                for (halves, wanted) in [(1, 0.054_170_1), (2, 0.083_037_1), (4, 0.097_623_5)] {
                    if step * 2 == halves * steps_per_second {
                        assert!((now[1] / wanted - 1.0).abs() < 1e-6, "after {halves}/2 s: {}", now[1]);
                    }
                }
            }
        }
    }

    #[test]
    fn what_goes_in_is_heat_friction_or_stored() {
        let (mut now, dt) = ([0.0, 0.0], 1e-3);
        let (mut taken, mut lost) = (0.0, 0.0);
        for _ in 0..2000 {
            // Simpson over each step: the path within it is known exactly.
            let [middle, end] = [0.5 * dt, dt].map(|t| TEACHING.after(now, 1.0, 0.0, t));
            let each = |f: &dyn Fn([f64; 2]) -> f64| dt / 6.0 * (f(now) + 4.0 * f(middle) + f(end));
            taken += each(&|[i, _]| i);
            lost += each(&|[i, w]| i * i + 0.1 * w * w);
            now = end;
        }
        let stored = 0.5 * 0.5 * now[0] * now[0] + 0.5 * 0.01 * now[1] * now[1];
        assert!(((lost + stored) / taken - 1.0).abs() < 1e-8, "{taken} {lost} {stored}");
    }
}
