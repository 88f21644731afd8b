//! The simulated Castor: runs a scene's plant in real time and publishes over real MQTT, in a thread of its own.
//!
//! In: a scene with models, a seed, its brokers, the source time of its start. Out: messages at the brokers, counters. It
//! logs in as the listener does: by the same credentials, found anew for each attempt.
//!
//! It never blocks on a broker: what cannot be sent is dropped and counted while the simulation goes on. It shares nothing
//! with the listener but the broker. It hears its own topics, to notice when somebody else publishes there: then it
//! stops, as nobody could tell the simulated from the real any more. Where somebody else commands it, it also hears the
//! topics of commands, and says nothing there. What people [do to it](Asked) it does at a time of its own. It goes to another machine only when that is allowed by name.

mod interventions;
mod link;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::fault::Fault;
use crate::plant::{self, MakeError, Message, Plant, Portrait, Profile};
use crate::scene::{Broker, Scene, faults};
use crate::source::SourceError;
use crate::value::Timestamp;
pub use interventions::{Asked, Control, Intervention, Outcome, Request, Told, control_topic};
use interventions::{Askers, Interventions};
use link::Link;

/// How often the simulation catches up with the clock.
const WAKE: Duration = Duration::from_millis(20);
/// Simulated time that may be caught up at once, in wakes: after a longer pause (a suspended computer) it goes on
/// from where it was instead of sending everything that was missed.
const CATCH_UP: u32 = 50;
/// How often others get its state.
const PORTRAIT: Duration = Duration::from_secs(1);
/// How long it waits for the brokers to take its goodbye.
const FAREWELL: Duration = Duration::from_millis(500);

#[derive(Clone, Debug)]
pub struct PlantConfig {
    pub scene: Arc<Scene>,
    pub options: plant::Options,
    /// Where it publishes, by the names of the scene; the first one stands for those that are missing.
    pub brokers: BTreeMap<String, Broker>,
    /// Whether it may publish to another machine.
    pub allow_remote: bool,
    /// Simulated seconds per second.
    pub speed: f64,
    /// Source time of the plant's start.
    pub start: Timestamp,
    /// Lets others set faults in it over its brokers.
    pub control: Option<Control>,
}

#[derive(Debug, thiserror::Error)]
pub enum PlantError {
    #[error("plant: {0}")]
    Make(#[from] MakeError),
    #[error("plant: {0}; write mqtt://host:port, or mqtts://host:port for TLS")]
    Address(#[from] SourceError),
    #[error(
        "plant: {host} is another machine: who listens there may take a simulated plant for a real one; \
         add --allow-remote if that is what you want"
    )]
    Remote { host: String },
    #[error("plant: there is no broker to publish to")]
    NoBroker,
    #[error("plant: speed {speed} must be above 0 and at most 100")]
    Speed { speed: f64 },
    #[error("plant: cannot start its thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// What the plant counts about itself.
#[derive(Debug, Default)]
pub struct PlantStatus {
    published: AtomicU64,
    dropped: AtomicU64,
    connections: AtomicU64,
    commands: AtomicU64,
    refused: AtomicU64,
    /// Topics of commands on which nothing has come yet.
    silent: Mutex<Vec<String>>,
    /// Connections that stand now.
    standing: AtomicU64,
    wanted: AtomicU64,
    /// What is wrong with it and was not taken note of yet.
    troubles: Mutex<Vec<String>>,
    error: Mutex<Option<String>>,
    failure: Mutex<Option<String>>,
}

impl PlantStatus {
    /// Whether all brokers have accepted it.
    pub fn connected(&self) -> bool {
        let wanted = self.wanted.load(Ordering::Relaxed);
        wanted > 0 && self.standing.load(Ordering::Relaxed) == wanted
    }

    /// Messages handed to the connections.
    pub fn published(&self) -> u64 {
        self.published.load(Ordering::Relaxed)
    }

    /// Messages that were due while there was no connection, or while the connection was too slow.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Values that somebody else commanded.
    pub fn commands(&self) -> u64 {
        self.commands.load(Ordering::Relaxed)
    }

    /// Commands that no input can take.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Topics of commands on which nothing has come yet: nobody controls those inputs.
    pub fn silent(&self) -> Vec<String> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many times a broker accepted the plant.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Why the connection was lost or refused last; none while connected.
    pub fn error(&self) -> Option<String> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why it has stopped by itself, for ever.
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn snapshot(&self) -> PlantSnapshot {
        PlantSnapshot {
            connected: self.connected(),
            published: self.published(),
            dropped: self.dropped(),
            commands: self.commands(),
            refused: self.refused(),
            silent: self.silent(),
            error: self.error(),
            failure: self.failure(),
        }
    }

    fn set_error(&self, error: Option<String>) {
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    /// What has been found wrong with it since this was asked last: its end, balances that do not hold, faults that a saved
    /// scene has no place for.
    pub fn take_troubles(&self) -> Vec<String> {
        std::mem::take(&mut *self.troubles.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn tell(&self, trouble: String) {
        tracing::error!("plant: {trouble}");
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).push(trouble);
    }

    fn fail(&self, why: String) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_none() {
            self.tell(why.clone());
            *failure = Some(why);
        }
    }
}

/// What the plant has said of itself by now.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct PlantSnapshot {
    pub connected: bool,
    pub published: u64,
    pub dropped: u64,
    /// Values that somebody else commanded, and those that no input can take.
    pub commands: u64,
    pub refused: u64,
    /// Topics of commands on which nothing has come yet.
    pub silent: Vec<String>,
    /// Why the connection was lost or refused last; none while connected.
    pub error: Option<String>,
    /// Why it has stopped by itself, for ever.
    pub failure: Option<String>,
}

/// A running plant. Dropping it stops and joins its thread.
#[derive(Debug)]
pub struct PlantHandle {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the plant's thread and its owner share.
#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    status: Arc<PlantStatus>,
    /// A scene to go on with, and what its files hold.
    next: Mutex<Option<(Arc<Scene>, Vec<Profile>)>>,
    portrait: Portrait,
    interventions: Interventions,
}

impl PlantHandle {
    pub fn status(&self) -> &Arc<PlantStatus> {
        &self.shared.status
    }

    /// Its newest state, a second old at most.
    pub fn portrait(&self) -> &Portrait {
        &self.shared.portrait
    }

    /// Asks for something to be done to it; what became of it is [told](Self::take_told). False where more is asked for
    /// than can wait.
    pub fn ask(&self, asked: Asked) -> bool {
        self.shared.interventions.ask(asked)
    }

    /// What was done to it since this was asked last, and which faults ended by themselves.
    pub fn take_told(&self) -> Vec<Told> {
        self.shared.interventions.take_told()
    }

    /// How many reports were lost since this was asked last, as nobody took them.
    pub fn take_lost(&self) -> u64 {
        self.shared.interventions.take_lost()
    }

    /// Goes on with another scene at the brokers that it was given: machines that are the same keep their states.
    pub fn adopt(&self, scene: Arc<Scene>, profiles: Vec<Profile>) {
        *self.shared.next.lock().unwrap_or_else(PoisonError::into_inner) = Some((scene, profiles));
    }
}

impl Drop for PlantHandle {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the plant's thread panicked");
        }
    }
}

/// Starts the plant's thread. A broker that is not there yet is no error: it is tried again until the plant stops.
pub fn spawn(config: PlantConfig) -> Result<PlantHandle, PlantError> {
    if !(config.speed > 0.0 && config.speed <= 100.0) {
        return Err(PlantError::Speed { speed: config.speed });
    }
    let client_id = format!("pollux-plant-{}-{}", std::process::id(), config.options.seed);
    let options = plant::Options { controlled: config.control.is_some(), ..config.options };
    let plant = Plant::new(config.scene, options)?;
    // Stamps in milliseconds stay whole numbers.
    let start = Timestamp(config.start.0 - config.start.0.rem_euclid(1_000_000));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let shared = Arc::new(Shared::default());
    let (brokers, allow_remote) = (config.brokers, config.allow_remote);
    let is_controlled = config.control.is_some();
    let mut lines = Lines { brokers, allow_remote, client_id, made: 0, is_controlled, shared: shared.clone() };
    let opened = lines.open(&plant)?;
    let (links, tasks) = (Vec::new(), JoinSet::new());
    let publisher = Publisher {
        plant,
        lines,
        links,
        tasks,
        shared: shared.clone(),
        start,
        heard: BTreeSet::new(),
        control: config.control,
        askers: Askers::new(),
        named: 0,
    };
    publisher.tell_silent();
    let run = move || runtime.block_on(run(publisher, opened, config.speed));
    let thread = std::thread::Builder::new().name("plant".to_owned()).spawn(run)?;
    Ok(PlantHandle { shared, thread: Some(thread) })
}

/// How a plant gets to its brokers.
struct Lines {
    brokers: BTreeMap<String, Broker>,
    allow_remote: bool,
    client_id: String,
    /// Connections so far: each has a name of its own.
    made: usize,
    /// Whether requests are heard.
    is_controlled: bool,
    shared: Arc<Shared>,
}

type Opened = Vec<(Arc<Link>, link::Connection)>;

impl Lines {
    /// A connection to each broker of a plant, not made yet.
    fn open(&mut self, plant: &Plant) -> Result<Opened, PlantError> {
        let (mut opened, mut controlled) = (Vec::new(), BTreeSet::new());
        for name in plant.brokers() {
            let broker = self.brokers.get(&name).or_else(|| self.brokers.values().next());
            let broker = broker.ok_or(PlantError::NoBroker)?;
            let client_id = format!("{}-{}", self.client_id, self.made);
            self.made += 1;
            let (link, connection) = {
                // Two names may stand for one broker: a request is carried out once.
                let is_controlled = self.is_controlled && controlled.insert(broker.url.clone());
                Link::new(plant, &name, broker, client_id, is_controlled, self.shared.clone())?
            };
            if !self.allow_remote && !connection.is_here() {
                return Err(PlantError::Remote { host: connection.host().to_owned() });
            }
            opened.push((link, connection));
        }
        Ok(opened)
    }
}

async fn run(mut publisher: Publisher, opened: Opened, speed: f64) {
    publisher.connect(opened);
    publisher.pace(speed).await;
    publisher.say_goodbye();
    // The connections end by themselves once the brokers have taken what was said last.
    let _ = tokio::time::timeout(FAREWELL, async { while publisher.tasks.join_next().await.is_some() {} }).await;
}

struct Publisher {
    plant: Plant,
    lines: Lines,
    links: Vec<Arc<Link>>,
    /// What keeps the connections.
    tasks: JoinSet<()>,
    shared: Arc<Shared>,
    start: Timestamp,
    /// Topics on which a command has come.
    heard: BTreeSet<String>,
    /// Reads requests of others; none where they may ask for nothing.
    control: Option<Control>,
    /// Who set the faults that stand, and why.
    askers: Askers,
    /// Faults that were given a name here so far.
    named: u64,
}

impl Publisher {
    fn connect(&mut self, opened: Opened) {
        self.shared.status.wanted.store(opened.len() as u64, Ordering::Relaxed);
        self.links.clear();
        for (link, connection) in opened {
            self.tasks.spawn(connection.keep(link.clone()));
            self.links.push(link);
        }
    }

    /// Carries the plant along with the clock, `speed` times as fast, until it is told to stop.
    async fn pace(&mut self, speed: f64) {
        let mut last = Instant::now();
        let slice = WAKE.as_nanos() as u64;
        let mut shown: Option<Instant> = None;
        while !self.shared.stop.load(Ordering::Relaxed) && self.shared.status.failure().is_none() {
            tokio::time::sleep(WAKE).await;
            let now = Instant::now();
            let slept = now - last;
            let passed = slept.min(WAKE * CATCH_UP);
            last = now;
            let target = self.plant.time() + (passed.as_secs_f64() * speed * 1e9).round() as u64;
            // Lost time that is not made up for moves the plant in time, so that its clock stays right.
            let lost = (slept - passed).mul_f64(speed);
            self.start = self.start + Duration::from_millis(lost.as_millis() as u64);
            self.change_scene();
            self.take_commands();
            if self.links.iter().any(|link| link.take_greeting()) {
                self.plant.announce(self.start, &mut emit(&self.links, &self.shared));
                self.show_faults();
            }
            self.intervene();
            while self.plant.time() < target {
                let until = target.min(self.plant.time() + slice);
                // What somebody does to it at that time comes before what it says then.
                self.plant.run_before(until, self.start, &mut emit(&self.links, &self.shared));
                for violation in self.plant.take_violations() {
                    self.shared.status.tell(violation.to_string());
                }
                // Lets the connections write between bursts when the simulation runs fast.
                tokio::task::yield_now().await;
            }
            if shown.is_none_or(|shown| now - shown >= PORTRAIT) {
                shown = Some(now);
                self.shared.portrait.show(&self.plant, self.start);
            }
        }
    }

    fn change_scene(&mut self) {
        let next = self.shared.next.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((scene, profiles)) = next else { return };
        let mut next = self.plant.clone();
        let adopted = next.adopt(scene, profiles).map_err(PlantError::from);
        // Another name or other brokers: what was announced and retained is taken back, and all begins anew there.
        let place = |plant: &Plant| (plant.brokers(), plant.announcement_topic());
        let moves = place(&next) != place(&self.plant);
        let opened = adopted.and_then(|ended| Ok((ended, if moves { Some(self.lines.open(&next)?) } else { None })));
        let opened = opened.map(|(ended, opened)| {
            ended.iter().for_each(|fault| self.shared.status.tell(fault.to_string()));
            let has_ended = |fault: &&Fault| ended.iter().any(|ended| ended.id == fault.id);
            let gone = self.plant.faults().iter().filter(has_ended);
            (opened, gone.map(|fault| faults::written(fault, self.plant.scene())).collect::<Vec<_>>())
        });
        let mut gone = Vec::new();
        match opened {
            Err(error) => self.shared.status.tell(format!("the saved scene is not taken over: {error}")),
            Ok((Some(opened), ended)) => {
                self.say_goodbye();
                self.plant = next;
                self.connect(opened);
                gone = ended;
            }
            Ok((None, ended)) => {
                gone = ended;
                let (before, now) = (self.plant.retained_topics(), next.retained_topics());
                self.plant = next;
                let (mut emit, time) = (emit(&self.links, &self.shared), self.plant.time());
                for (broker, topic) in before.difference(&now) {
                    emit(Message::kept(broker, topic, b"", time));
                }
                self.links.iter().for_each(|link| link.hear(&self.plant));
            }
        }
        self.tell_gone(gone);
        self.tell_silent();
    }

    /// Takes what was commanded since the last wake, in its order.
    fn take_commands(&mut self) {
        let now = self.start + Duration::from_nanos(self.plant.time());
        let status = &self.shared.status;
        let mut is_news = false;
        for link in &self.links {
            for (topic, payload) in link.take_commands() {
                let heard = self.plant.hear(&link.name, &topic, &payload, now);
                is_news |= self.heard.insert(topic.clone());
                status.commands.fetch_add(heard.taken, Ordering::Relaxed);
                if let Some(why) = heard.why {
                    let before = status.refused.fetch_add(heard.refused.max(1), Ordering::Relaxed);
                    // A controller that goes on so would fill the log.
                    if before == 0 {
                        tracing::warn!("plant: a command on {topic} cannot be taken: {why}; more of them are counted");
                    }
                }
            }
        }
        if is_news {
            self.tell_silent();
        }
    }

    fn tell_silent(&self) {
        let brokers = self.plant.brokers();
        // What only an operator commands stands well as it is.
        let brokers = if self.plant.needs_commands() { brokers } else { Default::default() };
        let topics = brokers.iter().flat_map(|broker| self.plant.command_topics(broker));
        let silent = topics.filter(|topic| !self.heard.contains(*topic)).map(str::to_owned).collect();
        *self.shared.status.silent.lock().unwrap_or_else(PoisonError::into_inner) = silent;
    }

    fn say_goodbye(&self) {
        self.hide_faults();
        self.plant.farewell(&mut emit(&self.links, &self.shared));
        self.links.iter().for_each(|link| link.close());
    }
}

/// Sends each message over the link of its broker.
fn emit(links: &[Arc<Link>], shared: &Shared) -> impl FnMut(Message<'_>) {
    move |message| match links.iter().find(|link| link.name == message.broker) {
        Some(link) => link.send(message),
        None => drop(shared.status.dropped.fetch_add(1, Ordering::Relaxed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENE: &str = r#"Scene(format: (1, 3), name: "Two tanks", types: {
        "Tank": (
            model: Tank(area: "2 m2"),
            signals: {"level": (unit: "m", topic: "two/{id}", json: "/level", measures: "level")},
        ),
        "Valve": (
            model: ControlValve(),
            inputs: {"command": (value: 0.5, command: "order")},
            signals: {"order": (topic: "two/{id}/order", raw: Number)},
        ),
    }, twins: [(id: "T-1", type: "Tank"), (id: "T-2", type: "Tank"), (id: "V-1", type: "Valve")], links: [
        (from: "T-1.outlet", to: "V-1.inlet"), (from: "V-1.outlet", to: "T-2.inlet"),
    ])"#;

    fn config(url: &str) -> PlantConfig {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("scene.ron");
        std::fs::write(&path, SCENE).expect("a scene");
        let loaded = crate::scene::load(&path);
        PlantConfig {
            scene: Arc::new(loaded.scene.clone().unwrap_or_else(|| panic!("{}", loaded.render(false)))),
            options: plant::Options::default(),
            brokers: [("broker".to_owned(), Broker::at(url))].into(),
            allow_remote: false,
            speed: 1.0,
            start: Timestamp(0),
            control: None,
        }
    }

    fn refusal(config: PlantConfig) -> String {
        spawn(config).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_way_out() {
        let url = "plant: broker address `http://x`: the scheme `http` is not `mqtt` or `mqtts`; write mqtt://host:port, \
                   or mqtts://host:port for TLS";
        assert_eq!(refusal(config("http://x")), url);
        let here = config("mqtt://127.0.0.1");
        let nothing =
            PlantConfig { scene: Arc::new(Scene { name: "Empty".into(), ..Scene::default() }), ..here.clone() };
        assert!(refusal(nothing).contains("the scene `Empty` says of no twin how it behaves"));
        for speed in [0.0, -1.0, 101.0, f64::NAN] {
            assert!(refusal(PlantConfig { speed, ..here.clone() }).contains("at most 100"), "{speed}");
        }
        let truth = plant::Options { truth: 0.9, ..plant::Options::default() };
        assert!(refusal(PlantConfig { options: truth, ..here }).contains("from 0 % to 50 %, found 90 %"));
    }

    #[test]
    fn another_machine_is_refused_unless_it_is_allowed() {
        for url in ["mqtt://broker.example", "mqtt://10.0.0.7:1883", "mqtts://[fe80::1]"] {
            let refused = refusal(config(url));
            assert!(refused.contains("is another machine") && refused.contains("--allow-remote"), "{refused}");
            assert_eq!(refusal(PlantConfig { allow_remote: true, ..config(url) }), "");
        }
        for url in ["mqtt://localhost", "mqtt://127.0.0.9", "mqtt://[::1]:1883"] {
            assert_eq!(refusal(config(url)), "");
        }
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_never_repeated() {
        let message = refusal(config("mqtt://user:secret@127.0.0.1"));
        assert!(message.contains("credentials") && !message.contains("secret"), "{message}");
    }

    #[test]
    fn without_a_broker_it_counts_drops_says_why_and_stops_at_once() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).map(|a| a.port());
        let port = listener.unwrap_or(1);
        let options = plant::Options { commanded: true, ..plant::Options::default() };
        let config = PlantConfig { options, ..config(&format!("mqtt://127.0.0.1:{port}")) };
        let Ok(plant) = spawn(config) else { panic!("it must start") };
        let begin = std::time::Instant::now();
        while (plant.status().dropped() == 0 || plant.status().error().is_none()) && begin.elapsed().as_secs() < 10 {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(plant.status().dropped() > 0 && plant.status().published() == 0);
        assert!(plant.status().error().is_some() && !plant.status().connected());
        assert_eq!(plant.status().silent(), ["two/V-1/order"], "nobody can command it");
        let begin = std::time::Instant::now();
        drop(plant);
        assert!(begin.elapsed() < Duration::from_secs(2));
    }
}
