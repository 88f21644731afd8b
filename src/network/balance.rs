//! What a network holds against what crossed its borders. In: a state. Out: sums that stay the same for ever if no model
//! makes or loses anything.
//!
//! Volume, heat and items are held by machines, so that they can be lost: these are added up, for the whole and for each
//! island. Electric charge is not held by any: a supply has no store, what its giver gives is the sum of what its takers
//! take in the same instant, and so are air and torque; that holds by how inputs are computed. The battery of a vehicle is
//! kept as energy, and nothing of it goes to another machine.
//!
//! Heat is that of liquids; what flows between bodies goes out of one and into the other as one number.
//!
//! What people do is no drift: a state that is written, a parameter that changes, a repair may add or take something. Take
//! balances anew after it.

use super::island::Island;
use super::state::IslandState;
use super::whole::{Network, State};
use crate::model::{Account, End};

/// What is held less what came in over the borders, and how large the sums are of which that is the difference.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Balance {
    pub account: Account,
    /// m³ and J that were added up, as a measure for rounding; with a trickle through each liquid network.
    pub volume_size: f64,
    pub heat_size: f64,
}

/// m³/s that count as passed through each liquid network at all times: rounding of its pressures alone moves 1e-10 of
/// that through what is shut.
const TRICKLE: f64 = 1e-6;
/// K by which that trickle counts as warmed.
const WARMED: f64 = 2.0;

impl Balance {
    /// Share of its size by which volume may move by rounding, however long a network runs. Random networks of all models
    /// stay below a tenth of it; what is lost beyond was lost by a model.
    pub const VOLUME_LIMIT: f64 = 1e-9;
    /// The same of heat, whose differences are smaller against its size.
    pub const HEAT_LIMIT: f64 = 1e-6;

    /// How much of its size a balance has moved from another of the same machines: volume, heat; and whole items.
    pub fn drift(&self, from: &Balance) -> (f64, f64, i64) {
        // A millilitre, and what warms a litre by two kelvin: trickles through what is shut are no drift.
        const LITTLE: (f64, f64) = (1e-6, 1e4);
        let part = |now: f64, then: f64, size: f64| (now - then).abs() / size;
        (
            part(self.account.volume, from.account.volume, self.volume_size.max(from.volume_size).max(LITTLE.0)),
            part(self.account.heat, from.account.heat, self.heat_size.max(from.heat_size).max(LITTLE.1)),
            self.account.items - from.account.items,
        )
    }

    /// Whether it has moved by no more than rounding from another of the same machines, and by no item.
    pub fn is_kept(&self, from: &Balance) -> bool {
        let (volume, heat, items) = self.drift(from);
        volume <= Self::VOLUME_LIMIT && heat <= Self::HEAT_LIMIT && items == 0
    }
}

impl Network {
    /// What all machines hold against what crossed the borders. It is whole at the steps of liquid networks: between
    /// them flows are under way.
    pub fn balance(&self, now: &State) -> Balance {
        let mut balance = Balance::default();
        for (island, state) in self.islands.iter().zip(&now.islands) {
            island.add_balance(state, &mut balance);
        }
        balance
    }

    /// The same of each island, in the order of [`islands`](Self::islands): what is lost on a small one cannot hide
    /// behind the size of another. As cheap as one look at each machine.
    pub fn balances(&self, now: &State) -> Vec<Balance> {
        let each = self.islands.iter().zip(&now.islands).map(|(island, state)| {
            let mut balance = Balance::default();
            island.add_balance(state, &mut balance);
            balance
        });
        each.collect()
    }

    /// The same, where it is whole: none of an island that stands between steps of its liquid networks.
    pub fn whole_balances(&self, now: &State) -> Vec<Option<Balance>> {
        let each = self.balances(now).into_iter().zip(self.islands.iter().zip(&now.islands));
        each.map(|(balance, (island, state))| Some(balance).filter(|_| island.is_whole(state))).collect()
    }

    /// The islands that made or lost something since `begin`, which [`balances`](Self::balances) gave at a step of all
    /// liquid networks, such as time 0. Islands that stand between steps now are passed over.
    pub fn unbalanced(&self, begin: &[Balance], now: &State) -> Vec<usize> {
        let each = self.whole_balances(now).into_iter().zip(begin).enumerate();
        let lost = each.filter(|(_, (balance, begin))| balance.is_some_and(|balance| !balance.is_kept(begin)));
        lost.map(|(island, _)| island).collect()
    }
}

impl Island {
    /// Whether a step of all of its liquid networks ends now.
    fn is_whole(&self, now: &IslandState) -> bool {
        let mut steps = self.groups.iter().map(|group| group.step).filter(|step| *step > 0);
        steps.all(|step| now.time.is_multiple_of(step))
    }

    pub(super) fn add_balance(&self, now: &IslandState, balance: &mut Balance) {
        let mut add = |account: Account| {
            balance.volume_size += account.volume.abs();
            balance.heat_size += account.heat.abs();
            balance.account = balance.account + account;
        };
        for at in 0..self.len() {
            add(self.read(now, at, |model, given, state| model.account(given, state)));
        }
        for (Account { volume, heat, items }, _) in &now.crossed {
            add(Account { volume: -volume, heat: -heat, items: *items });
        }
        let secs = now.time as f64 / 1e9;
        for ((_, both), group) in now.crossed.iter().zip(&self.groups) {
            balance.volume_size += both.volume + TRICKLE * secs;
            balance.heat_size += both.heat + TRICKLE * secs * group.fluid.heat_per_volume() * WARMED;
        }
    }

    /// Counts what came in over the borders of each liquid network whose step ends now.
    pub(super) fn cross_borders(&self, now: &mut IslandState) {
        for (number, group) in self.groups.iter().enumerate() {
            if group.step == 0 || !now.time.is_multiple_of(group.step) {
                continue;
            }
            let interval = group.step as f64 / 1e9;
            for (k, (machine, passage, at)) in group.passages.iter().enumerate() {
                if !group.border[k] {
                    continue;
                }
                let crossing = &now.crossings[*at];
                let inwards = match self.slots[*machine].description.passages[*passage].from {
                    End::Outside => crossing.flow,
                    _ => -crossing.flow,
                };
                let (crossed, both) = &mut now.crossed[number];
                let volume = inwards * interval;
                let heat = group.fluid.heat_per_volume() * volume * crossing.leaving;
                *crossed = *crossed + Account { volume, heat, items: 0 };
                *both = *both + Account { volume: volume.abs(), heat: heat.abs(), items: 0 };
            }
        }
    }
}
