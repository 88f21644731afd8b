//! An automated guided vehicle with forks. It drives towards +x; the forks trail at -x.

use super::super::{
    material::*,
    node::Node,
    solids::{block, drum, drum_z, lathe, prism, slab},
    sweep::bar,
};
use super::parts::{beacon, beacon_stalk};

const BEACON: [f64; 3] = [0.35, 1.86, 0.0];
const STALK: f64 = 0.06;

pub fn agv() -> Vec<Node> {
    vec![body(), beacon("beacon", BEACON, STALK), forks().child(load()), charge()]
}

fn body() -> Node {
    let mut body = Node::new("body").tinted();
    // Chassis with a sloped nose, bumper and light strip.
    let side = [(0.0, 0.1), (0.9, 0.1), (0.98, 0.2), (0.98, 0.42), (0.86, 0.7), (0.62, 0.84), (0.0, 0.84)];
    body.add(PAINT_LIGHT, prism(&side, 0.86, 0.04));
    body.add(RUBBER, slab([0.92, 0.06, -0.44], [1.03, 0.2, 0.44], 0.03));
    body.add(PAINT_DARK, slab([-0.04, 0.08, -0.42], [0.9, 0.2, 0.42], 0.0));
    body.add(LENS, slab([0.965, 0.32, -0.3], [0.985, 0.36, 0.3], 0.008));
    for z in [-0.405, 0.405] {
        body.add(PAINT_DARK, slab([0.1, 0.3, z - 0.03], [0.58, 0.72, z + 0.03], 0.012));
    }
    // Safety laser scanner on two corners, wheels.
    for z in [-0.4, 0.4] {
        let scanner = lathe(
            &[
                (0.0, 0.0),
                (0.075, 0.0),
                (0.075, 0.05),
                (0.06, 0.06),
                (0.06, 0.09),
                (0.075, 0.1),
                (0.075, 0.14),
                (0.0, 0.14),
            ],
            20,
        );
        body.add(PAINT_DARK, scanner.at([0.95, 0.2, z]));
        body.add(RUBBER, drum_z(0.13, 0.1, 0.015, 26).at([0.45, 0.13, z * 0.9]));
    }
    // Mast: two uprights, cross heads, chains; screen and emergency stop at the nose.
    for z in [-0.27, 0.27] {
        body.add(PAINT_DARK, slab([-0.14, 0.06, z - 0.04], [0.0, 1.8, z + 0.04], 0.012));
        body.add(STEEL, slab([-0.16, 0.1, z - 0.015], [-0.138, 1.76, z + 0.015], 0.0));
        body.add(STEEL_DARK, bar([-0.1, 0.5, z * 0.35], [-0.1, 1.72, z * 0.35], 0.012, 6));
    }
    for y in [1.1, 1.76] {
        body.add(PAINT_DARK, slab([-0.13, y - 0.05, -0.3], [-0.01, y + 0.05, 0.3], 0.012));
    }
    body.add(STEEL_BRUSHED, drum(0.045, 1.1, 0.0, 18).at([-0.06, 0.6, 0.0]));
    body.add(PAINT_LIGHT, slab([0.06, 0.84, -0.3], [0.5, 1.2, 0.3], 0.04));
    body.add(SCREEN, block([0.01, 0.2, 0.32], 0.0).at([0.502, 1.04, 0.0]));
    body.add(STEEL_BRUSHED, bar([0.35, 1.2, 0.0], [0.35, 1.82, 0.0], 0.022, 10));
    body.add(
        PAINT_DARK,
        lathe(&[(0.0, 0.0), (0.09, 0.0), (0.09, 0.05), (0.05, 0.06), (0.0, 0.06)], 24).at([0.35, 1.8, 0.0]),
    );
    body.add(STEEL_DARK, beacon_stalk(BEACON, STALK));
    // Support legs under the forks.
    for z in [-0.25, 0.25] {
        body.add(PAINT_DARK, slab([-1.25, 0.03, z - 0.05], [-0.1, 0.07, z + 0.05], 0.01));
        body.add(RUBBER, drum_z(0.04, 0.07, 0.006, 16).at([-1.18, 0.04, z]));
    }
    body
}

/// A full pallet on the forks.
fn load() -> Node {
    let mut load = Node::new("load").at([-0.68, 0.03, 0.0]).tinted();
    super::pallets::full_pallet(&mut load);
    load
}

/// A bar on the screen: full as the battery is.
fn charge() -> Node {
    let mut charge = Node::new("charge").at([0.5075, 0.955, 0.1]).tinted();
    charge.add(LIQUID, slab([0.0, 0.0, -0.03], [0.006, 0.17, 0.03], 0.0));
    charge
}

/// Lowest at its origin; slides up along y.
fn forks() -> Node {
    let mut forks = Node::new("forks").at([-0.16, 0.08, 0.0]).tinted();
    for z in [-0.25, 0.25] {
        let blade = [(-1.15, 0.0), (-0.06, 0.0), (0.0, 0.02), (0.0, 0.06), (-1.15, 0.02)];
        forks.add(STEEL_DARK, prism(&blade, 0.13, 0.004).at([0.0, 0.0, z]));
        forks.add(STEEL_DARK, slab([-0.05, 0.0, z - 0.065], [0.0, 0.5, z + 0.065], 0.008));
    }
    for y in [0.12, 0.42] {
        forks.add(PAINT_DARK, slab([-0.03, y - 0.04, -0.34], [0.02, y + 0.04, 0.34], 0.01));
    }
    forks
}
