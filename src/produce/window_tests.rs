//! Windows against a model that keeps everything and works from the definition.

use std::time::Duration;

use proptest::prelude::*;

use super::{Accumulator, ProducerState, StateError, StateReader, StateWriter, Taken};
use crate::scene::expression::{Function, Over};
use crate::value::{Timestamp, Value};

const SEC: i64 = 1_000_000_000;

/// One input of an accumulator.
#[derive(Clone, Debug)]
struct Given {
    /// Nanoseconds after the newest, or before it.
    step: i64,
    value: Option<Value>,
    holds: Option<bool>,
}

/// What stays of all that came with one source time.
#[derive(Clone, Copy, Debug)]
struct Kept {
    time: i64,
    held: Option<(f64, Option<bool>)>,
    came: bool,
    holds: bool,
}

/// Keeps every value.
#[derive(Default)]
struct Oracle {
    kept: Vec<Kept>,
}

impl Oracle {
    fn take(&mut self, function: Function, time: i64, given: &Given) {
        let held = given.value.as_ref().and_then(|value| {
            let number = value.as_f64().filter(|x| x.is_finite())?;
            let number = if function == Function::Duration { f64::from(u8::from(number != 0.0)) } else { number };
            Some((number, if let Value::Bool(truth) = value { Some(*truth) } else { None }))
        });
        let last = self.kept.last().copied();
        match self.kept.last_mut() {
            Some(last) if time < last.time => {}
            Some(last) if time == last.time => {
                last.held = held.or(last.held);
                last.came |= held.is_some();
                last.holds = given.holds.unwrap_or(last.holds);
            }
            _ if held.is_none() && given.holds.is_none_or(|holds| last.map(|last| last.holds) == Some(holds)) => {}
            _ => self.kept.push(Kept {
                time,
                held: held.or(last.and_then(|last| last.held)),
                came: held.is_some(),
                holds: given.holds.unwrap_or(last.is_some_and(|last| last.holds)),
            }),
        }
    }

    fn at(&self, function: Function, over: Over, now: i64) -> Option<f64> {
        let last = self.kept.last()?;
        let now = now.max(last.time);
        let end_of = |at: usize| self.kept.get(at + 1).map_or(now, |next| next.time);
        // Moments of the stretch, and where it starts.
        let (range, edge) = match over {
            Over::Run => (0..self.kept.len(), i64::MIN),
            Over::Window(length) => (0..self.kept.len(), now - length.as_nanos() as i64),
            Over::When => {
                let end = self.kept.iter().rposition(|kept| kept.holds)?;
                let start = (0..=end).rev().take_while(|at| self.kept[*at].holds).last()?;
                (start..end + 1, i64::MIN)
            }
        };
        let (mut sum, mut covered, mut count) = (0.0, 0, 0);
        let mut values = Vec::new();
        for at in range {
            let kept = self.kept[at];
            let Some((value, truth)) = kept.held else { continue };
            let (start, end) = (kept.time.max(edge), end_of(at));
            let holds_now = at + 1 == self.kept.len();
            if end > edge || holds_now {
                values.push(value);
                let length = (end - start).max(0);
                sum += value * length as f64 / 1e9;
                covered += length;
            }
            let before = at.checked_sub(1).and_then(|before| self.kept[before].held?.1);
            let is_event = kept.came && (truth.is_none() || (truth == Some(true) && before == Some(false)));
            count += u64::from(is_event && kept.time > edge);
        }
        let newest = *values.last()?;
        Some(match function {
            Function::Mean if covered == 0 => newest,
            Function::Mean => sum / (covered as f64 / 1e9),
            Function::Integral | Function::Duration => sum,
            Function::Min => values.into_iter().fold(f64::INFINITY, f64::min),
            Function::Max => values.into_iter().fold(f64::NEG_INFINITY, f64::max),
            Function::Count => count as f64,
        })
    }
}

fn save(accumulator: &Accumulator) -> ProducerState {
    let mut to = StateWriter::default();
    accumulator.save(&mut to);
    to.finish(1)
}

fn restore(function: Function, over: Over, state: &ProducerState) -> Result<Accumulator, StateError> {
    let mut from = StateReader::new(state, 1)?;
    let found = Accumulator::restore(function, over, &mut from)?;
    from.finish().map(|()| found)
}

fn given() -> impl Strategy<Value = Given> {
    let step = prop_oneof![6 => 1i64..4 * SEC, 2 => Just(SEC), 1 => Just(0), 1 => -3 * SEC..0];
    let value = prop_oneof![
        6 => (-4i8..5).prop_map(|x| Some(Value::Number(f64::from(x) / 2.0))),
        4 => any::<bool>().prop_map(|b| Some(Value::Bool(b))),
        1 => Just(Some(Value::Number(f64::NAN))),
        1 => Just(Some(Value::Text("off".into()))),
        1 => Just(None),
    ];
    (step, value, prop_oneof![3 => Just(Some(true)), 2 => Just(Some(false)), 1 => Just(None)])
        .prop_map(|(step, value, holds)| Given { step, value, holds })
}

fn over() -> impl Strategy<Value = Over> {
    let window = (1u64..30_000).prop_map(|millis| Over::Window(Duration::from_millis(millis)));
    prop_oneof![2 => window, 1 => Just(Over::Run), 1 => Just(Over::When)]
}

fn function() -> impl Strategy<Value = Function> {
    proptest::sample::select(&Function::ALL[..])
}

/// The source times of the inputs; conditions stand for [`Over::When`] only.
fn timed(over: Over, all: Vec<Given>) -> Vec<(i64, Given)> {
    let mut newest = 1_000 * SEC;
    let when = |given: Given| Given { holds: if over == Over::When { given.holds } else { Some(true) }, ..given };
    let times = all.into_iter().map(|given| {
        let time = newest + given.step;
        newest = newest.max(time);
        (time, when(given))
    });
    times.collect()
}

proptest! {
    #[test]
    fn every_function_over_every_stretch_is_what_its_definition_says(
        function in function(),
        over in over(),
        all in prop::collection::vec(given(), 1..120),
        later in 0i64..20 * SEC,
    ) {
        let (mut accumulator, mut oracle) = (Accumulator::new(function, over), Oracle::default());
        for (time, given) in timed(over, all) {
            accumulator.take_when(Timestamp(time), given.value.as_ref(), given.holds);
            oracle.take(function, time, &given);
            for now in [time, time + later] {
                let (found, wanted) = (accumulator.at(Timestamp(now)), oracle.at(function, over, now));
                let is_near = |(a, b): (f64, f64)| (a - b).abs() <= 1e-9 * (1.0 + b.abs());
                let same = found.is_some() == wanted.is_some() && found.zip(wanted).is_none_or(is_near);
                prop_assert!(same, "{function:?} {over:?} at {now}: {found:?} is not {wanted:?}");
            }
        }
    }

    #[test]
    fn what_was_saved_and_restored_goes_on_with_the_same_bits(
        function in function(),
        over in over(),
        all in prop::collection::vec(given(), 1..200),
        cut in any::<prop::sample::Index>(),
    ) {
        let all = timed(over, all);
        let cut = cut.index(all.len());
        let mut whole = Accumulator::new(function, over);
        let mut restored = whole.clone();
        for (at, (time, given)) in all.into_iter().enumerate() {
            for accumulator in [&mut whole, &mut restored] {
                accumulator.take_when(Timestamp(time), given.value.as_ref(), given.holds);
            }
            if at == cut {
                restored = restore(function, over, &save(&restored)).unwrap();
            }
            for now in [time, time + SEC / 3] {
                let bits = |one: &Accumulator| one.at(Timestamp(now)).map(f64::to_bits);
                prop_assert_eq!(bits(&whole), bits(&restored));
            }
        }
        prop_assert_eq!(save(&whole), save(&restored));
    }

    #[test]
    fn bytes_that_something_else_wrote_are_refused_or_read_but_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let over = Over::Window(Duration::from_secs(10));
        let _ = restore(Function::Mean, over, &ProducerState { version: 1, data: bytes });
        let mut accumulator = Accumulator::new(Function::Mean, over);
        (0..9i32).for_each(|x| {
            accumulator.take(Timestamp(i64::from(x) * SEC), Some(&Value::Number(f64::from(x))));
        });
        let mut bent = save(&accumulator);
        let at = at.index(bent.data.len());
        bent.data[at] = byte;
        if let Ok(mut read) = restore(Function::Mean, over, &bent) {
            read.take(Timestamp(100 * SEC), Some(&Value::Number(1.0)));
            read.at(Timestamp(200 * SEC));
        }
        bent.data.truncate(at);
        prop_assert!(restore(Function::Mean, over, &bent).is_err());
    }
}

fn number(x: f64) -> Option<Value> {
    Some(Value::Number(x))
}

#[test]
fn a_window_of_many_values_stays_small_and_right() {
    let day = Over::Window(Duration::from_secs(86_400));
    let mut all = [Function::Mean, Function::Integral, Function::Min, Function::Max, Function::Count]
        .map(|function| Accumulator::new(function, day));
    let count = 50_000;
    let value = |at: i64| ((at * 7_919) % 1_000) as f64;
    for at in 0..count {
        for accumulator in &mut all {
            accumulator.take(Timestamp(at * SEC / 10), number(value(at)).as_ref());
        }
    }
    let end = Timestamp(count * SEC / 10);
    let sum: f64 = (0..count).map(value).sum();
    let [mean, integral, min, max, counted] = all.each_ref().map(|accumulator| accumulator.at(end).unwrap());
    assert!((mean - sum / count as f64).abs() < 1e-9 * sum, "{mean}");
    assert!((integral - sum / 10.0).abs() < 1e-9 * sum, "{integral}");
    assert_eq!((min, max, counted), (0.0, 999.0, count as f64));
    for accumulator in &all {
        assert!(save(accumulator).data.len() < 110_000, "{} bytes", save(accumulator).data.len());
    }
    // Half of them have left: the piece at the edge is not known to the value any more, but nearly.
    let later = Timestamp(86_400 * SEC + count * SEC / 20);
    let left: f64 = (count / 2..count - 1).map(value).sum::<f64>() / 10.0;
    let tail = value(count - 1) * (later.0 - (count - 1) * SEC / 10) as f64 / 1e9;
    let found = all[1].at(later).unwrap();
    assert!((found - left - tail).abs() < 0.01 * left, "{found} is far from {}", left + tail);
}

#[test]
fn a_great_value_leaves_no_rounding_error_behind() {
    let mut mean = Accumulator::new(Function::Mean, Over::Window(Duration::from_secs(10)));
    for (time, value) in (0..100).map(|at| (at, if at == 30 { 1e300 } else { 0.1 })) {
        mean.take(Timestamp(time * SEC), number(value).as_ref());
    }
    assert!((mean.at(Timestamp(100 * SEC)).unwrap() - 0.1).abs() < 1e-15);
}

#[test]
fn late_values_and_values_that_are_none_are_counted() {
    let mut count = Accumulator::new(Function::Count, Over::Run);
    assert_eq!(count.at(Timestamp(0)), None);
    assert_eq!(count.take(Timestamp(5), number(1.0).as_ref()), Taken::In);
    assert_eq!(count.take(Timestamp(4), number(1.0).as_ref()), Taken::Late);
    assert_eq!(count.take(Timestamp(6), number(f64::INFINITY).as_ref()), Taken::PassedOver);
    assert_eq!(count.take(Timestamp(6), None), Taken::PassedOver);
    assert_eq!(count.take(Timestamp(6), number(2.0).as_ref()), Taken::In);
    assert_eq!((count.at(Timestamp(6)), count.late(), count.passed_over()), (Some(2.0), 1, 2));
}

#[test]
fn what_was_saved_of_another_function_is_refused() {
    let state = save(&Accumulator::new(Function::Max, Over::When));
    assert_eq!(restore(Function::Min, Over::When, &state), Err(StateError::Damaged));
    assert_eq!(restore(Function::Max, Over::Run, &state), Err(StateError::Damaged));
    assert!(restore(Function::Max, Over::When, &state).is_ok());
}
