//! A signal over a stretch of time, to show why an expectation is not met. In: the twin, a signal. Out: a [`Curve`]. Decides
//! nothing.

use super::experiment::Stretch;
use super::run::{Clock, Curve};
use crate::run::Run;
use crate::value::{SignalIndex, Timestamp, Value};

/// Nanoseconds that are shown before and after the moment that it is about.
const AROUND: u64 = 60_000_000_000;

/// What to show of a finding: all of the time that the expectation is about where nothing came of it in all that time, else
/// the minutes around the moment.
pub(super) fn around(at: u64, stretch: Option<Stretch>, end: u64) -> Stretch {
    let around = Stretch { from: at.saturating_sub(AROUND), until: at.saturating_add(AROUND).min(end) };
    match stretch {
        Some(stretch) if at >= stretch.until.min(end) => {
            Stretch { from: stretch.from.min(around.from), until: around.until }
        }
        _ => around,
    }
}

pub(super) fn of(world: &Run, signal: SignalIndex, stretch: Stretch, clock: Clock) -> Curve {
    let scene = world.scene();
    let history = &world.knowledge().history;
    let (from, until) = (clock.moment(stretch.from), clock.moment(stretch.until));
    let before = history.latest_at(signal, from).filter(|point| point.source_time < from);
    let within = history.points(signal, from, Timestamp(until.0 + 1));
    let points = before.into_iter().chain(within);
    let points = points.filter_map(|point| Some((clock.since(point.source_time), number(&point.value)?)));
    Curve {
        signal: scene.signal_path(signal),
        unit: scene.signals[signal.at()].unit.symbol().to_owned(),
        from: stretch.from,
        until: stretch.until,
        points: points.collect(),
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        other => other.as_f64(),
    }
}
