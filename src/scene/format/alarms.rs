//! Alarms as they are written in a scene: plain data. Every field may be left out, as a subtype or a twin may say any
//! part of an alarm; what must be there at the end is checked by `alarms`.
//!
//! ```text
//! "vibration": (…, limits: (high: 4.5), alarms: {
//!     "high":   (deadband: 0.3, on_delay: "2s", priority: High, cause: "Bearing wear"),   // refines the limit's alarm
//!     "rising": (rate: (above: 0.5, per: "1min", over: "30s", direction: Rising), count: (needed: 3, of: 5, within: "30s")),
//!     "silent": (stale: true, priority: Low),
//! })
//! ```

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

use crate::scene::rule::{Direction, Priority};
use crate::scene::span::Spanned;

/// An alarm, or what a subtype or a twin changes in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Alarm")]
pub struct AlarmDef {
    /// `false` takes the alarm away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<Spanned<bool>>,

    /// The signal is above this value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<Spanned<f64>>,
    /// The signal is below this value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Spanned<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Spanned<RateDef>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<Spanned<DeviationDef>>,
    /// The signal has one of these values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<Spanned<Vec<Spanned<ValueDef>>>>,
    /// The signal has none of these values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_not: Option<Spanned<Vec<Spanned<ValueDef>>>>,
    /// This expression is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Spanned<String>>,
    /// The signal has expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<Spanned<bool>>,
    /// The signal's newest sample cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bad: Option<Spanned<bool>>,

    /// How far back the value must go before the alarm clears, in the unit of the condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadband: Option<Spanned<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_delay: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off_delay: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<Spanned<CountDef>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latching: Option<Spanned<bool>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Spanned<PriorityDef>>,
    /// While this expression is true, the alarm is suppressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Spanned<String>>,

    /// Instead of the message that is made from the condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consequence: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub respond_within: Option<Spanned<String>>,
}

/// Rises or falls by more than `above` in the time `per`, taken over at least the time `over`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Rate")]
pub struct RateDef {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<Spanned<f64>>,
    /// `"1s"` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Spanned<String>>,
    /// Either unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Spanned<Direction>>,
}

/// Differs by more than `above` from a number or from another signal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Deviation")]
pub struct DeviationDef {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Spanned<ReferenceDef>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<Spanned<f64>>,
}

/// At least `needed` of the latest `of` samples, none older than `within`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Count")]
pub struct CountDef {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<Spanned<u64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Spanned<u64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Spanned<String>>,
}

/// As [`Priority`], in the words of a scene.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "Priority")]
pub enum PriorityDef {
    Critical,
    High,
    #[default]
    Medium,
    Low,
}

impl From<PriorityDef> for Priority {
    fn from(def: PriorityDef) -> Self {
        match def {
            PriorityDef::Critical => Priority::Critical,
            PriorityDef::High => Priority::High,
            PriorityDef::Medium => Priority::Medium,
            PriorityDef::Low => Priority::Low,
        }
    }
}

/// A number, or the name of a signal: `"command"` of the same twin, `"V-101.position"` of another.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ReferenceDef {
    Number(f64),
    Signal(String),
}

impl<'de> Deserialize<'de> for ReferenceDef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = ReferenceDef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or the name of a signal")
            }

            fn visit_f64<E: Error>(self, x: f64) -> Result<ReferenceDef, E> {
                Ok(ReferenceDef::Number(x))
            }

            fn visit_u64<E: Error>(self, x: u64) -> Result<ReferenceDef, E> {
                Ok(ReferenceDef::Number(x as f64))
            }

            fn visit_i64<E: Error>(self, x: i64) -> Result<ReferenceDef, E> {
                Ok(ReferenceDef::Number(x as f64))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<ReferenceDef, E> {
                Ok(ReferenceDef::Signal(name.to_owned()))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// A value that a signal may have.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ValueDef {
    Bool(bool),
    Number(f64),
    Text(String),
}

impl<'de> Deserialize<'de> for ValueDef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = ValueDef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, true or false")
            }

            fn visit_bool<E: Error>(self, b: bool) -> Result<ValueDef, E> {
                Ok(ValueDef::Bool(b))
            }

            fn visit_f64<E: Error>(self, x: f64) -> Result<ValueDef, E> {
                Ok(ValueDef::Number(x))
            }

            fn visit_u64<E: Error>(self, x: u64) -> Result<ValueDef, E> {
                Ok(ValueDef::Number(x as f64))
            }

            fn visit_i64<E: Error>(self, x: i64) -> Result<ValueDef, E> {
                Ok(ValueDef::Number(x as f64))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ValueDef, E> {
                Ok(ValueDef::Text(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}
