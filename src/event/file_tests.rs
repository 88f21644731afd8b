use super::*;
use crate::event::Kind;
use crate::value::Timestamp;
use std::time::Instant;

fn note(id: u64) -> Arc<Event> {
    let kind = Kind::Note { text: format!("line\nbreak {id}") };
    let time = Timestamp(id as i64 * 1_000_000_000);
    Arc::new(Event { id, time, received: time, twin: None, by: None, comment: String::new(), kind })
}

fn ids(path: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str::<Event>(line).ok()).map(|event| event.id).collect()
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn each_event_is_one_line_within_a_second_and_the_file_is_appended_to() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.jsonl");
    let file = EventFile::open(&path).unwrap();
    file.send(note(1));
    let start = Instant::now();
    wait_until("the line is there", || ids(&path) == [1]);
    assert!(start.elapsed() < Duration::from_millis(1_500), "{:?}", start.elapsed());
    (2..=500).for_each(|id| file.send(note(id)));
    drop(file);
    assert_eq!(ids(&path), (1..=500).collect::<Vec<_>>());
    let file = EventFile::open(&path).unwrap();
    file.send(note(501));
    drop(file);
    assert_eq!(ids(&path).len(), 501);
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 501);
}

#[test]
fn a_half_line_that_a_crash_left_spoils_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.jsonl");
    std::fs::write(&path, "{\"id\":1,\"ti").unwrap();
    let file = EventFile::open(&path).unwrap();
    file.send(note(2));
    drop(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!((text.lines().count(), ids(&path)), (2, vec![2]), "{text}");
}

#[cfg(unix)]
#[test]
fn after_log_rotation_lines_go_into_a_new_file() {
    let dir = tempfile::tempdir().unwrap();
    let (path, old) = (dir.path().join("events.jsonl"), dir.path().join("events.jsonl.1"));
    let file = EventFile::open(&path).unwrap();
    file.send(note(1));
    wait_until("the first line is there", || ids(&path) == [1]);
    std::fs::rename(&path, &old).unwrap();
    file.send(note(2));
    wait_until("the second line is there", || ids(&path) == [2]);
    assert_eq!(ids(&old), [1]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_lines_wait_until_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.jsonl");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let file = EventFile::open(&path).unwrap();
    (1..=3).for_each(|id| file.send(note(id)));
    wait_until("the failure shows", || file.status().failures > 0);
    let status = file.status();
    assert!(status.error.is_some_and(|error| error.contains("space")) && status.written == 0);
    std::fs::remove_file(&path).unwrap();
    wait_until("the lines are there", || ids(&path) == [1, 2, 3]);
    wait_until("all is well again", || file.status().error.is_none());
    assert_eq!((file.status().written, file.status().dropped), (3, 0));
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    file.send(note(4));
    let status = file.close();
    assert_eq!((status.written, status.dropped), (3, 1), "what is lost at the end is told");
}

#[test]
fn a_place_that_cannot_be_written_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let error = EventFile::open(&dir.path().join("no/such/folder")).err().expect("there is no folder").to_string();
    assert!(error.contains("no/such/folder") && error.contains("--events FILE"), "{error}");
}
