//! How a simulated plant speaks, as scenes write it: what instruments do to outputs, how messages go out, what happens
//! when. In: nothing but serde. Out: the same.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::{QuantityDef, Table, is_default};
use crate::scene::span::Spanned;

/// What a signal sees of a model: the path of an output, or more.
#[derive(Clone, Debug, PartialEq)]
pub enum MeasureDef {
    Of(String),
    Through(Box<MeasureFields>),
}

/// `(of: "flow", noise: "0.03 m3/h", resolution: "0.001 m3/h", lag: "2s")`
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "Measure")]
pub struct MeasureFields {
    /// An output: `flow`, `bearing.temperature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Spanned<String>>,
    /// An expression over outputs in the units of their models, instead of `of`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Spanned<String>>,
    /// Standard deviation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<Spanned<QuantityDef>>,
    /// Standard deviation as a share of the value, on top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_noise: Option<Spanned<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Spanned<QuantityDef>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<Spanned<QuantityDef>>,
    /// Lowest and highest reading, in the signal's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Spanned<(f64, f64)>>,
    /// Time constant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_time: Option<Spanned<String>>,
    /// From reading to reading; each message has a new one unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Spanned<String>>,
}

/// How the messages of a topic go out.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "Message")]
pub struct MessageDef {
    /// From message to message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Spanned<String>>,
    /// A message goes out at once when a value has changed; `every` tells when it is said again at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_change: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain: Option<bool>,
    /// 0, 1 or 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos: Option<Spanned<u64>>,
    /// The JSON around the values; placeholders as in topics, and `{sequence}`, `{time}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Spanned<String>>,
    /// Lists of samples, by the JSON pointers of their places.
    #[serde(default, skip_serializing_if = "is_default")]
    pub waveforms: Table<WaveformDef>,
}

/// `(of: "ecg", rate: "250 Hz")`: what a fast sensor samples.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "Waveform")]
pub struct WaveformDef {
    pub of: Spanned<String>,
    pub rate: Spanned<QuantityDef>,
    /// How long it samples for a message; until the next message unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Spanned<QuantityDef>>,
}

/// What is said of the simulated plant as a whole.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "Plant")]
pub struct PlantFields {
    /// What happens, and when.
    #[serde(default, skip_serializing_if = "is_default")]
    pub story: Vec<StoryDef>,
    /// The story begins again after this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Spanned<String>>,
}

/// Something that happens: `(at: "45s", until: "4min", target: "P-101.bearing.growth_rate", set: "0.01 1/s")`.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "Happens")]
pub struct StoryDef {
    pub at: Spanned<String>,
    /// The end of what does not happen at once; else it lasts until the story begins again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Spanned<String>>,
    /// A parameter or an input of a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<Spanned<QuantityDef>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Spanned<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add: Option<Spanned<QuantityDef>>,
    /// A repair of a model: `P-101.bearing.replace_bearing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<Spanned<String>>,
    /// A signal that is not reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Spanned<String>>,
}

/// The name of a plant that older programs had built in, or what is said of the plant.
#[derive(Clone, Debug, PartialEq)]
pub enum PlantDef {
    Named(String),
    Told(PlantFields),
}

/// Reads a type that is a text or the fields of a struct.
macro_rules! text_or_fields {
    ($type:ident, $name:literal, $fields:ident, $expecting:literal, $text:path, $told:expr, [$($field:literal),*]) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reader;
                impl<'de> Visitor<'de> for Reader {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expecting)
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<$type, E> {
                        Ok($text(text.to_owned()))
                    }

                    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<$type, A::Error> {
                        $fields::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map($told)
                    }
                }
                deserializer.deserialize_struct($name, &[$($field),*], Reader)
            }
        }
    };
}

text_or_fields!(
    MeasureDef,
    "Measure",
    MeasureFields,
    "an output such as \"flow\", or `(of: …)`",
    MeasureDef::Of,
    |fields| MeasureDef::Through(Box::new(fields)),
    ["of", "by", "noise", "relative_noise", "resolution", "bias", "range", "lag", "dead_time", "period"]
);
text_or_fields!(
    PlantDef,
    "Plant",
    PlantFields,
    "what happens in the plant: `(story: […])`",
    PlantDef::Named,
    PlantDef::Told,
    ["story", "repeats"]
);

impl Serialize for MeasureDef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            MeasureDef::Of(path) => serializer.serialize_str(path),
            MeasureDef::Through(fields) => fields.serialize(serializer),
        }
    }
}

impl Serialize for PlantDef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            PlantDef::Named(name) => serializer.serialize_str(name),
            PlantDef::Told(fields) => fields.serialize(serializer),
        }
    }
}
