//! Whole items that go from machine to machine within an instant. In: a state. Out: the same, with every item moved on
//! that could be. An item leaves one machine and enters the other in one deed: none is lost or made here.

use super::island::{Island, ItemTie};
use super::state::IslandState;

/// Items that pass in one instant, at most.
const MOST_PASSES: u32 = 1_000_000;

impl Island {
    /// Ties are asked in their order, again and again until none passes an item any more.
    pub(super) fn pass_items(&self, now: &mut IslandState, touched: &mut [bool]) {
        let (mut again, mut left) = (true, MOST_PASSES);
        while again {
            again = false;
            for (number, tie) in self.items.iter().enumerate() {
                while self.may_pass(now, tie) {
                    left -= 1;
                    if left == 0 {
                        // Items go round in a circle that takes no time.
                        now.broken[tie.from.0] = true;
                        return;
                    }
                    self.pass(now, tie);
                    now.passed[number] += 1;
                    touched[tie.from.0] = true;
                    touched[tie.to.0] = true;
                    again = true;
                }
            }
        }
    }

    fn may_pass(&self, now: &IslandState, tie: &ItemTie) -> bool {
        !now.broken[tie.from.0]
            && !now.broken[tie.to.0]
            && self.read(now, tie.from.0, |model, given, state| model.offers(tie.from.1, given, state))
            && self.read(now, tie.to.0, |model, given, state| model.accepts(tie.to.1, given, state))
    }

    fn pass(&self, now: &mut IslandState, tie: &ItemTie) {
        let item = self.change(now, tie.from.0, |model, given, state| model.give(tie.from.1, given, state));
        self.change(now, tie.to.0, |model, given, state| model.take(tie.to.1, item, given, state));
    }
}
