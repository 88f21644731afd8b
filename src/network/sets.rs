//! Sets of numbers that are joined: what is tied belongs together. In: pairs. Out: one member that stands for each set,
//! always the lowest.

/// The numbers from 0 up to a count, each in a set of its own at first.
#[derive(Clone, Debug)]
pub(super) struct Sets(Vec<usize>);

impl Sets {
    pub fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// The lowest number of the set that this one is in.
    pub fn root(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    pub fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_in_any_order_has_the_lowest_member_in_common() {
        let mut sets = Sets::new(7);
        for (a, b) in [(5, 3), (6, 5), (2, 6), (1, 4)] {
            sets.join(a, b);
        }
        let roots: Vec<usize> = (0..7).map(|at| sets.root(at)).collect();
        assert_eq!(roots, [0, 1, 2, 2, 1, 2, 2]);
    }
}
