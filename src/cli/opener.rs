//! Opens something else while a window is shown: what was dropped on it, chosen from the list of recent files, or typed.
//!
//! In: dropped files, [`OperatorCommand::Open`]. Out: another recording in the place of the one that is shown; or a window
//! of its own, so that a live session goes on; or a sentence in the window why not, and what is shown stays. No frame
//! waits for it: files are looked at in a thread.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use bevy::prelude::*;
use bevy::window::{FileDragAndDrop, RequestRedraw};

use crate::TwinSet;
use crate::beside::Beside;
use crate::command::OperatorCommand;
use crate::history::Extent;
use crate::panel::Shell;
use crate::panel::open::{Notice, RecentFiles};
use crate::recent::{self, RecentKind};
use crate::replay::{self, OpenError, Options, Prepared, Replaced};
use crate::session::{Progress, Task};
use crate::source::Waker;
use crate::twin::Timestamp;

/// What came of looking at files.
enum Outcome {
    Here(Box<Prepared>),
    /// `play` or `live`, with arguments: in a window of its own.
    Elsewhere(&'static str, Vec<PathBuf>),
    Refused(String),
}

#[derive(Resource)]
struct Opener {
    waker: Waker,
    /// Dropped in this frame or the last ones: several dropped at once may come in several frames.
    dropped: Vec<PathBuf>,
    /// To be opened when what is underway is done.
    next: Option<Vec<PathBuf>>,
    underway: Option<Task<Outcome>>,
    /// What was shown before, on its way out.
    leaving: Vec<Task<()>>,
    list: Option<Task<RecentFiles>>,
    was_asked: bool,
    /// From those who watch the other windows.
    failures: std::sync::Mutex<Receiver<String>>,
    fails: Sender<String>,
}

pub(super) fn install(app: &mut App, waker: Waker) {
    let (fails, failures) = channel();
    app.insert_resource(Opener {
        waker,
        dropped: Vec::new(),
        next: None,
        underway: None,
        leaving: Vec::new(),
        list: None,
        was_asked: false,
        failures: std::sync::Mutex::new(failures),
        fails,
    })
    .add_message::<FileDragAndDrop>()
    .add_message::<RequestRedraw>()
    .add_systems(Update, (take_orders, list_recent, take_over).chain().before(TwinSet::Command));
}

fn take_orders(
    mut drops: MessageReader<FileDragAndDrop>,
    mut commands: MessageReader<OperatorCommand>,
    mut redraw: MessageWriter<RequestRedraw>,
    mut opener: ResMut<Opener>,
    mut shell: ResMut<Shell>,
    extent: Option<Res<Extent>>,
    beside: Option<Res<Beside>>,
) {
    let mut came = false;
    for drop in drops.read() {
        match drop {
            FileDragAndDrop::DroppedFile { path_buf, .. } => {
                opener.dropped.push(path_buf.clone());
                came = true;
            }
            FileDragAndDrop::HoveredFile { .. } | FileDragAndDrop::HoveredFileCanceled { .. } => {}
        }
    }
    for command in commands.read() {
        if let OperatorCommand::Open(files) = command {
            opener.next = Some(files.clone());
        }
    }
    if came {
        redraw.write(RequestRedraw);
    } else if !opener.dropped.is_empty() {
        opener.next = Some(std::mem::take(&mut opener.dropped));
    }
    let failure = opener.failures.lock().ok().and_then(|failures| failures.try_recv().ok());
    if let Some(failure) = failure {
        shell.notice = Some(Notice::Failed(failure));
    }
    if opener.underway.is_some() {
        return;
    }
    let Some(files) = opener.next.take() else { return };
    // A comparison stays as it is: what it was aligned with must not be exchanged under it.
    let here = extent.is_some_and(|extent| extent.is_recorded()) && beside.is_none();
    let name = files.first().and_then(|file| file.file_name()).unwrap_or_default().to_string_lossy().into_owned();
    let waker = opener.waker.clone();
    let for_reader = waker.clone();
    match Task::start("open", waker, move || look_at(files, here, for_reader)) {
        Ok(task) => {
            opener.underway = Some(task);
            shell.notice = Some(Notice::Underway(format!("Opening {name}…")));
        }
        Err(error) => shell.notice = Some(Notice::Failed(format!("{name}: no thread to open it: {error}"))),
    }
    redraw.write(RequestRedraw);
}

fn is_scene(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("ron"))
}

/// Whether files can be shown, and where. Waits for the disk.
fn look_at(files: Vec<PathBuf>, here: bool, waker: Waker) -> Outcome {
    let scenes = files.iter().filter(|file| is_scene(file)).count();
    if scenes > 0 {
        return match &files[..] {
            [scene] => look_at_scene(scene),
            _ => Outcome::Refused("several files at once must all be recordings: open a scene by itself".to_owned()),
        };
    }
    let options = Options { speed: Some(1.0), ..Options::new(&files) };
    match replay::prepare(options, waker) {
        Err(error) => Outcome::Refused(why_not(&error)),
        Ok(prepared) if here => {
            recent::remember(RecentKind::Recording, &files);
            Outcome::Here(Box::new(prepared))
        }
        Ok(_) => Outcome::Elsewhere("play", files),
    }
}

fn look_at_scene(scene: &Path) -> Outcome {
    let loaded = crate::scene::load(scene);
    match loaded.scene {
        Some(_) => Outcome::Elsewhere("live", vec![scene.to_owned()]),
        None => Outcome::Refused(format!("{}: {}", scene.display(), of_issues(&loaded))),
    }
}

fn why_not(error: &OpenError) -> String {
    match error {
        OpenError::Scene(loaded) => format!("the scene of the recording cannot be shown: {}", of_issues(loaded)),
        other => other.to_string(),
    }
}

/// The first error, and how many there are.
fn of_issues(loaded: &crate::scene::Loaded) -> String {
    let errors: Vec<_> = loaded.issues.iter().filter(|issue| issue.severity == crate::scene::Severity::Error).collect();
    let first = errors.first().map_or("it cannot be read", |issue| &issue.brief);
    match errors.len() {
        0 | 1 => first.to_owned(),
        count => format!("{first} (and {} more: pollux check says all)", count - 1),
    }
}

/// Makes the list of recent files whenever the dialog opens.
fn list_recent(mut opener: ResMut<Opener>, shell: Res<Shell>, mut recent: ResMut<RecentFiles>) {
    let asked = shell.open.is_open;
    if asked && !opener.was_asked {
        let list = || match recent::usual_place().and_then(|path| recent::list(&path)) {
            Ok(listed) => RecentFiles { listed: Some(listed), problem: None, at: Timestamp::now() },
            Err(error) => RecentFiles { listed: None, problem: Some(error.to_string()), at: Timestamp::now() },
        };
        opener.list = Task::start("recent files", opener.waker.clone(), list).ok();
    }
    opener.was_asked = asked;
    if let Some(Progress::Done(listed)) = opener.list.as_ref().map(Task::poll) {
        *recent = listed;
        opener.list = None;
    }
}

fn take_over(world: &mut World) {
    let mut opener = world.resource_mut::<Opener>();
    opener.leaving.retain(|task| task.poll() == Progress::Underway);
    let outcome = match opener.underway.as_ref().map(Task::poll) {
        None | Some(Progress::Underway) => return,
        Some(Progress::Done(outcome)) => outcome,
        Some(Progress::Lost) => Outcome::Refused("it could not be opened, by a mistake of this program".to_owned()),
    };
    opener.underway = None;
    let notice = match outcome {
        Outcome::Refused(why) => Some(Notice::Failed(why)),
        Outcome::Elsewhere(command, files) => open_window(&opener, command, &files).err().map(Notice::Failed),
        Outcome::Here(prepared) => {
            let replaced = prepared.take_over(world);
            let mut opener = world.resource_mut::<Opener>();
            let left = Task::start("close", opener.waker.clone(), move || drop::<Replaced>(replaced));
            opener.leaving.extend(left.ok());
            world.resource_mut::<Shell>().forget_the_past();
            world.write_message(OperatorCommand::Focus(None));
            None
        }
    };
    if let Some(Notice::Failed(why)) = &notice {
        tracing::warn!("{why}");
    }
    world.resource_mut::<Shell>().notice = notice;
    world.write_message(RequestRedraw);
}

/// Starts this program once more. What it says goes on to standard error; why it ended, if it failed, into this window.
fn open_window(opener: &Opener, command: &str, files: &[PathBuf]) -> Result<(), String> {
    let started = std::env::current_exe().and_then(|pollux| {
        let mut program = Command::new(pollux);
        program.arg(command).args(files).stdin(Stdio::null()).stderr(Stdio::piped()).spawn()
    });
    let mut child = started.map_err(|error| format!("a window of its own cannot be opened: {error}"))?;
    let (fails, waker) = (opener.fails.clone(), opener.waker.clone());
    let stderr = child.stderr.take();
    // Ends with the other window; nothing here waits for it.
    let watch = move || {
        let mut last = String::new();
        for line in stderr.into_iter().flat_map(|pipe| BufReader::new(pipe).lines()).map_while(Result::ok) {
            eprintln!("{line}");
            last = line;
        }
        let failed = !child.wait().is_ok_and(|status| status.success());
        if failed {
            let _ = fails.send(format!("the other window has ended: {}", last.trim_start_matches("pollux: ")));
            waker();
        }
    };
    let thread = std::thread::Builder::new().name("other window".into()).spawn(watch);
    thread.map(drop).map_err(|error| format!("nobody watches the other window: {error}"))
}
