//! The shape of an alarm's priority, drawn with an egui painter: the same in the 3D view's labels and in all panels.
//!
//! In: a place, an annunciation, colours. Out: shapes. Square, triangle up, triangle down and disc stand for priority 1 to
//! 4, the number is written on them, and filled means unacknowledged: colour only repeats what shape and number say.

use bevy_egui::egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Shape, Stroke, Vec2, vec2};

use crate::alarm::Urgency;
use crate::scene::rule::Priority;

/// A bolt: something is broken on purpose. A shape of its own without colour, as nobody needs to act on it.
pub fn paint_fault(painter: &Painter, centre: Pos2, ink: Color32) {
    let bolt = [(1.5, -6.5), (-3.5, 1.0), (0.5, 1.0), (-1.5, 6.5), (3.5, -1.0), (-0.5, -1.0), (1.5, -6.5)];
    let points = bolt.map(|(x, y)| centre + vec2(x, y)).to_vec();
    painter.add(Shape::line(points, Stroke::new(1.5, ink)));
}

/// How wide a bolt is with the room beside it, in points.
pub const FAULT_WIDTH: f32 = 14.0;

/// What a shape is drawn with, to suit the ground that it stands on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Inks {
    /// Of the priority.
    pub colour: Color32,
    /// The number on a filled shape, and within a hollow one.
    pub on_filled: Color32,
    pub on_hollow: Color32,
    /// Within a hollow shape.
    pub ground: Color32,
}

/// Half the height of a shape in points.
pub const RADIUS: f32 = 7.5;

pub fn paint_alarm(painter: &Painter, centre: Pos2, alarm: Urgency, inks: &Inks) {
    let (fill, stroke, ink) = match alarm.unacknowledged {
        true => (inks.colour, Stroke::NONE, inks.on_filled),
        false => (inks.ground, Stroke::new(1.5, inks.colour), inks.on_hollow),
    };
    // A hollow shape's edge lies half outside.
    let r = if alarm.unacknowledged { RADIUS } else { RADIUS - 0.75 };
    let polygon = |points: &[(f32, f32)]| {
        let points = points.iter().map(|&(x, y)| centre + vec2(x * r, y * r)).collect();
        painter.add(Shape::convex_polygon(points, fill, stroke));
    };
    let number_at = match alarm.priority {
        Priority::Critical => {
            let rect = Rect::from_center_size(centre, Vec2::splat(1.9 * r));
            painter.rect(rect, 2.0, fill, stroke, bevy_egui::egui::StrokeKind::Middle);
            0.0
        }
        Priority::High => {
            polygon(&[(0.0, -1.15), (1.2, 1.0), (-1.2, 1.0)]);
            2.0
        }
        Priority::Medium => {
            polygon(&[(-1.2, -1.0), (1.2, -1.0), (0.0, 1.15)]);
            -2.0
        }
        Priority::Low => {
            painter.circle(centre, r, fill, stroke);
            0.0
        }
    };
    let number = alarm.priority.number().to_string();
    let font = FontId::proportional(if number_at == 0.0 { 12.0 } else { 11.0 });
    painter.text(centre + vec2(0.0, number_at), Align2::CENTER_CENTER, number, font, ink);
}
