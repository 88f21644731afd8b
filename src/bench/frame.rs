//! The core work of one frame, without window: receive, derive, project, at growing numbers of twins.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::prelude::*;

use super::{FIELDS, scene};
use crate::analysis::Analysis;
use crate::history::Moment;
use crate::scene::LoadedScene;
use crate::source::Batch;
use crate::stage::CorePlugins;
use crate::value::{Quality, Sample, SignalIndex, Timestamp, Value};

const FRAMES: u64 = 60;

/// Frame times at 1,000 to 100,000 twins of ten signals, a tenth of the signals changing in each frame.
pub fn run() -> String {
    let mut report = String::from("core work of a frame, a tenth of the signals changing in each\n");
    let mut base = None;
    for twins in [1_000, 10_000, 100_000] {
        let mut times = measure(twins);
        times.sort();
        let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
        let signals = twins as usize * FIELDS.len();
        let per_signal = p50.as_secs_f64() * 1e9 / (signals as f64 / 10.0);
        let growth = base.map_or(String::new(), |base: f64| {
            format!("  {:.2} of the cost per change at the first size", per_signal / base)
        });
        base = base.or(Some(per_signal));
        let _ = writeln!(
            report,
            "  {twins:>7} twins {signals:>9} signals  p50 {:>7.2} ms  p99 {:>7.2} ms  {per_signal:>5.0} ns per change{growth}",
            p50.as_secs_f64() * 1e3,
            p99.as_secs_f64() * 1e3,
        );
    }
    report
}

fn measure(twins: u32) -> Vec<Duration> {
    let scene = Arc::new(scene(twins));
    let signals = scene.signals.len();
    let mut app = App::new();
    app.add_plugins(CorePlugins)
        .insert_resource(Analysis::new(scene.clone(), 1, 1 << 30, Timestamp::now()))
        .insert_resource(Moment::default())
        .insert_resource(LoadedScene { scene, generation: 1, issues: Vec::new() });
    app.finish();
    app.cleanup();
    app.update();

    let mut times = Vec::new();
    for frame in 0..FRAMES {
        let now = Timestamp(1_700_000_000_000_000_000 + frame as i64 * 16_666_667);
        let samples = (0..signals)
            .filter(|i| (*i as u64 + frame).is_multiple_of(10))
            .map(|i| Sample {
                signal: SignalIndex(i as u32),
                source_time: now,
                receive_time: now,
                value: Value::Number((i as f64 * 0.1 + frame as f64).sin()),
                quality: Quality::GOOD,
            })
            .collect();
        let batch = Batch { generation: 1, samples };
        app.world_mut().resource_mut::<Moment>().now = now;
        app.world_mut().resource_mut::<Moment>().shown = now;
        let started = Instant::now();
        app.world().resource::<Analysis>().lock().learn(batch);
        app.update();
        times.push(started.elapsed());
    }
    times
}
