//! A vehicle that takes pallets to the warehouse. In: a pallet that waits. Out: its place, fork height, battery.
//!
//! Equations: trapezoid of speed along its track; charge balance of the battery. Takes a pallet only at the dock.

use crate::model::{Equations, Noise, numeric::move_towards};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AgvPhase {
    #[default]
    Charging,
    Lifting,
    Leaving,
    Lowering,
    Returning,
}

impl AgvPhase {
    pub fn text(self) -> &'static str {
        match self {
            AgvPhase::Charging => "CHARGING",
            AgvPhase::Lifting => "LIFTING",
            AgvPhase::Leaving => "TO WAREHOUSE",
            AgvPhase::Lowering => "LOWERING",
            AgvPhase::Returning => "RETURNING",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Agv {
    /// Length of the track in m.
    pub track: f64,
    /// m/s and m/s²
    pub top_speed: f64,
    pub acceleration: f64,
    /// m
    pub fork_height: f64,
    /// J
    pub battery: f64,
    /// W
    pub charger: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AgvState {
    pub phase: AgvPhase,
    /// m from the dock
    pub position: f64,
    /// m/s, positive towards the warehouse
    pub speed: f64,
    /// m
    pub forks: f64,
    /// J
    pub charge: f64,
    pub loaded: bool,
    pub trips: u64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AgvInput {
    pub pallet_waiting: bool,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct AgvOutput {
    pub phase: AgvPhase,
    /// It lifted the pallet off the palletiser in this step.
    pub fetched: bool,
    /// 0 to 1
    pub battery: f64,
    /// W drawn from the mains.
    pub power: f64,
}

impl Agv {
    /// Drives towards `target`, slowing down so that it stops there.
    fn drive(&self, state: &mut AgvState, target: f64, dt: f64) -> bool {
        let way = target - state.position;
        let braking = (2.0 * self.acceleration * way.abs()).sqrt();
        let wanted = way.signum() * braking.min(self.top_speed);
        state.speed = move_towards(state.speed, wanted, 1.2 * self.acceleration, dt);
        let step = state.speed * dt;
        if step.abs() >= way.abs() || way.abs() < 1e-3 {
            (state.position, state.speed) = (target, 0.0);
            return true;
        }
        state.position += step;
        false
    }

    fn lift(&self, state: &mut AgvState, target: f64, dt: f64) -> bool {
        state.forks = move_towards(state.forks, target, 0.05, dt);
        state.forks == target
    }
}

impl Equations for Agv {
    type State = AgvState;
    type Input = AgvInput;
    type Output = AgvOutput;

    fn initial(&self) -> AgvState {
        AgvState {
            phase: AgvPhase::Charging,
            position: 0.0,
            speed: 0.0,
            forks: 0.0,
            charge: 0.82 * self.battery,
            loaded: false,
            trips: 0,
        }
    }

    fn step(&self, state: &mut AgvState, input: &AgvInput, dt: f64, _: &mut Noise) -> AgvOutput {
        let mut fetched = false;
        let phase = state.phase;
        let next = match phase {
            AgvPhase::Charging if input.pallet_waiting => AgvPhase::Lifting,
            AgvPhase::Lifting if self.lift(state, self.fork_height, dt) => {
                (state.loaded, fetched) = (true, true);
                AgvPhase::Leaving
            }
            AgvPhase::Leaving if self.drive(state, self.track, dt) => AgvPhase::Lowering,
            AgvPhase::Lowering if self.lift(state, 0.0, dt) => {
                state.loaded = false;
                state.trips += 1;
                AgvPhase::Returning
            }
            AgvPhase::Returning if self.drive(state, 0.0, dt) => AgvPhase::Charging,
            same => same,
        };
        let charging = state.phase == AgvPhase::Charging && state.charge < self.battery;
        let used = 40.0 + 350.0 * state.speed.abs() * if state.loaded { 1.6 } else { 1.0 };
        let power = if charging { self.charger } else { 0.0 };
        state.charge = (state.charge + (0.92 * power - used) * dt).clamp(0.0, self.battery);
        state.phase = next;
        AgvOutput { phase: next, fetched, battery: state.charge / self.battery, power }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bottling::design;

    #[test]
    fn a_waiting_pallet_is_taken_to_the_warehouse_once_and_the_vehicle_comes_back() {
        let agv = design::agv();
        let (mut state, mut noise) = (agv.initial(), Noise::new(2, 0));
        let (mut waiting, mut furthest, mut fetched) = (true, 0f64, 0);
        for _ in 0..10_000 {
            let before = state.speed;
            let out = agv.step(&mut state, &AgvInput { pallet_waiting: waiting }, 0.02, &mut noise);
            if out.fetched {
                (waiting, fetched) = (false, fetched + 1);
                assert!(state.position == 0.0, "pallets are taken at the dock");
            }
            furthest = furthest.max(state.position);
            assert!(state.speed.abs() <= agv.top_speed + 1e-9 && (state.speed - before).abs() < 0.2);
        }
        assert_eq!((fetched, state.trips, state.phase), (1, 1, AgvPhase::Charging));
        assert!((furthest - agv.track).abs() < 1e-9 && state.position == 0.0);
    }
}
