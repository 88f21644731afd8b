//! Layers for the tests of panels: each says one number of all signals, from one moment to another.

use crate::history::{Bucket, Gaps, Usage};
use crate::layers::{Band, Layer, LayerKind, LayerLine, LayerValue, Layers, Pair, Pairs, Spread};
use crate::scene::Scene;
use crate::stage::Current;
use crate::value::{Grade, Quality, Timestamp, Value};

use super::second;

pub struct Constant {
    name: &'static str,
    value: f64,
    band: Option<Band>,
    until: Timestamp,
    pairs: Pairs,
}

/// From the session's start until so many seconds after it, give or take `spread`.
pub fn constant(scene: &Scene, name: &'static str, value: f64, spread: f64, until_secs: i64) -> Constant {
    let band = (spread > 0.0).then_some(Band { low: value - spread, high: value + spread });
    Constant { name, value, band, until: second(until_secs), pairs: Pairs::of(scene, scene) }
}

/// Beside a session that people call `live`.
pub fn layers(all: Vec<Constant>) -> Layers {
    let mut layers = Layers::new("live", 1 << 20);
    for layer in all {
        layers.add(Box::new(layer));
    }
    layers
}

impl Layer for Constant {
    fn name(&self) -> &str {
        self.name
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Forecast
    }

    fn bounds(&self) -> (Timestamp, Timestamp) {
        (second(0), self.until)
    }

    fn pairs(&self) -> &Pairs {
        &self.pairs
    }

    fn pair_with(&mut self, _: &Scene) {}

    fn value(&self, _: &Pair, at: Timestamp) -> LayerValue {
        let value = Some(Value::Number(self.value));
        let current =
            Current { value, quality: Quality::GOOD, source_time: at, receive_time: at, ..Current::default() };
        LayerValue { current, band: self.band }
    }

    fn line(&self, _: &Pair, (from, to): (Timestamp, Timestamp), columns: usize) -> LayerLine {
        let value = self.value;
        let step = ((to.0 - from.0) / columns.max(1) as i64).max(1);
        let edges = (0..columns as i64).map(|at| Timestamp(from.0 + at * step));
        let edges: Vec<Timestamp> = edges.filter(|at| second(0) <= *at && *at < self.until).collect();
        let (min, max, first, last) = (value, value, value, value);
        let bucket = |at: &Timestamp| Bucket {
            from: *at,
            to: Timestamp(at.0 + step),
            min,
            max,
            first,
            last,
            count: 1,
            worst: Grade::Good,
            gaps: Gaps::NONE,
        };
        let bands = edges.iter().filter_map(|at| Some((*at, self.band?))).collect();
        LayerLine { buckets: edges.iter().map(bucket).collect(), bands }
    }

    fn spread(&self, _: &Pair) -> Spread {
        Spread { min: self.value, max: self.value }
    }

    fn set_budget(&mut self, _: u64) {}

    fn usage(&self) -> Usage {
        Usage::default()
    }
}
