//! Which part of the window shows the world, and whether the pointer belongs to it.
//!
//! In: [`ViewRect`] from the panel shell, the cursor, what egui covers. Out: [`PointerInView`]. Never reads a button for anything but capture: what a click means is for `camera` and `picking`.

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use bevy::window::{PrimaryWindow, RequestRedraw, WindowEvent};
use bevy_egui::{EguiContext, PrimaryEguiContext, egui};

use super::ViewSet;

/// The rectangle of the window that panels leave to the world, in physical pixels from the top left. The panel shell
/// writes it (with `set_if_neq`) in each egui pass; none gives the world the whole window.
#[derive(Resource, Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ViewRect {
    pub physical: Option<URect>,
}

/// What panels paint over the world, in logical pixels of the window: nothing that must be read may lie under it. Written
/// like [`ViewRect`].
#[derive(Resource, Clone, Copy, PartialEq, Default, Debug)]
pub struct Covered(pub Option<Rect>);

impl ViewRect {
    /// The top left of the world in logical pixels of the window: what to take from a place in the window to have one in
    /// the world's own picture.
    pub fn origin(&self, camera: &Camera) -> Vec2 {
        let scale = camera.target_scaling_factor().unwrap_or(1.0);
        self.physical.map_or(Vec2::ZERO, |rect| rect.min.as_vec2() / scale)
    }
}

/// Whether the pointer acts on the world or on panels: everything in the 3D view that reads the pointer asks here.
#[derive(Resource, Clone, Copy, PartialEq, Default, Debug)]
pub struct PointerInView {
    /// Over the world, with no panel, window or popup of egui above it.
    pub over: bool,
    /// A drag began in the world and has not ended: it keeps the pointer, wherever it goes.
    pub captured: bool,
    /// Logical pixels from the top left of the window.
    pub position: Option<Vec2>,
}

impl PointerInView {
    /// The world may use the pointer.
    pub fn active(&self) -> bool {
        self.over || self.captured
    }
}

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<ViewRect>()
        .init_resource::<Covered>()
        .init_resource::<PointerInView>()
        .add_systems(Update, find_pointer.in_set(ViewSet::Point))
        .add_systems(Last, redraw_after_resize);
}

/// `wanted` cut to a target of `size`; none if nothing is left of it (a camera with an empty viewport is an error).
pub(super) fn clamped(wanted: URect, size: UVec2) -> Option<URect> {
    let rect = wanted.intersect(URect::from_corners(UVec2::ZERO, size));
    (rect.width() > 0 && rect.height() > 0).then_some(rect)
}

/// Tells the world from what panels cover.
#[derive(SystemParam)]
pub(super) struct Surface<'w, 's> {
    window: Query<'w, 's, &'static Window, With<PrimaryWindow>>,
    rect: Res<'w, ViewRect>,
    contexts: Query<'w, 's, &'static mut EguiContext, With<PrimaryEguiContext>>,
}

impl Surface<'_, '_> {
    /// Whether the world is what lies at `position` (logical pixels).
    pub fn is_world(&mut self, position: Vec2) -> bool {
        let Ok(window) = self.window.single() else { return false };
        let physical = position * window.scale_factor();
        let inside = self.rect.physical.is_none_or(|rect| rect.as_rect().contains(physical));
        inside && !self.contexts.iter_mut().any(|mut context| covers(context.get_mut(), position))
    }
}

pub(super) fn find_pointer(
    mut surface: Surface,
    buttons: Res<ButtonInput<MouseButton>>,
    mut events: MessageReader<WindowEvent>,
    mut at: Local<Option<Vec2>>,
    mut pointer: ResMut<PointerInView>,
) {
    let Ok(window) = surface.window.single() else { return };
    let mut found = PointerInView { position: window.cursor_position(), ..default() };
    found.over = found.position.is_some_and(|position| surface.is_world(position));
    // Where the press was, not where the pointer has gone since: a drag of a tab may cross the world in one slow frame.
    let mut began = false;
    for event in events.read() {
        match event {
            WindowEvent::CursorMoved(moved) => *at = Some(moved.position),
            WindowEvent::MouseButtonInput(input) if input.state.is_pressed() => {
                began |= at.or(found.position).is_some_and(|position| surface.is_world(position));
            }
            _ => {}
        }
    }
    let held = buttons.get_pressed().next().is_some();
    found.captured = held && (pointer.captured || began);
    pointer.set_if_neq(found);
}

/// Whether egui has something above its background layer (a window, a popup, a tooltip with a button) at `position`, or
/// is in the middle of a drag of its own.
fn covers(context: &egui::Context, position: Vec2) -> bool {
    let position = egui::pos2(position.x, position.y) / context.zoom_factor();
    let above = context
        .layer_id_at(position)
        .is_some_and(|layer| !matches!(layer.order, egui::Order::Background | egui::Order::Tooltip));
    above || context.egui_is_using_pointer()
}

/// The panel shell moves the rectangle after the world was drawn: ask for one more frame, or an idle window keeps the
/// old one.
fn redraw_after_resize(rect: Res<ViewRect>, covered: Res<Covered>, mut redraw: MessageWriter<RequestRedraw>) {
    let moved = rect.is_changed() && !rect.is_added() || covered.is_changed() && !covered.is_added();
    if moved {
        redraw.write(RequestRedraw);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rectangle_is_cut_to_its_target_and_an_empty_one_is_none() {
        let size = UVec2::new(100, 50);
        assert_eq!(clamped(URect::new(10, 10, 200, 200), size), Some(URect::new(10, 10, 100, 50)));
        assert_eq!(clamped(URect::new(120, 10, 200, 40), size), None);
        assert_eq!(clamped(URect::new(10, 10, 10, 40), size), None);
    }
}
