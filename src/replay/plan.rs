//! Chooses the segment to load next. In: position and speed of the cursor, the loaded segments, the use of memory. Out:
//! one job, or none if enough is loaded. Pure.

use std::collections::BTreeSet;

use super::Segments;
use crate::value::Timestamp;

/// Where the cursor stands, and the source seconds a second at which it moves: 0 if it stands still.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Wish {
    pub at: Timestamp,
    pub speed: f64,
}

/// The parts of the recording that are in history.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LoadedParts {
    pub segments: BTreeSet<usize>,
    /// Of these segments only the keyframe: enough for a coarse line in trends.
    pub keyframes: BTreeSet<usize>,
    /// A segment larger than the memory: of it there is what was known at this one moment.
    pub narrow: Option<Timestamp>,
}

/// One thing to load.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Job {
    /// The segment that the cursor waits for.
    Show(usize),
    /// One that is likely to be shown soon, or that fills trends.
    Ahead(usize),
    /// Only the keyframe at the beginning of a segment.
    Keyframe(usize),
}

/// Segments that are read ahead in the direction of play.
const AHEAD: usize = 2;
/// A fast cursor jumps over segments: where it will be when this many seconds have passed.
const LOOK_AHEAD_SECS: f64 = 0.3;
/// Shares of the memory up to which there is reading ahead, filling, and an overview.
const AHEAD_BELOW: f64 = 0.7;
const FILL_BELOW: f64 = 0.5;
const OVERVIEW_BELOW: f64 = 0.25;
/// A recording of more segments than this gets an overview of this many keyframes first.
const OVERVIEW: usize = 128;

impl LoadedParts {
    /// The first and the last of the segments around `here` that are loaded without a hole; none if that one is not.
    pub fn run(&self, here: usize) -> Option<(usize, usize)> {
        let whole = self.segments.contains(&here);
        let after = self.segments.range(here..).zip(here..).take_while(|(loaded, next)| *loaded == next).last();
        let before = self.segments.range(..=here).rev().zip((0..=here).rev());
        let before = before.take_while(|(loaded, next)| *loaded == next).last();
        whole.then(|| (before.map_or(here, |(first, _)| *first), after.map_or(here, |(last, _)| *last)))
    }

    /// Whether history answers for a moment.
    pub fn shows(&self, at: Timestamp, segments: &Segments) -> bool {
        self.narrow == Some(at) || self.segments.contains(&segments.holding(at))
    }
}

/// The job that is worth most; `used` is the share of the memory that is taken.
pub fn next_job(wish: Option<Wish>, parts: &LoadedParts, segments: &Segments, used: f64) -> Option<Job> {
    let wish = wish?;
    let here = segments.holding(wish.at);
    if !parts.shows(wish.at, segments) {
        return Some(Job::Show(here));
    }
    if parts.narrow.is_some() {
        return None;
    }
    let missing = |segment: &usize| *segment < segments.count() && !parts.segments.contains(segment);
    if wish.speed != 0.0 && used < AHEAD_BELOW {
        let step = |by: usize| if wish.speed > 0.0 { here.checked_add(by) } else { here.checked_sub(by) };
        let leap = Timestamp(wish.at.0.saturating_add((wish.speed * LOOK_AHEAD_SECS * 1e9) as i64));
        let ahead = (1..=AHEAD).filter_map(step).chain([segments.holding(leap)]).find(missing);
        if let Some(segment) = ahead {
            return Some(Job::Ahead(segment));
        }
    }
    if segments.count() > OVERVIEW && used < OVERVIEW_BELOW {
        let spread = (1..=OVERVIEW).map(|nth| nth * (segments.count() - 1) / OVERVIEW);
        let bare = |segment: &usize| missing(segment) && !parts.keyframes.contains(segment);
        if let Some(segment) = spread.into_iter().find(bare) {
            return Some(Job::Keyframe(segment));
        }
    }
    if used < FILL_BELOW {
        let nearest = (1..segments.count()).flat_map(|by| [here.checked_add(by), here.checked_sub(by)]).flatten();
        return nearest.into_iter().find(missing).map(Job::Ahead);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten seconds each.
    fn segments(count: i64) -> Segments {
        Segments::new((1..count).map(|at| Timestamp(at * 10_000_000_000)).collect())
    }

    fn wish(secs: i64, speed: f64) -> Option<Wish> {
        Some(Wish { at: Timestamp(secs * 1_000_000_000), speed })
    }

    #[test]
    fn what_the_cursor_waits_for_comes_first_then_what_it_will_meet_then_the_neighbours() {
        let segments = segments(9);
        let mut parts = LoadedParts::default();
        let mut order = Vec::new();
        while let Some(job) = next_job(wish(45, -1.0), &parts, &segments, 0.0) {
            let (Job::Show(segment) | Job::Ahead(segment) | Job::Keyframe(segment)) = job;
            order.push(segment);
            parts.segments.insert(segment);
        }
        assert_eq!(order, [4, 3, 2, 5, 6, 7, 1, 8, 0]);
        assert_eq!(next_job(None, &LoadedParts::default(), &segments, 0.0), None, "nobody looks");
    }

    #[test]
    fn a_run_ends_at_the_first_hole_to_either_side() {
        let parts = LoadedParts { segments: BTreeSet::from([0, 2, 3, 4, 5, 7]), ..LoadedParts::default() };
        assert_eq!(
            [0, 1, 3, 5, 7].map(|here| parts.run(here)),
            [Some((0, 0)), None, Some((2, 5)), Some((2, 5)), Some((7, 7))]
        );
    }

    #[test]
    fn a_fast_cursor_has_the_place_read_where_it_will_be() {
        let segments = segments(100);
        let parts = LoadedParts { segments: BTreeSet::from([4, 5, 6]), ..LoadedParts::default() };
        assert_eq!(next_job(wish(45, 1000.0), &parts, &segments, 0.6), Some(Job::Ahead(34)));
    }

    #[test]
    fn with_little_memory_left_only_what_is_shown_is_loaded() {
        let segments = segments(1000);
        let shown = LoadedParts { segments: BTreeSet::from([4]), ..LoadedParts::default() };
        assert_eq!(next_job(wish(45, 0.0), &shown, &segments, 0.6), None);
        assert_eq!(next_job(wish(55, 0.0), &shown, &segments, 0.9), Some(Job::Show(5)));
        let narrow = LoadedParts { narrow: Some(Timestamp(45_000_000_000)), ..LoadedParts::default() };
        assert_eq!(next_job(wish(45, 1.0), &narrow, &segments, 0.1), None);
        assert_eq!(next_job(wish(46, 1.0), &narrow, &segments, 0.1), Some(Job::Show(4)), "another moment of it");
    }

    #[test]
    fn a_long_recording_is_seen_from_afar_before_it_is_filled_in() {
        let segments = segments(1001);
        let mut parts = LoadedParts { segments: BTreeSet::from([4]), ..LoadedParts::default() };
        let mut seen = 0;
        while let Some(Job::Keyframe(segment)) = next_job(wish(45, 0.0), &parts, &segments, 0.1) {
            parts.keyframes.insert(segment);
            seen += 1;
        }
        assert_eq!((seen, parts.keyframes.last()), (OVERVIEW, Some(&1000)));
        assert_eq!(next_job(wish(45, 0.0), &parts, &segments, 0.3), Some(Job::Ahead(5)));
    }
}
