//! Turns the cells of a table into the messages that a plant would have sent. In: a scene, cells of one moment. Out: one
//! message for each topic that their signals are bound to. Never touches a file.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Sent, cell};
use crate::ingest;
use crate::scene::Scene;
use crate::value::{Conversion, SignalIndex, Timestamp};

/// What stands for the wildcards of a topic that a binding only describes.
const ANY: &str = "import";

/// One value as text, and how it becomes a number in the signal's unit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cell<'a> {
    pub signal: SignalIndex,
    /// None: its source had no value.
    pub text: Option<&'a str>,
    pub conversion: Conversion,
}

/// Knows by which topic each signal of a scene is fed.
#[derive(Debug)]
pub struct Encoder<'s> {
    scene: &'s Scene,
    encoder: ingest::Encoder,
    /// Topics without wildcards, in the encoder's order.
    names: Vec<String>,
}

impl<'s> Encoder<'s> {
    pub fn new(scene: &'s Scene) -> Self {
        let encoder = ingest::Encoder::new(scene);
        let concrete = |topic: &ingest::Topic| {
            let levels = topic.name.split('/').map(|level| if matches!(level, "+" | "#") { ANY } else { level });
            levels.collect::<Vec<_>>().join("/")
        };
        let names = encoder.topics().iter().map(concrete).collect();
        Self { scene, encoder, names }
    }

    /// Whether anything can be sent for a signal: it is bound to a topic.
    pub fn is_bound(&self, signal: SignalIndex) -> bool {
        self.encoder.topic_of(signal).is_some()
    }

    /// The messages that carry these values, all received at `time`, in the order of the topics in the scene.
    ///
    /// Empty cells say nothing, but for empty texts; a topic whose cells are all empty is not sent. Where several signals
    /// share a whole payload, the first one has it.
    pub fn encode(&self, time: Timestamp, cells: &[Cell]) -> Vec<Sent> {
        let mut values: BTreeMap<usize, Vec<(SignalIndex, Json)>> = BTreeMap::new();
        for cell in cells {
            let Some(topic) = self.encoder.topic_of(cell.signal) else { continue };
            let Some(signal) = self.scene.signals.get(cell.signal.at()) else { continue };
            let to_payload = cell.conversion.then(&self.encoder.to_payload(cell.signal));
            let value = match cell.text {
                Some(text) => cell::json(text, signal.kind, &to_payload),
                None => Some(Json::Null),
            };
            values.entry(topic).or_default().extend(value.map(|value| (cell.signal, value)));
        }
        let topics = values.into_iter().filter_map(|(topic, values)| {
            Some(Sent {
                time,
                broker: self.encoder.topics().get(topic)?.broker.clone(),
                topic: self.names.get(topic)?.clone(),
                payload: self.encoder.payload(Json::Null, time, &values)?,
                qos: 1,
                retained: false,
            })
        });
        topics.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{BindingTable, Message};
    use crate::value::{Quality, Value};

    const SCENE: &str = r#"Scene(format: (1, 1), name: "Import", brokers: {"plant": (url: "mqtt://localhost:1883")},
        types: {"Pump": (signals: {
            "flow": (unit: "m3/h", topic: "hall/{id}/telemetry", json: "/process/flow", time: (json: "/t", format: Milliseconds)),
            "temperature": (unit: "degC", payload_unit: "degF", topic: "hall/{id}/telemetry", json: "/temp",
                time: (json: "/t", format: Milliseconds)),
            "running": (topic: "hall/{id}/running", raw: Bool),
        })}, twins: [(id: "P-1", type: "Pump"), (id: "P-2", type: "Pump")])"#;

    fn scene() -> Scene {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("scene.ron");
        std::fs::write(&path, SCENE).expect("a file");
        let loaded = crate::scene::load(&path);
        loaded.scene.clone().unwrap_or_else(|| panic!("{}", loaded.render(false)))
    }

    #[test]
    fn what_is_encoded_is_decoded_as_it_was() {
        let scene = scene();
        let encoder = Encoder::new(&scene);
        let signal = |name| scene.signal("P-2", name).expect("a signal").index;
        let cell = |name, text| Cell { signal: signal(name), text: Some(text), conversion: Conversion::IDENTITY };
        let time = Timestamp(1_700_000_000_250_000_000);
        let sent = encoder.encode(time, &[cell("flow", "61.5"), cell("temperature", "20"), cell("running", "on")]);
        let shown: Vec<_> =
            sent.iter().map(|sent| (sent.topic.as_str(), String::from_utf8_lossy(&sent.payload))).collect();
        let telemetry = r#"{"process":{"flow":61.5},"t":1700000000250,"temp":"#;
        assert!(
            shown.len() == 2 && shown[0].0 == "hall/P-2/telemetry" && shown[0].1.starts_with(telemetry),
            "{shown:?}"
        );
        assert_eq!(shown[1], ("hall/P-2/running", "true".into()));

        let table = BindingTable::new(&scene, "plant", 1);
        let mut samples = Vec::new();
        for sent in &sent {
            let Sent { topic, payload, retained, qos, time: receive_time, .. } = sent;
            let message = Message { topic, payload, retained: *retained, qos: *qos, receive_time: *receive_time };
            let outcome = table.decode(&message, &mut samples);
            assert!(outcome.error.is_none() && outcome.clock.is_none() && !outcome.unknown_topic, "{outcome:?}");
        }
        let value = |name| samples.iter().find(|sample| sample.signal == signal(name)).map(|s| s.value.clone());
        assert_eq!(value("flow"), Some(Value::Number(61.5)));
        assert!(value("temperature") == Some(Value::Number(20.0)));
        assert_eq!(value("running"), Some(Value::Bool(true)));
        assert!(samples.iter().all(|sample| sample.source_time == time && sample.quality == Quality::GOOD));
    }

    #[test]
    fn an_empty_cell_sends_nothing() {
        let scene = scene();
        let signal = scene.signal("P-1", "flow").expect("a signal").index;
        let cells = [Cell { signal, text: Some(" "), conversion: Conversion::IDENTITY }];
        assert_eq!(Encoder::new(&scene).encode(Timestamp(0), &cells), []);
    }
}
