//! Samples of a costly producer as a recording holds them, so that a replay need not compute them again. In: samples of a
//! scene's signals. Out: JSON that names the signals, and the samples again, in whatever scene has these signals.

use serde::{Deserialize, Serialize};

use super::format::KnownSample;
use crate::scene::Scene;
use crate::value::{Sample, Timestamp};

/// What was computed beside the analysis: `{"producer": "P-101.wear", "time": "…Z", "samples": [{"twin": "P-101", "signal":
/// "wear", "sample": {…}}]}`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ProducedSamples {
    pub producer: String,
    /// Its place in the one order: a receive time.
    pub time: Timestamp,
    /// In the order in which they were learnt.
    pub samples: Vec<NamedSample>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NamedSample {
    pub twin: String,
    pub signal: String,
    pub sample: KnownSample,
}

impl ProducedSamples {
    /// Samples of signals that the scene does not have are left out.
    pub fn of(producer: &str, time: Timestamp, samples: &[Sample], scene: &Scene) -> Self {
        let named = samples.iter().filter_map(|sample| {
            let signal = scene.signals.get(sample.signal.at())?;
            let twin = scene.twins.get(signal.twin.at())?;
            let sample = KnownSample::of(sample.clone(), signal);
            Some(NamedSample { twin: twin.id.clone(), signal: signal.name.clone(), sample })
        });
        Self { producer: producer.to_owned(), time, samples: named.collect() }
    }

    /// Of the signals that the scene has.
    pub fn samples<'s>(&'s self, scene: &'s Scene) -> impl Iterator<Item = Sample> + 's {
        self.samples.iter().filter_map(|named| Some(named.sample.sample(scene.signal(&named.twin, &named.signal)?)))
    }

    /// About what it takes in memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let names = self.samples.iter().map(|named| named.twin.len() + named.signal.len()).sum::<usize>();
        size_of::<Self>() + self.samples.len() * size_of::<NamedSample>() + names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::attach::tests::scene_of_one_signal;
    use crate::value::{Origin, Quality, Reason, SignalIndex, Value};

    #[test]
    fn samples_survive_their_file_with_their_origins() {
        let scene = scene_of_one_signal();
        let sample = |value, quality, origin| {
            let (signal, source_time, receive_time) = (SignalIndex(0), Timestamp(1), Timestamp(2));
            Sample { signal, source_time, receive_time, value, quality, origin }
        };
        let samples = [
            sample(Value::Number(0.1 + 0.2), Quality::GOOD, Origin::Estimated),
            sample(Value::Bool(true), Quality::uncertain(Reason::Input), Origin::Measured),
            sample(Value::Text("worn".into()), Quality::GOOD, Origin::Derived),
        ];
        let produced = ProducedSamples::of("P-101.wear", Timestamp(2), &samples, &scene);
        let text = serde_json::to_string(&produced).unwrap();
        let read: ProducedSamples = serde_json::from_str(&text).unwrap();
        assert_eq!(read, produced);
        assert_eq!(read.samples(&scene).collect::<Vec<_>>(), samples);
        assert_eq!(read.samples(&Scene::default()).count(), 0, "another scene");
    }
}
