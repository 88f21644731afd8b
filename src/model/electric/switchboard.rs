//! A switchboard behind a transformer. In: the power that its machines take, the voltage of the mains. Out: the voltage
//! that it has left for them, current, power factor, energy, temperature. Never gives more than its feeder can.
//!
//! The feeder has a resistance R and a reactance X; a load of P and Q = P tan(phi) at its end sees
//! V² = (V_0²/2 - a) + sqrt((V_0²/2 - a)² - a² - b²), a = R P + X Q, b = X P - R Q (line-to-line voltages; Kundur, "Power
//! System Stability and Control", ch. 2.1). What machines see follows what they took in the step before. The busbar warms
//! with the square of the current; a thermal release opens above 1.05 times its setting after a time that falls with
//! the square of the current (IEC 60947-2), and stays open until it is reset.
//!
//! Voltage, temperature and the release are exact for a power that stands during a step.
//!
//! | figure | source | wanted | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | volts lost by a short circuit voltage of 4 % at rated reactive load | Kundur 2.1 | 4.0 % less 2nd order | 4.17 % | by the formula |

use crate::model::integrate::approach;
use crate::model::quantities;
use crate::model::{Carrier, Description, Domain, Given, Model, OutputKind, Port, Repair, StateMut, StateRef};

/// A switchboard that machines take power from.
#[derive(Clone, Copy, Debug)]
pub struct Switchboard;

quantities! {
    pub parameters SwitchboardParameters {
        /// Line voltage without load at nominal mains
        rated_voltage: "V" = 400.0, 1.0 => 1e5, design, "IEC 60038";
        /// Apparent power of its transformer
        rated_power: "VA" = 400e3, 1.0 => 1e9, design, "assumed: a common size";
        /// Voltage that drives rated current through the shorted transformer, share of rated
        short_circuit: "" = 0.04, 0.0 => 0.25, design, "EN 50708: 4 % up to 630 kVA";
        /// Part of it that is resistance
        winding_loss: "" = 0.0115, 0.0 => 0.2, design, "EN 50708: 4.6 kW at 400 kVA";
        /// Power factor of what is connected
        power_factor: "" = 0.85, 0.05 => 1.0, design, "assumed: motors";
        /// Reactive power that capacitors give
        compensation: "var" = 0.0, 0.0 => 1e9, design, "none";
        /// Current at which the thermal release holds for ever, share of rated
        release: "" = 1.0, 0.01 => 10.0, design, "set to the transformer";
        /// Time that the release bears six times its setting
        release_time: "s" = 10.0, 0.01 => 1000.0, design, "class 10: IEC 60947-4-1";
        /// What its busbar is warmer than the air at rated current
        rise: "K" = 60.0, 0.0 => 200.0, design, "IEC 61439-1: 70 K at most for terminals";
        /// Thermal time constant of the busbar
        thermal_time: "s" = 1800.0, 1.0 => 1e5, design, "assumed";
        /// Times more heat that a loose terminal makes
        loose_terminal: "" = 1.0, 1.0 => 20.0, condition, "tight";
    }
}

quantities! {
    pub states SwitchboardState {
        /// Power that is taken
        power: "W" = 0.0, 0.0 => 1e12;
        /// Line voltage at the busbar
        voltage: "V" = 400.0, 0.0 => 2e5, estimated;
        /// Energy given since the start
        energy: "J" = 0.0, 0.0 => 1e18;
        /// Temperature of the busbar
        temperature: "degC" = 20.0, -100.0 => 5000.0, estimated;
        /// How near the release is to opening, 1 when it opens
        strain: "" = 0.0, 0.0 => 1.0;
        /// Whether the release has opened
        tripped: "" = 0.0, 0.0 => 1.0;
    }
}

quantities! {
    pub inputs SwitchboardInputs {
        /// Power that machines take
        power: "W", mean = 0.0;
        /// Voltage of the mains, share of nominal
        mains: "", mean = 1.0;
        /// Whether its main switch is told to be closed
        closed: "", last = 1.0;
        /// Temperature of the air
        ambient: "degC", mean = 20.0;
    }
}

quantities! {
    pub outputs SwitchboardOutputs {
        /// Line voltage at the busbar
        voltage: "V", held;
        /// Power that is taken
        power: "W", held;
        /// Apparent power
        apparent_power: "VA", held;
        /// Power factor that the mains see
        power_factor: "", held;
        /// Current of each line
        current: "A", held;
        /// Share of its rated power that is used
        load: "", held;
        /// Energy given since the start
        energy: "J", held;
        /// Temperature of the busbar
        temperature: "degC", held;
        /// Whether its release has opened
        tripped: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Switchboard",
    about: "A switchboard that machines take power from",
    source: "Kundur, Power System Stability and Control; IEC 60947",
    step: Some(100_000_000),
    parameters: SwitchboardParameters::ALL,
    states: SwitchboardState::ALL,
    inputs: SwitchboardInputs::ALL,
    outputs: SwitchboardOutputs::ALL,
    ports: &[Port {
        name: "feeders",
        about: "Machines that take power",
        domain: Domain::Giver { carrier: Carrier::Electricity, given: "power", potential: "voltage" },
        required: false,
    }],
    repairs: &[Repair { name: "reset", about: "Closes the release" }],
    ..Description::EMPTY
};

/// Line voltage in V at the end of a feeder of R and X in Ω that is fed with `open` V, under a load of P in W and Q in
/// var; none if the feeder cannot carry it.
pub fn sagged(open: f64, (r, x): (f64, f64), (p, q): (f64, f64)) -> Option<f64> {
    let (a, b) = (r * p + x * q, x * p - r * q);
    let half = 0.5 * open * open - a;
    let under = half * half - a * a - b * b;
    (under >= 0.0 && half > 0.0).then(|| (half + under.sqrt()).sqrt())
}

fn reactive(p: &SwitchboardParameters, power: f64) -> f64 {
    let tangent = (1.0 - p.power_factor * p.power_factor).max(0.0).sqrt() / p.power_factor;
    power * tangent - if power > 0.0 { p.compensation } else { 0.0 }
}

/// Apparent power in VA, and A in each line.
fn line(p: &SwitchboardParameters, power: f64, voltage: f64) -> (f64, f64) {
    let apparent = libm::hypot(power, reactive(p, power));
    (apparent, if voltage > 1e-3 { apparent / (3f64.sqrt() * voltage) } else { 0.0 })
}

impl Model for Switchboard {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let (p, mut s) = (SwitchboardParameters::of(given.parameters), SwitchboardState::of(state.numbers));
        s.voltage = p.rated_voltage;
        s.put(state.numbers);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, s) = (SwitchboardParameters::of(given.parameters), SwitchboardState::of(state.numbers));
        let (apparent, current) = line(&p, s.power, s.voltage);
        SwitchboardOutputs {
            voltage: s.voltage,
            power: s.power,
            apparent_power: apparent,
            power_factor: if apparent > 0.0 { s.power / apparent } else { 1.0 },
            current,
            load: apparent / p.rated_power,
            energy: s.energy,
            temperature: s.temperature,
            tripped: s.tripped,
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, mut s) = (SwitchboardParameters::of(given.parameters), SwitchboardState::of(state.numbers));
        let u = SwitchboardInputs::of(given.inputs);
        let closed = s.tripped < 0.5 && u.closed > 0.5;
        let open = if closed { p.rated_voltage * u.mains.clamp(0.0, 1.5) } else { 0.0 };
        // Ten times its rated power is a short circuit already.
        s.power = if closed { u.power.clamp(0.0, 10.0 * p.rated_power) } else { 0.0 };
        let base = p.rated_voltage * p.rated_voltage / p.rated_power;
        let r = base * p.winding_loss.min(p.short_circuit);
        let x = (base * base * p.short_circuit * p.short_circuit - r * r).max(0.0).sqrt();
        // A feeder that cannot carry its load holds 0.4 of its voltage, and its release opens soon.
        let load = (s.power, reactive(&p, s.power));
        s.voltage = sagged(open, (r, x), load).unwrap_or(0.4 * open).clamp(0.0, 2e5);
        s.energy = (s.energy + dt * s.power).min(1e18);
        let rated = p.rated_power / (3f64.sqrt() * p.rated_voltage);
        let ratio = line(&p, s.power, s.voltage).1 / rated;
        let warm = u.ambient + p.rise * p.loose_terminal * ratio * ratio;
        s.temperature = approach(s.temperature, warm, p.thermal_time, dt).clamp(-100.0, 5000.0);
        // Heating of a body that opens the release at 1: six times the setting in `release_time` from cold.
        let share = ratio / p.release;
        let tau = p.release_time / -libm::log1p(-1.05 * 1.05 / 36.0);
        s.strain = approach(s.strain, share * share / (1.05 * 1.05), tau, dt).clamp(0.0, 1.0);
        if s.strain >= 1.0 {
            s.tripped = 1.0;
        }
        s.put(state.numbers);
    }

    fn repair(&self, _: usize, _: &Given<'_>, state: &mut StateMut<'_>) {
        let mut s = SwitchboardState::of(state.numbers);
        (s.tripped, s.strain) = (0.0, 0.0);
        s.put(state.numbers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_in_a_feeder_closes_the_balance_of_power() {
        let ((r, x), (p, q)) = ((0.0046, 0.0153), (300e3, 180e3));
        let voltage = sagged(400.0, (r, x), (p, q)).expect("it carries this");
        // From the load's end back to the mains: V_0 = V + (R + jX) I.
        let (along, across) = ((r * p + x * q) / voltage, (x * p - r * q) / voltage);
        assert!((libm::hypot(voltage + along, across) / 400.0 - 1.0).abs() < 1e-12, "{voltage}");
    }

    #[test]
    fn a_feeder_carries_no_more_than_its_impedance_lets_through() {
        // A resistance alone: V_0² / (4 R) at most, at half the voltage.
        let most = 400.0 * 400.0 / (4.0 * 0.1);
        assert!((sagged(400.0, (0.1, 0.0), (most, 0.0)).expect("just") - 200.0).abs() < 1e-3);
        assert_eq!(sagged(400.0, (0.1, 0.0), (1.001 * most, 0.0)), None);
    }
}
