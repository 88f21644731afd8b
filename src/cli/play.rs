//! `pollux play`: a recording in the place of a plant. With a window, headless with a state file at the end, or published
//! again to a broker.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bevy::prelude::*;

use super::beside::{self, BesideArgs};
use super::{Failure, live, time_limit};
use crate::analysis::Analysis;
use crate::history::{Cursor, Horizon};
use crate::layers;
use crate::recent;
use crate::replay::{self, At, OpenError, Options};
use crate::session;
use crate::source::{Waker, republish};
use crate::value::Timestamp;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Recordings; several of one series are shown as one. Without any: the list of those that were opened last.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Begin here: after this long (90s, 1h2m) or at this moment (2026-01-31T12:00:00Z). Stands still there unless --speed
    /// is given.
    #[arg(long, value_name = "TIME", value_parser = parse_at)]
    at: Option<At>,
    /// Recorded seconds per second, from 0.01 to 1000, negative for backwards. Without this and --at: 1.
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = parse_speed)]
    speed: Option<f64>,
    /// Show it in this scene instead of the one that it holds: to see old data in a new scene, or files of other programs.
    #[arg(long, value_name = "SCENE")]
    scene: Option<PathBuf>,
    /// Memory for history in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    history_mib: u64,
    /// Run without a window.
    #[arg(long)]
    headless: bool,
    /// Stop after this long (10s, 2m30s). A headless run also stops when the cursor stands still.
    #[arg(long = "for", value_name = "DURATION", value_parser = time_limit::parse)]
    limit: Option<Duration>,
    /// Write the state of all twins at the cursor as JSON at the end.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Publish the recording to this broker with its original timing (times --speed), instead of showing it. Logs in as
    /// --scene says, if it is given.
    #[arg(long, value_name = "URL", conflicts_with_all = ["headless", "limit", "state", "beside"])]
    to: Option<String>,
    /// First levels of all topics that are published, so that nobody takes them for the plant; empty for the original
    /// topics.
    #[arg(long, requires = "to", default_value = republish::DEFAULT_PREFIX)]
    prefix: String,
    /// Publish as retained what was retained when it was recorded.
    #[arg(long, requires = "to")]
    retain: bool,
    #[command(flatten)]
    beside: BesideArgs,
}

/// A moment of a recording, for clap.
pub(super) fn parse_at(text: &str) -> Result<At, String> {
    if let Some(moment) = Timestamp::parse_rfc3339(text) {
        return Ok(At::Moment(moment));
    }
    time_limit::parse(text).map(At::After).map_err(|_| {
        format!("`{text}` is no moment; write it as time after the start (90s, 1h2m) or like 2026-01-31T12:00:00Z")
    })
}

fn parse_speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.01..=1000.0).contains(&speed.abs()) => Ok(speed),
        _ => Err(format!("`{text}` is no speed; it must be from 0.01 to 1000, or from -1000 to -0.01 for backwards")),
    }
}

impl Args {
    fn options(&self) -> Options {
        Options {
            scene: self.scene.clone(),
            at: self.at,
            speed: self.speed.or(self.at.is_none().then_some(1.0)),
            history_budget_bytes: self.history_mib << 20,
            blocking: self.headless,
            ..Options::new(&self.files)
        }
    }
}

/// What was opened last, for whoever names nothing.
fn nothing_named() -> Failure {
    let mut said = "name a recording: pollux play FILE".to_owned();
    match recent::usual_place().and_then(|path| recent::list(&path)) {
        Err(error) => said.push_str(&format!("\n{error}")),
        Ok(listed) => {
            let mut recordings =
                listed.iter().filter(|listed| listed.recent.kind == recent::RecentKind::Recording).peekable();
            if recordings.peek().is_some() {
                said.push_str("\nopened last:");
            }
            for listed in recordings {
                let files: Vec<String> = listed.recent.files.iter().map(|file| pasteable(file)).collect();
                let missing = listed.missing.as_ref().map(|why| format!("  ({why})")).unwrap_or_default();
                said.push_str(&format!("\n  {}{missing}", files.join(" ")));
            }
        }
    }
    Failure::Usage(said)
}

/// A path as a shell takes it for one word.
fn pasteable(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/\\:._-+,@%=".contains(c);
    match text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

pub fn run(args: Args) -> Result<(), Failure> {
    if args.files.is_empty() {
        return Err(nothing_named());
    }
    if let Some(to) = args.to {
        return super::republish::run(super::republish::Request {
            files: args.files,
            scene: args.scene,
            at: args.at,
            speed: args.speed.unwrap_or(1.0),
            to,
            prefix: args.prefix,
            retain: args.retain,
        });
    }
    if let Some(file) = &args.state {
        let scene_files = args.scene.as_deref().map(super::scene_files).unwrap_or_default();
        live::check_state_file(file, args.files.iter().chain(&scene_files).chain(args.beside.files()))?;
    }
    let options = args.options();
    match args.headless {
        true => headless(options, args.beside, args.limit, args.state),
        false => windowed(options, args.beside, args.limit, args.state),
    }
}

/// Runs until the cursor stands still, the time is over or somebody interrupts.
fn headless(
    options: Options,
    beside: BesideArgs,
    limit: Option<Duration>,
    state_file: Option<PathBuf>,
) -> Result<(), Failure> {
    let (wake, woken) = crossbeam_channel::bounded(1);
    let waker: Waker = Arc::new(move || {
        // Full means that the loop is about to wake anyway.
        let _ = wake.try_send(());
    });
    let wake = waker.clone();
    let stop = live::interrupted(move || wake())?;
    let mut app = App::new();
    open_both(&mut app, options, beside, waker)?;
    let started = std::time::Instant::now();
    let left = || limit.map(|limit| limit.saturating_sub(started.elapsed()));
    let plays = |app: &App| matches!(app.world().resource::<Cursor>(), Cursor::Playing { .. });
    const SLICE: Duration = Duration::from_millis(50);
    while plays(&app) && !stop.load(Ordering::Relaxed) && left() != Some(Duration::ZERO) {
        let slice = left().map_or(SLICE, |left| left.min(SLICE));
        session::run_headless(&mut app, &woken, Some(slice), || stop.load(Ordering::Relaxed));
    }
    session::run_headless(&mut app, &woken, Some(Duration::ZERO), || true);
    let troubles = app.world().resource::<Analysis>().lock().troubles();
    troubles.iter().for_each(|trouble| eprintln!("pollux: {trouble}"));
    match state_file {
        Some(file) => live::write_state(app.world_mut(), &file),
        None => Ok(()),
    }
}

#[cfg(feature = "desktop")]
fn windowed(
    options: Options,
    beside: BesideArgs,
    limit: Option<Duration>,
    state_file: Option<PathBuf>,
) -> Result<(), Failure> {
    let files = options.files.clone();
    let opened = move |app: &mut App, waker: Waker| {
        open_both(app, options, beside, waker)?;
        recent::remember(recent::RecentKind::Recording, &files);
        Ok(())
    };
    super::window::run(opened, limit, state_file)
}

#[cfg(not(feature = "desktop"))]
fn windowed(_: Options, _: BesideArgs, _: Option<Duration>, _: Option<PathBuf>) -> Result<(), Failure> {
    Err(Failure::Usage("this pollux was built without the `desktop` feature; run it with --headless".into()))
}

/// A recording, and what lies beside it: that may reach farther, and so may the moment to begin at.
pub(super) fn open_both(app: &mut App, options: Options, beside: BesideArgs, waker: Waker) -> Result<(), Failure> {
    let (name, budget, blocking) = (beside::name_of(&options.files), options.history_budget_bytes, options.blocking);
    let options = Options { history_budget_bytes: beside.memory_left(budget), ..options };
    let beyond = match replay::open(app, options.clone(), waker.clone()) {
        Ok(()) => None,
        Err(error @ OpenError::Outside { at, start, end }) if at > end && beside.is_some() => {
            let to_end = Options { at: Some(At::Moment(end)), ..options };
            replay::open(app, to_end, waker.clone()).map_err(failure)?;
            Some((at, (start, end), error))
        }
        Err(error) => return Err(failure(error)),
    };
    beside.install(app, name.clone(), budget, blocking, waker)?;
    layers::show_forecasts(app, name);
    let Some((at, bounds, error)) = beyond else { return Ok(()) };
    let last = app.world().resource::<Horizon>().end(bounds.1);
    if at > last {
        return Err(failure(error));
    }
    let mut cursor = app.world_mut().resource_mut::<Cursor>();
    *cursor = cursor.seek(at, Some(bounds), last);
    Ok(())
}

/// Prints the issues of a scene that has errors.
fn failure(error: OpenError) -> Failure {
    match error {
        OpenError::Scene(loaded) => {
            eprint!("{}", loaded.render(super::colour()));
            Failure::Verdict
        }
        OpenError::NoScene(_) | OpenError::Outside { .. } => Failure::Usage(error.to_string()),
        other => Failure::environment(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        assert_eq!(parse_at("90s"), Ok(At::After(Duration::from_secs(90))));
        let noon = Timestamp::parse_rfc3339("2026-01-31T12:00:00Z").expect("a time");
        assert_eq!(parse_at("2026-01-31T13:00:00+01:00"), Ok(At::Moment(noon)));
        assert!(parse_at("noon").is_err_and(|said| said.contains("90s") && said.contains("2026-01-31T12:00:00Z")));
    }

    #[test]
    fn a_speed_is_within_its_bounds_either_way() {
        assert_eq!((parse_speed("-2.5"), parse_speed("1000")), (Ok(-2.5), Ok(1000.0)));
        for wrong in ["0", "1001", "-0.001", "NaN", "fast"] {
            assert!(parse_speed(wrong).is_err(), "{wrong}");
        }
    }
}
