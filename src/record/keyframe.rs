//! All that is known at one moment, as the analysis hands it over: by indices, which costs it little, and a slice at a
//! time. In: the parts. Out: a [`Keyframe`], which names things as the scene does. Never asks for more than it holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::format::{Keyframe, KnownSample};
use crate::alarm::KeptAlarms;
use crate::history::{ForecastStore, History, Point};
use crate::produce::ProducerState;
use crate::scene::{Scene, Signal};
use crate::value::{Sample, SignalIndex, Timestamp};

/// Samples without a value that are passed over in search of one with a value: a sensor that has failed for longer has
/// none to show.
const LONGEST_SEARCH: usize = 4096;
/// Signals between two looks at whether it is enough: one takes some hundred nanoseconds, and at worst half a millisecond.
const STRIDE: usize = 4;

/// A keyframe that is being collected, a slice at a time. What is learnt between two slices and was received later does not
/// show. Its owner sees to it that meanwhile nothing comes that was received by its moment, nothing is given up, and no
/// other scene takes over.
#[derive(Clone, Debug)]
pub struct KeyframeBuilder {
    time: Timestamp,
    scene: Arc<Scene>,
    /// Of each signal what [`Keyframe::signals`] asks for, oldest first, in the order of signals.
    samples: Vec<(SignalIndex, KnownSample)>,
    alarms: KeptAlarms,
    producers: BTreeMap<String, ProducerState>,
    /// When the newest forecast of a signal was issued.
    forecasts: Vec<(SignalIndex, Timestamp)>,
    /// The first signal that is not in it yet.
    next: usize,
}

impl KeyframeBuilder {
    /// Of `time`, with alarms and producers, by name, as they stand: after all messages received at or before `time`, and
    /// all deadlines at or before it.
    pub fn new(
        time: Timestamp,
        scene: Arc<Scene>,
        alarms: KeptAlarms,
        producers: BTreeMap<String, ProducerState>,
    ) -> Self {
        let samples = Vec::with_capacity(scene.signals.len());
        Self { time, scene, samples, alarms, producers, forecasts: Vec::new(), next: 0 }
    }

    /// The forecasts that show at its moment are in the recording, and it says where.
    pub fn with_forecasts(mut self, forecasts: &ForecastStore) -> Self {
        self.forecasts = forecasts.all_at(self.time).map(|forecast| (forecast.signal(), forecast.issued())).collect();
        self
    }

    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// Takes in some more signals, until it is `enough`. Says whether that was the last of them.
    pub fn go_on(&mut self, history: &History, enough: impl Fn() -> bool) -> bool {
        let Self { time, scene, samples, next, .. } = self;
        while let Some(signals) = scene.signals.get(*next..).filter(|left| !left.is_empty()) {
            let signals = signals.get(..STRIDE).unwrap_or(signals);
            *next += signals.len();
            for signal in signals {
                let Some(newest) = history.latest_known(signal.index, *time) else { continue };
                if !newest.quality.has_value()
                    && let Some(valued) = valued_before(history, signal.index, newest.source_time, *time)
                {
                    samples.push((signal.index, known(valued, signal)));
                }
                samples.push((signal.index, known(newest, signal)));
            }
            if enough() {
                break;
            }
        }
        *next >= scene.signals.len()
    }

    /// With the names of the scene.
    pub fn build(self) -> Keyframe {
        let Self { time, scene, samples, alarms, producers, forecasts, .. } = self;
        let mut keyframe = Keyframe { time, alarms, producers, ..Keyframe::default() };
        for (index, known) in samples {
            let Some((twin, name)) = names(&scene, index) else { continue };
            if let Some(signals) = of_twin(&mut keyframe.signals, twin) {
                signals.entry(name.to_owned()).or_default().push(known);
            }
        }
        for (index, issued) in forecasts {
            let Some((twin, name)) = names(&scene, index) else { continue };
            if let Some(signals) = of_twin(&mut keyframe.forecasts, twin) {
                signals.insert(name.to_owned(), issued);
            }
        }
        keyframe
    }
}

fn names(scene: &Scene, index: SignalIndex) -> Option<(&str, &str)> {
    let signal = scene.signals.get(index.at())?;
    Some((&scene.twins.get(signal.twin.at())?.id, &signal.name))
}

/// Allocates a name only for a twin that is new.
fn of_twin<'m, T>(
    map: &'m mut BTreeMap<String, BTreeMap<String, T>>,
    twin: &str,
) -> Option<&'m mut BTreeMap<String, T>> {
    if !map.contains_key(twin) {
        map.insert(twin.to_owned(), BTreeMap::new());
    }
    map.get_mut(twin)
}

fn known(point: Point, signal: &Signal) -> KnownSample {
    let Point { source_time, receive_time, value, quality, origin } = point;
    KnownSample::of(Sample { signal: signal.index, source_time, receive_time, value, quality, origin }, signal)
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
    use crate::history::Forecast;
    use crate::value::{Origin, Quality, Reason, Value};

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
                origin: Origin::Measured,
            });
        }
        (scene, history)
    }

    fn built(at: Timestamp, scene: &Arc<Scene>, history: &History) -> Keyframe {
        let mut builder = KeyframeBuilder::new(at, scene.clone(), KeptAlarms::default(), BTreeMap::new());
        assert!(builder.go_on(history, || false));
        builder.build()
    }

    #[test]
    fn it_says_where_a_value_comes_from_unless_that_is_as_usual() {
        let (scene, mut history) = history_of(&[(10, 10, 1.0, Quality::GOOD)]);
        let told = |history: &History| {
            let keyframe = built(Timestamp(30), &scene, history);
            serde_json::to_value(&keyframe.signals["P-101"]["flow"][0]).unwrap()["origin"].clone()
        };
        assert_eq!(told(&history), serde_json::Value::Null, "measured, and the signal is not derived");
        for (at, origin) in (20..).zip([Origin::Simulated, Origin::Derived]) {
            let (signal, source_time) = (SignalIndex(0), Timestamp(at));
            let (value, quality) = (Value::Bool(true), Quality::GOOD);
            history.append(&Sample { signal, source_time, receive_time: source_time, value, quality, origin });
            assert_eq!(told(&history), origin.name());
        }
    }

    fn values(samples: &[(i64, i64, f64, Quality)], at: i64) -> Vec<f64> {
        let (scene, history) = history_of(samples);
        let keyframe = built(Timestamp(at), &scene, &history);
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

    #[test]
    fn it_says_when_the_forecasts_that_show_were_issued() {
        let (scene, history) = history_of(&[]);
        let mut forecasts = ForecastStore::default();
        forecasts.resize(1);
        for issued in [10, 20, 30].map(Timestamp) {
            let times = (issued, issued);
            let forecast = Forecast::new(SignalIndex(0), times, vec![Timestamp(99)], vec![0.5], vec![vec![1.0]]);
            forecasts.insert(Arc::new(forecast.unwrap()));
        }
        let mut builder = KeyframeBuilder::new(Timestamp(25), scene, KeptAlarms::default(), BTreeMap::new())
            .with_forecasts(&forecasts);
        builder.go_on(&history, || false);
        assert_eq!(builder.build().forecasts["P-101"]["flow"], Timestamp(20));
    }
}
