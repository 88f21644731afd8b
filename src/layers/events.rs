//! Finds the events that both recordings have. In: two journals, the shift between them, a stretch of time. Out: events
//! in both with their difference in time, and events that only one has. Pure.
//!
//! Events are the same if they say the same of the same thing: `P-101/vibration.high raised`. Among several alike the
//! first belongs to the first, and so on; where one side has more, the nearer ones are paired.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::alarm::Cause;
use crate::event::{Event, Journal, Kind};
use crate::value::{Shift, Timestamp};

/// What became of an event.
#[derive(Clone, PartialEq, Debug)]
pub enum Met {
    Both { here: Arc<Event>, there: Arc<Event> },
    Here(Arc<Event>),
    There(Arc<Event>),
}

impl Met {
    /// In times of `here`; of one that both have the time here.
    pub fn at(&self, shift: Shift) -> Timestamp {
        match self {
            Met::Both { here, .. } | Met::Here(here) => here.time,
            Met::There(there) => shift.here(there.time),
        }
    }

    /// Seconds by which it came later there; none if only one has it.
    pub fn later_secs(&self, shift: Shift) -> Option<f64> {
        match self {
            Met::Both { here, there } => Some(shift.here(there.time).secs_since(here.time)),
            Met::Here(_) | Met::There(_) => None,
        }
    }

    pub fn event(&self) -> &Event {
        match self {
            Met::Both { here: event, .. } | Met::Here(event) | Met::There(event) => event,
        }
    }
}

/// Whether an event tells of the plant, or a person of it. When connections were made and scenes edited is the
/// watcher's own story.
pub fn is_of_the_plant(event: &Event) -> bool {
    !matches!(
        event.kind,
        Kind::Connection { .. } | Kind::SceneReloaded { .. } | Kind::SceneEdited { .. } | Kind::Gap { .. }
    ) && !event.kind.is_of_overlay()
}

/// Whether an alarm came up: what a verdict looks at.
pub fn is_raised(event: &Event) -> bool {
    matches!(&event.kind, Kind::Alarm { cause: Cause::Raised, .. })
}

/// The subject of an event and what happened to it, alike in both: `P-101/vibration.high raised`, `P-101 birth`.
pub fn name(event: &Event) -> String {
    let action = event.action();
    if let Some(path) = event.alarm_path() {
        return format!("{path} {action}");
    }
    let what = match &event.kind {
        Kind::Note { text } | Kind::Bookmark { text } if !text.is_empty() => format!("{action}: {text}"),
        Kind::Connection { broker, .. } => format!("broker {broker} {action}"),
        _ => action,
    };
    match &event.twin {
        Some(twin) => format!("{twin} {what}"),
        None => what,
    }
}

/// Names of events that both journals have, in the order of the first, at most so many.
pub fn common_names(here: &Journal, there: &Journal, most: usize) -> Vec<String> {
    let names = |journal: &Journal| -> Vec<String> {
        journal.iter().filter(|event| is_of_the_plant(event)).map(|event| name(event)).collect()
    };
    let theirs: BTreeSet<String> = names(there).into_iter().collect();
    let mut common: Vec<String> = Vec::new();
    for name in names(here) {
        if common.len() < most && theirs.contains(&name) && !common.contains(&name) {
            common.push(name);
        }
    }
    common
}

/// So far beyond the edges of a stretch an event is looked for that one side has within it: the beginning of one
/// recording may lie some seconds before what both have.
const EDGE: Duration = Duration::from_secs(30);

/// Pairs events of the plant. At least one side of each pair lies within `from..=to` (in times of `here`); in the order
/// of their times here.
pub fn meet<'j>(
    here: impl IntoIterator<Item = &'j Arc<Event>>,
    there: impl IntoIterator<Item = &'j Arc<Event>>,
    shift: Shift,
    (from, to): (Timestamp, Timestamp),
) -> Vec<Met> {
    type Alike<'e> = (Vec<&'e Arc<Event>>, Vec<&'e Arc<Event>>);
    let mut by_name: BTreeMap<String, Alike<'j>> = BTreeMap::new();
    let within = |at: Timestamp| from <= at && at <= to;
    let near = |at: Timestamp| from - EDGE <= at && at <= to + EDGE;
    for event in here.into_iter().filter(|event| is_of_the_plant(event) && near(event.time)) {
        by_name.entry(name(event)).or_default().0.push(event);
    }
    for event in there.into_iter().filter(|event| is_of_the_plant(event) && near(shift.here(event.time))) {
        by_name.entry(name(event)).or_default().1.push(event);
    }
    let mut all: Vec<Met> =
        by_name.into_values().flat_map(|(ours, theirs)| bring_together(ours, theirs, shift)).collect();
    all.retain(|met| match met {
        Met::Both { here, there } => within(here.time) || within(shift.here(there.time)),
        Met::Here(event) => within(event.time),
        Met::There(event) => within(shift.here(event.time)),
    });
    all.sort_by_key(|met| (met.at(shift), met.event().id));
    all
}

/// Events of one name: as many pairs as the shorter list has.
fn bring_together(mut ours: Vec<&Arc<Event>>, mut theirs: Vec<&Arc<Event>>, shift: Shift) -> Vec<Met> {
    ours.sort_by_key(|event| event.time);
    theirs.sort_by_key(|event| event.time);
    let apart = |here: &Event, there: &Event| shift.here(there.time).secs_since(here.time).abs();
    let mut met = Vec::with_capacity(ours.len().max(theirs.len()));
    let (mut i, mut j) = (0, 0);
    while let (Some(here), Some(there)) = (ours.get(i), theirs.get(j)) {
        let (left_here, left_there) = (ours.len() - i, theirs.len() - j);
        // The side that has more may leave one out for the next, if that lies nearer.
        let next_here = ours.get(i + 1).is_some_and(|next| apart(next, there) < apart(here, there));
        let next_there = theirs.get(j + 1).is_some_and(|next| apart(here, next) < apart(here, there));
        if left_here > left_there && next_here {
            met.push(Met::Here((*here).clone()));
            i += 1;
        } else if left_there > left_here && next_there {
            met.push(Met::There((*there).clone()));
            j += 1;
        } else {
            met.push(Met::Both { here: (*here).clone(), there: (*there).clone() });
            (i, j) = (i + 1, j + 1);
        }
    }
    met.extend(ours.into_iter().skip(i).map(|event| Met::Here(event.clone())));
    met.extend(theirs.into_iter().skip(j).map(|event| Met::There(event.clone())));
    met
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::Draft;

    fn secs(at: i64) -> Timestamp {
        Timestamp(at * 1_000_000_000)
    }

    fn journal(events: &[(i64, &str, Kind)]) -> Journal {
        let mut journal = Journal::default();
        for (at, twin, kind) in events {
            journal.record(Draft::new(secs(*at), secs(*at), kind.clone()).about(*twin));
        }
        journal
    }

    /// `+3 P-1 birth` is 3 s later there, `< P-1 death` only here, `> P-2 birth` only there.
    fn told(here: &[(i64, &str, Kind)], there: &[(i64, &str, Kind)], shift: i64) -> Vec<String> {
        let shift = Shift(shift * 1_000_000_000);
        let (here, there) = (journal(here), journal(there));
        let met = meet(here.iter(), there.iter(), shift, (secs(0), secs(100)));
        let told = met.iter().map(|met| {
            let name = name(met.event());
            match (met, met.later_secs(shift)) {
                (_, Some(later)) => format!("{later:+} {name}"),
                (Met::There(_), None) => format!("> {name}"),
                (_, None) => format!("< {name}"),
            }
        });
        told.collect()
    }

    #[test]
    fn events_alike_meet_in_order_and_the_rest_is_of_one_side() {
        let here = [(10, "P-1", Kind::Birth), (20, "P-1", Kind::Death), (30, "P-1", Kind::Birth)];
        let there = [(1012, "P-1", Kind::Birth), (1013, "P-2", Kind::Birth), (1029, "P-1", Kind::Birth)];
        assert_eq!(told(&here, &there, 1000), ["+2 P-1 birth", "> P-2 birth", "< P-1 death", "-1 P-1 birth"]);
    }

    #[test]
    fn where_one_side_has_more_the_nearer_ones_meet() {
        let births = |times: &[i64]| times.iter().map(|at| (*at, "P-1", Kind::Birth)).collect::<Vec<_>>();
        assert_eq!(told(&births(&[5, 40]), &births(&[41]), 0), ["< P-1 birth", "+1 P-1 birth"]);
        assert_eq!(told(&births(&[40]), &births(&[5, 41, 90]), 0), ["> P-1 birth", "+1 P-1 birth", "> P-1 birth"]);
    }

    #[test]
    fn what_lies_outside_of_the_stretch_and_the_watchers_own_story_is_left_out() {
        let lost = Kind::Connection { broker: "plant".into(), state: "connection lost".into(), error: String::new() };
        let here = [(10, "P-1", lost), (101, "P-1", Kind::Birth), (50, "P-1", Kind::Note { text: "odd".into() })];
        assert_eq!(told(&here, &[(-1, "P-1", Kind::Birth)], 0), ["< P-1 note: odd"]);
    }

    #[test]
    fn what_one_side_has_within_the_stretch_may_lie_just_outside_of_it_on_the_other() {
        let birth = |at| [(at, "P-1", Kind::Birth)];
        assert_eq!(told(&birth(98), &birth(103), 0), ["+5 P-1 birth"]);
        assert_eq!(told(&birth(-2), &birth(1), 0), ["+3 P-1 birth"]);
        assert_eq!(told(&birth(50), &birth(150), 0), ["< P-1 birth"]);
    }

    proptest! {
        #[test]
        fn every_event_is_told_once_and_as_many_meet_as_can(
            ours in prop::collection::vec((0..100_i64, 0..3_usize), 0..12),
            theirs in prop::collection::vec((0..100_i64, 0..3_usize), 0..12),
        ) {
            const TWINS: [&str; 3] = ["P-1", "P-2", "P-3"];
            let events = |of: &[(i64, usize)]| {
                of.iter().map(|(at, twin)| (*at, TWINS[*twin], Kind::Birth)).collect::<Vec<_>>()
            };
            let (here, there) = (journal(&events(&ours)), journal(&events(&theirs)));
            let met = meet(here.iter(), there.iter(), Shift::NONE, (secs(0), secs(100)));
            let both = met.iter().filter(|met| matches!(met, Met::Both { .. })).count();
            let only_here = met.iter().filter(|met| matches!(met, Met::Here(_))).count();
            prop_assert_eq!((both + only_here, met.len() - only_here), (ours.len(), theirs.len()));
            let count = |of: &[(i64, usize)], twin| of.iter().filter(|(_, other)| *other == twin).count();
            let most: usize = (0..3).map(|twin| count(&ours, twin).min(count(&theirs, twin))).sum();
            prop_assert_eq!(both, most);
            let alike = met.iter().all(|met| match met {
                Met::Both { here, there } => here.twin == there.twin,
                _ => true,
            });
            prop_assert!(alike);
        }
    }
}
