//! The command line: one file per subcommand. In: arguments. Out: an exit code, results on standard output, messages
//! on standard error.
//!
//! Exit codes are a contract: 0 fine, 1 a verdict was negative, 2 wrong usage, 3 the environment failed; 130 a command that
//! writes a file was told to end before the file was whole, and left nothing behind.

mod bell;
mod bench;
mod beside;
mod check;
mod command;
mod compare;
mod debrief;
mod ended;
mod export;
mod faults;
#[cfg(feature = "desktop")]
mod film;
mod import;
mod info;
mod live;
mod models;
#[cfg(feature = "desktop")]
mod opener;
mod out;
mod plant;
mod play;
mod progress;
mod record;
mod rejudge;
mod repair;
mod republish;
#[cfg(feature = "desktop")]
mod shot;
mod test;
mod time_limit;
#[cfg(feature = "desktop")]
mod window;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Mirrors a plant live in 3D, remembers what it did, and lets you break it without harm.
///
/// Without a subcommand, opens the demo: a simulated bottling line on an embedded MQTT broker.
#[derive(Parser, Debug)]
#[command(name = "pollux", version, propagate_version = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    global: Global,
}

#[derive(clap::Args, Debug)]
struct Global {
    /// Say more on standard error; twice for everything. The variable POLLUX_LOG overrides it.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Mirror a plant live.
    Live(live::Args),
    /// Show a recording.
    Play(play::Args),
    /// Record a plant into an MCAP file, without a window.
    Record(record::Args),
    /// Run the simulated plant of a scene and publish it to a broker.
    Plant(plant::Args),
    /// Carry out scenarios in simulated time and say what came of them.
    Test(test::Args),
    /// List the kinds of faults that scenarios can name, or print all about one.
    Faults(faults::Args),
    /// List what a scene's equipment can be told, show what a command would send, or give it.
    #[command(name = "command")]
    Instruct(command::Args),
    /// Check scene files and scenarios and print every issue.
    Check(check::Args),
    /// List the models that scenes can name, or print one with its parameters, inputs, outputs and ports.
    Models(models::Args),
    /// Say what a recording holds, and what is missing from it.
    Info(info::Args),
    /// Compare two recordings: what differs, how much and when.
    Compare(compare::Args),
    /// Say which alarms an edited scene would have gained, lost or moved over a recording.
    Rejudge(rejudge::Args),
    /// Align faults that were set on purpose with alarms and with what people did: the report of an exercise.
    Debrief(debrief::Args),
    /// Write recordings, or a stretch of them, for other programs.
    Export(export::Args),
    /// Make damaged recordings whole again, in place.
    Repair(repair::Args),
    /// Make a recording of another program's log.
    Import(import::Args),
    /// Make a video of a stretch of a recording.
    #[cfg(feature = "desktop")]
    Film(film::Args),
    /// Render a scene offscreen to a PNG file.
    #[cfg(feature = "desktop")]
    Shot(shot::Args),
    /// Measure this machine: messages, samples and frames per second.
    Bench(bench::Args),
}

impl Command {
    /// Whether it is done with a file that it writes, and has no other way to end than to be told so by the system.
    /// The others listen themselves, and end as if they were done.
    fn writes_at_once(&self) -> bool {
        match self {
            Self::Export(_) | Self::Repair(_) | Self::Import(_) => true,
            #[cfg(feature = "desktop")]
            Self::Shot(_) => true,
            _ => false,
        }
    }
}

/// An interrupt or a termination ends the program, and the files that it has not finished go.
fn tidy_when_ended() {
    let end = || {
        crate::files::remove_unfinished();
        std::process::exit(ENDED);
    };
    if let Err(error) = ended::listen(end) {
        tracing::debug!("an interrupt leaves the unfinished file: {error}");
    }
}

/// What shells say of a program that an interrupt ended.
const ENDED: i32 = 130;

/// Why a command ended, apart from success.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The answer is no: an invalid scene, recordings that differ. What is wrong has been printed.
    #[error("")]
    Verdict,
    /// The arguments do not make sense together.
    #[error("{0}")]
    Usage(String),
    /// No broker, no display, no disk.
    #[error("{0}")]
    Environment(String),
}

impl Failure {
    pub(crate) fn environment(error: impl std::fmt::Display) -> Self {
        Self::Environment(error.to_string())
    }

    fn code(&self) -> u8 {
        match self {
            Failure::Verdict => 1,
            Failure::Usage(_) => 2,
            Failure::Environment(_) => 3,
        }
    }
}

/// A thread that cannot be made, and the like.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::environment(error)
    }
}

/// Runs the program: what `main` calls.
pub fn main() -> ExitCode {
    let args = Args::parse();
    start_log(args.global.verbose);
    match run(args.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !matches!(failure, Failure::Verdict) {
                eprintln!("pollux: {failure}");
            }
            ExitCode::from(failure.code())
        }
    }
}

fn run(command: Option<Command>) -> Result<(), Failure> {
    if command.as_ref().is_some_and(Command::writes_at_once) {
        tidy_when_ended();
    }
    match command {
        None => live::demo(),
        Some(Command::Live(args)) => live::run(args),
        Some(Command::Play(args)) => play::run(args),
        Some(Command::Record(args)) => record::run(args),
        Some(Command::Plant(args)) => plant::run(args),
        Some(Command::Test(args)) => test::run(args),
        Some(Command::Faults(args)) => faults::run(args),
        Some(Command::Instruct(args)) => command::run(args),
        Some(Command::Check(args)) => check::run(args),
        Some(Command::Models(args)) => models::run(args),
        Some(Command::Info(args)) => info::run(args),
        Some(Command::Compare(args)) => compare::run(args),
        Some(Command::Rejudge(args)) => rejudge::run(args),
        Some(Command::Debrief(args)) => debrief::run(args),
        Some(Command::Export(args)) => export::run(args),
        Some(Command::Repair(args)) => repair::run(args),
        Some(Command::Import(args)) => import::run(args),
        #[cfg(feature = "desktop")]
        Some(Command::Film(args)) => film::run(args),
        #[cfg(feature = "desktop")]
        Some(Command::Shot(args)) => shot::run(args),
        Some(Command::Bench(args)) => bench::run(args),
    }
}

fn start_log(verbose: u8) {
    let level = match verbose {
        0 => "pollux=warn,error",
        1 => "pollux=info,warn",
        _ => "pollux=debug,info",
    };
    let level = format!("{level},{}", crate::source::broker::LOG_DIRECTIVE);
    let filter = std::env::var("POLLUX_LOG").ok().and_then(|text| tracing_subscriber::EnvFilter::try_new(text).ok());
    let filter = filter.unwrap_or_else(|| tracing_subscriber::EnvFilter::new(level));
    let colour = std::env::var_os("NO_COLOR").is_none() && std::io::IsTerminal::is_terminal(&std::io::stderr());
    // A second start (in tests) keeps the first subscriber.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour)
        .with_target(false)
        .try_init();
}

/// The scene that `pollux` opens when none is named: beside the program's sources, its folder, or the current one.
fn demo_scene() -> Result<PathBuf, Failure> {
    const DEMO: &str = "scenes/bottling/scene.ron";
    let beside_program = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(DEMO)));
    let candidates =
        [Some(PathBuf::from(DEMO)), beside_program, Some(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(DEMO))];
    candidates.into_iter().flatten().find(|path| path.is_file()).ok_or_else(|| {
        Failure::Environment(format!("the demo scene {DEMO} is missing; name a scene: pollux live SCENE"))
    })
}

/// All files that a scene is read from; the scene alone where it has errors.
fn scene_files(scene: &Path) -> Vec<PathBuf> {
    let sources = crate::scene::load(scene).scene.map(|scene| scene.sources).unwrap_or_default();
    std::iter::once(scene.to_owned()).chain(sources.into_iter().map(|source| source.path)).collect()
}

/// Whether results may be coloured.
fn colour() -> bool {
    std::env::var_os("NO_COLOR").is_none() && std::io::IsTerminal::is_terminal(&std::io::stdout())
}
