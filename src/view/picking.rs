//! Which twin is under the pointer, and what clicking it means.
//!
//! In: the pointer (where [`PointerInView`] allows), meshes. Out: [`Hovered`], `Select` and `Focus` commands. Casts a ray
//! only when the pointer moved or clicked, never in an idle frame.

use std::time::Duration;

use bevy::math::Ray3d;
use bevy::picking::mesh_picking::ray_cast::{MeshRayCast, MeshRayCastSettings, RayCastVisibility};
use bevy::prelude::*;

use super::ViewSet;
use super::building::Building;
use super::camera::WorldCamera;
use super::paint::Paint;
use super::viewport::{PointerInView, ViewRect};
use crate::command::OperatorCommand;
use crate::twin::{Twin, TwinIndex};

/// The twin under the pointer.
#[derive(Resource, Default, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hovered {
    pub twin: Option<TwinIndex>,
}

/// A press that moves farther than this (logical pixels) is a drag of the camera, not a click.
const CLICK_SLACK: f32 = 4.0;
const DOUBLE_CLICK: Duration = Duration::from_millis(400);

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Hovered>()
        .add_systems(Update, (hover, click).chain().in_set(ViewSet::Point).after(super::viewport::find_pointer));
}

/// Where `ray` meets the ground.
pub(super) fn on_ground(ray: Ray3d) -> Option<Vec3> {
    let distance = ray.intersect_plane(Vec3::ZERO, InfinitePlane3d::new(Vec3::Y))?;
    Some(ray.get_point(distance))
}

fn hover(
    pointer: Res<PointerInView>,
    rect: Res<ViewRect>,
    cameras: Query<(&Camera, Ref<GlobalTransform>), With<WorldCamera>>,
    painted: Query<(), With<Paint>>,
    parents: Query<&ChildOf>,
    twins: Query<(&Twin, Has<Building>)>,
    mut rays: MeshRayCast,
    mut hovered: ResMut<Hovered>,
) {
    let Ok((camera, eye)) = cameras.single() else { return };
    // While the hand turns the camera, nothing is pointed at.
    if !(pointer.is_changed() || eye.is_changed()) || pointer.captured {
        return;
    }
    let position = pointer.position.filter(|_| pointer.over);
    let ray = position.and_then(|position| camera.viewport_to_world(&eye, position - rect.origin(camera)).ok());
    let hit = ray.and_then(|ray| {
        let filter = |entity| painted.contains(entity);
        // What is in view is known only in frames in which the world is drawn.
        let settings =
            MeshRayCastSettings::default().with_filter(&filter).with_visibility(RayCastVisibility::Visible);
        rays.cast_ray(ray, &settings).first().map(|(entity, _)| *entity)
    });
    let twin = hit.and_then(|mesh| parents.iter_ancestors(mesh).find_map(|entity| twins.get(entity).ok()));
    let twin = twin.filter(|(_, building)| !building).map(|(twin, _)| twin.index);
    hovered.set_if_neq(Hovered { twin });
}

/// A press that has not yet become a click or a drag.
#[derive(Clone, Copy)]
struct Press {
    at: Vec2,
    twin: Option<TwinIndex>,
}

#[derive(Default)]
struct Clicks {
    press: Option<Press>,
    /// When and on what the last click was.
    last: Option<(Duration, TwinIndex)>,
}

fn click(
    pointer: Res<PointerInView>,
    buttons: Res<ButtonInput<MouseButton>>,
    hovered: Res<Hovered>,
    time: Res<Time<Real>>,
    mut state: Local<Clicks>,
    mut commands: MessageWriter<OperatorCommand>,
) {
    if buttons.just_pressed(MouseButton::Left) {
        state.press = pointer.position.filter(|_| pointer.over).map(|at| Press { at, twin: hovered.twin });
    }
    if let (Some(press), Some(position)) = (state.press, pointer.position)
        && press.at.distance(position) > CLICK_SLACK
    {
        state.press = None;
    }
    if !buttons.just_released(MouseButton::Left) {
        return;
    }
    let Some(press) = state.press.take() else { return };
    commands.write(OperatorCommand::Select(press.twin));
    let now = time.elapsed();
    let double =
        press.twin.is_some_and(|twin| state.last.is_some_and(|(at, last)| last == twin && now - at < DOUBLE_CLICK));
    if double {
        commands.write(OperatorCommand::Focus(press.twin));
    }
    state.last = press.twin.filter(|_| !double).map(|twin| (now, twin));
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

    fn world() -> App {
        let mut app = App::new();
        app.init_resource::<PointerInView>()
            .init_resource::<ButtonInput<MouseButton>>()
            .init_resource::<Hovered>()
            .init_resource::<Time<Real>>()
            .add_message::<OperatorCommand>()
            .add_systems(Update, click);
        app
    }

    fn pointer(app: &mut App, x: f32, down: bool) -> Vec<OperatorCommand> {
        *app.world_mut().resource_mut::<PointerInView>() =
            PointerInView { over: true, captured: down, position: Some(Vec2::new(x, 0.0)) };
        let mut buttons = app.world_mut().resource_mut::<ButtonInput<MouseButton>>();
        buttons.clear();
        if down {
            buttons.press(MouseButton::Left)
        } else {
            buttons.release(MouseButton::Left)
        }
        app.update();
        app.world_mut().resource_mut::<Messages<OperatorCommand>>().drain().collect()
    }

    #[test]
    fn a_click_selects_a_second_one_focuses_and_a_drag_does_neither() {
        let mut app = world();
        let twin = Some(TwinIndex(3));
        app.insert_resource(Hovered { twin });
        assert_eq!(pointer(&mut app, 10.0, true), []);
        assert_eq!(pointer(&mut app, 11.0, false), [OperatorCommand::Select(twin)]);
        pointer(&mut app, 11.0, true);
        assert_eq!(pointer(&mut app, 11.0, false), [OperatorCommand::Select(twin), OperatorCommand::Focus(twin)]);
        pointer(&mut app, 11.0, true);
        pointer(&mut app, 40.0, true);
        assert_eq!(pointer(&mut app, 11.0, false), []);
        app.insert_resource(Hovered::default());
        pointer(&mut app, 11.0, true);
        assert_eq!(pointer(&mut app, 11.0, false), [OperatorCommand::Select(None)]);
    }
}
