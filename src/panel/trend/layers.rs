//! What lies beside the lines of a lane: the same signal in each layer, with its band; and the stretch beyond now.
//!
//! In: the layers, the window of time. Out: broken lines, filled bands, the shape of each layer where its line ends in the
//! picture, a hatched ground beyond now. Never asks what a layer is made of.

use std::time::Duration;

use bevy_egui::egui::{Color32, Painter, Pos2, Rect, Sense, Stroke, Ui, WidgetInfo, WidgetType, pos2, vec2};
use egui_plot::{FilledArea, Line, LineStyle, PlotPoint, PlotTransform, PlotUi, Points};

use super::points::{stepped, trace_points};
use super::{Trace, TrendView, line_colour};
use crate::layers::{Dash, Layers, Look, Slot};
use crate::panel::{theme, widgets};
use crate::scene::{Signal, ValueKind};
use crate::value::Timestamp;
use crate::view::layer_mark;

/// A signal in one layer, at the times and in the unit here.
#[derive(Clone, PartialEq, Debug)]
pub struct LayerTrace {
    pub layer: String,
    pub look: Look,
    /// Seconds from the left end, value; one list per unbroken stretch.
    pub stretches: Vec<Vec<[f64; 2]>>,
    /// Seconds from the left end, the low and the high end of the band; none for what is known exactly.
    pub band: Vec<[f64; 3]>,
}

impl LayerTrace {
    /// All heights that the lane must have room for.
    pub fn heights(&self) -> impl Iterator<Item = f64> {
        let lines = self.stretches.iter().flatten().map(|point| point[1]);
        lines.chain(self.band.iter().flat_map(|[_, low, high]| [*low, *high]))
    }
}

/// The same signal in each layer that has it.
pub fn traces(
    layers: Option<&Layers>,
    signal: &Signal,
    (from, to): (Timestamp, Timestamp),
    columns: usize,
) -> Vec<LayerTrace> {
    let end = to + Duration::from_nanos(1);
    let trace = |slot: &Slot| {
        let pair = slot.layer.pairs().get(signal.index)?;
        let line = slot.layer.line(pair, (from, end), columns);
        let (stretches, _) = trace_points(&line.buckets, from, signal.expires);
        let stretches = if signal.kind == ValueKind::Bool { stepped(stretches) } else { stretches };
        let band = line.bands.iter().map(|(at, band)| [at.secs_since(from), band.low, band.high]);
        let band = band.filter(|ends| ends.iter().all(|x| x.is_finite())).collect();
        Some(LayerTrace { layer: slot.name.clone(), look: slot.look, stretches, band })
    };
    layers.into_iter().flat_map(Layers::iter).filter_map(trace).collect()
}

/// Lines of a lane with one signal have the colours of their layers, where there are several of these; else the colour says
/// which signal it is. How a line is broken says which layer.
fn ink(view: &TrendView, lane: &[Trace], trace: &Trace, layer: &LayerTrace) -> Color32 {
    match lane.len() == 1 && view.layers.len() > 1 {
        true => layer_mark::colour(&layer.look),
        false => line_colour(trace.colour).gamma_multiply(0.8),
    }
}

/// Bands first, so that no line is covered. `scale` is that of the lane.
pub fn plot(plot: &mut PlotUi, view: &TrendView, lane: &[Trace], scale: f64) {
    for (trace, layer) in all(lane) {
        let ends = [(0, 1.0), (1, scale), (2, scale)];
        let [xs, lows, highs] =
            ends.map(|(i, scale)| layer.band.iter().map(|point| point[i] * scale).collect::<Vec<f64>>());
        if xs.is_empty() {
            continue;
        }
        let name = format!("{} between, {}", trace.path, layer.layer);
        let fill = ink(view, lane, trace, layer).gamma_multiply(0.18);
        plot.add(FilledArea::new(name, &xs, &lows, &highs).fill_color(fill).allow_hover(false));
    }
    for (trace, layer) in all(lane) {
        let style = match layer.look.dash {
            Dash::Dashes { length } => LineStyle::Dashed { length },
            Dash::Dots { spacing } => LineStyle::Dotted { spacing },
        };
        for stretch in &layer.stretches {
            let (name, colour) = (format!("{}, {}", trace.path, layer.layer), ink(view, lane, trace, layer));
            let points = super::scaled(stretch, scale);
            if let [_] = points[..] {
                plot.points(Points::new(name, points).color(colour).radius(2.0));
                continue;
            }
            plot.line(Line::new(name, points).color(colour).width(1.3).style(style));
        }
    }
}

fn all(lane: &[Trace]) -> impl Iterator<Item = (&Trace, &LayerTrace)> {
    lane.iter().flat_map(|trace| trace.layers.iter().map(move |layer| (trace, layer)))
}

/// The shape of each layer at the end of its lines, where there are several layers.
pub fn paint_marks(ui: &Ui, view: &TrendView, lane: &[Trace], plot: &PlotTransform, scale: f64) {
    if view.layers.len() < 2 {
        return;
    }
    let frame = *plot.frame();
    let painter = ui.painter().with_clip_rect(frame);
    for (trace, layer) in all(lane) {
        let Some([x, y]) = layer.stretches.last().and_then(|stretch| stretch.last()).copied() else { continue };
        let at: Pos2 = plot.position_from_point(&PlotPoint::new(x, y * scale));
        let at = at.clamp(frame.min + vec2(6.0, 6.0), frame.max - vec2(6.0, 6.0));
        layer_mark::paint_in(&painter, at, layer.look.mark, ink(view, lane, trace, layer));
    }
}

/// The ground beyond now, or beyond the end of a recording, and a line there; named where `is_named`.
pub fn ahead_ui(ui: &Ui, view: &TrendView, plot: &PlotTransform, is_named: bool) {
    let Some(now) = view.now else { return };
    let frame = *plot.frame();
    let x = plot.position_from_point_x(now.secs_since(view.from));
    let ahead = Rect::from_min_max(pos2(x.max(frame.left()), frame.top()), frame.max);
    if ahead.width() <= 0.0 {
        return;
    }
    let painter = ui.painter().with_clip_rect(ahead);
    painter.rect_filled(ahead, 0.0, theme::NOT_LIVE.gamma_multiply(0.1));
    hatch(&painter, ahead, theme::NOT_LIVE.gamma_multiply(0.22));
    if x < frame.left() {
        return;
    }
    ui.painter().with_clip_rect(frame).vline(x, frame.y_range(), Stroke::new(1.2, theme::TEXT));
    if !is_named {
        return;
    }
    for (text, label, side) in
        [("ahead", "Ahead of now", 1.0), (if view.recorded { "end" } else { "now" }, "Now", -1.0)]
    {
        let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::small(), theme::NOT_LIVE);
        let left = if side > 0.0 { x + 5.0 } else { x - 5.0 - galley.size().x };
        let rect = Rect::from_min_size(pos2(left, frame.top() + 1.0), galley.size());
        if !frame.contains_rect(rect) {
            continue;
        }
        ui.painter().rect_filled(rect.expand2(vec2(2.0, 0.0)), 2.0, theme::PANEL.gamma_multiply(0.85));
        ui.painter().galley(rect.min, galley, theme::NOT_LIVE);
        let response = ui.interact(rect, ui.id().with(("trend", label)), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, label));
    }
}

fn hatch(painter: &Painter, area: Rect, ink: Color32) {
    const STEP: f32 = 9.0;
    let mut x = area.left() - area.height();
    while x < area.right() {
        painter.line_segment([pos2(x, area.bottom()), pos2(x + area.height(), area.top())], Stroke::new(1.0, ink));
        x += STEP;
    }
}

/// What a kind of line stands for: solid, or broken as those of a layer are.
pub fn key_ui(ui: &mut Ui, name: &str, look: Option<&Look>, (widest, is_coloured): (f32, bool)) {
    const LINE: f32 = 30.0;
    let galley = widgets::layout(ui.painter(), name, theme::small(), theme::TEXT, widest);
    let mark = if is_coloured && look.is_some() { 2.0 * layer_mark::RADIUS + 5.0 } else { 0.0 };
    let size = vec2(LINE + mark + 6.0 + galley.size().x, 24.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let kind = match look.map(|look| look.dash) {
        None => "Solid",
        Some(Dash::Dashes { .. }) => "Dashed",
        Some(Dash::Dots { .. }) => "Dotted",
    };
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, format!("{kind}: {name}")));
    let (left, right) = (rect.left_center(), rect.left_center() + vec2(LINE, 0.0));
    let ink = look.filter(|_| is_coloured).map_or(theme::TEXT, layer_mark::colour);
    let stroke = Stroke::new(1.5, ink);
    match look {
        None => drop(ui.painter().line_segment([left, right], stroke)),
        Some(look) => ui.painter().extend(layer_mark::dashed(&[left, right], look.dash, stroke)),
    }
    if let Some(look) = look.filter(|_| mark > 0.0) {
        layer_mark::paint(ui.painter(), pos2(right.x + mark / 2.0 + 1.0, rect.center().y), look);
    }
    let at = pos2(right.x + mark + 6.0, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, theme::TEXT);
    response.on_hover_text(format!("{kind} lines are {name}"));
}

/// The keys of all kinds of lines; nothing without layers.
pub fn keys_ui(ui: &mut Ui, view: &TrendView) {
    let Some(here) = &view.here else { return };
    const WIDEST: f32 = 180.0;
    // At least half of the row is left to the signals.
    let room = ui.available_width() * 0.6 / (view.layers.len() + 1) as f32 - 50.0;
    let drawn = (room.clamp(40.0, WIDEST), view.layers.len() > 1);
    key_ui(ui, here, None, drawn);
    for key in &view.layers {
        key_ui(ui, &key.name, Some(&key.look), drawn);
    }
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable as _;

    use super::*;
    use crate::command::OperatorCommand;
    use crate::layers::PALETTE;
    use crate::panel::testing::{self, layers::constant, second};
    use crate::panel::trend::{TrendState, trend_ui};

    fn beside() -> Layers {
        let scene = testing::scene();
        testing::layers::layers(vec![
            constant(&scene, "mon.mcap", 55.0, 0.0, 600),
            constant(&scene, "forecast", 60.0, 3.0, 660),
        ])
    }

    #[test]
    fn each_layer_has_a_line_as_long_as_it_reaches_and_a_band_where_it_has_one() {
        let plant = testing::plant();
        let view = plant.trend_beside(&plant.signals(&["P-101.flow"]), Some(&beside()));
        assert_eq!((view.now, view.to), (Some(second(600)), second(660)), "up to the horizon");
        let trace = &view.lanes[0].traces[0];
        let names: Vec<_> = trace.layers.iter().map(|layer| (layer.layer.as_str(), layer.look)).collect();
        assert_eq!(names, [("mon.mcap", PALETTE[0]), ("forecast", PALETTE[1])]);
        let ends = |at: usize| trace.layers[at].stretches.iter().flatten().map(|point| point[0]).fold(0.0, f64::max);
        let now = second(600).secs_since(view.from);
        assert!(ends(0) <= now + 1.0 && ends(1) > now + 55.0, "{} and {} of {now}", ends(0), ends(1));
        assert!(trace.layers[0].band.is_empty());
        assert!(trace.layers[1].band.iter().all(|point| (point[1], point[2]) == (57.0, 63.0)));
        let own = trace.stretches.iter().flatten().map(|point| point[0]).fold(0.0, f64::max);
        assert!(own <= now + 1.0, "nothing is measured beyond now");
        let (low, high) = view.lanes[0].extent();
        assert!(low < 55.0 && high > 63.0, "{low} to {high}");
        assert_eq!(plant.trend(&plant.signals(&["P-101.flow"])).now, None, "without a layer the picture ends now");
    }

    #[test]
    fn the_panel_names_its_lines_and_what_lies_ahead_of_now() {
        let plant = testing::plant();
        let view = plant.trend_beside(&plant.signals(&["P-101.flow", "P-101.vibration"]), Some(&beside()));
        let state: (TrendState, Vec<OperatorCommand>) = Default::default();
        let mut harness = testing::harness(state, move |ui, (state, out)| trend_ui(ui, &view, state, out));
        harness.run();
        let keys = ["Solid: live", "Dashed: mon.mcap", "Dotted: forecast"].map(|key| harness.get_by_label(key).rect());
        assert!(keys.windows(2).all(|two| two[0].right() <= two[1].left() + 0.5), "{keys:?}");
        let (now, ahead) = (harness.get_by_label("Now").rect(), harness.get_by_label("Ahead of now").rect());
        assert!(now.right() < ahead.left() && ahead.right() < 820.0, "{now} {ahead}");
    }
}
