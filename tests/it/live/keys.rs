//! The keys of a replay in a real window: pressed by xdotool on a display that nobody looks at, and seen by the bookmarks
//! that a further key sets on the moment that is shown. Skipped, and said so, where a part of that is missing.

use std::process::Command;
use std::time::{Duration, Instant};

use super::program::{PATIENCE, Program, pollux};
use super::window::{Display, is_without_adapter};

const INCIDENT: &str = "scenes/bottling/incident.mcap";

struct Keyboard {
    display: String,
    notes: std::path::PathBuf,
    marks: usize,
}

impl Keyboard {
    fn xdotool(&self, args: &[&str]) -> Option<String> {
        let output = Command::new("xdotool").args(args).env("DISPLAY", &self.display).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn press(&self, keys: &str) {
        for key in keys.split_whitespace() {
            self.xdotool(&["key", "--delay", "40", key]).expect("xdotool presses keys");
            std::thread::sleep(Duration::from_millis(150));
        }
    }

    fn bookmarks(&self) -> Vec<i64> {
        let text = std::fs::read_to_string(&self.notes).unwrap_or_default();
        let times = text.lines().filter_map(|line| serde_json::from_str::<pollux::event::Event>(line).ok());
        times.map(|event| event.time.0).collect()
    }

    /// Seconds since 1970 of the moment that is shown after these keys.
    fn shown_after(&mut self, keys: &str) -> f64 {
        self.press(keys);
        self.press("b Return");
        let begun = Instant::now();
        while self.bookmarks().len() == self.marks {
            assert!(begun.elapsed() < PATIENCE, "no bookmark after `{keys}`");
            std::thread::sleep(Duration::from_millis(50));
        }
        self.marks += 1;
        self.bookmarks()[self.marks - 1] as f64 / 1e9
    }
}

#[test]
fn the_keys_of_a_replay_go_where_the_list_says() {
    let Some(display) = Display::start() else { return };
    if Command::new("xdotool").arg("version").output().is_err() {
        eprintln!("skipped: xdotool is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("incident.mcap");
    std::fs::copy(INCIDENT, &file).unwrap();
    let notes = folder.path().join("incident.notes.jsonl");
    let mut command = pollux();
    command.args(["play", "--at", "60s", "--for", "240s", "--state"]).arg(folder.path().join("state.json")).arg(&file);
    command.env("DISPLAY", &display.name).env_remove("WAYLAND_DISPLAY");
    let program = Program::start(command, folder);
    let mut keyboard = Keyboard { display: display.name.clone(), notes, marks: 0 };
    let begun = Instant::now();
    let window = loop {
        if is_without_adapter(&program.heard()) {
            return;
        }
        let found = keyboard.xdotool(&["search", "--onlyvisible", "--name", "^Pollux"]);
        if let Some(id) = found.and_then(|ids| ids.lines().next().map(str::to_owned)) {
            break id;
        }
        assert!(begun.elapsed() < PATIENCE, "no window: {}", program.heard());
        std::thread::sleep(Duration::from_millis(200));
    };
    std::thread::sleep(Duration::from_secs(4));
    keyboard.xdotool(&["windowfocus", "--sync", &window]).expect("the focus");

    let start = keyboard.shown_after("Home");
    let mut at = |keys: &str| ((keyboard.shown_after(keys) - start) * 10.0).round() / 10.0;
    assert_eq!(at("Right"), 1.0);
    assert_eq!(at("shift+Right"), 11.0);
    assert_eq!(at("alt+Right"), 11.1);
    assert_eq!(at("Left"), 10.1);
    assert_eq!(at("shift+Left alt+Left"), 0.0);
    let end = at("End");
    assert!(end > 60.0, "{end}");
    assert_eq!(at("End"), end, "there is nothing after the end");
    assert!((at("Home") - 0.0).abs() < 0.05);
    let event = at("bracketright");
    assert!(event > 0.0 && at("bracketleft") <= event, "to the next event and back");
    at("Home");
    // Marks at 10 s and 12 s, looping: it never leaves them.
    at("shift+Right i Right Right o shift+l Left");
    keyboard.press("space");
    std::thread::sleep(Duration::from_secs(5));
    keyboard.press("space");
    let looped = keyboard.shown_after("") - start;
    assert!((9.9..=12.1).contains(&looped), "{looped}");
    // Ten times faster, without the loop; then backwards.
    keyboard.press("shift+l Home space");
    std::thread::sleep(Duration::from_millis(1500));
    keyboard.press("space");
    let played = keyboard.shown_after("") - start;
    assert!(played > 0.5 && played < 30.0, "{played}");
    keyboard.press("shift+Right shift+Right r space");
    std::thread::sleep(Duration::from_millis(1500));
    keyboard.press("space");
    let back = keyboard.shown_after("") - start;
    assert!(back < played + 20.0, "from {} it plays backwards: {back}", played + 20.0);

    let end = program.stop();
    let state = end.state();
    assert_eq!(state["cursor"]["mode"], "paused");
    let bookmarks = state["troubles"].to_string();
    assert!(!bookmarks.contains("note"), "{bookmarks}");
}
