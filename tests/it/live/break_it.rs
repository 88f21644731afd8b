//! Breaking a simulated plant in a real window: a twin is selected with the mouse, a fault is set and all are cleared with the
//! keyboard, by xdotool on a display that nobody looks at; the journal tells what came of it. Skipped, and said so, where a
//! part is missing.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use pollux::event::{Event, Kind};

use super::program::{PATIENCE, Program, pollux};
use super::window::{Display, is_without_adapter};

const SCENE: &str = r#"Scene(format: (1, 3), name: "Two tanks", types: {
    "Tank": (
        model: Tank(area: "2 m2"),
        signals: {"level": (unit: "m", topic: "two/{id}", json: "/level", measures: "level", expires: "5s")},
    ),
    "Valve": (model: ControlValve(), inputs: {"command": (value: 0.5)}),
}, twins: [(id: "T-1", type: "Tank"), (id: "T-2", type: "Tank"), (id: "V-1", type: "Valve")], links: [
    (from: "T-1.outlet", to: "V-1.inlet"), (from: "V-1.outlet", to: "T-2.inlet"),
])"#;

/// The first twin of the tree, in pixels.
const FIRST_TWIN: [&str; 2] = ["60", "120"];

struct Hands {
    display: String,
    events: PathBuf,
}

impl Hands {
    fn xdotool(&self, args: &[&str]) -> Option<String> {
        let output = Command::new("xdotool").args(args).env("DISPLAY", &self.display).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Held long enough for a slow frame to see it, and not so long that it is no click any more.
    fn hold(&self, down: &[&str], up: &[&str]) {
        self.xdotool(down).expect("xdotool");
        std::thread::sleep(Duration::from_millis(350));
        self.xdotool(up).expect("xdotool");
        std::thread::sleep(Duration::from_millis(700));
    }

    fn key(&self, key: &str) {
        self.hold(&["keydown", key], &["keyup", key]);
    }

    fn events(&self) -> Vec<Event> {
        let text = std::fs::read_to_string(&self.events).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Tries until the journal tells of it: a slow frame may miss a key.
    fn until(&self, what: &str, attempt: impl Fn(), is_it: impl Fn(&Kind) -> bool) -> Event {
        let begun = Instant::now();
        loop {
            attempt();
            let found = self.events().into_iter().find(|event| is_it(&event.kind));
            if let Some(found) = found {
                return found;
            }
            assert!(begun.elapsed() < 2 * PATIENCE, "{what}: {:?}", self.events());
        }
    }
}

#[test]
fn a_fault_is_set_and_all_are_cleared_by_mouse_and_keyboard() {
    let Some(display) = Display::start_with("1440x900x24") else { return };
    if Command::new("xdotool").arg("version").output().is_err() {
        eprintln!("skipped: xdotool is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let scene = folder.path().join("scene.ron");
    std::fs::write(&scene, SCENE).unwrap();
    let events = folder.path().join("events.jsonl");
    let mut command = pollux();
    command.args(["live", "--plant", "--no-store", "--for", "240s", "--events"]).arg(&events).arg("--state");
    command.arg(folder.path().join("state.json")).arg(&scene);
    command.env("DISPLAY", &display.name).env_remove("WAYLAND_DISPLAY");
    let program = Program::start(command, folder);
    let hands = Hands { display: display.name.clone(), events };
    let begun = Instant::now();
    let window = loop {
        if is_without_adapter(&program.heard()) {
            return;
        }
        let found = hands.xdotool(&["search", "--onlyvisible", "--name", "^Pollux"]);
        if let Some(id) = found.and_then(|ids| ids.lines().next().map(str::to_owned)) {
            break id;
        }
        assert!(begun.elapsed() < PATIENCE, "no window: {}", program.heard());
        std::thread::sleep(Duration::from_millis(200));
    };
    std::thread::sleep(Duration::from_secs(4));
    hands.xdotool(&["windowfocus", "--sync", &window]).expect("the focus");
    let break_it = || {
        hands.xdotool(&["mousemove", FIRST_TWIN[0], FIRST_TWIN[1]]).expect("the mouse");
        std::thread::sleep(Duration::from_millis(500));
        hands.hold(&["mousedown", "1"], &["mouseup", "1"]);
        hands.key("x");
        hands.key("Return");
        hands.key("Return");
        std::thread::sleep(Duration::from_secs(1));
        // Where a frame has missed a key: from the beginning.
        hands.key("Escape");
    };
    let set = hands.until("a fault", break_it, |kind| matches!(kind, Kind::FaultSet { .. }));
    assert_eq!(set.twin.as_deref(), Some("T-1"));
    let clear = || {
        hands.xdotool(&["keydown", "ctrl", "keydown", "shift"]).expect("xdotool");
        std::thread::sleep(Duration::from_millis(500));
        hands.key("x");
        hands.xdotool(&["keyup", "shift", "keyup", "ctrl"]).expect("xdotool");
        std::thread::sleep(Duration::from_millis(700));
    };
    hands.until("the end of it", clear, |kind| matches!(kind, Kind::FaultCleared { .. }));
    let state = program.stop().state();
    assert_eq!(state["faults"].as_array().map(Vec::len), Some(0), "{}", state["faults"]);
}
