//! Opens something else while a window is shown: what was dropped on it, chosen from the list of recent files, or typed.
//!
//! In: dropped files, [`OpenCommand`]s. Out: another recording in the place of the one that is shown; or a window
//! of its own, so that a live session goes on; or a sentence in the window why not, and what is shown stays. While files
//! hover above the window, a hint says what a drop would do. No frame waits for any of it: files are looked at in a thread.

mod hover;
mod look;
mod other_window;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};

use bevy::prelude::*;
use bevy::window::{CursorMoved, FileDragAndDrop, RequestRedraw};

use crate::command::{CameraCommand, HandleCommands, OpenCommand, OperatorCommand};
use crate::history::Extent;
use crate::layers::{self, LayerKind, Layers};
use crate::panel::Shell;
use crate::panel::open::{Notice, RecentFiles};
use crate::recent::{self, RecentError};
use crate::replay::Replaced;
use crate::schedule::TwinSet;
use crate::session::{Task, TaskState};
use crate::source::Waker;
use crate::value::Timestamp;
use look::Outcome;

#[derive(Resource)]
struct Opener {
    waker: Waker,
    surroundings: Surroundings,
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

/// What lies outside of this program's window.
struct Surroundings {
    /// The program that opens other windows.
    pollux: PathBuf,
    /// The list of what was opened last; none where there is no place for it.
    recent: Option<PathBuf>,
}

pub(super) fn install(app: &mut App, waker: Waker) {
    // A program that cannot say where it lies may be found by its name.
    let pollux = std::env::current_exe().unwrap_or_else(|_| "pollux".into());
    install_within(app, Surroundings { pollux, recent: recent::usual_place().ok() }, waker);
}

fn install_within(app: &mut App, surroundings: Surroundings, waker: Waker) {
    let (fails, failures) = channel();
    app.insert_resource(Opener {
        waker,
        surroundings,
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
    .add_message::<CursorMoved>()
    .add_message::<RequestRedraw>()
    .handle_commands(open)
    .add_systems(Update, (hover::hint, take_orders, list_recent, take_over).chain().before(TwinSet::Command));
}

/// The frame in which a command is carried out has looked for orders already: the next one finds it.
fn open(In(OpenCommand(files)): In<OpenCommand>, mut opener: ResMut<Opener>, mut redraw: MessageWriter<RequestRedraw>) {
    opener.next = Some(files);
    redraw.write(RequestRedraw);
}

fn take_orders(
    mut drops: MessageReader<FileDragAndDrop>,
    mut redraw: MessageWriter<RequestRedraw>,
    mut opener: ResMut<Opener>,
    mut shell: ResMut<Shell>,
    extent: Option<Res<Extent>>,
    layers: Option<Res<Layers>>,
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
    if came {
        redraw.write(RequestRedraw);
    } else if !opener.dropped.is_empty() {
        opener.next = Some(std::mem::take(&mut opener.dropped));
        // What was to be chosen there is chosen.
        shell.open.is_open = false;
    }
    let failure = opener.failures.lock().ok().and_then(|failures| failures.try_recv().ok());
    if let Some(failure) = failure {
        shell.notice = Some(Notice::Failed(failure));
    }
    if opener.underway.is_some() {
        return;
    }
    let Some(files) = opener.next.take() else { return };
    // A comparison stays as it is: what it was aligned with must not be exchanged under it. Forecasts are of all that is
    // shown.
    let is_forecast = |layers: Res<Layers>| layers.iter().all(|slot| slot.layer.kind() == LayerKind::Forecast);
    let is_alone = layers.is_none_or(is_forecast);
    let here = extent.is_some_and(|extent| extent.is_recorded()) && is_alone;
    let name = files.first().and_then(|file| file.file_name()).unwrap_or_default().to_string_lossy().into_owned();
    let waker = opener.waker.clone();
    let (for_reader, recent) = (waker.clone(), opener.surroundings.recent.clone());
    match Task::start("open", waker, move || look::look_at(files, here, recent.as_deref(), for_reader)) {
        Ok(task) => {
            opener.underway = Some(task);
            shell.notice = Some(Notice::Underway(format!("Opening {name}…")));
        }
        Err(error) => shell.notice = Some(Notice::Failed(format!("{name}: no thread to open it: {error}"))),
    }
    redraw.write(RequestRedraw);
}

/// Makes the list of recent files whenever the dialog opens.
fn list_recent(mut opener: ResMut<Opener>, shell: Res<Shell>, mut recent: ResMut<RecentFiles>) {
    let asked = shell.open.is_open;
    if asked && !opener.was_asked {
        let place = opener.surroundings.recent.clone().ok_or(RecentError::NoPlace);
        let list = move || match place.and_then(|path| recent::list(&path)) {
            Ok(listed) => RecentFiles { listed: Some(listed), problem: None, at: Timestamp::now() },
            Err(error) => RecentFiles { listed: None, problem: Some(error.to_string()), at: Timestamp::now() },
        };
        opener.list = Task::start("recent files", opener.waker.clone(), list).ok();
    }
    opener.was_asked = asked;
    if let Some(TaskState::Done(listed)) = opener.list.as_ref().map(Task::poll) {
        *recent = listed;
        opener.list = None;
    }
}

fn take_over(world: &mut World) {
    let mut opener = world.resource_mut::<Opener>();
    opener.leaving.retain(|task| task.poll() == TaskState::Underway);
    let outcome = match opener.underway.as_ref().map(Task::poll) {
        None | Some(TaskState::Underway) => return,
        Some(TaskState::Done(outcome)) => outcome,
        Some(TaskState::Lost) => Outcome::Refused("it could not be opened, by a mistake of this program".to_owned()),
    };
    opener.underway = None;
    let notice = match outcome {
        Outcome::Refused(why) => Some(Notice::Failed(why)),
        Outcome::Elsewhere(command, files) => {
            let (pollux, fails, waker) = (&opener.surroundings.pollux, opener.fails.clone(), opener.waker.clone());
            other_window::open(pollux, command, &files, fails, waker).err().map(Notice::Failed)
        }
        Outcome::Here(prepared) => {
            let name = prepared.name();
            let replaced = prepared.take_over(world);
            layers::rename(world, name);
            let mut opener = world.resource_mut::<Opener>();
            let left = Task::start("close", opener.waker.clone(), move || drop::<Replaced>(replaced));
            opener.leaving.extend(left.ok());
            world.resource_mut::<Shell>().forget_the_past();
            world.write_message(OperatorCommand::from(CameraCommand::Focus(None)));
            None
        }
    };
    if let Some(Notice::Failed(why)) = &notice {
        tracing::warn!("{why}");
    }
    world.resource_mut::<Shell>().notice = notice;
    world.write_message(RequestRedraw);
}

#[cfg(test)]
mod tests;
