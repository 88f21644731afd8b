//! The built program in a process of its own, with a scene in a folder of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything here should take, so that a slow machine is not taken for a broken program.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Where the program keeps alarms and events by default: never in the home of who runs the tests.
pub const STATE_HOME: &str = "XDG_STATE_HOME";

/// A running `pollux live --headless` or `pollux plant`; killed if a test ends before it.
pub struct Program {
    child: Child,
    said: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    folder: TempDir,
}

/// What a program has left behind.
pub struct End {
    pub code: Option<i32>,
    /// Standard error.
    pub said: String,
    /// The text of the state file, if there is one.
    pub state: Option<String>,
}

/// The program, with nothing from the environment of the tests that changes what it says.
pub fn pollux() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pollux"));
    command.env_remove("POLLUX_LOG").stdin(Stdio::null());
    command
}

impl Program {
    /// Runs `scene` headless with more arguments; it says when it is connected, and stops by itself after a minute.
    pub fn live(scene: &str, args: &[&str]) -> Self {
        Self::live_with(scene, |command| command.args(["-v", "--for", "60s"]).args(args))
    }

    /// As [`live`](Self::live), but all arguments and variables come from the caller.
    pub fn live_with(scene: &str, arrange: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scene.ron");
        std::fs::write(&file, scene).unwrap();
        let mut command = pollux();
        command.arg("live").arg(&file).arg("--headless").arg("--state").arg(folder.path().join("state.json"));
        arrange(&mut command);
        Self::start(command, folder)
    }

    pub fn start(mut command: Command, folder: TempDir) -> Self {
        if command.get_envs().all(|(name, _)| name != STATE_HOME) {
            command.env(STATE_HOME, folder.path().join("state-home"));
        }
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (lines, heard) = (BufReader::new(child.stderr.take().unwrap()).lines(), said.clone());
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut heard = heard.lock().unwrap();
                heard.push_str(&line);
                heard.push('\n');
            }
        });
        Self { child, said, reader: Some(reader), folder }
    }

    pub fn scene_file(&self) -> PathBuf {
        self.folder.path().join("scene.ron")
    }

    /// All that it has said so far.
    pub fn heard(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits until the program has said `part`; returns the line.
    pub fn says(&self, part: &str) -> String {
        let find = || self.heard().lines().find(|line| line.contains(part)).map(str::to_owned);
        wait_for(find, || format!("the program did not say `{part}`: {}", self.heard()))
    }

    /// Connected, and its subscriptions answered: what is published from now on reaches it.
    pub fn subscribed(self) -> Self {
        self.says("subscribed to");
        self
    }

    /// Time that all its threads took from processors so far, in hundredths of a second; 0 where that is not known.
    #[cfg(all(target_os = "linux", feature = "desktop"))]
    pub fn processor_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // After the name, which may hold spaces: state is the first field, user and system time are the 12th and 13th.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
    }

    /// Ends it as a service manager would.
    pub fn stop(self) -> End {
        let told = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status().unwrap();
        assert!(told.success());
        self.end()
    }

    /// `kill -9`: it has no time for anything.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub fn end(mut self) -> End {
        let started = Instant::now();
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            assert!(started.elapsed() < PATIENCE, "the program does not end: {}", self.heard());
            std::thread::sleep(Duration::from_millis(10));
        };
        self.reader.take().unwrap().join().unwrap();
        let said = std::mem::take(&mut *self.said.lock().unwrap());
        End { code, said, state: std::fs::read_to_string(self.folder.path().join("state.json")).ok() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl End {
    /// The state of a program that ended well.
    pub fn state(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.said);
        serde_json::from_str(self.state.as_deref().expect("a state file")).expect("JSON")
    }
}

/// Exit code and standard error of a program that ends by itself.
pub fn run(args: &[&str]) -> (Option<i32>, String) {
    let home = tempfile::tempdir().unwrap();
    let output = pollux().env(STATE_HOME, home.path()).args(args).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Writes a scene into `folder`, as an argument of the program.
pub fn scene_file(folder: &Path, text: &str) -> String {
    let file = folder.join("scene.ron");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// What `look` finds, sooner or later.
pub fn wait_for<T>(mut look: impl FnMut() -> Option<T>, complaint: impl Fn() -> String) -> T {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < give_up, "{}", complaint());
        std::thread::sleep(Duration::from_millis(10));
    }
}
