//! The machines of the line, linked. In: a seed, steps. Out: states and outputs of all machines.
//!
//! One step: controllers and liquids, then bottles from the last machine to the first (so that room made in this step
//! is used in the next), then utilities with what all others took.

use std::time::Duration;

use super::{TICK, design, story};
use crate::model::Machine;
use crate::model::numeric::Pi;
use crate::model::packaging::*;
use crate::model::process::*;
use crate::model::utility::*;

/// All machines of the line. Public fields are the hidden truth that instruments see with noise.
#[derive(Clone, Debug)]
pub struct BottlingLine {
    ticks: u64,
    /// °C in the hall.
    pub ambient: f64,
    pub story: story::Circumstances,
    pub feed_tank: Machine<Tank>,
    pub feed_valve: Machine<Valve>,
    pub pump: Machine<Pump>,
    pub bearing: Machine<Bearing>,
    pub cooler: Machine<Exchanger>,
    pub buffer_tank: Machine<Tank>,
    pub filler_valve: Machine<Valve>,
    pub rinser: Machine<Rinser>,
    pub filler: Machine<Filler>,
    pub to_capper: Machine<Conveyor>,
    pub capper: Machine<Capper>,
    pub to_labeller: Machine<Conveyor>,
    pub labeller: Machine<Labeller>,
    pub to_palletiser: Machine<Conveyor>,
    pub palletiser: Machine<Palletiser>,
    pub agv: Machine<Agv>,
    pub compressor: Machine<Compressor>,
    pub chiller: Machine<Chiller>,
    pub supply: Machine<Supply>,
    feed_control: Pi,
    buffer_control: Pi,
    bowl_control: Pi,
}

impl BottlingLine {
    pub fn new(seed: u64) -> Self {
        Self {
            ticks: 0,
            ambient: 21.0,
            story: story::at(0.0),
            feed_tank: Machine::new(design::feed_tank(), seed, 1),
            feed_valve: Machine::new(design::feed_valve(), seed, 2),
            pump: Machine::new(design::feed_pump(), seed, 3),
            bearing: Machine::new(design::pump_bearing(), seed, 4),
            cooler: Machine::new(design::cooler(), seed, 5),
            buffer_tank: Machine::new(design::buffer_tank(), seed, 6),
            filler_valve: Machine::new(design::filler_valve(), seed, 7),
            rinser: Machine::new(design::rinser(), seed, 8),
            filler: Machine::new(design::filler(), seed, 9),
            to_capper: Machine::new(design::conveyor(4.0), seed, 10),
            capper: Machine::new(design::capper(), seed, 11),
            to_labeller: Machine::new(design::conveyor(4.0), seed, 12),
            labeller: Machine::new(design::labeller(), seed, 13),
            to_palletiser: Machine::new(design::conveyor(4.0), seed, 14),
            palletiser: Machine::new(design::palletiser(), seed, 15),
            agv: Machine::new(design::agv(), seed, 16),
            compressor: Machine::new(design::compressor(), seed, 17),
            chiller: Machine::new(design::chiller(), seed, 18),
            supply: Machine::new(design::supply(), seed, 19),
            feed_control: Pi { kp: 0.8, ki: 0.004, out: (0.0, 1.0), integral: 0.75 },
            buffer_control: Pi { kp: 0.35, ki: 0.001, out: (0.55, 1.05), integral: 0.895 },
            bowl_control: Pi { kp: 4.0, ki: 0.05, out: (0.0, 1.0), integral: 0.82 },
        }
    }

    /// Simulated time since the start.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.ticks.saturating_mul(TICK.as_nanos() as u64))
    }

    pub(super) fn ticks(&self) -> u64 {
        self.ticks
    }

    /// Moves the whole line on by one [`TICK`].
    pub fn step(&mut self) {
        let dt = TICK.as_secs_f64();
        self.ticks += 1;
        let t = self.elapsed().as_secs_f64();
        self.story = story::at(t);
        self.ambient = 21.0 + 0.6 * libm::sin(t / 700.0);
        self.step_liquids(t, dt);
        self.step_bottles(dt);
        self.step_utilities(dt);
    }

    fn step_liquids(&mut self, t: f64, dt: f64) {
        let ambient = self.ambient;
        let command = self.feed_control.step(design::FEED_LEVEL - self.feed_tank.level(), dt);
        // The syrup room's pressure breathes a little as other lines draw from it.
        let pressure_difference = 1.2e5 + 0.08e5 * libm::sin(t / 47.0);
        self.feed_valve.step(&ValveInput { command, pressure_difference }, dt);

        let buffer_level = self.buffer_tank.level();
        let wanted = self.buffer_control.step(design::BUFFER_LEVEL - buffer_level, dt);
        let speed = if self.story.repair { 0.0 } else { wanted * self.pump.model.rated_speed };
        self.bearing.step(
            &BearingInput {
                speed: self.pump.state.speed,
                severity: self.story.wear,
                replace: self.story.replaced,
                ambient,
            },
            dt,
        );
        self.pump.step(
            &PumpInput {
                speed_command: speed,
                static_head: design::STATIC_HEAD + buffer_level - self.feed_tank.level(),
                resistance: design::PIPE_RESISTANCE + self.cooler.out.resistance,
                bearing_loss: self.bearing.out.loss,
                primed: self.feed_tank.state.volume > 0.05,
                ambient,
            },
            dt,
        );
        self.feed_tank.step(
            &TankInput {
                inflow: self.feed_valve.out.flow,
                inflow_temperature: design::PRODUCT_IN + 0.8 * libm::sin(t / 311.0),
                draw: self.pump.out.flow,
                ambient,
            },
            dt,
        );
        self.cooler.step(
            &ExchangerInput {
                hot_flow: self.feed_tank.out.outflow,
                cold_flow: self.chiller.model.flow,
                hot_in: self.feed_tank.state.temperature,
                cold_in: self.chiller.state.supply,
            },
            dt,
        );
        let bowl = if self.ticks == 1 { design::BOWL_LEVEL } else { self.filler.out.bowl_level };
        let command = self.bowl_control.step(design::BOWL_LEVEL - bowl, dt);
        let driving = 0.35e5 + DENSITY * GRAVITY * buffer_level;
        self.filler_valve.step(&ValveInput { command, pressure_difference: driving }, dt);
        self.buffer_tank.step(
            &TankInput {
                inflow: self.feed_tank.out.outflow,
                inflow_temperature: self.cooler.out.hot_out,
                draw: self.filler_valve.out.flow,
                ambient,
            },
            dt,
        );
    }

    fn step_bottles(&mut self, dt: f64) {
        let ambient = self.ambient;
        self.agv.step(&AgvInput { pallet_waiting: self.palletiser.out.pallet_waiting }, dt);
        let room = self.palletiser.out.room.min(1);
        self.to_palletiser.step(&ConveyorInput { infeed: self.labeller.out.bottles, room, ambient }, dt);
        let fetched = self.agv.out.fetched;
        self.palletiser.step(&PalletiserInput { bottles: self.to_palletiser.out.released, fetched }, dt);

        let free = self.labeller.out.ready && self.to_palletiser.out.accepts;
        let infeed = self.capper.out.bottles;
        self.to_labeller.step(&ConveyorInput { infeed, room: u32::from(free), ambient }, dt);
        self.labeller.step(&LabellerInput { bottles: self.to_labeller.out.released }, dt);

        let room = self.capper.out.room.min(1);
        self.to_capper.step(&ConveyorInput { infeed: self.filler.out.bottles, room, ambient }, dt);
        let outfeed_free = self.to_labeller.out.accepts;
        self.capper.step(&CapperInput { bottles: self.to_capper.out.released, outfeed_free }, dt);

        // A light barrier sees the queue come near the filler.
        let outfeed_free = self.to_capper.out.occupancy < 0.9;
        let inflow = self.buffer_tank.out.outflow;
        self.filler.step(&FillerInput { speed_command: design::FILLER_SPEED, inflow, outfeed_free }, dt);
        self.rinser.step(&RinserInput { filler_speed: self.filler.out.speed }, dt);
    }

    fn step_utilities(&mut self, dt: f64) {
        let ambient = self.ambient;
        let running = self.filler.out.speed / design::FILLER_SPEED;
        let gripping = f64::from(u8::from(self.capper.out.gripping));
        // Free air: leaks, valves of the filler, suction of the gripper, cylinders of the palletiser.
        let demand = 0.004 + 0.012 * running + 0.006 * gripping + 0.009 * f64::from(self.palletiser.out.power > 700.0);
        self.compressor.step(&CompressorInput { demand, ambient }, dt);
        let heat = self.cooler.out.duty + 1500.0;
        let return_temperature = self.cooler.out.cold_out;
        self.chiller.step(&ChillerInput { heat, return_temperature, ambient }, dt);
        let belts = self.to_capper.out.power + self.to_labeller.out.power + self.to_palletiser.out.power;
        let consumers = self.pump.out.electrical_power
            + self.feed_tank.out.agitator_power
            + self.rinser.out.power
            + self.filler.out.power
            + self.capper.out.power
            + self.labeller.out.power
            + self.palletiser.out.power
            + self.agv.out.power
            + self.compressor.out.power
            + self.chiller.out.power
            + belts;
        self.supply.step(&SupplyInput { consumers, ambient }, dt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(secs: u64) -> BottlingLine {
        let mut line = BottlingLine::new(11);
        while line.elapsed() < Duration::from_secs(secs) {
            line.step();
        }
        line
    }

    #[test]
    fn product_is_neither_made_nor_lost_between_the_tanks_and_the_bottles() {
        let mut line = BottlingLine::new(11);
        let held =
            |line: &BottlingLine| line.feed_tank.state.volume + line.buffer_tank.state.volume + line.filler.state.bowl;
        let (start, mut entered, mut bottled) = (held(&line), 0.0, 0.0);
        for _ in 0..30_000 {
            line.step();
            entered += line.feed_valve.out.flow * TICK.as_secs_f64();
            bottled += line.filler.out.product * TICK.as_secs_f64();
        }
        assert!((held(&line) - (start + entered - bottled)).abs() < 1e-9);
        assert!(bottled > 0.9, "ten minutes at 108 l a minute: {bottled} m³");
    }

    #[test]
    fn the_line_runs_near_its_design_after_five_minutes() {
        let line = after(300);
        let flow = line.pump.out.flow * 3600.0;
        assert!((5.5..7.5).contains(&flow), "{flow} m³/h");
        assert!((line.feed_tank.out.level - design::FEED_LEVEL).abs() < 0.2, "{:?}", line.feed_tank.out);
        assert!((line.buffer_tank.out.level - design::BUFFER_LEVEL).abs() < 0.2, "{:?}", line.buffer_tank.out);
        assert!((0.07..0.17).contains(&line.filler.out.bowl_level), "{:?}", line.filler.out);
        assert!((4.0..10.0).contains(&line.cooler.out.hot_out), "{:?}", line.cooler.out);
        assert!((1.5..3.0).contains(&line.chiller.state.supply), "{:?}", line.chiller.state);
        assert!((0.5e3..3e3).contains(&line.pump.out.electrical_power), "{:?}", line.pump.out);
        assert!((20e3..90e3).contains(&line.supply.state.power), "{:?}", line.supply.state);
    }

    #[test]
    fn bottles_pass_from_machine_to_machine_and_none_is_lost() {
        let line = after(600);
        let on = |belt: &Machine<Conveyor>| belt.state.bottles.len() as u64;
        let good = line.filler.state.filled - line.filler.state.rejected;
        let capped = line.capper.state.capped;
        // What left in this very step is on no belt yet.
        let moving = u64::from(line.filler.out.bottles);
        assert_eq!(good, capped + u64::from(line.capper.state.station) + on(&line.to_capper) + moving);
        let labelled = line.labeller.state.labelled;
        assert_eq!(capped, labelled + on(&line.to_labeller) + u64::from(line.capper.out.bottles));
        assert!(line.palletiser.state.pallets >= 1, "{:?}", line.palletiser.state);
        assert!(good > 690, "the line reaches its rate: {good} of 720");
    }

    #[test]
    fn a_long_run_stays_finite_and_within_its_machines() {
        let line = after(2 * 3600);
        assert!(line.labeller.state.labelled > 7000, "{:?}", line.labeller.state);
        assert!((0.2..=1.0).contains(&line.agv.out.battery), "{:?}", line.agv.out);
        assert!(line.feed_tank.out.overflow == 0.0 && line.buffer_tank.out.overflow == 0.0);
        assert!((0.5..2.4).contains(&line.buffer_tank.out.level), "{:?}", line.buffer_tank.out);
    }
}
