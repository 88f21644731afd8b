use super::*;
use crate::event::Kind;
use serde_json::json;
use std::time::Instant;

const LIMIT: Duration = Duration::from_secs(20);

fn at(secs: i64) -> Timestamp {
    Timestamp(secs * 1_000_000_000)
}

fn note(id: u64) -> Arc<Event> {
    let kind = Kind::Note { text: format!("note {id}") };
    Arc::new(Event { id, time: at(1), received: at(2), twin: None, by: None, comment: String::new(), kind })
}

fn alarm(name: &str, n: u64) -> [(String, AlarmSnapshot); 1] {
    [(name.to_owned(), json!({ "activations": n }))]
}

fn quick() -> Options {
    Options { retry: Duration::from_millis(20), ..Options::default() }
}

#[expect(clippy::disallowed_methods, reason = "bounds how long a test waits")]
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < LIMIT, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_was_handed_over_is_there_after_a_restart_and_the_pause_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/er/hall.store");
    let (store, restored) = Store::open(&path, at(100)).unwrap();
    assert_eq!(restored, Restored::default());
    store.write(&[note(1), note(2)], alarm("P-101/high", 1), at(101));
    store.write(&[note(3)], alarm("P-102/high", 1), at(102));
    store.write(&[], alarm("P-101/high", 2), at(103));
    drop(store);
    let (store, restored) = Store::open(&path, at(200)).unwrap();
    assert_eq!(restored.events, [note(1), note(2), note(3)]);
    assert_eq!(restored.alarms, alarm("P-101/high", 2).into_iter().chain(alarm("P-102/high", 1)).collect());
    assert_eq!((restored.last_id, restored.last_alive), (3, Some(at(103))));
    assert_eq!(restored.gap, Some((at(103), at(200))));
    assert_eq!(restored.warnings(), [""; 0]);
    store.flush(LIMIT).unwrap();
    let status = store.status();
    assert_eq!((status.events, status.alarms, status.pending, status.error), (3, 2, 0, None));
}

#[test]
fn a_clock_that_was_set_back_gives_no_gap() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hall.store");
    let (store, _) = Store::open(&path, at(100)).unwrap();
    store.write(&[], [], at(101));
    drop(store);
    assert_eq!(Store::open(&path, at(50)).unwrap().1.gap, None);
}

#[test]
fn a_second_instance_is_told_who_holds_the_store_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hall.store");
    let (first, _) = Store::open(&path, at(1)).unwrap();
    let error = Store::open(&path, at(2)).err().expect("it is in use").to_string();
    assert!(error.contains("hall.store.lock") && error.contains("--store FILE"), "{error}");
    assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
    drop(first);
    assert!(Store::open(&path, at(3)).is_ok());
}

#[test]
fn a_damaged_store_is_kept_aside_and_what_is_whole_in_it_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hall.store");
    let (store, _) = Store::open(&path, at(1)).unwrap();
    for id in 1..=3 {
        store.write(&[note(id)], [], at(id as i64));
        store.flush(LIMIT).unwrap();
    }
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    let second = bytes.windows(6).position(|part| part == b"note 2").unwrap();
    bytes[second] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let (_store, restored) = Store::open(&path, at(10)).unwrap();
    assert_eq!(restored.events, [note(1), note(3)]);
    let damage = restored.damage.clone().expect("it was damaged");
    assert_eq!((damage.lines, fs::read(&damage.aside).unwrap()), (1, bytes));
    let warnings = restored.warnings();
    assert!(warnings[0].contains("hall.store.damaged-19700101T000010Z"), "{warnings:?}");
}

#[test]
fn a_store_of_nothing_but_noise_is_kept_aside_and_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hall.store");
    let mut noise: Vec<u8> = (0..=255).collect();
    noise.push(b'\n');
    for n in 0..3 {
        fs::write(&path, &noise).unwrap();
        let (store, restored) = Store::open(&path, at(10)).unwrap();
        assert_eq!(restored.damage.as_ref().map(|damage| damage.lines), Some(2), "at {n}");
        assert_eq!(fs::read(restored.damage.unwrap().aside).unwrap(), noise);
        store.write(&[note(1)], [], at(1));
        store.flush(LIMIT).unwrap();
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 5, "three damaged files, the store, its lock");
}

#[test]
fn an_unfinished_commit_at_the_end_is_passed_over_with_a_word() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hall.store");
    let (store, _) = Store::open(&path, at(1)).unwrap();
    store.write(&[note(1)], [], at(1));
    store.flush(LIMIT).unwrap();
    store.write(&[note(2)], [], at(2));
    drop(store);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 5]).unwrap();
    let (store, restored) = Store::open(&path, at(10)).unwrap();
    assert_eq!(restored.events, [note(1)]);
    assert!(restored.damage.is_none() && restored.warnings()[0].contains("unfinished"), "{restored:?}");
    store.write(&[note(2)], [], at(11));
    drop(store);
    assert_eq!(Store::open(&path, at(12)).unwrap().1.events, [note(1), note(2)]);
}

#[test]
fn a_file_of_something_else_and_a_store_of_a_newer_version_are_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hall.ron");
    for (content, expected) in [("Scene(name: \"hall\")\n", "is no file of Pollux"), ("", "version 2")] {
        let mut content = content.to_owned();
        if content.is_empty() {
            let json = r#"{"pollux_store":2}"#;
            content = format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()));
        }
        fs::write(&path, &content).unwrap();
        let error = Store::open(&path, at(1)).err().expect("it must not be used").to_string();
        assert!(error.contains(expected) && error.contains("--store FILE"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
    let error = Store::open(dir.path(), at(1)).err().expect("a folder").to_string();
    assert!(error.contains("not a regular file"), "{error}");
    let error = Store::open(&path.join("below"), at(1)).err().expect("below a file").to_string();
    assert!(error.contains("cannot be made"), "{error}");
}

#[test]
fn monitoring_goes_on_while_the_disk_fails_and_the_newest_state_is_written_when_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("mounted");
    let path = folder.join("hall.store");
    let (store, _) = Store::open_with(&path, at(1), quick()).unwrap();
    store.write(&[note(1)], alarm("P-101/high", 1), at(1));
    store.flush(LIMIT).unwrap();
    fs::rename(&folder, dir.path().join("gone")).unwrap();
    for id in 2..=100 {
        store.write(&[note(id)], alarm("P-101/high", id), at(id as i64));
    }
    let error = store.flush(Duration::from_millis(200)).expect_err("the folder is gone").to_string();
    assert!(error.contains("not up to date"), "{error}");
    wait_until("the failure shows", || store.status().failures > 1);
    assert!(store.status().error.is_some() && store.status().pending > 0);
    fs::create_dir(&folder).unwrap();
    wait_until("the store recovers", || store.status().error.is_none());
    store.flush(LIMIT).unwrap();
    assert_eq!(store.status().pending, 0);
    drop(store);
    let restored = Store::open(&path, at(200)).unwrap().1;
    assert_eq!(restored.events, (1..=100).map(note).collect::<Vec<_>>());
    assert_eq!(restored.alarms, alarm("P-101/high", 100).into());
    assert_eq!(restored.last_alive, Some(at(100)));
}

#[test]
fn a_store_that_another_program_deleted_is_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hall.store");
    let (store, _) = Store::open_with(&path, at(1), quick()).unwrap();
    store.write(&[note(1)], [], at(1));
    store.flush(LIMIT).unwrap();
    fs::remove_file(&path).unwrap();
    store.write(&[note(2)], [], at(2));
    store.flush(LIMIT).unwrap();
    assert!(store.status().failures > 0 || !cfg!(unix));
    drop(store);
    assert_eq!(Store::open(&path, at(9)).unwrap().1.events, [note(1), note(2)]);
}

#[test]
fn only_the_latest_events_are_kept_and_ids_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hall.store");
    let options = Options { events: 10, ..Options::default() };
    let (store, _) = Store::open_with(&path, at(1), options).unwrap();
    let events: Vec<_> = (1..=1_000).map(note).collect();
    for part in events.chunks(7) {
        store.write(part, [], at(1));
    }
    drop(store);
    let restored = Store::open_with(&path, at(2), options).unwrap().1;
    assert_eq!((restored.events.as_slice(), restored.last_id), (&events[990..], 1_000));
}
