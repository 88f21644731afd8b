//! Samples: the value of a signal at one time, with its quality and origin. Plain data; never reads a clock.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use super::Timestamp;

/// The dense index of a signal in the loaded [`Scene`](crate::scene::Scene): `scene.signals[index]`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct SignalIndex(pub u32);

/// The dense index of a twin in the loaded [`Scene`](crate::scene::Scene): `scene.twins[index]`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TwinIndex(pub u32);

/// A layer that lies beside the shown world, for as long as it does; another one never has the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LayerId(pub u32);

impl SignalIndex {
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

impl TwinIndex {
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// One measured, derived or simulated value. In files a JSON number, boolean or text; a number that is not finite is
/// `null` there, and NaN when it is read again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// In the unit of the signal.
    Number(#[serde(deserialize_with = "number_or_nan")] f64),
    Bool(bool),
    Text(#[serde(with = "shared_text")] Arc<str>),
}

/// JSON has no NaN: serde_json writes `null`.
fn number_or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

mod shared_text {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
        Ok(String::deserialize(deserializer)?.into())
    }
}

impl Value {
    /// The value as a number: booleans are 0 and 1, text is none.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Number(x) => Some(*x),
            Value::Bool(b) => Some(f64::from(u8::from(*b))),
            Value::Text(_) => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(x) => x.fmt(f),
            Value::Bool(b) => b.fmt(f),
            Value::Text(t) => t.fmt(f),
        }
    }
}

/// How far a value can be trusted. Ordered from best to worst.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    Good,
    Uncertain,
    Stale,
    #[default]
    Bad,
}

/// Why a value is not `Good`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nothing to complain about.
    None,
    /// No sample has ever arrived.
    #[default]
    NeverSeen,
    /// No sample within the signal's `expires`.
    Expired,
    /// Outside the signal's `range`.
    OutOfRange,
    /// The payload could not be decoded.
    DecodeError,
    /// Not a finite number.
    NotFinite,
    /// An input of a derived signal is missing, stale or bad.
    Input,
    /// The expression of a derived signal failed.
    Expression,
    /// The broker delivered it as retained: it may be old.
    Retained,
    /// The source says so itself (a quality code in the payload, a death certificate).
    Source,
    /// An integer with more digits than a number here holds.
    Rounded,
}

impl Reason {
    pub fn text(self) -> &'static str {
        match self {
            Reason::None => "",
            Reason::NeverSeen => "never seen",
            Reason::Expired => "expired",
            Reason::OutOfRange => "out of range",
            Reason::DecodeError => "cannot be decoded",
            Reason::NotFinite => "not a finite number",
            Reason::Input => "an input is not good",
            Reason::Expression => "expression failed",
            Reason::Retained => "retained by the broker",
            Reason::Source => "reported by the source",
            Reason::Rounded => "more digits than a number holds",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Quality {
    pub grade: Grade,
    pub reason: Reason,
}

impl Quality {
    pub const GOOD: Quality = Quality { grade: Grade::Good, reason: Reason::None };
    pub const NEVER_SEEN: Quality = Quality { grade: Grade::Bad, reason: Reason::NeverSeen };

    pub const fn uncertain(reason: Reason) -> Self {
        Self { grade: Grade::Uncertain, reason }
    }

    pub const fn stale(reason: Reason) -> Self {
        Self { grade: Grade::Stale, reason }
    }

    pub const fn bad(reason: Reason) -> Self {
        Self { grade: Grade::Bad, reason }
    }

    /// Whether the sample carries a value of its own. Where a payload could not be read, the sample stands for the
    /// moment, and its value for nothing.
    pub fn has_value(self) -> bool {
        self.grade != Grade::Bad
            || !matches!(self.reason, Reason::DecodeError | Reason::Source | Reason::Expression | Reason::NotFinite)
    }

    pub fn is_good(&self) -> bool {
        self.grade == Grade::Good
    }
}

impl fmt::Display for Quality {
    /// `Good`, `Stale (expired)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Reason::None => write!(f, "{:?}", self.grade),
            reason => write!(f, "{:?} ({})", self.grade, reason.text()),
        }
    }
}

/// Where a value comes from. Ordered from certain to uncertain: a value computed from others has the least certain of
/// their origins, and is derived at least.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A source has sent it.
    #[default]
    Measured,
    /// Computed from measured values.
    Derived,
    /// From a model in the place of a machine, or changed by a fault that somebody injected.
    Simulated,
    /// What a model takes to be true.
    Estimated,
    /// Of a moment that had not come.
    Forecast,
}

impl Origin {
    /// As in files: `measured`.
    pub const fn name(self) -> &'static str {
        match self {
            Origin::Measured => "measured",
            Origin::Derived => "derived",
            Origin::Simulated => "simulated",
            Origin::Estimated => "estimated",
            Origin::Forecast => "forecast",
        }
    }

    /// What must be said wherever the value is seen; nothing of what was measured, or derived from that.
    pub const fn mark(self) -> Option<Origin> {
        match self {
            Origin::Measured | Origin::Derived => None,
            Origin::Simulated | Origin::Estimated | Origin::Forecast => Some(self),
        }
    }
}

/// One value of one signal at one moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Sample {
    pub signal: SignalIndex,
    /// When it was true, as the source says (else the receive time). Orders data.
    pub source_time: Timestamp,
    /// When it reached this program. Judges staleness.
    pub receive_time: Timestamp,
    pub value: Value,
    pub quality: Quality,
    pub origin: Origin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_takes_no_more_than_48_bytes() {
        assert_eq!(size_of::<Sample>(), 48, "batches of samples are copied by the million");
    }

    #[test]
    fn an_origin_has_the_same_name_in_tables_and_in_json() {
        let all = [Origin::Measured, Origin::Derived, Origin::Simulated, Origin::Estimated, Origin::Forecast];
        for origin in all {
            assert_eq!(serde_json::to_value(origin).unwrap(), origin.name());
        }
        assert!(all.is_sorted());
        assert_eq!(
            all.map(Origin::mark),
            [None, None, Some(Origin::Simulated), Some(Origin::Estimated), Some(Origin::Forecast)]
        );
    }
}
