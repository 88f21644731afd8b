//! The machine against the [oracle](super::oracle): random rules, random sequences, every change compared.
//!
//! Each sequence of 5 to 40 steps is told to engines that differ in how often, and when, `elapse` is called: never before
//! the end, every second, at each deadline that the engine names, and at random. All must agree with the oracle in every
//! change with its times and values, in every refusal, and in the alarm in the end.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::oracle::{Oracle, Step, Truth};
use super::testing::{KnownSamples, SEC, deed, formula, line, rule, scene, seconds};
use super::{Action, Alarm, Change, Engine, Refusal};
use crate::scene::Scene;
use crate::scene::rule::{AlarmIndex, Condition, Count, Direction, Level, Reference, Rule};
use crate::value::{Origin, Quality, Reason, Sample, SignalIndex, Timestamp, Value};

/// Rules per kind of condition, and sequences per rule: nine kinds make 450,000 sequences.
const RULES: u64 = 1_000;
const SEQUENCES: u64 = 50;

/// So long after the last step everything has become due, in seconds.
const AFTERWARDS: i64 = 30;

/// The second at which a sequence is over.
fn end(steps: &[Step]) -> i64 {
    steps.last().map_or(0, |step| step.wall() / SEC) + AFTERWARDS
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Calls {
    AtTheEnd,
    EverySecond,
    AtDeadlines,
    AtRandom,
}

struct Setup {
    scene: Arc<Scene>,
    truth: Truth,
    suppression: Option<fn(f64) -> bool>,
    expires: Duration,
}

impl Setup {
    fn random(kind: &str, rng: &mut ChaCha8Rng) -> Self {
        let deadband = f64::from(rng.random_range(0..3));
        let limit = 5.0;
        let (formula_source, truth): (&str, Truth) = *[
            ("a > 5 && b < 5", (|a, b| a > 5.0 && b < 5.0) as Truth),
            ("a - b", |a, b| a - b != 0.0),
            ("if b > 3 { a > 6 } else { false }", |a, b| b > 3.0 && a > 6.0),
        ]
        .choose(rng)
        .expect("there are three");
        let condition = match kind {
            "high" => Condition::Limit { level: Level::High, limit, deadband },
            "low" => Condition::Limit { level: Level::LowLow, limit, deadband },
            "rate" => Condition::Rate {
                direction: *[Direction::Rising, Direction::Falling, Direction::Either].choose(rng).expect("three"),
                limit_per_sec: f64::from(rng.random_range(1..6)) / 4.0,
                over: seconds(rng.random_range(1..8)),
                deadband_per_sec: f64::from(rng.random_range(0..2)) / 4.0,
                per: seconds(1),
            },
            "deviation" => Condition::Deviation { from: Reference::Value(4.0), limit: 3.0, deadband },
            "deviation from a signal" => {
                Condition::Deviation { from: Reference::Signal(SignalIndex(1)), limit: 3.0, deadband }
            }
            "state" => Condition::State {
                values: [2.0, 6.0, 7.0, 8.0].map(Value::Number).into(),
                inverted: rng.random_bool(0.5),
            },
            "formula" => Condition::Formula(formula(formula_source)),
            "stale" => Condition::Stale,
            "bad" => Condition::Bad,
            other => panic!("no condition {other}"),
        };
        let mut rule = rule(condition);
        let delay = |rng: &mut ChaCha8Rng| seconds(if rng.random_bool(0.4) { 0 } else { rng.random_range(1..7) });
        rule.on_delay = delay(rng);
        rule.off_delay = delay(rng);
        rule.latching = rng.random_bool(0.3);
        if kind != "stale" && rng.random_bool(0.3) {
            let of = rng.random_range(1..6);
            rule.count = Some(Count { needed: rng.random_range(1..=of), of, within: seconds(rng.random_range(1..20)) });
        }
        let suppressed: Option<fn(f64) -> bool> = if rng.random_bool(0.3) { Some(|c| c > 5.0) } else { None };
        if suppressed.is_some() {
            rule.suppressed_when = Some(formula("c > 5"));
        }
        let expires = seconds(rng.random_range(3..9));
        Self { scene: scene(vec![rule], Some(expires)), truth, suppression: suppressed, expires }
    }

    fn rule(&self) -> &Rule {
        &self.scene.alarms[0]
    }
}

fn random_steps(rng: &mut ChaCha8Rng) -> Vec<Step> {
    let (mut wall, mut source) = (1_i64, [0_i64; 3]);
    let signals = rng.random_range(1..=3);
    // Some sequences have fewer late samples, some fewer broken ones, some no operators.
    let (lateness, badness, deeds) =
        (rng.random_range(0..4), *[0.0, 0.15].choose(rng).expect("two"), rng.random_bool(0.7));
    (0..rng.random_range(5..=40))
        .map(|_| {
            wall += match rng.random_range(0..20) {
                0 => rng.random_range(8..15),
                1..6 => 0,
                _ => rng.random_range(1..4),
            };
            let at = Timestamp(wall * SEC);
            match rng.random_range(0..12) {
                0 | 1 if deeds => {
                    let comment = if rng.random_bool(0.8) { "because" } else { "" };
                    Step::Act(random_action(rng), deed(at, comment))
                }
                2 => Step::Elapse(at),
                _ => {
                    let signal = rng.random_range(0..signals);
                    let last = &mut source[signal];
                    let time = match rng.random_range(0..8) {
                        0 => *last,
                        1 => *last - rng.random_range(0..=lateness),
                        2 => wall,
                        _ => *last + rng.random_range(1..4),
                    };
                    *last = time.max(*last);
                    let bad = rng.random_bool(badness);
                    let reason = if rng.random_bool(0.5) { Reason::OutOfRange } else { Reason::Source };
                    Step::Sample(Sample {
                        signal: SignalIndex(signal as u32),
                        source_time: Timestamp(time * SEC),
                        receive_time: at,
                        value: Value::Number(f64::from(rng.random_range(0..10))),
                        quality: if bad { Quality::bad(reason) } else { Quality::GOOD },
                        origin: Origin::Measured,
                    })
                }
            }
        })
        .collect()
}

fn random_action(rng: &mut ChaCha8Rng) -> Action {
    match rng.random_range(0..11) {
        0..3 => Action::Acknowledge,
        3 | 4 => Action::Reset,
        5 => Action::Shelve { lasting: Some(seconds(rng.random_range(1..12))) },
        6 => Action::Shelve { lasting: None },
        7 => Action::Unshelve,
        8 => Action::TakeOutOfService,
        9 => Action::ReturnToService,
        _ => Action::Comment,
    }
}

#[derive(PartialEq, Debug)]
struct Outcome {
    changes: Vec<Change>,
    refusals: Vec<Option<Refusal>>,
    alarm: Alarm,
}

fn tell_engine(setup: &Setup, steps: &[Step], calls: Calls) -> Outcome {
    let mut engine = Engine::new(Arc::clone(&setup.scene), Timestamp(0));
    let (mut changes, mut refusals, mut known, mut wall) = (Vec::new(), Vec::new(), KnownSamples::default(), 0);
    for step in steps {
        while calls == Calls::EverySecond && wall < step.wall() {
            wall += SEC;
            engine.elapse(Timestamp(wall), &mut changes);
        }
        while let Some(deadline) =
            engine.next_deadline().filter(|at| calls == Calls::AtDeadlines && at.0 <= step.wall())
        {
            engine.elapse(deadline, &mut changes);
        }
        match step {
            Step::Sample(sample) => {
                known.0.push(sample.clone());
                engine.observe(sample, &known, &mut changes);
            }
            Step::Act(action, deed) => {
                refusals.push(engine.act(AlarmIndex(0), action, deed, &mut changes).err());
            }
            Step::Elapse(now) if calls == Calls::AtRandom => engine.elapse(*now, &mut changes),
            Step::Elapse(_) => {}
        }
    }
    engine.elapse(Timestamp(end(steps) * SEC), &mut changes);
    let alarm = engine.alarms()[0].clone();
    Outcome { changes, refusals, alarm }
}

fn ask_oracle(setup: &Setup, steps: &[Step]) -> Outcome {
    let mut oracle = Oracle::new(setup.rule(), setup.truth, setup.suppression, setup.expires);
    oracle.run(steps, end(steps));
    let alarm = oracle.alarm();
    Outcome { changes: oracle.changes, refusals: oracle.refusals, alarm }
}

fn agrees(setup: &Setup, steps: &[Step], calls: Calls) -> bool {
    tell_engine(setup, steps, calls) == ask_oracle(setup, steps)
}

/// The sequence without the steps that do not matter to the disagreement.
fn shortest(setup: &Setup, mut steps: Vec<Step>, calls: Calls) -> Vec<Step> {
    let mut at = 0;
    while at < steps.len() {
        let mut fewer = steps.clone();
        fewer.remove(at);
        if agrees(setup, &fewer, calls) {
            at += 1;
        } else {
            steps = fewer;
            at = 0;
        }
    }
    steps
}

fn explain(setup: &Setup, steps: Vec<Step>, calls: Calls) -> String {
    use std::fmt::Write;
    let steps = shortest(setup, steps, calls);
    let mut text = format!("{:#?}\nexpires {:?}, elapse called {calls:?}\n", setup.rule(), setup.expires);
    for step in &steps {
        let _ = match step {
            Step::Sample(s) => writeln!(
                text,
                "  {} at {} (received {}) = {} {}",
                s.signal.0,
                s.source_time.0 / SEC,
                s.receive_time.0 / SEC,
                s.value,
                s.quality
            ),
            Step::Act(action, deed) => writeln!(text, "  {action:?} at {} {:?}", deed.at.0 / SEC, deed.comment),
            Step::Elapse(now) => writeln!(text, "  elapse {}", now.0 / SEC),
        };
    }
    for (name, outcome) in [("engine", tell_engine(setup, &steps, calls)), ("oracle", ask_oracle(setup, &steps))] {
        let lines: Vec<String> = outcome.changes.iter().map(line).collect();
        let _ = writeln!(text, "{name}:\n{}\n{:?}\n{:#?}", lines.join("\n"), outcome.refusals, outcome.alarm);
    }
    text
}

/// What the sequences of one kind led to, so that a test which compares nothing with nothing is noticed.
#[derive(Default)]
struct Seen {
    raised: usize,
    cleared: usize,
    late: u64,
    refused: usize,
}

fn compare(kind: &str, seed: u64) -> Seen {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut seen = Seen::default();
    for _ in 0..RULES {
        let setup = Setup::random(kind, &mut rng);
        for sequence in 0..SEQUENCES {
            let steps = random_steps(&mut rng);
            let expected = ask_oracle(&setup, &steps);
            let calls = [Calls::EverySecond, Calls::AtDeadlines, Calls::AtRandom][sequence as usize % 3];
            for calls in [Calls::AtTheEnd, calls] {
                if tell_engine(&setup, &steps, calls) != expected {
                    panic!("{}", explain(&setup, steps, calls));
                }
            }
            let number = |cause| expected.changes.iter().filter(|change| change.cause == cause).count();
            seen.raised += number(super::Cause::Raised);
            seen.cleared += number(super::Cause::Cleared);
            seen.late += expected.alarm.late;
            seen.refused += expected.refusals.iter().flatten().count();
        }
    }
    let sequences = (RULES * SEQUENCES) as usize;
    assert!(seen.raised > sequences / 4, "{kind}: only {} raised", seen.raised);
    assert!(seen.cleared > sequences / 8, "{kind}: only {} cleared", seen.cleared);
    assert!(seen.refused > sequences / 4, "{kind}: only {} refused", seen.refused);
    seen
}

macro_rules! agree_with_the_oracle {
    ($($name:ident: $kind:literal, $seed:literal;)*) => {$(
        #[test]
        fn $name() {
            assert!(compare($kind, $seed).late > RULES, "hardly a sample was late");
        }
    )*};
}

agree_with_the_oracle! {
    high_limits_agree_with_the_oracle: "high", 1;
    low_limits_agree_with_the_oracle: "low", 2;
    rates_agree_with_the_oracle: "rate", 3;
    deviations_agree_with_the_oracle: "deviation", 4;
    deviations_from_a_signal_agree_with_the_oracle: "deviation from a signal", 5;
    states_agree_with_the_oracle: "state", 6;
    formulas_agree_with_the_oracle: "formula", 7;
    silences_agree_with_the_oracle: "stale", 8;
    bad_qualities_agree_with_the_oracle: "bad", 9;
}
