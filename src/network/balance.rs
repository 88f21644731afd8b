//! What a network holds against what crossed its borders. In: a state. Out: sums that stay the same for ever if no model
//! makes or loses anything.

use super::island::Island;
use super::state::IslandState;
use crate::model::{Account, End};

/// What is held less what came in over the borders, and how large the sums are of which that is the difference.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Balance {
    pub account: Account,
    /// m³ and J that were added up, as a measure for rounding.
    pub volume_size: f64,
    pub heat_size: f64,
}

impl Balance {
    /// How much of its size a balance has moved from another of the same network: volume, heat; and whole items.
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
}

impl Island {
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
        for (_, both) in &now.crossed {
            balance.volume_size += both.volume;
            balance.heat_size += both.heat;
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
