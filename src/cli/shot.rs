//! `pollux shot`: a scene or a moment of a recording as a picture, panels included, without any display.

use std::path::PathBuf;
use std::time::Duration;

use bevy::prelude::*;

use super::beside::BesideArgs;
use super::live::{self, SessionArgs};
use super::{Failure, play};
use crate::command::{AttentionCommand, CameraCommand, OperatorCommand};
use crate::files::{self, FileError};
use crate::history::ViewTime;
use crate::layers;
use crate::panel;
use crate::panel::DesktopPlugins;
use crate::record::read;
use crate::replay::{self, At};
use crate::scene::LoadedScene;
use crate::source;
use crate::view::offscreen::{self, ShotError};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The scene file, or a recording. Without one: the demo's scene.
    #[arg(value_name = "SCENE|RECORDING")]
    scene: Option<PathBuf>,
    /// The PNG file to write.
    #[arg(short, long, value_name = "PNG")]
    output: PathBuf,
    /// How long to let data arrive before the picture is taken (20s, 2m; else 3s): on the clock that the picture shows,
    /// which runs at --plant-speed. Of a recording: the moment to show, after its start or like 2026-01-31T12:00:00Z, else
    /// the start.
    #[arg(long, value_name = "TIME", value_parser = play::parse_at)]
    at: Option<At>,
    /// Width and height in pixels.
    #[arg(long, value_name = "WxH", default_value = "1600x900", value_parser = parse_size)]
    size: UVec2,
    /// Select this twin.
    #[arg(long, value_name = "TWIN")]
    select: Option<String>,
    /// Move the camera to the selected twin.
    #[arg(long, requires = "select")]
    focus: bool,
    /// Show these signals in the trend panel: P-101.vibration
    #[arg(long, value_name = "TWIN.SIGNAL")]
    trend: Vec<String>,
    /// Bring this panel to the front.
    #[arg(long, value_name = "NAME")]
    panel: Option<String>,
    #[command(flatten)]
    beside: BesideArgs,
    #[command(flatten)]
    session: SessionArgs,
}

pub(super) fn parse_size(text: &str) -> Result<UVec2, String> {
    let wrong = || format!("`{text}` is not a size; write it like 1600x900");
    let (width, height) = text.split_once('x').ok_or_else(wrong)?;
    Ok(UVec2::new(width.parse().map_err(|_| wrong())?, height.parse().map_err(|_| wrong())?))
}

/// How long data arrive in a scene if nothing is said.
const WAIT: Duration = Duration::from_secs(3);

/// How long a recording is read before its picture is taken.
const FILL: Duration = Duration::from_secs(10);

pub fn run(args: Args) -> Result<(), Failure> {
    let scene = args.scene.map_or_else(super::demo_scene, Ok)?;
    let is_recording = read::check_begin(&scene).is_ok();
    let inputs = if is_recording { vec![scene.clone()] } else { super::scene_files(&scene) };
    args.session.check_events(inputs.iter().chain(args.beside.files()))?;
    files::refuse_inputs(&args.output, inputs.iter().chain(args.beside.files()))
        .and_then(|()| files::check(&args.output))
        .map_err(|error| failure(error.into()))?;
    let waker: source::Waker = std::sync::Arc::new(|| {});
    let mut app = offscreen::app(args.size).map_err(failure)?;
    let wait = match (is_recording, args.at) {
        (true, at) => {
            let history_budget_bytes = args.session.history_budget_bytes();
            let options =
                replay::Options { at, blocking: true, history_budget_bytes, ..replay::Options::new([&scene]) };
            play::open_both(&mut app, options, args.beside, waker)?;
            Duration::ZERO
        }
        (false, Some(At::Moment(at))) => {
            let said = format!("{at} is a moment for recordings; for a scene say how long to wait, such as --at 20s");
            return Err(Failure::Usage(said));
        }
        (false, at) => {
            let mut options = args.session.options(scene)?;
            options.watch = false;
            live::open_both(&mut app, options, Some(args.beside), waker)?;
            match at {
                Some(At::After(wait)) => wait,
                _ => WAIT,
            }
        }
    };
    app.add_plugins(DesktopPlugins);
    if let Some(name) = &args.panel {
        panel::open(&mut app, name).map_err(|error| Failure::Usage(error.to_string()))?;
    }
    let commands = commands(&app, args.select.as_deref(), args.focus, &args.trend)?;
    for command in commands {
        app.world_mut().write_message(command);
    }
    offscreen::prepare(&mut app);
    // Trends show what was loaded around the cursor.
    let begun = std::time::Instant::now();
    while !(replay::is_filled(&app) && layers::is_filled(&app)) && begun.elapsed() < FILL {
        app.update();
    }
    loop {
        app.update();
        let moment = app.world().resource::<ViewTime>();
        if moment.now.secs_since(moment.session_start) >= wait.as_secs_f64() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    offscreen::capture(&mut app, &args.output).map_err(failure)
}

/// What the operator would have clicked.
pub(super) fn commands(
    app: &App,
    select: Option<&str>,
    focus: bool,
    trends: &[String],
) -> Result<Vec<OperatorCommand>, Failure> {
    let scene = &app.world().resource::<LoadedScene>().scene;
    let mut commands = Vec::new();
    if let Some(id) = select {
        let twin = scene.twin(id).ok_or_else(|| Failure::Usage(format!("the scene has no twin `{id}`")))?;
        commands.push(AttentionCommand::Select(Some(twin.index)).into());
        if focus {
            commands.push(CameraCommand::Focus(Some(twin.index)).into());
        }
    }
    for path in trends {
        let signal = path.rsplit_once('.').and_then(|(id, name)| scene.signal(id, name));
        let signal = signal
            .ok_or_else(|| Failure::Usage(format!("the scene has no signal `{path}`; write it like P-101.flow")))?;
        commands.push(AttentionCommand::ToggleTrend(signal.index).into());
    }
    Ok(commands)
}

pub(super) fn failure(error: ShotError) -> Failure {
    match error {
        ShotError::Size { .. } | ShotError::Write(FileError::Input { .. }) => Failure::Usage(error.to_string()),
        other => Failure::environment(other),
    }
}
