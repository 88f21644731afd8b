//! Which twin is under the pointer, and what clicking it means.
//!
//! In: the pointer (where [`PointerInView`] allows), meshes. Out: [`Hovered`], `Select` and `Focus` commands. Casts a ray
//! only when the pointer moved or clicked, never in an idle frame.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bevy::ecs::system::SystemParam;
use bevy::input::ButtonState;
use bevy::math::Ray3d;
use bevy::picking::mesh_picking::ray_cast::{MeshRayCast, MeshRayCastSettings, RayCastVisibility};
use bevy::prelude::*;
use bevy::render::{ExtractSchedule, RenderApp};
use bevy::window::WindowEvent;

use super::ViewSet;
use super::building::Building;
use super::camera::WorldCamera;
use super::clicks::{Came, Clicks, Hand};
use super::ghost::Ghostly;
use super::paint::Paint;
use super::viewport::{PointerInView, Surface, ViewRect};
use crate::command::{AttentionCommand, CameraCommand, OperatorCommand};
use crate::stage::Twin;
use crate::value::TwinIndex;

/// The twin under the pointer.
#[derive(Resource, Default, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hovered {
    pub twin: Option<TwinIndex>,
}

/// A twin whose menu was asked for by a click with the right button; the panels take it.
#[derive(Resource, Default, Clone, Copy, PartialEq, Debug)]
pub struct TwinMenu {
    /// With the place of the click, in logical pixels from the top left of the window.
    pub asked: Option<(TwinIndex, Vec2)>,
}

/// When the last frame was handed to the renderer: from then on the event loop was free.
#[derive(Resource, Clone)]
struct Free(Arc<Mutex<Instant>>);

pub(super) fn plugin(app: &mut App) {
    let free = Free(Arc::new(Mutex::new(Instant::now())));
    if let Some(renderer) = app.get_sub_app_mut(RenderApp) {
        renderer.insert_resource(free.clone()).add_systems(ExtractSchedule, note_free);
    }
    app.init_resource::<Hovered>()
        .init_resource::<TwinMenu>()
        .insert_resource(free)
        .add_systems(Update, (hover, click).chain().in_set(ViewSet::Point).after(super::viewport::find_pointer));
}

fn note_free(free: Res<Free>) {
    *free.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
}

/// Where `ray` meets the ground.
pub(super) fn on_ground(ray: Ray3d) -> Option<Vec3> {
    let distance = ray.intersect_plane(Vec3::ZERO, InfinitePlane3d::new(Vec3::Y))?;
    Some(ray.get_point(distance))
}

/// Finds what lies at a place in the window.
#[derive(SystemParam)]
struct Aim<'w, 's> {
    rect: Res<'w, ViewRect>,
    cameras: Query<'w, 's, (&'static Camera, &'static GlobalTransform), With<WorldCamera>>,
    painted: Query<'w, 's, (), (With<Paint>, Without<Ghostly>)>,
    parents: Query<'w, 's, &'static ChildOf>,
    twins: Query<'w, 's, (&'static Twin, Has<Building>)>,
    rays: MeshRayCast<'w, 's>,
}

impl Aim<'_, '_> {
    fn twin_at(&mut self, position: Vec2) -> Option<TwinIndex> {
        let (camera, eye) = self.cameras.single().ok()?;
        let ray = camera.viewport_to_world(eye, position - self.rect.origin(camera)).ok()?;
        let filter = |entity| self.painted.contains(entity);
        // What is in view is known only in frames in which the world is drawn.
        let settings = MeshRayCastSettings::default().with_filter(&filter).with_visibility(RayCastVisibility::Visible);
        let mesh = self.rays.cast_ray(ray, &settings).first().map(|(entity, _)| *entity)?;
        let (twin, building) = self.parents.iter_ancestors(mesh).find_map(|entity| self.twins.get(entity).ok())?;
        (!building).then_some(twin.index)
    }
}

fn hover(
    pointer: Res<PointerInView>,
    moved: Query<(), (With<WorldCamera>, Changed<GlobalTransform>)>,
    mut aim: Aim,
    mut hovered: ResMut<Hovered>,
) {
    // While the hand turns the camera, nothing is pointed at.
    if pointer.captured || !pointer.is_changed() && moved.is_empty() {
        return;
    }
    let twin = pointer.position.filter(|_| pointer.over).and_then(|position| aim.twin_at(position));
    hovered.set_if_neq(Hovered { twin });
}

struct Watch {
    clicks: Clicks,
    /// Of the right button.
    others: Clicks,
    begun: Instant,
    before: Instant,
}

impl Default for Watch {
    fn default() -> Self {
        let now = Instant::now();
        Self { clicks: Clicks::default(), others: Clicks::default(), begun: now, before: now }
    }
}

fn click(
    mut events: MessageReader<WindowEvent>,
    free: Res<Free>,
    mut surface: Surface,
    mut aim: Aim,
    mut state: Local<Watch>,
    mut commands: MessageWriter<OperatorCommand>,
    mut menu: ResMut<TwinMenu>,
) {
    let now = Instant::now();
    let Watch { clicks, others, begun, before } = &mut *state;
    let since = |moment: Instant| moment.saturating_duration_since(*begun);
    let free = *free.0.lock().unwrap_or_else(PoisonError::into_inner);
    let came = Came::within(since(std::mem::replace(before, now)), since(free), since(now));
    for event in events.read() {
        let (hand, button) = match event {
            WindowEvent::CursorMoved(moved) => (Hand::Moved(moved.position), None),
            WindowEvent::MouseButtonInput(input) => match input.state {
                ButtonState::Pressed => (Hand::Pressed, Some(input.button)),
                ButtonState::Released => (Hand::Released, Some(input.button)),
            },
            _ => continue,
        };
        let mut on = |position| surface.is_world(position).then(|| aim.twin_at(position));
        if button.is_none_or(|button| button == MouseButton::Right)
            && let Some(click) = others.feed(hand, came, &mut on)
            && let (Some(twin), Some(at)) = (click.twin, others.at())
        {
            commands.write(AttentionCommand::Select(Some(twin)).into());
            menu.asked = Some((twin, at));
        }
        if button.is_some_and(|button| button != MouseButton::Left) {
            continue;
        }
        let Some(click) = clicks.feed(hand, came, on) else { continue };
        commands.write(AttentionCommand::Select(click.twin).into());
        if click.double {
            commands.write(CameraCommand::Focus(click.twin).into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ray_meets_the_ground_below_it_and_a_ray_to_the_sky_does_not() {
        let down = Ray3d::new(Vec3::new(1.0, 5.0, 2.0), Dir3::NEG_Y);
        assert_eq!(on_ground(down), Some(Vec3::new(1.0, 0.0, 2.0)));
        assert_eq!(on_ground(Ray3d::new(Vec3::Y, Dir3::Y)), None);
    }
}
