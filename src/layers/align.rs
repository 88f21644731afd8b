//! Aligns two worlds in time. In: start and end of each, their journals, the wanted alignment. Out: the [`Shift`] from
//! a moment of one to the moment of the other that belongs to it, or why there is none. Never reads a clock or a file.

use std::fmt;
use std::str::FromStr;

use super::events::{self, name};
use crate::event::{Event, Journal};
use crate::value::{Shift, Timestamp};

/// The times that are brought together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Align {
    /// The same time of day.
    Wall,
    /// Both beginnings.
    Start,
    /// In each the first event whose alarm path or text holds this, in whatever case.
    Event(String),
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{text}` is no alignment; it is wall, start, or an event such as event:P-101/vibration")]
pub struct UnknownAlign {
    text: String,
}

impl FromStr for Align {
    type Err = UnknownAlign;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "wall" => Ok(Self::Wall),
            None if text == "start" => Ok(Self::Start),
            Some(("event", wanted)) if !wanted.trim().is_empty() => Ok(Self::Event(wanted.trim().to_owned())),
            _ => Err(UnknownAlign { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for Align {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Align::Wall => f.write_str("wall"),
            Align::Start => f.write_str("start"),
            Align::Event(text) => write!(f, "event:{text}"),
        }
    }
}

/// What alignment has to know of one of the two.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// As people call it: the name of its file, or `live`.
    pub name: &'a str,
    pub start: Timestamp,
    /// None while it goes on.
    pub end: Option<Timestamp>,
    pub journal: &'a Journal,
}

/// How the two lie, before anything is shifted by hand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aligned {
    pub by: Align,
    pub shift: Shift,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AlignError {
    #[error("no event of {here} and none of {there} holds `{text}`{known}; --align start needs no event")]
    NoEvent { text: String, here: String, there: String, known: CommonEvents },
    #[error("`{text}` is at {at} in {found}, but no event of {missing} holds it{known}; --align start needs no event")]
    OnlyInOne { text: String, found: String, at: Timestamp, missing: String, known: CommonEvents },
    #[error(
        "aligned by {by}, {here} is from {} to {}, and {there} from {} to {} in the same time: they have no moment in \
         common; lay them beside each other by --align start, or with --shift",
        .ours.0, end(*.ours), .theirs.0, end(*.theirs)
    )]
    Apart {
        by: String,
        here: String,
        there: String,
        ours: (Timestamp, Option<Timestamp>),
        /// In times of `here`.
        theirs: (Timestamp, Option<Timestamp>),
    },
}

fn end((_, end): (Timestamp, Option<Timestamp>)) -> String {
    end.map_or_else(|| "now on".to_owned(), |end| end.to_string())
}

/// Names of events that both sides have: what could have been asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CommonEvents(pub Vec<String>);

impl fmt::Display for CommonEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.is_empty() {
            true => Ok(()),
            false => write!(f, "; both have {}", self.0.join(", ")),
        }
    }
}

/// Events that an error names.
const NAMED: usize = 3;

/// Lays `there` beside `here`; then it is shifted by `by_hand`, and there must be a moment that both have. Without a
/// wish the time of day counts if both have some of it in common, else their beginnings. None while the event that is
/// waited for has not happened in a session that goes on.
pub fn align(
    by: Option<&Align>,
    by_hand: Shift,
    here: &Side<'_>,
    there: &Side<'_>,
) -> Result<Option<Aligned>, AlignError> {
    let aligned = match by {
        None => {
            let meets = overlap(here, there, by_hand).is_some();
            laid(if meets { Align::Wall } else { Align::Start }, here, there)
        }
        Some(Align::Event(text)) => match by_event(text, here, there)? {
            Some(shift) => Aligned { by: Align::Event(text.clone()), shift },
            None => return Ok(None),
        },
        Some(by) => laid(by.clone(), here, there),
    };
    let shift = aligned.shift.plus(by_hand);
    match overlap(here, there, shift) {
        Some(_) => Ok(Some(aligned)),
        None => Err(AlignError::Apart {
            by: aligned.by.to_string(),
            here: here.name.to_owned(),
            there: there.name.to_owned(),
            ours: (here.start, here.end),
            theirs: (shift.here(there.start), there.end.map(|end| shift.here(end))),
        }),
    }
}

fn laid(by: Align, here: &Side<'_>, there: &Side<'_>) -> Aligned {
    let shift = if by == Align::Start { Shift::between(here.start, there.start) } else { Shift::NONE };
    Aligned { by, shift }
}

/// The stretch that both have, in times of `here`; its end is none while both go on.
pub fn overlap(here: &Side<'_>, there: &Side<'_>, shift: Shift) -> Option<(Timestamp, Option<Timestamp>)> {
    let from = here.start.max(shift.here(there.start));
    let ends = [here.end, there.end.map(|end| shift.here(end))];
    let to = ends.into_iter().flatten().min();
    to.is_none_or(|to| from <= to).then_some((from, to))
}

fn by_event(text: &str, here: &Side<'_>, there: &Side<'_>) -> Result<Option<Shift>, AlignError> {
    let known = || CommonEvents(events::common_names(here.journal, there.journal, NAMED));
    let only = |found: &Side<'_>, event: &Event, missing: &Side<'_>| AlignError::OnlyInOne {
        text: text.to_owned(),
        found: found.name.to_owned(),
        at: event.time,
        missing: missing.name.to_owned(),
        known: known(),
    };
    match (first(here.journal, text), first(there.journal, text)) {
        (Some(ours), Some(theirs)) => Ok(Some(Shift::between(ours.time, theirs.time))),
        (Some(ours), None) => Err(only(here, ours, there)),
        // It may happen yet.
        (None, Some(_)) if here.end.is_none() => Ok(None),
        (None, Some(theirs)) => Err(only(there, theirs, here)),
        (None, None) => Err(AlignError::NoEvent {
            text: text.to_owned(),
            here: here.name.to_owned(),
            there: there.name.to_owned(),
            known: known(),
        }),
    }
}

/// The earliest event that holds a text.
fn first<'j>(journal: &'j Journal, text: &str) -> Option<&'j Event> {
    let wanted = text.to_lowercase();
    let holds = |event: &&Event| {
        name(event).to_lowercase().contains(&wanted) || event.summary().to_lowercase().contains(&wanted)
    };
    journal.between(Timestamp::MIN, Timestamp::MAX).map(|event| &**event).find(holds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::{Draft, Kind};

    fn secs(at: i64) -> Timestamp {
        Timestamp(at * 1_000_000_000)
    }

    fn journal(notes: &[(i64, &str)]) -> Journal {
        let mut journal = Journal::default();
        for (at, text) in notes {
            let kind = Kind::Note { text: (*text).to_owned() };
            journal.record(Draft::new(secs(*at), secs(*at), kind).about("P-101"));
        }
        journal
    }

    fn side<'a>(name: &'a str, start: i64, end: Option<i64>, journal: &'a Journal) -> Side<'a> {
        Side { name, start: secs(start), end: end.map(secs), journal }
    }

    #[test]
    fn alignments_are_read_as_they_are_written() {
        for text in ["wall", "start", "event:P-101/vibration.high"] {
            assert_eq!(text.parse::<Align>().map(|align| align.to_string()), Ok(text.to_owned()));
        }
        for wrong in ["", "event:", "event: ", "wall:x", "Start"] {
            let error = wrong.parse::<Align>().expect_err(wrong).to_string();
            assert!(error.contains("wall, start, or an event such as event:P-101/vibration"), "{error}");
        }
    }

    #[test]
    fn without_a_wish_the_time_of_day_counts_where_it_can() {
        let none = Journal::default();
        let (a, b, c) =
            (side("a", 0, Some(60), &none), side("b", 50, Some(90), &none), side("c", 500, Some(600), &none));
        assert_eq!(align(None, Shift::NONE, &a, &b), Ok(Some(Aligned { by: Align::Wall, shift: Shift::NONE })));
        let by_start = Aligned { by: Align::Start, shift: Shift::from_secs_f64(500.0) };
        assert_eq!(align(None, Shift::NONE, &a, &c), Ok(Some(by_start)));
    }

    #[test]
    fn an_event_lies_on_its_like_in_whatever_case_and_the_first_one_counts() {
        let (a, b) = (journal(&[(5, "other"), (7, "Trip"), (9, "trip")]), journal(&[(103, "the TRIP of the pump")]));
        let (a, b) = (side("a", 0, Some(60), &a), side("b", 90, Some(160), &b));
        let aligned = align(Some(&Align::Event("trip".into())), Shift::NONE, &a, &b);
        assert_eq!(aligned.map(|aligned| aligned.map(|aligned| aligned.shift.secs())), Ok(Some(96.0)));
    }

    #[test]
    fn an_event_that_only_one_has_is_an_error_that_says_where_it_is_and_what_both_have() {
        let (a, b) = (journal(&[(5, "start up"), (7, "trip")]), journal(&[(103, "start up")]));
        let (a, b) = (side("a.mcap", 0, Some(60), &a), side("b.mcap", 90, Some(160), &b));
        let error = |text: &str| {
            align(Some(&Align::Event(text.into())), Shift::NONE, &a, &b).expect_err("no such event").to_string()
        };
        let said = error("trip");
        for part in ["`trip` is at 1970-01-01T00:00:07Z in a.mcap", "no event of b.mcap", "start up", "--align start"] {
            assert!(said.contains(part), "`{part}` is not in: {said}");
        }
        assert!(error("nonesuch").starts_with("no event of a.mcap and none of b.mcap holds `nonesuch`"));
    }

    #[test]
    fn a_session_that_goes_on_waits_for_its_event() {
        let (a, b) = (Journal::default(), journal(&[(103, "trip")]));
        let (live, b) = (side("live", 0, None, &a), side("b", 90, Some(160), &b));
        assert_eq!(align(Some(&Align::Event("trip".into())), Shift::NONE, &live, &b), Ok(None));
    }

    #[test]
    fn two_that_never_meet_are_refused_with_both_ranges() {
        let none = Journal::default();
        let (a, b) = (side("a", 0, Some(60), &none), side("b", 500, Some(600), &none));
        let said = align(Some(&Align::Wall), Shift::NONE, &a, &b).expect_err("they are apart").to_string();
        for part in ["a is from 1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z", "b from 1970-01-01T00:08:20Z", "--shift"]
        {
            assert!(said.contains(part), "`{part}` is not in: {said}");
        }
        assert!(align(Some(&Align::Wall), Shift::from_secs_f64(480.0), &a, &b).is_ok(), "by hand they meet");
        let live = side("live", 700, None, &none);
        let said = align(Some(&Align::Wall), Shift::NONE, &live, &b).expect_err("it is over").to_string();
        assert!(said.contains("to now on"), "{said}");
    }

    proptest! {
        #[test]
        fn a_moment_and_back_is_the_same_moment(
            shift in -(1_i64 << 61)..1_i64 << 61, at in -(1_i64 << 61)..1_i64 << 61,
        ) {
            let shift = Shift(shift);
            prop_assert_eq!(shift.here(shift.there(Timestamp(at))), Timestamp(at));
        }

        #[test]
        fn whatever_the_times_alignment_gives_an_overlap_within_both_or_an_error(
            a in any::<i64>(), a_lasts in 0..i64::MAX, b in any::<i64>(), b_lasts in 0..i64::MAX, by_hand in any::<i64>(),
            goes_on in any::<bool>(), wish in prop::option::of(prop::sample::select(vec![Align::Wall, Align::Start])),
        ) {
            let none = Journal::default();
            let end = (!goes_on).then_some(Timestamp(a.saturating_add(a_lasts)));
            let here = Side { name: "a", start: Timestamp(a), end, journal: &none };
            let b_end = Some(Timestamp(b.saturating_add(b_lasts)));
            let there = Side { name: "b", start: Timestamp(b), end: b_end, journal: &none };
            match align(wish.as_ref(), Shift(by_hand), &here, &there) {
                Ok(aligned) => {
                    let shift = aligned.expect("no event is waited for").shift.plus(Shift(by_hand));
                    let (from, to) = overlap(&here, &there, shift).expect("that is what it is for");
                    prop_assert!(from >= here.start && to.is_none_or(|to| from <= to));
                    prop_assert!(here.end.is_none_or(|end| to.is_some_and(|to| to <= end)));
                }
                Err(error) => prop_assert!(error.to_string().contains("no moment in common")),
            }
        }
    }
}
