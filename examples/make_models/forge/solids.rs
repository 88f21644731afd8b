//! Solid shapes: boxes with soft edges, everything turned on a lathe, and extruded outlines.
//! In: sizes in metres. Out: closed meshes. Round shapes stand on the origin along +y; boxes are centred.

use super::{
    mesh::Mesh,
    vector::{Vec3, unit},
};
use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// Profile segments that meet at a smaller angle than this are shaded as one smooth surface.
const CREASE_COS: f64 = 0.8;

/// A box centred on the origin whose edges are cut back by `bevel`.
///
/// The cut faces take no normals of their own: they blend those of the faces, so that edges catch light as if rounded.
pub fn block(size: Vec3, bevel: f64) -> Mesh {
    const CORNERS: u32 = 8;
    let half = size.map(|side| side / 2.0);
    let mut mesh = Mesh::default();
    // Bit k of a corner says on which side of axis k it lies. Each corner has one vertex per face, numbered by `at`.
    for axis in 0..3 {
        for corner in 0..CORNERS {
            let sign = [0, 1, 2].map(|k| if (corner >> k) & 1 == 1 { 1.0 } else { -1.0 });
            let position = [0, 1, 2].map(|k| sign[k] * if k == axis { half[k] } else { half[k] - bevel });
            mesh.vertex(position, [0, 1, 2].map(|k| if k == axis { sign[k] } else { 0.0 }));
        }
    }
    let at = |axis: u32, corner: u32| axis * CORNERS + corner;
    for axis in 0..3 {
        let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
        let (bu, bv, ba) = (1 << u, 1 << v, 1 << axis);
        let face = |corner: u32| at(axis, corner);
        mesh.quad(face(ba), face(ba | bu), face(ba | bu | bv), face(ba | bv));
        mesh.quad(face(0), face(bv), face(bu | bv), face(bu));
        if bevel > 0.0 {
            // Edges along `axis`, between the faces across u and v.
            for low in [0, bu, bv, bu | bv] {
                let high = low | ba;
                if low == 0 || low == bu | bv {
                    mesh.quad(at(u, low), at(v, low), at(v, high), at(u, high));
                } else {
                    mesh.quad(at(v, low), at(u, low), at(u, high), at(v, high));
                }
            }
        }
    }
    if bevel > 0.0 {
        for corner in 0..CORNERS {
            let [x, y, z] = [0, 1, 2].map(|axis| at(axis, corner));
            if corner.count_ones() % 2 == 1 { mesh.triangle(x, y, z) } else { mesh.triangle(x, z, y) }
        }
    }
    mesh
}

/// A box between two opposite corners.
pub fn slab(one: Vec3, other: Vec3, bevel: f64) -> Mesh {
    let mid = [0, 1, 2].map(|k| (one[k] + other[k]) / 2.0);
    block([0, 1, 2].map(|k| (other[k] - one[k]).abs()), bevel).at(mid)
}

/// Turns a profile of (radius, height) about the y axis. The profile runs upwards on the outside.
pub fn lathe(profile: &[(f64, f64)], segments: u32) -> Mesh {
    let slope = |a: (f64, f64), b: (f64, f64)| {
        let (dr, dy) = (b.0 - a.0, b.1 - a.1);
        let len = dr.hypot(dy).max(1e-12);
        (dy / len, -dr / len)
    };
    let normals: Vec<_> = profile.windows(2).map(|pair| slope(pair[0], pair[1])).collect();
    let blend = |one: (f64, f64), other: Option<&(f64, f64)>| match other {
        Some(&(r, y)) if one.0 * r + one.1 * y > CREASE_COS => {
            let len = (one.0 + r).hypot(one.1 + y);
            ((one.0 + r) / len, (one.1 + y) / len)
        }
        _ => one,
    };
    let mut mesh = Mesh::default();
    for (index, pair) in profile.windows(2).enumerate() {
        let here = normals[index];
        let low = blend(here, index.checked_sub(1).and_then(|before| normals.get(before)));
        let high = blend(here, normals.get(index + 1));
        band(&mut mesh, (pair[0].0, pair[0].1, low), (pair[1].0, pair[1].1, high), segments);
    }
    mesh
}

/// One band of a turned surface, between two circles given as radius, height and normal (radial, upwards).
fn band(mesh: &mut Mesh, low: (f64, f64, (f64, f64)), high: (f64, f64, (f64, f64)), segments: u32) {
    let mut previous = None;
    for step in 0..=segments {
        let (sin, cos) = (TAU * f64::from(step % segments) / f64::from(segments)).sin_cos();
        let mut point = |(radius, height, (out, up)): (f64, f64, (f64, f64))| {
            mesh.vertex([radius * cos, height, -radius * sin], unit([out * cos, up, -out * sin]))
        };
        let now = (point(low), point(high));
        if let Some((a, d)) = previous.replace(now) {
            mesh.quad(a, now.0, now.1, d);
        }
    }
}

/// A cylinder standing on the origin, its rims cut back by `bevel` and shaded as if rounded.
pub fn drum(radius: f64, height: f64, bevel: f64, segments: u32) -> Mesh {
    let inner = radius - bevel;
    let (down, out, up) = ((0.0, -1.0), (1.0, 0.0), (0.0, 1.0));
    let bands = [
        [(0.0, 0.0, down), (inner, 0.0, down)],
        [(inner, 0.0, down), (radius, bevel, out)],
        [(radius, bevel, out), (radius, height - bevel, out)],
        [(radius, height - bevel, out), (inner, height, up)],
        [(inner, height, up), (0.0, height, up)],
    ];
    let mut mesh = Mesh::default();
    for [low, high] in bands {
        if (low.0, low.1) != (high.0, high.1) {
            band(&mut mesh, low, high, segments);
        }
    }
    mesh
}

/// As [`drum`], lying along x and centred on the origin.
pub fn drum_x(radius: f64, width: f64, bevel: f64, segments: u32) -> Mesh {
    drum(radius, width, bevel, segments).at([0.0, -width / 2.0, 0.0]).turn_z(-90.0)
}

/// As [`drum`], lying along z and centred on the origin.
pub fn drum_z(radius: f64, width: f64, bevel: f64, segments: u32) -> Mesh {
    drum(radius, width, bevel, segments).at([0.0, -width / 2.0, 0.0]).turn_x(90.0)
}

/// A frustum standing on the origin.
pub fn cone(bottom: f64, top: f64, height: f64, segments: u32) -> Mesh {
    lathe(&[(0.0, 0.0), (bottom, 0.0), (top, height), (0.0, height)], segments)
}

pub fn ball(radius: f64, segments: u32) -> Mesh {
    let rings = segments / 2;
    let profile: Vec<_> = (0..=rings)
        .map(|ring| {
            let angle = PI * f64::from(ring) / f64::from(rings) - FRAC_PI_2;
            let r = if ring == 0 || ring == rings { 0.0 } else { radius * angle.cos() };
            (r, radius * angle.sin())
        })
        .collect();
    lathe(&profile, segments)
}

/// A torus about the y axis, centred on the origin.
pub fn torus(major: f64, minor: f64, segments: u32, sides: u32) -> Mesh {
    let profile: Vec<_> = (0..=sides)
        .map(|side| {
            let (sin, cos) = (TAU * f64::from(side % sides) / f64::from(sides) - PI).sin_cos();
            (major + minor * cos, minor * sin)
        })
        .collect();
    lathe(&profile, segments)
}

/// A vessel with elliptical ends: `dish` high at each end, `height` over all, standing on the origin.
pub fn vessel(radius: f64, height: f64, dish: f64, segments: u32) -> Mesh {
    const STEPS: u32 = 7;
    let arc = |step: u32| (FRAC_PI_2 * f64::from(step) / f64::from(STEPS)).sin_cos();
    let mut profile: Vec<_> = (0..=STEPS).map(|s| (radius * arc(s).0, dish * (1.0 - arc(s).1))).collect();
    profile[0].0 = 0.0;
    let mirrored: Vec<_> = profile.iter().rev().map(|&(r, y)| (r, height - y)).collect();
    profile.extend(mirrored);
    lathe(&profile, segments)
}

/// Extrudes a convex outline (x, y), counter-clockwise seen from +z, by `depth` along z, centred.
///
/// The rims are cut back by `bevel` and shaded as if rounded, as those of [`block`].
pub fn prism(outline: &[(f64, f64)], depth: f64, bevel: f64) -> Mesh {
    let half = depth / 2.0;
    let count = outline.len();
    let facing: Vec<(f64, f64)> = (0..count)
        .map(|index| {
            let ((px, py), (qx, qy)) = (outline[index], outline[(index + 1) % count]);
            let len = (qx - px).hypot(qy - py);
            ((qy - py) / len, (px - qx) / len)
        })
        .collect();
    // Each corner moves in so far that both of its edges move by `bevel`.
    let inner: Vec<(f64, f64)> = (0..count)
        .map(|index| {
            let ((ax, ay), (bx, by)) = (facing[(index + count - 1) % count], facing[index]);
            let shift = bevel / (1.0 + ax * bx + ay * by);
            (outline[index].0 - (ax + bx) * shift, outline[index].1 - (ay + by) * shift)
        })
        .collect();
    let mut mesh = Mesh::default();
    for sign in [1.0, -1.0] {
        let lid: Vec<u32> = inner.iter().map(|&(x, y)| mesh.vertex([x, y, sign * half], [0.0, 0.0, sign])).collect();
        for pair in lid.windows(2).skip(1) {
            let [b, c] = if sign > 0.0 { [pair[0], pair[1]] } else { [pair[1], pair[0]] };
            mesh.triangle(lid[0], b, c);
        }
    }
    for (index, &(nx, ny)) in facing.iter().enumerate() {
        let next = (index + 1) % count;
        let mut strip = |point: (f64, f64), z: f64, normal: Vec3| mesh.vertex([point.0, point.1, z], normal);
        let (side, front, back) = ([nx, ny, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, -1.0]);
        let [a, b] = [index, next].map(|at| strip(inner[at], half, front));
        let [c, d] = [index, next].map(|at| strip(outline[at], half - bevel, side));
        let [e, f] = [index, next].map(|at| strip(outline[at], bevel - half, side));
        let [g, h] = [index, next].map(|at| strip(inner[at], -half, back));
        mesh.quad(a, c, d, b);
        mesh.quad(c, e, f, d);
        mesh.quad(e, g, h, f);
    }
    mesh
}
