//! Small things that several panels draw: marks, badges, text that never spills, sparklines.
//!
//! In: a `Ui` or painter and plain values. Out: shapes, and names for assistive technology. Never reads the world.

use std::sync::Arc;

use bevy_egui::egui::{
    self, Align, Color32, FontId, Galley, Painter, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo,
    WidgetType, pos2, text::LayoutJob, vec2,
};

use super::mark::Mark;
use super::theme;
use crate::alarm::Urgency;
use crate::history::Bucket;
use crate::scene::rule::Priority;
use crate::value::Grade;
use crate::view::badge::{self, Inks};

pub fn colour_of(mark: Mark) -> Color32 {
    match mark {
        Mark::None | Mark::Normal | Mark::Aside(_) | Mark::NoData => theme::TEXT_WEAK,
        Mark::Uncertain | Mark::Stale | Mark::Bad => theme::DATA,
        Mark::Warning => theme::WARNING,
        Mark::Error => theme::CRITICAL,
        Mark::Alarm(alarm) => theme::priority(alarm.priority),
    }
}

/// A mark as a shape of its own, so that it reads without colour: dot, bar, ring, diamond, clock, cross, triangle, square,
/// and for alarms the shape and number of their priority.
pub fn paint_mark(painter: &Painter, centre: Pos2, mark: Mark) {
    let colour = colour_of(mark);
    let thin = Stroke::new(1.5, colour);
    let r = 5.0;
    match mark {
        Mark::None => {}
        Mark::Normal => {
            painter.circle_filled(centre, 2.5, colour.gamma_multiply(0.7));
        }
        Mark::Aside(_) => {
            painter.hline(centre.x - 4.5..=centre.x + 4.5, centre.y, Stroke::new(2.5, colour));
        }
        Mark::NoData => {
            painter.circle_stroke(centre, 3.5, Stroke::new(1.0, colour));
        }
        Mark::Uncertain => {
            let points = [vec2(0.0, -r), vec2(r, 0.0), vec2(0.0, r), vec2(-r, 0.0)].map(|d| centre + d).to_vec();
            painter.add(Shape::closed_line(points, thin));
        }
        Mark::Stale => {
            painter.circle_stroke(centre, r, thin);
            painter.line_segment([centre, centre + vec2(0.0, -3.2)], thin);
            painter.line_segment([centre, centre + vec2(2.6, 0.0)], thin);
        }
        Mark::Bad => {
            let d = 4.0;
            painter.line_segment([centre + vec2(-d, -d), centre + vec2(d, d)], Stroke::new(2.0, colour));
            painter.line_segment([centre + vec2(-d, d), centre + vec2(d, -d)], Stroke::new(2.0, colour));
        }
        Mark::Warning => {
            let points = vec![centre + vec2(0.0, -6.0), centre + vec2(6.0, 5.0), centre + vec2(-6.0, 5.0)];
            painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
            exclamation(painter, centre + vec2(0.0, 1.0));
        }
        Mark::Error => {
            painter.rect_filled(Rect::from_center_size(centre, Vec2::splat(12.0)), 1.5, colour);
            exclamation(painter, centre);
        }
        Mark::Alarm(alarm) => paint_alarm(painter, centre, alarm),
    }
}

/// A bolt: something is broken on purpose.
pub fn paint_fault(painter: &Painter, centre: Pos2) {
    badge::paint_fault(painter, centre, theme::TEXT_STRONG);
}

/// The shape of an alarm's priority with its number, filled until it is acknowledged.
pub fn paint_alarm(painter: &Painter, centre: Pos2, alarm: Urgency) {
    let colour = theme::priority(alarm.priority);
    let inks = Inks { colour, on_filled: theme::GROUND, on_hollow: colour, ground: theme::SUNKEN };
    badge::paint_alarm(painter, centre, alarm, &inks);
}

fn exclamation(painter: &Painter, centre: Pos2) {
    let ink = Stroke::new(1.6, theme::GROUND);
    painter.line_segment([centre + vec2(0.0, -3.6), centre + vec2(0.0, 0.8)], ink);
    painter.line_segment([centre + vec2(0.0, 2.2), centre + vec2(0.0, 3.8)], ink);
}

/// One line of text, cut with an ellipsis at `width`.
pub fn layout(painter: &Painter, text: &str, font: FontId, colour: Color32, width: f32) -> Arc<Galley> {
    let mut job = LayoutJob::simple_singleline(one_line(text), font, colour);
    job.wrap.max_width = width.max(0.0);
    job.wrap.max_rows = 1;
    job.wrap.break_anywhere = true;
    painter.layout_job(job)
}

/// Line breaks would be drawn as boxes.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r', '\t'], " ")
}

/// Text within a cell, centred vertically. Says whether it had to be cut, so that the caller can offer the whole text.
pub fn paint_text(painter: &Painter, cell: Rect, text: &str, font: FontId, colour: Color32, align: Align) -> bool {
    if cell.width() <= 1.0 || text.is_empty() {
        return !text.is_empty();
    }
    let galley = layout(painter, text, font, colour, cell.width());
    let x = match align {
        Align::Min => cell.left(),
        Align::Center => cell.center().x - galley.size().x / 2.0,
        Align::Max => cell.right() - galley.size().x,
    };
    let cut = galley.elided;
    painter.galley(pos2(x, cell.center().y - galley.size().y / 2.0), galley, colour);
    cut
}

/// A row of a list, as wide as there is room: answers clicks, shows hover and selection, has a name.
pub fn row(ui: &mut Ui, height: f32, selected: bool, name: &str) -> (Rect, Response) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    response.widget_info(|| WidgetInfo::selected(WidgetType::SelectableLabel, true, selected, name));
    if ui.is_rect_visible(rect) {
        // A hair of ground between neighbours that are both selected.
        let fill = rect.shrink2(vec2(0.0, 0.5));
        if selected {
            ui.painter().rect_filled(fill, 3.0, theme::SELECTED);
        } else if response.hovered() || response.has_focus() {
            ui.painter().rect_filled(fill, 3.0, ui.visuals().faint_bg_color.gamma_multiply(1.35));
        }
    }
    (rect, response)
}

/// A label of one line that is cut rather than spilled; the whole text shows on hover.
pub fn line(ui: &mut Ui, text: &str, font: FontId, colour: Color32) -> Response {
    let label = egui::Label::new(egui::RichText::new(one_line(text)).font(font).color(colour)).truncate();
    ui.add(label)
}

/// A word in a rounded box: a state.
pub fn badge(ui: &mut Ui, text: &str, ink: Color32, fill: Color32) -> Response {
    badge_of(ui, text, theme::small(), ink, fill)
}

/// A word in a box, in a font that says how much it matters.
pub fn badge_of(ui: &mut Ui, text: &str, font: FontId, ink: Color32, fill: Color32) -> Response {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, ink);
    let (rect, response) = ui.allocate_exact_size(galley.size() + vec2(16.0, 6.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, text));
    ui.painter().rect_filled(rect, 4.0, fill);
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, ink);
    response
}

/// A mark with a count, grey while the count is zero.
pub fn count_chip(ui: &mut Ui, mark: Mark, count: usize, what: &str) -> Response {
    let shown = if count == 0 { Mark::Normal } else { mark };
    let ink = if count == 0 { theme::TEXT_WEAK } else { theme::TEXT_STRONG };
    let number = ui.painter().layout_no_wrap(super::format::count(count as u64), theme::mono(), ink);
    let word = ui.painter().layout_no_wrap(what.to_owned(), theme::small(), theme::TEXT_WEAK);
    let size = vec2(18.0 + number.size().x + 6.0 + word.size().x, 22.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("{count} {what}")));
    let middle = rect.center().y;
    paint_mark(ui.painter(), pos2(rect.left() + 7.0, middle), shown);
    let number_width = number.size().x;
    ui.painter().galley(pos2(rect.left() + 18.0, middle - number.size().y / 2.0), number, ink);
    let x = rect.left() + 24.0 + number_width;
    ui.painter().galley(pos2(x, middle - word.size().y / 2.0), word, theme::TEXT_WEAK);
    response
}

/// A button that stays down. Says whether it was clicked.
pub fn toggle(ui: &mut Ui, on: bool, text: &str, hint: &str) -> bool {
    let text = egui::RichText::new(text).font(theme::small());
    ui.add(egui::Button::selectable(on, text).frame_when_inactive(true)).on_hover_text(hint).clicked()
}

/// A switch with the shape of a priority: filled while it is on. Says whether it was clicked.
pub fn priority_toggle(ui: &mut Ui, priority: Priority, on: bool, name: &str) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(26.0, 24.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(WidgetType::Checkbox, true, on, name));
    if on || response.hovered() {
        ui.painter().rect_filled(rect, 4.0, if on { theme::SELECTED } else { theme::RAISED });
    }
    paint_alarm(ui.painter(), rect.center(), Urgency { priority, unacknowledged: on });
    let clicked = response.clicked();
    response.on_hover_text(name);
    clicked
}

/// A title above a group of rows.
pub fn section(ui: &mut Ui, title: &str) {
    ui.add_space(6.0);
    line(ui, title, theme::small(), theme::TEXT_WEAK);
    let y = ui.cursor().top() - 1.0;
    ui.painter().hline(ui.max_rect().x_range(), y, Stroke::new(1.0, theme::LINE));
    ui.add_space(3.0);
}

/// What a panel says when there is nothing to show, and what to do about it.
pub fn empty(ui: &mut Ui, title: &str, hint: &str) {
    ui.add_space(10.0);
    ui.label(egui::RichText::new(title).color(theme::TEXT));
    ui.label(egui::RichText::new(hint).font(theme::small()).color(theme::TEXT_WEAK));
}

/// The recent past in a small cell: a min/max band, one column per bucket, drawn over the cell's height.
pub fn paint_sparkline(painter: &Painter, cell: Rect, buckets: &[Bucket], colour: Color32) {
    if cell.width() < 8.0 || cell.height() < 6.0 {
        return;
    }
    let filled = || buckets.iter().enumerate().filter(|(_, b)| b.count > 0 && b.min.is_finite() && b.max.is_finite());
    let (low, high) =
        filled().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, b)| (low.min(b.min), high.max(b.max)));
    if !low.is_finite() || !high.is_finite() {
        return;
    }
    // A flat line lies in the middle, and noise far below the value's size does not fill the cell.
    let least = (high.abs().max(low.abs()) * 0.01).max(1e-9);
    let (middle, half) = (low / 2.0 + high / 2.0, (high / 2.0 - low / 2.0).max(least));
    let y_of = |v: f64| cell.center().y - ((v - middle) / half) as f32 * (cell.height() / 2.0 - 1.5);
    let x_of = |i: usize| cell.left() + (i as f32 + 0.5) / buckets.len() as f32 * cell.width();
    let mut points = Vec::with_capacity(buckets.len() * 2);
    for (i, bucket) in filled() {
        let x = x_of(i);
        // The end that is nearer to where the line comes from first: no needless zigzag.
        let (a, b) = if bucket.first <= bucket.last { (bucket.min, bucket.max) } else { (bucket.max, bucket.min) };
        points.push(pos2(x, y_of(a)));
        if a != b {
            points.push(pos2(x, y_of(b)));
        }
        if bucket.worst >= Grade::Bad {
            painter.circle_filled(pos2(x, cell.bottom() - 1.0), 1.2, theme::DATA);
        }
    }
    if let [only] = points[..] {
        painter.circle_filled(only, 1.5, colour);
    } else {
        painter.line(points, Stroke::new(1.2, colour));
    }
}
