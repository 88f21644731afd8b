//! Turns values back into the messages that carry them: the inverse of decoding.
//!
//! In: a scene, values of signals at a moment. Out: the payload of the topic that they are bound to, with the time where
//! the binding looks for it. Never sends anything.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use crate::scene::{Decoder, Scene, SignalSource, TimeField, TimeFormat, ValueKind};
use crate::value::{Conversion, SignalIndex, Timestamp, Value};

/// A pointer to a larger place makes an object, not a list with so many gaps.
const LONGEST_LIST: usize = 4096;
/// Floats below it hold every whole number: 2^53.
pub(super) const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Knows by which message each signal of a scene comes.
#[derive(Clone, Debug)]
pub struct Encoder {
    topics: Vec<Topic>,
    /// By signal.
    ways: Vec<Option<Way>>,
}

/// Where messages go.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Topic {
    /// A broker of the scene, or `broker` where it has none.
    pub broker: String,
    /// As bindings say it: it may hold the wildcards `+` and `#`.
    pub name: String,
}

/// How one signal comes.
#[derive(Clone, Debug)]
struct Way {
    topic: usize,
    decoder: Decoder,
    time: TimeField,
    to_payload: Conversion,
    kind: ValueKind,
}

impl Encoder {
    pub fn new(scene: &Scene) -> Self {
        let first_broker = scene.brokers.keys().next().map_or("broker", String::as_str);
        let mut topics = Vec::new();
        let mut known: HashMap<Topic, usize> = HashMap::new();
        let ways = scene
            .signals
            .iter()
            .map(|signal| {
                let SignalSource::Mqtt(binding) = &signal.source else { return None };
                let broker = binding.broker.as_deref().unwrap_or(first_broker).to_owned();
                let topic = Topic { broker, name: binding.topic.clone() };
                let topic = *known.entry(topic.clone()).or_insert_with(|| {
                    topics.push(topic);
                    topics.len() - 1
                });
                let (decoder, time) = (binding.decoder.clone(), binding.time.clone());
                Some(Way { topic, decoder, time, to_payload: binding.conversion.inverse(), kind: signal.kind })
            })
            .collect();
        Self { topics, ways }
    }

    pub fn topics(&self) -> &[Topic] {
        &self.topics
    }

    /// The place in [`topics`](Self::topics) of a signal's topic; none for one that no message carries.
    pub fn topic_of(&self, signal: SignalIndex) -> Option<usize> {
        self.ways.get(signal.at())?.as_ref().map(|way| way.topic)
    }

    /// From a signal's unit to the unit in its payload.
    pub fn to_payload(&self, signal: SignalIndex) -> Conversion {
        self.way(signal).map_or(Conversion::IDENTITY, |way| way.to_payload)
    }

    /// A value in a signal's unit as it stands in the payload. None for a number that JSON cannot hold.
    pub fn json(&self, signal: SignalIndex, value: &Value) -> Json {
        match value {
            Value::Number(x) => json_number(self.to_payload(signal).apply(*x)),
            Value::Bool(flag) => Json::Bool(*flag),
            Value::Text(text) => Json::from(&**text),
        }
    }

    /// The payload that carries these values, all of one topic, at a time. `over` is what else stands in a JSON payload;
    /// null for nothing. None if there is nothing to send.
    ///
    /// Where several signals share a whole payload, the first one has it.
    pub fn payload(&self, over: Json, time: Timestamp, values: &[(SignalIndex, Json)]) -> Option<Vec<u8>> {
        let mut fields = over;
        for (signal, value) in values {
            let Some(way) = self.way(*signal) else { continue };
            match &way.decoder {
                Decoder::Raw if fields.is_null() => return Some(whole(value, way.kind)),
                Decoder::Raw => {}
                Decoder::Json(pointer) => {
                    put(&mut fields, pointer, value.clone());
                    self.stamp(&mut fields, *signal, time);
                }
            }
        }
        (!fields.is_null()).then(|| fields.to_string().into_bytes())
    }

    /// Puts the time where the binding of a signal looks for it.
    pub fn stamp(&self, payload: &mut Json, signal: SignalIndex, time: Timestamp) {
        if let Some(TimeField::Json { pointer, format }) = self.way(signal).map(|way| &way.time) {
            put(payload, pointer, stamp(time, *format));
        }
    }

    fn way(&self, signal: SignalIndex) -> Option<&Way> {
        self.ways.get(signal.at())?.as_ref()
    }
}

/// Whole numbers without a point, as counters of devices write them.
pub fn json_number(x: f64) -> Json {
    match x.fract() == 0.0 && x.abs() < LARGEST_WHOLE {
        true => Json::from(x as i64),
        false => Json::from(x),
    }
}

/// A value as a whole payload: a text is itself, without quotes.
pub fn whole_payload(value: &Json) -> Vec<u8> {
    whole(value, ValueKind::Number)
}

fn whole(value: &Json, kind: ValueKind) -> Vec<u8> {
    match value {
        // An empty payload would be no value, but the deletion of one; blanks around a text are not of it.
        Json::String(text) if text.is_empty() => b" ".to_vec(),
        Json::String(text) => text.as_bytes().to_vec(),
        // Any word would be a text: this is no UTF-8, and so no value.
        Json::Null if kind == ValueKind::Text => vec![0xff],
        other => other.to_string().into_bytes(),
    }
}

/// Sets the value at a JSON pointer (RFC 6901), with objects and lists on the way to it; replaces other values on that
/// way. A whole number makes a list where nothing stands yet.
pub fn put(root: &mut Json, pointer: &str, value: Json) {
    let mut at = root;
    for key in pointer.strip_prefix('/').unwrap_or(pointer).split('/') {
        let key = key.replace("~1", "/").replace("~0", "~");
        let place = key.parse::<usize>().ok().filter(|place| *place < LONGEST_LIST && place.to_string() == key);
        if at.is_null() && place.is_some() {
            *at = Json::Array(Vec::new());
        }
        if let (Json::Array(list), Some(place)) = (&mut *at, place) {
            if list.len() <= place {
                list.resize(place + 1, Json::Null);
            }
        } else if !at.is_object() {
            *at = Json::Object(Map::new());
        }
        at = match at {
            Json::Array(list) => &mut list[place.unwrap_or(0)],
            Json::Object(object) => object.entry(key).or_insert(Json::Null),
            _ => return,
        };
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
        // A number where its text in JSON says the same moment, else text, which keeps every digit.
        let number = written.parse::<f64>().map(Json::from);
        let says_the_same = |number: &Json| Timestamp::parse_count(&number.to_string(), unit_power) == Some(time);
        number.ok().filter(says_the_same).unwrap_or_else(|| Json::from(written))
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

    #[test]
    fn a_pointer_makes_the_objects_and_lists_on_its_way() {
        let mut payload = Json::Null;
        put(&mut payload, "/a/b~1c", Json::from(1));
        put(&mut payload, "/d/2", Json::from(2));
        put(&mut payload, "/e/01", Json::from(3));
        put(&mut payload, "/f/999999", Json::from(4));
        let wanted = r#"{"a":{"b/c":1},"d":[null,null,2],"e":{"01":3},"f":{"999999":4}}"#;
        assert_eq!(payload.to_string(), wanted);
        let mut payload = serde_json::from_str(r#"[{"name":"flow","value":null},5]"#).expect("JSON");
        put(&mut payload, "/0/value", Json::from(61.5));
        put(&mut payload, "/1/x", Json::from(true));
        assert_eq!(payload.to_string(), r#"[{"name":"flow","value":61.5},{"x":true}]"#);
    }

    #[test]
    fn a_stamp_is_read_again_as_the_same_nanosecond() {
        let stamped = |nanos| stamp(Timestamp(nanos), TimeFormat::Seconds).to_string();
        assert_eq!(stamped(1_769_860_800_000_000_000), "1769860800");
        assert_eq!(stamped(1_769_860_800_123_456_000), "1769860800.123456");
        assert_eq!(stamped(1_769_860_800_123_456_789), r#""1769860800.123456789""#);
        assert_eq!(stamp(Timestamp(1_769_860_800_000_000_001), TimeFormat::Milliseconds), "1769860800000.000001");
        // Of two shortest texts of one number JSON has the other one.
        assert_eq!(stamp(Timestamp(2_192_506_349_811_143_300), TimeFormat::Microseconds), "2192506349811143.300");
    }
}
