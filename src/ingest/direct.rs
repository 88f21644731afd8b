//! The samples of a message without its bytes. In: the values that a sender puts into a message. Out: the samples that come
//! of the same message when it is encoded and decoded, bit by bit; or nothing where that is not certain. Reads no clock.
//!
//! Which samples a message gives, and in which order, does not depend on its values: it is learnt from messages that are
//! encoded and decoded once. A topic has a short way if each signal that speaks on it gives one sample, with the value and
//! the time that were sent, and nothing else comes. What remains is a matter of single values: numbers from 2⁵³ on, numbers
//! that are not finite and values of another kind than their signal's are left to the encoder, as is a message in which a
//! signal is silent, because what stands in its place then depends on the payload.
//!
//! A number is the same after all of that: JSON has its shortest digits, which are read as the nearest float. So is a time:
//! see [`Encoder::stamp`].

use std::borrow::Cow;

use super::encode::LARGEST_WHOLE;
use super::pointer::Found;
use super::value::{self, Wanted};
use super::{BindingTable, Encoder, Message};
use crate::scene::{Decoder, Scene, SignalSource, ValueKind};
use crate::value::{Conversion, Origin, Sample, SignalIndex, Timestamp, Value};

/// When the messages are sent that a short way is learnt from: every format of a time has digits to lose here.
const LEARNT_AT: Timestamp = Timestamp(1_000_000_001_234_567_891);

/// From the values of one topic's messages to the samples that come of them.
#[derive(Clone, PartialEq, Debug)]
pub struct ShortWay {
    /// In the order of the samples.
    fields: Vec<Field>,
}

#[derive(Clone, PartialEq, Debug)]
struct Field {
    /// Among the values.
    place: usize,
    signal: SignalIndex,
    wanted: Wanted,
    to_payload: Conversion,
    is_whole: bool,
}

/// Makes the payload of some values at a time.
pub type Encode<'a> = dyn Fn(&[Option<Value>], Timestamp) -> Option<Vec<u8>> + 'a;

impl ShortWay {
    /// The short way of the messages that go to a topic and carry `signals`; `encode` makes the payload of their values, in
    /// the same order, at a time. None where a message is not to be had without its bytes.
    pub fn learn(
        scene: &Scene,
        (encoder, table): (&Encoder, &BindingTable),
        topic: &str,
        signals: &[SignalIndex],
        encode: &Encode<'_>,
    ) -> Option<Self> {
        let kinds: Vec<ValueKind> = signals.iter().filter_map(|at| Some(scene.signals.get(at.at())?.kind)).collect();
        let bits = usize::BITS - signals.len().leading_zeros();
        let mut way: Option<Self> = None;
        // Flags tell where they come from over several messages: each has a pattern of its own.
        for number in 0..2 * bits.max(1) {
            let value = |(place, kind): (usize, &ValueKind)| match kind {
                ValueKind::Number => Some(Value::Number(7.0 * place as f64 + f64::from(number) + 0.8125)),
                ValueKind::Bool => Some(Value::Bool((place >> (number / 2) & 1 == 1) == (number % 2 == 0))),
                ValueKind::Text => Some(Value::Text(format!("{place} of {number}").into())),
            };
            let values: Vec<Option<Value>> = kinds.iter().enumerate().map(value).collect();
            let payload = encode(&values, LEARNT_AT)?;
            let message = Message { topic, payload: &payload, retained: false, qos: 0, receive_time: LEARNT_AT };
            let (mut decoded, mut direct) = (Vec::new(), Vec::new());
            let outcome = table.decode(&message, &mut decoded);
            if outcome.error.is_some() || outcome.clock.is_some() || decoded.len() != signals.len() {
                return None;
            }
            if way.is_none() {
                let place = |sample: &Sample| signals.iter().position(|signal| *signal == sample.signal);
                let fields = decoded.iter().map(|sample| Field::new(scene, encoder, place(sample)?, sample.signal));
                way = Some(Self { fields: fields.collect::<Option<_>>()? });
            }
            if !way.as_ref()?.add(&values, LEARNT_AT, &mut direct) || direct != decoded {
                return None;
            }
        }
        way
    }

    /// Adds the samples of the message that carries these values, sent and received at `now`. If it says false, it has added
    /// nothing, and the message is to be encoded.
    #[must_use]
    pub fn add(&self, values: &[Option<Value>], now: Timestamp, out: &mut Vec<Sample>) -> bool {
        let before = out.len();
        let is_timely = now >= value::EARLIEST;
        out.reserve(self.fields.len());
        for field in &self.fields {
            let given = values.get(field.place).and_then(Option::as_ref);
            let found = given.filter(|_| is_timely).and_then(|given| field.found(given));
            let Some((value, quality)) = found.and_then(|found| field.wanted.value(&found)) else {
                out.truncate(before);
                return false;
            };
            let (source_time, receive_time, origin) = (now, now, Origin::Measured);
            out.push(Sample { signal: field.signal, source_time, receive_time, value, quality, origin });
        }
        true
    }
}

impl Field {
    fn new(scene: &Scene, encoder: &Encoder, place: usize, at: SignalIndex) -> Option<Self> {
        let signal = scene.signals.get(at.at())?;
        let SignalSource::Mqtt(binding) = &signal.source else { return None };
        Some(Self {
            place,
            signal: at,
            wanted: Wanted::of(signal, binding),
            to_payload: encoder.to_payload(at),
            is_whole: binding.decoder == Decoder::Raw,
        })
    }

    /// What the decoder finds of a value; none where that is not certain.
    fn found<'v>(&self, value: &'v Value) -> Option<Found<'v>> {
        match (self.wanted.kind, value) {
            (ValueKind::Number, Value::Number(x)) => {
                let x = self.to_payload.apply(*x);
                match x.is_finite() && x.abs() < LARGEST_WHOLE {
                    true if x.fract() == 0.0 => Some(Found::Integer(x as i64)),
                    true => Some(Found::Float(x)),
                    false => None,
                }
            }
            (ValueKind::Bool, Value::Bool(flag)) => Some(Found::Bool(*flag)),
            (ValueKind::Text, Value::Text(text)) if self.is_whole => value::raw(text.as_bytes()),
            (ValueKind::Text, Value::Text(text)) => Some(Found::Text(Cow::Borrowed(text))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::ingest::Topic;
    use crate::scene::SourceFile;

    /// Units that are converted, kinds of values, formats of times; whole payloads; and topics without a short way.
    const SCENE: &str = r#"Scene(format: (1, 2), name: "Hall", brokers: {"plant": (url: "mqtt://localhost:1")}, types: {"It": (signals: {
        "a": (unit: "m3/h", topic: "it", json: "/a", payload_unit: "l/min", time: (json: "/at/ms", format: Milliseconds)),
        "b": (unit: "Cel", payload_unit: "K", topic: "it", json: "/deep/b", range: (-20.0, 90.0), time: (json: "/at/s", format: Seconds)),
        "c": (topic: "it", json: "/c~1d", kind: Bool, time: (json: "/at/us", format: Microseconds)),
        "d": (topic: "it", json: "/list/0", kind: Bool, time: (json: "/at/text", format: Rfc3339)),
        "e": (topic: "it", json: "/e", kind: Text),
        "number": (unit: "kPa", topic: "number", raw: Number),
        "flag": (topic: "flag", raw: Bool),
        "text": (topic: "text", raw: Text),
        "first": (topic: "shared", raw: Number),
        "second": (topic: "shared", raw: Number),
        "outer": (topic: "nested", json: "/x"),
        "inner": (topic: "nested", json: "/x/y"),
        "twice": (topic: "same", json: "/x"),
        "again": (topic: "same", json: "/x"),
    })}, twins: [(id: "X", type: "It")])"#;

    struct Hall {
        scene: Scene,
        encoder: Encoder,
        table: BindingTable,
    }

    impl Hall {
        fn new() -> Self {
            let source = SourceFile { path: "scene.ron".into(), text: SCENE.into() };
            let loaded = crate::scene::load_texts(Path::new("scene.ron"), &[source]);
            let scene = loaded.scene.clone().unwrap_or_else(|| panic!("{}", loaded.render(false)));
            let (encoder, table) = (Encoder::new(&scene), BindingTable::new(&scene, "plant", 0));
            Self { scene, encoder, table }
        }

        fn signals(&self, topic: &str) -> Vec<SignalIndex> {
            let is_of = |at: &SignalIndex| {
                let Topic { name, .. } = &self.encoder.topics()[self.encoder.topic_of(*at).expect("bound")];
                name == topic
            };
            self.scene.signals.iter().map(|signal| signal.index).filter(is_of).collect()
        }

        fn encoded(&self, topic: &str, values: &[Option<Value>], at: Timestamp) -> Option<Vec<u8>> {
            let all = self.signals(topic).into_iter().zip(values);
            let spoken = all.filter_map(|(signal, value)| Some((signal, self.encoder.json(signal, value.as_ref()?))));
            self.encoder.payload(serde_json::Value::Null, at, &spoken.collect::<Vec<_>>())
        }

        fn way(&self, topic: &str) -> Option<ShortWay> {
            let encode = |values: &[Option<Value>], at: Timestamp| self.encoded(topic, values, at);
            ShortWay::learn(&self.scene, (&self.encoder, &self.table), topic, &self.signals(topic), &encode)
        }
    }

    #[test]
    fn a_topic_on_which_signals_stand_in_each_others_way_has_no_short_way() {
        let hall = Hall::new();
        let with = ["it", "number", "flag", "text"].map(|topic| hall.way(topic).is_some());
        let without = ["shared", "nested", "same"].map(|topic| hall.way(topic).is_some());
        assert_eq!((with, without), ([true; 4], [false; 3]));
    }

    #[test]
    fn what_is_not_certain_is_left_to_the_encoder() {
        let hall = Hall::new();
        let way = hall.way("number").expect("a short way");
        let adds = |value: Option<Value>, at| way.add(&[value], at, &mut Vec::new());
        assert!(adds(Some(Value::Number(-0.0)), LEARNT_AT));
        for (value, at) in [
            (None, LEARNT_AT),
            (Some(Value::Number(f64::NAN)), LEARNT_AT),
            (Some(Value::Number(LARGEST_WHOLE)), LEARNT_AT),
            (Some(Value::Bool(true)), LEARNT_AT),
            (Some(Value::Number(1.0)), Timestamp(0)),
        ] {
            assert!(!adds(value.clone(), at), "{value:?} at {at}");
        }
    }

    fn numbers() -> impl Strategy<Value = Option<Value>> {
        let number = prop_oneof![
            -1e6..1e6,
            (-1_000_000..1_000_000_i64).prop_map(|x| x as f64 / 1000.0),
            Just(-0.0),
            Just(5e-324),
            any::<f64>(),
        ];
        prop_oneof![20 => number.prop_map(|x| Some(Value::Number(x))), 1 => Just(None)]
    }

    fn flags() -> impl Strategy<Value = Option<Value>> {
        any::<bool>().prop_map(|flag| Some(Value::Bool(flag)))
    }

    fn texts() -> impl Strategy<Value = Option<Value>> {
        let text = prop_oneof![
            any::<String>(),
            Just("\u{feff} on\0".to_owned()),
            Just(String::new()),
            Just("\u{feff}".to_owned())
        ];
        text.prop_map(|text| Some(Value::Text(text.into())))
    }

    proptest! {
        #[test]
        fn the_samples_are_those_of_the_encoded_message_bit_by_bit(
            (a, b, c, d, e) in (numbers(), numbers(), flags(), flags(), texts()),
            (number, flag, text) in (numbers(), flags(), texts()),
            nanos in 631_152_000_000_000_000..4_000_000_000_000_000_000_i64, unit in 0..10_u32,
        ) {
            let hall = Hall::new();
            let now = Timestamp(nanos - nanos % 10_i64.pow(unit));
            let messages =
                [("it", vec![a, b, c, d, e]), ("number", vec![number]), ("flag", vec![flag]), ("text", vec![text])];
            for (topic, values) in messages {
                let way = hall.way(topic).expect("a short way");
                let (mut direct, mut decoded) = (Vec::new(), Vec::new());
                if !way.add(&values, now, &mut direct) {
                    prop_assert!(direct.is_empty());
                    continue;
                }
                let payload = hall.encoded(topic, &values, now).expect("it says something");
                let message = Message { topic, payload: &payload, retained: false, qos: 0, receive_time: now };
                let outcome = hall.table.decode(&message, &mut decoded);
                prop_assert!(outcome.error.is_none() && outcome.clock.is_none());
                // The bits of a number, and all that it shows in text, are the same.
                prop_assert_eq!(format!("{direct:?}"), format!("{decoded:?}"), "{}", String::from_utf8_lossy(&payload));
            }
        }
    }
}
