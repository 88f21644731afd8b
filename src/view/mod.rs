//! The 3D view: every twin placed with its glTF look, parts moved and coloured by signals, links drawn, a camera that
//! orbits, picking that selects.
//!
//! In: [`LoadedScene`], the components `Twin`, `Signal`, `Current`, the resources `Attention`
//! and `Cursor`, and pointer and keys. Out: pixels, [`ScreenLabels`] for the panel layer to paint, and
//! [`OperatorCommand`] messages. Never writes twin state, never reads the wall clock,
//! and does no work for what has not changed: a quiet world asks for no frames.
//!
//! One plugin a file, in the order of [`ViewSet`]:
//!
//! | file | does |
//! | --- | --- |
//! | [`viewport`] | which part of the window is 3D, and whether the pointer belongs to it |
//! | [`world_image`] | the image that the world is drawn into |
//! | `redraw` | whether the world is drawn in a frame |
//! | [`look`] | loads models, or stands in a plain box |
//! | `ghost` | twins as they are in the layers that lie beside |
//! | [`layer_mark`] | the shapes of layers, for ghosts and panels |
//! | `building` | which twins others stand in |
//! | `bind` | finds the nodes that scene parts name |
//! | `motion` | signals to poses: spin, slide, rotate, fill, show |
//! | [`paint`] | colours: tint, glow, fading of stale twins, with a bounded number of materials |
//! | `mood` | how a whole twin stands: worst alarm, trust |
//! | `beacon` | lamps above twins with alarms |
//! | [`badge`] | the shape of an alarm's priority, for labels and panels |
//! | `link` | pipes, belts and wires between ports |
//! | `camera` | orbit, pan, zoom, focus, viewpoints |
//! | `picking` | pointer to twin |
//! | `clicks` | which presses are clicks, and which clicks double |
//! | `highlight` | frames around the selected and the hovered twin |
//! | [`label`] | ids, values and badges, projected to the screen |
//! | `declutter` | which labels of a crowd are shown |
//! | [`offscreen`], [`window`] | the two ways to run it |

#![allow(
    clippy::too_many_arguments,
    clippy::type_complexity,
    reason = "a system's arguments are its declared reads and writes, and a query is its type"
)]

pub mod badge;
mod beacon;
mod bind;
mod building;
mod camera;
mod clicks;
mod declutter;
mod ghost;
mod highlight;
pub mod label;
pub mod layer_mark;
mod link;
pub mod look;
mod mood;
mod motion;
pub mod offscreen;
mod orbit;
pub mod paint;
pub mod palette;
mod picking;
mod redraw;
mod stage;
mod summon;
pub mod viewport;
pub mod window;
pub mod world_image;

use bevy::asset::AssetEventSystems;
use bevy::prelude::*;
use bevy_egui::{EguiGlobalSettings, EguiPlugin, EguiPostUpdateSet, EguiPrimaryContextPass};

pub use camera::{UiCamera, ViewTarget, WorldCamera};
pub use label::{Badge, ScreenLabel, ScreenLabels};
pub use look::{LookBounds, LookProblem, LookProblems};
pub use mood::{Mood, Trust};
pub use motion::Activity;
pub use picking::{Hovered, TwinMenu};
pub use viewport::{Covered, PointerInView, ViewRect};
pub use world_image::WorldImage;

use crate::alarm::AlarmBoard;
use crate::command::{Attention, OperatorCommand};
use crate::history::Cursor;
use crate::scene::LoadedScene;
use crate::schedule::TwinSet;

/// The order within [`TwinSet::Visualise`].
#[derive(SystemSet, Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ViewSet {
    /// Whose is the pointer?
    Point,
    /// Looks come and go with the scene.
    Place,
    /// Signals become poses, colours and moods.
    Drive,
    /// Links and highlights are built anew where something changed.
    Build,
    /// The camera moves.
    Camera,
}

/// The whole 3D view. Needs Bevy's default plugins (see [`window`] and [`offscreen`]); adds `EguiPlugin` if nobody has,
/// with a camera of its own ([`UiCamera`]) so that panels cover the whole window while the world fills [`ViewRect`].
pub fn plugin(app: &mut App) {
    if !app.is_plugin_added::<EguiPlugin>() {
        app.add_plugins(EguiPlugin::default());
    }
    app.world_mut().get_resource_or_init::<EguiGlobalSettings>().auto_create_primary_context = false;
    // The pass must be there even if no panel draws in it.
    app.init_schedule(EguiPrimaryContextPass)
        .init_resource::<LoadedScene>()
        .init_resource::<Attention>()
        .init_resource::<AlarmBoard>()
        .init_resource::<Cursor>()
        .add_message::<OperatorCommand>()
        .configure_sets(Update, TwinSet::Command.before(TwinSet::Visualise))
        .configure_sets(
            Update,
            (ViewSet::Point, ViewSet::Place, ViewSet::Drive, ViewSet::Build, ViewSet::Camera)
                .chain()
                .in_set(TwinSet::Visualise),
        )
        // Glyphs reach the graphics adapter with the text that needs them: where nothing orders the two (bevy_egui 0.42),
        // a text may be drawn a frame before its new glyphs, and a quiet window would show gaps in its words.
        .configure_sets(PostUpdate, EguiPostUpdateSet::PostProcessOutput.before(AssetEventSystems))
        .add_plugins((viewport::plugin, world_image::plugin, redraw::plugin))
        .add_plugins((
            stage::plugin,
            look::plugin,
            ghost::plugin,
            building::plugin,
            bind::plugin,
            motion::plugin,
            mood::plugin,
            beacon::plugin,
            paint::plugin,
            link::plugin,
            camera::plugin,
            picking::plugin,
            highlight::plugin,
            label::plugin,
        ));
}
