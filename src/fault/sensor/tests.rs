use proptest::prelude::*;

use super::*;
use crate::fault::testing::{at, courses, fault, thrown};
use crate::fault::{Course, Defect, Recurrence};
use crate::value::{Origin, Quality, Reason, Value};

const FLOW: SignalIndex = SignalIndex(3);
const LEVEL: SignalIndex = SignalIndex(5);

fn sample(signal: SignalIndex, secs: f64, value: Value) -> Sample {
    Sample {
        signal,
        source_time: Timestamp(at(secs).0 - 1000),
        receive_time: at(secs),
        value,
        quality: Quality::GOOD,
        origin: Origin::Measured,
    }
}

fn on(signal: SignalIndex, effect: SensorEffect) -> Defect {
    Defect::Sensor { signal, effect }
}

fn set(defects: &[(Defect, Course)]) -> SensorFaults {
    let list: Vec<Fault> = (0..)
        .zip(defects)
        .map(|(number, (defect, course))| fault(&format!("F-{number}"), defect.clone(), *course))
        .collect();
    let mut faults = SensorFaults::new(7);
    faults.set(&list, Timestamp(0), &mut Vec::new());
    faults
}

/// What comes of samples, and all that is held back in the end.
fn run(faults: &mut SensorFaults, samples: &[Sample]) -> Vec<Sample> {
    let mut out = Vec::new();
    samples.iter().for_each(|sample| faults.take(sample.clone(), &mut out));
    faults.release(Timestamp::MAX, &mut out);
    out
}

fn numbers(samples: &[Sample]) -> Vec<f64> {
    samples.iter().filter_map(|sample| sample.value.as_f64()).collect()
}

/// What is shown of values that come once a second.
fn shown(defects: &[(Defect, Course)], values: &[f64]) -> Vec<f64> {
    let samples: Vec<_> =
        values.iter().zip(0..).map(|(x, secs)| sample(FLOW, f64::from(secs), Value::Number(*x))).collect();
    numbers(&run(&mut set(defects), &samples))
}

/// From 2 s on, for 3 s.
const COURSE: Course = Course { onset: 2_000_000_000, ramp: 0, duration: Some(3_000_000_000), recurrence: None };
const COUNT: [f64; 7] = [10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0];

fn alone(effect: SensorEffect, course: Course) -> Vec<f64> {
    shown(&[(on(FLOW, effect), course)], &COUNT)
}

#[test]
fn a_bias_adds_the_same_to_all() {
    assert_eq!(alone(SensorEffect::Bias { by: -5.0 }, COURSE), [10.0, 11.0, 7.0, 8.0, 9.0, 15.0, 16.0]);
    let ramp = Course { ramp: 2_000_000_000, ..COURSE };
    assert_eq!(alone(SensorEffect::Bias { by: -5.0 }, ramp), [10.0, 11.0, 12.0, 10.5, 9.0, 15.0, 16.0]);
}

#[test]
fn a_drift_goes_further_and_further_and_begins_anew() {
    let again = Course { recurrence: Some(Recurrence { every: 3_000_000_000, times: None }), ..COURSE };
    let drift = SensorEffect::Drift { rate: 0.5 };
    assert_eq!(alone(drift, again), [10.0, 11.0, 12.0, 13.5, 15.0, 15.0, 16.5]);
    let ramp = Course { ramp: 2_000_000_000, duration: None, ..COURSE };
    assert_eq!(alone(drift, ramp), [10.0, 11.0, 12.0, 13.125, 14.5, 16.0, 17.5]);
}

#[test]
fn a_gain_shows_a_multiple() {
    assert_eq!(alone(SensorEffect::Gain { by: 2.0 }, COURSE), [10.0, 11.0, 24.0, 26.0, 28.0, 15.0, 16.0]);
    assert_eq!(alone(SensorEffect::Gain { by: 0.0 }, COURSE), [10.0, 11.0, 0.0, 0.0, 0.0, 15.0, 16.0]);
}

#[test]
fn a_stuck_sensor_shows_the_first_value_of_each_bout() {
    let again = Course {
        duration: Some(2_000_000_000),
        recurrence: Some(Recurrence { every: 3_000_000_000, times: None }),
        ..COURSE
    };
    assert_eq!(alone(SensorEffect::Stuck {}, again), [10.0, 11.0, 12.0, 12.0, 14.0, 15.0, 15.0]);
}

#[test]
fn noise_has_its_deviation_and_follows_from_the_seed_and_the_id() {
    let values = vec![50.0; 20_000];
    let noise = [(on(FLOW, SensorEffect::Noise { deviation: 2.0 }), Course::default())];
    let read = shown(&noise, &values);
    let mean = read.iter().sum::<f64>() / read.len() as f64;
    let deviation = (read.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / read.len() as f64).sqrt();
    assert!((mean - 50.0).abs() < 0.06 && (deviation - 2.0).abs() < 0.04, "{mean} {deviation}");
    assert_eq!(read, shown(&noise, &values));
    let twice = [noise[0].clone(), noise[0].clone()];
    let sum = shown(&twice, &values);
    let both: f64 = read.iter().zip(&sum).map(|(one, two)| (one - 50.0) * (two - one)).sum::<f64>() / 20_000.0;
    assert!(both.abs() < 0.12, "two faults of two ids have nothing in common: {both}");
}

#[test]
fn spikes_are_as_high_and_as_many_as_said() {
    let read = shown(&[(on(FLOW, SensorEffect::Spike { share: 0.1, height: 7.0 }), Course::default())], &[5.0; 10_000]);
    let spikes = read.iter().filter(|x| **x == 12.0).count();
    assert!(spikes.abs_diff(1000) < 120, "{spikes}");
    assert_eq!(spikes + read.iter().filter(|x| **x == 5.0).count(), 10_000);
}

#[test]
fn a_dropout_loses_its_share_of_all_kinds_of_values() {
    let mut faults = set(&[(on(FLOW, SensorEffect::Dropout { share: 0.3 }), Course::default())]);
    let samples: Vec<_> = (0..10_000).map(|n| sample(FLOW, f64::from(n), Value::Text("AUTO".into()))).collect();
    let left = run(&mut faults, &samples).len();
    assert!(left.abs_diff(7000) < 200, "{left}");
    assert_eq!(faults.acted().collect::<Vec<_>>(), [("F-0", 10_000 - left as u64)], "no loss is silent");
    assert_eq!(alone(SensorEffect::Dropout { share: 1.0 }, COURSE), [10.0, 11.0, 15.0, 16.0]);
}

#[test]
fn steps_are_multiples() {
    let steps = alone(SensorEffect::Quantise { step: 5.0 }, COURSE);
    assert_eq!(steps, [10.0, 11.0, 10.0, 15.0, 15.0, 15.0, 16.0]);
}

#[test]
fn a_delay_keeps_source_times_and_order_and_ends_at_once() {
    let mut faults = set(&[(on(FLOW, SensorEffect::Delay { by: 1.5 }), COURSE)]);
    let samples: Vec<_> = COUNT.iter().zip(0..).map(|(x, n)| sample(FLOW, f64::from(n), Value::Number(*x))).collect();
    let mut out = Vec::new();
    samples[..4].iter().for_each(|sample| faults.take(sample.clone(), &mut out));
    assert_eq!(numbers(&out), [10.0, 11.0]);
    assert_eq!(faults.next_release(), Some(at(3.5)));
    faults.release(at(3.4), &mut out);
    assert_eq!(out.len(), 2, "not before it is due");
    samples[4..].iter().for_each(|sample| faults.take(sample.clone(), &mut out));
    assert_eq!(numbers(&out), COUNT, "in the order of before");
    let times: Vec<_> = out.iter().map(|sample| sample.receive_time.as_secs_f64()).collect();
    assert_eq!(times, [0.0, 1.0, 3.5, 4.5, 5.0, 5.0, 6.0], "at 5 s it ends");
    assert!(out.iter().zip(&samples).all(|(late, sample)| late.source_time == sample.source_time));
}

#[test]
fn swapped_signals_stand_for_each_other() {
    let mut faults = set(&[(Defect::Swapped { signals: (FLOW, LEVEL) }, COURSE)]);
    let other = SignalIndex(4);
    let samples = [(FLOW, 1.0), (FLOW, 2.0), (other, 2.5), (LEVEL, 3.0), (FLOW, 5.0)]
        .map(|(signal, secs)| sample(signal, secs, Value::Number(secs)));
    let out = run(&mut faults, &samples);
    let found: Vec<_> = out.iter().map(|sample| (sample.signal, sample.value.as_f64())).collect();
    let wanted = [(FLOW, 1.0), (LEVEL, 2.0), (other, 2.5), (FLOW, 3.0), (FLOW, 5.0)];
    assert_eq!(found, wanted.map(|(signal, x)| (signal, Some(x))));
}

/// What leaves, in order: lost ones as their signals.
#[derive(Default, PartialEq, Debug)]
struct All(Vec<(SignalIndex, f64, Option<f64>)>);

impl Downstream for All {
    fn comes(&mut self, sample: Sample) {
        self.0.push((sample.signal, sample.receive_time.as_secs_f64(), sample.value.as_f64()));
    }

    fn is_lost(&mut self, signal: SignalIndex, at: Timestamp) {
        self.0.push((signal, at.as_secs_f64(), None));
    }
}

#[test]
fn what_is_lost_is_told_of_the_signal_and_the_time_at_which_it_would_have_come() {
    let all_lost = |signal| (on(signal, SensorEffect::Dropout { share: 1.0 }), COURSE);
    let late = (on(FLOW, SensorEffect::Delay { by: 1.5 }), Course::default());
    let swapped = (Defect::Swapped { signals: (FLOW, LEVEL) }, Course::default());
    let told = |list: &[(Defect, Course)]| {
        let (mut faults, mut all) = (set(list), All::default());
        [(FLOW, 1.0), (FLOW, 2.0), (LEVEL, 3.0), (FLOW, 6.0)]
            .into_iter()
            .for_each(|(signal, secs)| faults.take(sample(signal, secs, Value::Number(secs)), &mut all));
        faults.release(Timestamp::MAX, &mut all);
        let acted: Vec<u64> = faults.acted().map(|(_, acted)| acted).collect();
        (all.0, acted)
    };
    let (came, lost) = (|signal, at, x| (signal, at, Some(x)), |signal, at| (signal, at, None));
    let rest = [came(FLOW, 1.0, 1.0), lost(FLOW, 2.0), came(LEVEL, 3.0, 3.0), came(FLOW, 6.0, 6.0)];
    assert_eq!(told(&[all_lost(FLOW)]), (rest.to_vec(), vec![1]));
    let rest = [lost(FLOW, 2.5), came(LEVEL, 3.0, 3.0), lost(FLOW, 3.5), came(FLOW, 7.5, 6.0)];
    assert_eq!(told(&[late.clone(), all_lost(FLOW)]), (rest.to_vec(), vec![3, 2]), "lost when it would have come");
    let rest = [came(FLOW, 2.5, 1.0), came(LEVEL, 3.0, 3.0), lost(FLOW, 3.5), came(FLOW, 7.5, 6.0)];
    assert_eq!(told(&[all_lost(FLOW), late]), (rest.to_vec(), vec![1, 2]), "a gap comes late, too");
    let rest = [came(LEVEL, 1.0, 1.0), came(LEVEL, 2.0, 2.0), lost(FLOW, 3.0), came(LEVEL, 6.0, 6.0)];
    assert_eq!(told(&[swapped.clone(), all_lost(FLOW)]), (rest.to_vec(), vec![4, 1]), "it was the flow by then");
    let rest = [came(LEVEL, 1.0, 1.0), lost(LEVEL, 2.0), came(FLOW, 3.0, 3.0), came(LEVEL, 6.0, 6.0)];
    assert_eq!(told(&[all_lost(FLOW), swapped]), (rest.to_vec(), vec![1, 3]), "it would have been the level");
}

#[test]
fn a_fault_on_what_it_cannot_change_has_not_acted() {
    let bias = on(FLOW, SensorEffect::Bias { by: 1.0 });
    for value in [Value::Bool(true), Value::Text("AUTO".into())] {
        let mut faults = set(&[(bias.clone(), Course::default())]);
        run(&mut faults, &[sample(FLOW, 1.0, value), sample(LEVEL, 1.0, Value::Number(1.0))]);
        assert_eq!(faults.acted().collect::<Vec<_>>(), [("F-0", 0)]);
    }
}

#[test]
fn faults_on_one_signal_act_in_their_order() {
    let (bias, gain) = (on(FLOW, SensorEffect::Bias { by: 1.0 }), on(FLOW, SensorEffect::Gain { by: 2.0 }));
    let now = Course::default();
    assert_eq!(shown(&[(bias.clone(), now), (gain.clone(), now)], &[10.0]), [22.0]);
    assert_eq!(shown(&[(gain, now), (bias.clone(), now)], &[10.0]), [21.0]);
    let swapped = Defect::Swapped { signals: (FLOW, LEVEL) };
    assert_eq!(shown(&[(swapped.clone(), now), (bias.clone(), now)], &[10.0]), [10.0], "it is the level by then");
    assert_eq!(shown(&[(bias, now), (swapped, now)], &[10.0]), [11.0]);
}

#[test]
fn what_is_changed_is_marked_and_keeps_its_quality() {
    let mut faults = set(&[(on(FLOW, SensorEffect::Bias { by: 1.0 }), COURSE)]);
    let mut doubtful = sample(FLOW, 3.0, Value::Number(1.0));
    doubtful.quality = Quality::uncertain(Reason::Retained);
    let out = run(&mut faults, &[sample(FLOW, 1.0, Value::Number(1.0)), doubtful.clone()]);
    assert_eq!(out.iter().map(|sample| sample.origin).collect::<Vec<_>>(), [Origin::Measured, Origin::Simulated]);
    assert_eq!(out[1].quality, doubtful.quality);
}

#[test]
fn what_is_no_number_is_left_alone_and_no_result_is_nan() {
    let huge = SensorEffect::Gain { by: 1e6 };
    for (value, quality) in [
        (Value::Bool(true), Quality::GOOD),
        (Value::Text("AUTO".into()), Quality::GOOD),
        (Value::Number(f64::INFINITY), Quality::bad(Reason::NotFinite)),
        (Value::Number(0.0), Quality::bad(Reason::DecodeError)),
    ] {
        for effect in [huge, SensorEffect::Bias { by: 1.0 }, SensorEffect::Noise { deviation: 1.0 }] {
            let sample = Sample { quality, ..sample(FLOW, 3.0, value.clone()) };
            let seen = run(&mut set(&[(on(FLOW, effect), COURSE)]), std::slice::from_ref(&sample));
            assert!(seen == std::slice::from_ref(&sample), "{effect:?}: {seen:?}");
        }
    }
    let double =
        [(on(FLOW, huge), COURSE), (on(FLOW, huge), COURSE), (on(FLOW, SensorEffect::Bias { by: -1.0 }), COURSE)];
    let out = run(&mut set(&double), &[sample(FLOW, 3.0, Value::Number(f64::MAX))]);
    assert_eq!(numbers(&out), [f64::MAX]);
}

#[test]
fn a_sample_without_a_value_is_not_what_a_sensor_is_stuck_at() {
    let mut faults = set(&[(on(FLOW, SensorEffect::Stuck {}), COURSE)]);
    let broken = Sample { quality: Quality::bad(Reason::DecodeError), ..sample(FLOW, 2.0, Value::Number(0.0)) };
    let rest = [2.5, 3.0].map(|secs| sample(FLOW, secs, Value::Number(secs)));
    let out = run(&mut faults, &[broken.clone(), rest[0].clone(), rest[1].clone()]);
    assert_eq!((&out[0], numbers(&out)), (&broken, vec![0.0, 2.5, 2.5]));
}

#[test]
fn what_is_cleared_comes_at_once_in_order_through_those_that_stay() {
    let delay = fault("late", on(FLOW, SensorEffect::Delay { by: 100.0 }), Course::default());
    let bias = fault("bias", on(FLOW, SensorEffect::Bias { by: 0.5 }), Course::default());
    let mut faults = SensorFaults::new(1);
    let mut out = Vec::new();
    faults.set(&[delay.clone(), bias.clone()], at(0.0), &mut out);
    [1.0, 2.0, 3.0].iter().for_each(|secs| faults.take(sample(FLOW, *secs, Value::Number(*secs)), &mut out));
    assert!(out.is_empty());
    faults.set(std::slice::from_ref(&bias), at(3.5), &mut out);
    assert_eq!(numbers(&out), [1.5, 2.5, 3.5]);
    assert!(out.iter().all(|sample| sample.receive_time == at(3.5)));
    assert_eq!(faults.next_release(), None);
    out.clear();
    faults.set(&[], at(3.5), &mut out);
    let truth = sample(FLOW, 4.0, Value::Number(4.0));
    faults.take(truth.clone(), &mut out);
    assert!(faults.is_empty() && out == [truth]);
}

#[test]
fn a_fault_that_stays_goes_on_with_another_size_or_course() {
    let late =
        |by, duration| fault("late", on(FLOW, SensorEffect::Delay { by }), Course { duration, ..Course::default() });
    let mut faults = SensorFaults::new(1);
    let mut out = Vec::new();
    faults.set(&[late(100.0, None)], at(0.0), &mut out);
    faults.take(sample(FLOW, 1.0, Value::Number(1.0)), &mut out);
    faults.set(&[late(50.0, None)], at(2.0), &mut out);
    assert!(out.is_empty(), "what it held, it holds");
    faults.set(&[late(50.0, Some(10_000_000_000))], at(3.0), &mut out);
    assert_eq!(faults.next_release(), Some(at(10.0)), "not longer than it lasts");
    faults.set(&[late(50.0, Some(1_000_000_000))], at(4.0), &mut out);
    assert_eq!(numbers(&out), [1.0], "it is over");
}

#[test]
fn what_cannot_be_taken_up_is_refused_and_changes_nothing() {
    let one = set(&[(on(FLOW, SensorEffect::Bias { by: 1.0 }), COURSE)]);
    let bytes = one.to_bytes();
    let mut other = set(&[(on(FLOW, SensorEffect::Stuck {}), COURSE)]);
    let before = other.clone();
    let refused = RestoreError::Fault { id: "F-0".into(), kind: "stuck" };
    assert_eq!(other.restore(&bytes), Err(refused));
    assert_eq!(other.restore(&[9, 1]), Err(RestoreError::Version { found: 9, known: VERSION }));
    for end in 0..bytes.len() {
        assert!(one.clone().restore(&bytes[..end]).is_err(), "cut at {end}");
    }
    assert!(other == before);
}

fn defects() -> impl Strategy<Value = Defect> {
    let signals = (0..3_u32, 0..3_u32).prop_map(|(one, other)| (SignalIndex(one), SignalIndex(other)));
    let kind = prop::sample::select(SensorEffect::KINDS);
    prop_oneof![
        1 => signals.clone().prop_map(|signals| Defect::Swapped { signals }),
        9 => (signals, kind, prop::collection::vec(0.0..1.0, 2)).prop_map(|((signal, _), kind, throws)| {
            on(signal, SensorEffect::of(kind.name, &thrown(kind.parameters, &throws)).expect("all parameters"))
        }),
    ]
}

fn lists() -> impl Strategy<Value = Vec<Fault>> {
    prop::collection::vec((defects(), courses()), 0..6).prop_map(|list| {
        let each = (0..).zip(list);
        each.map(|(number, (defect, course))| fault(&format!("F-{number}"), defect, course)).collect()
    })
}

/// Samples in the order of their times, some of them at the same one.
fn streams() -> impl Strategy<Value = Vec<Sample>> {
    let value = prop_oneof![
        6 => (-100.0..100.0).prop_map(Value::Number),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => "[a-c]".prop_map(|text| Value::Text(text.as_str().into())),
        1 => Just(Value::Number(f64::MAX)),
    ];
    prop::collection::vec((0..4_u32, 0..4_000_000_000_i64, value), 1..60).prop_map(|steps| {
        let mut time = 0;
        let each = steps.into_iter().map(|(signal, step, value)| {
            time += if step < 1_000_000_000 { 0 } else { step };
            sample(SignalIndex(signal), time as f64 / 1e9, value)
        });
        each.collect()
    })
}

fn begun(faults: &[Fault]) -> SensorFaults {
    let mut begun = SensorFaults::new(11);
    begun.set(faults, Timestamp(-1), &mut Vec::new());
    begun
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_faults_do_the_same_however_the_samples_are_cut(
        list in lists(), samples in streams(), looks in prop::collection::vec(0..200_000_000_000_i64, 0..20),
    ) {
        let whole = run(&mut begun(&list), &samples);
        let (mut faults, mut out) = (begun(&list), Vec::new());
        let mut looks: Vec<i64> = looks;
        looks.sort_unstable();
        let mut looks = looks.into_iter().map(Timestamp).peekable();
        for sample in &samples {
            while let Some(look) = looks.next_if(|look| *look <= sample.receive_time) {
                faults.release(look, &mut out);
                prop_assert!(faults.next_release().is_none_or(|next| next > look));
            }
            faults.take(sample.clone(), &mut out);
        }
        looks.for_each(|look| faults.release(look, &mut out));
        faults.release(Timestamp::MAX, &mut out);
        prop_assert_eq!(&out, &whole);
        prop_assert!(out.is_sorted_by_key(|sample| sample.receive_time));
        for sample in &out {
            prop_assert!(sample.value.as_f64().is_none_or(f64::is_finite));
            prop_assert!(samples.iter().any(|truth| truth.source_time == sample.source_time));
        }
    }

    #[test]
    fn whatever_a_fault_is_told_a_number_stays_one(
        kind in prop::sample::select(SensorEffect::KINDS), values in prop::collection::vec(any::<f64>(), 2),
        course in courses(), samples in streams(),
    ) {
        let effect = SensorEffect::of(kind.name, &values).expect("all parameters");
        let out = run(&mut begun(&[fault("F", on(SignalIndex(0), effect), course)]), &samples);
        prop_assert!(out.iter().all(|sample| sample.value.as_f64().is_none_or(f64::is_finite)));
    }

    #[test]
    fn any_faults_go_on_with_the_same_bits_after_being_stored(list in lists(), samples in streams(), cut in 0..60_usize) {
        let cut = cut.min(samples.len());
        let (mut faults, mut out) = (begun(&list), Vec::new());
        samples[..cut].iter().for_each(|sample| faults.take(sample.clone(), &mut out));
        let mut other = begun(&list);
        other.restore(&faults.to_bytes()).expect("the same list");
        prop_assert!(faults == other);
        prop_assert_eq!(run(&mut faults, &samples[cut..]), run(&mut other, &samples[cut..]));
    }

    #[test]
    fn after_clearing_the_truth_comes(list in lists(), samples in streams(), cut in 0..60_usize) {
        let cut = cut.min(samples.len());
        let (mut faults, mut out) = (begun(&list), Vec::new());
        samples[..cut].iter().for_each(|sample| faults.take(sample.clone(), &mut out));
        let at = samples.get(cut.saturating_sub(1)).map_or(Timestamp(0), |sample| sample.receive_time);
        faults.set(&[], at, &mut out);
        let loses = list.iter().any(|fault| fault.kind().name == "dropout");
        prop_assert!(loses || out.len() == cut, "nothing is held back any more: {} of {cut}", out.len());
        prop_assert_eq!(run(&mut faults, &samples[cut..]), &samples[cut..]);
    }

    #[test]
    fn it_does_not_matter_when_a_fault_becomes_known(list in lists(), samples in streams()) {
        let known = run(&mut begun(&list), &samples);
        let onset = list.iter().map(|fault| fault.course.onset).min().unwrap_or(0);
        let (mut faults, mut out) = (SensorFaults::new(11), Vec::new());
        let before = samples.partition_point(|sample| sample.receive_time < Timestamp(onset));
        samples[..before].iter().for_each(|sample| faults.take(sample.clone(), &mut out));
        faults.set(&list, Timestamp(onset), &mut out);
        out.extend(run(&mut faults, &samples[before..]));
        prop_assert_eq!(out, known);
    }
}
