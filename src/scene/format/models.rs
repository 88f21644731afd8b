//! Models as scenes write them: `CentrifugalPump(rated_flow: "60 m3/h")`. In: nothing but serde. Out: the same.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeStructVariant, Serializer};

use super::Table;
use crate::scene::span::Spanned;

/// A model by its name, and what is said of it: parameters, lists, its step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelDef {
    pub name: Spanned<String>,
    pub fields: Table<Spanned<QuantityDef>>,
}

/// A number without a unit, a text such as `"60 m3/h"`, a switch, or the rows of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum QuantityDef {
    Number(f64),
    Flag(bool),
    Text(String),
    Rows(Vec<QuantityDef>),
}

/// What an input follows: a quantity that stays, the path of an output, or more to say.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedDef {
    Quantity(QuantityDef),
    From(Box<FeedFields>),
}

/// `(from: "T-200.level", delayed: true)`, `(file: "demand.csv", of: "demand", unit: "m3/h")`; and what it follows where
/// its source is not simulated: `(from: "LIC-100.output", signal: "position", command: "LIC-100.output")`.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "Feed")]
pub struct FeedFields {
    /// A quantity that stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Spanned<QuantityDef>>,
    /// An output: `T-200.level`, `P-101.bearing.temperature`; placeholders as in topics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Spanned<String>>,
    /// An expression over outputs in the units of their models; its value is in the input's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Spanned<String>>,
    /// A table of text (CSV) or a recording, from the folder of the scene on. Its times count from the start of the
    /// simulation: dates from the first on, times of day from midnight, plain numbers in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Spanned<String>>,
    /// What of the file: the name of a column, or the path of a recorded signal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Spanned<String>>,
    /// Of a column; recorded signals have theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Spanned<String>>,
    /// The file begins again after this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Spanned<String>>,
    /// Of `from` and `file`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// Of `from` and `file`, in the unit of the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<Spanned<QuantityDef>>,
    /// As the output was one instant before: breaks a loop.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delayed: bool,
    /// The measured signal that it follows where the real plant is watched: `speed`, `P-101.speed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<Spanned<String>>,
    /// The signal that it follows where somebody else commands the simulated plant; its topic is theirs then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Spanned<String>>,
}

/// Asks our own deserializer for a name and named fields; others cannot hand them over.
pub(in crate::scene) const NAMED: &str = "$pollux::Named";

impl<'de> Deserialize<'de> for ModelDef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = ModelDef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a model such as `Tank(area: \"2 m2\")`")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ModelDef, A::Error> {
                let name = seq.next_element()?.ok_or_else(|| A::Error::custom("the model's name is missing"))?;
                let fields = seq.next_element()?.unwrap_or_default();
                Ok(ModelDef { name, fields })
            }
        }
        deserializer.deserialize_newtype_struct(NAMED, Reader)
    }
}

impl Serialize for ModelDef {
    /// As a variant: serde wants names that live for ever, which those of the catalogue do.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let unknown = |what: &str| serde::ser::Error::custom(format!("there is no {what} to be written"));
        let model = crate::model::model(&self.name).ok_or_else(|| unknown(&self.name))?.description();
        let known = model.parameters.iter().map(|one| one.name).chain(model.tables.iter().map(|one| one.name));
        let known: Vec<&'static str> = known.chain(["step"]).collect();
        let mut written = serializer.serialize_struct_variant("Model", 0, model.name, self.fields.0.len())?;
        for (name, value) in &self.fields.0 {
            let name = known.iter().find(|known| **known == name.value).ok_or_else(|| unknown(name))?;
            written.serialize_field(name, value)?;
        }
        written.end()
    }
}

impl QuantityDef {
    /// As text: `5 cm`, `0.3`, `true`.
    pub fn told(&self) -> String {
        match self {
            Self::Number(x) => x.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Text(text) => text.clone(),
            Self::Rows(rows) => format!("[{}]", rows.iter().map(Self::told).collect::<Vec<_>>().join(", ")),
        }
    }
}

impl<'de> Deserialize<'de> for QuantityDef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QuantityReader)
    }
}

struct QuantityReader;

impl<'de> Visitor<'de> for QuantityReader {
    type Value = QuantityDef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity such as \"60 m3/h\", a number, true or false, or a list")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<QuantityDef, E> {
        Ok(QuantityDef::Flag(flag))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<QuantityDef, E> {
        Ok(QuantityDef::Number(number as f64))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<QuantityDef, E> {
        Ok(QuantityDef::Number(number as f64))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<QuantityDef, E> {
        Ok(QuantityDef::Number(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<QuantityDef, E> {
        Ok(QuantityDef::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<QuantityDef, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element()? {
            rows.push(row);
        }
        Ok(QuantityDef::Rows(rows))
    }
}

impl Serialize for QuantityDef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            QuantityDef::Number(x) => serializer.serialize_f64(*x),
            QuantityDef::Flag(flag) => serializer.serialize_bool(*flag),
            QuantityDef::Text(text) => serializer.serialize_str(text),
            QuantityDef::Rows(rows) => serializer.collect_seq(rows),
        }
    }
}

impl<'de> Deserialize<'de> for FeedDef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = FeedDef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an output such as \"T-200.level\", a quantity, or `(from: …)`")
            }

            fn visit_bool<E: Error>(self, flag: bool) -> Result<FeedDef, E> {
                QuantityReader.visit_bool(flag).map(FeedDef::Quantity)
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<FeedDef, E> {
                QuantityReader.visit_u64(number).map(FeedDef::Quantity)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<FeedDef, E> {
                QuantityReader.visit_i64(number).map(FeedDef::Quantity)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<FeedDef, E> {
                QuantityReader.visit_f64(number).map(FeedDef::Quantity)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<FeedDef, E> {
                QuantityReader.visit_str(text).map(FeedDef::Quantity)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FeedDef, A::Error> {
                FeedFields::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                    .map(|fields| FeedDef::From(Box::new(fields)))
            }
        }
        const FIELDS: &[&str] = &[
            "value", "from", "by", "file", "of", "unit", "repeats", "scale", "offset", "delayed", "signal", "command",
        ];
        deserializer.deserialize_struct("Feed", FIELDS, Reader)
    }
}

impl Serialize for FeedDef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            FeedDef::Quantity(quantity) => quantity.serialize(serializer),
            FeedDef::From(fields) => fields.serialize(serializer),
        }
    }
}
