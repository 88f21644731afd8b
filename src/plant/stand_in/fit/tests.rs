//! What was put into numbers is found in them again; a stand-in that was fitted to a stand-in is like it.

use std::f64::consts::TAU;

use super::super::Actor;
use super::super::course::{Rhythm, Swing, Walk};
use super::*;
use crate::plant::instrument::Reader;
use crate::value::Stream;

const SECOND: u64 = 1_000_000_000;
const START: i64 = 1_700_000_000_000_000_000;

/// A walk made by the textbook, without the code under test.
fn walked(name: &str, seed: u64, deviation: f64, secs: f64, count: usize) -> Vec<f64> {
    let (chance, kept) = (Stream::new(seed, name, "walk"), libm::exp(-1.0 / secs));
    let mut x = deviation * chance.normal(0);
    let next = |step: u64| {
        x = kept * x + deviation * (1.0 - kept * kept).sqrt() * chance.normal(step);
        x
    };
    (1..=count as u64).map(next).collect()
}

/// One value a second.
fn every_second(values: impl IntoIterator<Item = Value>) -> Recorded {
    let time = |at: usize| Timestamp(START + at as i64 * SECOND as i64);
    Recorded { unit: Unit::none(), samples: values.into_iter().enumerate().map(|(at, x)| (time(at), x)).collect() }
}

fn numbers(values: impl IntoIterator<Item = f64>) -> Recorded {
    every_second(values.into_iter().map(Value::Number))
}

fn fitted<const N: usize>(signals: [(&str, Recorded); N]) -> BTreeMap<String, Habit> {
    let recorded =
        signals.into_iter().map(|(name, recorded)| (("P-1".to_owned(), name.to_owned()), recorded)).collect();
    fit(&recorded).habits.into_iter().map(|((_, name), (_, habit))| (name, habit)).collect()
}

fn sway(habit: &Habit) -> &Sway {
    match &habit.course {
        Course::Sway(sway) => sway,
        other => panic!("{other:?}"),
    }
}

fn near(found: f64, wanted: f64, tolerance: f64, what: &str) {
    assert!((found - wanted).abs() <= tolerance, "{what}: {found} instead of {wanted} ± {tolerance}");
}

#[test]
fn a_number_is_told_apart_into_level_rhythm_walk_noise_and_step() {
    let noise = Stream::new(3, "P-1", "noise");
    let values = walked("P-1", 3, 2.0, 20.0, 7200).into_iter().enumerate().map(|(at, walk)| {
        let rhythm = 4.0 * libm::cos(TAU * at as f64 / 120.0 + 0.7);
        ((50.0 + rhythm + walk + 0.8 * noise.normal(at as u64)) * 20.0).round() / 20.0
    });
    let values: Vec<f64> = values.collect();
    let habits = fitted([("x", numbers(values.iter().copied()))]);
    let (habit, sway) = (&habits["x"], sway(&habits["x"]));
    // A mean over 7200 s of a walk of 20 s is known to 2 · sqrt(2 · 20 / 7200) = 0.15.
    near(sway.level, 50.0, 0.45, "level");
    let rhythm = sway.swing.rhythm.expect("a rhythm");
    near(rhythm.amplitude, 4.0, 0.5, "amplitude");
    near(rhythm.period_secs, 120.0, 0.3, "period");
    near(libm::cos(rhythm.phase - 0.7), 1.0, 0.02, "phase");
    let walk = sway.swing.walk.expect("a walk");
    near(walk.deviation, 2.0, 0.25, "walk");
    near(walk.correlation_secs, 20.0, 5.0, "correlation");
    near(habit.instrument.noise, 0.8, 0.15, "noise");
    assert_eq!((habit.instrument.resolution, habit.every), (0.05, Some(SECOND)));
    let extremes = (values.iter().copied().fold(f64::MAX, f64::min), values.iter().copied().fold(f64::MIN, f64::max));
    assert_eq!(habit.instrument.range, Some(extremes));
}

#[test]
fn a_walk_alone_has_no_rhythm_and_noise_alone_no_walk() {
    for seed in 0..20 {
        let habits = fitted([("x", numbers(walked("P-1", seed, 1.0, 60.0, 3600)))]);
        assert_eq!(sway(&habits["x"]).swing.rhythm, None, "seed {seed}");
        let chance = Stream::new(seed, "P-1", "white");
        let habits = fitted([("x", numbers((0..3600).map(|at| chance.normal(at))))]);
        assert_eq!(sway(&habits["x"]).swing, Swing::default(), "seed {seed}");
        near(habits["x"].instrument.noise, 1.0, 0.05, "noise");
    }
}

#[test]
fn a_follower_is_found_with_its_delay_and_gain_and_strangers_are_not() {
    for seed in 0..8 {
        let lead = walked("P-1", seed, 3.0, 30.0, 3600);
        let own = walked("P-2", seed, 0.4, 10.0, 3600);
        let follower = (0..3600).map(|at| 10.0 - 0.5 * lead[usize::saturating_sub(at, 7)] + own[at]);
        let stranger = walked("P-3", seed, 3.0, 30.0, 3600);
        let habits =
            fitted([("a", numbers(follower)), ("b", numbers(lead.iter().map(|x| 60.0 + x))), ("c", numbers(stranger))]);
        let leader = sway(&habits["a"]).leader.as_ref().unwrap_or_else(|| panic!("nobody leads, seed {seed}"));
        assert_eq!((leader.path.as_str(), leader.delay), ("P-1.b", 7 * SECOND), "seed {seed}");
        near(leader.gain, -0.5, 0.05, "gain");
        let left = sway(&habits["a"]).swing.walk.expect("a walk of its own");
        near(left.deviation, 0.4, 0.15, "what is left");
        assert!(sway(&habits["b"]).leader.is_none() && sway(&habits["c"]).leader.is_none(), "seed {seed}");
    }
}

#[test]
fn a_counter_goes_on_from_where_it_was() {
    let habits = fitted([("bottles", numbers((0..600).map(|at| f64::from(1000 + at / 3))))]);
    let Course::Rise(rise) = &habits["bottles"].course else { panic!("{habits:?}") };
    near(rise.start, 1199.0, 0.5, "start");
    near(rise.per_sec, 1.0 / 3.0, 0.005, "rate");
    assert_eq!((habits["bottles"].instrument.resolution, rise.wraps), (1.0, None));
}

#[test]
fn values_that_stay_keep_their_times_and_what_comes_next() {
    let cycle: Vec<&str> = [("IDLE", 20), ("FILL", 40), ("DRAIN", 10)].iter().flat_map(|(w, n)| vec![*w; *n]).collect();
    let words = every_second(cycle.iter().cycle().take(2000).map(|word| Value::Text((*word).into())));
    let flags = every_second((0..2000).map(|at| Value::Bool(at % 100 < 75)));
    let code = numbers((0..2000).map(|at| f64::from(1 + at / 50 % 3)));
    let habits = fitted([("words", words), ("flags", flags), ("code", code)]);
    let stays = |name: &str| match &habits[name].course {
        Course::Stay(stays) => stays.clone(),
        other => panic!("{other:?}"),
    };
    type Told = Vec<(String, f64, Vec<(usize, f64)>)>;
    let told: Told =
        stays("words").into_iter().map(|stay| (stay.value.to_string(), stay.dwells[0], stay.next)).collect();
    assert_eq!((told[0].0.as_str(), told[0].1, told[0].2[0].0), ("IDLE", 20.0, 1));
    assert_eq!((told[1].0.as_str(), told[1].1, told[1].2[0].0), ("FILL", 40.0, 2));
    assert_eq!((told[2].0.as_str(), told[2].1, told[2].2[0].0), ("DRAIN", 10.0, 0));
    let flags = stays("flags");
    near(flags[0].share / (flags[0].share + flags[1].share), 0.75, 0.01, "on");
    assert_eq!(stays("code").len(), 3, "a number of few values that are kept");
    // And so they are played.
    let shown = played(&habits["words"], 5, 700);
    let changes = shown.samples.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
    assert!((29..=31).contains(&changes), "30 changes in 700 s: {changes}");
}

#[test]
fn what_is_said_once_is_said_once_in_that_time() {
    let maker = Recorded { unit: Unit::none(), samples: vec![(Timestamp(START), Value::Text("Own works".into()))] };
    let habits = fitted([("maker", maker), ("x", numbers((0..601).map(|at| f64::from(at % 7))))]);
    assert_eq!(habits["maker"].every, Some(600 * SECOND));
    assert_eq!(habits["maker"].course, Course::Stay(vec![Stay::ever(Value::Text("Own works".into()))]));
    assert_eq!(fit(&BTreeMap::new()), Fitted::default());
}

#[test]
fn odd_recordings_give_finite_habits() {
    let none: [f64; 0] = [];
    let odd: [Vec<f64>; 6] =
        [none.to_vec(), vec![5.0], vec![5.0, 6.0], vec![5.0; 500], vec![f64::NAN; 30], vec![1e300, -1e300, 1e300]];
    for values in odd {
        for (name, habit) in
            fitted([("x", numbers(values.clone())), ("y", numbers((0..90).map(|at| f64::from(at * at % 17))))])
        {
            let finite = played(&habit, 1, 100).samples.iter().all(|(_, x)| x.as_f64().is_some_and(f64::is_finite));
            assert!(finite, "{name} of {values:?}: {habit:?}");
        }
    }
}

/// What a habit shows, once a second.
fn played(habit: &Habit, seed: u64, secs: u64) -> Recorded {
    let mut actor = Actor::new(habit.course.clone(), seed, "P-1.x");
    let mut reader = Reader::new(habit.instrument, None, seed, "P-1.x");
    let values = (0..secs).filter_map(|at| Some(reader.read(actor.at(at * SECOND)?, at * SECOND)));
    every_second(values)
}

#[test]
fn a_stand_in_of_a_stand_in_is_like_it() {
    let draw =
        |seed: u64, what: &str, low: f64, high: f64| low + (high - low) * Stream::new(seed, "case", what).uniform(0);
    for seed in 0..12 {
        let has_rhythm = seed % 2 == 0;
        let rhythm = Rhythm { amplitude: 3.0, period_secs: draw(seed, "period", 60.0, 400.0), phase: 1.0 };
        let walk = Walk {
            deviation: draw(seed, "deviation", 1.0, 2.0),
            correlation_secs: draw(seed, "time", 5.0, 40.0),
            step: SECOND,
        };
        let swing = Swing { rhythm: has_rhythm.then_some(rhythm), walk: Some(walk) };
        let sway_of = Sway { level: 80.0, swing, leader: None, bounds: None };
        let mut original = Habit::of(Course::Sway(sway_of));
        original.instrument.noise = draw(seed, "noise", 0.1, 1.0);
        let habits = fitted([("x", played(&original, seed, 7200))]);
        let again = fitted([("x", played(&habits["x"], seed + 100, 7200))]);
        for (habit, what) in [(&habits["x"], "fitted"), (&again["x"], "fitted again")] {
            let found = sway(habit);
            let what = |of: &str| format!("{of}, {what}, seed {seed}");
            near(found.level, 80.0, 1.0, &what("level"));
            let found_walk = found.swing.walk.unwrap_or_else(|| panic!("{}: {habit:?}", what("no walk")));
            near(found_walk.deviation, walk.deviation, 0.35 * walk.deviation, &what("walk"));
            near(found_walk.correlation_secs, walk.correlation_secs, 0.6 * walk.correlation_secs, &what("correlation"));
            let all = |rhythm: Option<Rhythm>, walk: f64, noise: f64| {
                (rhythm.map_or(0.0, |rhythm| rhythm.amplitude * rhythm.amplitude / 2.0) + walk * walk + noise * noise)
                    .sqrt()
            };
            let wanted = all(swing.rhythm, walk.deviation, original.instrument.noise);
            let deviation = all(found.swing.rhythm, found_walk.deviation, habit.instrument.noise);
            near(deviation, wanted, 0.2 * wanted, &what("deviation"));
            assert_eq!(found.swing.rhythm.is_some(), has_rhythm, "{}: {habit:?}", what("rhythm"));
            if let Some(found) = found.swing.rhythm {
                near(found.period_secs, rhythm.period_secs, 0.02 * rhythm.period_secs, &what("period"));
            }
        }
    }
}
