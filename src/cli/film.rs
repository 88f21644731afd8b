//! `pollux film`: a stretch of a recording as a video, or as one picture a frame.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bevy::image::Image;
use bevy::prelude::*;
use bevy::time::TimeUpdateStrategy;

use super::beside::BesideArgs;
use super::{Failure, live, play, shot};
use crate::files::{self, Existing, FileError, NewFile};
use crate::history::{Cursor, Extent};
use crate::layers;
use crate::panel;
use crate::panel::DesktopPlugins;
use crate::replay::{self, At, Options};
use crate::source::Clock;
use crate::value::Timestamp;
use crate::view::offscreen;

/// Names that ask for a video; anything else is a folder.
const VIDEOS: [&str; 5] = ["mp4", "mkv", "webm", "mov", "gif"];
/// How long a frame waits for the past that its trends show.
const FILL: Duration = Duration::from_secs(10);
/// More frames than anybody meant.
const MOST_FRAMES: f64 = 1e6;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Recordings; several of one series are shown as one.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A video (.mp4, .mkv, .webm, .mov, .gif), which needs ffmpeg, or a folder for one PNG a frame.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Begin here: after this long (90s, 1h2m), or at a moment (2026-01-31T12:00:00Z). Without this: at the start.
    #[arg(long, value_name = "TIME", value_parser = play::parse_at)]
    from: Option<At>,
    /// End here. Without this: at the end.
    #[arg(long, value_name = "TIME", value_parser = play::parse_at)]
    until: Option<At>,
    /// Recorded seconds per second of film.
    #[arg(long, value_name = "X", default_value_t = 10.0)]
    speed: f64,
    /// Frames per second of film.
    #[arg(long, default_value_t = 25)]
    fps: u32,
    /// Width and height in pixels.
    #[arg(long, value_name = "WxH", default_value = "1280x720", value_parser = shot::parse_size)]
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
    /// Show it in this scene instead of the one that it holds.
    #[arg(long, value_name = "SCENE")]
    scene: Option<PathBuf>,
    #[command(flatten)]
    beside: BesideArgs,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let is_video =
        args.output.extension().is_some_and(|end| VIDEOS.iter().any(|video| end.eq_ignore_ascii_case(video)));
    if is_video && args.size.x % 2 + args.size.y % 2 > 0 {
        return Err(Failure::Usage(format!("--size {}x{}: a video needs even numbers", args.size.x, args.size.y)));
    }
    if !(args.speed > 0.0 && args.speed <= 100_000.0 && (1..=240).contains(&args.fps)) {
        return Err(Failure::Usage("--speed must be above 0, and --fps from 1 to 240".into()));
    }
    let scene_files = args.scene.as_deref().map(super::scene_files).unwrap_or_default();
    let inputs = args.files.iter().chain(&scene_files).chain(args.beside.files());
    files::refuse_inputs(&args.output, inputs).map_err(|error| Failure::Usage(error.to_string()))?;
    // Better said before the work than after it: the film cannot stand there.
    match is_video {
        true => files::check(&args.output).map_err(unwritten)?,
        false if args.output.exists() && !args.output.is_dir() => {
            let said = format!("{}: is a file; name a folder for the frames, or a video", args.output.display());
            return Err(Failure::Usage(said));
        }
        false => {}
    }
    let stop = live::interrupted(|| {})?;
    let mut app = offscreen::app(args.size).map_err(shot::failure)?;
    let options = Options { scene: args.scene, at: args.from, blocking: true, ..Options::new(args.files) };
    play::open_both(&mut app, options, args.beside, Arc::new(|| {}))?;
    app.add_plugins(DesktopPlugins);
    if let Some(name) = &args.panel {
        panel::open(&mut app, name).map_err(|error| Failure::Usage(error.to_string()))?;
    }
    for command in shot::commands(&app, args.select.as_deref(), args.focus, &args.trend)? {
        app.world_mut().write_message(command);
    }
    let (from, until) = stretch(&app, args.until)?;
    let step_secs = args.speed / f64::from(args.fps);
    let frames = (until.secs_since(from) / step_secs).floor() + 1.0;
    if frames > MOST_FRAMES {
        return Err(Failure::Usage(format!(
            "{frames:.0} frames are more than {MOST_FRAMES:.0}: choose a higher --speed, or a shorter stretch with --from and --until"
        )));
    }
    let mut film = match is_video {
        true => Film::video(&args.output, args.size, args.fps)?,
        false => Film::folder(&args.output)?,
    };
    // Everything is loaded and in its place before the first frame.
    offscreen::picture(&mut app).map_err(shot::failure)?;
    stop_time(&mut app);
    let mut told = Told::default();
    let mut taken = 0;
    for frame in 0..frames as u64 {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let at = from + Duration::from_secs_f64(frame as f64 * step_secs);
        show(&mut app, at.min(until), args.speed);
        pass(&mut app, if frame == 0 { Duration::ZERO } else { Duration::from_secs_f64(1.0 / f64::from(args.fps)) });
        // Trends show what is loaded around the cursor.
        let begun = Instant::now();
        app.update();
        pass(&mut app, Duration::ZERO);
        while !(replay::is_filled(&app) && layers::is_filled(&app)) && begun.elapsed() < FILL {
            app.update();
        }
        film.add(offscreen::still(&mut app).map_err(shot::failure)?, frame)?;
        taken += 1;
        told.tell(taken, frames as u64);
    }
    film.finish()?;
    told.end();
    eprintln!("pollux: {}: {taken} frames", args.output.display());
    Ok(())
}

/// From here on nothing moves by itself: the film says which moment is shown, and how far machines have turned.
fn stop_time(app: &mut App) {
    app.insert_resource(Clock::at_speed(Timestamp(0), 0.0));
}

/// Shows a moment of something that plays, as whoever watches the film sees it: not as a row of pauses.
fn show(app: &mut App, at: Timestamp, speed: f64) {
    *app.world_mut().resource_mut::<Cursor>() = Cursor::Playing { at, speed };
}

/// How long the next updates take, as far as what they show is concerned.
fn pass(app: &mut App, each: Duration) {
    app.insert_resource(TimeUpdateStrategy::ManualDuration(each));
}

/// From where the cursor stands to `until`.
fn stretch(app: &App, until: Option<At>) -> Result<(Timestamp, Timestamp), Failure> {
    let world = app.world();
    let Some((start, end)) = world.resource::<Extent>().bounds() else {
        return Err(Failure::Usage("only recordings can be filmed".into()));
    };
    let from = world.resource::<Cursor>().shown(end);
    let until = match until {
        None => end,
        Some(At::After(after)) => start + after,
        Some(At::Moment(at)) => at,
    };
    if until < from || until > end {
        return Err(Failure::Usage(format!(
            "--until {until} must lie between {from} and the end of the recording, {end}"
        )));
    }
    Ok((from, until))
}

fn unwritten(error: FileError) -> Failure {
    Failure::Environment(format!("the video cannot be written: {error}"))
}

/// Where frames go.
enum Film {
    Folder(PathBuf),
    /// ffmpeg writes a file that takes its name when it is complete.
    Video {
        path: PathBuf,
        new: NewFile,
        ffmpeg: Child,
    },
}

impl Film {
    fn folder(path: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(path)
            .map_err(|error| Failure::Environment(format!("{}: the folder cannot be made: {error}", path.display())))?;
        Ok(Self::Folder(path.to_owned()))
    }

    fn video(path: &Path, size: UVec2, fps: u32) -> Result<Self, Failure> {
        let new = NewFile::begin(path, Existing::Replace).map_err(unwritten)?;
        let size = format!("{}x{}", size.x, size.y);
        let mut command = Command::new("ffmpeg");
        command.args(["-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgba", "-s", &size]);
        command.args(["-r", &fps.to_string(), "-i", "-"]);
        if !path.extension().is_some_and(|end| end.eq_ignore_ascii_case("gif")) {
            // What every player can show.
            command.args(["-pix_fmt", "yuv420p"]);
        }
        // An interrupt ends the film with the frames that it has; it must not end ffmpeg before these are in the file.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let ffmpeg = command.arg(new.path()).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().map_err(|error| {
            let why = match error.kind() {
                std::io::ErrorKind::NotFound => "ffmpeg is not installed".to_owned(),
                _ => format!("ffmpeg cannot be started: {error}"),
            };
            Failure::Environment(format!(
                "{}: {why}; install ffmpeg, or name a folder to get one PNG a frame",
                path.display()
            ))
        })?;
        Ok(Self::Video { path: path.to_owned(), new, ffmpeg })
    }

    fn add(&mut self, image: Image, frame: u64) -> Result<(), Failure> {
        match self {
            Film::Folder(folder) => {
                let path = folder.join(format!("frame-{:06}.png", frame + 1));
                offscreen::save(image, &path).map_err(shot::failure)
            }
            Film::Video { path, ffmpeg, .. } => {
                let pixels = image.data.as_deref().unwrap_or_default();
                let written = ffmpeg.stdin.as_mut().map_or(Ok(()), |pipe| pipe.write_all(pixels));
                written.map_err(|error| {
                    // It has said why on standard error, unless it was killed.
                    let end = ffmpeg.wait().map_or_else(|_| error.to_string(), |status| status.to_string());
                    Failure::Environment(format!("{}: ffmpeg gave up after {frame} frames ({end})", path.display()))
                })
            }
        }
    }

    fn finish(self) -> Result<(), Failure> {
        let Film::Video { path, new, mut ffmpeg } = self else { return Ok(()) };
        drop(ffmpeg.stdin.take());
        match ffmpeg.wait() {
            Ok(status) if status.success() => new.finish().map_err(Failure::environment),
            Ok(status) => Err(Failure::Environment(format!("{}: ffmpeg failed ({status})", path.display()))),
            Err(error) => Err(Failure::Environment(format!("{}: ffmpeg: {error}", path.display()))),
        }
    }
}

/// On a terminal: how far it is, twice a second.
struct Told {
    last: Instant,
    is_terminal: bool,
}

impl Default for Told {
    fn default() -> Self {
        Self { last: Instant::now(), is_terminal: std::io::stderr().is_terminal() }
    }
}

impl Told {
    fn tell(&mut self, done: u64, all: u64) {
        if self.is_terminal && self.last.elapsed() > Duration::from_millis(500) {
            self.last = Instant::now();
            eprint!("\r{done} of {all} frames ");
            let _ = std::io::stderr().flush();
        }
    }

    fn end(&self) {
        if self.is_terminal {
            eprint!("\r");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::ViewTime;
    use crate::panel::timebar;

    #[test]
    fn a_film_says_how_fast_it_plays_and_shows_each_moment_for_as_long_as_its_frame_takes() {
        let mut app = App::new();
        let options = Options { blocking: true, ..Options::new(["scenes/bottling/incident.mcap"]) };
        replay::open(&mut app, options, Arc::new(|| {})).unwrap();
        stop_time(&mut app);
        let start = app.world().resource::<Extent>().bounds().unwrap().0;
        for secs in [60, 65, 62] {
            let at = start + Duration::from_secs(secs);
            show(&mut app, at, 10.0);
            for _ in 0..3 {
                app.update();
                std::thread::sleep(Duration::from_millis(5));
            }
            assert_eq!(app.world().resource::<ViewTime>().shown, at);
            assert_eq!(timebar::badge(app.world().resource::<Cursor>(), true), "REPLAY ×10");
        }
    }
}
