//! Decode and bind: ten-field JSON of about 200 bytes, from a thousand machines.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pollux::ingest::{BindingTable, Message};
use pollux::scene::{Binding, Decoder, Limits, Scene, Signal, SignalSource, TimeField, TimeFormat, ValueKind};
use pollux::value::{Conversion, SignalIndex, Timestamp, TwinIndex, Unit};

const MACHINES: usize = 1000;
const FIELDS: [&str; 10] =
    ["flow", "head", "speed", "torque", "power", "vibration", "temperature", "current", "voltage", "level"];

fn scene() -> Scene {
    let signals = (0..MACHINES * FIELDS.len()).map(|n| Signal {
        index: SignalIndex(n as u32),
        twin: TwinIndex((n / FIELDS.len()) as u32),
        name: FIELDS[n % FIELDS.len()].to_owned(),
        label: String::new(),
        kind: ValueKind::Number,
        unit: Unit::none(),
        source: SignalSource::Mqtt(Binding {
            broker: None,
            topic: format!("hall/M-{}/telemetry", n / FIELDS.len()),
            decoder: Decoder::Json(format!("/{}", FIELDS[n % FIELDS.len()])),
            time: TimeField::Json { pointer: "/ts".to_owned(), format: TimeFormat::Milliseconds },
            conversion: Conversion::IDENTITY,
        }),
        expires: None,
        range: Some((0.0, 1e6)),
        limits: Limits::default(),
    });
    Scene { signals: signals.collect(), ..Scene::default() }
}

fn decode(criterion: &mut Criterion) {
    let table = BindingTable::new(&scene(), "plant", 0);
    let messages: Vec<(String, String)> = (0..MACHINES)
        .map(|machine| {
            let fields: Vec<String> = FIELDS
                .iter()
                .enumerate()
                .map(|(n, field)| format!("\"{field}\":{:.3}", (machine * 31 + n * 7) as f64 * 0.137))
                .collect();
            (format!("hall/M-{machine}/telemetry"), format!("{{\"ts\":1769860800123,{}}}", fields.join(",")))
        })
        .collect();
    let bytes: usize = messages.iter().map(|(_, payload)| payload.len()).sum();
    eprintln!("payloads of {} bytes on average", bytes / MACHINES);

    let mut samples = Vec::with_capacity(MACHINES * FIELDS.len());
    let mut group = criterion.benchmark_group("ingest");
    group.throughput(Throughput::Elements((MACHINES * FIELDS.len()) as u64));
    group.bench_function("decode ten fields, samples", |bencher| {
        bencher.iter(|| {
            samples.clear();
            for (topic, payload) in &messages {
                let message = Message {
                    topic,
                    payload: payload.as_bytes(),
                    retained: false,
                    qos: 0,
                    receive_time: Timestamp(1_769_860_800_200_000_000),
                };
                let outcome = table.decode(black_box(&message), &mut samples);
                assert!(outcome.error.is_none());
            }
            assert_eq!(samples.len(), MACHINES * FIELDS.len());
        });
    });
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
