//! All that is known at one moment, as the analysis hands it over: by indices, which costs it little, and a slice at a
//! time. In: the parts. Out: a [`Keyframe`], which names things as the scene does. Never asks for more than it holds.

use std::sync::Arc;

use super::format::{Keyframe, Known};
use crate::alarm::Snapshot;
use crate::history::{History, Point};
use crate::scene::Scene;
use crate::value::{SignalIndex, Timestamp};

/// Samples without a value that are passed over in search of one with a value: a sensor that has failed for longer has
/// none to show.
const LONGEST_SEARCH: usize = 4096;

/// A keyframe whose signals are not named yet.
#[derive(Clone, Debug)]
pub struct Still {
    pub time: Timestamp,
    pub scene: Arc<Scene>,
    /// Of each signal what [`Keyframe::signals`] asks for, oldest first, in the order of signals.
    pub samples: Vec<(SignalIndex, Known)>,
    pub alarms: Snapshot,
}

impl Still {
    /// What `history` had learnt by `time`.
    pub fn new(time: Timestamp, scene: Arc<Scene>, history: &History, alarms: Snapshot) -> Self {
        let mut exposure = Exposure::new(time, scene, alarms);
        exposure.go_on(history, || false);
        exposure.into_still()
    }

    pub fn keyframe(self) -> Keyframe {
        let mut keyframe = Keyframe { time: self.time, alarms: self.alarms, ..Keyframe::default() };
        for (index, known) in self.samples {
            let Some(signal) = self.scene.signals.get(index.at()) else { continue };
            let Some(twin) = self.scene.twins.get(signal.twin.at()) else { continue };
            if !keyframe.signals.contains_key(&twin.id) {
                keyframe.signals.insert(twin.id.clone(), Default::default());
            }
            if let Some(signals) = keyframe.signals.get_mut(&twin.id) {
                signals.entry(signal.name.clone()).or_default().push(known);
            }
        }
        keyframe
    }
}

/// A [`Still`] that is being taken, a slice at a time. What is learnt between two slices and was received later does not
/// show. Whoever takes it sees to it that meanwhile nothing comes that was received by its moment, nothing is given up,
/// and no other scene takes over.
#[derive(Debug)]
pub struct Exposure {
    still: Still,
    /// The first signal that is not in it yet.
    next: usize,
}

/// Signals between two looks at whether it is enough: one takes some hundred nanoseconds, and at worst half a millisecond.
const STRIDE: usize = 4;

impl Exposure {
    /// Of `time`, with the alarms as they stand.
    pub fn new(time: Timestamp, scene: Arc<Scene>, alarms: Snapshot) -> Self {
        let samples = Vec::with_capacity(scene.signals.len());
        Self { still: Still { time, scene, samples, alarms }, next: 0 }
    }

    pub fn time(&self) -> Timestamp {
        self.still.time
    }

    /// Takes in some more signals, until it is `enough`. Says whether that was the last of them.
    pub fn go_on(&mut self, history: &History, enough: impl Fn() -> bool) -> bool {
        let Still { time, scene, samples, .. } = &mut self.still;
        while let Some(signals) = scene.signals.get(self.next..).filter(|left| !left.is_empty()) {
            let signals = signals.get(..STRIDE).unwrap_or(signals);
            self.next += signals.len();
            for signal in signals {
                let Some(newest) = history.latest_known(signal.index, *time) else { continue };
                if !newest.quality.has_value()
                    && let Some(valued) = valued_before(history, signal.index, newest.source_time, *time)
                {
                    samples.push((signal.index, known(valued)));
                }
                samples.push((signal.index, known(newest)));
            }
            if enough() {
                break;
            }
        }
        self.next >= scene.signals.len()
    }

    pub fn into_still(self) -> Still {
        self.still
    }
}

fn known(point: Point) -> Known {
    let Point { source_time, receive_time, value, quality } = point;
    Known { source_time, receive_time, value, quality }
}

/// The newest point before `before` with a value of its own, of those known at `at`.
fn valued_before(history: &History, signal: SignalIndex, before: Timestamp, at: Timestamp) -> Option<Point> {
    history
        .points_before(signal, before)
        .take(LONGEST_SEARCH)
        .find(|point| point.quality.has_value() && point.receive_time <= at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Quality, Reason, Sample, Value};

    fn history_of(samples: &[(i64, i64, f64, Quality)]) -> (Arc<Scene>, History) {
        let scene = Arc::new(crate::record::attach::tests::scene_of_one_signal());
        let mut history = History::new(1 << 20);
        history.resize(1);
        for (source, received, x, quality) in samples {
            history.append(&Sample {
                signal: SignalIndex(0),
                source_time: Timestamp(*source),
                receive_time: Timestamp(*received),
                value: Value::Number(*x),
                quality: *quality,
            });
        }
        (scene, history)
    }

    fn values(samples: &[(i64, i64, f64, Quality)], at: i64) -> Vec<f64> {
        let (scene, history) = history_of(samples);
        let keyframe = Still::new(Timestamp(at), scene, &history, Snapshot::default()).keyframe();
        let samples = keyframe.signals.get("P-101").and_then(|signals| signals.get("flow"));
        samples.into_iter().flatten().filter_map(|known| known.value.as_f64()).collect()
    }

    #[test]
    fn it_holds_what_was_received_by_then_and_nothing_after() {
        let good = Quality::GOOD;
        let samples = [(10, 10, 1.0, good), (20, 30, 2.0, good), (25, 26, 3.0, good)];
        assert_eq!(values(&samples, 9), [0.0; 0]);
        assert_eq!(values(&samples, 10), [1.0]);
        assert_eq!(values(&samples, 25), [1.0], "the second came late, the third is on its way");
        assert_eq!(values(&samples, 26), [3.0]);
        assert_eq!(values(&samples, 30), [3.0], "the second has come, but is not the newest");
    }

    #[test]
    fn before_a_sample_without_a_value_stands_the_last_one_with_a_value() {
        let bad = Quality::bad(Reason::DecodeError);
        let samples = [(10, 10, 1.0, Quality::GOOD), (20, 20, f64::NAN, bad), (30, 30, f64::NAN, bad)];
        let kept = values(&samples, 30);
        assert!(matches!(&kept[..], [x, nan] if *x == 1.0 && nan.is_nan()), "{kept:?}");
    }
}
