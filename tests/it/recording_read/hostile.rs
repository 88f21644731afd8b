//! Files made to fill the memory: lengths that lie, chunks that grow. Opened by the program itself within a limit that the
//! system holds.

use std::path::Path;
use std::process::{Command, Output};

use super::build::{Script, build};

/// `pollux` with so much address space; a panic or an abort for lack of memory shows in the exit code.
fn limited(arguments: &[&str], path: &Path) -> Output {
    let command = format!("ulimit -v 1500000; exec \"{}\" \"$@\"", env!("CARGO_BIN_EXE_pollux"));
    Command::new("sh").args(["-c", &command, "sh"]).args(arguments).arg(path).output().unwrap()
}

/// Ends in order, whatever is in the file.
fn survives(name: &str, bytes: &[u8]) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    std::fs::write(&path, bytes).unwrap();
    for arguments in [&["info"][..], &["info", "--format", "json"], &["repair"], &["info"]] {
        let output = limited(arguments, &path);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 3)), "{name}, {arguments:?}: {:?} {error}", output.status);
    }
}

fn record(op: u8, length: u64, body: &[u8]) -> Vec<u8> {
    let mut record = vec![op];
    record.extend(length.to_le_bytes());
    record.extend(body);
    record
}

fn with_magic(records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = mcap::MAGIC.to_vec();
    records.iter().for_each(|record| bytes.extend(record));
    bytes
}

/// Times 1 and 2, then what it says of itself.
fn chunk(uncompressed: u64, compression: &str, compressed: u64, data: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(1u64.to_le_bytes());
    body.extend(2u64.to_le_bytes());
    body.extend(uncompressed.to_le_bytes());
    body.extend(0u32.to_le_bytes());
    body.extend((compression.len() as u32).to_le_bytes());
    body.extend(compression.as_bytes());
    body.extend(compressed.to_le_bytes());
    body.extend(data);
    record(6, body.len() as u64, &body)
}

#[test]
fn lengths_that_lie_take_no_memory() {
    let huge = u64::MAX - 7;
    survives("a record of 16 EiB", &with_magic(&[record(5, huge, b"x")]));
    survives("a string of 4 GiB", &with_magic(&[record(1, 8, &[255; 8])]));
    survives("a map of 4 GiB", &with_magic(&[record(12, 12, &[0, 0, 0, 0, 255, 255, 255, 255, 1, 0, 0, 0])]));
    for (uncompressed, compressed) in [(huge, 4), (4, huge), (1 << 40, 4), (250 << 20, 4)] {
        for compression in ["", "zstd", "lz4", "unheard of"] {
            let bytes = with_magic(&[chunk(uncompressed, compression, compressed, b"1234")]);
            survives(&format!("a chunk of {uncompressed} from {compressed}, {compression}"), &bytes);
        }
    }
    let mut attachment = vec![0; 16];
    attachment.extend([1, 0, 0, 0, b'a', 0, 0, 0, 0]);
    attachment.extend(huge.to_le_bytes());
    survives("an attachment of 16 EiB", &with_magic(&[record(9, attachment.len() as u64, &attachment)]));
}

#[test]
fn a_chunk_that_grows_without_end_is_refused() {
    // 3 GiB of one letter in one message, compressed to some hundred kB.
    let mut frame = std::io::Cursor::new(Vec::new());
    let options = mcap::WriteOptions::new().chunk_size(None).compression_threads(0).calculate_chunk_crcs(false);
    let mut writer = options.create(&mut frame).unwrap();
    let channel = writer.add_channel(0, "a", "", &Default::default()).unwrap();
    let header = mcap::records::MessageHeader { channel_id: channel, sequence: 0, log_time: 1, publish_time: 1 };
    let payload = vec![b'a'; 100 << 20];
    for _ in 0..8 {
        writer.write_to_known_channel(&header, &payload).unwrap();
    }
    writer.finish().unwrap();
    drop(writer);
    drop(payload);
    survives("800 MiB in a chunk", frame.get_ref());
}

#[test]
fn an_index_that_lies_is_not_believed() {
    let built = build(&Script { seconds: 6, ..Script::default() });
    let summary = mcap::Summary::read(&built.bytes).unwrap().unwrap();
    let footer = built.bytes.len() - 8 - 20;
    for (name, at, value) in [
        ("a summary that begins beyond the end", footer, u64::MAX),
        ("a summary that begins at the front", footer, 8),
        ("a summary in the middle of a chunk", footer, summary.chunk_indexes[2].chunk_start_offset + 3),
    ] {
        let mut bytes = built.bytes.clone();
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        // No CRC: what it says is all there is.
        let crc = bytes.len() - 12;
        bytes[crc..crc + 4].fill(0);
        survives(name, &bytes);
    }
}
