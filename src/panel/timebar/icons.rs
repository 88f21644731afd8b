//! Buttons of the time bar with drawn icons. Drawn rather than typed: no font needs to have the glyph.
//!
//! In: an icon, a name for assistive technology, a tip. Out: the response of a button.

use bevy_egui::egui::{Color32, Painter, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, WidgetInfo, WidgetType, vec2};

use crate::panel::theme;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Icon {
    ToStart,
    ToEnd,
    PreviousEvent,
    NextEvent,
    Back,
    Forward,
    Pause,
    Play,
    PlayBack,
    In,
    Out,
    Loop,
    Note,
    Bookmark,
    List,
    ZoomIn,
    ZoomOut,
    Fit,
}

pub const WIDTH: f32 = 28.0;
const HEIGHT: f32 = 26.0;

/// A button; `on` is none for one that does not stay down.
pub fn button(ui: &mut Ui, icon: Icon, on: Option<bool>, name: &str, tip: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(WIDTH, HEIGHT), Sense::click());
    response.widget_info(|| match on {
        Some(on) => WidgetInfo::selected(WidgetType::Button, true, on, name),
        None => WidgetInfo::labeled(WidgetType::Button, true, name),
    });
    let visuals = *ui.style().interact(&response);
    let (fill, ink) = match on {
        Some(true) => (theme::SELECTED, theme::TEXT_STRONG),
        _ => (visuals.bg_fill, visuals.fg_stroke.color),
    };
    ui.painter().rect_filled(rect, 4.0, fill);
    if on == Some(true) {
        ui.painter().hline(rect.shrink(4.0).x_range(), rect.bottom() - 1.5, Stroke::new(2.0, theme::ACCENT));
    }
    paint(ui.painter(), rect, icon, ink);
    response.on_hover_text(tip)
}

fn paint(painter: &Painter, rect: Rect, icon: Icon, ink: Color32) {
    let c = rect.center();
    let line = Stroke::new(1.6, ink);
    let triangle = |x: f32, size: f32| {
        let points = vec![c + vec2(x - size / 2.0, -5.5), c + vec2(x + size / 2.0, 0.0), c + vec2(x - size / 2.0, 5.5)];
        painter.add(Shape::convex_polygon(points, ink, Stroke::NONE));
    };
    let bar = |x: f32, width: f32| {
        painter.rect_filled(Rect::from_center_size(c + vec2(x, 0.0), vec2(width, 11.0)), 0.5, ink);
    };
    let strokes = |points: &[(f32, f32)]| {
        painter.line(points.iter().map(|&(x, y)| c + vec2(x, y)).collect(), line);
    };
    match icon {
        Icon::Pause => {
            bar(-3.0, 3.0);
            bar(3.0, 3.0);
        }
        Icon::Play => triangle(0.5, 9.0),
        Icon::PlayBack => triangle(-0.5, -9.0),
        Icon::Forward => {
            triangle(-1.5, 8.0);
            bar(4.5, 2.0);
        }
        Icon::Back => {
            triangle(1.5, -8.0);
            bar(-4.5, 2.0);
        }
        Icon::ToStart => {
            triangle(-1.0, -7.0);
            triangle(5.0, -7.0);
            bar(-6.0, 2.0);
        }
        Icon::ToEnd => {
            triangle(1.0, 7.0);
            triangle(-5.0, 7.0);
            bar(6.0, 2.0);
        }
        Icon::NextEvent => {
            triangle(-3.0, 7.0);
            diamond(painter, c + vec2(5.0, 0.0), 4.0, ink);
        }
        Icon::PreviousEvent => {
            triangle(3.0, -7.0);
            diamond(painter, c + vec2(-5.0, 0.0), 4.0, ink);
        }
        Icon::In => strokes(&[(2.5, -6.0), (-2.5, -6.0), (-2.5, 6.0), (2.5, 6.0)]),
        Icon::Out => strokes(&[(-2.5, -6.0), (2.5, -6.0), (2.5, 6.0), (-2.5, 6.0)]),
        Icon::Loop => {
            strokes(&[(-1.0, -4.5), (6.0, -4.5), (6.0, 4.5), (-6.0, 4.5), (-6.0, -1.0)]);
            let tip = vec![c + vec2(-2.0, -8.0), c + vec2(-7.0, -4.5), c + vec2(-2.0, -1.0)];
            painter.add(Shape::convex_polygon(tip, ink, Stroke::NONE));
        }
        Icon::Note => note(painter, c, 6.5, ink),
        Icon::Bookmark => bookmark(painter, c, 6.5, ink),
        Icon::List => {
            for y in [-4.5, 0.0, 4.5] {
                painter.hline(c.x - 2.5..=c.x + 6.5, c.y + y, line);
                painter.circle_filled(c + vec2(-5.5, y), 1.3, ink);
            }
        }
        Icon::ZoomIn | Icon::ZoomOut => {
            painter.circle_stroke(c + vec2(-1.5, -1.5), 5.0, line);
            strokes(&[(2.2, 2.2), (6.5, 6.5)]);
            painter.hline(c.x - 4.0..=c.x + 1.0, c.y - 1.5, line);
            if icon == Icon::ZoomIn {
                painter.vline(c.x - 1.5, c.y - 4.0..=c.y + 1.0, line);
            }
        }
        Icon::Fit => {
            painter.hline(c.x - 4.5..=c.x + 4.5, c.y, line);
            painter.vline(c.x - 7.0, c.y - 5.5..=c.y + 5.5, line);
            painter.vline(c.x + 7.0, c.y - 5.5..=c.y + 5.5, line);
            strokes(&[(-2.5, -2.8), (-5.0, 0.0), (-2.5, 2.8)]);
            strokes(&[(2.5, -2.8), (5.0, 0.0), (2.5, 2.8)]);
        }
    }
}

pub fn diamond(painter: &Painter, c: Pos2, r: f32, ink: Color32) {
    let points = [vec2(0.0, -r), vec2(r, 0.0), vec2(0.0, r), vec2(-r, 0.0)].map(|d| c + d).to_vec();
    painter.add(Shape::convex_polygon(points, ink, Stroke::NONE));
}

/// A sheet with two lines of writing.
pub fn note(painter: &Painter, c: Pos2, r: f32, ink: Color32) {
    let sheet = Rect::from_center_size(c, vec2(1.7 * r, 1.8 * r));
    painter.rect_stroke(sheet, 1.0, Stroke::new(1.4, ink), bevy_egui::egui::StrokeKind::Middle);
    for y in [-0.3, 0.25] {
        painter.hline(sheet.left() + 2.5..=sheet.right() - 2.5, c.y + y * r, Stroke::new(1.2, ink));
    }
}

/// A ribbon with a notch.
pub fn bookmark(painter: &Painter, c: Pos2, r: f32, ink: Color32) {
    let (w, h) = (0.62 * r, r);
    let left = vec![c + vec2(-w, -h), c + vec2(0.0, -h), c + vec2(0.0, 0.45 * h), c + vec2(-w, h)];
    let right = vec![c + vec2(0.0, -h), c + vec2(w, -h), c + vec2(w, h), c + vec2(0.0, 0.45 * h)];
    for points in [left, right] {
        painter.add(Shape::convex_polygon(points, ink, Stroke::NONE));
    }
}
