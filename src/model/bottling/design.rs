//! The sizes of the line's machines: 72 bottles of 1.5 l a minute, which is 6.5 m³/h of product.
//!
//! In: nothing. Out: parameters of models. Typical data-sheet values for machines of this size.

use std::f64::consts::TAU;

use crate::model::numeric::rad_per_sec;
use crate::model::packaging::{Agv, Capper, Conveyor, Filler, Labeller, Palletiser, Rinser};
use crate::model::process::{Bearing, Exchanger, Pump, Tank, Valve};
use crate::model::utility::{Chiller, Compressor, Supply};

/// Bottles a second that the line is made for.
pub const RATE: f64 = 72.0 / 60.0;
/// rad/s of the filler at that rate.
pub const FILLER_SPEED: f64 = TAU * 3.0 / 60.0;
/// m
pub const FEED_LEVEL: f64 = 1.8;
pub const BUFFER_LEVEL: f64 = 1.5;
pub const BOWL_LEVEL: f64 = 0.12;
/// Head in m between feed and buffer tank: 0.8 bar of CO₂ in the buffer tank.
pub const STATIC_HEAD: f64 = 8.0;
/// System curve of the pipes without the cooler, m/(m³/s)².
pub const PIPE_RESISTANCE: f64 = 4.2e6;
/// °C of the product as it comes from the syrup room.
pub const PRODUCT_IN: f64 = 20.0;

pub fn feed_tank() -> Tank {
    Tank {
        area: 3.2,
        height: 3.0,
        heat_loss: 40.0,
        start_level: FEED_LEVEL,
        start_temperature: PRODUCT_IN,
        agitator_speed: rad_per_sec(60.0),
    }
}

pub fn buffer_tank() -> Tank {
    Tank {
        area: 1.77,
        height: 2.5,
        heat_loss: 12.0,
        start_level: BUFFER_LEVEL,
        start_temperature: 7.0,
        agitator_speed: 0.0,
    }
}

pub fn feed_valve() -> Valve {
    Valve { kv: 16.0, rangeability: 50.0, stroke_secs: 6.0, start: 0.75 }
}

pub fn filler_valve() -> Valve {
    Valve { kv: 14.0, rangeability: 50.0, stroke_secs: 3.0, start: 0.82 }
}

pub fn feed_pump() -> Pump {
    Pump {
        rated_speed: rad_per_sec(2900.0),
        shutoff_head: 40.0,
        curve: 1.62e6,
        best_flow: 8.0 / 3600.0,
        best_efficiency: 0.58,
        motor_efficiency: 0.82,
        voltage: 400.0,
        power_factor: 0.8,
        thermal_resistance: 0.12,
        thermal_time: 240.0,
        ramp_secs: 1.2,
        start: 0.895,
    }
}

pub fn pump_bearing() -> Bearing {
    Bearing {
        rated_speed: rad_per_sec(2900.0),
        new_vibration: 2.0e-3,
        new_loss: 22.0,
        thermal_resistance: 1.1,
        thermal_time: 70.0,
    }
}

pub fn cooler() -> Exchanger {
    Exchanger {
        ua: 14_000.0,
        rated_flow: 0.0018,
        fouling_limit: 2.2e-5,
        fouling_time: 6.0 * 3600.0,
        resistance: 1.4e6,
        coolant_heat: 1040.0 * 3700.0,
        lag: 6.0,
    }
}

pub fn filler() -> Filler {
    Filler {
        valves: 24.0,
        bottle: 1.5e-3,
        spread: 3.5e-6,
        tolerance: 12e-6,
        bowl_area: 2.0,
        bowl_minimum: 0.03,
        start_speed: FILLER_SPEED,
    }
}

pub fn rinser() -> Rinser {
    Rinser { gear: 24.0 / 20.0, supply: 2.5e5, full_flow: 0.25e-3 }
}

/// A belt of this length in m.
pub fn conveyor(length: f64) -> Conveyor {
    Conveyor { length, pitch: 0.1, belt_speed: 0.4, idle_current: 0.9, load_current: 1.3 }
}

pub fn capper() -> Capper {
    Capper { heads: 6, cap_torque: 2.1 }
}

pub fn labeller() -> Labeller {
    Labeller { labels_on_reel: 4000, start_labels: 1450, reel_change_secs: 14.0, labels_per_turn: 6.0 }
}

pub fn palletiser() -> Palletiser {
    Palletiser {
        bottles_in_layer: 54,
        layers_on_pallet: 5,
        layer_height: 0.32,
        top: 1.7,
        lift_speed: 0.15,
        push_secs: 2.5,
    }
}

pub fn agv() -> Agv {
    Agv { track: 9.0, top_speed: 1.1, acceleration: 0.5, fork_height: 0.12, battery: 6.5e6, charger: 1500.0 }
}

pub fn compressor() -> Compressor {
    Compressor {
        delivery: 3.0 / 60.0,
        receiver: 1.0,
        load_at: 6.8e5,
        idle_at: 7.5e5,
        loaded_power: 18_500.0,
        idle_power: 5_200.0,
    }
}

pub fn chiller() -> Chiller {
    Chiller { capacity: 120e3, loop_heat: 4.2e6, setpoint: 2.0, carnot_share: 0.48, flow: 10.0 / 3600.0 }
}

pub fn supply() -> Supply {
    Supply { voltage: 404.0, sag: 6e-5, base: 6_500.0, thermal_time: 600.0 }
}
