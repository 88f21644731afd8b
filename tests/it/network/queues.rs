//! Lines of waiting items against queueing theory.

use pollux::network::Blueprint;

use super::{Sim, items, machine};

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
