//! A ring of pockets that turns: what rotary machines share. In: a rate of pockets, time. Out: when the next pocket
//! reaches the outlet, and which item it holds. Never turns on while an item stands at the outlet.
//!
//! Between steps the rate stays, so that the moment at which a pocket arrives is known to the nanosecond, whatever the
//! step. The queue holds the item at the outlet, if any; the pockets from the one that leaves next; the item at the
//! inlet, if any. Pockets hold 0 for none, else one more than the item.

use std::collections::VecDeque;

/// How a ring stands.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Carousel {
    /// Way of the running pocket, 0 to 1, at the time `at` in ns; 1 waits for the outlet.
    pub turned: f64,
    pub at: u64,
    /// Pockets in a second.
    pub rate: f64,
    /// Items at the inlet and at the outlet, 0 or 1.
    pub inlet: u64,
    pub outlet: u64,
}

/// What is left of a pocket's way when it counts as arrived.
const ARRIVED: f64 = 1e-9;

impl Carousel {
    /// As many empty pockets.
    pub fn fill(queue: &mut VecDeque<u64>, pockets: f64) {
        queue.clear();
        queue.extend(std::iter::repeat_n(0, (pockets as usize).max(1)));
    }

    fn turned(&self, time: u64) -> f64 {
        (self.turned + self.rate * (time.saturating_sub(self.at)) as f64 / 1e9).min(1.0)
    }

    /// Notes how far it has turned by now, before the rate changes.
    pub fn catch_up(&mut self, time: u64) {
        (self.turned, self.at) = (self.turned(time), time);
    }

    /// When a pocket arrives; `free` if the machine lets it turn on. What waits goes on a nanosecond after it may.
    pub fn next(&self, time: u64, free: bool) -> Option<u64> {
        let left = 1.0 - self.turned;
        if left < ARRIVED {
            return (free && self.outlet == 0).then_some(time + 1);
        }
        let secs = left / self.rate;
        (self.rate > 0.0 && secs < 1e9).then(|| self.at.saturating_add((secs * 1e9).ceil() as u64))
    }

    /// A pocket arrives. The item in it, if any; the next pocket takes the one at the inlet.
    pub fn arrive(&mut self, time: u64, free: bool, queue: &mut VecDeque<u64>) -> Option<u64> {
        self.catch_up(time);
        if 1.0 - self.turned >= ARRIVED {
            return None;
        }
        self.turned = 1.0;
        if !free || self.outlet > 0 {
            return None;
        }
        self.turned = 0.0;
        let pocket = queue.pop_front().unwrap_or_default();
        let entering = match self.inlet {
            0 => 0,
            _ => queue.pop_back().unwrap_or_default().saturating_add(1),
        };
        self.inlet = 0;
        queue.push_back(entering);
        pocket.checked_sub(1)
    }

    pub fn put_out(&mut self, item: u64, queue: &mut VecDeque<u64>) {
        queue.push_front(item);
        self.outlet = 1;
    }

    pub fn give(&mut self, queue: &mut VecDeque<u64>) -> u64 {
        self.outlet = 0;
        queue.pop_front().unwrap_or_default()
    }

    pub fn take(&mut self, item: u64, queue: &mut VecDeque<u64>) {
        queue.push_back(item);
        self.inlet = 1;
    }

    /// Items at the inlet, in pockets and at the outlet.
    pub fn items(&self, queue: &VecDeque<u64>) -> u64 {
        let pockets = queue.range(self.outlet as usize..queue.len() - self.inlet as usize);
        self.inlet + self.outlet + pockets.filter(|pocket| **pocket > 0).count() as u64
    }

    /// Whether it stands because of what is behind it.
    pub fn is_blocked(&self) -> bool {
        self.outlet > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_leave_in_their_order_after_as_many_pockets_as_there_are() {
        let mut queue = VecDeque::new();
        Carousel::fill(&mut queue, 3.0);
        let mut ring = Carousel { turned: 0.0, at: 0, rate: 2.0, inlet: 0, outlet: 0 };
        let mut out = Vec::new();
        for item in 0..6 {
            ring.take(item, &mut queue);
            let due = ring.next(ring.at, true).expect("it turns");
            assert_eq!(due, (item + 1) * 500_000_000);
            if let Some(item) = ring.arrive(due, true, &mut queue) {
                out.push((due / 500_000_000, item));
            }
        }
        assert_eq!(out, [(4, 0), (5, 1), (6, 2)]);
        assert_eq!(ring.items(&queue), 3);
    }

    #[test]
    fn an_item_at_the_outlet_holds_it_until_it_is_taken() {
        let mut queue = VecDeque::new();
        Carousel::fill(&mut queue, 1.0);
        let mut ring = Carousel { turned: 0.0, at: 0, rate: 1.0, inlet: 0, outlet: 0 };
        ring.take(7, &mut queue);
        assert_eq!(ring.arrive(1_000_000_000, true, &mut queue), None);
        ring.put_out(7, &mut queue);
        assert_eq!(ring.arrive(2_000_000_000, true, &mut queue), None);
        assert_eq!((ring.turned, ring.next(2_000_000_000, true)), (1.0, None));
        assert_eq!(ring.give(&mut queue), 7);
        assert_eq!(ring.next(3_000_000_000, true), Some(3_000_000_001));
    }
}
