use proptest::prelude::*;

use super::*;
use crate::value::Reason;

const SIGNAL: SignalIndex = SignalIndex(0);

fn sample(signal: u32, source: i64, received: i64, value: Value) -> Sample {
    let (source_time, receive_time) = (Timestamp(source), Timestamp(received));
    Sample {
        signal: SignalIndex(signal),
        source_time,
        receive_time,
        value,
        quality: Quality::GOOD,
        origin: Origin::Measured,
    }
}

fn number(signal: u32, time: i64, x: f64) -> Sample {
    sample(signal, time, time, Value::Number(x))
}

fn history(signals: usize, budget: u64) -> History {
    let mut history = History::new(budget);
    history.resize(signals);
    history
}

/// Whether a line goes through it.
fn has_height(point: &Point) -> bool {
    let stands_for_none = matches!(point.value, Value::Bool(_)) && !point.quality.has_value();
    point.value.as_f64().is_some_and(f64::is_finite) && !stands_for_none
}

/// What the store must equal: a sorted list.
#[derive(Default)]
struct Naive(Vec<Point>);

impl Naive {
    fn append(&mut self, s: &Sample) {
        let Sample { source_time, receive_time, ref value, quality, origin, .. } = *s;
        let at = self.0.partition_point(|point| point.source_time <= source_time);
        self.0.insert(at, Point { source_time, receive_time, value: value.clone(), quality, origin });
    }

    fn known(&self, at: Timestamp) -> Option<&Point> {
        let known = self.0.iter().filter(|point| point.source_time <= at && point.receive_time <= at);
        known.max_by_key(|point| (point.source_time, point.receive_time))
    }

    fn within(&self, from: Timestamp, to: Timestamp) -> Vec<Point> {
        self.0.iter().filter(|point| from <= point.source_time && point.source_time < to).cloned().collect()
    }
}

/// NaN is equal to itself here, bit by bit.
fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a == b
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => (-100.0..100.0_f64).prop_map(Value::Number),
        1 => prop::sample::select(vec![f64::INFINITY, f64::MAX, 0.0, -1.0]).prop_map(Value::Number),
        1 => any::<bool>().prop_map(Value::Bool),
        2 => "[a-d]{0,2}".prop_map(|text| Value::Text(text.into())),
    ]
}

fn qualities() -> impl Strategy<Value = Quality> {
    prop::sample::select(vec![
        Quality::GOOD,
        Quality::uncertain(Reason::Retained),
        Quality::stale(Reason::Source),
        Quality::bad(Reason::OutOfRange),
        Quality::bad(Reason::Source),
        Quality::NEVER_SEEN,
    ])
}

fn origins() -> impl Strategy<Value = Origin> {
    prop_oneof![
        30 => Just(Origin::Measured),
        1 => Just(Origin::Derived),
        1 => Just(Origin::Simulated),
        1 => Just(Origin::Estimated),
        1 => Just(Origin::Forecast),
    ]
}

/// Long enough for merged chunks: mostly in order, with ties, late samples and jumps of the receive time.
fn streams() -> impl Strategy<Value = Vec<Sample>> {
    let step =
        (0..3_i64, prop_oneof![20 => Just(0_i64), 1 => 0..12_000_i64], values(), qualities(), 0..3_u8, origins());
    prop::collection::vec(step, 0..9000).prop_map(|steps| {
        let mut now = 0;
        let mut samples = Vec::new();
        for (ahead, back, value, quality, clock, origin) in steps {
            now += ahead;
            let source = now - back;
            let received = match clock {
                0 => source,
                1 if back == 0 => source + now % 40,
                1 => source + 1_000_000,
                _ => source.wrapping_add(if now % 977 == 0 { i64::MAX / 2 } else { 7 }),
            };
            samples.push(Sample { quality, origin, ..sample(0, source, received, value) });
        }
        samples
    })
}

#[track_caller]
fn check(history: &History, naive: &Naive) {
    let (from, to) = match (naive.0.first(), naive.0.last()) {
        (Some(first), Some(last)) => (first.source_time.0, last.source_time.0),
        _ => (0, 10),
    };
    let all: Vec<Point> = history.points(SIGNAL, Timestamp::MIN, Timestamp::MAX).collect();
    assert!(all == naive.0, "all points in order: {} of {}", all.len(), naive.0.len());
    assert_eq!(history.usage().samples, naive.0.len() as u64);
    assert_eq!(history.newest(SIGNAL).as_ref(), naive.0.last());
    assert_eq!(history.bounds().map(|(a, b)| (a.0, b.0)), (!naive.0.is_empty()).then_some((from, to)));
    for at in (from - 2..to + 3).step_by(1 + (to - from) as usize / 200) {
        let at = Timestamp(at);
        assert_eq!(history.latest_at(SIGNAL, at).as_ref(), naive.0.iter().rfind(|p| p.source_time <= at), "at {at}");
        let after = naive.0.iter().filter(|p| p.source_time > at).take(3);
        assert!(history.points_after(SIGNAL, at).take(3).eq(after.cloned()), "after {at}");
        let before = naive.0.iter().rev().filter(|p| p.source_time < at).take(3);
        assert!(history.points_before(SIGNAL, at).take(3).eq(before.cloned()), "before {at}");
        assert_eq!(history.latest_known(SIGNAL, at).as_ref(), naive.known(at), "known at {at}");
    }
    for (from, to, buckets) in [(from, to + 1, 1), (from - 10, to + 10, 7), (from, to, 200), ((from + to) / 2, to, 3)] {
        for bucket in history.range(SIGNAL, Timestamp(from), Timestamp(to), buckets) {
            let inside = naive.within(bucket.from, bucket.to);
            let heights: Vec<f64> = inside.iter().filter(|p| has_height(p)).filter_map(|p| p.value.as_f64()).collect();
            let fold = |f: fn(f64, f64) -> f64| heights.iter().copied().reduce(f).unwrap_or(f64::NAN);
            assert_eq!(bucket.count, inside.len() as u64, "{bucket:?}");
            assert!(same(bucket.min, fold(f64::min)) && same(bucket.max, fold(f64::max)), "{bucket:?}");
            assert!(same(bucket.first, heights.first().copied().unwrap_or(f64::NAN)), "{bucket:?}");
            assert!(same(bucket.last, heights.last().copied().unwrap_or(f64::NAN)), "{bucket:?}");
            let heights: Vec<bool> = inside.iter().map(has_height).collect();
            let (first, last) = (heights.iter().position(|has| *has), heights.iter().rposition(|has| *has));
            let gaps = match (first, last) {
                (Some(first), Some(last)) => Gaps {
                    before: first > 0,
                    within: heights[first..last].contains(&false),
                    behind: last + 1 < heights.len(),
                },
                _ => Gaps { before: !heights.is_empty(), within: false, behind: !heights.is_empty() },
            };
            assert_eq!(bucket.gaps, gaps, "{heights:?}");
            assert_eq!(bucket.worst, inside.iter().map(|p| p.quality.grade).max().unwrap_or(Grade::Good));
        }
    }
}

/// What the store says it holds is what its parts hold.
#[track_caller]
fn check_bytes(history: &History) {
    let parts: u64 = history.tracks.iter().map(|track| track.bytes() + size_of::<Track>() as u64).sum();
    assert_eq!(history.usage().bytes, parts);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_store_answers_like_a_sorted_list(samples in streams()) {
        let (mut history, mut naive) = (history(1, u64::MAX), Naive::default());
        for sample in &samples {
            history.append(sample);
            naive.append(sample);
        }
        check(&history, &naive);
        check_bytes(&history);
    }

    #[test]
    fn eviction_stays_within_the_budget_and_keeps_the_newest_of_each_signal(
        steps in prop::collection::vec((0..8_u32, 0..5_i64, prop_oneof![9 => Just(0_i64), 1 => 0..2000_i64]), 0..6000),
        budget in 6_000..60_000_u64,
    ) {
        let mut history = history(8, budget);
        let mut newest = [None::<i64>; 8];
        let mut now = 0;
        for (count, (signal, ahead, back)) in steps.iter().enumerate() {
            now += ahead;
            let time = now - back;
            history.append(&number(*signal, time, 1.0));
            let slot = &mut newest[*signal as usize];
            *slot = Some(slot.map_or(time, |known| known.max(time)));
            let usage = history.usage();
            prop_assert!(usage.bytes <= budget, "{usage:?}");
            prop_assert_eq!(usage.samples + usage.evicted, count as u64 + 1);
        }
        check_bytes(&history);
        let mut oldest = None::<Timestamp>;
        for (signal, newest) in (0..).zip(newest) {
            let signal = SignalIndex(signal);
            prop_assert_eq!(history.newest(signal).map(|point| point.source_time.0), newest);
            let first = history.points(signal, Timestamp::MIN, Timestamp::MAX).next().map(|point| point.source_time);
            oldest = [oldest, first].into_iter().flatten().min();
        }
        prop_assert_eq!(history.bounds().map(|(first, _)| first), oldest);
    }
}

/// A run in the order of receipt: often late, often several at one source time or received at one moment.
fn runs() -> impl Strategy<Value = Vec<Sample>> {
    let step = (0..3_i64, prop_oneof![6 => 0..2_i64, 1 => 0..300_i64], values());
    prop::collection::vec(step, 1..3000).prop_map(|steps| {
        let mut now = 0;
        let samples = steps.into_iter().map(|(ahead, late, value)| {
            now += ahead;
            sample(0, now - late, now, value)
        });
        samples.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn stretches_of_a_recording_in_any_order_make_the_same_past_as_the_run_itself(
        run in runs(), cuts in prop::collection::btree_set(1..3000_i64, 0..12), order in any::<prop::sample::Index>(),
    ) {
        let mut whole = history(1, u64::MAX);
        run.iter().for_each(|sample| whole.append(sample));
        let ends: Vec<i64> = cuts.into_iter().chain([i64::MAX]).collect();
        let starts = std::iter::once(i64::MIN).chain(ends.iter().copied());
        let stretches: Vec<_> = starts.zip(ends.iter().copied()).collect();
        let mut parts = history(1, u64::MAX);
        let mut turn = order.index(stretches.len());
        let mut left = stretches;
        while !left.is_empty() {
            turn = (turn * 7 + 3) % left.len();
            let (since, until) = left.remove(turn);
            let mut stretch = history(1, u64::MAX);
            // What was known at its beginning, as a keyframe says it.
            let before = run.iter().filter(|sample| sample.receive_time.0 <= since);
            if let Some(head) = before.max_by_key(|sample| (sample.source_time, sample.receive_time)) {
                stretch.append(head);
            }
            run.iter().filter(|s| since < s.receive_time.0 && s.receive_time.0 <= until).for_each(|s| stretch.append(s));
            parts.merge(&stretch, Timestamp(since));
            check_bytes(&parts);
            let end = run.last().map_or(0, |sample| sample.receive_time.0);
            for at in since.max(-1) + 1..=until.min(end) {
                let at = Timestamp(at);
                prop_assert_eq!(parts.latest_known(SIGNAL, at), whole.latest_known(SIGNAL, at), "at {}", at.0);
            }
        }
        let all = |history: &History| history.points(SIGNAL, Timestamp::MIN, Timestamp::MAX).collect::<Vec<_>>();
        prop_assert_eq!(all(&parts), all(&whole));
        prop_assert_eq!(parts.usage().samples, whole.usage().samples);
        prop_assert_eq!(parts.bounds(), whole.bounds());
    }
}

#[test]
fn the_oldest_data_of_all_signals_go_first() {
    let mut history = history(2, 40_000);
    (0..600).for_each(|at| history.append(&number(0, at, 0.0)));
    (600..3000).for_each(|at| history.append(&number(1, at, 0.0)));
    assert_eq!(history.points(SIGNAL, Timestamp(0), Timestamp(600)).count(), 1, "the quiet signal keeps its newest");
    assert_eq!(history.newest(SIGNAL).map(|point| point.source_time), Some(Timestamp(599)));
    assert!(history.points(SignalIndex(1), Timestamp(0), Timestamp(3000)).count() > 1000);
}

#[test]
fn of_two_samples_at_the_same_time_both_are_kept_and_the_last_arrival_is_the_latest() {
    let mut history = history(1, u64::MAX);
    (0..1000).for_each(|at| history.append(&number(0, at, 0.0)));
    for x in [1.0, 2.0] {
        history.append(&number(0, 100, x));
    }
    assert_eq!(history.latest_at(SIGNAL, Timestamp(100)).map(|point| point.value), Some(Value::Number(2.0)));
    let at_100 = history.points(SIGNAL, Timestamp(100), Timestamp(101));
    let expected = [0.0, 1.0, 2.0].map(Value::Number);
    assert_eq!(at_100.map(|point| point.value).collect::<Vec<_>>(), expected);
    assert_eq!(history.usage().out_of_order, 2);
}

#[test]
fn what_came_late_was_not_known_before() {
    let mut history = history(1, u64::MAX);
    let late = |source, received, x| sample(0, source, received, Value::Number(x));
    history.append(&late(10, 10, 1.0));
    // An hour that a gateway held back and sent at once.
    (11..20_000).for_each(|at| history.append(&late(at, 30_000, at as f64)));
    history.append(&late(25_000, 25_000, 2.0));
    let known = |at| history.latest_known(SIGNAL, Timestamp(at)).map(|point| point.value);
    assert_eq!(known(9), None);
    assert_eq!(known(15_000), Some(Value::Number(1.0)));
    assert_eq!(known(25_000), Some(Value::Number(2.0)));
    assert_eq!(known(30_000), Some(Value::Number(2.0)), "the newest by source time");
}

#[test]
fn nothing_is_given_up_as_long_as_all_is_needed_and_the_budget_holds_again_after() {
    let mut history = history(2, 20_000);
    (0..2000).for_each(|at| history.append(&number(0, at, 0.0)));
    let before = history.usage();
    assert!(before.evicted > 0, "{before:?}");
    history.keep_all();
    (2000..4000).for_each(|at| history.append(&number(at as u32 % 2, at, 0.0)));
    let usage = history.usage();
    assert_eq!((usage.evicted, usage.samples), (before.evicted, before.samples + 2000));
    history.give_up_again();
    let usage = history.usage();
    assert!(usage.bytes <= usage.budget_bytes && usage.evicted > before.evicted, "{usage:?}");
    let first =
        |signal| history.points_after(SignalIndex(signal), Timestamp::MIN).next().map(|point| point.source_time);
    assert_eq!(history.bounds().map(|(first, _)| first), first(0).min(first(1)));
    check_bytes(&history);
}

#[test]
fn a_numeric_sample_costs_at_most_24_bytes() {
    let mut history = history(1, u64::MAX);
    for at in 0..1_000_000_i64 {
        history.append(&sample(0, at * 1000, at * 1000 + 500 + at % 7, Value::Number(at as f64)));
    }
    let usage = history.usage();
    assert!(usage.bytes <= 24 * usage.samples, "{:.1} bytes a sample", usage.bytes as f64 / usage.samples as f64);
}

#[test]
fn of_signals_that_are_sampled_together_only_some_begin_a_chunk_at_one_moment() {
    let mut history = history(64, 1 << 30);
    for time in 0..3000 {
        (0..64).for_each(|signal| history.append(&number(signal, time, 0.0)));
    }
    let mut begun = std::collections::BTreeMap::new();
    for chunk in history.tracks.iter().flat_map(|track| track.chunks.iter().skip(1)) {
        *begun.entry(chunk.first_time).or_insert(0) += 1;
    }
    assert!(begun.len() > 16 && begun.values().all(|count| *count <= 4), "{begun:?}");
}

#[test]
fn an_empty_signal_costs_less_than_a_hundred_bytes() {
    assert!(history(1000, u64::MAX).usage().bytes <= 100_000, "{:?}", history(1000, u64::MAX).usage());
}

#[test]
fn a_reload_carries_the_past_of_signals_that_stay() {
    let mut history = history(3, 100_000);
    for signal in 0..3 {
        (0..500).for_each(|at| history.append(&number(signal, at + i64::from(signal), f64::from(signal))));
    }
    history.remap(&[None, Some(SignalIndex(0)), Some(SignalIndex(3))], 4);
    assert_eq!(history.newest(SignalIndex(0)).map(|point| point.value), Some(Value::Number(1.0)));
    assert_eq!(history.newest(SignalIndex(3)).map(|point| point.value), Some(Value::Number(2.0)));
    assert_eq!((history.newest(SignalIndex(1)), history.newest(SignalIndex(2))), (None, None));
    let usage = history.usage();
    assert_eq!((usage.samples, usage.forgotten), (1000, 500));
    assert_eq!(history.bounds(), Some((Timestamp(1), Timestamp(501))));
    check_bytes(&history);
    (500..9000).for_each(|at| history.append(&number(2, at, 0.0)));
    assert!(history.usage().bytes <= 100_000, "eviction goes on after a reload");
}

#[test]
fn a_sample_of_an_unknown_signal_is_counted() {
    let mut history = history(1, u64::MAX);
    history.append(&number(u32::MAX, 0, 0.0));
    assert_eq!((history.usage().rejected, history.usage().samples), (1, 0));
    assert_eq!(history.range(SignalIndex(9), Timestamp(0), Timestamp(1), 4), []);
}

#[test]
fn the_ends_of_time_are_ordinary_moments() {
    let mut history = history(1, u64::MAX);
    for time in [i64::MIN, 0, i64::MAX] {
        history.append(&sample(0, time, 0, Value::Number(1.0)));
    }
    let buckets = history.range(SIGNAL, Timestamp::MIN, Timestamp::MAX, 4);
    assert_eq!(buckets.iter().map(|bucket| bucket.count).collect::<Vec<_>>(), [1, 0, 1, 0]);
    assert_eq!(history.latest_at(SIGNAL, Timestamp::MAX).map(|point| point.source_time), Some(Timestamp::MAX));
}
