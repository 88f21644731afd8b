//! What other people's readers find in a recording: the `mcap` crate's, and the one that PyPI has for Python.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use mcap::read::{LinearReader, MessageStream, Options};
use pollux::event::Event;
use pollux::record::format::{EVENTS_TOPIC, KEYFRAMES_TOPIC, Keyframe};

use crate::broker;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Heard {
    pub topic: String,
    pub qos: String,
    pub retained: String,
    pub payload: Vec<u8>,
    pub encoding: String,
    pub log_time: u64,
    pub publish_time: u64,
    pub sequence: u32,
}

#[derive(Default)]
pub struct Read {
    /// Of the plant, in the order of the file.
    pub messages: Vec<Heard>,
    pub events: Vec<Event>,
    pub keyframes: Vec<Keyframe>,
    pub attachments: BTreeMap<String, Vec<u8>>,
    pub metadata: BTreeMap<String, BTreeMap<String, String>>,
    /// Why it could not be read to the end.
    pub broken: Option<String>,
}

impl Read {
    /// Linear, with CRCs, as far as it goes; a file without an end is no error.
    pub fn file(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let mut read = Self::default();
        let options = Options::IgnoreEndMagic | Options::ValidateChunkCrcs;
        for message in MessageStream::new_with_options(&bytes, options).expect("a beginning") {
            let message = match message {
                Ok(message) => message,
                Err(error) => {
                    read.broken = Some(error.to_string());
                    break;
                }
            };
            match message.channel.topic.as_str() {
                EVENTS_TOPIC => read.events.push(serde_json::from_slice(&message.data).expect("an event")),
                KEYFRAMES_TOPIC => read.keyframes.push(serde_json::from_slice(&message.data).expect("a keyframe")),
                topic => {
                    let said = |key: &str| message.channel.metadata[key].clone();
                    read.messages.push(Heard {
                        topic: topic.to_owned(),
                        qos: said("qos"),
                        retained: said("retained"),
                        payload: message.data.to_vec(),
                        encoding: message.channel.message_encoding.clone(),
                        log_time: message.log_time,
                        publish_time: message.publish_time,
                        sequence: message.sequence,
                    });
                }
            }
        }
        for record in
            LinearReader::new_with_options(&bytes, Options::IgnoreEndMagic.into()).unwrap().map_while(Result::ok)
        {
            match record {
                mcap::records::Record::Attachment { header, data, .. } => {
                    read.attachments.insert(header.name, data.into_owned());
                }
                mcap::records::Record::Metadata(metadata) => {
                    read.metadata.insert(metadata.name, metadata.metadata);
                }
                _ => {}
            }
        }
        read
    }

    /// Messages of each channel are counted without a hole.
    pub fn assert_sequences(&self) {
        let mut next: BTreeMap<_, u32> = BTreeMap::new();
        for heard in &self.messages {
            let next = next.entry((&heard.topic, &heard.qos, &heard.retained)).or_default();
            assert_eq!(heard.sequence, *next, "{}", heard.topic);
            *next += 1;
        }
    }
}

/// Reads a finished file as a whole: by its index with the `mcap` crate, and with Python's `mcap`, which must find the same.
pub fn check_whole(path: &Path) -> Read {
    let bytes = std::fs::read(path).unwrap();
    let summary = mcap::Summary::read(&bytes).expect("a summary").expect("a summary");
    let statistics = summary.stats.expect("statistics");
    let read = Read::file(path);
    assert_eq!(read.broken, None, "{}", path.display());
    read.assert_sequences();
    let all = read.messages.len() + read.events.len() + read.keyframes.len();
    assert_eq!(statistics.message_count, all as u64, "{}", path.display());
    if let Some(python) = python(path) {
        let mut topics: BTreeMap<String, u64> = BTreeMap::new();
        for heard in &read.messages {
            *topics.entry(heard.topic.clone()).or_default() += 1;
        }
        topics.extend(Some((EVENTS_TOPIC.to_owned(), read.events.len() as u64)).filter(|(_, n)| *n > 0));
        topics.extend(Some((KEYFRAMES_TOPIC.to_owned(), read.keyframes.len() as u64)).filter(|(_, n)| *n > 0));
        let bytes: u64 = read.messages.iter().map(|heard| heard.payload.len() as u64).sum();
        assert_eq!(python["topics"], serde_json::json!(topics), "{}", path.display());
        assert_eq!(python["bytes"], serde_json::json!(bytes));
        assert_eq!(python["attachments"], serde_json::json!(read.attachments.keys().collect::<Vec<_>>()));
        assert_eq!(python["metadata"], serde_json::json!(read.metadata));
    }
    read
}

/// What the reader from PyPI finds; none if it is not installed.
pub fn python(path: &Path) -> Option<serde_json::Value> {
    let modules = broker::clients().join("python");
    let python = |code: &str| Command::new("python3").env("PYTHONPATH", &modules).args(["-c", code]).arg(path).output();
    let there = python("import mcap.reader, zstandard").is_ok_and(|output| output.status.success());
    if !broker::has("mcap (Python)", there) {
        return None;
    }
    let script = r#"
import collections, json, sys
from mcap.reader import make_reader
with open(sys.argv[1], "rb") as file:
    reader = make_reader(file, validate_crcs=True)
    topics, size = collections.Counter(), 0
    for schema, channel, message in reader.iter_messages():
        topics[channel.topic] += 1
        if not channel.topic.startswith("$pollux/"):
            size += len(message.data)
            assert channel.metadata["broker"] and channel.metadata["qos"] in "012", channel.metadata
    statistics = reader.get_summary().statistics
    assert statistics.message_count == sum(topics.values()), statistics
    attachments = sorted({attachment.name for attachment in reader.iter_attachments()})
    metadata = {record.name: record.metadata for record in reader.iter_metadata()}
    print(json.dumps({"topics": topics, "bytes": size, "attachments": attachments, "metadata": metadata}))
"#;
    let output = python(script).unwrap();
    assert!(output.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}
