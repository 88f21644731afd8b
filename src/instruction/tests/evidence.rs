//! What verifies a command, and what does not.

use super::*;

#[test]
fn what_was_true_before_needs_a_fresh_value_and_is_said_to_prove_little() {
    let mut bench = Bench::new("set_speed", &[("target", Value::Number(25.0))]);
    bench.arm(101.0);
    bench.send(102.0).unwrap();
    bench.one.delivered(secs(102.1));
    bench.sees("speed", Value::Number(25.1), 102.2);
    assert_eq!(bench.look(102.3), State::Verified);
    assert!(bench.one.result().ends_with("it was true before the command was sent, so that it proves little"));
    let mut fresh = Bench::sent("set_speed");
    fresh.sees("speed", Value::Number(30.0), 103.0);
    assert_eq!(fresh.look(103.0), State::Verified);
    assert!(!fresh.one.result().contains("before"), "{}", fresh.one.result());
}

#[test]
fn all_of_the_evidence_comes_after_the_command_by_the_clocks_of_both_and_is_not_retained() {
    let level = |x: f64| Value::Number(x);
    let auto = || Value::Text("AUTO".into());
    let mut bench = Bench::new("ease", &[]);
    for (signal, value) in [("load", 50.0), ("slip", 2.0)] {
        bench.sees(signal, level(value), 101.0);
    }
    bench.arm(101.0);
    bench.send(102.0).unwrap();
    bench.one.delivered(secs(102.1));
    bench.sees("speed", level(100.0), 103.0);
    bench.sees("slip", level(0.5), 103.0);
    bench.sees("mode", auto(), 103.0);
    assert_eq!(bench.look(103.0), State::Sent, "the load, from which slip is derived, is of before");
    bench.sees_so("load", level(50.0), 103.5, Quality::uncertain(Reason::Retained), Origin::Measured);
    assert_eq!(bench.look(103.6), State::Sent, "it came as retained");
    bench.hears("load", level(50.0), 101.9, 104.0);
    assert_eq!(bench.look(104.1), State::Sent, "it was measured before");
    bench.hears("load", level(50.0), 104.0, 104.2);
    assert_eq!(bench.look(104.3), State::Verified, "{}", bench.one.result());
    assert_eq!(bench.one.since(), secs(104.2));
}

#[test]
fn a_derived_value_is_as_good_as_what_it_is_derived_from() {
    let ready = || {
        let bench = Bench::new("ease", &[]);
        bench.sees("load", Value::Number(50.0), 101.0);
        bench.sees("slip", Value::Number(2.0), 101.0);
        bench
    };
    let mut bench = ready();
    bench.arm(101.0);
    assert!(bench.send(102.0).is_ok());
    let mut bench = ready();
    bench.doubts("load", "its broker plant is not connected");
    bench.arm(101.0);
    let why = bench.send(102.0).unwrap_err();
    assert!(why.contains("slip is 2, derived from load: its broker plant is not connected"), "{why}");
}

#[test]
fn an_answer_of_another_broker_says_nothing() {
    let mut bench = Bench::sent("ask");
    bench.one.hear("office", "d/D-1/answer", b"1", secs(103.0));
    assert_eq!(bench.one.state(), State::Sent);
    bench.hear("d/D-1/answer", b"1", 103.0);
    assert_eq!(bench.one.state(), State::Verified);
}

#[test]
fn a_token_may_stand_in_plain_text_with_the_verdict_beside_it() {
    let answered = |payload: &str| {
        let mut bench = Bench::sent("spell");
        assert_eq!(shown(&bench.one.payload), "GO t-1 now");
        bench.hear("d/D-1/spelt", payload.as_bytes(), 103.0);
        bench.one.state()
    };
    assert_eq!(answered("t-1: done"), State::Verified);
    assert_eq!(answered("done t-1\n"), State::Verified);
    assert_eq!(answered("t-1 failed"), State::Failed);
    for other in ["t-12: done", "at-1 done", "done", "t-2: done"] {
        assert_eq!(answered(other), State::Sent, "{other} is to somebody else");
    }
}

#[test]
fn a_long_answer_is_cut_and_says_so() {
    let mut bench = Bench::sent("ask");
    bench.hear("d/D-1/answer", "é".repeat(100_000).as_bytes(), 103.0);
    assert_eq!(bench.one.state(), State::Failed);
    assert!(bench.one.result().len() < 500 && bench.one.result().ends_with("é… (cut, 200000 bytes in all)"));
}

#[test]
fn an_answer_says_yes_or_no_to_the_one_who_asked() {
    let answered = |topic: &str, payload: &str| {
        let mut bench = Bench::sent("call");
        bench.hear(topic, payload.as_bytes(), 103.0);
        (bench.one.state(), bench.one.result().to_owned())
    };
    let state = |payload: &str| answered("d/D-1/answer", payload).0;
    assert_eq!(state(r#"{"id": "t-1", "result": "ok"}"#), State::Verified);
    assert_eq!(state(r#"{"id": "t-2", "result": "busy"}"#), State::Sent, "to somebody else");
    assert_eq!(answered("d/D-2/answer", r#"{"id": "t-1", "result": "ok"}"#).0, State::Sent, "of another");
    let (state, why) = answered("d/D-1/answer", r#"{"id": "t-1", "result": "busy"}"#);
    assert_eq!((state, why.as_str()), (State::Failed, "the equipment answers \"busy\""));
    let mut whole = Bench::sent("ask");
    whole.hear("d/D-1/answer", b"1", 103.0);
    assert_eq!(whole.one.state(), State::Verified, "a payload that is the verdict");
    let mut late = Bench::sent("ask");
    late.hear("d/D-1/answer", b"1", 108.0);
    assert_eq!(late.look(108.0), State::TimedOut);
}

#[test]
fn what_was_true_before_and_what_came_too_late_verifies_nothing() {
    let mut bench = Bench::new("set_speed", &[("target", Value::Number(25.0))]);
    bench.arm(101.0);
    bench.send(102.0).unwrap();
    bench.one.delivered(secs(102.1));
    assert_eq!(bench.look(103.0), State::Sent, "25 Hz was there before");
    bench.sees("speed", Value::Number(25.0), 107.2);
    assert_eq!(bench.look(107.7), State::TimedOut);
    assert!(bench.one.result().contains("not seen within 5s"), "{}", bench.one.result());
}
