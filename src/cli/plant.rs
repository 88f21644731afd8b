//! `pollux plant`: the simulated plant of a scene, published to a broker.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Failure, live, time_limit};
use crate::scene::Broker;
use crate::session;
use crate::source::broker::{Embedded, EmbeddedConfig};
use crate::source::plant::{self, PlantConfig};
use crate::value::Timestamp;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The scene whose `plant` is to be run. Without one: the demo's.
    scene: Option<PathBuf>,
    /// Publish here: mqtt://host:port or mqtts://host:port, with the credentials that the scene names for its (first)
    /// broker. Without it an embedded broker is started.
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
    /// Seed: the same seed gives the same plant, bit for bit.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Simulated seconds per second. Other than 1, its times leave the clock of a twin elsewhere behind, which will say
    /// so; `pollux live --plant --plant-speed` keeps both together.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// First part of all topics.
    #[arg(long, default_value = plant::DEFAULT_PREFIX)]
    prefix: String,
    /// Port of the embedded broker. 0: one that is free.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Stop after this long (10s, 2m30s).
    #[arg(long = "for", value_name = "DURATION", value_parser = time_limit::parse)]
    limit: Option<Duration>,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let scene = args.scene.map_or_else(super::demo_scene, Ok)?;
    let loaded = crate::scene::load(&scene);
    let Some(scene) = loaded.scene else {
        eprint!("{}", loaded.render(super::colour()));
        return Err(Failure::Verdict);
    };
    let Some(plant) = scene.plant.clone() else {
        return Err(Failure::Usage(format!("the scene `{}` names no simulated plant", scene.name)));
    };
    let mut embedded_config = EmbeddedConfig::default();
    embedded_config.bind.set_port(args.port);
    let (broker, _embedded) = match args.broker {
        Some(url) => (session::brokers_at(&scene, &url).into_values().next().unwrap_or_else(|| Broker::at(url)), None),
        None => {
            let embedded = Embedded::start(embedded_config).map_err(Failure::environment)?;
            (Broker::at(embedded.url()), Some(embedded))
        }
    };
    let url = broker.url.clone();
    let config =
        PlantConfig { plant, broker, seed: args.seed, speed: args.speed, prefix: args.prefix, start: Timestamp::now() };
    let stop = live::interrupted(|| {})?;
    let handle = plant::spawn(config).map_err(Failure::environment)?;
    eprintln!("pollux: the plant publishes to {url}");
    let started = std::time::Instant::now();
    while !stop.load(Ordering::Relaxed) && args.limit.is_none_or(|limit| started.elapsed() < limit) {
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(handle);
    Ok(())
}
