//! Texts and badges in the world, projected to the screen.
//!
//! In: label parts with their signals, moods of twins, the camera. Out: [`ScreenLabels`], and [`paint`] to draw them with
//! an egui painter in the panel layer (so that text is as sharp as that of panels). Never decides what is an alarm.

use bevy::camera::CameraUpdateSystems;
use bevy::prelude::*;
use bevy::transform::TransformSystems;
use bevy_egui::{EguiPostUpdateSet, egui};

use super::bind::TextPart;
use super::camera::WorldCamera;
use super::look::{Extent, Plain};
use super::mood::{Freshness, Mood};
use super::palette;
use super::picking::Hovered;
use crate::command::Attention;
use crate::scene::LoadedScene;
use crate::twin::{Current, Grade, Signal, Standing, Twin, TwinIndex, Value};

/// Everything to write over the 3D view in this frame, farthest first.
#[derive(Resource, Default, PartialEq, Clone, Debug)]
pub struct ScreenLabels {
    pub labels: Vec<ScreenLabel>,
}

#[derive(PartialEq, Clone, Debug)]
pub struct ScreenLabel {
    pub twin: TwinIndex,
    /// Where the bottom centre of the label goes: logical pixels from the top left of the window.
    pub at: Vec2,
    /// Metres from the camera.
    pub distance: f32,
    /// Empty for a badge alone.
    pub text: String,
    pub kind: LabelKind,
}

#[derive(PartialEq, Eq, Clone, Copy, Debug)]
pub enum LabelKind {
    /// The twin's id: of the selected, the hovered, and those without a model.
    Name,
    /// A signal's value, with the grade of its quality.
    Value(Grade),
    /// Something about the twin needs a person.
    Badge(Badge),
}

/// Shape repeats what colour says, so that neither is needed to read the other.
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
pub enum Badge {
    /// A yellow triangle.
    Warning,
    /// A red diamond.
    Critical,
    /// A hollow violet circle: every signal is stale or bad.
    Stale,
}

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<ScreenLabels>().add_systems(
        PostUpdate,
        project.after(TransformSystems::Propagate).after(CameraUpdateSystems).before(EguiPostUpdateSet::EndPass),
    );
}

/// `42.5 m³/h`, `running`, or a dash while there is nothing to say.
fn value_text(current: &Current, decimals: u8, unit: &str) -> String {
    let number = match &current.value {
        None => return "—".to_owned(),
        Some(Value::Number(x)) => format!("{x:.*}", usize::from(decimals.min(9))),
        Some(other) => other.to_string(),
    };
    if unit.is_empty() { number } else { format!("{number} {unit}") }
}

fn badge(mood: &Mood) -> Option<Badge> {
    match (mood.standing, mood.freshness) {
        (Standing::Critical, _) => Some(Badge::Critical),
        (Standing::Warning, _) => Some(Badge::Warning),
        (Standing::Normal, Freshness::Stale) => Some(Badge::Stale),
        (Standing::Normal, _) => None,
    }
}

#[derive(bevy::ecs::system::SystemParam)]
struct Labelled<'w, 's> {
    twins: Query<'w, 's, (&'static Twin, &'static GlobalTransform, Option<&'static Extent>, &'static Mood, Has<Plain>)>,
    parts: Query<'w, 's, &'static TextPart>,
    nodes: Query<'w, 's, &'static GlobalTransform>,
    signals: Query<'w, 's, (&'static Signal, &'static Current)>,
}

fn project(
    camera: Query<(&Camera, &GlobalTransform), With<WorldCamera>>,
    labelled: Labelled,
    loaded: Res<LoadedScene>,
    attention: Res<Attention>,
    hovered: Res<Hovered>,
    mut out: ResMut<ScreenLabels>,
) {
    let Ok((camera, eye)) = camera.single() else { return };
    let mut labels = Vec::new();
    let bounds = camera.logical_viewport_rect();
    let mut push = |twin: TwinIndex, point: Vec3, lift: f32, text: String, kind: LabelKind| {
        let Ok(at) = camera.world_to_viewport(eye, point) else { return };
        if camera.is_active && bounds.is_some_and(|bounds| bounds.contains(at)) {
            let distance = eye.translation().distance(point);
            labels.push(ScreenLabel { twin, at: at - Vec2::Y * lift, distance, text, kind });
        }
    };
    for (twin, place, extent, mood, plain) in &labelled.twins {
        let top = place.transform_point(extent.map_or(Vec3::Y, Extent::top));
        let named = plain || attention.selected == Some(twin.index) || hovered.twin == Some(twin.index);
        if named && let Some(data) = loaded.scene.twins.get(twin.index.at()) {
            push(twin.index, top, 6.0, data.id.clone(), LabelKind::Name);
        }
        if let Some(badge) = badge(mood) {
            push(twin.index, top, if named { 28.0 } else { 6.0 }, String::new(), LabelKind::Badge(badge));
        }
    }
    for part in &labelled.parts {
        let (Ok(node), Ok((signal, current))) = (labelled.nodes.get(part.node), labelled.signals.get(part.signal))
        else {
            continue;
        };
        let Some(data) = loaded.scene.signals.get(signal.index.at()) else { continue };
        let text = value_text(current, part.decimals, &part.unit);
        push(data.twin, node.translation(), 4.0, text, LabelKind::Value(current.quality.grade));
    }
    labels.sort_by(|a, b| b.distance.total_cmp(&a.distance));
    out.set_if_neq(ScreenLabels { labels });
}

/// Draws all labels. `painter` must paint in the logical pixels of the window, clipped to the view.
pub fn paint(painter: &egui::Painter, labels: &ScreenLabels) {
    for label in &labels.labels {
        let at = egui::pos2(label.at.x, label.at.y);
        match label.kind {
            LabelKind::Badge(badge) => paint_badge(painter, at, badge),
            LabelKind::Name => paint_text(painter, at, &label.text, egui::Color32::from_gray(20), 13.0),
            LabelKind::Value(grade) => {
                let (colour, text) = match grade {
                    Grade::Good => (egui::Color32::from_gray(30), label.text.clone()),
                    Grade::Uncertain => (egui::Color32::from_gray(70), format!("{} ?", label.text)),
                    Grade::Stale | Grade::Bad => (egui32(palette::STALE), format!("{} ×", label.text)),
                };
                paint_text(painter, at, &text, colour, 12.0);
            }
        }
    }
}

fn paint_text(painter: &egui::Painter, bottom: egui::Pos2, text: &str, colour: egui::Color32, size: f32) {
    let galley = painter.layout_no_wrap(text.to_owned(), egui::FontId::proportional(size), colour);
    let at = bottom - egui::vec2(galley.size().x / 2.0, galley.size().y + 3.0);
    let back = egui::Rect::from_min_size(at, galley.size()).expand2(egui::vec2(5.0, 2.0));
    painter.rect_filled(back, 4.0, egui::Color32::from_rgba_unmultiplied(246, 248, 250, 225));
    painter.galley(at, galley, colour);
}

fn paint_badge(painter: &egui::Painter, bottom: egui::Pos2, badge: Badge) {
    const R: f32 = 9.0;
    let centre = bottom - egui::vec2(0.0, R + 1.0);
    let edge = egui::Stroke::new(1.5, egui::Color32::WHITE);
    let at = |x: f32, y: f32| centre + egui::vec2(x * R, y * R);
    let mark = |painter: &egui::Painter, colour| {
        painter.text(
            centre + egui::vec2(0.0, 0.5),
            egui::Align2::CENTER_CENTER,
            "!",
            egui::FontId::proportional(12.0),
            colour,
        );
    };
    match badge {
        Badge::Critical => {
            let corners = vec![at(0.0, -1.2), at(1.2, 0.0), at(0.0, 1.2), at(-1.2, 0.0)];
            painter.add(egui::Shape::convex_polygon(corners, egui32(palette::CRITICAL), edge));
            mark(painter, egui::Color32::WHITE);
        }
        Badge::Warning => {
            let corners = vec![at(0.0, -1.15), at(1.2, 0.9), at(-1.2, 0.9)];
            painter.add(egui::Shape::convex_polygon(corners, egui32(palette::WARNING), edge));
            mark(painter, egui::Color32::from_gray(20));
        }
        Badge::Stale => {
            painter.circle(
                centre,
                R * 0.8,
                egui::Color32::from_white_alpha(200),
                egui::Stroke::new(2.5, egui32(palette::STALE)),
            );
        }
    }
}

fn egui32(colour: Color) -> egui::Color32 {
    let [r, g, b, _] = colour.to_srgba().to_u8_array();
    egui::Color32::from_rgb(r, g, b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twin::Quality;

    #[test]
    fn values_are_written_with_decimals_and_unit_and_a_dash_before_the_first() {
        let of = |value| Current { value, quality: Quality::GOOD, ..default() };
        assert_eq!(value_text(&of(Some(Value::Number(42.456))), 1, "m³/h"), "42.5 m³/h");
        assert_eq!(value_text(&of(Some(Value::Bool(true))), 1, ""), "true");
        assert_eq!(value_text(&of(None), 1, "kW"), "—");
    }

    #[test]
    fn the_worst_of_standing_and_freshness_makes_the_badge() {
        let mood = |standing, freshness| badge(&Mood { standing, freshness });
        assert_eq!(mood(Standing::Normal, Freshness::Fresh), None);
        assert_eq!(mood(Standing::Normal, Freshness::Partly), None);
        assert_eq!(mood(Standing::Normal, Freshness::Stale), Some(Badge::Stale));
        assert_eq!(mood(Standing::Critical, Freshness::Stale), Some(Badge::Critical));
    }
}
