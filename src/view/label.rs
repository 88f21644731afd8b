//! Texts and badges in the world, projected to the screen.
//!
//! In: label parts with their signals, moods of twins, the camera. Out: [`ScreenLabels`], and [`paint`] to draw them with
//! an egui painter in the panel layer (so that text is as sharp as that of panels). Never decides what is an alarm.

use bevy::camera::CameraUpdateSystems;
use bevy::prelude::*;
use bevy::transform::TransformSystems;
use bevy_egui::{EguiPostUpdateSet, egui};

use super::badge::{self, Inks};
use super::beacon;
use super::bind::TextPart;
use super::camera::WorldCamera;
use super::declutter;
use super::ghost::Ghost;
use super::layer_mark;
use super::look::{LookBounds, Plain};
use super::mood::{Mood, Trust};
use super::palette;
use super::picking::Hovered;
use super::viewport::{Covered, ViewRect};
use super::world_image::WorldImage;
use crate::alarm::{Aside, Urgency};
use crate::command::Attention;
use crate::layers::{Layers, Look};
use crate::scene::LoadedScene;
use crate::scene::rule::Priority;
use crate::stage::{Broken, Current, Signal, Twin};
use crate::value::{Grade, TwinIndex, Value};

/// Everything to write over the 3D view in this frame, in the order to paint it.
#[derive(Resource, Default, PartialEq, Clone, Debug)]
pub struct ScreenLabels {
    pub labels: Vec<ScreenLabel>,
    /// Which ghosts are of which layer; none where there is only one layer.
    pub ghosts: Vec<GhostMark>,
}

/// The shape of a layer at the foot of one of its ghosts.
#[derive(PartialEq, Clone, Copy, Debug)]
pub struct GhostMark {
    pub twin: TwinIndex,
    /// Of the layer among all of them.
    pub place: usize,
    /// Logical pixels from the top left of the window.
    pub at: Vec2,
    pub look: Look,
}

/// What is written over one twin: its id, the values that its look shows, a badge if it needs a person.
#[derive(PartialEq, Clone, Debug)]
pub struct ScreenLabel {
    pub twin: TwinIndex,
    /// What the label stands over: logical pixels from the top left of the window.
    pub at: Vec2,
    /// How far the label's bottom lies above `at`, to make room for others.
    pub lift: f32,
    /// How far the label's middle lies to the right of `at`, where there was no room above it.
    pub shift: f32,
    /// Metres from the camera.
    pub distance: f32,
    pub id: String,
    /// Text with unit, and the grade of its quality.
    pub values: Vec<(String, Grade)>,
    pub badge: Option<Badge>,
    /// Something of it is broken on purpose.
    pub is_broken: bool,
    /// Selected or under the pointer.
    pub chosen: bool,
}

/// Shape repeats what colour says, so that neither is needed to read the other.
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
pub enum Badge {
    /// The worst alarm: its shape and number, filled until it is acknowledged.
    Alarm(Urgency),
    /// A hollow violet circle: every signal is stale or bad.
    Stale,
    /// A small grey bar: an alarm is shelved, suppressed or out of service.
    Aside(Aside),
}

/// Points: the smallest that panels use as well.
const FONT: f32 = 13.0;
/// Logical pixels between a twin and its label.
const HOVER: f32 = 4.0;
/// Between the shapes of two ghosts of one twin, in logical pixels.
const GHOST_MARK: f32 = 17.0;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<ScreenLabels>().init_resource::<Broken>().add_systems(
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
    match (mood.lamp.alarm, mood.trust) {
        (Some(alarm), _) => Some(Badge::Alarm(alarm)),
        (None, Trust::None) => Some(Badge::Stale),
        (None, _) => mood.lamp.aside.map(Badge::Aside),
    }
}

#[derive(bevy::ecs::system::SystemParam)]
struct Labelled<'w, 's> {
    twins: Query<
        'w,
        's,
        (&'static Twin, &'static GlobalTransform, Option<&'static LookBounds>, &'static Mood, Has<Plain>),
    >,
    parts: Query<'w, 's, &'static TextPart>,
    nodes: Query<'w, 's, &'static GlobalTransform>,
    signals: Query<'w, 's, (&'static Signal, &'static Current)>,
    layers: Option<Res<'w, Layers>>,
    broken: Res<'w, Broken>,
    ghosts: Query<'w, 's, (&'static Ghost, &'static GlobalTransform, &'static Visibility)>,
}

impl Labelled<'_, '_> {
    /// Where layers are told apart: beside each other at the foot of a twin, in their order.
    fn ghost_marks(&self, foot: impl Fn(Vec3) -> Option<Vec2>) -> Vec<GhostMark> {
        if self.layers.as_ref().is_none_or(|layers| layers.len() < 2) {
            return Vec::new();
        }
        let seen = self.ghosts.iter().filter(|(.., visibility)| **visibility != Visibility::Hidden);
        let mark = |(ghost, at, _): (&Ghost, &GlobalTransform, _)| {
            let (twin, place, look) = (ghost.twin, ghost.place, ghost.look);
            Some(GhostMark { twin, place, at: foot(at.translation())?, look })
        };
        let mut marks: Vec<GhostMark> = seen.filter_map(mark).collect();
        marks.sort_by_key(|mark| (mark.twin.0, mark.place));
        for of_twin in marks.chunk_by_mut(|a, b| a.twin == b.twin) {
            let middle = (of_twin.len() - 1) as f32 / 2.0;
            of_twin.iter_mut().zip(0u16..).for_each(|(mark, at)| mark.at.x += (f32::from(at) - middle) * GHOST_MARK);
        }
        marks
    }
}

fn project(
    camera: Query<(&Camera, &GlobalTransform), With<WorldCamera>>,
    rect: Res<ViewRect>,
    world: Res<WorldImage>,
    labelled: Labelled,
    loaded: Res<LoadedScene>,
    attention: Res<Attention>,
    hovered: Res<Hovered>,
    covered: Res<Covered>,
    mut out: ResMut<ScreenLabels>,
) {
    let Ok((camera, eye)) = camera.single() else { return };
    let Some(bounds) = camera.logical_viewport_rect().filter(|_| world.is_shown()) else {
        out.set_if_neq(ScreenLabels::default());
        return;
    };
    // From the world's picture to the window.
    let origin = rect.origin(camera);
    let bounds = Rect::from_corners(bounds.min + origin, bounds.max + origin);
    // With whether it is written even if there is nothing to say about the twin but its id.
    let mut labels: Vec<Option<(ScreenLabel, bool)>> = vec![None; loaded.scene.twins.len()];
    for (twin, place, extent, mood, plain) in &labelled.twins {
        let Some(slot) = labels.get_mut(twin.index.at()) else { continue };
        let Some(data) = loaded.scene.twins.get(twin.index.at()) else { continue };
        let top = place.transform_point(extent.map_or(Vec3::Y, LookBounds::top));
        // Above its beacon, which grows upwards on the screen.
        let distance = eye.translation().distance(top);
        let lift = mood.lamp.alarm.map_or(0.0, |alarm| beacon::height(alarm, distance));
        let Ok(at) = camera.world_to_viewport(eye, top + eye.up() * lift) else { continue };
        let at = at + origin;
        let label = ScreenLabel {
            twin: twin.index,
            at: at - Vec2::Y * HOVER,
            lift: 0.0,
            shift: 0.0,
            distance,
            id: data.id.clone(),
            values: Vec::new(),
            badge: badge(mood),
            is_broken: labelled.broken.twins.contains(&twin.index),
            chosen: attention.selected == Some(twin.index) || hovered.twin == Some(twin.index),
        };
        *slot = Some((label, plain));
    }
    for part in &labelled.parts {
        let (Ok(node), Ok((signal, current))) = (labelled.nodes.get(part.node), labelled.signals.get(part.signal))
        else {
            continue;
        };
        let Some(data) = loaded.scene.signals.get(signal.index.at()) else { continue };
        let Some(Some((label, _))) = labels.get_mut(data.twin.at()) else { continue };
        let at_node = part.anchored.then(|| camera.world_to_viewport(eye, node.translation()).ok()).flatten();
        // An alarm's label stands above the beacon.
        let is_lit = matches!(label.badge, Some(Badge::Alarm(_)));
        if let Some(at) = at_node.filter(|_| label.values.is_empty() && !is_lit) {
            label.at = at + origin - Vec2::Y * HOVER;
        }
        let grade = current.quality.grade;
        let doubt = match (grade, &current.value) {
            (Grade::Good, _) | (_, None) => "",
            (Grade::Uncertain, _) => " ?",
            (Grade::Stale, _) => " stale",
            (Grade::Bad, _) => " bad",
        };
        let text = value_text(current, part.decimals, &part.unit) + doubt;
        label.values.push((text, grade));
    }
    let speaks = |(label, plain): &(ScreenLabel, bool)| {
        *plain || label.chosen || label.is_broken || label.badge.is_some() || !label.values.is_empty()
    };
    let labels = labels.into_iter().flatten().filter(speaks).map(|(label, _)| label);
    let labels = labels.filter(|label| bounds.contains(label.at)).collect();
    let foot =
        |at: Vec3| camera.world_to_viewport(eye, at).ok().map(|at| at + origin).filter(|at| bounds.contains(*at));
    let ghosts = labelled.ghost_marks(foot);
    out.set_if_neq(ScreenLabels { labels: declutter::declutter(labels, bounds, covered.0), ghosts });
}

/// Draws all labels. `painter` must paint in the logical pixels of the window, clipped to the view.
pub fn paint(painter: &egui::Painter, labels: &ScreenLabels) {
    for mark in &labels.ghosts {
        layer_mark::paint_on_disc(painter, egui::pos2(mark.at.x, mark.at.y), &mark.look, INK);
    }
    for label in &labels.labels {
        paint_label(painter, label);
    }
}

const INK: egui::Color32 = egui::Color32::from_gray(24);
const INK_WEAK: egui::Color32 = egui::Color32::from_gray(86);
const PAPER: egui::Color32 = egui::Color32::from_rgba_premultiplied(232, 235, 238, 236);

fn paint_label(painter: &egui::Painter, label: &ScreenLabel) {
    let font = egui::FontId::proportional(FONT);
    let text = |text: &str, colour| painter.layout_no_wrap(text.to_owned(), font.clone(), colour);
    let head = text(&label.id, if label.values.is_empty() || label.chosen { INK } else { INK_WEAK });
    let values: Vec<_> = label
        .values
        .iter()
        .map(|(value, grade)| match grade {
            Grade::Good | Grade::Uncertain => text(value, INK),
            Grade::Stale | Grade::Bad => text(value, egui32(palette::STALE)),
        })
        .collect();
    let badge_width = if label.badge.is_some() { declutter::BADGE_WIDTH } else { 0.0 };
    let fault_width = if label.is_broken { badge::FAULT_WIDTH } else { 0.0 };
    let head_width = head.size().x + badge_width + fault_width;
    let width = values.iter().map(|line| line.size().x).fold(head_width, f32::max) + 2.0 * declutter::PADDING.x;
    let room = declutter::rect(label);
    let rect = egui::Rect::from_min_max(
        egui::pos2(room.center().x - width / 2.0, room.min.y),
        egui::pos2(room.center().x + width / 2.0, room.max.y),
    );
    let edge = match (label.badge, label.chosen) {
        (_, true) => egui::Stroke::new(2.0, egui32(palette::SELECTED)),
        (Some(Badge::Alarm(alarm)), _) => egui::Stroke::new(2.0, egui32(palette::priority(alarm.priority))),
        (Some(Badge::Stale), _) => egui::Stroke::new(1.5, egui32(palette::STALE)),
        (Some(Badge::Aside(_)) | None, _) => egui::Stroke::new(1.0, egui::Color32::from_black_alpha(40)),
    };
    if label.lift != 0.0 || label.shift != 0.0 {
        let foot = egui::pos2(label.at.x, label.at.y + HOVER);
        painter.line_segment([rect.clamp(foot), foot], egui::Stroke::new(1.0, INK_WEAK));
    }
    painter.rect(rect, 4.0, PAPER, edge, egui::StrokeKind::Inside);
    let mut top = rect.top() + declutter::PADDING.y;
    let head_left = rect.center().x - head_width / 2.0;
    if let Some(badge) = label.badge {
        paint_badge(painter, egui::pos2(head_left + 7.0, top + declutter::LINE_HEIGHT / 2.0), badge);
    }
    if label.is_broken {
        let centre = egui::pos2(head_left + badge_width + 5.0, top + declutter::LINE_HEIGHT / 2.0);
        badge::paint_fault(painter, centre, INK);
    }
    painter.galley(egui::pos2(head_left + badge_width + fault_width, top), head, INK);
    for line in values {
        top += declutter::LINE_HEIGHT;
        painter.galley(egui::pos2(rect.center().x - line.size().x / 2.0, top), line, INK);
    }
}

fn paint_badge(painter: &egui::Painter, centre: egui::Pos2, badge: Badge) {
    match badge {
        Badge::Alarm(alarm) => {
            let on_filled = if alarm.priority == Priority::Critical { egui::Color32::WHITE } else { INK };
            let colour = egui32(palette::priority(alarm.priority));
            badge::paint_alarm(painter, centre, alarm, &Inks { colour, on_filled, on_hollow: INK, ground: PAPER });
        }
        Badge::Stale => {
            painter.circle(
                centre,
                5.6,
                egui::Color32::from_white_alpha(200),
                egui::Stroke::new(2.0, egui32(palette::STALE)),
            );
        }
        Badge::Aside(_) => {
            painter.hline(centre.x - 5.0..=centre.x + 5.0, centre.y, egui::Stroke::new(3.0, INK_WEAK));
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
    use crate::alarm::Lamp;
    use crate::value::Quality;

    #[test]
    fn values_are_written_with_decimals_and_unit_and_a_dash_before_the_first() {
        let of = |value| Current { value, quality: Quality::GOOD, ..default() };
        assert_eq!(value_text(&of(Some(Value::Number(42.456))), 1, "m³/h"), "42.5 m³/h");
        assert_eq!(value_text(&of(Some(Value::Bool(true))), 1, ""), "true");
        assert_eq!(value_text(&of(None), 1, "kW"), "—");
    }

    #[test]
    fn the_worst_of_alarm_and_freshness_makes_the_badge() {
        let alarm = Some(Urgency { priority: Priority::Critical, unacknowledged: true });
        let mood = |alarm, aside, trust| badge(&Mood { lamp: Lamp { alarm, aside }, trust });
        assert_eq!(mood(None, None, Trust::All), None);
        assert_eq!(mood(None, None, Trust::Some), None);
        assert_eq!(mood(None, Some(Aside::Shelved), Trust::All), Some(Badge::Aside(Aside::Shelved)));
        assert_eq!(mood(None, Some(Aside::Shelved), Trust::None), Some(Badge::Stale));
        assert_eq!(mood(alarm, None, Trust::None), alarm.map(Badge::Alarm));
    }
}
