//! Watches that no machine of a plant makes or loses water, heat or items. In: states, once a simulated minute. Out: each
//! part of the plant whose balance has moved by more than rounding, once. Changes nothing.

use crate::network::{Balance, Network, State};

/// Nanoseconds from look to look. An island is looked at where a step of its liquid networks ends at that time.
const EVERY: u64 = 60_000_000_000;
/// Machines that are named.
const NAMED: usize = 3;

/// Balances as they were when the books were opened.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Books {
    /// Of each island, with the seconds at which it was taken; none until it can be.
    begin: Vec<Option<(Balance, u64)>>,
    /// Islands that were told.
    told: Vec<usize>,
    violations: Vec<Violation>,
}

/// Machines that are tied have together made or lost something.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error(
    "{machines} have made {volume:e} m3, {heat:e} J and {items} items between {since} s and {secs} s after the start: one of \
     their models makes or loses something"
)]
pub struct Violation {
    /// Ids of the first of them, and how many more there are.
    pub machines: String,
    pub since: u64,
    pub secs: u64,
    /// m³
    pub volume: f64,
    /// J
    pub heat: f64,
    pub items: i64,
}

impl Books {
    /// When the next look is due after a time.
    pub fn next(time: u64) -> u64 {
        (time / EVERY + 1) * EVERY
    }

    /// Somebody has changed machines, which may have added or taken something: from the balances of all islands before to
    /// those after. Only what is made or lost besides is told; so it does not matter how often machines are changed.
    pub fn shift(&mut self, before: &[Balance], after: &[Balance]) {
        for (begin, (before, after)) in self.begin.iter_mut().zip(before.iter().zip(after)) {
            let Some((Balance { account, .. }, _)) = begin else { continue };
            account.volume += after.account.volume - before.account.volume;
            account.heat += after.account.heat - before.account.heat;
            account.items += after.account.items - before.account.items;
        }
    }

    /// Looks at all islands that can be looked at now.
    pub fn audit(&mut self, network: &Network, state: &State) {
        let secs = state.time() / 1_000_000_000;
        self.begin.resize(network.islands().len(), None);
        for (island, now) in network.whole_balances(state).into_iter().enumerate() {
            let Some(now) = now else { continue };
            let Some((begin, since)) = self.begin[island] else {
                self.begin[island] = Some((now, secs));
                continue;
            };
            if now.is_kept(&begin) || self.told.contains(&island) {
                continue;
            }
            self.told.push(island);
            self.violations.push(Violation {
                machines: named(network, island),
                since,
                secs,
                volume: now.account.volume - begin.account.volume,
                heat: now.account.heat - begin.account.heat,
                items: now.account.items - begin.account.items,
            });
        }
    }

    pub fn take_violations(&mut self) -> Vec<Violation> {
        std::mem::take(&mut self.violations)
    }
}

/// `T-1, P-1, V-1 and 4 more`
fn named(network: &Network, island: usize) -> String {
    let all = network.islands().into_iter().nth(island).unwrap_or_default();
    let ids = all.iter().take(NAMED).map(|machine| network.blueprint().machines[*machine].id.as_str());
    let ids = ids.collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(NAMED) {
        0 => ids,
        more => format!("{ids} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Fluid, model};
    use crate::network::{Blueprint, Machine, Tie, TieKind};

    #[test]
    fn what_is_lost_is_told_once_with_its_machines_and_not_after_somebody_changed_them() {
        let named = |id: &str, name: &str| Machine::new(id, model(name).expect("a model"));
        let tie = |from: (usize, &str), to: (usize, &str)| Tie {
            from: (from.0, from.1.into()),
            to: (to.0, to.1.into()),
            kind: TieKind::Fluid(Fluid::WATER),
        };
        let blueprint = Blueprint {
            machines: vec![
                named("T-1", "Tank"),
                named("V-1", "ControlValve"),
                named("T-2", "Tank"),
                named("T-9", "Tank"),
            ],
            ties: vec![tie((0, "outlet"), (1, "inlet")), tie((1, "outlet"), (2, "inlet"))],
            outside: vec![],
        };
        let network = Network::build(blueprint).expect("a network");
        let mut work = network.workspace();
        let mut now = network.start(1, &[], &mut work);
        let mut books = Books::default();
        let mut minutes = |now: &mut State, books: &mut Books, count: u64| {
            for _ in 0..count {
                network.advance(now, Books::next(now.time()), &mut work);
                books.audit(&network, now);
            }
            books.take_violations()
        };
        assert_eq!(minutes(&mut now, &mut books, 10), []);
        let volume = network.description(0).states.iter().position(|state| state.name == "volume").expect("a volume");
        let lower = now.numbers(&network, 0)[volume] - 0.01;
        now.set_number(&network, 0, volume, lower);
        let found = minutes(&mut now, &mut books, 10);
        let [violation] = &found[..] else { panic!("once: {found:?}") };
        assert!(violation.volume < 0.0 && violation.items == 0, "{violation:?}");
        let text = violation.to_string();
        let wanted = "between 60 s and 660 s after the start";
        assert!(text.starts_with("T-1, V-1, T-2 have made -") && text.contains(wanted), "{text}");
        let mut books = Books::default();
        books.audit(&network, &now);
        let before = network.balances(&now);
        now.set_number(&network, 0, volume, lower);
        books.shift(&before, &network.balances(&now));
        assert_eq!(minutes(&mut now, &mut books, 10), [], "who changes a machine may take something");
        for _ in 0..10 {
            let before = network.balances(&now);
            now.set_number(&network, 0, volume, now.numbers(&network, 0)[volume] + 0.05);
            books.shift(&before, &network.balances(&now));
            let less = now.numbers(&network, 0)[volume] - 0.01;
            now.set_number(&network, 0, volume, less);
        }
        assert_eq!(minutes(&mut now, &mut books, 1).len(), 1, "what is lost between many changes is lost");
    }
}
