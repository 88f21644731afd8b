//! The inspector's picture. In: [`InspectorView`]. Out: rows of signals, commands by clicks on them. Never asks what a value
//! is: it draws text.

use bevy_egui::egui::{self, Align, Rect, ScrollArea, Ui, pos2, vec2};

use super::{InspectorState, InspectorView, SignalView};
use crate::command::{AttentionCommand, CameraCommand, OperatorCommand};
use crate::panel::alarms::dialog::{self, Dialog, EditDraft};
use crate::panel::commands::commands_ui;
use crate::panel::layer_key::{self, LayerKey};
use crate::panel::mark::Mark;
use crate::panel::{theme, widgets};
use crate::scene::Scene;

/// Where the cells of a row lie. What is left of the width goes to the name, then to the sparkline.
struct Columns {
    mark: egui::Pos2,
    name: Rect,
    value: Rect,
    /// The values in the layers, as many as there is room for.
    beside: Vec<Rect>,
    unit: Rect,
    /// Both are empty in a narrow panel: age and trouble are then told on hover, and by mark and fading.
    spark: Rect,
    age: Rect,
}

impl Columns {
    /// Sparkline and age: what is wrong with a value is written over both.
    fn status(&self) -> Rect {
        self.spark.union(self.age)
    }
}

const ROW_HEIGHT: f32 = 26.0;

fn columns(row: Rect, layers: usize) -> Columns {
    const MARK: f32 = 26.0;
    const NAME: f32 = 118.0;
    const VALUE: f32 = 66.0;
    const UNIT: f32 = 42.0;
    const AGE: f32 = 44.0;
    const SPARK: std::ops::RangeInclusive<f32> = 36.0..=160.0;
    let cell = |left: f32, right: f32| Rect::from_min_max(pos2(left, row.top()), pos2(right.max(left), row.bottom()));
    let room = row.width() - MARK - NAME - VALUE - UNIT - 22.0;
    // One is always there; the others are told on hover where they find no room.
    let layers = layers.min(((room / (VALUE + 6.0)).floor().max(1.0)) as usize);
    let beside_width = (VALUE + 6.0) * layers as f32;
    let free = room - beside_width;
    // Where there is no room for both, the line says more than the age, which is `now` as long as all is well.
    let age_width = if free > AGE + 2.0 * SPARK.start() { AGE } else { 0.0 };
    // Then half of what is left, so that long names show.
    let left = free - age_width;
    let spark_width = if left < *SPARK.start() { 0.0 } else { left.min(72.0).max(left * 0.5).min(*SPARK.end()) };
    let age = cell(row.right() - age_width - 6.0, row.right() - 6.0);
    let spark = cell(age.left() - spark_width - if spark_width > 0.0 { 6.0 } else { 0.0 }, age.left() - 6.0);
    let spark = if spark_width > 0.0 { spark.shrink2(vec2(0.0, 4.0)) } else { cell(age.left(), age.left()) };
    let unit = cell(spark.left() - 8.0 - UNIT, spark.left() - 8.0);
    let first = unit.left() - beside_width;
    let of_layer = |at: usize| {
        let left = first + (VALUE + 6.0) * at as f32;
        cell(left, left + VALUE)
    };
    let beside: Vec<Rect> = (0..layers).map(of_layer).collect();
    let value = cell(first - 6.0 - VALUE, first - 6.0);
    let name = cell(row.left() + MARK, value.left() - 6.0);
    Columns { mark: pos2(row.left() + 12.0, row.center().y), name, value, beside, unit, spark, age }
}

pub fn inspector_ui(
    ui: &mut Ui,
    scene: &Scene,
    view: Option<&InspectorView>,
    state: &mut InspectorState,
    out: &mut Vec<OperatorCommand>,
) {
    dialog::dialog_ui(ui.ctx(), scene, &mut state.dialog, out);
    let Some(view) = view else {
        widgets::empty(ui, "Nothing selected", "Click a twin in the tree or in the 3D view.");
        return;
    };
    header(ui, view, out);
    if let Some(commands) = &view.commands {
        commands_ui(ui, commands, &mut state.form, out);
    }
    ui.add_space(4.0);
    if view.signals.is_empty() {
        widgets::empty(ui, "No signals", "This twin's type declares none.");
        return;
    }
    column_titles(ui, &view.layers);
    ui.spacing_mut().item_spacing.y = 0.0;
    let height = ROW_HEIGHT;
    let shown = ScrollArea::vertical().auto_shrink(false).show_rows(ui, height, view.signals.len(), |ui, visible| {
        for signal in view.signals.get(visible.clone()).unwrap_or_default() {
            if let Some(draft) = signal_row(ui, height, scene, (signal, &view.layers), out) {
                state.dialog = Some(Dialog::Edit(draft));
            }
        }
        visible
    });
    if state.visible != shown.inner {
        state.visible = shown.inner;
        // The rows that came into sight get their sparklines in the next frame.
        ui.ctx().request_repaint();
    }
}

fn header(ui: &mut Ui, view: &InspectorView, out: &mut Vec<OperatorCommand>) {
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(18.0, 24.0), egui::Sense::hover());
        widgets::paint_mark(ui.painter(), pos2(rect.left() + 8.0, rect.center().y), view.mark);
        ui.label(egui::RichText::new(&view.id).heading().color(theme::TEXT_STRONG));
        ui.with_layout(egui::Layout::right_to_left(Align::Center), |ui| {
            let focus = ui.button("Focus").on_hover_text("Move the camera here (F)");
            if focus.clicked() {
                out.push(CameraCommand::Focus(Some(view.twin)).into());
            }
            if view.mark.needs_a_look() {
                let badge =
                    widgets::badge(ui, &view.mark.short().to_uppercase(), theme::GROUND, widgets::colour_of(view.mark));
                badge.on_hover_text(view.mark.text());
            }
        });
    });
    let parts = [view.name.as_str(), view.type_name.as_str(), view.area.as_str()];
    let text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ·  ");
    widgets::line(ui, &text, theme::small(), theme::TEXT_WEAK);
}

fn column_titles(ui: &mut Ui, layers: &[LayerKey]) {
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), egui::Sense::hover());
    let at = columns(row, layers.len());
    let painter = ui.painter();
    let title = |cell: Rect, text: &str, align: Align| {
        widgets::paint_text(painter, cell, text, theme::small(), theme::TEXT_WEAK, align);
    };
    title(at.name, "Signal", Align::Min);
    title(at.value, "Value", Align::Max);
    for (key, cell) in layers.iter().zip(&at.beside) {
        layer_key::title(ui, *cell, key, layers.len() == 1);
    }
    title(at.unit, "Unit", Align::Min);
    // Left out where a column is narrower than its title.
    if at.spark.width() > 76.0 {
        title(at.spark, "Last minute", Align::Min);
    }
    if at.age.width() > 0.0 {
        title(at.age, "Age", Align::Max);
    }
    painter.hline(row.x_range(), row.bottom(), egui::Stroke::new(1.0, theme::LINE));
}

/// Gives the edit that its menu asked for.
fn signal_row(
    ui: &mut Ui,
    height: f32,
    scene: &Scene,
    (signal, layers): (&SignalView, &[LayerKey]),
    out: &mut Vec<OperatorCommand>,
) -> Option<EditDraft> {
    let (row, response) = widgets::row(ui, height, signal.in_trend, &signal.name);
    let at = columns(row, layers.len());
    let painter = ui.painter();
    let faded = matches!(signal.quality_mark, Mark::Stale | Mark::Bad | Mark::NoData);
    let ink = if faded { theme::TEXT_WEAK } else { theme::TEXT_STRONG };
    widgets::paint_mark(painter, at.mark, signal.mark);
    if signal.drawable {
        widgets::paint_text(painter, at.name, &signal.name, theme::body(), theme::TEXT, Align::Min);
        widgets::paint_text(painter, at.value, &signal.value, theme::mono(), ink, Align::Max);
        widgets::paint_text(painter, at.unit, &signal.unit, theme::small(), theme::TEXT_WEAK, Align::Min);
    } else {
        // A text needs no unit and no line: it may be longer than a number, but never runs into its name.
        let name = widgets::layout(painter, &signal.name, theme::body(), theme::TEXT, at.name.width());
        let left = at.name.left() + name.size().x + 12.0;
        let room = Rect::from_min_max(pos2(left.min(at.value.left()), row.top()), at.value.max);
        painter.galley(pos2(at.name.left(), row.center().y - name.size().y / 2.0), name, theme::TEXT);
        widgets::paint_text(painter, room, &signal.value, theme::mono(), ink, Align::Max);
    }
    for (beside, cell) in signal.beside.iter().zip(&at.beside) {
        let Some(beside) = beside else { continue };
        let ink = if beside.differs { theme::TEXT_STRONG } else { theme::TEXT_WEAK };
        widgets::paint_text(painter, *cell, &beside.value, theme::mono(), ink, Align::Max);
    }
    if signal.trouble.is_empty() {
        widgets::paint_sparkline(painter, at.spark, &signal.spark, theme::ACCENT);
        widgets::paint_text(painter, at.age, &signal.age, theme::small(), theme::TEXT_WEAK, Align::Max);
    } else {
        let ink = widgets::colour_of(signal.quality_mark);
        widgets::paint_text(painter, at.status(), &signal.trouble, theme::small(), ink, Align::Max);
    }
    if response.clicked() && signal.drawable {
        out.push(AttentionCommand::ToggleTrend(signal.index).into());
    }
    let mut draft = None;
    response.context_menu(|ui| menu(ui, scene, signal, &mut draft, out));
    response.on_hover_ui(|ui| {
        ui.set_max_width(420.0);
        ui.label(egui::RichText::new(format!("{}  {} {}", signal.name, signal.value, signal.unit)).strong());
        for (beside, key) in signal.beside.iter().zip(layers) {
            let Some(beside) = beside else { continue };
            let name = if layers.len() == 1 { "Beside" } else { &key.name };
            ui.label(egui::RichText::new(format!("{name}: {} {}", beside.whole, signal.unit)).font(theme::small()));
        }
        ui.label(egui::RichText::new(&signal.details).font(theme::small()));
        let hint = match (signal.drawable, signal.in_trend) {
            (false, _) => "Text has no trend",
            (true, false) => "Click: show its trend",
            (true, true) => "Click: take it out of the trends",
        };
        ui.label(egui::RichText::new(hint).font(theme::small()).color(theme::TEXT_WEAK));
        if !signal.alarms.is_empty() {
            ui.label(egui::RichText::new("Right click: edit limits").font(theme::small()).color(theme::TEXT_WEAK));
        }
    });
    draft
}

/// What a right click on a signal offers.
fn menu(
    ui: &mut Ui,
    scene: &Scene,
    signal: &SignalView,
    draft: &mut Option<EditDraft>,
    out: &mut Vec<OperatorCommand>,
) {
    if signal.drawable {
        let text = if signal.in_trend { "Take out of the trends" } else { "Show trend" };
        if ui.button(text).clicked() {
            out.push(AttentionCommand::ToggleTrend(signal.index).into());
            ui.close();
        }
    }
    for (index, message) in &signal.alarms {
        if let Some(edit) = EditDraft::of(scene, *index)
            && ui.button(format!("Edit: {message}…")).clicked()
        {
            *draft = Some(edit);
            ui.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::command::{Attention, SceneCommand};
    use crate::panel::testing;

    #[test]
    fn columns_keep_their_order_and_stay_within_the_row_at_every_width() {
        for width in (200..900).step_by(7) {
            let row = Rect::from_min_size(pos2(10.0, 5.0), vec2(width as f32, ROW_HEIGHT));
            let with = columns(row, 1);
            let [beside] = &with.beside[..] else { panic!("one layer") };
            let edges = [with.value.right(), beside.left(), beside.right(), with.unit.left()];
            assert!(edges.is_sorted() && (width < 300 || beside.width() > 60.0), "{width}: {edges:?}");
            let several = columns(row, 4);
            let edges: Vec<f32> = several.beside.iter().flat_map(|cell| [cell.left(), cell.right()]).collect();
            assert!(edges.is_sorted() && several.unit.left() >= edges[edges.len() - 1], "{width}: {edges:?}");
            assert!(width < 320 || several.name.width() > 70.0, "{width}: {}", several.name.width());
            let at = columns(row, 0);
            let edges = [at.name.right(), at.value.left(), at.value.right(), at.unit.left(), at.unit.right()];
            assert!(edges.is_sorted(), "{width}: {edges:?}");
            assert!(at.unit.right() <= at.spark.left() && at.spark.right() <= at.age.left() + 0.1, "{width}");
            assert!(at.age.right() <= row.right() && at.name.left() > at.mark.x, "{width}");
            assert!(width < 320 || at.name.width() > 100.0, "{width}: {}", at.name.width());
        }
    }

    #[test]
    fn a_right_click_on_a_signal_edits_the_limit_of_its_alarm() {
        let plant = testing::plant();
        let view = plant.inspector(&plant.attention("P-101", &[])).unwrap();
        let mut harness = testing::harness((InspectorState::default(), Vec::new()), move |ui, (state, out)| {
            inspector_ui(ui, &plant.scene, Some(&view), state, out);
        });
        harness.get_by_label("vibration").click_secondary();
        harness.run();
        harness.get_by_label("Edit: vibration above 4.5 mm/s (high)…").click();
        harness.run();
        harness.get_by_label("New value").focus();
        harness.run();
        harness.key_press(egui::Key::End);
        harness.get_by_label("New value").type_text("5");
        harness.run();
        harness.get_by_label("Reason").focus();
        harness.run();
        harness.get_by_label("Reason").type_text("noisy mounting");
        harness.run();
        harness.get_by_label("Change").click();
        harness.run();
        let field = crate::command::LimitField::Limit;
        let alarm = crate::scene::rule::AlarmPath::of_twin("P-101", "vibration.high");
        let edit = OperatorCommand::Scene(SceneCommand::EditLimit {
            alarm,
            field,
            value: 4.55,
            reason: "noisy mounting".into(),
        });
        assert_eq!(harness.state().1, [edit]);
    }

    #[test]
    fn a_click_on_a_signal_toggles_its_trend() {
        let plant = testing::plant();
        let pump = plant.scene.twin("P-101").unwrap().index;
        let view = plant.inspector(&Attention { selected: Some(pump), trends: Vec::new() }).unwrap();
        let flow = plant.scene.signal("P-101", "flow").unwrap().index;
        let mut harness = testing::harness((InspectorState::default(), Vec::new()), move |ui, (state, out)| {
            inspector_ui(ui, &plant.scene, Some(&view), state, out);
        });
        harness.get_by_label("flow").click();
        harness.run();
        assert_eq!(harness.state().1, [OperatorCommand::Attention(AttentionCommand::ToggleTrend(flow))]);
        harness.get_by_label("Focus").click();
        harness.run();
        assert_eq!(harness.state().1.last(), Some(&OperatorCommand::Camera(CameraCommand::Focus(Some(pump)))));
    }
}
