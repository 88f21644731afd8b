//! The way of a pipe: along the three axes, out of its ports, around twins where it can.
//!
//! In: two ends, the boxes that stand around. Out: the corners of the way. Pure; a plain search over few candidates, not a
//! path finder: installations in scenes are drawn to be understood.

use bevy::math::bounding::{Aabb3d, BoundingVolume};
use bevy::prelude::*;

/// Where a link begins or ends.
#[derive(Clone, Copy, Debug)]
pub struct End {
    pub at: Vec3,
    /// The axis direction that leads away from the twin.
    pub out: Vec3,
    /// The twin's box in the world.
    pub bounds: Aabb3d,
}

impl End {
    /// A port leads away from the nearest side of its twin (never into the ground).
    pub fn at_port(at: Vec3, bounds: Aabb3d) -> Self {
        let (min, max) = (Vec3::from(bounds.min), Vec3::from(bounds.max));
        let sides = [
            (max.x - at.x, Vec3::X),
            (at.x - min.x, Vec3::NEG_X),
            (max.z - at.z, Vec3::Z),
            (at.z - min.z, Vec3::NEG_Z),
            (max.y - at.y, Vec3::Y),
        ];
        let nearest = sides.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
        Self { at, out: nearest.map_or(Vec3::Y, |(_, out)| out), bounds }
    }

    /// Without a port, the top of the twin.
    pub fn at_middle(bounds: Aabb3d) -> Self {
        Self { at: Vec3::from(bounds.center()).with_y(bounds.max.y), out: Vec3::Y, bounds }
    }
}

/// What a corner costs, and what a metre inside another twin costs, in metres of pipe.
const CORNER: f32 = 0.6;
const INSIDE: f32 = 12.0;
/// Metres of air between a pipe rack and what it passes over.
const CLEARANCE: f32 = 0.35;

/// The corners from `from.at` to `to.at`; leaves and arrives straight for at least `stub` metres.
pub fn route(from: End, to: End, stub: f32, obstacles: &[Aabb3d]) -> Vec<Vec3> {
    let leave = from.at + from.out * leaving(&from, stub);
    let arrive = to.at + to.out * leaving(&to, stub);
    let mut best: Option<(f32, Vec<Vec3>)> = None;
    for middle in candidates(leave, arrive, &from, &to) {
        let mut path = vec![from.at, leave];
        path.extend(middle);
        path.extend([arrive, to.at]);
        let path = simplified(path);
        let cost = cost(&path, &from, &to, obstacles);
        if best.as_ref().is_none_or(|(least, _)| cost < *least) {
            best = Some((cost, path));
        }
    }
    best.map_or_else(|| vec![from.at, to.at], |(_, path)| path)
}

/// Far enough to be outside of the twin's own box.
fn leaving(end: &End, stub: f32) -> f32 {
    let side = Vec3::from(end.bounds.max).dot(end.out.max(Vec3::ZERO))
        + Vec3::from(end.bounds.min).dot(end.out.min(Vec3::ZERO));
    (side - end.at.dot(end.out)).max(0.0) + stub
}

/// Corners between `a` and `b`: every order of the axes, directly and by way of some heights and aisles.
fn candidates(a: Vec3, b: Vec3, from: &End, to: &End) -> Vec<Vec<Vec3>> {
    const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let steps = |a: Vec3, b: Vec3, order: [usize; 3]| {
        let mut at = a;
        order.map(|axis| {
            at[axis] = b[axis];
            at
        })
    };
    let mut ways: Vec<Vec<Vec3>> = ORDERS.iter().map(|order| steps(a, b, *order).to_vec()).collect();
    let above = from.bounds.max.y.max(to.bounds.max.y) + CLEARANCE;
    for height in [0.25, 0.6, above] {
        let (up, down) = (a.with_y(height), b.with_y(height));
        for order in [[0, 2, 1], [2, 0, 1]] {
            ways.push([up].into_iter().chain(steps(up, down, order)).collect());
        }
    }
    for axis in [0, 2] {
        let mut aisle = a;
        aisle[axis] = (a[axis] + b[axis]) / 2.0;
        for order in ORDERS {
            ways.push([aisle].into_iter().chain(steps(aisle, b, order)).collect());
        }
    }
    ways
}

/// Without corners that are none.
fn simplified(path: Vec<Vec3>) -> Vec<Vec3> {
    let mut out: Vec<Vec3> = Vec::with_capacity(path.len());
    for point in path {
        if out.last().is_some_and(|last| last.distance(point) < 1e-3) {
            continue;
        }
        if let [.., before, last] = out[..] {
            let (a, b) = ((last - before).normalize_or_zero(), (point - last).normalize_or_zero());
            if a.dot(b) > 0.9999 {
                out.pop();
            }
        }
        out.push(point);
    }
    out
}

fn cost(path: &[Vec3], from: &End, to: &End, obstacles: &[Aabb3d]) -> f32 {
    let mut cost = 0.0;
    for (index, pair) in path.windows(2).enumerate() {
        let (a, b) = (pair[0], pair[1]);
        cost += a.distance(b) + CORNER;
        // Turning on one's heel is no way to lay a pipe, and the floor ends at zero.
        if index > 0 && (b - a).dot(a - path[index - 1]) < -1e-4 {
            cost += 1_000.0;
        }
        cost += 1_000.0 * (-a.y.min(b.y)).max(0.0);
        // The first and the last piece touch their own twins.
        let ends = index == 0 || index + 2 == path.len();
        for bounds in obstacles {
            let own = *bounds == from.bounds || *bounds == to.bounds;
            if !(own && ends) {
                cost += INSIDE * length_inside(a, b, bounds);
            }
        }
    }
    cost
}

/// Metres of the piece from `a` to `b` that lie inside `bounds`.
fn length_inside(a: Vec3, b: Vec3, bounds: &Aabb3d) -> f32 {
    let (mut enter, mut leave) = (0.0_f32, 1.0_f32);
    for axis in 0..3 {
        let (low, high) = (bounds.min[axis] - a[axis], bounds.max[axis] - a[axis]);
        let step = b[axis] - a[axis];
        if step.abs() < 1e-6 {
            if low > 0.0 || high < 0.0 {
                return 0.0;
            }
        } else {
            let (t0, t1) = (low / step, high / step);
            enter = enter.max(t0.min(t1));
            leave = leave.min(t0.max(t1));
        }
    }
    (leave - enter).max(0.0) * a.distance(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit_box(x: f32, z: f32) -> Aabb3d {
        Aabb3d::from_min_max(Vec3::new(x - 0.5, 0.0, z - 0.5), Vec3::new(x + 0.5, 1.0, z + 0.5))
    }

    #[test]
    fn a_pipe_runs_along_the_axes_from_port_to_port() {
        let from = End::at_port(Vec3::new(0.5, 0.5, 0.0), unit_box(0.0, 0.0));
        let to = End::at_port(Vec3::new(3.5, 0.8, 2.0), unit_box(4.0, 2.0));
        let path = route(from, to, 0.2, &[from.bounds, to.bounds]);
        assert_eq!((path[0], path[path.len() - 1]), (from.at, to.at));
        for pair in path.windows(2) {
            let step = pair[1] - pair[0];
            assert_eq!(step.to_array().iter().filter(|x| x.abs() > 1e-3).count(), 1, "{path:?} is not along the axes");
        }
    }

    #[test]
    fn a_pipe_goes_around_a_twin_that_stands_between() {
        let (left, middle, right) = (unit_box(0.0, 0.0), unit_box(3.0, 0.0), unit_box(6.0, 0.0));
        let from = End::at_port(Vec3::new(0.5, 0.5, 0.0), left);
        let to = End::at_port(Vec3::new(5.5, 0.5, 0.0), right);
        let path = route(from, to, 0.2, &[left, middle, right]);
        let through: f32 = path.windows(2).map(|pair| length_inside(pair[0], pair[1], &middle)).sum();
        assert_eq!(through, 0.0, "{path:?}");
    }

    #[test]
    fn two_ports_face_to_face_are_joined_by_one_straight_piece() {
        let from = End::at_port(Vec3::new(0.5, 0.5, 0.0), unit_box(0.0, 0.0));
        let to = End::at_port(Vec3::new(3.5, 0.5, 0.0), unit_box(4.0, 0.0));
        assert_eq!(route(from, to, 0.2, &[from.bounds, to.bounds]), [from.at, to.at]);
    }

    #[test]
    fn a_port_leads_away_from_the_nearest_side() {
        assert_eq!(End::at_port(Vec3::new(0.0, 0.9, 0.1), unit_box(0.0, 0.0)).out, Vec3::Y);
        assert_eq!(End::at_port(Vec3::new(-0.5, 0.1, 0.1), unit_box(0.0, 0.0)).out, Vec3::NEG_X);
    }
}
