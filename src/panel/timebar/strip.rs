//! The overview strip: what happened when, how much came when, where the cursor stands, and the axis below.
//!
//! In: [`TimeView`], flags of the journal. Out: seeks, marks, and the zoom of the axis. A click on a flag goes to it; a click
//! or a drag elsewhere moves the cursor, also beyond now, where the strip is hatched. Draws nothing that moves by itself.

use bevy_egui::egui::{
    self, Color32, Painter, PointerButton, Pos2, Rect, Response, RichText, Sense, Shape, Stroke, Ui, WidgetInfo,
    WidgetType, pos2, vec2,
};

use super::axis::{tick_step, tick_text, tick_times};
use super::flags::{Cluster, LANES, Sort, event_of};
use super::{TimeState, TimeView, icons, remarks};
use crate::alarm::Urgency;
use crate::command::{MarkEnd, OperatorCommand, TimeCommand};
use crate::event::{Event, Kind};
use crate::history::Cursor;
use crate::panel::{format, theme, widgets};
use crate::value::Timestamp;

/// In points, from above: where the window lies in the whole, lanes of flags, how much came, ticks.
const WHOLE: f32 = 6.0;
const LANE: f32 = 16.0;
const RAIL: f32 = 12.0;
const TICKS: f32 = 17.0;
pub const HEIGHT: f32 = WHOLE + LANE * LANES as f32 + RAIL + TICKS;
/// Room beside the axis, for what stands at its ends.
const SIDE: f32 = 9.0;
/// Flags of a lane stand no nearer than this, in points.
const FLAG: f32 = 17.0;
/// Between tick texts, in points.
const TICK_ROOM: f32 = 92.0;
/// A pointer that is no farther from now means now, in points.
const NEAR_NOW: f32 = 4.0;
/// Events that a hover names.
const NAMED: usize = 6;

/// The places of the strip's parts, and of moments in them.
struct Scale<'a> {
    view: &'a TimeView<'a>,
    whole: Rect,
    lanes: Rect,
    rail: Rect,
    ticks: Rect,
}

impl<'a> Scale<'a> {
    fn new(view: &'a TimeView<'a>, rect: Rect) -> Self {
        let rect = rect.shrink2(vec2(SIDE, 0.0));
        let part = |top: f32, height: f32| {
            Rect::from_min_size(pos2(rect.left(), rect.top() + top), vec2(rect.width(), height))
        };
        let lanes = LANE * LANES as f32;
        Self {
            view,
            whole: part(1.0, WHOLE - 3.0),
            lanes: part(WHOLE, lanes),
            rail: part(WHOLE + lanes, RAIL),
            ticks: part(WHOLE + lanes + RAIL, TICKS),
        }
    }

    fn x(&self, at: Timestamp) -> f32 {
        self.rail.left() + (self.view.window.fraction(at).clamp(-1.0, 2.0) as f32) * self.rail.width()
    }

    fn fraction(&self, x: f32) -> f64 {
        f64::from((x - self.rail.left()) / self.rail.width())
    }

    fn at(&self, x: f32) -> Timestamp {
        self.view.window.at_fraction(self.fraction(x))
    }

    /// A band between two moments, as far as it is in sight.
    fn band(&self, from: Timestamp, to: Timestamp, of: Rect) -> Option<Rect> {
        let (left, right) = (self.x(from).max(of.left()), self.x(to).min(of.right()));
        (left <= right).then(|| {
            // However short it is, it is seen.
            Rect::from_min_max(pos2(left, of.top()), pos2(right.max(left + 2.0), of.bottom()))
        })
    }
}

pub fn strip_ui(ui: &mut Ui, view: &TimeView, state: &mut TimeState, out: &mut Vec<OperatorCommand>) {
    let size = vec2(ui.available_width().max(4.0 * SIDE), HEIGHT);
    let (rect, base) = ui.allocate_exact_size(size, Sense::click_and_drag());
    base.widget_info(|| {
        let mut info = WidgetInfo::labeled(WidgetType::Slider, true, "Time");
        info.value = Some(view.shown.secs_since(view.whole.from));
        info
    });
    let scale = Scale::new(view, rect);
    state.columns = (scale.rail.width() / 2.0).max(16.0) as usize;
    let painter = ui.painter().with_clip_rect(rect.expand2(vec2(4.0, 0.0)));
    paint_whole(&painter, &scale);
    paint_rail(&painter, &scale, state);
    paint_faults(&painter, &scale);
    ahead_ui(ui, &painter, &scale);
    paint_ticks(&painter, &scale);
    let clusters = state.flags.clusters(view.window, f64::from(FLAG / scale.rail.width()));
    for (cluster, number) in clusters.iter().zip(0..) {
        flag_ui(ui, &painter, &scale, cluster, number, out);
    }
    paint_cursor(&painter, &scale);
    for (end, at) in [(MarkEnd::In, view.marks.start), (MarkEnd::Out, view.marks.end)] {
        if let Some(at) = at {
            mark_ui(ui, &painter, &scale, end, at, out);
        }
    }
    scrub(&painter, &scale, &base, state, out);
    zoom(ui, &scale, rect, &base, state);
}

/// Where the window lies in the whole: a thin line above, only while they differ.
fn paint_whole(painter: &Painter, scale: &Scale) {
    let (whole, window) = (scale.view.whole, scale.view.window);
    if whole == window {
        return;
    }
    painter.rect_filled(scale.whole, 1.5, theme::SUNKEN);
    let x = |at: Timestamp| scale.whole.left() + whole.fraction(at).clamp(0.0, 1.0) as f32 * scale.whole.width();
    let (left, right) = (x(window.from), x(window.to));
    let part = Rect::from_min_max(pos2(left, scale.whole.top()), pos2(right.max(left + 4.0), scale.whole.bottom()));
    painter.rect_filled(part, 1.5, theme::TEXT_WEAK);
    painter.vline(x(scale.view.shown), scale.whole.y_range().expand(1.0), Stroke::new(2.0, cursor_ink(scale.view)));
}

fn cursor_ink(view: &TimeView) -> Color32 {
    if view.is_live() { theme::TEXT_STRONG } else { theme::NOT_LIVE }
}

/// How much came when, gaps in the record, what has been played, and the stretch between the marks.
fn paint_rail(painter: &Painter, scale: &Scale, state: &TimeState) {
    let (view, rail) = (scale.view, scale.rail);
    painter.rect_filled(rail, 2.0, theme::SUNKEN);
    let most = view.rates.iter().copied().fold(0.0, f32::max);
    let width = rail.width() / view.rates.len().max(1) as f32;
    let shown = scale.x(view.shown);
    for (rate, place) in view.rates.iter().zip(0u16..) {
        if *rate <= 0.0 || most <= 0.0 {
            continue;
        }
        // Something is told from nothing, and a burst does not flatten all else.
        let height = (rate / most).sqrt() * (rail.height() - 3.0) + 2.0;
        let left = rail.left() + f32::from(place) * width;
        let bar = Rect::from_min_max(pos2(left, rail.bottom() - height), pos2(left + width, rail.bottom()));
        let played = if left <= shown { 0.75 } else { 0.4 };
        painter.rect_filled(bar, 0.0, theme::TEXT_WEAK.gamma_multiply(played));
    }
    for flag in state.flags.iter().filter(|flag| flag.sort == Sort::Gap) {
        if let Some(Kind::Gap { from, to }) = event_of(view.events, flag.id).map(|event| &event.kind)
            && let Some(band) = scale.band(*from, *to, rail)
        {
            hatch(painter, band, theme::DATA.gamma_multiply(0.7));
        }
    }
    if let (Some(start), Some(end)) = (view.marks.start, view.marks.end)
        && let Some(band) = scale.band(start, end, rail)
    {
        let ink = if view.marks.looping { theme::NOT_LIVE } else { theme::TEXT };
        painter.rect_filled(band, 0.0, ink.gamma_multiply(if view.marks.looping { 0.22 } else { 0.12 }));
        painter.hline(band.x_range(), band.top() + 0.5, Stroke::new(1.5, ink));
    }
}

/// From when to when something was broken on purpose: a thin line along the foot of the lanes.
fn paint_faults(painter: &Painter, scale: &Scale) {
    let foot = Rect::from_min_max(pos2(scale.lanes.left(), scale.lanes.bottom() - 3.0), scale.lanes.max);
    for span in scale.view.faults.iter() {
        let end = span.end().unwrap_or(scale.view.now).min(scale.view.whole.to);
        let band = (span.begin() < end).then(|| scale.band(span.begin(), end, foot)).flatten();
        if let Some(band) = band {
            painter.rect_filled(band, 1.0, theme::TEXT.gamma_multiply(0.8));
        }
    }
}

/// What lies beyond now: tinted and hatched, with its name; and a line at now. Nothing where no layer reaches there.
fn ahead_ui(ui: &Ui, painter: &Painter, scale: &Scale) {
    let view = scale.view;
    if !view.reaches_ahead() {
        return;
    }
    let strip = scale.lanes.union(scale.rail);
    let mut name_from = strip.left();
    if let Some(band) = scale.band(view.now, view.whole.to, strip) {
        painter.rect_filled(band, 0.0, theme::NOT_LIVE.gamma_multiply(0.1));
        hatch(painter, band.intersect(scale.rail), theme::NOT_LIVE.gamma_multiply(0.55));
        name_from = band.left();
    }
    let name = |text: &str, hover: &str, right_of: Option<f32>, left_of: Option<f32>| {
        let galley = painter.layout_no_wrap(text.to_owned(), theme::small(), theme::NOT_LIVE);
        let left = right_of.or_else(|| Some(left_of? - galley.size().x)).unwrap_or_default();
        let rect = Rect::from_min_size(pos2(left, strip.top()), galley.size());
        if rect.left() < strip.left() || rect.right() > strip.right() {
            return;
        }
        painter.galley(rect.min, galley, theme::NOT_LIVE);
        let response = ui.interact(rect, ui.id().with(("time strip", hover)), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, hover));
    };
    if view.window.to > view.now {
        name("ahead", "Ahead of now", Some(name_from + 5.0), None);
    }
    if view.window.contains(view.now) {
        let x = scale.x(view.now);
        painter.vline(x, strip.y_range(), Stroke::new(1.5, theme::TEXT));
        name(if view.recorded { "end" } else { "now" }, "Now", None, Some(x - 5.0));
    }
}

fn hatch(painter: &Painter, band: Rect, ink: Color32) {
    let painter = painter.with_clip_rect(band);
    let mut x = band.left() - band.height();
    while x < band.right() {
        painter.line_segment([pos2(x, band.bottom()), pos2(x + band.height(), band.top())], Stroke::new(1.0, ink));
        x += 5.0;
    }
}

fn paint_ticks(painter: &Painter, scale: &Scale) {
    let window = scale.view.window;
    let step = tick_step(window.secs(), f64::from(scale.rail.width() / TICK_ROOM).max(1.0));
    for at in tick_times(window, step) {
        let x = scale.x(at);
        painter.vline(x, scale.ticks.top()..=scale.ticks.top() + 3.0, Stroke::new(1.0, theme::TEXT_WEAK));
        let text = painter.layout_no_wrap(tick_text(at, step), theme::small(), theme::TEXT_WEAK);
        let left = x - text.size().x / 2.0;
        let room = scale.ticks.x_range().expand(SIDE);
        if room.contains(left) && room.contains(left + text.size().x) {
            painter.galley(pos2(left, scale.ticks.top() + 2.0), text, theme::TEXT_WEAK);
        }
    }
}

fn paint_cursor(painter: &Painter, scale: &Scale) {
    let ink = cursor_ink(scale.view);
    let fraction = scale.view.window.fraction(scale.view.shown);
    if !(0.0..=1.0).contains(&fraction) {
        // Out of sight: an arrow tells where.
        let (x, tip) = if fraction < 0.0 { (scale.rail.left(), -7.0) } else { (scale.rail.right(), 7.0) };
        let c = pos2(x, scale.rail.center().y);
        let points = vec![c + vec2(tip, 0.0), c + vec2(0.0, -5.0), c + vec2(0.0, 5.0)];
        painter.add(Shape::convex_polygon(points, ink, Stroke::NONE));
        return;
    }
    let x = scale.x(scale.view.shown);
    painter.vline(x, scale.lanes.top()..=scale.ticks.top() + 2.0, Stroke::new(1.5, ink));
    let handle = Rect::from_center_size(pos2(x, scale.rail.center().y), vec2(7.0, RAIL + 4.0));
    painter.rect(handle, 2.0, ink, Stroke::new(1.0, theme::GROUND), egui::StrokeKind::Outside);
}

/// A bracket that can be dragged.
fn mark_ui(ui: &Ui, painter: &Painter, scale: &Scale, end: MarkEnd, at: Timestamp, out: &mut Vec<OperatorCommand>) {
    if !scale.view.window.contains(at) {
        return;
    }
    let (name, inwards) = match end {
        MarkEnd::In => ("In mark", 5.0),
        MarkEnd::Out => ("Out mark", -5.0),
    };
    let (x, y) = (scale.x(at), scale.rail.y_range().expand(3.0));
    let stroke = Stroke::new(2.0, theme::TEXT_STRONG);
    painter.vline(x, y, stroke);
    for y in [y.min, y.max] {
        painter.hline(egui::Rangef::new(x.min(x + inwards), x.max(x + inwards)), y, stroke);
    }
    let grip = Rect::from_center_size(pos2(x + inwards / 2.0, scale.ticks.top() - 2.0), vec2(11.0, RAIL + 4.0));
    let response = ui.interact(grip, ui.id().with(("time mark", name)), Sense::drag());
    let text = format!("{name} at {}", format::clock_tenths(at));
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Slider, true, &text));
    if response.dragged()
        && let Some(pointer) = response.interact_pointer_pos()
    {
        let to = scale.at(pointer.x);
        // The other mark is not passed by a slip of the hand.
        let to = match (end, scale.view.marks.start, scale.view.marks.end) {
            (MarkEnd::In, _, Some(other)) => to.min(Timestamp(other.0.saturating_sub(1))),
            (MarkEnd::Out, Some(other), _) => to.max(Timestamp(other.0.saturating_add(1))),
            _ => to,
        };
        if to != at {
            out.push(TimeCommand::Mark { end, at: Some(to) }.into());
        }
    }
    response.on_hover_cursor(egui::CursorIcon::ResizeHorizontal).on_hover_text(format!("{text} UTC: drag to move it"));
}

fn flag_ui(
    ui: &Ui,
    painter: &Painter,
    scale: &Scale,
    cluster: &Cluster,
    number: usize,
    out: &mut Vec<OperatorCommand>,
) {
    let view = scale.view;
    let Some(event) = event_of(view.events, cluster.top.id) else { return };
    let top = scale.lanes.top() + LANE * cluster.lane as f32;
    let centre = pos2(scale.x(cluster.time), top + LANE / 2.0);
    let spot = Rect::from_center_size(centre, vec2(FLAG, LANE));
    let response = ui.interact(spot, ui.id().with(("flag", cluster.lane, number)), Sense::click());
    let many = cluster.flags.len() > 1;
    response.widget_info(|| {
        let what = what_happened(event);
        let name = if many { format!("{}: {what}", cluster.counts()) } else { what };
        WidgetInfo::labeled(WidgetType::Button, true, name)
    });
    let stem = Stroke::new(1.0, theme::TEXT_WEAK.gamma_multiply(0.6));
    painter.vline(centre.x, spot.bottom() - 2.0..=scale.rail.top(), stem);
    if response.hovered() {
        painter.rect_filled(spot, 3.0, theme::SELECTED);
    }
    paint_sort(painter, centre, cluster.top.sort);
    if many {
        // More than one stands here.
        let plus = centre + vec2(FLAG / 2.0 - 1.0, -4.5);
        for arm in [vec2(2.5, 0.0), vec2(0.0, 2.5)] {
            painter.line_segment([plus - arm, plus + arm], Stroke::new(1.3, theme::TEXT_STRONG));
        }
    }
    let clicked = response.clicked();
    response.on_hover_ui(|ui| hover_ui(ui, view, cluster));
    if clicked {
        remarks::go_to(view, event, out);
    }
}

/// `14:09:45 P-101 vibration above 7.1 mm/s (high high): raised at 7.14 mm/s`.
fn what_happened(event: &Event) -> String {
    let twin = event.twin.as_deref().map(|twin| format!("{twin} ")).unwrap_or_default();
    let by = event.by.as_deref().map(|by| format!(", {by}")).unwrap_or_default();
    format!("{} {twin}{}{by}", format::clock(event.time), event.summary())
}

fn hover_ui(ui: &mut Ui, view: &TimeView, cluster: &Cluster) {
    ui.set_max_width(460.0);
    if cluster.flags.len() > 1 {
        ui.label(RichText::new(cluster.counts()).color(theme::TEXT_STRONG));
    }
    let mut flags: Vec<_> = cluster.flags.iter().collect();
    flags.sort_by_key(|flag| (flag.sort, flag.time));
    for event in flags.iter().take(NAMED).filter_map(|flag| event_of(view.events, flag.id)) {
        ui.label(RichText::new(what_happened(event)).font(theme::small()).color(theme::TEXT));
    }
    if flags.len() > NAMED {
        let more = format!("and {} more: zoom in to tell them apart", flags.len() - NAMED);
        ui.label(RichText::new(more).font(theme::small()).color(theme::TEXT_WEAK));
    }
    ui.label(RichText::new("Click: go there").font(theme::small()).color(theme::TEXT_WEAK));
}

/// The shape of each sort of event: colour only for what needs a person, and never colour alone.
pub fn paint_sort(painter: &Painter, centre: Pos2, sort: Sort) {
    let triangle = |points: [(f32, f32); 3], ink: Color32| {
        let points = points.iter().map(|&(x, y)| centre + vec2(x, y)).collect();
        painter.add(Shape::convex_polygon(points, ink, Stroke::NONE));
    };
    let outline = |ink: Color32| Stroke::new(1.5, ink);
    match sort {
        Sort::Alarm(priority) => widgets::paint_alarm(painter, centre, Urgency { priority, unacknowledged: true }),
        Sort::Flood => {
            for (x, height) in [(-4.5, 5.0), (0.0, 8.5), (4.5, 12.0)] {
                let bar = Rect::from_min_max(centre + vec2(x - 1.5, 6.0 - height), centre + vec2(x + 1.5, 6.0));
                painter.rect_filled(bar, 0.5, theme::WARNING);
            }
        }
        Sort::Bookmark => icons::bookmark(painter, centre, 6.5, theme::ACCENT),
        Sort::Note => icons::note(painter, centre, 5.5, theme::ACCENT),
        Sort::Gap => hatch(painter, Rect::from_center_size(centre, vec2(11.0, 9.0)), theme::DATA),
        Sort::Disconnected => {
            painter.circle_stroke(centre, 4.5, outline(theme::DATA));
            painter.line_segment([centre + vec2(-4.5, 4.5), centre + vec2(4.5, -4.5)], outline(theme::DATA));
        }
        Sort::Connected => {
            painter.circle_stroke(centre, 4.0, outline(theme::TEXT_WEAK));
            painter.circle_filled(centre, 1.6, theme::TEXT_WEAK);
        }
        Sort::Death => triangle([(-4.5, -3.5), (4.5, -3.5), (0.0, 4.0)], theme::DATA),
        Sort::Birth => triangle([(-4.0, 3.5), (4.0, 3.5), (0.0, -3.5)], theme::TEXT_WEAK),
        Sort::Deed => icons::diamond(painter, centre, 5.0, theme::TEXT),
        Sort::Reload | Sort::Refused | Sort::Plant => {
            let is_wrong = sort != Sort::Reload;
            let ink = if is_wrong { theme::WARNING } else { theme::TEXT_WEAK };
            let square = Rect::from_center_size(centre, vec2(8.0, 8.0));
            painter.rect_stroke(square, 1.0, outline(ink), egui::StrokeKind::Middle);
            if is_wrong {
                painter.line_segment([square.left_top(), square.right_bottom()], outline(ink));
            }
        }
    }
}

/// A click or a drag moves the cursor; a hover tells the time.
fn scrub(painter: &Painter, scale: &Scale, base: &Response, state: &mut TimeState, out: &mut Vec<OperatorCommand>) {
    let view = scale.view;
    let scrubbed = base.clicked() || base.dragged_by(PointerButton::Primary);
    if let Some(pointer) = base.interact_pointer_pos().filter(|_| scrubbed) {
        let at = scale.at(pointer.x);
        // A drag to now, which is the right end unless a layer reaches farther, asks for the newest data.
        let is_now = match view.reaches_ahead() {
            true => (pointer.x - scale.x(view.now)).abs() <= NEAR_NOW,
            false => view.window.to >= view.whole.to && scale.fraction(pointer.x) >= 0.998,
        };
        match is_now && !view.recorded {
            true if view.is_live() => {}
            true => out.push(TimeCommand::GoLive.into()),
            false if matches!(view.cursor, Cursor::Paused(shown) if shown == at) => {}
            false => out.push(TimeCommand::Seek(at).into()),
        }
    }
    if base.dragged_by(PointerButton::Secondary) || base.dragged_by(PointerButton::Middle) {
        let moved = f64::from(base.drag_delta().x / scale.rail.width());
        if moved != 0.0 {
            state.zoom = view.window.panned(-moved, view.whole);
        }
    }
    if let Some(pointer) = base.hover_pos().filter(|_| !base.dragged()) {
        let at = scale.at(pointer.x);
        let line = Stroke::new(1.0, theme::TEXT_WEAK);
        painter.vline(scale.x(at), scale.lanes.top()..=scale.ticks.top(), line);
        let from_shown = at.secs_since(view.shown);
        let sign = if from_shown >= 0.0 { "+" } else { "" };
        let place = ((scale.fraction(pointer.x) * view.rates.len() as f64).max(0.0) as usize).min(view.rates.len());
        let rate = view.rates.get(place).copied().unwrap_or_default();
        let came = match at > view.now {
            true => format!("{} ahead of now", format::span(at.secs_since(view.now))),
            false => format!("{} samples/s", format::rate(f64::from(rate))),
        };
        let (clock, from_here) = (format::clock_tenths(at), format::span(from_shown));
        let text = format!("{clock} UTC  ({sign}{from_here} from here)\n{came}");
        base.clone().on_hover_text_at_pointer(text);
    }
}

/// The wheel zooms around the pointer; sideways, or with Shift, it moves along.
fn zoom(ui: &Ui, scale: &Scale, rect: Rect, base: &Response, state: &mut TimeState) {
    let Some(pointer) = ui.input(|input| input.pointer.hover_pos()).filter(|at| rect.contains(*at)) else { return };
    if !ui.rect_contains_pointer(rect) && !base.hovered() {
        return;
    }
    let (wheel, pinch) = ui.input(|input| (input.smooth_scroll_delta(), f64::from(input.zoom_delta())));
    let times = (-f64::from(wheel.y) / 200.0).exp() / pinch;
    if times != 1.0 && times.is_finite() {
        state.zoom = scale.view.window.zoomed(times, scale.fraction(pointer.x), scale.view.whole);
    } else if wheel.x != 0.0 {
        state.zoom = scale.view.window.panned(-f64::from(wheel.x / rect.width()), scale.view.whole);
    }
}
