//! `pollux live`: mirror a plant. With a window, or headless with a state file at the end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bevy::prelude::*;

use super::beside::BesideArgs;
use super::plant::PlantArgs;
use super::{Failure, bell, demo_scene, time_limit};
use crate::fault::WrittenFault;
use crate::files::{self, FileError};
use crate::layers;
use crate::record::{Keep, RecordOptions, Roll};
use crate::scenario;
use crate::scene::rule::Priority;
use crate::session::{self, AllowCommands, OpenError, Options, StorePlace};
use crate::source::mqtt::address_of;
use crate::state;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The scene file. Without one: the demo, a simulated bottling line.
    scene: Option<PathBuf>,
    #[command(flatten)]
    session: SessionArgs,
    /// Run without a window.
    #[arg(long)]
    headless: bool,
    /// Stop after this long (10s, 2m30s).
    #[arg(long = "for", value_name = "DURATION", value_parser = time_limit::parse)]
    limit: Option<Duration>,
    /// Write the state of all twins and sources as JSON at the end.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Lay the faults of this file over the data: beside the truth, which stays as it is, and never on the wire.
    #[arg(long, value_name = "FILE")]
    overlay: Option<PathBuf>,
    #[command(flatten)]
    beside: BesideArgs,
}

/// How a session is opened, shared by the subcommands that open one.
#[derive(clap::Args, Debug)]
pub struct SessionArgs {
    /// Connect here instead of to the addresses in the scene: mqtt://host:port or mqtts://host:port.
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
    /// Run the scene's simulated plant against the broker.
    #[arg(long)]
    plant: bool,
    #[command(flatten)]
    simulated: PlantArgs,
    /// Simulated seconds per second: the session's clock runs as fast.
    #[arg(long, default_value_t = 1.0)]
    plant_speed: f64,
    /// Port of the embedded broker, which runs if neither the scene nor --broker names one. 0: one that is free.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Memory for history in MiB; the oldest samples go first.
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    history_mib: u64,
    /// Keep alarms and events here, so that they survive a restart. Without this: in the state folder of the user,
    /// unless --plant runs a plant that begins anew each time.
    #[arg(long, value_name = "FILE", conflicts_with = "no_store")]
    store: Option<PathBuf>,
    /// Begin with no alarms and no events, and keep none.
    #[arg(long)]
    no_store: bool,
    /// Append every event as a line of JSON to this file.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Record everything into this MCAP file; later ones stand beside it with a time in their name.
    #[arg(long, value_name = "FILE")]
    pub(super) record: Option<PathBuf>,
    /// Begin a new file at this size or age: 1GiB, 1h, or both with a comma between.
    #[arg(long, value_name = "SIZE|TIME")]
    record_roll: Option<Roll>,
    /// Keep so many files, so many bytes, or files so young: 10, 20GiB, 7d, or several with commas between.
    #[arg(long, value_name = "COUNT|SIZE|TIME")]
    record_keep: Option<Keep>,
    /// Hold this much of the past in memory, and record only when an alarm (--record-on) or a person asks for it.
    #[arg(long, value_name = "DURATION", value_parser = time_limit::parse)]
    record_before: Option<Duration>,
    /// Alarms of this priority or a more urgent one ask for the past.
    #[arg(long, value_name = "PRIORITY", value_parser = priority)]
    record_on: Option<Priority>,
    /// How long to record on after it was asked for.
    #[arg(long, value_name = "DURATION", value_parser = time_limit::parse)]
    record_after: Option<Duration>,
    /// The name that goes on record for deeds in this window. Without this: the user who is logged in.
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// Ring the terminal and ask for attention with the window when a new alarm of this priority or above comes:
    /// critical, high, medium or low. Without this: silence, until it is switched on in the alarm panel.
    #[arg(long, value_name = "PRIORITY", value_parser = priority)]
    bell: Option<Priority>,
    /// Allow that commands are sent to equipment, where the scene allows it as well (commands: true): to its brokers, or to
    /// the one at URL alone, which must be said where --broker replaces what the scene says. A plant of --plant obeys those
    /// that set what has a fixed value in the scene.
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true)]
    allow_commands: Option<Option<String>>,
}

impl SessionArgs {
    #[cfg(feature = "desktop")]
    pub fn history_budget_bytes(&self) -> u64 {
        self.history_mib << 20
    }

    /// How to record is nothing without what to record into.
    pub fn check(&self) -> Result<(), Failure> {
        let flags = [
            ("--record-roll", self.record_roll.is_some()),
            ("--record-keep", self.record_keep.is_some()),
            ("--record-before", self.record_before.is_some()),
            ("--record-on", self.record_on.is_some()),
            ("--record-after", self.record_after.is_some()),
        ];
        match flags.into_iter().find(|(_, given)| *given && self.record.is_none()) {
            Some((flag, _)) => Err(Failure::Usage(format!("{flag} needs a file to record into: --record FILE"))),
            None => Ok(()),
        }
    }

    /// Events are put behind what stands in their file, which must not be one that is read.
    pub fn check_events<'p>(&self, inputs: impl IntoIterator<Item = &'p PathBuf>) -> Result<(), Failure> {
        match &self.events {
            Some(file) => files::refuse_inputs(file, inputs).map_err(|error| Failure::Usage(error.to_string())),
            None => Ok(()),
        }
    }

    pub fn options(self, scene: PathBuf) -> Result<Options, Failure> {
        if self.simulated.stand_in.is_some() && !self.plant {
            return Err(Failure::Usage("--stand-in is a part of the simulated plant: add --plant".into()));
        }
        let allow_commands = allowed(&self.allow_commands, &self.broker)?;
        let plant_options = self.simulated.options(|| crate::scene::load(&scene).scene.map(Arc::new))?;
        let mut options = Options::new(scene);
        options.broker = self.broker;
        options.plant = self.plant;
        options.plant_options = plant_options;
        options.allow_remote = self.simulated.allow_remote;
        options.control = self.simulated.control();
        options.plant_speed = self.plant_speed;
        options.embedded.bind.set_port(self.port);
        options.history_budget_bytes = self.history_mib << 20;
        options.store = match self.store {
            Some(path) => StorePlace::At(path),
            None if self.no_store => StorePlace::Nowhere,
            None => StorePlace::Usual,
        };
        options.events = self.events;
        options.record = self.record.map(|path| RecordOptions {
            roll: self.record_roll.unwrap_or_default(),
            keep: self.record_keep.unwrap_or_default(),
            before: self.record_before.or(self.record_on.map(|_| RecordOptions::DEFAULT_BEFORE)),
            on: self.record_on,
            after: self.record_after.unwrap_or(RecordOptions::DEFAULT_AFTER),
            ..RecordOptions::new(path)
        });
        options.bell = self.bell;
        options.plant_options.operated |= allow_commands != AllowCommands::No;
        options.allow_commands = allow_commands;
        if let Some(operator) = self.operator {
            options.operator = operator;
        }
        Ok(options)
    }
}

/// What `--allow-commands` says: another broker than those of the scene must be named a second time.
pub(super) fn allowed(given: &Option<Option<String>>, broker: &Option<String>) -> Result<AllowCommands, Failure> {
    match (given, broker) {
        (None, _) => Ok(AllowCommands::No),
        (Some(None), None) => Ok(AllowCommands::OfScene),
        (Some(None), Some(broker)) => Err(Failure::Usage(format!(
            "--broker replaces the brokers that the scene allows commands to: say --allow-commands={} if you mean that \
             commands may go there",
            address_of(broker)
        ))),
        (Some(Some(address)), Some(broker)) if address_of(address) != address_of(broker) => {
            Err(Failure::Usage(format!(
                "--allow-commands={} is not the address of --broker, {}: commands would go nowhere",
                address_of(address),
                address_of(broker)
            )))
        }
        (Some(Some(address)), _) => Ok(AllowCommands::At(address.clone())),
    }
}

fn priority(text: &str) -> Result<Priority, String> {
    let named = Priority::ALL.into_iter().find(|priority| priority.name().eq_ignore_ascii_case(text));
    named.ok_or_else(|| format!("priorities are {}", Priority::ALL.map(Priority::name).join(", ")))
}

/// The demo: bottling scene, embedded broker, simulated plant, window.
pub fn demo() -> Result<(), Failure> {
    let mut options = Options::new(demo_scene()?);
    options.plant = true;
    windowed(options, None, None, None, false)
}

pub fn run(mut args: Args) -> Result<(), Failure> {
    args.session.check()?;
    let is_demo = args.scene.is_none();
    let scene = args.scene.map_or_else(demo_scene, Ok)?;
    let is_named = !is_demo;
    let writes = args.state.is_some() || args.session.events.is_some();
    let scene_files = if writes { super::scene_files(&scene) } else { Vec::new() };
    let inputs = || scene_files.iter().chain(args.beside.files()).chain(&args.overlay);
    args.session.check_events(inputs())?;
    if let Some(file) = &args.state {
        check_state_file(file, inputs())?;
    }
    args.session.plant |= is_demo && args.session.broker.is_none();
    let mut options = args.session.options(scene)?;
    if let Some(file) = &args.overlay {
        options.overlay = overlay(file, &options.scene)?;
    }
    let beside = Some(args.beside);
    match args.headless {
        true => headless(options, beside, args.limit, args.state),
        false => windowed(options, beside, args.limit, args.state, is_named),
    }
}

/// The faults of a file; what is wrong with it is printed. A scene with errors is told when it is opened.
fn overlay(file: &Path, scene: &Path) -> Result<Vec<(WrittenFault, String)>, Failure> {
    let Some(scene) = crate::scene::load(scene).scene else { return Ok(Vec::new()) };
    let loaded = scenario::load_overlay(file, &scene);
    eprint!("{}", loaded.render(super::colour()));
    loaded.faults.ok_or(Failure::Verdict)
}

/// Better said before a long run than after it: the state cannot be written there, or it would take the place of what
/// is read.
pub(super) fn check_state_file<'p>(file: &Path, inputs: impl IntoIterator<Item = &'p PathBuf>) -> Result<(), Failure> {
    files::refuse_inputs(file, inputs).map_err(|error| Failure::Usage(error.to_string()))?;
    files::check(file).map_err(state_failure)
}

fn state_failure(error: FileError) -> Failure {
    Failure::Environment(format!("the state is not kept: {error}"))
}

pub(super) fn headless(
    options: Options,
    beside: Option<BesideArgs>,
    limit: Option<Duration>,
    state_file: Option<PathBuf>,
) -> Result<(), Failure> {
    // Before anything runs, so that whoever stops it early gets the state as well.
    let stop = interrupted(|| {})?;
    let (wake, woken) = crossbeam_channel::bounded(1);
    let mut app = App::new();
    open_both(
        &mut app,
        options,
        beside,
        Arc::new(move || {
            // Full means that the loop is about to wake anyway.
            let _ = wake.try_send(());
        }),
    )?;
    session::run_headless(&mut app, &woken, limit, || stop.load(Ordering::Relaxed));
    match state_file {
        Some(file) => write_state(app.world_mut(), &file),
        None => Ok(()),
    }
}

#[cfg(feature = "desktop")]
fn windowed(
    options: Options,
    beside: Option<BesideArgs>,
    limit: Option<Duration>,
    state_file: Option<PathBuf>,
    remembered: bool,
) -> Result<(), Failure> {
    let scene = options.scene.clone();
    let opened = move |app: &mut App, waker| {
        open_both(app, options, beside, waker)?;
        if remembered {
            crate::recent::remember(crate::recent::RecentKind::Scene, &[scene]);
        }
        Ok(())
    };
    super::window::run(opened, limit, state_file)
}

#[cfg(not(feature = "desktop"))]
fn windowed(
    _: Options,
    _: Option<BesideArgs>,
    _: Option<Duration>,
    _: Option<PathBuf>,
    _: bool,
) -> Result<(), Failure> {
    Err(Failure::Usage("this pollux was built without the `desktop` feature; run it with --headless".into()))
}

/// A session, and what lies beside it.
pub(super) fn open_both(
    app: &mut App,
    options: Options,
    beside: Option<BesideArgs>,
    waker: crate::source::Waker,
) -> Result<(), Failure> {
    let budget = options.history_budget_bytes;
    let own = beside.as_ref().map_or(budget, |beside| beside.memory_left(budget));
    open(app, Options { history_budget_bytes: own, ..options }, waker.clone())?;
    if let Some(beside) = beside {
        beside.install(app, "live".to_owned(), budget, false, waker)?;
    }
    layers::show_forecasts(app, "live");
    layers::show_overlays(app);
    Ok(())
}

/// Opens a session; prints the issues of a scene that has errors.
pub(crate) fn open(app: &mut App, options: Options, waker: crate::source::Waker) -> Result<(), Failure> {
    let wants_bell = options.bell.is_some();
    session::open(app, options, waker).map_err(|error| match error {
        OpenError::Scene(loaded) => {
            eprint!("{}", loaded.render(super::colour()));
            Failure::Verdict
        }
        OpenError::Plant(error) => super::plant::failure(error),
        other => Failure::environment(other),
    })?;
    app.add_plugins(scenario::plugin);
    bell::install(app, wants_bell);
    if let Some(url) = session::embedded_url(app) {
        eprintln!("pollux: embedded broker listens at {url}");
    }
    Ok(())
}

pub(crate) fn write_state(world: &mut World, file: &Path) -> Result<(), Failure> {
    let state = state::of(world);
    let text = serde_json::to_string_pretty(&state).map_err(Failure::environment)?;
    files::replace(file, (text + "\n").as_bytes()).map_err(state_failure)
}

/// A flag that an interrupt or a termination signal raises; `wake` is called then.
pub(crate) fn interrupted(wake: impl Fn() + Send + 'static) -> Result<Arc<AtomicBool>, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = flag.clone();
    let handler = move || {
        raised.store(true, Ordering::Relaxed);
        wake();
    };
    ctrlc::set_handler(handler).map_err(Failure::environment)?;
    Ok(flag)
}
