//! The one system of the panels: collects what they read, runs the shell, passes on what it asked for.
//!
//! In: resources and `Current` components, copies from the history. Out: [`OperatorCommand`] messages, [`ViewRect`].
//! Decides nothing itself. Holds the lock of the analysis only while it copies: never while a view is built or drawn.

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use bevy_egui::{EguiContexts, egui};

use super::lines::{Copied, Wishes};
use super::mark::TwinMarks;
use super::open::RecentFiles;
use super::shell::{self, Shell};
use super::snapshot::{Known, Snapshot};
use super::{issues, recording, theme};
use crate::alarm::{AlarmBoard, Horn};
use crate::analysis::Analysis;
use crate::command::{Attention, FaultAnswer, Ghosts, Operator, OperatorCommand};
use crate::event::{EventLog, RecordTroubles};
use crate::history::{self, Cursor, Density, Extent, Horizon, SkipGaps, Usage, ViewTime};
use crate::instruction::Desk;
use crate::layers::{Counterparts, Layers};
use crate::record::Recording;
use crate::scene::LoadedScene;
use crate::session::OwnPlant;
use crate::source::SourceReport;
use crate::stage::{Broken, Current, Entities};
use crate::value::SignalIndex;
use crate::view::{Covered, ScreenLabels, TwinMenu, ViewRect, WorldImage, label};

/// Where panels are drawn, in `EguiPrimaryContextPass`.
#[derive(SystemSet, Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PanelSet;

/// Everything that panels read.
#[derive(SystemParam)]
pub(super) struct Readable<'w, 's> {
    loaded: Res<'w, LoadedScene>,
    attention: Res<'w, Attention>,
    cursor: Res<'w, Cursor>,
    moment: Res<'w, ViewTime>,
    extent: Res<'w, Extent>,
    time_marks: Res<'w, history::Marks>,
    skip: Res<'w, SkipGaps>,
    operator: Res<'w, Operator>,
    analysis: Option<Res<'w, Analysis>>,
    report: Res<'w, SourceReport>,
    entities: Res<'w, Entities>,
    marks: Res<'w, TwinMarks>,
    board: Res<'w, AlarmBoard>,
    horn: Option<Res<'w, Horn>>,
    log: Res<'w, EventLog>,
    troubles: Res<'w, RecordTroubles>,
    recording: Res<'w, Recording>,
    desk: Option<Res<'w, Desk>>,
    broken: Res<'w, Broken>,
    fault_answer: Res<'w, FaultAnswer>,
    plant: Option<Res<'w, OwnPlant>>,
    recent: Res<'w, RecentFiles>,
    labels: Res<'w, ScreenLabels>,
    world: Res<'w, WorldImage>,
    currents: Query<'w, 's, &'static Current>,
    layers: Option<Res<'w, Layers>>,
    horizon: Res<'w, Horizon>,
    ghosts: Option<Res<'w, Ghosts>>,
    counterparts: Query<'w, 's, &'static Counterparts>,
}

pub(super) fn show_panels(
    mut contexts: EguiContexts,
    read: Readable,
    mut shell: ResMut<Shell>,
    (mut rect, mut covered): (ResMut<ViewRect>, ResMut<Covered>),
    mut menu: ResMut<TwinMenu>,
    mut commands: MessageWriter<OperatorCommand>,
    mut styled: Local<bool>,
) -> Result {
    let ctx = contexts.ctx_mut()?.clone();
    if !std::mem::replace(&mut *styled, true) {
        theme::apply(&ctx);
    }
    let mut ui = egui::Ui::new(
        ctx.clone(),
        "panels".into(),
        egui::UiBuilder::new().layer_id(egui::LayerId::background()).max_rect(ctx.viewport_rect()),
    );
    let paint_world = |painter: &egui::Painter, rect: egui::Rect| {
        read.world.paint(painter, rect);
        label::paint(painter, &read.labels);
    };
    if let Some((twin, at)) = menu.bypass_change_detection().asked.take() {
        shell.menu = Some((twin, egui::pos2(at.x, at.y)));
    }
    let mut out = Vec::new();
    let room = with_snapshot(&read, &mut shell, |snapshot, shell| {
        let views = shell.views(snapshot);
        shell::show(&mut ui, shell, &views, &paint_world, &mut out)
    });
    rect.set_if_neq(ViewRect { physical: Some(physical(room.world, ctx.pixels_per_point())) });
    covered
        .set_if_neq(Covered(room.covered.map(|rect| Rect::new(rect.left(), rect.top(), rect.right(), rect.bottom()))));
    commands.write_batch(out);
    Ok(())
}

/// Builds the views of one frame, for measurements.
pub(super) fn build_views(read: Readable, mut shell: ResMut<Shell>) {
    with_snapshot(&read, &mut shell, |snapshot, shell| {
        std::hint::black_box(&shell.views(snapshot));
    });
}

/// Copies what the visible panels need of the history, while it is locked; `then` runs without any lock.
fn with_snapshot<T>(read: &Readable, shell: &mut Shell, then: impl FnOnce(&Snapshot, &mut Shell) -> T) -> T {
    // Indices of a board that was made from another scene mean other alarms.
    let unlit;
    let board = if read.board.generation() == Some(read.loaded.generation) {
        &*read.board
    } else {
        unlit = AlarmBoard::default();
        &unlit
    };
    let current = |index: SignalIndex| -> Current {
        let entity = read.entities.signals.get(index.at());
        entity.and_then(|entity| read.currents.get(*entity).ok()).cloned().unwrap_or_default()
    };
    let counterparts = |index: SignalIndex| -> Option<Counterparts> {
        let entity = read.entities.signals.get(index.at())?;
        read.counterparts.get(*entity).ok().cloned()
    };
    let issues = issues::issues_view(&read.loaded, &read.report, &read.troubles.0);
    let (wishes, no_arrivals) = (Wishes::default(), Density::default());
    let snapshot = Snapshot {
        loaded: &read.loaded,
        attention: &read.attention,
        cursor: *read.cursor,
        time: *read.moment,
        extent: &read.extent,
        horizon: *read.horizon,
        time_marks: *read.time_marks,
        skip: *read.skip,
        operator: &read.operator.0,
        report: &read.report,
        marks: &read.marks,
        board,
        horn: read.horn.as_ref().map(|horn| horn.from()),
        events: &read.log.events,
        recent: &read.recent,
        layers: read.layers.as_deref(),
        ghosts: read.ghosts.as_deref().copied().unwrap_or_default(),
        current: &current,
        counterparts: &counterparts,
        issues: &issues,
        record: None,
        desk: read.desk.as_deref(),
        faults: &read.log.faults,
        broken: &read.broken,
        fault_answer: &read.fault_answer,
        plant: read.plant.as_deref(),
        known: Known { lines: &wishes, bounds: None, usage: Usage::default(), arrivals: &no_arrivals },
    };
    shell.wishes(&snapshot);

    let (mut lines, mut arrivals) = (Copied::default(), no_arrivals.clone());
    let (mut bounds, mut usage) = (None, Usage::default());
    if let Some(analysis) = &read.analysis {
        lines = wishes.copied(|wish| wish.of(&analysis.lock().history));
        let knowledge = analysis.lock();
        if !read.loaded.scene.signals.is_empty() {
            (bounds, usage) = (knowledge.history.bounds(), knowledge.history.usage());
        }
        if !read.extent.is_recorded() {
            arrivals.clone_from(knowledge.arrivals());
        }
    }
    let newest = bounds.map(|(_, newest)| newest);
    let coarse = !read.extent.is_recorded() && read.moment.is_dormant(newest);
    let record = recording::record_view(&read.recording, read.moment.now, coarse);
    let known = Known { lines: &lines, bounds, usage, arrivals: &arrivals };
    then(&Snapshot { record: record.as_ref(), known, ..snapshot }, shell)
}

/// The rectangle in physical pixels; an empty one if the 3D view is hidden.
fn physical(rect: Option<egui::Rect>, pixels_per_point: f32) -> URect {
    let Some(rect) = rect.filter(|rect| rect.is_positive()) else { return URect::default() };
    let pixel = |x: f32| (x * pixels_per_point).round().max(0.0) as u32;
    URect::new(pixel(rect.left()), pixel(rect.top()), pixel(rect.right()), pixel(rect.bottom()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rectangle_of_the_world_is_in_physical_pixels() {
        let rect = egui::Rect::from_min_max(egui::pos2(100.0, 40.5), egui::pos2(300.2, 200.0));
        assert_eq!(physical(Some(rect), 2.0), URect::new(200, 81, 600, 400));
        assert_eq!(physical(None, 2.0), URect::default());
    }
}
