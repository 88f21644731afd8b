//! Small numeric tools that several machines share. In: numbers. Out: numbers. Never keeps state of its own.

use std::f64::consts::PI;

/// First-order lag with time constant `tau` (s), exact for a constant target: stable for any `dt`.
pub(super) fn approach(x: f64, target: f64, tau: f64, dt: f64) -> f64 {
    x + (target - x) * -libm::expm1(-dt / tau)
}

/// Moves towards a target at `rate` per second at most.
pub(super) fn move_towards(x: f64, target: f64, rate: f64, dt: f64) -> f64 {
    x + (target - x).clamp(-rate * dt, rate * dt)
}

/// rad/s from revolutions per minute.
pub(super) fn rad_per_sec(rpm: f64) -> f64 {
    rpm * PI / 30.0
}

/// Revolutions per minute from rad/s.
pub(super) fn rpm(rad_per_sec: f64) -> f64 {
    rad_per_sec * 30.0 / PI
}

/// A PI controller with output limits; its integral stops where the output is at a limit (no wind-up).
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Pi {
    pub kp: f64,
    /// Per second.
    pub ki: f64,
    pub out: (f64, f64),
    pub integral: f64,
}

impl Pi {
    pub fn step(&mut self, error: f64, dt: f64) -> f64 {
        let (low, high) = self.out;
        let wanted = self.kp * error + self.integral + self.ki * error * dt;
        if (low..=high).contains(&wanted) || (wanted > high && error < 0.0) || (wanted < low && error > 0.0) {
            self.integral += self.ki * error * dt;
        }
        (self.kp * error + self.integral).clamp(low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lag_reaches_63_percent_after_its_time_constant_whatever_the_step() {
        let coarse = approach(0.0, 1.0, 5.0, 5.0);
        let fine = (0..500).fold(0.0, |x, _| approach(x, 1.0, 5.0, 0.01));
        assert!((coarse - 0.632_12).abs() < 1e-4 && (coarse - fine).abs() < 1e-9);
    }

    #[test]
    fn a_controller_at_its_limit_does_not_wind_up() {
        let mut pi = Pi { kp: 1.0, ki: 1.0, out: (0.0, 1.0), integral: 0.0 };
        for _ in 0..1000 {
            assert!(pi.step(2.0, 0.1) <= 1.0);
        }
        assert!(pi.step(-0.5, 0.1) < 1.0, "it must leave the limit at once: {pi:?}");
    }
}
