//! What the alarms cost: a second of samples through 100 to 100,000 rules, against the same samples into history alone;
//! and a call of `elapse` with nothing due.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pollux::bench::alarms::Load;
use pollux::value::Timestamp;

fn judge(c: &mut Criterion) {
    let mut group = c.benchmark_group("alarms");
    group.sample_size(20);
    for rules in [100, 1_000, 10_000, 100_000] {
        let mut load = Load::new(rules);
        group.throughput(Throughput::Elements(load.samples()));
        group.bench_function(BenchmarkId::new("history alone", rules), |b| {
            b.iter(|| {
                load.next();
                load.append();
            });
        });
        group.bench_function(BenchmarkId::new("history and alarms", rules), |b| {
            b.iter(|| {
                load.next();
                load.append();
                load.judge();
            });
        });
    }
    group.finish();
}

fn elapse(c: &mut Criterion) {
    let mut load = Load::new(100_000);
    load.next();
    load.append();
    load.judge();
    let mut out = Vec::new();
    c.bench_function("elapse with nothing due", |b| b.iter(|| load.engine.elapse(black_box(Timestamp(0)), &mut out)));
}

criterion_group!(benches, judge, elapse);
criterion_main!(benches);
