//! A place with one or several servers and a line before it. In: items. Out: the same items, each after its service.
//!
//! First come, first served. `chance` is the standard deviation of services over their mean: 0 for services that are all
//! alike (M/D/c), 1 for exponential ones (M/M/c), between them a constant and an exponential part; above 1 some services
//! are short and few are long: two exponential ones, each with half of the work (Kleinrock, "Queueing Systems" 1, 1975,
//! ch. 4.7). The number of servers may change while it runs: services that have begun are finished. A finished item that
//! nobody takes keeps its server.
//!
//! Where it has `shares`, each item draws its way out by them, as in a network of Jackson ("Networks of waiting lines",
//! Operations Research 5, 1957), and waits until that way takes it; else the first way that takes it has it.
//!
//! | figure | source | wanted | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | M/M/1, load 0.8: L, W | sheet 3.4 | 4, 5 | within 7.5 %: 3 standard deviations of 2e5 services | chance |
//! | M/M/2, 3 and 5 of load 1.5, 2.4 and 4: L | sheet 3.4 | 3.42857, 4.98876, 6.21645 | within 8 % | chance |
//! | M/M/3, 4, 10 and 20 of load 2, 3.2, 8 and 16: L_q | sheet 3.4 | 0.889, 2.386, 1.637, 1.024 | 0.876, 2.335, 1.580, 0.980 | < 1 standard deviation of 2 to 6 % |
//! | 4 doors, 6 trucks an hour of 30 min: W_q | sheet 3.4 | 15.283 min | 15.04 min | 0.6 standard deviations of 3 % |
//! | M/G/1, load 0.8: L_q for chance² of 0, 0.25, 1, 2 | sheet 3.4 | 1.6, 2.0, 3.2, 4.8 | 1.604, 1.997, 3.157, 4.997 | <= 1 standard deviation of 2 to 4 % |
//! | M/G/1, load 0.9, chance² 0.25: W_q | sheet 3.4 | 5.625 services | 5.616 | < 0.1 standard deviations of 4 % |
//! | Jackson, three places: L | sheet 3.4 | 1.66667, 1, 0.714286 | 1.654, 1.009, 0.721 | about 1 standard deviation of 1 to 2 % |
//! | Jackson: W | sheet 3.4 | 2.25397 s | 2.2538 s | < 1 standard deviation of 1 % |

use crate::model::quantities;
use crate::model::{Account, Description, Domain, Gate, Given, Model, Port, StateMut, StateRef, Table};

/// A place where items wait and are served.
#[derive(Clone, Copy, Debug)]
pub struct Server;

quantities! {
    pub parameters ServerParameters {
        /// Servers that work beside each other
        servers: "" = 1.0, 0.0 => 1000.0, design, "one";
        /// Mean time of a service
        service: "s" = 5.0, 0.0 => 1e6, design, "assumed";
        /// Standard deviation of services over their mean: 1 for exponential ones, 0 for all alike
        chance: "" = 1.0, 0.0 => 10.0, design, "Kleinrock, Queueing Systems 1";
        /// Items that may wait before it
        room: "" = 1e6, 0.0 => 1e6, design, "as good as endless";
        /// Times slower than it should be
        slowness: "" = 1.0, 0.1 => 100.0, condition, "as it should be";
    }
}

quantities! {
    pub counts ServerCounts {
        /// Items that wait
        waiting;
        /// Items that are served
        serving;
        /// Items that are served and wait to leave
        ready;
        /// Items that came
        came;
        /// Services that began
        begun;
        /// The sum over time of items inside, in item ns
        inside_time;
        /// The sum over time of items that wait, in item ns
        waiting_time;
        /// Up to when the sums reach, ns
        summed;
    }
}

quantities! {
    pub outputs ServerOutputs {
        /// Items that wait
        waiting: "", held;
        /// Items that are served
        serving: "", held;
        /// All items inside
        inside: "", held;
        /// Items that have left
        served: "", held;
        /// Share of servers that work
        utilisation: "", held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Server",
    about: "A place with one or several servers and a line before it",
    source: "Kleinrock, Queueing Systems 1",
    parameters: ServerParameters::ALL,
    counts: ServerCounts::ALL,
    outputs: ServerOutputs::ALL,
    ports: &[
        Port { name: "in", about: "Where items enter", domain: Domain::ItemsIn, required: true },
        Port { name: "out", about: "Where items leave", domain: Domain::ItemsOut, required: false },
    ],
    tables: &[Table {
        name: "shares",
        about: "Weights by which items choose their ways out, in the order of these; none: the first that takes them",
        columns: &[("share", "")],
    }],
    draws: &["service", "kind", "way"],
    ..Description::EMPTY
};

// The queue holds three rows one after the other: items that wait, pairs of (end, item) in service ordered by end, items
// that are ready.

/// s that the `number`th service takes.
fn duration(given: &Given<'_>, p: &ServerParameters, number: u64) -> f64 {
    let drawn = given.draws.of(0).exponential(number);
    let times = if p.chance <= 1.0 {
        p.chance * drawn + 1.0 - p.chance
    } else {
        // Two kinds with balanced means: each does half of the work.
        let square = p.chance * p.chance;
        let often = 0.5 * (1.0 + ((square - 1.0) / (square + 1.0)).sqrt());
        let short = given.draws.of(1).uniform(number) < often;
        0.5 * drawn / if short { often } else { 1.0 - often }
    };
    p.service * p.slowness * times
}

/// The way out of the `number`th item that is ready; none for any.
fn way(given: &Given<'_>, number: u64) -> Option<usize> {
    let shares = given.tables.first().filter(|shares| !shares.is_empty())?;
    let all: f64 = shares.iter().map(|share| share.max(0.0)).sum();
    let mut left = all * given.draws.of(2).uniform(number);
    let chosen = shares.iter().position(|share| {
        left -= share.max(0.0);
        left < 0.0
    });
    Some(chosen.unwrap_or(0))
}

impl Server {
    /// Begins services while servers are free.
    fn begin_services(given: &Given<'_>, c: &mut ServerCounts, state: &mut StateMut<'_>) {
        let p = ServerParameters::of(given.parameters);
        while c.waiting > 0 && c.serving + c.ready < p.servers as u64 {
            let item = state.queue.pop_front().unwrap_or_default();
            c.waiting -= 1;
            let secs = duration(given, &p, c.begun);
            let end = given.time.saturating_add((secs * 1e9) as u64);
            let begin = c.waiting as usize;
            let row = (0..c.serving as usize).map(|k| state.queue[begin + 2 * k]);
            let place = begin + 2 * row.take_while(|other| *other <= end).count();
            state.queue.insert(place, item);
            state.queue.insert(place, end);
            c.serving += 1;
            c.begun += 1;
        }
    }

    fn sum(c: &mut ServerCounts, time: u64) {
        let passed = time - c.summed;
        c.waiting_time += c.waiting * passed;
        c.inside_time += (c.waiting + c.serving + c.ready) * passed;
        c.summed = time;
    }
}

impl Model for Server {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn misfit(&self, tables: &[Vec<f64>], ties: &[usize]) -> Option<String> {
        let shares = tables.first().filter(|shares| !shares.is_empty())?;
        let ways = ties.get(DESCRIPTION.port("out")?).copied().unwrap_or(0);
        if shares.len() != ways {
            return Some(format!(
                "it has {} shares, and {ways} links leave its port `out`: give one for each",
                shares.len()
            ));
        }
        let is_bad = shares.iter().any(|share| *share < 0.0) || shares.iter().sum::<f64>() <= 0.0;
        is_bad.then(|| "its shares are not below 0, and one at least is above".to_owned())
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, c) = (ServerParameters::of(given.parameters), ServerCounts::of(state.counts));
        ServerOutputs {
            waiting: c.waiting as f64,
            serving: c.serving as f64,
            inside: (c.waiting + c.serving + c.ready) as f64,
            served: (c.came - c.waiting - c.serving - c.ready) as f64,
            utilisation: if p.servers >= 1.0 { c.serving as f64 / p.servers } else { 0.0 },
        }
        .put(out);
    }

    fn next_event(&self, given: &Given<'_>, state: StateRef<'_>) -> Option<u64> {
        let (p, c) = (ServerParameters::of(given.parameters), ServerCounts::of(state.counts));
        if c.waiting > 0 && c.serving + c.ready < p.servers as u64 {
            // A server came free by a change of their number.
            return Some(given.time);
        }
        (c.serving > 0).then(|| state.queue[c.waiting as usize])
    }

    fn event(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let mut c = ServerCounts::of(state.counts);
        Self::sum(&mut c, given.time);
        while c.serving > 0 && state.queue[c.waiting as usize] <= given.time {
            state.queue.remove(c.waiting as usize);
            let item = state.queue.remove(c.waiting as usize).unwrap_or_default();
            c.serving -= 1;
            c.ready += 1;
            state.queue.push_back(item);
        }
        Self::begin_services(given, &mut c, state);
        c.put(state.counts);
    }

    fn accepts(&self, _: Gate, given: &Given<'_>, state: StateRef<'_>) -> bool {
        let (p, c) = (ServerParameters::of(given.parameters), ServerCounts::of(state.counts));
        (c.waiting as f64) < p.room || (c.waiting == 0 && c.serving + c.ready < p.servers as u64)
    }

    fn take(&self, _: Gate, item: u64, given: &Given<'_>, state: &mut StateMut<'_>) {
        let mut c = ServerCounts::of(state.counts);
        Self::sum(&mut c, given.time);
        state.queue.insert(c.waiting as usize, item);
        c.waiting += 1;
        c.came += 1;
        Self::begin_services(given, &mut c, state);
        c.put(state.counts);
    }

    fn offers(&self, gate: Gate, given: &Given<'_>, state: StateRef<'_>) -> bool {
        let c = ServerCounts::of(state.counts);
        let left = c.came - c.waiting - c.serving - c.ready;
        gate.port == 1 && c.ready > 0 && way(given, left).is_none_or(|way| way == gate.way)
    }

    fn give(&self, _: Gate, given: &Given<'_>, state: &mut StateMut<'_>) -> u64 {
        let mut c = ServerCounts::of(state.counts);
        Self::sum(&mut c, given.time);
        let first = (c.waiting + 2 * c.serving) as usize;
        let item = state.queue.remove(first).unwrap_or_default();
        c.ready -= 1;
        Self::begin_services(given, &mut c, state);
        c.put(state.counts);
        item
    }

    fn account(&self, _: &Given<'_>, state: StateRef<'_>) -> Account {
        let c = ServerCounts::of(state.counts);
        Account { items: (c.waiting + c.serving + c.ready) as i64, ..Account::default() }
    }
}
