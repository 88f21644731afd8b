//! N of M: so many of the latest samples must fulfil a condition. In: for each sample, whether it does. Out: whether
//! enough do. Bounded: as many samples as the rule looks at.

use std::collections::VecDeque;

use crate::scene::rule::Count;
use crate::value::{Origin, Timestamp};

#[derive(Clone, Debug, Default)]
pub(super) struct Latest {
    latest: VecDeque<(i64, bool, Origin)>,
}

impl Latest {
    /// Takes one sample; true while at least `needed` of the latest `of`, none older than `within` before this one,
    /// fulfil the condition. With it the least certain origin of these.
    pub fn take(&mut self, now: Timestamp, holds: bool, origin: Origin, count: Count) -> (bool, Origin) {
        self.latest.push_back((now.0, holds, origin));
        let oldest = (now - count.within).0;
        while self.latest.len() > usize::from(count.of) || self.latest.front().is_some_and(|first| first.0 < oldest) {
            self.latest.pop_front();
        }
        let enough = self.latest.iter().filter(|(_, holds, _)| *holds).count() >= usize::from(count.needed);
        (enough, self.latest.iter().map(|(_, _, origin)| *origin).max().unwrap_or(origin))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    impl Latest {
        fn count(&mut self, now: Timestamp, holds: bool, count: Count) -> bool {
            self.take(now, holds, Origin::Measured, count).0
        }
    }

    #[test]
    fn two_of_three_within_ten_seconds() {
        let count = Count { needed: 2, of: 3, within: Duration::from_secs(10) };
        let mut latest = Latest::default();
        let mut take = |secs: i64, holds| latest.count(Timestamp(secs * 1_000_000_000), holds, count);
        assert!(!take(0, true));
        assert!(!take(1, false));
        assert!(take(2, true), "first and third");
        assert!(!take(3, false), "the first has left the three");
        assert!(take(4, true));
        assert!(!take(15, true), "the others are too old");
        assert!(take(25, true), "the oldest moment is included");
    }
}
