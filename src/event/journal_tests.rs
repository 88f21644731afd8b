use super::*;
use crate::alarm::Cause;
use crate::event::Tag;
use crate::scene::rule::Priority;
use proptest::prelude::*;

fn at(secs: i64) -> Timestamp {
    Timestamp(secs * 1_000_000_000)
}

fn note(secs: i64, text: &str) -> Draft {
    Draft::new(at(secs), at(secs), Kind::Note { text: text.into() })
}

fn alarm(secs: i64, twin: &str, name: &str, from: State, to: State) -> Draft {
    let kind = Kind::Alarm {
        alarm: name.into(),
        broker: None,
        cause: Cause::Raised,
        from,
        to,
        priority: Priority::High,
        message: format!("{name} above 4.5 mm/s"),
        value: Some(5.1),
        worst: None,
        unit: "mm/s".into(),
        origin: None,
    };
    Draft::new(at(secs), at(secs), kind).about(twin)
}

fn ids<'a>(events: impl Iterator<Item = &'a Arc<Event>>) -> Vec<u64> {
    events.map(|event| event.id).collect()
}

#[test]
fn ids_rise_in_the_order_of_becoming_known_and_times_are_an_order_of_their_own() {
    let mut journal = Journal::default();
    for secs in [10, 30, 20, 20] {
        journal.record(note(secs, "x"));
    }
    assert_eq!(ids(journal.iter()), [1, 2, 3, 4]);
    assert_eq!(ids(journal.between(at(10), at(30))), [1, 3, 4, 2]);
    assert_eq!(ids(journal.between(at(11), at(20))), [3, 4]);
    assert_eq!(ids(journal.between(at(30), at(10))), [0; 0]);
    assert_eq!(ids(journal.until(at(20))), [4, 3, 1]);
    assert_eq!(ids(journal.after(2)), [3, 4]);
    assert_eq!(journal.get(3).map(|event| event.time), Some(at(20)));
    assert_eq!(journal.get(5), None);
}

#[test]
fn the_oldest_events_leave_when_there_are_too_many_and_are_counted() {
    let mut journal = Journal::new(Budget { events: 3, bytes: u64::MAX });
    (0..10).for_each(|n| drop(journal.record(note(n, "x"))));
    assert_eq!(ids(journal.iter()), [8, 9, 10]);
    assert_eq!(ids(journal.until(at(100))), [10, 9, 8]);
    assert_eq!(journal.usage().dropped, 7);
}

#[test]
fn the_oldest_events_leave_when_they_take_too_many_bytes_but_one_always_stays() {
    let mut journal = Journal::new(Budget { events: 100, bytes: 3_000 });
    (0..20).for_each(|n| drop(journal.record(note(n, &"x".repeat(500)))));
    let usage = journal.usage();
    assert!(usage.bytes <= 3_000 && usage.events >= 2 && usage.events + usage.dropped == 20, "{usage:?}");
    journal.record(note(20, &"x".repeat(50_000)));
    assert_eq!(ids(journal.iter()), [21]);
}

#[test]
fn an_alarm_stood_at_a_moment_where_its_latest_transition_before_had_brought_it() {
    use State::*;
    let mut journal = Journal::default();
    journal.record(alarm(10, "P-101", "vibration.high", Normal, Unacknowledged));
    journal.record(alarm(11, "P-102", "vibration.high", Normal, Unacknowledged));
    journal.record(alarm(20, "P-101", "vibration.high", Unacknowledged, Acknowledged));
    journal.record(alarm(30, "P-101", "vibration.high", Acknowledged, Normal));
    let path = AlarmPath::of_twin("P-101", "vibration.high");
    let states = [9, 10, 19, 20, 29, 30, 99].map(|secs| journal.alarm_state_at(&path, at(secs)));
    let expected = [Normal, Unacknowledged, Unacknowledged, Acknowledged, Acknowledged, Normal, Normal];
    assert_eq!(states, expected.map(Some));
    assert_eq!(journal.transition_before(&path, at(25)).map(|event| event.id), Some(3));
    assert_eq!(ids(journal.transitions(&path)), [1, 3, 4]);
    assert_eq!(journal.alarm_state_at(&AlarmPath::of_twin("P-103", "vibration.high"), at(50)), None);
}

#[test]
fn what_was_done_last_counts_last_where_the_clocks_of_operator_and_device_differ() {
    use State::*;
    let mut journal = Journal::default();
    journal.record(alarm(100, "P-101", "a", Normal, Unacknowledged));
    journal.record(alarm(95, "P-101", "a", Unacknowledged, Acknowledged));
    let path = AlarmPath::of_twin("P-101", "a");
    let states = [94, 95, 99, 100, 101].map(|secs| journal.alarm_state_at(&path, at(secs)));
    assert_eq!(states, [Normal, Normal, Normal, Acknowledged, Acknowledged].map(Some));
}

#[test]
fn a_state_from_before_forgotten_transitions_is_not_made_up() {
    use State::*;
    let mut journal = Journal::new(Budget { events: 2, bytes: u64::MAX });
    journal.record(alarm(10, "P-101", "a", Normal, Unacknowledged));
    journal.record(alarm(20, "P-101", "a", Unacknowledged, ReturnedUnacknowledged));
    journal.record(alarm(30, "P-101", "a", ReturnedUnacknowledged, Normal));
    let path = AlarmPath::of_twin("P-101", "a");
    let states = [5, 9, 10, 20, 30].map(|secs| journal.alarm_state_at(&path, at(secs)));
    let expected = [None, None, Some(Unacknowledged), Some(ReturnedUnacknowledged), Some(Normal)];
    assert_eq!(states, expected);
    journal.record(note(40, "x"));
    journal.record(note(41, "x"));
    assert_eq!(journal.alarm_state_at(&path, at(50)), None, "no transition is left");
}

#[test]
fn a_restored_journal_goes_on_above_all_ids_that_were_given() {
    let mut before = Journal::default();
    (0..5).for_each(|n| drop(before.record(note(n, "x"))));
    let kept: Vec<_> = before.iter().filter(|event| event.id != 3).cloned().collect();
    let mut journal = Journal::restored(Budget::default(), 7, kept);
    assert_eq!(journal.record(note(9, "y")).id, 8);
    assert_eq!(ids(journal.iter()), [1, 2, 4, 5, 8]);
    assert_eq!(ids(journal.after(2)), [4, 5, 8]);
    let old = before.get(5).cloned().unwrap();
    assert!(!journal.insert(old), "an id is taken in once");
}

#[test]
fn filters_pick_by_kind_twin_priority_time_and_words_in_any_case() {
    let mut journal = Journal::default();
    journal.record(alarm(1, "P-101", "vibration.high", State::Normal, State::Unacknowledged));
    journal.record(alarm(2, "P-102", "flow.low", State::Normal, State::Unacknowledged).by("Ada", "Überprüft"));
    journal.record(note(3, "Pump P-101 was oiled"));
    journal.record(Draft::new(at(4), at(4), Kind::Gap { from: at(3), to: at(4) }));
    let matching = |filter: Filter| ids(journal.matching(&filter));
    let text = |text: &str| matching(Filter { text: text.into(), ..Filter::default() });
    assert_eq!(matching(Filter::default()), [1, 2, 3, 4]);
    assert_eq!(matching(Filter { tags: vec![Tag::Note, Tag::Gap], ..Filter::default() }), [3, 4]);
    assert_eq!(matching(Filter { twin: Some("P-101".into()), ..Filter::default() }), [1]);
    assert_eq!(matching(Filter { priorities: vec![Priority::High], ..Filter::default() }), [1, 2]);
    assert_eq!(matching(Filter { priorities: vec![Priority::Low], ..Filter::default() }), [0; 0]);
    assert_eq!(matching(Filter { from: Some(at(2)), to: Some(at(3)), ..Filter::default() }), [2, 3]);
    assert_eq!(text("p-101"), [1, 3]);
    assert_eq!(text("P-101 VIBRATION"), [1]);
    assert_eq!(text("üBERPRÜFT"), [2]);
    assert_eq!(text("ada raised"), [2]);
    assert_eq!(text("  "), [1, 2, 3, 4]);
    assert_eq!(text("zzz"), [0; 0]);
}

proptest! {
    #[test]
    fn orders_and_states_are_those_of_a_plain_list(
        budget in 1usize..30,
        drafts in prop::collection::vec((0i64..50, 0usize..3, any::<bool>()), 1..80),
        probe in 0i64..50,
    ) {
        let mut journal = Journal::new(Budget { events: budget, bytes: u64::MAX });
        let mut states = [State::Normal; 3];
        let mut list = Vec::new();
        for (secs, which, up) in drafts {
            let to = if up { State::Unacknowledged } else { State::ReturnedUnacknowledged };
            let name = ["a", "b", "c"][which];
            list.push(journal.record(alarm(secs, "P", name, states[which], to)));
            states[which] = to;
        }
        let kept = &list[list.len().saturating_sub(budget)..];
        let mut by_time: Vec<_> = kept.iter().filter(|event| event.time <= at(probe)).collect();
        by_time.sort_by_key(|event| (event.time, event.id));
        prop_assert_eq!(ids(journal.between(Timestamp::MIN, at(probe))), ids(by_time.into_iter()));
        for name in ["a", "b", "c"] {
            let path = AlarmPath::of_twin("P", name);
            // What the full list says, each transition taking effect no earlier than the one before it.
            let (mut now, mut state, mut oldest) = (Timestamp::MIN, None, None);
            for event in list.iter().filter(|event| event.alarm_path().as_ref() == Some(&path)) {
                now = now.max(event.time);
                if now <= at(probe) {
                    let Kind::Alarm { to, .. } = event.kind else { unreachable!() };
                    state = Some(to);
                    oldest = Some(event.id);
                }
            }
            let known = journal.alarm_state_at(&path, at(probe));
            if oldest.is_some_and(|id| id >= kept[0].id) {
                prop_assert_eq!(known, state);
            } else if let Some(known) = known {
                prop_assert_eq!(known, state.unwrap_or(State::Normal), "a state that is told is right");
            }
        }
        prop_assert_eq!(journal.usage().dropped as usize, list.len() - kept.len());
    }
}
