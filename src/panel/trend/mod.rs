//! The trend panel: chosen signals over time, one lane per unit, drawn as min/max per pixel.
//!
//! In: [`TrendView`], built from the history and the layers at the panel's width. Out: `ToggleTrend` and `Seek` commands.
//! Never keeps samples: a day costs what a minute costs, because the history answers in buckets.

mod axis;
mod layers;

use std::time::Duration;

use bevy_egui::egui::{self, Align, ComboBox, PointerButton, ScrollArea, Sense, Stroke, Ui, Vec2b, pos2, vec2};
use egui_plot::{Line, Plot, Points, VLine};

pub use self::layers::LayerTrace;

use self::axis::{clock_marks, clock_step, clock_ui, limit_labels, limit_lines, value_axis, value_marks};
use super::class::{Dock, PanelClass};
use super::layer_key::{self, LayerKey};
use super::lines::Lines;
use super::snapshot::Snapshot;
use super::{format, theme, widgets};
use crate::command::{AttentionCommand, OperatorCommand, TimeCommand};
use crate::history::{Bucket, Cursor, Horizon, ViewTime};
use crate::layers::Layers;
use crate::scene::{Limits, Scene};
use crate::stage::Current;
use crate::value::{Grade, SignalIndex, Timestamp};

/// Spans to choose from, in seconds.
const SPANS: [(u64, &str); 10] = [
    (30, "30 s"),
    (60, "1 min"),
    (300, "5 min"),
    (900, "15 min"),
    (3_600, "1 h"),
    (21_600, "6 h"),
    (86_400, "24 h"),
    (604_800, "7 d"),
    (2_592_000, "30 d"),
    (31_536_000, "1 year"),
];

/// Room for the times of day below the lanes, and the least height of a lane, in points.
const CLOCK_HEIGHT: f32 = 24.0;
const LEAST_LANE: f32 = 64.0;

#[derive(Clone, PartialEq, Debug)]
pub struct TrendView {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Where the cursor stands; a line marks it unless the picture is live.
    pub shown: Timestamp,
    pub live: bool,
    /// A recording: what is called now elsewhere is its end.
    pub recorded: bool,
    /// Signals of one unit share a lane.
    pub lanes: Vec<Lane>,
    /// Now, or the end of a recording, where the picture reaches beyond it.
    pub now: Option<Timestamp>,
    /// The name of what is shown, if layers lie beside it.
    pub here: Option<String>,
    pub layers: Vec<LayerKey>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Lane {
    pub unit: String,
    pub traces: Vec<Trace>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Trace {
    pub signal: SignalIndex,
    /// `P-101.flow`.
    pub path: String,
    pub value: String,
    pub limits: Limits,
    /// Place in the palette.
    pub colour: usize,
    /// Seconds from `from`, value; one list per unbroken stretch.
    pub stretches: Vec<Vec<[f64; 2]>>,
    /// Where samples were not good.
    pub doubtful: Vec<[f64; 2]>,
    /// The same signal in each layer that has it.
    pub layers: Vec<LayerTrace>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct TrendState {
    pub span: Duration,
    /// Pixel columns of the last frame's plot.
    pub columns: usize,
}

impl Default for TrendState {
    fn default() -> Self {
        Self { span: Duration::from_secs(300), columns: 400 }
    }
}

/// The stretch of time to show: with a quarter of it after the cursor, as far as there is something to show. Live that is up
/// to the newest, unless a layer reaches beyond now.
pub fn window(moment: &ViewTime, horizon: Horizon, span: Duration) -> (Timestamp, Timestamp) {
    let to = (moment.shown + span / 4).min(horizon.end(moment.now).max(moment.shown));
    (to - span, to)
}

/// What the trend panel reads.
pub struct TrendInput<'a> {
    pub scene: &'a Scene,
    pub currents: &'a dyn Fn(SignalIndex) -> Current,
    pub history: &'a dyn Lines,
    pub trends: &'a [SignalIndex],
    pub cursor: Cursor,
    pub moment: ViewTime,
    pub horizon: Horizon,
    pub recorded: bool,
    pub layers: Option<&'a Layers>,
}

pub fn trend_view(input: &TrendInput, state: &TrendState) -> TrendView {
    let live = input.cursor == Cursor::Live;
    let mut moment = input.moment;
    if live {
        // A machine's clock may be ahead of this one: the newest is what live means.
        let newest = input.trends.iter().map(|index| (input.currents)(*index).source_time).max();
        moment.shown = newest.map_or(moment.shown, |newest| newest.max(moment.shown));
    }
    let (from, to) = window(&moment, input.horizon, state.span);
    let mut lanes: Vec<Lane> = Vec::new();
    for (colour, &index) in input.trends.iter().enumerate() {
        let Some(signal) = input.scene.signals.get(index.at()) else { continue };
        let columns = state.columns.clamp(16, 4_096);
        // The sample at the right edge, which live is the newest, belongs to the picture.
        let buckets = input.history.range(index, from, to + Duration::from_nanos(1), columns);
        let layers = layers::traces(input.layers, signal, (from, to), columns);
        let (stretches, doubtful) = trace_points(&buckets, from, signal.expires);
        let value = (input.currents)(index).value.as_ref().map_or_else(|| "–".into(), format::value);
        let path = input.scene.signal_path(index);
        let trace = Trace { signal: index, path, value, limits: signal.limits, colour, stretches, doubtful, layers };
        let unit = signal.unit.pretty();
        match lanes.iter_mut().find(|lane| lane.unit == unit) {
            Some(lane) => lane.traces.push(trace),
            None => lanes.push(Lane { unit, traces: vec![trace] }),
        }
    }
    let layers = layer_key::keys(input.layers);
    let here = input.layers.filter(|layers| !layers.is_empty()).map(|layers| layers.here().to_owned());
    let now = Some(moment.now.max(if live { moment.shown } else { moment.now })).filter(|now| to > *now);
    TrendView { from, to, shown: input.moment.shown, live, recorded: input.recorded, lanes, now, here, layers }
}

/// Points of a line through first, min, max and last of each bucket (M4: Jugel et al., "M4: a visualization-oriented
/// time series data aggregation", 2014), broken where nothing came for longer than `expires`, and where what came was not a
/// finite number; and doubtful places.
pub fn trace_points(
    buckets: &[Bucket],
    origin: Timestamp,
    expires: Option<Duration>,
) -> (Vec<Vec<[f64; 2]>>, Vec<[f64; 2]>) {
    let mut stretches: Vec<Vec<[f64; 2]>> = Vec::new();
    let mut doubtful = Vec::new();
    let mut last_end: Option<Timestamp> = None;
    let mut gap = false;
    for bucket in buckets.iter().filter(|bucket| bucket.count > 0) {
        if !bucket.min.is_finite() || !bucket.max.is_finite() {
            gap = true;
            continue;
        }
        let silent = last_end.map(|end| bucket.from.secs_since(end));
        let broken = matches!((silent, expires), (Some(silent), Some(limit)) if silent > limit.as_secs_f64());
        if stretches.is_empty() || broken || std::mem::take(&mut gap) {
            stretches.push(Vec::new());
        }
        last_end = Some(bucket.to);
        let middle = bucket.from.secs_since(origin) + bucket.to.secs_since(bucket.from) / 2.0;
        if bucket.worst > Grade::Good {
            doubtful.push([middle, bucket.last]);
        }
        let Some(stretch) = stretches.last_mut() else { continue };
        let rising = bucket.first <= bucket.last;
        let (near, far) = if rising { (bucket.min, bucket.max) } else { (bucket.max, bucket.min) };
        for y in [bucket.first, near, far, bucket.last] {
            if y.is_finite() && stretch.last() != Some(&[middle, y]) {
                stretch.push([middle, y]);
            }
        }
    }
    (stretches, doubtful)
}

impl Lane {
    /// Limits are drawn where it is plain whose they are: with one signal in the lane.
    fn limits(&self) -> Option<Limits> {
        match &self.traces[..] {
            [only] => Some(only.limits),
            _ => None,
        }
    }

    fn heights(&self) -> impl Iterator<Item = f64> {
        let own = self.traces.iter().flat_map(|trace| &trace.stretches).flatten().map(|point| point[1]);
        own.chain(self.traces.iter().flat_map(|trace| &trace.layers).flat_map(LayerTrace::heights))
    }

    /// What heights are multiplied with where they are drawn: 1, but less where the largest floats lie so far apart that
    /// their distance is none.
    pub fn scale(&self) -> f64 {
        const HUGE: f64 = 1e300;
        if self.heights().any(|y| y.abs() > HUGE) { 1e-10 } else { 1.0 }
    }

    /// The vertical extent: the data with some air, and each limit that is within reach. In units of the scale.
    pub fn extent(&self) -> (f64, f64) {
        let scale = self.scale();
        let values = self.heights().map(|y| y * scale);
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), y| (l.min(y), h.max(y)));
        if !low.is_finite() || !high.is_finite() {
            return (0.0, 1.0);
        }
        let size = (high - low).max(high.abs().max(low.abs()) * 0.02).max(1e-6);
        let (mut bottom, mut top) = (low, high);
        if let Some(limits) = self.limits() {
            for limit in [limits.low_low, limits.low, limits.high, limits.high_high].into_iter().flatten() {
                let limit = limit * scale;
                if within_reach(limit, low, high, size) {
                    (bottom, top) = (bottom.min(limit), top.max(limit));
                }
            }
        }
        let air = ((top - bottom) * 0.08).max(size * 0.1);
        (bottom - air, top + air)
    }
}

/// Whether values from `low` to `high`, which spread over `size`, may soon meet `limit`: they are near it compared with
/// how they spread, or, where nought is the natural foot of the scale, beyond half of it.
fn within_reach(limit: f64, low: f64, high: f64, size: f64) -> bool {
    let near = limit > low - 1.5 * size && limit < high + 1.5 * size;
    let passed_half = low >= 0.0 && limit > high && high > 0.5 * limit;
    near || passed_half
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
        let chosen = state.span.as_secs();
        let text = SPANS.iter().find(|(secs, _)| *secs == chosen).map_or_else(|| "span".into(), |(_, t)| t.to_string());
        ComboBox::from_id_salt("trend span").width(76.0).selected_text(text).show_ui(ui, |ui| {
            for (secs, text) in SPANS {
                if ui.selectable_label(secs == chosen, text).clicked() {
                    state.span = Duration::from_secs(secs);
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
    let span = view.to.secs_since(view.from).max(1e-3);
    let ((bottom, top), scale) = (lane.extent(), lane.scale());
    let step = clock_step(span, state.columns as f32);
    let from = view.from;
    let place = ui.cursor().min;
    let plot = Plot::new(("trend lane", &lane.unit))
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
        .custom_y_axes(vec![value_axis(scale)])
        .y_grid_spacer(move |input| {
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
            Some(format!("{name}\n{}\n{time} UTC", format::number(at.y / scale)))
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
    layers::ahead_ui(ui, view, &response.transform, is_first);
    layers::paint_marks(ui, view, &lane.traces, &response.transform, scale);
    if let Some(limits) = lane.limits() {
        limit_labels(ui, &limits, &response.transform, scale);
    }
    let unit = if lane.unit.is_empty() { "–" } else { &lane.unit };
    let corner = egui::Rect::from_min_size(place + vec2(2.0, 1.0), vec2(54.0, 16.0));
    widgets::paint_text(ui.painter(), corner, unit, theme::small(), theme::TEXT, Align::Min);
    // A click or a drag anywhere moves the cursor there.
    let scrub = ui.interact(response.response.rect, ui.id().with(("scrub", &lane.unit)), Sense::click_and_drag());
    let scrubbed = scrub.clicked() || scrub.dragged_by(PointerButton::Primary);
    if scrubbed && let Some(pointer) = scrub.interact_pointer_pos() {
        let x = response.transform.value_from_position(pointer).x.clamp(0.0, span);
        out.push(TimeCommand::Seek(view.from + Duration::from_secs_f64(x)).into());
    }
    let hovered = scrub.contains_pointer();
    let turned = if hovered { ui.input(|input| input.smooth_scroll_delta().y) } else { 0.0 };
    let zooming = hovered && ui.input(|input| input.modifiers.command);
    if zooming && turned != 0.0 {
        state.span = next_span(state.span, turned < 0.0);
    }
    response.response.rect
}

fn scaled(points: &[[f64; 2]], scale: f64) -> Vec<[f64; 2]> {
    points.iter().map(|[x, y]| [*x, *y * scale]).collect()
}

/// The next longer or shorter span to choose from.
fn next_span(span: Duration, longer: bool) -> Duration {
    let secs = span.as_secs();
    let found = match longer {
        true => SPANS.iter().find(|(choice, _)| *choice > secs),
        false => SPANS.iter().rev().find(|(choice, _)| *choice < secs),
    };
    found.map_or(span, |(choice, _)| Duration::from_secs(*choice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing;
    use egui_kittest::kittest::Queryable as _;

    fn bucket(second: i64, low: f64, high: f64) -> Bucket {
        testing::bucket(second, low, high, 1)
    }

    #[test]
    fn a_line_breaks_where_a_signal_fell_silent_for_longer_than_it_may() {
        let buckets = [bucket(0, 1.0, 2.0), testing::bucket(1, 0.0, 0.0, 0), bucket(2, 1.5, 1.5), bucket(30, 3.0, 3.0)];
        let (stretches, doubtful) = trace_points(&buckets, Timestamp(0), Some(Duration::from_secs(5)));
        assert_eq!(stretches, vec![vec![[0.5, 1.0], [0.5, 2.0], [2.5, 1.5]], vec![[30.5, 3.0]]]);
        assert!(doubtful.is_empty());
        let (unbroken, _) = trace_points(&buckets, Timestamp(0), None);
        assert_eq!(unbroken.len(), 1);
    }

    #[test]
    fn a_line_breaks_where_values_were_no_numbers() {
        let nan = Bucket { min: f64::NAN, max: f64::NAN, worst: Grade::Bad, ..bucket(1, 0.0, 0.0) };
        let (stretches, _) = trace_points(&[bucket(0, 1.0, 1.0), nan, nan, bucket(3, 2.0, 2.0)], Timestamp(0), None);
        assert_eq!(stretches, vec![vec![[0.5, 1.0]], vec![[3.5, 2.0]]]);
    }

    #[test]
    fn the_newest_sample_at_the_right_edge_is_in_the_picture() {
        let plant = testing::plant();
        let view = plant.trend(&plant.signals(&["P-101.flow"]));
        let last = view.lanes[0].traces[0].stretches.iter().flatten().map(|point| point[0]).fold(0.0, f64::max);
        let span = view.to.secs_since(view.from);
        assert!(last > span - 2.0 * span / 400.0, "{last} of {span}");
    }

    #[test]
    fn the_largest_numbers_have_an_axis() {
        let trace = |y: f64| Trace {
            signal: SignalIndex(0),
            path: String::new(),
            value: String::new(),
            limits: Limits::default(),
            colour: 0,
            stretches: vec![vec![[0.0, -y], [1.0, y]]],
            doubtful: Vec::new(),
            layers: Vec::new(),
        };
        for y in [1.0, 1e300, 1.7e308, f64::MAX] {
            let lane = Lane { unit: String::new(), traces: vec![trace(y)] };
            let ((bottom, top), scale) = (lane.extent(), lane.scale());
            assert!((top - bottom).is_finite() && bottom < -y * scale && top > y * scale, "{y}: {bottom} to {top}");
            let marks = value_marks((bottom, top), 5.0);
            assert!(marks.len() >= 3 && marks.iter().any(|mark| (mark.value / scale).is_finite()), "{y}");
        }
    }

    #[test]
    fn extremes_survive_and_doubt_is_marked() {
        let spike = Bucket { first: 2.0, last: 1.0, worst: Grade::Uncertain, ..bucket(0, 0.5, 9.0) };
        let (stretches, doubtful) = trace_points(&[spike], Timestamp(0), None);
        assert_eq!(stretches, vec![vec![[0.5, 2.0], [0.5, 9.0], [0.5, 0.5], [0.5, 1.0]]]);
        assert_eq!(doubtful, vec![[0.5, 1.0]]);
    }

    #[test]
    fn a_far_limit_does_not_flatten_the_line() {
        let lane = |limit: f64| Lane {
            unit: String::new(),
            traces: vec![Trace {
                signal: SignalIndex(0),
                path: String::new(),
                value: String::new(),
                limits: Limits { high: Some(limit), ..Default::default() },
                colour: 0,
                stretches: vec![vec![[0.0, 10.0], [1.0, 12.0]]],
                doubtful: Vec::new(),
                layers: Vec::new(),
            }],
        };
        assert!(lane(14.0).extent().1 > 14.0);
        assert!(lane(500.0).extent().1 < 13.0);
        assert!(lane(22.0).extent().1 > 22.0, "values beyond half of a limit are within its reach");
    }

    #[test]
    fn the_window_ends_now_when_live_and_shows_what_came_after_a_paused_cursor() {
        let at = |s: i64| Timestamp(s * 1_000_000_000);
        let moment = ViewTime { now: at(1_000), shown: at(1_000), session_start: at(0) };
        assert_eq!(window(&moment, Horizon::default(), Duration::from_secs(60)), (at(940), at(1_000)));
        let paused = ViewTime { shown: at(500), ..moment };
        assert_eq!(window(&paused, Horizon::default(), Duration::from_secs(60)), (at(455), at(515)));
    }

    #[test]
    fn where_a_layer_reaches_beyond_now_the_window_does_too() {
        let at = |s: i64| Timestamp(s * 1_000_000_000);
        let horizon = Horizon(Some(at(1_030)));
        let live = ViewTime { now: at(1_000), shown: at(1_000), session_start: at(0) };
        assert_eq!(window(&live, horizon, Duration::from_secs(60)), (at(955), at(1_015)));
        let ahead = ViewTime { shown: at(1_020), ..live };
        assert_eq!(window(&ahead, horizon, Duration::from_secs(60)), (at(970), at(1_030)), "and no farther");
    }

    #[test]
    fn signals_of_one_unit_share_a_lane() {
        let plant = testing::plant();
        let trends = plant.signals(&["P-101.flow", "P-101.vibration", "E-101.outlet_temperature", "P-101.temperature"]);
        let view = plant.trend(&trends);
        let lanes: Vec<_> = view.lanes.iter().map(|lane| lane.traces.len()).collect();
        assert_eq!(lanes, [1, 1, 2]);
        assert!(view.lanes[0].traces[0].stretches[0].len() > 50);
    }

    #[test]
    fn a_legend_entry_takes_its_signal_out() {
        let plant = testing::plant();
        let flow = plant.signals(&["P-101.flow"]);
        let view = plant.trend(&flow);
        let mut harness = testing::harness((TrendState::default(), Vec::new()), move |ui, (state, out)| {
            trend_ui(ui, &view, state, out);
        });
        harness.get_by_label("Remove P-101.flow from the trends").click();
        harness.run();
        assert_eq!(harness.state().1, [OperatorCommand::Attention(AttentionCommand::ToggleTrend(flow[0]))]);
    }

    #[test]
    fn spans_step_up_and_down_and_stop_at_the_ends() {
        assert_eq!(next_span(Duration::from_secs(60), true), Duration::from_secs(300));
        assert_eq!(next_span(Duration::from_secs(30), false), Duration::from_secs(30));
    }
}
