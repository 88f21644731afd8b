//! A PID controller. In: a measurement, a set point, a mode, the output by hand. Out: the output of its last scan. Never
//! leaves its output limits, and never jumps when its mode changes.
//!
//! Position form with weighted set point, filtered derivative of the measurement and forward Euler for the integral
//! (Åström and Hägglund, "Advanced PID Control", 2006, ch. 3 and 13):
//!
//! ```text
//! u = K (b r - y) + I + D + feed-forward,   dI/dt = K / T_i (r - y),   T_d / N dD/dt = -D - K T_d dy/dt
//! ```
//!
//! `K` counts negative for direct action: the output rises with the measurement. Wind-up is kept away by integrating
//! only where that leads out of a limit (conditional integration), or by leading the integral back with a tracking time
//! (back-calculation). By hand the integral follows the output, so that automatic goes on where the hand left it; and
//! the output stays where automatic left it until the hand moves.
//!
//! Order 1 in its scan: the integral is that of Euler.
//!
//! | figure | source | wanted | ours | difference |
//! |---|---|---|---|---|
//! | lag of 10 s under PI, K 4, T_i 10 s: closed loop is a lag of 2.5 s, at 2.5 s | closed form | 0.632 12 | 0.632 | 1e-3 at 10 ms |
//! | proportional only, K 4: rest | closed form K / (1 + K) | 0.8 | 0.8 | 1e-9 |

use crate::model::integrate::move_towards;
use crate::model::quantities;
use crate::model::{Description, Given, Model, OutputKind, StateMut, StateRef};

/// A PID controller with limits, modes and a ramp of its set point.
#[derive(Clone, Copy, Debug)]
pub struct Pid;

quantities! {
    pub parameters PidParameters {
        /// Output for each unit of error
        gain: "" = 1.0, 0.0 => 1e9, design, "to be tuned";
        /// Integral time; 0 for none
        integral_time: "s" = 60.0, 0.0 => 1e6, design, "to be tuned";
        /// Derivative time; 0 for none
        derivative_time: "s" = 0.0, 0.0 => 1e5, design, "to be tuned";
        /// Derivative time over that of its filter
        derivative_filter: "" = 10.0, 1.0 => 100.0, design, "Åström and Hägglund 2006: 2 to 20";
        /// Share of the set point that the proportional part sees
        set_point_weight: "" = 1.0, 0.0 => 1.0, design, "textbook form";
        /// Whether the output rises with the measurement: 1, as for cooling, or 0
        direct_action: "" = 0.0, 0.0 => 1.0, design, "0: as for heating and filling";
        /// Lowest output
        low: "" = 0.0, -1e9 => 1e9, design, "a valve";
        /// Highest output
        high: "" = 1.0, -1e9 => 1e9, design, "a valve";
        /// Output at the beginning
        start: "" = 0.5, -1e9 => 1e9, start, "assumed";
        /// Time in which back-calculation leads the integral back; 0 for conditional integration
        tracking_time: "s" = 0.0, 0.0 => 1e6, design, "conditional integration";
        /// How fast the set point may move in a second; 0 for at once
        ramp: "Hz" = 0.0, 0.0 => 1e9, design, "at once";
        /// How far the measurement is misread
        misreading: "" = 0.0, -1e9 => 1e9, condition, "not";
    }
}

quantities! {
    pub states PidState {
        /// Output
        output: "" = 0.0, -1e9 => 1e9;
        /// Integral part
        integral: "" = 0.0, -1e12 => 1e12;
        /// Derivative part
        derivative: "" = 0.0, -1e18 => 1e18;
        /// Set point behind its ramp
        set_point: "" = 0.0, -1e12 => 1e12;
        /// Measurement of the last scan
        measurement: "" = 0.0, -1e12 => 1e12;
        /// What the hand said when it was last followed or when automatic ended
        hand: "" = 0.0, -1e9 => 1e9;
    }
}

quantities! {
    pub counts PidCounts {
        /// Mode: 0 by hand, 1 automatic, 2 held until the hand moves
        mode;
        /// Whether a scan has been made
        scanned;
        /// Whether the output is at a limit: 1 at the low one, 2 at the high one
        limit;
    }
}

quantities! {
    pub inputs PidInputs {
        /// What is controlled
        measurement: "", last;
        /// What it should be
        set_point: "", last = 0.0;
        /// Whether the controller acts by itself
        automatic: "", last = 1.0;
        /// Output by hand
        manual: "", last = 0.0;
        /// Added to the output
        feed_forward: "", last = 0.0;
    }
}

quantities! {
    pub outputs PidOutputs {
        /// Output
        output: "", held;
        /// Set point behind its ramp less measurement
        error: "", held;
        /// Set point behind its ramp
        set_point: "", held;
        /// Who moves the output
        mode: "" = OutputKind::Words(&["MANUAL", "AUTO"]), held;
        /// Whether the output is at a limit
        limited: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Pid",
    is_program: true,
    about: "A PID controller with limits, anti-windup, modes without bumps and a ramp of its set point",
    source: "Åström and Hägglund, Advanced PID Control, 2006",
    step: Some(100_000_000),
    parameters: PidParameters::ALL,
    states: PidState::ALL,
    counts: PidCounts::ALL,
    inputs: PidInputs::ALL,
    outputs: PidOutputs::ALL,
    ..Description::EMPTY
};

const BY_HAND: u64 = 0;
const AUTOMATIC: u64 = 1;
const WAITS_FOR_HAND: u64 = 2;

/// Numbers from outside stay where sums and products of them are numbers.
fn sane(x: f64) -> f64 {
    x.clamp(-1e12, 1e12)
}

impl PidParameters {
    fn cut(&self, output: f64) -> f64 {
        output.clamp(self.low.min(self.high), self.low.max(self.high))
    }

    fn signed_gain(&self) -> f64 {
        if self.direct_action > 0.5 { -self.gain } else { self.gain }
    }

    /// Moves the derivative part on by one scan in which the measurement moved by `by`.
    fn derive(&self, derivative: f64, by: f64, dt: f64) -> f64 {
        if self.derivative_time <= 0.0 {
            return 0.0;
        }
        let filter = self.derivative_time / self.derivative_filter;
        (filter * derivative - self.signed_gain() * self.derivative_time * by) / (filter + dt)
    }

    /// One scan in automatic, with the measurement and the set point of the state: output and integral.
    fn act(&self, s: &PidState, feed_forward: f64, dt: f64) -> (f64, f64) {
        let gain = self.signed_gain();
        let error = s.set_point - s.measurement;
        let proportional = gain * (self.set_point_weight * s.set_point - s.measurement);
        let wanted = proportional + s.integral + s.derivative + feed_forward;
        let output = self.cut(wanted);
        if self.integral_time <= 0.0 {
            return (output, s.integral);
        }
        let more = gain * error * dt / self.integral_time;
        let integral = match self.tracking_time > 0.0 {
            true => s.integral + more + (output - wanted) * (dt / self.tracking_time).min(1.0),
            // At a limit only what leads back counts.
            false if (wanted > output && more > 0.0) || (wanted < output && more < 0.0) => s.integral,
            false => s.integral + more,
        };
        (output, sane(integral))
    }

    /// The integral with which automatic begins at an output.
    fn integral_for(&self, s: &PidState, feed_forward: f64, output: f64) -> f64 {
        let proportional = self.signed_gain() * (self.set_point_weight * s.set_point - s.measurement);
        sane(output - proportional - s.derivative - feed_forward)
    }
}

impl Model for Pid {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let (p, u) = (PidParameters::of(given.parameters), PidInputs::of(given.inputs));
        let mut s = PidState::of(state.numbers);
        s.output = p.cut(p.start);
        s.measurement = sane(u.measurement + p.misreading);
        s.set_point = if p.ramp > 0.0 { s.measurement } else { sane(u.set_point) };
        s.put(state.numbers);
    }

    fn outputs(&self, _: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (s, c) = (PidState::of(state.numbers), PidCounts::of(state.counts));
        PidOutputs {
            output: s.output,
            error: s.set_point - s.measurement,
            set_point: s.set_point,
            mode: f64::from(u8::from(c.mode == AUTOMATIC)),
            limited: f64::from(u8::from(c.limit > 0)),
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, u) = (PidParameters::of(given.parameters), PidInputs::of(given.inputs));
        let (mut s, mut c) = (PidState::of(state.numbers), PidCounts::of(state.counts));
        let measurement = sane(u.measurement + p.misreading);
        let (wanted, manual, feed_forward) = (sane(u.set_point), p.cut(u.manual), sane(u.feed_forward));
        let first = c.scanned == 0;
        let before = if first { measurement } else { s.measurement };
        s.measurement = measurement;
        s.derivative = p.derive(s.derivative, measurement - before, dt).clamp(-1e18, 1e18);
        let automatic = u.automatic > 0.5;
        // By hand, and at the beginning, a set point that ramps starts from the measurement.
        let from = if first || c.mode != AUTOMATIC { measurement } else { s.set_point };
        s.set_point = if p.ramp > 0.0 { move_towards(from, wanted, p.ramp, dt) } else { wanted };
        if automatic {
            if c.mode != AUTOMATIC {
                let integral = if p.integral_time > 0.0 { p.integral_for(&s, feed_forward, s.output) } else { 0.0 };
                (c.mode, s.integral) = (AUTOMATIC, integral);
            }
            (s.output, s.integral) = p.act(&s, feed_forward, dt);
        } else {
            if c.mode == AUTOMATIC {
                (c.mode, s.hand) = (WAITS_FOR_HAND, manual);
            }
            if c.mode == WAITS_FOR_HAND && manual != s.hand {
                c.mode = BY_HAND;
            }
            if c.mode == BY_HAND {
                (s.output, s.hand) = (manual, manual);
            }
        }
        s.output = p.cut(s.output);
        c.limit = if s.output >= p.low.max(p.high) { 2 } else { u64::from(s.output <= p.low.min(p.high)) };
        c.scanned = 1;
        s.put(state.numbers);
        c.put(state.counts);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::model::Draws;

    /// A controller and a process y' = (u - y) / tau, scanned every `dt`.
    struct Loop {
        parameters: PidParameters,
        numbers: [f64; 6],
        counts: [u64; 3],
        y: f64,
        tau: f64,
        inputs: PidInputs,
    }

    fn defaults() -> PidParameters {
        let defaults: Vec<f64> = PidParameters::ALL.iter().map(|one| one.default).collect();
        PidParameters { low: -10.0, high: 10.0, start: 0.0, ..PidParameters::of(&defaults) }
    }

    impl Loop {
        fn new(parameters: PidParameters) -> Self {
            let inputs = PidInputs { measurement: 0.0, set_point: 1.0, automatic: 1.0, manual: 0.0, feed_forward: 0.0 };
            let mut it = Self { parameters, numbers: [0.0; 6], counts: [0; 3], y: 0.0, tau: 10.0, inputs };
            it.with(|given, state| Pid.begin(given, state));
            it
        }

        fn with(&mut self, act: impl FnOnce(&Given<'_>, &mut StateMut<'_>)) {
            let (mut parameters, mut inputs) = ([0.0; 12], [0.0; 5]);
            self.parameters.put(&mut parameters);
            self.inputs.put(&mut inputs);
            let given = Given {
                time: 0,
                parameters: &parameters,
                inputs: &inputs,
                crossings: &[],
                tables: &[],
                draws: Draws { seed: 0, streams: &[] },
            };
            let mut queue = VecDeque::new();
            act(&given, &mut StateMut { numbers: &mut self.numbers, counts: &mut self.counts, queue: &mut queue });
        }

        fn output(&self) -> f64 {
            self.numbers[0]
        }

        fn run(&mut self, secs: f64, dt: f64) {
            for _ in 0..(secs / dt).round() as usize {
                self.inputs.measurement = self.y;
                self.with(|given, state| Pid.step(given, dt, state));
                self.y += (self.output() - self.y) * -libm::expm1(-dt / self.tau);
            }
        }
    }

    #[test]
    fn a_lag_whose_pole_is_cancelled_answers_a_step_as_a_lag_itself() {
        // K (T_i s + 1) / (T_i s) * 1 / (tau s + 1) with T_i = tau is K / (tau s): closed, a lag of tau / K.
        let error = |dt: f64| {
            let mut it = Loop::new(PidParameters { gain: 4.0, integral_time: 10.0, ..defaults() });
            // What automatic begins with is the output at rest; the step comes after.
            it.inputs.set_point = 0.0;
            it.run(dt, dt);
            it.inputs.set_point = 1.0;
            let mut worst = 0f64;
            for k in 1..=10 {
                it.run(1.0, dt);
                let exact = 1.0 - libm::exp(-f64::from(k) * 4.0 / 10.0);
                worst = worst.max((it.y - exact).abs());
            }
            worst
        };
        let (coarse, fine) = (error(0.1), error(0.01));
        assert!(coarse < 0.01 && fine < 1e-3, "{coarse} {fine}");
        assert!((libm::log2(coarse / fine) / libm::log2(10.0) - 1.0).abs() < 0.1, "of order 1: {coarse} {fine}");
    }

    #[test]
    fn without_an_integral_an_error_of_one_by_one_plus_gain_stays() {
        let mut it = Loop::new(PidParameters { gain: 4.0, integral_time: 0.0, ..defaults() });
        it.run(100.0, 0.1);
        assert!((it.y - 0.8).abs() < 1e-9, "{}", it.y);
    }

    #[test]
    fn a_controller_that_was_held_at_its_limit_leaves_it_at_once() {
        let end = |tracking_time: f64, secs: f64| {
            let limits = PidParameters { low: 0.0, high: 1.2, tracking_time, ..defaults() };
            let mut it = Loop::new(PidParameters { gain: 2.0, integral_time: 10.0, ..limits });
            // 5 can never be reached: after five minutes at the limit the set point falls to what can.
            it.inputs.set_point = 5.0;
            it.run(300.0, 0.1);
            assert_eq!(it.output(), 1.2);
            it.inputs.set_point = 0.8;
            it.run(0.3, 0.1);
            assert!(it.output() < 1.2, "{} with a tracking time of {tracking_time} s", it.output());
            it.run(secs, 0.1);
            it.y
        };
        // A fall by 4 holds the output at its other limit: back-calculation frees it sooner.
        for (tracking_time, secs) in [(0.0, 400.0), (1.0, 60.0)] {
            let end = end(tracking_time, secs);
            assert!((end - 0.8).abs() < 0.01, "{end} with a tracking time of {tracking_time} s");
        }
    }

    #[test]
    fn modes_change_without_a_bump() {
        let mut it = Loop::new(PidParameters { gain: 2.0, integral_time: 20.0, ..defaults() });
        it.run(30.0, 0.1);
        let before = it.output();
        // The hand stands elsewhere: nothing happens until it moves.
        (it.inputs.automatic, it.inputs.manual) = (0.0, 5.0);
        it.run(10.0, 0.1);
        assert_eq!(it.output(), before);
        it.inputs.manual = 3.0;
        it.run(20.0, 0.1);
        assert_eq!(it.output(), 3.0);
        // 2.6 above the set point, the proportional part alone would jump by 3.
        (it.inputs.automatic, it.inputs.set_point) = (1.0, 0.1);
        it.run(0.1, 0.1);
        assert!((it.output() - 3.0).abs() < 0.03, "{}", it.output());
        it.run(300.0, 0.1);
        assert!((it.y - 0.1).abs() < 1e-3, "{}", it.y);
    }

    #[test]
    fn the_derivative_looks_at_the_measurement_and_not_at_the_set_point() {
        let kick = |derivative_time: f64| {
            let mut it = Loop::new(PidParameters { gain: 1.0, integral_time: 0.0, derivative_time, ..defaults() });
            it.run(0.1, 0.1);
            it.output()
        };
        assert_eq!(kick(0.0), kick(5.0));
        let mut it = Loop::new(PidParameters { gain: 1.0, integral_time: 0.0, derivative_time: 5.0, ..defaults() });
        it.tau = f64::INFINITY;
        it.run(0.1, 0.1);
        for _ in 0..200 {
            it.y += 0.01;
            it.run(0.1, 0.1);
        }
        // A measurement that rises by 0.1 each second takes K T_d 0.1 off.
        assert!((it.output() - (1.0 - it.y - 0.5)).abs() < 1e-6, "{}", it.output());
    }

    #[test]
    fn a_set_point_ramps_from_where_the_measurement_is() {
        let mut it = Loop::new(PidParameters { gain: 4.0, integral_time: 10.0, ramp: 0.02, ..defaults() });
        it.run(10.0, 0.1);
        assert!((it.numbers[3] - 0.2).abs() < 1e-9, "{}", it.numbers[3]);
        it.run(60.0, 0.1);
        assert_eq!(it.numbers[3], 1.0);
    }

    #[test]
    fn direct_action_raises_the_output_with_the_measurement() {
        let direct = PidParameters { direct_action: 1.0, integral_time: 0.0, ..defaults() };
        let mut it = Loop::new(direct);
        (it.y, it.tau) = (3.0, f64::INFINITY);
        it.run(0.1, 0.1);
        assert_eq!(it.output(), 2.0);
    }
}
