//! `pollux plant`: the simulated plant of a scene, published to a broker.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::beside::Series;
use super::{Failure, beside, live, time_limit};
use crate::plant::{Options, StandIn};
use crate::scenario;
use crate::scene::watch::Watcher;
use crate::scene::{Broker, Scene};
use crate::session;
use crate::session::profile;
use crate::session::stand_in::{self, StandInError};
use crate::source::broker::{Embedded, EmbeddedConfig};
use crate::source::plant::{self, Control, PlantConfig, PlantHandle, PlantSnapshot};
use crate::value::Timestamp;

/// How long a controller may take to come before its absence is told.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The scene, whose twins have models, or get stand-ins. Without one: the demo's.
    scene: Option<PathBuf>,
    /// Publish here: mqtt://host:port or mqtts://host:port, with the credentials that the scene names for its brokers.
    /// Without it an embedded broker is started.
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
    #[command(flatten)]
    simulated: PlantArgs,
    /// Simulated seconds per second. Other than 1, its times leave the clock of a twin elsewhere behind, which will say
    /// so; `pollux live --plant --plant-speed` keeps both together.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Port of the embedded broker. 0: one that is free.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Stop after this long (10s, 2m30s).
    #[arg(long = "for", value_name = "DURATION", value_parser = time_limit::parse)]
    limit: Option<Duration>,
}

/// How a plant is made of a scene, wherever it runs.
#[derive(clap::Args, Clone, Debug)]
pub struct PlantArgs {
    /// Seed of the simulated plant: the same seed gives the same plant, bit for bit.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Let its machines differ from what the scene says by up to this share, drawn by the seed: 10%.
    #[arg(long, value_name = "SHARE", value_parser = share, default_value = "0%")]
    truth: f64,
    /// Let somebody else control it: inputs that name a `command` follow that signal, and the plant says nothing on the
    /// topics of commands.
    #[arg(long)]
    commanded: bool,
    /// Let an operator set what has a fixed value in the scene, such as set points: inputs with a `value` and a `command`
    /// follow that signal, and controllers go on.
    #[arg(long, conflicts_with = "commanded")]
    operated: bool,
    /// Let others set and clear faults in it over its brokers, by requests on `pollux/plant/NAME/control`: see the README.
    #[arg(long)]
    pub control: bool,
    /// Leave out what the scene tells to happen.
    #[arg(long)]
    no_story: bool,
    /// Let signals that no model measures move as well: plausibly, from their ranges and kinds, or as in a recording
    /// (files of one series with commas between), which may be one of another scene: by ids of twins and names of signals.
    #[arg(long, value_name = "RECORDING", num_args = 0..=1)]
    pub stand_in: Option<Option<Series>>,
    /// Allow the simulated plant to publish to another machine.
    #[arg(long)]
    pub allow_remote: bool,
}

impl PlantArgs {
    /// How requests of others are read, if they may make any.
    pub fn control(&self) -> Option<Control> {
        self.control.then(scenario::control)
    }

    /// Reads the recording, if one is named, for this scene; none if that has errors, which are told elsewhere.
    pub fn options(&self, scene: impl FnOnce() -> Option<Arc<Scene>>) -> Result<Options, Failure> {
        let stand_in = match &self.stand_in {
            None => None,
            Some(None) => Some(StandIn::Invented),
            Some(Some(Series(files))) => scene().map(|scene| learn(files, &scene)).transpose()?,
        };
        let (seed, truth, story, commanded) = (self.seed, self.truth, !self.no_story, self.commanded);
        let operated = self.operated;
        Ok(Options { seed, truth, story, commanded, operated, stand_in, ..Options::default() })
    }
}

/// How the signals of a scene behaved in a recording; says how many of them were found.
fn learn(files: &[PathBuf], scene: &Scene) -> Result<StandIn, Failure> {
    let name = beside::name_of(files);
    if let Some(scene) = files.iter().find(|file| file.extension().is_some_and(|extension| extension == "ron")) {
        let scene = scene.display();
        return Err(Failure::Usage(format!(
            "--stand-in takes a recording, and {scene} is a scene: write the scene before --stand-in"
        )));
    }
    let learned = stand_in::learn(files, scene).map_err(|error| match error {
        StandInError::Read(error) => Failure::environment(error),
        error @ (StandInError::Scene(_) | StandInError::Nothing { .. }) => Failure::Usage(error.to_string()),
    })?;
    if let Some(damage) = learned.damage {
        eprintln!("pollux: {damage}");
    }
    let (found, wanted) = (learned.found, learned.wanted);
    let others = if found < wanted { "; the others are invented" } else { "" };
    eprintln!("pollux: {found} of {wanted} signals without a model behave as in {name}{others}");
    Ok(learned.stand_in)
}

/// `10%`, `10 %` or `0.1`.
fn share(text: &str) -> Result<f64, String> {
    let (number, by) = match text.trim().strip_suffix('%') {
        Some(percent) => (percent.trim(), 100.0),
        None => (text.trim(), 1.0),
    };
    let share = number.parse::<f64>().map_err(|_| "write a share such as 10%".to_owned())? / by;
    let most = crate::plant::MOST_TRUTH;
    match (0.0..=most).contains(&share) {
        true => Ok(share),
        false => Err(format!("a share from 0% to {}% is possible", most * 100.0)),
    }
}

pub fn run(args: Args) -> Result<(), Failure> {
    let scene = args.scene.map_or_else(super::demo_scene, Ok)?;
    let path = scene;
    let loaded = crate::scene::load(&path);
    let Some(scene) = loaded.scene.clone() else {
        eprint!("{}", loaded.render(super::colour()));
        return Err(Failure::Verdict);
    };
    let mut embedded_config = EmbeddedConfig::default();
    embedded_config.bind.set_port(args.port);
    let (url, embedded) = match args.broker {
        Some(url) => (url, None),
        None => {
            let embedded = Embedded::start(embedded_config).map_err(Failure::environment)?;
            (embedded.url(), Some(embedded))
        }
    };
    // An embedded broker wants none of the credentials of those in whose place it stands.
    let brokers = match &embedded {
        Some(_) => [("broker".to_owned(), Broker::at(&url))].into(),
        None => session::brokers_at(&scene, &url),
    };
    let scene = Arc::new(scene);
    let profiles = profile::read(&scene).map_err(|errors| Failure::Environment(profile::told(&errors)))?;
    let config = PlantConfig {
        options: Options { profiles, ..args.simulated.options(|| Some(scene.clone()))? },
        scene,
        brokers,
        allow_remote: args.simulated.allow_remote,
        speed: args.speed,
        start: Timestamp::now(),
        control: args.simulated.control(),
    };
    let stop = live::interrupted(|| {})?;
    let handle = plant::spawn(config).map_err(failure)?;
    eprintln!("pollux: the plant publishes to {url}");
    let mut saved = Saved::new(path, loaded.files);
    let started = Instant::now();
    let mut has_asked = false;
    while !stop.load(Ordering::Relaxed) && args.limit.is_none_or(|limit| started.elapsed() < limit) {
        if let Some(why) = handle.status().failure() {
            return Err(Failure::Environment(format!("plant: {why}")));
        }
        saved.hand_to(&handle);
        handle.take_told().iter().for_each(|told| eprintln!("pollux: {told}"));
        let silent = handle.status().silent();
        if !has_asked && !silent.is_empty() && started.elapsed() >= PATIENCE {
            has_asked = true;
            eprintln!("pollux: no command has come yet on {}: what they drive stays as it was", silent.join(", "));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    eprintln!("pollux: {}", told(&handle.status().snapshot()));
    drop(handle);
    drop(embedded);
    Ok(())
}

/// What a plant has done.
fn told(plant: &PlantSnapshot) -> String {
    let mut told = format!("the plant published {} messages", plant.published);
    if plant.dropped > 0 {
        told += &format!("; {} more were due while no broker took them", plant.dropped);
    }
    if plant.commands + plant.refused > 0 {
        told += &format!("; it took {} commands and refused {}", plant.commands, plant.refused);
    }
    if !plant.silent.is_empty() {
        told += &format!("; no command came on {}", plant.silent.join(", "));
    }
    told
}

/// The scene's files: once they are saved, the plant goes on with what they say.
struct Saved {
    scene: PathBuf,
    files: Vec<PathBuf>,
    watcher: Option<Watcher>,
}

impl Saved {
    fn new(scene: PathBuf, files: Vec<PathBuf>) -> Self {
        let watcher = Watcher::new(files.clone(), || {})
            .inspect_err(|error| eprintln!("pollux: the scene will not be read again when it is saved: {error}"));
        Self { scene, files, watcher: watcher.ok() }
    }

    /// Hands a saved scene to the plant; one that has errors is told, and the plant goes on as it was.
    fn hand_to(&mut self, plant: &PlantHandle) {
        if !self.watcher.as_ref().is_some_and(Watcher::take_changed) {
            return;
        }
        let loaded = crate::scene::load(&self.scene);
        eprint!("{}", loaded.render(super::colour()));
        let shown = self.scene.display();
        match loaded.scene.map(|scene| (profile::read(&scene), scene)) {
            None => eprintln!("pollux: {shown}: the saved scene has errors; the plant goes on as it was"),
            Some((Err(errors), _)) => eprintln!("pollux: {}; the plant goes on as it was", profile::told(&errors)),
            Some((Ok(profiles), scene)) => {
                eprintln!("pollux: {shown}: the saved scene is handed to the plant");
                plant.adopt(Arc::new(scene), profiles);
            }
        }
        if loaded.files != self.files {
            *self = Self::new(self.scene.clone(), loaded.files);
        }
    }
}

/// A scene that is no plant is a wrong use; the rest is the world's fault.
pub fn failure(error: plant::PlantError) -> Failure {
    match error {
        plant::PlantError::Thread(_) => Failure::environment(error),
        _ => Failure::Usage(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_is_invented_unless_a_recording_is_named() {
        let parsed = |args: &[&str]| -> Result<(Option<PathBuf>, Option<Option<Series>>), String> {
            let args = std::iter::once(&"pollux").chain(args);
            let command = <Args as clap::Args>::augment_args(clap::Command::new("pollux"));
            let matches = command.try_get_matches_from(args).map_err(|error| error.to_string())?;
            let args = <Args as clap::FromArgMatches>::from_arg_matches(&matches).map_err(|error| error.to_string())?;
            Ok((args.scene, args.simulated.stand_in))
        };
        let scene = || Some(PathBuf::from("hall.ron"));
        let like = |files: &[&str]| Some(Some(Series(files.iter().map(PathBuf::from).collect())));
        assert_eq!(parsed(&["hall.ron"]), Ok((scene(), None)));
        assert_eq!(parsed(&["hall.ron", "--stand-in"]), Ok((scene(), Some(None))));
        assert_eq!(parsed(&["hall.ron", "--stand-in", "--seed", "3"]), Ok((scene(), Some(None))));
        assert_eq!(parsed(&["hall.ron", "--stand-in", "day.mcap"]), Ok((scene(), like(&["day.mcap"]))));
        assert_eq!(parsed(&["--stand-in", "a.mcap,b.mcap", "hall.ron"]), Ok((scene(), like(&["a.mcap", "b.mcap"]))));
        let refused = learn(&["hall.ron".into()], &Scene::default()).expect_err("it is no recording");
        assert!(refused.to_string().contains("write the scene before --stand-in"), "{refused}");
    }

    #[test]
    fn at_the_end_it_says_what_was_commanded_and_what_was_not() {
        let quiet = PlantSnapshot { published: 12, ..PlantSnapshot::default() };
        assert_eq!(told(&quiet), "the plant published 12 messages");
        let silent = vec!["line/V-1/command".to_owned()];
        let (dropped, commands, refused) = (3, 5, 2);
        let commanded = PlantSnapshot { dropped, commands, refused, silent, ..quiet };
        let wanted = "the plant published 12 messages; 3 more were due while no broker took them; it took 5 commands and \
                      refused 2; no command came on line/V-1/command";
        assert_eq!(told(&commanded), wanted);
    }

    #[test]
    fn a_share_is_a_percentage_or_a_number() {
        assert_eq!([share("10%"), share("12.5 %"), share("0.2"), share("0")], [Ok(0.1), Ok(0.125), Ok(0.2), Ok(0.0)]);
        assert!(["ten", "60%", "-1%", "10"].iter().all(|text| share(text).is_err()));
    }
}
