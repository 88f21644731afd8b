//! What a plant says of itself: that it is simulated, of which scene and seed. In: a plant, or what was said. Out: a retained
//! message for each broker, and at the end nothing retained any more.

use std::collections::BTreeSet;

use serde_json::json;
use twox_hash::XxHash3_128;

use super::{Emit, Message, Plant, stand_in};
use crate::value::Timestamp;

/// Where plants say that they are simulated, each on a topic below.
pub const ANNOUNCEMENTS: &str = "pollux/plant/";

/// The scene of a plant that says so of itself: by its announcement, which is empty once the plant is gone.
pub fn announced(payload: &[u8]) -> Option<String> {
    let said: serde_json::Value = serde_json::from_slice(payload).ok()?;
    let is_simulated = said.get("simulated")?.as_bool()?;
    is_simulated.then(|| said.get("scene").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned())
}

/// Where a plant of a scene says that it is simulated.
pub fn announcement_topic(scene: &str) -> String {
    let name: String = scene.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    format!("{ANNOUNCEMENTS}{name}")
}

impl Plant {
    /// Emits what brokers should retain, and who speaks: after each new connection.
    pub fn announce(&mut self, epoch: Timestamp, emit: &mut Emit<'_>) {
        let announcement = self.announcement(epoch);
        let (topic, time) = (self.announcement_topic(), self.time());
        for broker in self.brokers() {
            emit(Message::kept(&broker, &topic, &announcement, time));
        }
        for at in 0..self.reports.len() {
            if self.has_begun && self.reports[at].retain {
                // As if nothing had been said: what the broker keeps of it may be gone.
                self.reports[at].memory.said.clear();
                self.send(at, self.time(), epoch, emit);
            }
        }
    }

    /// Empties what brokers retain of it: at the end.
    pub fn farewell(&self, emit: &mut Emit<'_>) {
        let time = self.time();
        for report in self.reports.iter().filter(|report| report.retain) {
            if let Some(topic) = self.encoder.topics().get(report.topic) {
                emit(Message::kept(&topic.broker, &topic.name, b"", time));
            }
        }
        let topic = self.announcement_topic();
        for broker in self.brokers() {
            emit(Message::kept(&broker, &topic, b"", time));
        }
    }

    /// Where it says that it is simulated.
    pub fn announcement_topic(&self) -> String {
        announcement_topic(&self.scene.name)
    }

    /// Topics at brokers that retain something of it.
    pub fn retained_topics(&self) -> BTreeSet<(String, String)> {
        let mut topics = BTreeSet::new();
        self.farewell(&mut |message| {
            topics.insert((message.broker.to_owned(), message.topic.to_owned()));
        });
        topics
    }

    fn announcement(&self, epoch: Timestamp) -> Vec<u8> {
        let mut hash = XxHash3_128::with_seed(0);
        for source in &self.scene.sources {
            hash.write(source.text.as_bytes());
            hash.write(&[0]);
        }
        let said = json!({
            "simulated": true,
            "scene": self.scene.name,
            "scene_hash": format!("{:032x}", hash.finish_128()),
            "seed": self.options.seed,
            "truth": self.options.truth,
            "story": self.options.story && !self.scene.story.happenings.is_empty(),
            "commanded": self.options.commanded,
            "control": self.options.controlled,
            "stand_ins": stand_in::named(&self.scene, &|signal| self.stand_ins.contains_key(&signal)),
            "start": epoch.to_string(),
            "program": concat!("pollux ", env!("CARGO_PKG_VERSION")),
        });
        said.to_string().into_bytes()
    }
}
