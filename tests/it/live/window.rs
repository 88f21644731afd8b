//! The program with its window, on a display that nobody looks at: it opens, shows data, ends by itself or when it is
//! asked to, and leaves its state. Skipped, and said so, where there is no Xvfb or no graphics adapter.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::program::{Program, pollux, wait_for};

const SCENE: &str = r#"Scene(
    format: (1, 1),
    name: "Window",
    types: {"Pump": (signals: {"vibration": (unit: "mm/s", topic: "hall/{id}", raw: Number)})},
    twins: [(id: "P-1", type: "Pump")],
)
"#;

/// An X server without a screen.
pub struct Display {
    server: Child,
    pub name: String,
}

impl Display {
    pub fn start() -> Option<Self> {
        Self::start_with("800x600x24")
    }

    /// With a screen of this size and depth.
    pub fn start_with(screen: &str) -> Option<Self> {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", screen, "-nolisten", "tcp"]);
        let Ok(mut server) = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else {
            eprintln!("skipped: Xvfb is not installed");
            return None;
        };
        let mut number = String::new();
        BufReader::new(server.stdout.take()?).read_line(&mut number).ok()?;
        Some(Self { server, name: format!(":{}", number.trim()) })
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn open(display: &Display, folder: tempfile::TempDir, args: &[&str]) -> Program {
    let scene = folder.path().join("scene.ron");
    std::fs::write(&scene, SCENE).unwrap();
    let mut command = pollux();
    command.args(["live", "--no-store", "--state"]).arg(folder.path().join("state.json")).arg(&scene).args(args);
    command.env("DISPLAY", &display.name).env_remove("WAYLAND_DISPLAY");
    Program::start(command, folder)
}

pub fn is_without_adapter(said: &str) -> bool {
    let without = said.contains("no graphics adapter");
    if without {
        eprintln!("skipped: {said}");
    }
    without
}

#[test]
fn a_window_opens_ends_after_its_time_and_leaves_its_state() {
    let Some(display) = Display::start() else { return };
    let end = open(&display, tempfile::tempdir().unwrap(), &["--for", "2s"]).end();
    if !is_without_adapter(&end.said) {
        assert_eq!(end.state()["scene"], "Window", "{}", end.said);
    }
}

#[test]
fn a_quiet_window_that_is_asked_to_end_does_so_at_once_and_leaves_its_state() {
    let Some(display) = Display::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_owned();
    let program = open(&display, folder, &["--for", "60s"]);
    let heard = || (program.heard().contains("listens at") || program.heard().contains("no graphics")).then_some(());
    wait_for(heard, || program.heard());
    // Time for the first frames; a signal before them is as good.
    std::thread::sleep(Duration::from_secs(3));
    assert!(!place.join("state.json").exists());
    let end = program.stop();
    if !is_without_adapter(&end.said) {
        assert_eq!(end.state()["scene"], "Window", "{}", end.said);
    }
}

/// Without data, input or motion a window draws a frame now and then: less than 5 % of a core here, where a frame is drawn
/// by the processor. One that never rests takes all that it gets.
#[cfg(target_os = "linux")]
fn rests(program: Program, is_open: impl Fn(&Program) -> bool) {
    const SPAN: Duration = Duration::from_secs(4);
    /// Hundredths of a second of processor time within the span.
    const MOST_TICKS: u64 = 20;
    let mut last = program.processor_ticks();
    let mut spans = 0;
    let is_quiet = || {
        std::thread::sleep(SPAN);
        let now = program.processor_ticks();
        let taken = now - std::mem::replace(&mut last, now);
        spans += 1;
        let rested = is_open(&program) && spans > 2 && taken <= MOST_TICKS;
        (is_without_adapter(&program.heard()) || rested).then_some(())
    };
    wait_for(is_quiet, || format!("it never rests; {}", program.heard()));
    program.stop();
}

#[test]
#[cfg(target_os = "linux")]
fn a_window_without_news_rests() {
    let Some(display) = Display::start() else { return };
    let program = open(&display, tempfile::tempdir().unwrap(), &["--for", "120s"]);
    rests(program, |program| program.heard().contains("listens at"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_recording_that_stands_still_rests() {
    let Some(display) = Display::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut command = pollux();
    command.args(["play", "scenes/bottling/incident.mcap", "--at", "1m", "--for", "120s"]);
    command.env("DISPLAY", &display.name).env_remove("WAYLAND_DISPLAY").env("XDG_STATE_HOME", folder.path());
    rests(Program::start(command, folder), |_| true);
}
