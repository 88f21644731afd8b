//! The inspector: all signals of the selected twin with value, unit, quality, age and recent past.
//!
//! In: [`InspectorView`], built in `view` from the scene, current values, history and alarms. Out: `ToggleTrend`, `Focus` and
//! `EditLimit` commands, and commands to equipment, from what `draw` shows. Never asks a clock: ages are against the shown moment.

mod draw;
mod view;

use std::ops::Range;

use bevy_egui::egui::Ui;

pub use self::draw::inspector_ui;
pub use self::view::{BesideView, InspectorInput, InspectorView, SignalView, inspector_view};

use super::alarms::dialog::Dialog;
use super::class::{Dock, PanelClass};
use super::commands::{Form, commands_view};
use super::layer_key;
use super::snapshot::Snapshot;
use crate::command::OperatorCommand;
use crate::scene::Scene;

#[derive(Clone, PartialEq, Debug, Default)]
pub struct InspectorState {
    /// Rows in sight in the last frame.
    pub visible: Range<usize>,
    /// An edit of a limit that goes on.
    pub dialog: Option<Dialog>,
    /// A command that is being given.
    pub form: Option<Form>,
}

/// The inspector among the panels.
pub struct InspectorPanel;

impl PanelClass for InspectorPanel {
    const NAME: &'static str = "inspector";
    const TITLE: &'static str = "Inspector";
    const DOCK: Dock = Dock::Right;
    type State = InspectorState;
    type View<'a> = (&'a Scene, Option<InspectorView>);

    fn view<'a>(read: &'a Snapshot<'a>, state: &InspectorState) -> Self::View<'a> {
        let layers = layer_key::keys(read.layers);
        let mut view = inspector_view(&InspectorInput {
            scene: read.scene(),
            currents: read.current,
            layers: &layers,
            counterparts: read.counterparts,
            history: read.known.lines,
            marks: read.marks,
            board: read.board,
            attention: read.attention,
            moment: read.time,
            visible: state.visible.clone(),
        });
        let twin = view.as_ref().and_then(|view| read.scene().twins.get(view.twin.at()));
        if let (Some(view), Some(twin), Some(desk)) = (&mut view, twin, read.desk) {
            view.commands = commands_view(read.scene(), twin, desk);
        }
        (read.scene(), view)
    }

    fn wishes(read: &Snapshot, state: &InspectorState) {
        Self::view(read, state);
    }

    fn ui(ui: &mut Ui, (scene, view): &Self::View<'_>, state: &mut InspectorState, out: &mut Vec<OperatorCommand>) {
        inspector_ui(ui, scene, view.as_ref(), state, out);
    }
}
