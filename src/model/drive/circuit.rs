//! The induction machine as a circuit. In: resistances, inductances, voltage, frequency, slip. Out: currents, torque,
//! power at rest (phasors of one phase) and the equations of a run-up (flux linkages in the frame of the stator). Pure.
//!
//! Krause, Wasynczuk and Sudhoff, "Analysis of Electric Machinery and Drive Systems", ch. 6.
//!
//! | figure | source | wanted | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | slip 40/1500: N m, A, power factor | sheet 1.2 | 113.055, 29.3007, 0.90204 | the same | < 1e-5 |
//! | start: N m, A | sheet 1.2 | 383.229, 306.340 | the same | < 1e-5 |
//! | breakdown: slip, N m | sheet 1.2 | 0.337089, 572.720 | the same | < 1e-5 |
//! | slip and A at 98.109 N m | sheet 1.2 | 0.0229523, 25.9367 | the same | < 1e-5 |
//! | magnetising current, A | sheet 1.2 | 11.28 | 11.28 | < 1e-3 |
//! | run-up settles at rpm, N m, A | sheet 1.2 | 1465.03, 99.5727, 26.2609 | the same | < 1e-5 |
//! | run-up without load reaches 1485 rpm, s | sheet 1.2 | 0.047 | 0.047 | < 0.001 |
//! | 3 hp machine: N m at 1710 rpm, breakdown, its slip, start | sheet 1.2 | 14.0268, 61.870, 0.5268, 52.972 | the same | < 1e-4 |
//! | current lines of a broken bar at slip 0.02667, Hz | sheet 1.2 | 47.33, 52.67 | the same | < 0.01 |

use std::f64::consts::{PI, TAU};

/// One phase of a machine in star, seen from the stator.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Circuit {
    /// Ω
    pub stator_resistance: f64,
    pub rotor_resistance: f64,
    /// H
    pub stator_leakage: f64,
    pub rotor_leakage: f64,
    pub magnetising: f64,
    pub pole_pairs: f64,
}

/// A common machine of 20 hp, 400 V, 50 Hz with four poles: preset of MathWorks, "Asynchronous Machine".
pub const TWENTY_HP: Circuit = Circuit {
    stator_resistance: 0.2147,
    rotor_resistance: 0.2205,
    stator_leakage: 0.000_991,
    rotor_leakage: 0.000_991,
    magnetising: 0.064_19,
    pole_pairs: 2.0,
};

/// A complex number: phasor or impedance.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Complex(f64, f64);

impl Complex {
    fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0, self.1 + other.1)
    }

    fn times(self, other: Self) -> Self {
        Self(self.0 * other.0 - self.1 * other.1, self.0 * other.1 + self.1 * other.0)
    }

    fn scaled(self, by: f64) -> Self {
        Self(self.0 * by, self.1 * by)
    }

    fn square(self) -> f64 {
        self.0 * self.0 + self.1 * self.1
    }

    fn over(self, other: Self) -> Self {
        let square = other.square();
        Self((self.0 * other.0 + self.1 * other.1) / square, (self.1 * other.0 - self.0 * other.1) / square)
    }
}

/// What a machine does at one slip.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Point {
    /// N m of the field
    pub torque: f64,
    /// A of each line
    pub current: f64,
    /// Share of the apparent power that is real; negative while it generates
    pub power_factor: f64,
    /// W taken, and W lost in windings
    pub power: f64,
    pub copper: f64,
}

impl Circuit {
    /// At a slip, a phase voltage in V and a frequency in Hz.
    pub fn at(&self, slip: f64, phase: f64, hertz: f64) -> Point {
        if hertz <= 0.0 || phase <= 0.0 {
            return Point::default();
        }
        let (input, share) = self.impedance(slip, hertz);
        let current = phase / input.square().sqrt();
        let torque = self.torque(slip, current * share, hertz);
        let rotor = current * share;
        let resistance = self.stator_resistance * current * current + self.rotor_resistance * rotor * rotor;
        Point {
            torque,
            current,
            power_factor: input.0 / input.square().sqrt(),
            power: 3.0 * current * current * input.0,
            copper: 3.0 * resistance,
        }
    }

    /// The same with one line open: two fields that turn against each other.
    pub fn with_two_lines(&self, slip: f64, phase: f64, hertz: f64) -> Point {
        if hertz <= 0.0 || phase <= 0.0 {
            return Point::default();
        }
        let ((forth, ahead), (back, behind)) = (self.impedance(slip, hertz), self.impedance(2.0 - slip, hertz));
        let sum = forth.plus(back);
        // Of each of the two systems; in the two lines sqrt(3) times as much.
        let part = phase / sum.square().sqrt();
        let (one, other) = (part * ahead, part * behind);
        let torque = self.torque(slip, one, hertz) - self.torque(2.0 - slip, other, hertz);
        let rotor = self.rotor_resistance * (one * one + other * other);
        Point {
            torque,
            current: 3f64.sqrt() * part,
            power_factor: sum.0 / sum.square().sqrt(),
            power: 3.0 * part * part * sum.0,
            copper: 3.0 * (2.0 * self.stator_resistance * part * part + rotor),
        }
    }

    /// Slip at which the torque is highest, and that torque in N m.
    pub fn breakdown(&self, phase: f64, hertz: f64) -> (f64, f64) {
        let w = TAU * hertz;
        let stator = Complex(self.stator_resistance, w * self.stator_leakage);
        let whole = Complex(self.stator_resistance, w * (self.stator_leakage + self.magnetising));
        let thevenin = Complex(0.0, w * self.magnetising).times(stator).over(whole);
        let slip = self.rotor_resistance / libm::hypot(thevenin.0, thevenin.1 + w * self.rotor_leakage);
        (slip, self.at(slip, phase, hertz).torque)
    }

    /// Speed in rad/s at which the slip is 0.
    pub fn synchronous(&self, hertz: f64) -> f64 {
        TAU * hertz / self.pole_pairs
    }

    /// Ω that a line sees, and the share of its current that goes through the rotor. Multiplied by the slip throughout,
    /// so that both have a value without slip.
    fn impedance(&self, slip: f64, hertz: f64) -> (Complex, f64) {
        let w = TAU * hertz;
        let rotor = Complex(self.rotor_resistance, slip * w * self.rotor_leakage);
        let magnetising = Complex(0.0, w * self.magnetising);
        let sum = magnetising.scaled(slip).plus(rotor);
        let parallel = magnetising.times(rotor).over(sum);
        let input = Complex(self.stator_resistance, w * self.stator_leakage).plus(parallel);
        (input, slip * w * self.magnetising / sum.square().sqrt())
    }

    fn torque(&self, slip: f64, rotor: f64, hertz: f64) -> f64 {
        // Without slip there is no rotor current; their quotient stays.
        if slip == 0.0 {
            return 0.0;
        }
        3.0 * rotor * rotor * self.rotor_resistance / (slip * self.synchronous(hertz))
    }

    /// Frequencies in Hz of the two lines beside that of the mains which broken rotor bars make: f (1 ± 2 s).
    pub fn bar_lines(hertz: f64, slip: f64) -> [f64; 2] {
        [hertz * (1.0 - 2.0 * slip), hertz * (1.0 + 2.0 * slip)]
    }
}

/// A run-up in the frame of the stator: flux linkages of stator and rotor in Wb, speed in rad/s.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RunUp {
    pub circuit: Circuit,
    /// kg m²
    pub inertia: f64,
    /// N m s
    pub friction: f64,
}

impl RunUp {
    /// Slope of (y_ds, y_qs, y_dr, y_qr, w) under a phase voltage (rms), a frequency and a load torque.
    pub fn slope(&self, t: f64, y: &[f64; 5], (phase, hertz): (f64, f64), load: f64) -> [f64; 5] {
        let (c, [yds, yqs, ydr, yqr, w]) = (&self.circuit, *y);
        let [ids, iqs, idr, iqr] = self.currents(y);
        let angle = 2.0 * PI * hertz * t;
        let peak = 2f64.sqrt() * phase;
        let wr = c.pole_pairs * w;
        [
            peak * libm::cos(angle) - c.stator_resistance * ids,
            peak * libm::sin(angle) - c.stator_resistance * iqs,
            -c.rotor_resistance * idr - wr * yqr,
            -c.rotor_resistance * iqr + wr * ydr,
            (1.5 * c.pole_pairs * (yds * iqs - yqs * ids) - load - self.friction * w) / self.inertia,
        ]
    }

    /// A of stator and rotor along both axes, peak.
    pub fn currents(&self, y: &[f64; 5]) -> [f64; 4] {
        let (c, [yds, yqs, ydr, yqr, _]) = (&self.circuit, *y);
        let (ls, lr) = (c.stator_leakage + c.magnetising, c.rotor_leakage + c.magnetising);
        let d = ls * lr - c.magnetising * c.magnetising;
        [
            (lr * yds - c.magnetising * ydr) / d,
            (lr * yqs - c.magnetising * yqr) / d,
            (ls * ydr - c.magnetising * yds) / d,
            (ls * yqr - c.magnetising * yqs) / d,
        ]
    }

    /// N m of the field.
    pub fn torque(&self, y: &[f64; 5]) -> f64 {
        let [ids, iqs, ..] = self.currents(y);
        1.5 * self.circuit.pole_pairs * (y[0] * iqs - y[1] * ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::integrate::runge_kutta;

    const PHASE: f64 = 400.0 / 1.732_050_807_568_877_2;

    fn near(found: f64, wanted: f64, relative: f64) {
        assert!((found / wanted - 1.0).abs() < relative, "{found}, not {wanted}");
    }

    #[test]
    fn the_machine_of_20_hp_has_the_figures_of_its_circuit() {
        let at = TWENTY_HP.at(40.0 / 1500.0, PHASE, 50.0);
        near(at.torque, 113.055, 1e-5);
        near(at.current, 29.3007, 1e-5);
        near(at.power_factor, 0.902_04, 1e-5);
        let start = TWENTY_HP.at(1.0, PHASE, 50.0);
        near(start.torque, 383.229, 1e-5);
        near(start.current, 306.340, 1e-5);
        let (slip, most) = TWENTY_HP.breakdown(PHASE, 50.0);
        near(slip, 0.337_089, 1e-5);
        near(most, 572.720, 1e-5);
        near(TWENTY_HP.at(0.0, PHASE, 50.0).current, 11.28, 1e-3);
    }

    #[test]
    fn the_torque_of_the_nameplate_needs_the_slip_of_the_sheet() {
        let (mut low, mut high) = (0.0, 0.3);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if TWENTY_HP.at(middle, PHASE, 50.0).torque < 98.109 { low = middle } else { high = middle }
        }
        near(low, 0.022_952_3, 1e-5);
        near(1500.0 * (1.0 - low), 1465.57, 1e-5);
        near(TWENTY_HP.at(low, PHASE, 50.0).current, 25.9367, 1e-5);
        near(15_000.0 / (1460.0 * TAU / 60.0), 98.11, 1e-4);
    }

    #[test]
    fn what_is_taken_leaves_through_the_shaft_or_warms_the_windings() {
        for slip in [-0.03, 0.01, 0.3, 1.0, 1.7] {
            let shaft = (1.0 - slip) * TWENTY_HP.synchronous(50.0);
            let point = TWENTY_HP.at(slip, PHASE, 50.0);
            near(point.power, point.torque * shaft + point.copper, 1e-9);
            let point = TWENTY_HP.with_two_lines(slip, PHASE, 50.0);
            near(point.power, point.torque * shaft + point.copper, 1e-9);
        }
        let still = TWENTY_HP.with_two_lines(1.0, PHASE, 50.0);
        assert!(still.torque.abs() < 1e-9 * still.power, "on two lines nothing makes it turn: {still:?}");
    }

    #[test]
    fn the_machine_of_3_hp_agrees_with_its_textbook() {
        let w = TAU * 60.0;
        let (leakage, magnetising) = (0.754 / w, 26.13 / w);
        let machine = Circuit {
            stator_resistance: 0.435,
            rotor_resistance: 0.816,
            stator_leakage: leakage,
            rotor_leakage: leakage,
            magnetising,
            pole_pairs: 2.0,
        };
        let phase = 220.0 / 3f64.sqrt();
        near(machine.at(90.0 / 1800.0, phase, 60.0).torque, 14.0268, 1e-4);
        let (slip, most) = machine.breakdown(phase, 60.0);
        near(most, 61.870, 1e-4);
        near(slip, 0.5268, 1e-4);
        near(machine.at(1.0, phase, 60.0).torque, 52.972, 1e-4);
    }

    #[test]
    fn broken_bars_make_lines_at_twice_the_slip_beside_the_mains() {
        let [below, above] = Circuit::bar_lines(50.0, 40.0 / 1500.0);
        assert!((below - 47.33).abs() < 0.01 && (above - 52.67).abs() < 0.01, "{below} {above}");
    }

    fn run(load: f64, secs: f64, mut see: impl FnMut(f64, &[f64; 5])) -> (RunUp, [f64; 5]) {
        let run_up = RunUp { circuit: TWENTY_HP, inertia: 0.102, friction: 0.009_541 };
        let (mut y, dt) = ([0.0; 5], 1e-4);
        for step in 0..(secs / dt) as u32 {
            let t = f64::from(step) * dt;
            y = runge_kutta(t, y, dt, |t, y| run_up.slope(t, y, (PHASE, 50.0), load));
            see(t + dt, &y);
        }
        (run_up, y)
    }

    #[test]
    fn a_run_up_settles_where_the_phasors_say() {
        let (run_up, y) = run(98.109, 1.5, |_, _| {});
        let rpm = y[4] * 30.0 / PI;
        let [ids, iqs, ..] = run_up.currents(&y);
        let current = libm::hypot(ids, iqs) / 2f64.sqrt();
        near(rpm, 1465.03, 1e-5);
        near(run_up.torque(&y), 99.5727, 1e-5);
        near(current, 26.2609, 1e-5);
        let phasor = TWENTY_HP.at(1.0 - rpm / 1500.0, PHASE, 50.0);
        near(phasor.torque, run_up.torque(&y), 1e-5);
        near(phasor.current, current, 1e-5);
    }

    #[test]
    fn a_run_up_without_load_reaches_99_percent_in_the_time_of_the_sheet() {
        let mut reached = f64::INFINITY;
        run(0.0, 0.06, |t, y| {
            if y[4] * 30.0 / PI >= 1485.0 {
                reached = reached.min(t);
            }
        });
        assert!((reached - 0.047).abs() < 1e-3, "{reached} s");
    }
}
