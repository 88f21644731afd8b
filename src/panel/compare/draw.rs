//! How the comparison is drawn: a line for each layer, signals and events in columns, one for each layer.
//!
//! In: [`CompareView`]. Out: widgets and commands. Never reads the world.

use bevy_egui::egui::{self, Align, ComboBox, Rect, ScrollArea, Sense, Stroke, Ui, pos2, vec2};

use super::{CompareView, EventRow, LayerCell, LayerView, SignalRow, Which};
use crate::command::{AttentionCommand, Ghosts, LayerCommand, OperatorCommand, TimeCommand};
use crate::layers::NOTABLE;
use crate::panel::{format, layer_key, theme, widgets};
use crate::value::Shift;
use crate::view::layer_mark;

/// Steps by which a layer is shifted by hand, in seconds.
const NUDGES: [(f64, &str); 4] = [(-10.0, "−10 s"), (-1.0, "−1 s"), (1.0, "+1 s"), (10.0, "+10 s")];
const ROW: f32 = 22.0;
/// Below this width the events stand below the signals.
const WIDE: f32 = 700.0;
/// The lines of so many layers are in sight at once.
const LAYERS_IN_SIGHT: f32 = 3.0;
/// Where there is less room than this for a layer, its differences are told on hover only, in points.
const WITH_DIFFERENCES: f32 = 150.0;

pub fn compare_ui(ui: &mut Ui, view: &CompareView, out: &mut Vec<OperatorCommand>) {
    if view.layers.is_empty() {
        widgets::empty(ui, "Nothing beside this", "Lay a recording beside it: pollux play A.mcap --beside B.mcap");
        return;
    }
    header(ui, view, out);
    ui.add_space(2.0);
    if ui.available_width() >= WIDE {
        ui.columns(2, |columns| {
            if let [left, right] = columns {
                signals_ui(left, view, f32::INFINITY, out);
                events_ui(right, view, out);
            }
        });
    } else {
        let half = ui.available_height() * 0.55;
        signals_ui(ui, view, half, out);
        ui.add_space(4.0);
        events_ui(ui, view, out);
    }
}

/// A line for each layer, and the choice of ghosts.
fn header(ui: &mut Ui, view: &CompareView, out: &mut Vec<OperatorCommand>) {
    const LINE: f32 = 28.0;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        ui.with_layout(egui::Layout::right_to_left(Align::Min), |ui| {
            let row = egui::Layout::right_to_left(Align::Center);
            ui.allocate_ui_with_layout(vec2(200.0, 26.0), row, |ui| ghosts_ui(ui, view.ghosts, out));
            let most = LINE * LAYERS_IN_SIGHT.min(view.layers.len() as f32);
            let area = ScrollArea::vertical().id_salt("layers").max_height(most).auto_shrink([false, true]);
            ui.with_layout(egui::Layout::top_down(Align::Min), |ui| {
                area.show(ui, |ui| view.layers.iter().for_each(|layer| layer_ui(ui, view, layer, out)));
            });
        });
    });
}

fn ghosts_ui(ui: &mut Ui, ghosts: Ghosts, out: &mut Vec<OperatorCommand>) {
    ComboBox::from_id_salt("ghosts").width(132.0).selected_text(ghosts.text()).show_ui(ui, |ui| {
        for choice in Ghosts::ALL {
            if ui.selectable_label(choice == ghosts, choice.text()).clicked() && choice != ghosts {
                out.push(OperatorCommand::Layer(LayerCommand::ShowGhosts(choice)));
            }
        }
    });
    ui.label(egui::RichText::new("Ghosts").font(theme::small()).color(theme::TEXT_WEAK));
    ui.add_space(6.0);
}

fn layer_ui(ui: &mut Ui, view: &CompareView, layer: &LayerView, out: &mut Vec<OperatorCommand>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        if view.layers.len() > 1 {
            let (rect, _) = ui.allocate_exact_size(vec2(14.0, 24.0), Sense::hover());
            layer_mark::paint(ui.painter(), rect.center(), &layer.key.look);
        }
        ui.with_layout(egui::Layout::right_to_left(Align::Center), |ui| {
            // A layer that lives in the time here has nothing to be shifted against.
            for (secs, label) in NUDGES.into_iter().rev().filter(|_| !layer.alignment.is_empty()) {
                let hint = format!("Show moments of {} that are {} s later", layer.key.name, format::number(secs));
                let button = egui::Button::new(egui::RichText::new(label).font(theme::small()));
                if ui.add(button).on_hover_text(hint).clicked() {
                    let by = Shift::from_secs_f64(secs);
                    out.push(OperatorCommand::Layer(LayerCommand::Shift { layer: layer.key.id, by }));
                }
            }
            ui.with_layout(egui::Layout::left_to_right(Align::Center), |ui| {
                let text = format!("{}  {}", layer.key.name, layer.at);
                widgets::line(ui, &text, theme::small(), theme::TEXT_STRONG);
                widgets::line(ui, &layer.alignment, theme::small(), theme::TEXT_WEAK);
            });
        });
    });
}

/// Where the cells of a row end, as shares of its width.
fn cell(row: Rect, (from, to): (f32, f32)) -> Rect {
    let at = |share: f32| row.left() + share * row.width();
    Rect::from_min_max(pos2(at(from) + 3.0, row.top()), pos2(at(to) - 3.0, row.bottom()))
}

/// Columns of the table of signals, as shares of its width.
struct Columns {
    path: (f32, f32),
    here: (f32, f32),
    /// Value and difference of each layer; the difference is empty where there are many.
    layers: Vec<((f32, f32), (f32, f32))>,
    /// How large the largest difference is.
    bar: (f32, f32),
}

impl Columns {
    /// For a table as wide as this, in points.
    fn new(layers: usize, width: f32) -> Self {
        if layers <= 1 {
            let only = ((0.53, 0.68), (0.68, 0.90));
            return Self { path: (0.0, 0.38), here: (0.38, 0.53), layers: vec![only], bar: (0.91, 1.0) };
        }
        let (from, to) = if layers == 2 { (0.40, 0.93) } else { (0.34, 0.94) };
        let each = (to - from) / layers as f32;
        // A difference has a sign and a unit.
        let value = if each * width >= WITH_DIFFERENCES { each * 0.45 } else { each };
        let column = |at: usize| {
            let left = from + each * at as f32;
            ((left, left + value), (left + value, left + each))
        };
        let here = if layers == 2 { 0.13 } else { 0.11 };
        Self {
            path: (0.0, from - here),
            here: (from - here, from),
            layers: (0..layers).map(column).collect(),
            bar: (to, 1.0),
        }
    }
}

/// A row of titles, to be filled.
fn title_row(ui: &mut Ui) -> Rect {
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
    ui.painter().hline(row.x_range(), row.bottom(), Stroke::new(1.0, theme::LINE));
    row
}

fn title(ui: &Ui, cell: Rect, text: &str, align: Align) {
    widgets::paint_text(ui.painter(), cell, text, theme::small(), theme::TEXT_WEAK, align);
}

fn signals_ui(ui: &mut Ui, view: &CompareView, most: f32, out: &mut Vec<OperatorCommand>) {
    let columns = Columns::new(view.layers.len(), ui.available_width());
    let is_lone = view.layers.len() == 1;
    let row = title_row(ui);
    title(ui, cell(row, columns.path), "Signal", Align::Min);
    title(ui, cell(row, columns.here), "Here", Align::Max);
    for (layer, (value, difference)) in view.layers.iter().zip(&columns.layers) {
        match is_lone {
            true => {
                layer_key::title(ui, cell(row, *value), &layer.key, true);
                title(ui, cell(row, *difference), "Difference", Align::Max);
            }
            false => layer_key::title(ui, cell(row, (value.0, difference.1)), &layer.key, false),
        }
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    // Then one line that counts the rest.
    let lines = view.signals.len() + 1 + view.left_out.len();
    let area = ScrollArea::vertical().id_salt("compared signals").auto_shrink(false).max_height(most);
    area.show_rows(ui, ROW, lines, |ui, range| {
        for at in range {
            match view.signals.get(at) {
                Some(row) => signal_ui(ui, row, view, &columns, out),
                None if at == view.signals.len() => {
                    let text = match (at, view.same, view.is_ahead) {
                        (_, _, true) => "ahead of now nothing is measured: there is nothing to compare with".to_owned(),
                        (0, 0, false) => "nothing to compare at this moment".to_owned(),
                        (_, same, false) => format!("{} alike at this moment", format::plural(same, "signal")),
                    };
                    weak_row(ui, &text);
                }
                None => view.left_out.get(at - view.signals.len() - 1).into_iter().for_each(|text| weak_row(ui, text)),
            }
        }
    });
}

fn weak_row(ui: &mut Ui, text: &str) {
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Label, true, text));
    if widgets::paint_text(ui.painter(), cell(row, (0.0, 1.0)), text, theme::small(), theme::TEXT_WEAK, Align::Min) {
        response.on_hover_text(text);
    }
}

/// `58.10 here, 41.30 beside, −16.80 m³/h`, or with the names of several layers.
fn told(row: &SignalRow, view: &CompareView) -> String {
    let cells = view.layers.iter().zip(&row.layers).filter_map(|(layer, cell)| Some((layer, cell.as_ref()?)));
    let told = cells.map(|(layer, cell)| match (view.layers.len(), cell.difference.as_str()) {
        (1, "") => format!("{} beside", cell.value),
        (1, difference) => format!("{} beside, {difference}", cell.value),
        (_, "") => format!("{} in {}", cell.value, layer.key.name),
        (_, difference) => format!("{} in {} ({difference})", cell.value, layer.key.name),
    });
    format!("{} here, {}", row.here, told.collect::<Vec<_>>().join(", "))
}

fn signal_ui(ui: &mut Ui, row: &SignalRow, view: &CompareView, columns: &Columns, out: &mut Vec<OperatorCommand>) {
    let name = format!("{}: {}", row.path, told(row, view));
    let (rect, response) = widgets::row(ui, ROW, false, &name);
    let painter = ui.painter();
    let text = |at, text: &str, font, colour, align| {
        widgets::paint_text(painter, cell(rect, at), text, font, colour, align);
    };
    text(columns.path, &row.path, theme::small(), theme::TEXT, Align::Min);
    text(columns.here, &row.here, theme::mono(), theme::TEXT, Align::Max);
    for (own, (value, difference)) in row.layers.iter().zip(&columns.layers) {
        let Some(LayerCell { value: written, difference: by, weight }) = own else { continue };
        // Among several the one that differs stands out, also where its difference finds no room.
        let ink = match view.layers.len() {
            1 => theme::TEXT,
            _ if *weight >= NOTABLE => theme::TEXT_STRONG,
            _ => theme::TEXT_WEAK,
        };
        text(*value, written, theme::mono(), ink, Align::Max);
        text(*difference, by, theme::mono(), theme::TEXT_STRONG, Align::Max);
    }
    let track = cell(rect, columns.bar).shrink2(vec2(0.0, 7.0));
    painter.rect_filled(track, 2.0, theme::RAISED);
    let full = Rect::from_min_size(track.min, vec2(track.width() * row.weight as f32, track.height()));
    painter.rect_filled(full, 2.0, theme::ACCENT);
    if response.clicked() {
        out.push(OperatorCommand::Attention(AttentionCommand::Select(Some(row.twin))));
    }
    if response.double_clicked() && row.drawable {
        out.push(OperatorCommand::Attention(AttentionCommand::ToggleTrend(row.signal)));
    }
    response.on_hover_text(hover(row, view));
}

fn hover(row: &SignalRow, view: &CompareView) -> String {
    let mut lines = vec![row.path.clone(), format!("{}: {}", view.here, row.here)];
    for (layer, cell) in view.layers.iter().zip(&row.layers) {
        lines.push(match cell {
            None => format!("{}: does not have it", layer.key.name),
            Some(cell) if cell.difference.is_empty() => format!("{}: {}", layer.key.name, cell.value),
            Some(cell) => format!(
                "{}: {}  ({}, {} of the scale that both need)",
                layer.key.name,
                cell.value,
                cell.difference,
                percent(cell.weight)
            ),
        });
    }
    lines.push("Click: select the twin; twice: show the trend".to_owned());
    lines.join("\n")
}

fn percent(share: f64) -> String {
    format!("{} %", format::number((share * 1000.0).round() / 10.0))
}

/// From where to where a column reaches, as shares of the width.
type Column = (f32, f32);

/// Columns of the table of events: time, event, each layer.
fn event_columns(layers: usize) -> (Column, Column, Vec<Column>) {
    let from = if layers <= 1 { 0.74 } else { (0.74 - 0.14 * (layers - 1) as f32).max(0.4) };
    let each = (1.0 - from) / layers.max(1) as f32;
    let column = |at: usize| (from + each * at as f32, from + each * (at + 1) as f32);
    let time = if layers <= 2 { 0.24 } else { 0.2 };
    ((0.0, time), (time, from), (0..layers).map(column).collect())
}

fn events_ui(ui: &mut Ui, view: &CompareView, out: &mut Vec<OperatorCommand>) {
    let (time, event, layers) = event_columns(view.layers.len());
    let row = title_row(ui);
    title(ui, cell(row, time), "Time", Align::Min);
    title(ui, cell(row, event), "Event", Align::Min);
    for (layer, column) in view.layers.iter().zip(layers) {
        layer_key::title(ui, cell(row, column), &layer.key, view.layers.len() == 1);
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let area = ScrollArea::vertical().id_salt("compared events").auto_shrink(false);
    area.show_rows(ui, ROW, view.events.len() + 1, |ui, range| {
        for at in range {
            match view.events.get(at) {
                Some(event) => event_ui(ui, event, at < view.until_cursor, view, out),
                None => weak_row(ui, &format!("{} at the same time", format::plural(view.simultaneous, "event"))),
            }
        }
    });
}

fn which_text(which: Which) -> String {
    match which {
        Which::Both(_) if which.is_simultaneous() => "same time".to_owned(),
        Which::Both(later) => {
            let way = if later > 0.0 { "later" } else { "earlier" };
            format!("{} {way}", lasting(later.abs()))
        }
        Which::Here => "only here".to_owned(),
        Which::Beside => "only beside".to_owned(),
    }
}

fn event_ui(ui: &mut Ui, event: &EventRow, is_past: bool, view: &CompareView, out: &mut Vec<OperatorCommand>) {
    let (time, what, layers) = event_columns(view.layers.len());
    let cells = || view.layers.iter().zip(&event.which).filter_map(|(layer, which)| Some((layer, (*which)?)));
    let told: Vec<String> = cells()
        .map(|(layer, which)| match view.layers.len() {
            1 => which_text(which),
            _ => format!("{} in {}", which_text(which), layer.key.name),
        })
        .collect();
    let (rect, response) = widgets::row(ui, ROW, false, &format!("{}: {}", event.text, told.join(", ")));
    // What the cursor has not reached yet is paler.
    let ink = if is_past { theme::TEXT } else { theme::TEXT_WEAK };
    let painter = ui.painter();
    let clock = format::clock(event.at);
    widgets::paint_text(painter, cell(rect, time), &clock, theme::mono(), ink, Align::Min);
    widgets::paint_text(painter, cell(rect, what), &event.text, theme::small(), ink, Align::Min);
    for (which, column) in event.which.iter().zip(layers) {
        let Some(which) = which else { continue };
        let strong = if matches!(which, Which::Both(_)) { ink } else { theme::TEXT_STRONG };
        widgets::paint_text(painter, cell(rect, column), &which_text(*which), theme::small(), strong, Align::Max);
    }
    if response.clicked() {
        out.push(OperatorCommand::Time(TimeCommand::Seek(event.at)));
        out.extend(event.twin.map(|twin| OperatorCommand::Attention(AttentionCommand::Select(Some(twin)))));
    }
    let lines = cells().map(|(layer, which)| match which {
        Which::Both(_) => format!("in both; {} in {}", which_text(which), layer.key.name),
        Which::Here => format!("not in {}", layer.key.name),
        Which::Beside => format!("only in {}", layer.key.name),
    });
    let lines: Vec<String> = lines.collect();
    response.on_hover_text(format!("{}\n{}\nClick: go there", event.text, lines.join("\n")));
}

/// `4.2 s`, `2:05`.
fn lasting(secs: f64) -> String {
    if secs < 60.0 { format!("{secs:.1} s") } else { format::span(secs) }
}
