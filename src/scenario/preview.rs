//! What a fault would do to a plant over the next minutes. In: the state of a plant, a fault. Out: how its signals would go on
//! with the fault and without, and which alarms would be raised. Runs two copies in simulated time: the plant itself is not
//! touched.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::event::Kind;
use crate::fault::WrittenFault;
use crate::ingest::Message;
use crate::plant::{self, Plant, Profile};
use crate::run::{Run, RunOptions};
use crate::scene::{self, Scene, ValueKind};
use crate::value::{SignalIndex, Timestamp};

/// How far it runs before it looks whether anybody still wants to know, in nanoseconds.
const SLICE: u64 = 1_000_000_000;
/// Points of a line.
const COLUMNS: usize = 120;
/// Signals that are shown, those that differ most first.
const SHOWN: usize = 3;

/// How a plant would go on.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Preview {
    pub length: Duration,
    /// The signals that differ most.
    pub curves: Vec<PreviewCurve>,
    /// How many signals differ at all.
    pub differing: usize,
    /// Alarms that the fault would raise, with seconds from now.
    pub raised: Vec<(f64, String)>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct PreviewCurve {
    /// `P-101.flow`
    pub signal: String,
    pub unit: String,
    /// Seconds from now, and values.
    pub without: Vec<[f64; 2]>,
    pub with: Vec<[f64; 2]>,
}

/// One of the two futures.
struct Future {
    world: Run,
    raised: Vec<(f64, String)>,
}

/// Runs a plant ahead from its portrait, with a fault whose onset counts from there, and without. It gives something else, and
/// soon, once `stop` is set.
pub fn preview(
    scene: &Arc<Scene>,
    portrait: &[u8],
    profiles: &[Profile],
    fault: &WrittenFault,
    length: Duration,
    stop: &AtomicBool,
) -> Result<Preview, String> {
    if u128::try_from(fault.course.onset).is_ok_and(|onset| onset >= length.as_nanos()) {
        return Err(format!("the fault begins after the next {} s, which are all that is run ahead", length.as_secs()));
    }
    let taken = || {
        let taken = Plant::taken_up(scene.clone(), portrait, None, profiles.to_vec());
        taken.map_err(|error| format!("the plant cannot be run ahead: {error}"))
    };
    let (plant, epoch) = taken()?;
    let (mut broken, _) = taken()?;
    broken.inject(fault).map_err(|problems| problems.join("; "))?;
    let now = epoch + Duration::from_nanos(plant.time());
    let (without, with) = (future(scene, plant, epoch, length, stop), future(scene, broken, epoch, length, stop));
    let end = now + length;
    let numbers = scene.signals.iter().filter(|signal| signal.kind == ValueKind::Number);
    let mut differing: Vec<(f64, SignalIndex)> = numbers
        .filter_map(|signal| {
            let (one, other) = (points(&without, signal.index, now, end), points(&with, signal.index, now, end));
            let apart = difference(&one, &other);
            (apart > 1.0).then_some((apart, signal.index))
        })
        .collect();
    // What it is on comes first.
    let own = scene::faults::twin_of(fault, scene);
    let is_other = |signal: SignalIndex| {
        let twin = scene.twins.get(scene.signals[signal.at()].twin.at());
        twin.map(|twin| &twin.id) != own.as_ref()
    };
    differing.sort_by(|(one, a), (other, b)| is_other(*a).cmp(&is_other(*b)).then(other.total_cmp(one)));
    let curve = |(_, signal): &(f64, SignalIndex)| PreviewCurve {
        signal: scene.signal_path(*signal),
        unit: scene.signals[signal.at()].unit.symbol().to_owned(),
        without: points(&without, *signal, now, end),
        with: points(&with, *signal, now, end),
    };
    let known: BTreeSet<&String> = without.raised.iter().map(|(_, alarm)| alarm).collect();
    let raised = with.raised.iter().filter(|(_, alarm)| !known.contains(alarm)).cloned();
    Ok(Preview {
        length,
        curves: differing.iter().take(SHOWN).map(curve).collect(),
        differing: differing.len(),
        raised: raised.collect(),
    })
}

fn future(scene: &Arc<Scene>, mut plant: Plant, epoch: Timestamp, length: Duration, stop: &AtomicBool) -> Future {
    let now = epoch + Duration::from_nanos(plant.time());
    let options = RunOptions { start: now, history_budget_bytes: 32 << 20, ..RunOptions::default() };
    let mut world = Run::new(scene.clone(), options);
    for broker in plant.brokers() {
        world.connection(&broker, true, None, now);
    }
    let until = plant.time().saturating_add(u64::try_from(length.as_nanos()).unwrap_or(u64::MAX));
    while plant.time() < until && !stop.load(Ordering::Relaxed) {
        let next = until.min(plant.time() + SLICE);
        plant.run(next, epoch, &mut |message| {
            let plant::Message { broker, topic, payload, from_store, qos, time, .. } = message;
            let receive_time = epoch + Duration::from_nanos(time);
            world.message(broker, &Message { topic, payload, retained: from_store, qos, receive_time });
        });
    }
    world.pass_time(now + length);
    let raised = world.events_after(0).filter_map(|event| match &event.kind {
        Kind::Alarm { from, to, .. } if !from.is_active() && to.is_active() => {
            Some((event.received.secs_since(now), event.alarm_path()?.to_string()))
        }
        _ => None,
    });
    let raised = raised.collect();
    Future { world, raised }
}

/// Seconds from a moment, and values: least and greatest of each column.
fn points(future: &Future, signal: SignalIndex, from: Timestamp, until: Timestamp) -> Vec<[f64; 2]> {
    let buckets = future.world.knowledge().history.range(signal, from, until, COLUMNS);
    let both = buckets.iter().flat_map(|bucket| {
        let secs = bucket.from.secs_since(from);
        let both = [[secs, bucket.min], [secs, bucket.max]];
        both.into_iter().take(if bucket.min == bucket.max { 1 } else { 2 })
    });
    both.filter(|[_, value]| value.is_finite()).collect()
}

/// How far two lines lie apart: the greatest difference between their means over a stretch, as a multiple of how much the first
/// one moves within a stretch anyway. So noise and phases do not count. Lines that end sooner differ too.
fn difference(one: &[[f64; 2]], other: &[[f64; 2]]) -> f64 {
    const STRETCHES: usize = 20;
    let end = |line: &[[f64; 2]]| line.last().map_or(0.0, |[secs, _]| *secs);
    let whole = end(one).max(end(other));
    if whole <= 0.0 {
        return if one.len() == other.len() { 0.0 } else { 1.0 };
    }
    let is_cut = (end(one) - end(other)).abs() > 0.1 * whole;
    let parts = |line: &[[f64; 2]]| {
        let mut parts: Vec<Vec<f64>> = vec![Vec::new(); STRETCHES];
        for [secs, x] in line {
            parts[((secs / whole * STRETCHES as f64) as usize).min(STRETCHES - 1)].push(*x);
        }
        parts
    };
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (ours, theirs) = (parts(one), parts(other));
    let moves = ours.iter().filter(|part| !part.is_empty()).map(|part| {
        let middle = mean(part);
        (part.iter().map(|x| (x - middle) * (x - middle)).sum::<f64>() / part.len() as f64).sqrt()
    });
    let moves = moves.fold(0.0, f64::max);
    let size = one.iter().map(|[_, x]| x.abs()).fold(0.0, f64::max);
    let scale = moves.max(0.005 * size).max(1e-9);
    // A part that one of them has and the other has not.
    let is_missing = |one: &Vec<f64>, other: &Vec<f64>| one.len() >= 2 && other.is_empty();
    let is_cut =
        is_cut || ours.iter().zip(&theirs).any(|(one, other)| is_missing(one, other) || is_missing(other, one));
    let apart = ours.iter().zip(&theirs).filter(|(one, other)| !one.is_empty() && !other.is_empty());
    let apart = apart.map(|(one, other)| (mean(one) - mean(other)).abs()).fold(0.0, f64::max) / scale;
    if is_cut { apart.max(2.0) } else { apart }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::fault::{Course, Defect, LinkEffect, SensorEffect};
    use crate::plant::{Options, Portrait};

    fn plant() -> (Arc<Scene>, Vec<u8>) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenes/bottling/scene.ron");
        let scene = Arc::new(crate::scene::load(&file).scene.expect("the demo's scene"));
        let options = Options { story: false, ..Options::default() };
        let mut plant = Plant::new(scene.clone(), options).expect("a plant");
        plant.run(20_000_000_000, Timestamp(0), &mut |_| {});
        let portrait = Portrait::default();
        portrait.show(&plant, Timestamp(0));
        (scene, portrait.latest().expect("a portrait"))
    }

    fn ahead(defect: Defect<String, String>) -> Preview {
        let (scene, portrait) = plant();
        let fault = WrittenFault { id: "F-1".into(), defect, course: Course::default() };
        preview(&scene, &portrait, &[], &fault, Duration::from_secs(60), &AtomicBool::default()).expect("a preview")
    }

    #[test]
    fn a_gauge_that_shows_too_much_is_foretold_with_its_alarm_and_nothing_else_moves() {
        let effect = SensorEffect::Bias { by: 1.0 };
        let preview = ahead(Defect::Sensor { signal: "T-100.level".into(), effect });
        assert_eq!(preview.curves.first().map(|curve| curve.signal.as_str()), Some("T-100.level"));
        let raised: Vec<&str> = preview.raised.iter().map(|(_, alarm)| alarm.as_str()).collect();
        assert!(raised.contains(&"T-100/level.high"), "{raised:?}");
        assert!(preview.curves.iter().all(|curve| curve.signal.starts_with("T-100.")), "{:?}", preview.curves.len());
    }

    #[test]
    fn a_fault_that_changes_nothing_shows_nothing() {
        let effect = SensorEffect::Bias { by: 0.0 };
        let preview = ahead(Defect::Sensor { signal: "T-100.level".into(), effect });
        assert_eq!((preview.curves.len(), preview.differing, preview.raised.len()), (0, 0, 0));
    }

    #[test]
    fn what_the_plant_does_not_have_is_refused() {
        let (scene, portrait) = plant();
        let defect = Defect::Link { broker: None, topics: vec!["nowhere".into()], effect: LinkEffect::Disconnect {} };
        let fault = WrittenFault { id: "F-1".into(), defect, course: Course::default() };
        let refused = preview(&scene, &portrait, &[], &fault, Duration::from_secs(1), &AtomicBool::default());
        let refused = refused.expect_err("no such topic");
        assert!(refused.contains("sends nothing on nowhere"), "{refused}");
    }
}
