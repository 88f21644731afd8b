//! `pollux bench`: figures for this machine, as ratios within one run.

use super::{Failure, out};
use crate::bench;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to measure.
    #[arg(value_enum, default_value_t = What::All)]
    what: What,
    /// The scene whose models and scenarios are measured. Without one: the demo's.
    #[arg(long, value_name = "FILE")]
    scene: Option<std::path::PathBuf>,
    /// Seconds per measurement.
    #[arg(long, default_value_t = 3.0)]
    secs: f64,
    /// Sizes of the recordings that are opened, in MiB; they are written to the folder for temporary files.
    #[arg(long, value_name = "MIB", value_delimiter = ',', default_values_t = [100, 1024])]
    mib: Vec<u64>,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Debug)]
enum What {
    /// Messages per second from a broker and from a flood, against a bare MQTT client; samples per second in process.
    Ingest,
    /// The core work of one frame at 10,000 to 100,000 twins.
    Frame,
    /// Messages per second into a recording, against the bare MCAP writer.
    Record,
    /// Samples per second through 100 to 100,000 alarm rules, against history alone.
    Alarms,
    /// Simulated seconds per second: a scene's machines, 1 to 1,000 copies of them, a loop beside SciPy's solver.
    Models,
    /// A scene's scenarios against its machines alone: the plant, alarms and checks, messages; and 1,000 short runs.
    Scenario,
    /// Opening recordings of several sizes and going to any moment in them. Not part of `all`: it writes large files.
    Recording,
    All,
}

pub fn run(args: Args) -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        eprintln!("pollux: this is a debug build; its figures say little. Use: make bench");
    }
    let secs = std::time::Duration::try_from_secs_f64(args.secs.clamp(0.1, 600.0)).map_err(Failure::environment)?;
    if matches!(args.what, What::Ingest | What::All) {
        out::print(bench::ingest::run(secs).map_err(Failure::environment)?)?;
    }
    if matches!(args.what, What::Frame | What::All) {
        out::print(bench::frame::run())?;
    }
    if matches!(args.what, What::Record | What::All) {
        out::print(bench::record::run(secs).map_err(Failure::environment)?)?;
    }
    if matches!(args.what, What::Alarms | What::All) {
        out::print(bench::alarms::run(secs))?;
    }
    if matches!(args.what, What::Models | What::All) {
        let scene = args.scene.clone().map_or_else(super::demo_scene, Ok)?;
        out::print(bench::models::run(&scene, secs).map_err(Failure::Usage)?)?;
    }
    if matches!(args.what, What::Scenario | What::All) {
        let scene = args.scene.map_or_else(super::demo_scene, Ok)?;
        out::print(bench::scenario::run(&scene, secs).map_err(Failure::Usage)?)?;
    }
    if args.what == What::Recording {
        out::print(bench::recording::run(&args.mib).map_err(Failure::environment)?)?;
    }
    Ok(())
}
