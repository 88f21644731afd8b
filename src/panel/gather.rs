//! The one system of the panels: gathers the views of visible panels, runs the shell, passes on what it asked for.
//!
//! In: resources and `Current` components. Out: [`OperatorCommand`] messages, [`ViewRect`]. Decides nothing itself.

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use bevy_egui::{EguiContexts, egui};

use super::alarms::AlarmsView;
use super::events::EventsView;
use super::mark::Marks;
use super::open::{OpenView, RecentFiles};
use super::shell::{self, PanelKind, Shell, Views};
use super::{
    banner, bars, compare, connections, inspector, issues, recording, statistics, theme, timebar, tree, trend,
};
use crate::alarm::{AlarmBoard, Horn};
use crate::analysis::{Analysis, Knowledge};
use crate::beside::{Beside, Counterpart};
use crate::command::{Attention, Ghosts, Operator, OperatorCommand};
use crate::event::{EventLog, RecordTroubles};
use crate::history::{self, Counts, Cursor, Density, Extent, History, Moment, SkipGaps};
use crate::record::Recording;
use crate::scene::LoadedScene;
use crate::source::SourceReport;
use crate::stage::{Current, Entities};
use crate::value::SignalIndex;
use crate::view::{Covered, ScreenLabels, ViewRect, WorldImage, label};

/// Where panels are drawn, in `EguiPrimaryContextPass`.
#[derive(SystemSet, Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PanelSet;

/// Everything that panels read.
#[derive(SystemParam)]
pub(super) struct Readable<'w, 's> {
    loaded: Res<'w, LoadedScene>,
    attention: Res<'w, Attention>,
    cursor: Res<'w, Cursor>,
    moment: Res<'w, Moment>,
    extent: Res<'w, Extent>,
    time_marks: Res<'w, history::Marks>,
    skip: Res<'w, SkipGaps>,
    operator: Res<'w, Operator>,
    analysis: Option<Res<'w, Analysis>>,
    report: Res<'w, SourceReport>,
    entities: Res<'w, Entities>,
    marks: Res<'w, Marks>,
    board: Res<'w, AlarmBoard>,
    horn: Option<Res<'w, Horn>>,
    log: Res<'w, EventLog>,
    troubles: Res<'w, RecordTroubles>,
    recording: Res<'w, Recording>,
    recent: Res<'w, RecentFiles>,
    labels: Res<'w, ScreenLabels>,
    world: Res<'w, WorldImage>,
    currents: Query<'w, 's, &'static Current>,
    beside: Option<Res<'w, Beside>>,
    ghosts: Option<Res<'w, Ghosts>>,
    counterparts: Query<'w, 's, &'static Counterpart>,
}

pub(super) fn show_panels(
    mut contexts: EguiContexts,
    read: Readable,
    mut shell: ResMut<Shell>,
    mut rect: ResMut<ViewRect>,
    mut covered: ResMut<Covered>,
    mut commands: MessageWriter<OperatorCommand>,
    mut styled: Local<bool>,
) -> Result {
    let ctx = contexts.ctx_mut()?.clone();
    if !std::mem::replace(&mut *styled, true) {
        theme::apply(&ctx);
    }
    // Without a history there is nothing to draw a line of: one without samples stands in.
    // Indices of a board that was made from another scene mean other alarms.
    let unlit;
    let board = if read.board.generation() == Some(read.loaded.generation) {
        &*read.board
    } else {
        unlit = AlarmBoard::default();
        &unlit
    };
    let mut out = Vec::new();
    let views = match &read.analysis {
        Some(analysis) => {
            let knowledge = analysis.lock();
            let other = read.beside.as_ref().map(|beside| beside.lock());
            gather(&read, (&knowledge.history, other.as_deref()), knowledge.arrivals(), board, &shell)
        }
        None => gather(&read, (&History::new(0), None), &Density::default(), board, &shell),
    };
    let mut ui = egui::Ui::new(
        ctx.clone(),
        "panels".into(),
        egui::UiBuilder::new().layer_id(egui::LayerId::background()).max_rect(ctx.viewport_rect()),
    );
    let paint_world = |painter: &egui::Painter, rect: egui::Rect| {
        read.world.paint(painter, rect);
        label::paint(painter, &read.labels);
    };
    let room = shell::show(&mut ui, &mut shell, &views, &paint_world, &mut out);
    rect.set_if_neq(ViewRect { physical: Some(physical(room.world, ctx.pixels_per_point())) });
    covered
        .set_if_neq(Covered(room.covered.map(|rect| Rect::new(rect.left(), rect.top(), rect.right(), rect.bottom()))));
    commands.write_batch(out);
    Ok(())
}

/// The rectangle in physical pixels; an empty one if the 3D view is hidden.
fn physical(rect: Option<egui::Rect>, pixels_per_point: f32) -> URect {
    let Some(rect) = rect.filter(|rect| rect.is_positive()) else { return URect::default() };
    let pixel = |x: f32| (x * pixels_per_point).round().max(0.0) as u32;
    URect::new(pixel(rect.left()), pixel(rect.top()), pixel(rect.right()), pixel(rect.bottom()))
}

fn gather<'a>(
    read: &'a Readable,
    (history, other): (&History, Option<&Knowledge>),
    arrivals: &Density,
    board: &'a AlarmBoard,
    shell: &Shell,
) -> Views<'a> {
    let (scene, moment, cursor) = (&*read.loaded.scene, *read.moment, *read.cursor);
    let current = |index: SignalIndex| -> Current {
        let entity = read.entities.signals.get(index.at());
        entity.and_then(|entity| read.currents.get(*entity).ok()).cloned().unwrap_or_default()
    };
    let counterpart = |index: SignalIndex| -> Option<Counterpart> {
        let entity = read.entities.signals.get(index.at())?;
        read.counterparts.get(*entity).ok().cloned()
    };
    let beside = read.beside.as_deref();
    let bounds = if scene.signals.is_empty() { None } else { history.bounds() };
    let usage = if scene.signals.is_empty() { default() } else { history.usage() };
    // Issues are few and their number is always shown, so they are built in any case.
    let issues = issues::issues_view(&read.loaded, &read.report, &read.troubles.0);
    let inspected = inspector::InspectorInput {
        scene,
        currents: &current,
        history,
        marks: &read.marks,
        board,
        beside: beside.map(|beside| (beside.there.as_str(), &counterpart as &inspector::Counterparts)),
        attention: &read.attention,
        moment,
        visible: shell.inspector.visible.clone(),
    };
    let shown = shell.is_visible(PanelKind::Trends);
    let drawn = trend::TrendInput {
        scene,
        currents: &current,
        history,
        trends: if shown { &read.attention.trends } else { &[] },
        cursor,
        moment,
        beside: beside.zip(other).and_then(|(beside, other)| {
            Some(trend::TrendBeside {
                here: &beside.here,
                there: &beside.there,
                history: &other.history,
                pairs: &beside.pairs,
                shift: beside.shift()?,
            })
        }),
    };
    let connected = shell.is_visible(PanelKind::Connections);
    let recorded = read.extent.is_recorded();
    let banner = banner::banner_view(scene, board);
    let bars = bars::bars_view(scene, cursor, read.marks.counts(), banner, usage, &read.report, issues.lines.len());
    let timed = timebar::TimeInput {
        cursor,
        moment,
        extent: &read.extent,
        bounds,
        counts: Counts::of(&read.extent, arrivals),
        marks: *read.time_marks,
        skip: *read.skip,
    };
    let coarse = !recorded && moment.is_dormant(bounds.map(|(_, newest)| newest));
    let record = recording::record_view(&read.recording, moment.now, coarse);
    Views {
        bars: bars::BarsView {
            recorded,
            record: record.clone(),
            beside: beside.map(|beside| beside.there.clone()),
            ..bars
        },
        time: timebar::TimeView {
            selected: read.attention.selected,
            operator: &read.operator.0,
            ..timebar::time_view(&timed, &shell.time, scene, &read.log.events)
        },
        tree: tree::TreeView {
            scene,
            generation: read.loaded.generation,
            marks: &read.marks,
            selected: read.attention.selected,
        },
        inspector: shell.is_visible(PanelKind::Inspector).then(|| inspector::inspector_view(&inspected)).flatten(),
        trend: trend::trend_view(&drawn, &shell.trend),
        alarms: AlarmsView {
            scene,
            board,
            events: &read.log.events,
            trends: &read.attention.trends,
            selected_twin: read.attention.selected,
            shown: moment.shown,
            live: cursor.is_live(),
            horn: read.horn.as_ref().map(|horn| horn.from()),
        },
        events: EventsView {
            scene,
            events: &read.log.events,
            selected_twin: read.attention.selected,
            shown: moment.shown,
        },
        statistics: match shell.is_visible(PanelKind::Statistics) {
            true => statistics::statistics_view(board.performance.as_deref(), scene),
            false => statistics::StatisticsView::default(),
        },
        compare: match beside.filter(|_| shell.is_visible(PanelKind::Compare)) {
            Some(beside) => compare::compare_view(&compare::CompareInput {
                scene,
                beside,
                ghosts: read.ghosts.as_deref().copied().unwrap_or_default(),
                current: &current,
                counterpart: &counterpart,
                shown: moment.shown,
            }),
            None => compare::CompareView::default(),
        },
        connections: match connected {
            true => connections::ConnectionsView { record, ..connections::connections_view(&read.report, moment.now) },
            false => connections::ConnectionsView::default(),
        },
        issues,
        // A comparison stays as it is.
        open: OpenView { recent: &read.recent, takes_place: recorded && beside.is_none() },
        attention: &read.attention,
    }
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
