//! The panels around the 3D view: tree, inspector, trends, alarms, events, statistics, connections, issues, time bar.
//!
//! In: the loaded scene, current values, history, alarms and events, source reports, the operator's attention. Out: [`OperatorCommand`]
//! messages, and [`ViewRect`], the part of the window that is left to the 3D view. Never writes twin state.
//!
//! Each panel is one file with three parts: a plain view struct, a pure function that builds it, and a function that
//! draws it and pushes commands: `fn tree_ui(ui, view, state, out)`. One system a frame (in `gather`) builds the views of
//! visible panels and runs the [`shell`]. A frame costs what is on screen: rows out of sight are not built, lines come
//! from the history as min/max per pixel, marks are kept from changes ([`mark`]).

pub mod alarms;
pub mod banner;
pub mod bars;
pub mod compare;
pub mod connections;
pub mod drop_hint;
pub mod events;
pub mod format;
mod gather;
pub mod inspector;
pub mod issues;
pub mod mark;
pub mod open;
pub mod recording;
pub mod shell;
pub mod shortcuts;
pub mod statistics;
#[cfg(test)]
mod testing;
pub mod theme;
pub mod timebar;
pub mod tree;
pub mod trend;
pub mod widgets;

use bevy::prelude::*;
use bevy_egui::EguiPrimaryContextPass;

pub use gather::PanelSet;
pub use shell::{PanelKind, Shell};

use crate::alarm::AlarmBoard;
use crate::command::{Attention, Operator, OperatorCommand};
use crate::event::EventLog;
use crate::history::{self, Cursor, Extent, Moment, SkipGaps};
use crate::scene::LoadedScene;
use crate::schedule::TwinSet;
use crate::source::SourceReport;
use crate::stage::Entities;
use crate::view::world_image::PaintsWorld;
use crate::view::{ScreenLabels, ViewRect, WorldImage};

/// 3D view and panels, for a window as for an offscreen picture. Needs Bevy's own plugins from
/// [`view::window`](crate::view::window) or [`view::offscreen`](crate::view::offscreen).
pub struct DesktopPlugins;

impl Plugin for DesktopPlugins {
    fn build(&self, app: &mut App) {
        app.add_plugins((crate::view::plugin, plugin));
    }
}

/// All panels. Needs `EguiPlugin` with a primary context (the 3D view brings both); the core's resources are given their
/// defaults if nobody has inserted them.
pub fn plugin(app: &mut App) {
    app.init_resource::<Shell>()
        .init_resource::<mark::Marks>()
        .init_resource::<LoadedScene>()
        .init_resource::<Attention>()
        .init_resource::<Cursor>()
        .init_resource::<Moment>()
        .init_resource::<Extent>()
        .init_resource::<history::Marks>()
        .init_resource::<SkipGaps>()
        .init_resource::<Operator>()
        .init_resource::<SourceReport>()
        .init_resource::<Entities>()
        .init_resource::<AlarmBoard>()
        .init_resource::<EventLog>()
        .init_resource::<crate::event::RecordTroubles>()
        .init_resource::<ViewRect>()
        .init_resource::<ScreenLabels>()
        .init_resource::<crate::view::Covered>()
        .init_resource::<crate::record::Recording>()
        .init_resource::<open::RecentFiles>()
        .init_resource::<WorldImage>()
        .add_message::<OperatorCommand>()
        .add_systems(Update, mark::track.in_set(TwinSet::Visualise))
        .add_systems(EguiPrimaryContextPass, gather::show_panels.in_set(PanelSet).after(PaintsWorld));
}

/// There is no panel of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no panel `{name}`; there are: {}", PanelKind::ALL.map(PanelKind::name).join(", "))]
pub struct UnknownPanel {
    pub name: String,
}

/// Brings the panel `name` (`trends`, `connections`, …) to the front, for `pollux shot --panel NAME`.
pub fn open(app: &mut App, name: &str) -> Result<(), UnknownPanel> {
    let kind = PanelKind::from_name(name).ok_or_else(|| UnknownPanel { name: name.to_owned() })?;
    app.world_mut().get_resource_or_init::<Shell>().open(kind);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_panel_is_refused_with_the_names_there_are() {
        let mut app = App::new();
        let error = open(&mut app, "trendz").unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no panel `trendz`; there are: 3d, scene, inspector, trends, alarms, events, \
             statistics, compare, connections, issues, help"
        );
        assert_eq!(open(&mut app, "Connections"), Ok(()));
        assert!(app.world().resource::<Shell>().is_visible(PanelKind::Connections));
    }
}
