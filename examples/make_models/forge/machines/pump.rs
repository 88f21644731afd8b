//! A centrifugal pump set: volute casing, bearing bracket, guarded coupling, finned motor, one baseplate.

use super::super::{
    material::*,
    mesh::Mesh,
    node::Node,
    solids::{block, drum_x, lathe, slab, torus},
    sweep::bar,
};
use super::parts::{beacon, beacon_stalk, motor, nozzle};

/// Height of the shaft.
const AXIS: f64 = 0.55;
/// Where the volute, the bearing bracket, the coupling and the motor are along x. Liquid enters at -x.
const VOLUTE: f64 = -0.62;
const COUPLING: f64 = 0.08;
const MOTOR: f64 = 0.26;
const BEACON: [f64; 3] = [0.62, 0.13, -0.32];
const STALK: f64 = 1.0;

pub fn pump() -> Vec<Node> {
    vec![
        casing(),
        bearing(),
        cover(),
        shaft(),
        drive(),
        base(),
        beacon("beacon", BEACON, STALK),
        Node::port("inlet", [-1.2, AXIS, 0.0]),
        Node::port("outlet", [VOLUTE, 1.2, -0.17]),
    ]
}

/// The spiral: a tube whose bore grows around the shaft and leaves upwards.
fn casing() -> Node {
    let mut casing = Node::new("casing").at([VOLUTE, AXIS, 0.0]).tinted();
    casing.add(PAINT_MID, volute());
    // Side plates close the eye of the spiral.
    casing.add(PAINT_MID, drum_x(0.25, 0.18, 0.03, 36));
    casing.add(PAINT_MID, drum_x(0.2, 0.3, 0.02, 32).at([0.04, 0.0, 0.0]));
    let mut bolts = Mesh::default();
    for step in 0..12 {
        bolts.append(&drum_x(0.014, 0.03, 0.0, 6).at([0.1, 0.215, 0.0]).turn_x(30.0 * f64::from(step)));
    }
    casing.add(STEEL_BRUSHED, bolts);
    // Suction nozzle along -x, discharge nozzle upwards behind.
    casing.add(PAINT_MID, nozzle(0.1, 0.58).turn_y(180.0));
    casing.add(PAINT_MID, nozzle(0.075, 0.65).turn_z(90.0).at([0.0, 0.0, -0.17]));
    for z in [-0.14, 0.14] {
        casing.add(PAINT_MID, slab([-0.07, -AXIS + 0.12, z - 0.045], [0.07, -0.12, z + 0.045], 0.012));
    }
    casing
}

fn volute() -> Mesh {
    const STEPS: u32 = 40;
    const SIDES: u32 = 14;
    let mut mesh = Mesh::default();
    let mut previous: Option<Vec<u32>> = None;
    for step in 0..=STEPS {
        let turn = f64::from(step) / f64::from(STEPS);
        let bore = 0.06 + 0.05 * turn;
        // Starts behind the cutwater and winds by the top to the front, down, and up again behind.
        let angle = (195.0 + 350.0 * turn).to_radians();
        let (sin, cos) = angle.sin_cos();
        let out = [0.0, -sin, cos];
        let ring: Vec<u32> = (0..=SIDES)
            .map(|side| {
                let (s, c) = (std::f64::consts::TAU * f64::from(side % SIDES) / f64::from(SIDES)).sin_cos();
                let normal = [s, out[1] * c, out[2] * c];
                let reach = 0.2 + bore * 0.4;
                mesh.vertex([bore * s, out[1] * (reach + bore * c), out[2] * (reach + bore * c)], normal)
            })
            .collect();
        if let Some(before) = previous.replace(ring.clone()) {
            for side in 0..SIDES as usize {
                mesh.quad(before[side], ring[side], ring[side + 1], before[side + 1]);
            }
        }
    }
    mesh
}

fn bearing() -> Node {
    let mut bearing = Node::new("bearing").at([-0.25, AXIS, 0.0]).tinted();
    let profile = [
        (0.0, -0.22),
        (0.19, -0.22),
        (0.19, -0.18),
        (0.13, -0.14),
        (0.115, -0.1),
        (0.115, 0.12),
        (0.14, 0.14),
        (0.14, 0.19),
        (0.1, 0.2),
        (0.0, 0.2),
    ];
    bearing.add(PAINT_MID, lathe(&profile, 32).turn_z(-90.0));
    // Cooling ribs, constant-level oiler, foot.
    for x in [-0.06, 0.0, 0.06] {
        bearing.add(PAINT_MID, torus(0.115, 0.016, 32, 6).turn_z(90.0).at([x, 0.0, 0.0]));
    }
    let oiler = lathe(&[(0.0, 0.0), (0.028, 0.0), (0.028, 0.06), (0.02, 0.075), (0.0, 0.08)], 14);
    bearing.add(LENS, oiler.at([0.02, -0.02, 0.16]));
    bearing.add(STEEL_DARK, bar([0.02, 0.0, 0.1], [0.02, 0.0, 0.16], 0.012, 8));
    bearing.add(PAINT_MID, slab([0.08, -AXIS + 0.12, -0.06], [0.16, -0.08, 0.06], 0.012));
    bearing
}

/// The cover of the bearing at the drive's end: shows how warm it is.
fn cover() -> Node {
    let mut cover = Node::new("cover").at([-0.25, AXIS, 0.0]).tinted();
    let profile = [(0.05, 0.19), (0.145, 0.185), (0.145, 0.215), (0.105, 0.23), (0.05, 0.23)];
    cover.add(PAINT_MID, lathe(&profile, 28).turn_z(-90.0));
    cover
}

/// The shaft with both coupling halves; white keys show that it turns.
fn shaft() -> Node {
    let mut shaft = Node::new("shaft").at([COUPLING, AXIS, 0.0]);
    shaft.add(STEEL, drum_x(0.035, 0.5, 0.0, 16));
    for x in [-0.052, 0.052] {
        shaft.add(STEEL_DARK, drum_x(0.105, 0.085, 0.012, 28).at([x, 0.0, 0.0]));
    }
    shaft.add(RUBBER, drum_x(0.09, 0.03, 0.0, 24));
    let key = block([0.2, 0.014, 0.05], 0.003).at([0.0, 0.102, 0.0]);
    shaft.add(MARK, key.clone().with(key.turn_x(180.0)));
    shaft
}

fn drive() -> Node {
    let (fins, cowl) = motor(0.24, 0.78);
    let mut node = Node::new("motor").at([MOTOR, AXIS, 0.0]).tinted();
    node.add(PAINT_MID, fins);
    node.add(PAINT_DARK, cowl);
    node
}

/// Baseplate, coupling guard of bars, and the beacon's stalk.
fn base() -> Node {
    let mut base = Node::new("base");
    base.add(FLOOR_EDGE, slab([-1.0, 0.0, -0.42], [1.12, 0.06, 0.42], 0.015));
    for z in [-0.3, 0.3] {
        base.add(PAINT_DARK, slab([-0.9, 0.06, z - 0.05], [1.05, 0.13, z + 0.05], 0.01));
    }
    for x in [-0.85, -0.1, 0.3, 1.0] {
        base.add(PAINT_DARK, slab([x - 0.05, 0.06, -0.3], [x + 0.05, 0.125, 0.3], 0.0));
    }
    base.add(PAINT_DARK, slab([MOTOR + 0.08, 0.12, -0.24], [MOTOR + 0.56, 0.34, -0.1], 0.01));
    base.add(PAINT_DARK, slab([MOTOR + 0.08, 0.12, 0.1], [MOTOR + 0.56, 0.34, 0.24], 0.01));
    // Guard: three hoops and bars over the coupling, open enough to see it turn.
    let mut guard = Mesh::default();
    for x in [-0.12, 0.0, 0.12] {
        let hoop = super::super::sweep::tube(
            &[[x, 0.1, -0.17], [x, 0.72, -0.17], [x, 0.72, 0.17], [x, 0.1, 0.17]],
            0.008,
            0.15,
            8,
        );
        guard.append(&hoop);
    }
    for (y, z) in [(0.4, 0.17), (0.55, 0.17), (0.72, 0.05), (0.72, -0.05), (0.55, -0.17), (0.4, -0.17)] {
        guard.append(&bar([-0.13, y, z], [0.13, y, z], 0.006, 6));
    }
    base.add(STEEL_BRUSHED, guard.at([COUPLING, 0.0, 0.0]));
    base.add(STEEL_DARK, beacon_stalk(BEACON, STALK));
    base
}
