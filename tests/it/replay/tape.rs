//! A recording as the format describes it, written by hand: so that replay is tested without the recorder.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use mcap::records::MessageHeader;
use mcap::{Attachment, WriteOptions, Writer, records::Metadata};
use pollux::event::Event;
use pollux::ingest::Message;
use pollux::record::format::{self, About, Keyframe};
use pollux::value::Timestamp;

pub struct Tape {
    writer: Writer<BufWriter<File>>,
    channels: BTreeMap<(String, u8, bool), u16>,
    events: u16,
    keyframes: u16,
}

impl Tape {
    /// With the scene as its attachment.
    pub fn new(path: &Path, scene: &str, started: Timestamp) -> Self {
        let file = BufWriter::new(File::create(path).unwrap());
        let options = WriteOptions::new().profile(format::PROFILE).chunk_size(Some(64 << 10)).compression_threads(0);
        let mut writer = options.create(file).unwrap();
        let about = About {
            format: format!("{}.{}", format::VERSION.0, format::VERSION.1),
            version: "test".to_owned(),
            scene: "Test hall".to_owned(),
            scene_file: "scene/scene.ron".to_owned(),
            brokers: BTreeMap::from([("plant".to_owned(), "mqtt://127.0.0.1:1".to_owned())]),
            operator: "ada".to_owned(),
            started,
            started_wall: started,
        };
        writer.write_metadata(&Metadata { name: format::ABOUT.to_owned(), metadata: about.to_metadata() }).unwrap();
        let scene = Attachment {
            log_time: started.0 as u64,
            create_time: started.0 as u64,
            name: about.scene_file,
            media_type: "text/plain".to_owned(),
            data: Cow::Borrowed(scene.as_bytes()),
        };
        writer.attach(&scene).unwrap();
        let own = BTreeMap::new();
        let events = writer.add_channel(0, format::EVENTS_TOPIC, format::JSON, &own).unwrap();
        let keyframes = writer.add_channel(0, format::KEYFRAMES_TOPIC, format::JSON, &own).unwrap();
        Self { writer, channels: BTreeMap::new(), events, keyframes }
    }

    pub fn message(&mut self, message: &Message) {
        let Message { topic, payload, retained, qos, receive_time } = *message;
        let writer = &mut self.writer;
        let channel = *self.channels.entry((topic.to_owned(), qos, retained)).or_insert_with(|| {
            let about = BTreeMap::from([
                (format::BROKER.to_owned(), "plant".to_owned()),
                (format::QOS.to_owned(), qos.to_string()),
                (format::RETAINED.to_owned(), retained.to_string()),
            ]);
            writer.add_channel(0, topic, "", &about).unwrap()
        });
        self.write(channel, receive_time, receive_time, payload);
    }

    pub fn event(&mut self, event: &Event) {
        let text = serde_json::to_vec(event).unwrap();
        self.write(self.events, event.received, event.time, &text);
    }

    pub fn keyframe(&mut self, keyframe: &Keyframe) {
        self.writer.flush().unwrap();
        let text = serde_json::to_vec(keyframe).unwrap();
        self.write(self.keyframes, keyframe.time, keyframe.time, &text);
        self.writer.flush().unwrap();
    }

    fn write(&mut self, channel_id: u16, log_time: Timestamp, publish_time: Timestamp, data: &[u8]) {
        let (log_time, publish_time) = (log_time.0 as u64, publish_time.0 as u64);
        let header = MessageHeader { channel_id, sequence: 0, log_time, publish_time };
        self.writer.write_to_known_channel(&header, data).unwrap();
    }

    pub fn finish(mut self) {
        self.writer.finish().unwrap();
    }
}
