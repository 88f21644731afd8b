//! The core work of one frame, without window: receive, derive, project, at growing numbers of twins.
//!
//! In: nothing. Out: a report: the time of a frame, and for how long of it the frame holds the lock that the thread of the
//! analysis waits for; with panels (feature `desktop`) also building their views. Draws nothing.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::prelude::*;

use super::{FIELDS, scene};
use crate::analysis::{Analysis, Held, HeldTime};
use crate::history::ViewTime;
use crate::scene::LoadedScene;
use crate::source::Batch;
use crate::stage::CorePlugins;
use crate::value::{Origin, Quality, Sample, SignalIndex, Timestamp, Value};

const FRAMES: u64 = 60;
const FIRST_FRAME: Timestamp = Timestamp(1_700_000_000_000_000_000);

/// Frame times at 1,000 to 100,000 twins of ten signals, a tenth of the signals changing in each frame.
pub fn run() -> String {
    let mut report = String::from("core work of a frame, a tenth of the signals changing in each\n");
    let mut base = None;
    let mut locks = String::from("for how long a frame holds the lock of the analysis\n");
    for twins in [1_000, 10_000, 100_000] {
        let Measured { frames, locked } = measure(twins, |_| (), |_, _| ());
        let (p50, p99) = percentiles(frames);
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
        let _ = writeln!(locks, "  {twins:>7} twins {signals:>9} signals  {}", told(&locked));
    }
    #[cfg(feature = "desktop")]
    panels(&mut locks);
    report.push_str(&locks);
    report
}

/// For how long building the views of the panels holds it, with eight trends of some minutes at 100 samples a second.
#[cfg(feature = "desktop")]
fn panels(report: &mut String) {
    const TWINS: u32 = 10_000;
    let trends = || (0..8).map(|trend| SignalIndex(trend * 1_001));
    let mut panels = Vec::new();
    let equip = |app: &mut App| {
        let start = FIRST_FRAME - Duration::from_secs(300);
        for at in (0..30_000).map(|sample| start + Duration::from_millis(sample * 10)) {
            let samples = trends().map(|signal| sample(signal, at, at.0 as f64)).collect();
            app.world().resource::<Analysis>().lock().learn(Batch::of_message(1, samples));
        }
        crate::panel::equip_without_drawing(app, trends().collect());
    };
    measure(TWINS, equip, |app, held| {
        crate::panel::build_views(app);
        panels.push(held.take());
    });
    let _ = writeln!(report, "  views of the panels, 8 trends, at {TWINS} twins  {}", told(&panels));
}

fn told(held: &[Held]) -> String {
    let (p50, p99) = percentiles(held.iter().map(|held| held.total).collect());
    let (_, longest) = percentiles(held.iter().map(|held| held.longest).collect());
    format!("p50 {p50:>7.2?}  p99 {p99:>7.2?}  without a break p99 {longest:>7.2?}")
}

/// Half of them are shorter than the first, and all but a hundredth shorter than the second.
fn percentiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

/// By frame.
#[derive(Default)]
struct Measured {
    frames: Vec<Duration>,
    locked: Vec<Held>,
}

fn measure(twins: u32, equip: impl FnOnce(&mut App), mut after: impl FnMut(&mut App, &HeldTime)) -> Measured {
    let scene = Arc::new(scene(twins));
    let signals = scene.signals.len();
    let mut app = App::new();
    let (analysis, held) = Analysis::new(scene.clone(), 1, 1 << 30, Timestamp::now()).measured();
    app.add_plugins(CorePlugins)
        .insert_resource(analysis)
        .insert_resource(ViewTime::default())
        .insert_resource(LoadedScene { scene, generation: 1, issues: Vec::new() });
    equip(&mut app);
    app.finish();
    app.cleanup();
    app.update();

    let mut measured = Measured::default();
    for frame in 0..FRAMES {
        let now = FIRST_FRAME + Duration::from_nanos(frame * 16_666_667);
        let samples = (0..signals)
            .filter(|i| (*i as u64 + frame).is_multiple_of(10))
            .map(|i| sample(SignalIndex(i as u32), now, (i as f64 * 0.1 + frame as f64).sin()))
            .collect();
        let batch = Batch::of_message(1, samples);
        app.world_mut().resource_mut::<ViewTime>().now = now;
        app.world_mut().resource_mut::<ViewTime>().shown = now;
        let started = Instant::now();
        app.world().resource::<Analysis>().lock().learn(batch);
        // What the thread of the analysis does.
        held.take();
        app.update();
        measured.frames.push(started.elapsed());
        measured.locked.push(held.take());
        after(&mut app, &held);
    }
    measured
}

fn sample(signal: SignalIndex, at: Timestamp, value: f64) -> Sample {
    let (value, quality, origin) = (Value::Number(value), Quality::GOOD, Origin::Measured);
    Sample { signal, source_time: at, receive_time: at, value, quality, origin }
}
