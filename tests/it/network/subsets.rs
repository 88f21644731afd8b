//! Some machines of a network as a network of their own, told what the whole has where they were cut: they do what they
//! do in the whole.

use pollux::network::{
    Adjustment, Blueprint, Effect, Feed, Function, Network, State, Subset, Target, TieKind, Workspace,
};

use super::queues::line;
use super::{Sim, machine, tie, water};

/// Machines of a whole that run beside it.
pub(super) struct Part {
    pub subset: Subset,
    pub network: Network,
    pub now: State,
    pub work: Workspace,
}

impl Part {
    pub fn of(whole: &Network, at: &State, machines: &[usize]) -> Self {
        let subset = whole.subset(machines);
        let network = Network::build(subset.blueprint.clone()).unwrap_or_else(|problems| {
            let told: Vec<String> = problems.iter().map(|problem| problem.describe(&subset.blueprint)).collect();
            panic!("{machines:?}: {told:?}")
        });
        let mut work = network.workspace();
        let now = subset.take_up(&network, whole, at, &mut work);
        Self { subset, network, now, work }
    }

    /// Both go on, instant by instant.
    pub fn run(&mut self, whole: &Network, at: &mut State, room: &mut Workspace, secs: f64) {
        let until = at.time() + (secs * 1e9) as u64;
        while at.time() < until {
            let next = whole.next(at).min(self.network.next(&self.now)).min(until);
            whole.advance(at, next, room);
            self.subset.follow(&self.network, &mut self.now, whole, at, &mut self.work);
        }
    }

    /// The largest difference of a state or output from that of the whole, relative to the larger of it and `floor`.
    pub fn apart(&self, whole: &Network, at: &State, floor: f64) -> (f64, String) {
        let mut worst = (0.0, String::new());
        for (here, there) in self.subset.machines.iter().enumerate() {
            let description = whole.description(*there);
            let states = description.states.iter().map(|state| state.name);
            let numbers = states.zip(self.now.numbers(&self.network, here)).zip(at.numbers(whole, *there));
            let outputs = description.outputs.iter().enumerate().map(|(output, said)| {
                (said.name, self.now.output(&self.network, here, output), at.output(whole, *there, output))
            });
            for (name, one, other) in numbers.map(|((name, one), other)| (name, *one, *other)).chain(outputs) {
                let apart = (one - other).abs() / one.abs().max(other.abs()).max(floor);
                if apart > worst.0 {
                    worst = (apart, format!("{}.{name}: {one:e} for {other:e}", whole.blueprint().machines[*there].id));
                }
            }
        }
        worst
    }

    /// Whether all that its machines hold and show has the bits of the whole.
    pub fn is_same(&self, whole: &Network, at: &State) -> bool {
        self.subset.machines.iter().enumerate().all(|(here, there)| {
            let bits = |list: &[f64]| list.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            let mut outputs = 0..whole.description(*there).outputs.len();
            bits(self.now.numbers(&self.network, here)) == bits(at.numbers(whole, *there))
                && bits(self.now.inputs(&self.network, here)) == bits(at.inputs(whole, *there))
                && self.now.counts(&self.network, here) == at.counts(whole, *there)
                && outputs.all(|output| {
                    self.now.output(&self.network, here, output).to_bits() == at.output(whole, *there, output).to_bits()
                })
        })
    }
}

/// All ways to cut a few machines in two.
fn all_parts(count: usize) -> impl Iterator<Item = Vec<usize>> {
    (1..1usize << count).map(move |mask| (0..count).filter(|at| mask >> at & 1 == 1).collect())
}

/// A tank that is pumped through a pipe, an exchanger and a valve into another, which runs back; a mains on the other
/// side of the exchanger; a motor that drives the pump, warmed by a bearing, fed by a switchboard.
fn works(step: u64) -> Sim {
    let follow = |machine: usize, output: usize, scale: f64| Feed::Output {
        machine,
        output,
        scale,
        offset: 0.0,
        delayed: false,
    };
    let named = |name: &str, output: &str| {
        let model = pollux::model::model(name).expect("a model");
        model.description().output(output).expect("an output")
    };
    let mut machines = vec![
        machine("T-1", "Tank").with("area", 2.0).with("start_temperature", 60.0).with("start_level", 1.5),
        machine("P", "CentrifugalPump")
            .with("rated_flow", 3e-3)
            .with("rated_head", 20.0)
            .with("shutoff_head", 26.0)
            .fed("speed", follow(7, named("InductionMotor", "speed"), 1.93)),
        machine("L", "Pipe").with("length", 30.0).with("heat_loss", 20.0),
        machine("E", "HeatExchanger").with("hot_rated_flow", 3e-3).with("cold_rated_flow", 1e-3),
        machine("V", "ControlValve").with("kv", 9.0).fed("command", follow(0, 0, 0.5)),
        machine("T-2", "Tank").with("elevation", 6.0).with("heat_loss", 30.0),
        machine("R", "Pipe").with("length", 20.0),
        machine("M", "InductionMotor"),
        machine("B", "RollingBearing"),
        machine("S", "Switchboard").with("rated_power", 2e4),
        machine("C", "Mains").fed("temperature", Feed::Constant(12.0)),
        machine("D", "Consumer").fed("demand", Feed::Constant(8e-4)),
    ];
    for machine in machines.iter_mut().filter(|machine| !machine.model.description().passages.is_empty()) {
        machine.step = Some(step);
    }
    let ties = vec![
        water((0, "outlet"), (1, "inlet")),
        water((1, "outlet"), (2, "inlet")),
        water((2, "outlet"), (3, "hot_inlet")),
        water((3, "hot_outlet"), (4, "inlet")),
        water((4, "outlet"), (5, "inlet")),
        water((5, "outlet"), (6, "inlet")),
        water((6, "outlet"), (0, "inlet")),
        water((10, "outlet"), (3, "cold_inlet")),
        water((3, "cold_outlet"), (11, "inlet")),
        tie((9, "feeders"), (7, port("InductionMotor", "mains")), TieKind::Supply),
        tie((9, "feeders"), (1, port("CentrifugalPump", "mains")), TieKind::Supply),
        tie((7, port("InductionMotor", "shaft")), (8, port("RollingBearing", "shaft")), TieKind::Supply),
        tie(
            (7, port("InductionMotor", "housing")),
            (8, port("RollingBearing", "housing")),
            TieKind::Heat { conductance: 15.0 },
        ),
    ];
    Sim::new(Blueprint { machines, ties, outside: vec![] }, 1)
}

/// A port that a model has.
fn port(name: &str, wanted: &'static str) -> &'static str {
    let description = pollux::model::model(name).expect("a model").description();
    let found = description.ports.iter().find(|port| port.name == wanted);
    found
        .unwrap_or_else(|| panic!("{name} has {:?}", description.ports.iter().map(|one| one.name).collect::<Vec<_>>()))
        .name
}

#[test]
fn each_part_of_a_works_follows_the_whole() {
    for step in [100_000_000, 50_000_000] {
        let several =
            [vec![0, 1, 2], vec![1, 7, 8], vec![3, 4, 10], vec![0, 5], vec![2, 3, 4, 5, 6], vec![1, 2, 3, 6, 8, 9]];
        for machines in (0..12).map(|at| vec![at]).chain(several) {
            let mut whole = works(step);
            whole.run(20.0);
            let mut part = Part::of(&whole.network, &whole.now, &machines);
            assert!(whole.out("P", "flow") > 1e-3 && whole.out("E", "duty") > 1e3, "it works");
            part.run(&whole.network, &mut whole.now, &mut whole.work, 120.0);
            let (apart, told) = part.apart(&whole.network, &whole.now, 1e-6);
            assert!(apart < 1e-8, "{machines:?} at {step} ns: {told}");
        }
    }
}

/// Generators, tanks in air, controllers and trips that follow each other by feeds and formulas, now and later.
fn desk() -> Sim {
    let mean = Function { text: "mean".into(), of: std::sync::Arc::new(|of| Some(0.5 * (of[0] + of[1]))) };
    let often = Function {
        text: "the first where the second is above 0".into(),
        of: std::sync::Arc::new(|of| (of[1] > 0.0).then_some(of[0])),
    };
    let later =
        |machine: usize, output: usize| Feed::Output { machine, output, scale: 3.0, offset: -0.1, delayed: true };
    let ambient = Feed::Output { machine: 0, output: 0, scale: 30.0, offset: 5.0, delayed: false };
    let both = vec![(0, 0), (1, 0)];
    let machines = vec![
        machine("S", "Sine").with("period", 7.0),
        machine("W", "RandomWalk"),
        machine("T-1", "Tank").with("heat_loss", 1e5).fed("ambient", ambient),
        machine("T-2", "Tank")
            .with("heat_loss", 1e5)
            .fed("ambient", Feed::Formula { of: both.clone(), function: mean.clone(), delayed: false }),
        machine("C", "Pid").fed("measurement", later(2, 2)).fed("set_point", Feed::output(1, 0)),
        machine("O", "OnOff")
            .fed("measurement", Feed::Formula { of: vec![(4, 0), (0, 0)], function: often, delayed: false })
            .fed("set_point", Feed::Formula { of: both, function: mean, delayed: true }),
        machine("Z", "Trip").fed("value", Feed::output(5, 0)).fed("reset", later(0, 0)),
    ];
    Sim::new(Blueprint { machines, ..Blueprint::default() }, 5)
}

#[test]
fn where_feeds_alone_are_cut_each_part_has_the_bits_of_the_whole() {
    for machines in all_parts(7) {
        let mut whole = desk();
        let mut part = Part::of(&whole.network, &whole.now, &machines);
        part.run(&whole.network, &mut whole.now, &mut whole.work, 10.0);
        assert!(
            part.is_same(&whole.network, &whole.now),
            "{machines:?} from the start: {:?}",
            part.apart(&whole.network, &whole.now, 1e-9)
        );
        let mut part = Part::of(&whole.network, &whole.now, &machines);
        part.run(&whole.network, &mut whole.now, &mut whole.work, 5.03);
        assert!(
            part.is_same(&whole.network, &whole.now),
            "{machines:?} from within: {:?}",
            part.apart(&whole.network, &whole.now, 1e-9)
        );
    }
}

#[test]
fn a_part_of_a_line_sees_the_items_that_come_in_the_whole() {
    for machines in all_parts(3) {
        let mut whole = line(0.9, 2.0, 1.5, 7);
        whole.run(30.0);
        let mut part = Part::of(&whole.network, &whole.now, &machines);
        part.run(&whole.network, &mut whole.now, &mut whole.work, 300.0);
        for (here, there) in machines.iter().enumerate() {
            let found = part.now.counts(&part.network, here);
            let wanted = whole.now.counts(&whole.network, *there);
            // What came over a cut is called by the time at which it came over: how long it stayed is not known.
            let known = if *there == 2 && machines != [0, 1, 2] { 1 } else { wanted.len() };
            assert_eq!(found[..known], wanted[..known], "{machines:?}");
        }
        let begin = part.network.balance(&part.now);
        part.run(&whole.network, &mut whole.now, &mut whole.work, 100.0);
        assert_eq!(part.network.balance(&part.now).drift(&begin).2, 0);
    }
}

#[test]
fn values_from_outside_are_paths_in_a_stated_order() {
    let whole = works(100_000_000);
    let said = |machines: &[usize]| {
        let subset = whole.network.subset(machines);
        let names: Vec<String> = subset.cuts.iter().map(|cut| format!("{} {}", cut.name, cut.unit)).collect();
        assert_eq!(subset.blueprint.outside, subset.cuts.iter().map(|cut| cut.name.clone()).collect::<Vec<_>>());
        names
    };
    assert_eq!(
        said(&[4, 1]),
        [
            "T-1.level m",
            "M.speed rad/s",
            "T-1.outlet.pressure Pa",
            "T-1.outlet.temperature degC",
            "L.inlet.pressure Pa",
            "L.inlet.temperature degC",
            "E.hot_outlet.pressure Pa",
            "E.hot_outlet.temperature degC",
            "T-2.inlet.pressure Pa",
            "T-2.inlet.temperature degC",
        ]
    );
    assert_eq!(said(&[8, 9]), ["P.power W", "M.speed rad/s", "M.power W", "M.temperature degC"]);
    assert_eq!(said(&(0..12).collect::<Vec<_>>()), [""; 0]);
}

#[test]
fn a_part_is_taken_up_with_its_faults_and_tells_what_a_change_in_it_alone_would_do() {
    let mut whole = works(100_000_000);
    let (valve, command) = (4, 0);
    let shut = Adjustment { target: Target::Input { machine: valve, input: command }, effect: Effect::Set(0.2) };
    whole.now.adjust(&whole.network, &[shut]);
    whole.run(60.0);
    let mut part = Part::of(&whole.network, &whole.now, &[valve, 5]);
    part.run(&whole.network, &mut whole.now, &mut whole.work, 30.0);
    assert!(
        part.apart(&whole.network, &whole.now, 1e-6).0 < 1e-8,
        "{:?}",
        part.apart(&whole.network, &whole.now, 1e-6)
    );
    // Open in the part alone, between the pressures of the whole.
    part.now.adjust(&part.network, &[]);
    part.run(&whole.network, &mut whole.now, &mut whole.work, 60.0);
    let flow = |network: &Network, now: &State, at: usize| now.crossings(network, at)[0].flow;
    let (open, throttled) = (flow(&part.network, &part.now, 0), flow(&whole.network, &whole.now, valve));
    assert!(open > 1.5 * throttled, "{open} {throttled}");
}
