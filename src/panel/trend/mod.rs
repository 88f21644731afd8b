//! The trend panel: chosen signals over time, one lane per unit, drawn as min/max per pixel.
//!
//! In: [`TrendView`], built from the history and the layers at the panel's width. Out: `ToggleTrend` and `Seek` commands.
//! Never keeps samples: a day costs what a minute costs, because the history answers in buckets.

mod axis;
mod layers;
mod points;
mod view;
mod words;

use std::time::Duration;

use bevy_egui::egui::{self, Align, ComboBox, PointerButton, ScrollArea, Sense, Stroke, Ui, Vec2b, pos2, vec2};
use egui_plot::{Line, Plot, Points, VLine};

pub use self::layers::LayerTrace;
pub use self::view::{Lane, Shade, Trace, TrendInput, TrendView, trend_view, window};

use self::axis::{clock_marks, clock_step, clock_ui, limit_labels, limit_lines, switch_marks, value_axis, value_marks};
use self::words::words_ui;
use super::class::{Dock, PanelClass};
use super::snapshot::Snapshot;
use super::{format, theme, widgets};
use crate::command::{AttentionCommand, OperatorCommand, TimeCommand};
use crate::scene::ValueKind;
use crate::value::Value;

/// Spans to choose from.
const SPANS: [(Duration, &str); 16] = [
    (Duration::from_micros(100), "100 µs"),
    (Duration::from_millis(1), "1 ms"),
    (Duration::from_millis(10), "10 ms"),
    (Duration::from_millis(100), "100 ms"),
    (Duration::from_secs(1), "1 s"),
    (Duration::from_secs(10), "10 s"),
    (Duration::from_secs(30), "30 s"),
    (Duration::from_secs(60), "1 min"),
    (USUAL_SPAN, "5 min"),
    (Duration::from_secs(900), "15 min"),
    (Duration::from_secs(3_600), "1 h"),
    (Duration::from_secs(21_600), "6 h"),
    (Duration::from_secs(86_400), "24 h"),
    (Duration::from_secs(604_800), "7 d"),
    (Duration::from_secs(2_592_000), "30 d"),
    (Duration::from_secs(31_536_000), "1 year"),
];

const USUAL_SPAN: Duration = Duration::from_secs(300);

/// The span where nobody chose one: five minutes, or less for a recording that is shorter.
fn fitting_span(recorded: Option<Duration>) -> Duration {
    let Some(length) = recorded else { return USUAL_SPAN };
    SPANS.iter().map(|(choice, _)| *choice).find(|choice| *choice >= length.min(USUAL_SPAN)).unwrap_or(USUAL_SPAN)
}

/// Room for the times of day below the lanes, and the least height of a lane, in points.
const CLOCK_HEIGHT: f32 = 24.0;
const LEAST_LANE: f32 = 64.0;

#[derive(Clone, PartialEq, Debug)]
pub struct TrendState {
    /// None until somebody chooses.
    pub span: Option<Duration>,
    /// Pixel columns of the last frame's plot.
    pub columns: usize,
}

impl Default for TrendState {
    fn default() -> Self {
        Self { span: None, columns: 400 }
    }
}

fn input<'a>(read: &'a Snapshot<'a>) -> TrendInput<'a> {
    TrendInput {
        scene: read.scene(),
        currents: read.current,
        history: read.known.lines,
        trends: &read.attention.trends,
        cursor: read.cursor,
        moment: read.time,
        horizon: read.horizon,
        recorded: read.is_recorded(),
        layers: read.layers,
        broken: &read.broken.faults,
    }
}

/// The trends among the panels.
pub struct TrendPanel;

impl PanelClass for TrendPanel {
    const NAME: &'static str = "trends";
    const TITLE: &'static str = "Trends";
    const DOCK: Dock = Dock::Below;
    type State = TrendState;
    type View<'a> = TrendView;

    fn view<'a>(read: &'a Snapshot<'a>, state: &TrendState) -> TrendView {
        trend_view(&input(read), state)
    }

    /// Layers are asked when the view is built: they lock nothing of the shown world.
    fn wishes(read: &Snapshot, state: &TrendState) {
        trend_view(&TrendInput { layers: None, ..input(read) }, state);
    }

    fn ui(ui: &mut Ui, view: &TrendView, state: &mut TrendState, out: &mut Vec<OperatorCommand>) {
        trend_ui(ui, view, state, out);
    }

    fn forget_the_past(state: &mut TrendState) {
        *state = TrendState::default();
    }
}

pub fn trend_ui(ui: &mut Ui, view: &TrendView, state: &mut TrendState, out: &mut Vec<OperatorCommand>) {
    if view.lanes.is_empty() {
        widgets::empty(ui, "No trends", "Click a signal in the inspector to draw it here.");
        return;
    }
    toolbar(ui, view, state, out);
    ui.add_space(2.0);
    let lanes = view.lanes.len();
    let spacing = 4.0;
    let all = ui.available_height() - CLOCK_HEIGHT;
    let height = ((all - spacing * (lanes - 1) as f32) / lanes as f32).max(LEAST_LANE).floor();
    ui.spacing_mut().item_spacing.y = spacing;
    let mut plotted = None;
    ScrollArea::vertical().auto_shrink(false).max_height(all.max(LEAST_LANE)).show(ui, |ui| {
        for (lane, place) in view.lanes.iter().zip(0..) {
            plotted = Some(lane_ui(ui, view, (lane, place == 0), height, state, out));
        }
    });
    if let Some(plotted) = plotted {
        clock_ui(ui, view, plotted);
    }
}

/// The legend, with a way to take each signal out, and the choice of span.
fn toolbar(ui: &mut Ui, view: &TrendView, state: &mut TrendState, out: &mut Vec<OperatorCommand>) {
    ui.horizontal(|ui| {
        let text = SPANS.iter().find(|(choice, _)| *choice == view.span).map_or("span", |(_, text)| *text);
        ComboBox::from_id_salt("trend span").width(76.0).selected_text(text).show_ui(ui, |ui| {
            for (choice, text) in SPANS {
                if ui.selectable_label(choice == view.span, text).clicked() {
                    state.span = Some(choice);
                }
            }
        });
        layers::keys_ui(ui, view);
        ScrollArea::horizontal().id_salt("trend legend").auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            // About eight points a character: values give way when not all chips fit.
            let traces = view.lanes.iter().flat_map(|lane| lane.traces.iter().map(move |trace| (lane, trace)));
            let wide: usize =
                traces.map(|(lane, t)| t.path.len() + t.value.chars().count() + lane.unit.chars().count() + 9).sum();
            let with_values = wide as f32 * 8.0 < ui.available_width();
            for (lane, trace) in view.lanes.iter().flat_map(|lane| lane.traces.iter().map(move |trace| (lane, trace))) {
                if legend_chip(ui, lane, trace, with_values) {
                    out.push(AttentionCommand::ToggleTrend(trace.signal).into());
                }
            }
        });
    });
}

fn legend_chip(ui: &mut Ui, lane: &Lane, trace: &Trace, with_value: bool) -> bool {
    let painter = ui.painter();
    let name = painter.layout_no_wrap(trace.path.clone(), theme::small(), theme::TEXT);
    let full = format!("{} {}", trace.value, lane.unit);
    let short = if with_value { full.clone() } else { String::new() };
    let value = painter.layout_no_wrap(short, theme::mono(), theme::TEXT_STRONG);
    let gap = if with_value { 8.0 } else { 0.0 };
    let size = vec2(26.0 + name.size().x + gap + value.size().x + 24.0, 24.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let label = format!("Remove {} from the trends", trace.path);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Button, true, &label));
    let fill = if response.hovered() { ui.visuals().widgets.hovered.bg_fill } else { theme::RAISED };
    let painter = ui.painter();
    painter.rect_filled(rect, 4.0, fill);
    let middle = rect.center().y;
    painter.hline(rect.left() + 8.0..=rect.left() + 20.0, middle, Stroke::new(2.5, line_colour(trace.colour)));
    let name_width = name.size().x;
    painter.galley(pos2(rect.left() + 26.0, middle - name.size().y / 2.0), name, theme::TEXT);
    let value_left = rect.left() + 26.0 + name_width + gap;
    painter.galley(pos2(value_left, middle - value.size().y / 2.0), value, theme::TEXT_STRONG);
    let cross = pos2(rect.right() - 12.0, middle);
    let stroke = Stroke::new(1.4, theme::TEXT_WEAK);
    painter.line_segment([cross + vec2(-3.5, -3.5), cross + vec2(3.5, 3.5)], stroke);
    painter.line_segment([cross + vec2(-3.5, 3.5), cross + vec2(3.5, -3.5)], stroke);
    response.on_hover_text(format!("{full}\nClick: take it out")).clicked()
}

fn line_colour(place: usize) -> egui::Color32 {
    theme::LINES.get(place % theme::LINES.len()).copied().unwrap_or(theme::TEXT)
}

fn lane_ui(
    ui: &mut Ui,
    view: &TrendView,
    (lane, is_first): (&Lane, bool),
    height: f32,
    state: &mut TrendState,
    out: &mut Vec<OperatorCommand>,
) -> egui::Rect {
    let span = view.to.secs_since(view.from).max(1e-6);
    let ((bottom, top), scale) = (lane.extent(), lane.scale());
    let step = clock_step(span, state.columns as f32);
    let from = view.from;
    let place = ui.cursor().min;
    let (kind, has_line) = (lane.kind, lane.heights().next().is_some());
    let is_switch = kind == ValueKind::Bool;
    let plot = Plot::new(("trend lane", &lane.unit, kind as u8))
        .height(height)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .allow_axis_zoom_drag(false)
        .auto_bounds(Vec2b::FALSE)
        .show_background(false)
        .show_axes([false, true])
        .grid_color(theme::TEXT_WEAK.gamma_multiply(0.35))
        .grid_spacing(egui::Rangef::new(4.0, 60.0))
        .custom_y_axes(vec![value_axis(scale, is_switch)])
        .y_grid_spacer(move |input| {
            if is_switch {
                return switch_marks();
            }
            // Numbers that stand for nothing would only look like values.
            if !has_line {
                return Vec::new();
            }
            // Numbers at the very edge would be cut by the next lane.
            let edge = (input.bounds.1 - input.bounds.0) * 8.0 / f64::from(height);
            value_marks((input.bounds.0 + edge, input.bounds.1 - edge), f64::from(height) / 19.0)
        })
        .set_margin_fraction(vec2(0.0, 0.0))
        .x_grid_spacer(move |input| clock_marks(from, input.bounds, step))
        .label_formatter(move |hover| {
            let (name, at) = match hover {
                egui_plot::HoverPosition::NearDataPoint { plot_name, position, .. } => (*plot_name, position),
                egui_plot::HoverPosition::Elsewhere { .. } => return None,
            };
            let moment = from + Duration::from_secs_f64(at.x.max(0.0));
            let time = format!("{} {}", format::date(moment), format::clock_tenths(moment));
            let value = if is_switch { format::value(&Value::Bool(at.y > 0.5)) } else { format::number(at.y / scale) };
            Some(format!("{name}\n{value}\n{time} UTC"))
        });
    let response = plot.show(ui, |plot| {
        plot.set_plot_bounds_x(0.0..=span);
        plot.set_plot_bounds_y(bottom..=top);
        if let Some(limits) = lane.limits() {
            limit_lines(plot, &limits, (bottom, top), scale);
        }
        layers::plot(plot, view, &lane.traces, scale);
        for trace in &lane.traces {
            for stretch in &trace.stretches {
                let (points, colour) = (scaled(stretch, scale), line_colour(trace.colour));
                // A line needs two.
                if let [_] = points[..] {
                    plot.points(Points::new(trace.path.clone(), points).color(colour).radius(2.5));
                    continue;
                }
                plot.line(Line::new(trace.path.clone(), points).color(colour).width(1.5));
            }
            if !trace.doubtful.is_empty() {
                let points = Points::new(format!("{}: not good", trace.path), scaled(&trace.doubtful, scale));
                plot.points(points.color(theme::DATA).radius(2.5));
            }
        }
        if !view.live {
            let at = view.shown.secs_since(view.from);
            plot.vline(VLine::new("cursor", at).color(theme::NOT_LIVE).width(1.5).allow_hover(false));
        }
    });
    state.columns = (response.response.rect.width().max(16.0)) as usize;
    shades_ui(ui, lane, &response.transform);
    layers::ahead_ui(ui, view, &response.transform, is_first);
    layers::paint_marks(ui, view, &lane.traces, &response.transform, scale);
    if let Some(limits) = lane.limits() {
        limit_labels(ui, &limits, &response.transform, scale);
    }
    if kind == ValueKind::Text {
        words_ui(ui, lane, &response.transform);
    }
    blank_ui(ui, lane, *response.transform.frame());
    let unit = if lane.unit.is_empty() { "–" } else { &lane.unit };
    let corner = egui::Rect::from_min_size(place + vec2(2.0, 1.0), vec2(54.0, 16.0));
    widgets::paint_text(ui.painter(), corner, unit, theme::small(), theme::TEXT, Align::Min);
    // A click or a drag anywhere moves the cursor there.
    let scrub =
        ui.interact(response.response.rect, ui.id().with(("scrub", &lane.unit, kind as u8)), Sense::click_and_drag());
    let scrubbed = scrub.clicked() || scrub.dragged_by(PointerButton::Primary);
    if scrubbed && let Some(pointer) = scrub.interact_pointer_pos() {
        let x = response.transform.value_from_position(pointer).x.clamp(0.0, span);
        out.push(TimeCommand::Seek(view.from + Duration::from_secs_f64(x)).into());
    }
    let hovered = scrub.contains_pointer();
    let turned = if hovered { ui.input(|input| input.smooth_scroll_delta().y) } else { 0.0 };
    let zooming = hovered && ui.input(|input| input.modifiers.command);
    if zooming && turned != 0.0 {
        state.span = Some(next_span(view.span, turned < 0.0));
    }
    response.response.rect
}

/// Shades stretches in which something is broken on purpose, each with its name.
fn shades_ui(ui: &Ui, lane: &Lane, transform: &egui_plot::PlotTransform) {
    let frame = *transform.frame();
    let painter = ui.painter().with_clip_rect(frame);
    let mut seen: Vec<&Shade> = Vec::new();
    for shade in lane.traces.iter().flat_map(|trace| &trace.shades) {
        if seen.contains(&shade) {
            continue;
        }
        let x = |secs: f64| transform.position_from_point_x(secs).clamp(frame.left(), frame.right());
        let rect = egui::Rect::from_x_y_ranges(x(shade.from)..=x(shade.to), frame.y_range());
        painter.rect_filled(rect, 0.0, theme::TEXT_STRONG.gamma_multiply(0.07));
        painter.vline(rect.left(), frame.y_range(), Stroke::new(1.0, theme::TEXT_WEAK));
        painter.vline(rect.right(), frame.y_range(), Stroke::new(1.0, theme::TEXT_WEAK));
        let top = frame.top() + 10.0 + 16.0 * seen.len() as f32;
        widgets::paint_fault(&painter, pos2(rect.left() + 9.0, top));
        let cell = egui::Rect::from_min_max(pos2(rect.left() + 18.0, top - 8.0), pos2(frame.right(), top + 8.0));
        widgets::paint_text(&painter, cell, &shade.text, theme::small(), theme::TEXT, Align::Min);
        seen.push(shade);
    }
}

/// Says of what came that it has no line, where nothing else is drawn.
fn blank_ui(ui: &Ui, lane: &Lane, frame: egui::Rect) {
    let blank: Vec<&str> = lane.traces.iter().filter(|trace| trace.is_blank).map(|trace| trace.path.as_str()).collect();
    let is_empty = lane.heights().next().is_none() && lane.traces.iter().all(|trace| trace.sayings.is_empty());
    if blank.is_empty() || !is_empty {
        return;
    }
    let wanted = if lane.kind == ValueKind::Number { "a number" } else { "one to draw" };
    let text = format!("{}: no value here is {wanted}", blank.join(", "));
    let galley = widgets::layout(ui.painter(), &text, theme::small(), theme::TEXT_WEAK, frame.width() - 12.0);
    let rect = egui::Rect::from_center_size(frame.center(), galley.size());
    ui.painter().galley(rect.min, galley, theme::TEXT_WEAK);
    let response = ui.interact(rect, ui.id().with(("trend blank", &lane.unit, lane.kind as u8)), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Label, true, &text));
}

fn scaled(points: &[[f64; 2]], scale: f64) -> Vec<[f64; 2]> {
    points.iter().map(|[x, y]| [*x, *y * scale]).collect()
}

/// The next longer or shorter span to choose from.
fn next_span(span: Duration, longer: bool) -> Duration {
    let found = match longer {
        true => SPANS.iter().find(|(choice, _)| *choice > span),
        false => SPANS.iter().rev().find(|(choice, _)| *choice < span),
    };
    found.map_or(span, |(choice, _)| *choice)
}

#[cfg(test)]
mod tests;
