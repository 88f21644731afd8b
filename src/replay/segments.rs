//! Cuts a recording at its keyframes. In: their times, from the index. Out: the segment that holds a moment. Pure.

use crate::value::Timestamp;

/// Stretches of a recording by number, in the order of time. The first is what comes before the first keyframe; each of
/// the others begins with a keyframe and ends with the next.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Segments {
    keyframes: Vec<Timestamp>,
}

impl Segments {
    /// `keyframes` in any order.
    pub fn new(mut keyframes: Vec<Timestamp>) -> Self {
        keyframes.sort_unstable();
        keyframes.dedup();
        Self { keyframes }
    }

    /// At least one.
    pub fn count(&self) -> usize {
        self.keyframes.len() + 1
    }

    /// The segment to load to show `at`.
    pub fn holding(&self, at: Timestamp) -> usize {
        self.keyframes.partition_point(|time| *time <= at)
    }

    /// The keyframe that a segment begins with; none for the first, and for those that do not exist.
    pub fn keyframe(&self, segment: usize) -> Option<Timestamp> {
        self.keyframes.get(segment.checked_sub(1)?).copied()
    }

    /// Messages that were received after this moment belong to a segment.
    pub fn start(&self, segment: usize) -> Timestamp {
        self.keyframe(segment).unwrap_or(Timestamp::MIN)
    }

    /// Up to and including this moment messages belong to a segment.
    pub fn end(&self, segment: usize) -> Timestamp {
        self.keyframes.get(segment).copied().unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyframe_begins_the_segment_that_shows_its_moment() {
        let segments = Segments::new([30, 10, 20, 10].map(Timestamp).to_vec());
        assert_eq!(segments.count(), 4);
        let holding = [0, 9, 10, 19, 20, 30, 99].map(|at| segments.holding(Timestamp(at)));
        assert_eq!(holding, [0, 0, 1, 1, 2, 3, 3]);
        let span = |segment| (segments.keyframe(segment).map(|time| time.0), segments.end(segment).0);
        assert_eq!([0, 1, 3, 7].map(span), [(None, 10), (Some(10), 20), (Some(30), i64::MAX), (None, i64::MAX)]);
    }

    #[test]
    fn a_recording_without_keyframes_is_one_segment() {
        let segments = Segments::default();
        assert_eq!((segments.count(), segments.holding(Timestamp(5))), (1, 0));
    }
}
