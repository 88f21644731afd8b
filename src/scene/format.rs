//! The scene file as it is written: plain data, one type per kind of bracket. In: nothing but serde. Out: the same.
//! Knows no rules beyond the shape; [`load`](super::load()) checks what the values mean.
//!
//! Version (1, 4): 1.1 added alarms, 1.2 `settle` and functions over a stretch of time, 1.3 models and ports of looks, 1.4
//! commands to equipment. A minor version may add fields that older programs can ignore; anything else is a new major one.

mod alarms;
mod commands;
mod models;
mod plant;

use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::resolved::{ColourScale, LinkKind, MqttVersion, TimeFormat, ValueKind};
use super::span::Spanned;

pub use alarms::{AlarmDef, CountDef, DeviationDef, PriorityDef, RateDef, ReferenceDef, ValueDef};
pub use commands::{CommandDef, ParameterDef, PieceDef, PieceFields, SignificanceDef, VerifyDef};
pub(super) use models::NAMED;
pub use models::{FeedDef, FeedFields, ModelDef, QuantityDef};
pub use plant::{MeasureDef, MeasureFields, MessageDef, PlantDef, PlantFields, StoryDef, WaveformDef};

/// The newest format version that this program reads and the one that it writes.
pub const VERSION: (u32, u32) = (1, 4);

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A map with text keys that keeps the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<T>(pub Vec<(Spanned<String>, T)>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Table<T> {
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(key, _)| key.value == name).map(|(_, value)| value)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.value.as_str())
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Table<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map `{\"name\": …}`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Table(entries))
            }
        }
        deserializer.deserialize_map(Reader(std::marker::PhantomData))
    }
}

/// A whole file: a scene, or a library that scenes use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Scene")]
pub struct SceneFile {
    /// (major, minor)
    pub format: Spanned<(u32, u32)>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub name: String,
    /// Files whose types, brokers and twins belong to this scene, relative to this file.
    #[serde(default, skip_serializing_if = "is_default")]
    pub uses: Vec<Spanned<String>>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub brokers: Table<BrokerDef>,
    /// Whether commands may be sent, for a scene that names no broker; others say it for each broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commands: Option<Spanned<bool>>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub types: Table<TypeDef>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub twins: Vec<TwinDef>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub links: Vec<LinkDef>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub views: Vec<ViewDef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plant: Option<Spanned<PlantDef>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Broker")]
pub struct BrokerDef {
    pub url: Spanned<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub version: MqttVersion,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub subscribe: Vec<Spanned<String>>,
    /// 0, 1 or 2; 1 unless given. It counts while connected: sessions are clean and all subscriptions are made anew on
    /// every connection, so what is published while the connection is down is not made up for at any of them; only
    /// retained messages come again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos: Option<Spanned<u64>>,
    /// `"30s"` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_alive: Option<Spanned<String>>,
    /// `"1 MiB"` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_packet: Option<Spanned<Size>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<CredentialsDef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Spanned<TlsDef>>,
    /// What the alarm on a lost connection says other than usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<Spanned<AlarmDef>>,
    /// Whether commands may be sent there, if the user allows it as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commands: Option<bool>,
}

/// Bytes as a number, or with a unit: `"1 MiB"`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Size {
    Bytes(u64),
    Text(String),
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Size;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes or a text such as \"1 MiB\"")
            }

            fn visit_u64<E: Error>(self, bytes: u64) -> Result<Size, E> {
                Ok(Size::Bytes(bytes))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
                Ok(Size::Text(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Credentials")]
pub enum CredentialsDef {
    /// Names of environment variables.
    Env { user: Spanned<String>, password: Spanned<String> },
    /// A file of two lines, relative to the scene.
    File(Spanned<String>),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Tls")]
pub struct TlsDef {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Type")]
pub struct TypeDef {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<Spanned<String>>,
    /// Defaults for placeholders in topics; twins may give their own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub params: Table<Spanned<String>>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub signals: Table<SignalDef>,
    /// Alarms of the twin itself: expressions over its signals.
    #[serde(default, skip_serializing_if = "is_default")]
    pub alarms: Table<AlarmDef>,
    /// What its equipment can be told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub commands: Table<CommandDef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<LookDef>,
    /// How it behaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelDef>,
    /// Several models that make the machine together, by names of their own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub models: Table<ModelDef>,
    /// What the inputs of its models follow: `speed`, or `bearing.speed` of one of several.
    #[serde(default, skip_serializing_if = "is_default")]
    pub inputs: Table<Spanned<FeedDef>>,
    /// How the messages of a topic go out when it is simulated, by the topic as signals say it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub messages: Table<MessageDef>,
}

/// A signal of a type, or what a subtype or a twin changes in it: every field may be left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Signal")]
pub struct SignalDef {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Spanned<String>>,
    /// The unit in the payload, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_unit: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Spanned<ValueKind>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker: Option<Spanned<String>>,
    /// With placeholders: `hall/{id}/telemetry`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<Spanned<String>>,
    /// A JSON pointer (RFC 6901) into the payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Spanned<String>>,
    /// The whole payload is one value of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Spanned<ValueKind>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Spanned<TimeDef>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Spanned<(f64, f64)>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Spanned<LimitsDef>>,
    /// An expression over other signals, instead of `topic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<Spanned<String>>,
    /// What it sees of the twin's models: `flow`, or `bearing.temperature` of one of several, and by what instrument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measures: Option<Spanned<MeasureDef>>,
    /// With `derived`: how long to wait for the other inputs when one has a new sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle: Option<Spanned<String>>,
    /// Besides those that `limits` make; `"high"` and the like refine the alarm of the limit.
    #[serde(default, skip_serializing_if = "is_default")]
    pub alarms: Table<AlarmDef>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Time")]
pub struct TimeDef {
    pub json: Spanned<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub format: TimeFormat,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Limits")]
pub struct LimitsDef {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_low: Option<Spanned<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<Spanned<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<Spanned<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high_high: Option<Spanned<f64>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Look")]
pub struct LookDef {
    /// A glTF file, relative to the file that names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub parts: Vec<Spanned<PartDef>>,
    /// At which node of the model a link to a port ends, where the node has another name: `{"inlet": "product"}`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ports: Table<Spanned<String>>,
}

/// A direction in the frame of the model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Axis {
    X,
    Y,
    Z,
    Direction(f32, f32, f32),
}

/// A node of the model bound to a signal. `node` left out is the whole model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Part")]
pub enum PartDef {
    Spin {
        #[serde(default)]
        node: String,
        by: Spanned<String>,
        /// Y unless given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        axis: Option<Axis>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ratio: Option<f32>,
    },
    Slide {
        #[serde(default)]
        node: String,
        by: Spanned<String>,
        /// X unless given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        axis: Option<Axis>,
        /// The signal's range unless given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<(f64, f64)>,
        to: (f32, f32),
    },
    Rotate {
        #[serde(default)]
        node: String,
        by: Spanned<String>,
        /// Y unless given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        axis: Option<Axis>,
    },
    Tint {
        #[serde(default)]
        node: String,
        by: Spanned<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<(f64, f64)>,
        #[serde(default)]
        scale: ColourScale,
    },
    Fill {
        #[serde(default)]
        node: String,
        by: Spanned<String>,
        /// Y unless given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        axis: Option<Axis>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<(f64, f64)>,
    },
    Emit {
        #[serde(default)]
        node: String,
        by: Spanned<String>,
        /// Linear RGB.
        colour: (f32, f32, f32),
        /// (0, 1) for booleans, the signal's range for numbers, unless given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<(f64, f64)>,
    },
    Show {
        #[serde(default)]
        node: String,
        by: Spanned<String>,
        /// 0.5 unless given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        above: Option<f64>,
    },
    Label {
        #[serde(default)]
        node: String,
        by: Spanned<String>,
        /// 1 unless given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decimals: Option<u8>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Twin")]
pub struct TwinDef {
    pub id: Spanned<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub name: String,
    #[serde(rename = "type")]
    pub type_name: Spanned<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub area: String,
    /// Metres: x east, y up, z south.
    #[serde(default, skip_serializing_if = "is_default")]
    pub at: (f32, f32, f32),
    /// Degrees about the vertical axis, counter-clockwise seen from above.
    #[serde(default, skip_serializing_if = "is_default")]
    pub facing: f32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Spanned<f32>>,
    /// What placeholders stand for, besides `{id}`, `{type}` and `{signal}`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub params: Table<Spanned<String>>,
    /// What this twin changes in the signals of its type.
    #[serde(default, skip_serializing_if = "is_default")]
    pub signals: Table<SignalDef>,
    /// What this twin changes in the alarms of its type, and its own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub alarms: Table<AlarmDef>,
    /// What this twin changes in the commands of its type, and its own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub commands: Table<CommandDef>,
    /// What this twin changes in the models of its type: `kv`, or `bearing.wear` of one of several.
    #[serde(default, skip_serializing_if = "is_default")]
    pub parameters: Table<Spanned<QuantityDef>>,
    /// What the inputs of its models follow.
    #[serde(default, skip_serializing_if = "is_default")]
    pub inputs: Table<Spanned<FeedDef>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Link")]
pub struct LinkDef {
    /// `T-100.outlet` or `T-100`.
    pub from: Spanned<String>,
    pub to: Spanned<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub kind: LinkKind,
    /// What flows between two ports of liquid: `water` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fluid: Option<Spanned<String>>,
    /// Between two ports of heat: `"20 W/K"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conductance: Option<Spanned<QuantityDef>>,
    /// A machine between the two ports: `Pipe(length: "12 m", diameter: "80 mm")`, `Conveyor(speed: "0.4 m/s")`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelDef>,
    /// How other parts of the scene name that machine, as they name a twin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Spanned<String>>,
    /// What its inputs follow.
    #[serde(default, skip_serializing_if = "is_default")]
    pub inputs: Table<Spanned<FeedDef>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "View")]
pub struct ViewDef {
    pub name: Spanned<String>,
    pub eye: (f32, f32, f32),
    pub target: (f32, f32, f32),
}
