//! The camera of the world, and that of the panels.
//!
//! In: the pointer (where [`PointerInView`] allows), [`CameraCommand`]s. Out: the world camera's transform. Moves
//! smoothly to where it was sent and then stands still, so that an idle window stays idle. Keys belong to the panels.

use bevy::camera::RenderTarget;
use bevy::camera::visibility::RenderLayers;
use bevy::core_pipeline::tonemapping::Tonemapping;
use bevy::input::mouse::{AccumulatedMouseScroll, MouseScrollUnit};
use bevy::math::bounding::{Aabb3d, BoundingVolume};
use bevy::prelude::*;
use bevy_egui::PrimaryEguiContext;

use super::building::Building;
use super::look::LookBounds;
use super::motion::Activity;
use super::orbit::{FIELD_OF_VIEW, Orbit};
use super::viewport::{PointerInView, ViewRect};
use super::{ViewSet, picking, stage};
use crate::command::{CameraCommand, HandleCommands};
use crate::scene::{LoadedScene, Viewpoint};
use crate::stage::Twin;

/// The camera that draws the world into the [`WorldImage`](super::WorldImage).
#[derive(Component)]
pub struct WorldCamera;

/// The camera that shows the panels, and the picture of the world among them, over the whole target.
#[derive(Component)]
pub struct UiCamera;

/// What the camera of the panels draws into: the primary window unless told otherwise before the first frame.
#[derive(Resource, Clone, Default)]
pub struct ViewTarget(pub RenderTarget);

/// Where the camera is and where it is going.
#[derive(Resource, Default)]
struct Rig {
    now: Orbit,
    goal: Orbit,
    /// A scene was opened and the camera has not found its first place yet.
    arriving: bool,
    /// What was asked for in this frame; of several the last one counts.
    asked: Option<CameraCommand>,
    /// A focus that was asked for before its models were there.
    waiting: Option<CameraCommand>,
}

/// Metres around a twin that is focused, so that its surroundings are seen too.
const FOCUS_MARGIN: f32 = 0.35;
/// Metres: a scene of one small twin is not met nose to nose.
const ARRIVAL_DISTANCE: f32 = 7.0;
/// Pixels of a wheel or touch pad that make one notch.
const PIXELS_PER_NOTCH: f32 = 60.0;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Rig>()
        .init_resource::<ViewTarget>()
        .init_resource::<Activity>()
        .add_systems(Startup, spawn_cameras)
        .handle_commands(ask)
        .add_systems(Update, (arrive, obey, drag, zoom, travel).chain().in_set(ViewSet::Camera));
}

fn spawn_cameras(mut commands: Commands, target: Res<ViewTarget>, mut images: ResMut<Assets<Image>>) {
    commands.spawn((
        Name::new("world camera"),
        WorldCamera,
        Camera3d::default(),
        // Until there is an image to draw into.
        Camera { is_active: false, ..default() },
        Projection::Perspective(PerspectiveProjection { fov: FIELD_OF_VIEW, near: 0.05, far: 4_000.0, ..default() }),
        Orbit::default().transform(),
        Msaa::Sample4,
        // Keeps greys grey and signal colours as they were chosen.
        Tonemapping::KhronosPbrNeutral,
        stage::sky(&mut images),
    ));
    commands.spawn((
        Name::new("panel camera"),
        UiCamera,
        PrimaryEguiContext,
        Camera3d::default(),
        // After the world, which it shows.
        Camera { order: 1, ..default() },
        target.0.clone(),
        Msaa::Off,
        Tonemapping::None,
        RenderLayers::none(),
    ));
}

fn from_viewpoint(view: &Viewpoint) -> Orbit {
    Orbit::between(Vec3::from_array(view.eye), Vec3::from_array(view.target))
}

fn corners(bounds: Aabb3d) -> [Vec3; 8] {
    let (min, max) = (Vec3::from(bounds.min), Vec3::from(bounds.max));
    std::array::from_fn(|corner| {
        let pick = |bit: usize, low: f32, high: f32| if corner >> bit & 1 == 0 { low } else { high };
        Vec3::new(pick(0, min.x, max.x), pick(1, min.y, max.y), pick(2, min.z, max.z))
    })
}

/// What an overview must show.
type Furniture<'w, 's> =
    Query<'w, 's, (&'static LookBounds, &'static GlobalTransform), (With<Twin>, Without<Building>)>;

/// The corners of the boxes around all twins but buildings; empty while there are none.
fn corners_of_all(extents: &Furniture) -> Vec<Vec3> {
    extents.iter().flat_map(|(extent, place)| corners(extent.in_world(place))).collect()
}

/// A first look at `points`: along the longer side of the hall, a little from the side.
fn overview(points: &[Vec3], aspect: f32) -> Orbit {
    let (min, max) = points.iter().fold((Vec3::MAX, Vec3::MIN), |(min, max), p| (min.min(*p), max.max(*p)));
    let long_in_z = max.z - min.z > max.x - min.x;
    let start = Orbit::default();
    let yaw = if long_in_z { std::f32::consts::FRAC_PI_2 - start.yaw } else { start.yaw };
    Orbit { yaw, ..start }.framing(points, aspect)
}

fn aspect(camera: &Camera) -> f32 {
    camera.logical_viewport_size().map_or(1.6, |size| size.x / size.y.max(1.0))
}

/// Opening a scene shows all of it, seen from where its first viewpoint looks; saving it again leaves the camera where
/// it is. Until models are there the viewpoint itself has to do.
fn arrive(
    loaded: Res<LoadedScene>,
    extents: Furniture,
    camera: Query<&Camera, With<WorldCamera>>,
    activity: Res<Activity>,
    mut rig: ResMut<Rig>,
    mut path: Local<Option<std::path::PathBuf>>,
) {
    let first = loaded.scene.views.first().map(from_viewpoint);
    if loaded.is_changed() && path.as_ref() != Some(&loaded.scene.path) {
        *path = Some(loaded.scene.path.clone());
        let place = first.unwrap_or(rig.now);
        *rig = Rig { now: place, goal: place, arriving: true, asked: rig.asked.take(), waiting: None };
    }
    if !rig.arriving || activity.loading {
        return;
    }
    let points = corners_of_all(&extents);
    let (Ok(camera), false) = (camera.single(), points.is_empty()) else { return };
    let place = match first {
        Some(view) => view.framing(&points, aspect(camera)),
        None => overview(&points, aspect(camera)),
    };
    let place = Orbit { distance: place.distance.max(ARRIVAL_DISTANCE), ..place };
    (rig.now, rig.goal, rig.arriving) = (place, place, false);
}

/// Commands come before the scene is taken over and its twins are placed: they are carried out after that.
fn ask(In(command): In<CameraCommand>, mut rig: ResMut<Rig>) {
    rig.asked = Some(command);
}

#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
fn obey(
    loaded: Res<LoadedScene>,
    extents: Query<(&Twin, &LookBounds, &GlobalTransform)>,
    furniture: Furniture,
    camera: Query<&Camera, With<WorldCamera>>,
    activity: Res<Activity>,
    mut rig: ResMut<Rig>,
) {
    if rig.asked.is_none() && (rig.waiting.is_none() || activity.loading) {
        return;
    }
    let rig = &mut *rig;
    let Some(command) = rig.asked.take().or_else(|| rig.waiting.take()) else { return };
    let goal = match &command {
        CameraCommand::Focus(twin) => {
            let points = match twin {
                None => corners_of_all(&furniture),
                Some(index) => {
                    let found = extents.iter().find(|(twin, ..)| twin.index == *index);
                    let around = found.map(|(_, extent, place)| extent.in_world(place));
                    let roomy = |around: Aabb3d| corners(around.grow(around.half_size() * FOCUS_MARGIN)).to_vec();
                    around.map(roomy).unwrap_or_default()
                }
            };
            if points.is_empty() || activity.loading {
                rig.waiting = Some(command);
                return;
            }
            let Ok(camera) = camera.single() else { return };
            rig.goal.framing(&points, aspect(camera))
        }
        CameraCommand::Look(index) => {
            let Some(view) = loaded.scene.views.get(*index) else { return };
            from_viewpoint(view)
        }
    };
    rig.goal = goal;
    (rig.arriving, rig.waiting) = (false, None);
}

/// Left drag turns; right drag, middle drag or Shift pans: within reach of a mouse and of a touch pad with one button.
fn drag(
    pointer: Res<PointerInView>,
    buttons: Res<ButtonInput<MouseButton>>,
    keys: Res<ButtonInput<KeyCode>>,
    camera: Query<&Camera, With<WorldCamera>>,
    mut rig: ResMut<Rig>,
    mut last: Local<Option<Vec2>>,
) {
    let before = std::mem::replace(&mut *last, pointer.position.filter(|_| pointer.captured));
    let (Some(before), Some(now), true) = (before, pointer.position, pointer.captured) else { return };
    let step = now - before;
    if step == Vec2::ZERO {
        return;
    }
    let shift = keys.any_pressed([KeyCode::ShiftLeft, KeyCode::ShiftRight]);
    let goal = if buttons.any_pressed([MouseButton::Middle, MouseButton::Right]) || shift {
        let height = camera.single().ok().and_then(Camera::logical_viewport_size).map_or(720.0, |size| size.y);
        rig.goal.panned(step, height)
    } else if buttons.pressed(MouseButton::Left) {
        rig.goal.turned(step)
    } else {
        return;
    };
    // What the hand does is shown at once; only commands and the wheel glide.
    rig.goal = goal;
    rig.now = goal;
    (rig.arriving, rig.asked, rig.waiting) = (false, None, None);
}

fn zoom(
    pointer: Res<PointerInView>,
    rect: Res<ViewRect>,
    scroll: Res<AccumulatedMouseScroll>,
    camera: Query<(&Camera, &GlobalTransform), With<WorldCamera>>,
    mut rig: ResMut<Rig>,
) {
    if !pointer.over || scroll.delta.y == 0.0 {
        return;
    }
    let notches = match scroll.unit {
        MouseScrollUnit::Line => scroll.delta.y,
        MouseScrollUnit::Pixel => scroll.delta.y / PIXELS_PER_NOTCH,
    };
    let towards = camera.single().ok().zip(pointer.position).and_then(|((camera, eye), position)| {
        let ray = camera.viewport_to_world(eye, position - rect.origin(camera)).ok()?;
        // A horizon is no place to go to.
        picking::on_ground(ray).filter(|point| point.distance(rig.goal.target) < rig.goal.distance * 1.5)
    });
    rig.goal = rig.goal.zoomed(notches.clamp(-10.0, 10.0), towards);
    rig.arriving = false;
}

fn travel(
    time: Res<Time<Real>>,
    target: Res<ViewTarget>,
    mut rig: ResMut<Rig>,
    mut camera: Query<&mut Transform, With<WorldCamera>>,
    mut activity: ResMut<Activity>,
) {
    if !matches!(target.0, RenderTarget::Window(_)) && rig.now != rig.goal {
        // Nobody watches the way in a picture.
        rig.now = rig.goal;
    }
    if rig.now != rig.goal {
        rig.now = rig.now.approached(rig.goal, time.delta_secs().min(0.05));
    }
    if let Ok(mut transform) = camera.single_mut() {
        transform.set_if_neq(rig.now.transform());
    }
    let moving = rig.now != rig.goal;
    if activity.camera != moving {
        activity.camera = moving;
    }
}
