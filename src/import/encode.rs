//! Turns values back into the messages that carry them: the inverse of [`ingest`](crate::ingest).
//!
//! In: a scene, values of signals at a moment. Out: one message for each topic that they are bound to, with the time
//! where the binding looks for it. Never touches a file.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value as Json};

use super::{Sent, cell};
use crate::scene::{Decoder, Scene, SignalSource, TimeField, TimeFormat, ValueKind};
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
    topics: Vec<(String, String)>,
    /// By signal: its topic in `topics`.
    of_signal: Vec<Option<usize>>,
}

impl<'s> Encoder<'s> {
    pub fn new(scene: &'s Scene) -> Self {
        let first_broker = scene.brokers.keys().next().map_or("broker", String::as_str);
        let mut topics = Vec::new();
        let mut known: HashMap<(String, String), usize> = HashMap::new();
        let of_signal = scene
            .signals
            .iter()
            .map(|signal| {
                let SignalSource::Mqtt(binding) = &signal.source else { return None };
                let broker = binding.broker.as_deref().unwrap_or(first_broker).to_owned();
                let levels = binding.topic.split('/').map(|level| if matches!(level, "+" | "#") { ANY } else { level });
                let key = (broker, levels.collect::<Vec<_>>().join("/"));
                Some(*known.entry(key.clone()).or_insert_with(|| {
                    topics.push(key);
                    topics.len() - 1
                }))
            })
            .collect();
        Self { scene, topics, of_signal }
    }

    /// Whether anything can be sent for a signal: it is bound to a topic.
    pub fn is_bound(&self, signal: SignalIndex) -> bool {
        self.of_signal.get(signal.at()).is_some_and(Option::is_some)
    }

    /// The messages that carry these values, all received at `time`, in the order of the topics in the scene.
    ///
    /// Empty cells say nothing, but for empty texts; a topic whose cells are all empty is not sent. Where several signals
    /// share a whole payload, the first one has it.
    pub fn encode(&self, time: Timestamp, cells: &[Cell]) -> Vec<Sent> {
        let mut payloads: BTreeMap<usize, Payload> = BTreeMap::new();
        for cell in cells {
            let Some(topic) = self.of_signal.get(cell.signal.at()).copied().flatten() else { continue };
            let Some(signal) = self.scene.signals.get(cell.signal.at()) else { continue };
            let SignalSource::Mqtt(binding) = &signal.source else { continue };
            let to_payload = cell.conversion.then(&binding.conversion.inverse());
            let value = match cell.text {
                Some(text) => cell::json(text, signal.kind, &to_payload),
                None => Some(Json::Null),
            };
            let Some(value) = value else { continue };
            match &binding.decoder {
                Decoder::Raw => {
                    payloads.entry(topic).or_insert_with(|| Payload::Whole(whole(value, signal.kind)));
                }
                Decoder::Json(pointer) => {
                    let payload = payloads.entry(topic).or_insert_with(|| Payload::Fields(Json::Object(Map::new())));
                    let Payload::Fields(payload) = payload else { continue };
                    put(payload, pointer, value);
                    if let TimeField::Json { pointer, format } = &binding.time {
                        put(payload, pointer, stamp(time, *format));
                    }
                }
            }
        }
        let topics = payloads.into_iter().filter_map(|(topic, payload)| Some((self.topics.get(topic)?, payload)));
        topics
            .map(|((broker, topic), payload)| Sent {
                time,
                broker: broker.clone(),
                topic: topic.clone(),
                payload: match payload {
                    Payload::Whole(bytes) => bytes,
                    Payload::Fields(fields) => fields.to_string().into_bytes(),
                },
                qos: 1,
                retained: false,
            })
            .collect()
    }
}

/// Of a message.
enum Payload {
    Whole(Vec<u8>),
    Fields(Json),
}

/// A value as a whole payload: a text is itself, without quotes.
fn whole(value: Json, kind: ValueKind) -> Vec<u8> {
    match value {
        // An empty payload would be no value, but the deletion of one; blanks around a text are not of it.
        Json::String(text) if text.is_empty() => b" ".to_vec(),
        Json::String(text) => text.into_bytes(),
        // Any word would be a text: this is no UTF-8, and so no value.
        Json::Null if kind == ValueKind::Text => vec![0xff],
        other => other.to_string().into_bytes(),
    }
}

/// Sets the value at a JSON pointer (RFC 6901), with objects on the way to it; replaces other values on that way.
fn put(root: &mut Json, pointer: &str, value: Json) {
    let mut at = root;
    for key in pointer.strip_prefix('/').unwrap_or(pointer).split('/') {
        let key = key.replace("~1", "/").replace("~0", "~");
        if !at.is_object() {
            *at = Json::Object(Map::new());
        }
        let Json::Object(object) = at else { return };
        at = object.entry(key).or_insert(Json::Null);
    }
    *at = value;
}

fn stamp(time: Timestamp, format: TimeFormat) -> Json {
    let in_units_of = |unit_power: u8| {
        let unit = 10_i64.pow(unit_power.into());
        if time.0 % unit == 0 {
            return Json::from(time.0 / unit);
        }
        let (sign, size) = (if time.0 < 0 { "-" } else { "" }, time.0.unsigned_abs());
        let (whole, part) = (size / unit.unsigned_abs(), size % unit.unsigned_abs());
        let written = format!("{sign}{whole}.{part:0width$}", width = usize::from(unit_power));
        // A number where its shortest text says the same moment, else text, which keeps every digit.
        let number = written
            .parse::<f64>()
            .ok()
            .filter(|number| Timestamp::parse_count(&number.to_string(), unit_power) == Some(time));
        number.map_or_else(|| Json::from(written), Json::from)
    };
    match format {
        TimeFormat::Seconds => in_units_of(9),
        TimeFormat::Milliseconds => in_units_of(6),
        TimeFormat::Microseconds => in_units_of(3),
        TimeFormat::Nanoseconds => Json::from(time.0),
        TimeFormat::Rfc3339 => Json::from(time.to_string()),
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
    fn a_stamp_is_read_again_as_the_same_nanosecond() {
        let stamped = |nanos| stamp(Timestamp(nanos), TimeFormat::Seconds).to_string();
        assert_eq!(stamped(1_769_860_800_000_000_000), "1769860800");
        assert_eq!(stamped(1_769_860_800_123_456_000), "1769860800.123456");
        assert_eq!(stamped(1_769_860_800_123_456_789), r#""1769860800.123456789""#);
        assert_eq!(stamp(Timestamp(1_769_860_800_000_000_001), TimeFormat::Milliseconds), "1769860800000.000001");
    }

    #[test]
    fn an_empty_cell_sends_nothing() {
        let scene = scene();
        let signal = scene.signal("P-1", "flow").expect("a signal").index;
        let cells = [Cell { signal, text: Some(" "), conversion: Conversion::IDENTITY }];
        assert_eq!(Encoder::new(&scene).encode(Timestamp(0), &cells), []);
    }
}
