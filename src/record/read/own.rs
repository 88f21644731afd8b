//! Whether what stands on Pollux's own topics is what belongs there. In: topics and payloads. Out: yes or no.
//!
//! A bent channel record outside of chunks, or a file put together of two, can lead messages of a plant there. Repair leaves
//! such out: no reader can make anything of them. Of a newer format nothing is judged.

use crate::event::Event;
use crate::record::format::{self, About, EVENTS_TOPIC, FORECASTS_TOPIC, KEYFRAMES_TOPIC, Keyframe, PRODUCED_TOPIC};
use crate::record::{ProducedSamples, RecordedForecast};

#[derive(Debug, Default)]
pub(super) struct Judge {
    is_newer: bool,
}

impl Judge {
    /// What the file says of itself; it stands before all messages.
    pub fn hear(&mut self, about: &About) {
        let mut numbers = about.format.split('.').map(str::parse::<u32>);
        self.is_newer |= match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => (major, minor) > format::VERSION,
            _ => false,
        };
    }

    pub fn is_right(&self, topic: &str, payload: &[u8]) -> bool {
        match topic {
            _ if self.is_newer => true,
            EVENTS_TOPIC => serde_json::from_slice::<Event>(payload).is_ok(),
            KEYFRAMES_TOPIC => serde_json::from_slice::<Keyframe>(payload).is_ok(),
            FORECASTS_TOPIC => {
                serde_json::from_slice::<RecordedForecast>(payload).is_ok_and(|forecast| forecast.check().is_ok())
            }
            PRODUCED_TOPIC => serde_json::from_slice::<ProducedSamples>(payload).is_ok(),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_known_format_puts_on_its_own_topics_is_judged() {
        let mut judge = Judge::default();
        let keyframe = serde_json::to_vec(&Keyframe::default()).expect("JSON");
        assert!(judge.is_right(KEYFRAMES_TOPIC, &keyframe) && !judge.is_right(EVENTS_TOPIC, &keyframe));
        assert!(judge.is_right("hall/pump", b"\0") && !judge.is_right(KEYFRAMES_TOPIC, b"{}"));
        assert!(!judge.is_right(FORECASTS_TOPIC, &keyframe) && !judge.is_right(PRODUCED_TOPIC, &keyframe));
        judge.hear(&About { format: "1.0".into(), ..About::default() });
        assert!(!judge.is_right(EVENTS_TOPIC, b"{}"));
        judge.hear(&About { format: "1.2".into(), ..About::default() });
        assert!(judge.is_right(EVENTS_TOPIC, b"{}"));
    }
}
