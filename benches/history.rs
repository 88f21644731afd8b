//! What the sample store costs: appending, looking up, and drawing a range, from a thousand to ten million samples.
//! A range of 1,000 buckets should cost nearly the same over all of them.

#![expect(clippy::disallowed_methods, reason = "a wave to look at")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pollux::history::History;
use pollux::value::{Origin, Quality, Sample, SignalIndex, Timestamp, Value};

const STEP_NS: i64 = 10_000_000;

fn sample(signal: u32, at: i64) -> Sample {
    let source_time = Timestamp(at * STEP_NS);
    let receive_time = Timestamp(source_time.0 + 300_000 + at % 1000);
    let value = Value::Number((at as f64 * 0.01).sin());
    Sample {
        signal: SignalIndex(signal),
        source_time,
        receive_time,
        value,
        quality: Quality::GOOD,
        origin: Origin::Measured,
    }
}

fn filled(samples: i64) -> History {
    let mut history = History::new(u64::MAX);
    history.resize(1);
    (0..samples).for_each(|at| history.append(&sample(0, at)));
    history
}

/// A million samples: to ten signals (one plant's message), to 100,000 in turn (every track is cold), and under eviction.
fn append(c: &mut Criterion) {
    let mut group = c.benchmark_group("append");
    group.throughput(Throughput::Elements(1_000_000));
    group.sample_size(10);
    for (name, signals, budget) in
        [("10 signals", 10, u64::MAX), ("100000 signals", 100_000, u64::MAX), ("10 signals, evicting", 10, 2 << 20)]
    {
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut history = History::new(budget);
                history.resize(signals as usize);
                (0..1_000_000).for_each(|at| history.append(&sample((at % signals) as u32, at / signals)));
                history.usage()
            });
        });
    }
    group.finish();
}

fn look_up(c: &mut Criterion) {
    for size in [1_000, 100_000, 10_000_000_i64] {
        let history = filled(size);
        let end = Timestamp(size * STEP_NS);
        c.bench_with_input(BenchmarkId::new("latest_at/newest", size), &history, |b, history| {
            b.iter(|| history.latest_at(SignalIndex(0), black_box(end)));
        });
        let mut at = 0_i64;
        c.bench_with_input(BenchmarkId::new("latest_at/anywhere", size), &history, |b, history| {
            b.iter(|| {
                at = (at + 7_919) % size;
                history.latest_at(SignalIndex(0), black_box(Timestamp(at * STEP_NS)))
            });
        });
        c.bench_with_input(BenchmarkId::new("range/1000 buckets", size), &history, |b, history| {
            b.iter(|| history.range(SignalIndex(0), black_box(Timestamp(3)), end, 1000));
        });
    }
}

criterion_group!(benches, append, look_up);
criterion_main!(benches);
