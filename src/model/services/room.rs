//! The air around machines. In: the time, heat that machines give off. Out: its temperature and humidity, for inputs
//! named `ambient`. Never feels the weather of a real place: each day is like the day before but for slow chance.
//!
//! T = T_mean + A sin(2 pi (t - t_warm) / 24 h + pi / 2) + x + W / G: a sine over the day, slow chance x, and the warming
//! by machines, which ventilation G carries away with a lag. x' = -x / tau + noise (Ornstein and Uhlenbeck, "On the theory
//! of the Brownian motion", Physical Review 36, 1930), stepped exactly. Water in the air stays as the dew point says:
//! relative humidity is e_s(dew point) / e_s(T), e_s after Magnus (WMO No. 8, annex 4.B). Time 0 is midnight.
//!
//! Exact for heat that stands during a step.
//!
//! | figure | source | wanted | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | vapour pressure of water at 20 °C | sheet, conventions | 2339 Pa | 2333 Pa | 0.3 % |

use crate::model::integrate::approach;
use crate::model::quantities;
use crate::model::{Description, Given, Model, StateMut, StateRef};

/// The surroundings of machines: a hall, a yard.
#[derive(Clone, Copy, Debug)]
pub struct Room;

quantities! {
    pub parameters RoomParameters {
        /// Mean temperature
        temperature: "degC" = 21.0, -50.0 => 60.0, design, "assumed: a hall";
        /// Kelvin above the mean at the warmest time of the day
        amplitude: "K" = 2.0, 0.0 => 30.0, design, "assumed: a hall; 5 K to 8 K outdoors in summer";
        /// Time of day at which it is warmest, from midnight
        warmest: "s" = 54_000.0, 0.0 => 86_400.0, design, "assumed: 15:00";
        /// Standard deviation of slow chance
        chance: "K" = 0.3, 0.0 => 10.0, design, "assumed";
        /// Time over which chance forgets itself
        memory: "s" = 7200.0, 60.0 => 1e6, design, "assumed: 2 h";
        /// Dew point of the air
        dew_point: "degC" = 10.0, -50.0 => 40.0, design, "assumed";
        /// Heat that ventilation carries away for each kelvin
        ventilation: "W/K" = 2000.0, 1.0 => 1e6, design, "assumed: 6000 m3/h of air";
        /// Time constant of warming by machines
        lag: "s" = 1800.0, 1.0 => 1e6, design, "assumed: 30 min";
        /// Share of the ventilation that has failed
        failed_ventilation: "" = 0.0, 0.0 => 0.99, condition, "none";
    }
}

quantities! {
    pub states RoomState {
        /// Temperature
        temperature: "degC" = 21.0, -100.0 => 200.0, estimated;
        /// Kelvin by slow chance
        chance: "K" = 0.0, -100.0 => 100.0;
        /// Kelvin by machines
        warmth: "K" = 0.0, -100.0 => 200.0;
    }
}

quantities! {
    pub inputs RoomInputs {
        /// Heat that machines give off
        heat: "W", mean = 0.0;
    }
}

quantities! {
    pub outputs RoomOutputs {
        /// Temperature
        temperature: "degC", held;
        /// Relative humidity
        humidity: "", held;
        /// Dew point
        dew_point: "degC", held;
    }
}

/// Seconds of a day.
const DAY: f64 = 86_400.0;

static DESCRIPTION: Description = Description {
    name: "Room",
    about: "The air around machines: day and night, slow chance, the warmth of machines",
    source: "Ornstein and Uhlenbeck, 1930; WMO No. 8, annex 4.B",
    step: Some(10_000_000_000),
    parameters: RoomParameters::ALL,
    states: RoomState::ALL,
    inputs: RoomInputs::ALL,
    outputs: RoomOutputs::ALL,
    draws: &["chance"],
    ..Description::EMPTY
};

/// Pa of water vapour over water, by a temperature in °C of -45 to 60.
pub fn saturation_pressure(temperature: f64) -> f64 {
    611.2 * libm::exp(17.62 * temperature / (243.12 + temperature))
}

/// °C that the time of day alone gives.
fn of_day(p: &RoomParameters, secs: f64) -> f64 {
    let turn = (secs - p.warmest) / DAY;
    p.temperature + p.amplitude * libm::cos(std::f64::consts::TAU * (turn - libm::floor(turn)))
}

impl Model for Room {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let p = RoomParameters::of(given.parameters);
        let chance = p.chance * given.draws.of(0).normal(given.time);
        RoomState { temperature: of_day(&p, given.secs()) + chance, chance, warmth: 0.0 }.put(state.numbers);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, s) = (RoomParameters::of(given.parameters), RoomState::of(state.numbers));
        let humidity = saturation_pressure(p.dew_point) / saturation_pressure(s.temperature.max(-60.0));
        RoomOutputs {
            temperature: s.temperature,
            humidity: humidity.min(1.0),
            // Air that is colder than its dew point has lost the water that it cannot hold.
            dew_point: p.dew_point.min(s.temperature),
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, mut s) = (RoomParameters::of(given.parameters), RoomState::of(state.numbers));
        let kept = libm::exp(-dt / p.memory);
        let drawn = given.draws.of(0).normal(given.time);
        s.chance = kept * s.chance + p.chance * (1.0 - kept * kept).sqrt() * drawn;
        let heat = RoomInputs::of(given.inputs).heat;
        let warm = (heat / (p.ventilation * (1.0 - p.failed_ventilation))).clamp(-100.0, 100.0);
        s.warmth = approach(s.warmth, warm, p.lag, dt);
        s.temperature = of_day(&p, given.secs()) + s.chance + s.warmth;
        s.put(state.numbers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_built() -> RoomParameters {
        let numbers: Vec<f64> = RoomParameters::ALL.iter().map(|parameter| parameter.default).collect();
        RoomParameters::of(&numbers)
    }

    #[test]
    fn it_is_warmest_in_the_afternoon_and_coldest_twelve_hours_away() {
        let p = as_built();
        for (hour, wanted) in [(15.0, 23.0), (3.0, 19.0), (9.0, 21.0), (39.0, 23.0)] {
            assert!((of_day(&p, hour * 3600.0) - wanted).abs() < 1e-9, "{hour} h");
        }
    }

    #[test]
    fn saturated_air_has_the_vapour_pressure_of_water() {
        let found = saturation_pressure(20.0);
        assert!((found / 2339.0 - 1.0).abs() < 4e-3, "{found} Pa");
    }
}
