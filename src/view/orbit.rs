//! The mathematics of a camera that orbits a point. In: pointer deltas, boxes to frame, seconds. Out: poses. Never
//! touches the ECS.

use std::f32::consts::{FRAC_PI_2, TAU};

use bevy::prelude::*;

/// Vertical field of view in radians.
pub const FIELD_OF_VIEW: f32 = 0.6;
/// Metres.
const NEAREST: f32 = 0.3;
const FARTHEST: f32 = 2_000.0;
/// Radians above the horizon; never below the ground, never quite overhead, where yaw would lose its meaning.
const LOWEST: f32 = 0.02;
const HIGHEST: f32 = FRAC_PI_2 - 0.01;
/// Radians per logical pixel dragged.
const TURN: f32 = 0.006;
/// Share of the view that stays empty at its edges when something is framed.
const FRAME_MARGIN: f32 = 0.06;
/// Share of the way to the goal that is left after one second.
const LEFT_AFTER_A_SECOND: f32 = 1e-6;

/// Where the camera looks, from where.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Orbit {
    pub target: Vec3,
    /// Radians about the vertical, 0 looks north (-z), growing counter-clockwise seen from above.
    pub yaw: f32,
    /// Radians above the horizon.
    pub pitch: f32,
    /// Metres from target to eye.
    pub distance: f32,
}

impl Default for Orbit {
    fn default() -> Self {
        Self { target: Vec3::ZERO, yaw: 0.4, pitch: 0.45, distance: 20.0 }
    }
}

impl Orbit {
    pub fn between(eye: Vec3, target: Vec3) -> Self {
        let away = eye - target;
        let distance = away.length().max(NEAREST);
        Self { target, yaw: away.x.atan2(away.z), pitch: (away.y / distance).asin(), distance }.clamped()
    }

    /// From the target towards the eye.
    pub fn direction(&self) -> Vec3 {
        let (sin_yaw, cos_yaw) = self.yaw.sin_cos();
        let (sin_pitch, cos_pitch) = self.pitch.sin_cos();
        Vec3::new(sin_yaw * cos_pitch, sin_pitch, cos_yaw * cos_pitch)
    }

    pub fn transform(&self) -> Transform {
        Transform::from_translation(self.target + self.direction() * self.distance).looking_at(self.target, Vec3::Y)
    }

    /// Turns by a drag in logical pixels: the world follows the pointer.
    #[must_use]
    pub fn turned(self, drag: Vec2) -> Self {
        Self { yaw: self.yaw - drag.x * TURN, pitch: self.pitch + drag.y * TURN, ..self }.clamped()
    }

    /// Moves the target so that what is under the pointer stays under it. `height`: of the view in logical pixels.
    #[must_use]
    pub fn panned(self, drag: Vec2, height: f32) -> Self {
        let metres_per_pixel = 2.0 * self.distance * (FIELD_OF_VIEW / 2.0).tan() / height.max(1.0);
        let at = self.transform();
        let step = (at.up() * drag.y - at.right() * drag.x) * metres_per_pixel;
        Self { target: self.target + step, ..self }.clamped()
    }

    /// Comes nearer (`notches` > 0) or goes away. `towards`, the point under the pointer, stays where it is on screen.
    #[must_use]
    pub fn zoomed(self, notches: f32, towards: Option<Vec3>) -> Self {
        let wanted = self.distance * 0.88_f32.powf(notches);
        let distance = wanted.clamp(NEAREST, FARTHEST);
        let share = 1.0 - distance / self.distance;
        let target = towards.map_or(self.target, |point| self.target.lerp(point, share));
        Self { distance, target, ..self }.clamped()
    }

    /// The same direction, but placed so that all of `points` just fit into a view of `aspect` (width / height).
    ///
    /// In axes of the view, with depth `d` growing away from the eye at `e`, a point is seen if
    /// `|x - e.x| <= tan_x * (d - e.d)` and likewise for y. Each pair of sides gives the farthest possible eye and the
    /// middle between them; the farther of the two eyes sees everything.
    #[must_use]
    pub fn framing(self, points: &[Vec3], aspect: f32) -> Self {
        let at = Transform::IDENTITY.looking_to(-self.direction(), Vec3::Y);
        let (right, up, forward) = (*at.right(), *at.up(), *at.forward());
        let tan_y = (FIELD_OF_VIEW / 2.0).tan() * (1.0 - FRAME_MARGIN);
        let tan_x = tan_y * aspect.max(0.1);
        let greatest =
            |of: &dyn Fn(Vec3) -> f32| points.iter().map(|point| of(*point)).fold(f32::NEG_INFINITY, f32::max);
        let fit = |axis: Vec3, tan: f32| {
            let high = greatest(&|point| point.dot(axis) - tan * point.dot(forward));
            let low = greatest(&|point| -point.dot(axis) - tan * point.dot(forward));
            ((high - low) / 2.0, -(high + low) / (2.0 * tan))
        };
        let ((x, depth_x), (y, depth_y)) = (fit(right, tan_x), fit(up, tan_y));
        let eye_depth = depth_x.min(depth_y);
        let (near, far) = (-greatest(&|point| -point.dot(forward)), greatest(&|point| point.dot(forward)));
        let depth = (near + far) / 2.0;
        let target = right * x + up * y + forward * depth;
        if !target.is_finite() || !eye_depth.is_finite() {
            return self;
        }
        Self { target, distance: depth - eye_depth, ..self }.clamped()
    }

    /// One step of a smooth move to `goal` that takes the short way round, independent of the frame rate.
    #[must_use]
    pub fn approached(self, goal: Self, secs: f32) -> Self {
        let share = 1.0 - LEFT_AFTER_A_SECOND.powf(secs.clamp(0.0, 1.0));
        let turn = (goal.yaw - self.yaw + TAU / 2.0).rem_euclid(TAU) - TAU / 2.0;
        let next = Self {
            target: self.target.lerp(goal.target, share),
            yaw: self.yaw + turn * share,
            pitch: self.pitch + (goal.pitch - self.pitch) * share,
            distance: self.distance * (goal.distance / self.distance).powf(share),
        };
        if next.is_near(goal) { goal } else { next }
    }

    /// Too close to tell apart on a screen: a move ends here, so that it does end.
    fn is_near(&self, goal: Self) -> bool {
        let turn = (goal.yaw - self.yaw + TAU / 2.0).rem_euclid(TAU) - TAU / 2.0;
        self.target.distance(goal.target) < goal.distance * 2e-4
            && turn.abs() < 2e-4
            && (self.pitch - goal.pitch).abs() < 2e-4
            && (self.distance / goal.distance - 1.0).abs() < 2e-4
    }

    fn clamped(self) -> Self {
        Self {
            pitch: self.pitch.clamp(LOWEST, HIGHEST),
            distance: self.distance.clamp(NEAREST, FARTHEST),
            target: self.target.clamp(Vec3::splat(-1e5), Vec3::splat(1e5)),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eye_and_target_survive_the_way_to_an_orbit_and_back() {
        let (eye, target) = (Vec3::new(8.0, 5.0, -3.0), Vec3::new(1.0, 1.0, 2.0));
        let transform = Orbit::between(eye, target).transform();
        assert!(transform.translation.distance(eye) < 1e-4);
        assert!(transform.forward().distance((target - eye).normalize()) < 1e-4);
    }

    #[test]
    fn a_move_ends_exactly_at_its_goal_and_takes_the_short_way_round() {
        let start = Orbit { yaw: 0.1, ..default() };
        let goal = Orbit { yaw: TAU - 0.1, target: Vec3::X * 9.0, distance: 3.0, ..start };
        let mut orbit = start;
        let mut frames = 0;
        while orbit != goal {
            orbit = orbit.approached(goal, 1.0 / 60.0);
            assert!(orbit.yaw == goal.yaw || orbit.yaw <= 0.1 + 1e-6, "went the long way round: {orbit:?}");
            frames += 1;
            assert!(frames < 120, "does not settle: {orbit:?}");
        }
    }

    #[test]
    fn framing_shows_all_corners_of_a_box() {
        let corners: Vec<Vec3> = (0..8)
            .map(|c| {
                let pick = |bit: usize, low: f32, high: f32| if c >> bit & 1 == 0 { low } else { high };
                Vec3::new(pick(0, -20.0, 9.0), pick(1, 0.0, 6.0), pick(2, -3.0, 5.0))
            })
            .collect();
        let tan = (FIELD_OF_VIEW / 2.0).tan();
        for yaw in [0.0, 0.7, 2.0, 4.5] {
            let orbit = Orbit { yaw, ..default() }.framing(&corners, 1.6);
            let view = orbit.transform().to_matrix().inverse();
            let seen: Vec<Vec3> = corners.iter().map(|corner| view.transform_point3(*corner)).collect();
            let reach = |of: &dyn Fn(&Vec3) -> f32| seen.iter().map(|p| (of(p) / -p.z).abs() / tan).fold(0.0, f32::max);
            let (wide, high) = (reach(&|p| p.x) / 1.6, reach(&|p| p.y));
            assert!(seen.iter().all(|p| p.z < 0.0) && wide < 1.0 && high < 1.0, "{wide} {high}");
            assert!(wide.max(high) > 0.9, "more room than needed at {yaw}: {wide} {high}");
        }
    }

    #[test]
    fn zooming_keeps_the_point_under_the_pointer() {
        let orbit = Orbit::default();
        let point = Vec3::new(3.0, 0.0, 2.0);
        let seen = |orbit: Orbit| {
            let p = orbit.transform().to_matrix().inverse().transform_point3(point);
            Vec2::new(p.x / p.z, p.y / p.z)
        };
        assert!(seen(orbit).distance(seen(orbit.zoomed(3.0, Some(point)))) < 1e-4);
    }

    #[test]
    fn no_drag_brings_the_eye_below_the_ground_or_to_infinity() {
        let orbit = Orbit::default().turned(Vec2::new(1e9, -1e9)).zoomed(-1e6, None).panned(Vec2::splat(1e12), 0.0);
        assert!(orbit.pitch > 0.0 && orbit.distance <= FARTHEST && orbit.target.is_finite());
    }
}
