use super::*;
use crate::alarm::Cause;
use crate::scene::rule::{Condition, Subject};
use crate::value::{Origin, TwinIndex};

fn rule(index: u32, group: &str) -> Rule {
    Rule {
        index: AlarmIndex(index),
        group: group.into(),
        ..Rule::new(Subject::Twin(TwinIndex(0)), format!("a{index}"), Condition::Stale)
    }
}

fn change(index: u32, secs: i64, to: State) -> Change {
    let time = Timestamp(secs * 1_000_000_000);
    Change {
        alarm: AlarmIndex(index),
        cause: if to == State::Normal { Cause::Cleared } else { Cause::Raised },
        from: State::Normal,
        to,
        source_time: time,
        receive_time: time,
        value: None,
        worst: None,
        deed: None,
        origin: Origin::Measured,
    }
}

fn see(first_up: &mut FirstUp, index: u32, group: &str, secs: i64, to: State) {
    first_up.observe(&change(index, secs, to), &rule(index, group), &Flags::default());
}

#[test]
fn the_first_alarm_of_a_group_is_marked_until_all_of_it_are_normal() {
    let mut first_up = FirstUp::default();
    see(&mut first_up, 1, "pump", 10, State::Unacknowledged);
    see(&mut first_up, 2, "pump", 11, State::Unacknowledged);
    see(&mut first_up, 3, "belt", 12, State::Unacknowledged);
    assert_eq!((first_up.of("pump"), first_up.of("belt")), (Some(AlarmIndex(1)), Some(AlarmIndex(3))));
    see(&mut first_up, 1, "pump", 20, State::Normal);
    assert!(first_up.is_first(&rule(1, "pump")) && !first_up.is_first(&rule(2, "pump")));
    see(&mut first_up, 2, "pump", 21, State::Normal);
    assert_eq!(first_up.of("pump"), None);
    see(&mut first_up, 2, "pump", 30, State::Unacknowledged);
    assert_eq!(first_up.of("pump"), Some(AlarmIndex(2)));
}

#[test]
fn an_alarm_that_happened_earlier_but_arrived_later_takes_the_mark() {
    let mut first_up = FirstUp::default();
    see(&mut first_up, 1, "pump", 10, State::Unacknowledged);
    see(&mut first_up, 2, "pump", 8, State::Unacknowledged);
    see(&mut first_up, 3, "pump", 9, State::Unacknowledged);
    assert_eq!(first_up.of("pump"), Some(AlarmIndex(2)));
}

#[test]
fn hidden_alarms_and_alarms_without_a_group_are_not_marked() {
    let mut first_up = FirstUp::default();
    let hidden = Flags { suppressed: true, ..Flags::default() };
    first_up.observe(&change(1, 10, State::Unacknowledged), &rule(1, "pump"), &hidden);
    assert_eq!(first_up.of("pump"), None);
    see(&mut first_up, 2, "pump", 11, State::Unacknowledged);
    see(&mut first_up, 3, "", 5, State::Unacknowledged);
    assert_eq!((first_up.of("pump"), first_up.of("")), (Some(AlarmIndex(2)), None));
    assert!(!first_up.is_first(&rule(3, "")));
}

#[test]
fn a_group_whose_first_alarm_left_the_scene_has_no_mark() {
    let mut first_up = FirstUp::default();
    see(&mut first_up, 1, "pump", 10, State::Unacknowledged);
    see(&mut first_up, 2, "pump", 11, State::Unacknowledged);
    first_up.remap(|index| (index.0 != 2).then_some(AlarmIndex(index.0 + 4)));
    assert_eq!(first_up.of("pump"), Some(AlarmIndex(5)));
    first_up.remap(|_| None);
    assert_eq!(first_up.of("pump"), None);
}
