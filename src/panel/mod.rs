//! The panels around the 3D view: tree, inspector, trends, alarms, events, faults, statistics, connections, issues, time bar.
//!
//! In: the loaded scene, current values, history, alarms and events, source reports, the operator's attention. Out:
//! [`OperatorCommand`] messages, and [`ViewRect`], the part of the window that is left to the 3D view. Never writes twin state, and never holds
//! the lock of the analysis while it builds a view or draws.
//!
//! Each panel is one file: a plain view struct, a pure function that builds it, a function that draws it and pushes
//! commands (`fn tree_ui(ui, view, state, out)`), and a [`PanelClass`] that says how these belong together. One system a
//! frame, in `gather`, collects a [`Snapshot`](snapshot::Snapshot), has the [`shell`] build the views of visible panels,
//! and draws them. A frame costs what is on screen: rows out of sight are not built, lines come from the history as min/max
//! per pixel, marks are kept from changes ([`mark`]).
//!
//! A new panel takes two steps:
//!
//! 1. A file with `pub struct NewPanel;` and `impl PanelClass for NewPanel`: its name on the command line, its title and
//!    place, a key if it has one, its state and its view.
//! 2. Its module and `&new::NewPanel` in the list [`PANELS`], at the place among the tabs where it is to stand.
//!
//! With that it is docked, has its tab, its key and its line in the list of keys, and `pollux shot --panel NAME` shows it.
//! Only a panel that needs what no other reads adds a field to the snapshot.

pub mod alarms;
pub mod banner;
pub mod bars;
pub mod class;
pub mod commands;
pub mod compare;
pub mod connections;
pub mod drop_hint;
pub mod events;
pub mod faults;
pub mod format;
mod gather;
pub mod inspector;
pub mod issues;
pub mod layer_key;
pub mod lines;
pub mod mark;
pub mod open;
pub mod recording;
pub mod shell;
pub mod shortcuts;
pub mod snapshot;
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

pub use class::{Panel, PanelClass, PanelId};
pub use gather::PanelSet;
pub use shell::Shell;

use crate::alarm::AlarmBoard;
use crate::command::{Attention, Operator, OperatorCommand};
use crate::event::EventLog;
use crate::history::{self, Cursor, Extent, SkipGaps, ViewTime};
use crate::scene::LoadedScene;
use crate::schedule::TwinSet;
use crate::source::SourceReport;
use crate::stage::Entities;
use crate::view::world_image::PaintsWorld;
use crate::view::{ScreenLabels, ViewRect, WorldImage};

/// All panels that can be docked, in the order of their tabs.
pub const PANELS: &[&dyn Panel] = &[
    &tree::TreePanel,
    &inspector::InspectorPanel,
    &trend::TrendPanel,
    &alarms::AlarmsPanel,
    &events::EventsPanel,
    &faults::FaultsPanel,
    &statistics::StatisticsPanel,
    &compare::ComparePanel,
    &connections::ConnectionsPanel,
    &issues::IssuesPanel,
];

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
        .init_resource::<mark::TwinMarks>()
        .init_resource::<LoadedScene>()
        .init_resource::<Attention>()
        .init_resource::<Cursor>()
        .init_resource::<ViewTime>()
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
        .init_resource::<crate::stage::Broken>()
        .init_resource::<crate::command::FaultAnswer>()
        .init_resource::<crate::view::Covered>()
        .init_resource::<crate::view::TwinMenu>()
        .init_resource::<crate::record::Recording>()
        .init_resource::<open::RecentFiles>()
        .init_resource::<WorldImage>()
        .add_message::<OperatorCommand>()
        .add_systems(Update, mark::track.in_set(TwinSet::Visualise))
        .add_systems(EguiPrimaryContextPass, gather::show_panels.in_set(PanelSet).after(PaintsWorld));
}

/// Panels that are drawn nowhere, with some trends and a selected twin: for measurements.
pub(crate) fn equip_without_drawing(app: &mut App, trends: Vec<crate::value::SignalIndex>) {
    let selected = Some(crate::value::TwinIndex(7));
    app.add_plugins(plugin).insert_resource(Attention { selected, trends });
}

/// Builds the views of a frame, for measurements.
pub(crate) fn build_views(app: &mut App) {
    if let Err(error) = app.world_mut().run_system_cached(gather::build_views) {
        tracing::error!("the views of the panels cannot be built: {error}");
    }
}

/// There is no panel of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no panel `{name}`; there are: {}", PanelId::all().map(PanelId::name).collect::<Vec<_>>().join(", "))]
pub struct UnknownPanel {
    pub name: String,
}

/// Brings the panel `name` (`trends`, `connections`, …) to the front, for `pollux shot --panel NAME`.
pub fn open(app: &mut App, name: &str) -> Result<(), UnknownPanel> {
    let panel = PanelId::named(name).ok_or_else(|| UnknownPanel { name: name.to_owned() })?;
    app.world_mut().get_resource_or_init::<Shell>().open(panel);
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
            "there is no panel `trendz`; there are: 3d, scene, inspector, trends, alarms, events, faults, \
             statistics, compare, connections, issues, help"
        );
        assert_eq!(open(&mut app, "Connections"), Ok(()));
        assert!(app.world().resource::<Shell>().is_visible(connections::ConnectionsPanel::ID));
    }
}
