//! Saves what was done by hand as a scenario. In: [`ScenarioCommand`]s of a session with a plant of its own. Out: a file that
//! `pollux test` runs, and an answer in the journal that names it. Never writes over a file that is there.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bevy::prelude::*;

use super::by_hand::{ByHandError, by_hand};
use super::load;
use crate::analysis::Analysis;
use crate::command::{FaultAnswer, HandleCommands, Refusals, Remarks, ScenarioCommand};
use crate::event::{Event, Kind};
use crate::files::{Existing, NewFile};
use crate::record::RecordOptions;
use crate::scene::{LoadedScene, Scene};
use crate::session::{ByHand, OwnPlant};
use crate::source::Clock;
use crate::value::{Shift, Timestamp};

/// Lets operators of a session save scenarios.
pub fn plugin(app: &mut App) {
    app.handle_commands(scenario);
}

#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
fn scenario(
    In(command): In<ScenarioCommand>,
    (by_hand, own): (Option<Res<ByHand>>, Option<Res<OwnPlant>>),
    loaded: Res<LoadedScene>,
    (analysis, clock): (Res<Analysis>, Res<Clock>),
    remarks: Remarks,
    (mut refusals, mut answer): (ResMut<Refusals>, ResMut<FaultAnswer>),
) {
    let saved = match command {
        ScenarioCommand::Save { path } => {
            let path = place(path.as_deref(), &loaded.scene.name, clock.now());
            let events: Vec<Arc<Event>> = analysis.lock().chronicle().journal().iter().cloned().collect();
            let events: Vec<&Event> = events.iter().map(|event| &**event).collect();
            let others = own.as_deref().map_or(0, |own| own.status.commands());
            save(&path, &loaded.scene, by_hand.as_deref(), (&events, others), clock.now()).map(|()| path)
        }
    };
    let text = match saved {
        Ok(path) => format!("saved as a scenario: pollux test {}", path.display()),
        Err(why) => {
            let why = format!("no scenario is saved: {why}");
            refusals.add(why.clone());
            why
        }
    };
    *answer = FaultAnswer { text: text.clone(), at: clock.now() };
    remarks.answer(text);
}

fn save(
    path: &Path,
    scene: &Scene,
    log: Option<&ByHand>,
    (events, commands): (&[&Event], u64),
    now: Timestamp,
) -> Result<(), String> {
    let log = log.ok_or("this session runs no simulated plant: start it with --plant")?;
    let are_ours = events.iter().any(|event| matches!(event.kind, Kind::Command { .. }));
    if commands > 0 && !are_ours {
        return Err(
            "somebody else has commanded the plant, and nobody knows what: no scenario would do the same".to_owned()
        );
    }
    let last = log.done.last().ok_or_else(|| ByHandError::Nothing.to_string())?;
    // Of a plant that has stood still for a while: its newest start.
    let begin = Timestamp(Shift(i64::try_from(last.time).unwrap_or(i64::MAX)).here(last.at).0);
    let text = by_hand(path, scene, log, events, (begin, now)).map_err(|error| error.to_string())?;
    let file = NewFile::begin(path, Existing::Keep).map_err(|error| error.to_string())?;
    let written = (&mut file.file()).write_all(text.as_bytes());
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    file.finish().map_err(|error| error.to_string())?;
    // What is saved must run: if not, the file is there to see why.
    let loaded = load(path);
    match loaded.experiments.is_empty() {
        false => Ok(()),
        true => Err(format!("{} has errors: `pollux test` lists them", path.display())),
    }
}

/// A folder gets a file of a usual name, and a path without a folder stands in the working directory.
fn place(wanted: Option<&Path>, scene: &str, now: Timestamp) -> PathBuf {
    let usual = PathBuf::from(RecordOptions::usual_name(scene, now)).with_extension("ron");
    let path = match wanted {
        None => usual,
        Some(folder) if folder.is_dir() => folder.join(usual),
        Some(file) if file.extension().is_none() => file.with_extension("ron"),
        Some(file) => file.to_owned(),
    };
    std::path::absolute(&path).unwrap_or(path)
}
