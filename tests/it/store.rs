//! The durable store under `kill -9`: this test program runs itself as the victim.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pollux::event::{Event, Kind, Store, store::Options};
use pollux::value::Timestamp;
use serde_json::json;

const PATH: &str = "POLLUX_TEST_STORE";
const ROUNDS: u64 = 25;
/// So small, and events so large, that the file is written anew again and again.
const KEPT: Options = Options { events: 40, retry: Duration::from_millis(50) };

fn event(id: u64) -> Arc<Event> {
    let now = Timestamp::now();
    let kind = Kind::Note { text: format!("{id} {}", "x".repeat(30_000)) };
    Arc::new(Event { id, time: now, received: now, twin: None, by: None, comment: String::new(), kind })
}

/// Writes without end and says what is durable; ends by itself only if nobody kills it.
#[test]
#[ignore = "the victim of the next test"]
fn writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let (store, restored) = Store::open_with(Path::new(&path), Timestamp::now(), KEPT).unwrap();
    let mut id = restored.last_id;
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        let events: Vec<_> = (0..=id % 3).map(|n| event(id + 1 + n)).collect();
        id += events.len() as u64;
        store.write(&events, [("P-101/vibration.high".to_owned(), json!({ "last": id }))], Timestamp::now());
        store.flush(Duration::from_secs(10)).unwrap();
        println!("durable {id}");
    }
}

fn run_and_kill(path: &Path, round: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["store::writes_until_it_is_killed", "--exact", "--ignored", "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let durable = |line: &String| line.strip_prefix("durable ").and_then(|id| id.parse::<u64>().ok());
    let first = lines.by_ref().find_map(|line| durable(&line)).expect("the victim writes");
    // Another moment each time: between two writes, within one, within a rewrite.
    std::thread::sleep(Duration::from_micros(round * 7_919 % 90_000));
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it died. Its last line may be cut off, which makes the number too small, never too large.
    lines.filter_map(|line| durable(&line)).last().unwrap_or(first)
}

#[test]
fn all_that_was_durable_is_there_after_each_kill() {
    let dir = tempfile::tempdir().unwrap();
    let path: PathBuf = dir.path().join("hall.store");
    let mut before = 0;
    for round in 1..=ROUNDS {
        let durable = run_and_kill(&path, round);
        let (store, restored) = Store::open_with(&path, Timestamp::now(), KEPT).unwrap();
        assert!(durable > before && restored.last_id >= durable, "round {round}: {} {durable}", restored.last_id);
        assert_eq!(restored.damage, None, "round {round}");
        let ids: Vec<u64> = restored.events.iter().map(|event| event.id).collect();
        let expected = restored.last_id.saturating_sub(KEPT.events as u64 - 1).max(1)..=restored.last_id;
        assert_eq!(ids, expected.collect::<Vec<_>>(), "round {round}: none is missing in between");
        let alarm = &restored.alarms["P-101/vibration.high"];
        assert_eq!(alarm["last"], restored.last_id, "round {round}: an alarm and its events are one commit");
        let (from, to) = restored.gap.expect("it was not running for a while");
        assert!(from < to && to.secs_since(from) < 30.0, "round {round}: {from} {to}");
        before = restored.last_id;
        drop(store);
    }
    assert!(before > ROUNDS * 3, "the victims hardly wrote: {before}");
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size < 12 << 20, "{size}");
}
