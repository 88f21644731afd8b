//! A session in a window: core, 3D view and panels together.
//!
//! In: how to open what is shown. Out: an application that runs until its window is closed. Owns no state of its own.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bevy::prelude::*;
use bevy::window::FileDragAndDrop;

use super::{Failure, live};
use crate::DesktopPlugins;
use crate::source::Waker;
use crate::view::window;

/// Opens the window and stays until it is closed, interrupted, or `limit` has passed.
pub(super) fn run(
    open: impl FnOnce(&mut App, Waker) -> Result<(), Failure>,
    limit: Option<Duration>,
    state_file: Option<PathBuf>,
) -> Result<(), Failure> {
    let mut app = window::app("Pollux").map_err(Failure::environment)?;
    let waker = window::waker(&mut app);
    open(&mut app, waker.clone())?;
    app.add_plugins(DesktopPlugins).add_systems(Update, open_dropped);

    // The event loop does not give the world back when it ends, so the state is written by its last frame.
    let failed: Arc<Mutex<Option<Failure>>> = Arc::default();
    let outcome = failed.clone();
    let bell = waker.clone();
    let interrupted = live::interrupted(move || bell())?;
    let started = Instant::now();
    let written = AtomicBool::new(false);
    if limit.is_some() {
        wake_at_the_end(limit, waker);
    }
    app.add_systems(Last, move |world: &mut World| {
        let over = limit.is_some_and(|limit| started.elapsed() >= limit) || interrupted.load(Ordering::Relaxed);
        let closing = over || world.resource::<Messages<AppExit>>().iter_current_update_messages().next().is_some();
        if !closing || written.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(file) = &state_file
            && let Err(error) = live::write_state(world, file)
        {
            *failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
        }
        if over {
            world.write_message(AppExit::Success);
        }
    });
    let exit = app.run();
    if let Some(failure) = outcome.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
        return Err(failure);
    }
    match exit {
        AppExit::Success => Ok(()),
        AppExit::Error(code) => Err(Failure::Environment(format!("the window ended with code {code}"))),
    }
}

/// Recordings that are dropped on the window open in one of their own: what is shown here goes on.
fn open_dropped(mut drops: MessageReader<FileDragAndDrop>) {
    let dropped: Vec<&PathBuf> = drops
        .read()
        .filter_map(|drop| match drop {
            FileDragAndDrop::DroppedFile { path_buf, .. } => Some(path_buf),
            FileDragAndDrop::HoveredFile { .. } | FileDragAndDrop::HoveredFileCanceled { .. } => None,
        })
        .collect();
    if dropped.is_empty() {
        return;
    }
    let opened = std::env::current_exe().and_then(|pollux| Command::new(pollux).arg("play").args(&dropped).spawn());
    match opened {
        // Whoever waits for it lets it go when it ends.
        Ok(mut child) => drop(std::thread::spawn(move || child.wait())),
        Err(error) => tracing::error!("what was dropped cannot be opened: {error}"),
    }
}

/// A quiet window sleeps: this wakes it when its time is over.
fn wake_at_the_end(limit: Option<Duration>, waker: Waker) {
    let Some(limit) = limit else { return };
    std::thread::spawn(move || {
        std::thread::sleep(limit);
        waker();
    });
}
