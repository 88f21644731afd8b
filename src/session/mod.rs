//! One running world: a scene, the sources that feed it, and the application around them.
//!
//! In: what to open and how; commands about the scene, the journal and what is recorded. Out: a Bevy `App` with
//! `CorePlugins`, whose sources are started and stopped here, so that a branch, a replay or a test, which never call this,
//! own no connection at all. Never judges a sample: the analysis does.

mod allow;
mod edit;
mod faults;
mod instruct;
mod journal;
pub mod profile;
mod record;
pub mod stand_in;
mod task;

pub use allow::AllowCommands;
use allow::Allowed;
pub use faults::{ByHand, OwnPlant};
#[cfg(feature = "desktop")]
pub(crate) use task::{Task, TaskState};

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bevy::prelude::*;

use crate::alarm::Horn;
use crate::analysis::{Analysis, Feed, worker::Worker};
use crate::command::{HandleCommands, Operator, Outbox};
use crate::event::store::{self, Store, StoreError};
use crate::event::{Draft, Ending, EventFile, EventFileError, Kind};
use crate::fault::{Site, WrittenFault};
use crate::history::{Cursor, Extent, Horizon, Marks, ViewTime};
use crate::ingest::{BindingTable, SharedTable};
use crate::instruction::{Desk, Instruction, Leave, Permission};
use crate::record::{RecordError, RecordOptions, Recording, SceneFiles};
use crate::scene::rule::Priority;
use crate::scene::watch::{Stamp, Watcher, stamp};
use crate::scene::{Broker, LoadedScene, Scene};
use crate::schedule::TwinSet;
use crate::source::broker::{Embedded, EmbeddedConfig};
use crate::source::mqtt;
use crate::source::plant::{self, Control, PlantConfig, PlantHandle, PlantStatus};
use crate::source::{Clock, Sources, Waker};
use crate::stage::CorePlugins;
use crate::value::Timestamp;

/// What to open.
#[derive(Clone, Debug)]
pub struct Options {
    pub scene: PathBuf,
    /// Replaces the address of every broker in the scene.
    pub broker: Option<String>,
    /// Runs the scene's simulated plant against its brokers.
    pub plant: bool,
    pub plant_options: crate::plant::Options,
    /// Whether that plant may publish to another machine.
    pub allow_remote: bool,
    /// Simulated seconds per second: of the plant, and with it of the session's [`Clock`].
    pub plant_speed: f64,
    /// Where the embedded broker listens, if there is one.
    pub embedded: EmbeddedConfig,
    pub history_budget_bytes: u64,
    /// Read the scene again when its files change.
    pub watch: bool,
    /// Where alarms and events survive a restart.
    pub store: StorePlace,
    /// Every event is a line of JSON in this file.
    pub events: Option<PathBuf>,
    /// What is recorded, and where.
    pub record: Option<RecordOptions>,
    /// Who acts: the name that goes on record.
    pub operator: String,
    /// From which priority on new alarms are heard; none: not until an operator switches the horn on.
    pub bell: Option<Priority>,
    /// To which brokers the user allows commands, where the scene allows them as well.
    pub allow_commands: AllowCommands,
    /// Lets others set faults in the plant over its brokers.
    pub control: Option<Control>,
    /// Faults that lie over live data from the beginning on, each with the reason; onsets count from there.
    pub overlay: Vec<(WrittenFault, String)>,
}

/// Where alarms and events survive a restart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum StorePlace {
    /// In the state folder of the user; nowhere if the session runs its own plant, which begins anew each time.
    #[default]
    Usual,
    At(PathBuf),
    Nowhere,
}

impl Options {
    pub fn new(scene: impl Into<PathBuf>) -> Self {
        Self {
            scene: scene.into(),
            broker: None,
            plant: false,
            plant_options: crate::plant::Options::default(),
            allow_remote: false,
            plant_speed: 1.0,
            embedded: EmbeddedConfig::default(),
            history_budget_bytes: 1 << 30,
            watch: true,
            store: StorePlace::default(),
            events: None,
            record: None,
            operator: Operator::default().0,
            bell: None,
            allow_commands: AllowCommands::No,
            control: None,
            overlay: Vec::new(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The issues are to be printed by the caller.
    #[error("the scene has errors")]
    Scene(Box<crate::scene::Loaded>),
    #[error(transparent)]
    Broker(#[from] crate::source::broker::BrokerError),
    #[error(transparent)]
    Plant(#[from] plant::PlantError),
    #[error("{}", profile::told(.0))]
    Profiles(Vec<profile::ProfileError>),
    #[error(transparent)]
    Source(#[from] mqtt::SourceError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    EventFile(#[from] EventFileError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("the overlay is not possible: {}", .0.join("; "))]
    Overlay(Vec<String>),
    #[error("the thread of the analysis cannot be started: {0}")]
    Thread(std::io::Error),
}

/// What a session owns besides the world: dropped last, joined on drop.
#[derive(Resource)]
struct Running {
    /// First of all: the record is closed while the disk and the thread of the analysis are still there.
    record: Record,
    options: Options,
    /// Brokers to which the user allows commands.
    allowed: Allowed,
    /// For waiting that no setting of the wall clock can cut or stretch.
    opened: Instant,
    /// Asks for a frame.
    waker: Waker,
    /// Keeps its pace for the whole session, even if a reload takes the plant away: time must not jump.
    clock: Clock,
    tables: BTreeMap<String, SharedTable>,
    watcher: Option<Watcher>,
    watched: Vec<PathBuf>,
    /// Of these files when they were read last; empty if that is not known.
    stamps: Vec<Stamp>,
    /// What operators changed in the scene, in order; the last one can be undone.
    edits: Vec<crate::scene::edit::Edit>,
    /// The scene file was changed from here: read it again without waiting for the watcher.
    is_edited: bool,
    /// An operator wants the scene file to be read again.
    is_reload_asked: bool,
    /// Learns from what the sources bring, independent of frames.
    worker: Worker,
    // Fields drop in this order: the plant says goodbye while the broker still listens.
    plant: Option<(PlantConfig, PlantHandle)>,
    embedded: Option<Embedded>,
    /// Last of all: what happens at the end is recorded, too.
    recorders: record::Recorders,
}

/// The record of events and alarms; dropping it waits until all of it is on disk.
struct Record {
    analysis: Analysis,
    clock: Clock,
    /// Commands to equipment whose end is not on record.
    open: Mutex<Vec<Instruction>>,
}

impl Record {
    fn keep_open(&self, open: Vec<Instruction>) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = open;
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let open = std::mem::take(self.open.get_mut().unwrap_or_else(PoisonError::into_inner));
        let last = instruct::last_events(open, self.clock.now());
        last.into_iter().for_each(|draft| self.analysis.lock().record(draft));
        let left = self.analysis.lock().close_record(self.clock.now());
        left.iter().for_each(|left| tracing::error!("{left}"));
    }
}

/// Opens a session in `app`, which gets `CorePlugins` and running sources.
///
/// `waker` is called from the sources' threads when there is something to do.
pub fn open(app: &mut App, options: Options, waker: Waker) -> Result<(), OpenError> {
    let loaded = crate::scene::load(&options.scene);
    let Some(mut scene) = loaded.scene.clone() else { return Err(OpenError::Scene(Box::new(loaded))) };
    let embedded = needs_embedded(&scene, &options).then(|| Embedded::start(options.embedded.clone())).transpose()?;
    let brokers = effective_brokers(&scene, &options, embedded.as_ref());
    brokers.keys().for_each(|name| scene.watch_connection(name));
    let scene = Arc::new(scene);
    let clock = if options.plant { Clock::at_speed(Timestamp::now(), options.plant_speed) } else { Clock::WALL };
    let now = clock.now();
    let plant = match options.plant {
        false => None,
        true => {
            let config = plant_config(&scene, &options, &brokers, now).map_err(OpenError::Profiles)?;
            Some((config.clone(), plant::spawn(config)?))
        }
    };

    let allowed = Allowed::new(&options, &brokers);
    let analysis = Analysis::new(scene.clone(), 1, options.history_budget_bytes, now);
    let recorders = record::Recorders::start(&scene, &options, &brokers, clock)?;
    if let Some(sink) = recorders.sink() {
        analysis.lock().record_to(sink);
    }
    keep_record(&analysis, &scene, &options, now)?;
    // Before the first message: a recording begins with what is known already.
    analysis.lock().answer_recorder(Some(now), Duration::MAX);
    let horn = Horn::new(options.bell);
    analysis.lock().sound(horn.clone());
    analysis.lock().keep_plant(plant.as_ref().map(|(_, plant)| plant.portrait().clone()));
    let worker = Worker::start(analysis.clone(), clock, waker.clone()).map_err(OpenError::Thread)?;
    recorders.ring_with(worker.waker());
    let mut running = Vec::new();
    let mut tables = BTreeMap::new();
    for (name, broker) in &brokers {
        let table = SharedTable::new(BindingTable::new(&scene, name, 1));
        let (tap, leave) = (Some(recorders.tap(name)), leave(name, broker, &options, &allowed));
        running.push(mqtt::spawn_with(name, broker, table.clone(), worker.waker(), clock, tap, leave)?);
        tables.insert(name.clone(), table);
    }
    let watcher = options.watch.then(|| watch(&loaded.files, &waker)).flatten();
    let kept = analysis.clone();

    worker.listen_to(running.iter().map(Feed::of));
    if options.allow_commands != AllowCommands::No {
        app.insert_resource(Outbox::of(&running));
    }
    if let Some((_, plant)) = &plant {
        let (portrait, waker, status) = (plant.portrait().clone(), waker.clone(), plant.status().clone());
        app.insert_resource(ByHand::begin(&options)).insert_resource(OwnPlant { portrait, waker, status });
    }
    for (fault, reason) in &options.overlay {
        let laid = analysis.lock().lay(fault.clone(), &options.operator, reason, || clock.now());
        laid.map_err(OpenError::Overlay)?;
    }
    app.add_plugins(CorePlugins)
        .insert_resource(Desk::new(seed_of_tokens()))
        .insert_resource(LoadedScene { scene, generation: 1, issues: loaded.issues })
        .insert_resource(analysis)
        .insert_resource(clock)
        .insert_resource(horn)
        .insert_resource(Operator(options.operator.clone()))
        .insert_resource(ViewTime { now, shown: now, session_start: now })
        .insert_resource(Recording { is_possible: true, sink: recorders.sink(), ..Recording::default() })
        .insert_resource(Sources {
            running,
            plant: status_of(plant.as_ref()),
            waker: Some(waker.clone()),
            ..Sources::default()
        })
        .insert_resource(Running {
            record: Record { analysis: kept, clock, open: Mutex::default() },
            options,
            allowed,
            opened: Instant::now(),
            waker,
            clock,
            edits: Vec::new(),
            is_edited: false,
            is_reload_asked: false,
            worker,
            tables,
            watcher,
            watched: loaded.files,
            stamps: Vec::new(),
            plant,
            embedded,
            recorders,
        })
        .handle_commands(edit::edit)
        .handle_commands(instruct::instruct)
        .handle_commands(journal::journal)
        .handle_commands(record::recording)
        .handle_commands(faults::fault)
        .add_systems(
            Update,
            (
                tick.before(crate::command::carry_out),
                (record::look, (hear_plant, faults::follow).chain(), reload, instruct::follow)
                    .chain()
                    .after(crate::command::settle),
            )
                .chain()
                .before(crate::stage::Respawn)
                .in_set(TwinSet::Command),
        );
    Ok(())
}

/// Opens what keeps alarms and events, and takes up what an earlier run has left. A store that nobody asked for by name
/// and that cannot be had is no reason not to watch the plant: people are told.
fn keep_record(analysis: &Analysis, scene: &Scene, options: &Options, now: Timestamp) -> Result<(), OpenError> {
    let file = options.events.as_deref().map(EventFile::open).transpose()?;
    let mut knowledge = analysis.lock();
    if let Some(file) = file {
        knowledge.write_events_to(file);
    }
    let opened = match &options.store {
        StorePlace::At(path) => Some(Store::open(path, now)?),
        StorePlace::Usual if !options.plant => {
            let path = store::default_path(&scene.name, &scene.path);
            let opened = path.and_then(|path| Store::open(&path, now));
            let why = |error: &StoreError| format!("alarms and events will not survive a restart: {error}");
            opened.inspect_err(|error| tracing::warn!("{}", why(error))).map_err(|error| why(&error)).map_or_else(
                |why| {
                    knowledge.go_without_store(why);
                    None
                },
                Some,
            )
        }
        StorePlace::Usual | StorePlace::Nowhere => None,
    };
    if let Some((store, restored)) = opened {
        restored.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
        knowledge.resume(store, restored, now);
    }
    Ok(())
}

/// The address of the embedded broker, if this session runs one.
pub fn embedded_url(app: &App) -> Option<String> {
    app.world().get_resource::<Running>()?.embedded.as_ref().map(Embedded::url)
}

/// Whether there is no other broker to connect to.
fn needs_embedded(scene: &Scene, options: &Options) -> bool {
    options.broker.is_none() && scene.brokers.is_empty()
}

/// The brokers to connect to, by name: the scene's own, at another address if one was given, else the embedded one.
fn effective_brokers(scene: &Scene, options: &Options, embedded: Option<&Embedded>) -> BTreeMap<String, Broker> {
    if let Some(embedded) = embedded.filter(|_| needs_embedded(scene, options)) {
        let broker = Broker { commands: scene.allows_commands, ..Broker::at(embedded.url()) };
        return [("embedded".to_owned(), broker)].into();
    }
    match &options.broker {
        Some(url) => brokers_at(scene, url),
        None => scene.brokers.clone(),
    }
}

/// The scene's brokers by name, all at another address: how to log in stays the scene's word.
pub(crate) fn brokers_at(scene: &Scene, url: &str) -> BTreeMap<String, Broker> {
    let mut brokers = scene.brokers.clone();
    if brokers.is_empty() {
        let broker = Broker { commands: scene.allows_commands, ..Broker::at(url) };
        brokers.insert("broker".to_owned(), broker);
    }
    for broker in brokers.values_mut() {
        url.clone_into(&mut broker.url);
    }
    brokers
}

/// Proof that scene and user both allow that commands are sent to a broker.
fn leave(name: &str, broker: &Broker, options: &Options, allowed: &Allowed) -> Option<Leave> {
    let user = options.allow_commands != AllowCommands::No;
    Permission { scene: broker.commands, user, address: allowed.has(name, broker) }.leave().ok()
}

/// 64 bits from the operating system, by way of the keys of the standard library's hasher.
fn seed_of_tokens() -> u64 {
    RandomState::new().hash_one("tokens")
}

fn status_of(plant: Option<&(PlantConfig, PlantHandle)>) -> Option<Arc<PlantStatus>> {
    plant.map(|(_, plant)| plant.status().clone())
}

/// The scene's plant, to run against these brokers.
fn plant_config(
    scene: &Arc<Scene>,
    options: &Options,
    brokers: &BTreeMap<String, Broker>,
    start: Timestamp,
) -> Result<PlantConfig, Vec<profile::ProfileError>> {
    Ok(PlantConfig {
        scene: scene.clone(),
        options: crate::plant::Options { profiles: profile::read(scene)?, ..options.plant_options.clone() },
        brokers: brokers.clone(),
        allow_remote: options.allow_remote,
        speed: options.plant_speed,
        start,
        control: options.control.clone(),
    })
}

impl Running {
    /// After a reload: a plant goes on with the new scene; one whose brokers have changed starts anew.
    fn replan_plant(&mut self, scene: &Arc<Scene>, brokers: &BTreeMap<String, Broker>) {
        if !self.options.plant {
            return;
        }
        let config = match plant_config(scene, &self.options, brokers, self.clock.now()) {
            Ok(config) => config,
            Err(errors) => {
                let text = format!("{}; it goes on as it was", profile::told(&errors));
                tracing::error!("plant: {text}");
                let now = self.clock.now();
                self.record.analysis.lock().record(Draft::new(now, now, Kind::Plant { text }));
                return;
            }
        };
        if let Some((running, plant)) = &self.plant
            && running.brokers == *brokers
        {
            return plant.adopt(scene.clone(), config.options.profiles);
        }
        // The old one says goodbye before another takes its name.
        self.plant = None;
        {
            let (now, mut knowledge) = (self.clock.now(), self.record.analysis.lock());
            knowledge.keep_plant(None);
            knowledge.end_all_faults(&[Site::Plant], Ending::Gone, now);
        }
        match plant::spawn(config.clone()) {
            Ok(plant) => {
                let urls: Vec<&str> = config.brokers.values().map(|broker| broker.url.as_str()).collect();
                tracing::info!("the plant of `{}` starts anew at {}", scene.name, urls.join(", "));
                self.record.analysis.lock().keep_plant(Some(plant.portrait().clone()));
                self.plant = Some((config, plant));
            }
            Err(error) => tracing::error!("{error}"),
        }
    }
}

fn watch(files: &[PathBuf], waker: &Waker) -> Option<Watcher> {
    let waker = waker.clone();
    Watcher::new(files.to_vec(), move || waker())
        .inspect_err(|error| tracing::warn!("the scene will not be read again when it is saved: {error}"))
        .ok()
}

/// Reads the session's clock once for the frame and moves the cursor.
fn tick(
    clock: Res<Clock>,
    mut cursor: ResMut<Cursor>,
    mut moment: ResMut<ViewTime>,
    analysis: Res<Analysis>,
    marks: Res<Marks>,
    extent: Res<Extent>,
    horizon: Res<Horizon>,
) {
    let now = clock.now();
    let dt_secs = now.secs_since(moment.now).max(0.0);
    let bounds = analysis.lock().history.bounds().unwrap_or((now, now));
    let moved = cursor.advance(dt_secs, (now, horizon.end(now)), Some(bounds), extent.loop_marks(*marks));
    cursor.set_if_neq(moved);
    moment.now = now;
    moment.shown = moved.shown(now);
}

/// Puts on record what is wrong with the simulated plant.
fn hear_plant(running: Res<Running>, analysis: Res<Analysis>, clock: Res<Clock>) {
    let Some((_, plant)) = &running.plant else { return };
    for text in plant.status().take_troubles() {
        let now = clock.now();
        analysis.lock().record(Draft::new(now, now, Kind::Plant { text }));
    }
}

/// Takes over a saved scene, or keeps the last good one and shows what is wrong with the new.
fn reload(
    running: ResMut<Running>,
    mut loaded: ResMut<LoadedScene>,
    mut sources: ResMut<Sources>,
    (analysis, moment): (Res<Analysis>, Res<ViewTime>),
    mut attention: ResMut<crate::command::Attention>,
    mut outbox: Option<ResMut<Outbox>>,
    (mut by_hand, mut own): (Option<ResMut<ByHand>>, Option<ResMut<OwnPlant>>),
) {
    let (asked, edited) = (running.is_reload_asked, running.is_edited);
    let changed = running.watcher.as_ref().is_some_and(Watcher::take_changed);
    if !asked && !edited && !changed {
        return;
    }
    let running = running.into_inner();
    (running.is_reload_asked, running.is_edited) = (false, false);
    let stamps: Vec<_> = running.watched.iter().map(|file| stamp(file)).collect();
    // The watcher tells of an edit that was made here, too, some time after it was taken over.
    if !asked && !edited && running.stamps == stamps {
        return;
    }
    let new = crate::scene::load(&running.options.scene);
    running.stamps = stamps;
    // The watcher lives on where it can: it knows of a save that came while the files were read.
    if new.files != running.watched {
        running.watcher = running.options.watch.then(|| watch(&new.files, &running.waker)).flatten();
        running.watched = new.files.clone();
        running.stamps.clear();
    }
    let shown = running.options.scene.display();
    if !new.issues.is_empty() {
        tracing::warn!("{shown}: issues of the saved scene:\n{}", new.render(false));
    }
    let kind = Kind::SceneReloaded { accepted: new.scene.is_some(), issues: new.issues.len() };
    analysis.lock().record(Draft::new(moment.now, moment.now, kind));
    loaded.issues = new.issues;
    let Some(mut scene) = new.scene else {
        tracing::warn!("{shown}: the saved scene has errors; the last good one stays");
        return;
    };
    tracing::info!("{shown}: the saved scene is taken over");
    let before = effective_brokers(&loaded.scene, &running.options, running.embedded.as_ref());
    if running.embedded.is_none() && needs_embedded(&scene, &running.options) {
        match Embedded::start(running.options.embedded.clone()) {
            Ok(embedded) => {
                tracing::warn!("{shown}: names no broker any more; an embedded one listens at {}", embedded.url());
                running.embedded = Some(embedded);
            }
            Err(error) => tracing::error!("{error}"),
        }
    }
    let after = effective_brokers(&scene, &running.options, running.embedded.as_ref());
    after.keys().for_each(|name| scene.watch_connection(name));
    let scene = Arc::new(scene);

    if let Some(sink) = running.recorders.sink() {
        sink.scene(scene.name.clone(), SceneFiles::of(&scene), moment.now);
    }
    let generation = loaded.generation + 1;
    // Before any listener decodes by the new scene.
    let map = analysis.lock().adopt(scene.clone(), generation, moment.now);
    let attended = attention.renumbered(&loaded.scene, &scene, &map);
    attention.set_if_neq(attended);

    for text in running.allowed.follow(&after) {
        tracing::warn!("{text}");
        analysis.lock().record(Draft::new(moment.now, moment.now, Kind::Note { text }));
    }
    sources.running.retain(|source| before.get(&source.name) == after.get(&source.name));
    running.tables.retain(|name, _| sources.running.iter().any(|source| &source.name == name));
    for (name, broker) in &after {
        let table = BindingTable::new(&scene, name, generation);
        if let Some(shared) = running.tables.get(name) {
            shared.swap(table);
            continue;
        }
        let shared = SharedTable::new(table);
        let tap = Some(running.recorders.tap(name));
        let leave = leave(name, broker, &running.options, &running.allowed);
        match mqtt::spawn_with(name, broker, shared.clone(), running.worker.waker(), running.clock, tap, leave) {
            Ok(source) => {
                sources.running.push(source);
                running.tables.insert(name.clone(), shared);
            }
            Err(error) => tracing::error!("{name}: {error}"),
        }
    }
    running.worker.listen_to(sources.running.iter().map(Feed::of));
    if let Some(outbox) = &mut outbox {
        outbox.replace(&sources.running);
    }
    running.replan_plant(&scene, &after);
    if let (Some(own), Some((_, plant))) = (&mut own, &running.plant) {
        (own.portrait, own.status) = (plant.portrait().clone(), plant.status().clone());
    }
    if let Some(by_hand) = &mut by_hand {
        by_hand.lose("the scene was read again since it began");
    }
    sources.plant = status_of(running.plant.as_ref());
    loaded.scene = scene;
    loaded.generation = generation;
}

/// Runs a session without a window until `limit` has passed or `stop` says so; frames come when data come.
pub fn run_headless(
    app: &mut App,
    wake: &crossbeam_channel::Receiver<()>,
    limit: Option<Duration>,
    stop: impl Fn() -> bool,
) {
    const LONGEST_SLEEP: Duration = Duration::from_millis(100);
    const SHORTEST_FRAME: Duration = Duration::from_millis(10);
    app.finish();
    app.cleanup();
    let started = std::time::Instant::now();
    while !stop() && limit.is_none_or(|limit| started.elapsed() < limit) {
        let frame = std::time::Instant::now();
        app.update();
        let left = limit.map_or(LONGEST_SLEEP, |limit| limit.saturating_sub(started.elapsed()).min(LONGEST_SLEEP));
        let _ = wake.recv_timeout(left);
        std::thread::sleep(SHORTEST_FRAME.saturating_sub(frame.elapsed()).min(left));
    }
    app.update();
}
