//! The same bits on every machine, in every profile, on any number of threads: a plant of all models after a minute.
//!
//! A change of a model's equations, of the order of its random numbers or of what its state holds changes the constant:
//! it is taken anew from what this test says. A change that was not meant to do so is a fault, and so is a difference
//! between two machines, compilers or profiles.

use std::num::NonZero;

use pollux::model::catalogue;
use pollux::network::{Blueprint, Feed, Machine, TieKind};

use super::lines::output;
use super::{Sim, items, machine, tie, water};

/// The hash of the state after a minute with seed 1.
const GOLDEN: u128 = 0xaea6_9f5f_18d4_7da6_1043_0b9c_a8c1_6ba9;

/// Machines and the ties among them, by their names.
#[derive(Default)]
struct Plant {
    machines: Vec<Machine>,
    ties: Vec<pollux::network::Tie>,
}

impl Plant {
    fn add(&mut self, machine: Machine) {
        self.machines.push(machine);
    }

    fn at(&self, id: &str) -> usize {
        self.machines.iter().position(|machine| machine.id == id).unwrap_or_else(|| panic!("no machine {id}"))
    }

    /// A machine's input follows an output.
    fn feed(&mut self, id: &str, input: &str, from: (&str, &str)) {
        let (at, feed) = (self.at(id), output(&self.machines, from.0, from.1));
        self.machines[at] = self.machines[at].clone().fed(input, feed);
    }

    fn water(&mut self, from: (&str, &str), to: (&str, &str)) {
        self.ties.push(water((self.at(from.0), from.1), (self.at(to.0), to.1)));
    }

    fn items(&mut self, row: &[&str]) {
        for pair in row.windows(2) {
            self.ties.push(items((self.at(pair[0]), "out"), (self.at(pair[1]), "in")));
        }
    }

    fn supply(&mut self, from: (&str, &str), to: (&str, &str)) {
        self.ties.push(tie((self.at(from.0), from.1), (self.at(to.0), to.1), TieKind::Supply));
    }

    /// A tank, a pump, a valve, an exchanger and a chiller; a level and a temperature are controlled.
    fn liquids(&mut self) {
        self.add(machine("MAINS", "Mains"));
        self.add(machine("T", "Tank").with("start_temperature", 60.0).with("heat_loss", 50.0).with("leak", 1e-5));
        self.add(machine("P", "CentrifugalPump").with("rated_flow", 2e-3).with("rated_head", 25.0).with("start", 0.2));
        self.add(machine("V", "ControlValve").with("stiction", 0.01).with("recovery", 0.5));
        self.add(machine("PIPE", "Pipe").with("length", 30.0).with("heat_loss", 10.0).with("scale", 0.02));
        self.add(machine("X", "HeatExchanger").with("fouling_time", 100.0));
        self.add(machine("TAP", "Consumer").fed("demand", Feed::Constant(1.5e-3)));
        self.add(machine("COLD", "Mains"));
        self.add(machine("CH", "Chiller").with("rated_flow", 1e-3).with("capacity", 2e4));
        self.add(machine("SINK", "Consumer").fed("demand", Feed::Constant(1e-3)));
        self.water(("MAINS", "outlet"), ("T", "inlet"));
        self.water(("T", "outlet"), ("P", "inlet"));
        self.water(("P", "outlet"), ("V", "inlet"));
        self.water(("V", "outlet"), ("PIPE", "inlet"));
        self.water(("PIPE", "outlet"), ("X", "hot_inlet"));
        self.water(("X", "hot_outlet"), ("TAP", "inlet"));
        self.water(("COLD", "outlet"), ("CH", "inlet"));
        self.water(("CH", "outlet"), ("X", "cold_inlet"));
        self.water(("X", "cold_outlet"), ("SINK", "inlet"));
        let pid = machine("TIC", "Pid").with("gain", 0.05).with("integral_time", 20.0).with("derivative_time", 1.0);
        self.add(pid.fed("set_point", Feed::Constant(40.0)));
        self.feed("TIC", "measurement", ("X", "hot_outlet"));
        self.feed("V", "command", ("TIC", "output"));
        self.add(machine("LS", "OnOff").fed("set_point", Feed::Constant(1.3)));
        self.feed("LS", "measurement", ("T", "level"));
        self.add(machine("HI", "Trip").with("high", 1.5));
        self.feed("HI", "value", ("T", "level"));
    }

    /// From empty bottles to pallets; the filler and the rinser drink from mains of their own.
    fn line(&mut self) {
        for (id, model) in [("IN", "Infeed"), ("R", "Rinser"), ("F", "Filler"), ("C-1", "Conveyor"), ("CAP", "Capper")]
        {
            self.add(machine(id, model));
        }
        self.add(machine("L", "Labeller").with("start_labels", 300.0));
        // Small pallets: the first one is on its way within the minute.
        self.add(
            machine("PAL", "Palletiser").with("items_in_layer", 3.0).with("layers_on_pallet", 2.0).with("push", 0.5),
        );
        self.add(machine("AGV", "Vehicle"));
        self.add(machine("S", "Store"));
        self.items(&["IN", "R", "F", "C-1", "CAP", "L", "PAL", "AGV", "S"]);
        self.add(machine("SYRUP", "Mains").fed("pressure", Feed::Constant(5e4)));
        self.add(machine("RINSE", "Mains"));
        self.water(("SYRUP", "outlet"), ("F", "inlet"));
        self.water(("RINSE", "outlet"), ("R", "inlet"));
        self.add(machine("ARM", "Robot6"));
    }

    /// A switchboard feeds motors; one of them turns gears and a bearing.
    fn drives(&mut self) {
        self.add(machine("SB", "Switchboard").with("rated_power", 1e5));
        self.add(machine("M", "InductionMotor").with("unbalance", 0.01));
        self.add(machine("G", "Gearbox").with("pitting_rate", 1e-4).fed("load_torque", Feed::Constant(150.0)));
        self.add(machine("B", "RollingBearing").with("growth_rate", 0.01));
        self.add(machine("DC", "DcMotor").fed("load_torque", Feed::Constant(0.1)));
        self.add(machine("CNC", "Spindle"));
        for taker in ["M", "CNC"] {
            self.supply(("SB", "feeders"), (taker, "mains"));
        }
        self.supply(("M", "shaft"), ("G", "input"));
        self.supply(("M", "shaft"), ("B", "shaft"));
        self.add(machine("ROOM", "Room"));
        self.feed("M", "ambient", ("ROOM", "temperature"));
        self.feed("ROOM", "heat", ("G", "loss"));
        self.add(machine("AIR", "Compressor").with("least_speed", 0.3).with("start_pressure", 6.4e5));
        self.add(machine("BLOW", "AirConsumer").with("required_pressure", 6.6e5).fed("demand", Feed::Constant(0.1)));
        self.supply(("AIR", "air"), ("BLOW", "air"));
    }

    /// What stands alone: a queue, a heart, generators.
    fn rest(&mut self) {
        self.add(machine("COME", "Arrivals").with("rate", 2.0));
        self.add(machine("DOOR", "Server").with("servers", 3.0).with("service", 1.2).with("chance", 1.5));
        self.add(machine("GO", "Departures"));
        self.items(&["COME", "DOOR", "GO"]);
        self.add(machine("HEART", "Circulation").fed("arterial_bleeding", Feed::Constant(1.0)));
        let rows = |machine: Machine, rows: &[f64]| Machine { tables: vec![rows.to_vec()], ..machine };
        self.add(rows(machine("SEQ", "Sequencer"), &[7.0, 1.0, 0.0, 0.5, 0.0, 0.0, 9.0, 0.0, 1.0, 0.25, 0.0, 0.0]));
        self.add(rows(machine("DAY", "Schedule").with("linear", 1.0), &[0.0, 1.0, 100.0, 3.0]));
        self.add(rows(machine("STEPS", "Steps"), &[0.0, 0.2, 30.0, 0.9]));
        self.add(machine("PULSE", "Pulse").with("period", 25.0));
        self.add(machine("RAMP", "Ramp"));
        self.add(machine("SINE", "Sine").with("period", 37.0).with("harmonic", 0.3));
        self.add(machine("WALK", "RandomWalk").with("memory", 5.0));
    }
}

fn plant() -> Sim {
    let mut plant = Plant::default();
    plant.liquids();
    plant.line();
    plant.drives();
    plant.rest();
    Sim::new(Blueprint { machines: plant.machines, ties: plant.ties, outside: vec![] }, 1)
}

/// What each machine stands at, to be compared with what another computer says.
fn told(sim: &Sim) -> String {
    let each = sim.network.blueprint().machines.iter().enumerate().map(|(at, machine)| {
        let (numbers, counts) = (sim.now.numbers(&sim.network, at), sim.now.counts(&sim.network, at));
        format!("{}: {numbers:?} {counts:?}", machine.id)
    });
    each.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_plant_of_all_models_has_the_same_bits_after_a_minute_everywhere() {
    let mut sim = plant();
    let missing: Vec<&str> = catalogue()
        .iter()
        .map(|model| model.description().name)
        .filter(|name| !sim.network.blueprint().machines.iter().any(|one| one.model.description().name == *name))
        .collect();
    assert!(missing.is_empty(), "no {missing:?} in the plant");
    let mut four = sim.now.clone();
    let minute = 60_000_000_000;
    sim.network.advance_on(&mut four, minute, &mut sim.network.workspace(), NonZero::new(4).expect("four"));
    sim.run(60.0);
    assert_eq!(four.hash(&sim.network), sim.hash(), "on four threads");
    assert!(sim.now.is_solved());
    assert!((0..sim.network.blueprint().machines.len()).all(|at| !sim.now.is_broken(&sim.network, at)));
    assert_eq!(
        sim.hash(),
        GOLDEN,
        "{:#034x}, not {GOLDEN:#034x}; where two computers differ:\n{}",
        sim.hash(),
        told(&sim)
    );
}
