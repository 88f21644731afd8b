//! The shapes of layers, drawn with an egui painter: the same beside ghosts and in all panels.
//!
//! In: a place, a [`Look`]. Out: shapes and strokes. A layer is known by its shape and by how its lines are broken; colour
//! only repeats what these say. Never decides which look a layer has.

use bevy_egui::egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2, vec2};

use crate::layers::{Dash, LayerMark, Look};

/// Half the width of a shape in points.
pub const RADIUS: f32 = 4.5;

pub fn colour(look: &Look) -> Color32 {
    let [red, green, blue] = look.colour;
    Color32::from_rgb(red, green, blue)
}

/// The shape of a layer, in its colour.
pub fn paint(painter: &Painter, centre: Pos2, look: &Look) {
    paint_in(painter, centre, look.mark, colour(look));
}

/// The shape of a layer in another colour, such as that of a signal.
pub fn paint_in(painter: &Painter, centre: Pos2, mark: LayerMark, ink: Color32) {
    let r = RADIUS;
    let polygon = |points: &[(f32, f32)]| {
        let points = points.iter().map(|&(x, y)| centre + vec2(x * r, y * r)).collect();
        painter.add(Shape::convex_polygon(points, ink, Stroke::NONE));
    };
    match mark {
        LayerMark::Circle => {
            painter.circle_filled(centre, r, ink);
        }
        LayerMark::Square => {
            painter.rect_filled(Rect::from_center_size(centre, Vec2::splat(1.8 * r)), 0.0, ink);
        }
        LayerMark::Triangle => polygon(&[(0.0, -1.1), (1.15, 0.9), (-1.15, 0.9)]),
        LayerMark::Diamond => polygon(&[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)]),
        LayerMark::Ring => {
            painter.circle_stroke(centre, r - 0.75, Stroke::new(1.5, ink));
        }
        LayerMark::Cross => {
            for arm in [vec2(r, r), vec2(r, -r)] {
                painter.line_segment([centre - arm, centre + arm], Stroke::new(2.0, ink));
            }
        }
    }
}

/// The same on a dark disc, so that it is seen on any ground.
pub fn paint_on_disc(painter: &Painter, centre: Pos2, look: &Look, ground: Color32) {
    let back = Rect::from_center_size(centre, Vec2::splat(2.0 * RADIUS + 6.0));
    painter.rect(back, 3.0, ground, Stroke::new(1.0, colour(look)), StrokeKind::Inside);
    paint(painter, centre, look);
}

/// A piece of a line of a layer, from one point to another.
pub fn dashed(points: &[Pos2], dash: Dash, stroke: Stroke) -> Vec<Shape> {
    match dash {
        Dash::Dashes { length } => Shape::dashed_line(points, stroke, length, length * 0.618),
        Dash::Dots { spacing } => Shape::dotted_line(points, stroke.color, spacing, stroke.width),
    }
}
