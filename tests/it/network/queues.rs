//! Lines of waiting items against queueing theory.

use std::collections::VecDeque;

use pollux::network::{Blueprint, Network};

use super::{Sim, items, machine};

/// Runs with seeds of their own, and stretches of each that are looked at.
const SEEDS: u64 = 4;
const BATCHES: u32 = 10;

pub(super) fn line(rate: f64, servers: f64, service: f64, seed: u64) -> Sim {
    let blueprint = Blueprint {
        machines: vec![
            machine("IN", "Arrivals").with("rate", rate),
            machine("S", "Server").with("servers", servers).with("service", service),
            machine("OUT", "Departures"),
        ],
        ties: vec![items((0, "out"), (1, "in")), items((1, "out"), (2, "in"))],
        outside: vec![],
    };
    Sim::new(blueprint, seed)
}

/// Mean items inside, mean stay and its relative standard deviation, after a warm-up.
fn means(rate: f64, servers: f64, customers: f64) -> (f64, f64) {
    let mut sim = line(rate, servers, 1.0, 11);
    sim.run(0.05 * customers / rate);
    let at = sim.network.machine("S").expect("a server");
    let sums = |sim: &Sim| {
        let counts = sim.now.counts(&sim.network, at);
        (counts[5] as f64, counts[6] as f64, counts[7] as f64)
    };
    let (inside, _, begin) = sums(&sim);
    sim.run(customers / rate);
    let (inside_now, _, end) = sums(&sim);
    ((inside_now - inside) / (end - begin), sim.out("OUT", "mean_stay"))
}

#[test]
fn one_server_holds_as_many_as_theory_says() {
    // M/M/1 with lambda 0.8, mu 1: L 4, W 5; relative standard deviation 2.5 % at 2e5 services.
    let (inside, stay) = means(0.8, 1.0, 2e5);
    assert!((inside / 4.0 - 1.0).abs() < 0.075, "L {inside}");
    assert!((stay / 5.0 - 1.0).abs() < 0.075, "W {stay}");
}

#[test]
fn several_servers_hold_as_many_as_erlang_says() {
    // M/M/c: L by c and offered load.
    for (servers, load, wanted) in [(2.0, 1.5, 3.428_57), (3.0, 2.4, 4.988_76), (5.0, 4.0, 6.216_45)] {
        let (inside, _) = means(load, servers, 2e5);
        assert!((inside / wanted - 1.0).abs() < 0.08, "c {servers}: L {inside}, not {wanted}");
    }
}

#[test]
fn stays_at_one_server_are_exponential() {
    // M/M/1: P(W > t) = exp(-(mu - lambda) t) with mu - lambda = 0.2; items leave in the order in which they came.
    const TIMES: [f64; 3] = [2.0, 5.0, 15.0];
    let mut longer = TIMES.map(|_| Vec::new());
    for seed in 1..=SEEDS {
        let mut sim = line(0.8, 1.0, 1.0, seed);
        let (mut came, mut left, mut inside) = (0.0, 0.0, VecDeque::new());
        let mut batch = |stays: &mut Vec<f64>, secs: f64| {
            let until = sim.now.time() + (secs * 1e9) as u64;
            while sim.now.time() < until {
                let next = sim.network.next(&sim.now);
                sim.network.advance(&mut sim.now, next, &mut sim.work);
                let now = next as f64 / 1e9;
                let (came_now, left_now) = (sim.out("IN", "came"), sim.out("OUT", "left"));
                (came as u64..came_now as u64).for_each(|_| inside.push_back(now));
                stays.extend((left as u64..left_now as u64).filter_map(|_| Some(now - inside.pop_front()?)));
                (came, left) = (came_now, left_now);
            }
        };
        batch(&mut Vec::new(), 2_000.0);
        for _ in 0..BATCHES {
            let mut stays = Vec::new();
            batch(&mut stays, 6_000.0);
            for (longer, time) in longer.iter_mut().zip(TIMES) {
                longer.push(stays.iter().filter(|stay| **stay > time).count() as f64 / stays.len() as f64);
            }
        }
    }
    for (longer, time) in longer.iter().zip(TIMES) {
        Measured::of(longer).expect(&format!("P(W > {time})"), f64::exp(-0.2 * time), 0.12);
    }
}

/// A mean over time, and its standard deviation by batches that are as good as independent of each other.
#[derive(Clone, Copy, Debug)]
struct Measured {
    mean: f64,
    deviation: f64,
}

impl Measured {
    fn of(batches: &[f64]) -> Self {
        let count = batches.len() as f64;
        let mean = batches.iter().sum::<f64>() / count;
        let squares: f64 = batches.iter().map(|one| (one - mean) * (one - mean)).sum();
        Self { mean, deviation: (squares / (count - 1.0) / count).sqrt() }
    }

    /// Within three standard deviations, which must be small enough to tell.
    fn expect(self, what: &str, wanted: f64, share: f64) {
        println!("{what}: {:.4} +- {:.4}, wanted {wanted}", self.mean, self.deviation);
        assert!(self.deviation < share * wanted, "{what}: {self:?} tells too little");
        assert!((self.mean - wanted).abs() < 3.0 * self.deviation, "{what}: {self:?}, not {wanted}");
    }
}

/// Sums over time of a machine: its counts of these numbers, in s.
fn sums(sim: &Sim, id: &str, count: usize) -> f64 {
    let at = sim.network.machine(id).expect("a machine");
    sim.now.counts(&sim.network, at)[count] as f64 / 1e9
}

const INSIDE: usize = 5;
const WAITING: usize = 6;
const SUMMED: usize = 7;

/// What each of some sums grew by for each unit of another one, after a warm-up of 5 %, with several seeds.
fn rates<const N: usize>(
    begin: impl Fn(u64) -> Sim,
    secs: f64,
    read: impl Fn(&Sim) -> [(f64, f64); N],
) -> [Measured; N] {
    let mut batches = [const { Vec::new() }; N];
    for seed in 1..=SEEDS {
        let mut sim = begin(seed);
        sim.run(0.05 * secs);
        let mut before = read(&sim);
        for _ in 0..BATCHES {
            sim.run(secs / f64::from(BATCHES) / SEEDS as f64);
            let now = read(&sim);
            for ((batch, now), before) in batches.iter_mut().zip(now).zip(before) {
                batch.push((now.0 - before.0) / (now.1 - before.1));
            }
            before = now;
        }
    }
    batches.map(|batch| Measured::of(&batch))
}

/// Mean number of items that wait.
fn waiting(rate: f64, servers: f64, chance: f64, customers: f64) -> Measured {
    let begin = |seed: u64| {
        let mut sim = line(rate, servers, 1.0, seed);
        let at = sim.network.machine("S").expect("a server");
        let parameter = sim.network.description(at).parameter("chance").expect("a parameter");
        sim.now.set_parameter(&sim.network, at, parameter, chance);
        sim
    };
    rates(begin, customers / rate, |sim| [(sums(sim, "S", WAITING), sums(sim, "S", SUMMED))])[0]
}

#[test]
fn services_of_any_spread_make_items_wait_as_pollaczek_and_khinchine_say() {
    // M/G/1 at a load of 0.8: L_q = r² (1 + c²) / (2 (1 - r)).
    for (square, wanted) in [(0.0, 1.6), (0.25, 2.0), (1.0, 3.2), (2.0, 4.8)] {
        waiting(0.8, 1.0, f64::sqrt(square), 2e5).expect(&format!("L_q at {square}"), wanted, 0.05);
    }
    // At a load of 0.9 with c² 0.25: W_q = 5.625 services, L_q 0.9 of them.
    waiting(0.9, 1.0, 0.5, 2e5).expect("L_q at 0.9", 0.9 * 5.625, 0.05);
}

#[test]
fn trucks_wait_at_four_doors_as_erlang_says() {
    // 6 trucks an hour, 30 min each: 15.283 min = 0.50943 services.
    waiting(3.0, 4.0, 1.0, 2e5).expect("L_q of four doors", 3.0 * 15.283 / 30.0, 0.04);
    for (servers, load, wanted) in
        [(3.0, 2.0, 0.888_89), (4.0, 3.2, 2.385_73), (10.0, 8.0, 1.636_72), (20.0, 16.0, 1.024_31)]
    {
        waiting(load, servers, 1.0, 2e5).expect(&format!("L_q of {servers}"), wanted, 0.09);
    }
}

#[test]
fn places_that_pass_items_on_hold_as_many_as_jackson_says() {
    // Sheet 3.4: items come to the first place and the third; each then chooses where it goes.
    let place = |id: &str, rate: f64, shares: &[f64]| {
        let mut place = machine(id, "Server").with("service", 1.0 / rate);
        place.tables[0] = shares.to_vec();
        place
    };
    let blueprint = Blueprint {
        machines: vec![
            machine("A", "Arrivals").with("rate", 1.0),
            machine("B", "Arrivals").with("rate", 0.5),
            place("ONE", 2.0, &[0.6, 0.3, 0.1]),
            place("TWO", 1.5, &[0.5, 0.5]),
            place("THREE", 3.0, &[0.2, 0.8]),
            machine("OUT", "Departures"),
        ],
        ties: vec![
            items((0, "out"), (2, "in")),
            items((1, "out"), (4, "in")),
            items((2, "out"), (3, "in")),
            items((2, "out"), (4, "in")),
            items((2, "out"), (5, "in")),
            items((3, "out"), (4, "in")),
            items((3, "out"), (5, "in")),
            items((4, "out"), (2, "in")),
            items((4, "out"), (5, "in")),
        ],
        outside: vec![],
    };
    let begin = |seed: u64| Sim::new(blueprint.clone(), seed);
    let found = rates(begin, 1.2e5, |sim| {
        let held = |id: &str| (sums(sim, id, INSIDE), sums(sim, id, SUMMED));
        // Stays in s over items.
        let stays = (sums(sim, "OUT", 1), sum_of(sim, "OUT", 0));
        [held("ONE"), held("TWO"), held("THREE"), stays]
    });
    let wanted = [("L of the first", 1.666_67), ("of the second", 1.0), ("of the third", 0.714_286), ("W", 2.253_97)];
    for (found, (what, wanted)) in found.into_iter().zip(wanted) {
        found.expect(what, wanted, 0.02);
    }
}

/// A count itself.
fn sum_of(sim: &Sim, id: &str, count: usize) -> f64 {
    sums(sim, id, count) * 1e9
}

#[test]
fn every_item_is_somewhere_and_time_inside_is_the_sum_of_stays() {
    let mut sim = line(0.7, 1.0, 1.0, 5);
    let begin = sim.network.balance(&sim.now);
    for _ in 0..100 {
        sim.run(97.3);
        assert_eq!(sim.network.balance(&sim.now).drift(&begin).2, 0);
    }
    let (came, left) = (sim.out("IN", "came"), sim.out("OUT", "left"));
    assert!(came > 6000.0 && came - left == sim.out("S", "inside"), "{came} {left}");
}

#[test]
fn from_empty_to_empty_time_inside_is_the_sum_of_stays_to_the_nanosecond() {
    // Little's law is an identity there.
    let mut sim = line(0.7, 1.0, 1.0, 9);
    let at = |sim: &Sim, id: &str, count: usize| {
        let machine = sim.network.machine(id).expect("a machine");
        sim.now.counts(&sim.network, machine)[count]
    };
    let mut empty = 0;
    for _ in 0..1000 {
        sim.run(7.3);
        if sim.out("S", "inside") == 0.0 && sim.out("IN", "waiting") == 0.0 {
            assert_eq!(at(&sim, "S", INSIDE), at(&sim, "OUT", 1));
            empty += 1;
        }
    }
    assert!(empty > 100, "{empty}");
}

#[test]
fn shares_that_do_not_fit_the_ways_out_are_told() {
    let said = |shares: &[f64]| {
        let mut sorter = machine("S", "Server");
        sorter.tables[0] = shares.to_vec();
        let blueprint = Blueprint {
            machines: vec![machine("IN", "Arrivals"), sorter, machine("A", "Departures"), machine("B", "Departures")],
            ties: vec![items((0, "out"), (1, "in")), items((1, "out"), (2, "in")), items((1, "out"), (3, "in"))],
            outside: vec![],
        };
        let problems = Network::build(blueprint.clone()).err().unwrap_or_default();
        problems.iter().map(|problem| problem.describe(&blueprint)).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(said(&[]), "");
    assert_eq!(said(&[0.5, 0.5]), "");
    assert_eq!(said(&[0.5, 0.3, 0.2]), "S: it has 3 shares, and 2 links leave its port `out`: give one for each");
    for shares in [[0.5, -0.1], [0.0, 0.0]] {
        assert_eq!(said(&shares), "S: its shares are not below 0, and one at least is above");
    }
}
