//! Derived signals that remember, told as stories.

use std::fmt::Write;
use std::time::Duration;

use expect_test::{Expect, expect};

use super::{Memory, ProducerState, StateError, evaluate};
use crate::scene::Derivation;
use crate::scene::expression::Compiled;
use crate::value::{SignalIndex, Timestamp, Value};

const SEC: i64 = 1_000_000_000;

fn derivation(source: &str) -> Derivation {
    let (compiled, names) = Compiled::parse(source).unwrap();
    let inputs = (0..).zip(names).map(|(at, name)| (name, SignalIndex(at))).collect();
    Derivation { source: source.to_owned(), inputs, compiled, rank: 0, settle: Duration::ZERO }
}

/// Seconds and the values of all inputs, to what comes of them.
fn tell(source: &str, moments: &[(f64, &[Value])], expected: &Expect) {
    let derivation = derivation(source);
    let (mut memory, mut text) = (Memory::new(&derivation), String::new());
    for (secs, inputs) in moments {
        let at = Timestamp((secs * SEC as f64) as i64);
        let _ = match evaluate(&derivation, &mut memory, at, inputs) {
            Ok(Some(value)) => writeln!(text, "{secs}: {value}"),
            Ok(None) => writeln!(text, "{secs}: nothing yet"),
            Err(error) => writeln!(text, "{secs}: {error}"),
        };
    }
    if memory.late() + memory.passed_over() > 0 {
        let _ = writeln!(text, "{} late, {} passed over", memory.late(), memory.passed_over());
    }
    expected.assert_eq(&text);
}

fn n(x: f64) -> Value {
    Value::Number(x)
}

fn b(truth: bool) -> Value {
    Value::Bool(truth)
}

#[test]
fn a_mean_over_a_window_weighs_values_by_time() {
    tell(
        "flow - mean(flow, \"10s\")",
        &[(0.0, &[n(10.0)]), (1.0, &[n(20.0)]), (10.0, &[n(0.0)]), (15.0, &[n(0.0)]), (30.0, &[n(5.0)])],
        &expect![[r#"
            0: 0
            1: 10
            10: -19
            15: -10
            30: 5
        "#]],
    );
}

#[test]
fn energy_is_the_integral_of_power_over_the_run() {
    tell(
        "integral(voltage * current, \"run\") / 3600",
        &[(0.0, &[n(230.0), n(10.0)]), (1800.0, &[n(230.0), n(20.0)]), (3600.0, &[n(230.0), n(0.0)])],
        &expect![[r#"
            0: 0
            1800: 1150
            3600: 3450
        "#]],
    );
}

#[test]
fn starts_are_counted_and_the_time_too_high_is_measured() {
    tell(
        "count(running, \"run\") + duration(vibration > 4.5, \"1m\") / 1000",
        &[
            (0.0, &[b(true), n(1.0)]),
            (10.0, &[b(false), n(5.0)]),
            (20.0, &[b(true), n(5.0)]),
            (30.0, &[b(true), n(2.0)]),
            (75.0, &[b(true), n(2.0)]),
        ],
        &expect![[r#"
            0: 0
            10: 0
            20: 1.01
            30: 1.02
            75: 1.015
        "#]],
    );
}

#[test]
fn a_condition_begins_anew_and_its_last_time_stands() {
    tell(
        "max(temperature, when(running))",
        &[
            (0.0, &[n(90.0), b(false)]),
            (1.0, &[n(20.0), b(true)]),
            (2.0, &[n(50.0), b(true)]),
            (3.0, &[n(80.0), b(false)]),
            (4.0, &[n(70.0), b(false)]),
            (5.0, &[n(30.0), b(true)]),
        ],
        &expect![[r#"
            0: nothing yet
            1: 20
            2: 50
            3: 50
            4: 50
            5: 30
        "#]],
    );
}

#[test]
fn two_signals_of_one_time_in_two_messages_leave_nothing_of_the_state_in_between() {
    tell(
        "max(a - b, \"run\")",
        &[(0.0, &[n(1.0), n(0.0)]), (1.0, &[n(9.0), n(0.0)]), (1.0, &[n(9.0), n(8.0)]), (2.0, &[n(9.0), n(8.0)])],
        &expect![[r#"
            0: 1
            1: 9
            1: 1
            2: 1
        "#]],
    );
}

#[test]
fn late_moments_give_nothing_and_inputs_that_cannot_be_used_do_not_enter() {
    tell(
        "mean(flow, \"run\")",
        &[(10.0, &[n(4.0)]), (5.0, &[n(100.0)]), (11.0, &[n(f64::NAN)]), (20.0, &[n(6.0)])],
        &expect![[r#"
            10: 4
            5: nothing yet
            11: 4
            20: 4
            1 late, 1 passed over
        "#]],
    );
}

#[test]
fn a_part_that_cannot_be_evaluated_is_told_and_the_next_one_enters() {
    tell(
        "mean(-mode, \"run\")",
        &[(0.0, &[Value::Text("auto".into())]), (1.0, &[n(2.0)]), (2.0, &[n(4.0)])],
        &expect![[r#"
            0: the operation `- (text)` is not known: numbers, booleans and texts do not mix
            1: -2
            2: -2
            0 late, 1 passed over
        "#]],
    );
}

#[test]
fn a_memory_goes_on_with_the_same_expression_only() {
    let source = "mean(flow, \"10s\") + count(flow > 2, when(flow > 1))";
    let derivation = derivation(source);
    let mut memory = Memory::new(&derivation);
    for at in 0..40 {
        let inputs = [n((at * 7 % 5) as f64)];
        let restored = &mut Memory::restore(&derivation, &memory.save()).unwrap();
        assert_eq!(restored, &memory);
        let found = evaluate(&derivation, &mut memory, Timestamp(at * SEC), &inputs);
        assert_eq!(found, evaluate(&derivation, restored, Timestamp(at * SEC), &inputs));
    }
    let state = memory.save();
    let other = |source: &str| Memory::restore(&self::derivation(source), &state);
    assert_eq!(other("mean(flow, \"11s\") + count(flow > 2, when(flow > 1))"), Err(StateError::Changed));
    let mut renamed = derivation.clone();
    renamed.inputs[0].0 = "P-102.flow".to_owned();
    assert_eq!(Memory::restore(&renamed, &state), Err(StateError::Changed));
    for end in 0..state.data.len() {
        let cut = ProducerState { version: state.version, data: state.data[..end].to_vec() };
        assert!(Memory::restore(&derivation, &cut).is_err(), "cut at {end}");
    }
    let newer = ProducerState { version: 7, ..state };
    assert_eq!(Memory::restore(&derivation, &newer), Err(StateError::Version { found: 7, known: 1 }));
}

#[test]
fn an_expression_without_memory_is_a_function_of_its_inputs() {
    let derivation = derivation("a * b");
    let mut memory = Memory::new(&derivation);
    assert!(memory.is_empty());
    for (at, value) in [(2, 6.0), (1, 12.0)] {
        let inputs = [n(value), n(2.0)];
        assert_eq!(evaluate(&derivation, &mut memory, Timestamp(at), &inputs), Ok(Some(n(value * 2.0))));
    }
}
