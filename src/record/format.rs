//! What stands where in a recording. Written once here, so that writer and reader cannot disagree.
//!
//! A recording is an MCAP file, chunked, compressed with zstd, with CRCs:
//!
//! - **Messages** as they came: one channel per topic, broker, QoS and retained flag, the payload unchanged. `log_time`
//!   is the receive time, `publish_time` the source time of the message's first sample (the receive time if it has
//!   none, or if nothing is bound to the topic), `sequence` counts the messages of a channel. The channel's metadata
//!   say [`BROKER`], [`QOS`] and [`RETAINED`]. Encoding `json` with the schema [`JSON_SCHEMA_NAME`] where the first
//!   payload of a channel is JSON, so that other tools can plot it; else an empty encoding without a schema.
//! - **Events** on [`EVENTS_TOPIC`]: JSON, each an [`Event`](crate::event::Event). `log_time` is when it became known,
//!   `publish_time` when it happened.
//! - **Keyframes** on [`KEYFRAMES_TOPIC`]: JSON, each a [`Keyframe`]; `log_time` is its moment t in the one order of all that
//!   is learnt. It says what is known after all messages, answers of producers and operators' deeds with a time at or before
//!   t, and after all deadlines at or before t; and of nothing after.
//! - **The memory of producers** stands in keyframes. States of up to [`LARGE_STATE`](super::LARGE_STATE) bytes are in each;
//!   larger ones in the first keyframe of each file, and then a minute after the last that had them or later, and not before
//!   the messages since then weigh as much as they do. A keyframe that lacks some is *partial*: it names those that it lacks,
//!   and stands on a channel of the same topic whose metadata say [`PARTIAL`], so that the index tells it from a full one. A
//!   replay that needs the memory of producers begins at a full keyframe.
//! - **Forecasts** on [`FORECASTS_TOPIC`]: JSON, each a [`RecordedForecast`](super::RecordedForecast). `log_time` is when it was
//!   issued, `publish_time` the source time of the newest data that it knew. A keyframe says when the newest forecast of
//!   each signal was issued: a reader finds those that show at its moment without looking through all before.
//! - **Samples of costly producers** on [`PRODUCED_TOPIC`]: JSON, each a [`ProducedSamples`](super::ProducedSamples).
//!   `log_time` is the place in the one order, `publish_time` the source time of the first sample. Its broker is
//!   [`PRODUCERS`], so that its place among messages of one moment is by that name, as theirs is.
//! - Keyframes stand in chunks of their own, and so do the events of a second, its forecasts and its samples of producers:
//!   reading these decompresses nothing else.
//! - **Attachments** at the front: the files of the scene and of its models, under [`SCENE_PREFIX`] with their paths from
//!   the folder that all of them have in common, so that they find each other wherever that folder is made anew. After a
//!   reload the new files follow; of those with the same name the last one counts for what comes after.
//! - **Metadata** at the front: [`ABOUT`], with [`About`]'s fields by their names: texts as they are, `brokers` as JSON.
//!   Never a credential. MCAP gives metadata no CRC of their own: [`CHECKSUM`] tells a bent field from a true one.
//!
//! **The one order** of messages: by `log_time`, then by the name of the broker, then as they stand in the file, which is as
//! they arrived.
//!
//! Version 1.1 has added the memory of producers, forecasts, samples of producers, and the origin of samples. Files of
//! version 1.0 have none of these, and their samples are measured, or derived where their signal is.
//!
//! What lies over live data is not in a recording: the messages are those that came, and keyframes are of the true world.
//! Events of the kinds `fault_set` and `fault_cleared` say what lay over it from when to when, so that it can be made again.
//!
//! Topics that begin with `$` are the broker's own in MQTT (5.0, section 4.7.2): no topic of a plant can be mistaken for
//! one of Pollux.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::states;
use crate::alarm::KeptAlarms;
use crate::produce::ProducerState;
use crate::scene::Signal;
use crate::value::{Origin, Quality, Sample, Timestamp, Value};

/// In the header of the file.
pub const PROFILE: &str = "pollux";
/// (major, minor): a newer minor may be read, a newer major not.
pub const VERSION: (u32, u32) = (1, 1);

pub const EVENTS_TOPIC: &str = "$pollux/events";
pub const KEYFRAMES_TOPIC: &str = "$pollux/keyframes";
pub const FORECASTS_TOPIC: &str = "$pollux/forecasts";
pub const PRODUCED_TOPIC: &str = "$pollux/produced";

/// The broker that samples of costly producers come from, as it were. No broker has this name: `#` is not allowed there.
pub const PRODUCERS: &str = "#producers";

/// Keys of a channel's metadata.
pub const BROKER: &str = "broker";
pub const QOS: &str = "qos";
/// `true` or `false`.
pub const RETAINED: &str = "retained";
/// The name among the producers of a keyframe under which the state of the session's simulated plant stands, as
/// [`Plant::taken_up`](crate::plant::Plant::taken_up) reads it; a second older than the keyframe at most. No producer has
/// a name with this sign.
pub const PLANT: &str = "#plant";
/// Of a channel of keyframes: `true` where they lack the large states of producers.
pub const PARTIAL: &str = "partial";

/// The schema of payloads that are JSON; nothing else is known of them.
pub const JSON_SCHEMA_NAME: &str = "mqtt.json";
pub const JSON_SCHEMA_ENCODING: &str = "jsonschema";
pub const JSON_SCHEMA: &[u8] = br#"{"title":"mqtt.json"}"#;
pub const JSON: &str = "json";

/// The name of the metadata record.
pub const ABOUT: &str = "pollux";
/// Key in the metadata record: CRC-32 of all other entries in the order of their keys, each key and value followed by a
/// zero byte, as eight hexadecimal digits. Files of before have none, and are believed.
pub const CHECKSUM: &str = "checksum";
/// Of an attachment's name: a file of the scene, or one that looks refer to.
pub const SCENE_PREFIX: &str = "scene/";

/// Where a recording comes from.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct About {
    /// `1.0`, of this format.
    pub format: String,
    /// Of the program that wrote it.
    pub version: String,
    /// The scene's name, and the attachment to load it from: `scene/bottling/scene.ron`.
    pub scene: String,
    pub scene_file: String,
    /// Name → address without credentials.
    pub brokers: BTreeMap<String, String>,
    /// Who was at the controls.
    pub operator: String,
    /// When the file was begun, on the session's clock and on the wall's: they differ for a plant at another speed.
    pub started: Timestamp,
    pub started_wall: Timestamp,
}

impl About {
    /// As the metadata record holds it.
    pub fn to_metadata(&self) -> BTreeMap<String, String> {
        let fields = match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        };
        let plain = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        let mut metadata = fields.into_iter().map(|(name, value)| (name, plain(value))).collect();
        let checksum = checksum(&metadata);
        metadata.insert(CHECKSUM.to_owned(), checksum);
        metadata
    }

    /// None if a field is missing or cannot be read, or the checksum is wrong; unknown ones are of a newer minor version.
    pub fn from_metadata(metadata: &BTreeMap<String, String>) -> Option<Self> {
        if metadata.get(CHECKSUM).is_some_and(|said| *said != checksum(metadata)) {
            return None;
        }
        let field = |(name, text): (&String, &String)| {
            let value = match name.as_str() {
                "brokers" => serde_json::from_str(text).ok()?,
                _ => serde_json::Value::String(text.clone()),
            };
            Some((name.clone(), value))
        };
        let fields: Option<serde_json::Map<_, _>> = metadata.iter().map(field).collect();
        serde_json::from_value(fields?.into()).ok()
    }
}

/// As [`CHECKSUM`] says.
fn checksum(metadata: &BTreeMap<String, String>) -> String {
    let mut hasher = crc32fast::Hasher::new();
    for (key, value) in metadata.iter().filter(|(key, _)| *key != CHECKSUM) {
        for text in [key, value] {
            hasher.update(text.as_bytes());
            hasher.update(&[0]);
        }
    }
    format!("{:08x}", hasher.finalize())
}

/// All that was known at one moment.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Keyframe {
    pub time: Timestamp,
    /// Twin → signal → what must be known of it, oldest first: the newest sample, and before it the newest with a value of
    /// its own, if the newest has none. Derived signals stand here as measured ones do. Signals without a sample are
    /// left out.
    pub signals: BTreeMap<String, BTreeMap<String, Vec<KnownSample>>>,
    pub alarms: KeptAlarms,
    /// What producers remember, by names such as `P-101.efficiency`; and [`PLANT`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "states")]
    pub producers: BTreeMap<String, ProducerState>,
    /// Producers whose memory is left out, as it is large and stands in an earlier keyframe.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<String>,
    /// Twin → signal → when its newest forecast was issued, which is in the recording.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub forecasts: BTreeMap<String, BTreeMap<String, Timestamp>>,
}

impl Keyframe {
    /// Whether the memory of all producers is in it.
    pub fn is_full(&self) -> bool {
        self.lacks.is_empty()
    }

    /// How many bytes the large states of producers have.
    pub(super) fn large_bytes(&self) -> usize {
        self.producers.values().filter(|state| states::is_large(state)).map(|state| state.data.len()).sum()
    }

    /// Leaves the large states of producers out, and says of which.
    pub fn leave_out_large(&mut self) {
        let large = self.producers.extract_if(.., |_, state| states::is_large(state));
        self.lacks.extend(large.map(|(name, _)| name));
        self.lacks.sort_unstable();
    }
}

/// A sample without its signal.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KnownSample {
    pub source_time: Timestamp,
    pub receive_time: Timestamp,
    pub value: Value,
    #[serde(default = "good", skip_serializing_if = "Quality::is_good")]
    pub quality: Quality,
    /// None: as the signal's samples usually are, derived or measured. Files of format 1.0 have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl KnownSample {
    /// A sample of `signal`.
    pub fn of(sample: Sample, signal: &Signal) -> Self {
        let Sample { signal: _, source_time, receive_time, value, quality, origin } = sample;
        let origin = Some(origin).filter(|origin| *origin != signal.usual_origin());
        Self { source_time, receive_time, value, quality, origin }
    }

    /// The sample that it is of `signal`.
    pub fn sample(&self, signal: &Signal) -> Sample {
        Sample {
            signal: signal.index,
            source_time: self.source_time,
            receive_time: self.receive_time,
            value: self.value.clone(),
            quality: self.quality,
            origin: self.origin.unwrap_or_else(|| signal.usual_origin()),
        }
    }
}

fn good() -> Quality {
    Quality::GOOD
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Reason;

    #[test]
    fn what_a_recording_says_about_itself_survives_as_metadata() {
        let about = About {
            format: "1.0".into(),
            scene: "Hall \"1\"".into(),
            brokers: [("plant".to_owned(), "mqtt://localhost:1883".to_owned())].into(),
            started: Timestamp(1_795_415_400_000_000_001),
            ..About::default()
        };
        let mut metadata = about.to_metadata();
        assert_eq!(metadata["brokers"], r#"{"plant":"mqtt://localhost:1883"}"#);
        assert_eq!(About::from_metadata(&metadata).as_ref(), Some(&about));
        metadata.insert("format".into(), "9.0".into());
        assert_eq!(About::from_metadata(&metadata), None, "bent, and the checksum tells");
        metadata.insert("format".into(), "1.0".into());
        metadata.insert("invented_later".into(), "x".into());
        metadata.insert(CHECKSUM.into(), checksum(&metadata));
        assert_eq!(About::from_metadata(&metadata).as_ref(), Some(&about));
        metadata.remove(CHECKSUM);
        assert_eq!(About::from_metadata(&metadata), Some(about), "of before there were checksums");
        metadata.remove("started");
        assert_eq!(About::from_metadata(&metadata), None);
    }

    #[test]
    fn a_keyframe_survives_its_file_bit_by_bit() {
        let known = |value, quality| KnownSample {
            source_time: Timestamp(1),
            receive_time: Timestamp(2),
            value,
            quality,
            origin: None,
        };
        let samples = vec![
            known(Value::Number(0.1 + 0.2), Quality::GOOD),
            known(Value::Number(5e-324), Quality::uncertain(Reason::Retained)),
            known(Value::Bool(true), Quality::stale(Reason::Expired)),
            known(Value::Text("12.5".into()), Quality::GOOD),
        ];
        let signals = BTreeMap::from([("flow".to_owned(), samples)]);
        let keyframe = Keyframe {
            time: Timestamp(3),
            signals: BTreeMap::from([("P-101".to_owned(), signals)]),
            ..Keyframe::default()
        };
        let text = serde_json::to_string(&keyframe).expect("JSON");
        assert_eq!(serde_json::from_str::<Keyframe>(&text).expect("a keyframe"), keyframe);
        // As format 1.0 had it.
        let old = r#"{"source_time":"1970-01-01T00:00:01Z","receive_time":"1970-01-01T00:00:02Z","value":1.5}"#;
        let old: KnownSample = serde_json::from_str(old).expect("a sample");
        assert_eq!((old.origin, old.quality), (None, Quality::GOOD));
        // What has no number of its own has none afterwards.
        let text =
            serde_json::to_string(&known(Value::Number(f64::NAN), Quality::bad(Reason::NotFinite))).expect("JSON");
        let read: KnownSample = serde_json::from_str(&text).expect("a sample");
        assert!(matches!(read.value, Value::Number(x) if x.is_nan()));
    }

    fn state(bytes: usize) -> ProducerState {
        ProducerState { version: 2, data: (0..bytes).map(|byte| byte as u8).collect() }
    }

    #[test]
    fn the_memory_of_producers_survives_and_a_large_one_may_be_left_out() {
        let large = super::super::LARGE_STATE + 1;
        let states = [("P-101.mean", 3), ("P-101.twin", large), ("P-102.none", 0), ("P-102.twin", large)];
        let producers: BTreeMap<_, _> =
            states.into_iter().map(|(name, bytes)| (name.to_owned(), state(bytes))).collect();
        let mut keyframe = Keyframe { producers: producers.clone(), ..Keyframe::default() };
        let read = |keyframe: &Keyframe| -> Keyframe {
            serde_json::from_str(&serde_json::to_string(keyframe).unwrap()).expect("a keyframe")
        };
        assert_eq!(read(&keyframe), keyframe);
        assert!(keyframe.is_full());
        assert_eq!(keyframe.large_bytes(), 2 * large);
        keyframe.leave_out_large();
        assert_eq!(keyframe.lacks, ["P-101.twin", "P-102.twin"]);
        assert_eq!(keyframe.producers.keys().collect::<Vec<_>>(), ["P-101.mean", "P-102.none"]);
        assert!(!keyframe.is_full() && read(&keyframe) == keyframe);
    }

    #[test]
    fn a_keyframe_without_producers_and_forecasts_is_written_as_version_1_0_wrote_it() {
        let text = r#"{"time":"1970-01-01T00:00:03Z","signals":{},"alarms":{"alarms":[]}}"#;
        let keyframe: Keyframe = serde_json::from_str(text).expect("a keyframe");
        assert!(keyframe.is_full() && keyframe.producers.is_empty() && keyframe.forecasts.is_empty());
        assert_eq!(serde_json::to_string(&keyframe).unwrap(), text);
    }
}
