//! Meshes of pipes, wires and belts. In: points in metres. Out: closed meshes with normals. Pure.

use bevy::asset::RenderAssetUsages;
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;

/// Pieces that a quarter bend is made of.
const BEND_PIECES: usize = 6;
/// Pieces of an arc, and how high it rises, in parts of its length.
const ARC_PIECES: usize = 24;
const ARC_RISE: f32 = 0.18;

/// `corners` with bends of `radius` (less where pieces are short) instead of corners.
pub fn rounded(corners: &[Vec3], radius: f32) -> Vec<Vec3> {
    let [first, .., last] = corners else { return corners.to_vec() };
    let mut out = vec![*first];
    for window in corners.windows(3) {
        let (before, corner, after) = (window[0], window[1], window[2]);
        let reach = radius.min(corner.distance(before) / 2.0).min(corner.distance(after) / 2.0);
        let start = corner + (before - corner).normalize_or_zero() * reach;
        let end = corner + (after - corner).normalize_or_zero() * reach;
        let centre = start + end - corner;
        for piece in 0..=BEND_PIECES {
            let t = piece as f32 / BEND_PIECES as f32 * std::f32::consts::FRAC_PI_2;
            // Exact for right angles, which is what routes are made of.
            out.push(centre + (start - centre) * t.cos() + (end - centre) * t.sin());
        }
    }
    out.push(*last);
    out.dedup_by(|a, b| a.distance(*b) < 1e-4);
    out
}

/// A parabola over the straight line from `a` to `b`.
pub fn arc(a: Vec3, b: Vec3) -> Vec<Vec3> {
    let rise = a.distance(b) * ARC_RISE;
    let at = |piece: usize| {
        let t = piece as f32 / ARC_PIECES as f32;
        a.lerp(b, t) + Vec3::Y * rise * 4.0 * t * (1.0 - t)
    };
    (0..=ARC_PIECES).map(at).collect()
}

#[derive(Default)]
struct Builder {
    positions: Vec<Vec3>,
    normals: Vec<Vec3>,
    indices: Vec<u32>,
}

impl Builder {
    fn vertex(&mut self, position: Vec3, normal: Vec3) -> u32 {
        self.positions.push(position);
        self.normals.push(normal);
        self.positions.len() as u32 - 1
    }

    fn quad(&mut self, corners: [Vec3; 4]) {
        let normal = (corners[1] - corners[0]).cross(corners[2] - corners[0]).normalize_or(Vec3::Y);
        let [a, b, c, d] = corners.map(|corner| self.vertex(corner, normal));
        self.indices.extend([a, b, c, a, c, d]);
    }

    fn mesh(self) -> Mesh {
        Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::default())
            .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, self.positions)
            .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, self.normals)
            .with_inserted_indices(Indices::U32(self.indices))
    }
}

/// A round tube along `path`, closed at both ends, with `sides` sides.
pub fn round(path: &[Vec3], radius: f32, sides: u32) -> Mesh {
    let mut build = Builder::default();
    let (&[first, second, ..], &[.., before, last]) = (path, path) else { return build.mesh() };
    let mut forward = (second - first).normalize_or(Vec3::X);
    let mut across = forward.any_orthonormal_vector();
    let spoke = |across: Vec3, forward: Vec3, side: u32| {
        let angle = side as f32 / sides as f32 * std::f32::consts::TAU;
        across * angle.cos() + forward.cross(across) * angle.sin()
    };
    for (index, point) in path.iter().enumerate() {
        let arriving = index.checked_sub(1).map(|i| *point - path[i]);
        let leaving = path.get(index + 1).map(|next| *next - *point);
        let towards =
            arriving.unwrap_or_default().normalize_or_zero() + leaving.unwrap_or_default().normalize_or_zero();
        let next = towards.normalize_or(forward);
        // Carried along without twist (the double reflection method would be exact; bends here are short).
        across = Quat::from_rotation_arc(forward, next) * across;
        forward = next;
        for side in 0..sides {
            let normal = spoke(across, forward, side);
            build.vertex(*point + normal * radius, normal);
        }
    }
    for ring in 0..path.len() as u32 - 1 {
        for side in 0..sides {
            let next = (side + 1) % sides;
            let [a, b] = [ring * sides + side, ring * sides + next];
            let [c, d] = [a + sides, b + sides];
            build.indices.extend([a, b, c, b, d, c]);
        }
    }
    for (end, normal, ring, flip) in [
        (first, (first - second).normalize_or_zero(), 0, true),
        (last, (last - before).normalize_or_zero(), path.len() - 1, false),
    ] {
        let centre = build.vertex(end, normal);
        let rim: Vec<u32> = (0..sides as usize)
            .map(|side| {
                let at = build.positions[ring * sides as usize + side];
                build.vertex(at, normal)
            })
            .collect();
        for side in 0..rim.len() {
            let (a, b) = (rim[side], rim[(side + 1) % rim.len()]);
            build.indices.extend(if flip { [centre, b, a] } else { [centre, a, b] });
        }
    }
    build.mesh()
}

/// A flat band of `size` (breadth, thickness) whose top is on the line from `a` to `b`.
pub fn belt(a: Vec3, b: Vec3, size: Vec2) -> Mesh {
    let mut build = Builder::default();
    let along = (b - a).normalize_or(Vec3::X);
    let side = along.cross(Vec3::Y).normalize_or(Vec3::Z) * (size.x / 2.0);
    let down = side.cross(along).normalize_or(Vec3::Y) * -size.y;
    let [al, ar, bl, br] = [a - side, a + side, b - side, b + side];
    build.quad([ar, br, bl, al]);
    build.quad([al + down, bl + down, br + down, ar + down]);
    build.quad([al, bl, bl + down, al + down]);
    build.quad([ar + down, br + down, br, ar]);
    build.quad([al + down, ar + down, ar, al]);
    build.quad([bl, br, br + down, bl + down]);
    build.mesh()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The volume that the faces enclose; positive only if all of them look outwards.
    fn volume(mesh: &Mesh) -> f32 {
        let positions =
            mesh.attribute(Mesh::ATTRIBUTE_POSITION).and_then(|a| a.as_float3()).expect("tubes have positions");
        let indices: Vec<usize> = mesh.indices().expect("tubes have indices").iter().collect();
        let face = |f: &[usize]| {
            let [a, b, c] = [f[0], f[1], f[2]].map(|i| Vec3::from_array(positions[i]));
            a.dot(b.cross(c)) / 6.0
        };
        indices.chunks(3).map(face).sum()
    }

    #[test]
    fn a_straight_tube_holds_what_a_cylinder_holds() {
        let mesh = round(&[Vec3::X, Vec3::X + Vec3::Z * 3.0], 0.5, 64);
        let cylinder = std::f32::consts::PI * 0.25 * 3.0;
        assert!((volume(&mesh) / cylinder - 1.0).abs() < 0.01, "{}", volume(&mesh));
    }

    #[test]
    fn a_belt_holds_length_times_breadth_times_thickness() {
        let mesh = belt(Vec3::new(1.0, 1.0, 0.0), Vec3::new(3.0, 1.0, 0.0), Vec2::new(0.5, 0.1));
        assert!((volume(&mesh) - 0.1).abs() < 1e-5, "{}", volume(&mesh));
    }

    #[test]
    fn bends_keep_their_distance_to_the_corner_and_ends_stay() {
        let path = rounded(&[Vec3::ZERO, Vec3::X * 2.0, Vec3::new(2.0, 2.0, 0.0)], 0.5);
        assert_eq!((path[0], path[path.len() - 1]), (Vec3::ZERO, Vec3::new(2.0, 2.0, 0.0)));
        let centre = Vec3::new(1.5, 0.5, 0.0);
        for point in &path[1..path.len() - 1] {
            assert!((point.distance(centre) - 0.5).abs() < 1e-4, "{point}");
        }
    }

    #[test]
    fn no_path_is_too_short_to_be_drawn() {
        for path in [&[][..], &[Vec3::ZERO], &[Vec3::ZERO, Vec3::ZERO]] {
            assert!(volume(&round(path, 0.1, 8)).is_finite());
        }
    }
}
