//! Recordings as the format says they are, written with the `mcap` crate alone: what the reader is measured against.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use mcap::records::{MessageHeader, Metadata};
use mcap::{Attachment, Compression, WriteOptions, Writer};
use pollux::event::{Event, Kind};
use pollux::record::format::{self, About, Keyframe, KnownSample};
use pollux::record::read::RawMessage;
use pollux::value::{Quality, Timestamp, Value};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Changes what a keyframe says.
pub type Change = fn(&mut Keyframe);

/// What to write.
#[derive(Clone, Debug)]
pub struct Script {
    pub seed: u64,
    /// After [`at`]`(0)`.
    pub start_ms: i64,
    pub seconds: i64,
    pub messages_per_second: usize,
    /// Log times go back and forth by as much.
    pub disorder_ms: i64,
    pub chunk_size: u64,
    pub compression: Option<Compression>,
    pub is_finished: bool,
    pub is_chunked: bool,
    pub has_message_indexes: bool,
    pub has_summary: bool,
    pub has_about: bool,
    pub format: String,
    /// Attachments.
    pub files: Vec<(String, Vec<u8>)>,
    pub keyframes: Option<Change>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            seed: 1,
            start_ms: 0,
            seconds: 12,
            messages_per_second: 40,
            disorder_ms: 0,
            chunk_size: 2_000,
            compression: Some(Compression::Zstd),
            is_finished: true,
            is_chunked: true,
            has_message_indexes: true,
            has_summary: true,
            has_about: true,
            format: "1.0".into(),
            files: vec![("scene/scene.ron".into(), b"(name: \"hall\")".to_vec())],
            keyframes: None,
        }
    }
}

/// What was written, in the order of the file.
pub struct Built {
    pub about: About,
    pub messages: Vec<RawMessage>,
    pub events: Vec<Event>,
    pub keyframes: Vec<Keyframe>,
    pub bytes: Vec<u8>,
}

/// A moment of the recordings here.
pub fn at(ms: i64) -> Timestamp {
    Timestamp(1_780_000_000_000_000_000 + ms * 1_000_000)
}

/// The messages on one topic.
pub fn sent<'b>(built: &'b Built, topic: &str) -> Vec<&'b RawMessage> {
    built.messages.iter().filter(|message| &*message.topic == topic).collect()
}

pub fn write(path: &Path, script: &Script) -> Built {
    let built = build(script);
    std::fs::write(path, &built.bytes).unwrap();
    built
}

pub fn build(script: &Script) -> Built {
    let options = WriteOptions::new()
        .profile(if script.has_about { format::PROFILE } else { "" })
        .chunk_size(Some(script.chunk_size))
        .compression(script.compression)
        .compression_threads(0)
        .use_chunks(script.is_chunked)
        .emit_message_indexes(script.has_message_indexes)
        .emit_summary_records(script.has_summary)
        .emit_summary_offsets(script.has_summary);
    let about = About {
        format: script.format.clone(),
        version: "0.1.0".into(),
        scene: "hall".into(),
        scene_file: "scene/scene.ron".into(),
        brokers: BTreeMap::from([("plant".into(), "mqtt://localhost:1883".into())]),
        operator: "ada".into(),
        started: at(script.start_ms),
        started_wall: at(script.start_ms),
    };
    let mut build = Build {
        writer: Writer::with_options(Cursor::new(Vec::new()), options).unwrap(),
        is_chunked: script.is_chunked,
        built: Built { about, messages: Vec::new(), events: Vec::new(), keyframes: Vec::new(), bytes: Vec::new() },
    };
    if script.has_about {
        let metadata = Metadata { name: format::ABOUT.into(), metadata: build.built.about.to_metadata() };
        build.writer.write_metadata(&metadata).unwrap();
    }
    for (name, data) in &script.files {
        let time = at(script.start_ms).0 as u64;
        let media_type = "text/plain".to_owned();
        let attachment =
            Attachment { log_time: time, create_time: time, name: name.clone(), media_type, data: data.into() };
        build.writer.attach(&attachment).unwrap();
    }
    build.run(script);
    let Build { mut writer, mut built, .. } = build;
    writer.flush().unwrap();
    if script.is_finished {
        writer.finish().unwrap();
    }
    built.bytes = writer.into_inner().into_inner();
    built
}

struct Build {
    writer: Writer<Cursor<Vec<u8>>>,
    is_chunked: bool,
    built: Built,
}

impl Build {
    fn run(&mut self, script: &Script) {
        let mut rng = ChaCha8Rng::seed_from_u64(script.seed);
        for second in 0..script.seconds {
            let begin = script.start_ms + second * 1000;
            if second % 5 == 0 {
                self.keyframe(at(begin), script.keyframes);
            }
            let mut moments: Vec<i64> = (0..script.messages_per_second).map(|_| rng.random_range(1..1000)).collect();
            moments.sort_unstable();
            for ms in moments {
                let back = rng.random_range(0..=script.disorder_ms);
                self.message(at(begin + ms - back), &mut rng);
            }
            if second % 3 == 1 {
                self.flush();
                self.event(at(begin + 900), "looked at the pump");
                self.event(at(begin + 950), "it leaks");
            }
            self.flush();
        }
    }

    /// Ends the chunk, so that what comes stands in one of its own.
    fn flush(&mut self) {
        if self.is_chunked {
            self.writer.flush().unwrap();
        }
    }

    fn put(&mut self, channel: u16, sequence: usize, log: Timestamp, publish: Timestamp, data: &[u8]) {
        let header = MessageHeader {
            channel_id: channel,
            sequence: sequence as u32,
            log_time: log.0 as u64,
            publish_time: publish.0 as u64,
        };
        self.writer.write_to_known_channel(&header, data).unwrap();
    }

    fn message(&mut self, log_time: Timestamp, rng: &mut ChaCha8Rng) {
        let twin = rng.random_range(0..6);
        let (qos, retained) = if twin == 5 { (2, true) } else { (twin % 2, false) };
        let is_json = twin != 4;
        let (encoding, schema) = match is_json {
            true => (format::JSON, (format::JSON_SCHEMA_NAME, format::JSON_SCHEMA_ENCODING, format::JSON_SCHEMA)),
            false => ("", ("", "", &b""[..])),
        };
        let payload = match is_json {
            true => format!("{{\"flow\":{},\"n\":{}}}", rng.random::<f64>(), rng.random::<u32>()),
            false => format!("{:x}", rng.random::<u128>()),
        };
        let topic = format!("hall/T-{twin}");
        let schema = if is_json { self.writer.add_schema(schema.0, schema.1, schema.2).unwrap() } else { 0 };
        let metadata = BTreeMap::from([
            (format::BROKER.to_owned(), "plant".to_owned()),
            (format::QOS.to_owned(), qos.to_string()),
            (format::RETAINED.to_owned(), retained.to_string()),
        ]);
        let channel = self.writer.add_channel(schema, &topic, encoding, &metadata).unwrap();
        let publish_time = log_time - Duration::from_millis(3);
        self.put(channel, self.built.messages.len(), log_time, publish_time, payload.as_bytes());
        self.built.messages.push(RawMessage {
            topic: topic.into(),
            broker: "plant".into(),
            qos,
            retained,
            encoding: encoding.into(),
            log_time,
            publish_time,
            payload: Bytes::from(payload),
        });
    }

    fn own(&mut self, topic: &str) -> u16 {
        self.writer.add_channel(0, topic, format::JSON, &BTreeMap::new()).unwrap()
    }

    fn event(&mut self, time: Timestamp, text: &str) {
        let id = self.built.events.len() as u64 + 1;
        let kind = Kind::Note { text: text.to_owned() };
        let event =
            Event { id, time, received: time, twin: Some("T-1".into()), by: None, comment: String::new(), kind };
        let channel = self.own(format::EVENTS_TOPIC);
        self.put(channel, id as usize, time, time, &serde_json::to_vec(&event).unwrap());
        self.built.events.push(event);
    }

    fn keyframe(&mut self, time: Timestamp, change: Option<Change>) {
        let known =
            |value| KnownSample { source_time: time, receive_time: time, value, quality: Quality::GOOD, origin: None };
        let signals = BTreeMap::from([
            ("flow".to_owned(), vec![known(Value::Number(self.built.messages.len() as f64 / 3.0))]),
            ("runs".to_owned(), vec![known(Value::Bool(true))]),
        ]);
        let signals = BTreeMap::from([("T-1".to_owned(), signals)]);
        let mut keyframe = Keyframe { time, signals, ..Keyframe::default() };
        change.iter().for_each(|change| change(&mut keyframe));
        self.flush();
        let channel = self.own(format::KEYFRAMES_TOPIC);
        self.put(channel, self.built.keyframes.len(), time, time, &serde_json::to_vec(&keyframe).unwrap());
        self.flush();
        self.built.keyframes.push(keyframe);
    }
}
