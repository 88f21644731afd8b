//! Recordings that are opened again: what stands in them comes back, damaged ones as far as they go.

pub mod build;
mod damage;
mod hostile;

use std::path::PathBuf;

use pollux::record::read::{RawMessage, RecordingFile, Timeline, repair};
use pollux::record::unpack;
use pollux::value::Timestamp;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use build::{Built, Script, at, sent, write};

/// By reading everything and comparing: what must come between two moments.
fn expected(built: &[&Built], after: Timestamp, up_to: Timestamp) -> Vec<RawMessage> {
    let mut all: Vec<RawMessage> = built.iter().flat_map(|built| built.messages.iter().cloned()).collect();
    all.retain(|message| message.log_time > after && message.log_time <= up_to);
    all.sort_by_key(|message| message.log_time);
    all
}

fn open(paths: &[PathBuf]) -> Timeline {
    Timeline::open(paths).expect("a timeline")
}

fn read(timeline: &Timeline, after: Timestamp, up_to: Timestamp) -> Vec<RawMessage> {
    timeline.messages(after, up_to).collect::<Result<_, _>>().expect("messages")
}

#[test]
fn messages_keyframes_and_events_come_back_as_they_were_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    let built = write(&path, &Script { seconds: 40, ..Script::default() });
    let timeline = open(&[path]);
    let recording = &timeline.recordings()[0];

    assert_eq!(recording.damage().map(ToString::to_string), None);
    assert_eq!(recording.about(), Some(&built.about));
    assert_eq!(read(&timeline, Timestamp::MIN, Timestamp::MAX), expected(&[&built], Timestamp::MIN, Timestamp::MAX));
    assert_eq!(timeline.events().unwrap(), built.events);
    assert_eq!(timeline.keyframe_times(), built.keyframes.iter().map(|keyframe| keyframe.time).collect::<Vec<_>>());
    assert_eq!(timeline.first_keyframe().unwrap().as_ref(), built.keyframes.first());
    let (start, end) = timeline.bounds().unwrap();
    assert_eq!(start, built.keyframes[0].time.min(built.messages[0].log_time));
    assert!(built.messages.iter().all(|message| (start..=end).contains(&message.log_time)));

    let counts: u64 = recording.channels().iter().map(|channel| channel.count).sum();
    assert_eq!(counts, built.messages.len() as u64);
    assert_eq!(recording.event_count(), built.events.len() as u64);
    let density = timeline.density(200);
    let sum: i64 = density.iter().map(|count| i64::from(*count)).sum();
    assert!((sum - built.messages.len() as i64).abs() < 100, "{sum} of {}", built.messages.len());
}

#[test]
fn any_stretch_and_any_keyframe_is_what_a_linear_read_gives() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    let built = write(&path, &Script { seconds: 30, disorder_ms: 700, ..Script::default() });
    let timeline = open(&[path]);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for _ in 0..300 {
        let from = at(rng.random_range(-1_000..32_000));
        let to = Timestamp(from.0 + rng.random_range(0..6_000_000_000));
        assert_eq!(read(&timeline, from, to), expected(&[&built], from, to), "{from} to {to}");
        let keyframe = built.keyframes.iter().rfind(|keyframe| keyframe.time <= to);
        assert_eq!(timeline.keyframe_at(to).unwrap().as_ref(), keyframe, "{to}");
    }
}

#[test]
fn files_that_overlap_are_one_timeline() {
    let dir = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = (0..3).map(|n| dir.path().join(format!("{n}.mcap"))).collect();
    // The second begins before the first ends, the third after a gap.
    let starts = [0, 9_000, 40_000];
    let built: Vec<Built> = paths
        .iter()
        .zip(starts)
        .map(|(path, start_ms)| {
            write(path, &Script { start_ms, seconds: 12, seed: start_ms as u64, ..Script::default() })
        })
        .collect();
    let built: Vec<&Built> = built.iter().collect();
    let shuffled = [paths[2].clone(), paths[0].clone(), paths[1].clone(), paths[0].clone()];
    let timeline = open(&shuffled);

    assert_eq!(timeline.recordings().len(), 3, "a file that is named twice counts once");
    assert_eq!(read(&timeline, Timestamp::MIN, Timestamp::MAX), expected(&built, Timestamp::MIN, Timestamp::MAX));
    let (from, to) = (at(8_000), at(13_000));
    assert_eq!(read(&timeline, from, to), expected(&built, from, to));
    for ms in [0, 9_500, 12_500, 30_000, 41_000, 60_000] {
        let all = built.iter().flat_map(|built| &built.keyframes);
        let last = all.filter(|keyframe| keyframe.time <= at(ms)).map(|keyframe| keyframe.time).max();
        assert_eq!(timeline.keyframe_at(at(ms)).unwrap().map(|keyframe| keyframe.time), last);
    }
    let events = timeline.events().unwrap();
    assert_eq!(events.len(), built.iter().map(|built| built.events.len()).sum::<usize>());
    assert!(events.is_sorted_by(|a, b| a.id < b.id && a.received <= b.received), "numbered anew, in order of time");
}

#[test]
fn a_recording_that_was_not_finished_opens_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    let built = write(&path, &Script { seconds: 10, is_finished: false, ..Script::default() });
    let timeline = open(std::slice::from_ref(&path));
    assert_eq!(
        timeline.damage_text().as_deref(),
        Some("a.mcap: the recording was not finished; all that reached the file is there")
    );
    assert_eq!(timeline.about(), Some(&built.about));
    assert_eq!(read(&timeline, Timestamp::MIN, Timestamp::MAX), expected(&[&built], Timestamp::MIN, Timestamp::MAX));
    assert_eq!(timeline.events().unwrap(), built.events);
    assert_eq!(timeline.keyframe_times().len(), built.keyframes.len());

    let before = read(&timeline, Timestamp::MIN, Timestamp::MAX);
    let repaired = repair(&path).unwrap();
    assert!(repaired.was_damaged && repaired.cut_bytes == 0 && repaired.set_aside_bytes == 0, "{repaired:?}");
    let timeline = open(std::slice::from_ref(&path));
    assert_eq!(timeline.damage_text(), None);
    assert_eq!(read(&timeline, Timestamp::MIN, Timestamp::MAX), before);
    assert!(!repair(&path).unwrap().was_damaged, "a whole file is not touched");
}

#[test]
fn other_writers_files_open_too() {
    for script in [
        Script { is_chunked: false, ..Script::default() },
        Script { has_message_indexes: false, ..Script::default() },
        Script { has_summary: false, ..Script::default() },
        Script { compression: Some(mcap::Compression::Lz4), ..Script::default() },
        Script { compression: None, ..Script::default() },
        Script { has_about: false, ..Script::default() },
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.mcap");
        let built = write(&path, &script);
        let timeline = open(std::slice::from_ref(&path));
        assert_eq!(timeline.damage_text(), None, "{script:?}");
        assert_eq!(timeline.about().is_some(), script.has_about);
        let all = read(&timeline, Timestamp::MIN, Timestamp::MAX);
        assert_eq!(all, expected(&[&built], Timestamp::MIN, Timestamp::MAX), "{script:?}");
        assert_eq!(timeline.events().unwrap(), built.events, "{script:?}");
        assert_eq!(timeline.keyframe_at(at(7_000)).unwrap().as_ref(), {
            built.keyframes.iter().rfind(|keyframe| keyframe.time <= at(7_000))
        });
    }
}

#[test]
fn a_newer_format_is_refused_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    write(&path, &Script { format: "2.0".into(), ..Script::default() });
    let error = RecordingFile::open(&path).unwrap_err().to_string();
    assert!(
        error.ends_with("was written in format 2.0, this program reads format 1.1 and older: a newer Pollux reads it")
    );
    write(&path, &Script { format: "1.7".into(), ..Script::default() });
    RecordingFile::open(&path).expect("a newer minor version is read");
}

#[test]
fn the_scene_of_a_recording_is_unpacked_as_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    let files = [("scene/scene.ron", "old"), ("scene/models/pump.glb", "\u{1}\u{2}"), ("scene/scene.ron", "new")];
    let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    write(&path, &Script { files: files.to_vec(), ..Script::default() });
    let timeline = open(std::slice::from_ref(&path));
    let into = dir.path().join("unpacked");
    let scene = unpack(&timeline, &into).unwrap();
    assert_eq!(scene, into.join("scene/scene.ron"));
    assert_eq!(std::fs::read_to_string(scene).unwrap(), "new", "of the same name the last one counts");
    assert_eq!(std::fs::read(into.join("scene/models/pump.glb")).unwrap(), [1, 2]);
    assert_eq!(timeline.recordings()[0].attachment("nothing").unwrap_err().to_string(), {
        format!("{}: has no attachment `nothing`", path.display())
    });
}

#[test]
fn a_recording_unpacks_nothing_outside_of_its_folder() {
    let dir = tempfile::tempdir().unwrap();
    for evil in ["../../evil", "/etc/../../../evil", "..", "..\\..\\evil"] {
        let path = dir.path().join("a.mcap");
        let files = vec![("scene/scene.ron".to_owned(), b"()".to_vec()), (format!("scene/{evil}"), b"evil".to_vec())];
        write(&path, &Script { files, ..Script::default() });
        let into = dir.path().join("deep/er/unpacked");
        let error = unpack(&open(&[path]), &into).unwrap_err().to_string();
        assert!(error.contains("outside of its folder"), "{error}");
        assert!(!into.exists(), "nothing is written");
    }
}

#[test]
fn a_recording_without_a_scene_asks_for_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    write(&path, &Script { has_about: false, ..Script::default() });
    let error = unpack(&open(&[path]), &dir.path().join("unpacked")).unwrap_err().to_string();
    assert!(error.ends_with("holds no scene, as Pollux has not written it: name one"), "{error}");
}

#[test]
fn what_is_no_recording_is_refused_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    for bytes in [&b""[..], b"\x89MCAP", b"PK\x03\x04 and more of it"] {
        std::fs::write(&path, bytes).unwrap();
        let error = RecordingFile::open(&path).unwrap_err().to_string();
        assert!(error.ends_with("is no recording: it does not begin as an MCAP file does"), "{error}");
    }
    assert!(RecordingFile::open(dir.path()).unwrap_err().to_string().ends_with("is a folder; name a recording in it"));
    assert!(RecordingFile::open(&dir.path().join("none")).unwrap_err().to_string().contains("cannot be opened"));
    assert_eq!(Timeline::open(&[]).unwrap_err().to_string(), "no recording is named");
}

#[test]
fn sent_messages_keep_their_qos_and_retained_flag() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    let built = write(&path, &Script::default());
    let recording = RecordingFile::open(&path).unwrap();
    let of = |retained| recording.channels().iter().filter(move |channel| channel.retained == retained).count();
    assert!(of(true) > 0 && of(false) > 0);
    assert!(built.messages.iter().any(|message| message.qos == 2 && message.retained));
    assert_eq!(sent(&built, "hall/T-0").len(), {
        let of_topic = recording.channels().iter().filter(|channel| &*channel.topic == "hall/T-0");
        of_topic.map(|channel| channel.count as usize).sum::<usize>()
    });
}
