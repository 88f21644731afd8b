//! The clock of a session, for its frames and for its listeners.
//!
//! In: the wall clock, the speed of the session's own plant. Out: the session's time. That is the wall clock, unless
//! the session runs a simulated plant of its own at another speed: then the whole session runs at that speed, from the
//! moment it was opened. Source time, receive time, staleness and the shown time all come from this clock; views never
//! know the speed. Rates of messages are per second of the session as well.
//!
//! Never corrects clocks of devices: a sample from the future takes its receive time (see [`crate::ingest`]).

use bevy::prelude::*;

use crate::value::Timestamp;

#[derive(Resource, Clone, Copy, PartialEq, Debug)]
pub struct Clock {
    opened: Timestamp,
    /// Session seconds a second.
    speed: f64,
}

impl Default for Clock {
    fn default() -> Self {
        Self::WALL
    }
}

impl Clock {
    pub const WALL: Self = Self { opened: Timestamp(0), speed: 1.0 };

    /// Agrees with the wall clock at `opened`, and from there runs `speed` times as fast.
    pub fn at_speed(opened: Timestamp, speed: f64) -> Self {
        Self { opened, speed }
    }

    pub fn now(self) -> Timestamp {
        self.read(Timestamp::now())
    }

    /// The session's time when the wall clock shows `wall`.
    fn read(self, wall: Timestamp) -> Timestamp {
        if self.speed == 1.0 {
            return wall;
        }
        let passed = wall.0.saturating_sub(self.opened.0) as f64 * self.speed;
        // A float saturates into an integer.
        Timestamp(self.opened.0.saturating_add(passed.round() as i64))
    }

    /// How long `secs` of the session take on the wall clock, in seconds: for callers that sleep.
    pub fn wall_secs(self, secs: f64) -> f64 {
        secs / self.speed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENED: Timestamp = Timestamp(1_769_860_800_123_456_789);

    #[test]
    fn it_is_the_wall_clock_to_the_nanosecond_unless_the_plant_runs_at_another_speed() {
        let later = Timestamp(OPENED.0 + 1);
        assert_eq!(Clock::WALL.read(later), later);
        assert_eq!(Clock::at_speed(OPENED, 1.0).read(later), later);
    }

    #[test]
    fn at_ten_times_the_speed_a_second_takes_a_tenth() {
        let clock = Clock::at_speed(OPENED, 10.0);
        assert_eq!(clock.read(OPENED), OPENED);
        assert_eq!(clock.read(Timestamp(OPENED.0 + 3_000_000_000)), Timestamp(OPENED.0 + 30_000_000_000));
        assert_eq!(clock.wall_secs(5.0), 0.5);
        assert_eq!(Clock::at_speed(OPENED, 0.5).read(Timestamp(OPENED.0 + 3_000_000_000)).secs_since(OPENED), 1.5);
    }
}
