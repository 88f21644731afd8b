//! The sample store: per signal, in source-time order, within a memory budget.

use bevy::prelude::*;

use crate::twin::{Grade, Quality, Sample, SignalIndex, Timestamp, Value};

#[derive(Clone, PartialEq, Debug)]
pub struct Point {
    pub source_time: Timestamp,
    pub receive_time: Timestamp,
    pub value: Value,
    pub quality: Quality,
}

/// What a stretch of time held: enough to draw one pixel column.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bucket {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Over numbers and booleans; NaN if there was none.
    pub min: f64,
    pub max: f64,
    pub first: f64,
    pub last: f64,
    pub count: u64,
    pub worst: Grade,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Usage {
    pub samples: u64,
    pub bytes: u64,
    pub budget_bytes: u64,
    /// Oldest samples given up to stay within the budget.
    pub evicted: u64,
    /// Samples that arrived with a source time before their predecessor's.
    pub out_of_order: u64,
}

#[derive(Resource, Debug)]
pub struct History {}

impl History {
    pub fn new(budget_bytes: u64) -> Self {
        let _ = budget_bytes;
        Self {}
    }

    /// Makes room for signals `0..count`; existing ones stay.
    pub fn resize(&mut self, count: usize) {
        let _ = count;
        unimplemented!()
    }

    pub fn append(&mut self, sample: &Sample) {
        let _ = sample;
        unimplemented!()
    }

    /// The newest point of `signal` at or before `at`.
    pub fn latest_at(&self, signal: SignalIndex, at: Timestamp) -> Option<Point> {
        let _ = (signal, at);
        unimplemented!()
    }

    /// `buckets` equal stretches of `from..to`; cost grows with `buckets`, hardly with the number of samples.
    pub fn range(&self, signal: SignalIndex, from: Timestamp, to: Timestamp, buckets: usize) -> Vec<Bucket> {
        let _ = (signal, from, to, buckets);
        unimplemented!()
    }

    /// Oldest and newest source time of all signals.
    pub fn bounds(&self) -> Option<(Timestamp, Timestamp)> {
        unimplemented!()
    }

    pub fn usage(&self) -> Usage {
        unimplemented!()
    }

    /// Carries the past over a scene reload: `new_index[old]`, none for signals that are gone.
    pub fn remap(&mut self, new_index: &[Option<SignalIndex>], count: usize) {
        let _ = (new_index, count);
        unimplemented!()
    }
}
