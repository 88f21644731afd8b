//! Round bars and pipes along paths.
//! In: points in metres. Out: capped tubes with rounded elbows.

use super::{
    mesh::Mesh,
    vector::{Vec3, add, cross, dot, length, mix, perpendicular, scale, sub, unit},
};
use std::f64::consts::TAU;

const ELBOW_STEPS: u32 = 4;

/// A round tube through `points`; inner corners become elbows that begin `bend` metres before the corner.
pub fn tube(points: &[Vec3], radius: f64, bend: f64, segments: u32) -> Mesh {
    let path = rounded(points, bend);
    let mut mesh = Mesh::default();
    let tangents: Vec<Vec3> = (0..path.len())
        .map(|i| {
            let before = path[i.saturating_sub(1)];
            let after = path[(i + 1).min(path.len() - 1)];
            unit(sub(after, before))
        })
        .collect();
    let mut side = perpendicular(tangents[0]);
    let mut rings: Vec<Vec<u32>> = Vec::new();
    for (centre, tangent) in path.iter().zip(&tangents) {
        // Parallel transport: keep the side vector as it was, only made square to the new direction.
        side = unit(sub(side, scale(*tangent, dot(side, *tangent))));
        let other = cross(*tangent, side);
        rings.push(
            (0..=segments)
                .map(|step| {
                    let (sin, cos) = (TAU * f64::from(step % segments) / f64::from(segments)).sin_cos();
                    let normal = add(scale(side, cos), scale(other, sin));
                    mesh.vertex(add(*centre, scale(normal, radius)), normal)
                })
                .collect(),
        );
    }
    for pair in rings.windows(2) {
        for step in 0..segments as usize {
            mesh.quad(pair[0][step], pair[0][step + 1], pair[1][step + 1], pair[1][step]);
        }
    }
    cap(&mut mesh, &rings[0], path[0], scale(tangents[0], -1.0), true);
    let last = path.len() - 1;
    cap(&mut mesh, &rings[last], path[last], tangents[last], false);
    mesh
}

/// A straight round bar.
pub fn bar(from: Vec3, to: Vec3, radius: f64, segments: u32) -> Mesh {
    tube(&[from, to], radius, 0.0, segments)
}

fn cap(mesh: &mut Mesh, ring: &[u32], centre: Vec3, normal: Vec3, reversed: bool) {
    let middle = mesh.vertex(centre, normal);
    let rim: Vec<u32> = ring
        .iter()
        .map(|&index| {
            let position = mesh.positions[index as usize];
            mesh.vertex(position, normal)
        })
        .collect();
    for pair in rim.windows(2) {
        if reversed { mesh.triangle(middle, pair[1], pair[0]) } else { mesh.triangle(middle, pair[0], pair[1]) }
    }
}

/// Replaces each inner corner by a quadratic Bézier curve, which is within 3 % of an arc for right angles.
fn rounded(points: &[Vec3], bend: f64) -> Vec<Vec3> {
    let mut path = vec![points[0]];
    for triple in points.windows(3) {
        let [before, corner, after] = [triple[0], triple[1], triple[2]];
        let reach = bend.min(length(sub(corner, before)) * 0.5).min(length(sub(after, corner)) * 0.5);
        if reach < 1e-6 {
            path.push(corner);
            continue;
        }
        let start = add(corner, scale(unit(sub(before, corner)), reach));
        let end = add(corner, scale(unit(sub(after, corner)), reach));
        for step in 0..=ELBOW_STEPS {
            let t = f64::from(step) / f64::from(ELBOW_STEPS);
            path.push(mix(mix(start, corner, t), mix(corner, end, t), t));
        }
    }
    path.push(points[points.len() - 1]);
    path
}
