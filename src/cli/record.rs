//! `pollux record`: mirror a plant without a window, and keep all of it.

use std::path::PathBuf;
use std::time::Duration;

use super::{Failure, live, time_limit};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The scene file.
    scene: PathBuf,
    /// The MCAP file. It is never written over: if it is there, a new one beside it carries a time in its name.
    #[arg(short, long, value_name = "FILE", required_unless_present = "record", conflicts_with = "record")]
    output: Option<PathBuf>,
    #[command(flatten)]
    session: live::SessionArgs,
    /// Stop after this long (10s, 2m30s). Without it: when it is interrupted.
    #[arg(long = "for", value_name = "DURATION", value_parser = time_limit::parse)]
    limit: Option<Duration>,
    /// Write the state of all twins and sources as JSON at the end.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let Args { scene, output, mut session, limit, state } = args;
    session.record = output.or(session.record);
    let scene_files = super::scene_files(&scene);
    session.check_events(&scene_files)?;
    if let Some(file) = &state {
        live::check_state_file(file, scene_files.iter().chain(&session.record))?;
    }
    live::headless(session.options(scene)?, None, limit, state)
}
