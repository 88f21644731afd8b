//! Steps of every model: half the step brings a result as much nearer as the model's documentation says.
//!
//! Each machine runs under inputs that stand, from the same beginning, with a step, a half and a quarter of it. Order p:
//! the first two results differ by 2^p times what the last two do (Richardson). Exact: they differ by rounding alone.

use pollux::model::catalogue;
use pollux::network::{Blueprint, Feed, Machine, Tie, TieKind};

use super::{Sim, items, machine, tie, water};

#[derive(Clone, Copy, PartialEq, Debug)]
enum Order {
    /// But for rounding, which is a part in a hundred thousand millions.
    Exact,
    Of(f64),
}

use Order::{Exact, Of};

/// What is run, for how long, with which longest step, and what is looked at.
struct Case {
    model: &'static str,
    state: &'static str,
    order: Order,
    secs: f64,
    step: f64,
    machines: Vec<Machine>,
    ties: Vec<Tie>,
    /// States of the machine that begin with other values.
    begin: &'static [(&'static str, f64)],
}

impl Case {
    fn alone(
        (model, state, order): (&'static str, &'static str, Order),
        (secs, step): (f64, f64),
        machine: Machine,
    ) -> Self {
        Self { model, state, order, secs, step, machines: vec![machine], ties: vec![], begin: &[] }
    }

    /// The machine's state at the beginning and at the end.
    fn run(&self, step: f64) -> [f64; 2] {
        let mut machines = self.machines.clone();
        for machine in &mut machines {
            machine.step = machine.model.description().step.map(|_| (step * 1e9) as u64);
        }
        let mut sim = Sim::new(Blueprint { machines, ties: self.ties.clone(), outside: vec![] }, 1);
        let named = |machine: &Machine| machine.model.description().name == self.model;
        let at = self.machines.iter().position(named).expect("the machine");
        let description = sim.network.description(at);
        for (state, value) in self.begin {
            let state = description.state(state).expect("a state");
            sim.now.set_number(&sim.network, at, state, *value);
        }
        if !self.begin.is_empty() {
            sim.network.refresh(&mut sim.now, &mut sim.work);
        }
        let state = description.state(self.state).expect("a state");
        let before = sim.now.numbers(&sim.network, at)[state];
        sim.run(self.secs);
        [before, sim.now.numbers(&sim.network, at)[state]]
    }

    /// What is wrong.
    fn judge(&self) -> Option<String> {
        let [[_, coarse], [_, middle], [begin, fine]] = [1.0, 2.0, 4.0].map(|parts| self.run(self.step / parts));
        let what = format!("{}, {}: {coarse} {middle} {fine}", self.model, self.state);
        let (first, second) = (coarse - middle, middle - fine);
        let rounding = 1e-11 * fine.abs();
        let found = libm::log2((first / second).abs());
        println!("{what}: {first:e} {second:e}, order {found:.3}, wanted {:?}", self.order);
        let right = match self.order {
            Exact => first.abs() < rounding && second.abs() < rounding,
            Of(order) => (found - order).abs() < 0.3,
        };
        // What stands still says nothing.
        let moved = (fine - begin).abs() > 1e-6 * begin.abs();
        (!right || !moved).then(|| format!("{what}: order {found:.3}, not {:?}", self.order))
    }
}

/// A mains without resistance.
fn mains(pressure: f64, temperature: f64) -> Machine {
    machine("MAINS", "Mains")
        .with("pressure_drop", 0.0)
        .fed("pressure", Feed::Constant(pressure))
        .fed("temperature", Feed::Constant(temperature))
}

/// Where liquid leaves at the pressure of the air.
fn drain(id: &str) -> Machine {
    let drain = machine(id, "Mains").with("pressure_drop", 0.0).with("check_valve", 0.0);
    drain.fed("pressure", Feed::Constant(0.0))
}

fn tap(id: &str, demand: f64) -> Machine {
    machine(id, "Consumer").fed("demand", Feed::Constant(demand))
}

/// A mains, a machine with inlet and outlet, and what follows.
fn through(
    (model, state, order): (&'static str, &'static str, Order),
    times: (f64, f64),
    [first, middle, last]: [Machine; 3],
) -> Case {
    let end = last.model.description().ports[0].name;
    let ties = vec![water((0, "outlet"), (1, "inlet")), water((1, "outlet"), (2, end))];
    Case { machines: vec![first, middle, last], ties, ..Case::alone((model, state, order), times, tap("", 0.0)) }
}

/// A machine of a line which no bottle enters.
fn without_items(what: (&'static str, &'static str, Order), times: (f64, f64), it: Machine, out: &str) -> Case {
    let machines = vec![machine("IN", "Arrivals").with("rate", 0.0), it, machine("OUT", "Store")];
    let ties = vec![items((0, "out"), (1, "in")), items((1, out), (2, "in"))];
    Case { machines, ties, ..Case::alone(what, times, tap("", 0.0)) }
}

fn teaching_motor() -> Machine {
    machine("M", "DcMotor")
        .with("resistance", 1.0)
        .with("inductance", 0.5)
        .with("torque_constant", 0.01)
        .with("inertia", 0.01)
        .with("viscous_friction", 0.1)
        .with("dry_friction", 0.0)
        .with("copper", 0.0)
        .fed("voltage", Feed::Constant(1.0))
}

fn with_rows(id: &str, model: &str) -> Machine {
    let mut machine = machine(id, model).with("linear", 1.0);
    machine.tables[0] = vec![0.0, 1.0, 7.0, 3.0, 20.0, -2.0];
    machine
}

fn liquids() -> Vec<Case> {
    let pipe = |loss: f64| {
        let pipe = machine("PIPE", "Pipe").with("diameter", 0.1).with("length", 5.0).with("heat_loss", loss);
        [mains(300.0, 80.0), pipe, drain("END")]
    };
    let pump = |demand: f64| {
        let pump = machine("P", "CentrifugalPump").with("start", 0.5);
        [mains(1e5, 15.0), pump, tap("TAP", demand)]
    };
    let valve = machine("V", "ControlValve").with("lag", 5.0).fed("command", Feed::Constant(0.7));
    let chiller = [mains(3e5, 12.0), machine("C", "Chiller"), tap("TAP", 4.5e-3)];
    let exchanger = Case {
        machines: vec![
            mains(3e5, 80.0),
            Machine { id: "COLD".into(), ..mains(3e5, 20.0) },
            machine("X", "HeatExchanger"),
            tap("HOT TAP", 1e-3),
            tap("COLD TAP", 1e-3),
        ],
        ties: vec![
            water((0, "outlet"), (2, "hot_inlet")),
            water((1, "outlet"), (2, "cold_inlet")),
            water((2, "hot_outlet"), (3, "inlet")),
            water((2, "cold_outlet"), (4, "inlet")),
        ],
        ..Case::alone(("HeatExchanger", "hot", Of(1.0)), (6.0, 0.1), tap("", 0.0))
    };
    let draining = machine("T", "Tank").with("leak", 1e-3);
    let filled = Case {
        machines: vec![machine("MAINS", "Mains").fed("temperature", Feed::Constant(80.0)), machine("T", "Tank")],
        ties: vec![water((0, "outlet"), (1, "inlet"))],
        ..Case::alone(("Tank", "temperature", Of(1.0)), (100.0, 1.0), tap("", 0.0))
    };
    let open = |state, order, times| Case {
        machines: vec![mains(3e5, 20.0), tap("TAP", 1e-3)],
        ties: vec![water((0, "outlet"), (1, "inlet"))],
        ..Case::alone(("Consumer", state, order), times, tap("", 0.0))
    };
    vec![
        through(("Pipe", "temperature", Exact), (20.0, 1.0), pipe(0.0)),
        through(("Pipe", "temperature", Of(1.0)), (20.0, 1.0), pipe(2e3)),
        through(("Mains", "given", Exact), (20.0, 1.0), pipe(0.0)),
        through(("CentrifugalPump", "speed", Exact), (2.0, 0.1), pump(1e-3)),
        through(("CentrifugalPump", "temperature", Of(1.0)), (4.0, 0.1), pump(1e-3)),
        through(("ControlValve", "position", Exact), (2.0, 0.1), [mains(3e5, 20.0), valve, drain("END")]),
        through(("Chiller", "temperature", Of(1.0)), (8.0, 0.1), chiller),
        exchanger,
        Case::alone(("Tank", "volume", Of(2.0)), (100.0, 4.0), draining),
        filled,
        open("taken", Of(1.0), (4.0, 0.1)),
    ]
}

fn drives() -> Vec<Case> {
    let servo = || machine("M", "DcMotor").fed("load_torque", Feed::Constant(0.15));
    let motor = |load: f64| machine("M", "InductionMotor").with("ramp", 0.0).fed("load_torque", Feed::Constant(load));
    let cold = motor(50.0).with("rated_rise", 1.0).with("rated_loss", 1e6);
    let gears = machine("G", "Gearbox").fed("speed", Feed::Constant(155.0)).fed("load_torque", Feed::Constant(200.0));
    let bearing = || machine("B", "RollingBearing").with("growth_rate", 0.01);
    let tool = || machine("C", "Spindle").with("scatter", 0.0);
    vec![
        Case::alone(("DcMotor", "speed", Exact), (0.05, 0.01), servo().with("copper", 0.0)),
        Case::alone(("DcMotor", "winding", Of(2.0)), (1.0, 0.05), teaching_motor()),
        Case::alone(("DcMotor", "winding", Of(1.0)), (100.0, 2.0), servo()),
        Case::alone(("InductionMotor", "speed", Of(2.0)), (0.032, 0.002), cold),
        Case::alone(("InductionMotor", "temperature", Of(1.0)), (600.0, 10.0), motor(98.0).with("start", 1.0)),
        Case::alone(("Gearbox", "oil", Of(1.0)), (600.0, 10.0), gears),
        Case::alone(("RollingBearing", "defect", Exact), (100.0, 10.0), bearing()),
        Case::alone(("RollingBearing", "temperature", Of(1.0)), (600.0, 5.0), bearing()),
        Case::alone(("Spindle", "used", Exact), (60.0, 1.0), tool()),
        Case::alone(("Spindle", "warm", Exact), (60.0, 1.0), tool()),
        Case::alone(
            ("Switchboard", "temperature", Exact),
            (60.0, 1.0),
            machine("S", "Switchboard").fed("power", Feed::Constant(3e5)),
        ),
        Case::alone(("Robot6", "along", Of(1.0)), (0.2, 0.02), machine("R", "Robot6")),
        Case::alone(("Robot6", "temperature", Of(1.0)), (0.4, 0.01), machine("R", "Robot6")),
    ]
}

fn services() -> Vec<Case> {
    let compressor = || {
        machine("C", "Compressor")
            .with("least_speed", 0.25)
            .with("start_pressure", 6.5e5)
            .with("filter_rate", 0.0)
            .fed("demand", Feed::Constant(0.1))
    };
    let room = machine("R", "Room").with("chance", 0.0).fed("heat", Feed::Constant(5e3));
    let air = Case {
        machines: vec![machine("C", "Compressor"), machine("U", "AirConsumer").fed("demand", Feed::Constant(0.05))],
        ties: vec![tie((0, "air"), (1, "air"), TieKind::Supply)],
        ..Case::alone(("AirConsumer", "taken", Exact), (30.0, 1.0), tap("", 0.0))
    };
    vec![
        Case::alone(("Compressor", "pressure", Exact), (30.0, 1.0), compressor()),
        Case::alone(("Compressor", "energy", Of(2.0)), (10.0, 1.0), compressor()),
        Case::alone(("Compressor", "oil", Of(2.0)), (10.0, 1.0), compressor()),
        Case::alone(("Room", "temperature", Exact), (36_000.0, 600.0), room),
        air,
    ]
}

fn lines() -> Vec<Case> {
    let rinser = machine("R", "Rinser");
    let belt = || machine("B", "Conveyor");
    let filling = {
        let filler = machine("F", "Filler").fed("speed", Feed::Constant(0.0));
        let case = without_items(("Filler", "bowl", Of(2.0)), (10.0, 1.0), filler, "out");
        let (mut machines, mut ties) = (case.machines, case.ties);
        machines.push(machine("MAINS", "Mains").fed("pressure", Feed::Constant(3e4)));
        ties.push(water((3, "outlet"), (1, "inlet")));
        Case { machines, ties, ..Case::alone(("Filler", "bowl", Of(2.0)), (10.0, 1.0), tap("", 0.0)) }
    };
    let vehicle = machine("V", "Vehicle").with("start_charge", 0.5);
    vec![
        without_items(("Rinser", "speed", Exact), (0.4, 0.1), rinser, "out"),
        without_items(("Conveyor", "drum_speed", Exact), (0.2, 0.05), belt(), "out"),
        without_items(("Conveyor", "temperature", Of(1.0)), (5.0, 0.1), belt(), "out"),
        without_items(("Vehicle", "charge", Exact), (60.0, 1.0), vehicle, "out"),
        filling,
    ]
}

fn programs() -> Vec<Case> {
    let closed = {
        let pid = machine("C", "Pid").with("gain", 10.0).with("integral_time", 1.0).with("start", 0.0);
        let pid = pid.with("high", 1e6).with("low", -1e6).fed("set_point", Feed::Constant(0.05));
        let speed = teaching_motor().model.description().output("speed").expect("a speed");
        let machines =
            vec![pid.fed("measurement", Feed::output(1, speed)), teaching_motor().fed("voltage", Feed::output(0, 0))];
        Case { machines, ..Case::alone(("Pid", "integral", Of(1.0)), (1.0, 0.02), tap("", 0.0)) }
    };
    let times = (5.0, 0.1);
    vec![
        closed,
        Case::alone(("Pulse", "value", Exact), times, machine("P", "Pulse").with("begin", 2.0)),
        Case::alone(("Ramp", "value", Exact), times, machine("R", "Ramp")),
        Case::alone(("Sine", "value", Exact), times, machine("S", "Sine")),
        Case::alone(("Steps", "value", Exact), times, with_rows("S", "Steps")),
        Case::alone(("Schedule", "value", Exact), (10.0, 1.0), with_rows("S", "Schedule")),
    ]
}

fn medicine() -> Vec<Case> {
    // While the left ventricle fills: no valve moves, no beat begins.
    let begin = &[("left", 120.0), ("lung_venous", 700.0), ("arterial", 900.0)];
    let case = |state, order| Case {
        begin,
        ..Case::alone(("Circulation", state, order), (0.064, 0.008), machine("H", "Circulation"))
    };
    vec![case("left", Of(4.0))]
}

/// Models whose states no Richardson test can judge, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("Capper", "its states change in events alone"),
    ("Labeller", "pockets pass in events, between them it turns as the rinser does"),
    ("Palletiser", "the lift moves from layer to layer, and each move begins at the step after an event"),
    ("RandomWalk", "each step draws: it is exact in its distribution, which a test of its spread shows"),
];

fn cases() -> Vec<Case> {
    [liquids(), drives(), services(), lines(), programs(), medicine()].into_iter().flatten().collect()
}

#[test]
fn half_a_step_brings_every_model_as_much_nearer_as_it_promises() {
    let wrong: Vec<String> = cases().iter().filter_map(Case::judge).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_model_with_continuous_states_is_judged_or_left_out_for_a_reason() {
    let cases = cases();
    for model in catalogue() {
        let description = model.description();
        let judged = cases.iter().any(|case| case.model == description.name);
        let left_out = LEFT_OUT.iter().any(|(name, _)| *name == description.name);
        let wanted = !description.states.is_empty();
        assert_eq!(judged || left_out, wanted, "{}: continuous states, and a case or a reason", description.name);
        assert!(!(judged && left_out), "{}: either a case or a reason", description.name);
    }
    assert!(
        LEFT_OUT
            .iter()
            .all(|(name, why)| catalogue().iter().any(|model| model.description().name == *name) && !why.is_empty())
    );
}
