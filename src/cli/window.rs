//! A session in a window: core, 3D view and panels together.
//!
//! In: how to open what is shown. Out: an application that runs until its window is closed. Owns no state of its own.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bevy::prelude::*;

use super::{Failure, live};
use crate::panel::DesktopPlugins;
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
    app.add_plugins(DesktopPlugins);
    super::opener::install(&mut app, waker.clone());

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

/// A quiet window sleeps: this wakes it when its time is over.
fn wake_at_the_end(limit: Option<Duration>, waker: Waker) {
    let Some(limit) = limit else { return };
    std::thread::spawn(move || {
        std::thread::sleep(limit);
        waker();
    });
}
