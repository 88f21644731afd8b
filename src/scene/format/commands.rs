//! Commands to equipment as they are written in a scene: plain data. Every field may be left out, as a subtype or a twin
//! may say any part of a command; what must be there at the end is checked by `commands`.
//!
//! ```text
//! commands: {
//!     "set_speed": (
//!         about: "Sets the speed of the drive",
//!         parameters: {"speed": (unit: "Hz", low: 0, high: 50, default: 30)},
//!         significance: Watch,
//!         constraints: ["mode == \"AUTO\"", "signal(\"T-100.level\") > 0.5"],
//!         topic: "hall/{id}/command",
//!         json: {"/speed": (parameter: "speed", unit: "rpm"), "/source": "pollux"},
//!         verify: (that: "abs(set_speed - parameter_speed) < 0.5", within: "5s"),
//!     ),
//! }
//! ```

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::{Table, ValueDef, is_default};
use crate::scene::resolved::ValueKind;
use crate::scene::span::Spanned;

/// A command, or what a subtype or a twin changes in it.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "Command")]
pub struct CommandDef {
    /// `false` takes the command away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<Spanned<bool>>,
    /// What it does, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub parameters: Table<ParameterDef>,
    /// `Routine` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub significance: Option<Spanned<SignificanceDef>>,
    /// Expressions that must all be true when it is sent; a subtype or a twin says them whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker: Option<Spanned<String>>,
    /// With placeholders: `hall/{id}/command`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<Spanned<String>>,
    /// What stands where in a JSON payload, by JSON pointer (RFC 6901).
    #[serde(default, skip_serializing_if = "is_default")]
    pub json: Table<Spanned<PieceDef>>,
    /// The whole payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Spanned<PieceDef>>,
    /// 0, 1 or 2; 1 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos: Option<Spanned<u64>>,
    /// How long it stays armed: `"30s"` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arming: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Spanned<VerifyDef>>,
}

/// What a command is told: a number with a range, true or false, or one of some texts.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "Parameter")]
pub struct ParameterDef {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Spanned<String>>,
    /// `Number` unless given, or `Text` where `one_of` says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Spanned<ValueKind>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<Spanned<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<Spanned<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Spanned<Vec<Spanned<String>>>>,
    /// Taken where none is given; without it a value must be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Spanned<ValueDef>>,
}

/// How much a command may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "Significance")]
pub enum SignificanceDef {
    #[default]
    Routine,
    Watch,
    Warning,
    Critical,
}

/// How it is seen that a command was obeyed: a condition that becomes true, or an answer.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "Verify")]
pub struct VerifyDef {
    /// An expression over signals and parameters that becomes true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub that: Option<Spanned<String>>,
    /// The topic of an answer, with placeholders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Spanned<String>>,
    /// Where in the answer the verdict stands; the whole payload unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Spanned<String>>,
    /// What stands there where the command was obeyed; anything else says that it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Spanned<ValueDef>>,
    /// Where in the answer the `{token}` of the command stands; answers to others are passed over. Empty: anywhere in the
    /// text of the answer, and what stands beside it is the verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Spanned<String>>,
    /// From when it was sent: `"10s"` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Spanned<String>>,
}

/// A part of a payload: a constant, or `(parameter: "speed", unit: "rpm")`. A text may hold placeholders as topics do;
/// `{token}` in it is another text in each command.
#[derive(Clone, Debug, PartialEq)]
pub enum PieceDef {
    Constant(ValueDef),
    Parameter(Box<PieceFields>),
}

/// `(parameter: "speed", unit: "rpm")`
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "Piece")]
pub struct PieceFields {
    pub parameter: Spanned<String>,
    /// The unit that the equipment wants, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Spanned<String>>,
}

impl<'de> Deserialize<'de> for PieceDef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = PieceDef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, true, false, or `(parameter: \"…\")`")
            }

            fn visit_bool<E: Error>(self, flag: bool) -> Result<PieceDef, E> {
                Ok(PieceDef::Constant(ValueDef::Bool(flag)))
            }

            fn visit_f64<E: Error>(self, x: f64) -> Result<PieceDef, E> {
                Ok(PieceDef::Constant(ValueDef::Number(x)))
            }

            fn visit_u64<E: Error>(self, x: u64) -> Result<PieceDef, E> {
                Ok(PieceDef::Constant(ValueDef::Number(x as f64)))
            }

            fn visit_i64<E: Error>(self, x: i64) -> Result<PieceDef, E> {
                Ok(PieceDef::Constant(ValueDef::Number(x as f64)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<PieceDef, E> {
                Ok(PieceDef::Constant(ValueDef::Text(text.to_owned())))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PieceDef, A::Error> {
                PieceFields::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                    .map(|fields| PieceDef::Parameter(Box::new(fields)))
            }
        }
        deserializer.deserialize_struct("Piece", &["parameter", "unit"], Reader)
    }
}

impl Serialize for PieceDef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            PieceDef::Constant(value) => value.serialize(serializer),
            PieceDef::Parameter(fields) => fields.serialize(serializer),
        }
    }
}
