//! Small stories of one alarm each, told in full: what the words of the module's documentation mean.

use expect_test::expect;

use super::testing::{Story, formula, high, rule, scene, seconds};
use super::{Action, KeptAlarms, State};
use crate::scene::rule::{AlarmIndex, Condition, Count, Direction, Reference, Rule, Subject};
use crate::value::{SignalIndex, Timestamp, Value};

#[test]
fn a_limit_raises_beyond_it_and_clears_behind_the_deadband() {
    Story::new(high(5.0, 1.0))
        .sample(1.0, 5.0)
        .sample(2.0, 5.5)
        .sample(3.0, 7.0)
        .sample(4.0, 4.5)
        .sample(5.0, 4.0)
        .check(&expect![[r#"
            2     Raised: Normal → Unacknowledged, value 5.5 (known at 2.5)
            5     Cleared: Unacknowledged → ReturnedUnacknowledged, value 4, worst 7 (known at 5.5)
        "#]]);
}

#[test]
fn a_delay_ends_in_source_time_when_a_later_sample_shows_that_the_condition_held() {
    let rule = Rule { on_delay: seconds(3), off_delay: seconds(2), ..high(5.0, 1.0) };
    Story::new(rule)
        .sample(1.0, 6.0)
        .sample(2.0, 4.9)
        .say("      broken off: the deadband is for clearing only")
        .sample(3.0, 6.0)
        .sample(7.0, 3.0)
        .say("      raised though the sample that shows it is normal again")
        .sample(8.0, 4.5)
        .sample(9.5, 3.0)
        .sample(11.5, 3.5)
        .check(&expect![[r#"
                  broken off: the deadband is for clearing only
            6     Raised: Normal → Unacknowledged, value 6 (known at 7.5)
                  raised though the sample that shows it is normal again
            11.5  Cleared: Unacknowledged → ReturnedUnacknowledged, value 3.5, worst 6 (known at 12)
        "#]]);
}

#[test]
fn without_a_further_sample_a_delay_ends_by_the_clock_after_some_patience() {
    let rule = Rule { on_delay: seconds(3), ..high(5.0, 0.0) };
    Story::new(rule)
        .received(1.0, 101.0, 6.0)
        .elapse(105.9)
        .say("      a device whose clock is 100 s behind: nothing before 101 + 3 + 2")
        .elapse(200.0)
        .received(3.9, 201.0, 1.0)
        .say("      late: what was judged is judged")
        .received(4.0, 202.0, 1.0)
        .check(&expect![[r#"
                  a device whose clock is 100 s behind: nothing before 101 + 3 + 2
            4     Raised: Normal → Unacknowledged, value 6 (known at 106)
                  late: what was judged is judged
            4     Cleared: Unacknowledged → ReturnedUnacknowledged, value 1, worst 6 (known at 202)
        "#]]);
}

#[test]
fn at_equal_times_the_later_arrival_counts() {
    let story = Story::new(high(5.0, 0.0)).sample(1.0, 6.0).sample(1.0, 4.0).sample(1.0, 7.0).sample(0.5, 1.0);
    assert_eq!(story.alarm().late, 1);
    story.check(&expect![[r#"
        1     Raised: Normal → Unacknowledged, value 6 (known at 1.5)
        1     Cleared: Unacknowledged → ReturnedUnacknowledged, value 4, worst 6 (known at 1.5)
        1     Raised: ReturnedUnacknowledged → Unacknowledged, value 7 (known at 1.5)
    "#]]);
}

#[test]
fn a_value_beyond_the_range_is_judged_by_limits_and_by_nothing_else() {
    Story::new(high(9.0, 1.0)).sample(1.0, 5.0).out_of_range(2.0, 12.0).out_of_range(3.0, -3.0).check(&expect![[r#"
        2     Raised: Normal → Unacknowledged, value 12 (known at 2.5)
        3     Cleared: Unacknowledged → ReturnedUnacknowledged, value -3, worst 12 (known at 3.5)
    "#]]);
    let rate = Condition::Rate {
        direction: Default::default(),
        limit_per_sec: 1.0,
        over: seconds(1),
        deadband_per_sec: 0.0,
        per: seconds(1),
    };
    let apart = Condition::Deviation { from: Reference::Value(5.0), limit: 2.0, deadband: 0.0 };
    let is = Condition::State { values: vec![Value::Number(12.0)], inverted: false };
    let when = Condition::Formula(formula("a > 9"));
    for condition in [rate, apart, is, when] {
        Story::new(rule(condition)).sample(1.0, 5.0).out_of_range(3.0, 12.0).check(&expect![[""]]);
    }
}

#[test]
fn a_value_at_the_edge_of_the_deadband_clears_as_it_is_written() {
    Story::new(high(0.3, 0.1)).sample(1.0, 0.3).sample(2.0, 0.31).sample(3.0, 0.21).sample(4.0, 0.2).check(&expect![[
        r#"
        2     Raised: Normal → Unacknowledged, value 0.31 (known at 2.5)
        4     Cleared: Unacknowledged → ReturnedUnacknowledged, value 0.2, worst 0.31 (known at 4.5)
    "#
    ]]);
}

#[test]
fn bad_samples_neither_raise_nor_clear_nor_break_off_a_delay() {
    let rule = Rule { on_delay: seconds(3), ..high(5.0, 0.0) };
    Story::new(rule).bad(1.0).sample(2.0, 6.0).bad(3.0).bad(6.0).sample(7.0, 1.0).bad(8.0).check(&expect![[r#"
        5     Raised: Normal → Unacknowledged, value 6 (known at 6.5)
        7     Cleared: Unacknowledged → ReturnedUnacknowledged, value 1, worst 6 (known at 7.5)
    "#]]);
    Story::new(self::rule(Condition::Bad)).sample(1.0, 6.0).bad(2.0).bad(3.0).sample(4.0, 6.0).check(&expect![[r#"
        2     Raised: Normal → Unacknowledged, value 99 (known at 2.5)
        4     Cleared: Unacknowledged → ReturnedUnacknowledged, value 6 (known at 4.5)
    "#]]);
}

#[test]
fn three_of_five_samples_raise_and_one_stray_sample_does_not() {
    let count = Some(Count { needed: 3, of: 5, within: seconds(10) });
    let mut story = Story::new(Rule { count, ..high(5.0, 0.0) });
    for (at, value) in (1..).zip([6.0, 1.0, 1.0, 6.0, 1.0, 6.0, 1.0, 7.0, 1.0, 1.0]) {
        story = story.sample(f64::from(at), value);
    }
    story.check(&expect![[r#"
        8     Raised: Normal → Unacknowledged, value 7 (known at 8.5)
        9     Cleared: Unacknowledged → ReturnedUnacknowledged, value 1, worst 7 (known at 9.5)
    "#]]);
}

#[test]
fn a_latched_alarm_waits_for_a_reset() {
    let rule = Rule { latching: true, ..high(5.0, 0.0) };
    Story::new(rule)
        .sample(1.0, 6.0)
        .act(2.0, Action::Reset, "")
        .sample(3.0, 1.0)
        .act(4.0, Action::Acknowledge, "seen")
        .act(5.0, Action::Acknowledge, "")
        .act(6.0, Action::Reset, "")
        .act(7.0, Action::Reset, "")
        .sample(8.0, 6.0)
        .sample(9.0, 1.0)
        .act(10.0, Action::Reset, "")
        .act(11.0, Action::Acknowledge, "")
        .check(&expect![[r#"
            1     Raised: Normal → Unacknowledged, value 6 (known at 1.5)
                2 Reset refused: the condition still holds: a latch can be reset only when it has gone
            3     Cleared: Unacknowledged → LatchedUnacknowledged, value 1, worst 6 (known at 3.5)
            4     Acknowledged: LatchedUnacknowledged → LatchedAcknowledged, value 1 (known at 4)
                5 Acknowledge refused: the alarm is acknowledged already
            6     Reset: LatchedAcknowledged → Normal, value 1 (known at 6)
                7 Reset refused: there is nothing to reset: the alarm is not latched
            8     Raised: Normal → Unacknowledged, value 6 (known at 8.5)
            9     Cleared: Unacknowledged → LatchedUnacknowledged, value 1, worst 6 (known at 9.5)
            10    Reset: LatchedUnacknowledged → ReturnedUnacknowledged, value 1 (known at 10)
            11    Acknowledged: ReturnedUnacknowledged → Normal, value 1 (known at 11)
        "#]]);
}

#[test]
fn what_hides_an_alarm_needs_a_reason_and_an_end() {
    Story::new(high(5.0, 0.0))
        .act(1.0, Action::Shelve { lasting: Some(seconds(60)) }, " ")
        .act(1.0, Action::Shelve { lasting: Some(seconds(12 * 3600 + 1)) }, "noise")
        .act(1.0, Action::Shelve { lasting: Some(seconds(0)) }, "noise")
        .act(1.0, Action::Unshelve, "")
        .act(1.0, Action::ReturnToService, "")
        .act(1.0, Action::TakeOutOfService, "")
        .act(1.0, Action::Comment, "")
        .act(1.0, Action::Acknowledge, "")
        .act(2.0, Action::Shelve { lasting: Some(seconds(12 * 3600)) }, "noise")
        .act(3.0, Action::Shelve { lasting: Some(seconds(60)) }, "shorter")
        .sample(5.0, 6.0)
        .elapse(100.0)
        .act(101.0, Action::TakeOutOfService, "sensor is out")
        .act(102.0, Action::TakeOutOfService, "again")
        .act(103.0, Action::ReturnToService, "")
        .check(&expect![[r#"
                1 Shelve { lasting: Some(60s) } refused: a reason is required: say why in the comment
                1 Shelve { lasting: Some(43201s) } refused: an alarm can be shelved for at most 12 hours: take it out of service instead
                1 Shelve { lasting: Some(0ns) } refused: an alarm cannot be shelved for no time at all
                1 Unshelve refused: the alarm is not shelved
                1 ReturnToService refused: the alarm is not out of service
                1 TakeOutOfService refused: a reason is required: say why in the comment
                1 Comment refused: a comment without words says nothing
                1 Acknowledge refused: there is nothing to acknowledge: the alarm is normal
            2     Shelved until 43202: Normal (known at 2)
            3     Shelved until 63: Normal (known at 3)
            5     Raised: Normal → Unacknowledged, value 6 (known at 5.5)
            63    ShelfEnded: Unacknowledged, value 6 (known at 63)
            101   TakenOutOfService: Unacknowledged, value 6 (known at 101)
              102 TakeOutOfService refused: the alarm is out of service already
            103   ReturnedToService: Unacknowledged, value 6 (known at 103)
        "#]]);
}

#[test]
fn a_one_shot_shelf_ends_with_the_first_return_though_nobody_acknowledged() {
    Story::new(high(5.0, 0.0))
        .act(1.0, Action::Shelve { lasting: None }, "known")
        .sample(2.0, 1.0)
        .sample(3.0, 6.0)
        .sample(4.0, 1.0)
        .check(&expect![[r#"
            1     Shelved until return: Normal (known at 1)
            3     Raised: Normal → Unacknowledged, value 6 (known at 3.5)
            4     Cleared: Unacknowledged → ReturnedUnacknowledged, value 1, worst 6 (known at 4.5)
            4     ShelfEnded: ReturnedUnacknowledged, value 1 (known at 4.5)
        "#]]);
}

#[test]
fn a_stopped_pump_does_not_annunciate_low_flow() {
    let rule = Rule { suppressed_when: Some(formula("b == 0")), ..high(5.0, 0.0) };
    let story = Story::new(rule).other(1, 1.0, 0.0).sample(2.0, 6.0);
    assert!(!story.alarm().annunciates(), "raised, but suppressed");
    let story = story.other(1, 3.0, 1.0);
    assert!(story.alarm().annunciates());
    story.check(&expect![[r#"
        1     Suppressed: Normal (known at 1.5)
        2     Raised: Normal → Unacknowledged, value 6 (known at 2.5)
        3     Unsuppressed: Unacknowledged, value 6 (known at 3.5)
    "#]]);
}

#[test]
fn a_silent_sensor_is_found_even_if_it_never_spoke() {
    Story::new(rule(Condition::Stale))
        .elapse(10.0)
        .say("      the last moment has not expired")
        .elapse(10.1)
        .received(8.0, 11.0, 1.0)
        .received(9.0, 12.0, 1.0)
        .received(7.0, 20.0, 1.0)
        .say("      late: no sign of life")
        .elapse(22.1)
        .received(15.0, 23.0, 1.0)
        .check(&expect![[r#"
                  the last moment has not expired
            10    Raised: Normal → Unacknowledged (known at 10+1ns)
            10    Cleared: Unacknowledged → ReturnedUnacknowledged (known at 11)
                  late: no sign of life
            19    Raised: ReturnedUnacknowledged → Unacknowledged (known at 22+1ns)
            19    Cleared: Unacknowledged → ReturnedUnacknowledged (known at 23)
        "#]]);
}

#[test]
fn a_clock_that_jumped_ahead_and_was_set_right_does_not_make_alarms_deaf() {
    let rule = Rule { on_delay: seconds(3), ..high(5.0, 0.0) };
    let story = Story::new(rule)
        .received(1.0, 1.5, 1.0)
        .received(50_000.0, 2.5, 6.0)
        .say("      the delay that began then is forgotten")
        .received(3.0, 3.5, 1.0)
        .elapse(20.0)
        .received(21.0, 21.5, 6.0)
        .received(25.0, 25.5, 6.0)
        .received(24.0, 25.6, 1.0);
    assert_eq!(story.alarm().late, 1, "only the last one");
    story.check(&expect![[r#"
              the delay that began then is forgotten
        24    Raised: Normal → Unacknowledged, value 6 (known at 25.5)
    "#]]);
    Story::new(high(5.0, 0.0))
        .received(50_000.0, 1.0, 1.0)
        .received(49_999.0, 2.0, 6.0)
        .say("a clock that is always ahead: late is late")
        .check(&expect![[r#"
                  a clock that is always ahead: late is late
        "#]]);
}

#[test]
fn a_rate_needs_its_window_and_a_deviation_both_values() {
    let rate = Condition::Rate {
        direction: Default::default(),
        limit_per_sec: 1.0,
        over: seconds(2),
        deadband_per_sec: 0.5,
        per: seconds(1),
    };
    Story::new(rule(rate)).sample(1.0, 0.0).sample(2.0, 9.0).sample(3.0, 5.0).sample(5.0, 6.5).sample(7.0, 6.5).check(
        &expect![[r#"
            3     Raised: Normal → Unacknowledged, value 2.5 (known at 3.5)
            7     Cleared: Unacknowledged → ReturnedUnacknowledged, value 0, worst 2.5 (known at 7.5)
        "#]],
    );
    let deviation = Condition::Deviation { from: Reference::Signal(SignalIndex(1)), limit: 2.0, deadband: 0.5 };
    Story::new(rule(deviation))
        .sample(10.0, 9.0)
        .other(1, 4.0, 5.0)
        .say("      two clocks: judged at the later one")
        .sample(11.0, 7.0)
        .other(1, 12.0, 5.5)
        .check(&expect![[r#"
            10    Raised: Normal → Unacknowledged, value 4 (known at 4.5)
                  two clocks: judged at the later one
            12    Cleared: Unacknowledged → ReturnedUnacknowledged, value 1.5, worst 4 (known at 12.5)
        "#]]);
}

#[test]
fn a_broker_that_stays_away_is_an_alarm_and_one_that_is_back_soon_is_not() {
    let rule =
        Rule { subject: Subject::Broker("plant".into()), on_delay: seconds(10), ..rule(Condition::Disconnected) };
    Story::new(rule)
        .elapse(99.0)
        .connection("plant", false, 100.0)
        .connection("other", false, 100.0)
        .connection("plant", true, 105.0)
        .connection("plant", false, 106.0)
        .elapse(115.9)
        .elapse(116.0)
        .connection("plant", true, 120.0)
        .check(&expect![[r#"
            116   Raised: Normal → Unacknowledged (known at 116)
            120   Cleared: Unacknowledged → ReturnedUnacknowledged (known at 120)
        "#]]);
}

#[test]
fn a_formula_that_cannot_be_evaluated_holds_the_verdict_and_is_counted() {
    let story = Story::new(rule(Condition::Formula(formula("a * 2 > 10"))))
        .sample(1.0, 6.0)
        .value(2.0, Value::Text("hot".into()))
        .value(3.0, Value::Text("hot".into()))
        .sample(4.0, 1.0);
    let failures: Vec<_> = story.engine.failures().map(|(alarm, failure)| (alarm.0, failure.count)).collect();
    assert_eq!(failures, [(0, 2)]);
    story.check(&expect![[r#"
        1     Raised: Normal → Unacknowledged (known at 1.5)
        4     Cleared: Unacknowledged → ReturnedUnacknowledged (known at 4.5)
    "#]]);
}

#[test]
fn a_reload_keeps_what_still_exists_and_ends_what_is_gone() {
    let named = |name: &str, rule: Rule| Rule { name: name.into(), ..rule };
    let delayed = Rule { on_delay: seconds(10), ..high(5.0, 0.0) };
    let rules =
        vec![named("a.gone", high(5.0, 0.0)), named("a.kept", high(5.0, 0.0)), named("a.delayed", delayed.clone())];
    let story = Story::with(scene(rules, None)).sample(1.0, 6.0);
    let sooner = Rule { on_delay: seconds(4), ..delayed };
    let rules = vec![named("a.new", high(5.0, 0.0)), named("a.delayed", sooner), named("a.kept", high(8.0, 0.0))];
    let story = story.adopt(scene(rules, None), 3.0).say("      the kept alarm stays until its new limit is judged");
    assert_eq!(story.engine.alarms()[2].state, State::Unacknowledged);
    story.sample(6.0, 6.0).check(&expect![[r#"
        1     Raised: Normal → Unacknowledged, value 6 (known at 1.5)
        1     Raised: Normal → Unacknowledged, value 6 (known at 1.5)
        3     Removed: Unacknowledged → Normal, value 6, worst 6 (known at 3)
              the kept alarm stays until its new limit is judged
        6     Raised: Normal → Unacknowledged, value 6 (known at 6.5)
        5     Raised: Normal → Unacknowledged, value 6 (known at 6.5)
        6     Cleared: Unacknowledged → ReturnedUnacknowledged, value 6, worst 6 (known at 6.5)
    "#]]);
}

#[test]
fn a_running_delay_does_not_outlive_its_limit() {
    let delayed = |limit| Rule { on_delay: seconds(3), ..high(limit, 0.0) };
    Story::new(delayed(5.0))
        .sample(1.0, 6.0)
        .adopt(scene(vec![delayed(8.0)], None), 2.0)
        .elapse(100.0)
        .say("      6 is below the new limit")
        .sample(101.0, 9.0)
        .elapse(200.0)
        .check(&expect![[r#"
                  6 is below the new limit
            104   Raised: Normal → Unacknowledged, value 9 (known at 106.5)
        "#]]);
}

#[test]
fn a_restart_goes_on_where_it_stopped_and_redelivered_samples_change_nothing() {
    let rules = || scene(vec![Rule { off_delay: seconds(5), ..high(5.0, 1.0) }], None);
    let story = Story::with(rules()).sample(1.0, 6.0).sample(2.0, 7.0).act(3.0, Action::Acknowledge, "on it");
    let json = serde_json::to_string(&story.engine.snapshot()).unwrap();
    let kept: KeptAlarms = serde_json::from_str(&json).unwrap();
    assert_eq!(kept, story.engine.snapshot());

    let mut later = Story::with(rules());
    let mut changes = Vec::new();
    let unknown = later.engine.restore(kept.clone(), Timestamp(0), &mut changes);
    assert!(unknown.is_empty() && changes.is_empty());
    assert_eq!(later.alarm(), story.alarm());
    let later = later.received(1.0, 60.0, 6.0).received(1.5, 60.0, 1.0).received(61.0, 61.0, 4.0).elapse(80.0);
    assert_eq!(later.alarm().late, 2);
    later.check(&expect![[r#"
        66    Cleared: Acknowledged → Normal, value 4, worst 7 (known at 68)
    "#]]);

    let mut other = Story::with(scene(vec![Rule { name: "other".into(), ..high(5.0, 1.0) }], None));
    let unknown = other.engine.restore(kept, Timestamp(0), &mut changes);
    assert_eq!(unknown.len(), 1, "what belongs to no rule is handed back");
    expect!["P-101/a.test"].assert_eq(&unknown[0].path.to_string());
}

#[test]
fn what_an_earlier_run_had_heard_is_not_judged_again_by_any_kind_of_rule() {
    let suppressed = Rule { name: "a.off".into(), suppressed_when: Some(formula("b < 1")), ..high(5.0, 0.0) };
    let stale = Rule { name: "a.silent".into(), ..rule(Condition::Stale) };
    let joint = Rule { name: "a.joint".into(), ..rule(Condition::Formula(formula("a > b"))) };
    let rules = vec![high(5.0, 0.0), suppressed, joint, stale];
    let mut story = Story::with(scene(rules.clone(), Some(seconds(30))));
    let unknown = story.engine.restore_heard([
        ("P-101.a".to_owned(), super::testing::secs(100.0)),
        ("P-101.b".to_owned(), super::testing::secs(100.0)),
        ("gone.flow".to_owned(), super::testing::secs(7.0)),
    ]);
    assert_eq!(unknown, ["gone.flow"]);
    // Each of these would raise or suppress something; the last one meets the late value of `b` in history.
    let story = story
        .received(90.0, 20.0, 9.0)
        .other(1, 95.0, 0.0)
        .say("late")
        .received(100.0, 21.0, 4.0)
        .say("delivered once more")
        .received(101.0, 22.0, 6.0)
        .other(1, 102.0, 3.0);
    let late: Vec<u64> = story.engine.alarms().iter().map(|alarm| alarm.late).collect();
    assert_eq!(late, [1, 1, 2, 1]);
    let reloaded = story.adopt(scene(rules, Some(seconds(30))), 30.0).received(99.0, 31.0, 1.0).say("after a reload");
    assert_eq!(reloaded.engine.alarms()[0].late, 2);
    reloaded.check(&expect![[r#"
        late
        delivered once more
        101   Raised: Normal → Unacknowledged, value 6 (known at 22)
        101   Raised: Normal → Unacknowledged, value 6 (known at 22)
        102   Raised: Normal → Unacknowledged (known at 102.5)
        after a reload
    "#]]);
}

#[test]
fn a_clock_that_was_ahead_before_a_restart_and_set_right_since_is_listened_to() {
    let mut story = Story::new(high(5.0, 0.0));
    story.engine.restore_heard([("P-101.a".to_owned(), super::testing::secs(90_000.0))]);
    let story = story.received(10.0, 10.5, 6.0);
    assert_eq!((story.alarm().state, story.alarm().late), (super::State::Unacknowledged, 0));
    assert_eq!(story.engine.heard(SignalIndex(0)), Some(super::testing::secs(10.0)));
}

#[test]
fn signals_without_rules_are_passed_over_and_unknown_alarms_refused() {
    let mut story = Story::new(high(5.0, 0.0));
    assert!(story.engine.watches(SignalIndex(0)));
    assert!(!story.engine.watches(SignalIndex(1)) && !story.engine.watches(SignalIndex(u32::MAX)));
    let refused =
        story.engine.act(AlarmIndex(7), &Action::Acknowledge, &super::testing::deed(Timestamp(0), ""), &mut Vec::new());
    expect!["there is no alarm 7: the scene may have been reloaded"].assert_eq(&refused.unwrap_err().to_string());
}

#[test]
fn deadlines_are_named_when_something_is_due_and_not_before() {
    let rule = Rule { on_delay: seconds(3), ..high(5.0, 0.0) };
    let mut story = Story::new(rule);
    assert_eq!(story.engine.next_deadline(), None);
    story = story.sample(1.0, 6.0);
    assert_eq!(story.engine.next_deadline(), Some(super::testing::secs(6.5)));
    story = story.sample(2.0, 1.0);
    assert_eq!(story.engine.next_deadline(), None, "broken off");
    story = story.sample(3.0, 6.0);
    assert_eq!(story.engine.next_deadline(), Some(super::testing::secs(8.5)));
    let mut story = story.elapse(8.5);
    assert_eq!(story.engine.next_deadline(), None);
}

#[test]
fn an_alarm_is_as_uncertain_as_the_least_certain_sample_that_made_it() {
    let rule = Rule { on_delay: seconds(3), ..high(5.0, 0.0) };
    Story::new(rule)
        .simulated(0, 1.0, 6.0)
        .sample(2.0, 6.0)
        .sample(4.0, 6.5)
        .act(5.0, Action::Acknowledge, "")
        .sample(6.0, 1.0)
        .say("      a measured one ended it, and its worst value is told; the next one is measured throughout")
        .sample(11.0, 6.0)
        .sample(14.0, 6.0)
        .check(&expect![[r#"
            4     Raised: Normal → Unacknowledged, value 6.5, simulated (known at 4.5)
            5     Acknowledged: Unacknowledged → Acknowledged, value 6.5, simulated (known at 5)
            6     Cleared: Acknowledged → Normal, value 1, worst 6.5, simulated (known at 6.5)
                  a measured one ended it, and its worst value is told; the next one is measured throughout
            14    Raised: Normal → Unacknowledged, value 6 (known at 14.5)
        "#]]);
}

#[test]
fn rates_counts_and_formulas_are_as_uncertain_as_all_that_they_look_at() {
    let direction = Direction::Rising;
    let rate =
        Condition::Rate { direction, limit_per_sec: 1.0, over: seconds(2), deadband_per_sec: 0.0, per: seconds(1) };
    Story::new(rule(rate)).simulated(0, 0.0, 0.0).sample(2.0, 4.0).sample(4.0, 4.0).sample(6.0, 8.0).check(&expect![[
        r#"
            2     Raised: Normal → Unacknowledged, value 2, simulated (known at 2.5)
            4     Cleared: Unacknowledged → ReturnedUnacknowledged, value 0, worst 2, simulated (known at 4.5)
            6     Raised: ReturnedUnacknowledged → Unacknowledged, value 2 (known at 6.5)
        "#
    ]]);
    let count = Some(Count { needed: 2, of: 3, within: seconds(100) });
    Story::new(Rule { count, ..high(5.0, 0.0) }).simulated(0, 1.0, 6.0).sample(2.0, 1.0).sample(3.0, 6.0).check(
        &expect![[r#"
            3     Raised: Normal → Unacknowledged, value 6, simulated (known at 3.5)
        "#]],
    );
    Story::new(rule(Condition::Formula(formula("a > 5 && b > 5")))).simulated(1, 1.0, 6.0).sample(2.0, 6.0).check(
        &expect![[r#"
        2     Raised: Normal → Unacknowledged, simulated (known at 2.5)
    "#]],
    );
}

#[test]
fn a_rate_exactly_at_the_edge_of_its_deadband_clears() {
    // More than 1.2 in a minute raises, 0.7 in a minute is the edge: 1.3 in 60 s, then 0.7 in 60 s from 21.5 on.
    let rate = Condition::Rate {
        direction: Direction::Rising,
        limit_per_sec: 1.2 / 60.0,
        over: seconds(60),
        deadband_per_sec: 0.5 / 60.0,
        per: seconds(60),
    };
    Story::new(rule(rate)).sample(0.0, 20.1).sample(60.0, 21.4).sample(120.0, 22.2).sample(180.0, 22.9).check(&expect![
        [r#"
            60    Raised: Normal → Unacknowledged, value 0.02166666666666662 (known at 60.5)
            180   Cleared: Unacknowledged → ReturnedUnacknowledged, value 0.011666666666666655, worst 0.02166666666666662 (known at 180.5)
        "#]
    ]);
}
