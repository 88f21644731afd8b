//! The real window: which plugins it needs, when it draws, and how sources wake it.
//!
//! In: a title, [`Activity`]. Out: a Bevy [`App`] with a window, or a plain sentence why there cannot be
//! one; a [`Waker`]. Never draws on its own account: quiet means one update a second (so that age and staleness show), or
//! one a minute once nothing has been heard for a minute or while a recording stands still; moving means about 30 a
//! second, and input and data come at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use bevy::asset::{AssetMetaCheck, AssetPlugin, UnapprovedPathMode};
use bevy::prelude::*;
use bevy::window::{PresentMode, RequestRedraw, WindowResolution};
use bevy::winit::{EventLoopProxyWrapper, UpdateMode, WinitSettings, WinitUserEvent};
use bevy_egui::{EguiInput, EguiPreUpdateSet, egui};
use crossbeam_channel::{Sender, bounded};

use super::Activity;
use crate::analysis::Analysis;
use crate::command::OperatorCommand;
use crate::history::{Cursor, Extent, ViewTime};
use crate::source::{Clock, Waker};
use crate::stage::Freshness;
use crate::value::Timestamp;

/// The longest sleep of a quiet window whose data are recent: ages are shown in seconds.
const QUIET: Duration = Duration::from_secs(1);
/// The longest sleep when nothing has been heard for so long that ages are shown in minutes.
const DORMANT: Duration = Duration::from_secs(60);
/// While something moves; also the shortest time between two wake-ups by data, since one wake-up costs two updates.
const MOVING: Duration = Duration::from_millis(33);

/// Why there is no picture, in the user's words. The caller ends with the exit code for a failed environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DisplayError {
    #[error(
        "no display: DISPLAY is not set, so there is nowhere to open a window; start pollux in a graphical session, or \
         use `pollux live SCENE --headless` or `pollux shot`"
    )]
    NoDisplay,
    #[error("the window could not be opened: {0}; check that DISPLAY names a running display server")]
    NoWindow(String),
    #[error(
        "no graphics adapter: {0}; install a Vulkan or OpenGL driver (Debian: mesa-vulkan-drivers also renders without \
         a graphics card)"
    )]
    NoAdapter(String),
}

/// An app with a window and everything that [`super::plugin`] needs, but without it.
pub fn app(title: &str) -> Result<App, DisplayError> {
    if cfg!(all(unix, not(target_os = "macos"))) && std::env::var_os("DISPLAY").is_none_or(|name| name.is_empty()) {
        return Err(DisplayError::NoDisplay);
    }
    super::offscreen::probe_adapter()?;
    // The window system panics when it cannot be reached; that is no bug in this program, so it becomes a message.
    quietly(|| {
        let mut app = App::new();
        app.add_plugins(plugins(title));
        app.insert_resource(WinitSettings {
            focused_mode: UpdateMode::reactive_low_power(QUIET),
            unfocused_mode: UpdateMode::reactive_low_power(QUIET),
        })
        .init_resource::<Activity>()
        .add_systems(
            PreUpdate,
            drop_news_that_is_none.after(EguiPreUpdateSet::ProcessInput).before(EguiPreUpdateSet::BeginPass),
        )
        .add_message::<OperatorCommand>()
        .add_systems(Last, (pace, show_what_commands_do, super::summon::summon));
        app
    })
    .map_err(DisplayError::NoWindow)
}

/// Bevy's default plugins for a window titled `title`.
pub fn plugins(title: &str) -> impl PluginGroup {
    DefaultPlugins
        .set(WindowPlugin {
            primary_window: Some(Window {
                title: title.to_owned(),
                name: Some("pollux".into()),
                resolution: WindowResolution::new(1440, 900),
                present_mode: PresentMode::AutoVsync,
                ..default()
            }),
            ..default()
        })
        .set(assets())
        // The command line has a handler of its own, which writes the state first; there can be only one.
        .disable::<bevy::app::TerminalCtrlCHandlerPlugin>()
}

/// Scene files name models anywhere on the disk, and models name textures beside them: a scene is as trusted as the
/// person who opens it.
pub(super) fn assets() -> AssetPlugin {
    AssetPlugin {
        unapproved_path_mode: UnapprovedPathMode::Allow,
        meta_check: AssetMetaCheck::Never,
        watch_for_changes_override: Some(false),
        ..default()
    }
}

/// Runs `work`; a panic becomes its message, without a trace on standard error.
pub(super) fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let hook = Arc::new(std::panic::take_hook());
    let (here, others) = (std::thread::current().id(), hook.clone());
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() != here {
            others(info);
        }
    }));
    let outcome = catch_unwind(AssertUnwindSafe(work));
    std::panic::set_hook(Box::new(move |info| hook(info)));
    outcome.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("unknown reason").lines().next().unwrap_or_default().trim_end_matches('.').to_owned()
    })
}

/// bevy_egui 0.42 tells egui in every frame which modifier keys are held. Egui takes any event for news and asks for
/// another frame, so that a window would never come to rest: only changes pass.
fn drop_news_that_is_none(mut inputs: Query<&mut EguiInput>, mut last: Local<egui::Modifiers>) {
    for mut input in &mut inputs {
        input.0.events.retain(|event| match event {
            egui::Event::ModifiersChanged(now) => std::mem::replace(&mut *last, *now) != *now,
            _ => true,
        });
    }
}

/// What a click or a key asks for in one frame is carried out in the next, which a quiet window would not draw by itself.
fn show_what_commands_do(mut commands: MessageReader<OperatorCommand>, mut redraw: MessageWriter<RequestRedraw>) {
    if commands.read().count() > 0 {
        redraw.write(RequestRedraw);
    }
}

fn pace(
    activity: Res<Activity>,
    analysis: Option<Res<Analysis>>,
    moment: Option<Res<ViewTime>>,
    cursor: Option<Res<Cursor>>,
    extent: Option<Res<Extent>>,
    freshness: Option<ResMut<Freshness>>,
    clock: Option<Res<Clock>>,
    mut settings: ResMut<WinitSettings>,
) {
    // A cursor that plays shows something else in every frame, whether data come or not.
    let playing = cursor.is_some_and(|cursor| matches!(*cursor, Cursor::Playing { .. }));
    let wait = if activity.moving() || playing {
        MOVING
    } else if extent.is_some_and(|extent| extent.is_recorded()) {
        // Nothing in it grows older.
        DORMANT
    } else if let (Some(analysis), Some(moment), Some(mut freshness)) = (analysis, moment, freshness)
        && moment.is_dormant(analysis.lock().history.bounds().map(|(_, newest)| newest))
    {
        // A signal that expires must be seen to expire, and a clock that shows minutes must show the right one.
        let until_stale = freshness.next_deadline().map_or(f64::INFINITY, |deadline| deadline.secs_since(moment.now));
        let secs = clock.map_or(Clock::WALL, |clock| *clock).wall_secs(until_stale.min(until_next_minute(moment.now)));
        in_steps(secs.clamp(QUIET.as_secs_f64(), DORMANT.as_secs_f64()))
    } else {
        QUIET
    };
    let wanted = UpdateMode::reactive_low_power(wait);
    if settings.focused_mode != wanted {
        settings.focused_mode = wanted;
        settings.unfocused_mode = wanted;
    }
}

/// Of 1 s, 2 s, 4 s and so on the longest that is not too long: a wait that differed in every frame would itself ask for
/// the next frame, as winit's runner draws whenever its mode changes.
fn in_steps(secs: f64) -> Duration {
    Duration::from_secs_f64(secs.log2().floor().exp2())
}

fn until_next_minute(now: Timestamp) -> f64 {
    60.0 - now.0.rem_euclid(60_000_000_000) as f64 / 1e9
}

/// The thread behind [`waker`]; ends with the app.
#[derive(Resource)]
struct WakeThread {
    ended: Arc<AtomicBool>,
    bell: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for WakeThread {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        // Full means that the thread is about to look anyway.
        let _ = self.bell.try_send(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What wakes the window from any thread, once [`waker`] was called; until then, and without a window, it does nothing.
pub(super) fn ring(app: &App) -> Waker {
    match app.world().get_resource::<WakeThread>() {
        Some(thread) => {
            let bell = thread.bell.clone();
            Arc::new(move || {
                let _ = bell.try_send(());
            })
        }
        None => Arc::new(|| {}),
    }
}

/// What sources call when data wait. Cheap enough for every message: it rings a bell that holds one ring, and a thread
/// wakes the window at most every 33 ms, the last ring never lost. Without a window (offscreen) it does nothing.
pub fn waker(app: &mut App) -> Waker {
    let Some(proxy) = app.world().get_resource::<EventLoopProxyWrapper>().map(|wrapper| (**wrapper).clone()) else {
        return Arc::new(|| {});
    };
    let (bell, rings) = bounded::<()>(1);
    let ended = Arc::new(AtomicBool::new(false));
    let seen = ended.clone();
    let thread = std::thread::Builder::new().name("window-waker".into()).spawn(move || {
        while rings.recv().is_ok() && !seen.load(Ordering::Acquire) {
            if proxy.send_event(WinitUserEvent::WakeUp).is_err() {
                break;
            }
            std::thread::sleep(MOVING);
        }
    });
    match thread {
        Ok(thread) => {
            app.insert_resource(WakeThread { ended, bell, thread: Some(thread) });
            ring(app)
        }
        Err(error) => {
            tracing::warn!("no thread to wake the window ({error}): it will show new data once a second");
            Arc::new(|| {})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_come_in_few_lengths_and_are_never_too_long() {
        let secs = |secs: f64| in_steps(secs).as_secs_f64();
        assert_eq!([1.0, 1.9, 2.0, 8.942, 8.785, 60.0].map(secs), [1.0, 1.0, 2.0, 8.0, 8.0, 32.0]);
    }

    #[test]
    fn a_clock_of_minutes_is_looked_at_again_when_the_minute_ends() {
        assert_eq!(until_next_minute(Timestamp(0)), 60.0);
        assert_eq!(until_next_minute(Timestamp(119_500_000_000)), 0.5);
        assert_eq!(until_next_minute(Timestamp(-1_000_000_000)), 1.0);
    }
}
