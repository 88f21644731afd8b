//! Recordings that were cut, bent and put together: they open as far as they are whole, and can be repaired.

use std::collections::BTreeSet;
use std::path::Path;

use mcap::MessageStream;
use pollux::record::read::{RawMessage, ReadError, Timeline, repair};
use pollux::value::Timestamp;
use proptest::prelude::*;

use super::build::{Built, Script, build};

type Key = (String, i64, Vec<u8>);

fn key(message: &RawMessage) -> Key {
    (message.topic.to_string(), message.log_time.0, message.payload.to_vec())
}

/// All that can be read, whatever comes: messages, events, keyframes, attachments.
fn read_all(path: &Path) -> Result<(Timeline, Vec<RawMessage>), ReadError> {
    let timeline = Timeline::open(&[path.to_owned()])?;
    timeline.events()?;
    for time in timeline.keyframe_times() {
        timeline.keyframe_at(time)?;
    }
    timeline.density(100);
    for recording in timeline.recordings() {
        let entries: BTreeSet<_> = recording.attachments().iter().map(|entry| entry.name.clone()).collect();
        for name in entries {
            // A damaged one is an error of its own.
            let _ = recording.attachment(&name);
        }
    }
    let messages = timeline.messages(Timestamp::MIN, Timestamp::MAX).collect::<Result<Vec<_>, _>>()?;
    Ok((timeline, messages))
}

/// What the `mcap` crate reads of plain messages, with its own checks.
fn by_the_crate(bytes: &[u8]) -> Vec<Key> {
    let summary = mcap::Summary::read(bytes).expect("a summary").expect("a summary");
    let stats = summary.stats.as_ref().expect("statistics");
    let mut indexed = 0;
    for chunk in &summary.chunk_indexes {
        for message in summary.stream_chunk(bytes, chunk).expect("a chunk") {
            message.expect("a message in a chunk");
            indexed += 1;
        }
        if !chunk.message_index_offsets.is_empty() {
            summary.read_message_indexes(bytes, chunk).expect("message indexes");
        }
    }
    for attachment in &summary.attachment_indexes {
        mcap::read::attachment(bytes, attachment).expect("an attachment");
    }
    for metadata in &summary.metadata_indexes {
        mcap::read::metadata(bytes, metadata).expect("metadata");
    }
    let all: Vec<_> = MessageStream::new(bytes).expect("a stream").map(|message| message.expect("a message")).collect();
    assert_eq!(all.len() as u64, stats.message_count, "statistics and messages");
    // Messages outside of chunks are in no index.
    assert!(indexed <= all.len(), "by the index {indexed}, from the front {}", all.len());
    let own = [pollux::record::format::EVENTS_TOPIC, pollux::record::format::KEYFRAMES_TOPIC];
    let plain = all.iter().filter(|message| !own.contains(&message.channel.topic.as_str()));
    plain.map(|message| (message.channel.topic.clone(), message.log_time as i64, message.data.to_vec())).collect()
}

fn small() -> Built {
    build(&Script { seconds: 7, messages_per_second: 8, chunk_size: 400, ..Script::default() })
}

#[test]
fn a_recording_cut_at_any_byte_opens_with_all_that_is_whole() {
    let built = small();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    let all: Vec<Key> = built.messages.iter().map(key).collect();
    let mut most = 0;
    for length in 0..built.bytes.len() {
        std::fs::write(&path, &built.bytes[..length]).unwrap();
        let (timeline, messages) = match read_all(&path) {
            Ok(read) => read,
            Err(error) => {
                assert!(length < 8, "cut at {length}: {error}");
                continue;
            }
        };
        assert!(timeline.damage_text().is_some(), "cut at {length}: nothing is said");
        let read: Vec<Key> = messages.iter().map(key).collect();
        assert_eq!(read, all[..read.len()], "cut at {length}");
        assert!(read.len() >= most, "cut at {length}: less is read than of a shorter file");
        most = read.len();
        if length % 5 == 0 {
            repair(&path).unwrap_or_else(|error| panic!("cut at {length}: {error}"));
            let repaired = std::fs::read(&path).unwrap();
            assert_eq!(by_the_crate(&repaired), read, "cut at {length}");
            let (timeline, again) = read_all(&path).unwrap();
            assert_eq!(timeline.damage_text(), None, "cut at {length}, repaired");
            assert_eq!(again, messages);
        }
    }
    assert_eq!(most, all.len());
}

#[test]
fn a_damaged_chunk_is_left_out_and_said_and_can_be_set_aside() {
    let built = small();
    let summary = mcap::Summary::read(&built.bytes).unwrap().unwrap();
    let mut chunks = summary.chunk_indexes.clone();
    chunks.retain(|chunk| chunk.message_index_offsets.len() > 1);
    let chunk = &chunks[chunks.len() / 2];
    let spoilt: usize = summary.stream_chunk(&built.bytes, chunk).unwrap().count();
    let mut bytes = built.bytes.clone();
    let middle = (chunk.compressed_data_offset().unwrap() + chunk.compressed_size / 2) as usize;
    bytes[middle] ^= 0x55;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    std::fs::write(&path, &bytes).unwrap();
    let (timeline, messages) = read_all(&path).unwrap();
    assert_eq!(messages.len(), built.messages.len() - spoilt);
    let damage = timeline.damage_text().unwrap();
    assert!(damage.starts_with("a.mcap: 1 piece is damaged and left out ("), "{damage}");

    let repaired = repair(&path).unwrap();
    assert!(repaired.was_damaged && repaired.cut_bytes == 0 && repaired.set_aside_bytes >= chunk.chunk_length);
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(by_the_crate(&bytes), messages.iter().map(key).collect::<Vec<_>>());
    let (timeline, again) = read_all(&path).unwrap();
    assert_eq!((timeline.damage_text(), again), (None, messages));
}

#[test]
fn a_damaged_chunk_that_told_of_channels_takes_nothing_else_along() {
    let built = small();
    let summary = mcap::Summary::read(&built.bytes).unwrap().unwrap();
    let first = summary.chunk_indexes.iter().find(|chunk| chunk.message_index_offsets.len() > 1).unwrap();
    let lost = summary.stream_chunk(&built.bytes, first).unwrap().count();
    let mut bytes = built.bytes.clone();
    bytes[(first.compressed_data_offset().unwrap() + 20) as usize] ^= 1;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    std::fs::write(&path, &bytes).unwrap();
    let (_, before) = read_all(&path).unwrap();
    assert_eq!(before.len(), built.messages.len() - lost, "the index knows all channels");
    let repaired = repair(&path).unwrap();
    let (timeline, after) = read_all(&path).unwrap();
    assert_eq!((timeline.damage_text(), after), (None, before.clone()));
    assert_eq!(by_the_crate(&std::fs::read(&path).unwrap()), before.iter().map(key).collect::<Vec<_>>());
    assert_eq!(std::fs::read(repaired.original.expect("the old file is kept")).unwrap(), bytes);
}

#[test]
fn a_file_written_anew_is_one_for_the_reader_from_pypi() {
    let built = small();
    let summary = mcap::Summary::read(&built.bytes).unwrap().unwrap();
    let chunk = summary.chunk_indexes.iter().filter(|chunk| chunk.message_index_offsets.len() > 1).nth(1).unwrap();
    let mut bytes = built.bytes.clone();
    bytes[(chunk.compressed_data_offset().unwrap() + 9) as usize] ^= 4;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    std::fs::write(&path, &bytes).unwrap();
    assert!(repair(&path).unwrap().original.is_some(), "a chunk is lost, so it was written anew");
    let kept = by_the_crate(&std::fs::read(&path).unwrap());
    let Some(found) = crate::record::reading::python(&path) else { return };
    let mut topics = std::collections::BTreeMap::<_, u64>::new();
    kept.iter().for_each(|(topic, _, _)| *topics.entry(topic.as_str()).or_default() += 1);
    let plain = found["topics"].as_object().unwrap().iter().filter(|(topic, _)| !topic.starts_with("$pollux/"));
    let plain: std::collections::BTreeMap<_, _> =
        plain.map(|(topic, n)| (topic.as_str(), n.as_u64().unwrap())).collect();
    assert_eq!(plain, topics);
    assert_eq!(found["bytes"], kept.iter().map(|(_, _, payload)| payload.len()).sum::<usize>());
}

#[test]
fn a_bent_word_of_what_the_file_says_of_itself_does_not_lock_the_others_up() {
    let built = small();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    let mut bytes = built.bytes.clone();
    let key = b"format\x03\0\0\0";
    let at = bytes.windows(key.len()).position(|window| window == key).unwrap() + key.len();
    assert_eq!(&bytes[at..at + 3], b"1.0");
    bytes[at] = b'9';
    std::fs::write(&path, &bytes).unwrap();
    let repaired = repair(&path).unwrap();
    assert_eq!(std::fs::read(repaired.original.expect("what is left out is kept")).unwrap(), bytes);
    let (timeline, messages) = read_all(&path).unwrap();
    assert_eq!((timeline.damage_text(), messages.len()), (None, built.messages.len()));
}

#[test]
fn what_repair_cuts_off_is_kept_when_it_is_much() {
    let built = small();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    let chunk = mcap::Summary::read(&built.bytes).unwrap().unwrap().chunk_indexes[3].clone();
    let mut bytes = built.bytes[..chunk.chunk_start_offset as usize].to_vec();
    bytes.resize(bytes.len() + (5 << 20), 0);
    std::fs::write(&path, &bytes).unwrap();
    let repaired = repair(&path).unwrap();
    assert_eq!(repaired.cut_bytes, 5 << 20);
    let rest = repaired.rest.expect("the rest is kept");
    assert_eq!(std::fs::metadata(&rest).unwrap().len(), 5 << 20);
    by_the_crate(&std::fs::read(&path).unwrap());
}

#[test]
fn a_recording_that_is_being_written_is_not_repaired() {
    let built = build(&Script { is_finished: false, ..Script::default() });
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    std::fs::write(&path, &built.bytes).unwrap();
    let writer = std::fs::File::options().append(true).open(&path).unwrap();
    writer.lock().unwrap();
    let error = repair(&path).unwrap_err().to_string();
    assert!(error.ends_with("cannot be opened: it is being written"), "{error}");
    drop(writer);
    assert!(repair(&path).unwrap().was_damaged);
}

#[test]
fn a_recording_that_grows_is_shown_as_far_as_it_is_and_is_not_repaired() {
    use pollux::record::{KeyframeBuilder, RecordOptions, Recorder, SceneFiles, format::About};
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    let clock = pollux::source::Clock::WALL;
    let recorder = Recorder::start(RecordOptions::new(&path), About::default(), SceneFiles::default(), clock).unwrap();
    let (time, scene) = (Timestamp::now(), std::sync::Arc::default());
    recorder.sink().keyframe(KeyframeBuilder::new(time, scene, Default::default(), Default::default()));
    let mut tap = recorder.tap("plant");
    for n in 0..10_u32 {
        let payload = n.to_string();
        let receive_time = Timestamp::now();
        let message = pollux::ingest::Message {
            topic: "hall/pump",
            payload: payload.as_bytes(),
            retained: false,
            qos: 0,
            receive_time,
        };
        tap(&message, None);
    }
    crate::live::program::wait_for(
        || (recorder.status().messages == 10).then_some(()),
        || format!("{:?}", recorder.status()),
    );
    let (timeline, messages) = read_all(&path).unwrap();
    assert_eq!(messages.len(), 10);
    let said = timeline.damage_text().expect("it is said");
    assert!(said.contains("it is still being written"), "{said}");
    let error = repair(&path).unwrap_err().to_string();
    assert!(error.ends_with("cannot be opened: it is being written"), "{error}");
    recorder.finish();
    assert_eq!(read_all(&path).unwrap().0.damage_text(), None);
    assert!(!repair(&path).unwrap().was_damaged);
}

/// Opens and reads damaged bytes; what comes must be of the originals. Then repairs them, and reads them again.
fn survive(bytes: &[u8], originals: &[&Built]) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    std::fs::write(&path, bytes).unwrap();
    let Ok((_, messages)) = read_all(&path) else {
        let _ = repair(&path);
        return;
    };
    if !originals.is_empty() {
        let all: BTreeSet<Key> = originals.iter().flat_map(|built| &built.messages).map(key).collect();
        // Topics of a bent channel record in an uncompressed stretch have no CRC; chunks do.
        for message in &messages {
            assert!(all.contains(&key(message)), "not written: {message:?}");
        }
    }
    repair(&path).unwrap();
    let (timeline, again) = read_all(&path).unwrap();
    assert_eq!(timeline.damage_text(), None, "repaired");
    by_the_crate(&std::fs::read(&path).unwrap());
    let kept: Vec<Key> = again.iter().map(key).collect();
    if let [original] = originals {
        let mut all = original.messages.iter().map(key);
        assert!(kept.iter().all(|message| all.any(|other| other == *message)), "not a part of the original in order");
        let same = bytes.iter().zip(&original.bytes).take_while(|(a, b)| a == b).count() as u64;
        let whole = before(original, same);
        assert!(
            kept.starts_with(&whole),
            "what stands before the first damage is there: {} of {}",
            kept.len(),
            whole.len()
        );
    }
}

/// Plain messages in chunks that end at or before a byte.
fn before(original: &Built, byte: u64) -> Vec<Key> {
    let mut count = 0;
    let mut at = mcap::MAGIC.len();
    let own = [pollux::record::format::EVENTS_TOPIC, pollux::record::format::KEYFRAMES_TOPIC];
    while let Some(head) = original.bytes.get(at..at + 9) {
        let end = at + 9 + u64::from_le_bytes(head[1..].try_into().unwrap()) as usize;
        if end as u64 > byte || head[0] == mcap::records::op::DATA_END {
            break;
        }
        at = end;
    }
    let mut bytes = original.bytes[..at].to_vec();
    bytes.extend([mcap::records::op::DATA_END, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let options = mcap::read::Options::IgnoreEndMagic;
    for message in MessageStream::new_with_options(&bytes, options.into()).unwrap().map_while(Result::ok) {
        count += usize::from(!own.contains(&message.channel.topic.as_str()));
    }
    original.messages.iter().take(count).map(key).collect()
}

fn damaged(count: usize) -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec((any::<prop::sample::Index>(), 1u8..=255), 1..count)
}

/// Where records begin, as long as they are whole.
fn records(bytes: &[u8]) -> Vec<usize> {
    let mut at = mcap::MAGIC.len();
    let mut found = Vec::new();
    while let Some(head) = bytes.get(at..at + 9) {
        found.push(at);
        at += 9 + u64::from_le_bytes(head[1..].try_into().unwrap()) as usize;
    }
    found
}

#[test]
fn a_record_with_one_bent_bit_in_its_opcode_is_not_taken_for_another() {
    for (is_finished, compression) in [(true, None), (false, None), (true, Some(mcap::Compression::Zstd))] {
        let script = Script {
            seconds: 4,
            messages_per_second: 6,
            chunk_size: 300,
            is_finished,
            compression,
            ..Script::default()
        };
        let built = build(&script);
        for at in records(&built.bytes) {
            for bit in 0..8 {
                let mut bytes = built.bytes.clone();
                bytes[at] ^= 1 << bit;
                println!("finished {is_finished}, opcode {:#x} at byte {at}, bit {bit}", built.bytes[at]);
                survive(&bytes, &[&built]);
            }
        }
    }
}

/// The beginning stays: without it nothing says that this is a recording.
fn bend(bytes: &mut [u8], flips: Vec<(prop::sample::Index, u8)>) {
    let (_, rest) = bytes.split_at_mut(mcap::MAGIC.len());
    for (place, bits) in flips {
        rest[place.index(rest.len())] ^= bits;
    }
}

/// `POLLUX_FUZZ_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("POLLUX_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1500)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bent_bytes_never_panic_and_invent_nothing(flips in damaged(6), is_finished: bool, is_compressed: bool) {
        let compression = is_compressed.then_some(mcap::Compression::Zstd);
        let script = Script { seconds: 6, messages_per_second: 6, chunk_size: 300, is_finished, compression, ..Script::default() };
        let built = build(&script);
        let mut bytes = built.bytes.clone();
        bend(&mut bytes, flips);
        survive(&bytes, &[&built]);
    }

    #[test]
    fn files_put_together_of_two_never_panic(
        first: prop::sample::Index,
        second: prop::sample::Index,
        flips in damaged(3),
        is_finished: bool,
        is_chunked: bool,
    ) {
        let one = build(&Script { seconds: 6, messages_per_second: 5, chunk_size: 300, is_chunked, ..Script::default() });
        let other = build(&Script { seconds: 6, messages_per_second: 5, chunk_size: 200, seed: 9, is_finished, ..Script::default() });
        let mut bytes = one.bytes[..first.index(one.bytes.len())].to_vec();
        bytes.extend(&other.bytes[second.index(other.bytes.len())..]);
        for (place, bits) in flips {
            let place = place.index(bytes.len());
            bytes[place] ^= bits;
        }
        survive(&bytes, &[]);
    }

    #[test]
    fn any_bytes_after_the_magic_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), ops in prop::collection::vec(1u8..16, 0..8)) {
        let mut file = mcap::MAGIC.to_vec();
        // Heads of records with bodies of noise.
        for (op, body) in ops.iter().zip(bytes.chunks(40)) {
            file.push(*op);
            file.extend((body.len() as u64).to_le_bytes());
            file.extend(body);
        }
        file.extend(&bytes);
        survive(&file, &[]);
    }
}
