//! Lays recordings and forecasts beside a world. In: a world that is open, files, how to align them. Out: the same world
//! with [`Layers`] and the systems that keep them at the cursor. Starts nothing but the threads that read.

use std::path::{Path, PathBuf};

use bevy::prelude::*;

use super::forecast::ForecastLayer;
use super::overlay::OverlayLayer;
use super::recording::RecordingLayer;
use super::{Align, AlignError, Here, LayerKind, Layers, project};
use crate::analysis::{Analysis, Touched};
use crate::command::{Ghosts, HandleCommands};
use crate::history::{Extent, ViewTime};
use crate::replay::OpenError;
use crate::scene::LoadedScene;
use crate::schedule::TwinSet;
use crate::source::Waker;
use crate::value::Shift;

/// Seconds between two looks for a first forecast while no sample comes.
const LOOK_SECS: f64 = 1.0;

/// What to lay beside a world, and how.
#[derive(Clone, Debug)]
pub struct Options {
    pub recordings: Vec<RecordingOptions>,
    /// What the world is called: the name of its file, or `live`.
    pub here: String,
    /// Memory for the histories of all layers together: see [`share_of`](super::share_of).
    pub budget_bytes: u64,
    /// Frames wait for what they are to show: for pictures, for runs without a window, for tests.
    pub blocking: bool,
}

/// One recording, and how it is aligned.
#[derive(Clone, Debug)]
pub struct RecordingOptions {
    /// Recordings of one series, in any order.
    pub files: Vec<PathBuf>,
    /// None: by the time of day if both have some of it in common, else by their beginnings.
    pub align: Option<Align>,
    /// Added to what alignment finds: positive shows later moments of the recording.
    pub by_hand: Shift,
}

#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    #[error("beside: {0}")]
    Open(#[from] OpenError),
    #[error(transparent)]
    Align(#[from] AlignError),
}

/// The last `parts` parts of a path.
fn tail(path: &Path, parts: usize) -> String {
    let all: Vec<_> = path.components().collect();
    let kept: PathBuf = all.iter().skip(all.len().saturating_sub(parts)).collect();
    kept.to_string_lossy().into_owned()
}

/// Names of series, each with as much of its folders as tells it from the others and from `here`: `NAME.mcap`, and how
/// many more files there are. Of two series of the same files both have the same name.
fn names_of(here: &str, series: &[&[PathBuf]]) -> Vec<String> {
    let name = |files: &[PathBuf], parts: usize| match files {
        [] => String::new(),
        [only] => tail(only, parts),
        [first, more @ ..] => format!("{} and {} more", tail(first, parts), more.len()),
    };
    let longest = |files: &[PathBuf]| files.first().map_or(1, |first| first.components().count());
    let own = series.iter().map(|files| {
        let is_alone = |parts: usize| {
            let own = name(files, parts);
            let clash = |other: &&[PathBuf]| other != files && name(other, parts) == own;
            own != here && !series.iter().any(clash)
        };
        let parts = (1..=longest(files)).find(|parts| is_alone(*parts)).unwrap_or(1);
        name(files, parts)
    });
    own.collect()
}

/// Names of two recordings, with as much of their folders as tells them apart.
pub(super) fn names_of_two(here: &Path, there: &Path) -> (String, String) {
    let (here, there) = ([here.to_owned()], [there.to_owned()]);
    let mut names = names_of("", &[&here, &there]).into_iter();
    (names.next().unwrap_or_default(), names.next().unwrap_or_default())
}

/// Makes room for layers beside the world in `app`, which people call `here`. They have `budget_bytes` together.
pub fn install(app: &mut App, here: impl Into<String>, budget_bytes: u64) {
    app.insert_resource(Layers::new(here, budget_bytes)).init_resource::<Ghosts>().handle_commands(project::obey);
    follow_cursor(app);
}

/// Layers follow the cursor in this world, as soon as there are any.
#[derive(Resource)]
struct Followed;

fn follow_cursor(app: &mut App) {
    if !app.world().contains_resource::<Followed>() {
        let project = project::project.in_set(TwinSet::Project).after(crate::stage::project);
        app.insert_resource(Followed).add_systems(Update, project.run_if(resource_exists::<Layers>));
    }
}

/// The name of a world whose forecasts are shown as soon as there are some.
#[derive(Resource)]
struct Foretold(String);

/// Draws what producers foretell beside the world in `app`, which people call `here`: as soon as there is any forecast, it
/// gets a layer for them. After [`open`], if recordings lie beside it as well. A world without forecasts has no layer, and
/// [`Layers`] only if something else lies beside it.
pub fn show_forecasts(app: &mut App, here: impl Into<String>) {
    follow_cursor(app);
    let lay = lay_forecasts.after(TwinSet::Receive).before(TwinSet::Project);
    app.insert_resource(Foretold(here.into())).add_systems(Update, lay.run_if(is_something_foretold));
}

/// Draws what lies over the data beside the world in `app`: as soon as there is an overlay, it gets a layer. After
/// [`show_forecasts`], which knows what people call the world.
pub fn show_overlays(app: &mut App) {
    let lay = lay_overlay.after(TwinSet::Receive).before(TwinSet::Project).after(lay_forecasts);
    app.add_systems(Update, lay.run_if(is_something_laid));
}

fn is_something_laid(analysis: Res<Analysis>, layers: Option<Res<Layers>>) -> bool {
    let has_layer = |layers: Res<Layers>| layers.iter().any(|slot| slot.layer.kind() == LayerKind::Overlay);
    !layers.is_some_and(has_layer) && analysis.lock().overlay().is_some()
}

fn lay_overlay(world: &mut World) {
    let Some(view) = world.resource::<Analysis>().lock().overlay() else { return };
    make_room(world);
    world.resource_mut::<Layers>().add(Box::new(OverlayLayer::new(view)));
}

/// Another recording has taken the place of the shown one.
pub fn rename(world: &mut World, here: String) {
    if let Some(mut layers) = world.get_resource_mut::<Layers>() {
        layers.rename_here(here.clone());
    }
    if let Some(mut foretold) = world.get_resource_mut::<Foretold>() {
        foretold.0 = here;
    }
}

/// Whether there are forecasts and no layer for them. Looks where samples came, else once a second.
fn is_something_foretold(
    analysis: Res<Analysis>,
    time: Res<ViewTime>,
    touched: Res<Touched>,
    layers: Option<Res<Layers>>,
    mut looked: Local<Option<ViewTime>>,
) -> bool {
    if layers.is_some_and(|layers| layers.iter().any(|slot| slot.layer.kind() == LayerKind::Forecast)) {
        return false;
    }
    let is_long_ago = |before: ViewTime| {
        let passed_secs = time.now.secs_since(before.now).abs().max(time.shown.secs_since(before.shown).abs());
        passed_secs >= LOOK_SECS
    };
    let is_due = looked.is_none_or(is_long_ago);
    if touched.0.is_empty() && !is_due {
        return false;
    }
    *looked = Some(*time);
    analysis.lock().forecasts().usage().forecasts > 0
}

/// Layers of a world that had none.
fn make_room(world: &mut World) {
    if !world.contains_resource::<Layers>() {
        let here = world.get_resource::<Foretold>().map_or_else(|| "live".to_owned(), |foretold| foretold.0.clone());
        // It shares what the world holds already.
        world.insert_resource(Layers::new(here, 0));
        world.init_resource::<Ghosts>();
        world.handle_commands(project::obey);
    }
}

fn lay_forecasts(world: &mut World) {
    make_room(world);
    world.resource_mut::<Layers>().add(Box::new(ForecastLayer::default()));
}

/// Opens recordings beside the world in `app`, which has one already. `waker` asks for a frame.
pub fn open(app: &mut App, options: Options, waker: Waker) -> Result<(), LayerError> {
    let series: Vec<&[PathBuf]> = options.recordings.iter().map(|recording| &*recording.files).collect();
    let names = names_of(&options.here, &series);
    let each = options.budget_bytes / options.recordings.len().max(1) as u64;
    let world = app.world();
    let scene = world.resource::<LoadedScene>().scene.clone();
    let (extent, time) = (world.resource::<Extent>(), world.resource::<ViewTime>());
    let here = Here { name: &options.here, extent, time };
    let mut opened = Vec::new();
    for (recording, name) in options.recordings.into_iter().zip(names) {
        let own = (each, options.blocking);
        let mut layer = RecordingLayer::open(&recording.files, name, &scene, own, waker.clone())?;
        let knowledge = world.resource::<Analysis>().lock();
        layer.lay(recording.align, recording.by_hand, &here, knowledge.chronicle().journal())?;
        opened.push(layer);
    }
    let now = time.now;
    install(app, options.here.clone(), options.budget_bytes);
    let mut layers = app.world_mut().resource_mut::<Layers>();
    for layer in opened {
        layers.add(Box::new(layer));
    }
    // A moment asked for before the first frame may lie beyond now already.
    let horizon = layers.horizon(now);
    app.insert_resource(horizon);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_two_files_apart() {
        let names = |a: &str, b: &str| names_of_two(Path::new(a), Path::new(b));
        assert_eq!(names("runs/a.mcap", "b.mcap"), ("a.mcap".into(), "b.mcap".into()));
        assert_eq!(names("/x/mon/run.mcap", "/x/tue/run.mcap"), ("mon/run.mcap".into(), "tue/run.mcap".into()));
        assert_eq!(names("run.mcap", "run.mcap"), ("run.mcap".into(), "run.mcap".into()), "it is the same");
    }

    #[test]
    fn names_tell_several_series_apart_from_each_other_and_from_what_is_shown() {
        let paths = |files: &[&str]| files.iter().map(PathBuf::from).collect::<Vec<_>>();
        let (mon, tue, many) = (paths(&["mon/run.mcap"]), paths(&["tue/run.mcap"]), paths(&["x/a.mcap", "x/b.mcap"]));
        let lone = paths(&["y/today.mcap"]);
        let names = names_of("today.mcap", &[&mon, &tue, &many, &lone]);
        assert_eq!(names, ["mon/run.mcap", "tue/run.mcap", "a.mcap and 1 more", "y/today.mcap"]);
    }
}
