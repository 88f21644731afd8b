//! Parts that several machines share: flanges, bolts, feet, motors, beacons, bottles.
//! In: sizes in metres. Out: meshes in local coordinates, and small nodes.

use super::super::{
    material::*,
    mesh::Mesh,
    node::Node,
    solids::{block, drum, drum_x, lathe, slab},
    sweep::bar,
    vector::Vec3,
};

/// Height of belts and bottle plates above the floor: machines in a row must agree.
pub const BELT_HEIGHT: f64 = 1.0;

/// A weld-neck flange lying on the origin: a disc with `bolts` bolt heads on its upper side.
pub fn flange(radius: f64, thickness: f64, bolts: u32) -> Mesh {
    let bolt = drum(radius * 0.1, thickness * 0.5, 0.0, 6).at([radius * 0.8, thickness, 0.0]);
    drum(radius, thickness, thickness * 0.15, 24).with(bolt.ring(bolts))
}

/// A nozzle along +x: pipe of `length` from the origin, with a pair of flanges at its end.
pub fn nozzle(radius: f64, length: f64) -> Mesh {
    let flange_width = radius * 0.35;
    let rim = radius * 1.75;
    let bolt = drum_x(radius * 0.16, flange_width * 2.8, 0.0, 6).at([length - flange_width, rim * 0.8, 0.0]);
    let mut mesh = drum_x(radius, length, 0.0, 18).at([length / 2.0, 0.0, 0.0]);
    for x in [length - flange_width * 0.5, length - flange_width * 1.65] {
        mesh.append(&drum_x(rim, flange_width, flange_width * 0.15, 20).at([x, 0.0, 0.0]));
    }
    for step in 0..6 {
        mesh.append(&bolt.clone().turn_x(30.0 + 60.0 * f64::from(step)));
    }
    mesh
}

/// A levelling foot standing on the origin: plate, spindle, nut.
pub fn foot(height: f64, radius: f64) -> Mesh {
    lathe(
        &[
            (0.0, 0.0),
            (radius, 0.0),
            (radius, 0.012),
            (radius * 0.4, 0.035),
            (radius * 0.28, 0.05),
            (radius * 0.28, height),
            (0.0, height),
        ],
        14,
    )
}

/// Housing of a finned electric motor along +x, its drive end at the origin: (fins and body, dark covers).
pub fn motor(radius: f64, length: f64) -> (Mesh, Mesh) {
    let body_end = length * 0.78;
    let mut body = drum_x(radius * 0.86, body_end, 0.0, 24).at([body_end / 2.0, 0.0, 0.0]);
    let fin = slab([length * 0.08, radius * 0.8, -0.006], [body_end - length * 0.02, radius, 0.006], 0.0);
    for step in 0..24 {
        let angle = 15.0 * f64::from(step);
        // No fins where the terminal box and the feet are.
        if ![0, 1, 23, 11, 12, 13].contains(&step) {
            body.append(&fin.clone().turn_x(angle));
        }
    }
    body.append(&drum_x(radius * 0.98, length * 0.06, 0.01, 28).at([length * 0.03, 0.0, 0.0]));
    body.append(&block([length * 0.34, radius * 0.5, radius * 0.95], 0.012).at([length * 0.42, radius * 1.02, 0.0]));
    for z in [-0.7, 0.7] {
        body.append(&block([length * 0.5, radius * 0.32, radius * 0.34], 0.01).at([
            length * 0.4,
            -radius * 0.9,
            radius * z,
        ]));
    }
    let cowl = lathe(
        &[
            (radius * 0.9, 0.0),
            (radius * 1.0, 0.0),
            (radius * 1.0, length * 0.16),
            (radius * 0.9, length * 0.22),
            (0.0, length * 0.22),
        ],
        28,
    );
    let grille = drum(radius * 0.62, 0.012, 0.0, 20).at([0.0, length * 0.22, 0.0]);
    (body, cowl.with(grille).turn_z(-90.0).at([body_end, 0.0, 0.0]))
}

/// A signal beacon on a stalk; its pivot is the foot of the stalk. Only the lens belongs to the node `name`.
pub fn beacon(name: &'static str, at: Vec3, stalk: f64) -> Node {
    let lens =
        lathe(&[(0.0, 0.0), (0.055, 0.0), (0.055, 0.075), (0.05, 0.1), (0.038, 0.118), (0.02, 0.128), (0.0, 0.13)], 20);
    Node::new(name).at(at).tinted().with(LENS, lens.at([0.0, stalk + 0.03, 0.0]))
}

/// Stalk and socket that carry a [`beacon`]; they belong to the machine's fixed part.
pub fn beacon_stalk(at: Vec3, stalk: f64) -> Mesh {
    let top = [at[0], at[1] + stalk, at[2]];
    bar(at, top, 0.018, 10).with(drum(0.06, 0.03, 0.006, 20).at(top))
}

/// A filled bottle standing on the origin, 0.30 m high: (glass, label, cap).
pub fn bottle(segments: u32) -> (Mesh, Mesh, Mesh) {
    // Label and cap are open shells over the glass, and the mouth under the cap is left out: none of that is seen.
    let glass = [(0.0, 0.0), (0.04, 0.0), (0.04, 0.165), (0.034, 0.195), (0.019, 0.225), (0.015, 0.285)];
    let glass = lathe(&glass, segments);
    let label = lathe(&[(0.041, 0.06), (0.041, 0.135)], segments);
    let cap = lathe(&[(0.0185, 0.272), (0.017, 0.3), (0.0, 0.3)], segments);
    (glass, label, cap)
}

/// Copies of a bottle at `places`, as three meshes of a node.
pub fn add_bottles(node: &mut Node, places: &[Vec3], segments: u32) {
    let (glass, label, cap) = bottle(segments);
    node.add(BOTTLE, glass.each(places));
    node.add(LABEL, label.each(places));
    node.add(CAP, cap.each(places));
}

/// `count` places on a circle about the y axis.
pub fn circle(count: u32, radius: f64, height: f64) -> Vec<Vec3> {
    (0..count)
        .map(|step| {
            let (sin, cos) = (std::f64::consts::TAU * f64::from(step) / f64::from(count)).sin_cos();
            [radius * cos, height, -radius * sin]
        })
        .collect()
}

/// A star wheel about the y axis: a disc with `pockets` notches, `height` thick, standing on the origin.
pub fn star_wheel(radius: f64, pockets: u32, height: f64) -> Mesh {
    let mut disc = drum(radius * 0.82, height, 0.0, pockets * 2);
    let tooth = super::super::solids::prism(
        &[(0.0, -0.5), (0.62, -0.28), (1.0, -0.12), (1.0, 0.12), (0.62, 0.28), (0.0, 0.5)]
            .map(|(x, y)| (radius * (0.76 + 0.24 * x), y * radius * 5.6 / f64::from(pockets))),
        height * 0.999,
        0.0,
    );
    // The prism lies in the xy plane; the wheel lies in xz.
    disc.append(&tooth.turn_x(-90.0).at([0.0, height / 2.0, 0.0]).ring(pockets));
    disc
}
