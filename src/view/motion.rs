//! Signals to movement: spin, slide, rotate, fill, show, and (by way of [`Paint`]) tint and glow.
//!
//! In: [`Bound`] parts, the `Current` of their signals, the cursor. Out: [`Pose`] and from it `Transform`, `Visibility`,
//! [`Paint`], [`Activity`]. Writes only what differs: a signal that stands still costs a comparison. Parts hold their
//! place while their signal is stale or bad, except that nothing keeps spinning on a value that nobody vouches for.

use bevy::ecs::change_detection::Ref;
use bevy::prelude::*;

use super::paint::{Paint, Shade};
use super::{ViewSet, palette};
use crate::history::Cursor;
use crate::layers::Counterparts;
use crate::scene::Motion;
use crate::stage::Current;
use crate::value::Grade;

/// Whether anything needs more frames than data and input ask for.
#[derive(Resource, Default, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Activity {
    pub spinning: bool,
    pub camera: bool,
    pub loading: bool,
    /// Shaders.
    pub compiling: bool,
}

impl Activity {
    pub fn moving(&self) -> bool {
        self.spinning || self.camera || self.loading || self.compiling
    }
}

/// Faster than this a wheel seems to stand still or to turn back at 30 frames a second: it is shown at this speed, in
/// radians per second.
const FASTEST_SHOWN: f32 = 14.0;
/// Below this nothing is seen to turn, in radians per second.
const SLOWEST_SHOWN: f32 = 1e-3;
/// Steps of tint and glow: as many materials at most are made for each material and scale.
const STEPS: f32 = 32.0;
/// Luminance of a part that glows fully, in times its colour.
const GLOW: f32 = 1.5;
/// A fill level of nothing still needs a matrix that can be inverted.
const EMPTY: f32 = 1e-3;

/// Which values move a part.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum DrivenBy {
    /// Those of the shown world.
    #[default]
    Shown,
    /// Those of the layer at this place: of a ghost.
    Layer(usize),
}

/// A part of a look tied to a signal.
#[derive(Component, Debug)]
pub(super) struct Bound {
    node: Entity,
    signal: Entity,
    by: DrivenBy,
    motion: Motion,
    /// Scale and offset from the signal's unit to SI.
    to_si: (f64, f64),
    /// What a colour applies to.
    meshes: Vec<Entity>,
    /// Radians per second, for spinning parts.
    speed: f32,
    /// Radians turned so far, for spinning parts.
    angle: f32,
}

impl Bound {
    pub fn new(node: Entity, signal: Entity, motion: Motion, to_si: (f64, f64), meshes: Vec<Entity>) -> Self {
        Self { node, signal, by: DrivenBy::Shown, motion, to_si, meshes, speed: 0.0, angle: 0.0 }
    }

    pub fn driven_by(self, by: DrivenBy) -> Self {
        Self { by, ..self }
    }
}

/// What parts make of a node, in the node's own axes, on top of where the model puts it. Kept apart so that several parts
/// can move one node.
#[derive(Component, Clone, PartialEq, Debug)]
pub(super) struct Pose {
    rest: Transform,
    slide: Vec3,
    turn: Quat,
    spin: Quat,
    fill: Vec3,
}

impl Pose {
    pub fn at_rest(rest: Transform) -> Self {
        Self { rest, slide: Vec3::ZERO, turn: Quat::IDENTITY, spin: Quat::IDENTITY, fill: Vec3::ONE }
    }

    fn transform(&self) -> Transform {
        Transform {
            translation: self.rest.translation + self.rest.rotation * self.slide,
            rotation: self.rest.rotation * self.turn * self.spin,
            scale: self.rest.scale * self.fill,
        }
    }
}

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Activity>().add_systems(Update, (drive, spin, pose).chain().in_set(ViewSet::Drive));
}

/// Where `x` lies between `from.0` (0) and `from.1` (1), clamped; 0 for what is no number.
fn share(x: f64, from: (f64, f64)) -> f32 {
    let t = (x - from.0) / (from.1 - from.0);
    if t.is_nan() { 0.0 } else { t.clamp(0.0, 1.0) as f32 }
}

/// In 32 steps, so that colours repeat and materials can be shared.
fn stepped(t: f32) -> f32 {
    (t * STEPS).round() / STEPS
}

fn axis(axis: [f32; 3]) -> Vec3 {
    Vec3::from_array(axis).normalize_or(Vec3::Y)
}

/// `speed` (radians per second) as it is shown: true while it can be followed, bounded beyond.
fn shown_speed(speed: f32) -> f32 {
    if !speed.is_finite() || speed.abs() < SLOWEST_SHOWN { 0.0 } else { speed.clamp(-FASTEST_SHOWN, FASTEST_SHOWN) }
}

fn set_pose(poses: &mut Query<&mut Pose>, node: Entity, change: impl FnOnce(&mut Pose)) {
    let Ok(mut pose) = poses.get_mut(node) else { return };
    let mut next = pose.clone();
    change(&mut next);
    pose.set_if_neq(next);
}

fn set_paint(paints: &mut Query<&mut Paint>, meshes: &[Entity], change: impl Fn(&mut Paint)) {
    for mesh in meshes {
        let Ok(mut paint) = paints.get_mut(*mesh) else { continue };
        let mut next = paint.clone();
        change(&mut next);
        paint.set_if_neq(next);
    }
}

fn drive(
    mut parts: Query<&mut Bound>,
    signals: Query<(Ref<Current>, Option<Ref<Counterparts>>)>,
    mut poses: Query<&mut Pose>,
    mut paints: Query<&mut Paint>,
    mut visibilities: Query<&mut Visibility>,
) {
    for mut part in &mut parts {
        let Ok((own, others)) = signals.get(part.signal) else { continue };
        let (current, is_changed) = match part.by {
            DrivenBy::Shown => (&*own, own.is_changed()),
            DrivenBy::Layer(place) => match others.as_ref().and_then(|others| Some((others, others.get(place)?))) {
                Some((others, other)) => (&other.current, others.is_changed()),
                None => continue,
            },
        };
        if !is_changed && !part.is_added() {
            continue;
        }
        let raw = current.value.as_ref().and_then(|value| value.as_f64());
        let si = raw.map(|x| x * part.to_si.0 + part.to_si.1);
        let trusted = matches!(current.quality.grade, Grade::Good | Grade::Uncertain);
        // A bad value moves nothing; one that is only old keeps its place, also after a jump of the cursor.
        if current.quality.grade == Grade::Bad && raw.is_some() && !matches!(part.motion, Motion::Spin { .. }) {
            continue;
        }
        let node = part.node;
        match &part.motion {
            Motion::Spin { ratio, .. } => {
                let speed = if trusted { shown_speed(si.unwrap_or(0.0) as f32 * ratio) } else { 0.0 };
                if part.speed != speed {
                    part.speed = speed;
                }
            }
            Motion::Slide { axis: along, from, to } => {
                let offset =
                    raw.map_or(Vec3::ZERO, |x| Vec3::from_array(*along) * (to.0 + (to.1 - to.0) * share(x, *from)));
                set_pose(&mut poses, node, |pose| pose.slide = offset);
            }
            Motion::Rotate { axis: about } => {
                let turn = Quat::from_axis_angle(axis(*about), si.filter(|x| x.is_finite()).unwrap_or(0.0) as f32);
                set_pose(&mut poses, node, |pose| pose.turn = turn);
            }
            Motion::Fill { axis: along, from } => {
                let level = raw.map_or(EMPTY, |x| share(x, *from).max(EMPTY));
                let fill = Vec3::ONE + axis(*along).abs() * (level - 1.0);
                set_pose(&mut poses, node, |pose| pose.fill = fill);
            }
            Motion::Tint { from, scale } => {
                let tint = raw.map(|x| Shade::from(palette::sample(*scale, stepped(share(x, *from)))));
                set_paint(&mut paints, &part.meshes, |paint| paint.tint = tint);
            }
            Motion::Emit { colour, from } => {
                let [r, g, b] = *colour;
                let level = stepped(raw.map_or(0.0, |x| share(x, *from)));
                let glow = (level > 0.0).then(|| Shade::from(LinearRgba::rgb(r, g, b) * (level * GLOW)));
                set_paint(&mut paints, &part.meshes, |paint| paint.glow = glow);
            }
            Motion::Show { above } => {
                let shown = raw.is_some_and(|x| x >= *above);
                let wanted = if shown { Visibility::Inherited } else { Visibility::Hidden };
                if let Ok(mut visibility) = visibilities.get_mut(node) {
                    visibility.set_if_neq(wanted);
                }
            }
            // Labels are written by `label`.
            Motion::Label { .. } => {}
        }
    }
}

/// How fast the shown world runs, in source seconds per second: a paused world stands still.
fn pace(cursor: &Cursor) -> f32 {
    match cursor {
        Cursor::Live => 1.0,
        Cursor::Paused(_) => 0.0,
        Cursor::Playing { speed, .. } => (*speed as f32).clamp(-4.0, 4.0),
    }
}

fn spin(
    time: Res<Time<Real>>,
    cursor: Res<Cursor>,
    mut parts: Query<&mut Bound>,
    mut poses: Query<&mut Pose>,
    mut activity: ResMut<Activity>,
) {
    // After a sleep, go on from here instead of jumping.
    let secs = time.delta_secs().min(0.1);
    let pace = pace(&cursor);
    let mut spinning = false;
    for mut part in &mut parts {
        let Motion::Spin { axis: about, .. } = part.motion else { continue };
        let step = shown_speed(part.speed * pace) * secs;
        if part.speed * pace == 0.0 {
            continue;
        }
        spinning = true;
        // The angle is nobody's news: only the pose is.
        let part = part.bypass_change_detection();
        part.angle = (part.angle + step).rem_euclid(std::f32::consts::TAU);
        let turn = Quat::from_axis_angle(axis(about), part.angle);
        set_pose(&mut poses, part.node, |pose| pose.spin = turn);
    }
    if activity.spinning != spinning {
        activity.spinning = spinning;
    }
}

fn pose(mut nodes: Query<(&Pose, &mut Transform), Changed<Pose>>) {
    for (pose, mut transform) in &mut nodes {
        transform.set_if_neq(pose.transform());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Quality, Reason, Value};

    fn world() -> (App, Entity, Entity) {
        let mut app = App::new();
        app.init_resource::<Time<Real>>().init_resource::<Cursor>().init_resource::<Activity>();
        app.add_systems(Update, (drive, spin, pose).chain());
        let signal = app.world_mut().spawn(Current::default()).id();
        let rest = Transform::from_xyz(1.0, 2.0, 3.0);
        let node = app.world_mut().spawn((rest, Pose::at_rest(rest), Visibility::default())).id();
        (app, signal, node)
    }

    fn set(app: &mut App, signal: Entity, value: f64, quality: Quality) {
        let mut current = app.world_mut().get_mut::<Current>(signal).expect("spawned above");
        *current = Current { value: Some(Value::Number(value)), quality, ..default() };
        app.update();
    }

    fn at(app: &App, node: Entity) -> Transform {
        *app.world().get::<Transform>(node).expect("spawned above")
    }

    #[test]
    fn a_level_fills_from_empty_to_full_and_stays_within() {
        let (mut app, signal, node) = world();
        let motion = Motion::Fill { axis: [0.0, 1.0, 0.0], from: (0.0, 50.0) };
        app.world_mut().spawn(Bound::new(node, signal, motion, (1.0, 0.0), vec![]));
        for (value, height) in [(25.0, 0.5), (50.0, 1.0), (900.0, 1.0), (-3.0, EMPTY)] {
            set(&mut app, signal, value, Quality::GOOD);
            assert!(at(&app, node).scale.distance(Vec3::new(1.0, height, 1.0)) < 1e-6);
        }
    }

    #[test]
    fn two_parts_move_one_node_without_disturbing_each_other() {
        let (mut app, signal, node) = world();
        let slide = Motion::Slide { axis: [0.0, 1.0, 0.0], from: (0.0, 100.0), to: (0.0, 2.0) };
        let turn = Motion::Rotate { axis: [0.0, 1.0, 0.0] };
        app.world_mut().spawn(Bound::new(node, signal, slide, (1.0, 0.0), vec![]));
        app.world_mut().spawn(Bound::new(node, signal, turn, (1f64.to_radians(), 0.0), vec![]));
        set(&mut app, signal, 90.0, Quality::GOOD);
        let now = at(&app, node);
        assert!(now.translation.distance(Vec3::new(1.0, 3.8, 3.0)) < 1e-5);
        assert!((now.rotation * Vec3::X).distance(Vec3::NEG_Z) < 1e-5);
    }

    #[test]
    fn a_part_holds_its_place_on_a_bad_value_and_nothing_spins_on_a_stale_one() {
        let (mut app, signal, node) = world();
        let slide = Motion::Slide { axis: [1.0, 0.0, 0.0], from: (0.0, 1.0), to: (0.0, 1.0) };
        app.world_mut().spawn(Bound::new(node, signal, slide, (1.0, 0.0), vec![]));
        let spin = Motion::Spin { axis: [1.0, 0.0, 0.0], ratio: 1.0 };
        app.world_mut().spawn(Bound::new(node, signal, spin, (1.0, 0.0), vec![]));
        set(&mut app, signal, 1.0, Quality::GOOD);
        assert!(app.world().resource::<Activity>().spinning);
        set(&mut app, signal, 0.0, Quality::bad(Reason::OutOfRange));
        assert_eq!(at(&app, node).translation, Vec3::new(2.0, 2.0, 3.0));
        assert!(!app.world().resource::<Activity>().spinning);
    }

    #[test]
    fn a_world_that_stands_still_writes_nothing() {
        let (mut app, signal, node) = world();
        let motion = Motion::Rotate { axis: [0.0, 0.0, 1.0] };
        app.world_mut().spawn(Bound::new(node, signal, motion, (1.0, 0.0), vec![]));
        set(&mut app, signal, 1.0, Quality::GOOD);
        let before = app.world().entity(node).get_change_ticks::<Transform>().map(|ticks| ticks.changed);
        for _ in 0..3 {
            app.update();
        }
        set(&mut app, signal, 1.0, Quality::GOOD);
        assert_eq!(app.world().entity(node).get_change_ticks::<Transform>().map(|ticks| ticks.changed), before);
        assert!(!app.world().resource::<Activity>().moving());
    }

    #[test]
    fn a_paused_world_does_not_spin() {
        let (mut app, signal, node) = world();
        app.world_mut().spawn(Bound::new(
            node,
            signal,
            Motion::Spin { axis: [1.0, 0.0, 0.0], ratio: 1.0 },
            (1.0, 0.0),
            vec![],
        ));
        app.insert_resource(Cursor::Paused(default()));
        set(&mut app, signal, 5.0, Quality::GOOD);
        assert!(!app.world().resource::<Activity>().spinning);
    }

    #[test]
    fn shares_survive_any_number() {
        assert_eq!(share(5.0, (0.0, 10.0)), 0.5);
        assert_eq!(share(5.0, (10.0, 0.0)), 0.5);
        assert_eq!(share(f64::NAN, (0.0, 1.0)), 0.0);
        assert_eq!(share(1.0, (1.0, 1.0)), 0.0);
        assert_eq!(shown_speed(f32::INFINITY), 0.0);
        assert_eq!(shown_speed(-900.0), -FASTEST_SHOWN);
    }
}
