//! Stand-ins that behave as in a recording. In: files of one series, the scene that is to move. Out: what they teach, and how
//! much of the scene they know. Only reads.
//!
//! Twins are matched by id, signals by name: the recording may be one of another scene. One without a scene of its own is
//! read as the scene that is to move.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::plant::StandIn;
use crate::plant::stand_in::{Recorded, fit};
use crate::record::read::{ReadError, Timeline};
use crate::replay::{OpenError, Samples, scene_of};
use crate::scene::{Scene, Signal, SignalSource};
use crate::value::{Grade, Sample, SignalIndex};

/// Of a signal so many samples are kept, the newest.
const MOST_SAMPLES: usize = 1 << 17;

/// What a recording teaches.
#[derive(Clone, Debug)]
pub struct Learned {
    pub stand_in: StandIn,
    /// Signals of the scene that behave as in the recording, of those that need a stand-in.
    pub found: usize,
    pub wanted: usize,
    /// What the recording lacks.
    pub damage: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum StandInError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the recording's own scene cannot be read: {0}")]
    Scene(String),
    #[error("{file}: holds no values of signals that need a stand-in: twins are matched by id, signals by name")]
    Nothing { file: String },
}

/// Learns from recordings of one series.
pub fn learn(files: &[PathBuf], scene: &Scene) -> Result<Learned, StandInError> {
    let timeline = Timeline::open(files)?;
    let (own, _unpacked) = match scene_of(&timeline, None) {
        Ok((own, _, unpacked)) => (Arc::new(own), unpacked),
        Err(OpenError::NoScene(_)) => (Arc::new(scene.clone()), None),
        Err(error) => return Err(StandInError::Scene(error.to_string())),
    };
    let fitted = fit(&recorded(&timeline, &own, scene)?);
    let (found, wanted) = fitted.found_in(scene);
    if found == 0 {
        let file = files.first().map(|file| file.display().to_string()).unwrap_or_default();
        return Err(StandInError::Nothing { file });
    }
    Ok(Learned { stand_in: StandIn::like(fitted), found, wanted, damage: timeline.told() })
}

/// The samples of signals that the scene has too and that messages bring.
fn recorded(
    timeline: &Timeline,
    own: &Arc<Scene>,
    scene: &Scene,
) -> Result<BTreeMap<(String, String), Recorded>, ReadError> {
    let Some((from, to)) = timeline.bounds() else { return Ok(BTreeMap::new()) };
    let key =
        |scene: &Scene, signal: &Signal| Some((scene.twins.get(signal.twin.at())?.id.clone(), signal.name.clone()));
    let bound = |signal: &&Signal| matches!(signal.source, SignalSource::Mqtt(_));
    let wanted: BTreeSet<(String, String)> =
        scene.signals.iter().filter(bound).filter_map(|signal| key(scene, signal)).collect();
    let mut known: BTreeMap<SignalIndex, ((String, String), Recorded)> = own
        .signals
        .iter()
        .filter_map(|signal| {
            let key = key(own, signal).filter(|key| wanted.contains(key))?;
            Some((signal.index, (key, Recorded { unit: signal.unit.clone(), samples: Vec::new() })))
        })
        .collect();
    let mut take = |sample: Sample| {
        if let Some((_, recorded)) = known.get_mut(&sample.signal).filter(|_| sample.quality.grade <= Grade::Uncertain)
        {
            recorded.samples.push((sample.source_time, sample.value));
            if recorded.samples.len() >= 2 * MOST_SAMPLES {
                recorded.samples.drain(..MOST_SAMPLES);
            }
        }
    };
    let (_, messages) = Samples::new(timeline, own.clone(), from, to)?;
    for message in messages {
        message?.samples.into_iter().for_each(&mut take);
    }
    Ok(known.into_values().filter(|(_, recorded)| !recorded.samples.is_empty()).collect())
}
