//! What a scene tells to happen, at a time. In: a story, nanoseconds since the start. Out: adjustments, repairs, silence.
//! Depends on nothing but the time, so that any moment can be told again.

use crate::network::Adjustment;
use crate::scene::{Deed, Happening, Story};
use crate::value::SignalIndex;

/// The time within the story.
fn within(story: &Story, time: u64) -> u64 {
    story.repeats.map_or(time, |length| time % length)
}

fn lasts(happening: &Happening, at: u64) -> bool {
    happening.from <= at && happening.until.is_none_or(|until| at < until)
}

/// What is other than the scene says, in the order of the story.
pub(super) fn adjustments(story: &Story, time: u64) -> Vec<Adjustment> {
    let at = within(story, time);
    let each = story.happenings.iter().filter(|happening| lasts(happening, at));
    each.filter_map(|happening| match happening.deed {
        Deed::Adjust(adjustment) => Some(adjustment),
        Deed::Repair { .. } | Deed::Silence(_) => None,
    })
    .collect()
}

/// Machines that are repaired at this very time, each with the number of the repair.
pub(super) fn repairs(story: &Story, time: u64) -> Vec<(usize, usize)> {
    let at = within(story, time);
    let each = story.happenings.iter().filter(|happening| happening.from == at);
    each.filter_map(|happening| match happening.deed {
        Deed::Repair { machine, repair } => Some((machine, repair)),
        Deed::Adjust(_) | Deed::Silence(_) => None,
    })
    .collect()
}

pub(super) fn is_silent(story: &Story, signal: SignalIndex, time: u64) -> bool {
    let at = within(story, time);
    let told = |happening: &Happening| happening.deed == Deed::Silence(signal) && lasts(happening, at);
    story.happenings.iter().any(told)
}

/// The first time after this one at which something begins or ends.
pub(super) fn next(story: &Story, time: u64) -> Option<u64> {
    let (begin, at) = match story.repeats {
        Some(length) => (time - time % length, time % length),
        None => (0, time),
    };
    let edges = story.happenings.iter().flat_map(|happening| [Some(happening.from), happening.until]).flatten();
    let first = edges.clone().filter(|edge| *edge > at).min().map(|edge| begin + edge);
    // The end of one telling is an edge as well: what has no end of its own ends there.
    let end = story.repeats.filter(|_| !story.happenings.is_empty()).map(|length| begin + length);
    [first, end].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Effect, Target};

    const WEAR: Adjustment =
        Adjustment { target: Target::Parameter { machine: 0, parameter: 3 }, effect: Effect::Set(2.0) };

    fn story() -> Story {
        let happening = |from, until, deed| Happening { from, until, deed };
        Story {
            repeats: Some(100),
            happenings: vec![
                happening(10, Some(40), Deed::Adjust(WEAR)),
                happening(60, None, Deed::Silence(SignalIndex(5))),
                happening(80, None, Deed::Repair { machine: 0, repair: 1 }),
            ],
        }
    }

    #[test]
    fn every_edge_is_met_once_and_the_story_begins_again() {
        let (mut at, mut edges) = (0, Vec::new());
        while edges.len() < 7 {
            at = next(&story(), at).expect("it repeats for ever");
            edges.push(at);
        }
        assert_eq!(edges, [10, 40, 60, 80, 100, 110, 140]);
        assert_eq!(next(&Story::default(), 5), None);
    }

    #[test]
    fn what_happens_follows_from_the_time_alone() {
        let story = story();
        for begin in [0, 100, 700] {
            assert!(adjustments(&story, begin + 9).is_empty() && adjustments(&story, begin + 40).is_empty());
            assert_eq!(adjustments(&story, begin + 10), [WEAR]);
            assert_eq!(repairs(&story, begin + 80), [(0, 1)]);
            assert!(repairs(&story, begin + 81).is_empty());
            assert!(is_silent(&story, SignalIndex(5), begin + 99) && !is_silent(&story, SignalIndex(5), begin + 59));
            assert!(!is_silent(&story, SignalIndex(4), begin + 99));
        }
    }
}
